"""How old things are, without reading them: what a gallery holds from before a day, counted by the day of its making.

For saying what retention would destroy today at once, however much a gallery holds: everything here finds its rows by
an index and stops at the day that it's asked about, so that it costs what is due and not what is kept.
"""

from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta

from sqlalchemy import BigInteger, bindparam, func, literal_column, select, type_coerce

from recognizance.identifiers import GalleryId, ImageId
from recognizance.records import schema
from recognizance.records.galleries import GalleryReader
from recognizance.records.session import batches

_DAY_US = 86_400_000_000
_EPOCH = date(1970, 1, 1)

_faces = schema.faces.c
_kept = schema.kept_images.c
_openings = schema.openings.c

_OLD = (_faces.gallery_key == bindparam("gallery"), _faces.created < bindparam("before"))
_DAY = (type_coerce(_faces.created, BigInteger) // _DAY_US).label("day")
_FACE_DAYS = select(_DAY, func.count().label("things")).where(*_OLD).group_by("day")

_MADE = func.min(type_coerce(_faces.created, BigInteger)).label("made")
# Grouped by something that isn't the column itself, or SQLite reads the whole gallery in the order of its photographs.
_IMAGE = (_faces.image_id + "").label("image_id")
_OLD_IMAGES = select(_IMAGE, _MADE).where(*_OLD).group_by(_IMAGE).subquery()
_IMAGE_DAYS = (
    select((_OLD_IMAGES.c.made // _DAY_US).label("day"), func.count().label("things"))
    # Looked up for each: a join would rather begin with all photographs that are kept.
    .where(
        select(_kept.image_id)
        .where(_kept.gallery_key == bindparam("gallery"), _kept.image_id == _OLD_IMAGES.c.image_id)
        .exists()
    )
    .group_by("day")
)
_IMAGES_MADE = (
    select(_faces.image_id, func.min(_faces.created).label("made"))
    .where(_faces.gallery_key == bindparam("gallery"), _faces.image_id.in_(bindparam("ids", expanding=True)))
    .group_by(_faces.image_id)
)
_KEEPS_IMAGES = select(_kept.image_id).where(_kept.gallery_key == bindparam("gallery")).limit(1)

# Openings are stored in the order of their entries, and SQLite's index has its rows in the order of their storing.
# PostgreSQL has no such order; there a number of its own would have to take its place.
_PLACE = literal_column("openings.rowid", BigInteger)
_SEALED = (
    select(_PLACE.label("place"), _openings.entry_id)
    .where(
        _openings.gallery_key == bindparam("gallery"),
        bindparam("after") < _PLACE,
        _openings.field.in_(bindparam("fields", expanding=True)),
    )
    .order_by(_PLACE)
    .limit(bindparam("limit"))
)


class AgeReader(GalleryReader):
    def faces_by_day(self, gallery: GalleryId, *, before: datetime) -> dict[date, int]:
        """How many faces enrolled before a moment are from each UTC day; days without any are absent.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        given = {"gallery": self._gallery_row(gallery).gallery_key, "before": before}
        return {_day(row.day): row.things for row in self._run(_FACE_DAYS, given)}

    def kept_images_by_day(self, gallery: GalleryId, *, before: datetime) -> dict[date, int]:
        """As `faces_by_day`, of photographs that are kept: each from the day of the first of its faces.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        given = {"gallery": self._gallery_row(gallery).gallery_key, "before": before}
        return {_day(row.day): row.things for row in self._run(_IMAGE_DAYS, given)}

    def images_made(self, gallery: GalleryId, images: Collection[ImageId]) -> dict[ImageId, datetime]:
        """When the first face of each photograph was enrolled; photographs without a face are absent.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        key = self._gallery_row(gallery).gallery_key
        return {
            ImageId(row.image_id): row.made
            for ids in batches(list(images))
            for row in self._run(_IMAGES_MADE, {"gallery": key, "ids": ids})
        }

    def keeps_images(self, gallery: GalleryId) -> bool:
        """Whether any photograph is kept.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        given = {"gallery": self._gallery_row(gallery).gallery_key}
        return self._run(_KEEPS_IMAGES, given).one_or_none() is not None

    def oldest_openings(self, gallery: GalleryId, fields: Collection[str], *, page: int) -> Iterator[list[str]]:
        """The entries of which one of these fields is sealed under the gallery's key, the oldest first, in pages.

        An entry with two of them may come twice.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        key, after = self._gallery_row(gallery).gallery_key, 0
        given = {"gallery": key, "fields": list(fields), "limit": page}
        while rows := self._run(_SEALED, {**given, "after": after}).all():
            after = rows[-1].place
            yield list(dict.fromkeys(row.entry_id for row in rows))


def _day(number: int) -> date:
    return _EPOCH + timedelta(days=number)
