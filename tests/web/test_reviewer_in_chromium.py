"""Reviewing in a real browser: side by side at one scale, enlarged and mirrored as one, by keyboard, without script."""

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from recognizance.app import http_app
from recognizance.governance.review import ReviewId

from ..review_world import FIRST, SECOND
from .operator_world import client_of, enrolled, leads_of, own_use, reviewed_search
from .test_operator_in_chromium import DESKTOP, seen
from .world import PHONE, Browsers, Web

NAME = "astronaut-file-17"


@pytest.fixture
def review(web: Web, collins: Image.Image) -> ReviewId:
    """A review that nobody has taken on."""
    own_use(web)
    enrolled(web, NAME, collins)
    _, opened = reviewed_search(web, client_of(web, http_app(web.service)), collins)
    return opened


def transforms(pictures: Locator) -> list[str]:
    return [picture.evaluate("each => each.style.transform") for picture in pictures.all()]


def take_on(page: Page) -> Locator:
    """Claim the review whose page this is; the pictures that are compared."""
    page.get_by_role("button", name="Take it on").click()
    pictures = page.locator(".pane img")
    expect(pictures).to_have_count(2)
    for picture in pictures.all():
        expect(picture).not_to_have_js_property("naturalWidth", 0)
    return pictures


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_reviewing_keeps_nobody_out(browsers: Browsers, review: ReviewId, size: str) -> None:
    viewport = DESKTOP if size == "desktop" else PHONE
    page = browsers.open("/reviews", as_=FIRST, viewport=viewport)  # type: ignore[arg-type]  # a size
    seen(page, f"reviewer-waiting-{size}")
    page.goto("/reviews/shortcuts")
    seen(page, f"reviewer-shortcuts-{size}")
    page.goto(f"/reviews/{review}")
    seen(page, f"reviewer-claim-{size}")
    take_on(page)
    seen(page, f"reviewer-review-{size}")
    page.get_by_role("button", name="Give my findings").click()
    seen(page, f"reviewer-wrong-{size}")


def test_both_pictures_have_one_scale_and_move_together(browsers: Browsers, review: ReviewId) -> None:
    """Buttons, keys and the pointer change both alike; resetting ends where it began."""
    page = browsers.open(f"/reviews/{review}", as_=FIRST)
    pictures = take_on(page)
    boxes = [picture.bounding_box() for picture in pictures.all()]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert (boxes[0]["width"], boxes[0]["height"]) == (boxes[1]["width"], boxes[1]["height"])
    before = transforms(pictures)
    assert len(set(before)) == 1
    page.get_by_role("button", name="Larger").click()
    page.get_by_role("button", name="Mirror").click()
    larger = transforms(pictures)
    assert len(set(larger)) == 1
    assert "scale(-1.25, 1.25)" in larger[0]
    page.get_by_role("group", name="Candidate 1", exact=True).focus()
    for key in ("+", "+", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
    moved = transforms(pictures)
    assert len(set(moved)) == 1
    assert "translate(10%, 10%)" in moved[0]
    page.keyboard.press("0")
    assert transforms(pictures) == before


def test_a_review_by_keyboard_alone(web: Web, browsers: Browsers, review: ReviewId) -> None:
    """From the pictures to the answer; letters that are typed into remarks choose nothing."""
    page = browsers.open(f"/reviews/{review}", as_=FIRST)
    take_on(page)
    page.get_by_role("group", name="Candidate 1", exact=True).focus()
    page.keyboard.press("2")
    expect(page.get_by_role("radio", name="Different people")).to_be_checked()
    page.get_by_label("Remarks on candidate 1").focus()
    page.keyboard.type("1 ear is hidden, m 0")
    expect(page.get_by_role("radio", name="Different people")).to_be_checked()
    page.get_by_label("nose", exact=True).focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Give my findings").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Your findings are on record.")
    assert leads_of(web, review) == []


def test_a_review_without_javascript(web: Web, browsers: Browsers, review: ReviewId) -> None:
    """Two people with nothing but forms make a lead."""
    for person in (FIRST, SECOND):
        page = browsers.open(f"/reviews/{review}", as_=person, javascript=False)
        take_on(page)
        page.get_by_role("radio", name="The same person").check()
        page.get_by_label("nose", exact=True).check()
        page.get_by_role("button", name="Give my findings").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Reviews")
    assert len(leads_of(web, review)) == 1
