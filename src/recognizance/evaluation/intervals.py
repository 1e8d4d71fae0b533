"""How far a counted rate may be from the true one: Wilson's interval, and estimates made of counts alone.

Pure. Sources: Wilson, "Probable inference", JASA 22 (1927); Brown, Cai and DasGupta, "Interval estimation for a
binomial proportion", Statistical Science 16 (2001); ISO/IEC 19795-1:2021 on the rules of 3 and 30.
"""

import math
from statistics import NormalDist

from recognizance.evaluation.measures import Estimate, Interval, IntervalMethod, Rate

LEVEL = 0.95
"""The confidence of every interval that isn't asked for otherwise."""


def wilson_interval(errors: int, trials: int, level: float = LEVEL) -> Interval:
    """Wilson's score interval of a rate counted over independent trials, two-sided.

    The 28 false matches among 535 searches in the test of 2018:

    >>> interval = wilson_interval(28, 535)
    >>> (round(100 * interval.low, 2), round(100 * interval.high, 2))
    (3.65, 7.46)

    Raises:
        ValueError: If there is no trial, or there are more errors than trials.
    """
    if trials < 1:
        raise ValueError("no trial, no interval")
    rate = Rate(errors, trials)
    return _wilson(rate.errors / rate.trials, trials, level)


def estimate_independent(rate: Rate, level: float = LEVEL) -> Estimate:
    """A rate whose trials are independent of each other, such as searches for different people.

    >>> estimate_independent(Rate(0, 535)).interval.high < 0.0072
    True
    """
    interval = wilson_interval(rate.errors, rate.trials, level) if rate.trials else None
    return Estimate(rate, interval, independent=rate)


def no_narrower(low: float, high: float, rate: Rate, independent_trials: int, level: float = LEVEL) -> Interval:
    """Widen a bootstrap's percentiles to Wilson's interval of the same rate over the trials that can be independent.

    The bootstrap sees that errors of one person hang together, but from few errors it sees too little: without any,
    every resample says zero. Wilson's interval is right about that, and blind to the other.

    Args:
        low: A percentile over resamples, like `high`.
        rate: With at least one trial.
        independent_trials: At least 1, at most all of them.

    Raises:
        ValueError: If there is no trial.
    """
    if rate.value is None or independent_trials < 1:
        raise ValueError("no trial, no interval")
    wilson = _wilson(rate.value, independent_trials, level)
    return Interval(min(low, wilson.low), max(high, wilson.high), level, IntervalMethod.SUBJECT_BOOTSTRAP)


def _wilson(rate: float, trials: int, level: float) -> Interval:
    z = NormalDist().inv_cdf(0.5 + level / 2)
    square = z * z / trials
    centre = rate + square / 2
    spread = math.sqrt(square * (rate * (1 - rate) + square / 4))
    # At the ends the exact bounds are 0 and 1, and the rate is never outside; rounding may miss both by a little.
    low = 0.0 if rate == 0.0 else min(rate, (centre - spread) / (1 + square))
    high = 1.0 if rate == 1.0 else max(rate, (centre + spread) / (1 + square))
    return Interval(low, high, level, IntervalMethod.WILSON)
