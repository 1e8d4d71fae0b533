"""Documents of governance: one spelling, read strictly, the same value again."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizance.errors import CorruptionError, InputError
from recognizance.governance.codec import parse_document, read_document, write_document
from recognizance.governance.parties import CourseId, Training
from recognizance.governance.terms import UseTerms
from recognizance.governance.uses import Use, UseState


@pytest.mark.parametrize("state", UseState)
def test_a_use_in_any_state_is_read_as_it_was_written(use_in: Callable[..., Use], state: UseState) -> None:
    """Votes, suspension, emergency and terms included."""
    use = use_in(state)

    assert read_document(Use, write_document(use)) == use
    assert write_document(read_document(Use, write_document(use))) == write_document(use)


def _terms(use_in: Callable[..., Use]) -> dict[str, object]:
    value: dict[str, object] = json.loads(write_document(use_in(UseState.PROPOSED).terms))
    return value


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"extra": 1}, "is no field"),
        ({"agency": None}, "agency"),
        ({"review_required": 1}, "review_required"),
        ({"starts": "2026-03-01"}, "starts"),
        ({"starts": "2026-03-01T00:00:00.000000+00:00"}, "starts"),
        ({"purpose": "curiosity"}, "purpose"),
        ({"search_classes": ["targeted", "targeted"]}, "twice"),
        ({"search_classes": "targeted"}, "not a list"),
        ({"limits": []}, "not an object"),
        ({"expires": "2020-01-01T00:00:00.000000Z"}, "expires before it starts"),
    ],
)
def test_what_is_no_value_of_its_type_is_refused_by_name(
    use_in: Callable[..., Use], change: dict[str, object], said: str
) -> None:
    """Unknown fields, other types, other spellings, and what the value itself refuses."""
    with pytest.raises(InputError, match=said):
        parse_document(UseTerms, {**_terms(use_in), **change})  # type: ignore[dict-item]  # what comes in from outside


def test_a_missing_field_is_refused_even_if_it_has_a_default(use_in: Callable[..., Use]) -> None:
    """A document says everything, so that a later default can't change an earlier document."""
    terms = _terms(use_in)
    del terms["course"]
    with pytest.raises(InputError, match="'course'"):
        parse_document(UseTerms, terms)  # type: ignore[arg-type]  # what comes in from outside


def test_another_spelling_of_the_same_document_is_corrupt() -> None:
    """A document that somebody edited by hand is noticed even where its value is the same."""
    training = Training(CourseId("examination"), date(2026, 1, 31), date(2027, 1, 31))
    written = write_document(training)
    assert read_document(Training, written) == training
    for edited in (written.replace(b":", b": "), written + b"\n", written[:-1]):
        with pytest.raises(CorruptionError):
            read_document(Training, edited)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_corrupt(data: bytes) -> None:
    """Nothing else is raised."""
    with pytest.raises(CorruptionError):
        read_document(Training, data)


@dataclass(frozen=True, slots=True)
class _Odd:
    value: object


def test_a_type_that_no_document_has_is_a_programmers_mistake(use_in: Callable[..., Use]) -> None:
    """Bytes, dictionaries and the like don't slip in."""
    with pytest.raises(TypeError):
        write_document(_Odd(b"bytes"))
    assert write_document(replace(use_in(UseState.PROPOSED).terms, course=None)).count(b'"course":null') == 1
