"""No call of a request reads a whole gallery: SQLite finds each row by a key, whatever the gallery's size."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import event

from recognizance.identifiers import AccessKeyId, FaceId, GalleryId, ImageId, PrincipalId, SubjectId
from recognizance.records import (
    Document,
    ImportItem,
    ImportState,
    OpeningRow,
    Records,
    Secret,
    SubjectKey,
    Transaction,
)

from .world import World

ALICE = SubjectId("alice")
BOB = SubjectId("bob")
DIGEST = bytes(32)

Call = Callable[[Transaction, World, list[FaceId]], object]

CALLS: dict[str, Call] = {
    "gallery": lambda t, w, ids: t.gallery(w.gallery),
    "faces": lambda t, w, ids: t.faces(w.gallery, after=ids[0], limit=5),
    "faces of a subject": lambda t, w, ids: t.faces(w.gallery, subject=ALICE, after=ids[0], limit=5),
    "faces among": lambda t, w, ids: t.faces(w.gallery, face_ids=ids[:2], limit=5),
    "faces of a subject among": lambda t, w, ids: t.faces(w.gallery, subject=ALICE, face_ids=ids[:2], limit=5),
    "faces by id": lambda t, w, ids: t.faces_by_id(w.gallery, ids[:2]),
    "faces of an image": lambda t, w, ids: t.faces_of_image(w.gallery, sha256=DIGEST, external_image_id="x"),
    "template": lambda t, w, ids: t.template(w.gallery, ids[0]),
    "changes": lambda t, w, ids: t.changes_since(w.gallery, t.gallery(w.gallery).version - 1),
    "subject changes": lambda t, w, ids: t.subject_changes_since(w.gallery, t.gallery(w.gallery).version - 1),
    "subject": lambda t, w, ids: t.subject(w.gallery, ALICE),
    "subjects": lambda t, w, ids: t.subjects(w.gallery, after=ALICE, limit=5),
    "subjects by key": lambda t, w, ids: t.subjects_by_key(w.gallery, [SubjectKey("key-a")]),
    "subject template": lambda t, w, ids: t.subject_template(w.gallery, ALICE),
    "add": lambda t, w, ids: t.add_faces(w.gallery, w.faces(3)),
    "remove": lambda t, w, ids: t.remove_faces(w.gallery, ids[:2]),
    "create subject": lambda t, w, ids: t.create_subject(w.gallery, BOB, key=SubjectKey("key-b"), created=w.now),
    "associate": lambda t, w, ids: t.associate(w.gallery, ALICE, ids[2:4]),
    "disassociate": lambda t, w, ids: t.disassociate(w.gallery, ALICE, ids[:1]),
    "delete subject": lambda t, w, ids: t.delete_subject(w.gallery, ALICE),
    "keep image": lambda t, w, ids: t.keep_image(w.gallery, ImageId("image"), b"x"),
    "import item": lambda t, w, ids: t.import_item(w.gallery, "job", path="a", digest=DIGEST),
    "forget imported": lambda t, w, ids: t.forget_imported([DIGEST]),
    "import counts": lambda t, w, ids: t.import_counts(w.gallery, "job"),
    "import faces": lambda t, w, ids: t.import_faces(w.gallery, "job"),
    "record import": lambda t, w, ids: t.record_import_items(
        w.gallery, "job", [ImportItem("a", DIGEST, ImportState.REJECTED, "no face")]
    ),
    "faces by day": lambda t, w, ids: t.faces_by_day(w.gallery, before=w.now),
    "oldest openings": lambda t, w, ids: next(t.oldest_openings(w.gallery, ["case"], page=5), None),
    "images made": lambda t, w, ids: t.images_made(w.gallery, [ImageId("image")]),
    "access key": lambda t, w, ids: t.access_key(AccessKeyId("KEY")),
    "document": lambda t, w, ids: t.document("use", "a"),
    "documents by id": lambda t, w, ids: t.documents_by_id("use", ["a", "b"]),
    "documents": lambda t, w, ids: t.documents("use", after="a", limit=5),
    "documents in a state": lambda t, w, ids: t.documents("use", state="active", limit=5),
    "documents with a label": lambda t, w, ids: t.documents("use", label=("agency", "pd"), limit=5),
    "documents with both": lambda t, w, ids: t.documents("use", state="x", label=("agency", "pd"), limit=5),
    "documents due": lambda t, w, ids: t.documents_due("use", w.now, limit=5),
    "document states": lambda t, w, ids: t.document_states("use"),
    "document counts": lambda t, w, ids: t.document_counts("use", "agency"),
    "document counts in a state": lambda t, w, ids: t.document_counts("use", "agency", state="active"),
    "insert document": lambda t, w, ids: t.insert_document(Document("use", "b", "active", b"{}", {"agency": "pd"})),
    "replace document": lambda t, w, ids: t.replace_document(Document("use", "a", "expired", b"{}", revision=1)),
    "delete document": lambda t, w, ids: t.delete_document("use", "a"),
    "commit entry": lambda t, w, ids: t.commit_entry(
        "f", b"{}", of_gallery=[OpeningRow("f", "case", b"null", bytes(32))], gallery=w.gallery
    ),
    "marked size": lambda t, w, ids: t.marked_size(),
    "last position": lambda t, w, ids: t.last_position(),
    "pending entries": lambda t, w, ids: t.pending_entries(5),
    "entry indexes": lambda t, w, ids: t.entry_indexes(["e", "f"]),
    "mark entries": lambda t, w, ids: t.mark_entries(0, ["e"]),
    "openings": lambda t, w, ids: t.openings("e"),
    "erase openings": lambda t, w, ids: t.erase_openings(["e"]),
    "erase opening": lambda t, w, ids: t.erase_opening("e", "case"),
    "token": lambda t, w, ids: t.remember_token("CreateUser", "token", request_hash=DIGEST, now=w.now),
}

# A step of a plan that reads everything: a scan, or a search that only the gallery narrows down. The last pack is the
# first row that such a search finds, `installation` has one row, and tags are few.
WHOLE = re.compile(r"^SCAN (?!CONSTANT ROW|installation)|^SEARCH (?!packs|gallery_tags)\w+ USING .*\(gallery_key=\?\)$")


@pytest.mark.parametrize("name", CALLS)
def test_no_call_reads_a_whole_gallery(records: Records, gallery: GalleryId, world: World, name: str) -> None:
    """As SQLite's own plan of each statement says."""
    faces = [*world.faces(5), *world.faces(1, image_id=ImageId("image"))]
    ids = sorted(face.face_id for face in faces)
    with records.transaction() as transaction:
        transaction.add_faces(gallery, faces)
        transaction.create_subject(gallery, ALICE, key=SubjectKey("key-a"), created=world.now)
        transaction.associate(gallery, ALICE, ids[:2])
        transaction.add_access_key(
            AccessKeyId("KEY"), secret=Secret(b"s"), principal=PrincipalId("p"), created=world.now
        )
        transaction.insert_document(Document("use", "a", "active", b"{}", {"agency": "pd"}))
        transaction.commit_entry("e", b"{}", [OpeningRow("e", "case", b"null", bytes(32))])
    executed: list[tuple[str, object]] = []

    def note(_connection: object, _cursor: object, statement: str, given: object, _context: object, many: bool) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            executed.append((statement, given[0] if many and isinstance(given, list) else given))

    event.listen(records._database.engine, "before_cursor_execute", note)
    with records.transaction() as transaction:
        CALLS[name](transaction, world, ids)
    event.remove(records._database.engine, "before_cursor_execute", note)
    with records._database.reading() as connection:
        steps = [
            row.detail
            for statement, given in executed
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)  # type: ignore[arg-type]
        ]

    assert steps
    assert [step for step in steps if WHOLE.search(step)] == []
