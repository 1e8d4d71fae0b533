"""Encryption at rest: the master key, the data keys that it wraps, and what those seal.

AES-256-GCM (NIST SP 800-38D) throughout, with a fresh random 96-bit nonce before each sealed value. A *data key* seals
what belongs together (one gallery, or all access keys); the *master key* seals nothing but data keys. Destroying a
wrapped data key therefore destroys everything under it, wherever copies of the sealed bytes still lie.

The additional authenticated data of each value, its *context*, says what the value is and whose. A sealed value moved
to another row, gallery or model does not open.

This module must never print, log or pickle a key, and never writes one anywhere but into the master key's own file.
"""

import hashlib
import os
import re
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from recognizance.errors import CorruptionError, InputError, UnavailableError

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
_ID_BYTES = 8
_SPELLING = re.compile(r"[0-9a-f]{64}")
_COMMAND_TIMEOUT_S = 30.0


def context(*parts: str) -> bytes:
    """What a sealed value is bound to; no two different lists of parts give the same bytes.

    >>> context("pack", "a") == context("packa")
    False
    """
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


class Secret:
    """Bytes that never show themselves: not in `repr`, a log line, a traceback's locals or a pickle."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        return self._value

    def __repr__(self) -> str:
        return "Secret(...)"

    def __reduce__(self) -> str:
        raise TypeError("a secret can't be pickled")


class DataKey:
    """Seals and opens the values of one gallery, or all access keys."""

    __slots__ = ("_cipher",)

    def __init__(self, key: Secret) -> None:
        self._cipher = AESGCM(key.reveal())

    def seal(self, plain: bytes, bound_to: bytes) -> bytes:
        # The nonce is drawn here and nowhere else: one that a caller could choose, a caller could repeat. SP 800-38D
        # allows 2**32 random nonces a key; 20 million faces stored one at a time, and removed again, use 1 % of that.
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, bound_to)

    def unseal(self, sealed: bytes, bound_to: bytes) -> bytes:
        """Undo `seal`.

        Raises:
            CorruptionError: If the bytes were changed, or belong to something else.
        """
        view = memoryview(sealed)
        try:
            return self._cipher.decrypt(view[:NONCE_BYTES], view[NONCE_BYTES:], bound_to)
        except (InvalidTag, ValueError) as error:
            raise CorruptionError("a sealed value does not open: it was changed, or belongs elsewhere") from error


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key under a master key, as it is stored."""

    value: bytes

    @property
    def master_id(self) -> bytes:
        """Names the master key without telling anything about it."""
        return self.value[:_ID_BYTES]


class MasterKey:
    """The key above all data keys; while it is being replaced, also those that it replaces.

    Attributes:
        id: Eight bytes that name the current key: the start of a SHA-256 over it, stored with each key that it wraps.
    """

    __slots__ = ("_keys", "id")

    def __init__(self, current: Secret, *, older: Sequence[Secret] = ()) -> None:
        """Take the key that wraps from now on, and keys that only unwrap.

        Raises:
            InputError: If one does not have 32 bytes.
        """
        if any(len(key.reveal()) != KEY_BYTES for key in (current, *older)):
            raise InputError(f"a master key has {KEY_BYTES} bytes")
        self.id = _key_id(current)
        self._keys = {_key_id(key): key for key in (*older, current)}

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read keys as a file, an environment variable or a command's output spells them.

        Each is 64 lower-case hexadecimal digits; white space separates them, and the first is the current one.

        Raises:
            InputError: Says what is wrong, and never what the text was.
        """
        words = text.split()
        if not words:
            raise InputError("the master key is empty")
        if not all(_SPELLING.fullmatch(word) for word in words):
            raise InputError("a master key is written as 64 lower-case hexadecimal digits")
        current, *older = (Secret(bytes.fromhex(word)) for word in words)
        return cls(current, older=older)

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read a key file that only its owner can read.

        Raises:
            InputError: If it is missing, malformed, or if the group or others may read or write it.
        """
        try:
            with path.open(encoding="ascii") as file:
                mode = os.fstat(file.fileno()).st_mode
                text = file.read(4096)
        except OSError as error:
            raise InputError(f"can't read the master key file {path}: {error.strerror}") from error
        except ValueError as error:
            raise InputError(f"the master key file {path} isn't text") from error
        if stat.S_IMODE(mode) & 0o077:
            raise InputError(f"{path} has mode {stat.S_IMODE(mode):04o}; a master key file has to have 0600 or 0400")
        return cls.parse(text)

    @classmethod
    def create_file(cls, path: Path) -> Self:
        """Draw a key into a new file of mode 0600, and have it on disk before returning.

        Raises:
            InputError: If the file exists. A master key is never overwritten: what it wraps would be lost.
            UnavailableError: If it can't be written.
        """
        text = os.urandom(KEY_BYTES).hex()
        _write_new(path, text + "\n")
        return cls.parse(text)

    @classmethod
    def from_command(cls, command: Sequence[str]) -> Self:
        """Ask a program, such as a vault's client, to print the key.

        Raises:
            UnavailableError: If it fails or takes longer than half a minute.
            InputError: If what it prints is no key.
        """
        try:
            done = subprocess.run(  # noqa: S603  # the operator's own settings name the program, and no shell is involved
                list(command), check=True, capture_output=True, timeout=_COMMAND_TIMEOUT_S, encoding="ascii"
            )
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            raise UnavailableError(f"the command for the master key failed: {type(error).__name__}") from error
        return cls.parse(done.stdout)

    def wrap(self, data_key: Secret, bound_to: bytes) -> WrappedKey:
        sealed = DataKey(self._keys[self.id]).seal(data_key.reveal(), context("data key") + bound_to)
        return WrappedKey(self.id + sealed)

    def unwrap(self, wrapped: WrappedKey, bound_to: bytes) -> Secret:
        """Undo `wrap`.

        Raises:
            InputError: If this is the wrong master key.
            CorruptionError: If the wrapped key was changed, or belongs to something else.
        """
        key = self._keys.get(wrapped.master_id)
        if key is None:
            raise InputError(
                f"the records were sealed under the master key {wrapped.master_id.hex()}; this one is {self.id.hex()}"
            )
        return Secret(DataKey(key).unseal(wrapped.value[_ID_BYTES:], context("data key") + bound_to))


def new_data_key() -> Secret:
    return Secret(AESGCM.generate_key(KEY_BYTES * 8))


def replace_key_file(path: Path, *, keep_older: bool) -> MasterKey:
    """Put a fresh current key into `path`, or drop the older ones from it; the file is whole at every moment.

    Rotation takes both steps, with `Records.rewrap` between them: while data keys are rewrapped the file holds the new
    key and the old one, so that a crash leaves nothing that can't be opened.

    Args:
        keep_older: True adds a new current key before those present. False keeps only the current one.
    """
    MasterKey.from_file(path)  # proves that the file is well-formed and private
    words = path.read_text(encoding="ascii").split()
    words = [os.urandom(KEY_BYTES).hex(), *words] if keep_older else words[:1]
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    _write_new(beside, "".join(word + "\n" for word in words))
    beside.replace(path)
    _sync_folder(path.parent)
    return MasterKey.parse(" ".join(words))


def _key_id(key: Secret) -> bytes:
    return hashlib.sha256(b"recognizance master key id\x00" + key.reveal()).digest()[:_ID_BYTES]


def _write_new(path: Path, text: str) -> None:
    try:
        # O_EXCL refuses a link as well as a file, so nobody can have the key written where they can read it.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise InputError(f"{path} exists; a master key is never overwritten") from error
    except OSError as error:
        raise UnavailableError(f"can't create {path}: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise UnavailableError(f"can't write {path}: {error.strerror}") from error
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
