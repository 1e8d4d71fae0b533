"""The first entries of a log as a log of their own, for a backup: files, a checkpoint, and a journal to continue from.

Records know a ledger up to some size; a copy of both has to end there. A checkpoint of that size may never have been
signed, because batches end where they end, so it is signed here. That is no second history: the tree of a smaller size
is part of every larger one. To *continue* the copy beside the original would be one; `keeping.restore` prevents that.
"""

import os
from collections.abc import Callable
from pathlib import Path

from recognizance.errors import ConflictError, CorruptionError, InputError
from recognizance.ledger.checkpoints import Checkpoint
from recognizance.ledger.edge import Edge
from recognizance.ledger.export import copy_files
from recognizance.ledger.journal import encode_record
from recognizance.ledger.merkle import Hash
from recognizance.ledger.notes import Signer
from recognizance.ledger.sources import Source, fetch_entries, fetch_tile
from recognizance.ledger.tiles import CHECKPOINT_PATH


def root_at(source: Source, size: int) -> Hash:
    """The root of a log's first `size` entries, recomputed from its right edge at that size.

    Raises:
        CorruptionError: If files are missing or contradict each other.
    """
    try:
        return Edge.load(size, lambda tile: fetch_tile(source, tile), lambda b: fetch_entries(source, b)).root()
    except InputError as error:
        raise CorruptionError(f"the log's right edge at {size} entries is damaged: {error}") from error


def copy_prefix(
    source: Source,
    folder: Path,
    size: int,
    signer: Signer,
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Checkpoint:
    """Write the first `size` entries of a log into a new folder, as `FileStore` keeps a log. Durable on return.

    Raises:
        ConflictError: If the folder exists and isn't empty.
        CorruptionError: If a file of the log is missing.
    """
    public = folder / "public"
    public.mkdir(mode=0o755, parents=True, exist_ok=True)
    if any(public.iterdir()):
        raise ConflictError(f"the folder {folder.name!r} isn't empty")
    checkpoint = Checkpoint(signer.verifier.name, size, root_at(source, size))
    note = checkpoint.signed(signer)
    copy_files(source, lambda path, data: _write(public / path, data), size, progress)
    _write(public / CHECKPOINT_PATH, note.data)
    _write(folder / "journal", encode_record(note), mode=0o600)
    return checkpoint


def _write(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
