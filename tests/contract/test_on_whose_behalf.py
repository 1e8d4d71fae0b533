"""On whose behalf: boto3's own STS and AWS profile files against a police installation, from proposal to refusal."""

import base64
import json
import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from recognizance.documents import Standing
from recognizance.governance import Grounds
from recognizance.governance.oversight import Choice
from recognizance.governance.parties import UseId
from recognizance.governing.access import IssuedKey
from recognizance.governing.registration import at_the_machine
from recognizance.governing.sessions import SessionTokens
from recognizance.governing.uses import Question
from recognizance.identifiers import AccessKeyId
from recognizance.ledger import FolderSource, prove, read_checkpoint

from .police_world import ACCOUNT, ARRESTS, USE, Station, role_arn, station
from .rekognition_world import REGION, hopper, jpeg

TAGS = [
    {"Key": "Case", "Value": "2026-0117"},
    {"Key": "Justification", "Value": "a witness filmed it"},
    {"Key": "Offence", "Value": "robbery"},
]
ASKED = {"CollectionId": ARRESTS, "FaceMatchThreshold": 90, "MaxFaces": 5}


@pytest.fixture(scope="module")
def police(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    """A running installation; an operator's session has enrolled one face."""
    with station(tmp_path_factory.mktemp("police") / "data") as started:
        started.rekognition(started.assume(Tags=TAGS)).index_faces(
            CollectionId=ARRESTS, Image={"Bytes": jpeg(hopper())}
        )
        yield started


def search(client: Any, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client.search_faces_by_image(**(ASKED | {"Image": {"Bytes": jpeg(hopper())}} | more))
    return answer


def refusal(action: Any, **arguments: Any) -> tuple[str, str]:
    """The code and message that a call is refused with."""
    with pytest.raises(ClientError) as caught:
        action(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def entries(at: Station) -> list[dict[str, Any]]:
    """Every entry of the public ledger, read from its static files alone."""
    recorder = at.server.service.recorder
    source, keys = FolderSource(recorder.public), (recorder.verifier,)
    size = read_checkpoint(source, keys).checkpoint.size
    return [json.loads(prove(source, keys, index).entry) for index in range(size)]


def test_a_session_with_a_case_searches_and_is_on_the_record(police: Station) -> None:
    """Agency, use, votes and the search itself are in the public files; the case isn't."""
    found = search(police.rekognition(police.assume(Tags=TAGS)))

    kinds: set[str] = set()
    deadline = time.monotonic() + 10
    while "search" not in kinds and time.monotonic() < deadline:
        written = entries(police)
        kinds = {entry["kind"] for entry in written}
    assert len(found["FaceMatches"]) == 1
    assert {"agency", "person", "training", "use_proposal", "vote", "use_transition", "search"} <= kinds
    assert "2026-0117" not in json.dumps(written)
    assert "An Operator" not in json.dumps(written)


def test_an_unchanged_program_searches_by_its_profile_file_alone(
    police: Station, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Role, case, offence and justification are four lines of the AWS profile."""
    key = police.police.keys["operator"]
    config = tmp_path / "config"
    config.write_text(
        f"""
[profile officer]
aws_access_key_id = {key.id}
aws_secret_access_key = {key.secret}

[profile robberies]
role_arn = {role_arn()}
source_profile = officer
role_session_name = case-2026-0117
external_id = robbery:witness-film
services = recognizance
region = {REGION}

[services recognizance]
rekognition =
  endpoint_url = {police.server.endpoint}
sts =
  endpoint_url = {police.server.endpoint}
"""
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_PROFILE", "robberies")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    # As in a process that has just started.
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)

    found = search(boto3.client("rekognition"))
    identity = boto3.client("sts").get_caller_identity()

    assert len(found["FaceMatches"]) == 1
    assert identity["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{USE}/case-2026-0117"


def test_a_search_without_a_case_is_told_how_to_supply_one(police: Station) -> None:
    """A name that botocore draws is no case, and the message says all three ways to state one."""
    session = police.assume(name="botocore-session-1700000000", Tags=TAGS[1:])
    code, message = refusal(lambda: search(police.rekognition(session)))

    assert code == "AccessDeniedException"
    assert "Missing: a case" in message
    assert "role_session_name" in message
    assert "X-Recognizance-Case" in message


def test_a_refused_search_is_on_the_record(police: Station) -> None:
    """With the decision that the caller was told to quote; the public files show it right after."""
    session = police.assume(name="botocore-session-1700000000", Tags=TAGS[1:])
    _, message = refusal(lambda: search(police.rekognition(session)))
    decision, deadline = message.rsplit("decision ", 1)[1].rstrip(")"), time.monotonic() + 10
    found: list[str] = []
    while not found and time.monotonic() < deadline:
        found = [entry["kind"] for entry in entries(police) if decision in json.dumps(entry)]

    assert found == ["refusal"]


def test_a_signed_header_states_what_the_session_did_not(police: Station) -> None:
    """And one that contradicts the session is refused."""
    client = police.rekognition(police.assume(name="botocore-session-1700000000", Tags=TAGS[1:]))
    stated = {"X-Recognizance-Case": "2026-0118"}
    client.meta.events.register(
        "before-sign", lambda request, **_: [request.headers.add_header(*i) for i in stated.items()]
    )
    found = search(client)
    other = police.rekognition(police.assume(Tags=TAGS))
    other.meta.events.register(
        "before-sign", lambda request, **_: [request.headers.add_header(*i) for i in stated.items()]
    )

    assert len(found["FaceMatches"]) == 1
    assert refusal(lambda: search(other))[0] == "InvalidParameterException"


@pytest.mark.parametrize(
    ("asked", "missing"),
    [
        ({"FaceMatchThreshold": 80}, "a threshold at or above the use's floor"),
        ({"MaxFaces": 11}, "a number of candidates within the use's limit"),
        ({"CollectionId": "another"}, "a use of this collection"),
    ],
)
def test_a_search_beyond_its_use_is_refused(police: Station, asked: dict[str, Any], missing: str) -> None:
    """The protocol's own members carry the limits."""
    code, message = refusal(lambda: search(police.rekognition(police.assume(Tags=TAGS)), **asked))

    assert (code, missing in message) == ("AccessDeniedException", True)


@pytest.mark.parametrize(
    ("who", "missing"),
    [
        ("untrained", "training in the use's course"),
        ("lapsed", "training in the use's course"),
        ("supervisor", "the role operator"),
        ("overseer", "the role operator"),
    ],
)
def test_a_session_is_begun_by_a_trained_operator_and_nobody_else(police: Station, who: str, missing: str) -> None:
    """STS answers in its own form."""
    code, message = refusal(lambda: police.assume(who=who, Tags=TAGS))

    assert (code, missing in message) == ("AccessDenied", True)


def test_a_long_lived_key_alone_searches_nothing(police: Station) -> None:
    """It names no use, states no case, and is told so at once."""
    code, message = refusal(lambda: search(police.client("rekognition")))

    assert code == "AccessDeniedException"
    assert "a use on whose behalf this is done" in message
    assert "a justification" in message


def test_whoever_runs_the_machine_searches_nothing(police: Station) -> None:
    """An administrator's key creates the gallery and is refused its faces."""
    code, _ = refusal(lambda: search(police.server.client()))

    assert code == "AccessDeniedException"


@pytest.mark.parametrize("change", ["first", "middle", "last", "cut", "longer", "other key"])
def test_a_token_that_was_changed_is_nobodys(police: Station, change: str) -> None:
    """Whichever part it is, and with the right secret."""
    session = police.assume(Tags=TAGS)
    token = session["SessionToken"]
    raw = bytearray(base64.urlsafe_b64decode(token))
    if change in {"first", "middle", "last"}:
        raw[{"first": 0, "middle": len(raw) // 2, "last": -1}[change]] ^= 1
    forged = {"cut": token[:-4], "longer": token + "AAAA"}.get(change, base64.urlsafe_b64encode(raw).decode())
    key = "RCGSAAAAAAAAAAAAAAAA" if change == "other key" else session["AccessKeyId"]
    client = police.client("rekognition", IssuedKey(AccessKeyId(key), session["SecretAccessKey"]), forged)

    assert refusal(lambda: search(client))[0] == "UnrecognizedClientException"


def test_a_session_key_without_its_token_is_nobodys(police: Station) -> None:
    """There is no such long-lived key."""
    session = police.assume(Tags=TAGS)
    client = police.client("rekognition", IssuedKey(session["AccessKeyId"], session["SecretAccessKey"]))

    assert refusal(lambda: search(client))[0] == "UnrecognizedClientException"


def test_a_token_of_another_installation_is_nobodys(police: Station, tmp_path: Path) -> None:
    """Same people, same use, same program; other keys."""
    with station(tmp_path / "data") as other:
        session = other.assume(Tags=TAGS)

    assert refusal(lambda: search(police.rekognition(session)))[0] == "UnrecognizedClientException"


def test_switching_the_issuing_key_off_ends_its_sessions(police: Station) -> None:
    """On the next request; and switching it on again lets them go on."""
    session = police.rekognition(police.assume(Tags=TAGS))
    key, keys = police.police.keys["operator"].id, police.server.service.keys
    keys.switch(key, active=False)
    try:
        refused = refusal(lambda: search(session))
    finally:
        keys.switch(key, active=True)

    assert refused[0] == "UnrecognizedClientException"
    assert search(session)["FaceMatches"]


def test_a_suspension_counts_on_the_next_request_and_a_vote_lifts_it(police: Station) -> None:
    """The session is still good; the use isn't, until as many overseers as approved it say otherwise."""
    session, uses = police.rekognition(police.assume(Tags=TAGS)), police.governing.uses
    overseers = [at_the_machine(person.id) for person in police.police.overseers]
    uses.suspend(USE, "complaints", by=overseers[0])
    refused = refusal(lambda: search(session))
    not_begun = refusal(lambda: police.assume(Tags=TAGS))
    for overseer in overseers[:3]:
        uses.vote(USE, Choice.APPROVE, "looked into", question=Question.REINSTATE, by=overseer)

    assert refused[0] == "AccessDeniedException"
    assert "a use that is active now" in refused[1]
    assert not_begun[0] == "AccessDenied"
    assert search(session)["FaceMatches"]


def test_a_dismissed_person_is_refused_on_the_next_request(police: Station) -> None:
    """Their session dies with their standing."""
    session, registration = police.rekognition(police.assume(Tags=TAGS)), police.governing.registration
    who = police.police.operator.id
    registration.set_person_standing(who, Standing.SUSPENDED, by=at_the_machine())
    try:
        refused = refusal(lambda: search(session))
    finally:
        registration.set_person_standing(who, Standing.ACTIVE, by=at_the_machine())

    assert refused[0] == "AccessDeniedException"


def test_however_many_search_at_once_no_more_than_the_days_limit_are_answered(police: Station) -> None:
    """Eight searches side by side under a use that allows two: two answers, six refusals that name the limit."""
    session = police.assume(use="two-a-day", Tags=TAGS)
    clients = [police.rekognition(session) for _ in range(8)]
    outcomes: list[str] = []

    def go(number: int) -> None:
        try:
            search(clients[number], MaxFaces=number + 1)
            outcomes.append("answered")
        except ClientError as error:
            outcomes.append(error.response["Error"]["Message"].split(";")[0])

    threads = [threading.Thread(target=go, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes.count("answered") == 2
    assert sum("a search left for today" in outcome for outcome in outcomes) == 6


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"DurationSeconds": 3601}, "ValidationError"),
        ({"Policy": "{}"}, "ValidationError"),
        ({"Tags": [{"Key": "Caze", "Value": "7"}]}, "ValidationError"),
        ({"RoleArn": "arn:aws:iam::000000000000:role/robberies"}, "ValidationError"),
        ({"RoleArn": role_arn("no-such-use")}, "AccessDenied"),
        ({"ExternalId": "robbery:"}, "ValidationError"),
    ],
)
def test_a_session_that_cannot_be_as_asked_is_refused(police: Station, arguments: dict[str, Any], code: str) -> None:
    """What would narrow or lengthen a session is refused and not passed over."""
    asked = {"RoleArn": role_arn(), "RoleSessionName": "case-7"} | arguments

    assert refusal(police.client("sts").assume_role, **asked)[0] == code


def test_a_session_begins_no_other_session(police: Station) -> None:
    """Otherwise it could be renewed for ever."""
    session = police.assume(Tags=TAGS)
    sts = police.client("sts", IssuedKey(session["AccessKeyId"], session["SecretAccessKey"]), session["SessionToken"])

    assert refusal(sts.assume_role, RoleArn=role_arn(), RoleSessionName="case-7")[0] == "ValidationError"
    assert sts.get_caller_identity()["Arn"].endswith(f":assumed-role/{USE}/case-7")


def test_a_session_ends_when_it_says(police: Station) -> None:
    """An hour is the most in this profile, and the default."""
    expires = police.assume(Tags=TAGS)["Expiration"]

    assert timedelta(minutes=59) < expires - datetime.now(UTC) <= timedelta(hours=1)


def test_a_session_whose_time_is_over_is_told_so(police: Station) -> None:
    """With AWS's own codes, so that boto3 asks for a new one: in Rekognition's form and in STS's."""
    with police.server.service.records.reading() as reader:
        sealing_key = reader.derived_key("session tokens").reveal()
        secrets_key = reader.derived_key("secrets of sessions").reveal()
    two_hours_ago = SessionTokens(
        sealing_key=sealing_key,
        secrets_key=secrets_key,
        clock=lambda: datetime.now(UTC) - timedelta(hours=2),
        random_bytes=os.urandom,
    )
    issued = two_hours_ago.issue(
        issued_by=police.police.keys["operator"].id,
        use=UseId(USE),
        name="case-7",
        grounds=Grounds("case-7", "a witness filmed it"),
        lasts=timedelta(hours=1),
    )
    key = IssuedKey(issued.session.key_id, issued.secret)

    assert refusal(lambda: search(police.client("rekognition", key, issued.token)))[0] == "ExpiredTokenException"
    assert refusal(police.client("sts", key, issued.token).get_caller_identity)[0] == "ExpiredToken"


def test_an_aim_that_no_use_allows_is_refused_when_it_is_stated(police: Station) -> None:
    """Truthfully, in a signed header; the refusal is on the record. A word that is no aim is a mistake."""

    def declaring(aim: str) -> Any:
        client = police.rekognition(police.assume(Tags=TAGS))
        client.meta.events.register(
            "before-sign", lambda request, **_: request.headers.add_header("X-Recognizance-Declared", aim)
        )
        return client

    code, message = refusal(lambda: search(declaring("lawful_protest, prediction")))

    assert code == "AccessDeniedException"
    assert "a reason other than somebody's use of a right" in message
    assert "a reason other than prediction" in message
    assert refusal(lambda: search(declaring("curiosity")))[0] == "InvalidParameterException"


def test_nobody_gets_a_session_for_an_aim_that_no_use_allows(police: Station) -> None:
    """Stated as a session tag, so that a program needs no headers. A word that is no aim is a mistake."""

    def declaring(aims: str) -> tuple[str, str]:
        return refusal(lambda: police.assume(Tags=[*TAGS, {"Key": "Declared", "Value": aims}]))

    code, message = declaring("lawful_protest prediction")

    assert code == "AccessDenied"
    assert "a reason other than somebody's use of a right" in message
    assert "a reason other than prediction" in message
    assert declaring("curiosity")[0] == "ValidationError"


def test_a_key_that_is_bound_to_a_use_names_it_by_itself(police: Station) -> None:
    """And is refused every other."""
    root, who = at_the_machine(), police.police.operator.id
    bound = police.governing.registration.issue_key(who, use=UseId(USE), by=root)
    client = police.client("rekognition", bound)
    _, message = refusal(lambda: search(client))
    other = refusal(
        police.client("sts", bound).assume_role, RoleArn=role_arn("two-a-day"), RoleSessionName="case-7", Tags=TAGS
    )

    assert "a use on whose behalf" not in message
    assert "Missing: a case" in message
    assert "the use that this key is bound to" in other[1]
