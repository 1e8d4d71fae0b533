"""Receipts: the proof, to be kept by whoever needs it, that an entry is in the log.

Implements c2sp.org/tlog-proof:

    c2sp.org/tlog-proof@v1
    extra <base64>                      (optional, never trusted)
    index <decimal>
    <base64 hash>                       (from the leaf's sibling up)
    <empty line>
    <checkpoint, verbatim>

A receipt is checked offline with nothing but the entry and the log's public key. Pure.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from recognizance.errors import InputError
from recognizance.ledger.checkpoints import Checkpoint, OpenedCheckpoint, open_checkpoint
from recognizance.ledger.merkle import MAX_PROOF_HASHES, Hash, leaf_hash, verify_inclusion
from recognizance.ledger.notes import (
    MAX_NOTE_BYTES,
    SignatureError,
    SignedNote,
    VerifierKey,
    decode_hash_line,
    encode_hash_line,
    parse_decimal,
)

_HEADER = "c2sp.org/tlog-proof@v1"
MAX_EXTRA_BYTES = 65_536
_MAX_RECEIPT_BYTES = 2 * MAX_EXTRA_BYTES + 64 * 64 + MAX_NOTE_BYTES


@dataclass(frozen=True, slots=True)
class Receipt:
    """An entry's index, its inclusion proof, and the signed checkpoint that it leads to.

    Attributes:
        extra: Data of the application's own, which nothing vouches for; `None` when there is none.
    """

    index: int
    proof: tuple[Hash, ...]
    note: SignedNote
    extra: bytes | None = None

    def __post_init__(self) -> None:
        if len(self.proof) > MAX_PROOF_HASHES:
            raise InputError(f"the receipt has {len(self.proof)} hashes; the limit is {MAX_PROOF_HASHES}")
        if self.extra is not None and not 1 <= len(self.extra) <= MAX_EXTRA_BYTES:
            raise InputError(f"the receipt has {len(self.extra)} extra bytes; there are 1 to {MAX_EXTRA_BYTES} or none")

    @property
    def data(self) -> bytes:
        """The receipt as it is stored and sent, as a file that ends in `.tlog-proof`."""
        extra = [] if self.extra is None else [f"extra {base64.b64encode(self.extra).decode()}"]
        lines = [_HEADER, *extra, f"index {self.index}", *map(encode_hash_line, self.proof), ""]
        return "".join(line + "\n" for line in lines).encode() + self.note.data

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a receipt, checking its form only.

        Raises:
            InputError: If the bytes aren't exactly one receipt.
        """
        if len(data) > _MAX_RECEIPT_BYTES:
            raise InputError(f"the receipt has {len(data)} bytes; the limit is {_MAX_RECEIPT_BYTES}")
        head, _, note = data.partition(b"\n\n")
        try:
            header, *lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError as error:
            raise InputError("the receipt isn't ASCII above its checkpoint") from error
        extra = _decode_extra(lines.pop(0)) if lines and lines[0].startswith("extra ") else None
        if header != _HEADER or not lines or not lines[0].startswith("index "):
            raise InputError(f"a receipt starts with {_HEADER!r} and an index")
        index, proof = parse_decimal(lines[0].removeprefix("index ")), tuple(map(decode_hash_line, lines[1:]))
        receipt = cls(index, proof, SignedNote.parse(note), extra)
        if receipt.data != data:
            raise InputError("the receipt isn't canonical")
        return receipt

    @property
    def size(self) -> int:
        """The size of the tree that the receipt speaks of."""
        return Checkpoint.parse(self.note.text).size

    def verify(
        self,
        entry: bytes,
        log_keys: tuple[VerifierKey, ...],
        witnesses: Sequence[VerifierKey] = (),
        *,
        quorum: int = 0,
    ) -> OpenedCheckpoint:
        """Refuse unless the log signed a tree with `entry` at this index.

        Args:
            quorum: How many of `witnesses` must have cosigned.

        Returns:
            The checkpoint, checked, to be compared with those that others hold.

        Raises:
            InputError: If it doesn't hold: `SignatureError` for the checkpoint, `ProofError` for the path to it.
        """
        opened = open_checkpoint(self.note.data, log_keys, tuple(witnesses))
        if len(opened.witnesses) < quorum:
            raise SignatureError(f"{len(opened.witnesses)} known witnesses cosigned the receipt; {quorum} must have")
        checkpoint = opened.checkpoint
        verify_inclusion(leaf_hash(entry), self.index, checkpoint.size, checkpoint.root, self.proof)
        return opened


def _decode_extra(line: str) -> bytes:
    try:
        return base64.b64decode(line.removeprefix("extra "), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError("the extra data of the receipt isn't base64") from error
