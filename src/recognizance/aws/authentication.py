"""Who sent a request: its signature, the key that made it, and that it was not sent before."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from recognizance.aws.canonical import SignedRequest
from recognizance.aws.replay import ReplayMemory
from recognizance.aws.sigv4 import Fault, SignatureError, UnsignedPayload, verify
from recognizance.errors import AuthenticationError
from recognizance.governing.access import Signer
from recognizance.identifiers import AccessKeyId

SERVICE = "rekognition"
STS_SERVICE = "sts"


SignerLookup = Callable[[AccessKeyId, str | None], Signer | None]
"""Gives who signs with a key and a session token (`None` without one), or `None` if nobody does.

Raises `AuthenticationError` if somebody did, until the session's time passed.
"""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a request, and the body that they signed: parse this and not the request's own."""

    key_id: AccessKeyId
    signer: Signer
    payload: bytes


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

    def authenticate(
        self, request: SignedRequest, *, unsigned_payload: UnsignedPayload, service: str = SERVICE
    ) -> Sender:
        """Establish who sent `request`.

        Args:
            service: What it has to be signed for.

        Raises:
            SignatureError: If nobody known did, their session is over, or it was sent before.
            ThrottledError: If too many requests came in the last minutes to remember them all.
        """
        signers: list[Signer] = []

        def secret_of(key_id: AccessKeyId, session_token: str | None) -> str | None:
            try:
                signer = self._signer_of(key_id, session_token)
            except AuthenticationError as error:
                raise SignatureError(Fault.EXPIRED, str(error)) from error
            if signer is None:
                return None
            signers.append(signer)
            return signer.secret

        now = self._clock()
        verified = verify(
            request,
            region=self._region,
            service=service,
            secret_of=secret_of,
            now=now,
            unsigned_payload=unsigned_payload,
        )
        if not self._memory.admit(verified.signature, expires_at=verified.expires_at, now=now):
            raise SignatureError(Fault.INVALID, "This signature was used before. Sign each request anew.")
        return Sender(verified.access_key_id, signers[0], verified.payload)
