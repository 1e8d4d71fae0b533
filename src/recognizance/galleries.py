"""The galleries of one service: what the records say, and the indexes in memory that follow them.

The records are the truth. An index is never told about a change: before each search it asks the records what changed
since the version it holds, and applies that. So there is no second place that a write must reach, a crash between the
two can't happen, and what an `import` in another process enrols is seen by the server's next search.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from recognizance.declarations import (
    TAG_PREFIX,
    Stated,
    declare,
    declared,
    provenance_of,
    resolve,
    split_tags,
    tags_of,
)
from recognizance.errors import ConflictError, InputError, NotFoundError
from recognizance.gallery import Index, Templates
from recognizance.identifiers import GalleryId, ModelId
from recognizance.ledger.facts import Standing
from recognizance.permits import Action, Permit
from recognizance.recording import NOT_STATED, Change, Provenance, Recorder, acts
from recognizance.records import RELOAD, GalleryRow, Reader, Records, Reload

Clock = Callable[[], datetime]
"""Answers the present instant, with its time zone."""

Progress = Callable[[int], None]
"""Takes the number of templates just loaded."""


def _silent(_loaded: int) -> None:
    return None


@dataclass(slots=True)
class _Live:
    """An index at a version. `lock` is held while it catches up, never while it is searched."""

    index: Index
    version: int
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """What separates an index from the records: remove first, then add."""

    to_version: int
    removed: Sequence[str]
    added: Sequence[str]
    templates: Templates


class Galleries:
    """Creates and describes galleries, and hands out their indexes, caught up.

    Args:
        model: The recogniser of new galleries.
        open_index: Builds an empty index for the templates of a model.
        undeclared: What the ledger says of where the faces of a gallery come from that nobody declared.
    """

    def __init__(
        self,
        records: Records,
        recorder: Recorder,
        *,
        model: ModelId,
        open_index: Callable[[ModelId], Index],
        clock: Clock,
        undeclared: Provenance = NOT_STATED,
    ) -> None:
        self._records = records
        self._recorder = recorder
        self._model = model
        self._open_index = open_index
        self._clock = clock
        self._undeclared = undeclared
        self._lock = threading.Lock()
        self._faces: dict[GalleryId, _Live] = {}
        self._subjects: dict[GalleryId, _Live] = {}

    def create(self, gallery: GalleryId, *, tags: Mapping[str, str], permit: Permit) -> GalleryRow:
        """Create an empty gallery for templates of the service's recogniser; tags of ours declare it.

        Raises:
            ConflictError: If it exists.
            LimitError: If there are too many tags.
            InputError: If a tag of ours isn't one, or a declaration is incomplete.
        """
        permit.require(Action.MANAGE_GALLERY, gallery)
        stated, own = split_tags(tags)
        with self._recorder.changing() as change:
            change.transaction.create_gallery(gallery, model=self._model, created=self._clock(), tags=own)
            self._declare(change, gallery, stated, permit)
            created = change.transaction.gallery(gallery)
            change.enter(acts.gallery(permit, created, Standing.ADDED, provenance=self.provenance(change, gallery)))
        return created

    def describe(self, gallery: GalleryId, *, permit: Permit) -> GalleryRow:
        """Describe a gallery, at once whatever its size. What is declared of it is among its tags.

        Raises:
            NotFoundError: If there is none of this name.
        """
        permit.require(Action.READ_GALLERY, gallery)
        with self._records.reading() as reader:
            row = reader.gallery(gallery)
            return replace(row, tags={**row.tags, **tags_of(declared(reader, gallery))})

    def page(self, *, after: GalleryId | None, limit: int, permit: Permit) -> list[GalleryRow]:
        """Galleries ordered by name, beginning behind `after`."""
        permit.require(Action.READ_GALLERY)
        with self._records.reading() as reader:
            return reader.galleries(after=after, limit=limit)

    def tag(self, gallery: GalleryId, tags: Mapping[str, str], *, permit: Permit) -> None:
        """Set tags, replacing the values of those that are there; tags of ours declare the gallery while it is empty.

        Raises:
            NotFoundError: If there is no such gallery.
            LimitError: If it would have too many. Nothing is changed then.
            ConflictError: If it holds faces, and tags of ours say something else than what is declared.
            InputError: As for `create`.
        """
        permit.require(Action.MANAGE_GALLERY, gallery)
        stated, own = split_tags(tags)
        with self._recorder.changing() as change:
            change.transaction.tag_gallery(gallery, own)
            self._declare(change, gallery, stated, permit)
            self._enter_changed(change, gallery, permit)

    def untag(self, gallery: GalleryId, names: Collection[str], *, permit: Permit) -> None:
        """Remove tags; names that the gallery doesn't have are passed over.

        Raises:
            NotFoundError: If there is no such gallery.
            InputError: If a tag of ours is named: what is declared can be said anew while the gallery is empty, and
                never be taken back.
        """
        permit.require(Action.MANAGE_GALLERY, gallery)
        ours = sorted(name for name in names if name.startswith(TAG_PREFIX))
        with self._recorder.changing() as change:
            change.transaction.untag_gallery(gallery, names)
            if ours:
                raise InputError(
                    f"the tag {ours[0]!r} can't be removed: a gallery's source and lawful basis are declared for good;"
                    " while it is empty, TagResource replaces them"
                )
            self._enter_changed(change, gallery, permit)

    def provenance(self, change: Change, gallery: GalleryId) -> Provenance:
        """What the ledger says of where a gallery's faces come from."""
        return provenance_of(change.transaction, gallery, self._undeclared)

    def _declare(self, change: Change, gallery: GalleryId, stated: Stated | None, permit: Permit) -> None:
        if stated is not None:
            declaration = resolve(change.transaction, gallery, stated, by=permit.principal)
            declare(change, declaration, by=permit.principal)

    def _enter_changed(self, change: Change, gallery: GalleryId, permit: Permit) -> None:
        row = change.transaction.gallery(gallery)
        change.enter(acts.gallery(permit, row, Standing.CHANGED, provenance=self.provenance(change, gallery)))

    def faces_index(self, gallery: GalleryId, *, model: ModelId, permit: Permit, progress: Progress = _silent) -> Index:
        """The index of a gallery's faces, as of now: whatever was acknowledged before this call is in it.

        The first call of a gallery loads it; `progress` follows that.

        Args:
            model: The recogniser of the templates that will be compared with it.

        Raises:
            NotFoundError: If there is no such gallery.
            ConflictError: If its templates are another model's.
        """
        permit.require_any(Action.SEARCH, Action.READ_GALLERY)
        return self._caught_up(self._faces, gallery, model, _Source(_face_changes, _all_faces, progress)).index

    def subjects_index(
        self, gallery: GalleryId, *, model: ModelId, permit: Permit, progress: Progress = _silent
    ) -> Index:
        """The index of a gallery's subjects: each is the mean of its faces' templates, under its `SubjectKey`.

        Raises:
            NotFoundError: If there is no such gallery.
            ConflictError: If its templates are another model's.
        """
        permit.require_any(Action.SEARCH, Action.READ_GALLERY)
        return self._caught_up(self._subjects, gallery, model, _Source(_subject_changes, _all_subjects, progress)).index

    def searchable_faces(self, gallery: GalleryId, *, model: ModelId, permit: Permit) -> "Searchable":
        """As `faces_index`, with the version of the gallery's content that a search in it covers."""
        permit.require_any(Action.SEARCH)
        return self._caught_up(self._faces, gallery, model, _Source(_face_changes, _all_faces, _silent))

    def searchable_subjects(self, gallery: GalleryId, *, model: ModelId, permit: Permit) -> "Searchable":
        """As `subjects_index`, with the version of the gallery's content that a search in it covers."""
        permit.require_any(Action.SEARCH)
        return self._caught_up(self._subjects, gallery, model, _Source(_subject_changes, _all_subjects, _silent))

    def follow(self, gallery: GalleryId, *, permit: Permit) -> None:
        """Take the indexes of a gallery that are in memory to its present content, so that what was erased leaves it.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        permit.require_any(Action.FORGET, Action.MANAGE_GALLERY)
        with self._records.reading() as reader:
            model = reader.gallery(gallery).model
        if gallery in self._faces:
            self._caught_up(self._faces, gallery, model, _Source(_face_changes, _all_faces, _silent))
        if gallery in self._subjects:
            self._caught_up(self._subjects, gallery, model, _Source(_subject_changes, _all_subjects, _silent))

    def holding(self, keys: Collection[str]) -> list[GalleryId]:
        """The galleries whose indexes in memory hold one of these faces or subjects, ordered by name."""
        with self._lock:
            live = [*self._faces.items(), *self._subjects.items()]
        return sorted({gallery for gallery, each in live if any(key in each.index for key in keys)})

    def drop(self, gallery: GalleryId) -> None:
        """Let go of the indexes of a gallery that is gone, or may be: one that is there is loaded again."""
        with self._lock:
            self._faces.pop(gallery, None)
            self._subjects.pop(gallery, None)

    def _caught_up(
        self, live_by_gallery: dict[GalleryId, _Live], gallery: GalleryId, model: ModelId, source: "_Source"
    ) -> "Searchable":
        try:
            with self._records.reading() as reader:
                row = reader.gallery(gallery)
        except NotFoundError:
            # Deleted, perhaps by another process: its templates must not stay in memory.
            self.drop(gallery)
            raise
        if row.model != model:
            raise ConflictError(
                f"gallery {gallery!r} holds templates of {row.model}; they can't be compared with {model}"
            )
        with self._lock:
            live = live_by_gallery.get(gallery)
            if live is None:
                # Versions begin at 1, so the first catching up finds that it has to load everything.
                live = live_by_gallery[gallery] = _Live(self._open_index(model), version=0)
        # An index never goes back: another thread may have taken it past the version that was read above.
        if live.version < row.version:
            with live.lock:
                if live.version < row.version:
                    self._advance(live, gallery, source)
        # The version first: an index that another thread has taken further since holds that version all the same.
        version = live.version
        return Searchable(live.index, version)

    def _advance(self, live: _Live, gallery: GalleryId, source: "_Source") -> None:
        """Take `live` to the records' present version, within one snapshot of them."""
        with self._records.reading() as reader:
            batch = RELOAD if live.version == 0 else source.changes(reader, gallery, live.version)
            if batch is RELOAD:
                row = reader.gallery(gallery)
                index = self._open_index(row.model)
                for keys, templates in source.everything(reader, gallery):
                    index.add(keys, templates)
                    source.progress(len(keys))
                # A search that is under way keeps the index it holds; the next one gets this.
                live.index, live.version = index, row.version
                return
        if batch.added:
            live.index.replace(batch.removed, batch.added, batch.templates)
        else:
            live.index.remove(batch.removed)
        live.version = batch.to_version


@dataclass(frozen=True, slots=True, eq=False)
class Searchable:
    """An index, and the version of the records that it has reached at least."""

    index: Index
    version: int


@dataclass(frozen=True, slots=True)
class _Source:
    """Where an index of one kind gets its templates from."""

    changes: "_ReadChanges"
    everything: "_ReadAll"
    progress: Progress


_ReadChanges = Callable[[Reader, GalleryId, int], _Batch | Reload]
_ReadAll = Callable[[Reader, GalleryId], Iterable[tuple[Sequence[str], Templates]]]


def _face_changes(reader: Reader, gallery: GalleryId, version: int) -> _Batch | Reload:
    changes = reader.changes_since(gallery, version)
    if changes is RELOAD:
        return RELOAD
    return _Batch(changes.to_version, changes.removed, changes.added, changes.templates)


def _all_faces(reader: Reader, gallery: GalleryId) -> Iterable[tuple[Sequence[str], Templates]]:
    for block in reader.templates(gallery):
        yield block.face_ids, block.templates


def _subject_changes(reader: Reader, gallery: GalleryId, version: int) -> _Batch | Reload:
    changes = reader.subject_changes_since(gallery, version)
    if changes is RELOAD:
        return RELOAD
    # A subject whose faces changed is replaced whole.
    removed = [*changes.removed, *changes.changed]
    return _Batch(changes.to_version, removed, changes.changed, changes.templates)


def _all_subjects(reader: Reader, gallery: GalleryId) -> Iterable[tuple[Sequence[str], Templates]]:
    for block in reader.subject_templates(gallery):
        yield block.subject_keys, block.templates
