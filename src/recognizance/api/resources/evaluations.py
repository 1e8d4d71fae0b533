"""Evaluations that uses rely on, and what testers found: published and answered in person, read by everybody."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from recognizance.api.forms import Moment, Sha256, Text, form
from recognizance.api.routes import Call, Method, Nothing, Repeat, Route, Who
from recognizance.api.services import PageQuery, Services
from recognizance.governance import Act
from recognizance.governance.findings import Finding
from recognizance.governance.gate import GroupRates, PublishedEvaluation
from recognizance.governance.oversight import sha256_hex

MAX_RESULT_CHARACTERS = 16 << 20
"""A result document of 50 groups, 20 thresholds and 20 sizes has about 10 MB."""
MAX_DECISION_CHARACTERS = 1 << 20
"""Some ten thousand lines; nobody has looked at more."""

_Document = Annotated[str, Field(max_length=MAX_RESULT_CHARACTERS, repr=False)]
_Decision = Annotated[str | None, Field(max_length=MAX_DECISION_CHARACTERS, repr=False)]


@form
class EvaluationForm:
    """An evaluation to publish.

    Attributes:
        result: The text of `result.json`, as `recognizance evaluate` wrote it: its SHA-256 is the commitment.
        expires: From when it no longer counts; a year after its completion without one, and never later.
        decision: The text of the file that set labels aside, for everybody to read; it names people. The result has
            its hash, whether or not the file is published.
    """

    result: _Document
    expires: Moment | None = None
    decision: _Decision = None


@dataclass(frozen=True, slots=True)
class EvaluationView:
    """A published evaluation.

    Attributes:
        report_sha256: The commitment, which a use's terms name.
        threshold: The score that was accepted at the least; a cosine.
        rates: At that threshold, of everybody and of each group: counts, and the ends of the interval at 95 %.
        entry: The ledger's entry.
    """

    evaluation: str
    report_sha256: str
    model: str
    threshold: float
    gallery_faces: int | None
    rates: tuple[GroupRates, ...]
    tester: str
    is_independent: bool
    completed: datetime
    published: datetime
    expires: datetime
    expired: bool
    entry: str


@dataclass(frozen=True, slots=True)
class EvaluationPage:
    """Published evaluations, by name."""

    evaluations: tuple[EvaluationView, ...]
    next_page: str | None


@form
class FindingForm:
    """What a test found; public.

    Attributes:
        result_sha256: The commitment to the result that shows it.
    """

    statement: Text
    result_sha256: Sha256 | None = None


@form
class MitigationForm:
    """What was done about a finding; public, and said once."""

    statement: Text


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding, and what was done about it.

    Attributes:
        due: By when somebody has to say what was done; 90 days after it was submitted.
        overdue: Whether nobody did in time.
    """

    finding: str
    statement: str
    result_sha256: str | None
    submitted: datetime
    due: datetime
    mitigation: str | None
    mitigated: datetime | None
    overdue: bool


@dataclass(frozen=True, slots=True)
class FindingPage:
    """Findings by id. `overdue` names those that nobody answered in time, whatever page they are on."""

    findings: tuple[FindingView, ...]
    overdue: tuple[str, ...]
    next_page: str | None


def publish_evaluation(services: Services, call: Call[EvaluationForm, Nothing]) -> EvaluationView:
    # What measures is loaded when something is published: it takes long, and no other route needs it.
    from recognizance.evaluation.publication import publish

    form = call.body
    published, _ = publish(
        services.governing.evaluations,
        form.result.encode(),
        decision=None if form.decision is None else form.decision.encode(),
        expires=form.expires,
        by=call.actor,
    )
    return _evaluation(published, services.clock())


def list_evaluations(services: Services, call: Call[Nothing, PageQuery]) -> EvaluationPage:
    now = services.clock()
    page, token = services.page(
        "list_evaluations", services.governing.evaluations.list(), lambda each: each.id, call.query
    )
    return EvaluationPage(tuple(_evaluation(each, now) for each in page), token)


def submit_finding(services: Services, call: Call[FindingForm, Nothing]) -> FindingView:
    shown_by = call.body.result_sha256
    finding, _ = services.governing.findings.submit(
        call.body.statement, result_sha256=None if shown_by is None else sha256_hex(shown_by), by=call.actor
    )
    return _finding(finding, services.clock())


def list_findings(services: Services, call: Call[Nothing, PageQuery]) -> FindingPage:
    now, known = services.clock(), services.governing.findings.list()
    page, token = services.page("list_findings", known, lambda each: each.id, call.query)
    overdue = tuple(each.id for each in known if each.is_overdue_at(now))
    return FindingPage(tuple(_finding(each, now) for each in page), overdue, token)


def mitigate_finding(services: Services, call: Call[MitigationForm, Nothing]) -> FindingView:
    answered, _ = services.governing.findings.mitigate(call.path["finding"], call.body.statement, by=call.actor)
    return _finding(answered, services.clock())


def _evaluation(published: PublishedEvaluation, now: datetime) -> EvaluationView:
    return EvaluationView(
        evaluation=published.id,
        report_sha256=published.report_sha256,
        model=published.model,
        threshold=published.threshold,
        gallery_faces=published.gallery_faces,
        rates=published.rates,
        tester=published.tester,
        is_independent=published.is_independent,
        completed=published.completed,
        published=published.published,
        expires=published.expires,
        expired=now >= published.expires,
        entry=published.entry,
    )


def _finding(finding: Finding, now: datetime) -> FindingView:
    return FindingView(
        finding=finding.id,
        statement=finding.statement,
        result_sha256=finding.result_sha256,
        submitted=finding.submitted,
        due=finding.due,
        mitigation=finding.mitigation,
        mitigated=finding.mitigated,
        overdue=finding.is_overdue_at(now),
    )


ROUTES = (
    Route(
        "publish_evaluation",
        Method.POST,
        "/evaluations",
        "Publish an evaluation, for uses to rely on.",
        publish_evaluation,
        EvaluationView,
        act=Act.PUBLISH_EVALUATION,
        body=EvaluationForm,
        status=201,
        max_body_bytes=2 * MAX_RESULT_CHARACTERS,
    ),
    Route(
        "list_evaluations",
        Method.GET,
        "/evaluations",
        "List the evaluations that uses can rely on.",
        list_evaluations,
        EvaluationPage,
        Who.ANYBODY,
        query=PageQuery,
    ),
    Route(
        "submit_finding",
        Method.POST,
        "/findings",
        "Submit what a test found; public at once.",
        submit_finding,
        FindingView,
        act=Act.SUBMIT_FINDING,
        body=FindingForm,
        status=201,
        repeat=Repeat.KEYED,
        kept=True,
    ),
    Route(
        "list_findings",
        Method.GET,
        "/findings",
        "List what tests found, and what was done about it.",
        list_findings,
        FindingPage,
        Who.ANYBODY,
        query=PageQuery,
    ),
    Route(
        "mitigate_finding",
        Method.POST,
        "/findings/{finding}/mitigation",
        "Say what was done about a finding.",
        mitigate_finding,
        FindingView,
        act=Act.PUBLISH_REPORT,
        body=MitigationForm,
    ),
)
