"""Who writes the log: one process at a time, and the others wait for it.

A server and an `import` may work on the same data folder. Both commit entries to the outbox, which is in the database
that they share; only the one that holds the log's lock appends them. The other waits until its rows are marked and the
public files show them, and takes the lock itself as soon as it is free: nobody ever waits for a process that is gone,
since the kernel drops its lock with it. The holder in turn looks for rows that it hasn't appended, and appends them.

Nobody waits for the log within a transaction, nor for a transaction while holding the log, so none waits for another.

A writer that failed is replaced by one that reads everything back. Damage is not: it stops the recording for good, and
with it everything that has to be recorded.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from recognizance.errors import ConflictError, CorruptionError, Error, UnavailableError
from recognizance.ledger import (
    Cosigner,
    CosigningThread,
    FileStore,
    FolderSource,
    Log,
    NoteKey,
    Outbox,
    PendingEntry,
    Receipt,
    Sequencer,
    VerifierKey,
    WitnessAddress,
    prove,
    read_checkpoint,
)

POLL_S = 0.05
"""How often a process that doesn't hold the log looks whether its entries are in, and the holder for others' rows."""

LOOK_S = 0.5
"""How often the holder looks for others' rows although nothing seems to have changed.

SQLite writes a commit to its file and syncs it before it lets readers see it. Who looks in between sees the file
changed and no row, and the file doesn't change again when the row appears.
"""

PROMISE_TIMEOUT_S = 30.0
RETRY_S = 1.0
"""How long after a failed write the log is opened again."""

_log = logging.getLogger(__name__)


def _not_cosigned(witness: WitnessAddress, error: Error) -> None:
    level = logging.CRITICAL if isinstance(error, CorruptionError) else logging.WARNING
    _log.log(level, "the witness %s did not cosign: %s", witness.key.name, error)


class LogKeeper:
    """Has entries of the outbox appended to the log in a folder, by this process or another. Safe to share by threads.

    Args:
        outbox_state: Cheap to ask; answers something else than before when the outbox may have changed.
        witnesses: Asked, while this process holds the log, to cosign its checkpoints. Nothing waits for them.
        former_keys: Public keys that the log signed with before its key was changed.
        public: Where its public files are; `None` for a folder beside its journal.

    Raises:
        CorruptionError: If log and outbox contradict each other.
    """

    def __init__(
        self,
        folder: Path,
        key: NoteKey,
        outbox: Outbox,
        *,
        outbox_state: Callable[[], object],
        witnesses: Sequence[WitnessAddress] = (),
        former_keys: Sequence[VerifierKey] = (),
        public: Path | None = None,
    ) -> None:
        self.public = public or folder / "public"
        self._folder = folder
        self._key = key
        self._outbox = outbox
        self._outbox_state = outbox_state
        self._witnesses = tuple(witnesses)
        self._former_keys = tuple(former_keys)
        self._cosigning: CosigningThread | None = None
        self._seen_state: object = None
        self._look_at = 0.0
        self._sequencer: Sequencer | None = None
        self._damage: CorruptionError | None = None
        self._retry_at = 0.0
        self._closing = threading.Event()
        self._take()
        self._thread = threading.Thread(target=self._run, name="ledger-keeper", daemon=True)
        self._thread.start()

    @property
    def holds_the_log(self) -> bool:
        """Whether this process is the one that appends."""
        return self._sequencer is not None

    def require_sound(self) -> None:
        """Refuse to begin what could not be recorded.

        Raises:
            UnavailableError: If the log is damaged, or its writer has stopped and isn't back yet.
        """
        if self._damage is not None:
            raise UnavailableError("the ledger is damaged: nothing can be recorded, so nothing is done") from (
                self._damage
            )
        sequencer = self._sequencer
        if sequencer is not None and (reason := sequencer.stop_reason) is not None:
            raise UnavailableError("the ledger's writer has stopped; it's being opened again") from reason

    def promise(self, entries: Sequence[PendingEntry], *, timeout_s: float = PROMISE_TIMEOUT_S) -> list[Receipt]:
        """Return the receipts of entries that are committed to the outbox, once they are in a signed checkpoint.

        Raises:
            UnavailableError: If the writer failed, or time is up. The entries are appended later, from the outbox.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            self.require_sound()
            if (sequencer := self._sequencer) is not None:
                return sequencer.append_all(entries, timeout_s=max(deadline - time.monotonic(), 0))
            if (receipts := self._published(entries)) is not None:
                return receipts
            if time.monotonic() >= deadline:
                raise UnavailableError(
                    f"the process that holds the ledger did not append the entry within {timeout_s:g} s; what was done "
                    "is committed, and its entry follows: look at how things stand before doing it again"
                )
            self._closing.wait(POLL_S)

    def close(self) -> None:
        """Append what is queued, and let another process take the log."""
        self._closing.set()
        self._thread.join()
        self._stop_cosigning()
        if self._sequencer is not None:
            self._sequencer.close()

    def _stop_cosigning(self) -> None:
        if self._cosigning is not None:
            self._cosigning.close()
            self._cosigning = None

    def _run(self) -> None:
        while not self._closing.wait(POLL_S):
            try:
                self._look_around()
            except CorruptionError as error:
                _log.critical("the ledger is damaged; nothing is done until a person has looked", exc_info=error)
                self._damage = error
                return
            except Error as error:
                _log.error("the ledger can't be written; trying again", exc_info=error)
                self._retry_at = time.monotonic() + RETRY_S

    def _look_around(self) -> None:
        if time.monotonic() < self._retry_at:
            return
        sequencer = self._sequencer
        if sequencer is None or sequencer.stop_reason is not None:
            self._take()
            return
        # Rows of other processes, and of threads of this one that gave up waiting. Those whose threads are about to
        # come are appended too, and found appended when they come.
        now = time.monotonic()
        if (state := self._outbox_state()) != self._seen_state or now >= self._look_at:
            self._seen_state, self._look_at = state, now + LOOK_S
            if self._outbox.pending(1):
                sequencer.redrive()

    def _take(self) -> None:
        """Become the holder if nobody is."""
        if self._sequencer is not None:
            stopped = self._sequencer
            if isinstance(stopped.stop_reason, CorruptionError):
                raise stopped.stop_reason
            self._stop_cosigning()
            stopped.close()
        try:
            log = self._open()
        except ConflictError:
            self._sequencer = None
            return
        note = log.note
        sequencer = Sequencer(log, self._outbox)
        if self._witnesses:
            cosigner = Cosigner(FolderSource(self.public), self._witnesses)
            self._cosigning = CosigningThread(sequencer, cosigner, on_failure=_not_cosigned)
            self._cosigning.wake(note)
        self._sequencer = sequencer

    def _open(self) -> Log:
        store = FileStore(self._folder, public=self.public)
        if (self._folder / "journal").exists():
            return Log.open(store, self._key, former_keys=self._former_keys)
        if self._outbox.marked_size():
            raise CorruptionError(f"the records know of a ledger, and there is none in {self._folder}")
        return Log.create(store, self._key)

    def _published(self, entries: Sequence[PendingEntry]) -> list[Receipt] | None:
        """The receipts as the public files prove them; `None` until they do."""
        indexes = self._outbox.indexes([entry.id for entry in entries])
        if len(indexes) < len(entries):
            return None
        source, keys = FolderSource(self.public), (self._key.verifier,)
        if read_checkpoint(source, keys).checkpoint.size <= max(indexes.values()):
            return None
        return [prove(source, keys, indexes[entry.id]).receipt for entry in entries]
