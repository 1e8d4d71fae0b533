"""Users through real boto3: created, given faces, searched for, taken apart again."""

import uuid
from typing import Any

import pytest

from .rekognition_world import astronaut, both, error_of, hopper, jpeg, nobody
from .test_boto3_faces import another_hopper, bytes_of, enrolled

ABSENT = str(uuid.UUID(int=7))


@pytest.fixture
def people(rekognition: Any, collection: str) -> dict[str, str]:
    """Both portraits enrolled, each associated with a user of its own; face ids by name."""
    faces = enrolled(rekognition, collection)
    for user, face in (("grace", "hopper"), ("eileen", "astronaut")):
        rekognition.create_user(CollectionId=collection, UserId=user)
        rekognition.associate_faces(CollectionId=collection, UserId=user, FaceIds=[faces[face]])
    return faces


def test_a_user_is_created_listed_and_deleted(rekognition: Any, collection: str) -> None:
    """Without faces it is CREATED."""
    rekognition.create_user(CollectionId=collection, UserId="u:1")
    assert rekognition.list_users(CollectionId=collection)["Users"] == [{"UserId": "u:1", "UserStatus": "CREATED"}]
    rekognition.delete_user(CollectionId=collection, UserId="u:1")
    assert rekognition.list_users(CollectionId=collection)["Users"] == []
    assert error_of(rekognition, "DeleteUser", CollectionId=collection, UserId="u:1")[0] == "ResourceNotFoundException"


def test_users_are_listed_page_by_page(rekognition: Any, collection: str) -> None:
    """boto3's paginator meets each once, names of full length included."""
    names = [f"{n}" + "z" * 127 for n in range(5)]
    for name in names:
        rekognition.create_user(CollectionId=collection, UserId=name)
    pages = list(
        rekognition.get_paginator("list_users").paginate(CollectionId=collection, PaginationConfig={"PageSize": 2})
    )
    assert [user["UserId"] for page in pages for user in page["Users"]] == names
    assert [len(page["Users"]) for page in pages] == [2, 2, 1]
    assert "NextToken" not in pages[-1]


def test_a_repeated_request_is_done_once(rekognition: Any, collection: str) -> None:
    """With the same token it succeeds again; without, the name is taken; with another request it's a mismatch."""
    arguments = {"CollectionId": collection, "UserId": "once", "ClientRequestToken": f"token-{collection}"}
    rekognition.create_user(**arguments)
    rekognition.create_user(**arguments)
    assert error_of(rekognition, "CreateUser", CollectionId=collection, UserId="once")[0] == "ConflictException"
    assert (
        error_of(rekognition, "CreateUser", **(arguments | {"UserId": "other"}))[0]
        == "IdempotentParameterMismatchException"
    )
    assert len(rekognition.list_users(CollectionId=collection)["Users"]) == 1


def test_a_face_is_given_to_a_user(rekognition: Any, collection: str) -> None:
    """It's answered, the user becomes ACTIVE, and giving it again changes nothing."""
    faces = enrolled(rekognition, collection)
    rekognition.create_user(CollectionId=collection, UserId="grace")
    arguments = {"CollectionId": collection, "UserId": "grace", "FaceIds": [faces["hopper"], faces["hopper"]]}

    first = rekognition.associate_faces(**arguments)
    again = rekognition.associate_faces(**arguments)

    assert first["AssociatedFaces"] == [{"FaceId": faces["hopper"]}]
    assert first["UnsuccessfulFaceAssociations"] == []
    assert first["UserStatus"] == again["UserStatus"] == "ACTIVE"
    assert (again["AssociatedFaces"], again["UnsuccessfulFaceAssociations"]) == ([], [])


def test_faces_that_cannot_be_given_are_named_with_the_reason(
    rekognition: Any, collection: str, people: dict[str, str]
) -> None:
    """One that isn't there, one that is another's, and one that is too unlike the user's own."""
    third = rekognition.index_faces(CollectionId=collection, Image=bytes_of(astronaut()), ExternalImageId="third")
    unlike = third["FaceRecords"][0]["Face"]["FaceId"]

    answer = rekognition.associate_faces(
        CollectionId=collection, UserId="grace", FaceIds=[ABSENT, people["astronaut"], unlike]
    )

    reasons = {each["FaceId"]: each["Reasons"] for each in answer["UnsuccessfulFaceAssociations"]}
    assert answer["AssociatedFaces"] == []
    assert reasons[ABSENT] == ["FACE_NOT_FOUND"]
    assert reasons[unlike] == ["LOW_MATCH_CONFIDENCE"]
    assert reasons[people["astronaut"]] == ["ASSOCIATED_TO_A_DIFFERENT_USER"]
    owners = {each["FaceId"]: each.get("UserId") for each in answer["UnsuccessfulFaceAssociations"]}
    assert owners == {ABSENT: None, people["astronaut"]: "eileen", unlike: None}


def test_a_repeated_association_has_the_same_answer(rekognition: Any, collection: str) -> None:
    """A client that missed the answer, and asks again with its token, gets it; the face isn't given twice."""
    faces = enrolled(rekognition, collection)
    rekognition.create_user(CollectionId=collection, UserId="grace")
    arguments = {
        "CollectionId": collection,
        "UserId": "grace",
        "FaceIds": [faces["hopper"], ABSENT],
        "ClientRequestToken": f"associate-{collection}",
    }

    def told(answer: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}

    assert told(rekognition.associate_faces(**arguments)) == told(rekognition.associate_faces(**arguments))
    first = told(rekognition.disassociate_faces(**arguments))
    rekognition.associate_faces(CollectionId=collection, UserId="grace", FaceIds=[faces["hopper"]])
    assert told(rekognition.disassociate_faces(**arguments)) == first | {"UserStatus": "ACTIVE"}


def test_faces_are_taken_from_a_user(rekognition: Any, collection: str, people: dict[str, str]) -> None:
    """They stay enrolled; what isn't the user's is named or passed over."""
    loose = rekognition.index_faces(CollectionId=collection, Image=bytes_of(another_hopper()))
    loose_id = loose["FaceRecords"][0]["Face"]["FaceId"]

    answer = rekognition.disassociate_faces(
        CollectionId=collection, UserId="grace", FaceIds=[people["hopper"], people["astronaut"], ABSENT, loose_id]
    )

    assert answer["DisassociatedFaces"] == [{"FaceId": people["hopper"]}]
    assert {each["FaceId"]: each["Reasons"] for each in answer["UnsuccessfulFaceDisassociations"]} == {
        people["astronaut"]: ["ASSOCIATED_TO_A_DIFFERENT_USER"],
        ABSENT: ["FACE_NOT_FOUND"],
    }
    assert answer["UserStatus"] == "CREATED"
    assert rekognition.describe_collection(CollectionId=collection)["FaceCount"] == 3


def test_users_are_found_by_a_face_and_by_a_user(rekognition: Any, collection: str, people: dict[str, str]) -> None:
    """A face finds its own user; a user finds others who resemble them, of whom there are none here."""
    by_face = rekognition.search_users(CollectionId=collection, FaceId=people["hopper"])
    by_user = rekognition.search_users(CollectionId=collection, UserId="grace")
    assert by_face["SearchedFace"] == {"FaceId": people["hopper"]}
    assert "SearchedUser" not in by_face
    assert [match["User"] for match in by_face["UserMatches"]] == [{"UserId": "grace", "UserStatus": "ACTIVE"}]
    assert by_user["SearchedUser"] == {"UserId": "grace"}
    assert by_user["UserMatches"] == []


def test_a_user_like_another_is_found(rekognition: Any, collection: str, people: dict[str, str]) -> None:
    """Somebody who was enrolled twice under two names shows."""
    twin = rekognition.index_faces(CollectionId=collection, Image=bytes_of(another_hopper()))
    rekognition.create_user(CollectionId=collection, UserId="again")
    face_id = twin["FaceRecords"][0]["Face"]["FaceId"]
    rekognition.associate_faces(CollectionId=collection, UserId="again", FaceIds=[face_id])
    found = rekognition.search_users(CollectionId=collection, UserId="grace", MaxUsers=3)["UserMatches"]
    assert [match["User"]["UserId"] for match in found] == ["again"]


def test_users_are_found_by_a_picture(rekognition: Any, collection: str, people: dict[str, str]) -> None:
    """The largest face is searched for; the other is named as not searched."""
    answer = rekognition.search_users_by_image(CollectionId=collection, Image=bytes_of(both()))
    assert [match["User"]["UserId"] for match in answer["UserMatches"]] == ["grace"]
    assert {"BoundingBox", "Landmarks"} <= set(answer["SearchedFace"]["FaceDetail"])
    [unsearched] = answer["UnsearchedFaces"]
    assert unsearched["Reasons"] == ["FACE_NOT_LARGEST"]
    assert unsearched["FaceDetails"]["BoundingBox"]["Left"] > 0.5


def test_a_picture_of_nobody_finds_no_user(rekognition: Any, collection: str, people: dict[str, str]) -> None:
    """Unlike SearchFacesByImage this is no error: the list is empty, and no face was searched for."""
    answer = rekognition.search_users_by_image(CollectionId=collection, Image={"Bytes": nobody()})
    assert (answer["UserMatches"], answer["UnsearchedFaces"]) == ([], [])
    assert "SearchedFace" not in answer


@pytest.mark.parametrize("given", [{}, {"UserId": "grace", "FaceId": ABSENT}])
def test_users_are_searched_for_by_one_thing(rekognition: Any, collection: str, given: dict[str, str]) -> None:
    """Neither by nothing nor by both."""
    assert error_of(rekognition, "SearchUsers", CollectionId=collection, **given)[0] == "InvalidParameterException"


def test_a_deleted_user_leaves_their_faces(rekognition: Any, collection: str, people: dict[str, str]) -> None:
    """Which belong to nobody then, and can be deleted."""
    rekognition.delete_user(CollectionId=collection, UserId="grace")
    [face] = rekognition.list_faces(CollectionId=collection, FaceIds=[people["hopper"]])["Faces"]
    assert "UserId" not in face
    found = rekognition.search_users_by_image(CollectionId=collection, Image={"Bytes": jpeg(hopper())})
    assert found["UserMatches"] == []
    assert rekognition.delete_faces(CollectionId=collection, FaceIds=[people["hopper"]])["DeletedFaces"] == [
        people["hopper"]
    ]
