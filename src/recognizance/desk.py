"""The desk: what people ask about themselves, answered by an officer in time and on the record.

Anybody may ask whether they are enrolled or were ever a candidate, have something corrected or erased, and complain.
What they said stands sealed in the records under the request's id; the ledger has the request's kind, its deadline and
who handled it, so that the public can count what was asked and how long it took, and nobody can see by whom.

Each agency has its own desk, and a request is on the desk that it was addressed to: to officers of other agencies there
is none (decision 0049). One that is nobody's, because no agency took part when it came in or an earlier version took
it, stands on every desk until the first that takes a step makes it its own.

Whoever acts here is named with each call and has to hold the role: the desk asks the policy itself. An officer finds
what is held by identifiers (a name that the gallery knows) or by a photograph (`searching_desk.py`), for a request
whose asker has proven who they are, and only in galleries of the officer's own agency. A photograph is a search with a
permit and an entry of its own, and answers with face ids and similarities alone: a similar face is not the same person,
so the officer says which of them are the asker's, and only those are theirs to have. Never stores what proved who was
asking, nor a photograph longer than its request is open.

Implements `docs/forgetting.md`, "The desk", over the tables of `governance.subjects`.
"""

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date

from recognizance.correspondence import (
    MAX_STATEMENT_CHARACTERS,
    REQUEST_PHOTOGRAPH,
    RequestFile,
    drop_photograph,
    entered,
    on_desk,
    replace_request,
    request_document,
    request_files,
)
from recognizance.documents import GalleryDeclaration, Kind, found
from recognizance.errors import ConflictError, InputError, NotFoundError
from recognizance.forgetting.erasure import Cause, Erased, Erasure, Order
from recognizance.forgetting.marks import Marks
from recognizance.galleries import Clock
from recognizance.governance import Act
from recognizance.governance.parties import AgencyId, PersonId
from recognizance.governance.subjects import (
    DeskTerms,
    Refusal,
    RequestEvent,
    RequestId,
    RequestKind,
    RequestState,
    SubjectRequest,
    advance,
    extend,
    overdue,
)
from recognizance.governing.registration import Actor, Gate
from recognizance.identifiers import FaceId, GalleryId, PrincipalId, SubjectId
from recognizance.ledger import facts
from recognizance.permits import Action, Permit
from recognizance.recording import Change, ContentDelta, Recorder, acts
from recognizance.records import FaceRow, Needles, Reader, Records
from recognizance.reviewing.documents import is_under_review

_PAGE = 500
_PROVEN = frozenset({RequestState.VERIFIED, RequestState.ANSWERED})


@dataclass(frozen=True, slots=True)
class HeldFace:
    """One face that is held, and what happened to it."""

    gallery: GalleryId
    face: FaceRow
    candidate_in: tuple[str, ...]
    """Ledger entries of the searches that it was a candidate of, as far as they can still be shown.

    Without those whose review isn't over: whoever asks again is told then, and nobody learns here whom reviewers see.
    """
    marks: int
    """How many findings "not this person" protect whoever it stands for."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What is held about whoever made a request.

    Attributes:
        elsewhere: Galleries of other agencies, which weren't looked through: their own desks answer for them.
    """

    request: RequestId
    faces: tuple[HeldFace, ...]
    elsewhere: tuple[GalleryId, ...] = ()

    @property
    def is_enrolled(self) -> bool:
        return bool(self.faces)

    @property
    def was_a_candidate(self) -> bool:
        return any(each.candidate_in for each in self.faces)


class Desk:
    """Takes requests, answers them, and does what was rightly asked. Safe to share between threads.

    Raises:
        DeniedError: From every method, if whoever acts isn't a desk officer. Names what is missing; on the record.
    """

    def __init__(
        self,
        records: Records,
        recorder: Recorder,
        gate: Gate,
        erasure: Erasure,
        marks: Marks,
        *,
        clock: Clock,
        new_id: Callable[[], str],
        terms: DeskTerms = DeskTerms(),  # noqa: B008 - a value that never changes
    ) -> None:
        self._records = records
        self._recorder = recorder
        self._gate = gate
        self._erasure = erasure
        self._marks = marks
        self._clock = clock
        self._new_id = new_id
        self._terms = terms

    def open(
        self, kind: RequestKind, *, asker: str, statement: str, received: date | None = None, by: Actor
    ) -> SubjectRequest:
        """Take a request; its deadline runs from the day it came in, not from the day it was typed in.

        Raises:
            InputError: If nobody asks, the statement is too long, or it came in later than today.
        """
        _, agency = self._gate.require(by, Act.HANDLE_REQUEST)
        if not asker.strip():
            raise InputError("a request is somebody's: say who asks and how to reach them")
        if len(statement) > MAX_STATEMENT_CHARACTERS:
            raise InputError(f"the statement has {len(statement)} characters; the limit is {MAX_STATEMENT_CHARACTERS}")
        today = self._today()
        if (received or today) > today:
            raise InputError(f"the request came in on {received}, which is after today")
        request = SubjectRequest(RequestId(self._new_id()), kind, received or today, self._terms)
        file = RequestFile(request, asker, statement)
        with self._recorder.changing() as change:
            change.transaction.insert_document(request_document(file, agency))
            change.enter(entered(file, facts.RequestEvent.RECEIVED, None))
        return request

    def step(
        self, request: str, event: RequestEvent, *, refusal: Refusal | None = None, answer: str = "", by: Actor
    ) -> SubjectRequest:
        """Take one step of a request's life; an answer, a refusal and an end are on the record.

        Raises:
            NotFoundError: If there is no such request.
            ConflictError: If the table has no such step, or the appeal would be decided by the same officer.
            InputError: If a reason is missing.
        """
        principal, agency = self._gate.require(by, Act.HANDLE_REQUEST)
        officer = PersonId(PrincipalId(self._recorder.pseudonym(principal)))
        with self._recorder.changing() as change:
            document, file = on_desk(change.transaction, request, agency)
            moved = advance(file.request, event, today=self._today(), officer=officer, refusal=refusal)
            after = replace(file, request=moved, answer=answer or file.answer)
            replace_request(change.transaction, document, after, agency)
            drop_photograph(change.transaction, moved)
            public = _PUBLIC_EVENTS.get(event)
            if public is not None:
                change.enter(entered(after, public, None if refusal is None else refusal.value))
        return moved

    def extend(self, request: str, reason: str, *, by: Actor) -> SubjectRequest:
        """Give the desk its one extension, with a reason that the asker is told.

        Raises:
            NotFoundError: If there is no such request.
            ConflictError: If no answer is owed, the deadline has passed or it was extended before.
        """
        _, agency = self._gate.require(by, Act.HANDLE_REQUEST)
        with self._recorder.changing() as change:
            document, file = on_desk(change.transaction, request, agency)
            after = replace(file, request=extend(file.request, reason, self._today()))
            replace_request(change.transaction, document, after, agency)
            change.enter(entered(after, facts.RequestEvent.EXTENDED, None))
        return after.request

    def file(self, request: str, *, by: Actor) -> RequestFile:
        """A request with what was said.

        Raises:
            NotFoundError: If there is no such request, or it's on another agency's desk.
        """
        _, agency = self._gate.require(by, Act.HANDLE_REQUEST)
        with self._records.reading() as reader:
            return on_desk(reader, request, agency)[1]

    def photograph(self, request: str, *, by: Actor) -> bytes | None:
        """The photograph that came with a request, to look with once its asker is known; `None` where there is none.

        Raises:
            NotFoundError: If there is no such request, or it's on another agency's desk.
        """
        _, agency = self._gate.require(by, Act.HANDLE_REQUEST)
        with self._records.reading() as reader:
            on_desk(reader, request, agency)
            return next((each.body for each in reader.documents_by_id(REQUEST_PHOTOGRAPH, [request]).values()), None)

    def files(self, *, state: RequestState | None = None, by: Actor) -> list[RequestFile]:
        """All requests on the officer's desk, or those in a state, by their deadlines, the earliest first."""
        _, agency = self._gate.require(by, Act.HANDLE_REQUEST)
        with self._records.reading() as reader:
            files = list(request_files(reader, state, agency))
        return sorted(files, key=lambda file: (file.request.deadline, file.request.id))

    def overdue(self, *, by: Actor) -> tuple[SubjectRequest, ...]:
        """Requests that are late, the longest first."""
        return overdue([file.request for file in self.files(by=by)], self._today())

    def held_under(self, request: str, names: Sequence[str], *, by: Actor) -> Findings:
        """What is held under names that galleries know: of subjects, of photographs, or ids of faces.

        Raises:
            NotFoundError: If there is no such request.
            ConflictError: If the asker hasn't proven who they are, or the request has ended.
        """
        file = self._proven(request, by)
        own, elsewhere = self._galleries(by)
        faces: list[HeldFace] = []
        wanted = frozenset(names)
        for gallery in own:
            self._gate.permit(by, Action.READ_GALLERY, gallery).require(Action.READ_GALLERY, gallery)
            with self._records.reading() as reader:
                rows = [
                    row for row in _rows(reader, gallery) if wanted & {row.face_id, row.subject, row.external_image_id}
                ]
                faces += self._held(reader, gallery, rows)
        return Findings(file.request.id, tuple(faces), elsewhere)

    def export(self, request: str, findings: Findings, *, by: Actor) -> bytes:
        """Everything that is held of those faces, as a ZIP: `held.json`, and photographs where they are kept.

        Templates aren't in it: they mean nothing outside the model, and whoever has one can search for the person.

        Raises:
            NotFoundError: If there is no such request.
            ConflictError: If the asker hasn't proven who they are, the request was refused, or somebody else's request
                found this.
        """
        _require_own(self._proven(request, by), findings)
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as bundle, self._records.reading() as reader:
            described = {"request": request, "faces": [_described(each) for each in findings.faces]}
            bundle.writestr("held.json", json.dumps(described, ensure_ascii=False, indent=2, sort_keys=True))
            for gallery, image in sorted({(each.gallery, each.face.image_id) for each in findings.faces}):
                if reader.kept_among(gallery, [image]):
                    bundle.writestr(f"photographs/{gallery}/{image}", reader.kept_image(gallery, image))
        return archive.getvalue()

    def erase(self, request: str, findings: Findings, *, by: Actor) -> list[Erased]:
        """Erase everything found, on the word of a request for erasure whose asker has proven who they are.

        Raises:
            NotFoundError: If there is no such request.
            ConflictError: If the request isn't one for erasure or isn't verified, somebody else's request found this,
                or an order to preserve holds something of it.
        """
        self._for_kind(request, RequestKind.ERASURE, by)
        _require_own(self._proven(request, by), findings)
        by_gallery: dict[GalleryId, list[FaceId]] = {}
        for each in findings.faces:
            by_gallery.setdefault(each.gallery, []).append(each.face.face_id)
        order = Order(Cause.REQUEST, request)
        return [
            self._erasure.faces(gallery, faces, order=order, permit=self._gate.permit(by, Action.FORGET, gallery))
            for gallery, faces in sorted(by_gallery.items())
        ]

    def correct(self, request: str, gallery: GalleryId, face: FaceId, *, subject: SubjectId | None, by: Actor) -> None:
        """Say whose a face is: somebody else's, or (with `None`) nobody's that we know.

        Raises:
            NotFoundError: If there is no such request, face or subject.
            ConflictError: If the request isn't a verified one for correction, or nothing would change.
        """
        self._for_kind(request, RequestKind.CORRECTION, by)
        permit = self._gate.permit(by, Action.FORGET, gallery)
        with self._recorder.changing() as change:
            row = change.transaction.faces_by_id(gallery, [face]).get(face)
            if row is None:
                raise NotFoundError(f"there is no face {face!r} in gallery {gallery!r}")
            if row.subject == subject:
                raise ConflictError(f"face {face!r} is what the correction says already")
            if row.subject is not None:
                change.transaction.disassociate(gallery, row.subject, [face])
            if subject is not None:
                change.transaction.associate(gallery, subject, [face])
            _enter_correction(change, gallery, face, permit)

    def _proven(self, request: str, by: Actor) -> RequestFile:
        file = self.file(request, by=by)
        if file.request.state not in _PROVEN:
            raise ConflictError(f"request {request!r} is {file.request.state.value!r}; verify who asks first")
        return file

    def _for_kind(self, request: str, kind: RequestKind, by: Actor) -> None:
        file = self.file(request, by=by)
        if file.request.kind is not kind or file.request.state is not RequestState.VERIFIED:
            raise ConflictError(f"request {request!r} is no verified request for {kind.value}")

    def _held(self, reader: Reader, gallery: GalleryId, rows: Sequence[FaceRow]) -> Iterator[HeldFace]:
        for row in rows:
            places = reader.openings_naming(Needles(ids=[row.face_id]), gallery=gallery)
            found = {place.entry_id for place in places if place.field == "result"}
            entries = tuple(sorted(entry for entry in found if not is_under_review(reader, entry)))
            yield HeldFace(gallery, row, entries, self._marks.count_of(reader, gallery, row))

    def _galleries(self, by: Actor) -> tuple[list[GalleryId], tuple[GalleryId, ...]]:
        """The galleries that this officer's desk answers for, and those of other agencies."""
        _, agency = self._gate.require(by, Act.HANDLE_REQUEST)
        names: list[GalleryId] = []
        with self._records.reading() as reader:
            while page := reader.galleries(after=names[-1] if names else None, limit=_PAGE):
                names += [row.id for row in page]
            owners = {name: _agency_of(reader, name) for name in names}
        own = [name for name in names if owners[name] in {None, agency}]
        return own, tuple(name for name in names if name not in own)

    def _today(self) -> date:
        return self._clock().astimezone(UTC).date()


def _agency_of(reader: Reader, gallery: GalleryId) -> AgencyId | None:
    declared = found(reader, Kind.GALLERY, gallery, GalleryDeclaration)
    return None if declared is None else declared.value.agency


def _require_own(file: RequestFile, findings: Findings) -> None:
    if findings.request != file.request.id:
        raise ConflictError(f"what was found for request {findings.request!r} isn't for {file.request.id!r}")


_PUBLIC_EVENTS = {
    RequestEvent.ANSWER: facts.RequestEvent.ANSWERED,
    RequestEvent.REFUSE: facts.RequestEvent.REFUSED,
    RequestEvent.WITHDRAW: facts.RequestEvent.WITHDRAWN,
    RequestEvent.APPEAL: facts.RequestEvent.APPEALED,
    RequestEvent.OVERTURN: facts.RequestEvent.OVERTURNED,
    RequestEvent.UPHOLD: facts.RequestEvent.UPHELD,
}


def _rows(reader: Reader, gallery: GalleryId) -> Iterator[FaceRow]:
    after: FaceId | None = None
    while page := reader.faces(gallery, after=after, limit=_PAGE):
        after = page[-1].face_id
        yield from page


def _enter_correction(change: Change, gallery: GalleryId, face: FaceId, permit: Permit) -> None:
    delta = ContentDelta(facts.ContentChange.CORRECTED, faces=(face,))
    change.enter(acts.content(permit, change.transaction.gallery(gallery), delta), gallery=gallery)


def _described(held: HeldFace) -> dict[str, object]:
    """A face as its owner is told of it."""
    row = held.face
    return {
        "gallery": held.gallery,
        "face_id": row.face_id,
        "image_id": row.image_id,
        "photograph_name": row.external_image_id,
        "photograph_sha256": None if row.image_sha256 is None else row.image_sha256.hex(),
        "subject": row.subject,
        "enrolled": row.created.astimezone(UTC).isoformat(),
        "model": row.model,
        "box": {"left": row.box.left, "top": row.box.top, "width": row.box.width, "height": row.box.height},
        "candidate_in_searches": list(held.candidate_in),
        "not_this_person_marks": held.marks,
    }
