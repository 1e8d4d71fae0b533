"""Decisions: the only place where a `Permit` is built.

`Policy` has one rule: the key of an administrator may do everything. `RuledPolicy` asks the policies of a profile
(`docs/policy.md`). Callers ask both for each act on each gallery in the same way, so that stricter rules change what is
answered here and nothing about where it is asked.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from recognizance.errors import DeniedError
from recognizance.governance.parties import Role
from recognizance.governance.purposes import SearchClass
from recognizance.governance.requests import AT_THE_MACHINE, Act, Asking, Request
from recognizance.identifiers import DecisionId, GalleryId, PrincipalId
from recognizance.permits import Action, Mandate, Permit

if TYPE_CHECKING:
    # Loading Cedar takes longer than all the rest of a command that never asks it.
    from recognizance.governance.authority import Authority, Party, Ruling


__all__ = ["Policy", "Principal", "Role", "RuledPolicy"]


OWNER_RULE = "administrators may do everything"
"""The one rule of `Policy`, by name."""

DESK = "desk"
"""With the agency's name, what stands in the place of the use where the desk searches for somebody who asked."""

SUBJECT_REQUEST = "subject_request"
"""Purpose and class of such a search."""

INDEPENDENT_TEST = "independent_test"
"""Purpose of what a tester does; their pseudonym stands beside it."""

TEST_SEARCHES_PER_DAY = 1_000_000
"""Of all testers; a limit of ours that no test reaches."""

NO_AGENCY = "none"
DESK_SEARCHES_PER_DAY = 1_000
"""Of one agency's desk; a limit of ours, so that asking can't become a way to search."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking, as established by a verified signature or by standing at the machine's own command line."""

    id: PrincipalId
    roles: frozenset[Role]


class Policy:
    """Answers `may this principal do this act to this gallery?`, with a permit or a refusal."""

    def decide(
        self,
        principal: Principal,
        action: Action,
        *,
        gallery: GalleryId | None,
        decision_id: DecisionId,
        asking: Asking = AT_THE_MACHINE,  # noqa: ARG002 - an administrator needs to state nothing
    ) -> Permit:
        """Permit `action`, or refuse it.

        Args:
            gallery: What the act is done to; `None` for acts on images alone.
            decision_id: Fresh for each call; the permit and the refusal carry it.
            asking: What the caller brought with the request.

        Raises:
            DeniedError: Says what is missing.
        """
        if Role.ADMINISTRATOR not in principal.roles:
            raise DeniedError(f"{action.value!r} needs the role {Role.ADMINISTRATOR.value!r}", decision_id=decision_id)
        return Permit(
            decision_id=decision_id,
            principal=principal.id,
            actions=frozenset({action}),
            gallery=gallery,
            policies=(OWNER_RULE,),
        )


class RuledPolicy(Policy):
    """Permits what the policies of a profile permit, and nothing because of an administrator's key.

    Args:
        record: Told every ruling, refusals included, before anything comes of it; if it fails, nothing does.
    """

    def __init__(
        self, authority: "Authority", *, clock: Callable[[], datetime], record: Callable[["Ruling"], None]
    ) -> None:
        self._authority = authority
        self._clock = clock
        self._record = record

    def decide(
        self,
        principal: Principal,
        action: Action,
        *,
        gallery: GalleryId | None,
        decision_id: DecisionId,
        asking: Asking = AT_THE_MACHINE,
    ) -> Permit:
        """Permit `action`, or refuse it and say everything that is missing and who can grant it.

        Which roles `principal` has is looked up, not taken from the caller.

        Args:
            asking: What the caller brought; without it nothing is stated, so that a search or an enrolment that needs
                something stated is refused.

        Raises:
            DeniedError: Names what is missing.
        """
        ruling = self._rule(principal, Act(action.value), gallery=gallery, decision_id=decision_id, asking=asking)
        ruling.require()
        return Permit(
            decision_id=decision_id,
            principal=ruling.request.caller.principal,
            actions=frozenset({action}),
            gallery=gallery,
            policies=ruling.decision.policies,
            mandate=_mandate(ruling.request),
        )

    def decide_for_asker(
        self, principal: Principal, *, gallery: GalleryId, decision_id: DecisionId, asking: Asking
    ) -> Permit:
        """Permit one search of a gallery for somebody who asked the desk what is held about them, or refuse it.

        It is on behalf of no use: the record says that the desk searched, for which agency, and commits to the request.

        Args:
            asking: Names the request and the search.

        Raises:
            DeniedError: Names what is missing.
        """
        ruling = self._rule(principal, Act.SEARCH_FOR_ASKER, gallery=gallery, decision_id=decision_id, asking=asking)
        ruling.require()
        caller, asker = ruling.request.caller, ruling.request.asker
        agency = caller.agency or NO_AGENCY
        return Permit(
            decision_id=decision_id,
            principal=caller.principal,
            actions=frozenset({Action.SEARCH}),
            gallery=gallery,
            policies=ruling.decision.policies,
            mandate=Mandate(
                use=f"{DESK}/{agency}",
                agency=agency,
                purpose=SUBJECT_REQUEST,
                search_class=SUBJECT_REQUEST,
                searches_per_day=DESK_SEARCHES_PER_DAY,
                review_required=False,
                case=None if asker is None else asker.request,
                justification=None,
                offence=None,
            ),
        )

    def require(
        self,
        principal: Principal,
        act: Act,
        *,
        gallery: GalleryId | None,
        decision_id: DecisionId,
        asking: Asking = AT_THE_MACHINE,
    ) -> "Ruling":
        """As `decide`, for the acts of governing, which touch no face and so need no permit.

        Raises:
            DeniedError: Names what is missing.
        """
        ruling = self._rule(principal, act, gallery=gallery, decision_id=decision_id, asking=asking)
        ruling.require()
        return ruling

    def party(self, principal: PrincipalId) -> "Party | None":
        """Who a principal is to the policies; `None` if they are unknown or dismissed, so that every act is refused."""
        return self._authority.party(principal)

    def _rule(
        self,
        principal: Principal,
        act: Act,
        *,
        gallery: GalleryId | None,
        decision_id: DecisionId,
        asking: Asking,
    ) -> "Ruling":
        ruling = self._authority.rule(
            principal.id, act, gallery=gallery, asking=asking, decision_id=decision_id, now=self._clock()
        )
        self._record(ruling)
        return ruling


def _mandate(request: Request) -> Mandate | None:
    """What the record says about the use; only of a request that was allowed, so that it is the use's own."""
    use, grounds = request.use, request.grounds
    if request.act is Act.TEST:
        return Mandate(
            use=INDEPENDENT_TEST,
            agency=NO_AGENCY,
            purpose=INDEPENDENT_TEST,
            search_class=SearchClass.EVALUATION.value,
            searches_per_day=TEST_SEARCHES_PER_DAY,
            review_required=False,
            case=None,
            justification=None,
            offence=None,
            keeps_pictures=False,
        )
    if use is None:
        return None
    search_class = None if request.search is None else request.search.search_class
    return Mandate(
        use=use.id,
        agency=use.terms.agency,
        purpose=use.terms.purpose.value,
        search_class=None if search_class is None else search_class.value,
        searches_per_day=use.terms.limits.searches_per_day,
        review_required=use.terms.review_required,
        case=grounds.case,
        justification=grounds.justification,
        offence=grounds.offence,
    )
