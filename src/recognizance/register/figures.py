"""Counts by month, as they are published: small ones suppressed, and so is what would give them away.

For each month and agency the total of a measure is published, and the parts of each of its breakdowns beside it. What
stands for all agencies, or for a year, is computed from what is published, but for an agency's year where its total is
safe to state (`published_sum`). So nothing can be subtracted from anything.

Candidates shown and reviews opened often follow from how many searches ended with candidates. Where that is a range,
they are withheld.

Pure.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from recognizance.register.rates import median
from recognizance.register.rows import FigureRow, PeopleFigureRow, ResponseRow
from recognizance.register.state import Figure, State, agencies_by_use, month_of
from recognizance.register.suppression import (
    LEAST_SHOWN,
    WITHHELD,
    Cell,
    added,
    published,
    published_parts,
    published_sum,
)

ALL_AGENCIES = "*"
NO_AGENCY = "-"
"""Neither is a name that an agency can have."""

PEOPLE_MEASURES = frozenset(
    {
        "appeals_decided",
        "erasures",
        "faces_erased",
        "images_erased",
        "requests_appealed",
        "requests_closed",
        "requests_extended",
        "requests_received",
    }
)
_RESPONSE_DAYS = "response_days"
_FOLLOWING = ("candidates_shown", "reviews_opened")
"""Measures that may follow from the part `candidates` of the searches' outcomes."""

WITHHELD_CATEGORY = "withheld"


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure of one agency in one month, as it is published: its total, and each breakdown or `None`."""

    count: int
    total: Cell
    breakdowns: Mapping[str, Mapping[str, Cell] | None]


Published = dict[tuple[str, str, str], Measured]
"""By month, agency and measure."""


def publish(state: State) -> Published:
    """Return what is published of all counts of a state."""
    agencies = agencies_by_use(state)
    counts: dict[tuple[str, str, str], dict[str, dict[str, int]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(int))
    )
    for figure, count in state.counts.items():
        if figure.measure != _RESPONSE_DAYS:
            key = (figure.month, _agency(figure, agencies), figure.measure)
            counts[key][figure.dimension][figure.category] += count
    found = {key: _measured(dimensions) for key, dimensions in sorted(counts.items())}
    return {key: _withheld_if_following(found, key) for key in found}


def use_figures(state: State) -> tuple[FigureRow, ...]:
    """Return section 6: every measure by month, for all agencies and for each."""
    found = publish(state)
    months = sorted({month for month, _, measure in found if measure not in PEOPLE_MEASURES})
    newest = month_of(state.newest) if state.newest else ""
    rows: list[FigureRow] = []
    for month in months:
        mine = {key: each for key, each in found.items() if key[0] == month and key[2] not in PEOPLE_MEASURES}
        for measure in sorted({measure for _, _, measure in mine}):
            several = {agency: each for (_, agency, name), each in mine.items() if name == measure}
            for agency, each in [(ALL_AGENCIES, together(several.values())), *sorted(several.items())]:
                rows += [
                    FigureRow(month, month < newest, agency, measure, dimension, category, cell)
                    for dimension, category, cell in flattened(each)
                ]
    return tuple(rows)


def people_figures(state: State) -> tuple[PeopleFigureRow, ...]:
    """Return the counts of section 7. They are the desk's, which serves all agencies."""
    newest = month_of(state.newest) if state.newest else ""
    return tuple(
        PeopleFigureRow(month, month < newest, measure, dimension, category, cell)
        for (month, _, measure), each in publish(state).items()
        if measure in PEOPLE_MEASURES
        for dimension, category, cell in flattened(each)
    )


def response_times(state: State) -> tuple[ResponseRow, ...]:
    """Return how long the desk took, by month; the median only where five requests or more were closed."""
    days: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for figure, count in state.counts.items():
        if figure.measure == _RESPONSE_DAYS:
            days[figure.month, "all"].append((int(figure.category), count))
    rows: list[ResponseRow] = []
    for (month, kind), several in sorted(days.items()):
        closed = sum(often for _, often in several)
        rows.append(ResponseRow(month, kind, published(closed), median(several) if closed >= LEAST_SHOWN else None))
    return tuple(rows)


def in_months(found: Published, agency: str, measure: str, months: Iterable[str]) -> Measured:
    """Return a measure of one agency over several months: exact where that gives no month away, else a range."""
    several = [found[month, agency, measure] for month in months if (month, agency, measure) in found]
    total = published_sum([each.count for each in several], [each.total for each in several])
    return Measured(sum(each.count for each in several), total, together(several).breakdowns)


def together(several: Iterable[Measured]) -> Measured:
    """Add up what is published. A breakdown that was withheld somewhere leaves each part as open as its total is."""
    measured = list(several)
    breakdowns: dict[str, Mapping[str, Cell] | None] = {}
    for dimension in sorted({name for each in measured for name in each.breakdowns}):
        parts = [each.breakdowns.get(dimension, {}) for each in measured]
        hidden = [Cell(0, each.total.most) for each, found in zip(measured, parts, strict=True) if found is None]
        names = sorted({name for found in parts if found is not None for name in found})
        cells = {
            name: added([*(found[name] for found in parts if found is not None and name in found), *hidden])
            for name in names
        }
        breakdowns[dimension] = cells if cells or not hidden else None
    return Measured(sum(each.count for each in measured), added(each.total for each in measured), breakdowns)


def flattened(measured: Measured) -> Iterator[tuple[str | None, str | None, Cell]]:
    """Yield the total, and each part by dimension and category."""
    yield None, None, measured.total
    for dimension, parts in measured.breakdowns.items():
        if parts is None:
            yield dimension, WITHHELD_CATEGORY, WITHHELD
        else:
            for category, cell in parts.items():
                yield dimension, category, cell


def _agency(figure: Figure, agencies: Mapping[str, str]) -> str:
    return figure.agency or agencies.get(figure.use, NO_AGENCY)


def _measured(dimensions: Mapping[str, Mapping[str, int]]) -> Measured:
    """Publish one measure. Its total is counted for itself, or else is that of any breakdown: they are all the same."""
    count = sum(next(iter(dimensions.values())).values())
    named = {name: parts for name, parts in dimensions.items() if name}
    return Measured(
        count,
        published(count),
        {name: _sorted(published_parts(parts)) for name, parts in sorted(named.items())} if count else {},
    )


def _sorted(parts: Mapping[str, Cell] | None) -> Mapping[str, Cell] | None:
    return None if parts is None else dict(sorted(parts.items()))


def _withheld_if_following(found: Published, key: tuple[str, str, str]) -> Measured:
    month, agency, measure = key
    mine, searches = found[key], found.get((month, agency, "searches"))
    if measure not in _FOLLOWING or searches is None or not mine.total.is_exact or mine.count < LEAST_SHOWN:
        return mine
    outcomes = searches.breakdowns.get("outcome")
    if outcomes is not None and outcomes.get("candidates", published(0)).is_exact:
        return mine
    return Measured(mine.count, WITHHELD, mine.breakdowns)
