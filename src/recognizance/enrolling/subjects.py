"""Subjects of a gallery: who somebody is to whoever enrolled them, and which faces are theirs.

A face is given to a subject only if it resembles those that the subject has, because somebody else's face among them
would spoil every later search. A client's token makes a repeated request harmless. Taking a face from a subject leaves
it enrolled; forgetting it is `enrolment.py`'s.

To say that two faces are unlike is a comparison by name. So where a use's candidates wait for reviewers nothing is
compared: whoever gives a face says whose it is, and learns nothing. Elsewhere each face that is refused as unlike takes
one of the use's searches of the day. Implements decision 0059.

Making one subject of two, or two of one, is one transaction with its entries: whatever is interrupted, faces are as
they were or as they were asked to be, and no face is ever between two subjects.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from recognizance.docket import counting
from recognizance.errors import InputError, NotFoundError, TokenReusedError
from recognizance.faces import Calibration
from recognizance.galleries import Clock
from recognizance.gallery import scores
from recognizance.identifiers import FaceId, GalleryId, SubjectId
from recognizance.ledger.facts import ContentChange
from recognizance.permits import Action, Permit
from recognizance.recording import Change, ContentDelta, Recorder, acts
from recognizance.records import (
    MAX_FACES_OF_SUBJECT,
    Association,
    Disassociation,
    FaceRow,
    Records,
    SubjectKey,
    SubjectRow,
    TokenUse,
    Transaction,
)

LEAST_ALIKE_PCT = 75.0
"""How alike faces are that become one person: Rekognition's default for associating faces with a user."""


class AssociationOutcome(StrEnum):
    """What became of one face that was to be given to a subject."""

    ASSOCIATED = "associated"
    ALREADY_ASSOCIATED = "already associated"
    OTHER_SUBJECT = "belongs to another subject"
    FACE_NOT_FOUND = "face not found"
    LOW_SIMILARITY = "too unlike the subject's other faces"


class Subjects:
    """Says whose faces are. Safe to share between threads.

    Args:
        new_id: Draws a fresh lower-case UUID.
    """

    def __init__(
        self,
        records: Records,
        recorder: Recorder,
        calibration: Calibration,
        *,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._records = records
        self._recorder = recorder
        self._calibration = calibration
        self._clock = clock
        self._new_id = new_id

    def create_subject(self, gallery: GalleryId, subject: SubjectId, *, token: str | None, permit: Permit) -> None:
        """Create a subject without faces. The same token with the same request changes nothing a second time.

        Raises:
            NotFoundError: If there is no such gallery.
            ConflictError: If the subject exists, or the token came with another request.
        """
        permit.require(Action.ENROL, gallery)
        with self._recorder.changing() as change:
            if not self._replayed(change.transaction, "create_subject", token, f"{gallery}\n{subject}"):
                key = SubjectKey(self._new_id())
                change.transaction.create_subject(gallery, subject, key=key, created=self._clock())
                _enter(change, gallery, ContentDelta(ContentChange.SUBJECT_ADDED, subject=subject), permit)

    def delete_subject(self, gallery: GalleryId, subject: SubjectId, *, token: str | None, permit: Permit) -> None:
        """Delete a subject. Its faces stay enrolled, and belong to nobody.

        Raises:
            NotFoundError: If there is no such gallery, or no such subject in it.
            ConflictError: If the token came with another request.
        """
        permit.require(Action.FORGET, gallery)
        with self._recorder.changing() as change:
            if not self._replayed(change.transaction, "delete_subject", token, f"{gallery}\n{subject}"):
                change.transaction.delete_subject(gallery, subject)
                _enter(change, gallery, ContentDelta(ContentChange.SUBJECT_REMOVED, subject=subject), permit)

    def owners(self, gallery: GalleryId, face_ids: Sequence[FaceId], *, permit: Permit) -> dict[FaceId, SubjectId]:
        """Whose the faces are; without those that belong to nobody, or aren't there.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        permit.require(Action.ENROL if Action.ENROL in permit.actions else Action.READ_GALLERY, gallery)
        with self._records.reading() as reader:
            rows = reader.faces_by_id(gallery, face_ids)
        return {face_id: row.subject for face_id, row in rows.items() if row.subject is not None}

    def subject(self, gallery: GalleryId, subject: SubjectId, *, permit: Permit) -> SubjectRow:
        """One subject.

        Raises:
            NotFoundError: If there is no such gallery, or no such subject in it.
        """
        # Whoever may give a subject faces may also see what became of them.
        permit.require(Action.ENROL if Action.ENROL in permit.actions else Action.READ_GALLERY, gallery)
        with self._records.reading() as reader:
            return reader.subject(gallery, subject)

    def subjects(self, gallery: GalleryId, *, after: SubjectId | None, limit: int, permit: Permit) -> list[SubjectRow]:
        """A page of a gallery's subjects, ordered by id, beginning behind `after`.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        permit.require(Action.READ_GALLERY, gallery)
        with self._records.reading() as reader:
            return reader.subjects(gallery, after=after, limit=limit)

    def associate(
        self,
        gallery: GalleryId,
        subject: SubjectId,
        face_ids: Sequence[FaceId],
        *,
        threshold_pct: float,
        token: str | None,
        permit: Permit,
    ) -> dict[FaceId, AssociationOutcome]:
        """Give faces to a subject, and say for each what became of it.

        Each face is compared with the mean of those that the subject has, or, for a subject without any, with the first
        face given: somebody else's face among them would spoil every later search. Under a use whose candidates wait
        for reviewers nothing is compared; such a use searches for no subjects either.

        Args:
            threshold_pct: The least similarity to that, 0 to 100.

        Raises:
            NotFoundError: If there is no such gallery, or no such subject in it.
            LimitError: If the subject would have too many faces. Nothing is changed then.
            ConflictError: If the token came with another request.
            DeniedError: If more faces are too unlike than the use has searches left today. Nothing is changed then.
        """
        permit.require(Action.ENROL, gallery)
        request = "\n".join([gallery, subject, repr(threshold_pct), *face_ids])
        with self._recorder.changing() as change:
            transaction = change.transaction
            if self._replayed(transaction, "associate", token, request):
                return _association_as_it_stands(subject, face_ids, transaction.faces_by_id(gallery, face_ids))
            unlike = self._unlike(change, gallery, subject, face_ids, threshold_pct, permit)
            outcome = transaction.associate(gallery, subject, [face for face in face_ids if face not in unlike])
            given = tuple(face for face, what in outcome.items() if what is Association.ASSOCIATED)
            _enter(change, gallery, ContentDelta(ContentChange.ASSOCIATED, faces=given, subject=subject), permit)
        said = {face: _ASSOCIATIONS[what] for face, what in outcome.items()}
        return {face: said.get(face, AssociationOutcome.LOW_SIMILARITY) for face in face_ids}

    def disassociate(
        self,
        gallery: GalleryId,
        subject: SubjectId,
        face_ids: Sequence[FaceId],
        *,
        token: str | None,
        permit: Permit,
    ) -> dict[FaceId, Disassociation]:
        """Take faces from a subject, and say for each what became of it. The faces stay enrolled.

        Raises:
            NotFoundError: If there is no such gallery, or no such subject in it.
            ConflictError: If the token came with another request.
        """
        permit.require(Action.ENROL, gallery)
        with self._recorder.changing() as change:
            transaction = change.transaction
            if self._replayed(transaction, "disassociate", token, "\n".join([gallery, subject, *face_ids])):
                return _disassociation_as_it_stands(subject, face_ids, transaction.faces_by_id(gallery, face_ids))
            outcome = transaction.disassociate(gallery, subject, face_ids)
            taken = tuple(face for face, what in outcome.items() if what is Disassociation.DISASSOCIATED)
            _enter(change, gallery, ContentDelta(ContentChange.DISASSOCIATED, faces=taken, subject=subject), permit)
        return outcome

    def merge(
        self,
        gallery: GalleryId,
        subject: SubjectId,
        into: SubjectId,
        *,
        threshold_pct: float,
        permit: Permit,
        forgetting: Permit,
    ) -> tuple[FaceId, ...]:
        """Give all faces of one subject to another, and delete the emptied one: all of it or nothing.

        Args:
            threshold_pct: As for `associate`. Faces that are less like the other subject stay, and so does their own.
            forgetting: Allows deleting the emptied subject.

        Returns:
            The faces that stayed; none if the two are one subject now.

        Raises:
            NotFoundError: If there is no such gallery, or one of the subjects isn't in it.
            InputError: If both are the same.
            LimitError: If the other subject would have too many faces.
            DeniedError: As for `associate`.
        """
        permit.require(Action.ENROL, gallery)
        forgetting.require(Action.FORGET, gallery)
        if subject == into:
            raise InputError(f"subject {subject!r} is itself already")
        with self._recorder.changing() as change:
            faces = _faces_of(change.transaction, gallery, subject)
            unlike = self._unlike_among(change, gallery, into, faces, threshold_pct, permit)
            if unlike and len(unlike) == len(faces):
                # Nothing moves; that it was tried is on the record all the same.
                _enter(change, gallery, ContentDelta(ContentChange.ASSOCIATED, subject=into), permit)
            _move(change, gallery, subject, into, [face for face in faces if face not in unlike], permit)
            if not unlike:
                change.transaction.delete_subject(gallery, subject)
                _enter(change, gallery, ContentDelta(ContentChange.SUBJECT_REMOVED, subject=subject), forgetting)
        return tuple(face for face in faces if face in unlike)

    def split(
        self, gallery: GalleryId, subject: SubjectId, face_ids: Sequence[FaceId], into: SubjectId, *, permit: Permit
    ) -> None:
        """Make a new subject of some faces of another: all of it or nothing.

        Raises:
            NotFoundError: If there is no such gallery or subject, or one of the faces isn't the subject's.
            ConflictError: If there is a subject of the new name already.
            InputError: If no face is given, or all that the subject has.
        """
        permit.require(Action.ENROL, gallery)
        with self._recorder.changing() as change:
            faces = _faces_of(change.transaction, gallery, subject)
            if not set(face_ids) <= set(faces):
                raise NotFoundError(f"not all of the faces belong to subject {subject!r}")
            if not face_ids or len(set(face_ids)) == len(faces):
                raise InputError("a part of a subject is some of its faces, and not all of them")
            key = SubjectKey(self._new_id())
            change.transaction.create_subject(gallery, into, key=key, created=self._clock())
            _enter(change, gallery, ContentDelta(ContentChange.SUBJECT_ADDED, subject=into), permit)
            _move(change, gallery, subject, into, face_ids, permit)

    def _unlike(
        self,
        change: Change,
        gallery: GalleryId,
        subject: SubjectId,
        face_ids: Sequence[FaceId],
        threshold_pct: float,
        permit: Permit,
    ) -> set[FaceId]:
        """Those of the faces that belong to nobody and don't resemble the subject enough."""
        rows = change.transaction.faces_by_id(gallery, face_ids)
        free = [face for face in face_ids if face in rows and rows[face].subject is None]
        return self._unlike_among(change, gallery, subject, free, threshold_pct, permit)

    def _unlike_among(
        self,
        change: Change,
        gallery: GalleryId,
        subject: SubjectId,
        faces: Sequence[FaceId],
        threshold_pct: float,
        permit: Permit,
    ) -> set[FaceId]:
        """Those of the faces, which are there and not the subject's, that don't resemble it enough; each is counted."""
        held = change.transaction.subject(gallery, subject).face_count
        if permit.mandate is not None and permit.mandate.review_required:
            return set()
        unlike = self._compared(change.transaction, gallery, subject, faces, threshold_pct, held=held)
        if unlike:
            change.require(counting(permit, pictures=len(unlike)))
        return unlike

    def _compared(
        self,
        transaction: Transaction,
        gallery: GalleryId,
        subject: SubjectId,
        faces: Sequence[FaceId],
        threshold_pct: float,
        *,
        held: int,
    ) -> set[FaceId]:
        order, templates = transaction.templates_of(gallery, faces)
        if not order:
            return set()
        first = faces[0]
        reference = transaction.subject_template(gallery, subject) if held else templates[order.index(first)]
        return {
            face
            for face, score in zip(order, scores(reference, templates), strict=True)
            if self._calibration.similarity_pct(float(score)) < threshold_pct
        }

    def _replayed(self, transaction: Transaction, operation: str, token: str | None, request: str) -> bool:
        """Whether this very request succeeded before, by the token that its client gave it."""
        if token is None:
            return False
        digest = hashlib.sha256(request.encode()).digest()
        use = transaction.remember_token(operation, token, request_hash=digest, now=self._clock())
        if use is TokenUse.MISMATCH:
            raise TokenReusedError("the client request token was used before, with another request")
        return use is TokenUse.REPLAY


def _faces_of(transaction: Transaction, gallery: GalleryId, subject: SubjectId) -> list[FaceId]:
    transaction.subject(gallery, subject)
    return [row.face_id for row in transaction.faces(gallery, subject=subject, limit=MAX_FACES_OF_SUBJECT)]


def _move(
    change: Change,
    gallery: GalleryId,
    subject: SubjectId,
    into: SubjectId,
    faces: Sequence[FaceId],
    permit: Permit,
) -> None:
    """Take faces from one subject and give them to another, in the transaction of the caller."""
    if not faces:
        return
    moved = tuple(faces)
    change.transaction.disassociate(gallery, subject, moved)
    _enter(change, gallery, ContentDelta(ContentChange.DISASSOCIATED, faces=moved, subject=subject), permit)
    change.transaction.associate(gallery, into, moved)
    _enter(change, gallery, ContentDelta(ContentChange.ASSOCIATED, faces=moved, subject=into), permit)


def _enter(change: Change, gallery: GalleryId, delta: ContentDelta, permit: Permit) -> None:
    change.enter(acts.content(permit, change.transaction.gallery(gallery), delta), gallery=gallery)


_ASSOCIATIONS = {
    Association.ASSOCIATED: AssociationOutcome.ASSOCIATED,
    Association.ALREADY_ASSOCIATED: AssociationOutcome.ALREADY_ASSOCIATED,
    Association.OTHER_SUBJECT: AssociationOutcome.OTHER_SUBJECT,
    Association.FACE_NOT_FOUND: AssociationOutcome.FACE_NOT_FOUND,
}


def _association_as_it_stands(
    subject: SubjectId, face_ids: Sequence[FaceId], rows: Mapping[FaceId, FaceRow]
) -> dict[FaceId, AssociationOutcome]:
    """What an association that was done before came to, for a client that missed the answer."""

    def outcome(face_id: FaceId) -> AssociationOutcome:
        if face_id not in rows:
            return AssociationOutcome.FACE_NOT_FOUND
        owner = rows[face_id].subject
        if owner is None:
            return AssociationOutcome.LOW_SIMILARITY
        return AssociationOutcome.ASSOCIATED if owner == subject else AssociationOutcome.OTHER_SUBJECT

    return {face_id: outcome(face_id) for face_id in face_ids}


def _disassociation_as_it_stands(
    subject: SubjectId, face_ids: Sequence[FaceId], rows: Mapping[FaceId, FaceRow]
) -> dict[FaceId, Disassociation]:
    """As above. A face that was given back to the subject since was taken from them all the same."""

    def outcome(face_id: FaceId) -> Disassociation:
        if face_id not in rows:
            return Disassociation.FACE_NOT_FOUND
        owner = rows[face_id].subject
        return Disassociation.DISASSOCIATED if owner in {None, subject} else Disassociation.OTHER_SUBJECT

    return {face_id: outcome(face_id) for face_id in face_ids}
