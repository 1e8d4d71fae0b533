"""Subjects have faces, and a template that follows them."""

import numpy as np
import pytest

from recognizance.errors import ConflictError, LimitError, NotFoundError
from recognizance.identifiers import FaceId, GalleryId, SubjectId
from recognizance.records import (
    MAX_FACES_OF_SUBJECT,
    RELOAD,
    Association,
    Disassociation,
    NewFace,
    Records,
    SubjectKey,
    SubjectStatus,
    check_records,
)
from recognizance.records.rows import Template

from .world import World

ALICE = SubjectId("alice")
BOB = SubjectId("bob")


@pytest.fixture
def faces(records: Records, gallery: GalleryId, world: World) -> list[NewFace]:
    """Two subjects without faces, and 120 faces without subjects."""
    faces = world.faces(120)
    with records.transaction() as transaction:
        transaction.add_faces(gallery, faces)
        transaction.create_subject(gallery, ALICE, key=SubjectKey("key-a"), created=world.now)
        transaction.create_subject(gallery, BOB, key=SubjectKey("key-b"), created=world.now)
    return faces


def mean(faces: list[NewFace]) -> Template:
    total = np.sum([face.template.astype(np.float64) for face in faces], axis=0)
    unit: Template = (total / np.linalg.norm(total)).astype(np.float32)
    return unit


def test_a_subjects_template_is_the_mean_of_its_faces(
    records: Records, gallery: GalleryId, faces: list[NewFace]
) -> None:
    """Scaled to unit length; it follows when a face is added, taken away or removed."""
    ids = [face.face_id for face in faces]
    with records.transaction() as transaction:
        transaction.associate(gallery, ALICE, ids[:3])
        assert np.array_equal(transaction.subject_template(gallery, ALICE), mean(faces[:3]))
        transaction.associate(gallery, ALICE, ids[100:101])
        assert np.array_equal(transaction.subject_template(gallery, ALICE), mean([*faces[:3], faces[100]]))
        transaction.disassociate(gallery, ALICE, ids[:1])
        assert np.array_equal(transaction.subject_template(gallery, ALICE), mean([*faces[1:3], faces[100]]))
        transaction.remove_faces(gallery, ids[1:2])
        template = transaction.subject_template(gallery, ALICE)

    assert np.array_equal(template, mean([faces[2], faces[100]]))
    assert abs(float(np.linalg.norm(template)) - 1) < 1e-6


def test_faces_that_cancel_out_leave_the_oldest(records: Records, gallery: GalleryId, world: World) -> None:
    """Opposite templates have no mean direction; no division by zero decides who somebody is."""
    (face,) = world.faces(1)
    (other,) = world.faces(1)
    opposite = NewFace(
        other.face_id, other.image_id, -face.template, face.model, face.box, face.confidence, face.created
    )
    with records.transaction() as transaction:
        transaction.add_faces(gallery, [face, opposite])
        transaction.create_subject(gallery, ALICE, key=SubjectKey("k"), created=world.now)
        transaction.associate(gallery, ALICE, [opposite.face_id, face.face_id])

        assert np.array_equal(transaction.subject_template(gallery, ALICE), face.template)


def test_a_subject_is_active_while_it_has_a_face(records: Records, gallery: GalleryId, faces: list[NewFace]) -> None:
    """And has no template otherwise."""
    with records.transaction() as transaction:
        created = transaction.subject(gallery, ALICE)
        transaction.associate(gallery, ALICE, [faces[0].face_id])
        active = transaction.subject(gallery, ALICE)
        transaction.remove_faces(gallery, [faces[0].face_id])
        emptied = transaction.subject(gallery, ALICE)
        with pytest.raises(NotFoundError):
            transaction.subject_template(gallery, ALICE)

    assert (created.status, created.face_count) == (SubjectStatus.CREATED, 0)
    assert (active.status, active.face_count) == (SubjectStatus.ACTIVE, 1)
    assert (emptied.status, emptied.face_count) == (SubjectStatus.CREATED, 0)


def test_each_face_is_told_what_became_of_it(records: Records, gallery: GalleryId, faces: list[NewFace]) -> None:
    """A face belongs to one subject at most, and is not taken from another."""
    ids = [face.face_id for face in faces]
    unknown = FaceId("unknown")
    with records.transaction() as transaction:
        transaction.associate(gallery, BOB, [ids[1]])
        transaction.associate(gallery, ALICE, [ids[0]])
        associated = transaction.associate(gallery, ALICE, [ids[0], ids[1], ids[2], unknown, ids[2]])
        disassociated = transaction.disassociate(gallery, ALICE, [ids[0], ids[1], ids[3], unknown])
        owners = {row.face_id: row.subject for row in transaction.faces(gallery, face_ids=ids[:4], limit=4)}

    assert associated == {
        ids[0]: Association.ALREADY_ASSOCIATED,
        ids[1]: Association.OTHER_SUBJECT,
        ids[2]: Association.ASSOCIATED,
        unknown: Association.FACE_NOT_FOUND,
    }
    assert disassociated == {
        ids[0]: Disassociation.DISASSOCIATED,
        ids[1]: Disassociation.OTHER_SUBJECT,
        ids[3]: Disassociation.NOT_ASSOCIATED,
        unknown: Disassociation.FACE_NOT_FOUND,
    }
    assert owners == {ids[0]: None, ids[1]: BOB, ids[2]: ALICE, ids[3]: None}
    assert check_records(records) == ()


def test_a_subject_has_a_hundred_faces_and_no_more(records: Records, gallery: GalleryId, faces: list[NewFace]) -> None:
    """What's associated already doesn't count twice; one too many changes nothing."""
    ids = [face.face_id for face in faces]
    with records.transaction() as transaction:
        transaction.associate(gallery, ALICE, ids[:99])
        with pytest.raises(LimitError, match=r"101.*100"):
            transaction.associate(gallery, ALICE, ids[98:101])
        assert transaction.subject(gallery, ALICE).face_count == 99
        transaction.associate(gallery, ALICE, ids[98:100])
        assert transaction.subject(gallery, ALICE).face_count == MAX_FACES_OF_SUBJECT


def test_subjects_are_created_once_listed_and_found_by_key(
    records: Records, gallery: GalleryId, world: World, faces: list[NewFace]
) -> None:
    """Page by page, ordered by id."""
    names = [SubjectId(f"subject-{number}") for number in range(5)]
    with records.transaction() as transaction:
        for name in names:
            transaction.create_subject(gallery, name, key=SubjectKey(f"key of {name}"), created=world.now)
        with pytest.raises(ConflictError):
            transaction.create_subject(gallery, ALICE, key=SubjectKey("other"), created=world.now)
        first = transaction.subjects(gallery, limit=4)
        second = transaction.subjects(gallery, after=first[-1].subject_id, limit=4)
        found = transaction.subjects_by_key(gallery, [SubjectKey("key-b"), SubjectKey("unknown")])
        assert transaction.gallery(gallery).subject_count == 7

    assert [row.subject_id for row in [*first, *second]] == [ALICE, BOB, *names]
    assert {key: row.subject_id for key, row in found.items()} == {SubjectKey("key-b"): BOB}


def test_deleting_a_subject_keeps_its_faces(
    records: Records, gallery: GalleryId, world: World, faces: list[NewFace]
) -> None:
    """They belong to nobody, and can be given to a new subject of the same name, which is somebody else."""
    ids = [face.face_id for face in faces]
    with records.transaction() as transaction:
        version = transaction.gallery(gallery).version
        transaction.associate(gallery, ALICE, ids[:2])
        transaction.delete_subject(gallery, ALICE)
        with pytest.raises(NotFoundError):
            transaction.subject(gallery, ALICE)
        with pytest.raises(NotFoundError):
            transaction.delete_subject(gallery, ALICE)
        assert transaction.faces(gallery, face_ids=ids[:1], limit=1)[0].subject is None
        transaction.create_subject(gallery, ALICE, key=SubjectKey("key-new"), created=world.now)
        transaction.associate(gallery, ALICE, ids[1:3])
        changes = transaction.subject_changes_since(gallery, version)

    assert changes is not RELOAD
    assert (changes.changed, changes.removed) == ([SubjectKey("key-new")], [SubjectKey("key-a")])
    assert check_records(records) == ()
