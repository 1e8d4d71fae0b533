"""Many threads append, one thread writes: group commit in front of a `Log`.

While one batch waits for the disk, whatever else arrives becomes the next batch. Nothing ever waits for a clock: one
client pays for one disk write, eight clients share it. Receipts are handed out as soon as their checkpoint is signed
and in the journal, from where nothing can take it back; the public files follow before the next batch is looked at.

A failed write stops the sequencer. Threads that wait get `UnavailableError`: their entries are in the outbox, and
the next sequencer, made over the log opened again, brings the two to agree.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from typing import Self

from recognizance.errors import CorruptionError, Error, UnavailableError
from recognizance.ledger.entries import entry_id_of
from recognizance.ledger.facts import EntryId
from recognizance.ledger.log import MAX_BATCH_ENTRIES, Log
from recognizance.ledger.notes import SignedNote
from recognizance.ledger.outbox import Outbox, PendingEntry
from recognizance.ledger.receipts import Receipt
from recognizance.ledger.tiles import check_entry_size

DEFAULT_TIMEOUT_S = 30.0


class _Ticket:
    """One entry on its way, and the threads that wait for it."""

    __slots__ = ("done", "entry", "error", "receipt")

    def __init__(self, entry: PendingEntry) -> None:
        self.entry = entry
        self.receipt: Receipt | None = None
        self.error: Error | None = None
        self.done = threading.Event()


class Sequencer:
    """Gives every committed entry its place in the log, once.

    Args:
        log: Owned from here on: `close` closes it.

    Raises:
        CorruptionError: If log and outbox can't be brought to agree: one of them was restored from an older copy.
    """

    def __init__(self, log: Log, outbox: Outbox) -> None:
        self._log = log
        self._outbox = outbox
        self._listeners: list[Callable[[SignedNote], None]] = []
        self._condition = threading.Condition()
        self._queue: list[_Ticket] = []
        self._in_flight: dict[EntryId, _Ticket] = {}
        self._chores: list[Callable[[Log], None]] = []
        self._stop_reason: Error | None = None
        self._is_closing = False
        try:
            # Rows that are committed after this can be in the log only because this sequencer put them there.
            self._horizon = outbox.last_position()
            self._agree()
            self._append_pending()
        except BaseException:
            log.close()
            raise
        self._thread = threading.Thread(target=self._run, name="ledger-sequencer", daemon=True)
        self._thread.start()

    def append(self, entry_id: EntryId, data: bytes, *, timeout_s: float = DEFAULT_TIMEOUT_S) -> Receipt:
        """Return the receipt of an entry once it is promised: in a signed checkpoint that is on the disk.

        The caller has committed the entry to the outbox. Appending an id again returns a receipt for the index that it
        has; two threads may append the same one at once.

        Raises:
            InputError: If no bundle can hold the entry.
            UnavailableError: If the writer has stopped, or time is up. The entry may yet be appended, from the outbox.
        """
        [receipt] = self.append_all([PendingEntry(entry_id, data)], timeout_s=timeout_s)
        return receipt

    def append_all(self, entries: Sequence[PendingEntry], *, timeout_s: float = DEFAULT_TIMEOUT_S) -> list[Receipt]:
        """As `append`, for entries that belong together: they share one wait, and follow each other in the log.

        Raises:
            InputError: If no bundle can hold one of them. Then none is appended.
            UnavailableError: If the writer has stopped, or time is up. They may yet be appended, from the outbox.
        """
        for entry in entries:
            check_entry_size(entry.data)
        with self._condition:
            self._check_running()
            tickets = [self._in_flight.get(entry.id) or self._queued(entry) for entry in entries]
            self._condition.notify()
        deadline = time.monotonic() + timeout_s
        receipts: list[Receipt] = []
        for ticket in tickets:
            if not ticket.done.wait(max(deadline - time.monotonic(), 0)):
                raise UnavailableError(f"the entry was not in a checkpoint within {timeout_s:g} s")
            if ticket.receipt is None:
                raise UnavailableError("the log's writer stopped before the entry was promised") from ticket.error
            receipts.append(ticket.receipt)
        return receipts

    @property
    def stop_reason(self) -> Error | None:
        """Why nothing is appended any more; `None` while it is."""
        with self._condition:
            return self._stop_reason

    def listen(self, listener: Callable[[SignedNote], None]) -> None:
        """Have a listener told of each new checkpoint, in the writing thread. It must be quick and must not raise."""
        with self._condition:
            self._listeners = [*self._listeners, listener]

    def call(self, chore: Callable[[Log], None]) -> None:
        """Have the writing thread do something with the log between two batches, such as publish cosignatures."""
        with self._condition:
            self._check_running()
            self._chores.append(chore)
            self._condition.notify()

    def redrive(self) -> None:
        """Append the committed rows whose threads never came, oldest first, between two batches."""
        self.call(lambda _: self._append_pending())

    def close(self) -> None:
        """Append what is queued, settle the log, and close it."""
        with self._condition:
            self._is_closing = True
            self._condition.notify()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _queued(self, entry: PendingEntry) -> _Ticket:
        ticket = self._in_flight[entry.id] = _Ticket(entry)
        self._queue.append(ticket)
        return ticket

    def _run(self) -> None:
        try:
            while self._work():
                pass
            self._log.close()
        # The worker loop: whatever went wrong, the threads that wait have to be told.
        except Exception as error:  # noqa: BLE001
            reason = error if isinstance(error, Error) else UnavailableError("the log's writer failed")
            reason.__cause__ = None if reason is error else error
            self._fail(reason)

    def _work(self) -> bool:
        """Wait for something to do and do it; return whether there may be more."""
        with self._condition:
            while not (self._queue or self._chores or self._is_closing):
                self._condition.wait()
            tickets, self._queue = self._queue[:MAX_BATCH_ENTRIES], self._queue[MAX_BATCH_ENTRIES:]
            chores, self._chores = self._chores, []
        if tickets:
            self._append(tickets)
        for chore in chores:
            chore(self._log)
        if self._log.needs_settling:
            self._log.settle()
        return bool(tickets or chores) or not self._is_closing

    def _append(self, tickets: Sequence[_Ticket]) -> None:
        # Above the horizon nobody has appended a row yet; whether it has an index is asked of those at or below it.
        known = [ticket.entry.id for ticket in tickets if not self._is_above_horizon(ticket.entry)]
        indexes = dict(self._outbox.indexes(known)) if known else {}
        fresh = [ticket.entry for ticket in tickets if ticket.entry.id not in indexes]
        if fresh:
            first = self._log.size
            self._write(fresh)
            indexes.update((entry.id, index) for index, entry in enumerate(fresh, start=first))
        for ticket in tickets:
            ticket.receipt = self._log.receipt(indexes[ticket.entry.id])
        with self._condition:
            for ticket in tickets:
                del self._in_flight[ticket.entry.id]
        for ticket in tickets:
            ticket.done.set()
        if fresh:
            self._publish()

    def _is_above_horizon(self, entry: PendingEntry) -> bool:
        return entry.position is not None and entry.position > self._horizon

    def _write(self, entries: Sequence[PendingEntry]) -> None:
        first = self._log.size
        self._horizon = max(self._horizon, *(entry.position or 0 for entry in entries))
        self._log.commit([entry.data for entry in entries])
        self._outbox.mark(first, [entry.id for entry in entries])

    def _publish(self) -> None:
        self._log.publish()
        for listener in self._listeners:
            listener(self._log.note)

    def _agree(self) -> None:
        """Mark the rows whose entries the log has already."""
        marked = self._outbox.marked_size()
        if marked > self._log.size:
            raise CorruptionError(
                f"the records know of {marked} entries and the log has {self._log.size}: the log was rolled back"
            )
        for start in range(marked, self._log.size, MAX_BATCH_ENTRIES):
            entries = self._log.entries(start, min(start + MAX_BATCH_ENTRIES, self._log.size))
            self._outbox.mark(start, [entry_id_of(data) for data in entries])

    def _append_pending(self) -> None:
        """Append the rows that are in no log, oldest first."""
        while pending := self._outbox.pending(MAX_BATCH_ENTRIES):
            self._write(pending)
            self._publish()

    def _check_running(self) -> None:
        if self._is_closing or self._stop_reason is not None:
            raise UnavailableError("the log's writer has stopped") from self._stop_reason

    def _fail(self, reason: Error) -> None:
        with self._condition:
            self._stop_reason = reason
            waiting = list(self._in_flight.values())
            self._in_flight.clear()
            self._queue.clear()
        for ticket in waiting:
            ticket.error = reason
            ticket.done.set()
        # What made closing fail, if it does, is that which is already being reported.
        with contextlib.suppress(Error):
            self._log.close()
