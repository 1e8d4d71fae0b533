"""The desk: answers in time, on the record, about the asker and nobody else."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta

import pytest
from PIL import Image

from recognizance.app import Service
from recognizance.desk import Desk
from recognizance.errors import ConflictError, InputError, NotFoundError
from recognizance.faces import QualityFilter, open_photograph
from recognizance.governance.subjects import Refusal, RequestEvent, RequestKind, RequestState, SubjectRequest
from recognizance.identifiers import GalleryId, PrincipalId, SubjectId
from recognizance.ledger import Entry, facts
from recognizance.permits import Action, Permit
from tests.conftest import NOW, jpeg

OFFICER, OTHER_OFFICER = PrincipalId("officer"), PrincipalId("another officer")
PEOPLE = GalleryId("people")
Permits = Callable[..., Permit]


@pytest.fixture
def desk(service: Service, permit_for: Permits, collins: Image.Image, hopper: Image.Image) -> Desk:
    """The desk of a service that holds two people."""
    service.galleries.create(PEOPLE, tags={}, permit=permit_for(Action.MANAGE_GALLERY, PEOPLE))
    permit = permit_for(Action.ENROL, PEOPLE)
    for name, picture in (("collins", collins), ("hopper", hopper)):
        service.enrolment.enrol(
            PEOPLE,
            open_photograph(jpeg(picture), permit),
            external_image_id=name,
            max_faces=1,
            quality_filter=QualityFilter.NONE,
            permit=permit,
        )
    return service.desk


def verified(desk: Desk, kind: RequestKind) -> SubjectRequest:
    request = desk.open(kind, asker="E. Collins, by post", statement="What do you have of me?")
    return desk.step(request.id, RequestEvent.VERIFY, officer=OFFICER)


def test_a_request_is_on_the_record_without_the_asker(desk: Desk, service: Service) -> None:
    """Kind, deadline and event are public; name and answer are committed to."""
    with service.recorder.following() as promised:
        request = verified(desk, RequestKind.ACCESS)
        desk.step(request.id, RequestEvent.ANSWER, officer=OFFICER, answer="Nothing is held.")

    said = [Entry.parse(each.data).facts for each in promised]
    assert [each.event for each in said if isinstance(each, facts.SubjectRequest)] == [
        facts.RequestEvent.RECEIVED,
        facts.RequestEvent.ANSWERED,
    ]
    assert not any(b"Collins" in each.data or b"Nothing is held" in each.data for each in promised)
    assert desk.file(request.id).answer == "Nothing is held."
    assert desk.file(request.id).request.state is RequestState.ANSWERED


def test_the_deadline_runs_from_the_day_of_receipt_and_is_extended_once(desk: Desk) -> None:
    """28 days, and 56 more with a reason; on the day after, the request is late."""
    today = NOW.date()
    late = desk.open(RequestKind.ACCESS, asker="a", statement="", received=today - timedelta(days=29))
    due = desk.open(RequestKind.ACCESS, asker="b", statement="", received=today - timedelta(days=28))

    assert [request.id for request in desk.overdue()] == [late.id]
    assert desk.extend(due.id, "many galleries").deadline == today + timedelta(days=56)
    with pytest.raises(ConflictError):
        desk.extend(due.id, "again")
    with pytest.raises(ConflictError):
        desk.extend(late.id, "too late")
    assert [file.request.id for file in desk.files()] == [late.id, due.id]


def test_an_appeal_is_decided_by_somebody_else(desk: Desk) -> None:
    """Whoever refused doesn't decide about the refusal."""
    request = verified(desk, RequestKind.ERASURE)
    desk.step(request.id, RequestEvent.REFUSE, officer=OFFICER, refusal=Refusal.ORDER_TO_PRESERVE)
    desk.step(request.id, RequestEvent.APPEAL)

    with pytest.raises(ConflictError, match="somebody else"):
        desk.step(request.id, RequestEvent.OVERTURN, officer=OFFICER)
    overturned = desk.step(request.id, RequestEvent.OVERTURN, officer=OTHER_OFFICER)
    assert overturned.state is RequestState.VERIFIED


def test_a_photograph_finds_what_is_held_by_a_recorded_search(
    desk: Desk, service: Service, permit_for: Permits, collins: Image.Image
) -> None:
    """And a later question finds that the face was a candidate of that search."""
    photograph = open_photograph(jpeg(collins, quality=70), permit_for(Action.SEARCH, PEOPLE))

    with service.recorder.following() as promised:
        findings = desk.held_like(photograph, permit_for, threshold_pct=80)
    again = desk.held_under(["collins"], permit_for)

    [search] = [Entry.parse(each.data) for each in promised]
    assert isinstance(search.facts, facts.Search)
    assert [each.face.external_image_id for each in findings.faces] == ["collins"]
    assert findings.is_enrolled
    assert again.was_a_candidate
    assert again.faces[0].candidate_in == (search.id,)
    assert not desk.held_under(["nobody"], permit_for).is_enrolled


def test_an_export_holds_what_is_held_and_no_template(desk: Desk, permit_for: Permits) -> None:
    """Only for somebody who has proven who they are."""
    findings = desk.held_under(["collins"], permit_for)
    unproven = desk.open(RequestKind.ACCESS, asker="a", statement="")
    request = verified(desk, RequestKind.ACCESS)

    with zipfile.ZipFile(io.BytesIO(desk.export(request.id, findings))) as bundle:
        [described] = json.loads(bundle.read("held.json"))["faces"]
        assert bundle.namelist() == ["held.json"]

    assert (described["gallery"], described["photograph_name"]) == ("people", "collins")
    assert "template" not in described
    with pytest.raises(ConflictError, match="verify"):
        desk.export(unproven.id, findings)


def test_an_erasure_that_was_asked_for_leaves_nothing_but_the_request(
    desk: Desk, service: Service, permit_for: Permits
) -> None:
    """Its entry names the request; the other person stays."""
    findings = desk.held_under(["collins"], permit_for)
    with pytest.raises(ConflictError, match="no verified request"):
        desk.erase(verified(desk, RequestKind.ACCESS).id, findings, permit_for=permit_for)
    request = verified(desk, RequestKind.ERASURE)

    with service.recorder.following() as promised:
        [erased] = desk.erase(request.id, findings, permit_for=permit_for)

    said = Entry.parse(promised[-1].data).facts
    assert isinstance(said, facts.Erasure)
    assert (said.request, said.cause) == (request.id, "request")
    assert erased.needles is not None
    assert service.erasure.traces(erased.needles, folder=service.data) == ()
    assert not desk.held_under(["collins"], permit_for).is_enrolled
    assert desk.held_under(["hopper"], permit_for).is_enrolled


def test_a_correction_says_whose_a_face_is(desk: Desk, service: Service, permit_for: Permits) -> None:
    """From nobody's to somebody's and back, each time on the record; what is so already is refused."""
    request = verified(desk, RequestKind.CORRECTION)
    permit = permit_for(Action.ENROL, PEOPLE)
    somebody = SubjectId("e-collins")
    service.enrolment.create_subject(PEOPLE, somebody, token=None, permit=permit)
    [held] = desk.held_under(["collins"], permit_for).faces
    face = held.face.face_id

    with service.recorder.following() as promised:
        desk.correct(request.id, PEOPLE, face, subject=somebody, permit=permit)
    with pytest.raises(ConflictError, match="already"):
        desk.correct(request.id, PEOPLE, face, subject=somebody, permit=permit)
    [found] = desk.held_under(["e-collins"], permit_for).faces
    desk.correct(request.id, PEOPLE, face, subject=None, permit=permit)

    said = Entry.parse(promised[0].data).facts
    assert isinstance(said, facts.GalleryContent)
    assert said.change is facts.ContentChange.CORRECTED
    assert found.face.face_id == face
    assert desk.held_under(["e-collins"], permit_for).faces == ()


def test_what_is_no_request_is_refused(desk: Desk) -> None:
    """Nobody's, from tomorrow, of a book's length, or unknown."""
    for given, words in (
        ({"asker": " ", "statement": ""}, "who asks"),
        ({"asker": "a", "statement": "x" * 10_001}, "limit"),
        ({"asker": "a", "statement": "", "received": NOW.date() + timedelta(days=1)}, "after today"),
    ):
        with pytest.raises(InputError, match=words):
            desk.open(RequestKind.COMPLAINT, **given)
    with pytest.raises(NotFoundError):
        desk.file("unknown")
