"""A ledger, records and indexes without any network: templates are random, and everything else is real."""

import itertools
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from recognizance.documents import terms_sha256
from recognizance.forgetting.closing import USUAL_TURNS, Turns
from recognizance.forgetting.erasure import DELETES_DOCUMENT, Erasure, Holder
from recognizance.galleries import Galleries
from recognizance.gallery import BruteForceIndex
from recognizance.governance import Policy, RuledPolicy
from recognizance.governance.authority import Authority, OwnerDocket
from recognizance.governance.parties import AgencyId, PersonId
from recognizance.governance.profiles import PROFILES, ProfileName, rulebook
from recognizance.governing.access import ADMINISTRATOR, principal_of
from recognizance.governing.registration import Gate
from recognizance.identifiers import DecisionId, FaceId, GalleryId, ImageId, PrincipalId, SubjectId
from recognizance.ledger import (
    Entry,
    EntryId,
    Facts,
    FolderSource,
    Receipt,
    Report,
    facts,
    prove,
    read_checkpoint,
    read_entries,
    verify,
)
from recognizance.permits import Action, Permit
from recognizance.recording import ContentDelta, Recorder, Searched, acts, face_digest
from recognizance.records import FaceRow, MasterKey, NewFace, Records, Secret, SubjectKey
from recognizance.reviewing.upkeep import forget_gallery
from tests.governance.conftest import use_in as use_in  # noqa: PLC0414 - a fixture of theirs, shared here
from tests.records.world import World

GALLERY = GalleryId("mugshots")
OTHER_GALLERY = GalleryId("visitors")
ADA = SubjectId("ada-lovelace")
PHOTOGRAPH = b"a photograph of somebody: " + bytes(range(256))


def permit_for(action: Action, gallery: GalleryId | None = GALLERY) -> Permit:
    return Policy().decide(principal_of(ADMINISTRATOR), action, gallery=gallery, decision_id=DecisionId("decision"))


@dataclass
class Installation:
    """An installation's records, ledger and indexes, on a clock that a test moves."""

    data: Path
    records: Records
    recorder: Recorder
    galleries: Galleries
    world: World
    now: datetime
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def new_id(self) -> str:
        return f"00000000-0000-4000-8000-{next(self.numbers):012d}"

    def erasure(
        self,
        *,
        holders: dict[str, Holder] | None = None,
        kept: tuple[str, ...] = (),
        turns: Turns = USUAL_TURNS,
    ) -> Erasure:
        return Erasure(
            self.records,
            self.recorder,
            self.galleries,
            clock=lambda: self.now,
            new_id=self.new_id,
            holders={"review": DELETES_DOCUMENT} if holders is None else holders,
            ends_gallery=forget_gallery,
            kept=kept,
            turns=turns,
        )

    @property
    def gate(self) -> Gate:
        """The policies of a private installation, and its one owner."""
        return self.gate_of(OwnerDocket)

    def gate_of(self, kind: type[OwnerDocket]) -> Gate:
        docket = kind(
            agency=AgencyId("owner"),
            owner=PersonId(OFFICER),
            started=self.now,
            commit=terms_sha256,
            searches_on=lambda _use, _day: 0,
        )
        profile = PROFILES[ProfileName.PRIVATE]
        authority = Authority(profile, rulebook(profile), docket)
        return Gate(RuledPolicy(authority, clock=lambda: self.now, record=lambda _: None), new_id=self.new_id)

    def create(self, gallery: GalleryId) -> None:
        self.galleries.create(gallery, tags={}, permit=permit_for(Action.MANAGE_GALLERY, gallery))

    def enrol(
        self,
        *,
        gallery: GalleryId = GALLERY,
        name: str | None = None,
        subject: SubjectId | None = None,
        sha256: bytes | None = None,
        faces: int = 1,
    ) -> list[NewFace]:
        """Enrol faces of one photograph, keep it, and put that on the record as an enrolment does."""
        digest = sha256 or self.world.rng.bytes(32)
        image = ImageId(self.world.uuid())
        new = [
            replace(face, external_image_id=name, image_sha256=digest, created=self.now)
            for face in self.world.faces(faces, image_id=image)
        ]
        with self.recorder.changing() as change:
            change.transaction.add_faces(gallery, new)
            change.transaction.keep_image(gallery, image, PHOTOGRAPH + digest)
            if subject is not None:
                key = SubjectKey(self.world.uuid())
                change.transaction.create_subject(gallery, subject, key=key, created=self.now)
                change.transaction.associate(gallery, subject, [face.face_id for face in new])
            delta = ContentDelta(
                facts.ContentChange.ENROLLED,
                added=faces,
                faces=tuple(face_digest(face.face_id, digest, face.template) for face in new),
                subject=subject,
            )
            row = change.transaction.gallery(gallery)
            change.enter(acts.content(permit_for(Action.ENROL, gallery), row, delta), gallery=gallery)
        return new

    def search(self, *candidates: FaceId, gallery: GalleryId = GALLERY, permit: Permit | None = None) -> EntryId:
        """Put a search on the record that found these."""
        searched = Searched(
            gallery=gallery,
            gallery_version=1,
            model=self.world.model,
            threshold=0.5,
            outcome=facts.SearchOutcome.CANDIDATES if candidates else facts.SearchOutcome.NO_CANDIDATE,
            probe=("photograph", "a probe's hash"),
            candidates=tuple((candidate, 0.75) for candidate in candidates),
        )
        with self.recorder.changing() as change:
            return change.enter(acts.search(permit or permit_for(Action.SEARCH, gallery), searched), gallery=gallery)

    def openable(self, entry: EntryId) -> set[str]:
        with self.records.reading() as reader:
            return {opening.field for opening in reader.openings(entry)}

    def rows(self, gallery: GalleryId = GALLERY) -> list[FaceRow]:
        with self.records.reading() as reader:
            return reader.faces(gallery, limit=1000)

    def load_index(self, gallery: GalleryId = GALLERY) -> None:
        permit = permit_for(Action.SEARCH, gallery)
        self.galleries.faces_index(gallery, model=self.world.model, permit=permit)
        self.galleries.subjects_index(gallery, model=self.world.model, permit=permit)

    def settle(self) -> None:
        """Wait until the ledger's public files show all that was promised: they follow right after."""
        with self.records.reading() as reader:
            size = reader.marked_size()
        source = FolderSource(self.recorder.public)
        deadline = time.monotonic() + 10
        while read_checkpoint(source, (self.recorder.verifier,)).checkpoint.size < size:
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def entry(self, receipt: Receipt) -> Facts:
        """What an entry says, read from the public files and proven to be in the log."""
        self.settle()
        proven = prove(FolderSource(self.recorder.public), (self.recorder.verifier,), receipt.index)
        return Entry.parse(proven.entry).facts

    def last_entry(self) -> Facts:
        """What the ledger's latest entry says."""
        self.settle()
        source = FolderSource(self.recorder.public)
        size = read_checkpoint(source, (self.recorder.verifier,)).checkpoint.size
        [last] = read_entries(source, range(size - 1, size), size)
        return Entry.parse(last).facts

    def verified(self) -> Report:
        """The ledger as an outsider sees it."""
        self.settle()
        return verify(FolderSource(self.recorder.public), (self.recorder.verifier,))

    def after(self, **duration: float) -> None:
        self.now += timedelta(**duration)

    def close(self) -> None:
        self.recorder.close()
        self.records.close()


def open_installation(data: Path, world: World, *, now: datetime | None = None) -> Installation:
    records = Records.open(data, master_key=MasterKey(Secret(bytes(range(32)))))
    moment = [now or world.now]
    recorder = Recorder.open(
        data,
        records,
        clock=lambda: moment[0],
        new_id=world.uuid,
        new_salt=lambda: os.urandom(32),
    )
    galleries = Galleries(
        records,
        recorder,
        model=world.model,
        open_index=lambda _model: BruteForceIndex(world.dimension),
        clock=lambda: moment[0],
    )
    return Installation(data, records, recorder, galleries, world, moment[0])


OpenInstallation = Callable[[Path], Installation]


@pytest.fixture
def world() -> World:
    return World(np.random.default_rng(20261122))


@pytest.fixture
def installation(tmp_path: Path, world: World) -> Iterator[Installation]:
    """An installation with two empty galleries."""
    opened = open_installation(tmp_path / "data", world)
    opened.create(GALLERY)
    opened.create(OTHER_GALLERY)
    yield opened
    opened.close()


OFFICER = PrincipalId("0d5c1f0e-0000-4000-8000-000000000001")
