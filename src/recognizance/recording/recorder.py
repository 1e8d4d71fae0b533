"""The recorder: every change in one transaction with its ledger entry, and no answer before the entry is promised.

    with recorder.changing() as change:
        change.transaction.create_gallery(...)
        change.enter(lambda entry: facts.Gallery(...))
    change.receipts

Leaving the block commits the change, the entry's row in the outbox and what opens its commitments, all or none; then
waits until the entry is in a signed checkpoint that is on the disk. If that fails, `UnavailableError` is raised instead
of an answer, and the entry is appended later from the outbox, since the change has happened.

`record` is for what is done without changing anything, such as a search. Entries that arrive together share a
transaction, and with it one wait for the disk.

It must never let go of a result on any other path.
"""

import hmac
import threading
import uuid
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Self

from recognizance.errors import DeniedError, InputError, UnavailableError
from recognizance.identifiers import GalleryId, PrincipalId
from recognizance.ledger import (
    Entry,
    EntryId,
    Opening,
    PendingEntry,
    Receipt,
    Sealer,
    VerifierKey,
    WitnessAddress,
)
from recognizance.permits import Action, Permit
from recognizance.recording.acts import failure
from recognizance.recording.drafts import EntryDraft, Maker
from recognizance.recording.keeper import LogKeeper
from recognizance.recording.ledger_key import KEY_FILE, draw_key, known_keys, read_key
from recognizance.recording.outbox import RecordsOutbox
from recognizance.records import OpeningRow, Records, Secret, Transaction

LEDGER_FOLDER = "ledger"


@dataclass(frozen=True, slots=True)
class Promised:
    """An entry that is in the log, and the proof of it."""

    id: EntryId
    data: bytes
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class _Sealed:
    """An entry with what opens it, ready to be committed to."""

    entry: PendingEntry
    openings: tuple[OpeningRow, ...]
    of_gallery: tuple[OpeningRow, ...]
    gallery: GalleryId | None

    def commit(self, transaction: Transaction) -> PendingEntry:
        """Commit to the entry; answers it with its position, which holds once the transaction is committed."""
        position = transaction.commit_entry(
            self.entry.id, self.entry.data, self.openings, of_gallery=self.of_gallery, gallery=self.gallery
        )
        return replace(self.entry, position=position)


Before = Callable[[Transaction, datetime], None]
"""What has to hold in the transaction that records an act; if it doesn't, raises `DeniedError` and changes nothing."""


class Change:
    """A transaction of the records whose entries go with it.

    Attributes:
        transaction: Where the change itself is made.
        receipts: Of the entries, in order; complete once the block has been left.
    """

    def __init__(
        self,
        transaction: Transaction,
        seal: Callable[[Maker, GalleryId | None], _Sealed],
        clock: Callable[[], datetime],
    ) -> None:
        self.transaction = transaction
        self._clock = clock
        self.receipts: tuple[Receipt, ...] = ()
        self.entries: list[PendingEntry] = []
        self._seal = seal

    def require(self, before: Before) -> None:
        """Make sure of something in this transaction, as `Recorder.record` does before an entry.

        Raises:
            DeniedError: If it doesn't hold.
        """
        before(self.transaction, self._clock())

    def enter(self, make: Maker, *, gallery: GalleryId | None = None) -> EntryId:
        """Commit to an entry in this transaction.

        Args:
            gallery: Under whose key the values are kept that the maker says belong to a gallery.

        Raises:
            NotFoundError: If there is no such gallery, as after its deletion in this transaction.
        """
        sealed = self._seal(make, gallery)
        self.entries.append(sealed.commit(self.transaction))
        return sealed.entry.id


@dataclass(slots=True, eq=False)
class _Waiting:
    """An entry in the queue of `record`."""

    sealed: _Sealed
    before: Before | None = None
    committed: PendingEntry | None = None
    is_done: bool = False
    error: Exception | None = field(default=None)


class Recorder:
    """Puts what is done on the record. Safe to share between threads.

    Args:
        new_id: Draws a fresh lower-case UUID.
        new_salt: Draws 32 random bytes, fit for keys.
        pseudonym_key: Turns names of principals into the pseudonyms of the ledger.
    """

    def __init__(
        self,
        records: Records,
        keeper: LogKeeper,
        *,
        verifier: VerifierKey,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        new_salt: Callable[[], bytes],
        pseudonym_key: Secret,
        former_keys: Sequence[VerifierKey] = (),
    ) -> None:
        self.verifier = verifier
        self.former_keys = tuple(former_keys)
        self._records = records
        self._keeper = keeper
        self._clock = clock
        self._new_id = new_id
        self._new_salt = new_salt
        self._pseudonym_key = pseudonym_key
        self._followers = threading.local()
        self._queue_lock = threading.Lock()
        self._queue: list[_Waiting] = []
        self._commit_lock = threading.Lock()

    @classmethod
    def open(
        cls,
        data: Path,
        records: Records,
        *,
        origin: str = "",
        public: Path | None = None,
        witnesses: Sequence[str] = (),
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        new_salt: Callable[[], bytes],
    ) -> Self:
        """Open the ledger of the installation in `data`, beginning it with a key of its own at the first start.

        Args:
            origin: The log's name; empty keeps the one that it has, or draws one.
            public: The folder of its public files; `None` for one beside its journal.
            witnesses: Each an address and a public key for cosignatures, with a space between.

        Raises:
            InputError: If the key is missing beside a ledger that exists, readable by others, or of another origin.
            UnavailableError: If the folder can't be used.
            CorruptionError: If ledger and records contradict each other.
        """
        folder, key_file = data / LEDGER_FOLDER, data / KEY_FILE
        folder.mkdir(mode=0o700, exist_ok=True)
        # A new key beside an old ledger would be a fork in the making.
        if key_file.exists() or (folder / "journal").exists():
            key = read_key(key_file, origin=origin)
        else:
            key = draw_key(key_file, origin=origin)
        wal = records.path.with_name(records.path.name + "-wal")

        def outbox_state() -> object:
            try:
                found = wal.stat()
            except FileNotFoundError:
                return None
            return found.st_mtime_ns, found.st_size

        with records.reading() as reader:
            pseudonym_key = reader.derived_key("pseudonyms of the ledger")
        former_keys = known_keys(data)[1:]
        keeper = LogKeeper(
            folder,
            key,
            RecordsOutbox(records),
            outbox_state=outbox_state,
            witnesses=[_witness(text) for text in witnesses],
            former_keys=former_keys,
            public=public,
        )
        return cls(
            records,
            keeper,
            verifier=key.verifier,
            clock=clock,
            new_id=new_id,
            new_salt=new_salt,
            pseudonym_key=pseudonym_key,
            former_keys=former_keys,
        )

    @property
    def holds_the_log(self) -> bool:
        """Whether this process is the one that appends to the log."""
        return self._keeper.holds_the_log

    @property
    def public(self) -> Path:
        """The folder of the ledger's static files, which a web server may serve as it is."""
        return self._keeper.public

    @contextmanager
    def changing(self) -> Generator[Change]:
        """Change the records and say so in the ledger: both, or neither.

        Raises:
            UnavailableError: If the log can't be written. If that comes after the commit, the change has happened, and
                its entries are appended later.
        """
        self._keeper.require_sound()
        with self._records.transaction() as transaction:
            change = Change(transaction, self._sealed, self._clock)
            yield change
        change.receipts = tuple(self._promise(change.entries)) if change.entries else ()

    def record(self, make: Maker, *, gallery: GalleryId | None = None, before: Before | None = None) -> Receipt:
        """Put an act on the record that changes nothing else.

        Args:
            before: Run in the same transaction, before the entry: what it sees, nobody can change in between.

        Raises:
            DeniedError: If `before` does; then the act isn't on the record, and its result must go nowhere.
            NotFoundError: If `gallery`, whose key keeps the entry's values, is gone.
            UnavailableError: If the log can't be written.
        """
        self._keeper.require_sound()
        waiting = _Waiting(self._sealed(make, gallery), before)
        with self._queue_lock:
            self._queue.append(waiting)
        # Whoever comes first commits for all who queued behind, and they find it done.
        with self._commit_lock:
            if not waiting.is_done:
                with self._queue_lock:
                    batch, self._queue = self._queue, []
                self._commit(batch)
        if waiting.error is not None:
            raise waiting.error
        [receipt] = self._promise([waiting.committed or waiting.sealed.entry])
        return receipt

    @contextmanager
    def attempting(self, permit: Permit, action: Action, gallery: GalleryId | None = None) -> Generator[None]:
        """Put it on the record if what is done in the block fails, once faces have been looked at.

        Args:
            gallery: What it was done to.

        Raises:
            UnavailableError: If even the failure can't be recorded.
        """
        self._keeper.require_sound()
        try:
            yield
        except UnavailableError:
            # The log's own failure; or a disk's, of which its entry, if there is one, tells.
            raise
        except Exception as error:
            self.record(failure(permit, action, gallery, error))
            raise

    @contextmanager
    def following(self) -> Generator[list[Promised]]:
        """Collect what this thread has promised while the block runs, for an answer that carries its receipts."""
        outer: list[Promised] | None = getattr(self._followers, "promised", None)
        promised: list[Promised] = []
        self._followers.promised = promised
        try:
            yield promised
        finally:
            self._followers.promised = outer
            if outer is not None:
                outer += promised

    def pseudonym(self, principal: PrincipalId) -> str:
        """What the ledger calls a principal: a UUID of theirs, or one that only this installation can derive."""
        try:
            if str(uuid.UUID(principal)) == principal:
                return principal
        except ValueError:
            pass
        digest = bytearray(hmac.digest(self._pseudonym_key.reveal(), principal.encode(), "sha256")[:16])
        # RFC 9562, version 8: bits of our own choice. `uuid` itself learns of it only in Python 3.14.
        digest[6], digest[8] = digest[6] & 0x0F | 0x80, digest[8] & 0x3F | 0x80
        return str(uuid.UUID(bytes=bytes(digest)))

    def close(self) -> None:
        """Append what is committed, and let go of the log."""
        self._keeper.close()

    def _sealed(self, make: Maker, gallery: GalleryId | None) -> _Sealed:
        entry_id = EntryId(self._new_id())
        sealer = Sealer(entry_id, new_salt=self._new_salt)
        draft = EntryDraft(sealer, self.pseudonym)
        entry: Entry = sealer.seal(make(draft), time=self._clock())
        if draft.of_gallery and gallery is None:
            raise ValueError("the entry has values of a gallery, and no gallery")
        return _Sealed(
            PendingEntry(entry_id, entry.data),
            tuple(_row(opening) for opening in sealer.openings if opening.field not in draft.of_gallery),
            tuple(_row(opening) for opening in sealer.openings if opening.field in draft.of_gallery),
            gallery,
        )

    def _commit(self, batch: Sequence[_Waiting]) -> None:
        """Commit entries in one transaction; if one of them can't be, each by itself."""
        try:
            with self._records.transaction() as transaction:
                for waiting in batch:
                    self._commit_one(transaction, waiting)
        except InputError as error:
            if len(batch) > 1:
                for waiting in batch:
                    self._commit([waiting])
                return
            batch[0].error = error
        except Exception as error:  # noqa: BLE001  # the threads that wait have to be told, whatever it was
            for waiting in batch:
                waiting.error = error
        for waiting in batch:
            waiting.is_done = True

    def _commit_one(self, transaction: Transaction, waiting: _Waiting) -> None:
        # In a batch that has to be committed again, the first answer was undone with its transaction.
        waiting.error = None
        if waiting.before is not None:
            try:
                waiting.before(transaction, self._clock())
            except DeniedError as error:
                waiting.error = error
                return
        waiting.committed = waiting.sealed.commit(transaction)

    def _promise(self, entries: Sequence[PendingEntry]) -> list[Receipt]:
        receipts = self._keeper.promise(entries)
        followed: list[Promised] | None = getattr(self._followers, "promised", None)
        if followed is not None:
            followed += [
                Promised(entry.id, entry.data, receipt) for entry, receipt in zip(entries, receipts, strict=True)
            ]
        return receipts


def _witness(text: str) -> WitnessAddress:
    url, _, key = text.partition(" ")
    return WitnessAddress(url, VerifierKey.parse(key.strip()))


def _row(opening: Opening) -> OpeningRow:
    return OpeningRow(opening.entry_id, opening.field, value=opening.value_data, salt=opening.salt)
