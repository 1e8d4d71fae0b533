"""Passkeys: what a browser is asked for, and whether what it answers proves anything (Web Authentication Level 2).

The only file that imports fido2. A passkey is a key pair that never leaves its owner's device; we keep the public half.
Attestation is not asked for: which maker's device somebody uses is none of our business. Challenges carry their own
proof (a random number, when they end, and a MAC over both, over what they are for and over the browser's session), so
that a stranger who loads a page makes the service keep nothing; one that was used is remembered until it ends.

Never takes an answer that was made for another site, another purpose or another browser. Reads no clock and no records.
"""

import base64
import hmac
import json
import struct
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestationConveyancePreference,
    AttestedCredentialData,
    AuthenticationResponse,
    CollectedClientData,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from recognizance.errors import AuthenticationError

LASTS = timedelta(minutes=10)
"""How long somebody may look for their device; pages are left open while they do."""

MOST_ANSWER_CHARACTERS = 16_384
_NONCE_BYTES = 16
_MOMENT_BYTES = 8
_MAC_BYTES = 32
_ALGORITHMS = frozenset({-7, -8, -257})
"""ES256, EdDSA and RS256 (RFC 8152, RFC 8812): what every authenticator has one of."""

# What a parser of CBOR, COSE keys and JSON raises for bytes that are none.
_MALFORMED = (ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, struct.error, RecursionError)


class PasskeyError(AuthenticationError):
    """What the browser answered proves nothing. Why, nobody but the log is told."""


class Aim(StrEnum):
    """What a challenge was drawn for; an answer to one counts for no other."""

    ADD = "add"
    SIGN_IN = "sign_in"
    SECOND_FACTOR = "second_factor"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class Place:
    """Where our pages are, as the browser sees it.

    Attributes:
        site: The host name, which a passkey is bound to for good (the specification's RP ID).
        origin: Scheme, host and port.
    """

    site: str
    origin: str
    service_name: str


@dataclass(frozen=True, slots=True)
class NewCredential:
    """A public key that a browser has just made.

    Attributes:
        credential: Attested credential data, WebAuthn 6.5.1: identifier and public key.
    """

    id: bytes
    credential: bytes
    counter: int


@dataclass(frozen=True, slots=True)
class Assertion:
    """An answer that was read and not yet verified.

    Attributes:
        handle: Whom the device says that it belongs to; empty if it doesn't say.
    """

    id: bytes
    handle: bytes
    challenge: bytes
    counter: int
    is_verified: bool
    _answer: Mapping[str, Any] = field(repr=False)

    def verify(self, place: Place, credential: bytes) -> None:
        """Prove that the owner of this very credential answered this very challenge here.

        Raises:
            PasskeyError: If they didn't.
        """
        state = {"challenge": _websafe(self.challenge), "user_verification": UserVerificationRequirement.PREFERRED}
        try:
            kept = AttestedCredentialData(credential)
            _server(place).authenticate_complete(state, [kept], self._answer)
        except (*_MALFORMED, NotImplementedError) as error:
            raise PasskeyError("the passkey's answer doesn't verify") from error


class Challenges:
    """Draws challenges and takes each back once. Safe to share between threads.

    Args:
        key: 32 bytes, of this installation, for nothing else.
    """

    def __init__(self, key: bytes, *, clock: Callable[[], datetime], random_bytes: Callable[[int], bytes]) -> None:
        self._key = key
        self._clock = clock
        self._random_bytes = random_bytes
        self._lock = threading.Lock()
        self._spent: dict[bytes, int] = {}

    def draw(self, aim: Aim, browser: str) -> bytes:
        """A challenge for one purpose in one browser.

        Args:
            browser: What only this browser has: the token of its session, or of its visit.
        """
        nonce = self._random_bytes(_NONCE_BYTES)
        ends = int((self._clock() + LASTS).timestamp()).to_bytes(_MOMENT_BYTES, "big")
        return nonce + ends + self._mac(aim, browser, nonce + ends)

    def spend(self, challenge: bytes, aim: Aim, browser: str) -> None:
        """Take a challenge back; after this it is worth nothing.

        Raises:
            PasskeyError: If it isn't ours, was drawn for something else, has ended, or was used.
        """
        shown, mac = challenge[: _NONCE_BYTES + _MOMENT_BYTES], challenge[_NONCE_BYTES + _MOMENT_BYTES :]
        if len(mac) != _MAC_BYTES or not hmac.compare_digest(mac, self._mac(aim, browser, shown)):
            raise PasskeyError("the challenge isn't one of this page's")
        now, ends = int(self._clock().timestamp()), int.from_bytes(shown[_NONCE_BYTES:], "big")
        with self._lock:
            self._spent = {each: until for each, until in self._spent.items() if until > now}
            if ends <= now or shown in self._spent:
                raise PasskeyError("the challenge has ended")
            # Only who solved one gets here, so strangers don't fill it.
            self._spent[shown] = ends

    def _mac(self, aim: Aim, browser: str, shown: bytes) -> bytes:
        return hmac.digest(self._key, shown + f"{aim.value}\n{browser}".encode(), "sha256")


def creation_options(place: Place, challenge: bytes, *, handle: bytes, login: str, known: Iterable[bytes]) -> str:
    """What the browser is asked for to make a passkey: JSON for `navigator.credentials.create`.

    It has to be discoverable, so that it can serve without a login, and its owner verified by the device.

    Args:
        handle: Says whose it is, without saying who that is.
        known: Credentials that exist already, so that one device isn't taken twice.
    """
    server = _server(place)
    server.allowed_algorithms = [each for each in server.allowed_algorithms if each.alg in _ALGORITHMS]
    options, _state = server.register_begin(
        PublicKeyCredentialUserEntity(name=login, id=handle, display_name=login),
        [AttestedCredentialData(each) for each in known],
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=UserVerificationRequirement.REQUIRED,
        challenge=challenge,
    )
    return json.dumps(cast("Mapping[str, Any]", dict(options))["publicKey"])


def request_options(place: Place, challenge: bytes, *, known: Iterable[bytes], must_verify: bool) -> str:
    """What the browser is asked for to use a passkey: JSON for `navigator.credentials.get`.

    Args:
        known: Which will do; none for whichever the device has for this site.
        must_verify: Whether the device has to verify its owner (PIN, finger, face) and not just see somebody.
    """
    wanted = UserVerificationRequirement.REQUIRED if must_verify else UserVerificationRequirement.PREFERRED
    options, _state = _server(place).authenticate_begin(
        [AttestedCredentialData(each) for each in known] or None, user_verification=wanted, challenge=challenge
    )
    return json.dumps(cast("Mapping[str, Any]", dict(options))["publicKey"])


def read_creation(answer: str, place: Place) -> tuple[bytes, NewCredential]:
    """The challenge that was answered, and the new credential, verified but for whether the challenge is ours.

    Raises:
        PasskeyError: If it is malformed, of another site, without its owner verified, or of an algorithm not asked for.
    """
    values = _json(answer)
    try:
        read = RegistrationResponse.from_dict(values)
        client: CollectedClientData = read.response.client_data
        state = {"challenge": _websafe(client.challenge), "user_verification": UserVerificationRequirement.REQUIRED}
        made = _server(place).register_complete(state, values)
        data = made.credential_data
        if data is None or data.public_key[3] not in _ALGORITHMS or data.credential_id != read.raw_id:
            raise PasskeyError("the credential isn't one that was asked for")
        if client.cross_origin:
            raise PasskeyError("the credential was made inside another site's page")
    except _MALFORMED as error:
        raise PasskeyError("the passkey's answer doesn't verify") from error
    return client.challenge, NewCredential(data.credential_id, bytes(data), made.counter)


def read_assertion(answer: str) -> Assertion:
    """An answer of `navigator.credentials.get`, to be verified with the credential that it names.

    Raises:
        PasskeyError: If it is malformed, or was made inside another site's page.
    """
    values = _json(answer)
    try:
        read = AuthenticationResponse.from_dict(values)
        client, data = read.response.client_data, read.response.authenticator_data
        found = Assertion(
            id=read.raw_id,
            handle=read.response.user_handle or b"",
            challenge=client.challenge,
            counter=data.counter,
            is_verified=data.is_user_verified(),
            _answer=values,
        )
        is_framed = bool(client.cross_origin)
    except _MALFORMED as error:
        raise PasskeyError("the passkey's answer can't be read") from error
    if is_framed:
        raise PasskeyError("the answer was made inside another site's page")
    return found


def _server(place: Place) -> Fido2Server:
    return Fido2Server(
        PublicKeyCredentialRpEntity(id=place.site, name=place.service_name),
        attestation=AttestationConveyancePreference.NONE,
        verify_origin=lambda origin: origin == place.origin,
    )


def _json(answer: str) -> Mapping[str, Any]:
    if len(answer) > MOST_ANSWER_CHARACTERS:
        raise PasskeyError(f"the passkey's answer is longer than {MOST_ANSWER_CHARACTERS} characters")
    try:
        values = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise PasskeyError("the passkey's answer is no JSON") from error
    if not isinstance(values, dict):
        raise PasskeyError("the passkey's answer is no object")
    return cast("Mapping[str, Any]", values)


def _websafe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
