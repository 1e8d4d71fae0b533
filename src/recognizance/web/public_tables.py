"""Tables of the register, made ready to be shown: values in words, links to what has a page, rows that fit a screen.

A table of few columns is a table. Rows of more are shown one below the other, each with its columns' names beside its
values, because no screen is as wide, and what lies beyond its edge isn't read. Nothing is left out but what is empty.

Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from recognizance.register.document import display, plain_text
from recognizance.register.suppression import Cell
from recognizance.web.language import N_, Wording
from recognizance.web.public_words import COLUMNS, TABLE_TITLES
from recognizance.web.record_words import code_words

WITHHELD = N_("withheld")
MOST_ROWS = 500
"""Of one table on a page; the files have all."""

MOST_COLUMNS = 5
"""Of a table that is shown as one."""

LONG = 70
"""Characters from which on a value wants a line of its own."""

_TITLES = ("name", "evaluation", "use", "model", "report", "gallery", "key", "origin")
"""Columns that a row can be called by, the best first."""

_PROSE = frozenset({"statement", "conditions", "hidden", "mitigation", "reason", "instruction"})
"""Columns of what somebody wrote, which want a line of their own however short they are."""

_PEOPLE = frozenset({"voter", "decided_by"})
_ENTRIES = frozenset({"about", "entry"})
_LINKS = {"about": "/record/by-id/", "entry": "/record/by-id/", "agency": "/agencies/", "use": "/uses/"}
"""What has a page of its own, by its column."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One value of a row, ready to be shown.

    Attributes:
        column: What it is, translated when it is shown.
        link: Where it has a page of its own; empty if it has none.
        is_code: Whether nobody reads it letter by letter: a hash, a key, a checkpoint.
        is_long: Whether it wants a line of its own.
    """

    name: str
    column: str
    text: str
    link: str = ""
    is_code: bool = False
    is_long: bool = False


@dataclass(frozen=True, slots=True)
class TableView:
    """A table of the register, ready to be shown.

    Attributes:
        title: What it is called, translated when it is shown.
        columns: Their names, translated when they are shown.
        rows: Every value, in the order of the columns.
        called: The place of the column that each row has a name of its own in; `None` if there is none.
    """

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Shown]]
    called: int | None
    left_out: int

    @property
    def is_wide(self) -> bool:
        """Whether its rows are shown one below the other."""
        has_long = any(value.is_long for row in self.rows for value in row)
        return len(self.columns) > (2 if has_long else MOST_COLUMNS)

    def listed(self, row: Sequence[Shown]) -> list[Shown]:
        """What a row's list says: what it isn't called by, and what isn't empty; the long values at the end."""
        said = [value for place, value in enumerate(row) if place != self.called and value.text]
        return sorted(said, key=lambda value: value.is_long)


def table_view(
    section: str, table: str, rows: Sequence[object], wording: Wording, names: Mapping[str, str] | None = None
) -> TableView:
    """Make a table of the register ready; the rows are of one of its dataclasses.

    Args:
        names: Of overseers who chose to be known by name, by their pseudonyms.
    """
    columns = list(type(rows[0]).__dataclass_fields__) if rows else []  # type: ignore[attr-defined]  # rows are dataclasses
    # The newest rows of a long table, which are at its end, are those that somebody looks for.
    newest = rows[-MOST_ROWS:]
    shown = [[_shown(section, name, getattr(row, name), wording, names or {}) for name in columns] for row in newest]
    return TableView(
        table,
        TABLE_TITLES.get((section, table), table),
        [COLUMNS.get(name, name) for name in columns],
        shown,
        _called(columns, shown),
        len(rows) - len(newest),
    )


def counted(cell: Cell, wording: Wording) -> str:
    """A count as it is published, in the reader's language.

    >>> from recognizance.web.language import Language, wording
    >>> [counted(cell, wording(Language.ENGLISH)) for cell in (Cell(1234, 1234), Cell(1, 4), Cell(0, None))]
    ['1,234', '<5', 'withheld']
    """
    least = wording.number(cell.least)
    if cell.is_exact:
        return least
    if cell.is_small:
        return str(cell.value)
    if cell.most is None:
        return wording.gettext(N_("at least %(least)s")) % {"least": least} if cell.least else wording.gettext(WITHHELD)
    return wording.gettext(N_("%(least)s to %(most)s")) % {"least": least, "most": wording.number(cell.most)}


def shown_value(value: object, wording: Wording) -> str:
    """A value of the register as a text in the reader's language."""
    match value:
        case Cell():
            return counted(value, wording)
        case bool():
            return wording.gettext(N_("yes")) if value else wording.gettext(N_("no"))
        case datetime():
            return wording.moment(value)
        case int():
            return wording.number(value)
        case float():
            # As many digits as files have, with the reader's own point.
            digits = f"{value:.6g}"
            return digits if "e" in digits else wording.number(value, digits=len(digits.partition(".")[2]) or None)
        case _:
            return display(value)


def _called(columns: Sequence[str], rows: Sequence[Sequence[Shown]]) -> int | None:
    for name in _TITLES:
        if name in columns:
            place = columns.index(name)
            texts = [row[place].text for row in rows]
            if all(texts) and len(set(texts)) == len(texts):
                return place
    return None


def _shown(section: str, name: str, value: object, wording: Wording, names: Mapping[str, str]) -> Shown:
    several = value if isinstance(value, tuple) else (value,)
    text = "; ".join(_said(name, each, wording) for each in several)
    if name in _PEOPLE and str(value) in names:
        text = f"{plain_text(names[str(value)])} ({text})"
    root = "/evaluations/" if (section, name) == ("evaluations", "evaluation") else _LINKS.get(name, "")
    # A code stands for no agency and no use in particular.
    has_page = bool(root and value) and code_words(name, str(value)) is None
    is_code = name.endswith("digest") or name in {"root", "checkpoint", "key", *_ENTRIES}
    return Shown(
        name,
        COLUMNS.get(name, name),
        # Of an entry's id the beginning: it leads to the entry, and the entry has all of it.
        f"{text[:8]}…" if name in _ENTRIES and text else text,
        root + quote(str(value), safe="") if has_page else "",
        is_code,
        is_long=name in _PROSE or len(text) > LONG,
    )


def _said(name: str, value: object, wording: Wording) -> str:
    words = code_words(name, value) if isinstance(value, str) else None
    if name == "instruction":
        words = str(value)
    elif name == "month":
        return wording.month(str(value))
    return shown_value(value, wording) if words is None else wording.gettext(words)
