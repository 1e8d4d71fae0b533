"""The public pages in a browser: read by anybody, commented on, asked, and checked against the record."""

import re
import uuid
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from playwright.sync_api import Page, expect

from recognizance.documents import Kind, UseRecord, stored
from recognizance.governance.parties import UseId
from recognizance.governance.purposes import Purpose, SearchClass
from recognizance.governance.subjects import RequestEvent
from recognizance.governing.pace import Allowance, Pace
from recognizance.governing.publishing import DeploymentStatement
from recognizance.governing.registration import at_the_machine
from recognizance.ledger import EntryId, FolderSource, facts
from recognizance.ledger.facts import KINDS
from recognizance.ledger.facts.fields import public_types
from recognizance.register import LiveRegister, Register
from recognizance.web.language import Language, wording
from recognizance.web.public_entries import SENTENCES, told
from recognizance.web.public_record import A_PAGE

from ..review_world import AGENCY, OVERSEERS, SUPERVISOR, USE
from .world import ADMINISTRATOR, DESK_OFFICER, DESKTOP, PHONE, Browsers, Scheme, Web, assert_accessible, look

PROPOSAL = UseId("missing-2027")
HOSTILE = "<script>document.title='taken'</script> \u202eesrever \" onload=x"
GOOD = "This entry is in the signed record"


@pytest.fixture(scope="module")
def web(web: Web) -> Web:
    """The installation with an operator who has said who they are, and a proposal that is open for comments."""
    governing = web.service.governing
    governing.publishing.deployment(
        DeploymentStatement(
            "Harbour City", "the mayor", "mayor@example.org", "Harbour Act", frozenset({Purpose.INVESTIGATE_OFFENCE})
        ),
        by=at_the_machine(ADMINISTRATOR),
    )
    with web.service.records.reading() as reader:
        terms = stored(reader, Kind.USE, USE, UseRecord).value.use.terms
    now = web.world.clock.now
    terms = replace(
        terms,
        purpose=Purpose.FIND_MISSING_PERSON,
        search_classes=frozenset({SearchClass.MISSING_PERSON}),
        starts=now + timedelta(days=40),
        expires=now + timedelta(days=90),
    )
    governing.uses.propose(PROPOSAL, terms, by=at_the_machine(SUPERVISOR))
    web.world.entries()
    return web


def register_of(web: Web) -> Register:
    """The register as anybody builds it from the public files."""
    web.world.entries()
    recorder = web.service.recorder
    return LiveRegister(FolderSource(recorder.public), (recorder.verifier,)).register()


def newest(web: Web, kind: type[facts.Facts]) -> int:
    return max(index for index, each in enumerate(web.world.entries()) if isinstance(each, kind))


def every_path(web: Web) -> dict[str, str]:
    return {
        "front": "/",
        "agencies": "/agencies",
        "agency": f"/agencies/{AGENCY}",
        "use": f"/uses/{USE}",
        "proposal": f"/uses/{PROPOSAL}",
        "consultations": "/consultations",
        "register": "/register",
        **{f"register-{name}": f"/register/{name}" for name in ("deployment", "oversight", "use", "proof")},
        "evaluations": "/evaluations",
        "record": "/record",
        "entry": f"/record/{newest(web, facts.UseProposal)}",
        "verify": "/verify",
        "ask": "/ask",
        "ask-request": "/ask/request",
        "ask-status": "/ask/status",
    }


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_no_public_page_with_its_figures_keeps_anybody_out(
    web: Web, browsers: Browsers, scheme: Scheme, size: str
) -> None:
    """axe-core finds nothing where there are plots and proofs, and no page is wider than its screen."""
    page = browsers.open("/", viewport=DESKTOP if size == "desktop" else PHONE, scheme=scheme)
    for name, path in every_path(web).items():
        if name not in {"front", "register-use", "register-oversight", "entry"}:
            continue
        page.goto(path)
        if page.locator("[data-verifier]").count():
            page.wait_for_selector("[data-verifier][data-state=proven]")
        look(page, f"public-{name}-{size}-{scheme}")
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path


def test_every_public_page_reads_without_javascript_and_in_spanish(web: Web) -> None:
    """Each answers everybody, in their language, with nothing left in English but what is quoted."""
    with httpx.Client(base_url=web.url, headers={"Accept-Language": "es"}) as client:
        for path in [*every_path(web).values(), *(f"/register/{name}" for name in ("system", "galleries", "people"))]:
            answer = client.get(path)
            assert answer.status_code == 200, path
            assert 'lang="es"' in answer.text, path
            assert "set-cookie" not in answer.headers or "session" not in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    "path", ["/record/999999", "/record/-1", "/record/01", "/record?page=0", "/record/by-id/x", "/register/nothing"]
)
def test_what_is_not_there_is_said(web: Web, path: str) -> None:
    assert httpx.get(web.url + path).status_code == 404


def test_the_front_page_says_who_runs_it_and_who_may_search(browsers: Browsers, web: Web) -> None:
    page = browsers.open("/", javascript=False)
    expect(page.get_by_role("main")).to_contain_text("Harbour City")
    expect(page.get_by_role("main")).to_contain_text("Harbour Police: investigate an offence")
    page.get_by_role("main").get_by_role("link", name="Have your say").click()
    expect(page).to_have_url(f"{web.url}/consultations")


# The record.


def verdict(page: Page) -> str:
    """What the verifier ended with."""
    section = page.locator("[data-verifier]")
    expect(section).not_to_have_attribute("data-state", "checking")
    return section.get_attribute("data-state") or ""


def opened_entry(browsers: Browsers, index: int) -> Page:
    page = browsers.open(f"/record/{index}")
    page.wait_for_selector("[data-verifier][data-state]:not([data-state=checking])")
    return page


def test_the_browser_proves_an_entry_and_remembers_the_record(browsers: Browsers, web: Web) -> None:
    """First on its own; then, after the record has grown, as a continuation of what it saw."""
    page = opened_entry(browsers, newest(web, facts.UseProposal))
    assert verdict(page) == "proven"
    expect(page.get_by_role("status")).to_contain_text(GOOD)
    expect(page.get_by_role("status")).to_contain_text("This browser will remember it")
    before = len(web.world.entries())
    web.service.governing.uses.comment(PROPOSAL, "The record grows.")
    web.world.entries()
    page.reload()
    page.wait_for_selector("[data-verifier][data-state=proven]")
    expect(page.get_by_role("status")).to_contain_text(f"had this many entries: {before}")


@pytest.mark.parametrize(
    ("path", "change", "refusal"),
    [
        ("tile/entries/", lambda body: body.replace(b"harbour", b"harbor."), "inclusion"),
        ("tile/0/", lambda body: body[:-1] + bytes([body[-1] ^ 1]), "inclusion tile"),
        ("tile/0/", lambda body: body[:-1], "tile"),
        ("checkpoint", lambda body: body.replace(b"\n\n", b"\nmore\n\n", 1), "signature"),
    ],
    ids=["an edited entry", "an edited hash", "a cut tile", "an edited checkpoint"],
)
def test_a_reader_is_told_of_a_doctored_record(
    browsers: Browsers, web: Web, path: str, change: object, refusal: str
) -> None:
    """On the page itself, in words, and the good one isn't among them."""
    assert callable(change)
    page = browsers.open("/verify")
    page.route(
        lambda url: path in url,
        lambda route: route.fulfill(body=change(route.fetch().body())),
    )
    # The last entry needs the last hash of the last tile only as itself; so one comes after the one that is asked for.
    web.service.governing.uses.comment(PROPOSAL, "One more entry.")
    web.world.entries()
    page.goto(f"/record/{newest(web, facts.UseProposal)}")
    page.wait_for_selector("[data-verifier][data-state]:not([data-state=checking])")
    # A wrong hash contradicts the entry in a log of one tile, and the tile above it in a longer one.
    assert verdict(page) in refusal.split()
    expect(page.get_by_role("status")).not_to_contain_text(GOOD)
    expect(page.get_by_role("status")).to_contain_text("Refused")
    assert_accessible(page)


def test_a_reader_is_told_of_a_record_that_lost_entries_and_keeps_the_evidence(browsers: Browsers, web: Web) -> None:
    """What was signed before is shown, to be kept; forgetting it is the reader's own decision."""
    page = browsers.open("/verify")
    page.wait_for_selector("[data-verifier][data-state=proven]")
    older = httpx.get(f"{web.url}/ledger/checkpoint").content
    web.service.governing.uses.comment(PROPOSAL, "One more entry.")
    web.world.entries()
    page.reload()
    page.wait_for_selector("[data-verifier][data-state=proven]")
    page.route("**/ledger/checkpoint", lambda route: route.fulfill(body=older))
    page.reload()
    page.wait_for_selector("[data-verifier][data-state=rolled-back]")
    expect(page.get_by_role("status").locator("pre")).to_contain_text(web.service.recorder.verifier.name)
    assert_accessible(page)
    page.get_by_role("button", name="Forget what this browser saw before").click()
    page.wait_for_selector("[data-verifier][data-state=proven]")


def test_a_reader_may_bring_their_own_key(browsers: Browsers) -> None:
    """Another key than the log's is refused, whatever the server states."""
    page = browsers.open("/verify")
    page.wait_for_selector("[data-verifier][data-state=proven]")
    page.get_by_label("The key, as you know it from elsewhere").fill("nothing like a key")
    page.get_by_role("button", name="Check with this key").click()
    page.wait_for_selector("[data-verifier][data-state=key]")


def test_entries_lead_to_each_other(browsers: Browsers, web: Web) -> None:
    """From the newest page to an older one, to an entry, and to the entry before it; without JavaScript."""
    page = browsers.open("/record", javascript=False)
    expect(page.get_by_role("main")).to_contain_text("check it with a command")
    page.locator(".entries a").first.click()
    expect(page).to_have_url(re.compile(rf"{web.url}/record/\d+"))
    page.get_by_role("link", name="Entry before").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Entry")


def test_whoever_goes_back_through_the_record_sees_each_entry_once(web: Web) -> None:
    """From the newest page on, which is never a last one of two entries."""
    web.world.entries()
    seen: list[int] = []
    path = "/record"
    while path:
        text = httpx.get(f"{web.url}{path}").text
        shown = [int(each) for each in re.findall(r'<a href="/record/(\d+)">', text)]
        assert len(shown) >= min(A_PAGE, shown[0] + 1)
        seen += shown
        older = re.search(r'href="(/record\?page=\d+)" rel="next"', text)
        path = older[1] if older else ""
    assert seen == list(range(seen[0], -1, -1))


def test_every_kind_of_entry_has_a_sentence_in_both_languages() -> None:
    """Each names only fields that its kind has, so that no entry can fail to be told."""
    assert SENTENCES.keys() == KINDS.keys()
    for kind, sentence in SENTENCES.items():
        values = dict.fromkeys(public_types(KINDS[kind]), "x")
        for language in Language:
            assert wording(language).gettext(sentence) % values


def test_an_entry_that_cannot_be_read_is_shown_all_the_same() -> None:
    """Of newer software, or damaged: its bytes stand there for whoever can read them."""
    shown = told(7, b'{"kind":"from the future"}', wording(Language.ENGLISH))
    assert (shown.kind, shown.text) == ("", '{"kind":"from the future"}')


# Comments.


def test_anybody_comments_on_a_proposal_without_javascript(browsers: Browsers, web: Web) -> None:
    """It is published at once, and its entry is on the record."""
    page = browsers.open("/consultations", javascript=False)
    expect(page.get_by_role("main")).to_contain_text("Harbour Police")
    page.get_by_role("link", name=re.compile(PROPOSAL)).click()
    words = f"Publish the error rates first. {uuid.uuid4()}"
    page.get_by_label("Your comment").fill(words)
    page.get_by_role("button", name="Publish my comment").click()
    expect(page.get_by_role("alert")).to_contain_text("only be published if you agree")
    page.get_by_label("I agree that this is published for good").check()
    page.get_by_role("button", name="Publish my comment").click()
    expect(page.get_by_role("status")).to_contain_text("Your comment is published")
    expect(page.get_by_text(words)).to_be_visible()
    assert any(isinstance(each, facts.Comment) and each.statement == words for each in web.world.entries())


def test_a_hostile_comment_is_only_text(browsers: Browsers, web: Web) -> None:
    """Neither a script nor a letter that turns the line round does anything; the record has it as it was written."""
    web.service.governing.uses.comment(PROPOSAL, HOSTILE)
    web.world.entries()
    page = browsers.open(f"/uses/{PROPOSAL}")
    expect(page).to_have_title(re.compile(PROPOSAL))
    expect(page.get_by_text("<script>document.title='taken'</script> [U+202E]esrever").first).to_be_visible()
    entry = opened_entry(browsers, newest(web, facts.Comment))
    assert verdict(entry) == "proven"
    expect(entry).to_have_title(re.compile("^Entry"))


def test_an_abusive_comment_is_hidden_with_a_reason_and_stays_on_the_record(browsers: Browsers, web: Web) -> None:
    """An overseer does it on the page; everybody sees the reason; the entry is still there, and it can be undone."""
    words = f"My neighbour is a thief. {uuid.uuid4()}"
    web.service.governing.uses.comment(PROPOSAL, words)
    entry = web.service.governing.uses.get(PROPOSAL).comments[-1].entry
    page = browsers.open(f"/uses/{PROPOSAL}/comments/{entry}", as_=OVERSEERS[0])
    assert_accessible(page)
    page.get_by_label("Reason").fill("It names somebody who has no part in this.")
    page.get_by_role("button", name="Hide it").click()

    public = browsers.open(f"/uses/{PROPOSAL}", javascript=False)
    expect(public.get_by_text(words)).to_have_count(0)
    expect(public.get_by_text("It names somebody who has no part in this.")).to_be_visible()
    row = next(each for each in register_of(web).oversight.comments if each.entry == entry)
    assert (row.statement, row.hidden) == ("", "It names somebody who has no part in this.")
    assert httpx.get(f"{web.url}/record/by-id/{entry}", follow_redirects=True).text.count(words) > 0
    assert words not in httpx.get(f"{web.url}/api/v1/uses/{PROPOSAL}").text

    page.goto(f"/uses/{PROPOSAL}/comments/{entry}")
    page.get_by_label("Reason").fill("The neighbour agrees.")
    page.get_by_role("button", name="Show it again").click()
    expect(page.get_by_text(words)).to_be_visible()


def test_nobody_but_an_overseer_hides_a_comment(browsers: Browsers, web: Web) -> None:
    """Least of all the agency that asks for the use."""
    web.service.governing.uses.comment(PROPOSAL, "We don't want this.")
    entry = EntryId(web.service.governing.uses.get(PROPOSAL).comments[-1].entry)
    page = browsers.open(f"/uses/{PROPOSAL}/comments/{entry}", as_=SUPERVISOR)
    expect(page.get_by_role("heading", level=1)).to_contain_text("This isn't allowed")


def test_comments_come_at_a_pace(web: Web) -> None:
    """A few at once, then one now and then; other networks aren't kept waiting by it."""
    clock = web.world.clock
    pace = Pace(Allowance(2, timedelta(minutes=10)), Allowance(100, timedelta(seconds=1)), clock=clock)
    began = clock.now
    try:
        pace.take("192.0.2.1")
        pace.take("192.0.2.1")
        for _ in range(2):
            with pytest.raises(Exception, match="too many attempts"):
                pace.take("192.0.2.1")
        pace.take("198.51.100.1")
        clock.now += timedelta(minutes=10)
        pace.take("192.0.2.1")
        with pytest.raises(Exception, match="too many attempts"):
            pace.take("192.0.2.1")
    finally:
        clock.now = began


def test_all_networks_together_have_a_pace_too(web: Web) -> None:
    """A thousand machines in a thousand networks can't fill the record either."""
    pace = Pace(Allowance(5, timedelta(minutes=1)), Allowance(10, timedelta(minutes=1)), clock=web.world.clock)
    for number in range(10):
        pace.take(f"192.0.2.{number}")
    with pytest.raises(Exception, match="too many attempts"):
        pace.take("192.0.2.200")


# Asking about oneself.


def ask(page: Page, *, photograph: bytes | None = None) -> tuple[str, str]:
    """Make a request on its page; gives its reference and its code."""
    page.goto("/ask/request")
    page.get_by_label("Am I in it?").check()
    page.get_by_label("Your name").fill("A. Person")
    page.get_by_label("How can the desk reach you?").fill("a@example.org")
    if photograph is not None:
        page.get_by_label("A photograph of yourself").set_input_files(
            {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": photograph}
        )
    page.get_by_role("button", name="Send my request").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your request has come in")
    return page.locator("dd code").first.inner_text(), page.locator(".code-word").inner_text()


def test_somebody_asks_whether_they_are_in_it_without_javascript(browsers: Browsers, web: Web) -> None:
    """They get a reference, a date and a code; the desk gets the request; nothing says whether anything is held."""
    page = browsers.open("/ask", javascript=False)
    reference, code = ask(page, photograph=b"\xff\xd8\xff\xe0 a photograph")
    look(page, "public-asked")
    text = page.content()
    by = at_the_machine(DESK_OFFICER)
    assert "A. Person" in web.service.desk.file(reference, by=by).asker
    assert web.service.desk.photograph(reference, by=by) == b"\xff\xd8\xff\xe0 a photograph"
    assert "enrolled" not in text
    page.goto("/ask/status")
    page.get_by_label("Reference").fill(reference)
    page.get_by_label("Secret code").fill(code.lower())
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("It has come in. An officer will look at it.")).to_be_visible()
    page.get_by_role("button", name="Take my request back").click()
    expect(page.get_by_text("You took it back.")).to_be_visible()
    assert web.service.desk.photograph(reference, by=by) is None


def test_an_answer_is_not_shown_and_can_be_appealed(browsers: Browsers, web: Web) -> None:
    """Whoever has the code may not be whom the desk found to be asking, so the answer goes elsewhere."""
    page = browsers.open("/ask")
    reference, code = ask(page)
    by = at_the_machine(DESK_OFFICER)
    web.service.desk.step(reference, RequestEvent.VERIFY, by=by)
    web.service.desk.step(reference, RequestEvent.ANSWER, answer="You are enrolled in arrests.", by=by)
    page.goto("/ask/status")
    page.get_by_label("Reference").fill(reference)
    page.get_by_label("Secret code").fill(code)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("It was answered.")).to_be_visible()
    assert "You are enrolled in arrests" not in page.content()
    assert_accessible(page)
    look(page, "public-request")
    page.get_by_role("button", name="Appeal").click()
    expect(page.get_by_text("You appealed.")).to_be_visible()


def test_a_wrong_code_and_an_unknown_reference_are_answered_alike(browsers: Browsers) -> None:
    page = browsers.open("/ask")
    reference, _ = ask(page)
    said = []
    for wrong in (reference, str(uuid.uuid4())):
        page.goto("/ask/status")
        page.get_by_label("Reference").fill(wrong)
        page.get_by_label("Secret code").fill("AAAA-AAAA-AAAA-AAAA-AAAA-AAAA")
        page.get_by_role("button", name="Show").click()
        said.append(page.get_by_role("alert").inner_text())
    assert said[0] == said[1]
    assert "There is no request with this reference and this code." in said[0]


def test_a_file_that_is_no_photograph_is_refused_at_its_field(browsers: Browsers) -> None:
    """Whatever its name says."""
    page = browsers.open("/ask/request")
    page.get_by_label("Am I in it?").check()
    page.get_by_label("Your name").fill("A. Person")
    page.get_by_label("How can the desk reach you?").fill("a@example.org")
    page.get_by_label("A photograph of yourself").set_input_files(
        {
            "name": "me.jpg",
            "mimeType": "image/jpeg",
            "buffer": b"<svg onload='alert(1)' xmlns='http://www.w3.org/2000/svg'/>",
        }
    )
    page.get_by_role("button", name="Send my request").click()
    expect(page.get_by_role("alert")).to_contain_text("no photograph that can be read")
    assert_accessible(page)
