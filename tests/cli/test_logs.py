"""The log on another machine: whole lines, in order, and never a reason for a request to wait."""

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from recognizance.cli.logs import JsonLines, RemoteLog
from recognizance.config import Settings, SyslogTarget, syslog_target
from recognizance.errors import InputError


def record(said: str, level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord("recognizance.web.frame", level, "frame.py", 1, said, (), None)


@contextmanager
def listening() -> Iterator[socket.socket]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(20)
        yield server


def lines_of(server: socket.socket, count: int) -> list[str]:
    """The next lines that somebody sends over one connection."""
    connection, _ = server.accept()
    with connection, connection.makefile("rb") as file:
        connection.settimeout(20)
        return [file.readline().decode() for _ in range(count)]


def stream(port: int) -> SyslogTarget:
    return syslog_target(f"tcp://127.0.0.1:{port}")


def test_lines_reach_another_machine_over_tcp() -> None:
    """In the form of RFC 5424, a line each: facility daemon, and how grave it is."""
    with listening() as server, closing(RemoteLog(stream(server.getsockname()[1]))) as log:
        log.emit(record("GET /account p-1 200 3 ms"))
        log.emit(record("page failed", logging.ERROR))
        first, second = lines_of(server, 2)
    assert first.startswith("<30>1 20")
    assert first.endswith(" - - GET /account p-1 200 3 ms\n")
    assert " recognizance " in first
    assert second.startswith("<27>1 20")


def test_lines_reach_another_machine_over_udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(20)
        with closing(RemoteLog(syslog_target(f"udp://127.0.0.1:{server.getsockname()[1]}"))) as log:
            log.emit(record("one"))
            assert server.recv(9000).endswith(b" - - one")


def test_lines_reach_this_machines_own_log(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "log"))
        server.settimeout(20)
        with closing(RemoteLog(syslog_target(str(tmp_path / "log")))) as log:
            log.emit(record("one"))
            assert server.recv(9000).endswith(b" - - one")


def test_nobody_forges_a_line() -> None:
    """A line end within what is said stays within its line, in both forms."""
    with listening() as server, closing(RemoteLog(stream(server.getsockname()[1]))) as log:
        log.emit(record("typed\n<30>1 a forged line"))
        log.emit(record("next"))
        forged, following = lines_of(server, 2)
    assert "typed\\n<30>1 a forged line" in forged
    assert following.endswith("next\n")
    assert json.loads(JsonLines().format(record("typed\nforged")))["said"] == "typed\nforged"
    assert "\n" not in JsonLines().format(record("typed\nforged"))


def test_a_server_that_comes_back_gets_what_waited() -> None:
    """The connection breaks, and the next line makes another."""
    with listening() as server, closing(RemoteLog(stream(server.getsockname()[1]))) as log:
        log.emit(record("before"))
        assert lines_of(server, 1)[0].endswith("before\n")
        found: list[str] = []
        reader = threading.Thread(target=lambda: found.extend(lines_of(server, 1)))
        reader.start()
        deadline = time.monotonic() + 20
        while reader.is_alive() and time.monotonic() < deadline:
            # What is sent into a connection that the other side has closed is lost without a word, as TCP has it.
            log.emit(record("after"))
            time.sleep(0.05)
        reader.join(1)
    assert found[0].endswith("after\n")


def test_a_server_that_is_away_holds_nothing_up_and_what_is_lost_is_said() -> None:
    """A hundred lines where ten fit: at once, and the server learns later how many it never saw."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        log = RemoteLog(stream(port), most_waiting=10)
        began = time.monotonic()
        for number in range(100):
            log.emit(record(f"line {number}"))
        took_s = time.monotonic() - began
        taken.listen()
        taken.settimeout(20)
        lines = lines_of(taken, 3)
        log.close()
    lost = [line for line in lines if "didn't fit" in line]
    assert took_s < 2
    assert len(lost) == 1
    assert 85 <= int(lost[0].split(" - - ")[1].split()[0]) <= 90


@pytest.mark.parametrize(
    "text", ["logs.example.org", "tcp://logs.example.org", "http://a:1", "udp://:514", "tcp://a:1/x"]
)
def test_a_target_that_cannot_be_one_is_refused_at_start(text: str) -> None:
    with pytest.raises(InputError, match="log_syslog"):
        Settings(log_syslog=text)
