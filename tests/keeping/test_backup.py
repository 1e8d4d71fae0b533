"""A backup is one moment of records and ledger, holds no secret in the clear, and comes back whole or not at all."""

import contextlib
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from recognizance.errors import ConflictError, CorruptionError, InputError
from recognizance.governing.installation import POLICIES_FOLDER
from recognizance.governing.published_results import FOLDER as EVALUATIONS_FOLDER
from recognizance.keeping.backup import MANIFEST, back_up, read_manifest
from recognizance.keeping.restore import restore
from recognizance.ledger import FolderSource, NoteKey, Source, copy_prefix, read_checkpoint, root_at, verify
from recognizance.office import TABLES_FOLDER
from recognizance.recording import KEY_FILE, read_key
from recognizance.records import MasterKey, Records, Secret, check_records
from recognizance.storage import OPEN, RESTORATION_KIND
from tests.forgetting.conftest import GALLERY, Installation, open_installation
from tests.records.world import World

MASTER_KEY = bytes(range(32))


@dataclass
class Kept:
    """An installation that runs, and where its backups go."""

    installation: Installation
    folder: Path

    @property
    def key(self) -> NoteKey:
        return read_key(self.installation.data / KEY_FILE, origin="")

    @property
    def public(self) -> FolderSource:
        return FolderSource(self.installation.recorder.public)

    def size_of(self, source: Source) -> int:
        return read_checkpoint(source, (self.key.verifier,)).checkpoint.size

    @property
    def master_key(self) -> Path:
        path = self.folder / "master.key"
        if not path.exists():
            path.write_text(MASTER_KEY.hex() + "\n")
            path.chmod(0o600)
        return path

    def back_up(self, name: str = "backup") -> Path:
        target = self.folder / name
        installation = self.installation
        back_up(installation.data, installation.records, target, now=installation.now, progress=_silent)
        return target

    def restore(self, backup: Path, *, ledger: Source | None = None) -> Path:
        data = self.folder / "restored"
        restore(backup, data, master_key=self.master_key, ledger=ledger, progress=_silent)
        return data


def _silent(_done: int, _total: int) -> None:
    return None


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    installation = open_installation(tmp_path / "data", World(np.random.default_rng(5)))
    installation.create(GALLERY)
    installation.enrol(name="ada-lovelace.jpg")
    yield Kept(installation, tmp_path)
    installation.close()


def records_in(folder: Path) -> Records:
    return Records.open(folder, master_key=MasterKey(Secret(MASTER_KEY)))


def test_a_backup_made_under_load_is_one_moment(kept: Kept) -> None:
    """While others write, records and ledger of the copy agree to the entry, and the ledger verifies by itself."""
    stop = threading.Event()

    def search() -> None:
        while not stop.is_set():
            kept.installation.search()

    thread = threading.Thread(target=search)
    thread.start()
    try:
        backups = [kept.back_up(f"backup-{number}") for number in range(4)]
    finally:
        stop.set()
        thread.join()

    sizes = []
    for backup in backups:
        manifest = read_manifest(backup)
        public = FolderSource(backup / "ledger" / "public")
        with contextlib.closing(records_in(backup)) as records, records.reading() as reader:
            assert reader.marked_size() == manifest.entries == kept.size_of(public)
        assert verify(public, (kept.key.verifier,)).is_sound
        sizes.append(manifest.entries)
    assert sizes == sorted(set(sizes))


def test_a_backup_holds_no_secret_in_the_clear(kept: Kept) -> None:
    """Neither the master key nor the ledger's; and nobody but its owner can read it."""
    backup = kept.back_up()
    secret = (kept.installation.data / KEY_FILE).read_bytes().strip()
    content = b"".join(path.read_bytes() for path in backup.rglob("*") if path.is_file())

    assert secret not in content
    assert secret.split(b"+")[-1] not in content
    assert MASTER_KEY not in content
    assert backup.stat().st_mode & 0o077 == 0


def test_a_backup_comes_back_whole_and_waits_for_its_entry(kept: Kept) -> None:
    """Same faces, same ledger, its key with the mode that it had; nothing is served before it is reconciled."""
    before = kept.installation.rows()
    backup = kept.back_up()
    data = kept.restore(backup)

    with contextlib.closing(records_in(data)) as records:
        with records.reading() as reader:
            assert reader.faces(GALLERY, limit=10) == before
            assert len(reader.documents(RESTORATION_KIND, state=OPEN, limit=1)) == 1
        assert check_records(records) == ()
    assert str(read_key(data / KEY_FILE, origin="").verifier) == str(kept.key.verifier)
    assert (data / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert verify(FolderSource(data / "ledger" / "public"), (kept.key.verifier,)).is_sound


def test_what_the_records_hold_only_the_hash_of_comes_back(kept: Kept) -> None:
    """Policies, adopted tables and published results, byte for byte; nothing else of these folders."""
    folders = {POLICIES_FOLDER: "own.cedar", TABLES_FOLDER: "a-model.json", EVALUATIONS_FOLDER: "lab-2026.json"}
    for folder, name in folders.items():
        (kept.installation.data / folder).mkdir()
        (kept.installation.data / folder / name).write_bytes(name.encode())
        (kept.installation.data / folder / ".half-written").write_bytes(b"?")
    data = kept.restore(kept.back_up())

    for folder, name in folders.items():
        assert [path.name for path in (data / folder).iterdir()] == [name]
        assert (data / folder / name).read_bytes() == name.encode()


def test_a_restored_installation_goes_on_from_the_newest_ledger(kept: Kept) -> None:
    """Entries that came after the backup stay where they are, and the next ones follow them."""
    backup = kept.back_up()
    known = read_manifest(backup).entries
    kept.installation.enrol()
    kept.installation.settle()
    size = kept.size_of(kept.public)
    data = kept.restore(backup, ledger=kept.public)

    with contextlib.closing(records_in(data)) as records, records.reading() as reader:
        assert (known, reader.marked_size()) == (size - 1, size)
    assert root_at(FolderSource(data / "ledger" / "public"), size) == root_at(kept.public, size)


def test_a_ledger_that_forked_or_is_older_is_refused(kept: Kept, tmp_path: Path) -> None:
    """Nothing is left of the attempt."""
    kept.installation.settle()
    copy_prefix(kept.public, tmp_path / "older", 1, kept.key)
    backup = kept.back_up()
    forked = _forked(kept, tmp_path)

    with pytest.raises(InputError, match="1 entries"):
        kept.restore(backup, ledger=FolderSource(tmp_path / "older" / "public"))
    with pytest.raises(CorruptionError, match="forked"):
        kept.restore(backup, ledger=forked)
    assert not (kept.folder / "restored").exists()
    assert list(kept.folder.glob(".restored*")) == []


def _forked(kept: Kept, folder: Path) -> Source:
    """A ledger under the same key, as long as the other, with other entries."""
    data = folder / "fork"
    data.mkdir()
    shutil.copy(kept.installation.data / KEY_FILE, data)
    fork = open_installation(data, World(np.random.default_rng(7)))
    fork.create(GALLERY)
    fork.enrol()
    fork.enrol()
    fork.settle()
    fork.close()
    return FolderSource(data / "ledger" / "public")


@pytest.mark.parametrize("harm", ["changed", "missing", "added"])
def test_a_backup_that_was_tampered_with_is_refused(kept: Kept, harm: str) -> None:
    """Whichever file it is, by name, before anything of it is opened."""
    backup = kept.back_up()
    path = backup / ("another" if harm == "added" else "ledger/journal")
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes(b"something else")

    with pytest.raises(CorruptionError, match=path.name):
        kept.restore(backup)
    assert not (kept.folder / "restored").exists()


def test_neither_a_backup_nor_a_restoration_writes_over_anything(kept: Kept) -> None:
    """A folder that exists stays as it is; a folder that is no backup is named as such."""
    backup = kept.back_up()
    manifest = (backup / MANIFEST).read_bytes()
    (kept.folder / "restored").mkdir()
    (kept.folder / "restored" / "something").write_text("of somebody's")

    with pytest.raises(ConflictError, match="exists"):
        kept.back_up()
    with pytest.raises(ConflictError, match="isn't empty"):
        kept.restore(backup)
    with pytest.raises(InputError, match="no backup"):
        restore(kept.folder, kept.folder / "new", master_key=kept.master_key, ledger=None, progress=_silent)
    assert (backup / MANIFEST).read_bytes() == manifest
    assert [path.name for path in (kept.folder / "restored").iterdir()] == ["something"]


def test_another_master_key_opens_nothing(kept: Kept) -> None:
    """And leaves nothing behind."""
    backup = kept.back_up()
    kept.master_key.write_text(bytes(32).hex() + "\n")

    with pytest.raises(InputError, match="master key"):
        kept.restore(backup)
    assert not (kept.folder / "restored").exists()
