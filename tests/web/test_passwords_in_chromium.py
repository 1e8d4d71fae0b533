"""Passwords on the pages: shown on demand, rated while they are typed, and refused with the reason without a script."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect

from recognizance.governance.parties import Person, PersonId, Role
from recognizance.governing.passwords import (
    LEAST_SCORE,
    SHORTEST,
    Flaw,
    Strength,
    Weakness,
    strength_if_free,
    strength_of,
)
from recognizance.governing.registration import at_the_machine

from ..review_world import AGENCY, person_id
from .security_world import form_token
from .world import PASSWORD, PHONE, Browsers, Scheme, Web, assert_accessible, look


def somebody(web: Web, name: str) -> PersonId:
    person = person_id(name)
    web.world.add_person(Person(person, AGENCY, frozenset({Role.OPERATOR})))
    web.known(person)
    return person


def invited(web: Web, name: str) -> str:
    person = person_id(name)
    web.world.add_person(Person(person, AGENCY, frozenset({Role.OPERATOR})))
    login = f"{name.replace(' ', '-')}@example.org"
    return web.service.entrance.accounts.invite(person, login, by=at_the_machine()).token


@pytest.fixture
def signed_in(web: Web) -> Iterator[httpx.Client]:
    session = web.session(somebody(web, "somebody who rates"))
    with httpx.Client(base_url=web.url, cookies={"session": session}) as client:
        yield client


@pytest.mark.parametrize(("language", "show", "hide"), [("en", "Show", "Hide"), ("es", "Mostrar", "Ocultar")])
def test_a_typed_password_can_be_looked_at(browsers: Browsers, language: str, show: str, hide: str) -> None:
    """By keyboard alone, in the reader's language; it is hidden again before it is sent."""
    page = browsers.open("/sign-in", language=language)
    field = page.locator("#field-password")
    field.fill(PASSWORD)
    button = page.get_by_role("button", name=show)
    expect(field).to_have_attribute("type", "password")
    assert_accessible(page)
    field.press("Tab")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(field).to_have_attribute("type", "text")
    expect(field).to_have_value(PASSWORD)
    assert_accessible(page)
    page.evaluate(
        """() => document.querySelector("#field-password").form.addEventListener("submit", (event) => {
             event.preventDefault();
             document.title = document.querySelector("#field-password").type;
           })"""
    )
    expect(page.get_by_role("button", name=hide)).to_be_visible()
    field.press("Enter")
    expect(page).to_have_title("password")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_how_hard_a_password_is_to_guess_is_said_while_it_is_typed(
    web: Web, browsers: Browsers, scheme: Scheme
) -> None:
    """For somebody invited, who has no session: first what is wrong with it, then that nothing is."""
    token = invited(web, f"somebody invited {scheme}")
    page = browsers.open(f"/invitation/{token}", viewport=PHONE, scheme=scheme)
    meter, said = page.locator("meter"), page.locator(".strength-said")
    expect(meter).not_to_be_visible()
    page.locator("#field-password").press_sequentially("qwertyuiop[]")
    expect(said).to_have_text("This password would be guessed soon: much of it is a row of keys next to each other.")
    look(page, f"password-weak-{scheme}")
    assert_accessible(page)
    page.locator("#field-password").fill(PASSWORD)
    expect(said).to_contain_text("hard to guess.")
    assert page.evaluate("() => document.querySelector('meter').value") >= 3
    assert_accessible(page)


def test_without_a_script_a_weak_password_is_refused_with_the_reason(web: Web, browsers: Browsers) -> None:
    """The same judgement as the meter's, beside the field; no button and no meter is left over."""
    page = browsers.open("/account/password", as_=somebody(web, "somebody without scripts"), javascript=False)
    expect(page.locator("meter")).not_to_be_visible()
    expect(page.locator(".reveal")).to_have_count(0)
    page.locator("#field-current").fill(PASSWORD)
    page.locator("#field-password").fill("20112011201120")
    page.locator("#field-repeated").fill("20112011201120")
    page.get_by_role("button", name="Change password").click()
    expect(page.locator("#error-password")).to_have_text(
        "This password would be guessed soon: it says the same thing several times."
    )


def test_the_rating_knows_whose_password_it_is(web: Web, signed_in: httpx.Client) -> None:
    """Their own login is what an attacker would try first."""
    login = web.known(person_id("somebody who rates")).login
    form = {"csrf": form_token(signed_in.get("/account/password")), "password": login}
    answer = signed_in.post("/password-strength", data=form)
    assert answer.json()["said"].endswith("your name, your login or the name of this service is in it.")
    assert answer.json()["is_taken"] is False
    assert answer.headers["cache-control"] == "no-store"


def test_nobody_else_has_passwords_rated(web: Web) -> None:
    """A stranger, with or without an invitation that doesn't count, makes the service compute nothing."""
    with httpx.Client(base_url=web.url) as client:
        token = form_token(client.get("/sign-in"))
        for more in ({}, {"invitation": "x" * 32}, {"login": "ada"}):
            form = {"csrf": token, "password": "seven herons counted", **more}
            assert client.post("/password-strength", data=form).status_code == 404


@pytest.mark.parametrize(
    ("password", "weakness"),
    [
        ("qwertyuiop[]", Weakness.KEYBOARD),
        ("password1234", Weakness.COMMON),
        ("abcdefghijklm", Weakness.SEQUENCE),
        ("zebrazebrazebra", Weakness.REPEATED),
        ("harbourmaster1", Weakness.PERSONAL),
        ("12.03.1987xy", Weakness.DATE),
    ],
)
def test_what_makes_a_password_weak_is_named(password: str, weakness: Weakness) -> None:
    assert strength_of(password, personal=["harbourmaster"]).weakness is weakness
    assert strength_of(password, personal=["harbourmaster"]).flaw is Flaw.GUESSABLE


def test_a_short_password_never_looks_strong() -> None:
    """However odd its characters are, and an empty one is rated as well."""
    assert strength_of("%f9Q#x!2vLp").score < LEAST_SCORE
    assert len("%f9Q#x!2vLp") < SHORTEST
    assert strength_of("") == Strength(0, Flaw.TOO_SHORT, None)


def test_only_one_password_is_rated_at_a_time() -> None:
    """While another is, whoever types goes without an answer; a form that is sent waits for its own."""
    from recognizance.governing import passwords

    with passwords._rating:
        assert strength_if_free("seven herons counted slowly") is None
    free = strength_if_free("seven herons counted slowly")
    assert free is not None
    assert free.flaw is None
