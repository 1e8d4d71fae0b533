"""What was typed outlives the session in which it was typed: for whoever typed it, once, and not for long."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from recognizance.governance.parties import PersonId
from recognizance.governance.uses import UseState
from recognizance.identifiers import PrincipalId
from recognizance.web.forms import Form
from recognizance.web.kept_forms import LASTS_S, MOST, MOST_CHARACTERS, KeptForms

from .client import Client
from .security_world import COUNTY_USE, STRANGERS, Guarded, form_token

OVERSEER, OTHER = PersonId(PrincipalId("overseer")), PersonId(PrincipalId("other"))
TYPED = "Two complaints within a week, which nobody answered, and a third that nobody read."
SUSPENDING = "/oversight/uses/county-use/suspend"


def typed(text: str = TYPED) -> Form:
    return Form({"reasons": (text,), "csrf": ("a token",)})


def test_a_kept_form_is_its_owners_once_and_without_its_token() -> None:
    kept = KeptForms()
    name = kept.keep(typed(), OVERSEER)
    assert kept.take(name, OTHER) is None
    taken = kept.take(name, OVERSEER)
    assert taken is not None
    assert taken.values == {"reasons": (TYPED,)}
    assert kept.take(name, OVERSEER) is None


def test_a_kept_form_is_forgotten_after_half_an_hour() -> None:
    now_s = [0.0]
    kept = KeptForms(monotonic_s=lambda: now_s[0])
    name = kept.keep(typed(), OVERSEER)
    now_s[0] = LASTS_S
    assert kept.take(name, OVERSEER) is None


def test_what_is_kept_is_bounded() -> None:
    """The oldest makes room; what is too long isn't kept at all."""
    kept = KeptForms()
    assert kept.keep(typed("x" * (MOST_CHARACTERS + 1)), OVERSEER) == ""
    names = [kept.keep(typed(), OVERSEER) for _ in range(MOST + 1)]
    assert [kept.take(name, OVERSEER) is None for name in names] == [True] + [False] * MOST


@dataclass(frozen=True)
class Away:
    """An overseer's browser, half an hour after they began to write, and the token of the page that lies open."""

    browser: Client
    token: str

    def send(self, **fields: str) -> httpx.Response:
        return self.browser.post(SUSPENDING, data={"csrf": self.token, "reasons": TYPED, "confirmed": "yes", **fields})


@pytest.fixture
def away(guarded: Guarded) -> Iterator[Away]:
    browser = guarded.browser()
    browser.cookies.set("session", guarded.web.session(STRANGERS["overseer"]))
    token = form_token(browser.get(SUSPENDING))
    guarded.api.world.clock.now += timedelta(minutes=31)
    yield Away(browser, token)
    guarded.api.world.clock.now -= timedelta(minutes=31)


def next_page(answer: httpx.Response) -> str:
    """Where signing in leads."""
    assert answer.status_code == 303
    return parse_qs(urlsplit(answer.headers["location"]).query).get("next", [""])[0]


def signed_in(guarded: Guarded, role: str) -> Client:
    browser = guarded.browser()
    browser.cookies.set("session", guarded.web.session(STRANGERS[role]))
    return browser


def test_what_was_typed_is_there_after_signing_in_again(guarded: Guarded, away: Away) -> None:
    """Nothing was done meanwhile; the page has it once, for them and for nobody else, and has to be confirmed anew."""
    where = next_page(away.send())
    assert where.startswith(f"{SUSPENDING}?kept=")
    assert guarded.web.service.governing.uses.get(COUNTY_USE).use.state is UseState.ACTIVE
    assert TYPED not in signed_in(guarded, "administrator").get(where).text
    overseer = signed_in(guarded, "overseer")
    shown = overseer.get(where)
    assert shown.status_code == 200
    assert TYPED in shown.text
    assert "checked" not in shown.text
    assert TYPED not in overseer.get(where).text


def test_a_form_of_another_page_or_session_is_not_kept(away: Away) -> None:
    """Without the token of the very session that ended, sending it brings the sign-in page and nothing else."""
    assert next_page(away.send(csrf="another")) == ""
    away.browser.cookies.set("session", "never-was-one")
    assert next_page(away.send()) == ""


def test_a_form_sent_after_signing_out_is_not_kept(guarded: Guarded) -> None:
    """Whoever signs out leaves nothing behind."""
    browser = signed_in(guarded, "overseer")
    token = form_token(browser.get(SUSPENDING))
    session = browser.cookies["session"]
    browser.post("/sign-out", data={"csrf": token})
    browser.cookies.set("session", session)
    assert next_page(Away(browser, token).send()) == ""


def test_what_is_only_sent_to_shows_what_was_typed_where_its_form_is(guarded: Guarded) -> None:
    """Names that an officer had typed are in the form of the request, and not lost in a redirect."""
    where = f"/desk/requests/{guarded.objects['request']}"
    browser, clock = guarded.browser(), guarded.api.world.clock
    browser.cookies.set("session", guarded.web.session(guarded.county["desk_officer"]))
    token = form_token(browser.get(where))
    clock.now += timedelta(minutes=31)
    try:
        sent = browser.post(f"{where}/names", data={"csrf": token, "names": "mary-jackson-1921"})
        browser.cookies.set("session", guarded.web.session(guarded.county["desk_officer"]))
        led_on = browser.get(next_page(sent))
        assert led_on.headers["location"].startswith(f"{where}?kept=")
        assert "mary-jackson-1921" in browser.get(led_on.headers["location"]).text
    finally:
        clock.now -= timedelta(minutes=31)
