"""Findings of independent tests, and the clock that runs until somebody says what was done about them. Pure.

Washington RCW 43.386.050 gives 90 days from a test that found unfair performance to a plan of mitigation. A finding
that nobody answered by then is flagged in public, and stays flagged: an answer that comes late is shown as late.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from recognizance.errors import ConflictError, InputError
from recognizance.governance.oversight import Sha256Hex, sha256_hex
from recognizance.governance.parties import PersonId

MITIGATED_WITHIN = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a tester found. All of it is public but who the pseudonym is.

    Attributes:
        result_sha256: The commitment to the result that shows it; `None` where there is none.
        mitigation: What was done about it; `None` as long as nobody has said.
    """

    id: str
    statement: str
    submitted_by: PersonId
    submitted: datetime
    result_sha256: Sha256Hex | None = None
    mitigation: str | None = None
    mitigated: datetime | None = None

    def __post_init__(self) -> None:
        if self.result_sha256 is not None:
            sha256_hex(self.result_sha256)
        if not self.statement.strip():
            raise InputError("a finding says what was found")
        if (self.mitigation is None) != (self.mitigated is None):
            raise InputError("a mitigation has a moment, and only a mitigation has")

    @property
    def due(self) -> datetime:
        return due_by(self.submitted)

    def is_overdue_at(self, now: datetime) -> bool:
        """Whether it wasn't answered in time; once it is, it stays so."""
        return (self.mitigated or now) > self.due


def due_by(submitted: datetime) -> datetime:
    """The last moment at which a mitigation is in time.

    >>> from datetime import UTC
    >>> due_by(datetime(2026, 1, 1, tzinfo=UTC)).date().isoformat()
    '2026-04-01'
    """
    return submitted + MITIGATED_WITHIN


def mitigate(finding: Finding, statement: str, now: datetime) -> Finding:
    """Say what was done about a finding.

    Raises:
        ConflictError: If somebody has said so before: what was published isn't replaced.
        InputError: If it says nothing.
    """
    if finding.mitigated is not None:
        raise ConflictError(f"the finding {finding.id!r} was answered on {finding.mitigated:%Y-%m-%d}")
    if not statement.strip():
        raise InputError("a mitigation says what was done")
    return Finding(
        finding.id,
        finding.statement,
        finding.submitted_by,
        finding.submitted,
        finding.result_sha256,
        mitigation=statement,
        mitigated=now,
    )
