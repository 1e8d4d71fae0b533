"""Under a use whose candidates are reviewed, an unchanged program learns that there are candidates, and not who."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .police_world import ARRESTS, Station, station
from .rekognition_world import hopper, jpeg, nobody

TAGS = [
    {"Key": "Case", "Value": "2026-0117"},
    {"Key": "Justification", "Value": "recording of the robbery"},
    {"Key": "Offence", "Value": "robbery"},
]
ASKED = {"CollectionId": ARRESTS, "FaceMatchThreshold": 90, "MaxFaces": 5}
NAME = "hopper-booking-1952"


@pytest.fixture(scope="module")
def police(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    """A running installation; an operator's session has enrolled one person twice."""
    with station(tmp_path_factory.mktemp("police") / "data") as started:
        client = started.rekognition(started.assume(Tags=TAGS))
        for quality in (90, 60):
            image = {"Bytes": jpeg(hopper(), quality)}
            client.index_faces(CollectionId=ARRESTS, Image=image, ExternalImageId=f"{NAME}-{quality}")
        yield started


@pytest.fixture(scope="module")
def client(police: Station) -> Any:  # boto3 ships no types
    return police.rekognition(police.assume(Tags=TAGS))


@pytest.fixture(scope="module")
def enrolled(client: Any) -> list[dict[str, Any]]:
    """What the gallery itself knows of its faces."""
    with_names: list[dict[str, Any]] = client.list_faces(CollectionId=ARRESTS)["Faces"]
    assert {face["ExternalImageId"] for face in with_names} == {f"{NAME}-90", f"{NAME}-60"}
    return with_names


def header_of(answer: dict[str, Any]) -> str | None:
    found: str | None = answer["ResponseMetadata"]["HTTPHeaders"].get("x-recognizance-review")
    return found


def test_an_answer_names_nobody(client: Any, enrolled: list[dict[str, Any]]) -> None:
    """No external id, no user, no id that the gallery knows, and nothing else that would lead to one of its faces."""
    answer = client.search_faces_by_image(**ASKED, Image={"Bytes": jpeg(hopper())})

    assert len(answer["FaceMatches"]) == 2
    assert all(set(match["Face"]) == {"FaceId", "IndexFacesModelVersion"} for match in answer["FaceMatches"])
    said = json.dumps(answer["FaceMatches"])
    for face in enrolled:
        assert face["FaceId"] not in said
        assert face["ImageId"] not in said
    assert NAME not in said


def test_similarities_and_order_say_nothing(client: Any) -> None:
    """Every candidate is answered with what all of them had to reach, in the order of ids drawn at random."""
    matches = client.search_faces_by_image(**ASKED, Image={"Bytes": jpeg(hopper(), 90)})["FaceMatches"]

    assert len({match["Similarity"] for match in matches}) == 1
    assert [match["Face"]["FaceId"] for match in matches] == sorted(match["Face"]["FaceId"] for match in matches)


def test_a_header_names_the_review(client: Any, police: Station) -> None:
    """Each search has one of its own, and the ledger says which search it is of."""
    answers = [client.search_faces_by_image(**ASKED, Image={"Bytes": jpeg(hopper())}) for _ in range(2)]

    reviews = {header_of(answer) for answer in answers}
    with police.server.service.records.reading() as reader:
        known = {document.id for document in reader.documents("review", limit=100)}
    assert len(reviews) == 2
    assert reviews <= known
    ids = [{match["Face"]["FaceId"] for match in answer["FaceMatches"]} for answer in answers]
    assert not ids[0] & ids[1]


def test_a_search_that_finds_nobody_has_no_review(client: Any) -> None:
    with pytest.raises(ClientError) as caught:
        client.search_faces_by_image(**ASKED, Image={"Bytes": nobody()})

    assert header_of(caught.value.response) is None


def test_users_are_not_searched_for(client: Any) -> None:
    """A UserId is a name; the error says what to call instead."""
    with pytest.raises(ClientError) as caught:
        client.search_users_by_image(
            CollectionId=ARRESTS, UserMatchThreshold=90, MaxUsers=5, Image={"Bytes": jpeg(hopper())}
        )

    error = caught.value.response["Error"]
    assert error["Code"] == "InvalidParameterException"
    assert "SearchFacesByImage" in error["Message"]


def test_an_enrolled_face_whose_photograph_was_not_kept_is_no_probe(
    client: Any, enrolled: list[dict[str, Any]]
) -> None:
    """Nobody could compare it, so there is no search either; and it's refused alike whether somebody resembles it."""
    refusals: list[dict[str, Any]] = []
    for at_least in (90, 100):
        with pytest.raises(ClientError) as caught:
            client.search_faces(**(ASKED | {"FaceMatchThreshold": at_least}), FaceId=enrolled[0]["FaceId"])
        refusals.append(caught.value.response["Error"])

    assert refusals[0]["Code"] == "InvalidParameterException"
    assert refusals[0] == refusals[1]
