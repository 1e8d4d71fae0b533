"""Sessions: short-lived credentials on behalf of one use, which hold everything that they stand for in their token.

Nothing about a session is stored. Its token is sealed (AES-256-GCM under a key of this installation alone) and holds
who asked, with which long-lived key, for which use, what was stated, and until when; its secret is derived from the
token under a second key. So a token that was changed, invented or made by another installation opens nothing, and one
that runs out needs no cleaning up. What can change in the meantime isn't in the token: the long-lived key has to be
active and the use has to hold on every call, and it is the policy that looks at the use.

Implements `docs/on-whose-behalf.md`, "Sessions". Never grants anything: a session says on whose behalf a request comes,
and the policy still decides about the request.
"""

import base64
import hmac
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from recognizance.errors import AuthenticationError, InputError
from recognizance.governance import Asking, Credential, Grounds
from recognizance.governance.parties import UseId
from recognizance.governance.purposes import OffenceCode
from recognizance.governing.access import Signer
from recognizance.identifiers import AccessKeyId

KEY_PREFIX = "RCGS"
"""Session keys are told from long-lived ones at sight, as at AWS."""

SHORTEST = timedelta(seconds=900)
LONGEST = timedelta(seconds=43_200)
"""The bounds of `DurationSeconds` in the STS service model."""

_VERSION = 1
_NONCE_BYTES = 12
_ID_RANDOM_BYTES = 10
_SECRET_BYTES = 30
_MAX_TOKEN_CHARACTERS = 8_192
_FIELDS = {
    "version": int,
    "key": str,
    "issued_by": str,
    "use": str,
    "name": str,
    "case": str,
    "justification": str,
    "offence": str,
    "expires": int,
}


class ExpiredSessionError(AuthenticationError):
    """The session was ours, and its time has passed."""


@dataclass(frozen=True, slots=True)
class Session:
    """What a session stands for.

    Attributes:
        issued_by: The long-lived key that asked for it; switching that off ends the session.
        name: As the caller chose it; in the session's ARN.
        grounds: What was stated when it began.
    """

    key_id: AccessKeyId
    issued_by: AccessKeyId
    use: UseId
    name: str
    grounds: Grounds
    expires: datetime


@dataclass(frozen=True, slots=True)
class IssuedSession:
    """A session with its credentials, at the only moment when they are put together."""

    session: Session
    secret: str = field(repr=False)
    token: str = field(repr=False)


class SessionTokens:
    """Makes and opens session tokens. Safe to share between threads.

    Args:
        sealing_key, secrets_key: 32 bytes each, of this installation alone, for nothing else.
        clock: The time, aware.
        random_bytes: `os.urandom`, or a test's own; nonces are always the system's.
    """

    def __init__(
        self,
        *,
        sealing_key: bytes,
        secrets_key: bytes,
        clock: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._cipher = AESGCM(sealing_key)
        self._secrets_key = secrets_key
        self._clock = clock
        self._random_bytes = random_bytes

    def issue(
        self, *, issued_by: AccessKeyId, use: UseId, name: str, grounds: Grounds, lasts: timedelta
    ) -> IssuedSession:
        """Begin a session. Whether the caller may is for the policy to say, before this is called.

        Raises:
            InputError: If it is to last for less or more than STS allows.
        """
        if not SHORTEST <= lasts <= LONGEST:
            raise InputError(
                f"a session lasts {SHORTEST.total_seconds():.0f} to {LONGEST.total_seconds():.0f} seconds,"
                f" not {lasts.total_seconds():.0f}"
            )
        key_id = AccessKeyId(KEY_PREFIX + base64.b32encode(self._random_bytes(_ID_RANDOM_BYTES)).decode())
        # To the second, as the answer and the token both say it.
        expires = (self._clock() + lasts).astimezone(UTC).replace(microsecond=0)
        session = Session(key_id, issued_by, use, name, grounds, expires)
        # SP 800-38D allows 2**32 random nonces a key: one session a second for 136 years.
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, _written(session), key_id.encode())
        token = base64.urlsafe_b64encode(sealed).decode()
        return IssuedSession(session, self._secret(token), token)

    def open(self, key_id: AccessKeyId, token: str) -> IssuedSession | None:
        """The session of a token; `None` if we didn't make it, or not for this key id.

        Raises:
            ExpiredSessionError: If we did, and its time has passed.
        """
        if len(token) > _MAX_TOKEN_CHARACTERS:
            return None
        try:
            sealed = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
            plain = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], key_id.encode())
        except (InvalidTag, ValueError):
            return None
        # A token has one spelling: base64 leaves bits at its end that nobody reads.
        if base64.urlsafe_b64encode(sealed).decode() != token:
            return None
        session = _read(plain)
        if session is None or session.key_id != key_id:
            return None
        if self._clock() >= session.expires:
            raise ExpiredSessionError("The security token included in the request is expired")
        return IssuedSession(session, self._secret(token), token)

    def _secret(self, token: str) -> str:
        return base64.b64encode(hmac.digest(self._secrets_key, token.encode(), "sha256")[:_SECRET_BYTES]).decode()


class SessionSigners:
    """Says who signs, with long-lived keys and with sessions. Implements `aws.authentication.SignerLookup`.

    Args:
        signer_of: Who signs with a long-lived key; `None` if there is none of this id or it is switched off.
    """

    def __init__(self, signer_of: Callable[[AccessKeyId], Signer | None], tokens: SessionTokens) -> None:
        self._signer_of = signer_of
        self._tokens = tokens

    def __call__(self, key_id: AccessKeyId, token: str | None) -> Signer | None:
        """Who signs with this key and token; `None` if nobody does.

        Raises:
            ExpiredSessionError: If the token's time has passed.
        """
        if token is None:
            return self._signer_of(key_id)
        opened = self._tokens.open(key_id, token)
        if opened is None:
            return None
        session = opened.session
        issuer = self._signer_of(session.issued_by)
        if issuer is None:
            return None
        asking = Asking(Credential.SESSION, use=session.use, bound_use=session.use, grounds=session.grounds)
        return Signer(issuer.principal, opened.secret, asking, session_name=session.name)


def _written(session: Session) -> bytes:
    grounds = session.grounds
    values = {
        "version": _VERSION,
        "key": session.key_id,
        "issued_by": session.issued_by,
        "use": session.use,
        "name": session.name,
        "case": grounds.case or "",
        "justification": grounds.justification or "",
        "offence": grounds.offence or "",
        "expires": int(session.expires.timestamp()),
    }
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()


def _read(plain: bytes) -> Session | None:
    """Read what `_written` wrote; `None` if a later version of this program did."""
    values = json.loads(plain)
    if values.get("version") != _VERSION or {name: type(value) for name, value in values.items()} != _FIELDS:
        return None
    return Session(
        key_id=AccessKeyId(values["key"]),
        issued_by=AccessKeyId(values["issued_by"]),
        use=UseId(values["use"]),
        name=values["name"],
        grounds=Grounds(
            case=values["case"] or None,
            justification=values["justification"] or None,
            offence=OffenceCode(values["offence"]) if values["offence"] else None,
        ),
        expires=datetime.fromtimestamp(values["expires"], UTC),
    )
