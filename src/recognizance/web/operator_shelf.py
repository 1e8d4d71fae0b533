"""What people are still looking at: in memory, each thing for one person alone, and only for a while.

A photograph that is only looked at is never written to a disk: it lies here between the pages on which its faces are
chosen and edited, and is gone after half an hour, with the next start, or when it was searched for. Bounded for each
person and for all together; whoever comes latest takes the place of what was longest untouched.

Never answers anybody but the owner, to whom a wrong token and somebody else's look the same.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from recognizance.errors import NotFoundError
from recognizance.governance.parties import PersonId

KEPT_S = 30 * 60.0
MOST_EACH = 3
"""Of one person; a limit of ours, enough for a few windows."""

MOST_BYTES = 256 << 20
"""Of all people together; a limit of ours."""

_Value = TypeVar("_Value")


@dataclass(slots=True)
class _Lying(Generic[_Value]):
    owner: PersonId
    value: _Value
    size_bytes: int
    touched_s: float
    busy: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True)
class _Gone:
    owner: PersonId
    to: str
    since_s: float


class Shelf(Generic[_Value]):
    """Holds values for their owners. Safe to share between threads.

    Args:
        clock: Seconds that only rise.
        new_token: Draws names that can't be guessed.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        new_token: Callable[[], str],
        kept_s: float = KEPT_S,
        most_each: int = MOST_EACH,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._clock = clock
        self._new_token = new_token
        self._kept_s = kept_s
        self._most_each = most_each
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        # In the order in which they were touched, the longest untouched first.
        self._lying: dict[str, _Lying[_Value]] = {}
        self._gone: dict[str, _Gone] = {}

    def put(self, owner: PersonId, value: _Value, *, size_bytes: int) -> str:
        """Keep a value for its owner; answers its token."""
        token = self._new_token()
        with self._lock:
            self._lying[token] = _Lying(owner, value, size_bytes, self._clock())
            self._make_room(owner, token)
        return token

    def get(self, owner: PersonId, token: str) -> _Value:
        """What lies under a token.

        Raises:
            NotFoundError: If nothing does any more, or not for this person.
        """
        with self._lock:
            lying = self._owned(owner, token)
            lying.touched_s = self._clock()
            self._lying[token] = self._lying.pop(token)
            return lying.value

    def replace(self, owner: PersonId, token: str, value: _Value, *, size_bytes: int) -> None:
        """Put another value in the place of one.

        Raises:
            NotFoundError: As `get`.
        """
        with self._lock:
            self._owned(owner, token)
            del self._lying[token]
            self._lying[token] = _Lying(owner, value, size_bytes, self._clock())
            self._make_room(owner, token)

    @contextmanager
    def alone(self, owner: PersonId, token: str) -> Iterator[None]:
        """Have a value to oneself: whoever asks for the same meanwhile waits, and finds what was made of it.

        Raises:
            NotFoundError: As `get`.
        """
        with self._lock:
            lying = self._owned(owner, token)
        with lying.busy:
            yield

    def drop(self, owner: PersonId, token: str, *, to: str = "") -> None:
        """Let go of a value.

        Args:
            to: Where what became of it is shown; `gone_to` answers that for as long as the value could have lain.

        Raises:
            NotFoundError: As `get`.
        """
        with self._lock:
            self._owned(owner, token)
            del self._lying[token]
            if to:
                self._gone[token] = _Gone(owner, to, self._clock())

    def gone_to(self, owner: PersonId, token: str) -> str:
        """Where what became of a value is shown; empty if that isn't known, or not this person's."""
        with self._lock:
            self._drop_old()
            gone = self._gone.get(token)
            return gone.to if gone is not None and gone.owner == owner else ""

    def _owned(self, owner: PersonId, token: str) -> _Lying[_Value]:
        self._drop_old()
        lying = self._lying.get(token)
        if lying is None or lying.owner != owner:
            raise NotFoundError("what was here is gone: photographs are kept for half an hour, and in memory only")
        return lying

    def _drop_old(self) -> None:
        oldest_s = self._clock() - self._kept_s
        for token in [token for token, lying in self._lying.items() if lying.touched_s < oldest_s]:
            del self._lying[token]
        for token in [token for token, gone in self._gone.items() if gone.since_s < oldest_s]:
            del self._gone[token]

    def _make_room(self, owner: PersonId, newest: str) -> None:
        self._drop_old()
        own = [token for token, lying in self._lying.items() if lying.owner == owner]
        for token in own[: -self._most_each]:
            del self._lying[token]
        for token in [token for token in self._lying if token != newest]:
            if sum(lying.size_bytes for lying in self._lying.values()) <= self._most_bytes:
                return
            del self._lying[token]
