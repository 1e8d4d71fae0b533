"""The service sends nothing to anybody: no telemetry client in the locks, no address but loopback at work."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

WATCHED = """
import socket, sys
real = socket.socket.connect

def connect(self, address):
    if self.family != socket.AF_UNIX and address[0] not in {"127.0.0.1", "::1"}:
        print("reached for", address, file=sys.stderr)
        sys.exit(3)
    return real(self, address)

socket.socket.connect = connect
socket.getaddrinfo = lambda host, *rest, _real=socket.getaddrinfo, **more: (
    _real(host, *rest, **more) if host in {"127.0.0.1", "::1", "localhost", None} else sys.exit(3)
)
from recognizance.cli import main
sys.argv = ["recognizance", "demo", "--json"]
main()
"""


@pytest.mark.parametrize("lock", ["run", "dev"])
def test_the_locks_bring_no_telemetry_client(lock: str) -> None:
    """OpenVINO declares one; it's marked for no platform at all."""
    lines = (ROOT / "requirements" / f"{lock}.lock").read_text().splitlines()

    telling = [line for line in lines if re.match(r"[\w-]*telemetry", line)]
    assert [line for line in telling if "sys_platform == 'never'" not in line] == []


@pytest.mark.parametrize("lock", ["run", "dev"])
def test_the_locks_name_packages_and_hashes_and_no_address(lock: str) -> None:
    """Where packages come from is the business of whoever installs."""
    text = (ROOT / "requirements" / f"{lock}.lock").read_text()

    assert "://" not in text
    assert "--index" not in text
    assert text.count("--hash=sha256:") > text.count("==")


def test_the_whole_story_reaches_for_nothing_but_loopback() -> None:
    """Networks, server, client and search: the demo runs with every other address out of reach."""
    done = subprocess.run([sys.executable, "-c", WATCHED], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
