"""Who asks: the ways to sign in to this API, each of which turns a request into an actor.

A signature (AWS Signature Version 4 for the service `recognizance`) proves who asks without sending a secret, and works
for sessions of `AssumeRole` too. HTTP Basic (RFC 7617) with an access key's two halves is for curl and simple tools,
and taken only where nobody can listen. Pages bring a third way of their own (`Identification`).

Never says why somebody isn't known beyond what the protocol needs, and never what they may: that is for the policy.
"""

import base64
import binascii
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from recognizance.aws import Authenticator, SignedRequest, UnsignedPayload
from recognizance.errors import AuthenticationError
from recognizance.governing.access import Signer
from recognizance.governing.registration import Actor
from recognizance.identifiers import AccessKeyId

SERVICE = "recognizance"
"""What a request has to be signed for."""

REALM = 'Basic realm="recognizance", charset="UTF-8"'
"""What is missing, as RFC 7617 says it."""

_BASIC = "basic "
_SIGNED = "aws4-"
_NOBODYS_SECRET = "0" * 40


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request before it is known who sent it.

    Attributes:
        is_private: Whether nobody can have read or changed it on its way.
        address: Where it comes from, as the connection or the proxy says.
    """

    request: SignedRequest
    is_private: bool
    address: str

    def header(self, name: str) -> str | None:
        """The only value of a header; `None` without it, or with several."""
        values = [value for key, value in self.request.headers if key == name]
        return values[0] if len(values) == 1 else None


@dataclass(frozen=True, slots=True)
class Identified:
    """Who sent a request, and the body that they vouch for: parse this and not the request's own."""

    actor: Actor
    payload: bytes
    session_name: str | None = None


class Identification(Protocol):
    """One way to sign in."""

    def identify(self, incoming: Incoming) -> Identified | None:
        """Say who asks; `None` if the request doesn't try to sign in this way.

        Raises:
            AuthenticationError: If it tries and fails.
            ThrottledError: If it has to wait.
        """
        ...


class BySignature:
    """AWS Signature Version 4, with long-lived keys and with sessions."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator

    def identify(self, incoming: Incoming) -> Identified | None:
        authorization = (incoming.header("authorization") or "").lower()
        if not authorization.startswith(_SIGNED) and "X-Amz-Signature=" not in incoming.request.query:
            return None
        sender = self._authenticator.authenticate(
            incoming.request,
            unsigned_payload=UnsignedPayload.ACCEPT if incoming.is_private else UnsignedPayload.REFUSE,
            service=SERVICE,
        )
        signer = sender.signer
        return Identified(Actor(signer.principal, signer.asking), sender.payload, signer.session_name)


class ByKey:
    """HTTP Basic: an access key's id as user, its secret as password.

    Args:
        signer_of: Whose key it is; `None` if there is none of this id or it is switched off.
    """

    def __init__(self, signer_of: Callable[[AccessKeyId], Signer | None]) -> None:
        self._signer_of = signer_of

    def identify(self, incoming: Incoming) -> Identified | None:
        authorization = incoming.header("authorization") or ""
        if not authorization.lower().startswith(_BASIC):
            return None
        if not incoming.is_private:
            raise AuthenticationError("a secret is sent over https or on this machine only; sign the request instead")
        key_id, secret = _pair(authorization[len(_BASIC) :])
        signer = self._signer_of(AccessKeyId(key_id))
        known = _NOBODYS_SECRET if signer is None else signer.secret
        # Compared whether or not the key is known, so that both take as long.
        matches = hmac.compare_digest(known.encode(), secret.encode())
        if signer is None or not matches:
            raise AuthenticationError("there is no active access key with this id and secret")
        return Identified(Actor(signer.principal, signer.asking), incoming.request.body)


class FirstThatKnows:
    """Several ways to sign in, of which a request uses one."""

    def __init__(self, ways: Sequence[Identification]) -> None:
        self._ways = tuple(ways)

    def identify(self, incoming: Incoming) -> Identified | None:
        for way in self._ways:
            if (identified := way.identify(incoming)) is not None:
                return identified
        if incoming.header("authorization") is not None:
            raise AuthenticationError("this way to sign in isn't known; use HTTP Basic or a signature")
        return None


def _pair(encoded: str) -> tuple[str, str]:
    """RFC 7617, section 2: user-id and password are separated by the first colon."""
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        raise AuthenticationError("the credentials can't be read") from None
    key_id, _, secret = text.partition(":")
    return key_id, secret
