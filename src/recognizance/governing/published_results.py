"""What was published of evaluations, as files: result documents, and decisions to set labels aside.

The record holds hashes only. A file is named by the hash that the record leads to, so that nothing is ever overwritten
and no name that somebody chose leads anywhere. This store believes nothing: whoever shows a file compares its bytes
with the hash first (`evaluation.publication`). Backups hold the folder.

Implements docs/evaluation-gate.md, "Publishing an evaluation", and decision 0047.
"""

import os
import re
from enum import StrEnum
from pathlib import Path

from recognizance.errors import UnavailableError

FOLDER = "evaluations"
"""In the installation's data folder."""
MAX_FILE_BYTES = 64 << 20
"""A result document of 50 groups, 20 thresholds and 20 sizes has about 10 MB."""
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Form(StrEnum):
    """What a file is, as its name ends."""

    RESULT = "json"
    DECISION = "csv"


class PublishedResults:
    """Keeps files and finds them. Safe to share between threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, digest: str, form: Form) -> Path:
        """Where a file is, or would be.

        Raises:
            ValueError: If that is no SHA-256 in hexadecimal.
        """
        if not _DIGEST.fullmatch(digest):
            raise ValueError("a published file is named by its SHA-256")
        return self._folder / f"{digest}.{form}"

    def keep(self, digest: str, form: Form, data: bytes) -> Path:
        """Keep a file for good: whole and on the disk when this returns, or not there.

        Raises:
            UnavailableError: If it can't be written.
        """
        path = self.path(digest, form)
        # A name of its own for each writer: two may keep the same file at once.
        beside = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with beside.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise UnavailableError(f"{path} can't be written: {error.strerror}") from error
        return path

    def found(self, digest: str, form: Form) -> bytes | None:
        """What lies under a hash, not compared with it; `None` where nothing can be read."""
        return _read(self.path(digest, form))

    def placed(self, name: str) -> bytes | None:
        """A result that somebody put into the folder by hand, as `NAME.json`; `None` where there is none."""
        place = self._folder / f"{name}.{Form.RESULT}"
        # Names of evaluations may have slashes and dots, which must not lead anywhere.
        return _read(place) if place.resolve().parent == self._folder.resolve() else None


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes() if path.stat().st_size <= MAX_FILE_BYTES else None
    except (OSError, ValueError):
        return None
