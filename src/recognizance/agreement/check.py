"""Compares records with the ledger that they belong to, and names each row in which they differ.

The database protects itself against a row that was edited: what is sealed is bound to its place, so it doesn't open any
more (`records.check`). What a seal can't show is a row that was dropped, added, put back as it was before, or put in
another's place with all that belongs to it. The ledger shows that: it names each entry and its place, commits to every
private value, and says how far each use, person, request, gallery and key has come. So here every entry's row, every
commitment's opening and every document that an entry speaks of is looked up. What was rightly forgotten isn't missed:
an erasure leaves a proof that names what it destroyed, and the ledger has the proof's digest. Nor is what a restoration
says that the records have lost (`restorations.py`).

Reads everything once, changes nothing, and holds no sealed value longer than it takes to compare it. Findings name
tables, rows and entries, never what was sealed. Implements `docs/ledger.md`, "Records and ledger".
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from recognizance.agreement.promised import PARTIES
from recognizance.agreement.restorations import Expected, restorations
from recognizance.docket import PHOTOGRAPHS_FOR
from recognizance.documents import Kind, SearchCount, installation_of
from recognizance.errors import CorruptionError, InputError
from recognizance.forgetting.closing import UNDER_WAY_KIND
from recognizance.forgetting.proofs import PROOF_KIND, Proof
from recognizance.gallery import Template
from recognizance.governance.codec import read_document
from recognizance.identifiers import FaceId, GalleryId
from recognizance.ledger import (
    Entry,
    EntryId,
    NewerSchemaError,
    Opening,
    Source,
    VerifierKey,
    entry_id_of,
    facts,
    read_checkpoint,
    read_entries,
)
from recognizance.recording import acts, face_digest
from recognizance.records import Document, GalleryRow, Reader, Records

OF_GALLERY = frozenset({"candidate", "content", "probe", "result"})
"""Fields whose openings are sealed under a gallery's key, and are gone with it."""

TAIL_ENTRIES = 512
_PAGE = 1_000
_DIGEST_KINDS = {"erasure", "retention_run"}
_STATEMENT = "statement"
_HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One place in which records and ledger differ.

    Attributes:
        table: The table of the records.
        row: Which row, by its key.
        entry: The index of the ledger's entry that says otherwise; `None` if it is the sum of several.
    """

    table: str
    row: str
    text: str
    entry: int | None = None

    def __str__(self) -> str:
        where = "" if self.entry is None else f" (entry {self.entry})"
        return f"{self.table} {self.row}: {self.text}{where}"


_Missing = tuple[EntryId, int, str, str | None]


@dataclass(slots=True)
class _Seen:
    """What was read from the ledger."""

    expected: Expected = field(default_factory=Expected)
    ids: list[EntryId] = field(default_factory=list[EntryId])
    # The index of the first of them.
    first: int = 0
    # Openings that aren't there: by entry, with its index and the gallery that it is about.
    missing: list[tuple[EntryId, int, str, str | None]] = field(
        default_factory=list[tuple[EntryId, int, str, str | None]]
    )
    # By access key, its standing and the index of the entry that says so.
    keys: dict[str, tuple[facts.Standing, int]] = field(default_factory=dict[str, tuple[facts.Standing, int]])
    holds: set[str] = field(default_factory=set[str])
    # By gallery and face, the digests over photograph and template that enrolments committed to.
    faces: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])


def check_agreement(
    records: Records,
    source: Source,
    log_keys: tuple[VerifierKey, ...],
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[Disagreement, ...]:
    """Hold all records against a ledger whose own soundness `ledger.verify` has established.

    Takes as long as reading the whole ledger, and opening everything that is sealed. A service may run meanwhile.

    Raises:
        CorruptionError: If the ledger can't be read.
        InputError: If none of the keys signed it.
    """
    # In this order: records are never behind the ledger's checkpoint of an earlier moment.
    size = read_checkpoint(source, log_keys).checkpoint.size
    with records.reading() as reader:
        return tuple(_disagreements(reader, source, size, progress))


def check_tail(records: Records, source: Source, log_keys: tuple[VerifierKey, ...]) -> tuple[Disagreement, ...]:
    """Hold the rows of the latest entries against the ledger: quick, and enough to see a rollback of either.

    Raises:
        CorruptionError: If the ledger can't be read.
        InputError: If none of the keys signed it.
    """
    size = read_checkpoint(source, log_keys).checkpoint.size
    first = max(0, size - TAIL_ENTRIES)
    with records.reading() as reader:
        seen = _Seen(ids=[entry_id_of(data) for data in read_entries(source, range(first, size), size)], first=first)
        return tuple(_check_rows(reader, seen, size))


def _disagreements(
    reader: Reader, source: Source, size: int, progress: Callable[[int, int], None]
) -> Iterator[Disagreement]:
    seen = _Seen(Expected(restorations(read_entries(source, range(size), size))))
    for index, data in enumerate(read_entries(source, range(size), size)):
        yield from _check_entry(reader, seen, index, data)
        progress(index + 1, size)
    yield from _check_rows(reader, seen, size)
    documents = _Documents(reader, seen.expected)
    yield from documents.problems()
    yield from _check_missing(seen, documents.destroyed)
    yield from _check_holds(seen, documents.holds)
    yield from _check_keys(reader, seen)
    yield from _check_galleries(reader, seen.expected)
    yield from _check_erasures(reader, seen.expected)
    yield from _check_faces(reader, seen)
    yield from _check_counts(seen.expected, documents.counts)


def _check_entry(reader: Reader, seen: _Seen, index: int, data: bytes) -> Iterator[Disagreement]:
    """Take an entry into account, and open what it commits to."""
    try:
        entry = Entry.parse(data)
    except NewerSchemaError:
        seen.ids.append(entry_id_of(data))
        return
    seen.ids.append(entry.id)
    seen.expected.add(index, entry)
    names = entry.private_fields
    if not names:
        return
    try:
        openings = {each.field: each for each in reader.openings(entry.id)}
    except CorruptionError as error:
        yield Disagreement("openings", f"entry_id={entry.id}", str(error), index)
        return
    for name in names:
        row = openings.pop(name, None)
        if row is None:
            seen.missing.append((entry.id, index, name, getattr(entry.facts, "gallery", None)))
            continue
        where = f"entry_id={entry.id} field={name}"
        try:
            opening = Opening.restore(entry.id, name, value_data=row.value, salt=row.salt)
        except InputError:
            yield Disagreement("openings", where, "isn't a salt and a value", index)
            continue
        if not entry.opens(opening):
            yield Disagreement("openings", where, "opens to something else than the entry commits to", index)
        _remember(seen, index, entry, name, opening)
    for name in openings:
        yield Disagreement("openings", f"entry_id={entry.id} field={name}", "the entry has no such field", index)


def _remember(seen: _Seen, index: int, entry: Entry, name: str, opening: Opening) -> None:
    if isinstance(entry.facts, facts.AccessKey) and isinstance(opening.value, str):
        seen.keys[opening.value] = (entry.facts.standing, index)
    if isinstance(entry.facts, facts.Hold) and name == "holding" and isinstance(opening.value, str):
        seen.holds.add(opening.value)
    if isinstance(entry.facts, facts.GalleryContent) and isinstance(opening.value, tuple):
        enrolled = seen.faces.setdefault(entry.facts.gallery, {})
        listed = opening.value[-1]
        for face in listed if isinstance(listed, tuple) else ():
            if isinstance(face, tuple) and len(face) == 2:
                enrolled[str(face[0])] = str(face[1])


def _check_rows(reader: Reader, seen: _Seen, size: int) -> Iterator[Disagreement]:
    """Every entry has its row at its place, and no row is at a place that isn't its own."""
    places = {entry_id: index for index, entry_id in enumerate(seen.ids, start=seen.first)}
    marked, found = reader.marked_size(), set[int]()
    if marked > size:
        yield Disagreement("outbox", f"log_index={size}", f"the records know {marked} entries; the ledger has {size}")
    for entry_id, index in reader.ledger_rows():
        row, place = f"entry_id={entry_id}", places.get(EntryId(entry_id))
        if index is None:
            if place is not None:
                found.add(place)
                # Marks follow in order: the latest may not be there yet, and no other may be missing.
                if place < marked:
                    yield Disagreement("outbox", row, "isn't marked, and the ledger has it", place)
        elif seen.first <= index < size:
            if place != index:
                yield Disagreement("outbox", row, "stands in the place of another entry", index)
            else:
                found.add(index)
    for index, entry_id in enumerate(seen.ids, start=seen.first):
        if index not in found:
            yield Disagreement("outbox", f"entry_id={entry_id}", "is gone, or stands in another place", index)


class _Documents:
    """One pass over all documents.

    Attributes:
        destroyed: Openings that erasures destroyed, as their proofs name them.
        counts: Searches counted, by use.
        holds: What orders to preserve hold.
    """

    def __init__(self, reader: Reader, expected: Expected) -> None:
        self._reader = reader
        self._expected = expected
        self._kinds = expected.kinds()
        # What has to be there and hasn't been seen.
        self._missing = expected.documents() - _own_agency(reader)
        self._digests = {kind: expected.digests(kind) for kind in _DIGEST_KINDS}
        self.destroyed: set[tuple[str, str]] = set()
        self.counts: dict[str, int] = {}
        self.holds: set[str] = set()

    def problems(self) -> Iterator[Disagreement]:
        for kind, document_id, document in self._reader.every_document():
            row = f"kind={kind} document_id={document_id}"
            if document is None:
                yield Disagreement("documents", row, "doesn't open: it was changed, or put in another's place")
                self._missing.discard((_kind_of(kind), _name_of(kind, document_id)))
                continue
            yield from self._problems_of(document, row)
        for kind, document_id in sorted(self._missing):
            yield Disagreement("documents", f"kind={kind} document_id={document_id}", "is gone; the ledger has it")
        for kind, digests in self._digests.items():
            for digest in sorted(digests):
                yield Disagreement("documents", f"kind={kind} sha256={digest}", "is gone; the ledger has its digest")

    def _problems_of(self, document: Document, row: str) -> Iterator[Disagreement]:
        kind = _kind_of(document.kind)
        if kind in _DIGEST_KINDS:
            yield from self._digest_problems(document, kind, row)
        elif kind == Kind.COUNT.value:
            counted = read_document(SearchCount, document.body)
            self.counts[acts.token(counted.use)] = self.counts.get(acts.token(counted.use), 0) + counted.searches
        elif kind == _HOLD:
            self.holds.add(document.id)
        elif kind == _STATEMENT:
            if document.body.decode() not in self._expected.all.stated:
                yield Disagreement("documents", row, "the ledger has no such statement")
        elif kind in self._kinds:
            name = _name_of(kind, document.id)
            states = self._expected.states(kind, name)
            self._missing.discard((kind, name))
            if not states:
                yield Disagreement("documents", row, "the ledger has never heard of it")
            elif document.state not in states:
                wanted = " or ".join(sorted(states))
                yield Disagreement("documents", row, f"is {document.state!r}; by the ledger it is {wanted!r}")

    def _digest_problems(self, document: Document, kind: str, row: str) -> Iterator[Disagreement]:
        digest = sha256(document.body).hexdigest()
        if digest not in self._expected.all.digests[kind]:
            yield Disagreement("documents", row, "isn't what the ledger has the digest of")
        self._digests[kind].discard(digest)
        if document.kind == PROOF_KIND:
            proof = read_document(Proof, document.body)
            self.destroyed |= {(each.entry, each.field) for each in proof.openings}


def _own_agency(reader: Reader) -> set[tuple[str, str]]:
    """The owner's own agency, which a private installation keeps with what it says of itself."""
    installed = installation_of(reader)
    agency = None if installed is None else installed.agency
    return set() if agency is None else {(Kind.AGENCY.value, acts.token(agency))}


def _kind_of(kind: str) -> str:
    return PARTIES if kind in {Kind.PERSON.value, Kind.PROGRAM.value} else kind


def _name_of(kind: str, document_id: str) -> str:
    """What the ledger calls a document: names that people chose are spelled as tokens there."""
    return acts.token(document_id) if kind in {"agency", "use"} else document_id


def _check_missing(seen: _Seen, destroyed: set[tuple[str, str]]) -> Iterator[Disagreement]:
    """What can't be opened any more was destroyed by an erasure that says so, lost by a restoration, or dropped."""
    galleries, lost = seen.expected.all.removed_galleries, set[int]()
    last_removal = max((index for several in galleries.values() for index in several), default=-1)
    for entry_id, index, name, gallery in seen.missing:
        if (entry_id, name) in destroyed:
            continue
        removed = max(galleries.get(gallery, [-1])) if gallery is not None else last_removal
        if name in OF_GALLERY and index < removed:
            continue
        if seen.expected.is_lost(index):
            lost.add(index)
            continue
        row = f"entry_id={entry_id} field={name}"
        yield Disagreement("openings", row, "is gone, and no erasure destroyed it", index)
    for each in seen.expected.restored:
        gone = len(lost.intersection(each.lost))
        if gone > each.unknown:
            where = f"log_index={each.lost.start}..{each.lost.stop - 1}"
            text = f"what {gone} entries commit to is gone; the restoration lost {each.unknown}"
            yield Disagreement("openings", where, text, each.at)


def _check_holds(seen: _Seen, holds: set[str]) -> Iterator[Disagreement]:
    for holding in sorted(seen.holds - holds):
        yield Disagreement("documents", f"kind={_HOLD} document_id={holding}", "is gone; the ledger has it")
    for holding in sorted(holds - seen.holds):
        yield Disagreement("documents", f"kind={_HOLD} document_id={holding}", "the ledger has never heard of it")


def _check_keys(reader: Reader, seen: _Seen) -> Iterator[Disagreement]:
    """Every access key is as the ledger says: on, off or gone."""
    known: dict[str, bool] = {key.id: key.active for key in reader.access_keys()}
    for key_id, active in known.items():
        standing, index = seen.keys.get(key_id, (None, -1))
        row = f"access_key_id={key_id}"
        # All keys of an owner go off with a restoration that can't tell which of them was switched off.
        if not active and standing is not None and seen.expected.is_restored_since(index):
            continue
        if standing is None or standing is facts.Standing.REMOVED:
            yield Disagreement("access_keys", row, "the ledger has no such key, or has it as deleted")
        elif active == (standing is facts.Standing.SUSPENDED):
            yield Disagreement("access_keys", row, f"is {'on' if active else 'off'}; by the ledger it isn't")
    for key_id, (standing, _) in seen.keys.items():
        if standing is not facts.Standing.REMOVED and key_id not in known:
            yield Disagreement("access_keys", f"access_key_id={key_id}", "is gone; the ledger has it")


def _check_galleries(reader: Reader, expected: Expected) -> Iterator[Disagreement]:
    """Every gallery's content is at the version, and as large, as its last entry says."""
    rows: dict[str, GalleryRow] = {row.id: row for row in reader.galleries(limit=1_000_000)}
    for name, row in rows.items():
        place, choices = f"gallery_id={name}", expected.gallery(name)
        versions, faces = {each.version for each in choices}, {each.faces for each in choices}
        if not choices:
            yield Disagreement("galleries", place, "the ledger has never heard of it, or has it as deleted")
        elif None not in versions and (row.version not in versions or row.face_count not in faces):
            last = choices[0]
            yield Disagreement(
                "galleries",
                place,
                f"is at version {row.version} with {row.face_count} faces; by the ledger at {last.version} with"
                f" {last.faces}",
            )
    for name in sorted(expected.galleries() - rows.keys()):
        yield Disagreement("galleries", f"gallery_id={name}", "is gone; the ledger has it")


def _check_erasures(reader: Reader, expected: Expected) -> Iterator[Disagreement]:
    """Every gallery that was removed has been erased, or is being."""
    under_way = Counter(
        document.labels.get("gallery") for document in reader.documents(UNDER_WAY_KIND, limit=1_000_000)
    )
    for name, indexes in sorted(expected.all.removed_galleries.items()):
        # What a restoration lost is erased again, with entries of its own.
        removed = [index for index in indexes if not expected.is_lost(index)]
        if len(removed) > expected.all.erased_galleries[name] + under_way[name]:
            text = "was removed, and nothing says that all of it is gone"
            yield Disagreement("galleries", f"gallery_id={name}", text, removed[-1])


def _check_faces(reader: Reader, seen: _Seen) -> Iterator[Disagreement]:
    """Every face has the photograph and the template that its enrolment committed to.

    Whoever was enrolled in one step with somebody who was erased since is counted, because the salt that opened that
    step's commitment is destroyed: as many faces may stand alone as the ledger has beyond those that it still names.
    """
    # WEAKNESS (issue 3): of those few, another photograph or template in the place of the one enrolled isn't seen.
    for gallery in reader.galleries(limit=1_000_000):
        promises = seen.faces.get(gallery.id, {})
        spare = max((each.faces or 0 for each in seen.expected.gallery(gallery.id)), default=0) - len(promises)
        alone: list[Disagreement] = []
        after: FaceId | None = None
        while page := reader.faces(gallery.id, after=after, limit=_PAGE):
            after = page[-1].face_id
            held = _templates(reader, gallery.id, [row.face_id for row in page])
            for row in page:
                place = f"gallery_id={gallery.id} face_id={row.face_id}"
                promised = promises.get(row.face_id)
                if promised is None:
                    alone.append(Disagreement("faces", place, "the ledger has no enrolment of it"))
                elif row.face_id not in held:
                    yield Disagreement("packs", place, "its template is gone")
                elif face_digest(row.face_id, row.image_sha256, held[row.face_id]) != (row.face_id, promised):
                    yield Disagreement("faces", place, "has another photograph or template than was enrolled")
        if len(alone) > spare:
            yield from alone


def _templates(reader: Reader, gallery: GalleryId, faces: Sequence[FaceId]) -> dict[FaceId, Template]:
    """The templates of those faces that have one; damage costs one look for each face."""
    try:
        return dict(zip(*reader.templates_of(gallery, faces), strict=True))
    except CorruptionError:
        if len(faces) == 1:
            return {}
        middle = len(faces) // 2
        return _templates(reader, gallery, faces[:middle]) | _templates(reader, gallery, faces[middle:])


def _check_counts(expected: Expected, counts: Mapping[str, int]) -> Iterator[Disagreement]:
    """As many searches are counted under each use as the ledger has."""
    for use in sorted(expected.all.searches.keys() | counts.keys()):
        counted, made = counts.get(use, 0), expected.searches(use)
        # What a request was searched for with is counted by the agency's desk as well, and that is what entries name.
        if counted not in made and use != acts.UNSTATED_USE and not use.startswith(PHOTOGRAPHS_FOR):
            text = f"{counted} searches are counted; the ledger has {made[-1]}"
            yield Disagreement("documents", f"kind={Kind.COUNT.value} use={use}", text)
