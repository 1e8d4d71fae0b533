"""docs/security-checklist.md says what is so: every item of level 2 has its row, and what a row names is there."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHECKLIST = ROOT / "docs" / "security-checklist.md"

# The numbers of ASVS 4.0.3: of each section the last item, and those that were deleted or ask for level 3 alone.
SECTIONS = """
    1.1:7 1.2:4 1.4:5 1.5:4 1.6:4 1.7:2 1.8:2 1.9:2 1.10:1 1.11:2 1.12:2 1.14:6
    2.1:12 2.2:3 2.3:3 2.4:5 2.5:7 2.6:3 2.7:6 2.8:7 2.9:3 2.10:4
    3.1:1 3.2:4 3.3:4 3.4:5 3.5:3 3.7:1
    4.1:5 4.2:2 4.3:3
    5.1:5 5.2:8 5.3:10 5.4:3 5.5:4
    6.1:3 6.2:6 6.3:2 6.4:2
    7.1:4 7.2:2 7.3:4 7.4:3
    8.1:4 8.2:3 8.3:8
    9.1:3 9.2:4
    10.2:2 10.3:3
    11.1:8
    12.1:3 12.2:1 12.3:6 12.4:2 12.5:2 12.6:1
    13.1:5 13.2:6 13.3:2 13.4:2
    14.1:4 14.2:6 14.3:3 14.4:7 14.5:4
"""
NOT_IN_LEVEL_TWO = {"1.4.2", "1.4.3", "1.12.1", "4.1.4", "7.3.2", "13.1.2", "13.2.4", "14.3.1"}

KINDS = (
    "held by a test",
    "held by what a document describes, which no test can hold",
    "doesn't apply, with the reason",
    "not met, with what follows",
)


@dataclass(frozen=True)
class Row:
    item: str
    asks: str
    here: str

    @property
    def tests(self) -> list[str]:
        return re.findall(r"`(test_\w+)`", self.here)

    @property
    def kind(self) -> str:
        if self.here.startswith("Doesn't apply: "):
            return KINDS[2]
        if self.here.startswith("Not met: "):
            return KINDS[3]
        return KINDS[0] if self.tests else KINDS[1]


def items() -> Iterator[str]:
    for section in SECTIONS.split():
        name, _, last = section.partition(":")
        yield from (f"{name}.{number}" for number in range(1, int(last) + 1))


@cache
def rows() -> list[Row]:
    found = re.findall(r"^\| (\d+\.\d+\.\d+) \| (.+?) \| (.+) \|$", CHECKLIST.read_text(), re.MULTILINE)
    return [Row(*each) for each in found]


@cache
def known_tests() -> set[str]:
    """The name of every test there is."""
    return {
        node.name
        for file in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_every_item_of_level_two_has_its_row() -> None:
    """One each, in the standard's order."""
    assert [row.item for row in rows()] == [item for item in items() if item not in NOT_IN_LEVEL_TWO]
    assert len(rows()) > 240


def test_what_is_named_is_there() -> None:
    """Tests by their names, documents by their paths."""
    named = {test for row in rows() for test in row.tests}
    linked = {target for target in re.findall(r"\]\(([^)#]+)", CHECKLIST.read_text()) if "://" not in target}
    assert named - known_tests() == set()
    assert {target for target in linked if not (CHECKLIST.parent / target).exists()} == set()


def test_every_row_says_how_it_is_held() -> None:
    """By a test or a document, or why not; in a sentence that isn't empty."""
    assert [row.item for row in rows() if not row.tests and "](" not in row.here and row.kind in KINDS[:2]] == []
    assert [row.item for row in rows() if len(row.here) < 15] == []


def test_the_counts_are_those_of_the_rows() -> None:
    counted = Counter(row.kind for row in rows())
    said = re.findall(r"^\| ([^|]+?) \| (\d+) \|$", CHECKLIST.read_text(), re.MULTILINE)
    assert dict(said) == {kind: str(counted[kind]) for kind in KINDS}
