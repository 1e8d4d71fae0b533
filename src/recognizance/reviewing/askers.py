"""Who asks the services of review, and the one way in which these ask the policy about them.

Knows people by their pseudonyms alone, and decides nothing: which roles somebody has is for the policy to look up.
Implements `docs/review.md`, "What a reviewer sees", on who may do what.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from recognizance.documents import Kind, PersonRecord, Standing, found
from recognizance.errors import DeniedError
from recognizance.governance import Act, Asking, Credential, Principal
from recognizance.governance.parties import Person, PersonId, UseId
from recognizance.identifiers import DecisionId, GalleryId
from recognizance.records import Reader


class Gatekeeper(Protocol):
    """Asks the policy about acts of governing; `RuledPolicy` is one."""

    def require(
        self, principal: Principal, act: Act, *, gallery: GalleryId | None, decision_id: DecisionId, asking: Asking
    ) -> object:
        """Put the ruling on the record, and raise `DeniedError` if it is a refusal."""
        ...


@dataclass(frozen=True, slots=True)
class Asker:
    """A person who asks, and how they proved who they are.

    Attributes:
        bound_use: The only use that their key works for; `None` if it isn't bound.
    """

    person: PersonId
    credential: Credential = Credential.PERSON_KEY
    bound_use: UseId | None = None


class Door:
    """Asks the policy whether a person may do something under a use. Safe to share between threads.

    Args:
        new_id: Draws a fresh lower-case UUID.
    """

    def __init__(self, gatekeeper: Gatekeeper, new_id: Callable[[], str]) -> None:
        self._gatekeeper = gatekeeper
        self._new_id = new_id

    def require(self, asker: Asker, act: Act, use: UseId) -> None:
        """Ask about an act of a person under a use.

        Raises:
            DeniedError: If the policy refuses.
        """
        self._gatekeeper.require(
            Principal(asker.person, frozenset()),
            act,
            gallery=None,
            decision_id=DecisionId(self._new_id()),
            asking=Asking(asker.credential, use=use, bound_use=asker.bound_use),
        )


def person_of(reader: Reader, person: PersonId) -> Person:
    """A person who takes part at this time.

    Raises:
        DeniedError: If there is none of this pseudonym, or they were suspended or dismissed.
    """
    record = found(reader, Kind.PERSON, person, PersonRecord)
    if record is None or record.document.state != Standing.ACTIVE:
        raise DeniedError(f"{person!r} takes no part in this service")
    return record.value.person
