"""What operators read: quality, edits, results and leads in words, and what a similarity is worth in this gallery.

A number alone invites trust that it hasn't earned. So a photograph is "too blurred to search", and a search is
described by how often it would bring somebody up who isn't the one looked for. Nothing here calls a candidate a match.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from recognizance.faces import Calibration, UnindexedReason
from recognizance.governance.leads import EditKind, EvidenceKind, LeadState, OutcomeKind
from recognizance.governance.purposes import Declaration, SearchClass
from recognizance.governance.review import Progress
from recognizance.governance.uses import UseState
from recognizance.ledger.facts.searches import SearchOutcome
from recognizance.web.language import N_

QUALITY_WORDS: Mapping[UnindexedReason, str] = {
    UnindexedReason.EXTREME_POSE: N_("too far turned away to search: take a photograph in which both eyes can be seen"),
    UnindexedReason.LOW_BRIGHTNESS: N_("too dark to search: try making the photograph brighter, or take another one"),
    UnindexedReason.LOW_SHARPNESS: N_(
        "too blurred to search: no edit brings back what isn't there, so use another one"
    ),
    UnindexedReason.LOW_CONFIDENCE: N_("too unclear to search: this may not be a face at all"),
    UnindexedReason.SMALL_BOUNDING_BOX: N_("too small to search: use a photograph in which the face is larger"),
    UnindexedReason.LOW_FACE_QUALITY: N_("not good enough to search: more than one thing about it is just short of it"),
    UnindexedReason.EXCEEDS_MAX_FACES: N_("one face too many"),
}
GOOD_ENOUGH = N_("good enough to search")

CLASS_WORDS: Mapping[SearchClass, str] = {
    SearchClass.INITIAL_IDENTIFICATION: N_("somebody unknown who is linked to an offence by evidence"),
    SearchClass.TARGETED: N_("somebody who is named already"),
    SearchClass.MISSING_PERSON: N_("somebody who is missing"),
    SearchClass.VERIFICATION: N_("somebody who says who they are"),
    SearchClass.DEDUPLICATION: N_("the same person a second time"),
    SearchClass.ARCHIVE: N_("somebody in one's own archive"),
    SearchClass.EVALUATION: N_("a test"),
}
AIM_WORDS: Mapping[Declaration, str] = {
    Declaration.PROTECTED_TRAIT: N_("what somebody is: their race, sex, faith, disability or whom they love"),
    Declaration.LAWFUL_PROTEST: N_("what somebody may do: speak, assemble, protest, worship"),
    Declaration.IMMIGRATION_STATUS: N_("whether somebody may be in the country"),
    Declaration.PREDICTION: N_("what somebody might do, or what they are like"),
}
USE_STATE_WORDS: Mapping[UseState, str] = {
    UseState.PROPOSED: N_("open for comments"),
    UseState.COMMENTED: N_("waiting for the overseers' votes"),
    UseState.APPROVED: N_("approved, not yet begun"),
    UseState.ACTIVE: N_("active"),
    UseState.SUSPENDED: N_("suspended by an overseer"),
    UseState.EXPIRED: N_("ended"),
    UseState.REVOKED: N_("revoked by the overseers"),
    UseState.WITHDRAWN: N_("given up"),
    UseState.REJECTED: N_("rejected by the overseers"),
    UseState.EMERGENCY: N_("active as an emergency, not yet authorised"),
    UseState.EMERGENCY_AUTHORISED: N_("active as an emergency, authorised"),
    UseState.EMERGENCY_SUSPENDED: N_("an emergency, suspended by an overseer"),
    UseState.LAPSED: N_("an emergency that nobody authorised"),
}
EDIT_WORDS: Mapping[EditKind, str] = {
    EditKind.CROP: N_("cut out"),
    EditKind.ROTATE: N_("turned"),
    EditKind.BRIGHTNESS: N_("brightness"),
    EditKind.CONTRAST: N_("contrast"),
    EditKind.SCALE: N_("size"),
}
OUTCOME_WORDS: Mapping[SearchOutcome, str] = {
    SearchOutcome.CANDIDATES: N_("candidates"),
    SearchOutcome.NO_CANDIDATE: N_("no candidate"),
    SearchOutcome.NO_FACE: N_("no face that is good enough"),
}
PROGRESS_WORDS: Mapping[Progress, str] = {
    Progress.UNDER_REVIEW: N_("candidates wait for review"),
    Progress.LEAD: N_("reviewed: a lead"),
    Progress.NO_LEAD: N_("reviewed: no lead"),
    Progress.WITHDRAWN: N_("withdrawn"),
}
LEAD_STATE_WORDS: Mapping[LeadState, str] = {
    LeadState.LOCKED: N_("locked until independent evidence is attested"),
    LeadState.ATTESTED: N_("independent evidence is attested"),
    LeadState.EXPORTED: N_("exported"),
    LeadState.ACTED_ON: N_("acted on"),
    LeadState.ARREST: N_("led to an arrest"),
    LeadState.NOT_USED: N_("not used"),
    LeadState.FALSE: N_("false: it was somebody else"),
    LeadState.WITHDRAWN: N_("withdrawn"),
}
LEAD_OUTCOME_WORDS: Mapping[OutcomeKind, tuple[str, str]] = {
    OutcomeKind.ACTED_ON: (
        N_("It was acted on"),
        N_("Somebody was looked for, questioned, searched or shown to a witness because of it."),
    ),
    OutcomeKind.ARREST: (N_("It led to an arrest"), N_("That is acting on it, too.")),
    OutcomeKind.NOT_USED: (N_("It was not used"), N_("Nothing was done because of it, and nothing will be.")),
    OutcomeKind.FALSE: (
        N_("It was false"),
        N_("It was somebody else. Whoever was told of it has to be told of this."),
    ),
}
EVIDENCE_WORDS: Mapping[EvidenceKind, str] = {
    EvidenceKind.WITNESS_WHO_KNOWS_THE_PERSON: N_("a witness who knows the person, and has not been shown this lead"),
    EvidenceKind.DOCUMENT: N_("a document"),
    EvidenceKind.FORENSIC_TRACE: N_("a trace, such as a fingerprint or DNA"),
    EvidenceKind.LOCATION: N_("where the person was"),
    EvidenceKind.STATEMENT: N_("a statement"),
    EvidenceKind.PHYSICAL_OBJECT: N_("an object"),
}
RECIPIENTS: Mapping[str, str] = {
    "defence": N_("the defence"),
    "prosecution": N_("the prosecution"),
    "court": N_("a court"),
    "oversight": N_("the oversight body"),
}
"""Who gets a case's record; the codes are public in the ledger."""

STAMP = N_("Investigative lead, not the sole basis for any action")
"""`LEAD_STAMP`, as a title in the reader's language; the English original stands beside it wherever a lead leaves."""


@dataclass(frozen=True, slots=True)
class Rarity:
    """How rarely something happens by chance: once in so many; two digits of it are meant.

    Attributes:
        once_in: 1 is always.
        is_estimated: Whether it lies beyond what was counted.
    """

    once_in: int
    is_estimated: bool


def false_candidates(calibration: Calibration, score: float, *, gallery_size: int) -> Rarity:
    """How rarely a search brings up somebody although the person looked for isn't in the gallery.

    FPIR = 1 - (1 - FMR)^N, which takes comparisons as independent; the true rate is lower (`Calibration`).

    Args:
        score: That a candidate had to reach, -1 to 1.
        gallery_size: Faces, at least 1.
    """
    rate = calibration.false_match_rate(score)
    # In a form that keeps its digits for very rare events and very large galleries.
    fpir = 1.0 if rate.bound >= 1.0 else -math.expm1(gallery_size * math.log1p(-rate.bound))
    return Rarity(_rounded(1 / fpir), rate.extrapolated)


def chance_likeness(calibration: Calibration, score: float) -> Rarity:
    """How rarely photographs of two different people look this alike."""
    rate = calibration.false_match_rate(score)
    return Rarity(_rounded(1 / rate.bound), rate.extrapolated)


def _rounded(number: float) -> int:
    """Two digits, rounded down, so that nothing sounds rarer than it is.

    >>> _rounded(1_234_567.8), _rounded(99.9), _rounded(1.2)
    (1200000, 99, 1)
    """
    unit = int("1" + "0" * max(len(str(int(number))) - 2, 0))
    return int(number) // unit * unit
