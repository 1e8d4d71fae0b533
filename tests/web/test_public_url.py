"""The address of the pages, once it is set: no other host is served, and nothing rests on what a request says."""

from dataclasses import replace

import pytest

from recognizance.app import Service, http_app
from recognizance.config import Settings
from recognizance.errors import InputError

from .client import Client
from .world import PASSWORD

PUBLIC = "https://faces.example"


def client_of(service: Service, base: str) -> Client:
    """A browser behind a proxy that doesn't say that it speaks TLS."""
    settings = replace(service.settings, public_url=PUBLIC)
    return Client(http_app(replace(service, settings=settings)), base=base, address="127.0.0.1")


@pytest.mark.parametrize("host", ["evil.example", "faces.example.evil.example", "faces.example:8080", "127.0.0.1"])
def test_a_foreign_host_is_refused(service: Service, host: str) -> None:
    """DNS rebinding: another name that leads here gets no page, no file and no form."""
    client = client_of(service, f"http://{host}")
    for path in ("/", "/sign-in", "/nothing"):
        answer = client.get(path)
        assert answer.status_code == 421
        assert "form" not in answer.text
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_cookies_are_for_tls_whatever_the_proxy_says(service: Service) -> None:
    service.entrance.accounts.set_up_first("ada", PASSWORD)
    answer = client_of(service, "http://faces.example").get("/sign-in")
    assert answer.status_code == 200
    [cookie] = answer.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-visitor=")
    assert "; Secure" in cookie
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    assert "&#34;rpId&#34;: &#34;faces.example&#34;" in answer.text


@pytest.mark.parametrize(
    "url",
    [
        "faces.example", "ftp://faces.example", "https://", "https://faces.example/", "https://faces.example/x",
        "https://a@faces.example", "https://FACES.example", "https://faces.example:443", "https://faces.example:x",
        "https://faces.example?x", "http://faces.example:80", "https://faces.example:0",
    ],
)  # fmt: skip
def test_an_address_is_spelled_as_browsers_do(url: str) -> None:
    with pytest.raises(InputError, match="public_url"):
        Settings(public_url=url)


@pytest.mark.parametrize("url", ["", PUBLIC, "http://localhost:8080", "https://[2001:db8::1]:8443"])
def test_an_origin_is_taken(url: str) -> None:
    assert Settings(public_url=url).public_url == url
