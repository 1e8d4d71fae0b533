"""The pages of overseers, administrators and the desk in a real browser: axe-core, sizes, keyboard, no JavaScript."""

from datetime import timedelta

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, expect

from recognizance.cli.portraits import collins_portrait
from recognizance.governance import Asking, Credential, Principal
from recognizance.governance.parties import PersonId, UseId
from recognizance.governance.subjects import RequestEvent, RequestKind
from recognizance.governing.incidents import Incident
from recognizance.governing.registration import Actor, at_the_machine
from recognizance.ledger import facts

from ..conftest import jpeg
from ..review_world import GALLERY, OVERSEERS, SEARCHER, USE
from .test_administrator import enrolled
from .test_overseer import copied
from .world import DESK_OFFICER, DESKTOP, PHONE, Browsers, Scheme, Web, assert_accessible, look


@pytest.fixture(scope="module")
def furnished(web: Web, collins_module: Image.Image) -> dict[str, str]:
    """Something to see on every page."""
    officer = Actor(Principal(DESK_OFFICER, frozenset()), Asking(Credential.SIGN_IN))
    late = web.world.clock.now.date() - timedelta(days=40)
    for kind, day in ((RequestKind.ACCESS, late), (RequestKind.ERASURE, None)):
        request = web.service.desk.open(kind, asker="Ada Byron", statement="Please.", received=day, by=officer)
        web.service.desk.step(request.id, RequestEvent.VERIFY, by=officer)
    incident, _ = web.service.governing.incidents.report(
        Incident(facts.Occurrence.VIOLATION, web.world.clock.now - timedelta(days=2), "a search without a case"),
        by=at_the_machine(),
    )
    for _ in range(5):
        web.world.search(collins_module.resize((240, 240)))
    return {
        "use": copied(web, "to-be-voted-on", open_to_votes=True),
        "subject": enrolled(web, [collins_module.resize((290, 290)), collins_module.resize((310, 310))]),
        "request": request.id,
        "incident": incident.id,
    }


@pytest.fixture(scope="module")
def collins_module() -> Image.Image:
    return collins_portrait()


def paths_of(furnished: dict[str, str]) -> dict[PersonId, list[str]]:
    """Pages that show more here than in the walk over every page (`test_every_page.py`)."""
    return {
        OVERSEERS[0]: ["/oversight", "/oversight/unusual", f"/oversight/uses/{furnished['use']}"],
        DESK_OFFICER: ["/desk", f"/desk/requests/{furnished['request']}"],
        SEARCHER: [f"/galleries/{GALLERY}/subjects/{furnished['subject']}"],
    }


@pytest.mark.parametrize(("scheme", "size"), [("light", "desktop"), ("dark", "phone")])
def test_no_furnished_page_of_the_staff_keeps_anybody_out(
    browsers: Browsers, furnished: dict[str, str], scheme: Scheme, size: str
) -> None:
    """axe-core finds nothing, and nothing is wider than the screen."""
    for person, paths in paths_of(furnished).items():
        page = browsers.open(paths[0], as_=person, viewport=DESKTOP if size == "desktop" else PHONE, scheme=scheme)
        for path in paths:
            page.goto(path)
            look(page, f"staff{path.replace('/', '-')}-{size}-{scheme}")
            assert_accessible(page)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path


def test_a_use_is_suspended_by_keyboard_without_javascript(web: Web, browsers: Browsers) -> None:
    """Reasons, a box, a button: four keys, and the use has stopped."""
    use: UseId = copied(web, "stopped-by-keyboard")
    page = browsers.open(f"/oversight/uses/{use}/suspend", as_=OVERSEERS[1], javascript=False)
    page.get_by_label("Reasons").focus()
    page.keyboard.type("an audit found searches without cases")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Suspended.")
    assert web.service.governing.uses.get(use).use.suspension is not None


def test_an_import_shows_its_end_by_itself(web: Web, browsers: Browsers, collins_module: Image.Image) -> None:
    """The page follows the import and says when it is over, with the rejects to download."""
    page = browsers.open(f"/galleries/{GALLERY}/import", as_=SEARCHER)
    photograph: FilePayload = {
        "name": "eileen.jpg",
        "mimeType": "image/jpeg",
        "buffer": jpeg(collins_module.resize((330, 330))),
    }
    broken: FilePayload = {"name": "broken.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"}
    page.get_by_label("Photographs").set_input_files([photograph, broken])
    page.get_by_label("On behalf of which use").select_option(USE)
    page.get_by_label("How good a face has to be").select_option("NONE")
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("It is over.")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("link", name="Download all that was rejected")).to_be_visible()
    look(page, "staff-import-over")
    assert_accessible(page)
