"""From a result document to what is published of it: the ledger's fact, and the rates that the gate will judge.

No interval is taken from the document that is narrower than what its own counts allow: whoever writes a document by
hand can leave errors out, which only measuring again can show, but can't make few trials look like many.

The document itself, and the decision that set labels aside if its publisher gives that too, are kept as files, from
which the public pages make reports. A file is shown only with the hash that the record leads to: the ledger's fact
commits to the result, and the result to the decision.

Implements docs/evaluation-gate.md, "Publishing an evaluation", and decision 0047.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from recognizance.errors import InputError
from recognizance.evaluation.entry import facts_of, rates_of
from recognizance.evaluation.gate import Measure
from recognizance.evaluation.intervals import no_narrower
from recognizance.evaluation.labels import decision_digest
from recognizance.evaluation.measures import Estimate
from recognizance.evaluation.reports.views import operating_comparison, operating_search
from recognizance.evaluation.results import Evaluation, IdentificationAt, Scale, VerificationAt, read_evaluation
from recognizance.governance import gate
from recognizance.governance.gate import Bounds, InUse, PublishedEvaluation
from recognizance.governing.evaluations import Evaluations, Measured
from recognizance.governing.published_results import Form, PublishedResults
from recognizance.governing.registration import Actor
from recognizance.ledger import Receipt


def publish(
    evaluations: Evaluations,
    document: bytes,
    *,
    decision: bytes | None = None,
    expires: datetime | None = None,
    by: Actor,
) -> tuple[PublishedEvaluation, Receipt]:
    """Publish a result document.

    Args:
        decision: The file that set labels aside, for everybody to read; it may name people.

    Raises:
        DeniedError: If whoever publishes may not.
        InputError: If it is no result document, was made with other settings than this installation's, at a threshold
            that no search here has, or wasn't held against limits; or the decision isn't the one that it names.
        ConflictError: If it was published before.
        UnavailableError: If the files can't be kept: then nothing is published.
    """
    evaluations.require_publisher(by)
    evaluation = read_evaluation(document)
    measured = measured_in(evaluation, evaluations.in_use())
    if decision is not None:
        require_decision(evaluation, decision)
    # Files first: what is on the record can then be read. Those of a refused publication are found by nothing.
    evaluations.results.keep(sha256(document).hexdigest(), Form.RESULT, document)
    if decision is not None and evaluation.exclusions is not None:
        evaluations.results.keep(evaluation.exclusions.decision_digest, Form.DECISION, decision)
    return evaluations.publish(measured, expires=expires, by=by)


def require_decision(evaluation: Evaluation, decision: bytes) -> None:
    """Refuse a decision file that isn't the one by which labels were set aside in this evaluation.

    Raises:
        InputError: If it is another, or the evaluation names none.
    """
    if evaluation.exclusions is None:
        raise InputError("no label was set aside in this evaluation: there is no decision to go with it")
    if decision_digest(decision, evaluation.data.commitment) != evaluation.exclusions.decision_digest:
        raise InputError(f"the decision isn't the one that the result names, {evaluation.exclusions.decision_digest}")


def shown_result(results: PublishedResults, name: str, digest: str) -> bytes | None:
    """The result document of an evaluation, if a file has the hash that the ledger has; `None` otherwise.

    Args:
        name: Of the evaluation; a file of that name may have been put there by hand.
    """
    for data in (results.found(digest, Form.RESULT), results.placed(name)):
        if data is not None and sha256(data).hexdigest() == digest:
            return data
    return None


def shown_decision(results: PublishedResults, evaluation: Evaluation) -> bytes | None:
    """The decision by which labels were set aside, if it was published and is the one that the result names."""
    if evaluation.exclusions is None:
        return None
    digest = evaluation.exclusions.decision_digest
    data = results.found(digest, Form.DECISION)
    return data if data is not None and decision_digest(data, evaluation.data.commitment) == digest else None


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
        _require_as_searched(evaluation, stated, in_use, faces)
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


def _require_as_searched(evaluation: Evaluation, stated: float, in_use: InUse, faces: int) -> None:
    """Refuse what was counted at a score that no search here accepts: it would miss fewer people than searches do.

    An endpoint's candidates came through its own threshold, whatever was asked for.
    """
    if evaluation.engine.endpoint is not None or evaluation.engine.scale is Scale.OTHER:
        return
    counted = stated if evaluation.engine.scale is Scale.COSINE else in_use.score_at(stated, 0)
    least = in_use.score_at(0.0, faces)
    if counted < least - gate.SAME_SCORE:
        raise InputError(
            f"it was counted from a score of {counted:.4f}, and a search among {faces:,} faces here accepts none below"
            f" {least:.4f}: measure again with --threshold default, or with the similarity of the use as a number"
        )


def _rates(compared: VerificationAt | None, searched: IdentificationAt | None) -> tuple[gate.GroupRates, ...]:
    def bounds(group: str, estimates: Mapping[Measure, Estimate]) -> gate.GroupRates:
        fmr, fnmr, fpir, fnir = (
            _bounds(estimates[measure]) if measure in estimates else None
            for measure in (Measure.FMR, Measure.FNMR, Measure.FPIR, Measure.FNIR)
        )
        return gate.GroupRates(group, fmr=fmr, fnmr=fnmr, fpir=fpir, fnir=fnir)

    return tuple(bounds(group, estimates) for group, estimates in rates_of(compared, searched).items())


def _bounds(estimate: Estimate) -> Bounds | None:
    rate = estimate.rate
    if rate.value is None:
        return None
    # Without an interval everything up to certainty is possible.
    low, high = (0.0, 1.0) if estimate.interval is None else (estimate.interval.low, estimate.interval.high)
    interval = no_narrower(low, high, rate, max(estimate.independent.trials, 1))
    return Bounds(rate.errors, rate.trials, min(interval.low, rate.value), max(interval.high, rate.value))
