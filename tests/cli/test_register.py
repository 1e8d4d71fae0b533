"""`recognizance register` and `recognizance report`, as an outsider runs them on a folder of files."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.register.world import KEY, a_store, one_year

YEAR = one_year()


def run(*words: object) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RECOGNIZANCE_")}
    command = [sys.executable, "-m", "recognizance.cli", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=kept | {"NO_COLOR": "1"}, check=False)


def write_log(folder: Path, entries: int) -> Path:
    for path, data in a_store(YEAR[:entries]).files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write_log(tmp_path / "log", len(YEAR))


def test_a_register_is_written_and_continued(tmp_path: Path) -> None:
    """The second run reads what is new, and comes to what a first one comes to."""
    log, out = tmp_path / "log", tmp_path / "out"
    key = str(KEY.verifier)

    first = run("register", "--ledger", write_log(log, 100), "--out", out, "--key", key, "--json")
    second = run("register", "--ledger", write_log(log, len(YEAR)), "--out", out, "--key", key, "--json")
    anew = run("register", "--ledger", log, "--out", tmp_path / "anew", "--key", key)

    assert (first.returncode, second.returncode, anew.returncode) == (0, 0, 0), first.stderr + second.stderr
    assert json.loads(first.stdout)["new"] == 100
    assert json.loads(second.stdout)["new"] == len(YEAR) - 100
    files = sorted(path.relative_to(out) for path in out.rglob("*") if path.is_file())
    assert len(files) == 12
    for path in files:
        assert (out / path).read_bytes() == (tmp_path / "anew" / path).read_bytes()


def test_a_report_is_written_as_html_and_pdf(log: Path, tmp_path: Path) -> None:
    """Without a key, the log's own word is believed, and that is said."""
    done = run(
        "report", "--ledger", log, "--agency", "springfield-pd", "--month", "2026-02", "--out", tmp_path, "--json"
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"] == ["springfield-pd-2026-02.html", "springfield-pd-2026-02.pdf"]
    assert "the ledger's own word" in done.stderr
    assert (tmp_path / "springfield-pd-2026-02.html").read_bytes().startswith(b"<!doctype html>")
    assert (tmp_path / "springfield-pd-2026-02.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize(
    "words",
    [
        ["--month", "2026-02", "--year", "2026"],
        [],
        ["--month", "2026"],
        ["--year", "2026-02"],
        ["--month", "soon"],
    ],
)
def test_a_report_of_no_one_period_is_refused(log: Path, tmp_path: Path, words: list[str]) -> None:
    """One line says what is wrong, and nothing is written."""
    done = run("report", "--ledger", log, "--agency", "springfield-pd", "--out", tmp_path / "out", *words)

    assert done.returncode == 2
    assert done.stderr.startswith("error:")
    assert not (tmp_path / "out").exists()


def test_a_damaged_log_gives_no_register(log: Path, tmp_path: Path) -> None:
    """Exit status 1, the entry is named, nothing is written."""
    bundle = next(path for path in sorted((log / "tile" / "entries").rglob("*")) if path.is_file())
    bundle.write_bytes(bundle.read_bytes().replace(b'"robbery"', b'"burglar"', 1))

    done = run("register", "--ledger", log, "--out", tmp_path / "out", "--key", KEY.verifier)

    assert done.returncode == 1
    assert "edited" in done.stderr
    assert not (tmp_path / "out").exists()
