"""The outbox holds what the ledger has been promised; openings open it, until they're destroyed."""

import sqlite3

import pytest

from recognizance.errors import ConflictError, CorruptionError, NotFoundError
from recognizance.identifiers import GalleryId
from recognizance.records import OpeningRow, OutboxRow, Records, check_records

from .world import World, erase_gallery

SALT = bytes(range(32))


def opening(entry_id: str, name: str = "case", value: bytes = b'"24-1701"') -> OpeningRow:
    return OpeningRow(entry_id, name, value=value, salt=SALT)


def commit(records: Records, *entry_ids: str) -> None:
    with records.transaction() as transaction:
        for entry_id in entry_ids:
            transaction.commit_entry(entry_id, entry_id.encode(), [])


def test_entries_wait_in_the_order_of_their_commits(records: Records) -> None:
    """And are waited for no more once they're marked."""
    commit(records, "b", "a")
    commit(records, "c")
    with records.transaction() as transaction:
        before = transaction.marked_size(), transaction.pending_entries(2)
        transaction.mark_entries(0, ["a"])
        transaction.mark_entries(1, ["c"])
        after = transaction.marked_size(), transaction.pending_entries(9)
        indexes = transaction.entry_indexes(["a", "b", "c", "d"])

    assert before == (0, [OutboxRow("b", b"b", 1), OutboxRow("a", b"a", 2)])
    assert after == (2, [OutboxRow("b", b"b", 1)])
    assert indexes == {"a": 0, "c": 1}
    assert check_records(records) == ()


def test_an_entry_of_a_change_that_failed_was_never_committed(records: Records) -> None:
    """It's in the transaction of the change."""

    def fail() -> None:
        with records.transaction() as transaction:
            transaction.commit_entry("a", b"{}", [opening("a")])
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with records.reading() as reader:
        assert reader.pending_entries(5) == []
        assert reader.openings("a") == ()


def test_an_id_is_committed_to_once(records: Records) -> None:
    """Whoever repeats it is told."""
    commit(records, "a")

    with pytest.raises(ConflictError):
        commit(records, "a")


def test_marking_again_changes_nothing_and_otherwise_is_refused(records: Records) -> None:
    """An entry of the log that the records never had, or have elsewhere, is damage. All rows are marked or none."""
    commit(records, "a", "b")
    with records.transaction(durable=False) as transaction:
        transaction.mark_entries(0, ["a"])
        transaction.mark_entries(0, ["a"])
    for first, ids in ((1, ["b", "unknown"]), (1, ["a"])):
        with pytest.raises(CorruptionError), records.transaction() as transaction:
            transaction.mark_entries(first, ids)
    with records.reading() as reader:
        assert reader.marked_size() == 1
        assert reader.pending_entries(5) == [OutboxRow("b", b"b", 2)]
        assert reader.last_position() == 2


def test_openings_come_back_and_are_never_in_the_file(records: Records, gallery: GalleryId) -> None:
    """Under the installation's key or a gallery's."""
    with records.transaction() as transaction:
        transaction.commit_entry("a", b"{}", [opening("a"), opening("a", "probe", b"null")])
        transaction.commit_entry("b", b"{}", of_gallery=[opening("b")], gallery=gallery)
    with records.reading() as reader:
        assert reader.openings("a") == (opening("a"), opening("a", "probe", b"null"))
        assert reader.openings("b") == (opening("b"),)
        assert reader.openings("c") == ()
    records._database.empty_log()
    assert b"24-1701" not in records.path.read_bytes()
    assert "24-1701" not in repr(opening("a"))


def test_erased_openings_are_gone_and_their_entries_stay(records: Records) -> None:
    """By entry or by field, counted."""
    with records.transaction() as transaction:
        for entry_id in ("a", "b", "c"):
            fields = [opening(entry_id), opening(entry_id, "probe")]
            transaction.commit_entry(entry_id, b"{}", fields)
        erased = transaction.erase_openings(["a", "b", "unknown"])
        one, none = transaction.erase_opening("c", "case"), transaction.erase_opening("c", "case")
        assert transaction.erased
    with records.reading() as reader:
        assert (erased, one, none) == (4, True, False)
        assert [len(reader.openings(entry_id)) for entry_id in ("a", "b", "c")] == [0, 0, 1]
        assert [row.entry_id for row in reader.pending_entries(5)] == ["a", "b", "c"]


def test_the_openings_of_a_gallery_go_with_it(records: Records, gallery: GalleryId) -> None:
    """Those of other entries stay."""
    with records.transaction() as transaction:
        transaction.commit_entry("a", b"{}", [opening("a")])
        transaction.commit_entry("b", b"{}", of_gallery=[opening("b")], gallery=gallery)
        erase_gallery(transaction, gallery)
    with records.reading() as reader:
        assert (len(reader.openings("a")), len(reader.openings("b"))) == (1, 0)
    assert check_records(records) == ()


def test_an_opening_needs_a_gallery_that_is_there(records: Records, world: World) -> None:
    """Otherwise nothing is committed to. Not to say which is a programmer's mistake."""
    with pytest.raises(ValueError, match="which gallery"), records.transaction() as transaction:
        transaction.commit_entry("b", b"{}", of_gallery=[opening("b")])
    with pytest.raises(NotFoundError), records.transaction() as transaction:
        transaction.commit_entry("b", b"{}", of_gallery=[opening("b")], gallery=world.gallery)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE openings SET field = 'probe'",
        "UPDATE openings SET sealed = zeroblob(80)",
        "UPDATE openings SET gallery_key = 1",
        "UPDATE outbox SET log_index = 3 WHERE entry_id = 'b'",
    ],
)
def test_damage_is_found(records: Records, gallery: GalleryId, statement: str) -> None:
    """An opening moved or changed doesn't open; a mark with nothing below it is a hole."""
    with records.transaction() as transaction:
        transaction.commit_entry("a", b"{}", [opening("a")])
        transaction.commit_entry("b", b"{}", [])
    connection = sqlite3.connect(records.path)
    connection.execute(statement)
    connection.commit()
    connection.close()

    assert len(check_records(records)) == 1


def test_a_change_that_need_not_be_durable_lasts_the_end_of_the_process(records: Records) -> None:
    """It only spares the wait for the disk; the next durable one waits again."""
    with records.transaction(durable=False) as transaction:
        transaction.commit_entry("a", b"{}", [])
        lax = transaction._connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
    with records.transaction() as transaction:
        full = transaction._connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
        assert len(transaction.pending_entries(5)) == 1

    assert (lax, full) == (1, 2)
