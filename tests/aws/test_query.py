"""The query protocol: forms to checked members, answers and errors to XML that botocore reads."""

import contextlib
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st

from recognizance.aws.query import MAX_FIELDS, MAX_FORM_BYTES, check_form, read_form, write_answer, write_error
from recognizance.aws.service_model import load_model
from recognizance.aws.shapes import Answer, SerializationError
from recognizance.errors import InputError

MODEL = load_model("sts")
ASSUME = MODEL.operations["AssumeRole"]
BOTOCORE = Session().get_service_model("sts").operation_model("AssumeRole")
NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
ROLE = "arn:aws:iam::000000000000:role/robberies"


def form(**members: object) -> dict[str, str]:
    """The fields that botocore sends."""
    asked = {"RoleArn": ROLE, "RoleSessionName": "case-7"} | members
    body = create_serializer("query").serialize_to_request(asked, BOTOCORE)["body"]
    return {name: str(value) for name, value in body.items() if name not in {"Action", "Version"}}


def test_what_botocore_sends_is_read_as_it_was_meant() -> None:
    """Lists of structures, numbers and text beyond ASCII."""
    tags = [{"Key": "Case", "Value": "Ελλάδα 7"}, {"Key": "Offence", "Value": ""}]
    members = check_form(ASSUME, form(Tags=tags, DurationSeconds=900))

    assert [(tag.text("Key"), tag.text("Value")) for tag in members.structures("Tags")] == [
        ("Case", "Ελλάδα 7"),
        ("Offence", ""),
    ]
    assert members.integer("DurationSeconds", default=0) == 900


def test_an_empty_list_is_an_empty_list() -> None:
    """botocore writes the name with nothing behind it."""
    assert check_form(ASSUME, form(Tags=[])).structures("Tags") == ()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"Surprise": "1"}, "Surprise is no member"),
        ({"Tags.member.2.Key": "Case", "Tags.member.2.Value": "7"}, "is no member"),
        ({"Tags.member.1.Key": "Case"}, "value"),
        ({"Tags.member.1.Key.x": "Case"}, "is no member"),
        ({"DurationSeconds": "1e3"}, "has to be a number"),
        ({"DurationSeconds": "899"}, "greater than or equal to 900"),
        ({"RoleSessionName": "a b"}, "regular expression"),
        ({"RoleArn": "short"}, "length"),
    ],
)
def test_what_the_model_does_not_have_is_refused(fields: dict[str, str], said: str) -> None:
    """Nothing is passed over: a limit with a typing error in its name would be no limit."""
    with pytest.raises(InputError, match=said):
        check_form(ASSUME, form() | fields)


@pytest.mark.parametrize(
    "body",
    [b"a=1&a=2", b"a=%ff", b"a", "é=1".encode(), b"a=" + b"x" * MAX_FORM_BYTES, b"&".join([b"a=1"] * (MAX_FIELDS + 1))],
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    """Twice named, not UTF-8, not a form, too large, too many."""
    with pytest.raises(SerializationError):
        read_form(body)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_form_or_refused(body: bytes) -> None:
    """And any form is members or refused."""
    with contextlib.suppress(InputError):
        check_form(ASSUME, read_form(body))


def test_an_answer_is_what_botocore_reads() -> None:
    """Members in the model's order, moments in ISO 8601."""
    expires = datetime(2026, 6, 1, 12, tzinfo=UTC)
    credentials: dict[str, Answer] = {
        "Expiration": expires,
        "SessionToken": "t<>&",
        "SecretAccessKey": "s",
        "AccessKeyId": "RCGS" * 5,
    }
    body = write_answer(ASSUME, {"Credentials": credentials}, namespace=NAMESPACE, request_id="r-1")
    parsed = create_parser("query").parse({"status_code": 200, "headers": {}, "body": body}, BOTOCORE.output_shape)

    assert parsed["Credentials"] == credentials
    assert parsed["ResponseMetadata"]["RequestId"] == "r-1"


@given(st.text(max_size=50))
def test_an_error_is_xml_whatever_its_message_holds(message: str) -> None:
    """A caller's own text comes back, without what XML can't hold."""
    body = write_error("ValidationError", message, namespace=NAMESPACE, request_id="r-1", is_sender=True)

    assert ET.fromstring(body).find(f"{{{NAMESPACE}}}Error/{{{NAMESPACE}}}Code") is not None


def test_a_member_that_the_model_does_not_have_is_a_mistake_of_ours() -> None:
    """It would be dropped by every client, silently."""
    with pytest.raises(ValueError, match="'Secret'"):
        write_answer(ASSUME, {"Secret": "x"}, namespace=NAMESPACE, request_id="r-1")
