"""Two people, independently: what makes a lead, and what nobody can see before it is one."""

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizance.errors import ConflictError, DeniedError, InputError
from recognizance.governance import review as reviews
from recognizance.governance.oversight import Sha256Hex
from recognizance.governance.parties import AgencyId, CourseId, Person, PersonId, Role, Training
from recognizance.governance.review import (
    REVIEW_TABLE,
    Answer,
    Candidate,
    Finding,
    Observation,
    Outcome,
    Progress,
    Review,
    ReviewEvent,
    ReviewId,
    ReviewState,
    blind_order,
    claim,
    confirmed,
    may_review,
    progress,
    release,
    view_for,
)
from recognizance.identifiers import FaceId, PrincipalId, SubjectId

AGENCY = AgencyId("harbour-police")
COURSE = CourseId("face-examination")
DAY = date(2026, 6, 1)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
FACES = tuple(FaceId(f"00000000-0000-4000-8000-00000000000{digit}") for digit in range(4))
SAME, DIFFERENT, UNSURE, BAD = Outcome.SAME_PERSON, Outcome.DIFFERENT, Outcome.INCONCLUSIVE, Outcome.IMAGE_UNSUITABLE

# Written by hand from docs/governance.md.
EXPECTED = {
    "waiting": "answer:half withdraw:withdrawn",
    "half": "answer_alike:settled answer_differently:disputed withdraw:withdrawn",
    "disputed": "answer:settled withdraw:withdrawn",
    "settled": "withdraw:withdrawn",
    "withdrawn": "",
}


def examiner(name: str, *, roles: frozenset[Role] = frozenset({Role.EXAMINER}), agency: AgencyId = AGENCY) -> Person:
    training = Training(COURSE, date(2026, 1, 1), date(2026, 12, 31))
    return Person(PersonId(PrincipalId(name)), agency, roles, (training,))


FIRST, SECOND, THIRD, FOURTH = (examiner(name) for name in ("ada", "ben", "cleo", "dora"))


def a_review(*, scores: tuple[float, ...] = (99.5, 99.2, 99.1, 99.0)) -> Review:
    candidates = tuple(
        Candidate(face, SubjectId(f"subject-{index}"), score, rank=index + 1)
        for index, (face, score) in enumerate(zip(FACES, scores, strict=True))
    )
    return Review(
        id=ReviewId("review-1"),
        agency=AGENCY,
        searcher=PersonId(PrincipalId("operator-1")),
        course=COURSE,
        probe_sha256=Sha256Hex("9b" * 32),
        candidates=candidates,
        seed=bytes(range(32)),
    )


def findings(*outcomes: Outcome) -> tuple[Finding, ...]:
    both = frozenset({Observation.EARS, Observation.BLUR})
    return tuple(Finding(face, outcome, both) for face, outcome in zip(FACES, outcomes, strict=True))


def answered(review: Review, person: Person, *outcomes: Outcome) -> Review:
    if person.id not in review.claims:
        review = claim(review, person, DAY)
    return reviews.answer(review, person, Answer(person.id, findings(*outcomes), NOON))


NONE_SAME = (DIFFERENT, DIFFERENT, UNSURE, BAD)
FIRST_SAME = (SAME, DIFFERENT, DIFFERENT, DIFFERENT)


@pytest.mark.parametrize(("state", "event"), list(product(ReviewState, ReviewEvent)))
def test_each_cell_of_the_table_is_as_written(state: ReviewState, event: ReviewEvent) -> None:
    """Every state and event either leads where the hand-written table says, or nowhere."""
    steps = dict(step.split(":") for step in EXPECTED[state.value].split())

    following = REVIEW_TABLE.get((state, event))

    assert (following and following.value) == steps.get(event.value)


def test_two_who_agree_make_a_lead() -> None:
    """Two examiners say same person about one candidate, and both names stay with it."""
    settled = answered(answered(a_review(), FIRST, *FIRST_SAME), SECOND, *FIRST_SAME)

    (lead,) = confirmed(settled)

    assert settled.state is ReviewState.SETTLED
    assert (lead.face, lead.subject, lead.dissent) == (FACES[0], "subject-0", False)
    assert lead.confirmed_by == (FIRST.id, SECOND.id)
    assert progress(settled) is Progress.LEAD


def test_one_answer_is_no_lead_and_looks_like_none() -> None:
    """Until the second has answered, whoever searched learns nothing."""
    half = answered(a_review(), FIRST, *FIRST_SAME)

    assert confirmed(half) == ()
    assert progress(half) is progress(a_review()) is Progress.UNDER_REVIEW


def test_two_who_differ_need_a_third() -> None:
    """A dispute shows as a review that is under way; the third's word decides, and the dissent stays."""
    disputed = answered(answered(a_review(), FIRST, *FIRST_SAME), SECOND, *NONE_SAME)
    assert (disputed.state, progress(disputed)) == (ReviewState.DISPUTED, Progress.UNDER_REVIEW)

    settled = answered(disputed, THIRD, *FIRST_SAME)

    (lead,) = confirmed(settled)
    assert (lead.confirmed_by, lead.dissent) == ((FIRST.id, THIRD.id), True)


def test_two_different_suspicions_are_no_lead() -> None:
    """Each of three pointing at somebody else confirms nobody."""
    disputed = answered(answered(a_review(), FIRST, *FIRST_SAME), SECOND, DIFFERENT, SAME, DIFFERENT, DIFFERENT)

    settled = answered(disputed, THIRD, DIFFERENT, DIFFERENT, SAME, DIFFERENT)

    assert confirmed(settled) == ()
    assert progress(settled) is Progress.NO_LEAD


@given(data=st.data())
def test_a_lead_always_has_two_independent_people(data: st.DataObject) -> None:
    """Whatever is answered, a lead was called the same person by two different people, neither the searcher."""
    outcomes = st.one_of(
        st.lists(st.sampled_from([DIFFERENT, UNSURE, BAD]), min_size=4, max_size=4),
        st.permutations(FIRST_SAME),
    )
    review = a_review()
    for person in (FIRST, SECOND, THIRD):
        if review.state is not ReviewState.SETTLED:
            review = answered(review, person, *data.draw(outcomes))

    for lead in confirmed(review):
        said_same = {each.reviewer for each in review.answers if each.outcome_of(lead.face) is SAME}
        assert len(said_same) >= 2
        assert review.searcher not in said_same
    assert len(confirmed(review)) <= 1


@given(
    scores=st.lists(st.floats(0, 100), min_size=4, max_size=4),
    first=st.permutations(FIRST_SAME),
    order=st.permutations(range(4)),
)
def test_a_view_leaks_neither_score_nor_rank_nor_the_other_answer(
    scores: list[float], first: list[Outcome], order: list[int]
) -> None:
    """The second's view is the same value whatever the scores, the ranks, and the first's answer, if any."""
    untouched = claim(a_review(), SECOND, DAY)
    other = a_review(scores=(scores[0], scores[1], scores[2], scores[3]))
    shuffled = replace(other, candidates=tuple(other.candidates[index] for index in order))
    after_first = claim(answered(shuffled, FIRST, *first), SECOND, DAY)

    assert view_for(after_first, SECOND, DAY) == view_for(untouched, SECOND, DAY)
    assert repr(view_for(after_first, SECOND, DAY)) == repr(view_for(untouched, SECOND, DAY))


def test_a_view_has_no_field_for_what_must_not_be_seen() -> None:
    """A reviewer's view is the review, the probe and faces; there is no place for anything else."""
    assert set(reviews.ReviewerView.__slots__) == {"review", "probe_sha256", "faces"}


def test_each_reviewer_has_an_order_of_their_own_that_can_be_repeated() -> None:
    """The order comes from seed, reviewer and names; an auditor with the seed gets the same."""
    faces = frozenset(FaceId(f"{number:08x}-0000-4000-8000-000000000000") for number in range(50))
    seed = bytes(32)

    first, second = blind_order(seed, FIRST.id, faces), blind_order(seed, SECOND.id, faces)

    assert first != second
    assert frozenset(first) == frozenset(second) == faces
    assert blind_order(seed, FIRST.id, faces) == first
    assert blind_order(b"\x01" * 32, FIRST.id, faces) != first


@pytest.mark.parametrize(
    ("person", "why"),
    [
        (examiner("operator-1"), "nobody reviews their own search"),
        (examiner("eve", roles=frozenset({Role.OPERATOR})), "only an examiner reviews"),
        (examiner("eve", agency=AgencyId("hill-police")), "the review is another agency's"),
        (Person(PersonId(PrincipalId("eve")), AGENCY, frozenset({Role.EXAMINER})), "is missing or has expired"),
    ],
)
def test_who_may_not_review_is_told_why(person: Person, why: str) -> None:
    """The searcher, the untrained, strangers and people without the role neither see nor answer."""
    review = a_review()

    assert len(may_review(review, person, DAY)) == 1
    with pytest.raises(DeniedError, match=why):
        claim(review, person, DAY)
    with pytest.raises(DeniedError, match=why):
        view_for(review, person, DAY)


def test_training_that_expired_since_the_claim_ends_the_review_for_them() -> None:
    """Competence is asked for on the day of the answer too."""
    review = claim(a_review(), FIRST, DAY)
    late = datetime(2027, 1, 1, tzinfo=UTC)

    with pytest.raises(DeniedError, match="has expired"):
        reviews.answer(review, FIRST, Answer(FIRST.id, findings(*FIRST_SAME), late))
    with pytest.raises(DeniedError, match="has expired"):
        view_for(review, FIRST, late.date())


def test_nobody_sees_a_review_that_they_have_not_taken_on() -> None:
    """An examiner who might review doesn't look before taking it on."""
    with pytest.raises(DeniedError, match="has not taken"):
        view_for(a_review(), FIRST, DAY)


def test_nobody_answers_twice_or_takes_both_seats() -> None:
    """Two reviewers are two people."""
    half = answered(a_review(), FIRST, *FIRST_SAME)

    with pytest.raises(ConflictError, match="already"):
        claim(half, FIRST, DAY)
    with pytest.raises(ConflictError, match="an answer is final"):
        answered(half, FIRST, *FIRST_SAME)


def test_a_third_gets_a_seat_only_in_a_dispute() -> None:
    """Three answers for one undisputed list would be shopping for a result."""
    taken = claim(claim(a_review(), FIRST, DAY), SECOND, DAY)
    with pytest.raises(ConflictError, match="by 2 people already"):
        claim(taken, THIRD, DAY)
    disputed = answered(answered(taken, FIRST, *FIRST_SAME), SECOND, *NONE_SAME)

    full = claim(disputed, THIRD, DAY)

    with pytest.raises(ConflictError, match="by 3 people already"):
        claim(full, FOURTH, DAY)


def test_a_review_is_given_back_only_unanswered() -> None:
    """Whoever falls ill makes room; whoever has answered stays on record."""
    taken = claim(a_review(), FIRST, DAY)

    assert release(taken, FIRST.id).claims == ()
    with pytest.raises(ConflictError, match="nothing to give back"):
        release(answered(taken, FIRST, *FIRST_SAME), FIRST.id)


def test_an_answer_covers_the_whole_list() -> None:
    """Leaving a candidate out is no answer."""
    review = claim(a_review(), FIRST, DAY)

    with pytest.raises(InputError, match="one finding for each candidate"):
        reviews.answer(review, FIRST, Answer(FIRST.id, findings(*FIRST_SAME)[:3], NOON))


def test_the_probe_is_not_two_people() -> None:
    """One examiner can't call two subjects the same person as the probe."""
    with pytest.raises(InputError, match="two different subjects"):
        answered(a_review(), FIRST, SAME, SAME, DIFFERENT, DIFFERENT)


@pytest.mark.parametrize(
    ("outcome", "observations"),
    [
        (SAME, {Observation.BLUR}),
        (DIFFERENT, set()),
        (BAD, {Observation.NOSE}),
        (UNSURE, set()),
    ],
)
def test_an_outcome_rests_on_observations(outcome: Outcome, observations: set[Observation]) -> None:
    """Same or different needs the face, unsuitable needs the image, and nothing stands on nothing."""
    with pytest.raises(InputError, match="needs an observation"):
        Finding(FACES[0], outcome, frozenset(observations))


def test_a_withdrawn_review_confirms_nobody() -> None:
    """When an emergency's results are deleted, a settled review goes with them."""
    settled = answered(answered(a_review(), FIRST, *FIRST_SAME), SECOND, *FIRST_SAME)

    withdrawn = reviews.withdraw(settled)

    assert confirmed(withdrawn) == ()
    assert progress(withdrawn) is Progress.WITHDRAWN
    with pytest.raises(ConflictError, match="withdrawn"):
        claim(withdrawn, THIRD, DAY)
