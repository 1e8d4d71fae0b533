"""The gate: measured rates held against limits, for everybody and for every group. Nothing is on average.

A limit is met only where the upper end of the rate's interval meets it. A rate that was measured above its limit fails
it; where the rate is within and its upper end isn't, or nothing was tried, the evidence is insufficient, and that isn't
a pass. The gate passes when every check does, and names each that doesn't.

Pure. Implements docs/evaluation-reports.md, "The gate".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from recognizance.evaluation.measures import Estimate, Verdict


class Measure(StrEnum):
    """A rate that can be limited."""

    FMR = "fmr"
    FNMR = "fnmr"
    FPIR = "fpir"
    FNIR = "fnir"
    FTA = "fta"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What a rate may be at most, at the operating threshold.

    Attributes:
        at_most: A rate, 0 to 1.
    """

    measure: Measure
    at_most: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.at_most <= 1.0:
            raise ValueError(f"a limit of {self.at_most} is no rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One rate held against its limit.

    Attributes:
        column, group: Whose rate it is; both None for everybody.
        gallery_faces: For FPIR and FNIR: in a gallery of this size.
    """

    limit: Limit
    column: str | None
    group: str | None
    gallery_faces: int | None
    estimate: Estimate

    def __post_init__(self) -> None:
        if (self.column is None) != (self.group is None):
            raise ValueError("a check is of a group in a column, or of everybody")

    @property
    def verdict(self) -> Verdict:
        return self.estimate.judge(self.limit.at_most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Something that has to be as it was authorised, such as the default threshold.

    Attributes:
        authorised, found: As text, to be shown.
    """

    what: str
    authorised: str
    found: str
    agrees: bool

    @property
    def verdict(self) -> Verdict:
        return Verdict.PASSED if self.agrees else Verdict.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Every check and what they come to. The verdict is computed and can't be set; a document states it beside."""

    checks: tuple[Check, ...]
    agreements: tuple[Agreement, ...]
    verdict: Verdict

    def __post_init__(self) -> None:
        if self.verdict is not overall(self.checks, self.agreements):
            raise ValueError("a gate's verdict is that of its checks")

    @property
    def failed(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.verdict is Verdict.FAILED)

    @property
    def unproven(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.verdict is Verdict.INSUFFICIENT_EVIDENCE)


def judged(checks: Iterable[Check], agreements: Iterable[Agreement] = ()) -> Gate:
    """Return the gate of these checks."""
    held, agreed = tuple(checks), tuple(agreements)
    return Gate(checks=held, agreements=agreed, verdict=overall(held, agreed))


def overall(checks: tuple[Check, ...], agreements: tuple[Agreement, ...]) -> Verdict:
    """Return the worst verdict; without any check, that of a gate which nothing was shown to."""
    verdicts = {check.verdict for check in checks} | {agreement.verdict for agreement in agreements}
    if Verdict.FAILED in verdicts:
        return Verdict.FAILED
    if not checks or Verdict.INSUFFICIENT_EVIDENCE in verdicts:
        return Verdict.INSUFFICIENT_EVIDENCE
    return Verdict.PASSED
