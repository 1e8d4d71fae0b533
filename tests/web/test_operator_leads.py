"""Leads and the record of a case on the pages: the stamp, the lock, the sheet, the bundle."""

import hashlib
import re
import threading

import pytest
from PIL import Image

from recognizance.app import http_app
from recognizance.disclosing.bundle import verify_bundle
from recognizance.governance.leads import LeadId
from recognizance.governance.parties import Person, Role
from recognizance.governance.review import LEAD_STAMP, Outcome
from recognizance.web.operator_shelf import Shelf

from ..conftest import jpeg
from ..review_world import AGENCY, CASE, FIRST, SEARCHER, SECOND, SUPERVISOR, person_id
from .client import Client
from .operator_world import begin, client_of, enrolled, leads_of, own_use, post, reviewed_search, token_in
from .world import AUDITOR, Web

NAME = "astronaut-file-17"
STRANGER = person_id("operator who didn't search")
DOCUMENT = b"statement of a witness, page 1"


@pytest.fixture(scope="module")
def app(web: Web) -> object:
    own_use(web)
    return http_app(web.service)


@pytest.fixture
def searcher(web: Web, app: object) -> Client:
    return client_of(web, app, SEARCHER)


@pytest.fixture
def supervisor(web: Web, app: object) -> Client:
    return client_of(web, app, SUPERVISOR)


@pytest.fixture
def lead(web: Web, searcher: Client, collins: Image.Image) -> LeadId:
    """A candidate that two reviewers confirmed."""
    enrolled(web, NAME, collins)
    _, review = reviewed_search(web, searcher, collins)
    for person in (FIRST, SECOND):
        web.world.answer(review, person, Outcome.SAME_PERSON)
    [made] = leads_of(web, review)
    return made


def attest(client: Client, lead: LeadId, **changed: object) -> object:
    fields = {"kind": "document", "description": "a rental contract", "independent": "yes", **changed}
    files = {"document": ("contract.html", DOCUMENT, "text/html")}
    return post(client, f"/leads/{lead}/attest", data=fields, files=files)


def test_a_search_that_is_sent_twice_is_one_search(web: Web, searcher: Client, hopper: Image.Image) -> None:
    """Sent again, or gone back to, it leads to the same result."""
    draft = begin(searcher, jpeg(hopper, 77)).headers["location"]
    form = {"csrf": token_in(searcher.get(draft)), "face": "0"}
    first = searcher.post(f"{draft}/search", data=form).headers["location"]
    made = len(web.world.entries())
    again, back = searcher.post(f"{draft}/search", data=form), searcher.get(draft)

    assert [each.headers["location"] for each in (again, back)] == [first, first]
    assert len(web.world.entries()) == made


def test_whoever_asks_for_the_same_waits_and_finds_what_was_made_of_it() -> None:
    """Two windows, or an impatient finger, can't search with one photograph at once; and it is forgotten in time."""
    at = [0.0]
    shelf: Shelf[str] = Shelf(clock=lambda: at[0], new_token=lambda: "a", kept_s=10)
    token = shelf.put(FIRST, "photograph", size_bytes=1)
    waited = threading.Event()

    def second() -> None:
        with shelf.alone(FIRST, token):
            waited.set()

    other = threading.Thread(target=second)
    with shelf.alone(FIRST, token):
        other.start()
        assert not waited.wait(0.1)
        shelf.drop(FIRST, token, to="/searches/7")
    other.join(timeout=5)
    assert waited.is_set()
    assert [shelf.gone_to(each, token) for each in (FIRST, SECOND)] == ["/searches/7", ""]
    at[0] = 11
    assert shelf.gone_to(FIRST, token) == ""


def test_a_lead_carries_its_stamp_and_is_locked(searcher: Client, supervisor: Client, lead: LeadId) -> None:
    """For whoever searched, and for a supervisor; in the list, on its page, in every language."""
    assert f"/leads/{lead}" in searcher.get("/leads").text
    page = searcher.get(f"/leads/{lead}")
    assert LEAD_STAMP in page.text.lower()
    assert NAME in page.text
    assert "can&#39;t be exported yet" in page.text or "can't be exported yet" in page.text
    spanish = searcher.get(f"/leads/{lead}", headers={"accept-language": "es"})
    assert LEAD_STAMP in spanish.text
    assert post(searcher, f"/leads/{lead}/export", page="/searches").status_code == 403
    assert post(supervisor, f"/leads/{lead}/export", page="/leads").status_code == 409
    assert "Attest independent evidence" in supervisor.get(f"/leads/{lead}").text
    assert searcher.get(f"/leads/{lead}/attest").status_code == 403


def test_evidence_unlocks_the_sheet(web: Web, searcher: Client, supervisor: Client, lead: LeadId) -> None:
    """The document itself is hashed and not kept; the export is on record, and its sheet has both pictures."""
    answer = attest(supervisor, lead)
    assert answer.status_code == 303  # type: ignore[attr-defined]  # a response
    assert "A supervisor of your agency can export it." in searcher.get(f"/leads/{lead}").text
    page = supervisor.get(f"/leads/{lead}").text
    assert hashlib.sha256(DOCUMENT).hexdigest() in page
    before = [entry.kind for entry in web.world.entries()].count("lead")
    sheet_path = post(supervisor, f"/leads/{lead}/export", page=f"/leads/{lead}").headers["location"]
    assert [entry.kind for entry in web.world.entries()].count("lead") == before + 1
    sheet = supervisor.get(sheet_path)
    assert sheet.text.lower().count(LEAD_STAMP) == 2
    pictures = re.findall(rf'<img src="({sheet_path}/\w+)"', sheet.text)
    assert len(pictures) == 2
    for path in pictures:
        assert supervisor.get(path).headers["content-type"] == "image/png"
        assert searcher.get(path).status_code == 404
    assert searcher.get(sheet_path).status_code == 404
    assert supervisor.get(f"{sheet_path}/anything").status_code == 404


@pytest.mark.parametrize(
    "changed",
    [{"kind": "a hunch"}, {"description": " "}, {"independent": ""}],
    ids=["kind", "description", "word"],
)
def test_an_attestation_has_to_be_whole(supervisor: Client, lead: LeadId, changed: dict[str, object]) -> None:
    fields = {"kind": "document", "description": "a rental contract", "independent": "yes", **changed}
    if not fields["independent"]:
        del fields["independent"]
    answer = post(supervisor, f"/leads/{lead}/attest", data={**fields, "digest": "0" * 64})
    assert answer.status_code == 422
    assert post(supervisor, f"/leads/{lead}/export", page="/case-record").status_code == 409


def test_what_became_of_a_lead_is_said_on_its_page(searcher: Client, supervisor: Client, lead: LeadId) -> None:
    """By a supervisor, of what is possible now; it is shown to both, and no export follows a false lead."""
    page = f"/leads/{lead}/outcome"
    assert searcher.get(page).status_code == 403
    assert page not in searcher.get(f"/leads/{lead}").text
    assert page in supervisor.get(f"/leads/{lead}").text
    locked = supervisor.get(page).text
    assert [kind for kind in ("acted_on", "arrest", "not_used", "false") if f'value="{kind}"' in locked] == [
        "not_used",
        "false",
    ]
    assert post(supervisor, page, data={"kind": "false", "statement": " "}).status_code == 422
    assert post(supervisor, page, data={"kind": "a hunch", "statement": "x"}).status_code == 422
    assert post(supervisor, page, data={"kind": "acted_on", "statement": "x"}).status_code == 409
    answer = post(supervisor, page, data={"kind": "false", "statement": "he was abroad"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/leads/{lead}")
    for reader in (searcher, supervisor):
        shown = reader.get(f"/leads/{lead}").text
        assert "he was abroad" in shown
        assert "It was somebody else" in shown
        assert NAME not in shown
        assert f"/leads/{lead}/export" not in shown
    assert "Everything that can be said of it is on record." in supervisor.get(page).text


@pytest.mark.parametrize("digest", ["", "xyz", "0" * 63])
def test_an_attestation_names_its_document(supervisor: Client, lead: LeadId, digest: str) -> None:
    fields = {"kind": "document", "description": "a rental contract", "independent": "yes", "digest": digest}
    assert post(supervisor, f"/leads/{lead}/attest", data=fields).status_code == 422


def test_a_lead_is_nobody_elses(web: Web, app: object, lead: LeadId) -> None:
    web.world.add_person(Person(STRANGER, AGENCY, frozenset({Role.OPERATOR})))
    stranger = client_of(web, app, STRANGER)
    assert str(lead) not in stranger.get("/leads").text
    assert stranger.get(f"/leads/{lead}").status_code == 404
    assert post(stranger, f"/leads/{lead}/export", page="/searches").status_code in {403, 404}


def test_the_record_of_a_case_proves_itself(web: Web, supervisor: Client, lead: LeadId) -> None:
    """What is downloaded is verified from its bytes alone."""
    fields = {"case": CASE, "recipient_kind": "defence", "recipient": "the public defender"}
    answer = post(supervisor, "/case-record", data=fields)
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == f'attachment; filename="{CASE}.zip"'
    checked = verify_bundle(answer.content, log_keys=(web.service.recorder.verifier,))
    assert checked.case == CASE


def test_a_case_that_isnt_there_says_so(supervisor: Client) -> None:
    fields = {"case": "no such case", "recipient_kind": "defence", "recipient": "the public defender"}
    answer = post(supervisor, "/case-record", data=fields)
    assert answer.status_code == 422
    assert "Nothing is on record about a case of this name." in answer.text


def test_the_record_of_a_case_is_for_supervisors_and_auditors(web: Web, app: object, searcher: Client) -> None:
    assert searcher.get("/case-record").status_code == 403
    assert client_of(web, app, AUDITOR).get("/case-record").status_code == 200
