"""Enrolling a folder or a list of photographs: side by side, in batches, resumable at any moment.

A file's faces, its subject and the note that it's done commit in one transaction. Killed at any moment, the next run
finds which files are done by path and content, and goes on with the others; no file is ever half enrolled, or twice.
"""

import csv
import hashlib
import re
import unicodedata
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from recognizance.enrolling.enrolment import Enrolled, Enrolment, Prepared
from recognizance.errors import ImageError, ImageTooLargeError, InputError, LimitError, NotFoundError
from recognizance.faces import QualityFilter, open_photograph
from recognizance.galleries import Clock
from recognizance.identifiers import FaceId, GalleryId, SubjectId
from recognizance.permits import Action, Permit
from recognizance.recording import Recorder
from recognizance.records import ImportItem, ImportState, Reader, Records, SubjectKey, Transaction

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif"})
"""What counts as a photograph in a folder, in any case. Other files are passed over."""

BATCH_FILES = 64
"""Files to a transaction: each costs one wait for the disk, and a kill repeats at most this much work."""

NO_FACES = "no faces in the photograph"

_SUBJECT = re.compile(r"[a-zA-Z0-9_.\-:]{1,128}")


class Readable(Protocol):
    """Where a photograph's bytes come from: a `Path`, or what somebody sent and that stands nowhere yet."""

    def read_bytes(self) -> bytes:
        """The whole file.

        Raises:
            OSError: If it can't be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class Item:
    """One photograph to enrol.

    Attributes:
        name: How it is called in reports and in the note of what is done: its path below the source.
    """

    name: str
    path: Readable
    subject: SubjectId


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one photograph, durably.

    Attributes:
        face_ids: Empty for a rejected one, and for one that an earlier run enrolled.
        reason: Why it was rejected; else empty.
        earlier: Whether an earlier run had settled it.
    """

    item: Item
    state: ImportState
    face_ids: tuple[FaceId, ...]
    reason: str
    earlier: bool


@dataclass(frozen=True, slots=True)
class _Computed:
    """A file after the slow part. `prepared` is `None` for one that was rejected, or settled before."""

    item: Item
    digest: bytes
    prepared: Prepared | None
    reason: str = ""
    settled: ImportItem | None = None


def subject_of(name: str) -> SubjectId:
    """Spell a person's name as an id: accents dropped, white space to underscores.

    Raises:
        InputError: If what is left has other characters than letters, digits and `_ . - :`, or more than 128.

    >>> subject_of("José Núñez")
    'Jose_Nunez'
    """
    plain = "".join(char for char in unicodedata.normalize("NFKD", name) if not unicodedata.combining(char))
    spelled = re.sub(r"\s+", "_", plain.strip())
    if not _SUBJECT.fullmatch(spelled):
        raise InputError(f"the subject {name!r} can't be spelled with letters, digits and _ . - : (1 to 128 of them)")
    return SubjectId(spelled)


def items_of_folder(folder: Path) -> list[Item]:
    """The photographs in a folder and those below it, by path.

    A photograph's subject is the folder that it lies in; one that lies in `folder` itself is its own subject, by its
    file name.

    Raises:
        InputError: If a subject can't be spelled, or two of them would be spelled the same.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())
    named = [(path, path.stem if path.parent == folder else path.parent.name) for path in paths]
    return items_of([(path.relative_to(folder).as_posix(), path, name) for path, name in named])


def items_of_csv(file: Path, *, path_column: str, subject_column: str) -> list[Item]:
    """The photographs that a CSV file lists, in its order; paths are relative to the file's own folder.

    Raises:
        InputError: If the file can't be read, lacks a column, names a path twice, or a subject can't be spelled or
            two of them would be spelled the same.
    """
    rows: list[tuple[str, Readable, str]] = []
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.DictReader(opened, strict=True)
            missing = {path_column, subject_column} - set(reader.fieldnames or ())
            if missing:
                raise InputError(f"{file} has no column {', '.join(sorted(missing))}; it has {reader.fieldnames}")
            for row in reader:
                path, subject = row[path_column], row[subject_column]
                if not path or not subject:
                    raise InputError(f"{file} line {reader.line_num}: {path_column} or {subject_column} is empty")
                rows.append((path, file.parent / path, subject))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"can't read {file}: {error}") from error
    if len({name for name, _, _ in rows}) < len(rows):
        raise InputError(f"{file} names a path twice")
    return items_of(rows)


def items_of(rows: Sequence[tuple[str, Readable, str]]) -> list[Item]:
    """Photographs by name, content and the person that they show, with the person's name spelled as a subject.

    Raises:
        InputError: If a subject can't be spelled, or two of them would be spelled the same.
    """
    names: dict[SubjectId, str] = {}
    items = []
    for name, path, person in rows:
        subject = subject_of(person)
        # Two people under one id would be one person to every later search.
        if names.setdefault(subject, person) != person:
            raise InputError(f"the subjects {names[subject]!r} and {person!r} would both be spelled {subject!r}")
        items.append(Item(name, path, subject))
    return items


class BulkEnrolment:
    """Enrols many photographs into one gallery.

    Args:
        new_id: Draws a fresh lower-case UUID.
        workers: Photographs worked on side by side.
    """

    def __init__(
        self,
        records: Records,
        recorder: Recorder,
        enrolment: Enrolment,
        *,
        clock: Clock,
        new_id: Callable[[], str],
        workers: int,
    ) -> None:
        self._records = records
        self._recorder = recorder
        self._enrolment = enrolment
        self._clock = clock
        self._new_id = new_id
        self._workers = workers

    def run(
        self,
        gallery: GalleryId,
        items: Sequence[Item],
        *,
        job: str,
        max_faces: int,
        quality_filter: QualityFilter,
        permit: Permit,
    ) -> Iterator[Outcome]:
        """Enrol `items`, and tell of each when it is committed, in their order.

        Whatever was told of stays, also if the iterator is never run to its end.

        Args:
            job: Names the import: the same name goes on with what it left.

        Raises:
            NotFoundError: If there is no such gallery.
            LimitError: If the gallery is full.
        """
        permit.require(Action.ENROL, gallery)
        settled = self._settled(gallery, job)

        def compute(item: Item) -> _Computed:
            return self._compute(
                item, settled.get(item.name), max_faces=max_faces, quality_filter=quality_filter, permit=permit
            )

        batch: list[_Computed] = []
        with ThreadPoolExecutor(self._workers, thread_name_prefix="import") as pool:
            for computed in _in_order(pool, compute, items, ahead=4 * self._workers):
                batch.append(computed)
                if len(batch) == BATCH_FILES:
                    yield from self._commit(gallery, job, batch, permit)
                    batch = []
        if batch:
            yield from self._commit(gallery, job, batch, permit)

    def rejected(self, gallery: GalleryId, job: str) -> list[ImportItem]:
        """All photographs that a job has rejected so far, by path."""
        with self._records.reading() as reader:
            return [item for item in settled_items(reader, gallery, job) if item.state is ImportState.REJECTED]

    def forget_rejected(self, gallery: GalleryId, job: str) -> None:
        """Forget which photographs a job has rejected: what they are called often says whom they show.

        The same job then looks at them again, if it is given them again.
        """
        with self._records.transaction() as transaction:
            transaction.forget_rejected(gallery, job)

    def counts(self, gallery: GalleryId, job: str) -> dict[ImportState, int]:
        """How many photographs of a job are settled so far, by what became of them."""
        with self._records.reading() as reader:
            return reader.import_counts(gallery, job)

    def _settled(self, gallery: GalleryId, job: str) -> dict[str, ImportItem]:
        with self._records.reading() as reader:
            return {item.path: item for item in settled_items(reader, gallery, job)}

    def _compute(
        self,
        item: Item,
        settled: ImportItem | None,
        *,
        max_faces: int,
        quality_filter: QualityFilter,
        permit: Permit,
    ) -> _Computed:
        """Everything about one photograph that needs no database. Runs beside others."""
        try:
            data = item.path.read_bytes()
        except OSError as error:
            return _Computed(item, b"", None, f"can't be read: {error.strerror}")
        digest = hashlib.sha256(data).digest()
        if settled is not None and settled.digest == digest:
            return _Computed(item, digest, None, settled=settled)
        try:
            photograph = open_photograph(data, permit)
            prepared = self._enrolment.prepare(
                photograph, max_faces=max_faces, quality_filter=quality_filter, permit=permit
            )
        except (ImageError, ImageTooLargeError) as error:
            return _Computed(item, digest, None, str(error))
        if prepared.faces:
            return _Computed(item, digest, prepared)
        reasons = sorted({reason.value for face in prepared.unindexed for reason in face.reasons})
        return _Computed(item, digest, None, ", ".join(reasons) or NO_FACES)

    def _commit(self, gallery: GalleryId, job: str, batch: Sequence[_Computed], permit: Permit) -> list[Outcome]:
        outcomes: list[Outcome] = []
        notes: list[ImportItem] = []
        fresh = [computed for computed in batch if computed.settled is None]
        face_ids: dict[str, tuple[FaceId, ...]] = {}
        if fresh:
            with self._recorder.changing() as change:
                transaction, stored = change.transaction, list[Enrolled]()
                for computed in fresh:
                    enrolled = self._store(transaction, gallery, computed, permit)
                    stored.append(enrolled)
                    face_ids[computed.item.name] = tuple(face.row.face_id for face in enrolled.faces)
                    # A file that couldn't even be read is tried again by the next run.
                    if computed.digest:
                        notes.append(_note(computed, len(face_ids[computed.item.name])))
                transaction.record_import_items(gallery, job, notes)
                self._enrolment.enter_stored(change, gallery, stored, permit=permit)
        for computed in batch:
            known = computed.settled
            outcomes.append(
                Outcome(
                    item=computed.item,
                    state=known.state if known else _state(computed),
                    face_ids=face_ids.get(computed.item.name, ()),
                    reason=known.reason if known else computed.reason,
                    earlier=known is not None,
                )
            )
        return outcomes

    def _store(self, transaction: Transaction, gallery: GalleryId, computed: _Computed, permit: Permit) -> Enrolled:
        if computed.prepared is None:
            return Enrolled((), ())
        subject = computed.item.subject
        enrolled = self._enrolment.store(
            transaction, gallery, computed.prepared, external_image_id=subject, permit=permit
        )
        ids = tuple(face.row.face_id for face in enrolled.faces)
        try:
            transaction.subject(gallery, subject)
        except NotFoundError:
            transaction.create_subject(gallery, subject, key=SubjectKey(self._new_id()), created=self._clock())
        # A subject that has all the faces it may have gets no more: this one is found by itself, with its external id.
        with suppress(LimitError):
            transaction.associate(gallery, subject, ids)
        return enrolled


def settled_items(reader: Reader, gallery: GalleryId, job: str) -> Iterator[ImportItem]:
    """All photographs of a job that are settled so far, by path."""
    after = None
    while page := reader.import_items(gallery, job, after=after, limit=1000):
        yield from page
        after = page[-1].path


def _state(computed: _Computed) -> ImportState:
    return ImportState.ENROLLED if computed.prepared is not None else ImportState.REJECTED


def _note(computed: _Computed, face_count: int) -> ImportItem:
    return ImportItem(computed.item.name, computed.digest, _state(computed), computed.reason, face_count)


def _in_order(
    pool: ThreadPoolExecutor, compute: Callable[[Item], _Computed], items: Sequence[Item], *, ahead: int
) -> Iterator[_Computed]:
    """Map in order with at most `ahead` results waiting, so that memory stays bounded however many items there are."""
    waiting: deque[Future[_Computed]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(compute, item))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
