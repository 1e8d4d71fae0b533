"""The writer: whatever write fails, there is one log, and it has every promised entry."""

import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from recognizance.errors import ConflictError, CorruptionError, InputError, UnavailableError
from recognizance.ledger.checkpoints import Checkpoint, open_checkpoint
from recognizance.ledger.log import Log
from recognizance.ledger.merkle import verify_consistency
from recognizance.ledger.notes import NoteKey
from recognizance.ledger.sources import FolderSource
from recognizance.ledger.stores import FileStore, MemoryStore, Store
from recognizance.ledger.tiles import CHECKPOINT_PATH, Bundle, Tile, bundles_of, tiles_of
from recognizance.ledger.verifier import verify
from tests.ledger.world import KEY, KEYS, Fault, FaultyStore, PowerStore, a_log, batched, plain_entries, some_entries

# One entry, a few, enough to fill a tile and a half, one more, and exactly up to a tile's edge.
BATCHES = [1, 3, 380, 1, 127, 256, 2]


def all_batches() -> list[list[bytes]]:
    entries = iter(some_entries(0, sum(BATCHES)))
    return [[next(entries) for _ in range(count)] for count in BATCHES]


def append_until_fault(store: Store, batches: Sequence[Sequence[bytes]]) -> list[bytes]:
    """Append batches, settling after every second one, and return the entries promised before a write failed."""
    promised: list[bytes] = []
    try:
        log = Log.create(store, KEY)
        for number, batch in enumerate(batches):
            log.append(batch)
            promised += batch
            if number % 2:
                log.settle()
        log.close()
    except UnavailableError:
        store.close()
    return promised


def check_ledger(store: MemoryStore) -> list[bytes]:
    """Open the log as after a crash, go on with it, have it verified, and return its entries."""
    log = Log.open(store, KEY)
    entries = log.entries(0, log.size)
    log.append(some_entries(10_000, 10_002))
    verify(store, KEYS, are_forms_checked=False).require_sound()
    log.close()
    report = verify(store, KEYS)
    report.require_sound()
    assert report.entries == len(entries) + 2
    return entries


def count_writes() -> int:
    store = FaultyStore(MemoryStore(), failing_write=-1, fault=Fault.BEFORE)
    append_until_fault(store, all_batches())
    return len(store.writes)


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("failing_write", range(count_writes()))
def test_a_failed_write_leaves_one_log(failing_write: int, fault: Fault) -> None:
    """Whichever write fails, a reload finds every promised entry, once, in order, and the log goes on."""
    store = MemoryStore()
    faulty = FaultyStore(store, failing_write=failing_write, fault=fault)
    promised = append_until_fault(faulty, all_batches())
    if store.journal is None:
        # The very first write failed: there is no log, so one can be started.
        Log.create(store, KEY).close()

    entries = check_ledger(store)

    everything = some_entries(0, sum(BATCHES))
    assert len(faulty.writes) > failing_write
    assert entries[: len(promised)] == promised
    assert entries == everything[: len(entries)]


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("failing_write", range(12))
def test_a_failed_write_during_recovery_leaves_one_log(failing_write: int, fault: Fault) -> None:
    """A second crash while the first is being repaired loses nothing either."""
    store = MemoryStore()
    log = Log.create(store, KEY)
    log.append(some_entries(0, 300))
    log.append(some_entries(300, 301))
    store.close()

    try:
        Log.open(FaultyStore(store, failing_write=failing_write, fault=fault), KEY).close()
    except UnavailableError:
        assert store.journal is not None

    assert check_ledger(store) == some_entries(0, 301)


@pytest.mark.parametrize("seed", range(60))
def test_power_that_fails_at_any_moment_leaves_one_log(seed: int) -> None:
    """Public files that were not synced may be lost, emptied or old; the journal writes them again."""
    dice = random.Random(seed)
    store = PowerStore()
    failing_write = dice.randrange(3, count_writes())
    promised = append_until_fault(
        FaultyStore(store, failing_write=failing_write, fault=dice.choice(list(Fault))), all_batches()
    )

    store.lose_power(dice)

    assert check_ledger(store)[: len(promised)] == promised


def test_no_two_signed_checkpoints_contradict_each_other() -> None:
    """After each crash and recovery the log continues every checkpoint that it ever published."""
    published: list[Checkpoint] = []
    for failing_write in range(2, count_writes(), 3):
        store = MemoryStore()
        append_until_fault(FaultyStore(store, failing_write=failing_write, fault=Fault.AFTER), all_batches())
        before = open_checkpoint(store.files[CHECKPOINT_PATH], KEYS).checkpoint
        log = Log.open(store, KEY)
        now = Checkpoint.parse(log.note.text)
        verify_consistency(before.size, before.root, now.size, now.root, log.consistency(before.size))
        published.append(now)
        log.close()

    assert [checkpoint.size for checkpoint in published] == sorted(checkpoint.size for checkpoint in published)


def test_the_writer_stops_after_a_failed_write() -> None:
    """What a failed write did is unknown, so nothing is signed on top of it."""
    store = FaultyStore(MemoryStore(), failing_write=2, fault=Fault.AFTER)
    log = Log.create(store, KEY)

    with pytest.raises(UnavailableError, match="write 2 failed"):
        log.append([b"a"])
    with pytest.raises(UnavailableError, match="opened again"):
        log.append([b"b"])
    with pytest.raises(UnavailableError, match="opened again"):
        log.settle()


def test_a_refused_entry_changes_nothing() -> None:
    """Too long, none, or too many at once: the log goes on as it was."""
    store = MemoryStore()
    log = Log.create(store, KEY)

    for batch in ([b"fine", bytes(65_536)], [], [b""] * 4097):
        with pytest.raises(InputError):
            log.append(batch)

    assert log.size == 0
    log.append([b"fine"])
    assert log.entries(0, 1) == [b"fine"]


def test_the_files_are_those_of_the_specification() -> None:
    """A checkpoint, the bundles and the tiles of the size: nothing is missing, and there is nothing else."""
    store = a_log(1000)

    expected = {tile.path for tile in tiles_of(1000)} | {bundle.path for bundle in bundles_of(1000)}
    assert store.files.keys() == expected | {CHECKPOINT_PATH}


def test_every_size_that_was_published_can_still_be_read() -> None:
    """Partial tiles stay until the full one is there: "MUST serve partial tiles corresponding to tree sizes"."""
    store = MemoryStore()
    log = Log.create(store, KEY)
    for number in range(255):
        log.append(some_entries(number, number + 1))
        if number % 50 == 0:
            log.settle()

    assert all(Tile(0, 0, width).path in store.files for width in range(1, 256))
    assert all(Bundle(0, width).path in store.files for width in range(1, 256))
    log.append(some_entries(255, 257))
    log.close()
    assert sorted(store.files) == [
        "checkpoint",
        "tile/0/000",
        "tile/0/001.p/1",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/1",
    ]


def test_receipts_prove_entries_old_and_new() -> None:
    """At the right edge, in full tiles, and in a batch that fills several tiles."""
    store = MemoryStore()
    log = Log.create(store, KEY)
    entries = plain_entries(0, 70_000)
    for batch in batched(entries, 4096):
        log.append(batch)

    for index in (0, 1, 255, 256, 65_535, 65_536, 69_887, 69_888, 69_999):
        receipt = log.receipt(index)
        assert receipt.verify(entries[index], KEYS).checkpoint.size == 70_000
    log.close()


def test_only_one_writer_gets_in(tmp_path: Path) -> None:
    """On disk the kernel's lock holds the second one off, and lets it in when the first is gone."""
    first = Log.create(FileStore(tmp_path), KEY)

    with pytest.raises(ConflictError, match="another writer"):
        Log.open(FileStore(tmp_path), KEY)
    first.close()

    Log.open(FileStore(tmp_path), KEY).close()


def test_a_log_is_not_started_over_another() -> None:
    """Starting again would sign a tree of size 0 over whatever is there."""
    store = a_log(3)

    with pytest.raises(ConflictError, match="a log here already"):
        Log.create(store, KEY)

    assert verify(store, KEYS).entries == 3


def test_a_log_on_disk_is_the_same_as_in_memory(tmp_path: Path) -> None:
    """The same batches give the same public files, byte for byte, and survive being closed and opened."""
    store = MemoryStore()
    in_memory = Log.create(store, KEY)
    for start in (0, 300):
        in_memory.append(some_entries(start, start + 300))
    in_memory.close()
    log = Log.create(FileStore(tmp_path), KEY)
    log.append(some_entries(0, 300))
    log.close()
    log = Log.open(FileStore(tmp_path), KEY)
    log.append(some_entries(300, 600))
    log.close()

    public = tmp_path / "public"
    on_disk = {str(path.relative_to(public)): path.read_bytes() for path in public.rglob("*") if path.is_file()}
    assert on_disk == store.files


def test_the_next_key_goes_on_where_the_former_stopped() -> None:
    """A rotated key signs the same tree again, once the former one is named as trusted."""
    store = a_log(5)
    new = NoteKey(KEY.name, bytes(32))

    with pytest.raises(CorruptionError, match="not one that this log signed"):
        Log.open(store, new)
    log = Log.open(store, new, former_keys=KEYS)
    log.append(some_entries(5, 6))
    log.close()

    assert verify(store, (new.verifier,)).entries == 6


class TestDamageThatNoCrashExplains:
    """The writer refuses to go on, and writes nothing."""

    def refused(self, store: MemoryStore, match: str) -> None:
        files, journal = dict(store.files), store.journal
        with pytest.raises(CorruptionError, match=match):
            Log.open(store, KEY)
        assert (store.files, store.journal) == (files, journal)

    def test_a_missing_journal(self) -> None:
        """What was promised last is unknown."""
        store = a_log(300)
        store.journal = None
        self.refused(store, "no journal")

    def test_a_journal_from_before(self) -> None:
        """The world has seen a larger log."""
        store = a_log(300)
        store.journal = a_log(200).journal
        self.refused(store, "rolled back")

    def test_a_checkpoint_of_another_history(self) -> None:
        """The same size was published with another root."""
        store = a_log(300)
        store.files[CHECKPOINT_PATH] = a_log(300, first=7).files[CHECKPOINT_PATH]
        self.refused(store, "not one that the journal promised")

    def test_a_changed_record_in_the_journal(self) -> None:
        """One that is followed by others was complete once."""
        store = MemoryStore()
        log = Log.create(store, KEY)
        log.append(some_entries(0, 3))
        log.append(some_entries(3, 6))
        store.close()
        journal = bytearray(store.journal or b"")
        journal[journal.index(b"comment 1")] ^= 1
        store.journal = bytes(journal)
        self.refused(store, "changed after it was written")

    def test_a_last_record_that_was_promised_and_is_gone(self) -> None:
        """It looks torn, but its checkpoint was published."""
        store = MemoryStore()
        log = Log.create(store, KEY)
        log.append(some_entries(0, 3))
        log.append(some_entries(3, 6))
        store.close()
        store.journal = (store.journal or b"")[:-1]
        self.refused(store, "rolled back")

    @pytest.mark.parametrize("path", ["tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/001.p/44"])
    def test_a_damaged_right_edge(self, path: str) -> None:
        """Whatever goes on from there would be signed."""
        store = a_log(300)
        damaged = bytearray(store.files[path])
        damaged[-1] ^= 1
        store.files[path] = bytes(damaged)
        self.refused(store, "edge|root")

    @pytest.mark.parametrize("path", ["tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/001.p/44"])
    def test_a_missing_right_edge(self, path: str) -> None:
        """It is named."""
        store = a_log(300)
        del store.files[path]
        self.refused(store, f"{path} is missing")


NEW_KEY = NoteKey(KEY.name, bytes(range(1, 33)))


def count_writes_of_a_change() -> int:
    store = MemoryStore()
    Log.create(store, KEY).close()
    counting = FaultyStore(store, failing_write=-1, fault=Fault.BEFORE)
    Log.open(counting, NEW_KEY, former_keys=KEYS).close()
    return len(counting.writes)


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("failing_write", range(count_writes_of_a_change()))
def test_a_log_that_takes_a_new_key_up_is_whole_whatever_fails(failing_write: int, fault: Fault) -> None:
    """The new key signs what the former one promised; after a failed write it does so at the next start."""
    store = MemoryStore()
    log = Log.create(store, KEY)
    log.append(some_entries(0, 300))
    log.close()
    faulty = FaultyStore(store, failing_write=failing_write, fault=fault)
    with pytest.raises(UnavailableError):
        Log.open(faulty, NEW_KEY, former_keys=KEYS)

    again = Log.open(store, NEW_KEY, former_keys=KEYS)

    assert verify(store, (NEW_KEY.verifier,), are_forms_checked=False).is_sound
    assert verify(store, KEYS, are_forms_checked=False).is_sound
    again.append(some_entries(300, 301))
    again.close()
    assert verify(store, (NEW_KEY.verifier,), are_forms_checked=False).entries == 301
    assert not verify(store, KEYS, are_forms_checked=False).is_sound


def test_public_files_can_be_served_by_another_server_and_nothing_else_can(tmp_path: Path) -> None:
    """Elsewhere, readable whatever the umask is; the journal stays its owner's. A log opened again finds them there."""
    folder, public = tmp_path / "ledger", tmp_path / "srv" / "ledger"
    before = os.umask(0o077)
    try:
        for batch in (some_entries(0, 300), some_entries(300, 301)):
            exists = (folder / "journal").exists()
            store = FileStore(folder, public=public)
            log = Log.open(store, KEY) if exists else Log.create(store, KEY)
            log.append(batch)
            log.close()
    finally:
        os.umask(before)

    modes = {path.stat().st_mode & 0o777 for path in public.rglob("*") if path.is_file()}
    folders = {path.stat().st_mode & 0o777 for path in (public, *public.rglob("*")) if path.is_dir()}
    assert (modes, folders) == ({0o644}, {0o755})
    assert (folder / "journal").stat().st_mode & 0o777 == 0o600
    assert not (folder / "public").exists()
    assert verify(FolderSource(public), KEYS, are_forms_checked=False).entries == 301
