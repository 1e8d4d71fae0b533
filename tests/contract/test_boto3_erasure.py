"""DeleteFaces through boto3 is an erasure on the record, and its answer carries the receipt."""

from typing import Any

from recognizance.forgetting.erasure import PROOF_KIND, Proof
from recognizance.governance.codec import read_document
from recognizance.records import Needles

from .rekognition_world import Server, astronaut, jpeg


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
