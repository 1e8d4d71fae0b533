"""The tamper table: whatever is changed in the files of a log is found, and named."""

import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from recognizance.errors import CorruptionError, InputError
from recognizance.ledger.checkpoints import Checkpoint
from recognizance.ledger.entries import Entry
from recognizance.ledger.findings import Report, Trouble, name_differences
from recognizance.ledger.log import Log
from recognizance.ledger.merkle import leaf_hash
from recognizance.ledger.notes import NoteKey
from recognizance.ledger.stores import MemoryStore
from recognizance.ledger.tiles import (
    CHECKPOINT_PATH,
    WITNESSED_PATH,
    Bundle,
    Tile,
    bundle_at,
    bundles_of,
    join_entries,
    join_hashes,
    split_entries,
    split_hashes,
    tiles_of,
)
from recognizance.ledger.verifier import verify
from tests.ledger.world import KEY, KEYS, START, a_log, a_log_of, an_entry, plain_entries, some_entries

SIZE = 66_000
"""Enough for a full tile on level 1: 257 full bundles and one of 208; level 1 has a full tile and one of 1."""


@pytest.fixture(scope="module")
def whole() -> dict[str, bytes]:
    return a_log_of(plain_entries(0, SIZE)).files


def found_in(files: dict[str, bytes]) -> Report:
    store = MemoryStore()
    store.files = files
    # Reading each entry as one of ours is another test's; here it would only take time.
    return verify(store, KEYS, are_forms_checked=False)


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << (bit % 8)
    return bytes(changed)


def test_a_sound_log_has_no_findings(whole: dict[str, bytes]) -> None:
    """And everything was looked at."""
    report = found_in(whole)

    assert report.findings == ()
    assert report.is_sound
    assert (report.entries, report.tiles) == (SIZE, len(list(tiles_of(SIZE))))
    assert report.checkpoint is not None
    assert report.checkpoint.size == SIZE


BUNDLES = [Bundle(7), Bundle(257, 208)]
TILES = [Tile(0, 0), Tile(0, 255), Tile(0, 256), Tile(0, 257, 208), Tile(1, 0), Tile(1, 1, 1), Tile(2, 0, 1)]


@dataclass(frozen=True)
class Tampering:
    """One row of the table: what is done to a file, and what the verifier has to call it."""

    name: str
    change: Callable[[dict[str, bytes], Bundle], None]
    trouble: Trouble
    index: int
    """Where in the bundle, or from where on."""


def edit_entries(change: Callable[[list[bytes]], None]) -> Callable[[dict[str, bytes], Bundle], None]:
    def tamper(files: dict[str, bytes], bundle: Bundle) -> None:
        entries = list(split_entries(bundle, files[bundle.path]))
        change(entries)
        files[bundle.path] = join_entries(entries)

    return tamper


def swap(entries: list[bytes]) -> None:
    entries[3], entries[100] = entries[100], entries[3]


def rotate(entries: list[bytes]) -> None:
    entries[10:20] = [*entries[11:20], entries[10]]


def edit(entries: list[bytes]) -> None:
    entries[42] = entries[42].replace(b"comment", b"Comment")


def replace_with_other(entries: list[bytes]) -> None:
    entries[42] = b"{}"


def drop(entries: list[bytes]) -> None:
    del entries[42]


def drop_and_refill(entries: list[bytes]) -> None:
    del entries[42]
    entries.append(b"{}")


def insert(entries: list[bytes]) -> None:
    entries.insert(42, b"{}")


def repeat(entries: list[bytes]) -> None:
    entries[43] = entries[42]


def cut_last(entries: list[bytes]) -> None:
    del entries[-8:]


def cut_bytes(files: dict[str, bytes], bundle: Bundle) -> None:
    files[bundle.path] = files[bundle.path][:-5]


def add_bytes(files: dict[str, bytes], bundle: Bundle) -> None:
    files[bundle.path] += b"\x00\x01x"


def remove(files: dict[str, bytes], bundle: Bundle) -> None:
    del files[bundle.path]


def empty(files: dict[str, bytes], bundle: Bundle) -> None:
    files[bundle.path] = b""


ENTRY_TABLE = [
    Tampering("edit one entry", edit_entries(edit), Trouble.EDITED, 42),
    Tampering("put another in its place", edit_entries(replace_with_other), Trouble.EDITED, 42),
    Tampering("repeat one over the next", edit_entries(repeat), Trouble.EDITED, 43),
    Tampering("drop one", edit_entries(drop), Trouble.DROPPED, 42),
    Tampering("drop one and fill up", edit_entries(drop_and_refill), Trouble.DROPPED, 42),
    Tampering("put one in", edit_entries(insert), Trouble.INSERTED, 42),
    Tampering("swap two", edit_entries(swap), Trouble.REORDERED, 3),
    Tampering("reorder some", edit_entries(rotate), Trouble.REORDERED, 10),
    Tampering("cut off the last ones", edit_entries(cut_last), Trouble.TRUNCATED, -8),
    Tampering("cut off the last bytes", cut_bytes, Trouble.TRUNCATED, -1),
    Tampering("cut off all", empty, Trouble.TRUNCATED, 0),
    Tampering("add bytes", add_bytes, Trouble.INSERTED, 0),
    Tampering("remove the file", remove, Trouble.MISSING, 0),
]


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda bundle: bundle.path)
@pytest.mark.parametrize("row", ENTRY_TABLE, ids=lambda row: row.name)
def test_tampered_entries_are_named(whole: dict[str, bytes], row: Tampering, bundle: Bundle) -> None:
    """The file, the first entry that is affected, and what was done to it: nothing more and nothing less."""
    files = dict(whole)
    row.change(files, bundle)

    report = found_in(files)

    assert [finding.where for finding in report.findings] == [bundle.path]
    if row.name == "add bytes":
        # What is behind the last entry is no entry of the tree; the last true one is named.
        assert report.findings[0].trouble in {Trouble.INSERTED, Trouble.DAMAGED, Trouble.EDITED}
        return
    assert report.findings[0].trouble is row.trouble
    assert report.findings[0].index == bundle.start + row.index % bundle.width


@pytest.mark.parametrize("tile", TILES, ids=lambda tile: tile.path)
@pytest.mark.parametrize("how", ["flip", "swap", "drop", "truncate", "extend", "remove", "empty"])
def test_tampered_tiles_are_named(whole: dict[str, bytes], tile: Tile, how: str) -> None:
    """The damaged tile is named, and none of those around it, nor any entry, is blamed."""
    files, data = dict(whole), whole[tile.path]
    hashes = list(split_hashes(tile, data))
    middle = len(hashes) // 2
    if how == "swap":
        hashes[0], hashes[middle] = hashes[middle], hashes[0]
    files[tile.path] = {
        "flip": flipped(data, middle * 256 + 5),
        "swap": join_hashes(hashes) if middle else flipped(data, 0),
        "drop": data[32:],
        "truncate": data[:-1],
        "extend": data + bytes(32),
        "remove": b"",
        "empty": b"",
    }[how]
    if how == "remove":
        del files[tile.path]

    report = found_in(files)

    assert [finding.where for finding in report.findings] == [tile.path]
    assert report.findings[0].trouble is (Trouble.MISSING if how == "remove" else Trouble.DAMAGED)


def test_any_single_flipped_bit_is_found_in_its_file(whole: dict[str, bytes]) -> None:
    """A dozen random bits anywhere in the log, each named by the file that it is in."""
    dice = random.Random(20260131)
    files = dict(whole)
    for _ in range(12):
        path = dice.choice([*(bundle.path for bundle in BUNDLES), *(tile.path for tile in TILES)])
        files[path] = flipped(whole[path], dice.randrange(8 * len(whole[path])))

        assert {finding.where for finding in found_in(files).findings} == {path}
        files[path] = whole[path]


@pytest.mark.parametrize("bit", range(0, 1400, 23))
def test_a_flipped_bit_of_the_checkpoint_is_found(bit: int) -> None:
    """In the origin, size, root, key name or signature: no bit of it can change."""
    files = dict(a_log(3).files)
    files[CHECKPOINT_PATH] = flipped(files[CHECKPOINT_PATH], bit % (8 * len(files[CHECKPOINT_PATH])))

    report = found_in(files)

    assert [(finding.trouble, finding.where) for finding in report.findings] == [(Trouble.CHECKPOINT, CHECKPOINT_PATH)]
    assert report.checkpoint is None


def test_a_missing_checkpoint_is_found() -> None:
    """There is nothing to hold the files against."""
    files = dict(a_log(3).files)
    del files[CHECKPOINT_PATH]

    with pytest.raises(CorruptionError, match="missing: checkpoint: no ledger is here"):
        found_in(files).require_sound()


def test_two_swapped_files_are_both_named(whole: dict[str, bytes]) -> None:
    """Bundles with bundles, tiles with tiles."""
    for first, second in [(Bundle(3).path, Bundle(9).path), (Tile(0, 3).path, Tile(0, 9).path)]:
        files = dict(whole)
        files[first], files[second] = files[second], files[first]

        assert [finding.where for finding in found_in(files).findings] == [first, second]


def test_an_entry_edited_together_with_its_tile_is_found(whole: dict[str, bytes]) -> None:
    """The tile above still has the true root, so both files are named."""
    bundle, tile = Bundle(7), Tile(0, 7)
    files = dict(whole)
    edit_entries(edit)(files, bundle)
    files[tile.path] = join_hashes([leaf_hash(entry) for entry in split_entries(bundle, files[bundle.path])])

    report = found_in(files)

    assert [(finding.trouble, finding.where) for finding in report.findings] == [
        (Trouble.DAMAGED, tile.path),
        (Trouble.EDITED, bundle.path),
    ]


def test_a_whole_tree_that_was_rewritten_under_an_old_checkpoint_is_found(whole: dict[str, bytes]) -> None:
    """All files agree with each other, and not with what was signed."""
    files = dict(a_log_of(plain_entries(1, SIZE + 1)).files)
    files[CHECKPOINT_PATH] = whole[CHECKPOINT_PATH]

    report = found_in(files)

    assert [(finding.trouble, finding.where) for finding in report.findings] == [(Trouble.CHECKPOINT, CHECKPOINT_PATH)]


def test_damage_in_several_places_is_all_found(whole: dict[str, bytes]) -> None:
    """One finding doesn't hide another."""
    files = dict(whole)
    edit_entries(edit)(files, Bundle(0))
    edit_entries(drop)(files, Bundle(200))
    del files[Tile(0, 100).path]
    files[Tile(1, 0).path] = flipped(files[Tile(1, 0).path], 9)

    found = {finding.where: finding.trouble for finding in found_in(files).findings}

    assert found == {
        "tile/entries/000": Trouble.EDITED,
        "tile/entries/200": Trouble.DROPPED,
        "tile/0/100": Trouble.MISSING,
        "tile/1/000": Trouble.DAMAGED,
    }


class TestHistory:
    """What only somebody who remembers can see."""

    def earlier(self, size: int, *, first: int = 0) -> bytes:
        return a_log(size, first=first).files[CHECKPOINT_PATH]

    @pytest.mark.parametrize("size", [0, 1, 256, 299, 300])
    def test_a_log_continues_all_that_it_signed(self, size: int) -> None:
        """No finding, for any earlier size."""
        assert verify(a_log(300), KEYS, earlier=[self.earlier(size)]).is_sound

    def test_a_rollback_is_named(self) -> None:
        """The whole log was put back to an older copy, which is sound in itself."""
        report = verify(a_log(299), KEYS, earlier=[self.earlier(300)])

        assert [finding.trouble for finding in report.findings] == [Trouble.ROLLED_BACK]
        assert report.findings[0].index == 299

    @pytest.mark.parametrize("size", [1, 256, 300])
    def test_a_fork_is_named(self, size: int) -> None:
        """The log was written again from the start, by somebody who has its key."""
        report = verify(a_log(300, first=1), KEYS, earlier=[self.earlier(size)])

        assert [finding.trouble for finding in report.findings] == [Trouble.FORKED]
        assert str(size) in report.findings[0].detail

    def test_a_log_that_contradicts_its_own_witnessed_checkpoint_is_found(self) -> None:
        """The newest checkpoint that witnesses cosigned is published beside the newest."""
        rolled_back, forked = a_log(200), a_log(300, first=1)
        for store in (rolled_back, forked):
            store.files[WITNESSED_PATH] = self.earlier(250)

        assert [finding.trouble for finding in verify(rolled_back, KEYS).findings] == [Trouble.ROLLED_BACK]
        assert [finding.trouble for finding in verify(forked, KEYS).findings] == [Trouble.FORKED]

    def test_an_earlier_checkpoint_of_another_log_is_refused(self) -> None:
        """It says nothing about this one."""
        other = NoteKey("another.example/log", bytes(32))
        note = Checkpoint(other.name, 3, bytes(32)).signed(other)

        with pytest.raises(InputError, match="not one of this log"):
            verify(a_log(3), KEYS, earlier=[note.data])

    def test_too_few_witnesses_are_found(self) -> None:
        """A quorum counts known witnesses only."""
        store = a_log(3)
        witness, stranger = NoteKey("witness.example", bytes(32)), NoteKey("stranger.example", bytes([1]) * 32)
        log = Log.open(store, KEY)
        text = log.note.text
        log.publish_witnessed(log.note.signed_by(witness.cosign(text, time_s=1), stranger.cosign(text, time_s=2)))
        log.close()

        sound = verify(store, KEYS, witnesses=[witness.cosigner], quorum=1)
        report = verify(store, KEYS, witnesses=[witness.cosigner], quorum=2)

        assert sound.is_sound
        assert sound.witnesses == (witness.cosigner,)
        assert [finding.trouble for finding in report.findings] == [Trouble.UNWITNESSED]


class TestForms:
    """Entries that are in the tree as they were appended, and shouldn't have been."""

    def written(self, *entries: bytes) -> Report:
        store = MemoryStore()
        log = Log.create(store, KEY)
        log.append(entries)
        log.close()
        return verify(store, KEYS)

    def test_an_entry_that_is_none_of_ours_is_named(self) -> None:
        """By its index."""
        report = self.written(*some_entries(0, 2), b"not JSON", *some_entries(2, 3))

        assert [(finding.trouble, finding.index) for finding in report.findings] == [(Trouble.MALFORMED, 2)]

    def test_an_entry_that_is_there_twice_is_named(self) -> None:
        """Both places are."""
        report = self.written(*some_entries(0, 3), *some_entries(1, 2))

        assert [(finding.trouble, finding.index) for finding in report.findings] == [(Trouble.REPEATED, 3)]
        assert "entry 1" in report.findings[0].detail

    def test_an_entry_of_a_newer_schema_is_counted(self) -> None:
        """Older software can still verify a log that newer software wrote."""
        newer = an_entry(1).data.replace(b'"schema":1', b'"schema":2')

        report = self.written(an_entry(0).data, newer)

        assert report.is_sound
        assert report.unknown_entries == 1


class TestRanges:
    """Part of a log is verified like the whole."""

    def test_only_what_is_in_the_range_is_looked_at(self, whole: dict[str, bytes]) -> None:
        """Damage outside goes unseen, damage inside doesn't."""
        store = MemoryStore()
        store.files = dict(whole)
        edit_entries(edit)(store.files, Bundle(7))

        assert verify(store, KEYS, entries=range(256), are_forms_checked=False).is_sound
        assert not verify(store, KEYS, entries=range(1800, 1900), are_forms_checked=False).is_sound

    @pytest.mark.parametrize("entries", [range(301), range(-1, 3), range(5, 3), range(0, 100, 2)])
    def test_a_range_that_the_log_has_not_is_refused(self, entries: range) -> None:
        """It would be verified in part only."""
        with pytest.raises(InputError, match="isn't a range"):
            verify(a_log(300), KEYS, entries=entries)

    def test_progress_ends_at_the_total(self) -> None:
        """It is told after each bundle."""
        seen: list[tuple[int, int]] = []

        verify(a_log(600), KEYS, progress=lambda done, total: seen.append((done, total)))

        assert seen == [(256, 600), (512, 600), (600, 600)]


def test_an_empty_log_is_sound() -> None:
    """There is a checkpoint and nothing else."""
    report = verify(a_log(0), KEYS)

    assert report.is_sound
    assert (report.entries, report.tiles) == (0, 0)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 512, 513])
def test_every_file_of_a_small_log_is_needed(size: int) -> None:
    """Remove or flip each in turn, and it is that one that is named."""
    files = a_log(size).files
    for path in [*(tile.path for tile in tiles_of(size)), *(bundle.path for bundle in bundles_of(size))]:
        for change in ("remove", "flip"):
            changed = dict(files)
            changed[path] = flipped(files[path], 8 * (len(files[path]) - 1))
            if change == "remove":
                del changed[path]

            assert {finding.where for finding in found_in(changed).findings} == {path}


def test_a_partial_tile_that_was_dropped_is_read_out_of_the_full_one() -> None:
    """A mirror whose checkpoint is older than its tiles is still sound."""
    files = dict(a_log(600).files)
    files[CHECKPOINT_PATH] = a_log(300).files[CHECKPOINT_PATH]
    files["tile/1/000.p/1"] = files["tile/1/000.p/2"][:32]

    report = found_in(files)

    assert report.is_sound
    assert report.entries == 300


def test_differences_name_the_last_entry_as_edited() -> None:
    """At the end of a bundle nothing moved, so it isn't called dropped."""
    hashes = [leaf_hash(bytes([number])) for number in range(4)]
    changed = [*hashes[:3], leaf_hash(b"x")]

    (finding,) = name_differences(bundle_at(0, 4), changed, hashes)

    assert (finding.trouble, finding.index) == (Trouble.EDITED, 3)


def test_the_time_of_an_entry_is_not_its_place() -> None:
    """Clocks go wrong; the order is the log's."""
    late = Entry(an_entry(0).id, START, an_entry(0).facts)
    assert Entry.parse(late.data) == late
