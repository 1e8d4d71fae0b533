"""The connection to SQLite: how it is opened, how transactions begin and end, and what its errors mean to us.

Write-ahead log with `synchronous=FULL`: when a commit returns, the change is on disk. `secure_delete` overwrites what
is removed with zeros. The file and its companions have mode 0600. Nothing outside this folder imports SQLAlchemy.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, exc

from recognizance.errors import ConflictError, CorruptionError, Error, ThrottledError, UnavailableError

BUSY_TIMEOUT_S = 15.0
"""How long a writer waits for its turn, before it asks the caller to come back."""

_POOL = 8
_MORE = 56
_CACHE_KIB = 32_768
_SYNCHRONOUS = "recognizance_synchronous"

_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_CORRUPT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class Database:
    """One SQLite file. Safe to use from several threads, and beside other processes that use the same file."""

    def __init__(self, path: Path) -> None:
        """Create the file if there is none.

        Raises:
            UnavailableError: If it can't be opened.
        """
        self.path = path
        try:
            # SQLite would create it with the process's umask; its log and index copy the mode of this file.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            path.chmod(0o600)
        except OSError as error:
            raise UnavailableError(f"can't open {path}: {error.strerror}") from error
        self.engine: Engine = create_engine(
            URL.create("sqlite", database=str(path)),
            pool_size=_POOL,
            max_overflow=_MORE,
            pool_timeout=BUSY_TIMEOUT_S,
            # Parameters hold ids, sealed bytes and names, and an error is logged with its text.
            hide_parameters=True,
            connect_args={"timeout": BUSY_TIMEOUT_S},
        )
        event.listen(self.engine, "connect", _configure)
        event.listen(self.engine, "handle_error", _translate)
        # Threads of one process queue here; SQLite's own waiting polls, and lets the unlucky starve.
        self._turn = threading.Lock()
        self._writer: int | None = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent snapshot, taken by the first statement."""
        with self._connected("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Connection]:
        """The only writer of the file until it ends: commits if the block ends, rolls back if it raises.

        Args:
            durable: Whether the commit waits for the disk. If not, a power failure can undo it.

        Raises:
            ThrottledError: If others kept writing for `BUSY_TIMEOUT_S`.
        """
        if self._writer == threading.get_ident():
            raise RuntimeError("transactions don't nest")
        if not self._turn.acquire(timeout=BUSY_TIMEOUT_S):
            raise ThrottledError("the records are busy with other changes")
        self._writer = threading.get_ident()
        try:
            with self._connected("BEGIN IMMEDIATE", synchronous="FULL" if durable else "NORMAL") as connection:
                yield connection
        finally:
            self._writer = None
            self._turn.release()

    def empty_log(self) -> None:
        """Move the write-ahead log into the file and cut it to nothing, if no reader needs it now.

        What was removed lies in the log, sealed, until this is done or the log is written over.
        """
        with self._outside() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 0")
            try:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()
            finally:
                connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")

    def copy_to(self, target: Path) -> None:
        """Write a consistent copy while others go on reading and writing.

        Raises:
            ConflictError: If `target` exists.
        """
        try:
            os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError as error:
            raise ConflictError(f"{target} exists") from error
        except OSError as error:
            raise UnavailableError(f"can't create {target}: {error.strerror}") from error
        with self._outside() as connection:
            connection.exec_driver_sql("VACUUM INTO ?", (str(target),))

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _outside(self) -> Iterator[Connection]:
        """A connection with no transaction, for statements that refuse to be in one."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def _connected(self, begin: str, *, synchronous: str | None = None) -> Iterator[Connection]:
        try:
            with self.engine.connect() as connection, connection.begin():
                _begin(connection, begin, synchronous)
                yield connection
        except exc.TimeoutError as error:
            raise ThrottledError("all connections to the records are in use") from error


def _configure(connection: Any, _record: object) -> None:  # the driver's own connection
    # The driver would begin transactions by itself, and late. `_begin` does instead.
    connection.isolation_level = None
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "secure_delete = ON",
        "temp_store = MEMORY",
        f"cache_size = -{_CACHE_KIB}",
        # A file that somebody tampered with must not be able to run anything by its schema.
        "trusted_schema = OFF",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection, begin: str, synchronous: str | None) -> None:
    """Begin a transaction, which the toolkit then ends.

    Said to the driver itself: a listener of the toolkit's would make each of its statements dearer by a fifth.
    """
    driver: Any = connection.connection.driver_connection
    try:
        # Connections are used again and stay as they were set; within a transaction it can't be changed.
        if synchronous is not None and connection.info.get(_SYNCHRONOUS) != synchronous:
            driver.execute(f"PRAGMA synchronous = {synchronous}").close()
            connection.info[_SYNCHRONOUS] = synchronous
        driver.execute(begin).close()
    except sqlite3.Error as error:
        ours = translated(error)
        if ours is None:
            raise
        raise ours from error


def _translate(context: ExceptionContext) -> None:
    """Turn the driver's errors into ours, wherever they come up: connecting, executing, fetching, committing."""
    original = context.original_exception
    ours = translated(original) if isinstance(original, sqlite3.Error) else None
    if ours is not None:
        raise ours from original


def translated(error: sqlite3.Error) -> Error | None:
    """What an error of the driver means to a caller; `None` if it is a mistake of ours, which stays as it is.

    The driver's message isn't passed on: it can hold SQL and values.
    """
    code = getattr(error, "sqlite_errorcode", None)
    # The low byte is the primary code, the rest tells which kind.
    primary = None if code is None else code & 0xFF
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    if primary in _BUSY:
        return ThrottledError("the records are busy with other changes")
    if primary in _CORRUPT:
        return CorruptionError(f"the database file is damaged ({name})")
    if primary == sqlite3.SQLITE_CONSTRAINT:
        return ConflictError(f"the change contradicts what is stored ({name})")
    if isinstance(error, sqlite3.OperationalError) and primary != sqlite3.SQLITE_ERROR:
        return UnavailableError(f"the records can't be reached ({name})")
    return None
