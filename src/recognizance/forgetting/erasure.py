"""Erasure: a face, a subject, a gallery or the results of searches, gone from everywhere, with a receipt.

What goes together: rows and templates, photographs that were kept for no other face, what documents of governance say
of the face, and the salts of the ledger's commitments that name it. The ledger's entries stay as they are: what they
committed to can't be shown any more, by anybody. All of it is one transaction with the entry that says so, so an
erasure that was interrupted has happened whole or not at all, and doing it again is always safe. A whole gallery may be
too large for that, and goes otherwise (`closing.py`).

After the transaction the write-ahead log is emptied, indexes in memory follow, and `traces` looks whether anything is
left. It must never leave something behind silently: a kind of document that nobody here knows how to clean is refused,
and so is the erasure of what a court has ordered to preserve.

Implements `docs/forgetting.md` and `docs/decisions/0030-forgetting.md`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from recognizance.errors import ConflictError, CorruptionError
from recognizance.forgetting.closing import (
    UNDER_WAY_KIND,
    USUAL_TURNS,
    ClosedGalleries,
    Progress,
    Turns,
    UnderWay,
)
from recognizance.forgetting.holders import DELETES_DOCUMENT, DeletesDocument, EndsGallery, Holder
from recognizance.forgetting.holds import HOLD_KIND, held, refuse_held
from recognizance.forgetting.proofs import (
    DELETION,
    PROOF_KIND,
    Cause,
    DestroyedOpening,
    Erased,
    Order,
    Proof,
    said,
)
from recognizance.forgetting.targets import (
    Seen,
    Target,
    documents_of,
    faces_target,
    looked_through,
    looked_through_documents,
    openings_of,
    places,
    subject_target,
)
from recognizance.galleries import Clock, Galleries
from recognizance.governance.codec import read_document, write_document
from recognizance.governance.retention import HoldingId
from recognizance.identifiers import FaceId, GalleryId, SubjectId
from recognizance.ledger import EntryId, facts
from recognizance.permits import Action, Permit
from recognizance.recording import Change, ContentDelta, Recorder, acts
from recognizance.records import (
    Document,
    DocumentPlace,
    GalleryRow,
    Needles,
    OpeningPlace,
    Reader,
    Records,
    Trace,
    Transaction,
    file_traces,
)

REQUEST_KIND = "subject_request"
"""What people asked the desk. Names them on purpose, and has a retention of its own."""
RESULT_FIELDS = ("probe", "result")
"""What a search's entry commits to about faces; the case that it was made for stays."""


class Erasure:
    """Erases. Safe to share between threads.

    Args:
        new_id: Draws a fresh lower-case UUID.
        holders: For each kind of document that may name a face, who cleans it.
        ends_gallery: Ends what searches of a gallery led to, before the gallery goes.
        kept: Kinds of documents that name people on purpose, and have a retention of their own.
        turns: How much of a gallery one transaction removes.
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
        ends_gallery: EndsGallery,
        kept: Collection[str] = (),
        turns: Turns = USUAL_TURNS,
    ) -> None:
        self._records = records
        self._recorder = recorder
        self._galleries = galleries
        self._clock = clock
        self._new_id = new_id
        self._holders = holders
        self._kept = frozenset({*kept, PROOF_KIND, UNDER_WAY_KIND, HOLD_KIND})
        self._closing = ClosedGalleries(
            records, recorder, galleries, clock=clock, new_id=new_id, ends_gallery=ends_gallery, turns=turns
        )

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
            gallery, lambda reader: faces_target(reader, gallery, asked, spare_owned), asked, order, permit
        )

    def subject(self, gallery: GalleryId, subject: SubjectId, *, order: Order = DELETION, permit: Permit) -> Erased:
        """Erase a subject with all their faces.

        Raises:
            NotFoundError: If there is no such gallery. A subject that isn't there is erased already.
            ConflictError: As for `faces`.
        """
        _require_forgetting(permit, gallery)
        return self._erase(gallery, lambda reader: subject_target(reader, gallery, subject), (), order, permit)

    def results(self, gallery: GalleryId, entries: Sequence[EntryId], *, order: Order, permit: Permit) -> Erased:
        """Erase what searches left behind: their probes, candidates and reviews. That they took place stays public.

        Raises:
            NotFoundError: If there is no such gallery.
            ConflictError: As for `faces`; an emergency that lapsed doesn't wait for an order to preserve.
        """
        _require_forgetting(permit, gallery)
        wanted = {OpeningPlace(entry, field) for entry in entries for field in RESULT_FIELDS}
        target = Target((), frozenset(), frozenset(entries), frozenset(), frozenset(), frozenset())
        with self._records.reading() as reader:
            seen = looked_through_documents(reader, target) if entries else None
        with self._recorder.changing() as change:
            transaction = change.transaction
            if order.cause is not Cause.EMERGENCY_LAPSED:
                self._refuse_held(transaction, entries)
            row = transaction.gallery(gallery)
            there = {place for entry in entries for place in places(transaction, entry) if place in wanted}
            documents = self._clean(change, target, seen, permit) if entries else 0
            if not there and not documents:
                return Erased((), (), None, (), None)
            self._destroy(transaction, there)
            proof = self._proof(facts.ErasureScope.RESULTS, row, row.version, target, there, documents, order)
            entry = self._enter(change, proof, order, permit, target)
        return Erased((), (), proof, change.receipts, None, entry)

    def gallery(
        self,
        gallery: GalleryId,
        *,
        order: Order = DELETION,
        permit: Permit,
        within_s: float | None = None,
        progress: Progress | None = None,
    ) -> Erased:
        """Erase a gallery: everything in it, the key under which it was sealed, and what searches of it led to.

        It is closed at once, for good, and without its key: no face of it can be found any more, and another gallery
        may take its name. The rest goes in transactions that keep nobody waiting (`closing.py`).

        Args:
            within_s: Answer after so many seconds, although something is left; `finish` goes on with it.
            progress: Told how many rows are gone, and of how many.

        Raises:
            NotFoundError: If there is no such gallery.
            ConflictError: If an order to preserve holds one of its faces, photographs or searches.
            UnavailableError: If it couldn't be put on the record, or the disk failed. It may be closed all the same.
        """
        return self._closing.erase(gallery, order=order, permit=permit, within_s=within_s, progress=progress)

    def finish(self, *, within_s: float | None = None, progress: Progress | None = None) -> int:
        """Go on with the erasures of galleries that are under way; answers how many are over now.

        Args:
            within_s: Begin no further transaction after so many seconds. What is left stays to be done.

        Raises:
            UnavailableError: If something couldn't be put on the record, or the disk failed; what is left stays.
        """
        return self._closing.finish(within_s=within_s, progress=progress)

    def under_way(self) -> list[UnderWay]:
        """The galleries that are closed and not yet erased, the oldest first."""
        return self._closing.under_way()

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
            return bool(held(reader, [holding], today))

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
        targeting: Callable[[Reader], Target | None],
        asked: Sequence[FaceId],
        order: Order,
        permit: Permit,
    ) -> Erased:
        with self._records.reading() as reader:
            seen = looked_through(reader, targeting(reader))
        with self._recorder.changing() as change:
            transaction = change.transaction
            target = targeting(transaction)
            if target is None:
                return Erased((), tuple(asked), None, (), None)
            self._refuse_held(transaction, target.faces)
            before = transaction.gallery(gallery)
            openings = openings_of(transaction, target, seen)
            transaction.remove_faces(gallery, target.faces)
            if target.subject is not None:
                transaction.delete_subject(gallery, target.subject)
            # What stands for someone else as well is no trace of this one.
            target = replace(
                target,
                names=target.names - transaction.names_in_use(target.names),
                photographs=target.photographs - transaction.photographs_in_use(target.photographs),
            )
            transaction.forget_imported(target.photographs)
            documents = self._clean(change, target, seen, permit)
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
        target: Target,
        openings: Collection[OpeningPlace],
        documents: int,
        order: Order,
    ) -> Proof:
        ordered = sorted(openings, key=lambda place: (place.entry_id, place.field))
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
            openings=tuple(DestroyedOpening(place.entry_id, place.field) for place in ordered),
        )

    def _enter(self, change: Change, proof: Proof, order: Order, permit: Permit, target: Target) -> EntryId:
        change.transaction.insert_document(Document(PROOF_KIND, proof.id, "done", write_document(proof)))
        return change.enter(said(proof, order, permit.principal, target.faces))

    def _destroy(self, transaction: Transaction, openings: Collection[OpeningPlace]) -> None:
        for place in openings:
            transaction.erase_opening(place.entry_id, place.field)

    def _clean(self, change: Change, target: Target, seen: Seen | None, permit: Permit) -> int:
        transaction, needles = change.transaction, target.needles
        found = self._uncleaned(transaction, target, seen)
        unknown = sorted({place.kind for place in found} - self._holders.keys())
        if unknown:
            raise ConflictError(
                f"documents of the kind {unknown[0]!r} hold it, and nothing here knows how to clean them"
            )
        for place in found:
            document = transaction.document(place.kind, place.id)
            self._holders[place.kind].forget(change, document, needles, done_by=permit.principal)
        if left := self._uncleaned(transaction, target, seen):
            raise CorruptionError(f"{len(left)} documents still hold what they were told to forget")
        return len(found)

    def _uncleaned(self, transaction: Transaction, target: Target, seen: Seen | None) -> list[DocumentPlace]:
        naming = documents_of(transaction, target, seen)
        return sorted(
            (place for place in naming if place.kind not in self._kept), key=lambda place: (place.kind, place.id)
        )

    def _refuse_held(self, reader: Reader, holdings: Collection[str]) -> None:
        refuse_held(held(reader, holdings, self._clock().date()))


def _require_forgetting(permit: Permit, gallery: GalleryId) -> None:
    """Whoever may delete a whole gallery may delete a part of it: so retention runs."""
    permit.require(Action.FORGET if Action.FORGET in permit.actions else Action.MANAGE_GALLERY, gallery)


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
