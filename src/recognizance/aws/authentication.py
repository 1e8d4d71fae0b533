"""Who sent a request: its signature, the key that made it, and that it was not sent before."""

from collections.abc import Callable
from datetime import datetime

from recognizance.access import Signer
from recognizance.aws.canonical import SignedRequest
from recognizance.aws.replay import ReplayMemory
from recognizance.aws.sigv4 import Fault, SignatureError, UnsignedPayload, verify
from recognizance.governance import Principal
from recognizance.identifiers import AccessKeyId

SERVICE = "rekognition"


SignerLookup = Callable[[AccessKeyId], Signer | None]
"""Gives who signs with a key, or `None` if there is no such key or it's switched off."""


class Authenticator:
    """Verifies signatures against the keys of this installation. Safe to use from several threads.

    Args:
        region: What clients have to sign for.
        clock: The time, aware.
    """

    def __init__(
        self, signer_of: SignerLookup, *, region: str, clock: Callable[[], datetime], memory: ReplayMemory
    ) -> None:
        self._signer_of = signer_of
        self._region = region
        self._clock = clock
        self._memory = memory

    def authenticate(self, request: SignedRequest, *, unsigned_payload: UnsignedPayload) -> tuple[Principal, bytes]:
        """Establish who sent `request`; gives the body that they signed beside it.

        Raises:
            SignatureError: If nobody known did, or it was sent before.
            ThrottledError: If too many requests came in the last minutes to remember them all.
        """
        signers: list[Signer] = []

        def secret_of(key_id: AccessKeyId, session_token: str | None) -> str | None:
            # Keys here are long-lived. One that comes with a session's token is none of them.
            signer = self._signer_of(key_id) if session_token is None else None
            if signer is None:
                return None
            signers.append(signer)
            return signer.secret

        now = self._clock()
        verified = verify(
            request,
            region=self._region,
            service=SERVICE,
            secret_of=secret_of,
            now=now,
            unsigned_payload=unsigned_payload,
        )
        if not self._memory.admit(verified.signature, expires_at=verified.expires_at, now=now):
            raise SignatureError(Fault.INVALID, "This signature was used before. Sign each request anew.")
        return signers[0].principal, verified.payload
