"""The checker finds each kind of damage: otherwise its silence in the other tests would mean nothing."""

import re
import sqlite3

import pytest

from recognizance.identifiers import AccessKeyId, GalleryId, ImageId, PrincipalId, SubjectId
from recognizance.records import Document, Records, Secret, SubjectKey, check_records

from .world import World

PHOTOGRAPH = ImageId("photograph")


@pytest.fixture
def full(records: Records, gallery: GalleryId, world: World) -> Records:
    """Records with something of everything, sound so far."""
    faces = [*world.faces(100), *world.faces(1, image_id=PHOTOGRAPH)]
    with records.transaction() as transaction:
        transaction.add_faces(gallery, faces)
        transaction.keep_image(gallery, PHOTOGRAPH, b"a photograph")
        transaction.create_subject(gallery, SubjectId("alice"), key=SubjectKey("k"), created=world.now)
        transaction.associate(gallery, SubjectId("alice"), [face.face_id for face in faces[:3]])
        transaction.remove_faces(gallery, [face.face_id for face in faces[50:55]])
        transaction.insert_document(Document("kind", "document", "state", b"{}"))
        transaction.add_access_key(
            AccessKeyId("KEY"), secret=Secret(b"s"), principal=PrincipalId("p"), created=world.now
        )
    assert check_records(records) == ()
    return records


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        ("UPDATE packs SET sealed = zeroblob(length(sealed)) WHERE pack_key = 1", "does not open"),
        ("UPDATE packs SET pack_key = 9 WHERE pack_key = 1", "elsewhere or nowhere"),
        ("UPDATE packs SET face_ids = replace(face_ids, 'a', 'b') WHERE pack_key = 1", "does not open"),
        ("UPDATE packs SET sealed = (SELECT sealed FROM packs WHERE pack_key = 2)", "does not open"),
        ("DELETE FROM packs WHERE pack_key = 2", "faces and has .* templates"),
        ("DELETE FROM faces WHERE pack_key = 2", "elsewhere or nowhere"),
        ("UPDATE faces SET pack_key = 1", "elsewhere or nowhere"),
        ("UPDATE faces SET subject_id = NULL", "count their faces wrongly"),
        ("UPDATE subjects SET face_count = 4", "belong to subjects, who count 4"),
        ("UPDATE galleries SET face_count = face_count + 1", "it counts 97 faces and has 96"),
        ("UPDATE galleries SET subject_count = 0", "it counts 0 subjects"),
        ("UPDATE galleries SET removed_count = 0", "it counts 0 removals"),
        ("UPDATE galleries SET version = 2", "after version 2"),
        ("UPDATE galleries SET version = 0", "not beyond"),
        ("UPDATE galleries SET horizon = version + 1", "horizon"),
        ("UPDATE galleries SET dimension = 64", "templates of 128 numbers, not 64"),
        ("UPDATE galleries SET wrapped_key = zeroblob(length(wrapped_key))", "its key does not open"),
        ("UPDATE galleries SET model = 'other@1'", "does not open"),
        ("UPDATE galleries SET gallery_id = 'other'", "does not open"),
        ("UPDATE faces SET added_version = 1000000", "after version"),
        ("UPDATE removed_faces SET face_id = (SELECT face_id FROM faces LIMIT 1) WHERE rowid_of", "still there"),
        ("UPDATE images SET image_id = 'x' WHERE image_id = 'photograph'", "isn't there"),
        ("INSERT INTO images (gallery_key, image_id) VALUES (1, 'orphan')", "1 images have no face"),
        ("UPDATE kept_images SET sealed = zeroblob(40)", "photograph 'photograph'"),
        ("DELETE FROM document_changes", "1 documents have no place"),
        ("UPDATE access_keys SET principal = 'other'", "access key 'KEY'"),
        ("DELETE FROM subjects", "isn't there"),
        ("UPDATE removed_faces SET version = 1000000", "outside its horizon"),
    ],
)
def test_each_kind_of_damage_is_found(full: Records, damage: str, finding: str) -> None:
    """By somebody who writes into the file past the program."""
    first = "face_id = (SELECT min(face_id) FROM removed_faces)"
    connection = sqlite3.connect(full.path)
    connection.execute(damage.replace("rowid_of", first))
    connection.commit()
    connection.close()

    problems = "\n".join(check_records(full))

    assert re.search(finding, problems), problems
