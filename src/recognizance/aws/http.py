"""The HTTP side of the Rekognition API, and of STS beside it: one POST route, bounded, worked on in threads.

A request is read only up to a limit, and only while there is room for it: memory is bounded by the number of requests
under way times the size of one. Signatures are checked before a single byte of the body is parsed. The log says which
operation was asked by whom and how it ended, and never what was in it.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import anyio.to_thread
from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response as HttpResponse
from starlette.routing import BaseRoute, Route

from recognizance.aws.authentication import STS_SERVICE, Authenticator, Sender
from recognizance.aws.canonical import WIRE, SignedRequest
from recognizance.aws.dispatch import TARGET_PREFIX, Dispatcher, Response, error_in_form
from recognizance.aws.sigv4 import UnsignedPayload, claimed_service
from recognizance.aws.sts import StsEndpoint
from recognizance.errors import InputError, ThrottledError
from recognizance.governance import Asking, Grounds
from recognizance.governance.purposes import Declaration, OffenceCode

# CompareFaces carries two images of 5 MiB in base64; the rest is room for everything else.
MAX_BODY_BYTES = 2 * 4 * (5 * 1024 * 1024) // 3 + 65_536
# What is too large is still read to this point and thrown away: most clients listen only when they have sent all.
MAX_DRAINED_BYTES = 64 * 1024 * 1024
# Two images of 5 MB at a megabit a second.
BODY_TIMEOUT_S = 120.0
# Beyond this many requests read or worked on at once, callers are told to come back: 14 MiB each, 0.9 GiB in all.
MAX_UNDER_WAY = 64

_LENGTH_DIGITS = 12
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})
_log = logging.getLogger(__name__)


class RekognitionEndpoint:
    """Answers `POST /`.

    Args:
        sts: Answers what is signed for STS; `None` for a service without sessions.
        workers: Requests worked on at once; others wait their turn.
        new_id: Draws request ids.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        authenticator: Authenticator,
        *,
        sts: StsEndpoint | None = None,
        workers: int,
        new_id: Callable[[], str],
    ) -> None:
        self._dispatcher = dispatcher
        self._sts = sts
        self._authenticator = authenticator
        self._workers = workers
        self._limiter: CapacityLimiter | None = None
        self._new_id = new_id
        self._under_way = 0

    async def __call__(self, request: Request) -> HttpResponse:
        """Answer one request, in AWS's form whatever happens."""
        request_id, began = self._new_id(), time.monotonic()
        if self._under_way >= MAX_UNDER_WAY:
            busy = ThrottledError(f"more than {MAX_UNDER_WAY} requests are under way")
            return _http(self._dispatcher.error_response(busy, None, request_id))
        self._under_way += 1
        try:
            response = await self._answer(request, request_id)
        finally:
            self._under_way -= 1
        target = request.headers.get("x-amz-target", "").removeprefix(TARGET_PREFIX)
        known = target if target in self._dispatcher.model.operations else "-"
        took_ms = (time.monotonic() - began) * 1000
        _log.info("%s %s %d %s %.0f ms", request_id, known, response.status, response.code or "-", took_ms)
        return _http(response)

    async def _answer(self, request: Request, request_id: str) -> Response:
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                body = await read_body(request)
        except (TimeoutError, ClientDisconnect):
            return error_in_form(
                "RequestTimeoutException", "The body did not come in time.", status=408, request_id=request_id
            )
        if body is None:
            text = f"The body is larger than {MAX_BODY_BYTES} bytes, which is the limit."
            return error_in_form("RequestEntityTooLargeException", text, status=413, request_id=request_id)
        if self._limiter is None:
            # Belongs to the event loop, which does not run yet when this object is built.
            self._limiter = CapacityLimiter(self._workers)
        work = partial(self._work, signed_request(request, body), _unsigned_payload(request), request_id)
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)

    def _work(self, signed: SignedRequest, unsigned_payload: UnsignedPayload, request_id: str) -> Response:
        """Verify and answer; runs in a thread of the pool."""
        if self._sts is not None and claimed_service(signed) == STS_SERVICE:
            return self._work_sts(self._sts, signed, unsigned_payload, request_id)
        try:
            sender = self._authenticator.authenticate(signed, unsigned_payload=unsigned_payload)
            asking = _asking(sender, signed)
        except Exception as error:  # noqa: BLE001  # the API's edge
            return self._dispatcher.error_response(error, None, request_id)
        return self._dispatcher.dispatch(
            target=signed.only_value("x-amz-target"),
            content_type=signed.only_value("content-type"),
            body=sender.payload,
            principal=sender.signer.principal,
            asking=asking,
            request_id=request_id,
        )

    def _work_sts(
        self, sts: StsEndpoint, signed: SignedRequest, unsigned_payload: UnsignedPayload, request_id: str
    ) -> Response:
        try:
            sender = self._authenticator.authenticate(signed, unsigned_payload=unsigned_payload, service=STS_SERVICE)
        except Exception as error:  # noqa: BLE001  # the API's edge
            return sts.error_response(error, request_id)
        return sts.answer(sender, request_id)


def rekognition_app(endpoint: RekognitionEndpoint, *, beside: Sequence[BaseRoute] = ()) -> Starlette:
    """The whole application: Rekognition at `/`, and `/health` for whoever watches over it.

    Args:
        beside: What else is served.
    """

    async def health(_: Request) -> HttpResponse:
        return _json(200, {"status": "ok"})

    async def not_found(request: Request, _: Exception) -> HttpResponse:
        said = {"message": "There is nothing here. Rekognition's API is POST /; GET /health says whether it is up."}
        return _json(405 if request.scope["path"] in {"/", "/health"} else 404, said)

    return Starlette(
        routes=[
            Route("/", endpoint.__call__, methods=["POST"]),
            Route("/health", health, methods=["GET"]),
            *beside,
        ],
        exception_handlers={404: not_found, 405: not_found},
    )


async def read_body(request: Request, limit_bytes: int = MAX_BODY_BYTES) -> bytes | None:
    """Read the body; `None` if it's larger than the limit, of which no more than a piece is ever held."""
    announced = request.headers.get("content-length", "0")
    # The length first: Python refuses to read a number of thousands of digits.
    keep = len(announced) <= _LENGTH_DIGITS and (not announced.isdecimal() or int(announced) <= limit_bytes)
    body, size = bytearray(), 0
    async for piece in request.stream():
        size += len(piece)
        if size > limit_bytes:
            keep = False
            body.clear()
        if size > MAX_DRAINED_BYTES:
            break
        if keep:
            body += piece
    return bytes(body) if keep else None


def signed_request(request: Request, body: bytes) -> SignedRequest:
    """A request as signatures are made over it."""
    scope = request.scope
    return SignedRequest(
        method=request.method,
        path=bytes(scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0].decode(WIRE),
        query=bytes(scope["query_string"]).decode(WIRE),
        headers=tuple((name.decode(WIRE).lower(), value.decode(WIRE)) for name, value in scope["headers"]),
        body=body,
    )


def _asking(sender: Sender, signed: SignedRequest) -> Asking:
    """What the sender's key or session brings, and what signed headers state beside it.

    Raises:
        InputError: If a header contradicts the session, which was begun for one case.
    """
    asking = sender.signer.asking
    stated = {
        name: (signed.only_value(f"x-recognizance-{name}") or "").strip()
        for name in ("case", "justification", "offence")
    }
    declared = asking.grounds.declared | _declared(signed.only_value("x-recognizance-declared") or "")
    if not any(stated.values()):
        return replace(asking, grounds=replace(asking.grounds, declared=declared))
    merged: dict[str, str | None] = {}
    for name, text in stated.items():
        began: str | None = getattr(asking.grounds, name)
        if text and began and text != began:
            raise InputError(f"the header X-Recognizance-{name.title()} states another {name} than the session")
        merged[name] = began or text or None
    offence = merged["offence"]
    grounds = Grounds(merged["case"], merged["justification"], None if offence is None else OffenceCode(offence))
    return replace(asking, grounds=replace(grounds, declared=declared))


def _declared(text: str) -> frozenset[Declaration]:
    """Aims that a caller states truthfully, separated by commas: each of them is one that no use allows.

    Raises:
        InputError: If there is no such aim: a word that isn't understood is never passed over.
    """
    words = [word.strip() for word in text.split(",")] if text.strip() else []
    try:
        return frozenset(map(Declaration, words))
    except ValueError as error:
        raise InputError(f"X-Recognizance-Declared names none of {', '.join(Declaration)}") from error


def is_private(request: Request) -> bool:
    """Whether nobody can read or change the request on its way: it came over TLS, or never left this machine."""
    # From the scope, because `request.url` fails on a query that is no UTF-8.
    near = request.client is not None and request.client.host in _LOOPBACK
    return request.scope["scheme"] == "https" or near


def _unsigned_payload(request: Request) -> UnsignedPayload:
    """A body outside its signature is safe only where nobody can change it on the way."""
    return UnsignedPayload.ACCEPT if is_private(request) else UnsignedPayload.REFUSE


def _http(response: Response) -> HttpResponse:
    return HttpResponse(response.body, status_code=response.status, headers=dict(response.headers))


def _json(status: int, said: dict[str, str]) -> HttpResponse:
    return HttpResponse(json.dumps(said), status_code=status, media_type="application/json")
