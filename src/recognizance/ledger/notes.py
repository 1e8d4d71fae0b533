"""Signed notes: text with signature lines below it, and the keys that check them.

Implements c2sp.org/signed-note for the two types that a log needs: Ed25519 (0x01) and the timestamped Ed25519
cosignature of c2sp.org/tlog-cosignature (0x04).

    "A signed note consists of a text ending in newline (U+000A), followed by a blank line (only a newline), followed by
    one or more signature lines of this form: em dash (U+2014), space (U+0020), key name, space, base64-encoded
    signature, newline."

    "Signed notes MUST be valid UTF-8 and MUST NOT contain any ASCII control characters (those below U+0020) other than
    newline."

    "key ID = SHA-256(key name || 0x0A || signature type || public key)[:4]"

A key's name and id select which signatures it has to check; others are ignored, which is how keys are rotated and
witnesses added. Never trust the text of a note that `open_note` did not return. Pure: the time of a cosignature is an
argument.
"""

import base64
import binascii
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from typing import Protocol, Self

from recognizance.errors import InputError
from recognizance.ledger import ed25519

MAX_NOTE_BYTES = 1_000_000
"""As in Go's sumdb/note. The specification asks for a limit, but one that lets 16 signatures through."""

MAX_SIGNATURES = 100
"""As in Go's sumdb/note."""

MAX_KEY_NAME_CHARACTERS = 255
"""Of tlog-cosignature's `opaque cosigner_name<1..2^8-1>`."""

_KEY_ID_BYTES = 4
_TIMESTAMP_BYTES = 8
_PRIVATE_PREFIX = "PRIVATE+KEY"


class Algorithm(IntEnum):
    """The signature types that we sign and check; the number is part of a key's id."""

    ED25519 = 0x01
    COSIGNATURE_V1 = 0x04


class SignatureError(InputError):
    """No known key signed this, or a known key's signature is false."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line, checked by nobody yet.

    Attributes:
        blob: What follows the key id: 64 bytes, or 8 of time and 64.
    """

    name: str
    key_id: bytes
    blob: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.key_id) != _KEY_ID_BYTES or not self.blob:
            raise InputError(f"the signature of {self.name!r} is too short")

    @property
    def line(self) -> str:
        """The line as it stands in a note, with its newline."""
        return f"— {self.name} {_encode(self.key_id + self.blob)}\n"

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read one signature line, with its newline.

        Raises:
            InputError: If it isn't exactly one.
        """
        dash, _, rest = line.removesuffix("\n").partition(" ")
        name, _, encoded = rest.partition(" ")
        raw = _decode(encoded)
        signature = cls(name, raw[:_KEY_ID_BYTES], raw[_KEY_ID_BYTES:])
        if dash != "—" or signature.line != line:
            raise InputError("a signature line of the note isn't canonical")
        return signature


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A text and its signature lines. The text is not to be believed until `open_note` has checked it."""

    text: str
    signatures: tuple[Signature, ...]

    def __post_init__(self) -> None:
        if not self.text.endswith("\n"):
            raise InputError("the text of a note ends in a newline")
        if any(character < " " and character != "\n" for character in self.text):
            raise InputError("a note has no control characters")
        if not 1 <= len(self.signatures) <= MAX_SIGNATURES:
            raise InputError(f"a note has 1 to {MAX_SIGNATURES} signatures; this one has {len(self.signatures)}")

    @property
    def data(self) -> bytes:
        """The note as it is stored and sent."""
        return (self.text + "\n" + "".join(signature.line for signature in self.signatures)).encode()

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a note, checking its form but no signature.

        Raises:
            InputError: If the bytes aren't exactly one note.
        """
        if len(data) > MAX_NOTE_BYTES:
            raise InputError(f"the note has {len(data)} bytes; the limit is {MAX_NOTE_BYTES}")
        try:
            whole = data.decode()
        except UnicodeDecodeError as error:
            raise InputError("the note isn't UTF-8") from error
        # "the text is separated from the signatures by the last empty line in the note"
        text, separator, lines = whole.rpartition("\n\n")
        if not separator:
            raise InputError("the note has no blank line between text and signatures")
        if lines.count("\n") > MAX_SIGNATURES:
            raise InputError(f"the note has more than {MAX_SIGNATURES} signatures")
        note = cls(text + "\n", parse_signatures(lines))
        if note.data != data:
            raise InputError("the note isn't canonical")
        return note

    def signed_by(self, *signatures: Signature) -> "SignedNote":
        """Return this note with more signatures; one by the same key replaces the older one."""
        newer = {(signature.name, signature.key_id) for signature in signatures}
        kept = (old for old in self.signatures if (old.name, old.key_id) not in newer)
        return SignedNote(self.text, (*kept, *signatures))


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key and the name that it signs under."""

    name: str
    algorithm: Algorithm
    public_key: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.public_key) != ed25519.PUBLIC_KEY_BYTES:
            raise InputError(f"the key {self.name!r} has {len(self.public_key)} bytes; an Ed25519 key has 32")

    @property
    def id(self) -> bytes:
        """The four bytes by which signatures name this key."""
        material = self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public_key
        return sha256(material).digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        """Spell the key as `name+hash+base64`, the form that other tools take."""
        return f"{self.name}+{self.id.hex()}+{_encode(bytes([self.algorithm]) + self.public_key)}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `name+hash+base64`.

        Raises:
            InputError: If it isn't exactly one key of a known type, or its hash belongs to another key.
        """
        name, _, rest = text.partition("+")
        _, _, encoded = rest.partition("+")
        raw = _decode(encoded)
        try:
            key = cls(name, Algorithm(raw[0]), raw[1:])
        except (IndexError, ValueError) as error:
            raise InputError(f"the key {name!r} is of an unknown type") from error
        if str(key) != text:
            raise InputError(f"the key {name!r} isn't canonical, or its hash is that of another key")
        return key

    def made(self, signature: Signature) -> bool:
        """Tell whether a signature says that it is by this key."""
        return signature.name == self.name and hmac.compare_digest(signature.key_id, self.id)

    def verify(self, text: str, signature: Signature) -> int | None:
        """Refuse a signature unless it is by this key over `text`.

        Returns:
            When a cosignature was made, in seconds since 1970; `None` for a plain signature, which carries no time.

        Raises:
            SignatureError: If it isn't.
        """
        blob, message, time_s = signature.blob, text.encode(), None
        if self.algorithm is Algorithm.COSIGNATURE_V1:
            time_s = int.from_bytes(blob[:_TIMESTAMP_BYTES], "big")
            blob, message = blob[_TIMESTAMP_BYTES:], _cosigned(text, time_s)
        # "It MUST NOT exceed 2^63 - 1"
        is_timely = time_s is None or time_s < 2**63
        if not (self.made(signature) and is_timely and ed25519.is_valid(self.public_key, blob, message)):
            raise SignatureError(f"the signature of {self.name!r} is false")
        return time_s


class Signer(Protocol):
    """Whoever signs the checkpoints of a log: a key in memory here, a hardware token elsewhere."""

    @property
    def verifier(self) -> VerifierKey:
        """The public key of type Ed25519. Its name is the origin of the log."""
        ...

    def sign(self, text: str) -> Signature:
        """Sign the text of a note."""
        ...


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A secret key that signs notes as `name`: a `Signer`."""

    name: str
    seed: bytes = field(repr=False)
    verifier: VerifierKey = field(init=False, repr=False, compare=False)
    """The public key for plain signatures."""
    cosigner: VerifierKey = field(init=False, repr=False, compare=False)
    """The public key for cosignatures."""
    _signing: ed25519.SigningKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.seed) != ed25519.SEED_BYTES:
            raise InputError(f"the seed of the key {self.name!r} has {len(self.seed)} bytes; the limit is exactly 32")
        signing = ed25519.SigningKey(self.seed)
        object.__setattr__(self, "_signing", signing)
        object.__setattr__(self, "verifier", VerifierKey(self.name, Algorithm.ED25519, signing.public_key))
        object.__setattr__(self, "cosigner", VerifierKey(self.name, Algorithm.COSIGNATURE_V1, signing.public_key))

    def sign(self, text: str) -> Signature:
        """Sign the text of a note."""
        return Signature(self.name, self.verifier.id, self._signing.sign(text.encode()))

    def cosign(self, text: str, *, time_s: int) -> Signature:
        """State that at `time_s` the checkpoint with this text was the largest one seen (tlog-cosignature, v1)."""
        blob = time_s.to_bytes(_TIMESTAMP_BYTES, "big") + self._signing.sign(_cosigned(text, time_s))
        return Signature(self.name, self.cosigner.id, blob)

    def secret_text(self) -> str:
        """Spell the secret key as Go's sumdb/note does, to be written to a file that only its owner may read."""
        material = bytes([Algorithm.ED25519]) + self.seed
        return f"{_PRIVATE_PREFIX}+{self.name}+{self.verifier.id.hex()}+{_encode(material)}"

    @classmethod
    def parse_secret(cls, text: str) -> Self:
        """Read what `secret_text` wrote.

        Raises:
            InputError: If it isn't such a key. The message holds nothing of it.
        """
        private, key, name, _, encoded = (text.split("+", 4) + [""] * 4)[:5]
        raw = _decode(encoded)
        if f"{private}+{key}" != _PRIVATE_PREFIX or len(raw) != 1 + ed25519.SEED_BYTES:
            raise InputError("the text is not a secret key of the form PRIVATE+KEY+name+hash+base64")
        parsed = cls(name, raw[1:])
        if not hmac.compare_digest(parsed.secret_text().encode(), text.encode()):
            raise InputError("the secret key isn't canonical, or its hash is that of another key")
        return parsed


@dataclass(frozen=True, slots=True)
class OpenedNote:
    """A note with at least one true signature by a known key.

    Attributes:
        verified: The keys that signed it, each with the time of its cosignature, or `None` for a plain signature.
    """

    note: SignedNote
    verified: tuple[tuple[VerifierKey, int | None], ...]

    @property
    def text(self) -> str:
        """The text, now to be believed."""
        return self.note.text


def open_note(data: bytes, keys: Iterable[VerifierKey]) -> OpenedNote:
    """Read a note and check every signature by one of `keys`, ignoring all others.

    Raises:
        InputError: If the bytes aren't a note.
        SignatureError: If no known key signed it, or a signature by a known key is false.
    """
    note = SignedNote.parse(data)
    return OpenedNote(note, verified_by(note, keys))


def verified_by(note: SignedNote, keys: Iterable[VerifierKey]) -> tuple[tuple[VerifierKey, int | None], ...]:
    """Return which of `keys` signed the note.

    Raises:
        SignatureError: If none did, or a signature by one of them is false: "If a signature from a known key fails to
            verify, clients SHOULD reject the whole note."
    """
    verified: dict[VerifierKey, int | None] = {}
    known = tuple(keys)
    for signature in note.signatures:
        for key in known:
            if key.made(signature):
                verified[key] = key.verify(note.text, signature)
    if not verified:
        raise SignatureError("no known key signed the note")
    return tuple(verified.items())


def parse_signatures(lines: str) -> tuple[Signature, ...]:
    """Read signature lines, each with its newline, as a witness answers them.

    Raises:
        InputError: If there is anything else among them.
    """
    return tuple(Signature.parse(line + "\n") for line in lines.removesuffix("\n").split("\n"))


def join_signatures(signatures: Sequence[Signature]) -> str:
    """Write signature lines."""
    return "".join(signature.line for signature in signatures)


def decode_hash_line(line: str) -> bytes:
    """Read the base64 of one SHA-256 hash.

    Raises:
        InputError: If it isn't exactly one.
    """
    digest = _decode(line)
    if len(digest) != sha256().digest_size or encode_hash_line(digest) != line:
        raise InputError("a line that should be the base64 of a hash isn't")
    return digest


def encode_hash_line(digest: bytes) -> str:
    """Write the base64 of one SHA-256 hash."""
    return _encode(digest)


def parse_decimal(text: str) -> int:
    """Read "an ASCII decimal with no leading zeroes" that fits 63 bits.

    Raises:
        InputError: If it isn't one.
    """
    # Bounded and ASCII before int() sees it, which would take 4,300 digits of any script.
    if len(text) > len(str(2**63)) or not (text.isascii() and text.isdigit()) or str(int(text)) != text:
        raise InputError(f"{text[:20]!r} isn't a decimal number without leading zeros")
    number = int(text)
    if number >= 2**63:
        raise InputError(f"the number {text} is above 2**63 - 1")
    return number


def _cosigned(text: str, time_s: int) -> bytes:
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def _check_name(name: str) -> None:
    """Refuse a name that no key may have: "non-empty and MUST NOT contain any Unicode spaces or plus"."""
    if not 1 <= len(name) <= MAX_KEY_NAME_CHARACTERS:
        raise InputError(f"a key name has 1 to {MAX_KEY_NAME_CHARACTERS} characters; this one has {len(name)}")
    if "+" in name or any(character.isspace() or character < " " for character in name):
        raise InputError(f"the key name {name!r} has a space, a control character or a plus sign")


def _encode(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _decode(text: str) -> bytes:
    """Decode base64; spellings that aren't canonical are left to the caller, who writes the value out again."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError("malformed base64") from error
