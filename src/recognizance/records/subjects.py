"""Subjects: people as the caller names them, each with up to a hundred faces, and a template that stands for them.

A subject's template is the mean of its faces' templates, scaled to unit length. It's computed when it is read and never
stored, so it can't outlive a face that it was made of. The sum runs in float64 in the order of enrolment, so that
loading a gallery and catching up with it give the same bytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, String, bindparam, delete, insert, select, tuple_, update

from recognizance.errors import ConflictError, CorruptionError, LimitError, NotFoundError
from recognizance.identifiers import FaceId, GalleryId, SubjectId
from recognizance.records import schema
from recognizance.records.faces import FaceReader, FaceWriter
from recognizance.records.galleries import OpenGallery
from recognizance.records.packs import Locker, PackKey
from recognizance.records.rows import (
    MAX_CATCH_UP,
    MAX_FACES_OF_SUBJECT,
    RELOAD,
    Association,
    Disassociation,
    Reload,
    SubjectBlock,
    SubjectChanges,
    SubjectKey,
    SubjectRow,
    Template,
    Templates,
)
from recognizance.records.session import Row, batches

BLOCK_SUBJECTS = 4096

# Only opposite templates cancel out, and no two faces' are. It has to be somebody's all the same: the oldest's.
_SMALLEST_SUM = 1e-6

_subjects = schema.subjects.c
_faces = schema.faces.c
_removed = schema.removed_subjects.c

_OF_GALLERY = _subjects.gallery_key == bindparam("gallery")
_THIS = _subjects.subject_id == bindparam("subject")
_FACE_OF_GALLERY = _faces.gallery_key == bindparam("gallery")

_BY_ID = select(schema.subjects).where(_OF_GALLERY, _THIS)
_BY_KEY = select(schema.subjects).where(_OF_GALLERY, _subjects.subject_key.in_(bindparam("keys", expanding=True)))
_PAGE = (
    select(schema.subjects)
    .where(_OF_GALLERY, _subjects.subject_id > bindparam("after"))
    .order_by(_subjects.subject_id)
    .limit(bindparam("limit"))
)
# In the order of their latest change, which is close to that of enrolment: a page's faces then share few packs.
_WITH_FACES = (
    select(schema.subjects)
    .where(
        _OF_GALLERY,
        _subjects.face_count > 0,
        tuple_(_subjects.changed_version, _subjects.subject_id)
        > tuple_(bindparam("after_version", type_=BigInteger), bindparam("after", type_=String)),
    )
    .order_by(_subjects.changed_version, _subjects.subject_id)
    .limit(bindparam("limit"))
)
_CHANGED_SINCE = (
    select(_subjects.subject_id, _subjects.subject_key, _subjects.face_count)
    .where(_OF_GALLERY, _subjects.changed_version > bindparam("since"))
    .order_by(_subjects.changed_version, _subjects.subject_id)
    .limit(MAX_CATCH_UP + 1)
)
_REMOVED_SINCE = select(_removed.subject_key).where(
    _removed.gallery_key == bindparam("gallery"), _removed.version > bindparam("since")
)
_FACES_OF = select(_faces.subject_id, _faces.face_id, _faces.pack_key).where(
    _FACE_OF_GALLERY, _faces.subject_id.in_(bindparam("subjects", expanding=True))
)
_OWNERS = select(_faces.face_id, _faces.subject_id).where(
    _FACE_OF_GALLERY, _faces.face_id.in_(bindparam("ids", expanding=True))
)
_INSERT = insert(schema.subjects)
_DELETE = delete(schema.subjects).where(_OF_GALLERY, _THIS)
_INSERT_REMOVED = insert(schema.removed_subjects)
_FREE_FACES = (
    update(schema.faces).where(_FACE_OF_GALLERY, _faces.subject_id == bindparam("subject")).values(subject_id=None)
)
_SET_OWNER = (
    update(schema.faces)
    .where(_FACE_OF_GALLERY, _faces.face_id.in_(bindparam("ids", expanding=True)))
    .values(subject_id=bindparam("owner"))
)
_SET_COUNT = (
    update(schema.subjects)
    .where(_OF_GALLERY, _THIS)
    .values(face_count=bindparam("count"), changed_version=bindparam("now_version"))
)


class SubjectReader(FaceReader):
    def subject(self, gallery: GalleryId, subject: SubjectId) -> SubjectRow:
        """Describe a subject.

        Raises:
            NotFoundError: If there is no such gallery, or no such subject in it.
        """
        return _described(self._subject_row(gallery, self._gallery_row(gallery).gallery_key, subject))

    def subjects(self, gallery: GalleryId, *, after: SubjectId | None = None, limit: int) -> list[SubjectRow]:
        """A page of subjects, ordered by their ids, beginning behind `after`.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        given = {"gallery": self._gallery_row(gallery).gallery_key, "after": after or "", "limit": limit}
        return [_described(row) for row in self._run(_PAGE, given)]

    def subjects_by_key(self, gallery: GalleryId, keys: Sequence[SubjectKey]) -> dict[SubjectKey, SubjectRow]:
        """Look subjects up by the keys that an index knows them by; unknown ones are absent from the answer.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        gallery_key = self._gallery_row(gallery).gallery_key
        return {
            SubjectKey(row.subject_key): _described(row)
            for some in batches(keys)
            for row in self._run(_BY_KEY, {"gallery": gallery_key, "keys": some})
        }

    def subject_templates(self, gallery: GalleryId) -> Iterator[SubjectBlock]:
        """The template of every subject that has a face, in blocks, in no order that means anything.

        Raises:
            NotFoundError: If there is no such gallery.
            CorruptionError: If a face's template does not open.
        """
        row = self._gallery_row(gallery)
        locker = self._locker(row)
        after = (0, "")
        while True:
            given = {
                "gallery": row.gallery_key,
                "after_version": after[0],
                "after": after[1],
                "limit": BLOCK_SUBJECTS,
            }
            page = self._run(_WITH_FACES, given).all()
            if not page:
                return
            keys = {SubjectId(each.subject_id): SubjectKey(each.subject_key) for each in page}
            yield SubjectBlock(row.version, list(keys.values()), self._means(locker, list(keys)))
            after = (page[-1].changed_version, page[-1].subject_id)

    def subject_template(self, gallery: GalleryId, subject: SubjectId) -> Template:
        """One subject's template.

        Raises:
            NotFoundError: If there is no such gallery or subject, or if the subject has no face.
        """
        row = self._gallery_row(gallery)
        if not self._subject_row(gallery, row.gallery_key, subject).face_count:
            raise NotFoundError(f"subject {subject!r} has no face")
        template: Template = self._means(self._locker(row), [subject])[0]
        return template

    def subject_changes_since(self, gallery: GalleryId, version: int) -> SubjectChanges | Reload:
        """What turns the subjects' templates at `version` into today's; as `changes_since` does for faces.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        row = self._gallery_row(gallery)
        if not row.horizon <= version <= row.version:
            return RELOAD
        given = {"gallery": row.gallery_key, "since": version}
        rows = self._run(_CHANGED_SINCE, given).all()
        if len(rows) > MAX_CATCH_UP:
            return RELOAD
        changed = {SubjectId(each.subject_id): SubjectKey(each.subject_key) for each in rows if each.face_count}
        removed = [SubjectKey(each.subject_key) for each in rows if not each.face_count]
        removed += [SubjectKey(key) for key in self._run(_REMOVED_SINCE, given).scalars()]
        templates = self._means(self._locker(row), list(changed)) if changed else np.zeros((0, 0), dtype=np.float32)
        return SubjectChanges(row.version, list(changed.values()), templates, removed)

    def _means(self, locker: Locker, subjects: Sequence[SubjectId]) -> Templates:
        """One template for each of `subjects`, all of which have faces."""
        place = {subject: index for index, subject in enumerate(subjects)}
        owners: dict[FaceId, int] = {}
        packs: set[PackKey] = set()
        for some in batches(subjects):
            for row in self._run(_FACES_OF, {"gallery": locker.gallery_key, "subjects": some}):
                owners[row.face_id] = place[row.subject_id]
                packs.add(row.pack_key)
        sums = np.zeros((len(subjects), 0))
        oldest: dict[int, Template] = {}
        found = 0
        for pack in self._packs(locker, packs):
            rows = [index for index, face_id in enumerate(pack.face_ids) if face_id in owners]
            owning = [owners[pack.face_ids[index]] for index in rows]
            if not sums.size:
                sums = np.zeros((len(subjects), pack.templates.shape[1]))
            np.add.at(sums, owning, pack.templates[rows])
            for owner, index in zip(owning, rows, strict=True):
                oldest.setdefault(owner, pack.templates[index])
            found += len(rows)
        if found != len(owners):
            raise CorruptionError(f"gallery {locker.gallery!r} misses the template of a face")
        return _unit(sums, oldest)

    def _subject_row(self, gallery: GalleryId, gallery_key: int, subject: SubjectId) -> Row:
        row = self._run(_BY_ID, {"gallery": gallery_key, "subject": subject}).one_or_none()
        if row is None:
            raise NotFoundError(f"there is no subject {subject!r} in gallery {gallery!r}")
        return row

    def _owners(self, gallery_key: int, face_ids: Sequence[FaceId]) -> dict[FaceId, SubjectId | None]:
        return {
            FaceId(row.face_id): row.subject_id
            for ids in batches(face_ids)
            for row in self._run(_OWNERS, {"gallery": gallery_key, "ids": ids})
        }


class SubjectWriter(SubjectReader, FaceWriter):
    def create_subject(
        self, gallery: GalleryId, subject: SubjectId, *, key: SubjectKey, created: datetime
    ) -> SubjectRow:
        """Create a subject without faces.

        Args:
            key: A fresh lower-case UUID.

        Raises:
            NotFoundError: If there is no such gallery.
            ConflictError: If the gallery has a subject of this id.
        """
        change = self._change(gallery)
        if self._run(_BY_ID, {"gallery": change.key, "subject": subject}).one_or_none() is not None:
            raise ConflictError(f"gallery {gallery!r} has a subject {subject!r} already")
        self._run(
            _INSERT,
            {
                "gallery_key": change.key,
                "subject_id": subject,
                "subject_key": key,
                "created": created,
                "face_count": 0,
                "changed_version": change.version,
            },
        )
        change.subject_count += 1
        self._finish(change)
        return SubjectRow(subject, key, created, 0)

    def delete_subject(self, gallery: GalleryId, subject: SubjectId) -> None:
        """Delete a subject; its faces stay, and belong to nobody.

        Raises:
            NotFoundError: If there is no such gallery, or no such subject in it.
        """
        change = self._change(gallery)
        row = self._subject_row(gallery, change.key, subject)
        self._run(_FREE_FACES, {"gallery": change.key, "subject": subject})
        self._run(_DELETE, {"gallery": change.key, "subject": subject})
        self._run(
            _INSERT_REMOVED,
            {"gallery_key": change.key, "version": change.version, "subject_key": row.subject_key},
        )
        change.subject_count -= 1
        change.removed_count += 1
        self._finish(change)

    def associate(
        self, gallery: GalleryId, subject: SubjectId, face_ids: Sequence[FaceId]
    ) -> dict[FaceId, Association]:
        """Give faces to a subject; says for each what became of it.

        Raises:
            NotFoundError: If there is no such gallery, or no such subject in it.
            LimitError: If the subject would have more than `MAX_FACES_OF_SUBJECT`. Nothing is changed then.
        """
        change = self._change(gallery)
        row = self._subject_row(gallery, change.key, subject)
        owners = self._owners(change.key, face_ids)
        outcome: dict[FaceId, Association] = {}
        for face_id in face_ids:
            if face_id not in owners:
                outcome[face_id] = Association.FACE_NOT_FOUND
            elif owners[face_id] is None:
                outcome[face_id] = Association.ASSOCIATED
            elif owners[face_id] == subject:
                outcome[face_id] = Association.ALREADY_ASSOCIATED
            else:
                outcome[face_id] = Association.OTHER_SUBJECT
        fresh = [face_id for face_id, what in outcome.items() if what is Association.ASSOCIATED]
        count = row.face_count + len(fresh)
        if count > MAX_FACES_OF_SUBJECT:
            raise LimitError(f"subject {subject!r} would have {count} faces; the limit is {MAX_FACES_OF_SUBJECT}")
        self._set_owner(change, subject, fresh, owner=subject, face_count=count)
        return outcome

    def disassociate(
        self, gallery: GalleryId, subject: SubjectId, face_ids: Sequence[FaceId]
    ) -> dict[FaceId, Disassociation]:
        """Take faces from a subject; says for each what became of it. The faces stay.

        Raises:
            NotFoundError: If there is no such gallery, or no such subject in it.
        """
        change = self._change(gallery)
        row = self._subject_row(gallery, change.key, subject)
        owners = self._owners(change.key, face_ids)
        outcome: dict[FaceId, Disassociation] = {}
        for face_id in face_ids:
            if face_id not in owners:
                outcome[face_id] = Disassociation.FACE_NOT_FOUND
            elif owners[face_id] is None:
                outcome[face_id] = Disassociation.NOT_ASSOCIATED
            elif owners[face_id] == subject:
                outcome[face_id] = Disassociation.DISASSOCIATED
            else:
                outcome[face_id] = Disassociation.OTHER_SUBJECT
        freed = [face_id for face_id, what in outcome.items() if what is Disassociation.DISASSOCIATED]
        self._set_owner(change, subject, freed, owner=None, face_count=row.face_count - len(freed))
        return outcome

    def _set_owner(
        self,
        change: OpenGallery,
        subject: SubjectId,
        face_ids: Sequence[FaceId],
        *,
        owner: SubjectId | None,
        face_count: int,
    ) -> None:
        if not face_ids:
            return
        for ids in batches(face_ids):
            self._run(_SET_OWNER, {"gallery": change.key, "ids": ids, "owner": owner})
        values: Mapping[str, object] = {
            "gallery": change.key,
            "subject": subject,
            "count": face_count,
            "now_version": change.version,
        }
        self._run(_SET_COUNT, values)
        self._finish(change)


def _unit(sums: NDArray[np.float64], oldest: Mapping[int, Template]) -> Templates:
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    for index in np.flatnonzero(norms[:, 0] < _SMALLEST_SUM):
        sums[index], norms[index] = oldest[int(index)], 1.0
    means: Templates = (sums / norms).astype(np.float32)
    return means


def _described(row: Row) -> SubjectRow:
    return SubjectRow(SubjectId(row.subject_id), SubjectKey(row.subject_key), row.created, row.face_count)
