"""A use: which agency may search which gallery, what for, within which limits, until when, and who agreed.

Nothing is searched without one. A use is proposed with its accountability report, open to comment, voted on by
overseers, and active for a time. The whole life is `USE_TABLE`; what it lacks is refused, and each step's conditions
are `obstacles`, which name what is missing. An emergency skips the waiting but never becomes an ordinary use: it ends
by itself 48 hours after it was declared, and unless overseers authorise it by then, every result linked to it must be
deleted (the gallery never is).

Never reads a clock: every question is asked of a moment, so that a use that nobody got round to marking as expired is
expired all the same (`state_at`). Implements `docs/governance.md`, "The life of a use".
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from recognizance.errors import ConflictError, InputError
from recognizance.governance.gate import Evidence, Fitness, in_words
from recognizance.governance.oversight import Outcome, Quorum, Sha256Hex, Suspension, Tally, Vote, sha256_hex, tally
from recognizance.governance.parties import PersonId, UseId
from recognizance.governance.terms import UseTerms

EMERGENCY_LASTS = timedelta(hours=48)
"""Requirements, AI Act Article 26(10): an authorisation that comes later than this comes too late."""


class UseState(StrEnum):
    PROPOSED = "proposed"
    COMMENTED = "commented"
    """The public had its say; overseers may vote."""
    APPROVED = "approved"
    REJECTED = "rejected"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"
    EMERGENCY = "emergency"
    """In use before anybody agreed; lapses by itself."""
    EMERGENCY_AUTHORISED = "emergency_authorised"
    """Agreed to in time: results stay, and it still ends at the same hour."""
    EMERGENCY_SUSPENDED = "emergency_suspended"
    """Stopped by an overseer; whether its results stay is still to be decided."""
    LAPSED = "lapsed"
    """Nobody agreed in time, or overseers refused: linked results must be deleted."""


class UseEvent(StrEnum):
    CLOSE_COMMENTS = "close_comments"
    APPROVE = "approve"
    REJECT = "reject"
    ACTIVATE = "activate"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    EXPIRE = "expire"
    REVOKE = "revoke"
    WITHDRAW = "withdraw"
    DECLARE_EMERGENCY = "declare_emergency"
    LAPSE = "lapse"


_S, _E = UseState, UseEvent
USE_TABLE: Mapping[tuple[UseState, UseEvent], UseState] = {
    (_S.PROPOSED, _E.CLOSE_COMMENTS): _S.COMMENTED,
    (_S.PROPOSED, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.PROPOSED, _E.DECLARE_EMERGENCY): _S.EMERGENCY,
    (_S.COMMENTED, _E.APPROVE): _S.APPROVED,
    (_S.COMMENTED, _E.REJECT): _S.REJECTED,
    (_S.COMMENTED, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.APPROVED, _E.ACTIVATE): _S.ACTIVE,
    (_S.APPROVED, _E.SUSPEND): _S.SUSPENDED,
    (_S.APPROVED, _E.EXPIRE): _S.EXPIRED,
    (_S.APPROVED, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.ACTIVE, _E.SUSPEND): _S.SUSPENDED,
    (_S.ACTIVE, _E.EXPIRE): _S.EXPIRED,
    (_S.ACTIVE, _E.REVOKE): _S.REVOKED,
    (_S.ACTIVE, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.SUSPENDED, _E.REINSTATE): _S.ACTIVE,
    (_S.SUSPENDED, _E.EXPIRE): _S.EXPIRED,
    (_S.SUSPENDED, _E.REVOKE): _S.REVOKED,
    (_S.SUSPENDED, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.EMERGENCY, _E.APPROVE): _S.EMERGENCY_AUTHORISED,
    (_S.EMERGENCY, _E.REJECT): _S.LAPSED,
    (_S.EMERGENCY, _E.LAPSE): _S.LAPSED,
    (_S.EMERGENCY, _E.SUSPEND): _S.EMERGENCY_SUSPENDED,
    (_S.EMERGENCY_SUSPENDED, _E.APPROVE): _S.EXPIRED,
    (_S.EMERGENCY_SUSPENDED, _E.REJECT): _S.LAPSED,
    (_S.EMERGENCY_SUSPENDED, _E.LAPSE): _S.LAPSED,
    # An emergency has no way back from a suspension, and none to `active`: what is wanted for longer is proposed anew.
    (_S.EMERGENCY_AUTHORISED, _E.SUSPEND): _S.EXPIRED,
    (_S.EMERGENCY_AUTHORISED, _E.EXPIRE): _S.EXPIRED,
}
"""The life of a use. What isn't here is refused."""

SEARCHABLE = frozenset({UseState.ACTIVE, UseState.EMERGENCY, UseState.EMERGENCY_AUTHORISED})
"""The only states under which a face may be searched for."""

FINAL = frozenset(set(UseState) - {state for state, _ in USE_TABLE})
"""States that nothing leaves."""

VOTING = frozenset({UseState.COMMENTED, UseState.EMERGENCY, UseState.EMERGENCY_SUSPENDED})
"""States in which overseers vote on the terms."""


NOTHING_SHOWN = Evidence(Fitness.UNPUBLISHED)
"""What is known of a use's evaluation where nobody has looked it up: nothing, so that it opens nothing."""


class Obstacle(StrEnum):
    """Why a step can't be taken now. The value is the sentence that people read."""

    COMMENTS_OPEN = "the public comment period of a new purpose is not over"
    TOO_FEW_APPROVALS = "fewer overseers have approved than the quorum needs"
    NOT_REJECTED = "the approvals that are needed can still be reached"
    NOT_STARTED = "the use's start is still to come"
    OVER = "the use's end has passed"
    NOT_OVER = "the use's end has not come"
    REPORT_UNPUBLISHED = "the accountability report is not published"
    REPORT_EXPIRED = "the accountability report has expired"
    EVALUATION_UNFIT = "the evaluation that the use relies on doesn't allow it"
    NO_SUSPENSION = "no overseer has ordered a suspension"
    STILL_SUSPENDED = "fewer overseers have voted to lift the suspension than the quorum needs"
    TOO_FEW_REVOCATIONS = "fewer overseers have voted to revoke than the quorum needs"
    NO_EMERGENCY = "no emergency has been declared with its grounds"
    BEFORE_OVERSEERS = "overseers may revoke it, which takes its results too: until that is decided it isn't given up"
    EMERGENCY_NOT_OVER = "48 hours have not passed since the emergency was declared"
    EMERGENCY_OVER = "48 hours have passed since the emergency was declared; an authorisation comes too late"


@dataclass(frozen=True, slots=True)
class Emergency:
    """Why a use could not wait, who said so, and when."""

    declared_by: PersonId
    grounds: str
    declared_at: datetime

    def __post_init__(self) -> None:
        if not self.grounds.strip():
            raise InputError("an emergency needs grounds")

    @property
    def lapses_at(self) -> datetime:
        return self.declared_at + EMERGENCY_LASTS


@dataclass(frozen=True, slots=True)
class Use:
    """A use at one point of its life. The steps below make the next one; this value never changes.

    Attributes:
        terms_sha256: Of the canonical JSON of `terms`, as the ledger has it. Votes are bound to it.
        comments_until: End of the public comment period; equal to `proposed_at` where the purpose isn't new.
        quorum: Fixed when proposed, so that nobody can change an outcome by appointing or dismissing overseers.
        votes: On the terms. Votes on lifting a suspension and on revoking are counted separately.
    """

    id: UseId
    terms: UseTerms
    terms_sha256: Sha256Hex
    proposer: PersonId
    proposed_at: datetime
    comments_until: datetime
    quorum: Quorum
    state: UseState = UseState.PROPOSED
    votes: tuple[Vote, ...] = ()
    reinstatement_votes: tuple[Vote, ...] = ()
    revocation_votes: tuple[Vote, ...] = ()
    suspension: Suspension | None = None
    emergency: Emergency | None = None

    def __post_init__(self) -> None:
        sha256_hex(self.terms_sha256)
        if self.comments_until < self.proposed_at:
            raise InputError(f"use {self.id!r}: the comment period ends before the proposal")
        if self.proposer in self.quorum.overseers:
            raise InputError(f"use {self.id!r}: nobody votes on their own proposal")

    @property
    def ends_at(self) -> datetime:
        """When searching under it is over at the latest: an emergency ends by itself, whatever its terms say."""
        return self.terms.expires if self.emergency is None else min(self.terms.expires, self.emergency.lapses_at)

    @property
    def count(self) -> Tally:
        return tally(self.votes, self.quorum, self.terms_sha256)

    def state_at(self, now: datetime) -> UseState:
        """The state that holds at `now`, even if nobody has recorded yet that it ended."""
        event = due_event(self, now)
        return self.state if event is None else USE_TABLE[self.state, event]

    def is_searchable_at(self, now: datetime) -> bool:
        return self.state_at(now) in SEARCHABLE and self.terms.starts <= now


def due_event(use: Use, now: datetime) -> UseEvent | None:
    """The step that time alone has made due, for the job that records it; `None` if there is none."""
    if (use.state, UseEvent.LAPSE) in USE_TABLE and not _emergency_running(use, now):
        return UseEvent.LAPSE
    if (use.state, UseEvent.EXPIRE) in USE_TABLE and now >= use.ends_at:
        return UseEvent.EXPIRE
    return None


_BY_ITSELF = (
    UseEvent.CLOSE_COMMENTS,
    UseEvent.APPROVE,
    UseEvent.REJECT,
    UseEvent.ACTIVATE,
    UseEvent.REVOKE,
    UseEvent.REINSTATE,
)
"""Steps that need nobody once their conditions hold: a count that carried, or a time that came."""


def next_step(use: Use, now: datetime, evidence: Evidence = NOTHING_SHOWN) -> UseEvent | None:
    """The step that is to be taken at `now` without anybody's doing, because of time or votes; `None` if there is none.

    Taking steps until there is none ends, because none of them leads back.
    """
    overdue = due_event(use, now)
    if overdue is not None:
        return overdue
    for event in _BY_ITSELF:
        if (use.state, event) in USE_TABLE and not obstacles(use, event, now, evidence):
            return event
    return None


def settled(use: Use, now: datetime, evidence: Evidence = NOTHING_SHOWN) -> tuple[tuple[UseEvent, Use], ...]:
    """All steps that are to be taken by themselves at `now`, each with the use that it makes."""
    steps: list[tuple[UseEvent, Use]] = []
    while (event := next_step(use, now, evidence)) is not None:
        use = advance(use, event, now, evidence)
        steps.append((event, use))
    return tuple(steps)


def next_moment(use: Use, now: datetime) -> datetime | None:
    """When time alone may next bring about a step; `None` if votes or people have to come first."""
    moments: list[datetime] = []
    if use.state is UseState.PROPOSED:
        moments.append(use.comments_until)
    if use.state is UseState.APPROVED:
        moments.append(use.terms.starts)
        if use.terms.report.published is not None:
            moments.append(use.terms.report.published)
    if (use.state, UseEvent.EXPIRE) in USE_TABLE or (use.state, UseEvent.LAPSE) in USE_TABLE:
        moments.append(use.ends_at)
    return min((moment for moment in moments if moment > now), default=None)


def _emergency_running(use: Use, now: datetime) -> bool:
    return use.emergency is not None and now < use.emergency.lapses_at


def obstacles(use: Use, event: UseEvent, now: datetime, evidence: Evidence = NOTHING_SHOWN) -> tuple[Obstacle, ...]:
    """Everything that keeps `event` from happening at `now`, in a fixed order; empty if nothing does.

    Only about conditions; whether the step exists at all is for `USE_TABLE`.

    Args:
        evidence: What the use's evaluation comes to at `now` (`gate.assess`).
    """
    terms = use.terms
    checks: dict[UseEvent, tuple[tuple[bool, Obstacle], ...]] = {
        UseEvent.CLOSE_COMMENTS: ((now >= use.comments_until, Obstacle.COMMENTS_OPEN),),
        UseEvent.APPROVE: (
            (use.count.outcome is Outcome.APPROVED, Obstacle.TOO_FEW_APPROVALS),
            (use.emergency is None or _emergency_running(use, now), Obstacle.EMERGENCY_OVER),
        ),
        UseEvent.REJECT: ((use.count.outcome is Outcome.REJECTED, Obstacle.NOT_REJECTED),),
        UseEvent.ACTIVATE: _activation_checks(use, now, evidence),
        UseEvent.SUSPEND: ((use.suspension is not None, Obstacle.NO_SUSPENSION),),
        UseEvent.REINSTATE: (
            (_carried(use.reinstatement_votes, use), Obstacle.STILL_SUSPENDED),
            *_activation_checks(use, now, evidence),
        ),
        UseEvent.EXPIRE: ((now >= use.ends_at, Obstacle.NOT_OVER),),
        UseEvent.REVOKE: ((_carried(use.revocation_votes, use), Obstacle.TOO_FEW_REVOCATIONS),),
        UseEvent.WITHDRAW: ((not _may_be_revoked(use), Obstacle.BEFORE_OVERSEERS),),
        UseEvent.DECLARE_EMERGENCY: (
            (use.emergency is not None, Obstacle.NO_EMERGENCY),
            (terms.report.is_published_at(now), Obstacle.REPORT_UNPUBLISHED),
        ),
        UseEvent.LAPSE: ((not _emergency_running(use, now), Obstacle.EMERGENCY_NOT_OVER),),
    }
    return tuple(obstacle for holds, obstacle in checks[event] if not holds)


def _activation_checks(use: Use, now: datetime, evidence: Evidence) -> tuple[tuple[bool, Obstacle], ...]:
    """Washington RCW 43.386.020: no use without a published, unexpired report.

    The votes are counted again, so that no stored state alone can make a use active.
    """
    terms = use.terms
    return (
        (use.count.outcome is Outcome.APPROVED, Obstacle.TOO_FEW_APPROVALS),
        (now >= use.comments_until, Obstacle.COMMENTS_OPEN),
        (now >= terms.starts, Obstacle.NOT_STARTED),
        (now < terms.expires, Obstacle.OVER),
        (terms.report.is_published_at(now), Obstacle.REPORT_UNPUBLISHED),
        (now < terms.report.expires, Obstacle.REPORT_EXPIRED),
        (terms.evaluation is None or evidence.fitness is Fitness.PASSED, Obstacle.EVALUATION_UNFIT),
    )


def _may_be_revoked(use: Use) -> bool:
    """Whether overseers have stopped it or begun to vote on revoking it, and can still do so.

    An agency that saw it coming would otherwise give the use up first, and keep what its searches led to.
    """
    if use.state is not UseState.SUSPENDED and not use.revocation_votes:
        return False
    return tally(use.revocation_votes, use.quorum, use.terms_sha256).outcome is Outcome.OPEN


def _carried(votes: tuple[Vote, ...], use: Use) -> bool:
    """Whether `votes` on a later question about this use reach the same quorum as the terms did."""
    return tally(votes, use.quorum, use.terms_sha256).outcome is Outcome.APPROVED


def advance(use: Use, event: UseEvent, now: datetime, evidence: Evidence = NOTHING_SHOWN) -> Use:
    """Take one step of `USE_TABLE`.

    Raises:
        ConflictError: If the step isn't in the table or something stands in its way; names all of it.
    """
    overtaking = due_event(use, now)
    if overtaking not in {None, event}:
        raise ConflictError(f"use {use.id!r} is {use.state_at(now).value!r} since its time ran out; record that first")
    following = USE_TABLE.get((use.state, event))
    if following is None:
        raise ConflictError(f"use {use.id!r} is {use.state.value!r}; {event.value!r} is refused")
    missing = obstacles(use, event, now, evidence)
    if missing:
        shown = f": {in_words(evidence)}" if Obstacle.EVALUATION_UNFIT in missing and evidence.shortfalls else ""
        raise ConflictError(f"use {use.id!r}: {event.value!r} is refused: {'; '.join(missing)}{shown}")
    return replace(use, state=following)


def vote(use: Use, ballot: Vote) -> Use:
    """Add a vote on the terms, which must count.

    Raises:
        ConflictError: If the use isn't before the overseers, the emergency is over, or the vote can't be counted.
    """
    state = use.state_at(ballot.cast_at)
    if state not in VOTING:
        comments = f"; comments are open until {use.comments_until:%Y-%m-%d %H:%M} UTC"
        raise ConflictError(
            f"use {use.id!r} is {state.value!r}; it isn't voted on now{comments if state is UseState.PROPOSED else ''}"
        )
    tally((*use.votes, ballot), use.quorum, use.terms_sha256)
    return replace(use, votes=(*use.votes, ballot))


def vote_on_suspended(use: Use, ballot: Vote, *, revoke: bool) -> Use:
    """Add a vote on revoking (`revoke`), or on lifting a suspension.

    Raises:
        ConflictError: If the use is in no state where that is asked, or the vote can't be counted.
    """
    event = UseEvent.REVOKE if revoke else UseEvent.REINSTATE
    if (use.state_at(ballot.cast_at), event) not in USE_TABLE:
        raise ConflictError(f"use {use.id!r} is {use.state_at(ballot.cast_at).value!r}; {event.value!r} isn't asked")
    votes = (*(use.revocation_votes if revoke else use.reinstatement_votes), ballot)
    tally(votes, use.quorum, use.terms_sha256)
    return replace(use, revocation_votes=votes) if revoke else replace(use, reinstatement_votes=votes)


def suspend(use: Use, order: Suspension) -> Use:
    """Stop at once, on one overseer's order. Earlier votes on lifting a suspension are void."""
    return advance(replace(use, suspension=order, reinstatement_votes=()), UseEvent.SUSPEND, order.at)


def declare_emergency(use: Use, emergency: Emergency) -> Use:
    """Search before anybody agreed, for 48 hours at the most."""
    return advance(replace(use, emergency=emergency), UseEvent.DECLARE_EMERGENCY, emergency.declared_at)


def results_must_go(use: Use, now: datetime) -> bool:
    """Whether every result linked to this use must be deleted: an emergency that nobody authorised in time."""
    return use.state_at(now) is UseState.LAPSED
