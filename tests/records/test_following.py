"""An index that follows the records step by step ends where one that loads them afresh begins."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from recognizance.errors import LimitError
from recognizance.identifiers import FaceId, SubjectId
from recognizance.records import (
    RELOAD,
    Association,
    Disassociation,
    MasterKey,
    Records,
    Secret,
    SubjectKey,
    check_records,
)
from recognizance.records.rows import Template

from .world import World

SUBJECTS = [SubjectId(name) for name in ("ann", "ben", "cat")]


@dataclass
class Follower:
    """What an index would hold: names and the bytes of templates, at a version."""

    version: int
    faces: dict[FaceId, bytes] = field(default_factory=dict)
    subjects: dict[SubjectKey, bytes] = field(default_factory=dict)


class Following(RuleBasedStateMachine):
    """Any sequence of changes, with a follower that catches up now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.records = Records.open(Path(self.folder.name), master_key=MasterKey(Secret(bytes(32))))
        self.world = World(np.random.default_rng(5), dimension=8)
        self.templates: dict[FaceId, Template] = {}
        self.owners: dict[FaceId, SubjectId] = {}
        self.keys: dict[SubjectId, SubjectKey] = {}
        self.reloads = 0

    @initialize()
    def create(self) -> None:
        with self.records.transaction() as transaction:
            gallery = transaction.create_gallery(self.world.gallery, model=self.world.model, created=self.world.now)
        self.follower = Follower(gallery.version)

    @rule(count=st.integers(1, 70))
    def add(self, count: int) -> None:
        faces = self.world.faces(count)
        with self.records.transaction() as transaction:
            transaction.add_faces(self.world.gallery, faces)
        self.templates.update({face.face_id: face.template for face in faces})

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        chosen = self.choose(data, 50)
        with self.records.transaction() as transaction:
            outcome = transaction.remove_faces(self.world.gallery, [*chosen, FaceId("unknown")])
        assert outcome.removed == tuple(chosen)
        assert outcome.unknown == ("unknown",)
        for face_id in chosen:
            del self.templates[face_id]
            self.owners.pop(face_id, None)

    @rule(subject=st.sampled_from(SUBJECTS))
    def create_or_delete_subject(self, subject: SubjectId) -> None:
        with self.records.transaction() as transaction:
            if subject in self.keys:
                transaction.delete_subject(self.world.gallery, subject)
                del self.keys[subject]
                self.owners = {face_id: owner for face_id, owner in self.owners.items() if owner != subject}
            else:
                key = SubjectKey(self.world.uuid())
                transaction.create_subject(self.world.gallery, subject, key=key, created=self.world.now)
                self.keys[subject] = key

    @rule(data=st.data(), subject=st.sampled_from(SUBJECTS))
    def associate(self, data: st.DataObject, subject: SubjectId) -> None:
        if subject not in self.keys:
            return
        chosen = self.choose(data, 30)
        expected = {face_id: self.association(face_id, subject) for face_id in [*chosen, FaceId("unknown")]}
        fresh = [face_id for face_id, what in expected.items() if what is Association.ASSOCIATED]
        with self.records.transaction() as transaction:
            if list(self.owners.values()).count(subject) + len(fresh) > 100:
                with pytest.raises(LimitError):
                    transaction.associate(self.world.gallery, subject, list(expected))
                return
            assert transaction.associate(self.world.gallery, subject, list(expected)) == expected
        self.owners.update(dict.fromkeys(fresh, subject))

    @rule(data=st.data(), subject=st.sampled_from(SUBJECTS))
    def disassociate(self, data: st.DataObject, subject: SubjectId) -> None:
        if subject not in self.keys:
            return
        chosen = self.choose(data, 10)
        expected = {
            face_id: Disassociation.NOT_ASSOCIATED
            if face_id not in self.owners
            else Disassociation.DISASSOCIATED
            if self.owners[face_id] == subject
            else Disassociation.OTHER_SUBJECT
            for face_id in chosen
        }
        with self.records.transaction() as transaction:
            assert transaction.disassociate(self.world.gallery, subject, chosen) == expected
        for face_id, what in expected.items():
            if what is Disassociation.DISASSOCIATED:
                del self.owners[face_id]

    @rule()
    def catch_up(self) -> None:
        """First what is removed, then what is added: as the contract of `Changes` says."""
        with self.records.reading() as reader:
            faces = reader.changes_since(self.world.gallery, self.follower.version)
            subjects = reader.subject_changes_since(self.world.gallery, self.follower.version)
            if faces is RELOAD or subjects is RELOAD:
                self.reloads += 1
                self.follower = self.loaded()
                return
        assert faces.to_version == subjects.to_version
        for face_id in faces.removed:
            self.follower.faces.pop(face_id, None)
        for face_id, template in zip(faces.added, faces.templates, strict=True):
            assert face_id not in self.follower.faces
            self.follower.faces[face_id] = template.tobytes()
        for key in subjects.removed:
            self.follower.subjects.pop(key, None)
        for key, template in zip(subjects.changed, subjects.templates, strict=True):
            self.follower.subjects[key] = template.tobytes()
        self.follower.version = faces.to_version
        assert self.follower == self.loaded()

    @invariant()
    def holds_what_was_put_in(self) -> None:
        if not hasattr(self, "follower"):
            return
        now = self.loaded()
        assert now.faces == {face_id: template.tobytes() for face_id, template in self.templates.items()}
        assert now.subjects.keys() == {self.keys[subject] for subject in self.owners.values()}
        assert check_records(self.records) == ()

    def loaded(self) -> Follower:
        with self.records.reading() as reader:
            follower = Follower(reader.gallery(self.world.gallery).version)
            for block in reader.templates(self.world.gallery, block_faces=48):
                assert block.version == follower.version
                for face_id, template in zip(block.face_ids, block.templates, strict=True):
                    follower.faces[face_id] = template.tobytes()
            for subjects in reader.subject_templates(self.world.gallery):
                for key, template in zip(subjects.subject_keys, subjects.templates, strict=True):
                    follower.subjects[key] = template.tobytes()
        return follower

    def choose(self, data: st.DataObject, most: int) -> list[FaceId]:
        if not self.templates:
            return []
        return data.draw(st.lists(st.sampled_from(list(self.templates)), max_size=most, unique=True))

    def association(self, face_id: FaceId, subject: SubjectId) -> Association:
        if face_id not in self.templates:
            return Association.FACE_NOT_FOUND
        owner = self.owners.get(face_id)
        if owner is None:
            return Association.ASSOCIATED
        return Association.ALREADY_ASSOCIATED if owner == subject else Association.OTHER_SUBJECT

    def teardown(self) -> None:
        self.records.close()
        self.folder.cleanup()


def test_any_sequence_of_changes_can_be_followed() -> None:
    """After each step faces, subjects and templates agree with a plain model, and the full checker finds nothing."""
    Following.TestCase.settings = settings(
        max_examples=12, stateful_step_count=20, suppress_health_check=list(HealthCheck)
    )
    Following.TestCase().runTest()


def test_a_follower_behind_the_horizon_reloads(records: Records, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old removals are forgotten, and whoever would need them is told so; the others still catch up."""
    monkeypatch.setattr("recognizance.records.galleries.HORIZON_ROWS", 10)
    versions = []
    with records.transaction() as transaction:
        transaction.create_gallery(world.gallery, model=world.model, created=world.now)
        faces = world.faces(60)
        ids = [face.face_id for face in faces]
        transaction.add_faces(world.gallery, faces)
        for start in range(0, 40, 4):
            versions.append(transaction.gallery(world.gallery).version)
            transaction.remove_faces(world.gallery, ids[start : start + 4])
        answers = [transaction.changes_since(world.gallery, version) for version in versions]

    # Two removals of four fit into ten; a third would not.
    assert [answer is RELOAD for answer in answers] == [True] * 8 + [False] * 2
    newest = answers[-2]
    assert newest is not RELOAD
    assert sorted(newest.removed) == sorted(ids[32:40])
    assert check_records(records) == ()


def test_a_version_from_the_future_reloads(records: Records, world: World) -> None:
    """After an older copy of the database was put back, an index may be ahead of it."""
    with records.transaction() as transaction:
        version = transaction.create_gallery(world.gallery, model=world.model, created=world.now).version

        assert transaction.changes_since(world.gallery, version + 1) is RELOAD
        assert transaction.subject_changes_since(world.gallery, version + 1) is RELOAD


def test_too_many_additions_reload(records: Records, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reload streams in blocks; catching up holds everything in memory."""
    with records.transaction() as transaction:
        start = transaction.create_gallery(world.gallery, model=world.model, created=world.now).version
        transaction.add_faces(world.gallery, world.faces(20))
        monkeypatch.setattr("recognizance.records.faces.MAX_CATCH_UP", 19)
        beyond = transaction.changes_since(world.gallery, start)
        monkeypatch.setattr("recognizance.records.faces.MAX_CATCH_UP", 20)
        within = transaction.changes_since(world.gallery, start)

    assert beyond is RELOAD
    assert within is not RELOAD
    assert len(within.added) == 20
