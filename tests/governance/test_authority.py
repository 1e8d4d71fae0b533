"""From what a caller brought to a ruling: every fact looked up, absence refused, refusals in plain words."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from recognizance.errors import ConflictError, DeniedError, InputError
from recognizance.governance.authority import Authority, Docket, OwnerDocket, Party, Ruling
from recognizance.governance.gate import Evidence
from recognizance.governance.oversight import Quorum, Sha256Hex, Suspension
from recognizance.governance.parties import AgencyId, AgencyKind, CourseId, OwnerKind, PersonId, Role, UseId
from recognizance.governance.profiles import (
    PROFILES,
    ProfileName,
    activate_default_use,
    default_use_terms,
    propose,
    rulebook,
)
from recognizance.governance.purposes import Capture, LawfulBasis, OffenceCode, SearchClass, Source
from recognizance.governance.requests import Act, Asking, Credential, EnrolmentFacts, GalleryFacts, Grounds, SearchFacts
from recognizance.governance.subjects import RequestId, RequestState
from recognizance.governance.uses import Use, UseState, suspend
from recognizance.identifiers import DecisionId, GalleryId, PrincipalId
from recognizance.permits import Action

from ..evidence import PASSED

AGENCY = AgencyId("harbour-police")
ARRESTS = GalleryId("arrests")
OPERATOR = PrincipalId("operator-1")
SEARCH = SearchFacts(None, Capture.STILL, threshold_pct=99.0, candidates=10)
TERMS_SHA256 = Sha256Hex("7e" * 32)


@dataclass
class MemoryDocket:
    """A docket in memory, with one use and one operator."""

    the_use: Use
    searches: int = 0
    parties: dict[str, Party] = field(
        default_factory=lambda: {OPERATOR: Party(OwnerKind.PERSON, frozenset({Role.OPERATOR}), AGENCY)}
    )
    trained: datetime | None = datetime(2026, 12, 31, tzinfo=UTC)
    requests: dict[str, RequestState] = field(default_factory=dict)

    def at_once(self) -> AbstractContextManager[Docket]:
        return nullcontext(self)

    def party(self, principal: PrincipalId) -> Party | None:
        return self.parties.get(principal)

    def trained_until(self, principal: PrincipalId, course: CourseId) -> datetime | None:
        return self.trained

    def gallery(self, gallery: GalleryId) -> GalleryFacts:
        return GalleryFacts(gallery, AGENCY, frozenset({Source.ARREST_RECORD}))

    def evidence(self, use: Use, now: datetime) -> Evidence:
        return PASSED

    def use(self, use: UseId) -> Use | None:
        return self.the_use if use == self.the_use.id else None

    def default_use(self, principal: PrincipalId, gallery: GalleryId | None, now: datetime) -> Use | None:
        return self.the_use

    def agency_kind(self, agency: AgencyId) -> AgencyKind:
        return AgencyKind.LAW_ENFORCEMENT

    def searches_on(self, use: UseId, day: date) -> int:
        return self.searches

    def desk_request(self, request: RequestId) -> RequestState | None:
        return self.requests.get(request)


@pytest.fixture
def docket(use_in: Callable[..., Use]) -> MemoryDocket:
    return MemoryDocket(use_in(UseState.ACTIVE))


@pytest.fixture
def asking() -> Asking:
    """A session on the world's use, with everything stated."""
    use = UseId("robberies-2026")
    grounds = Grounds("case-7", "a witness filmed it", OffenceCode("robbery"))
    return Asking(Credential.SESSION, use=use, bound_use=use, search=SEARCH, grounds=grounds)


def ruling(
    docket: Docket,
    asking: Asking,
    now: datetime,
    *,
    act: Act = Act.SEARCH,
    profile: ProfileName = ProfileName.LAW_ENFORCEMENT,
    principal: PrincipalId = OPERATOR,
    gallery: GalleryId | None = ARRESTS,
) -> Ruling:
    authority = Authority(PROFILES[profile], rulebook(PROFILES[profile]), docket)
    return authority.rule(principal, act, gallery=gallery, asking=asking, decision_id=DecisionId("d-1"), now=now)


def test_a_search_with_everything_is_allowed(docket: MemoryDocket, asking: Asking, now: datetime) -> None:
    """The use's only class of search is taken where the protocol has no word for it."""
    ruled = ruling(docket, asking, now)

    ruled.require()
    assert ruled.decision.policies == ("operators-search",)
    assert ruled.request.search is not None
    assert ruled.request.search.search_class is SearchClass.INITIAL_IDENTIFICATION


def test_a_refusal_lists_everything_that_is_missing(docket: MemoryDocket, asking: Asking, now: datetime) -> None:
    """One error says how to supply a case, and the decision to quote."""
    bare = replace(asking, grounds=Grounds(offence=OffenceCode("robbery")))

    with pytest.raises(
        DeniedError, match=r"^'search' is refused\. Missing: a case: .*; and a justification: "
    ) as caught:
        ruling(docket, bare, now).require()
    assert "role_session_name" in str(caught.value)
    assert caught.value.decision_id == "d-1"


def test_a_suspension_counts_on_the_next_request(
    docket: MemoryDocket, asking: Asking, now: datetime, overseers: tuple[PersonId, ...]
) -> None:
    """The session is still valid; the use is not."""
    assert ruling(docket, asking, now).decision.allowed
    docket.the_use = suspend(docket.the_use, Suspension(overseers[0], "misuse", now))

    assert ruling(docket, asking, now).decision.policies == ("needs-an-active-use",)


def test_training_that_expires_counts_on_the_next_request(docket: MemoryDocket, asking: Asking, now: datetime) -> None:
    """The docket is asked each time."""
    docket.trained = now

    assert ruling(docket, asking, now).decision.policies == ("needs-training",)


def test_an_unknown_caller_may_do_nothing(docket: MemoryDocket, asking: Asking, now: datetime) -> None:
    """A valid signature of somebody who was dismissed opens nothing."""
    refused = ruling(docket, asking, now, principal=PrincipalId("gone"))

    assert not refused.decision.allowed
    assert refused.decision.missing[0].startswith("the role operator")


def test_an_unknown_use_is_no_use(docket: MemoryDocket, asking: Asking, now: datetime) -> None:
    """A use that doesn't exist isn't replaced by another."""
    refused = ruling(docket, replace(asking, use=UseId("gone"), bound_use=None), now)

    assert refused.decision.policies == ("needs-a-use",)


def test_only_the_private_profile_has_a_default_use(docket: MemoryDocket, asking: Asking, now: datetime) -> None:
    """Where none is named, the strict profile doesn't even ask for one."""
    unnamed = replace(asking, use=None, bound_use=None)

    assert ruling(docket, unnamed, now).request.use is None
    assert ruling(docket, unnamed, now, profile=ProfileName.PRIVATE).request.use is docket.the_use


def test_an_enrolment_that_states_no_source_is_refused_outside_home(
    docket: MemoryDocket, asking: Asking, now: datetime
) -> None:
    """A default source exists for one's own photographs only; a stated one is never replaced."""
    unstated = replace(asking, search=None)
    stated = replace(unstated, enrolment=EnrolmentFacts(Source.ARREST_RECORD, LawfulBasis.STATUTE))

    assert ruling(docket, unstated, now, act=Act.ENROL).decision.policies == ("needs-source-and-basis",)
    assert ruling(docket, stated, now, act=Act.ENROL).decision.allowed
    at_home = ruling(docket, unstated, now, act=Act.ENROL, profile=ProfileName.PRIVATE)
    assert at_home.request.enrolment == EnrolmentFacts(Source.OWN_PHOTOGRAPH, LawfulBasis.PERSONAL_ACTIVITY)


def test_searches_are_counted_by_the_utc_day(docket: MemoryDocket, asking: Asking, now: datetime) -> None:
    """The docket is asked for the day on which it is now in UTC, wherever the caller's clock is."""
    days: list[date] = []

    class Counting(MemoryDocket):
        def searches_on(self, use: UseId, day: date) -> int:
            days.append(day)
            return 20

    late = datetime.fromisoformat("2026-06-01T23:30:00-05:00")

    assert ruling(Counting(docket.the_use), asking, late).decision.policies == ("limit-searches-a-day",)
    assert days == [date(2026, 6, 2)]


def test_an_administrator_of_a_police_service_searches_nothing(
    docket: MemoryDocket, asking: Asking, now: datetime
) -> None:
    """Under law enforcement there is no key that may do everything."""
    docket.parties["root"] = Party(OwnerKind.PERSON, frozenset({Role.ADMINISTRATOR}), None)
    allowed = {
        act.value
        for act in (Act.SEARCH, Act.COMPARE, Act.ENROL, Act.DETECT, Act.FORGET, Act.READ_GALLERY, Act.MANAGE_GALLERY)
        if ruling(docket, asking, now, act=act, principal=PrincipalId("root")).decision.allowed
    }

    assert allowed == {"manage_gallery"}


@pytest.fixture
def home(now: datetime) -> OwnerDocket:
    """A private service that was set up a while ago, whose every use has been searched twice today."""
    return OwnerDocket(
        agency=AgencyId("home"),
        owner=PersonId(PrincipalId("owner")),
        started=now - timedelta(days=400),
        commit=lambda terms: TERMS_SHA256,
        searches_on=lambda use, day: 2,
    )


@pytest.mark.parametrize("action", Action)
def test_at_home_every_act_on_faces_is_allowed_under_a_default_use(
    action: Action, home: OwnerDocket, now: datetime
) -> None:
    """The first steps need no use, no case and no overseer, and each is on behalf of a standing use all the same."""
    pictures_only = action in {Action.DETECT, Action.COMPARE, Action.MEASURE}
    asking = Asking(
        Credential.PERSON_KEY,
        search=replace(SEARCH, threshold_pct=0.0, candidates=4096)
        if action in {Action.SEARCH, Action.COMPARE}
        else None,
    )

    ruled = ruling(
        home,
        asking,
        now,
        act=Act(action.value),
        profile=ProfileName.PRIVATE,
        gallery=None if pictures_only else GalleryId("family"),
    )

    ruled.require()
    assert ruled.request.use is not None
    assert ruled.request.use.id == ("default-2" if pictures_only else "default-2/family")


def test_a_default_use_is_renewed_each_year(home: OwnerDocket, now: datetime) -> None:
    """There is no gap between the years, and none before the first."""
    start = now - timedelta(days=400)
    for moment in (start, start + timedelta(days=365), start + timedelta(days=730) - timedelta(microseconds=1)):
        use = home.default_use(OPERATOR, None, moment)
        assert use is not None
        assert use.is_searchable_at(moment)
    assert home.default_use(OPERATOR, None, start - timedelta(seconds=1)) is None


@pytest.mark.parametrize("name", [ProfileName.ORGANISATION, ProfileName.LAW_ENFORCEMENT])
def test_no_other_profile_activates_a_use_without_votes(
    name: ProfileName, now: datetime, overseers: tuple[PersonId, ...]
) -> None:
    """The owner's shortcut is the same table, and stops where anybody else has a say."""
    proposed = propose(
        PROFILES[name],
        use=UseId("u"),
        terms=default_use_terms(AGENCY, ARRESTS, now),
        terms_sha256=TERMS_SHA256,
        proposer=PersonId(OPERATOR),
        overseers=frozenset(overseers),
        purpose_is_new=True,
        now=now,
    )

    assert proposed.quorum == Quorum(PROFILES[name].approvals_needed, frozenset(overseers))
    with pytest.raises(ConflictError, match="comment period"):
        activate_default_use(proposed, now)
    with pytest.raises(ConflictError, match="fewer overseers"):
        activate_default_use(proposed, proposed.comments_until)


def test_a_strict_profile_without_overseers_accepts_no_proposal(now: datetime) -> None:
    """Three approvals can't come from nobody."""
    with pytest.raises(InputError, match="a quorum of 3 can't be met by 0"):
        propose(
            PROFILES[ProfileName.LAW_ENFORCEMENT],
            use=UseId("u"),
            terms=default_use_terms(AGENCY, ARRESTS, now),
            terms_sha256=TERMS_SHA256,
            proposer=PersonId(OPERATOR),
            overseers=frozenset(),
            purpose_is_new=True,
            now=now,
        )


def test_an_emergency_is_searchable_for_its_agency_alone(
    use_in: Callable[..., Use], asking: Asking, now: datetime
) -> None:
    """An emergency opens a use, and no other agency's door."""
    docket = MemoryDocket(use_in(UseState.EMERGENCY))
    assert ruling(docket, asking, now).decision.allowed
    docket.parties[OPERATOR] = Party(OwnerKind.PERSON, frozenset({Role.OPERATOR}), AgencyId("hill-police"))

    assert ruling(docket, asking, now).decision.policies == ("needs-ones-own-use",)
