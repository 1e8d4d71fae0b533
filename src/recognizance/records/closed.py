"""Galleries that are being erased: closed in one small transaction, then emptied in as many as their size asks for.

Closing takes a gallery's name and its data key away at once. Nothing finds it any more, another gallery may take its
name, and what was sealed under its key can't be opened by anybody, so that what is left to remove are bytes that mean
nothing, and names and ids. Those go a bounded number at a time, and the writers of other galleries take their turns in
between. What has gone so far is counted in the transaction in which it goes: whoever takes the work up after a crash
finds it where it was.

It must never drop a gallery's row while anything belongs to it: the foreign keys refuse that.

Implements `docs/forgetting.md`, "A whole gallery", and `docs/decisions/0058-a-gallery-goes-in-pieces.md`.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Delete, Select, Table, bindparam, delete, func, insert, select, tuple_, update

from recognizance.errors import NotFoundError
from recognizance.identifiers import GalleryId
from recognizance.records import schema
from recognizance.records.galleries import GalleryReader, GalleryWriter
from recognizance.records.packs import PACK_FACES
from recognizance.records.rows import GalleryRow
from recognizance.records.session import Row

_closed = schema.closed_galleries.c
_galleries = schema.galleries.c
_OF_GALLERY = _galleries.gallery_key == bindparam("gallery")
_THIS = _closed.erasure == bindparam("of_erasure")

_INSERT = insert(schema.closed_galleries)
_BY_ERASURE = select(schema.closed_galleries).where(_THIS)
_ALL = select(schema.closed_galleries).order_by(_closed.gallery_key)
_CLOSE = (
    update(schema.galleries)
    .where(_OF_GALLERY)
    .values(gallery_id=bindparam("hidden"), wrapped_key=b"", face_count=0, subject_count=0, removed_count=0)
)
_DELETE_TAGS = delete(schema.gallery_tags).where(schema.gallery_tags.c.gallery_key == bindparam("gallery"))
_COUNT = (
    update(schema.closed_galleries)
    .where(_THIS)
    .values(
        face_count=_closed.face_count + bindparam("faces"),
        image_count=_closed.image_count + bindparam("images"),
        opening_count=_closed.opening_count + bindparam("openings"),
    )
)
_DELETE_CLOSED = delete(schema.closed_galleries).where(_THIS)
_DELETE_GALLERY = delete(schema.galleries).where(_OF_GALLERY)

_PHOTOGRAPH_ROWS = 100
"""Rows that removing a photograph costs as much as: it is overwritten, and has a megabyte or so."""


@dataclass(frozen=True, slots=True)
class ClosedGallery:
    """A gallery that is being erased.

    Attributes:
        erasure: What it is known by, since its name is free.
        face_count, image_count, opening_count: How many rows have been removed so far.
    """

    erasure: str
    face_count: int
    image_count: int
    opening_count: int


@dataclass(frozen=True, slots=True)
class _Part:
    """A table of what belongs to galleries.

    Attributes:
        rows: How many plain rows removing one of it costs as much as.
        some: Removes as many of a gallery's as it is told, in the order of their key.
    """

    table: Table
    rows: int
    some: Delete
    count: Select[Any]
    first: Select[Any]


def _part(table: Table, *key: ColumnElement[Any], rows: int = 1) -> _Part:
    of_gallery = table.c.gallery_key == bindparam("gallery")
    chosen = select(*key).where(of_gallery).order_by(*key).limit(bindparam("most"))
    among = key[0].in_(chosen) if len(key) == 1 else tuple_(*key).in_(chosen)
    return _Part(
        table,
        rows,
        delete(table).where(of_gallery, among),
        select(func.count()).where(of_gallery),
        select(table.c.gallery_key).where(of_gallery).limit(1),
    )


# Children before parents, so that the foreign keys hold at each step.
_PARTS = (
    _part(schema.packs, schema.packs.c.pack_key, rows=PACK_FACES),
    _part(schema.faces, schema.faces.c.face_id),
    _part(schema.subjects, schema.subjects.c.subject_id),
    _part(schema.kept_images, schema.kept_images.c.image_id, rows=_PHOTOGRAPH_ROWS),
    _part(schema.images, schema.images.c.image_id),
    _part(schema.removed_faces, schema.removed_faces.c.version, schema.removed_faces.c.face_id),
    _part(schema.removed_subjects, schema.removed_subjects.c.version, schema.removed_subjects.c.subject_key),
    _part(schema.import_items, schema.import_items.c.job, schema.import_items.c.path),
    _part(schema.openings, schema.openings.c.entry_id, schema.openings.c.field),
)


class ClosedReader(GalleryReader):
    def closed_galleries(self) -> list[ClosedGallery]:
        """The galleries that are being erased, the first to be created first."""
        return [_described(row) for row in self._run(_ALL)]

    def rows_left(self, erasure: str) -> int:
        """How much there is still to remove of a closed gallery, in plain rows; reads an index of each of its tables.

        Raises:
            NotFoundError: If no gallery was closed by this erasure, or all of it is gone.
        """
        given = {"gallery": self._closed(erasure).gallery_key}
        return sum(part.rows * int(self._run(part.count, given).scalar_one()) for part in _PARTS)

    def is_emptied(self, erasure: str) -> bool:
        """Whether nothing of a closed gallery is left but its own row; at once, whatever there is.

        Raises:
            NotFoundError: If no gallery was closed by this erasure, or all of it is gone.
        """
        given = {"gallery": self._closed(erasure).gallery_key}
        return all(self._run(part.first, given).one_or_none() is None for part in _PARTS)

    def _closed(self, erasure: str) -> Row:
        row = self._run(_BY_ERASURE, {"of_erasure": erasure}).one_or_none()
        if row is None:
            raise NotFoundError(f"no gallery is being erased by {erasure!r}")
        return row


class ClosedWriter(ClosedReader, GalleryWriter):
    def close_gallery(self, gallery: GalleryId, *, erasure: str) -> GalleryRow:
        """Take a gallery's name and its data key away, at once whatever its size; answers what it was.

        From here on it is none: whatever asks for its name finds nothing, or the next gallery that takes it.

        Raises:
            NotFoundError: If there is none of this name.
            ConflictError: If this erasure has closed another one.
        """
        row = self._gallery_row(gallery, locked=True)
        described = self.gallery(gallery)
        # Whoever holds an index of this gallery must not take one created later under its name for a continuation.
        self._raise_floor(row.version)
        self._run(_DELETE_TAGS, {"gallery": row.gallery_key})
        # No gallery's name has a slash. The page that held the key is zeroed by `secure_delete`.
        self._run(_CLOSE, {"gallery": row.gallery_key, "hidden": f"/{erasure}"})
        closed = {"gallery_key": row.gallery_key, "erasure": erasure}
        self._run(_INSERT, {**closed, "face_count": 0, "image_count": 0, "opening_count": 0})
        self._erased = True
        return described

    def erase_closed(self, erasure: str, *, most: int) -> int:
        """Remove some of what belonged to a closed gallery; takes time in proportion to `most`.

        Args:
            most: Rows, of which a pack of templates or a photograph counts for many. At least one thing is removed.

        Returns:
            How many rows that was; 0 if nothing is left but the gallery's own row.

        Raises:
            NotFoundError: If no gallery was closed by this erasure, or all of it is gone.
        """
        key, gone, counts = self._closed(erasure).gallery_key, 0, dict.fromkeys(_COUNTED.values(), 0)
        for part in _PARTS:
            if gone >= most:
                break
            count = self._run(part.some, {"gallery": key, "most": max(1, (most - gone) // part.rows)}).rowcount
            gone += count * part.rows
            if part.table.name in _COUNTED:
                counts[_COUNTED[part.table.name]] = count
        if gone:
            self._run(_COUNT, {"of_erasure": erasure, **counts})
        return gone

    def drop_closed(self, erasure: str) -> ClosedGallery:
        """Remove the last of a closed gallery: its own row. Answers what has gone in all.

        Raises:
            NotFoundError: If no gallery was closed by this erasure, or all of it is gone.
            ConflictError: If something of it is left.
        """
        row = self._closed(erasure)
        self._run(_DELETE_CLOSED, {"of_erasure": erasure})
        self._run(_DELETE_GALLERY, {"gallery": row.gallery_key})
        self._erased = True
        return _described(row)


_COUNTED = {schema.faces.name: "faces", schema.images.name: "images", schema.openings.name: "openings"}


def _described(row: Row) -> ClosedGallery:
    return ClosedGallery(row.erasure, row.face_count, row.image_count, row.opening_count)
