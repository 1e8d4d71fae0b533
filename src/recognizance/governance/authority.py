"""Authority: looks up what a decision depends on, asks the policies, and refuses in plain words.

It stands between callers, who know an act and what was stated, and `cedar.py`, which needs every fact at once. What the
facts are is for a `Docket` to say, so that a rule can never be avoided by a caller that forgets to mention something:
what isn't found is absent, and absence is refused. It builds no `Permit`; `policy.py` does, from what this returns.

Never reads a clock or keeps state between calls. Implements `docs/policy.md`, "From a request to a permit".
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Protocol

from recognizance.errors import DeniedError
from recognizance.governance.cedar import Decision, Rulebook
from recognizance.governance.gate import NOTHING_NAMED, Evidence
from recognizance.governance.oversight import Sha256Hex
from recognizance.governance.parties import (
    AgencyId,
    AgencyKind,
    CourseId,
    OwnerKind,
    PersonId,
    Role,
    UseId,
)
from recognizance.governance.profiles import (
    DEFAULT_USE_LASTS,
    PROFILES,
    Profile,
    ProfileName,
    activate_default_use,
    default_use_terms,
    propose,
)
from recognizance.governance.purposes import Source
from recognizance.governance.requests import (
    Act,
    AskerFacts,
    Asking,
    Caller,
    EnrolmentFacts,
    GalleryFacts,
    Request,
    SearchFacts,
)
from recognizance.governance.subjects import RequestId, RequestState
from recognizance.governance.terms import UseTerms
from recognizance.governance.uses import Use
from recognizance.identifiers import DecisionId, GalleryId, PrincipalId


class Docket(Protocol):
    """What is on record about parties, galleries and uses at this moment.

    Each method answers from committed records, so that a suspension or an expired training counts on the next request.
    """

    def at_once(self) -> AbstractContextManager["Docket"]:
        """A docket whose answers all hold at one moment, for the time of a `with` block: what a decision is made of."""
        ...

    def party(self, principal: PrincipalId) -> "Party | None":
        """Who this is; `None` if they are unknown or dismissed."""
        ...

    def trained_until(self, principal: PrincipalId, course: CourseId) -> datetime | None:
        """First moment at which this person's training no longer counts; `None` if they have none."""
        ...

    def gallery(self, gallery: GalleryId) -> GalleryFacts:
        """Facts of the gallery; of one that does not exist, a `GalleryFacts` without agency."""
        ...

    def use(self, use: UseId) -> Use | None: ...

    def evidence(self, use: Use, now: datetime) -> Evidence:
        """What the use's evaluation comes to at this moment, of what runs here and in its gallery as it is."""
        ...

    def default_use(self, principal: PrincipalId, gallery: GalleryId | None, now: datetime) -> Use | None:
        """The use that holds where none is named; asked only in a profile that has default uses."""
        ...

    def agency_kind(self, agency: AgencyId) -> AgencyKind: ...

    def searches_on(self, use: UseId, day: date) -> int:
        """Pictures searched for under the use on this UTC day."""
        ...

    def desk_request(self, request: RequestId) -> RequestState | None:
        """How a request to the desk stands; `None` if there is none of this id."""
        ...


@dataclass(frozen=True, slots=True)
class Party:
    """A person or program as policy sees it.

    Attributes:
        id: What the record knows them by; `None` if that is the name that was asked about.
    """

    kind: OwnerKind
    roles: frozenset[Role]
    agency: AgencyId | None
    id: PrincipalId | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision together with the request that it answers: what the record keeps and what a permit is made from."""

    decision_id: DecisionId
    request: Request
    decision: Decision

    def require(self) -> None:
        """Refuse unless the request is allowed.

        Raises:
            DeniedError: Says what is missing and who can grant it, one reason after the other.
        """
        if self.decision.allowed:
            return
        act = self.request.act.value
        missing = "; and ".join(self.decision.missing)
        raise DeniedError(
            f"{act!r} is refused. Missing: {missing}",
            decision_id=self.decision_id,
            policies=self.decision.policies,
            missing=self.decision.missing,
        )


class Authority:
    """Decides for one service: one profile, one rulebook, one docket.

    Args:
        for_oversight: The rulebook for acts of `OVERSIGHT`, without the operator's own files; `None` takes the other.
    """

    def __init__(
        self, profile: Profile, rulebook: Rulebook, docket: Docket, *, for_oversight: Rulebook | None = None
    ) -> None:
        self._profile = profile
        self._rulebook = rulebook
        self._for_oversight = for_oversight or rulebook
        self._docket = docket

    def rule(
        self,
        principal: PrincipalId,
        act: Act,
        *,
        gallery: GalleryId | None,
        asking: Asking,
        decision_id: DecisionId,
        now: datetime,
    ) -> Ruling:
        """Decide, and say so whatever the answer is: a refusal is recorded like a permission."""
        with self._docket.at_once() as docket:
            request = self._request(docket, principal, act, gallery=gallery, asking=asking, now=now)
        rulebook = self._for_oversight if request.act in OVERSIGHT else self._rulebook
        return Ruling(decision_id, request, rulebook.decide(request))

    def party(self, principal: PrincipalId) -> "Party | None":
        """Who this is; `None` if they are unknown or dismissed."""
        return self._docket.party(principal)

    def _request(
        self,
        docket: Docket,
        principal: PrincipalId,
        act: Act,
        *,
        gallery: GalleryId | None,
        asking: Asking,
        now: datetime,
    ) -> Request:
        party = docket.party(principal) or _NOBODY
        if Role.TESTER in party.roles and _is_test(act, gallery, asking):
            act = Act.TEST
        use = self._use(docket, principal, gallery=gallery, asking=asking, now=now)
        course = None if use is None else use.terms.course
        facts = None if gallery is None else docket.gallery(gallery)
        return Request(
            caller=Caller(
                principal=party.id or principal,
                kind=party.kind,
                credential=asking.credential,
                roles=party.roles,
                agency=party.agency,
                bound_use=asking.bound_use,
                trained_until=None if course is None else docket.trained_until(principal, course),
            ),
            act=act,
            now=now,
            gallery=facts,
            use=use,
            use_agency_kind=None if use is None else docket.agency_kind(use.terms.agency),
            search=_with_class(asking.search, use),
            enrolment=self._enrolment(act, asking, facts),
            grounds=asking.grounds,
            searches_today=0 if use is None else docket.searches_on(use.id, _utc_day(now)),
            asker=_asker(docket, asking.desk_request),
            evidence=NOTHING_NAMED if use is None else docket.evidence(use, now),
        )

    def _use(
        self, docket: Docket, principal: PrincipalId, *, gallery: GalleryId | None, asking: Asking, now: datetime
    ) -> Use | None:
        named = asking.use or asking.bound_use
        if named is not None:
            return docket.use(named)
        if self._profile.has_default_use:
            return docket.default_use(principal, gallery, now)
        return None

    def _enrolment(self, act: Act, asking: Asking, gallery: GalleryFacts | None) -> EnrolmentFacts | None:
        """What the request states, or what was declared for the gallery, or what the profile takes for granted."""
        if act is not Act.ENROL or asking.enrolment is not None:
            return asking.enrolment
        declared = None if gallery is None else gallery.enrolment
        return declared or self._profile.default_enrolment


OVERSIGHT = frozenset(
    {
        Act.VOTE,
        Act.SUSPEND_USE,
        Act.READ_RECORD,
        Act.DISCLOSE,
        Act.HANDLE_REQUEST,
        Act.SEARCH_FOR_ASKER,
        Act.PUBLISH_OVERSIGHT,
        Act.PUBLISH_AUDIT,
        Act.REPORT_INCIDENT,
        Act.SUBMIT_FINDING,
        Act.TEST,
    }
)
"""What holds the operator to account, or answers people who ask about themselves: no rule of their own reaches it."""

_ON_PICTURES = frozenset({Act.DETECT, Act.COMPARE})
_ON_GALLERIES = frozenset({Act.SEARCH, Act.ENROL, Act.FORGET, Act.READ_GALLERY, Act.MANAGE_GALLERY})
_NOBODY = Party(OwnerKind.PROGRAM, frozenset(), None)
"""Somebody whom the docket doesn't know: no role, no agency, so no act."""


class OwnerDocket:
    """The docket of a private service: everybody who holds a key is its one owner, on a standing default use.

    The owner's use is proposed, approved and activated by the same table as any other, for a year at a time from
    `started`; that no overseer has to agree is what the profile `private` means. Implements `Docket`.

    Args:
        commit: The SHA-256 of a use's terms as the ledger writes them.
        searches_on: Pictures searched for under a use on a UTC day.
        declared: Source and basis of a gallery, where the owner has declared other than the profile takes for granted.
        request_state: How a request to the desk stands; by default there are none.
        standing: Another such docket's default uses, by year and gallery.
    """

    def __init__(
        self,
        *,
        agency: AgencyId,
        owner: PersonId,
        started: datetime,
        commit: Callable[[UseTerms], Sha256Hex],
        searches_on: Callable[[UseId, date], int],
        declared: Callable[[GalleryId], EnrolmentFacts | None] = lambda _: None,
        request_state: Callable[[RequestId], RequestState | None] = lambda _: None,
        standing: Callable[[int, GalleryId | None], Use] | None = None,
    ) -> None:
        self._agency = agency
        self._owner = owner
        self._started = started
        self._commit = commit
        self._searches_on = searches_on
        self._declared = declared
        self._request_state = request_state
        # A default use is the same value each time, so that of the latest thousand galleries needn't be made again.
        self._standing = standing or lru_cache(maxsize=1000)(self._activate)

    def at_once(self) -> AbstractContextManager[Docket]:
        return nullcontext(self)

    def asking(
        self,
        *,
        searches_on: Callable[[UseId, date], int],
        declared: Callable[[GalleryId], EnrolmentFacts | None],
        request_state: Callable[[RequestId], RequestState | None],
    ) -> "OwnerDocket":
        """The same owner's docket, which takes what changes from elsewhere, such as from one moment of the records."""
        return OwnerDocket(
            agency=self._agency,
            owner=self._owner,
            started=self._started,
            commit=self._commit,
            searches_on=searches_on,
            declared=declared,
            request_state=request_state,
            standing=self._standing,
        )

    def party(self, principal: PrincipalId) -> Party | None:  # noqa: ARG002 - one owner, one answer
        return Party(OwnerKind.PERSON, frozenset(Role) - {Role.OVERSEER, Role.TESTER}, self._agency, id=self._owner)

    def trained_until(self, principal: PrincipalId, course: CourseId) -> datetime | None:  # noqa: ARG002 - one owner, one answer
        return None

    def gallery(self, gallery: GalleryId) -> GalleryFacts:
        declared = self._declared(gallery)
        source = (declared.source if declared else None) or Source.OWN_PHOTOGRAPH
        return GalleryFacts(gallery, self._agency, frozenset({source}), enrolment=declared)

    def use(self, use: UseId) -> Use | None:  # noqa: ARG002 - one owner, one answer
        """No use has to be named, so one that is named is a mistake."""
        return None

    def evidence(self, use: Use, now: datetime) -> Evidence:  # noqa: ARG002 - one owner, one answer
        """The owner's standing use relies on no evaluation, and its report says so."""
        return NOTHING_NAMED

    def default_use(
        self,
        principal: PrincipalId,  # noqa: ARG002 - every key is the owner's
        gallery: GalleryId | None,
        now: datetime,
    ) -> Use | None:
        """The standing use of this gallery, or of pictures alone; `None` before the service was set up."""
        if now < self._started:
            return None
        return self._standing((now - self._started) // DEFAULT_USE_LASTS, gallery)

    def _activate(self, year: int, gallery: GalleryId | None) -> Use:
        since = self._started + year * DEFAULT_USE_LASTS
        terms = default_use_terms(self._agency, gallery, since)
        proposed = propose(
            PROFILES[ProfileName.PRIVATE],
            use=UseId(f"default-{year + 1}" if gallery is None else f"default-{year + 1}/{gallery}"),
            terms=terms,
            terms_sha256=self._commit(terms),
            proposer=self._owner,
            overseers=frozenset(),
            purpose_is_new=year == 0,
            now=since,
        )
        return activate_default_use(proposed, since)

    def agency_kind(self, agency: AgencyId) -> AgencyKind:  # noqa: ARG002 - one owner, one answer
        return AgencyKind.PRIVATE

    def searches_on(self, use: UseId, day: date) -> int:
        return self._searches_on(use, day)

    def desk_request(self, request: RequestId) -> RequestState | None:
        return self._request_state(request)


def _is_test(act: Act, gallery: GalleryId | None, asking: Asking) -> bool:
    """Whether a tester's act is one of their own: to their pictures or a gallery, and on behalf of nobody's use."""
    if asking.use is not None or asking.bound_use is not None:
        return False
    return act in _ON_PICTURES or (act in _ON_GALLERIES and gallery is not None)


def _asker(docket: Docket, request: RequestId | None) -> AskerFacts | None:
    state = None if request is None else docket.desk_request(request)
    return None if request is None or state is None else AskerFacts(request, state)


def _with_class(search: SearchFacts | None, use: Use | None) -> SearchFacts | None:
    """Rekognition's protocol has no word for the class of a search, so a use with a single class supplies it."""
    if search is None or search.search_class is not None or use is None or len(use.terms.search_classes) != 1:
        return search
    (only,) = use.terms.search_classes
    return replace(search, search_class=only)


def _utc_day(now: datetime) -> date:
    return now.astimezone(UTC).date()
