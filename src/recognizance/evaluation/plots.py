"""The drawings of an evaluation: what a table can't show at a glance.

Every drawing has its numbers as a table beside it and says in words what it shows. Colours are Okabe and Ito's (2008),
which people with every kind of colour vision tell apart, and each series has a line and a mark of its own as well, so
that a print in grey says the same. What was not measured is hollow and dashed. The same result is drawn to the same
bytes with the same matplotlib.

Pure. Implements docs/evaluation-reports.md, "Drawings".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from recognizance.evaluation.axes import (
    count_tick,
    furthest,
    label_rows,
    labelled_apart,
    occupied,
    percent_tick,
    scale_of,
    straight_to,
)
from recognizance.evaluation.measures import Curve, CurvePoint, Estimate, GroupMatrix, Histogram
from recognizance.evaluation.results import Beyond, IdentificationAt, Verification, VerificationAt
from recognizance.evaluation.words import percent, rate_phrase
from recognizance.register.document import plain_text
from recognizance.register.reports.blocks import Picture
from recognizance.register.reports.charts import finished_picture

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
"""Okabe and Ito's colours but for yellow, which paper doesn't show."""

LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
MARKS = ("o", "s", "^", "D", "v", "P", "X")
_GREY = "#555555"
_HALO: Any = {"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85}
"""Behind the name of a threshold, which may stand over a line."""
_COUNTED_CELLS = 5
"""Up to so many groups a cell has room for its counts."""
_MAX_SERIES = len(PALETTE)
_LONGEST_NAME = 40
_BANDS_ALPHA = 0.18
_ASIDE = 1.03


@dataclass(frozen=True, slots=True)
class Look:
    """How one series is told from the others."""

    color: str
    line: Any
    mark: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A rate that others are held against, drawn as a line across."""

    rate: float
    name: str


def looks(count: int) -> tuple[Look, ...]:
    """Return a look for each of `count` series; no two of them share both colour and line up to 49."""
    found: list[Look] = []
    for place in range(count):
        lap = place // _MAX_SERIES
        found.append(
            Look(
                PALETTE[place % _MAX_SERIES], LINES[(place + lap) % _MAX_SERIES], MARKS[(place + 2 * lap) % _MAX_SERIES]
            )
        )
    return tuple(found)


def det_picture(verification: Verification, title: str) -> Picture:
    """Draw FNMR against FMR, of everybody with a band and of each group, and mark the named thresholds.

    Both axes are logarithmic. A point without any error has no place on them: the curve ends at the last with one.
    """
    series = [("everybody", verification.curve), *((_group(each), each.curve) for each in verification.group_curves)]

    def paint(axes: Any) -> None:
        for (name, curve), look in zip(series, looks(len(series)), strict=True):
            _det_line(axes, name, curve, look, band=name == "everybody")
        _named_points(axes, verification.at)
        scale = scale_of(_is_drawn(point) for _, curve in series for point in curve.points)
        axes.set(xscale=scale, yscale=scale, xlabel="false match rate (FMR)", ylabel="false non-match rate (FNMR)")
        axes.xaxis.set_major_formatter(percent_tick)
        axes.yaxis.set_major_formatter(percent_tick)
        axes.grid(visible=True, which="major", color="#dddddd", linewidth=0.6)
        lowest = min((point.fnmr.rate.value or 1.0 for _, curve in series for point in curve.points), default=1.0)
        if scale == "log":
            # The band ends at zero where there are few errors, and a logarithmic axis would follow it for ever.
            axes.set_ylim(bottom=lowest / 3, top=1.2)
        if len(series) > 1:
            axes.legend(frameon=False, fontsize=8)

    said = "; ".join(
        f"at {_short(at.name)}, FMR {rate_phrase(at.fmr)} and FNMR {rate_phrase(at.fnmr)}" for at in verification.at
    )
    text = (
        "Curves that fall from left to right: the fewer strangers are taken for the same person (FMR), the more often"
        " the same person is taken for a stranger (FNMR). Lower and further left is better. The band is the 95 %"
        f" interval of FNMR for everybody. Marked: {said}."
    )
    return finished_picture(title, text, 4.4, paint)


def sizes_picture(
    found: Mapping[str, Sequence[IdentificationAt]], beyond: Sequence[Beyond], own_faces: int | None, title: str
) -> Picture:
    """Draw FPIR against the number of faces in the gallery, for each threshold by name, with this operator's size."""
    names = tuple(found)
    sizes = [at.found.gallery_faces for every in found.values() for at in every]
    sizes += [each.estimate.gallery_faces for each in beyond if each.estimate.fpir is not None]
    linear_to = straight_to([at.found.fpir for every in found.values() for at in every])

    def paint(axes: Any) -> None:
        for place, (name, look) in enumerate(zip(names, looks(len(names)), strict=True)):
            # Intervals of several thresholds at one size would hide each other: they stand a little apart.
            aside = _ASIDE ** (place - (len(names) - 1) / 2)
            _sizes_line(axes, name, found[name], look, aside)
            _beyond_points(axes, [each for each in beyond if each.name == name], look, aside)
        if own_faces is not None:
            axes.axvline(own_faces, color=_GREY, linestyle=":", linewidth=1.2)
            label = f"this gallery: {own_faces:,}"
            axes.annotate(label, (own_faces, 1), xycoords=("data", "axes fraction"), xytext=(4, -2),
                          textcoords="offset points", va="top", fontsize=8, color=_GREY)  # fmt: skip
        tried = (at.found.fpir.rate.trials for every in found.values() for at in every)
        axes.set(
            xscale=scale_of(tried), xlabel="faces in the gallery", ylabel="searches that return a wrong person (FPIR)"
        )
        # Where the sizes lie within one power of ten, the axis would label its small steps in full, over each other.
        axes.set_xticks(labelled_apart(sizes, sizes if own_faces is None else [*sizes, own_faces]))
        axes.set_xticks([], minor=True)
        axes.xaxis.set_major_formatter(count_tick)
        if linear_to is not None:
            axes.set_yscale("symlog", linthresh=linear_to)
        # Above what is drawn there is room for the label of the operator's own size.
        axes.set_ylim(bottom=0, top=None if linear_to is None else 3.0)
        axes.yaxis.set_major_formatter(percent_tick)
        axes.grid(visible=True, which="major", axis="y", color="#dddddd", linewidth=0.6)
        axes.legend(frameon=False, fontsize=8, title="threshold", title_fontsize=8)

    said = "; ".join(
        f"threshold {_short(name)}: "
        + ", ".join(f"{at.found.gallery_faces:,} faces {rate_phrase(at.found.fpir)}" for at in found[name])
        for name in names
    )
    estimated = any(each.estimate.fpir is not None for each in beyond)
    hollow = " Hollow marks are extreme-value estimates beyond the data, not measurements." if estimated else ""
    axis = "" if linear_to is None else f" Above {percent(linear_to)} the axis of rates is logarithmic."
    text = (
        f"Lines with intervals: how often a search for somebody who isn't there returns a wrong person. {said}."
        f"{hollow}{axis}"
    )
    return finished_picture(title, text, 4.0, paint)


def bars_picture(
    rows: Sequence[tuple[str, Estimate]], title: str, what: str, reference: Reference | None = None
) -> Picture:
    """Draw rates as bars with their intervals, from top to bottom, and a line that they are held against."""

    def paint(axes: Any) -> None:
        for place, (_, estimate) in enumerate(rows):
            value = estimate.rate.value
            if value is None:
                axes.annotate("nothing was tried", (0, place), xytext=(4, 0), textcoords="offset points", va="center")
                continue
            axes.barh(place, value, height=0.55, color=PALETTE[0])
            if estimate.interval is not None:
                ends = [estimate.interval.low, estimate.interval.high]
                axes.plot(ends, [place, place], color="black", linewidth=1.4)
                axes.plot(ends, [place, place], "|", color="black", markersize=8)
            far = value if estimate.interval is None else max(value, estimate.interval.high)
            counts = f"{estimate.rate.errors:,} of {estimate.rate.trials:,}"
            axes.annotate(counts, (far, place), xytext=(6, 0), textcoords="offset points", va="center", fontsize=8)
        if reference is not None:
            axes.set_title(title, loc="left", fontsize=10, pad=18)
            axes.axvline(reference.rate, color=PALETTE[1], linestyle="--", linewidth=1.2)
            axes.annotate(reference.name, (reference.rate, 1), xycoords=("data", "axes fraction"), xytext=(3, 2),
                          textcoords="offset points", fontsize=8, color=_GREY)  # fmt: skip
        axes.set_yticks(range(len(rows)), [_short(name) for name, _ in rows])
        axes.set_ylim(max(1, len(rows)) - 0.5, -0.5)
        axes.set_xlim(0, 1.35 * furthest(rows, None if reference is None else reference.rate))
        axes.set_xlabel(what)
        axes.xaxis.set_major_formatter(percent_tick)

    said = "; ".join(f"{_short(name)}: {rate_phrase(estimate)}" for name, estimate in rows)
    line = "" if reference is None else f" A line at {percent(reference.rate)}: {reference.name}."
    text = f"Bars with 95 % intervals: {what}. {said}.{line}"
    return finished_picture(title, text, 1.1 + 0.34 * len(rows), paint)


def histogram_picture(
    parts: Sequence[tuple[str, Histogram]],
    thresholds: Sequence[tuple[str, float]],
    title: str,
    scale: str,
    trials: str = "comparisons",
) -> Picture:
    """Draw how scores are spread, each part as shares of its own total on a logarithmic axis, and the thresholds."""
    ends = occupied([histogram for _, histogram in parts], [place for _, place in thresholds])

    def paint(axes: Any) -> None:
        for (name, histogram), look in zip(parts, looks(len(parts)), strict=True):
            total = sum(histogram.counts) or 1
            shares = [count / total for count in histogram.counts]
            style = {"color": look.color, "linestyle": look.line, "linewidth": 1.6}
            axes.stairs(shares, histogram.edges, label=_short(name), **style)
        axes.set_yscale(scale_of(sum(histogram.counts) for _, histogram in parts))
        axes.set_xlim(*ends)
        for (name, threshold), row in zip(
            thresholds, label_rows([(_short(name), at) for name, at in thresholds], ends), strict=True
        ):
            axes.axvline(threshold, color=_GREY, linestyle=":", linewidth=1)
            axes.annotate(_short(name), (threshold, 1), xycoords=("data", "axes fraction"),
                          xytext=(2, -2 - 10 * row), textcoords="offset points", va="top", fontsize=7, color=_GREY,
                          bbox=_HALO)  # fmt: skip
        axes.set(xlabel=scale, ylabel=f"share of {trials}")
        axes.yaxis.set_major_formatter(percent_tick)
        axes.legend(frameon=False, fontsize=8)

    said = "; ".join(f"{_short(name)}: {sum(histogram.counts):,} scores" for name, histogram in parts)
    lines = ", ".join(f"{_short(name)} at {threshold:.4g}" for name, threshold in thresholds)
    text = f"Outlines of how often each score occurs, on a logarithmic axis. {said}. Thresholds: {lines or 'none'}."
    return finished_picture(title, text, 3.4, paint)


def matrix_picture(matrix: GroupMatrix, title: str) -> Picture:
    """Draw FMR between groups as a map, darker for more, with the rate in each cell. Grey cells were never tried."""
    rates = [[cell.rate.value for cell in row] for row in matrix.cells]
    tried = [rate for row in rates for rate in row if rate is not None]
    highest = max(tried, default=0.0) or 1.0
    size = len(matrix.groups)

    def paint(axes: Any) -> None:
        axes.set_facecolor("#bbbbbb")
        shown = [[float("nan") if rate is None else rate for rate in row] for row in rates]
        mesh = axes.pcolormesh(shown, cmap="cividis_r", vmin=0.0, vmax=highest, edgecolors="white", linewidth=1)
        for row in range(size):
            for column in range(size):
                rate = rates[row][column]
                words = "not tried" if rate is None else percent(rate)
                if rate is not None and size <= _COUNTED_CELLS:
                    counts = matrix.cells[row][column].rate
                    words += f"\n{counts.errors:,} of {counts.trials:,}"
                ink = "white" if rate is not None and rate > 0.5 * highest else "black"
                axes.text(column + 0.5, row + 0.5, words, ha="center", va="center", fontsize=8, color=ink)
        names = [_short(name) for name in matrix.groups]
        places = [place + 0.5 for place in range(size)]
        axes.set_xticks(places, names, rotation=30 if size > 4 else 0, ha="right" if size > 4 else "center")
        axes.set_yticks(places, names)
        axes.invert_yaxis()
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        bar = axes.figure.colorbar(mesh, ax=axes, fraction=0.046)
        bar.solids.set_rasterized(False)  # shapes, not a picture within the picture
        bar.ax.yaxis.set_major_formatter(percent_tick)
        bar.set_label("FMR", fontsize=8)

    worst = [
        f"{_short(matrix.groups[i])} with {_short(matrix.groups[j])} {rate_phrase(matrix.cells[i][j])}"
        for i in range(size)
        for j in range(i + 1)
    ]
    text = (
        f"A map of {size} by {size} cells, one for each two groups of {_short(matrix.column)}: how often two different"
        f" people of these groups are taken for one (FMR). Darker is more often. {'; '.join(worst)}."
    )
    return finished_picture(title, text, 1.6 + 0.5 * max(3, size), paint)


def _det_line(axes: Any, name: str, curve: Curve, look: Look, *, band: bool) -> None:
    # Several thresholds between two scores of strangers have one FMR; the lowest of them is the best.
    points = list({point.fmr.rate: point for point in reversed(curve.points) if _is_drawn(point)}.values())
    across = [point.fmr.rate.value for point in points]
    axes.plot(across, [point.fnmr.rate.value for point in points], color=look.color, linestyle=look.line,
              linewidth=1.8, label=_short(name))  # fmt: skip
    with_interval = [(point.fmr.rate.value, point.fnmr.interval) for point in points if point.fnmr.interval is not None]
    if band and with_interval:
        axes.fill_between(
            [value for value, _ in with_interval],
            [max(interval.low, 1e-9) for _, interval in with_interval],
            [interval.high for _, interval in with_interval],
            color=look.color,
            alpha=_BANDS_ALPHA,
            linewidth=0,
        )


def _named_points(axes: Any, every: Sequence[VerificationAt]) -> None:
    """Mark the named thresholds. Curves fall to the right, so that above right of a point and below left are free."""
    marked = [(at, mark) for at, mark in zip(every, cycle(MARKS), strict=False) if at.fmr.rate.value]
    # Along the curve, so that of two neighbours one name stands above and the other below.
    along = sorted((each for each in marked if each[0].fnmr.rate.value), key=lambda each: -each[0].threshold)
    for place, (at, mark) in enumerate(along):
        point = (at.fmr.rate.value, at.fnmr.rate.value)
        axes.plot(*point, mark, color="white", markeredgecolor="black", markersize=7, zorder=5)
        is_above = place % 2 == 0
        axes.annotate(
            _short(at.name),
            point,
            xytext=(5, 5) if is_above else (-5, -5),
            textcoords="offset points",
            ha="left" if is_above else "right",
            va="bottom" if is_above else "top",
            fontsize=8,
            bbox=_HALO,
        )


def _is_drawn(point: CurvePoint) -> bool:
    return point.fmr.rate.errors > 0 and point.fnmr.rate.errors > 0


def _sizes_line(axes: Any, name: str, found: Sequence[IdentificationAt], look: Look, aside: float) -> None:
    points = [(aside * at.found.gallery_faces, at.found.fpir) for at in found if at.found.fpir.rate.trials]
    sizes = [size for size, _ in points]
    rates = [estimate.rate.value or 0.0 for _, estimate in points]
    axes.plot(sizes, rates, look.mark, color=look.color, linestyle=look.line, linewidth=1.6, label=_short(name))
    for size, estimate in points:
        if estimate.interval is not None:
            ends = [estimate.interval.low, estimate.interval.high]
            axes.plot([size, size], ends, color=look.color, linewidth=1, alpha=0.8)


def _beyond_points(axes: Any, beyond: Sequence[Beyond], look: Look, aside: float) -> None:
    for each in beyond:
        if each.estimate.fpir is None:
            continue
        place = aside * each.estimate.gallery_faces
        axes.plot(place, each.estimate.fpir, look.mark, color="white", markeredgecolor=look.color)
        if each.estimate.interval is not None:
            ends = [each.estimate.interval.low, min(1.0, each.estimate.interval.high)]
            axes.plot([place] * 2, ends, color=look.color, linestyle="--", linewidth=1)


def _short(name: str) -> str:
    """A name from a manifest as it fits a drawing: nothing hidden in it, and not too long."""
    plain = plain_text(name).replace("\n", " ")
    return plain if len(plain) <= _LONGEST_NAME else plain[: _LONGEST_NAME - 1] + "…"


def _group(curve: Any) -> str:
    return f"{curve.column}: {curve.group}"
