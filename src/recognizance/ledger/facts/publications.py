"""Entries that people publish about a service: who oversees it, what it means for rights, what became of incidents.

Whatever stands here was written to be read by everybody. Counts of people are kept small-cell safe in the entry itself,
because an entry is public for good: exact ones are only committed to.
"""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class OversightMember(Facts):
    """An overseer who chose to be known by name, or no longer does; the others stay pseudonyms."""

    kind: ClassVar[str] = "oversight_member"
    person: Pseudonym
    standing: Standing
    name: Text | None
    office: Text | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsImpact(Facts):
    """An assessment of what a use means for people's rights (Regulation (EU) 2024/1689, article 27(1), (a) to (f))."""

    kind: ClassVar[str] = "rights_impact"
    report: Token
    agency: Token
    use: Token | None
    processes: Text
    period_and_frequency: Text
    people_affected: Text
    risks: Text
    oversight: Text
    measures: Text
    expires: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentNotice(Facts):
    """An incident has reached an overseer, and what they say to it."""

    kind: ClassVar[str] = "incident_notice"
    incident: EntryReference
    received_by: Pseudonym
    statement: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedCount:
    """A count as a range; `most` is absent where nothing bounds it. One that is shown as it is has both ends equal."""

    least: Count
    most: Count | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCount:
    """A count of one group of people."""

    group: Token
    count: PublishedCount


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadFigures(Facts):
    """Leads that an agency acted on in a year, by age, race or sex as people recorded them; no machine guessed any.

    Small counts are ranges here already; `groups` is empty where the parts would give them away, and `counts` commits
    to the exact ones.
    """

    kind: ClassVar[str] = "lead_figures"
    agency: Token
    year: Count
    dimension: Token
    total: PublishedCount
    groups: tuple[GroupCount, ...]
    are_groups_withheld: bool
    counted_by: Pseudonym
    counts: Commitment


class FindingStep(StrEnum):
    SUBMITTED = "submitted"
    MITIGATED = "mitigated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding(Facts):
    """What somebody who tested the service found, or what was done about it; `due` is by when it has to be."""

    kind: ClassVar[str] = "finding"
    finding: Token
    step: FindingStep
    statement: Text
    result_digest: Digest | None
    due: datetime
    stated_by: Pseudonym


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeProposal(Facts):
    """A change of the rules that overseers vote on, from one exact text to another."""

    kind: ClassVar[str] = "change_proposal"
    change: Token
    rule: Token
    summary: Text
    before: Digest
    after: Digest
    approvals_needed: Count
    overseers: tuple[Pseudonym, ...]
    proposed_by: Pseudonym
