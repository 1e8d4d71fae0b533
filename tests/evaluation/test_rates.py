"""The plain definitions, by hand, by properties and against scikit-learn."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from sklearn.metrics import det_curve, roc_curve

from recognizance.evaluation.measures import Rate
from recognizance.evaluation.rates import (
    equal_error_rate,
    failure_to_acquire,
    false_match_rate,
    false_non_match_rate,
    threshold_at_fmr,
)

Scores = NDArray[np.float32]

score = st.floats(-1, 1, width=32)
few = st.sampled_from([np.float32(step) / 8 for step in range(-8, 9)])
some_scores = arrays.arrays(np.float32, st.integers(1, 60), elements=st.one_of(score, few))
thresholds = st.floats(-1.5, 1.5)

MATED = np.array([0.2, 0.5, 0.6, 0.7, 0.9], dtype=np.float32)
IMPOSTOR = np.array([-0.3, -0.1, 0.0, 0.1, 0.3, 0.4, 0.5, 0.65], dtype=np.float32)


def test_errors_are_counted_as_by_hand() -> None:
    """At 0.5, which counts as accepted: impostors 0.5 and 0.65 of eight; the mated 0.2 of five is missed."""
    assert false_match_rate(IMPOSTOR, 0.5) == Rate(2, 8)
    assert false_non_match_rate(MATED, 0.5) == Rate(1, 5)
    assert failure_to_acquire(5151, 1) == Rate(1, 5151)


def test_a_threshold_is_not_rounded_to_a_score() -> None:
    """The float32 nearest to 0.3 is 0.300000012: a threshold of 0.3 accepts it, and one a hair above it refuses it."""
    scores = np.array([0.3], dtype=np.float32)

    assert false_match_rate(scores, 0.3).errors == 1
    assert false_match_rate(scores, float(scores[0])).errors == 1
    assert false_match_rate(scores, float(scores[0]) + 1e-12).errors == 0


@given(some_scores, thresholds, thresholds)
def test_rates_are_monotone_in_the_threshold(scores: Scores, one: float, other: float) -> None:
    """A stricter threshold never lets more impostors in, and never finds more mates."""
    loose, strict = sorted((one, other))

    assert false_match_rate(scores, loose).errors >= false_match_rate(scores, strict).errors
    assert false_non_match_rate(scores, loose).errors <= false_non_match_rate(scores, strict).errors


@given(some_scores, thresholds, st.integers(0, 99))
def test_the_order_of_scores_changes_nothing(scores: Scores, threshold: float, seed: int) -> None:
    """Counts, thresholds and the equal error rate belong to a set of scores."""
    turned = np.random.default_rng(seed).permutation(scores)

    assert false_match_rate(scores, threshold) == false_match_rate(turned, threshold)
    assert false_non_match_rate(scores, threshold) == false_non_match_rate(turned, threshold)
    assert equal_error_rate(scores, scores) == equal_error_rate(turned, turned)
    assert threshold_at_fmr(scores, 0.1) == threshold_at_fmr(turned, 0.1)


@given(some_scores, thresholds)
def test_complements_add_up(scores: Scores, threshold: float) -> None:
    """A score is either accepted or refused: the same scores as impostors and as mates leave none over."""
    accepted, refused = false_match_rate(scores, threshold), false_non_match_rate(scores, threshold)

    assert accepted.errors + refused.errors == len(scores)
    assert accepted.complement == refused


@given(some_scores, some_scores)
def test_rates_are_scikit_learns(mated: Scores, impostor: Scores) -> None:
    """At every threshold of its curves, and it has one for each score that matters."""
    labels = np.r_[np.ones(len(mated)), np.zeros(len(impostor))]
    scores = np.r_[mated, impostor]

    fmr, tmr, at = roc_curve(labels, scores, drop_intermediate=False)
    for threshold, *theirs in zip(at[1:].tolist(), fmr[1:], tmr[1:], strict=True):
        ours = false_match_rate(impostor, threshold).value, false_non_match_rate(mated, threshold).complement.value
        assert ours == pytest.approx(theirs)


def test_det_points_are_scikit_learns() -> None:
    """Its DET curve of the scores above, point by point."""
    labels = np.r_[np.ones(len(MATED)), np.zeros(len(IMPOSTOR))]

    fmr, fnmr, at = det_curve(labels, np.r_[MATED, IMPOSTOR])

    assert len(at) > 5
    for threshold, *theirs in zip(at.tolist(), fmr, fnmr, strict=True):
        if math.isfinite(threshold):
            ours = false_match_rate(IMPOSTOR, threshold).value, false_non_match_rate(MATED, threshold).value
            assert ours == pytest.approx(theirs)


@given(some_scores, st.floats(0, 1))
def test_a_threshold_at_an_fmr_is_the_lowest_that_keeps_to_it(scores: Scores, target: float) -> None:
    """It keeps to the target, and the next float32 below doesn't."""
    threshold = threshold_at_fmr(scores, target)

    if threshold == -math.inf:
        assert target == pytest.approx(1.0)
    else:
        below = float(np.nextafter(np.float32(threshold), np.float32(-np.inf)))
        assert false_match_rate(scores, threshold).errors <= target * len(scores) * (1 + 1e-9)
        assert false_match_rate(scores, below).errors > target * len(scores)


def test_a_target_that_is_a_whole_number_of_errors_allows_them() -> None:
    """0.07 of 100 is 7, although 0.07 * 100 is 7.000000000000001 and 0.29 * 100 is 28.999999999999996."""
    scores = (np.arange(100) / 100).astype(np.float32)

    assert false_match_rate(scores, threshold_at_fmr(scores, 0.07)).errors == 7
    assert false_match_rate(scores, threshold_at_fmr(scores, 0.29)).errors == 29


def test_the_equal_error_rate_is_found_by_hand() -> None:
    """At 0.5 FMR is 2/8 and FNMR 1/5, a gap of 0.05; at 0.4 they are 3/8 and 1/5, at 0.6 1/8 and 2/5."""
    found = equal_error_rate(MATED, IMPOSTOR)

    assert (found.threshold, found.fmr, found.fnmr) == (0.5, Rate(2, 8), Rate(1, 5))
    assert found.value == pytest.approx((0.25 + 0.2) / 2)


@given(some_scores, some_scores)
def test_no_threshold_brings_both_errors_closer(mated: Scores, impostor: Scores) -> None:
    """Every score is tried again, one by one."""
    found = equal_error_rate(mated, impostor)

    gap = abs(found.fmr.errors / found.fmr.trials - found.fnmr.errors / found.fnmr.trials)
    for threshold in np.r_[mated, impostor].tolist():
        fmr, fnmr = false_match_rate(impostor, threshold), false_non_match_rate(mated, threshold)
        assert gap <= abs(fmr.errors / fmr.trials - fnmr.errors / fnmr.trials) + 1e-12


def test_scores_that_are_none_are_refused() -> None:
    """A failure is counted apart and never as a score."""
    broken = np.array([0.1, np.nan], dtype=np.float32)
    empty = np.zeros(0, dtype=np.float32)

    with pytest.raises(ValueError, match="without NaN"):
        false_match_rate(broken, 0.5)
    with pytest.raises(ValueError, match="needs scores"):
        threshold_at_fmr(empty, 0.1)
    with pytest.raises(ValueError, match="needs mated and impostor"):
        equal_error_rate(empty, MATED)
