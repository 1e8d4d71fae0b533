"""The headers of every answer of the pages, and the one host that they answer for.

What the headers say is in `security.py`; this puts them on whatever made the answer, errors included.
Implements docs/sign-in.md, "The address of the pages".
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recognizance.web.security import HEADERS, STRICT_TRANSPORT


class OurHeaders:
    """Adds the headers of `security.py` to every answer, whatever made it, and refuses other hosts than ours.

    A page that another name leads to here (DNS rebinding) would run as that name's own.
    """

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        self._app = app
        self._host = urlsplit(public_url).netloc
        self._is_tls = public_url.startswith("https://")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if self._is_tls or scope.get("scheme") == "https":
                    headers.setdefault("Strict-Transport-Security", STRICT_TRANSPORT)
            await send(message)

        if scope["type"] == "http" and self._host and not self._is_ours(scope):
            refused = PlainTextResponse("These pages are at another address.\n", status_code=421)
            await refused(scope, receive, with_headers)
            return
        await self._app(scope, receive, with_headers)

    def _is_ours(self, scope: Scope) -> bool:
        hosts = Headers(scope=scope).getlist("host")
        return len(hosts) == 1 and hosts[0].casefold() == self._host
