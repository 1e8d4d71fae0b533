"""Checks a whole log from its public files: nothing but a signed checkpoint is believed, everything is recomputed.

`trust.py` says which tiles the checkpoint vouches for; here the entries are held against them, each is read, and the
log as a whole is held against what others have seen of it.

What can't be seen in the files alone is a log that was rewritten by whoever holds its key: compare it with a checkpoint
or receipt from earlier, or with the cosignatures of witnesses. A rollback or fork is then found and named.

No database, no clock, no network but through the `Source`.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from recognizance.errors import CorruptionError, InputError
from recognizance.ledger.checkpoints import Checkpoint, OpenedCheckpoint, open_checkpoint
from recognizance.ledger.entries import Entry, NewerSchemaError, entry_id_of
from recognizance.ledger.facts import EntryId
from recognizance.ledger.findings import Finding, Report, Trouble, name_differences
from recognizance.ledger.merkle import Hash, leaf_hash, tree_root
from recognizance.ledger.notes import VerifierKey
from recognizance.ledger.sources import Source, fetch_bundle, fetch_tile
from recognizance.ledger.tiles import (
    CHECKPOINT_PATH,
    TILE_WIDTH,
    WITNESSED_PATH,
    Bundle,
    TileReader,
    bundle_at,
    scan_entries,
)
from recognizance.ledger.trust import Hashes, TrustedTiles

MAX_FINDINGS = 1000
"""A log with more is not worth describing further; the search for them stops there."""


def verify(
    source: Source,
    log_keys: tuple[VerifierKey, ...],
    *,
    witnesses: Sequence[VerifierKey] = (),
    quorum: int = 0,
    earlier: Sequence[bytes] = (),
    entries: range | None = None,
    are_forms_checked: bool = True,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Report:
    """Check a log, or the entries of a range of it, against its signed checkpoint.

    Args:
        log_keys: The log's key, and those that it has rotated away from if `earlier` ones are signed with them.
        quorum: How many of `witnesses` must have cosigned the checkpoint.
        earlier: Signed checkpoints of this log from before, wherever they were kept.
        entries: Consecutive indexes; `None` for all. The tiles between them and the root are checked in any case.
        are_forms_checked: Whether each entry must also be one of our kinds, with an id that no other has. Not so for
            another program's log.
        progress: Told how many of how many entries are done.

    Returns:
        What was found, in full: a damaged log is no exception here. `Report.require_sound` makes it one.

    Raises:
        InputError: If `entries` is beyond the log, or an earlier checkpoint is none of this log.
        UnavailableError: If the source can't be read now.
    """
    data = source.read(CHECKPOINT_PATH)
    if data is None:
        why = "no ledger is here, or its checkpoint was taken away"
        return Report(None, 0, 0, 0, (), (Finding(Trouble.MISSING, CHECKPOINT_PATH, why),))
    try:
        opened = open_checkpoint(data, log_keys, tuple(witnesses))
    except (InputError, CorruptionError) as error:
        return Report(None, 0, 0, 0, (), (Finding(Trouble.CHECKPOINT, CHECKPOINT_PATH, str(error)),))
    check = _Verification(source, opened)
    check.check_witnesses(quorum)
    check.check_entries(range(opened.checkpoint.size) if entries is None else entries, are_forms_checked, progress)
    check.check_earlier(earlier, log_keys)
    check.check_witnessed(log_keys)
    return check.report()


class _Verification:
    """One run over one log."""

    def __init__(self, source: Source, opened: OpenedCheckpoint) -> None:
        self._source = source
        self._opened = opened
        self._size = opened.checkpoint.size
        # In the order in which they were found, each once.
        self._findings: dict[Finding, None] = {}
        self._entries = 0
        self._unknown = 0
        self._ids: dict[EntryId, int] = {}
        self._scan = lru_cache(maxsize=4)(self._read_bundle)
        self._tiles = TrustedTiles(source, opened.checkpoint, self._leaves, self._find)

    def report(self) -> Report:
        return Report(
            checkpoint=self._opened.checkpoint,
            entries=self._entries,
            tiles=self._tiles.checked,
            unknown_entries=self._unknown,
            witnesses=self._opened.witnesses,
            findings=tuple(self._findings),
        )

    def check_witnesses(self, quorum: int) -> None:
        if len(self._opened.witnesses) < quorum:
            text = f"{len(self._opened.witnesses)} known witnesses cosigned it; {quorum} must have"
            self._find(Finding(Trouble.UNWITNESSED, CHECKPOINT_PATH, text))

    def check_entries(self, entries: range, are_forms_checked: bool, progress: Callable[[int, int], None]) -> None:
        """Hold each bundle of the range against the tile beside it."""
        if not 0 <= entries.start <= entries.stop <= self._size or entries.step != 1:
            raise InputError(f"{entries.start} to {entries.stop} isn't a range of a log of {self._size} entries")
        for index in range(entries.start // TILE_WIDTH, -(-entries.stop // TILE_WIDTH)):
            if len(self._findings) >= MAX_FINDINGS:
                return
            bundle = bundle_at(index, self._size)
            if self._is_bundle_true(bundle) and are_forms_checked:
                self._check_forms(bundle)
            progress(min(bundle.start + bundle.width, entries.stop) - entries.start, len(entries))

    def check_earlier(self, earlier: Iterable[bytes], log_keys: tuple[VerifierKey, ...]) -> None:
        """Hold what the log says now against what it signed before."""
        for data in earlier:
            try:
                old = open_checkpoint(data, log_keys).checkpoint
            except InputError as error:
                raise InputError(f"the earlier checkpoint is not one of this log: {error}") from error
            self._check_continues(old, "an earlier checkpoint")

    def check_witnessed(self, log_keys: tuple[VerifierKey, ...]) -> None:
        """Hold the log against the newest checkpoint that it says witnesses have cosigned."""
        if (data := self._source.read(WITNESSED_PATH)) is None:
            return
        try:
            self._check_continues(open_checkpoint(data, log_keys).checkpoint, WITNESSED_PATH)
        except InputError as error:
            self._find(Finding(Trouble.CHECKPOINT, WITNESSED_PATH, str(error)))

    def _check_continues(self, old: Checkpoint, what: str) -> None:
        if old.size > self._size:
            text = f"the log has {self._size} entries; {what} was signed for {old.size}"
            self._find(Finding(Trouble.ROLLED_BACK, CHECKPOINT_PATH, text, self._size))
        # Damaged tiles would look like a fork; they are found already.
        elif not self._findings and old.root != self._root_at(old.size):
            text = f"the first {old.size} entries aren't those that {what} was signed for"
            self._find(Finding(Trouble.FORKED, CHECKPOINT_PATH, text, old.size))

    def _root_at(self, size: int) -> Hash:
        return tree_root(size, TileReader(self._size, lambda tile: fetch_tile(self._source, tile)))

    def _is_bundle_true(self, bundle: Bundle) -> bool:
        """Find what is wrong with a bundle, if anything is."""
        found, expected = self._leaves(bundle.index), self._tiles.hashes(0, bundle.index)
        if found is None:
            self._find(Finding(Trouble.MISSING, bundle.path, f"from entry {bundle.start} on", bundle.start))
            return False
        if expected is None:
            text = f"entries {bundle.start} to {bundle.start + bundle.width - 1} aren't those in the tree"
            self._find(Finding(Trouble.EDITED, bundle.path, text, bundle.start))
            return False
        differences = name_differences(bundle, found, expected)
        for finding in differences:
            self._find(finding)
        scanned = self._scan(bundle.index)
        if not differences and scanned is not None and scanned[1]:
            last = bundle.start + bundle.width - 1
            text = f"{scanned[1]} bytes follow entry {last}, which should be the last"
            self._find(Finding(Trouble.DAMAGED, bundle.path, text, last))
            return False
        self._entries += len(found)
        return not differences

    def _check_forms(self, bundle: Bundle) -> None:
        scanned = self._scan(bundle.index)
        for index, data in enumerate(scanned[0] if scanned else (), start=bundle.start):
            try:
                entry_id = self._read_id(data)
            except InputError as error:
                self._find(Finding(Trouble.MALFORMED, bundle.path, f"entry {index}: {error}", index))
                continue
            first = self._ids.setdefault(entry_id, index)
            if first != index:
                text = f"entry {index} has the id {entry_id} of entry {first}"
                self._find(Finding(Trouble.REPEATED, bundle.path, text, index))

    def _read_id(self, data: bytes) -> EntryId:
        try:
            return Entry.parse(data).id
        except NewerSchemaError:
            self._unknown += 1
            return entry_id_of(data)

    def _leaves(self, index: int) -> Hashes | None:
        scanned = self._scan(index)
        return None if scanned is None else tuple(leaf_hash(entry) for entry in scanned[0])

    def _read_bundle(self, index: int) -> tuple[tuple[bytes, ...], int] | None:
        """Return the entries that a bundle's file has, and how many bytes besides; `None` if there is no such file."""
        bundle = bundle_at(index, self._size)
        try:
            place, data = fetch_bundle(self._source, bundle)
        except (CorruptionError, InputError):
            return None
        entries, rest_bytes = scan_entries(data)
        if place != bundle:
            # Read out of the full bundle, which has later entries too.
            return entries[: bundle.width], 0
        return entries, rest_bytes

    def _find(self, finding: Finding) -> None:
        self._findings[finding] = None
