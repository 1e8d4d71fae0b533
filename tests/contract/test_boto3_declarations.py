"""Where a collection's faces come from, said through boto3: with tags, before the first face, and for good."""

import itertools
import time
from typing import Any

import pytest

from recognizance.declarations import AGENCY_TAG, BASIS_TAG, SOURCE_TAG
from recognizance.ledger import Entry, FolderSource, facts, prove, read_checkpoint

from .rekognition_world import Server, astronaut, error_of, jpeg

_numbers = itertools.count(1)
DECLARED = {SOURCE_TAG: "subject", BASIS_TAG: "explicit_consent"}


@pytest.fixture
def name() -> str:
    """Of a collection that nobody has created."""
    return f"declared-{next(_numbers)}"


def tags_of(rekognition: Any, name: str) -> dict[str, str]:
    arn = rekognition.describe_collection(CollectionId=name)["CollectionARN"]
    tags: dict[str, str] = rekognition.list_tags_for_resource(ResourceArn=arn)["Tags"]
    return tags


def said(server: Server, answer: dict[str, Any]) -> list[facts.Facts]:
    """What the ledger has of a call, proven from its public files."""
    indexes = answer["ResponseMetadata"]["HTTPHeaders"]["x-recognizance-entry"].split(",")
    source, keys = FolderSource(server.service.recorder.public), (server.service.recorder.verifier,)
    # The public files follow right after the receipt.
    deadline = time.monotonic() + 10
    while read_checkpoint(source, keys).checkpoint.size <= int(indexes[-1]):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return [Entry.parse(prove(source, keys, int(index)).entry).facts for index in indexes]


def test_a_collection_is_declared_as_it_is_created(rekognition: Any, server: Server, name: str) -> None:
    """Source and basis are in the ledger, whose entry names who said so; the caller's own tags stay theirs."""
    created = rekognition.create_collection(CollectionId=name, Tags={**DECLARED, "team": "doors"})
    following = rekognition.index_faces(CollectionId=name, Image={"Bytes": jpeg(astronaut())})

    declared, gallery = said(server, created)
    assert isinstance(declared, facts.GalleryDeclaration)
    assert isinstance(gallery, facts.Gallery)
    assert (declared.gallery, declared.source, declared.lawful_basis) == (name, "subject", "explicit_consent")
    assert (gallery.source, gallery.lawful_basis, gallery.agency) == ("subject", "explicit_consent", declared.agency)
    assert tags_of(rekognition, name) == {**DECLARED, AGENCY_TAG: declared.agency, "team": "doors"}
    assert len(following["FaceRecords"]) == 1


def test_an_empty_collection_can_be_declared_and_declared_anew(rekognition: Any, server: Server, name: str) -> None:
    """With TagResource; what isn't named stays as it was."""
    rekognition.create_collection(CollectionId=name)
    arn = rekognition.describe_collection(CollectionId=name)["CollectionARN"]
    rekognition.tag_resource(ResourceArn=arn, Tags=DECLARED)

    again = rekognition.tag_resource(ResourceArn=arn, Tags={BASIS_TAG: "written_release"})

    assert [each.kind for each in said(server, again)] == ["gallery_declaration", "gallery"]
    tags = tags_of(rekognition, name)
    assert (tags[SOURCE_TAG], tags[BASIS_TAG]) == ("subject", "written_release")


def test_what_was_declared_is_fixed_once_a_face_is_there(rekognition: Any, name: str) -> None:
    """The error says why and what to do; other tags change as ever, and the same words are no change."""
    rekognition.create_collection(CollectionId=name, Tags=DECLARED)
    rekognition.index_faces(CollectionId=name, Image={"Bytes": jpeg(astronaut())})
    arn = rekognition.describe_collection(CollectionId=name)["CollectionARN"]

    changed = error_of(rekognition, "TagResource", ResourceArn=arn, Tags={SOURCE_TAG: "arrest_record"})
    removed = error_of(rekognition, "UntagResource", ResourceArn=arn, TagKeys=[SOURCE_TAG, "team"])
    rekognition.tag_resource(ResourceArn=arn, Tags={**DECLARED, "team": "doors"})

    assert changed[0] == removed[0] == "InvalidParameterException"
    assert "holds 1 faces" in changed[1]
    assert "enrol into another one" in changed[1]
    assert "declared for good" in removed[1]
    tags = tags_of(rekognition, name)
    assert (tags[SOURCE_TAG], tags["team"]) == ("subject", "doors")


def test_faces_of_an_undeclared_collection_are_not_declared_afterwards(rekognition: Any, collection: str) -> None:
    """Nobody can say for them where they came from; in the profile private they are the owner's own photographs."""
    rekognition.index_faces(CollectionId=collection, Image={"Bytes": jpeg(astronaut())})
    arn = rekognition.describe_collection(CollectionId=collection)["CollectionARN"]

    code, message = error_of(rekognition, "TagResource", ResourceArn=arn, Tags=DECLARED)

    assert (code, "afterwards" in message) == ("InvalidParameterException", True)
    assert tags_of(rekognition, collection) == {}


@pytest.mark.parametrize(
    ("tags", "code", "why"),
    [
        ({**DECLARED, SOURCE_TAG: "scraped"}, "AccessDeniedException", "not collected from the internet"),
        (
            {**DECLARED, SOURCE_TAG: "somewhere"},
            "InvalidParameterException",
            "it is one of 'subject', 'own_photograph'",
        ),
        ({SOURCE_TAG: "subject"}, "InvalidParameterException", "both recognizance:source and recognizance:basis"),
        ({"recognizance:origin": "subject"}, "InvalidParameterException", "no tag 'recognizance:origin'"),
        ({**DECLARED, AGENCY_TAG: "somebody-else"}, "InvalidParameterException", "'somebody-else'"),
    ],
    ids=["scraped", "no word", "half", "no tag", "another's"],
)
def test_a_declaration_that_is_none_creates_nothing(
    rekognition: Any, name: str, tags: dict[str, str], code: str, why: str
) -> None:
    """Scraped images are refused by policy, on the record; the rest is a mistake that the message names."""
    refused = error_of(rekognition, "CreateCollection", CollectionId=name, Tags=tags)

    assert refused[0] == code
    assert why in refused[1]
    assert error_of(rekognition, "DescribeCollection", CollectionId=name)[0] == "ResourceNotFoundException"


def test_the_name_of_a_deleted_collection_stays_declared(rekognition: Any, name: str) -> None:
    """Uses were approved for it by that name, so it can't come to mean another agency's faces unsaid."""
    rekognition.create_collection(CollectionId=name, Tags=DECLARED)
    rekognition.delete_collection(CollectionId=name)
    rekognition.create_collection(CollectionId=name)

    assert tags_of(rekognition, name)[SOURCE_TAG] == "subject"
