"""Keys as the indexes hold them: a UUID's 16 bytes as two big-endian 64-bit numbers.

Comparing the two numbers in turn orders keys as comparing their strings does, which is how ties between equal scores
are broken. One spelling is accepted, RFC 9562 section 4 in lower case, so that a key that comes back is the one that
went in. This module must never repair a spelling.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recognizance.identifiers import FaceId

Keys = NDArray[np.uint64]
"""(n, 2) uint64: the first eight bytes of each UUID, and the last eight."""

_LENGTH = 36
_HYPHENS = [8, 13, 18, 23]
_DIGITS = [place for place in range(_LENGTH) if place not in _HYPHENS]
_BAD = 255
_CHUNK = 65_536
"""Spellings parsed at a time, which bounds the working memory to some ten megabytes."""


def _digit_values() -> NDArray[np.uint8]:
    values = np.full(256, _BAD, dtype=np.uint8)
    for value, digit in enumerate(b"0123456789abcdef"):
        values[digit] = value
    return values


_VALUES = _digit_values()


def parse_keys(spellings: Sequence[str]) -> Keys:
    """Read lower-case UUIDs.

    Raises:
        ValueError: If one is spelled differently. Names its place, never the key.

    >>> parse_keys(["00000000-0000-0001-0000-00000000000a"])
    array([[ 1, 10]], dtype=uint64)
    """
    keys = np.empty((len(spellings), 2), dtype=np.uint64)
    for start in range(0, len(spellings), _CHUNK):
        chunk = spellings[start : start + _CHUNK]
        keys[start : start + len(chunk)] = _parse_chunk(chunk, start)
    return keys


def _parse_chunk(spellings: Sequence[str], start: int) -> Keys:
    for place, spelling in enumerate(spellings, start):
        if len(spelling) != _LENGTH or not spelling.isascii():
            raise ValueError(f"key {place} is not a lower-case UUID")
    characters = np.frombuffer("".join(spellings).encode("ascii"), dtype=np.uint8).reshape(-1, _LENGTH)
    values = _VALUES[characters[:, _DIGITS]]
    bad = (values == _BAD).any(axis=1) | (characters[:, _HYPHENS] != ord("-")).any(axis=1)
    if bad.any():
        raise ValueError(f"key {start + int(bad.argmax())} is not a lower-case UUID")
    octets = np.ascontiguousarray((values[:, 0::2] << 4) | values[:, 1::2])
    return octets.view(">u8").astype(np.uint64)


def spell_key(high: int, low: int) -> FaceId:
    """Write a key out.

    >>> spell_key(1, 10)
    '00000000-0000-0001-0000-00000000000a'
    """
    digits = f"{high:016x}{low:016x}"
    return FaceId(f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}")
