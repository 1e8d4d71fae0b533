"""Takes a log out of where it is: as static files, as one ZIP file, or as the proof of one entry.

What comes out is checked offline with nothing but the log's public key, by `verify` or by other people's tools. A range
comes with every tile on its way to the root, so that it is checked in the same way.
"""

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from recognizance.errors import ConflictError, CorruptionError, InputError
from recognizance.ledger.checkpoints import Checkpoint, OpenedCheckpoint, open_checkpoint
from recognizance.ledger.merkle import Hash, consistency_proof, inclusion_proof, verify_consistency
from recognizance.ledger.notes import SignedNote, VerifierKey
from recognizance.ledger.receipts import Receipt
from recognizance.ledger.sources import Source, fetch_entries, fetch_tile
from recognizance.ledger.tiles import (
    CHECKPOINT_PATH,
    TILE_WIDTH,
    WITNESSED_PATH,
    Bundle,
    Tile,
    TileReader,
    bundle_at,
    bundles_of,
    join_entries,
    tiles_of,
)

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
"""The same log gives the same ZIP file, byte for byte."""


@dataclass(frozen=True, slots=True)
class ProvenEntry:
    """An entry and the receipt that proves it."""

    entry: bytes
    receipt: Receipt


def prove(source: Source, log_keys: tuple[VerifierKey, ...], index: int) -> ProvenEntry:
    """Read one entry with its proof, and check them against the signed checkpoint.

    Raises:
        InputError: If the log has no such entry, or what was read doesn't prove it.
        CorruptionError: If a file on the way is missing.
    """
    opened = read_checkpoint(source, log_keys)
    size = opened.checkpoint.size
    if not 0 <= index < size:
        raise InputError(f"the log has {size} entries, from 0 on; there is no entry {index}")
    entry = fetch_entries(source, bundle_at(index // TILE_WIDTH, size))[index % TILE_WIDTH]
    receipt = Receipt(index, inclusion_proof(index, size, tile_reader(source, size)), opened.opened.note)
    receipt.verify(entry, log_keys)
    return ProvenEntry(entry, receipt)


def find_receipted(source: Source, log_keys: tuple[VerifierKey, ...], receipt: Receipt) -> bytes:
    """Return the entry of a receipt from a log that still keeps what the receipt promised.

    Raises:
        InputError: If the receipt doesn't prove the entry at its index, or the log doesn't continue what was signed in
            it: the log is shorter, or has another past.
        CorruptionError: If a file on the way is missing.
    """
    found = prove(source, log_keys, receipt.index)
    then, now = receipt.verify(found.entry, log_keys).checkpoint, Checkpoint.parse(found.receipt.note.text)
    if now.size < then.size:
        raise InputError(f"the log has {now.size} entries, and had {then.size} when the receipt was given")
    verify_consistency(then.size, then.root, now.size, now.root, prove_consistency(source, then.size, now.size))
    return found.entry


def prove_consistency(source: Source, old_size: int, size: int) -> tuple[Hash, ...]:
    """Return the proof that a log at `size` continues itself at `old_size`."""
    return consistency_proof(old_size, size, tile_reader(source, size))


def read_checkpoint(source: Source, log_keys: tuple[VerifierKey, ...]) -> OpenedCheckpoint:
    """Read the checkpoint of a log and check its signature.

    Raises:
        CorruptionError: If there is none.
        InputError: If none of the keys signed it.
    """
    data = source.read(CHECKPOINT_PATH)
    if data is None:
        raise CorruptionError("the log has no checkpoint")
    return open_checkpoint(data, log_keys)


def tile_reader(source: Source, size: int) -> TileReader:
    """Return a reader of the hashes of the first `size` entries."""
    return TileReader(size, lambda tile: fetch_tile(source, tile))


def export_folder(
    source: Source,
    folder: Path,
    *,
    entries: range | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Checkpoint:
    """Copy a log, or the entries of a range of it, into a new folder as static files.

    Returns:
        The checkpoint that was copied, whose signature is for `verify` to check.

    Raises:
        ConflictError: If the folder exists and isn't empty.
        CorruptionError: If a file of the log is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ConflictError(f"the folder {folder.name!r} isn't empty")

    def write(path: str, data: bytes) -> None:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    return _copy(source, write, entries, progress)


def export_archive(
    source: Source,
    path: Path,
    *,
    entries: range | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Checkpoint:
    """Copy a log, or the entries of a range of it, into a new ZIP file. See `export_folder`."""
    try:
        archive = zipfile.ZipFile(path, "x")
    except FileExistsError as error:
        raise ConflictError(f"the file {path.name!r} exists") from error

    def write(name: str, data: bytes) -> None:
        member = zipfile.ZipInfo(name, _ZIP_TIME)
        member.compress_type = zipfile.ZIP_DEFLATED
        member.external_attr = 0o644 << 16
        archive.writestr(member, data)

    try:
        with archive:
            return _copy(source, write, entries, progress)
    except BaseException:
        # Half an archive looks like a log with entries missing.
        path.unlink()
        raise


def copy_files(
    source: Source,
    write: Callable[[str, bytes], None],
    size: int,
    progress: Callable[[int, int], None],
    *,
    entries: range | None = None,
) -> None:
    """Copy the bundles and tiles of a log's first `size` entries, or of a range of them; no checkpoint.

    Raises:
        CorruptionError: If a file of the log is missing.
    """
    places = list(_places(size, entries))
    for done, place in enumerate(places, start=1):
        if isinstance(place, Bundle):
            write(place.path, join_entries(fetch_entries(source, place)))
        else:
            write(place.path, fetch_tile(source, place))
        progress(done, len(places))


def _copy(
    source: Source,
    write: Callable[[str, bytes], None],
    entries: range | None,
    progress: Callable[[int, int], None],
) -> Checkpoint:
    """Copy the files that one checkpoint speaks of; the checkpoint comes last."""
    note = source.read(CHECKPOINT_PATH)
    if note is None:
        raise CorruptionError("the log has no checkpoint")
    checkpoint = Checkpoint.parse(SignedNote.parse(note).text)
    copy_files(source, write, checkpoint.size, progress, entries=entries)
    if (witnessed := source.read(WITNESSED_PATH)) is not None:
        write(WITNESSED_PATH, witnessed)
    write(CHECKPOINT_PATH, note)
    return checkpoint


def _places(size: int, entries: range | None) -> Iterator[Bundle | Tile]:
    """Yield the bundles of a range, the tiles beside them, and all tiles that others stand in."""
    wanted = range(size) if entries is None else entries
    if not 0 <= wanted.start <= wanted.stop <= size or wanted.step != 1:
        raise InputError(f"{wanted.start} to {wanted.stop} isn't a range of a log of {size} entries")
    indexes = range(wanted.start // TILE_WIDTH, -(-wanted.stop // TILE_WIDTH))
    yield from (bundle for bundle in bundles_of(size) if bundle.index in indexes)
    for tile in tiles_of(size):
        if tile.level > 0 or tile.index in indexes or tile.width < TILE_WIDTH:
            yield tile
