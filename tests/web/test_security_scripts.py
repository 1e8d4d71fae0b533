"""What people type is shown and never run: on every page, in every form, in every address, and in a real browser.

Whatever the county's people could type is an attack (`security_world.attack`): an element, an attribute, a script and
a template's expression in one.
"""

import re
from dataclasses import fields
from html import unescape
from html.parser import HTMLParser
from typing import get_type_hints

import pytest
from playwright.sync_api import Browser, Dialog

from recognizance.governance.parties import PersonId

from ..api.client import ROUTES
from .attacks import MARK, attack, attacks_in
from .security_world import COUNTY_USE, STRANGERS, Guarded, form_token, listed
from .world import served

UNTYPED = {
    ("disclose", "statement"): "goes into the bundle, which is no page",
    ("lift_mark", "reasons"): "stands where those of the mark stand",
    ("tell_apart", "reasons"): "stands where those of a mark stand",
    ("submit_finding", "statement"): "stands in the register, whose texts are escaped alike",
    ("mitigate_finding", "statement"): "stands in the register, whose texts are escaped alike",
}
"""Texts of the API that the county didn't type, and why none is needed."""


class Fields(HTMLParser):
    """The forms of a page: where each leads, and what can be typed or chosen in it."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, set[str], set[str]]] = []
        """Where each leads, what can be typed in it, and what can be chosen."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.forms.append((given.get("action") or "", set(), set()))
        elif tag in {"input", "textarea", "select", "button"} and self.forms and given.get("name"):
            is_text = tag == "textarea" or (tag == "input" and given.get("type", "text") in {"text", "email", "search"})
            _, texts, choices = self.forms[-1]
            (texts if is_text else choices).add(given["name"] or "")


def everybody(guarded: Guarded) -> list[PersonId | None]:
    return [None, *guarded.county.values(), *STRANGERS.values()]


def test_every_free_text_was_an_attack(guarded: Guarded) -> None:
    """Each field of our API in which somebody can write as they like was typed into, so that no page is left out."""
    texts = {
        (route.name, field.name)
        for route in ROUTES.values()
        for field in fields(route.body)
        if "max_length=10000" in str(get_type_hints(route.body, include_extras=True)[field.name]).replace(" ", "")
    }
    assert len(texts) > 15
    assert texts - guarded.typed - set(UNTYPED) == set()


def test_what_was_typed_is_shown_and_never_run(guarded: Guarded) -> None:
    """Stored script: every page as everybody; attacks are shown as text by many of them, and become nothing."""
    made = []
    shown = set()
    for person in everybody(guarded):
        browser = guarded.browser(person)
        for page in guarded.pages():
            answer = browser.get(guarded.address(page)) if page.path != "/sign-out" else browser.get("/")
            made += [(page.path, found) for found in attacks_in(answer)]
            if MARK in unescape(answer.text):
                shown.add(page.path)
    assert made == [], listed(made)
    assert len(shown) > 15


def test_what_an_address_says_is_never_run(guarded: Guarded) -> None:
    """Reflected script: in every variable of every path, and in every query."""
    made = []
    query = {name: attack("query") for name in ("next", "q", "use", "gallery", "page", "skip", "state", "case", "back")}
    for page, person in [(page, guarded.owner(page)) for page in guarded.pages() if page.path != "/sign-out"]:
        browser = guarded.browser(person)
        addresses = [(guarded.address(page), query)]
        if "{" in page.path:
            addresses.append((guarded.address(page, absent=attack("path")), {}))
        for path, sent in addresses:
            answer = browser.get(path, params=sent)
            made += [(page.path, found) for found in attacks_in(answer)]
            assert answer.status_code < 500, page.path
    assert made == [], listed(made)


def test_what_a_form_says_is_shown_again_and_never_run(guarded: Guarded) -> None:
    """Reflected script: every field of every form that has a text, its choices too."""
    made = []
    sent = 0
    for page in guarded.pages():
        if not page.has_form:
            continue
        browser = guarded.browser(guarded.owner(page))
        path = guarded.address(page)
        shown = browser.get(path)
        read = Fields()
        read.feed(shown.text)
        for action, texts, choices in read.forms:
            if not texts or action not in {"", path}:
                continue
            typed = dict.fromkeys(texts | choices, attack("form"))
            answer = browser.post(path, data={**typed, "csrf": form_token(shown)})
            sent += 1
            made += [(page.path, found) for found in attacks_in(answer)]
            assert answer.status_code < 500, page.path
    assert made == [], listed(made)
    assert sent > 5


@pytest.mark.parametrize(
    "text", ["ねこ O'Hara", "Ñandú & Søn <ltd>", "علي ١٢٣", "e\u0301 🦢 \u202eover", "a%(b)s {c} $d"]
)
def test_any_characters_are_shown(guarded: Guarded, text: str) -> None:
    """Names of any script come back as they were typed."""
    answer = guarded.send(guarded.county["operator"], f"/search/begin?use={COUNTY_USE}", case=text)
    [value] = re.findall(r'name="case"[^>]*value="([^"]*)"', answer.text)
    assert unescape(value) == text


def test_a_browser_runs_nothing_of_it(guarded: Guarded, chromium: Browser) -> None:
    """Chromium with all scripts of the pages: no element, no dialog, no report of the content security policy."""
    pages = ["/", "/agencies/county-sheriff", "/uses/county-use", "/uses/county-proposal", "/register/deployment"]
    pages += ["/record", f"/record/{guarded.objects['index']}", "/consultations", "/register/oversight"]
    wrong: list[str] = []
    with served(guarded.web.service) as url:
        context = chromium.new_context(base_url=url)
        context.add_init_script(
            "addEventListener('securitypolicyviolation', (event) => console.error('violated ' + event.blockedURI))"
        )
        tab = context.new_page()

        def refuse(dialog: Dialog) -> None:
            wrong.append(dialog.message)
            dialog.dismiss()

        tab.on("dialog", refuse)
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        for path in pages:
            tab.goto(path, wait_until="networkidle")
            wrong += [path] * tab.locator(MARK).count()
        context.close()
    assert wrong == [], listed(wrong)
