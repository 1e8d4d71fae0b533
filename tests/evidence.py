"""A published evaluation that allows the tests' uses, and what it is held against: the shipped model and its table."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from recognizance.config import Settings
from recognizance.documents import Kind, inserted
from recognizance.evaluation.entry import group_result
from recognizance.evaluation.gate import Measure
from recognizance.evaluation.measures import Rate
from recognizance.faces import ModelStore, load_calibration
from recognizance.governance.gate import (
    Bounds,
    Evidence,
    Fitness,
    GroupRates,
    InUse,
    PublishedEvaluation,
    Running,
)
from recognizance.governance.oversight import Sha256Hex
from recognizance.governance.terms import ErrorLimits, EvaluationId, EvaluationReference
from recognizance.governing.evaluations import Measured
from recognizance.governing.running import in_use_of
from recognizance.ledger import facts
from recognizance.records import Transaction

PASSED = Evidence(Fitness.PASSED)
COMMITMENT = Sha256Hex("1e" * 32)
LIMITS = ErrorLimits(fpir=0.01, least_true_positives=0.98)
REFERENCE = EvaluationReference(EvaluationId("lab-2026"), COMMITMENT, LIMITS)
FACES = 25_000
"""Of the gallery that was measured; no test's is larger."""


@cache
def in_use() -> InUse:
    """What an installation with default settings searches with."""
    settings = Settings()
    return in_use_of(load_calibration(ModelStore(None).model(settings.recogniser).id), max_fpir=settings.max_fpir)


def running() -> Running:
    return in_use


def bounds(errors: int, trials: int) -> Bounds:
    """A rate with an interval of its own: half to double, and never without room above it."""
    rate = errors / trials
    return Bounds(errors, trials, rate / 2, min(1.0, 2 * rate + 3 / trials))


def rates(group: str, **changes: Any) -> GroupRates:
    """Rates that meet `LIMITS` with room to spare."""
    good = GroupRates(
        group,
        fmr=bounds(10, 1_000_000),
        fnmr=bounds(20, 10_000),
        fpir=bounds(20, 10_000),
        fnir=bounds(50, 10_000),
    )
    return replace(good, **changes)


GOOD_RATES = (rates("everybody"), rates("sex:female"), rates("sex:male"))


def published(floor_pct: float, now: datetime, **changes: Any) -> PublishedEvaluation:
    """An evaluation that allows a use with this floor, published yesterday."""
    good = PublishedEvaluation(
        id=REFERENCE.evaluation,
        report_sha256=COMMITMENT,
        model=in_use().model,
        threshold=in_use().score_at(floor_pct, FACES),
        gallery_faces=FACES,
        rates=GOOD_RATES,
        tester="a laboratory",
        is_independent=True,
        rule_sha256=in_use().rule_sha256,
        completed=now - timedelta(days=2),
        published=now - timedelta(days=1),
        expires=now + timedelta(days=300),
    )
    return replace(good, **changes)


def insert_published(transaction: Transaction, evaluation: PublishedEvaluation) -> None:
    inserted(transaction, Kind.EVALUATION, evaluation.report_sha256, evaluation)


def measured(floor_pct: float, completed: datetime) -> Measured:
    """As `published`, before it is."""
    counts = {
        Measure.FMR: Rate(10, 1_000_000),
        Measure.FNMR: Rate(20, 10_000),
        Measure.FPIR: Rate(20, 10_000),
        Measure.FNIR: Rate(50, 10_000),
    }
    fact = facts.Evaluation(
        evaluation=REFERENCE.evaluation,
        model=in_use().model,
        tester="a laboratory",
        is_independent=True,
        protocol="one-to-many/1",
        data_digest="da" * 32,
        report_digest=COMMITMENT,
        seed=1,
        threshold=in_use().score_at(floor_pct, FACES),
        groups=tuple(group_result(each.group, counts) for each in GOOD_RATES),
        verdict=facts.Verdict.PASSED,
        gallery_faces=FACES,
    )
    return Measured(fact, GOOD_RATES, completed)
