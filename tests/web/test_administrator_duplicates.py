"""Possible duplicates on pages: found by an import that was asked to look, shown side by side, and decided."""

import re
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from recognizance.app import Service, http_app
from recognizance.governance import Policy
from recognizance.governing.access import ADMINISTRATOR, principal_of
from recognizance.governing.registration import at_the_machine
from recognizance.identifiers import DecisionId, GalleryId, SubjectId
from recognizance.ledger import facts
from recognizance.permits import Action

from ..conftest import OpenService, jpeg
from ..review_world import GALLERY, SEARCHER, USE
from .client import Client
from .operator_world import post
from .reading import reading
from .world import PASSWORD, Web

ALBUM = GalleryId("album")
PATH = f"/galleries/{ALBUM}"


@pytest.fixture
def service(service_in: OpenService, tmp_path: Path) -> Service:
    """A private installation with an empty gallery."""
    opened = service_in(tmp_path / "data", keep_images=True)
    permit = Policy().decide(
        principal_of(ADMINISTRATOR), Action.MANAGE_GALLERY, gallery=ALBUM, decision_id=DecisionId("decision")
    )
    opened.galleries.create(ALBUM, tags={}, permit=permit)
    return opened


@pytest.fixture
def owner(service: Service) -> Client:
    """The owner's browser."""
    entrance, person = service.entrance, service.governing.installation.owner
    invitation = entrance.accounts.invite(person, "owner@example.org", by=at_the_machine())
    entrance.accounts.accept(invitation.token, PASSWORD)
    client = Client(http_app(service), base="http://127.0.0.1", address="127.0.0.1")
    client.cookies.set("session", entrance.sign_in.trusted(person, device="a test").token)
    return client


def imported(client: Client, pictures: dict[str, Image.Image], **form: str) -> str:
    """Import photographs, and answer the import's page when it is over."""
    files: Any = [("photographs", (f"{name}.jpg", jpeg(each), "image/jpeg")) for name, each in pictures.items()]
    job = post(client, f"{PATH}/import", files=files, data={"quality": "NONE", "use": "", **form}).headers["location"]
    deadline = time.monotonic() + 60
    while not client.get(f"{job}/progress").json()["is_over"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return client.get(job).text


def test_an_import_that_was_asked_to_look_finds_whom_it_enrolled_twice(
    owner: Client, service: Service, collins: Image.Image, hopper: Image.Image
) -> None:
    """Nobody is looked for unless it is asked for; then it is said how many were, and the pair waits to be decided."""
    assert "looked for" not in imported(owner, {"eileen": collins, "grace": hopper})
    assert f'action="{PATH}/subjects/eileen/duplicates"' in owner.get(f"{PATH}/subjects/eileen").text
    assert "None waits for a decision." in owner.get(f"{PATH}/duplicates").text

    page = imported(owner, {"collins": collins.resize((400, 400))}, looks="yes")
    assert "People looked for among the others</dt><dd>1</dd>" in page
    listed = owner.get(f"{PATH}/duplicates").text
    [pair] = re.findall(rf'href="({PATH}/duplicates/[^"]+)"', listed)
    both = owner.get(pair).text
    pictures = re.findall(rf'<img src="({PATH}/faces/[^"]+/picture)"', both)
    assert len(pictures) == 2
    assert all(owner.get(each).headers["content-type"] == "image/png" for each in pictures)

    assert post(owner, pair, data={"reasons": ""}).status_code == 422
    assert post(owner, pair, data={"reasons": "another nose"}).headers["location"] == f"{PATH}/duplicates"
    assert "None waits for a decision." in owner.get(f"{PATH}/duplicates").text
    assert owner.get(pair).status_code == 404
    assert "another nose" in owner.get(f"{PATH}/marks").text


def test_a_pair_is_made_one_from_its_page(owner: Client, service: Service, collins: Image.Image) -> None:
    """Both of one import are found, once; the form on the page is the subject's own."""
    imported(owner, {"eileen": collins, "collins": collins.resize((400, 400))}, looks="yes")
    [pair] = re.findall(rf'href="({PATH}/duplicates/[^"]+)"', owner.get(f"{PATH}/duplicates").text)
    form = re.search(r'action="([^"]+/merge)".*?name="into" value="(\w+)"', owner.get(pair).text, re.DOTALL)
    assert form is not None
    assert post(owner, form[1], page=pair, data={"into": form[2], "use": ""}).is_redirect
    assert owner.get(pair).status_code == 404
    with service.records.reading() as reader:
        assert reader.subject(ALBUM, SubjectId(form[2])).face_count == 2
        assert reader.gallery(ALBUM).subject_count == 1


def test_where_candidates_wait_for_reviewers_nobody_is_looked_for(web: Web, collins: Image.Image) -> None:
    """The police's use is refused before anything is enrolled; a subject's page has no form that would be refused."""
    before = sum(isinstance(each, facts.Search) for each in web.world.entries())
    files = [("photographs", ("twice.jpg", jpeg(collins.resize((333, 333))), "image/jpeg"))]
    answer = reading(web, SEARCHER).post(
        f"/galleries/{GALLERY}/import", files=files, use=USE, quality="NONE", looks="yes"
    )
    assert answer.status_code in {403, 422}
    with web.service.records.reading() as reader:
        assert "twice" not in {row.subject_id for row in reader.subjects(GALLERY, limit=1000)}
    assert sum(isinstance(each, facts.Search) for each in web.world.entries()) == before

    somebody = SubjectId("somebody")
    permit = Policy().decide(principal_of(ADMINISTRATOR), Action.ENROL, gallery=GALLERY, decision_id=DecisionId("one"))
    web.service.subjects.create_subject(GALLERY, somebody, token=None, permit=permit)
    page = reading(web, SEARCHER).get(f"/galleries/{GALLERY}/subjects/{somebody}").text
    assert "nobody is looked for by name" in page
    assert "/duplicates" not in page
