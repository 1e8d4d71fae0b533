"""Entries about who runs, uses and oversees a service, and with which keys and software."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from recognizance.ledger.facts.fields import (
    Commitment,
    Count,
    Digest,
    Document,
    EntryReference,
    Facts,
    KeyText,
    Pseudonym,
    Text,
    Token,
)


class AgencyKind(StrEnum):
    LAW_ENFORCEMENT = "law_enforcement"
    LAW_ENFORCEMENT_SUPPLIER = "law_enforcement_supplier"
    BUSINESS = "business"
    RESEARCH = "research"
    PRIVATE = "private"


class Standing(StrEnum):
    """What became of a party or thing with this entry."""

    ADDED = "added"
    CHANGED = "changed"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment(Facts):
    """The service itself: who operates it, on what basis, for what, and who answers for it."""

    kind: ClassVar[str] = "deployment"
    operator: Text
    accountable_person: Text
    contact: Text
    profile: Token
    legal_basis: Text
    purposes: tuple[Token, ...]
    prohibited_uses: tuple[Token, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency(Facts):
    """An organisation that uses the service, and the person who answers for it in public."""

    kind: ClassVar[str] = "agency"
    agency: Token
    standing: Standing
    agency_kind: AgencyKind
    name: Text
    accountable_person: Text
    contact: Text
    reason: Text | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person(Facts):
    """Somebody who signs in, under a pseudonym that their later acts are recorded with."""

    kind: ClassVar[str] = "person"
    person: Pseudonym
    standing: Standing
    agency: Token
    roles: tuple[Token, ...]
    name: Commitment


@dataclass(frozen=True, slots=True, kw_only=True)
class Training(Facts):
    """A course that somebody completed, without which, or after whose expiry, they can't act in that role."""

    kind: ClassVar[str] = "training"
    person: Pseudonym
    course: Token
    completed: datetime
    expires: datetime
    certificate: Commitment


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey(Facts):
    """A key for the API was issued, bound, suspended or revoked."""

    kind: ClassVar[str] = "access_key"
    standing: Standing
    owner: Pseudonym
    agency: Token
    use: Token | None
    expires: datetime | None
    access_key_id: Commitment


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(Facts):
    """Somebody was given an account for the pages, or it was reset, suspended or resumed. It gives them no right."""

    kind: ClassVar[str] = "account"
    standing: Standing
    owner: Pseudonym
    agency: Token
    login: Commitment


@dataclass(frozen=True, slots=True, kw_only=True)
class OversightBody(Facts):
    """Those who decide on uses, and how many of them it takes."""

    kind: ClassVar[str] = "oversight_body"
    name: Text
    members: tuple[Pseudonym, ...]
    votes_needed: Count
    emergency_votes_needed: Count
    comment_period_days: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerKey(Facts):
    """The ledger's own signing key was changed. The entry is signed with the former key and then with the new one."""

    kind: ClassVar[str] = "ledger_key"
    former_key: KeyText | None
    new_key: KeyText
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness(Facts):
    """An outside witness was asked, or no longer is, to cosign the ledger's checkpoints."""

    kind: ClassVar[str] = "witness"
    standing: Standing
    key: KeyText
    operator: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Software(Facts):
    """The software that writes the entries from here on."""

    kind: ClassVar[str] = "software"
    name: Token
    version: Token
    digest: Digest
    dependencies_digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema(Facts):
    """The schema of entries from here on, whole, as JSON. Entries of a newer version come after theirs."""

    kind: ClassVar[str] = "schema"
    version: Count
    digest: Digest
    document: Document


class Occurrence(StrEnum):
    VIOLATION = "violation"
    BREACH = "breach"
    OUTAGE = "outage"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident(Facts):
    """Something went wrong, and what was done about it."""

    kind: ClassVar[str] = "incident"
    occurrence: Occurrence
    discovered: datetime
    agency: Token | None
    about: EntryReference | None
    statement: Text
    people_affected: Count | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing(Facts):
    """Data was shared outside an agency: with whom, what, and under which standard."""

    kind: ClassVar[str] = "sharing"
    agency: Token
    recipient: Text
    data: Text
    standard: Text
    use: Token | None


class ReportKind(StrEnum):
    ACCOUNTABILITY = "accountability"
    RIGHTS_IMPACT = "rights_impact"
    MONTHLY = "monthly"
    YEARLY = "yearly"
    AUDIT = "audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Facts):
    """A report was published. Its digest says which text; its expiry ends what relies on it."""

    kind: ClassVar[str] = "report"
    report: Token
    report_kind: ReportKind
    agency: Token
    use: Token | None
    digest: Digest
    expires: datetime | None
    cost_cents: Count | None
