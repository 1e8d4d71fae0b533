"""The commands as people and programs run them: output, exit status, and the server from its first start on."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from PIL import Image
from typer.testing import CliRunner

from recognizance.cli import app
from recognizance.cli.checkup import Verdict

from ..conftest import jpeg

Run = Callable[..., "Done"]


@dataclass(frozen=True, slots=True)
class Done:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def environment() -> dict[str, str]:
    """This process's, without what would change the commands' settings or the width of their lines."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RECOGNIZANCE_", "AWS_"))}
    return kept | {"NO_COLOR": "1", "COLUMNS": "200"}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in this process, with `data` as its data folder where it takes one."""
    for name in os.environ.keys() - environment().keys():
        monkeypatch.delenv(name)
    for name, value in environment().items():
        monkeypatch.setenv(name, value)

    def go(*words: object, data: Path | None = tmp_path / "data") -> Done:
        done = CliRunner().invoke(app, words_of(words, data), prog_name="recognizance")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Done(done.exit_code, done.stdout, done.stderr)

    return go


@pytest.fixture
def run_apart(tmp_path: Path) -> Run:
    """As `run`, in a fresh process: as a shell runs it."""

    def go(*words: object, data: Path | None = tmp_path / "data") -> Done:
        command = [sys.executable, "-m", "recognizance.cli", *words_of(words, data)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
        return Done(done.returncode, done.stdout, done.stderr)

    return go


def words_of(words: tuple[object, ...], data: Path | None) -> list[str]:
    return [*map(str, words), *([] if data is None else ["--data", str(data)])]


@pytest.fixture
def pictures(tmp_path: Path, collins: Image.Image, hopper: Image.Image, nobody: Image.Image) -> Path:
    folder = tmp_path / "pictures"
    (folder / "collins").mkdir(parents=True)
    (folder / "collins" / "1.jpg").write_bytes(jpeg(collins))
    (folder / "room.jpg").write_bytes(jpeg(nobody))
    (tmp_path / "field.jpg").write_bytes(jpeg(collins.rotate(9).resize((280, 280)), quality=50))
    (tmp_path / "stranger.jpg").write_bytes(jpeg(hopper))
    return folder


@contextmanager
def server(data: Path) -> Iterator[tuple[dict[str, str], "subprocess.Popen[str]"]]:
    """`serve --json` in a process of its own, until the block ends."""
    command = [sys.executable, "-m", "recognizance.cli", "serve", "--port", "0", "--json", "--data", str(data)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            yield json.loads(line), process
        finally:
            process.send_signal(signal.SIGTERM)
            process.stdout.read()
            process.stderr.read()


def client(ready: dict[str, str]) -> Any:
    return boto3.client(
        "rekognition",
        endpoint_url=ready["endpoint"],
        region_name=ready["region"],
        aws_access_key_id=ready["access_key_id"],
        aws_secret_access_key=ready["secret_access_key"],
        config=Config(retries={"max_attempts": 1}),
    )


def test_an_unchanged_program_enrols_searches_and_finds_it_all_again_after_a_restart(
    tmp_path: Path, collins: Image.Image, hopper: Image.Image
) -> None:
    """From one line of JSON to the right person, a stranger, a clean stop and the same answers afterwards."""
    data = tmp_path / "data"
    with server(data) as (ready, process):
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        rekognition = client(ready)
        rekognition.create_collection(CollectionId="people")
        rekognition.index_faces(CollectionId="people", Image={"Bytes": jpeg(collins)}, ExternalImageId="collins")
    first_stop = process.returncode
    with server(data) as (again, _):
        rekognition = client(again)
        matches = [
            [match["Face"]["ExternalImageId"] for match in answer["FaceMatches"]]
            for answer in (
                rekognition.search_faces_by_image(CollectionId="people", Image={"Bytes": jpeg(picture)})
                for picture in (collins.rotate(7), hopper)
            )
        ]

    assert first_stop == 0
    assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE), (
        "a crash would write faces and keys to a file"
    )
    assert set(ready) == {"endpoint", "access_key_id", "secret_access_key", "region"}
    assert again["access_key_id"] == ready["access_key_id"]
    assert matches == [["collins"], []]


def test_a_key_that_is_switched_off_signs_nothing_from_the_next_request_on(run: Run, tmp_path: Path) -> None:
    """Beside a running server, and without its help."""
    with server(tmp_path / "data") as (ready, _):
        rekognition = client(ready)
        rekognition.list_collections()
        switched = run("keys", "disable", ready["access_key_id"])
        with pytest.raises(ClientError) as refusal:
            rekognition.list_collections()
        listed = run("keys", "list", "--json").json["keys"]

    assert switched.status == 0
    assert refusal.value.response["Error"]["Code"] == "UnrecognizedClientException"
    assert [(key["access_key_id"], key["active"]) for key in listed] == [(ready["access_key_id"], False)]


def test_a_port_that_is_taken_is_named_and_nothing_is_created(run_apart: Run, tmp_path: Path) -> None:
    """A second server fails before it touches a data folder."""
    with server(tmp_path / "data") as (ready, _):
        port = ready["endpoint"].rpartition(":")[2]
        second = run_apart("serve", "--port", port, data=tmp_path / "other")

    assert second.status == 1
    assert port in second.err
    assert not (tmp_path / "other").exists()


def test_a_folder_is_imported_and_searched_from_the_command_line(
    run: Run, run_apart: Run, pictures: Path, tmp_path: Path
) -> None:
    """Import, rejects with reasons, the right person, a stranger, and a photograph of nobody."""
    rejects = tmp_path / "rejects.csv"
    imported = run("import", pictures, "--gallery", "people", "--rejects", rejects)
    found = run_apart("search", tmp_path / "field.jpg", "--gallery", "people", "--json").json
    stranger = run("search", tmp_path / "stranger.jpg", "--gallery", "people")
    nobody = run("search", pictures / "room.jpg", "--gallery", "people")

    assert imported.status == 0
    assert "1 photograph enrolled with 1 face, 1 rejected" in imported.out
    assert rejects.read_text().splitlines() == ["path,reason", "room.jpg,no faces in the photograph"]
    assert [candidate["subject"] for candidate in found["candidates"]] == ["collins"]
    assert stranger.out.startswith("unknown")
    assert (nobody.status, "no faces" in nobody.err) == (2, True)


def test_an_import_tells_programs_about_each_photograph(run: Run, pictures: Path) -> None:
    """One line of JSON a photograph, and a summary at the end."""
    lines = [json.loads(line) for line in run("import", pictures, "--gallery", "g", "--json").out.splitlines()]

    assert [line.get("state") for line in lines] == ["enrolled", "rejected", None]
    assert lines[-1]["summary"] == {"enrolled": 1, "faces": 1, "rejected": 1, "earlier": 0}


def test_comparison_and_detection_need_no_installation(run: Run, pictures: Path, tmp_path: Path) -> None:
    """Two photographs are compared, faces are marked in a third, and no data folder appears."""
    marked = tmp_path / "marked.png"
    compared = run("compare", pictures / "collins" / "1.jpg", tmp_path / "field.jpg", "--json").json
    detected = run("detect", pictures / "collins" / "1.jpg", "--out", marked, "--json").json

    assert [face["matches"] for face in compared["faces"]] == [True]
    assert len(detected["faces"]) == 1
    with Image.open(marked) as picture, Image.open(pictures / "collins" / "1.jpg") as original:
        assert picture.size == original.size
        box = [round(side) for side in detected["faces"][0]["box_xyxy_px"]]
        assert picture.getpixel((box[0], (box[1] + box[3]) // 2)) == (255, 214, 0)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("search", "{stranger}", "--gallery", "people"), "no installation"),
        (("keys", "disable", "RCGZAAAAAAAAAAAAAAAA"), "RCGZAAAAAAAAAAAAAAAA"),
        (("models", "pull", "unheard-of"), "unheard-of"),
        (("import", "{folder}", "--gallery", "people"), "no photographs"),
        (("compare", "{text}", "{stranger}"), "text.jpg"),
    ],
)
def test_a_mistake_is_one_line_and_exit_status_2(
    run: Run, pictures: Path, tmp_path: Path, words: tuple[str, ...], named: str
) -> None:
    """No traceback, and the thing is named."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.jpg").write_text("no picture")
    places = {"stranger": tmp_path / "stranger.jpg", "folder": tmp_path / "empty", "text": tmp_path / "text.jpg"}

    done = run(*(word.format(**places) for word in words))

    assert done.status == 2
    assert named in done.err
    assert "Traceback" not in done.err


def test_a_mistake_at_the_shell_is_one_line_and_exit_status_2(run_apart: Run) -> None:
    """As above, where nothing but the process stands between the command and whoever typed it."""
    done = run_apart("keys", "disable", "RCGZAAAAAAAAAAAAAAAA")

    assert (done.status, done.out, len(done.err.splitlines())) == (2, "", 1)


def test_the_doctor_finds_a_sound_installation_sound(run: Run, pictures: Path) -> None:
    """After an import and with a key, nothing is wrong."""
    run("import", pictures, "--gallery", "people")
    run("keys", "create")

    done = run("doctor", "--json")

    assert [finding for finding in done.json["findings"] if finding["verdict"] == Verdict.WRONG] == []
    assert (done.status, done.json["healthy"]) == (0, True)


@pytest.mark.parametrize(
    ("harm", "subject"),
    [
        (lambda data: (data / "recognizance.toml").write_text("prot = 1"), "settings"),
        (lambda data: (data / "master.key").chmod(0o644), "records"),
        (lambda data: (data / "master.key").write_text("0" * 64), "records"),
        (lambda data: data.chmod(0o755), "folder"),
        (lambda data: (data / "records.sqlite3").write_bytes(b"no database" * 1000), "records"),
    ],
)
def test_the_doctor_names_what_is_wrong(run: Run, tmp_path: Path, harm: Callable[[Path], object], subject: str) -> None:
    """A misspelt setting, a key others can read, a wrong key, an open folder, a broken database."""
    run("keys", "create")
    harm(tmp_path / "data")

    done = run("doctor", "--json")

    wrong = {finding["subject"] for finding in done.json["findings"] if finding["verdict"] == Verdict.WRONG}
    assert subject in wrong
    assert (done.status, done.json["healthy"]) == (1, False)


def test_a_backup_is_put_back_with_its_master_key_and_an_old_key_no_longer_opens_the_original(
    run: Run, pictures: Path, tmp_path: Path
) -> None:
    """What was imported is found in the restored folder, whose ledger says so; after rotation the new key opens."""
    data, restored = tmp_path / "data", tmp_path / "restored"
    run("import", pictures, "--gallery", "people", "--source", "subject", "--basis", "explicit_consent")
    old_key = tmp_path / "old.key"
    old_key.write_text((data / "master.key").read_text())
    old_key.chmod(0o600)
    backed_up, again = run("backup", tmp_path / "copy", "--json"), run("backup", tmp_path / "copy")
    rotated = run("rotate-master-key")
    put_back = ("restore", tmp_path / "copy", "--master-key", old_key, "--reason", "a drill")
    undecided = run(*put_back, data=restored)
    done = run(*put_back, "--nothing-published-since", "--json", data=restored)
    found = run("search", tmp_path / "field.jpg", "--gallery", "people", "--json", data=restored).json
    (data / "master.key").write_text(old_key.read_text())
    refused = run("keys", "list")

    assert (backed_up.status, again.status, rotated.status, undecided.status, refused.status) == (0, 2, 0, 2, 2)
    assert done.json["known_entries"] == done.json["ledger_entries"] == backed_up.json["entries"]
    assert done.json["unknown_entries"] == 0
    assert len(found["candidates"]) == 1
    assert "a fork" in undecided.err
    assert "master key" in refused.err


def test_models_are_listed_with_licence_and_state(run: Run) -> None:
    """Both default models are here, and their files are what the manifest states."""
    listed = {model["name"]: model for model in run("models", "list", "--json").json["models"]}
    verified = run("models", "verify", "--json")

    assert {listed[name]["state"] for name in ("yunet-2023mar", "sface-2021dec")} == {"ready"}
    assert {listed["yunet-2023mar"]["licence"], listed["sface-2021dec"]["licence"]} == {"MIT", "Apache-2.0"}
    assert verified.status == 0


def test_the_demo_tells_its_story_to_the_end(run: Run) -> None:
    """Every step went as it should."""
    done = run("demo", "--json", data=None)

    assert [step for step in done.json["steps"] if not step["as_expected"]] == []
    assert (done.status, done.json["as_expected"]) == (0, True)
