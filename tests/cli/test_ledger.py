"""`recognizance ledger`: an outsider checks, proves and copies with static files and a public key."""

import base64
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from typer.testing import CliRunner

from recognizance.cli import app
from recognizance.ledger import (
    NoteKey,
    Receipt,
    VerifierKey,
    Witness,
    WitnessAddress,
    read_checkpoint,
    source_at,
)
from recognizance.ledger.witness_server import FolderWitnessStore, witness_app
from recognizance.recording import RecordsOutbox
from recognizance.recording.keeper import LogKeeper
from tests.recording.world import World, create_gallery, key_entry

PROGRAM = CliRunner()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a ledger of three entries."""
    world = World(tmp_path / "data")
    with world.opened() as (_, recorder):
        create_gallery(recorder)
        recorder.record(key_entry("1"))
        recorder.record(key_entry("2"))
    return world.data


def run(*words: object) -> Any:
    return PROGRAM.invoke(app, ["ledger", *map(str, words)])


def key_of(data: Path) -> str:
    output: str = run("key", "--data", data).stdout
    return output.strip()


def test_a_whole_ledger_is_verified_from_its_folder_and_from_a_copy(data: Path, tmp_path: Path) -> None:
    """From elsewhere only with a key that came from elsewhere."""
    key = key_of(data)
    copy, archive = tmp_path / "copy", tmp_path / "copy.zip"
    assert run("export", copy, "--data", data).exit_code == 0
    assert run("export", archive, "--from", data).exit_code == 0
    shutil.rmtree(data)

    for place in (copy, archive):
        assert "3 entries" in run("verify", place, "--key", key).stdout
        unvouched = run("verify", place)
        assert (unvouched.exit_code, unvouched.stdout) == (2, "")


def test_an_edited_entry_is_named(data: Path) -> None:
    """With its index, and exit status 1."""
    bundle = data / "ledger" / "public" / "tile" / "entries" / "000.p" / "3"
    bundle.write_bytes(bundle.read_bytes().replace(b'"access_key"', b'"access_kex"', 1))

    plain, machine = run("verify", data), run("verify", data, "--json")

    assert plain.exit_code == machine.exit_code == 1
    assert "edited" in plain.stdout
    assert '"sound":false' in machine.stdout
    assert '"entry":1' in machine.stdout


def test_a_rollback_is_found_with_a_checkpoint_from_before(data: Path, tmp_path: Path) -> None:
    """Whoever kept one checkpoint sees that entries are gone, though what is left agrees with itself."""
    later = tmp_path / "later"
    shutil.copy(data / "ledger" / "public" / "checkpoint", later)
    key = key_of(data)
    other = World(tmp_path / "other")
    other.data.mkdir()
    shutil.copy(data / "ledger.key", other.data / "ledger.key")
    with other.opened() as (_, recorder):
        create_gallery(recorder)

    assert run("verify", other.data, "--key", key).exit_code == 0
    found = run("verify", other.data, "--key", key, "--checkpoint", later)
    assert found.exit_code == 1
    assert "rolled back" in found.stdout


def test_an_entry_is_proved_by_itself(data: Path, tmp_path: Path) -> None:
    """The proof is a tlog-proof that verifies offline."""
    proof = tmp_path / "1.tlog-proof"

    done = run("prove", 1, "--data", data, "--out", proof)
    missing = run("prove", 3, "--from", data)

    Receipt.parse(proof.read_bytes()).verify(done.stdout.strip().encode(), (VerifierKey.parse(key_of(data)),))
    assert (missing.exit_code, missing.stdout) == (2, "")
    machine = run("prove", 1, "--data", data, "--json").stdout
    assert base64.b64encode(proof.read_bytes()).decode() in machine


def test_a_receipt_that_was_kept_is_checked_against_the_ledger_of_today(data: Path, tmp_path: Path) -> None:
    """As a file and as the header's base64, from a copy of the ledger that grew, and against the entry alone."""
    kept, header, entry, copy = (tmp_path / name for name in ("kept", "header", "entry", "copy.zip"))
    entry.write_text(run("prove", 1, "--data", data, "--out", kept).stdout)
    header.write_bytes(base64.b64encode(kept.read_bytes()) + b"\n")
    with World(data).opened() as (_, recorder):
        recorder.record(key_entry("3"))
    run("export", copy, "--data", data)
    key = key_of(data)

    for receipt in (kept, header):
        checked = run("check-receipt", receipt, "--from", copy, "--key", key)
        assert (checked.exit_code, checked.stdout) == (0, entry.read_text())
        assert "entry 1" in checked.stderr
    alone = run("check-receipt", kept, "--entry", entry, "--key", key, "--json")
    assert '"index":1,"size":3,"ledger_continues":null' in alone.stdout


def test_a_receipt_of_another_past_does_not_hold(data: Path, tmp_path: Path) -> None:
    """Whoever rewrote the ledger under the same key is told apart from it by one receipt; so is another entry."""
    kept, wrong, short = tmp_path / "kept", tmp_path / "wrong", tmp_path / "short"
    run("prove", 1, "--data", data, "--out", kept)
    run("prove", 2, "--data", data, "--out", short)
    wrong.write_text(run("prove", 0, "--data", data, "--json").stdout)
    key = key_of(data)
    other = World(tmp_path / "other")
    other.data.mkdir()
    shutil.copy(data / "ledger.key", other.data / "ledger.key")
    with other.opened() as (_, recorder):
        create_gallery(recorder)
        recorder.record(key_entry("8"))

    for words in (
        (kept, "--from", other.data),
        (short, "--from", other.data),
        (kept, "--entry", wrong, "--key", key),
        (kept, "--from", data, "--key", str(NoteKey(VerifierKey.parse(key).name, bytes(32)).verifier)),
    ):
        refused = run("check-receipt", *words)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert "doesn't hold" in refused.stderr
    assert run("check-receipt", wrong, "--from", data).exit_code == 2


def test_a_witness_cosigns_a_running_ledger(data: Path, tmp_path: Path) -> None:
    """The cosignature is in the published checkpoint, and a quorum of one is met."""
    key = VerifierKey.parse(key_of(data))
    witness_key = NoteKey("witness.example.org", bytes(range(32)))
    world = World(data)
    with closing(FolderWitnessStore(tmp_path / "witness")) as store:
        witness = Witness(witness_key, {key.name: (key,)}, store, now_s=lambda: 1_790_000_000)
        server = uvicorn.Server(uvicorn.Config(witness_app(witness), port=0, log_level="critical"))
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        records = world.records()
        recorder = world.recorder(records)
        recorder.close()
        address = WitnessAddress(f"http://127.0.0.1:{port}", witness_key.cosigner)
        keeper = LogKeeper(
            data / "ledger", recorder._keeper._key, RecordsOutbox(records), outbox_state=lambda: 0, witnesses=[address]
        )
        source, deadline = source_at(str(data / "ledger")), time.monotonic() + 10
        while source.read("checkpoint.witnessed") is None and time.monotonic() < deadline:
            time.sleep(0.02)
        keeper.close()
        records.close()
        server.should_exit = True
        thread.join()
    verified = run("verify", data, "--witness", witness_key.cosigner, "--quorum", 1)
    unwitnessed = run("verify", data, "--witness", NoteKey("other", bytes(32)).cosigner, "--quorum", 1)

    assert read_checkpoint(source, (key,)).checkpoint.size == 3
    assert (verified.exit_code, unwitnessed.exit_code) == (0, 1)


def test_the_witness_command_serves_and_keeps_its_key(data: Path, tmp_path: Path) -> None:
    """Started twice, it is the same witness."""
    command = [sys.executable, "-m", "recognizance.cli", "ledger", "witness", "w.example", "--log", key_of(data)]
    command += ["--folder", str(tmp_path / "w"), "--port", "0"]
    said: list[str] = []
    for _ in range(2):
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        said.append(process.stderr.readline())
        process.terminate()
        process.communicate(timeout=30)

    assert said[0] == said[1]
    assert VerifierKey.parse(said[0].strip()).name == "w.example"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A data folder as the first command leaves it, with a master key of its own."""
    data = tmp_path / "installed"
    assert PROGRAM.invoke(app, ["keys", "create", "--data", str(data)]).exit_code == 0
    return data


def test_the_key_is_changed_and_the_ledger_verifies_across_it(installed: Path, tmp_path: Path) -> None:
    """From the data folder at once, and from elsewhere with both published keys."""
    data = installed
    before, old = tmp_path / "before", key_of(data)
    shutil.copy(data / "ledger" / "public" / "checkpoint", before)
    done = run("rotate-key", "--data", data, "--reason", "once a year")
    new = done.stdout.strip()

    assert done.exit_code == 0, done.output
    assert (key_of(data), new != old) == (new, True)
    assert run("verify", data, "--checkpoint", before).exit_code == 0
    public = data / "ledger" / "public"
    assert run("verify", public, "--key", new, "--key", old, "--checkpoint", before).exit_code == 0
    assert old in run("key", "--data", data, "--json").stdout


def test_records_are_held_against_the_ledger(installed: Path) -> None:
    """They agree; and a row that is gone is named, with exit status 1."""
    sound = run("check-records", "--data", installed)
    with closing(sqlite3.connect(installed / "records.sqlite3")) as connection, connection:
        connection.execute("DELETE FROM openings WHERE field = 'access_key_id'")
    spoiled = run("check-records", "--data", installed, "--json")

    assert (sound.exit_code, sound.stdout) == (0, "records and ledger agree\n")
    assert (spoiled.exit_code, "no erasure destroyed it" in spoiled.stdout) == (1, True)
