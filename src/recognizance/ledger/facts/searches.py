"""Entries about galleries, what is searched in them, and what people make of the candidates."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from recognizance.ledger.facts.fields import (
    Commitment,
    Count,
    Digest,
    EntryReference,
    Facts,
    Pseudonym,
    Similarity,
    Text,
    Token,
)
from recognizance.ledger.facts.parties import Standing
from recognizance.ledger.facts.rules import SearchClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery(Facts):
    """A gallery was created, changed or deleted: where its faces come from and how long they stay."""

    kind: ClassVar[str] = "gallery"
    gallery: Token
    standing: Standing
    agency: Token
    model: Token
    source: Text
    lawful_basis: Text
    categories: tuple[Token, ...]
    retention_days: Count | None
    changed_by: Pseudonym


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryDeclaration(Facts):
    """Somebody said whose a gallery is, where all its images come from, and what allows keeping them.

    Before the first face is in it; of several, the last one holds.
    """

    kind: ClassVar[str] = "gallery_declaration"
    gallery: Token
    agency: Token
    source: Token
    lawful_basis: Token
    declared_by: Pseudonym


class ContentChange(StrEnum):
    ENROLLED = "enrolled"
    REMOVED = "removed"
    ASSOCIATED = "associated"
    DISASSOCIATED = "disassociated"
    SUBJECT_ADDED = "subject_added"
    SUBJECT_REMOVED = "subject_removed"
    CORRECTED = "corrected"


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryContent(Facts):
    """A gallery's content changed: its version, and a commitment to what went in and out.

    The commitments of all its versions are one to all that it holds: no face is in it that none of them speaks of.
    """

    kind: ClassVar[str] = "gallery_content"
    gallery: Token
    version: Count
    change: ContentChange
    faces_added: Count
    faces_removed: Count
    faces: Count
    changed_by: Pseudonym
    content: Commitment


class SearchOutcome(StrEnum):
    CANDIDATES = "candidates"
    NO_CANDIDATE = "no_candidate"
    NO_FACE = "no_face"


@dataclass(frozen=True, slots=True, kw_only=True)
class Search(Facts):
    """A face was searched for, null results included. Everything about the face and the case is a commitment."""

    kind: ClassVar[str] = "search"
    use: Token
    agency: Token
    searched_by: Pseudonym
    gallery: Token
    gallery_version: Count
    model: Token
    threshold: Similarity
    purpose: Token
    search_class: SearchClass
    offence: Token | None
    is_late_authorisation: bool
    outcome: SearchOutcome
    candidates: Count
    decision: Token
    policies: tuple[Token, ...]
    case: Commitment
    justification: Commitment
    probe: Commitment
    result: Commitment


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(Facts):
    """Two given faces were compared, without a gallery."""

    kind: ClassVar[str] = "comparison"
    use: Token
    agency: Token
    compared_by: Pseudonym
    model: Token
    threshold: Similarity
    matches: Count
    decision: Token
    policies: tuple[Token, ...]
    case: Commitment
    probe: Commitment
    result: Commitment


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection(Facts):
    """Faces were looked for in a picture, and no template was made of them."""

    kind: ClassVar[str] = "detection"
    use: Token
    agency: Token
    detected_by: Pseudonym
    faces: Count
    decision: Token
    policies: tuple[Token, ...]
    case: Commitment
    photograph: Commitment


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure(Facts):
    """An act was permitted, looked at faces, and ended without an answer. What was seen was answered to nobody."""

    kind: ClassVar[str] = "failure"
    action: Token
    use: Token
    agency: Token
    tried_by: Pseudonym
    gallery: Token | None
    cause: Token
    decision: Token
    policies: tuple[Token, ...]
    case: Commitment


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal(Facts):
    """Policy refused an act, and said what was missing and who can grant it."""

    kind: ClassVar[str] = "refusal"
    decision: Token
    action: Token
    use: Token | None
    agency: Token | None
    refused: Pseudonym | None
    gallery: Token | None
    purpose: Token | None
    policies: tuple[Token, ...]
    missing: tuple[Token, ...]
    granted_by: tuple[Token, ...]
    case: Commitment


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewOpened(Facts):
    """A search's candidates wait for reviewers who don't see each other's answers."""

    kind: ClassVar[str] = "review_opened"
    review: Token
    search: EntryReference
    use: Token
    candidates: Count
    reviewers_needed: Count


class ReviewOutcome(StrEnum):
    SAME_PERSON = "same_person"
    DIFFERENT = "different"
    INCONCLUSIVE = "inconclusive"
    IMAGE_UNSUITABLE = "image_unsuitable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewStep(Facts):
    """Something was done in a review: it was taken on, given back, answered or withdrawn.

    Which review, by whom and what is committed to and not said, because the second reviewer can read the ledger too.
    The answers are said in public, as `ReviewAnswer`, once the review is over.
    """

    kind: ClassVar[str] = "review_step"
    use: Token
    review: Commitment
    step: Commitment
    reviewer: Commitment
    answer: Commitment


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewAnswer(Facts):
    """One reviewer's answer on one candidate."""

    kind: ClassVar[str] = "review_answer"
    review: Token
    reviewer: Pseudonym
    round: Count
    outcome: ReviewOutcome
    candidate: Commitment
    reasons: Commitment


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeEdit(Facts):
    """A probe image was edited before it was searched or reviewed; every version is kept."""

    kind: ClassVar[str] = "probe_edit"
    use: Token
    edited_by: Pseudonym
    operation: Token
    before: Commitment
    after: Commitment


class LeadEvent(StrEnum):
    CONFIRMED = "confirmed"
    EVIDENCE_ATTESTED = "evidence_attested"
    EXPORTED = "exported"
    ACTED_ON = "acted_on"
    ARREST = "arrest"
    NOT_USED = "not_used"
    FALSE = "false"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead(Facts):
    """What became of a candidate that reviewers confirmed: an investigative lead, never an identification."""

    kind: ClassVar[str] = "lead"
    lead: Token
    review: Token
    use: Token
    event: LeadEvent
    done_by: Pseudonym
    case: Commitment
    evidence: Commitment


class AlertEvent(StrEnum):
    RAISED = "raised"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert(Facts):
    """A watchlist raised an alert, or somebody decided on one."""

    kind: ClassVar[str] = "alert"
    alert: Token
    use: Token
    watchlist: Token
    watchlist_version: Count
    camera: Token
    event: AlertEvent
    decided_by: Pseudonym | None
    candidate: Commitment
    frame: Commitment


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure(Facts):
    """A bundle of everything about a case was handed out, for a court or a defendant."""

    kind: ClassVar[str] = "disclosure"
    use: Token
    disclosed_by: Pseudonym
    recipient_kind: Token
    searches: Count
    entries: Count
    bundle_digest: Digest
    statement: Text | None
    case: Commitment
    recipient: Commitment
