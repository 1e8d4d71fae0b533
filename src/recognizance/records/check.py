"""Is everything sound? Reads all there is, opens every sealed value, and says what contradicts what.

For `recognizance doctor`, and for the tests that pull the plug. It changes nothing, and holds little in memory at once.
Findings name galleries, rows and counts; never what was sealed.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from sqlalchemy import bindparam, exists, func, select, text

from recognizance.errors import CorruptionError, Error
from recognizance.identifiers import GalleryId, ImageId
from recognizance.records import schema
from recognizance.records.closed import ClosedReader
from recognizance.records.documents import Document, DocumentReader
from recognizance.records.galleries import IS_OPEN
from recognizance.records.imports import ImportReader
from recognizance.records.outbox import OutboxReader
from recognizance.records.packs import PACK_FACES, Locker, Pack
from recognizance.records.session import Row
from recognizance.records.subjects import SubjectReader

_UNIT_NORM_TOLERANCE = 1e-3
_FETCH = 256

_outbox = schema.outbox.c
_galleries = schema.galleries.c
_faces = schema.faces.c
_images = schema.images.c
_subjects = schema.subjects.c
_kept = schema.kept_images.c
_rf = schema.removed_faces.c
_rs = schema.removed_subjects.c

_FILE_SOUND = text("PRAGMA integrity_check(10)")
_LINKS_SOUND = text("PRAGMA foreign_key_check")
_ALL_GALLERIES = select(schema.galleries).where(IS_OPEN).order_by(_galleries.gallery_key)
_CLOSED_WITH_KEY = select(func.count()).where(~IS_OPEN, _galleries.wrapped_key != b"")
_FACES = select(
    func.count().label("rows"),
    func.count(_faces.subject_id).label("owned"),
    func.coalesce(func.max(_faces.added_version), 0).label("newest"),
).where(_faces.gallery_key == bindparam("gallery"))
_SUBJECTS = select(
    func.count().label("rows"),
    func.coalesce(func.sum(_subjects.face_count), 0).label("owned"),
    func.coalesce(func.max(_subjects.changed_version), 0).label("newest"),
).where(_subjects.gallery_key == bindparam("gallery"))
_MISCOUNTED_SUBJECTS = select(func.count()).where(
    _subjects.gallery_key == bindparam("gallery"),
    _subjects.face_count
    != select(func.count())
    .where(_faces.gallery_key == _subjects.gallery_key, _faces.subject_id == _subjects.subject_id)
    .scalar_subquery(),
)
# Every face's image is there, which the foreign keys say; so images beyond those that faces name have no face.
_EMPTY_IMAGES = select(
    select(func.count()).where(_images.gallery_key == bindparam("gallery")).scalar_subquery()
    - select(func.count(_faces.image_id.distinct())).where(_faces.gallery_key == bindparam("gallery")).scalar_subquery()
)
_REMOVED = tuple(
    select(
        func.count().label("rows"),
        func.coalesce(func.min(column.version), 0).label("oldest"),
        func.coalesce(func.max(column.version), 0).label("newest"),
    ).where(column.gallery_key == bindparam("gallery"))
    for column in (_rf, _rs)
)
_RISEN = select(func.count()).where(
    _rf.gallery_key == bindparam("gallery"),
    exists().where(
        _faces.gallery_key == _rf.gallery_key, _faces.face_id == _rf.face_id, _faces.added_version <= _rf.version
    ),
)
_LEDGER_ROWS = select(_outbox.entry_id, _outbox.log_index).order_by(_outbox.position)
_DOCUMENT_ROWS = select(schema.documents).order_by(schema.documents.c.kind, schema.documents.c.document_id)
_KEPT = select(_kept.image_id).where(_kept.gallery_key == bindparam("gallery")).order_by(_kept.image_id)


class CheckReader(SubjectReader, ImportReader, ClosedReader, DocumentReader, OutboxReader):
    def problems(self) -> Iterator[str]:
        """Everything that is wrong, as sentences; nothing if all is sound. Takes as long as reading it all."""
        yield from self._file_problems()
        for row in self._run(_ALL_GALLERIES).all():
            name = f"gallery {row.gallery_id!r}"
            # The floor that deleted galleries leave holds for those created later; which these are, nobody knows.
            if row.version < 1:
                yield f"{name}: version {row.version} is not beyond 0, which no gallery has"
            if row.horizon > row.version:
                yield f"{name}: horizon {row.horizon} is beyond version {row.version}"
            try:
                locker = self._locker(row)
            except Error as error:
                yield f"{name}: its key does not open: {error}"
                continue
            for problem in self._gallery_problems(row, locker):
                yield f"{name}: {problem}"
        for key in self.access_keys():
            try:
                self.access_key(key.id)
            except Error as error:
                yield f"access key {key.id!r}: {error}"
        if keys := self._run(_CLOSED_WITH_KEY).scalar_one():
            yield f"{keys} galleries that are being erased have a key still"
        yield from self._outbox_problems()
        yield from self._document_problems()

    def ledger_rows(self) -> Iterator[tuple[str, int | None]]:
        """Every entry that was committed to, oldest first, with its index in the ledger; `None` if it has none yet."""
        for row in self._run(_LEDGER_ROWS.execution_options(yield_per=_FETCH)):
            yield row.entry_id, row.log_index

    def every_document(self) -> Iterator[tuple[str, str, Document | None]]:
        """Every document by kind and id; `None` for one that doesn't open, because it was changed from outside."""
        for row in self._run(_DOCUMENT_ROWS.execution_options(yield_per=_FETCH)):
            try:
                yield row.kind, row.document_id, self._opened_document(row)
            except CorruptionError:
                yield row.kind, row.document_id, None

    def _file_problems(self) -> Iterator[str]:
        for line in self._run(_FILE_SOUND).scalars():
            if line != "ok":
                yield f"the database file: {line}"
        broken = len(self._run(_LINKS_SOUND).all())
        if broken:
            yield f"{broken} rows belong to something that isn't there"

    def _gallery_problems(self, row: Row, locker: Locker) -> Iterator[str]:
        yield from self._template_problems(row, locker)
        yield from self._count_problems(row)
        yield from self._removal_problems(row)
        if (empty := self._run(_EMPTY_IMAGES, {"gallery": row.gallery_key}).scalar_one()) > 0:
            yield f"{empty} images have no face"
        for image_id in self._run(_KEPT, {"gallery": row.gallery_key}).scalars().all():
            try:
                self.kept_image(GalleryId(row.gallery_id), ImageId(image_id))
            except CorruptionError as error:
                yield f"photograph {image_id!r}: {error}"

    def _template_problems(self, row: Row, locker: Locker) -> Iterator[str]:
        """Every face has exactly one template, and every template one face.

        Each pack's faces have to point back at that pack, so none is in two; and if the totals agree, none is in none.
        """
        total = 0
        try:
            for pack in self._packs(locker):
                total += len(pack.face_ids)
                yield from self._pack_problems(row, pack)
        except CorruptionError as error:
            yield f"templates: {error}"
            return
        if total != row.face_count:
            yield f"it counts {row.face_count} faces and has {total} templates"

    def _pack_problems(self, row: Row, pack: Pack) -> Iterator[str]:
        count, dimension = pack.templates.shape
        if count > PACK_FACES or len(set(pack.face_ids)) != count:
            yield f"pack {pack.key} is overfull or holds a face twice"
        if dimension != row.dimension:
            yield f"pack {pack.key} holds templates of {dimension} numbers, not {row.dimension}"
        # Written so that NaN fails too.
        if not bool(np.all(np.abs(np.linalg.norm(pack.templates, axis=1) - 1) <= _UNIT_NORM_TOLERANCE)):
            yield f"pack {pack.key} holds a template that hasn't unit length"
        places = self._places(row.gallery_key, pack.face_ids)
        lost = sum(places.get(face_id) != pack.key for face_id in pack.face_ids)
        if lost:
            yield f"pack {pack.key} holds {lost} templates whose faces are elsewhere or nowhere"

    def _count_problems(self, row: Row) -> Iterator[str]:
        faces = self._run(_FACES, {"gallery": row.gallery_key}).one()
        subjects = self._run(_SUBJECTS, {"gallery": row.gallery_key}).one()
        if faces.rows != row.face_count:
            yield f"it counts {row.face_count} faces and has {faces.rows}"
        if subjects.rows != row.subject_count:
            yield f"it counts {row.subject_count} subjects and has {subjects.rows}"
        if faces.owned != subjects.owned:
            yield f"{faces.owned} faces belong to subjects, who count {subjects.owned}"
        if wrong := self._run(_MISCOUNTED_SUBJECTS, {"gallery": row.gallery_key}).scalar_one():
            yield f"{wrong} subjects count their faces wrongly"
        if max(faces.newest, subjects.newest) > row.version:
            yield f"something changed after version {row.version}, its newest"

    def _removal_problems(self, row: Row) -> Iterator[str]:
        found: Sequence[Row] = [self._run(each, {"gallery": row.gallery_key}).one() for each in _REMOVED]
        if sum(each.rows for each in found) != row.removed_count:
            yield f"it counts {row.removed_count} removals and remembers {sum(each.rows for each in found)}"
        if any(each.newest > row.version or (each.rows and each.oldest <= row.horizon) for each in found):
            yield "it remembers removals from outside its horizon and version"
        if risen := self._run(_RISEN, {"gallery": row.gallery_key}).scalar_one():
            yield f"{risen} removed faces are still there"
