"""Error rates of scores that fit into memory: the definitions, as plainly as they can be counted.

Pure. `tallies` counts the same of a hundred million comparisons; tests hold it to these. ISO/IEC 19795-1:2021: FMR,
FNMR, failure to acquire, equal error rate. A score equal to the threshold is accepted
everywhere; they are compared in double precision, so that no threshold is rounded to a score.
"""

import math

import numpy as np
from numpy.typing import NDArray

from recognizance.evaluation.measures import EqualErrorRate, Rate
from recognizance.evaluation.samples import Scores


def false_match_rate(impostor_scores: Scores, threshold: float) -> Rate:
    """Count the comparisons of different people that reach `threshold`.

    Args:
        impostor_scores: (n,) float32, in any order; none may be NaN.

    >>> false_match_rate(np.array([-0.1, 0.2, 0.5, 0.7], dtype=np.float32), 0.5)
    Rate(errors=2, trials=4)
    """
    _check(impostor_scores)
    return Rate(int(np.count_nonzero(impostor_scores >= np.float64(threshold))), len(impostor_scores))


def false_non_match_rate(mated_scores: Scores, threshold: float) -> Rate:
    """Count the comparisons of one person with themselves that stay below `threshold`.

    >>> false_non_match_rate(np.array([0.4, 0.5, 0.9], dtype=np.float32), 0.5)
    Rate(errors=1, trials=3)
    """
    _check(mated_scores)
    return Rate(int(np.count_nonzero(mated_scores < np.float64(threshold))), len(mated_scores))


def failure_to_acquire(samples: int, failures: int) -> Rate:
    """The samples of which no template could be made, among all (FTA)."""
    return Rate(failures, samples)


def threshold_at_fmr(impostor_scores: Scores, target_fmr: float) -> float:
    """The lowest threshold that lets through at most the share `target_fmr` of these comparisons.

    It lies just above the first score that is one too many: the next float32. -inf where any threshold will do. Where
    `target_fmr` is below one in all comparisons, it is the lowest without any error, which proves much less than its
    name says.

    Raises:
        ValueError: If there is no score, one is NaN, or the target is no rate.

    >>> scores = np.array([0.1, 0.2, 0.3, 0.4], dtype=np.float32)
    >>> 0.3 < threshold_at_fmr(scores, 0.25) < 0.3001
    True
    """
    _check(impostor_scores)
    if len(impostor_scores) == 0 or not 0.0 <= target_fmr <= 1.0:
        raise ValueError("a threshold needs scores and a target from 0 to 1")
    allowed = allowed_errors(target_fmr, len(impostor_scores))
    if allowed >= len(impostor_scores):
        return -math.inf
    place = len(impostor_scores) - 1 - allowed
    return just_above(float(np.partition(impostor_scores, place)[place]))


def allowed_errors(target_fmr: float, trials: int) -> int:
    """The most errors of `trials` that don't exceed the target: rounded down, but 0.07 of 100 is 7 and not 6."""
    return math.floor(target_fmr * trials * (1 + 1e-12))


def just_above(score: float) -> float:
    """The next float32, so that a score equal to `score` is refused and every higher one accepted."""
    return float(np.nextafter(np.float32(score), np.float32(np.inf)))


def equal_error_rate(mated_scores: Scores, impostor_scores: Scores) -> EqualErrorRate:
    """Where FMR and FNMR come closest, over all thresholds that are a score of these.

    Raises:
        ValueError: If either kind has no score, or one is NaN.
    """
    _check(mated_scores)
    _check(impostor_scores)
    if len(mated_scores) == 0 or len(impostor_scores) == 0:
        raise ValueError("an equal error rate needs mated and impostor scores")
    thresholds = np.unique(np.concatenate([mated_scores, impostor_scores]))
    false_matches = len(impostor_scores) - np.searchsorted(np.sort(impostor_scores), thresholds, side="left")
    false_non_matches = np.searchsorted(np.sort(mated_scores), thresholds, side="left")
    return closest_errors(thresholds, false_matches, len(impostor_scores), false_non_matches, len(mated_scores))


def closest_errors(
    thresholds: NDArray[np.floating],
    false_matches: NDArray[np.int64],
    impostor_trials: int,
    false_non_matches: NDArray[np.int64],
    mated_trials: int,
) -> EqualErrorRate:
    """The first threshold at which both rates are closest; all arrays (t,), thresholds rising."""
    gaps = np.abs(false_matches / impostor_trials - false_non_matches / mated_trials)
    place = int(np.argmin(gaps))
    fmr = Rate(int(false_matches[place]), impostor_trials)
    fnmr = Rate(int(false_non_matches[place]), mated_trials)
    value = (fmr.errors / fmr.trials + fnmr.errors / fnmr.trials) / 2
    return EqualErrorRate(float(thresholds[place]), fmr, fnmr, value)


def _check(scores: Scores) -> None:
    if scores.ndim != 1 or scores.dtype != np.float32 or np.isnan(scores).any():
        raise ValueError("scores are a row of float32 without NaN; failures are counted apart")
