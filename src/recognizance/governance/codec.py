"""Governance values as canonical JSON (RFC 8785) and back: one spelling for each value, read strictly.

The types' own annotations say what is written, so a value and its form can't drift apart. What is read has exactly the
fields of its type, each of exactly its type, is spelled canonically, and passes the checks that the value makes when it
is built: a document that somebody edited, or that another version wrote, is refused and never guessed at.

Implements `docs/governance.md`, "Documents". Pure.
"""

import dataclasses
import math
import types
import typing
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar, cast

from recognizance.errors import CorruptionError, InputError
from recognizance.ledger import JsonValue, read_canonical, write_canonical

_Value = TypeVar("_Value")


def write_document(value: object) -> bytes:
    """Write a dataclass of governance.

    >>> from recognizance.governance.oversight import Quorum
    >>> write_document(Quorum(0))
    b'{"needed":0,"overseers":[]}'
    """
    return write_canonical(_written(value))


def read_document(kind: type[_Value], data: bytes) -> _Value:
    """Read what `write_document` wrote.

    Raises:
        CorruptionError: If it is anything else.
    """
    try:
        value: _Value = _read(kind, read_canonical(data))
    except InputError as error:
        raise CorruptionError(f"a document of the type {kind.__name__} can't be read: {error}") from error
    return value


def parse_document(kind: type[_Value], value: JsonValue) -> _Value:
    """Read a value that came from outside as JSON, in whatever spelling.

    Raises:
        InputError: If it isn't one. Names the field.
    """
    parsed: _Value = _read(kind, value)
    return parsed


@lru_cache(maxsize=256)
def _fields(kind: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _written(value: object) -> JsonValue:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise ValueError("a moment has a time zone")
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_written(each) for each in value]
    if isinstance(value, frozenset):
        return [_written(each) for each in sorted(value)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _written(getattr(value, field.name)) for field in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} is no part of a document")


def _read(kind: Any, value: JsonValue) -> Any:
    kind = _plain(kind)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in {typing.Union, types.UnionType}:
        [inner] = [each for each in arguments if each is not types.NoneType]
        return None if value is None else _read(inner, value)
    if origin in {tuple, frozenset}:
        return _read_many(origin, arguments[0], value)
    if dataclasses.is_dataclass(kind):
        return _read_record(typing.cast("type[Any]", kind), value)
    return _read_scalar(kind, value)


def _plain(kind: Any) -> Any:
    """The type behind any number of `NewType`s."""
    while isinstance(kind, typing.NewType):
        kind = kind.__supertype__
    return kind


def _read_many(origin: type[Any], element: Any, value: JsonValue) -> Any:
    if not isinstance(value, list):
        raise InputError("is not a list")
    many = [_read(element, each) for each in value]
    if origin is frozenset and len(set(many)) != len(many):
        raise InputError("has something twice")
    return origin(many)


def _read_record(kind: type[Any], value: JsonValue) -> Any:
    if not isinstance(value, dict):
        raise InputError("is not an object")
    wanted = _fields(cast("Any", kind))  # a checker does not see that a class can be hashed
    if unknown := sorted(value.keys() - wanted.keys()):
        raise InputError(f"{unknown[0][:64]!r} is no field of {kind.__name__}")
    if missing := sorted(wanted.keys() - value.keys()):
        raise InputError(f"lacks the field {missing[0]!r}")
    found: dict[str, Any] = {}
    for name, field in wanted.items():
        try:
            found[name] = _read(field, value[name])
        except InputError as error:
            raise InputError(f"{name}: {error}") from error
    return kind(**found)


def _read_scalar(kind: Any, value: JsonValue) -> Any:
    if kind is bool and isinstance(value, bool):
        return value
    if kind is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    # Canonical JSON writes 99.0 as 99.
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    if isinstance(value, str):
        return _read_text(kind, value)
    raise InputError(f"is not of the type {kind.__name__}")


def _read_text(kind: Any, value: str) -> Any:
    if kind is str:
        return value
    try:
        if kind is datetime:
            moment = datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
            if _written(moment) == value:
                return moment
        elif kind is date:
            day = date.fromisoformat(value)
            if day.isoformat() == value:
                return day
        elif issubclass(kind, StrEnum):
            return kind(value)
    except ValueError as error:
        raise InputError(f"is no {kind.__name__}") from error
    raise InputError(f"is no {kind.__name__}")
