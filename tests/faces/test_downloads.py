"""Fetching a file, from a server on this machine that misbehaves on request."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from recognizance.errors import InputError, UnavailableError
from recognizance.faces.downloads import download

CONTENT = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Server:
    """What it sends, how, and what it was asked."""

    url: str = ""
    content: bytes = CONTENT
    stops_after: int | None = None
    ranges: bool = True
    redirect: str | None = None
    status: int | None = None
    asked: list[str | None] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.headers.get("Range"))
            if state.status or (state.redirect and self.path == "/model"):
                self.send_response(state.status or 302)
                self.send_header("Location", state.redirect or "")
                self.end_headers()
                return
            start = 0
            asked = self.headers.get("Range")
            if asked and state.ranges:
                start = int(asked.removeprefix("bytes=").removesuffix("-"))
                self.send_response(206)
                end = len(state.content)
                self.send_header("Content-Range", f"bytes {start}-{end - 1}/{end}")
            else:
                self.send_response(200)
            self.end_headers()
            self.wfile.write(state.content[start : state.stops_after])

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{httpd.server_address[1]}/model"
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield state
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def fetch(server: Server, to: Path, *, sha256: str = SHA256) -> list[int]:
    steps: list[int] = []
    download(server.url, to, size_bytes=len(CONTENT), sha256=sha256, progress=lambda done, _: steps.append(done))
    return steps


def test_a_file_arrives_whole_and_progress_ends_at_its_size(server: Server, tmp_path: Path) -> None:
    """Nothing but the file is left in the folder."""
    steps = fetch(server, tmp_path / "model.onnx")

    assert (tmp_path / "model.onnx").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    assert steps[0] == 0
    assert steps == sorted(steps)
    assert steps[-1] == len(CONTENT)


def test_an_interrupted_download_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    """The second attempt asks for the rest only, and nothing has the file's name before it's whole."""
    server.stops_after = 300_000
    with pytest.raises(UnavailableError, match="stopped after 300000 of 1048576 bytes"):
        fetch(server, tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()
    server.stops_after = None

    steps = fetch(server, tmp_path / "model.onnx")

    assert server.asked == [None, "bytes=300000-"]
    assert steps[0] == 300_000
    assert (tmp_path / "model.onnx").read_bytes() == CONTENT


def test_a_server_without_ranges_starts_over(server: Server, tmp_path: Path) -> None:
    """An answer from the beginning replaces what was there."""
    (tmp_path / "model.onnx.part").write_bytes(b"x" * 1000)
    server.ranges = False

    fetch(server, tmp_path / "model.onnx")

    assert (tmp_path / "model.onnx").read_bytes() == CONTENT


def test_a_part_that_is_whole_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    """The process may have been killed between the last byte and the renaming."""
    (tmp_path / "model.onnx.part").write_bytes(CONTENT)

    fetch(server, tmp_path / "model.onnx")

    assert server.asked == []
    assert (tmp_path / "model.onnx").read_bytes() == CONTENT


@pytest.mark.parametrize("left", [b"", b"y" * 500_000, b"z" * (len(CONTENT) + 1)], ids=["none", "half", "too much"])
def test_another_file_is_noticed_and_removed(server: Server, tmp_path: Path, left: bytes) -> None:
    """Whether the server sent it or an earlier attempt left it, and a further attempt then starts clean."""
    (tmp_path / "model.onnx.part").write_bytes(left)
    server.content = CONTENT[:-1] + b"!"

    with pytest.raises(UnavailableError, match=f"{SHA256} was expected"):
        fetch(server, tmp_path / "model.onnx")

    assert list(tmp_path.iterdir()) == []


def test_more_than_the_stated_size_is_never_written(server: Server, tmp_path: Path) -> None:
    """A server that doesn't stop can't fill the disk."""
    server.content = CONTENT * 3
    with pytest.raises(UnavailableError, match="more than the 1048576 bytes"):
        fetch(server, tmp_path / "model.onnx")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url", ["http://example.com/m", "ftp://example.com/m", "file:///etc/passwd", "https:///m", "m"]
)
def test_only_https_is_fetched(tmp_path: Path, url: str) -> None:
    """Plain HTTP is for this machine alone."""
    with pytest.raises(InputError, match="only https is"):
        download(url, tmp_path / "m", size_bytes=1, sha256=SHA256, progress=lambda *_: None)


def test_a_redirect_is_followed_on_the_same_terms(server: Server, tmp_path: Path) -> None:
    """To another place on this machine, but not to plain HTTP elsewhere."""
    server.redirect = "/elsewhere"
    fetch(server, tmp_path / "model.onnx")
    assert (tmp_path / "model.onnx").read_bytes() == CONTENT

    server.redirect = "http://example.com/model"
    with pytest.raises(InputError, match=r"http://example\.com is not fetched"):
        fetch(server, tmp_path / "other.onnx")


def test_endless_redirects_and_errors_end(server: Server, tmp_path: Path) -> None:
    """Both are the other side's failure."""
    server.redirect = "/model"
    with pytest.raises(UnavailableError, match="more than 5 redirects"):
        fetch(server, tmp_path / "model.onnx")
    server.redirect, server.status = None, 503
    with pytest.raises(UnavailableError, match="answered 503"):
        fetch(server, tmp_path / "model.onnx")
    server.url = "http://127.0.0.1:1/model"
    with pytest.raises(UnavailableError, match="ConnectionRefusedError"):
        fetch(server, tmp_path / "model.onnx")
