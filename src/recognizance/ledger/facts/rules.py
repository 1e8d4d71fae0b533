"""Entries about the rules: uses and who voted for them, policy, thresholds, models and evaluations."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from recognizance.ledger.facts.fields import (
    Count,
    Digest,
    Document,
    EntryReference,
    Facts,
    Percentage,
    Pseudonym,
    Rate,
    Similarity,
    Text,
    Token,
)
from recognizance.ledger.facts.parties import Standing


class SearchClass(StrEnum):
    """What kind of identification a search is for (Regulation (EU) 2024/1689, article 26(10))."""

    INITIAL_IDENTIFICATION = "initial_identification"
    TARGETED = "targeted"
    MISSING_PERSON = "missing_person"
    VERIFICATION = "verification"
    DEDUPLICATION = "deduplication"
    ARCHIVE = "archive"
    EVALUATION = "evaluation"
    ORGANISATION = "organisation"
    PRIVATE = "private"
    SUBJECT_REQUEST = "subject_request"
    """By the desk, for somebody who asked what is held about them."""


class UseState(StrEnum):
    PROPOSED = "proposed"
    COMMENTED = "commented"
    APPROVED = "approved"
    REJECTED = "rejected"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"
    EMERGENCY = "emergency"
    EMERGENCY_AUTHORISED = "emergency_authorised"
    EMERGENCY_SUSPENDED = "emergency_suspended"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True, kw_only=True)
class UseProposal(Facts):
    """Everything that overseers approve or reject: who may search what, for what, within which limits, until when.

    `terms` is the text that is voted on, whole, as canonical JSON, and `terms_digest` what votes are bound to. The
    other fields say the same for whoever looks for something in particular. Thresholds are on the API's scale.
    """

    kind: ClassVar[str] = "use_proposal"
    use: Token
    agency: Token
    gallery: Token | None
    purpose: Token
    search_classes: tuple[SearchClass, ...]
    offences: tuple[Token, ...]
    is_live: bool
    threshold_floor_pct: Percentage
    max_candidates: Count
    max_searches_per_day: Count
    needs_review: bool
    evaluation: Token | None
    authority_digest: Digest | None
    starts: datetime
    expires: datetime
    comments_until: datetime
    approvals_needed: Count
    overseers: tuple[Pseudonym, ...]
    terms_digest: Digest
    terms: Document
    proposed_by: Pseudonym


@dataclass(frozen=True, slots=True, kw_only=True)
class UseTransition(Facts):
    """A use changed its state: decided by votes, a date, or the end of an emergency."""

    kind: ClassVar[str] = "use_transition"
    use: Token
    from_state: UseState
    to_state: UseState
    cause: Token
    decided_by: Pseudonym | None
    conditions: Text | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment(Facts):
    """A public comment on a proposal, published with the consent of whoever made it."""

    kind: ClassVar[str] = "comment"
    about: EntryReference
    statement: Text


class Visibility(StrEnum):
    """Whether pages and tables show a comment's text."""

    HIDDEN = "hidden"
    SHOWN = "shown"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentModeration(Facts):
    """An overseer hid a comment from pages and tables because of abuse, or showed it again, and says why.

    The comment's own entry stays as it is: what was hidden, by whom and why can be checked by everybody.
    """

    kind: ClassVar[str] = "comment_moderation"
    comment: EntryReference
    visibility: Visibility
    reason: Text
    moderated_by: Pseudonym


class Choice(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"
    ABSTAIN = "abstain"


class VoteQuestion(StrEnum):
    TERMS = "terms"
    REINSTATE = "reinstate"
    REVOKE = "revoke"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote(Facts):
    """One overseer's vote on an entry that proposes something, or on what was approved."""

    kind: ClassVar[str] = "vote"
    about: EntryReference
    question: VoteQuestion = VoteQuestion.TERMS
    voter: Pseudonym
    choice: Choice
    statement: Text | None
    conditions: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChange(Facts):
    """The policy that decides from here on, whole."""

    kind: ClassVar[str] = "policy"
    version: Token
    digest: Digest
    names: tuple[Token, ...]
    document: Document
    changed_by: Pseudonym | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdChange(Facts):
    """The decision threshold of a model changed, for one gallery or all."""

    kind: ClassVar[str] = "threshold"
    model: Token
    gallery: Token | None
    former: Similarity | None
    new: Similarity
    false_match_rate: Rate | None
    evaluation: EntryReference | None
    proposal: EntryReference | None
    changed_by: Pseudonym | None
    reason: Text


class ModelRole(StrEnum):
    DETECTOR = "detector"
    RECOGNISER = "recogniser"
    QUALITY = "quality"
    LIVENESS = "liveness"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model(Facts):
    """A model came into use, or went out of it: which file, from where, under what licence."""

    kind: ClassVar[str] = "model"
    model: Token
    standing: Standing
    role: ModelRole
    file_digest: Digest
    source: Text
    licence: Token


@dataclass(frozen=True, slots=True)
class GroupResult:
    """Errors and trials of one group, as counts: 0 of 10 and 0 of 10,000,000 are different findings."""

    group: Token
    impostor_comparisons: Count
    false_matches: Count
    mated_comparisons: Count
    false_non_matches: Count
    non_mated_searches: Count
    false_positive_identifications: Count
    mated_searches: Count
    false_negative_identifications: Count


class Verdict(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation(Facts):
    """A model's error rates were measured: by whom, on which data, for each group.

    Attributes:
        data_digest: What commits to the data: manifest and pictures.
        report_digest: SHA-256 of the result document.
        gallery_faces: The size of the gallery that FPIR and FNIR were measured in; a larger one has more errors.
        expires: From when no use may rely on it any more.
    """

    kind: ClassVar[str] = "evaluation"
    evaluation: Token
    model: Token
    tester: Text
    is_independent: bool
    protocol: Token
    data_digest: Digest
    report_digest: Digest
    seed: Count
    threshold: Similarity
    groups: tuple[GroupResult, ...]
    verdict: Verdict
    gallery_faces: Count | None = None
    expires: datetime | None = None
