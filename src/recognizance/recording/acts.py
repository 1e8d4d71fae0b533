"""What the ledger says of each act on faces and galleries: from a permit and an outcome to the facts of an entry.

One function for each kind of act. Public are numbers, names of things, the use and its agency, and the pseudonym of
whoever acted; committed to are the case, the probe and the result. What concerns a gallery's faces is sealed under the
gallery's key, and can't be shown any more when the gallery is gone; the case can.

Pure: each function gives a maker, which the recorder calls with the entry's own commitments.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import numpy as np

from recognizance.identifiers import AccessKeyId, GalleryId, PrincipalId
from recognizance.ledger import PrivateValue, facts
from recognizance.permits import Action, Mandate, Permit
from recognizance.recording.drafts import EntryDraft, Maker
from recognizance.records import GalleryRow

UNSTATED_USE = "private"
"""Use, agency and purpose of an act that no use was named for: the owner's own, on their own machine."""

_NOT_TOKEN = re.compile(r"[^A-Za-z0-9_.:@/-]+")
_OWN = Mandate(
    use=UNSTATED_USE,
    agency=UNSTATED_USE,
    purpose=UNSTATED_USE,
    search_class=facts.SearchClass.PRIVATE,
    searches_per_day=0,
    review_required=False,
    case=None,
    justification=None,
    offence=None,
)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a gallery's faces come from, and why they may be held.

    Attributes:
        agency: Who answers for it; `None` takes whoever acts.
    """

    source: str = "not stated"
    lawful_basis: str = "not stated"
    agency: str | None = None
    categories: tuple[str, ...] = ()
    retention_days: int | None = None


NOT_STATED = Provenance()


@dataclass(frozen=True, slots=True)
class ContentDelta:
    """What went in and out of a gallery with one change.

    Attributes:
        faces: What the change concerns, each as `face_digest` or an id gives it; committed to, not shown.
        subject: Whom it concerns, if it's one subject.
    """

    change: facts.ContentChange
    added: int = 0
    removed: int = 0
    faces: tuple[PrivateValue, ...] = ()
    subject: str | None = None


def token(text: str) -> str:
    """Spell a name as the ledger's public tokens are: other characters than `A-Za-z0-9_.:@/-` become hyphens.

    >>> token("administrators may do everything")
    'administrators-may-do-everything'
    """
    return _NOT_TOKEN.sub("-", text)[:255] or "-"


def face_digest(face_id: str, image_sha256: bytes | None, template: np.ndarray) -> PrivateValue:
    """A face as an enrolment commits to it: its id, and a SHA-256 over photograph and template."""
    plain = (image_sha256 or b"") + np.ascontiguousarray(template, dtype="<f4").tobytes()
    return face_id, sha256(plain).hexdigest()


def gallery(permit: Permit, row: GalleryRow, standing: facts.Standing, *, provenance: Provenance = NOT_STATED) -> Maker:
    """A gallery was created, changed or deleted."""

    def make(entry: EntryDraft) -> facts.Facts:
        return facts.Gallery(
            gallery=row.id,
            standing=standing,
            agency=token(provenance.agency or _mandate(permit).agency),
            model=row.model,
            source=provenance.source,
            lawful_basis=provenance.lawful_basis,
            categories=tuple(map(token, provenance.categories)),
            retention_days=provenance.retention_days,
            changed_by=entry.pseudonym(permit.principal),
        )

    return make


def content(permit: Permit, row: GalleryRow, delta: ContentDelta) -> Maker:
    """A gallery's content changed. `row` is as it is afterwards."""

    def make(entry: EntryDraft) -> facts.Facts:
        return facts.GalleryContent(
            gallery=row.id,
            version=row.version,
            change=delta.change,
            faces_added=delta.added,
            faces_removed=delta.removed,
            faces=row.face_count,
            changed_by=entry.pseudonym(permit.principal),
            content=entry.commit("content", (row.version, delta.subject, delta.faces), of_gallery=True),
        )

    return make


@dataclass(frozen=True, slots=True)
class Searched:
    """One search, as it is put on the record.

    Attributes:
        gallery_version: Of the content that was searched, at least.
        threshold: The similarity that a candidate had to reach, -1 to 1.
        candidates: Ids and similarities, in the order that they were answered in.
        probe: What was searched for: kind, id or hash, and the template's hash.
    """

    gallery: GalleryId
    gallery_version: int
    model: str
    threshold: float
    outcome: facts.SearchOutcome
    probe: PrivateValue
    candidates: tuple[tuple[str, float], ...] = ()


def search(permit: Permit, searched: Searched) -> Maker:
    """A face was searched for, whatever came of it."""

    def make(entry: EntryDraft) -> facts.Facts:
        mandate = _mandate(permit)
        result = tuple((key, f"{similarity:.6f}") for key, similarity in searched.candidates)
        return facts.Search(
            use=token(mandate.use),
            agency=token(mandate.agency),
            searched_by=entry.pseudonym(permit.principal),
            gallery=searched.gallery,
            gallery_version=searched.gallery_version,
            model=searched.model,
            threshold=searched.threshold,
            purpose=token(mandate.purpose),
            search_class=facts.SearchClass(mandate.search_class or facts.SearchClass.PRIVATE),
            offence=None if mandate.offence is None else token(mandate.offence),
            is_late_authorisation=False,
            outcome=searched.outcome,
            candidates=len(searched.candidates),
            decision=token(permit.decision_id),
            policies=_policies(permit),
            case=entry.commit("case", mandate.case),
            justification=entry.commit("justification", mandate.justification),
            probe=entry.commit("probe", searched.probe, of_gallery=True),
            result=entry.commit("result", result, of_gallery=True),
        )

    return make


def comparison(
    permit: Permit,
    *,
    model: str,
    threshold: float,
    probe: PrivateValue,
    similarities_pct: Sequence[float],
    matches: int,
) -> Maker:
    """The largest face of one photograph was compared with those of another."""

    def make(entry: EntryDraft) -> facts.Facts:
        mandate = _mandate(permit)
        return facts.Comparison(
            use=token(mandate.use),
            agency=token(mandate.agency),
            compared_by=entry.pseudonym(permit.principal),
            model=model,
            threshold=threshold,
            matches=matches,
            decision=token(permit.decision_id),
            policies=_policies(permit),
            case=entry.commit("case", mandate.case),
            probe=entry.commit("probe", probe),
            result=entry.commit("result", tuple(f"{similarity:.6f}" for similarity in similarities_pct)),
        )

    return make


def detection(permit: Permit, *, faces: int, image_sha256: str) -> Maker:
    """Faces were looked for in a photograph."""

    def make(entry: EntryDraft) -> facts.Facts:
        mandate = _mandate(permit)
        return facts.Detection(
            use=token(mandate.use),
            agency=token(mandate.agency),
            detected_by=entry.pseudonym(permit.principal),
            faces=faces,
            decision=token(permit.decision_id),
            policies=_policies(permit),
            case=entry.commit("case", mandate.case),
            photograph=entry.commit("photograph", image_sha256),
        )

    return make


def failure(permit: Permit, action: Action, gallery: GalleryId | None, cause: BaseException) -> Maker:
    """An act looked at faces and ended without an answer."""

    def make(entry: EntryDraft) -> facts.Facts:
        mandate = _mandate(permit)
        return facts.Failure(
            action=action.value,
            use=token(mandate.use),
            agency=token(mandate.agency),
            tried_by=entry.pseudonym(permit.principal),
            gallery=gallery,
            cause=token(type(cause).__name__),
            decision=token(permit.decision_id),
            policies=_policies(permit),
            case=entry.commit("case", mandate.case),
        )

    return make


@dataclass(frozen=True, slots=True)
class Refused:
    """An act that policy refused.

    Attributes:
        missing, granted_by: What it takes, and who can grant it, as short names.
    """

    decision: str
    action: str
    principal: PrincipalId | None
    gallery: GalleryId | None = None
    use: str | None = None
    agency: str | None = None
    purpose: str | None = None
    policies: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    granted_by: tuple[str, ...] = ()
    case: str | None = None


def refusal(refused: Refused) -> Maker:
    """Policy refused an act."""

    def make(entry: EntryDraft) -> facts.Facts:
        return facts.Refusal(
            decision=token(refused.decision),
            action=token(refused.action),
            use=_optional(refused.use),
            agency=_optional(refused.agency),
            refused=None if refused.principal is None else entry.pseudonym(refused.principal),
            gallery=_optional(refused.gallery),
            purpose=_optional(refused.purpose),
            policies=tuple(map(token, refused.policies)),
            missing=tuple(map(token, refused.missing)),
            granted_by=tuple(map(token, refused.granted_by)),
            case=entry.commit("case", refused.case),
        )

    return make


def access_key(
    key_id: AccessKeyId,
    owner: PrincipalId,
    standing: facts.Standing,
    *,
    agency: str = UNSTATED_USE,
    use: str | None = None,
    expires: datetime | None = None,
) -> Maker:
    """An access key was drawn, switched off or on, or deleted."""

    def make(entry: EntryDraft) -> facts.Facts:
        return facts.AccessKey(
            standing=standing,
            owner=entry.pseudonym(owner),
            agency=token(agency),
            use=_optional(use),
            expires=expires,
            access_key_id=entry.commit("access_key_id", key_id),
        )

    return make


def _mandate(permit: Permit) -> Mandate:
    return permit.mandate or _OWN


def _policies(permit: Permit) -> tuple[str, ...]:
    return tuple(map(token, permit.policies))


def _optional(text: str | None) -> str | None:
    return None if text is None else token(text)
