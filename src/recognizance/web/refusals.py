"""What services say when they refuse, in the reader's language.

Services speak English: one sentence each, with values in it, for logs and programs as much as for readers. The
catalogue has those sentences under the context `refusal`, taken from where they are raised (`refusal_texts.py`), with
their values as numbers in braces. Here a sentence that was said is found again by its fixed words, and said in the
other language with the same values. Decides nothing, and never guesses: a sentence that isn't in the catalogue stays
as it was said, and the page marks it as English.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from recognizance.web.administrator_words import ACCOUNT_STATES, STANDINGS
from recognizance.web.desk_words import EVENTS, HOLDINGS, KINDS
from recognizance.web.desk_words import STATES as REQUEST_STATES
from recognizance.web.language import REFUSALS, Language, Wording, catalogue_text, read_catalogue
from recognizance.web.operator_words import CLASS_WORDS, EDIT_WORDS, LEAD_STATE_WORDS, USE_STATE_WORDS
from recognizance.web.overseer_words import CHANGE_STATES, CHOICES, PURPOSES
from recognizance.web.reviewer_words import OUTCOME_WORDS
from recognizance.web.wordings import PROFILE_NAMES, ROLE_NAMES

_VALUE = re.compile(r"\{(\d(?:!r)?)\}")
_QUOTED = r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s'"]+)"""
"""A value as `repr` writes it, which is how sentences hold names; a number has no quotes."""
_MOST_CHARACTERS = 1_000
"""Longer sentences aren't looked for: finding one takes time that grows with its length and its values."""

_WORDS: Mapping[str, str] = {
    str(code.value): word
    for words in (
        *(CLASS_WORDS, EDIT_WORDS, LEAD_STATE_WORDS, PURPOSES, USE_STATE_WORDS, CHANGE_STATES, CHOICES),
        *(OUTCOME_WORDS, PROFILE_NAMES, ROLE_NAMES, EVENTS, HOLDINGS, KINDS, REQUEST_STATES, ACCOUNT_STATES, STANDINGS),
    )
    for code, word in words.items()
}
"""What the pages call the codes that stand in sentences as values."""


@dataclass(frozen=True, slots=True)
class Said:
    """A text, and whether it is in the reader's language."""

    text: str
    is_translated: bool


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence of the catalogue.

    Attributes:
        pattern: Finds it, whatever its values are.
        weight: How many of its characters are fixed: of two that fit, the one with more is meant.
    """

    pattern: re.Pattern[str]
    weight: int
    spoken: str


def said(text: str, wording: Wording) -> Said:
    """A service's sentence in the reader's language, or as it is.

    >>> from recognizance.web.language import wording
    >>> said("review 'r-1' is taken on by 2 people already", wording(Language.SPANISH)).text
    'De la revisión «r-1» ya se encargan 2 personas'
    >>> said("anything else", wording(Language.SPANISH))
    Said(text='anything else', is_translated=False)
    """
    if wording.language is Language.ENGLISH:
        return Said(text, is_translated=True)
    if len(text) <= _MOST_CHARACTERS:
        for sentence in _sentences(wording.language):
            if (found := sentence.pattern.fullmatch(text)) is not None:
                values = [_value(value, wording) for value in found.groups()]
                return Said(_filled(sentence.spoken, values), is_translated=True)
    return Said(text, is_translated=False)


def pattern_of(sentence: str) -> re.Pattern[str]:
    """What finds a sentence of the catalogue among those that are said.

    >>> pattern_of("face {1!r} is {2}").fullmatch("face 'a b' is new").groups()
    ("'a b'", 'new')
    """
    fixed = _VALUE.split(sentence)
    pieces = [
        re.escape(part) if at % 2 == 0 else _QUOTED if part.endswith("!r") else "(.*?)" for at, part in enumerate(fixed)
    ]
    return re.compile("".join(pieces), re.DOTALL)


def _filled(spoken: str, values: list[str]) -> str:
    return _VALUE.sub(lambda number: values[int(number[1][0]) - 1], spoken)


def _value(value: str, wording: Wording) -> str:
    """A value as the reader's language has it: a word for a code, sentences for sentences, all else as it is."""
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    plain = value[1:-1] if is_quoted else value
    if is_quoted or plain in _WORDS:
        return f"«{wording.gettext(_WORDS[plain]) if plain in _WORDS else plain}»"
    parts = [said(part, wording) for part in value.split("; ")]
    return "; ".join(part.text for part in parts)


@lru_cache
def _sentences(language: Language) -> list[_Sentence]:
    found = [
        _Sentence(pattern_of(str(message.id)), len(_VALUE.sub("", str(message.id))), str(message.string))
        for message in read_catalogue(catalogue_text(language), language)
        if message.context == REFUSALS and message.string
    ]
    return sorted(found, key=lambda sentence: -sentence.weight)
