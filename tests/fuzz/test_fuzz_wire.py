"""Thousands of mutated signatures and bodies against the whole wire, without a socket.

Each gets an answer or a documented error: nothing crashes, nothing hangs, and memory does not grow. The services behind
the wire are cheap ones of this file, so what is measured is the wire. `RECOGNIZANCE_TEST_FUZZ_ROUNDS` sets the number
of rounds; the default suits the suite, 10000 is for a release.
"""

import asyncio
import base64
import gc
import json
import os
import random
import tracemalloc
from collections.abc import Iterator, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from starlette.applications import Starlette

from recognizance.aws.authentication import Authenticator
from recognizance.aws.dispatch import Call, Dispatcher, Handler
from recognizance.aws.http import RekognitionEndpoint, rekognition_app
from recognizance.aws.replay import ReplayMemory
from recognizance.aws.service_model import load_model
from recognizance.aws.shapes import Answer, Members
from recognizance.aws.sigv4 import Fault
from recognizance.governance import Policy
from recognizance.governing.access import Signer, principal_of
from recognizance.identifiers import AccessKeyId, PrincipalId

ROUNDS = int(os.environ.get("RECOGNIZANCE_TEST_FUZZ_ROUNDS", "4000"))
KEY_ID, SECRET = "RCGZAAAAAAAAAAAAAAAA", "x" * 40
FACE = "11111111-2222-3333-4444-555555555555"
MODEL = load_model()
PROTOCOL_ERRORS = {fault.value for fault in Fault} | {
    "SerializationException",
    "UnknownOperationException",
    "RequestEntityTooLargeException",
}
BODIES: dict[str, dict[str, Any]] = {
    "SearchFaces": {"CollectionId": "c", "FaceId": FACE, "MaxFaces": 5, "FaceMatchThreshold": 80.0},
    "IndexFaces": {"CollectionId": "c", "Image": {"Bytes": "AAAA"}, "DetectionAttributes": ["ALL"], "MaxFaces": 3},
    "CompareFaces": {"SourceImage": {"Bytes": "AAAA"}, "TargetImage": {"S3Object": {"Bucket": "bbb", "Name": "n"}}},
    "CreateCollection": {"CollectionId": "c", "Tags": {"key": "value"}},
    "AssociateFaces": {"CollectionId": "c", "UserId": "u", "FaceIds": [FACE], "ClientRequestToken": "t"},
    "ListFaces": {"CollectionId": "c", "NextToken": "r00000", "MaxResults": 10},
}
ODD_VALUES: list[Any] = [
    *[None, True, False, 0, -1, 1.5, 10**30, -(10**400), 1e308, "", "\u0000", "\ud800", "é" * 300, "a" * 70_000],
    *[[], {}, [[]], {"": {}}, [None], {"Bytes": "!"}, base64.b64encode(bytes(300)).decode()],
]
HEADERS = [
    *["authorization", "x-amz-date", "x-amz-target", "content-type", "host", "x-amz-content-sha256", "content-length"],
    *["x-amz-security-token", "x-amz-decoded-content-length", "x-amz-trailer", "date", "transfer-encoding"],
]


def echo(request: Members, call: Call) -> Mapping[str, Answer]:
    """An operation that costs nothing and answers nothing."""
    return {}


def application() -> Starlette:
    def signer_of(key_id: AccessKeyId, token: str | None) -> Signer | None:
        return Signer(principal_of(PrincipalId("fuzz")), SECRET) if (key_id, token) == (KEY_ID, None) else None

    def new_id() -> str:
        return "id"

    handlers: dict[str, Handler] = dict.fromkeys(BODIES, echo)
    dispatcher = Dispatcher(MODEL, handlers, policy=Policy(), new_id=new_id)
    authenticator = Authenticator(
        signer_of, region="us-east-1", clock=lambda: datetime.now(UTC), memory=ReplayMemory(capacity=1_000_000)
    )
    return rekognition_app(RekognitionEndpoint(dispatcher, authenticator, workers=1, new_id=new_id))


def signed(operation: str, body: bytes) -> dict[str, str]:
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"RekognitionService.{operation}"}
    request = AWSRequest(method="POST", url="http://localhost/", headers=headers, data=body)
    SigV4Auth(Credentials(KEY_ID, SECRET), "rekognition", "us-east-1").add_auth(request)
    return {"host": "localhost"} | {str(name).lower(): str(value) for name, value in request.headers.items()}


def mutated_text(rng: random.Random, text: str) -> str:
    """Delete, repeat, replace or insert a few characters of any kind that a wire can carry."""
    characters = list(text)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(characters) + 1)
        kind = rng.randrange(4)
        if kind == 0:
            del characters[place : place + rng.randint(1, 8)]
        elif kind == 1:
            characters[place:place] = characters[place : place + rng.randint(1, 40)]
        elif kind == 2:
            characters[place : place + 1] = chr(rng.randrange(256))
        else:
            characters[place:place] = rng.choice(
                ["=", ",", "/", ";", " ", "\t", "%00", "\r\n", "0", "\xff", "Signature="]
            )
    return "".join(characters)


def mutated_json(rng: random.Random, value: Any) -> Any:  # JSON, before it is checked
    """Put something odd somewhere into a value, or take something out."""
    if isinstance(value, dict) and value and rng.random() < 0.8:
        name = rng.choice(sorted(value))
        kind = rng.random()
        if kind < 0.15:
            return {key: each for key, each in value.items() if key != name}
        if kind < 0.25:
            return value | {
                mutated_text(rng, name).encode("utf-16", "surrogatepass").decode("utf-16", "ignore"): value[name]
            }
        return value | {name: mutated_json(rng, value[name])}
    if isinstance(value, list) and value and rng.random() < 0.5:
        return [mutated_json(rng, value[0])] * rng.choice([1, 2, 5000])
    return rng.choice(ODD_VALUES)


def requests(rng: random.Random) -> Iterator[tuple[dict[str, str], str, bytes]]:
    """Headers, query and body of one mutated request after another."""
    while True:
        operation = rng.choice(sorted(BODIES))
        body, query = json.dumps(BODIES[operation]).encode(), ""
        kind = rng.randrange(4)
        if kind == 0:
            body = json.dumps(mutated_json(rng, BODIES[operation])).encode()
            headers = signed(operation, body)
        elif kind == 1:
            body = mutated_text(rng, body.decode()).encode("latin-1")
            headers = signed(mutated_text(rng, operation) if rng.random() < 0.1 else operation, body)
        else:
            headers = signed(operation, body)
            for _ in range(rng.randint(1, 2)):
                name = rng.choice(HEADERS)
                headers[name] = mutated_text(
                    rng, headers.get(name, rng.choice(["", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"]))
                )
            if kind == 3:
                query = mutated_text(rng, "X-Amz-Signature=0&X-Amz-Date=20260101T000000Z&X-Amz-Expires=1")
        yield headers, query, body


async def ask(app: Starlette, headers: Mapping[str, str], query: str, body: bytes) -> tuple[int, bytes]:
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": query.encode("latin-1"),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }
    said: list[MutableMapping[str, Any]] = []
    events = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> MutableMapping[str, Any]:
        return next(events, {"type": "http.disconnect"})

    async def send(message: MutableMapping[str, Any]) -> None:
        said.append(message)

    await app(scope, receive, send)
    return int(said[0]["status"]), b"".join(message.get("body", b"") for message in said[1:])


async def run(seed: int, rounds: int) -> dict[str, int]:
    """Send `rounds` requests; counts how they ended, by code."""
    app, source = application(), requests(random.Random(seed))
    counts: dict[str, int] = {}
    for _ in range(rounds):
        headers, query, body = next(source)
        status, answer = await ask(app, headers, query, body)
        code = "" if status == 200 else str(json.loads(answer)["__type"])
        counts[code] = counts.get(code, 0) + 1
    return counts


def test_mutated_requests_are_answered_or_refused() -> None:
    """With 200 or a code that is documented; never with a 500."""
    counts = asyncio.run(run(seed=20261122, rounds=ROUNDS))
    documented = PROTOCOL_ERRORS.union(*(MODEL.operations[name].errors for name in BODIES))
    assert sum(counts.values()) == ROUNDS
    assert set(counts) - {""} <= documented
    assert "InternalServerError" not in counts
    # The harness would prove nothing if it never got past the signature, or never was stopped by it.
    assert {"", "InvalidParameterException", "InvalidSignatureException", "IncompleteSignatureException"} <= set(counts)


@pytest.mark.slow
def test_memory_does_not_grow() -> None:
    """Twice the requests leave no more behind than the signatures that have to be remembered, which are small."""
    asyncio.run(run(seed=1, rounds=300))
    gc.collect()
    tracemalloc.start()
    try:
        asyncio.run(run(seed=2, rounds=600))
        gc.collect()
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held < 2_000_000
