"""What the maker of an entry draws on while the entry is made."""

from collections.abc import Callable

from recognizance.identifiers import PrincipalId
from recognizance.ledger import Commitment, Facts, PrivateValue, Sealer


class EntryDraft:
    """What an entry's maker draws on: commitments to its private values, and pseudonyms."""

    def __init__(self, sealer: Sealer, pseudonym: Callable[[PrincipalId], str]) -> None:
        self._sealer = sealer
        self._pseudonym = pseudonym
        self.of_gallery: set[str] = set()

    def commit(self, field_name: str, value: PrivateValue, *, of_gallery: bool = False) -> Commitment:
        """Commit to the value of the private field of this name.

        Args:
            of_gallery: Whether deleting the gallery that the entry is about must destroy the value.
        """
        if of_gallery:
            self.of_gallery.add(field_name)
        return self._sealer.commit(field_name, value)

    def pseudonym(self, principal: PrincipalId) -> str:
        """What the ledger calls whoever acts."""
        return self._pseudonym(principal)


Maker = Callable[[EntryDraft], Facts]
"""Makes what an entry says. Called once."""
