"""Erasure: a face, a subject, a gallery or the results of searches, gone from everywhere, with a receipt.

What goes together: rows and templates, photographs that were kept for no other face, what documents of governance say
of the face, and the salts of the ledger's commitments that name it. The ledger's entries stay as they are: what they
committed to can't be shown any more, by anybody. All of it is one transaction with the entry that says so, so an
erasure that was interrupted has happened whole or not at all, and doing it again is always safe.

After the transaction the write-ahead log is emptied, indexes in memory follow, and `traces` looks whether anything is
left. It must never leave something behind silently: a kind of document that nobody here knows how to clean is refused,
and so is the erasure of what a court has ordered to preserve.

Implements `docs/forgetting.md` and `docs/decisions/0030-forgetting.md`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from recognizance.errors import ConflictError, CorruptionError, NotFoundError
from recognizance.galleries import Clock, Galleries
from recognizance.governance.codec import read_document, write_document
from recognizance.governance.retention import Hold, HoldingId
from recognizance.identifiers import FaceId, GalleryId, ImageId, PrincipalId, SubjectId
from recognizance.ledger import EntryId, Facts, Receipt, facts
from recognizance.permits import Action, Permit
from recognizance.recording import Change, ContentDelta, EntryDraft, Maker, Recorder, acts
from recognizance.records import (
    Document,
    FaceRow,
    GalleryRow,
    Needles,
    OpeningPlace,
    Reader,
    Records,
    Trace,
    Transaction,
    file_traces,
)

PROOF_KIND = "erasure"
HOLD_KIND = "hold"
REQUEST_KIND = "subject_request"
"""What people asked the desk. Names them on purpose, and has a retention of its own."""
RESULT_FIELDS = ("probe", "result")
"""What a search's entry commits to about faces; the case that it was made for stays."""

_PAGE = 1000
_MANY = 256


class Cause(StrEnum):
    """Why something was erased; public."""

    DELETION = "deletion"
    """Whoever keeps the gallery deleted it."""
    REQUEST = "request"
    """The person asked for it."""
    RETENTION = "retention"
    EMERGENCY_LAPSED = "emergency_lapsed"
    """An emergency was not authorised in time."""


@dataclass(frozen=True, slots=True)
class Order:
    """On whose word something is erased.

    Attributes:
        request: The desk's request that it answers, if one does.
    """

    cause: Cause
    request: str | None = None


DELETION = Order(Cause.DELETION)


@dataclass(frozen=True, slots=True)
class DestroyedOpening:
    entry: str
    field: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What was destroyed, in numbers and in the names of ledger entries that can't be opened any more. Names nobody.

    Its SHA-256 is in the erasure's own entry. Whoever holds the proof can ask for each opening, and finds it gone.

    Attributes:
        version_before, version_after: Of the gallery; the same where only results were erased, and the last one is 0
            for a gallery that is gone.
        faces: How many; `images` those photographs that no other face came from, `documents` those that were cleaned.
        openings: All that were found one by one. Those of a whole gallery went with its key and are only counted.
    """

    id: str
    scope: facts.ErasureScope
    gallery: GalleryId
    cause: Cause
    at: datetime
    version_before: int
    version_after: int
    faces: int
    images: int
    documents: int
    salts: int
    openings: tuple[DestroyedOpening, ...]

    @property
    def sha256(self) -> str:
        return sha256(write_document(self)).hexdigest()


@dataclass(frozen=True, slots=True)
class Erased:
    """An erasure that happened.

    Attributes:
        faces: In the order they were asked in; `unknown` are those that the gallery did not hold.
        proof: `None` if there was nothing to erase; then nothing was entered either.
        receipts: Of the ledger's entries about it, the erasure's own last; `entry` is that one.
        needles: What was looked for and must not be found again; `None` where nothing was there.
    """

    faces: tuple[FaceId, ...]
    unknown: tuple[FaceId, ...]
    proof: Proof | None
    receipts: tuple[Receipt, ...]
    needles: Needles | None
    entry: EntryId | None = None


class Holder(Protocol):
    """Knows how to take faces out of the documents of one kind."""

    def forget(self, transaction: Transaction, document: Document, needles: Needles) -> None:
        """Remove or replace the document, so that nothing in it holds one of `needles`."""
        ...


class DeletesDocument:
    """A `Holder` for documents that mean nothing without the face."""

    def forget(self, transaction: Transaction, document: Document, needles: Needles) -> None:  # noqa: ARG002
        transaction.delete_document(document.kind, document.id)


DELETES_DOCUMENT = DeletesDocument()
"""The one of these that is needed."""


@dataclass(frozen=True, slots=True)
class _Target:
    """What is to go.

    Attributes:
        names: Of photographs and subjects.
        photographs: SHA-256 of those that show nobody else.
    """

    faces: tuple[FaceId, ...]
    images: frozenset[ImageId]
    ids: frozenset[str]
    names: frozenset[str]
    photographs: frozenset[bytes]
    templates: frozenset[bytes]
    subject: SubjectId | None = None

    @property
    def needles(self) -> Needles:
        return Needles(ids=self.ids, names=self.names, blobs=self.photographs | self.templates)


@dataclass(frozen=True, slots=True)
class _Seen:
    """Openings that were found before the transaction began, so that it needn't read them all."""

    target: _Target
    openings: frozenset[OpeningPlace]
    position: int


class Erasure:
    """Erases. Safe to share between threads.

    Args:
        new_id: Draws a fresh lower-case UUID.
        holders: For each kind of document that may name a face, who cleans it.
        kept: Kinds of documents that name people on purpose, and have a retention of their own.
    """

    def __init__(
        self,
        records: Records,
        recorder: Recorder,
        galleries: Galleries,
        *,
        clock: Clock,
        new_id: Callable[[], str],
        holders: Mapping[str, Holder],
        kept: Collection[str] = (),
    ) -> None:
        self._records = records
        self._recorder = recorder
        self._galleries = galleries
        self._clock = clock
        self._new_id = new_id
        self._holders = holders
        self._kept = frozenset({*kept, PROOF_KIND, HOLD_KIND})

    def faces(
        self,
        gallery: GalleryId,
        face_ids: Sequence[FaceId],
        *,
        order: Order = DELETION,
        spare_owned: bool = False,
        permit: Permit,
    ) -> Erased:
        """Erase faces.

        Args:
            spare_owned: Leave those alone that belong to a subject; they count among the unknown.

        Raises:
            NotFoundError: If there is no such gallery.
            ConflictError: If an order to preserve holds one of them, or a document holds one that can't be cleaned.
            UnavailableError: If it couldn't be put on the record. If that came after the commit, it has happened.
        """
        _require_forgetting(permit, gallery)
        asked = tuple(dict.fromkeys(face_ids))
        return self._erase(
            gallery, lambda reader: _faces_target(reader, gallery, asked, spare_owned), asked, order, permit
        )

    def subject(self, gallery: GalleryId, subject: SubjectId, *, order: Order = DELETION, permit: Permit) -> Erased:
        """Erase a subject with all their faces.

        Raises:
            NotFoundError: If there is no such gallery. A subject that isn't there is erased already.
            ConflictError: As for `faces`.
        """
        _require_forgetting(permit, gallery)
        return self._erase(gallery, lambda reader: _subject_target(reader, gallery, subject), (), order, permit)

    def results(self, gallery: GalleryId, entries: Sequence[EntryId], *, order: Order, permit: Permit) -> Erased:
        """Erase what searches left behind: their probes, candidates and reviews. That they took place stays public.

        Raises:
            NotFoundError: If there is no such gallery.
            ConflictError: As for `faces`; an emergency that lapsed doesn't wait for an order to preserve.
        """
        _require_forgetting(permit, gallery)
        wanted = {OpeningPlace(entry, field) for entry in entries for field in RESULT_FIELDS}
        target = _Target((), frozenset(), frozenset(entries), frozenset(), frozenset(), frozenset())
        with self._recorder.changing() as change:
            transaction = change.transaction
            if order.cause is not Cause.EMERGENCY_LAPSED:
                self._refuse_held(transaction, entries)
            row = transaction.gallery(gallery)
            there = {place for entry in entries for place in _places(transaction, entry) if place in wanted}
            documents = self._clean(transaction, target.needles) if entries else 0
            if not there and not documents:
                return Erased((), (), None, (), None)
            self._destroy(transaction, there)
            proof = self._proof(facts.ErasureScope.RESULTS, row, row.version, target, there, documents, order)
            entry = self._enter(change, proof, order, permit, target)
        return Erased((), (), proof, change.receipts, None, entry)

    def gallery(self, gallery: GalleryId, *, order: Order = DELETION, permit: Permit) -> Erased:
        """Erase a gallery: everything in it, and the key under which all of it was sealed.

        Raises:
            NotFoundError: If there is no such gallery.
            ConflictError: If an order to preserve holds one of its faces.
        """
        permit.require(Action.MANAGE_GALLERY, gallery)
        with self._recorder.changing() as change:
            transaction = change.transaction
            self._refuse_held_in(transaction, gallery)
            salts, images = transaction.opening_count(gallery), transaction.image_count(gallery)
            row = transaction.delete_gallery(gallery)
            proof = Proof(
                id=self._new_id(),
                scope=facts.ErasureScope.GALLERY,
                gallery=gallery,
                cause=order.cause,
                at=self._clock(),
                version_before=row.version,
                version_after=0,
                faces=row.face_count,
                images=images,
                documents=0,
                salts=salts,
                openings=(),
            )
            change.enter(acts.gallery(permit, row, facts.Standing.REMOVED))
            entry = self._enter(change, proof, order, permit, _NOBODY)
        self._galleries.drop(gallery)
        return Erased((), (), proof, change.receipts, None, entry)

    def proof(self, erasure: str) -> Proof:
        """What an erasure destroyed.

        Raises:
            NotFoundError: If there was none of this id.
        """
        with self._records.reading() as reader:
            return read_document(Proof, reader.document(PROOF_KIND, erasure).body)

    def is_held(self, holding: str, today: date) -> bool:
        """Whether an order to preserve holds something on this day."""
        with self._records.reading() as reader:
            return bool(_held(reader, [holding], today))

    def traces(self, needles: Needles, *, folder: Path | None = None) -> tuple[Trace, ...]:
        """Everywhere that something of an erasure still stands: `check_erased`. Empty is what it should be.

        Looks in every table, in every sealed value, in indexes in memory and, with `folder`, in the raw bytes of every
        file below it.
        """
        with self._records.reading() as reader:
            found = [
                trace
                for trace in reader.traces(needles)
                if not (trace.table == "documents" and trace.place.split(" ")[0] in self._kept)
            ]
        found += [Trace("index in memory", str(gallery)) for gallery in self._galleries.holding(needles.ids)]
        if folder is not None:
            self._records.settle()
            found += file_traces(folder, needles)
        return tuple(found)

    def _erase(
        self,
        gallery: GalleryId,
        targeting: Callable[[Reader], _Target | None],
        asked: Sequence[FaceId],
        order: Order,
        permit: Permit,
    ) -> Erased:
        with self._records.reading() as reader:
            seen = _looked_through(reader, targeting(reader))
        with self._recorder.changing() as change:
            transaction = change.transaction
            target = targeting(transaction)
            if target is None:
                return Erased((), tuple(asked), None, (), None)
            self._refuse_held(transaction, target.faces)
            before = transaction.gallery(gallery)
            openings = _openings_of(transaction, target, seen)
            transaction.remove_faces(gallery, target.faces)
            if target.subject is not None:
                transaction.delete_subject(gallery, target.subject)
            # What stands for someone else as well is no trace of this one.
            target = replace(
                target,
                names=target.names - transaction.names_in_use(target.names),
                photographs=target.photographs - transaction.photographs_in_use(target.photographs),
            )
            documents = self._clean(transaction, target.needles)
            self._refuse_held(transaction, [place.entry_id for place in openings])
            self._destroy(transaction, openings)
            scope = facts.ErasureScope.FACE if target.subject is None else facts.ErasureScope.SUBJECT
            after = transaction.gallery(gallery)
            delta = ContentDelta(facts.ContentChange.REMOVED, removed=len(target.faces))
            change.enter(acts.content(permit, after, delta), gallery=gallery)
            proof = self._proof(scope, before, after.version, target, openings, documents, order)
            entry = self._enter(change, proof, order, permit, target)
        self._galleries.follow(gallery, permit=permit)
        gone = frozenset(target.faces)
        return Erased(
            faces=target.faces,
            unknown=tuple(face for face in asked if face not in gone),
            proof=proof,
            receipts=change.receipts,
            needles=target.needles,
            entry=entry,
        )

    def _proof(
        self,
        scope: facts.ErasureScope,
        before: GalleryRow,
        version_after: int,
        target: _Target,
        openings: Collection[OpeningPlace],
        documents: int,
        order: Order,
    ) -> Proof:
        places = sorted(openings, key=lambda place: (place.entry_id, place.field))
        return Proof(
            id=self._new_id(),
            scope=scope,
            gallery=before.id,
            cause=order.cause,
            at=self._clock(),
            version_before=before.version,
            version_after=version_after,
            faces=len(target.faces),
            images=len(target.images),
            documents=documents,
            salts=len(openings),
            openings=tuple(DestroyedOpening(place.entry_id, place.field) for place in places),
        )

    def _enter(self, change: Change, proof: Proof, order: Order, permit: Permit, target: _Target) -> EntryId:
        change.transaction.insert_document(Document(PROOF_KIND, proof.id, "done", write_document(proof)))
        return change.enter(_said(proof, order, permit.principal, target))

    def _destroy(self, transaction: Transaction, openings: Collection[OpeningPlace]) -> None:
        for place in openings:
            transaction.erase_opening(place.entry_id, place.field)

    def _clean(self, transaction: Transaction, needles: Needles) -> int:
        places = [place for place in transaction.documents_naming(needles) if place.kind not in self._kept]
        unknown = sorted({place.kind for place in places} - self._holders.keys())
        if unknown:
            raise ConflictError(
                f"documents of the kind {unknown[0]!r} hold it, and nothing here knows how to clean them"
            )
        for place in places:
            self._holders[place.kind].forget(transaction, transaction.document(place.kind, place.id), needles)
        left = [place for place in transaction.documents_naming(needles) if place.kind not in self._kept]
        if left:
            raise CorruptionError(f"{len(left)} documents still hold what they were told to forget")
        return len(places)

    def _refuse_held(self, reader: Reader, holdings: Collection[str]) -> None:
        held = _held(reader, holdings, self._clock().date())
        if held:
            raise ConflictError(f"an order to preserve holds {len(held)} of what would be erased, until {max(held)}")

    def _refuse_held_in(self, transaction: Transaction, gallery: GalleryId) -> None:
        held = [hold for hold in _holds(transaction) if self._clock().date() < hold.until]
        there = transaction.faces_by_id(gallery, [FaceId(hold.holding) for hold in held])
        self._refuse_held(transaction, list(there))


def _require_forgetting(permit: Permit, gallery: GalleryId) -> None:
    """Whoever may delete a whole gallery may delete a part of it: so retention runs."""
    permit.require(Action.FORGET if Action.FORGET in permit.actions else Action.MANAGE_GALLERY, gallery)


_NOBODY = _Target((), frozenset(), frozenset(), frozenset(), frozenset(), frozenset())


def _said(proof: Proof, order: Order, principal: PrincipalId, target: _Target) -> Maker:
    def make(entry: EntryDraft) -> Facts:
        # A face's id is random: only whoever was told it before can tell that this erasure was of it.
        covered = tuple(sha256(face.encode()).hexdigest() for face in target.faces[: _MANY * 16])
        return facts.Erasure(
            scope=proof.scope,
            gallery=proof.gallery,
            cause=order.cause.value,
            request=order.request,
            faces=proof.faces,
            images=proof.images,
            salts=proof.salts,
            done_by=entry.pseudonym(principal),
            proof_digest=proof.sha256,
            subject=entry.commit("subject", covered),
        )

    return make


def _faces_target(reader: Reader, gallery: GalleryId, asked: Sequence[FaceId], spare_owned: bool) -> _Target | None:
    rows = reader.faces_by_id(gallery, asked)
    there = [rows[face] for face in asked if face in rows and not (spare_owned and rows[face].subject)]
    return _target_of(reader, gallery, there) if there else None


def _subject_target(reader: Reader, gallery: GalleryId, subject: SubjectId) -> _Target | None:
    reader.gallery(gallery)
    try:
        row = reader.subject(gallery, subject)
    except NotFoundError:
        return None
    rows: list[FaceRow] = []
    while page := reader.faces(gallery, subject=subject, after=rows[-1].face_id if rows else None, limit=_PAGE):
        rows += page
    found = _target_of(reader, gallery, rows)
    return replace(found, ids=found.ids | {row.key}, names=found.names | {subject}, subject=subject)


def _target_of(reader: Reader, gallery: GalleryId, rows: Sequence[FaceRow]) -> _Target:
    """What goes with faces: also the photographs that show nobody else."""
    going = {row.face_id for row in rows}
    shared = {
        image
        for image in {row.image_id for row in rows}
        if any(face not in going for face in reader.faces_from_image(gallery, image))
    }
    alone = [row for row in rows if row.image_id not in shared]
    _, templates = reader.templates_of(gallery, list(going))
    return _Target(
        faces=tuple(row.face_id for row in rows),
        images=frozenset(row.image_id for row in alone),
        ids=frozenset(going | {row.image_id for row in alone}),
        names=frozenset(row.external_image_id for row in alone if row.external_image_id),
        photographs=frozenset(row.image_sha256 for row in alone if row.image_sha256),
        templates=frozenset(template.astype("<f4").tobytes() for template in templates),
    )


def _looked_through(reader: Reader, target: _Target | None) -> _Seen | None:
    if target is None:
        return None
    position = reader.last_position()
    return _Seen(target, frozenset(reader.openings_naming(target.needles)), position)


def _openings_of(transaction: Transaction, target: _Target, seen: _Seen | None) -> set[OpeningPlace]:
    """All openings that name the target: those seen before, if it's still the same, and those that came since."""
    if seen is None or seen.target != target:
        return set(transaction.openings_naming(target.needles))
    return set(seen.openings) | set(transaction.openings_naming(target.needles, after_position=seen.position))


def _places(reader: Reader, entry_id: str) -> list[OpeningPlace]:
    return [OpeningPlace(entry_id, opening.field) for opening in reader.openings(entry_id)]


def _holds(reader: Reader) -> list[Hold]:
    found: list[Hold] = []
    after = ""
    while page := reader.documents(HOLD_KIND, after=after, limit=_PAGE):
        after = page[-1].id
        found += [read_document(Hold, document.body) for document in page]
    return found


def _held(reader: Reader, holdings: Collection[str], today: date) -> list[date]:
    """Until when those among `holdings` are held that an order to preserve holds today."""
    documents = reader.documents_by_id(HOLD_KIND, holdings).values()
    holds = [read_document(Hold, document.body) for document in documents]
    return [hold.until for hold in holds if today < hold.until]


__all__ = [
    "DELETES_DOCUMENT",
    "DELETION",
    "HOLD_KIND",
    "PROOF_KIND",
    "REQUEST_KIND",
    "Cause",
    "DeletesDocument",
    "Erased",
    "Erasure",
    "Holder",
    "HoldingId",
    "Order",
    "Proof",
]
