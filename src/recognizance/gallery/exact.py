"""The index that the service uses: exact answers from a scan of four-bit codes.

One pass over the codes rules out all but some hundred faces in a million, by a bound that is proven (codes.py); the
rest get their canonical score from the float32 templates. Answers are those of `BruteForceIndex` to the last bit.

Faces lie densely in segments that are never reallocated, so growing costs no second copy. An addition writes behind
the last face that searches know of, then publishes a new snapshot, and keeps nobody waiting. A removal waits for the
searches under way, moves the last face into the gap and is done: no tombstones, and no bytes of a forgotten face.
"""

import os
import threading
from collections import deque
from collections.abc import Collection, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizance.errors import ConflictError, NotFoundError
from recognizance.gallery import kernels, row_table
from recognizance.gallery.codes import Coder, ProbeCodes
from recognizance.gallery.gate import Gate
from recognizance.gallery.index import Candidate, Template, Templates, check_search, check_templates
from recognizance.gallery.keys import Keys, parse_keys, spell_key
from recognizance.identifiers import GalleryId
from recognizance.permits import Action, Permit

_SMALLEST_SEGMENT = 1_024
_LARGEST_SEGMENT = 262_144
"""Faces a segment. Large, because a thread enters the interpreter between two; memory is touched only as it fills."""

_SMALLEST_SHARE = 16_384
"""Faces a thread is given at least: below this, waking another costs more than it saves."""

_SEED_FACES = 16_384
"""Faces whose codes set the first bar of a search."""

_MOST_DEFERRED = 65_536
"""Faces that a thread puts off at most; beyond that it scores them at once. 1.3 MB, touched only as it fills."""

_MOST_FACES = 2**31 - 1
"""Rows are numbered in 32 bits in the table of keys."""


class _Segment:
    """Room for `capacity` faces."""

    __slots__ = ("codes", "residuals", "rows")

    def __init__(self, capacity: int, coder: Coder) -> None:
        self.rows = np.empty((capacity, coder.dimensions), dtype=np.float32)
        self.codes = np.empty((capacity, coder.width_bytes), dtype=np.uint8)
        self.residuals = np.empty(capacity, dtype=np.float32)

    @property
    def capacity(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """What a search sees: all segments but the last are full, and `count` faces are there.

    Rows below `count` change only while the gate is held alone.
    """

    segments: tuple[_Segment, ...]
    keys: Keys
    count: int


@dataclass(frozen=True, slots=True)
class _Share:
    """A part of a scan: faces `start` to before `stop` of a segment whose first face is number `first`."""

    segment: _Segment
    first: int
    start: int
    stop: int


class _Scan:
    """One search under way. Threads take shares until none is left; each keeps its own heaps and lends its bars."""

    def __init__(
        self, snapshot: _Snapshot, probes: Templates, codes: ProbeCodes, *, limit: int, threshold: float, excluded: Keys
    ) -> None:
        self._keys = snapshot.keys
        self._probes = probes
        self._codes = codes
        self._limit = min(limit, snapshot.count)
        self._excluded = excluded
        self._lock = threading.Lock()
        self._bars = np.full(len(probes), threshold, dtype=np.float64)
        self._found: list[list[tuple[float, int, int]]] = [[] for _ in probes]

    def seed(self, first: _Share) -> None:
        """Raise the bars by a look at the first faces."""
        codes = self._codes
        stop = min(first.stop, _SEED_FACES)
        kernels.seed(
            first.segment.codes, first.segment.rows, self._keys, stop, self._probes, codes.low, codes.high,
            self._excluded, self._bars, self._limit,
        )  # fmt: skip

    def work(self, shares: deque[_Share]) -> None:
        """Scan shares until none is left, then settle what was put off."""
        p = len(self._probes)
        heap_scores = np.empty((p, self._limit), dtype=np.float32)
        heap_keys = np.empty((p, self._limit, 2), dtype=np.uint64)
        sizes = np.zeros(p, dtype=np.int64)
        deferred = np.empty((_MOST_DEFERRED, 2), dtype=np.int64)
        deferred_limits = np.empty(_MOST_DEFERRED, dtype=np.float32)
        codes = self._codes
        bars = np.empty(p, dtype=np.float64)
        begin = 0
        put_off = []
        while shares:
            try:
                share = shares.popleft()
            except IndexError:
                break
            self._take_bars(bars)
            segment = share.segment
            end = kernels.scan(
                segment.codes, segment.residuals, segment.rows, self._keys, share.start, share.stop, share.first,
                self._probes, codes.low, codes.high, codes.scales, codes.lengths, codes.margins,
                self._excluded, bars, heap_scores, heap_keys, sizes, deferred, deferred_limits, begin,
            )  # fmt: skip
            put_off.append((share, slice(begin, end)))
            begin = end
            self._lend_bars(bars)
        self._take_bars(bars)
        for share, places in put_off:
            kernels.settle(
                share.segment.rows, self._keys, share.first, self._probes, codes.margins,
                self._excluded, bars, heap_scores, heap_keys, sizes, deferred[places], deferred_limits[places],
            )  # fmt: skip
        with self._lock:
            for probe, size in enumerate(sizes.tolist()):
                found = zip(heap_scores[probe, :size].tolist(), heap_keys[probe, :size].tolist(), strict=True)
                self._found[probe].extend((score, high, low) for score, (high, low) in found)

    def _take_bars(self, bars: NDArray[np.float64]) -> None:
        with self._lock:
            bars[:] = self._bars

    def _lend_bars(self, bars: NDArray[np.float64]) -> None:
        with self._lock:
            np.maximum(self._bars, bars, out=self._bars)

    def answers(self) -> list[list[Candidate]]:
        """The best of what all threads found."""
        return [
            [
                Candidate(spell_key(high, low), score)
                for score, high, low in sorted(found, key=lambda face: (-face[0], face[1], face[2]))[: self._limit]
            ]
            for found in self._found
        ]


class ExactIndex:
    """An `Index` for up to twenty million faces in the memory of one machine.

    Compiles or loads its kernels when built (`kernels.warm_up`).

    Args:
        dimensions: The length of a template.
        workers: Runs the parts of a scan beside the searching thread; `None` searches on that thread alone. One
            executor serves all the indexes of a process, so that many galleries don't mean many threads.
        threads: How many threads a scan uses at most, the searching one included.
    """

    def __init__(self, dimensions: int, *, workers: Executor | None = None, threads: int | None = None) -> None:
        kernels.warm_up()
        self._coder = Coder(dimensions)
        self._workers = workers
        self._threads = 1 if workers is None else threads or os.cpu_count() or 1
        self._gate = Gate()
        self._writing = threading.Lock()
        # Held by whoever changes or reads the table of keys; searches never touch it.
        self._table = _empty_table(0)
        self._snapshot = _Snapshot(segments=(), keys=np.empty((0, 2), dtype=np.uint64), count=0)

    @property
    def dimensions(self) -> int:
        return self._coder.dimensions

    def add(self, keys: Sequence[str], templates: Templates) -> None:
        check_templates(templates, dimensions=self.dimensions)
        if len(keys) != len(templates):
            raise ValueError(f"{len(keys)} keys for {len(templates)} templates")
        parsed = parse_keys(keys)
        with self._writing:
            self._add(parsed, templates)

    def _add(self, parsed: Keys, templates: Templates) -> None:
        before = self._snapshot
        count = before.count + len(templates)
        if count > _MOST_FACES:
            raise ValueError(f"{count} faces; an index holds {_MOST_FACES}")
        # Whatever fails from here on has written only where no search looks.
        segments = self._with_room(before.segments, count)
        all_keys = _with_room_for_keys(before.keys, before.count, count)
        all_keys[before.count : count] = parsed
        self._fill(segments, before.count, templates)
        if 3 * count > 2 * len(self._table):
            table = _empty_table(count)
            row_table.insert_rows(table, all_keys, 0, before.count)
            self._table = table
        if row_table.insert_rows(self._table, all_keys, before.count, count) >= 0:
            raise ConflictError("a key is in the index already, or twice among those to add")
        self._snapshot = _Snapshot(segments=segments, keys=all_keys, count=count)

    def _with_room(self, segments: tuple[_Segment, ...], count: int) -> tuple[_Segment, ...]:
        grown = list(segments)
        capacity = sum(segment.capacity for segment in grown)
        while capacity < count:
            size = min(max(_SMALLEST_SEGMENT, capacity, _power_of_two(count - capacity)), _LARGEST_SEGMENT)
            grown.append(_Segment(size, self._coder))
            capacity += size
        return tuple(grown)

    def _fill(self, segments: tuple[_Segment, ...], first: int, templates: Templates) -> None:
        """Write templates and their codes into the places from number `first` on."""
        done = 0
        base = 0
        for segment in segments:
            start = max(first - base, 0)
            number = min(segment.capacity - start, len(templates) - done)
            if number > 0:
                part = templates[done : done + number]
                places = slice(start, start + number)
                segment.rows[places] = part
                self._coder.encode(part, segment.codes[places], segment.residuals[places])
                done += number
            base += segment.capacity

    def remove(self, keys: Collection[str]) -> int:
        wanted = parse_keys(list(keys)).tolist()
        with self._writing:
            removed = 0
            if any(self._row(high, low) is not None for high, low in wanted):
                with self._gate.alone():
                    for high, low in wanted:
                        row = self._row(high, low)
                        if row is not None:
                            self._remove_row(row)
                            removed += 1
            return removed

    def replace(self, removed: Collection[str], keys: Sequence[str], templates: Templates) -> None:
        check_templates(templates, dimensions=self.dimensions)
        if len(keys) != len(templates):
            raise ValueError(f"{len(keys)} keys for {len(templates)} templates")
        parsed, unwanted = parse_keys(keys), parse_keys(list(removed)).tolist()
        leaving = {(high, low) for high, low in unwanted}
        with self._writing:
            fresh = [(high, low) for high, low in parsed.tolist()]
            there = any((high, low) not in leaving and self._row(high, low) is not None for high, low in fresh)
            if there or len(set(fresh)) < len(fresh):
                raise ConflictError("a key is in the index already, or twice among those to add")
            if not any(self._row(high, low) is not None for high, low in leaving):
                self._add(parsed, templates)
                return
            # Searches wait while the faces leave and come; both were checked, so neither stops half-way.
            with self._gate.alone():
                for high, low in leaving:
                    row = self._row(high, low)
                    if row is not None:
                        self._remove_row(row)
                self._add(parsed, templates)

    def _row(self, high: int, low: int) -> int | None:
        place = row_table.find_key(self._table, self._snapshot.keys, np.uint64(high), np.uint64(low))
        row = int(self._table[place])
        return None if row == row_table.EMPTY else row

    def _remove_row(self, row: int) -> None:
        """Move the last face into a face's place. The gate is held alone."""
        snapshot = self._snapshot
        keys = snapshot.keys
        last = snapshot.count - 1
        row_table.free_place(self._table, keys, row_table.find_key(self._table, keys, keys[row, 0], keys[row, 1]))
        segment, place = _locate(snapshot.segments, row)
        tail, tail_place = _locate(snapshot.segments, last)
        if row != last:
            self._table[row_table.find_key(self._table, keys, keys[last, 0], keys[last, 1])] = row
            for name in _Segment.__slots__:
                getattr(segment, name)[place] = getattr(tail, name)[tail_place]
            keys[row] = keys[last]
        for name in _Segment.__slots__:
            getattr(tail, name)[tail_place] = 0
        keys[last] = 0
        segments = snapshot.segments[:-1] if tail_place == 0 else snapshot.segments
        self._snapshot = _Snapshot(segments=segments, keys=keys, count=last)

    def search(
        self,
        probes: Templates,
        *,
        limit: int,
        threshold: float,
        permit: Permit,
        gallery: GalleryId,
        excluded: Collection[str] = (),
    ) -> list[list[Candidate]]:
        permit.require(Action.SEARCH, gallery)
        check_search(limit=limit, threshold=threshold)
        check_templates(probes, dimensions=self.dimensions)
        passed_over = parse_keys(list(excluded))
        codes = self._coder.probe_codes(probes)
        with self._gate.shared():
            snapshot = self._snapshot
            if snapshot.count == 0 or len(probes) == 0:
                return [[] for _ in probes]
            scan = _Scan(snapshot, probes, codes, limit=limit, threshold=threshold, excluded=passed_over)
            shares = _shares(snapshot, self._threads)
            scan.seed(shares[0])
            self._run(scan, shares)
        return scan.answers()

    def _run(self, scan: _Scan, shares: deque[_Share]) -> None:
        """Scan on this thread and, where there is enough to do, on workers. Returns when no thread reads any more."""
        helpers = []
        if self._workers is not None:
            helpers = [self._workers.submit(scan.work, shares) for _ in range(min(self._threads, len(shares)) - 1)]
        try:
            scan.work(shares)
        finally:
            shares.clear()
            for helper in helpers:
                # A helper that has not begun, because others are being served, has nothing left to do.
                if not helper.cancel():
                    helper.result()

    def template(self, key: str, *, permit: Permit, gallery: GalleryId) -> Template:
        permit.require(Action.SEARCH, gallery)
        ((high, low),) = parse_keys([key]).tolist()
        with self._writing:
            row = self._row(high, low)
            if row is None:
                raise NotFoundError("no face of this gallery has that key")
            segment, place = _locate(self._snapshot.segments, row)
            template: NDArray[np.float32] = segment.rows[place].copy()
        return template

    def __contains__(self, key: str) -> bool:
        try:
            ((high, low),) = parse_keys([key]).tolist()
        except ValueError:
            return False
        with self._writing:
            return self._row(high, low) is not None

    def __len__(self) -> int:
        return self._snapshot.count


def _power_of_two(number: int) -> int:
    """The least power of two that is at least `number`."""
    return 1 << max(number - 1, 0).bit_length()


def _empty_table(rows: int) -> NDArray[np.int32]:
    """A hash table with room for `rows` at a load of at most two thirds."""
    return np.full(_power_of_two(max(3 * rows // 2 + 1, _SMALLEST_SEGMENT)), row_table.EMPTY, dtype=np.int32)


def _with_room_for_keys(keys: Keys, count: int, wanted: int) -> Keys:
    """The array itself, or a copy of twice its size; snapshots that hold the old one go on reading it."""
    if wanted <= len(keys):
        return keys
    grown = np.empty((_power_of_two(max(wanted, _SMALLEST_SEGMENT)), 2), dtype=np.uint64)
    grown[:count] = keys[:count]
    return grown


def _locate(segments: tuple[_Segment, ...], row: int) -> tuple[_Segment, int]:
    for segment in segments:
        if row < segment.capacity:
            return segment, row
        row -= segment.capacity
    raise IndexError(row)


def _shares(snapshot: _Snapshot, threads: int) -> deque[_Share]:
    """Cut the faces into parts, each within a segment and small enough for all threads to have some."""
    size = max(_SMALLEST_SHARE, -(-snapshot.count // threads))
    shares: deque[_Share] = deque()
    first = 0
    for segment in snapshot.segments:
        held = min(segment.capacity, snapshot.count - first)
        pieces = -(-held // size)
        for piece in range(pieces):
            shares.append(_Share(segment, first, held * piece // pieces, held * (piece + 1) // pieces))
        first += segment.capacity
    return shares
