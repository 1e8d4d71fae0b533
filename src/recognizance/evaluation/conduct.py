"""What every run has in common: who conducts it, who is on the pictures, the gate, and the document put together.

Pure but for asking an engine to look for faces. Reads no clock: whoever conducts the run brings it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import metadata

import numpy as np

from recognizance.evaluation.bootstrap import RESAMPLES
from recognizance.evaluation.engines import Acquisition, Engine, EngineIdentity
from recognizance.evaluation.gate import Agreement, Check, Gate, Limit, Measure, judged
from recognizance.evaluation.intervals import estimate_independent
from recognizance.evaluation.labels import Decision
from recognizance.evaluation.measures import Estimate, GroupRate, GroupRates, Rate
from recognizance.evaluation.protocols import Numbers
from recognizance.evaluation.results import (
    DataSet,
    Evaluation,
    Exclusions,
    Findings,
    GroupSize,
    Kind,
    Setting,
    SuspectedLabels,
    VerificationAt,
)
from recognizance.evaluation.results import Engine as EngineDescription
from recognizance.evaluation.samples import UNKNOWN, Samples
from recognizance.evaluation.testset import Progress, TestSet, silent

Step = Callable[[str, int], Progress]
"""Opens a bar of progress with a title and a number of steps."""


def no_step(_title: str, _total: int) -> Progress:
    """Show nothing."""
    return silent


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """Who runs an evaluation, and what is asked of it.

    Attributes:
        name: Of the evaluation, as uses and the ledger will quote it.
        description: Of the set, in the words of whoever runs it.
        operating: The similarity that people will be searched with, or a name of another threshold, `fmr 0.0001`.
        limits: What the rates at the operating threshold may be at most.
        decision: Labels to leave out of a second set of results.
        columns: The group columns to report by; `None` takes all.
        judges_groups: Whether the limits hold for every group too, and not for everybody together only.
        is_recorded: Whether the result goes on the record, which it does with a verdict. Without any limit that is
            insufficient evidence: nothing was shown to hold.
        gallery_faces: The size of the gallery that this operator has or plans.
        now: Tells the moment.
    """

    name: str
    tester: str
    is_independent: bool
    description: str
    seed: int
    operating: str
    now: Callable[[], datetime]
    limits: tuple[Limit, ...] = ()
    decision: Decision | None = None
    columns: tuple[str, ...] | None = None
    judges_groups: bool = True
    is_recorded: bool = False
    gallery_faces: int | None = None
    resamples: int = RESAMPLES
    step: Step = field(default=no_step)


def samples_of(test_set: TestSet, columns: Sequence[str] | None = None) -> Samples:
    """Who is on each picture, in codes.

    Raises:
        InputError: If there is no such group column.
    """
    manifest = test_set.manifest
    _, subjects = np.unique([sample.subject for sample in manifest.samples], return_inverse=True)
    groups = {}
    for column in manifest.group_columns if columns is None else columns:
        values = manifest.groups(column)
        names = tuple(sorted(set(values) - {""}))
        place = {name: code for code, name in enumerate(names)} | {"": UNKNOWN}
        groups[column] = (np.array([place[value] for value in values], dtype=np.int32), names)
    return Samples(subjects.astype(np.int32).reshape(-1), groups)


def acquire(engine: Engine, numbers: Numbers, step: Step) -> Acquisition:
    """Look for a face in each of these pictures."""
    return engine.acquire(numbers, step("finding faces", len(numbers)))


def document(
    test_set: TestSet,
    samples: Samples,
    identity: EngineIdentity,
    conduct: Conduct,
    *,
    kind: Kind,
    protocol: str,
    settings: Iterable[tuple[str, str]],
    suspected_labels: SuspectedLabels | None,
    findings: Findings,
    without_excluded: Findings | None,
    gate: Gate | None,
) -> Evaluation:
    """Put the result document together."""
    return Evaluation(
        evaluation=conduct.name,
        kind=kind,
        completed=conduct.now(),
        tester=conduct.tester,
        is_independent=conduct.is_independent,
        software=f"recognizance {metadata.version('recognizance')}",
        engine=EngineDescription(
            name=identity.name,
            version=identity.version,
            model=identity.model,
            model_digest=identity.model_sha256,
            endpoint=identity.endpoint,
            scale=identity.scale,
        ),
        data=_data(test_set, samples, conduct.description),
        protocol=protocol,
        seed=conduct.seed,
        settings=tuple(Setting(name=name, value=value) for name, value in (*identity.settings, *settings)),
        operating=conduct.operating,
        operator_gallery_faces=conduct.gallery_faces,
        suspected_labels=suspected_labels,
        exclusions=None if conduct.decision is None else _exclusions(conduct.decision),
        findings=findings,
        without_excluded=without_excluded,
        gate=gate,
    )


def _acquisition_by_group(samples: Samples, acquisition: Acquisition, numbers: Numbers) -> tuple[GroupRates, ...]:
    """FTA of each group of each column."""
    found = []
    for column, (codes, names) in samples.groups.items():
        rates = []
        for code, name in enumerate(names):
            mine = numbers[codes[numbers] == code]
            missed = Rate(int((~acquisition.found[mine]).sum()), len(mine))
            rates.append(GroupRate(name, len(np.unique(samples.subjects[mine])), estimate_independent(missed)))
        found.append(GroupRates(column, tuple(rates)))
    return tuple(found)


def acquisition_of(
    samples: Samples, acquisition: Acquisition, numbers: Numbers
) -> tuple[Estimate, tuple[GroupRates, ...]]:
    """FTA of everybody, and of each group of each column."""
    everybody = estimate_independent(Rate(int((~acquisition.found[numbers]).sum()), len(numbers)))
    return everybody, _acquisition_by_group(samples, acquisition, numbers)


def gate_of(findings: Findings, conduct: Conduct, agreements: Iterable[Agreement] = ()) -> Gate | None:
    """Hold the rates at the operating threshold against the limits, for everybody and for every group.

    `None` where nothing was asked for.
    """
    agreed = tuple(agreements)
    if not conduct.limits and not agreed and not conduct.is_recorded:
        return None
    checks = [check for limit in conduct.limits for check in _checks(findings, limit, conduct)]
    return judged([check for check in checks if conduct.judges_groups or check.group is None], agreed)


def _checks(findings: Findings, limit: Limit, conduct: Conduct) -> Iterable[Check]:
    match limit.measure:
        case Measure.FTA:
            yield Check(limit=limit, column=None, group=None, gallery_faces=None, estimate=findings.acquisition)
            yield from _group_checks(limit, findings.acquisition_by_group, None)
        case Measure.FMR | Measure.FNMR:
            for at in () if findings.verification is None else findings.verification.at:
                if at.name == conduct.operating:
                    is_fmr = limit.measure is Measure.FMR
                    overall = at.fmr if is_fmr else at.fnmr
                    yield Check(limit=limit, column=None, group=None, gallery_faces=None, estimate=overall)
                    yield from _group_checks(limit, _fmr_rates(at) if is_fmr else at.fnmr_by_group, None)
        case Measure.FPIR | Measure.FNIR:
            for found in () if findings.searches is None else findings.searches.at:
                if found.name == conduct.operating:
                    is_fpir, here = limit.measure is Measure.FPIR, found.found
                    overall = here.fpir if is_fpir else here.fnir
                    faces = here.gallery_faces
                    yield Check(limit=limit, column=None, group=None, gallery_faces=faces, estimate=overall)
                    yield from _group_checks(limit, here.fpir_by_group if is_fpir else here.fnir_by_group, faces)


def _group_checks(limit: Limit, rates: Iterable[GroupRates], faces: int | None) -> Iterable[Check]:
    for by_column in rates:
        for each in by_column.rates:
            yield Check(
                limit=limit, column=by_column.column, group=each.group, gallery_faces=faces, estimate=each.estimate
            )


def _fmr_rates(at: VerificationAt) -> Iterable[GroupRates]:
    """FMR within each group: subjects are beside the point for a gate."""
    for matrix in at.matrices:
        yield GroupRates(matrix.column, tuple(GroupRate(group, 0, matrix.own_group(group)) for group in matrix.groups))


def _data(test_set: TestSet, samples: Samples, description: str) -> DataSet:
    sizes = [
        GroupSize(
            column=column,
            group=name,
            subjects=len(np.unique(samples.subjects[codes == code])),
            images=int((codes == code).sum()),
        )
        for column, (codes, names) in samples.groups.items()
        for code, name in enumerate(names)
    ]
    return DataSet(
        commitment=test_set.commitment,
        description=description,
        subjects=len(np.unique(samples.subjects)),
        images=len(test_set),
        groups=tuple(sizes),
    )


def _exclusions(decision: Decision) -> Exclusions:
    return Exclusions(
        decided_by=decision.who,
        decided=decision.when,
        reason=decision.why,
        decision_digest=decision.sha256,
        images=len(decision.images),
        pairs=len(decision.pairs) + len(decision.people),
    )
