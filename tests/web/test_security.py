"""What the pages refuse, asked without a browser: over HTTP, as an attacker would.

The application runs in this process; each client is a browser of its own, by its cookies.
"""

import re
from functools import lru_cache
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from httpx import Response
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from recognizance.app import Service, http_app
from recognizance.governing.attempts import FREE_FROM_NETWORK
from recognizance.web.security import is_from_elsewhere, is_local_path
from recognizance.web.visits import CookieJar, Message, Tone, read_messages, written_messages

from ..review_world import FIRST, SEARCHER, SECOND
from .client import Client
from .world import PASSWORD, Web

HOST = "http://127.0.0.1"


@lru_cache(maxsize=1)
def app_of(service: Service) -> Starlette:
    """All that the server serves, the pages included."""
    return http_app(service)


def client_of(web: Web, *, base: str = HOST, address: str = "127.0.0.1") -> Client:
    """A browser without cookies at some address."""
    return Client(app_of(web.service), base=base, address=address)


@pytest.fixture
def client(web: Web) -> Client:
    return client_of(web)


def token_in(response: Response) -> str:
    """The token of the first form of a page."""
    found = re.search(r'name="csrf" value="([^"]+)"', response.text)
    assert found is not None
    return unescape(found[1])


def next_in(response: Response) -> str:
    """Where a page's form leads when it is done."""
    found = re.search(r'name="next" value="([^"]*)"', response.text)
    assert found is not None
    return unescape(found[1])


def send(client: Client, path: str, **fields: str) -> Response:
    """Load a page, fill its form in, and send it."""
    return client.post(path, data={"csrf": token_in(client.get(path)), **fields})


def sign_in(web: Web, client: Client) -> None:
    """Have a complete session, as if signed in long ago."""
    client.cookies.set("session", web.session(SEARCHER))


def paths(web: Web) -> list[str]:
    """A path for every route of the pages."""
    pages = app_of(web.service).routes[-1]
    assert isinstance(pages, Mount)
    found = [route.path for route in pages.routes if isinstance(route, Route)]
    assert len(found) > 10
    return [re.sub(r"\{[^}]+\}", "x", path) for path in found]


def test_every_answer_carries_the_headers(web: Web, client: Client) -> None:
    """Pages, files, redirects, refusals and what isn't there; signed in or not."""
    for _ in range(2):
        for path in [*paths(web), "/nothing", "/static/x/y"]:
            # `POST /` is Rekognition's.
            for method in ("GET", "PUT") if path == "/" else ("GET", "POST", "PUT"):
                headers = client.request(method, path).headers
                policy = headers["content-security-policy"]
                assert policy.startswith("default-src 'none'; script-src 'self';")
                assert "unsafe" not in policy
                assert headers["x-content-type-options"] == "nosniff"
                assert headers["referrer-policy"] == "same-origin"
                assert headers["cross-origin-opener-policy"] == "same-origin"
                assert "camera=(self)" in headers["permissions-policy"]
        sign_in(web, client)


def test_no_page_has_inline_script_or_style_or_anything_from_elsewhere(web: Web, client: Client) -> None:
    """So that the policy never has to be loosened, and nobody else learns who reads what."""
    for _ in range(2):
        for path in paths(web):
            text = client.get(path).text
            assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text), path
            assert not re.search(r'(?:src|href|action)="(?:https?:)?//', text), path
        sign_in(web, client)


def test_over_tls_browsers_are_told_to_stay_there(web: Web) -> None:
    assert "strict-transport-security" not in client_of(web).get("/").headers
    over_tls = client_of(web, base="https://faces.example").get("/")
    assert over_tls.headers["strict-transport-security"].startswith("max-age=31536000")


def test_cookies_are_out_of_reach(web: Web) -> None:
    """HttpOnly and SameSite always; over TLS also Secure and bound to this host."""
    known = web.known(FIRST)
    for base, name in ((HOST, "session="), ("https://faces.example", "__Host-session=")):
        client = client_of(web, base=base)
        answer = send(client, "/sign-in", login=known.login, password=PASSWORD)
        [session] = [each for each in answer.headers.get_list("set-cookie") if each.startswith(name)]
        assert "; httponly" in session.lower()
        assert "; samesite=lax" in session.lower()
        assert "; path=/" in session.lower()
        assert "domain=" not in session.lower()
        assert ("; secure" in session.lower()) == base.startswith("https")


def test_nobody_signs_in_where_others_can_read_along(web: Web) -> None:
    """Plain HTTP from another machine: no form, no session, not even one that is good elsewhere."""
    known = web.known(FIRST)
    client = client_of(web, base="http://faces.example", address="192.0.2.1")
    page = client.get("/sign-in")
    assert page.status_code == 403
    assert "password" not in re.findall(r'type="(\w+)"', page.text)
    answer = client.post("/sign-in", data={"csrf": token_in(page), "login": known.login, "password": PASSWORD})
    assert answer.status_code == 403
    client.cookies.set("session", web.session(FIRST))
    assert client.get("/account").headers["location"].startswith("/sign-in")


@pytest.mark.parametrize(
    ("headers", "is_refused"),
    [
        ({"sec-fetch-site": "same-origin"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "same-site"}, True),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"sec-fetch-site": "same-origin, cross-site"}, True),
        ({"origin": HOST, "host": "127.0.0.1"}, False),
        ({"origin": "http://127.0.0.1.evil.example", "host": "127.0.0.1"}, True),
        ({"origin": "null", "host": "127.0.0.1"}, True),
        ({"origin": "", "host": "127.0.0.1"}, True),
        ({}, False),
    ],
)
def test_what_changes_something_comes_from_our_own_pages(headers: dict[str, str], *, is_refused: bool) -> None:
    assert is_from_elsewhere("POST", headers) == is_refused
    assert not is_from_elsewhere("GET", headers)


def test_a_form_from_another_site_does_nothing(web: Web, client: Client) -> None:
    """Even with the right token and session."""
    sign_in(web, client)
    token = token_in(client.get("/account"))
    refused = client.post("/sign-out", data={"csrf": token}, headers={"sec-fetch-site": "cross-site"})
    assert refused.status_code == 403
    assert client.get("/account").status_code == 200


def test_a_form_needs_the_token_of_this_very_session(web: Web, client: Client) -> None:
    """None, somebody else's, one from before signing in: refused on every page that takes a form."""
    anonymous = token_in(client.get("/sign-in"))
    sign_in(web, client)
    other = client_of(web)
    other.cookies.set("session", web.session(SECOND))
    for token in ("", "x", anonymous, token_in(other.get("/account"))):
        for path in ("/sign-out", "/account/password", "/account/sign-out-others", "/preferences"):
            assert client.post(path, data={"csrf": token}).status_code == 403
    assert client.get("/account").status_code == 200


def test_a_planted_session_is_worth_nothing_after_signing_in(web: Web, client: Client) -> None:
    """Session fixation: a token that the attacker knows isn't taken over, made up or real."""
    known = web.known(FIRST)
    planted = "planted-by-an-attacker"
    client.cookies.set("session", planted)
    answer = send(client, "/sign-in", login=known.login, password=PASSWORD)
    half_way = answer.cookies["session"]
    assert half_way != planted
    client.cookies.clear()
    client.cookies.set("session", half_way)
    code = web._recovery[FIRST].pop()
    page = client.get("/sign-in/second-factor")
    done = client.post("/sign-in/second-factor", data={"csrf": token_in(page), "code": code})
    complete = done.cookies["session"]
    assert len({planted, half_way, complete}) == 3
    whose = web.service.entrance.sign_in.whose
    assert [whose(each) is None for each in (planted, half_way, complete)] == [True, True, False]


def test_a_login_that_nobody_has_is_answered_alike(web: Web) -> None:
    """Same status, same page but for the token and what was typed."""
    known = web.known(FIRST)
    pages = []
    for login in (known.login, "nobody-at-all@example.org"):
        answer = send(client_of(web, address="127.0.0.1"), "/sign-in", login=login, password="wrong, whatever")
        text = re.sub(r'(?:name="csrf" value|data-options)="[^"]+"', "", answer.text).replace(login, "")
        pages.append((answer.status_code, text))
    assert pages[0] == pages[1]
    assert pages[0][0] == 422


def test_guessing_is_stopped_before_the_password_is_looked_at(web: Web) -> None:
    """429, which says when to come back, and the right password is not tried either."""
    known = web.known(SECOND)
    client = client_of(web, base="https://faces.example", address="203.0.113.9")
    for _ in range(FREE_FROM_NETWORK):
        assert send(client, "/sign-in", login=known.login, password="wrong").status_code == 422
    stopped = send(client, "/sign-in", login=known.login, password=PASSWORD)
    assert stopped.status_code == 429
    assert "session" not in stopped.cookies


def test_a_wrong_code_is_not_a_second_chance_for_the_password(web: Web) -> None:
    """Half way in, nothing but the second factor is there."""
    known = web.known(FIRST)
    client = client_of(web)
    send(client, "/sign-in", login=known.login, password=PASSWORD)
    for path in paths(web):
        if path.startswith("/account"):
            assert client.get(path).headers["location"] == "/sign-in/second-factor"
    refused = send(client, "/sign-in/second-factor", code="000000")
    assert refused.status_code == 422


def test_where_the_reader_was_going_is_where_they_get(web: Web) -> None:
    """By way of signing in, with both factors."""
    known = web.known(SECOND)
    client = client_of(web)
    wanted = client.get("/account/password").headers["location"]
    assert parse_qs(urlsplit(wanted).query) == {"next": ["/account/password"]}
    fields = {"csrf": token_in(client.get(wanted)), "login": known.login, "password": PASSWORD}
    half_way = client.post("/sign-in", data={**fields, "next": "/account/password"}).headers["location"]
    page = client.get(half_way)
    code = {"csrf": token_in(page), "code": web._recovery[SECOND].pop(), "next": next_in(page)}
    assert client.post("/sign-in/second-factor", data=code).headers["location"] == "/account/password"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
        "/ok\r\nSet-Cookie: a=b", "evil", "", "/\t/evil.example",
    ],
)  # fmt: skip
def test_nobody_is_led_elsewhere(web: Web, target: str) -> None:
    """Open redirects: whatever is asked for, it leads to a page of ours."""
    assert not is_local_path(target)
    client = client_of(web)
    sign_in(web, client)
    for answer in (
        client.get("/sign-in", params={"next": target}),
        client.post("/preferences", data={"csrf": token_in(client.get("/account")), "back": target}),
    ):
        assert answer.status_code == 303
        assert answer.headers["location"] in {"/", "/account"}


def test_what_is_typed_is_shown_and_never_run(client: Client) -> None:
    """Reflected script: in fields, in addresses, in the way back."""
    attack = "\"><script>alert(1)</script>'"
    for answer in (
        send(client, "/sign-in", login=attack, password="wrong"),
        client.get("/sign-in", params={"next": "/" + attack}),
        client.get("/" + attack),
        client.get("/account", headers={"cookie": f"theme={attack}; language={attack}; message={attack}"}),
    ):
        assert "<script>" not in answer.text


def test_nobody_else_puts_words_on_our_pages() -> None:
    """A message for the next page is signed, for messages alone."""
    jar, other = CookieJar(b"k" * 32, is_tls=False), CookieJar(b"o" * 32, is_tls=False)
    message = Message(Tone.DONE, "Done: ñ")
    cookie = written_messages([message], jar)
    assert read_messages(cookie, jar) == [message]
    assert read_messages(cookie, other) == []
    value, _, signature = cookie.partition(".")
    for forged in ("", ".", value, f"{value}.", f"x{value}.{signature}", f"{value}.{jar.signature('form', value)}"):
        assert read_messages(forged, jar) == []


def test_a_failure_inside_tells_nothing(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare page with a number, in the reader's language; the log has the rest."""

    def fail(*_: object) -> bool:
        raise RuntimeError("secret detail")

    client = client_of(web)
    monkeypatch.setattr(type(web.service.entrance.set_up), "is_due", property(fail))
    for language, title in (("en", "Something went wrong on our side"), ("es", "Algo ha fallado por nuestra parte")):
        answer = client.get("/", headers={"accept-language": language})
        assert answer.status_code == 500
        assert title in answer.text
        assert "secret detail" not in answer.text
        assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"x" * (1 << 20) + b"x", "application/x-www-form-urlencoded", 413),
        (b"{}", "application/json", 415),
        (b"", "", 415),
        (b"--x\r\nnonsense", "multipart/form-data; boundary=x", 403),
        (b"x", "multipart/form-data", 400),
        (b"&".join(b"a=b" for _ in range(2000)), "application/x-www-form-urlencoded", 400),
    ],
)
def test_a_form_is_bounded_and_well_formed(client: Client, body: bytes, kind: str, status: int) -> None:
    answer = client.post("/sign-in", content=body, headers={"content-type": kind})
    assert answer.status_code == status


def test_what_is_private_is_kept_by_no_cache(web: Web, client: Client) -> None:
    sign_in(web, client)
    assert client.get("/account").headers["cache-control"] == "no-store"
    assert client.get("/").headers["cache-control"] == "no-store"


def test_the_set_up_page_is_closed_once_there_is_an_account(web: Web, client: Client) -> None:
    web.known(FIRST)
    assert client.get("/set-up").headers["location"] == "/sign-in"
    answer = client.post(
        "/set-up", data={"csrf": token_in(client.get("/sign-in")), "code": web.service.entrance.set_up.code}
    )
    assert answer.headers["location"] == "/sign-in"
