"""Uses: proposed, commented on by the public, voted on by overseers, stopped. A use becomes active by itself."""

from dataclasses import dataclass
from datetime import datetime

from recognizance.api.forms import Name, Sha256, Text, form
from recognizance.api.routes import Call, Method, Nothing, Route, Who
from recognizance.api.services import PageQuery, Services
from recognizance.documents import Comment, UseRecord
from recognizance.governance import Act
from recognizance.governance.oversight import Choice, Suspension, Vote, sha256_hex
from recognizance.governance.parties import UseId
from recognizance.governance.purposes import Purpose
from recognizance.governance.terms import UseTerms
from recognizance.governance.uses import Emergency, Use, UseState
from recognizance.governing.uses import Question


@form
class ProposalForm:
    """A use to propose.

    Attributes:
        use: Its id; `AssumeRole` names it as role.
        terms: What overseers vote on; public.
    """

    use: Name
    terms: UseTerms


@dataclass(frozen=True, slots=True)
class UseSummary:
    """A use in a list."""

    use: str
    agency: str
    gallery: str | None
    purpose: Purpose
    state: UseState
    starts: datetime
    ends: datetime
    comments_until: datetime


@dataclass(frozen=True, slots=True)
class UsePage:
    """Uses by id, as they stand now."""

    uses: tuple[UseSummary, ...]
    next_page: str | None


@dataclass(frozen=True, slots=True)
class UseView:
    """A use as it stands now, with everything that was said about it. All of it is public.

    Attributes:
        ends: When searching under it is over at the latest.
        approvals_needed: Of the overseers who may vote on it, who were fixed when it was proposed.
        votes: On the terms; those on lifting a suspension and on revoking stand beside them.
        proposal_entry: The ledger's entry of the proposal.
    """

    use: str
    state: UseState
    terms: UseTerms
    terms_sha256: str
    proposer: str
    proposed_at: datetime
    comments_until: datetime
    ends: datetime
    approvals_needed: int
    overseers: tuple[str, ...]
    votes: tuple[Vote, ...]
    reinstatement_votes: tuple[Vote, ...]
    revocation_votes: tuple[Vote, ...]
    suspension: Suspension | None
    emergency: Emergency | None
    comments: tuple[Comment, ...]
    proposal_entry: str


@dataclass(frozen=True, slots=True)
class UseStands:
    """How a use stands after a step."""

    use: str
    state: UseState
    terms_sha256: str


@form
class VoteForm:
    """An overseer's vote: public, with its reasons, and final.

    Attributes:
        question: What is asked: the terms, lifting a suspension (reinstate), or revoking.
        conditions: What an approval depends on.
        terms_sha256: Of the terms that the overseer read; null takes those on record.
    """

    choice: Choice
    reasons: Text
    question: Question = Question.TERMS
    conditions: tuple[Text, ...] = ()
    terms_sha256: Sha256 | None = None


@form
class ReasonsForm:
    """Why; public."""

    reasons: Text


@form
class EmergencyForm:
    """Why it can't wait; public."""

    grounds: Text


@dataclass(frozen=True, slots=True)
class Swept:
    """How many steps that time has brought about were recorded."""

    steps: int


def list_uses(services: Services, call: Call[Nothing, PageQuery]) -> UsePage:
    page, token = services.page("list_uses", services.governing.uses.list(), lambda each: each.use.id, call.query)
    return UsePage(tuple(_summary(each.use) for each in page), token)


def propose_use(services: Services, call: Call[ProposalForm, Nothing]) -> UseStands:
    return stands_of(services.governing.uses.propose(UseId(call.body.use), call.body.terms, by=call.actor))


def show_use(services: Services, call: Call[Nothing, Nothing]) -> UseView:
    return _view(services.governing.uses.get(UseId(call.path["use"])))


def vote_on_use(services: Services, call: Call[VoteForm, Nothing]) -> UseStands:
    form = call.body
    after = services.governing.uses.vote(
        UseId(call.path["use"]),
        form.choice,
        form.reasons,
        matter_sha256=None if form.terms_sha256 is None else sha256_hex(form.terms_sha256),
        conditions=form.conditions,
        question=form.question,
        by=call.actor,
    )
    return stands_of(after)


def suspend_use(services: Services, call: Call[ReasonsForm, Nothing]) -> UseStands:
    return stands_of(services.governing.uses.suspend(UseId(call.path["use"]), call.body.reasons, by=call.actor))


def withdraw_use(services: Services, call: Call[Nothing, Nothing]) -> UseStands:
    return stands_of(services.governing.uses.withdraw(UseId(call.path["use"]), by=call.actor))


def declare_emergency(services: Services, call: Call[EmergencyForm, Nothing]) -> UseStands:
    use = UseId(call.path["use"])
    return stands_of(services.governing.uses.declare_emergency(use, call.body.grounds, by=call.actor))


def sweep_uses(services: Services, call: Call[Nothing, Nothing]) -> Swept:
    services.require(call.actor, Act.RUN_RETENTION)
    return Swept(services.governing.uses.sweep())


def stands_of(use: Use) -> UseStands:
    """How a use stands."""
    return UseStands(use.id, use.state, use.terms_sha256)


def _summary(use: Use) -> UseSummary:
    terms = use.terms
    return UseSummary(
        use.id, terms.agency, terms.gallery, terms.purpose, use.state, terms.starts, use.ends_at, use.comments_until
    )


def _view(record: UseRecord) -> UseView:
    use = record.use
    return UseView(
        use=use.id,
        state=use.state,
        terms=use.terms,
        terms_sha256=use.terms_sha256,
        proposer=use.proposer,
        proposed_at=use.proposed_at,
        comments_until=use.comments_until,
        ends=use.ends_at,
        approvals_needed=use.quorum.needed,
        overseers=tuple(sorted(use.quorum.overseers)),
        votes=use.votes,
        reinstatement_votes=use.reinstatement_votes,
        revocation_votes=use.revocation_votes,
        suspension=use.suspension,
        emergency=use.emergency,
        comments=tuple(each.published for each in record.comments),
        proposal_entry=record.proposal_entry,
    )


ROUTES = (
    Route(
        "list_uses",
        Method.GET,
        "/uses",
        "List the uses as they stand now.",
        list_uses,
        UsePage,
        Who.ANYBODY,
        query=PageQuery,
    ),
    Route(
        "propose_use",
        Method.POST,
        "/uses",
        "Propose a use of the caller's own agency.",
        propose_use,
        UseStands,
        act=Act.PROPOSE_USE,
        body=ProposalForm,
        status=201,
    ),
    Route(
        "show_use",
        Method.GET,
        "/uses/{use}",
        "Show a use: its terms, comments and votes.",
        show_use,
        UseView,
        Who.ANYBODY,
    ),
    Route(
        "vote_on_use",
        Method.POST,
        "/uses/{use}/votes",
        "Cast an overseer's vote, also to revoke or to reinstate.",
        vote_on_use,
        UseStands,
        act=Act.VOTE,
        body=VoteForm,
        status=201,
    ),
    Route(
        "suspend_use",
        Method.POST,
        "/uses/{use}/suspension",
        "Stop a use from the next request on.",
        suspend_use,
        UseStands,
        act=Act.SUSPEND_USE,
        body=ReasonsForm,
    ),
    Route(
        "withdraw_use",
        Method.POST,
        "/uses/{use}/withdrawal",
        "Give a use of one's own agency up.",
        withdraw_use,
        UseStands,
        act=Act.WITHDRAW_USE,
    ),
    Route(
        "declare_emergency",
        Method.POST,
        "/uses/{use}/emergency",
        "Begin a proposed use before anybody agreed; it lapses by itself after 48 hours.",
        declare_emergency,
        UseStands,
        act=Act.DECLARE_EMERGENCY,
        body=EmergencyForm,
    ),
    Route(
        "sweep_uses",
        Method.POST,
        "/sweeps",
        "Record what time has brought about; a server does so by itself.",
        sweep_uses,
        Swept,
        act=Act.RUN_RETENTION,
    ),
)
