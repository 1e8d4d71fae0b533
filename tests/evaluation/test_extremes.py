"""The tail of best scores, against SciPy and known distributions, and what it says of galleries that weren't there."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import genpareto, norm

from recognizance.evaluation.extremes import LEAST_EXCEEDANCES, extrapolate, fit_pareto, fit_searches, survival
from recognizance.evaluation.identification import Searches
from recognizance.evaluation.measures import IntervalMethod
from recognizance.evaluation.samples import Samples


def strangers(scores: NDArray[np.float64], gallery_faces: int = 1000) -> tuple[Samples, Searches]:
    """One search a person, of people who aren't enrolled."""
    number = len(scores)
    everybody = np.arange(number, dtype=np.int32)
    searches = Searches(
        gallery_faces=gallery_faces,
        gallery_subjects=gallery_faces,
        probes=everybody,
        mated=np.zeros(number, dtype=np.bool_),
        mate_scores=np.full(number, -np.inf, dtype=np.float32),
        best_other=scores.astype(np.float32),
        ahead=np.zeros(number, dtype=np.int32),
        ranks=1,
    )
    return Samples(everybody, {}), searches


def best_of(rng: np.random.Generator, searches: int, gallery: int) -> NDArray[np.float64]:
    """The best of `gallery` normal scores with the deviation 0.1, drawn from their distribution."""
    return np.asarray(norm.ppf(rng.random(searches) ** (1 / gallery)) * 0.1)


@pytest.mark.parametrize("shape", [-0.3, -0.1, 0.0, 0.2])
def test_a_fit_finds_the_distribution_that_was_drawn_from(shape: float) -> None:
    """Within four standard errors of two thousand draws, and close to SciPy's most likely values."""
    drawn = genpareto.rvs(shape, scale=2.0, size=2000, random_state=np.random.default_rng(1))

    fitted = fit_pareto(drawn)

    # Asymptotically var(shape) = (1 + shape)^2 / n and var(scale) = 2 scale^2 (1 + shape) / n (Smith 1987).
    assert fitted[0] == pytest.approx(shape, abs=4 * (1 + shape) / math.sqrt(2000))
    assert fitted[1] == pytest.approx(2.0, abs=4 * 2.0 * math.sqrt(2 * (1 + shape) / 2000))
    likeliest, _, scale = genpareto.fit(drawn, floc=0)
    assert fitted == pytest.approx((likeliest, scale), abs=0.03)


@given(st.floats(-0.9, 0.9).map(lambda shape: round(shape, 6)), st.floats(0.1, 10), st.floats(0, 20))
def test_survival_is_scipys(shape: float, scale: float, excess: float) -> None:
    """Heavy tails, exponential ones, and those with an end."""
    assert survival(excess, shape, scale) == pytest.approx(
        genpareto.sf(excess, shape, scale=scale), rel=1e-6, abs=1e-12
    )


def test_scaled_excesses_scale_the_fit() -> None:
    """Scores from 0 to 100 have the shape of those from 0 to 1, and a hundred times the scale."""
    drawn = genpareto.rvs(-0.1, scale=0.02, size=300, random_state=np.random.default_rng(2))

    one, other = fit_pareto(drawn), fit_pareto(100 * drawn)

    assert other == pytest.approx((one[0], 100 * one[1]))
    assert fit_pareto(drawn[::-1].copy()) == pytest.approx(one)


def test_a_larger_gallery_is_foretold() -> None:
    """From 4,000 searches among 1,000 faces to FPIR among 10,000 and 100,000, where the truth is known.

    Scores are normal, so a search among N has a false positive at T with 1 - Phi(T/0.1)^N. Eight draws, 95 % intervals.
    """
    inside = 0
    for seed in range(8):
        samples, searches = strangers(best_of(np.random.default_rng(seed), 4000, 1000))
        threshold = 0.1 * float(norm.ppf((1 - 0.01) ** (1 / 10_000)))

        ten, hundred = extrapolate(samples, searches, threshold, (10_000, 100_000), seed=1, resamples=200)

        for estimate, truth in ((ten, 0.01), (hundred, 1 - 0.99**10)):
            assert estimate.fpir is not None
            assert estimate.interval is not None
            assert truth / 3 < estimate.fpir < 3 * truth
            inside += estimate.interval.low <= truth <= estimate.interval.high
    assert inside >= 14


def test_the_estimate_of_the_gallery_that_was_there_is_its_own_rate() -> None:
    """Below where the tail begins it is the count; other sizes follow by 1 - (1 - p)^m."""
    samples, searches = strangers(best_of(np.random.default_rng(3), 1000, 1000))
    middle = float(np.quantile(searches.best_other, 0.5))

    same, twice, half = extrapolate(samples, searches, middle, (1000, 2000, 500), seed=1, resamples=50)

    counted = np.count_nonzero(searches.best_other >= middle) / 1000
    assert same.fpir == pytest.approx(counted)
    assert twice.fpir == pytest.approx(1 - (1 - counted) ** 2)
    assert half.fpir == pytest.approx(1 - math.sqrt(1 - counted))


def test_it_rises_with_the_gallery_and_falls_with_the_threshold() -> None:
    """In estimate and both ends."""
    samples, searches = strangers(best_of(np.random.default_rng(4), 1000, 1000))
    rows = [
        extrapolate(samples, searches, threshold, (2000, 10_000, 10**6), seed=1, resamples=100)
        for threshold in (0.35, 0.4, 0.45, 0.5)
    ]

    ends = [[(each.fpir, each.interval.low, each.interval.high) for each in row if each.interval] for row in rows]
    for values in np.moveaxis(np.array(ends, dtype=np.float64), 2, 0):
        assert (np.diff(values, axis=1) >= 0).all()
        assert (np.diff(values, axis=0) <= 0).all()
        assert (values >= 0).all()
        assert (values <= 1).all()


def test_a_tail_with_an_end_proves_no_safety_beyond_it() -> None:
    """Scores that end at 0.5 in truth: beyond, the fit may say none, and the upper bound doesn't."""
    rng = np.random.default_rng(5)
    samples, searches = strangers(0.5 - 0.2 * rng.random(2000) ** 0.7)

    (found,) = extrapolate(samples, searches, 0.52, (10**6,), seed=1, resamples=100)

    assert found.fit is not None
    assert found.fit.shape < 0
    assert found.fpir is not None
    assert found.interval is not None
    assert found.fpir < 0.01
    assert found.interval.high > 0.01
    assert found.interval.method is IntervalMethod.TAIL_BOOTSTRAP
    assert "not a measurement" in found.label


def test_too_few_searches_are_insufficient_evidence() -> None:
    """Below fifty people in the tail nothing is estimated, also when one person's searches are many."""
    samples, searches = strangers(best_of(np.random.default_rng(6), 10 * LEAST_EXCEEDANCES - 10, 1000))

    (found,) = extrapolate(samples, searches, 0.4, (10**6,), seed=1)

    assert (found.fpir, found.interval, found.fit) == (None, None, None)
    _, enough = strangers(best_of(np.random.default_rng(6), 2000, 1000))
    few = Samples((np.arange(2000) % 40).astype(np.int32), {})
    assert extrapolate(few, enough, 0.4, (10**6,), seed=1)[0].fpir is None
    assert fit_searches(np.full(2000, 0.5), 2000, 1000) is None


def test_people_who_are_enrolled_take_no_part() -> None:
    """Searches that have a mate are no searches for strangers."""
    samples, searches = strangers(best_of(np.random.default_rng(7), 2000, 1000))
    mated = Searches(
        gallery_faces=searches.gallery_faces,
        gallery_subjects=searches.gallery_subjects,
        probes=searches.probes,
        mated=np.arange(2000) >= 1000,
        mate_scores=searches.mate_scores,
        best_other=np.where(np.arange(2000) >= 1000, np.float32(0.99), searches.best_other),
        ahead=searches.ahead,
        ranks=1,
    )

    (found,) = extrapolate(samples, mated, 0.45, (2000,), seed=1, resamples=50)

    assert found.fit is not None
    assert found.fit.searches == 1000
    assert found.fpir is not None
    assert found.fpir < 0.05


def test_a_fit_needs_excesses() -> None:
    """Two or more above zero; equal ones are fitted too."""
    for broken in ([1.0], [0.0, 1.0], [-1.0, 1.0]):
        with pytest.raises(ValueError, match="excesses"):
            fit_pareto(np.array(broken))
    shape, scale = fit_pareto(np.full(60, 0.25))
    assert math.isfinite(shape)
    assert scale > 0
