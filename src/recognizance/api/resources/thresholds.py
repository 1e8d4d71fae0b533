"""The rule for thresholds: what is in force, and changes of it, proposed, voted on, beside what they would replace."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from recognizance.api.forms import Sha256, Text, form
from recognizance.api.routes import Call, File, Media, Method, Nothing, Repeat, Route, Who
from recognizance.api.services import PageQuery, Services
from recognizance.errors import ConflictError, NotFoundError
from recognizance.governance import Act
from recognizance.governance.oversight import ChangeKind, ChangeState, Choice, Vote, sha256_hex
from recognizance.governing.running import ThresholdRule
from recognizance.governing.stated_rules import MAX_TABLE_CHARACTERS, RuleDifference, asked_rule, rule_difference
from recognizance.governing.thresholds import ProposedRule

MEDIA_TYPE_JSON = "application/json"

TableText = Annotated[str, Field(max_length=MAX_TABLE_CHARACTERS)]
Bound = Annotated[float, Field(gt=0, le=1)]


@form
class ChangeForm:
    """Another rule to propose. Who may vote on it is fixed when it is proposed.

    Attributes:
        summary: Why; public.
        table: The text of a file that `evaluate calibrate` wrote; null keeps the table in force.
        max_fpir: The bound on the false positive identification rate; null keeps the one in force.
    """

    summary: Text
    table: TableText | None = None
    max_fpir: Bound | None = None


@form
class ChangeVoteForm:
    """An overseer's vote on a change of the rule: public, with its reasons, and final.

    Attributes:
        rule_sha256: Of the rule that the overseer read; null takes the one on record.
    """

    choice: Choice
    reasons: Text
    rule_sha256: Sha256 | None = None


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule: model, table and bound.

    Attributes:
        sha256: Of the rule, as the ledger has it.
        table_sha256: Of what its table says; the table itself is at `/thresholds/rules/{sha256}`.
    """

    sha256: str
    model: str
    table_sha256: str
    max_fpir: float


@dataclass(frozen=True, slots=True)
class RuleInForceView:
    """The rule that searches follow.

    Attributes:
        reference_score: What a similarity of 80 is under it.
        change: Whose votes brought it about; null for the first one, and in a private installation.
    """

    rule: RuleView
    since: datetime
    reference_score: float
    change: str | None


@dataclass(frozen=True, slots=True)
class ChangeStands:
    """How a change stands after a step."""

    change: str
    state: ChangeState
    rule_sha256: str


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A change of the rule and everything that was said about it. All of it is public.

    Attributes:
        approvals_needed: Of the overseers who may vote on it, who were fixed when it was proposed.
        before_sha256: The rule that it was proposed for; when another one takes effect first, the change is void.
        difference: Both rules at the same similarities; null where only a hash is left of one of them.
        proposal_entry: The ledger's entry of the proposal.
    """

    change: str
    kind: ChangeKind
    state: ChangeState
    summary: str
    proposer: str
    proposed_at: datetime
    approvals_needed: int
    overseers: tuple[str, ...]
    votes: tuple[Vote, ...]
    before_sha256: str
    rule: RuleView
    difference: RuleDifference | None
    proposal_entry: str


@dataclass(frozen=True, slots=True)
class ChangeSummary:
    """A change of the rule in a list."""

    change: str
    kind: ChangeKind
    state: ChangeState
    summary: str
    proposed_at: datetime


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Changes of the rule by id."""

    changes: tuple[ChangeSummary, ...]
    next_page: str | None


def show_threshold_rule(services: Services, _: Call[Nothing, Nothing]) -> RuleInForceView:
    known = services.governing.thresholds.in_force()
    if known is None:
        raise NotFoundError("no rule is in force before the service has started once")
    return RuleInForceView(_rule(known.rule), known.since, known.reference_score, known.change)


def show_rule_table(services: Services, call: Call[Nothing, Nothing]) -> File:
    known = services.governing.thresholds.stated(sha256_hex(call.path["rule"]))
    if known is None:
        raise NotFoundError("no such rule is kept here")
    return File(MEDIA_TYPE_JSON, known.table.encode(), name=f"table-{known.rule.table_sha256[:16]}.json")


def list_changes(services: Services, call: Call[Nothing, PageQuery]) -> ChangePage:
    known = services.governing.thresholds.list()
    page, token = services.page("list_changes", known, lambda each: each.change.id, call.query)
    return ChangePage(tuple(_summary(each) for each in page), token)


def propose_change(services: Services, call: Call[ChangeForm, Nothing]) -> ChangeStands:
    services.require(call.actor, Act.PROPOSE_CHANGE)
    thresholds = services.governing.thresholds
    known = thresholds.in_force()
    present = None if known is None else thresholds.stated(known.rule.sha256)
    if present is None:
        raise ConflictError("no rule is in force before the service has started once")
    asked = asked_rule(present, table=call.body.table, max_fpir=call.body.max_fpir)
    return _stands(thresholds.propose(asked, call.body.summary, by=call.actor))


def show_change(services: Services, call: Call[Nothing, Nothing]) -> ChangeView:
    thresholds = services.governing.thresholds
    known = thresholds.get(call.path["change"])
    before = thresholds.stated(known.change.before_sha256)
    after = thresholds.stated(known.change.after_sha256)
    return _view(known, None if before is None or after is None else rule_difference(before, after))


def vote_on_change(services: Services, call: Call[ChangeVoteForm, Nothing]) -> ChangeStands:
    ballot = call.body
    read = None if ballot.rule_sha256 is None else sha256_hex(ballot.rule_sha256)
    after = services.governing.thresholds.vote(
        call.path["change"], ballot.choice, ballot.reasons, after_sha256=read, by=call.actor
    )
    return _stands(after)


def _rule(rule: ThresholdRule) -> RuleView:
    return RuleView(rule.sha256, rule.model, rule.table_sha256, rule.max_fpir)


def _stands(known: ProposedRule) -> ChangeStands:
    return ChangeStands(known.change.id, known.change.state, known.rule.sha256)


def _summary(known: ProposedRule) -> ChangeSummary:
    change = known.change
    return ChangeSummary(change.id, change.kind, change.state, change.summary, change.proposed_at)


def _view(known: ProposedRule, difference: RuleDifference | None) -> ChangeView:
    change = known.change
    return ChangeView(
        change=change.id,
        kind=change.kind,
        state=change.state,
        summary=change.summary,
        proposer=change.proposer,
        proposed_at=change.proposed_at,
        approvals_needed=change.quorum.needed,
        overseers=tuple(sorted(change.quorum.overseers)),
        votes=change.votes,
        before_sha256=change.before_sha256,
        rule=_rule(known.rule),
        difference=difference,
        proposal_entry=known.entry,
    )


ROUTES = (
    Route(
        "show_threshold_rule",
        Method.GET,
        "/thresholds",
        "Show the rule by which a search accepts a candidate.",
        show_threshold_rule,
        RuleInForceView,
        Who.ANYBODY,
    ),
    Route(
        "show_rule_table",
        Method.GET,
        "/thresholds/rules/{rule}",
        "Download the table of a rule that is or was in force, or was proposed.",
        show_rule_table,
        Media((MEDIA_TYPE_JSON,)),
        Who.ANYBODY,
    ),
    Route(
        "list_changes",
        Method.GET,
        "/thresholds/changes",
        "List the changes of the rule that were proposed.",
        list_changes,
        ChangePage,
        Who.ANYBODY,
        query=PageQuery,
    ),
    Route(
        "propose_change",
        Method.POST,
        "/thresholds/changes",
        "Propose another rule.",
        propose_change,
        ChangeStands,
        act=Act.PROPOSE_CHANGE,
        body=ChangeForm,
        status=201,
        repeat=Repeat.KEYED,
        kept=True,
    ),
    Route(
        "show_change",
        Method.GET,
        "/thresholds/changes/{change}",
        "Show a change of the rule: what it changes, and its votes.",
        show_change,
        ChangeView,
        Who.ANYBODY,
    ),
    Route(
        "vote_on_change",
        Method.POST,
        "/thresholds/changes/{change}/votes",
        "Cast an overseer's vote on a change of the rule.",
        vote_on_change,
        ChangeStands,
        act=Act.VOTE,
        body=ChangeVoteForm,
        status=201,
    ),
)
