"""Older records and a newer ledger: brought to agree, without rewriting either's past.

After a disk was lost and a backup put back, the ledger speaks of changes that the records have lost. Its entries stay:
they were promised. The records take them for theirs, so that nothing is appended twice or in their place, and a further
entry says which ones they don't remember. What those entries *took away* is taken away again: erased galleries, uses
that were stopped, agencies, people and keys that were suspended. What they *gave* is lost, and has to be given again.
What nobody can tell from public entries, such as which face was erased, is counted and named for people to repeat.

Two steps, each safe to repeat. `adopt` is one transaction, after which the records say that they are unreconciled and
no service opens them; `finish` does what is left, and its last transaction ends that state.

Implements `docs/backup.md` and `docs/decisions/0041-older-records-and-a-newer-ledger.md`.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from recognizance.errors import ConflictError, CorruptionError, NotFoundError
from recognizance.forgetting.closing import Progress
from recognizance.forgetting.erasure import Cause, Erasure, Order
from recognizance.governance.codec import read_document, write_document
from recognizance.governing.uses import EndsUse
from recognizance.identifiers import GalleryId, PrincipalId
from recognizance.keeping.rights import count_searches, end_rights
from recognizance.ledger import (
    Entry,
    FileStore,
    FolderSource,
    Log,
    NewerSchemaError,
    NoteKey,
    Source,
    entry_id_of,
    facts,
    read_entries,
    verify,
)
from recognizance.permits import Permit
from recognizance.recording import LEDGER_FOLDER, Recorder
from recognizance.recording.ledger_key import read_former_keys
from recognizance.records import Document, Reader, Records, Transaction
from recognizance.storage import OPEN, RESTORATION_KIND

DONE = "done"
_CHUNK = 4096
_ID = "latest"


@dataclass(frozen=True, slots=True)
class Gap:
    """What lies between older records and the ledger.

    Attributes:
        known: How many entries the records knew; `ledger` is how many there were.
        remembered: Indexes in between of entries that the records had committed to themselves.
    """

    known: int
    ledger: int
    remembered: tuple[int, ...]

    @property
    def unknown(self) -> int:
        return self.ledger - self.known - len(self.remembered)


@dataclass(frozen=True, slots=True)
class ToRepeat:
    """An erasure that the records have lost, and that only people can do again."""

    index: int
    at: datetime
    gallery: str | None
    scope: str
    faces: int
    request: str | None


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What was done, and what is left for people to do."""

    gap: Gap
    galleries_erased: tuple[str, ...]
    rights_ended: tuple[str, ...]
    to_repeat: tuple[ToRepeat, ...]
    holds_lost: int


def adopt(
    data: Path, records: Records, key: NoteKey, *, public: Path | None = None, always: bool = False
) -> Gap | None:
    """Take the ledger's entries that the records don't know for theirs; `None` if there are none.

    Args:
        public: Where the ledger's public files are, if not beside its journal.
        always: Also where both agree, because the records are known to have been put back.

    Raises:
        ConflictError: If a service is running.
        CorruptionError: If the ledger is damaged, is another one, or is older than the records.
    """
    folder = data / LEDGER_FOLDER
    source = FolderSource(public or folder / "public")
    store, former = FileStore(folder, public=public), read_former_keys(data)
    # Opening it takes its lock, and finishes what a crash interrupted; so there is nothing newer than what is read now.
    with closing(Log.open(store, key, former_keys=former)) as log:
        verify(source, (key.verifier, *former)).require_sound()
        with records.transaction() as transaction:
            waiting = _open_gap(transaction)
            if waiting is not None:
                return waiting
            known, size = transaction.marked_size(), log.size
            _require_own(transaction, source, known, size)
            if known == size and not always:
                return None
            remembered: list[int] = []
            versions: dict[GalleryId, int] = {}
            for start in range(known, size, _CHUNK):
                some = list(read_entries(source, range(start, min(start + _CHUNK, size)), size))
                ids = [entry_id_of(data) for data in some]
                unknown = transaction.adopt_entries(start, ids)
                remembered += [start + place for place, entry in enumerate(ids) if entry not in unknown]
                _note_versions(versions, some)
            transaction.raise_versions(versions)
            gap = Gap(known, size, tuple(remembered))
            _store(transaction, gap)
    return gap


def finish(
    source: Source,
    records: Records,
    recorder: Recorder,
    erasure: Erasure,
    *,
    permit_for: Callable[[GalleryId], Permit],
    ends_use: EndsUse,
    now: datetime,
    reason: str,
    by: PrincipalId,
    progress: Progress | None = None,
) -> Reconciled:
    """Take away again what the lost entries took away, and put on the record that the records were put back.

    Args:
        permit_for: Asks the policy for the erasure of a gallery.
        reason: Why the records were put back; public.
        by: Who did it.
        progress: Told how many rows of a gallery are gone, and of how many.

    Raises:
        NotFoundError: If nothing waits to be finished.
    """
    with records.reading() as reader:
        gap = _open_gap(reader)
    if gap is None:
        raise NotFoundError("the records are reconciled with the ledger")
    lost = list(_lost(source, gap))
    erased = _erase_again(lost, erasure, permit_for, progress)
    with recorder.changing() as change:
        rights = end_rights(change, [entry for _, entry in lost], recorder.pseudonym, ends_use, now=now, by=by)
        count_searches(change.transaction, [entry for _, entry in lost], now=now)
        repeat = tuple(_to_repeat(lost, gone=frozenset(erased)))
        holds = sum(isinstance(entry.facts, facts.Hold) for _, entry in lost)
        done = Reconciled(gap, erased, rights, repeat, holds)
        change.enter(
            lambda entry: facts.Restoration(
                known_entries=gap.known,
                ledger_entries=gap.ledger,
                unknown_entries=gap.unknown,
                galleries_erased=len(erased),
                rights_ended=len(rights),
                erasures_to_repeat=len(repeat),
                holds_lost=holds,
                reason=reason,
                restored_by=entry.pseudonym(by),
            )
        )
        document = change.transaction.document(RESTORATION_KIND, _ID)
        change.transaction.replace_document(replace(document, state=DONE))
    return done


def _require_own(reader: Reader, source: Source, known: int, size: int) -> None:
    """Refuse a ledger that isn't a later state of the one that the records know."""
    if known > size:
        raise CorruptionError(
            f"the records know of {known} entries and the ledger has {size}: put back the newest copy of the ledger"
        )
    if known:
        [last] = read_entries(source, range(known - 1, known), size)
        if reader.entry_indexes([entry_id_of(last)]) != {entry_id_of(last): known - 1}:
            raise CorruptionError("the records belong to another ledger, or this one has forked")


def _open_gap(reader: Reader) -> Gap | None:
    try:
        document = reader.document(RESTORATION_KIND, _ID)
    except NotFoundError:
        return None
    return read_document(Gap, document.body) if document.state == OPEN else None


def _store(transaction: Transaction, gap: Gap) -> None:
    fresh = Document(RESTORATION_KIND, _ID, OPEN, write_document(gap))
    try:
        before = transaction.document(RESTORATION_KIND, _ID)
    except NotFoundError:
        transaction.insert_document(fresh)
    else:
        transaction.replace_document(replace(fresh, revision=before.revision))


def _note_versions(versions: dict[GalleryId, int], entries: Iterable[bytes]) -> None:
    for data in entries:
        said = _parsed(data)
        if said is not None and isinstance(said.facts, facts.GalleryContent):
            name = GalleryId(said.facts.gallery)
            versions[name] = max(versions.get(name, 0), said.facts.version)


def _parsed(data: bytes) -> Entry | None:
    try:
        return Entry.parse(data)
    except NewerSchemaError as error:
        # What newer software took away, this one can't read, and so can't take away again.
        raise CorruptionError("the ledger has entries of newer software: reconcile with that") from error


def _lost(source: Source, gap: Gap) -> Iterable[tuple[int, Entry]]:
    remembered = frozenset(gap.remembered)
    for index, data in enumerate(read_entries(source, range(gap.known, gap.ledger), gap.ledger), start=gap.known):
        entry = _parsed(data)
        if index not in remembered and entry is not None:
            yield index, entry


def _erase_again(
    lost: Sequence[tuple[int, Entry]],
    erasure: Erasure,
    permit_for: Callable[[GalleryId], Permit],
    progress: Progress | None,
) -> tuple[str, ...]:
    """Erase the galleries that had been erased; answers those that are gone."""
    removed = _removed(lost)
    for name in sorted(removed):
        gallery = GalleryId(name)
        try:
            erasure.gallery(gallery, order=Order(Cause.RESTORATION), permit=permit_for(gallery), progress=progress)
        except NotFoundError:
            # Gone, or closed already; what is left of one that is closed goes by itself.
            continue
        except ConflictError:
            # An order to preserve that had ended before holds it again; what is left is for people.
            removed.discard(name)
    return tuple(sorted(removed))


def _removed(lost: Sequence[tuple[int, Entry]]) -> set[str]:
    """The galleries that the lost entries say were removed."""
    return {
        entry.facts.gallery
        for _, entry in lost
        if isinstance(entry.facts, facts.Gallery) and entry.facts.standing is facts.Standing.REMOVED
    }


def _to_repeat(lost: Sequence[tuple[int, Entry]], *, gone: frozenset[str]) -> Iterable[ToRepeat]:
    removed = _removed(lost)
    for index, entry in lost:
        said = entry.facts
        if not isinstance(said, facts.Erasure) or said.gallery in gone:
            continue
        # A gallery that these records know as closed goes on being erased by itself, and needs nobody.
        if said.scope is not facts.ErasureScope.GALLERY or said.gallery in removed:
            yield ToRepeat(index, entry.time, said.gallery, said.scope.value, said.faces, said.request)
