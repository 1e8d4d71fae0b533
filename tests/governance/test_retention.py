"""Retention: the earliest limit counts, nothing without a schedule, and receipts that account for everything."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizance.errors import ConflictError, InputError
from recognizance.governance.oversight import Sha256Hex
from recognizance.governance.parties import UseId
from recognizance.governance.retention import (
    DestroyBy,
    Hold,
    Holding,
    HoldingId,
    HoldingKind,
    Limit,
    ReceiptLine,
    RetentionRunId,
    Schedule,
    destroy_by,
    due,
    lapsed_results,
    receipt,
    years_after,
)
from recognizance.governance.uses import Use, UseState
from recognizance.identifiers import GalleryId

ARRESTS = GalleryId("arrests")
SCHEDULE = Schedule(ARRESTS, {HoldingKind.PROBE: 0, HoldingKind.RESULT: 90, HoldingKind.KEPT_IMAGE: 3650})
MADE = date(2024, 2, 29)
BEFORE, AFTER = Sha256Hex("b0" * 32), Sha256Hex("af" * 32)


def holding(kind: HoldingKind = HoldingKind.FACE, name: str = "h-1", **changes: object) -> Holding:
    plain = Holding(HoldingId(name), kind, ARRESTS, MADE, MADE)
    return replace(plain, **changes)  # type: ignore[arg-type] # each test names fields of Holding


def test_a_face_goes_three_years_after_the_last_interaction() -> None:
    """Illinois BIPA's outer limit, from the interaction and not from the enrolment; a leap day is never stretched."""
    assert destroy_by(holding(), SCHEDULE) == DestroyBy(date(2027, 2, 28), Limit.LAST_INTERACTION)
    assert destroy_by(holding(last_interaction=date(2025, 5, 1)), SCHEDULE).day == date(2028, 5, 1)


def test_a_face_goes_when_its_purpose_is_met_if_that_is_sooner() -> None:
    """Whichever comes first."""
    sooner = destroy_by(holding(purpose_ended=date(2024, 6, 1)), SCHEDULE)
    later = destroy_by(holding(purpose_ended=date(2030, 6, 1)), SCHEDULE)

    assert sooner == DestroyBy(date(2024, 6, 1), Limit.PURPOSE_ENDED)
    assert later.limit is Limit.LAST_INTERACTION


def test_a_watchlist_goes_with_its_deployment() -> None:
    """A watchlist is built for one deployment and named as such on its receipt."""
    schedule = Schedule(ARRESTS, {HoldingKind.WATCHLIST: 30})

    by = destroy_by(holding(HoldingKind.WATCHLIST, purpose_ended=MADE), schedule)

    assert by == DestroyBy(MADE, Limit.DEPLOYMENT_ENDED)


@given(
    interaction=st.dates(MADE, date(2100, 1, 1)),
    ended=st.none() | st.dates(MADE, date(2100, 1, 1)),
    years=st.integers(1, 3),
    days=st.none() | st.integers(0, 20_000),
)
def test_no_limit_is_ever_passed(interaction: date, ended: date | None, years: int, days: int | None) -> None:
    """The day is at or before every limit that applies, and is one of them."""
    schedule = Schedule(ARRESTS, {} if days is None else {HoldingKind.FACE: days}, years)

    by = destroy_by(holding(last_interaction=interaction, purpose_ended=ended), schedule)

    limits = {years_after(interaction, years), ended, None if days is None else MADE + timedelta(days=days)} - {None}
    assert by.day in limits
    assert all(limit is None or by.day <= limit for limit in limits)


@pytest.mark.parametrize("years", [0, 4])
def test_no_schedule_keeps_faces_longer_than_three_years(years: int) -> None:
    """A schedule that would is refused when it is written."""
    with pytest.raises(InputError, match="the limit is 3"):
        Schedule(ARRESTS, {}, years)


def test_what_the_schedule_does_not_name_may_not_be_kept() -> None:
    """Silence is no permission."""
    with pytest.raises(InputError, match="doesn't say how long a watchlist is kept"):
        destroy_by(holding(HoldingKind.WATCHLIST), SCHEDULE)


def test_a_gallery_without_a_schedule_stops_the_run() -> None:
    """Nothing is overlooked because nobody wrote down how long it is kept."""
    with pytest.raises(InputError, match="'arrests' has no retention schedule"):
        due([holding()], {}, [], MADE)


def test_things_are_due_the_day_after_their_last_the_most_overdue_first() -> None:
    """On the last day a thing may be kept; the list is in order of days, then ids."""
    probe, result, other = (
        holding(HoldingKind.PROBE, "p"),
        holding(HoldingKind.RESULT, "r"),
        holding(HoldingKind.RESULT, "q"),
    )
    last = MADE + timedelta(days=90)
    schedules = {ARRESTS: SCHEDULE}

    on_the_day = due([probe, result, other], schedules, [], last)
    after = due([result, probe, other], schedules, [], last + timedelta(days=1))

    assert [(item.holding.id, item.overdue_days) for item in on_the_day] == [("p", 90)]
    assert [(item.holding.id, item.overdue_days) for item in after] == [("p", 91), ("q", 1), ("r", 1)]


def test_an_order_to_preserve_holds_until_its_day() -> None:
    """A hold has an end, and on that day the thing is due."""
    hold = Hold(HoldingId("p"), Sha256Hex("0d" * 32), until=date(2025, 1, 1))
    probe = holding(HoldingKind.PROBE, "p")

    assert due([probe], {ARRESTS: SCHEDULE}, [hold], date(2024, 12, 31)) == ()
    assert len(due([probe], {ARRESTS: SCHEDULE}, [hold], date(2025, 1, 1))) == 1


@pytest.mark.parametrize("state", UseState)
def test_only_a_lapsed_emergency_takes_its_results(state: UseState, use_in: Callable[..., Use], now: datetime) -> None:
    """Probes and results of a lapsed use are due at once, those of any other use are not."""
    use = use_in(state)
    results = [holding(kind, kind.value, use=use.id) for kind in (HoldingKind.RESULT, HoldingKind.PROBE)]

    found = lapsed_results(results, {use.id: use}, now)

    assert [item.holding.id for item in found] == (["probe", "result"] if state is UseState.LAPSED else [])


def test_an_emergency_that_runs_out_takes_its_results_by_itself(use_in: Callable[..., Use]) -> None:
    """At 48 hours the results are due without anybody's step."""
    use = use_in(UseState.EMERGENCY)
    assert use.emergency is not None
    end = use.emergency.lapses_at
    result = holding(HoldingKind.RESULT, use=use.id)

    assert lapsed_results([result], {use.id: use}, end - timedelta(seconds=1)) == ()
    assert lapsed_results([result], {use.id: use}, end)[0].by.limit is Limit.EMERGENCY_LAPSED


@pytest.mark.parametrize("kind", [HoldingKind.FACE, HoldingKind.KEPT_IMAGE, HoldingKind.WATCHLIST])
def test_a_lapse_never_touches_the_gallery(kind: HoldingKind, use_in: Callable[..., Use], now: datetime) -> None:
    """Enrolled faces and images can't be passed to it, lapsed or not."""
    use = use_in(UseState.LAPSED)

    with pytest.raises(InputError, match="isn't the result of a search"):
        lapsed_results([holding(kind, use=use.id)], {use.id: use}, now)


def test_a_result_of_an_unknown_use_stops_the_run(now: datetime) -> None:
    """A result that belongs to no known use is a fault, not something to keep."""
    with pytest.raises(InputError, match="unknown use 'gone'"):
        lapsed_results([holding(HoldingKind.RESULT, use=UseId("gone"))], {}, now)


def test_a_receipt_accounts_for_everything_ordered() -> None:
    """Destroyed things are counted by kind and rule, those that remained as failed; nobody's id is in it."""
    things = [holding(HoldingKind.PROBE, name) for name in ("p1", "p2")] + [holding(HoldingKind.RESULT, "r1")]
    ordered = due(things, {ARRESTS: SCHEDULE}, [], MADE + timedelta(days=100))

    written = receipt(
        RetentionRunId("run-1"),
        ARRESTS,
        ordered=ordered,
        destroyed=frozenset({HoldingId("p1"), HoldingId("r1")}),
        content_before_sha256=BEFORE,
        content_after_sha256=AFTER,
        now=datetime(2024, 6, 8, tzinfo=UTC),
    )

    assert written.lines == (
        ReceiptLine(HoldingKind.PROBE, Limit.AGE, count=1, most_overdue_days=100),
        ReceiptLine(HoldingKind.RESULT, Limit.AGE, count=1, most_overdue_days=10),
    )
    assert (written.count, written.failed) == (2, 1)
    assert "p1" not in repr(written)


def test_a_run_cannot_destroy_what_was_not_due() -> None:
    """More destroyed than ordered is a fault that stops the receipt."""
    with pytest.raises(ConflictError, match="1 things that were not due"):
        receipt(
            RetentionRunId("run-1"),
            ARRESTS,
            ordered=(),
            destroyed=frozenset({HoldingId("p1")}),
            content_before_sha256=BEFORE,
            content_after_sha256=AFTER,
            now=datetime(2024, 6, 8, tzinfo=UTC),
        )
