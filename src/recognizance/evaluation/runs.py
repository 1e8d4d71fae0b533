"""A whole run of one-to-one comparisons: from a test set, an engine and a plan to the result document.

Blocks of scores stream by once, and are counted twice where somebody decided to leave labels out: with every label as
the manifest has it, and without. Everything that the result depends on is in the document: set, engine, plan, seed,
settings, decision. What one-to-many runs share with this is here too.

Reads no clock and asks nobody for permission: whoever calls brings the moment, and an engine that has its permit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from recognizance.errors import InputError
from recognizance.evaluation.bootstrap import SubjectBootstrap
from recognizance.evaluation.conduct import Conduct, acquire, acquisition_of, document, gate_of, samples_of
from recognizance.evaluation.curves import calibration_table, det_curve, equal_errors, match_rates_at, points_at
from recognizance.evaluation.engines import Engine, EngineIdentity
from recognizance.evaluation.groups import differentials, fnmr_by_group, group_matrix
from recognizance.evaluation.labels import Bars, Suspicion, Watch, suspects, write_listing
from recognizance.evaluation.protocols import AllPairs, GivenPairs, Mask, Numbers
from recognizance.evaluation.results import (
    Evaluation,
    Findings,
    GroupCurve,
    Kind,
    Scale,
    SuspectedLabels,
    Verification,
    VerificationAt,
)
from recognizance.evaluation.samples import Samples, ScoreBlock
from recognizance.evaluation.tallies import Comparisons, Tally
from recognizance.evaluation.testset import TestSet, silent

TARGET_FMRS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
SIMILARITIES = (80.0, 95.0, 99.0)
"""What Amazon's software does unless told otherwise, and what Amazon later said police should set: 95, then 99."""
EQUAL_ERRORS = "equal errors"
"""The threshold at which both errors come closest: there is one wherever anything can be compared both ways."""
HISTOGRAM_BINS = 128
_CALIBRATION_STEPS = 200
_IMPOSTOR_BAR = 1e-2


@dataclass(frozen=True, slots=True)
class Run:
    """What a run came to.

    Attributes:
        listing: The file of labels that look wrong. It names people: it stays beside the test set.
    """

    evaluation: Evaluation
    listing: bytes | None


def verify(test_set: TestSet, engine: Engine, plan: AllPairs | GivenPairs, conduct: Conduct) -> Run:
    """Compare one to one, and count.

    Raises:
        InputError: If a threshold or a column is asked for that there isn't.
        UnavailableError: If the engine fails. What it answered is kept; run again.
    """
    samples = samples_of(test_set, conduct.columns)
    numbers = _taking_part(plan, len(test_set))
    acquisition = acquire(engine, numbers, conduct.step)
    counted = _counted(test_set, samples, engine, plan, conduct)
    concluded = counted.everything if counted.allowed is None else counted.allowed
    thresholds = _thresholds(engine, concluded, conduct.operating)
    calibration_from = SubjectBootstrap(concluded, seed=conduct.seed, resamples=conduct.resamples)

    def found(comparisons: Comparisons, numbers: Numbers) -> Findings:
        bootstrap = (
            calibration_from
            if comparisons is concluded
            else SubjectBootstrap(comparisons, seed=conduct.seed, resamples=conduct.resamples)
        )
        everybody, by_group = acquisition_of(samples, acquisition, numbers)
        return Findings(
            acquisition=everybody,
            acquisition_by_group=by_group,
            verification=_verification(engine.identity, comparisons, thresholds, bootstrap),
            searches=None,
        )

    findings = found(counted.everything, numbers)
    without = None
    if counted.allowed is not None and conduct.decision is not None:
        without = found(counted.allowed, numbers[~np.isin(numbers, list(conduct.decision.images))])
    labels, listing = _label_errors(counted.watch, concluded, test_set, engine, samples)
    evaluation = document(
        test_set,
        samples,
        engine.identity,
        conduct,
        kind=Kind.VERIFICATION,
        protocol="one-to-one/1",
        settings=(*_plan_settings(plan), ("resamples", str(conduct.resamples))),
        suspected_labels=labels,
        findings=findings,
        without_excluded=without,
        gate=gate_of(findings if without is None else without, conduct),
    )
    return Run(evaluation, listing)


@dataclass(frozen=True, slots=True)
class _Counted:
    everything: Comparisons
    allowed: Comparisons | None
    watch: Watch


def _counted(
    test_set: TestSet, samples: Samples, engine: Engine, plan: AllPairs | GivenPairs, conduct: Conduct
) -> _Counted:
    """Score every block once, and count it with every label as it is, and without what was decided on."""
    everything, allowed = Tally(samples, scale=engine.identity.ends), None
    rule = None
    if conduct.decision is not None:
        names = sorted({sample.subject for sample in test_set.manifest.samples})
        allowed, rule = Tally(samples, scale=engine.identity.ends), conduct.decision.allows(samples.subjects, names)
    watch = Watch(samples.subjects)
    advance = conduct.step("comparing", plan.comparisons)
    for pairing in plan.blocks():
        scores = engine.scores(pairing.rows, pairing.columns, pairing.compared, advance)
        block = ScoreBlock(scores, pairing.rows, pairing.columns, pairing.compared)
        everything.add(block)
        if rule is None or allowed is None:
            watch.add(block)
            continue
        mask = rule.mask(pairing.rows, pairing.columns)
        mask = mask if pairing.compared is None else mask & pairing.compared
        left_in = ScoreBlock(scores, pairing.rows, pairing.columns, mask)
        allowed.add(left_in)
        watch.add(left_in)
    return _Counted(everything.result(), None if allowed is None else allowed.result(), watch)


def _taking_part(plan: AllPairs | GivenPairs, samples: int) -> Numbers:
    if isinstance(plan, GivenPairs):
        return np.union1d(plan.first, plan.second).astype(np.int32)
    return np.arange(samples, dtype=np.int32)


def _thresholds(engine: Engine, comparisons: Comparisons, operating: str) -> Mapping[str, tuple[float, float | None]]:
    """The thresholds to report at, by name, with the similarity that each stands for where it's known."""
    named: dict[str, tuple[float, float | None]] = {}
    for pct in SIMILARITIES:
        score = engine.score_at_pct(pct)
        if score is not None:
            named[f"{pct:g}"] = (score, pct)
    for found in match_rates_at(comparisons, TARGET_FMRS[1:4]):
        if found.point is not None:
            named[f"fmr {found.target_fmr:g}"] = (found.point.threshold, None)
    default = engine.default_threshold(1) if engine.identity.scale is Scale.OTHER else None
    if default is not None:
        named["default"] = (default, None)
    closest = equal_errors(comparisons) if operating == EQUAL_ERRORS else None
    if closest is not None:
        named[EQUAL_ERRORS] = (closest.threshold, None)
    if operating not in named:
        named[operating] = _asked_for(engine, operating, named)
    return named


def _asked_for(engine: Engine, operating: str, named: Mapping[str, object]) -> tuple[float, float | None]:
    """A threshold that is given as a number: a similarity where the engine knows such, else a score."""
    try:
        value = float(operating)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        known = ", ".join(named) or "none: the set is too small"
        raise InputError(f"there is no threshold {operating!r}; give a number or one of: {known}")
    score = engine.score_at_pct(value) if 0.0 <= value <= 100.0 else None
    low, high = engine.identity.ends
    if score is None and engine.identity.scale is not Scale.OTHER and not low <= value <= high:
        # Without a table a cosine stands for no similarity, and 80 would be a score that nothing reaches.
        raise InputError(
            f"the threshold {value:g} is no score from {low:g} to {high:g}, and no table says what it means"
        )
    return (value, None) if score is None else (score, value)


def _verification(
    identity: EngineIdentity,
    comparisons: Comparisons,
    thresholds: Mapping[str, tuple[float, float | None]],
    bootstrap: SubjectBootstrap,
) -> Verification:
    columns = tuple(comparisons.samples.groups)
    grid = np.linspace(*identity.ends, _CALIBRATION_STEPS + 1)[1:-1]
    return Verification(
        curve=det_curve(comparisons, bootstrap=bootstrap),
        group_curves=tuple(
            GroupCurve(column=column, group=name, curve=det_curve(comparisons, column, code, bootstrap=bootstrap))
            for column in columns
            for code, name in enumerate(comparisons.samples.groups[column][1])
            if comparisons.impostor_trials(column, code, code) and comparisons.mated_of(column, code).any()
        ),
        equal_error=equal_errors(comparisons),
        match_rates=match_rates_at(comparisons, TARGET_FMRS, bootstrap=bootstrap),
        mated=comparisons.mated_histogram(HISTOGRAM_BINS),
        impostors=comparisons.histogram(HISTOGRAM_BINS),
        calibration=calibration_table(comparisons, grid, bootstrap),
        at=tuple(_at(name, score, pct, comparisons, bootstrap) for name, (score, pct) in thresholds.items()),
    )


def _at(
    name: str, score: float, pct: float | None, comparisons: Comparisons, bootstrap: SubjectBootstrap
) -> VerificationAt:
    columns = tuple(comparisons.samples.groups)
    point = points_at(comparisons, np.array([score]), bootstrap=bootstrap)[0]
    return VerificationAt(
        name=name,
        threshold=score,
        similarity_pct=pct,
        fmr=point.fmr,
        fnmr=point.fnmr,
        fnmr_by_group=tuple(fnmr_by_group(comparisons, column, score, bootstrap=bootstrap) for column in columns),
        matrices=tuple(group_matrix(comparisons, column, score, bootstrap=bootstrap) for column in columns),
        differentials=tuple(differentials(comparisons, column, score, bootstrap=bootstrap) for column in columns),
    )


def _label_errors(
    watch: Watch,
    comparisons: Comparisons,
    test_set: TestSet,
    engine: Engine,
    samples: Samples,
) -> tuple[SuspectedLabels | None, bytes | None]:
    """List the labels that look wrong, with what each picture is most like."""
    if not len(comparisons.mated_scores) or not len(comparisons.tail.scores):
        return None, None
    [bar] = match_rates_at(comparisons, (_IMPOSTOR_BAR,))
    # Of fewer than a hundred impostor pairs one in a hundred is none; all of their scores are kept.
    impostor = float(np.median(comparisons.tail.scores)) if bar.point is None else bar.point.threshold
    bars = Bars(mated=float(np.median(comparisons.mated_scores)), impostor=impostor)
    names = np.unique([sample.subject for sample in test_set.manifest.samples])
    nearest = _Nearest(engine, samples.subjects, names, is_local=engine.identity.endpoint is None)
    found = suspects(watch, bars, test_set, nearest)
    listing = write_listing(found, test_set.manifest)
    mated = sum(suspect.kind is Suspicion.LOOKS_IMPOSTOR for suspect in found)
    return (
        SuspectedLabels(
            impostors_that_look_mated=len(found) - mated,
            mated_that_look_impostor=mated,
            listing_digest=sha256(listing).hexdigest(),
        ),
        listing,
    )


class _Nearest:
    """Which subjects a picture is most like on average. Asked only of engines whose scores cost nothing."""

    def __init__(self, engine: Engine, subjects: NDArray[np.int32], names: NDArray[np.str_], *, is_local: bool) -> None:
        self._engine, self._subjects, self._names, self._is_local = engine, subjects, names, is_local
        self._known: dict[int, tuple[tuple[str, float], ...]] = {}

    def __call__(self, number: int) -> Sequence[tuple[str, float]]:
        if not self._is_local:
            return ()
        if number not in self._known:
            everybody = np.arange(len(self._subjects), dtype=np.int32)
            row = self._engine.scores(np.array([number], dtype=np.int32), everybody, None, silent)[0].astype(np.float64)
            counted: Mask = ~np.isnan(row)
            counted[number] = False
            trials = np.bincount(self._subjects[counted], minlength=len(self._names))
            sums = np.bincount(self._subjects[counted], weights=row[counted], minlength=len(self._names))
            means = np.full(len(self._names), -np.inf)
            np.divide(sums, trials, out=means, where=trials > 0)
            best = np.argsort(-means, kind="stable")[: np.count_nonzero(trials)]
            self._known[number] = tuple((str(self._names[code]), float(means[code])) for code in best)
        return self._known[number]


def _plan_settings(plan: AllPairs | GivenPairs) -> tuple[tuple[str, str], ...]:
    if isinstance(plan, AllPairs):
        return (("pairs", "all"),)
    listed = sha256(plan.first.astype("<i4").tobytes() + plan.second.astype("<i4").tobytes()).hexdigest()
    return (("pairs", f"{plan.comparisons} given"), ("pairs digest", listed))
