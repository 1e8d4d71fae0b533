"""The evaluation gate: whether a measurement of error rates still allows a use, and if not, for whom and by how much.

A use names one published evaluation, by the commitment to its result, and the limits that overseers voted on. It is
held against them for every group, by the worse end of the group's interval: nothing is on average, and a group that was
measured too little doesn't pass. The measurement has to be in date, of the model that runs now, at the threshold that
the use searches with, under the rule for thresholds that is in force, and in a gallery no smaller than the use's.
Any of these can cease to hold while a use is active; the policies ask at each request.

Never averages, never guesses a rate that wasn't measured, never reads a clock. Pure. Implements
`docs/evaluation-gate.md`; the default of 98 % is Virginia Code 15.2-1723.2's.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from recognizance.errors import InputError
from recognizance.governance.oversight import Sha256Hex, sha256_hex
from recognizance.governance.terms import ErrorLimits, EvaluationId, EvaluationReference
from recognizance.identifiers import ModelId

LASTS = timedelta(days=365)
"""How long an evaluation counts from its completion, at most; a bound of ours. A publisher may set an earlier end."""

SAME_SCORE = 1e-3
"""Scores closer than this are one threshold: a picture more or less in the gallery moves it by less."""

LEAST_GROUPS = 2
"""With fewer, nothing was said about groups."""

_SEPARATOR = ":"
_MOST_NAMED = 3


class Fitness(StrEnum):
    """What a use's evaluation comes to at a moment: what policies are told."""

    NONE = "none"
    """The use names no evaluation."""
    PASSED = "passed"
    FAILED = "failed"
    """A group's measured rate is beyond its limit."""
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"
    """A rate is within its limit, and its interval isn't; or a group wasn't measured."""
    UNPUBLISHED = "unpublished"
    EXPIRED = "expired"
    OTHER_MODEL = "other_model"
    OTHER_THRESHOLD = "other_threshold"
    """It measured another score than the use's threshold is now, or the rule for thresholds has changed since."""
    OUTGROWN = "outgrown"
    """The gallery has more faces than the one that was measured."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """One error rate of one group: its counts, and the ends of its interval at 95 %.

    Raises:
        InputError: If it is no rate, or the rate isn't within its interval.
    """

    errors: int
    trials: int
    low: float
    high: float

    def __post_init__(self) -> None:
        if not (0 <= self.errors <= self.trials and self.trials > 0):
            raise InputError(f"{self.errors} errors in {self.trials} trials are no rate")
        if not 0.0 <= self.low <= self.errors / self.trials <= self.high <= 1.0:
            raise InputError(f"the rate {self.errors}/{self.trials} isn't within {self.low} to {self.high}")

    @property
    def rate(self) -> float:
        return self.errors / self.trials


@dataclass(frozen=True, slots=True)
class GroupRates:
    """The rates of one group at the operating threshold; `None` for what wasn't tried.

    Attributes:
        group: Column and group of the manifest, as `sex:female`; `everybody` for all together.
    """

    group: str
    fmr: Bounds | None = None
    fnmr: Bounds | None = None
    fpir: Bounds | None = None
    fnir: Bounds | None = None

    @property
    def is_group(self) -> bool:
        return _SEPARATOR in self.group


@dataclass(frozen=True, slots=True)
class PublishedEvaluation:
    """An evaluation on the record, as far as the gate needs it.

    Attributes:
        report_sha256: The commitment: the SHA-256 of the result document.
        threshold: The score that was accepted at the least; a cosine.
        gallery_faces: Of the gallery that was searched; `None` where pictures were compared with each other only.
        rule_sha256: Of the rule for thresholds that was in force when it was published (`InUse.rule_sha256`).
        expires: From when it no longer counts.
        entry: The ledger's entry.
    """

    id: EvaluationId
    report_sha256: Sha256Hex
    model: ModelId
    threshold: float
    gallery_faces: int | None
    rates: tuple[GroupRates, ...]
    tester: str
    is_independent: bool
    rule_sha256: Sha256Hex
    completed: datetime
    published: datetime
    expires: datetime
    entry: str = ""

    def __post_init__(self) -> None:
        sha256_hex(self.report_sha256)
        sha256_hex(self.rule_sha256)
        if not self.completed < self.expires <= self.completed + LASTS:
            raise InputError(f"an evaluation counts for {LASTS.days} days from its completion at the most")
        if len({each.group for each in self.rates}) != len(self.rates):
            raise InputError("an evaluation has the rates of each group once")


@dataclass(frozen=True, slots=True)
class InUse:
    """What this installation searches with at this moment.

    Attributes:
        rule_sha256: Of model, table of similarities and bound on false positives together.
        max_fpir: That bound.
        score_at: The least score that a search at a similarity accepts, in a gallery of so many faces; 0 faces stand
            for a comparison of two pictures.
    """

    model: ModelId
    rule_sha256: Sha256Hex
    max_fpir: float
    score_at: Callable[[float, int], float]


Running = Callable[[], InUse | None]
"""Looks up what this installation searches with, which takes as long as loading its table does."""


def nothing_runs() -> InUse | None:
    """Nothing is known to run, so that no evaluation fits."""
    return None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the gate found, and in plain words what is wrong: each group that doesn't pass, with its figures."""

    fitness: Fitness
    shortfalls: tuple[str, ...] = ()

    @property
    def allows(self) -> bool:
        """Whether nothing stands in the way of a use that this is the evidence of."""
        return self.fitness in {Fitness.PASSED, Fitness.NONE}


NOTHING_NAMED = Evidence(Fitness.NONE)


def assess(
    reference: EvaluationReference | None,
    published: PublishedEvaluation | None,
    in_use: InUse | None,
    *,
    floor_pct: float,
    searches: bool,
    gallery_faces: int,
    now: datetime,
) -> Evidence:
    """Hold a use's evaluation against its limits and against what runs now.

    Args:
        published: What was published under the commitment that `reference` names; `None` if nothing was.
        in_use: `None` where nobody knows, which no evaluation fits.
        floor_pct: The lowest similarity that the use may ask for.
        searches: Whether the use searches a gallery; otherwise it compares pictures with each other.
        gallery_faces: Of the use's gallery now.
    """
    if reference is None:
        return NOTHING_NAMED
    if published is None or published.report_sha256 != reference.report_sha256:
        return Evidence(
            Fitness.UNPUBLISHED, (f"no evaluation with the commitment {reference.report_sha256} is published",)
        )
    if now >= published.expires:
        return Evidence(
            Fitness.EXPIRED, (f"the evaluation {published.id} expired on {published.expires:%Y-%m-%d %H:%M} UTC",)
        )
    for fitness, problem in _unlike_now(published, in_use, floor_pct, gallery_faces, searches=searches):
        return Evidence(fitness, (problem,))
    return _judged(published, reference.limits, searches=searches)


def _unlike_now(
    published: PublishedEvaluation, in_use: InUse | None, floor_pct: float, faces: int, *, searches: bool
) -> Iterator[tuple[Fitness, str]]:
    """Yield where what was measured isn't what runs."""
    if in_use is None or in_use.model != published.model:
        runs = "an unknown model" if in_use is None else in_use.model
        yield Fitness.OTHER_MODEL, f"{published.model} was measured, and {runs} runs"
        return
    if in_use.rule_sha256 != published.rule_sha256:
        yield Fitness.OTHER_THRESHOLD, f"the rule for thresholds has changed since {published.id} was published"
    if searches and published.gallery_faces is None:
        yield Fitness.INSUFFICIENT_EVIDENCE, "no search was measured, and the use searches"
        return
    measured_faces = published.gallery_faces if searches and published.gallery_faces is not None else 0
    score = in_use.score_at(floor_pct, measured_faces)
    if abs(score - published.threshold) > SAME_SCORE:
        now = f"{floor_pct:g} is a score of {score:.4f} in a gallery of {measured_faces} faces"
        measured = f"a score of {published.threshold:.4f} was measured"
        yield Fitness.OTHER_THRESHOLD, f"{measured}; the use's similarity of {now}"
    if searches and faces > measured_faces:
        yield Fitness.OUTGROWN, f"{measured_faces} faces were searched, and the gallery has {faces}"


def _judged(published: PublishedEvaluation, limits: ErrorLimits, *, searches: bool) -> Evidence:
    failed: list[str] = []
    unproven: list[str] = []
    if sum(each.is_group for each in published.rates) < LEAST_GROUPS:
        unproven.append("the rates of groups weren't measured")
    for rates in published.rates:
        for name, bounds, at_most in _limited(rates, limits, searches=searches):
            # Names group and figures, so that whoever is refused knows for whom it errs too often.
            if bounds is None:
                unproven.append(f"{name} of {rates.group} wasn't measured")
            elif bounds.rate > at_most:
                figures = _figures(bounds, at_most)
                failed.append(f"{name} of {rates.group} is {figures}; at most {_percent(at_most)} is allowed")
            elif bounds.high > at_most:
                unproven.append(
                    f"{name} of {rates.group} is {_figures(bounds, at_most)}, which doesn't show {_percent(at_most)}"
                    " or less"
                )
    if failed:
        return Evidence(Fitness.FAILED, tuple(failed))
    return Evidence(Fitness.INSUFFICIENT_EVIDENCE, tuple(unproven)) if unproven else Evidence(Fitness.PASSED)


def _limited(rates: GroupRates, limits: ErrorLimits, *, searches: bool) -> Iterator[tuple[str, Bounds | None, float]]:
    """Yield each rate that is limited, with its limit. True positives are what isn't a false negative."""
    # 1 - 0.98 is a little less than 0.02, and a rate of exactly 2 % keeps to 98 %.
    most_missed = round(1.0 - limits.least_true_positives, 12)
    if searches:
        yield "FNIR", rates.fnir, most_missed
    else:
        yield "FNMR", rates.fnmr, most_missed
    if limits.fmr is not None:
        yield "FMR", rates.fmr, limits.fmr
    if limits.fpir is not None:
        yield "FPIR", rates.fpir, limits.fpir


def _figures(bounds: Bounds, at_most: float) -> str:
    interval = f"{_percent(bounds.low)} to {_percent(bounds.high, at_most)}"
    return f"{bounds.errors} of {bounds.trials}, {_percent(bounds.rate, at_most)} ({interval})"


def _percent(rate: float, limit: float | None = None) -> str:
    """Two significant digits, however rare; more beside a limit that the rate isn't, and would read as.

    >>> _percent(0.0213), _percent(0.000012), _percent(0.0), _percent(1.0)
    ('2.1 %', '0.0012 %', '0 %', '100 %')
    >>> _percent(2 / 193, 0.01), _percent(0.01, 0.01)
    ('1.04 %', '1.0 %')
    """
    if rate in {0.0, 1.0}:
        return f"{100 * rate:.0f} %"
    digits = 1
    while digits < 12 and round(100 * rate, digits) != float(f"{100 * rate:.2g}"):
        digits += 1
    while (
        limit not in {None, rate} and digits < 12 and f"{100 * rate:.{digits}f}" == f"{100 * (limit or 0):.{digits}f}"
    ):
        digits += 1
    return f"{100 * rate:.{digits}f} %"


def in_words(evidence: Evidence, *, most: int = _MOST_NAMED) -> str:
    """The shortfalls in one line, the first few of many.

    >>> in_words(Evidence(Fitness.FAILED, ("a", "b", "c", "d")))
    'a; b; c; and 1 more'
    """
    named = "; ".join(evidence.shortfalls[:most])
    more = len(evidence.shortfalls) - most
    return f"{named}; and {more} more" if more > 0 else named
