"""What a policy is asked: who wants to do which act to what, on whose behalf, and what they stated.

Everything that a decision depends on is in one `Request`, so that a decision can be repeated from the record. Values
only, checked when built; nothing here decides. Implements `docs/policy.md`, "What a decision depends on".
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from recognizance.errors import InputError
from recognizance.governance.gate import NOTHING_NAMED, Evidence
from recognizance.governance.parties import AgencyId, AgencyKind, OwnerKind, PersonId, Role, UseId
from recognizance.governance.purposes import Capture, Declaration, LawfulBasis, OffenceCode, SearchClass, Source
from recognizance.governance.subjects import RequestId, RequestState
from recognizance.governance.terms import MOST_CANDIDATES
from recognizance.governance.uses import Use
from recognizance.identifiers import GalleryId, PrincipalId

MOST_PROBES = 10_000
"""Pictures that one request can ask for; a limit of ours, so that a count is always a small number."""


MOST_STATED_CHARACTERS = 256
"""The longest value of an AWS session tag, which is the usual way for a case to arrive."""


class Act(StrEnum):
    """Everything that policy is asked about: the acts on faces (`permits.Action`) and the acts of governing."""

    DETECT = "detect"
    COMPARE = "compare"
    SEARCH = "search"
    ENROL = "enrol"
    FORGET = "forget"
    READ_GALLERY = "read_gallery"
    MANAGE_GALLERY = "manage_gallery"
    MEASURE = "measure"
    SEARCH_FOR_ASKER = "search_for_asker"
    """Search with the picture of somebody who asked the desk what is held about them."""

    ASSUME_USE = "assume_use"
    REGISTER_AGENCY = "register_agency"
    MANAGE_PEOPLE = "manage_people"
    ISSUE_KEY = "issue_key"
    PROPOSE_USE = "propose_use"
    WITHDRAW_USE = "withdraw_use"
    DECLARE_EMERGENCY = "declare_emergency"
    VOTE = "vote"
    SUSPEND_USE = "suspend_use"
    PROPOSE_CHANGE = "propose_change"
    REVIEW = "review"
    ATTEST_EVIDENCE = "attest_evidence"
    EXPORT_LEAD = "export_lead"
    CONCLUDE_LEAD = "conclude_lead"
    """Say what became of a lead."""
    DISCLOSE = "disclose"
    HANDLE_REQUEST = "handle_request"
    RUN_RETENTION = "run_retention"
    READ_RECORD = "read_record"
    PUBLISH_DEPLOYMENT = "publish_deployment"
    PUBLISH_OVERSIGHT = "publish_oversight"
    PUBLISH_REPORT = "publish_report"
    PUBLISH_AUDIT = "publish_audit"
    REPORT_INCIDENT = "report_incident"
    PUBLISH_EVALUATION = "publish_evaluation"
    SUBMIT_FINDING = "submit_finding"
    TEST = "test"
    """Whatever a tester does to pictures and galleries of their own, to measure the service from outside."""


class Credential(StrEnum):
    """How the caller proved who they are."""

    PERSON_KEY = "person_key"
    PROGRAM_KEY = "program_key"
    SESSION = "session"
    """Short-lived, from `AssumeRole` on a use."""
    SIGN_IN = "sign_in"
    """Signed in to the pages, in person."""
    COMMAND_LINE = "command_line"
    """Standing at the machine."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as verified before policy is asked.

    Attributes:
        bound_use: The only use that this key or session works for; `None` if it isn't bound.
        trained_until: First moment at which the caller's training in the use's course no longer counts; `None` if they
            have none.
    """

    principal: PrincipalId
    kind: OwnerKind
    credential: Credential
    roles: frozenset[Role]
    agency: AgencyId | None
    bound_use: UseId | None = None
    trained_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class GalleryFacts:
    """What policy needs to know of a gallery.

    Attributes:
        agency: Who answers for it; `None` if it is only about to be created.
        faces_without_source: Faces enrolled without a stated source.
        joined_with_other_data: Whether its faces are linked to other personal data.
        enrolment: Source and basis of all its faces, where its agency has declared them once for the gallery.
        tester: Whose test gallery it is (`tester_of`); `None` for all others.
    """

    id: GalleryId
    agency: AgencyId | None
    sources: frozenset[Source] = frozenset()
    faces_without_source: int = 0
    joined_with_other_data: bool = False
    enrolment: "EnrolmentFacts | None" = None
    tester: PersonId | None = None


TEST_GALLERY_PREFIX = "test."
"""What a test gallery's name begins with; its tester's id and another dot follow."""


def tester_of(gallery: GalleryId) -> PersonId | None:
    """Whose test gallery this is, by its name, so that nobody can make it another one's; `None` for all others.

    >>> tester_of(GalleryId("test.2d1f.women-1")), tester_of(GalleryId("tests"))
    ('2d1f', None)
    """
    tester, dot, _ = gallery.removeprefix(TEST_GALLERY_PREFIX).partition(".")
    return PersonId(PrincipalId(tester)) if gallery.startswith(TEST_GALLERY_PREFIX) and dot and tester else None


@dataclass(frozen=True, slots=True)
class SearchFacts:
    """One search or comparison, as asked for.

    Attributes:
        search_class: `None` if the caller didn't say; then a use that allows only one class means that one.
        threshold_pct: The similarity from which candidates are answered, after defaults; 0 to 100.
        candidates: The most that it asks for, after defaults.
        probes: Pictures that this one request searches for.
    """

    search_class: SearchClass | None
    capture: Capture
    threshold_pct: float
    candidates: int
    probes: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.threshold_pct <= 100:
            raise InputError(f"threshold is {self.threshold_pct} %; it lies between 0 and 100")
        if not 1 <= self.candidates <= MOST_CANDIDATES:
            raise InputError(f"a search asks for {self.candidates} candidates; the limit is {MOST_CANDIDATES}")
        if not 1 <= self.probes <= MOST_PROBES:
            raise InputError(f"a request searches for {self.probes} pictures; the limit is {MOST_PROBES}")


@dataclass(frozen=True, slots=True)
class EnrolmentFacts:
    source: Source | None
    basis: LawfulBasis | None


@dataclass(frozen=True, slots=True)
class AskerFacts:
    """The request of somebody who asked the desk, as it stands at this moment."""

    request: RequestId
    state: RequestState


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the caller stated: why this, and in which case. One line each, of printable characters."""

    case: str | None = None
    justification: str | None = None
    offence: OffenceCode | None = None
    declared: frozenset[Declaration] = frozenset()

    def __post_init__(self) -> None:
        stated = {"case": self.case, "justification": self.justification, "offence": self.offence}
        for name, text in stated.items():
            if text is not None and len(text) > MOST_STATED_CHARACTERS:
                raise InputError(f"the {name} has {len(text)} characters; the limit is {MOST_STATED_CHARACTERS}")
            if text is not None and not text.isprintable():
                raise InputError(f"the {name} has characters that can't be printed")


NOTHING_STATED = Grounds()


@dataclass(frozen=True, slots=True)
class Asking:
    """What the caller brought with one request, as far as verified or stated.

    Attributes:
        use: The use that the session, the key or the request names; `None` if none does.
        bound_use: The only use that the key or session works for; `None` if it isn't bound.
        desk_request: The request to the desk that this is done for; `None` if it's done for none.
    """

    credential: Credential
    use: UseId | None = None
    bound_use: UseId | None = None
    search: SearchFacts | None = None
    enrolment: EnrolmentFacts | None = None
    grounds: Grounds = NOTHING_STATED
    desk_request: RequestId | None = None


AT_THE_MACHINE = Asking(Credential.COMMAND_LINE)
"""Somebody at the machine's own command line, who has stated nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """One question to the policies.

    Attributes:
        gallery: What the act is done to; `None` for acts on no gallery.
        use_agency_kind: The kind of the agency whose use it is; given exactly when `use` is.
        searches_today: Made under the use since midnight UTC, this request not included.
        asker: Whose request to the desk this is done for; `None` if it's done for none, or there is no such request.
        evidence: What the use's evaluation comes to.
        now: Aware; every rule about time is about this moment.
    """

    caller: Caller
    act: Act
    now: datetime
    gallery: GalleryFacts | None = None
    use: Use | None = None
    use_agency_kind: AgencyKind | None = None
    search: SearchFacts | None = None
    enrolment: EnrolmentFacts | None = None
    grounds: Grounds = NOTHING_STATED
    searches_today: int = 0
    asker: AskerFacts | None = None
    evidence: Evidence = NOTHING_NAMED

    def __post_init__(self) -> None:
        if self.now.tzinfo is None:
            raise ValueError("a request's moment needs a time zone")
        if (self.use is None) != (self.use_agency_kind is None):
            raise ValueError("a use comes with the kind of its agency, and the kind with a use")
