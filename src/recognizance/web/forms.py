"""What a reader sent with a form: bounded, read once, and answered with what is wrong beside the field it concerns.

Never puts anything that was sent on a disk. Values are text as typed, without surrounding space. Nothing here knows
what a field means: a page asks for it, says what is wrong with it, and shows the form again with both.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from recognizance.web.language import N_

MAX_FORM_BYTES = 1 << 20
"""Without photographs no form is larger; pages that take some state a limit of their own."""

MAX_FIELDS = 500
MAX_TEXT_CHARACTERS = 10_000

REQUIRED = N_("This can't be empty.")
TOO_LONG = N_("This is too long.")
NO_CHOICE = N_("Choose one of the answers.")
NO_DATE = N_("This is not a date. Write it as year-month-day, such as 2026-11-22.")
NO_NUMBER = N_("This is not a whole number in the range that is allowed.")
NO_SHARE = N_("This is not a percentage in the range that is allowed. Write it as a number, such as 0.1.")

_MULTIPART = "multipart/form-data"
_DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?")

_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was sent. Its name is what the reader's machine called it: never use it as a path."""

    name: str
    data: bytes = field(repr=False)


@dataclass(slots=True)
class Form:
    """The fields of one form, and what is wrong with them so far.

    Attributes:
        errors: By field, the first thing that is wrong with it, in the source's English; `""` is the form as a whole.
        labels: By field, what the page calls it, in the reader's language: for naming it where its error stands alone.
    """

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    files: Mapping[str, tuple[Upload, ...]] = field(default_factory=dict[str, tuple[Upload, ...]])
    errors: dict[str, str] = field(default_factory=dict[str, str])
    labels: dict[str, str] = field(default_factory=dict[str, str])

    def raw(self, name: str) -> str:
        """The first value of a field, `""` if there is none: for showing it again, or for a secret with spaces."""
        return self.values.get(name, ("",))[0]

    def every(self, name: str) -> tuple[str, ...]:
        """All values of a field that may be given several times, such as check boxes."""
        return self.values.get(name, ())

    def optional(self, name: str, *, most: int = MAX_TEXT_CHARACTERS) -> str:
        value = self.raw(name).strip()
        if len(value) > most:
            self.fail(name, TOO_LONG)
        return value

    def text(self, name: str, *, most: int = MAX_TEXT_CHARACTERS) -> str:
        """A field that has to have a value."""
        value = self.optional(name, most=most)
        if not value:
            self.fail(name, REQUIRED)
        return value

    def choice(self, name: str, choices: type[_Choice]) -> _Choice | None:
        try:
            return choices(self.raw(name))
        except ValueError:
            self.fail(name, NO_CHOICE)
            return None

    def choices(self, name: str, choices: type[_Choice]) -> frozenset[_Choice]:
        """Of several check boxes, those that are ticked."""
        try:
            return frozenset(choices(each) for each in self.every(name))
        except ValueError:
            self.fail(name, NO_CHOICE)
            return frozenset()

    def one_of(self, name: str, choices: Iterable[str]) -> str:
        value = self.raw(name)
        if value not in set(choices):
            self.fail(name, NO_CHOICE)
        return value

    def day(self, name: str) -> date | None:
        try:
            return date.fromisoformat(self.raw(name).strip())
        except ValueError:
            self.fail(name, NO_DATE)
            return None

    def whole_number(self, name: str, *, low: int, high: int) -> int | None:
        text = self.raw(name).strip()
        # A few digits, because Python refuses to read a number of thousands of them.
        if len(text) <= 12 and text.isascii() and text.isdecimal() and low <= int(text) <= high:
            return int(text)
        self.fail(name, NO_NUMBER)
        return None

    def share(self, name: str, *, low_pct: float = 0.0, high_pct: float = 100.0) -> float | None:
        """A percentage, with a point or a comma before its fraction, as a share from 0 to 1."""
        text = self.raw(name).strip().replace(",", ".")
        if len(text) <= 16 and _DECIMAL.fullmatch(text) and low_pct <= float(text) <= high_pct:
            # Decimal, so that 0.07 % is the same number as 0.0007 typed elsewhere.
            return float(Decimal(text) / 100)
        self.fail(name, NO_SHARE)
        return None

    def ticked(self, name: str) -> bool:
        return bool(self.every(name))

    def fail(self, name: str, why: str) -> None:
        """Say what is wrong with a field, or with the form as a whole (`""`); the first thing said stays."""
        self.errors.setdefault(name, why)

    def called(self, name: str, label: str) -> str:
        """Remember what the page calls a field; for templates, whose text it answers: none."""
        self.labels.setdefault(name, label)
        return ""

    @property
    def is_sound(self) -> bool:
        return not self.errors


async def read_form(request: Request, *, most_bytes: int = MAX_FORM_BYTES, most_files: int = 0) -> Form:
    """Read the form of a request, of which no more than `most_bytes` is ever held.

    Raises:
        HTTPException: 413 if it's larger, 415 if it's no form, 400 if it's malformed.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in {"application/x-www-form-urlencoded", _MULTIPART}:
        raise HTTPException(415)
    try:
        body = await _bounded(request, most_bytes)
        form = await _parsed(kind, Request(request.scope, _once(body)), most_bytes=most_bytes, most_files=most_files)
    except ClientDisconnect as error:
        raise HTTPException(400) from error
    except (MultiPartException, ValueError, UnicodeDecodeError) as error:
        raise HTTPException(400) from error
    try:
        return await _form(form)
    finally:
        await form.close()


async def _parsed(kind: str, request: Request, *, most_bytes: int, most_files: int) -> FormData:
    if kind != _MULTIPART:
        return await request.form(max_fields=MAX_FIELDS, max_part_size=most_bytes)
    parser = MultiPartParser(
        request.headers, request.stream(), max_files=most_files, max_fields=MAX_FIELDS, max_part_size=most_bytes
    )
    # Beyond this a file would go to the disk, where a photograph never lies unsealed. It is in memory already, whole.
    parser.spool_max_size = most_bytes
    return await parser.parse()


async def _form(form: FormData) -> Form:
    values: dict[str, list[str]] = {}
    files: dict[str, list[Upload]] = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            data = await value.read()
            # A file field that was left empty is sent all the same.
            if data or value.filename:
                files.setdefault(name, []).append(Upload(value.filename or "", data))
        else:
            values.setdefault(name, []).append(value)
    return Form(
        {name: tuple(each) for name, each in values.items()}, {name: tuple(each) for name, each in files.items()}
    )


async def _bounded(request: Request, most_bytes: int) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most_bytes:
            raise HTTPException(413)
    return bytes(body)


def _once(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
