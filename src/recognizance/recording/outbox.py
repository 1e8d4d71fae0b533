"""The records as the ledger's sequencer sees them: `ledger.Outbox` over the rows of `records`."""

from collections.abc import Collection, Mapping, Sequence

from recognizance.ledger import EntryId, PendingEntry
from recognizance.records import Records


class RecordsOutbox:
    """An `Outbox` in the database in which the changes themselves are committed."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def marked_size(self) -> int:
        with self._records.reading() as reader:
            return reader.marked_size()

    def pending(self, limit: int) -> Sequence[PendingEntry]:
        with self._records.reading() as reader:
            rows = reader.pending_entries(limit)
        return [PendingEntry(EntryId(row.entry_id), row.data, row.position) for row in rows]

    def last_position(self) -> int:
        with self._records.reading() as reader:
            return reader.last_position()

    def indexes(self, ids: Collection[EntryId]) -> Mapping[EntryId, int]:
        with self._records.reading() as reader:
            return {EntryId(entry_id): index for entry_id, index in reader.entry_indexes(ids).items()}

    def mark(self, first_index: int, ids: Sequence[EntryId]) -> None:
        # The log is what was promised. Marks that a power failure undoes are made again from it, so this needn't wait
        # for the disk, which would be the second wait of each search.
        with self._records.transaction(durable=False) as transaction:
            transaction.mark_entries(first_index, ids)
