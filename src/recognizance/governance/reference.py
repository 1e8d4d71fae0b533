"""Reference pages, written from the tables and policies themselves, so that documentation can't say something else.

`docs/governance.md` and `docs/policy.md` hold what these functions return, word for word; a test compares them. Knows
no rule of its own. Pure.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TypeVar

from recognizance.governance.cedar import Rulebook
from recognizance.governance.parties import Role
from recognizance.governance.requests import Act
from recognizance.governance.rules import Effect, Rule

StateT = TypeVar("StateT", bound=StrEnum)
EventT = TypeVar("EventT", bound=StrEnum)


def state_diagram(table: Mapping[tuple[StateT, EventT], StateT], start: StateT) -> str:
    """A state table as a Mermaid diagram: one line a step, in the table's order, and the ends marked."""
    steps = [f"    {state.value} --> {to.value}: {_words(event)}" for (state, event), to in table.items()]
    leaving = {state for state, _ in table}
    ends = dict.fromkeys(to for to in table.values() if to not in leaving)
    lines = [
        "```mermaid",
        "stateDiagram-v2",
        f"    [*] --> {start.value}",
        *steps,
        *(f"    {state.value} --> [*]" for state in ends),
        "```",
    ]
    return "\n".join(lines)


def permissions_reference(rulebook: Rulebook) -> str:
    """Who may do what: a row for each act, a column for each role."""
    header = ["act", *(_words(role) for role in Role)]
    rows = [[_words(act), *("yes" if role in rulebook.roles_permitted(act) else "" for role in Role)] for act in Act]
    return _table(header, rows)


def prohibitions_reference(rulebooks: Mapping[str, Rulebook]) -> str:
    """Each prohibition by name: its sentence, the profiles that it is in, what is missing and whom to ask."""
    rules: dict[str, Rule] = {}
    for book in rulebooks.values():
        for rule in book.rules:
            if rule.effect is Effect.FORBID:
                rules.setdefault(rule.name, rule)
    rows = [
        [f"`{rule.name}`", rule.title, _profiles(rule, rulebooks), rule.missing, rule.ask] for rule in rules.values()
    ]
    return _table(["policy", "what it says", "profiles", "a refused caller lacks", "who can grant it"], rows)


def _profiles(rule: Rule, rulebooks: Mapping[str, Rulebook]) -> str:
    names = [name for name, book in rulebooks.items() if any(other.name == rule.name for other in book.rules)]
    return "all" if len(names) == len(rulebooks) else ", ".join(names)


def _words(choice: StrEnum) -> str:
    return choice.value.replace("_", " ")


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = list(header)
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
