"""Errors of one-to-many search: strangers who are taken for somebody, and people who are missed, by gallery size.

Galleries of several sizes are one order of enrolment, cut off at each size; so a larger gallery holds the smaller, and
all sizes are counted in one pass over the scores of probes with enrolled images. A probe whose subject is enrolled only
beyond a size is a stranger to the gallery of that size.

Candidates are people: a person's best image counts. A candidate with the same score as the mate ranks before them.
An engine that failed to compare returns nothing: that misses a mate, and is no false positive.

Pure. FPIR(N, T), FNIR(N, R, T) and CMC as in ISO/IEC 19795-1:2021 and NISTIR 8271.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizance.evaluation.bootstrap import RESAMPLES, draw_subjects, resampled_rates
from recognizance.evaluation.estimates import interval_of
from recognizance.evaluation.intervals import estimate_independent
from recognizance.evaluation.kernels import merge_best, search_block
from recognizance.evaluation.measures import Estimate, GroupRate, GroupRates, Identification, RankRate, Rate
from recognizance.evaluation.rates import threshold_at_fmr
from recognizance.evaluation.samples import SampleNumbers, Samples, ScoreBlock, Scores
from recognizance.evaluation.trials import Weights

MOST_RANKS = 50
"""Ranks that a curve is followed to unless asked otherwise; a reviewer is shown fewer candidates."""

_NOBODY = -1


@dataclass(frozen=True, slots=True, eq=False)
class Searches:
    """Every probe's search in the gallery of one size.

    Attributes:
        probes: (p,) sample numbers.
        mated: (p,) whether the probe's subject is enrolled.
        mate_scores: (p,) the best score of the probe's own subject; -inf where nobody was compared.
        best_other: (p,) the best score of anybody else; -inf likewise.
        ahead: (p,) how many other people score at least as high as the mate, counted up to `ranks`.
    """

    gallery_faces: int
    gallery_subjects: int
    probes: SampleNumbers
    mated: NDArray[np.bool_]
    mate_scores: Scores
    best_other: Scores
    ahead: NDArray[np.int32]
    ranks: int


class SearchTally:
    """Counts scores of probes (rows) with enrolled images (columns), in blocks of any shape and order.

    Args:
        gallery: (g,) sample numbers in the order of enrolment.
        sizes: Enrolled images of each gallery, rising; the last is at most g.
        ranks: How far the mate's rank is followed. Memory: 8 bytes a probe, size and rank.

    Raises:
        ValueError: If the sizes don't rise within the gallery, or an image is enrolled twice.
    """

    def __init__(
        self,
        samples: Samples,
        probes: SampleNumbers,
        gallery: SampleNumbers,
        sizes: tuple[int, ...],
        *,
        ranks: int = MOST_RANKS,
    ) -> None:
        if not sizes or sizes[0] < 1 or sizes[-1] > len(gallery) or (np.diff(sizes) <= 0).any() or ranks < 1:
            raise ValueError(f"sizes {sizes} don't rise within a gallery of {len(gallery)}")
        if len(np.unique(gallery)) != len(gallery) or len(np.unique(probes)) != len(probes):
            raise ValueError("an image is enrolled once and searched for once")
        self._samples = samples
        self._probes = probes
        self._gallery = gallery
        self._sizes = sizes
        self._rows = _places(len(samples), probes)
        self._columns = _places(len(samples), gallery)
        shape = (len(sizes), len(probes))
        self._mates = np.full(shape, -np.inf, dtype=np.float32)
        self._best_scores = np.full((*shape, ranks), -np.inf, dtype=np.float32)
        self._best_subjects = np.full((*shape, ranks), _NOBODY, dtype=np.int32)

    def add(self, block: ScoreBlock) -> None:
        """Count a block. Each comparison belongs to one block; a probe is never compared with its own image.

        Raises:
            ValueError: If a row isn't a probe, or a column isn't enrolled.
        """
        rows, columns = self._rows[block.rows], self._columns[block.columns]
        if (rows < 0).any() or (columns < 0).any():
            raise ValueError("a block has a row that isn't searched for, or a column that isn't enrolled")
        counted = (block.rows[:, np.newaxis] != block.columns) & ~np.isnan(block.scores)
        if block.compared is not None:
            counted &= block.compared
        search_block(
            np.ascontiguousarray(block.scores),
            counted,
            rows,
            self._samples.subjects[block.rows],
            np.searchsorted(np.array(self._sizes), columns, side="right"),
            self._samples.subjects[block.columns],
            self._mates,
            self._best_scores,
            self._best_subjects,
        )

    def result(self) -> tuple[Searches, ...]:
        """The searches in the gallery of each size, as far as blocks were added."""
        found = []
        scores, subjects = np.full_like(self._best_scores[0], -np.inf), np.full_like(self._best_subjects[0], _NOBODY)
        for part, size in enumerate(self._sizes):
            merge_best(self._best_scores[part], self._best_subjects[part], scores, subjects)
            mates = self._mates[: part + 1].max(axis=0)
            ahead = np.count_nonzero(scores >= mates[:, np.newaxis], axis=1)
            ranks = scores.shape[1]
            found.append(
                Searches(
                    gallery_faces=size,
                    gallery_subjects=len(np.unique(self._samples.subjects[self._gallery[:size]])),
                    probes=self._probes,
                    mated=self._mated(size),
                    mate_scores=mates,
                    best_other=scores[:, 0].copy(),
                    ahead=np.where(mates == -np.inf, ranks, ahead).astype(np.int32),
                    ranks=ranks,
                )
            )
        return tuple(found)

    def _mated(self, size: int) -> NDArray[np.bool_]:
        """Whether another image of each probe's subject is among the first of the gallery."""
        subjects = self._samples.subjects
        enrolled = self._gallery[:size]
        images = np.bincount(subjects[enrolled], minlength=int(subjects.max(initial=0)) + 1)
        itself = np.isin(self._probes, enrolled)
        return np.asarray(images[subjects[self._probes]] > itself)


def draw_probes(samples: Samples, searches: Searches, *, seed: int, resamples: int = RESAMPLES) -> Weights:
    """Resample the people who are searched for, with all of their probes."""
    present = np.unique(samples.subjects[searches.probes])
    return draw_subjects(present, int(samples.subjects.max()) + 1, resamples=resamples, seed=seed)


def identification(
    samples: Samples,
    searches: Searches,
    threshold: float,
    *,
    rank: int = 1,
    ranks: tuple[int, ...] = (1, 5, 10, 20, 50),
    weights: Weights | None = None,
) -> Identification:
    """Both errors of the searches at one threshold, overall and by the probes' groups, and the mates' ranks.

    Intervals are about the people searched for and hold the gallery fixed: other enrolled people would give others.

    Args:
        rank: A mate counts as found among so many candidates.
        ranks: Those of the curve that the searches were followed to; others are left out.
        weights: From `draw_probes`; without, only rates of which every person was searched for once have intervals.

    Raises:
        ValueError: If the searches weren't followed to `rank`.
    """
    if not 1 <= rank <= searches.ranks:
        raise ValueError(f"the mates' ranks were followed to {searches.ranks}, not to {rank}")
    strangers, accepted = ~searches.mated, searches.best_other >= np.float64(threshold)
    missed = (searches.mate_scores < np.float64(threshold)) | (searches.ahead >= rank)
    subjects = samples.subjects[searches.probes]

    def by_group(trials: NDArray[np.bool_], errors: NDArray[np.bool_]) -> tuple[GroupRates, ...]:
        found = []
        for column, (codes, names) in samples.groups.items():
            groups = codes[searches.probes]
            rates = []
            for group, name in enumerate(names):
                chosen = trials & (groups == group)
                estimate = estimate_searches(subjects, chosen, errors, weights)
                rates.append(GroupRate(name, len(np.unique(subjects[chosen])), estimate))
            found.append(GroupRates(column, tuple(rates)))
        return tuple(found)

    return Identification(
        gallery_faces=searches.gallery_faces,
        gallery_subjects=searches.gallery_subjects,
        threshold=threshold,
        rank=rank,
        fpir=estimate_searches(subjects, strangers, accepted, weights),
        fnir=estimate_searches(subjects, searches.mated, missed, weights),
        ranks=tuple(
            RankRate(each, estimate_searches(subjects, searches.mated, searches.ahead >= each, weights))
            for each in ranks
            if each <= searches.ranks
        ),
        fpir_by_group=by_group(strangers, accepted),
        fnir_by_group=by_group(searches.mated, missed),
    )


def threshold_at_fpir(searches: Searches, target_fpir: float) -> float:
    """The lowest threshold at which at most this share of the searches for strangers returns anybody.

    Raises:
        ValueError: If nobody unenrolled was searched for, or the target is no rate.
    """
    return threshold_at_fmr(searches.best_other[~searches.mated], target_fpir)


def estimate_searches(
    subjects: NDArray[np.int32], trials: NDArray[np.bool_], errors: NDArray[np.bool_], weights: Weights | None
) -> Estimate:
    """The rate of errors among the searches that are trials: Wilson's interval where each is for another person.

    Args:
        subjects: (p,) like `trials` and `errors`; an error that is no trial doesn't count.
    """
    errors = trials & errors
    rate = Rate(int(np.count_nonzero(errors)), int(np.count_nonzero(trials)))
    independent = Rate(len(np.unique(subjects[errors])), len(np.unique(subjects[trials])))
    if independent.trials == rate.trials:
        return estimate_independent(rate)
    if weights is None:
        return Estimate(rate, None, independent)
    counts = [np.bincount(subjects[which], minlength=len(weights)).astype(np.float64) for which in (errors, trials)]
    resampled = resampled_rates(counts[0][np.newaxis], counts[1], weights)[0]
    return Estimate(rate, interval_of(rate, independent.trials, resampled), independent)


def _places(number: int, samples: SampleNumbers) -> NDArray[np.int64]:
    """The place of each sample among `samples`; -1 for others."""
    places = np.full(number, -1, dtype=np.int64)
    places[samples] = np.arange(len(samples))
    return places
