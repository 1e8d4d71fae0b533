"""The file underneath: whose turn it is, what its errors mean, and what a full disk leaves."""

import sqlite3
import threading
from pathlib import Path

import pytest

from recognizance.errors import (
    ConflictError,
    CorruptionError,
    NotFoundError,
    ThrottledError,
    UnavailableError,
)
from recognizance.identifiers import GalleryId
from recognizance.records import MasterKey, Records, check_records
from recognizance.records.database import translated

from .world import World, erase_gallery, stored


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_BUSY, ThrottledError),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, ThrottledError),
        (sqlite3.SQLITE_LOCKED, ThrottledError),
        (sqlite3.SQLITE_FULL, UnavailableError),
        (sqlite3.SQLITE_IOERR_FSYNC, UnavailableError),
        (sqlite3.SQLITE_READONLY, UnavailableError),
        (sqlite3.SQLITE_CANTOPEN, UnavailableError),
        (sqlite3.SQLITE_CORRUPT, CorruptionError),
        (sqlite3.SQLITE_CORRUPT_INDEX, CorruptionError),
        (sqlite3.SQLITE_NOTADB, CorruptionError),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, ConflictError),
        (sqlite3.SQLITE_ERROR, type(None)),
    ],
)
def test_each_error_says_who_has_to_act(code: int, expected: type) -> None:
    """By its code, extended or not; a mistake in a statement stays what it is. The driver's words are not passed on."""
    error = sqlite3.OperationalError("near 'secret': syntax error")
    error.sqlite_errorcode = code
    error.sqlite_errorname = "SQLITE_NAME"
    ours = translated(error)

    assert type(ours) is expected
    assert "secret" not in str(ours)


def test_a_transaction_that_raises_leaves_nothing(records: Records, gallery: GalleryId, world: World) -> None:
    """Whatever the error, and though statements before it succeeded."""

    def fail() -> None:
        with records.transaction() as transaction:
            transaction.add_faces(gallery, world.faces(3))
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert stored(records, gallery) == {}
    assert check_records(records) == ()


def test_a_reader_sees_one_moment(records: Records, gallery: GalleryId, world: World) -> None:
    """What others commit meanwhile is not there until the next reading."""
    with records.reading() as reader:
        with records.transaction() as transaction:
            transaction.add_faces(gallery, world.faces(3))
        during = reader.gallery(gallery).face_count
    with records.reading() as reader:
        after = reader.gallery(gallery).face_count

    assert (during, after) == (0, 3)


def test_a_transaction_reads_what_it_wrote(records: Records, gallery: GalleryId, world: World) -> None:
    """Before it's committed."""
    faces = world.faces(2)
    with records.transaction() as transaction:
        transaction.add_faces(gallery, faces)
        assert {row.face_id for row in transaction.faces(gallery, limit=5)} == {face.face_id for face in faces}


def test_transactions_do_not_nest(records: Records, gallery: GalleryId) -> None:
    """A mistake of ours, told at once instead of by waiting for oneself."""
    with records.transaction(), pytest.raises(RuntimeError, match="nest"), records.transaction():
        pass


def test_a_writer_that_waits_too_long_is_told_to_come_back(
    records: Records, gallery: GalleryId, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether another process holds the file or another thread of this one; reading goes on, and writing later."""
    monkeypatch.setattr("recognizance.records.database.BUSY_TIMEOUT_S", 0.05)
    other = sqlite3.connect(records.path, isolation_level=None)
    with records._database._outside() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 50")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(ThrottledError), records.transaction() as transaction:
        transaction.add_faces(gallery, world.faces(1))
    assert stored(records, gallery) == {}
    other.execute("ROLLBACK")
    other.close()

    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with records.transaction():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    entered.wait(10)
    with pytest.raises(ThrottledError), records.transaction():
        pass
    leave.set()
    thread.join()
    with records.transaction() as transaction:
        transaction.add_faces(gallery, world.faces(1))

    assert len(stored(records, gallery)) == 1


def test_threads_take_turns(records: Records, gallery: GalleryId, world: World) -> None:
    """Every one's faces arrive, and the version counts every change."""
    batches = [world.faces(3) for _ in range(24)]
    with records.reading() as reader:
        start = reader.gallery(gallery).version

    def add(mine: int) -> None:
        for batch in batches[mine::4]:
            with records.transaction() as transaction:
                transaction.add_faces(gallery, batch)
            stored(records, gallery)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with records.reading() as reader:
        end = reader.gallery(gallery)

    assert end.version == start + len(batches)
    assert set(stored(records, gallery)) == {face.face_id for batch in batches for face in batch}
    assert check_records(records) == ()


def test_a_full_disk_loses_nothing(records: Records, gallery: GalleryId, world: World) -> None:
    """The change that doesn't fit is refused whole; what was there stays; once there's room the same change works."""
    first, second = world.faces(64), world.faces(2000)
    with records.transaction() as transaction:
        transaction.add_faces(gallery, first)

    def allow(pages: int) -> None:
        with records._database._outside() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}").all()

    allow(1)  # SQLite takes it for the present size
    with pytest.raises(UnavailableError, match="SQLITE_FULL"), records.transaction() as transaction:
        transaction.add_faces(gallery, second)
    kept = set(stored(records, gallery))
    problems = check_records(records)
    allow(1 << 30)
    with records.transaction() as transaction:
        transaction.add_faces(gallery, second)

    assert kept == {face.face_id for face in first}
    assert problems == ()
    assert len(stored(records, gallery)) == len(first) + len(second)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path, master_key: MasterKey) -> None:
    """And left as it was."""
    file = tmp_path / "records.sqlite3"
    file.write_bytes(b"not a database at all" * 100)

    with pytest.raises(CorruptionError, match="NOTADB"):
        Records.open(tmp_path, master_key=master_key)
    assert file.read_bytes() == b"not a database at all" * 100


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, master_key: MasterKey) -> None:
    """A file is in its way, or in its place."""
    (tmp_path / "data").write_text("")

    with pytest.raises(UnavailableError, match="data"):
        Records.open(tmp_path / "data", master_key=master_key)
    (tmp_path / "other" / "records.sqlite3").mkdir(parents=True)
    with pytest.raises(UnavailableError, match=r"records\.sqlite3"):
        Records.open(tmp_path / "other", master_key=master_key)


def test_a_backup_is_whole_private_and_never_overwrites(
    tmp_path: Path, records: Records, gallery: GalleryId, world: World, master_key: MasterKey
) -> None:
    """Taken while the service runs; it opens with the same master key."""
    with records.transaction() as transaction:
        transaction.add_faces(gallery, world.faces(70))
    before = stored(records, gallery)
    folder = tmp_path / "restored"
    folder.mkdir()
    records.backup(folder / "records.sqlite3")
    with records.transaction() as transaction:
        erase_gallery(transaction, gallery)

    assert (folder / "records.sqlite3").stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConflictError):
        records.backup(folder / "records.sqlite3")
    copy = Records.open(folder, master_key=master_key)
    assert stored(copy, gallery) == before
    assert check_records(copy) == ()
    copy.close()


def test_what_is_closed_and_opened_is_the_same(tmp_path: Path, world: World, master_key: MasterKey) -> None:
    """Closing leaves one file, and opening changes nothing."""
    records = Records.open(tmp_path, master_key=master_key)
    with records.transaction() as transaction:
        transaction.create_gallery(world.gallery, model=world.model, created=world.now)
        transaction.add_faces(world.gallery, world.faces(70))
    before = stored(records, world.gallery)
    records.close()
    files = [file.name for file in tmp_path.iterdir()]
    again = Records.open(tmp_path, master_key=master_key)

    assert files == ["records.sqlite3"]
    assert stored(again, world.gallery) == before
    with pytest.raises(NotFoundError), again.reading() as reader:
        reader.gallery(GalleryId("other"))
    again.close()
