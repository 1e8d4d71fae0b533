"""What a field of a ledger entry may hold: its Python type, its JSON form and its JSON Schema, said once.

A kind of entry is a frozen dataclass derived from `Facts`. Its annotations are read here: they decide what is written,
what is accepted, and what the published schema says, so the three can't drift apart. Fields of type `Commitment` are
private: the entry holds a salted hash of their value and nothing else of it. All other fields are public for good, so
no type here takes free text about a person: people are `Pseudonym`s, things are `Token`s, and `Text` is for statements
that an agency or an overseer makes in public.
"""

import dataclasses
import math
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, NewType, Protocol

from recognizance.errors import InputError
from recognizance.ledger.canonical import MAX_INTEGER, JsonObject, JsonValue

MAX_LIST_ITEMS = 256
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


class FieldType(Protocol):
    """How values of one type are written to JSON, read back, and described."""

    @property
    def schema(self) -> JsonObject:
        """The JSON Schema of what `write` returns."""
        ...

    def write(self, value: Any) -> JsonValue:
        """Return the JSON form of a value. Whether it is allowed is for `read` to say, which sees it before anybody."""
        ...

    def read(self, value: JsonValue) -> Any:
        """Return the value. Raises `InputError` that says what is wrong, without the field's name."""
        ...


@dataclass(frozen=True, slots=True)
class _StringType:
    """A string of a form. `pattern` has to mean the same in Python and in ECMA 262, which JSON Schema uses."""

    name: str
    pattern: str
    max_characters: int
    description: str

    @property
    def schema(self) -> JsonObject:
        return {"$ref": f"#/$defs/{self.name}"}

    @property
    def definition(self) -> JsonObject:
        return {
            "description": self.description,
            "maxLength": self.max_characters,
            "pattern": self.pattern,
            "type": "string",
        }

    def write(self, value: str) -> JsonValue:
        return value

    def read(self, value: JsonValue) -> str:
        if not isinstance(value, str):
            raise InputError("is not a string")
        if len(value) > self.max_characters:
            raise InputError(f"has {len(value)} characters; the limit is {self.max_characters}")
        # Asking for ASCII first makes reading an entry half as long: nearly all strings are.
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise InputError("has half a surrogate pair")
        if re.fullmatch(self.pattern.removeprefix("^").removesuffix("$"), value) is None:
            raise InputError(f"doesn't match {self.pattern}")
        return value


@dataclass(frozen=True, slots=True)
class _IntegerType:
    minimum: int
    maximum: int

    @property
    def schema(self) -> JsonObject:
        return {"maximum": self.maximum, "minimum": self.minimum, "type": "integer"}

    def write(self, value: int) -> JsonValue:
        return value

    def read(self, value: JsonValue) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise InputError("is not an integer")
        if not self.minimum <= value <= self.maximum:
            raise InputError(f"is not between {self.minimum} and {self.maximum}")
        return value


@dataclass(frozen=True, slots=True)
class _NumberType:
    minimum: float
    maximum: float

    @property
    def schema(self) -> JsonObject:
        return {"maximum": self.maximum, "minimum": self.minimum, "type": "number"}

    def write(self, value: float) -> JsonValue:
        return value

    def read(self, value: JsonValue) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise InputError("is not a finite number")
        if not self.minimum <= value <= self.maximum:
            raise InputError(f"is not between {self.minimum:g} and {self.maximum:g}")
        return float(value)


@dataclass(frozen=True, slots=True)
class _BooleanType:
    @property
    def schema(self) -> JsonObject:
        return {"type": "boolean"}

    def write(self, value: bool) -> JsonValue:
        return value

    def read(self, value: JsonValue) -> bool:
        if not isinstance(value, bool):
            raise InputError("is not a boolean")
        return value


@dataclass(frozen=True, slots=True)
class _MomentType:
    @property
    def schema(self) -> JsonObject:
        return {"$ref": "#/$defs/moment"}

    @property
    def definition(self) -> JsonObject:
        pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$"
        return {"description": "A moment, UTC, to the microsecond.", "pattern": pattern, "type": "string"}

    def write(self, value: datetime) -> JsonValue:
        if value.utcoffset() is None:
            raise ValueError("a moment has a time zone")
        # strftime leaves the zeros of early years out on some systems; isoformat never does.
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

    def read(self, value: JsonValue) -> datetime:
        try:
            moment = datetime.strptime(value, _TIME_FORMAT).replace(tzinfo=UTC) if isinstance(value, str) else None
        except ValueError:
            moment = None
        if moment is None or self.write(moment) != value:
            raise InputError("is not a moment like 2026-01-31T12:00:00.000000Z")
        return moment


@dataclass(frozen=True, slots=True)
class _ChoiceType:
    choices: type[StrEnum]

    @property
    def schema(self) -> JsonObject:
        return {"enum": [choice.value for choice in self.choices]}

    def write(self, value: StrEnum) -> JsonValue:
        return value.value

    def read(self, value: JsonValue) -> StrEnum:
        for choice in self.choices:
            if choice.value == value:
                return choice
        raise InputError(f"is none of {', '.join(self.choices)}")


@dataclass(frozen=True, slots=True)
class _ListType:
    item: FieldType

    @property
    def schema(self) -> JsonObject:
        return {"items": self.item.schema, "maxItems": MAX_LIST_ITEMS, "type": "array"}

    def write(self, value: tuple[Any, ...]) -> JsonValue:
        return [self.item.write(item) for item in value]

    def read(self, value: JsonValue) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise InputError("is not a list")
        if len(value) > MAX_LIST_ITEMS:
            raise InputError(f"has {len(value)} items; the limit is {MAX_LIST_ITEMS}")
        return tuple(self.item.read(item) for item in value)


@dataclass(frozen=True, slots=True)
class _OptionalType:
    item: FieldType

    @property
    def schema(self) -> JsonObject:
        return {"anyOf": [self.item.schema, {"type": "null"}]}

    def write(self, value: Any) -> JsonValue:
        return None if value is None else self.item.write(value)

    def read(self, value: JsonValue) -> Any:
        return None if value is None else self.item.read(value)


@dataclass(frozen=True, slots=True)
class _RecordType:
    record: type[Any]

    @property
    def schema(self) -> JsonObject:
        return object_schema(field_types(self.record))

    def write(self, value: Any) -> JsonValue:
        return write_fields(value, field_types(self.record))

    def read(self, value: JsonValue) -> Any:
        return self.record(**read_fields(value, field_types(self.record)))


_TOKEN = _StringType("token", r"^[A-Za-z0-9_.:@/-]+$", 255, "A name that the service or its operator gave to a thing.")
_UUID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_PSEUDONYM = _StringType("pseudonym", _UUID_PATTERN, 36, "Stands for a person; who it is lies outside the ledger.")
_ENTRY_ID = _StringType("entry_id", _UUID_PATTERN, 36, "The id of an entry.")
_DIGEST = _StringType("digest", r"^[0-9a-f]{64}$", 64, "SHA-256 of something public, in hexadecimal.")
_COMMITMENT = _StringType("commitment", r"^[0-9a-f]{64}$", 64, "Salted commitment to a private value, in hexadecimal.")
_TEXT = _StringType("text", r"^[^\u0000-\u0009\u000b-\u001f\u007f]+$", 4_000, "A public statement.")
_DOCUMENT = _StringType("document", r"^[^\u0000-\u0009\u000b-\u001f\u007f]+$", 60_000, "A public document, whole.")
_VERIFIER_KEY = _StringType(
    "verifier_key", r"^[^+\s]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*$", 400, "A public key, name+hash+base64."
)

EntryId = NewType("EntryId", str)
"""A lower-case UUID, drawn before the entry has a place in the log, by which an entry is appended only once."""

Commitment = NewType("Commitment", str)
"""The salted hash of a private value, 64 hexadecimal digits. A field of this type is private."""

Pseudonym = Annotated[str, _PSEUDONYM]
EntryReference = Annotated[EntryId, _ENTRY_ID]
Token = Annotated[str, _TOKEN]
Text = Annotated[str, _TEXT]
Document = Annotated[str, _DOCUMENT]
Digest = Annotated[str, _DIGEST]
KeyText = Annotated[str, _VERIFIER_KEY]
Count = Annotated[int, _IntegerType(0, MAX_INTEGER)]
Similarity = Annotated[float, _NumberType(-1.0, 1.0)]
Rate = Annotated[float, _NumberType(0.0, 1.0)]
Percentage = Annotated[float, _NumberType(0.0, 100.0)]

_MOMENT = _MomentType()
ENTRY_ID_TYPE: FieldType = _ENTRY_ID
MOMENT_TYPE: FieldType = _MOMENT

DEFINITIONS: JsonObject = {
    "moment": _MOMENT.definition,
    **{
        string.name: string.definition
        for string in (_COMMITMENT, _DIGEST, _DOCUMENT, _ENTRY_ID, _PSEUDONYM, _TEXT, _TOKEN, _VERIFIER_KEY)
    },
}
"""What the schemas of single fields refer to, by name."""


_types_by_record: dict[type[Any], Mapping[str, FieldType]] = {}


class Facts:
    """What one entry says. Derived classes are the kinds of entry.

    Raises:
        InputError: On construction, if a field holds what its type doesn't allow. Names the field, not its value.
    """

    __slots__ = ()
    kind: ClassVar[str]

    def __post_init__(self) -> None:
        """Refuse a value that couldn't be read back, so that an entry which exists can be written."""
        types_by_name = field_types(type(self))
        read_fields(write_fields(self, types_by_name), types_by_name)


def field_types(record: type[Any]) -> Mapping[str, FieldType]:
    """Return the field types of a dataclass by name, in order."""
    # Reading annotations takes longer than writing an entry, and they don't change.
    if record not in _types_by_record:
        hints = typing.get_type_hints(record, include_extras=True)
        found = {field.name: _field_type(hints[field.name]) for field in dataclasses.fields(record)}
        _types_by_record[record] = found
    return _types_by_record[record]


def public_types(facts: type[Facts]) -> Mapping[str, FieldType]:
    """Return the types of the fields that everybody may read."""
    return {name: field for name, field in field_types(facts).items() if field is not _COMMITMENT}


def private_types(facts: type[Facts]) -> Mapping[str, FieldType]:
    """Return the types of the fields that are commitments."""
    return {name: field for name, field in field_types(facts).items() if field is _COMMITMENT}


def write_fields(record: object, types_by_name: Mapping[str, FieldType]) -> JsonObject:
    """Return the JSON object that holds these fields of a dataclass."""
    return {name: field.write(getattr(record, name)) for name, field in types_by_name.items()}


def read_fields(value: JsonValue, types_by_name: Mapping[str, FieldType]) -> dict[str, Any]:
    """Return the values in a JSON object that has exactly these fields.

    Raises:
        InputError: If a field is missing, unknown, or holds what it may not. Names the field.
    """
    if not isinstance(value, dict):
        raise InputError("is not an object")
    if unknown := sorted(value.keys() - types_by_name.keys()):
        raise InputError(f"has an unknown field {unknown[0][:64]!r}")
    if missing := sorted(types_by_name.keys() - value.keys()):
        raise InputError(f"lacks the field {missing[0]!r}")
    found: dict[str, Any] = {}
    for name, field in types_by_name.items():
        try:
            found[name] = field.read(value[name])
        except InputError as error:
            raise InputError(f"{name}: {error}") from error
    return found


def object_schema(types_by_name: Mapping[str, FieldType]) -> JsonObject:
    """Return the JSON Schema of an object with exactly these fields."""
    return {
        "additionalProperties": False,
        "properties": {name: field.schema for name, field in types_by_name.items()},
        "required": [*sorted(types_by_name)],
        "type": "object",
    }


def _field_type(annotation: Any) -> FieldType:
    """Return the field type that an annotation stands for.

    Raises:
        TypeError: If it stands for none: a mistake in the definition of a kind.
    """
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is Commitment:
        return _COMMITMENT
    if origin is Annotated:
        found: FieldType = arguments[1]
        return found
    if origin in {typing.Union, types.UnionType} and arguments[1:] == (types.NoneType,):
        return _OptionalType(_field_type(arguments[0]))
    if origin is tuple and arguments[1:] == (Ellipsis,):
        return _ListType(_field_type(arguments[0]))
    if annotation is bool:
        return _BooleanType()
    if annotation is datetime:
        return MOMENT_TYPE
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return _ChoiceType(annotation)
    if dataclasses.is_dataclass(annotation):
        return _RecordType(typing.cast("type[Any]", annotation))
    raise TypeError(f"{annotation!r} is not the type of a ledger field")
