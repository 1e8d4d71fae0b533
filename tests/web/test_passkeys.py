"""Passkeys with Chromium's own authenticator: added, used after a password, used alone, removed, copied."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from recognizance.governance.parties import Person, PersonId, Role

from ..review_world import AGENCY, person_id
from .world import PASSWORD, Browsers, Web, assert_accessible, look


@dataclass
class Device:
    """A browser with an authenticator of its own, at a name that passkeys can be bound to."""

    page: Page
    _cdp: CDPSession
    _authenticator: str

    def send(self, what: str, **more: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._cdp.send(f"WebAuthn.{what}", {"authenticatorId": self._authenticator, **more})
        return answer

    @property
    def credentials(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.send("getCredentials")["credentials"]
        return found

    def verifies(self, *, is_owner: bool) -> None:
        """Whether the device's owner shows themselves from now on."""
        self.send("setUserVerified", isUserVerified=is_owner)


@pytest.fixture
def device(web: Web, chromium: Browser) -> Iterator[Device]:
    local = web.url.replace("127.0.0.1", "localhost")
    context = chromium.new_context(base_url=local, locale="en", reduced_motion="reduce")
    context.set_default_timeout(10_000)
    page = context.new_page()
    cdp = context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    added = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    yield Device(page, cdp, added["authenticatorId"])
    context.close()


def newcomer(web: Web, name: str) -> PersonId:
    """Somebody of these tests alone, with an account and an app."""
    person = person_id(name)
    web.world.add_person(Person(person, AGENCY, frozenset({Role.OPERATOR})))
    web.known(person)
    return person


def enter(web: Web, device: Device, person: PersonId) -> Page:
    device.page.context.add_cookies(
        [{"name": "session", "value": web.session(person), "url": web.url.replace("127.0.0.1", "localhost")}]
    )
    return device.page


def add_passkey(page: Page, name: str = "my telephone") -> None:
    page.goto("/account/passkeys/new")
    page.get_by_label("What you call it").fill(name)
    page.get_by_role("button", name="Make a passkey").click()
    expect(page.get_by_role("status").first).to_have_text("The passkey is added.")


def test_a_passkey_alone_is_two_factors(web: Web, device: Device) -> None:
    """Added, it signs its owner in without a login, and is listed by its name until it is removed."""
    person = newcomer(web, "somebody with a passkey")
    page = enter(web, device, person)
    page.goto("/account/passkeys/new")
    assert_accessible(page)
    look(page, "passkey-new")
    add_passkey(page)
    look(page, "account-with-passkey")
    assert_accessible(page)
    [kept] = device.credentials
    assert kept["isResidentCredential"]
    page.get_by_role("button", name="Sign out", exact=True).click()

    page.goto("/sign-in?next=/account")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account")
    expect(page.locator("main")).to_contain_text("my telephone – last used on")

    page.get_by_role("link", name="Remove my telephone").click()
    assert_accessible(page)
    look(page, "passkey-remove")
    page.get_by_role("button", name="Remove this passkey").click()
    expect(page.get_by_role("status").first).to_contain_text("The passkey is removed")
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.goto("/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("This passkey wasn't taken.")


def test_a_passkey_is_a_second_factor(web: Web, device: Device) -> None:
    """After a password, in place of a code."""
    person = newcomer(web, "somebody with both")
    page = enter(web, device, person)
    add_passkey(page)
    page.context.clear_cookies()
    page.goto("/sign-in")
    page.get_by_label("Login").fill(web.known(person).login)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Second factor")
    look(page, "second-factor-with-passkey")
    assert_accessible(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("button", name="Sign out", exact=True)).to_be_visible()


def test_a_device_that_does_not_know_its_owner_opens_nothing_alone(web: Web, device: Device) -> None:
    """Found in the street, say: the device refuses, and what the page did is nothing."""
    page = enter(web, device, newcomer(web, "somebody robbed"))
    add_passkey(page)
    page.context.clear_cookies()
    device.verifies(is_owner=False)
    page.goto("/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator(".passkey-outcome")).to_have_text("Your browser didn't give a passkey. Try again.")
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_focused()


def test_a_copy_of_a_passkey_opens_nothing(web: Web, device: Device) -> None:
    """Its counter is behind the one that was seen last."""
    page = enter(web, device, newcomer(web, "somebody copied"))
    add_passkey(page)
    [copy] = device.credentials
    page.context.clear_cookies()
    page.goto("/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("button", name="Sign out", exact=True)).to_be_visible()
    device.send("removeCredential", credentialId=copy["credentialId"])
    device.send("addCredential", credential=json.loads(json.dumps(copy)))
    page.context.clear_cookies()
    page.goto("/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("This passkey wasn't taken.")


def test_without_javascript_nobody_is_offered_a_passkey(browsers: Browsers) -> None:
    page = browsers.open("/sign-in", javascript=False)
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
