"""Signing in at a provider: a real one on loopback, and ones that lie."""

import base64
import hmac
import json
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwk, jwt

from recognizance.app import http_app
from recognizance.errors import InputError, UnavailableError
from recognizance.governance.parties import PersonId
from recognizance.governing.openid import Errand, OpenId, OpenIdError, Provider
from recognizance.governing.registration import at_the_machine

from ..review_world import SUPERVISOR, THIRD
from .client import Client
from .world import Web, now

# The provider's own libraries warn of each other.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

BACK = "http://127.0.0.1/sign-in/openid/back"
ERRAND = Errand("the-state", "the-nonce", "the-verifier")


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A real provider on this machine, which lets everybody in as whom they say."""
    import oidc_provider_mock

    with oidc_provider_mock.run_server_in_thread(require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


def client_of(web: Web, issuer: str) -> Client:
    openid = OpenId(Provider(issuer, "recognizance", "a secret"), clock=now, random_bytes=os.urandom)
    service = replace(web.service, entrance=replace(web.service.entrance, openid=openid))
    return Client(http_app(service), base="http://127.0.0.1", address="127.0.0.1")


def link(web: Web, person: PersonId, issuer: str, subject: str) -> None:
    web.known(person)
    web.service.entrance.accounts.link_identity(person, issuer, subject, by=at_the_machine())


def there_and(client: Client, subject: str, wanted: str = "/account") -> str:
    """Go to the provider, be let in as somebody, and answer where it sends the browser then."""
    page = client.get("/sign-in").text
    assert "/sign-in/openid" in page
    address = client.get("/sign-in/openid", params={"next": wanted}).headers["location"]
    answer = httpx.post(address, data={"sub": subject})
    assert answer.status_code == 302
    came_back = urlsplit(answer.headers["location"])
    return f"{came_back.path}?{came_back.query}"


def test_whoever_the_provider_vouches_for_gets_in(web: Web, issuer: str) -> None:
    """As the person that an administrator linked; the second factor that the police need is still asked for."""
    link(web, SUPERVISOR, issuer, "sam")
    client = client_of(web, issuer)
    answer = client.get(there_and(client, "sam"))
    assert answer.headers["location"] == "/sign-in/second-factor?next=%2Faccount"
    known = web.service.entrance.sign_in.whose(client.cookies["session"])
    assert known is not None
    assert known.person == SUPERVISOR


def test_whom_nobody_linked_stays_outside(web: Web, issuer: str) -> None:
    """However well the provider knows them."""
    client = client_of(web, issuer)
    answer = client.get(there_and(client, "a stranger@example.org"))
    assert answer.status_code == 403
    assert "session" not in client.cookies


def test_an_answer_counts_in_the_browser_that_asked_and_once(web: Web, issuer: str) -> None:
    """Neither in another browser, nor twice, nor for another state."""
    link(web, THIRD, issuer, "theo")
    client, other = client_of(web, issuer), client_of(web, issuer)
    path = there_and(client, "theo")
    other.get("/sign-in/openid")
    assert other.get(path).status_code == 403
    assert client_of(web, issuer).get(path).status_code == 403
    assert client.get(re.sub("state=[^&]+", "state=x", path)).status_code == 403
    assert client.get(path).status_code == 403
    client = client_of(web, issuer)
    path = there_and(client, "theo")
    assert client.get(path).status_code == 303
    assert client.get(path).status_code == 403


def test_the_way_back_leads_to_our_own_pages(web: Web, issuer: str) -> None:
    link(web, SUPERVISOR, issuer, "sam")
    client = client_of(web, issuer)
    answer = client.get(there_and(client, "sam", wanted="https://evil.example/"))
    assert parse_qs(urlsplit(answer.headers["location"]).query) == {"next": ["/"]}


def test_a_provider_that_is_away_is_said_to_be(web: Web) -> None:
    answer = client_of(web, "http://localhost:9").get("/sign-in/openid")
    assert answer.status_code == 403
    assert "answer" in answer.text


@pytest.mark.parametrize("address", ["http://issuer.example", "ftp://issuer.example", "issuer", ""])
def test_a_provider_speaks_tls(address: str) -> None:
    with pytest.raises(InputError):
        Provider(address, "id", "")


KEY = jwk.generate_key("RSA", 2048, auto_kid=True)
OTHER_KEY = jwk.generate_key("RSA", 2048, auto_kid=True)


class Liar:
    """A provider whose token, keys and documents a test chooses."""

    def __init__(self) -> None:
        self.token = ""
        self.discovery: dict[str, Any] = {}
        liar = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.endswith("openid-configuration"):
                    self._answer(liar.discovery)
                else:
                    self._answer({"keys": [KEY.as_dict(private=False)]})

            def do_POST(self) -> None:
                self._answer({"id_token": liar.token})

            def _answer(self, document: dict[str, Any]) -> None:
                body = json.dumps(document).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.discovery = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
        }

    def claims(self, **changed: Any) -> dict[str, Any]:
        at = int(datetime.now(UTC).timestamp())
        sound = {
            "iss": self.url, "aud": "recognizance", "sub": "7", "nonce": ERRAND.nonce, "iat": at, "exp": at + 300,
        }  # fmt: skip
        return {name: value for name, value in {**sound, **changed}.items() if value is not None}

    def openid(self) -> OpenId:
        return OpenId(Provider(self.url, "recognizance", ""), clock=now, random_bytes=os.urandom)


@pytest.fixture(scope="module")
def provider() -> Iterator[Liar]:
    liar = Liar()
    thread = threading.Thread(target=liar.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield liar
    liar.server.shutdown()
    liar.server.server_close()


def signed(claims: dict[str, Any], *, key: Any = KEY) -> str:
    return jwt.encode({"alg": "RS256", "kid": KEY.kid}, claims, key)


def test_a_sound_token_vouches(provider: Liar) -> None:
    """And says whether the provider asked for more than a password."""
    for methods, is_strong in ((["pwd"], False), (["pwd", "mfa"], True), (None, False), ("mfa", False)):
        provider.token = signed(provider.claims(amr=methods))
        vouched = provider.openid().finish(ERRAND, {"state": ERRAND.state, "code": "c"}, redirect_uri=BACK)
        assert (vouched.identity, vouched.is_strong) == (f"{provider.url} 7", is_strong)


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://other.example"},
        {"aud": "another"},
        {"aud": ["recognizance", "another"], "azp": "another"},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": None},
        {"sub": "two words"},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"iat": 9_000_000_000},
    ],
)
def test_a_token_for_anything_else_vouches_for_nobody(provider: Liar, changed: dict[str, Any]) -> None:
    provider.token = signed(provider.claims(**changed))
    with pytest.raises(OpenIdError):
        provider.openid().finish(ERRAND, {"state": ERRAND.state, "code": "c"}, redirect_uri=BACK)


def test_a_token_that_the_provider_did_not_sign_vouches_for_nobody(provider: Liar) -> None:
    """Another key, no signature, or the public key taken for a shared secret."""
    claims = provider.claims()
    sound = signed(claims)
    head, body, signature = sound.split(".")
    none = "eyJhbGciOiJub25lIn0"
    shared_head = base64.urlsafe_b64encode(b'{"alg":"HS256"}').decode().rstrip("=")
    mac = hmac.digest(KEY.as_pem(private=False), f"{shared_head}.{body}".encode(), "sha256")
    shared = f"{shared_head}.{body}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
    tokens = [
        signed(claims, key=OTHER_KEY),
        f"{none}.{body}.",
        f"{none}.{body}.{signature}",
        f"{head}.{body}.",
        f"{head}.{body}.{signature[:-4]}AAAA",
        shared,
        "no token",
        "",
    ]
    for provider.token in tokens:
        with pytest.raises(OpenIdError):
            provider.openid().finish(ERRAND, {"state": ERRAND.state, "code": "c"}, redirect_uri=BACK)


@pytest.mark.parametrize(
    "answer",
    [{}, {"state": "other", "code": "c"}, {"state": "the-state"}, {"state": "the-state", "code": "c", "iss": "other"}],
)
def test_an_answer_that_does_not_fit_is_not_redeemed(provider: Liar, answer: dict[str, str]) -> None:
    provider.token = signed(provider.claims())
    with pytest.raises(OpenIdError):
        provider.openid().finish(ERRAND, answer, redirect_uri=BACK)


@pytest.mark.parametrize(
    "changed", [{"issuer": "https://other.example"}, {"token_endpoint": "http://other.example/"}, {"jwks_uri": None}]
)
def test_documents_of_the_provider_are_checked_too(
    provider: Liar, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any]
) -> None:
    """Another issuer's document, and addresses where others could read along."""
    provider.token = signed(provider.claims())
    monkeypatch.setattr(provider, "discovery", {**provider.discovery, **changed})
    with pytest.raises((OpenIdError, InputError)):
        provider.openid().finish(ERRAND, {"state": ERRAND.state, "code": "c"}, redirect_uri=BACK)


def test_no_errand_is_like_another(provider: Liar) -> None:
    first, address = provider.openid().begin(redirect_uri=BACK)
    second, _ = provider.openid().begin(redirect_uri=BACK)
    asked = parse_qs(urlsplit(address).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert first.verifier not in address
    assert len({first.state, first.nonce, first.verifier, second.state, second.nonce, second.verifier}) == 6


def test_a_provider_is_asked_nothing_without_its_revocation_lists(provider: Liar, tmp_path: Path) -> None:
    """The file is read anew each time: gone or wrong, nobody is believed; and whoever signs in isn't told its name."""
    missing = Provider(provider.url, "recognizance", "", revoked=str(tmp_path / "missing.crl"))
    away = OpenId(missing, clock=now, random_bytes=os.urandom)
    with pytest.raises(UnavailableError, match=r"^the OpenID provider can't be reached$"):
        away.begin(redirect_uri=BACK)


def test_a_provider_that_cannot_be_reached_is_unavailable() -> None:
    away = OpenId(Provider("http://127.0.0.1:9", "recognizance", ""), clock=now, random_bytes=os.urandom)
    with pytest.raises(UnavailableError):
        away.begin(redirect_uri=BACK)
