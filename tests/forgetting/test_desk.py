"""The desk: answers in time, on the record, about the asker and nobody else; and only an officer answers."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from recognizance.app import Service, wire
from recognizance.config import Settings
from recognizance.documents import GalleryDeclaration, Kind
from recognizance.errors import ConflictError, DeniedError, InputError, LimitError, NotFoundError
from recognizance.faces import Calibration, FaceReader, QualityFilter, open_photograph
from recognizance.forgetting.erasure import REQUEST_KIND
from recognizance.governance import Asking, Credential
from recognizance.governance.parties import Agency, AgencyId, AgencyKind, Person, Role
from recognizance.governance.profiles import ProfileName
from recognizance.governance.purposes import LawfulBasis, Source
from recognizance.governance.review import Outcome
from recognizance.governance.subjects import Refusal, RequestEvent, RequestKind, RequestState, SubjectRequest
from recognizance.governing.registration import Actor, at_the_machine, establish
from recognizance.identifiers import GalleryId, SubjectId
from recognizance.ledger import Entry, facts
from recognizance.permits import Action, Permit
from recognizance.searching_desk import MOST_PHOTOGRAPHS, SearchingDesk
from recognizance.storage import new_id, open_recorder, open_records
from tests.conftest import NOW, jpeg
from tests.review_world import AGENCY, FIRST, SECOND, person_id, review_world

PEOPLE, FOREIGN = GalleryId("people"), GalleryId("foreign")
OWN, OTHER = AgencyId("harbour-police"), AgencyId("hill-police")
Permits = Callable[..., Permit]


@dataclass
class Station:
    """A police installation that holds two people, and whom its desk is staffed with."""

    service: Service
    officer: Actor
    colleague: Actor
    operator: Actor

    @property
    def desk(self) -> SearchingDesk:
        return self.service.desk

    def verified(self, kind: RequestKind) -> SubjectRequest:
        request = self.desk.open(
            kind, asker="E. Collins, by post", statement="What do you have of me?", by=self.officer
        )
        return self.desk.step(request.id, RequestEvent.VERIFY, by=self.officer)


@pytest.fixture
def station(
    tmp_path: Path,
    faces: tuple[FaceReader, Calibration],
    permit_for: Permits,
    collins: Image.Image,
    hopper: Image.Image,
) -> Iterator[Station]:
    """Two agencies with a gallery each; the first one's desk has two officers."""
    data, settings = tmp_path / "data", Settings()
    with (
        closing(open_records(data, settings)) as records,
        closing(open_recorder(data, settings, records, clock=lambda: NOW)) as recorder,
    ):
        establish(records, recorder, ProfileName.LAW_ENFORCEMENT, owner_name="root", clock=lambda: NOW, new_id=new_id)
    with closing(wire(data, settings, open_records(data, settings), *faces, clock=lambda: NOW)) as service:
        registration, root = service.governing.registration, at_the_machine()
        for agency, gallery in ((OWN, PEOPLE), (OTHER, FOREIGN)):
            registration.add_agency(Agency(agency, AgencyKind.LAW_ENFORCEMENT, agency, "a chief", "a clerk"), by=root)
            declared = GalleryDeclaration(gallery, agency, Source.ARREST_RECORD, LawfulBasis.STATUTE)
            registration.declare_gallery(declared, by=root)
            service.galleries.create(gallery, tags={}, permit=permit_for(Action.MANAGE_GALLERY, gallery))
        for gallery, name, picture in ((PEOPLE, "collins", collins), (PEOPLE, "hopper", hopper)):
            permit = permit_for(Action.ENROL, gallery)
            service.enrolment.enrol(
                gallery,
                open_photograph(jpeg(picture), permit),
                external_image_id=name,
                max_faces=1,
                quality_filter=QualityFilter.NONE,
                permit=permit,
            )

        def person(role: Role) -> Actor:
            someone = registration.add_person(role, agency=OWN, roles=frozenset({role}), by=root)
            return at_the_machine(someone.id)

        yield Station(service, person(Role.DESK_OFFICER), person(Role.DESK_OFFICER), person(Role.OPERATOR))


def test_a_request_is_on_the_record_without_the_asker(station: Station) -> None:
    """Kind, deadline and event are public; name and answer are committed to."""
    with station.service.recorder.following() as promised:
        request = station.verified(RequestKind.ACCESS)
        station.desk.step(request.id, RequestEvent.ANSWER, answer="Nothing is held.", by=station.officer)

    said = [Entry.parse(each.data).facts for each in promised]
    assert [each.event for each in said if isinstance(each, facts.SubjectRequest)] == [
        facts.RequestEvent.RECEIVED,
        facts.RequestEvent.ANSWERED,
    ]
    assert not any(b"Collins" in each.data or b"Nothing is held" in each.data for each in promised)
    file = station.desk.file(request.id, by=station.officer)
    assert (file.answer, file.request.state) == ("Nothing is held.", RequestState.ANSWERED)


def test_only_a_desk_officer_acts_and_a_refusal_is_on_the_record(station: Station, collins: Image.Image) -> None:
    """An operator who could search under a use can't through the desk; what is missing and who grants it is said."""
    desk, request = station.desk, station.verified(RequestKind.ERASURE)
    found = desk.held_under(request.id, ["collins"], by=station.officer)
    in_a_session = replace(station.officer, asking=Asking(Credential.SESSION))

    def everything(by: Actor) -> list[Callable[[], object]]:
        return [
            lambda: desk.open(RequestKind.ACCESS, asker="a", statement="", by=by),
            lambda: desk.step(request.id, RequestEvent.ANSWER, by=by),
            lambda: desk.extend(request.id, "why", by=by),
            lambda: desk.file(request.id, by=by),
            lambda: desk.files(by=by),
            lambda: desk.overdue(by=by),
            lambda: desk.held_under(request.id, ["collins"], by=by),
            lambda: desk.faces_like(request.id, jpeg(collins), by=by),
            lambda: desk.export(request.id, found, by=by),
            lambda: desk.erase(request.id, found, by=by),
            lambda: desk.correct(request.id, PEOPLE, found.faces[0].face.face_id, subject=None, by=by),
        ]

    with station.service.recorder.following() as promised:
        for act in everything(station.operator):
            with pytest.raises(DeniedError, match="the role desk_officer; ask an administrator"):
                act()
        for act in everything(in_a_session):
            with pytest.raises(DeniedError, match="a person's own key"):
                act()

    refusals = [Entry.parse(each.data).facts for each in promised]
    assert [type(each) for each in refusals] == [facts.Refusal] * 22
    assert {each.action for each in refusals if isinstance(each, facts.Refusal)} == {"handle_request"}
    assert desk.held_under(request.id, ["collins"], by=station.officer).is_enrolled


def test_the_deadline_runs_from_the_day_of_receipt_and_is_extended_once(station: Station) -> None:
    """28 days, and 56 more with a reason; on the day after, the request is late."""
    desk, by, today = station.desk, station.officer, NOW.date()
    late = desk.open(RequestKind.ACCESS, asker="a", statement="", received=today - timedelta(days=29), by=by)
    due = desk.open(RequestKind.ACCESS, asker="b", statement="", received=today - timedelta(days=28), by=by)

    assert [request.id for request in desk.overdue(by=by)] == [late.id]
    assert desk.extend(due.id, "many galleries", by=by).deadline == today + timedelta(days=56)
    with pytest.raises(ConflictError):
        desk.extend(due.id, "again", by=by)
    with pytest.raises(ConflictError):
        desk.extend(late.id, "too late", by=by)
    assert [file.request.id for file in desk.files(by=by)] == [late.id, due.id]


def test_an_appeal_is_decided_by_somebody_else(station: Station) -> None:
    """Whoever refused doesn't decide about the refusal."""
    desk, request = station.desk, station.verified(RequestKind.ERASURE)
    desk.step(request.id, RequestEvent.REFUSE, refusal=Refusal.ORDER_TO_PRESERVE, by=station.officer)
    desk.step(request.id, RequestEvent.APPEAL, by=station.officer)

    with pytest.raises(ConflictError, match="somebody else"):
        desk.step(request.id, RequestEvent.OVERTURN, by=station.officer)
    overturned = desk.step(request.id, RequestEvent.OVERTURN, by=station.colleague)
    assert overturned.state is RequestState.VERIFIED


def test_a_photograph_finds_faces_by_the_desks_own_recorded_search(station: Station, collins: Image.Image) -> None:
    """Without a use; it names nobody, and a later question finds that the face was a candidate of it."""
    desk, request = station.desk, station.verified(RequestKind.ACCESS)

    with station.service.recorder.following() as promised:
        like = desk.faces_like(request.id, jpeg(collins, quality=70), by=station.officer)
    again = desk.held_under(request.id, [each.face for each in like.faces], by=station.officer)

    [search] = [Entry.parse(each.data) for each in promised]
    assert isinstance(search.facts, facts.Search)
    assert (search.facts.use, search.facts.agency) == ("desk/harbour-police", "harbour-police")
    assert (search.facts.purpose, search.facts.search_class.value) == ("subject_request", "subject_request")
    assert search.facts.policies == ("desk-officers-search-for-whoever-asks",)
    assert [each.gallery for each in like.faces] == [PEOPLE]
    assert like.faces[0].similarity_pct > 99
    assert [each.face.external_image_id for each in again.faces] == ["collins"]
    assert again.faces[0].candidate_in == (search.id,)


def test_the_desk_tells_of_no_candidate_before_the_reviewers_have(
    tmp_path: Path, faces: tuple[FaceReader, Calibration], collins: Image.Image
) -> None:
    """That a face came up isn't said while that is to be judged blindly; once it is over, it is."""
    with review_world(tmp_path / "data", faces) as world:
        world.enrol("collins", collins)
        review = world.opened(collins)
        officer, desk = person_id("an officer"), world.service.desk
        world.add_person(Person(officer, AGENCY, frozenset({Role.DESK_OFFICER})))
        by = at_the_machine(officer)
        request = desk.open(RequestKind.ACCESS, asker="E. Collins", statement="Was I a candidate?", by=by)
        desk.step(request.id, RequestEvent.VERIFY, by=by)

        before = desk.held_under(request.id, ["collins"], by=by)
        world.answer(review, FIRST, Outcome.DIFFERENT)
        half = desk.held_under(request.id, ["collins"], by=by)
        world.answer(review, SECOND, Outcome.DIFFERENT)

        assert before.is_enrolled
        assert not before.was_a_candidate
        assert not half.was_a_candidate
        assert desk.held_under(request.id, ["collins"], by=by).was_a_candidate


def test_one_request_is_no_way_to_search_for_others(station: Station, collins: Image.Image) -> None:
    """Somebody may send a better photograph of themselves a few times; then the request has had its searches."""
    desk, by = station.desk, station.officer
    request = station.verified(RequestKind.ACCESS)
    for _ in range(MOST_PHOTOGRAPHS):
        assert desk.faces_like(request.id, jpeg(collins, quality=40), by=by).faces
    with station.service.recorder.following() as promised, pytest.raises(LimitError, match="with 5 photographs"):
        desk.faces_like(request.id, jpeg(collins, quality=40), by=by)

    assert promised == []
    assert desk.faces_like(station.verified(RequestKind.ACCESS).id, jpeg(collins, quality=40), by=by).faces


def test_a_photograph_is_searched_for_an_open_request_and_its_own_galleries_only(
    station: Station, collins: Image.Image
) -> None:
    """Not before the asker has proven who they are, not after the answer, not below 80, not for no request at all."""
    desk, by = station.desk, station.officer
    unproven = desk.open(RequestKind.ACCESS, asker="a", statement="", by=by)
    answered = station.verified(RequestKind.ACCESS)
    desk.step(answered.id, RequestEvent.ANSWER, answer="yes", by=by)
    verified = station.verified(RequestKind.ACCESS)

    for request in (unproven.id, answered.id, "unknown"):
        with pytest.raises(DeniedError, match="whose asker has proven who they are"):
            desk.faces_like(request, jpeg(collins), by=by)
    with pytest.raises(DeniedError, match="at least 80"):
        desk.faces_like(verified.id, jpeg(collins), threshold_pct=79, by=by)
    with pytest.raises(ConflictError, match="verify who asks"):
        desk.held_under(unproven.id, ["collins"], by=by)
    assert desk.faces_like(verified.id, jpeg(collins), by=by).elsewhere == (FOREIGN,)
    assert desk.held_under(verified.id, ["collins"], by=by).elsewhere == (FOREIGN,)
    assert not desk.held_under(verified.id, ["nobody"], by=by).is_enrolled


def test_a_private_owner_searches_for_whoever_asks_too(
    service: Service, permit_for: Permits, collins: Image.Image
) -> None:
    """The same act, in the profile of one person; their default use has nothing to do with it."""
    service.galleries.create(PEOPLE, tags={}, permit=permit_for(Action.MANAGE_GALLERY, PEOPLE))
    owner = at_the_machine()
    request = service.desk.open(RequestKind.ACCESS, asker="a neighbour", statement="", by=owner)
    service.desk.step(request.id, RequestEvent.VERIFY, by=owner)

    with service.recorder.following() as promised:
        like = service.desk.faces_like(request.id, jpeg(collins), by=owner)

    [search] = [Entry.parse(each.data).facts for each in promised]
    assert isinstance(search, facts.Search)
    assert search.use.startswith("desk/owner-")
    assert (like.faces, search.purpose) == ((), "subject_request")


def test_an_export_holds_what_is_held_and_no_template(station: Station) -> None:
    """Only for somebody who has proven who they are, and only what their own request found."""
    desk, by = station.desk, station.officer
    unproven = desk.open(RequestKind.ACCESS, asker="a", statement="", by=by)
    request, another = station.verified(RequestKind.ACCESS), station.verified(RequestKind.ACCESS)
    findings = desk.held_under(request.id, ["collins"], by=by)

    with zipfile.ZipFile(io.BytesIO(desk.export(request.id, findings, by=by))) as bundle:
        [described] = json.loads(bundle.read("held.json"))["faces"]
        assert bundle.namelist() == ["held.json"]

    assert (described["gallery"], described["photograph_name"]) == ("people", "collins")
    assert "template" not in described
    with pytest.raises(ConflictError, match="verify"):
        desk.export(unproven.id, findings, by=by)
    with pytest.raises(ConflictError, match="isn't for"):
        desk.export(another.id, findings, by=by)


def test_an_erasure_that_was_asked_for_leaves_nothing_but_the_request(station: Station) -> None:
    """Its entry names the request; the other person stays."""
    desk, by = station.desk, station.officer
    access = station.verified(RequestKind.ACCESS)
    with pytest.raises(ConflictError, match="no verified request"):
        desk.erase(access.id, desk.held_under(access.id, ["collins"], by=by), by=by)
    request = station.verified(RequestKind.ERASURE)
    findings = desk.held_under(request.id, ["collins"], by=by)

    with station.service.recorder.following() as promised:
        [erased] = desk.erase(request.id, findings, by=by)

    said = Entry.parse(promised[-1].data).facts
    assert isinstance(said, facts.Erasure)
    assert (said.request, said.cause) == (request.id, "request")
    assert erased.needles is not None
    assert station.service.erasure.traces(erased.needles, folder=station.service.data) == ()
    assert not desk.held_under(request.id, ["collins"], by=by).is_enrolled
    assert desk.held_under(request.id, ["hopper"], by=by).is_enrolled


def test_a_correction_says_whose_a_face_is(station: Station, permit_for: Permits) -> None:
    """From nobody's to somebody's and back, each time on the record; what is so already is refused."""
    desk, by = station.desk, station.officer
    request = station.verified(RequestKind.CORRECTION)
    somebody = SubjectId("e-collins")
    station.service.subjects.create_subject(PEOPLE, somebody, token=None, permit=permit_for(Action.ENROL, PEOPLE))
    [held] = desk.held_under(request.id, ["collins"], by=by).faces
    face = held.face.face_id

    with station.service.recorder.following() as promised:
        desk.correct(request.id, PEOPLE, face, subject=somebody, by=by)
        corrected = desk.held_under(request.id, ["collins"], by=by).faces[0].face.subject
        desk.correct(request.id, PEOPLE, face, subject=None, by=by)

    assert corrected == somebody
    assert [type(Entry.parse(each.data).facts) for each in promised] == [facts.GalleryContent] * 2
    with pytest.raises(ConflictError, match="already"):
        desk.correct(request.id, PEOPLE, face, subject=None, by=by)


def test_what_makes_no_sense_is_refused(station: Station) -> None:
    """A request of nobody, from the future, without end, or unknown."""
    for given, words in (
        ({"asker": " ", "statement": ""}, "who asks"),
        ({"asker": "a", "statement": "x" * 10_001}, "limit"),
        ({"asker": "a", "statement": "", "received": NOW.date() + timedelta(days=1)}, "after today"),
    ):
        with pytest.raises(InputError, match=words):
            station.desk.open(RequestKind.COMPLAINT, **given, by=station.officer)
    with pytest.raises(NotFoundError):
        station.desk.file("unknown", by=station.officer)


def test_policy_and_desk_mean_the_same_documents() -> None:
    """The docket reads how requests stand where the desk writes them."""
    assert Kind.REQUEST.value == REQUEST_KIND
