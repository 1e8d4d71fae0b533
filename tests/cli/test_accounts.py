"""`recognizance account`: from an invitation to an end, without a server."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from recognizance.cli import app


def said(data: Path, *words: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, [*words, "--data", str(data), "--json"])
    assert done.exit_code == 0, done.output
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def refusal(data: Path, *words: str) -> str:
    done = CliRunner().invoke(app, [*words, "--data", str(data)])
    assert done.exit_code == 2
    return done.stderr


def test_accounts_are_given_and_taken_by_commands(tmp_path: Path) -> None:
    """Invited, disabled, enabled, reset; a stranger and somebody without the role are told so."""
    data = tmp_path / "data"
    said(data, "init", "--profile", "organisation")
    person = said(data, "person", "add", "Otto", "--role", "overseer")["person"]
    invited = said(data, "account", "invite", person, "--login", "otto@example.org")
    assert invited["path"].startswith("/invitation/")
    assert "has an account" in refusal(data, "account", "invite", person, "--login", "other")
    assert "nobody" in refusal(data, "account", "invite", "nobody", "--login", "x")
    assert "is refused" in refusal(data, "account", "disable", person, "--as", person)
    assert CliRunner().invoke(app, ["account", "disable", person, "--data", str(data)]).exit_code == 0
    [account] = said(data, "account", "list")["accounts"]
    assert (account["login"], account["state"], account["second_factor"]) == ("otto@example.org", "disabled", False)
    assert CliRunner().invoke(app, ["account", "enable", person, "--data", str(data)]).exit_code == 0
    again = said(data, "account", "reset", person)
    assert again["path"] != invited["path"]
