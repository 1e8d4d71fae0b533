"""The clock of incidents: by when an overseer has to know of a violation. Pure.

24 hours are Detroit Police Department Manual 307.5's; a breach of data has the same clock, because nobody can say
in the first day whether it is one. Outages and errors have none: they are published as they are reported.
"""

from datetime import datetime, timedelta

from recognizance.ledger.facts import Occurrence

REACHES_OVERSIGHT_WITHIN = timedelta(hours=24)
_WITH_DEADLINE = frozenset({Occurrence.VIOLATION, Occurrence.BREACH})


def reaches_oversight_by(occurrence: Occurrence, discovered: datetime) -> datetime | None:
    """The last moment at which an overseer is told in time; `None` for what has no such clock.

    >>> from datetime import UTC
    >>> reaches_oversight_by(Occurrence.VIOLATION, datetime(2026, 1, 31, 12, tzinfo=UTC)).isoformat()
    '2026-02-01T12:00:00+00:00'
    """
    return discovered + REACHES_OVERSIGHT_WITHIN if occurrence in _WITH_DEADLINE else None
