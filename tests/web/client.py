"""A browser without a screen: requests to the pages in this process, with cookies that it keeps.

Follows no redirect, so that a test sees each answer.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from starlette.types import ASGIApp

# Playwright's synchronous side keeps an event loop running in the tests' own thread.
_thread = ThreadPoolExecutor(1, thread_name_prefix="requests of tests")


class Client:
    """A browser at some network address, over TLS if `base` begins with `https`."""

    def __init__(self, app: ASGIApp, *, base: str, address: str) -> None:
        self._app = app
        self._base = base
        self._address = address
        self.cookies = httpx.Cookies()

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        return _thread.submit(asyncio.run, self._request(method, path, **more)).result()

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.request("POST", path, **more)

    async def _request(self, method: str, path: str, **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, client=(self._address, 50_000))
        async with httpx.AsyncClient(transport=transport, base_url=self._base, cookies=self.cookies) as client:
            answer = await client.request(method, path, **more)
            self.cookies = client.cookies
        return answer
