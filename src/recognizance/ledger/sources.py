"""Where a log is read from: a folder, an archive, a web server or bucket, or the writer's own store.

A reader needs no database and no key, only these static files. Nothing that comes from here is believed before it has
been held against a signed checkpoint.
"""

import http.client
import urllib.error
import urllib.parse
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from recognizance.errors import CorruptionError, InputError, UnavailableError
from recognizance.ledger.merkle import HASH_SIZE_BYTES
from recognizance.ledger.tiles import MAX_BUNDLE_BYTES, TILE_WIDTH, Bundle, Tile, bundle_at, split_entries

MAX_FILE_BYTES = MAX_BUNDLE_BYTES
"""No file of a log is longer than an entry bundle of the longest entries."""

DEFAULT_TIMEOUT_S = 30.0
_NOT_FOUND = frozenset({404, 410})


class Source(Protocol):
    """The public files of one log. Every `Store` is one."""

    def read(self, path: str) -> bytes | None:
        """Return the file at `path`, or `None` if there is none.

        Raises:
            UnavailableError: If it can't be known now.
            InputError: If it is longer than any file of a log.
        """
        ...


class FolderSource:
    """A log as files in a folder: the `public` folder of a `FileStore`, a mirror, an export."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, path: str) -> bytes | None:
        try:
            with (self._folder / path).open("rb") as file:
                return _bounded(path, file.read(MAX_FILE_BYTES + 1))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise UnavailableError(f"could not read {path}: {error.strerror}") from error


class ArchiveSource:
    """A log in a ZIP file, as `export_archive` writes it."""

    def __init__(self, path: Path) -> None:
        try:
            self._archive = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            raise InputError(f"{path.name} is not a readable ZIP file") from error

    def read(self, path: str) -> bytes | None:
        try:
            with self._archive.open(path) as member:
                return _bounded(path, member.read(MAX_FILE_BYTES + 1))
        except KeyError:
            return None
        # A damaged member shows itself in these ways, as zlib's errors among others.
        except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
            raise InputError(f"{path} can't be read from the archive") from error


class UrlSource:
    """A log behind an http or https prefix.

    Raises:
        InputError: On construction, if it is no such URL.
    """

    def __init__(self, prefix: str, *, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        parts = urllib.parse.urlsplit(prefix)
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
            raise InputError(f"{prefix!r} is not an http or https address without a query")
        self._prefix = prefix.rstrip("/")
        self._timeout_s = timeout_s

    def read(self, path: str) -> bytes | None:
        # The scheme was checked on construction; the path comes from our own tile and bundle spelling.
        request = urllib.request.Request(f"{self._prefix}/{path}", headers={"Accept-Encoding": "identity"})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s) as response:  # noqa: S310
                data: bytes = response.read(MAX_FILE_BYTES + 1)
                return _bounded(path, data)
        except urllib.error.HTTPError as error:
            with error:
                if error.code in _NOT_FOUND:
                    return None
                raise UnavailableError(f"the server answered {error.code} to {path}") from error
        except (OSError, http.client.HTTPException) as error:
            raise UnavailableError(f"could not fetch {path} from the server") from error


def source_at(place: str) -> Source:
    """Return the source that an operator means: an http(s) URL, a ZIP file, or a folder.

    A folder may be that of a `FileStore`, whose public files lie one folder deeper.

    Raises:
        InputError: If there is nothing there that can be read.
    """
    if place.startswith(("http://", "https://")):
        return UrlSource(place)
    path = Path(place)
    if path.is_file():
        return ArchiveSource(path)
    if not path.is_dir():
        raise InputError(f"{place!r} is neither a folder, nor a ZIP file, nor an http or https address")
    return FolderSource(path / "public" if (path / "public").is_dir() else path)


def fetch_tile(source: Source, tile: Tile) -> bytes:
    """Return the content of a tile, out of the full one if the partial one has been dropped.

    tlog-tiles: logs "MAY delete any partial tile once the corresponding full tile is [...] available".

    Raises:
        CorruptionError: If neither is there.
    """
    data = source.read(tile.path)
    if data is None and tile != tile.full and (full := source.read(tile.full.path)) is not None:
        return full[: tile.width * HASH_SIZE_BYTES]
    if data is None:
        raise CorruptionError(f"{tile.path} is missing")
    return data


def fetch_bundle(source: Source, bundle: Bundle) -> tuple[Bundle, bytes]:
    """Return the content of a bundle, or of the full one if the partial one has been dropped, and which it is.

    Raises:
        CorruptionError: If neither is there.
    """
    for place in dict.fromkeys((bundle, bundle.full)):
        if (data := source.read(place.path)) is not None:
            return place, data
    raise CorruptionError(f"{bundle.path} is missing")


def fetch_entries(source: Source, bundle: Bundle) -> tuple[bytes, ...]:
    """Return the entries of a bundle.

    Raises:
        CorruptionError: If it is missing.
        InputError: If its content isn't as wide as the bundle.
    """
    place, data = fetch_bundle(source, bundle)
    return split_entries(place, data)[: bundle.width]


def read_entries(source: Source, entries: range, size: int) -> Iterator[bytes]:
    """Yield consecutive entries of a log of `size` entries, a bundle at a time. Nothing of them is checked.

    Raises:
        CorruptionError: If a bundle is missing.
        InputError: If a bundle's content isn't as wide as it should be.
    """
    for index in range(entries.start // TILE_WIDTH, -(-entries.stop // TILE_WIDTH)):
        bundle = bundle_at(index, size)
        first, last = max(entries.start - bundle.start, 0), entries.stop - bundle.start
        yield from fetch_entries(source, bundle)[first:last]


def _bounded(path: str, data: bytes) -> bytes:
    if len(data) > MAX_FILE_BYTES:
        raise InputError(f"{path} has more than {MAX_FILE_BYTES} bytes, more than any file of a log")
    return data
