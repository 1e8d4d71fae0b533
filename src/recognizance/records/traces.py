"""Traces: everywhere in the records that something still stands, to prove that it doesn't.

An erasure is checked against the whole database, not against what it meant to delete: every column of every table is
read as text or bytes, and every sealed value is opened and read as well. So a table that is added later is looked at
without anybody remembering to. Files are read raw: the database, its write-ahead log, and whatever else lies beside it.

A trace says where something was found, and never what. Ids of removed faces are allowed to stand in the two tables that
tell indexes what to drop: they are random numbers that lead nowhere any more.
"""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import LargeBinary, Table, bindparam, func, select

from recognizance.identifiers import FaceId, GalleryId, ImageId
from recognizance.records import schema
from recognizance.records.documents import Document, DocumentReader
from recognizance.records.galleries import CLOSED, IS_OPEN
from recognizance.records.keys import DataKey, context
from recognizance.records.outbox import HAS_KEY, OutboxReader
from recognizance.records.session import Row, batches

_CHUNK_BYTES = 1 << 20
_FETCH = 256
REMOVALS = frozenset({schema.removed_faces.name, schema.removed_subjects.name})
"""Where ids of what was removed have to stay, until every index has followed."""

_openings = schema.openings.c
_outbox = schema.outbox.c
_GALLERIES = select(schema.galleries).where(IS_OPEN)
_TABLES = {table.name: select(table) for table in schema.metadata.sorted_tables}
_OPENINGS_FROM = (
    select(_outbox.position, _openings.entry_id, _openings.field, _openings.gallery_key, _openings.sealed)
    .join(schema.outbox, _outbox.entry_id == _openings.entry_id)
    .where(_outbox.position > bindparam("after"), HAS_KEY)
    .order_by(_outbox.position, _openings.field)
)
_OPENINGS_OF_GALLERY = _OPENINGS_FROM.where(_openings.gallery_key == bindparam("gallery"))
_PLACES = (
    select(_openings.entry_id)
    .join(schema.outbox, _outbox.entry_id == _openings.entry_id)
    .where(_openings.gallery_key == bindparam("gallery"), _openings.field == bindparam("of_field"))
    .order_by(_outbox.position)
)
_COUNT_OPENINGS = select(func.count()).where(_openings.gallery_key == bindparam("gallery"))
_COUNT_IMAGES = select(func.count()).where(schema.images.c.gallery_key == bindparam("gallery"))
_FACES_FROM_IMAGE = select(schema.faces.c.face_id).where(
    schema.faces.c.gallery_key == bindparam("gallery"), schema.faces.c.image_id == bindparam("image")
)
_DIGESTS_IN_USE = (
    select(schema.images.c.sha256)
    .distinct()
    .where(schema.images.c.sha256.in_(bindparam("digests", expanding=True)), schema.images.c.gallery_key.not_in(CLOSED))
)
_NAMES_OF_IMAGES = (
    select(schema.images.c.external_image_id)
    .distinct()
    .where(
        schema.images.c.external_image_id.in_(bindparam("names", expanding=True)),
        schema.images.c.gallery_key.not_in(CLOSED),
    )
)
_NAMES_OF_SUBJECTS = (
    select(schema.subjects.c.subject_id)
    .distinct()
    .where(
        schema.subjects.c.subject_id.in_(bindparam("names", expanding=True)),
        schema.subjects.c.gallery_key.not_in(CLOSED),
    )
)
_LAST_POSITION = select(func.coalesce(func.max(_outbox.position), 0))
_DOCUMENTS = select(schema.documents).order_by(schema.documents.c.kind, schema.documents.c.document_id)
_changes = schema.document_changes.c
_DOCUMENTS_SINCE = (
    select(schema.documents)
    .join(
        schema.document_changes,
        (_changes.kind == schema.documents.c.kind) & (_changes.document_id == schema.documents.c.document_id),
    )
    .where(_changes.position > bindparam("after"))
    .order_by(_changes.position)
)


@dataclass(frozen=True, slots=True)
class Trace:
    """A place where something was found.

    Attributes:
        table: The table, or the path of a file.
        place: Which row, by its key, or which offset.
    """

    table: str
    place: str


@dataclass(frozen=True, slots=True)
class OpeningPlace:
    entry_id: str
    field: str


@dataclass(frozen=True, slots=True)
class DocumentPlace:
    kind: str
    id: str


class Needles:
    """What is looked for.

    Args:
        ids: Random ids of ours. They are found inside longer text as well, since nothing else can be spelled like them.
        names: What people chose. Found where they stand as a whole value, because `ada` is no trace of `adam`.
        blobs: Bytes such as templates and hashes, found anywhere.

    Raises:
        ValueError: If there is nothing to look for.
    """

    SHORTEST_RAW = 8
    """Characters of the shortest name that is looked for in raw files, where shorter ones occur by chance."""

    def __init__(
        self, *, ids: Collection[str] = (), names: Collection[str] = (), blobs: Collection[bytes] = ()
    ) -> None:
        if not (ids or names or blobs) or not all((*ids, *names, *blobs)):
            raise ValueError("there is nothing to look for")
        self.ids, self.names, self.blobs = frozenset(ids), frozenset(names), frozenset(blobs)
        raw = {name.encode() for name in self.names if len(name) >= self.SHORTEST_RAW} | self.blobs
        quoted = {json.dumps(name, ensure_ascii=False).encode() for name in self.names}
        anywhere = {each.encode() for each in self.ids} | self.blobs
        self._raw, self._inside, self._in_json = _any_of(raw), _any_of(anywhere), _any_of(anywhere | quoted)
        self.longest_raw = max(map(len, raw), default=1)

    def are_in_text(self, value: str) -> bool:
        return value in self.names or self.are_in_bytes(value.encode())

    def are_in_bytes(self, data: bytes) -> bool:
        return _found(self._inside, data)

    def are_in_json(self, data: bytes) -> bool:
        return _found(self._in_json, data)

    def are_in_file(self, data: bytes) -> bool:
        """Ids aren't looked for here: those of what was removed stand in `REMOVALS`."""
        return _found(self._raw, data)


def _any_of(needles: Collection[bytes]) -> re.Pattern[bytes] | None:
    # One alternation: the text is read once, however many things are looked for.
    return re.compile(b"|".join(map(re.escape, sorted(needles)))) if needles else None


def _found(pattern: re.Pattern[bytes] | None, data: bytes) -> bool:
    return pattern is not None and pattern.search(data) is not None


class TraceReader(DocumentReader, OutboxReader):
    def traces(self, needles: Needles) -> Iterator[Trace]:
        """Every row that holds one of `needles`, in the clear or sealed. Takes as long as reading everything.

        What a gallery that is being erased had sealed can't be opened by anybody; its rows are read in the clear.
        """
        lockers = {row.gallery_key: self._locker(row) for row in self._run(_GALLERIES).all()}
        for name, statement in _TABLES.items():
            table = schema.metadata.tables[name]
            for row in self._run(statement.execution_options(yield_per=_FETCH)):
                if name not in REMOVALS and _stand_in(needles, row):
                    yield Trace(name, _place(table, row))
                elif table is schema.packs and (locker := lockers.get(row.gallery_key)) is not None:
                    if needles.are_in_bytes(locker.key.unseal(row.sealed, locker.context(row.face_ids))):
                        yield Trace(name, _place(table, row))
                elif table is schema.kept_images and (locker := lockers.get(row.gallery_key)) is not None:
                    bound_to = context("photograph", locker.gallery, row.image_id)
                    photograph = locker.key.unseal(row.sealed, bound_to)
                    if needles.are_in_file(photograph) or needles.are_in_bytes(photograph):
                        yield Trace(name, _place(table, row))
        yield from (Trace("openings", f"{each.entry_id} {each.field}") for each in self.openings_naming(needles))
        yield from (Trace("documents", f"{each.kind} {each.id}") for each in self.documents_naming(needles))

    def last_position(self) -> int:
        """Where the outbox ends now; what is committed to later comes behind it."""
        position: int = self._run(_LAST_POSITION).scalar_one()
        return position

    def faces_from_image(self, gallery: GalleryId, image_id: ImageId) -> list[FaceId]:
        """The faces that a photograph shows and the gallery holds.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        given = {"gallery": self._gallery_row(gallery).gallery_key, "image": image_id}
        return [FaceId(face_id) for face_id in self._run(_FACES_FROM_IMAGE, given).scalars()]

    def photographs_in_use(self, digests: Collection[bytes]) -> set[bytes]:
        """Those among these SHA-256 of photographs that some gallery has an image of. Reads all of them."""
        return {
            bytes(digest)
            for some in batches(list(digests))
            for digest in self._run(_DIGESTS_IN_USE, {"digests": some}).scalars()
        }

    def names_in_use(self, names: Collection[str]) -> set[str]:
        """Those among `names` that some photograph or subject of some gallery bears. Reads all of them."""
        return {
            str(name)
            for some in batches(list(names))
            for statement in (_NAMES_OF_IMAGES, _NAMES_OF_SUBJECTS)
            for name in self._run(statement, {"names": some}).scalars()
        }

    def opening_places(self, gallery: GalleryId, field: str) -> list[str]:
        """The entries of which this field is still sealed under the gallery's key, the oldest first.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        given = {"gallery": self._gallery_row(gallery).gallery_key, "of_field": field}
        return [str(entry_id) for entry_id in self._run(_PLACES, given).scalars()]

    def opening_count(self, gallery: GalleryId) -> int:
        """How many openings are sealed under a gallery's key, and go with it.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        count: int = self._run(_COUNT_OPENINGS, {"gallery": self._gallery_row(gallery).gallery_key}).scalar_one()
        return count

    def image_count(self, gallery: GalleryId) -> int:
        """How many photographs a gallery's faces come from.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        count: int = self._run(_COUNT_IMAGES, {"gallery": self._gallery_row(gallery).gallery_key}).scalar_one()
        return count

    def openings_naming(
        self, needles: Needles, *, gallery: GalleryId | None = None, after_position: int = 0
    ) -> Iterator[OpeningPlace]:
        """The openings whose value holds one of `needles`, of entries committed to behind `after_position`.

        Args:
            gallery: Only what is sealed under this gallery's key.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        keys: dict[int, DataKey] = {}
        given: dict[str, object] = {"after": after_position}
        if gallery is not None:
            given["gallery"] = self._gallery_row(gallery).gallery_key
        statement = (_OPENINGS_FROM if gallery is None else _OPENINGS_OF_GALLERY).execution_options(yield_per=_FETCH)
        for row in self._run(statement, given):
            if needles.are_in_json(self._opening_value(row, keys)):
                yield OpeningPlace(row.entry_id, row.field)

    def documents_naming(self, needles: Needles) -> Iterator[DocumentPlace]:
        """The documents whose body, labels or id hold one of `needles`. Opens all there are."""
        for row in self._run(_DOCUMENTS.execution_options(yield_per=_FETCH)):
            if _names(needles, document := self._opened_document(row)):
                yield DocumentPlace(document.kind, document.id)

    def documents_naming_still(
        self, needles: Needles, found: Collection[DocumentPlace], *, since: int
    ) -> Iterator[DocumentPlace]:
        """As `documents_naming`, for whoever has looked before: opens what was found then and what is new alone.

        Args:
            found: What `documents_naming` answered of these needles, or more of them, in an earlier snapshot.
            since: `last_document_change` in that snapshot.
        """
        documents = {
            DocumentPlace(place.kind, document.id): document
            for place in found
            for document in self.documents_by_id(place.kind, [place.id]).values()
        }
        for row in self._run(_DOCUMENTS_SINCE, {"after": since}).all():
            documents[DocumentPlace(row.kind, row.document_id)] = self._opened_document(row)
        yield from (place for place, document in documents.items() if _names(needles, document))

    def _opening_value(self, row: Row, keys: dict[int, DataKey]) -> bytes:
        # One key for each gallery of the scan, instead of one unwrapping for each of its openings.
        if row.gallery_key is not None and row.gallery_key not in keys:
            keys[row.gallery_key] = self._opening_key(row.gallery_key)
        key = self._access_cipher() if row.gallery_key is None else keys[row.gallery_key]
        return key.unseal(row.sealed, context("opening", row.entry_id, row.field))


def file_traces(folder: Path, needles: Needles) -> Iterator[Trace]:
    """Every file in a folder, and in the folders in it, whose raw bytes hold one of `needles`."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            offset = _offset_in(path, needles)
            if offset is not None:
                yield Trace(str(path.relative_to(folder)), f"behind byte {offset}")


def _offset_in(path: Path, needles: Needles) -> int | None:
    before = b""
    offset = 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                if needles.are_in_file(before + chunk):
                    return offset
                # What begins at the end of one chunk and ends in the next has to be seen whole.
                before = (before + chunk)[-needles.longest_raw :]
                offset += len(chunk)
    except FileNotFoundError:
        # The write-ahead log comes and goes while we look.
        return None
    return None


def _names(needles: Needles, document: Document) -> bool:
    texts = (document.id, *document.labels.values())
    return needles.are_in_json(document.body) or any(map(needles.are_in_text, texts))


def _stand_in(needles: Needles, row: Row) -> bool:
    """Whether one of a row's columns holds a needle, in the clear."""
    return any(
        (isinstance(value, bytes) and needles.are_in_bytes(value))
        or (isinstance(value, str) and needles.are_in_text(value))
        for value in row
    )


def _place(table: Table, row: Row) -> str:
    """A row's key, without what people chose to write into it."""
    keys = [
        column.name
        for column in table.primary_key
        if not isinstance(column.type, LargeBinary) and column.name not in {"path", "value", "subject_id", "job"}
    ]
    return " ".join(f"{name}={getattr(row, name)}" for name in keys)
