"""`make advisories` and `make outdated`: everything that runs is asked about, what is wrong with it and what is newer.

pip-audit and pip themselves, with the Makefile's own commands, against a database of advisories on loopback that speaks
OSV's form, and against a package index.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements" / "run.lock"


class Database(BaseHTTPRequestHandler):
    """Knows one advisory, about one package, and remembers what it was asked about."""

    asked: set[tuple[str, str]]
    bad = ""

    def do_POST(self) -> None:
        asked: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["content-length"])))
        name, version = asked["package"]["name"], asked["version"]
        self.asked.add((name, version))
        about = {"package": {"name": name, "ecosystem": "PyPI"}, "versions": [version]}
        known = {"id": "TEST-2026-1", "modified": "2026-01-01T00:00:00Z", "details": "made up", "affected": [about]}
        said = json.dumps({"vulns": [known]} if name == self.bad else {}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name too
        """Say nothing."""


@contextmanager
def database(bad: str) -> Iterator[tuple[str, set[tuple[str, str]]]]:
    asked: set[tuple[str, str]] = set()
    with answering(type("Asked", (Database,), {"asked": asked, "bad": bad})) as url:
        yield f"{url}/v1/query", asked


@contextmanager
def answering(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(20)


def audited(url: str, folder: Path) -> subprocess.CompletedProcess[str]:
    more = f"--vulnerability-service osv --osv-url {url} --cache-dir {folder}"
    command = ["make", "-s", "-C", str(ROOT), "advisories", f"PYTHON={sys.executable}", f"AUDIT={more}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.skipif(shutil.which("make") is None, reason="make isn't installed")
def test_what_runs_is_held_against_advisories(tmp_path: Path) -> None:
    """Each package of the lock that this machine would install is asked about; an advisory fails, with its name."""
    with database("jinja2") as (url, asked):
        found = audited(url, tmp_path)
    locked = set(re.findall(r"^([a-z0-9.-]+)==([^ \\;]+) \\$", LOCK.read_text(), re.MULTILINE))
    assert len(locked) > 50
    assert locked - asked == set()
    assert found.returncode != 0
    assert "TEST-2026-1" in found.stdout


class PackageIndex(BaseHTTPRequestHandler):
    """Has one package, in a version far ahead, and remembers what it was asked for (PEP 691)."""

    asked: set[str]
    newer = "jinja2"

    def do_GET(self) -> None:
        name = self.path.strip("/").rpartition("/")[2]
        self.asked.add(name)
        file = f"{name}-9999.0-py3-none-any.whl"
        files = [{"filename": file, "url": f"/files/{file}", "hashes": {}}] if name == self.newer else []
        said = json.dumps({"meta": {"api-version": "1.0"}, "name": name, "files": files}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/vnd.pypi.simple.v1+json")
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name too
        """Say nothing."""


@pytest.mark.skipif(shutil.which("make") is None, reason="make isn't installed")
def test_newer_versions_of_what_runs_are_named() -> None:
    """Each package that is installed is asked for, and the one that is behind is named with both versions."""
    asked: set[str] = set()
    with answering(type("Asked", (PackageIndex,), {"asked": asked})) as url:
        index = f"--isolated --index-url {url}/simple"
        command = ["make", "-s", "-C", str(ROOT), "outdated", f"PYTHON={sys.executable}", f"INDEX={index}"]
        # Whatever index this machine's own settings name isn't asked.
        alone = os.environ | {"PIP_CONFIG_FILE": os.devnull}
        found = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, env=alone)
    assert {"jinja2", "sqlalchemy", "cryptography", "starlette"} <= asked
    assert re.findall(r"^(\w+) +\S+ +(\S+)", found.stdout, re.MULTILINE | re.IGNORECASE)[1:] == [("Jinja2", "9999.0")]
