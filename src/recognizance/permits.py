"""What a decision of the policy allows, carried to the place where it is used.

Every function that touches a face takes a `Permit`, so a forgotten check is a type error. Only
`recognizance.governance.policy` builds one (tests/governance/test_policy.py reads the source tree to hold it); the
type stands down here because `faces` must be able to name it.
"""

from dataclasses import dataclass
from enum import StrEnum

from recognizance.errors import DeniedError
from recognizance.identifiers import DecisionId, GalleryId, PrincipalId


class Action(StrEnum):
    """What can be done to faces and to what holds them."""

    DETECT = "detect"
    COMPARE = "compare"
    SEARCH = "search"
    ENROL = "enrol"
    FORGET = "forget"
    READ_GALLERY = "read_gallery"
    MANAGE_GALLERY = "manage_gallery"
    MEASURE = "measure"
    """Run faces of a test set through the models, for an evaluation or a benchmark."""


@dataclass(frozen=True, slots=True)
class Mandate:
    """On whose behalf an act is done, and what was stated for it: what the record says beside the act itself.

    Names and codes are plain text here, because the words of governance stand further up.

    Attributes:
        use, agency: The use under which it is done, and whose use that is.
        search_class: As stated, or the only one that the use allows; `None` where nothing is searched.
        searches_per_day: The use's limit for a UTC day.
        review_required: Whether candidates wait for two reviewers.
        case, justification, offence: As the caller stated them; `None` where they stated nothing.
        keeps_pictures: Whether photographs may be kept at all, whatever the settings say.
    """

    use: str
    agency: str
    purpose: str
    search_class: str | None
    searches_per_day: int
    review_required: bool
    case: str | None
    justification: str | None
    offence: str | None
    keeps_pictures: bool = True


@dataclass(frozen=True, slots=True)
class Permit:
    """One decision: who may do what, to which gallery.

    Attributes:
        principal: Who acts, as the record knows them: a person's pseudonym or a program's id.
        actions: What is allowed, nothing else.
        gallery: The only gallery it covers; `None` covers acts that name no gallery, such as comparing two images.
        policies: The names of the policies that decided, for the record.
        mandate: The use that it is done under; `None` for acts that no use was named for.
    """

    decision_id: DecisionId
    principal: PrincipalId
    actions: frozenset[Action]
    gallery: GalleryId | None
    policies: tuple[str, ...]
    mandate: Mandate | None = None

    def require(self, action: Action, gallery: GalleryId | None = None) -> None:
        """Refuse unless this permit covers `action` on exactly `gallery`.

        Raises:
            DeniedError: If it doesn't. Names the act and the gallery.
        """
        if action not in self.actions:
            raise DeniedError(f"the permit does not cover the act {action.value!r}", decision_id=self.decision_id)
        if gallery is not None and gallery != self.gallery:
            raise DeniedError(f"the permit does not cover the gallery {gallery!r}", decision_id=self.decision_id)

    def require_any(self, *actions: Action) -> None:
        """Refuse unless this permit covers at least one of `actions`.

        For steps that several acts share: a face is found in the same way for a search and for an enrolment.

        Raises:
            DeniedError: If it covers none.
        """
        if self.actions.isdisjoint(actions):
            wanted = ", ".join(action.value for action in actions)
            raise DeniedError(f"the permit covers none of the acts {wanted}", decision_id=self.decision_id)
