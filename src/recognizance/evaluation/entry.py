"""What the ledger says about an evaluation: counts of each group at the operating threshold, and the commitments.

The ledger's fact holds no rate and no interval, since both follow from counts, and no curve: whoever wants more has the
result document, to whose bytes the fact commits. Only what was held against limits goes on the record: a verdict is
what uses ask for.

Pure. Implements docs/evaluation-reports.md, "On the record".
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from recognizance.errors import InputError
from recognizance.evaluation.gate import Measure
from recognizance.evaluation.measures import Estimate, GroupRates, Rate
from recognizance.evaluation.reports.views import operating_comparison, operating_search
from recognizance.evaluation.results import Evaluation, IdentificationAt, Scale, VerificationAt, commitment
from recognizance.ledger import facts

EVERYBODY = "everybody"
"""The only group of data whose manifest names none."""
_NOTHING = Rate(0, 0)


def facts_of(
    evaluation: Evaluation, *, score: float | None = None, expires: datetime | None = None
) -> facts.Evaluation:
    """Return the fact.

    Args:
        score: The operating threshold as a cosine, for an engine whose scores are on another scale.
        expires: From when no use may rely on it.

    Raises:
        InputError: If it wasn't held against limits, its threshold isn't known as a cosine, or a model or group has a
            name that a ledger entry can't hold.
    """
    if evaluation.gate is None:
        raise InputError("an evaluation goes on the record with a verdict: state the limits that it is held against")
    findings = evaluation.concluded
    compared, searched = operating_comparison(evaluation, findings), operating_search(evaluation, findings)
    return facts.Evaluation(
        evaluation=evaluation.evaluation,
        model=evaluation.engine.model,
        tester=evaluation.tester,
        is_independent=evaluation.is_independent,
        protocol=evaluation.protocol,
        data_digest=evaluation.data.commitment,
        report_digest=commitment(evaluation),
        seed=evaluation.seed,
        threshold=_cosine(evaluation, compared, searched) if score is None else score,
        groups=tuple(_groups(compared, searched)),
        verdict=facts.Verdict(evaluation.gate.verdict.value),
        gallery_faces=None if searched is None else searched.found.gallery_faces,
        expires=expires,
    )


def _cosine(evaluation: Evaluation, compared: VerificationAt | None, searched: IdentificationAt | None) -> float:
    if evaluation.engine.scale is not Scale.COSINE:
        raise InputError(
            "the ledger holds thresholds as cosines: state the one that this engine's threshold stands for"
        )
    if searched is not None:
        return searched.found.threshold
    if compared is None:
        raise InputError("nothing was measured at the operating threshold")
    return compared.threshold


def rates_of(
    compared: VerificationAt | None, searched: IdentificationAt | None
) -> Mapping[str, Mapping[Measure, Estimate]]:
    """The rates at the operating threshold: of everybody, and of each group under `column:group`."""
    found: dict[str, dict[Measure, Estimate]] = {EVERYBODY: {}}

    def put(group: str, measure: Measure, estimate: Estimate) -> None:
        found.setdefault(group, {})[measure] = estimate

    def put_all(by_column: Iterable[GroupRates], measure: Measure) -> None:
        for column in by_column:
            for each in column.rates:
                put(f"{column.column}:{each.group}", measure, each.estimate)

    if compared is not None:
        put(EVERYBODY, Measure.FMR, compared.fmr)
        put(EVERYBODY, Measure.FNMR, compared.fnmr)
        for matrix in compared.matrices:
            for group in matrix.groups:
                put(f"{matrix.column}:{group}", Measure.FMR, matrix.own_group(group))
        put_all(compared.fnmr_by_group, Measure.FNMR)
    if searched is not None:
        put(EVERYBODY, Measure.FPIR, searched.found.fpir)
        put(EVERYBODY, Measure.FNIR, searched.found.fnir)
        put_all(searched.found.fpir_by_group, Measure.FPIR)
        put_all(searched.found.fnir_by_group, Measure.FNIR)
    return found


def group_result(group: str, rates: Mapping[Measure, Rate]) -> facts.GroupResult:
    """The counts of a group; where a rate isn't given, nothing was tried."""
    fmr, fnmr, fpir, fnir = (
        rates.get(measure, _NOTHING) for measure in (Measure.FMR, Measure.FNMR, Measure.FPIR, Measure.FNIR)
    )
    return facts.GroupResult(
        group=group,
        impostor_comparisons=fmr.trials,
        false_matches=fmr.errors,
        mated_comparisons=fnmr.trials,
        false_non_matches=fnmr.errors,
        non_mated_searches=fpir.trials,
        false_positive_identifications=fpir.errors,
        mated_searches=fnir.trials,
        false_negative_identifications=fnir.errors,
    )


def _groups(compared: VerificationAt | None, searched: IdentificationAt | None) -> Iterator[facts.GroupResult]:
    """Yield the counts of each group of each column; of everybody where the data name no groups."""
    rates = rates_of(compared, searched)
    for group, estimates in rates.items():
        if group != EVERYBODY or len(rates) == 1:
            yield group_result(group, {measure: each.rate for measure, each in estimates.items()})
