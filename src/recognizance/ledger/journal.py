"""The journal of a log's writer: what has been promised since the public files were last made durable.

It is a sequence of records, each `uint32 length ‖ SHA-256 of the payload ‖ payload`. The first one holds the checkpoint
that the public files are known to be durable for; each later one holds a batch of entries and the signed checkpoint
that covers them. A batch is promised once its record is on the disk, and not before.

A crash may leave any part of the last record, and zeros where the rest should be; that record was never promised, and
is dropped. Zeros in place of a length end the journal. Other damage means that a promised record has changed, and is an
error; where damage looks like an end, the log still notices that more was published. Pure.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from recognizance.errors import CorruptionError, InputError
from recognizance.ledger.checkpoints import Checkpoint
from recognizance.ledger.notes import SignedNote
from recognizance.ledger.tiles import join_entries

_LENGTH_BYTES = 4
_DIGEST_BYTES = 32
_FRAME_BYTES = _LENGTH_BYTES + _DIGEST_BYTES


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries, and the signed checkpoint of the log with them."""

    note: SignedNote
    entries: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Journal:
    """What a journal says: the checkpoint that it starts from, and the batches promised since."""

    base: SignedNote
    batches: tuple[Batch, ...]

    @property
    def notes(self) -> tuple[SignedNote, ...]:
        """Every checkpoint that it holds, in order: the base, then one for each batch."""
        return (self.base, *(batch.note for batch in self.batches))


def encode_record(note: SignedNote, entries: Sequence[bytes] = ()) -> bytes:
    """Return the bytes of one record."""
    payload = len(note.data).to_bytes(_LENGTH_BYTES, "big") + note.data + join_entries(entries)
    return len(payload).to_bytes(_LENGTH_BYTES, "big") + sha256(payload).digest() + payload


def parse_journal(data: bytes) -> Journal:
    """Read a journal, leaving out a last record that was never completed.

    Raises:
        CorruptionError: If a completed record isn't as it was written, or the first one isn't complete.
    """
    batches: list[Batch] = []
    start = 0
    while start < len(data):
        payload = _payload_at(data, start)
        if payload is None:
            break
        try:
            batches.append(_parse_payload(payload))
        except InputError as error:
            raise CorruptionError(f"the journal's record at byte {start} is damaged: {error}") from error
        start += _FRAME_BYTES + len(payload)
    if not batches or batches[0].entries:
        raise CorruptionError("the journal doesn't start with the checkpoint that it continues")
    base, *rest = batches
    _check_sizes(base, rest)
    return Journal(base.note, tuple(rest))


def _payload_at(data: bytes, start: int) -> bytes | None:
    """Return the payload of the record at `start`, or `None` for a last record that a crash cut short."""
    length = int.from_bytes(data[start : start + _LENGTH_BYTES], "big")
    digest = data[start + _LENGTH_BYTES : start + _FRAME_BYTES]
    payload = data[start + _FRAME_BYTES : start + _FRAME_BYTES + length]
    if length == 0:
        return None
    if hmac.compare_digest(sha256(payload).digest(), digest) and len(payload) == length:
        return payload
    # A torn record reaches the end of the file, or its unwritten part reads as zeros. What lies within the file with
    # more records behind it was once complete.
    if start + _FRAME_BYTES + length >= len(data) or not data[start + _FRAME_BYTES + length :].strip(b"\0"):
        return None
    raise CorruptionError(f"the journal's record at byte {start} was changed after it was written")


def _parse_payload(payload: bytes) -> Batch:
    length = int.from_bytes(payload[:_LENGTH_BYTES], "big")
    note = SignedNote.parse(payload[_LENGTH_BYTES : _LENGTH_BYTES + length])
    entries: list[bytes] = []
    start = _LENGTH_BYTES + length
    while start < len(payload):
        end = start + 2 + int.from_bytes(payload[start : start + 2], "big")
        if end > len(payload):
            raise InputError("an entry is cut short")
        entries.append(payload[start + 2 : end])
        start = end
    return Batch(note, tuple(entries))


def _check_sizes(base: Batch, batches: Sequence[Batch]) -> None:
    """Refuse batches that don't continue one another: the count of entries is what links them."""
    size = Checkpoint.parse(base.note.text).size
    for batch in batches:
        size += len(batch.entries)
        if Checkpoint.parse(batch.note.text).size != size:
            raise CorruptionError(f"the journal's batch up to size {size} has another size in its checkpoint")
