"""Rates of comparisons with their uncertainty: what was counted, by whom it can have come about, and how it may vary.

Pure. Each function gives one estimate a threshold; thresholds rise. Intervals need a bootstrap and stay `None` without.
"""

import numpy as np
from numpy.typing import NDArray

from recognizance.evaluation.bootstrap import Rates, SubjectBootstrap
from recognizance.evaluation.intervals import LEVEL, no_narrower
from recognizance.evaluation.measures import Estimate, Interval, Rate
from recognizance.evaluation.tallies import OVERALL, Comparisons
from recognizance.evaluation.trials import cell_of

Thresholds = NDArray[np.float64]


def false_match_estimates(
    comparisons: Comparisons,
    thresholds: Thresholds,
    column: str | None = OVERALL,
    group: int = 0,
    other: int = 0,
    *,
    resampled: Rates | None = None,
) -> tuple[Estimate, ...]:
    """FMR between two groups.

    Args:
        resampled: (t, cells, b) of the same thresholds and column, from `SubjectBootstrap.false_match_rates`.
    """
    trials = comparisons.impostor_trials(column, group, other)
    people = comparisons.impostor_people(column, group, other)
    errors = comparisons.false_matches(thresholds, column, group, other)
    erring = _people_who_err(comparisons, thresholds, column, group, other)
    estimates = []
    for place in range(len(thresholds)):
        rate = Rate(int(errors[place]), trials)
        # Below the tail's floor those in the tail are all that is known of who errs; there are more.
        independent = Rate(min(rate.errors, max(int(erring[place]), min(rate.errors, 1))), people)
        draws = None if resampled is None else resampled[place, cell_of(group, other)]
        estimates.append(Estimate(rate, interval_of(rate, people, draws), independent))
    return tuple(estimates)


def false_non_match_estimates(
    comparisons: Comparisons,
    thresholds: Thresholds,
    column: str | None = OVERALL,
    group: int = 0,
    *,
    bootstrap: SubjectBootstrap | None = None,
) -> tuple[Estimate, ...]:
    """FNMR of a group: of mated comparisons with both images in it."""
    chosen = comparisons.mated_of(column, group)
    scores = comparisons.mated_scores[chosen].astype(np.float64)
    errors = np.searchsorted(scores, thresholds, side="left")
    subjects = comparisons.samples.subjects[comparisons.mated_pairs[chosen, 0]]
    # Scores rise, so the first of each subject is their lowest.
    people, lowest = np.unique(subjects, return_index=True)
    erring = np.searchsorted(np.sort(scores[lowest]), thresholds, side="left")
    resampled = bootstrap.false_non_match_rates(thresholds, column, group) if bootstrap and len(scores) else None
    estimates = []
    for place in range(len(thresholds)):
        rate = Rate(int(errors[place]), len(scores))
        draws = None if resampled is None else resampled[place]
        independent = Rate(int(erring[place]), len(people))
        estimates.append(Estimate(rate, interval_of(rate, len(people), draws), independent))
    return tuple(estimates)


def interval_of(rate: Rate, independent_trials: int, draws: Rates | None, level: float = LEVEL) -> Interval | None:
    """The percentiles of resampled rates, no narrower than Wilson's interval. `None` without a resample or a trial.

    Args:
        draws: (b,) NaN in resamples without a trial.
    """
    if draws is None or rate.trials == 0 or independent_trials == 0:
        return None
    known = draws[~np.isnan(draws)]
    if not known.size:
        return None
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return no_narrower(float(low), float(high), rate, independent_trials, level)


def _people_who_err(
    comparisons: Comparisons, thresholds: Thresholds, column: str | None, group: int, other: int
) -> NDArray[np.int64]:
    """Count the pairs of people in the tail that reach each threshold."""
    tail, grouping = comparisons.tail, comparisons.grouping(column)
    chosen = grouping.cells_of(tail.pairs) == cell_of(group, other)
    pairs, scores = tail.pairs[chosen], tail.scores[chosen].astype(np.float64)
    # As in the tally, a person in two groups counts as one person in each.
    units = comparisons.samples.subjects[pairs].astype(np.int64) * grouping.size + grouping.codes[pairs]
    units.sort(axis=1)
    names = units[:, 0] * (int(units.max(initial=0)) + 1) + units[:, 1]
    # Scores fall, so the first of each pair of people is their highest.
    _, highest = np.unique(names, return_index=True)
    return np.asarray(len(highest) - np.searchsorted(np.sort(scores[highest]), thresholds, side="left"))
