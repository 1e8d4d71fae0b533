"""From a result document to the gate: what is published is what was measured, and no interval is believed blindly."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from recognizance.errors import ConflictError, DeniedError, InputError
from recognizance.evaluation import measures as m
from recognizance.evaluation import results as r
from recognizance.evaluation.entry import facts_of
from recognizance.evaluation.publication import measured_in, publish
from recognizance.evaluation.results import commitment, write_evaluation
from recognizance.governance.gate import Fitness
from recognizance.governance.oversight import Choice, sha256_hex
from recognizance.governance.parties import UseId
from recognizance.governance.terms import ErrorLimits, EvaluationId, EvaluationReference
from recognizance.governance.uses import UseState
from recognizance.governing.installation import Governing
from recognizance.governing.registration import at_the_machine

from ..contract.police_world import BEGAN, FLOOR_PCT, Clock, Police, governed, take_up, terms
from ..evidence import in_use
from . import result_world

USE = UseId("robberies")


def result(**changes: Any) -> r.Evaluation:
    """A document of searches alone, at the score that a similarity of 85 is among 2,000 faces."""
    found = result_world.searches()
    score = in_use().score_at(FLOOR_PCT, 2_000)
    at = tuple(
        replace(each, found=replace(each.found, threshold=score)) if each.name == "default" else each
        for each in found.at
    )
    said: dict[str, Any] = {
        "findings": result_world.findings(verification=None, searches=replace(found, at=at)),
        "completed": BEGAN - timedelta(days=1),
    }
    return result_world.evaluation(**{**said, **changes})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def governing(tmp_path: Path, clock: Clock) -> Iterator[Governing]:
    with governed(tmp_path / "data", clock) as opened:
        yield opened


@pytest.fixture
def police(governing: Governing) -> Police:
    return take_up(governing)


def propose(governing: Governing, police: Police, clock: Clock, document: r.Evaluation, limits: ErrorLimits) -> None:
    """A use that relies on this document, approved, with its comments over."""
    reference = EvaluationReference(EvaluationId(document.evaluation), sha256_hex(commitment(document)), limits)
    wanted = replace(terms(), evaluation=reference)
    governing.uses.propose(USE, wanted, by=at_the_machine(police.supervisor.id))
    clock.now += timedelta(days=31)
    for overseer in police.overseers[:3]:
        governing.uses.vote(USE, Choice.APPROVE, "weighed", by=at_the_machine(overseer.id))


def test_a_use_becomes_active_when_the_evaluation_it_waited_for_is_published(
    governing: Governing, police: Police, clock: Clock
) -> None:
    """Votes alone don't make it active; a passed evaluation does, in the transaction that publishes it."""
    document = result()
    propose(governing, police, clock, document, ErrorLimits(fpir=0.1, least_true_positives=0.7))
    before = governing.uses.get(USE).use.state
    published, receipt = publish(
        governing.evaluations, write_evaluation(document), by=at_the_machine(police.auditor.id)
    )

    assert (before, governing.uses.get(USE).use.state) == (UseState.APPROVED, UseState.ACTIVE)
    assert published.report_sha256 == commitment(document)
    assert published.expires == document.completed + timedelta(days=365)
    assert receipt.index > 0


def test_a_group_that_fails_keeps_a_use_from_becoming_active_and_is_named(
    governing: Governing, police: Police, clock: Clock
) -> None:
    """4 false positives among 135 women are more than the limit's 2 %, though 7 among all 535 are not."""
    document = result()
    propose(governing, police, clock, document, ErrorLimits(fpir=0.02, least_true_positives=0.7))
    publish(governing.evaluations, write_evaluation(document), by=at_the_machine(police.auditor.id))
    evidence = governing.uses.evidence(USE)

    assert governing.uses.get(USE).use.state is UseState.APPROVED
    assert evidence.fitness is Fitness.FAILED
    assert [each for each in evidence.shortfalls if each.startswith("FPIR of sex:female is 4 of 135, 3.0 %")]


def test_an_active_use_stops_when_its_evaluation_expires(governing: Governing, police: Police, clock: Clock) -> None:
    """The use stays active, and what it relies on no longer allows it from that moment on."""
    document = result()
    propose(governing, police, clock, document, ErrorLimits(fpir=0.1, least_true_positives=0.7))
    ends = clock.now + timedelta(days=10)
    publish(governing.evaluations, write_evaluation(document), expires=ends, by=at_the_machine(police.auditor.id))
    allowed = governing.uses.evidence(USE).fitness
    clock.now = ends

    assert (allowed, governing.uses.evidence(USE).fitness) == (Fitness.PASSED, Fitness.EXPIRED)


def test_only_auditors_publish_and_only_once(governing: Governing, police: Police) -> None:
    """A supervisor, whose use relies on it, may not; and nothing that was published is published again."""
    document = write_evaluation(result())
    with pytest.raises(DeniedError):
        publish(governing.evaluations, document, by=at_the_machine(police.supervisor.id))
    auditor = at_the_machine(police.auditor.id)
    publish(governing.evaluations, document, by=auditor)
    with pytest.raises(ConflictError, match="published before"):
        publish(governing.evaluations, document, by=auditor)
    with pytest.raises(ConflictError, match="under the name"):
        publish(governing.evaluations, write_evaluation(result(seed=8)), by=auditor)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"settings": (r.Setting(name="max_fpir", value="0.5"),)}, "max_fpir = 0.5"),
        ({"gate": None}, "with a verdict"),
        ({"completed": BEGAN - timedelta(days=400)}, "is over"),
        ({"completed": BEGAN + timedelta(days=1)}, "is to come"),
    ],
)
def test_what_does_not_fit_is_not_published(
    governing: Governing, police: Police, changes: dict[str, Any], why: str
) -> None:
    """Other settings than this installation's, no limits, too old, or not measured yet."""
    with pytest.raises(InputError, match=why):
        publish(governing.evaluations, write_evaluation(result(**changes)), by=at_the_machine(police.auditor.id))


def test_what_no_search_here_does_is_not_published() -> None:
    """Counted from the bare score of 80: among 2,000 faces searches accept from a higher one, and miss more people."""
    document = result()
    found = document.findings.searches
    assert found is not None
    bare = tuple(replace(at, found=replace(at.found, threshold=in_use().score_at(80.0, 0))) for at in found.at)
    lax = replace(document, findings=replace(document.findings, searches=replace(found, at=bare)))

    with pytest.raises(InputError, match="a search among 2,000 faces here accepts none below"):
        measured_in(lax, in_use())
    elsewhere = replace(lax, engine=replace(lax.engine, endpoint="faces.example", scale=r.Scale.SIMILARITY_PCT))
    with pytest.raises(InputError, match="accepts none below"):
        measured_in(replace(elsewhere, engine=replace(elsewhere.engine, endpoint=None)), in_use())


def test_an_interval_narrower_than_its_counts_is_not_believed() -> None:
    """Somebody writes 0 to 0 beside 0 of 135 women: the gate is told what 135 trials can show, 2.8 %."""
    narrow = m.Estimate(m.Rate(0, 135), m.Interval(0.0, 0.0, 0.95, m.IntervalMethod.WILSON), m.Rate(0, 135))
    document = result()
    searches = document.findings.searches
    assert searches is not None
    at = tuple(
        replace(
            each,
            found=replace(each.found, fpir_by_group=(m.GroupRates("sex", (m.GroupRate("female", 135, narrow),)),)),
        )
        for each in searches.at
    )
    written = replace(document, findings=replace(document.findings, searches=replace(searches, at=at)))

    [women] = [each for each in measured_in(written, in_use()).rates if each.group == "sex:female"]
    assert women.fpir is not None
    assert round(100 * women.fpir.high, 1) == 2.8


def test_the_ledgers_counts_are_those_that_the_gate_judges() -> None:
    """Whoever has the ledger alone can count again: each rate of each group is there, with its trials."""
    document = result()
    measured = measured_in(document, in_use())
    rates = {each.group: each for each in measured.rates}

    for group in facts_of(document).groups:
        bounds = rates[group.group].fpir
        assert bounds is not None
        assert (group.false_positive_identifications, group.non_mated_searches) == (bounds.errors, bounds.trials)
    assert measured.fact.report_digest == commitment(document)
