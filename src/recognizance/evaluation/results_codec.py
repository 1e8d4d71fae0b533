"""How a result document is written, read and described: the annotations of its types decide all three.

So what is written, what is accepted and what the published JSON Schema says can't drift apart. Reading is strict:
exactly the fields of a type, each of exactly its type, and the checks that a value makes when it is built. Numbers are
finite, as JSON's are.

Pure. Implements docs/evaluation-reports.md, "The result document".
"""

import dataclasses
import inspect
import types
import typing
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar, cast

from recognizance.errors import InputError
from recognizance.ledger import JsonValue

_MOMENT_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"
_SIMPLE: dict[Any, dict[str, object]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    types.NoneType: {"type": "null"},
}
_MOMENT: dict[str, object] = {
    "description": "A moment, UTC, to the microsecond.",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$",
    "type": "string",
}
_Value = TypeVar("_Value")


def written(value: object) -> JsonValue:
    """Return the JSON form of a value.

    >>> written((1.5, "a", None))
    [1.5, 'a', None]

    Raises:
        TypeError: If something in it is no part of a document.
    """
    if isinstance(value, StrEnum):
        return value.value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime):
        return _moment_text(value)
    if isinstance(value, tuple):
        return [written(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): written(each) for key, each in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: written(getattr(value, field.name)) for field in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} is no part of a document")


def read(kind: type[_Value], value: JsonValue) -> _Value:
    """Return the value of a type that a JSON value stands for.

    Raises:
        InputError: If it doesn't stand for one. Names the field.
    """
    return cast("_Value", _read(kind, value))


def schema(kind: type[Any]) -> dict[str, object]:
    """Return the JSON Schema (2020-12) of a type, with what it refers to under `$defs`."""
    definitions: dict[str, object] = {"moment": _MOMENT}
    return {**_schema(kind, definitions), "$defs": definitions}


@lru_cache(maxsize=256)
def _fields(kind: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _moment_text(moment: datetime) -> str:
    if moment.utcoffset() is None:
        raise ValueError("a moment has a time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _read(kind: Any, value: JsonValue) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in {typing.Union, types.UnionType}:
        [inner] = [each for each in arguments if each is not types.NoneType]
        return None if value is None else _read(inner, value)
    if origin is tuple:
        if not isinstance(value, list):
            raise InputError("is not a list")
        return tuple(_read_named(str(place), arguments[0], each) for place, each in enumerate(value))
    if origin is Mapping:
        if not isinstance(value, dict):
            raise InputError("is not an object")
        return {name: _read_named(name, arguments[1], each) for name, each in value.items()}
    if dataclasses.is_dataclass(kind):
        return _read_record(cast("type[Any]", kind), value)
    return _read_scalar(kind, value)


def _read_named(name: str, kind: Any, value: JsonValue) -> Any:
    try:
        return _read(kind, value)
    except InputError as error:
        raise InputError(f"{name[:64]}: {error}") from error


def _read_record(kind: type[Any], value: JsonValue) -> Any:
    if not isinstance(value, dict):
        raise InputError("is not an object")
    wanted = _fields(cast("Any", kind))  # a checker does not see that a class can be hashed
    if unknown := sorted(value.keys() - wanted.keys()):
        raise InputError(f"{unknown[0][:64]!r} is no field of {kind.__name__}")
    if missing := sorted(wanted.keys() - value.keys()):
        raise InputError(f"lacks the field {missing[0]!r}")
    found = {name: _read_named(name, field, value[name]) for name, field in wanted.items()}
    try:
        return kind(**found)
    # A value that contradicts itself: a mistake where a program builds one, bad input where it was read.
    except ValueError as error:
        raise InputError(str(error)) from error


def _read_scalar(kind: Any, value: JsonValue) -> Any:
    if kind in {bool, str} and type(value) is kind:
        return value
    if kind is int and type(value) is int:
        return value
    # Canonical JSON writes 99.0 as 99.
    if kind is float and type(value) in {int, float}:
        return float(cast("float", value))
    if isinstance(value, str) and kind is datetime:
        return _read_moment(value)
    if isinstance(value, str) and isinstance(kind, type) and issubclass(kind, StrEnum) and value in set(kind):
        return kind(value)
    raise InputError(f"is not of the type {kind.__name__}")


def _read_moment(text: str) -> datetime:
    try:
        moment = datetime.strptime(text, _MOMENT_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise InputError("is no moment") from error
    if _moment_text(moment) != text:
        raise InputError("is no moment")
    return moment


def _schema(annotation: Any, definitions: dict[str, object]) -> dict[str, object]:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in {typing.Union, types.UnionType}:
        return {"anyOf": [_schema(argument, definitions) for argument in arguments]}
    if origin is tuple:
        return {"items": _schema(arguments[0], definitions), "type": "array"}
    if origin is Mapping:
        return {"additionalProperties": _schema(arguments[1], definitions), "type": "object"}
    if annotation is datetime:
        return {"$ref": "#/$defs/moment"}
    if annotation in _SIMPLE:
        return _SIMPLE[annotation]
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return {"enum": [choice.value for choice in annotation]}
    if dataclasses.is_dataclass(annotation):
        return _record_schema(cast("type[Any]", annotation), definitions)
    raise TypeError(f"{annotation!r} is not the type of a document's field")


def _record_schema(shape: type[Any], definitions: dict[str, object]) -> dict[str, object]:
    """Describe a record once, under its name, and return a reference to it."""
    if shape.__name__ not in definitions:
        definitions[shape.__name__] = {}  # a record may hold others of its kind
        hints = _fields(cast("Any", shape))
        definitions[shape.__name__] = {
            "additionalProperties": False,
            "description": inspect.cleandoc(shape.__doc__ or ""),
            "properties": {name: _schema(hint, definitions) for name, hint in hints.items()},
            "required": sorted(hints),
            "type": "object",
        }
    return {"$ref": f"#/$defs/{shape.__name__}"}
