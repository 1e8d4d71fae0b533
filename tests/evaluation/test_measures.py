"""Values that can't contradict themselves, and what they say of limits."""

import numpy as np
import pytest

from recognizance.evaluation.intervals import estimate_independent
from recognizance.evaluation.measures import (
    Curve,
    CurvePoint,
    Differential,
    Estimate,
    GroupMatrix,
    Histogram,
    Interval,
    IntervalMethod,
    Rate,
    Standing,
    Verdict,
)
from recognizance.evaluation.samples import Samples, ScoreBlock

THREE = np.arange(3, dtype=np.int32)


def test_a_rate_is_counts_before_it_is_a_quotient() -> None:
    """0 of 10 and 0 of 10,000,000 differ; without a trial there is no quotient; errors and complements add up."""
    assert Rate(0, 10) != Rate(0, 10_000_000)
    assert Rate(0, 0).value is None
    assert Rate(1, 4).value == 0.25
    assert Rate(1, 4).complement == Rate(3, 4)
    for errors, trials in ((-1, 4), (5, 4), (0, -1)):
        with pytest.raises(ValueError, match="errors in"):
            Rate(errors, trials)


def test_a_limit_is_kept_only_if_the_upper_bound_keeps_to_it() -> None:
    """Zero of 535 proves 0.72 % and not 0.5 %; 28 of 535 break 1 %, and nothing tried proves nothing."""
    assert estimate_independent(Rate(0, 535)).judge(0.0072) is Verdict.PASSED
    assert estimate_independent(Rate(0, 535)).judge(0.005) is Verdict.INSUFFICIENT_EVIDENCE
    assert estimate_independent(Rate(28, 535)).judge(0.01) is Verdict.FAILED
    assert estimate_independent(Rate(28, 535)).judge(0.06) is Verdict.INSUFFICIENT_EVIDENCE
    assert estimate_independent(Rate(0, 0)).judge(1.0) is Verdict.INSUFFICIENT_EVIDENCE
    assert Estimate(Rate(0, 10), None, Rate(0, 10)).judge(0.5) is Verdict.INSUFFICIENT_EVIDENCE
    with pytest.raises(ValueError, match="no rate"):
        estimate_independent(Rate(0, 535)).judge(1.5)


def test_independent_errors_are_a_part_of_all() -> None:
    """No more of them than there are, and some where there are any."""
    for independent in (Rate(3, 5), Rate(0, 5), Rate(1, 11)):
        with pytest.raises(ValueError, match=r"independent"):
            Estimate(Rate(2, 10), None, independent)


def test_samples_and_blocks_are_checked_where_they_enter() -> None:
    """Types, shapes, codes without names, names twice."""
    with pytest.raises(ValueError, match="int32"):
        Samples(np.arange(3), {})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="subjects"):
        Samples(np.array([-1], dtype=np.int32), {})
    for codes, names in ((THREE, ("a", "b")), (THREE[:2], ("a", "b")), (THREE, ("a", "b", "a")), (THREE - 2, ("a",))):
        with pytest.raises(ValueError, match="'sex'"):
            Samples(THREE, {"sex": (codes, names)})
    scores = np.zeros((3, 2), dtype=np.float32)
    with pytest.raises(ValueError, match="3 rows by 3 columns"):
        ScoreBlock(scores, THREE, THREE)
    with pytest.raises(ValueError, match="float32"):
        ScoreBlock(scores.astype(np.float64), THREE, THREE[:2])
    with pytest.raises(ValueError, match="sample numbers"):
        ScoreBlock(scores, THREE.astype(np.int64), THREE[:2])
    with pytest.raises(ValueError, match="bool"):
        ScoreBlock(scores, THREE, THREE[:2], compared=scores)  # type: ignore[arg-type]


def test_curves_matrices_and_histograms_are_what_they_say() -> None:
    """Curves never turn back, matrices are square and symmetric, histograms have an edge more than counts."""
    one, two = (estimate_independent(Rate(errors, 10)) for errors in (1, 2))
    with pytest.raises(ValueError, match="rising thresholds"):
        Curve((CurvePoint(0.5, two, one), CurvePoint(0.5, one, two)))
    with pytest.raises(ValueError, match="FMR falls"):
        Curve((CurvePoint(0.4, one, two), CurvePoint(0.5, two, two)))
    with pytest.raises(ValueError, match="rows and columns"):
        GroupMatrix("sex", 0.5, ("a", "b"), ((one, two),))
    with pytest.raises(ValueError, match="symmetric"):
        GroupMatrix("sex", 0.5, ("a", "b"), ((one, two), (one, one)))
    with pytest.raises(ValueError, match="edges"):
        Histogram((0.0, 1.0), (1, 2))


def test_intervals_and_differentials_are_in_order() -> None:
    """A low end before a high one, and a value exactly where something was measured."""
    with pytest.raises(ValueError, match="interval"):
        Interval(0.2, 0.1, 0.95, IntervalMethod.WILSON)
    with pytest.raises(ValueError, match="exactly when"):
        Differential(None, Standing.MEASURED)
    with pytest.raises(ValueError, match="exactly when"):
        Differential(1.0, Standing.UNBOUNDED)
    with pytest.raises(ValueError, match="finite"):
        Differential(float("inf"), Standing.MEASURED)
    with pytest.raises(ValueError, match="low end"):
        Differential(1.0, Standing.MEASURED, None, 2.0)
