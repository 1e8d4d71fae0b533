"""Bars and intervals as small drawings that stand in the cells of a table, beside the numbers that they draw.

A chart here is a table: whoever can't see the bars reads or hears the numbers, and on a telephone letters keep their
size while the bars shrink. What isn't known exactly is drawn as a hollow bar up to its upper end, and is a range in
words beside it. Colours come from the style sheet, so they follow light and dark.

Pure: counts in, SVG out; nothing that a reader wrote ever stands in it.
"""

from markupsafe import Markup

from recognizance.register.suppression import Cell

_WIDTH = 100.0
_TALL = 10


def bar(cell: Cell, largest: int) -> Markup:
    """Draw a count as a bar, as a part of the largest one in its table.

    >>> bar(Cell.exactly(5), 10)
    Markup('<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">\
<rect class="exact" x="0" y="0" width="50" height="10"/></svg>')
    """
    least = _part(cell.least, largest)
    most = least if cell.most is None else _part(cell.most, largest)
    parts = _rect("exact", 0, least)
    if most > least:
        parts += _rect("range", least, most - least)
    return _drawing("bar", parts)


def interval(rate: float, low: float, high: float, largest: float) -> Markup:
    """Draw a rate as a mark within its interval, on a line from zero to the largest upper end of the table."""
    start, end, mark = (_part(value, largest) for value in (low, high, rate))
    # A mark has some width, and stays within the drawing.
    place = min(max(mark - 0.6, 0), _WIDTH - 1.2)
    return _drawing("interval", _rect("span", start, max(end - start, 0.4), y=4, height=2) + _rect("mark", place, 1.2))


def most_of(cells: list[Cell]) -> int:
    """Return the largest count that any of the cells may stand for, at least 1: the length of a whole line."""
    return max([1, *(cell.least if cell.most is None else cell.most for cell in cells)])


def _part(value: float, largest: float) -> float:
    return 0.0 if largest <= 0 else min(value / largest, 1.0) * _WIDTH


def _rect(kind: str, x: float, width: float, *, y: int = 0, height: int = _TALL) -> str:
    return f'<rect class="{kind}" x="{x:.4g}" y="{y}" width="{width:.4g}" height="{height}"/>'


def _drawing(kind: str, parts: str) -> Markup:
    # Numbers and words of this file alone.
    return Markup(  # noqa: S704
        f'<svg class="{kind}" viewBox="0 0 100 {_TALL}" preserveAspectRatio="none" aria-hidden="true"'
        f' focusable="false">{parts}</svg>'
    )
