"""Requests and answers against the service model: what botocore lets through is refused here."""

import base64
import contextlib
import json
import math
import unicodedata
from datetime import UTC, datetime

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.serialize import create_serializer
from hypothesis import given
from hypothesis import strategies as st

from recognizance.aws.service_model import compile_pattern, load_model
from recognizance.aws.shapes import Answer, Members, SerializationError, answer_problems, check_request, encode_answer
from recognizance.errors import ImageTooLargeError, InputError

MODEL = load_model()
FACE = "11111111-2222-3333-4444-555555555555"


def read(operation: str, **members: object) -> Members:
    return check_request(MODEL.operations[operation], json.dumps(members).encode())


def refusal(operation: str, **members: object) -> str:
    with pytest.raises(InputError) as caught:
        read(operation, **members)
    return str(caught.value)


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"MaxFaces": 99999}, "Value '99999' at 'maxFaces' failed to satisfy constraint: Member must have value less"),
        ({"MaxFaces": 0}, "'maxFaces' failed to satisfy constraint: Member must have value greater than or equal to 1"),
        ({"MaxFaces": -5}, "'maxFaces'"),
        ({"MaxFaces": True}, "'maxFaces' has to be a number"),
        ({"MaxFaces": 1.5}, "'maxFaces' has to be a whole number"),
        ({"MaxFaces": "5"}, "'maxFaces' has to be a number"),
        ({"FaceMatchThreshold": 1e39}, "'faceMatchThreshold' has to be a number of single precision"),
        ({"MaxFaces": 2**31}, "'maxFaces' has to be a whole number"),
        ({"FaceMatchThreshold": 1000}, "'faceMatchThreshold' failed to satisfy constraint: Member must have value"),
        ({"FaceMatchThreshold": -0.1}, "'faceMatchThreshold'"),
        ({"FaceMatchThreshold": False}, "'faceMatchThreshold' has to be a number"),
        ({"FaceMatchThreshold": 10**400}, "'faceMatchThreshold'"),
        ({"CollectionId": ""}, "'collectionId' failed to satisfy constraint: Member must have length greater than"),
        ({"CollectionId": "a" * 256}, "Member must have length less than or equal to 255"),
        ({"CollectionId": "a b"}, "Member must satisfy regular expression pattern: [a-zA-Z0-9_.\\-]+"),
        ({"CollectionId": "a\n"}, "regular expression pattern"),
        ({"CollectionId": "é"}, "regular expression pattern"),
        ({"CollectionId": 7}, "'collectionId' has to be a string"),
        (
            {"CollectionId": None},
            "Value 'null' at 'collectionId' failed to satisfy constraint: Member must not be null",
        ),
        ({"FaceId": FACE.upper().replace("1", "A")}, "'faceId'"),
        ({"MaxFaecs": 5}, "MaxFaecs is no member of SearchFacesRequest"),
    ],
)
def test_a_value_outside_the_model_is_refused_and_named(members: dict[str, object], says: str) -> None:
    """The answer says which member, and which rule of the model, in AWS's words."""
    assert says in refusal("SearchFaces", **({"CollectionId": "c", "FaceId": FACE} | members))


@pytest.mark.parametrize(
    ("operation", "members", "says"),
    [
        (
            "DetectFaces",
            {"Image": {"Bytes": ""}},
            "'image.bytes' failed to satisfy constraint: Member must have length",
        ),
        (
            "DetectFaces",
            {"Image": {"Bytes": "AA=A"}},
            "'image.bytes' failed to satisfy constraint: Member must be base64",
        ),
        ("DetectFaces", {"Image": {"Bytes": "A A="}}, "base64"),
        ("DetectFaces", {"Image": {"Bytes": "AAAAA"}}, "base64"),
        ("DetectFaces", {"Image": {"Bytes": "é"}}, "base64"),
        ("DetectFaces", {"Image": {"Bytes": [1]}}, "'image.bytes' has to be a base64 string"),
        ("DetectFaces", {"Image": []}, "'image' has to be an object"),
        ("DetectFaces", {"Image": {"S3Object": {"Bucket": "a/b"}}}, "'image.s3Object.bucket'"),
        ("DetectFaces", {"Image": {}, "Attributes": ["SOME"]}, "'attributes.1.member' failed to satisfy constraint"),
        ("DetectFaces", {"Image": {}, "Attributes": "ALL"}, "'attributes' has to be a list"),
        ("DetectFaces", {}, "'image'"),
        (
            "DeleteFaces",
            {"CollectionId": "c", "FaceIds": []},
            "'faceIds' failed to satisfy constraint: Member must have",
        ),
        ("DeleteFaces", {"CollectionId": "c", "FaceIds": [FACE] * 4097}, "less than or equal to 4096"),
        ("DeleteFaces", {"CollectionId": "c", "FaceIds": [FACE, "no"]}, "'faceIds.2.member'"),
        ("CreateCollection", {"CollectionId": "c", "Tags": {"aws:no": "v"}}, "'tags.1.key'"),
        ("CreateCollection", {"CollectionId": "c", "Tags": {"k": "a|b"}}, "'tags.1.value'"),
        ("CreateCollection", {"CollectionId": "c", "Tags": {"k": "x" * 257}}, "256"),
        ("CreateCollection", {"CollectionId": "c", "Tags": {"k": "\ud800"}}, "Unicode"),
        ("CreateCollection", {"CollectionId": "c", "Tags": ["k"]}, "'tags' has to be an object"),
        ("CreateUser", {"CollectionId": "c", "UserId": "u" * 129}, "128"),
        ("IndexFaces", {"CollectionId": "c", "Image": {}, "QualityFilter": "BEST"}, "enum value set: [NONE, AUTO, LOW"),
    ],
)
def test_each_kind_of_shape_is_checked(operation: str, members: dict[str, object], says: str) -> None:
    """Blobs, structures, lists, maps, enums and patterns each have their rule."""
    assert says in refusal(operation, **members)


def test_an_image_beyond_five_megabytes_is_too_large() -> None:
    """It's told by its length, before it is decoded, and has an error of its own."""
    with pytest.raises(ImageTooLargeError, match="5242880"):
        read("DetectFaces", Image={"Bytes": base64.b64encode(bytes(5_242_881)).decode()})


def test_an_image_of_five_megabytes_is_read() -> None:
    """The limit itself is allowed."""
    data = bytes(5_242_880)
    assert (
        read("DetectFaces", Image={"Bytes": base64.b64encode(data).decode()}).structure("Image").optional_blob("Bytes")
        == data
    )


def test_all_problems_are_told_at_once_up_to_ten() -> None:
    """A caller mends a request in one go, and nobody makes us write a book."""
    text = refusal("DeleteFaces", CollectionId="", FaceIds=["x"] * 4096)
    assert text.startswith("4097 validation errors detected: ")
    assert text.count("failed to satisfy") == 10


def test_no_blob_is_shown_back() -> None:
    """A message names the member and never repeats an image."""
    assert "QUFB" not in refusal("DetectFaces", Image={"Bytes": "QUFBQUFBQUFBQUFB!"})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'"text"',
        b"{",
        b'{"CollectionId": "a", "CollectionId": "b"}',
        b'{"Image": {"Bytes": "AA==", "Bytes": "AA=="}}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b"\xff\xfe{}",
        b"[" * 1_000_000,
        b'{"a":' * 100_000,
        b'{"a": ' + b"9" * 10_000 + b"}",
        b"{} {}",
    ],
)
def test_what_is_no_json_object_cannot_be_read(body: bytes) -> None:
    """Neither broken JSON, nor JSON that says a thing twice, nor a million brackets do harm."""
    with pytest.raises(SerializationError):
        check_request(MODEL.operations["DetectFaces"], body)


def test_null_counts_as_absent() -> None:
    """Clients of other languages write out what they don't set."""
    request = read("ListCollections", MaxResults=None, NextToken=None)
    assert "MaxResults" not in request
    assert request.integer("MaxResults", default=7) == 7


def test_values_come_out_in_their_types() -> None:
    """Whole numbers where the model says float become floats, and absent members their defaults."""
    request = read("SearchFaces", CollectionId="c", FaceId=FACE, FaceMatchThreshold=70)
    assert request.number("FaceMatchThreshold", default=1.0) == 70.0
    assert isinstance(request.number("FaceMatchThreshold", default=1.0), float)
    assert request.optional_text("MaxFaces") is None
    with pytest.raises(TypeError, match="FaceId"):
        request.integer("FaceId", default=1)


def test_javas_unicode_classes_mean_the_same_here() -> None:
    """The pattern of tags accepts exactly letters, separators, numbers and its punctuation, over all of Unicode."""
    pattern = compile_pattern(r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*")
    wrong = [
        code
        for code in range(0x110000)
        if (unicodedata.category(chr(code))[0] in "LZN" or chr(code) in "_.:/=+-@")
        is not (pattern.fullmatch(chr(code)) is not None)
    ]
    assert wrong == []


def test_a_pattern_that_is_not_understood_is_refused() -> None:
    """A new version of the model can't weaken a check in silence."""
    with pytest.raises(ValueError, match="Lu"):
        compile_pattern(r"\p{Lu}+")


def test_answers_are_held_to_the_model_too() -> None:
    """The same rules find what is wrong with an answer of ours."""
    operation = MODEL.operations["DescribeCollection"]
    right: dict[str, Answer] = {"FaceCount": 1, "CreationTimestamp": datetime(2026, 1, 1, tzinfo=UTC)}
    assert answer_problems(operation, right) == []
    assert answer_problems(operation, {"FaceCount": -1}) != []
    assert answer_problems(operation, {"Faces": 1}) != []


def test_moments_are_written_as_seconds_which_boto3_reads() -> None:
    """What `encode_answer` writes is what botocore's parser takes a timestamp from."""
    moment = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
    written = json.loads(encode_answer({"CreationTimestamp": moment}))
    assert datetime.fromtimestamp(written["CreationTimestamp"], UTC) == moment


def test_a_number_that_is_not_finite_is_never_answered() -> None:
    """JSON has no NaN."""
    with pytest.raises(ValueError, match="JSON"):
        encode_answer({"Similarity": math.nan})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["CollectionId", "Image", "Bytes", "FaceIds", "MaxFaces", "Tags", "x"]), inner
        )
    ),
    max_leaves=12,
)


@given(name=st.sampled_from(sorted(MODEL.operations)), value=JSON)
def test_any_json_is_a_request_or_refused(name: str, value: object) -> None:
    """No body makes the checker fail in another way than `InputError`, whatever the operation."""
    with contextlib.suppress(InputError):
        check_request(MODEL.operations[name], json.dumps(value).encode())


@given(body=st.binary(max_size=60))
def test_any_bytes_are_a_request_or_refused(body: bytes) -> None:
    """Nor do bytes that are no JSON."""
    with contextlib.suppress(InputError):
        check_request(MODEL.operations["IndexFaces"], body)


def test_what_botocore_serialises_is_accepted() -> None:
    """A request that boto3 makes of sound arguments passes, blob and all."""
    model = ServiceModel(Loader().load_service_model("rekognition", "service-2"))
    arguments = {"CollectionId": "c", "Image": {"Bytes": b"\x00\xff"}, "MaxFaces": 3, "DetectionAttributes": ["ALL"]}
    sent = create_serializer("json").serialize_to_request(arguments, model.operation_model("IndexFaces"))

    request = check_request(MODEL.operations["IndexFaces"], sent["body"])

    assert request.structure("Image").optional_blob("Bytes") == b"\x00\xff"
    assert request.texts("DetectionAttributes") == ("ALL",)
