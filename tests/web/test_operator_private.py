"""Searching one's own galleries in a private installation: candidates are shown, as suggestions."""

import io
import re
from pathlib import Path

import pytest
from PIL import Image

from recognizance.app import Service, http_app
from recognizance.faces import QualityFilter, open_photograph
from recognizance.governance import Policy
from recognizance.governing.access import ADMINISTRATOR, principal_of
from recognizance.governing.registration import at_the_machine
from recognizance.identifiers import DecisionId, FaceId, GalleryId
from recognizance.permits import Action, Permit

from ..conftest import OpenService, jpeg
from .client import Client
from .operator_world import post
from .world import PASSWORD

ALBUM = GalleryId("album")


def permit(action: Action) -> Permit:
    return Policy().decide(principal_of(ADMINISTRATOR), action, gallery=ALBUM, decision_id=DecisionId("decision"))


def enrol(service: Service, name: str, picture: Image.Image) -> None:
    service.enrolment.enrol(
        ALBUM,
        open_photograph(jpeg(picture), permit(Action.ENROL)),
        external_image_id=name,
        max_faces=1,
        quality_filter=QualityFilter.NONE,
        permit=permit(Action.ENROL),
    )


@pytest.fixture
def service(service_in: OpenService, tmp_path: Path, collins: Image.Image) -> Service:
    """A private installation with one enrolled face, whose photograph is kept."""
    opened = service_in(tmp_path / "data", keep_images=True)
    opened.galleries.create(ALBUM, tags={}, permit=permit(Action.MANAGE_GALLERY))
    enrol(opened, "eileen.jpg", collins)
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


def search(client: Client, picture: Image.Image) -> str:
    """A whole search; the address of its result."""
    files = {"photo": ("probe.jpg", jpeg(picture, 80), "image/jpeg")}
    draft = post(client, f"/search/begin?gallery={ALBUM}", files=files).headers["location"]
    return post(client, f"{draft}/search", page=draft, data={"face": "0"}).headers["location"]


def test_candidates_are_suggestions_with_how_rare_such_a_likeness_is(
    service: Service, owner: Client, collins: Image.Image
) -> None:
    """A name and a picture, and instead of a percentage how often two different people look so alike."""
    assert f"/search/begin?gallery={ALBUM}" in owner.get("/search").text
    result = owner.get(search(owner, collins))
    assert "1 suggestion" in result.text
    assert "eileen.jpg" in result.text
    assert "Photographs of two different people look this much alike about once in" in result.text
    assert "still brings up a candidate" in result.text
    assert not re.search(r"\d\s*%", result.text)
    [path] = re.findall(r'<img src="(/searches/\d+/candidates/1)"', result.text)
    picture = owner.get(path)
    assert picture.headers["content-security-policy"] == "default-src 'none'; sandbox"
    with Image.open(io.BytesIO(picture.content)) as shown:
        assert shown.format == "PNG"
    assert owner.get(path.removesuffix("1") + "2").status_code == 404


def test_a_face_that_was_removed_is_gone_from_old_results(
    service: Service, owner: Client, collins: Image.Image
) -> None:
    """The result is read from the record each time, and shows nobody who was forgotten."""
    result = search(owner, collins)
    [face] = re.findall(r"<code>([0-9a-f-]{36})</code>", owner.get(result).text)[:1]
    service.erasure.faces(ALBUM, [FaceId(face)], permit=permit(Action.FORGET))
    page = owner.get(result).text
    assert "eileen.jpg" not in page
    assert face not in page
    assert owner.get(f"{result}/candidates/1").status_code == 404


def test_an_edit_under_the_standing_use(owner: Client, collins: Image.Image) -> None:
    files = {"photo": ("probe.jpg", jpeg(collins, 80), "image/jpeg")}
    draft = post(owner, f"/search/begin?gallery={ALBUM}", files=files).headers["location"]
    assert post(owner, f"{draft}/edit", data={"kind": "rotate", "rotate": "180"}).status_code == 303
    assert len(re.findall(r"<code>[0-9a-f]{64}</code>", owner.get(draft).text)) == 2
