"""The outbox of the ledger, and what opens the commitments of its entries.

An entry is committed to here in the transaction that makes the change it speaks of; the ledger's sequencer then gives
it its place in the log and marks the row with it (the contract is that of `ledger.outbox.Outbox`). Row numbers rise in
the order of commits, since there is one writer at a time. Once a row is marked, its bytes are in the log's own files,
and only its id and index stay here.

An opening is the salt and value of one private field of an entry. It is sealed under its gallery's key if it belongs to
a gallery, else under the installation's. Deleting the gallery, or the opening alone, destroys what the entry says.
"""

import dataclasses
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, func, insert, or_, select, update

from recognizance.errors import CorruptionError
from recognizance.identifiers import GalleryId
from recognizance.records import schema
from recognizance.records.access import AccessReader
from recognizance.records.galleries import CLOSED, GalleryReader
from recognizance.records.keys import DataKey, context
from recognizance.records.session import Row, batches

SALT_BYTES = 32

_outbox = schema.outbox.c
_openings = schema.openings.c
_galleries = schema.galleries.c

_MARKED_SIZE = select(func.coalesce(func.max(_outbox.log_index) + 1, 0))
_LAST_POSITION = select(func.coalesce(func.max(_outbox.position), 0))
_PENDING = (
    select(_outbox.entry_id, _outbox.data, _outbox.position)
    .where(_outbox.log_index.is_(None))
    .order_by(_outbox.position)
    .limit(bindparam("limit"))
)
_MARKS = select(_outbox.entry_id, _outbox.log_index).where(_outbox.entry_id.in_(bindparam("ids", expanding=True)))
_COUNT_MARKED = select(func.count(_outbox.log_index))
_INSERT = insert(schema.outbox)
_MARK = (
    update(schema.outbox)
    .where(_outbox.entry_id == bindparam("id"), _outbox.log_index.is_(None))
    .values(log_index=bindparam("at"), data=b"")
)
# Those of a gallery that is being erased have lost their key: what they opened can't be shown any more.
HAS_KEY = or_(_openings.gallery_key.is_(None), _openings.gallery_key.not_in(CLOSED))
_OPENINGS_OF = (
    select(_openings.entry_id, _openings.field, _openings.gallery_key, _openings.sealed)
    .where(_openings.entry_id == bindparam("id"), HAS_KEY)
    .order_by(_openings.field)
)
_ALL_OPENINGS = (
    select(_openings.entry_id, _openings.field, _openings.gallery_key, _openings.sealed)
    .where(_openings.entry_id > bindparam("after"), HAS_KEY)
    .order_by(_openings.entry_id, _openings.field)
    .limit(bindparam("limit"))
)
_GALLERY_BY_KEY = select(schema.galleries).where(_galleries.gallery_key == bindparam("gallery"))
_INSERT_OPENINGS = insert(schema.openings)
_ERASE_OPENINGS = delete(schema.openings).where(_openings.entry_id.in_(bindparam("ids", expanding=True)))
_ERASE_OPENING = delete(schema.openings).where(
    _openings.entry_id == bindparam("id"), _openings.field == bindparam("of_field")
)


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """An entry that was committed to and isn't known to be in the log.

    Attributes:
        position: Rises from commit to commit.
    """

    entry_id: str
    data: bytes
    position: int


@dataclass(frozen=True, slots=True)
class OpeningRow:
    """The salt and value of one private field of an entry.

    Attributes:
        value: The canonical JSON of the value.
        salt: 32 bytes.
    """

    entry_id: str
    field: str
    value: bytes = dataclasses.field(repr=False)
    salt: bytes = dataclasses.field(repr=False)


class OutboxReader(GalleryReader, AccessReader):
    def marked_size(self) -> int:
        """The size of the log as far as the records know it: one more than the largest index that a row is marked with.

        If marks were missing below it, which nothing but damage can bring about, `problems` would say so.
        """
        size: int = self._run(_MARKED_SIZE).scalar_one()
        return size

    def pending_entries(self, limit: int) -> list[OutboxRow]:
        """The oldest rows that aren't marked, in the order in which they were committed."""
        return [OutboxRow(row.entry_id, row.data, row.position) for row in self._run(_PENDING, {"limit": limit})]

    def last_position(self) -> int:
        """The position of the latest entry that was committed to, marked or not; 0 if there is none."""
        position: int = self._run(_LAST_POSITION).scalar_one()
        return position

    def entry_indexes(self, entry_ids: Collection[str]) -> dict[str, int]:
        """The log's indexes of those entries among `entry_ids` that are marked."""
        return {
            row.entry_id: row.log_index
            for some in batches(list(entry_ids))
            for row in self._run(_MARKS, {"ids": some})
            if row.log_index is not None
        }

    def openings(self, entry_id: str) -> tuple[OpeningRow, ...]:
        """What opens an entry's commitments, by field; nothing of what has been erased.

        Raises:
            CorruptionError: If one was changed.
        """
        return tuple(self._opened_opening(row) for row in self._run(_OPENINGS_OF, {"id": entry_id}).all())

    def _opened_opening(self, row: Row) -> OpeningRow:
        plain = self._opening_key(row.gallery_key).unseal(row.sealed, _bound_to(row.entry_id, row.field))
        return OpeningRow(row.entry_id, row.field, value=plain[SALT_BYTES:], salt=plain[:SALT_BYTES])

    def _opening_key(self, gallery_key: int | None) -> DataKey:
        if gallery_key is None:
            return self._access_cipher()
        row = self._run(_GALLERY_BY_KEY, {"gallery": gallery_key}).one_or_none()
        if row is None:
            raise CorruptionError("an opening belongs to a gallery that isn't there")
        return self._locker(row).key

    def _outbox_problems(self) -> Iterator[str]:
        """Marks have no holes, and every opening opens."""
        size, marked = self.marked_size(), self._run(_COUNT_MARKED).scalar_one()
        if size != marked:
            yield f"the ledger has {size} entries by the largest mark, and {marked} rows are marked"
        after = ""
        while rows := self._run(_ALL_OPENINGS, {"after": after, "limit": 256}).all():
            # A page may end within an entry; its remaining fields are read with it.
            last = rows[-1].entry_id
            whole = [row for row in rows if row.entry_id != last]
            whole += self._run(_OPENINGS_OF, {"id": last}).all()
            after = last
            for row in whole:
                try:
                    self._opened_opening(row)
                except CorruptionError as error:
                    yield f"the opening of {row.field!r} of the entry {row.entry_id}: {error}"


class OutboxWriter(OutboxReader):
    def commit_entry(
        self,
        entry_id: str,
        data: bytes,
        openings: Sequence[OpeningRow] = (),
        *,
        of_gallery: Sequence[OpeningRow] = (),
        gallery: GalleryId | None = None,
    ) -> int:
        """Commit to an entry, together with everything else in this transaction; answers its position.

        Args:
            openings: Sealed under the installation's key.
            of_gallery: Sealed under the key of `gallery`, and gone with it.

        Raises:
            NotFoundError: If there is no such gallery.
            ConflictError: If there is an entry of this id.
        """
        position: int = self._run(_INSERT, {"entry_id": entry_id, "data": data}).lastrowid
        rows = [_sealed_opening(entry_id, opening, self._access_cipher(), None) for opening in openings]
        if of_gallery:
            if gallery is None:
                raise ValueError("openings under a gallery's key need to be told which gallery")
            row = self._gallery_row(gallery)
            key = self._locker(row).key
            rows += [_sealed_opening(entry_id, opening, key, row.gallery_key) for opening in of_gallery]
        self._run_many(_INSERT_OPENINGS, rows)
        return position

    def mark_entries(self, first_index: int, entry_ids: Sequence[str]) -> None:
        """Mark rows with `first_index` and those that follow it. Again with the same index changes nothing.

        Raises:
            CorruptionError: If a row doesn't exist, or is marked with another index.
        """
        marks = {entry_id: index for index, entry_id in enumerate(entry_ids, start=first_index)}
        rows = [{"id": entry_id, "at": index} for entry_id, index in marks.items()]
        if not rows or self._connection.execute(_MARK, rows).rowcount == len(entry_ids):
            return
        # Some were marked before, or aren't there; if wrongly, what was just marked goes with this transaction.
        known = {row.entry_id: row.log_index for some in batches(entry_ids) for row in self._run(_MARKS, {"ids": some})}
        for entry_id, index in marks.items():
            if known.get(entry_id) != index:
                raise CorruptionError(
                    f"entry {index} of the log, {entry_id}, is not the one that the records have there; if these were"
                    " put back from a copy, `recognizance reconcile` brings both to agree"
                )

    def adopt_entries(self, first_index: int, entry_ids: Sequence[str]) -> frozenset[str]:
        """Take consecutive entries of the log for ours, those included that these records never committed to.

        Only for records that were put back from an older copy: what such an entry commits to can't be opened.

        Returns:
            Those that were unknown.

        Raises:
            CorruptionError: If a row is marked with another index.
        """
        known = {row.entry_id for some in batches(entry_ids) for row in self._run(_MARKS, {"ids": some})}
        unknown = [entry_id for entry_id in entry_ids if entry_id not in known]
        self._run_many(_INSERT, [{"entry_id": entry_id, "data": b""} for entry_id in unknown])
        self.mark_entries(first_index, entry_ids)
        return frozenset(unknown)

    def erase_openings(self, entry_ids: Collection[str]) -> int:
        """Destroy all openings of entries: what they committed to can't be shown again. Answers how many went."""
        count = sum(self._run(_ERASE_OPENINGS, {"ids": some}).rowcount for some in batches(list(entry_ids)))
        self._erased = self._erased or count > 0
        return count

    def erase_opening(self, entry_id: str, field_name: str) -> bool:
        """Destroy the opening of one field; answers whether there was one."""
        found = self._run(_ERASE_OPENING, {"id": entry_id, "of_field": field_name}).rowcount > 0
        self._erased = self._erased or found
        return found


def _sealed_opening(entry_id: str, opening: OpeningRow, key: DataKey, gallery_key: int | None) -> dict[str, object]:
    sealed = key.seal(opening.salt + opening.value, _bound_to(entry_id, opening.field))
    return {"entry_id": entry_id, "field": opening.field, "gallery_key": gallery_key, "sealed": sealed}


def _bound_to(entry_id: str, field_name: str) -> bytes:
    return context("opening", entry_id, field_name)
