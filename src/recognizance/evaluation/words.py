"""Numbers of an evaluation in plain words: rates with their trials, what they prove, what they would mean for people.

Each phrase is computed from the counts, so that a sentence can't say more than they do. Nothing here rounds an error
away: a rate above zero never reads as zero. Pure. Implements docs/evaluation-reports.md, "In plain words".
"""

import math

from recognizance.evaluation.measures import Differential, Estimate, Evidence, Standing

SEARCHES = 1_000
"""What a rate is told per."""


def percent(rate: float) -> str:
    """Return a rate in percent, to two digits that matter, or three from ten percent on; never 0 unless it is.

    >>> [percent(rate) for rate in (0.0, 2.1e-6, 0.0056, 0.05234, 0.4, 0.9996, 1.0)]
    ['0 %', '0.00021 %', '0.56 %', '5.2 %', '40.0 %', '99.960 %', '100 %']
    """
    value = 100.0 * rate
    if value in {0.0, 100.0}:
        return f"{value:.0f} %"
    if value >= 10.0:
        # Towards 100 % the distance to it is what matters.
        digits = 1 if value <= 99.0 else max(1, 1 - math.floor(math.log10(100.0 - value)))
        return f"{value:.{digits}f} %"
    digits = 1 - math.floor(math.log10(value))
    return f"{value:.{max(0, digits)}f} %"


def interval_words(estimate: Estimate) -> str:
    """Return the interval, `0.19 to 1.6 %`; empty where there is none."""
    if estimate.interval is None:
        return ""
    low, high = percent(estimate.interval.low), percent(min(1.0, estimate.interval.high))
    return f"{low.removesuffix(' %')} to {high}"


def rate_phrase(estimate: Estimate) -> str:
    """Return a rate with its counts and interval, as it stands within a sentence.

    >>> from recognizance.evaluation.intervals import estimate_independent
    >>> from recognizance.evaluation.measures import Rate
    >>> rate_phrase(estimate_independent(Rate(28, 535)))
    '5.2 % (28 of 535; 3.6 to 7.5 %)'
    >>> rate_phrase(estimate_independent(Rate(0, 0)))
    'nothing was tried'
    """
    value = estimate.rate.value
    if value is None:
        return "nothing was tried"
    counts = f"{estimate.rate.errors:,} of {estimate.rate.trials:,}"
    interval = interval_words(estimate)
    return f"{percent(value)} ({counts}; {interval})" if interval else f"{percent(value)} ({counts})"


def per_thousand(rate: float) -> str:
    """Return how many of a thousand searches a rate is, as it stands within a sentence.

    >>> [per_thousand(rate) for rate in (0.0, 0.0000002, 0.0004, 0.0056, 0.0523, 1.0)]
    ['0', 'fewer than 0.1', '0.4', '5.6', '52', '1,000']
    """
    count = SEARCHES * rate
    if count == 0:
        return "0"
    if count < 0.1:
        return "fewer than 0.1"
    return f"{count:.1f}".removesuffix(".0") if count < 10 else f"{count:,.0f}"


def in_thousand(estimate: Estimate) -> str:
    """Return how many of a thousand err, to stand alone in large type: `5.6 in 1,000`."""
    value = estimate.rate.value
    if value is None:
        return "unknown"
    return "none seen" if value == 0 else f"{per_thousand(value)} in 1,000"


def possibly(estimate: Estimate) -> str:
    """Return how many of a thousand may err, beside `in_thousand`: `possibly 1.9 to 16`."""
    if estimate.interval is None:
        return "how far that is from the truth is unknown"
    low, high = per_thousand(estimate.interval.low), per_thousand(min(1.0, estimate.interval.high))
    return f"up to {high} in 1,000 are possible" if estimate.rate.errors == 0 else f"possibly {low} to {high}"


def per_thousand_range(estimate: Estimate) -> str:
    """Return how many of a thousand err, with the interval, for a table's cell.

    Without an error the interval's upper end is all that was shown, and without a trial nothing was.
    """
    value = estimate.rate.value
    if value is None:
        return "unknown: nothing was tried"
    if estimate.interval is None:
        return per_thousand(value)
    low, high = per_thousand(estimate.interval.low), per_thousand(min(1.0, estimate.interval.high))
    if estimate.rate.errors == 0:
        return f"none seen, up to {high} possible"
    return f"about {per_thousand(value)}, possibly {low} to {high}"


def what_it_proves(estimate: Estimate) -> str:
    """Return a sentence on what the number of trials can prove, and what it can't.

    >>> from recognizance.evaluation.intervals import estimate_independent
    >>> from recognizance.evaluation.measures import Rate
    >>> what_it_proves(estimate_independent(Rate(0, 535)))[:63]
    'No error in 535 independent trials proves a rate of at most 0.5'
    """
    independent = estimate.independent
    match estimate.evidence:
        case Evidence.NO_TRIALS:
            return "Nothing was tried, so nothing is known."
        case Evidence.NO_ERRORS:
            bound = percent(estimate.rule_of_three or 1.0)
            high = "" if estimate.interval is None else f", or {percent(estimate.interval.high)} by Wilson's interval"
            return (
                f"No error in {_trials(independent.trials)} proves a rate of at most {bound} (the rule of"
                f" three{high}). It does not prove zero."
            )
        case Evidence.FEW_ERRORS:
            return (
                f"{_counted(independent.errors, 'independent error')} in {_trials(independent.trials)}: fewer than 30,"
                " so the interval says more than the rate itself."
            )
        case Evidence.SUFFICIENT:
            return (
                f"{independent.errors:,} independent errors in {_trials(independent.trials)}: enough for the rate to"
                " be relied on within its interval."
            )


def differential_words(differential: Differential) -> str:
    """Return one figure for how unequal groups are, with its interval.

    >>> differential_words(Differential(None, Standing.UNBOUNDED))
    'no upper end: a group had no error'
    """
    match differential.standing:
        case Standing.UNBOUNDED:
            return "no upper end: a group had no error"
        case Standing.UNDEFINED:
            return "not defined: nothing to compare"
        case Standing.MEASURED:
            shown = f"{differential.value:.3g}"
            if differential.low is None:
                return shown
            end = "no upper end" if differential.high is None else f"{differential.high:.3g}"
            return f"{shown} ({differential.low:.3g} to {end})"


def evidence_word(estimate: Estimate) -> str:
    """Return the remark that stands beside a rate in a table; empty where there is nothing to warn of."""
    return {
        Evidence.NO_TRIALS: "nothing was tried",
        Evidence.NO_ERRORS: "no error: not proof of zero",
        Evidence.FEW_ERRORS: "few errors: uncertain",
        Evidence.SUFFICIENT: "",
    }[estimate.evidence]


def _trials(count: int) -> str:
    return _counted(count, "independent trial")


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
