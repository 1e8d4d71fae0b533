"""About this service and whoever asks: whether it is up, and who one is to it."""

from dataclasses import dataclass
from datetime import datetime

from recognizance.api.routes import Call, Method, Nothing, Route, Who
from recognizance.api.services import Services
from recognizance.governance import Credential, Role
from recognizance.governance.parties import OwnerKind
from recognizance.governance.profiles import ProfileName


@dataclass(frozen=True, slots=True)
class HealthView:
    """Whether the service is up: it answers, and its records can be read."""

    status: str
    profile: ProfileName
    time: datetime


@dataclass(frozen=True, slots=True)
class WhoView:
    """Who the caller is to the policies.

    Attributes:
        principal: The pseudonym or id that the record knows them by.
        kind: Null for somebody who takes no part (any more); then every act is refused.
        use: The use that the key or the session works for; null if it isn't bound.
        session: The session's name; null for a long-lived key.
    """

    principal: str
    kind: OwnerKind | None
    agency: str | None
    roles: tuple[Role, ...]
    credential: Credential
    use: str | None
    session: str | None
    case: str | None


def show_health(services: Services, _: Call[Nothing, Nothing]) -> HealthView:
    with services.records.reading() as reader:
        reader.marked_size()
    return HealthView("ok", services.governing.profile.name, services.clock())


def show_who(services: Services, call: Call[Nothing, Nothing]) -> WhoView:
    actor = call.actor
    party = services.governing.policy.party(actor.principal.id)
    return WhoView(
        principal=actor.principal.id if party is None else party.id or actor.principal.id,
        kind=None if party is None else party.kind,
        agency=None if party is None else party.agency,
        roles=() if party is None else tuple(sorted(party.roles)),
        credential=actor.asking.credential,
        use=actor.asking.bound_use,
        session=call.session_name,
        case=actor.asking.grounds.case,
    )


ROUTES = (
    Route("show_health", Method.GET, "/health", "Say whether the service is up.", show_health, HealthView, Who.ANYBODY),
    Route("show_who", Method.GET, "/whoami", "Say who the caller is.", show_who, WhoView, Who.SIGNED_IN),
)
