"""Templates at rest: packs of up to 64, each sealed as one value.

A gallery's last pack is filled before another is begun, so a face that is stored alone rewrites 32 KiB at most, and a
million faces are read as 15,625 rows. Measured with 128-d templates: 0.4 µs a face for packs, 1.9 µs for a row each,
and 0.8 µs for a row each that isn't even sealed. See docs/decisions/0010-templates-in-packs.md.

A pack's context names the gallery, the model and every face in order. A removed face's template is gone from the pack
that takes its pack's place, and the old bytes are overwritten.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from sqlalchemy import bindparam, delete, insert, select, update

from recognizance.errors import CorruptionError
from recognizance.identifiers import FaceId, GalleryId, ModelId
from recognizance.records import schema
from recognizance.records.keys import DataKey, context
from recognizance.records.rows import Template, Templates
from recognizance.records.session import Row, Session, batches

PACK_FACES = 64
"""Faces in a full pack."""

_STORED = np.dtype("<f4")
_SEPARATOR = " "
_FETCH = 64
_IN_LIST = 256

PackKey: TypeAlias = int

_packs = schema.packs.c
_OF_GALLERY = _packs.gallery_key == bindparam("gallery")

_ALL = select(_packs.pack_key, _packs.face_ids, _packs.sealed).where(_OF_GALLERY).order_by(_packs.pack_key)
_SOME = _ALL.where(_packs.pack_key.in_(bindparam("pack_keys", expanding=True)))
_LAST = (
    select(_packs.pack_key, _packs.face_ids, _packs.sealed).where(_OF_GALLERY).order_by(_packs.pack_key.desc()).limit(1)
)
_INSERT = insert(schema.packs)
_REPLACE = (
    update(schema.packs)
    .where(_OF_GALLERY, _packs.pack_key == bindparam("old_key"))
    .values(face_ids=bindparam("new_face_ids"), sealed=bindparam("new_sealed"))
)
_DELETE = delete(schema.packs).where(_OF_GALLERY, _packs.pack_key == bindparam("old_key"))


@dataclass(frozen=True, slots=True)
class Locker:
    """What opens the packs of one gallery."""

    gallery_key: int
    gallery: GalleryId
    model: ModelId
    key: DataKey

    def context(self, face_ids: str) -> bytes:
        return context("pack", self.gallery, self.model, face_ids)


@dataclass(frozen=True, slots=True, eq=False)
class Pack:
    """An opened pack: row i of `templates` belongs to `face_ids[i]`."""

    key: PackKey
    face_ids: list[FaceId]
    templates: Templates


class PackReader(Session):
    """Reads packs, and proves each one sound on the way."""

    def _packs(self, locker: Locker, pack_keys: Iterable[PackKey] | None = None) -> Iterator[Pack]:
        """All packs of a gallery, or those named, in the order of their keys, which is that of enrolment.

        Raises:
            CorruptionError: If one does not open or is not there.
        """
        if pack_keys is None:
            result = self._run(_ALL.execution_options(yield_per=_FETCH), {"gallery": locker.gallery_key})
            for row in result:
                yield _opened(locker, row)
            return
        for keys in batches(sorted(set(pack_keys)), _IN_LIST):
            rows = self._run(_SOME, {"gallery": locker.gallery_key, "pack_keys": keys}).all()
            if len(rows) != len(keys):
                raise CorruptionError(f"gallery {locker.gallery!r} misses a pack of templates")
            for row in rows:
                yield _opened(locker, row)

    def _picked(self, locker: Locker, places: Mapping[FaceId, PackKey]) -> tuple[list[FaceId], list[Template]]:
        """The templates of certain faces, in the order of enrolment. Costs as much as opening each pack named."""
        wanted: dict[PackKey, set[FaceId]] = {}
        for face_id, pack_key in places.items():
            wanted.setdefault(pack_key, set()).add(face_id)
        ids: list[FaceId] = []
        templates: list[Template] = []
        for pack in self._packs(locker, wanted):
            for face_id, template in zip(pack.face_ids, pack.templates, strict=True):
                if face_id in wanted[pack.key]:
                    ids.append(face_id)
                    templates.append(template)
        if len(ids) != len(places):
            raise CorruptionError(f"gallery {locker.gallery!r} misses the template of a face")
        return ids, templates


class PackWriter(PackReader):
    """Adds templates to packs and takes them out."""

    def _store_templates(self, locker: Locker, face_ids: Sequence[FaceId], templates: Templates) -> list[PackKey]:
        """Fill the last pack, then new ones; says which pack each face went to."""
        last = self._run(_LAST, {"gallery": locker.gallery_key}).one_or_none()
        next_key = 1 if last is None else int(last.pack_key) + 1
        places: list[PackKey] = []
        start = 0
        if last is not None:
            tail = _opened(locker, last)
            start = min(PACK_FACES - len(tail.face_ids), len(face_ids))
            if start > 0:
                joined = np.concatenate([tail.templates, templates[:start]])
                self._replace(locker, Pack(tail.key, [*tail.face_ids, *face_ids[:start]], joined))
                places += [tail.key] * start
            start = max(start, 0)
        rows = []
        for key, first in enumerate(range(start, len(face_ids), PACK_FACES), next_key):
            ids = face_ids[first : first + PACK_FACES]
            rows.append(_sealed(locker, Pack(key, list(ids), templates[first : first + PACK_FACES])))
            places += [key] * len(ids)
        self._run_many(_INSERT, rows)
        return places

    def _destroy_templates(self, locker: Locker, places: Mapping[FaceId, PackKey]) -> None:
        """Take faces out of their packs. What was there before is overwritten."""
        for pack in self._packs(locker, places.values()):
            kept = [row for row, face_id in enumerate(pack.face_ids) if face_id not in places]
            if kept:
                self._replace(locker, Pack(pack.key, [pack.face_ids[row] for row in kept], pack.templates[kept]))
            else:
                self._run(_DELETE, {"gallery": locker.gallery_key, "old_key": pack.key})

    def _replace(self, locker: Locker, pack: Pack) -> None:
        row = _sealed(locker, pack)
        self._run(
            _REPLACE,
            {
                "gallery": locker.gallery_key,
                "old_key": pack.key,
                "new_face_ids": row["face_ids"],
                "new_sealed": row["sealed"],
            },
        )


def _sealed(locker: Locker, pack: Pack) -> dict[str, object]:
    face_ids = _SEPARATOR.join(pack.face_ids)
    plain = np.ascontiguousarray(pack.templates, dtype=_STORED).tobytes()
    return {
        "gallery_key": locker.gallery_key,
        "pack_key": pack.key,
        "face_ids": face_ids,
        "sealed": locker.key.seal(plain, locker.context(face_ids)),
    }


def _opened(locker: Locker, row: Row) -> Pack:
    plain = locker.key.unseal(row.sealed, locker.context(row.face_ids))
    # The seal has proved that these are the ids that were written; FaceId is a type for the checker alone.
    ids: list[FaceId] = row.face_ids.split(_SEPARATOR)
    values = np.frombuffer(plain, dtype=_STORED)
    if values.size % len(ids):
        raise CorruptionError(f"a pack of gallery {locker.gallery!r} holds part of a template")
    return Pack(row.pack_key, ids, values.reshape(len(ids), -1).astype(np.float32, copy=False))
