"""What became of a lead is on record for good, counted once, and ends what is known of whose face it was."""

from collections.abc import Iterator

import pytest
from PIL import Image

from recognizance.agreement import check_agreement
from recognizance.errors import ConflictError, DeniedError, NotFoundError
from recognizance.faces import Calibration, FaceReader
from recognizance.governance.leads import EvidenceKind, LeadId, LeadState, OutcomeKind
from recognizance.governance.parties import Person, PersonId, Role
from recognizance.governance.review import Outcome
from recognizance.ledger import FolderSource, facts
from recognizance.reviewing.askers import Asker
from recognizance.reviewing.documents import ReviewKind, documents_of
from recognizance.reviewing.leads import acted_on_in
from recognizance.reviewing.upkeep import PICTURES_KEPT, destroy_due

from ..review_world import AGENCY, FIRST, NOW, SEARCHER, SECOND, SUPERVISOR, World, person_id, review_world

DONE = "he was asked where he had been that night"


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory, faces: tuple[FaceReader, Calibration], collins: Image.Image
) -> Iterator[World]:
    """A gallery of one person, of whom each test has a lead of its own."""
    with review_world(tmp_path_factory.mktemp("outcomes") / "data", faces) as made:
        made.enrol("collins", collins)
        yield made


@pytest.fixture
def lead(world: World, collins: Image.Image) -> LeadId:
    """A lead with attested evidence."""
    made = confirmed(world, collins)
    world.service.leads.attest(
        made, Asker(SUPERVISOR), kind=EvidenceKind.DOCUMENT, description="a ticket", document_sha256="ab" * 32
    )
    return made


def confirmed(world: World, picture: Image.Image) -> LeadId:
    review = world.opened(picture)
    for person in (FIRST, SECOND):
        world.answer(review, person, Outcome.SAME_PERSON)
    [made] = [each.lead.id for each in world.service.leads.list(Asker(SEARCHER)) if each.lead.review == review]
    return made


def conclude(world: World, lead: LeadId, kind: OutcomeKind, *, by: PersonId = SUPERVISOR) -> None:
    world.service.leads.conclude(lead, Asker(by), kind=kind, statement=DONE)


def events_of(world: World, lead: LeadId) -> list[str]:
    """What the public ledger says of a lead since its evidence was attested."""
    said = [each.event.value for each in world.entries() if isinstance(each, facts.Lead) and each.lead == lead]
    return [each for each in said if each not in {"confirmed", "evidence_attested"}]


def due_of(world: World, lead: LeadId) -> list[object]:
    """When whose face a lead is about goes from the record."""
    review = world.service.leads.show(lead, Asker(SUPERVISOR)).lead.review
    with world.service.records.reading() as reader:
        return [each.due for each in documents_of(reader, ReviewKind.IDENTITIES, label=("review", review))]


def counted(world: World) -> int:
    with world.service.records.reading() as reader:
        return acted_on_in(reader, AGENCY, NOW.year)


def test_an_arrest_is_counted_as_acting_on_the_lead_once(world: World, lead: LeadId) -> None:
    """The ledger has one entry for each; exported again, the lead stays what it is; records and ledger agree."""
    before = counted(world)
    conclude(world, lead, OutcomeKind.ACTED_ON)
    conclude(world, lead, OutcomeKind.ARREST)
    exported = world.service.leads.export(lead, Asker(SUPERVISOR))

    assert events_of(world, lead) == ["acted_on", "arrest", "exported"]
    assert exported.named.lead.state is LeadState.ARREST
    assert [(each.kind.value, each.statement) for each in exported.named.lead.outcomes] == [
        ("acted_on", DONE),
        ("arrest", DONE),
    ]
    assert counted(world) == before + 1
    recorder = world.service.recorder
    contradictions = check_agreement(world.service.records, FolderSource(recorder.public), (recorder.verifier,))
    assert [str(each) for each in contradictions if "lead" in str(each)] == []


def test_what_was_done_is_sealed(world: World, lead: LeadId) -> None:
    """The public files say that a lead was acted on, and no word of how."""
    conclude(world, lead, OutcomeKind.ACTED_ON)
    events = events_of(world, lead)
    public = b"".join(path.read_bytes() for path in world.service.recorder.public.rglob("*") if path.is_file())

    assert events == ["acted_on"]
    assert lead.encode() in public
    assert DONE.encode() not in public


@pytest.mark.parametrize("kind", [OutcomeKind.NOT_USED, OutcomeKind.FALSE])
def test_whose_face_it_was_goes_with_a_lead_that_nobody_follows(world: World, lead: LeadId, kind: OutcomeKind) -> None:
    """30 days later; until then a false one tells it to nobody any more."""
    conclude(world, lead, kind)
    named = world.service.leads.show(lead, Asker(SUPERVISOR))

    assert (named.face is None) == (kind is OutcomeKind.FALSE)
    assert due_of(world, lead) == [world.clock.now + PICTURES_KEPT]
    destroy_due(world.service.recorder, world.clock.now + PICTURES_KEPT)
    assert due_of(world, lead) == []
    assert world.service.leads.show(lead, Asker(SUPERVISOR)).face is None


def test_whose_face_it_is_stays_with_a_lead_that_was_acted_on(world: World, lead: LeadId) -> None:
    """A court asks for it."""
    conclude(world, lead, OutcomeKind.ACTED_ON)

    assert due_of(world, lead) == [None]
    assert world.service.leads.show(lead, Asker(SUPERVISOR)).face == world.enrolled["collins"]


def test_nothing_is_said_twice_or_taken_back(world: World, lead: LeadId) -> None:
    """A lead that was acted on can't become one that wasn't used; a refused step leaves nothing."""
    conclude(world, lead, OutcomeKind.ACTED_ON)
    for kind in (OutcomeKind.ACTED_ON, OutcomeKind.NOT_USED):
        with pytest.raises(ConflictError, match="is refused"):
            conclude(world, lead, kind)

    assert events_of(world, lead) == ["acted_on"]


def test_only_a_supervisor_of_the_agency_says_it(world: World, lead: LeadId) -> None:
    """Whoever searched is refused; to somebody else there is no such lead."""
    other = person_id("a supervisor elsewhere")
    world.add_person(Person(other, AGENCY, frozenset({Role.EXAMINER})))
    with pytest.raises(DeniedError):
        conclude(world, lead, OutcomeKind.FALSE, by=SEARCHER)
    with pytest.raises(NotFoundError):
        conclude(world, lead, OutcomeKind.FALSE, by=other)

    assert events_of(world, lead) == []
