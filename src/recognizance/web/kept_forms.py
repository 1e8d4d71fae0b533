"""Forms whose session had ended before they were sent: kept in memory until whoever typed them has signed in again.

Somebody who weighs a vote for an hour, or writes down what a person at the desk says, mustn't lose it to the half hour
after which a session ends. Nothing of such a form is done: it is shown once more, filled in, to be looked at and sent.

Only what a form of ours sent, with the token of the session that ended, is kept, for the person whose session it was
and nobody else, and only of pages for people with a role: none of them asks for a password. It is never written
anywhere, is given out once, and is forgotten after half an hour or with the server. Files aren't kept.
Implements docs/sign-in.md, "Sessions".
"""

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit

from recognizance.governance.parties import PersonId
from recognizance.web.forms import Form

QUERY = "kept"
"""What names a kept form in the address of the page that shows it again."""

_PROOF = "csrf"
LASTS_S = 1800
MOST = 64
MOST_CHARACTERS = 200_000
"""Of one form; a longer one isn't kept."""


@dataclass(frozen=True, slots=True)
class _Kept:
    person: PersonId
    values: Mapping[str, tuple[str, ...]] = field(repr=False)
    until_s: float


class KeptForms:
    """Safe to share between threads.

    Args:
        monotonic_s: A clock that only goes forward.
        draw: Draws a name that nobody can guess.
    """

    def __init__(
        self,
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
        draw: Callable[[], str] = secrets.token_urlsafe,
    ) -> None:
        self._monotonic_s = monotonic_s
        self._draw = draw
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}

    def keep(self, form: Form, person: PersonId) -> str:
        """Keep what somebody typed; answers what it is called, or `""` if it is too long to be kept."""
        values = {name: each for name, each in form.values.items() if name != _PROOF}
        if sum(len(text) for each in values.values() for text in each) > MOST_CHARACTERS:
            return ""
        name, now_s = self._draw(), self._monotonic_s()
        with self._lock:
            self._kept = {each: kept for each, kept in self._kept.items() if now_s < kept.until_s}
            while len(self._kept) >= MOST:
                # Dictionaries keep the order in which they were filled: the first is the oldest.
                del self._kept[next(iter(self._kept))]
            self._kept[name] = _Kept(person, values, now_s + LASTS_S)
        return name

    def take(self, name: str, person: PersonId) -> Form | None:
        """What was kept for this person under this name, once; `None` if nothing is."""
        with self._lock:
            kept = self._kept.get(name)
            if kept is None or kept.person != person or self._monotonic_s() >= kept.until_s:
                return None
            del self._kept[name]
        return Form(kept.values)


def with_kept(address: str, name: str) -> str:
    """The address of a page of ours that shows a kept form.

    >>> with_kept("/search/begin?use=robberies", "a-name")
    '/search/begin?use=robberies&kept=a-name'
    """
    parts = urlsplit(address)
    query = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key != QUERY]
    return f"{parts.path}?{urlencode([*query, (QUERY, name)])}"
