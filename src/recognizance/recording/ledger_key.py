"""The key that signs the ledger's checkpoints: one file, drawn at the first start, that only its owner can read.

The key's name is the log's origin, so that both stay together: another origin is another log. The file is never
written over. Changing the key is an act of its own, with an entry that both keys sign.
"""

import os
import stat
from pathlib import Path

from recognizance.errors import InputError, UnavailableError
from recognizance.ledger import NoteKey

KEY_FILE = "ledger.key"
DEFAULT_ORIGIN_HOST = "recognizance.local"
_SEED_BYTES = 32
_ORIGIN_BYTES = 8
_MOST_BYTES = 1024


def read_key(path: Path, *, origin: str) -> NoteKey:
    """Read the key.

    Args:
        origin: What the settings say the log is called; empty accepts whatever it was called at the first start.

    Raises:
        InputError: If it is missing, malformed, readable by others, or of a log with another origin.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read(_MOST_BYTES).decode("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"can't read the ledger's key file {path}: {type(error).__name__}") from error
    if mode & 0o077:
        raise InputError(f"{path} has mode {mode:04o}; the ledger's key file has to have 0600 or 0400")
    key = NoteKey.parse_secret(text.removesuffix("\n"))
    if origin and key.name != origin:
        raise InputError(f"the setting ledger_origin is {origin!r}, but this ledger began as {key.name!r}")
    return key


def draw_key(path: Path, *, origin: str) -> NoteKey:
    """Draw a key into a new file, on the disk before this returns; if another process was faster, read what it drew.

    Args:
        origin: The log's name; empty draws one.

    Raises:
        UnavailableError: If the file can't be written.
        InputError: If the other process called the log something else.
    """
    name = origin or f"{DEFAULT_ORIGIN_HOST}/{os.urandom(_ORIGIN_BYTES).hex()}"
    key = NoteKey(name, os.urandom(_SEED_BYTES))
    # Written beside and linked into place, so that nobody ever reads half a key; a link is never written over.
    beside = path.with_name(f"{path.name}.new-{os.getpid()}")
    try:
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(key.secret_text() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(beside, path)
        except FileExistsError:
            return read_key(path, origin=origin)
        finally:
            beside.unlink()
        folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise UnavailableError(f"can't write the ledger's key file {path}: {error.strerror}") from error
    return key
