"""Searching on the pages, over HTTP and without a browser: use, case, photograph, face, result, receipt, history."""

import hashlib
import io
import re

import pytest
from PIL import Image, ImageFilter

from recognizance.app import http_app
from recognizance.documents import Kind, PersonRecord, inserted, stored
from recognizance.errors import NotFoundError
from recognizance.faces import Calibration, FaceReader, UnindexedReason
from recognizance.governance.parties import Agency, AgencyId, AgencyKind, Person, PersonId, Role, Training
from recognizance.ledger import Receipt
from recognizance.reviewing.documents import review_of
from recognizance.web.operator_history import OwnSearches
from recognizance.web.operator_shelf import Shelf
from recognizance.web.operator_words import QUALITY_WORDS, chance_likeness, false_candidates

from ..conftest import jpeg
from ..review_world import AGENCY, CASE, FIRST, SEARCHER, SUPERVISOR, person_id
from .client import Client
from .operator_world import PIER, begin, client_of, enrolled, own_use, post, reviews, searched
from .world import Web

COLLEAGUE = person_id("colleague who searches too")


@pytest.fixture(scope="module")
def app(web: Web) -> object:
    own_use(web)
    return http_app(web.service)


@pytest.fixture
def client(web: Web, app: object) -> Client:
    return client_of(web, app)


@pytest.fixture(scope="module")
def colleague(web: Web) -> PersonId:
    """Another operator of the same agency."""
    web.world.add_person(Person(COLLEAGUE, AGENCY, frozenset({Role.OPERATOR}), _trainings(web)))
    return COLLEAGUE


def _trainings(web: Web) -> tuple[Training, ...]:
    with web.service.records.reading() as reader:
        return stored(reader, Kind.PERSON, SEARCHER, PersonRecord).value.person.trainings


def blurred(picture: Image.Image) -> Image.Image:
    """The same picture with all detail gone."""
    return picture.filter(ImageFilter.GaussianBlur(9))


def test_the_use_comes_first_and_says_what_it_allows(client: Client) -> None:
    """Purpose, limits, what is recorded and who reviews are on the page that asks for the photograph."""
    chosen = client.get("/search")
    assert f"/search/begin?use={PIER}" in chosen.text
    page = client.get(f"/search/begin?use={PIER}").text
    for said in ("What is allowed", "What is recorded", "Who looks at the result", "Two examiners of your agency"):
        assert said in page
    assert client.get(f"/uses/{PIER}").status_code == 200
    assert client.get("/search/begin").status_code == 404
    assert client.get("/search/begin?use=somebody-elses").status_code == 404


def test_a_search_without_its_case_is_refused_before_the_photograph_is_looked_at(
    client: Client, collins: Image.Image, web: Web
) -> None:
    before = len(web.world.entries())
    answer = begin(client, jpeg(collins), case="", justification="")
    assert answer.status_code == 422
    assert answer.text.count("This can&#39;t be empty.") >= 2
    assert len(web.world.entries()) == before


def test_a_forbidden_aim_is_refused_by_the_policy(client: Client, collins: Image.Image) -> None:
    """The page adds no rule: the refusal says what is missing, has a number, and is on record."""
    answer = begin(client, jpeg(collins), aim="lawful_protest")
    assert answer.status_code == 403
    assert "Number to quote" in answer.text


def test_candidates_wait_for_review_and_nobody_is_named(web: Web, client: Client, collins: Image.Image) -> None:
    """The result says how many wait, what a candidate is worth, and neither a name nor a percentage."""
    enrolled(web, "astronaut-file-17", collins)
    result = searched(client, collins)
    assert result.status_code == 200
    assert "waits for two examiners" in result.text
    assert "still brings up a candidate" in result.text
    assert CASE in result.text
    assert "astronaut-file-17" not in result.text
    assert web.world.enrolled["astronaut-file-17"] not in result.text
    assert not re.search(r"\d\s*%", result.text)


def test_a_stranger_is_no_candidate(client: Client, hopper: Image.Image) -> None:
    assert "<h1>No candidate</h1>" in searched(client, hopper).text


def test_the_receipt_proves_the_entry(web: Web, client: Client, hopper: Image.Image) -> None:
    """Both downloads together, against the log's key and nothing else."""
    result = searched(client, hopper)
    index = re.search(r"/searches/(\d+)/receipt", result.text)
    assert index is not None
    receipt = client.get(f"/searches/{index[1]}/receipt")
    entry = client.get(f"/searches/{index[1]}/entry")
    assert receipt.headers["content-disposition"].startswith("attachment")
    opened = Receipt.parse(receipt.content).verify(entry.content, (web.service.recorder.verifier,))
    assert opened.checkpoint.size > int(index[1])
    assert f"/searches/{index[1]}" in client.get("/searches").text
    for link in (f"/record/{index[1]}", "/verify"):
        assert f'href="{link}"' in result.text
        assert client.get(link).status_code == 200


def test_nobody_sees_anybody_elses_search_or_photograph(
    web: Web, app: object, client: Client, colleague: PersonId, hopper: Image.Image
) -> None:
    """Not the result, not the receipt, not the photograph in between: the same 404 as for what isn't there."""
    draft = begin(client, jpeg(hopper)).headers["location"]
    result = post(client, f"{draft}/search", page=draft, data={"face": "0"}).headers["location"]
    mine = begin(client, jpeg(hopper)).headers["location"]
    theirs = client_of(web, app, colleague)
    for path in (result, f"{result}/receipt", f"{result}/entry", f"{result}/candidates/1"):
        assert theirs.get(path).status_code == 404
    for path in (mine, f"{mine}/picture", f"{mine}/edit"):
        assert theirs.get(path).status_code == 404
        assert client.get(path).status_code == 200
    assert theirs.get("/searches").text.count("/receipt") == 0


def test_another_agencys_use_is_no_use_of_ones_own(web: Web, app: object) -> None:
    """It isn't offered, and its address looks like one that isn't there."""
    agency = Agency(AgencyId("hill-police"), AgencyKind.LAW_ENFORCEMENT, "Hill Police", "the chief", "hill@example.org")
    with web.service.records.transaction() as transaction:
        inserted(transaction, Kind.AGENCY, agency.id, agency)
    neighbour = person_id("operator of another agency")
    web.world.add_person(Person(neighbour, agency.id, frozenset({Role.OPERATOR}), _trainings(web)))
    theirs = client_of(web, app, neighbour)
    assert PIER not in theirs.get("/search").text
    assert theirs.get(f"/search/begin?use={PIER}").status_code == 404


def test_pages_of_operators_are_for_operators(web: Web, app: object) -> None:
    supervisor, examiner = client_of(web, app, SUPERVISOR), client_of(web, app, FIRST)
    for path in ("/search", "/searches", "/search/begin"):
        assert supervisor.get(path).status_code == 403
        assert examiner.get(path).status_code == 403
    assert examiner.get("/leads").status_code == 403


def test_a_chosen_face_is_searched_and_no_other(
    web: Web, client: Client, both: Image.Image, collins: Image.Image
) -> None:
    """Of two people in a photograph the chosen one is found, or not, whoever is larger."""
    enrolled(web, "astronaut-file-17", collins)
    outcomes = set()
    for face in ("0", "1"):
        draft = begin(client, jpeg(both)).headers["location"]
        assert "2 faces were found" in client.get(draft).text
        answer = post(client, f"{draft}/search", page=draft, data={"face": face})
        outcomes.add("No candidate" in client.get(answer.headers["location"]).text)
    assert outcomes == {True, False}


def test_a_face_has_to_be_chosen(client: Client, both: Image.Image) -> None:
    draft = begin(client, jpeg(both)).headers["location"]
    for face in ("", "7", "-1", "x"):
        answer = post(client, f"{draft}/search", page=draft, data={"face": face})
        assert answer.status_code == 422
        assert "Choose one of the answers." in answer.text


def test_a_blurred_face_is_said_in_words_and_cant_be_searched(client: Client, collins: Image.Image) -> None:
    draft = begin(client, jpeg(blurred(collins))).headers["location"]
    page = client.get(draft)
    assert "too blurred to search" in page.text
    assert "Search for this face" not in page.text
    assert post(client, f"{draft}/search", page=draft, data={"face": "0"}).status_code == 422


def test_a_photograph_of_nobody_is_no_search(client: Client, nobody: Image.Image) -> None:
    draft = begin(client, jpeg(nobody)).headers["location"]
    assert "No face was found" in client.get(draft).text


@pytest.mark.parametrize(
    ("kind", "fields", "size"),
    [
        ("rotate", {"rotate": "90"}, (512, 512)),
        ("brightness", {"brightness": "+20"}, (512, 512)),
        ("contrast", {"contrast": "120"}, (512, 512)),
        ("crop", {"left": "60", "top": "0", "width": "320", "height": "300"}, (320, 300)),
    ],
)
def test_an_edit_is_on_record_with_both_hashes(
    web: Web, client: Client, collins: Image.Image, kind: str, fields: dict[str, str], size: tuple[int, int]
) -> None:
    """The page shows the picture as it is now, and the hashes before and after the edit."""
    draft = begin(client, jpeg(collins)).headers["location"]
    answer = post(client, f"{draft}/edit", data={"kind": kind, **fields})
    assert answer.status_code == 303
    page = client.get(draft)
    assert len(re.findall(r"<code>[0-9a-f]{64}</code>", page.text)) == 2
    with Image.open(io.BytesIO(client.get(f"{draft}/picture").content)) as shown:
        assert shown.size == size
    kinds = [entry.kind for entry in web.world.entries()]
    assert kinds.count("probe_edit") >= 1


def test_what_is_searched_for_follows_from_the_original(web: Web, client: Client, collins: Image.Image) -> None:
    """The review has both edits, from the hash of the file that was sent to that of the picture searched for."""
    enrolled(web, "astronaut-file-17", collins)
    sent = jpeg(collins, 87)
    draft = begin(client, sent).headers["location"]
    post(client, f"{draft}/edit", data={"kind": "contrast", "contrast": "110"})
    post(client, f"{draft}/edit", data={"kind": "brightness", "brightness": "-5"})
    before = reviews(web)
    post(client, f"{draft}/search", page=draft, data={"face": "0"})
    [review] = reviews(web) - before
    with web.service.records.reading() as reader:
        file = review_of(reader, review).value
    assert [edit.kind.value for edit in file.edits] == ["contrast", "brightness"]
    assert file.edits[0].before_sha256 == hashlib.sha256(sent).hexdigest()
    assert file.edits[0].after_sha256 == file.edits[1].before_sha256
    assert file.edits[1].after_sha256 == file.review.probe_sha256


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "paint"},
        {"kind": "rotate", "rotate": "45"},
        {"kind": "brightness", "brightness": "0"},
        {"kind": "brightness", "brightness": "--5"},
        {"kind": "brightness", "brightness": "900"},
        {"kind": "contrast", "contrast": "100"},
        {"kind": "scale", "scale": "100000"},
        {"kind": "crop", "left": "500", "top": "0", "width": "300", "height": "300"},
        {"kind": "crop", "left": "0", "top": "0", "width": "0", "height": "0"},
        {"kind": "crop", "left": "x", "top": "0", "width": "9", "height": "9"},
    ],
)
def test_an_edit_that_cant_be_made_says_so(client: Client, collins: Image.Image, fields: dict[str, str]) -> None:
    draft = begin(client, jpeg(collins)).headers["location"]
    answer = post(client, f"{draft}/edit", data=fields)
    assert answer.status_code == 422
    assert "There is a problem" in answer.text
    assert "What was done to it" not in client.get(draft).text


def test_going_back_to_the_original_and_letting_it_go(client: Client, collins: Image.Image) -> None:
    draft = begin(client, jpeg(collins, 91)).headers["location"]
    assert post(client, f"{draft}/edit", data={"kind": "brightness", "brightness": "-12"}).status_code == 303
    post(client, f"{draft}/original", page=draft)
    assert "What was done to it" not in client.get(draft).text
    post(client, f"{draft}/discard", page=draft)
    assert client.get(draft).status_code == 404


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"


@pytest.mark.parametrize(
    "data",
    [
        SVG,
        HTML,
        b"GIF89a" + b"\0" * 40,
        b"%PDF-1.7\n",
        b"\xff\xd8\xff\xe0" + HTML,
        b"\x89PNG\r\n\x1a\n" + SVG,
        b"PK\x03\x04" + b"\0" * 40,
        b"BM" + b"\0" * 60,
    ],
    ids=["svg", "html", "gif", "pdf", "script behind a JPEG's first bytes", "SVG behind a PNG's", "zip", "bmp"],
)
def test_what_is_no_photograph_is_refused(client: Client, data: bytes) -> None:
    """By what it is, whatever it calls itself; nothing of it is kept or shown."""
    answer = begin(client, data, name='"><script>alert(1)</script>.jpg')
    assert answer.status_code == 422
    assert "no photograph that can be read" in answer.text
    assert "alert(1)" not in answer.text


def test_a_polyglot_is_served_as_nothing_but_its_pixels(client: Client, collins: Image.Image) -> None:
    """A photograph with a page in its comment and behind its end: our own encoding alone comes back, in a sandbox."""
    file = io.BytesIO()
    collins.save(file, "JPEG", comment=HTML)
    draft = begin(client, file.getvalue() + HTML + SVG).headers["location"]
    picture = client.get(f"{draft}/picture")
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.headers["x-content-type-options"] == "nosniff"
    assert picture.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert picture.headers["cache-control"] == "no-store"
    assert b"script" not in picture.content
    with Image.open(io.BytesIO(picture.content)) as shown:
        assert shown.format == "JPEG"
        assert "comment" not in shown.info


def test_a_photograph_beyond_the_limits_is_refused(client: Client) -> None:
    """Too many bytes never reach the decoder, and too many pixels are never decoded."""
    assert begin(client, b"\xff\xd8\xff" + b"\0" * (17 << 20)).status_code == 413
    huge = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(huge, "PNG")
    answer = begin(client, huge.getvalue())
    assert answer.status_code == 422
    assert "too large" in answer.text


def test_a_script_in_the_case_is_only_text(client: Client, hopper: Image.Image) -> None:
    """What was stated comes back from the record, escaped."""
    draft = begin(client, jpeg(hopper), case="<script>alert(1)</script>").headers["location"]
    answer = post(client, f"{draft}/search", page=draft, data={"face": "0"})
    page = client.get(answer.headers["location"]).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page


def test_a_form_without_its_token_searches_nothing(client: Client, hopper: Image.Image) -> None:
    draft = begin(client, jpeg(hopper)).headers["location"]
    for path in ("search", "edit", "discard", "original"):
        assert client.post(f"{draft}/{path}", data={"face": "0"}).status_code == 403
    assert client.get(draft).status_code == 200


def test_who_may_search_is_asked_again_at_the_search(web: Web, client: Client, hopper: Image.Image) -> None:
    """Between upload and search the training ends; the search itself is refused, and the photograph is still there."""
    draft = begin(client, jpeg(hopper)).headers["location"]
    trainings = _trainings(web)
    web.world.change_person(SEARCHER, trainings=())
    try:
        answer = post(client, f"{draft}/search", page=draft, data={"face": "0"})
        assert answer.status_code == 403
    finally:
        web.world.change_person(SEARCHER, trainings=trainings)
    assert client.get(draft).status_code == 200


def test_the_history_goes_on_where_it_ended(web: Web, client: Client, hopper: Image.Image) -> None:
    """A reading that began before a search and one that begins after it see the same."""
    own = OwnSearches(web.service.records, web.service.recorder)
    before = own.count(SEARCHER)
    searched(client, hopper)
    fresh = OwnSearches(web.service.records, web.service.recorder)
    assert own.count(SEARCHER) == fresh.count(SEARCHER) == before + 1
    assert own.latest(SEARCHER, skip=0, limit=5) == fresh.latest(SEARCHER, skip=0, limit=5)
    with pytest.raises(NotFoundError):
        own.one(FIRST, own.latest(SEARCHER, skip=0, limit=1)[0].index)


def test_what_lies_on_the_shelf_is_its_owners_and_not_for_long() -> None:
    """Bounded in number, in bytes and in time, and nobody else's."""
    at = [0.0]
    tokens = iter("abcdefghij")
    shelf: Shelf[str] = Shelf(
        clock=lambda: at[0], new_token=lambda: next(tokens), kept_s=10, most_each=2, most_bytes=100
    )
    first = shelf.put(FIRST, "one", size_bytes=10)
    assert shelf.get(FIRST, first) == "one"
    for stranger in (SEARCHER, SUPERVISOR):
        with pytest.raises(NotFoundError):
            shelf.get(stranger, first)
    second, third = shelf.put(FIRST, "two", size_bytes=10), shelf.put(FIRST, "three", size_bytes=10)
    with pytest.raises(NotFoundError):
        shelf.get(FIRST, first)
    large = shelf.put(SEARCHER, "large", size_bytes=95)
    for gone in (second, third):
        with pytest.raises(NotFoundError):
            shelf.get(FIRST, gone)
    assert shelf.get(SEARCHER, large) == "large"
    at[0] = 11
    with pytest.raises(NotFoundError):
        shelf.get(SEARCHER, large)


def test_every_flaw_has_its_words() -> None:
    assert set(QUALITY_WORDS) == set(UnindexedReason)


def test_a_larger_gallery_brings_up_more_people_by_chance(faces: tuple[FaceReader, Calibration]) -> None:
    """Held against a calculation by hand: among N faces, 1 - (1 - FMR)^N."""
    _, calibration = faces
    score = calibration.score_at_fmr(1e-4)
    # 1 - (1 - 1e-4)^1000 = 0.09516..., so once in 10.5; and once in 10,000 for a gallery of one face.
    assert false_candidates(calibration, score, gallery_size=1000).once_in == 10
    assert false_candidates(calibration, score, gallery_size=1).once_in in {9900, 10000}
    assert chance_likeness(calibration, score).once_in in {9900, 10000}
    assert chance_likeness(calibration, calibration.score_at_fmr(1e-8)).is_estimated
