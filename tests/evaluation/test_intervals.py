"""Wilson's interval and the rules of 3 and 30, against published numbers, SciPy and exact sums."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from recognizance.evaluation.intervals import estimate_independent, no_narrower, wilson_interval
from recognizance.evaluation.measures import Evidence, IntervalMethod, Rate

counts = st.integers(1, 10**7).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))


def test_the_test_of_2018_has_its_published_interval() -> None:
    """28 of 535, by hand.

    p = 0.052336, n = 535, z = 1.959964, z^2/n = 0.0071804
    centre = (p + z^2/2n) / (1 + z^2/n) = (0.052336 + 0.0035902) / 1.0071804 = 0.0555279
    spread = z sqrt(p(1 - p)/n + z^2/4n^2) / (1 + z^2/n)
           = 1.959964 * sqrt(0.0000927047 + 0.0000033553) / 1.0071804 = 1.959964 * 0.00980102 / 1.0071804 = 0.0190727
    """
    interval = wilson_interval(28, 535)

    assert interval.low == pytest.approx(0.0555279 - 0.0190727, abs=2e-6)
    assert interval.high == pytest.approx(0.0555279 + 0.0190727, abs=2e-6)
    assert interval.method is IntervalMethod.WILSON


@given(counts, st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_wilson_is_scipys(count: tuple[int, int], level: float) -> None:
    """Somebody else's implementation gives the same ends."""
    errors, trials = count

    ours = wilson_interval(errors, trials, level)

    theirs = binomtest(errors, trials).proportion_ci(confidence_level=level, method="wilson")
    assert ours.low == pytest.approx(theirs.low, rel=1e-7, abs=1e-12)
    assert ours.high == pytest.approx(theirs.high, rel=1e-7, abs=1e-12)


@given(counts)
def test_an_interval_holds_its_rate_and_mirrors_its_complement(count: tuple[int, int]) -> None:
    """What is said of errors is said of successes, the other way round."""
    rate = Rate(*count)

    interval = wilson_interval(rate.errors, rate.trials)
    mirrored = wilson_interval(rate.complement.errors, rate.trials)

    assert 0.0 <= interval.low <= rate.errors / rate.trials <= interval.high <= 1.0
    assert mirrored.low == pytest.approx(1 - interval.high, abs=1e-12)
    assert mirrored.high == pytest.approx(1 - interval.low, abs=1e-12)


@given(counts, st.integers(2, 50))
def test_more_trials_of_the_same_rate_narrow_the_interval(count: tuple[int, int], times: int) -> None:
    """Ten times the errors in ten times the trials say the same rate more surely."""
    errors, trials = count

    once, often = wilson_interval(errors, trials), wilson_interval(times * errors, times * trials)

    assert often.high - often.low < once.high - once.low


def test_the_interval_covers_nearly_as_often_as_it_says() -> None:
    """Over every outcome of 200 trials at rates of 1, 5 and 20 %, the true rate is inside at least 93 % of the time."""
    for true in (0.01, 0.05, 0.2):
        inside = [
            wilson_interval(errors, 200).low <= true <= wilson_interval(errors, 200).high for errors in range(201)
        ]

        assert binom.pmf(range(201), 200, true) @ inside > 0.93


def test_no_error_in_535_searches_proves_little() -> None:
    """The rule of 3 says 3/535 = 0.56 %, one-sided; Wilson's two-sided end is 0.71 %."""
    estimate = estimate_independent(Rate(0, 535))

    assert estimate.rule_of_three == pytest.approx(0.005607, abs=1e-6)
    assert estimate.interval is not None
    assert estimate.interval.high == pytest.approx(0.00713, abs=1e-5)
    assert estimate.evidence is Evidence.NO_ERRORS


@given(st.integers(3, 10**6))
def test_the_rule_of_three_is_the_exact_bound_or_beyond(trials: int) -> None:
    """The exact 95 % bound solves (1 - p)^n = 0.05, so p < -ln(0.05)/n < 3/n."""
    bound = estimate_independent(Rate(0, trials)).rule_of_three

    assert bound is not None
    assert bound > 1 - math.exp(math.log(0.05) / trials)


@given(counts)
def test_the_rules_of_three_and_thirty_bind_where_they_should(count: tuple[int, int]) -> None:
    """Without an error only a bound is known; below thirty the rate isn't relied on."""
    estimate = estimate_independent(Rate(*count))

    expected = Evidence.NO_ERRORS if count[0] == 0 else Evidence.FEW_ERRORS if count[0] < 30 else Evidence.SUFFICIENT
    assert estimate.evidence is expected
    assert (estimate.rule_of_three is None) == (count[0] > 0)


@given(counts, st.floats(0, 1), st.floats(0, 1))
def test_widening_keeps_both_intervals(count: tuple[int, int], one: float, other: float) -> None:
    """A bootstrap's percentiles and Wilson's interval are both inside of what is reported."""
    low, high = sorted((one, other))

    widened = no_narrower(low, high, Rate(*count), count[1])

    wilson = wilson_interval(*count)
    assert widened.low == min(low, wilson.low)
    assert widened.high == max(high, wilson.high)


def test_nothing_tried_is_no_interval() -> None:
    """Without a trial there is an estimate that says so, and no interval."""
    estimate = estimate_independent(Rate(0, 0))

    assert estimate.interval is None
    assert estimate.evidence is Evidence.NO_TRIALS
    assert estimate.rule_of_three is None
    with pytest.raises(ValueError, match="no trial"):
        wilson_interval(0, 0)
    with pytest.raises(ValueError, match="no trial"):
        no_narrower(0.0, 0.1, Rate(0, 0), 0)
