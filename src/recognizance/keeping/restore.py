"""Putting a backup back: into a new folder, verified before anything is opened, and in one piece or not at all.

The ledger goes on from the newest copy of it that there is: what was published can't be taken back, and two different
continuations under one key are a fork, which every witness and mirror would name. So `restore` takes the ledger's
public files from wherever they are, and goes on from the backup's own only on the word of whoever restores that nothing
was published since. Where the ledger's key was changed after the backup was made, it goes on under the newer one, which
has to be given, because the backup can't have it.

Implements `docs/backup.md` and `docs/decisions/0041-older-records-and-a-newer-ledger.md`.
"""

import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from recognizance.config import read_settings
from recognizance.errors import ConflictError, CorruptionError, Error, InputError, UnavailableError
from recognizance.keeping.backup import KEY_PURPOSE, SEALED_KEY, Manifest, read_manifest
from recognizance.keeping.reconcile import Gap, adopt
from recognizance.ledger import (
    FolderSource,
    NoteKey,
    SignatureError,
    Source,
    VerifierKey,
    copy_prefix,
    key_history,
    read_checkpoint,
    root_at,
    verify,
)
from recognizance.recording import KEY_FILE, LEDGER_FOLDER, known_keys, read_key
from recognizance.recording.ledger_key import FORMER_KEYS_FILE, read_former_keys
from recognizance.records import MasterKey, Records, check_records
from recognizance.storage import MASTER_KEY_FILE, public_folder

Progress = Callable[[int, int], None]


def restore(
    backup: Path,
    data: Path,
    *,
    master_key: Path,
    ledger: Source | None,
    ledger_key: Path | None = None,
    progress: Progress,
) -> Gap:
    """Put a backup back into `data`, and adopt what the ledger has beyond it; to be finished by `reconcile.finish`.

    Args:
        master_key: The file of the master key that the backup was made under; it is copied into `data`.
        ledger: The newest copy of the ledger's public files; `None` goes on from the backup's own.
        ledger_key: The file of the key that signs the ledger now, if it was changed since.

    Raises:
        ConflictError: If `data` exists and isn't empty, or the folder that the settings name for the ledger's public
            files has others.
        InputError: If this is no backup, or one of the keys is another one.
        CorruptionError: If the backup was changed, or the ledger is none that continues the backup's.
        UnavailableError: If it can't be written; what there is of it is removed.
    """
    if data.exists() and any(data.iterdir()):
        raise ConflictError(f"the folder {data} isn't empty")
    manifest = read_manifest(backup)
    part = data.with_name(f".{data.name}.part")
    try:
        part.mkdir(mode=0o700, parents=True)
        gap = _put_back(
            backup, part, manifest, master_key=master_key, ledger=ledger, ledger_key=ledger_key, progress=progress
        )
        _place_public_files(part)
        if data.exists():
            data.rmdir()
        part.rename(data)
    except BaseException as error:
        shutil.rmtree(part, ignore_errors=True)
        if isinstance(error, OSError):
            raise UnavailableError(f"can't write {data}: {error.strerror}") from error
        raise
    return gap


def _put_back(
    backup: Path,
    part: Path,
    manifest: Manifest,
    *,
    master_key: Path,
    ledger: Source | None,
    ledger_key: Path | None,
    progress: Progress,
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
        sealed = NoteKey.parse_secret(secret.decode())
        key = sealed if ledger_key is None else read_key(ledger_key, origin=sealed.name)
        own = FolderSource(backup / LEDGER_FOLDER / "public")
        former = _copy_ledger(own if ledger is None else ledger, own, part, manifest, key, sealed, progress)
        _write_private(part / KEY_FILE, key.secret_text().encode() + b"\n")
        if former:
            (part / FORMER_KEYS_FILE).write_text("".join(f"{each}\n" for each in former), encoding="ascii")
        gap = adopt(part, records, key, always=True)
    if gap is None:
        raise ValueError("a restoration is adopted in any case")
    return gap


def _copy_ledger(
    newest: Source, own: Source, part: Path, manifest: Manifest, key: NoteKey, sealed: NoteKey, progress: Progress
) -> tuple[VerifierKey, ...]:
    """Copy the newest ledger, to go on under `key`; answers the keys that it was signed with before, the latest first.

    Args:
        sealed: The key that signed the backup's own.
    """
    before = (sealed.verifier, *read_former_keys(part))
    try:
        size = read_checkpoint(newest, (key.verifier,)).checkpoint.size
    except SignatureError as error:
        raise InputError(
            "the newest copy of the ledger isn't signed with this key: if the ledger's key was changed after the backup"
            " was made, the file of the one that signs it now is needed (--ledger-key)"
        ) from error
    verify(newest, (key.verifier,)).require_sound()
    if size < manifest.entries:
        raise InputError(f"this copy of the ledger has {size} entries, and the backup's own has {manifest.entries}")
    if root_at(newest, manifest.entries) != root_at(own, manifest.entries):
        raise CorruptionError(f"the ledger has forked: its first {manifest.entries} entries aren't the backup's")
    # Of a log that continues ours, what it says of its keys is ours too.
    former = tuple(each for each in dict.fromkeys([*key_history(newest, size), *before]) if each != key.verifier)
    copy_prefix(newest, part / LEDGER_FOLDER, size, key, progress=progress)
    return former


def _place_public_files(part: Path) -> None:
    """Move the ledger's public files where the settings want them; files that are there already have to be the same.

    Raises:
        ConflictError: If they are those of another ledger, or of another moment of this one.
    """
    here = part / LEDGER_FOLDER / "public"
    named = public_folder(part, read_settings(part))
    if named == here:
        return
    if named.exists() and any(named.iterdir()):
        _require_same(named, here, known_keys(part))
    else:
        beside = named.with_name(f".{named.name}.part")
        shutil.rmtree(beside, ignore_errors=True)
        shutil.copytree(here, beside)
        beside.replace(named)
    shutil.rmtree(here)


def _require_same(named: Path, here: Path, keys: tuple[VerifierKey, ...]) -> None:
    ours = read_checkpoint(FolderSource(here), keys).checkpoint
    try:
        there = read_checkpoint(FolderSource(named), keys).checkpoint
    except Error as error:
        raise ConflictError(f"{named}, which the settings name, holds something else: empty it ({error})") from error
    if (there.size, there.root) != (ours.size, ours.root):
        raise ConflictError(
            f"{named}, which the settings name, has a ledger of {there.size} entries, and this one has {ours.size}:"
            " give it as --ledger if it is the newest, or empty it"
        )


def _write_private(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
