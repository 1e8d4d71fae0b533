"""A ledger whose key was changed, and one whose public files are elsewhere: backed up, restored, reconciled."""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from recognizance.agreement import check_agreement
from recognizance.config import read_settings
from recognizance.errors import ConflictError, InputError
from recognizance.gallery import BruteForceIndex
from recognizance.identifiers import PrincipalId
from recognizance.keeping.backup import back_up
from recognizance.keeping.reconcile import adopt, finish
from recognizance.keeping.restore import restore
from recognizance.ledger import Entry, FolderSource, Source, facts, read_checkpoint, verify
from recognizance.ledger.sources import read_entries
from recognizance.office import Office, furnish
from recognizance.permits import Action
from recognizance.recording import KEY_FILE, known_keys, read_key, rotate_key
from recognizance.reviewing.upkeep import withdraw_use
from recognizance.storage import now, open_recorder, open_records, public_folder
from tests.evidence import in_use
from tests.forgetting.conftest import GALLERY, OTHER_GALLERY, permit_for
from tests.records.world import World

CLERK = PrincipalId("11111111-1111-4111-8111-111111111111")


@dataclass
class Place:
    """A data folder, opened again and again, as after each start."""

    data: Path

    @contextmanager
    def opened(self, *, reconciling: bool = False) -> Iterator[Office]:
        settings, world = read_settings(self.data), World(np.random.default_rng(3))
        records = open_records(self.data, settings)
        office = furnish(
            self.data,
            settings,
            records,
            model=world.model,
            open_index=lambda _: BruteForceIndex(world.dimension),
            clock=now,
            running=in_use,
            reconciling=reconciling,
        )
        with closing(office):
            yield office

    def go_on(self, gallery: str = GALLERY) -> None:
        """Start, and put something on the record."""
        with self.opened() as office:
            permit = permit_for(Action.MANAGE_GALLERY, GALLERY if gallery == GALLERY else OTHER_GALLERY)
            office.galleries.create(GALLERY if gallery == GALLERY else OTHER_GALLERY, tags={}, permit=permit)

    def rotate(self) -> None:
        settings = read_settings(self.data)
        with closing(open_records(self.data, settings)) as records:
            rotate_key(self.data, lambda: open_recorder(self.data, settings, records), reason="once a year")

    def back_up(self, target: Path) -> Path:
        with closing(open_records(self.data, read_settings(self.data))) as records:
            back_up(self.data, records, target, now=now(), progress=_silent)
        return target

    def reconcile(self) -> None:
        """What `reconcile` does, and after `restore` its second half."""
        settings = read_settings(self.data)
        key = read_key(self.data / KEY_FILE, origin="")
        with closing(open_records(self.data, settings)) as records:
            assert adopt(self.data, records, key, public=public_folder(self.data, settings)) is not None
        with self.opened(reconciling=True) as office:
            finish(
                FolderSource(office.recorder.public),
                office.records,
                office.recorder,
                office.erasure,
                permit_for=lambda gallery: permit_for(Action.MANAGE_GALLERY, gallery),
                ends_use=withdraw_use,
                now=now(),
                reason="the disk failed",
                by=CLERK,
            )

    @property
    def public(self) -> FolderSource:
        return FolderSource(public_folder(self.data, read_settings(self.data)))

    def kinds(self) -> list[str]:
        """Of all entries, after ledger and records were verified with the key in use alone."""
        key = read_key(self.data / KEY_FILE, origin="").verifier
        verify(self.public, (key,)).require_sound()
        with closing(open_records(self.data, read_settings(self.data))) as records:
            assert check_agreement(records, self.public, (key,)) == ()
        size = read_checkpoint(self.public, (key,)).checkpoint.size
        return [Entry.parse(each).facts.kind for each in read_entries(self.public, range(size), size)]


def _silent(_done: int, _total: int) -> None:
    return None


def put_back(backup: Path, place: Place, target: Path, *, ledger: Source | None, key: Path | None = None) -> Place:
    """Restore a backup of `place` to a new folder, and reconcile it."""
    restore(
        backup,
        target,
        master_key=place.data / "master.key",
        ledger=ledger,
        ledger_key=key,
        progress=_silent,
    )
    restored = Place(target)
    restored.reconcile()
    return restored


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An installation with its public files where they usually are."""
    made = Place(tmp_path / "data")
    made.go_on()
    return made


@pytest.fixture
def elsewhere(tmp_path: Path) -> Place:
    """One whose public files are below another web server's root."""
    made = Place(tmp_path / "data")
    made.data.mkdir(mode=0o700)
    named = json.dumps(str(tmp_path / "www"))
    (made.data / "recognizance.toml").write_text(f"ledger_public_folder = {named}\n")
    made.go_on()
    return made


def test_a_backup_of_a_ledger_whose_key_was_changed_comes_back(place: Place, tmp_path: Path) -> None:
    """It goes on under the key in use, and the former one is still known."""
    place.rotate()
    place.go_on(OTHER_GALLERY)
    keys = known_keys(place.data)
    restored = put_back(place.back_up(tmp_path / "backup"), place, tmp_path / "restored", ledger=None)

    assert known_keys(restored.data) == keys
    assert len(keys) == 2
    assert restored.kinds()[-1] == facts.Restoration.kind


def test_a_backup_older_than_a_change_of_keys_goes_on_under_the_newer_one(place: Place, tmp_path: Path) -> None:
    """Which the backup can't have: without it the ledger isn't touched, and the refusal says what is missing."""
    backup = place.back_up(tmp_path / "backup")
    place.rotate()
    place.rotate()
    keys, target = known_keys(place.data), tmp_path / "restored"
    with pytest.raises(InputError, match="--ledger-key"):
        put_back(backup, place, target, ledger=place.public)
    assert not target.exists()
    restored = put_back(backup, place, target, ledger=place.public, key=place.data / KEY_FILE)

    assert known_keys(restored.data) == keys
    assert len(keys) == 3
    assert restored.kinds()[-1] == facts.Restoration.kind


def test_another_log_s_key_is_refused(place: Place, tmp_path: Path) -> None:
    """Whatever it is called."""
    other = Place(tmp_path / "other")
    other.go_on()

    with pytest.raises(InputError, match="began as"):
        put_back(place.back_up(tmp_path / "backup"), place, tmp_path / "new", ledger=None, key=other.data / KEY_FILE)


def test_older_records_are_reconciled_with_a_ledger_whose_key_was_changed(place: Place, tmp_path: Path) -> None:
    """In place, as after a copy of the database was put back by hand."""
    older = tmp_path / "older.sqlite3"
    with closing(open_records(place.data, read_settings(place.data))) as records:
        records.backup(older)
    place.rotate()
    place.go_on(OTHER_GALLERY)
    _replace_records(place.data, older)
    place.reconcile()

    assert place.kinds()[-1] == facts.Restoration.kind


def test_public_files_are_put_where_the_settings_want_them(elsewhere: Place, tmp_path: Path) -> None:
    """And nowhere else: two copies below one data folder would soon differ."""
    backup = elsewhere.back_up(tmp_path / "backup")
    shutil.move(tmp_path / "www", tmp_path / "lost")
    restored = put_back(backup, elsewhere, tmp_path / "restored", ledger=None)

    assert restored.kinds()[-1] == facts.Restoration.kind
    assert not (restored.data / "ledger" / "public").exists()
    assert (tmp_path / "www" / "checkpoint").exists()


def test_public_files_that_are_there_already_go_on_if_they_are_the_newest(elsewhere: Place, tmp_path: Path) -> None:
    """Given as the newest copy they fit; as something that happens to be there they are refused, and stay."""
    backup, target = elsewhere.back_up(tmp_path / "backup"), tmp_path / "restored"
    elsewhere.go_on(OTHER_GALLERY)
    published = (tmp_path / "www" / "checkpoint").read_bytes()
    with pytest.raises(ConflictError, match="give it as --ledger"):
        put_back(backup, elsewhere, target, ledger=None)
    assert not target.exists()
    assert (tmp_path / "www" / "checkpoint").read_bytes() == published
    restored = put_back(backup, elsewhere, target, ledger=elsewhere.public)

    assert restored.kinds().count(facts.Gallery.kind) == 2


def test_a_folder_with_something_else_is_left_alone(elsewhere: Place, tmp_path: Path) -> None:
    """Somebody's web pages aren't overwritten with a ledger."""
    backup = elsewhere.back_up(tmp_path / "backup")
    shutil.rmtree(tmp_path / "www")
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "index.html").write_text("hello")

    with pytest.raises(ConflictError, match="holds something else"):
        put_back(backup, elsewhere, tmp_path / "restored", ledger=None)
    assert [path.name for path in (tmp_path / "www").iterdir()] == ["index.html"]


def test_older_records_are_reconciled_with_public_files_elsewhere(elsewhere: Place, tmp_path: Path) -> None:
    """The entries are read from where they are."""
    older = tmp_path / "older.sqlite3"
    with closing(open_records(elsewhere.data, read_settings(elsewhere.data))) as records:
        records.backup(older)
    elsewhere.go_on(OTHER_GALLERY)
    _replace_records(elsewhere.data, older)
    elsewhere.reconcile()

    assert elsewhere.kinds()[-1] == facts.Restoration.kind


def _replace_records(data: Path, older: Path) -> None:
    for left in data.glob("records.sqlite3*"):
        left.unlink()
    shutil.copyfile(older, data / "records.sqlite3")
