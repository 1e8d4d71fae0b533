"""Reviews and leads: what two people decide apart from each other, and what may come of it."""

import base64
from dataclasses import dataclass
from datetime import datetime

from recognizance.api.forms import Name, Sha256, Text, form
from recognizance.api.routes import Call, File, Media, Method, Nothing, Repeat, Route, Who
from recognizance.api.services import PageQuery, Services, asker_of
from recognizance.errors import NotFoundError
from recognizance.governance import Act
from recognizance.governance.leads import EvidenceKind, LeadId, LeadState, OutcomeKind
from recognizance.governance.review import Finding, Observation, Outcome, Progress, ReviewId
from recognizance.identifiers import FaceId
from recognizance.reviewing.leads import NamedLead

PNG = "image/png"


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """Ids of reviews that the caller has taken on and not answered, or could take on."""

    reviews: tuple[str, ...]
    next_page: str | None


@dataclass(frozen=True, slots=True)
class CandidateView:
    """A candidate before a reviewer.

    Attributes:
        face: An id of this review's own, which says nothing of whose face it is.
        has_picture: Without one nobody can say that it is the same person or a different one.
    """

    face: str
    has_picture: bool


@dataclass(frozen=True, slots=True)
class ReviewView:
    """All that a reviewer sees, in an order of their own; pictures have addresses below."""

    review: str
    probe_sha256: str
    candidates: tuple[CandidateView, ...]


@form
class FindingForm:
    """What a reviewer found of one candidate, and what it rests on."""

    face: Name
    outcome: Outcome
    observations: frozenset[Observation]
    remarks: Text = ""


@form
class AnswerForm:
    """One finding for each candidate; final."""

    findings: tuple[FindingForm, ...]


@dataclass(frozen=True, slots=True)
class ProgressView:
    """What whoever searched may know."""

    review: str
    progress: Progress


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """Somebody's word that evidence exists which has nothing to do with the face."""

    attested_by: str
    kind: EvidenceKind
    description: str
    document_sha256: str
    attested_at: datetime


@dataclass(frozen=True, slots=True)
class OutcomeView:
    """Somebody's word on what became of a lead."""

    recorded_by: str
    kind: OutcomeKind
    statement: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class LeadView:
    """A lead, never an identification.

    Attributes:
        stamp: Belongs on every copy.
        face, subject, external_image_id: Null once they were forgotten.
        dissent: Whether a third reviewer saw it differently.
        outcomes: What became of it, in the order in which it was put on record.
    """

    lead: str
    stamp: str
    state: LeadState
    case: str | None
    gallery: str
    review: str
    face: str | None
    subject: str | None
    external_image_id: str | None
    confirmed_by: tuple[str, ...]
    dissent: bool
    created_at: datetime
    evidence: EvidenceView | None
    outcomes: tuple[OutcomeView, ...]


@dataclass(frozen=True, slots=True)
class LeadPage:
    """Leads by id: of the caller's own searches, and for a supervisor of their agency."""

    leads: tuple[LeadView, ...]
    next_page: str | None


@form
class AttestationForm:
    """Evidence that has nothing to do with the face.

    Attributes:
        document_sha256: Of the document that says so, which stays with the agency.
    """

    kind: EvidenceKind
    description: Text
    document_sha256: Sha256


@form
class OutcomeForm:
    """What became of a lead; final.

    Attributes:
        kind: An arrest counts as acting on the lead too. A locked lead can only be false, or not be used.
        statement: What was done, or why nothing was; never public, and opened in the case's record.
    """

    kind: OutcomeKind
    statement: Text


@dataclass(frozen=True, slots=True)
class ExportedLeadView:
    """What leaves the service for a line-up or a case file.

    Attributes:
        probe_png, candidate_png: In base64, as the reviewers saw them; null once they were destroyed.
    """

    lead: LeadView
    probe_png: str | None
    candidate_png: str | None


def list_reviews(services: Services, call: Call[Nothing, PageQuery]) -> ReviewPage:
    waiting = services.reviewing.waiting_for(asker_of(services, call.actor))
    page, token = services.page("list_reviews", waiting, str, call.query)
    return ReviewPage(page, token)


def claim_review(services: Services, call: Call[Nothing, Nothing]) -> Nothing:
    services.reviewing.claim(_review(call), asker_of(services, call.actor))
    return Nothing()


def release_review(services: Services, call: Call[Nothing, Nothing]) -> Nothing:
    services.reviewing.release(_review(call), asker_of(services, call.actor))
    return Nothing()


def show_review(services: Services, call: Call[Nothing, Nothing]) -> ReviewView:
    shown = services.reviewing.show(_review(call), asker_of(services, call.actor))
    candidates = tuple(CandidateView(each.face, each.png is not None) for each in shown.faces)
    return ReviewView(shown.view.review, shown.view.probe_sha256, candidates)


def show_probe(services: Services, call: Call[Nothing, Nothing]) -> File:
    return File(PNG, services.reviewing.show(_review(call), asker_of(services, call.actor)).probe_png)


def show_candidate(services: Services, call: Call[Nothing, Nothing]) -> File:
    shown = services.reviewing.show(_review(call), asker_of(services, call.actor))
    png = next((each.png for each in shown.faces if each.face == call.path["face"]), None)
    if png is None:
        raise NotFoundError(f"review {call.path['review']!r} has no picture of {call.path['face']!r}")
    return File(PNG, png)


def answer_review(services: Services, call: Call[AnswerForm, Nothing]) -> Nothing:
    findings = [
        Finding(FaceId(each.face), each.outcome, each.observations, each.remarks) for each in call.body.findings
    ]
    services.reviewing.answer(_review(call), asker_of(services, call.actor), findings)
    return Nothing()


def show_progress(services: Services, call: Call[Nothing, Nothing]) -> ProgressView:
    stands = services.reviewing.progress(_review(call), asker_of(services, call.actor))
    return ProgressView(call.path["review"], stands)


def list_leads(services: Services, call: Call[Nothing, PageQuery]) -> LeadPage:
    known = services.leads.list(asker_of(services, call.actor))
    page, token = services.page("list_leads", known, lambda each: each.lead.id, call.query)
    return LeadPage(tuple(_lead(each) for each in page), token)


def show_lead(services: Services, call: Call[Nothing, Nothing]) -> LeadView:
    return _lead(services.leads.show(LeadId(call.path["lead"]), asker_of(services, call.actor)))


def attest_evidence(services: Services, call: Call[AttestationForm, Nothing]) -> LeadView:
    lead, asker, form = LeadId(call.path["lead"]), asker_of(services, call.actor), call.body
    services.leads.attest(
        lead, asker, kind=form.kind, description=form.description, document_sha256=form.document_sha256
    )
    return _lead(services.leads.show(lead, asker))


def conclude_lead(services: Services, call: Call[OutcomeForm, Nothing]) -> LeadView:
    lead, asker = LeadId(call.path["lead"]), asker_of(services, call.actor)
    services.leads.conclude(lead, asker, kind=call.body.kind, statement=call.body.statement)
    return _lead(services.leads.show(lead, asker))


def export_lead(services: Services, call: Call[Nothing, Nothing]) -> ExportedLeadView:
    exported = services.leads.export(LeadId(call.path["lead"]), asker_of(services, call.actor))
    return ExportedLeadView(_lead(exported.named), _base64(exported.probe_png), _base64(exported.candidate_png))


def _lead(named: NamedLead) -> LeadView:
    lead, given = named.lead, named.lead.attestation
    evidence = (
        None
        if given is None
        else EvidenceView(given.attested_by, given.kind, given.description, given.document_sha256, given.attested_at)
    )
    return LeadView(
        lead=lead.id,
        stamp=named.stamp,
        state=lead.state,
        case=named.case,
        gallery=named.gallery,
        review=lead.review,
        face=named.face,
        subject=named.subject,
        external_image_id=named.external_image_id,
        confirmed_by=lead.confirmation.confirmed_by,
        dissent=lead.confirmation.dissent,
        created_at=lead.created_at,
        evidence=evidence,
        outcomes=tuple(
            OutcomeView(each.recorded_by, each.kind, each.statement, each.recorded_at) for each in lead.outcomes
        ),
    )


def _base64(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def _review(call: Call[object, object]) -> ReviewId:
    return ReviewId(call.path["review"])


ROUTES = (
    Route(
        "list_reviews",
        Method.GET,
        "/reviews",
        "List reviews that the caller has, or could take on.",
        list_reviews,
        ReviewPage,
        Who.SIGNED_IN,
        query=PageQuery,
    ),
    Route(
        "show_review",
        Method.GET,
        "/reviews/{review}",
        "Show what there is to compare, to whoever took it on.",
        show_review,
        ReviewView,
        act=Act.REVIEW,
    ),
    Route(
        "claim_review",
        Method.POST,
        "/reviews/{review}/claim",
        "Take a review on.",
        claim_review,
        Nothing,
        act=Act.REVIEW,
    ),
    Route(
        "release_review",
        Method.DELETE,
        "/reviews/{review}/claim",
        "Give a review back unanswered.",
        release_review,
        Nothing,
        Who.SIGNED_IN,
    ),
    Route(
        "show_probe",
        Method.GET,
        "/reviews/{review}/probe",
        "Show the picture that was searched with.",
        show_probe,
        Media((PNG,)),
        act=Act.REVIEW,
    ),
    Route(
        "show_candidate",
        Method.GET,
        "/reviews/{review}/candidates/{face}",
        "Show a candidate's picture.",
        show_candidate,
        Media((PNG,)),
        act=Act.REVIEW,
    ),
    Route(
        "answer_review",
        Method.POST,
        "/reviews/{review}/answers",
        "Answer a review, all candidates at once; final.",
        answer_review,
        Nothing,
        act=Act.REVIEW,
        body=AnswerForm,
    ),
    Route(
        "show_progress",
        Method.GET,
        "/reviews/{review}/progress",
        "Say what whoever searched may know.",
        show_progress,
        ProgressView,
        Who.SIGNED_IN,
        hides=True,
    ),
    Route(
        "list_leads",
        Method.GET,
        "/leads",
        "List the leads that the caller may see.",
        list_leads,
        LeadPage,
        Who.SIGNED_IN,
        query=PageQuery,
    ),
    Route(
        "show_lead",
        Method.GET,
        "/leads/{lead}",
        "Show a lead, and whose face it is.",
        show_lead,
        LeadView,
        Who.SIGNED_IN,
        hides=True,
    ),
    Route(
        "attest_evidence",
        Method.POST,
        "/leads/{lead}/attestation",
        "State that independent evidence exists.",
        attest_evidence,
        LeadView,
        act=Act.ATTEST_EVIDENCE,
        hides=True,
        body=AttestationForm,
    ),
    Route(
        "export_lead",
        Method.POST,
        "/leads/{lead}/exports",
        "Take a lead out of the service; on record each time.",
        export_lead,
        ExportedLeadView,
        act=Act.EXPORT_LEAD,
        hides=True,
        repeat=Repeat.KEYED,
    ),
    Route(
        "conclude_lead",
        Method.POST,
        "/leads/{lead}/outcomes",
        "Say what became of a lead: acted on, an arrest, not used, or false.",
        conclude_lead,
        LeadView,
        act=Act.CONCLUDE_LEAD,
        hides=True,
        body=OutcomeForm,
    ),
)
