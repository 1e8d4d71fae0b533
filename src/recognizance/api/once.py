"""Retries that do nothing twice: an `Idempotency-Key` is taken before the request is worked on, and kept for a day.

Who asks again with the same key and the same request gets the first answer. If the first attempt is still under way,
or the server stopped in the middle of it, the second is refused: nobody knows whether it happened, and guessing would
do it twice or not at all. The caller looks at the list, and asks with a fresh key.

Answers are kept sealed. One that holds a secret, or names faces or people, isn't kept: only that it was given.
Implements the header of the IETF's draft-ietf-httpapi-idempotency-key-header.
"""

import base64
import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from recognizance.documents import Kind
from recognizance.errors import ConflictError, InputError, TokenReusedError
from recognizance.governance.codec import read_document, write_document
from recognizance.records import Document, Records

HEADER = "idempotency-key"
KEPT = timedelta(days=1)
MAX_KEY_CHARACTERS = 256
MAX_KEPT_BYTES = 256 * 1024
"""A larger answer is not kept, as if it were a secret."""

_BEGUN, _DONE = "begun", "done"
_SWEPT_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Header:
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What was answered.

    Attributes:
        body_base64: `None` if it isn't kept.
    """

    request_sha256: str
    status: int = 0
    headers: tuple[Header, ...] = ()
    body_base64: str | None = None

    @property
    def body(self) -> bytes:
        return base64.b64decode(self.body_base64 or "")


class DoneBeforeError(ConflictError):
    """The request was answered before, and its answer isn't kept.

    Attributes:
        headers: What the first answer said in headers; they name its ledger entries.
    """

    def __init__(self, headers: tuple[Header, ...]) -> None:
        super().__init__("this was done before with the same Idempotency-Key, and its answer was given once")
        self.headers = headers


class Once:
    """Remembers answers by key. Safe to share between threads.

    Args:
        secret: Turns callers and their keys into ids of documents, which stand in the clear.
    """

    def __init__(self, records: Records, *, secret: bytes, clock: Callable[[], datetime]) -> None:
        self._records = records
        self._secret = secret
        self._clock = clock

    def begin(self, caller: str, key: str, request: bytes) -> tuple[str, Kept | None]:
        """Take a key, or find what was answered with it.

        Args:
            request: All of it that decides what is done.

        Returns:
            The name to end it by, and what was answered before.

        Raises:
            InputError: If the key is empty or too long.
            TokenReusedError: If the key came before with another request.
            ConflictError: If the first attempt hasn't ended.
            DoneBeforeError: If it has, and its answer isn't kept.
        """
        if not 1 <= len(key) <= MAX_KEY_CHARACTERS:
            raise InputError(f"an Idempotency-Key has 1 to {MAX_KEY_CHARACTERS} characters")
        now, digest = self._clock(), sha256(request).hexdigest()
        name = hmac.digest(self._secret, f"{caller}\n{key}".encode(), "sha256").hex()
        with self._records.transaction() as transaction:
            for old in transaction.documents_due(Kind.ANSWER, now, limit=_SWEPT_AT_ONCE):
                transaction.delete_document(Kind.ANSWER, old.id)
            known = transaction.documents_by_id(Kind.ANSWER, [name]).get(name)
            if known is None:
                body = write_document(Kept(digest))
                transaction.insert_document(Document(Kind.ANSWER, name, _BEGUN, body, due=now + KEPT))
                return name, None
        kept = read_document(Kept, known.body)
        if not hmac.compare_digest(kept.request_sha256, digest):
            raise TokenReusedError("the Idempotency-Key came before with another request")
        if known.state == _BEGUN:
            raise ConflictError(
                "the first attempt with this Idempotency-Key is under way or was cut off: look whether it happened"
            )
        if kept.body_base64 is None:
            raise DoneBeforeError(kept.headers)
        return name, kept

    def end(self, name: str, *, status: int, headers: tuple[Header, ...], body: bytes | None) -> None:
        """Keep an answer.

        Args:
            body: `None` for one that nobody may keep.
        """
        with self._records.transaction() as transaction:
            # Erasure may have deleted it meanwhile.
            known = transaction.documents_by_id(Kind.ANSWER, [name]).get(name)
            if known is None:
                return
            keeps = body is not None and len(body) <= MAX_KEPT_BYTES
            kept = replace(
                read_document(Kept, known.body),
                status=status,
                headers=headers,
                body_base64=base64.b64encode(body or b"").decode() if keeps else None,
            )
            transaction.replace_document(replace(known, state=_DONE, body=write_document(kept)))

    def release(self, name: str) -> None:
        """Give a key back, after a refusal: nothing was done, and a corrected request may use it."""
        with self._records.transaction() as transaction:
            if transaction.documents_by_id(Kind.ANSWER, [name]):
                transaction.delete_document(Kind.ANSWER, name)
