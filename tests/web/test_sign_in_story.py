"""Getting in, as a person does it: invited, with an app, by keyboard alone; and how each page on the way looks."""

import base64
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from recognizance.app import Service
from recognizance.governance.parties import Person, Role
from recognizance.governance.profiles import ProfileName
from recognizance.governing import one_time
from recognizance.governing.beginning import choose_profile
from recognizance.governing.registration import at_the_machine

from ..review_world import AGENCY, person_id
from .world import DESKTOP, PASSWORD, PHONE, Browsers, Scheme, Web, assert_accessible, look, now, served


def type_into(page: Page, label: str, text: str) -> None:
    """Go to a field with the tab key, and type."""
    wanted = page.get_by_label(label, exact=True)
    for _ in range(30):
        page.keyboard.press("Tab")
        if wanted.evaluate("field => field === document.activeElement"):
            page.keyboard.type(text)
            return
    pytest.fail(f"the keyboard doesn't reach {label!r}")


def code_on(page: Page, web: Web, *, later: int = 0) -> str:
    """What an app shows that read the key on the page."""
    written = page.locator("ol code").inner_text().replace(" ", "")
    secret = base64.b32decode(written + "=" * (-len(written) % 8))
    return one_time.hotp(secret, one_time.step_at(web.world.clock.now) + later)


def test_somebody_who_was_invited_gets_in_by_keyboard(web: Web, browsers: Browsers) -> None:
    """A password, an app and its recovery codes; then out, and in again with both factors."""
    person = person_id("somebody invited")
    web.world.add_person(Person(person, AGENCY, frozenset({Role.OPERATOR})))
    invited = web.service.entrance.accounts.invite(person, "invited@example.org", by=at_the_machine())
    page = browsers.open(f"/invitation/{invited.token}")
    assert_accessible(page)
    look(page, "invitation")
    type_into(page, "New password", PASSWORD)
    type_into(page, "New password once more", PASSWORD)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Set up an authenticator app")
    assert_accessible(page)
    look(page, "authenticator-required")
    later = code_on(page, web, later=1)
    type_into(page, "Code", code_on(page, web))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    assert_accessible(page)
    look(page, "recovery-codes-drawn")

    page.get_by_role("link", name="I have kept them").press("Enter")
    page.get_by_role("button", name="Sign out", exact=True).press("Enter")
    page.goto("/sign-in?next=/account")
    type_into(page, "Login", "invited@example.org")
    type_into(page, "Password", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Second factor")
    assert_accessible(page)
    look(page, "second-factor")
    type_into(page, "Code", later)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account")


@pytest.fixture
def first_start(service: Service) -> Iterator[tuple[Service, str]]:
    """A server that nobody has set up."""
    with served(service) as url:
        yield service, url


def test_the_first_start_keeps_nobody_out(first_start: tuple[Service, str], chromium: Browser) -> None:
    """Rules, then the account, then what comes next: on a phone and a desktop, light and dark, in two languages."""
    service, url = first_start
    schemes: tuple[Scheme, Scheme] = ("light", "dark")
    pages: list[tuple[Page, str]] = []
    for viewport, scheme, language in ((DESKTOP, schemes[0], "en"), (PHONE, schemes[1], "es")):
        context = chromium.new_context(base_url=url, viewport=viewport, color_scheme=scheme, locale=language)
        context.set_default_timeout(10_000)
        pages.append((context.new_page(), f"{language}-{scheme}"))
    for page, name in pages:
        page.goto("/set-up")
        assert_accessible(page)
        look(page, f"set-up-profile-{name}")
    choose_profile(service.recorder, ProfileName.PRIVATE, owner_name="", clock=now)
    for page, name in pages:
        page.goto("/set-up")
        assert_accessible(page)
        look(page, f"set-up-{name}")
    page, _ = pages[0]
    for label, text in (
        ("Code from the console", service.entrance.set_up.code),
        ("Login", "ada"),
        ("New password", PASSWORD),
        ("New password once more", PASSWORD),
    ):
        type_into(page, label, text)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("What comes next")
    assert_accessible(page)
    look(page, "next-steps")
    for page, _ in pages:
        page.context.close()
