"""Languages: every text has its Spanish, with the same values in it, and pages are answered as asked for."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from recognizance import errors
from recognizance.web.catalogue import texts, untranslated, updated, written
from recognizance.web.language import REFUSALS, Language, catalogue_text, chosen_language, read_catalogue, wording
from recognizance.web.refusal_texts import ELSEWHERE, refusal_texts
from recognizance.web.refusals import Said, said

SPANISH = read_catalogue(catalogue_text(Language.SPANISH), Language.SPANISH)
_VALUE = re.compile(r"%\(\w+\)[sd]|%(?!\()")
_NUMBERED = re.compile(r"\{\d(?:!r)?\}")


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


def test_refusals_keep_the_values_of_services() -> None:
    """Each value of a service's sentence is in its translation, once."""
    for message in SPANISH:
        if message.context == REFUSALS:
            wanted = sorted(each.replace("!r", "") for each in _NUMBERED.findall(str(message.id)))
            assert sorted(_NUMBERED.findall(str(message.string))) == wanted, message.id


def test_every_refusal_of_a_service_is_said_in_spanish() -> None:
    """Whatever its values are; what no page can say is named with its reason, and is there."""
    spanish = wording(Language.SPANISH)
    values = iter(f"value {number}" for number in range(10_000))
    for text in refusal_texts():
        sentence = _NUMBERED.sub(lambda found: f"'{next(values)}'" if "!r" in found[0] else "a-word", text)
        spoken = said(sentence, spanish)
        assert spoken.is_translated, sentence
        assert all(each in spoken.text for each in re.findall(r"value \d+", sentence)), spoken.text
    assert len(refusal_texts()) > 200
    package = Path(errors.__file__).parent
    assert [place for place in ELSEWHERE if not (package / place).exists()] == []


def test_values_of_a_refusal_are_said_in_spanish_too() -> None:
    """Codes by their names, reasons within a reason, and names as they are."""
    spanish = wording(Language.SPANISH)
    assert said("review 'r-1' is answered; 'claim' is refused", spanish).text.startswith("la revisión «r-1» está en")
    assert said("use 'pier' is suspended; 'vote' is refused", spanish).text == (
        "el uso «pier» está en estado «suspendido»; se rechaza «vote»"
    )
    assert said("'p-1' can't review: nobody reviews their own search; only an examiner reviews", spanish).text == (
        "«p-1» no puede revisar: nadie revisa su propia búsqueda; solo una persona examinadora revisa"
    )
    assert said("there is no gallery '%(x)s {1}'", spanish).text == "no hay ninguna galería «%(x)s {1}»"


@pytest.mark.parametrize("text", ["", "no sentence of ours", "there is no gallery " + "x" * 2_000, "review 'a\nb"])
def test_what_is_not_in_the_catalogue_stays_as_it_is(text: str) -> None:
    assert said(text, wording(Language.SPANISH)) == Said(text, is_translated=False)


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
    assert (english.number(0.4, digits=4), spanish.number(0.4, digits=4)) == ("0.4000", "0,4000")
    assert (english.percent(0.0123), spanish.percent(0.0123)) == ("1.2%", "1,2\u00a0%")
    assert english.percent(0.5, digits=0) == "50%"
