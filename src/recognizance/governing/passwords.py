"""Passwords: hashing them slowly, and refusing those that would be guessed.

The only file that imports argon2 and zxcvbn. A hash is Argon2id with the parameters of RFC 9106, section 4, second
recommendation (64 MiB, three passes, four lanes); it's kept sealed with the account, so that whoever steals the
database without the master key can't even begin to guess. How many are worked on at once is bounded, because each takes
64 MiB.

What a password has to be follows NIST SP 800-63B, 5.1.1.2: long, not guessable, no rules about which characters.
"""

import os
import threading
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import argon2
from argon2.exceptions import VerifyMismatchError

SHORTEST = 12
LONGEST = 128
_AT_ONCE = 2
LEAST_SCORE = 3
"""Of zxcvbn's 0 to 4: 10**8 guesses and more, which an online attack doesn't reach before a lockout does."""
_LONGEST_ESTIMATED = 32
"""What begins with 32 characters that are hard to guess is hard to guess; zxcvbn takes seconds for some longer ones."""


class Flaw(StrEnum):
    """Why a password is refused."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    GUESSABLE = "guessable"


class Weakness(StrEnum):
    """What makes a password easy to guess, where one thing stands out."""

    PERSONAL = "personal"
    COMMON = "common"
    KEYBOARD = "keyboard"
    REPEATED = "repeated"
    SEQUENCE = "sequence"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Strength:
    """How hard a password is to guess.

    Attributes:
        score: zxcvbn's 0 to 4; `LEAST_SCORE` and more are taken, if nothing else is wrong.
    """

    score: int
    flaw: Flaw | None
    weakness: Weakness | None


_WEAKNESSES = {
    "dictionary": Weakness.COMMON,
    "spatial": Weakness.KEYBOARD,
    "repeat": Weakness.REPEATED,
    "sequence": Weakness.SEQUENCE,
    "date": Weakness.DATE,
    "regex": Weakness.DATE,
}

_rating = threading.Lock()


def strength_of(password: str, *, personal: Iterable[str] = ()) -> Strength:
    """Rate a new password; one at a time, because the worst take a second of one core.

    Args:
        personal: What an attacker would try first: the name and login of its owner.
    """
    with _rating:
        return _rated(password, personal)


def strength_if_free(password: str, *, personal: Iterable[str] = ()) -> Strength | None:
    """As `strength_of`, for somebody who is still typing: `None` while another is being rated."""
    if not _rating.acquire(blocking=False):
        return None
    try:
        return _rated(password, personal)
    finally:
        _rating.release()


def flaw_of(password: str, *, personal: Iterable[str] = ()) -> Flaw | None:
    """What is wrong with a new password; `None` if nothing is."""
    return strength_of(password, personal=personal).flaw


def _rated(password: str, personal: Iterable[str]) -> Strength:
    # Its word lists take a quarter of a second to load, which only whoever sets a password should wait for.
    from zxcvbn import zxcvbn

    known = ["recognizance", *(word for text in personal for word in text.split())]
    # It refuses to look at nothing at all.
    found: Mapping[str, Any] = zxcvbn(password[:_LONGEST_ESTIMATED] or " ", user_inputs=known)
    score, flaw = int(found["score"]), None
    if len(password) < SHORTEST:
        score, flaw = min(score, LEAST_SCORE - 1), Flaw.TOO_SHORT
    elif len(password) > LONGEST:
        flaw = Flaw.TOO_LONG
    elif score < LEAST_SCORE:
        flaw = Flaw.GUESSABLE
    return Strength(score, flaw, _weakness(found["sequence"]))


def _weakness(parts: Iterable[Mapping[str, Any]]) -> Weakness | None:
    """What the largest part that can be guessed is; somebody's own name before everything else."""
    parts = list(parts)
    if any(part.get("dictionary_name") == "user_inputs" for part in parts):
        return Weakness.PERSONAL
    known = [part for part in parts if part["pattern"] in _WEAKNESSES]
    if not known:
        return None
    return _WEAKNESSES[max(known, key=lambda part: len(part["token"]))["pattern"]]


class PasswordHasher:
    """Hashes and verifies, two at once at most; others wait.

    Args:
        parameters: Argon2's; tests take cheaper ones.
    """

    def __init__(self, parameters: argon2.Parameters = argon2.profiles.RFC_9106_LOW_MEMORY) -> None:
        self._hasher = argon2.PasswordHasher.from_parameters(parameters)
        self._slots = threading.BoundedSemaphore(_AT_ONCE)
        # What a password is compared with where there is no account, so that both cases take as long.
        self._nobody = _drawn(parameters)

    def hash(self, password: str) -> str:
        with self._slots:
            return self._hasher.hash(password)

    def verify(self, kept: str | None, password: str) -> bool:
        """Whether this is the password; `None` is nobody's, takes as long, and never verifies."""
        with self._slots:
            try:
                self._hasher.verify(kept or self._nobody, password[:LONGEST])
            except VerifyMismatchError:
                return False
        return kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Whether it was hashed with other parameters than are used now."""
        return self._hasher.check_needs_rehash(kept)


def _drawn(parameters: argon2.Parameters) -> str:
    """What looks like a hash and is one of no password that anybody knows: drawn, which costs a start nothing."""
    kind = f"$argon2id$v={parameters.version}"
    costs = f"m={parameters.memory_cost},t={parameters.time_cost},p={parameters.parallelism}"
    lengths = (parameters.salt_len, parameters.hash_len)
    drawn = (b64encode(os.urandom(length)).decode().rstrip("=") for length in lengths)
    return "$".join((kind, costs, *drawn))


def cheap_hasher() -> PasswordHasher:
    """For tests and nothing else: a thousand times cheaper to guess."""
    return PasswordHasher(argon2.profiles.CHEAPEST)
