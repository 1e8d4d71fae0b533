"""What the ledger's tests share: a key, entries, logs that are already written, and a store whose writes fail."""

import datetime as dt
import functools
import itertools
import random
import uuid
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

from recognizance.errors import UnavailableError
from recognizance.ledger.entries import Entry
from recognizance.ledger.facts import Comment, EntryId
from recognizance.ledger.log import Log
from recognizance.ledger.notes import NoteKey
from recognizance.ledger.stores import MemoryStore

ORIGIN = "recognizance.example/ledger"
START = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
KEY = NoteKey(ORIGIN, bytes(range(32)))
KEYS = (KEY.verifier,)


def an_entry(number: int) -> Entry:
    """Return a true entry for a number, the same one each time."""
    about = EntryId(str(uuid.UUID(int=number)))
    facts = Comment(about=about, statement=f"comment {number}")
    return Entry(EntryId(str(uuid.UUID(int=number + 1))), START + dt.timedelta(seconds=number), facts)


@functools.cache
def _leaf(number: int) -> bytes:
    return an_entry(number).data


def some_entries(start: int, end: int) -> list[bytes]:
    """Return the leaves of entries `start` to `end`, exclusive."""
    return [_leaf(number) for number in range(start, end)]


def plain_entries(start: int, end: int) -> list[bytes]:
    """Return leaves that are quickly made and no entries of ours, for logs of which only the tree matters."""
    return [b'{"comment":%d}' % number for number in range(start, end)]


def a_log(size: int, *, first: int = 0) -> MemoryStore:
    """Return the store of a closed log with that many entries."""
    return a_log_of(some_entries(first, first + size))


def a_log_of(entries: Sequence[bytes]) -> MemoryStore:
    """Return the store of a closed log with these entries."""
    store = MemoryStore()
    log = Log.create(store, KEY)
    for batch in batched(entries, 4096):
        log.append(batch)
    log.close()
    return store


def batched(entries: Iterable[bytes], count: int) -> Iterable[list[bytes]]:
    """Yield lists of at most `count` entries."""
    remaining = iter(entries)
    while batch := list(itertools.islice(remaining, count)):
        yield batch


class Fault(StrEnum):
    """Whether a write fails before it took effect, after it did, or half way."""

    BEFORE = "before"
    AFTER = "after"
    TORN = "torn"


class FaultyStore:
    """A store one of whose writes fails: the one with this number, counted from 0 over all kinds of write."""

    def __init__(self, store: MemoryStore, *, failing_write: int, fault: Fault) -> None:
        self._store = store
        self._failing_write = failing_write
        self._fault = fault
        self.writes: list[str] = []

    def lock(self) -> None:
        self._store.lock()

    def read(self, path: str) -> bytes | None:
        return self._store.read(path)

    def read_journal(self) -> bytes | None:
        return self._store.read_journal()

    def publish(self, path: str, data: bytes) -> None:
        # A public file is replaced whole, so there is no half of it.
        self._write(f"publish {path}", lambda: self._store.publish(path, data), lambda: None)

    def remove(self, paths: Iterable[str]) -> None:
        several = list(paths)
        half = several[: len(several) // 2]
        self._write("remove", lambda: self._store.remove(several), lambda: self._store.remove(half))

    def sync(self) -> None:
        self._write("sync", self._store.sync, lambda: None)

    def start_journal(self, data: bytes) -> None:
        self._write("start journal", lambda: self._store.start_journal(data), lambda: None)

    def append_journal(self, data: bytes) -> None:
        half = data[: len(data) // 2]
        self._write(
            "append journal", lambda: self._store.append_journal(data), lambda: self._store.append_journal(half)
        )

    def close(self) -> None:
        self._store.close()

    def _write(self, what: str, whole: Callable[[], None], torn: Callable[[], None]) -> None:
        number = len(self.writes)
        self.writes.append(what)
        if number != self._failing_write:
            whole()
            return
        if self._fault is Fault.AFTER:
            whole()
        elif self._fault is Fault.TORN:
            torn()
        raise UnavailableError(f"write {number} failed: {what}")


class PowerStore(MemoryStore):
    """A store in memory that loses power: what wasn't synced may be there, missing, emptied or as it was before."""

    def __init__(self) -> None:
        super().__init__()
        self._durable: dict[str, bytes] = {}

    def sync(self) -> None:
        self._durable = dict(self.files)

    def lose_power(self, dice: random.Random) -> None:
        """Keep what was promised to be durable; let chance decide about everything else."""
        for path in sorted(self.files.keys() | self._durable.keys()):
            before, after = self._durable.get(path), self.files.get(path)
            survivor = after if before == after else dice.choice([before, after, b""])
            if survivor is None:
                self.files.pop(path, None)
            else:
                self.files[path] = survivor
        self._durable = dict(self.files)
        self.close()
