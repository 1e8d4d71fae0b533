"""docs/api.md: its examples run as they stand there, and its table is the table of routes."""

import json
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn

from recognizance.api import PREFIX, whole_table
from recognizance.api.problems import INTERNAL, KINDS
from recognizance.api.reference import with_reference

from .world import ApiWorld

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
ACTORS = {
    "ADMINISTRATOR": "administrator",
    "SUPERVISOR": "supervisor",
    "OVERSEER": "overseer1",
    "EXAMINER": "first",
    "OFFICER": "desk_officer",
}


def test_the_table_is_that_of_the_routes() -> None:
    """`python -m recognizance.api.reference` would change nothing."""
    page = PAGE.read_text(encoding="utf-8")

    assert with_reference(page, whole_table()) == page


def test_every_kind_of_problem_is_explained() -> None:
    """Whatever `type` says stands on the page with its status."""
    explained = dict(_explained())

    assert explained == {kind.name: kind.status for kind in (*(kind for _, kind in KINDS), INTERNAL)}


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl isn't installed")
def test_the_examples_run(api: ApiWorld) -> None:
    """Each curl command of the page is answered; what it shows as a refusal is one."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    with _listening(api) as endpoint:
        given = {who: f"{api.keys[name].id}:{api.keys[name].secret}" for who, name in ACTORS.items()}
        given |= {"API": endpoint + PREFIX, "USE": api.propose(), "USE_IN_FORCE": api.in_force()}
        ran = {block: _run(block, given) for block in blocks}

    assert len(blocks) >= 8
    refused = [text for text in ran.values() if '"type":"/api/v1/problems/' in text]
    assert len(refused) == 1
    shown = json.loads(re.search(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1])  # type: ignore[index]
    assert json.loads(refused[0]).keys() == shown.keys()
    assert any("x-recognizance-receipt:" in text for text in ran.values())


def _run(block: str, given: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", **given},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), block
    return done.stdout


@contextmanager
def _listening(api: ApiWorld) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(api.client.app, host="127.0.0.1", port=0, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)


def _explained() -> Iterator[tuple[str, int]]:
    rows = re.findall(r"^\| (`[a-z`, -]+`) \| ([\d, ]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    for names, statuses in rows:
        numbers = [int(each) for each in statuses.split(",")]
        listed = re.findall(r"`([a-z-]+)`", names)
        yield from zip(listed, numbers if len(numbers) > 1 else numbers * len(listed), strict=True)
