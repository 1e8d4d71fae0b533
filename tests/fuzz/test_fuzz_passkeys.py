"""Passkeys' answers, mutated: each is verified or refused with our own error, and nothing is verified that was changed.

The answers begin as good ones, of an authenticator that this file plays itself: client data, authenticator data with an
attested key in COSE (RFC 9052), an attestation object in CBOR (RFC 8949), signatures. Mutations reach each of these
layers before they are packed again, because noise on the outside never gets past base64.

`RECOGNIZANCE_TEST_FUZZ_ROUNDS=1000000 pytest tests/fuzz` runs it for longer.
"""

import base64
import hashlib
import json
import os
import random
import struct
import tracemalloc
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor

from recognizance.governing.passkeys import (
    MOST_ANSWER_CHARACTERS,
    Assertion,
    PasskeyError,
    Place,
    read_assertion,
    read_creation,
)

ROUNDS = int(os.environ.get("RECOGNIZANCE_TEST_FUZZ_ROUNDS", "1000"))
PLACE = Place("faces.example", "https://faces.example", "Recognizance")
CHALLENGE = b"a challenge that this page drew, of 56 bytes, as long as ours"
ATTESTED, VERIFIED, PRESENT, EXTENDED = 0x40, 0x04, 0x01, 0x80

Change = Callable[[str, bytes], bytes]


def unchanged(_layer: str, data: bytes) -> bytes:
    return data


@dataclass(frozen=True)
class Device:
    """An authenticator with one key of P-256."""

    key: ec.EllipticCurvePrivateKey
    id: bytes = b"credential-of-this-very-device-32"

    def cose(self) -> dict[Any, Any]:
        numbers = self.key.public_key().public_numbers()
        return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}

    def credential(self, change: Change) -> bytes:
        """Attested credential data (WebAuthn 6.5.1)."""
        key = change("cose", cbor.encode(self.cose()))
        return bytes(16) + change("length", struct.pack(">H", len(self.id))) + self.id + key

    def data(self, flags: int, attested: bytes, change: Change) -> bytes:
        """Authenticator data (WebAuthn 6.1)."""
        site = hashlib.sha256(PLACE.site.encode()).digest()
        return change("authenticator", site + bytes([flags]) + struct.pack(">I", 7) + attested)

    def creation(self, change: Change = unchanged) -> str:
        client = change("client", client_data("webauthn.create"))
        data = self.data(ATTESTED | VERIFIED | PRESENT, self.credential(change), change)
        made = change("attestation", cbor.encode({"fmt": "none", "attStmt": {}, "authData": data}))
        response = {"clientDataJSON": text(client), "attestationObject": text(made)}
        return change("json", answered(self.id, response).encode()).decode(errors="replace")

    def assertion(self, change: Change = unchanged) -> str:
        client = client_data("webauthn.get")
        data = self.data(VERIFIED | PRESENT, b"", unchanged)
        signed = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": text(change("client", client)),
            "authenticatorData": text(change("authenticator", data)),
            "signature": text(change("signature", signed)),
            "userHandle": text(change("handle", b"whose it is")),
        }
        return change("json", answered(self.id, response).encode()).decode(errors="replace")


def client_data(kind: str) -> bytes:
    said = {"type": kind, "challenge": text(CHALLENGE), "origin": PLACE.origin, "crossOrigin": False}
    return json.dumps(said).encode()


def answered(credential: bytes, response: dict[str, str]) -> str:
    named = {"id": text(credential), "rawId": text(credential), "type": "public-key", "clientExtensionResults": {}}
    return json.dumps({**named, "response": response})


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


HEADS = [bytes([major << 5 | low]) for major in range(8) for low in (0, 23, 24, 25, 26, 27, 28, 31)]
"""The first bytes of CBOR items: every major type, with small, long, reserved and open lengths."""
BOMBS = [
    b"\x9f" * 3_000, b"\x81" * 3_000, b"\xa1\x01" * 2_000, b"\xbf" * 500, b"\xc1" * 3_000, b"\x9b" + b"\xff" * 8,
    b"\x5b\x7f" + b"\xff" * 7, b"\xbb" + b"\xff" * 8, b"\xfb" + b"\x7f\xf0" + bytes(6), b"{" * 2_000, b'{"a":' * 2_000,
    b"[" * 5_000, b"\xff\xfe", b"\xed\xa0\x80", b"9" * 6_000,
]  # fmt: skip


def mutated(rng: random.Random, data: bytes) -> bytes:
    """Change, remove, repeat or insert a few bytes, some of them such as begin something long or deep."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        place, kind = rng.randrange(len(changed) + 1), rng.randrange(6)
        if kind == 0 and changed:
            changed[min(place, len(changed) - 1)] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del changed[place : place + rng.randint(1, 12)]
        elif kind == 2:
            changed[place:place] = changed[place : place + rng.randint(1, 40)]
        elif kind == 3:
            changed[place : place + 1] = rng.choice(HEADS)
        elif kind == 4:
            changed[place : place + rng.randrange(2)] = rng.choice(BOMBS)
        else:
            changed = changed[:place]
    # Some changes are none, such as repeating what is behind the end.
    return bytes(changed) if changed != data else mutated(rng, data)


def mutating(rng: random.Random, layers: list[str]) -> tuple[Change, str]:
    """Changes one layer, drawn at random."""
    chosen = rng.choice(layers)

    def change(layer: str, data: bytes) -> bytes:
        return mutated(rng, data) if layer == chosen else data

    return change, chosen


@pytest.fixture(scope="module")
def device() -> Device:
    return Device(ec.generate_private_key(ec.SECP256R1()))


def verified(answer: str, credential: bytes) -> Assertion | None:
    """The answer, if it is one of this credential to a challenge of ours; nothing but `PasskeyError` may come."""
    try:
        found = read_assertion(answer)
        found.verify(PLACE, credential)
    except PasskeyError:
        return None
    return found


def test_what_this_device_answers_is_taken(device: Device) -> None:
    """Without which a fuzzer that refuses everything would prove nothing."""
    challenge, made = read_creation(device.creation(), PLACE)
    found = verified(device.assertion(), made.credential)
    assert (challenge, made.id) == (CHALLENGE, device.id)
    assert found is not None
    assert (found.challenge, found.counter, found.is_verified) == (CHALLENGE, 7, True)


def test_mutated_creations_are_taken_or_refused(device: Device) -> None:
    """Whatever comes of it is a value with a key that can verify, or our own error."""
    rng, ends = random.Random(20261122), Counter[str]()
    layers = ["json", "client", "attestation", "authenticator", "length", "cose"]
    for _ in range(ROUNDS):
        change, layer = mutating(rng, layers)
        try:
            _challenge, made = read_creation(device.creation(change), PLACE)
        except PasskeyError:
            ends[layer] += 1
        else:
            ends["taken"] += 1
            # A key that was taken never makes verifying fail in a way of its own.
            verified(device.assertion(), made.credential)
    assert set(ends) >= set(layers)
    assert ends.total() == ROUNDS


def test_a_mutated_assertion_is_never_taken_for_another(device: Device) -> None:
    """What still verifies says the same as what the device signed: its challenge, counter and flags."""
    rng, ends = random.Random(20261123), Counter[str]()
    _challenge, made = read_creation(device.creation(), PLACE)
    layers = ["json", "client", "authenticator", "signature", "handle"]
    for _ in range(ROUNDS):
        change, layer = mutating(rng, layers)
        found = verified(device.assertion(change), made.credential)
        ends[layer if found is None else "taken"] += 1
        if found is not None:
            assert (found.id, found.challenge, found.counter, found.is_verified) == (device.id, CHALLENGE, 7, True)
            # Neither the wrapping nor whom the device says that it belongs to is signed.
            assert layer in {"json", "handle"}
    assert set(ends) >= {"json", "client", "authenticator", "signature"}


def test_a_kept_credential_that_is_damaged_verifies_nothing_else(device: Device) -> None:
    """A record that its disk changed is refused with our own error as well, or still holds the same key."""
    rng = random.Random(20261124)
    _challenge, made = read_creation(device.creation(), PLACE)
    answer = device.assertion()
    for _ in range(ROUNDS // 4):
        verified(answer, mutated(rng, made.credential))
    other = Device(ec.generate_private_key(ec.SECP256R1()))
    assert verified(other.assertion(), made.credential) is None


@pytest.mark.parametrize("bomb", BOMBS, ids=range(len(BOMBS)))
def test_what_claims_to_be_long_or_deep_costs_nothing(device: Device, bomb: bytes) -> None:
    """A length of 2**64 allocates nothing, and depth ends in a refusal, not in a full stack."""
    tracemalloc.start()
    try:
        for layer in ("json", "client", "attestation", "authenticator", "cose"):

            def change(each: str, data: bytes, wanted: str = layer) -> bytes:
                return bomb if each == wanted else data

            with pytest.raises(PasskeyError):
                read_creation(device.creation(change), PLACE)
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert held < 8_000_000


def test_an_answer_beyond_its_length_is_refused_unread(device: Device) -> None:
    with pytest.raises(PasskeyError, match="longer"):
        read_assertion(device.assertion() + " " * MOST_ANSWER_CHARACTERS)
