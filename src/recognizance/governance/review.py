"""Review: two people, independently, before a candidate is a lead; and what each of them may see.

A candidate list waits for two different examiners with valid training, neither of whom searched. Each sees the probe
and the candidates in an order of their own, without scores, ranks, names or any trace of the other. Where they disagree
about a candidate a third decides. Only a candidate that two people independently called the same person becomes a lead
(`leads.py`), and a lead is never more than that.

Never identifies anybody, and never lets a view depend on what its viewer mustn't know: `view_for` is built from the
names of the faces and the seed alone. Pure: time and seeds are arguments. Implements `docs/governance.md`, "Review".
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import NewType

from recognizance.errors import ConflictError, DeniedError, InputError
from recognizance.governance.oversight import Sha256Hex, sha256_hex
from recognizance.governance.parties import AgencyId, CourseId, Person, PersonId, Role
from recognizance.identifiers import FaceId, SubjectId

ReviewId = NewType("ReviewId", str)
"""One candidate list's review; opaque."""

REVIEWERS_NEEDED = 2
SEED_BYTES = 32

LEAD_STAMP = "investigative lead, not the sole basis for any action"
"""Stands on every lead, in every form in which it leaves the service."""


class Outcome(StrEnum):
    SAME_PERSON = "same_person"
    DIFFERENT = "different"
    INCONCLUSIVE = "inconclusive"
    IMAGE_UNSUITABLE = "image_unsuitable"


class Observation(StrEnum):
    """What an examiner based an outcome on: the checklist. The first group is about the face, the second the image."""

    FACE_SHAPE = "face_shape"
    FOREHEAD_AND_HAIRLINE = "forehead_and_hairline"
    EYES_AND_BROWS = "eyes_and_brows"
    NOSE = "nose"
    MOUTH_AND_CHIN = "mouth_and_chin"
    EARS = "ears"
    MARKS_AND_SCARS = "marks_and_scars"

    RESOLUTION = "resolution"
    BLUR = "blur"
    LIGHT = "light"
    POSE = "pose"
    EXPRESSION = "expression"
    OCCLUSION = "occlusion"
    COMPRESSION = "compression"
    TIME_BETWEEN_IMAGES = "time_between_images"

    @property
    def is_about_the_face(self) -> bool:
        return self in _ABOUT_THE_FACE


_ABOUT_THE_FACE = frozenset(
    {
        Observation.FACE_SHAPE,
        Observation.FOREHEAD_AND_HAIRLINE,
        Observation.EYES_AND_BROWS,
        Observation.NOSE,
        Observation.MOUTH_AND_CHIN,
        Observation.EARS,
        Observation.MARKS_AND_SCARS,
    }
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An enrolled face that came back. Rank 1 is the most similar; reviewers see neither rank nor similarity."""

    face: FaceId
    subject: SubjectId | None
    similarity_pct: float
    rank: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One examiner's outcome for one candidate, with what it rests on."""

    face: FaceId
    outcome: Outcome
    observations: frozenset[Observation]
    remarks: str = ""

    def __post_init__(self) -> None:
        about_face = any(observation.is_about_the_face for observation in self.observations)
        about_image = any(not observation.is_about_the_face for observation in self.observations)
        if self.outcome in {Outcome.SAME_PERSON, Outcome.DIFFERENT} and not about_face:
            raise InputError(f"the outcome {self.outcome.value!r} needs an observation about the face")
        if self.outcome is Outcome.IMAGE_UNSUITABLE and not about_image:
            raise InputError(f"the outcome {self.outcome.value!r} needs an observation about the image")
        if not self.observations:
            raise InputError(f"the outcome {self.outcome.value!r} needs an observation")


@dataclass(frozen=True, slots=True)
class Answer:
    """One examiner's findings on a whole list, given at once and final."""

    reviewer: PersonId
    findings: tuple[Finding, ...]
    given_at: datetime

    def outcome_of(self, face: FaceId) -> Outcome:
        return next(finding.outcome for finding in self.findings if finding.face == face)


class ReviewState(StrEnum):
    WAITING = "waiting"
    """Nobody has answered."""
    HALF = "half"
    """One has answered; nobody learns of it."""
    DISPUTED = "disputed"
    """Two have answered and differ about a candidate; a third is needed."""
    SETTLED = "settled"
    WITHDRAWN = "withdrawn"
    """The search's results were deleted, as after an emergency that nobody authorised."""


OPEN_STATES = frozenset({ReviewState.WAITING, ReviewState.HALF, ReviewState.DISPUTED})
"""As long as a review is in one of these, nobody learns who its candidates are, nor what anybody has answered."""


class ReviewEvent(StrEnum):
    ANSWER = "answer"
    ANSWER_ALIKE = "answer_alike"
    ANSWER_DIFFERENTLY = "answer_differently"
    WITHDRAW = "withdraw"


_S, _E = ReviewState, ReviewEvent
REVIEW_TABLE: Mapping[tuple[ReviewState, ReviewEvent], ReviewState] = {
    (_S.WAITING, _E.ANSWER): _S.HALF,
    (_S.HALF, _E.ANSWER_ALIKE): _S.SETTLED,
    (_S.HALF, _E.ANSWER_DIFFERENTLY): _S.DISPUTED,
    (_S.DISPUTED, _E.ANSWER): _S.SETTLED,
    (_S.WAITING, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.HALF, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.DISPUTED, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.SETTLED, _E.WITHDRAW): _S.WITHDRAWN,
}
"""The life of a review. What isn't here is refused."""


@dataclass(frozen=True, slots=True)
class Review:
    """A candidate list and what became of it.

    Attributes:
        agency: Whose search it was; its examiners review.
        course: Training that a reviewer must have.
        probe_sha256: The picture searched for, after the edits that are on record.
        seed: Drawn at random for this review; each reviewer's order of candidates follows from it.
        claims: Who has taken the review on, in order; they alone may see it and answer.
    """

    id: ReviewId
    agency: AgencyId
    searcher: PersonId
    course: CourseId
    probe_sha256: Sha256Hex
    candidates: tuple[Candidate, ...]
    seed: bytes
    state: ReviewState = ReviewState.WAITING
    claims: tuple[PersonId, ...] = ()
    answers: tuple[Answer, ...] = ()

    def __post_init__(self) -> None:
        sha256_hex(self.probe_sha256)
        if not self.candidates:
            raise InputError(f"review {self.id!r} has no candidate")
        if len({candidate.face for candidate in self.candidates}) != len(self.candidates):
            raise InputError(f"review {self.id!r} names a face twice")
        if len(self.seed) != SEED_BYTES:
            raise ValueError(f"a review's seed has {SEED_BYTES} bytes")

    @property
    def seats(self) -> int:
        """How many people may take the review on: a third only once two differ."""
        return REVIEWERS_NEEDED + 1 if self.state is ReviewState.DISPUTED else REVIEWERS_NEEDED


def may_review(review: Review, person: Person, day: date) -> tuple[str, ...]:
    """Name what keeps `person` from reviewing on `day`; empty if nothing does."""
    obstacles: list[str] = []
    if Role.EXAMINER not in person.roles:
        obstacles.append("only an examiner reviews")
    if person.agency != review.agency:
        obstacles.append("the review is another agency's")
    if person.id == review.searcher:
        obstacles.append("nobody reviews their own search")
    if not person.is_trained_in(review.course, day):
        obstacles.append(f"the training {review.course!r} is missing or has expired")
    return tuple(obstacles)


def claim(review: Review, person: Person, day: date) -> Review:
    """Take a review on, which is what lets somebody see it.

    Raises:
        DeniedError: If this person may not review it.
        ConflictError: If they have it already, or enough others have.
    """
    _require_reviewer(review, person, day)
    if review.state in {_S.SETTLED, _S.WITHDRAWN}:
        raise ConflictError(f"review {review.id!r} is {review.state.value!r}")
    if person.id in review.claims:
        raise ConflictError(f"{person.id!r} has taken review {review.id!r} on already")
    if len(review.claims) >= review.seats:
        raise ConflictError(f"review {review.id!r} is taken on by {len(review.claims)} people already")
    return replace(review, claims=(*review.claims, person.id))


def release(review: Review, reviewer: PersonId) -> Review:
    """Give a review back unanswered, so that somebody else can take it on.

    Raises:
        ConflictError: If this person hasn't taken it on, or has answered.
    """
    if reviewer not in review.claims or any(given.reviewer == reviewer for given in review.answers):
        raise ConflictError(f"{reviewer!r} has nothing to give back of review {review.id!r}")
    return replace(review, claims=tuple(person for person in review.claims if person != reviewer))


def answer(review: Review, person: Person, given: Answer) -> Review:
    """Record an examiner's findings on the whole list.

    Raises:
        DeniedError: If this person may not review it (any longer).
        ConflictError: If they haven't taken it on or have answered before.
        InputError: If a candidate is left out or named twice, or two subjects are called the same person as the probe.
    """
    _require_reviewer(review, person, given.given_at.date())
    if given.reviewer != person.id or person.id not in review.claims:
        raise ConflictError(f"{person.id!r} has not taken review {review.id!r} on")
    if any(earlier.reviewer == person.id for earlier in review.answers):
        raise ConflictError(f"{person.id!r} has answered review {review.id!r} already; an answer is final")
    _check_findings(review, given)
    event = ReviewEvent.ANSWER
    if review.state is ReviewState.HALF:
        event = ReviewEvent.ANSWER_ALIKE if _alike(review, given) else ReviewEvent.ANSWER_DIFFERENTLY
    following = _step(review, event)
    return replace(review, answers=(*review.answers, given), state=following)


def withdraw(review: Review) -> Review:
    """End a review whose search results were deleted."""
    return replace(review, state=_step(review, ReviewEvent.WITHDRAW))


def _step(review: Review, event: ReviewEvent) -> ReviewState:
    following = REVIEW_TABLE.get((review.state, event))
    if following is None:
        raise ConflictError(f"review {review.id!r} is {review.state.value!r}; {event.value!r} is refused")
    return following


def _require_reviewer(review: Review, person: Person, day: date) -> None:
    obstacles = may_review(review, person, day)
    if obstacles:
        raise DeniedError(f"{person.id!r} can't review: {'; '.join(obstacles)}")


def _check_findings(review: Review, given: Answer) -> None:
    named = sorted(finding.face for finding in given.findings)
    if named != sorted(candidate.face for candidate in review.candidates):
        raise InputError(f"an answer to review {review.id!r} has one finding for each candidate")
    same = {
        candidate.subject
        for candidate in review.candidates
        if candidate.subject is not None and given.outcome_of(candidate.face) is Outcome.SAME_PERSON
    }
    if len(same) > 1:
        raise InputError("the probe can't be the same person as two different subjects")


def _alike(review: Review, given: Answer) -> bool:
    """Whether the second answer agrees with the first about every candidate."""
    first = review.answers[0]
    faces = [candidate.face for candidate in review.candidates]
    return all(first.outcome_of(face) is given.outcome_of(face) for face in faces)


@dataclass(frozen=True, slots=True)
class ReviewerView:
    """All that a reviewer sees: two kinds of picture, and which belong together.

    Attributes:
        faces: Of the candidates, in this reviewer's own order, which says nothing about similarity.
    """

    review: ReviewId
    probe_sha256: Sha256Hex
    faces: tuple[FaceId, ...]


def view_for(review: Review, person: Person, day: date) -> ReviewerView:
    """What a reviewer may see. The same whoever else has answered, whatever they found, whatever the scores are.

    Raises:
        DeniedError: If this person may not review it, or hasn't taken it on.
    """
    _require_reviewer(review, person, day)
    if person.id not in review.claims:
        raise DeniedError(f"{person.id!r} has not taken review {review.id!r} on")
    faces = frozenset(candidate.face for candidate in review.candidates)
    return ReviewerView(review.id, review.probe_sha256, blind_order(review.seed, person.id, faces))


def blind_order(seed: bytes, reviewer: PersonId, faces: frozenset[FaceId]) -> tuple[FaceId, ...]:
    """Put faces in an order that depends on nothing but the seed, the reviewer and the faces' own names.

    Sorted by HMAC-SHA-256 under the seed, so that the order is different for each reviewer, can be repeated from the
    record by an auditor, and can't be foretold by anybody without the seed.
    """

    def place(face: FaceId) -> bytes:
        return hmac.digest(seed, f"{reviewer}\n{face}".encode(), hashlib.sha256)

    return tuple(sorted(faces, key=place))


class Progress(StrEnum):
    """All that whoever searched learns before a review is over."""

    UNDER_REVIEW = "under_review"
    LEAD = "lead"
    NO_LEAD = "no_lead"
    WITHDRAWN = "withdrawn"


def progress(review: Review) -> Progress:
    """What the searcher learns. Nothing tells one answer from none, or a dispute from a review that is under way."""
    if review.state is ReviewState.WITHDRAWN:
        return Progress.WITHDRAWN
    if review.state is not ReviewState.SETTLED:
        return Progress.UNDER_REVIEW
    return Progress.LEAD if confirmed(review) else Progress.NO_LEAD


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A candidate that two people independently called the same person.

    Attributes:
        confirmed_by: The two reviewers, in the order of their answers.
        dissent: Whether a third saw it differently. It stays with the lead for ever.
    """

    face: FaceId
    subject: SubjectId | None
    confirmed_by: tuple[PersonId, ...]
    dissent: bool


def confirmed(review: Review) -> tuple[Confirmation, ...]:
    """The candidates of a settled review that became leads, in no order of similarity: by face id.

    They are of one known subject at most: nobody may call two the same as the probe, and each needs two of three.
    """
    if review.state is not ReviewState.SETTLED:
        return ()
    found: list[Confirmation] = []
    for candidate in sorted(review.candidates, key=lambda each: each.face):
        outcomes = [(given.reviewer, given.outcome_of(candidate.face)) for given in review.answers]
        agreeing = tuple(reviewer for reviewer, outcome in outcomes if outcome is Outcome.SAME_PERSON)
        if len(agreeing) >= REVIEWERS_NEEDED:
            dissent = len(agreeing) < len(outcomes)
            found.append(Confirmation(candidate.face, candidate.subject, agreeing, dissent))
    return tuple(found)
