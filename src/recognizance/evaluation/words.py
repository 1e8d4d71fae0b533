"""Numbers of an evaluation in plain words: rates with their trials, what they prove, what they would mean for people.

Each phrase is computed from the counts, so that a sentence can't say more than they do. Nothing here rounds an error
away: a rate above zero never reads as zero. Pure. Implements docs/evaluation-reports.md, "In plain words".
"""

import math

from recognizance.evaluation.measures import Differential, Estimate, Evidence, Standing

_UNITS = (1_000, 1_000_000, 1_000_000_000)
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


def percent_apart(rate: float, limit: float) -> str:
    """Return a rate in percent, with as many digits as it takes to read otherwise than a limit that it isn't.

    >>> [percent_apart(rate, 0.01) for rate in (2 / 193, 0.01, 0.0099999, 0.05234)]
    ['1.04 %', '1.0 %', '0.99999 %', '5.2 %']
    """
    said, other = percent(rate).removesuffix(" %"), percent(limit).removesuffix(" %")
    digits = 2
    while rate != limit and float(said) == float(other) and digits < 16:
        said, other = f"{100.0 * rate:.{digits}f}", f"{100.0 * limit:.{digits}f}"
        digits += 1
    return f"{said} %"


def interval_words(estimate: Estimate) -> str:
    """Return the interval, `0.19 to 1.6 %`; empty where there is none."""
    if estimate.interval is None:
        return ""
    low, high = percent(estimate.interval.low), percent(min(1.0, estimate.interval.high))
    return f"{low.removesuffix(' %')} to {high}"


def rate_phrase(estimate: Estimate, limit: float | None = None) -> str:
    """Return a rate with its counts and interval, as it stands within a sentence; beside a limit, told apart from it.

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
    rate = percent(value) if limit is None else percent_apart(value, limit)
    return f"{rate} ({counts}; {interval})" if interval else f"{rate} ({counts})"


def in_so_many(estimate: Estimate) -> str:
    """Return how many of a round number err, to stand alone in large type.

    >>> from recognizance.evaluation.intervals import estimate_independent
    >>> from recognizance.evaluation.measures import Rate
    >>> [in_so_many(estimate_independent(Rate(*counts))) for counts in ((3, 535), (1, 2_248), (0, 535), (0, 0))]
    ['5.6 in 1,000', '440 in 1,000,000', 'none seen', 'unknown']
    """
    value = estimate.rate.value
    if value is None:
        return "unknown"
    unit = _unit(estimate)
    return "none seen" if value == 0 else f"{_count(value, unit)} in {unit:,}"


def possibly(estimate: Estimate) -> str:
    """Return how many may err, beside `in_so_many` and of the same round number.

    >>> from recognizance.evaluation.intervals import estimate_independent
    >>> from recognizance.evaluation.measures import Rate
    >>> [possibly(estimate_independent(Rate(*counts))) for counts in ((3, 535), (0, 535), (0, 0))]
    ['possibly 1.9 to 16', 'up to 7.1 in 1,000 are possible', 'nothing was tried']
    """
    if estimate.interval is None:
        return "nothing was tried" if estimate.rate.value is None else "the interval is unknown"
    unit = _unit(estimate)
    low, high = _count(estimate.interval.low, unit), _count(min(1.0, estimate.interval.high), unit)
    return f"up to {high} in {unit:,} are possible" if estimate.rate.errors == 0 else f"possibly {low} to {high}"


def _unit(estimate: Estimate) -> int:
    """The smallest round number of which at least one errs, so that a rare error isn't told as a fraction of one."""
    value = estimate.rate.value or (0.0 if estimate.interval is None else estimate.interval.high)
    return next((unit for unit in _UNITS if unit * value >= 1), _UNITS[-1] if value else _UNITS[0])


def _count(rate: float, unit: int) -> str:
    count = unit * rate
    if 0 < count < 0.1:
        return "fewer than 0.1"
    if unit > _UNITS[0] and count >= 100:
        # Two digits matter, as in percent: a rate as rare as this doesn't have more.
        count = float(f"{count:.2g}")
    return f"{count:.1f}".removesuffix(".0") if count < 10 else f"{count:,.0f}"


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
                f"{counted(independent.errors, 'independent error')} in {_trials(independent.trials)}: fewer than 30,"
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
    return counted(count, "independent trial")


def counted(count: int, what: str) -> str:
    """Return a number of things whose plural ends in s.

    >>> counted(1, "pair"), counted(1_200, "pair")
    ('1 pair', '1,200 pairs')
    """
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
