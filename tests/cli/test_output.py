"""How commands speak: what a table keeps, whatever the width of the terminal."""

from pathlib import Path

import pytest
import typer
from rich.console import Console

from recognizance.cli import output
from recognizance.errors import DeniedError

PSEUDONYM, AGENCY = "0a7b2c5e-1111-4222-8333-444455556666", "9f8e7d6c-1111-4222-8333-444455556666"
COLUMNS = ("pseudonym", "name", "agency", "roles")
ROW = (PSEUDONYM, "Somebody [of] a rather long name " * 3, AGENCY, "administrator, auditor, desk_officer")


def printed(monkeypatch: pytest.MonkeyPatch, width: int) -> str:
    """One row at a width."""
    console = Console(width=width, record=True, highlight=False, soft_wrap=True)
    monkeypatch.setattr(output, "results", console)
    output.print_table(COLUMNS, [ROW], whole=("pseudonym", "agency"))
    return console.export_text()


def test_a_refusal_is_told_reason_by_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """With whom to ask about each, and the decision to quote; nothing goes to standard output."""

    @output.speaking_plainly
    def refused() -> None:
        missing = ("the role examiner; ask an administrator", "a case [24-1]; ask the caller; the overseers")
        raise DeniedError("'search' is refused. Missing: all that.", decision_id="5b0c", missing=missing)

    with pytest.raises(typer.Exit) as ended:
        refused()

    told = capsys.readouterr()
    assert (ended.value.exit_code, told.out) == (output.EXIT_REFUSED, "")
    assert told.err.splitlines() == [
        "error: 'search' is refused. Missing:",
        "  - the role examiner",
        "    (ask an administrator)",
        "  - a case [24-1]",
        "    (ask the caller; the overseers)",
        "To an overseer, quote the decision 5b0c.",
    ]


def test_a_file_that_the_system_refuses_is_named_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the exit status says that the request was right."""
    place = tmp_path / "nowhere" / "file"

    with pytest.raises(typer.Exit) as ended:
        output.speaking_plainly(place.write_bytes)(b"")

    assert ended.value.exit_code == output.EXIT_FAILED
    assert capsys.readouterr().err.replace("\n", "") == f"failed: {place}: No such file or directory"


@pytest.mark.parametrize("width", [20, 40, 80, 120, 240])
def test_ids_are_never_cut(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """They are there to be copied, so that they stay in one piece on one line at any width."""
    text = printed(monkeypatch, width)

    assert PSEUDONYM in text
    assert AGENCY in text
    assert "…" not in text


@pytest.mark.parametrize("width", [40, 80, 240])
def test_what_is_wrapped_is_all_there(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """Every word of the other columns, whole, brackets included."""
    text = printed(monkeypatch, width)

    for word in (*ROW[1].split(), *ROW[3].split()):
        assert word in text


def test_a_table_without_rows_has_its_headings(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that whoever looks sees what would be there."""
    console = Console(width=80, record=True, highlight=False, soft_wrap=True)
    monkeypatch.setattr(output, "results", console)
    output.print_table(COLUMNS, [])
    text = console.export_text()

    assert [name for name in COLUMNS if name in text] == list(COLUMNS)
