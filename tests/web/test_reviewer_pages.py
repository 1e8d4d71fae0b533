"""Reviewing on the pages, over HTTP and without a browser: blind, with reasons, and final."""

import io
import re
from collections.abc import Sequence

import httpx
import pytest
from PIL import Image

from recognizance.app import http_app
from recognizance.governance.review import Observation, Outcome, ReviewId
from recognizance.reviewing.documents import review_of
from recognizance.web.reviewer_words import OBSERVATION_WORDS, OUTCOME_HINTS, OUTCOME_WORDS

from ..review_world import CASE, FIRST, SEARCHER, SECOND, THIRD
from .client import Client
from .operator_world import client_of, enrolled, leads_of, own_use, post, reviewed_search
from .world import Web

NAME = "astronaut-file-17"


@pytest.fixture(scope="module")
def app(web: Web) -> object:
    own_use(web)
    return http_app(web.service)


@pytest.fixture
def reviewers(web: Web, app: object) -> list[Client]:
    """The browsers of three examiners."""
    return [client_of(web, app, person) for person in (FIRST, SECOND, THIRD)]


@pytest.fixture
def review(web: Web, app: object, collins: Image.Image) -> ReviewId:
    """A review with one candidate that nobody has taken on."""
    enrolled(web, NAME, collins)
    _, opened = reviewed_search(web, client_of(web, app), collins)
    return opened


def take_on(client: Client, review: ReviewId) -> httpx.Response:
    """Claim a review, and load it."""
    assert post(client, f"/reviews/{review}/claim", page=f"/reviews/{review}").status_code == 303
    return client.get(f"/reviews/{review}")


def give(
    client: Client, review: ReviewId, outcome: str, reasons: Sequence[str] = ("nose", "light"), number: int = 1
) -> httpx.Response:
    fields = {f"outcome-{number}": outcome, f"reasons-{number}": list(reasons), f"remarks-{number}": "compared"}
    return post(client, f"/reviews/{review}", data=fields)


def test_a_review_is_seen_once_it_is_taken_on(web: Web, reviewers: list[Client], review: ReviewId) -> None:
    """Before that there is a page that says what will be asked, and no picture."""
    first, *_ = reviewers
    assert f"/reviews/{review}" in first.get("/reviews").text
    before = first.get(f"/reviews/{review}")
    assert "Take it on" in before.text
    assert '<img src="/reviews' not in before.text
    assert first.get(f"/reviews/{review}/probe").status_code == 403
    page = take_on(first, review)
    for source in re.findall(r'<img src="(/reviews/[^"]+)"', page.text):
        picture = first.get(source)
        assert picture.headers["content-type"] == "image/png"
        assert picture.headers["content-security-policy"] == "default-src 'none'; sandbox"
        with Image.open(io.BytesIO(picture.content)) as shown:
            assert shown.format == "PNG"


def test_nothing_tells_of_scores_names_cases_or_the_other_reviewer(
    web: Web, reviewers: list[Client], review: ReviewId
) -> None:
    """Every body that a reviewer gets, before and after another has answered: byte for byte the same but for tokens."""
    first, second, _ = reviewers
    take_on(second, review)

    def bodies() -> list[bytes]:
        paths = ["/reviews", f"/reviews/{review}", f"/reviews/{review}/probe", "/reviews/shortcuts"]
        page = second.get(f"/reviews/{review}").text
        paths += re.findall(r'<img src="(/reviews/[^"]+/candidates/[^"]+)"', page)
        assert len(paths) == 5
        return [second.get(path).content for path in paths]

    before = bodies()
    take_on(first, review)
    assert give(first, review, "same_person").status_code == 303
    after = bodies()
    assert [_without_names_of_reviews(each) for each in before] == [_without_names_of_reviews(each) for each in after]
    with web.service.records.reading() as reader:
        [candidate] = review_of(reader, review).value.review.candidates
    score = f"{candidate.similarity_pct:.6f}"
    hidden = [NAME, web.world.enrolled[NAME], CASE, FIRST, THIRD, SEARCHER, score[:5], "name of"]
    for body in after:
        own = body.replace(f"name of {SECOND}".encode(), b"")
        assert not [each for each in hidden if each.encode() in own]
        if not body.startswith(b"\x89PNG"):
            assert not re.search(rb"\d\s*%|similarity|score", own.replace(b"no score", b""))


def _without_names_of_reviews(body: bytes) -> bytes:
    """The list of waiting reviews grows while tests run beside each other; of a page nothing else may change."""
    return re.sub(rb'<li><a class="button second" href="/reviews/[^"]+">[^<]+</a></li>\s*', b"", body)


def test_two_who_agree_make_a_lead_and_each_learns_nothing_of_it(
    web: Web, reviewers: list[Client], review: ReviewId
) -> None:
    answers = []
    for client in reviewers[:2]:
        take_on(client, review)
        answers.append(give(client, review, "same_person"))
        assert client.get(f"/reviews/{review}").status_code == 404
    assert [each.status_code for each in answers] == [303, 303]
    assert answers[0].headers["location"] == answers[1].headers["location"] == "/reviews"
    assert len(leads_of(web, review)) == 1


def test_a_disagreement_goes_to_the_third(web: Web, reviewers: list[Client], review: ReviewId) -> None:
    """There are two seats; a third one opens when the two differ, and whoever takes it isn't told."""
    first, second, third = reviewers
    take_on(first, review)
    take_on(second, review)
    assert third.get(f"/reviews/{review}").status_code == 404
    give(first, review, "same_person")
    assert third.get(f"/reviews/{review}").status_code == 404
    give(second, review, "different")
    page = take_on(third, review)
    assert "third" not in page.text.lower()
    give(third, review, "different")
    assert leads_of(web, review) == []


def test_a_review_can_be_given_back(reviewers: list[Client], review: ReviewId) -> None:
    first, *_ = reviewers
    take_on(first, review)
    assert post(first, f"/reviews/{review}/release", page=f"/reviews/{review}").status_code == 303
    assert "Take it on" in first.get(f"/reviews/{review}").text


@pytest.mark.parametrize(
    ("outcome", "reasons", "said"),
    [
        ("", ["nose"], "Choose one of the answers."),
        ("identified", ["nose"], "Choose one of the answers."),
        ("same_person", ["light"], "Say what about the faces this rests on"),
        ("different", [], "Say what about the faces this rests on"),
        ("image_unsuitable", ["nose"], "Say what is wrong with the pictures"),
        ("inconclusive", [], "Tick at least one reason."),
        ("same_person", ["gut feeling"], "Choose one of the answers."),
    ],
)
def test_findings_without_their_reasons_come_back(
    web: Web, reviewers: list[Client], review: ReviewId, outcome: str, reasons: list[str], said: str
) -> None:
    first, *_ = reviewers
    take_on(first, review)
    answer = give(first, review, outcome, reasons)
    assert answer.status_code == 422
    assert said in answer.text
    assert "compared" in answer.text
    assert first.get(f"/reviews/{review}").status_code == 200


def test_whoever_searched_reviews_nothing_of_it(web: Web, app: object, review: ReviewId) -> None:
    """The searcher is an examiner too, and still finds nothing under this address."""
    searcher = client_of(web, app, SEARCHER)
    for path in ("", "/probe"):
        assert searcher.get(f"/reviews/{review}{path}").status_code == 404
    assert str(review) not in searcher.get("/reviews").text


def test_everything_on_the_checklist_has_its_words() -> None:
    assert set(OBSERVATION_WORDS) == set(Observation)
    assert set(OUTCOME_WORDS) == set(OUTCOME_HINTS) == set(Outcome)
