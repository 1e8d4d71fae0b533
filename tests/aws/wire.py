"""An endpoint in this process, around handlers of a test's own, and requests signed as botocore signs them."""

import asyncio
import json
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from starlette.applications import Starlette

from recognizance.aws.authentication import Authenticator
from recognizance.aws.dispatch import Dispatcher, Handler
from recognizance.aws.http import RekognitionEndpoint, rekognition_app
from recognizance.aws.replay import ReplayMemory
from recognizance.aws.service_model import load_model
from recognizance.governance import Policy
from recognizance.governing.access import Signer, principal_of
from recognizance.identifiers import AccessKeyId, PrincipalId

KEY_ID = "RCGZAAAAAAAAAAAAAAAA"
SECRET = "x" * 40
MODEL = load_model()


def signer_of(key_id: AccessKeyId, token: str | None) -> Signer | None:
    return Signer(principal_of(PrincipalId("tester")), SECRET) if (key_id, token) == (KEY_ID, None) else None


def dispatcher_of(handlers: Mapping[str, Handler]) -> Dispatcher:
    return Dispatcher(MODEL, handlers, policy=Policy(), new_id=lambda: "decision")


def system_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Answered:
    """What an application sent back."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:  # a test looks into it
        return json.loads(self.content)


class Client:
    """Speaks ASGI to an application in this process, as if from `address`, without sockets or threads of its own."""

    def __init__(self, app: Starlette, *, address: str = "127.0.0.1") -> None:
        self._app = app
        self._address = address

    def request(
        self,
        method: str,
        path: str,
        *,
        content: bytes | Sequence[bytes] = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answered:
        """Send one request; content in pieces is sent without its length."""
        return asyncio.run(self._request(method, path, content, dict(headers or {})))

    def get(self, path: str) -> Answered:
        return self.request("GET", path)

    def post(
        self, path: str, *, content: bytes | Sequence[bytes] = b"", headers: Mapping[str, str] | None = None
    ) -> Answered:
        return self.request("POST", path, content=content, headers=headers)

    async def _request(
        self, method: str, path: str, content: bytes | Sequence[bytes], headers: dict[str, str]
    ) -> Answered:
        pieces = [content] if isinstance(content, bytes) else list(content)
        sent = {"host": "localhost"} | {name.lower(): value for name, value in headers.items()}
        if isinstance(content, bytes):
            sent["content-length"] = str(len(content))
        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode("latin-1"),
            "query_string": query.encode("latin-1"),
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in sent.items()],
            "client": (self._address, 50_000),
            "server": ("localhost", 80),
        }
        events = iter(
            [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
            + [{"type": "http.request", "body": b"", "more_body": False}]
        )
        said: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            # As on a network, others have their turn before anything comes.
            await asyncio.sleep(0)
            return next(events, {"type": "http.disconnect"})

        async def send(message: MutableMapping[str, Any]) -> None:
            said.append(message)

        await self._app(scope, receive, send)
        answered = {name.decode(): value.decode() for name, value in said[0]["headers"]}
        return Answered(said[0]["status"], answered, b"".join(message.get("body", b"") for message in said[1:]))


def client_of(
    handlers: Mapping[str, Handler], *, clock: Callable[[], datetime] = system_clock, address: str = "127.0.0.1"
) -> Client:
    """A client of an application around `handlers`."""
    authenticator = Authenticator(signer_of, region="us-east-1", clock=clock, memory=ReplayMemory())
    endpoint = RekognitionEndpoint(dispatcher_of(handlers), authenticator, workers=2, new_id=lambda: "request")
    return Client(rekognition_app(endpoint), address=address)


def signed_headers(operation: str, body: bytes, **more: str) -> dict[str, str]:
    """The headers that botocore would send with `body`."""
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"RekognitionService.{operation}"}
    named = {name.replace("_", "-"): value for name, value in more.items()}
    request = AWSRequest(method="POST", url="http://localhost/", headers=headers | named, data=body)
    SigV4Auth(Credentials(KEY_ID, SECRET), "rekognition", "us-east-1").add_auth(request)
    return {str(name): str(value) for name, value in request.headers.items()}
