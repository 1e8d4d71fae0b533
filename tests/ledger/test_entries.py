"""Entries: every kind reads back, the published schema says the same, and what is private stays private."""

import dataclasses
import datetime as dt
import enum
import hmac
import json
import secrets
import types
import typing
import uuid
from collections.abc import Mapping
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recognizance.errors import InputError
from recognizance.ledger.canonical import JsonValue, read_canonical, write_canonical
from recognizance.ledger.entries import Entry, NewerSchemaError, Opening, PrivateValue, Sealer, entry_id_of
from recognizance.ledger.facts import KINDS, Commitment, EntryId, Person, Standing, Vote
from recognizance.ledger.facts import fields as fields_module
from recognizance.ledger.facts.rules import Choice
from recognizance.ledger.schema import schema_document, schema_facts
from tests.ledger.world import START, an_entry

SCHEMA = json.loads(schema_document())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

moments = st.datetimes(min_value=dt.datetime(1000, 1, 1)).map(lambda moment: moment.replace(tzinfo=dt.UTC))  # noqa: DTZ001
ids = st.uuids().map(lambda value: EntryId(str(value)))


def values_of(annotation: Any) -> st.SearchStrategy[Any]:
    """Return values of a field, read off its annotation and not off the code under test."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is Commitment:
        return st.binary(min_size=32, max_size=32).map(bytes.hex)
    if origin is typing.Annotated:
        return annotated_values(annotation)
    if origin in {typing.Union, types.UnionType}:
        return st.none() | values_of(arguments[0])
    if origin is tuple:
        return st.lists(values_of(arguments[0]), max_size=3).map(tuple)
    if annotation is bool:
        return st.booleans()
    if annotation is dt.datetime:
        return moments
    if issubclass(annotation, enum.Enum):
        return st.sampled_from(annotation)
    return instances(annotation)


def annotated_values(annotation: Any) -> st.SearchStrategy[Any]:
    if annotation in {fields_module.Pseudonym, fields_module.EntryReference}:
        return st.uuids().map(str)
    if annotation is fields_module.Digest:
        return st.binary(min_size=32, max_size=32).map(bytes.hex)
    if annotation is fields_module.KeyText:
        return st.just("log.example+0a1b2c3d+AQID")
    if annotation is fields_module.Token:
        return st.text("abcXYZ019_.:@/-", min_size=1, max_size=20)
    if annotation in {fields_module.Text, fields_module.Document}:
        characters = st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"])
        return st.text(characters, min_size=1, max_size=20)
    if annotation is fields_module.Count:
        return st.integers(0, 2**53 - 1)
    low = -1.0 if annotation is fields_module.Similarity else 0.0
    return st.floats(low, 1.0).map(lambda number: number + 0.0)


def instances(record: type[Any]) -> st.SearchStrategy[Any]:
    hints = typing.get_type_hints(record, include_extras=True)
    return st.builds(record, **{field.name: values_of(hints[field.name]) for field in dataclasses.fields(record)})


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), entry_id=ids, time=moments)
def test_every_kind_reads_back_and_fits_the_schema(
    kind: str, data: st.DataObject, entry_id: EntryId, time: dt.datetime
) -> None:
    """What is written is read as the same entry, and the published schema accepts it."""
    entry = Entry(entry_id, time, data.draw(instances(KINDS[kind])))

    assert Entry.parse(entry.data) == entry
    assert entry_id_of(entry.data) == entry_id
    VALIDATOR.validate(json.loads(entry.data))


def json_paths(value: Any, prefix: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [prefix, *(path for name, item in items for path in json_paths(item, (*prefix, name)))]


def replaced(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    if not path:
        return new
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], new)
    return copy


OTHER_VALUES: list[Any] = [None, True, -1, 2**53 - 1, 0.5, 7.5, "", "ab c", "A" * 64, "x" * 256, [], {}, ["a"]]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_the_parser_and_the_schema_refuse_the_same(kind: str, data: st.DataObject) -> None:
    """Change one value anywhere in an entry: both accept it, or both refuse it."""
    entry = Entry(EntryId(str(uuid.UUID(int=1))), START, data.draw(instances(KINDS[kind])))
    whole = json.loads(entry.data)
    path = data.draw(st.sampled_from(json_paths(whole)))
    new = data.draw(st.sampled_from(OTHER_VALUES))
    changed = replaced(whole, path, new)

    try:
        Entry.parse(write_canonical(changed))
        is_read = True
    except InputError:
        is_read = False

    assert is_read == VALIDATOR.is_valid(changed)


@pytest.mark.parametrize("kind", KINDS)
def test_no_field_can_be_left_out_or_added(kind: str) -> None:
    """A record from which a field was dropped is refused until a new schema is published."""
    facts = KINDS[kind]
    hints = typing.get_type_hints(facts, include_extras=True)
    names = hints.keys() - {"kind"}
    private = {name for name in names if hints[name] is Commitment}
    definition = SCHEMA["$defs"][f"kind.{kind}"]

    assert set(definition["properties"]["public"]["required"]) == names - private
    assert set(definition["properties"]["commitments"]["required"]) == private
    for part in ("public", "commitments"):
        assert definition["properties"][part]["additionalProperties"] is False
    assert definition["description"]


def test_the_schema_is_valid_and_is_itself_an_entry() -> None:
    """It fits in one leaf, and carries exactly the document that is published."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    entry = Entry(EntryId(str(uuid.UUID(int=1))), START, schema_facts())

    parsed = Entry.parse(entry.data)

    assert parsed.facts == schema_facts()
    assert schema_facts().document.encode() == schema_document()
    VALIDATOR.validate(json.loads(entry.data))


@given(st.one_of(st.binary(max_size=80), st.text(max_size=80).map(str.encode)))
def test_any_bytes_are_one_entry_or_refused(data: bytes) -> None:
    """Nothing else comes out of the parser."""
    with pytest.raises(InputError):
        Entry.parse(data)


@given(st.integers(0, 300), st.binary(max_size=3))
def test_an_entry_with_other_bytes_is_another_entry_or_refused(place: int, change: bytes) -> None:
    """Whatever is read is written back the same."""
    whole = an_entry(3).data
    data = whole[:place] + change + whole[place + 1 :]
    try:
        entry = Entry.parse(data)
    except InputError:
        return
    assert entry.data == data


@pytest.mark.parametrize(
    "data",
    [
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a": 1}',
        b'{"a":1.0}',
        b'{"a":1e0}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":9007199254740993}',
        b'{"a":"\\u0041"}',
        b'{"a":"\\ud800"}',
        b"\xef\xbb\xbf{}",
        b"[" * 30_000,
        b'{"a":' * 10_000,
        b"\xff",
        b"",
        b"{}\n",
    ],
)
def test_json_that_is_not_canonical_is_refused(data: bytes) -> None:
    """Order, repetition, spaces, numbers, escapes, depth: each value has one spelling."""
    with pytest.raises(InputError):
        read_canonical(data)


def test_canonical_json_follows_the_standard() -> None:
    """The example of RFC 8785, section 3.2.2, and its sorting by UTF-16 code units."""
    value: JsonValue = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": '\u20ac$\u000f\nA\'B"\\\\"/',
        "literals": [None, True, False],
    }
    expected = (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )

    assert write_canonical(value).decode() == expected
    assert write_canonical({"\U0001f600": 1, "ﬃ": 2}).decode() == '{"😀":1,"ﬃ":2}'


plain_values = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1)
private_values = st.recursive(
    plain_values | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=5,
)


class TestCommitments:
    """What is private is in the entry as a hash that only its salt and value open."""

    def sealed(self, name: PrivateValue, salt: bytes = bytes(32)) -> tuple[Entry, Opening]:
        sealer = Sealer(EntryId(str(uuid.UUID(int=9))), new_salt=lambda: salt)
        person = Person(
            person=str(uuid.UUID(int=5)),
            standing=Standing.ADDED,
            agency="sheriff",
            roles=("examiner",),
            name=sealer.commit("name", name),
        )
        entry = sealer.seal(person, time=START)
        return entry, sealer.openings[0]

    def test_the_value_and_salt_open_it(self) -> None:
        """And nothing else does."""
        entry, opening = self.sealed("Ada Example")

        assert Entry.parse(entry.data).opens(opening)
        for changed in (
            dataclasses.replace(opening, value="Ada Other"),
            dataclasses.replace(opening, salt=bytes([1]) * 32),
            dataclasses.replace(opening, entry_id=EntryId(str(uuid.UUID(int=10)))),
            dataclasses.replace(opening, field="person"),
            dataclasses.replace(opening, field="another"),
        ):
            assert not entry.opens(changed)

    def test_it_can_be_checked_with_common_tools(self) -> None:
        """HMAC-SHA256 of a JSON array, computed here by hand."""
        entry, _ = self.sealed("Ada Example", salt=bytes(range(32)))
        message = b'["recognizance.commitment.v1","00000000-0000-0000-0000-000000000009","name","Ada Example"]'

        assert isinstance(entry.facts, Person)
        assert entry.facts.name == hmac.digest(bytes(range(32)), message, "sha256").hex()

    def test_the_value_is_nowhere_in_the_entry(self) -> None:
        """Nor does the same value look the same twice, once each has its own salt."""
        first, _ = self.sealed("Ada Example", salt=secrets.token_bytes(32))
        second, _ = self.sealed("Ada Example", salt=secrets.token_bytes(32))

        assert b"Ada" not in first.data
        assert isinstance(first.facts, Person)
        assert isinstance(second.facts, Person)
        assert first.facts.name != second.facts.name

    @given(private_values)
    def test_any_private_value_can_be_committed_to(self, value: PrivateValue) -> None:
        """Absent ones too, so that an entry doesn't say that they are absent."""
        entry, opening = self.sealed(value)
        assert entry.opens(opening)

    @pytest.mark.parametrize("salt", [b"", bytes(31), bytes(33), bytes(64)])
    def test_a_salt_of_another_length_is_refused(self, salt: bytes) -> None:
        """HMAC pads short keys with zeros: two salts would open one commitment."""
        with pytest.raises(InputError, match="a salt has 32"):
            self.sealed("x", salt=salt)

    @pytest.mark.parametrize("value", [2**60, "\ud800", "x" * 1_000_001])
    def test_a_value_without_canonical_form_is_refused(self, value: PrivateValue) -> None:
        """It couldn't be opened later."""
        with pytest.raises(InputError):
            self.sealed(value)

    def test_a_commitment_under_another_name_is_a_mistake(self) -> None:
        """The sealer notices before the entry exists."""
        sealer = Sealer(EntryId(str(uuid.UUID(int=9))), new_salt=lambda: bytes(32))
        person = Person(
            person=str(uuid.UUID(int=5)),
            standing=Standing.ADDED,
            agency="sheriff",
            roles=(),
            name=sealer.commit("nome", "Ada"),
        )
        with pytest.raises(ValueError, match="aren't those made under"):
            sealer.seal(person, time=START)
        with pytest.raises(ValueError, match="already"):
            sealer.commit("nome", "Ada")

    def test_an_opening_does_not_show_its_secret(self) -> None:
        """Not even where it is printed by mistake."""
        _, opening = self.sealed("Ada Example")
        assert "Ada" not in repr(opening)
        assert "salt" not in repr(opening)


BAD_FIELDS: list[Mapping[str, object]] = [
    {"voter": "sheriff.jones"},
    {"voter": "Ada Example"},
    {"about": "7"},
    {"statement": ""},
    {"statement": "a\x00b"},
    {"statement": "half \ud800"},
    {"statement": "x" * 4001},
    {"choice": "perhaps"},
]


@pytest.mark.parametrize("bad", BAD_FIELDS, ids=str)
def test_a_value_that_its_field_does_not_allow_is_refused_at_once(bad: Mapping[str, Any]) -> None:
    """A name where a pseudonym belongs never gets as far as an entry; the message names the field, not the value."""
    good: dict[str, Any] = {
        "about": EntryId(str(uuid.UUID(int=1))),
        "voter": str(uuid.UUID(int=2)),
        "choice": Choice.APPROVE,
        "statement": "I agree.\nIt is needed.",
    }
    Vote(**good)

    with pytest.raises((InputError, AttributeError)) as caught:
        Vote(**(good | dict(bad)))

    assert "Ada" not in str(caught.value)


def test_an_entry_beyond_the_limit_is_refused() -> None:
    """A leaf has at most 65,535 bytes; quotes take two of them each."""
    facts = dataclasses.replace(schema_facts(), document='"' * 40_000)
    with pytest.raises(InputError, match="the limit is 65535"):
        _ = Entry(EntryId(str(uuid.UUID(int=1))), START, facts).data


def test_a_time_without_zone_is_a_mistake() -> None:
    """Nobody could say when it was."""
    with pytest.raises(ValueError, match="time zone"):
        _ = dataclasses.replace(an_entry(1), time=dt.datetime(2026, 1, 1)).data  # noqa: DTZ001


@pytest.mark.parametrize(("version", "error"), [("2", NewerSchemaError), ("0", InputError), ("true", InputError)])
def test_an_entry_of_another_schema_is_not_read(version: str, error: type[InputError]) -> None:
    """A newer one is told apart, since its schema precedes it in the log."""
    with pytest.raises(error):
        Entry.parse(an_entry(1).data.replace(b'"schema":1', f'"schema":{version}'.encode()))


def test_every_kind_is_listed_under_its_own_name() -> None:
    """No two kinds share one."""
    assert all(facts.kind == name for name, facts in KINDS.items())
    assert len(set(KINDS.values())) == len(KINDS)
    assert set(KINDS) == {kind["$ref"].removeprefix("#/$defs/kind.") for kind in SCHEMA["oneOf"]}
