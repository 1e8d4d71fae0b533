"""Possible duplicates: people who seem to be enrolled twice, found as they are enrolled, decided by a person.

Looking for somebody among a gallery's other subjects is a search like any other: under a permit, within its use's
limits, counted and on the ledger before anything is known of it. A use whose candidates wait for reviewers refuses it,
because a subject is a name. What is found waits as a pair until somebody who may read the gallery has looked at both:

- They are one person: `enrolling.subjects` makes them one, and the ledger has what changed hands.
- They are two: "not this person" is marked for the photographs of each, with reasons and on the ledger, so that
  searches with them leave the other out; the pair isn't brought up again.

Nothing is ever decided by itself, however alike they are. A pair holds two keys that mean nothing without the gallery:
no name, no template and no score. Implements docs/administration.md, "Possible duplicates".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from recognizance.errors import ConflictError, NotFoundError
from recognizance.forgetting.marks import Marks
from recognizance.governance.codec import read_document, write_document
from recognizance.governance.purposes import Capture
from recognizance.governance.requests import Grounds, SearchFacts
from recognizance.governing.registration import Actor
from recognizance.identifiers import GalleryId, SubjectId
from recognizance.permits import Action, Permit
from recognizance.recording import Recorder
from recognizance.records import (
    MAX_FACES_OF_SUBJECT,
    Document,
    FaceRow,
    Reader,
    Records,
    SubjectKey,
    SubjectRow,
    Transaction,
)
from recognizance.search import Match, Search

PAIR_KIND = "possible_duplicate"

THRESHOLD_PCT = 99.0
"""Raised further with the gallery's size, as for every search: see `Calibration.operating_score`."""

MOST_FOUND = 5
MOST_WAITING = 1000
"""Pairs of one gallery. Beyond it nobody decides them any more, and what is found is shown and not kept."""

_GALLERY = "gallery"
_PAGE = 500


class PairState(StrEnum):
    WAITING = "waiting"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class _StoredPair:
    gallery: GalleryId
    keys: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two subjects who resemble each other, as they are enrolled now."""

    id: str
    one: SubjectRow
    other: SubjectRow


def asking_for_duplicates(actor: Actor) -> Actor:
    """The same actor, asking for what `Duplicates.look` searches with, and saying why."""
    asked = SearchFacts(None, Capture.STILL, THRESHOLD_PCT, MOST_FOUND)
    grounds = Grounds(justification="the same person under two names")
    return replace(actor, asking=replace(actor.asking, search=asked, grounds=grounds))


class Duplicates:
    """Looks for people who are enrolled twice, and keeps what was found until it's decided. Safe to share."""

    def __init__(self, records: Records, recorder: Recorder, search: Search, marks: Marks) -> None:
        self._records = records
        self._recorder = recorder
        self._search = search
        self._marks = marks

    def look(self, gallery: GalleryId, subject: SubjectId, *, permit: Permit) -> tuple[Match[SubjectRow], ...]:
        """Search for somebody among the gallery's other subjects, and keep whom it finds for a decision.

        Args:
            permit: For a search, as `asking_for_duplicates` asks.

        Returns:
            Whom it found. Those of whom somebody has said that they are two people are left out.

        Raises:
            NotFoundError: If there is no such gallery, or no such subject in it.
            InputError: If the use's candidates wait for reviewers.
            DeniedError: If the use has no search left.
        """
        found = self._search.subjects_by_subject(
            gallery, subject, threshold_pct=THRESHOLD_PCT, limit=MOST_FOUND, permit=permit
        )
        if not found.matches:
            return ()
        with self._records.transaction() as transaction:
            key = transaction.subject(gallery, subject).key
            pairs = {match.enrolled.key: _pair(gallery, key, match.enrolled.key) for match in found.matches}
            known = transaction.documents_by_id(PAIR_KIND, [pair.id for pair in pairs.values()])
            fresh = [pair for pair in pairs.values() if pair.id not in known]
            if _waiting(transaction, gallery) + len(fresh) <= MOST_WAITING:
                for pair in fresh:
                    transaction.insert_document(pair)
        decided = {each.id for each in known.values() if each.state == PairState.DIFFERENT}
        return tuple(match for match in found.matches if pairs[match.enrolled.key].id not in decided)

    def waiting(self, gallery: GalleryId, *, permit: Permit) -> list[Pair]:
        """The pairs of a gallery that nobody has decided and whose subjects are both there still, by their names."""
        permit.require(Action.READ_GALLERY, gallery)
        with self._records.reading() as reader:
            documents = reader.documents(
                PAIR_KIND, state=PairState.WAITING, label=(_GALLERY, gallery), limit=MOST_WAITING
            )
            pairs = list(_standing(reader, gallery, documents))
        return sorted(pairs, key=lambda pair: (pair.one.subject_id, pair.other.subject_id))

    def pair(self, gallery: GalleryId, pair: str, *, permit: Permit) -> Pair:
        """One of `waiting`.

        Raises:
            NotFoundError: If it isn't among them.
        """
        permit.require(Action.READ_GALLERY, gallery)
        with self._records.reading() as reader:
            return _found(reader, gallery, pair)[1]

    def are_different(self, gallery: GalleryId, pair: str, *, reasons: str, permit: Permit) -> None:
        """Say that two subjects are two people: a mark for each photograph of either, and the pair is decided.

        Raises:
            NotFoundError: If there is no such pair that waits.
            InputError: If there are no reasons.
            ConflictError: If no photograph of either is known.
        """
        permit.require(Action.READ_GALLERY, gallery)
        with self._recorder.changing() as change:
            document, standing = _found(change.transaction, gallery, pair)
            one, other = (_faces(change.transaction, gallery, each) for each in (standing.one, standing.other))
            marked = [
                self._marks.add_in(
                    change, gallery, others[0].face_id, reasons=reasons, probe_sha256=photograph, permit=permit
                )
                for faces, others in ((one, other), (other, one))
                for photograph in _photographs(faces)
                if others
            ]
            if not marked:
                raise ConflictError("nothing of either would outlive it, so no mark can")
            change.transaction.replace_document(replace(document, state=PairState.DIFFERENT))


def forget_gone(records: Records) -> int:
    """Forget pairs of whom one is gone: merged, erased, or with their gallery. Answers how many."""
    gone: list[str] = []
    with records.reading() as reader:
        for document in _every(reader):
            stored = read_document(_StoredPair, document.body)
            if len(_rows(reader, stored.gallery, stored.keys)) < len(stored.keys):
                gone.append(document.id)
    if gone:
        with records.transaction() as transaction:
            for pair in transaction.documents_by_id(PAIR_KIND, gone):
                transaction.delete_document(PAIR_KIND, pair)
    return len(gone)


def _pair(gallery: GalleryId, one: SubjectKey, other: SubjectKey) -> Document:
    first, second = sorted((one, other))
    body = write_document(_StoredPair(gallery, (first, second)))
    return Document(PAIR_KIND, f"{first}.{second}", PairState.WAITING, body, {_GALLERY: gallery})


def _waiting(transaction: Transaction, gallery: GalleryId) -> int:
    return transaction.document_counts(PAIR_KIND, _GALLERY, state=PairState.WAITING).get(gallery, 0)


def _found(reader: Reader, gallery: GalleryId, pair: str) -> tuple[Document, Pair]:
    document = reader.documents_by_id(PAIR_KIND, [pair]).get(pair)
    if document is not None and document.state == PairState.WAITING and document.labels[_GALLERY] == gallery:
        for standing in _standing(reader, gallery, [document]):
            return document, standing
    raise NotFoundError("there is no such pair of subjects")


def _standing(reader: Reader, gallery: GalleryId, documents: list[Document]) -> Iterator[Pair]:
    for document in documents:
        keys = read_document(_StoredPair, document.body).keys
        rows = _rows(reader, gallery, keys)
        if len(rows) == len(keys):
            one, other = sorted(rows.values(), key=lambda row: row.subject_id)
            yield Pair(document.id, one, other)


def _rows(reader: Reader, gallery: GalleryId, keys: tuple[str, str]) -> Mapping[SubjectKey, SubjectRow]:
    try:
        return reader.subjects_by_key(gallery, [SubjectKey(key) for key in keys])
    except NotFoundError:
        return {}


def _faces(reader: Reader, gallery: GalleryId, subject: SubjectRow) -> list[FaceRow]:
    return reader.faces(gallery, subject=subject.subject_id, limit=MAX_FACES_OF_SUBJECT)


def _photographs(faces: list[FaceRow]) -> list[str]:
    return sorted({row.image_sha256.hex() for row in faces if row.image_sha256 is not None})


def _every(reader: Reader) -> Iterator[Document]:
    after = ""
    while page := reader.documents(PAIR_KIND, after=after, limit=_PAGE):
        after = page[-1].id
        yield from page
