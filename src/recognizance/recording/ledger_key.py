"""The key that signs the ledger's checkpoints: one file, drawn at the first start, that only its owner can read.

The key's name is the log's origin, so that both stay together: another origin is another log. The file is never
written over. Changing the key is an act of its own, with an entry that both keys sign (`rotation.py`); the public keys
that the log signed with before stand beside it, so that its older checkpoints can be read.
"""

import os
import stat
from pathlib import Path

from recognizance.errors import InputError, UnavailableError
from recognizance.ledger import NoteKey, VerifierKey

KEY_FILE = "ledger.key"
NEXT_KEY_FILE = "ledger.key.next"
FORMER_KEYS_FILE = "ledger.former-keys"
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
        _sync(path.parent)
    except OSError as error:
        raise UnavailableError(f"can't write the ledger's key file {path}: {error.strerror}") from error
    return key


def read_former_keys(data: Path) -> tuple[VerifierKey, ...]:
    """The public keys that the log signed with before, the latest first; none if its key was never changed.

    Raises:
        InputError: If the file isn't one key a line.
        UnavailableError: If it can't be read.
    """
    try:
        text = (data / FORMER_KEYS_FILE).read_text(encoding="ascii")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise UnavailableError(f"can't read {data / FORMER_KEYS_FILE}: {type(error).__name__}") from error
    return tuple(VerifierKey.parse(line) for line in text.splitlines())


def known_keys(data: Path) -> tuple[VerifierKey, ...]:
    """All public keys of the log in a data folder, the one in use first.

    Raises:
        InputError: If its key is missing, malformed or readable by others.
    """
    current = read_key(data / KEY_FILE, origin="").verifier
    return (current, *(key for key in read_former_keys(data) if key != current))


def install_next_key(data: Path, former: VerifierKey) -> None:
    """Put the next key in the place of the one in use, whose public half stays known. Again changes nothing.

    Raises:
        UnavailableError: If a file can't be written. Then the key in use is still the one that it was.
    """
    known = read_former_keys(data)
    try:
        if former not in known:
            _write_durably(data / FORMER_KEYS_FILE, "".join(f"{key}\n" for key in (former, *known)))
        (data / NEXT_KEY_FILE).replace(data / KEY_FILE)
        _sync(data)
    except OSError as error:
        raise UnavailableError(f"can't change the ledger's key in {data}: {error.strerror}") from error


def _write_durably(path: Path, text: str) -> None:
    beside = path.with_name(f"{path.name}.new-{os.getpid()}")
    with beside.open("w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
