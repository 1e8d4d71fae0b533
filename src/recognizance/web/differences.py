"""Two texts as lines that stayed, went and came, for people who read changes of rules.

Each line says in words which it is, because colour alone tells some readers nothing. Pure.
"""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

CONTEXT_LINES = 3
"""Unchanged lines shown around a change."""


class LineKind(StrEnum):
    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"
    SKIPPED = "skipped"
    """Unchanged lines that aren't shown; their number is the line's text."""


@dataclass(frozen=True, slots=True)
class Line:
    kind: LineKind
    text: str


def difference(before: str, after: str) -> list[Line]:
    r"""The lines of a change, with some unchanged ones around them; empty where both texts have the same lines.

    >>> [(line.kind.value, line.text) for line in difference("a\nb", "a\nc")]
    [('same', 'a'), ('removed', 'b'), ('added', 'c')]
    """
    old, new = before.splitlines(), after.splitlines()
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    lines: list[Line] = []
    shown = 0
    for group in matcher.get_grouped_opcodes(CONTEXT_LINES):
        if group[0][1] > shown:
            lines.append(Line(LineKind.SKIPPED, str(group[0][1] - shown)))
        for tag, i1, i2, j1, j2 in group:
            lines += _lines(tag, old[i1:i2], new[j1:j2])
        shown = group[-1][2]
    if lines and shown < len(old):
        lines.append(Line(LineKind.SKIPPED, str(len(old) - shown)))
    return lines


def _lines(tag: str, old: list[str], new: list[str]) -> Iterator[Line]:
    if tag == "equal":
        yield from (Line(LineKind.SAME, text) for text in old)
        return
    yield from (Line(LineKind.REMOVED, text) for text in old)
    yield from (Line(LineKind.ADDED, text) for text in new)
