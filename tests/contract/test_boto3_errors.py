"""Every error that the service model declares for an operation: provoked through boto3, or said why it can't be."""

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from recognizance.identifiers import FaceId, GalleryId, ImageId
from recognizance.records import Box, NewFace

from .rekognition_world import MODEL, REGION, Server, call, error_of, hopper, jpeg, nobody

COLLECTION = "errors"
FACE = "11111111-2222-3333-4444-555555555555"
ARN = f"arn:aws:rekognition:{REGION}:000000000000:collection"

NEEDS_OTHERS = {
    "AccessDeniedException": "every key is an administrator's; test_boto3_denials.py refuses each operation",
    "InternalServerError": "a healthy service has none; tests/aws/test_dispatch.py raises what becomes one",
    "ThrottlingException": "tests/aws/test_http.py closes the door that tells callers to come back",
    "ProvisionedThroughputExceededException": "nothing here is provisioned; ThrottlingException is answered",
}
"""Errors of all operations that a lone client can't provoke."""

NOT_HERE = {
    ("CreateCollection", "ServiceQuotaExceededException"): "the number of collections has no quota",
    ("IndexFaces", "ServiceQuotaExceededException"): "takes 20 million faces; tests/records fills a smaller gallery",
    ("CreateUser", "ServiceQuotaExceededException"): "the number of users has no quota",
    ("ListCollections", "ResourceNotFoundException"): "the request names no resource",
    ("DeleteUser", "ConflictException"): "changes are one after another, so none meets another half-way",
    ("AssociateFaces", "ConflictException"): "likewise",
    ("DisassociateFaces", "ConflictException"): "likewise",
}

IMAGE_OPERATIONS: dict[str, dict[str, Any]] = {
    "DetectFaces": {},
    "CompareFaces": {"TargetImage": {"Bytes": jpeg(hopper())}},
    "IndexFaces": {"CollectionId": COLLECTION},
    "SearchFacesByImage": {"CollectionId": COLLECTION},
    "SearchUsersByImage": {"CollectionId": COLLECTION},
}


def image_cases() -> Iterator[tuple[str, dict[str, Any], str]]:
    good = {"Bytes": jpeg(hopper())}
    for operation, others in IMAGE_OPERATIONS.items():
        name = "SourceImage" if operation == "CompareFaces" else "Image"
        for image, code in [
            ({}, "InvalidParameterException"),
            ({"Bytes": good["Bytes"], "S3Object": {"Bucket": "photos", "Name": "n"}}, "InvalidParameterException"),
            ({"S3Object": {"Bucket": "photos", "Name": "absent"}}, "InvalidS3ObjectException"),
            ({"S3Object": {"Bucket": "photos", "Name": "hopper.jpg", "Version": "no"}}, "InvalidS3ObjectException"),
            ({"S3Object": {"Bucket": "absent", "Name": "hopper.jpg"}}, "InvalidS3ObjectException"),
            ({"S3Object": {"Bucket": "photos", "Name": "large"}}, "ImageTooLargeException"),
            ({"Bytes": bytes(5_242_881)}, "ImageTooLargeException"),
            ({"S3Object": {"Bucket": "photos", "Name": "text"}}, "InvalidImageFormatException"),
            ({"Bytes": b"GIF89a" + bytes(50)}, "InvalidImageFormatException"),
            ({"Bytes": good["Bytes"][:2000]}, "InvalidImageFormatException"),
        ]:
            yield operation, others | {name: image}, code


def cases() -> Iterator[tuple[str, dict[str, Any], str]]:
    """Operation, arguments and the code that they end with, in a world that the fixture `world` has built."""
    yield from image_cases()
    here: dict[str, Any] = {"CollectionId": COLLECTION}
    gone = {"CollectionId": "gone"}
    good = {"Image": {"Bytes": jpeg(hopper())}}
    faces = {"FaceIds": [FACE]}
    user = {"UserId": "user"}
    of_collections: list[tuple[str, dict[str, Any]]] = [
        ("DeleteCollection", {}),
        ("DescribeCollection", {}),
        ("IndexFaces", good),
        ("ListFaces", {}),
        ("DeleteFaces", faces),
        ("SearchFaces", {"FaceId": FACE}),
        ("SearchFacesByImage", good),
        ("CreateUser", user),
        ("DeleteUser", user),
        ("ListUsers", {}),
        ("AssociateFaces", user | faces),
        ("DisassociateFaces", user | faces),
        ("SearchUsers", user),
        ("SearchUsersByImage", good),
    ]
    for operation, more in of_collections:
        yield operation, gone | more, "ResourceNotFoundException"
        yield operation, {"CollectionId": "no such name"} | more, "InvalidParameterException"
    yield "SearchFaces", here | {"FaceId": FACE}, "ResourceNotFoundException"
    yield "SearchUsers", here | {"FaceId": FACE}, "ResourceNotFoundException"
    yield "SearchUsers", here | {"UserId": "absent"}, "ResourceNotFoundException"
    of_tags: list[tuple[str, dict[str, Any]]] = [
        ("TagResource", {"Tags": {"a": "b"}}),
        ("UntagResource", {"TagKeys": ["a"]}),
        ("ListTagsForResource", {}),
    ]
    for operation, more in of_tags:
        yield operation, {"ResourceArn": f"{ARN}/gone"} | more, "ResourceNotFoundException"
        yield operation, {"ResourceArn": "x" * 20} | more, "InvalidParameterException"
    yield (
        "TagResource",
        {"ResourceArn": f"{ARN}/{COLLECTION}", "Tags": {"one": "more"}},
        "ServiceQuotaExceededException",
    )
    yield "CreateCollection", here, "ResourceAlreadyExistsException"
    yield "CreateCollection", {"CollectionId": "c", "Tags": {"aws:no": "v"}}, "InvalidParameterException"
    yield "ListCollections", {"MaxResults": 4097}, "InvalidParameterException"
    for operation, more in [("ListCollections", {}), ("ListFaces", here), ("ListUsers", here)]:
        yield operation, more | {"NextToken": "rNotOurs"}, "InvalidPaginationTokenException"
    yield "CreateUser", here | user, "ConflictException"
    token = {"ClientRequestToken": "used-before"}
    with_token: list[tuple[str, dict[str, Any]]] = [
        ("CreateUser", {}),
        ("DeleteUser", {}),
        ("AssociateFaces", faces),
        ("DisassociateFaces", faces),
    ]
    for operation, more in with_token:
        yield operation, here | {"UserId": "another"} | more | token, "IdempotentParameterMismatchException"
    full = [str(uuid.UUID(int=n)) for n in range(1, 102)]
    yield (
        "AssociateFaces",
        here | {"UserId": "full", "FaceIds": full[100:], "UserMatchThreshold": 0.0},
        "ServiceQuotaExceededException",
    )
    yield "SearchFacesByImage", here | {"Image": {"Bytes": nobody()}}, "InvalidParameterException"


CASES = list(cases())


@pytest.fixture(scope="module")
def world(rekognition: Any, server: Server) -> None:  # boto3 ships no types
    """A collection with a user, another who has 100 faces, 200 tags, and request tokens that were used."""
    call(rekognition, "CreateCollection", CollectionId=COLLECTION, Tags={f"tag{n}": "" for n in range(200)})
    rng = np.random.default_rng(3)
    templates = rng.standard_normal((101, server.service.reader.dimension)).astype(np.float32)
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    ids = [str(uuid.UUID(int=n)) for n in range(1, 102)]
    with server.service.records.transaction() as transaction:
        transaction.add_faces(
            GalleryId(COLLECTION),
            [
                NewFace(
                    face_id=FaceId(face_id),
                    image_id=ImageId(face_id),
                    template=template,
                    model=server.service.reader.model,
                    box=Box(0.1, 0.1, 0.5, 0.5),
                    confidence=0.9,
                    created=datetime.now(UTC),
                )
                for face_id, template in zip(ids, templates, strict=True)
            ],
        )
    here = {"CollectionId": COLLECTION}
    for user in ("user", "full", "tokens"):
        call(rekognition, "CreateUser", **here, UserId=user)
    call(rekognition, "AssociateFaces", **here, UserId="full", FaceIds=ids[:100], UserMatchThreshold=0.0)
    token = {"ClientRequestToken": "used-before"}
    call(rekognition, "AssociateFaces", **here, UserId="tokens", FaceIds=ids[100:], UserMatchThreshold=0.0, **token)
    call(rekognition, "DisassociateFaces", **here, UserId="tokens", FaceIds=ids[100:], **token)
    call(rekognition, "DeleteUser", **here, UserId="tokens", **token)
    call(rekognition, "CreateUser", **here, UserId="tokens", **token)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("operation", "arguments", "code"), CASES, ids=[f"{n}-{case[0]}-{case[2]}" for n, case in enumerate(CASES)]
)
def test_an_error_is_provoked(unvalidated: Any, operation: str, arguments: dict[str, Any], code: str) -> None:
    """The request ends with the code that Rekognition has for it, and a message in its words.

    One that isn't there, or is there already, is named.
    """
    given, message = error_of(unvalidated, operation, **arguments)
    assert given == code, message
    assert message
    assert re.search(r"galler|subject|template|photograph", message) is None, message
    if code in {"ResourceNotFoundException", "ResourceAlreadyExistsException"}:
        named = arguments.get("CollectionId") or arguments["ResourceArn"].rpartition("/")[2]
        assert f"'{named}'" in message


def test_every_declared_error_is_provoked_or_explained() -> None:
    """For each of the operations that are answered here, against the service model."""
    provoked = {(operation, code) for operation, _, code in CASES}
    operations = {operation for operation, _ in provoked}
    declared = {(name, code) for name in operations for code in MODEL.operations[name].errors}
    explained = set(NOT_HERE) | {(name, code) for name, code in declared if code in NEEDS_OTHERS}
    assert len(operations) == 21
    assert declared - provoked - explained == set()
    assert provoked & explained == set()
    assert provoked - declared == set()


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("SearchFaces", {"CollectionId": "c", "FaceId": FACE, "MaxFaces": 99_999}),
        ("SearchFaces", {"CollectionId": "c", "FaceId": FACE, "MaxFaces": True}),
        ("SearchFaces", {"CollectionId": "c", "FaceId": FACE, "FaceMatchThreshold": 1000.0}),
        ("SearchFaces", {"CollectionId": "not a name", "FaceId": FACE}),
        ("SearchFaces", {"CollectionId": "c" * 300, "FaceId": FACE}),
        ("IndexFaces", {"CollectionId": "c", "Image": {"Bytes": b""}}),
        ("IndexFaces", {"CollectionId": "c", "Image": {"Bytes": b"x"}, "QualityFilter": "BEST"}),
        ("DetectFaces", {"Image": {"Bytes": b"x"}, "Attributes": ["NOSE"]}),
    ],
)
def test_what_botocore_lets_through_is_refused_here(
    rekognition: Any, operation: str, arguments: dict[str, Any]
) -> None:
    """Maxima, booleans for numbers, patterns, lengths, empty blobs and enums: botocore sends all of these."""
    code, message = error_of(rekognition, operation, **arguments)
    assert code == "InvalidParameterException"
    assert "validation error" in message


@pytest.mark.parametrize(
    "operation", ["DetectLabels", "RecognizeCelebrities", "ListStreamProcessors", "StartFaceSearch"]
)
def test_operations_that_are_not_supported_say_so(unvalidated: Any, operation: str) -> None:
    """By name, with the reason, and whether to wait for it."""
    code, message = error_of(unvalidated, operation)
    assert code == "UnknownOperationException"
    assert operation in message
    assert "not supported" in message
