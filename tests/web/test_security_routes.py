"""What every page refuses, whatever it is about: generated from the table of pages, so that new ones are held to it.

Requests go through the whole application in this process. Which item of the ASVS each test holds is in
docs/security-checklist.md.
"""

import logging
import re
from collections.abc import Iterator

import pytest

from recognizance.governance.parties import PersonId
from recognizance.governing.account_documents import Stage
from recognizance.web.frame import Page

from .security_world import HOST, STRANGERS, Guarded, form_token, listed
from .world import PASSWORD

SIGN_OUT = "/sign-out"
OTHER_METHODS = ("PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND")
EVIL = "evil.example"
LARGEST_SENT_BYTES = 24 << 20
"""Larger forms are for folders of photographs and for documents of which only a hash is kept; none is sent here."""


def path_of(page: Page, guarded: Guarded) -> str:
    """The page's address, about something of the county's."""
    return guarded.address(page)


def somebody_for(page: Page, guarded: Guarded) -> PersonId | None:
    """Somebody for whom the page is, of the county where it has them; `None` for a page of half a sign-in."""
    return guarded.owner(page) if not page.who.stages or Stage.COMPLETE in page.who.stages else None


def for_somebody(guarded: Guarded) -> Iterator[tuple[Page, str, PersonId]]:
    """Every page that somebody can be signed in for, with its address and who that is."""
    for page in guarded.pages():
        if (person := somebody_for(page, guarded)) is not None:
            yield page, path_of(page, guarded), person


def token_of(guarded: Guarded, person: PersonId) -> str:
    return form_token(guarded.browser(person).get("/account"))


def entries(guarded: Guarded) -> int:
    with guarded.web.service.records.reading() as reader:
        return reader.marked_size() + len(reader.pending_entries(limit=10_000))


def test_whoever_is_not_signed_in_is_led_to_sign_in(guarded: Guarded) -> None:
    """Every page that isn't for everybody, looked at and sent to."""
    browser = guarded.browser()
    closed = [page for page in guarded.pages() if page.who.stages]
    for page in closed:
        path = path_of(page, guarded)
        for answer in [browser.get(path), *([browser.post(path)] if page.has_form else [])]:
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/sign-in"), path
            assert answer.content == b"", path
    assert len(closed) > 6


def test_a_role_opens_its_own_pages_and_no_others(guarded: Guarded) -> None:
    """Page × role: whom a page isn't for is refused before it is looked at, with nothing of it in the answer."""
    wrong = []
    asked = 0
    for page in guarded.pages():
        if page.who.roles is None:
            continue
        for role, person in STRANGERS.items():
            if role in {each.value for each in page.who.roles}:
                continue
            asked += 1
            answer = guarded.browser(person).get(path_of(page, guarded))
            if answer.status_code != 403 or "another role" not in answer.text:
                wrong.append((page.path, role, answer.status_code))
    assert wrong == [], listed(wrong)
    assert asked > 0


def test_every_form_needs_a_token_of_this_very_session(guarded: Guarded) -> None:
    """Page × token: none, a made-up one, somebody else's; and from another site even the right one."""
    wrong = []
    somebody_else = token_of(guarded, guarded.county["third"])
    anonymous = form_token(guarded.browser().get("/sign-in"))
    forms = [(page, path, person) for page, path, person in for_somebody(guarded) if page.has_form]
    tokens = {person: token_of(guarded, person) for _, _, person in forms}
    before = entries(guarded)
    for page, path, person in forms:
        browser, own = guarded.browser(person), tokens[person]
        tries: list[tuple[dict[str, str], dict[str, str]]] = [
            ({"csrf": token}, {}) for token in ("", "x", somebody_else, anonymous)
        ]
        tries += [({"csrf": own}, {"sec-fetch-site": site}) for site in ("cross-site", "same-site")]
        tries += [({"csrf": own}, {"origin": f"https://{EVIL}"}), ({"csrf": own}, {"origin": "null"})]
        for fields, headers in tries:
            answer = browser.post(path, data=fields, headers=headers)
            if answer.status_code != 403:
                wrong.append((page.path, fields["csrf"] == own, headers, answer.status_code))
    assert wrong == [], listed(wrong)
    assert entries(guarded) == before
    assert len(forms) > 6


def test_no_page_takes_a_method_that_it_has_not(guarded: Guarded) -> None:
    """405 for whatever isn't in the table; and no header or field makes one method another."""
    wrong = []
    for page, path, person in for_somebody(guarded):
        if path == "/":
            continue  # Rekognition's own address: programs POST there.
        browser = guarded.browser(person)
        methods = OTHER_METHODS if page.has_form else (*OTHER_METHODS, "POST")
        for method in methods:
            # A sibling whose path has a variable may take the form instead: it misses its token, or what it is about.
            refused = {403, 404, 405, 415} if method == "POST" else {405}
            if browser.request(method, path).status_code not in refused:
                wrong.append((page.path, method))
        if page.path == SIGN_OUT or not page.has_form:
            continue
        plain = browser.get(path)
        overridden = browser.get(path, params={"_method": "POST"}, headers={"x-http-method-override": "POST"})
        if overridden.status_code != plain.status_code:
            wrong.append((page.path, "override"))
    assert wrong == [], listed(wrong)


def test_looking_changes_nothing(guarded: Guarded) -> None:
    """GET leaves no entry in the ledger, but where whom a gallery holds is read: that is on the record each time."""
    changing = []
    for _, _, person in for_somebody(guarded):
        guarded.session(person)
    for page, path, person in for_somebody(guarded):
        before = entries(guarded)
        guarded.browser(person).get(path)
        if entries(guarded) != before and not page.path.startswith("/galleries/{gallery}"):
            changing.append(page.path)
    assert changing == [], listed(changing)


def test_what_somebody_signed_in_is_sent_is_kept_by_no_cache(guarded: Guarded) -> None:
    """`no-store` on pages, pictures and downloads, refusals and redirects alike."""
    kept = []
    for page, path, person in for_somebody(guarded):
        browser = guarded.browser(person)
        answers = [browser.get(path), *([browser.post(path)] if page.has_form else [])]
        said = [(page.path, answer.status_code, answer.headers.get("cache-control")) for answer in answers]
        kept += [each for each in said if each[2] != "no-store"]
    assert kept == [], listed(kept)


def test_a_forged_host_leads_nowhere(guarded: Guarded) -> None:
    """Whatever the headers say of the host, no link, form, redirect or cookie has it."""
    forged = {"host": EVIL, "x-forwarded-host": EVIL, "forwarded": f"host={EVIL}", "x-original-url": f"//{EVIL}/"}
    for page, path, person in for_somebody(guarded):
        for browser in (guarded.browser(person), guarded.browser()):
            answer = browser.get(path, headers=forged)
            assert not re.search(rf'(?:href|action|src|content)="[^"]*{EVIL}', answer.text), page.path
            assert EVIL not in str(answer.headers), page.path


def test_no_page_leads_elsewhere(guarded: Guarded) -> None:
    """Open redirects: no parameter by any of the usual names makes a page of ours lead to another site."""
    names = ("next", "back", "url", "to", "return", "return_to", "redirect", "continue", "from")
    for target in (f"https://{EVIL}/", f"//{EVIL}", f"/\\{EVIL}", f"/%09/{EVIL}"):
        query = dict.fromkeys(names, target)
        for page, path, person in for_somebody(guarded):
            for browser in (guarded.browser(person), guarded.browser()):
                answer = browser.get(path, params=query)
                location = answer.headers.get("location", "/")
                assert re.match(r"/(?![/\\])", location), page.path
                assert not re.search(rf'(?:href|action|formaction)="[^"/]*//{EVIL}', answer.text), page.path


def test_a_body_beyond_a_pages_limit_is_refused(guarded: Guarded) -> None:
    """413 one byte beyond what the table says, whoever sends it; nothing is read for whom the page isn't."""
    wrong = []
    for page, path, person in for_somebody(guarded):
        if not page.has_form or page.most_bytes > LARGEST_SENT_BYTES:
            continue
        body, kind = b"a" * (page.most_bytes + 1), {"content-type": "application/x-www-form-urlencoded"}
        answer = guarded.browser(person).post(path, content=body, headers=kind)
        if answer.status_code != 413:
            wrong.append((page.path, answer.status_code))
    assert wrong == [], listed(wrong)
    assert {page.path for page in guarded.pages() if page.most_bytes > LARGEST_SENT_BYTES} <= {
        "/galleries/{gallery}/import",
        "/galleries/{gallery}/import/{job}",
        "/leads/{lead}/attest",
    }


def test_every_answer_says_what_it_is(guarded: Guarded) -> None:
    """A type, with a character set where it is text; and HTML only where a page of ours made it."""
    wrong = []
    for page, path, person in for_somebody(guarded):
        for answer in (guarded.browser(person).get(path), guarded.browser().get(path)):
            kind = answer.headers.get("content-type", "")
            if answer.content and (not kind or (kind.startswith("text/") and "charset=utf-8" not in kind.lower())):
                wrong.append((page.path, kind))
            if answer.content and kind.startswith("text/html") and not answer.text.startswith("<!doctype html>"):
                wrong.append((page.path, answer.text[:40]))
    assert wrong == [], listed(wrong)


def test_downloads_have_names_of_ours(guarded: Guarded) -> None:
    """What isn't shown as a page, picture or event stream is an attachment, whose name nobody outside chose."""
    wrong = []
    for page, path, person in for_somebody(guarded):
        answer = guarded.browser(person).get(path)
        kind = answer.headers.get("content-type", "")
        if answer.status_code != 200 or kind.startswith(("text/html", "image/", "text/event-stream")):
            continue
        named = answer.headers.get("content-disposition", "")
        if not re.fullmatch(r'attachment; filename="[A-Za-z0-9][A-Za-z0-9._-]*"', named):
            wrong.append((page.path, kind, named))
    assert wrong == [], listed(wrong)


def test_no_answer_says_what_it_runs_on(guarded: Guarded) -> None:
    """Neither headers nor pages name a server, a library or a version of one."""
    told = re.compile(r"uvicorn|starlette|python/|jinja|werkzeug|sqlite", re.IGNORECASE)
    for page, path, person in for_somebody(guarded):
        answer = guarded.browser(person).get(path)
        assert not {"server", "x-powered-by"} & set(answer.headers), page.path
        assert not told.search(str(answer.headers)), page.path


def test_no_page_is_read_by_another_site(guarded: Guarded) -> None:
    """No page allows it, whatever origin asks; and a page of another site can't even embed it."""
    for page, path, person in for_somebody(guarded):
        for origin in (f"https://{EVIL}", "null", HOST):
            answer = guarded.browser(person).get(path, headers={"origin": origin})
            assert not [name for name in answer.headers if name.startswith("access-control-")], page.path
            assert answer.headers["cross-origin-resource-policy"] == "same-origin", page.path


def test_a_right_origin_is_no_credential(guarded: Guarded) -> None:
    """Coming from our own pages opens nothing to whoever isn't signed in, and is no token."""
    headers = {"origin": HOST, "host": "127.0.0.1", "sec-fetch-site": "same-origin", "referer": f"{HOST}/account"}
    for page, path, person in for_somebody(guarded):
        if page.who.stages:
            assert guarded.browser().get(path, headers=headers).status_code == 303, page.path
        if page.has_form:
            assert guarded.browser(person).post(path, data={"a": "b"}, headers=headers).status_code == 403, page.path


def test_no_page_puts_a_secret_into_an_address(guarded: Guarded) -> None:
    """Forms send what is private in their bodies, and no link holds a session or the token of a form."""
    for page, path, person in for_somebody(guarded):
        text = guarded.browser(person).get(path).text
        for address in re.findall(r'(?:href|src|action)="([^"]*)"', text):
            assert guarded.session(person) not in address, page.path
            assert "csrf" not in address, page.path
        for form in re.findall(r"<form[^>]*>.*?</form>", text, re.DOTALL):
            is_read = 'method="post"' not in form.split(">", 1)[0].lower()
            assert not (is_read and re.search(r'type="(?:password|file)"|name="csrf"', form)), page.path


def test_what_was_open_is_closed_by_signing_out(guarded: Guarded) -> None:
    """A session that was signed out opens nothing again, on any page."""
    person = guarded.county["operator"]
    session = guarded.web.session(person)
    browser = guarded.browser()
    browser.cookies.set("session", session)
    out = browser.post(SIGN_OUT, data={"csrf": form_token(browser.get("/account"))})
    assert out.status_code == 303
    for page in guarded.pages():
        if not page.who.stages:
            continue
        again = guarded.browser()
        again.cookies.set("session", session)
        assert again.get(path_of(page, guarded)).headers.get("location", "").startswith("/sign-in"), page.path


def test_fields_that_a_form_has_not_change_nothing(guarded: Guarded) -> None:
    """Mass assignment: roles, stages and people that are sent along with a form are not looked at."""
    person = guarded.county["first"]
    browser = guarded.browser(person)
    more = {"roles": "administrator", "role": "administrator", "stage": "complete", "person": STRANGERS["auditor"]}
    form = {"csrf": token_of(guarded, person), "back": "/account", "theme": "dark", **more}
    assert browser.post("/preferences", data=form).headers["location"] == "/account"
    who = guarded.web.service.entrance.sign_in.whose(guarded.session(person))
    assert who is not None
    assert (who.person, {role.value for role in who.roles}) == (person, {"examiner"})


def test_a_field_given_twice_counts_once(guarded: Guarded) -> None:
    """Parameter pollution: the first value is taken in the body, and the query never stands in for it."""
    person = guarded.county["first"]
    browser, token = guarded.browser(person), token_of(guarded, person)
    body = f"csrf={token}&back=/account&back=/sign-in".encode()
    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert browser.post("/preferences", content=body, headers=kind).headers["location"] == "/account"
    assert browser.post(f"/preferences?csrf={token}", content=b"back=/", headers=kind).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/static/../../../etc/passwd", "/static/x/..%2f..%2fframe.py", "/static/x/frame.py", "/static/", "/.git/config",
        "/ledger/../records.sqlite3", "/ledger/..%2frecords.sqlite3", "/records.sqlite3", "/master.key",
        "/templates/frame.html", "/%2e%2e/%2e%2e/etc/passwd", "/ledger/", "/static/x/recognizance.css~",
        "/.env", "/server-status",
    ],
)  # fmt: skip
def test_nothing_of_the_machine_is_served(guarded: Guarded, path: str) -> None:
    """No listing, no source, no file of the data folder, however its path is spelled."""
    for browser in (guarded.browser(), guarded.browser(STRANGERS["administrator"])):
        answer = browser.get(path)
        assert answer.status_code in {303, 400, 404}
        assert not answer.content.startswith(b"SQLite format")
        assert "root:x:" not in answer.text


def test_the_api_and_the_ledger_are_read_as_what_they_are(guarded: Guarded) -> None:
    """What stands beside the pages is served with `nosniff` too."""
    browser = guarded.browser()
    for path in ("/api/v1/health", "/api/v1/agencies", "/api/v1/nothing", "/ledger/checkpoint"):
        assert browser.get(path).headers.get("x-content-type-options") == "nosniff", path


def test_what_our_api_says_is_never_shown_as_a_page(guarded: Guarded) -> None:
    """Answers and problems are attachments, so that no browser takes what somebody typed for a page of ours."""
    browser = guarded.browser()
    for path in ("/api/v1/health", "/api/v1/agencies", "/api/v1/nothing", "/api/v1/accounts"):
        answer = browser.get(path)
        assert answer.headers["content-type"].startswith(("application/json", "application/problem+json")), path
        assert answer.headers["content-disposition"] == 'attachment; filename="api.json"', path


def test_each_request_is_logged_without_what_was_in_it(guarded: Guarded, caplog: pytest.LogCaptureFixture) -> None:
    """Who, which page, how it ended and how long it took; no session, no token, no query, no field."""
    person = guarded.county["first"]
    browser, token = guarded.browser(person), token_of(guarded, person)
    with caplog.at_level(logging.INFO, logger="recognizance.web"):
        browser.get("/account?secret=seven-swans")
        browser.post("/account/password", data={"csrf": "wrong", "current": "seven swans"})
        guarded.browser().get("/invitation/not-a-token-but-secret")
    said = [record.getMessage() for record in caplog.records]

    assert any(re.fullmatch(rf"GET /account {person} 200 \d+ ms", line) for line in said)
    assert any(line.startswith(f"POST /account/password {person} 403") for line in said)
    assert any(line.startswith("GET /invitation/{token} - 404") for line in said)
    for secret in ("swans", token, guarded.session(person), "not-a-token"):
        assert secret not in "\n".join(said)


def test_signing_in_and_failing_to_are_logged(guarded: Guarded, caplog: pytest.LogCaptureFixture) -> None:
    """With the address and, where it is known, the pseudonym; never with what was typed as login or password."""
    person = guarded.county["second"]
    known = guarded.web.known(person)
    with caplog.at_level(logging.INFO, logger="recognizance.governing"):
        for login, password in ((known.login, PASSWORD), (known.login, "wrong"), ("a password typed here", "x")):
            browser = guarded.browser()
            form = {"csrf": form_token(browser.get("/sign-in")), "login": login, "password": password}
            browser.post("/sign-in", data=form)
    said = [record.getMessage() for record in caplog.records]

    assert [line for line in said if line.startswith(f"{person} gave the right password, from '127.0.0.1'")]
    assert len([line for line in said if line == "a password was refused, from '127.0.0.1'"]) == 2
    for secret in (known.login, PASSWORD, "typed here", "wrong"):
        assert secret not in "\n".join(said)


def test_nobody_writes_lines_of_the_log(guarded: Guarded, caplog: pytest.LogCaptureFixture) -> None:
    """Neither a path nor a header nor a field begins a line of its own."""
    with caplog.at_level(logging.INFO):
        for path in ("/x%0aFORGED%0d%0aFORGED", "/sign-in?next=%0aFORGED"):
            guarded.browser().get(path, headers={"user-agent": "x\tFORGED", "accept-language": "FORGED"})
        browser = guarded.browser()
        form = {"csrf": form_token(browser.get("/sign-in")), "login": "a\nFORGED", "password": "b\r\nFORGED"}
        browser.post("/sign-in", data=form)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("recognizance")]
    assert len(ours) >= 3
    assert not any("FORGED" in line or "\n" in line for line in ours)
