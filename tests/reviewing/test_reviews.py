"""Two people decide apart from each other, and only then is there a lead with a name."""

import dataclasses
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from recognizance.cli.opening import permit_here
from recognizance.errors import ConflictError, DeniedError, InputError, NotFoundError, UnavailableError
from recognizance.faces import Calibration, FaceReader, QualityFilter, open_photograph
from recognizance.forgetting.erasure import Cause, Order
from recognizance.governance.leads import EditKind, EvidenceKind, LeadState
from recognizance.governance.oversight import Choice
from recognizance.governance.parties import Person, Role, Training
from recognizance.governance.review import LEAD_STAMP, Outcome, Progress, ReviewId
from recognizance.governance.uses import UseState
from recognizance.governing.registration import at_the_machine
from recognizance.governing.uses import Question
from recognizance.ledger import EntryId, facts
from recognizance.permits import Action
from recognizance.records import Needles, Transaction
from recognizance.reviewing.askers import Asker
from recognizance.reviewing.documents import ReviewKind, documents_of, review_of
from recognizance.reviewing.probe_edits import Edit
from recognizance.reviewing.upkeep import destroy_due, withdraw_use

from ..conftest import jpeg
from ..review_world import (
    COURSE,
    FIRST,
    GALLERY,
    OVERSEERS,
    SEARCHER,
    SECOND,
    SUPERVISOR,
    THIRD,
    USE,
    World,
    findings,
    review_world,
)

SHA256 = "ab" * 32


@pytest.fixture
def world(
    tmp_path: Path, faces: tuple[FaceReader, Calibration], collins: Image.Image, hopper: Image.Image
) -> Iterator[World]:
    """A gallery of two people."""
    with review_world(tmp_path / "data", faces) as made:
        made.enrol("collins", collins)
        made.enrol("hopper", hopper)
        yield made


@pytest.fixture
def review(world: World, collins: Image.Image) -> ReviewId:
    """The review of a search that found one of them."""
    return world.opened(collins)


def of_kind(world: World, kind: type[facts.Facts]) -> list[Any]:
    return [each for each in world.entries() if isinstance(each, kind)]


def settle(world: World, review: ReviewId, outcome: Outcome = Outcome.SAME_PERSON) -> None:
    world.answer(review, FIRST, outcome)
    world.answer(review, SECOND, outcome)


def attest(world: World, lead: Any) -> None:
    world.service.leads.attest(
        lead,
        Asker(SUPERVISOR),
        kind=EvidenceKind.DOCUMENT,
        description="a ticket in the person's own name",
        document_sha256=SHA256,
    )


def test_a_search_under_such_a_use_names_nobody(world: World, collins: Image.Image) -> None:
    """There are candidates, by ids that no gallery knows; the next search gives others."""
    first, again = (world.search(collins).found for _ in range(2))

    assert first is not None
    assert again is not None
    assert first.matches == ()
    assert first.review is not None
    assert again.review is not None
    assert len(first.review.faces) == 1
    assert not set(first.review.faces) & {*world.enrolled.values(), *again.review.faces}


def test_nobody_found_needs_no_review(world: World) -> None:
    """A null result is an answer of its own, and on record as one."""
    with_nobody = Image.new("RGB", (320, 240), "gray")

    assert world.search(with_nobody).found is None
    assert [each.outcome for each in of_kind(world, facts.Search)] == [facts.SearchOutcome.NO_FACE]
    assert of_kind(world, facts.ReviewOpened) == []


def test_subjects_are_not_searched_for_where_reviewers_decide(world: World, collins: Image.Image) -> None:
    """A subject is a name; nobody can compare it with a picture."""
    permit = world.permit()
    with pytest.raises(InputError, match="SearchFacesByImage"):
        world.service.search.subjects_by_photograph(
            GALLERY,
            open_photograph(jpeg(collins), permit),
            threshold_pct=99.0,
            limit=10,
            quality_filter=QualityFilter.NONE,
            permit=permit,
        )


def test_an_enrolled_face_can_be_the_probe(world: World, collins: Image.Image) -> None:
    """Its kept photograph is what reviewers compare; its own id is no candidate."""
    twin = world.enrol("collins again", collins.resize((400, 400)))
    permit = world.permit()

    found = world.service.search.faces_by_face(GALLERY, twin, threshold_pct=99.0, limit=10, permit=permit)

    assert found.review is not None
    assert len(found.review.faces) == 1
    assert world.shown(found.review.review, FIRST).probe_png.startswith(b"\x89PNG")


def test_two_who_agree_make_a_lead(world: World, review: ReviewId) -> None:
    """Whose face it is comes with the lead, and to nobody before."""
    world.answer(review, FIRST, Outcome.SAME_PERSON)
    assert world.service.reviewing.progress(review, Asker(SEARCHER)) is Progress.UNDER_REVIEW
    assert world.service.leads.list(Asker(SEARCHER)) == ()

    world.answer(review, SECOND, Outcome.SAME_PERSON)

    assert world.service.reviewing.progress(review, Asker(SEARCHER)) is Progress.LEAD
    [lead] = world.service.leads.list(Asker(SEARCHER))
    assert lead.face == world.enrolled["collins"]
    assert lead.external_image_id == "collins"
    assert lead.stamp == lead.lead.stamp == LEAD_STAMP
    assert set(lead.lead.reviewers) == {FIRST, SECOND}


def test_two_who_see_different_people_make_no_lead(world: World, review: ReviewId) -> None:
    settle(world, review, Outcome.DIFFERENT)

    assert world.service.reviewing.progress(review, Asker(SEARCHER)) is Progress.NO_LEAD
    assert world.service.leads.list(Asker(SUPERVISOR)) == ()


@pytest.mark.parametrize(
    ("third", "ends"), [(Outcome.SAME_PERSON, Progress.LEAD), (Outcome.DIFFERENT, Progress.NO_LEAD)]
)
def test_where_two_differ_a_third_decides(world: World, review: ReviewId, third: Outcome, ends: Progress) -> None:
    """Nobody can take the third seat before, and whoever searched can't tell that there is one."""
    world.answer(review, FIRST, Outcome.SAME_PERSON)
    world.service.reviewing.claim(review, Asker(SECOND))
    with pytest.raises(ConflictError, match="taken on by 2"):
        world.service.reviewing.claim(review, Asker(THIRD))
    shown = world.service.reviewing.show(review, Asker(SECOND))
    world.service.reviewing.answer(review, Asker(SECOND), findings(shown, Outcome.INCONCLUSIVE))
    assert world.service.reviewing.progress(review, Asker(SEARCHER)) is Progress.UNDER_REVIEW

    world.answer(review, THIRD, third)

    assert world.service.reviewing.progress(review, Asker(SEARCHER)) is ends
    assert all(lead.lead.confirmation.dissent for lead in world.service.leads.list(Asker(SEARCHER)))


def test_nobody_answers_twice(world: World, review: ReviewId) -> None:
    """The same answer again changes nothing, another one is refused, and nobody takes two seats."""
    world.answer(review, FIRST, Outcome.SAME_PERSON)
    shown = world.service.reviewing.show(review, Asker(FIRST))
    before = len(world.entries())

    world.service.reviewing.answer(review, Asker(FIRST), findings(shown, Outcome.SAME_PERSON))

    assert len(world.entries()) == before
    with pytest.raises(ConflictError, match="final"):
        world.service.reviewing.answer(review, Asker(FIRST), findings(shown, Outcome.DIFFERENT))
    with pytest.raises(ConflictError, match="already"):
        world.service.reviewing.claim(review, Asker(FIRST))


def test_whoever_searched_does_not_review(world: World, review: ReviewId) -> None:
    """Even an examiner with all training."""
    with pytest.raises(DeniedError, match="own search"):
        world.service.reviewing.claim(review, Asker(SEARCHER))
    assert world.service.reviewing.waiting_for(Asker(SEARCHER)) == ()
    assert world.service.reviewing.waiting_for(Asker(FIRST)) == (review,)


@pytest.mark.parametrize(
    "trainings", [(), (Training(COURSE, date(2025, 1, 1), date(2026, 11, 21)),)], ids=["untrained", "expired"]
)
def test_training_is_needed_at_every_step(world: World, review: ReviewId, trainings: tuple[Training, ...]) -> None:
    """Training that ends between taking a review on and answering it ends both."""
    shown = world.shown(review, FIRST)
    world.change_person(FIRST, trainings=trainings)
    world.change_person(SECOND, trainings=trainings)

    with pytest.raises(DeniedError, match="training"):
        world.service.reviewing.claim(review, Asker(SECOND))
    with pytest.raises(DeniedError, match="training"):
        world.service.reviewing.show(review, Asker(FIRST))
    with pytest.raises(DeniedError, match="training"):
        world.service.reviewing.answer(review, Asker(FIRST), findings(shown, Outcome.SAME_PERSON))


def test_who_has_not_taken_a_review_on_sees_nothing(world: World, review: ReviewId) -> None:
    with pytest.raises(DeniedError, match="has not taken"):
        world.service.reviewing.show(review, Asker(FIRST))


def test_a_review_given_back_is_free_for_somebody_else(world: World, review: ReviewId) -> None:
    world.service.reviewing.claim(review, Asker(FIRST))
    world.service.reviewing.claim(review, Asker(SECOND))

    world.service.reviewing.release(review, Asker(FIRST))

    world.service.reviewing.claim(review, Asker(THIRD))
    with pytest.raises(ConflictError, match="nothing to give back"):
        world.service.reviewing.release(review, Asker(FIRST))


@pytest.mark.parametrize("earlier", [None, *Outcome])
def test_a_view_says_nothing_of_the_other_of_scores_or_of_names(
    world: World, review: ReviewId, earlier: Outcome | None
) -> None:
    """Every byte that the second reviewer gets is the same whatever the first has answered, and names nobody."""
    unanswered = dataclasses.astuple(world.shown(review, SECOND))
    if earlier is not None:
        world.answer(review, FIRST, earlier)

    shown = world.service.reviewing.show(review, Asker(SECOND))

    assert dataclasses.astuple(shown) == unanswered
    with world.service.records.reading() as reader:
        [candidate] = review_of(reader, review).value.review.candidates
    said = (
        repr(dataclasses.astuple(shown)).encode() + shown.probe_png + b"".join(each.png or b"" for each in shown.faces)
    )
    for secret in (FIRST, SEARCHER, "collins", "hopper", *world.enrolled.values(), f"{candidate.similarity_pct:.3f}"):
        assert secret.encode() not in said


def test_the_ledger_tells_a_second_reviewer_nothing_of_the_first(world: World, review: ReviewId) -> None:
    """Until the review is over the public entries name neither its reviewers, nor it, nor what was answered."""
    said_before = {json.dumps(write_document_of(each)) for each in world.entries()}
    world.answer(review, FIRST, Outcome.SAME_PERSON)

    fresh = [each for each in world.entries() if json.dumps(write_document_of(each)) not in said_before]

    assert {type(each) for each in fresh} == {facts.ReviewStep}
    public = " ".join(json.dumps(write_document_of(each)) for each in fresh)
    assert review not in public
    assert FIRST not in public
    assert Outcome.SAME_PERSON.value not in public


def write_document_of(value: facts.Facts) -> dict[str, str]:
    return {each.name: str(getattr(value, each.name)) for each in dataclasses.fields(value)}  # type: ignore[arg-type] # every kind is a dataclass


def test_the_ledger_says_it_all_when_the_review_is_over(world: World, review: ReviewId) -> None:
    """Every answer with its round and outcome, and the lead; what was searched stands before it."""
    settle(world, review)

    answers = of_kind(world, facts.ReviewAnswer)
    assert [(each.reviewer, each.round, each.outcome.value) for each in answers] == [
        (FIRST, 1, "same_person"),
        (SECOND, 2, "same_person"),
    ]
    [lead] = of_kind(world, facts.Lead)
    assert (lead.review, lead.event) == (review, facts.LeadEvent.CONFIRMED)
    kinds = [type(each) for each in world.entries()]
    assert kinds.index(facts.Search) + 1 == kinds.index(facts.ReviewOpened)


def test_an_answer_covers_every_candidate(world: World, review: ReviewId) -> None:
    world.shown(review, FIRST)
    with pytest.raises(InputError, match="one finding for each"):
        world.service.reviewing.answer(review, Asker(FIRST), [])


def test_without_a_picture_nobody_says_same_or_different(world: World, review: ReviewId) -> None:
    """As after the face was erased: what can still be said is that it can't be said."""
    shown = world.shown(review, FIRST)
    [face] = shown.view.faces
    with world.service.records.transaction() as transaction:
        transaction.delete_document(ReviewKind.PICTURE, f"{review}.{face}")

    assert [each.png for each in world.service.reviewing.show(review, Asker(FIRST)).faces] == [None]
    with pytest.raises(InputError, match="no picture"):
        world.service.reviewing.answer(review, Asker(FIRST), findings(shown, Outcome.DIFFERENT))
    world.service.reviewing.answer(review, Asker(FIRST), findings(shown, Outcome.IMAGE_UNSUITABLE))


def test_a_lead_is_locked_until_independent_evidence_is_attested(world: World, review: ReviewId) -> None:
    """By a supervisor; whoever searched or reviewed can't unlock it."""
    settle(world, review)
    [named] = world.service.leads.list(Asker(SUPERVISOR))
    lead = named.lead.id
    with pytest.raises(ConflictError, match="locked"):
        world.service.leads.export(lead, Asker(SUPERVISOR))
    with pytest.raises(DeniedError):
        world.service.leads.attest(
            lead, Asker(SEARCHER), kind=EvidenceKind.DOCUMENT, description="mine", document_sha256=SHA256
        )

    attest(world, lead)
    exported = world.service.leads.export(lead, Asker(SUPERVISOR))

    assert exported.named.lead.state is LeadState.EXPORTED
    assert exported.named.stamp == LEAD_STAMP
    assert exported.probe_png is not None
    assert exported.candidate_png is not None
    assert [each.event.value for each in of_kind(world, facts.Lead)] == ["confirmed", "evidence_attested", "exported"]


def test_a_lead_is_shown_to_the_searcher_and_supervisors_alone(world: World, review: ReviewId) -> None:
    settle(world, review)
    [named] = world.service.leads.list(Asker(SEARCHER))

    assert world.service.leads.show(named.lead.id, Asker(SUPERVISOR)) == named
    for reviewer in (FIRST, THIRD):
        with pytest.raises(NotFoundError):
            world.service.leads.show(named.lead.id, Asker(reviewer))


def test_pictures_and_names_go_when_their_time_is_over(world: World, review: ReviewId) -> None:
    """Thirty days after a review that led nowhere; the review itself stays, about nobody."""
    settle(world, review, Outcome.DIFFERENT)
    assert destroy_due(world.service.recorder, world.clock.now + timedelta(days=29)) == 0

    assert destroy_due(world.service.recorder, world.clock.now + timedelta(days=30)) == 3

    with world.service.records.reading() as reader:
        assert list(documents_of(reader, ReviewKind.PICTURE)) == []
        assert list(documents_of(reader, ReviewKind.IDENTITIES)) == []
        assert len(review_of(reader, review).value.review.answers) == 2
    [erasure] = of_kind(world, facts.Erasure)
    assert (erasure.scope, erasure.images) == (facts.ErasureScope.RESULTS, 2)


def test_a_use_that_lapses_takes_its_reviews_and_leads_with_it(world: World, review: ReviewId) -> None:
    settle(world, review)
    with world.service.recorder.changing() as change:
        assert withdraw_use(change, USE, world.clock.now, done_by=SUPERVISOR) == 1

    [named] = world.service.leads.list(Asker(SEARCHER))
    assert (named.lead.state, named.face) == (LeadState.WITHDRAWN, None)
    assert world.service.reviewing.progress(review, Asker(SEARCHER)) is Progress.WITHDRAWN
    with world.service.records.reading() as reader:
        assert list(documents_of(reader, ReviewKind.PICTURE)) == []


def ended(world: World) -> tuple[LeadState, list[facts.LeadEvent]]:
    """What became of the only lead, in the records and in the public ledger."""
    [named] = world.service.leads.list(Asker(SEARCHER))
    return named.lead.state, [each.event for each in of_kind(world, facts.Lead)]


@pytest.mark.parametrize("cause", [Cause.EMERGENCY_LAPSED, Cause.RETENTION])
def test_erased_results_take_their_leads_with_them(world: World, review: ReviewId, cause: Cause) -> None:
    """The review is destroyed; the lead stays on record as one that ended, and names nobody."""
    settle(world, review)
    with world.service.records.reading() as reader:
        search = review_of(reader, review).value.search_entry
    permit = permit_here(world.service, Action.MANAGE_GALLERY, GALLERY)

    world.service.erasure.results(GALLERY, [EntryId(search)], order=Order(cause), permit=permit)

    assert ended(world) == (LeadState.WITHDRAWN, [facts.LeadEvent.CONFIRMED, facts.LeadEvent.CLOSED])
    with pytest.raises(NotFoundError):
        world.service.reviewing.progress(review, Asker(SEARCHER))
    [named] = world.service.leads.list(Asker(SEARCHER))
    with pytest.raises(ConflictError, match="withdrawn"):
        world.service.leads.export(named.lead.id, Asker(SUPERVISOR))


def test_an_erased_gallery_takes_its_reviews_and_leads_with_it(
    world: World, review: ReviewId, collins: Image.Image
) -> None:
    """One that was settled and one that waits: nothing that reviewers kept names a face of it, or shows one."""
    settle(world, review)
    waiting = world.opened(collins)
    face = world.enrolled["collins"]
    permit = permit_here(world.service, Action.MANAGE_GALLERY, GALLERY)

    erased = world.service.erasure.gallery(GALLERY, permit=permit)

    assert erased.proof is not None
    assert erased.proof.documents == 2
    assert world.service.erasure.traces(Needles(ids=[face]), folder=world.service.data) == ()
    assert ended(world) == (LeadState.WITHDRAWN, [facts.LeadEvent.CONFIRMED, facts.LeadEvent.CLOSED])
    for each in (review, waiting):
        assert world.service.reviewing.progress(each, Asker(SEARCHER)) is Progress.WITHDRAWN
    with world.service.records.reading() as reader:
        assert list(documents_of(reader, ReviewKind.PICTURE)) == []
        assert list(documents_of(reader, ReviewKind.IDENTITIES)) == []


def test_a_revoked_use_takes_its_reviews_and_leads_with_it(world: World, review: ReviewId) -> None:
    """By the vote that decides it, in the same transaction: suspended, nothing happens to them yet."""
    settle(world, review)
    for each in OVERSEERS:
        world.add_person(Person(each, None, frozenset({Role.OVERSEER})))
    uses, overseers = world.service.governing.uses, [at_the_machine(overseer) for overseer in OVERSEERS]
    uses.suspend(USE, "wrong people were asked", by=overseers[0])
    before = ended(world)
    for overseer in overseers[:3]:
        after = uses.vote(USE, Choice.APPROVE, "they were", question=Question.REVOKE, by=overseer)

    assert before == (LeadState.LOCKED, [facts.LeadEvent.CONFIRMED])
    assert after.state is UseState.REVOKED
    assert ended(world) == (LeadState.WITHDRAWN, [facts.LeadEvent.CONFIRMED, facts.LeadEvent.CLOSED])
    assert of_kind(world, facts.Lead)[-1].done_by == OVERSEERS[2]
    assert world.service.reviewing.progress(review, Asker(SEARCHER)) is Progress.WITHDRAWN


def test_a_probe_edited_here_leads_back_to_the_picture_that_came_in(world: World, collins: Image.Image) -> None:
    """Two edits are two entries and two pairs of versions; the review knows both."""
    permit = world.permit()
    came_in = jpeg(collins)
    first = world.service.probes.edit(
        open_photograph(came_in, permit), Edit(EditKind.CROP, "20,0,460,480"), permit=permit
    )
    second = world.service.probes.edit(
        open_photograph(first.png, permit), Edit(EditKind.BRIGHTNESS, "+20"), permit=permit
    )

    found = world.search_file(second.png).found

    assert found is not None
    assert found.review is not None
    with world.service.records.reading() as reader:
        file = review_of(reader, found.review.review).value
        [document, _] = documents_of(reader, ReviewKind.EDIT)
    assert file.edits == (first.edit, second.edit)
    assert [each.operation for each in of_kind(world, facts.ProbeEdit)] == ["crop", "brightness"]
    assert came_in in [*world.service.probes.versions(document.id), *_other_versions(world, document.id)]


def _other_versions(world: World, seen: str) -> list[bytes]:
    with world.service.records.reading() as reader:
        others = [each.id for each in documents_of(reader, ReviewKind.EDIT) if each.id != seen]
    return [data for each in others for data in world.service.probes.versions(each)]


def test_an_edit_is_of_one_case(world: World, collins: Image.Image) -> None:
    """The same picture searched for in another case has no history here."""
    permit = world.permit()
    edited = world.service.probes.edit(
        open_photograph(jpeg(collins), permit), Edit(EditKind.BRIGHTNESS, "+20"), permit=permit
    )

    found = world.search_file(edited.png, case="24-00999").found

    assert found is not None
    assert found.review is not None
    with world.service.records.reading() as reader:
        assert review_of(reader, found.review.review).value.edits == ()


WRITES = [("replace_document", 3), ("insert_document", 1), ("commit_entry", 3)]
"""The storage calls of an answer that settles a review, and how often each is made."""


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("name", "number"), [(name, number) for name, count in WRITES for number in range(count)])
def test_an_answer_is_given_wholly_or_not_at_all(
    world: World, review: ReviewId, monkeypatch: pytest.MonkeyPatch, name: str, number: int, is_after: bool
) -> None:
    """Whichever storage call fails, before or after it took effect, the second try leaves one answer and one lead."""
    world.answer(review, FIRST, Outcome.SAME_PERSON)
    given = findings(world.shown(review, SECOND), Outcome.SAME_PERSON)
    calls, whole = iter(range(1000)), getattr(Transaction, name)

    def failing(transaction: Transaction, *arguments: Any, **named: Any) -> Any:
        is_this = next(calls) == number
        if is_this and not is_after:
            raise UnavailableError("the disk failed")
        result = whole(transaction, *arguments, **named)
        if is_this:
            raise UnavailableError("the disk failed")
        return result

    with monkeypatch.context() as patched:
        patched.setattr(Transaction, name, failing)
        with pytest.raises(UnavailableError):
            world.service.reviewing.answer(review, Asker(SECOND), given)
    assert world.service.leads.list(Asker(SEARCHER)) == ()
    with world.service.records.reading() as reader:
        assert len(review_of(reader, review).value.review.answers) == 1

    world.service.reviewing.answer(review, Asker(SECOND), given)

    assert len(world.service.leads.list(Asker(SEARCHER))) == 1
    assert [each.round for each in of_kind(world, facts.ReviewAnswer)] == [1, 2]
    assert len(of_kind(world, facts.ReviewStep)) == 4
