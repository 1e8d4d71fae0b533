"""The loops over comparisons that NumPy can't say without large copies, compiled by Numba. Alone in importing it here.

Kernels release the interpreter's lock, start no thread, and only count: every result is an integer, so no order of
additions changes it. They trust their arguments, which `tallies` and `bootstrap` have checked.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Counts = NDArray[np.int64]
Floats = NDArray[np.float32]


def _compiled(function: Callable[..., Any]) -> Any:
    try:
        return njit(function, nogil=True, error_model="numpy", cache=True)
    except RuntimeError:
        # Neither this folder, nor the user's cache folder, nor NUMBA_CACHE_DIR can be written: compile in each process.
        return njit(function, nogil=True, error_model="numpy")


@_compiled
def place_in_triangle(first: int, second: int) -> int:
    """The place of an unordered pair of numbers, which may be equal, among all of them: 00, 01, 11, 02, 12, 22, ..."""
    low, high = min(first, second), max(first, second)
    return high * (high + 1) // 2 + low


@_compiled
def count_block(
    scores: Floats,
    rows: Ints,
    columns: Ints,
    counted: NDArray[np.bool_],
    start: int,
    subjects: Ints,
    codes: Ints,
    units: Ints,
    first_cells: Ints,
    low: float,
    bins_per_score: float,
    floor: float,
    histograms: Counts,
    distinct: Counts,
    seen: NDArray[np.uint8],
    tail_scores: Floats,
    tail_pairs: Ints,
    mated_scores: Floats,
    mated_pairs: Ints,
    sizes: Counts,
) -> int:
    """Count a block's comparisons from row `start` on; stop before a row for which there may be no room.

    Args:
        counted: (r, c) which comparisons count; none of a sample with itself, none that failed.
        codes: (k, n) by column of groups, of which there are k; negative is in no group.
        units: (k, n) the number of each sample's (subject, group) in that column.
        first_cells: (k,) where the pairs of groups of a column begin among the cells.
        floor: Impostor scores above it go to the tail.
        histograms: (cells, bins), added to.
        distinct: (cells,), added to: pairs of units that no comparison counted before.
        seen: (k, bytes) a bit for each pair of units, set.
        tail_scores: (room,), and tail_pairs (room, 2): written from sizes[0] on.
        mated_scores: (room,), and mated_pairs (room, 2): written from sizes[1] on.

    Returns:
        The row to go on from; the number of rows when all are done.
    """
    bins = histograms.shape[1]
    for row in range(start, len(rows)):
        if sizes[0] + len(columns) > len(tail_scores) or sizes[1] + len(columns) > len(mated_scores):
            return row
        sample = rows[row]
        for column in range(len(columns)):
            if not counted[row, column]:
                continue
            other = columns[column]
            score = scores[row, column]
            if subjects[sample] == subjects[other]:
                mated_scores[sizes[1]] = score
                mated_pairs[sizes[1], 0] = sample
                mated_pairs[sizes[1], 1] = other
                sizes[1] += 1
                continue
            if score > floor:
                tail_scores[sizes[0]] = score
                tail_pairs[sizes[0], 0] = sample
                tail_pairs[sizes[0], 1] = other
                sizes[0] += 1
            place = min(max(np.int64((np.float64(score) - low) * bins_per_score), 0), bins - 1)
            for group_column in range(codes.shape[0]):
                code, other_code = codes[group_column, sample], codes[group_column, other]
                if code < 0 or other_code < 0:
                    continue
                cell = first_cells[group_column] + place_in_triangle(code, other_code)
                histograms[cell, place] += 1
                bit = place_in_triangle(np.int64(units[group_column, sample]), np.int64(units[group_column, other]))
                mask = np.uint8(1 << (bit & 7))
                if not seen[group_column, bit >> 3] & mask:
                    seen[group_column, bit >> 3] |= mask
                    distinct[cell] += 1
    return len(rows)


@_compiled
def add_pair_weights(first: Ints, second: Ints, places: Counts, weights: NDArray[np.int16], sums: Counts) -> None:
    """Add the product of both subjects' weights to the place of each pair, for every resample.

    Args:
        first: (e,) subjects, like `second`.
        places: (e,) rows of `sums`.
        weights: (s, b) how often each resample drew each subject.
        sums: (p, b), added to.
    """
    for pair in range(len(first)):
        one, other = weights[first[pair]], weights[second[pair]]
        row = sums[places[pair]]
        for resample in range(len(row)):
            row[resample] += np.int64(one[resample]) * np.int64(other[resample])


@_compiled
def _keep(scores: Floats, subjects: Ints, score: np.float32, subject: np.int32) -> None:
    """Put a score into a list of the best, falling, with one place a subject; the lowest drops out."""
    size = len(scores)
    if score <= scores[size - 1]:
        return
    place = size - 1
    for held in range(size):
        if subjects[held] == subject:
            if score <= scores[held]:
                return
            place = held
            break
    while place > 0 and scores[place - 1] < score:
        scores[place] = scores[place - 1]
        subjects[place] = subjects[place - 1]
        place -= 1
    scores[place] = score
    subjects[place] = subject


@_compiled
def search_block(
    scores: Floats,
    counted: NDArray[np.bool_],
    rows: Counts,
    row_subjects: Ints,
    parts: Counts,
    column_subjects: Ints,
    mates: Floats,
    best_scores: NDArray[np.float32],
    best_subjects: NDArray[np.int32],
) -> None:
    """Keep each probe's best score with its own subject, and the best with others, by part of the gallery.

    Args:
        counted: (r, c) which scores count.
        rows: (r,) places of the probes, and their subjects, (r,).
        parts: (c,) the part that each column is in, and their subjects, (c,); parts beyond the last are left out.
        mates: (parts, probes), written.
        best_scores: (parts, probes, ranks) falling, and best_subjects, likewise: written.
    """
    for row in range(len(rows)):
        probe = rows[row]
        for column in range(len(parts)):
            part = parts[column]
            if part >= len(mates) or not counted[row, column]:
                continue
            score = scores[row, column]
            if column_subjects[column] == row_subjects[row]:
                mates[part, probe] = max(mates[part, probe], score)
            else:
                _keep(best_scores[part, probe], best_subjects[part, probe], score, column_subjects[column])


@_compiled
def merge_best(
    scores: NDArray[np.float32],
    subjects: NDArray[np.int32],
    into_scores: NDArray[np.float32],
    into_subjects: NDArray[np.int32],
) -> None:
    """Put the lists of one part into those of another; all (probes, ranks)."""
    for probe in range(len(scores)):
        for place in range(scores.shape[1]):
            if subjects[probe, place] < 0:
                break
            _keep(into_scores[probe], into_subjects[probe], scores[probe, place], subjects[probe, place])
