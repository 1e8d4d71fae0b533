"""Somebody's own searches, from the ledger, with their receipts: made on the pages or by any program of theirs.

The ledger is where every search is, so nothing is kept besides. Which entries are whose is noted in memory on one pass
over the public files, which goes on from where it ended; what an entry commits to is opened from the records, and only
for whoever searched. Candidates of a search that reviewers decide about are never opened here.
"""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from recognizance.errors import NotFoundError, UnavailableError
from recognizance.governance.parties import PersonId
from recognizance.governance.review import Progress, progress
from recognizance.ledger import (
    Entry,
    EntryId,
    FolderSource,
    Opening,
    PrivateValue,
    ProvenEntry,
    facts,
    prove,
    read_checkpoint,
    read_entries,
)
from recognizance.recording import Recorder
from recognizance.records import Reader, Records
from recognizance.reviewing.documents import ReviewKind, documents_of, read_review

PUBLISHED_WITHIN_S = 10.0
_POLL_S = 0.01

# Entries are canonical JSON, in which a quote inside a text is escaped: this can't stand anywhere but in that field.
_SEARCHED_BY = re.compile(rb'"searched_by":"([0-9a-f-]{36})"')


@dataclass(frozen=True, slots=True)
class OwnSearch:
    """One search, as whoever made it may see it.

    Attributes:
        index: Of its entry in the ledger.
        case, justification: As stated; `None` where nothing was, or it has been erased.
        review: How the review of its candidates stands; `None` if none was opened.
    """

    index: int
    id: EntryId
    at: datetime
    said: facts.Search
    case: str | None
    justification: str | None
    review: Progress | None


class OwnSearches:
    """Finds searches by who made them. Safe to share between threads."""

    def __init__(self, records: Records, recorder: Recorder, *, wait: Callable[[float], None] = time.sleep) -> None:
        self._records = records
        self._recorder = recorder
        self._wait = wait
        self._lock = threading.Lock()
        self._size = 0
        self._places: dict[str, list[int]] = {}

    def count(self, person: PersonId) -> int:
        """How many searches somebody has made."""
        return len(self._of(person))

    def latest(self, person: PersonId, *, skip: int, limit: int) -> list[OwnSearch]:
        """Somebody's searches, the latest first."""
        wanted = self._of(person)[::-1][skip : skip + limit]
        return [self.one(person, index) for index in wanted]

    def one(self, person: PersonId, index: int) -> OwnSearch:
        """One search.

        Raises:
            NotFoundError: If there is none, or it is somebody else's.
        """
        entry = Entry.parse(self.proof(person, index).entry)
        if not isinstance(entry.facts, facts.Search):
            raise NotFoundError(f"entry {index} is no search")
        with self._records.reading() as reader:
            opened = _openings(reader, entry.id)
            reviews = documents_of(reader, ReviewKind.REVIEW, label=("search", entry.id))
            stands = next((progress(read_review(document).review) for document in reviews), None)
        return OwnSearch(
            index,
            entry.id,
            entry.time,
            entry.facts,
            _text(opened.get("case")),
            _text(opened.get("justification")),
            stands,
        )

    def proof(self, person: PersonId, index: int) -> ProvenEntry:
        """The entry of a search with its receipt, held against the newest checkpoint.

        Raises:
            NotFoundError: If there is none, or it is somebody else's.
        """
        if index not in self._of(person):
            raise NotFoundError("there is no such search of yours")
        return prove(FolderSource(self._recorder.public), (self._recorder.verifier,), index)

    def candidates(self, search: OwnSearch) -> list[tuple[str, float]]:
        """The candidates of a search that nobody reviews: key and score, best first; none once they were erased.

        Raises:
            ValueError: If reviewers decide about them.
        """
        if search.review is not None:
            raise ValueError("nobody but reviewers learns of these candidates")
        with self._records.reading() as reader:
            result = _openings(reader, search.id).get("result")
        pairs = result if isinstance(result, tuple) else ()
        return [(str(pair[0]), float(str(pair[1]))) for pair in pairs if isinstance(pair, tuple)]

    def _of(self, person: PersonId) -> list[int]:
        source = FolderSource(self._recorder.public)
        size = self._published(source)
        pseudonym = self._recorder.pseudonym(person)
        with self._lock:
            if size > self._size:
                for index, data in enumerate(read_entries(source, range(self._size, size), size), start=self._size):
                    if found := _SEARCHED_BY.search(data):
                        self._places.setdefault(found[1].decode(), []).append(index)
                self._size = size
            return list(self._places.get(pseudonym, ()))

    def _published(self, source: FolderSource) -> int:
        """The size of the public files, once they have everything that was promised before."""
        with self._records.reading() as reader:
            promised = reader.marked_size()
        for _ in range(int(PUBLISHED_WITHIN_S / _POLL_S)):
            size = read_checkpoint(source, (self._recorder.verifier,)).checkpoint.size
            if size >= promised:
                return size
            self._wait(_POLL_S)
        raise UnavailableError("the ledger's files don't have yet what was promised")


def _openings(reader: Reader, entry: EntryId) -> dict[str, PrivateValue]:
    rows = reader.openings(entry)
    return {row.field: Opening.restore(entry, row.field, value_data=row.value, salt=row.salt).value for row in rows}


def _text(value: PrivateValue) -> str | None:
    return value if isinstance(value, str) else None
