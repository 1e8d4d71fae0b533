"""The evaluation gate: what passes, what fails and for whom, and what stops fitting while a use is active."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizance.errors import ConflictError, InputError
from recognizance.governance.gate import (
    LASTS,
    Bounds,
    Evidence,
    Fitness,
    InUse,
    PublishedEvaluation,
    assess,
)
from recognizance.governance.oversight import Sha256Hex
from recognizance.governance.terms import ErrorLimits, EvaluationId, EvaluationReference
from recognizance.governance.uses import Obstacle, UseEvent, UseState, advance, obstacles
from recognizance.identifiers import ModelId

from ..evidence import GOOD_RATES, bounds, rates
from ..uses_in_states import terms_with, use_in

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MODEL, RULE, COMMITMENT = ModelId("sface@1"), Sha256Hex("aa" * 32), Sha256Hex("1e" * 32)
LIMITS = ErrorLimits(fpir=0.01)


def score_at(similarity_pct: float, faces: int) -> float:
    """A scale that a reader can follow: 85 is 0.85, and each face adds a millionth."""
    return similarity_pct / 100 + faces / 1_000_000


IN_USE = InUse(MODEL, RULE, 0.01, score_at)
PUBLISHED = PublishedEvaluation(
    id=EvaluationId("lab-2026"),
    report_sha256=COMMITMENT,
    model=MODEL,
    threshold=0.852,
    gallery_faces=2_000,
    rates=GOOD_RATES,
    tester="a laboratory",
    is_independent=True,
    rule_sha256=RULE,
    completed=NOW - timedelta(days=10),
    published=NOW - timedelta(days=9),
    expires=NOW + timedelta(days=300),
)


def held(
    published: PublishedEvaluation | None = PUBLISHED,
    in_use: InUse | None = IN_USE,
    *,
    limits: ErrorLimits | None = LIMITS,
    **changes: Any,
) -> Evidence:
    reference = None if limits is None else EvaluationReference(EvaluationId("lab-2026"), COMMITMENT, limits)
    said: dict[str, Any] = {"floor_pct": 85.0, "searches": True, "gallery_faces": 2_000, "now": NOW}
    return assess(reference, published, in_use, **{**said, **changes})


def with_rates(group: str = "sex:female", **changes: Bounds | None) -> PublishedEvaluation:
    """One group's rates are others; all else is as good as ever."""
    others = tuple(each for each in GOOD_RATES if each.group != group)
    return replace(PUBLISHED, rates=(*others, rates(group, **changes)))


COMPARED = replace(PUBLISHED, threshold=0.85, gallery_faces=None)
OUTCOMES = {
    "everything fits": (held(), Fitness.PASSED),
    "none is named": (held(limits=None), Fitness.NONE),
    "nothing was published": (held(None), Fitness.UNPUBLISHED),
    "another one was published": (held(replace(PUBLISHED, report_sha256=Sha256Hex("2f" * 32))), Fitness.UNPUBLISHED),
    "the last moment": (held(now=PUBLISHED.expires - timedelta(microseconds=1)), Fitness.PASSED),
    "its end": (held(now=PUBLISHED.expires), Fitness.EXPIRED),
    "another model runs": (held(in_use=replace(IN_USE, model=ModelId("sface@2"))), Fitness.OTHER_MODEL),
    "nobody knows what runs": (held(in_use=None), Fitness.OTHER_MODEL),
    "the rule has changed": (held(in_use=replace(IN_USE, rule_sha256=Sha256Hex("bb" * 32))), Fitness.OTHER_THRESHOLD),
    "a lower floor": (held(floor_pct=84.0), Fitness.OTHER_THRESHOLD),
    "a higher floor": (held(floor_pct=86.0), Fitness.OTHER_THRESHOLD),
    "a rounded score": (held(replace(PUBLISHED, threshold=0.8525)), Fitness.PASSED),
    "one face more": (held(gallery_faces=2_001), Fitness.OUTGROWN),
    "an empty gallery": (held(gallery_faces=0), Fitness.PASSED),
    "a group is beyond": (held(with_rates(fpir=bounds(200, 10_000))), Fitness.FAILED),
    "everybody is beyond": (held(with_rates("everybody", fpir=bounds(200, 10_000))), Fitness.FAILED),
    "a group misses too many": (held(with_rates(fnir=bounds(201, 10_000))), Fitness.FAILED),
    "too few were tried": (held(with_rates(fpir=bounds(0, 100))), Fitness.INSUFFICIENT_EVIDENCE),
    "too few were missed to tell": (held(with_rates(fnir=bounds(1, 60))), Fitness.INSUFFICIENT_EVIDENCE),
    "a group was not measured": (held(with_rates(fpir=None)), Fitness.INSUFFICIENT_EVIDENCE),
    "no groups": (held(replace(PUBLISHED, rates=GOOD_RATES[:1])), Fitness.INSUFFICIENT_EVIDENCE),
    "one group": (held(replace(PUBLISHED, rates=GOOD_RATES[:2])), Fitness.INSUFFICIENT_EVIDENCE),
    "a rate at its limit, of which the interval is not": (
        held(with_rates(fnir=bounds(200, 10_000))),
        Fitness.INSUFFICIENT_EVIDENCE,
    ),
    "FMR is limited too, and kept": (held(limits=ErrorLimits(fmr=0.001, fpir=0.01)), Fitness.PASSED),
    "FMR is limited too, and not kept": (held(limits=ErrorLimits(fmr=0.000001, fpir=0.01)), Fitness.FAILED),
    "Virginia's share, lowered by a vote": (
        held(with_rates(fnir=bounds(201, 10_000)), limits=ErrorLimits(fpir=0.01, least_true_positives=0.9)),
        Fitness.PASSED,
    ),
    "nothing was searched": (held(COMPARED), Fitness.INSUFFICIENT_EVIDENCE),
    "comparisons for a use that compares": (
        held(COMPARED, limits=ErrorLimits(fmr=0.001), searches=False, gallery_faces=0),
        Fitness.PASSED,
    ),
    "a use that compares misses too many": (
        held(
            replace(COMPARED, rates=(*GOOD_RATES[:2], rates("sex:male", fnmr=bounds(300, 10_000)))),
            limits=ErrorLimits(fmr=0.001),
            searches=False,
        ),
        Fitness.FAILED,
    ),
}


@pytest.mark.parametrize("case", OUTCOMES)
def test_the_gate_comes_to_what_is_written_here(case: str) -> None:
    """Only what fits in everything passes; each other outcome has its name."""
    evidence, expected = OUTCOMES[case]

    assert evidence.fitness is expected
    assert bool(evidence.shortfalls) == (expected not in {Fitness.PASSED, Fitness.NONE})


def test_a_failure_names_the_group_and_the_figures() -> None:
    """Counts, rate, interval and limit, so that whoever is refused knows for whom it errs too often."""
    evidence = held(with_rates(fpir=Bounds(213, 10_000, 0.0186, 0.0243)))

    assert evidence.shortfalls == (
        "FPIR of sex:female is 213 of 10000, 2.1 % (1.9 % to 2.4 %); at most 1.0 % is allowed",
    )


def test_every_group_that_fails_is_named() -> None:
    """Nobody has to measure five times to learn of five groups."""
    worse = replace(PUBLISHED, rates=tuple(replace(each, fpir=bounds(200, 10_000)) for each in GOOD_RATES))

    assert [each.split(" is ")[0] for each in held(worse).shortfalls] == [
        "FPIR of everybody",
        "FPIR of sex:female",
        "FPIR of sex:male",
    ]


@given(st.integers(0, 5_000), st.integers(1, 5_000), st.floats(0.0001, 0.5))
def test_what_passes_passes_under_every_looser_limit(errors: int, trials: int, limit: float) -> None:
    """A looser limit never refuses what a stricter one lets through, and no rate above its limit ever passes."""
    found = bounds(min(errors, trials), trials)
    strict = held(with_rates(fpir=found), limits=ErrorLimits(fpir=limit))
    loose = held(with_rates(fpir=found), limits=ErrorLimits(fpir=min(1.0, 2 * limit)))

    assert not (strict.fitness is Fitness.PASSED and loose.fitness is not Fitness.PASSED)
    assert found.rate <= limit or strict.fitness is Fitness.FAILED


@pytest.mark.parametrize(
    ("expires", "why"),
    [(PUBLISHED.completed, "365 days"), (PUBLISHED.completed + LASTS + timedelta(seconds=1), "365 days")],
)
def test_no_evaluation_counts_for_ever(expires: datetime, why: str) -> None:
    """A year from its completion is the most, and an end before its beginning is none."""
    with pytest.raises(InputError, match=why):
        replace(PUBLISHED, expires=expires)


@pytest.mark.parametrize(
    ("errors", "trials", "low", "high"),
    [(1, 0, 0.0, 1.0), (2, 1, 0.0, 1.0), (5, 10, 0.6, 0.9), (5, 10, 0.1, 0.4), (0, 10, -0.1, 0.3)],
)
def test_a_rate_outside_its_interval_is_no_rate(errors: int, trials: int, low: float, high: float) -> None:
    """Bounds that contradict their counts can't be built."""
    with pytest.raises(InputError):
        Bounds(errors, trials, low, high)


@pytest.mark.parametrize("limits", [{"fpir": None, "fmr": 0.001}, {"fpir": 1.5}, {"fpir": 0.01, "fmr": -0.1}, {}])
def test_terms_state_limits_that_mean_something(limits: dict[str, float | None]) -> None:
    """A use that searches limits FPIR, and every limit is a rate."""
    with pytest.raises(InputError):
        terms_with(evaluation=EvaluationReference(EvaluationId("lab-2026"), COMMITMENT, ErrorLimits(**limits)))  # type: ignore[arg-type]


@pytest.mark.parametrize("fitness", sorted(set(Fitness) - {Fitness.PASSED}))
def test_nothing_but_a_pass_makes_a_use_active(fitness: Fitness) -> None:
    """The refusal names what the gate found; votes and time don't outweigh it, also after a suspension."""
    use = use_in(UseState.APPROVED)
    start, found = use.terms.starts, Evidence(fitness, ("FPIR of sex:female is too high",))

    assert obstacles(use, UseEvent.ACTIVATE, start, found) == (Obstacle.EVALUATION_UNFIT,)
    with pytest.raises(ConflictError, match="FPIR of sex:female is too high"):
        advance(use, UseEvent.ACTIVATE, start, found)
    assert Obstacle.EVALUATION_UNFIT in obstacles(use_in(UseState.SUSPENDED), UseEvent.REINSTATE, start, found)


def test_a_use_that_names_none_has_no_such_obstacle() -> None:
    """The profile `private` asks for no evaluation; the others refuse such a proposal, and every search under it."""
    use = use_in(UseState.APPROVED, evaluation=None)

    assert advance(use, UseEvent.ACTIVATE, use.terms.starts).state is UseState.ACTIVE
