"""The languages of the pages: one gettext catalogue for each, and dates and numbers as its readers write them.

English is the language of the source, so it has no catalogue. The others are `locales/<language>.po`, read when the
program starts: what a translator edits is what is served, and no compiled file can fall behind it. A missing
translation shows the English text, and fails `tests/web/test_language.py`.

Never guesses a time zone: moments are shown in UTC, as the ledger states them, and say so.
"""

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from importlib import resources

import babel.dates
import babel.numbers
from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

FOLDER = "locales"
REFUSALS = "refusal"
"""The context in a catalogue of what services say when they refuse."""


class Language(StrEnum):
    ENGLISH = "en"
    SPANISH = "es"

    @property
    def own_name(self) -> str:
        """What its readers call it; never translated."""
        return {Language.ENGLISH: "English", Language.SPANISH: "Español"}[self]


_LOCALES = {Language.ENGLISH: "en_GB", Language.SPANISH: "es"}
"""Whose dates and numbers: the English of the texts is written as in Britain."""


@dataclass(frozen=True, slots=True)
class Wording:
    """One language: its texts, and how it writes dates and numbers."""

    language: Language
    locale: Locale
    gettext: Callable[[str], str]
    ngettext: Callable[[str, str, int], str]

    def knows(self, text: str) -> bool:
        """Whether this text can be said in this language; the source's own language says everything."""
        return self.language is Language.ENGLISH or self.gettext(text) != text

    def day(self, value: date) -> str:
        """A day in words: `22 November 2026`."""
        return babel.dates.format_date(value, "long", locale=self.locale)

    def month(self, value: str) -> str:
        """A month that is written `2026-11`, in words: `Nov 2026`."""
        return babel.dates.format_skeleton("yMMM", date.fromisoformat(f"{value}-01"), locale=self.locale)

    def moment(self, value: datetime) -> str:
        """A moment to the minute, in UTC, with the zone written out."""
        day = babel.dates.format_date(value.astimezone(UTC).date(), "long", locale=self.locale)
        return f"{day}, {value.astimezone(UTC):%H:%M} UTC"

    def number(self, value: float, *, digits: int | None = None) -> str:
        """A number; with so many digits behind the point, or as many as it has, up to three."""
        pattern = None if digits is None else "#,##0." + "0" * digits
        return babel.numbers.format_decimal(value, format=pattern, locale=self.locale)

    def percent(self, fraction: float, *, digits: int = 1) -> str:
        """A fraction as a percentage with so many digits behind the point: 0.0123 is `1.2%`."""
        pattern = "#,##0." + "0" * digits + "%" if digits else "#,##0%"
        if self.language is Language.SPANISH:
            pattern = pattern.replace("%", "\u00a0%")
        return babel.numbers.format_percent(fraction, format=pattern, locale=self.locale)


def catalogue_text(language: Language) -> str:
    """The catalogue of a language as it stands in the package."""
    return resources.files("recognizance.web").joinpath(FOLDER, f"{language.value}.po").read_text(encoding="utf-8")


def read_catalogue(text: str, language: Language) -> Catalog:
    return read_po(io.BytesIO(text.encode()), locale=language.value)


@lru_cache
def wording(language: Language) -> Wording:
    """The texts and formats of a language. Reading its catalogue takes some tens of milliseconds, once."""
    translations: NullTranslations = NullTranslations()
    if language is not Language.ENGLISH:
        compiled = io.BytesIO()
        write_mo(compiled, read_catalogue(catalogue_text(language), language))
        compiled.seek(0)
        translations = GNUTranslations(compiled)
    return Wording(language, Locale.parse(_LOCALES[language]), translations.gettext, translations.ngettext)


def chosen_language(chosen: str | None, accept_language: str) -> Language:
    """The language of a page: what the reader switched to, or else what their browser asks for, or else English.

    >>> chosen_language(None, "fr, es-MX;q=0.8, en;q=0.5")
    <Language.SPANISH: 'es'>
    >>> chosen_language("en", "es")
    <Language.ENGLISH: 'en'>
    """
    if chosen in set(Language):
        return Language(chosen)
    for spelled in _by_preference(accept_language):
        primary = spelled.partition("-")[0].lower()
        if primary in set(Language):
            return Language(primary)
    return Language.ENGLISH


_MOST_RANGES = 20


def _by_preference(accept_language: str) -> Iterable[str]:
    """The language ranges of RFC 9110, section 12.5.4, the most wanted first; what is malformed is left out."""
    ranges: list[tuple[float, str]] = []
    for part in accept_language.split(",")[:_MOST_RANGES]:
        spelled, _, quality = part.strip().partition(";")
        try:
            weight = float(quality.strip().removeprefix("q=")) if quality else 1.0
        except ValueError:
            continue
        if weight > 0:
            ranges.append((-weight, spelled.strip()))
    return [spelled for _, spelled in sorted(ranges, key=lambda each: each[0])]


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for it
    """Mark a text for the catalogue that is translated later, when the reader's language is known."""
    return text
