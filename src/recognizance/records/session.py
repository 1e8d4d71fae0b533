"""What every statement in this folder runs on: one open transaction, and the key that opens what it reads."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy import Row as TypedRow

from recognizance.records.keys import DataKey, MasterKey, WrappedKey, context

BATCH = 1000
"""The most values in one `IN` list, or rows in one statement: well below SQLite's 32,766 parameters."""

Row: TypeAlias = TypedRow[*tuple[Any, ...]]
"""A row as the database answers it; nothing outside this folder sees one."""

_Value = TypeVar("_Value")


class Session:
    """A transaction's connection. Readers and writers of each kind of row build on it."""

    def __init__(self, connection: Connection, master_key: MasterKey, *, installed: bytes | None = None) -> None:
        """`installed` is the installation's wrapped key, if it has been read in this transaction already."""
        self._connection = connection
        self._master_key = master_key
        self._installed = installed
        # Whether this transaction removed something that has to leave the write-ahead log too.
        self._erased = False
        self._installation_key: DataKey | None = None

    def _run(self, statement: Executable, given: Mapping[str, object] | None = None) -> CursorResult[*tuple[Any, ...]]:
        return self._connection.execute(statement, given or {})

    def _run_many(self, statement: Executable, rows: Sequence[Mapping[str, object]]) -> None:
        if rows:
            self._connection.execute(statement, rows)


def gallery_context(gallery_key: int) -> bytes:
    """What a gallery's data key is bound to. Row numbers are never given twice, names of galleries are."""
    return context("gallery", str(gallery_key))


def opened(master_key: MasterKey, wrapped_key: bytes, bound_to: bytes) -> DataKey:
    return DataKey(master_key.unwrap(WrappedKey(wrapped_key), bound_to))


def batches(values: Sequence[_Value], size: int = BATCH) -> "list[Sequence[_Value]]":
    """Cut `values` into runs of at most `size`.

    >>> batches([1, 2, 3], 2)
    [[1, 2], [3]]
    """
    return [values[start : start + size] for start in range(0, len(values), size)]
