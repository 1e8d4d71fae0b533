"""Pages about changes of the rules, as differences that can be read, and about unusual use.

Thresholds and policies are on the ledger, whole, each time they change; here two that follow each other are laid side
by side. Unusual use is what `governance.unusual` says of the last weeks: reasons to ask, with the entries to ask about.
Implements docs/oversight.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from recognizance.governance.parties import Role
from recognizance.governing.thresholds import Thresholds
from recognizance.governing.watching import Watching
from recognizance.ledger import Entry, facts
from recognizance.register import LiveRegister
from recognizance.web.differences import Line, difference
from recognizance.web.frame import Page, only
from recognizance.web.overseer_words import CHANGE_KINDS, CHANGE_STATES, LINES, SIGNALS
from recognizance.web.visits import Visit

_READERS = only(Role.OVERSEER, Role.AUDITOR)


@dataclass(frozen=True, slots=True)
class PolicyStep:
    """A policy that came into force; `lines` is what is new against the one before, empty for the first."""

    at: datetime
    entry: str
    version: str
    lines: Sequence[Line]
    is_first: bool
    added: frozenset[str]
    removed: frozenset[str]


@dataclass(frozen=True, slots=True)
class ThresholdStep:
    """A threshold that came into force; `former` is what held before, from the ledger."""

    at: datetime
    entry: str
    change: facts.ThresholdChange
    former: float | None

    @property
    def is_looser(self) -> bool:
        """Whether less resemblance is enough than before."""
        return self.former is not None and self.change.new < self.former


class OverseerRulesPages:
    def __init__(self, register: LiveRegister, thresholds: Thresholds, watching: Watching) -> None:
        self._register = register
        self._thresholds = thresholds
        self._watching = watching

    def table(self) -> list[Page]:
        return [
            Page("/oversight/changes", self.changes, _READERS),
            Page("/oversight/unusual", self.unusual, _READERS),
        ]

    def changes(self, visit: Visit) -> Response:
        kept = self._register.reading().state.kept
        return visit.page(
            "overseer/changes.html",
            changes=self._thresholds.list()[::-1],
            change_states=CHANGE_STATES,
            kinds=CHANGE_KINDS,
            policies=list(policy_steps(kept))[::-1],
            thresholds=list(threshold_steps(kept))[::-1],
            line_names=LINES,
        )

    def unusual(self, visit: Visit) -> Response:
        return visit.page(
            "overseer/unusual.html",
            watched=self._watching.look(by=visit.actor()),
            thresholds=self._watching.thresholds,
            signals=SIGNALS,
        )


def policy_steps(entries: Sequence[Entry]) -> Iterator[PolicyStep]:
    """The policies that were in force, in the ledger's order, each against the one before."""
    before: facts.PolicyChange | None = None
    for entry in entries:
        change = entry.facts
        if not isinstance(change, facts.PolicyChange):
            continue
        former = frozenset(before.names if before else ())
        yield PolicyStep(
            at=entry.time,
            entry=entry.id,
            version=change.version,
            lines=difference(before.document, change.document) if before else (),
            is_first=before is None,
            added=frozenset(change.names) - former if before else frozenset(),
            removed=former - frozenset(change.names),
        )
        before = change


def threshold_steps(entries: Sequence[Entry]) -> Iterator[ThresholdStep]:
    """The thresholds that were in force, in the ledger's order, each against the one before of its model and gallery.

    What an entry says of the threshold before it is held against the ledger: the ledger's own is shown.
    """
    before: dict[tuple[str, str | None], float] = {}
    for entry in entries:
        change = entry.facts
        if isinstance(change, facts.ThresholdChange):
            key = (change.model, change.gallery)
            yield ThresholdStep(entry.time, entry.id, change, before.get(key, change.former))
            before[key] = change.new
