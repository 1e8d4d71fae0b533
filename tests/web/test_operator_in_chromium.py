"""Operators' pages in a real browser: upload, drag, paste, camera, keyboard, without JavaScript, light and dark."""

import base64
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from recognizance.governance.review import Outcome

from ..conftest import jpeg
from ..review_world import CASE, FIRST, SEARCHER, SECOND, SUPERVISOR
from .operator_world import PIER, enrolled, leads_of, own_use, reviews
from .world import PHONE, Browsers, Scheme, Web, assert_accessible, look

DESKTOP = {"width": 1440, "height": 900}
NAME = "astronaut-file-17"
SCHEMES: tuple[Scheme, ...] = ("light", "dark")

# A file that a script puts where a person would: as a drop or a paste has it.
_GIVE_FILE = """([kind, data]) => {
  const bytes = Uint8Array.from(atob(data), (each) => each.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "given.jpg", { type: "image/jpeg" }));
  const target = document.querySelector("[data-photo]");
  target.dispatchEvent(kind === "drop"
    ? new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true })
    : new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true }));
}"""

# Counts what would be sent, and sends nothing.
_STAY_AND_COUNT = """() => {
  window.sent = 0;
  addEventListener("submit", (event) => {
    if (!event.defaultPrevented) window.sent += 1;
    event.preventDefault();
  });
}"""


@pytest.fixture
def photograph(collins: Image.Image, tmp_path: Path) -> Path:
    path = tmp_path / "from the camera at the pier.jpg"
    path.write_bytes(jpeg(collins, 80))
    return path


def state_the_case(page: Page) -> None:
    page.get_by_label("Case number").fill(CASE)
    page.get_by_label("Why this search is needed").fill("robbery at the pier")
    page.get_by_label("robbery", exact=True).check()


def upload(page: Page, photograph: Path) -> None:
    """From the form of a use to the faces of a photograph."""
    state_the_case(page)
    page.get_by_label("A photograph of the person looked for").set_input_files(photograph)
    page.get_by_role("button", name="Look for faces").click()


def fits(page: Page) -> bool:
    """Whether nobody has to scroll sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def seen(page: Page, name: str) -> None:
    """Look at a page, have axe-core look at it, light and dark, and have it fit."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        look(page, f"{name}-{scheme}")
        assert_accessible(page)
    assert fits(page), name


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_the_way_of_a_search_keeps_nobody_out(
    web: Web, browsers: Browsers, photograph: Path, collins: Image.Image, size: str
) -> None:
    """axe-core finds nothing on any page from the choice of a use to the history, and none is wider than its screen."""
    own_use(web)
    enrolled(web, NAME, collins)
    viewport = DESKTOP if size == "desktop" else PHONE
    page = browsers.open("/search", as_=SEARCHER, viewport=viewport)  # type: ignore[arg-type]  # a size
    seen(page, f"operator-choose-{size}")
    page.goto(f"/search/begin?use={PIER}")
    seen(page, f"operator-begin-{size}")
    page.get_by_role("button", name="Look for faces").click()
    seen(page, f"operator-begin-wrong-{size}")
    upload(page, photograph)
    expect(page.get_by_role("heading", level=1)).to_have_text("1 face was found")
    seen(page, f"operator-faces-{size}")
    page.get_by_role("link", name="Edit the photograph").click()
    page.get_by_label("Brighter by").fill("10")
    page.get_by_role("button", name="Change brightness").click()
    seen(page, f"operator-edited-{size}")
    page.get_by_role("link", name="Edit the photograph").click()
    seen(page, f"operator-edit-{size}")
    page.get_by_role("link", name="Back without an edit").click()
    page.get_by_role("button", name="Search for this face").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Candidates wait for review")
    seen(page, f"operator-result-{size}")
    page.goto("/searches")
    seen(page, f"operator-history-{size}")


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_leads_keep_nobody_out(web: Web, browsers: Browsers, photograph: Path, collins: Image.Image, size: str) -> None:
    """From the list to the sheet for print, in both schemes; the supervisor's pages as well."""
    own_use(web)
    enrolled(web, NAME, collins)
    before = reviews(web)
    viewport = DESKTOP if size == "desktop" else PHONE
    page = browsers.open(f"/search/begin?use={PIER}", as_=SEARCHER, viewport=viewport)  # type: ignore[arg-type]  # a size
    upload(page, photograph)
    page.get_by_role("button", name="Search for this face").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Candidates wait for review")
    [review] = reviews(web) - before
    for person in (FIRST, SECOND):
        web.world.answer(review, person, Outcome.SAME_PERSON)
    [lead] = leads_of(web, review)
    page.reload()
    seen(page, f"operator-result-lead-{size}")
    supervisor = browsers.open("/leads", as_=SUPERVISOR, viewport=viewport)  # type: ignore[arg-type]  # a size
    for path, name in (
        (f"/leads/{lead}/attest", "attest"),
        ("/case-record", "case-record"),
        (f"/leads/{lead}", "locked"),
    ):
        supervisor.goto(path)
        seen(supervisor, f"operator-{name}-{size}")
    supervisor.get_by_role("link", name="Attest independent evidence").click()
    supervisor.get_by_label("a document", exact=True).check()
    supervisor.get_by_label("What it is, and why it is independent").fill("a rental contract from before the search")
    supervisor.get_by_label("The document that says so").set_input_files(photograph)
    supervisor.get_by_label("I have seen this evidence").check()
    supervisor.get_by_role("button", name="Attest").click()
    expect(supervisor.get_by_role("status")).to_contain_text("on record")
    page.goto("/leads")
    seen(page, f"operator-leads-{size}")
    supervisor.get_by_role("button", name="Export the lead").click()
    expect(supervisor.get_by_role("img", name="The enrolled face")).to_be_visible()
    seen(supervisor, f"operator-sheet-{size}")
    supervisor.emulate_media(media="print")
    look(supervisor, f"operator-sheet-print-{size}")
    expect(supervisor.get_by_text("Investigative lead, not the sole basis").first).to_be_visible()


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_photograph_can_be_dragged_or_pasted(web: Web, browsers: Browsers, collins: Image.Image, kind: str) -> None:
    """It ends up in the same field as a chosen file, and is shown before it is sent."""
    own_use(web)
    page = browsers.open(f"/search/begin?use={PIER}", as_=SEARCHER)
    state_the_case(page)
    page.evaluate(_GIVE_FILE, [kind, base64.b64encode(jpeg(collins, 80)).decode()])
    expect(page.get_by_role("img", name="The photograph that you chose")).to_be_visible()
    page.get_by_role("button", name="Look for faces").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("1 face was found")


def test_the_camera_is_one_more_way(web: Web, browsers: Browsers) -> None:
    """A test's camera shows a pattern; a frame of it goes into the field, and no face is found in it."""
    own_use(web)
    page = browsers.open(f"/search/begin?use={PIER}", as_=SEARCHER)
    page.context.grant_permissions(["camera"])
    state_the_case(page)
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_role("button", name="Take the photograph").click()
    expect(page.get_by_role("img", name="The photograph that you chose")).to_be_visible()
    page.get_by_role("button", name="Look for faces").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("No face was found")


def test_without_a_camera_the_page_says_so(web: Web, browsers: Browsers) -> None:
    own_use(web)
    page = browsers.open(f"/search/begin?use={PIER}", as_=SEARCHER)
    page.evaluate("() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error()); }")
    page.get_by_role("button", name="Use the camera").click()
    expect(page.get_by_text("The camera can't be used. Choose a file instead.")).to_be_visible()


def test_what_takes_a_while_shows_that_it_does(web: Web, browsers: Browsers, photograph: Path) -> None:
    """A moving bar and its words while the photograph is on its way, and no second click."""
    own_use(web)
    page = browsers.open(f"/search/begin?use={PIER}", as_=SEARCHER)
    page.evaluate(_STAY_AND_COUNT)
    state_the_case(page)
    page.get_by_label("A photograph of the person looked for").set_input_files(photograph)
    for _ in range(2):
        page.get_by_role("button", name="Look for faces").click()
    expect(page.get_by_role("progressbar", name="Looking for faces…")).to_be_visible()
    assert page.evaluate("window.sent") == 1


def test_a_search_without_javascript(web: Web, browsers: Browsers, photograph: Path, collins: Image.Image) -> None:
    """Forms and links alone lead from the case to the receipt."""
    own_use(web)
    enrolled(web, NAME, collins)
    page = browsers.open("/search", as_=SEARCHER, javascript=False)
    page.get_by_role("link", name=re.compile(f"Search under this use.*{PIER}")).click()
    upload(page, photograph)
    page.get_by_role("button", name="Search for this face").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Candidates wait for review")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the receipt").click()
    assert download.value.suggested_filename.endswith(".tlog-proof")


def test_a_search_by_keyboard_alone(web: Web, browsers: Browsers, photograph: Path, collins: Image.Image) -> None:
    """Tab, space, letters and enter; only the file itself comes from the browser's own dialogue."""
    own_use(web)
    enrolled(web, NAME, collins)
    page = browsers.open(f"/search/begin?use={PIER}", as_=SEARCHER)
    page.get_by_label("Case number").focus()
    page.keyboard.type(CASE)
    page.keyboard.press("Tab")
    page.keyboard.type("robbery at the pier")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Is this search about any of these?")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("A photograph of the person looked for")).to_be_focused()
    page.get_by_label("A photograph of the person looked for").set_input_files(photograph)
    for _ in range(4):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Look for faces":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("1 face was found")
    expect(page.get_by_role("radio")).to_be_checked()
    page.get_by_role("radio").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Candidates wait for review")


def test_a_crop_is_marked_by_dragging(web: Web, browsers: Browsers, photograph: Path) -> None:
    """The fields that count are filled in, in pixels of the photograph itself."""
    own_use(web)
    page = browsers.open(f"/search/begin?use={PIER}", as_=SEARCHER)
    upload(page, photograph)
    page.get_by_role("link", name="Edit the photograph").click()
    box = page.get_by_role("img", name="The photograph as it is now").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * 0.02)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.7)
    page.mouse.up()
    assert abs(int(page.get_by_label("From the left").input_value()) - 51) <= 2
    assert abs(int(page.get_by_label("Width").input_value()) - 358) <= 3
    look(page, "operator-crop")
    page.get_by_role("button", name="Cut out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("1 face was found")
    expect(page.get_by_role("rowheader", name="cut out")).to_be_visible()
