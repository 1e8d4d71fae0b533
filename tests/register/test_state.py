"""The fold: in parts or at once, in any order within a month, saved or not, it comes to the same."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizance.errors import InputError
from recognizance.ledger import Entry, EntryId, facts
from recognizance.register import State, fold, load_reading, save_reading
from recognizance.register.state import Figure
from tests.register.world import (
    answer,
    entry,
    lead,
    one_year,
    opened,
    reading_of,
    refusal,
    request,
    search,
    state_of,
    transition,
)

YEAR = one_year()


@given(st.lists(st.integers(0, len(YEAR)), max_size=5))
def test_a_fold_in_parts_is_a_fold_at_once(cuts: list[int]) -> None:
    """Wherever a reader stops and continues, the state is the same."""
    places = [0, *sorted(cuts), len(YEAR)]
    state = State()
    for start, stop in itertools.pairwise(places):
        state = fold(state, YEAR[start:stop])

    assert state == state_of(YEAR)


def test_a_fold_leaves_the_state_before_it_as_it_was() -> None:
    """Earlier states can be kept and continued twice."""
    before = state_of(YEAR[:100])
    same = state_of(YEAR[:100])

    fold(before, YEAR[100:])

    assert before == same


@given(st.randoms(use_true_random=False))
def test_the_order_of_independent_entries_does_not_matter(dice: random.Random) -> None:
    """Searches, refusals, leads and edits of a month count the same in any order."""
    entries = [entry(search(offence=f"o{number % 3}"), day=f"2026-01-{1 + number % 28:02d}") for number in range(30)]
    entries += [entry(refusal("case")), entry(lead("false")), entry(lead("acted_on"))]
    shuffled = list(entries)
    dice.shuffle(shuffled)

    assert state_of(shuffled).counts == state_of(entries).counts
    assert state_of(shuffled).newest == state_of(entries).newest


def test_a_search_is_counted_under_all_that_it_says() -> None:
    """Month, agency, use; purpose, offence, class, outcome, candidates and late authorisation."""
    state = state_of([entry(search(is_late_authorisation=True, offence=None), day="2026-03-31")])

    mine = ("2026-03", "springfield-pd", "robberies")
    assert state.counts == {
        Figure(*mine, "searches", "purpose", "investigate_offence"): 1,
        Figure(*mine, "searches", "offence", "unstated"): 1,
        Figure(*mine, "searches", "search_class", "initial_identification"): 1,
        Figure(*mine, "searches", "outcome", "candidates"): 1,
        Figure(*mine, "candidates_shown"): 3,
        Figure(*mine, "late_authorisations"): 1,
    }


@pytest.mark.parametrize("event", facts.LeadEvent)
def test_what_became_of_a_lead_is_counted_under_its_own_name(event: facts.LeadEvent) -> None:
    """Each step once, in its month, for the use that the lead came of."""
    state = state_of([entry(lead(event.value), day="2026-03-31")])

    assert state.counts == {Figure("2026-03", "", "robberies", f"leads_{event.value}"): 1}


def test_a_third_reviewer_is_a_disagreement_and_counts_once() -> None:
    """Two answer differently on two candidates; the third answers on both; that is one disputed review."""
    answers = [
        answer("r1", reviewer, outcome)
        for reviewer, outcome in ((1, "same_person"), (2, "different"), (3, "different"))
        for _ in range(2)
    ]
    state = state_of([entry(opened("r1")), *map(entry, answers)])

    assert state.counts[Figure("2026-01", "", "robberies", "reviews_disputed")] == 1
    assert state.counts[Figure("2026-01", "", "robberies", "review_answers", "outcome", "different")] == 4


def test_an_answer_after_its_day_is_late() -> None:
    """A request received on January 20 and due on February 10: answered on February 9 and on February 11."""
    state = state_of(
        [
            entry(request("q1", "received"), day="2026-01-20"),
            entry(request("q2", "received"), day="2026-01-20"),
            entry(request("q1", "answered"), day="2026-02-09"),
            entry(request("q2", "refused"), day="2026-02-11"),
        ]
    )

    closed = Figure("2026-02", "", "", "requests_closed", "time")
    assert state.counts[closed._replace(category="in_time")] == 1
    assert state.counts[closed._replace(category="late")] == 1
    assert state.counts[Figure("2026-02", "", "", "response_days", "days", "22")] == 1
    assert state.requests == {}


def test_an_appeal_is_counted_for_itself() -> None:
    """Refused, appealed, overturned, answered: two closings, one appeal won, timed from the appeal."""
    steps = (("received", "20"), ("refused", "21"), ("appealed", "22"), ("overturned", "23"), ("answered", "25"))
    state = state_of([entry(request("q1", event), day=f"2026-01-{day}") for event, day in steps])

    measure = Figure("2026-01", "", "", "appeals_decided", "answer", "overturned")
    assert state.counts[measure] == 1
    assert state.counts[measure._replace(measure="requests_appealed", dimension="kind", category="access")] == 1
    assert state.counts[measure._replace(measure="requests_closed", dimension="kind", category="access")] == 2
    assert state.counts[measure._replace(measure="response_days", dimension="days", category="3")] == 1


def test_an_emergency_is_counted_when_it_is_declared_authorised_and_over() -> None:
    """Each step once, in the month in which it was taken."""
    state = state_of(
        [
            entry(transition("proposed", "emergency"), day="2026-01-30"),
            entry(transition("emergency", "lapsed"), day="2026-02-01"),
        ]
    )

    assert state.counts == {
        Figure("2026-01", "", "robberies", "emergencies_declared"): 1,
        Figure("2026-02", "", "robberies", "emergencies_lapsed"): 1,
    }


def test_entries_of_newer_software_are_counted_as_unread() -> None:
    """They are in the log, and in no figure."""
    state = fold(State(), [None, entry(search())])

    assert (state.size, state.unread) == (2, 1)


def test_a_saved_reading_is_read_as_the_same() -> None:
    """State, checkpoint and keys survive the file."""
    reading = reading_of(YEAR)

    assert load_reading(save_reading(reading)) == reading
    assert save_reading(load_reading(save_reading(reading))) == save_reading(reading)


SAVED = save_reading(reading_of(YEAR[:60]))


@given(st.integers(0, len(SAVED) - 1), st.binary(max_size=3))
def test_a_damaged_file_is_refused_or_says_the_same(place: int, junk: bytes) -> None:
    """Any bytes give a reading that writes exactly them, or `InputError`, nothing else."""
    data = SAVED[:place] + junk + SAVED[place + len(junk) :]
    try:
        found = load_reading(data)
    except InputError:
        return
    assert save_reading(found) == data


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"null", b'{"format":"x"}', b"\xff"])
def test_what_is_no_saved_reading_is_refused(data: bytes) -> None:
    """A file of something else is named as damaged, not read as an empty register."""
    with pytest.raises(InputError):
        load_reading(data)


def test_only_the_last_change_of_a_gallery_is_remembered() -> None:
    """The state doesn't grow with enrolments."""
    changes = [
        Entry(
            EntryId(f"00000000-0000-0000-0000-{version:012d}"),
            YEAR[0].time,
            facts.GalleryContent(
                gallery="arrests",
                version=version,
                change=facts.ContentChange.ENROLLED,
                faces_added=1,
                faces_removed=0,
                faces=version,
                changed_by=YEAR[0].id,
                content=lead("false").case,
            ),
        )
        for version in range(1, 50)
    ]

    assert state_of(changes).contents == {"arrests": changes[-1]}
    assert state_of(changes).kept == ()
