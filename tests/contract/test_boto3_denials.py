"""Every operation asks the policy for its own act, for the gallery that it names, and for nothing else."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

import pytest

from recognizance.aws import (
    Arns,
    Dispatcher,
    ImageSource,
    PageTokens,
    open_store,
    rekognition_handlers,
)
from recognizance.errors import DeniedError
from recognizance.governance import AT_THE_MACHINE, Asking, Policy, Principal
from recognizance.governing.access import principal_of
from recognizance.identifiers import DecisionId, GalleryId, PrincipalId
from recognizance.permits import Action, Permit

from .rekognition_world import MODEL, REGION, Server, hopper, jpeg

GALLERY = GalleryId("guarded")
ARN = f"arn:aws:rekognition:{REGION}:000000000000:collection/{GALLERY}"
FACE = str(uuid.UUID(int=9))

ACTS: dict[str, Action] = {
    "CreateCollection": Action.MANAGE_GALLERY,
    "DeleteCollection": Action.MANAGE_GALLERY,
    "TagResource": Action.MANAGE_GALLERY,
    "UntagResource": Action.MANAGE_GALLERY,
    "DescribeCollection": Action.READ_GALLERY,
    "ListCollections": Action.READ_GALLERY,
    "ListFaces": Action.READ_GALLERY,
    "ListUsers": Action.READ_GALLERY,
    "ListTagsForResource": Action.READ_GALLERY,
    "IndexFaces": Action.ENROL,
    "CreateUser": Action.ENROL,
    "AssociateFaces": Action.ENROL,
    "DisassociateFaces": Action.ENROL,
    "DeleteFaces": Action.FORGET,
    "DeleteUser": Action.FORGET,
    "SearchFaces": Action.SEARCH,
    "SearchFacesByImage": Action.SEARCH,
    "SearchUsers": Action.SEARCH,
    "SearchUsersByImage": Action.SEARCH,
    "DetectFaces": Action.DETECT,
    "CompareFaces": Action.COMPARE,
}
WITHOUT_GALLERY = {"ListCollections", "DetectFaces", "CompareFaces"}


class OneActPolicy(Policy):
    """Permits one act on one gallery, and remembers what it was asked for."""

    def __init__(self, act: Action | None, gallery: GalleryId | None) -> None:
        super().__init__()
        self.act = act
        self.gallery = gallery
        self.asked: set[tuple[Action, GalleryId | None]] = set()

    def decide(
        self,
        principal: Principal,
        action: Action,
        *,
        gallery: GalleryId | None,
        decision_id: DecisionId,
        asking: Asking = AT_THE_MACHINE,
    ) -> Permit:
        self.asked.add((action, gallery))
        if (action, gallery) != (self.act, self.gallery):
            raise DeniedError(f"not {action.value}", decision_id=decision_id)
        return super().decide(principal, action, gallery=gallery, decision_id=decision_id, asking=asking)


def request_of(operation: str) -> dict[str, Any]:
    """A request that is sound as far as the service model goes."""
    picture = {"S3Object": {"Bucket": "photos", "Name": "hopper.jpg"}}
    everything: dict[str, Any] = {
        "CollectionId": GALLERY,
        "ResourceArn": ARN,
        "Tags": {"a": "b"},
        "TagKeys": ["a"],
        "UserId": "user",
        "FaceId": FACE,
        "FaceIds": [FACE],
        "Image": picture,
        "SourceImage": picture,
        "TargetImage": picture,
    }
    members = MODEL.operations[operation].takes.members
    request = {name: value for name, value in everything.items() if name in members}
    if operation == "SearchUsers":
        del request["UserId"]
    if operation == "ListFaces":
        del request["UserId"]
    return request


def ask(server: Server, policy: Policy, operation: str) -> Mapping[str, Any]:
    """Ask the server's own service, but through `policy`."""
    service = server.service
    handlers = rekognition_handlers(
        galleries=service.galleries,
        enrolment=service.enrolment,
        subjects=service.subjects,
        search=service.search,
        oneshot=service.oneshot,
        model=service.reader.model,
        images=ImageSource(open_store(service.settings)),
        tokens=PageTokens(bytes(32)),
        arns=Arns(REGION, "000000000000"),
        erasure=service.erasure,
    )
    assert sorted(handlers) == sorted(ACTS)
    response = Dispatcher(MODEL, handlers, policy=policy, new_id=lambda: "decision").dispatch(
        target=f"RekognitionService.{operation}",
        content_type="application/x-amz-json-1.1",
        body=json.dumps(request_of(operation)).encode(),
        principal=principal_of(PrincipalId("somebody")),
        asking=AT_THE_MACHINE,
        request_id="request",
    )
    said: dict[str, Any] = json.loads(response.body)
    return said


@pytest.fixture
def guarded(rekognition: Any) -> None:  # boto3 ships no types
    """A collection with a user and a face in it, unless an earlier test left it."""
    if GALLERY not in rekognition.list_collections()["CollectionIds"]:
        rekognition.create_collection(CollectionId=GALLERY)
    rekognition.index_faces(CollectionId=GALLERY, Image={"Bytes": jpeg(hopper())})


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize("operation", ACTS)
def test_nothing_is_done_without_a_permit(server: Server, operation: str) -> None:
    """A policy that permits nothing refuses every operation, and the answer says under which decision."""
    said = ask(server, OneActPolicy(None, None), operation)
    assert said["__type"] == "AccessDeniedException"
    assert "decision" in said["Message"]


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize("operation", ACTS)
def test_an_operation_needs_its_own_act_and_no_other(server: Server, operation: str) -> None:
    """A policy that permits just that act on just that gallery lets it through, and is asked for nothing more."""
    gallery = None if operation in WITHOUT_GALLERY else GALLERY
    policy = OneActPolicy(ACTS[operation], gallery)
    assert ask(server, policy, operation).get("__type") != "AccessDeniedException"
    assert policy.asked == {(ACTS[operation], gallery)}


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize("operation", [name for name in ACTS if name not in WITHOUT_GALLERY])
def test_a_permit_for_another_gallery_is_no_permit(server: Server, operation: str) -> None:
    """The act alone is not enough."""
    said = ask(server, OneActPolicy(ACTS[operation], GalleryId("another")), operation)
    assert said["__type"] == "AccessDeniedException"
