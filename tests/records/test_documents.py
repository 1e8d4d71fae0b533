"""Documents keep governance's objects: found by label, replaced by revision, sealed, and gone when they're deleted."""

import sqlite3
from datetime import timedelta

import pytest

from recognizance.errors import ConflictError, CorruptionError, NotFoundError
from recognizance.records import Document, Records, check_records

from .world import World

BODY = b'{"name":"Marta Nowak"}'


def use(document_id: str, state: str = "proposed", **labels: str) -> Document:
    return Document("use", document_id, state, BODY, labels)


def insert(records: Records, *documents: Document) -> None:
    with records.transaction() as transaction:
        for document in documents:
            transaction.insert_document(document)


def test_a_document_comes_back_whole(records: Records, world: World) -> None:
    """With its labels, its due date and revision one, and nothing of its body in the file."""
    given = Document("request", "r-1", "received", BODY, {"gallery": "mugshots"}, world.now)
    with records.transaction() as transaction:
        stored = transaction.insert_document(given)
    with records.reading() as reader:
        found = reader.document("request", "r-1")
        several = reader.documents_by_id("request", ["r-1", "r-2"])
    records._database.empty_log()

    assert found == stored == Document("request", "r-1", "received", BODY, {"gallery": "mugshots"}, world.now, 1)
    assert several == {"r-1": found}
    assert b"Marta" not in records.path.read_bytes()
    assert "Marta" not in repr(found)


def test_only_the_revision_that_was_read_can_be_replaced(records: Records) -> None:
    """Of two who change the same document at once, the second is told to look again, and changes nothing."""
    insert(records, use("a", agency="pd"))
    with records.transaction() as transaction:
        read = transaction.document("use", "a")
        second = transaction.replace_document(
            Document("use", "a", "approved", b"{}", {"agency": "sheriff"}, revision=read.revision)
        )
        with pytest.raises(ConflictError, match="revision 2, not 1"):
            transaction.replace_document(Document("use", "a", "rejected", b"[]", revision=read.revision))
        with pytest.raises(NotFoundError):
            transaction.replace_document(Document("use", "b", "approved", b"{}", revision=1))
    with records.reading() as reader:
        assert reader.document("use", "a") == second
        assert second.revision == 2
        assert reader.documents("use", label=("agency", "pd"), limit=5) == []
        assert reader.documents("use", label=("agency", "sheriff"), limit=5) == [second]


def test_an_id_is_taken_once_for_each_kind(records: Records) -> None:
    """The same id may name a use and a vote; a document that was stored isn't inserted again."""
    insert(records, use("a"), Document("vote", "a", "cast", b"{}"))
    with records.transaction() as transaction:
        with pytest.raises(ConflictError):
            transaction.insert_document(use("a"))
        with pytest.raises(ValueError, match="no revision"):
            transaction.insert_document(Document("use", "b", "proposed", b"{}", revision=1))
        with pytest.raises(NotFoundError):
            transaction.document("vote", "b")


def test_documents_are_listed_by_state_and_label_page_by_page(records: Records) -> None:
    """Ordered by id, each page beginning behind the last."""
    insert(
        records,
        use("a", agency="pd", purpose="theft"),
        use("b", "active", agency="pd", purpose="missing"),
        use("c", "active", agency="sheriff"),
        use("d", "active", agency="pd"),
        Document("vote", "b", "cast", b"{}", {"agency": "pd"}),
    )

    def ids(found: list[Document]) -> list[str]:
        return [document.id for document in found]

    with records.reading() as reader:
        assert ids(reader.documents("use", limit=3)) == ["a", "b", "c"]
        assert ids(reader.documents("use", after="c", limit=3)) == ["d"]
        assert ids(reader.documents("use", state="active", limit=2)) == ["b", "c"]
        assert ids(reader.documents("use", state="active", after="c", limit=2)) == ["d"]
        assert ids(reader.documents("use", label=("agency", "pd"), limit=2)) == ["a", "b"]
        assert ids(reader.documents("use", label=("agency", "pd"), after="b", limit=2)) == ["d"]
        assert ids(reader.documents("use", state="active", label=("agency", "pd"), limit=9)) == ["b", "d"]
        assert reader.document_states("use") == {"active": 3, "proposed": 1}
        assert reader.document_counts("use", "agency") == {"pd": 3, "sheriff": 1}
        assert reader.document_counts("use", "agency", state="active") == {"pd": 2, "sheriff": 1}


def test_what_is_due_comes_longest_overdue_first(records: Records, world: World) -> None:
    """What has no date, or a later one, doesn't come."""
    hour = timedelta(hours=1)
    dates = {"a": world.now, "b": world.now - hour, "c": world.now + hour, "d": None}
    insert(records, *(Document("request", name, "open", b"{}", due=due) for name, due in dates.items()))
    with records.reading() as reader:
        found = reader.documents_due("request", world.now, limit=5)
        first = reader.documents_due("request", world.now, limit=1)

    assert [document.id for document in found] == ["b", "a"]
    assert first == found[:1]


def test_a_deleted_document_is_nowhere(records: Records) -> None:
    """Neither by id nor by label, and its sealed bytes are overwritten."""
    insert(records, use("a", agency="a-very-telling-label"))
    with records.transaction() as transaction:
        transaction.delete_document("use", "a")
        with pytest.raises(NotFoundError):
            transaction.delete_document("use", "a")
    with records.reading() as reader:
        assert reader.documents("use", limit=5) == []
        assert reader.document_counts("use", "agency") == {}
    assert b"a-very-telling-label" not in records.path.read_bytes()
    assert check_records(records) == ()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE documents SET state = 'active'",
        "UPDATE documents SET revision = 7",
        "UPDATE documents SET due = 1",
        "UPDATE documents SET sealed = zeroblob(64)",
        "UPDATE document_labels SET document_id = 'b', kind = 'use'; UPDATE documents SET document_id = 'b'",
    ],
)
def test_a_document_changed_in_the_file_does_not_open(records: Records, statement: str) -> None:
    """Whoever can write to the file can't move a use to another state, and the check names the document."""
    insert(records, use("a", agency="pd"))
    connection = sqlite3.connect(records.path)
    connection.executescript(statement)
    connection.close()

    with pytest.raises(CorruptionError), records.reading() as reader:
        reader.documents("use", limit=5)
    assert any(problem.startswith("use '") for problem in check_records(records))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM document_labels",
        "UPDATE document_labels SET value = 'sheriff'",
        "INSERT INTO document_labels VALUES ('use', 'more', 'x', 'a')",
        "INSERT INTO document_labels VALUES ('use', 'more', 'x', 'z')",
    ],
)
def test_labels_changed_in_the_file_are_found(records: Records, statement: str) -> None:
    """The sealed body says which labels there are."""
    insert(records, use("a", agency="pd"))
    connection = sqlite3.connect(records.path)
    connection.executescript(statement)
    connection.close()

    assert check_records(records) != ()
