"""`recognizance evaluate report`: the document alone gives the same files, or a refusal that says what is wrong."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from recognizance.cli import app
from recognizance.cli.output import EXIT_REFUSED
from recognizance.evaluation.reports import report_files
from recognizance.evaluation.results import commitment, read_evaluation, write_evaluation

from ..evaluation.result_world import DECISION, evaluation, gate, set_aside


def report(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["evaluate", "report", *map(str, words)], catch_exceptions=False)
    return done.exit_code, " ".join((done.stdout + done.stderr).split())


@pytest.fixture
def result(tmp_path: Path) -> Path:
    """A document whose conclusions leave out what `DECISION` names."""
    path = tmp_path / "result.json"
    path.write_bytes(write_evaluation(set_aside(evaluation(gate=gate()))))
    return path


def test_a_document_alone_gives_the_same_report_cards_and_tables(tmp_path: Path, result: Path) -> None:
    """Byte for byte those of the run, with the schema that the document keeps to."""
    read = read_evaluation(result.read_bytes())
    (tmp_path / "decision.csv").write_bytes(DECISION)
    out = tmp_path / "again"

    status, said = report(result, "-o", out, "--commitment", commitment(read), "--decision", tmp_path / "decision.csv")

    written = {str(each.relative_to(out)): each.read_bytes() for each in out.rglob("*") if each.is_file()}
    schema = json.loads(written["result.schema.json"])
    Draft202012Validator(schema).validate(json.loads(written["result.json"]))
    assert status == 0, said
    assert written == report_files(read)
    assert {"report.html", "report.pdf", "model-card.html", "csv/rates.csv"} <= written.keys()
    assert [name for name in written if name.startswith("error-card-")]
    assert f"its commitment is {commitment(read)}" in said


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda data: data.replace(b'"errors":7', b'"errors":6', 1), "isn't the result of that commitment"),
        (lambda data: data.replace(b'"seed":', b'"seed": ', 1), "canonical"),
        (lambda data: data.replace(b'"tester":', b'"testers":', 1), "is no field of Evaluation"),
        (lambda _: b"%PDF-1.7", "JSON"),
    ],
    ids=["one error less", "another spelling", "another field", "something else"],
)
def test_a_document_that_somebody_edited_is_refused(
    tmp_path: Path, result: Path, change: Callable[[bytes], bytes], why: str
) -> None:
    """In one line, and nothing is written."""
    original = result.read_bytes()
    known = commitment(read_evaluation(original))
    result.write_bytes(change(original))
    assert result.read_bytes() != original

    status, said = report(result, "-o", tmp_path / "again", "--commitment", known)

    assert status == EXIT_REFUSED
    assert why in said
    assert not (tmp_path / "again").exists()


def test_a_decision_that_the_result_does_not_name_is_refused(tmp_path: Path, result: Path) -> None:
    """One byte more is another decision."""
    (tmp_path / "decision.csv").write_bytes(DECISION + b"\n")

    status, said = report(result, "-o", tmp_path / "again", "--decision", tmp_path / "decision.csv")

    assert status == EXIT_REFUSED
    assert "the decision isn't the one that the result names" in said
