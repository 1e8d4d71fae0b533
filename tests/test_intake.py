"""Requests that people make without an account: what they get, what they can do, and what nobody else learns."""

import contextlib
import os
from collections.abc import Iterator

import pytest

from recognizance.agreement import check_agreement
from recognizance.correspondence import REQUEST_CODE, REQUEST_PHOTOGRAPH
from recognizance.errors import ConflictError, DeniedError, ImageError, InputError, NotFoundError, ThrottledError
from recognizance.faces import Calibration, FaceReader
from recognizance.governance import Principal
from recognizance.governance.parties import Person, Role
from recognizance.governance.subjects import RequestEvent, RequestKind, RequestState
from recognizance.governing.registration import Actor
from recognizance.intake import MAX_PHOTOGRAPH_BYTES, Intake
from recognizance.ledger import FolderSource, facts
from recognizance.storage import new_id

from .review_world import AGENCY, World, person_id, review_world

OFFICER = person_id("desk officer")
BY = Actor(Principal(OFFICER, frozenset()))
PICTURE = b"\xff\xd8\xff\xe0 the first bytes of a JPEG"


@pytest.fixture(scope="module")
def world(faces: tuple[FaceReader, Calibration], tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with review_world(tmp_path_factory.mktemp("intake") / "data", faces) as world:
        world.add_person(Person(OFFICER, AGENCY, frozenset({Role.DESK_OFFICER})))
        yield world


@pytest.fixture
def intake(world: World) -> Intake:
    return Intake(
        world.service.records, world.service.recorder, clock=world.clock, new_id=new_id, random_bytes=os.urandom
    )


def documents(world: World, kind: str, request: str) -> int:
    with world.service.records.reading() as reader:
        return len(reader.documents_by_id(kind, [request]))


def test_anybody_may_ask_and_gets_a_reference_a_deadline_and_a_code(world: World, intake: Intake) -> None:
    """The request is the desk's from then on, and on the record without a word about who asked."""
    asked = intake.ask(RequestKind.ACCESS, asker="A. Person, a@example.org", statement="Am I in it?")

    assert asked.request.deadline > world.clock.now.date()
    assert intake.status(asked.request.id, asked.code) == asked.request
    assert world.service.desk.file(asked.request.id, by=BY).asker == "A. Person, a@example.org"
    said = [each for each in world.entries() if isinstance(each, facts.SubjectRequest)]
    assert [each.request for each in said].count(asked.request.id) == 1
    assert "example.org" not in repr(said)


def test_a_reference_without_its_code_tells_nothing(intake: Intake) -> None:
    """The same words for a wrong code, another request's code, and a reference that never was."""
    one, other = (intake.ask(RequestKind.ACCESS, asker="somebody", statement="") for _ in range(2))
    refusals = set()
    for reference, code in [(one.request.id, other.code), (one.request.id, ""), ("nothing", one.code), ("", "")]:
        with pytest.raises(NotFoundError) as refused:
            intake.status(reference, code)
        refusals.add(str(refused.value))
    assert len(refusals) == 1


@pytest.mark.parametrize("change", [str.lower, lambda code: code.replace("-", ""), lambda code: f" {code} "])
def test_a_code_may_be_typed_as_people_type(intake: Intake, change: object) -> None:
    asked = intake.ask(RequestKind.ACCESS, asker="somebody", statement="")
    assert callable(change)
    assert intake.status(asked.request.id, change(asked.code)) == asked.request


def test_a_code_is_kept_as_a_hash_alone(world: World, intake: Intake) -> None:
    """Whoever opens the records' sealed documents can't act for those who asked."""
    asked = intake.ask(RequestKind.ACCESS, asker="somebody", statement="")
    with world.service.records.reading() as reader:
        body = reader.document(REQUEST_CODE, asked.request.id).body
    assert asked.code.encode() not in body
    assert asked.code.replace("-", "").encode() not in body


def test_a_photograph_is_for_the_desk_alone_and_goes_with_the_answer(world: World, intake: Intake) -> None:
    """Nobody else may see it, and nothing of it is left once the request has been answered."""
    asked = intake.ask(RequestKind.ACCESS, asker="somebody", statement="", photograph=PICTURE)
    reference, desk = asked.request.id, world.service.desk
    assert desk.photograph(reference, by=BY) == PICTURE
    with pytest.raises(DeniedError):
        desk.photograph(reference, by=Actor(Principal(person_id("searcher"), frozenset())))
    desk.step(reference, RequestEvent.VERIFY, by=BY)
    desk.step(reference, RequestEvent.ANSWER, answer="You are not in it.", by=BY)
    assert documents(world, REQUEST_PHOTOGRAPH, reference) == 0
    assert desk.photograph(reference, by=BY) is None


def test_whoever_asked_may_take_it_back(world: World, intake: Intake) -> None:
    """Their photograph goes at once; a second time there is nothing to take back."""
    asked = intake.ask(RequestKind.ERASURE, asker="somebody", statement="", photograph=PICTURE)
    assert intake.withdraw(asked.request.id, asked.code).state is RequestState.WITHDRAWN
    assert documents(world, REQUEST_PHOTOGRAPH, asked.request.id) == 0
    with pytest.raises(ConflictError):
        intake.withdraw(asked.request.id, asked.code)


def test_whoever_was_answered_may_appeal(world: World, intake: Intake) -> None:
    """The deadline runs anew, and somebody else than before decides."""
    asked = intake.ask(RequestKind.ACCESS, asker="somebody", statement="")
    with pytest.raises(ConflictError):
        intake.appeal(asked.request.id, asked.code)
    world.service.desk.step(asked.request.id, RequestEvent.VERIFY, by=BY)
    world.service.desk.step(asked.request.id, RequestEvent.ANSWER, answer="No.", by=BY)
    assert intake.appeal(asked.request.id, asked.code).state is RequestState.APPEALED
    with pytest.raises(ConflictError):
        world.service.desk.step(asked.request.id, RequestEvent.UPHOLD, by=BY)


@pytest.mark.parametrize(
    ("asker", "statement", "photograph", "refusal"),
    [
        (" ", "", None, InputError),
        ("a" * 501, "", None, InputError),
        ("a", "b" * 10_001, None, InputError),
        ("a", "", b"<svg xmlns='http://www.w3.org/2000/svg'/>", ImageError),
        ("a", "", b"<!doctype html><script>alert(1)</script>", ImageError),
        ("a", "", b"\xff\xd8\xff" + bytes(MAX_PHOTOGRAPH_BYTES), InputError),
    ],
    ids=["nobody", "a long name", "a long story", "SVG", "HTML", "too large"],
)
def test_what_the_desk_could_do_nothing_with_is_refused(
    intake: Intake, asker: str, statement: str, photograph: bytes | None, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        intake.ask(RequestKind.ACCESS, asker=asker, statement=statement, photograph=photograph)


def test_a_flood_of_requests_does_not_fill_the_desk(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests that officers have looked at don't count."""
    monkeypatch.setattr("recognizance.intake.MOST_UNREAD", 1)
    with contextlib.suppress(ThrottledError):
        intake.ask(RequestKind.ACCESS, asker="somebody", statement="")
    with pytest.raises(ThrottledError):
        intake.ask(RequestKind.ACCESS, asker="somebody", statement="")


def test_what_intake_keeps_is_nothing_that_the_ledger_misses(world: World, intake: Intake) -> None:
    """Requests that came in this way agree with the ledger like any other."""
    intake.ask(RequestKind.ACCESS, asker="somebody", statement="", photograph=PICTURE)
    world.entries()
    recorder = world.service.recorder
    found = check_agreement(world.service.records, FolderSource(recorder.public), (recorder.verifier,))
    assert [each for each in found if "request" in each.row] == []
