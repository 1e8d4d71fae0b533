"""Permits for whoever is signed in: a search under a use, for a case, as they stated it.

A page gets no permit but by asking the policy here, so that what the pages allow is what the API allows.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from recognizance.governance import Asking, Credential, Grounds, Principal, RuledPolicy, SearchFacts
from recognizance.governance.parties import PersonId, UseId
from recognizance.governance.purposes import Capture, SearchClass
from recognizance.governance.terms import Limits
from recognizance.identifiers import DecisionId, GalleryId
from recognizance.permits import Action, Permit

LEAST_THRESHOLD_PCT = 80.0
"""Rekognition's own default: two different people look so alike once in 10,000 times."""

MOST_CANDIDATES_SHOWN = 10
"""Each candidate is somebody who may be innocent, and work for two reviewers; a limit of ours."""


@dataclass(frozen=True, slots=True)
class Stated:
    """On whose behalf somebody searches, and why: what every step with one photograph is permitted for.

    Attributes:
        use: `None` in a private installation, where the gallery's standing use holds.
        threshold_pct, candidates: What the search asks for, within the limits of the use.
    """

    use: UseId | None
    gallery: GalleryId
    grounds: Grounds
    search_class: SearchClass | None = None
    threshold_pct: float = LEAST_THRESHOLD_PCT
    candidates: int = MOST_CANDIDATES_SHOWN

    @property
    def search(self) -> SearchFacts:
        return SearchFacts(self.search_class, Capture.STILL, self.threshold_pct, self.candidates)


def within(limits: Limits) -> tuple[float, int]:
    """The threshold and the number of candidates that pages ask for under a use."""
    return max(limits.threshold_floor_pct, LEAST_THRESHOLD_PCT), min(limits.candidates, MOST_CANDIDATES_SHOWN)


@dataclass(frozen=True, slots=True)
class PermitDesk:
    """Asks the policy.

    Args:
        new_id: Draws ids for decisions.
    """

    policy: RuledPolicy
    new_id: Callable[[], str] = field(repr=False)

    def permit(self, person: PersonId, action: Action, stated: Stated) -> Permit:
        """A permit for one act with a photograph.

        Raises:
            DeniedError: Names what is missing and who can grant it.
        """
        is_search = action is Action.SEARCH
        asking = Asking(
            Credential.SIGN_IN,
            use=stated.use,
            search=stated.search if is_search else None,
            grounds=stated.grounds,
        )
        return self._decided(person, action, stated.gallery if is_search else None, asking)

    def reading(self, person: PersonId, gallery: GalleryId | None) -> Permit:
        """A permit to read what a gallery holds, or which galleries there are.

        Raises:
            DeniedError: Names what is missing and who can grant it.
        """
        return self._decided(person, Action.READ_GALLERY, gallery, Asking(Credential.SIGN_IN))

    def looking(self, person: PersonId) -> Permit:
        """A permit to decode a photograph.

        Raises:
            DeniedError: Names what is missing and who can grant it.
        """
        return self._decided(person, Action.DETECT, None, Asking(Credential.SIGN_IN))

    def _decided(self, person: PersonId, action: Action, gallery: GalleryId | None, asking: Asking) -> Permit:
        # Which roles somebody has is for the policy to look up.
        principal = Principal(person, frozenset())
        return self.policy.decide(
            principal, action, gallery=gallery, decision_id=DecisionId(self.new_id()), asking=asking
        )
