"""`doctor` looks at the ledger, and at what a profile needs; keys that end; what `init` writes."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from recognizance.cli import app, checkup
from recognizance.config import read_settings

PROGRAM = CliRunner()


def said(*words: object) -> dict[str, Any]:
    done = PROGRAM.invoke(app, [*map(str, words), "--json"])
    assert done.exit_code == 0, done.output
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def texts(data: Path, *checks: Any) -> list[tuple[str, str]]:
    return [(finding.verdict.value, finding.text) for check in checks for finding in check(data)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    said("init", "--profile", "law-enforcement", "--data", data)
    said("keys", "create", "--data", data)
    return data


def test_a_sound_ledger_is_said_to_be_so(data: Path) -> None:
    """By a quick look and by a thorough one."""
    quick, whole = texts(data, checkup._ledger), texts(data, checkup._whole_ledger)

    assert [verdict for verdict, _ in quick + whole] == ["ok", "ok"]
    assert "all records agree" in whole[0][1]


def test_what_differs_from_the_ledger_is_named(data: Path) -> None:
    """A row that is gone by the thorough look, and one of the latest by the quick one too."""
    with closing(sqlite3.connect(data / "records.sqlite3")) as connection, connection:
        connection.execute("DELETE FROM openings WHERE field = 'access_key_id'")
    dropped = texts(data, checkup._whole_ledger)
    with closing(sqlite3.connect(data / "records.sqlite3")) as connection, connection:
        connection.execute("DELETE FROM outbox WHERE log_index = 1")
    gone = texts(data, checkup._ledger)

    assert {verdict for verdict, _ in dropped + gone} == {"wrong"}
    assert "no erasure destroyed it" in dropped[0][1]
    assert [text.split(" ")[0] for _, text in gone] == ["outbox"]


def test_police_keep_photographs_for_their_reviewers_or_are_warned(data: Path) -> None:
    """`init` turns it on; whoever turns it off is told what that means."""
    kept = texts(data, checkup._pictures)
    (data / "recognizance.toml").write_text("keep_images = false\n")
    off = texts(data, checkup._pictures)
    said("init", "--profile", "law-enforcement", "--data", data)

    assert kept[0][0] == "ok"
    assert (off[0][0], "can't compare candidates" in off[0][1]) == ("wrong", True)
    assert not read_settings(data).keep_images


def test_a_setting_that_was_written_before_stays(tmp_path: Path) -> None:
    """Only what is missing is added, ahead of what is there."""
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "recognizance.toml").write_text("port = 9000\n")
    said("init", "--profile", "law-enforcement", "--data", tmp_path / "data")

    settings = read_settings(tmp_path / "data")
    assert (settings.port, settings.keep_images) == (9000, True)


def test_a_key_that_ends_is_no_key_any_more(data: Path) -> None:
    """It can't end before it begins; and one that has an end signs until then."""
    late = PROGRAM.invoke(app, ["keys", "create", "--expires", "2001-01-01", "--data", str(data)])
    said("keys", "create", "--expires", "2099-01-01", "--data", data)

    listed = PROGRAM.invoke(app, ["keys", "list", "--data", str(data)]).stdout

    assert (late.exit_code, "before it is issued" in late.output) == (2, True)
    assert "active until" in listed
    assert [key["expires"] for key in said("keys", "list", "--data", data)["keys"]] == [
        None,
        "2099-01-01T00:00:00+00:00",
    ]
    assert texts(data, checkup._whole_ledger)[0][0] == "ok"


def test_a_misspelt_setting_is_said_once_with_the_one_that_was_meant(data: Path) -> None:
    """Whatever needs the settings isn't looked at, and what doesn't need them is."""
    (data / "recognizance.toml").write_text("prt = 8080\n", encoding="utf-8")

    told = PROGRAM.invoke(app, ["doctor", "--data", str(data)])

    assert told.exit_code == 1
    assert told.stdout.count("there is no setting 'prt'; did you mean 'port'?") == 1
    assert "wrong  ledger      not looked at" in told.stdout
    assert "ok     folder" in told.stdout


def test_a_violation_that_reached_no_overseer_in_time_is_named(data: Path) -> None:
    """With how to end it; one that still has time is noted."""

    def report(occurrence: str, ago: timedelta) -> str:
        discovered = f"{datetime.now(UTC) - ago:%Y-%m-%dT%H:%M}"
        words = ("incident", "report", occurrence, "--statement", "Another case.", "--discovered", discovered)
        return str(said(*words, "--data", data)["incident"])

    quiet = texts(data, checkup._incidents)
    report("violation", timedelta(hours=1))
    waiting = texts(data, checkup._incidents)
    late = report("breach", timedelta(hours=30))
    overdue = texts(data, checkup._incidents)

    assert quiet == []
    assert waiting == [("note", "1 wait for an overseer, none of them overdue")]
    assert [verdict for verdict, _ in overdue] == ["wrong"]
    assert f"recognizance incident receive {late}" in overdue[0][1]
