"""Charts as pictures, drawn with matplotlib: the one file that imports it for reports.

Colours are told apart with every kind of colour vision (Okabe and Ito 2008), and nothing is said by colour alone: what
isn't exact is hatched and labelled. The same chart is the same bytes with the same matplotlib.
"""

import io
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from recognizance.register.reports.blocks import Bars, Intervals, Picture

_BLUE, _ORANGE, _GREY = "#0072B2", "#D55E00", "#555555"
_WIDTH_INCHES = 7.0
_INCHES_A_ROW = 0.3
_PNG_DPI = 200
_SETTINGS: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "hatch.color": _BLUE,
    "svg.fonttype": "path",
    "svg.hashsalt": "recognizance",
    "text.parse_math": False,
}
_NO_METADATA = {"Creator": None, "Date": None, "Format": None, "Type": None}


def draw_svg(chart: Bars | Intervals) -> bytes:
    """Return the chart as SVG. Its letters are drawn, so that no font is needed."""
    return _drawn(chart, "svg", metadata=_NO_METADATA)


def draw_png(chart: Bars | Intervals) -> bytes:
    """Return the chart as PNG, for print."""
    return _drawn(chart, "png", dpi=_PNG_DPI, metadata={"Software": None})


def finished_picture(title: str, text: str, height_inches: float, paint: Callable[[Any], None]) -> Picture:
    """Return a drawing that `paint` makes on matplotlib's axes, as wide as a page, in both forms."""
    svg, png = io.BytesIO(), io.BytesIO()
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(_WIDTH_INCHES, height_inches), layout="constrained")
        axes = figure.add_subplot()
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_title(title, loc="left", fontsize=10)
        paint(axes)
        figure.savefig(svg, format="svg", metadata=_NO_METADATA)
        figure.savefig(png, format="png", dpi=_PNG_DPI, metadata={"Software": None})
    return Picture(title, svg.getvalue(), png.getvalue(), text)


def _drawn(chart: Bars | Intervals, kind: str, **options: Any) -> bytes:
    # A context of its own, and no pyplot: nothing is left behind, and threads don't meet.
    with mpl.rc_context(_SETTINGS):
        rows = len(chart.bars) if isinstance(chart, Bars) else len(chart.points)
        figure = Figure(figsize=(_WIDTH_INCHES, 0.9 + _INCHES_A_ROW * rows), layout="constrained")
        axes = figure.add_subplot()
        if isinstance(chart, Bars):
            _draw_bars(axes, chart)
        else:
            _draw_intervals(axes, chart)
        axes.set_title(chart.title, loc="left", fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
        axes.invert_yaxis()
        file = io.BytesIO()
        figure.savefig(file, format=kind, **options)
        return file.getvalue()


def _draw_bars(axes: Any, chart: Bars) -> None:
    for place, (_, cell) in enumerate(chart.bars):
        width = cell.least if cell.most is None else cell.most
        look = {"color": _BLUE} if cell.is_exact else {"facecolor": "white", "edgecolor": _BLUE, "hatch": "////"}
        axes.barh(place, width, height=0.65, **look)
        axes.annotate(str(cell.value), (width, place), xytext=(4, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(chart.bars)), [label for label, _ in chart.bars])
    axes.margins(x=0.12)
    axes.set_xlim(left=0)
    axes.xaxis.get_major_locator().set_params(integer=True)


def _draw_intervals(axes: Any, chart: Intervals) -> None:
    for place, (_, rate, low, high) in enumerate(chart.points):
        axes.plot([low, high], [place, place], color=_BLUE, linewidth=2, solid_capstyle="butt")
        axes.plot(rate, place, "o", color=_BLUE)
    axes.axvline(chart.line_pct, color=_ORANGE, linestyle="--", linewidth=1)
    axes.annotate(
        chart.line_text,
        (chart.line_pct, 1),
        xycoords=("data", "axes fraction"),
        xytext=(-4, -2),
        textcoords="offset points",
        ha="right",
        va="top",
        color=_GREY,
    )
    axes.set_yticks(range(len(chart.points)), [label for label, _, _, _ in chart.points])
    axes.set_ylim(-0.9, len(chart.points) - 0.5)
    axes.set_xlabel("percent")
