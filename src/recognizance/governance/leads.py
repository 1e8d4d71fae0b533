"""Leads: what a review can lead to, what has to be true before one leaves the service, and what became of it.

A lead comes only from a settled review, always carries its stamp, and stays locked until a supervisor who neither
searched nor reviewed attests evidence that has nothing to do with the face. Edits of the probe are kept as a chain, so
that nobody can search a picture other than the one on record. Never says that anybody was identified, nor whether what
an agency says became of a lead is so. Pure.
Implements `docs/governance.md`, "Leads"; Maryland 2-502, Williams v. Detroit (2024), NYC Local Law 55 of 2025.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NewType

from recognizance.errors import ConflictError, DeniedError, InputError
from recognizance.governance.oversight import Sha256Hex, sha256_hex
from recognizance.governance.parties import AgencyId, Person, PersonId, Role
from recognizance.governance.review import LEAD_STAMP, Confirmation, Review, ReviewId, confirmed

LeadId = NewType("LeadId", str)


class EvidenceKind(StrEnum):
    """What can stand beside a lead. None of them is a face, a photograph or somebody's view of one."""

    WITNESS_WHO_KNOWS_THE_PERSON = "witness_who_knows_the_person"
    DOCUMENT = "document"
    FORENSIC_TRACE = "forensic_trace"
    LOCATION = "location"
    STATEMENT = "statement"
    PHYSICAL_OBJECT = "physical_object"


@dataclass(frozen=True, slots=True)
class Attestation:
    """Somebody's word that evidence independent of the face exists; the evidence itself stays with the agency."""

    attested_by: PersonId
    kind: EvidenceKind
    description: str
    document_sha256: Sha256Hex
    attested_at: datetime

    def __post_init__(self) -> None:
        sha256_hex(self.document_sha256)
        if not self.description.strip():
            raise InputError("an attestation says what the evidence is and why it is independent")


class OutcomeKind(StrEnum):
    """What can become of a lead."""

    ACTED_ON = "acted_on"
    """Somebody was looked for, questioned, searched or shown to a witness because of it."""
    ARREST = "arrest"
    """Somebody was arrested, which is acting on it too."""
    NOT_USED = "not_used"
    FALSE = "false"
    """It was somebody else; whatever was done because of it was done to the wrong person."""


@dataclass(frozen=True, slots=True)
class LeadOutcome:
    """Somebody's word on what became of a lead.

    Attributes:
        statement: What was done, or why nothing was; never public.
    """

    kind: OutcomeKind
    statement: str
    recorded_by: PersonId
    recorded_at: datetime

    def __post_init__(self) -> None:
        if not self.statement.strip():
            raise InputError("an outcome says what was done, or why nothing was")


class LeadState(StrEnum):
    LOCKED = "locked"
    ATTESTED = "attested"
    EXPORTED = "exported"
    ACTED_ON = "acted_on"
    ARREST = "arrest"
    NOT_USED = "not_used"
    FALSE = "false"
    WITHDRAWN = "withdrawn"
    """Its results had to be deleted, or whose face it was can't be shown any more."""


class LeadEvent(StrEnum):
    ATTEST = "attest"
    EXPORT = "export"
    ACT = "act"
    ARREST = "arrest"
    LEAVE = "leave"
    REFUTE = "refute"
    WITHDRAW = "withdraw"


LEAD_TABLE: Mapping[tuple[LeadState, LeadEvent], LeadState] = {
    (LeadState.LOCKED, LeadEvent.ATTEST): LeadState.ATTESTED,
    (LeadState.ATTESTED, LeadEvent.EXPORT): LeadState.EXPORTED,
    (LeadState.EXPORTED, LeadEvent.EXPORT): LeadState.EXPORTED,
    (LeadState.ATTESTED, LeadEvent.ACT): LeadState.ACTED_ON,
    (LeadState.EXPORTED, LeadEvent.ACT): LeadState.ACTED_ON,
    (LeadState.ACTED_ON, LeadEvent.EXPORT): LeadState.ACTED_ON,
    (LeadState.ACTED_ON, LeadEvent.ARREST): LeadState.ARREST,
    (LeadState.ARREST, LeadEvent.EXPORT): LeadState.ARREST,
    (LeadState.LOCKED, LeadEvent.LEAVE): LeadState.NOT_USED,
    (LeadState.ATTESTED, LeadEvent.LEAVE): LeadState.NOT_USED,
    (LeadState.EXPORTED, LeadEvent.LEAVE): LeadState.NOT_USED,
    (LeadState.LOCKED, LeadEvent.REFUTE): LeadState.FALSE,
    (LeadState.ATTESTED, LeadEvent.REFUTE): LeadState.FALSE,
    (LeadState.EXPORTED, LeadEvent.REFUTE): LeadState.FALSE,
    (LeadState.ACTED_ON, LeadEvent.REFUTE): LeadState.FALSE,
    (LeadState.ARREST, LeadEvent.REFUTE): LeadState.FALSE,
    (LeadState.NOT_USED, LeadEvent.REFUTE): LeadState.FALSE,
    (LeadState.LOCKED, LeadEvent.WITHDRAW): LeadState.WITHDRAWN,
    (LeadState.ATTESTED, LeadEvent.WITHDRAW): LeadState.WITHDRAWN,
    (LeadState.EXPORTED, LeadEvent.WITHDRAW): LeadState.WITHDRAWN,
    (LeadState.ACTED_ON, LeadEvent.WITHDRAW): LeadState.WITHDRAWN,
    (LeadState.ARREST, LeadEvent.WITHDRAW): LeadState.WITHDRAWN,
}
"""The life of a lead. What isn't here is refused: above all, exporting a locked one, and acting on it."""

OVER = frozenset({LeadState.NOT_USED, LeadState.FALSE, LeadState.WITHDRAWN})
"""Nobody acts on such a lead any more, and nobody needs to know whose face it was taken for."""

_STEPS: Mapping[OutcomeKind, LeadEvent] = {
    OutcomeKind.ACTED_ON: LeadEvent.ACT,
    OutcomeKind.ARREST: LeadEvent.ARREST,
    OutcomeKind.NOT_USED: LeadEvent.LEAVE,
    OutcomeKind.FALSE: LeadEvent.REFUTE,
}


@dataclass(frozen=True, slots=True)
class Lead:
    """A candidate that two reviewers confirmed independently; a place to look, not an answer."""

    id: LeadId
    review: ReviewId
    agency: AgencyId
    searcher: PersonId
    reviewers: tuple[PersonId, ...]
    confirmation: Confirmation
    created_at: datetime
    state: LeadState = LeadState.LOCKED
    attestation: Attestation | None = None
    stamp: str = LEAD_STAMP
    outcomes: tuple[LeadOutcome, ...] = ()

    def __post_init__(self) -> None:
        if self.stamp != LEAD_STAMP:
            raise ValueError("a lead's stamp can't be changed")


def leads_of(review: Review, ids: Sequence[LeadId], now: datetime) -> tuple[Lead, ...]:
    """The leads of a settled review, one for each confirmed face.

    Args:
        ids: Fresh ids, as many as there are confirmed faces.

    Raises:
        ValueError: If the number of ids is another.
    """
    found = confirmed(review)
    reviewers = tuple(given.reviewer for given in review.answers)
    return tuple(
        Lead(lead, review.id, review.agency, review.searcher, reviewers, confirmation, now)
        for lead, confirmation in zip(ids, found, strict=True)
    )


def may_attest(lead: Lead, person: Person) -> tuple[str, ...]:
    """Name what keeps `person` from attesting evidence for this lead; empty if nothing does."""
    obstacles: list[str] = []
    if Role.SUPERVISOR not in person.roles:
        obstacles.append("only a supervisor attests evidence")
    if person.agency != lead.agency:
        obstacles.append("the lead is another agency's")
    if person.id == lead.searcher or person.id in lead.reviewers:
        obstacles.append("whoever searched or reviewed can't attest that there is other evidence")
    return tuple(obstacles)


def attest(lead: Lead, person: Person, attestation: Attestation) -> Lead:
    """Unlock a lead's export.

    Raises:
        DeniedError: If this person may not.
        ConflictError: If the lead isn't locked.
    """
    obstacles = may_attest(lead, person)
    if obstacles or attestation.attested_by != person.id:
        raise DeniedError(f"{person.id!r} can't attest: {'; '.join(obstacles) or 'the attestation is somebody else’s'}")
    return replace(_advance(lead, LeadEvent.ATTEST), attestation=attestation)


def export(lead: Lead) -> Lead:
    """Let a lead leave the service, for a line-up or a case file.

    Raises:
        ConflictError: If it is locked or withdrawn. Says what unlocks it.
    """
    if lead.state is LeadState.LOCKED:
        raise ConflictError(
            f"lead {lead.id!r} is locked: a supervisor who neither searched nor reviewed has to attest "
            "independent evidence"
        )
    return _advance(lead, LeadEvent.EXPORT)


def possible_outcomes(lead: Lead) -> tuple[OutcomeKind, ...]:
    """What can be said to have become of a lead as it stands."""
    return tuple(kind for kind in OutcomeKind if _leads_to(lead, kind))


def conclude(lead: Lead, person: Person, said: LeadOutcome) -> tuple[Lead, ...]:
    """Put on record what became of a lead.

    Returns:
        The lead after each step that was taken, in order: an arrest is acting on the lead first, unless that is on
        record already.

    Raises:
        DeniedError: If this person is no supervisor of the lead's agency, or speaks for somebody else.
        ConflictError: If this can't become of a lead in its state: a locked one is acted on by nobody.
    """
    if Role.SUPERVISOR not in person.roles or person.agency != lead.agency or said.recorded_by != person.id:
        raise DeniedError(f"what became of lead {lead.id!r} is said by a supervisor of its own agency")
    if lead.state is LeadState.LOCKED and said.kind in {OutcomeKind.ACTED_ON, OutcomeKind.ARREST}:
        raise ConflictError(
            f"lead {lead.id!r} is locked: nobody acts on it before independent evidence is attested; if somebody has, "
            "report that as an incident"
        )
    steps: list[Lead] = []
    kinds = [said.kind]
    if said.kind is OutcomeKind.ARREST and lead.state is not LeadState.ACTED_ON:
        kinds.insert(0, OutcomeKind.ACTED_ON)
    for kind in kinds:
        lead = replace(_advance(lead, _STEPS[kind]), outcomes=(*lead.outcomes, replace(said, kind=kind)))
        steps.append(lead)
    return tuple(steps)


def withdraw_lead(lead: Lead) -> Lead:
    return _advance(lead, LeadEvent.WITHDRAW)


def _leads_to(lead: Lead, kind: OutcomeKind) -> bool:
    state: LeadState | None = lead.state
    if kind is OutcomeKind.ARREST and state is not LeadState.ACTED_ON:
        state = LEAD_TABLE.get((lead.state, LeadEvent.ACT))
    return state is not None and (state, _STEPS[kind]) in LEAD_TABLE


def _advance(lead: Lead, event: LeadEvent) -> Lead:
    following = LEAD_TABLE.get((lead.state, event))
    if following is None:
        raise ConflictError(f"lead {lead.id!r} is {lead.state.value!r}; {event.value!r} is refused")
    return replace(lead, state=following)


class EditKind(StrEnum):
    CROP = "crop"
    ROTATE = "rotate"
    BRIGHTNESS = "brightness"
    CONTRAST = "contrast"
    SCALE = "scale"


@dataclass(frozen=True, slots=True)
class ProbeEdit:
    """One change of a probe picture. Both versions are kept; adding or inventing parts of a face is no kind of edit."""

    kind: EditKind
    parameters: str
    before_sha256: Sha256Hex
    after_sha256: Sha256Hex
    edited_by: PersonId
    edited_at: datetime

    def __post_init__(self) -> None:
        sha256_hex(self.before_sha256)
        sha256_hex(self.after_sha256)


def check_edits(original: Sha256Hex, edits: Sequence[ProbeEdit], searched: Sha256Hex) -> None:
    """Make sure that the picture searched for is the original, changed by the recorded edits and nothing else.

    Raises:
        ConflictError: Names the first edit that doesn't follow from the one before.
    """
    current = original
    for number, edit in enumerate(edits, start=1):
        if edit.before_sha256 != current:
            raise ConflictError(f"edit {number} ({edit.kind.value}) doesn't start from the picture before it")
        current = edit.after_sha256
    if current != searched:
        raise ConflictError(f"the picture searched for isn't what {len(edits)} recorded edits lead to")
