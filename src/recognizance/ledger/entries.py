"""Entries: what one leaf of the ledger says, in canonical JSON (RFC 8785).

    {"commitments": {...}, "id": "...", "kind": "search", "public": {...}, "schema": 1, "time": "..."}

An entry holds no personal data. What is private is there as a commitment: HMAC-SHA256, keyed with 32 random bytes, over
the canonical JSON array

    ["recognizance.commitment.v1", <entry id>, <field>, <value>]

so that whoever is given salt and value can check them with common tools, nobody can try values out without the salt,
and a commitment can't be moved to another entry or field. Salts are kept in the records. Destroying a salt destroys
what the entry says, and leaves the tree as it was: that is how the ledger forgets.

Pure: ids, times and salts are arguments.
"""

import dataclasses
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self, TypeAlias

from recognizance.errors import InputError
from recognizance.ledger.canonical import JsonObject, JsonValue, read_canonical, write_canonical
from recognizance.ledger.facts import KINDS, Commitment, Facts
from recognizance.ledger.facts.fields import (
    ENTRY_ID_TYPE,
    MOMENT_TYPE,
    EntryId,
    private_types,
    public_types,
    read_fields,
    write_fields,
)
from recognizance.ledger.tiles import MAX_ENTRY_BYTES

SCHEMA_VERSION = 1
SALT_BYTES = 32
"""As long as the hash: a shorter HMAC key could be guessed, and HMAC pads it with zeros, so that two would agree."""

MAX_PRIVATE_BYTES = 1_000_000
_DOMAIN = "recognizance.commitment.v1"
_ENVELOPE = frozenset({"commitments", "id", "kind", "public", "schema", "time"})

PrivateValue: TypeAlias = "bool | int | str | tuple[PrivateValue, ...] | None"
"""What can be committed to. An absent value is committed to as well, so that nobody sees that it is absent."""


class NewerSchemaError(InputError):
    """The entry was written by newer software, whose schema precedes it in the log."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What proves a commitment to whoever is shown it; kept in the records, and destroyed to forget.

    Raises:
        InputError: On construction, if the salt has the wrong length or the value no canonical form.
    """

    entry_id: EntryId
    field: str
    value: PrivateValue = dataclasses.field(repr=False)
    salt: bytes = dataclasses.field(repr=False)
    value_data: bytes = dataclasses.field(init=False, repr=False, compare=False)
    """The value in canonical JSON, to be stored beside the salt."""
    commitment: Commitment = dataclasses.field(init=False, repr=False, compare=False)
    """The hash that the entry holds for this value."""

    def __post_init__(self) -> None:
        if len(self.salt) != SALT_BYTES:
            raise InputError(f"the salt of {self.field!r} has {len(self.salt)} bytes; a salt has {SALT_BYTES}")
        value_data = write_canonical(_to_json(self.value))
        # An array is spelled as its members are, with commas between: so the value is written out once.
        message = write_canonical([_DOMAIN, self.entry_id, self.field])[:-1] + b"," + value_data + b"]"
        if len(message) > MAX_PRIVATE_BYTES:
            raise InputError(f"the value of {self.field!r} is longer than {MAX_PRIVATE_BYTES} bytes")
        object.__setattr__(self, "value_data", value_data)
        object.__setattr__(self, "commitment", Commitment(hmac.digest(self.salt, message, "sha256").hex()))

    @classmethod
    def restore(cls, entry_id: EntryId, field: str, *, value_data: bytes, salt: bytes) -> Self:
        """Read back what `value_data` and `salt` were stored of.

        Raises:
            InputError: If the bytes aren't the canonical JSON of such a value.
        """
        return cls(entry_id, field, _from_json(read_canonical(value_data)), salt)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry.

    Attributes:
        time: When what it says took place, as the service's clock had it; the log's order is another matter.
    """

    id: EntryId
    time: datetime
    facts: Facts

    @property
    def private_fields(self) -> tuple[str, ...]:
        """The names of what it commits to, and doesn't show."""
        return tuple(private_types(type(self.facts)))

    @property
    def data(self) -> bytes:
        """The bytes of the leaf.

        Raises:
            InputError: If they are more than a leaf can have.
        """
        envelope: JsonObject = {
            "commitments": write_fields(self.facts, private_types(type(self.facts))),
            "id": ENTRY_ID_TYPE.read(self.id),
            "kind": self.facts.kind,
            "public": write_fields(self.facts, public_types(type(self.facts))),
            "schema": SCHEMA_VERSION,
            "time": MOMENT_TYPE.write(self.time),
        }
        data = write_canonical(envelope)
        if len(data) > MAX_ENTRY_BYTES:
            raise InputError(
                f"the entry of kind {self.facts.kind!r} has {len(data)} bytes; the limit is {MAX_ENTRY_BYTES}"
            )
        return data

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a leaf.

        Raises:
            InputError: If it isn't an entry of a kind and schema version that we know, exactly.
        """
        envelope = _read_envelope(data)
        _check_version(envelope["schema"])
        kind = envelope["kind"]
        facts = KINDS.get(kind) if isinstance(kind, str) else None
        if facts is None:
            raise InputError(f"the entry is of an unknown kind {kind!r:.64}")
        try:
            public = read_fields(envelope["public"], public_types(facts))
            private = read_fields(envelope["commitments"], private_types(facts))
            moment = MOMENT_TYPE.read(envelope["time"])
        except InputError as error:
            raise InputError(f"the entry of kind {kind!r}: {error}") from error
        return cls(_read_id(envelope), moment, facts(**public, **private))

    def opens(self, opening: Opening) -> bool:
        """Tell whether a value is the one that this entry committed to."""
        if opening.entry_id != self.id or opening.field not in private_types(type(self.facts)):
            return False
        return hmac.compare_digest(getattr(self.facts, opening.field), opening.commitment)


class Sealer:
    """Makes one entry: commits to its private values and keeps what opens them.

    Args:
        new_salt: Gives 32 random bytes at each call, fit for keys.
    """

    def __init__(self, entry_id: EntryId, *, new_salt: Callable[[], bytes]) -> None:
        self._entry_id = entry_id
        self._new_salt = new_salt
        self._openings: dict[str, Opening] = {}

    @property
    def openings(self) -> tuple[Opening, ...]:
        """What opens the commitments, to be stored in the same transaction as the entry."""
        return tuple(self._openings.values())

    def commit(self, field_name: str, value: PrivateValue) -> Commitment:
        """Commit to the value of a private field, each field once."""
        if field_name in self._openings:
            raise ValueError(f"the field {field_name!r} is committed to already")
        opening = Opening(self._entry_id, field_name, value, self._new_salt())
        self._openings[field_name] = opening
        return opening.commitment

    def seal(self, facts: Facts, *, time: datetime) -> Entry:
        """Return the entry.

        Raises:
            ValueError: If a private field doesn't hold what was committed to under its name.
        """
        committed = {name: opening.commitment for name, opening in self._openings.items()}
        if {name: getattr(facts, name) for name in private_types(type(facts))} != committed:
            raise ValueError(f"the commitments of the {facts.kind!r} entry aren't those made under its fields' names")
        return Entry(self._entry_id, time, facts)


def entry_id_of(data: bytes) -> EntryId:
    """Read the id of an entry of any kind and version.

    Raises:
        InputError: If the bytes aren't an entry.
    """
    return _read_id(_read_envelope(data))


def _read_envelope(data: bytes) -> dict[str, JsonValue]:
    if len(data) > MAX_ENTRY_BYTES:
        raise InputError(f"the entry has {len(data)} bytes; the limit is {MAX_ENTRY_BYTES}")
    envelope = read_canonical(data)
    if not isinstance(envelope, dict) or envelope.keys() != _ENVELOPE:
        raise InputError("the entry isn't an object with commitments, id, kind, public, schema and time")
    return envelope


def _check_version(version: JsonValue) -> None:
    if isinstance(version, bool) or not isinstance(version, int) or version < SCHEMA_VERSION:
        raise InputError("the entry's schema is no version number")
    if version > SCHEMA_VERSION:
        raise NewerSchemaError(f"the entry is of schema version {version}; we know {SCHEMA_VERSION}")


def _read_id(envelope: dict[str, JsonValue]) -> EntryId:
    try:
        return EntryId(ENTRY_ID_TYPE.read(envelope["id"]))
    except InputError as error:
        raise InputError(f"the entry's id {error}") from error


def _to_json(value: PrivateValue) -> JsonValue:
    return [_to_json(item) for item in value] if isinstance(value, tuple) else value


def _from_json(value: JsonValue) -> PrivateValue:
    if isinstance(value, list):
        return tuple(_from_json(item) for item in value)
    if isinstance(value, float | dict):
        raise InputError("what a commitment holds is neither a fraction nor an object")
    return value
