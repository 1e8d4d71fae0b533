"""What only people can say of the service: who runs and oversees it, reports, sharing, leads by group."""

from dataclasses import dataclass
from typing import Literal

from recognizance.api.forms import Count, Moment, Name, Sha256, Text, Year, form
from recognizance.api.routes import Call, Method, Nothing, Repeat, Route
from recognizance.api.services import Services
from recognizance.governance import Act
from recognizance.governance.parties import AgencyId, UseId
from recognizance.governance.purposes import Purpose
from recognizance.governing.publishing import (
    DeploymentStatement,
    Dimension,
    LeadCounts,
    PublishedReport,
    RightsImpactAssessment,
    SharedData,
)
from recognizance.ledger import Receipt
from recognizance.ledger.facts import ReportKind


@form
class DeploymentForm:
    """Who operates the service, and why they may; the last one is in force.

    Attributes:
        accountable_person: Who answers for it: name and office.
        contact: Where the public reaches them.
        prohibited_uses: Beside those that no policy ever allows, which are always published.
    """

    operator: Name
    accountable_person: Name
    contact: Name
    legal_basis: Text
    purposes: frozenset[Purpose]
    prohibited_uses: frozenset[Name] = frozenset()


@form
class BodyForm:
    """What the body of overseers is called; who they are, and what a decision takes, is taken from where it holds."""

    name: Name


@form
class MemberForm:
    """An overseer's own name. The ledger keeps what it was told.

    Attributes:
        name: Null says that it is no longer to be shown.
        office: Which office or community one speaks for.
    """

    name: Name | None = None
    office: Name | None = None


@form
class AuditForm:
    """An audit whose text is published elsewhere.

    Attributes:
        sha256: Of that text.
        use: The one that it is about, if it is about one.
        expires: First moment at which it no longer counts.
        cost_cents: What it says that the use cost, in hundredths of the agency's currency.
    """

    report: Name
    agency: Name
    sha256: Sha256
    use: Name | None = None
    expires: Moment | None = None
    cost_cents: Count | None = None


@form
class ReportForm:
    """A report whose text is published elsewhere.

    Attributes:
        kind: An assessment of rights is published whole, and an audit by an auditor: both have their own addresses.
        sha256: Of that text.
        use: The one that it is about, if it is about one.
        expires: First moment at which it no longer counts.
        cost_cents: What it says that the use cost, in hundredths of the agency's currency.
    """

    report: Name
    kind: Literal[ReportKind.ACCOUNTABILITY, ReportKind.MONTHLY, ReportKind.YEARLY]
    agency: Name
    sha256: Sha256
    use: Name | None = None
    expires: Moment | None = None
    cost_cents: Count | None = None


@form
class RightsImpactForm:
    """What a use means for people's rights: the six elements of Regulation (EU) 2024/1689, article 27(1).

    Attributes:
        processes: What the agency does with the system, and for what.
        period_and_frequency: For how long, and how often.
        people_affected: Which people and groups it is likely to affect.
        risks: Which harm it may do to them.
        oversight: How people oversee it.
        measures: What is done when a risk comes true, and where one complains.
    """

    report: Name
    agency: Name
    processes: Text
    period_and_frequency: Text
    people_affected: Text
    risks: Text
    oversight: Text
    measures: Text
    use: Name | None = None
    expires: Moment | None = None


@form
class SharingForm:
    """Data that went outside an agency: to whom, which, and under which standard."""

    agency: Name
    recipient: Name
    data: Text
    standard: Text
    use: Name | None = None


@form
class LeadFiguresForm:
    """Leads that an agency acted on in a year that is over, counted by people.

    Attributes:
        counts: By group, such as `under_18`; each lead is in one group, people of unknown group in one of their own.
    """

    agency: Name
    year: Year
    dimension: Dimension
    counts: dict[Name, Count]


@dataclass(frozen=True, slots=True)
class PublishedView:
    """Where in the ledger it stands; the headers have the entry's id and the proof."""

    index: int


def publish_deployment(services: Services, call: Call[DeploymentForm, Nothing]) -> PublishedView:
    form = call.body
    statement = DeploymentStatement(
        form.operator, form.accountable_person, form.contact, form.legal_basis, form.purposes, form.prohibited_uses
    )
    return _published(services.governing.publishing.deployment(statement, by=call.actor))


def publish_body(services: Services, call: Call[BodyForm, Nothing]) -> PublishedView:
    return _published(services.governing.publishing.oversight_body(call.body.name, by=call.actor))


def publish_member(services: Services, call: Call[MemberForm, Nothing]) -> PublishedView:
    form = call.body
    return _published(services.governing.publishing.oversight_member(form.name, form.office, by=call.actor))


def publish_report(services: Services, call: Call[ReportForm, Nothing]) -> PublishedView:
    return _published(services.governing.publishing.report(_report(call.body, call.body.kind), by=call.actor))


def publish_audit(services: Services, call: Call[AuditForm, Nothing]) -> PublishedView:
    return _published(services.governing.publishing.report(_report(call.body, ReportKind.AUDIT), by=call.actor))


def publish_rights_impact(services: Services, call: Call[RightsImpactForm, Nothing]) -> PublishedView:
    form = call.body
    assessment = RightsImpactAssessment(
        id=form.report,
        agency=AgencyId(form.agency),
        processes=form.processes,
        period_and_frequency=form.period_and_frequency,
        people_affected=form.people_affected,
        risks=form.risks,
        oversight=form.oversight,
        measures=form.measures,
        use=_use(form.use),
        expires=form.expires,
    )
    return _published(services.governing.publishing.rights_impact(assessment, by=call.actor))


def publish_sharing(services: Services, call: Call[SharingForm, Nothing]) -> PublishedView:
    form = call.body
    shared = SharedData(AgencyId(form.agency), form.recipient, form.data, form.standard, _use(form.use))
    return _published(services.governing.publishing.sharing(shared, by=call.actor))


def publish_lead_figures(services: Services, call: Call[LeadFiguresForm, Nothing]) -> PublishedView:
    form = call.body
    counted = LeadCounts(AgencyId(form.agency), form.year, form.dimension, form.counts)
    return _published(services.governing.publishing.lead_figures(counted, by=call.actor))


def _published(receipt: Receipt) -> PublishedView:
    return PublishedView(receipt.index)


def _use(name: str | None) -> UseId | None:
    return None if name is None else UseId(name)


def _report(form: ReportForm | AuditForm, kind: ReportKind) -> PublishedReport:
    return PublishedReport(
        id=form.report,
        kind=kind,
        agency=AgencyId(form.agency),
        sha256=form.sha256,
        use=_use(form.use),
        expires=form.expires,
        cost_cents=form.cost_cents,
    )


ROUTES = (
    Route(
        "publish_deployment",
        Method.POST,
        "/publications/deployment",
        "Publish who operates the service, on what basis and for what.",
        publish_deployment,
        PublishedView,
        act=Act.PUBLISH_DEPLOYMENT,
        body=DeploymentForm,
        status=201,
        repeat=Repeat.KEYED,
        kept=True,
    ),
    Route(
        "publish_body",
        Method.POST,
        "/publications/oversight-body",
        "Publish who oversees the service, as they are registered now.",
        publish_body,
        PublishedView,
        act=Act.PUBLISH_OVERSIGHT,
        body=BodyForm,
        status=201,
        repeat=Repeat.KEYED,
        kept=True,
    ),
    Route(
        "publish_member",
        Method.POST,
        "/publications/oversight-member",
        "Publish one's own name as an overseer, or that it is no longer shown.",
        publish_member,
        PublishedView,
        act=Act.PUBLISH_OVERSIGHT,
        body=MemberForm,
        status=201,
        repeat=Repeat.KEYED,
        kept=True,
    ),
    Route(
        "publish_report",
        Method.POST,
        "/publications/reports",
        "Publish that a report of one's agency exists.",
        publish_report,
        PublishedView,
        act=Act.PUBLISH_REPORT,
        body=ReportForm,
        status=201,
        repeat=Repeat.KEYED,
        kept=True,
    ),
    Route(
        "publish_audit",
        Method.POST,
        "/publications/audits",
        "Publish that an audit exists.",
        publish_audit,
        PublishedView,
        act=Act.PUBLISH_AUDIT,
        body=AuditForm,
        status=201,
        repeat=Repeat.KEYED,
        kept=True,
    ),
    Route(
        "publish_rights_impact",
        Method.POST,
        "/publications/rights-impact",
        "Publish what a use means for people's rights, whole.",
        publish_rights_impact,
        PublishedView,
        act=Act.PUBLISH_REPORT,
        body=RightsImpactForm,
        status=201,
        repeat=Repeat.KEYED,
        kept=True,
    ),
    Route(
        "publish_sharing",
        Method.POST,
        "/publications/sharing",
        "Publish that data went outside one's agency.",
        publish_sharing,
        PublishedView,
        act=Act.PUBLISH_REPORT,
        body=SharingForm,
        status=201,
        repeat=Repeat.KEYED,
        kept=True,
    ),
    Route(
        "publish_lead_figures",
        Method.POST,
        "/publications/lead-figures",
        "Publish how many leads were acted on, by age, race or sex; once.",
        publish_lead_figures,
        PublishedView,
        act=Act.PUBLISH_REPORT,
        body=LeadFiguresForm,
        status=201,
    ),
)
