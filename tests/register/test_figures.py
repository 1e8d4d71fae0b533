"""The figures of a small service, computed by hand, and what they must not say."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from recognizance.ledger import facts
from recognizance.register import build_register, to_json
from recognizance.register.figures import ALL_AGENCIES, in_months, publish, use_figures
from recognizance.register.suppression import SMALL, WITHHELD, Cell, published
from tests.register.world import entry, one_year, opened, proposal, reading_of, request, search, state_of

READING = reading_of(one_year())
DOCUMENT = json.loads(to_json(build_register(READING)))


def count_of(
    month: str, measure: str, dimension: str | None = None, category: str | None = None, agency: str = "springfield-pd"
) -> Any:
    found = [
        row["count"]
        for row in DOCUMENT["use"]["figures"]
        if (row["month"], row["measure"], row["dimension"], row["category"], row["agency"])
        == (month, measure, dimension, category, agency)
    ]
    return found[0] if len(found) == 1 else found


def test_the_figures_of_a_february_computed_by_hand() -> None:
    """52 searches: 39 for robbery with three candidates each, 13 for homicide with none; 30 reviews, 9 disputed."""
    assert count_of("2026-02", "searches") == 52
    assert count_of("2026-02", "searches", "offence", "robbery") == 39
    assert count_of("2026-02", "searches", "offence", "homicide") == 13
    assert count_of("2026-02", "searches", "outcome", "no_candidate") == 13
    assert count_of("2026-02", "candidates_shown") == 117
    assert count_of("2026-02", "reviews_opened") == 30
    assert count_of("2026-02", "reviews_disputed") == 9
    # 30 first answers, 21 of the second and none of the third are "same person": 51; 9 + 9 are "different".
    assert count_of("2026-02", "review_answers", "outcome", "same_person") == 51
    assert count_of("2026-02", "review_answers", "outcome", "different") == 18
    assert count_of("2026-02", "leads_confirmed") == 21
    assert count_of("2026-02", "leads_acted_on") == 8
    assert count_of("2026-02", "leads_false") == "<5"


def test_the_refusals_of_a_february_computed_by_hand() -> None:
    """7 lacked a case and 2 a training. 9 - 2 would tell the 2, so the 7 is shown as 9 less 1 to 4."""
    assert count_of("2026-02", "refusals") == 9
    assert count_of("2026-02", "refusals", "reason", "valid-training") == "<5"
    assert count_of("2026-02", "refusals", "reason", "case") == "5 to 8"


def test_a_month_of_three_searches_says_only_that() -> None:
    """Neither the three nor their parts are shown, not even under how many names they fall."""
    assert count_of("2026-03", "searches") == "<5"
    assert count_of("2026-03", "searches", "offence", "withheld") == "withheld"
    assert count_of("2026-03", "searches", "offence", "robbery") == []
    assert count_of("2026-03", "searches", agency=ALL_AGENCIES) == "<5"


def test_people_are_answered_and_timed() -> None:
    """Six requests of January 20, answered from February 2 to 7: after 13 to 18 days, 15.5 at the median."""
    people = DOCUMENT["people"]

    assert people["response_times"] == [{"month": "2026-02", "kind": "all", "closed": 6, "median_days": 15.5}]
    closed = {
        (row["dimension"], row["category"]): row["count"]
        for row in people["figures"]
        if row["measure"] == "requests_closed"
    }
    assert closed == {
        (None, None): 6,
        ("answer", "answered"): 6,
        ("kind", "access"): 6,
        ("time", "in_time"): 6,
    }


def test_a_few_answers_have_no_median() -> None:
    """The time that four people waited is theirs."""
    entries = [entry(request(f"q{number}", event)) for number in range(4) for event in ("received", "answered")]

    [row] = build_register(reading_of(entries)).people.response_times

    assert (row.closed, row.median_days) == (SMALL, None)


def test_the_month_of_the_newest_entry_is_not_complete() -> None:
    """March is still going on; February is over."""
    complete = {row["month"]: row["is_complete"] for row in DOCUMENT["use"]["figures"]}

    assert complete == {"2026-01": True, "2026-02": True, "2026-03": False}


def test_what_follows_from_a_hidden_outcome_is_withheld() -> None:
    """Every search with candidates opens a review: their number would tell that two searches found nobody."""
    entries = [entry(proposal())]
    for number in range(20):
        entries += [entry(search()), entry(opened(f"r{number}"))]
    nothing = search(outcome=facts.SearchOutcome.NO_CANDIDATE, candidates=0)
    found = publish(state_of([*entries, entry(nothing), entry(nothing)]))

    outcomes = found["2026-01", "springfield-pd", "searches"].breakdowns["outcome"]
    assert outcomes == {"candidates": Cell(18, 21), "no_candidate": SMALL}
    assert found["2026-01", "springfield-pd", "reviews_opened"].total == WITHHELD
    assert found["2026-01", "springfield-pd", "candidates_shown"].total == WITHHELD


def test_what_follows_from_withheld_outcomes_is_withheld() -> None:
    """6 with candidates, 6 with nobody, 4 without a face: the 6 reviews would leave 10, and part of it."""
    outcomes = [facts.SearchOutcome.CANDIDATES, facts.SearchOutcome.NO_CANDIDATE] * 6 + [
        facts.SearchOutcome.NO_FACE
    ] * 4
    entries = [entry(proposal()), *(entry(search(outcome=outcome, candidates=0)) for outcome in outcomes)]
    found = publish(state_of([*entries, *(entry(opened(f"r{number}")) for number in range(6))]))

    assert found["2026-01", "springfield-pd", "searches"].breakdowns["outcome"] is None
    assert found["2026-01", "springfield-pd", "reviews_opened"].total == WITHHELD


tables = st.lists(
    st.tuples(
        st.sampled_from(["2026-01", "2026-02", "2026-03"]),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["robbery", "homicide", "fraud"]),
        st.integers(1, 9),
    ),
    max_size=12,
)


@settings(max_examples=40)
@given(tables)
def test_nothing_published_contradicts_the_truth_or_names_a_small_count(
    table: list[tuple[str, str, str, int]],
) -> None:
    """Months, agencies, parts, all and the year: each cell holds the true count, and none is exactly 1 to 4."""
    entries = [
        entry(search(agency=agency, use=agency, offence=offence), day=f"{month}-10")
        for month, agency, offence, count in table
        for _ in range(count)
    ]
    state = state_of(entries)
    found = publish(state)

    for row in use_figures(state):
        if row.measure != "searches" or row.category == "withheld" or row.dimension not in {None, "offence"}:
            continue
        truth = sum(
            count
            for month, agency, offence, count in table
            if month == row.month and row.agency in {agency, ALL_AGENCIES} and row.category in {None, offence}
        )
        assert row.count.least <= truth <= (truth if row.count.most is None else row.count.most)
        assert not (row.count.is_exact and 1 <= row.count.least <= 4)
    for name in ("a", "b"):
        year = in_months(found, name, "searches", ["2026-01", "2026-02", "2026-03"]).total
        truth = sum(count for _, agency, _, count in table if agency == name)
        assert year.least <= truth <= (truth if year.most is None else year.most)
        assert not (year.is_exact and 1 <= year.least <= 4)


def test_what_is_of_no_agency_is_told_apart() -> None:
    """A refusal of somebody unknown isn't lost, and isn't put on anybody's account."""
    found = publish(state_of([entry(search(), day="2026-01-02")]))

    assert found["2026-01", "springfield-pd", "searches"].total == published(1)
    assert ("2026-01", "-", "searches") not in found
