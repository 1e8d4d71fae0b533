"""The register of a log that is still growing: read on, when somebody asks, by as much as is new."""

from threading import Lock

from recognizance.ledger import Source, VerifierKey, read_checkpoint
from recognizance.register.files import register_file
from recognizance.register.reading import read_log
from recognizance.register.rows import Register
from recognizance.register.saved import Reading
from recognizance.register.sections import build_register


class LiveRegister:
    """Answers with the register at the log's newest checkpoint. For any number of threads.

    The first answer costs a reading of the whole log, unless an `earlier` one is given (`save_reading`).
    """

    def __init__(self, source: Source, log_keys: tuple[VerifierKey, ...], *, earlier: Reading | None = None) -> None:
        self._source = source
        self._log_keys = log_keys
        self._reading = earlier
        self._register: Register | None = None
        self._lock = Lock()

    def file(self, path: str) -> tuple[str, bytes]:
        """Return the media type and bytes of a file, by the names of `files.py`.

        Raises:
            NotFoundError: If the register has no file of that name.
            CorruptionError: If the log isn't what its checkpoint says, or not what it was.
            UnavailableError: If it can't be read now.
        """
        return register_file(self.register(), path)

    def register(self) -> Register:
        """Return the register; see `file`."""
        with self._lock:
            size = read_checkpoint(self._source, self._log_keys).checkpoint.size
            if self._register is None or self._reading is None or self._reading.state.size != size:
                self._reading = read_log(self._source, self._log_keys, earlier=self._reading)
                self._register = build_register(self._reading)
            return self._register

    def reading(self) -> Reading:
        """Return what has been read up to now, to be kept for the next start, or to make a report of."""
        self.register()
        if self._reading is None:
            raise ValueError("a register was built without a reading")
        return self._reading
