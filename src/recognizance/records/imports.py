"""What became of each file of an import, so that one which stopped can go on; and the photographs, where they are kept.

An item is written in the transaction that stores the file's faces, so a file is done or it isn't, and never half.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import bindparam, delete, func, insert, select

from recognizance.errors import NotFoundError
from recognizance.identifiers import GalleryId, ImageId
from recognizance.records import schema
from recognizance.records.galleries import GalleryReader, GalleryWriter
from recognizance.records.keys import context
from recognizance.records.rows import ImportItem, ImportState
from recognizance.records.session import Row, batches

_items = schema.import_items.c
_images = schema.images.c
_kept = schema.kept_images.c

_OF_JOB = (_items.gallery_key == bindparam("gallery")) & (_items.job == bindparam("job_id"))
_COLUMNS = (_items.path, _items.digest, _items.state, _items.reason, _items.face_count)
_THIS = _items.path == bindparam("item_path")
_ITEM = select(*_COLUMNS).where(_OF_JOB, _THIS, _items.digest == bindparam("item_digest"))
_PAGE = (
    select(*_COLUMNS).where(_OF_JOB, _items.path > bindparam("after")).order_by(_items.path).limit(bindparam("limit"))
)
_COUNTS = select(_items.state, func.count().label("files")).where(_OF_JOB).group_by(_items.state)
_FACES = select(func.coalesce(func.sum(_items.face_count), 0)).where(_OF_JOB)
_DELETE_ITEM = delete(schema.import_items).where(_OF_JOB, _THIS)
_INSERT_ITEM = insert(schema.import_items)
_DELETE_OF_PHOTOGRAPHS = delete(schema.import_items).where(_items.digest.in_(bindparam("digests", expanding=True)))
_DELETE_IN_STATE = delete(schema.import_items).where(_OF_JOB, _items.state == bindparam("in_state"))
_DELETE_JOB = delete(schema.import_items).where(_OF_JOB)

_IMAGE = select(_images.image_id).where(
    _images.gallery_key == bindparam("gallery"), _images.image_id == bindparam("image")
)
_KEPT_THIS = (_kept.gallery_key == bindparam("gallery")) & (_kept.image_id == bindparam("image"))
_KEPT = select(_kept.sealed).where(_KEPT_THIS)
_KEPT_AMONG = select(_kept.image_id).where(
    _kept.gallery_key == bindparam("gallery"), _kept.image_id.in_(bindparam("ids", expanding=True))
)
_DELETE_KEPT = delete(schema.kept_images).where(_KEPT_THIS)
_INSERT_KEPT = insert(schema.kept_images)


class ImportReader(GalleryReader):
    def import_item(self, gallery: GalleryId, job: str, *, path: str, digest: bytes) -> ImportItem | None:
        """What became of this file with this content; `None` if it's new, or was another file under the same path.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        key = self._gallery_row(gallery).gallery_key
        given = {"gallery": key, "job_id": job, "item_path": path, "item_digest": digest}
        row = self._run(_ITEM, given).one_or_none()
        return None if row is None else _item(row)

    def import_items(self, gallery: GalleryId, job: str, *, after: str | None = None, limit: int) -> list[ImportItem]:
        """A page of a job's files, ordered by path, beginning behind `after`.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        key = self._gallery_row(gallery).gallery_key
        return [
            _item(row)
            for row in self._run(_PAGE, {"gallery": key, "job_id": job, "after": after or "", "limit": limit})
        ]

    def import_counts(self, gallery: GalleryId, job: str) -> dict[ImportState, int]:
        """How many files of a job ended in each state; states without any are absent.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        key = self._gallery_row(gallery).gallery_key
        rows = self._run(_COUNTS, {"gallery": key, "job_id": job})
        return {ImportState(row.state): row.files for row in rows}

    def import_faces(self, gallery: GalleryId, job: str) -> int:
        """How many faces a job has enrolled.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        key = self._gallery_row(gallery).gallery_key
        faces: int = self._run(_FACES, {"gallery": key, "job_id": job}).scalar_one()
        return faces

    def kept_image(self, gallery: GalleryId, image_id: ImageId) -> bytes:
        """A photograph that was kept.

        Raises:
            NotFoundError: If there is no such gallery, or the photograph was not kept or is removed.
            CorruptionError: If it does not open.
        """
        row = self._gallery_row(gallery)
        sealed = self._run(_KEPT, {"gallery": row.gallery_key, "image": image_id}).scalar_one_or_none()
        if sealed is None:
            raise NotFoundError(f"the photograph {image_id!r} is not kept")
        return self._locker(row).key.unseal(sealed, _image_context(gallery, image_id))

    def kept_among(self, gallery: GalleryId, image_ids: Collection[ImageId]) -> set[ImageId]:
        """Those among `image_ids` whose photographs are kept.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        key = self._gallery_row(gallery).gallery_key
        return {
            ImageId(image_id)
            for some in batches(list(image_ids))
            for image_id in self._run(_KEPT_AMONG, {"gallery": key, "ids": some}).scalars()
        }


class ImportWriter(ImportReader, GalleryWriter):
    def record_import_items(self, gallery: GalleryId, job: str, items: Sequence[ImportItem]) -> None:
        """Note what became of files; a file that was noted before under its path is noted anew.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        key = self._gallery_row(gallery, locked=True).gallery_key
        self._run_many(_DELETE_ITEM, [{"gallery": key, "job_id": job, "item_path": item.path} for item in items])
        self._run_many(
            _INSERT_ITEM,
            [
                {
                    "gallery_key": key,
                    "job": job,
                    "path": item.path,
                    "digest": item.digest,
                    "state": item.state.value,
                    "reason": item.reason,
                    "face_count": item.face_count,
                }
                for item in items
            ],
        )

    def forget_import(self, gallery: GalleryId, job: str) -> None:
        """Drop what a job noted. Its faces stay, and running it again would enrol every file anew.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        self._run(_DELETE_JOB, {"gallery": self._gallery_row(gallery, locked=True).gallery_key, "job_id": job})
        self._erased = True

    def forget_rejected(self, gallery: GalleryId, job: str) -> int:
        """Drop what a job noted of photographs of which nothing was enrolled; answers how many those were.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        given = {"gallery": self._gallery_row(gallery, locked=True).gallery_key, "job_id": job}
        count = self._run(_DELETE_IN_STATE, {**given, "in_state": ImportState.REJECTED.value}).rowcount
        self._erased = self._erased or count > 0
        return count

    def forget_imported(self, digests: Collection[bytes]) -> None:
        """Drop what any job noted of photographs, by their SHA-256: what they were called, and that they were there."""
        for some in batches(list(digests)):
            self._run(_DELETE_OF_PHOTOGRAPHS, {"digests": some})
            self._erased = True

    def keep_image(self, gallery: GalleryId, image_id: ImageId, photograph: bytes) -> None:
        """Keep a photograph, sealed, until the last face of it is removed.

        Raises:
            NotFoundError: If there is no such gallery, or no face of this image in it.
        """
        row = self._gallery_row(gallery, locked=True)
        given = {"gallery": row.gallery_key, "image": image_id}
        if self._run(_IMAGE, given).one_or_none() is None:
            raise NotFoundError(f"there is no image {image_id!r} in gallery {gallery!r}")
        sealed = self._locker(row).key.seal(photograph, _image_context(gallery, image_id))
        self._run(_DELETE_KEPT, given)
        self._run(_INSERT_KEPT, {"gallery_key": row.gallery_key, "image_id": image_id, "sealed": sealed})

    def forget_image(self, gallery: GalleryId, image_id: ImageId) -> bool:
        """Destroy a photograph that was kept; its faces stay. Answers whether there was one.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        given = {"gallery": self._gallery_row(gallery, locked=True).gallery_key, "image": image_id}
        there = self._run(_DELETE_KEPT, given).rowcount > 0
        self._erased = self._erased or there
        return there


def _item(row: Row) -> ImportItem:
    return ImportItem(row.path, row.digest, ImportState(row.state), row.reason, row.face_count)


def _image_context(gallery: GalleryId, image_id: ImageId) -> bytes:
    return context("photograph", gallery, image_id)
