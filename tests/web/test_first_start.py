"""The first start of an installation: its pages before anybody has an account, and how the first one is made."""

from recognizance.app import Service, http_app
from recognizance.governance.parties import Role

from .client import Client
from .test_security import send, token_in
from .world import PASSWORD


def client_of(service: Service, address: str = "127.0.0.1") -> Client:
    return Client(http_app(service), base="https://faces.example", address=address)


def test_a_stranger_does_not_take_an_installation_over(service: Service) -> None:
    """Whoever comes first finds the page, and without the code from the console nothing more."""
    stranger = client_of(service, "203.0.113.5")
    assert "/set-up" in stranger.get("/").text
    for code in ("", "AAAA-AAAA-AAAA-AAAA", service.entrance.set_up.code[:-1]):
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
    assert done.headers["location"] == "/"
    known = service.entrance.sign_in.whose(owner.cookies["__Host-session"])
    assert known is not None
    assert known.login == "ada"
    assert known.roles == set(Role) - {Role.OVERSEER}
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
