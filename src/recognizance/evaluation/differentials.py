"""One figure for how unequal groups are, in each of the forms that are in use.

Every function takes rates of groups on the first axis and works along it, so that the rates of a thousand resamples are
one call. Groups without a trial are NaN and take no part. A ratio whose divisor has no error is infinite, and where
there is nothing to compare, because fewer than two groups have trials or none of them has an error, the figure is NaN:
never 0 or 1, which would read as fairness shown.

Pure. Sources: max/min and max/geometric mean, NISTIR 8280 and 8429 (Grother 2019, 2022); the Gini coefficient with
n/(n - 1) and GARBE, Howard et al. 2022; FDR, Pereira and Marcel 2021; inequity rate, NISTIR 8429.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from recognizance.evaluation.intervals import LEVEL
from recognizance.evaluation.measures import Differential, Spread, Standing

GroupedRates = NDArray[np.float64]
"""(g, ...) rates by group; NaN without a trial."""

Figures = NDArray[np.float64]
"""(...) one figure for each set of groups."""

Combined = Callable[[GroupedRates, GroupedRates, float], Figures]
"""A figure of FMR, FNMR and the weight of the first."""


def gap(rates: GroupedRates) -> Figures:
    """Highest rate less lowest.

    >>> round(float(gap(np.array([0.01, 0.03, np.nan]))), 9)
    0.02
    """
    with np.errstate(invalid="ignore"):
        return _comparable(rates, _most(rates) - _least(rates))


def max_to_min(rates: GroupedRates) -> Figures:
    """Highest rate over lowest.

    >>> float(max_to_min(np.array([0.01, 0.03]))), float(max_to_min(np.array([0.0, 0.03])))
    (3.0, inf)
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return _comparable(rates, _most(rates) / _least(rates))


def max_to_geometric_mean(rates: GroupedRates) -> Figures:
    """Highest rate over the geometric mean of all.

    >>> round(float(max_to_geometric_mean(np.array([0.01, 0.04]))), 9)
    2.0
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        known = ~np.isnan(rates)
        logs = np.where(known, np.log(rates), 0.0).sum(axis=0) / known.sum(axis=0)
        return _comparable(rates, _most(rates) / np.exp(logs))


def gini(rates: GroupedRates) -> Figures:
    """Gini coefficient times n/(n - 1): 0 for equal rates, 1 if one group has all the errors.

    >>> float(gini(np.array([0.0, 0.0, 0.0, 0.2]))), round(float(gini(np.array([0.01, 0.03]))), 9)
    (1.0, 0.5)
    """
    known = ~np.isnan(rates)
    number = known.sum(axis=0)
    filled = np.where(known, rates, 0.0)
    differences = np.abs(filled[:, np.newaxis] - filled[np.newaxis])
    both = known[:, np.newaxis] & known[np.newaxis]
    with np.errstate(divide="ignore", invalid="ignore"):
        # n/(n - 1) * sum |xi - xj| / (2 n^2 mean), and n * mean is the sum.
        return _comparable(rates, (differences * both).sum(axis=(0, 1)) / (2 * (number - 1) * filled.sum(axis=0)))


def fairness_discrepancy(fmr: GroupedRates, fnmr: GroupedRates, alpha: float) -> Figures:
    """FDR: 1 less the weighted gaps of both rates. 1 is fair; it hardly moves at the low rates of a good system.

    >>> round(float(fairness_discrepancy(np.array([0.01, 0.03]), np.array([0.1, 0.2]), 0.5)), 9)
    0.94
    """
    return 1.0 - _weighted(gap(fmr), gap(fnmr), alpha)


def garbe(fmr: GroupedRates, fnmr: GroupedRates, alpha: float) -> Figures:
    """GARBE: the weighted Gini coefficients of both rates. 0 is fair.

    >>> round(float(garbe(np.array([0.01, 0.03]), np.array([0.1, 0.1]), 0.5)), 9)
    0.25
    """
    return _weighted(gini(fmr), gini(fnmr), alpha)


def inequity_rate(fmr: GroupedRates, fnmr: GroupedRates, alpha: float) -> Figures:
    """The product of both ratios of highest to lowest, each to the power of its weight. 1 is fair.

    >>> round(float(inequity_rate(np.array([0.01, 0.04]), np.array([0.1, 0.1]), 0.5)), 9)
    2.0
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.exp(_weighted(np.log(max_to_min(fmr)), np.log(max_to_min(fnmr)), alpha))


def differential(figure: float, resampled: Figures | None = None, level: float = LEVEL) -> Differential:
    """A figure as a value, with its interval over resamples.

    Resamples without a figure are left out; where they are the most, there is no interval. With few errors a ratio's
    resamples lie above it more often than below, so the interval is wide on that side and not centred.

    Args:
        figure: NaN where undefined, infinite where unbounded.
        resampled: (b,)
    """
    low = high = None
    if resampled is not None and not np.isnan(figure):
        known = resampled[~np.isnan(resampled)]
        if 2 * len(known) > len(resampled):
            low = float(np.quantile(known, (1 - level) / 2, method="lower"))
            high = float(np.quantile(known, (1 + level) / 2, method="higher"))
    if np.isnan(figure):
        return Differential(None, Standing.UNDEFINED)
    if low is not None and np.isinf(low):
        # Without an end on either side it says nothing that the standing doesn't.
        low = high = None
    high = None if high is None or np.isinf(high) else high
    if np.isinf(figure):
        return Differential(None, Standing.UNBOUNDED, low, high)
    return Differential(float(figure), Standing.MEASURED, low, high)


def spread(names: tuple[str, ...], rates: GroupedRates, resampled: GroupedRates | None = None) -> Spread:
    """How one rate differs between groups.

    Args:
        rates: (g,) by name; NaN without a trial.
        resampled: (g, b)
    """
    known = sorted(np.flatnonzero(~np.isnan(rates)).tolist(), key=names.__getitem__) if gap(rates) >= 0 else []

    def figure(of: Callable[[GroupedRates], Figures]) -> Differential:
        return differential(float(of(rates)), None if resampled is None else of(resampled))

    return Spread(
        highest=names[max(known, key=rates.__getitem__)] if known else None,
        lowest=names[min(known, key=rates.__getitem__)] if known else None,
        gap=figure(gap),
        max_to_min=figure(max_to_min),
        max_to_geometric_mean=figure(max_to_geometric_mean),
        gini=figure(gini),
    )


def _comparable(rates: GroupedRates, figures: Figures) -> Figures:
    """NaN where fewer than two groups have trials, or none of them an error."""
    known = ~np.isnan(rates)
    enough = (known.sum(axis=0) > 1) & (np.where(known, rates, 0.0).sum(axis=0) > 0)
    return np.where(enough, figures, np.nan)


def _most(rates: GroupedRates) -> Figures:
    return np.asarray(np.where(np.isnan(rates), -np.inf, rates).max(axis=0))


def _least(rates: GroupedRates) -> Figures:
    return np.asarray(np.where(np.isnan(rates), np.inf, rates).min(axis=0))


def _weighted(of_fmr: Figures, of_fnmr: Figures, alpha: float) -> Figures:
    """A figure with no weight takes no part, even where it is undefined."""
    if not 0.0 <= alpha <= 1.0:
        raise ValueError(f"a weight lies from 0 to 1, not at {alpha}")
    first = alpha * of_fmr if alpha > 0 else 0.0
    second = (1 - alpha) * of_fnmr if alpha < 1 else 0.0
    return np.asarray(first + second)
