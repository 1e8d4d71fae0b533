"""The public register as pages: what stands out first, then each section with all its tables.

Everything comes from the ledger alone, through `LiveRegister`; nothing is counted here that the register doesn't count,
and nothing shown that it withholds. Each page links the same as files. Implements docs/register.md for readers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup
from starlette.responses import Response

from recognizance.errors import NotFoundError
from recognizance.register import SECTIONS, LiveRegister
from recognizance.register.document import display, tables_of
from recognizance.register.figures import ALL_AGENCIES, NO_AGENCY
from recognizance.register.rows import FigureRow, GroupRow, PeopleFigureRow
from recognizance.register.suppression import Cell
from recognizance.web.frame import Page
from recognizance.web.language import N_, Wording
from recognizance.web.public_charts import bar, interval, most_of
from recognizance.web.public_words import COLUMNS, MEASURES, OUTCOMES, SECTION_TITLES, TABLE_TITLES
from recognizance.web.visits import Visit

WITHHELD = N_("withheld")
MOST_MONTHS = 24
"""Shown on a page; the files have all."""

MOST_ROWS = 500
"""Of one table on a page; the files have all."""

_ENTRY_COLUMNS = frozenset({"about", "entry"})
_Figure = FigureRow | PeopleFigureRow


@dataclass(frozen=True, slots=True)
class BarRow:
    label: str
    count: str
    drawing: Markup


@dataclass(frozen=True, slots=True)
class TableView:
    """A table of the register, ready to be shown: values as texts, entries as links."""

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    left_out: int
    entry_columns: frozenset[int]


@dataclass(frozen=True, slots=True)
class MonthTable:
    """Measures by month: a row for each measure, a column for each month, the newest first.

    Attributes:
        counts: In words, by month and measure; what isn't there is 0.
        open_month: The month that is still going on; empty if none is.
    """

    months: Sequence[str]
    measures: Sequence[str]
    counts: Mapping[tuple[str, str], str]
    open_month: str


@dataclass(frozen=True, slots=True)
class GroupChart:
    """One measure of one test: a row for each group, its interval drawn."""

    evaluation: str
    measure: str
    rows: Sequence[tuple[GroupRow, Markup]]


class RegisterPages:
    def __init__(self, register: LiveRegister) -> None:
        self._register = register

    def table(self) -> list[Page]:
        return [
            Page("/register", self.overview, navigation=N_("Register")),
            Page("/register/{section}", self.section),
        ]

    def overview(self, visit: Visit) -> Response:
        register = self._register.register()
        searches = by_month(register.use.figures, "searches", ALL_AGENCIES)
        return visit.page(
            "public/register.html",
            register=register,
            sections=[(name, *SECTION_TITLES[name]) for name in SECTIONS],
            searches=bars(searches, visit.wording),
            outcomes=bars(
                _together(register.use.figures, "searches", "outcome", OUTCOMES, visit.wording), visit.wording
            ),
            refusals=bars(by_month(register.use.figures, "refusals", ALL_AGENCIES), visit.wording),
        )

    def section(self, visit: Visit) -> Response:
        name: str = visit.path["section"]
        if name not in SECTIONS:
            raise NotFoundError("the register has no such section")
        register = self._register.register()
        section = getattr(register, name)
        months = None
        agencies: list[str] = []
        agency = visit.query.get("agency", ALL_AGENCIES)
        if name == "use":
            agencies = sorted({row.agency for row in register.use.figures} - {ALL_AGENCIES, NO_AGENCY})
            months = month_table(
                register.use.figures, lambda row: isinstance(row, FigureRow) and row.agency == agency, visit.wording
            )
        elif name == "people":
            months = month_table(register.people.figures, lambda _: True, visit.wording)
        title, about = SECTION_TITLES[name]
        return visit.page(
            "public/register_section.html",
            register=register,
            name=name,
            title=title,
            about=about,
            tables=[
                _view(name, table, rows, visit.wording)
                for table, rows in tables_of(section)
                if not (months is not None and table == "figures")
            ],
            months=months,
            measures=MEASURES,
            agencies=agencies,
            agency=agency,
            groups=group_charts(register.evaluations.groups) if name == "evaluations" else [],
        )


def by_month(figures: Sequence[FigureRow], measure: str, agency: str) -> list[tuple[str, Cell]]:
    """The newest months of a whole count, the oldest first."""
    found = [
        (row.month, row.count)
        for row in figures
        if row.measure == measure and row.agency == agency and row.dimension is None
    ]
    return sorted(found, key=lambda each: each[0])[-MOST_MONTHS:]


def bars(counts: Sequence[tuple[str, Cell]], wording: Wording) -> list[BarRow]:
    largest = most_of([cell for _, cell in counts])
    return [BarRow(label, counted(cell, wording), bar(cell, largest)) for label, cell in counts]


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


def month_table(figures: Sequence[_Figure], is_wanted: Callable[[_Figure], bool], wording: Wording) -> MonthTable:
    """Every whole count of those wanted, by month and measure; the newest month first."""
    rows = [row for row in figures if row.dimension is None and is_wanted(row)]
    months = sorted({row.month for row in rows}, reverse=True)[:MOST_MONTHS]
    present = {row.measure for row in rows}
    known = [measure for measure in MEASURES if measure in present]
    open_months = [row.month for row in rows if not row.is_complete]
    return MonthTable(
        months,
        [*known, *sorted(present - set(known))],
        {(row.month, row.measure): counted(row.count, wording) for row in rows},
        max(open_months, default=""),
    )


def group_charts(groups: Sequence[GroupRow]) -> list[GroupChart]:
    """Every measure of every test, the newest test first, with groups as the entry names them."""
    by_chart: dict[tuple[str, str], list[GroupRow]] = {}
    for row in groups:
        if row.trials:
            by_chart.setdefault((row.evaluation, row.measure), []).append(row)
    charts: list[GroupChart] = []
    for (evaluation, measure), rows in by_chart.items():
        largest = max((row.high or 0.0 for row in rows), default=0.0)
        charts.append(
            GroupChart(
                evaluation,
                measure,
                [(row, interval(row.rate or 0.0, row.low or 0.0, row.high or 0.0, largest)) for row in rows],
            )
        )
    return charts


def _together(
    figures: Sequence[FigureRow], measure: str, dimension: str, words: Mapping[str, str], wording: Wording
) -> list[tuple[str, Cell]]:
    """The parts of a count in the newest month that shows them, in words."""
    rows = [
        row for row in figures if row.measure == measure and row.agency == ALL_AGENCIES and row.dimension == dimension
    ]
    newest = max((row.month for row in rows), default="")
    return [
        (wording.gettext(words.get(category, category)), row.count)
        for row in rows
        if row.month == newest and (category := row.category) is not None
    ]


def _view(section: str, table: str, rows: Sequence[object], wording: Wording) -> TableView:
    columns = list(type(rows[0]).__dataclass_fields__) if rows else []  # type: ignore[attr-defined]  # rows are dataclasses
    # The newest rows of a long table, which are at its end, are those that somebody looks for.
    shown = rows[-MOST_ROWS:]
    return TableView(
        table,
        TABLE_TITLES.get((section, table), table),
        [COLUMNS.get(name, name) for name in columns],
        [[shown_value(getattr(row, name), wording) for name in columns] for row in shown],
        len(rows) - len(shown),
        frozenset(place for place, name in enumerate(columns) if name in _ENTRY_COLUMNS),
    )


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
        case _:
            return display(value)
