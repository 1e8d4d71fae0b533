"""The page that says what happened to one's account: it waits for its owner, and escapes what strangers wrote."""

import httpx
from playwright.sync_api import expect

from recognizance.governance.parties import Person, PersonId, Role
from recognizance.governing.account_news import Happening
from recognizance.governing.registration import at_the_machine

from ..review_world import AGENCY, person_id
from .security_world import form_token
from .world import PASSWORD, PHONE, Browsers, Web, assert_accessible, look

WAITING = "Something happened to your account"


def somebody(web: Web, name: str) -> PersonId:
    person = person_id(name)
    web.world.add_person(Person(person, AGENCY, frozenset({Role.OPERATOR})))
    web.known(person)
    return person


def test_what_happened_is_shown_on_every_page_until_it_was_seen(web: Web, browsers: Browsers) -> None:
    """After a password changed elsewhere: a notice, the page, one button, and peace; the list stays."""
    person = somebody(web, "somebody with news")
    page = browsers.open("/account", as_=person, viewport=PHONE)
    expect(page.locator("main")).not_to_contain_text(WAITING)
    web.service.entrance.news.note_alone(person, Happening.PASSKEY_COPIED)
    page.goto("/next-steps")
    expect(page.locator("main")).to_contain_text(WAITING)
    assert_accessible(page)
    page.get_by_role("link", name="Look at it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What happened to your account")
    expect(page.locator("main")).to_contain_text("A copy of your passkey may be in use")
    look(page, "account-news")
    assert_accessible(page)
    page.get_by_role("button", name="I have seen this").click()
    expect(page.get_by_role("button", name="I have seen this")).to_have_count(0)
    expect(page.locator("main")).to_contain_text("A copy of your passkey may be in use")
    page.goto("/account")
    expect(page.locator("main")).not_to_contain_text(WAITING)


def test_what_a_stranger_calls_their_browser_is_text(web: Web) -> None:
    """Whoever has the password chooses it; on its owner's page it is nothing but text."""
    person = somebody(web, "somebody elsewhere")
    sign_in, known = web.service.entrance.sign_in, web.known(person)
    for device in ("Firefox/128.0", "<script>alert(1)</script>"):
        token = sign_in.with_password(known.login, PASSWORD, address="192.0.2.1", device=device).token
        sign_in.with_code(token, web._recovery[person].pop(), address="192.0.2.1")
    with httpx.Client(base_url=web.url, cookies={"session": web.session(person)}) as client:
        text = client.get("/account/news").text
    assert "Signed in with another browser" in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; (192.0.2.1)" in text
    assert "<script>alert" not in text


def test_only_ones_own_news_can_be_marked_as_seen(web: Web) -> None:
    """With the form of one's own page and somebody else's number in it: theirs stays new."""
    person, other = somebody(web, "somebody curious"), somebody(web, "somebody else's news")
    web.session(other)
    news = web.service.entrance.news
    web.service.entrance.accounts.disable(other, by=at_the_machine())
    [disabled] = [each for each in news.of(other, limit=9) if each.what is Happening.DISABLED]
    with httpx.Client(base_url=web.url, cookies={"session": web.session(person)}) as client:
        token = form_token(client.get("/account"))
        answer = client.post("/account/news", data={"csrf": token, "seen": disabled.id})
    assert answer.status_code == 303
    assert [each.is_new for each in news.of(other, limit=9) if each.id == disabled.id] == [True]


def test_the_news_is_in_the_readers_language(web: Web) -> None:
    person = somebody(web, "somebody Spanish")
    web.service.entrance.news.note_alone(person, Happening.TRIED_TOO_OFTEN)
    headers = {"accept-language": "es"}
    with httpx.Client(base_url=web.url, cookies={"session": web.session(person)}, headers=headers) as client:
        text = client.get("/account/news").text
    assert "Alguien intentó iniciar sesión como usted demasiadas veces" in text
