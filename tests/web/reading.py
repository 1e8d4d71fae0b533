"""A reader with a session and no screen: gets pages, and sends their forms with the token that they hold."""

import re
from dataclasses import dataclass, field
from typing import Any

import httpx

from recognizance.governance.parties import PersonId

from .world import Web

_TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass
class Reading:
    """Somebody signed in, whom redirects aren't followed for."""

    url: str
    session: str = field(repr=False)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", headers=self._headers, timeout=60)

    def post(self, path: str, *, files: Any = None, **fields: str | list[str]) -> httpx.Response:
        """Send a form as a page of ours would; the token is that of any page of this session."""
        token = _TOKEN.search(self.get("/account").text)
        assert token is not None
        data = {**fields, "csrf": token[1]}
        return httpx.post(f"{self.url}{path}", data=data, files=files, headers=self._headers, timeout=60)

    @property
    def _headers(self) -> dict[str, str]:
        return {"Cookie": f"session={self.session}"}


def reading(web: Web, person: PersonId) -> Reading:
    return Reading(web.url, web.session(person))
