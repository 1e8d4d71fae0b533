"""What is another agency's: refused, told alike whether it is there or not, and on no page that a stranger sees.

Generated from the table of pages: each variable of a path stands for something of the county's, and somebody of the
harbour police asks for it, in whatever role the page is for.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from html import unescape
from urllib.parse import quote, unquote

from httpx import Response

from recognizance.governance.parties import PersonId
from recognizance.governing.account_documents import Stage
from recognizance.web.frame import Page

from .attacks import OWN, PRIVATE
from .security_world import COUNTY, STRANGERS, Guarded, form_token, listed

ABSENT: Mapping[str, str] = {"index": "999999", "number": "9"}
"""What isn't there, by the variable that would name it; other variables take an id that nothing has."""

NO_ID = "3f1f2c1e-0000-4000-8000-00000000ab5e"
PUBLIC_NAMES = frozenset({"gallery", "use", "agency"})
"""Whose names are in the public register, so that whether they are there is no secret."""

OF_EVERYBODY: Mapping[str, str] = {
    "/administration/": "whoever runs the installation registers all of its agencies, people and keys",
    "/oversight/": "overseers belong to no agency, and oversee all",
    "/desk/erasures/": "a proof of an erasure is public, and names nobody",
    "/retention/": "schedules are public, and what is due is shown to whom the policy lets see it",
}
"""Pages about things of no single agency, by how their paths begin, and why."""

MAY_READ: Mapping[str, frozenset[str]] = {
    "administrator": frozenset({"name-of-somebody", "certificate", "tag"}),
    "auditor": frozenset(),
}
"""What of the county's private texts somebody outside it may read, by their role."""


def roles_of(page: Page) -> list[str]:
    if page.who.roles is not None:
        return sorted(role.value for role in page.who.roles)
    return ["examiner"] if Stage.COMPLETE in page.who.stages else []


def about_objects(guarded: Guarded) -> Iterator[tuple[Page, str, PersonId]]:
    """Each page about something of one agency's, with each stranger whose role it is for."""
    for page in guarded.pages():
        if "{" not in page.path or not page.who.roles or any(page.path.startswith(each) for each in OF_EVERYBODY):
            continue
        for role in roles_of(page):
            # Administrators manage every gallery, and auditors read every case: they belong to no agency.
            if role not in {"administrator", "auditor", "overseer"}:
                yield page, role, STRANGERS[role]


def asked(guarded: Guarded, person: PersonId, page: Page, path: str) -> Iterator[Response]:
    """A page as it is looked at, and as a form that is empty but for its token; where it leads, if it leads on."""
    browser = guarded.browser(person)
    answer = browser.get(path)
    yield answer if answer.status_code != 303 else browser.get(answer.headers["location"])
    if page.has_form:
        token = form_token(browser.get("/account"))
        yield browser.post(path, data={"csrf": token})


def unlike(answer: Response, replaced: Collection[str]) -> tuple[int, str]:
    """An answer without what differs from request to request, and without what it was asked about."""
    text = unescape(re.sub(r'name="csrf" value="[^"]*"', "", answer.text))
    for value in sorted(replaced, key=len, reverse=True):
        text = text.replace(value, "it").replace(quote(value, safe=""), "it")
    # The number of a decision, which is another each time.
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "", text)
    return answer.status_code, text


def test_every_variable_of_a_path_names_something(guarded: Guarded) -> None:
    """So that no page is asked about nothing, and found to refuse it."""
    unnamed = [
        (page.path, name)
        for page in guarded.pages()
        for name in re.findall(r"\{(\w+)", page.path)
        if name not in guarded.objects and f"{page.path} {name}" not in guarded.objects
    ]
    assert unnamed == [], listed(unnamed)


def test_what_is_another_agencys_is_refused(guarded: Guarded) -> None:
    """Page × stranger: 403 or 404, whether it is looked at or sent to; its own people do reach it."""
    wrong = []
    pages = list(about_objects(guarded))
    for page, role, person in pages:
        path = guarded.address(page)
        wrong += [
            (page.path, role, answer.request.method, answer.status_code)
            for answer in asked(guarded, person, page, path)
            if answer.status_code not in {403, 404}
        ]
    assert wrong == [], listed(wrong)
    assert len(pages) > 20


def test_whether_something_exists_is_not_told_to_strangers(guarded: Guarded) -> None:
    """Enumeration: what is there and what isn't are answered with the same status and the same words."""
    told = []
    for page, role, person in about_objects(guarded):
        last = re.findall(r"\{(\w+)", page.path)[-1]
        if last in PUBLIC_NAMES:
            continue
        there, absent = guarded.address(page), guarded.address(page, absent=ABSENT.get(last, NO_ID))
        names = {value for value in guarded.objects.values() if len(value) > 3} | {NO_ID}
        answers = [
            [unlike(each, names | {unquote(path)}) for each in asked(guarded, person, page, path)]
            for path in (there, absent)
        ]
        if answers[0] != answers[1]:
            told.append((page.path, role, [[status for status, _ in each] for each in answers]))
    assert told == [], listed(told)


def test_nothing_of_another_agency_is_on_any_page(guarded: Guarded) -> None:
    """No private text that the county typed is on any page of anybody outside it, lists and searches included."""
    leaked = []
    looked_at = 0
    for role, person in [*STRANGERS.items(), ("nobody", None)]:
        browser = guarded.browser(person)
        may = MAY_READ.get(role, frozenset())
        for page in guarded.pages():
            if page.path == "/sign-out":
                continue
            answer = browser.get(guarded.address(page))
            looked_at += answer.status_code == 200
            # A page repeats its own address, which is no news to whoever asked for it.
            text = unescape(answer.text).replace(unquote(guarded.address(page)), "")
            leaked += [(page.path, role, label) for label in PRIVATE if OWN + label in text and label not in may]
    assert leaked == [], listed(leaked)
    assert looked_at > 50


def test_a_refusal_changes_nothing_and_is_on_the_record(guarded: Guarded) -> None:
    """What strangers try leaves refusals in the ledger and nothing else."""
    for person in STRANGERS.values():
        guarded.session(person)
    before = len(guarded.api.world.entries())
    for page, _, person in about_objects(guarded):
        list(asked(guarded, person, page, guarded.address(page)))
    new = guarded.api.world.entries()[before:]
    assert {type(each).__name__ for each in new} <= {"Refusal"}


def test_the_county_is_real(guarded: Guarded) -> None:
    """What strangers are refused, its own people have: otherwise all of the above would prove nothing."""
    lead = guarded.browser(guarded.county["supervisor"]).get(f"/leads/{guarded.objects['lead']}")
    review = guarded.browser(guarded.county["first"]).get(f"/reviews/{guarded.objects['review']}")
    assert (lead.status_code, review.status_code) == (200, 200)
    assert "photograph-name" in lead.text
    assert COUNTY in guarded.browser().get("/agencies").text
