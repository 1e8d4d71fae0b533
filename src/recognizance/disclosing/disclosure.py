"""Disclosure: everything on record about one case, gathered from the public ledger, opened, proven and handed out.

What belongs to a case is found in the ledger itself and not in what the service remembers of it: every entry that
commits to a case is opened and compared, so that a search which led to nothing, or was refused, can't be left out by
forgetting it. The rules that were in force come with it. The bundle's form is in `bundle.py`.

Handing out is itself an entry, made before the bundle leaves. Implements `docs/review.md`, "Disclosure"; Maryland
2-504.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from recognizance.disclosing.bundle import (
    Contents,
    DisclosedEntry,
    files_of,
    manifest_of,
    write_bundle,
)
from recognizance.errors import ConflictError, DeniedError, NotFoundError, UnavailableError
from recognizance.governance import Act
from recognizance.governance.codec import read_document
from recognizance.governance.parties import Role, UseId
from recognizance.governance.review import OPEN_STATES, ReviewState
from recognizance.ledger import (
    Entry,
    EntryId,
    FolderSource,
    NewerSchemaError,
    Opening,
    Source,
    facts,
    prove,
    read_checkpoint,
)
from recognizance.ledger.sources import read_entries
from recognizance.recording import EntryDraft, Recorder
from recognizance.recording.acts import token
from recognizance.records import Reader, Records
from recognizance.reviewing.askers import Asker, Door, person_of
from recognizance.reviewing.documents import EditFile, PictureFile, ReviewKind, documents_of

PUBLISHED_WITHIN_S = 30.0
_POLL_S = 0.01

_NAMES_A_CASE = (facts.Search, facts.Comparison, facts.Detection, facts.Failure, facts.Refusal, facts.Lead)
_ALWAYS = (facts.PolicyChange, facts.Model, facts.Software, facts.Schema, facts.LedgerKey, facts.Deployment)
_IN_FORCE = (
    facts.UseProposal,
    facts.UseTransition,
    facts.Vote,
    facts.Comment,
    facts.Evaluation,
    facts.ThresholdChange,
    facts.Gallery,
    facts.Agency,
    facts.Training,
    facts.Person,
)
"""Kinds that are disclosed where they are about a use, model, gallery, agency or person of the case."""


@dataclass(slots=True)
class _Gathered:
    """What the entries of a case speak of, and what may have been in force.

    Attributes:
        contents: Where the ledger speaks of each version of each gallery's content.
    """

    own: dict[int, Entry] = field(default_factory=dict[int, Entry])
    openings: list[Opening] = field(default_factory=list[Opening])
    searches: dict[EntryId, facts.Search] = field(default_factory=dict[EntryId, facts.Search])
    reviews: set[str] = field(default_factory=set[str])
    uses: dict[str, None] = field(default_factory=dict[str, None])
    agencies: set[str] = field(default_factory=set[str])
    people: set[str] = field(default_factory=set[str])
    rules: dict[int, Entry] = field(default_factory=dict[int, Entry])
    contents: dict[tuple[str, int], list[int]] = field(default_factory=dict[tuple[str, int], list[int]])


class Disclosing:
    """Makes disclosure bundles. Safe to share between threads."""

    def __init__(self, records: Records, recorder: Recorder, door: Door, *, clock: Callable[[], datetime]) -> None:
        self._records = records
        self._recorder = recorder
        self._door = door
        self._clock = clock

    def disclose(
        self, case: str, asker: Asker, *, recipient_kind: str, recipient: str, statement: str | None = None
    ) -> bytes:
        """Gather everything about a case into one ZIP file. Reads the whole ledger once.

        Args:
            recipient_kind: Public, such as `defence` or `court`.
            recipient: Who that is; only committed to.
            statement: Public.

        Raises:
            NotFoundError: If nothing is on record about this case, or not for this person.
            DeniedError: If this person may not disclose.
            ConflictError: If candidates of the case are under review, and this is no auditor: the bundle has what
                reviewers mustn't know of each other, and names before two of them have agreed.
            CorruptionError: If the ledger's files don't hold.
        """
        # What draws is loaded when something is drawn: it takes seconds, and no other command needs it.
        from recognizance.disclosing.summary import summary_pdf

        source, size = self._published()
        with self._records.reading() as reader:
            gathered = _gather(reader, source, size, case)
            if not gathered.own or not gathered.uses:
                raise NotFoundError(f"nothing is on record about the case {case!r}")
            pictures = _pictures(reader, gathered.reviews, case)
        use = next(iter(gathered.uses))
        self._require(asker, gathered, UseId(use))
        entries = dict(sorted({**gathered.own, **_rules(source, size, gathered)}.items()))
        keys = (self._recorder.verifier,)
        proven = tuple(prove(source, keys, index) for index in entries)
        contents = Contents(
            case=case,
            log_keys=keys,
            entries=tuple(DisclosedEntry(each.entry, each.receipt) for each in proven),
            openings=tuple(gathered.openings),
            pictures=pictures,
            summary_pdf=summary_pdf(case, entries, gathered.own, gathered.openings),
        )
        files = files_of(contents)
        manifest = manifest_of(case, files)

        def make(entry: EntryDraft) -> facts.Facts:
            return facts.Disclosure(
                use=use,
                disclosed_by=entry.pseudonym(asker.person),
                recipient_kind=token(recipient_kind),
                searches=len(gathered.searches),
                entries=len(entries),
                bundle_digest=sha256(manifest).hexdigest(),
                statement=statement,
                case=entry.commit("case", case),
                recipient=entry.commit("recipient", recipient),
            )

        with self._recorder.changing() as change:
            entry_id = change.enter(make)
        [receipt], [pending] = change.receipts, change.entries
        with self._records.reading() as reader:
            about_openings = _openings(reader, entry_id)
        return write_bundle(files, manifest, DisclosedEntry(pending.data, receipt), about_openings)

    def _require(self, asker: Asker, gathered: _Gathered, use: UseId) -> None:
        """A case is its agency's; auditors may see each."""
        # The policy first, whose refusal is on the record and says what is missing.
        self._door.require(asker, Act.DISCLOSE, use)
        with self._records.reading() as reader:
            person = person_of(reader, asker.person)
            reviews = reader.documents_by_id(ReviewKind.REVIEW, sorted(gathered.reviews)).values()
        if Role.AUDITOR in person.roles:
            return
        if not gathered.agencies <= {person.agency}:
            raise DeniedError("the case is another agency's: its own supervisors disclose it, or an auditor")
        if waiting := sorted(each.id for each in reviews if ReviewState(each.state) in OPEN_STATES):
            raise ConflictError(
                f"candidates of the case are under review ({', '.join(waiting)}): end the reviews first;"
                " an auditor can hand it out now"
            )

    def _published(self) -> tuple[Source, int]:
        """The ledger's public files, once they have everything that was promised before."""
        with self._records.reading() as reader:
            promised = reader.marked_size()
        deadline = time.monotonic() + PUBLISHED_WITHIN_S
        while True:
            source = _Snapshot(FolderSource(self._recorder.public))
            size = read_checkpoint(source, (self._recorder.verifier,)).checkpoint.size
            if size >= promised:
                return source, size
            if time.monotonic() > deadline:
                raise UnavailableError("the ledger's files don't have yet what was promised")
            time.sleep(_POLL_S)


class _Snapshot:
    """A source whose files are read once, so that all proofs lead to one checkpoint."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._files: dict[str, bytes | None] = {}

    def read(self, path: str) -> bytes | None:
        if path not in self._files:
            self._files[path] = self._source.read(path)
        return self._files[path]


def _all(source: Source, size: int, within: range | None = None) -> Iterator[tuple[int, Entry]]:
    """The entries that this software can read, of the whole log or `within` a range of it."""
    indexes = range(size) if within is None else within
    for index, data in enumerate(read_entries(source, indexes, size), start=indexes.start):
        try:
            yield index, Entry.parse(data)
        except NewerSchemaError:
            # Newer software wrote it. What it says about cases only that software can tell.
            continue


def _gather(reader: Reader, source: Source, size: int, case: str) -> _Gathered:
    """Find the entries of a case, in one pass: what they lead to comes behind them in the log.

    What was in force comes before them, so everything that may turn out to have been is noted on the way.
    """
    gathered = _Gathered()
    for index, entry in _all(source, size):
        _note_rule(gathered, index, entry)
        openings = _openings_if_of(reader, entry, gathered, case)
        if openings is None:
            continue
        gathered.own[index] = entry
        gathered.openings += openings
        _follow(gathered, entry)
    return gathered


def _openings_if_of(reader: Reader, entry: Entry, gathered: _Gathered, case: str) -> tuple[Opening, ...] | None:
    """What opens an entry, if it belongs to the case."""
    said = entry.facts
    if isinstance(said, facts.ReviewOpened):
        return () if said.search in gathered.searches else None
    if isinstance(said, facts.ReviewAnswer):
        return _openings(reader, entry.id) if said.review in gathered.reviews else None
    if isinstance(said, (*_NAMES_A_CASE, facts.Disclosure)):
        openings = _openings(reader, entry.id)
        return openings if _opened(openings, "case") == case else None
    if isinstance(said, facts.ReviewStep):
        openings = _openings(reader, entry.id)
        return openings if _opened(openings, "review") in gathered.reviews else None
    if isinstance(said, facts.ProbeEdit):
        openings = _openings(reader, entry.id)
        after = _opened(openings, "after")
        return openings if isinstance(after, tuple) and after[-1] == case else None
    return None


def _follow(gathered: _Gathered, entry: Entry) -> None:
    """Note what an entry of the case leads to."""
    said = entry.facts
    if isinstance(said, facts.Search):
        gathered.searches[entry.id] = said
        gathered.people.add(said.searched_by)
    if isinstance(said, facts.ReviewOpened):
        gathered.reviews.add(said.review)
    if isinstance(said, facts.ReviewAnswer):
        gathered.people.add(said.reviewer)
    use, agency = getattr(said, "use", None), getattr(said, "agency", None)
    if isinstance(use, str):
        gathered.uses[use] = None
    if isinstance(agency, str):
        gathered.agencies.add(agency)


def _note_rule(gathered: _Gathered, index: int, entry: Entry) -> None:
    """Keep what says what was in force; of changes of galleries, which are many, where they are."""
    said = entry.facts
    if isinstance(said, facts.GalleryContent):
        gathered.contents.setdefault((said.gallery, said.version), []).append(index)
    elif isinstance(said, (*_IN_FORCE, *_ALWAYS)):
        gathered.rules[index] = entry


def _rules(source: Source, size: int, gathered: _Gathered) -> dict[int, Entry]:
    """The entries that say what was in force: uses and votes, policy, models, evaluations, galleries, training."""
    models = {said.model for said in gathered.searches.values()}
    contents = {(said.gallery, said.gallery_version) for said in gathered.searches.values()}
    galleries = {gallery for gallery, _ in contents}
    proposals: set[EntryId] = set()
    found: dict[int, Entry] = {}
    for index, entry in gathered.rules.items():
        match entry.facts:
            case facts.UseProposal(use=use) if use in gathered.uses:
                proposals.add(entry.id)
            case facts.UseTransition(use=use) if use in gathered.uses:
                pass
            case facts.Vote(about=about) | facts.Comment(about=about) if about in proposals:
                pass
            case facts.Evaluation(model=model) | facts.ThresholdChange(model=model) if model in models:
                pass
            case facts.Gallery(gallery=gallery) if gallery in galleries:
                pass
            case facts.Agency(agency=agency) if agency in gathered.agencies:
                pass
            case facts.Training(person=person) | facts.Person(person=person) if person in gathered.people:
                pass
            case said if isinstance(said, _ALWAYS):
                pass
            case _:
                continue
        found[index] = entry
    for index in (index for each in contents for index in gathered.contents.get(each, ())):
        found |= dict(_all(source, size, range(index, index + 1)))
    return found


def _pictures(reader: Reader, reviews: set[str], case: str) -> tuple[bytes, ...]:
    """What reviewers compared, and every version of a probe that was edited, as far as it is still kept."""
    shown = [
        read_document(PictureFile, document.body).data
        for review in sorted(reviews)
        for document in documents_of(reader, ReviewKind.PICTURE, label=("review", review))
    ]
    versions = [
        read_document(PictureFile, version.body).data
        for document in documents_of(reader, ReviewKind.EDIT)
        if read_document(EditFile, document.body).case == case
        for version in documents_of(reader, ReviewKind.VERSION, label=("edit", document.id))
    ]
    return (*shown, *versions)


def _openings(reader: Reader, entry_id: EntryId) -> tuple[Opening, ...]:
    """What opens an entry's commitments; nothing of what was erased."""
    return tuple(
        Opening.restore(entry_id, row.field, value_data=row.value, salt=row.salt) for row in reader.openings(entry_id)
    )


def _opened(openings: tuple[Opening, ...], field_name: str) -> object:
    return next((opening.value for opening in openings if opening.field == field_name), None)
