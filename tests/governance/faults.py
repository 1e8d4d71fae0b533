"""What can be wrong with a request: for each prohibition one fault, which spoils a request that has none."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from recognizance.governance.gate import Evidence, Fitness
from recognizance.governance.parties import AgencyId, AgencyKind, OwnerKind, PersonId, Role, UseId
from recognizance.governance.profiles import ProfileName
from recognizance.governance.purposes import (
    Capture,
    Declaration,
    LawfulBasis,
    OffenceCode,
    Purpose,
    SearchClass,
    Source,
)
from recognizance.governance.requests import (
    Act,
    AskerFacts,
    Credential,
    EnrolmentFacts,
    GalleryFacts,
    Request,
    SearchFacts,
)
from recognizance.governance.subjects import RequestId, RequestState
from recognizance.governance.terms import Limits
from recognizance.governance.uses import Use
from recognizance.identifiers import GalleryId, PrincipalId

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
AGENCY = AgencyId("harbour-police")


def use_of(request: Request) -> Use:
    assert request.use is not None
    return request.use


def with_terms(request: Request, **changes: object) -> Request:
    use = use_of(request)
    return replace(request, use=replace(use, terms=replace(use.terms, **changes)))  # type: ignore[arg-type]


def with_limits(request: Request, **changes: object) -> Request:
    limits: Limits = use_of(request).terms.limits
    return with_terms(request, limits=replace(limits, **changes))  # type: ignore[arg-type]


def with_search(request: Request, **changes: object) -> Request:
    assert request.search is not None
    return replace(request, search=replace(request.search, **changes))  # type: ignore[arg-type]


def with_caller(request: Request, **changes: object) -> Request:
    return replace(request, caller=replace(request.caller, **changes))  # type: ignore[arg-type]


def with_gallery(request: Request, **changes: object) -> Request:
    assert request.gallery is not None
    return replace(request, gallery=replace(request.gallery, **changes))  # type: ignore[arg-type]


def with_grounds(request: Request, **changes: object) -> Request:
    return replace(request, grounds=replace(request.grounds, **changes))  # type: ignore[arg-type]


def declaring(aim: Declaration) -> Callable[[Request], Request]:
    return lambda request: with_grounds(request, declared=frozenset({aim}))


def enrolling(request: Request, **changes: object) -> Request:
    facts = replace(EnrolmentFacts(Source.ARREST_RECORD, LawfulBasis.STATUTE), **changes)  # type: ignore[arg-type]
    return replace(request, act=Act.ENROL, search=None, enrolment=facts)


def evaluated(request: Request, fitness: Fitness, *shortfalls: str) -> Request:
    return replace(request, evidence=Evidence(fitness, shortfalls))


def of_business(request: Request) -> Request:
    changed = with_terms(request, purpose=Purpose.IDENTIFY_VICTIM)
    return replace(changed, use_agency_kind=AgencyKind.BUSINESS)


def in_own_name(request: Request, act: Act, role: Role) -> Request:
    caller = replace(request.caller, roles=frozenset({role}), credential=Credential.PERSON_KEY, bound_use=None)
    return replace(request, caller=caller, act=act, gallery=None, search=None)


LE, ORG, PRIV = ProfileName.LAW_ENFORCEMENT, ProfileName.ORGANISATION, ProfileName.PRIVATE
OTHER = AgencyId("hill-police")


def for_asker(
    request: Request,
    *,
    state: RequestState = RequestState.VERIFIED,
    threshold_pct: float = 80.0,
    candidates: int = 10,
    capture: Capture = Capture.STILL,
    probes: int = 1,
) -> Request:
    """A desk officer who searches for somebody that asked, on behalf of no use."""
    own = in_own_name(request, Act.SEARCH_FOR_ASKER, Role.DESK_OFFICER)
    search = SearchFacts(None, capture, threshold_pct, candidates, probes)
    asker = AskerFacts(RequestId("r-1"), state)
    return replace(with_caller(own, agency=request.caller.agency), gallery=request.gallery, search=search, asker=asker)


# One thing wrong with a faultless request, and the one policy that refuses it.
FAULTS: dict[str, tuple[ProfileName, Callable[[Request], Request]]] = {
    "never-by-protected-trait": (LE, declaring(Declaration.PROTECTED_TRAIT)),
    "never-for-lawful-protest": (LE, declaring(Declaration.LAWFUL_PROTEST)),
    "never-for-immigration-status": (LE, declaring(Declaration.IMMIGRATION_STATUS)),
    "never-to-predict": (LE, declaring(Declaration.PREDICTION)),
    "never-from-scraped-images": (LE, lambda r: with_gallery(r, sources=frozenset({Source.SCRAPED}))),
    "never-enrol-scraped-images": (LE, lambda r: enrolling(r, source=Source.SCRAPED)),
    "never-joined-with-other-data": (LE, lambda r: with_gallery(r, joined_with_other_data=True)),
    "needs-a-use": (LE, lambda r: replace(with_caller(r, bound_use=None), use=None, use_agency_kind=None)),
    "needs-ones-own-use": (LE, lambda r: with_caller(r, agency=OTHER)),
    "needs-the-uses-gallery": (LE, lambda r: with_gallery(r, id=GalleryId("licences"))),
    "needs-ones-own-gallery": (LE, lambda r: with_gallery(replace(r, act=Act.FORGET, search=None), agency=OTHER)),
    "needs-ones-own-gallery-to-manage": (
        LE,
        lambda r: replace(
            in_own_name(r, Act.MANAGE_GALLERY, Role.SUPERVISOR), gallery=GalleryFacts(GalleryId("arrests"), OTHER)
        ),
    ),
    "needs-test-sets-to-measure": (
        LE,
        lambda r: replace(in_own_name(r, Act.MEASURE, Role.AUDITOR), gallery=r.gallery),
    ),
    "needs-the-bound-use": (LE, lambda r: with_caller(r, bound_use=UseId("burglaries-2026"))),
    "needs-an-allowed-class": (LE, lambda r: with_search(r, search_class=SearchClass.TARGETED)),
    "needs-an-allowed-capture": (LE, lambda r: with_search(r, capture=Capture.LIVE)),
    "limit-threshold": (LE, lambda r: with_search(r, threshold_pct=98.99999)),
    "limit-candidates": (LE, lambda r: with_search(r, candidates=11)),
    "limit-searches-a-day": (LE, lambda r: replace(r, searches_today=20)),
    "needs-people-for-judgement": (
        LE,
        lambda r: with_caller(in_own_name(r, Act.ATTEST_EVIDENCE, Role.SUPERVISOR), credential=Credential.SESSION),
    ),
    "needs-source-and-basis": (LE, lambda r: enrolling(r, basis=None)),
    "needs-stated-sources": (LE, lambda r: with_gallery(r, faces_without_source=1)),
    "needs-police-for-offences": (LE, lambda r: replace(r, use_agency_kind=AgencyKind.BUSINESS)),
    "private-stays-private": (PRIV, of_business),
    "police-need-their-profile": (ORG, lambda r: r),
    "needs-a-report": (
        LE,
        lambda r: with_terms(r, report=replace(use_of(r).terms.report, expires=NOW - timedelta(seconds=1))),
    ),
    "needs-training": (LE, lambda r: with_caller(r, trained_until=NOW)),
    "needs-a-passed-evaluation": (LE, lambda r: evaluated(r, Fitness.INSUFFICIENT_EVIDENCE)),
    "needs-an-evaluation-in-date": (LE, lambda r: evaluated(r, Fitness.EXPIRED)),
    "needs-an-evaluation-of-what-runs": (LE, lambda r: evaluated(r, Fitness.OUTGROWN)),
    "tests-reach-ones-own-galleries": (
        LE,
        lambda r: replace(in_own_name(r, Act.TEST, Role.TESTER), gallery=r.gallery),
    ),
    "test-galleries-are-the-testers-own": (
        LE,
        lambda r: with_gallery(r, tester=PersonId(PrincipalId("tester-1"))),
    ),
    "needs-a-case": (LE, lambda r: with_grounds(r, case="")),
    "needs-a-justification": (LE, lambda r: with_grounds(r, justification=None)),
    "needs-a-listed-offence": (LE, lambda r: with_grounds(r, offence=OffenceCode("protest"))),
    "needs-a-course": (LE, lambda r: with_terms(r, course=None)),
    "needs-review": (LE, lambda r: with_terms(r, review_required=False)),
    "needs-an-evaluation": (LE, lambda r: evaluated(r, Fitness.NONE)),
    "needs-a-person-behind-the-search": (LE, lambda r: with_caller(r, kind=OwnerKind.PROGRAM)),
    "no-untargeted-batches": (LE, lambda r: replace(with_search(r, probes=2), searches_today=0)),
    "needs-a-verified-request": (LE, lambda r: for_asker(r, state=RequestState.RECEIVED)),
    "limit-search-for-asker": (LE, lambda r: for_asker(r, candidates=11)),
}
