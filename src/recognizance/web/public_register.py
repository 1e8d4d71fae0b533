"""The public register as pages: what stands out first, then each section with all its tables.

Everything comes from the ledger alone, through `LiveRegister`; nothing is counted here that the register doesn't count,
and nothing shown that it withholds. Each page links the same as files. Implements docs/register.md for readers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from starlette.responses import Response

from recognizance.errors import NotFoundError
from recognizance.register import SECTIONS, LiveRegister
from recognizance.register.document import tables_of
from recognizance.register.figures import ALL_AGENCIES, NO_AGENCY
from recognizance.register.rows import FigureRow, GroupRow, PeopleFigureRow
from recognizance.register.suppression import Cell
from recognizance.web.frame import Page
from recognizance.web.language import N_, Wording
from recognizance.web.public_charts import bar, interval, most_of
from recognizance.web.public_tables import counted, table_view
from recognizance.web.public_words import ERRORS, MEASURES, OUTCOMES, SECTION_TITLES
from recognizance.web.visits import Visit

MOST_MONTHS = 24
"""Shown on a page; the files have all."""

_Figure = FigureRow | PeopleFigureRow


@dataclass(frozen=True, slots=True)
class BarRow:
    label: str
    count: str
    drawing: Markup


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
            searches=month_bars(searches, visit.wording),
            outcomes=bars(
                _together(register.use.figures, "searches", "outcome", OUTCOMES, visit.wording), visit.wording
            ),
            refusals=month_bars(by_month(register.use.figures, "refusals", ALL_AGENCIES), visit.wording),
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
        names = {member.member: member.name for member in register.oversight.members}
        charts = group_charts(register.evaluations.groups) if name == "evaluations" else []
        return visit.page(
            "public/register_section.html",
            register=register,
            name=name,
            title=title,
            about=about,
            tables=[
                table_view(name, table, rows, visit.wording, names)
                for table, rows in tables_of(section)
                # What is drawn isn't listed once more; the files have all of it.
                if not (months is not None and table == "figures") and not (charts and table == "groups")
            ],
            months=months,
            measures=MEASURES,
            agencies=agencies,
            agency=agency,
            tests=by_test(charts),
            errors=ERRORS,
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


def month_bars(counts: Sequence[tuple[str, Cell]], wording: Wording) -> list[BarRow]:
    """Bars of months, each called as the reader writes months."""
    return bars([(wording.month(month), cell) for month, cell in counts], wording)


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


def by_test(charts: Sequence[GroupChart]) -> Mapping[str, Sequence[GroupChart]]:
    """The charts of each test, in their order."""
    found: dict[str, list[GroupChart]] = {}
    for chart in charts:
        found.setdefault(chart.evaluation, []).append(chart)
    return found


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
