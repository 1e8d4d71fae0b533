"""Enrolling faces, forgetting them, and saying whose they are.

Only faces that were asked for and are good enough get a template; the others are named with their reasons and leave no
trace. Making templates and storing them are two steps, so that an import computes many photographs side by side and
commits them in one transaction, together with the note of how far it came.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from recognizance.errors import ConflictError, TokenReusedError
from recognizance.faces import (
    Calibration,
    DetectedFace,
    FaceReader,
    Photograph,
    QualityFilter,
    Template,
    UnindexedReason,
    unindexed_reasons,
)
from recognizance.forgetting.erasure import Erasure
from recognizance.galleries import Clock
from recognizance.gallery import scores
from recognizance.identifiers import FaceId, GalleryId, ImageId, SubjectId
from recognizance.ledger import PrivateValue
from recognizance.ledger.facts import ContentChange
from recognizance.permits import Action, Permit
from recognizance.recording import Change, ContentDelta, Recorder, acts, face_digest
from recognizance.records import (
    Association,
    Box,
    Disassociation,
    FaceRow,
    NewFace,
    Pose,
    Quality,
    Records,
    RemovedFaces,
    SubjectKey,
    SubjectRow,
    TokenUse,
    Transaction,
)


@dataclass(frozen=True, slots=True)
class EnrolledFace:
    """A face that is in the gallery now. `row` is as stored: the earlier one if the photograph was enrolled before."""

    row: FaceRow
    face: DetectedFace


@dataclass(frozen=True, slots=True)
class UnindexedFace:
    """A face that was seen and left alone, and why. At least one reason."""

    face: DetectedFace
    reasons: tuple[UnindexedReason, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A photograph's faces, judged, with templates of those that may be stored.

    Attributes:
        image_sha256: 32 bytes.
        kept_bytes: The photograph itself if it's to be kept, else `None`.
        templates: (n, d) for the n of `faces`, largest first.
    """

    image_sha256: bytes
    size_hw: tuple[int, int]
    kept_bytes: bytes | None
    faces: tuple[DetectedFace, ...]
    templates: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
    unindexed: tuple[UnindexedFace, ...]


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What came of one photograph.

    Attributes:
        added: Of each face that wasn't there before, what the ledger commits to.
    """

    faces: tuple[EnrolledFace, ...]
    unindexed: tuple[UnindexedFace, ...]
    added: tuple[PrivateValue, ...] = ()


@dataclass(frozen=True, slots=True)
class ForgottenFaces:
    """What became of faces that were to be deleted. All in the order they were asked in.

    Attributes:
        unknown: Those that the gallery does not hold.
        associated: Those that were left alone because they belong to a subject, and to whom.
    """

    removed: tuple[FaceId, ...]
    unknown: tuple[FaceId, ...]
    associated: Mapping[FaceId, SubjectId]


class AssociationOutcome(StrEnum):
    """What became of one face that was to be given to a subject."""

    ASSOCIATED = "associated"
    ALREADY_ASSOCIATED = "already associated"
    OTHER_SUBJECT = "belongs to another subject"
    FACE_NOT_FOUND = "face not found"
    LOW_SIMILARITY = "too unlike the subject's other faces"


class Enrolment:
    """Changes what galleries hold.

    Args:
        new_id: Draws a fresh lower-case UUID.
        keep_images: Whether photographs are kept, encrypted, beside their templates.
    """

    def __init__(
        self,
        records: Records,
        recorder: Recorder,
        reader: FaceReader,
        calibration: Calibration,
        erasure: Erasure,
        *,
        clock: Clock,
        new_id: Callable[[], str],
        keep_images: bool,
    ) -> None:
        self._records = records
        self._recorder = recorder
        self._reader = reader
        self._calibration = calibration
        self._erasure = erasure
        self._clock = clock
        self._new_id = new_id
        self._keep_images = keep_images

    def prepare(
        self,
        photograph: Photograph,
        *,
        max_faces: int,
        quality_filter: QualityFilter,
        permit: Permit,
    ) -> Prepared:
        """Find a photograph's faces and make templates of those that may be enrolled. Changes nothing.

        Faces that fail the quality filter are left out first, then the smallest of those above `max_faces`, as
        Rekognition does.
        """
        permit.require_any(Action.ENROL)
        wanted: list[DetectedFace] = []
        unindexed: list[UnindexedFace] = []
        for face in self._reader.detect(photograph, permit):
            reasons = unindexed_reasons(face, quality_filter)
            if not reasons and len(wanted) == max_faces:
                reasons = (UnindexedReason.EXCEEDS_MAX_FACES,)
            if reasons:
                unindexed.append(UnindexedFace(face, reasons))
            else:
                wanted.append(face)
        return Prepared(
            image_sha256=bytes.fromhex(photograph.sha256),
            size_hw=photograph.size_hw,
            kept_bytes=photograph.data if self._keep_images and _may_keep(permit) else None,
            faces=tuple(wanted),
            templates=self._reader.templates(wanted, permit),
            unindexed=tuple(unindexed),
        )

    def store(
        self,
        transaction: Transaction,
        gallery: GalleryId,
        prepared: Prepared,
        *,
        external_image_id: str | None,
        permit: Permit,
    ) -> Enrolled:
        """Store prepared faces within a transaction of the caller's.

        A photograph that was enrolled before, byte for byte and under the same external id, is not stored twice: its
        faces are answered as they are (Rekognition, IndexFaces: no duplicate face metadata is saved).

        Raises:
            NotFoundError: If there is no such gallery.
            ConflictError: If the gallery's templates are another model's.
            LimitError: If the gallery is full.
        """
        permit.require(Action.ENROL, gallery)
        known = {
            row.box: row
            for row in transaction.faces_of_image(
                gallery, sha256=prepared.image_sha256, external_image_id=external_image_id
            )
        }
        image_id = next((row.image_id for row in known.values()), None) or ImageId(self._new_id())
        enrolled: list[EnrolledFace] = []
        new: list[NewFace] = []
        for face, template in zip(prepared.faces, prepared.templates, strict=True):
            row = known.get(box_of(face, prepared.size_hw))
            if row is None:
                stored = self._new_face(face, template, prepared, image_id, external_image_id)
                new.append(stored)
                row = _row_of(stored)
            enrolled.append(EnrolledFace(row, face))
        if new:
            transaction.add_faces(gallery, new)
            if prepared.kept_bytes is not None:
                transaction.keep_image(gallery, image_id, prepared.kept_bytes)
        else:
            # Nothing to add; the gallery has to be there all the same.
            transaction.gallery(gallery)
        added = tuple(face_digest(face.face_id, face.image_sha256, face.template) for face in new)
        return Enrolled(tuple(enrolled), prepared.unindexed, added)

    def enrol(
        self,
        gallery: GalleryId,
        photograph: Photograph,
        *,
        external_image_id: str | None,
        max_faces: int,
        quality_filter: QualityFilter,
        permit: Permit,
    ) -> Enrolled:
        """Enrol a photograph's faces, durably: once this returns, a crash does not lose them.

        Raises:
            NotFoundError: If there is no such gallery.
            ConflictError: If the gallery's templates are another model's.
            LimitError: If the gallery is full.
        """
        permit.require(Action.ENROL, gallery)
        with self._records.reading() as reader:
            model = reader.gallery(gallery).model
        if model != self._reader.model:
            raise ConflictError(
                f"gallery {gallery!r} holds templates of {model}; this service makes {self._reader.model}"
            )
        with self._recorder.attempting(permit, Action.ENROL, gallery):
            prepared = self.prepare(photograph, max_faces=max_faces, quality_filter=quality_filter, permit=permit)
            with self._recorder.changing() as change:
                enrolled = self.store(
                    change.transaction, gallery, prepared, external_image_id=external_image_id, permit=permit
                )
                self.enter_stored(change, gallery, [enrolled], permit=permit)
        return enrolled

    def enter_stored(self, change: Change, gallery: GalleryId, enrolled: Iterable[Enrolled], *, permit: Permit) -> None:
        """Say in the ledger what `store` did in the same transaction: one entry, however many photographs there were.

        An enrolment that added nothing, because no face was good enough or all were there already, is on the record
        too: faces were looked at.
        """
        digests = [digest for each in enrolled for digest in each.added]
        row = change.transaction.gallery(gallery)
        delta = ContentDelta(ContentChange.ENROLLED, added=len(digests), faces=tuple(digests))
        change.enter(acts.content(permit, row, delta), gallery=gallery)

    def forget_faces(self, gallery: GalleryId, face_ids: Sequence[FaceId], *, permit: Permit) -> RemovedFaces:
        """Delete faces, their templates, and photographs that were kept for no other face.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        permit.require(Action.FORGET, gallery)
        erased = self._erasure.faces(gallery, face_ids, permit=permit)
        return RemovedFaces(erased.faces, erased.unknown)

    def forget_unassociated_faces(
        self, gallery: GalleryId, face_ids: Sequence[FaceId], *, permit: Permit
    ) -> ForgottenFaces:
        """As `forget_faces`, but faces that belong to a subject stay until they are taken from it, as at Rekognition.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        permit.require(Action.FORGET, gallery)
        erased = self._erasure.faces(gallery, face_ids, spare_owned=True, permit=permit)
        with self._records.reading() as reader:
            rows = reader.faces_by_id(gallery, erased.unknown)
        associated = {face_id: row.subject for face_id, row in rows.items() if row.subject is not None}
        unknown = tuple(face_id for face_id in erased.unknown if face_id not in associated)
        return ForgottenFaces(erased.faces, unknown, associated)

    def faces(
        self,
        gallery: GalleryId,
        *,
        subject: SubjectId | None,
        face_ids: Collection[FaceId] | None,
        after: FaceId | None,
        limit: int,
        permit: Permit,
    ) -> list[FaceRow]:
        """A page of a gallery's faces, ordered by id, beginning behind `after`.

        Raises:
            NotFoundError: If there is no such gallery, or no such subject in it.
        """
        permit.require(Action.READ_GALLERY, gallery)
        with self._records.reading() as reader:
            if subject is not None:
                reader.subject(gallery, subject)
            ids = None if face_ids is None else list(face_ids)
            return reader.faces(gallery, subject=subject, face_ids=ids, after=after, limit=limit)

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
        face given: somebody else's face among them would spoil every later search.

        Args:
            threshold_pct: The least similarity to that, 0 to 100.

        Raises:
            NotFoundError: If there is no such gallery, or no such subject in it.
            LimitError: If the subject would have too many faces. Nothing is changed then.
            ConflictError: If the token came with another request.
        """
        permit.require(Action.ENROL, gallery)
        request = "\n".join([gallery, subject, repr(threshold_pct), *face_ids])
        with self._recorder.changing() as change:
            transaction = change.transaction
            if self._replayed(transaction, "associate", token, request):
                return _association_as_it_stands(subject, face_ids, transaction.faces_by_id(gallery, face_ids))
            unlike = self._unlike(transaction, gallery, subject, face_ids, threshold_pct)
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

    def _unlike(
        self,
        transaction: Transaction,
        gallery: GalleryId,
        subject: SubjectId,
        face_ids: Sequence[FaceId],
        threshold_pct: float,
    ) -> set[FaceId]:
        """Those of the faces that belong to nobody and don't resemble the subject enough."""
        held = transaction.subject(gallery, subject).face_count
        rows = transaction.faces_by_id(gallery, face_ids)
        free = [face for face in face_ids if face in rows and rows[face].subject is None]
        order, templates = transaction.templates_of(gallery, free)
        if not order:
            return set()
        first = free[0]
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

    def _new_face(
        self,
        face: DetectedFace,
        template: Template,
        prepared: Prepared,
        image_id: ImageId,
        external_image_id: str | None,
    ) -> NewFace:
        height, width = prepared.size_hw
        points = face.detection.landmarks_px / np.array([width, height], dtype=np.float32)
        return NewFace(
            face_id=FaceId(self._new_id()),
            image_id=image_id,
            template=template,
            model=self._reader.model,
            box=box_of(face, prepared.size_hw),
            confidence=face.detection.confidence,
            created=self._clock(),
            external_image_id=external_image_id,
            image_sha256=prepared.image_sha256,
            landmarks=tuple((float(x), float(y)) for x, y in points),
            pose=Pose(face.pose.yaw_deg, face.pose.pitch_deg, face.pose.roll_deg),
            quality=Quality(brightness=face.quality.brightness, sharpness=face.quality.sharpness),
        )


def _may_keep(permit: Permit) -> bool:
    """What testers send is never kept."""
    return permit.mandate is None or permit.mandate.keeps_pictures


def _enter(change: Change, gallery: GalleryId, delta: ContentDelta, permit: Permit) -> None:
    change.enter(acts.content(permit, change.transaction.gallery(gallery), delta), gallery=gallery)


def box_of(face: DetectedFace, size_hw: tuple[int, int]) -> Box:
    """A face's box as ratios of the upright image, as Rekognition states it; it may leave 0 to 1."""
    height, width = size_hw
    left, top, right, bottom = map(float, face.detection.box_xyxy_px)
    return Box(left / width, top / height, (right - left) / width, (bottom - top) / height)


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


def _row_of(face: NewFace) -> FaceRow:
    return FaceRow(
        face_id=face.face_id,
        image_id=face.image_id,
        external_image_id=face.external_image_id,
        image_sha256=face.image_sha256,
        subject=None,
        model=face.model,
        box=face.box,
        confidence=face.confidence,
        created=face.created,
        landmarks=face.landmarks,
        pose=face.pose,
        quality=face.quality,
    )
