"""docs/compliance.md: what it names exists, and nothing in it claims more than help."""

import ast
import re
from pathlib import Path

import pytest

from recognizance.ledger import Facts

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "compliance.md"
COMMANDS = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| source")
]


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_row_is_whole() -> None:
    """A source, a feature, entries, a place, a test, and what is left to people."""
    assert len(ROWS) > 20
    assert [row[0] for row in ROWS if len(row) != 6 or not all(row)] == []
    assert [row[0] for row in ROWS if not named(row[2]) or not named(row[4])] == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_what_a_row_names_exists(row: list[str]) -> None:
    """Kinds of entries, commands, pages, and tests."""
    kinds = {each.kind for each in Facts.__subclasses__()}
    commands = [
        each for each in named(row[3]) if not re.search(rf"^## recognizance {each}( |$)", COMMANDS, re.MULTILINE)
    ]
    pages = [each for each in re.findall(r"\]\(([^)]+)\)", row[3]) if not (ROOT / "docs" / each).is_file()]

    assert set(named(row[2])) <= kinds
    assert (commands, pages) == ([], [])
    assert [each for each in named(row[4]) if not _is_test(each)] == []


def test_no_row_says_that_a_law_is_kept() -> None:
    """The software helps; whether that is enough is for others to say."""
    text = PAGE.read_text(encoding="utf-8")
    said = [
        word for row in ROWS for word in ("complies", "compliant", "compliance", "fulfils") if word in " ".join(row)
    ]

    assert "never says that they comply" in text
    assert said == []


def _is_test(name: str) -> bool:
    path, _, function = name.partition("::")
    file = ROOT / path
    if not file.is_file():
        return False
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    return function in functions if function else any(each.startswith("test_") for each in functions)
