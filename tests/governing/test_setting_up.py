"""The page that says how to set up: its example of terms is complete, and becomes a use that may be searched under."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from recognizance.governance.codec import parse_document, write_document
from recognizance.governance.gate import Fitness
from recognizance.governance.oversight import Choice
from recognizance.governance.parties import Role
from recognizance.governance.profiles import PROFILES, ProfileName
from recognizance.governance.terms import UseTerms
from recognizance.governance.uses import UseState
from recognizance.governing.registration import at_the_machine
from recognizance.ledger import JsonValue

from ..contract.police_world import USE, Clock, governed, take_up
from ..evidence import COMMITMENT

PAGE = (Path(__file__).parents[2] / "docs" / "governance.md").read_text(encoding="utf-8")
SETTING_UP = PAGE.partition("## Setting up\n")[2].partition("\n## ")[0]
POLICE = PROFILES[ProfileName.LAW_ENFORCEMENT]


def example() -> dict[str, JsonValue]:
    """The page's `terms.json`."""
    [written] = re.findall(r"```json\n(.*?)```", SETTING_UP, re.DOTALL)
    parsed: dict[str, JsonValue] = json.loads(written)
    return parsed


def test_the_example_has_exactly_the_fields_of_terms() -> None:
    """Nothing is left out, not even what may be; what is read is what is written."""
    terms = parse_document(UseTerms, example())

    assert json.loads(write_document(terms)) == example()


def test_the_example_becomes_a_use_that_its_evaluation_fits(tmp_path: Path) -> None:
    """With the days and the commitment of one's own put in, the comment period over, and three approvals."""
    clock = Clock()
    written = parse_document(UseTerms, example())
    assert written.evaluation is not None
    assert written.report.published is not None
    later = clock.now - written.report.published
    report = replace(written.report, published=clock.now, expires=written.report.expires + later)
    terms = replace(
        written,
        evaluation=replace(written.evaluation, report_sha256=COMMITMENT),
        report=report,
        starts=written.starts + later,
        expires=written.expires + later,
    )
    with governed(tmp_path / "data", clock) as governing:
        police = take_up(governing)
        proposed = governing.uses.propose(USE, terms, by=at_the_machine(police.supervisor.id))
        clock.now += timedelta(days=30)
        states = [
            governing.uses.vote(USE, Choice.APPROVE, "read and weighed", by=at_the_machine(overseer.id)).state
            for overseer in police.overseers[: POLICE.approvals_needed]
        ]
        fitness = governing.uses.evidence(USE).fitness

    assert proposed.comments_until == clock.now
    assert states == [UseState.COMMENTED, UseState.COMMENTED, UseState.ACTIVE]
    assert fitness is Fitness.PASSED


def test_the_page_takes_on_as_many_people_as_a_use_and_its_reviews_need() -> None:
    """Overseers for the quorum, a third examiner for where two differ, and somebody to publish the evaluation."""
    added = re.findall(r"^\$ recognizance person add .*--role (\w+)", SETTING_UP, re.MULTILINE)

    assert added.count(Role.OVERSEER) == POLICE.approvals_needed
    assert added.count(Role.EXAMINER) == 3
    assert {Role.OPERATOR, Role.SUPERVISOR, Role.AUDITOR} <= set(added)


def test_the_page_says_how_long_the_public_may_comment() -> None:
    """The numbers are the profiles' own."""
    police, company = (
        PROFILES[name].comment_period.days for name in (ProfileName.LAW_ENFORCEMENT, ProfileName.ORGANISATION)
    )

    assert f"open to comment for {police} days ({company} in `organisation`)" in SETTING_UP
