"""A client in the same process: requests go through the whole application without a socket, and answers are checked.

Every answer is held against the OpenAPI document: its status, its type and its JSON, problems included.
"""

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from starlette.applications import Starlette

from recognizance.api import PREFIX, Route, openapi_document, whole_table
from recognizance.governing.access import IssuedKey

BASE = "http://127.0.0.1"
TABLE = whole_table()
ROUTES: Mapping[str, Route] = {route.name: route for route in TABLE.routes}
JSON, PROBLEM = "application/json", "application/problem+json"

REGISTRY: Registry[Any] = Registry()


@cache
def document() -> Any:
    """The OpenAPI document."""
    return openapi_document(TABLE)


@cache
def _registry() -> Any:
    return REGISTRY.with_resource("urn:openapi", Resource.from_contents(document(), DRAFT202012))


@cache
def _validator(pointer: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"urn:openapi#{pointer}"}, registry=_registry())


@dataclass
class Client:
    """Asks an application, in this process."""

    app: Starlette
    address: str = "127.0.0.1"
    called: set[str] = field(default_factory=set[str])
    _runner: asyncio.Runner = field(default_factory=asyncio.Runner)

    def close(self) -> None:
        self._runner.close()

    def raw(
        self,
        method: str,
        url: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """One request as it is given."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, client=(self.address, 50_000), raise_app_exceptions=True)
            async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
                return await client.request(method, url, content=content, headers=dict(headers or {}))

        return self._runner.run(send())

    def ask(
        self,
        name: str,
        key: IssuedKey | None = None,
        *,
        path: Mapping[str, str] | None = None,
        body: object = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Ask a route by its name, signing in with HTTP Basic, and hold the answer against the document."""
        route = ROUTES[name]
        given = dict(headers or {})
        if key is not None:
            given |= basic(key)
        content = None
        if body is not None:
            content, given["content-type"] = json.dumps(body).encode(), "application/json"
        url = url_of(route, path or {})
        if query:
            url += "?" + "&".join(f"{quote(each)}={quote(value)}" for each, value in query.items())
        answer = self.raw(route.method, url, content=content, headers=given)
        hold(route, answer)
        if answer.is_success:
            self.called.add(name)
        return answer

    def done(self, name: str, key: IssuedKey | None = None, **more: Any) -> Any:
        """Ask, and answer with the JSON of a success."""
        answer = self.ask(name, key, **more)
        assert answer.is_success, f"{name}: {answer.status_code} {answer.text[:2000]}"
        return answer.json() if answer.headers.get("content-type") == JSON else answer.content


def url_of(route: Route, path: Mapping[str, str]) -> str:
    """The address of a route with its variables filled in."""
    assert set(path) == set(route.variables), route.name
    segments = [quote(path[each[1:-1]], safe="") if each.startswith("{") else each for each in route.segments]
    return "/".join([PREFIX, *segments])


def basic(key: IssuedKey) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{key.id}:{key.secret}".encode()).decode()}


def signed(
    method: str,
    url: str,
    key: IssuedKey,
    *,
    content: bytes = b"",
    token: str | None = None,
    headers: Mapping[str, str] | None = None,
    service: str = "recognizance",
) -> dict[str, str]:
    """Headers with botocore's own signature."""
    request = AWSRequest(method=method, url=BASE + url, data=content, headers={"Host": "127.0.0.1", **(headers or {})})
    SigV4Auth(Credentials(str(key.id), key.secret, token), service, "us-east-1").add_auth(request)
    return dict(request.headers)


def hold(route: Route, answer: httpx.Response) -> None:
    """Fail unless an answer is what the document says."""
    path, method = PREFIX + route.path, route.method.lower()
    responses = document()["paths"][path][method]["responses"]
    status = str(answer.status_code)
    where = status if status in responses else "default"
    if where == "default":
        assert answer.status_code >= 400, f"{route.name} answers with the undeclared status {status}"
    if answer.status_code == 204:
        assert answer.content == b""
        return
    media_type = answer.headers["content-type"]
    content = responses[where]["content"]
    assert media_type in content, f"{route.name} answers with the undeclared type {media_type}"
    if media_type in {JSON, PROBLEM} and content[media_type]:
        place = path.replace("~", "~0").replace("/", "~1")
        escaped = media_type.replace("/", "~1").replace("+", "%2B")
        pointer = f"/paths/{quote(place, safe='~')}/{method}/responses/{where}/content/{escaped}/schema"
        errors = [error.message for error in _validator(pointer).iter_errors(answer.json())]
        assert errors == [], f"{route.name}: {errors}"
    if where == "default":
        assert answer.json()["status"] == answer.status_code
