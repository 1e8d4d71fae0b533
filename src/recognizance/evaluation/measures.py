"""What an evaluation finds, as values: counts first, rates and intervals from them.

Every other file of this folder builds on these. Nothing here computes more than a quotient; nothing here reads a file,
a clock or a source of randomness. A rate is never without its trials, and a result that the data can't carry says so
instead of being left out. Terms are those of ISO/IEC 19795-1:2021 and 19795-10:2024; docs/evaluation-formulas.md has
every formula.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

FEW_ERRORS = 30
"""Below so many errors a rate is too uncertain to rely on: the rule of 30 (ISO/IEC 19795-1:2021, annex B)."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Errors among trials, as counts: 0 of 10 and 0 of 10,000,000 are different findings."""

    errors: int
    trials: int

    def __post_init__(self) -> None:
        if not 0 <= self.errors <= self.trials:
            raise ValueError(f"{self.errors} errors in {self.trials} trials")

    @property
    def value(self) -> float | None:
        """The quotient; `None` without a trial."""
        return self.errors / self.trials if self.trials else None

    @property
    def complement(self) -> "Rate":
        """The trials without error: what TMR is to FNMR."""
        return Rate(self.trials - self.errors, self.trials)


class IntervalMethod(StrEnum):
    """How an interval was made; each is described in docs/evaluation-formulas.md."""

    WILSON = "wilson"
    """Wilson's score interval over independent trials."""
    SUBJECT_BOOTSTRAP = "subject_bootstrap"
    """Percentiles over resampled subjects, never narrower than Wilson's over the trials that can be independent."""
    TAIL_BOOTSTRAP = "tail_bootstrap"
    """Percentiles over resampled subjects, a tail fitted to each: an extrapolation's."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a value may lie.

    Attributes:
        level: The confidence, two-sided: 0.95.
    """

    low: float
    high: float
    level: float
    method: IntervalMethod

    def __post_init__(self) -> None:
        if not (self.low <= self.high and 0.0 < self.level < 1.0):
            raise ValueError(f"an interval from {self.low} to {self.high} at the level {self.level}")


class Evidence(StrEnum):
    """How far a rate carries."""

    SUFFICIENT = "sufficient"
    FEW_ERRORS = "few_errors"
    """Fewer than 30 independent errors: the rule of 30 isn't met, and the interval says more than the rate."""
    NO_ERRORS = "no_errors"
    """No error at all: the rule of 3 bounds the rate, and nothing is known below that bound."""
    NO_TRIALS = "no_trials"
    """Nothing was tried, so nothing is known."""


class Verdict(StrEnum):
    """What a limit on a rate comes to."""

    PASSED = "passed"
    FAILED = "failed"
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A rate with its uncertainty.

    Attributes:
        interval: `None` where there is no trial, or where no error pairs are kept to resample (see `tallies`).
        independent: Errors and trials that can be independent of each other: pairs of people for FMR, people for the
            others, however many images of them were compared. The rules of 3 and 30 and Wilson's interval go by these.
    """

    rate: Rate
    interval: Interval | None
    independent: Rate

    def __post_init__(self) -> None:
        if self.independent.trials > self.rate.trials or self.independent.errors > self.rate.errors:
            raise ValueError(f"{self.independent} can't be the independent part of {self.rate}")
        if (self.independent.errors == 0) != (self.rate.errors == 0):
            raise ValueError("whoever errs does so independently at least once")

    @property
    def evidence(self) -> Evidence:
        if self.rate.trials == 0:
            return Evidence.NO_TRIALS
        if self.rate.errors == 0:
            return Evidence.NO_ERRORS
        return Evidence.FEW_ERRORS if self.independent.errors < FEW_ERRORS else Evidence.SUFFICIENT

    @property
    def rule_of_three(self) -> float | None:
        """What no error bounds the rate to at 95 %, one-sided: 3 over the independent trials. `None` after an error."""
        if self.rate.errors or not self.independent.trials:
            return None
        return min(1.0, 3.0 / self.independent.trials)

    def judge(self, limit: float) -> Verdict:
        """Say whether the rate is shown to keep to `limit`: its upper bound must. What isn't shown doesn't pass.

        Raises:
            ValueError: If the limit isn't a rate.
        """
        if not 0.0 <= limit <= 1.0:
            raise ValueError(f"a limit of {limit} is no rate")
        if self.rate.value is not None and self.rate.value > limit:
            return Verdict.FAILED
        if self.interval is not None and self.interval.high <= limit:
            return Verdict.PASSED
        return Verdict.INSUFFICIENT_EVIDENCE


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Both errors of one-to-one comparison at one threshold. A score equal to the threshold is accepted."""

    threshold: float
    fmr: Estimate
    fnmr: Estimate


@dataclass(frozen=True, slots=True)
class Curve:
    """A DET curve: points by rising threshold, so FMR never rises and FNMR never falls from one to the next."""

    points: tuple[CurvePoint, ...]

    def __post_init__(self) -> None:
        for low, high in pairwise(self.points):
            if low.threshold >= high.threshold:
                raise ValueError("the points of a curve have rising thresholds")
            if low.fmr.rate.errors < high.fmr.rate.errors or low.fnmr.rate.errors > high.fnmr.rate.errors:
                raise ValueError("along a curve FMR falls and FNMR rises")


@dataclass(frozen=True, slots=True)
class EqualErrorRate:
    """Where FMR and FNMR cross.

    Attributes:
        threshold: The score at which they are closest; the lowest of several.
        value: The mean of both there. They rarely meet exactly; how close they come is in `fmr` and `fnmr`.
    """

    threshold: float
    fmr: Rate
    fnmr: Rate
    value: float


@dataclass(frozen=True, slots=True)
class MatchRateAtFmr:
    """TMR at a fixed FMR: the lowest threshold whose FMR is at most `target_fmr`, and both errors there.

    Attributes:
        point: `None` when the target is finer than one error in all impostor comparisons: nothing can be said of it.
    """

    target_fmr: float
    point: CurvePoint | None


@dataclass(frozen=True, slots=True)
class CalibrationRow:
    """How often two different people reach a score.

    Attributes:
        rate: What was counted.
        fmr_bound: What to use: what another set of as many people is expected to stay under.
    """

    score: float
    rate: Rate
    fmr_bound: float


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many scores fell between edges: counts[i] of them in [edges[i], edges[i + 1])."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.edges) != len(self.counts) + 1 or any(low >= high for low, high in pairwise(self.edges)):
            raise ValueError("a histogram has rising edges, one more than counts")


@dataclass(frozen=True, slots=True)
class GroupRate:
    """A rate of one group."""

    group: str
    subjects: int
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class GroupRates:
    """A rate of every group of a column, in the order of its names."""

    column: str
    rates: tuple[GroupRate, ...]


@dataclass(frozen=True, slots=True)
class GroupMatrix:
    """FMR between groups at one threshold for all: cells[i][j] compares people of group i with people of group j.

    Symmetric, because a comparison has no direction. The diagonal holds impostors of one's own group.
    """

    column: str
    threshold: float
    groups: tuple[str, ...]
    cells: tuple[tuple[Estimate, ...], ...]

    def __post_init__(self) -> None:
        size = len(self.groups)
        if len(self.cells) != size or any(len(row) != size for row in self.cells):
            raise ValueError(f"a matrix of {size} groups has as many rows and columns")
        if any(self.cells[i][j] != self.cells[j][i] for i in range(size) for j in range(i)):
            raise ValueError("a matrix of groups is symmetric")

    def own_group(self, group: str) -> Estimate:
        """FMR among people of `group`."""
        place = self.groups.index(group)
        return self.cells[place][place]


class Standing(StrEnum):
    """Whether a differential has a value."""

    MEASURED = "measured"
    UNBOUNDED = "unbounded"
    """The lowest group has no error and the highest has some: the ratio has no upper end in these data."""
    UNDEFINED = "undefined"
    """Fewer than two groups with trials, or no error in any of them: nothing was compared."""


@dataclass(frozen=True, slots=True)
class Differential:
    """One figure for how unequal groups are.

    Attributes:
        value: `None` exactly unless `standing` is `MEASURED`.
        low: From here, by resampling subjects, two-sided at 95 %. `None` where it wasn't resampled, or where no value
            came of most resamples. A ratio of highest to lowest is never below 1, in a resample either, so an interval
            that leaves 1 out is no proof that groups differ.
        high: To here; `None` where it has no upper end, or there is no `low`.
    """

    value: float | None
    standing: Standing
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if (self.value is not None) != (self.standing is Standing.MEASURED):
            raise ValueError("a differential has a value exactly when it was measured")
        if self.value is not None and not math.isfinite(self.value):
            raise ValueError("a measured differential is finite")
        if self.high is not None and (self.low is None or self.high < self.low):
            raise ValueError("a differential's interval has a low end before its high one")


@dataclass(frozen=True, slots=True)
class Spread:
    """How one rate differs between groups that have trials.

    Attributes:
        highest: The group with the highest rate; the first by name of several. `None`, like `lowest`, where the
            figures are undefined.
        gap: Highest less lowest.
        gini: Gini coefficient with the factor n/(n - 1): 0 for equal rates, 1 if one group has all the errors.
    """

    highest: str | None
    lowest: str | None
    gap: Differential
    max_to_min: Differential
    max_to_geometric_mean: Differential
    gini: Differential


@dataclass(frozen=True, slots=True)
class Differentials:
    """How unequal groups are at one threshold for all; FMR is that within each group.

    Attributes:
        alpha: The weight of FMR beside FNMR in the three combined figures.
        fdr: Fairness discrepancy rate (Pereira and Marcel 2021): 1 is fair.
        garbe: Gini aggregation rate (Howard et al. 2022): 0 is fair.
        inequity_rate: (NISTIR 8429): 1 is fair.
    """

    column: str
    threshold: float
    alpha: float
    fmr: Spread
    fnmr: Spread
    fdr: Differential
    garbe: Differential
    inequity_rate: Differential


@dataclass(frozen=True, slots=True)
class RankRate:
    """Mated searches that miss the mate among the first `rank` candidates, at any score. CMC is the complement."""

    rank: int
    missed: Estimate


@dataclass(frozen=True, slots=True)
class Identification:
    """Errors of one-to-many search in one gallery at one threshold.

    Attributes:
        gallery_faces: Enrolled images.
        gallery_subjects: Enrolled people.
        rank: How many candidates are looked at: FNIR(N, R, T) and FPIR(N, T) of ISO/IEC 19795-1.
        fpir: Searches of people not enrolled that return anybody.
        fnir: Searches of people enrolled that miss them.
        ranks: At the threshold of no score at all.
        fpir_by_group: By the probes' groups; one for each column.
    """

    gallery_faces: int
    gallery_subjects: int
    threshold: float
    rank: int
    fpir: Estimate
    fnir: Estimate
    ranks: tuple[RankRate, ...]
    fpir_by_group: tuple[GroupRates, ...]
    fnir_by_group: tuple[GroupRates, ...]


@dataclass(frozen=True, slots=True)
class TailFit:
    """A generalised Pareto tail of the best scores of searches for people who aren't there.

    Attributes:
        above: The score where the tail begins.
        exceedances: Searches whose best score lies above it; what the fit rests on.
        searches: All of them.
        shape: Negative for a tail with an end, 0 for an exponential one, positive for a heavy one.
        scale: In units of the score.
    """

    above: float
    exceedances: int
    searches: int
    gallery_faces: int
    shape: float
    scale: float


@dataclass(frozen=True, slots=True)
class Extrapolation:
    """An estimate of FPIR in a gallery larger than the data, by extreme-value theory. Not a measurement.

    Attributes:
        gallery_faces: Of the gallery that was not there.
        interval: By resampling the people searched for and fitting anew; it covers the choice of people and the fit,
            and not whether the tail keeps its form.
        fit: `None`, like `fpir` and `interval`, when too few searches reach the tail: insufficient evidence.
    """

    gallery_faces: int
    threshold: float
    fpir: float | None
    interval: Interval | None
    fit: TailFit | None

    label = "extreme-value estimate beyond the data, not a measurement"
