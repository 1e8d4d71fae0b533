"""The outbox: entries that the records have committed to, on their way into the log.

A change and its entry are committed in one database transaction, the entry as a row of the outbox; the sequencer then
appends the entry to the log and marks the row with its index. Whatever crashes in between, both sides can be brought to
agree, because the log is only ever written in one order:

1. Rows are marked in the order of the log, so the marked rows are exactly the log's entries below `marked_size()`.
2. After a crash the log may be ahead of the marks, never behind. The entries from `marked_size()` on are read back, and
   their rows marked (`Sequencer` does so before anything else).
3. Rows that are still unmarked are in no log. They are appended, oldest first.

So no entry is lost, and none is appended twice.
"""

import itertools
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from recognizance.errors import CorruptionError
from recognizance.ledger.facts import EntryId


@dataclass(frozen=True, slots=True)
class PendingEntry:
    """A row of the outbox that isn't marked.

    Attributes:
        position: Where it stands in the order of commits, if that is known: whatever is committed later stands higher.
    """

    id: EntryId
    data: bytes
    position: int | None = None


class Outbox(Protocol):
    """What the sequencer needs of the records. Called by its thread only; each method is one transaction.

    Any method may raise `UnavailableError`; the sequencer then stops, and a new one brings both sides to agree.
    """

    def marked_size(self) -> int:
        """Return the smallest index that no row is marked with: the size of the log as far as the records know it."""
        ...

    def pending(self, limit: int) -> Sequence[PendingEntry]:
        """Return the oldest unmarked rows, in the order in which they were committed."""
        ...

    def last_position(self) -> int:
        """Return the position of the latest row, marked or not; 0 if there is none."""
        ...

    def indexes(self, ids: Collection[EntryId]) -> Mapping[EntryId, int]:
        """Return the indexes of those rows among `ids` that are marked."""
        ...

    def mark(self, first_index: int, ids: Sequence[EntryId]) -> None:
        """Mark the rows `ids` with `first_index` and those that follow it. All or none.

        Need not be durable on return: marks that a crash undoes are made again from the log, as long as it undoes the
        latest first. Marking a row again with the same index changes nothing.

        Raises:
            CorruptionError: If a row doesn't exist, or is marked with another index: the log has an entry that the
                records never committed to, or the records were restored from an older copy.
        """
        ...


class MemoryOutbox:
    """An `Outbox` that lives as long as its process."""

    def __init__(self) -> None:
        self._rows: dict[EntryId, bytes] = {}
        self._marks: dict[EntryId, int] = {}
        self._lock = threading.Lock()

    def commit(self, entry_id: EntryId, data: bytes) -> None:
        """Commit to an entry, as a transaction of the records does. Again with the same id changes nothing."""
        with self._lock:
            self._rows.setdefault(entry_id, data)

    def marked_size(self) -> int:
        with self._lock:
            return len(self._marks)

    def pending(self, limit: int) -> Sequence[PendingEntry]:
        with self._lock:
            rows = enumerate(self._rows.items(), start=1)
            unmarked = (PendingEntry(key, data, position) for position, (key, data) in rows if key not in self._marks)
            return list(itertools.islice(unmarked, limit))

    def last_position(self) -> int:
        with self._lock:
            return len(self._rows)

    def indexes(self, ids: Collection[EntryId]) -> Mapping[EntryId, int]:
        with self._lock:
            return {key: self._marks[key] for key in ids if key in self._marks}

    def mark(self, first_index: int, ids: Sequence[EntryId]) -> None:
        with self._lock:
            for index, key in enumerate(ids, start=first_index):
                if key not in self._rows or self._marks.get(key, index) != index:
                    raise CorruptionError(
                        f"entry {index} of the log, {key}, is not the one that the records have there"
                    )
            self._marks.update((key, index) for index, key in enumerate(ids, start=first_index))
