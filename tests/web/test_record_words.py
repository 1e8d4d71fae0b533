"""Words for the record's codes: none is left a code, in either language."""

from enum import StrEnum
from typing import Any, get_args, get_type_hints

import pytest

from recognizance.governance.requests import Act
from recognizance.governance.uses import UseEvent
from recognizance.ledger.facts import KINDS
from recognizance.ledger.facts.fields import private_types, public_types
from recognizance.register.proof import _STEPS
from recognizance.register.rows import StepRow, VoteRow
from recognizance.web.language import Language, wording
from recognizance.web.public_entries import spelled
from recognizance.web.public_tables import table_view
from recognizance.web.record_words import CODE_WORDS, FIELD_WORDS, KIND_WORDS, code_words

from ..review_world import NOW

ENGLISH, SPANISH = wording(Language.ENGLISH), wording(Language.SPANISH)


def enumerations(hint: Any) -> list[type[StrEnum]]:
    """The enumerations that a field's type names, wherever in it."""
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return [hint]
    return [found for each in get_args(hint) for found in enumerations(each)]


def test_every_kind_and_every_field_has_a_word() -> None:
    """For all of the ledger, those fields whose values are sealed as well."""
    fields = {name for kind in KINDS.values() for name in (*public_types(kind), *private_types(kind))}
    assert KIND_WORDS.keys() == KINDS.keys()
    assert fields <= FIELD_WORDS.keys()


def test_every_value_of_every_enumeration_has_a_word() -> None:
    """Read off the ledger's own types, so that a new value can't be published as a code."""
    missing = [
        (kind, field, value.value)
        for kind, shape in KINDS.items()
        for field, hint in get_type_hints(shape).items()
        for enumeration in enumerations(hint)
        for value in enumeration
        if code_words(field, value) is None
    ]
    assert missing == []


@pytest.mark.parametrize(("field", "codes"), [("action", Act), ("cause", UseEvent)])
def test_what_is_published_as_a_token_has_words_too(field: str, codes: type[StrEnum]) -> None:
    """A refused act and a step of a use are plain tokens in the ledger, drawn from these."""
    assert [each for each in codes if code_words(field, each) is None] == []


def test_a_sentence_of_the_record_has_no_code_in_either_language() -> None:
    """An entry's fields are said as people say them."""
    assert spelled("purpose", "investigate_offence", ENGLISH) == "investigate an offence"
    assert spelled("purpose", "investigate_offence", SPANISH) == "investigar un delito"
    assert spelled("agency", "none", ENGLISH) == "no agency"
    assert spelled("missing", ("needs-an-active-use", "our-own"), ENGLISH) == "a use that is active now, our-own"
    assert spelled("name", "law_enforcement", ENGLISH) == "law_enforcement"
    assert all("_" not in word.partition(":")[0] for words in CODE_WORDS.values() for word in words.values())


def test_the_steps_of_the_register_are_said_in_spanish_too() -> None:
    """They are English in its files; on the page they are instructions to a reader."""
    for number, text in enumerate(_STEPS, start=1):
        view = table_view("proof", "steps", [StepRow(number, text)], SPANISH)
        assert view.rows[0][1].text != text


def test_a_row_of_many_columns_is_a_list_with_words_links_and_what_was_said() -> None:
    """A vote's reasons are not beyond the edge of a screen, and its use is one step away."""
    vote = VoteRow("0e12", "missing 2027", "terms", NOW, "0f89", "approve", ("by month",), "read and weighed")
    view = table_view("oversight", "votes", [vote], ENGLISH, {"0f89": "Judge Castellanos"})
    shown = {each.name: each for each in view.rows[0]}
    assert view.is_wide
    assert [each.name for each in view.listed(view.rows[0])][-2:] == ["conditions", "statement"]
    assert {each.name for each in view.listed(view.rows[0])} == set(shown) - {"use"}
    assert (shown["question"].text, shown["statement"].text) == ("whether it is allowed", "read and weighed")
    assert (shown["use"].link, shown["about"].link) == ("/uses/missing%202027", "/record/by-id/0e12")
    assert shown["voter"].text == "Judge Castellanos (0f89)"
    assert (shown["choice"].link, shown["about"].is_code) == ("", True)
