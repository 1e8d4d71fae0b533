"""Evaluations with our own pipeline are acts on faces: in an installation they need its permit and go on its record.

The result is handed on only after its entry is in a signed checkpoint, like every other result. An evaluation that
failed is on the record too, once faces were looked at. Beside any installation there is no record, as with two pictures
that somebody compares on their own machine.
"""

import re
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

from recognizance.errors import InputError
from recognizance.evaluation.engines import Engine
from recognizance.evaluation.entry import facts_of
from recognizance.evaluation.manifest import Manifest
from recognizance.evaluation.results import Evaluation
from recognizance.evaluation.runs import Run
from recognizance.ledger import Receipt, facts
from recognizance.permits import Action, Permit
from recognizance.recording import EntryDraft, Recorder

_NAMED_IN_THE_LEDGER = re.compile(r"[A-Za-z0-9_.:@/-]{1,100}")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run, and the proof that it is on the record; `None` where there is none."""

    run: Run
    receipt: Receipt | None


def recorded(
    measure: Callable[[], Run], *, permit: Permit, recorder: Recorder | None, score_of: Callable[[Evaluation], float]
) -> Recorded:
    """Measure, and put the result on the record before it goes anywhere.

    Args:
        score_of: The cosine that the operating threshold stands for.

    Raises:
        DeniedError: If the permit doesn't cover measuring.
        UnavailableError: If the log can't be written: then there is no result.
    """
    permit.require(Action.MEASURE)
    with nullcontext() if recorder is None else recorder.attempting(permit, Action.MEASURE):
        run = measure()
        if recorder is None:
            return Recorded(run, None)
        fact = facts_of(run.evaluation, score=score_of(run.evaluation))
        receipt = recorder.record(_saying(fact))
    return Recorded(run, receipt)


def require_recordable(manifest: Manifest, columns: tuple[str, ...] | None) -> None:
    """Refuse groups that a ledger's entry can't name, before hours are spent on measuring them.

    Raises:
        InputError: Names the column, and the group if it's that.
    """
    for column in manifest.group_columns if columns is None else columns:
        for name in sorted({column, *manifest.groups(column)} - {""}):
            if not _NAMED_IN_THE_LEDGER.fullmatch(name):
                raise InputError(
                    f"column {column!r}: the ledger can't name {name!r}; use letters, digits and _ . : @ / - for groups"
                )


def operating_score(engine: Engine, evaluation: Evaluation) -> float:
    """The cosine that an engine's operating threshold stands for, as our own scores have it.

    Raises:
        InputError: If nothing was measured there.
    """
    findings = evaluation.concluded
    for at in () if findings.verification is None else findings.verification.at:
        if at.name == evaluation.operating:
            return _within(engine.cosine(at.threshold))
    for found in () if findings.searches is None else findings.searches.at[::-1]:
        if found.name == evaluation.operating:
            return _within(engine.cosine(found.found.threshold))
    raise InputError("nothing was measured at the operating threshold")


def _within(score: float | None) -> float:
    if score is None:
        raise InputError("the operating threshold isn't known as a cosine, which the ledger holds")
    return min(max(score, -1.0), 1.0)


def _saying(fact: facts.Evaluation) -> Callable[[EntryDraft], facts.Facts]:
    return lambda _entry: fact
