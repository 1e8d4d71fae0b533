"""Subjects: one is made of two and two of one at a stroke, whatever fails in between."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from recognizance.enrolling.subjects import AssociationOutcome, Subjects
from recognizance.errors import ConflictError, DeniedError, InputError, LimitError, NotFoundError, UnavailableError
from recognizance.faces import Calibration, FaceReader
from recognizance.identifiers import FaceId, SubjectId
from recognizance.ledger import Entry, FolderSource, facts, read_checkpoint, read_entries
from recognizance.permits import Action, Mandate, Permit
from recognizance.records import MAX_FACES_OF_SUBJECT, NewFace, SubjectKey, check_records
from tests.forgetting.conftest import GALLERY, Installation, open_installation, permit_for
from tests.records.test_crashes import Fault, Plan, failing_calls, sabotage
from tests.records.world import World

ADA, BEA, STRANGER = SubjectId("ada"), SubjectId("bea"), SubjectId("a-stranger")
ENROL, FORGET = permit_for(Action.ENROL), permit_for(Action.FORGET)
C = facts.ContentChange


@dataclass
class Scene:
    """Ada and Bea, who look alike, and a stranger's face among Ada's if it's asked for."""

    installation: Installation
    subjects: Subjects
    faces: dict[SubjectId, list[FaceId]] = field(default_factory=dict)

    @property
    def held(self) -> dict[SubjectId, set[FaceId]]:
        """Who has which faces, of all that are anybody's or nobody's."""
        with self.installation.records.reading() as reader:
            known = {row.subject_id: set[FaceId]() for row in reader.subjects(GALLERY, limit=100)}
            for row in reader.faces(GALLERY, limit=1000):
                known.setdefault(row.subject or SubjectId(""), set()).add(row.face_id)
        return known

    def changes(self) -> list[facts.ContentChange]:
        """What the ledger says of the gallery's content, in order."""
        self.installation.settle()
        source, keys = FolderSource(self.installation.recorder.public), (self.installation.recorder.verifier,)
        size = read_checkpoint(source, keys).checkpoint.size
        said = [Entry.parse(data).facts for data in read_entries(source, range(size), size)]
        return [each.change for each in said if isinstance(each, facts.GalleryContent)]


def scene_in(folder: Path, calibration: Calibration, *, seed: int = 5) -> Scene:
    """Open an installation; another seed draws other ids, as another start does."""
    installation = open_installation(folder, World(np.random.default_rng(seed)))
    subjects = Subjects(
        installation.records,
        installation.recorder,
        calibration,
        clock=lambda: installation.now,
        new_id=installation.world.uuid,
    )
    return Scene(installation, subjects)


def populate(scene: Scene) -> None:
    """Two faces of Ada, one like them of Bea, and one like nobody else's."""
    installation = scene.installation
    installation.create(GALLERY)
    first, second, third, other = installation.world.faces(4)
    alike = [_like(first, face) for face in (first, second, third)]
    with installation.recorder.changing() as change:
        change.transaction.add_faces(GALLERY, [*alike, other])
    for subject, faces in {ADA: alike[:2], BEA: alike[2:], STRANGER: [other]}.items():
        ids = [face.face_id for face in faces]
        scene.subjects.create_subject(GALLERY, subject, token=None, permit=ENROL)
        scene.subjects.associate(GALLERY, subject, ids, threshold_pct=0, token=None, permit=ENROL)
        scene.faces[subject] = ids


def _like(model: NewFace, face: NewFace) -> NewFace:
    return replace(face, template=model.template)


@pytest.fixture
def scene(tmp_path: Path, faces: tuple[FaceReader, Calibration]) -> Iterator[Scene]:
    scene = scene_in(tmp_path / "data", faces[1])
    populate(scene)
    yield scene
    scene.installation.close()


def merge(scene: Scene, subject: SubjectId = ADA, into: SubjectId = BEA) -> tuple[FaceId, ...]:
    return scene.subjects.merge(GALLERY, subject, into, threshold_pct=75, permit=ENROL, forgetting=FORGET)


def split(scene: Scene) -> None:
    scene.subjects.split(GALLERY, ADA, scene.faces[ADA][:1], SubjectId("ada-2"), permit=ENROL)


def test_two_that_are_alike_become_one(scene: Scene) -> None:
    """Every face changes hands, the emptied subject is gone, and each step is on the ledger."""
    before = len(scene.changes())
    assert merge(scene) == ()
    assert scene.held == {BEA: {*scene.faces[ADA], *scene.faces[BEA]}, STRANGER: set(scene.faces[STRANGER])}
    assert scene.changes()[before:] == [C.DISASSOCIATED, C.ASSOCIATED, C.SUBJECT_REMOVED]


def test_faces_that_are_unlike_stay_with_their_subject(scene: Scene) -> None:
    """Nobody is made one with a stranger; what is unlike never leaves, and that it was tried is on the ledger."""
    held, before = scene.held, len(scene.changes())
    assert set(merge(scene, into=STRANGER)) == set(scene.faces[ADA])
    assert scene.held == held
    assert scene.changes()[before:] == [C.ASSOCIATED]


def under_use(permit: Permit, *, review_required: bool, searches_per_day: int = 5) -> Permit:
    mandate = Mandate("robberies", "pd", "find", None, searches_per_day, review_required, None, None, None)
    return replace(permit, mandate=mandate)


def give(scene: Scene, subject: SubjectId, face: FaceId, *, permit: Permit) -> AssociationOutcome:
    return scene.subjects.associate(GALLERY, subject, [face], threshold_pct=99, token=None, permit=permit)[face]


def free_face_like_ada(scene: Scene) -> FaceId:
    """A face that is enrolled as nobody's, as a picture of somebody unknown would be."""
    with scene.installation.records.reading() as reader:
        _, [template] = reader.templates_of(GALLERY, scene.faces[ADA][:1])
    [face] = scene.installation.world.faces(1)
    with scene.installation.recorder.changing() as change:
        change.transaction.add_faces(GALLERY, [replace(face, template=template)])
    return face.face_id


def test_giving_a_face_is_no_way_to_learn_whose_it_is(scene: Scene) -> None:
    """Where two reviewers decide, nothing is compared: a stranger's name is told apart from the right one by nobody."""
    permit, unknown = under_use(ENROL, review_required=True), free_face_like_ada(scene)
    answers: list[AssociationOutcome] = []
    for name in (STRANGER, ADA):
        answers.append(give(scene, name, unknown, permit=permit))
        scene.subjects.disassociate(GALLERY, name, [unknown], token=None, permit=permit)

    assert answers == [AssociationOutcome.ASSOCIATED] * 2
    assert scene.subjects.merge(GALLERY, ADA, STRANGER, threshold_pct=99, permit=permit, forgetting=FORGET) == ()


def test_a_face_that_is_refused_as_unlike_takes_a_search_of_the_use(scene: Scene) -> None:
    """Trying one name after another is a search; with the day's last one gone, nothing more is said."""
    permit, unknown = under_use(ENROL, review_required=False, searches_per_day=2), free_face_like_ada(scene)
    assert give(scene, STRANGER, unknown, permit=permit) is AssociationOutcome.LOW_SIMILARITY
    assert scene.subjects.merge(GALLERY, STRANGER, ADA, threshold_pct=99, permit=permit, forgetting=FORGET)
    with pytest.raises(DeniedError, match="a search left for today"):
        give(scene, STRANGER, unknown, permit=permit)

    assert give(scene, ADA, unknown, permit=permit) is AssociationOutcome.ASSOCIATED


def test_a_subject_without_faces_is_simply_deleted(scene: Scene) -> None:
    scene.subjects.create_subject(GALLERY, SubjectId("empty"), token=None, permit=ENROL)
    assert merge(scene, SubjectId("empty")) == ()
    assert SubjectId("empty") not in scene.held


def test_what_does_not_fit_changes_nothing(scene: Scene) -> None:
    """Unknown names, itself, somebody else's face, all of the faces, a name that is taken, and too many faces."""
    held, [stranger] = scene.held, scene.faces[STRANGER]
    part = scene.faces[ADA][:1]
    new = SubjectId("new")
    wrongs: dict[Callable[[], object], type[InputError]] = {
        lambda: merge(scene, into=ADA): InputError,
        lambda: merge(scene, into=SubjectId("nobody")): NotFoundError,
        lambda: merge(scene, SubjectId("nobody")): NotFoundError,
        lambda: scene.subjects.split(GALLERY, ADA, [stranger], new, permit=ENROL): NotFoundError,
        lambda: scene.subjects.split(GALLERY, ADA, scene.faces[ADA], new, permit=ENROL): InputError,
        lambda: scene.subjects.split(GALLERY, ADA, [], new, permit=ENROL): InputError,
        lambda: scene.subjects.split(GALLERY, ADA, part, BEA, permit=ENROL): ConflictError,
    }
    for wrong, error in wrongs.items():
        with pytest.raises(error):
            wrong()
    assert scene.held == held

    many = scene.installation.world.faces(MAX_FACES_OF_SUBJECT)
    with scene.installation.recorder.changing() as change:
        change.transaction.add_faces(GALLERY, [_like(many[0], face) for face in many])
        change.transaction.create_subject(
            GALLERY, new, key=SubjectKey(scene.installation.world.uuid()), created=scene.installation.now
        )
        change.transaction.associate(GALLERY, new, [face.face_id for face in many])
    full = scene.held
    with pytest.raises(LimitError):
        scene.subjects.merge(GALLERY, ADA, new, threshold_pct=0, permit=ENROL, forgetting=FORGET)
    assert scene.held == full


def test_a_part_of_a_subject_becomes_another(scene: Scene) -> None:
    before = len(scene.changes())
    split(scene)
    first, second = scene.faces[ADA]
    assert scene.held[ADA] == {second}
    assert scene.held[SubjectId("ada-2")] == {first}
    assert scene.changes()[before:] == [C.SUBJECT_ADDED, C.DISASSOCIATED, C.ASSOCIATED]


@pytest.fixture(scope="module")
def populated(
    tmp_path_factory: pytest.TempPathFactory, faces: tuple[FaceReader, Calibration]
) -> tuple[Path, dict[SubjectId, list[FaceId]]]:
    """A data folder to copy, and whose faces are whose in it."""
    folder = tmp_path_factory.mktemp("subjects") / "data"
    scene = scene_in(folder, faces[1])
    populate(scene)
    scene.installation.close()
    return folder, scene.faces


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("act", [merge, split])
def test_whichever_call_fails_faces_are_as_before_or_as_after(
    populated: tuple[Path, dict[SubjectId, list[FaceId]]],
    faces: tuple[FaceReader, Calibration],
    tmp_path: Path,
    fault: Fault,
    act: Callable[[Scene], object],
) -> None:
    """Each call to the database, before and after it took effect: no face between two subjects, no entry too few."""
    original, owned = populated

    def interrupted(name: str, plan: Plan | None) -> tuple[dict[SubjectId, set[FaceId]], list[facts.ContentChange]]:
        folder = tmp_path / name
        shutil.copytree(original, folder)
        scene = scene_in(folder, faces[1], seed=6)
        scene.faces = owned
        if plan is not None:
            sabotage(scene.installation.records, plan)
            with contextlib.suppress(UnavailableError):
                act(scene)
            plan.failing = 0
        scene.installation.close()
        # Opened again as after a crash: what was committed is in the log, and nothing else.
        reopened = scene_in(folder, faces[1], seed=7)
        try:
            assert check_records(reopened.installation.records) == ()
            assert reopened.installation.verified().is_sound
            return reopened.held, reopened.changes()
        finally:
            reopened.installation.close()
            shutil.rmtree(folder)

    before, after, counting = interrupted("before", None), None, Plan()
    after = interrupted("after", counting)
    assert after[0] != before[0]
    assert len(after[1]) == len(before[1]) + 3
    for failing in failing_calls(counting, fault):
        assert interrupted(str(failing), Plan(failing, fault)) in (before, after)
