"""The life of a use: every cell of its table, every condition, and what no sequence of steps can reach."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizance.errors import ConflictError, InputError
from recognizance.governance.oversight import Choice, Outcome, Quorum, Sha256Hex, Suspension, Vote
from recognizance.governance.parties import AgencyId, PersonId, UseId
from recognizance.governance.profiles import default_use_terms
from recognizance.governance.terms import UseTerms
from recognizance.governance.uses import (
    EMERGENCY_LASTS,
    FINAL,
    USE_TABLE,
    Emergency,
    Obstacle,
    Use,
    UseEvent,
    UseState,
    advance,
    declare_emergency,
    due_event,
    obstacles,
    results_must_go,
    suspend,
    vote,
    vote_on_suspended,
)
from recognizance.identifiers import PrincipalId

from ..evidence import PASSED

# Written by hand from docs/governance.md, a row for each state: what may happen to it, and what it becomes.
EXPECTED = {
    "proposed": "close_comments:commented withdraw:withdrawn declare_emergency:emergency",
    "commented": "approve:approved reject:rejected withdraw:withdrawn",
    "approved": "activate:active suspend:suspended expire:expired withdraw:withdrawn",
    "rejected": "",
    "active": "suspend:suspended expire:expired revoke:revoked withdraw:withdrawn",
    "suspended": "reinstate:active expire:expired revoke:revoked withdraw:withdrawn",
    "expired": "",
    "revoked": "",
    "withdrawn": "",
    "emergency": "approve:emergency_authorised reject:lapsed lapse:lapsed suspend:emergency_suspended",
    "emergency_authorised": "suspend:expired expire:expired",
    "emergency_suspended": "approve:expired reject:lapsed lapse:lapsed",
    "lapsed": "",
}

MakeUse = Callable[..., Use]
Ballot = Callable[..., Vote]


@pytest.mark.parametrize(("state", "event"), list(product(UseState, UseEvent)))
def test_each_cell_of_the_table_is_as_written(state: UseState, event: UseEvent) -> None:
    """Every state and event either leads where the hand-written table says, or nowhere."""
    steps = dict(step.split(":") for step in EXPECTED[state.value].split())

    following = USE_TABLE.get((state, event))

    assert (following and following.value) == steps.get(event.value)


@pytest.mark.parametrize(("state", "event"), [cell for cell in product(UseState, UseEvent) if cell not in USE_TABLE])
def test_an_absent_step_is_refused(state: UseState, event: UseEvent, use_in: MakeUse, now: datetime) -> None:
    """What the table doesn't have is refused by name, whatever the votes and the clock say."""
    with pytest.raises(ConflictError, match="robberies-2026"):
        advance(use_in(state), event, now)


@pytest.mark.parametrize("state", UseState)
def test_every_state_is_reached_by_steps(state: UseState, use_in: MakeUse) -> None:
    """The world's roads lead through the table to every state there is."""
    assert use_in(state).state is state


def test_final_states_are_left_by_nothing() -> None:
    """Rejected, expired, revoked, withdrawn and lapsed are the ends."""
    assert {state.value for state in FINAL} == {"rejected", "expired", "revoked", "withdrawn", "lapsed"}


def test_no_emergency_becomes_an_ordinary_use() -> None:
    """From an emergency, no number of steps leads to approved, active or suspended."""
    reached = {UseState.EMERGENCY}
    while True:
        further = {to for (state, _), to in USE_TABLE.items() if state in reached} - reached
        if not further:
            break
        reached |= further

    assert reached.isdisjoint({UseState.APPROVED, UseState.ACTIVE, UseState.SUSPENDED})


@pytest.mark.parametrize("state", UseState)
def test_only_active_and_running_emergencies_are_searchable(state: UseState, use_in: MakeUse, now: datetime) -> None:
    """Thirteen states, three of them searchable."""
    assert use_in(state).is_searchable_at(now) == (state.value in {"active", "emergency", "emergency_authorised"})


_STEPS = st.lists(
    st.one_of(
        st.sampled_from(sorted(UseEvent)),
        st.tuples(st.integers(0, 4), st.sampled_from(sorted(Choice))),
        st.tuples(st.just("again"), st.integers(0, 4), st.booleans()),
        st.integers(1, 24 * 60),
        st.sampled_from(["order suspension", "declare emergency"]),
    ),
    max_size=40,
)


@given(steps=_STEPS, data=st.data())
def test_nothing_is_searchable_without_votes_or_a_running_emergency(steps: list[object], data: st.DataObject) -> None:
    """Whatever is tried in whatever order, searching needs k approvals and the comments' end, or a young emergency."""
    world = data.draw(st.sampled_from(["starts later", "starts at once"]))
    use = _bare_use(starts_at_once=world == "starts at once")
    now = use.proposed_at
    for step in steps:
        if isinstance(step, int):
            now += timedelta(hours=step)
        use = _try(use, step, now)
        if use.is_searchable_at(now):
            young = use.emergency is not None and now < use.emergency.declared_at + timedelta(hours=48)
            approvals = {ballot.overseer for ballot in use.votes if ballot.choice is Choice.APPROVE}
            assert young or (len(approvals) >= 3 and now >= use.comments_until)
            assert use.terms.starts <= now < use.terms.expires


def _bare_use(*, starts_at_once: bool) -> Use:
    proposed = datetime(2026, 1, 1, tzinfo=UTC)
    terms = default_use_terms(AgencyId("a"), None, proposed)
    return Use(
        id=UseId("u"),
        terms=terms if starts_at_once else replace(terms, starts=proposed + timedelta(days=20)),
        terms_sha256=Sha256Hex("00" * 32),
        proposer=PersonId(PrincipalId("s")),
        proposed_at=proposed,
        comments_until=proposed + timedelta(days=30),
        quorum=Quorum(3, frozenset(_overseer(number) for number in range(5))),
    )


def _overseer(number: int) -> PersonId:
    return PersonId(PrincipalId(f"o{number}"))


def _try(use: Use, step: object, now: datetime) -> Use:
    """Take a step if it is allowed; a refusal changes nothing."""
    try:
        match step:
            case UseEvent():
                return advance(use, step, now)
            case (int(number), Choice() as choice):
                return vote(use, Vote(_overseer(number), choice, use.terms_sha256, "so", now))
            case ("again", int(number), bool(revoke)):
                ballot = Vote(_overseer(number), Choice.APPROVE, use.terms_sha256, "so", now)
                return vote_on_suspended(use, ballot, revoke=revoke)
            case "order suspension":
                return suspend(use, Suspension(_overseer(0), "stop", now))
            case "declare emergency":
                return declare_emergency(use, Emergency(use.proposer, "danger", now))
            case _:
                return use
    except ConflictError:
        return use


def test_k_minus_one_approvals_approve_nothing(use_in: MakeUse, ballot: Ballot, now: datetime) -> None:
    """Three of five are needed; two are not three."""
    use = use_in(UseState.COMMENTED)
    for number in range(2):
        use = vote(use, ballot(number, now))

    assert obstacles(use, UseEvent.APPROVE, now) == (Obstacle.TOO_FEW_APPROVALS,)


def test_a_use_is_rejected_once_approval_is_out_of_reach(use_in: MakeUse, ballot: Ballot, now: datetime) -> None:
    """Two rejections and an abstention leave two of five, which can't be three."""
    use = use_in(UseState.COMMENTED)
    for number, choice in enumerate([Choice.REJECT, Choice.REJECT, Choice.ABSTAIN]):
        use = vote(use, ballot(number, now, choice))

    assert use.count.outcome is Outcome.REJECTED
    assert advance(use, UseEvent.REJECT, now).state is UseState.REJECTED


def test_comments_stay_open_for_their_period(use_in: MakeUse) -> None:
    """A second before the end is too early."""
    use = use_in(UseState.PROPOSED)
    early = use.comments_until - timedelta(seconds=1)

    assert obstacles(use, UseEvent.CLOSE_COMMENTS, early) == (Obstacle.COMMENTS_OPEN,)
    assert obstacles(use, UseEvent.CLOSE_COMMENTS, use.comments_until) == ()


def test_nobody_votes_before_the_public_has_commented(use_in: MakeUse, ballot: Ballot, now: datetime) -> None:
    """A vote on a use whose comments are open is refused, and says until when they are."""
    use = use_in(UseState.PROPOSED)
    until = f"it isn't voted on now; comments are open until {use.comments_until:%Y-%m-%d %H:%M} UTC"
    with pytest.raises(ConflictError, match=until):
        vote(use, ballot(0, now))


def test_activation_names_everything_that_is_missing(
    use_in: MakeUse, make_terms: Callable[..., UseTerms], now: datetime
) -> None:
    """All obstacles are named at once, so that nobody has to come back five times."""
    terms = make_terms()
    use = use_in(UseState.APPROVED, report=replace(terms.report, published=None))
    tampered = replace(use, votes=())

    missing = obstacles(tampered, UseEvent.ACTIVATE, terms.starts - timedelta(days=1))

    assert missing == (
        Obstacle.TOO_FEW_APPROVALS,
        Obstacle.NOT_STARTED,
        Obstacle.REPORT_UNPUBLISHED,
        Obstacle.EVALUATION_UNFIT,
    )


def test_a_use_is_over_at_its_end_even_if_nobody_wrote_it_down(use_in: MakeUse) -> None:
    """The last microsecond counts, the end itself doesn't."""
    use = use_in(UseState.ACTIVE)
    end = use.terms.expires

    assert use.is_searchable_at(end - timedelta(microseconds=1))
    assert use.state_at(end) is UseState.EXPIRED
    assert not use.is_searchable_at(end)


def test_an_approved_use_is_not_searchable_before_its_start(use_in: MakeUse) -> None:
    """Being active early, by a wrong clock, opens nothing before the start."""
    use = use_in(UseState.ACTIVE)

    assert not use.is_searchable_at(use.terms.starts - timedelta(seconds=1))


def test_an_emergency_lapses_by_itself_after_48_hours(use_in: MakeUse) -> None:
    """Without anybody's doing, searching ends and the linked results must go."""
    use = use_in(UseState.EMERGENCY)
    assert use.emergency is not None
    end = use.emergency.declared_at + timedelta(hours=48)

    assert timedelta(hours=48) == EMERGENCY_LASTS
    assert use.is_searchable_at(end - timedelta(seconds=1))
    assert not results_must_go(use, end - timedelta(seconds=1))
    assert not use.is_searchable_at(end)
    assert results_must_go(use, end)
    assert due_event(use, end) is UseEvent.LAPSE


def test_a_late_authorisation_comes_too_late(use_in: MakeUse, ballot: Ballot) -> None:
    """At 48 hours the vote is over, and approving is refused."""
    use = use_in(UseState.EMERGENCY)
    assert use.emergency is not None

    with pytest.raises(ConflictError, match="isn't voted on now"):
        vote(use, ballot(0, use.emergency.lapses_at))


def test_an_authorised_emergency_keeps_its_results_and_ends_at_the_same_hour(use_in: MakeUse) -> None:
    """Authorisation saves results; it buys no time."""
    use = use_in(UseState.EMERGENCY_AUTHORISED)
    assert use.emergency is not None
    end = use.emergency.lapses_at

    assert use.state_at(end) is UseState.EXPIRED
    assert not results_must_go(use, end)


def test_a_suspended_emergency_still_lapses(use_in: MakeUse) -> None:
    """Stopping an emergency doesn't shelter its results from deletion."""
    use = use_in(UseState.EMERGENCY_SUSPENDED)
    assert use.emergency is not None

    assert results_must_go(use, use.emergency.lapses_at)


def test_an_emergency_needs_its_report_published(use_in: MakeUse, make_terms: Callable[..., UseTerms]) -> None:
    """Haste shortens the waiting, not what the public is told."""
    with pytest.raises(ConflictError, match="report is not published"):
        use_in(UseState.EMERGENCY, report=replace(make_terms().report, published=None))


def test_one_overseer_suspends_at_once_and_three_lift_it(
    use_in: MakeUse, overseers: tuple[PersonId, ...], ballot: Ballot, now: datetime
) -> None:
    """Stopping takes one, going on takes the quorum, and old votes to go on don't count again."""
    use = suspend(use_in(UseState.ACTIVE), Suspension(overseers[4], "an error rate was misstated", now))
    assert not use.is_searchable_at(now)
    assert obstacles(use, UseEvent.REINSTATE, now, PASSED) == (Obstacle.STILL_SUSPENDED,)
    for number in range(3):
        use = vote_on_suspended(use, ballot(number, now), revoke=False)

    lifted = advance(use, UseEvent.REINSTATE, now, PASSED)
    again = suspend(lifted, Suspension(overseers[3], "again", now))

    assert lifted.is_searchable_at(now)
    assert obstacles(again, UseEvent.REINSTATE, now, PASSED) == (Obstacle.STILL_SUSPENDED,)


def test_votes_to_revoke_are_not_votes_to_reinstate(use_in: MakeUse, ballot: Ballot, now: datetime) -> None:
    """Three votes on one question carry the other in no way."""
    use = use_in(UseState.SUSPENDED)
    for number in range(3):
        use = vote_on_suspended(use, ballot(number, now), revoke=True)

    assert obstacles(use, UseEvent.REINSTATE, now, PASSED) == (Obstacle.STILL_SUSPENDED,)
    assert advance(use, UseEvent.REVOKE, now).state is UseState.REVOKED


def test_a_suspension_needs_an_order(use_in: MakeUse, now: datetime) -> None:
    """Without an overseer's order there is no suspension to record."""
    assert obstacles(use_in(UseState.ACTIVE), UseEvent.SUSPEND, now) == (Obstacle.NO_SUSPENSION,)


def test_a_use_past_its_end_takes_no_other_step(use_in: MakeUse, overseers: tuple[PersonId, ...]) -> None:
    """Expiry is recorded first; nothing slips in between."""
    use = use_in(UseState.ACTIVE)

    with pytest.raises(ConflictError, match="time ran out"):
        suspend(use, Suspension(overseers[0], "late", use.terms.expires))


def test_nobody_votes_on_their_own_use(use_in: MakeUse) -> None:
    """A proposer among the voters is refused when the use is built."""
    use = use_in(UseState.PROPOSED)

    with pytest.raises(InputError, match="own proposal"):
        replace(use, quorum=Quorum(1, frozenset({use.proposer})))


def test_no_stored_state_activates_a_use_before_the_comments_are_over(use_in: MakeUse) -> None:
    """Activation asks for the comment period again, in case a state was written by other hands."""
    use = use_in(UseState.APPROVED)
    tampered = replace(use, comments_until=use.terms.starts + timedelta(days=10))

    assert obstacles(tampered, UseEvent.ACTIVATE, use.terms.starts, PASSED) == (Obstacle.COMMENTS_OPEN,)
