"""Languages: every text has its Spanish, with the same values in it, and pages are answered as asked for."""

import re
from datetime import UTC, date, datetime

import pytest

from recognizance.web.catalogue import texts, untranslated, updated, written
from recognizance.web.language import Language, catalogue_text, chosen_language, read_catalogue, wording

SPANISH = read_catalogue(catalogue_text(Language.SPANISH), Language.SPANISH)
_VALUE = re.compile(r"%\(\w+\)[sd]|%(?!\()")


def test_every_text_has_its_spanish() -> None:
    """If this fails: `python -m recognizance.web.catalogue`, then fill in what it prints."""
    assert untranslated(updated(SPANISH, texts())) == []


def test_the_catalogue_is_as_the_program_writes_it() -> None:
    """Nothing in it that no page has, and in one order, so that two changes to it rarely meet."""
    assert written(updated(SPANISH, texts())) == catalogue_text(Language.SPANISH)


def test_translations_have_the_values_of_their_texts() -> None:
    """A value that one of them lacks would be lost, and one that only it has would break the page."""
    for message in SPANISH:
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, list | tuple) else [message.id]
        strings = message.string if isinstance(message.string, list | tuple) else [message.string]
        wanted = {value for each in ids for value in _VALUE.findall(each)}
        for each in strings:
            assert set(_VALUE.findall(str(each))) == wanted, message.id


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        (None, "", Language.ENGLISH),
        (None, "es", Language.SPANISH),
        (None, "ES-mx,en;q=0.9", Language.SPANISH),
        (None, "en;q=0.8, es;q=0.9", Language.SPANISH),
        (None, "es;q=0, en", Language.ENGLISH),
        (None, "es;q=high, en", Language.ENGLISH),
        (None, "de, fr", Language.ENGLISH),
        ("es", "en", Language.SPANISH),
        ("../etc", "es", Language.SPANISH),
        ("", "," * 100_000, Language.ENGLISH),
    ],
)
def test_a_choice_comes_before_what_the_browser_asks_for(chosen: str | None, accepted: str, language: Language) -> None:
    assert chosen_language(chosen, accepted) is language


def test_dates_and_numbers_are_written_as_readers_write_them() -> None:
    english, spanish = wording(Language.ENGLISH), wording(Language.SPANISH)
    moment = datetime(2026, 11, 2, 9, 5, tzinfo=UTC)
    assert english.moment(moment) == "2 November 2026, 09:05 UTC"
    assert spanish.moment(moment) == "2 de noviembre de 2026, 09:05 UTC"
    assert english.day(date(2026, 1, 31)) == "31 January 2026"
    assert (english.number(25_000), spanish.number(25_000)) == ("25,000", "25.000")
    assert (english.percent(0.0123), spanish.percent(0.0123)) == ("1.2%", "1,2\u00a0%")
    assert english.percent(0.5, digits=0) == "50%"
