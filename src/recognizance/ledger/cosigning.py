"""Asks witnesses to cosign a log's checkpoints: the client of c2sp.org/tlog-witness.

Witnesses are outside our control and may be slow, so nothing that a search waits for waits for them. A witness that
refuses because it has seen another history is no failure to be passed over: `CorruptionError` says so.
"""

import http.client
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from recognizance.errors import ConflictError, CorruptionError, Error, InputError, UnavailableError
from recognizance.ledger.checkpoints import Checkpoint
from recognizance.ledger.export import prove_consistency
from recognizance.ledger.log import Log
from recognizance.ledger.notes import (
    Algorithm,
    Signature,
    SignatureError,
    SignedNote,
    VerifierKey,
    parse_decimal,
    parse_signatures,
)
from recognizance.ledger.sequencer import Sequencer
from recognizance.ledger.sources import Source
from recognizance.ledger.witness import SIZE_CONTENT_TYPE, AddCheckpoint

DEFAULT_TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 64 * 1024
_MAX_ATTEMPTS = 3
"""The first tells us the size, the second uses it; the third is for a checkpoint that came between them."""


@dataclass(frozen=True, slots=True)
class WitnessAddress:
    """Where a witness is asked, and the key that it cosigns with.

    Raises:
        InputError: On construction, if the URL isn't http or https, or the key none for cosignatures.
    """

    url: str
    key: VerifierKey

    def __post_init__(self) -> None:
        if urllib.parse.urlsplit(self.url).scheme not in {"http", "https"}:
            raise InputError(f"the witness's address {self.url!r} is not http or https")
        if self.key.algorithm is not Algorithm.COSIGNATURE_V1:
            raise InputError(f"the key {self.key.name!r} is none for cosignatures")


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A checkpoint with the cosignatures that could be had, and what came of the other witnesses."""

    note: SignedNote
    failures: tuple[tuple[WitnessAddress, Error], ...]


class Cosigner:
    """Collects cosignatures, remembering what each witness cosigned last.

    Args:
        source: The log's public files, from which the proofs are made.
    """

    def __init__(
        self, source: Source, witnesses: Sequence[WitnessAddress], *, timeout_s: float = DEFAULT_TIMEOUT_S
    ) -> None:
        self._source = source
        self._witnesses = tuple(witnesses)
        self._timeout_s = timeout_s
        # Witnesses that we haven't asked yet tell us the size that they know when asked for 0.
        self._sizes = dict.fromkeys(self._witnesses, 0)

    def cosign(self, note: SignedNote) -> Cosigned:
        """Ask every witness in turn for a cosignature on a checkpoint of the log."""
        failures: list[tuple[WitnessAddress, Error]] = []
        for witness in self._witnesses:
            try:
                note = note.signed_by(self._ask(witness, note))
            except (ConflictError, CorruptionError, InputError, UnavailableError) as error:
                failures.append((witness, error))
        return Cosigned(note, tuple(failures))

    def _ask(self, witness: WitnessAddress, note: SignedNote) -> Signature:
        size = Checkpoint.parse(note.text).size
        for _ in range(_MAX_ATTEMPTS):
            old_size = min(self._sizes[witness], size)
            request = AddCheckpoint(old_size, prove_consistency(self._source, old_size, size), note)
            status, content_type, body = _post(
                f"{witness.url.rstrip('/')}/add-checkpoint", request.data, self._timeout_s
            )
            if status == HTTPStatus.CONFLICT and content_type == SIZE_CONTENT_TYPE:
                known = parse_decimal(body.removesuffix("\n"))
                if known > size:
                    raise ConflictError(f"{witness.key.name} has cosigned {known} entries; this checkpoint has {size}")
                self._sizes[witness] = known
                continue
            signature = _read_answer(witness, status, body, note.text)
            self._sizes[witness] = size
            return signature
        raise UnavailableError(f"{witness.key.name} answered three times that it knows another size")


class CosigningThread:
    """Has each newest checkpoint of a running log cosigned, in the background, and publishes the outcome.

    Checkpoints that come while witnesses are being asked are skipped, but for the last.

    Args:
        on_failure: Told of each witness that didn't cosign, and why; a `CorruptionError` among them needs a person.
    """

    def __init__(
        self, sequencer: Sequencer, cosigner: Cosigner, *, on_failure: Callable[[WitnessAddress, Error], None]
    ) -> None:
        self._sequencer = sequencer
        self._cosigner = cosigner
        self._on_failure = on_failure
        self._condition = threading.Condition()
        self._next: SignedNote | None = None
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="ledger-cosigning", daemon=True)
        self._thread.start()
        sequencer.listen(self.wake)

    def wake(self, note: SignedNote) -> None:
        """Have this checkpoint cosigned next; never waits."""
        with self._condition:
            self._next = note
            self._condition.notify()

    def close(self) -> None:
        """Finish the checkpoint at hand. Close this before the sequencer."""
        with self._condition:
            self._is_closing = True
            self._condition.notify()
        self._thread.join()

    def _run(self) -> None:
        while (note := self._take()) is not None:
            cosigned = self._cosigner.cosign(note)
            for witness, error in cosigned.failures:
                self._on_failure(witness, error)
            if len(cosigned.note.signatures) > len(note.signatures):
                try:
                    self._sequencer.call(_publishing(cosigned.note))
                except UnavailableError:
                    # The log has stopped; whoever writes to it is told.
                    return

    def _take(self) -> SignedNote | None:
        with self._condition:
            while self._next is None and not self._is_closing:
                self._condition.wait()
            note, self._next = self._next, None
            return note


def _publishing(note: SignedNote) -> Callable[[Log], None]:
    return lambda log: log.publish_witnessed(note)


def _read_answer(witness: WitnessAddress, status: int, body: str, text: str) -> Signature:
    """Return the witness's own cosignature out of its answer, checked."""
    name = witness.key.name
    if status in {HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}:
        raise CorruptionError(f"{name} has cosigned another history of this log")
    if status != HTTPStatus.OK:
        raise UnavailableError(f"{name} answered {status}")
    # "The client MUST ignore any cosignatures from unknown keys."
    for signature in parse_signatures(body):
        if witness.key.made(signature):
            witness.key.verify(text, signature)
            return signature
    raise SignatureError(f"{name} answered without a cosignature by its key")


def _post(url: str, body: bytes, timeout_s: float) -> tuple[int, str, str]:
    """Return status, content type and text of an answer, errors of HTTP included."""
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "text/plain"})  # noqa: S310
    try:
        try:
            # The scheme was checked when the address was made.
            answer = urllib.request.urlopen(request, timeout=timeout_s)  # noqa: S310
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            data: bytes = answer.read(MAX_ANSWER_BYTES + 1)
            status, content_type = int(answer.status or 0), str(answer.headers.get("Content-Type", ""))
    except (OSError, http.client.HTTPException) as error:
        raise UnavailableError(f"could not reach the witness at {url}") from error
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise UnavailableError(f"the witness at {url} answered with something other than text") from error
    if len(data) > MAX_ANSWER_BYTES:
        raise UnavailableError(f"the witness at {url} answered with more than {MAX_ANSWER_BYTES} bytes")
    return status, content_type, text
