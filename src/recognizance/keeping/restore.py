"""Putting a backup back: into a new folder, verified before anything is opened, and in one piece or not at all.

The ledger goes on from the newest copy of it that there is: what was published can't be taken back, and two different
continuations under one key are a fork, which every witness and mirror would name. So `restore` takes the ledger's
public files from wherever they are, and goes on from the backup's own only on the word of whoever restores that nothing
was published since.

Implements `docs/backup.md` and `docs/decisions/0041-older-records-and-a-newer-ledger.md`.
"""

import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from recognizance.config import read_settings
from recognizance.errors import ConflictError, CorruptionError, InputError, UnavailableError
from recognizance.keeping.backup import KEY_PURPOSE, SEALED_KEY, Manifest, read_manifest
from recognizance.keeping.reconcile import Gap, adopt
from recognizance.ledger import FolderSource, NoteKey, Source, copy_prefix, read_checkpoint, root_at, verify
from recognizance.recording import KEY_FILE, LEDGER_FOLDER
from recognizance.recording.ledger_key import read_former_keys
from recognizance.records import MasterKey, Records, check_records
from recognizance.storage import MASTER_KEY_FILE, public_folder

Progress = Callable[[int, int], None]


def restore(backup: Path, data: Path, *, master_key: Path, ledger: Source | None, progress: Progress) -> Gap:
    """Put a backup back into `data`, and adopt what the ledger has beyond it; to be finished by `reconcile.finish`.

    Args:
        master_key: The file of the master key that the backup was made under; it is copied into `data`.
        ledger: The newest copy of the ledger's public files; `None` goes on from the backup's own.

    Raises:
        ConflictError: If `data` exists and isn't empty.
        InputError: If this is no backup, or the master key is another one.
        CorruptionError: If the backup was changed, or the ledger is none that continues the backup's.
        UnavailableError: If it can't be written; what there is of it is removed.
    """
    if data.exists() and any(data.iterdir()):
        raise ConflictError(f"the folder {data} isn't empty")
    manifest = read_manifest(backup)
    part = data.with_name(f".{data.name}.part")
    try:
        part.mkdir(mode=0o700, parents=True)
        gap = _put_back(backup, part, manifest, master_key=master_key, ledger=ledger, progress=progress)
        if data.exists():
            data.rmdir()
        part.rename(data)
        _place_public_files(data)
    except BaseException as error:
        shutil.rmtree(part, ignore_errors=True)
        if isinstance(error, OSError):
            raise UnavailableError(f"can't write {data}: {error.strerror}") from error
        raise
    return gap


def _put_back(
    backup: Path, part: Path, manifest: Manifest, *, master_key: Path, ledger: Source | None, progress: Progress
) -> Gap:
    for path in manifest.files:
        if path != SEALED_KEY and not path.startswith(f"{LEDGER_FOLDER}/"):
            (part / path).parent.mkdir(mode=0o700, exist_ok=True)
            shutil.copyfile(backup / path, part / path)
    keys = MasterKey.from_file(master_key)
    _write_private(part / MASTER_KEY_FILE, master_key.read_bytes())
    with closing(Records.open(part, master_key=keys)) as records:
        problems = check_records(records)
        if problems:
            raise CorruptionError(f"the backup's records are damaged: {problems[0]}")
        with records.reading() as reader:
            secret = reader.unseal_outside((backup / SEALED_KEY).read_bytes(), KEY_PURPOSE)
        _write_private(part / KEY_FILE, secret + b"\n")
        key = NoteKey.parse_secret(secret.decode())
        _copy_ledger(backup, part, manifest, key, ledger, progress)
        gap = adopt(part, records, key, always=True)
    if gap is None:
        raise ValueError("a restoration is adopted in any case")
    return gap


def _copy_ledger(
    backup: Path, part: Path, manifest: Manifest, key: NoteKey, ledger: Source | None, progress: Progress
) -> None:
    own = FolderSource(backup / LEDGER_FOLDER / "public")
    newest, keys = own if ledger is None else ledger, (key.verifier, *read_former_keys(part))
    verify(newest, keys).require_sound()
    size = read_checkpoint(newest, keys).checkpoint.size
    if size < manifest.entries:
        raise InputError(f"this copy of the ledger has {size} entries, and the backup's own has {manifest.entries}")
    if root_at(newest, manifest.entries) != root_at(own, manifest.entries):
        raise CorruptionError(f"the ledger has forked: its first {manifest.entries} entries aren't the backup's")
    copy_prefix(newest, part / LEDGER_FOLDER, size, key, progress=progress)


def _place_public_files(data: Path) -> None:
    """Move the ledger's public files where the settings want them; files that are there already stay, and must fit."""
    named, here = public_folder(data, read_settings(data)), data / LEDGER_FOLDER / "public"
    if named != here and not (named.exists() and any(named.iterdir())):
        shutil.copytree(here, named, dirs_exist_ok=True)


def _write_private(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
