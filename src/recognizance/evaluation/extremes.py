"""What false positives to expect in a gallery larger than the data: an extreme-value estimate, and labelled so.

The best score of a search for a stranger is a maximum, so beyond a high score its tail is close to a generalised Pareto
distribution (Pickands 1975; Balkema and de Haan 1974). It is fitted to the best scores of searches in the largest
gallery that there is, of N faces. A gallery m times as large is taken as m such galleries of other people:

    FPIR(mN, T) = 1 - (1 - FPIR(N, T))^m

Some probes meet false candidates more easily than others. Averaged over them, the true rate is lower than this by
Jensen's inequality, so the formula errs to the safe side; nothing of it is safe against people of another kind.

The fit is Zhang and Stephens' ("A new and efficient estimation method for the generalized Pareto distribution",
Technometrics 51, 2009): a weighted mean over the profile likelihood, which always exists and needs no search. Its
uncertainty comes from resampling the people searched for and fitting anew. A fit may have an end, beyond which it says
that no stranger ever scores; no data can show that, so upper bounds take such a tail for an exponential one. Pure.
"""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recognizance.evaluation.bootstrap import RESAMPLES, draw_subjects
from recognizance.evaluation.identification import Searches
from recognizance.evaluation.intervals import LEVEL
from recognizance.evaluation.measures import Extrapolation, Interval, IntervalMethod, TailFit
from recognizance.evaluation.samples import Samples

TAIL_SHARE = 0.1
"""The part of the searches that is the tail: DuMouchel's rule ("Estimating the stable index", Annals 11, 1983)."""

LEAST_EXCEEDANCES = 50
"""A tail of searches for fewer people is insufficient evidence: its shape would be mostly chance."""

Excesses = NDArray[np.float64]
"""(n,) by how much scores exceed where the tail begins; all above 0."""


def extrapolate(
    samples: Samples,
    searches: Searches,
    threshold: float,
    gallery_sizes: tuple[int, ...],
    *,
    seed: int,
    resamples: int = RESAMPLES,
) -> tuple[Extrapolation, ...]:
    """Estimate FPIR at a threshold in galleries of other sizes.

    Below the beginning of the tail it is the counted rate of these searches that is carried to the other sizes.

    Args:
        searches: In the largest gallery that there is; the people who are not enrolled count.
        gallery_sizes: In faces, as `searches.gallery_faces`.

    Raises:
        ValueError: If a gallery is empty.
    """
    if any(size < 1 for size in gallery_sizes):
        raise ValueError("a gallery has a face")
    strangers = ~searches.mated & np.isfinite(searches.best_other)
    scores = searches.best_other[strangers].astype(np.float64)
    subjects = samples.subjects[searches.probes[strangers]]
    total = int(np.count_nonzero(~searches.mated))
    fit = fit_searches(scores, total, searches.gallery_faces)
    if fit is None or len(np.unique(subjects[scores > fit.above])) < LEAST_EXCEEDANCES:
        return tuple(Extrapolation(size, threshold, None, None, None) for size in gallery_sizes)
    here = rate_beyond(fit, scores, threshold)
    draws = _resampled_rates(scores, subjects, total, fit, threshold, seed=seed, resamples=resamples)
    low = min(here, float(np.quantile(draws[0], (1 - LEVEL) / 2)))
    high = max(here, float(np.quantile(draws[1], (1 + LEVEL) / 2)))
    found = []
    for size in gallery_sizes:
        times = size / searches.gallery_faces
        ends = _in_other_size(low, times), _in_other_size(high, times)
        interval = Interval(*ends, LEVEL, IntervalMethod.TAIL_BOOTSTRAP)
        found.append(Extrapolation(size, threshold, _in_other_size(here, times), interval, fit))
    return tuple(found)


def fit_searches(scores: NDArray[np.float64], searches: int, gallery_faces: int) -> TailFit | None:
    """Fit the tail of the best scores of `searches` searches. `None` when too few lie above where it begins.

    Args:
        scores: (n,) finite; searches that compared nobody have none.
    """
    exceedances = round(TAIL_SHARE * len(scores))
    if exceedances < LEAST_EXCEEDANCES:
        return None
    above = float(np.partition(scores, -exceedances - 1)[-exceedances - 1])
    if np.count_nonzero(scores > above) < LEAST_EXCEEDANCES:
        return None
    return _fit_above(above, scores, searches, gallery_faces)


def rate_beyond(fit: TailFit, scores: NDArray[np.float64], threshold: float) -> float:
    """The share of searches that reach a threshold: by the fit in the tail, counted below it."""
    if threshold <= fit.above:
        return int(np.count_nonzero(scores >= threshold)) / fit.searches
    return fit.exceedances / fit.searches * survival(threshold - fit.above, fit.shape, fit.scale)


def survival(excess: float, shape: float, scale: float) -> float:
    """The share of a generalised Pareto distribution beyond `excess`.

    >>> survival(2.0, 0.0, 1.0) == math.exp(-2.0), survival(3.0, -0.5, 1.0), round(survival(2.0, 0.5, 1.0), 9)
    (True, 0.0, 0.25)
    """
    if abs(shape) < 1e-9:
        return math.exp(-excess / scale)
    inside = shape * excess / scale
    return math.exp(-math.log1p(inside) / shape) if inside > -1 else 0.0


def fit_pareto(excesses: Excesses) -> tuple[float, float]:
    """Fit shape and scale of a generalised Pareto distribution (Zhang and Stephens 2009).

    Args:
        excesses: At least two.

    Raises:
        ValueError: If there are fewer, or one isn't above 0.
    """
    if len(excesses) < 2 or not (excesses > 0).all():
        raise ValueError("a tail is fitted to two excesses or more, all above 0")
    n = len(excesses)
    ordered = np.sort(excesses)
    m = 20 + math.isqrt(n)
    quartile = ordered[math.floor(n / 4 + 0.5) - 1]
    # Their equation (2.2): theta_j, a grid whose weights stand for the profile likelihood l(theta) at each.
    theta = 1 / ordered[-1] + (1 - np.sqrt(m / (np.arange(1, m + 1) - 0.5))) / (3 * quartile)
    theta[theta == 0.0] = 1e-9 / ordered[-1]
    k = -np.log1p(-theta[:, np.newaxis] * ordered).mean(axis=1)
    likelihood = n * (np.log(theta / k) + k - 1)
    weights = np.exp(likelihood - likelihood.max())
    chosen = float((theta * weights).sum() / weights.sum())
    if abs(chosen) * ordered[-1] < 1e-9:
        return 0.0, float(ordered.mean())
    shape = float(np.log1p(-chosen * ordered).mean())
    return shape, -shape / chosen


def _fit_above(above: float, scores: NDArray[np.float64], searches: int, gallery_faces: int) -> TailFit:
    excesses = scores[scores > above] - above
    shape, scale = fit_pareto(excesses)
    return TailFit(above, len(excesses), searches, gallery_faces, shape, scale)


def _resampled_rates(
    scores: NDArray[np.float64],
    subjects: NDArray[np.int32],
    searches: int,
    fit: TailFit,
    threshold: float,
    *,
    seed: int,
    resamples: int,
) -> NDArray[np.float64]:
    """The rate at the threshold in each resample, by its own fit above the same score: (2, b).

    The second row has the exponential tail of the same mean where the fit has an end.
    """
    weights = draw_subjects(np.unique(subjects), int(subjects.max()) + 1, resamples=resamples, seed=seed)
    rates = []
    for resample in range(resamples):
        drawn = np.repeat(scores, weights[subjects, resample])
        # Searches without any score are as many in each resample, in proportion.
        total = round(len(drawn) * searches / len(scores))
        refit = _fit_above(fit.above, drawn, total, fit.gallery_faces)
        endless = refit
        if refit.shape < 0:
            endless = replace(refit, shape=0.0, scale=float((drawn[drawn > fit.above] - fit.above).mean()))
        rates.append((rate_beyond(refit, drawn, threshold), rate_beyond(endless, drawn, threshold)))
    return np.array(rates).T


def _in_other_size(rate: float, times: float) -> float:
    """1 - (1 - rate)^times, in a form that keeps the digits of small rates."""
    return 1.0 if rate >= 1.0 else -math.expm1(times * math.log1p(-rate))
