"""Canonical JSON (RFC 8785): one spelling for each value, so that what is hashed can be written out again.

The one file of the ledger that imports `rfc8785`, for the spelling of fractions, which is the hard part of it. The rest
is written here: an entry is spelled a dozen times before its search is answered. A test holds every spelling to that
library's. JSON stops at `entries.py`, `schema.py` and
`facts/fields.py`; nothing else of the ledger sees it.
"""

import json
from typing import TypeAlias

import rfc8785

from recognizance.errors import InputError

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, JsonValue]

MAX_INTEGER = 2**53 - 1
"""RFC 8785 builds on I-JSON (RFC 7493), whose numbers are IEEE 754 doubles."""

# RFC 8785, 3.2.2.2, asks for the escapes that ECMAScript writes, which are those that Python writes too.
_quoted = json.encoder.encode_basestring


def write_canonical(value: JsonValue) -> bytes:
    """Return the canonical spelling of a value.

    Raises:
        InputError: If JSON has no such value: not a finite number, an integer above 2**53 - 1, half a surrogate pair.

    >>> write_canonical({"b": 1.0, "a": "é"}).decode()
    '{"a":"é","b":1}'
    """
    try:
        return _spelled(value).encode()
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise InputError("the value has no canonical JSON form") from error


def read_canonical(data: bytes) -> JsonValue:
    """Read a value that is spelled canonically.

    Raises:
        InputError: If the bytes aren't exactly that.
    """
    try:
        value: JsonValue = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise InputError("the bytes aren't JSON") from error
    # Writing it out again catches repeated names, NaN, other orders, spaces and escapes, which json lets through.
    if write_canonical(value) != data:
        raise InputError("the JSON isn't canonical (RFC 8785)")
    return value


def _spelled(value: JsonValue) -> str:
    # The most frequent first.
    if isinstance(value, str):
        return _quoted(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and -MAX_INTEGER <= value <= MAX_INTEGER:
        return int.__repr__(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_quoted(name)}:{_spelled(value[name])}" for name in _in_order(value)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_spelled, value)) + "]"
    return rfc8785.dumps(value).decode()


def _in_order(value: JsonObject) -> list[str]:
    """RFC 8785, 3.2.3: "property name strings are compared [...] as arrays of UTF-16 code units"."""
    try:
        is_ascii = "".join(value).isascii()
    except TypeError as error:
        raise rfc8785.CanonicalizationError("a name isn't a string") from error
    return sorted(value) if is_ascii else sorted(value, key=lambda name: name.encode("utf-16be"))
