"""Canonical JSON: the RFC's own examples, and every spelling held to that of another implementation."""

import json
from enum import IntEnum, StrEnum

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from recognizance.errors import InputError
from recognizance.ledger.canonical import MAX_INTEGER, JsonValue, write_canonical

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5), max_leaves=20
)


@given(values)
def test_every_value_is_spelled_as_another_implementation_spells_it(value: JsonValue) -> None:
    """Names in any script, fractions of any size, however deep."""
    assert write_canonical(value) == rfc8785.dumps(value)


def test_names_are_ordered_as_the_rfc_orders_them() -> None:
    """RFC 8785, 3.2.3: by UTF-16 code units, so that an emoji comes before a Hebrew presentation form."""
    names = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }

    written = list(json.loads(write_canonical(dict(names))).values())

    assert written == [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
    ]


def test_strings_and_numbers_are_spelled_as_in_the_rfc() -> None:
    """RFC 8785, 3.2.2: its example, in our notation."""
    sample: JsonValue = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\nA'\u0042\u0022\u005c\\\"/",
        "literals": [None, True, False],
    }

    assert write_canonical(sample).decode() == (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


class _Word(StrEnum):
    ONE = "one"


class _Number(IntEnum):
    ONE = 1


def test_members_of_enumerations_are_spelled_as_what_they_are() -> None:
    """A word is its text and a number its digits, whatever `str` makes of them."""
    assert write_canonical([_Word.ONE, _Number.ONE]) == b'["one",1]'


@pytest.mark.parametrize(
    "value",
    [
        MAX_INTEGER + 1,
        -MAX_INTEGER - 1,
        float("nan"),
        float("inf"),
        "\ud800",
        {"\ud800": 1},
        {1: 2},
        {"a": {1: 2}},
        b"x",
    ],
    ids=ascii,
)
def test_what_json_cannot_say_is_refused(value: JsonValue) -> None:
    """Instead of being written in some way that would read back as something else."""
    with pytest.raises(InputError, match="no canonical JSON form"):
        write_canonical(value)
