"""Changing the ledger's key: announced under the old one, in force under the new one, finished whatever stops it."""

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from recognizance.config import Settings
from recognizance.errors import ConflictError, CorruptionError, InputError
from recognizance.ledger import Entry, FolderSource, NoteKey, VerifierKey, facts, read_checkpoint, verify
from recognizance.ledger.export import prove_consistency
from recognizance.ledger.notes import SignedNote
from recognizance.ledger.sources import read_entries
from recognizance.ledger.witness import AddCheckpoint, MemoryWitnessStore, Witness
from recognizance.recording import KEY_FILE, LEDGER_FOLDER, Recorder, draw_key, known_keys, read_key, rotate_key
from recognizance.recording.ledger_key import FORMER_KEYS_FILE, NEXT_KEY_FILE, install_next_key
from recognizance.recording.statements import rotation_statement, state_once
from recognizance.records import Records
from recognizance.storage import open_recorder, open_records

from .world import key_entry

SETTINGS = Settings(ledger_origin="example.org/faces")
REASON = "once a year"


def opened(data: Path, records: Records) -> Recorder:
    return open_recorder(data, SETTINGS, records)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder whose ledger has some entries."""
    data = tmp_path / "data"
    go_on(data)
    return data


def go_on(data: Path) -> None:
    """Start as after any stop, and put something on the record."""
    with closing(open_records(data, SETTINGS)) as records, closing(opened(data, records)) as recorder:
        recorder.record(key_entry())


def rotate(data: Path, reason: str = REASON) -> VerifierKey:
    with closing(open_records(data, SETTINGS)) as records:
        return rotate_key(data, lambda: opened(data, records), reason=reason)


def public(data: Path) -> FolderSource:
    return FolderSource(data / LEDGER_FOLDER / "public")


def rotations(data: Path) -> list[facts.LedgerKey]:
    size = read_checkpoint(public(data), known_keys(data)).checkpoint.size
    entries = [Entry.parse(each).facts for each in read_entries(public(data), range(size), size)]
    return [each for each in entries if isinstance(each, facts.LedgerKey)]


def test_the_log_goes_on_under_a_new_key(data: Path) -> None:
    """Both keys signed the checkpoint of the change; what comes after it only the new one signs."""
    former = read_key(data / KEY_FILE, origin="").verifier
    before = public(data).read("checkpoint")
    assert before is not None
    new = rotate(data)
    for key in (former, new):
        assert verify(public(data), (key,)).is_sound
    go_on(data)

    assert verify(public(data), (new, former), earlier=[before]).is_sound
    assert not verify(public(data), (former,)).is_sound
    assert known_keys(data) == (new, former)
    assert [(each.former_key, each.new_key) for each in rotations(data)] == [
        (None, str(former)),
        (str(former), str(new)),
    ]
    assert rotations(data)[1].reason == REASON
    assert ((data / KEY_FILE).stat().st_mode & 0o777, (data / NEXT_KEY_FILE).exists()) == (0o600, False)


def test_a_key_is_changed_again_and_again(data: Path) -> None:
    """Every former key stays a verifier of what it signed."""
    checkpoints = []
    for _ in range(3):
        checkpoints.append(public(data).read("checkpoint") or b"")
        rotate(data)
        go_on(data)

    assert verify(public(data), known_keys(data), earlier=checkpoints).is_sound
    assert len(known_keys(data)) == 4
    with pytest.raises(InputError, match="earlier checkpoint"):
        verify(public(data), known_keys(data)[:1], earlier=checkpoints)


def drawn(data: Path) -> None:
    draw_key(data / NEXT_KEY_FILE, origin="example.org/faces")


def announced(data: Path) -> None:
    drawn(data)
    former, new = (read_key(data / name, origin="").verifier for name in (KEY_FILE, NEXT_KEY_FILE))
    with closing(open_records(data, SETTINGS)) as records, closing(opened(data, records)) as recorder:
        state_once(recorder, rotation_statement(former, new, REASON))


def listed(data: Path) -> None:
    announced(data)
    (data / FORMER_KEYS_FILE).write_text(f"{read_key(data / KEY_FILE, origin='').verifier}\n")


def installed(data: Path) -> None:
    announced(data)
    install_next_key(data, read_key(data / KEY_FILE, origin="").verifier)


@pytest.mark.parametrize("is_used_between", [False, True])
@pytest.mark.parametrize("interrupted", [drawn, announced, listed])
def test_a_change_that_was_interrupted_is_finished(
    data: Path, interrupted: Callable[[Path], None], *, is_used_between: bool
) -> None:
    """After each step: the service starts as it is, and doing it again finishes with the key that was drawn."""
    former = read_key(data / KEY_FILE, origin="").verifier
    interrupted(data)
    begun = read_key(data / NEXT_KEY_FILE, origin="").verifier
    if is_used_between:
        go_on(data)

    new = rotate(data, "another reason")
    go_on(data)

    assert new == begun
    assert known_keys(data) == (new, former)
    assert verify(public(data), (new, former)).is_sound
    assert [each.new_key for each in rotations(data)] == [str(former), str(new)]


def test_a_change_that_was_interrupted_at_its_end_is_finished_by_the_next_start(data: Path) -> None:
    """The new key is in its place, and has signed nothing yet."""
    former = read_key(data / KEY_FILE, origin="").verifier
    installed(data)
    new = read_key(data / KEY_FILE, origin="").verifier
    with closing(open_records(data, SETTINGS)) as records:
        opened(data, records).close()

    assert verify(public(data), (new,)).is_sound
    assert len(rotations(data)) == 2
    assert known_keys(data) == (new, former)


def test_the_key_is_not_changed_under_a_running_server(data: Path) -> None:
    """Whoever else has the log open would go on signing with the former key."""
    with closing(open_records(data, SETTINGS)) as records, closing(opened(data, records)):
        with pytest.raises(ConflictError, match="stop the server"):
            rotate(data)
        assert not (data / NEXT_KEY_FILE).exists()


def test_a_process_that_knows_the_former_key_alone_is_refused(data: Path, tmp_path: Path) -> None:
    """Its key was put back over the new one: the log doesn't continue under it, and says so."""
    shutil.copy(data / KEY_FILE, tmp_path / "old.key")
    rotate(data)
    go_on(data)
    shutil.copy(tmp_path / "old.key", data / KEY_FILE)
    (data / FORMER_KEYS_FILE).unlink()

    with (
        closing(open_records(data, SETTINGS)) as records,
        pytest.raises(CorruptionError, match="not one that this log signed"),
    ):
        opened(data, records)


def test_a_witness_that_is_given_both_keys_goes_on(data: Path) -> None:
    """It cosigned under the former key, and cosigns what continues that under the new one."""
    witness_key = NoteKey("witness.example", bytes(32))
    former = read_key(data / KEY_FILE, origin="").verifier
    source = public(data)
    store = MemoryWitnessStore()
    first = SignedNote.parse(source.read("checkpoint") or b"")
    before = Witness(witness_key, {former.name: (former,)}, store, now_s=lambda: 1)
    assert before.add_checkpoint(AddCheckpoint(0, (), first).data).status == 200
    size = read_checkpoint(source, (former,)).checkpoint.size
    new = rotate(data)
    go_on(data)
    after = Witness(witness_key, {former.name: (former, new)}, store, now_s=lambda: 2)
    second = SignedNote.parse(source.read("checkpoint") or b"")
    later = read_checkpoint(source, (new,)).checkpoint.size
    request = AddCheckpoint(size, prove_consistency(source, size, later), second)
    assert before.add_checkpoint(request.data).status == 403
    assert after.add_checkpoint(request.data).status == 200
