"""How commands speak: what a table keeps, whatever the width of the terminal."""

import pytest
from rich.console import Console

from recognizance.cli import output

PSEUDONYM, AGENCY = "0a7b2c5e-1111-4222-8333-444455556666", "9f8e7d6c-1111-4222-8333-444455556666"
COLUMNS = ("pseudonym", "name", "agency", "roles")
ROW = (PSEUDONYM, "Somebody [of] a rather long name " * 3, AGENCY, "administrator, auditor, desk_officer")


def printed(monkeypatch: pytest.MonkeyPatch, width: int) -> str:
    """One row at a width."""
    console = Console(width=width, record=True, highlight=False, soft_wrap=True)
    monkeypatch.setattr(output, "results", console)
    output.print_table(COLUMNS, [ROW], whole=("pseudonym", "agency"))
    return console.export_text()


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
