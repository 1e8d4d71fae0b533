"""An agency whose candidates wait for reviewers: people, an approved use, a gallery with kept photographs."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image

from recognizance.app import Service, wire
from recognizance.config import Settings
from recognizance.documents import (
    GalleryDeclaration,
    Kind,
    PersonRecord,
    UseRecord,
    inserted,
    replaced,
    stored,
    terms_sha256,
)
from recognizance.faces import Calibration, FaceReader, QualityFilter, open_photograph
from recognizance.governance import Asking, Credential, Grounds, Policy, Principal, SearchFacts
from recognizance.governance.oversight import Choice, Quorum, Vote
from recognizance.governance.parties import (
    Agency,
    AgencyId,
    AgencyKind,
    CourseId,
    Person,
    PersonId,
    Role,
    Training,
    UseId,
)
from recognizance.governance.profiles import ProfileName
from recognizance.governance.purposes import (
    Capture,
    LawfulBasis,
    OffenceCode,
    Source,
)
from recognizance.governance.review import Finding, Observation, Outcome, ReviewId
from recognizance.governance.terms import (
    UseTerms,
)
from recognizance.governance.uses import Use, UseEvent, advance, vote
from recognizance.governing.access import ADMINISTRATOR, principal_of
from recognizance.governing.passwords import cheap_hasher
from recognizance.governing.registration import establish
from recognizance.identifiers import DecisionId, FaceId, GalleryId, PrincipalId
from recognizance.ledger import Entry, FolderSource, facts, read_checkpoint
from recognizance.ledger.sources import read_entries
from recognizance.permits import Action, Permit
from recognizance.records import FaceRow
from recognizance.reviewing.askers import Asker
from recognizance.reviewing.reviews import Shown
from recognizance.search import PhotographSearch
from recognizance.storage import new_id, open_recorder, open_records

from .conftest import jpeg
from .evidence import PASSED, insert_published, published
from .investigation import investigation_terms, statute

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
_PROPOSED_BEFORE = timedelta(days=320)
AGENCY = AgencyId("harbour-police")
GALLERY = GalleryId("arrests")
COURSE = CourseId("face-examination")
USE = UseId("robberies-2026")
CASE = "24-00117"
GROUNDS = Grounds(case=CASE, justification="robbery at the pier", offence=OffenceCode("robbery"))


def person_id(name: str) -> PersonId:
    """The same pseudonym for a name each time."""
    return PersonId(PrincipalId(str(uuid.uuid5(uuid.NAMESPACE_OID, name))))


SEARCHER, SUPERVISOR = person_id("searcher"), person_id("supervisor")
FIRST, SECOND, THIRD = person_id("first"), person_id("second"), person_id("third")
OVERSEERS = tuple(person_id(f"overseer {number}") for number in range(5))


@dataclass(eq=False)  # each is its own, and so is a service that has it
class Clock:
    """A clock that tests turn."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class World:
    """A service with people who review."""

    service: Service
    clock: Clock
    enrolled: dict[str, FaceId] = field(default_factory=dict)

    def add_person(self, person: Person) -> None:
        with self.service.records.transaction() as transaction:
            inserted(transaction, Kind.PERSON, person.id, PersonRecord(person, f"name of {person.id}"))

    def change_person(self, person: PersonId, **changes: object) -> None:
        with self.service.records.transaction() as transaction:
            before = stored(transaction, Kind.PERSON, person, PersonRecord)
            changed = replace(before.value.person, **changes)  # type: ignore[arg-type] # tests name fields of Person
            replaced(transaction, before, replace(before.value, person=changed))

    def permit(self, action: Action = Action.SEARCH, *, candidates: int = 10, case: str = CASE) -> Permit:
        """The searcher's, under the use, for a case."""
        asked = SearchFacts(None, Capture.STILL, threshold_pct=99.0, candidates=candidates)
        asking = Asking(Credential.PERSON_KEY, use=USE, search=asked, grounds=replace(GROUNDS, case=case))
        return self.service.policy.decide(
            Principal(SEARCHER, frozenset()), action, gallery=GALLERY, decision_id=DecisionId(new_id()), asking=asking
        )

    def enrol(self, name: str, picture: Image.Image) -> FaceId:
        administrator = principal_of(ADMINISTRATOR)
        permit = Policy().decide(administrator, Action.ENROL, gallery=GALLERY, decision_id=DecisionId(new_id()))
        [face] = self.service.enrolment.enrol(
            GALLERY,
            open_photograph(jpeg(picture), permit),
            external_image_id=name,
            max_faces=1,
            quality_filter=QualityFilter.NONE,
            permit=permit,
        ).faces
        self.enrolled[name] = face.row.face_id
        return face.row.face_id

    def search(self, picture: Image.Image, *, case: str = CASE) -> PhotographSearch[FaceRow]:
        return self.search_file(jpeg(picture, 80), case=case)

    def search_file(self, data: bytes, *, case: str = CASE) -> PhotographSearch[FaceRow]:
        permit = self.permit(case=case)
        return self.service.search.faces_by_photograph(
            GALLERY,
            open_photograph(data, permit),
            threshold_pct=99.0,
            limit=10,
            quality_filter=QualityFilter.NONE,
            permit=permit,
        )

    def opened(self, picture: Image.Image) -> ReviewId:
        found = self.search(picture).found
        assert found is not None
        assert found.review is not None
        return found.review.review

    def shown(self, review: ReviewId, person: PersonId) -> Shown:
        self.service.reviewing.claim(review, Asker(person))
        return self.service.reviewing.show(review, Asker(person))

    def entries(self) -> list[facts.Facts]:
        """Everything that the public ledger says, once its files have what was promised."""
        source, keys = FolderSource(self.service.recorder.public), (self.service.recorder.verifier,)
        with self.service.records.reading() as reader:
            promised = reader.marked_size()
        deadline = time.monotonic() + 10
        while (size := read_checkpoint(source, keys).checkpoint.size) < promised:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        return [Entry.parse(data).facts for data in read_entries(source, range(size), size)]

    def answer(self, review: ReviewId, person: PersonId, outcome: Outcome) -> None:
        """Take a review on and find the same of all its candidates."""
        shown = self.shown(review, person)
        self.service.reviewing.answer(review, Asker(person), findings(shown, outcome))


def findings(shown: Shown, outcome: Outcome) -> list[Finding]:
    seen = frozenset({Observation.NOSE, Observation.EARS, Observation.LIGHT})
    return [Finding(each.face, outcome, seen, remarks="compared at full size") for each in shown.faces]


@contextmanager
def review_world(folder: Path, faces: tuple[FaceReader, Calibration], *, now: datetime = NOW) -> Iterator[World]:
    """A law-enforcement installation in `folder` with everybody that a review needs, all of it in force at `now`."""
    settings, clock = Settings(keep_images=True), Clock(now)
    records = open_records(folder, settings)
    recorder = open_recorder(folder, settings, records, clock=clock)
    establish(
        records,
        recorder,
        ProfileName.LAW_ENFORCEMENT,
        owner_name="the clerk",
        clock=lambda: now - _PROPOSED_BEFORE,
        new_id=new_id,
    )
    recorder.close()
    service = wire(folder, settings, records, *faces, clock=clock, hasher=cheap_hasher())
    try:
        world = World(service, clock)
        _populate(world)
        yield world
    finally:
        service.close()


def _populate(world: World) -> None:
    now = world.clock.now
    terms = _terms(now)
    trained = Training(COURSE, (now - timedelta(days=300)).date(), (now + timedelta(days=40)).date())
    with world.service.records.transaction() as transaction:
        agency = Agency(AGENCY, AgencyKind.LAW_ENFORCEMENT, "Harbour Police", "the chief", "chief@example.org")
        inserted(transaction, Kind.AGENCY, AGENCY, agency)
        declared = GalleryDeclaration(GALLERY, AGENCY, Source.ARREST_RECORD, LawfulBasis.STATUTE)
        inserted(transaction, Kind.GALLERY, GALLERY, declared)
        inserted(transaction, Kind.USE, USE, UseRecord(_active(terms, now), str(uuid.uuid4())))
        insert_published(transaction, published(terms.limits.threshold_floor_pct, now))
    world.add_person(Person(SEARCHER, AGENCY, frozenset({Role.OPERATOR, Role.EXAMINER}), (trained,)))
    world.add_person(Person(SUPERVISOR, AGENCY, frozenset({Role.SUPERVISOR}), (trained,)))
    for person in (FIRST, SECOND, THIRD):
        world.add_person(Person(person, AGENCY, frozenset({Role.EXAMINER}), (trained,)))
    permit = Policy().decide(
        principal_of(ADMINISTRATOR), Action.MANAGE_GALLERY, gallery=GALLERY, decision_id=DecisionId(new_id())
    )
    world.service.galleries.create(GALLERY, tags={}, permit=permit)


def _terms(now: datetime) -> UseTerms:
    proposed, expires = now - _PROPOSED_BEFORE, now + timedelta(days=100)
    terms = investigation_terms(
        agency=AGENCY,
        gallery=GALLERY,
        course=COURSE,
        proposed=proposed,
        starts=now - timedelta(days=200),
        expires=expires,
    )
    return replace(terms, authority=statute(proposed, expires))


def _active(terms: UseTerms, now: datetime) -> Use:
    proposed = now - _PROPOSED_BEFORE
    digest = terms_sha256(terms)
    use = Use(
        id=USE,
        terms=terms,
        terms_sha256=digest,
        proposer=SUPERVISOR,
        proposed_at=proposed,
        comments_until=proposed + timedelta(days=30),
        quorum=Quorum(3, frozenset(OVERSEERS)),
    )
    use = advance(use, UseEvent.CLOSE_COMMENTS, use.comments_until)
    at = use.comments_until + timedelta(days=1)
    for overseer in OVERSEERS[:3]:
        use = vote(use, Vote(overseer, Choice.APPROVE, digest, "read and weighed", at))
    return advance(advance(use, UseEvent.APPROVE, at), UseEvent.ACTIVATE, max(terms.starts, at), PASSED)
