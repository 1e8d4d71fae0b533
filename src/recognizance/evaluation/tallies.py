"""A hundred million comparisons, counted as they stream by, in a few hundred megabytes.

Mated scores are kept whole, with their samples. Of impostor scores the highest are kept with their samples, a million
unless told otherwise, so that at every threshold above `floor` rates are exact and can be resampled by subject. Below,
there is a histogram for each pair of groups: a threshold there counts as the lower edge of its bin, so a false match
rate is never understated, and overstated by no more than what falls into one bin, 1/8192 of the scale.

Nothing depends on the order of blocks, nor on which sample of a pair is a row and which a column.

Pure. docs/evaluation-formulas.md has what follows from the counts.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recognizance.evaluation.kernels import count_block
from recognizance.evaluation.measures import Histogram, Rate
from recognizance.evaluation.samples import SampleNumbers, Samples, ScoreBlock, Scores
from recognizance.evaluation.trials import Design, Grouping, Pairs, cell_of

BINS = 8_192
"""Bins between the ends of the scale: 2.4e-4 of a cosine, 0.012 of a similarity from 0 to 100."""

TAIL_PAIRS = 1 << 20
"""Impostor pairs kept: above an FMR of 1.2 % of 85 million, and everything of a million. 12 bytes each, twice."""

_MATED_ROOM = 1 << 16

OVERALL = None
"""Instead of a column's name: everybody, whatever their groups."""


@dataclass(frozen=True, slots=True, eq=False)
class Tail:
    """The highest impostor scores, falling.

    Attributes:
        floor: Every impostor score above it is here, and none that isn't above it. -inf when all scores are here.
    """

    scores: Scores
    pairs: Pairs
    floor: float


@dataclass(frozen=True, eq=False)
class Comparisons:
    """What a tally counted.

    Attributes:
        mated_scores: (m,) rising, and the samples they belong to, (m, 2).
        design: Which comparisons were made.
        failures: Comparisons that the engine could not make, mated and impostor: no trials of any rate.
        failure_to_acquire: Samples of which every comparison failed, among those that were to be compared.
    """

    samples: Samples
    scale: tuple[float, float]
    mated_scores: Scores
    mated_pairs: Pairs
    tail: Tail
    design: Design
    mated_failures: int
    impostor_failures: int
    failure_to_acquire: Rate
    _histograms: NDArray[np.int64]
    _distinct: NDArray[np.int64]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.samples.groups)

    def grouping(self, column: str | None = OVERALL) -> Grouping:
        """The groups of a column; everybody is one group of `OVERALL`."""
        return _groupings(self.samples)[self._place(column)]

    def impostor_trials(self, column: str | None = OVERALL, group: int = 0, other: int = 0) -> int:
        """Comparisons of different people between two groups."""
        return int(self._histograms[self._cell(column, group, other)].sum())

    def impostor_people(self, column: str | None = OVERALL, group: int = 0, other: int = 0) -> int:
        """Pairs of people among these, however often compared."""
        return int(self._distinct[self._cell(column, group, other)])

    def false_matches(
        self, thresholds: NDArray[np.float64], column: str | None = OVERALL, group: int = 0, other: int = 0
    ) -> NDArray[np.int64]:
        """Count the impostor comparisons between two groups that reach each threshold. Exact above the tail's floor."""
        histogram = self._histograms[self._cell(column, group, other)]
        reached = np.append(histogram[::-1].cumsum()[::-1], 0)
        low, high = self.scale
        places = np.clip(np.floor((thresholds - low) * (BINS / (high - low))), 0, BINS - 1).astype(np.int64)
        scores = self.tail_scores(column, group, other)
        exact = len(scores) - np.searchsorted(scores[::-1], thresholds, side="left")
        return np.where(thresholds > self.tail.floor, exact, reached[places])

    def tail_scores(self, column: str | None = OVERALL, group: int = 0, other: int = 0) -> Scores:
        """The highest impostor scores between two groups, falling: all above the tail's floor."""
        chosen = np.equal(self.grouping(column).cells_of(self.tail.pairs), cell_of(group, other))
        return np.asarray(self.tail.scores[chosen])

    def mated_of(self, column: str | None = OVERALL, group: int = 0) -> NDArray[np.bool_]:
        """Mark the mated comparisons both of whose samples are in a group: those that count for its FNMR."""
        return np.equal(self.grouping(column).cells_of(self.mated_pairs), cell_of(group, group))

    def histogram(self, bins: int, column: str | None = OVERALL, group: int = 0, other: int = 0) -> Histogram:
        """Impostor scores between two groups; scores beyond the scale are in its end bins.

        Raises:
            ValueError: If `bins` doesn't divide 8,192.
        """
        if BINS % bins:
            raise ValueError(f"{bins} bins don't divide {BINS}")
        counts = self._histograms[self._cell(column, group, other)].reshape(bins, -1).sum(axis=1)
        return Histogram(_edges(self.scale, bins), tuple(counts.tolist()))

    def mated_histogram(self, bins: int, column: str | None = OVERALL, group: int = 0) -> Histogram:
        """Mated scores of a group; those beyond the scale are in its end bins."""
        edges = _edges(self.scale, bins)
        scores = self.mated_scores[self.mated_of(column, group)]
        counts, _ = np.histogram(np.clip(scores, edges[0], edges[-1]), bins=np.array(edges))
        return Histogram(edges, tuple(counts.tolist()))

    def _cell(self, column: str | None, group: int, other: int) -> int:
        groupings = _groupings(self.samples)
        place = self._place(column)
        return sum(grouping.cells for grouping in groupings[:place]) + cell_of(group, other)

    def _place(self, column: str | None) -> int:
        return 0 if column is OVERALL else 1 + self.columns.index(column)


class Tally:
    """Counts blocks of comparisons. Not for several threads at once.

    Args:
        scale: The ends of the engine's scale. Scores beyond are counted in its end bins, and exactly in the tail.
        tail_pairs: How many impostor pairs are kept at least, if there are so many.

    Raises:
        ValueError: If the scale is empty or nothing is kept.
    """

    def __init__(
        self, samples: Samples, *, scale: tuple[float, float] = (-1.0, 1.0), tail_pairs: int = TAIL_PAIRS
    ) -> None:
        low, high = scale
        if not (math.isfinite(low) and math.isfinite(high) and low < high) or tail_pairs < 1:
            raise ValueError("a tally needs a scale that rises between finite ends, and room for a tail")
        self._samples = samples
        self._scale = scale
        self._tail_pairs = tail_pairs
        groupings = _groupings(samples)
        self._codes = np.stack([grouping.codes for grouping in groupings])
        units = [_units(samples.subjects, grouping) for grouping in groupings]
        self._units = np.stack(units)
        cells = [grouping.cells for grouping in groupings]
        self._first_cells = np.cumsum([0, *cells[:-1]]).astype(np.int32)
        self._histograms = np.zeros((sum(cells), BINS), dtype=np.int64)
        self._distinct = np.zeros(sum(cells), dtype=np.int64)
        most = max((int(each.max(initial=0)) + 1 for each in units), default=1)
        self._seen = np.zeros((len(groupings), most * (most + 1) // 16 + 1), dtype=np.uint8)
        self._floor = -math.inf
        self._tail_scores = np.empty(2 * tail_pairs, dtype=np.float32)
        self._tail_pairs_of = np.empty((2 * tail_pairs, 2), dtype=np.int32)
        self._tail_size = 0
        self._mated: list[tuple[Scores, Pairs]] = []
        self._design = Design()
        self._failures = np.zeros(2, dtype=np.int64)
        self._wanted = np.zeros(len(samples), dtype=np.bool_)

    def add(self, block: ScoreBlock) -> None:
        """Count a block.

        Raises:
            ValueError: If a sample isn't among the samples, or is twice among rows or columns, or a score is infinite.
        """
        for numbers in (block.rows, block.columns):
            if numbers.size and not 0 <= numbers.min() <= numbers.max() < len(self._samples):
                raise ValueError(f"a block has samples beyond the {len(self._samples)} of the evaluation")
            if len(np.unique(numbers)) != len(numbers):
                raise ValueError("a block has each sample once among its rows, and once among its columns")
        if np.isinf(block.scores).any():
            raise ValueError("a score is infinite")
        wanted = block.rows[:, np.newaxis] != block.columns
        if block.compared is not None:
            wanted &= block.compared
        failed = np.isnan(block.scores) & wanted
        mated = self._samples.subjects[block.rows][:, np.newaxis] == self._samples.subjects[block.columns]
        self._failures += (np.count_nonzero(failed & mated), np.count_nonzero(failed & ~mated))
        self._wanted[block.rows] |= wanted.any(axis=1)
        self._wanted[block.columns] |= wanted.any(axis=0)
        counted = wanted & ~failed
        self._design.add(block.rows, block.columns, counted)
        # The kernel needs room for a whole row at a time.
        for start in range(0, len(block.columns), self._tail_pairs):
            part = slice(start, start + self._tail_pairs)
            self._count(block.scores[:, part], block.rows, block.columns[part], counted[:, part])

    def result(self) -> Comparisons:
        """What was counted so far. More blocks may follow; this result stays as it is."""
        self._trim()
        order = np.argsort(-self._tail_scores[: self._tail_size], kind="stable")
        tail = Tail(self._tail_scores[order], self._tail_pairs_of[order], self._floor)
        mated_scores = np.concatenate([np.zeros(0, dtype=np.float32), *(scores for scores, _ in self._mated)])
        mated_pairs = np.concatenate([np.zeros((0, 2), dtype=np.int32), *(pairs for _, pairs in self._mated)])
        rising = np.argsort(mated_scores, kind="stable")
        wanted = int(np.count_nonzero(self._wanted))
        return Comparisons(
            samples=self._samples,
            scale=self._scale,
            mated_scores=mated_scores[rising],
            mated_pairs=mated_pairs[rising],
            tail=tail,
            design=self._design.copy(),
            mated_failures=int(self._failures[0]),
            impostor_failures=int(self._failures[1]),
            failure_to_acquire=Rate(wanted - len(self._design.samples()), wanted),
            _histograms=self._histograms.copy(),
            _distinct=self._distinct.copy(),
        )

    def _count(self, scores: Scores, rows: SampleNumbers, columns: SampleNumbers, counted: NDArray[np.bool_]) -> None:
        low, high = self._scale
        scores, counted = np.ascontiguousarray(scores), np.ascontiguousarray(counted)
        room = max(len(columns), _MATED_ROOM)
        mated_scores, mated_pairs = np.empty(room, dtype=np.float32), np.empty((room, 2), dtype=np.int32)
        row = 0
        while row < len(rows):
            if self._tail_size + len(columns) > len(self._tail_scores):
                self._trim()
            sizes = np.array([self._tail_size, 0], dtype=np.int64)
            row = count_block(
                scores, rows, columns, counted, row, self._samples.subjects, self._codes, self._units,
                self._first_cells, low, BINS / (high - low), self._floor, self._histograms, self._distinct, self._seen,
                self._tail_scores, self._tail_pairs_of, mated_scores, mated_pairs, sizes,
            )  # fmt: skip
            self._tail_size = int(sizes[0])
            found = slice(0, int(sizes[1]))
            if sizes[1]:
                self._mated.append((mated_scores[found].copy(), mated_pairs[found].copy()))

    def _trim(self) -> None:
        """Keep the highest scores of the tail, and of the lowest of them either all that are equal or none."""
        if self._tail_size <= self._tail_pairs:
            return
        scores = self._tail_scores[: self._tail_size]
        place = self._tail_size - self._tail_pairs - 1
        self._floor = float(np.partition(scores, place)[place])
        kept = np.flatnonzero(scores > self._floor)
        self._tail_scores[: len(kept)] = scores[kept]
        self._tail_pairs_of[: len(kept)] = self._tail_pairs_of[kept]
        self._tail_size = len(kept)


def _groupings(samples: Samples) -> tuple[Grouping, ...]:
    """Everybody as one group, then each column."""
    everybody = Grouping(np.zeros(len(samples), dtype=np.int32), 1)
    return (everybody, *(Grouping(codes, len(names)) for codes, names in samples.groups.values()))


def _units(subjects: NDArray[np.int32], grouping: Grouping) -> NDArray[np.int32]:
    """Number each person in each group that they have a sample in; mostly people are in one."""
    both = subjects.astype(np.int64) * (grouping.size + 1) + grouping.codes + 1
    return np.asarray(np.unique(both, return_inverse=True)[1], dtype=np.int32)


def _edges(scale: tuple[float, float], bins: int) -> tuple[float, ...]:
    return tuple(np.linspace(*scale, bins + 1).tolist())
