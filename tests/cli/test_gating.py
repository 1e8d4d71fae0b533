"""Commands of the gate: publishing a result, asking whether a use's evaluation fits, findings, the rule."""

from pathlib import Path

import pytest

from recognizance.evaluation.results import commitment, write_evaluation
from recognizance.governance.parties import Role
from recognizance.governing.registration import at_the_machine

from ..contract.police_world import USE, Clock, approve, governed, take_up
from ..evaluation import result_world
from ..evaluation.test_publication import result as searched
from .test_commands import Run, run
from .test_governing import said

__all__ = ["run"]  # the fixture


@pytest.mark.slow
def test_what_overseers_auditors_and_testers_do_at_the_command_line(run: Run, tmp_path: Path) -> None:
    """A use fits; a result is refused to whoever may not publish; a finding waits and is answered; no rule yet."""
    clock = Clock()
    with governed(tmp_path / "data", clock) as governing:
        police = take_up(governing)
        approve(governing, police, clock)
        tester = governing.registration.add_person(
            "A University", agency=None, roles=frozenset({Role.TESTER}), by=at_the_machine()
        )
    result = tmp_path / "result.json"
    result.write_bytes(write_evaluation(result_world.evaluation()))

    document = result_world.set_aside(searched(evaluation="lab/2026"))
    assert document.exclusions is not None
    decision = tmp_path / "decision.csv"
    decision.write_bytes(result_world.DECISION)
    measured = tmp_path / "measured.json"
    measured.write_bytes(write_evaluation(document))

    fits = said(run, "evaluate", "fits", USE)
    published = said(run, "evaluate", "publish", measured, "--decision", decision, "--as", police.auditor.id)
    refused = run("evaluate", "publish", result, "--as", police.supervisor.id)
    finding = said(run, "evaluate", "findings", "submit", "FPIR differs", "--result", result, "--as", tester.id)
    waiting = said(run, "evaluate", "findings", "list")["findings"]
    answered = said(run, "evaluate", "findings", "mitigate", finding["finding"], "done", "--as", police.supervisor.id)
    shown = said(run, "threshold", "show")
    early = run("threshold", "propose", "stricter", "--max-fpir", "0.001", "--as", police.supervisor.id)

    assert fits == {"use": USE, "evaluation": "passed", "shortfalls": []}
    assert published["report_sha256"] == commitment(document)
    # Where the public pages look, under a name that can't lead out of the folder.
    kept = tmp_path / "data" / "evaluations" / f"{commitment(document)}.json"
    assert published["shown_from"] == str(kept)
    assert kept.read_bytes() == measured.read_bytes()
    beside = f"{document.exclusions.decision_digest}.csv"
    assert {file.name for file in kept.parent.iterdir()} == {kept.name, beside}
    assert (kept.parent / beside).read_bytes() == result_world.DECISION
    assert refused.status != 0
    assert "the role auditor" in refused.err
    assert [(each["finding"], each["overdue"]) for each in waiting] == [(finding["finding"], False)]
    assert answered["mitigation"] == "done"
    assert shown == {"in_force": None, "changes": []}
    assert "before the service has started once" in early.err
