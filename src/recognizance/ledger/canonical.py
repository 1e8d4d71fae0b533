"""Canonical JSON (RFC 8785): one spelling for each value, so that what is hashed can be written out again.

The one file that imports `rfc8785`. JSON stops at `entries.py`, `schema.py` and
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


def write_canonical(value: JsonValue) -> bytes:
    """Return the canonical spelling of a value.

    Raises:
        InputError: If JSON has no such value: not a finite number, an integer above 2**53 - 1, half a surrogate pair.

    >>> write_canonical({"b": 1.0, "a": "é"}).decode()
    '{"a":"é","b":1}'
    """
    try:
        return rfc8785.dumps(value)
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
