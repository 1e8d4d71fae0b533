"""What the ledger says about an evaluation: counts of each group at the operating threshold, and the commitments.

The ledger's fact holds no rate and no interval, since both follow from counts, and no curve: whoever wants more has the
result document, to whose bytes the fact commits. Only what was held against limits goes on the record: a verdict is
what uses ask for.

Pure. Implements docs/evaluation-reports.md, "On the record".
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from recognizance.errors import InputError
from recognizance.evaluation.measures import GroupRates, Rate
from recognizance.evaluation.reports.views import operating_comparison, operating_search
from recognizance.evaluation.results import Evaluation, IdentificationAt, Scale, VerificationAt, commitment
from recognizance.ledger import facts

EVERYBODY = "everybody"
"""The only group of data whose manifest names none."""


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


def _groups(compared: VerificationAt | None, searched: IdentificationAt | None) -> Iterable[facts.GroupResult]:
    """Return the counts of each group of each column; of everybody where the data name no groups."""
    found: dict[str, facts.GroupResult] = {}

    def count(by_column: Iterable[GroupRates], trials: str, errors: str) -> None:
        for column in by_column:
            for each in column.rates:
                name = f"{column.column}:{each.group}"
                found[name] = _with(found.get(name, _nothing(name)), each.estimate.rate, trials, errors)

    if compared is not None:
        for matrix in compared.matrices:
            for group in matrix.groups:
                name, rate = f"{matrix.column}:{group}", matrix.own_group(group).rate
                found[name] = _with(_nothing(name), rate, "impostor_comparisons", "false_matches")
        count(compared.fnmr_by_group, "mated_comparisons", "false_non_matches")
    if searched is not None:
        count(searched.found.fpir_by_group, "non_mated_searches", "false_positive_identifications")
        count(searched.found.fnir_by_group, "mated_searches", "false_negative_identifications")
    return found.values() or [_everybody(compared, searched)]


def _everybody(compared: VerificationAt | None, searched: IdentificationAt | None) -> facts.GroupResult:
    result = _nothing(EVERYBODY)
    if compared is not None:
        result = _with(result, compared.fmr.rate, "impostor_comparisons", "false_matches")
        result = _with(result, compared.fnmr.rate, "mated_comparisons", "false_non_matches")
    if searched is not None:
        result = _with(result, searched.found.fpir.rate, "non_mated_searches", "false_positive_identifications")
        result = _with(result, searched.found.fnir.rate, "mated_searches", "false_negative_identifications")
    return result


def _with(result: facts.GroupResult, rate: Rate, trials: str, errors: str) -> facts.GroupResult:
    counted: dict[str, Any] = {trials: rate.trials, errors: rate.errors}
    return replace(result, **counted)


def _nothing(group: str) -> facts.GroupResult:
    return facts.GroupResult(
        group=group,
        impostor_comparisons=0,
        false_matches=0,
        mated_comparisons=0,
        false_non_matches=0,
        non_mated_searches=0,
        false_positive_identifications=0,
        mated_searches=0,
        false_negative_identifications=0,
    )
