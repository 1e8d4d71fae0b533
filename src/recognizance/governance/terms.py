"""The terms of a use: what is asked for, and voted on as one text.

Limits, the accountability report, the evaluation that it relies on and the authority behind it. A change of any of
these is a new proposal. Everything here is public; none of it names a person who is searched for. Values only, checked
when built. Implements `docs/governance.md`, "The terms of a use"; the report's fields were made with Washington
RCW 43.386.020 in view. No field here says that a clause is met.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import NewType

from recognizance.errors import InputError
from recognizance.governance.oversight import Sha256Hex, sha256_hex
from recognizance.governance.parties import AgencyId, CourseId
from recognizance.governance.purposes import (
    PURPOSE_CLASSES,
    AuthorityKind,
    Capture,
    OffenceCode,
    Purpose,
    SearchClass,
)
from recognizance.identifiers import GalleryId

EvaluationId = NewType("EvaluationId", str)
"""A published evaluation: what was measured, on which data, by whom."""

MOST_CANDIDATES = 4096
"""Rekognition's `MaxFaces`: no use can allow more than a search can answer."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a search under a use may not pass.

    Attributes:
        threshold_floor_pct: Lowest similarity that a search may ask for, 0 to 100, inclusive.
        candidates: Most candidates that one search may ask for.
        searches_per_day: Of the whole agency under this use, a UTC day.
        offences: Codes of the only offences searched for; empty where the purpose concerns none.
    """

    threshold_floor_pct: float
    candidates: int
    searches_per_day: int
    captures: frozenset[Capture]
    offences: frozenset[OffenceCode] = frozenset()

    def __post_init__(self) -> None:
        if not 0 <= self.threshold_floor_pct <= 100:
            raise InputError(f"threshold floor is {self.threshold_floor_pct} %; it lies between 0 and 100")
        if not 1 <= self.candidates <= MOST_CANDIDATES:
            raise InputError(f"a use allows {self.candidates} candidates; the limit is {MOST_CANDIDATES}")
        if self.searches_per_day < 1:
            raise InputError(f"a use allows {self.searches_per_day} searches a day; it takes one at least")
        if not self.captures:
            raise InputError("a use allows still images, live ones or both; neither is stated")


@dataclass(frozen=True, slots=True)
class AccountabilityReport:
    """What the public is told about a use before it starts. No field may be empty.

    Attributes:
        published: `None` as long as it is a draft.
        expires: When it has to be written anew; the use stops with it.
    """

    vendor: str
    version: str
    capabilities_and_limits: str
    inputs: str
    purpose: str
    decision_supported: str
    who_when_where: str
    retention: str
    sharing: str
    error_rates_and_plan: str
    rights_impact: str
    feedback_channel: str
    published: datetime | None
    expires: datetime

    def __post_init__(self) -> None:
        for field in fields(self):
            value: object = getattr(self, field.name)
            if isinstance(value, str) and not value.strip():
                raise InputError(f"the accountability report needs {field.name.replace('_', ' ')}")
        if self.published is not None and self.expires <= self.published:
            raise InputError("the accountability report expires before it is published")

    def is_published_at(self, now: datetime) -> bool:
        return self.published is not None and self.published <= now

    def is_in_force_at(self, now: datetime) -> bool:
        return self.is_published_at(now) and now < self.expires


LEAST_TRUE_POSITIVES = 0.98
"""Virginia Code 15.2-1723.2 asks for at least this in every group. Overseers may vote on another one, in public."""


@dataclass(frozen=True, slots=True)
class ErrorLimits:
    """How often it may err, for every group: rates from 0 to 1, held against the worse end of the group's interval.

    Attributes:
        fmr: Comparisons of two people taken for one, at most; `None` where none is limited.
        fpir: Searches for somebody who isn't there that return anybody, at most; `None` where none is limited.
        least_true_positives: Comparisons of one person that are accepted, or searches for somebody enrolled that find
            them.
    """

    fmr: float | None = None
    fpir: float | None = None
    least_true_positives: float = LEAST_TRUE_POSITIVES

    def __post_init__(self) -> None:
        for name, value in (
            ("FMR", self.fmr),
            ("FPIR", self.fpir),
            ("share of true positives", self.least_true_positives),
        ):
            if value is not None and not 0.0 <= value <= 1.0:
                raise InputError(f"a limit of {value} on the {name} is no rate from 0 to 1")
        if self.fmr is None and self.fpir is None:
            raise InputError("an evaluation is held against a limit on false matches: state fmr, fpir or both")


@dataclass(frozen=True, slots=True)
class EvaluationReference:
    """The measurement of error rates that a use relies on, and what it has to show.

    What it showed is not stated here: it follows from what was published, each time it is asked (`gate.py`).

    Attributes:
        report_sha256: The commitment to its result, by which it is found.
    """

    evaluation: EvaluationId
    report_sha256: Sha256Hex
    limits: ErrorLimits

    def __post_init__(self) -> None:
        sha256_hex(self.report_sha256)


@dataclass(frozen=True, slots=True)
class Authority:
    """The document that allows what law reserves. The document itself stays with the operator; its hash is public.

    Attributes:
        place: Where it holds, in the document's own words.
        starts, ends: From `starts` up to, not including, `ends`.
    """

    kind: AuthorityKind
    document_sha256: Sha256Hex
    place: str
    starts: datetime
    ends: datetime

    def __post_init__(self) -> None:
        sha256_hex(self.document_sha256)
        if not self.place.strip():
            raise InputError("an authority needs the place where it holds")
        if self.ends <= self.starts:
            raise InputError("an authority ends before it starts")

    def holds_at(self, now: datetime) -> bool:
        return self.starts <= now < self.ends


@dataclass(frozen=True, slots=True)
class UseTerms:
    """What overseers vote on.

    Attributes:
        gallery: `None` for a use that compares pictures with each other and searches no gallery.
        evaluation: `None` only in the profile `private`, which asks for none.
        authority: `None` where no law asks for one; live use always needs one.
        course: Training that whoever searches and reviews must have; `None` where the profile asks for none.
        review_required: Whether candidates wait for two reviewers before anyone learns who they are.
        starts, expires: From `starts` up to, not including, `expires`.
    """

    agency: AgencyId
    gallery: GalleryId | None
    purpose: Purpose
    search_classes: frozenset[SearchClass]
    limits: Limits
    report: AccountabilityReport
    starts: datetime
    expires: datetime
    review_required: bool
    evaluation: EvaluationReference | None = None
    authority: Authority | None = None
    course: CourseId | None = None

    def __post_init__(self) -> None:
        if self.expires <= self.starts:
            raise InputError("a use expires before it starts")
        if not self.search_classes:
            raise InputError("a use needs a class of search")
        foreign = sorted(self.search_classes - PURPOSE_CLASSES[self.purpose])
        if foreign:
            raise InputError(f"the purpose {self.purpose.value!r} has no search of the class {foreign[0]!r}")
        if self.purpose is Purpose.INVESTIGATE_OFFENCE and not self.limits.offences:
            raise InputError(f"the purpose {self.purpose.value!r} needs the list of offences searched for")
        if Capture.LIVE in self.limits.captures and self.authority is None:
            raise InputError("live use needs the authority that allows it")
        if self.evaluation is not None:
            self._check_limits(self.evaluation.limits)

    def _check_limits(self, limits: ErrorLimits) -> None:
        if self.gallery is not None and limits.fpir is None:
            raise InputError("a use that searches limits the rate of searches that return a stranger: fpir")
        if self.gallery is None and (limits.fmr is None or limits.fpir is not None):
            raise InputError("a use that compares pictures limits the rate of false matches: fmr, and no fpir")
