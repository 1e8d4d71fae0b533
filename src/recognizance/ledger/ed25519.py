"""Ed25519 signatures (RFC 8032): the one file of the ledger that imports `cryptography`.

Keys are 32 raw bytes on this side. Signing is deterministic: the same key and message give the same 64 bytes, so a
checkpoint that is signed again after a crash is the same checkpoint.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from recognizance.errors import InputError

SEED_BYTES = 32
PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64


class SigningKey:
    """A secret key, read once: deriving it from its seed costs as much as two signatures."""

    __slots__ = ("_key", "public_key")

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public_key: bytes = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Return the signature of `message`, 64 bytes."""
        return self._key.sign(message)

    def __repr__(self) -> str:
        return "SigningKey(...)"


def is_valid(key: bytes, signature: bytes, message: bytes) -> bool:
    """Tell whether `signature` is by the owner of this public key over exactly `message`.

    Raises:
        InputError: If the key's bytes aren't a point of the curve.
    """
    try:
        public = Ed25519PublicKey.from_public_bytes(key)
    except ValueError as error:
        raise InputError("the public key is not an Ed25519 key") from error
    try:
        public.verify(signature, message)
    except InvalidSignature:
        return False
    return True
