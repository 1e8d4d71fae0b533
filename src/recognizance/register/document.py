"""The register as a document: nine sections, each with tables, each table with rows of one shape.

The shapes are the dataclasses of `rows.py`. Their annotations decide the JSON, the CSV and the published JSON Schema,
so the three can't drift apart.

JSON is ASCII with sorted names: the same register is the same bytes. CSV follows RFC 4180. A section with one table is
that table; a section with several has a first column that names the table, and the columns of all of them. A text that
a spreadsheet would compute is written with an apostrophe before it, and characters that turn the direction of writing
or can't be seen are spelled out (`plain_text`).

Pure.
"""

import csv
import dataclasses
import io
import json
import types
import typing
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from recognizance.register.suppression import Cell

MEDIA_TYPE_JSON = "application/json"
MEDIA_TYPE_CSV = "text/csv; charset=utf-8; header=present"

SCHEMA_ID = "urn:recognizance:register:1"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_JOINERS = "\u200c\u200d"
"""Zero-width, and needed to write Persian, Hindi and others; they turn nothing round."""


def to_json(document: object) -> bytes:
    """Return the JSON of a document, its section, table or row."""
    return json.dumps(_value(document), separators=(",", ":"), sort_keys=True).encode() + b"\n"


def to_csv(section: object) -> str:
    """Return the CSV of a section."""
    tables = dict(tables_of(section))
    columns = list(dict.fromkeys(name for rows in _row_types(type(section)).values() for name in _fields(rows)))
    first = ["table"] if len(tables) > 1 else []
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([*first, *columns])
    for table, rows in tables.items():
        for row in rows:
            present = _fields(type(row))
            cells = [csv_text(getattr(row, name)) if name in present else "" for name in columns]
            writer.writerow([*([table] if first else []), *cells])
    return file.getvalue()


def tables_of(section: object) -> Iterator[tuple[str, Sequence[object]]]:
    """Yield the tables of a section by name."""
    for name in _row_types(type(section)):
        yield name, getattr(section, name)


def csv_text(value: object) -> str:
    """Return a value as it stands in CSV: a text never starts a formula, and has no hidden characters.

    >>> [csv_text(value) for value in ('=1+1', -0.5, None, True, ("a", "b"), "\u202egpj")]
    ["'=1+1", '-0.5', '', 'true', 'a; b', '[U+202E]gpj']
    """
    shown = display(value)
    is_text = isinstance(value, str | tuple)
    return f"'{shown}" if is_text and shown.lstrip(" ").startswith(_FORMULA_STARTS) else shown


def display(value: object) -> str:
    """Return a value in words for people: what tables of reports and CSV files show."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Cell():
            return str(value.value)
        case datetime():
            return _moment(value)
        case tuple():
            return "; ".join(plain_text(item) for item in value)
        case float():
            return f"{value:.6g}"
        case _:
            return plain_text(str(value))


def plain_text(text: str) -> str:
    """Spell out what can't be seen, or turns the direction of writing, so that a text can't pass for another one."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"[U+{ord(character):04X}]"
        if unicodedata.category(character) in {"Cf", "Cc", "Zl", "Zp"} and character not in _JOINERS + "\n"
        else character
        for character in text
    )


def json_schema(document: type[Any], title: str) -> bytes:
    """Return the JSON Schema (2020-12) of a document, as it is published."""
    definitions: dict[str, object] = {
        "count": {
            "anyOf": [
                {"minimum": 0, "type": "integer"},
                {"pattern": "^(<5|withheld|at least [0-9]+|[0-9]+ to [0-9]+)$", "type": "string"},
            ],
            "description": 'A count. 1 to 4 is "<5"; what would give such a count away is a range, or withheld.',
        },
        "moment": {
            "description": "UTC.",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
            "type": "string",
        },
    }
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": title,
        **_schema(document),
        "$defs": definitions,
    }
    return json.dumps(schema, indent=2, sort_keys=True).encode() + b"\n"


_fields_by_shape: dict[type[Any], Mapping[str, Any]] = {}


def _fields(shape: type[Any]) -> Mapping[str, Any]:
    # Reading annotations takes longer than writing a row, and they don't change.
    if shape not in _fields_by_shape:
        hints = typing.get_type_hints(shape)
        _fields_by_shape[shape] = {item.name: hints[item.name] for item in dataclasses.fields(shape)}
    return _fields_by_shape[shape]


def _row_types(section: type[Any]) -> dict[str, type[Any]]:
    return {name: typing.get_args(annotation)[0] for name, annotation in _fields(section).items()}


def _value(value: object) -> object:
    match value:
        case Cell():
            return value.value
        case datetime():
            return _moment(value)
        case tuple():
            return [_value(item) for item in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            return {name: _value(getattr(value, name)) for name in _fields(type(value))}


def _moment(value: date) -> str:
    if not isinstance(value, datetime):
        return value.isoformat()
    return value.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def _schema(annotation: Any) -> dict[str, object]:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in {typing.Union, types.UnionType}:
        return {"anyOf": [_schema(argument) for argument in arguments]}
    if origin is tuple:
        return {"items": _schema(arguments[0]), "type": "array"}
    if annotation is Cell:
        return {"$ref": "#/$defs/count"}
    if annotation is datetime:
        return {"$ref": "#/$defs/moment"}
    simple = {str: "string", bool: "boolean", int: "integer", float: "number", types.NoneType: "null"}
    if annotation in simple:
        return {"type": simple[annotation]}
    if dataclasses.is_dataclass(annotation):
        shape = typing.cast("type[Any]", annotation)
        return {
            "additionalProperties": False,
            "description": " ".join((shape.__doc__ or "").split()),
            "properties": {name: _schema(hint) for name, hint in _fields(shape).items()},
            "required": sorted(_fields(shape)),
            "type": "object",
        }
    raise TypeError(f"{annotation!r} is not the type of a register's field")
