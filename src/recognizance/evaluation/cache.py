"""What was measured already, kept by content, so that a run that was killed goes on where it stopped.

A store is one file of records of one length: a key (the SHA-256 of what it was made from), what was made, and a
checksum. Records are only ever appended, under a lock, and a record that a crash tore is cut off at the next opening.
The file's name holds the identity of what made its contents, so another model, version or setting never meets them.

THE CACHE HOLDS TEMPLATES, WHICH ARE PERSONAL DATA. Its folder is for its owner alone (mode 0700, refused otherwise),
and `recognizance evaluate clean` removes it. It never holds a picture.
"""

import contextlib
import fcntl
import os
import re
import stat
import struct
import threading
import zlib
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

from recognizance.errors import CorruptionError, InputError, UnavailableError

MARKER = "recognizance-evaluation-cache"
"""A file that says what a folder is, so that nothing else is ever removed."""

KEY_BYTES: Final = 32
_CRC: Final = struct.Struct(">I")
_MAGIC: Final = b"recognizance.evaluation.cache/v1\n"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


def content_key(*parts: bytes | str) -> bytes:
    """The key of what was made from these parts, in this order; each is hashed with its length."""
    digest = sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()


class Cache:
    """A folder of stores. Safe to share between threads and processes.

    Raises:
        InputError: If the folder is there and isn't a cache, or others may read it.
        UnavailableError: If it can't be made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stores: list[Store] = []
        try:
            if folder.exists():
                _require_cache(folder)
            else:
                folder.mkdir(mode=0o700, parents=True)
                # `mkdir` lets the umask take bits away, and gives none back.
                folder.chmod(0o700)
                (folder / MARKER).touch(mode=0o600)
        except OSError as error:
            raise UnavailableError(f"the cache {folder} can't be made: {error.strerror}") from error

    def store(self, kind: str, identity: str, *, value_bytes: int) -> "Store":
        """Open the store of what `identity` makes of a kind of thing.

        Args:
            kind: Lower-case words, such as `templates`.
            identity: Everything that the values depend on beside their keys.
        """
        if not _NAME.fullmatch(kind):
            raise ValueError(f"{kind!r} is no kind of store")
        name = f"{kind}-{sha256(identity.encode()).hexdigest()[:32]}"
        self._stores.append(Store(self.folder / name, value_bytes=value_bytes))
        return self._stores[-1]

    def close(self) -> None:
        """Close its stores. What they were given is on the disk already."""
        while self._stores:
            self._stores.pop().close()


def remove_cache(folder: Path) -> int:
    """Remove a cache with everything in it; answers how many bytes that were. A folder that isn't there is removed.

    Raises:
        InputError: If the folder isn't a cache: nothing else is ever removed.
        UnavailableError: If it can't be removed.
    """
    if not folder.exists():
        return 0
    _require_cache(folder)
    try:
        size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
        # The marker goes last: what an interrupted removal leaves can still be removed.
        for file in sorted(folder.iterdir(), key=lambda file: file.name == MARKER):
            file.unlink()
        folder.rmdir()
    except OSError as error:
        raise UnavailableError(f"the cache {folder} can't be removed: {error.strerror}") from error
    return size


class Store:
    """Values of one length by key. What `put` was given is there after a crash, or it isn't: never a part of it.

    Args:
        value_bytes: The length of every value.

    Raises:
        CorruptionError: If the file is no store, or has values of another length.
        UnavailableError: If it can't be read or written.
    """

    def __init__(self, path: Path, *, value_bytes: int) -> None:
        self._path = path
        self._value_bytes = value_bytes
        self._lock = threading.Lock()
        self._values: dict[bytes, bytes] = {}
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            with self._locked():
                self._load()
        except OSError as error:
            raise UnavailableError(f"the cache {path} can't be used: {error.strerror}") from error

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: bytes) -> bool:
        return key in self._values

    def get(self, key: bytes) -> bytes | None:
        return self._values.get(key)

    def put(self, values: Mapping[bytes, bytes]) -> None:
        """Keep values; those that are there already are passed over.

        Raises:
            ValueError: If a key or value has another length than the store's.
            UnavailableError: If the disk is full.
        """
        if any(len(key) != KEY_BYTES or len(value) != self._value_bytes for key, value in values.items()):
            raise ValueError(f"a store's keys have {KEY_BYTES} bytes, and the values of this one {self._value_bytes}")
        with self._lock:
            fresh = {key: value for key, value in values.items() if key not in self._values}
            data = b"".join(_sealed(key + value) for key, value in fresh.items())
            if data:
                try:
                    with self._locked():
                        _write_all(self._file, data)
                except OSError as error:
                    raise UnavailableError(f"the cache {self._path} can't be written: {error.strerror}") from error
            self._values.update(fresh)

    def close(self) -> None:
        os.close(self._file)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other processes out, for as long as it takes to read or append."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _load(self) -> None:
        header = _MAGIC + self._value_bytes.to_bytes(8, "big")
        data = _read_all(self._file)
        if len(data) < len(header):
            # New, or torn before its first record.
            os.ftruncate(self._file, 0)
            _write_all(self._file, header)
            return
        if not data.startswith(header):
            raise CorruptionError(f"{self._path} is no cache of values of {self._value_bytes} bytes; remove it")
        step, place = KEY_BYTES + self._value_bytes + _CRC.size, len(header)
        while place + step <= len(data):
            record = data[place : place + step]
            if _sealed(record[: -_CRC.size]) != record:
                break
            self._values[record[:KEY_BYTES]] = record[KEY_BYTES : -_CRC.size]
            place += step
        if place < len(data):
            # A crash tore a record; those behind it, if any, are made again.
            os.ftruncate(self._file, place)


def _sealed(record: bytes) -> bytes:
    return record + _CRC.pack(zlib.crc32(record))


def _read_all(file: int) -> bytes:
    size, pieces = os.fstat(file).st_size, []
    place = 0
    while place < size and (piece := os.pread(file, size - place, place)):
        pieces.append(piece)
        place += len(piece)
    return b"".join(pieces)


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _require_cache(folder: Path) -> None:
    if not (folder / MARKER).is_file():
        raise InputError(f"{folder} is no cache of evaluations; choose a folder that doesn't exist")
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        raise InputError(f"others may read {folder}, which holds templates; run: chmod 700 {folder}")
