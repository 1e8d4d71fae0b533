"""What this installation searches with: model, table of similarities and bound on false positives, as one rule.

The rule is what overseers approve and what an evaluation was published under, so it has one hash. Two installations
with the same rule accept the same scores. Reads no settings and no file; whoever knows them passes them in.

Implements docs/evaluation-gate.md, "The rule for thresholds".
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from recognizance.errors import InputError
from recognizance.governance.codec import write_document
from recognizance.governance.gate import InUse, Running
from recognizance.governance.oversight import Sha256Hex
from recognizance.identifiers import ModelId

if TYPE_CHECKING:
    # Loading it takes longer than most commands that govern do.
    from recognizance.faces import Calibration

REFERENCE_PCT = 80.0
"""Rekognition's default similarity, whose score stands for a model's table in the ledger."""


@dataclass(frozen=True, slots=True)
class ThresholdRule:
    """By which score a search accepts a candidate.

    Attributes:
        table_sha256: Of the model's table of similarities (`table_sha256`).
        max_fpir: What the false positive identification rate may be, by which the threshold rises with the gallery.
    """

    model: ModelId
    table_sha256: Sha256Hex
    max_fpir: float

    def __post_init__(self) -> None:
        if not 0.0 < self.max_fpir <= 1.0:
            raise InputError(f"a bound of {self.max_fpir} on false positives isn't above 0 and at most 1")

    @property
    def sha256(self) -> Sha256Hex:
        return Sha256Hex(hashlib.sha256(write_document(self)).hexdigest())


@dataclass(frozen=True, slots=True)
class StatedRule:
    """A rule with its table whole, so that whoever votes on it can read what they vote on.

    Attributes:
        table: As `table_text` writes it. The rule has its hash.
    """

    rule: ThresholdRule
    table: str


@dataclass(frozen=True, slots=True)
class Starting:
    """The rule that a service is about to search with, and what the ledger says of it if it is new."""

    stated: StatedRule
    reference_score: float
    false_match_rate: float
    reason: str

    @property
    def rule(self) -> ThresholdRule:
        return self.stated.rule


def table_sha256(calibration: "Calibration") -> Sha256Hex:
    """A hash over everything that a table says; how its file is laid out is no part of it."""
    rows = [f"{calibration.model}\n{calibration.pairs}\n{calibration.decades_per_score!r}"]
    rows += [f"{knot.score!r} {knot.errors} {knot.fmr_bound!r}" for knot in calibration.knots]
    return Sha256Hex(hashlib.sha256("\n".join(rows).encode()).hexdigest())


def table_text(calibration: "Calibration") -> str:
    """A table as a file that `recognizance threshold adopt` takes: what its hash is over, and nothing else."""
    knots = ",\n".join(f"  {json.dumps([knot.score, knot.errors, knot.fmr_bound])}" for knot in calibration.knots)
    model, tail = json.dumps(calibration.model), json.dumps(calibration.decades_per_score)
    head = f' "model": {model},\n "pairs": {calibration.pairs},\n "tail": {{"decades_per_score": {tail}}},\n'
    return f'{{\n{head} "knots": [\n{knots}\n ]\n}}\n'


def rule_of(calibration: "Calibration", *, max_fpir: float) -> ThresholdRule:
    return ThresholdRule(calibration.model, table_sha256(calibration), max_fpir)


def stated_rule(calibration: "Calibration", *, max_fpir: float) -> StatedRule:
    return StatedRule(rule_of(calibration, max_fpir=max_fpir), table_text(calibration))


def starting_with(calibration: "Calibration", *, max_fpir: float) -> Starting:
    """The rule that a service is about to search with, and what the ledger says of it if it is new."""
    score = calibration.score_at_pct(REFERENCE_PCT)
    return Starting(
        stated_rule(calibration, max_fpir=max_fpir),
        score,
        calibration.false_match_rate(score).bound,
        f"The score of similarity {REFERENCE_PCT:g} in the model's measured table. A search raises its threshold with"
        f" the size of the gallery, so that the false positive identification rate stays under {max_fpir:g}.",
    )


def in_use_of(calibration: "Calibration", *, max_fpir: float) -> InUse:
    """What is searched with, as the evaluation gate needs it."""

    def score_at(similarity_pct: float, gallery_faces: int) -> float:
        return calibration.operating_score(similarity_pct, gallery_size=gallery_faces, max_fpir=max_fpir)

    return InUse(calibration.model, rule_of(calibration, max_fpir=max_fpir).sha256, max_fpir, score_at)


def running_with(load: "Callable[[], Calibration | None]", *, max_fpir: float) -> Running:
    """Load the table when somebody first needs it, and once; `None` where the model has none."""

    @cache
    def running() -> InUse | None:
        calibration = load()
        return None if calibration is None else in_use_of(calibration, max_fpir=max_fpir)

    return running
