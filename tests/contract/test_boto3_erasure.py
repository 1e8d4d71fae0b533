"""DeleteFaces and DeleteCollection through boto3 are erasures on the record, and their answers carry the receipts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from recognizance.forgetting.erasure import PROOF_KIND, Proof
from recognizance.governance.codec import read_document
from recognizance.governing.registration import at_the_machine
from recognizance.identifiers import GalleryId
from recognizance.records import Needles

from .rekognition_world import REGION, Server, astronaut, error_of, jpeg


def entries_of(answer: dict[str, Any]) -> list[int]:
    """The indexes of the ledger's entries that an answer names."""
    named = answer["ResponseMetadata"]["HTTPHeaders"].get("x-recognizance-entry", "")
    return [int(index) for index in named.split(",") if index]


def test_deleting_a_face_leaves_an_erasure_with_a_receipt(rekognition: Any, server: Server, collection: str) -> None:
    """The answer names two entries, the gallery's and the erasure's; a face that isn't there is told of."""
    indexed = rekognition.index_faces(CollectionId=collection, Image={"Bytes": jpeg(astronaut())})
    face = indexed["FaceRecords"][0]["Face"]["FaceId"]
    unknown = "00000000-0000-4000-8000-000000000000"

    deleted = rekognition.delete_faces(CollectionId=collection, FaceIds=[face, unknown])

    with server.service.records.reading() as reader:
        documents = reader.documents(PROOF_KIND, limit=1000)
    proofs = [read_document(Proof, document.body) for document in documents]
    [proof] = [each for each in proofs if each.gallery == collection]
    assert deleted["DeletedFaces"] == [face]
    assert len(entries_of(deleted)) == 2
    assert "x-recognizance-receipt" in deleted["ResponseMetadata"]["HTTPHeaders"]
    assert (proof.faces, proof.images, proof.cause) == (1, 1, "deletion")
    assert [each["FaceId"] for each in deleted["UnsuccessfulFaceDeletions"]] == [unknown]
    assert server.service.erasure.traces(Needles(ids=[face])) == ()


def test_deleting_a_collection_leaves_an_erasure_with_a_proof(
    rekognition: Any, server: Server, collection: str
) -> None:
    """The answer names the gallery's entry and the erasure's, and nothing of the face is left anywhere."""
    indexed = rekognition.index_faces(CollectionId=collection, Image={"Bytes": jpeg(astronaut())})
    face = indexed["FaceRecords"][0]["Face"]["FaceId"]

    deleted = rekognition.delete_collection(CollectionId=collection)

    with server.service.records.reading() as reader:
        documents = reader.documents(PROOF_KIND, limit=1000)
    [proof] = [proof for document in documents if (proof := read_document(Proof, document.body)).gallery == collection]
    assert deleted["StatusCode"] == 200
    assert len(entries_of(deleted)) == 2
    assert (proof.scope, proof.faces, proof.images, proof.version_after) == ("gallery", 1, 1, 0)
    assert server.service.erasure.traces(Needles(ids=[face])) == ()
    assert error_of(rekognition, "DeleteCollection", CollectionId=collection)[0] == "ResourceNotFoundException"


def test_an_order_to_preserve_keeps_a_collection(rekognition: Any, server: Server, collection: str) -> None:
    """The error is one that a client knows, and says until when; nothing of the collection is touched."""
    indexed = rekognition.index_faces(CollectionId=collection, Image={"Bytes": jpeg(astronaut())})
    face = indexed["FaceRecords"][0]["Face"]["FaceId"]
    until = datetime.now(UTC).date() + timedelta(days=9)
    server.service.retention.hold(
        face, document_sha256="0" * 64, until=until, gallery=GalleryId(collection), by=at_the_machine()
    )

    refused = [
        error_of(rekognition, "DeleteCollection", CollectionId=collection),
        error_of(rekognition, "DeleteFaces", CollectionId=collection, FaceIds=[face]),
    ]

    assert [code for code, _ in refused] == ["InvalidParameterException"] * 2
    assert all("order to preserve" in message and str(until) in message for _, message in refused)
    assert rekognition.describe_collection(CollectionId=collection)["FaceCount"] == 1


def test_deleting_faces_that_are_not_there_deletes_nothing_and_says_which(server: Server, collection: str) -> None:
    """An empty list of the deleted, which clients read as such, each unknown face with its reason, and no entry."""
    unknown = "00000000-0000-4000-8000-000000000000"
    # The one answer that isn't what the model says (docs/operations.md), so it isn't held to the model here.
    client = boto3.client(
        "rekognition",
        endpoint_url=server.endpoint,
        region_name=REGION,
        aws_access_key_id=server.key_id,
        aws_secret_access_key=server.secret,
    )

    answer = client.delete_faces(CollectionId=collection, FaceIds=[unknown])

    assert answer["DeletedFaces"] == []
    assert answer["UnsuccessfulFaceDeletions"] == [{"FaceId": unknown, "Reasons": ["FACE_NOT_FOUND"]}]
    assert entries_of(answer) == []
    assert server.service.erasure.traces(Needles(ids=[unknown])) == ()
