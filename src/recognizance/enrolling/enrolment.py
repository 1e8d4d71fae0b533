"""Enrolling faces, and forgetting them. Whose they are is said in `subjects.py`.

Only faces that were asked for and are good enough get a template; the others are named with their reasons and leave no
trace. Making templates and storing them are two steps, so that an import computes many photographs side by side and
commits them in one transaction, together with the note of how far it came.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recognizance.errors import ConflictError
from recognizance.faces import (
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
from recognizance.identifiers import FaceId, GalleryId, ImageId, SubjectId
from recognizance.ledger import PrivateValue
from recognizance.ledger.facts import ContentChange
from recognizance.permits import Action, Permit
from recognizance.recording import Change, ContentDelta, Recorder, acts, face_digest
from recognizance.records import (
    Box,
    FaceRow,
    NewFace,
    Pose,
    Quality,
    Records,
    RemovedFaces,
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
        erasure: Erasure,
        *,
        clock: Clock,
        new_id: Callable[[], str],
        keep_images: bool,
    ) -> None:
        self._records = records
        self._recorder = recorder
        self._reader = reader
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


def box_of(face: DetectedFace, size_hw: tuple[int, int]) -> Box:
    """A face's box as ratios of the upright image, as Rekognition states it; it may leave 0 to 1."""
    height, width = size_hw
    left, top, right, bottom = map(float, face.detection.box_xyxy_px)
    return Box(left / width, top / height, (right - left) / width, (bottom - top) / height)


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
