"""Imports that somebody follows on a page: each has a row that outlives the server, until a month after it began.

The row says whose import it is, on behalf of which use, and how it ended; how far it has come is counted from the notes
that `bulk` commits with the faces. It holds no photograph and nobody's name: photographs are in memory while they are
worked on, and are written nowhere. So an import whose server ended is *interrupted*: what it enrolled stays, and its
owner goes on by sending the same photographs again, of which those that are settled are passed over.

An import is its owner's: to anybody else there is none. Implements docs/administration.md, "Importing".
"""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from recognizance.enrolling.bulk import BulkEnrolment, Item, settled_items
from recognizance.errors import ConflictError, Error, NotFoundError
from recognizance.faces import QualityFilter
from recognizance.galleries import Clock
from recognizance.governance.codec import read_document, write_document
from recognizance.governance.parties import PersonId, UseId
from recognizance.identifiers import GalleryId, SubjectId
from recognizance.permits import Permit
from recognizance.records import Document, ImportItem, ImportState, Reader, Records, Transaction

JOB_KIND = "import_job"
LOOKED_KIND = "import_looked"
"""For whom a job has looked among the others, by keys that mean nothing without the gallery."""

KEPT = timedelta(days=30)
MOST_KEPT = 100
"""Of all people together; the oldest make room."""

_AT_ONCE = 50
_GALLERY = "gallery"
_OUR_SIDE = "something went wrong on our side"
_log = logging.getLogger(__name__)

Look = Callable[[SubjectId], None]
"""Looks for somebody who was enrolled among the gallery's other subjects; a refusal ends the job."""


class JobState(StrEnum):
    RUNNING = "running"
    OVER = "over"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """Stored as running, and nobody runs it: the server ended in the middle."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an import was asked to do, which going on with it keeps.

    Attributes:
        looks: Whether everybody enrolled is looked for among the gallery's other subjects.
    """

    gallery: GalleryId
    owner: PersonId
    use: UseId | None
    quality: QualityFilter
    looks: bool = False


@dataclass(frozen=True, slots=True)
class _StoredJob:
    asked: Asked
    begun: datetime
    total: int
    failed: str = ""


@dataclass(frozen=True, slots=True)
class _Looked:
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """An import as it stands.

    Attributes:
        total: Photographs that were sent.
        enrolled, rejected: Photographs that are settled, for good.
        looked: For how many people it has looked.
        failed: Why it ended early; else empty.
    """

    id: str
    asked: Asked
    state: JobState
    begun: datetime
    total: int
    enrolled: int
    rejected: int
    faces: int
    looked: int
    failed: str

    @property
    def gallery(self) -> GalleryId:
        return self.asked.gallery

    @property
    def done(self) -> int:
        return self.enrolled + self.rejected

    @property
    def is_over(self) -> bool:
        return self.state is not JobState.RUNNING

    @property
    def may_go_on(self) -> bool:
        return self.state in {JobState.FAILED, JobState.INTERRUPTED}


class ImportJobs:
    """Runs imports beside everything else, one of this process at a time. Safe to share between threads.

    Args:
        new_id: Draws a fresh lower-case UUID.
    """

    def __init__(self, records: Records, bulk: BulkEnrolment, *, clock: Clock, new_id: Callable[[], str]) -> None:
        self._records = records
        self._bulk = bulk
        self._clock = clock
        self._new_id = new_id
        self._lock = threading.Lock()
        self._running: str | None = None

    def start(self, asked: Asked, items: Sequence[Item], *, permit: Permit, look: Look | None = None) -> str:
        """Begin an import, which goes on whoever leaves; answers its id.

        Args:
            look: Given exactly if `asked` says so.

        Raises:
            ConflictError: If another one is under way.
        """
        job = self._new_id()
        self._take_turn(job)
        try:
            now = self._clock()
            body = write_document(_StoredJob(asked, now, len(items)))
            fresh = Document(JOB_KIND, job, JobState.RUNNING, body, {_GALLERY: asked.gallery}, now + KEPT)
            with self._records.transaction() as transaction:
                _make_room(transaction, now)
                transaction.insert_document(fresh)
        except BaseException:
            self._running = None
            raise
        self._work(job, asked, items, permit, look)
        return job

    def go_on(self, job: Job, items: Sequence[Item], *, permit: Permit, look: Look | None = None) -> None:
        """Go on with an import that ended early, with its photographs, sent again.

        Those that are settled, by name and content, are passed over; others are added to it.

        Raises:
            ConflictError: If another one is under way, or this one is over or was gone on with meanwhile.
        """
        self._take_turn(job.id)
        try:
            with self._records.transaction() as transaction:
                document = transaction.document(JOB_KIND, job.id)
                if document.state == JobState.OVER:
                    raise ConflictError("this import is over")
                known = read_document(_StoredJob, document.body)
                settled = {each.path for each in settled_items(transaction, job.gallery, job.id)}
                total = max(known.total, len(settled | {item.name for item in items}))
                body = write_document(replace(known, total=total, failed=""))
                transaction.replace_document(replace(document, state=JobState.RUNNING, body=body))
        except BaseException:
            self._running = None
            raise
        self._work(job.id, job.asked, items, permit, look)

    def of(self, job: str, gallery: GalleryId, owner: PersonId) -> Job:
        """Raises: NotFoundError: If there is none, it's somebody else's, or the gallery is gone."""
        # Asked first: a job that ends meanwhile was running when it was asked for.
        running = self._running
        with self._records.reading() as reader:
            known = reader.documents_by_id(JOB_KIND, [job]).get(job)
            found = None if known is None else _job(reader, known, gallery, running)
        if found is None or found.asked.owner != owner or found.gallery != gallery:
            raise NotFoundError("there is no such import")
        return found

    def of_owner(self, gallery: GalleryId, owner: PersonId) -> list[Job]:
        """Somebody's imports into a gallery, the latest first."""
        running = self._running
        with self._records.reading() as reader:
            documents = reader.documents(JOB_KIND, label=(_GALLERY, gallery), limit=MOST_KEPT)
            jobs = [_job(reader, each, gallery, running) for each in documents]
        return sorted((job for job in jobs if job.asked.owner == owner), key=lambda job: job.begun, reverse=True)

    def rejected(self, job: Job) -> list[ImportItem]:
        """All photographs that it has rejected, by name."""
        return self._bulk.rejected(job.gallery, job.id)

    def _take_turn(self, job: str) -> None:
        with self._lock:
            if self._running is not None:
                raise ConflictError("another import is under way; wait until it is over")
            self._running = job

    def _work(self, job: str, asked: Asked, items: Sequence[Item], permit: Permit, look: Look | None) -> None:
        # A daemon: each batch commits with its notes, so that an end in the middle leaves nothing half done.
        threading.Thread(
            target=self._run, args=(job, asked, items, permit, look), name="import by browser", daemon=True
        ).start()

    def _run(self, job: str, asked: Asked, items: Sequence[Item], permit: Permit, look: Look | None) -> None:
        failed = ""
        try:
            people = self._enrol(job, asked, items, permit)
            if look is not None:
                self._look(job, asked.gallery, people, look)
        except Error as error:
            failed = str(error)
        except Exception as error:  # noqa: BLE001  # the worker's edge: the page must not wait for ever
            _log.error("an import by browser failed", exc_info=error)
            failed = _OUR_SIDE
        try:
            self._end(job, failed)
        except Exception as error:  # noqa: BLE001  # as above; the row then says what is true: it was interrupted
            _log.error("the end of an import could not be kept", exc_info=error)
        finally:
            self._running = None

    def _enrol(self, job: str, asked: Asked, items: Sequence[Item], permit: Permit) -> dict[SubjectId, None]:
        """Enrol what isn't yet; answers the people enrolled, in the order in which they came."""
        outcomes = self._bulk.run(
            asked.gallery, items, job=job, max_faces=1, quality_filter=asked.quality, permit=permit
        )
        return {each.item.subject: None for each in outcomes if each.state is ImportState.ENROLLED}

    def _look(self, job: str, gallery: GalleryId, people: dict[SubjectId, None], look: Look) -> None:
        """Look for each of them, and note each at once: a search isn't made twice because the job ended early."""
        for person in people:
            with self._records.reading() as reader:
                looked = _looked(reader, job)
                try:
                    key = reader.subject(gallery, person).key
                except NotFoundError:
                    continue
            if key in looked:
                continue
            look(person)
            with self._records.transaction() as transaction:
                body = write_document(_Looked((*looked, key)))
                known = transaction.documents_by_id(LOOKED_KIND, [job]).get(job)
                if known is None:
                    transaction.insert_document(Document(LOOKED_KIND, job, "noted", body))
                else:
                    transaction.replace_document(replace(known, body=body))

    def _end(self, job: str, failed: str) -> None:
        with self._records.transaction() as transaction:
            document = transaction.document(JOB_KIND, job)
            body = write_document(replace(read_document(_StoredJob, document.body), failed=failed))
            state = JobState.FAILED if failed else JobState.OVER
            transaction.replace_document(replace(document, state=state, body=body))


def forget_ended(records: Records, now: datetime) -> int:
    """Forget the imports whose time is over; answers how many. The faces that they enrolled stay."""
    with records.transaction() as transaction:
        return _forget(transaction, now, most=_AT_ONCE)


def _make_room(transaction: Transaction, now: datetime) -> None:
    _forget(transaction, now, most=_AT_ONCE)
    excess = sum(transaction.document_states(JOB_KIND).values()) - MOST_KEPT + 1
    if excess > 0:
        _forget(transaction, now + KEPT, most=excess)


def _forget(transaction: Transaction, until: datetime, *, most: int) -> int:
    old = transaction.documents_due(JOB_KIND, until, limit=most)
    for each in old:
        # Of a gallery that is gone, the notes are too.
        with suppress(NotFoundError):
            transaction.forget_import(read_document(_StoredJob, each.body).asked.gallery, each.id)
        with suppress(NotFoundError):
            transaction.delete_document(LOOKED_KIND, each.id)
        transaction.delete_document(JOB_KIND, each.id)
    return len(old)


def _job(reader: Reader, document: Document, gallery: GalleryId, running: str | None) -> Job:
    stored, state = read_document(_StoredJob, document.body), JobState(document.state)
    if state is JobState.RUNNING and running != document.id:
        state = JobState.INTERRUPTED
    counts = reader.import_counts(gallery, document.id)
    return Job(
        id=document.id,
        asked=stored.asked,
        state=state,
        begun=stored.begun,
        total=stored.total,
        enrolled=counts.get(ImportState.ENROLLED, 0),
        rejected=counts.get(ImportState.REJECTED, 0),
        faces=reader.import_faces(gallery, document.id),
        looked=len(_looked(reader, document.id)),
        failed=stored.failed,
    )


def _looked(reader: Reader, job: str) -> tuple[str, ...]:
    known = reader.documents_by_id(LOOKED_KIND, [job]).get(job)
    return () if known is None else read_document(_Looked, known.body).keys
