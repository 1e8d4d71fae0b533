"""The unit for systemd: what it allows, by its own lines and by systemd's judgement."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recognizance.cli import app
from recognizance.cli.unit import own_command, unit_text
from recognizance.errors import InputError

MOST_EXPOSURE = 20
"""Of systemd's 100. It finds 12 in this unit: what is left is mostly that a server speaks to the network."""
ANALYZER = shutil.which("systemd-analyze")


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    file = tmp_path / "recognizance.service"
    file.write_text(unit_text(Path("/bin/true")))
    return file


def directives(file: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", file.read_text(), re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def asked(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_unit_runs_under_an_account_of_its_own(unit: Path) -> None:
    """Without capabilities or a way to more of them, in folders of its own that nobody else reads."""
    said = directives(unit)
    assert said["DynamicUser"] == ["yes"]
    assert (said["CapabilityBoundingSet"], said["AmbientCapabilities"]) == ([""], [""])
    assert (said["NoNewPrivileges"], said["StateDirectoryMode"], said["UMask"]) == (["yes"], ["0700"], ["0077"])
    assert said["LimitCORE"] == ["0"]


def test_the_unit_is_a_sandbox(unit: Path) -> None:
    """The system is read-only, homes and devices aren't there, and only this machine is spoken to."""
    said = directives(unit)
    assert (said["ProtectSystem"], said["ProtectHome"], said["PrivateDevices"]) == (["strict"], ["yes"], ["yes"])
    assert said["SystemCallFilter"] == ["@system-service", "~@privileged"]
    assert (said["IPAddressDeny"], said["IPAddressAllow"]) == (["any"], ["localhost"])
    assert said["RestrictAddressFamilies"] == ["AF_INET AF_INET6 AF_UNIX"]


@pytest.mark.skipif(ANALYZER is None, reason="systemd-analyze isn't installed")
def test_systemd_itself_finds_little_exposed(unit: Path) -> None:
    """And every line of the unit is one that systemd knows."""
    assert ANALYZER is not None
    read = asked(ANALYZER, "verify", "--man=no", str(unit))
    found = asked(ANALYZER, "security", "--offline=true", f"--threshold={MOST_EXPOSURE}", "--no-pager", str(unit))
    mine = [line for line in read.stderr.splitlines() if "recognizance.service" in line]
    assert mine == []
    assert found.returncode == 0, found.stdout[-500:] + found.stderr


def test_the_command_prints_the_unit_of_this_installation() -> None:
    printed = CliRunner().invoke(app, ["unit"])
    assert printed.exit_code == 0
    assert f"ExecStart={own_command()} serve\n" in printed.output
    assert own_command().exists()


@pytest.mark.parametrize("path", ["recognizance", "/opt/my faces/recognizance", "/opt/%h/recognizance", "/opt/a;b"])
def test_a_path_that_systemd_would_read_otherwise_is_refused(path: str) -> None:
    with pytest.raises(InputError, match="absolute path"):
        unit_text(Path(path))
