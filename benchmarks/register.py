"""What the public register costs while its log grows: beside 1,000 searches, and beside 100,000, by turns.

    python benchmarks/register.py [--few N] [--many N] [--turns N]

Two logs are written, of searches over a year by several agencies, every tenth with a review, and a register is opened
on each. What a server starts with is read once, which is timed apart. Then the two take turns: a search is added to the
log, and the register asked for as JSON, as the page asks. Printed are medians and the ratio of medians.
"""

import argparse
import statistics
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from rich.progress import Progress

from recognizance.ledger import Commitment, Entry, EntryId, Facts, Log, MemoryStore, NoteKey, facts
from recognizance.ledger.log import MAX_BATCH_ENTRIES
from recognizance.register import LiveRegister

KEY = NoteKey("recognizance.example/benchmark", bytes(range(32)))
HIDDEN = Commitment("c" * 64)
START = datetime(2026, 1, 1, tzinfo=UTC)
AGENCIES = 8
OFFENCES = ("robbery", "fraud", "assault", "theft", "arson")


def someone(number: int) -> str:
    return str(uuid.UUID(int=number))


def search(number: int) -> facts.Search:
    """One search of many: agencies, offences and outcomes alternate."""
    agency = number % AGENCIES
    found = number % 3 == 0
    return facts.Search(
        use=f"use-{agency}",
        agency=f"agency-{agency}",
        searched_by=someone(agency),
        gallery="arrests",
        gallery_version=3,
        model="sface",
        threshold=0.42,
        purpose="investigate_offence",
        search_class=facts.SearchClass.INITIAL_IDENTIFICATION,
        offence=OFFENCES[number % len(OFFENCES)],
        is_late_authorisation=False,
        outcome=facts.SearchOutcome.CANDIDATES if found else facts.SearchOutcome.NO_CANDIDATE,
        candidates=3 if found else 0,
        decision=f"d{number}",
        policies=("permit-use",),
        case=HIDDEN,
        justification=HIDDEN,
        probe=HIDDEN,
        result=HIDDEN,
    )


def year(searches: int) -> Iterator[tuple[datetime, Facts]]:
    """So many searches spread over a year, and the reviews of some."""
    apart = timedelta(days=364) / searches
    for number in range(searches):
        moment = START + number * apart
        yield moment, search(number)
        if number % 30 == 0:
            review = someone(number + 1000)
            yield (
                moment,
                facts.ReviewOpened(
                    review=review,
                    use=f"use-{number % AGENCIES}",
                    search=EntryId(someone(number)),
                    candidates=3,
                    reviewers_needed=2,
                ),
            )


def entries(said: Iterator[tuple[datetime, Facts]]) -> Iterator[bytes]:
    for moment, fact in said:
        yield Entry(EntryId(str(uuid.uuid4())), moment, fact).data


class Growing:
    """A log of so many searches, and its register."""

    def __init__(self, searches: int, progress: Progress) -> None:
        self.searches = searches
        self._store = MemoryStore()
        self._log = Log.create(self._store, KEY)
        task = progress.add_task(f"writing {searches:,} searches", total=searches)
        batch: list[bytes] = []
        for data in entries(year(searches)):
            batch.append(data)
            if len(batch) == MAX_BATCH_ENTRIES:
                self._append(batch)
                progress.advance(task, len(batch))
                batch = []
        self._append(batch)
        progress.remove_task(task)
        self.register = LiveRegister(self._store, (KEY.verifier,))
        task = progress.add_task(f"reading {searches:,} searches", total=None)
        began = time.perf_counter()
        self.register.file("register.json")
        self.first_s = time.perf_counter() - began
        progress.remove_task(task)

    def add(self) -> None:
        self._append(list(entries(iter([(START + timedelta(days=364), search(self.searches))]))))
        self.searches += 1

    def ask_s(self) -> float:
        began = time.perf_counter()
        self.register.file("register.json")
        return time.perf_counter() - began

    def _append(self, batch: list[bytes]) -> None:
        if batch:
            self._log.commit(batch)
            self._log.publish()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--few", type=int, default=1_000)
    parser.add_argument("--many", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=30)
    given = parser.parse_args()
    with Progress() as progress:
        logs = [Growing(count, progress) for count in (given.few, given.many)]
        task = progress.add_task("asking by turns", total=given.turns)
        again: tuple[list[float], list[float]] = ([], [])
        unchanged: tuple[list[float], list[float]] = ([], [])
        for _ in range(given.turns):
            for place, log in enumerate(logs):
                log.add()
                again[place].append(log.ask_s())
                unchanged[place].append(log.ask_s())
            progress.advance(task)
    for log in logs:
        print(f"first answer after {log.searches:,} searches: {log.first_s:.2f} s")
    for what, (few, many) in {"one search more": again, "nothing new": unchanged}.items():
        few_ms, many_ms = 1000 * statistics.median(few), 1000 * statistics.median(many)
        print(f"{what}: {few_ms:.1f} ms beside {given.few:,}, {many_ms:.1f} ms beside {given.many:,}:", end=" ")
        print(f"ratio {many_ms / few_ms:.2f}")


if __name__ == "__main__":
    main()
