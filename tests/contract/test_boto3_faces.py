"""Faces through real boto3: enrolled, listed, searched, deleted; and the two stateless operations."""

import uuid
from typing import Any

import pytest
from PIL import Image, ImageEnhance

from .rekognition_world import Server, astronaut, both, error_of, hopper, jpeg, nobody, png

ABSENT = str(uuid.UUID(int=7))
GUESSES = {
    *("AgeRange", "Smile", "Eyeglasses", "Sunglasses", "Gender", "Beard", "Mustache", "EyesOpen", "MouthOpen"),
    *("Emotions", "FaceOccluded", "EyeDirection"),
}


def bytes_of(image: Image.Image) -> dict[str, bytes]:
    return {"Bytes": jpeg(image)}


def another_hopper() -> Image.Image:
    """The same person, darker, smaller and mirrored: not the same picture."""
    smaller = hopper().resize((384, 450)).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return ImageEnhance.Brightness(smaller).enhance(0.8)


def test_a_face_is_enrolled_and_described(rekognition: Any, collection: str) -> None:
    """The answer holds what is stored and what was seen, and both lists are always there."""
    answer = rekognition.index_faces(
        CollectionId=collection, Image=bytes_of(hopper()), ExternalImageId="grace:1", DetectionAttributes=["ALL"]
    )

    [record] = answer["FaceRecords"]
    face, detail = record["Face"], record["FaceDetail"]
    assert answer["UnindexedFaces"] == []
    assert uuid.UUID(face["FaceId"]).version == 4
    assert face["ExternalImageId"] == "grace:1"
    assert face["BoundingBox"] == pytest.approx(detail["BoundingBox"], abs=1e-6)
    assert 90 < face["Confidence"] <= 100
    assert answer["FaceModelVersion"].startswith("sface")
    assert set(detail) == {"BoundingBox", "Confidence", "Landmarks", "Pose", "Quality"}


def test_left_is_the_images_left(rekognition: Any) -> None:
    """As in Rekognition's own answers: the eye called left has the smaller X, and eyes are above the mouth."""
    [face] = rekognition.detect_faces(Image=bytes_of(astronaut()))["FaceDetails"]
    points = {point["Type"]: (point["X"], point["Y"]) for point in face["Landmarks"]}
    assert set(points) == {"eyeLeft", "eyeRight", "nose", "mouthLeft", "mouthRight"}
    assert points["eyeLeft"][0] < points["nose"][0] < points["eyeRight"][0]
    assert points["mouthLeft"][0] < points["mouthRight"][0]
    assert points["eyeLeft"][1] < points["nose"][1] < points["mouthLeft"][1]
    box = face["BoundingBox"]
    assert box["Left"] < points["eyeLeft"][0]
    assert points["eyeRight"][0] < box["Left"] + box["Width"]


@pytest.mark.parametrize("attributes", [["DEFAULT"], ["ALL"], ["GENDER", "AGE_RANGE", "EMOTIONS"], []])
def test_nobodys_age_sex_or_mood_is_guessed(rekognition: Any, attributes: list[str]) -> None:
    """Whatever is asked for, the members that need a guess are absent, and the measured ones are there."""
    [face] = rekognition.detect_faces(Image=bytes_of(hopper()), Attributes=attributes)["FaceDetails"]
    assert not GUESSES & set(face)
    assert {"Pose", "Quality", "Landmarks"} <= set(face)
    assert 0 <= face["Quality"]["Brightness"] <= 100
    assert 0 <= face["Quality"]["Sharpness"] <= 100
    assert abs(face["Pose"]["Roll"]) < 30


def test_faces_come_largest_first(rekognition: Any) -> None:
    """Two in one picture, by the area of their boxes."""
    faces = rekognition.detect_faces(Image={"Bytes": png(both())})["FaceDetails"]
    areas = [face["BoundingBox"]["Width"] * face["BoundingBox"]["Height"] for face in faces]
    assert len(faces) == 2
    assert areas == sorted(areas, reverse=True)


def test_orientation_corrections_are_absent(rekognition: Any, collection: str) -> None:
    """As from Rekognition's models since version 4: boxes are of the upright image already."""
    assert "OrientationCorrection" not in rekognition.detect_faces(Image=bytes_of(hopper()))
    assert "OrientationCorrection" not in rekognition.index_faces(CollectionId=collection, Image=bytes_of(hopper()))
    compared = rekognition.compare_faces(SourceImage=bytes_of(hopper()), TargetImage=bytes_of(hopper()))
    assert not {"SourceImageOrientationCorrection", "TargetImageOrientationCorrection"} & set(compared)


def test_the_smallest_faces_above_the_limit_are_named_and_not_stored(rekognition: Any, collection: str) -> None:
    """MaxFaces keeps the largest."""
    answer = rekognition.index_faces(CollectionId=collection, Image=bytes_of(both()), MaxFaces=1, QualityFilter="NONE")
    assert len(answer["FaceRecords"]) == 1
    [unindexed] = answer["UnindexedFaces"]
    assert unindexed["Reasons"] == ["EXCEEDS_MAX_FACES"]
    assert rekognition.describe_collection(CollectionId=collection)["FaceCount"] == 1


def test_a_blurred_face_is_not_good_enough(rekognition: Any, collection: str) -> None:
    """A high bar leaves it out and says why; without a bar it's stored."""
    tiny = hopper().resize((40, 47)).resize((512, 600))
    strict = rekognition.index_faces(CollectionId=collection, Image=bytes_of(tiny), QualityFilter="HIGH")
    assert strict["FaceRecords"] == []
    assert strict["UnindexedFaces"][0]["Reasons"] != []
    lenient = rekognition.index_faces(CollectionId=collection, Image=bytes_of(tiny), QualityFilter="NONE")
    assert len(lenient["FaceRecords"]) == 1


def test_a_picture_without_faces_enrols_nobody(rekognition: Any, collection: str) -> None:
    """That is no error; both lists are empty."""
    answer = rekognition.index_faces(CollectionId=collection, Image={"Bytes": nobody()})
    assert (answer["FaceRecords"], answer["UnindexedFaces"]) == ([], [])
    assert rekognition.detect_faces(Image={"Bytes": nobody()})["FaceDetails"] == []


def test_the_same_picture_is_stored_once(rekognition: Any, collection: str) -> None:
    """Same bytes and external id, same face; another external id is another face."""

    def face_id(external: str) -> str:
        answer = rekognition.index_faces(CollectionId=collection, Image=bytes_of(hopper()), ExternalImageId=external)
        return str(answer["FaceRecords"][0]["Face"]["FaceId"])

    first = face_id("a")
    assert face_id("a") == first
    assert face_id("b") != first
    assert rekognition.describe_collection(CollectionId=collection)["FaceCount"] == 2


def enrolled(rekognition: Any, collection: str) -> dict[str, str]:
    """Enrol both portraits; gives their face ids by name."""
    return {
        name: rekognition.index_faces(CollectionId=collection, Image=bytes_of(image), ExternalImageId=name)[
            "FaceRecords"
        ][0]["Face"]["FaceId"]
        for name, image in (("hopper", hopper()), ("astronaut", astronaut()))
    }


def test_somebody_is_found_by_another_picture(rekognition: Any, collection: str) -> None:
    """And only she; the box and confidence are of the face that was searched for."""
    faces = enrolled(rekognition, collection)

    answer = rekognition.search_faces_by_image(CollectionId=collection, Image=bytes_of(another_hopper()))

    [match] = answer["FaceMatches"]
    assert match["Face"]["FaceId"] == faces["hopper"]
    assert match["Face"]["ExternalImageId"] == "hopper"
    assert 80 <= match["Similarity"] <= 100
    assert set(answer["SearchedFaceBoundingBox"]) == {"Width", "Height", "Left", "Top"}
    assert answer["SearchedFaceConfidence"] > 90


def test_a_stranger_is_nobody(rekognition: Any, collection: str) -> None:
    """No match is an answer: an empty list, never the least unlikely face."""
    rekognition.index_faces(CollectionId=collection, Image=bytes_of(hopper()))
    answer = rekognition.search_faces_by_image(CollectionId=collection, Image=bytes_of(astronaut()))
    assert answer["FaceMatches"] == []


def test_an_empty_collection_has_no_matches(rekognition: Any, collection: str) -> None:
    """Nor does it fail."""
    answer = rekognition.search_faces_by_image(CollectionId=collection, Image=bytes_of(hopper()))
    assert answer["FaceMatches"] == []


def test_a_face_is_searched_for_by_its_id(rekognition: Any, collection: str) -> None:
    """It finds the others of its person, and not itself."""
    faces = enrolled(rekognition, collection)
    other = rekognition.index_faces(CollectionId=collection, Image=bytes_of(another_hopper()))["FaceRecords"][0]["Face"]

    answer = rekognition.search_faces(CollectionId=collection, FaceId=faces["hopper"], MaxFaces=5)

    assert answer["SearchedFaceId"] == faces["hopper"]
    assert [match["Face"]["FaceId"] for match in answer["FaceMatches"]] == [other["FaceId"]]


def test_matches_come_most_similar_first_and_no_more_than_asked(rekognition: Any, collection: str) -> None:
    """MaxFaces keeps the best."""
    faces = enrolled(rekognition, collection)
    rekognition.index_faces(CollectionId=collection, Image=bytes_of(another_hopper()))
    probe = {"CollectionId": collection, "Image": bytes_of(hopper())}
    everything = rekognition.search_faces_by_image(**probe)["FaceMatches"]
    best = rekognition.search_faces_by_image(**probe, MaxFaces=1)["FaceMatches"]
    similarities = [match["Similarity"] for match in everything]
    assert len(everything) == 2
    assert similarities == sorted(similarities, reverse=True)
    assert [match["Face"]["FaceId"] for match in best] == [faces["hopper"]]


def test_an_image_without_faces_cannot_be_searched_with(rekognition: Any, collection: str) -> None:
    """The message has the words that programs look for."""
    code, message = error_of(rekognition, "SearchFacesByImage", CollectionId=collection, Image={"Bytes": nobody()})
    assert code == "InvalidParameterException"
    assert "no faces" in message


def test_faces_are_listed_page_by_page(rekognition: Any, collection: str) -> None:
    """boto3's paginator meets each face once; the last page has no token."""
    wanted = {
        rekognition.index_faces(
            CollectionId=collection, Image=bytes_of(hopper().resize((200, 234))), ExternalImageId=str(n)
        )["FaceRecords"][0]["Face"]["FaceId"]
        for n in range(5)
    }
    pages = list(
        rekognition.get_paginator("list_faces").paginate(CollectionId=collection, PaginationConfig={"PageSize": 2})
    )
    found = [face["FaceId"] for page in pages for face in page["Faces"]]
    assert [len(page["Faces"]) for page in pages] == [2, 2, 1]
    assert sorted(found) == sorted(wanted)
    assert "NextToken" not in pages[-1]


def test_listed_faces_say_what_is_known_of_them(rekognition: Any, collection: str) -> None:
    """Filtered by id and by user; the user is named where there is one."""
    faces = enrolled(rekognition, collection)
    rekognition.create_user(CollectionId=collection, UserId="grace")
    rekognition.associate_faces(CollectionId=collection, UserId="grace", FaceIds=[faces["hopper"]])

    by_id = rekognition.list_faces(CollectionId=collection, FaceIds=[faces["astronaut"], ABSENT])["Faces"]
    by_user = rekognition.list_faces(CollectionId=collection, UserId="grace")["Faces"]

    assert [(face["FaceId"], face["ExternalImageId"]) for face in by_id] == [(faces["astronaut"], "astronaut")]
    assert "UserId" not in by_id[0]
    assert [(face["FaceId"], face["UserId"]) for face in by_user] == [(faces["hopper"], "grace")]
    assert error_of(rekognition, "ListFaces", CollectionId=collection, UserId="x")[0] == "ResourceNotFoundException"


def test_a_page_token_belongs_to_its_list(rekognition: Any, collection: str) -> None:
    """Another collection's, another filter's or a made-up token is refused."""
    enrolled(rekognition, collection)
    token = rekognition.list_faces(CollectionId=collection, MaxResults=1)["NextToken"]
    rekognition.create_collection(CollectionId=f"{collection}-other")
    assert rekognition.list_faces(CollectionId=collection, NextToken=token)["Faces"] != []
    for arguments in (
        {"CollectionId": f"{collection}-other", "NextToken": token},
        {"CollectionId": collection, "NextToken": token, "FaceIds": [ABSENT]},
        {"CollectionId": collection, "NextToken": token[:-1]},
        {"CollectionId": collection, "NextToken": "made up"},
        {"CollectionId": collection, "NextToken": ""},
    ):
        assert error_of(rekognition, "ListFaces", **arguments)[0] == "InvalidPaginationTokenException"


def test_deleted_faces_are_gone(rekognition: Any, collection: str) -> None:
    """From the list and from the next search; what wasn't there is named, and so is what belongs to a user."""
    faces = enrolled(rekognition, collection)
    rekognition.create_user(CollectionId=collection, UserId="eileen")
    rekognition.associate_faces(CollectionId=collection, UserId="eileen", FaceIds=[faces["astronaut"]])

    answer = rekognition.delete_faces(
        CollectionId=collection, FaceIds=[faces["hopper"], ABSENT, faces["astronaut"], faces["hopper"]]
    )

    assert answer["DeletedFaces"] == [faces["hopper"]]
    assert answer["UnsuccessfulFaceDeletions"] == [
        {"FaceId": faces["astronaut"], "UserId": "eileen", "Reasons": ["ASSOCIATED_TO_AN_EXISTING_USER"]},
        {"FaceId": ABSENT, "Reasons": ["FACE_NOT_FOUND"]},
    ]
    assert [face["FaceId"] for face in rekognition.list_faces(CollectionId=collection)["Faces"]] == [faces["astronaut"]]
    assert rekognition.search_faces_by_image(CollectionId=collection, Image=bytes_of(hopper()))["FaceMatches"] == []


def test_two_pictures_of_one_person_match(rekognition: Any) -> None:
    """The source's largest face against every face of the target: who matches and who doesn't."""
    answer = rekognition.compare_faces(SourceImage=bytes_of(another_hopper()), TargetImage=bytes_of(both()))
    [match], [other] = answer["FaceMatches"], answer["UnmatchedFaces"]
    assert 80 <= match["Similarity"] <= 100
    assert match["Face"]["BoundingBox"]["Left"] < other["BoundingBox"]["Left"]
    for face in (match["Face"], other):
        assert set(face) == {"BoundingBox", "Confidence", "Landmarks", "Pose", "Quality"}
    assert set(answer["SourceImageFace"]) == {"BoundingBox", "Confidence"}


def test_two_people_do_not_match(rekognition: Any) -> None:
    """No match is no error, and a threshold of zero shows how unlike they are."""
    pictures = {"SourceImage": bytes_of(hopper()), "TargetImage": bytes_of(astronaut())}
    default = rekognition.compare_faces(**pictures)
    everything = rekognition.compare_faces(**pictures, SimilarityThreshold=0)
    assert default["FaceMatches"] == []
    assert len(default["UnmatchedFaces"]) == 1
    assert everything["FaceMatches"][0]["Similarity"] < 80
    assert everything["UnmatchedFaces"] == []


@pytest.mark.parametrize("faceless", ["SourceImage", "TargetImage"])
def test_comparing_with_a_picture_of_nobody_is_refused(rekognition: Any, faceless: str) -> None:
    """On either side, in the words that programs look for."""
    pictures = {"SourceImage": bytes_of(hopper()), "TargetImage": bytes_of(hopper())} | {faceless: {"Bytes": nobody()}}
    code, message = error_of(rekognition, "CompareFaces", **pictures)
    assert code == "InvalidParameterException"
    assert "no faces" in message


def test_images_are_read_from_a_bucket(rekognition: Any, collection: str) -> None:
    """Where most programs keep them."""
    place = {"S3Object": {"Bucket": "photos", "Name": "hopper.jpg"}}
    assert len(rekognition.index_faces(CollectionId=collection, Image=place)["FaceRecords"]) == 1
    found = rekognition.search_faces_by_image(CollectionId=collection, Image=place)
    assert len(found["FaceMatches"]) == 1


def test_a_search_sees_what_was_just_written(rekognition: Any, server: Server, collection: str) -> None:
    """Enrolment is acknowledged when the next search finds it, through whichever connection."""
    for number in range(3):
        rekognition.index_faces(CollectionId=collection, Image=bytes_of(hopper()), ExternalImageId=str(number))
        found = server.client().search_faces_by_image(CollectionId=collection, Image=bytes_of(hopper()))
        assert len(found["FaceMatches"]) == number + 1
