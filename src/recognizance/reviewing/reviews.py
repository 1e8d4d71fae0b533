"""Reviewing: a search's candidates wait here for two people who decide apart from each other.

The rules are in `governance.review`, which is pure; here every step of a review that `openings` began is a change with
its ledger entry, and what reviewers were shown is destroyed when its time is over.

Never lets anything out that depends on a score, on another reviewer, or on whose face a candidate is: views are made
from the review's own ids and pictures. Implements `docs/review.md`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from recognizance.errors import InputError, NotFoundError
from recognizance.governance import Act
from recognizance.governance.codec import read_document, write_document
from recognizance.governance.leads import LeadId, leads_of
from recognizance.governance.parties import Person, Role
from recognizance.governance.review import (
    Answer,
    Finding,
    Outcome,
    Progress,
    Review,
    ReviewerView,
    ReviewId,
    ReviewState,
    answer,
    claim,
    confirmed,
    may_review,
    progress,
    release,
    view_for,
)
from recognizance.identifiers import FaceId
from recognizance.ledger import facts
from recognizance.recording import Change, Recorder
from recognizance.records import Document, Reader, Records
from recognizance.reviewing.askers import Asker, Door, person_of
from recognizance.reviewing.documents import (
    Identities,
    LeadFile,
    PictureFile,
    ReviewFile,
    ReviewKind,
    case_label,
    documents_of,
    filed,
    picture_id,
    read_review,
    replace_review,
    review_of,
)
from recognizance.reviewing.entries import Step, answers, lead, step
from recognizance.reviewing.upkeep import PICTURES_KEPT, set_due


@dataclass(frozen=True, slots=True)
class ShownFace:
    """A candidate before a reviewer.

    Attributes:
        png: `None` if no photograph of it was kept; then it can't be called the same person or a different one.
    """

    face: FaceId
    png: bytes | None


@dataclass(frozen=True, slots=True)
class Shown:
    """All that a reviewer sees."""

    view: ReviewerView
    probe_png: bytes
    faces: tuple[ShownFace, ...]


class Reviewing:
    """The service of reviews. Safe to share between threads.

    Args:
        door: Asked before each act of a person.
        label_key: Turns cases into labels (`documents.review_label_key`).
        clock: The time, aware.
        new_id: Draws a fresh lower-case UUID.
    """

    def __init__(
        self,
        records: Records,
        recorder: Recorder,
        door: Door,
        *,
        label_key: bytes,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        pictures_kept: timedelta = PICTURES_KEPT,
    ) -> None:
        self._records = records
        self._recorder = recorder
        self._door = door
        self._label_key = label_key
        self._clock = clock
        self._new_id = new_id
        self._pictures_kept = pictures_kept

    def waiting_for(self, asker: Asker) -> tuple[ReviewId, ...]:
        """The reviews that this person has taken on and not answered, or could take on, by id."""
        day = self._clock().date()
        with self._records.reading() as reader:
            person = person_of(reader, asker.person)
            if person.agency is None:
                return ()
            files = [
                read_review(document)
                for state in (ReviewState.WAITING, ReviewState.HALF, ReviewState.DISPUTED)
                for document in documents_of(reader, ReviewKind.REVIEW, state=state, label=("agency", person.agency))
            ]
        return tuple(sorted(file.review.id for file in files if _is_open_to(file.review, person, day)))

    def has_taken_on(self, review: ReviewId, asker: Asker) -> bool:
        """Whether this person has taken a review on; says nothing of anybody else.

        Raises:
            NotFoundError: If there is no such review.
        """
        with self._records.reading() as reader:
            return asker.person in review_of(reader, review).value.review.claims

    def claim(self, review: ReviewId, asker: Asker) -> None:
        """Take a review on, which is what lets somebody see it.

        Raises:
            NotFoundError: If there is no such review.
            DeniedError: If this person may not review it.
            ConflictError: If they have it already, or enough others have.
        """
        self._allow(asker, Act.REVIEW, review)
        with self._recorder.changing() as change:
            before = review_of(change.transaction, review)
            person = person_of(change.transaction, asker.person)
            claimed = claim(before.value.review, person, self._clock().date())
            replace_review(change.transaction, before, replace(before.value, review=claimed))
            change.enter(step(before.value, Step.CLAIMED, asker.person))

    def release(self, review: ReviewId, asker: Asker) -> None:
        """Give a review back unanswered, so that somebody else can take it on.

        Raises:
            NotFoundError: If there is no such review.
            ConflictError: If this person hasn't taken it on, or has answered.
        """
        with self._recorder.changing() as change:
            before = review_of(change.transaction, review)
            released = release(before.value.review, asker.person)
            replace_review(change.transaction, before, replace(before.value, review=released))
            change.enter(step(before.value, Step.RELEASED, asker.person))

    def show(self, review: ReviewId, asker: Asker) -> Shown:
        """What a reviewer compares: pictures, in an order of their own.

        Raises:
            NotFoundError: If there is no such review, or its pictures have been destroyed.
            DeniedError: If this person may not review it, or hasn't taken it on.
        """
        self._allow(asker, Act.REVIEW, review)
        with self._records.reading() as reader:
            file = review_of(reader, review).value
            view = view_for(file.review, person_of(reader, asker.person), self._clock().date())
            probe = filed(reader, ReviewKind.PICTURE, picture_id(review, None), PictureFile).value.data
            faces = tuple(ShownFace(face, _picture(reader, review, face)) for face in view.faces)
        return Shown(view, probe, faces)

    def answer(self, review: ReviewId, asker: Asker, findings: Sequence[Finding]) -> None:
        """Give one's findings on the whole list; final. The same answer again changes nothing.

        Says nothing: whoever answers second learns no more than whoever answers first.

        Raises:
            NotFoundError: If there is no such review.
            DeniedError: If this person may not review it (any longer).
            ConflictError: If they haven't taken it on, or have given another answer before.
            InputError: If a candidate is left out, or judged without a picture.
        """
        self._allow(asker, Act.REVIEW, review)
        with self._recorder.changing() as change:
            before = review_of(change.transaction, review)
            file, now = before.value, self._clock()
            # By face, so that the order in which somebody was shown them isn't kept either.
            given = Answer(asker.person, tuple(sorted(findings, key=lambda each: each.face)), now)
            if any(_is_same(earlier, given) for earlier in file.review.answers):
                return
            _require_pictures(change.transaction, review, given)
            answered = answer(file.review, person_of(change.transaction, asker.person), given)
            is_over = answered.state is ReviewState.SETTLED
            after = replace(file, review=answered, ended_at=now if is_over else None)
            replace_review(change.transaction, before, after)
            change.enter(step(file, Step.ANSWERED, asker.person, given))
            if is_over:
                self._settle(change, after, now)

    def progress(self, review: ReviewId, asker: Asker) -> Progress:
        """What whoever searched may know, and a supervisor of their agency.

        Raises:
            NotFoundError: If there is no such review, or not for this person.
        """
        with self._records.reading() as reader:
            file = review_of(reader, review).value
            if asker.person != file.review.searcher:
                person = person_of(reader, asker.person)
                if Role.SUPERVISOR not in person.roles or person.agency != file.review.agency:
                    raise NotFoundError(f"there is no {ReviewKind.REVIEW.value} {review!r}")
        return progress(file.review)

    def _settle(self, change: Change, file: ReviewFile, now: datetime) -> None:
        """Say in public what was found, and make the leads."""
        known = filed(change.transaction, ReviewKind.IDENTITIES, file.review.id, Identities)
        for made in answers(file, known.value):
            change.enter(made, gallery=file.gallery)
        found_leads = leads_of(file.review, [LeadId(self._new_id()) for _ in confirmed(file.review)], now)
        for each in found_leads:
            led = LeadFile(each, file.use, file.gallery, file.case)
            labels: dict[str, str] = {
                "agency": file.review.agency,
                "use": file.use,
                "review": file.review.id,
                "gallery": file.gallery,
            }
            if file.case is not None:
                labels["case"] = case_label(self._label_key, file.case)
            document = Document(ReviewKind.LEAD, each.id, each.state.value, write_document(led), labels=labels)
            change.transaction.insert_document(document)
            change.enter(lead(led, facts.LeadEvent.CONFIRMED, file.review.answers[-1].reviewer))
        due = now + self._pictures_kept
        set_due(change.transaction, file.review.id, due, is_identity_kept=bool(found_leads))

    def _allow(self, asker: Asker, act: Act, review: ReviewId) -> None:
        with self._records.reading() as reader:
            file = review_of(reader, review).value
        self._door.require(asker, act, file.use)


def _is_open_to(review: Review, person: Person, day: date) -> bool:
    if person.id in review.claims:
        return all(given.reviewer != person.id for given in review.answers)
    return len(review.claims) < review.seats and not may_review(review, person, day)


def _is_same(earlier: Answer, given: Answer) -> bool:
    return earlier.reviewer == given.reviewer and earlier.findings == given.findings


def _picture(reader: Reader, review: ReviewId, face: FaceId) -> bytes | None:
    """A candidate's picture; `None` if its photograph was not kept, or the face was erased since."""
    pictures = reader.documents_by_id(ReviewKind.PICTURE, [picture_id(review, face)])
    return next((read_document(PictureFile, each.body).data for each in pictures.values()), None)


def _require_pictures(reader: Reader, review: ReviewId, given: Answer) -> None:
    for finding in given.findings:
        judged = finding.outcome in {Outcome.SAME_PERSON, Outcome.DIFFERENT}
        if judged and _picture(reader, review, finding.face) is None:
            raise InputError(
                f"there is no picture of candidate {finding.face!r}, so nobody can say {finding.outcome.value!r}"
            )
