"""Faces and the images they come from: storing, removing, listing, and telling an index what changed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter, itemgetter

import numpy as np
from sqlalchemy import bindparam, delete, func, insert, select, update

from recognizance.errors import ConflictError, LimitError, NotFoundError
from recognizance.identifiers import FaceId, GalleryId, ImageId, SubjectId
from recognizance.records import schema
from recognizance.records.face_columns import face_row, face_values
from recognizance.records.galleries import GalleryReader, GalleryWriter, OpenGallery
from recognizance.records.packs import PackKey
from recognizance.records.rows import (
    MAX_CATCH_UP,
    MAX_FACES_IN_GALLERY,
    RELOAD,
    Changes,
    FaceRow,
    NewFace,
    Reload,
    RemovedFaces,
    Template,
    TemplateBlock,
    Templates,
)
from recognizance.records.session import Row, batches

BLOCK_FACES = 8192

_faces = schema.faces.c
_images = schema.images.c
_removed = schema.removed_faces.c
_subjects = schema.subjects.c

_FACE_OF_GALLERY = _faces.gallery_key == bindparam("gallery")
_FACE_AMONG = _faces.face_id.in_(bindparam("ids", expanding=True))
_ROWS = (
    select(schema.faces, _images.external_image_id, _images.sha256)
    .join(schema.images, (_images.gallery_key == _faces.gallery_key) & (_images.image_id == _faces.image_id))
    .where(_FACE_OF_GALLERY)
)
_PAGE = _ROWS.where(_faces.face_id > bindparam("after")).order_by(_faces.face_id).limit(bindparam("limit"))
_PAGE_OF_SUBJECT = _PAGE.where(_faces.subject_id == bindparam("subject"))
_PAGE_AMONG = _PAGE.where(_FACE_AMONG)
_PAGE_OF_SUBJECT_AMONG = _PAGE_OF_SUBJECT.where(_FACE_AMONG)
_ROWS_AMONG = _ROWS.where(_FACE_AMONG)
_PLACES = select(_faces.face_id, _faces.pack_key).where(_FACE_OF_GALLERY, _FACE_AMONG)
_HELD = select(_faces.face_id, _faces.pack_key, _faces.image_id, _faces.subject_id).where(_FACE_OF_GALLERY, _FACE_AMONG)
_ADDED_SINCE = (
    select(_faces.face_id, _faces.pack_key)
    .where(_FACE_OF_GALLERY, _faces.added_version > bindparam("since"))
    .limit(MAX_CATCH_UP + 1)
)
_REMOVED_SINCE = select(_removed.face_id).where(
    _removed.gallery_key == bindparam("gallery"), _removed.version > bindparam("since")
)
# The same photograph may be enrolled under several external ids, and those are different images.
# No ORDER BY: SQLite would rather read the whole gallery in that order than look the image up and sort its faces.
_OF_IMAGE = _ROWS.where(
    _faces.image_id.in_(
        select(_images.image_id).where(
            _images.gallery_key == bindparam("gallery"),
            _images.sha256 == bindparam("digest"),
            func.coalesce(_images.external_image_id, "") == bindparam("external"),
        )
    )
)
_INSERT = insert(schema.faces)
_DELETE = delete(schema.faces).where(_FACE_OF_GALLERY, _FACE_AMONG)
_INSERT_REMOVED = insert(schema.removed_faces)

_IMAGE_OF_GALLERY = _images.gallery_key == bindparam("gallery")
_IMAGES_AMONG = select(_images.image_id, _images.sha256, _images.external_image_id).where(
    _IMAGE_OF_GALLERY, _images.image_id.in_(bindparam("ids", expanding=True))
)
_INSERT_IMAGES = insert(schema.images)
_IMAGES_WITH_FACES = (
    select(_faces.image_id).where(_FACE_OF_GALLERY, _faces.image_id.in_(bindparam("ids", expanding=True))).distinct()
)
_DELETE_IMAGES = delete(schema.images).where(_IMAGE_OF_GALLERY, _images.image_id.in_(bindparam("ids", expanding=True)))
_DELETE_KEPT = delete(schema.kept_images).where(
    schema.kept_images.c.gallery_key == bindparam("gallery"),
    schema.kept_images.c.image_id.in_(bindparam("ids", expanding=True)),
)
_SUBJECT_LOST = (
    update(schema.subjects)
    .where(_subjects.gallery_key == bindparam("gallery"), _subjects.subject_id == bindparam("subject"))
    .values(face_count=_subjects.face_count - bindparam("lost"), changed_version=bindparam("now_version"))
)


class FaceReader(GalleryReader):
    def faces(
        self,
        gallery: GalleryId,
        *,
        subject: SubjectId | None = None,
        face_ids: Sequence[FaceId] | None = None,
        after: FaceId | None = None,
        limit: int,
    ) -> list[FaceRow]:
        """A page of faces, ordered by face id, beginning behind `after`.

        Args:
            subject: Only this subject's; a subject that doesn't exist has none.
            face_ids: Only those among these; unknown ones are passed over.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        row = self._gallery_row(gallery)
        given: dict[str, object] = {"gallery": row.gallery_key, "after": after or "", "limit": limit}
        if subject is not None:
            given["subject"] = subject
        if face_ids is None:
            found = self._run(_PAGE if subject is None else _PAGE_OF_SUBJECT, given).all()
            return [face_row(each, row.model) for each in found]
        statement = _PAGE_AMONG if subject is None else _PAGE_OF_SUBJECT_AMONG
        page: list[FaceRow] = []
        # Sorted, so that each batch's faces follow those of the batch before.
        for ids in batches(sorted(set(face_ids))):
            if len(page) < limit:
                found = self._run(statement, {**given, "ids": ids, "limit": limit - len(page)}).all()
                page += [face_row(each, row.model) for each in found]
        return page

    def faces_by_id(self, gallery: GalleryId, face_ids: Sequence[FaceId]) -> dict[FaceId, FaceRow]:
        """Look faces up; those that the gallery doesn't hold are absent from the answer.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        row = self._gallery_row(gallery)
        return {
            FaceId(each.face_id): face_row(each, row.model)
            for ids in batches(face_ids)
            for each in self._run(_ROWS_AMONG, {"gallery": row.gallery_key, "ids": ids})
        }

    def faces_of_image(self, gallery: GalleryId, *, sha256: bytes, external_image_id: str | None) -> list[FaceRow]:
        """The faces enrolled from a photograph of these very bytes under this external id, ordered by face id.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        row = self._gallery_row(gallery)
        given = {"gallery": row.gallery_key, "digest": sha256, "external": external_image_id or ""}
        return sorted((face_row(each, row.model) for each in self._run(_OF_IMAGE, given)), key=attrgetter("face_id"))

    def templates(self, gallery: GalleryId, *, block_faces: int = BLOCK_FACES) -> Iterator[TemplateBlock]:
        """Read every template of a gallery, in blocks of `block_faces` but for the last, in the order of enrolment.

        Yields nothing for an empty gallery; `gallery(...).version` in the same snapshot is then the version.

        Raises:
            NotFoundError: If there is no such gallery.
            CorruptionError: If a template does not open.
        """
        row = self._gallery_row(gallery)
        ids: list[FaceId] = []
        parts: list[Templates] = []
        for pack in self._packs(self._locker(row)):
            ids += pack.face_ids
            parts.append(pack.templates)
            if len(ids) >= block_faces:
                joined = np.concatenate(parts)
                whole = len(ids) - len(ids) % block_faces
                for start in range(0, whole, block_faces):
                    end = start + block_faces
                    yield TemplateBlock(row.version, ids[start:end], joined[start:end])
                ids, parts = ids[whole:], [joined[whole:]]
        if ids:
            yield TemplateBlock(row.version, ids, np.concatenate(parts))

    def template(self, gallery: GalleryId, face_id: FaceId) -> Template:
        """One face's template.

        Raises:
            NotFoundError: If there is no such gallery, or no such face in it.
        """
        ids, templates = self.templates_of(gallery, [face_id])
        if not ids:
            raise NotFoundError(f"there is no face {face_id!r} in gallery {gallery!r}")
        template: Template = templates[0]
        return template

    def templates_of(self, gallery: GalleryId, face_ids: Sequence[FaceId]) -> tuple[list[FaceId], Templates]:
        """The templates of those among `face_ids` that the gallery holds, in the order of enrolment.

        Returns:
            The faces, and (n, d) templates in the same order; (0, 0) if there are none.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        row = self._gallery_row(gallery)
        places = self._places(row.gallery_key, face_ids)
        return stacked(*self._picked(self._locker(row), places))

    def changes_since(self, gallery: GalleryId, version: int) -> Changes | Reload:
        """What turns the templates at `version` into today's.

        `RELOAD` if that is no longer known, if the version is of another gallery that had this name or of a later state
        than this one (a backup was put back), or if more than `MAX_CATCH_UP` faces were added.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        row = self._gallery_row(gallery)
        if not row.horizon <= version <= row.version:
            return RELOAD
        if version == row.version:
            return Changes(row.version, [], stacked([], [])[1], [])
        given = {"gallery": row.gallery_key, "since": version}
        added = {FaceId(each.face_id): int(each.pack_key) for each in self._run(_ADDED_SINCE, given)}
        if len(added) > MAX_CATCH_UP:
            return RELOAD
        removed = [FaceId(face_id) for face_id in self._run(_REMOVED_SINCE, given).scalars()]
        ids, templates = stacked(*self._picked(self._locker(row), added))
        return Changes(row.version, ids, templates, removed)

    def _places(self, gallery_key: int, face_ids: Iterable[FaceId]) -> dict[FaceId, PackKey]:
        return {
            FaceId(row.face_id): int(row.pack_key)
            for ids in batches(list(set(face_ids)))
            for row in self._run(_PLACES, {"gallery": gallery_key, "ids": ids})
        }


class FaceWriter(FaceReader, GalleryWriter):
    def add_faces(self, gallery: GalleryId, faces: Sequence[NewFace]) -> None:
        """Store faces, all or none. One call with many is far cheaper than many calls with one.

        Raises:
            NotFoundError: If there is no such gallery.
            ConflictError: If a face id is taken, a face is of another model than the gallery, or an image is described
                otherwise than before.
            LimitError: If the gallery would have more than `MAX_FACES_IN_GALLERY` faces.
            ValueError: If templates differ in length from the gallery's.
        """
        if not faces:
            self._gallery_row(gallery)
            return
        change = self._change(gallery)
        self._check(change, gallery, faces)
        self._add_images(change, faces)
        ids = [face.face_id for face in faces]
        places = self._store_templates(change.locker, ids, np.stack([face.template for face in faces]))
        rows = [face_values(face, change, place) for face, place in zip(faces, places, strict=True)]
        # In the order of the table, so that a large batch goes through its pages once and not back and forth.
        self._run_many(_INSERT, sorted(rows, key=itemgetter("face_id")))
        change.face_count += len(faces)
        self._finish(change)

    def remove_faces(self, gallery: GalleryId, face_ids: Sequence[FaceId]) -> RemovedFaces:
        """Remove faces with their templates and associations, and images that have no other face.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        change = self._change(gallery)
        asked = list(dict.fromkeys(face_ids))
        held = {
            FaceId(row.face_id): row
            for ids in batches(asked)
            for row in self._run(_HELD, {"gallery": change.key, "ids": ids})
        }
        if held:
            self._remove(change, held)
        return RemovedFaces(
            removed=tuple(face_id for face_id in asked if face_id in held),
            unknown=tuple(face_id for face_id in asked if face_id not in held),
        )

    def _remove(self, change: OpenGallery, held: Mapping[FaceId, Row]) -> None:
        self._destroy_templates(change.locker, {face_id: row.pack_key for face_id, row in held.items()})
        for ids in batches(list(held)):
            self._run(_DELETE, {"gallery": change.key, "ids": ids})
        self._remove_empty_images(change, sorted({row.image_id for row in held.values()}))
        lost: dict[str, int] = {}
        for row in held.values():
            if row.subject_id is not None:
                lost[row.subject_id] = lost.get(row.subject_id, 0) + 1
        for subject, count in lost.items():
            self._run(
                _SUBJECT_LOST,
                {"gallery": change.key, "subject": subject, "lost": count, "now_version": change.version},
            )
        self._run_many(
            _INSERT_REMOVED,
            [{"gallery_key": change.key, "version": change.version, "face_id": face_id} for face_id in held],
        )
        change.face_count -= len(held)
        change.removed_count += len(held)
        self._finish(change)
        self._erased = True

    def _remove_empty_images(self, change: OpenGallery, image_ids: Sequence[str]) -> None:
        for ids in batches(image_ids):
            in_use = set(self._run(_IMAGES_WITH_FACES, {"gallery": change.key, "ids": ids}).scalars())
            empty = [image_id for image_id in ids if image_id not in in_use]
            if empty:
                self._run(_DELETE_KEPT, {"gallery": change.key, "ids": empty})
                self._run(_DELETE_IMAGES, {"gallery": change.key, "ids": empty})

    def _check(self, change: OpenGallery, gallery: GalleryId, faces: Sequence[NewFace]) -> None:
        """Refuse what can't be stored, before anything is."""
        if change.face_count + len(faces) > MAX_FACES_IN_GALLERY:
            raise LimitError(
                f"gallery {gallery!r} would have {change.face_count + len(faces):,} faces;"
                f" the limit is {MAX_FACES_IN_GALLERY:,}"
            )
        for face in faces:
            if face.model != change.locker.model:
                raise ConflictError(
                    f"gallery {gallery!r} holds templates of {change.locker.model!r}, not of {face.model!r}"
                )
            change.dimension = change.dimension or face.template.size
            if face.template.size != change.dimension:
                raise ValueError(f"a template has {face.template.size} numbers; the gallery's have {change.dimension}")
        ids = {face.face_id for face in faces}
        if len(ids) != len(faces):
            raise ConflictError("a face id occurs twice")
        taken = self._places(change.key, ids)
        if taken:
            raise ConflictError(f"gallery {gallery!r} holds the face {next(iter(taken))!r} already")

    def _add_images(self, change: OpenGallery, faces: Sequence[NewFace]) -> None:
        described: dict[ImageId, tuple[bytes | None, str | None]] = {}
        for face in faces:
            description = (face.image_sha256, face.external_image_id)
            if described.setdefault(face.image_id, description) != description:
                raise ConflictError(f"faces of image {face.image_id!r} describe it differently")
        held: set[ImageId] = set()
        for ids in batches(list(described)):
            for row in self._run(_IMAGES_AMONG, {"gallery": change.key, "ids": ids}):
                if described[row.image_id] != (row.sha256, row.external_image_id):
                    raise ConflictError(f"image {row.image_id!r} is described otherwise than before")
                held.add(row.image_id)
        self._run_many(
            _INSERT_IMAGES,
            [
                {
                    "gallery_key": change.key,
                    "image_id": image_id,
                    "sha256": sha256,
                    "external_image_id": external,
                }
                for image_id, (sha256, external) in sorted(described.items())
                if image_id not in held
            ],
        )


def stacked(ids: list[FaceId], templates: list[Template]) -> tuple[list[FaceId], Templates]:
    """Rows as one array; (0, 0) for none, because a gallery that never had a face has no dimension."""
    return ids, np.stack(templates) if templates else np.zeros((0, 0), dtype=np.float32)
