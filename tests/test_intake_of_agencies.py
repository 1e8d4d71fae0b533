"""Each agency has a desk of its own: a request is on the one that it was addressed to, and for others there is none."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from recognizance import intake as intake_module
from recognizance.correspondence import REQUEST_PHOTOGRAPH
from recognizance.documents import GalleryDeclaration, Kind, Standing, inserted, replaced, stored
from recognizance.errors import DeniedError, InputError, NotFoundError, ThrottledError
from recognizance.faces import Calibration, FaceReader
from recognizance.forgetting.erasure import REQUEST_KIND
from recognizance.governance import Principal
from recognizance.governance.parties import Agency, AgencyId, AgencyKind, Person, PersonId, Role
from recognizance.governance.purposes import LawfulBasis, Source
from recognizance.governance.subjects import RequestEvent, RequestKind, RequestState
from recognizance.governing.registration import Actor
from recognizance.identifiers import FaceId, GalleryId
from recognizance.intake import Intake
from recognizance.ledger import facts
from recognizance.records import check_records
from recognizance.storage import new_id

from .review_world import AGENCY, World, person_id, review_world

HILL = AgencyId("hill-police")
PICTURE = b"\xff\xd8\xff\xe0 the first bytes of a JPEG"


def actor(person: PersonId) -> Actor:
    return Actor(Principal(person, frozenset()))


HARBOUR_DESK, HILL_DESK = actor(person_id("harbour officer")), actor(person_id("hill officer"))


@pytest.fixture(scope="module")
def world(faces: tuple[FaceReader, Calibration], tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two agencies that take part and one that doesn't any more; the first two have an officer each."""
    with review_world(tmp_path_factory.mktemp("desks") / "data", faces) as world:
        with world.service.records.transaction() as transaction:
            for name, state in ((HILL, Standing.ACTIVE), (AgencyId("gone-police"), Standing.SUSPENDED)):
                agency = Agency(name, AgencyKind.LAW_ENFORCEMENT, f"The {name}", "the chief", "chief@example.org")
                inserted(transaction, Kind.AGENCY, name, agency, state=state)
        for officer, of in ((HARBOUR_DESK, AGENCY), (HILL_DESK, HILL)):
            world.add_person(Person(PersonId(officer.principal.id), of, frozenset({Role.DESK_OFFICER})))
        yield world


@pytest.fixture
def intake(world: World) -> Intake:
    return Intake(
        world.service.records, world.service.recorder, clock=world.clock, new_id=new_id, random_bytes=os.urandom
    )


def asked(intake: Intake, agency: AgencyId | None = AGENCY) -> str:
    kind = RequestKind.CORRECTION
    return intake.ask(kind, asker="A. Person", statement="", photograph=PICTURE, agency=agency).request.id


def held(world: World, by: Actor) -> set[str]:
    return {file.request.id for file in world.service.desk.files(by=by)}


def test_a_request_is_on_the_desk_that_it_was_addressed_to(world: World, intake: Intake) -> None:
    """Officers of other agencies see it on no list."""
    one, other = asked(intake), asked(intake, HILL)
    assert one in held(world, HARBOUR_DESK)
    assert other in held(world, HILL_DESK)
    assert one not in held(world, HILL_DESK)
    assert other not in held(world, HARBOUR_DESK)


@pytest.mark.parametrize(
    "act",
    [
        lambda desk, request: desk.file(request, by=HILL_DESK),
        lambda desk, request: desk.photograph(request, by=HILL_DESK),
        lambda desk, request: desk.step(request, RequestEvent.VERIFY, by=HILL_DESK),
        lambda desk, request: desk.extend(request, "more time", by=HILL_DESK),
        lambda desk, request: desk.held_under(request, ["a name"], by=HILL_DESK),
        lambda desk, request: desk.correct(request, GalleryId("g"), FaceId("f"), subject=None, by=HILL_DESK),
    ],
)
def test_to_another_agencys_officer_it_is_not_there(
    world: World, intake: Intake, act: Callable[[object, str], object]
) -> None:
    """Every act of the desk is answered as for a request that never was, and changes nothing."""
    request, absent = asked(intake), new_id()
    before = len(world.entries())
    words = set()
    for each in (request, absent):
        with pytest.raises(NotFoundError) as refused:
            act(world.service.desk, each)
        words.add(str(refused.value).replace(each, "it"))
    assert len(words) == 1
    assert len(world.entries()) == before
    assert world.service.desk.file(request, by=HARBOUR_DESK).request.state is RequestState.RECEIVED


def test_nobody_is_searched_for_on_anothers_word(world: World, intake: Intake) -> None:
    """With another agency's request, though its asker has proven who they are, as with none: refused, on the record."""
    with world.service.records.transaction() as transaction:
        gallery = GalleryId("hill-gallery")
        transaction.create_gallery(gallery, model=world.service.reader.model, created=world.clock.now, tags={})
        declared = GalleryDeclaration(gallery, HILL, Source.ARREST_RECORD, LawfulBasis.STATUTE)
        inserted(transaction, Kind.GALLERY, gallery, declared)
    request = asked(intake)
    world.service.desk.step(request, RequestEvent.VERIFY, by=HARBOUR_DESK)
    before = sum(isinstance(each, facts.Refusal) for each in world.entries())
    words = set()
    for each in (request, new_id()):
        with pytest.raises(DeniedError) as refused:
            world.service.desk.faces_like(each, PICTURE, by=HILL_DESK)
        words.add(str(refused.value))
    assert len(words) == 1
    assert sum(isinstance(each, facts.Refusal) for each in world.entries()) == before + 2


def test_what_an_officer_takes_is_on_their_own_agencys_desk(world: World) -> None:
    request = world.service.desk.open(RequestKind.ACCESS, asker="by letter", statement="", by=HILL_DESK)
    assert request.id in held(world, HILL_DESK)
    assert request.id not in held(world, HARBOUR_DESK)


def test_whoever_does_not_know_who_holds_them_asks_all(world: World, intake: Intake) -> None:
    """One code, and a reference for each agency that takes part, which goes its own way on its own desk."""
    answer = intake.ask(RequestKind.ACCESS, asker="A. Person", statement="", photograph=PICTURE)
    assert [part.agency for part in answer.parts] == list(intake.agencies().values())
    assert set(intake.agencies()) == {AGENCY, HILL}
    harbour, hill = (
        next(part.request.id for part in answer.parts if part.request.id in held(world, desk))
        for desk in (HARBOUR_DESK, HILL_DESK)
    )
    said = [each.request for each in world.entries() if isinstance(each, facts.SubjectRequest)]
    assert {harbour, hill} <= set(said)

    desk = world.service.desk
    desk.step(harbour, RequestEvent.VERIFY, by=HARBOUR_DESK)
    desk.step(harbour, RequestEvent.ANSWER, answer="You are not in it.", by=HARBOUR_DESK)
    assert intake.status(harbour, answer.code).state is RequestState.ANSWERED
    assert intake.status(hill, answer.code).state is RequestState.RECEIVED
    assert desk.photograph(hill, by=HILL_DESK) == PICTURE
    intake.withdraw(hill, answer.code)
    assert hill not in held(world, HARBOUR_DESK)
    with world.service.records.reading() as reader:
        assert reader.documents_by_id(REQUEST_PHOTOGRAPH, [harbour, hill]) == {}


def test_a_step_of_the_asker_leaves_it_on_its_desk(world: World, intake: Intake) -> None:
    """Taken back by whoever made it, it is still another agency's business and nobody else's."""
    answer = intake.ask(RequestKind.ACCESS, asker="A. Person", statement="", agency=AGENCY)
    intake.withdraw(answer.request.id, answer.code)
    assert answer.request.id in held(world, HARBOUR_DESK)
    assert answer.request.id not in held(world, HILL_DESK)


@pytest.mark.parametrize("agency", ["gone-police", "nobody"])
def test_an_agency_that_takes_no_part_is_not_asked(intake: Intake, agency: str) -> None:
    with pytest.raises(InputError):
        asked(intake, AgencyId(agency))


def test_no_more_are_asked_at_once_than_can_be(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where more agencies take part one is named; and all parts count for what the desks can look at."""
    monkeypatch.setattr(intake_module, "MOST_ASKED", 1)
    with pytest.raises(InputError):
        asked(intake, None)
    asked(intake, HILL)
    monkeypatch.setattr(intake_module, "MOST_ASKED", 2)
    monkeypatch.setattr(intake_module, "MOST_UNREAD", 1)
    with pytest.raises(ThrottledError):
        asked(intake, None)


def test_a_request_of_nobodys_is_on_every_desk_until_one_takes_it(world: World, intake: Intake) -> None:
    """As earlier versions stored them: nobody's right to an answer is lost; the first step makes it a desk's own."""
    request = asked(intake)
    with world.service.records.transaction() as transaction:
        older = transaction.document(REQUEST_KIND, request)
        assert "agency" not in json.loads(older.body)
        transaction.replace_document(replace(older, labels={}))
    assert request in held(world, HARBOUR_DESK) & held(world, HILL_DESK)

    world.service.desk.step(request, RequestEvent.VERIFY, by=HILL_DESK)
    assert request in held(world, HILL_DESK)
    assert request not in held(world, HARBOUR_DESK)
    assert check_records(world.service.records) == ()


def test_where_nobody_takes_part_a_request_waits_for_whoever_does(world: World, intake: Intake) -> None:
    """It is taken and its deadline runs, as for every other."""
    records = world.service.records
    for standing in (Standing.SUSPENDED, Standing.ACTIVE):
        with records.transaction() as transaction:
            for name in (AGENCY, HILL):
                agency = stored(transaction, Kind.AGENCY, name, Agency)
                replaced(transaction, agency, agency.value, state=standing)
        if standing is Standing.SUSPENDED:
            answer = intake.ask(RequestKind.ACCESS, asker="A. Person", statement="")
    [part] = answer.parts
    assert part.agency is None
    assert part.request.id in held(world, HARBOUR_DESK) & held(world, HILL_DESK)
