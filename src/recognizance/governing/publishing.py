"""Publishing: what only people can say about a service, put on the record by whoever answers for it.

Who operates the service and who oversees it, reports and audits, what a use means for rights, with whom data was
shared, and which leads were acted on. Each is one entry of the ledger, from which the public register is built; nothing
that was published can be taken back, only followed by something newer. Who may publish what is for the policy to say.
What went wrong has a life of its own, in `incidents.py`.

What this service enforces is taken from where it is enforced, never from what somebody types: the profile, the votes
that a decision takes, the overseers' pseudonyms. Counts of people leave here with small ones suppressed, because the
ledger itself is public for good; exact ones are sealed.

Implements `docs/publishing.md` and `docs/decisions/0033-what-only-people-can-say.md`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from recognizance.documents import Kind, PersonRecord, Standing, UseRecord, every, installation_of, stored
from recognizance.errors import ConflictError, DeniedError, InputError
from recognizance.galleries import Clock
from recognizance.governance import Act, Role
from recognizance.governance.codec import write_document
from recognizance.governance.parties import Agency, AgencyId, PersonId, UseId
from recognizance.governance.profiles import Profile
from recognizance.governance.purposes import Declaration, Purpose
from recognizance.governing.registration import Actor, Gate
from recognizance.identifiers import PrincipalId
from recognizance.ledger import Receipt, facts
from recognizance.recording import EntryDraft, Maker, Recorder, acts
from recognizance.records import Document, Reader, Records
from recognizance.register.suppression import Cell, published, published_parts

FIGURES_KIND = "lead_figures"
MAX_GROUPS = 64
"""Groups of one dimension; a table of more is no table of people any more."""


class Dimension(StrEnum):
    """By what leads are counted: as people recorded it (Maryland, Criminal Procedure 2-510)."""

    AGE = "age"
    RACE = "race"
    SEX = "sex"


@dataclass(frozen=True, slots=True)
class DeploymentStatement:
    """Who operates this service, and why they may.

    Attributes:
        prohibited_uses: Beside those that no policy of ours ever allows, which are always published.
    """

    operator: str
    accountable_person: str
    contact: str
    legal_basis: str
    purposes: frozenset[Purpose]
    prohibited_uses: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PublishedReport:
    """A report whose text is published elsewhere.

    Attributes:
        sha256: Of that text: says which one it is.
        cost_cents: What it says that the use cost, in hundredths of the agency's currency.
    """

    id: str
    kind: facts.ReportKind
    agency: AgencyId
    sha256: str
    use: UseId | None = None
    expires: datetime | None = None
    cost_cents: int | None = None


@dataclass(frozen=True, slots=True)
class RightsImpactAssessment:
    """The six elements of an assessment (Regulation (EU) 2024/1689, article 27(1)); all of them are published whole.

    Attributes:
        processes: (a) What the agency does with the system, and for what.
        period_and_frequency: (b) For how long, and how often.
        people_affected: (c) Which people and groups it is likely to affect.
        risks: (d) Which harm it may do to them.
        oversight: (e) How people oversee it.
        measures: (f) What is done when a risk comes true, whom one complains to included.
    """

    id: str
    agency: AgencyId
    processes: str
    period_and_frequency: str
    people_affected: str
    risks: str
    oversight: str
    measures: str
    use: UseId | None = None
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class SharedData:
    """Data that went outside an agency: to whom, which, and under which standard."""

    agency: AgencyId
    recipient: str
    data: str
    standard: str
    use: UseId | None = None


@dataclass(frozen=True, slots=True)
class LeadCounts:
    """Leads that an agency acted on in a year, counted by people.

    Attributes:
        counts: By group, such as `under_18`; each lead is in one group, people of unknown group in one of their own.
    """

    agency: AgencyId
    year: int
    dimension: Dimension
    counts: Mapping[str, int]

    def __post_init__(self) -> None:
        if not 1 <= len(self.counts) <= MAX_GROUPS:
            raise InputError(f"leads are counted in 1 to {MAX_GROUPS} groups, not {len(self.counts)}")
        for group, count in self.counts.items():
            if acts.token(group) != group:
                raise InputError(f"the group {group!r} has other characters than letters, digits and _.:@/-")
            if count < 0:
                raise InputError(f"the count of the group {group!r} is negative")

    @property
    def id(self) -> str:
        # An agency's name may be as long as an id can be.
        return hashlib.sha256(f"{self.year} {self.dimension} {self.agency}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Counted:
    """That these were published, so that a second table can't be held against the first."""

    agency: AgencyId
    year: int
    dimension: Dimension


class ActedOn(Protocol):
    """Counts the leads that an agency acted on in a year (UTC), by the day on which that was put on record."""

    def __call__(self, reader: Reader, agency: AgencyId, year: int, /) -> int: ...


class Publishing:
    """Puts on the record what people say of the service. Safe to share between threads.

    Raises:
        DeniedError: From every method, if whoever publishes may not. Names what is missing; on the record.
        InputError: From every method, if a text is empty or longer than 4,000 characters.
    """

    def __init__(
        self, records: Records, recorder: Recorder, gate: Gate, profile: Profile, *, clock: Clock, acted_on: ActedOn
    ) -> None:
        self._records = records
        self._recorder = recorder
        self._gate = gate
        self._profile = profile
        self._clock = clock
        self._acted_on = acted_on

    def deployment(self, statement: DeploymentStatement, *, by: Actor) -> Receipt:
        """Publish who operates the service. The last such statement is in force."""
        self._gate.require(by, Act.PUBLISH_DEPLOYMENT)
        prohibited = {declaration.value for declaration in Declaration} | set(statement.prohibited_uses)
        return self._publish(
            lambda _: facts.Deployment(
                operator=statement.operator,
                accountable_person=statement.accountable_person,
                contact=statement.contact,
                profile=self._profile.name.value,
                legal_basis=statement.legal_basis,
                purposes=tuple(sorted(statement.purposes)),
                prohibited_uses=tuple(sorted(map(acts.token, prohibited))),
            )
        )

    def oversight_body(self, name: str, *, by: Actor) -> Receipt:
        """Publish who oversees the service, as they are registered now, and what it takes to decide here.

        Raises:
            ConflictError: If nobody is registered as an overseer.
        """
        self._gate.require(by, Act.PUBLISH_OVERSIGHT)
        with self._records.reading() as reader:
            members = _overseers(reader)
        if not members:
            raise ConflictError("nobody is registered as an overseer")
        return self._publish(
            lambda entry: facts.OversightBody(
                name=name,
                members=tuple(sorted(entry.pseudonym(member) for member in members)),
                votes_needed=self._profile.approvals_needed,
                # An emergency begins without votes, and goes on after as many as anything else.
                emergency_votes_needed=self._profile.approvals_needed,
                comment_period_days=self._profile.comment_period.days,
            )
        )

    def oversight_member(self, name: str | None, office: str | None = None, *, by: Actor) -> Receipt:
        """Publish one's own name as an overseer, or (with `None`) that it is no longer to be shown.

        The ledger keeps what it was told: a name that was published stays readable in it.
        """
        member, _ = self._gate.require(by, Act.PUBLISH_OVERSIGHT)
        return self._publish(
            lambda entry: facts.OversightMember(
                person=entry.pseudonym(member),
                standing=facts.Standing.REMOVED if name is None else facts.Standing.ADDED,
                name=name,
                office=None if name is None else office,
            )
        )

    def report(self, report: PublishedReport, *, by: Actor) -> Receipt:
        """Publish that a report exists: an audit by an auditor, all others by a supervisor of the agency.

        Raises:
            NotFoundError: If there is no such agency or use.
            InputError: If it is a rights impact assessment, which is published whole, or expires before now.
        """
        if report.kind is facts.ReportKind.RIGHTS_IMPACT:
            raise InputError("a rights impact assessment is published with its six elements")
        self._require_expiry(report.expires)
        if report.kind is facts.ReportKind.AUDIT:
            self._gate.require(by, Act.PUBLISH_AUDIT)
        else:
            self._require_own(by, report.agency)
        self._require_known(report.agency, report.use)
        return self._publish(
            lambda _: facts.Report(
                report=acts.token(report.id),
                report_kind=report.kind,
                agency=acts.token(report.agency),
                use=None if report.use is None else acts.token(report.use),
                digest=report.sha256,
                expires=report.expires,
                cost_cents=report.cost_cents,
            )
        )

    def rights_impact(self, assessment: RightsImpactAssessment, *, by: Actor) -> Receipt:
        """Publish what a use means for people's rights, whole.

        Raises:
            NotFoundError: If there is no such agency or use.
            InputError: If one of the six elements is empty, or it expires before now.
        """
        self._require_own(by, assessment.agency)
        self._require_expiry(assessment.expires)
        self._require_known(assessment.agency, assessment.use)
        return self._publish(
            lambda _: facts.RightsImpact(
                report=acts.token(assessment.id),
                agency=acts.token(assessment.agency),
                use=None if assessment.use is None else acts.token(assessment.use),
                processes=assessment.processes,
                period_and_frequency=assessment.period_and_frequency,
                people_affected=assessment.people_affected,
                risks=assessment.risks,
                oversight=assessment.oversight,
                measures=assessment.measures,
                expires=assessment.expires,
            )
        )

    def sharing(self, shared: SharedData, *, by: Actor) -> Receipt:
        """Publish that data went outside an agency.

        Raises:
            NotFoundError: If there is no such agency or use.
        """
        self._require_own(by, shared.agency)
        self._require_known(shared.agency, shared.use)
        return self._publish(
            lambda _: facts.Sharing(
                agency=acts.token(shared.agency),
                recipient=shared.recipient,
                data=shared.data,
                standard=shared.standard,
                use=None if shared.use is None else acts.token(shared.use),
            )
        )

    def lead_figures(self, counted: LeadCounts, *, by: Actor) -> Receipt:
        """Publish how many leads were acted on, by age, race or sex; small counts as ranges, exact ones sealed.

        How many there were is on record already, lead by lead: people add only whom they concerned.

        Raises:
            NotFoundError: If there is no such agency.
            ConflictError: If they were published before: the difference of two tables gives small counts away.
            InputError: If the year isn't over, or the groups together aren't the leads that are on record as acted on.
        """
        person, _ = self._require_own(by, counted.agency)
        self._require_known(counted.agency, None)
        if counted.year >= self._clock().year:
            raise InputError(f"the year {counted.year} isn't over (UTC)")
        with self._recorder.changing() as change:
            told, known = sum(counted.counts.values()), self._acted_on(change.transaction, counted.agency, counted.year)
            if told != known:
                raise InputError(
                    f"the groups have {told} leads together; on record are {known} that the agency acted on in "
                    f"{counted.year}"
                )
            once = _Counted(counted.agency, counted.year, counted.dimension)
            change.transaction.insert_document(Document(FIGURES_KIND, counted.id, "published", write_document(once)))
            change.enter(_figures(counted, person))
        [receipt] = change.receipts
        return receipt

    def _publish(self, make: Maker) -> Receipt:
        with self._recorder.changing() as change:
            change.enter(make)
        [receipt] = change.receipts
        return receipt

    def _require_own(self, by: Actor, agency: AgencyId) -> tuple[PrincipalId, AgencyId]:
        """Refuse unless a supervisor of this very agency publishes."""
        principal, own = self._gate.require(by, Act.PUBLISH_REPORT)
        if own != agency:
            raise DeniedError(f"what the agency {agency!r} did is published by one of its own supervisors")
        return principal, agency

    def _require_expiry(self, expires: datetime | None) -> None:
        if expires is not None and expires <= self._clock():
            raise InputError(f"the report has expired on {expires:%Y-%m-%d} already")

    def _require_known(self, agency: AgencyId, use: UseId | None) -> None:
        with self._records.reading() as reader:
            installed = installation_of(reader)
            if installed is None or installed.agency != agency:
                stored(reader, Kind.AGENCY, agency, Agency)
            if use is not None and stored(reader, Kind.USE, use, UseRecord).value.use.terms.agency != agency:
                raise InputError(f"the use {use!r} is another agency's")


def _overseers(reader: Reader) -> list[PersonId]:
    return [
        each.value.person.id
        for each in every(reader, Kind.PERSON, PersonRecord)
        if Role.OVERSEER in each.value.person.roles and each.document.state == Standing.ACTIVE
    ]


def _figures(counted: LeadCounts, person: PrincipalId) -> Maker:
    """Counts as they may be seen by everybody, decided in the same way as the register's own (`suppression.py`)."""
    shown = published_parts(counted.counts)
    exact = tuple(sorted(counted.counts.items()))

    def make(entry: EntryDraft) -> facts.Facts:
        return facts.LeadFigures(
            agency=acts.token(counted.agency),
            year=counted.year,
            dimension=counted.dimension.value,
            total=_public(published(sum(counted.counts.values()))),
            groups=tuple(
                facts.GroupCount(group=group, count=_public(cell)) for group, cell in sorted((shown or {}).items())
            ),
            are_groups_withheld=shown is None,
            counted_by=entry.pseudonym(person),
            counts=entry.commit("counts", exact),
        )

    return make


def _public(cell: Cell) -> facts.PublishedCount:
    return facts.PublishedCount(least=cell.least, most=cell.most)
