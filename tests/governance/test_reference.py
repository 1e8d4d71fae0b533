"""Documentation that is written from tables and policies says what they say."""

from pathlib import Path

import pytest

from recognizance.governance.leads import LEAD_TABLE, LeadState
from recognizance.governance.oversight import CHANGE_TABLE, ChangeState
from recognizance.governance.profiles import PROFILES, policy_file, rulebook
from recognizance.governance.reference import permissions_reference, prohibitions_reference, state_diagram
from recognizance.governance.review import REVIEW_TABLE, ReviewState
from recognizance.governance.subjects import REQUEST_TABLE, RequestState
from recognizance.governance.uses import USE_TABLE, UseState

DOCS = Path(__file__).parents[2] / "docs"
DIAGRAMS = {
    "use": state_diagram(USE_TABLE, UseState.PROPOSED),
    "change": state_diagram(CHANGE_TABLE, ChangeState.PROPOSED),
    "review": state_diagram(REVIEW_TABLE, ReviewState.WAITING),
    "lead": state_diagram(LEAD_TABLE, LeadState.LOCKED),
    "request": state_diagram(REQUEST_TABLE, RequestState.RECEIVED),
}


@pytest.mark.parametrize("life", sorted(DIAGRAMS))
def test_the_page_draws_the_table(life: str) -> None:
    """`docs/governance.md` holds each generated diagram, word for word."""
    assert DIAGRAMS[life] in (DOCS / "governance.md").read_text(encoding="utf-8")


def test_a_diagram_has_a_line_for_each_step() -> None:
    """Every step of the table, its beginning and its five ends."""
    lines = DIAGRAMS["use"].splitlines()

    assert lines[2] == "    [*] --> proposed"
    assert "    proposed --> commented: close comments" in lines
    assert len(lines) == 3 + len(USE_TABLE) + 5 + 1


def test_the_page_lists_permissions_and_prohibitions() -> None:
    """`docs/policy.md` holds both generated tables, word for word, and they are the same in every profile."""
    books = {name.value: rulebook(profile) for name, profile in PROFILES.items()}
    page = (DOCS / "policy.md").read_text(encoding="utf-8")

    assert len({permissions_reference(book) for book in books.values()}) == 1
    assert permissions_reference(books["private"]) in page
    assert prohibitions_reference(books) in page


def test_the_page_says_which_files_each_profile_has() -> None:
    """The table of files is the profiles' own."""
    page = (DOCS / "policy.md").read_text(encoding="utf-8")
    names = {name for profile in PROFILES.values() for name in profile.policy_files}

    for name in names:
        row = next(line for line in page.splitlines() if line.startswith(f"| `{name}` |"))
        marks = [cell.strip() == "yes" for cell in row.split("|")[3:6]]
        assert marks == [name in profile.policy_files for profile in PROFILES.values()], name
        assert policy_file(name).text
