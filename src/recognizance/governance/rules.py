"""Policy texts taken apart: each policy's name, title, line, and what a refused caller is told.

A policy that a lawyer can't cite by name, or that refuses without saying what is missing and who can grant it, is no
policy of ours: loading stops. Knows Cedar's text only so far as to find where each policy starts, so that an error
names a line; what a policy means is for `cedar.py`. Pure. Implements `docs/policy.md`, "How a policy is written".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from recognizance.governance.parties import Role
from recognizance.governance.requests import Act


class Effect(StrEnum):
    PERMIT = "permit"
    FORBID = "forbid"


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """A file of policies: its name for messages and the record, and its text."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One policy's text, and the line of its file on which it starts."""

    file: str
    line: int
    text: str

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Rule:
    """One policy, as far as people are told about it.

    Attributes:
        name: Its `@id`: what the record and the register cite.
        title: Its `@title`: one sentence of plain English.
        acts: What it is about; empty for every act.
        role: Whom a permission is for; `None` for a prohibition.
        missing: What a refused caller lacks (`@missing`), and `ask` who can grant it; empty for a permission.
        shows_evidence: Whether a refused caller is told what is wrong with the use's evaluation (`@shows_evidence`).
    """

    name: str
    title: str
    effect: Effect
    statement: Statement
    acts: frozenset[Act]
    role: Role | None
    missing: str
    ask: str
    shows_evidence: bool = False


def split_statements(file: PolicyFile) -> Iterator[Statement]:
    r"""Find each policy of a file: up to and including its semicolon, comments and strings read over.

    What follows the last semicolon is a statement too unless it is blank or a comment, so that nothing is skipped.

    >>> text = '// why\n@id("a;b")\npermit (principal, action, resource);\n\nforbid (principal'
    >>> [(statement.line, statement.text[:6]) for statement in split_statements(PolicyFile("f", text))]
    [(2, '@id("a'), (5, 'forbid')]
    """
    text, start, position = file.text, None, 0
    while position < len(text):
        if text.startswith("//", position):
            end = text.find("\n", position)
            position = len(text) if end < 0 else end
        elif text[position].isspace():
            position += 1
        else:
            start = position if start is None else start
            if text[position] == ";":
                yield _statement(file, start, position + 1)
                start = None
            position = _end_of_string(text, position) if text[position] == '"' else position + 1
    if start is not None:
        yield _statement(file, start, len(text))


def _end_of_string(text: str, opening: int) -> int:
    """The position after the string that opens at `opening`; the end of the text if it is never closed."""
    position = opening + 1
    while position < len(text) and text[position] != '"':
        position += 2 if text[position] == "\\" else 1
    return min(position + 1, len(text))


def _statement(file: PolicyFile, start: int, end: int) -> Statement:
    return Statement(file.name, file.text.count("\n", 0, start) + 1, file.text[start:end])
