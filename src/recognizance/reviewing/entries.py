"""What the ledger says of reviews, leads and probe edits.

Until a review is over the ledger holds only commitments about who did what in it: whoever reviews second can read the
ledger too, and would find the first answer there. Pure: each function gives a maker, which the recorder calls.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from recognizance.governance.leads import Attestation, Lead, OutcomeKind, ProbeEdit
from recognizance.governance.review import REVIEWERS_NEEDED, Answer, Finding
from recognizance.identifiers import PrincipalId
from recognizance.ledger import EntryId, PrivateValue, facts
from recognizance.recording import EntryDraft, Maker
from recognizance.recording.acts import token
from recognizance.reviewing.documents import Identities, LeadFile, ReviewFile

OUTCOME_EVENTS: Mapping[OutcomeKind, facts.LeadEvent] = {
    OutcomeKind.ACTED_ON: facts.LeadEvent.ACTED_ON,
    OutcomeKind.ARREST: facts.LeadEvent.ARREST,
    OutcomeKind.NOT_USED: facts.LeadEvent.NOT_USED,
    OutcomeKind.FALSE: facts.LeadEvent.FALSE,
}
_OUTCOMES = frozenset(OUTCOME_EVENTS.values())


class Step(StrEnum):
    """What is done in a review before it is over."""

    CLAIMED = "claimed"
    RELEASED = "released"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"


def opened(file: ReviewFile) -> Maker:
    """A search's candidates wait for reviewers."""

    def make(_: EntryDraft) -> facts.Facts:
        return facts.ReviewOpened(
            review=file.review.id,
            search=EntryId(file.search_entry),
            use=token(file.use),
            candidates=len(file.review.candidates),
            reviewers_needed=REVIEWERS_NEEDED,
        )

    return make


def step(file: ReviewFile, done: Step, reviewer: PrincipalId | None, given: Answer | None = None) -> Maker:
    """Something was done in a review; nobody learns what before it is over."""

    def make(entry: EntryDraft) -> facts.Facts:
        findings = () if given is None else tuple(map(_finding, sorted(given.findings, key=lambda each: each.face)))
        return facts.ReviewStep(
            use=token(file.use),
            review=entry.commit("review", file.review.id),
            step=entry.commit("step", done.value),
            reviewer=entry.commit("reviewer", None if reviewer is None else entry.pseudonym(reviewer)),
            answer=entry.commit("answer", findings),
        )

    return make


def answers(file: ReviewFile, identities: Identities) -> Iterator[Maker]:
    """Every answer of a review that is over, one entry for each candidate, in the order in which they were given.

    To be entered for the review's gallery: which face a candidate was can't be shown any more when that is gone.
    """
    faces = {identity.alias: identity.face for identity in identities.known}
    for number, given in enumerate(file.review.answers, start=1):
        for finding in sorted(given.findings, key=lambda each: each.face):
            yield _answer(file, number, given, finding, (finding.face, faces.get(finding.face)))


def lead(file: LeadFile, event: facts.LeadEvent, done_by: PrincipalId) -> Maker:
    """Something became of a lead."""

    def make(entry: EntryDraft) -> facts.Facts:
        return facts.Lead(
            lead=file.lead.id,
            review=file.lead.review,
            use=token(file.use),
            event=event,
            done_by=entry.pseudonym(done_by),
            case=entry.commit("case", file.case),
            evidence=entry.commit("evidence", _evidence(file.lead, event)),
        )

    return make


def probe_edit(edit: ProbeEdit, use: str, case: str | None) -> Maker:
    """A probe was edited on the way to a search."""

    def make(entry: EntryDraft) -> facts.Facts:
        return facts.ProbeEdit(
            use=token(use),
            edited_by=entry.pseudonym(edit.edited_by),
            operation=edit.kind.value,
            before=entry.commit("before", edit.before_sha256),
            after=entry.commit("after", (edit.after_sha256, edit.parameters, case)),
        )

    return make


def _answer(file: ReviewFile, number: int, given: Answer, finding: Finding, candidate: PrivateValue) -> Maker:
    def make(entry: EntryDraft) -> facts.Facts:
        return facts.ReviewAnswer(
            review=file.review.id,
            reviewer=entry.pseudonym(given.reviewer),
            round=number,
            outcome=facts.ReviewOutcome(finding.outcome.value),
            candidate=entry.commit("candidate", candidate, of_gallery=True),
            reasons=entry.commit("reasons", _reasons(finding)),
        )

    return make


def _finding(finding: Finding) -> PrivateValue:
    return finding.face, finding.outcome.value, _reasons(finding)


def _reasons(finding: Finding) -> PrivateValue:
    return tuple(sorted(each.value for each in finding.observations)), finding.remarks


def _evidence(lead: Lead, event: facts.LeadEvent) -> PrivateValue:
    if event in _OUTCOMES:
        return lead.outcomes[-1].kind.value, lead.outcomes[-1].statement
    attestation: Attestation | None = lead.attestation
    if attestation is None or event is facts.LeadEvent.CONFIRMED:
        return None
    return attestation.kind.value, attestation.description, attestation.document_sha256
