"""Galleries: creating, describing, listing, tagging. How one goes is in `closed.py`; here it is gone at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, update

from recognizance.errors import ConflictError, LimitError, NotFoundError
from recognizance.identifiers import GalleryId, ModelId
from recognizance.records import schema
from recognizance.records.keys import new_data_key
from recognizance.records.packs import Locker, PackReader, PackWriter
from recognizance.records.rows import HORIZON_ROWS, MAX_TAGS, GalleryRow
from recognizance.records.session import Row, gallery_context, opened

_galleries = schema.galleries.c
_tags = schema.gallery_tags.c
_OF_GALLERY_ROW = _galleries.gallery_key == bindparam("gallery")

CLOSED = select(schema.closed_galleries.c.gallery_key)
"""Galleries that are being erased. Nothing finds them by a name, and nothing that was sealed under their keys opens."""
IS_OPEN = _galleries.gallery_key.not_in(CLOSED)

_BY_ID = select(schema.galleries).where(_galleries.gallery_id == bindparam("gallery_id"), IS_OPEN)
_BY_ID_LOCKED = _BY_ID.with_for_update()  # SQLite has one writer anyway, and leaves this out
_PAGE = (
    select(schema.galleries)
    .where(_galleries.gallery_id > bindparam("after"), IS_OPEN)
    .order_by(_galleries.gallery_id)
    .limit(bindparam("limit"))
)
_TAGS_OF = (
    select(_tags.gallery_key, _tags.tag, _tags.value)
    .where(_tags.gallery_key.in_(bindparam("gallery_keys", expanding=True)))
    .order_by(_tags.tag)
)
_FLOOR = select(schema.installation.c.version_floor)
_RAISE_FLOOR = update(schema.installation).values(version_floor=bindparam("floor"))
_INSERT = insert(schema.galleries)
_SET_KEY = update(schema.galleries).where(_OF_GALLERY_ROW).values(wrapped_key=bindparam("wrapped"))
_UPDATE = (
    update(schema.galleries)
    .where(_OF_GALLERY_ROW)
    .values(
        face_count=bindparam("faces"),
        subject_count=bindparam("subjects"),
        removed_count=bindparam("removed"),
        version=bindparam("now_version"),
        horizon=bindparam("now_horizon"),
        dimension=bindparam("now_dimension"),
    )
)
_RAISE_VERSION = (
    update(schema.galleries)
    .where(_OF_GALLERY_ROW)
    .values(version=bindparam("now_version"), horizon=bindparam("now_horizon"))
)
_DELETE_TAGS = delete(schema.gallery_tags).where(
    _tags.gallery_key == bindparam("gallery"), _tags.tag.in_(bindparam("names", expanding=True))
)
_INSERT_TAGS = insert(schema.gallery_tags)
_rf = schema.removed_faces.c
_rs = schema.removed_subjects.c
# The version below which removals are forgotten: that of the first row past the horizon, counted from the newest.
_FORGET_BEFORE = (
    select(_rf.version)
    .where(_rf.gallery_key == bindparam("gallery"))
    .union_all(select(_rs.version).where(_rs.gallery_key == bindparam("gallery")))
    .order_by("version")
    .offset(bindparam("kept"))
    .limit(1)
)
_FORGET_FACES = delete(schema.removed_faces).where(
    _rf.gallery_key == bindparam("gallery"), _rf.version <= bindparam("before")
)
_FORGET_SUBJECTS = delete(schema.removed_subjects).where(
    _rs.gallery_key == bindparam("gallery"), _rs.version <= bindparam("before")
)


@dataclass(slots=True)
class OpenGallery:
    """A gallery's row while a transaction changes it. The change is written once, by `_finish`."""

    locker: Locker
    version: int
    horizon: int
    face_count: int
    subject_count: int
    removed_count: int
    dimension: int | None

    @property
    def key(self) -> int:
        return self.locker.gallery_key


class GalleryReader(PackReader):
    def gallery(self, gallery: GalleryId) -> GalleryRow:
        """Describe a gallery, at once whatever its size.

        Raises:
            NotFoundError: If there is none of this name.
        """
        row = self._gallery_row(gallery)
        return _described(row, self._tags_by_gallery([row.gallery_key]))

    def galleries(self, *, after: GalleryId | None = None, limit: int) -> list[GalleryRow]:
        """A page of galleries, ordered by name, beginning behind `after`."""
        rows = self._run(_PAGE, {"after": after or "", "limit": limit}).all()
        tags = self._tags_by_gallery([row.gallery_key for row in rows])
        return [_described(row, tags) for row in rows]

    def _gallery_row(self, gallery: GalleryId, *, locked: bool = False) -> Row:
        row = self._run(_BY_ID_LOCKED if locked else _BY_ID, {"gallery_id": gallery}).one_or_none()
        if row is None:
            raise NotFoundError(f"there is no gallery {gallery!r}")
        return row

    def _locker(self, row: Row) -> Locker:
        return Locker(
            gallery_key=row.gallery_key,
            gallery=GalleryId(row.gallery_id),
            model=ModelId(row.model),
            key=opened(self._master_key, row.wrapped_key, gallery_context(row.gallery_key)),
        )

    def _tags_by_gallery(self, keys: list[int]) -> dict[int, dict[str, str]]:
        tags: dict[int, dict[str, str]] = {}
        for row in self._run(_TAGS_OF, {"gallery_keys": keys}):
            tags.setdefault(row.gallery_key, {})[row.tag] = row.value
        return tags


class GalleryWriter(GalleryReader, PackWriter):
    def create_gallery(
        self, gallery: GalleryId, *, model: ModelId, created: datetime, tags: Mapping[str, str] | None = None
    ) -> GalleryRow:
        """Create an empty gallery with a data key of its own.

        Raises:
            ConflictError: If it exists.
            LimitError: If there are more than `MAX_TAGS` tags.
        """
        if self._run(_BY_ID, {"gallery_id": gallery}).one_or_none() is not None:
            raise ConflictError(f"gallery {gallery!r} exists")
        version = self._run(_FLOOR).scalar_one() + 1
        result = self._run(
            _INSERT,
            {
                "gallery_id": gallery,
                "model": model,
                "created": created,
                "wrapped_key": b"",
                "face_count": 0,
                "subject_count": 0,
                "removed_count": 0,
                "version": version,
                "horizon": version,
            },
        )
        # The key is bound to the row's number, which the insertion has just drawn.
        key: int = result.inserted_primary_key[0]  # type: ignore[index]
        wrapped = self._master_key.wrap(new_data_key(), gallery_context(key))
        self._run(_SET_KEY, {"gallery": key, "wrapped": wrapped.value})
        if tags:
            self.tag_gallery(gallery, tags)
        return self.gallery(gallery)

    def raise_versions(self, versions: Mapping[GalleryId, int]) -> None:
        """Take galleries to versions that the ledger has of them, if those are later; no version may come twice.

        Only for records that were put back from an older copy. Whoever holds an index has to load it again.
        """
        if versions:
            self._raise_floor(max(versions.values()))
        for gallery, version in versions.items():
            row = self._run(_BY_ID_LOCKED, {"gallery_id": gallery}).one_or_none()
            if row is not None and row.version < version:
                self._run(_RAISE_VERSION, {"gallery": row.gallery_key, "now_version": version, "now_horizon": version})

    def _raise_floor(self, version: int) -> None:
        """Have galleries that are created from now on begin beyond this version."""
        self._run(_RAISE_FLOOR, {"floor": max(version, self._run(_FLOOR).scalar_one())})

    def tag_gallery(self, gallery: GalleryId, tags: Mapping[str, str]) -> None:
        """Set tags, replacing the values of those that are there.

        Raises:
            NotFoundError: If there is no such gallery.
            LimitError: If it would have more than `MAX_TAGS`. Nothing is changed then.
        """
        key = self._gallery_row(gallery, locked=True).gallery_key
        held = self._tags_by_gallery([key]).get(key, {})
        count = len(held.keys() | tags.keys())
        if count > MAX_TAGS:
            raise LimitError(f"gallery {gallery!r} would have {count} tags; the limit is {MAX_TAGS}")
        self._run(_DELETE_TAGS, {"gallery": key, "names": list(tags)})
        self._run_many(_INSERT_TAGS, [{"gallery_key": key, "tag": tag, "value": tags[tag]} for tag in tags])

    def untag_gallery(self, gallery: GalleryId, names: Iterable[str]) -> None:
        """Remove tags; names that it doesn't have are passed over.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        key = self._gallery_row(gallery, locked=True).gallery_key
        self._run(_DELETE_TAGS, {"gallery": key, "names": list(names)})

    def _change(self, gallery: GalleryId) -> OpenGallery:
        """Begin a change: the next version, which `_finish` writes."""
        row = self._gallery_row(gallery, locked=True)
        return OpenGallery(
            locker=self._locker(row),
            version=row.version + 1,
            horizon=row.horizon,
            face_count=row.face_count,
            subject_count=row.subject_count,
            removed_count=row.removed_count,
            dimension=row.dimension,
        )

    def _finish(self, gallery: OpenGallery) -> None:
        """Write what a change did to the gallery's own row, and forget removals beyond the horizon."""
        excess = gallery.removed_count - HORIZON_ROWS
        if excess > 0:
            self._forget_removals(gallery, excess)
        self._run(
            _UPDATE,
            {
                "gallery": gallery.key,
                "faces": gallery.face_count,
                "subjects": gallery.subject_count,
                "removed": gallery.removed_count,
                "now_version": gallery.version,
                "now_horizon": gallery.horizon,
                "now_dimension": gallery.dimension,
            },
        )

    def _forget_removals(self, gallery: OpenGallery, excess: int) -> None:
        before = self._run(_FORGET_BEFORE, {"gallery": gallery.key, "kept": excess - 1}).scalar_one()
        for statement in (_FORGET_FACES, _FORGET_SUBJECTS):
            gallery.removed_count -= self._run(statement, {"gallery": gallery.key, "before": before}).rowcount
        gallery.horizon = before


def _described(row: Row, tags: Mapping[int, Mapping[str, str]]) -> GalleryRow:
    return GalleryRow(
        id=GalleryId(row.gallery_id),
        model=ModelId(row.model),
        created=row.created,
        face_count=row.face_count,
        subject_count=row.subject_count,
        version=row.version,
        dimension=row.dimension,
        tags=dict(tags.get(row.gallery_key, {})),
    )
