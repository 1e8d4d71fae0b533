"""Openings of reviews: a search's candidates get ids of their own, and their faces are cut out for reviewers.

A review is opened in the transaction that records its search: there is no search without its review, and no review
without its search. Candidates go by ids drawn for this review alone, at the API as before reviewers.

Never lets anything out that depends on a score or on whose face a candidate is. Implements `docs/review.md`, "What a
searcher is told".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from recognizance.documents import Kind, UseRecord, found
from recognizance.errors import ConflictError, InputError, NotFoundError
from recognizance.faces import open_photograph
from recognizance.governance.codec import write_document
from recognizance.governance.oversight import sha256_hex
from recognizance.governance.parties import CourseId, PersonId, UseId
from recognizance.governance.review import SEED_BYTES, Candidate, Review, ReviewId
from recognizance.identifiers import FaceId, GalleryId, SubjectId
from recognizance.ledger import EntryId
from recognizance.permits import Action, Mandate, Permit
from recognizance.recording import Change
from recognizance.records import Document, FaceRow, Reader, Records, Transaction
from recognizance.reviewing.documents import (
    Identities,
    Identity,
    ReviewFile,
    ReviewKind,
    case_label,
    picture_file,
    picture_id,
    write_review,
)
from recognizance.reviewing.entries import opened
from recognizance.reviewing.pictures import PlacedFace, common_eyes_px, scaled_picture
from recognizance.reviewing.probes import edits_before


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


class Openings:
    """Opens reviews. Safe to share between threads.

    Args:
        label_key: Turns cases into labels (`documents.review_label_key`).
        clock: The time, aware.
        new_id: Draws a fresh lower-case UUID.
        random_bytes: `os.urandom`, or a test's own.
    """

    def __init__(
        self,
        records: Records,
        *,
        label_key: bytes,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._records = records
        self._label_key = label_key
        self._clock = clock
        self._new_id = new_id
        self._random_bytes = random_bytes

    def require_picture(self, gallery: GalleryId, probe: FaceRow) -> None:
        """Refuse an enrolled face that reviewers couldn't compare, before anything is known of who resembles it.

        Raises:
            InputError: If its photograph was not kept.
        """
        with self._records.reading() as reader:
            if not reader.kept_among(gallery, [probe.image_id]):
                raise InputError(_NOT_KEPT)

    def prepare(
        self, gallery: GalleryId, probe: PlacedFace | FaceRow, hits: Sequence[Hit], permit: Permit
    ) -> PreparedReview:
        """Draw ids for a search's candidates and cut out their faces. Changes nothing.

        Args:
            probe: The face searched for in its photograph, or the enrolled face.
            hits: At least one, the most similar first.

        Raises:
            InputError: If the probe's photograph was not kept, so that nobody could compare it.
        """
        permit.require(Action.SEARCH, gallery)
        if permit.mandate is None:
            raise ValueError("a review belongs to a use")
        aliased = tuple((FaceId(self._new_id()), hit) for hit in hits)
        with self._records.reading() as reader:
            placed = _kept(reader, gallery, probe, permit) if isinstance(probe, FaceRow) else probe
            if placed is None:
                raise InputError(_NOT_KEPT)
            faces: dict[FaceId | None, PlacedFace] = {None: placed}
            for alias, hit in aliased:
                if (kept := _kept(reader, gallery, hit.row, permit)) is not None:
                    faces[alias] = kept
        eyes_px = common_eyes_px(list(faces.values()))
        # One after the other and then let go, because a photograph keeps the pixels that it was decoded to.
        pictures = tuple((alias, scaled_picture(faces.pop(alias), eyes_px)) for alias in list(faces))
        review, probe_sha256 = ReviewId(self._new_id()), placed.photograph.sha256
        return PreparedReview(review, gallery, permit.mandate, permit, probe_sha256, aliased, pictures)

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
            labels["case"] = case_label(self._label_key, file.case)
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
            edits=edits_before(transaction, self._label_key, review.probe_sha256, mandate.case),
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


_NOT_KEPT = (
    "the face's photograph was not kept, so that nobody could compare it with the candidates: "
    "search with a photograph, as SearchFacesByImage does"
)


def _kept(reader: Reader, gallery: GalleryId, row: FaceRow, permit: Permit) -> PlacedFace | None:
    """An enrolled face in its photograph; `None` if that was not kept."""
    try:
        photograph = open_photograph(reader.kept_image(gallery, row.image_id), permit)
    except NotFoundError:
        return None
    return PlacedFace(photograph, row.box, row.landmarks)
