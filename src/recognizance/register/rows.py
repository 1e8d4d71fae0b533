"""The shapes of the register: its nine sections, their tables, and the rows of each table.

The docstrings are published with the JSON Schema, and the names with the JSON and CSV: to change one is to change the
format. Rows are flat, so that every table is a table everywhere.
"""

from dataclasses import dataclass
from datetime import datetime

from recognizance.register.suppression import Cell

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Statement:
    """Who operates the service, on what legal basis, for what. The last row is in force."""

    since: datetime
    operator: str
    accountable_person: str
    contact: str
    profile: str
    legal_basis: str
    purposes: tuple[str, ...]
    prohibited_uses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AgencyRow:
    """An agency as its last entry has it."""

    agency: str
    kind: str
    name: str
    accountable_person: str
    contact: str
    standing: str
    since: datetime
    reason: str | None


@dataclass(frozen=True, slots=True)
class UseRow:
    """A use as it was proposed, and the state that it was brought to. After `expires` it is over in any case."""

    use: str
    agency: str
    gallery: str | None
    purpose: str
    search_classes: tuple[str, ...]
    offences: tuple[str, ...]
    is_live: bool
    needs_review: bool
    threshold_floor_pct: float
    max_candidates: int
    max_searches_per_day: int
    state: str
    proposed: datetime
    comments_until: datetime
    approvals_needed: int
    starts: datetime
    expires: datetime
    evaluation: str | None
    authority_digest: str | None
    terms_digest: str


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A published report or audit, by the SHA-256 of its text."""

    report: str
    kind: str
    agency: str
    use: str | None
    digest: str
    published: datetime
    expires: datetime | None


@dataclass(frozen=True, slots=True)
class RightsImpactRow:
    """What a use means for people's rights: the six elements of the EU AI Act's article 27(1), (a) to (f)."""

    report: str
    agency: str
    use: str | None
    processes: str
    period_and_frequency: str
    people_affected: str
    risks: str
    oversight: str
    measures: str
    published: datetime
    expires: datetime | None


@dataclass(frozen=True, slots=True)
class DeploymentSection:
    """1. Who runs the service, for whom, for what, until when."""

    statements: tuple[Statement, ...]
    agencies: tuple[AgencyRow, ...]
    uses: tuple[UseRow, ...]
    reports: tuple[ReportRow, ...]
    rights_impact: tuple[RightsImpactRow, ...]


@dataclass(frozen=True, slots=True)
class BodyRow:
    """The oversight body, and how many votes it takes. The last row is in force."""

    since: datetime
    name: str
    members: int
    votes_needed: int
    emergency_votes_needed: int
    comment_period_days: int


@dataclass(frozen=True, slots=True)
class MemberRow:
    """An overseer who chose to be known by name. Votes name them by the same pseudonym."""

    member: str
    name: str
    office: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A use came from one state into another: why, by whom, under which conditions."""

    use: str
    decided: datetime
    from_state: str
    to_state: str
    cause: str
    decided_by: str | None
    conditions: str | None


@dataclass(frozen=True, slots=True)
class VoteRow:
    """One overseer's vote. `about` is the entry voted on; `use` is empty where that proposes no use."""

    about: str
    use: str | None
    question: str
    cast: datetime
    voter: str
    choice: str
    conditions: tuple[str, ...]
    statement: str | None


@dataclass(frozen=True, slots=True)
class CommentRow:
    """A public comment on a proposal. `about` and `entry` are the entries of the proposal and of the comment.

    A comment that an overseer hid because of abuse has no statement here, and `hidden` says why; its entry has it.
    """

    about: str
    use: str | None
    made: datetime
    statement: str
    entry: str
    hidden: str | None


@dataclass(frozen=True, slots=True)
class SuspensionRow:
    """A use was suspended; `ended` is when it left that state, and `ended_as` what it became."""

    use: str
    suspended: datetime
    cause: str
    ended: datetime | None
    ended_as: str | None


@dataclass(frozen=True, slots=True)
class OversightSection:
    """2. Who oversees the service, and what they decided."""

    bodies: tuple[BodyRow, ...]
    members: tuple[MemberRow, ...]
    decisions: tuple[DecisionRow, ...]
    votes: tuple[VoteRow, ...]
    comments: tuple[CommentRow, ...]
    suspensions: tuple[SuspensionRow, ...]


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model came into use, or went out of it."""

    since: datetime
    model: str
    standing: str
    role: str
    file_digest: str
    source: str
    licence: str


@dataclass(frozen=True, slots=True)
class ThresholdRow:
    """A decision threshold was set or changed, as cosine similarity from -1 to 1; `gallery` is empty where for all."""

    changed: datetime
    model: str
    gallery: str | None
    former: float | None
    new: float
    false_match_rate: float | None
    reason: str
    changed_by: str | None


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """The policy was set or changed. The last row is in force; its text is in the entry."""

    changed: datetime
    version: str
    digest: str
    policies: tuple[str, ...]
    changed_by: str | None


@dataclass(frozen=True, slots=True)
class SoftwareRow:
    """The software that runs from then on."""

    since: datetime
    name: str
    version: str
    digest: str
    dependencies_digest: str


@dataclass(frozen=True, slots=True)
class SystemSection:
    """3. What searches: models, thresholds and their history, policy, software."""

    models: tuple[ModelRow, ...]
    thresholds: tuple[ThresholdRow, ...]
    policies: tuple[PolicyRow, ...]
    software: tuple[SoftwareRow, ...]


@dataclass(frozen=True, slots=True)
class GalleryRow:
    """A gallery as its last entries have it. `content_version` counts the changes of its content."""

    gallery: str
    agency: str
    standing: str
    model: str
    source: str
    lawful_basis: str
    categories: tuple[str, ...]
    retention_days: int | None
    faces: Cell
    content_version: int
    content_changed: datetime | None
    last_purge: datetime | None
    last_purge_rule: str | None
    last_purge_faces: Cell | None


@dataclass(frozen=True, slots=True)
class GalleriesSection:
    """4. What is searched in."""

    galleries: tuple[GalleryRow, ...]


@dataclass(frozen=True, slots=True)
class EvaluationRow:
    """A test of a model. The ratios are largest to smallest rate among the groups; empty where a rate is 0.

    `gallery_faces` is the size of the gallery that was searched; a larger one has more errors. From `expires` on no use
    may rely on it; where it is empty, it wasn't published for uses to rely on. `uses` names those that do.
    """

    evaluation: str
    made: datetime
    model: str
    tester: str
    is_independent: bool
    protocol: str
    data_digest: str
    report_digest: str
    seed: int
    threshold: float
    verdict: str
    gallery_faces: int | None
    expires: datetime | None
    is_expired: bool | None
    uses: tuple[str, ...]
    fmr_ratio: float | None
    fnmr_ratio: float | None
    fpir_ratio: float | None
    fnir_ratio: float | None


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One error rate of one group: errors of trials, and Wilson's 95 % interval. Empty where there was no trial.

    `few_errors` says that there are fewer than 30 errors, too few for the rate to be relied on.
    """

    evaluation: str
    group: str
    measure: str
    errors: int
    trials: int
    rate: float | None
    low: float | None
    high: float | None
    few_errors: bool


@dataclass(frozen=True, slots=True)
class FindingRow:
    """What a tester found. Somebody has to say by `due` what was done about it; `is_overdue` flags that nobody did."""

    finding: str
    submitted: datetime
    statement: str
    result_digest: str | None
    submitted_by: str
    due: datetime
    mitigated: datetime | None
    mitigation: str | None
    is_overdue: bool


@dataclass(frozen=True, slots=True)
class EvaluationsSection:
    """5. How often it errs, for whom, who tested that, and what they found."""

    evaluations: tuple[EvaluationRow, ...]
    groups: tuple[GroupRow, ...]
    findings: tuple[FindingRow, ...]


@dataclass(frozen=True, slots=True)
class FigureRow:
    """A count of one month, whole or one part of a breakdown.

    `agency` is `*` for all of them together, and `-` for what no agency could be named for. `measure` says what is
    counted. Where `dimension` is given, this is the part `category` of it; the parts of one dimension add up to the
    measure. `is_complete` is false for the month of the newest entry, which is still going on.
    """

    month: str
    is_complete: bool
    agency: str
    measure: str
    dimension: str | None
    category: str | None
    count: Cell


@dataclass(frozen=True, slots=True)
class LeadGroupRow:
    """Leads that an agency acted on in a year, by a group of people as people recorded it; empty for all together.

    The ledger itself holds no more than this: small counts are ranges there. `withheld` stands for all groups where one
    of them would have given another away.
    """

    agency: str
    year: int
    dimension: str
    group: str | None
    count: Cell
    published: datetime


@dataclass(frozen=True, slots=True)
class UseSection:
    """6. What it was used for, by month; and what became of it, by groups of people."""

    figures: tuple[FigureRow, ...]
    leads_by_group: tuple[LeadGroupRow, ...]


@dataclass(frozen=True, slots=True)
class PeopleFigureRow:
    """A count of one month about what people asked of the desk, or about what was erased. See section 6."""

    month: str
    is_complete: bool
    measure: str
    dimension: str | None
    category: str | None
    count: Cell


@dataclass(frozen=True, slots=True)
class ResponseRow:
    """How long the desk took in a month, in whole days; empty for fewer than five closed requests of a kind."""

    month: str
    kind: str
    closed: Cell
    median_days: float | None


@dataclass(frozen=True, slots=True)
class PeopleSection:
    """7. What people asked, and what became of it."""

    figures: tuple[PeopleFigureRow, ...]
    response_times: tuple[ResponseRow, ...]


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """Something went wrong. `about` is the entry that it concerns.

    `due` is when it had to have reached an overseer, `received` when one said that it had; both are empty where
    there is none. `in_time` is false for one that was received late, or that was still waiting behind its deadline.
    """

    occurrence: str
    discovered: datetime
    recorded: datetime
    agency: str | None
    about: str | None
    statement: str
    people_affected: Cell | None
    due: datetime | None
    received: datetime | None
    in_time: bool | None


@dataclass(frozen=True, slots=True)
class SharingRow:
    """Data was shared outside an agency."""

    recorded: datetime
    agency: str
    recipient: str
    data: str
    standard: str
    use: str | None


@dataclass(frozen=True, slots=True)
class CostRow:
    """What an agency's report says that it cost, in hundredths of its currency."""

    report: str
    kind: str
    agency: str
    use: str | None
    published: datetime
    cost_cents: int


@dataclass(frozen=True, slots=True)
class IncidentsSection:
    """8. What went wrong, who looked, with whom data was shared, and what it cost."""

    incidents: tuple[IncidentRow, ...]
    audits: tuple[ReportRow, ...]
    sharing: tuple[SharingRow, ...]
    costs: tuple[CostRow, ...]


@dataclass(frozen=True, slots=True)
class LogRow:
    """The checkpoint that this register was read under. `unread` entries were written by newer software."""

    origin: str
    entries: int
    unread: int
    root: str
    checkpoint: str


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A public key that signs or signed the log. Compare it with where else its operator published it."""

    key: str
    since: datetime | None
    in_use: bool


@dataclass(frozen=True, slots=True)
class WitnessRow:
    """Somebody outside who is asked to cosign; `cosigned` says whether they cosigned this checkpoint."""

    key: str
    operator: str
    standing: str
    since: datetime
    cosigned: bool


@dataclass(frozen=True, slots=True)
class StepRow:
    """How to check this register, step by step."""

    step: int
    instruction: str


@dataclass(frozen=True, slots=True)
class ProofSection:
    """9. How to check all of it."""

    log: tuple[LogRow, ...]
    keys: tuple[KeyRow, ...]
    witnesses: tuple[WitnessRow, ...]
    steps: tuple[StepRow, ...]


@dataclass(frozen=True, slots=True)
class Register:
    """The public register of a face recognition service, built from its ledger's first `entries` entries alone.

    `as_of` is the time of the newest of them. Months and times are UTC.
    """

    version: int
    as_of: datetime | None
    entries: int
    deployment: DeploymentSection
    oversight: OversightSection
    system: SystemSection
    galleries: GalleriesSection
    evaluations: EvaluationsSection
    use: UseSection
    people: PeopleSection
    incidents: IncidentsSection
    proof: ProofSection


SECTIONS = ("deployment", "oversight", "system", "galleries", "evaluations", "use", "people", "incidents", "proof")
