"""Which comparisons an evaluation made, small enough to count them again for every resample of its subjects.

A hundred million comparisons are nearly always a few hundred full rectangles of samples by samples, the triangles on
the diagonal of all-with-all, and some exceptions. Weighted trials of those follow from sums over samples instead of
over pairs. What fits no such form is kept pair by pair, and is as exact.

Pure. docs/evaluation-formulas.md, "Resampled trials".
"""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recognizance.evaluation.kernels import add_pair_weights
from recognizance.evaluation.samples import SampleNumbers

Pairs = NDArray[np.int32]
"""(p, 2) sample numbers."""

Weights = NDArray[np.int16]
"""(s, b): how often each of b resamples drew each subject."""


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """One column of groups: (n,) codes of every sample, from 0 to before `size`; negative is in no group."""

    codes: NDArray[np.int32]
    size: int

    @property
    def cells(self) -> int:
        """Unordered pairs of groups, a group with itself among them. A cell is a place by `cell_of`."""
        return self.size * (self.size + 1) // 2

    def cells_of(self, pairs: Pairs) -> NDArray[np.int64]:
        """The cell of each pair of samples; -1 where one is in no group."""
        codes = self.codes[pairs].astype(np.int64)
        low, high = codes.min(axis=1), codes.max(axis=1)
        return np.where(low < 0, np.int64(-1), high * (high + 1) // 2 + low)


def cell_of(group: int, other: int) -> int:
    """The place of an unordered pair of groups: 00, 01, 11, 02, 12, 22, ..."""
    low, high = min(group, other), max(group, other)
    return high * (high + 1) // 2 + low


def pair_sums(
    pairs: Pairs, places: NDArray[np.int64], size: int, subjects: NDArray[np.int32], weights: Weights
) -> NDArray[np.int64]:
    """Sum the products of both subjects' weights by place.

    Args:
        places: (p,) from 0 to before `size`; pairs with a negative one are left out.

    Returns:
        (size, b)
    """
    kept = places >= 0
    sums = np.zeros((size, weights.shape[1]), dtype=np.int64)
    first, second = subjects[pairs[kept, 0]], subjects[pairs[kept, 1]]
    add_pair_weights(first, second, places[kept], weights, sums)
    return sums


@dataclass(slots=True)
class Design:
    """The comparisons that were made and didn't fail, mated ones included. Grows by `add`."""

    _sets: list[SampleNumbers] = field(default_factory=list)
    _numbers: dict[bytes, int] = field(default_factory=dict)
    _rectangles: dict[int, list[int]] = field(default_factory=dict)
    _triangles: list[int] = field(default_factory=list)
    _added: list[Pairs] = field(default_factory=list)
    _missing: list[Pairs] = field(default_factory=list)

    def add(self, rows: SampleNumbers, columns: SampleNumbers, counted: NDArray[np.bool_]) -> None:
        """Take the comparisons of a block.

        Args:
            counted: (r, c) those that count; none of a sample with itself.
        """
        if not counted.any():
            return
        # A strip of all-with-all is a triangle of its own samples, and a full rectangle with all later ones.
        later = columns > rows.max()
        for part in (later, ~later):
            self._add_part(rows, columns[part], counted[:, part])

    def samples(self) -> NDArray[np.int32]:
        """The numbers of all samples that took part in a comparison, rising."""
        pairs = [pairs.ravel() for pairs in self._added]
        return np.unique(np.concatenate([*self._sets, *pairs, np.zeros(0, dtype=np.int32)]))

    def copy(self) -> "Design":
        """The same comparisons, to which nothing is added when this design grows."""
        return deepcopy(self)

    def weighted_impostors(
        self, weights: Weights, subjects: NDArray[np.int32], grouping: Grouping, mated_pairs: Pairs
    ) -> NDArray[np.float64]:
        """Impostor trials by pair of groups for every resample: each counts as often as both its subjects were drawn.

        Args:
            subjects: (n,) of every sample.
            mated_pairs: The mated comparisons among those added; a copy of a subject is no impostor of that subject.

        Returns:
            (cells, b), whole numbers.
        """
        drawn = weights.astype(np.float64)
        sums = [_sums_by_group(numbers, drawn, subjects, grouping) for numbers in self._sets]
        ordered = np.zeros((grouping.size, grouping.size, weights.shape[1]))
        for row_set, column_sets in self._rectangles.items():
            ordered += sums[row_set][:, np.newaxis] * sum(sums[number] for number in column_sets)
        for number in self._triangles:
            ordered += sums[number][:, np.newaxis] * sums[number] / 2
        cells = np.stack([
            ordered[low, high] + (ordered[high, low] if low != high else 0.0)
            for high in range(grouping.size) for low in range(high + 1)
        ])  # fmt: skip
        for pairs, sign in _signed(self._added, self._missing):
            cells += sign * pair_sums(pairs, grouping.cells_of(pairs), grouping.cells, subjects, weights)
        # Products of the sums also hold every sample with itself, and one subject's samples with each other.
        itself = np.zeros((grouping.cells, len(weights)))
        for numbers, times in self._with_themselves():
            both = np.stack([numbers, numbers], axis=1)
            _count(itself, grouping.cells_of(both), subjects[numbers], times)
        _count(itself, grouping.cells_of(mated_pairs), subjects[mated_pairs[:, 0]], 1.0)
        return np.asarray(cells - itself @ drawn**2)

    def _add_part(self, rows: SampleNumbers, columns: SampleNumbers, counted: NDArray[np.bool_]) -> None:
        row_kept, column_kept = counted.any(axis=1), counted.any(axis=0)
        rows, columns, counted = rows[row_kept], columns[column_kept], counted[np.ix_(row_kept, column_kept)]
        made = int(np.count_nonzero(counted))
        if made <= len(rows) + len(columns):
            self._added.append(_chosen(rows, columns, counted))
            return
        full = rows[:, np.newaxis] != columns
        everybody = np.union1d(rows, columns)
        in_full = int(np.count_nonzero(full)) - made
        in_triangle = len(everybody) * (len(everybody) - 1) // 2 - made
        if in_triangle < min(in_full, made) and not (counted & (rows[:, np.newaxis] > columns)).any():
            self._triangles.append(self._number(everybody))
            places = np.zeros((len(everybody), len(everybody)), dtype=np.bool_)
            places[np.ix_(np.searchsorted(everybody, rows), np.searchsorted(everybody, columns))] = counted
            self._missing.append(_chosen(everybody, everybody, np.triu(~places, k=1)))
        elif in_full < made:
            self._rectangles.setdefault(self._number(rows), []).append(self._number(columns))
            self._missing.append(_chosen(rows, columns, full & ~counted))
        else:
            self._added.append(_chosen(rows, columns, counted))

    def _number(self, samples: SampleNumbers) -> int:
        """The number of a set of samples; equal sets have one."""
        samples = np.sort(samples)
        number = self._numbers.setdefault(samples.tobytes(), len(self._sets))
        if number == len(self._sets):
            self._sets.append(samples)
        return number

    def _with_themselves(self) -> Iterable[tuple[SampleNumbers, float]]:
        for number in self._triangles:
            yield self._sets[number], 0.5
        for row_set, column_sets in self._rectangles.items():
            for number in column_sets:
                yield np.intersect1d(self._sets[row_set], self._sets[number]), 1.0


def _signed(added: list[Pairs], missing: list[Pairs]) -> Iterable[tuple[Pairs, int]]:
    for lists, sign in ((added, 1), (missing, -1)):
        if lists:
            yield np.concatenate(lists), sign


def _chosen(rows: SampleNumbers, columns: SampleNumbers, chosen: NDArray[np.bool_]) -> Pairs:
    row_places, column_places = np.nonzero(chosen)
    return np.stack([rows[row_places], columns[column_places]], axis=1).astype(np.int32)


def _sums_by_group(
    numbers: SampleNumbers, drawn: NDArray[np.float64], subjects: NDArray[np.int32], grouping: Grouping
) -> NDArray[np.float64]:
    """(groups, b): how many samples of a set each resample has in each group."""
    counts = np.zeros((grouping.size, len(drawn)))
    _count(counts, grouping.codes[numbers].astype(np.int64), subjects[numbers], 1.0)
    return counts @ drawn


def _count(counts: NDArray[np.float64], places: NDArray[np.int64], subjects: NDArray[np.int32], times: float) -> None:
    """Add `times` at (place, subject) of each; negative places are left out."""
    kept = places >= 0
    np.add.at(counts, (places[kept], subjects[kept]), times)
