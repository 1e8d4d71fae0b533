"""Two agencies in one police installation, for tests of what the pages refuse.

The county is the one that is looked at (`county.py` has its life). The harbour police are the strangers: they have
somebody in every role, and nothing of the county's is theirs to see. Requests go through the whole application in this
process, as whoever is asked for.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import quote

import httpx
from starlette.applications import Starlette

from recognizance.app import open_imports, page_services
from recognizance.cli.portraits import collins_portrait
from recognizance.governance.parties import PersonId, UseId
from recognizance.governing.access import IssuedKey
from recognizance.identifiers import GalleryId
from recognizance.ledger import FolderSource
from recognizance.register import LiveRegister
from recognizance.web.frame import Page
from recognizance.web.site import site_pages

from ..api.world import ADMINISTRATOR, AUDITOR, OFFICER, OVERSEERS, ApiWorld
from ..conftest import jpeg
from ..review_world import FIRST, SUPERVISOR, person_id
from .attacks import attack, attacked
from .client import Client
from .world import Web

HOST = "http://127.0.0.1"
COUNTY, COUNTY_GALLERY, COUNTY_USE = "county-sheriff", GalleryId("county-arrests"), UseId("county-use")
SHA = "ab" * 32

STRANGERS: Mapping[str, PersonId] = {
    "operator": person_id("operator and nothing else"),
    "examiner": FIRST,
    "supervisor": SUPERVISOR,
    "overseer": OVERSEERS[0],
    "desk_officer": OFFICER,
    "administrator": ADMINISTRATOR,
    "auditor": AUDITOR,
}
"""Somebody in each role who is nobody in the county. The last four belong to no agency but the desk officer."""

STATED = {"case": attack("case-of-county"), "justification": attack("justification"), "offence": "robbery"}
"""What the county's operator says of a search."""


def form_token(answer: httpx.Response) -> str:
    """The token of the first form of a page."""
    found = re.search(r'name="csrf" value="([^"]+)"', answer.text)
    assert found is not None, answer.status_code
    return unescape(found[1])


def listed(found: Iterable[object]) -> str:
    """What a test found, a line each, for whoever reads its failure."""
    return "\n".join(str(each) for each in found)


@dataclass
class Guarded:
    """The installation.

    Attributes:
        county: The county's people by role.
        objects: For each variable of a path, something of the county's that it could name.
        typed: Which fields of which routes of the API an attack was typed into.
    """

    api: ApiWorld
    web: Web
    county: dict[str, PersonId] = field(default_factory=dict)
    keys: dict[str, IssuedKey] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)
    typed: set[tuple[str, str]] = field(default_factory=set)
    _sessions: dict[PersonId, str] = field(default_factory=dict)
    _pages: list[Page] = field(default_factory=list)

    @property
    def app(self) -> Starlette:
        return self.api.client.app

    def pages(self) -> list[Page]:
        """The table of all pages."""
        if not self._pages:
            service = self.api.world.service
            recorder = service.recorder
            register = LiveRegister(FolderSource(recorder.public), (recorder.verifier,))
            self._pages = site_pages(page_services(service, register, open_imports(service)))
        return self._pages

    def address(self, page: Page, *, absent: str = "") -> str:
        """Where a page is, with something of the county's in each variable of its path.

        Args:
            absent: What the last variable names instead, that isn't there.
        """
        names = re.findall(r"\{(\w+)(?::\w+)?\}", page.path)
        if "draft" in names:
            self._keep_looked_at()
        values = {name: self.objects.get(f"{page.path} {name}", self.objects.get(name, "x")) for name in names}
        if absent:
            values[names[-1]] = absent
        return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: quote(values[found[1]], safe=""), page.path)

    def person(self, role: str) -> PersonId:
        """Somebody in a role: of the county, or of the installation where the county has none."""
        own = {"examiner": "first"}.get(role, role)
        return self.county.get(own) or STRANGERS[role]

    def owner(self, page: Page, role: str = "") -> PersonId:
        """Somebody for whom a page is: of the county, where it has somebody in that role."""
        of_review = "/reviews/" in page.path or page.path == "/reviews"
        roles = [role] if role else sorted(each.value for each in page.who.roles or ())
        return self.county["first"] if of_review else self.person(next((each for each in roles), "operator"))

    def session(self, person: PersonId) -> str:
        """A complete session of somebody; the same each time, while it lasts."""
        known = self._sessions.get(person)
        if known is None or self.web.service.entrance.sign_in.whose(known) is None:
            self._sessions[person] = known = self.web.session(person)
        return known

    def browser(self, person: PersonId | None = None, *, base: str = HOST) -> Client:
        """A browser in which somebody is signed in, or nobody."""
        client = Client(self.app, base=base, address="127.0.0.1")
        if person is not None:
            client.cookies.set("session", self.session(person))
        return client

    def send(self, person: PersonId | None, path: str, /, *, files: Any = None, **fields: str) -> httpx.Response:
        """Send a form of the pages, as somebody or as nobody in particular."""
        browser = self.browser(person)
        token = form_token(browser.get("/sign-in" if person is None else "/account"))
        return browser.post(path, data={"csrf": token, **fields}, files=files)

    def draft(self, person: PersonId, stated: Mapping[str, str], *, picture: bytes | None = None) -> str:
        """Begin a search with a photograph; answers what the pages call it while its faces are chosen."""
        photo = {"photo": ("a.jpg", picture or jpeg(collins_portrait(), 80), "image/jpeg")}
        begun = self.send(person, f"/search/begin?use={COUNTY_USE}", files=photo, **stated)
        assert begun.status_code == 303, re.findall(r"error-[^<]*", begun.text)
        return begun.headers["location"].rpartition("/")[2]

    def _keep_looked_at(self) -> None:
        """Begin the county's search again if its photograph made room for those of other tests: three lie at once."""
        operator = self.county["operator"]
        if self.browser(operator).get(f"/search/probe/{self.objects['draft']}").status_code == 404:
            self.objects["draft"] = self.draft(operator, STATED)

    def do(self, name: str, who: str | None, /, *, path: Mapping[str, str] | None = None, **body: Any) -> Any:
        """Ask the API as somebody of the county or of the installation, and remember which texts were attacks."""
        key = None if who is None else self.keys.get(who) or self.api.keys[who]
        self.typed |= {(name, place) for place in attacked("", body)}
        return self.api.client.done(name, key, path=path, body=body or None)
