"""Reviewing: a search's candidates wait here for two people who decide apart from each other.

The rules are in `governance.review`, which is pure; here a review is opened in the transaction that records its search,
every step is a change with its ledger entry, and what reviewers are shown is cut out, sealed, and destroyed when its
time is over. Candidates go by ids drawn for this review alone, at the API as before reviewers.

Never lets anything out that depends on a score, on another reviewer, or on whose face a candidate is: views are made
from the review's own ids and pictures. Implements `docs/review.md`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Protocol

from recognizance.docket import Kind, PersonRecord, Standing, UseRecord, found
from recognizance.errors import ConflictError, DeniedError, InputError, NotFoundError
from recognizance.faces import Photograph, open_photograph
from recognizance.governance import Act, Asking, Credential, Principal
from recognizance.governance.codec import read_document, write_document
from recognizance.governance.leads import LeadId, leads_of
from recognizance.governance.oversight import sha256_hex
from recognizance.governance.parties import CourseId, Person, PersonId, Role, UseId
from recognizance.governance.review import (
    SEED_BYTES,
    Answer,
    Candidate,
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
from recognizance.identifiers import DecisionId, FaceId, GalleryId, ImageId, SubjectId
from recognizance.ledger import EntryId, facts
from recognizance.permits import Action, Mandate, Permit
from recognizance.recording import Change, Recorder
from recognizance.records import Box, Document, FaceRow, Reader, Records, Transaction
from recognizance.reviewing.documents import (
    Identities,
    Identity,
    LeadFile,
    PictureFile,
    ReviewFile,
    ReviewKind,
    blinded,
    documents_of,
    filed,
    picture_file,
    picture_id,
    read_review,
    replace_review,
    review_of,
    write_review,
)
from recognizance.reviewing.entries import Step, answers, lead, opened, step
from recognizance.reviewing.pictures import face_picture
from recognizance.reviewing.probes import edits_before

LABEL_KEY = "labels of reviews"
"""The purpose of the key under which cases and digests of pictures stand in labels."""

PICTURES_KEPT = timedelta(days=30)
"""How long after its end a review's pictures are kept: an answer to it can still be questioned then."""


class Gatekeeper(Protocol):
    """Asks the policy about acts of governing; `RuledPolicy` is one."""

    def require(
        self, principal: Principal, act: Act, *, gallery: GalleryId | None, decision_id: DecisionId, asking: Asking
    ) -> object:
        """Put the ruling on the record, and raise `DeniedError` if it is a refusal."""
        ...


@dataclass(frozen=True, slots=True)
class Asker:
    """A person who asks, and how they proved who they are.

    Attributes:
        bound_use: The only use that their key works for; `None` if it isn't bound.
    """

    person: PersonId
    credential: Credential = Credential.PERSON_KEY
    bound_use: UseId | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """The picture searched for, and where in it the face is."""

    photograph: Photograph
    box: Box


@dataclass(frozen=True, slots=True)
class Hit:
    """A candidate as the search found it; the first is the most similar."""

    row: FaceRow
    similarity_pct: float


@dataclass(frozen=True, slots=True)
class UnderReview:
    """What a searcher is told of candidates that wait: ids that mean nothing elsewhere, in no order of similarity."""

    review: ReviewId
    faces: tuple[FaceId, ...]


@dataclass(frozen=True, slots=True)
class PreparedReview:
    """All that takes time, done before the transaction.

    Attributes:
        pictures: PNG files by candidate; `None` is the probe's.
    """

    id: ReviewId
    gallery: GalleryId
    mandate: Mandate
    permit: Permit
    probe_sha256: str
    hits: tuple[tuple[FaceId, Hit], ...]
    pictures: tuple[tuple[FaceId | None, bytes], ...]


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
        gatekeeper: Asked before each act of a person.
        clock: The time, aware.
        new_id: Draws a fresh lower-case UUID.
        random_bytes: `os.urandom`, or a test's own.
    """

    def __init__(
        self,
        records: Records,
        recorder: Recorder,
        gatekeeper: Gatekeeper,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        random_bytes: Callable[[int], bytes],
        pictures_kept: timedelta = PICTURES_KEPT,
    ) -> None:
        self._records = records
        self._recorder = recorder
        self._gatekeeper = gatekeeper
        self._clock = clock
        self._new_id = new_id
        self._random_bytes = random_bytes
        self._pictures_kept = pictures_kept
        with records.reading() as reader:
            self.label_key = reader.derived_key(LABEL_KEY).reveal()

    def prepare(
        self, gallery: GalleryId, probe: Probe | FaceRow, hits: Sequence[Hit], permit: Permit
    ) -> PreparedReview:
        """Draw ids for a search's candidates and cut out their faces. Changes nothing.

        Args:
            probe: The photograph searched for, or the enrolled face.
            hits: At least one, the most similar first.

        Raises:
            InputError: If the probe's photograph was not kept, so that nobody could compare it.
        """
        permit.require(Action.SEARCH, gallery)
        if permit.mandate is None:
            raise ValueError("a review belongs to a use")
        with self._records.reading() as reader:
            if isinstance(probe, FaceRow):
                photograph = _kept(reader, gallery, probe.image_id, permit)
                if photograph is None:
                    raise InputError(
                        "the face's photograph was not kept, so that nobody could compare it with the candidates: "
                        "search with a photograph, as SearchFacesByImage does"
                    )
                probe = Probe(photograph, probe.box)
            aliased = tuple((FaceId(self._new_id()), hit) for hit in hits)
            pictures: list[tuple[FaceId | None, bytes]] = [(None, face_picture(probe.photograph, probe.box))]
            for alias, hit in aliased:
                photograph = _kept(reader, gallery, hit.row.image_id, permit)
                if photograph is not None:
                    pictures.append((alias, face_picture(photograph, hit.row.box)))
        review = ReviewId(self._new_id())
        return PreparedReview(
            review, gallery, permit.mandate, permit, probe.photograph.sha256, aliased, tuple(pictures)
        )

    def open(self, change: Change, prepared: PreparedReview, search: EntryId) -> UnderReview:
        """Open the review of a search, in the transaction in which that is recorded.

        Args:
            search: The search's entry, made in the same transaction.

        Raises:
            ConflictError: If the use asks for reviews and names no training for reviewers.
        """
        file = self._opened(change.transaction, prepared, search)
        labels: dict[str, str] = {
            "agency": file.review.agency,
            "use": file.use,
            "gallery": file.gallery,
            "search": search,
        }
        if file.case is not None:
            labels["case"] = self.case_label(file.case)
        document = Document(
            ReviewKind.REVIEW, file.review.id, file.review.state.value, write_review(file), labels=labels
        )
        change.transaction.insert_document(document)
        known = tuple(Identity(alias, hit.row.face_id, hit.row.subject) for alias, hit in prepared.hits)
        self._insert(
            change.transaction,
            ReviewKind.IDENTITIES,
            prepared,
            prepared.id,
            Identities(prepared.id, prepared.gallery, known),
        )
        for alias, png in prepared.pictures:
            self._insert(
                change.transaction, ReviewKind.PICTURE, prepared, picture_id(prepared.id, alias), picture_file(png)
            )
        change.enter(opened(file))
        # The ids are random, so their own order says nothing.
        return UnderReview(file.review.id, tuple(sorted(alias for alias, _ in prepared.hits)))

    def waiting_for(self, asker: Asker) -> tuple[ReviewId, ...]:
        """The reviews that this person has taken on and not answered, or could take on, by id."""
        day = self._clock().date()
        with self._records.reading() as reader:
            person = self._person(reader, asker.person)
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
            person = self._person(change.transaction, asker.person)
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
            view = view_for(file.review, self._person(reader, asker.person), self._clock().date())
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
            answered = answer(file.review, self._person(change.transaction, asker.person), given)
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
                person = self._person(reader, asker.person)
                if Role.SUPERVISOR not in person.roles or person.agency != file.review.agency:
                    raise NotFoundError(f"there is no {ReviewKind.REVIEW.value} {review!r}")
        return progress(file.review)

    def case_label(self, case: str) -> str:
        """What a case stands for in labels."""
        return blinded(self.label_key, "case", case)

    def _opened(self, transaction: Transaction, prepared: PreparedReview, search: EntryId) -> ReviewFile:
        mandate, use = prepared.mandate, UseId(prepared.mandate.use)
        record = found(transaction, Kind.USE, use, UseRecord)
        course: CourseId | None = None if record is None else record.value.use.terms.course
        if record is None or course is None:
            raise ConflictError(f"the use {use!r} asks for reviews, and names no training for reviewers")
        review = Review(
            id=prepared.id,
            agency=record.value.use.terms.agency,
            searcher=PersonId(prepared.permit.principal),
            course=course,
            probe_sha256=sha256_hex(prepared.probe_sha256),
            candidates=self._candidates(prepared.hits),
            seed=self._random_bytes(SEED_BYTES),
        )
        return ReviewFile(
            review=review,
            use=use,
            gallery=prepared.gallery,
            case=mandate.case,
            search_entry=search,
            opened_at=self._clock(),
            edits=edits_before(transaction, self.label_key, review.probe_sha256, mandate.case),
        )

    def _candidates(self, hits: Sequence[tuple[FaceId, Hit]]) -> tuple[Candidate, ...]:
        """Candidates under their own ids. Two faces of one subject still have one subject, under another name."""
        subjects = {hit.row.subject: SubjectId(self._new_id()) for _, hit in hits if hit.row.subject is not None}
        return tuple(
            Candidate(alias, None if hit.row.subject is None else subjects[hit.row.subject], hit.similarity_pct, rank)
            for rank, (alias, hit) in enumerate(hits, start=1)
        )

    def _insert(
        self, transaction: Transaction, kind: ReviewKind, prepared: PreparedReview, document_id: str, value: object
    ) -> None:
        labels = {"review": prepared.id, "gallery": prepared.gallery}
        transaction.insert_document(Document(kind, document_id, "kept", write_document(value), labels=labels))

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
                labels["case"] = self.case_label(file.case)
            document = Document(ReviewKind.LEAD, each.id, each.state.value, write_document(led), labels=labels)
            change.transaction.insert_document(document)
            change.enter(lead(led, facts.LeadEvent.CONFIRMED, file.review.answers[-1].reviewer))
        due = now + self._pictures_kept
        set_due(change.transaction, file.review.id, due, is_identity_kept=bool(found_leads))

    def _allow(self, asker: Asker, act: Act, review: ReviewId) -> None:
        with self._records.reading() as reader:
            file = review_of(reader, review).value
        allow(self._gatekeeper, self._new_id, asker, act, file.use)

    def _person(self, reader: Reader, person: PersonId) -> Person:
        return person_of(reader, person)


def allow(gatekeeper: Gatekeeper, new_id: Callable[[], str], asker: Asker, act: Act, use: UseId) -> None:
    """Ask the policy about an act of a person under a use.

    Raises:
        DeniedError: If it refuses.
    """
    # Which roles somebody has is for the policy to look up.
    gatekeeper.require(
        Principal(asker.person, frozenset()),
        act,
        gallery=None,
        decision_id=DecisionId(new_id()),
        asking=Asking(asker.credential, use=use, bound_use=asker.bound_use),
    )


def person_of(reader: Reader, person: PersonId) -> Person:
    """A person who takes part at this time.

    Raises:
        DeniedError: If there is none of this pseudonym, or they were suspended or dismissed.
    """
    record = found(reader, Kind.PERSON, person, PersonRecord)
    if record is None or record.document.state != Standing.ACTIVE:
        raise DeniedError(f"{person!r} takes no part in this service")
    return record.value.person


def set_due(transaction: Transaction, review: ReviewId, due: datetime, *, is_identity_kept: bool) -> None:
    """Say when what belongs to a review that is over is to be destroyed."""
    kinds = [ReviewKind.PICTURE] if is_identity_kept else [ReviewKind.PICTURE, ReviewKind.IDENTITIES]
    for kind in kinds:
        for document in list(documents_of(transaction, kind, label=("review", review))):
            transaction.replace_document(replace(document, due=due))


def _kept(reader: Reader, gallery: GalleryId, image: ImageId, permit: Permit) -> Photograph | None:
    try:
        return open_photograph(reader.kept_image(gallery, image), permit)
    except NotFoundError:
        return None


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
