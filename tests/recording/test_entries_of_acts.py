"""Every act of the service leaves exactly the entry that is expected of it, and its refusal one of its own."""

import contextlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from recognizance.app import Service, bulk_enrolment
from recognizance.enrolling.bulk import items_of_folder
from recognizance.errors import ConflictError, NotFoundError
from recognizance.faces import Photograph, QualityFilter, open_photograph
from recognizance.identifiers import FaceId, GalleryId, SubjectId
from recognizance.ledger import Entry, Opening, facts
from recognizance.permits import Action, Permit
from recognizance.recording import Promised

from ..conftest import jpeg

GALLERY = GalleryId("people")
ALICE = SubjectId("alice")
Permits = Callable[..., Permit]


@dataclass
class Scene:
    """A service with a gallery in which two faces and a subject are enrolled; one face is the subject's."""

    service: Service
    permit_for: Permits
    portrait: bytes
    stranger: bytes
    empty: bytes
    faces: list[FaceId]

    def permit(self, action: Action) -> Permit:
        return self.permit_for(action, GALLERY)

    def photograph(self, data: bytes, action: Action = Action.SEARCH) -> Photograph:
        return open_photograph(data, self.permit(action))

    def enrol(self, data: bytes) -> list[FaceId]:
        enrolled = self.service.enrolment.enrol(
            GALLERY,
            self.photograph(data, Action.ENROL),
            external_image_id=None,
            max_faces=10,
            quality_filter=QualityFilter.NONE,
            permit=self.permit(Action.ENROL),
        )
        return [face.row.face_id for face in enrolled.faces]

    def associate(self, face: FaceId) -> object:
        return self.service.subjects.associate(
            GALLERY, ALICE, [face], threshold_pct=0, token=None, permit=self.permit(Action.ENROL)
        )

    def search(self, data: bytes) -> object:
        return self.service.search.faces_by_photograph(
            GALLERY,
            self.photograph(data),
            threshold_pct=80,
            limit=5,
            quality_filter=QualityFilter.NONE,
            permit=self.permit(Action.SEARCH),
        )

    def compare(self, source: bytes, target: bytes) -> object:
        return self.service.oneshot.compare(
            self.photograph(source),
            self.photograph(target),
            threshold_pct=80,
            quality_filter=QualityFilter.NONE,
            permit=self.permit_for(Action.COMPARE),
        )


@pytest.fixture
def scene(
    service: Service,
    permit_for: Permits,
    collins: Image.Image,
    hopper: Image.Image,
    nobody: Image.Image,
) -> Scene:
    scene = Scene(service, permit_for, jpeg(collins), jpeg(hopper), jpeg(nobody), [])
    service.galleries.create(GALLERY, tags={}, permit=scene.permit(Action.MANAGE_GALLERY))
    scene.faces = scene.enrol(scene.portrait) + scene.enrol(scene.stranger)
    service.subjects.create_subject(GALLERY, ALICE, token=None, permit=scene.permit(Action.ENROL))
    scene.associate(scene.faces[0])
    return scene


def tell(entry: Entry) -> str:
    """An entry in a few words, as the table below spells them."""
    said = entry.facts
    match said:
        case facts.Gallery():
            return f"gallery {said.standing}"
        case facts.GalleryContent():
            return f"content {said.change} +{said.faces_added} -{said.faces_removed} ={said.faces}"
        case facts.Search():
            return f"search {said.outcome} {said.candidates}"
        case facts.Comparison():
            return f"comparison {said.matches}"
        case facts.Detection():
            return f"detection {said.faces}"
        case facts.AccessKey():
            return f"access key {said.standing}"
        case facts.Failure():
            return f"failure {said.action} {said.cause}"
        case _:
            return said.kind


Act = Callable[[Scene], object]
SEARCH, ENROL, MANAGE = Action.SEARCH, Action.ENROL, Action.MANAGE_GALLERY

ACTS: dict[str, tuple[Act, list[str]]] = {
    "create a gallery": (
        lambda s: s.service.galleries.create(
            GalleryId("more"), tags={}, permit=s.permit_for(MANAGE, GalleryId("more"))
        ),
        ["gallery added"],
    ),
    "tag it": (lambda s: s.service.galleries.tag(GALLERY, {"a": "b"}, permit=s.permit(MANAGE)), ["gallery changed"]),
    "untag it": (lambda s: s.service.galleries.untag(GALLERY, ["a"], permit=s.permit(MANAGE)), ["gallery changed"]),
    "delete it": (
        lambda s: s.service.erasure.gallery(GALLERY, permit=s.permit(MANAGE)),
        ["gallery removed", "erasure"],
    ),
    "enrol a face": (lambda s: s.enrol(s.portrait + b"\0"), ["content enrolled +1 -0 =3"]),
    "enrol it again": (lambda s: s.enrol(s.portrait), ["content enrolled +0 -0 =2"]),
    "enrol nobody": (lambda s: s.enrol(s.empty), ["content enrolled +0 -0 =2"]),
    "forget a face": (
        lambda s: s.service.enrolment.forget_faces(GALLERY, s.faces[:1], permit=s.permit(Action.FORGET)),
        ["content removed +0 -1 =1", "erasure"],
    ),
    "forget faces of nobody": (
        lambda s: s.service.enrolment.forget_unassociated_faces(GALLERY, s.faces, permit=s.permit(Action.FORGET)),
        ["content removed +0 -1 =1", "erasure"],
    ),
    "create a subject": (
        lambda s: s.service.subjects.create_subject(GALLERY, SubjectId("b"), token=None, permit=s.permit(ENROL)),
        ["content subject_added +0 -0 =2"],
    ),
    "delete a subject": (
        lambda s: s.service.subjects.delete_subject(GALLERY, ALICE, token=None, permit=s.permit(Action.FORGET)),
        ["content subject_removed +0 -0 =2"],
    ),
    "associate": (lambda s: s.associate(s.faces[1]), ["content associated +0 -0 =2"]),
    "disassociate": (
        lambda s: s.service.subjects.disassociate(GALLERY, ALICE, s.faces, token=None, permit=s.permit(ENROL)),
        ["content disassociated +0 -0 =2"],
    ),
    "search by photograph": (lambda s: s.search(s.portrait), ["search candidates 1"]),
    "search without a face": (lambda s: s.search(s.empty), ["search no_face 0"]),
    "search subjects by photograph": (
        lambda s: s.service.search.subjects_by_photograph(
            GALLERY,
            s.photograph(s.stranger),
            threshold_pct=80,
            limit=5,
            quality_filter=QualityFilter.NONE,
            permit=s.permit(SEARCH),
        ),
        ["search no_candidate 0"],
    ),
    "search by face": (
        lambda s: s.service.search.faces_by_face(
            GALLERY, s.faces[0], threshold_pct=80, limit=5, permit=s.permit(SEARCH)
        ),
        ["search no_candidate 0"],
    ),
    "search subjects by face": (
        lambda s: s.service.search.subjects_by_face(
            GALLERY, s.faces[0], threshold_pct=80, limit=5, permit=s.permit(SEARCH)
        ),
        ["search candidates 1"],
    ),
    "search by subject": (
        lambda s: s.service.search.subjects_by_subject(
            GALLERY, ALICE, threshold_pct=80, limit=5, permit=s.permit(SEARCH)
        ),
        ["search no_candidate 0"],
    ),
    "search with a face that isn't there": (
        lambda s: s.service.search.faces_by_face(
            GALLERY, FaceId(str(uuid.UUID(int=1))), threshold_pct=80, limit=5, permit=s.permit(SEARCH)
        ),
        ["failure search NotFoundError"],
    ),
    "compare": (lambda s: s.compare(s.portrait, s.portrait), ["comparison 1"]),
    "compare nobody": (lambda s: s.compare(s.empty, s.portrait), ["comparison 0"]),
    "detect": (
        lambda s: s.service.oneshot.detect(s.photograph(s.portrait), permit=s.permit_for(Action.DETECT)),
        ["detection 1"],
    ),
    "draw a key": (lambda s: s.service.keys.create(), ["access key added"]),
    "switch a key off": (
        lambda s: s.service.keys.switch(s.service.keys.create().id, active=False),
        ["access key added", "access key suspended"],
    ),
    "delete a key": (
        lambda s: s.service.keys.delete(s.service.keys.create().id),
        ["access key added", "access key removed"],
    ),
    "read": (
        lambda s: s.service.galleries.describe(GALLERY, permit=s.permit(Action.READ_GALLERY)),
        [],
    ),
    "create what exists": (
        lambda s: s.service.galleries.create(GALLERY, tags={}, permit=s.permit(MANAGE)),
        [],
    ),
}


def promised_by(scene: Scene, act: Act) -> list[Promised]:
    with scene.service.recorder.following() as promised, contextlib.suppress(ConflictError, NotFoundError):
        act(scene)
    return list(promised)


@pytest.mark.parametrize("name", ACTS)
def test_an_act_leaves_exactly_its_entry(scene: Scene, name: str) -> None:
    """No more, no less; each is in a signed checkpoint before the act returns, and its commitments open."""
    act, expected = ACTS[name]

    promised = promised_by(scene, act)

    assert [tell(Entry.parse(each.data)) for each in promised] == expected
    for each in promised:
        each.receipt.verify(each.data, (scene.service.recorder.verifier,))
        with scene.service.records.reading() as reader:
            rows = reader.openings(each.id)
        entry = Entry.parse(each.data)
        for row in rows:
            opening = Opening.restore(each.id, row.field, value_data=row.value, salt=row.salt)
            assert entry.opens(opening)


def test_a_search_says_what_was_searched_and_hides_who(scene: Scene) -> None:
    """Version, model, threshold and count are public; probe, result and case are commitments."""
    [promised] = promised_by(scene, lambda s: s.search(s.portrait))
    entry = Entry.parse(promised.data)
    assert isinstance(entry.facts, facts.Search)
    row = scene.service.galleries.describe(GALLERY, permit=scene.permit(Action.READ_GALLERY))
    with scene.service.records.reading() as reader:
        values = {each.field: each.value for each in reader.openings(promised.id)}

    assert entry.facts.gallery_version == row.version
    assert entry.facts.model == scene.service.reader.model
    assert entry.facts.threshold == pytest.approx(scene.service.calibration.score_at_pct(80.0), abs=0.2)
    assert entry.facts.searched_by == scene.service.recorder.pseudonym(scene.permit(SEARCH).principal)
    assert scene.faces[0] in values["result"].decode()
    assert scene.faces[0].encode() not in promised.data
    assert values["case"] == b"null"


def test_an_import_leaves_one_entry_a_batch(scene: Scene, tmp_path: Path) -> None:
    """Its commitment is over every face of the batch."""
    folder = tmp_path / "photographs"
    for name, data in (("a", scene.portrait), ("b", scene.stranger), ("c", scene.empty)):
        (folder / name).mkdir(parents=True)
        (folder / name / "1.jpg").write_bytes(data + b"\1")
    bulk = bulk_enrolment(scene.service)

    def run(scene: Scene) -> object:
        return list(
            bulk.run(
                GALLERY,
                items_of_folder(folder),
                job="job",
                max_faces=1,
                quality_filter=QualityFilter.NONE,
                permit=scene.permit(ENROL),
            )
        )

    [promised] = promised_by(scene, run)
    again = promised_by(scene, run)
    with scene.service.records.reading() as reader:
        [opening] = reader.openings(promised.id)

    assert tell(Entry.parse(promised.data)) == "content enrolled +2 -0 =4"
    assert opening.value.count(b'["') >= 2
    assert again == []
