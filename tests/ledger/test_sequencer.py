"""Many threads, one log: every committed entry is in it once, whatever crashes."""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from recognizance.errors import CorruptionError, Error, InputError, UnavailableError
from recognizance.ledger.entries import Entry
from recognizance.ledger.facts import EntryId
from recognizance.ledger.log import Log
from recognizance.ledger.notes import SignedNote
from recognizance.ledger.outbox import MemoryOutbox, PendingEntry
from recognizance.ledger.sequencer import Sequencer
from recognizance.ledger.stores import FileStore, MemoryStore
from recognizance.ledger.verifier import verify
from tests.ledger.world import KEY, KEYS, Fault, FaultyStore, an_entry


def commit(outbox: MemoryOutbox, number: int) -> tuple[EntryId, bytes]:
    entry = an_entry(number)
    outbox.commit(entry.id, entry.data)
    return entry.id, entry.data


def entries_of(store: MemoryStore) -> list[bytes]:
    """Return all entries of a closed log, after it has been verified."""
    verify(store, KEYS).require_sound()
    log = Log.open(store, KEY)
    entries = log.entries(0, log.size)
    log.close()
    return entries


class SlowStore(MemoryStore):
    """A store whose journal takes its time, so that appends meet."""

    def __init__(self) -> None:
        super().__init__()
        self.journal_writes = 0
        self.gate = threading.Event()

    def append_journal(self, data: bytes) -> None:
        assert self.gate.wait(10)
        self.journal_writes += 1
        super().append_journal(data)


@pytest.mark.parametrize("clients", [1, 2, 8])
def test_every_thread_gets_a_receipt_for_its_own_entries(tmp_path: Path, clients: int) -> None:
    """Real files, real threads: each entry is in the log once, where its receipt says."""
    outbox = MemoryOutbox()

    def work(client: int) -> list[tuple[int, bytes]]:
        receipts: list[tuple[int, bytes]] = []
        for number in range(client * 40, client * 40 + 40):
            entry_id, data = commit(outbox, number)
            receipt = sequencer.append(entry_id, data)
            receipt.verify(data, KEYS)
            receipts.append((receipt.index, data))
        return receipts

    with Sequencer(Log.create(FileStore(tmp_path), KEY), outbox) as sequencer, ThreadPoolExecutor(clients) as threads:
        found = [pair for pairs in threads.map(work, range(clients)) for pair in pairs]

    log = Log.open(FileStore(tmp_path), KEY)
    assert [data for _, data in sorted(found)] == log.entries(0, log.size)
    assert [index for index, _ in sorted(found)] == list(range(40 * clients))
    log.close()


def test_what_arrives_during_a_write_shares_the_next_one() -> None:
    """Eight clients wait for two writes: the first one's, and one for the seven behind it."""
    store, outbox = SlowStore(), MemoryOutbox()
    sequencer = Sequencer(Log.create(store, KEY), outbox)
    with ThreadPoolExecutor(8) as threads:
        waiting = [threads.submit(sequencer.append, *commit(outbox, 0))]
        while sequencer._queue:  # until the writer has taken the first one
            pass
        waiting += [threads.submit(sequencer.append, *commit(outbox, number)) for number in range(1, 8)]
        while len(sequencer._queue) < 7:
            pass
        store.gate.set()
        sizes = [future.result().size for future in waiting]
    sequencer.close()

    assert store.journal_writes == 2
    assert sizes == [1] + [8] * 7


def test_an_entry_appended_twice_is_in_the_log_once() -> None:
    """In one thread after the other, in two at once, and again after a restart."""
    store, outbox = MemoryStore(), MemoryOutbox()
    entry_id, data = commit(outbox, 0)
    with Sequencer(Log.create(store, KEY), outbox) as sequencer, ThreadPoolExecutor(2) as threads:
        both = list(threads.map(lambda _: sequencer.append(entry_id, data), range(2)))
        again = sequencer.append(entry_id, data)
    with Sequencer(Log.open(store, KEY), outbox) as sequencer:
        later = sequencer.append(entry_id, data)

    assert {receipt.index for receipt in (*both, again, later)} == {0}
    assert entries_of(store) == [data]


def test_rows_that_nobody_waits_for_are_appended_at_the_start() -> None:
    """Their threads died with the process, after their transactions."""
    store, outbox = MemoryStore(), MemoryOutbox()
    committed = [commit(outbox, number)[1] for number in range(5000)]

    Sequencer(Log.create(store, KEY), outbox).close()

    assert entries_of(store) == committed
    assert outbox.marked_size() == 5000


def test_rows_that_nobody_waits_for_are_appended_on_request() -> None:
    """Between two batches, and those that somebody does wait for still only once."""
    store, outbox = MemoryStore(), MemoryOutbox()
    with Sequencer(Log.create(store, KEY), outbox) as sequencer:
        left = commit(outbox, 0)
        sequencer.redrive()
        waited = commit(outbox, 1)
        sequencer.append(*waited)

    assert sorted(entries_of(store)) == sorted([left[1], waited[1]])


class CountingOutbox(MemoryOutbox):
    """An outbox that counts for how many rows it was asked whether they are marked."""

    asked = 0

    def indexes(self, ids: Collection[EntryId]) -> Mapping[EntryId, int]:
        self.asked += len(ids)
        return super().indexes(ids)


def committed_row(outbox: MemoryOutbox, number: int) -> PendingEntry:
    commit(outbox, number)
    return outbox.pending(10_000)[-1]


def test_a_row_that_nobody_can_have_appended_is_not_asked_about() -> None:
    """Rows above all that this sequencer has seen are new; the others may be in the log, and are in it once."""
    store, outbox = MemoryStore(), CountingOutbox()
    with Sequencer(Log.create(store, KEY), outbox) as sequencer:
        rows = [committed_row(outbox, number) for number in range(3)]
        first, last = sequencer.append_all([rows[0]]), sequencer.append_all([rows[2]])
        asked_of_new = outbox.asked
        between, again = sequencer.append_all([rows[1]]), sequencer.append_all([rows[2]])

    assert [receipt.index for receipt in (*first, *last, *between, *again)] == [0, 1, 2, 1]
    assert (asked_of_new, outbox.asked) == (0, 2)
    assert entries_of(store) == [rows[0].data, rows[2].data, rows[1].data]


@pytest.mark.parametrize("by", ["redrive", "the sequencer before", "another start"])
def test_a_row_that_somebody_else_appended_is_in_the_log_once(by: str) -> None:
    """Although its own thread comes later, and knows where it stands."""
    store, outbox = MemoryStore(), MemoryOutbox()
    if by == "redrive":
        sequencer = Sequencer(Log.create(store, KEY), outbox)
        row = committed_row(outbox, 0)
        sequencer.redrive()
    elif by == "the sequencer before":
        with Sequencer(Log.create(store, KEY), outbox) as before:
            row = committed_row(outbox, 0)
            before.append_all([row])
        sequencer = Sequencer(Log.open(store, KEY), outbox)
    else:
        row = committed_row(outbox, 0)
        sequencer = Sequencer(Log.create(store, KEY), outbox)
    with sequencer:
        [receipt] = sequencer.append_all([row])

    assert receipt.index == 0
    assert entries_of(store) == [row.data]


class CrashingOutbox(MemoryOutbox):
    """An outbox whose marks fail, before or after they took effect, from one of them on."""

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self.fault = fault
        self.marks_left = 1_000

    def mark(self, first_index: int, ids: Sequence[EntryId]) -> None:
        self.marks_left -= 1
        if self.marks_left < 0 and self.fault is not Fault.AFTER:
            raise UnavailableError("the database is gone")
        super().mark(first_index, ids)
        if self.marks_left < 0:
            raise UnavailableError("the database is gone")


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
@pytest.mark.parametrize("marks", range(4))
def test_a_crash_between_log_and_marks_is_made_good(fault: Fault, marks: int) -> None:
    """The log is ahead of the marks; the next sequencer reads its tail and marks the rows."""
    store, outbox = MemoryStore(), CrashingOutbox(fault)
    sequencer = Sequencer(Log.create(store, KEY), outbox)
    outbox.marks_left = marks
    committed: list[bytes] = []
    for number in range(5):
        entry_id, data = commit(outbox, number)
        committed.append(data)
        try:
            sequencer.append(entry_id, data)
        except UnavailableError:
            continue
    sequencer.close()
    outbox.marks_left = 1_000

    Sequencer(Log.open(store, KEY), outbox).close()

    assert entries_of(store) == committed
    assert outbox.marked_size() == 5
    assert outbox.pending(10) == []


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("failing_write", range(2, 24))
def test_a_failed_write_loses_and_doubles_nothing(failing_write: int, fault: Fault) -> None:
    """Whoever got a receipt is in the log at that index; whoever didn't is in it once, after the restart."""
    store, outbox = MemoryStore(), MemoryOutbox()
    sequencer = Sequencer(Log.create(FaultyStore(store, failing_write=failing_write, fault=fault), KEY), outbox)
    receipts: dict[bytes, int] = {}
    committed = [commit(outbox, number) for number in range(6)]
    for entry_id, data in committed:
        try:
            receipts[data] = sequencer.append(entry_id, data).index
        except UnavailableError:
            continue
    sequencer.close()

    Sequencer(Log.open(store, KEY), outbox).close()

    entries = entries_of(store)
    assert sorted(entries) == sorted(data for _, data in committed)
    assert all(entries[index] == data for data, index in receipts.items())


def test_waiting_threads_are_told_when_the_writer_stops() -> None:
    """None of them hangs, and those that come later are told at once."""
    outbox = MemoryOutbox()
    store = FaultyStore(MemoryStore(), failing_write=2, fault=Fault.BEFORE)
    sequencer = Sequencer(Log.create(store, KEY), outbox)

    with pytest.raises(UnavailableError, match="stopped before") as caught:
        sequencer.append(*commit(outbox, 0))
    with pytest.raises(UnavailableError, match="has stopped"):
        sequencer.append(*commit(outbox, 1))

    assert isinstance(caught.value.__cause__, UnavailableError)
    sequencer.close()


def test_time_that_is_up_is_no_loss() -> None:
    """The entry gets in all the same."""
    store, outbox = SlowStore(), MemoryOutbox()
    sequencer = Sequencer(Log.create(store, KEY), outbox)
    entry_id, data = commit(outbox, 0)

    with pytest.raises(UnavailableError, match=r"within 0\.01 s"):
        sequencer.append(entry_id, data, timeout_s=0.01)
    store.gate.set()
    sequencer.close()

    assert entries_of(store) == [data]


def test_an_entry_too_long_is_refused_at_the_door() -> None:
    """The others go on."""
    store, outbox = MemoryStore(), MemoryOutbox()
    with Sequencer(Log.create(store, KEY), outbox) as sequencer:
        with pytest.raises(InputError, match="65536 bytes"):
            sequencer.append(an_entry(0).id, bytes(65_536))
        assert sequencer.append(*commit(outbox, 1)).index == 0


def refuse(make: Callable[[], Sequencer], match: str) -> Error:
    with pytest.raises(CorruptionError, match=match) as caught:
        make()
    return caught.value


def test_an_older_copy_of_log_or_records_is_noticed() -> None:
    """Each knows more than the other has, and neither is written to."""
    store, outbox = MemoryStore(), MemoryOutbox()
    with Sequencer(Log.create(store, KEY), outbox) as sequencer:
        for number in range(3):
            sequencer.append(*commit(outbox, number))
    shorter = MemoryStore()
    Log.create(shorter, KEY).close()
    stranger = MemoryOutbox()
    commit(stranger, 0)

    refuse(lambda: Sequencer(Log.open(shorter, KEY), outbox), "the log was rolled back")
    refuse(lambda: Sequencer(Log.open(store, KEY), stranger), "entry 1 of the log")

    assert len(entries_of(store)) == 3
    assert stranger.marked_size() == 0


def test_listeners_hear_of_every_checkpoint() -> None:
    """In order, and after it is published."""
    heard: list[SignedNote] = []
    store, outbox = MemoryStore(), MemoryOutbox()
    with Sequencer(Log.create(store, KEY), outbox) as sequencer:
        sequencer.listen(heard.append)
        receipts = [sequencer.append(*commit(outbox, number)) for number in range(3)]

    assert [note.data for note in heard] == [receipt.note.data for receipt in receipts]


def test_the_id_of_an_entry_is_read_from_any_kind() -> None:
    """The tail of the log is matched with the outbox by it."""
    assert Entry.parse(an_entry(5).data).id == an_entry(5).id
