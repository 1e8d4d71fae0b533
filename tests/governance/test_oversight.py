"""Votes: who has one, how they count, and rules that change by them alone."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizance.errors import ConflictError, DeniedError, InputError
from recognizance.governance.oversight import (
    CHANGE_TABLE,
    Change,
    ChangeEvent,
    ChangeId,
    ChangeKind,
    ChangeState,
    Choice,
    Outcome,
    Quorum,
    Sha256Hex,
    Vote,
    advance_change,
    may_vote,
    order_suspension,
    quorum_of,
    sha256_hex,
    tally,
    vote_on_change,
)
from recognizance.governance.parties import AgencyId, Person, PersonId, Role
from recognizance.identifiers import PrincipalId

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
MATTER, OTHER = Sha256Hex("aa" * 32), Sha256Hex("bb" * 32)
AGENCY = AgencyId("harbour-police")
PROPOSER = PersonId(PrincipalId("supervisor-1"))
EXPECTED = {
    "proposed": "approve:approved reject:rejected withdraw:withdrawn",
    "approved": "withdraw:withdrawn take_effect:in_effect",
    "rejected": "",
    "withdrawn": "",
    "in_effect": "",
}


def identifier(number: int) -> PersonId:
    return PersonId(PrincipalId(f"o{number}"))


def overseer(number: int, *, interests: frozenset[AgencyId] = frozenset()) -> Person:
    return Person(identifier(number), None, frozenset({Role.OVERSEER}), interests=interests)


def ballot(number: int, choice: Choice = Choice.APPROVE, matter: Sha256Hex = MATTER) -> Vote:
    return Vote(identifier(number), choice, matter, "considered", NOON)


FIVE = frozenset(identifier(number) for number in range(5))


@given(choices=st.lists(st.sampled_from(sorted(Choice)), max_size=7), needed=st.integers(0, 7))
def test_an_outcome_is_what_counting_by_hand_says(choices: list[Choice], needed: int) -> None:
    """Approved at k, rejected when k is out of reach, open in between; everybody is counted once."""
    quorum = Quorum(needed, frozenset(identifier(number) for number in range(7)))

    count = tally((ballot(number, choice) for number, choice in enumerate(choices)), quorum, MATTER)

    approvals, silent = choices.count(Choice.APPROVE), 7 - len(choices)
    expected = (
        Outcome.APPROVED if approvals >= needed else Outcome.OPEN if approvals + silent >= needed else Outcome.REJECTED
    )
    assert count.outcome is expected
    assert len(count.approve) + len(count.reject) + len(count.abstain) + len(count.pending) == 7


@given(order=st.permutations(range(5)))
def test_an_outcome_once_reached_stays(order: list[int]) -> None:
    """Whatever comes after the deciding vote changes nothing."""
    quorum = Quorum(3, FIVE)
    votes = [ballot(number, Choice.APPROVE if number < 3 else Choice.REJECT) for number in order]
    outcomes = [tally(votes[:count], quorum, MATTER).outcome for count in range(6)]

    first = outcomes.index(Outcome.APPROVED)

    assert set(outcomes[first:]) == {Outcome.APPROVED}


@pytest.mark.parametrize(
    ("votes", "why"),
    [
        ([ballot(9)], "has no vote"),
        ([ballot(1), ballot(1)], "a vote is final"),
        ([ballot(1), ballot(1, Choice.REJECT)], "a vote is final"),
        ([ballot(1, matter=OTHER)], "about another text"),
    ],
)
def test_a_vote_that_cannot_count_is_refused(votes: list[Vote], why: str) -> None:
    """Strangers, second votes and votes on an earlier draft stop the count."""
    with pytest.raises(ConflictError, match=why):
        tally(votes, Quorum(1, FIVE), MATTER)


def test_conditions_of_approvals_are_kept() -> None:
    """What an approval depends on is part of the outcome."""
    vote = replace(ballot(1), conditions=("only the harbour",))

    assert tally([vote], Quorum(1, FIVE), MATTER).conditions == ("only the harbour",)
    with pytest.raises(InputError, match="go with an approval"):
        replace(ballot(1, Choice.REJECT), conditions=("x",))


def test_a_vote_has_reasons() -> None:
    """A bare yes is no oversight."""
    with pytest.raises(InputError, match="needs reasons"):
        replace(ballot(1), reasons="  ")


@pytest.mark.parametrize(
    ("person", "why"),
    [
        (overseer(1, interests=frozenset({AGENCY})), "declared an interest"),
        (replace(overseer(1), id=PROPOSER), "their own proposal"),
        (Person(identifier(1), None, frozenset({Role.AUDITOR})), "only an overseer"),
    ],
)
def test_who_is_too_close_has_no_vote(person: Person, why: str) -> None:
    """An interest in the agency, one's own proposal, and not being an overseer each take the vote away."""
    (obstacle,) = may_vote(person, agency=AGENCY, proposer=PROPOSER)

    assert why in obstacle


def test_interests_shrink_the_quorum_never_the_number_needed() -> None:
    """With too many conflicted, a proposal can't be voted on at all."""
    clean = [overseer(number) for number in range(2)]
    close = [overseer(number, interests=frozenset({AGENCY})) for number in range(2, 5)]

    assert quorum_of([*clean, *close], needed=2, agency=AGENCY, proposer=PROPOSER).overseers == {
        identifier(0),
        identifier(1),
    }
    with pytest.raises(InputError, match="a quorum of 3 can't be met by 2"):
        quorum_of([*clean, *close], needed=3, agency=AGENCY, proposer=PROPOSER)


def test_one_overseer_orders_a_suspension_even_of_ones_own_side() -> None:
    """Stopping needs no majority and no distance, but reasons and the office."""
    order = order_suspension(overseer(1, interests=frozenset({AGENCY})), reasons="misuse", now=NOON)

    assert (order.overseer, order.at) == (identifier(1), NOON)
    with pytest.raises(InputError, match="needs reasons"):
        order_suspension(overseer(1), reasons="", now=NOON)
    with pytest.raises(DeniedError, match="only an overseer"):
        order_suspension(Person(identifier(1), None, frozenset({Role.ADMINISTRATOR})), reasons="x", now=NOON)


def change(**changes: object) -> Change:
    plain = Change(
        id=ChangeId("threshold-2026"),
        kind=ChangeKind.THRESHOLD,
        summary="raise the floor from 98 to 99",
        before_sha256=OTHER,
        after_sha256=MATTER,
        proposer=PROPOSER,
        proposed_at=NOON,
        quorum=Quorum(3, FIVE),
    )
    return replace(plain, **changes)  # type: ignore[arg-type] # each test names fields of Change


@pytest.mark.parametrize(("state", "event"), list(product(ChangeState, ChangeEvent)))
def test_each_cell_of_the_table_is_as_written(state: ChangeState, event: ChangeEvent) -> None:
    """Every state and event either leads where the hand-written table says, or nowhere."""
    steps = dict(step.split(":") for step in EXPECTED[state.value].split())

    following = CHANGE_TABLE.get((state, event))

    assert (following and following.value) == steps.get(event.value)


def voted(choice: Choice, count: int) -> Change:
    proposed = change()
    for number in range(count):
        proposed = vote_on_change(proposed, ballot(number, choice))
    return proposed


def test_a_threshold_changes_by_votes_only() -> None:
    """Two of the three approvals change nothing, three do, and only from what is in force."""
    with pytest.raises(ConflictError, match="has not the 3 approvals"):
        advance_change(voted(Choice.APPROVE, 2), ChangeEvent.APPROVE, in_force_sha256=OTHER)
    approved = advance_change(voted(Choice.APPROVE, 3), ChangeEvent.APPROVE, in_force_sha256=OTHER)

    assert advance_change(approved, ChangeEvent.TAKE_EFFECT, in_force_sha256=OTHER).state is ChangeState.IN_EFFECT
    with pytest.raises(ConflictError, match="no longer in force"):
        advance_change(approved, ChangeEvent.TAKE_EFFECT, in_force_sha256=MATTER)
    with pytest.raises(ConflictError, match="voting is over"):
        vote_on_change(approved, ballot(4))
    with pytest.raises(ConflictError, match="'take_effect' is refused"):
        advance_change(voted(Choice.APPROVE, 3), ChangeEvent.TAKE_EFFECT, in_force_sha256=OTHER)


def test_a_change_is_rejected_when_it_cannot_pass() -> None:
    """Two of five against leave three; three against leave two."""
    with pytest.raises(ConflictError, match="isn't rejected yet"):
        advance_change(voted(Choice.REJECT, 2), ChangeEvent.REJECT, in_force_sha256=OTHER)

    assert advance_change(voted(Choice.REJECT, 3), ChangeEvent.REJECT, in_force_sha256=OTHER).state.value == "rejected"


@pytest.mark.parametrize(
    "changes",
    [{"after_sha256": OTHER}, {"summary": " "}, {"quorum": Quorum(1, frozenset({PROPOSER}))}, {"before_sha256": "x"}],
)
def test_a_change_is_complete_when_it_is_proposed(changes: dict[str, object]) -> None:
    """It changes something, says what, names exact texts, and its proposer has no vote."""
    with pytest.raises(InputError):
        change(**changes)


@given(st.text(max_size=70))
def test_any_text_is_a_hash_or_refused(text: str) -> None:
    """Whatever is given, the answer is that same text or an error about it."""
    try:
        assert sha256_hex(text) == text
    except InputError:
        assert len(text) != 64 or set(text) - set("0123456789abcdef")
