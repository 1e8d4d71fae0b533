"""The overseers' calendar: what ends, begins or runs out, and when.

Reads uses as they stand and says which days are ahead. It decides nothing: what has run out is refused whether or not
anybody looked here. Pure. Implements `docs/oversight.md`, "The calendar".
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from recognizance.governance.parties import UseId
from recognizance.governance.uses import FINAL, Use, UseState


class DeadlineKind(StrEnum):
    COMMENTS_END = "comments_end"
    USE_STARTS = "use_starts"
    USE_ENDS = "use_ends"
    EMERGENCY_LAPSES = "emergency_lapses"
    REPORT_EXPIRES = "report_expires"
    EVALUATION_EXPIRES = "evaluation_expires"
    AUTHORITY_ENDS = "authority_ends"


@dataclass(frozen=True, slots=True, order=True)
class Deadline:
    at: datetime
    use: UseId
    kind: DeadlineKind


def deadlines(
    uses: Iterable[Use], now: datetime, *, evaluations: Mapping[str, datetime | None] | None = None
) -> tuple[Deadline, ...]:
    """What is ahead of uses that aren't over, the soonest first.

    Args:
        evaluations: Until when published evaluations count, by the commitment to their result.
    """
    found: list[Deadline] = []
    for use in uses:
        if use.state_at(now) not in FINAL:
            found += [each for each in _of(use, evaluations or {}) if each.at > now]
    return tuple(sorted(found))


def _of(use: Use, evaluations: Mapping[str, datetime | None]) -> Iterator[Deadline]:
    terms = use.terms
    if use.state is UseState.PROPOSED:
        yield Deadline(use.comments_until, use.id, DeadlineKind.COMMENTS_END)
    yield Deadline(terms.starts, use.id, DeadlineKind.USE_STARTS)
    yield Deadline(terms.expires, use.id, DeadlineKind.USE_ENDS)
    yield Deadline(terms.report.expires, use.id, DeadlineKind.REPORT_EXPIRES)
    if use.emergency is not None:
        yield Deadline(use.emergency.lapses_at, use.id, DeadlineKind.EMERGENCY_LAPSES)
    if terms.authority is not None:
        yield Deadline(terms.authority.ends, use.id, DeadlineKind.AUTHORITY_ENDS)
    if terms.evaluation is not None:
        expires = evaluations.get(terms.evaluation.report_sha256)
        if expires is not None:
            yield Deadline(expires, use.id, DeadlineKind.EVALUATION_EXPIRES)
