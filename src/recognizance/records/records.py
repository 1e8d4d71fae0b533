"""The records of one installation: opening them, and the transactions in which all reading and writing happens."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, bindparam, insert, select, update

from recognizance.errors import ThrottledError, UnavailableError
from recognizance.records import schema
from recognizance.records.access import INSTALLATION_CONTEXT, AccessWriter
from recognizance.records.ages import AgeReader
from recognizance.records.check import CheckReader
from recognizance.records.closed import ClosedWriter
from recognizance.records.database import Database
from recognizance.records.documents import DocumentWriter
from recognizance.records.galleries import IS_OPEN
from recognizance.records.imports import ImportWriter
from recognizance.records.keys import MasterKey, WrappedKey, new_data_key
from recognizance.records.migrations import migrate
from recognizance.records.outbox import OutboxWriter
from recognizance.records.session import gallery_context
from recognizance.records.subjects import SubjectWriter
from recognizance.records.traces import TraceReader

FILE_NAME = "records.sqlite3"

_INSTALLED = select(schema.installation.c.wrapped_key)
_INSTALL = insert(schema.installation)
_SET_INSTALLED = update(schema.installation).values(wrapped_key=bindparam("wrapped"))
_GALLERY_KEYS = select(schema.galleries.c.gallery_key, schema.galleries.c.wrapped_key).where(IS_OPEN)
_SET_GALLERY_KEY = (
    update(schema.galleries)
    .where(schema.galleries.c.gallery_key == bindparam("gallery"))
    .values(wrapped_key=bindparam("wrapped"))
)


class Reader(CheckReader, TraceReader, AgeReader):
    """One consistent snapshot of everything. Belongs to one thread, and ends with its `with` block."""


class Transaction(Reader, SubjectWriter, ImportWriter, ClosedWriter, AccessWriter, DocumentWriter, OutboxWriter):
    """Changes that happen together or not at all. Reads see what it has written so far."""

    @property
    def erased(self) -> bool:
        """Whether something was removed that has to leave the write-ahead log too."""
        return self._erased


class Records:
    """Everything that the service knows, in one SQLite file. Safe to share between threads and processes."""

    def __init__(self, database: Database, master_key: MasterKey) -> None:
        """Use `open` instead; this takes a database that has been brought to the newest form."""
        self._database = database
        self._master_key = master_key

    @classmethod
    def open(cls, folder: Path, *, master_key: MasterKey) -> Self:
        """Open the records in `folder`, creating both if need be and bringing an older form up to date.

        A folder that is created gets mode 0700; one that exists keeps its own. The file always gets 0600.

        Raises:
            InputError: If the master key is the wrong one, or a later version of this program has written the records.
            UnavailableError: If the folder or file can't be used.
            CorruptionError: If the file is no database of ours.
        """
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UnavailableError(f"can't create {folder}: {error.strerror}") from error
        database = Database(folder / FILE_NAME)
        try:
            with database.writing() as connection:
                migrate(connection)
                _prove_key(connection, master_key)
        except BaseException:
            database.close()
            raise
        return cls(database, master_key)

    @property
    def path(self) -> Path:
        """The database file. Its companions `-wal` and `-shm` belong to it."""
        return self._database.path

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Transaction]:
        """Change things: committed to disk when the block has ended, or rolled back if it raises.

        There's one writer at a time, so do slow work (models, networks) before. Each transaction costs one wait for the
        disk, whatever it holds: many faces in one are far cheaper than many transactions.

        If the commit itself raises, it may have taken effect all the same: read before trying again.

        Args:
            durable: False doesn't wait for the disk. A power failure may then undo this change, and any that follow it
                up to the next durable one, the latest first; the end of the process doesn't.

        Raises:
            ThrottledError: If others keep writing.
            UnavailableError: If the disk is full or fails. Nothing was changed.
        """
        with self._database.writing(durable=durable) as connection:
            transaction = Transaction(connection, self._master_key)
            yield transaction
        if transaction.erased:
            # The change is on disk, so a failure here must not say otherwise. The next removal or closing does it too.
            with suppress(ThrottledError, UnavailableError):
                self._database.empty_log()

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """Read a snapshot that nobody's writing changes. Never waits for writers."""
        with self._database.reading() as connection:
            # SQLite takes the snapshot at the first statement; this makes it the moment at which the block begins.
            installed = connection.execute(_INSTALLED).scalar_one_or_none()
            yield Reader(connection, self._master_key, installed=installed)

    def rewrap(self, master_key: MasterKey) -> None:
        """Put every data key under the current key of `master_key`, which also has to hold the key used so far.

        Costs one small row for each gallery: what the data keys seal stays as it is.

        Raises:
            InputError: If `master_key` can't open what is there. Nothing is changed then.
        """
        with self._database.writing() as connection:
            installed = connection.execute(_INSTALLED).scalar_one()
            connection.execute(_SET_INSTALLED, {"wrapped": _rewrapped(master_key, installed, INSTALLATION_CONTEXT)})
            for gallery_key, wrapped in connection.execute(_GALLERY_KEYS).all():
                value = _rewrapped(master_key, wrapped, gallery_context(gallery_key))
                connection.execute(_SET_GALLERY_KEY, {"gallery": gallery_key, "wrapped": value})
        self._database.empty_log()
        self._master_key = master_key

    def backup(self, target: Path) -> int:
        """Write a consistent copy of the database to a new file, while the service runs.

        Returns:
            How many entries of the ledger the copy knows.

        The copy is sealed as the original is, and useless without the master key, which it does not hold. It also
        keeps, for as long as it exists, what is deleted here later.

        Raises:
            ConflictError: If `target` exists.
            UnavailableError: If it can't be written; what there is of it is removed.
        """
        try:
            self._database.copy_to(target)
        except UnavailableError:
            target.unlink(missing_ok=True)
            raise
        with closing(Records(Database(target), self._master_key)) as copy, copy.reading() as reader:
            return reader.marked_size()

    def settle(self) -> None:
        """Move the write-ahead log into the file and cut it to nothing, unless somebody reads: then it is done later.

        What was removed lies in the log, sealed, until then. A removal does this by itself.

        Raises:
            UnavailableError: If the disk fails.
        """
        self._database.empty_log()

    def close(self) -> None:
        """Close all connections. Transactions must have ended."""
        with suppress(ThrottledError, UnavailableError):
            self._database.empty_log()
        self._database.close()


def check_records(records: Records) -> tuple[str, ...]:
    """Everything that is wrong with the records, as sentences; empty if they are sound."""
    with records.reading() as reader:
        return tuple(reader.problems())


def _prove_key(connection: Connection, master_key: MasterKey) -> None:
    """Make sure that the master key opens what is there; a new database is bound to it."""
    wrapped = connection.execute(_INSTALLED).scalar_one_or_none()
    if wrapped is None:
        fresh = master_key.wrap(new_data_key(), INSTALLATION_CONTEXT)
        connection.execute(_INSTALL, {"only": 1, "wrapped_key": fresh.value, "version_floor": 0})
    else:
        master_key.unwrap(WrappedKey(wrapped), INSTALLATION_CONTEXT)


def _rewrapped(master_key: MasterKey, wrapped: bytes, bound_to: bytes) -> bytes:
    return master_key.wrap(master_key.unwrap(WrappedKey(wrapped), bound_to), bound_to).value
