"""The desk: every step of a request, deadlines that don't stop, and marks that last."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest

from recognizance.errors import ConflictError, InputError
from recognizance.governance.oversight import Sha256Hex
from recognizance.governance.parties import PersonId
from recognizance.governance.subjects import (
    OPEN_STATES,
    REQUEST_TABLE,
    CaseId,
    DeskTerms,
    EnrolledIdentity,
    MarkScope,
    NotThisPerson,
    Refusal,
    RequestEvent,
    RequestId,
    RequestKind,
    RequestState,
    SubjectRequest,
    advance,
    extend,
    marked_faces,
    overdue,
)
from recognizance.identifiers import FaceId, GalleryId, PrincipalId, SubjectId

OFFICER, OTHER = PersonId(PrincipalId("officer-1")), PersonId(PrincipalId("officer-2"))
RECEIVED = date(2026, 1, 31)
EXPECTED = {
    "received": "ask_for_proof:awaiting_proof verify:verified refuse:refused withdraw:withdrawn",
    "awaiting_proof": "verify:verified refuse:refused withdraw:withdrawn",
    "verified": "answer:answered refuse:refused withdraw:withdrawn",
    "answered": "appeal:appealed",
    "refused": "appeal:appealed",
    "appealed": "overturn:verified uphold:closed withdraw:withdrawn",
    "closed": "",
    "withdrawn": "",
}


def request(**changes: object) -> SubjectRequest:
    plain = SubjectRequest(RequestId("r-1"), RequestKind.ACCESS, RECEIVED, DeskTerms())
    return replace(plain, **changes)  # type: ignore[arg-type] # each test names fields of SubjectRequest


def step(asked: SubjectRequest, event: RequestEvent, officer: PersonId | None = OFFICER) -> SubjectRequest:
    refusal = Refusal.NOT_PROVEN_WHO_ASKS if event is RequestEvent.REFUSE else None
    return advance(asked, event, today=RECEIVED + timedelta(days=20), officer=officer, refusal=refusal)


@pytest.mark.parametrize(("state", "event"), list(product(RequestState, RequestEvent)))
def test_each_cell_of_the_table_is_as_written(state: RequestState, event: RequestEvent) -> None:
    """Every state and event either leads where the hand-written table says, or is refused."""
    steps = dict(each.split(":") for each in EXPECTED[state.value].split())
    refusal = Refusal.RIGHTS_OF_OTHERS if state is RequestState.REFUSED else None
    asked = request(state=state, refusal=refusal)

    assert ((state, event) in REQUEST_TABLE) == (event.value in steps)
    if event.value in steps:
        assert step(asked, event).state.value == steps[event.value]
    else:
        with pytest.raises(ConflictError, match="is refused"):
            step(asked, event)


def test_the_deadline_runs_from_receipt_and_never_stops() -> None:
    """Asking for proof doesn't buy the desk time."""
    waiting = step(request(), RequestEvent.ASK_FOR_PROOF)

    assert waiting.deadline == request().deadline == date(2026, 2, 28)
    assert not waiting.is_overdue_on(date(2026, 2, 28))
    assert waiting.is_overdue_on(date(2026, 3, 1))


def test_a_request_is_extended_once_in_time_and_with_a_reason() -> None:
    """Two more months, told to the asker before the first month is over."""
    longer = extend(request(), "two archives to search", RECEIVED)

    assert longer.deadline == RECEIVED + timedelta(days=28 + 56)
    with pytest.raises(ConflictError):
        extend(longer, "again", RECEIVED)
    with pytest.raises(ConflictError):
        extend(request(), "late", date(2026, 3, 1))
    with pytest.raises(ConflictError):
        extend(request(state=RequestState.ANSWERED), "done", RECEIVED)
    with pytest.raises(InputError, match="needs a reason"):
        extend(request(), " ", RECEIVED)


@pytest.mark.parametrize("state", RequestState)
def test_only_open_requests_can_be_late(state: RequestState) -> None:
    """An answered request is never late, an open one always is in the end."""
    asked = request(state=state, refusal=Refusal.RIGHTS_OF_OTHERS)

    assert (overdue([asked], date(2030, 1, 1)) == (asked,)) == (state in OPEN_STATES)


def test_an_appeal_starts_the_clock_again_and_goes_to_somebody_else() -> None:
    """Whoever refused doesn't decide about the refusal."""
    refused = step(request(), RequestEvent.REFUSE)
    appealed = step(refused, RequestEvent.APPEAL, officer=None)

    assert appealed.deadline == RECEIVED + timedelta(days=20 + 28)
    with pytest.raises(ConflictError, match="somebody else"):
        step(appealed, RequestEvent.UPHOLD, officer=OFFICER)
    assert step(appealed, RequestEvent.OVERTURN, officer=OTHER).state is RequestState.VERIFIED


def test_every_step_of_the_desk_has_its_officer() -> None:
    """What the desk does is somebody's; what the asker does needs nobody."""
    with pytest.raises(InputError, match="needs the officer"):
        step(request(), RequestEvent.VERIFY, officer=None)
    assert step(request(), RequestEvent.WITHDRAW, officer=None).state is RequestState.WITHDRAWN


def test_a_refusal_has_a_reason_and_nothing_else_has() -> None:
    """Refusing without one, or verifying with one, is a mistake."""
    with pytest.raises(InputError, match="reason to refuse"):
        advance(request(), RequestEvent.REFUSE, today=RECEIVED, officer=OFFICER)
    with pytest.raises(InputError, match="reason to refuse"):
        advance(request(), RequestEvent.VERIFY, today=RECEIVED, officer=OFFICER, refusal=Refusal.RIGHTS_OF_OTHERS)


GALLERY = GalleryId("arrests")
PROBE, OTHER_PROBE = Sha256Hex("aa" * 32), Sha256Hex("bb" * 32)
PICTURE, NEW_PICTURE = Sha256Hex("cc" * 32), Sha256Hex("dd" * 32)
ALEX = EnrolledIdentity(SubjectId("alex"), PICTURE)


def mark(scope: MarkScope = MarkScope.CASE, identity: EnrolledIdentity = ALEX) -> NotThisPerson:
    return NotThisPerson(
        scope=scope,
        gallery=GALLERY,
        identity=identity,
        marked_by=OFFICER,
        reasons="was in hospital that day",
        marked_at=datetime(2026, 6, 1, tzinfo=UTC),
        probe_sha256=PROBE if scope is MarkScope.PROBE else None,
        case=CaseId("case-7") if scope is MarkScope.CASE else None,
    )


def left_out(
    identity: EnrolledIdentity, made: NotThisPerson, probe: Sha256Hex = PROBE, case: str | None = "case-7"
) -> bool:
    face = FaceId("a-new-face-id")
    about = None if case is None else CaseId(case)
    return face in marked_faces({face: identity}, [made], gallery=GALLERY, probe_sha256=probe, case=about)


def test_a_mark_survives_enrolling_again() -> None:
    """A new face id, a new picture or a new name for the same picture: the mark still holds."""
    assert left_out(ALEX, mark())
    assert left_out(EnrolledIdentity(SubjectId("alex"), NEW_PICTURE), mark())
    assert left_out(EnrolledIdentity(SubjectId("alexander"), PICTURE), mark())
    assert left_out(EnrolledIdentity(None, PICTURE), mark())
    assert not left_out(EnrolledIdentity(SubjectId("sam"), NEW_PICTURE), mark())
    assert not left_out(EnrolledIdentity(None, NEW_PICTURE), mark(identity=EnrolledIdentity(None, PICTURE)))


def test_a_mark_on_a_case_holds_for_every_probe_of_it_and_no_other_case() -> None:
    """Another picture in the case is covered; another case, or none, isn't."""
    assert left_out(ALEX, mark(), probe=OTHER_PROBE)
    assert not left_out(ALEX, mark(), case="case-8")
    assert not left_out(ALEX, mark(), case=None)


def test_a_mark_on_a_probe_holds_for_that_picture_in_any_case() -> None:
    """The finding is about the picture."""
    assert left_out(ALEX, mark(MarkScope.PROBE), case="case-8")
    assert not left_out(ALEX, mark(MarkScope.PROBE), probe=OTHER_PROBE)


def test_a_mark_holds_in_its_gallery_only() -> None:
    """The same name in another gallery is another person."""
    found = marked_faces(
        {FaceId("f"): ALEX}, [mark()], gallery=GalleryId("x"), probe_sha256=PROBE, case=CaseId("case-7")
    )

    assert found == frozenset()


@pytest.mark.parametrize(
    "changes", [{"case": None}, {"probe_sha256": PROBE}, {"scope": MarkScope.PROBE}, {"reasons": ""}]
)
def test_a_mark_names_what_it_is_about_and_why(changes: dict[str, object]) -> None:
    """Exactly one of probe and case, and reasons."""
    with pytest.raises(InputError):
        replace(mark(), **changes)  # type: ignore[arg-type] # each row names fields of NotThisPerson
