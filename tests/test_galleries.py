"""Galleries: the index in memory is always what the records say, whoever wrote them."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recognizance.app import Service
from recognizance.config import Settings
from recognizance.errors import ConflictError, DeniedError, NotFoundError
from recognizance.gallery import Templates
from recognizance.identifiers import FaceId, GalleryId, ImageId, ModelId, SubjectId
from recognizance.permits import Action, Permit
from recognizance.records import Box, NewFace, Records, SubjectKey
from recognizance.storage import open_records
from tests.records.world import erase_gallery

from .conftest import NOW

GALLERY = GalleryId("people")
Permits = Callable[..., Permit]


def face_id(number: int) -> FaceId:
    return FaceId(f"00000000-0000-4000-8000-{number:012x}")


def random_templates(count: int, seed: int = 1) -> Templates:
    rows = np.random.default_rng(seed).normal(size=(count, 128)).astype(np.float32)
    return np.ascontiguousarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def store(records: Records, model: ModelId, templates: Templates, *, first: int = 0) -> list[FaceId]:
    """Write faces straight into the records, as another process would."""
    ids = [face_id(first + row) for row in range(len(templates))]
    faces = [
        NewFace(
            face_id=each,
            image_id=ImageId(f"image-{each}"),
            template=template,
            model=model,
            box=Box(0.1, 0.1, 0.5, 0.5),
            confidence=0.9,
            created=NOW,
        )
        for each, template in zip(ids, templates, strict=True)
    ]
    with records.transaction() as transaction:
        transaction.add_faces(GALLERY, faces)
    return ids


@pytest.fixture
def gallery(service: Service, permit_for: Permits) -> GalleryId:
    """An empty gallery."""
    return service.galleries.create(GALLERY, tags={}, permit=permit_for(Action.MANAGE_GALLERY, GALLERY)).id


def held(service: Service, permit: Permit) -> int:
    return len(service.galleries.faces_index(GALLERY, model=service.reader.model, permit=permit))


@pytest.mark.usefixtures("gallery")
def test_what_another_process_wrote_is_in_the_next_search(service: Service, permit_for: Permits) -> None:
    """The index catches up with faces that were added and removed behind its back."""
    permit = permit_for(Action.SEARCH, GALLERY)
    other = open_records(service.data, Settings())
    templates = random_templates(5)
    try:
        before = held(service, permit)
        ids = store(other, service.reader.model, templates)
        added = held(service, permit)
        with other.transaction() as transaction:
            transaction.remove_faces(GALLERY, ids[:2])
        removed = held(service, permit)
    finally:
        other.close()

    index = service.galleries.faces_index(GALLERY, model=service.reader.model, permit=permit)
    [found] = index.search(templates[4:5], limit=1, threshold=0.9, permit=permit, gallery=GALLERY)
    assert (before, added, removed) == (0, 5, 3)
    assert [candidate.key for candidate in found] == [ids[4]]


@pytest.mark.usefixtures("gallery")
def test_a_gallery_that_takes_anothers_name_is_not_taken_for_it(service: Service, permit_for: Permits) -> None:
    """Deleting and creating again leaves nothing of the first in memory."""
    permit = permit_for(Action.SEARCH, GALLERY)
    store(service.records, service.reader.model, random_templates(3))
    held(service, permit)

    other = open_records(service.data, Settings())
    with other.transaction() as transaction:
        erase_gallery(transaction, GALLERY)
        transaction.create_gallery(GALLERY, model=service.reader.model, created=NOW, tags={})
    store(other, service.reader.model, random_templates(1, seed=2), first=100)
    other.close()

    assert held(service, permit) == 1


@pytest.mark.usefixtures("gallery")
def test_a_subject_is_the_mean_of_its_faces_and_follows_them(service: Service, permit_for: Permits) -> None:
    """A changed subject is found by its new mean at once, and never by the old one."""
    permit = permit_for(Action.SEARCH, GALLERY)
    templates = random_templates(2)
    ids = store(service.records, service.reader.model, templates)
    subject, key = SubjectId("somebody"), SubjectKey(face_id(99))
    with service.records.transaction() as transaction:
        transaction.create_subject(GALLERY, subject, key=key, created=NOW)
        transaction.associate(GALLERY, subject, ids[:1])
    index = service.galleries.subjects_index(GALLERY, model=service.reader.model, permit=permit)
    alone = index.template(key, permit=permit, gallery=GALLERY)
    with service.records.transaction() as transaction:
        transaction.associate(GALLERY, subject, ids[1:])
    index = service.galleries.subjects_index(GALLERY, model=service.reader.model, permit=permit)

    mean = templates.sum(axis=0) / np.linalg.norm(templates.sum(axis=0))
    np.testing.assert_allclose(alone, templates[0], atol=1e-6)  # float32 rounding
    np.testing.assert_allclose(index.template(key, permit=permit, gallery=GALLERY), mean, atol=1e-6)
    assert len(index) == 1


@pytest.mark.usefixtures("gallery")
def test_searches_beside_writes_see_a_subject_before_or_after_its_change_but_always(
    service: Service, permit_for: Permits
) -> None:
    """While a subject's faces change, no search finds it missing."""
    permit = permit_for(Action.SEARCH, GALLERY)
    base = random_templates(1)[0]
    near = np.stack([base + np.float32(0.02) * noise for noise in random_templates(40, seed=3)])
    near = np.ascontiguousarray(near / np.linalg.norm(near, axis=1, keepdims=True), dtype=np.float32)
    ids = store(service.records, service.reader.model, near)
    subject, key = SubjectId("somebody"), SubjectKey(face_id(99))
    with service.records.transaction() as transaction:
        transaction.create_subject(GALLERY, subject, key=key, created=NOW)
        transaction.associate(GALLERY, subject, ids[:1])
    stop, missed = threading.Event(), []

    def search() -> None:
        while not stop.is_set():
            index = service.galleries.subjects_index(GALLERY, model=service.reader.model, permit=permit)
            [found] = index.search(near[:1], limit=1, threshold=0.5, permit=permit, gallery=GALLERY)
            if not found:
                missed.append(len(index))

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for each in ids[1:]:
        with service.records.transaction() as transaction:
            transaction.associate(GALLERY, subject, [each])
    stop.set()
    for thread in threads:
        thread.join()

    assert missed == []


def test_templates_of_another_model_are_refused(service: Service, permit_for: Permits) -> None:
    """The same number of dimensions doesn't make two models' templates comparable."""
    with service.records.transaction() as transaction:
        transaction.create_gallery(GALLERY, model=ModelId("other@0000000000000000"), created=NOW, tags={})

    with pytest.raises(ConflictError, match="other@0000000000000000"):
        held(service, permit_for(Action.SEARCH, GALLERY))


@pytest.mark.usefixtures("gallery")
def test_each_act_asks_for_its_own_permit(service: Service, permit_for: Permits) -> None:
    """A permit for one act or one gallery is none for another."""
    other = GalleryId("others")
    galleries = service.galleries

    with pytest.raises(DeniedError, match="people"):
        service.erasure.gallery(GALLERY, permit=permit_for(Action.MANAGE_GALLERY, other))
    with pytest.raises(DeniedError, match="manage_gallery"):
        galleries.tag(GALLERY, {"a": "b"}, permit=permit_for(Action.READ_GALLERY, GALLERY))
    with pytest.raises(DeniedError, match="search"):
        galleries.faces_index(GALLERY, model=service.reader.model, permit=permit_for(Action.ENROL, GALLERY))


@pytest.mark.usefixtures("gallery")
def test_a_deleted_gallery_is_not_found_again(service: Service, permit_for: Permits) -> None:
    """Description, search and a second deletion all say so."""
    permit = permit_for(Action.MANAGE_GALLERY, GALLERY)

    assert service.erasure.gallery(GALLERY, permit=permit).proof is not None
    with pytest.raises(NotFoundError, match="people"):
        service.erasure.gallery(GALLERY, permit=permit)
    with pytest.raises(NotFoundError, match="people"):
        held(service, permit_for(Action.SEARCH, GALLERY))


def test_the_data_folder_is_private(service: Service) -> None:
    """Nobody but its owner can look into the folder, the records or the key."""
    modes = {path.name: path.stat().st_mode & 0o077 for path in (service.data, *Path(service.data).iterdir())}

    assert set(modes.values()) == {0}
