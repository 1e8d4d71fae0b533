"""What the ledger is told of models: a statement that needs `faces`. Of thresholds `governing.thresholds` tells it.

Apart from the others and not part of the folder's front, because pictures take long to load, and most that is recorded
has none.
"""

from recognizance.faces import Model, ModelKind
from recognizance.ledger import facts
from recognizance.recording.acts import token
from recognizance.recording.statements import Statement

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
