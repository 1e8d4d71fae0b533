"""What the tests of the recorder draw from: an installation without networks, and simple entries to write."""

import itertools
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from recognizance.governance.policy import Policy, Principal, Role
from recognizance.identifiers import AccessKeyId, DecisionId, GalleryId, ModelId, PrincipalId
from recognizance.ledger import Entry, FolderSource, facts, prove, read_checkpoint, verify
from recognizance.permits import Action, Permit
from recognizance.recording import Maker, Recorder, Searched, acts
from recognizance.records import MasterKey, Records, Secret

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
GALLERY = GalleryId("people")
MODEL = ModelId("test@0123456789abcdef")


@dataclass
class World:
    """One data folder. Opened again and again, as after each start."""

    data: Path
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def records(self) -> Records:
        return Records.open(self.data, master_key=MasterKey(Secret(bytes(32))))

    def recorder(self, records: Records) -> Recorder:
        return Recorder.open(
            self.data, records, clock=lambda: NOW, new_id=lambda: str(uuid.uuid4()), new_salt=lambda: os.urandom(32)
        )

    @contextmanager
    def opened(self) -> Iterator[tuple[Records, Recorder]]:
        records = self.records()
        try:
            recorder = self.recorder(records)
            try:
                yield records, recorder
            finally:
                recorder.close()
        finally:
            records.close()

    def entries(self, recorder: Recorder) -> list[Entry]:
        """Every entry of the ledger, after all of it has been verified from its public files."""
        source, keys = FolderSource(recorder.public), (recorder.verifier,)
        # Receipts are given as soon as the journal has their checkpoint; the public files follow at once.
        promised, deadline = recorder._keeper._outbox.marked_size(), time.monotonic() + 10
        while read_checkpoint(source, keys).checkpoint.size < promised and time.monotonic() < deadline:
            time.sleep(0.005)
        verify(source, keys).require_sound()
        size = read_checkpoint(source, keys).checkpoint.size
        return [Entry.parse(prove(source, keys, index).entry) for index in range(size)]


def permit(action: Action = Action.SEARCH, gallery: GalleryId | None = GALLERY) -> Permit:
    principal = Principal(PrincipalId("clerk"), frozenset({Role.ADMINISTRATOR}))
    return Policy().decide(principal, action, gallery=gallery, decision_id=DecisionId("decision"))


def key_entry(name: str = "KEY") -> Maker:
    return acts.access_key(AccessKeyId(name), PrincipalId("clerk"), facts.Standing.ADDED)


def search_entry(gallery: GalleryId = GALLERY) -> Maker:
    searched = Searched(
        gallery=gallery,
        gallery_version=1,
        model=MODEL,
        threshold=0.5,
        outcome=facts.SearchOutcome.CANDIDATES,
        probe=("photograph", "0" * 64),
        candidates=(("face-1", 0.75),),
    )
    return acts.search(permit(gallery=gallery), searched)


def create_gallery(recorder: Recorder, gallery: GalleryId = GALLERY) -> None:
    with recorder.changing() as change:
        row = change.transaction.create_gallery(gallery, model=MODEL, created=NOW)
        change.enter(acts.gallery(permit(Action.MANAGE_GALLERY, gallery), row, facts.Standing.ADDED))
