"""Error rates for people: a rate is never shown without its trials, its interval, and a word when it says little.

Pure. Implements `docs/register.md`, "Error rates".
"""

import math
from collections.abc import Sequence

_Z_95 = 1.959963984540054
FEW_ERRORS = 30
"""Below so many errors a rate is too uncertain to be relied on: the rule of 30 (ISO/IEC 19795-1)."""


def wilson_interval(errors: int, trials: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a rate (Wilson 1927), for independent trials.

    The 28 false matches in 535 searches of the American Civil Liberties Union's test of 2018:

    >>> low, high = wilson_interval(28, 535)
    >>> (round(low, 3), round(high, 3))
    (0.036, 0.075)

    Raises:
        ValueError: If there is no trial, or there are more errors than trials.
    """
    if not 0 <= errors <= trials or trials < 1:
        raise ValueError(f"{errors} errors in {trials} trials")
    rate = errors / trials
    square = _Z_95 * _Z_95
    centre = rate + square / (2 * trials)
    spread = _Z_95 * math.sqrt(rate * (1 - rate) / trials + square / (4 * trials * trials))
    scale = 1 + square / trials
    # At the ends the exact bounds are 0 and 1, which rounding may miss by a little.
    low = 0.0 if errors == 0 else (centre - spread) / scale
    high = 1.0 if errors == trials else (centre + spread) / scale
    return low, high


def largest_to_smallest(rates: Sequence[tuple[int, int]]) -> float | None:
    """Return the ratio of the largest to the smallest rate of groups, given as errors and trials.

    `None` where it has no meaning: fewer than two groups with trials, or a group without errors.
    """
    known = [errors / trials for errors, trials in rates if trials]
    return max(known) / min(known) if len(known) > 1 and min(known) > 0 else None


def median(days: Sequence[tuple[int, int]]) -> float:
    """Return the median of values that are given as (value, how often).

    Raises:
        ValueError: If there is none.

    >>> median([(3, 1), (1, 2), (10, 1)])
    2.0
    """
    ordered = sorted(days)
    count = sum(often for _, often in ordered)
    if not count:
        raise ValueError("the median of nothing")

    def at(place: int) -> int:
        for value, often in ordered:
            place -= often
            if place < 0:
                return value
        raise ValueError(f"there is no value at {place}")

    return (at((count - 1) // 2) + at(count // 2)) / 2
