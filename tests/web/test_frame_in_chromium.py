"""The frame in a real browser: light and dark, phone and desktop, by keyboard, without JavaScript, in two languages."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from ..review_world import SUPERVISOR
from .world import DESKTOP, PHONE, Browsers, Scheme, assert_accessible, look


def assert_fits(page: Page) -> None:
    """Fail if somebody has to scroll sideways."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize(("scheme", "size"), [("light", "desktop"), ("dark", "phone")])
def test_a_page_about_a_mistake_keeps_nobody_out(browsers: Browsers, scheme: Scheme, size: str) -> None:
    """axe-core finds nothing where there is nothing, and where a form is wrong. Every page: `test_every_page.py`."""
    page = browsers.open("/nothing-here", viewport=DESKTOP if size == "desktop" else PHONE, scheme=scheme)
    look(page, f"nothing-here-{size}-{scheme}")
    assert_accessible(page)
    page.goto("/sign-in")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_be_focused()
    look(page, f"sign-in-wrong-{size}-{scheme}")
    assert_accessible(page)
    assert_fits(page)


def test_the_keyboard_alone_reaches_the_content(browsers: Browsers) -> None:
    """The first stop is the link that skips what every page begins with."""
    page = browsers.open("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


@pytest.mark.parametrize("javascript", [True, False])
def test_a_phone_has_a_menu_that_opens(browsers: Browsers, *, javascript: bool) -> None:
    """One line until it is opened, by keyboard as well, and then every page of the navigation."""
    page = browsers.open("/record", viewport=PHONE, javascript=javascript)
    menu = page.get_by_role("navigation", name="Main")
    assert menu.bounding_box()["height"] < 60  # type: ignore[index]  # it is shown
    expect(menu.get_by_role("link")).to_have_count(0)
    menu.get_by_text("Menu · Record").press("Enter")
    assert_fits(page)
    menu.get_by_role("link", name="Register").click()
    expect(page).to_have_url(re.compile("/register$"))


def test_paper_is_light_whatever_the_screen_is(browsers: Browsers) -> None:
    """Printed from a dark page, nothing is printed light on dark."""
    page = browsers.open("/register", scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(20, 25, 30)"
    page.emulate_media(media="print")
    assert page.evaluate(ground) == "rgb(255, 255, 255)"


@pytest.mark.parametrize("javascript", [True, False])
def test_language_and_colours_are_a_choice_that_stays(browsers: Browsers, *, javascript: bool) -> None:
    """With or without JavaScript: a button, and from then on every page."""
    page = browsers.open("/", javascript=javascript)
    page.get_by_role("button", name="Español").click()
    expect(page.locator("html")).to_have_attribute("lang", "es")
    page.get_by_role("button", name="Oscuro").click()
    page.goto("/sign-in")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_role("heading", level=1)).to_have_text("Iniciar sesión")


def test_a_browser_in_spanish_is_answered_in_spanish(browsers: Browsers) -> None:
    page = browsers.open("/", language="es-MX")
    expect(page.locator("html")).to_have_attribute("lang", "es")


def test_a_mistake_is_said_at_the_top_and_at_its_field(browsers: Browsers) -> None:
    """The summary has the focus, and leads to the field."""
    page = browsers.open("/sign-in", javascript=False)
    page.get_by_label("Password").fill("not the password at all")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("Login: This can't be empty.")
    expect(page).to_have_title(re.compile("^Error: "))
    page.get_by_role("alert").get_by_role("link").click()
    expect(page.get_by_label("Login")).to_be_focused()


def test_a_form_is_sent_once_however_often_its_button_is_pressed(browsers: Browsers) -> None:
    """An impatient second click is no second vote, key or comment; later the form can be sent again."""
    page = browsers.open("/sign-in")
    page.clock.install()
    page.reload()
    sent: list[str] = []

    def answer(route: Route) -> None:
        sent.append(route.request.method)
        # The browser stays on the page, as after a download.
        route.fulfill(status=204)

    page.route(re.compile("/sign-in$"), answer)
    button = page.get_by_role("button", name="Sign in", exact=True)
    with page.expect_response("**/sign-in"):
        button.click()
    button.click()
    assert sent == ["POST"]
    page.clock.run_for(5_000)
    with page.expect_response("**/sign-in"):
        button.click()
    assert sent == ["POST", "POST"]


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_supervisors_pages_stand_in_one_row(browsers: Browsers, language: str) -> None:
    """On a desktop; what everybody may read is behind one word, which the keyboard opens."""
    page = browsers.open("/publish", as_=SUPERVISOR, language=language)
    menu = page.locator("nav.navigation")
    assert menu.bounding_box()["height"] < 60  # type: ignore[index]  # it is shown
    expect(menu.locator(".navigation-row a[aria-current]")).to_have_attribute("href", "/publish")
    menu.locator(".navigation-more summary").press("Enter")
    assert_fits(page)
    menu.get_by_role("link", name="Register" if language == "en" else "Registro público").click()
    expect(page.locator(".navigation-more summary")).to_have_class("is-here")
