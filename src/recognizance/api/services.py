"""What routes are answered with: the service's own parts, and questions to the policy in the name of whoever asks.

Adds no rule of its own. Where a service asks the policy itself, a route just calls it; where it takes a permit, the
route gets one here; where it asks nothing (a list for whoever runs the machine), the route asks for the act that it
declares.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from recognizance.api.forms import PageSize, form
from recognizance.aws import PageTokens
from recognizance.disclosing.disclosure import Disclosing
from recognizance.docket import MACHINE
from recognizance.duplicates import Duplicates
from recognizance.enrolling.subjects import Subjects
from recognizance.forgetting.erasure import Erasure
from recognizance.forgetting.marks import Marks
from recognizance.galleries import Galleries
from recognizance.governance import Act, Asking
from recognizance.governance.parties import PersonId
from recognizance.governing.access import AccessKeys
from recognizance.governing.installation import Governing
from recognizance.governing.pace import Writers
from recognizance.governing.registration import Actor
from recognizance.identifiers import DecisionId, GalleryId
from recognizance.imports import Imports
from recognizance.intake import Intake
from recognizance.permits import Action, Permit
from recognizance.recording import Recorder
from recognizance.records import Records
from recognizance.register import LiveRegister
from recognizance.retention_runs import RetentionRuns
from recognizance.reviewing.askers import Asker
from recognizance.reviewing.leads import Leads
from recognizance.reviewing.probes import Probes
from recognizance.reviewing.reviews import Reviewing
from recognizance.searching_desk import SearchingDesk

_Item = TypeVar("_Item")


@form
class PageQuery:
    """Which part of a list."""

    page_size: PageSize = 50
    page_token: str | None = None


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of a service that this API speaks for. Safe to share between threads."""

    records: Records
    recorder: Recorder
    governing: Governing
    keys: AccessKeys
    galleries: Galleries
    subjects: Subjects
    duplicates: Duplicates
    imports: Imports
    marks: Marks
    erasure: Erasure
    retention: RetentionRuns
    desk: SearchingDesk
    reviewing: Reviewing
    leads: Leads
    probes: Probes
    disclosing: Disclosing
    register: LiveRegister
    intake: Intake
    writers: Writers
    tokens: PageTokens
    clock: Callable[[], datetime]
    new_id: Callable[[], str]

    def require(self, actor: Actor, act: Act) -> None:
        """Ask the policy about an act of governing.

        Raises:
            DeniedError: Names what is missing and who can grant it.
        """
        self.governing.gate.require(actor, act)

    def permit(
        self, actor: Actor, action: Action, gallery: GalleryId | None = None, *, asking: Asking | None = None
    ) -> Permit:
        """Ask the policy about an act on faces.

        Args:
            asking: What is stated with it; what the actor's key or session brought, without this.

        Raises:
            DeniedError: Names what is missing and who can grant it.
        """
        return self.governing.policy.decide(
            actor.principal,
            action,
            gallery=gallery,
            decision_id=DecisionId(self.new_id()),
            asking=asking or actor.asking,
        )

    def page(
        self, route: str, items: Sequence[_Item], id_of: Callable[[_Item], str], query: PageQuery, *, within: str = ""
    ) -> tuple[tuple[_Item, ...], str | None]:
        """One page of a list that is ordered here by id, and the token of the next.

        Args:
            within: What else the list depends on, such as its gallery.

        Raises:
            PageTokenError: If the token was given out for another list.
        """
        ordered = sorted(items, key=id_of)
        last = self.tokens.read_optional(query.page_token, operation=route, within=within)
        if last is not None:
            behind = _plain(last)
            ordered = [item for item in ordered if id_of(item) > behind]
        page = tuple(ordered[: query.page_size])
        if len(ordered) <= query.page_size:
            return page, None
        return page, self.tokens.make(_packed(id_of(page[-1])), operation=route, within=within)


def asker_of(services: Services, actor: Actor) -> Asker:
    """Whoever asks, as the services of review take them."""
    principal = actor.principal.id
    # A key that was drawn for nobody in particular is its owner's who runs the machine.
    known_as = services.governing.installation.owner if principal == MACHINE else PersonId(principal)
    return Asker(known_as, actor.asking.credential, actor.asking.bound_use)


def _packed(text: str) -> str:
    """An id in the characters that page tokens take; base64url's are among them."""
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _plain(packed: str) -> str:
    return urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode()
