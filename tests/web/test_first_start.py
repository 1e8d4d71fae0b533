"""The first start of an installation: its pages before anybody has an account, and how the first one is made."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from recognizance.app import Service, http_app
from recognizance.governance.parties import Role
from recognizance.governance.profiles import ProfileName
from recognizance.governing.beginning import choose_profile

from .client import Client
from .test_security import send, token_in
from .world import PASSWORD, now


def client_of(service: Service, address: str = "127.0.0.1") -> Client:
    return Client(http_app(service), base="https://faces.example", address=address)


def test_a_stranger_does_not_take_an_installation_over(service: Service) -> None:
    """Whoever comes first finds the page, and without the code from the console nothing more."""
    stranger = client_of(service, "203.0.113.5")
    assert "/set-up" in stranger.get("/").text
    codes = ("", "AAAA-AAAA-AAAA-AAAA", service.entrance.set_up.code[:-1])
    for code in codes:
        answer = send(stranger, "/set-up", code=code, profile="organisation")
        assert answer.status_code == 422
        assert service.entrance.set_up.wanted is None
    choose_profile(service.recorder, ProfileName.PRIVATE, owner_name="", clock=now)
    for code in codes[:2]:
        answer = send(stranger, "/set-up", code=code, login="mallory", password=PASSWORD, repeated=PASSWORD)
        assert answer.status_code == 422
        assert "__Host-session" not in stranger.cookies
    assert service.entrance.accounts.is_empty
    # What the stranger did doesn't keep the owner waiting.
    owner = client_of(service)
    fields = {"code": service.entrance.set_up.code, "login": "ada", "password": PASSWORD}
    assert send(owner, "/set-up", **fields, repeated="another").status_code == 422
    assert send(owner, "/set-up", **{**fields, "password": "ada", "repeated": "ada"}).status_code == 422
    done = send(owner, "/set-up", **fields, repeated=PASSWORD)
    assert done.headers["location"] == "/next-steps"
    known = service.entrance.sign_in.whose(owner.cookies["__Host-session"])
    assert known is not None
    assert known.login == "ada"
    assert known.roles >= set(Role) - {Role.OVERSEER, Role.TESTER}
    assert Role.OVERSEER not in known.roles
    assert "/galleries/new" in owner.get("/next-steps").text
    assert "set-up" not in stranger.get("/").text
    assert stranger.get("/set-up").headers["location"] == "/sign-in"


def test_an_account_of_ones_own_is_kept_by_its_owner(service: Service) -> None:
    """Set up, sign out, sign in, take an app into use, draw codes, change the password."""
    service.entrance.accounts.set_up_first("ada", PASSWORD)
    client = client_of(service)
    assert send(client, "/sign-in", login=" ADA ", password=PASSWORD).headers["location"] == "/"
    assert "ada" in client.get("/account").text
    authenticator = client.get("/account/authenticator")
    assert "<svg" in authenticator.text
    assert send(client, "/account/authenticator", code="000000").status_code == 422
    wrong = send(client, "/account/password", current="x" * 12, password="nine otters slept upstairs", repeated="")
    assert wrong.status_code == 422
    changed = send(
        client,
        "/account/password",
        current=PASSWORD,
        password="nine otters slept upstairs",
        repeated="nine otters slept upstairs",
    )
    assert changed.headers["location"] == "/account"
    assert "changed" in client.get("/account").text
    client.post("/sign-out", data={"csrf": token_in(client.get("/account"))})
    assert "__Host-session" not in client.cookies
    assert send(client, "/sign-in", login="ada", password=PASSWORD).status_code == 422


def test_the_profile_is_chosen_while_nothing_has_begun(service: Service) -> None:
    """The page only asks for it: the server starts again for it, so the page shows nothing else until then."""
    owner = client_of(service)
    page = owner.get("/set-up").text
    assert all(f'value="{each.value}"' in page for each in ProfileName)
    chosen = send(owner, "/set-up", code=service.entrance.set_up.code, profile="law-enforcement")
    assert "starting again" in chosen.text
    assert service.entrance.set_up.wanted is ProfileName.LAW_ENFORCEMENT
    assert "starting again" in owner.get("/set-up").text
    assert service.entrance.accounts.is_empty


def test_a_server_starts_again_with_the_chosen_rules(tmp_path: Path) -> None:
    """The whole first start of a police installation in a browser, from the code on the console on."""
    data = tmp_path / "data"
    command = [sys.executable, "-m", "recognizance.cli", "serve", "--data", str(data), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            url, code = announced(server)
            with httpx.Client(base_url=url, timeout=60) as browser:
                first = form(browser, profile="law-enforcement", code=code)
                assert "starting again" in first.text
                _, second_code = announced(server)
                assert second_code != code
                account = {"login": "ada", "password": PASSWORD, "repeated": PASSWORD}
                unstated = form(browser, code=second_code, **account)
                assert unstated.status_code == 422
                done = form(browser, code=second_code, **account, **DEPLOYMENT)
                # In this profile nobody gets further without a second factor.
                assert done.headers["location"] == "/account/authenticator"
                assert "Harbour Police" in browser.get("/register/deployment").text
        finally:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=30)
    assert server.returncode == 0
    assert "keep_images = true" in (data / "recognizance.toml").read_text()


DEPLOYMENT = {
    "operator": "Harbour Police",
    "accountable_person": "R. Lind, commissioner",
    "contact": "faces@harbour.example",
    "legal_basis": "Order 12 of 2026",
    "purposes": "investigate_offence",
}


def form(browser: httpx.Client, **fields: str) -> httpx.Response:
    page = browser.get("/set-up")
    return browser.post("/set-up", data={"csrf": token_in(page), **fields})


def announced(server: subprocess.Popen[str]) -> tuple[str, str]:
    """Where the pages are and the code, once the server has said both."""
    assert server.stdout is not None
    said = ""
    for line in server.stdout:
        said += line
        found = re.search(r"at\s+(http://[\d.:]+)/set-up,\s+code\s+([A-Z2-7-]{19})", said)
        if found is not None:
            return found[1], found[2]
    raise AssertionError(f"the server ended without a code: {said}")
