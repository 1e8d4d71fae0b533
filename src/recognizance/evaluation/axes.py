"""Where the marks of a drawing stand: the ends and scales of its axes, and labels that don't lie over each other.

Numbers in, numbers and words out; nothing here draws. Pure.
"""

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal

from recognizance.evaluation.measures import Estimate, Histogram

_LETTER = 0.012
"""The width of a letter of a label, as a share of the drawing's; a little more than it is."""
_SEEN_AT_ONCE = 40
"""On a linear axis a rate so many times smaller than another one looks like none."""


def straight_to(drawn: Sequence[Estimate]) -> float | None:
    """Return up to which power of ten an axis of rates is linear, so that rare errors and frequent ones are both seen.

    `None` where all of it can be. A logarithmic axis has no place for a rate of zero.
    """
    rates = [each.rate.value for each in drawn if each.rate.value]
    highest = max((each.interval.high for each in drawn if each.interval is not None), default=0.0)
    if not rates or max(*rates, highest) < _SEEN_AT_ONCE * min(rates):
        return None
    return float(10.0 ** math.ceil(math.log10(min(rates))))


def occupied(histograms: Sequence[Histogram], thresholds: Sequence[float]) -> tuple[float, float]:
    """Return the ends of the scores that occurred and of the thresholds, with a little room."""
    ends = list(thresholds)
    for histogram in histograms:
        filled = [place for place, count in enumerate(histogram.counts) if count]
        ends += [histogram.edges[place] for place in filled] + [histogram.edges[place + 1] for place in filled]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    room = 0.06 * (high - low) or 1.0
    return low - room, high + room


def furthest(rows: Sequence[tuple[str, Estimate]], reference: float | None) -> float:
    """Return the highest rate, or end of an interval, that is drawn."""
    ends = [0.0 if reference is None else reference]
    for _, estimate in rows:
        ends.append(estimate.rate.value or 0.0)
        if estimate.interval is not None:
            ends.append(estimate.interval.high)
    return max(ends) or 1.0


def scale_of(drawn: Iterable[float]) -> str:
    """A logarithmic axis has nowhere to begin where there is nothing to draw."""
    return "log" if any(drawn) else "linear"


def labelled_apart(sizes: Iterable[int], drawn: Sequence[int]) -> list[int]:
    """Return the sizes to label on a logarithmic axis, without those whose label would lie over the one before.

    Args:
        drawn: All that the axis reaches over.
    """
    span = math.log(max(drawn) / min(drawn)) if drawn else 0.0
    labelled: list[int] = []
    for size in sorted(set(sizes)):
        # Labels stand centred: half of each has to fit between the two.
        if not labelled or math.log(size / labelled[-1]) > span * _LETTER * (len(f"{size:,}{labelled[-1]:,}") / 2 + 1):
            labelled.append(size)
    return labelled


def label_rows(thresholds: Sequence[tuple[str, float]], ends: tuple[float, float]) -> list[int]:
    """Return on which row each threshold's label stands, so that none lies over another."""
    taken: list[float] = []
    rows: dict[int, int] = {}
    for place in sorted(range(len(thresholds)), key=lambda each: thresholds[each][1]):
        name, threshold = thresholds[place]
        begins = (threshold - ends[0]) / (ends[1] - ends[0])
        row = next((row for row, end in enumerate(taken) if end <= begins), len(taken))
        taken[row : row + 1] = [begins + _LETTER * (len(name) + 1)]
        rows[place] = row
    return [rows[place] for place in range(len(thresholds))]


def count_tick(value: float, _place: object) -> str:
    return f"{value:,.0f}"


def percent_tick(value: float, _place: object) -> str:
    """A label of an axis, never as a power of ten.

    >>> [percent_tick(value, 0) for value in (1e-7, 0.0005, 0.3, 1.0, -0.1)]
    ['0.00001 %', '0.05 %', '30 %', '100 %', '']
    """
    return f"{Decimal(f'{100 * value:.6g}'):f} %" if value >= 0 else ""
