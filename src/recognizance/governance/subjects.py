"""The desk: what people ask about themselves, by when they get an answer, and what they say that has to last.

Anybody may ask whether they are enrolled or were ever a candidate, have data corrected or erased, and complain. Each
request has a deadline that runs from the day it came in and never stops; it can be extended once, with a reason. A mark
"not this person" belongs to a case or a probe and to a person, not to a face id or a score, so that it survives
enrolling again and a change of the model. Never holds what somebody sent to prove who they are. Pure: time comes in.

Implements `docs/governance.md`, "The desk". Days are the operator's to set: statutes differ, and the defaults are the
shortest reading of GDPR Article 12(3) (one month, and two more), not advice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NewType

from recognizance.errors import ConflictError, InputError
from recognizance.governance.oversight import Sha256Hex, sha256_hex
from recognizance.governance.parties import PersonId
from recognizance.identifiers import FaceId, GalleryId, SubjectId

RequestId = NewType("RequestId", str)
CaseId = NewType("CaseId", str)
"""The reference of a case, as the operator writes it."""


class RequestKind(StrEnum):
    ACCESS = "access"
    ERASURE = "erasure"
    CORRECTION = "correction"
    COMPLAINT = "complaint"


class RequestState(StrEnum):
    RECEIVED = "received"
    AWAITING_PROOF = "awaiting_proof"
    """The desk asked who is asking. The deadline runs on."""
    VERIFIED = "verified"
    ANSWERED = "answered"
    REFUSED = "refused"
    APPEALED = "appealed"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class RequestEvent(StrEnum):
    ASK_FOR_PROOF = "ask_for_proof"
    VERIFY = "verify"
    ANSWER = "answer"
    REFUSE = "refuse"
    APPEAL = "appeal"
    OVERTURN = "overturn"
    """The appeal is right: the desk has to deal with the request again."""
    UPHOLD = "uphold"
    WITHDRAW = "withdraw"


_S, _E = RequestState, RequestEvent
REQUEST_TABLE: Mapping[tuple[RequestState, RequestEvent], RequestState] = {
    (_S.RECEIVED, _E.ASK_FOR_PROOF): _S.AWAITING_PROOF,
    (_S.RECEIVED, _E.VERIFY): _S.VERIFIED,
    (_S.RECEIVED, _E.REFUSE): _S.REFUSED,
    (_S.RECEIVED, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.AWAITING_PROOF, _E.VERIFY): _S.VERIFIED,
    (_S.AWAITING_PROOF, _E.REFUSE): _S.REFUSED,
    (_S.AWAITING_PROOF, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.VERIFIED, _E.ANSWER): _S.ANSWERED,
    (_S.VERIFIED, _E.REFUSE): _S.REFUSED,
    (_S.VERIFIED, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.ANSWERED, _E.APPEAL): _S.APPEALED,
    (_S.REFUSED, _E.APPEAL): _S.APPEALED,
    (_S.APPEALED, _E.OVERTURN): _S.VERIFIED,
    (_S.APPEALED, _E.UPHOLD): _S.CLOSED,
    (_S.APPEALED, _E.WITHDRAW): _S.WITHDRAWN,
}
"""The life of a request. What isn't here is refused."""

OPEN_STATES = frozenset({_S.RECEIVED, _S.AWAITING_PROOF, _S.VERIFIED, _S.APPEALED})
"""States in which an answer is still owed."""


class Refusal(StrEnum):
    """Why a request is refused; published by kind."""

    NOT_PROVEN_WHO_ASKS = "not_proven_who_asks"
    ORDER_TO_PRESERVE = "order_to_preserve"
    RUNNING_INVESTIGATION = "running_investigation"
    RIGHTS_OF_OTHERS = "rights_of_others"
    NOT_ABOUT_THE_ASKER = "not_about_the_asker"


@dataclass(frozen=True, slots=True)
class DeskTerms:
    """How quickly the desk answers.

    Attributes:
        days: From the day after the request came in; the last of them is the deadline.
        extension_days: Added once, with a reason.
    """

    days: int = 28
    extension_days: int = 56

    def __post_init__(self) -> None:
        if self.days < 1 or self.extension_days < 0:
            raise InputError(f"the desk answers within {self.days} days, extended by {self.extension_days}")


@dataclass(frozen=True, slots=True)
class SubjectRequest:
    """What somebody asked. Who they are is in the operator's sealed records, reachable by `id` alone.

    Attributes:
        appeal_received: The day of the latest appeal, from which the deadline runs anew; `None` without one.
        extension_reason: Empty unless the deadline was extended.
    """

    id: RequestId
    kind: RequestKind
    received: date
    terms: DeskTerms
    state: RequestState = RequestState.RECEIVED
    officer: PersonId | None = None
    refusal: Refusal | None = None
    extension_reason: str = ""
    appeal_received: date | None = None

    def __post_init__(self) -> None:
        if (self.state is RequestState.REFUSED) and self.refusal is None:
            raise InputError(f"request {self.id!r} is refused without a reason")

    @property
    def deadline(self) -> date:
        """The last day on which an answer is in time."""
        start = self.appeal_received or self.received
        extension = self.terms.extension_days if self.extension_reason else 0
        return start + timedelta(days=self.terms.days + extension)

    def is_overdue_on(self, today: date) -> bool:
        return self.state in OPEN_STATES and today > self.deadline


def advance(
    request: SubjectRequest,
    event: RequestEvent,
    *,
    today: date,
    officer: PersonId | None = None,
    refusal: Refusal | None = None,
) -> SubjectRequest:
    """Take one step of `REQUEST_TABLE`.

    Args:
        officer: Who took it; needed for everything but an appeal or a withdrawal, which are the asker's.
        refusal: Why; given exactly with `REFUSE`.

    Raises:
        ConflictError: If the step isn't in the table.
        InputError: If the officer or the reason is missing, or a reason is given where there is no refusal.
    """
    following = REQUEST_TABLE.get((request.state, event))
    if following is None:
        raise ConflictError(f"request {request.id!r} is {request.state.value!r}; {event.value!r} is refused")
    askers = event in {RequestEvent.APPEAL, RequestEvent.WITHDRAW}
    if not askers and officer is None:
        raise InputError(f"{event.value!r} on request {request.id!r} needs the officer who does it")
    if (event is RequestEvent.REFUSE) != (refusal is not None):
        raise InputError(f"a reason to refuse goes with a refusal of request {request.id!r}, and with nothing else")
    if event in {RequestEvent.OVERTURN, RequestEvent.UPHOLD} and officer == request.officer:
        raise ConflictError(f"the appeal on request {request.id!r} is decided by somebody else than the first time")
    appealed = event is RequestEvent.APPEAL
    return replace(
        request,
        state=following,
        officer=request.officer if askers or officer is None else officer,
        refusal=refusal if event is RequestEvent.REFUSE else request.refusal,
        appeal_received=today if appealed else request.appeal_received,
        extension_reason="" if appealed else request.extension_reason,
    )


def extend(request: SubjectRequest, reason: str, today: date) -> SubjectRequest:
    """Give the desk its one extension, before the deadline and with a reason that the asker is told.

    Raises:
        ConflictError: If no answer is owed any more, the deadline has passed or it was extended before.
        InputError: If there is no reason.
    """
    if not reason.strip():
        raise InputError(f"extending request {request.id!r} needs a reason")
    if request.state not in OPEN_STATES or request.extension_reason or today > request.deadline:
        raise ConflictError(f"request {request.id!r} can't be extended (again, or after its deadline or its answer)")
    return replace(request, extension_reason=reason)


def overdue(requests: Iterable[SubjectRequest], today: date) -> tuple[SubjectRequest, ...]:
    """Requests that are late, the latest deadline last. The register counts them."""
    late = (request for request in requests if request.is_overdue_on(today))
    return tuple(sorted(late, key=lambda request: (request.deadline, request.id)))


class MarkScope(StrEnum):
    PROBE = "probe"
    """This picture doesn't show this person."""
    CASE = "case"
    """Whoever is looked for in this case isn't this person."""


@dataclass(frozen=True, slots=True)
class EnrolledIdentity:
    """Who an enrolled face stands for, by what outlives its face id.

    Attributes:
        subject: The operator's own name for the person, if the face has one.
        image_sha256: Of the enrolled picture; enrolling it again gives a new face id and the same hash.
    """

    subject: SubjectId | None
    image_sha256: Sha256Hex

    def __post_init__(self) -> None:
        sha256_hex(self.image_sha256)

    def is_same(self, other: "EnrolledIdentity") -> bool:
        """The same subject or the same picture: neither a new picture nor a new name sheds a mark."""
        same_subject = self.subject is not None and self.subject == other.subject
        return same_subject or self.image_sha256 == other.image_sha256


@dataclass(frozen=True, slots=True)
class NotThisPerson:
    """Somebody's finding that a candidate is not who was looked for; kept apart from faces, templates and scores.

    Attributes:
        probe_sha256: Of the original picture, before any edit; given exactly with the scope `PROBE`.
        case: Given exactly with the scope `CASE`.
    """

    scope: MarkScope
    gallery: GalleryId
    identity: EnrolledIdentity
    marked_by: PersonId
    reasons: str
    marked_at: datetime
    probe_sha256: Sha256Hex | None = None
    case: CaseId | None = None

    def __post_init__(self) -> None:
        if (self.scope is MarkScope.PROBE) != (self.probe_sha256 is not None):
            raise InputError("a mark on a probe names the probe, and no other mark does")
        if (self.scope is MarkScope.CASE) != (self.case is not None):
            raise InputError("a mark on a case names the case, and no other mark does")
        if not self.reasons.strip():
            raise InputError("a mark needs reasons")

    def applies_to(
        self, gallery: GalleryId, identity: EnrolledIdentity, *, probe_sha256: Sha256Hex, case: CaseId | None
    ) -> bool:
        if gallery != self.gallery or not self.identity.is_same(identity):
            return False
        return probe_sha256 == self.probe_sha256 if self.scope is MarkScope.PROBE else case == self.case


def marked_faces(
    candidates: Mapping[FaceId, EnrolledIdentity],
    marks: Iterable[NotThisPerson],
    *,
    gallery: GalleryId,
    probe_sha256: Sha256Hex,
    case: CaseId | None,
) -> frozenset[FaceId]:
    """Candidates that somebody has already found not to be who is looked for.

    They are left out of what a search answers, and are on its record as left out.
    """
    kept = tuple(marks)
    return frozenset(
        face
        for face, identity in candidates.items()
        if any(mark.applies_to(gallery, identity, probe_sha256=probe_sha256, case=case) for mark in kept)
    )
