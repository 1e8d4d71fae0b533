"""What tests of operators' and reviewers' pages need in the world of `world.py`: a use of their own, and steps.

A use has only so many searches a day, and other tests search under theirs.
"""

import re
import uuid
from dataclasses import replace
from html import unescape

import httpx
from PIL import Image

from recognizance.documents import Kind, UseRecord, found, inserted
from recognizance.gallery.exact import ExactIndex
from recognizance.governance.leads import LeadId
from recognizance.governance.parties import PersonId, UseId
from recognizance.governance.review import ReviewId
from recognizance.reviewing.documents import ReviewKind, documents_of

from ..conftest import jpeg
from ..review_world import CASE, SEARCHER, _active, _terms
from .client import Client
from .world import Web

PIER = UseId("pier-2026")
GROUNDS = {"case": CASE, "justification": "robbery at the pier", "offence": "robbery"}


def own_use(web: Web) -> UseId:
    """A use that only these tests search under, on the terms of the world's own, but for the searches in a day."""
    # Compiles the kernels of a search once, where no page waits for it.
    ExactIndex(web.service.reader.dimension)
    now = web.world.clock.now
    terms = _terms(now)
    terms = replace(terms, limits=replace(terms.limits, searches_per_day=10_000))
    use = replace(_active(terms, now), id=PIER)
    with web.service.records.transaction() as transaction:
        if found(transaction, Kind.USE, PIER, UseRecord) is None:
            inserted(transaction, Kind.USE, PIER, UseRecord(use, str(uuid.uuid4())), state=use.state.value)
    return PIER


def enrolled(web: Web, name: str, picture: Image.Image) -> None:
    """Make sure that somebody is in the gallery."""
    if name not in web.world.enrolled:
        web.world.enrol(name, picture)


def client_of(web: Web, app: object, person: PersonId = SEARCHER) -> Client:
    """Somebody's browser, signed in."""
    client = Client(app, base="http://127.0.0.1", address="127.0.0.1")  # type: ignore[arg-type]  # an application
    client.cookies.set("session", web.session(person))
    return client


def token_in(response: httpx.Response) -> str:
    """The token of a page's own forms."""
    tokens = re.findall(r'name="csrf" value="([^"]+)"', response.text)
    return unescape(tokens[-1])


def post(client: Client, path: str, *, page: str | None = None, **more: object) -> httpx.Response:
    """Send a form, with the token of `page` (or of the form's own path)."""
    data = {"csrf": token_in(client.get(page or path)), **dict(more.pop("data", {}))}  # type: ignore[call-overload]  # fields by name
    return client.post(path, data=data, **more)


def begin(client: Client, data: bytes, *, name: str = "probe.jpg", **changed: str) -> httpx.Response:
    """State the case and send a photograph."""
    return post(
        client,
        f"/search/begin?use={PIER}",
        data={**GROUNDS, **changed},
        files={"photo": (name, data, "image/jpeg")},
    )


def searched(client: Client, picture: Image.Image, *, quality: int = 80) -> httpx.Response:
    """A whole search, to the page with its result."""
    draft = begin(client, jpeg(picture, quality)).headers["location"]
    answer = post(client, f"{draft}/search", page=draft, data={"face": "0"})
    return client.get(answer.headers["location"])


def reviewed_search(
    web: Web, client: Client, picture: Image.Image, *, quality: int = 80
) -> tuple[httpx.Response, ReviewId]:
    """A whole search that found somebody: its page, and the review that it opened."""
    before = reviews(web)
    result = searched(client, picture, quality=quality)
    [opened] = reviews(web) - before
    return result, opened


def reviews(web: Web) -> set[ReviewId]:
    """Every review of a search under these tests' use."""
    with web.service.records.reading() as reader:
        return {ReviewId(each.id) for each in documents_of(reader, ReviewKind.REVIEW, label=("use", PIER))}


def leads_of(web: Web, review: ReviewId) -> list[LeadId]:
    """The leads that a review made."""
    with web.service.records.reading() as reader:
        return [LeadId(each.id) for each in documents_of(reader, ReviewKind.LEAD, label=("review", review))]
