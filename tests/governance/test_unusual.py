"""Unusual use: what is flagged and what isn't, by the stated thresholds and nothing else."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies

from recognizance.config import zone_of
from recognizance.errors import InputError
from recognizance.governance.unusual import MOST_ENTRIES, Flag, Moment, RefusedAct, SearchAct, Signal, Thresholds, flags

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
NOON = NOW - timedelta(days=1)


def search(
    number: int, *, at: datetime = NOON, by: str = "p-1", case: str | None = None, about: str | None = None
) -> SearchAct:
    keys = frozenset() if about is None else frozenset({about})
    return SearchAct(f"entry-{number:04d}", at, by, "use-1", "agency-1", case, keys)


def refused(number: int, *, by: str = "p-1", at: datetime = NOON) -> RefusedAct:
    return RefusedAct(f"refusal-{number:04d}", at, by, "use-1", "agency-1")


def found(searches: list[SearchAct], refusals: list[RefusedAct] | None = None) -> tuple[Flag, ...]:
    return flags(searches, refusals or [], Thresholds(), NOW)


def test_nothing_is_flagged_where_nothing_happened() -> None:
    assert found([]) == ()


@pytest.mark.parametrize(("count", "is_flagged"), [(4, False), (5, True)])
def test_a_person_searched_for_often_is_flagged_from_the_threshold_on(count: int, *, is_flagged: bool) -> None:
    """Five searches for one; the flag has their entries, the newest first, and no key of whom they were for."""
    made = found([search(number, about="face-1", at=NOON + timedelta(minutes=number)) for number in range(count)])
    assert bool(made) is is_flagged
    if made:
        [flag] = made
        assert flag.signal is Signal.SAME_PERSON
        assert flag.entries[0] == "entry-0004"
        assert "face-1" not in repr(flag)


def test_one_set_of_searches_is_one_flag_by_whatever_keys_it_was_found() -> None:
    """Picture and person who came first name the same five searches, which are one thing to ask about."""
    both = frozenset({"picture-1", "face-1"})
    searches = [SearchAct(f"entry-{n}", NOON, "p-1", "use-1", "agency-1", None, both) for n in range(5)]
    assert [flag.signal for flag in found(searches)] == [Signal.SAME_PERSON]


@pytest.mark.parametrize(("hour", "is_night"), [(21, False), (22, True), (0, True), (4, True), (5, False)])
def test_the_night_begins_and_ends_as_stated(hour: int, *, is_night: bool) -> None:
    """Three searches within that hour; of all that this person made, the flag says how many."""
    night = datetime(2026, 6, 20, hour, 30, tzinfo=UTC)
    made = found([*(search(number, at=night) for number in range(3)), search(9)])
    assert [flag.signal for flag in made] == ([Signal.NIGHT] if is_night else [])
    if made:
        assert (made[0].count, made[0].out_of) == (3, 4)


@pytest.mark.parametrize(("month", "hour"), [(1, 21), (7, 20)])
def test_the_night_is_that_of_the_installation(month: int, hour: int) -> None:
    """22 o'clock in Madrid is 21 in winter and 20 in summer by the ledger's clock; an hour before is no night."""
    madrid = Thresholds(zone=zone_of("Europe/Madrid"))
    evening = datetime(2026, month, 20, hour, 30, tzinfo=UTC)
    assert madrid.is_night(evening)
    assert not madrid.is_night(evening - timedelta(hours=1))
    assert not Thresholds().is_night(evening)


def test_a_night_within_one_day_is_a_night_as_well() -> None:
    daytime = Thresholds(night_begins_hour=1, night_ends_hour=3)
    assert [daytime.is_night(NOW.replace(hour=hour)) for hour in (0, 1, 2, 3)] == [False, True, True, False]


def test_a_case_with_many_searches_is_flagged_for_its_own_agency_alone() -> None:
    """Two agencies that spell a case the same have two cases."""
    ours = [search(number, case="24-1") for number in range(6)]
    theirs = [SearchAct(f"theirs-{n}", NOON, "p-2", "use-2", "agency-2", "24-1") for n in range(6)]
    assert found([*ours, *theirs]) == ()
    [flag] = found([search(number, case="24-1") for number in range(10)])
    assert (flag.signal, flag.agencies) == (Signal.MANY_PROBES, ("agency-1",))


@pytest.mark.parametrize(("answered", "is_flagged"), [(15, True), (16, False)])
def test_refusals_are_held_against_all_that_was_tried(answered: int, *, is_flagged: bool) -> None:
    """5 of 20 are a quarter and flagged; 5 of 21 are less."""
    made = found([search(number) for number in range(answered)], [refused(number) for number in range(5)])
    assert bool(made) is is_flagged


def test_refusals_of_nobody_known_are_flagged_as_such() -> None:
    [flag] = found([], [refused(number, by="") for number in range(5)])
    assert flag.by == ""


def test_what_is_older_than_the_window_doesnt_count() -> None:
    """An act exactly as old as the window does; one a second older, or of the future, doesn't."""
    edge = NOW - Thresholds().window
    inside = [search(number, about="face-1", at=edge) for number in range(4)]
    assert found([*inside, search(9, about="face-1", at=edge - timedelta(seconds=1))]) == ()
    assert found([*inside, search(9, about="face-1", at=NOW + timedelta(seconds=1))]) == ()
    assert len(found([*inside, search(9, about="face-1", at=edge)])) == 1


def test_a_clock_that_was_set_back_is_flagged_once_for_each_time() -> None:
    """Minutes are how machines keep time; more is somebody's doing, of the future too, and ended uses live on by it."""
    hour = timedelta(hours=1)
    at = [NOON, NOON + hour, NOON + hour - timedelta(minutes=5), NOW + hour, NOON, NOON + hour, NOON]
    moments = [Moment(f"entry-{number}", moment) for number, moment in enumerate(at)]
    [flag] = flags([], [], Thresholds(), NOW, moments)

    assert (flag.signal, flag.count, flag.by) == (Signal.CLOCK, 2, None)
    assert flag.entries == ("entry-6", "entry-4")
    assert flags([], [], Thresholds(), NOW, moments[:3]) == ()


def test_a_flag_names_a_bounded_number_of_entries() -> None:
    [flag] = found([search(number, case="24-1") for number in range(MOST_ENTRIES + 5)])
    assert (flag.count, len(flag.entries)) == (MOST_ENTRIES + 5, MOST_ENTRIES)


@given(strategies.permutations([search(number, case="24-1", about="face-1") for number in range(12)]))
def test_the_order_of_the_acts_doesnt_matter(searches: list[SearchAct]) -> None:
    assert found(searches) == found(sorted(searches, key=lambda each: each.entry))


@pytest.mark.parametrize(
    "wrong", [{"searches_for_one": 0}, {"night_begins_hour": 24}, {"refusal_fraction": 0.0}, {"refusals": 0}]
)
def test_thresholds_that_would_flag_everything_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError):
        Thresholds(**wrong)  # type: ignore[arg-type]  # whole numbers and a fraction
