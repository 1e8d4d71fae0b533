"""FMR against FNMR over all thresholds, and the few points of it that people ask for by name.

Pure. DET curve, TMR at a fixed FMR and equal error rate as in ISO/IEC 19795-1:2021; the table from scores to false
match rates that `recognizance.faces.calibration` and decision 0006 are about. Intervals hold a threshold fixed: they
say how its rates vary with other people, not how the threshold would.
"""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from recognizance.evaluation.bootstrap import SubjectBootstrap
from recognizance.evaluation.estimates import Thresholds, false_match_estimates, false_non_match_estimates
from recognizance.evaluation.measures import (
    CalibrationRow,
    Curve,
    CurvePoint,
    EqualErrorRate,
    MatchRateAtFmr,
    Rate,
)
from recognizance.evaluation.rates import allowed_errors, closest_errors, just_above
from recognizance.evaluation.tallies import BINS, OVERALL, Comparisons

POINTS_A_DECADE = 12
"""Points of a DET curve for each tenth part that the FMR falls to: more than a printed line shows."""

ANOTHER_SET = NormalDist().inv_cdf(0.99) * math.sqrt(2.0)
"""Standard deviations that another set of as many people stays within 99 times in 100: two sets vary, not one."""

LEAST_ERRORS = 100
"""A calibration counts no rate from fewer errors: below, one pair of brothers decides (decision 0006)."""


def points_at(
    comparisons: Comparisons,
    thresholds: Thresholds,
    column: str | None = OVERALL,
    group: int = 0,
    *,
    bootstrap: SubjectBootstrap | None = None,
) -> tuple[CurvePoint, ...]:
    """Both errors at each threshold, of everybody or within one group.

    Args:
        thresholds: (t,) strictly rising.

    Raises:
        ValueError: If the thresholds don't rise.
    """
    if (np.diff(thresholds) <= 0).any() or not np.isfinite(thresholds).all():
        raise ValueError("thresholds are finite and rise")
    resampled = bootstrap.false_match_rates(thresholds, column) if bootstrap else None
    fmr = false_match_estimates(comparisons, thresholds, column, group, group, resampled=resampled)
    fnmr = false_non_match_estimates(comparisons, thresholds, column, group, bootstrap=bootstrap)
    return tuple(CurvePoint(float(t), *errors) for t, *errors in zip(thresholds, fmr, fnmr, strict=True))


def det_curve(
    comparisons: Comparisons,
    column: str | None = OVERALL,
    group: int = 0,
    *,
    bootstrap: SubjectBootstrap | None = None,
) -> Curve:
    """The DET curve of everybody or within one group, at the thresholds of `det_thresholds`."""
    thresholds = det_thresholds(comparisons, column, group)
    return Curve(points_at(comparisons, thresholds, column, group, bootstrap=bootstrap))


def det_thresholds(comparisons: Comparisons, column: str | None = OVERALL, group: int = 0) -> Thresholds:
    """Thresholds that spread a curve evenly over the decades of FMR, down to its last error and one beyond.

    Steps in FNMR below them are followed to the highest mated score by its percentiles.
    """
    trials = comparisons.impostor_trials(column, group, group)
    decades = math.log10(trials) if trials else 0.0
    targets = 10.0 ** -np.arange(0.0, decades + 1 / POINTS_A_DECADE, 1 / POINTS_A_DECADE)
    allowed = [*(allowed_errors(target, trials) for target in targets), 0]
    impostor = _lowest_thresholds(comparisons, allowed, column, group)
    mated = comparisons.mated_scores[comparisons.mated_of(column, group)].astype(np.float64)
    beyond = np.quantile(mated, np.linspace(0.0, 1.0, 21), method="lower") if len(mated) else np.zeros(0)
    low, high = comparisons.scale
    least = min(low, *(float(score) for score in beyond), high)
    return np.unique(np.array([*(least if score == -math.inf else score for score in impostor), *beyond]))


def match_rates_at(
    comparisons: Comparisons,
    target_fmrs: tuple[float, ...],
    column: str | None = OVERALL,
    group: int = 0,
    *,
    bootstrap: SubjectBootstrap | None = None,
) -> tuple[MatchRateAtFmr, ...]:
    """TMR at fixed FMRs: 1 - FNMR at the lowest threshold that keeps to each.

    A target below one error in all comparisons has no point: these data can't set that threshold.
    """
    trials = comparisons.impostor_trials(column, group, group)
    if any(not 0.0 < target < 1.0 for target in target_fmrs):
        raise ValueError("target FMRs lie between 0 and 1")
    allowed = [allowed_errors(target, trials) for target in target_fmrs]
    least = _lowest_finite(comparisons)
    lowest = [max(each, least) for each in _lowest_thresholds(comparisons, allowed, column, group)]
    thresholds = np.unique(np.array(lowest))
    points = {
        point.threshold: point for point in points_at(comparisons, thresholds, column, group, bootstrap=bootstrap)
    }
    return tuple(
        MatchRateAtFmr(target, points[threshold] if errors else None)
        for target, errors, threshold in zip(target_fmrs, allowed, lowest, strict=True)
    )


def equal_errors(comparisons: Comparisons, column: str | None = OVERALL, group: int = 0) -> EqualErrorRate | None:
    """Where FMR and FNMR come closest. `None` without mated or without impostor comparisons.

    Looked for at every score in the tail, every mated score, and, below the tail's floor, the edges of its bins.
    """
    chosen = comparisons.mated_of(column, group)
    mated = comparisons.mated_scores[chosen].astype(np.float64)
    trials = comparisons.impostor_trials(column, group, group)
    if not len(mated) or not trials:
        return None
    tail = comparisons.tail
    edges = np.linspace(*comparisons.scale, BINS + 1)
    thresholds = np.unique(np.concatenate([mated, tail.scores.astype(np.float64), edges[edges <= tail.floor]]))
    return closest_errors(
        thresholds,
        comparisons.false_matches(thresholds, column, group, group),
        trials,
        np.searchsorted(mated, thresholds, side="left"),
        len(mated),
    )


def calibration_table(
    comparisons: Comparisons, scores: Thresholds, bootstrap: SubjectBootstrap
) -> tuple[CalibrationRow, ...]:
    """What scores mean: the FMR counted at each, and the bound that another set of as many people stays under.

    The bound adds to log10 FMR its standard deviation over resampled subjects times `ANOTHER_SET` (decision 0006).
    The table begins with the rate 1 and falls strictly: a score whose bound is not below its predecessor's is left
    out, and so is everything with fewer than `LEAST_ERRORS` errors, which is not measured but extrapolated.

    Args:
        scores: (t,) rising.
    """
    trials = comparisons.impostor_trials()
    errors = comparisons.false_matches(scores)
    deviations = _log_deviations(bootstrap.false_match_rates(scores)[:, 0])
    # Below the tail's floor nothing is resampled. There, rates are high and vary least; the first one above stands in.
    known = np.flatnonzero(np.isfinite(deviations))
    rows: list[CalibrationRow] = []
    for place, score in enumerate(scores):
        if errors[place] < LEAST_ERRORS or not known.size:
            break
        deviation = deviations[max(place, known[0])]
        bound = min(1.0, errors[place] / trials * 10.0 ** (ANOTHER_SET * deviation))
        if rows and bound >= rows[-1].fmr_bound:
            if rows[-1].fmr_bound < 1.0:
                continue
            rows.pop()
        rows.append(CalibrationRow(float(score), Rate(int(errors[place]), trials), float(bound)))
    return tuple(rows)


def _log_deviations(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """The standard deviation of log10 of rates over resamples; infinite where most resamples have no error."""
    deviations = np.full(len(rates), np.inf)
    for place, row in enumerate(rates):
        positive = row[row > 0]
        if len(positive) > len(row) / 2:
            deviations[place] = np.log10(positive).std(ddof=1)
    return deviations


def _lowest_thresholds(comparisons: Comparisons, allowed: list[int], column: str | None, group: int) -> list[float]:
    """The lowest thresholds with at most so many false matches in a group: exact in the tail, else a bin's edge.

    -inf where every comparison may match.
    """
    trials = comparisons.impostor_trials(column, group, group)
    scores = comparisons.tail_scores(column, group, group)
    floor = comparisons.tail.floor
    edges = np.linspace(*comparisons.scale, BINS + 1)
    edges = edges[edges <= floor]
    reached = comparisons.false_matches(edges, column, group, group)

    def lowest(errors: int) -> float:
        if errors >= trials:
            return -math.inf
        if errors < len(scores):
            return just_above(float(scores[errors]))
        enough = reached <= errors
        return float(edges[np.argmax(enough)]) if enough.any() else just_above(floor)

    return [lowest(errors) for errors in allowed]


def _lowest_finite(comparisons: Comparisons) -> float:
    low, _ = comparisons.scale
    mated = comparisons.mated_scores
    return min(low, float(mated[0])) if len(mated) else low
