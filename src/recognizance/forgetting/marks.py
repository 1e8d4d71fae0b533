"""Marks "not this person": a finding that outlives the face it was made about.

A mark belongs to a probe or a case and to a person: it says who is not looked for, by the subject's name and by the
enrolled picture, and not by a face id, a score or a template. So it holds when the picture is enrolled again, under a
new id, after a deletion or with another model. A candidate that is marked is left out of what the search answers, and
the next one takes its place; the record says how many were left out and by which marks.

Names, pictures, probes and cases stand in a mark as HMACs under a key of this installation. So a mark may outlive the
erasure of the person it protects: it tells nobody who that is, and works again once the picture is enrolled again.

Implements `docs/forgetting.md`, "Marks".
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from recognizance.errors import ConflictError, InputError, NotFoundError
from recognizance.galleries import Clock
from recognizance.governance.codec import read_document, write_document
from recognizance.governance.oversight import Sha256Hex
from recognizance.governance.parties import PersonId
from recognizance.governance.subjects import CaseId, EnrolledIdentity, MarkScope, NotThisPerson, marked_faces
from recognizance.identifiers import FaceId, GalleryId, PrincipalId, SubjectId
from recognizance.ledger import EntryId, Facts, facts
from recognizance.permits import Action, Permit
from recognizance.recording import Change, EntryDraft, Maker, Recorder
from recognizance.records import Document, FaceRow, Reader, Records, Secret, SubjectRow

MARK_KIND = "mark"
_TARGET = "target"
_PAGE = 500


class MarkState(StrEnum):
    IN_FORCE = "in_force"
    LIFTED = "lifted"


@dataclass(frozen=True, slots=True)
class Marked:
    """A stored mark."""

    id: str
    mark: NotThisPerson
    state: MarkState


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Candidates that marks leave out, and which marks did."""

    keys: frozenset[str]
    marks: tuple[str, ...]


NOTHING_SUPPRESSED = Suppressed(frozenset(), ())


class Marks:
    """Sets, lifts and heeds marks. Safe to share between threads."""

    def __init__(
        self, records: Records, recorder: Recorder, *, key: Secret, clock: Clock, new_id: Callable[[], str]
    ) -> None:
        self._records = records
        self._recorder = recorder
        self._key = key
        self._clock = clock
        self._new_id = new_id

    def add(
        self,
        gallery: GalleryId,
        face_id: FaceId,
        *,
        reasons: str,
        probe_sha256: str | None = None,
        case: str | None = None,
        permit: Permit,
    ) -> Marked:
        """Mark whoever a face stands for as not the person in a picture, or not the one looked for in a case.

        Args:
            probe_sha256: Of the picture that was searched with, before any edit. Exactly one of this and `case`.

        Raises:
            NotFoundError: If there is no such face.
            InputError: If neither or both of picture and case are given, or no reasons are.
            ConflictError: If nothing of the face would outlive it: it has neither a subject nor a known picture.
        """
        with self._recorder.changing() as change:
            return self.add_in(
                change, gallery, face_id, reasons=reasons, probe_sha256=probe_sha256, case=case, permit=permit
            )

    def add_in(
        self,
        change: Change,
        gallery: GalleryId,
        face_id: FaceId,
        *,
        reasons: str,
        probe_sha256: str | None = None,
        case: str | None = None,
        permit: Permit,
    ) -> Marked:
        """As `add`, in a change of the caller's: for findings that take several marks, or a mark and something else."""
        permit.require_any(Action.SEARCH, Action.READ_GALLERY)
        if (probe_sha256 is None) == (case is None):
            raise InputError("a mark is about one picture or about one case: give one of them")
        row = change.transaction.faces_by_id(gallery, [face_id]).get(face_id)
        if row is None:
            raise NotFoundError(f"there is no face {face_id!r} in gallery {gallery!r}")
        if row.subject is None and row.image_sha256 is None:
            raise ConflictError(f"nothing of the face {face_id!r} would outlive it, so no mark can")
        mark = NotThisPerson(
            scope=MarkScope.CASE if probe_sha256 is None else MarkScope.PROBE,
            gallery=gallery,
            identity=self._identity(row),
            marked_by=PersonId(PrincipalId(self._recorder.pseudonym(permit.principal))),
            reasons=reasons,
            marked_at=self._clock(),
            probe_sha256=None if probe_sha256 is None else self._blind("probe", probe_sha256),
            case=None if case is None else CaseId(self._blind("case", case)),
        )
        marked = Marked(self._new_id(), mark, MarkState.IN_FORCE)
        labels = {_TARGET: _target_of(mark), "gallery": gallery}
        change.transaction.insert_document(Document(MARK_KIND, marked.id, marked.state, write_document(mark), labels))
        change.enter(_said(marked, facts.Standing.ADDED, permit.principal, reasons))
        return marked

    def lift(self, mark: str, *, reasons: str, permit: Permit) -> Marked:
        """Take a mark back, as a mistake. It stays on the record.

        Raises:
            NotFoundError: If there is none of this id.
            InputError: If there are no reasons.
            ConflictError: If it was lifted before.
        """
        permit.require_any(Action.SEARCH, Action.READ_GALLERY)
        if not reasons.strip():
            raise InputError("taking a mark back needs reasons")
        with self._recorder.changing() as change:
            document = change.transaction.document(MARK_KIND, mark)
            if document.state != MarkState.IN_FORCE:
                raise ConflictError(f"the mark {mark!r} was lifted before")
            change.transaction.replace_document(replace(document, state=MarkState.LIFTED))
            lifted = Marked(mark, read_document(NotThisPerson, document.body), MarkState.LIFTED)
            change.enter(_said(lifted, facts.Standing.REMOVED, permit.principal, reasons))
        return lifted

    def of_gallery(self, gallery: GalleryId, *, permit: Permit) -> list[Marked]:
        """All marks of a gallery, those that were lifted included, ordered by id."""
        permit.require_any(Action.SEARCH, Action.READ_GALLERY)
        with self._records.reading() as reader:
            return _every(reader, ("gallery", gallery))

    def count_of(self, reader: Reader, gallery: GalleryId, row: FaceRow) -> int:
        """How many marks in force protect whoever a face stands for."""
        identity = self._identity(row)
        return sum(
            each.mark.identity.is_same(identity)
            for each in _every(reader, ("gallery", gallery))
            if each.state is MarkState.IN_FORCE
        )

    def suppressed(
        self,
        reader: Reader,
        gallery: GalleryId,
        rows: Mapping[str, FaceRow] | Mapping[str, SubjectRow],
        *,
        probe_sha256: str | None,
        case: str | None,
    ) -> Suppressed:
        """Those candidates whom somebody has already found not to be who is looked for."""
        probe = None if probe_sha256 is None else self._blind("probe", probe_sha256)
        blind_case = None if case is None else CaseId(self._blind("case", case))
        targets = [target for target in (probe, blind_case) if target is not None]
        kept = [
            each
            for target in targets
            for each in _every(reader, (_TARGET, target))
            if each.state is MarkState.IN_FORCE and each.mark.gallery == gallery
        ]
        if not kept:
            return NOTHING_SUPPRESSED
        identities = {FaceId(key): self._identity(row) for key, row in rows.items()}
        left_out = marked_faces(
            identities,
            [each.mark for each in kept],
            gallery=gallery,
            # A picture that isn't known has no mark; no HMAC is all zeros.
            probe_sha256=probe or Sha256Hex("0" * 64),
            case=blind_case,
        )
        marks = tuple(
            each.id for each in kept if any(each.mark.identity.is_same(identities[face]) for face in left_out)
        )
        return Suppressed(frozenset(left_out), marks)

    def enter(self, change: Change, search: EntryId, gallery: GalleryId, suppressed: Suppressed) -> None:
        """Say beside a search how many candidates were left out, and by which marks."""

        def make(_entry: EntryDraft) -> Facts:
            marks = tuple(sorted(set(suppressed.marks)))[:256]
            return facts.Suppression(search=search, gallery=gallery, candidates=len(suppressed.keys), marks=marks)

        change.enter(make)

    def _identity(self, row: FaceRow | SubjectRow) -> EnrolledIdentity:
        if isinstance(row, SubjectRow):
            name: SubjectId | None = row.subject_id
            picture = f"no picture of {row.key}"
        else:
            name = row.subject
            picture = f"no picture of {row.face_id}" if row.image_sha256 is None else row.image_sha256.hex()
        subject = None if name is None else SubjectId(self._blind("subject", name))
        return EnrolledIdentity(subject, self._blind("picture", picture))

    def _blind(self, what: str, value: str) -> Sha256Hex:
        return Sha256Hex(hmac.digest(self._key.reveal(), f"{what}\n{value}".encode(), "sha256").hex())


def both(one: Suppressed, other: Suppressed) -> Suppressed:
    """What two looks leave out together."""
    return Suppressed(one.keys | other.keys, (*one.marks, *other.marks))


def _target_of(mark: NotThisPerson) -> str:
    target = mark.probe_sha256 if mark.scope is MarkScope.PROBE else mark.case
    if target is None:
        raise ValueError("a mark has a target")
    return target


def _every(reader: Reader, label: tuple[str, str]) -> list[Marked]:
    found: list[Marked] = []
    after = ""
    while page := reader.documents(MARK_KIND, label=label, after=after, limit=_PAGE):
        after = page[-1].id
        found += [Marked(each.id, read_document(NotThisPerson, each.body), MarkState(each.state)) for each in page]
    return found


def _said(marked: Marked, standing: facts.Standing, principal: PrincipalId, reasons: str) -> Maker:
    def make(entry: EntryDraft) -> Facts:
        identity = marked.mark.identity
        return facts.Mark(
            mark=marked.id,
            standing=standing,
            gallery=marked.mark.gallery,
            scope=facts.MarkScope(marked.mark.scope.value),
            marked_by=entry.pseudonym(principal),
            identity=entry.commit("identity", (identity.subject, identity.image_sha256)),
            reasons=entry.commit("reasons", reasons),
        )

    return make
