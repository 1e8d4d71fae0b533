"""Checkpoints: what a log signs about itself. Implements c2sp.org/tlog-checkpoint.

    "1. The first line is the origin, a unique identifier for the log identity which issued the checkpoint.
    2. The second line is the tree size, the ASCII decimal representation of the number of leaves in the tree, with no
    leading zeroes (unless the tree is empty, in which case the tree size is 0).
    3. The third line is the root hash, the base64 encoding of the root of the [RFC 6962] Merkle hash tree at the
    specified tree size.
    4. Any following lines are extension lines, opaque and OPTIONAL. Extension lines, if any, MUST be non-empty."

We write no extension lines ("not auditable by log monitors"), and read those of others. Pure.
"""

from dataclasses import dataclass
from typing import Self

from recognizance.errors import InputError
from recognizance.ledger.merkle import HASH_SIZE_BYTES, MAX_TREE_SIZE, Hash
from recognizance.ledger.notes import (
    OpenedNote,
    SignedNote,
    Signer,
    VerifierKey,
    decode_hash_line,
    encode_hash_line,
    open_note,
    parse_decimal,
)

_MIN_LINES = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The size and root of a log at some moment."""

    origin: str
    size: int
    root: Hash
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_TREE_SIZE:
            raise InputError(f"the tree size {self.size} is not between 0 and {MAX_TREE_SIZE}")
        if len(self.root) != HASH_SIZE_BYTES:
            raise InputError(f"the root has {len(self.root)} bytes; a hash has {HASH_SIZE_BYTES}")
        if not all(line and "\n" not in line for line in (self.origin, *self.extensions)):
            raise InputError("the origin and extension lines of a checkpoint are single lines that aren't empty")

    @property
    def text(self) -> str:
        """The text of the note that states this checkpoint.

        >>> print(Checkpoint("example.com/log", 1, bytes(32)).text)
        example.com/log
        1
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
        <BLANKLINE>
        """
        lines = (self.origin, str(self.size), encode_hash_line(self.root), *self.extensions)
        return "".join(line + "\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text of a note.

        Raises:
            InputError: If it doesn't state exactly one checkpoint.
        """
        lines = text.removesuffix("\n").split("\n")
        if len(lines) < _MIN_LINES:
            raise InputError(f"a checkpoint has at least {_MIN_LINES} lines; this one has {len(lines)}")
        origin, size, root, *extensions = lines
        checkpoint = cls(origin, parse_decimal(size), decode_hash_line(root), tuple(extensions))
        if checkpoint.text != text:
            raise InputError("the checkpoint isn't canonical")
        return checkpoint

    def signed(self, signer: Signer) -> SignedNote:
        """Return the note that states this checkpoint, signed."""
        return SignedNote(self.text, (signer.sign(self.text),))


@dataclass(frozen=True, slots=True)
class OpenedCheckpoint:
    """A checkpoint that a known key of its log signed.

    Attributes:
        opened: The note, and which of the log's and the witnesses' keys signed it.
    """

    checkpoint: Checkpoint
    opened: OpenedNote

    @property
    def witnesses(self) -> tuple[VerifierKey, ...]:
        """The known witnesses that cosigned it."""
        return tuple(key for key, time_s in self.opened.verified if time_s is not None)


def open_checkpoint(
    data: bytes, log_keys: tuple[VerifierKey, ...], witnesses: tuple[VerifierKey, ...] = ()
) -> OpenedCheckpoint:
    """Read a checkpoint that one of its log's keys signed.

    Args:
        log_keys: The key of the log, and those that it has rotated away from if older checkpoints are to be read. All
            have the log's origin as their name.
        witnesses: Keys whose cosignatures are checked too. A cosignature never stands in for the log's own signature.

    Raises:
        InputError: If the bytes aren't a checkpoint, no key of the log signed it, or a known key's signature is false.
    """
    opened = open_note(data, log_keys)
    if witnesses:
        opened = open_note(data, (*log_keys, *witnesses))
    checkpoint = Checkpoint.parse(opened.text)
    if checkpoint.origin not in {key.name for key in log_keys}:
        raise InputError(f"the checkpoint is of the log {checkpoint.origin!r}; the key is of {log_keys[0].name!r}")
    return OpenedCheckpoint(checkpoint, opened)
