"""Entries about the people whose faces are held: what they asked, and what was forgotten."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from recognizance.ledger.facts.fields import (
    Commitment,
    Count,
    Digest,
    EntryReference,
    Facts,
    Pseudonym,
    Text,
    Token,
)
from recognizance.ledger.facts.parties import Standing


class RequestKind(StrEnum):
    ACCESS = "access"
    ERASURE = "erasure"
    CORRECTION = "correction"
    COMPLAINT = "complaint"


class RequestEvent(StrEnum):
    RECEIVED = "received"
    EXTENDED = "extended"
    ANSWERED = "answered"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    APPEALED = "appealed"
    OVERTURNED = "overturned"
    UPHELD = "upheld"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRequest(Facts):
    """Somebody asked what is held about them, or asked for a change; or was answered."""

    kind: ClassVar[str] = "subject_request"
    request: Token
    request_kind: RequestKind
    event: RequestEvent
    due: datetime
    handled_by: Pseudonym | None
    reason: Token | None
    subject: Commitment
    answer: Commitment


class ErasureScope(StrEnum):
    FACE = "face"
    SUBJECT = "subject"
    GALLERY = "gallery"
    CASE = "case"
    RESULTS = "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure(Facts):
    """Faces and what was known of them were destroyed, the salts of their commitments included."""

    kind: ClassVar[str] = "erasure"
    scope: ErasureScope
    gallery: Token | None
    cause: Token
    request: Token | None
    faces: Count
    images: Count
    salts: Count
    done_by: Pseudonym | None
    proof_digest: Digest
    subject: Commitment


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention(Facts):
    """How long a gallery keeps what, from now on."""

    kind: ClassVar[str] = "retention"
    gallery: Token
    years_after_last_interaction: Count
    limits: Text
    changed_by: Pseudonym


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(Facts):
    """An order to preserve keeps something from being destroyed until a date."""

    kind: ClassVar[str] = "hold"
    gallery: Token
    until: datetime
    order_digest: Digest
    held_by: Pseudonym
    holding: Commitment


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRun(Facts):
    """The retention schedule of a gallery was carried out: what went, what is kept, held back, or could not go."""

    kind: ClassVar[str] = "retention_run"
    gallery: Token
    rule: Token
    due_before: datetime
    faces_destroyed: Count
    things_destroyed: Count
    things_kept: Count
    things_held: Count
    failed: Count
    receipt_digest: Digest
    erasures: tuple[EntryReference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoration(Facts):
    """The service's records were put back from an older copy, while its ledger went on or ended there as well.

    Entries `known_entries` to `ledger_entries` are of the time in between. They stay, and hold; but the records have
    lost what they committed to, and the changes that they speak of, unless these are taken again by further entries.

    Attributes:
        known_entries: How far the copy of the records knew the ledger.
        ledger_entries: How many entries the ledger had when they were put back.
        unknown_entries: Those among the entries in between that the records had never committed to.
        galleries_erased: Galleries that had been erased in between, and were again.
        rights_ended: Uses, agencies, people and owners of keys that had lost a right in between, and have again.
        erasures_to_repeat: Erasures in between of faces, subjects or results, which people have to repeat.
        holds_lost: Orders to preserve that were entered in between, which people have to enter again.
    """

    kind: ClassVar[str] = "restoration"
    known_entries: Count
    ledger_entries: Count
    unknown_entries: Count
    galleries_erased: Count
    rights_ended: Count
    erasures_to_repeat: Count
    holds_lost: Count
    reason: Text
    restored_by: Pseudonym | None


class MarkScope(StrEnum):
    PROBE = "probe"
    CASE = "case"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark(Facts):
    """Somebody found that a candidate is not who was looked for, in one picture or one case; or took that back."""

    kind: ClassVar[str] = "mark"
    mark: Token
    standing: Standing
    gallery: Token
    scope: MarkScope
    marked_by: Pseudonym
    identity: Commitment
    reasons: Commitment


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression(Facts):
    """Candidates were left out of what a search answered, because of marks."""

    kind: ClassVar[str] = "suppression"
    search: EntryReference
    gallery: Token
    candidates: Count
    marks: tuple[Token, ...]
