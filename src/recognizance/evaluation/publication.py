"""From a result document to what is published of it: the ledger's fact, and the rates that the gate will judge.

No interval is taken from the document that is narrower than what its own counts allow: whoever writes a document by
hand can leave errors out, which only measuring again can show, but can't make few trials look like many.

Implements docs/evaluation-gate.md, "Publishing an evaluation".
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from recognizance.errors import InputError
from recognizance.evaluation.entry import EVERYBODY, facts_of
from recognizance.evaluation.intervals import no_narrower
from recognizance.evaluation.measures import Estimate, GroupRates
from recognizance.evaluation.reports.views import operating_comparison, operating_search
from recognizance.evaluation.results import Evaluation, IdentificationAt, Scale, VerificationAt, read_evaluation
from recognizance.governance import gate
from recognizance.governance.gate import Bounds, InUse, PublishedEvaluation
from recognizance.governing.evaluations import Evaluations, Measured
from recognizance.governing.registration import Actor
from recognizance.ledger import Receipt


def publish(
    evaluations: Evaluations, document: bytes, *, expires: datetime | None = None, by: Actor
) -> tuple[PublishedEvaluation, Receipt]:
    """Publish a result document.

    Raises:
        DeniedError: If whoever publishes may not.
        InputError: If it is no result document, was made with other settings than this installation's, or wasn't held
            against limits.
        ConflictError: If it was published before.
    """
    evaluations.require_publisher(by)
    measured = measured_in(read_evaluation(document), evaluations.in_use())
    return evaluations.publish(measured, expires=expires, by=by)


def measured_in(evaluation: Evaluation, in_use: InUse) -> Measured:
    """Return what is published of an evaluation.

    Raises:
        InputError: As `publish` does.
    """
    compared = operating_comparison(evaluation, evaluation.concluded)
    searched = operating_search(evaluation, evaluation.concluded)
    if evaluation.setting("max_fpir") not in {None, f"{in_use.max_fpir:g}"}:
        raise InputError(
            f"it was measured with max_fpir = {evaluation.setting('max_fpir')}, and this installation has"
            f" {in_use.max_fpir:g}: measure what runs here"
        )
    score = _accepted_from(evaluation, compared, searched, in_use)
    return Measured(facts_of(evaluation, score=score), _rates(compared, searched), evaluation.completed)


def _accepted_from(
    evaluation: Evaluation, compared: VerificationAt | None, searched: IdentificationAt | None, in_use: InUse
) -> float:
    """The least score that was accepted: a search's threshold rises with the gallery, whatever it was asked for."""
    if searched is not None:
        stated, faces = searched.found.threshold, searched.found.gallery_faces
    elif compared is not None:
        stated, faces = compared.threshold, 0
    else:
        raise InputError("nothing was measured at the operating threshold")
    match evaluation.engine.scale:
        case Scale.COSINE:
            return max(stated, in_use.score_at(0.0, faces))
        case Scale.SIMILARITY_PCT:
            return in_use.score_at(stated, faces)
        case Scale.OTHER:
            raise InputError("scores of another recogniser say nothing about the one that runs here")


def _rates(compared: VerificationAt | None, searched: IdentificationAt | None) -> tuple[gate.GroupRates, ...]:
    found = {EVERYBODY: gate.GroupRates(EVERYBODY)}

    def put(group: str, measure: str, estimate: Estimate) -> None:
        bounds: dict[str, Any] = {measure: _bounds(estimate)}
        found[group] = replace(found.get(group, gate.GroupRates(group)), **bounds)

    def put_all(by_column: Iterable[GroupRates], measure: str) -> None:
        for column in by_column:
            for each in column.rates:
                put(f"{column.column}:{each.group}", measure, each.estimate)

    if compared is not None:
        put(EVERYBODY, "fmr", compared.fmr)
        put(EVERYBODY, "fnmr", compared.fnmr)
        for matrix in compared.matrices:
            for group in matrix.groups:
                put(f"{matrix.column}:{group}", "fmr", matrix.own_group(group))
        put_all(compared.fnmr_by_group, "fnmr")
    if searched is not None:
        put(EVERYBODY, "fpir", searched.found.fpir)
        put(EVERYBODY, "fnir", searched.found.fnir)
        put_all(searched.found.fpir_by_group, "fpir")
        put_all(searched.found.fnir_by_group, "fnir")
    return tuple(found.values())


def _bounds(estimate: Estimate) -> Bounds | None:
    rate = estimate.rate
    if rate.value is None:
        return None
    # Without an interval everything up to certainty is possible.
    low, high = (0.0, 1.0) if estimate.interval is None else (estimate.interval.low, estimate.interval.high)
    interval = no_narrower(low, high, rate, max(estimate.independent.trials, 1))
    return Bounds(rate.errors, rate.trials, min(interval.low, rate.value), max(interval.high, rate.value))
