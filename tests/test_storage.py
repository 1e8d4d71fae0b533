"""One server for a data folder, whatever else works on it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from recognizance.cli import app
from recognizance.config import Settings
from recognizance.errors import ConflictError
from recognizance.storage import only_server, open_records


def test_a_data_folder_has_one_server(tmp_path: Path) -> None:
    """A second one is refused before it opens anything; when the first has gone, however it went, the next may come."""
    data = tmp_path / "data"
    with only_server(data):
        with pytest.raises(ConflictError, match="another server works on"), only_server(data):
            pytest.fail("two servers on one folder")
        # Commands work beside a server.
        open_records(data, Settings()).close()
    with only_server(data):
        pass

    assert (data / "server.lock").stat().st_mode & 0o777 == 0o600


def test_a_second_server_says_why_it_does_not_start(tmp_path: Path) -> None:
    """And creates nothing in the folder that isn't its own."""
    with only_server(tmp_path):
        done = CliRunner().invoke(app, ["serve", "--data", str(tmp_path), "--port", "0"])

    assert done.exit_code != 0
    assert "another server works on" in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["server.lock"]
