"""Rules for thresholds with their tables: asked for from outside, and laid side by side for those who vote on them.

A table comes from somebody's file, so it is read within limits and refused whole if anything in it isn't a table's.
What a difference says is worked out from the two tables alone: the score that a search or a comparison accepts, and how
often two different people reach it. The new score's rate is given by the table in force as well, because a table's word
on its own scores is what is being voted on. Pure.

Implements docs/evaluation-gate.md, "The rule for thresholds".
"""

from dataclasses import dataclass

from recognizance.errors import CorruptionError, InputError
from recognizance.faces import Calibration, parse_calibration
from recognizance.governing.running import REFERENCE_PCT, StatedRule, ThresholdRule, stated_rule, table_sha256

SIMILARITIES_PCT = (REFERENCE_PCT, 95.0, 99.0)
"""What two pictures are compared at: Rekognition's default, and what its guide asks of harder decisions."""

GALLERY_FACES = (1_000, 100_000, 1_000_000)
"""Sizes of galleries that a search at the default similarity is worked out for."""

MAX_TABLE_CHARACTERS = 200_000
"""Of a table's file; the shipped one has 3,000."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """From which score on something is accepted under one rule.

    Attributes:
        false_match_rate: The bound on the share of pairs of different people that reach it, by this rule's own table.
        is_extrapolated: Whether the table goes beyond what was counted there.
    """

    score: float
    false_match_rate: float
    is_extrapolated: bool


@dataclass(frozen=True, slots=True)
class RuleStep:
    """The same question under both rules.

    Attributes:
        gallery_faces: Of the gallery that is searched; 0 for a comparison of two pictures.
        rate_by_former_table: Of the new score, as the table in force has it; `None` where the model is another one,
            whose scores can't be compared.
    """

    similarity_pct: float
    gallery_faces: int
    before: Accepted
    after: Accepted
    rate_by_former_table: float | None

    @property
    def is_looser(self) -> bool:
        """Whether less resemblance is enough than before; never said of two models."""
        return self.rate_by_former_table is not None and self.after.score < self.before.score

    @property
    def is_stricter(self) -> bool:
        return self.rate_by_former_table is not None and self.after.score > self.before.score


@dataclass(frozen=True, slots=True)
class RuleDifference:
    """Two rules side by side."""

    before: ThresholdRule
    after: ThresholdRule
    steps: tuple[RuleStep, ...]


def asked_rule(present: StatedRule, *, table: str | None, max_fpir: float | None) -> StatedRule:
    """The rule that somebody asks for, with what is in force where they name nothing else.

    Raises:
        InputError: If the text is no table, or one of another model: its files and the settings change with it, so that
            is proposed at the machine.
    """
    calibration = _present(present) if table is None else _read(table)
    if calibration.model != present.rule.model:
        raise InputError(
            f"this is a table of the model {calibration.model}, and {present.rule.model} is in use; another model is"
            " proposed where its files are: `recognizance threshold propose`"
        )
    return stated_rule(calibration, max_fpir=present.rule.max_fpir if max_fpir is None else max_fpir)


def rule_difference(before: StatedRule, after: StatedRule) -> RuleDifference:
    """Lay two rules side by side.

    Raises:
        CorruptionError: If a table isn't the one whose hash its rule has.
    """
    tables = _present(before), _present(after)
    asked = [(similarity, 0) for similarity in SIMILARITIES_PCT]
    asked += [(REFERENCE_PCT, faces) for faces in GALLERY_FACES]
    steps = tuple(_step(before.rule, after.rule, tables, similarity, faces) for similarity, faces in asked)
    return RuleDifference(before.rule, after.rule, steps)


def _step(
    before: ThresholdRule,
    after: ThresholdRule,
    tables: tuple[Calibration, Calibration],
    similarity_pct: float,
    gallery_faces: int,
) -> RuleStep:
    former, new = tables
    then = _accepted(former, before.max_fpir, similarity_pct, gallery_faces)
    now = _accepted(new, after.max_fpir, similarity_pct, gallery_faces)
    by_former = former.false_match_rate(now.score).bound if before.model == after.model else None
    return RuleStep(similarity_pct, gallery_faces, then, now, by_former)


def _accepted(table: Calibration, max_fpir: float, similarity_pct: float, gallery_faces: int) -> Accepted:
    score = table.operating_score(similarity_pct, gallery_size=gallery_faces, max_fpir=max_fpir)
    rate = table.false_match_rate(score)
    return Accepted(score, rate.bound, rate.extrapolated)


def _present(stated: StatedRule) -> Calibration:
    """A kept table, held to the hash that was voted on."""
    table = parse_calibration(stated.table)
    if table_sha256(table) != stated.rule.table_sha256:
        raise CorruptionError(f"the table kept for the rule {stated.rule.sha256} is another one")
    return table


def _read(text: str) -> Calibration:
    if len(text) > MAX_TABLE_CHARACTERS:
        raise InputError(f"the table has {len(text)} characters; the limit is {MAX_TABLE_CHARACTERS}")
    try:
        return parse_calibration(text)
    except (CorruptionError, OverflowError, RecursionError) as error:
        raise InputError("this is no table, such as `recognizance evaluate calibrate` writes it") from error
