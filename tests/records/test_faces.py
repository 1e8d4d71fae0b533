"""Faces go in and come out as they were, or not at all."""

from dataclasses import replace

import numpy as np
import pytest

from recognizance.errors import ConflictError, LimitError, NotFoundError
from recognizance.identifiers import FaceId, GalleryId, ImageId, ModelId, SubjectId
from recognizance.records import Box, NewFace, Pose, Quality, Records, SubjectKey, check_records

from .world import World, stored


@pytest.mark.parametrize("counts", [(1,), (63, 1, 1), (64, 64), (65,), (300, 5)])
def test_every_template_comes_back_bit_for_bit_in_the_order_of_enrolment(
    records: Records, gallery: GalleryId, world: World, counts: tuple[int, ...]
) -> None:
    """Whether packs are partly filled, full, or several."""
    batches = [world.faces(count) for count in counts]
    for batch in batches:
        with records.transaction() as transaction:
            transaction.add_faces(gallery, batch)
    faces = [face for batch in batches for face in batch]

    found = stored(records, gallery)
    assert found == {face.face_id: face.template.tobytes() for face in faces}
    assert list(found) == [face.face_id for face in faces]
    with records.reading() as reader:
        assert reader.gallery(gallery).face_count == len(faces)
        assert np.array_equal(reader.template(gallery, faces[-1].face_id), faces[-1].template)


@pytest.mark.parametrize("block_faces", [1, 50, 64, 100, 129, 8192])
def test_templates_come_in_blocks_of_the_size_asked_for(
    records: Records, gallery: GalleryId, world: World, block_faces: int
) -> None:
    """Each full but the last, contiguous float32."""
    with records.transaction() as transaction:
        transaction.add_faces(gallery, world.faces(129))
    with records.reading() as reader:
        blocks = list(reader.templates(gallery, block_faces=block_faces))
    sizes = [len(block.face_ids) for block in blocks]

    assert sizes[:-1] == [block_faces] * (len(sizes) - 1)
    assert sum(sizes) == 129
    assert all(block.templates.shape == (len(block.face_ids), world.dimension) for block in blocks)
    assert all(block.templates.dtype == np.float32 and block.templates.flags.c_contiguous for block in blocks)


def test_all_that_is_known_of_a_face_comes_back(records: Records, gallery: GalleryId, world: World) -> None:
    """What ListFaces answers, and what SearchFaces shows beside a match."""
    landmarks = ((0.25, 0.5), (0.75, 0.5), (0.5, 0.625), (0.375, 0.75), (0.625, 0.75))
    (bare,) = world.faces(1)
    full = replace(
        bare,
        external_image_id="booking:4711.jpg",
        image_sha256=bytes(range(32)),
        landmarks=landmarks,
        pose=Pose(-12.5, 3.25, 0.5),
        quality=Quality(61.5, 92.25),
    )
    with records.transaction() as transaction:
        transaction.add_faces(gallery, [full])
        row = transaction.faces_by_id(gallery, [full.face_id, FaceId("unknown")])[full.face_id]

    for name in ("face_id", "image_id", "external_image_id", "image_sha256", "model", "box", "confidence", "created"):
        assert getattr(row, name) == getattr(full, name), name
    assert (row.landmarks, row.pose, row.quality, row.subject) == (landmarks, full.pose, full.quality, None)


def test_faces_are_listed_page_by_page(records: Records, gallery: GalleryId, world: World) -> None:
    """Ordered by face id, each once, also when only some are asked for or only one subject's."""
    faces = world.faces(2500)
    ids = sorted(face.face_id for face in faces)
    owned = ids[100:150]
    alice = SubjectId("alice")
    with records.transaction() as transaction:
        transaction.add_faces(gallery, faces)
        transaction.create_subject(gallery, alice, key=SubjectKey("k"), created=world.now)
        transaction.associate(gallery, alice, owned)

    def pages(limit: int, *, subject: SubjectId | None = None, among: list[FaceId] | None = None) -> list[FaceId]:
        found: list[FaceId] = []
        after: FaceId | None = None
        with records.reading() as reader:
            while page := reader.faces(gallery, subject=subject, face_ids=among, after=after, limit=limit):
                assert len(page) <= limit
                found += [row.face_id for row in page]
                after = page[-1].face_id
        return found

    assert pages(700) == ids
    assert pages(7, subject=alice) == owned
    assert pages(700, among=[*reversed(ids[::2]), FaceId("unknown"), ids[0]]) == ids[::2]
    assert pages(7, subject=alice, among=ids[140:160]) == ids[140:150]
    assert pages(7, subject=SubjectId("nobody")) == []


def test_what_cannot_be_stored_is_refused_whole(records: Records, gallery: GalleryId, world: World) -> None:
    """Another model, an id twice or taken, an image described differently: nothing of the batch is stored."""
    (first,) = world.faces(1)
    with records.transaction() as transaction:
        transaction.add_faces(gallery, [first])
    good, other, third = world.faces(3)
    refused: list[tuple[type[Exception], list[NewFace]]] = [
        (ConflictError, [good, replace(other, model=ModelId("other@1"))]),
        (ConflictError, [good, good]),
        (ConflictError, [good, replace(other, face_id=first.face_id)]),
        (ConflictError, [good, replace(other, image_id=first.image_id, external_image_id="new")]),
        (ConflictError, [replace(good, image_sha256=bytes(32)), replace(other, image_id=good.image_id)]),
        (ValueError, [good, replace(other, template=np.eye(1, 64, dtype=np.float32)[0])]),
    ]
    for kind, faces in refused:
        with pytest.raises(kind), records.transaction() as transaction:
            transaction.add_faces(gallery, [third, *faces])

    assert set(stored(records, gallery)) == {first.face_id}
    assert check_records(records) == ()


def test_a_gallery_holds_twenty_million_faces_and_no_more(records: Records, gallery: GalleryId, world: World) -> None:
    """The quota is counted before anything is stored."""
    with records._database.writing() as connection:
        connection.exec_driver_sql("UPDATE galleries SET face_count = 19999999")
    with records.transaction() as transaction:
        with pytest.raises(LimitError, match=r"20,000,001.*20,000,000"):
            transaction.add_faces(gallery, world.faces(2))
        transaction.add_faces(gallery, world.faces(1))
        assert transaction.gallery(gallery).face_count == 20_000_000


@pytest.mark.parametrize(
    "wrong",
    [
        {"template": np.ones(128, dtype=np.float32)},
        {"template": np.zeros(128, dtype=np.float32)},
        {"template": np.full(128, np.nan, dtype=np.float32)},
        {"template": np.eye(1, 128)[0]},
        {"template": np.eye(1, 128, dtype=np.float32)},
        {"confidence": 1.5},
        {"confidence": float("nan")},
        {"image_sha256": b"short"},
        {"landmarks": ((0.0, 0.0),)},
        {"face_id": FaceId("two words")},
        {"face_id": FaceId("")},
    ],
)
def test_a_face_that_makes_no_sense_cannot_be_built(world: World, wrong: dict[str, object]) -> None:
    """A mistake of ours, not the caller's."""
    (face,) = world.faces(1)
    with pytest.raises(ValueError, match=r"."):
        replace(face, **wrong)  # type: ignore[arg-type]  # that's the point


def test_a_box_has_finite_sides() -> None:
    """It may leave the image, and isn't infinite."""
    Box(-0.5, 0, 2, 1)
    with pytest.raises(ValueError, match="finite"):
        Box(0, 0, float("inf"), 1)


def test_removed_faces_are_gone_with_their_images(records: Records, gallery: GalleryId, world: World) -> None:
    """An image, and the photograph kept of it, go with its last face; the answer tells removed from unknown."""
    shared = ImageId("shared")
    pair = world.faces(2, image_id=shared)
    others = world.faces(100)
    with records.transaction() as transaction:
        transaction.add_faces(gallery, [*others, *pair])
        transaction.keep_image(gallery, shared, b"photograph")
        outcome = transaction.remove_faces(gallery, [pair[0].face_id, FaceId("unknown"), others[3].face_id])
        assert transaction.kept_image(gallery, shared) == b"photograph"
        transaction.remove_faces(gallery, [pair[1].face_id])
        with pytest.raises(NotFoundError):
            transaction.kept_image(gallery, shared)
        with pytest.raises(NotFoundError):
            transaction.keep_image(gallery, shared, b"photograph")
        with pytest.raises(NotFoundError):
            transaction.template(gallery, others[3].face_id)

    assert outcome.removed == (pair[0].face_id, others[3].face_id)
    assert outcome.unknown == (FaceId("unknown"),)
    assert set(stored(records, gallery)) == {face.face_id for face in others} - {others[3].face_id}
    assert check_records(records) == ()


def test_a_removed_face_can_be_stored_again(records: Records, gallery: GalleryId, world: World) -> None:
    """Its id is free, and its template is the new one."""
    old, new = world.faces(2)
    with records.transaction() as transaction:
        transaction.add_faces(gallery, [old])
        transaction.remove_faces(gallery, [old.face_id])
        transaction.add_faces(gallery, [replace(new, face_id=old.face_id)])
        assert np.array_equal(transaction.template(gallery, old.face_id), new.template)
    assert check_records(records) == ()


def test_the_templates_of_some_faces_come_in_the_order_of_enrolment(
    records: Records, gallery: GalleryId, world: World
) -> None:
    """However they're asked for; unknown ones are left out, and none at all is an empty array."""
    faces = world.faces(150)
    with records.transaction() as transaction:
        transaction.add_faces(gallery, faces)
        ids, templates = transaction.templates_of(
            gallery, [faces[140].face_id, FaceId("unknown"), faces[2].face_id, faces[2].face_id]
        )
        none, empty = transaction.templates_of(gallery, [])

    assert ids == [faces[2].face_id, faces[140].face_id]
    assert np.array_equal(templates, np.stack([faces[2].template, faces[140].template]))
    assert (none, empty.shape) == ([], (0, 0))
