"""Witnesses: others who remember a log's newest checkpoint, and cosign only what continues it.

Implements c2sp.org/tlog-witness, both sides of `add-checkpoint`. The request:

    old <size>
    <base64 hash>                       (the consistency proof from that size; none from 0; at most 63)
    <empty line>
    <checkpoint>

The answer is one or more cosignature lines. A witness that has cosigned another size answers 409 with that size, so a
client that doesn't know what the witness has seen learns it from the answer.

`decide` is pure. A `Witness` persists what it is about to cosign before it answers; whoever asks, it never cosigns two
trees of one log that don't continue each other.
"""

import hmac
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol, Self

from recognizance.errors import CorruptionError, InputError
from recognizance.ledger.checkpoints import Checkpoint, open_checkpoint
from recognizance.ledger.merkle import EMPTY_ROOT, MAX_PROOF_HASHES, Hash, ProofError, verify_consistency
from recognizance.ledger.notes import (
    NoteKey,
    SignedNote,
    VerifierKey,
    decode_hash_line,
    encode_hash_line,
    parse_decimal,
)

SIZE_CONTENT_TYPE = "text/x.tlog.size"
TEXT_CONTENT_TYPE = "text/plain; charset=utf-8"
MAX_REQUEST_BYTES = 256 * 1024
"""A proof of 63 lines has under 3 KiB; the rest is room for a checkpoint with many signatures."""


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request for a cosignature.

    Attributes:
        old_size: The size that the witness is thought to have cosigned last; 0 if none.
    """

    old_size: int
    proof: tuple[Hash, ...]
    note: SignedNote

    def __post_init__(self) -> None:
        if len(self.proof) > MAX_PROOF_HASHES:
            raise InputError(f"the proof has {len(self.proof)} hashes; the limit is {MAX_PROOF_HASHES}")

    @property
    def data(self) -> bytes:
        """The body of the request."""
        lines = [f"old {self.old_size}", *map(encode_hash_line, self.proof), ""]
        return "".join(line + "\n" for line in lines).encode() + self.note.data

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the body of a request.

        Raises:
            InputError: If the bytes aren't exactly one.
        """
        if len(data) > MAX_REQUEST_BYTES:
            raise InputError(f"the request has {len(data)} bytes; the limit is {MAX_REQUEST_BYTES}")
        head, _, note = data.partition(b"\n\n")
        try:
            old, *lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError as error:
            raise InputError("the request isn't ASCII above its checkpoint") from error
        if len(lines) > MAX_PROOF_HASHES or not old.startswith("old "):
            raise InputError(f"a request starts with an old size and at most {MAX_PROOF_HASHES} hashes")
        size, proof = parse_decimal(old.removeprefix("old ")), tuple(map(decode_hash_line, lines))
        request = cls(size, proof, SignedNote.parse(note))
        if request.data != data:
            raise InputError("the request isn't canonical")
        return request


@dataclass(frozen=True, slots=True)
class Answer:
    """What a witness answers."""

    status: HTTPStatus
    body: str
    content_type: str = TEXT_CONTENT_TYPE


def decide(old_size: int, proof: Sequence[Hash], checkpoint: Checkpoint, latest: Checkpoint | None) -> Answer | None:
    """Return why a properly signed checkpoint must not be cosigned, or `None` if it may be.

    Args:
        latest: The one that was cosigned last for this origin.
    """
    # "The old size MUST be equal to or lower than the checkpoint size. Otherwise, the witness MUST respond with a
    # 400 Bad Request"
    if old_size > checkpoint.size:
        return Answer(HTTPStatus.BAD_REQUEST, "the old size is larger than the checkpoint's\n")
    known_size, known_root = (latest.size, latest.root) if latest else (0, EMPTY_ROOT)
    # "The witness MUST check that the old size matches the size of the latest checkpoint it cosigned [...] The response
    # body MUST consist of the tree size of the latest cosigned checkpoint in decimal, followed by a newline"
    if old_size != known_size:
        return Answer(HTTPStatus.CONFLICT, f"{known_size}\n", SIZE_CONTENT_TYPE)
    # "If the old size matches the checkpoint size, the witness MUST check that the root hashes are also identical. If
    # they don't match, the witness MUST respond with a 409 Conflict"
    if old_size == checkpoint.size and not hmac.compare_digest(known_root, checkpoint.root):
        return Answer(HTTPStatus.CONFLICT, "another root was cosigned for this size\n")
    # "If the Merkle Consistency Proof doesn't verify, the witness MUST respond with a 422 Unprocessable Entity"
    try:
        verify_consistency(known_size, known_root, checkpoint.size, checkpoint.root, proof)
    except ProofError as error:
        return Answer(HTTPStatus.UNPROCESSABLE_ENTITY, f"{error}\n")
    return None


class WitnessStore(Protocol):
    """What a witness remembers: the newest checkpoint of each origin."""

    def load(self, origin: str) -> bytes | None:
        """Return the signed checkpoint that was saved last for this origin."""
        ...

    def save(self, origin: str, note: bytes) -> None:
        """Replace it, at once and whole; durable on return."""
        ...


class MemoryWitnessStore:
    """A `WitnessStore` that lives as long as its process."""

    def __init__(self) -> None:
        self._notes: dict[str, bytes] = {}

    def load(self, origin: str) -> bytes | None:
        return self._notes.get(origin)

    def save(self, origin: str, note: bytes) -> None:
        self._notes[origin] = note


class Witness:
    """Cosigns checkpoints of the logs that it knows. Safe for many threads; the only one over its store.

    Args:
        key: Used for nothing but cosigning, as tlog-cosignature asks.
        logs: The public keys of each log, by origin.
        now_s: Gives the time in seconds since 1970.
    """

    def __init__(
        self,
        key: NoteKey,
        logs: Mapping[str, tuple[VerifierKey, ...]],
        store: WitnessStore,
        *,
        now_s: Callable[[], int],
    ) -> None:
        self._key = key
        self._logs = dict(logs)
        self._store = store
        self._now_s = now_s
        self._locks = {origin: threading.Lock() for origin in self._logs}

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer a request. Anything that anybody may send is answered, never raised.

        Raises:
            CorruptionError: If the store no longer holds what was saved. Nothing is cosigned.
            UnavailableError: If the store can't be written. Nothing is cosigned.
        """
        try:
            request = AddCheckpoint.parse(body)
            claimed = Checkpoint.parse(request.note.text)
        except InputError as error:
            return Answer(HTTPStatus.BAD_REQUEST, f"{error}\n")
        keys = self._logs.get(claimed.origin)
        if keys is None:
            return Answer(HTTPStatus.NOT_FOUND, "this witness doesn't know the log\n")
        try:
            checkpoint = open_checkpoint(request.note.data, keys).checkpoint
        except InputError as error:
            return Answer(HTTPStatus.FORBIDDEN, f"{error}\n")
        # "checking the old size against the latest checkpoint and persisting the new checkpoint must be performed
        # atomically"
        with self._locks[checkpoint.origin]:
            refusal = decide(request.old_size, request.proof, checkpoint, self._latest(checkpoint.origin, keys))
            if refusal is not None:
                return refusal
            # "The witness MUST persist the new checkpoint before responding."
            self._store.save(checkpoint.origin, request.note.data)
            return Answer(HTTPStatus.OK, self._key.cosign(checkpoint.text, time_s=self._now_s()).line)

    def _latest(self, origin: str, keys: tuple[VerifierKey, ...]) -> Checkpoint | None:
        data = self._store.load(origin)
        if data is None:
            return None
        try:
            checkpoint = open_checkpoint(data, keys).checkpoint
        except InputError as error:
            raise CorruptionError(f"the saved checkpoint of {origin!r} was changed: {error}") from error
        if checkpoint.origin != origin:
            raise CorruptionError(f"the saved checkpoint of {origin!r} is of {checkpoint.origin!r}")
        return checkpoint
