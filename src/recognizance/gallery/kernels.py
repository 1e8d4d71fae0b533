"""The loops of a search, which NumPy can't say fast: codes, scores, bounds and heaps of the best candidates.

Kernels release the interpreter's lock and start no thread of their own. The order of every floating-point addition that
decides an answer is the order written here; only `_rough_score`, whose error is bounded, lets the compiler choose. Call
`warm_up` before the first use: it compiles each kernel for its one signature, or loads it from Numba's cache, and
forbids every other one.
"""

import numpy as np
from numpy.typing import NDArray

from recognizance.gallery import row_table
from recognizance.gallery.compiler import Floats, Keys, compiled, ready, reassociated
from recognizance.gallery.instructions import CHUNK_BYTES, chunk_product, instruction_sets

BLOCK = 256
"""Rows whose codes are compared before any of them is looked at closely; their dot products stay in the first cache."""

_TILE = 512
"""Templates whose sums are kept at once: 4 KiB of them, and 256 KiB of templates of 128 dimensions."""


@compiled
def encode(rotated: Floats, step: np.float32, codes: NDArray[np.uint8], residuals: Floats) -> None:
    """Write each row's four-bit codes, and the distance between the row and what its codes stand for, rounded up.

    The code c of a component stands for (c - 7.5) * step. Byte j holds component j in its low half and component j + w
    in its high half, where w is the number of bytes a row; components past the last have the code 0 and no distance.

    Args:
        rotated: (n, d) float32.
        step: float32, the width of a quantisation cell.
        codes: (n, w) uint8, written; 2 * w >= d.
        residuals: (n,) float32, written.
    """
    dimensions = rotated.shape[1]
    width = codes.shape[1]
    for row in range(rotated.shape[0]):
        squares = 0.0
        codes[row] = 0
        for place in range(dimensions):
            component = rotated[row, place]
            code = min(max(np.floor(component / step) + np.float32(8.0), np.float32(0.0)), np.float32(15.0))
            distance = np.float64(component) - (np.float64(code) - 7.5) * np.float64(step)
            squares += distance * distance
            if place < width:
                codes[row, place] |= np.uint8(code)
            else:
                codes[row, place - width] |= np.uint8(code) << np.uint8(4)
        residuals[row] = np.float32(np.sqrt(squares) * (1.0 + 1e-6))


@compiled
def score(probe: Floats, template: Floats) -> np.float32:
    """One canonical score: `recognizance.gallery.index.scores` for a single row."""
    total = 0.0
    for place in range(probe.shape[0]):
        total += np.float64(probe[place]) * np.float64(template[place])
    return min(max(np.float32(total), np.float32(-1.0)), np.float32(1.0))


@compiled
def score_block(probes: Floats, columns: Floats, block: Floats) -> None:
    """Write the canonical score of every probe against every template.

    Sums are kept for `_TILE` templates at once, each added up in the order of the dimensions as `score` does, so the
    compiler can work on several templates side by side and on none in another order.

    Args:
        probes: (n, d) float32.
        columns: (d, m) float32, the templates side by side: one dimension of all of them is one row.
        block: (n, m) float32, written.
    """
    sums = np.empty(_TILE, dtype=np.float64)
    for start in range(0, columns.shape[1], _TILE):
        width = min(columns.shape[1] - start, _TILE)
        for row in range(probes.shape[0]):
            sums[:width] = 0.0
            for place in range(probes.shape[1]):
                component = np.float64(probes[row, place])
                for column in range(width):
                    sums[column] += component * np.float64(columns[place, start + column])
            for column in range(width):
                block[row, start + column] = min(max(np.float32(sums[column]), np.float32(-1.0)), np.float32(1.0))


_chunk_product = chunk_product(instruction_sets()[0])


@compiled
def code_products(
    codes: NDArray[np.uint8],
    start: int,
    stop: int,
    low: NDArray[np.int8],
    high: NDArray[np.int8],
    probe: int,
    products: NDArray[np.int32],
) -> None:
    """Write the integer dot product of a probe's codes with those of each row from `start` to before `stop`."""
    width = codes.shape[1]
    for row in range(start, stop):
        total = np.int32(0)
        for place in range(0, width, CHUNK_BYTES):
            total += _chunk_product(codes, row, place, low, high, probe)
        products[row - start] = total


@compiled
def _worse(
    score_a: np.float32, high_a: np.uint64, low_a: np.uint64, score_b: np.float32, high_b: np.uint64, low_b: np.uint64
) -> np.bool_:
    """Whether candidate a comes after candidate b in an answer."""
    if score_a != score_b:
        return score_a < score_b
    if high_a != high_b:
        return high_a > high_b
    return low_a > low_b


@compiled
def _sift_down(heap_scores: Floats, heap_keys: Keys, size: int) -> None:
    """Let the root of a heap, whose root is the worst candidate, sink to its place."""
    parent = 0
    while True:
        child = 2 * parent + 1
        if child >= size:
            return
        other = child + 1
        if other < size and _worse(
            heap_scores[other],
            heap_keys[other, 0],
            heap_keys[other, 1],
            heap_scores[child],
            heap_keys[child, 0],
            heap_keys[child, 1],
        ):
            child = other
        if not _worse(
            heap_scores[child],
            heap_keys[child, 0],
            heap_keys[child, 1],
            heap_scores[parent],
            heap_keys[parent, 0],
            heap_keys[parent, 1],
        ):
            return
        _swap(heap_scores, heap_keys, parent, child)
        parent = child


@compiled
def _sift_up(heap_scores: Floats, heap_keys: Keys, child: int) -> None:
    """Let the last candidate of a heap rise to its place."""
    while child > 0:
        parent = (child - 1) // 2
        if not _worse(
            heap_scores[child],
            heap_keys[child, 0],
            heap_keys[child, 1],
            heap_scores[parent],
            heap_keys[parent, 0],
            heap_keys[parent, 1],
        ):
            return
        _swap(heap_scores, heap_keys, parent, child)
        child = parent


@compiled
def _swap(heap_scores: Floats, heap_keys: Keys, a: int, b: int) -> None:
    heap_scores[a], heap_scores[b] = heap_scores[b], heap_scores[a]
    for half in range(2):
        heap_keys[a, half], heap_keys[b, half] = heap_keys[b, half], heap_keys[a, half]


@compiled
def _offer(
    heap_scores: Floats, heap_keys: Keys, size: int, new_score: np.float32, high: np.uint64, low: np.uint64
) -> int:
    """Put a candidate on the heap if it is among the best, and return the heap's size."""
    if size < heap_scores.shape[0]:
        heap_scores[size] = new_score
        heap_keys[size, 0] = high
        heap_keys[size, 1] = low
        _sift_up(heap_scores, heap_keys, size)
        return size + 1
    if _worse(heap_scores[0], heap_keys[0, 0], heap_keys[0, 1], new_score, high, low):
        heap_scores[0] = new_score
        heap_keys[0, 0] = high
        heap_keys[0, 1] = low
        _sift_down(heap_scores, heap_keys, size)
    return size


@compiled
def _is_among(keys: Keys, high: np.uint64, low: np.uint64) -> bool:
    for place in range(keys.shape[0]):  # noqa: SIM110 -- Numba compiles no generator inside any()
        if keys[place, 0] == high and keys[place, 1] == low:
            return True
    return False


@reassociated
def _rough_score(probe: Floats, template: Floats) -> np.float32:
    """A score within (d + 1) * 2**-24 of the canonical one (Higham, 3.1), whatever the order of its additions."""
    total = np.float32(0.0)
    for place in range(probe.shape[0]):
        total += probe[place] * template[place]
    return total


@compiled
def _need(bar: float, margin: np.float32) -> np.float32:
    """The least value of scale * product + length * residual with which a face may reach the bar."""
    # Scores are limited to -1 from below, bounds are not, so a bar of -1 lets everything through.
    return np.float32(bar - margin) if bar > -1.0 else np.float32(-np.inf)


@compiled
def _consider(
    probe: Floats,
    template: Floats,
    high: np.uint64,
    low: np.uint64,
    excluded: Keys,
    bar: float,
    heap_scores: Floats,
    heap_keys: Keys,
    sizes: NDArray[np.int64],
    heap: int,
) -> float:
    """Score a face, put it on the heap if it belongs there, and return the bar, which may have risen."""
    if np.float64(_rough_score(probe, template)) + (probe.shape[0] + 2) * 1e-7 < bar:
        return bar
    found = score(probe, template)
    if found < bar or _is_among(excluded, high, low):
        return bar
    sizes[heap] = _offer(heap_scores[heap], heap_keys[heap], sizes[heap], found, high, low)
    if sizes[heap] < heap_scores.shape[1]:
        return bar
    return max(bar, np.float64(heap_scores[heap, 0]))


@compiled
def seed(
    codes: NDArray[np.uint8],
    rows: Floats,
    keys: Keys,
    stop: int,
    probes: Floats,
    low: NDArray[np.int8],
    high: NDArray[np.int8],
    excluded: Keys,
    bars: NDArray[np.float64],
    limit: int,
) -> None:
    """Raise each probe's bar by the scores of the faces before `stop` of the first segment that look best by code.

    The higher the bar is from the start, the fewer faces a scan looks at in vain. The bar alone is kept: the scan finds
    these faces again.
    """
    products = np.empty(stop, dtype=np.int32)
    wanted = min(limit + excluded.shape[0], stop)
    likely = np.empty(wanted, dtype=np.float32)
    likely_rows = np.empty((wanted, 2), dtype=np.uint64)
    heap_scores = np.empty((1, limit), dtype=np.float32)
    heap_keys = np.empty((1, limit, 2), dtype=np.uint64)
    sizes = np.zeros(1, dtype=np.int64)
    for probe in range(probes.shape[0]):
        code_products(codes, 0, stop, low, high, probe, products)
        size = 0
        for row in range(stop):
            if size < wanted or np.float32(products[row]) > likely[0]:
                size = _offer(likely, likely_rows, size, np.float32(products[row]), np.uint64(row), np.uint64(0))
        sizes[0] = 0
        for place in range(size):
            best = np.int64(likely_rows[place, 0])
            bars[probe] = _consider(
                probes[probe], rows[best], keys[best, 0], keys[best, 1], excluded,
                bars[probe], heap_scores, heap_keys, sizes, 0,
            )  # fmt: skip


@compiled
def scan(
    codes: NDArray[np.uint8],
    residuals: Floats,
    rows: Floats,
    keys: Keys,
    start: int,
    stop: int,
    first_key: int,
    probes: Floats,
    low: NDArray[np.int8],
    high: NDArray[np.int8],
    scales: Floats,
    lengths: Floats,
    margins: Floats,
    excluded: Keys,
    bars: NDArray[np.float64],
    heap_scores: Floats,
    heap_keys: Keys,
    sizes: NDArray[np.int64],
    deferred: NDArray[np.int64],
    deferred_limits: Floats,
    waiting: int,
) -> int:
    """Look at every face from `start` to before `stop` that could be among the best for a probe, or put it on a list.

    A face is passed over only when its score is proven to lie below the probe's bar: scale * product + length *
    residual + margin, in `recognizance.gallery.codes`, is at least the score. A bar is the threshold, or the score of
    the worst of `limit` faces already found, here or in another thread; it only rises. A face whose code alone
    suggests that it passes is scored at once, which raises the bar; one that merely might is deferred to `settle`,
    when the bar is as high as it gets and most are ruled out after all.

    Args:
        codes, residuals, rows: One segment.
        keys: (m, 2) uint64 of the whole index; row i of the segment has the key `first_key + i`.
        probes: (p, d) float32.
        low, high: (p, w) int8, the probes' codes for the two halves of each byte.
        scales, lengths, margins: (p,) float32, the constants of each probe's bound.
        excluded: (e, 2) uint64.
        bars: (p,) float64, read and raised.
        heap_scores, heap_keys, sizes: (p, limit) float32, (p, limit, 2) uint64, (p,) int64: the heaps, changed.
        deferred, deferred_limits: (q, 2) int64, row of the segment and probe, and (q,) float32: the list, changed.
        waiting: How many are on the list.

    Returns:
        How many are on the list now.
    """
    products = np.empty(BLOCK, dtype=np.int32)
    limits = np.empty(BLOCK, dtype=np.float32)
    for block in range(start, stop, BLOCK):
        end = min(block + BLOCK, stop)
        for probe in range(probes.shape[0]):
            code_products(codes, block, end, low, high, probe, products)
            need = _need(bars[probe], margins[probe])
            passed = 0
            for place in range(end - block):
                limits[place] = scales[probe] * np.float32(products[place]) + lengths[probe] * residuals[block + place]
                passed += limits[place] >= need
            if passed == 0:
                continue
            for place in range(end - block):
                if limits[place] < need:
                    continue
                row = block + place
                if limits[place] - lengths[probe] * residuals[row] < need and waiting < deferred.shape[0]:
                    deferred[waiting, 0] = row
                    deferred[waiting, 1] = probe
                    deferred_limits[waiting] = limits[place]
                    waiting += 1
                    continue
                bars[probe] = _consider(
                    probes[probe], rows[row], keys[first_key + row, 0], keys[first_key + row, 1], excluded,
                    bars[probe], heap_scores, heap_keys, sizes, probe,
                )  # fmt: skip
                need = _need(bars[probe], margins[probe])
    return waiting


@compiled
def settle(
    rows: Floats,
    keys: Keys,
    first_key: int,
    probes: Floats,
    margins: Floats,
    excluded: Keys,
    bars: NDArray[np.float64],
    heap_scores: Floats,
    heap_keys: Keys,
    sizes: NDArray[np.int64],
    deferred: NDArray[np.int64],
    deferred_limits: Floats,
) -> None:
    """Look at the deferred faces of one segment that the bars still let through; `scan` describes the arguments."""
    for place in range(deferred.shape[0]):
        row = deferred[place, 0]
        probe = deferred[place, 1]
        if deferred_limits[place] >= _need(bars[probe], margins[probe]):
            bars[probe] = _consider(
                probes[probe], rows[row], keys[first_key + row, 0], keys[first_key + row, 1], excluded,
                bars[probe], heap_scores, heap_keys, sizes, probe,
            )  # fmt: skip


_SIGNATURES = {
    encode: "void(f4[:,::1], f4, u1[:,::1], f4[::1])",
    seed: "void(u1[:,::1], f4[:,::1], u8[:,::1], i8, f4[:,::1], i1[:,::1], i1[:,::1], u8[:,::1], f8[::1], i8)",
    scan: (
        "i8(u1[:,::1], f4[::1], f4[:,::1], u8[:,::1], i8, i8, i8, f4[:,::1], i1[:,::1], i1[:,::1], f4[::1], f4[::1],"
        " f4[::1], u8[:,::1], f8[::1], f4[:,::1], u8[:,:,::1], i8[::1], i8[:,::1], f4[::1], i8)"
    ),
    settle: (
        "void(f4[:,::1], u8[:,::1], i8, f4[:,::1], f4[::1], u8[:,::1], f8[::1], f4[:,::1], u8[:,:,::1], i8[::1],"
        " i8[:,::1], f4[::1])"
    ),
    score_block: "void(f4[:,::1], f4[:,::1], f4[:,::1])",
}


def warm_up() -> None:
    """Compile what is called from Python, or load it from Numba's cache. Costs nothing the second time."""
    ready(_SIGNATURES | row_table.SIGNATURES)
