"""Decisions of overseers: votes, how they are counted, and changes of the rules that need them.

An overseer belongs to no agency and has no vote where they are too close to one. k of n must agree; a vote is bound to
the exact text that it is about and can't be taken back. Thresholds, policies and models change only by such a vote: a
police database once raised its threshold because of measured bias and put it back within a month without saying so.
One overseer alone can suspend a use (`uses.py`), because stopping must be quicker than starting.

Never counts a vote twice, of a stranger, or on another text. Pure: time comes in with the vote.
Implements `docs/governance.md`, "Votes" and "Changes of the rules".
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NewType

from recognizance.errors import ConflictError, DeniedError, InputError
from recognizance.governance.parties import AgencyId, Person, PersonId, Role
from recognizance.identifiers import GalleryId

ChangeId = NewType("ChangeId", str)
"""A proposed change of a rule; public."""

Sha256Hex = NewType("Sha256Hex", str)
"""Lower-case hexadecimal SHA-256 of a document or of canonical JSON."""

_SHA256_HEX = re.compile(r"[0-9a-f]{64}")


def sha256_hex(text: str) -> Sha256Hex:
    """Check that `text` is a SHA-256 in lower-case hexadecimal.

    >>> sha256_hex("ab" * 32)[:4]
    'abab'

    Raises:
        InputError: If it isn't.
    """
    if _SHA256_HEX.fullmatch(text) is None:
        raise InputError(f"{text[:80]!r} isn't a SHA-256 in lower-case hexadecimal")
    return Sha256Hex(text)


class Choice(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"
    ABSTAIN = "abstain"


class Outcome(StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Vote:
    """One overseer's decision, final and public.

    Attributes:
        matter_sha256: Of the exact terms voted on; a vote on an earlier draft counts for nothing.
        reasons: Never empty: a bare yes is no oversight.
        conditions: What an approval depends on; published with the outcome.
    """

    overseer: PersonId
    choice: Choice
    matter_sha256: Sha256Hex
    reasons: str
    cast_at: datetime
    conditions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        sha256_hex(self.matter_sha256)
        if not self.reasons.strip():
            raise InputError("a vote needs reasons")
        if self.conditions and self.choice is not Choice.APPROVE:
            raise InputError(f"conditions go with an approval, not with {self.choice.value!r}")


@dataclass(frozen=True, slots=True)
class Quorum:
    """How many of which overseers must approve.

    `needed` of zero means that the rules are the owner's own (profile `private`): nothing has to be voted on.
    """

    needed: int
    overseers: frozenset[PersonId] = frozenset()

    def __post_init__(self) -> None:
        if not 0 <= self.needed <= len(self.overseers):
            raise InputError(f"a quorum of {self.needed} can't be met by {len(self.overseers)} overseers")


@dataclass(frozen=True, slots=True)
class Tally:
    """The count of a vote. Everyone eligible is in exactly one of the four groups."""

    approve: frozenset[PersonId]
    reject: frozenset[PersonId]
    abstain: frozenset[PersonId]
    pending: frozenset[PersonId]
    needed: int
    conditions: tuple[str, ...]

    @property
    def outcome(self) -> Outcome:
        """Approved at `needed` approvals; rejected as soon as they can't be reached any more."""
        if len(self.approve) >= self.needed:
            return Outcome.APPROVED
        return Outcome.OPEN if len(self.approve) + len(self.pending) >= self.needed else Outcome.REJECTED


def may_vote(person: Person, *, agency: AgencyId | None, proposer: PersonId) -> tuple[str, ...]:
    """Name what keeps `person` from voting on a proposal; empty if nothing does.

    Args:
        agency: Whose proposal it is; `None` for one that concerns everybody.
        proposer: Nobody votes on what they proposed themselves.
    """
    obstacles: list[str] = []
    if Role.OVERSEER not in person.roles:
        obstacles.append("only an overseer votes")
    if person.id == proposer:
        obstacles.append("nobody votes on their own proposal")
    if agency is not None and agency in person.interests:
        obstacles.append(f"the overseer has declared an interest in the agency {agency!r}")
    return tuple(obstacles)


def quorum_of(overseers: Iterable[Person], *, needed: int, agency: AgencyId | None, proposer: PersonId) -> Quorum:
    """Those of `overseers` who may vote on this proposal, as a quorum.

    Raises:
        InputError: If so many have an interest that `needed` can't be reached. The rule is never lowered for it.
    """
    eligible = frozenset(person.id for person in overseers if not may_vote(person, agency=agency, proposer=proposer))
    return Quorum(needed, eligible)


def tally(votes: Iterable[Vote], quorum: Quorum, matter_sha256: Sha256Hex) -> Tally:
    """Count the votes on one matter.

    Raises:
        ConflictError: If a vote is of nobody in the quorum, about another matter, or somebody's second.
    """
    choices: dict[PersonId, Choice] = {}
    conditions: list[str] = []
    for vote in votes:
        if vote.overseer not in quorum.overseers:
            raise ConflictError(f"{vote.overseer!r} has no vote on this matter")
        if vote.matter_sha256 != matter_sha256:
            raise ConflictError(f"the vote of {vote.overseer!r} is about another text than the one proposed")
        if vote.overseer in choices:
            raise ConflictError(f"{vote.overseer!r} has voted already; a vote is final")
        choices[vote.overseer] = vote.choice
        conditions.extend(vote.conditions)

    def group(choice: Choice) -> frozenset[PersonId]:
        return frozenset(person for person, chosen in choices.items() if chosen is choice)

    return Tally(
        approve=group(Choice.APPROVE),
        reject=group(Choice.REJECT),
        abstain=group(Choice.ABSTAIN),
        pending=quorum.overseers - choices.keys(),
        needed=quorum.needed,
        conditions=tuple(conditions),
    )


@dataclass(frozen=True, slots=True)
class Suspension:
    """One overseer's order to stop, effective on the next request."""

    overseer: PersonId
    reasons: str
    at: datetime

    def __post_init__(self) -> None:
        if not self.reasons.strip():
            raise InputError("a suspension needs reasons")


def order_suspension(person: Person, *, reasons: str, now: datetime) -> Suspension:
    """Stop a use. An interest in the agency is no obstacle here: stopping one's own side harms nobody.

    Raises:
        DeniedError: If `person` is no overseer.
    """
    if Role.OVERSEER not in person.roles:
        raise DeniedError("only an overseer suspends a use")
    return Suspension(person.id, reasons, now)


class ChangeKind(StrEnum):
    """Rules that change only by a vote."""

    THRESHOLD = "threshold"
    POLICY = "policy"
    MODEL = "model"
    QUORUM = "quorum"
    RETENTION = "retention"


class ChangeState(StrEnum):
    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    IN_EFFECT = "in_effect"


class ChangeEvent(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    TAKE_EFFECT = "take_effect"


CHANGE_TABLE = {
    (ChangeState.PROPOSED, ChangeEvent.APPROVE): ChangeState.APPROVED,
    (ChangeState.PROPOSED, ChangeEvent.REJECT): ChangeState.REJECTED,
    (ChangeState.PROPOSED, ChangeEvent.WITHDRAW): ChangeState.WITHDRAWN,
    (ChangeState.APPROVED, ChangeEvent.WITHDRAW): ChangeState.WITHDRAWN,
    (ChangeState.APPROVED, ChangeEvent.TAKE_EFFECT): ChangeState.IN_EFFECT,
}
"""The life of a change of the rules. What isn't here is refused."""


@dataclass(frozen=True, slots=True)
class Change:
    """A proposed change of a rule, from one exact text to another.

    Attributes:
        before_sha256: What is in force now. If that has moved on by the time of taking effect, the change is refused.
        gallery: `None` for a rule that holds for every gallery.
        agency: Whose rule it is, for conflicts of interest; `None` if it concerns everybody.
        quorum: Fixed when proposed, so that nobody can change an outcome by appointing or dismissing overseers.
    """

    id: ChangeId
    kind: ChangeKind
    summary: str
    before_sha256: Sha256Hex
    after_sha256: Sha256Hex
    proposer: PersonId
    proposed_at: datetime
    quorum: Quorum
    gallery: GalleryId | None = None
    agency: AgencyId | None = None
    votes: tuple[Vote, ...] = ()
    state: ChangeState = ChangeState.PROPOSED

    def __post_init__(self) -> None:
        sha256_hex(self.before_sha256)
        sha256_hex(self.after_sha256)
        if self.before_sha256 == self.after_sha256:
            raise InputError(f"change {self.id!r} changes nothing")
        if self.proposer in self.quorum.overseers:
            raise InputError(f"change {self.id!r}: nobody votes on their own proposal")
        if not self.summary.strip():
            raise InputError(f"change {self.id!r} needs a summary that the public can read")


def vote_on_change(change: Change, vote: Vote) -> Change:
    """Add a vote, which must count.

    Raises:
        ConflictError: If voting is over or the vote can't be counted.
    """
    if change.state is not ChangeState.PROPOSED:
        raise ConflictError(f"change {change.id!r} is {change.state.value!r}; voting is over")
    tally((*change.votes, vote), change.quorum, change.after_sha256)
    return replace(change, votes=(*change.votes, vote))


def advance_change(change: Change, event: ChangeEvent, *, in_force_sha256: Sha256Hex) -> Change:
    """Take one step of `CHANGE_TABLE`.

    Args:
        in_force_sha256: The rule as it is at this moment.

    Raises:
        ConflictError: If the step isn't in the table, the votes don't carry it, or another change came first.
    """
    following = CHANGE_TABLE.get((change.state, event))
    if following is None:
        raise ConflictError(f"change {change.id!r} is {change.state.value!r}; {event.value!r} is refused")
    outcome = tally(change.votes, change.quorum, change.after_sha256).outcome
    if event is ChangeEvent.APPROVE and outcome is not Outcome.APPROVED:
        raise ConflictError(f"change {change.id!r} has not the {change.quorum.needed} approvals that it needs")
    if event is ChangeEvent.REJECT and outcome is not Outcome.REJECTED:
        raise ConflictError(f"change {change.id!r} isn't rejected yet")
    if event is ChangeEvent.TAKE_EFFECT and change.before_sha256 != in_force_sha256:
        raise ConflictError(f"change {change.id!r} was made for a rule that is no longer in force; propose it again")
    return replace(change, state=following)
