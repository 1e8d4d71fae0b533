"""Where a log's files lie: the `Store` that its one writer needs, on a disk and in memory.

Two parts with different duties. *Public files* (checkpoint, tiles, entry bundles) are for everybody: each is replaced
as a whole, so that a reader never sees half of one. The *journal* is the writer's own: an append-only file whose
every `append_journal` is on the disk when it returns. What the journal says is what was promised; the public files are
made durable later, in bulk, and written again from the journal after a crash.
"""

import fcntl
import os
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from recognizance.errors import ConflictError, UnavailableError

_SYNC_THREADS = 16
_PUBLIC_FILE_MODE = 0o644
_PUBLIC_FOLDER_MODE = 0o755

JOURNAL_RESERVE_BYTES = 4 * 1024 * 1024
"""How much of the journal is written with zeros in advance.

Adding to a file that doesn't grow changes no metadata, so the file system doesn't have to commit its own journal, and
with it the data of every public file that was written since, before an entry is promised.
"""


class Store(Protocol):
    """The files of one log.

    Every method may raise `UnavailableError`, after which it is unknown whether its effect took place: the writer
    stops, and the next one recovers. No method is called by two threads at once, except `read`.
    """

    def lock(self) -> None:
        """Become the only writer until `close`.

        Raises:
            ConflictError: If somebody else is.
        """
        ...

    def read(self, path: str) -> bytes | None:
        """Return the public file at `path`, or `None`."""
        ...

    def publish(self, path: str, data: bytes) -> None:
        """Put a public file in place, at once and whole. It is durable after the next `sync`."""
        ...

    def remove(self, paths: Iterable[str]) -> None:
        """Take public files away; those that aren't there are passed over."""
        ...

    def sync(self) -> None:
        """Return when every public file that was published is on the disk."""
        ...

    def read_journal(self) -> bytes | None:
        """Return the journal, or `None` if there has never been one. Zeros may follow what was written."""
        ...

    def start_journal(self, data: bytes) -> None:
        """Replace the journal, at once and whole; durable on return."""
        ...

    def append_journal(self, data: bytes) -> None:
        """Add to the end of the journal; durable on return.

        A crash may leave any part of `data`, and zeros where the rest should be.
        """
        ...

    def close(self) -> None:
        """Let another writer in."""
        ...


class MemoryStore:
    """A `Store` that lives as long as its process, for tests and trials."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.journal: bytes | None = None
        self._is_locked = False

    def lock(self) -> None:
        if self._is_locked:
            raise ConflictError("another writer has this log open")
        self._is_locked = True

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def publish(self, path: str, data: bytes) -> None:
        self.files[path] = data

    def remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            self.files.pop(path, None)

    def sync(self) -> None:
        """Memory has nothing to wait for."""

    def read_journal(self) -> bytes | None:
        return self.journal

    def start_journal(self, data: bytes) -> None:
        self.journal = data

    def append_journal(self, data: bytes) -> None:
        self.journal = (self.journal or b"") + data

    def close(self) -> None:
        self._is_locked = False


class FileStore:
    """A `Store` in a folder: `public/`, which a web server may serve as it is, beside `journal` and `lock`.

    Public files and their folders can be read by everybody on the machine, whatever its umask; the journal can't.
    The folder must be on a local file system: locks and `fsync` of network file systems promise too little.

    Args:
        public: Where the public files are instead, such as below another web server's root.
    """

    def __init__(self, folder: Path, *, public: Path | None = None) -> None:
        self.public = public or folder / "public"
        self._folder = folder
        self._journal_path = folder / "journal"
        self._lock_fd: int | None = None
        self._journal_fd: int | None = None
        self._unsynced_files: set[Path] = set()
        self._known_folders: set[Path] = set()
        self._unsynced_folders: set[Path] = set()
        self._temporary_name = f".new-{os.getpid()}-{threading.get_native_id()}"

    def lock(self) -> None:
        try:
            self._make_folder(self.public)
            lock_fd = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unavailable("lock", error) from error
        try:
            # The kernel drops this lock with the process, so a crash leaves no stale one behind.
            fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock_fd)
            raise ConflictError("another writer has this log open") from error
        self._lock_fd = lock_fd

    def read(self, path: str) -> bytes | None:
        try:
            return (self.public / path).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unavailable("read", error) from error

    def publish(self, path: str, data: bytes) -> None:
        target = self.public / path
        try:
            if target.parent not in self._known_folders:
                self._make_folder(target.parent)
            temporary = target.parent / self._temporary_name
            fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
            try:
                os.fchmod(fd, _PUBLIC_FILE_MODE)
                _write_all(fd, data)
            finally:
                os.close(fd)
            temporary.replace(target)
        except OSError as error:
            raise _unavailable("publish", error) from error
        self._unsynced_files.add(target)
        self._unsynced_folders.add(target.parent)

    def remove(self, paths: Iterable[str]) -> None:
        try:
            for path in paths:
                target = self.public / path
                target.unlink(missing_ok=True)
                self._unsynced_files.discard(target)
        except OSError as error:
            raise _unavailable("remove", error) from error

    def sync(self) -> None:
        try:
            # Side by side, because a file system commits many waiting fsyncs at once: 600 files took 1.7 s one after
            # the other and 0.1 s in this way.
            with ThreadPoolExecutor(_SYNC_THREADS) as threads:
                for paths in (self._unsynced_files, self._unsynced_folders):
                    list(threads.map(_sync_path, paths))
        except OSError as error:
            raise _unavailable("sync", error) from error
        self._unsynced_files.clear()
        self._unsynced_folders.clear()

    def read_journal(self) -> bytes | None:
        try:
            return self._journal_path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unavailable("read the journal of", error) from error

    def start_journal(self, data: bytes) -> None:
        temporary = self._folder / ".journal-new"
        try:
            fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                _write_all(fd, data + bytes(JOURNAL_RESERVE_BYTES))
                os.lseek(fd, len(data), os.SEEK_SET)
                os.fsync(fd)
                temporary.replace(self._journal_path)
                _sync_path(self._folder)
            except OSError:
                os.close(fd)
                raise
        except OSError as error:
            raise _unavailable("replace the journal of", error) from error
        self._close_journal()
        self._journal_fd = fd

    def append_journal(self, data: bytes) -> None:
        if self._journal_fd is None:
            raise ValueError("the journal is started before it is added to")
        try:
            _write_all(self._journal_fd, data)
            os.fdatasync(self._journal_fd)
        except OSError as error:
            raise _unavailable("add to the journal of", error) from error

    def close(self) -> None:
        self._close_journal()
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None

    def _make_folder(self, folder: Path) -> None:
        """Create a folder and those above it, remembering that their names have to reach the disk."""
        self._folder.mkdir(parents=True, exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        self._known_folders.add(folder)
        while folder != self.public:
            folder.chmod(_PUBLIC_FOLDER_MODE)
            folder = folder.parent
            self._unsynced_folders.add(folder)
        folder.chmod(_PUBLIC_FOLDER_MODE)
        self._unsynced_folders |= {folder.parent, self._folder, self._folder.parent}

    def _close_journal(self) -> None:
        if self._journal_fd is not None:
            os.close(self._journal_fd)
            self._journal_fd = None


def _write_all(fd: int, data: bytes) -> None:
    remaining = memoryview(data)
    while remaining:
        remaining = remaining[os.write(fd, remaining) :]


def _sync_path(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _unavailable(act: str, error: OSError) -> UnavailableError:
    return UnavailableError(f"could not {act} the log's files: {error.strerror or type(error).__name__}")
