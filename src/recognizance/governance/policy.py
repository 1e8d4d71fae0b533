"""Decisions: the only place where a `Permit` is built.

Today one rule exists: the key of an administrator may do everything. Callers already ask for each act on each
gallery, so that stricter rules change what is answered here and nothing about where it is asked.
"""

from dataclasses import dataclass
from enum import StrEnum

from recognizance.errors import DeniedError
from recognizance.identifiers import DecisionId, GalleryId, PrincipalId
from recognizance.permits import Action, Permit


class Role(StrEnum):
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking, as established by a verified signature or by standing at the machine's own command line."""

    id: PrincipalId
    roles: frozenset[Role]


class Policy:
    """Answers `may this principal do this act to this gallery?`, with a permit or a refusal."""

    def decide(
        self, principal: Principal, action: Action, *, gallery: GalleryId | None, decision_id: DecisionId
    ) -> Permit:
        """Permit `action`, or refuse it.

        Args:
            gallery: What the act is done to; `None` for acts on images alone.
            decision_id: Fresh for each call; the permit and the refusal carry it.

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
            policies=("administrators may do everything",),
        )
