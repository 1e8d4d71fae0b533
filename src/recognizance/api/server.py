"""The HTTP side of our own API: bounded bodies, work in threads, problems for everything that goes wrong.

A request is matched to its route before its body is read, so that the route's own limit holds; who asks is established
before anything in the body is parsed. An answer that made ledger entries names them in headers, a refusal too. The log
says which route was asked and how it ended, and never what was in it.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import parse_qsl

import anyio.to_thread
from anyio import CapacityLimiter
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response as HttpResponse
from starlette.routing import Route as HttpRoute

from recognizance.api.forms import Forms
from recognizance.api.identification import Identification, Identified, Incoming
from recognizance.api.once import HEADER, DoneBeforeError, Header, Once
from recognizance.api.problems import (
    MEDIA_TYPE,
    CrossSiteError,
    MediaTypeError,
    TooLargeError,
    TooSlowError,
    headers_of,
    kind_of,
    problem_of,
)
from recognizance.api.routes import PREFIX, Call, File, Method, Nothing, Repeat, Route, RouteTable, Who
from recognizance.api.services import Services
from recognizance.aws import is_private, read_body, receipt_headers, signed_request
from recognizance.errors import AuthenticationError, Error, InputError, ThrottledError, UnavailableError
from recognizance.governance.codec import write_document

BODY_TIMEOUT_S = 120.0
MAX_UNDER_WAY = 32
"""Beyond this many requests at once callers are told to come back: at most 21 MiB each."""

JSON = "application/json"
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
_OTHER_SITES = frozenset({"cross-site", "same-site"})
_INTERNAL = 500
_NO_CONTENT = 204
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class Api:
    """Answers everything below `/api/v1`.

    Args:
        workers: Requests worked on at once; others wait their turn.
        new_id: Draws request ids.
    """

    def __init__(
        self,
        services: Services,
        table: RouteTable,
        identification: Identification,
        once: Once,
        *,
        workers: int,
        new_id: Callable[[], str],
    ) -> None:
        self._services = services
        self._table = table
        self._identification = identification
        self._once = once
        self._forms = Forms(
            (route.body for route in table.routes),
            (route.query for route in table.routes),
        )
        self._workers = workers
        self._limiter: CapacityLimiter | None = None
        self._new_id = new_id
        self._under_way = 0

    def routes(self) -> list[HttpRoute]:
        """What an application mounts."""
        # The bound method, because an object would be taken for an application of its own.
        return [HttpRoute(f"{PREFIX}/{{rest:path}}", self.__call__, methods=list(_METHODS))]

    async def __call__(self, request: Request) -> HttpResponse:
        """Answer one request; whatever goes wrong is a problem (RFC 9457)."""
        request_id, began = self._new_id(), time.monotonic()
        name = "-"
        try:
            if self._under_way >= MAX_UNDER_WAY:
                raise ThrottledError(f"more than {MAX_UNDER_WAY} requests are under way")
            self._under_way += 1
            try:
                route, path = self._table.find(request.method, _raw_path(request))
                name = route.name
                incoming = await _incoming(request, route)
                work = partial(self._work, route, path, incoming, request_id)
                reply = await anyio.to_thread.run_sync(work, limiter=self._limit())
            finally:
                self._under_way -= 1
        except Exception as error:  # noqa: BLE001  # the API's edge
            reply = _failed(error, request_id)
        _log.info(
            "%s %s %s %d %.0f ms", request_id, request.method, name, reply.status, (time.monotonic() - began) * 1000
        )
        return HttpResponse(reply.body, reply.status, headers={**reply.headers, "x-request-id": request_id})

    def _limit(self) -> CapacityLimiter:
        if self._limiter is None:
            # Belongs to the event loop, which does not run yet when this object is built.
            self._limiter = CapacityLimiter(self._workers)
        return self._limiter

    def _work(self, route: Route, path: Mapping[str, str], incoming: Incoming, request_id: str) -> Reply:
        """Establish who asks, and answer; runs in a thread of the pool."""
        with self._services.recorder.following() as promised:
            try:
                reply = self._answered(route, path, incoming, lambda: receipt_headers(promised))
            except Exception as error:  # noqa: BLE001  # the API's edge
                reply = _failed(error, request_id)
        return Reply(reply.status, reply.body, {**receipt_headers(promised), **reply.headers})

    def _answered(
        self,
        route: Route,
        path: Mapping[str, str],
        incoming: Incoming,
        receipts: Callable[[], Mapping[str, str]],
    ) -> Reply:
        identified = self._identified(route, incoming)
        payload = incoming.request.body if identified is None else identified.payload
        key = incoming.header(HEADER)
        call = self._call(route, path, incoming, identified, payload)
        if key is None or identified is None:
            return _reply(route, route.answer_with(self._services, call))
        if route.repeat is not Repeat.KEYED:
            raise InputError("this can be repeated as it is, and takes no Idempotency-Key")
        request = f"{route.name}\n{incoming.request.path}\n{incoming.request.query}\n".encode() + payload
        name, kept = self._once.begin(identified.actor.principal.id, key, request)
        if kept is not None:
            return Reply(kept.status, kept.body, {each.name: each.value for each in kept.headers})
        try:
            reply = _reply(route, route.answer_with(self._services, call))
        except UnavailableError:
            # It may have happened all the same, so the key stays taken.
            raise
        except Error:
            self._once.release(name)
            raise
        headers = tuple(Header(*each) for each in sorted({**receipts(), **reply.headers}.items()))
        self._once.end(name, status=reply.status, headers=headers, body=reply.body if route.kept else None)
        return reply

    def _identified(self, route: Route, incoming: Incoming) -> Identified | None:
        identified = self._identification.identify(incoming)
        if identified is None and route.who is not Who.ANYBODY:
            raise AuthenticationError("this needs somebody who signs in, with HTTP Basic or a signature")
        # A browser attaches what it remembers of a user to requests that any page makes it send.
        changes = identified is not None and route.method is not Method.GET
        if changes and incoming.header("sec-fetch-site") in _OTHER_SITES:
            raise CrossSiteError("a page of another site sent this")
        return identified

    def _call(
        self, route: Route, path: Mapping[str, str], incoming: Incoming, identified: Identified | None, payload: bytes
    ) -> Call[object, object]:
        body: object = Nothing()
        if route.body is not Nothing:
            if (incoming.header("content-type") or "").partition(";")[0].strip().lower() != JSON:
                raise MediaTypeError(f"the body has to be {JSON}, and the header Content-Type has to say so")
            body = self._forms.body(route.body, payload)
        elif payload:
            raise InputError("this takes no body")
        query = self._forms.query(route.query, _query(incoming))
        return Call(
            asked_by=None if identified is None else identified.actor,
            session_name=None if identified is None else identified.session_name,
            path=path,
            body=body,
            query=query,
            address=incoming.address,
            is_private=incoming.is_private,
        )


async def _incoming(request: Request, route: Route) -> Incoming:
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            body = await read_body(request, route.max_body_bytes)
    except (TimeoutError, ClientDisconnect):
        raise TooSlowError("the body did not come in time") from None
    if body is None:
        raise TooLargeError(f"the body is larger than {route.max_body_bytes} bytes, which is the limit")
    address = "" if request.client is None else request.client.host
    return Incoming(signed_request(request, body), is_private=is_private(request), address=address)


def _raw_path(request: Request) -> str:
    """What was sent behind the prefix, still encoded: a value may hold a slash."""
    raw = bytes(request.scope.get("raw_path") or request.scope["path"].encode()).partition(b"?")[0]
    return raw.decode("latin-1").removeprefix(PREFIX)


def _query(incoming: Incoming) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            incoming.request.query.encode("latin-1").decode(),
            keep_blank_values=True,
            strict_parsing=bool(incoming.request.query),
            max_num_fields=32,
        )
    except ValueError:
        raise InputError("the query can't be read") from None
    # A presigned address carries its signature among the fields.
    fields = [(name, value) for name, value in pairs if not name.startswith("X-Amz-")]
    if len(dict(fields)) != len(fields):
        raise InputError("the query names a field twice")
    return dict(fields)


# ASVS 14.4.2: whatever a browser makes of an address of ours, it shows no answer as a page.
_AS_A_FILE = {"content-disposition": 'attachment; filename="api.json"'}


def _reply(route: Route, answer: object) -> Reply:
    is_public = route.who is Who.ANYBODY and route.method is Method.GET
    headers = {"cache-control": "no-cache" if is_public else "no-store", "x-content-type-options": "nosniff"}
    if is_public:
        headers["access-control-allow-origin"] = "*"
    if isinstance(answer, File):
        headers["content-type"] = answer.media_type
        if answer.name is not None:
            headers["content-disposition"] = f'attachment; filename="{answer.name}"'
        return Reply(route.status, answer.data, headers)
    if isinstance(answer, Nothing):
        return Reply(_NO_CONTENT, b"", headers)
    return Reply(route.status, write_document(answer), {**headers, "content-type": JSON, **_AS_A_FILE})


def _failed(error: Exception, request_id: str) -> Reply:
    kind = kind_of(error)
    if kind.status >= _INTERNAL:
        _log.error("request %s failed", request_id, exc_info=error)
    headers = {
        "content-type": MEDIA_TYPE,
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        **_AS_A_FILE,
        **headers_of(error),
    }
    if isinstance(error, DoneBeforeError):
        headers |= {each.name: each.value for each in error.headers if each.name.startswith("x-recognizance-")}
    return Reply(kind.status, write_document(problem_of(error, request_id)), headers)
