"""The HTTP side: ways to sign in, problems, limits, retries, pages, and receipts."""

import base64
import json
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from recognizance.api import PREFIX
from recognizance.api.routes import MAX_JSON_BYTES
from recognizance.app import Service, http_app
from recognizance.governance import Grounds, Role
from recognizance.governance.parties import UseId
from recognizance.governing.access import IssuedKey
from recognizance.governing.registration import at_the_machine
from recognizance.identifiers import AccessKeyId, PrincipalId
from recognizance.ledger import Entry, FolderSource, facts, read_checkpoint
from recognizance.ledger.sources import read_entries

from ..review_world import USE
from .client import Client, basic, signed
from .world import ApiWorld

WHOAMI = f"{PREFIX}/whoami"


def test_a_signature_proves_who_asks(api: ApiWorld) -> None:
    """Signature Version 4 for the service `recognizance`, as botocore makes it, also over a body and a query."""
    key = api.keys["administrator"]
    who = api.client.raw("GET", WHOAMI, headers=signed("GET", WHOAMI, key))
    url, content = f"{PREFIX}/people", b'{"name":"Signed For","roles":["auditor"]}'
    headers = signed("POST", url, key, content=content, headers={"Content-Type": "application/json"})
    added = api.client.raw("POST", url, content=content, headers=headers)
    listed = api.client.raw("GET", f"{url}?page_size=1", headers=signed("GET", f"{url}?page_size=1", key))

    assert (who.status_code, who.json()["roles"]) == (200, ["administrator"])
    assert added.status_code == 201
    assert len(listed.json()["people"]) == 1


@pytest.mark.parametrize("service", ["rekognition", "sts"])
def test_a_signature_for_another_service_proves_nothing(api: ApiWorld, service: str) -> None:
    """What was signed for Rekognition can't be sent here."""
    answer = api.client.raw("GET", WHOAMI, headers=signed("GET", WHOAMI, api.keys["first"], service=service))

    assert answer.status_code == 401


def test_a_changed_body_is_refused(api: ApiWorld) -> None:
    """A signature is over the body, too."""
    url = f"{PREFIX}/people"
    headers = signed(
        "POST", url, api.keys["administrator"], content=b"{}", headers={"Content-Type": "application/json"}
    )
    answer = api.client.raw("POST", url, content=b'{"name":"Eve","roles":["administrator"]}', headers=headers)

    assert answer.status_code == 401


def test_a_session_is_its_person_under_one_use(api: ApiWorld) -> None:
    """Credentials of `AssumeRole` sign here as well, and what needs a person's own key is refused to them."""
    key = api.keys["second"]
    issued = api.world.service.governing.tokens.issue(
        issued_by=AccessKeyId(key.id),
        use=UseId(USE),
        name="case-7",
        grounds=Grounds("case-7"),
        lasts=timedelta(hours=1),
    )
    pair = IssuedKey(issued.session.key_id, issued.secret)
    who = api.client.raw("GET", WHOAMI, headers=signed("GET", WHOAMI, pair, token=issued.token)).json()
    url = f"{PREFIX}/reviews/{api.under_review()}/claim"
    claim = api.client.raw("POST", url, headers=signed("POST", url, pair, token=issued.token))

    assert (who["credential"], who["use"], who["session"], who["case"]) == ("session", USE, "case-7", "case-7")
    assert claim.status_code == 403


def test_a_key_bound_to_another_use_reviews_nothing(api: ApiWorld) -> None:
    """A key that works for one use is no key for reviews of another."""
    registration = api.world.service.governing.registration
    who = api.client.done("show_who", api.keys["second"])["principal"]
    bound = registration.issue_key(PrincipalId(who), use=UseId("another-use"), by=at_the_machine())

    assert api.client.ask("claim_review", bound, path={"review": api.under_review()}).status_code == 403


@pytest.mark.parametrize(
    "credentials",
    [
        "Basic !!!",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b"RCGZAAAAAAAAAAAAAAAA:secret").decode(),
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "Bearer abc",
        "AWS4-HMAC-SHA256 nonsense",
    ],
)
def test_credentials_that_prove_nothing_are_refused(api: ApiWorld, credentials: str) -> None:
    """Also where nobody would have to sign in: a mistake is told and not passed over."""
    for name in ("show_who", "show_health"):
        answer = api.client.ask(name, headers={"authorization": credentials})
        assert (answer.status_code, answer.json()["type"]) == (401, "/api/v1/problems/authentication")


def test_a_wrong_secret_and_a_wrong_id_are_told_alike(api: ApiWorld) -> None:
    """Whoever tries ids out learns nothing."""
    wrong = replace(api.keys["first"], secret="x" * 40)
    answers = [
        api.client.ask("show_who", key).json()
        for key in (wrong, IssuedKey(AccessKeyId("RCGZAAAAAAAAAAAAAAAA"), "x" * 40))
    ]

    assert answers[0]["detail"] == answers[1]["detail"]


def test_a_secret_is_not_taken_over_the_open_network(api: ApiWorld) -> None:
    """HTTP Basic from elsewhere without TLS is refused; a signature is not."""
    far = Client(api.client.app, address="192.0.2.7")
    try:
        by_key = far.ask("show_who", api.keys["first"])
        by_signature = far.raw("GET", WHOAMI, headers=signed("GET", WHOAMI, api.keys["first"]))
    finally:
        far.close()

    assert (by_key.status_code, by_signature.status_code) == (401, 200)


def test_another_site_cannot_use_somebodys_credentials(api: ApiWorld) -> None:
    """A browser says when a page of elsewhere made it send a request."""
    path = {"review": api.under_review()}
    refused = api.client.ask("claim_review", api.keys["first"], path=path, headers={"sec-fetch-site": "cross-site"})
    taken = api.client.ask("claim_review", api.keys["first"], path=path, headers={"sec-fetch-site": "same-origin"})

    assert (refused.status_code, taken.status_code) == (403, 204)


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/nothing", 404, "not-found"),
        ("GET", "/uses/%FF", 404, "not-found"),
        ("GET", "/uses/", 404, "not-found"),
        ("PATCH", "/agencies", 405, "method"),
        ("DELETE", "/agencies", 405, "method"),
        ("GET", "/agencies?page_size=0", 422, "form"),
        ("GET", "/agencies?page_size=1&page_size=2", 422, "input"),
        ("GET", "/agencies?colour=red", 422, "form"),
        ("GET", "/agencies?page_token=rubbish", 422, "input"),
        ("GET", "/agencies?%", 422, "input"),
    ],
)
def test_what_cannot_be_asked_is_a_problem(api: ApiWorld, method: str, path: str, status: int, kind: str) -> None:
    """Whatever is wrong with a request, the answer is problem details."""
    answer = api.client.raw(method, PREFIX + path)

    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["type"]) == (status, f"{PREFIX}/problems/{kind}")
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert (status == 405) == (answer.headers.get("allow") == "GET, POST")


BODIES: list[tuple[bytes, str, int, str]] = [
    (b"{", "application/json", 422, "body"),
    (b"[]", "application/json", 422, "body"),
    (b"{}", "text/plain", 415, ""),
    (b'{"name":"x","roles":["king"]}', "application/json", 422, "body.roles.0"),
    (b'{"name":5,"roles":["auditor"]}', "application/json", 422, "body.name"),
    (b'{"name":"x","roles":["auditor"],"rank":1}', "application/json", 422, "body.rank"),
    (b'{"name":"x"}', "application/json; charset=utf-8", 422, "body.roles"),
    (b'{"name":"' + b"x" * MAX_JSON_BYTES + b'"}', "application/json", 413, ""),
]


@pytest.mark.parametrize(("content", "media_type", "status", "place"), BODIES, ids=range(len(BODIES)))
def test_a_body_is_read_strictly(api: ApiWorld, content: bytes, media_type: str, status: int, place: str) -> None:
    """A refusal names the field and never repeats what was sent."""
    headers = basic(api.keys["administrator"]) | {"content-type": media_type}
    answer = api.client.raw("POST", f"{PREFIX}/people", content=content, headers=headers)

    assert answer.status_code == status
    assert ([each["field"] for each in answer.json()["fields"]] or [""])[0] == place
    assert "king" not in answer.text


def test_terms_are_read_as_strictly_as_the_rest(api: ApiWorld) -> None:
    """A field that isn't known, a moment without its zone and dates the wrong way round are refused in terms, too."""
    terms, key = api.terms(), api.keys["supervisor"]
    wrong: list[dict[str, Any]] = [
        terms | {"colour": "red"},
        terms | {"starts": "2026-01-01T00:00:00"},
        terms | {"review_required": "yes"},
        terms | {"expires": terms["starts"]},
        terms | {"limits": terms["limits"] | {"threshold_floor_pct": "99"}},
    ]
    for each in wrong:
        assert api.client.ask("propose_use", key, body={"use": "strict", "terms": each}).status_code == 422
    assert api.client.ask("show_use", path={"use": "strict"}).status_code == 404


def test_what_takes_no_body_gets_none(api: ApiWorld) -> None:
    """A body that nobody reads is a misunderstanding."""
    answer = api.client.raw("GET", WHOAMI, content=b"{}", headers=basic(api.keys["first"]))

    assert answer.status_code == 422


def test_head_is_get(api: ApiWorld) -> None:
    """RFC 9110: whatever can be got can be asked about."""
    assert api.client.raw("HEAD", f"{PREFIX}/health").status_code == 200
    assert api.client.raw("HEAD", f"{PREFIX}/sweeps").status_code == 405


def test_a_path_may_name_what_has_a_slash(api: ApiWorld) -> None:
    """An encoded slash belongs to the name."""
    answer = api.client.ask("show_use", path={"use": "a/b ü"})

    assert "'a/b ü'" in answer.json()["detail"]


def test_a_refusal_says_what_is_missing_and_is_on_the_record(api: ApiWorld) -> None:
    """Which decision, what is missing, who can grant it; and the ledger's entry with its receipt in the headers."""
    answer = api.client.ask("list_people", api.keys["first"])
    problem = answer.json()
    index = int(answer.headers["x-recognizance-entry"])

    assert (problem["status"], problem["title"]) == (403, "Policy refuses")
    assert problem["missing"] == [{"what": "the role administrator", "ask": "an administrator, who assigns roles"}]
    assert problem["who_can_grant"] == ["an administrator, who assigns roles"]
    said = _entry(api, index)
    assert isinstance(said, facts.Refusal)
    assert said.decision == problem["decision_id"]
    assert base64.b64decode(answer.headers["x-recognizance-receipt"]).startswith(b"c2sp.org/tlog-proof@v1\n")


def test_a_step_of_the_state_table_that_is_not_there_is_a_conflict(api: ApiWorld) -> None:
    """What the state doesn't allow is told apart from what policy refuses."""
    ballot = {"choice": "approve", "reasons": "too early"}
    answer = api.client.ask("vote_on_use", api.keys["overseer1"], path={"use": api.propose()}, body=ballot)

    assert (answer.status_code, answer.json()["type"]) == (409, f"{PREFIX}/problems/conflict")


def test_a_retry_with_the_same_key_does_nothing_twice(api: ApiWorld) -> None:
    """The second answer is the first, headers included; another request with that key is refused."""
    key, name = api.keys["administrator"], f"retry-{next(api.numbers)}"
    body = {"name": "Only Once", "roles": ["auditor"]}
    first, second = (api.client.ask("add_person", key, body=body, headers={"idempotency-key": name}) for _ in range(2))
    other = api.client.ask("add_person", key, body=body | {"name": "Else"}, headers={"idempotency-key": name})
    somebodys = api.client.ask("add_person", api.keys["first"], body=body, headers={"idempotency-key": name})

    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert first.headers["x-recognizance-entry"] == second.headers["x-recognizance-entry"]
    assert (other.status_code, somebodys.status_code) == (409, 403)


def test_a_secret_is_told_once_even_to_a_retry(api: ApiWorld) -> None:
    """The retry is told that it was done, and under which entry."""
    body = {"owner": api.client.done("show_who", api.keys["first"])["principal"]}
    headers = {"idempotency-key": f"secret-{next(api.numbers)}"}
    first, second = (api.client.ask("issue_key", api.keys["administrator"], body=body, headers=headers) for _ in "12")

    assert (first.status_code, second.status_code) == (201, 409)
    assert first.headers["x-recognizance-entry"] == second.headers["x-recognizance-entry"]
    assert first.json()["secret_access_key"] not in second.text


def test_a_refused_attempt_gives_its_key_back(api: ApiWorld) -> None:
    """A corrected request may come with the same key."""
    headers, key = {"idempotency-key": f"refused-{next(api.numbers)}"}, api.keys["administrator"]
    wrong = {"name": "Nobody's", "agency": "no such agency", "roles": ["operator"]}
    right = {"name": "Somebody's", "roles": ["auditor"]}

    assert api.client.ask("add_person", key, body=wrong, headers=headers).status_code == 422
    assert api.client.ask("add_person", key, body=right, headers=headers).status_code == 201


def test_what_may_be_repeated_takes_no_key(api: ApiWorld) -> None:
    """A key that would not be heeded is refused, so that nobody relies on it."""
    answer = api.client.ask("show_who", api.keys["first"], headers={"idempotency-key": "k"})

    assert answer.status_code == 422


def test_pages_follow_each_other_without_gaps(api: ApiWorld) -> None:
    """Page by page, a list is what it is at once; a token is good for its own list only."""
    for _ in range(3):
        api.propose()
    whole = [each["use"] for each in api.client.done("list_uses", query={"page_size": "200"})["uses"]]
    names: list[str] = []
    query = {"page_size": "2"}
    while True:
        page = api.client.done("list_uses", query=query)
        names += [each["use"] for each in page["uses"]]
        if page["next_page"] is None:
            break
        query["page_token"] = page["next_page"]
    first = api.client.done("list_uses", query={"page_size": "1"})["next_page"]

    assert names == whole
    assert all(one < other for one, other in pairwise(names))
    assert api.client.ask("list_agencies", query={"page_token": first}).status_code == 422


def test_the_public_may_read_from_anywhere_and_nobody_keeps_the_rest(api: ApiWorld) -> None:
    """What is public is open to other sites' scripts; what isn't is neither open nor stored."""
    public = api.client.ask("list_uses")
    private = api.client.ask("show_who", api.keys["first"])

    assert (public.headers["access-control-allow-origin"], public.headers["cache-control"]) == ("*", "no-cache")
    assert "access-control-allow-origin" not in private.headers
    assert private.headers["cache-control"] == "no-store"


def test_rekognition_answers_beside_it(api: ApiWorld) -> None:
    """The API takes nothing away from what is served at `/`."""
    content = json.dumps({}).encode()
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "RekognitionService.ListCollections"}
    answer = api.client.raw(
        "POST",
        "/",
        content=content,
        headers=signed("POST", "/", api.keys["supervisor"], content=content, headers=headers, service="rekognition"),
    )

    assert (answer.status_code, answer.json()["CollectionIds"]) == (200, ["arrests"])


def test_a_private_installation_answers_its_owner(service: Service) -> None:
    """One person at home signs in with the key that the first start drew, and needs no agencies."""
    key, client = service.keys.create(), Client(http_app(service))
    try:
        who = client.done("show_who", key)
        agency = {"agency": "x", "kind": "private", "name": "x", "accountable_person": "x", "contact": "x"}
        refused = client.ask("add_agency", key, body=agency)
        taken = client.done("open_request", key, body={"kind": "access", "asker": "a neighbour"})
    finally:
        client.close()

    # Overseers belong to nobody they oversee, and a tester has no other role.
    assert set(who["roles"]) == {role.value for role in Role} - {"overseer", "tester"}
    assert refused.status_code == 422
    assert taken["state"] == "received"


def _entry(api: ApiWorld, index: int) -> facts.Facts:
    api.world.entries()
    recorder = api.world.service.recorder
    source = FolderSource(recorder.public)
    size = read_checkpoint(source, (recorder.verifier,)).checkpoint.size
    [data] = read_entries(source, range(index, index + 1), size)
    return Entry.parse(data).facts
