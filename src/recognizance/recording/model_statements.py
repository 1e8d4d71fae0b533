"""What the ledger is told of models and thresholds: `statements` that need `faces`.

Apart from the others and not part of the folder's front, because pictures take long to load, and most that is recorded
has none.
"""

from recognizance.faces import Calibration, Model, ModelKind
from recognizance.ledger import facts
from recognizance.recording.acts import token
from recognizance.recording.statements import Statement

REFERENCE_PCT = 80.0
"""Rekognition's default similarity, whose score stands for a model's table in the ledger."""

_ROLES = {ModelKind.DETECTOR: facts.ModelRole.DETECTOR, ModelKind.RECOGNISER: facts.ModelRole.RECOGNISER}


def model_statement(model: Model) -> Statement:
    """A model that is in use: which file, from where, under what licence."""
    return f"model {model.kind}", facts.Model(
        model=model.id,
        standing=facts.Standing.ADDED,
        role=_ROLES[model.kind],
        file_digest=model.sha256,
        source=" ".join(model.origin.split()),
        licence=token(model.licence),
    )


def threshold_statement(calibration: Calibration, *, max_fpir: float) -> Statement:
    """What a similarity of 80 means for the model, and how the threshold follows the gallery's size."""
    score = calibration.score_at_pct(REFERENCE_PCT)
    return f"threshold {calibration.model}", facts.ThresholdChange(
        model=calibration.model,
        gallery=None,
        former=None,
        new=score,
        false_match_rate=calibration.false_match_rate(score).bound,
        evaluation=None,
        proposal=None,
        changed_by=None,
        reason=(
            f"The score of similarity {REFERENCE_PCT:g} in the model's measured table. A search raises its threshold"
            f" with the size of the gallery, so that the false positive identification rate stays under {max_fpir:g}."
        ),
    )
