"""Passwords, codes and sessions: what the standard asks of them and no other test says."""

import base64
import os
import re

import pytest
import uvicorn
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from recognizance.app import Service
from recognizance.governing import one_time
from recognizance.governing.passwords import Flaw, PasswordHasher, flaw_of
from recognizance.records.keys import DataKey, Secret

from .client import Client
from .security_world import HOST, Guarded, form_token


def test_a_password_is_kept_as_argon2id() -> None:
    """With 64 MiB, three passes and four lanes, and a salt of 128 bits that is another each time."""
    hasher = PasswordHasher()
    first, second = hasher.hash("seven herons counted slowly"), hasher.hash("seven herons counted slowly")
    salts = [each.split("$")[4] for each in (first, second)]
    assert first.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert salts[0] != salts[1]
    assert len(base64.b64decode(salts[0] + "==")) == 16


def test_an_installation_hashes_at_full_cost(service: Service) -> None:
    """As it is opened: whoever sets a password, and whoever signs in where there is no account, waits for as much."""
    sign_in = service.entrance.sign_in
    assert sign_in._hasher is service.entrance.accounts._hasher
    assert sign_in._hasher._nobody.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert not sign_in._hasher.is_outdated(sign_in._hasher._nobody)
    assert not sign_in._hasher.verify(None, "nobody's password")


@pytest.mark.parametrize(
    "password",
    [
        "garzas que cuentan lentamente",
        "鷺が七羽ゆっくり数える池のほとり",
        "🦢🦢🪿🌊🌫️🐚🦀🪨🌾🍂🛶🎣🪝",
        " spaces  at both ends stay ",
    ],
)
def test_any_characters_make_a_password(password: str) -> None:
    """No rule says which kinds of characters; a space counts, and nothing is cut off before it is hashed."""
    hasher = PasswordHasher()
    kept = hasher.hash(password)
    assert flaw_of(password) is None
    assert hasher.verify(kept, password)
    assert not hasher.verify(kept, password.strip()[:-1])


def test_a_long_password_counts_to_its_last_character() -> None:
    long = "seven herons counted slowly by the pier " * 3
    hasher = PasswordHasher()
    assert flaw_of(long) is None
    assert not hasher.verify(hasher.hash(long), long[:-1])
    assert flaw_of("x" * 129) is Flaw.TOO_LONG


def test_a_password_is_changed_by_whoever_knows_it(guarded: Guarded) -> None:
    """A session alone, without the present password, changes nothing."""
    person = guarded.county["third"]
    browser = guarded.browser(person)
    new = "eleven otters asleep on kelp"
    form = {"csrf": form_token(browser.get("/account/password")), "current": "not it", "password": new, "again": new}
    refused = browser.post("/account/password", data=form)
    login = guarded.web.known(person).login
    with pytest.raises(Exception, match="login or password is wrong"):
        guarded.web.service.entrance.sign_in.with_password(login, new, address="127.0.0.1", device="a test")
    assert refused.status_code == 422


def test_password_managers_know_what_each_field_is(guarded: Guarded) -> None:
    """Fields say what they are for, nothing hinders pasting, and nothing asks a browser not to remember."""
    sign_in = guarded.browser().get("/sign-in").text
    change = guarded.browser(guarded.county["first"]).get("/account/password").text
    assert re.search(r'name="login"[^>]*autocomplete="username', sign_in)
    assert re.search(r'name="password"[^>]*autocomplete="current-password"', sign_in)
    assert re.search(r'name="current"[^>]*autocomplete="current-password"', change)
    assert re.search(r'name="password"[^>]*autocomplete="new-password"', change)
    assert "onpaste" not in sign_in + change


def test_the_forms_of_signing_in_ask_for_nothing_else(guarded: Guarded) -> None:
    """No hint, no question that others could answer: a login, a password, and what makes the form ours."""
    text = guarded.browser().get("/sign-in").text
    [form] = [each for each in re.findall(r"<form.*?</form>", text, re.DOTALL) if 'name="login"' in each]
    assert set(re.findall(r'name="(\w+)"', form)) == {"csrf", "next", "login", "password"}


def test_recovery_codes_are_drawn_at_random() -> None:
    """From the bytes that are given, 80 bits each, no two alike."""
    given: list[int] = []

    def drawn(count: int) -> bytes:
        given.append(count)
        return os.urandom(count)

    codes = one_time.draw_recovery_codes(drawn)
    assert len(set(codes)) == one_time.RECOVERY_CODES
    assert given == [10] * one_time.RECOVERY_CODES


def test_a_session_token_has_256_random_bits(guarded: Guarded) -> None:
    """Twice the same person, two tokens with nothing in common, of 32 bytes each."""
    person = guarded.county["third"]
    first, second = (base64.urlsafe_b64decode(guarded.web.session(person) + "=") for _ in range(2))
    alike = sum(one == other for one, other in zip(first, second, strict=True))
    assert len(first) == 32
    assert alike < 8


def test_no_value_is_sealed_alike_twice() -> None:
    """Each sealing draws its nonce anew: the same value under the same key never looks the same."""
    key = DataKey(Secret(os.urandom(32)))
    sealed = {key.seal(b"the same value", b"the same place") for _ in range(1000)}
    assert len({each[:12] for each in sealed}) == 1000
    assert {key.unseal(each, b"the same place") for each in sealed} == {b"the same value"}


@pytest.mark.parametrize(("peer", "is_believed"), [("127.0.0.1", True), ("192.0.2.7", False)])
def test_a_proxy_is_believed_only_from_this_machine(guarded: Guarded, peer: str, *, is_believed: bool) -> None:
    """`X-Forwarded-Proto` makes a line private only if a proxy on this machine says so."""
    config = uvicorn.Config(guarded.app, log_config=None)
    config.load()
    assert isinstance(config.loaded_app, ProxyHeadersMiddleware)
    browser = Client(config.loaded_app, base=HOST, address=peer)  # type: ignore[arg-type]  # an application
    headers = {"x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.5"}
    answer = browser.get("/sign-in", headers=headers)
    assert ('type="password"' in answer.text) == is_believed
    assert ("strict-transport-security" in answer.headers) == is_believed
