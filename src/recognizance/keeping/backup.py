"""A backup: one folder with everything of an installation but the master key, written while the service runs.

    records.sqlite3    as of one moment, sealed as ever
    ledger/            exactly the entries that those records know, with a checkpoint of that size
    ledger.key.sealed  the ledger's key, under the master key
    recognizance.toml  policies/*.cedar  tables/*.json  evaluations/*.json  evaluations/*.csv   where there are any
    manifest.json      what is in it, each file with its SHA-256; written last

The records are copied first. Whatever the ledger has by then that they don't know is left out, so that the two agree
by construction. There is no secret in it in the clear: without the master key it is worthless, and with it, it still
holds what was erased after it was made. It needs an end of its own.

Implements `docs/backup.md` and `docs/decisions/0041-older-records-and-a-newer-ledger.md`.
"""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import file_digest
from pathlib import Path

from recognizance.config import FILE_NAME as SETTINGS_FILE
from recognizance.config import read_settings
from recognizance.errors import ConflictError, CorruptionError, InputError, UnavailableError
from recognizance.ledger import FolderSource, copy_prefix, read_checkpoint
from recognizance.recording import KEY_FILE, LEDGER_FOLDER, known_keys, read_key
from recognizance.recording.ledger_key import FORMER_KEYS_FILE
from recognizance.records import Records
from recognizance.storage import public_folder

MANIFEST = "manifest.json"
SEALED_KEY = "ledger.key.sealed"
KEY_PURPOSE = "ledger key in a backup"
KEPT_FILES = ("policies/*.cedar", "tables/*.json", "evaluations/*.json", "evaluations/*.csv")
"""Beside the settings: the operator's policies, adopted tables, and published results. The records hold the hashes of
all three, and a strict service doesn't start without the table that overseers approved."""

FORM = 1
PUBLISH_TIMEOUT_S = 30.0

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is.

    Attributes:
        entries: How many entries of the ledger it has, which is as many as its records know.
        files: The SHA-256 of each other file, by its path.
    """

    form: int
    made: str
    origin: str
    entries: int
    files: dict[str, str]


def back_up(data: Path, records: Records, target: Path, *, now: datetime, progress: Progress) -> Manifest:
    """Write a backup of the installation in `data` to a new folder.

    Raises:
        ConflictError: If `target` exists.
        UnavailableError: If it can't be written; what there is of it is removed.
    """
    if target.exists():
        raise ConflictError(f"{target} exists")
    part = target.with_name(f".{target.name}.part")
    try:
        part.mkdir(mode=0o700, parents=True)
        manifest = _write(data, records, part, now=now, progress=progress)
        part.rename(target)
    except BaseException as error:
        shutil.rmtree(part, ignore_errors=True)
        if isinstance(error, OSError):
            raise UnavailableError(f"can't write the backup {target}: {error.strerror}") from error
        raise
    return manifest


def read_manifest(backup: Path) -> Manifest:
    """Read a backup's manifest, and hold every file of it against its SHA-256.

    Raises:
        InputError: If this is no backup, or one of a later form.
        CorruptionError: If a file is missing, was changed, or isn't in the manifest.
    """
    try:
        said = json.loads((backup / MANIFEST).read_bytes())
        manifest = Manifest(**said)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{backup} is no backup: it has no manifest that can be read") from error
    if manifest.form != FORM:
        raise InputError(f"the backup {backup} is of form {manifest.form}; this program reads {FORM}")
    there = _digests(backup)
    for path in sorted(manifest.files.keys() | there.keys()):
        if there.get(path) != manifest.files.get(path):
            raise CorruptionError(f"{path} of the backup isn't what was written: it is missing, changed or added")
    return manifest


def _write(data: Path, records: Records, part: Path, *, now: datetime, progress: Progress) -> Manifest:
    key = read_key(data / KEY_FILE, origin="")
    size = records.backup(part / "records.sqlite3")
    source = FolderSource(public_folder(data, read_settings(data)))
    # Records know what is promised, and the public files follow right after.
    deadline = time.monotonic() + PUBLISH_TIMEOUT_S
    while read_checkpoint(source, known_keys(data)).checkpoint.size < size:
        if time.monotonic() >= deadline:
            raise UnavailableError(f"the ledger's public files don't show its first {size} entries")
        time.sleep(0.01)
    copy_prefix(source, part / LEDGER_FOLDER, size, key, progress=progress)
    with records.reading() as reader:
        (part / SEALED_KEY).write_bytes(reader.seal_outside(key.secret_text().encode(), KEY_PURPOSE))
    kept = (path for pattern in KEPT_FILES for path in data.glob(pattern))
    for path in (data / SETTINGS_FILE, data / FORMER_KEYS_FILE, *kept):
        if path.exists():
            copy = part / path.relative_to(data)
            copy.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, copy)
    manifest = Manifest(FORM, now.isoformat(), key.name, size, _digests(part))
    (part / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1) + "\n", encoding="utf-8")
    return manifest


def _digests(folder: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != MANIFEST:
            with path.open("rb") as file:
                found[name] = file_digest(file, "sha256").hexdigest()
    return found
