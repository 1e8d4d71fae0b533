"""Watching for unusual use: what the ledger and the records say of late, brought before `governance.unusual`.

The ledger has who searched when, under which use, and what was refused; the picture, the case and who came first are
commitments that only the records can open. They are turned into keys here, of this one reading and worth nothing
afterwards, and go no further. Whoever asks needs the right to read the record.

Never changes anything. Implements `docs/oversight.md`, "Unusual use".
"""

import hmac
import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recognizance.galleries import Clock
from recognizance.governance import Act
from recognizance.governance.unusual import Flag, Moment, RefusedAct, SearchAct, Thresholds, flags
from recognizance.governing.registration import Actor, Gate
from recognizance.ledger import Entry, FolderSource, NewerSchemaError, facts, read_checkpoint, read_entries
from recognizance.recording import Recorder
from recognizance.records import Reader, Records

CHUNK_ENTRIES = 4096
MOST_ENTRIES = 65_536
"""How far back in the log is read at the most: a few seconds. `Watched.is_whole` says whether that was enough."""

_WATCHED_ACTS = frozenset({"search", "compare", "enrol", "assume_use"})


@dataclass(frozen=True, slots=True)
class Watched:
    """What was found, and in how much.

    Attributes:
        since: The oldest act that was looked at could be this old.
        is_whole: Whether all of the window was read.
    """

    flags: tuple[Flag, ...]
    since: datetime
    searches: int
    refusals: int
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Alarm:
    """That there is something to look at, and nothing of what it is.

    Attributes:
        last: The latest act of all that are flagged.
    """

    flags: int
    last: datetime


class Watching:
    """Looks for unusual use. Safe to share between threads."""

    def __init__(
        self,
        records: Records,
        recorder: Recorder,
        gate: Gate,
        *,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        thresholds: Thresholds = Thresholds(),  # noqa: B008 - a value that never changes
    ) -> None:
        self._records = records
        self._recorder = recorder
        self._gate = gate
        self._clock = clock
        self._random_bytes = random_bytes
        self.thresholds = thresholds

    def look(self, *, by: Actor) -> Watched:
        """Everything unusual in the window that ends now.

        Raises:
            DeniedError: If whoever asks may not read the record.
        """
        self._gate.require(by, Act.READ_RECORD)
        return self._looked()

    def alarm(self) -> Alarm | None:
        """Whether anything is unusual, for the service's own alerts: nobody learns from it whose doing it was."""
        found = self._looked().flags
        return Alarm(len(found), max(flag.last for flag in found)) if found else None

    def _looked(self) -> Watched:
        now = self._clock()
        since = now - self.thresholds.window
        entries, is_whole = self._entries_since(since)
        searches: list[SearchAct] = []
        refusals: list[RefusedAct] = []
        key = self._random_bytes(32)
        with self._records.reading() as reader:
            for entry in entries:
                if isinstance(entry.facts, facts.Search):
                    searches.append(_search(reader, entry, entry.facts, key))
                elif isinstance(entry.facts, facts.Comparison):
                    searches.append(_comparison(reader, entry, entry.facts, key))
                elif isinstance(entry.facts, facts.Refusal) and entry.facts.action in _WATCHED_ACTS:
                    said = entry.facts
                    refusals.append(RefusedAct(entry.id, entry.time, said.refused or "", said.use, said.agency))
        moments = (Moment(entry.id, entry.time) for entry in entries)
        found = flags(searches, refusals, self.thresholds, now, moments)
        return Watched(found, since, len(searches), len(refusals), is_whole)

    def _entries_since(self, since: datetime) -> tuple[list[Entry], bool]:
        """Entries from `since` on in the log's order, and whether there are no others: it is read from its end."""
        source = FolderSource(self._recorder.public)
        size = read_checkpoint(source, (self._recorder.verifier,)).checkpoint.size
        found: deque[Entry] = deque()
        stop = size
        while stop > 0 and size - stop < MOST_ENTRIES:
            start = max(0, (stop - 1) // CHUNK_ENTRIES * CHUNK_ENTRIES)
            chunk = [entry for entry in _parsed(read_entries(source, range(start, stop), size)) if entry.time >= since]
            found.extendleft(reversed(chunk))
            stop = start
            # Entries are in the order of their times, but for seconds; a whole chunk before the window ends it.
            if not chunk:
                return list(found), True
        return list(found), stop == 0


def _parsed(entries: Iterator[bytes]) -> Iterator[Entry]:
    for data in entries:
        try:
            yield Entry.parse(data)
        except NewerSchemaError:
            continue


def _search(reader: Reader, entry: Entry, said: facts.Search, key: bytes) -> SearchAct:
    opened = _opened(reader, entry)
    probe, result = opened.get("probe"), opened.get("result")
    about = [["probe", *probe[:2]]] if probe else []
    if result:
        about.append(["first", said.gallery, result[0][0]])
    return _act(entry, said, said.searched_by, opened.get("case"), about, key)


def _comparison(reader: Reader, entry: Entry, said: facts.Comparison, key: bytes) -> SearchAct:
    """Looking for somebody in pictures that were brought along; one that was searched with as well is the same."""
    opened = _opened(reader, entry)
    probe = opened.get("probe")
    about = [["probe", "photograph", probe[0]]] if probe else []
    return _act(entry, said, said.compared_by, opened.get("case"), about, key)


def _opened(reader: Reader, entry: Entry) -> dict[str, Any]:
    return {opening.field: json.loads(opening.value) for opening in reader.openings(entry.id)}


def _act(
    entry: Entry, said: facts.Search | facts.Comparison, by: str, case: str | None, about: list[list[str]], key: bytes
) -> SearchAct:
    return SearchAct(
        entry=entry.id,
        at=entry.time,
        by=by,
        use=said.use,
        agency=said.agency,
        case=None if case is None else _blind(key, case),
        about=frozenset(_blind(key, json.dumps(each)) for each in about),
    )


def _blind(key: bytes, value: str) -> str:
    return hmac.digest(key, value.encode(), "sha256").hex()
