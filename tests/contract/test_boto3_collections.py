"""Collections and their tags through real boto3."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from .rekognition_world import REGION, Server, call, error_of, hopper, jpeg


def test_a_collection_lives_from_creation_to_deletion(rekognition: Any) -> None:
    """It's created, described, listed, deleted, and gone."""
    created = rekognition.create_collection(CollectionId="short-lived")
    described = rekognition.describe_collection(CollectionId="short-lived")
    listed = rekognition.list_collections()
    deleted = rekognition.delete_collection(CollectionId="short-lived")

    assert created["StatusCode"] == deleted["StatusCode"] == 200
    assert created["CollectionArn"] == f"aws:rekognition:{REGION}:000000000000:collection/short-lived"
    assert described["CollectionARN"] == f"arn:{created['CollectionArn']}"
    assert (described["FaceCount"], described["UserCount"]) == (0, 0)
    assert abs(described["CreationTimestamp"] - datetime.now(UTC)) < timedelta(minutes=1)
    assert "short-lived" in listed["CollectionIds"]
    assert len(listed["FaceModelVersions"]) == len(listed["CollectionIds"])
    with pytest.raises(rekognition.exceptions.ResourceNotFoundException):
        rekognition.describe_collection(CollectionId="short-lived")


def test_a_name_is_taken_until_its_collection_is_deleted(rekognition: Any, collection: str) -> None:
    """The second creation is refused; after a deletion the name is free again, and the collection empty."""
    rekognition.index_faces(CollectionId=collection, Image={"Bytes": jpeg(hopper())})
    with pytest.raises(rekognition.exceptions.ResourceAlreadyExistsException):
        rekognition.create_collection(CollectionId=collection)
    rekognition.delete_collection(CollectionId=collection)
    rekognition.create_collection(CollectionId=collection)
    assert rekognition.describe_collection(CollectionId=collection)["FaceCount"] == 0
    assert rekognition.list_faces(CollectionId=collection)["Faces"] == []


def test_collections_are_counted(rekognition: Any, collection: str) -> None:
    """Faces and users each have their number."""
    rekognition.index_faces(CollectionId=collection, Image={"Bytes": jpeg(hopper())})
    rekognition.create_user(CollectionId=collection, UserId="grace")
    described = rekognition.describe_collection(CollectionId=collection)
    assert (described["FaceCount"], described["UserCount"]) == (1, 1)


def test_all_collections_are_paged_through(rekognition: Any) -> None:
    """boto3's own paginator meets each once, in order, even with names as long as names may be."""
    names = [f"page-{n}-" + "x" * 248 for n in range(5)]
    for name in names:
        rekognition.create_collection(CollectionId=name)

    pages = list(rekognition.get_paginator("list_collections").paginate(PaginationConfig={"PageSize": 2}))

    found = [name for page in pages for name in page["CollectionIds"]]
    assert found == sorted(found)
    assert len(found) == len(set(found))
    assert set(names) <= set(found)
    assert "NextToken" not in pages[-1]
    assert all("NextToken" in page for page in pages[:-1])
    for name in names:
        rekognition.delete_collection(CollectionId=name)


def test_no_results_at_most_means_no_wish(rekognition: Any, collection: str) -> None:
    """The service model allows 0, and a page of nothing would never come to an end."""
    assert collection in rekognition.list_collections(MaxResults=0)["CollectionIds"]


def test_tags_come_back_as_they_were_set(rekognition: Any) -> None:
    """With the collection and later, replaced and removed, under either spelling of its name."""
    bare = rekognition.create_collection(CollectionId="tagged", Tags={"owner": "Prénom Nom", "a": "1"})["CollectionArn"]
    arn = rekognition.describe_collection(CollectionId="tagged")["CollectionARN"]

    rekognition.tag_resource(ResourceArn=arn, Tags={"a": "2", "b": ""})
    rekognition.untag_resource(ResourceArn=bare, TagKeys=["owner", "absent"])

    assert rekognition.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"a": "2", "b": ""}
    rekognition.delete_collection(CollectionId="tagged")


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        (f"arn:aws:rekognition:{REGION}:000000000000:collection/absent", "ResourceNotFoundException"),
        ("arn:aws:rekognition:eu-west-1:000000000000:collection/absent", "ResourceNotFoundException"),
        (f"arn:aws:rekognition:{REGION}:123456789012:collection/absent", "ResourceNotFoundException"),
        (f"arn:aws:rekognition:{REGION}:000000000000:streamprocessor/absent", "ResourceNotFoundException"),
        ("arn:aws:s3:::photos/and/more/of/it", "InvalidParameterException"),
    ],
)
@pytest.mark.parametrize(
    ("operation", "more"),
    [("TagResource", {"Tags": {"a": "b"}}), ("UntagResource", {"TagKeys": ["a"]}), ("ListTagsForResource", {})],
)
def test_other_arns_have_no_tags(rekognition: Any, arn: str, code: str, operation: str, more: dict[str, Any]) -> None:
    """What is no collection here isn't found; what is no ARN of Rekognition's is invalid."""
    assert error_of(rekognition, operation, ResourceArn=arn, **more)[0] == code


@pytest.mark.parametrize("operation", ["DeleteCollection", "DescribeCollection", "ListFaces", "ListUsers"])
def test_a_collection_that_is_not_there_is_named(rekognition: Any, operation: str) -> None:
    """Clients create it when they see this."""
    code, message = error_of(rekognition, operation, CollectionId="never-created")
    assert code == "ResourceNotFoundException"
    assert "never-created" in message


def test_a_switched_off_key_is_unknown(server: Server) -> None:
    """From the next request on, and to the caller as if it had never been."""
    issued = server.service.keys.create()
    client = boto3.client(
        "rekognition",
        endpoint_url=server.endpoint,
        region_name=REGION,
        aws_access_key_id=str(issued.id),
        aws_secret_access_key=issued.secret,
    )
    call(client, "ListCollections")
    server.service.keys.switch(issued.id, active=False)
    assert error_of(client, "ListCollections")[0] == "UnrecognizedClientException"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"aws_secret_access_key": "wrong"}, "InvalidSignatureException"),
        ({"aws_access_key_id": "RCGZ2222222222222222"}, "UnrecognizedClientException"),
        ({"aws_session_token": "token"}, "UnrecognizedClientException"),
        ({"region_name": "eu-west-1"}, "InvalidSignatureException"),
    ],
)
def test_wrong_credentials_are_refused(server: Server, wrong: dict[str, str], code: str) -> None:
    """A wrong secret, key, session or region, each with AWS's code for it."""
    given = {
        "region_name": REGION,
        "aws_access_key_id": server.key_id,
        "aws_secret_access_key": server.secret,
    }
    client = boto3.client("rekognition", endpoint_url=server.endpoint, **(given | wrong))
    assert error_of(client, "ListCollections")[0] == code


def test_every_answer_carries_the_id_of_its_request(rekognition: Any) -> None:
    """And the date, as every AWS service does; what is reported as a problem can be found in the log."""
    metadata = rekognition.list_collections()["ResponseMetadata"]
    assert len(metadata["RequestId"]) == 36
    assert "date" in metadata["HTTPHeaders"]


def test_a_restart_keeps_page_tokens(server: Server) -> None:
    """They are sealed with a key that is derived, not drawn, so a list goes on after a restart."""
    service = server.service
    with service.records.reading() as reader:
        first = reader.derived_key("page tokens").reveal()
    with service.records.reading() as reader:
        assert reader.derived_key("page tokens").reveal() == first
        assert reader.derived_key("other").reveal() != first
