"""What an evaluation is run on: a list of pictures, who is in them, and to which groups they belong.

A manifest is a CSV file. `path` and `subject` are required; `session` or `date` say when a picture was taken; every
other column is a group column, whose values come from whoever made the set and never from us (docs/evaluation.md). A
line that isn't understood is an error that names line and column: a row that is skipped silently is a result nobody can
repeat.

`commitment` names a set by one hash over its rows and the SHA-256 of every picture, whatever order the rows came in.
Pure: text in, values out.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256

import rfc8785

from recognizance.errors import InputError

MAX_BYTES = 256 << 20
"""A million rows of 256 bytes."""
MAX_ROWS = 1_000_000
MAX_FIELD_CHARACTERS = 1_024
"""The longest key that S3 has."""
MAX_GROUP_COLUMNS = 16
MAX_GROUPS = 64
"""Different values of one group column. A column with more is no group but a number or a name."""

PATH, SUBJECT, SESSION, DATE = "path", "subject", "session", "date"
_COLUMN = re.compile(r"[A-Za-z][A-Za-z0-9_ -]{0,39}")
_DOMAIN = b"recognizance.evaluation.manifest/v1\n"


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture of one person.

    Attributes:
        path: Below the manifest's folder, or `s3://bucket/key`; no other sample of the set has it.
        session: When it was taken, as a date or a name; empty where the manifest doesn't say.
        groups: By group column; empty where unknown.
    """

    path: str
    subject: str
    session: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """A set of pictures, ordered by path: a sample's number is its place in that order.

    Attributes:
        group_columns: In the order of the file; each sample has one value for each.
        places: Where each sample stands, in words, for messages; empty where the rows are of no file. Two manifests of
            the same rows are equal wherever these stand.
    """

    samples: tuple[Sample, ...]
    group_columns: tuple[str, ...]
    session_column: str | None
    places: tuple[str, ...] = field(default=(), compare=False)

    def __len__(self) -> int:
        return len(self.samples)

    def place(self, number: int) -> str:
        """Where a sample stands, such as `set.csv, line 7, column path`."""
        return self.places[number] if self.places else f"sample {number}"

    def by_subject(self) -> Mapping[str, tuple[int, ...]]:
        """The samples of each subject, the earliest session first, then by path."""
        found: dict[str, list[int]] = {}
        order = sorted(range(len(self)), key=lambda number: (self.samples[number].session, self.samples[number].path))
        for number in order:
            found.setdefault(self.samples[number].subject, []).append(number)
        return {subject: tuple(found[subject]) for subject in sorted(found)}

    def groups(self, column: str) -> tuple[str, ...]:
        """Each sample's value in a group column.

        Raises:
            InputError: If there is no such column. Lists those that there are.
        """
        if column not in self.group_columns:
            known = ", ".join(self.group_columns) or "none"
            raise InputError(f"the manifest has no group column {column!r}; it has {known}")
        place = self.group_columns.index(column)
        return tuple(sample.groups[place] for sample in self.samples)


def parse_manifest(data: bytes, *, name: str = "manifest") -> Manifest:
    r"""Read a manifest in full, or refuse it.

    Args:
        name: What messages call it.

    Raises:
        InputError: Names the line and the column.

    >>> parse_manifest(b"path,subject,sex\nb.jpg,Ada,female\na.jpg,Bo,\n").samples[0]
    Sample(path='a.jpg', subject='Bo', session='', groups=('',))
    """
    rows = _rows(data, name)
    try:
        _, header = next(rows)
    except StopIteration:
        raise InputError(f"{name}: the file is empty; its first line names the columns") from None
    columns = _columns(header, name)
    samples: dict[str, Sample] = {}
    lines: dict[str, int] = {}
    for line, row in rows:
        sample = _sample(row, columns, f"{name}, line {line}")
        if sample.path in samples:
            raise InputError(f"{name}, line {line}, column {PATH}: {sample.path!r} is on line {lines[sample.path]} too")
        if len(samples) == MAX_ROWS:
            raise InputError(f"{name}: there are more than {MAX_ROWS:,} pictures")
        samples[sample.path], lines[sample.path] = sample, line
    if not samples:
        raise InputError(f"{name}: there is no picture in it")
    order = sorted(samples)
    places = tuple(f"{name}, line {lines[path]}, column {PATH}" for path in order)
    manifest = Manifest(tuple(samples[path] for path in order), columns.groups, columns.session, places)
    for column in columns.groups:
        if len(set(manifest.groups(column)) - {""}) > MAX_GROUPS:
            raise InputError(f"{name}, column {column}: more than {MAX_GROUPS} different groups; leave this column out")
    return manifest


def spell_manifest(manifest: Manifest) -> bytes:
    """Write a manifest as the CSV file that `parse_manifest` reads back."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    session = [] if manifest.session_column is None else [manifest.session_column]
    writer.writerow([PATH, SUBJECT, *session, *manifest.group_columns])
    for sample in manifest.samples:
        dated = [] if manifest.session_column is None else [sample.session]
        writer.writerow([sample.path, sample.subject, *dated, *sample.groups])
    return file.getvalue().encode()


def commitment(manifest: Manifest, image_sha256: Sequence[str]) -> str:
    """The SHA-256 by which a set is known: of its columns, its rows by path, and every picture's SHA-256.

    Each row is hashed as RFC 8785 JSON on a line of its own, so no two sets have the same text.

    Args:
        image_sha256: One for each sample, in order; lower-case hexadecimal.

    Raises:
        ValueError: If there is not one for each sample.
    """
    digest = sha256(_DOMAIN)
    digest.update(rfc8785.dumps([manifest.session_column, *manifest.group_columns]) + b"\n")
    for sample, image in zip(manifest.samples, image_sha256, strict=True):
        digest.update(rfc8785.dumps([sample.path, sample.subject, sample.session, list(sample.groups), image]) + b"\n")
    return digest.hexdigest()


def select(manifest: Manifest, numbers: Sequence[int]) -> Manifest:
    """The set of some of the samples, in the same order."""
    kept = tuple(manifest.samples[number] for number in sorted(set(numbers)))
    return Manifest(kept, manifest.group_columns, manifest.session_column)


@dataclass(frozen=True, slots=True)
class _Columns:
    names: tuple[str, ...]
    groups: tuple[str, ...]
    session: str | None


def _rows(data: bytes, name: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the number of its last line. Empty lines are skipped, as every writer of CSV may end with one."""
    if len(data) > MAX_BYTES:
        raise InputError(f"{name}: the file is larger than {MAX_BYTES >> 20} MiB")
    try:
        # A spreadsheet program begins the file with a byte order mark.
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: byte {error.start} is no UTF-8: save it as CSV in UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise InputError(f"{name}, line {reader.line_num}: {error}") from error


def _columns(header: Sequence[str], name: str) -> _Columns:
    if len(header) == 1 and any(other in header[0] for other in ";\t"):
        # Spreadsheet programs write so in countries whose decimal sign is the comma.
        raise InputError(f"{name}, line 1: columns are separated by commas; save it as CSV with commas")
    for column in header:
        if not _COLUMN.fullmatch(column):
            raise InputError(
                f"{name}, line 1: {column[:40]!r} is no name for a column; begin with a letter, use letters, digits, _"
                " and -"
            )
    if repeated := {column for column in header if header.count(column) > 1}:
        raise InputError(f"{name}, line 1: the column {min(repeated)!r} is there twice")
    for required in (PATH, SUBJECT):
        if required not in header:
            raise InputError(f"{name}, line 1: the column {required!r} is missing")
    if SESSION in header and DATE in header:
        raise InputError(f"{name}, line 1: give a session or a date, not both")
    session = next((column for column in (SESSION, DATE) if column in header), None)
    groups = tuple(column for column in header if column not in {PATH, SUBJECT, SESSION, DATE})
    if len(groups) > MAX_GROUP_COLUMNS:
        raise InputError(f"{name}, line 1: {len(groups)} group columns; the limit is {MAX_GROUP_COLUMNS}")
    return _Columns(tuple(header), groups, session)


def _sample(row: Sequence[str], columns: _Columns, where: str) -> Sample:
    if len(row) != len(columns.names):
        raise InputError(f"{where}: {len(row)} fields; the first line names {len(columns.names)} columns")
    fields = dict(zip(columns.names, row, strict=True))
    for column, value in fields.items():
        if len(value) > MAX_FIELD_CHARACTERS:
            raise InputError(f"{where}, column {column}: longer than {MAX_FIELD_CHARACTERS} characters")
        if value != value.strip() or any(unicodedata.category(character)[0] == "C" for character in value):
            raise InputError(f"{where}, column {column}: spaces at an end, or a control character")
        # One spelling of a name for one person: é can be written as one character or as two.
        if unicodedata.normalize("NFC", value) != value and column != PATH:
            raise InputError(f"{where}, column {column}: accents have to be in Unicode's composed form (NFC)")
    for required in (PATH, SUBJECT):
        if not fields[required]:
            raise InputError(f"{where}, column {required}: empty")
    session = fields[columns.session] if columns.session else ""
    if columns.session == DATE and session:
        _require_date(session, f"{where}, column {DATE}")
    return Sample(_path(fields[PATH], where), fields[SUBJECT], session, tuple(fields[name] for name in columns.groups))


def _path(path: str, where: str) -> str:
    """A path has one spelling and stays below the manifest's folder, so that a foreign manifest can't read others."""
    place = path.removeprefix("s3://") if path.startswith("s3://") else path
    parts = place.split("/")
    if "\\" in place:
        raise InputError(f"{where}, column {PATH}: {path!r}: folders are separated by /")
    if place.startswith("/") or any(part in {"", ".", ".."} for part in parts):
        raise InputError(f"{where}, column {PATH}: {path!r} is no plain path below the manifest's folder")
    if path.startswith("s3://") and len(parts) < 2:
        raise InputError(f"{where}, column {PATH}: {path!r} names a bucket and no key")
    return path


def _require_date(text: str, where: str) -> None:
    try:
        parsed = date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{where}: {text!r} is no date such as 2026-11-22") from error
    if parsed.isoformat() != text:
        raise InputError(f"{where}: {text!r} has to be written as {parsed.isoformat()}")
