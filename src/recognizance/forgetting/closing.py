"""The erasure of a whole gallery: closed at once, emptied in transactions that keep nobody waiting, proven at the end.

The first transaction closes it: name and data key go, everything that its searches led to ends, the ledger says that
the gallery is removed, and a document says on whose word. From then on nobody finds a face of it, whatever happens:
what is left has no key and no name. A small gallery goes whole in that transaction. Of a larger one the rest goes a
bounded number of rows at a time, by whoever closed it and by a server's rounds (`finish`), in any order and by several
at once. The last transaction removes the gallery's row, writes the proof and enters the erasure: it can't commit while
a row of the gallery is left, so that there is no proof before all is gone, and none is forgotten, however often this is
ended.

It must never write a proof of what isn't gone, nor need a permit to go on: the erasure was permitted when it was
accepted, and can't be taken back, since the key is gone.

Implements `docs/forgetting.md`, "A whole gallery", and `docs/decisions/0058-a-gallery-goes-in-pieces.md`.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from recognizance.errors import CorruptionError, NotFoundError
from recognizance.forgetting.holders import EndsGallery
from recognizance.forgetting.holds import held_in, refuse_held
from recognizance.forgetting.proofs import PROOF_KIND, Cause, Erased, Order, Proof, said
from recognizance.galleries import Clock, Galleries
from recognizance.governance.codec import read_document, write_document
from recognizance.identifiers import GalleryId, PrincipalId
from recognizance.ledger import EntryId, Receipt, facts
from recognizance.permits import Action, Permit
from recognizance.recording import Change, Recorder, acts
from recognizance.records import Document, Reader, Records

UNDER_WAY_KIND = "gallery_erasure"
"""On whose word a gallery was closed, until all of it is gone."""

ROUND_S = 1.0
"""How long a server's round works on what is under way: a server that is stopped waits for it."""
ROUND_EVERY_S = 1.0

Progress = Callable[[int, int], None]
"""Takes how many rows are gone, and of how many."""


@dataclass(frozen=True, slots=True)
class Turns:
    """How much one transaction removes.

    Attributes:
        first: Rows that go with the closing of a gallery.
        aim_s: How long each of the others should take: well below what anybody who writes beside it would notice.
        least, most: Rows of one of them, however long they take.
        longest_pause_s: After each, others have as long again, or this.
    """

    first: int = 2_000
    aim_s: float = 0.1
    least: int = 250
    most: int = 16_000
    longest_pause_s: float = 0.5

    def after(self, rows: int, taken_s: float) -> int:
        """How many rows the next one removes, after one that removed so many in so long.

        >>> [Turns().after(1_000, taken_s) for taken_s in (0.01, 0.1, 0.2, 10)]
        [2000, 1000, 500, 250]
        """
        fitting = int(rows * self.aim_s / max(taken_s, 1e-6))
        return max(self.least, min(self.most, 2 * rows, fitting))


USUAL_TURNS = Turns()


@dataclass(frozen=True, slots=True)
class _Accepted:
    """What is remembered of an erasure until it is over; `images` and `salts` are counted as they go."""

    gallery: GalleryId
    cause: Cause
    request: str | None
    accepted_by: PrincipalId
    accepted: datetime
    version: int
    faces: int
    documents: int


@dataclass(frozen=True, slots=True)
class UnderWay:
    """An erasure that isn't over.

    Attributes:
        faces: How many the gallery had; `faces_gone` of them are removed, and none can be found.
    """

    erasure: str
    gallery: GalleryId
    accepted: datetime
    faces: int
    faces_gone: int


@dataclass(frozen=True, slots=True)
class _Done:
    proof: Proof
    entry: EntryId
    receipts: tuple[Receipt, ...]


class ClosedGalleries:
    """Closes galleries, and erases those that are closed. Safe to share between threads, and beside other processes.

    Args:
        ends_gallery: Ends what searches of a gallery led to, before the gallery goes.
    """

    def __init__(
        self,
        records: Records,
        recorder: Recorder,
        galleries: Galleries,
        *,
        clock: Clock,
        new_id: Callable[[], str],
        ends_gallery: EndsGallery,
        turns: Turns = USUAL_TURNS,
    ) -> None:
        self._records = records
        self._recorder = recorder
        self._galleries = galleries
        self._clock = clock
        self._new_id = new_id
        self._ends_gallery = ends_gallery
        self._turns = turns

    def erase(
        self,
        gallery: GalleryId,
        *,
        order: Order,
        permit: Permit,
        within_s: float | None,
        progress: Progress | None = None,
    ) -> Erased:
        """Close a gallery, and erase what is left of it for `within_s` seconds. Raises as `Erasure.gallery` does."""
        permit.require(Action.MANAGE_GALLERY, gallery)
        begun = time.monotonic()
        erasure = self._new_id()
        try:
            with self._recorder.changing() as change:
                done = self._close(change, gallery, erasure, order, permit)
        finally:
            # Also if it is gone and the entry isn't promised yet; a gallery that is still there is loaded again.
            self._galleries.drop(gallery)
        if done is not None:
            return Erased((), (), done[0], change.receipts, None, done[1])
        rest = self._finish(erasure, None if within_s is None else begun + within_s, progress)
        if rest is not None:
            return Erased((), (), rest.proof, (*change.receipts, *rest.receipts), None, rest.entry)
        with self._records.reading() as reader:
            # Somebody else may have come to the end of it first.
            proven = reader.documents_by_id(PROOF_KIND, [erasure]).get(erasure)
        proof = None if proven is None else read_document(Proof, proven.body)
        return Erased((), (), proof, change.receipts, None, under_way=erasure if proof is None else None)

    def finish(self, *, within_s: float | None = None, progress: Progress | None = None) -> int:
        """Go on with the erasures that are under way, the oldest gallery first; answers how many are over now.

        Args:
            within_s: Begin no further transaction after so many seconds. What is left stays to be done.

        Raises:
            UnavailableError: If something couldn't be put on the record, or the disk failed; what is left stays.
        """
        deadline = None if within_s is None else time.monotonic() + within_s
        with self._records.reading() as reader:
            closed = reader.closed_galleries()
        return sum(self._finish(each.erasure, deadline, progress) is not None for each in closed)

    def under_way(self) -> list[UnderWay]:
        """The erasures that aren't over, the oldest gallery first."""
        with self._records.reading() as reader:
            return [
                UnderWay(each.erasure, known.gallery, known.accepted, known.faces, each.face_count)
                for each in reader.closed_galleries()
                for known in [_accepted(reader, each.erasure)]
            ]

    def _close(
        self, change: Change, gallery: GalleryId, erasure: str, order: Order, permit: Permit
    ) -> tuple[Proof, EntryId] | None:
        """Close a gallery; what its proof says and the proof's entry if that was all of it."""
        transaction, now = change.transaction, self._clock()
        transaction.gallery(gallery)
        refuse_held(held_in(transaction, gallery, now.date()))
        documents = self._ends_gallery(change, gallery, now, done_by=permit.principal)
        row = transaction.close_gallery(gallery, erasure=erasure)
        accepted = _Accepted(
            gallery=gallery,
            cause=order.cause,
            request=order.request,
            accepted_by=permit.principal,
            accepted=now,
            version=row.version,
            faces=row.face_count,
            documents=documents,
        )
        body = write_document(accepted)
        transaction.insert_document(Document(UNDER_WAY_KIND, erasure, "closed", body, {"gallery": gallery}))
        provenance = self._galleries.provenance(change, gallery)
        change.enter(acts.gallery(permit, row, facts.Standing.REMOVED, provenance=provenance))
        transaction.erase_closed(erasure, most=self._turns.first)
        return self._prove(change, erasure) if transaction.is_emptied(erasure) else None

    def _finish(self, erasure: str, deadline: float | None, progress: Progress | None) -> _Done | None:
        """Erase until all is gone or it is time; `None` if something is left, or another one came to the end first."""
        try:
            pieces = self._pieces(erasure, deadline)
            if progress is None:
                deque(pieces, maxlen=0)
            else:
                self._show(pieces, erasure, progress)
            with self._recorder.changing() as change:
                if not change.transaction.is_emptied(erasure):
                    return None
                proof, entry = self._prove(change, erasure)
        except NotFoundError:
            return None
        return _Done(proof, entry, change.receipts)

    def _show(self, pieces: Iterator[int], erasure: str, progress: Progress) -> None:
        with self._records.reading() as reader:
            gone, total = 0, reader.rows_left(erasure)
        progress(gone, total)
        for count in pieces:
            gone += count
            progress(min(gone, total), total)

    def _pieces(self, erasure: str, deadline: float | None) -> Iterator[int]:
        """Erase in turns until nothing is left, or it is time; each turn takes what there is time for in one."""
        most = self._turns.least
        while deadline is None or time.monotonic() < deadline:
            with self._records.transaction() as transaction:
                # From here: waiting for one's own turn is no reason to take less.
                begun = time.monotonic()
                count = transaction.erase_closed(erasure, most=most)
            if not count:
                return
            taken = time.monotonic() - begun
            yield count
            most = self._turns.after(most, taken)
            # As long again, for others: a thread that gives its turn back and takes it at once would keep it.
            time.sleep(min(taken, self._turns.longest_pause_s))

    def _prove(self, change: Change, erasure: str) -> tuple[Proof, EntryId]:
        """Remove the last of a gallery that is empty, with the proof and the entry that say so."""
        transaction = change.transaction
        closed, accepted = transaction.drop_closed(erasure), _accepted(transaction, erasure)
        transaction.delete_document(UNDER_WAY_KIND, erasure)
        proof = Proof(
            id=erasure,
            scope=facts.ErasureScope.GALLERY,
            gallery=accepted.gallery,
            cause=accepted.cause,
            at=self._clock(),
            version_before=accepted.version,
            version_after=0,
            faces=closed.face_count,
            images=closed.image_count,
            documents=accepted.documents,
            salts=closed.opening_count,
            openings=(),
        )
        transaction.insert_document(Document(PROOF_KIND, erasure, "done", write_document(proof)))
        order = Order(accepted.cause, accepted.request)
        return proof, change.enter(said(proof, order, accepted.accepted_by, ()))


def _accepted(reader: Reader, erasure: str) -> _Accepted:
    known = reader.documents_by_id(UNDER_WAY_KIND, [erasure]).get(erasure)
    if known is None:
        raise CorruptionError(f"a gallery was closed by the erasure {erasure!r}, and nothing says on whose word")
    return read_document(_Accepted, known.body)
