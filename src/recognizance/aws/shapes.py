"""Requests and answers held against the service model that every AWS client carries.

botocore's own validator passes over maxima, patterns, enums, sizes of blobs and booleans in place of numbers, so the
checks here are ours, and stricter than Amazon's in one thing: a member that the model does not have is refused and not
ignored, because a limit with a typing error in its name would be no limit. A member that is `null` counts as absent, as
it does at AWS.

Untyped JSON stops here: what comes out is a `Members`, which operations ask for values of a type.
"""

import binascii
import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias, TypeVar, cast

from recognizance.aws.service_model import OperationShape, Shape
from recognizance.errors import ImageTooLargeError, InputError

Answer: TypeAlias = "Mapping[str, Answer] | Sequence[Answer] | str | int | float | bool | datetime"
"""What an operation answers, before it is written as JSON."""

Checked: TypeAlias = "str | int | float | bytes | Members | tuple[Checked, ...] | Mapping[str, str]"

_Kind = TypeVar("_Kind")

MAX_PROBLEMS = 10
MAX_ECHO = 64
_INTEGER_BITS = {"integer": 31, "long": 63}
_MAX_SINGLE = 3.4e38


class SerializationError(InputError):
    """The body is no JSON object that can be read at all."""


class Members:
    """The members of one structure of a checked request.

    The getters say what type a member has in the model. Asking for another is a programmer's mistake.
    """

    def __init__(self, values: Mapping[str, Checked]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str) -> str:
        """A string that the model requires."""
        return _typed(name, self._values[name], str)

    def optional_text(self, name: str) -> str | None:
        return self.text(name) if name in self else None

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings; empty if it's absent."""
        values = _typed(name, self._values.get(name, ()), tuple)
        return tuple(_typed(name, value, str) for value in values)

    def integer(self, name: str, *, default: int) -> int:
        return _typed(name, self._values.get(name, default), int)

    def number(self, name: str, *, default: float) -> float:
        return _typed(name, self._values.get(name, default), float)

    def optional_blob(self, name: str) -> bytes | None:
        return _typed(name, self._values[name], bytes) if name in self else None

    def structure(self, name: str) -> "Members":
        """A structure that the model requires."""
        return _typed(name, self._values[name], Members)

    def optional_structure(self, name: str) -> "Members | None":
        return self.structure(name) if name in self else None

    def structures(self, name: str) -> "tuple[Members, ...]":
        """A list of structures; empty if it's absent."""
        values = _typed(name, self._values.get(name, ()), tuple)
        return tuple(_typed(name, value, Members) for value in values)

    def text_map(self, name: str) -> Mapping[str, str]:
        """A map from strings to strings; empty if it's absent."""
        return cast("Mapping[str, str]", _typed(name, self._values.get(name, {}), dict))


def _typed(name: str, value: object, kind: type[_Kind]) -> _Kind:
    if not isinstance(value, kind):
        raise TypeError(f"the model doesn't make the member {name!r} a {kind.__name__}")
    return value


def check_request(operation: OperationShape, body: bytes) -> Members:
    """Parse a request and prove that it is what the model says.

    Raises:
        SerializationError: If `body` is no JSON object, or one that says something twice.
        ImageTooLargeError: If a blob is beyond its limit; in this service all blobs are images.
        InputError: If members are missing, unknown, or of a wrong type or value. Names each, up to ten.
    """
    parsed = _parse_json(body)
    if not isinstance(parsed, dict):
        raise SerializationError("the body has to be a JSON object")
    return check_members(operation, cast("Mapping[str, object]", parsed))


def check_members(operation: OperationShape, parsed: Mapping[str, object]) -> Members:
    """Prove that the members of a request, read by whatever protocol, are what the model says.

    Raises:
        ImageTooLargeError: If a blob is beyond its limit; in this service all blobs are images.
        InputError: If members are missing, unknown, or of a wrong type or value. Names each, up to ten.
    """
    problems: list[str] = []
    checked = _check(operation.takes, parsed, "", problems)
    if problems:
        shown = "; ".join(problems[:MAX_PROBLEMS])
        plural = "error" if len(problems) == 1 else "errors"
        raise InputError(f"{len(problems)} validation {plural} detected: {shown}")
    return cast("Members", checked)


def answer_problems(operation: OperationShape, answer: Mapping[str, Answer]) -> list[str]:
    """List what is wrong with an answer by the model; empty if nothing is."""
    problems: list[str] = []
    _check(operation.gives, answer, "", problems)
    return problems


def encode_answer(answer: Mapping[str, Answer]) -> bytes:
    """Write an answer as JSON, moments as seconds since 1970.

    Raises:
        ValueError: If a number is not finite.
    """

    def seconds(value: object) -> float:
        if isinstance(value, datetime):
            return round(value.astimezone(UTC).timestamp(), 3)
        raise TypeError(f"{type(value).__name__} can't be written as JSON")

    return json.dumps(answer, allow_nan=False, separators=(",", ":"), default=seconds).encode()


def _parse_json(body: bytes) -> object:
    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        members = dict(pairs)
        if len(members) != len(pairs):
            raise SerializationError("the body has a JSON object that names one member twice")
        return members

    def refuse(_: str) -> float:
        raise SerializationError("the body has a number that is not finite")

    try:
        return cast("object", json.loads(body.decode(), object_pairs_hook=unique, parse_constant=refuse))
    except UnicodeDecodeError as error:
        raise SerializationError("the body is not UTF-8") from error
    except RecursionError as error:
        raise SerializationError("the body is nested too deeply") from error
    # Last, because the two above are ValueErrors or stand beside it.
    except ValueError as error:
        raise SerializationError("the body is not JSON") from error


def _check(shape: Shape, value: object, path: str, problems: list[str]) -> "Checked | None":
    """Check `value`, add what is wrong with it to `problems`, and give it in its own type."""
    if shape.kind == "structure":
        return _check_structure(shape, value, path, problems)
    if shape.kind == "list":
        return _check_list(shape, value, path, problems)
    if shape.kind == "map":
        return _check_map(shape, value, path, problems)
    if shape.kind == "string":
        return _check_text(shape, value, path, problems)
    if shape.kind == "blob":
        return _check_blob(shape, value, path, problems)
    return _check_number(shape, value, path, problems)


def _check_structure(shape: Shape, value: object, path: str, problems: list[str]) -> Members | None:
    if not isinstance(value, Mapping):
        problems.append(_wrong_type(path, "an object"))
        return None
    given = cast("Mapping[str, object]", value)
    values: dict[str, Checked] = {}
    for name, member in given.items():
        inner = shape.members.get(name)
        if inner is None:
            problems.append(f"{_clip(name)} is no member of {shape.name}")
        elif member is not None:
            checked = _check(inner, member, _join(path, name), problems)
            if checked is not None:
                values[name] = checked
    problems.extend(
        _failed("null", _join(path, name), "Member must not be null")
        for name in shape.required
        if given.get(name) is None
    )
    return Members(values)


def _check_list(shape: Shape, value: object, path: str, problems: list[str]) -> tuple[Checked, ...] | None:
    if not isinstance(value, list | tuple) or shape.element is None:
        problems.append(_wrong_type(path, "a list"))
        return None
    if not _fits(shape, len(value), path, problems, what="length", shown=f"a list of {len(value)}"):
        return None
    checked = [
        _check(shape.element, element, f"{path}.{number}.member", problems) for number, element in enumerate(value, 1)
    ]
    return tuple(each for each in checked if each is not None)


def _check_map(shape: Shape, value: object, path: str, problems: list[str]) -> Mapping[str, str] | None:
    if not isinstance(value, Mapping) or shape.key is None or shape.element is None:
        problems.append(_wrong_type(path, "an object"))
        return None
    given = cast("Mapping[str, object]", value)
    if not _fits(shape, len(given), path, problems, what="length", shown=f"a map of {len(given)}"):
        return None
    checked: dict[str, str] = {}
    for number, (name, each) in enumerate(given.items(), 1):
        key = _check_text(shape.key, name, f"{path}.{number}.key", problems)
        text = _check_text(shape.element, each, f"{path}.{number}.value", problems)
        if key is not None and text is not None:
            checked[key] = text
    return checked


def _check_text(shape: Shape, value: object, path: str, problems: list[str]) -> str | None:
    if not isinstance(value, str):
        problems.append(_wrong_type(path, "a string"))
        return None
    # JSON can spell half of a surrogate pair, which is no character, and which no database stores.
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        problems.append(_failed(_clip(value), path, "Member must be Unicode text"))
        return None
    if not _fits(shape, len(value), path, problems, what="length", shown=_clip(value)):
        return None
    if shape.pattern is not None and shape.pattern.fullmatch(value) is None:
        rule = f"Member must satisfy regular expression pattern: {shape.written_pattern}"
        problems.append(_failed(_clip(value), path, rule))
        return None
    if shape.choices and value not in shape.choices:
        rule = f"Member must satisfy enum value set: [{', '.join(shape.choices)}]"
        problems.append(_failed(_clip(value), path, rule))
        return None
    return value


def _check_blob(shape: Shape, value: object, path: str, problems: list[str]) -> bytes | None:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        problems.append(_wrong_type(path, "a base64 string"))
        return None
    # Before it is decoded: four characters make three bytes, less what fills up the end.
    size = len(value) // 4 * 3 - value[-2:].count("=")
    if shape.high is not None and size > shape.high:
        raise ImageTooLargeError(f"{_named(path)} has {size} bytes; the limit is {shape.high}")
    try:
        data = binascii.a2b_base64(value, strict_mode=True)
    except ValueError:
        problems.append(_failed("(not shown)", path, "Member must be base64 as RFC 4648 has it, without line breaks"))
        return None
    return data if _fits(shape, len(data), path, problems, what="length", shown=f"{len(data)} bytes") else None


def _check_number(shape: Shape, value: object, path: str, problems: list[str]) -> int | float | None:
    if shape.kind == "timestamp" and isinstance(value, datetime):
        return value.timestamp()
    if shape.kind == "boolean":
        if not isinstance(value, bool):
            problems.append(_wrong_type(path, "true or false"))
        return None
    # To Python True is 1; to somebody who writes MaxFaces=True it isn't.
    if isinstance(value, bool) or not isinstance(value, int | float):
        problems.append(_wrong_type(path, "a number"))
        return None
    if isinstance(value, float) and not math.isfinite(value):
        problems.append(_wrong_type(path, "a finite number"))
        return None
    bits = _INTEGER_BITS.get(shape.kind)
    if bits is None:
        if abs(value) > _MAX_SINGLE:
            problems.append(_wrong_type(path, "a number of single precision"))
            return None
        return float(value) if _fits(shape, value, path, problems, what="value", shown=str(value)) else None
    if not isinstance(value, int) or not -(1 << bits) <= value < 1 << bits:
        problems.append(_wrong_type(path, f"a whole number of {bits + 1} bits"))
        return None
    return value if _fits(shape, value, path, problems, what="value", shown=str(value)) else None


def _fits(shape: Shape, size: float, path: str, problems: list[str], *, what: str, shown: str) -> bool:
    """Hold a value or a length against the bounds of its shape, in AWS's words."""
    if shape.low is not None and size < shape.low:
        problems.append(_failed(shown, path, f"Member must have {what} greater than or equal to {shape.low}"))
        return False
    if shape.high is not None and size > shape.high:
        problems.append(_failed(shown, path, f"Member must have {what} less than or equal to {shape.high}"))
        return False
    return True


def _failed(shown: str, path: str, rule: str) -> str:
    return f"Value '{shown}' at '{path}' failed to satisfy constraint: {rule}"


def _wrong_type(path: str, wanted: str) -> str:
    return f"{_named(path)} has to be {wanted}"


def _named(path: str) -> str:
    return f"'{path}'" if path else "the request"


def _join(path: str, name: str) -> str:
    """Spell a path as AWS does: members in lower camel case, joined by dots."""
    camel = name[0].lower() + name[1:]
    return f"{path}.{camel}" if path else camel


def _clip(text: str) -> str:
    """Show a caller's own text back, but not all of a long one, and no control characters."""
    shown = text[:MAX_ECHO].encode("ascii", "backslashreplace").decode()
    return "".join(character if character.isprintable() else "?" for character in shown)
