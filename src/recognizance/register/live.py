"""The register of a log that is still growing: read on, when somebody asks, by as much as is new.

What has been read is kept in a file, so that a server that starts again needn't read a long log from its first entry.
The file is as good as the software that wrote it: another version reads everything anew, since it may understand more.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from recognizance.errors import InputError
from recognizance.ledger import Source, VerifierKey, open_checkpoint, read_checkpoint
from recognizance.register.files import register_file
from recognizance.register.reading import read_log
from recognizance.register.rows import Register
from recognizance.register.saved import Reading, load_reading, save_reading
from recognizance.register.sections import build_register

KEEP_EVERY_ENTRIES = 1000
"""Fewer are read again in less time than it takes to notice."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KeptReading:
    """The file that a reading is kept in, for the software of this digest alone."""

    path: Path
    software: str

    def load(self, log_keys: tuple[VerifierKey, ...]) -> Reading | None:
        """The reading, or `None` where there is none that can be gone on from."""
        try:
            software, _, saved = self.path.read_bytes().partition(b"\n")
            if software != self.software.encode():
                return None
            reading = load_reading(saved)
            open_checkpoint(reading.checkpoint, log_keys)
        except FileNotFoundError:
            return None
        except (OSError, InputError) as error:
            _log.warning("%s can't be gone on from; the ledger is read from its first entry: %s", self.path, error)
            return None
        return reading

    def save(self, reading: Reading) -> None:
        """Keep a reading. It can be made again, so nothing depends on whether this succeeds."""
        beside = self.path.with_name(f".{self.path.name}.new")
        try:
            beside.write_bytes(self.software.encode() + b"\n" + save_reading(reading))
            beside.replace(self.path)
        except OSError as error:
            _log.warning("what was read for the register can't be kept in %s: %s", self.path, error.strerror)


class LiveRegister:
    """Answers with the register at the log's newest checkpoint. For any number of threads.

    The first answer costs a reading of the log from where an `earlier` or kept reading ended, and every other one of
    what came since the last; so it depends on the months, agencies and reviews in the log, and not on how many searches
    there were. Where nothing came, it is the same answer.
    """

    def __init__(
        self,
        source: Source,
        log_keys: tuple[VerifierKey, ...],
        *,
        earlier: Reading | None = None,
        kept: KeptReading | None = None,
    ) -> None:
        self._source = source
        self._log_keys = log_keys
        self._reading = earlier
        self._kept = kept
        self._kept_size = 0
        self._register: Register | None = None
        self._files: dict[str, tuple[str, bytes]] = {}
        self._lock = Lock()

    def file(self, path: str) -> tuple[str, bytes]:
        """Return the media type and bytes of a file, by the names of `files.py`.

        Raises:
            NotFoundError: If the register has no file of that name.
            CorruptionError: If the log isn't what its checkpoint says, or not what it was.
            UnavailableError: If it can't be read now.
        """
        with self._lock:
            register = self._current()
            if path not in self._files:
                self._files[path] = register_file(register, path)
            return self._files[path]

    def register(self) -> Register:
        """Return the register; see `file`."""
        with self._lock:
            return self._current()

    def reading(self) -> Reading:
        """Return what has been read up to now, to be kept for the next start, or to make a report of."""
        self.register()
        if self._reading is None:
            raise ValueError("a register was built without a reading")
        return self._reading

    def _current(self) -> Register:
        if self._reading is None and self._kept is not None and (found := self._kept.load(self._log_keys)) is not None:
            self._reading, self._kept_size = found, found.state.size
        size = read_checkpoint(self._source, self._log_keys).checkpoint.size
        if self._register is None or self._reading is None or self._reading.state.size != size:
            self._reading = read_log(self._source, self._log_keys, earlier=self._reading)
            self._register = build_register(self._reading)
            self._files.clear()
            self._keep(self._reading)
        return self._register

    def _keep(self, reading: Reading) -> None:
        if self._kept is not None and reading.state.size - self._kept_size >= KEEP_EVERY_ENTRIES:
            self._kept.save(reading)
            self._kept_size = reading.state.size
