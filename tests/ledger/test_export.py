"""A log taken elsewhere: as a folder, a ZIP file, part of it, or over HTTP. It verifies there as it did at home."""

import contextlib
import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from recognizance.errors import ConflictError, CorruptionError, InputError, UnavailableError
from recognizance.ledger.export import export_archive, export_folder, find_receipted, prove
from recognizance.ledger.log import Log
from recognizance.ledger.sources import ArchiveSource, FolderSource, UrlSource, source_at
from recognizance.ledger.stores import FileStore, MemoryStore
from recognizance.ledger.tiles import CHECKPOINT_PATH
from recognizance.ledger.verifier import verify
from tests.ledger.world import KEY, KEYS, a_log, a_log_of, plain_entries, some_entries


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        pass


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder as any web server would."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(QuietHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_exported_folder_is_the_same_log(tmp_path: Path) -> None:
    """Every public file, byte for byte; the copy verifies and proves."""
    store = a_log(600)

    checkpoint = export_folder(store, tmp_path / "copy")

    copied = {str(p.relative_to(tmp_path / "copy")): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert copied == store.files
    assert checkpoint.size == 600
    assert verify(source_at(str(tmp_path / "copy")), KEYS).is_sound


def test_an_exported_archive_is_the_same_log_and_the_same_bytes(tmp_path: Path) -> None:
    """Two exports of one log are one file."""
    store = a_log(600)

    export_archive(store, tmp_path / "a.zip")
    export_archive(store, tmp_path / "b.zip")

    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    report = verify(source_at(str(tmp_path / "a.zip")), KEYS)
    assert report.is_sound
    assert report.entries == 600


def test_an_exported_range_verifies_and_proves_by_itself(tmp_path: Path) -> None:
    """With the tiles on its way to the root, and no other entries."""
    store = a_log_of(plain_entries(0, 66_000))
    export_archive(store, tmp_path / "part.zip", entries=range(1000, 1300))
    part = ArchiveSource(tmp_path / "part.zip")

    report = verify(part, KEYS, entries=range(1000, 1300), are_forms_checked=False)

    assert report.is_sound
    assert (tmp_path / "part.zip").stat().st_size < 100_000
    assert prove(part, KEYS, 1100) == prove(store, KEYS, 1100)
    assert part.read("tile/entries/000") is None


def test_what_exists_is_not_overwritten(tmp_path: Path) -> None:
    """Neither a folder with something in it nor a file."""
    (tmp_path / "file").write_bytes(b"x")

    with pytest.raises(ConflictError):
        export_folder(a_log(3), tmp_path)
    with pytest.raises(ConflictError):
        export_archive(a_log(3), tmp_path / "file")


def test_a_failed_export_leaves_no_half_archive(tmp_path: Path) -> None:
    """It would look like a log with entries missing."""
    store = a_log(300)
    del store.files["tile/entries/000"]

    with pytest.raises(CorruptionError, match="tile/entries/000 is missing"):
        export_archive(store, tmp_path / "a.zip")

    assert list(tmp_path.iterdir()) == []


def test_a_log_behind_http_verifies(tmp_path: Path) -> None:
    """Served by a plain file server; progress is told, and damage is named there too."""
    log = Log.create(FileStore(tmp_path), KEY)
    log.append(some_entries(0, 600))
    log.close()
    seen: list[int] = []
    with served(tmp_path / "public") as url:
        source = source_at(url)
        assert verify(source, KEYS, progress=lambda done, _total: seen.append(done)).is_sound
        assert prove(source, KEYS, 599).receipt.verify(some_entries(599, 600)[0], KEYS).checkpoint.size == 600
        (tmp_path / "public" / "tile" / "entries" / "001").unlink()
        report = verify(source, KEYS)

    assert seen[-1] == 600
    assert [finding.where for finding in report.findings] == ["tile/entries/001"]
    with pytest.raises(UnavailableError, match="could not fetch checkpoint"):
        verify(source, KEYS)


def test_a_server_in_trouble_is_not_a_log_in_trouble(tmp_path: Path) -> None:
    """An answer other than "not found" says nothing about the file."""

    class Broken(QuietHandler):
        def do_GET(self) -> None:
            self.send_error(503)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Broken)
    threading.Thread(target=server.handle_request, daemon=True).start()
    with pytest.raises(UnavailableError, match="answered 503"):
        verify(UrlSource(f"http://127.0.0.1:{server.server_address[1]}"), KEYS)
    server.server_close()


@pytest.mark.parametrize("place", ["ftp://x.example", "/nowhere/at/all", "http://", "https://x.example/?a=b"])
def test_a_place_that_is_none_is_refused(place: str) -> None:
    """Only http, https, folders and ZIP files are read."""
    with pytest.raises(InputError):
        source_at(place)


def test_a_damaged_archive_is_named_and_never_crashes(tmp_path: Path) -> None:
    """Any cut or changed byte of it gives findings or a refusal."""
    export_archive(a_log(20), tmp_path / "a.zip")
    whole = (tmp_path / "a.zip").read_bytes()
    for place in range(0, len(whole), 37):
        (tmp_path / "b.zip").write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            report = verify(ArchiveSource(tmp_path / "b.zip"), KEYS)
        except InputError:
            continue
        assert report.is_sound or report.findings


@pytest.mark.parametrize("index", [-1, 3, 1000])
def test_there_is_no_proof_of_an_entry_that_is_not_there(index: int) -> None:
    """The message says what there is."""
    with pytest.raises(InputError, match="3 entries"):
        prove(a_log(3), KEYS, index)


def test_a_receipt_finds_its_entry_in_a_log_that_went_on_and_in_no_other() -> None:
    """The same key, the same entry at the same place, and another past after it: the receipt names the other log."""
    receipt, other = prove(a_log(300), KEYS, 7).receipt, a_log_of([*some_entries(0, 250), *plain_entries(0, 100)])

    assert (
        find_receipted(a_log(300), KEYS, receipt) == find_receipted(a_log(600), KEYS, receipt) == some_entries(7, 8)[0]
    )
    with pytest.raises(InputError, match="does not continue"):
        find_receipted(other, KEYS, receipt)
    with pytest.raises(InputError, match="has 250 entries, and had 300"):
        find_receipted(a_log(250), KEYS, receipt)


def test_the_writers_folder_is_read_like_its_public_part(tmp_path: Path) -> None:
    """An operator may name either."""
    Log.create(FileStore(tmp_path), KEY).close()

    assert source_at(str(tmp_path)).read(CHECKPOINT_PATH) == FolderSource(tmp_path / "public").read(CHECKPOINT_PATH)
    assert FolderSource(tmp_path).read("journal/x") is None


def test_a_file_longer_than_any_of_a_log_is_refused(tmp_path: Path) -> None:
    """Before it is all in memory."""
    with (tmp_path / "checkpoint").open("wb") as file:
        file.truncate(20_000_000)
    with pytest.raises(InputError, match="more than any file of a log"):
        FolderSource(tmp_path).read("checkpoint")


def test_a_memory_store_is_a_source() -> None:
    """As every store is."""
    assert verify(MemoryStore(), KEYS).findings[0].where == CHECKPOINT_PATH
