"""What the rates would have been with other people like these: subjects are resampled, with all of their images.

Comparisons are not independent of each other, people are. So each resample draws as many subjects as took part, with
replacement; a comparison counts as often as the subject in it was drawn, and one of two subjects as often as the
product of both. Copies of one subject are no impostors of each other. FMR needs no pass over the comparisons for it:
errors are a sum over the pairs that err, trials follow from the design (`trials`).

Pure: the seed comes in. Bickel's two-sample argument for pairs, and why images are not resampled: decision 0035.
"""

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from recognizance.evaluation.tallies import OVERALL, Comparisons
from recognizance.evaluation.trials import Weights, pair_sums

RESAMPLES = 1_000
"""The fewest whose 2.5th and 97.5th percentile are worth reading (Efron and Tibshirani 1993, 13.3)."""

_AT_A_TIME = 250
"""Resamples that are worked on at once: 30 MB of sums for 13,000 subjects."""

Rates = NDArray[np.float64]
"""Rates by resample on the last axis; NaN in resamples without a trial."""


def draw_subjects(taking_part: NDArray[np.int32], subjects: int, *, resamples: int, seed: int) -> Weights:
    """Say how often each resample draws each subject.

    Args:
        taking_part: Codes of the subjects to draw from, each once.
        subjects: One more than the highest code.

    Returns:
        (subjects, resamples) int16; each column adds up to the number of those taking part.

    Raises:
        ValueError: If nobody takes part, or there is no resample.
    """
    if not len(taking_part) or resamples < 1:
        raise ValueError("a bootstrap needs somebody to draw, and a resample")
    generator = np.random.default_rng(seed)
    weights = np.zeros((subjects, resamples), dtype=np.int16)
    for resample in range(resamples):
        drawn = generator.integers(len(taking_part), size=len(taking_part))
        weights[taking_part, resample] = np.bincount(drawn, minlength=len(taking_part))
    return weights


def resampled_rates(errors: NDArray[np.float64], trials: NDArray[np.float64], weights: Weights) -> Rates:
    """Rates of trials that belong to one subject each.

    Args:
        errors: (t, s) errors of each subject at each of t thresholds.
        trials: (s,) or (t, s)

    Returns:
        (t, b)
    """
    parts = []
    for drawn in _chunks(weights):
        with np.errstate(invalid="ignore"):
            parts.append((errors @ drawn) / (trials @ drawn))
    return np.concatenate(parts, axis=-1)


class SubjectBootstrap:
    """Resampled error rates of one set of comparisons; one seed, so the same resamples for every threshold and group.

    Args:
        resamples: `RESAMPLES` or more for what is published.

    Raises:
        ValueError: If nothing was compared.
    """

    def __init__(self, comparisons: Comparisons, *, seed: int, resamples: int = RESAMPLES) -> None:
        self._comparisons = comparisons
        self._subjects = comparisons.samples.subjects
        present = np.unique(self._subjects[comparisons.design.samples()])
        number = int(self._subjects.max(initial=-1)) + 1
        self.weights = draw_subjects(present, number, resamples=resamples, seed=seed)
        self._trials = cache(self._count_trials)

    def false_match_rates(self, thresholds: NDArray[np.float64], column: str | None = OVERALL) -> Rates:
        """FMR by threshold, pair of groups and resample. NaN at and below the tail's floor: no pairs are kept there.

        Args:
            thresholds: (t,) rising.

        Returns:
            (t, cells, b)
        """
        tail, grouping = self._comparisons.tail, self._comparisons.grouping(column)
        cells = grouping.cells_of(tail.pairs)
        # Each pair counts at the highest threshold that it reaches, and then at all below.
        reached = np.searchsorted(thresholds, tail.scores.astype(np.float64), side="right") - 1
        places = np.where((cells < 0) | (reached < 0), -1, reached * grouping.cells + cells)
        shape = (len(thresholds), grouping.cells, self.weights.shape[1])
        sums = pair_sums(tail.pairs, places, shape[0] * shape[1], self._subjects, self.weights).reshape(shape)
        errors = sums[::-1].cumsum(axis=0)[::-1]
        with np.errstate(invalid="ignore", divide="ignore"):
            rates = errors / self._trials(column)
        rates[thresholds <= tail.floor] = np.nan
        return np.asarray(rates)

    def false_non_match_rates(self, thresholds: NDArray[np.float64], column: str | None, group: int) -> Rates:
        """FNMR of one group by threshold, which rise, and resample: (t, b)."""
        comparisons = self._comparisons
        chosen = comparisons.mated_of(column, group)
        subjects = self._subjects[comparisons.mated_pairs[chosen, 0]]
        # A score errs at every threshold above it, from the first one on.
        first = np.searchsorted(thresholds, comparisons.mated_scores[chosen].astype(np.float64), side="right")
        errors = np.zeros((len(thresholds) + 1, len(self.weights)))
        np.add.at(errors, (first, subjects), 1.0)
        trials = np.bincount(subjects, minlength=len(self.weights)).astype(np.float64)
        return resampled_rates(errors[:-1].cumsum(axis=0), trials, self.weights)

    def _count_trials(self, column: str | None) -> NDArray[np.float64]:
        comparisons = self._comparisons
        grouping = comparisons.grouping(column)
        return np.concatenate(
            [
                comparisons.design.weighted_impostors(part, self._subjects, grouping, comparisons.mated_pairs)
                for part in _parts(self.weights)
            ],
            axis=1,
        )


def _parts(weights: Weights) -> Iterator[Weights]:
    for start in range(0, weights.shape[1], _AT_A_TIME):
        yield weights[:, start : start + _AT_A_TIME]


def _chunks(weights: Weights) -> Iterator[NDArray[np.float64]]:
    for part in _parts(weights):
        yield part.astype(np.float64)
