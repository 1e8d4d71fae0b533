"""What a promised entry costs, against appending the same bytes to a bare file and syncing it, in the same run.

Usage: python benchmarks/ledger.py [--folder FOLDER] [--entries N]

Each client appends one entry at a time and waits for its receipt. Short rounds of the ledger and of the bare file
alternate, so that a busy disk slows both; only the ratios are to be compared between machines. All clients share the
bare file, as they share the ledger. Clients that do nothing between two appends wait for the public files of the one
before; with a pause, as between two searches, they don't, so both are measured.
"""

import argparse
import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from recognizance.ledger import Entry, EntryId, FileStore, FolderSource, Log, MemoryOutbox, NoteKey, Sequencer, verify
from recognizance.ledger.facts import Comment

KEY = NoteKey("benchmark.example/ledger", bytes(32))
ROUNDS = 25


def an_entry(size_bytes: int = 600) -> tuple[EntryId, bytes]:
    entry_id = EntryId(str(uuid.uuid4()))
    facts = Comment(about=EntryId(str(uuid.UUID(int=0))), statement="x" * (size_bytes - 200))
    return entry_id, Entry(entry_id, datetime.now(UTC), facts).data


def timed(
    clients: int, pause_s: float, entries: list[tuple[EntryId, bytes]], act: Callable[[EntryId, bytes], None]
) -> list[float]:
    """Return how long each act took, in ms, with so many threads sharing the entries, the pauses not counted."""

    def work(client: int) -> list[float]:
        times_ms: list[float] = []
        for entry_id, data in entries[client::clients]:
            start = time.perf_counter()
            act(entry_id, data)
            times_ms.append((time.perf_counter() - start) * 1e3)
            time.sleep(pause_s)
        return times_ms

    with ThreadPoolExecutor(clients) as threads:
        return [time_ms for times_ms in threads.map(work, range(clients)) for time_ms in times_ms]


def bare_round(folder: Path, clients: int, pause_s: float, entries: list[tuple[EntryId, bytes]]) -> list[float]:
    fd = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def act(_: EntryId, data: bytes) -> None:
        os.write(fd, data)
        os.fdatasync(fd)

    try:
        return timed(clients, pause_s, entries, act)
    finally:
        os.close(fd)


def measure_latency(folder: Path, clients: int, pause_s: float, count: int) -> None:
    outbox = MemoryOutbox()
    ledger_ms: list[float] = []
    bare_ms: list[float] = []
    with Sequencer(Log.create(FileStore(folder / f"log-{clients}-{pause_s}"), KEY), outbox) as sequencer:

        def act(entry_id: EntryId, data: bytes) -> None:
            outbox.commit(entry_id, data)
            sequencer.append(entry_id, data)

        for _ in range(ROUNDS):
            entries = [an_entry() for _ in range(count // ROUNDS)]
            bare_ms += bare_round(folder, clients, pause_s, entries)
            ledger_ms += timed(clients, pause_s, entries, act)
    ledger_p50, bare_p50 = statistics.median(ledger_ms), statistics.median(bare_ms)
    ledger_p99, bare_p99 = (statistics.quantiles(times, n=100)[98] for times in (ledger_ms, bare_ms))
    print(
        f"{clients} client(s), pause {pause_s * 1e3:.0f} ms: append p50 {ledger_p50:.2f} ms, p99 {ledger_p99:.2f} ms; "
        f"bare write+fsync p50 {bare_p50:.2f} ms, p99 {bare_p99:.2f} ms; ratio at p50 {ledger_p50 / bare_p50:.2f}"
    )


def measure_bulk(folder: Path, count: int = 70_000) -> None:
    entries = [an_entry()[1] for _ in range(count)]
    log = Log.create(FileStore(folder / "bulk"), KEY)
    start = time.perf_counter()
    for first in range(0, count, 4096):
        log.append(entries[first : first + 4096])
    log.close()
    written_s = time.perf_counter() - start
    start = time.perf_counter()
    report = verify(FolderSource(folder / "bulk" / "public"), (KEY.verifier,))
    report.require_sound()
    verified_s = time.perf_counter() - start
    start = time.perf_counter()
    Log.open(FileStore(folder / "bulk"), KEY).close()
    opened_s = time.perf_counter() - start
    print(
        f"{count} entries, {sum(map(len, entries)) / 1e6:.0f} MB: written and settled in {written_s:.2f} s, "
        f"verified in {verified_s:.2f} s, opened again in {opened_s * 1e3:.0f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="on the disk that is to be measured")
    parser.add_argument("--entries", type=int, default=1000, help="for each number of clients")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        for pause_s in (0.0, 0.02):
            for clients in (1, 2, 8):
                measure_latency(Path(folder), clients, pause_s, arguments.entries)
        measure_bulk(Path(folder))


if __name__ == "__main__":
    main()
