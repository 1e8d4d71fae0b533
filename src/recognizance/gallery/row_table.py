"""A hash table from the keys of faces to their rows: open addressing, as kernels.

A table is a power of two of int32 places, each a row's number or `EMPTY`. Every search for a key ends at a free place,
so that a table may never be full.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizance.gallery.compiler import Keys, compiled

EMPTY = -1
"""A free place."""


@compiled
def _home(high: np.uint64, low: np.uint64, mask: int) -> np.int64:
    """Where the search for a key begins in a table of `mask` + 1 places."""
    # UUIDs of version 4 are random already; the odd constant (2**64 over the golden ratio) spreads those that are not.
    mixed = (high ^ (low << np.uint64(1))) * np.uint64(0x9E3779B97F4A7C15)
    return np.int64((mixed >> np.uint64(32)) & np.uint64(mask))


@compiled
def find_key(table: NDArray[np.int32], keys: Keys, high: np.uint64, low: np.uint64) -> Any:
    """Return the place in `table` of the row that has this key, or of the free place where it would go."""
    mask = table.shape[0] - 1
    place = _home(high, low, mask)
    while table[place] != EMPTY:
        row = table[place]
        if keys[row, 0] == high and keys[row, 1] == low:
            return place
        place = (place + 1) & mask
    return place


@compiled
def free_place(table: NDArray[np.int32], keys: Keys, place: int) -> None:
    """Empty a place of `table`, moving later rows back so that every search still finds its key without a gap."""
    mask = table.shape[0] - 1
    hole = place
    following = (hole + 1) & mask
    while table[following] != EMPTY:
        row = table[following]
        home = _home(keys[row, 0], keys[row, 1], mask)
        if ((following - home) & mask) >= ((following - hole) & mask):
            table[hole] = row
            hole = following
        following = (following + 1) & mask
    table[hole] = EMPTY


@compiled
def insert_rows(table: NDArray[np.int32], keys: Keys, start: int, stop: int) -> int:
    """Enter rows `start` to before `stop`: all of them and return -1, or none and return a row whose key was there."""
    for row in range(start, stop):
        place = find_key(table, keys, keys[row, 0], keys[row, 1])
        if table[place] != EMPTY:
            for entered in range(start, row):
                free_place(table, keys, find_key(table, keys, keys[entered, 0], keys[entered, 1]))
            return row
        table[place] = row
    return -1


SIGNATURES = {
    find_key: "i8(i4[::1], u8[:,::1], u8, u8)",
    free_place: "void(i4[::1], u8[:,::1], i8)",
    insert_rows: "i8(i4[::1], u8[:,::1], i8, i8)",
}
"""For `compiler.ready`."""
