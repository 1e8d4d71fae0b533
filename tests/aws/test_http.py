"""The HTTP side: limits, routes, and that nothing is answered to a stranger."""

import json
import logging
from datetime import UTC, datetime, timedelta

import pytest

from recognizance.aws import http
from recognizance.aws.dispatch import Call
from recognizance.aws.shapes import Answer, Members

from .wire import client_of, signed_headers


def list_collections(_: Members, call: Call) -> dict[str, Answer]:
    return {"CollectionIds": [call.principal.id]}


HANDLERS = {"ListCollections": list_collections}


def test_a_signed_request_is_answered() -> None:
    """With the principal of its key, and the id of the request in a header."""
    client = client_of(HANDLERS)
    response = client.post("/", content=b"{}", headers=signed_headers("ListCollections", b"{}"))
    assert response.json() == {"CollectionIds": ["tester"]}
    assert response.headers["x-amzn-requestid"] == "request"
    assert response.headers["content-type"] == "application/x-amz-json-1.1"


def test_an_unsigned_request_is_not_even_parsed() -> None:
    """Its body would be refused for itself; the missing signature comes first."""
    client = client_of(HANDLERS)
    response = client.post("/", content=b"not json", headers={"X-Amz-Target": "RekognitionService.ListCollections"})
    assert response.status_code == 400
    assert response.json()["__type"] == "MissingAuthenticationTokenException"


def test_a_body_other_than_the_signed_one_is_refused() -> None:
    """As is one that grew on the way."""
    client = client_of(HANDLERS)
    response = client.post("/", content=b"{} ", headers=signed_headers("ListCollections", b"{}"))
    assert response.json()["__type"] == "InvalidSignatureException"


def test_an_overheard_request_cannot_be_sent_again() -> None:
    """At once it may be the client repeating itself; a minute later it isn't, though its signature still verifies."""
    moments = [datetime.now(UTC)]
    headers = signed_headers("ListCollections", b"{}")
    client = client_of(HANDLERS, clock=lambda: moments[-1])
    first = client.post("/", content=b"{}", headers=headers)
    repeated = client.post("/", content=b"{}", headers=headers)
    moments.append(moments[0] + timedelta(minutes=1))
    replayed = client.post("/", content=b"{}", headers=headers)
    assert (first.status_code, repeated.status_code) == (200, 200)
    assert replayed.json()["__type"] == "InvalidSignatureException"


@pytest.mark.parametrize(("address", "status"), [("127.0.0.1", 200), ("::1", 200), ("192.0.2.7", 400)])
def test_an_unsigned_body_is_accepted_from_this_machine_alone(address: str, status: int) -> None:
    """Over a network without TLS somebody could put another body in its place."""
    headers = signed_headers("ListCollections", b"{}", **{"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
    client = client_of(HANDLERS, address=address)
    assert client.post("/", content=b"{}", headers=headers).status_code == status


def test_a_body_beyond_the_limit_is_refused_unread() -> None:
    """By its announced length, and by what comes if none is announced."""
    body = b" " * (http.MAX_BODY_BYTES + 1)
    client = client_of(HANDLERS)
    announced = client.post("/", content=body)
    unannounced = client.post("/", content=[body[:-1], b"  "])
    for response in (announced, unannounced):
        assert response.status_code == 413
        assert response.json()["__type"] == "RequestEntityTooLargeException"


def test_two_images_of_five_megabytes_fit() -> None:
    """What CompareFaces may carry stays below the limit."""
    assert http.MAX_BODY_BYTES > 2 * 6_990_508 + 1_000


@pytest.mark.parametrize(("length", "status"), [("9" * 5_000, 413), ("99999999999", 413), ("²", 400), ("some", 400)])
def test_an_odd_length_does_no_harm(length: str, status: int) -> None:
    """However it is written; what counts in the end is what comes."""
    assert (
        client_of(HANDLERS).request("POST", "/", content=[b"{}"], headers={"content-length": length}).status_code
        == status
    )


def test_what_is_far_too_large_is_not_even_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a point the answer is given while the client still sends."""
    monkeypatch.setattr(http, "MAX_DRAINED_BYTES", http.MAX_BODY_BYTES)
    response = client_of(HANDLERS).post("/", content=[b" " * http.MAX_BODY_BYTES, b" ", b"never read"])
    assert response.status_code == 413


def test_a_body_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that stays silent does not hold a place for ever."""
    monkeypatch.setattr(http, "BODY_TIMEOUT_S", 0.0)
    response = client_of(HANDLERS).post("/", content=b"{}", headers=signed_headers("ListCollections", b"{}"))
    assert response.status_code == 408
    assert response.json()["__type"] == "RequestTimeoutException"


def test_too_many_at_once_are_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded by how many are let in."""
    monkeypatch.setattr(http, "MAX_UNDER_WAY", 0)
    client = client_of(HANDLERS)
    response = client.post("/", content=b"{}", headers=signed_headers("ListCollections", b"{}"))
    assert response.json()["__type"] == "ThrottlingException"


def test_health_is_answered_to_everybody() -> None:
    """Whoever watches over the server has no key."""
    client = client_of(HANDLERS)
    assert client.get("/health").json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 405), ("GET", "/other", 404), ("POST", "/other", 404), ("PUT", "/", 405)],
)
def test_other_routes_say_what_there_is(method: str, path: str, status: int) -> None:
    """In JSON, and without a stack trace."""
    client = client_of(HANDLERS)
    response = client.request(method, path)
    assert response.status_code == status
    assert "POST /" in response.json()["message"]


def test_the_log_says_who_asked_for_what_kind_of_thing_and_not_what(caplog: pytest.LogCaptureFixture) -> None:
    """Operation, status and code; no value of the request, not even in an error about it."""
    body = json.dumps({"NextToken": "somebodys-name " * 50}).encode()
    with caplog.at_level(logging.INFO):
        client = client_of(HANDLERS)
        response = client.post("/", content=body, headers=signed_headers("ListCollections", body))
    assert response.status_code == 400
    assert "request ListCollections 400 InvalidParameterException" in caplog.text
    assert "somebodys-name" not in caplog.text


def test_errors_are_written_as_rekognition_writes_them() -> None:
    """SDKs of several generations look in several places."""
    body = json.dumps({"MaxResults": 5000}).encode()
    client = client_of(HANDLERS)
    response = client.post("/", content=body, headers=signed_headers("ListCollections", body))
    said = response.json()
    assert set(said) == {"__type", "Code", "Logref", "Message"}
    assert said["__type"] == said["Code"] == "InvalidParameterException"
    assert "maxResults" in said["Message"]
