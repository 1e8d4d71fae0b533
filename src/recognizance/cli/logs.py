"""Where the service's log goes: standard error always, and another machine as well if the settings say so.

A line is plain, or JSON (`log_format`), one object a line whatever is in it. To another machine it goes in the form of
RFC 5424, over UDP, or over TCP with RFC 6587's line ends. A thread of its own sends it from a bounded queue: a log
server that is away or slow holds no request up, and what didn't fit is counted and said, never silently gone.

Nothing here decides what is logged; whoever logs says no secret, no face and no name.
"""

import json
import logging
import queue
import socket
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from recognizance.config import LogFormat, Settings, SyslogTarget, syslog_target

MOST_WAITING = 10_000
"""Lines that wait for another machine: some megabytes."""
TIMEOUT_S = 5.0
_RETRY_S = 2.0
_LONGEST_BYTES = 8192
"""Of one line: RFC 5424 asks receivers for 2,048, and usual ones take this much."""

_FACILITY_DAEMON = 3
_SEVERITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
_PLAIN = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class JsonLines(logging.Formatter):
    """One JSON object a line: when, how grave, which part, what it said, and the traceback of an error."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "part": record.name,
            "said": record.getMessage(),
        }
        if record.exc_info:
            said["error"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False)


class RemoteLog(logging.Handler):
    """Sends lines to a syslog server from a thread of its own. Close it last: it tries to send what still waits."""

    def __init__(self, target: SyslogTarget, *, most_waiting: int = MOST_WAITING) -> None:
        super().__init__()
        self._target = target
        self._waiting: queue.Queue[bytes | None] = queue.Queue(most_waiting)
        self._lost = 0
        self._counting = threading.Lock()
        self._ending = threading.Event()
        self._socket: socket.socket | None = None
        self._host = socket.gethostname() or "-"
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._waiting.put_nowait(self._written(record))
        except queue.Full:
            with self._counting:
                self._lost += 1

    def close(self) -> None:
        """Send what waits, for a few seconds at most, and end the thread."""
        self._ending.set()
        with suppress(queue.Full):
            self._waiting.put_nowait(None)
        self._thread.join(2 * TIMEOUT_S)
        super().close()

    def _written(self, record: logging.LogRecord) -> bytes:
        severity = next((number for level, number in _SEVERITIES.items() if record.levelno <= level), 2)
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        head = f"<{8 * _FACILITY_DAEMON + severity}>1 {at} {self._host} recognizance {record.process or '-'} - - "
        # A line is one message: what brings line ends of its own says so, and forges no other.
        said = self.format(record).replace("\r", "\\r").replace("\n", "\\n")
        return (head + said).encode(errors="replace")[:_LONGEST_BYTES]

    def _run(self) -> None:
        while (line := self._waiting.get()) is not None:
            while not self._sent(line):
                # Only the server of the log is waited for, and not once the service ends.
                if self._ending.wait(_RETRY_S):
                    break
        if self._socket is not None:
            self._socket.close()

    def _sent(self, line: bytes) -> bool:
        with self._counting:
            lost, self._lost = self._lost, 0
        try:
            if lost:
                self._send(self._written(_lost_record(lost)))
            self._send(line)
        except OSError:
            with self._counting:
                self._lost += lost
            if self._socket is not None:
                self._socket.close()
            self._socket = None
            return False
        return True

    def _send(self, line: bytes) -> None:
        if self._socket is None:
            self._socket = _connected(self._target)
        if self._target.is_stream:
            self._socket.sendall(line + b"\n")
        else:
            self._socket.send(line)


@contextmanager
def logging_as_set(settings: Settings) -> Generator[None]:
    """Send the log where the settings say while the block runs, and at its end what still waits."""
    formatter = JsonLines() if settings.log_format is LogFormat.JSON else logging.Formatter(_PLAIN)
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    remote = RemoteLog(syslog_target(settings.log_syslog)) if settings.log_syslog else None
    if remote is not None:
        handlers.append(remote)
    for handler in handlers:
        handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=handlers)
    # It announces itself at each start, and says nothing when there is nothing to migrate.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # It names each passkey that is used.
    logging.getLogger("fido2").setLevel(logging.WARNING)
    try:
        yield
    finally:
        if remote is not None:
            logging.getLogger().removeHandler(remote)
            remote.close()


def _connected(target: SyslogTarget) -> socket.socket:
    if target.path:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        made.settimeout(TIMEOUT_S)
        try:
            made.connect(target.path)
        except OSError:
            made.close()
            raise
        return made
    if target.is_stream:
        return socket.create_connection((target.host, target.port), timeout=TIMEOUT_S)
    [(family, kind, protocol, _, address), *_] = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_DGRAM)
    made = socket.socket(family, kind, protocol)
    made.connect(address)
    return made


def _lost_record(count: int) -> logging.LogRecord:
    said = "%d lines of the log didn't fit and are on standard error alone"
    return logging.LogRecord(__name__, logging.WARNING, __file__, 0, said, (count,), None)
