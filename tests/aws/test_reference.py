"""The reference of operations says what the service does."""

from pathlib import Path

import pytest

from recognizance.aws import reference
from recognizance.aws.reference import PURPOSES, operations_reference
from recognizance.aws.unsupported import LATER, NEVER

from .wire import MODEL

DOCS = Path(__file__).parents[2] / "docs" / "operations.md"


def test_the_documentation_holds_the_generated_reference() -> None:
    """`docs/operations.md` ends with it, word for word; CONTRIBUTING.md says how it is written anew."""
    assert DOCS.read_text(encoding="utf-8").endswith(operations_reference(MODEL))


def test_every_operation_that_is_answered_is_described() -> None:
    """And none that isn't."""
    assert sorted([*PURPOSES, *LATER, *NEVER]) == sorted(MODEL.operations)


def test_a_remark_about_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A default for a member that does not exist would be believed."""
    monkeypatch.setattr(reference, "REMARKS", {("ListFaces", "MaxFaecs"): ("5", "")})
    with pytest.raises(ValueError, match="MaxFaecs"):
        operations_reference(MODEL)
