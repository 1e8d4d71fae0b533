"""The forms of what comes in: dataclasses whose annotations are checked here and become the OpenAPI document.

Reading is strict: a field that isn't known, a number in quotation marks or a moment without a time zone is refused, and
the refusal names the field and never repeats its value. Alone in importing pydantic, which the command line's own
library brings along (decision 0031).
"""

import base64
import binascii
import dataclasses
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Any, TypeVar, cast, dataclass_transform

from pydantic import AwareDatetime, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import SchemaValidator

from recognizance.errors import InputError

MAX_PICTURE_BYTES = 15 * 1024 * 1024
"""As large as the largest picture that Rekognition reads from a bucket."""

MOST_ON_A_PAGE = 200
"""Of every list; a limit of ours."""

_MOST_PROBLEMS = 10
_CHARACTERS_A_PICTURE = 4 * ((MAX_PICTURE_BYTES + 2) // 3)
_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

Name = Annotated[str, Field(min_length=1, max_length=256)]
"""An id, a name, a reference: one line."""

Text = Annotated[str, Field(max_length=10_000)]
"""What somebody says."""

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]

Moment = AwareDatetime
"""RFC 3339, with its time zone."""

Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(9000, 1, 1))]
"""Far enough from the ends of the calendar to be counted from."""

Days = Annotated[int, Field(ge=0, le=36_525)]
"""A hundred years at the most."""

Years = Annotated[int, Field(ge=0, le=100)]

Year = Annotated[int, Field(ge=1900, le=9000)]

Count = Annotated[int, Field(ge=0, le=1_000_000_000_000)]
"""Of people or cents: beyond any, and far below where numbers of JSON lose digits."""

Percent = Annotated[float, Field(ge=0, le=100)]

PictureBase64 = Annotated[
    str, Field(max_length=_CHARACTERS_A_PICTURE, json_schema_extra={"contentEncoding": "base64"}, repr=False)
]
"""A JPEG, PNG or WebP file in base64 (RFC 4648, section 4)."""

PageSize = Annotated[int, Field(ge=1, le=MOST_ON_A_PAGE)]

_Form = TypeVar("_Form")


@dataclass_transform(frozen_default=True)
def form(kind: type[_Form]) -> type[_Form]:
    """Make a class the form of something that comes in: a frozen dataclass that is read strictly.

    What it is made of is read as strictly, also where that is a type of the domains further down.
    """
    made = dataclasses.dataclass(frozen=True, slots=True)(kind)
    # pydantic looks for it here; a dataclass takes no other configuration.
    made.__pydantic_config__ = _STRICT  # type: ignore[attr-defined]
    return made


class FormError(InputError):
    """What came in doesn't have the form that it should.

    Attributes:
        problems: Each a field's place and what is wrong with it.
    """

    def __init__(self, message: str, problems: tuple[tuple[str, str], ...]) -> None:
        super().__init__(message)
        self.problems = problems


class Forms:
    """Reads forms of the types that it was built for, and describes them.

    Building a validator takes a millisecond or more, so that it's done once for each type.
    """

    def __init__(self, bodies: Iterable[type[Any]], queries: Iterable[type[Any]]) -> None:
        self._validators = {kind: _validator(kind) for kind in dict.fromkeys([*bodies, *queries])}

    def body(self, kind: type[_Form], data: bytes) -> _Form:
        """Read a JSON body.

        Raises:
            FormError: If it isn't one, or not of this form.
        """
        try:
            return cast("_Form", self._validators[kind].validate_json(data))
        except ValidationError as error:
            raise _form_error("body", error) from None

    def query(self, kind: type[_Form], values: Mapping[str, str]) -> _Form:
        """Read the fields of a query.

        Raises:
            FormError: If they aren't of this form.
        """
        try:
            # A query is text, so that its numbers have to be read out of text.
            return cast("_Form", self._validators[kind].validate_python(dict(values), strict=False))
        except ValidationError as error:
            raise _form_error("query", error) from None


def schemas_of(
    bodies: Iterable[type[Any]], answers: Iterable[type[Any]], *, ref_template: str
) -> tuple[dict[type[Any], Mapping[str, Any]], dict[type[Any], Mapping[str, Any]], dict[str, Any]]:
    """Describe types as JSON Schema (2020-12), for bodies, for answers, and what both refer to by name.

    Args:
        ref_template: Where a named schema stands, with `{model}` for its name.
    """
    wanted = [(kind, "validation") for kind in dict.fromkeys(bodies)]
    wanted += [(kind, "serialization") for kind in dict.fromkeys(answers)]
    inputs: list[Any] = [(kind, mode, TypeAdapter[Any](kind)) for kind, mode in wanted]
    schemas, whole = TypeAdapter.json_schemas(inputs, ref_template=ref_template)
    found: dict[str, dict[type[Any], Mapping[str, Any]]] = {"validation": {}, "serialization": {}}
    for (kind, mode), schema in schemas.items():
        found[mode][cast("type[Any]", kind)] = schema
    return found["validation"], found["serialization"], dict(whole.get("$defs", {}))


def _validator(kind: type[Any]) -> SchemaValidator:
    return SchemaValidator(_aware(TypeAdapter[Any](kind).core_schema))


def _aware(schema: Any) -> Any:
    """A schema whose moments all need a time zone, also those of types that don't say so themselves."""
    if isinstance(schema, dict):
        parts = {name: _aware(part) for name, part in cast("dict[str, Any]", schema).items()}
        return parts | {"tz_constraint": "aware"} if parts.get("type") == "datetime" else parts
    return [_aware(part) for part in schema] if isinstance(schema, list) else schema


def picture_of(text: str) -> bytes:
    """Decode a picture.

    Raises:
        InputError: If it isn't base64, or too large.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InputError("the picture isn't base64") from None
    if len(data) > MAX_PICTURE_BYTES:
        raise InputError(f"the picture has {len(data)} bytes; the limit is {MAX_PICTURE_BYTES}")
    return data


def _form_error(where: str, error: ValidationError) -> FormError:
    # pydantic's own text repeats what was sent, which may be somebody's name or a picture.
    found = error.errors(include_url=False, include_context=False, include_input=False)[:_MOST_PROBLEMS]
    problems = tuple((_place(where, each["loc"]), each["msg"]) for each in found)
    listed = "; ".join(f"{place}: {said}" for place, said in problems)
    return FormError(f"the request doesn't have the form that it should: {listed}", problems)


def _place(where: str, location: tuple[int | str, ...]) -> str:
    return ".".join([where, *(str(part)[:64] for part in location)])
