"""Targets to operations, and errors to AWS's codes, held to the service model."""

import json
import logging

import pytest

from recognizance.aws.dispatch import ERROR_CODES, Call, Response, error_code
from recognizance.aws.images import S3ObjectError
from recognizance.aws.pagination import PageTokenError
from recognizance.aws.shapes import Answer, Members, SerializationError
from recognizance.aws.sigv4 import Fault, SignatureError
from recognizance.aws.unsupported import LATER, NEVER, why_unsupported
from recognizance.errors import (
    ConflictError,
    CorruptionError,
    DeniedError,
    Error,
    ImageError,
    ImageTooLargeError,
    InputError,
    LimitError,
    NotFoundError,
    ThrottledError,
    TokenReusedError,
    UnavailableError,
)
from recognizance.governance import AT_THE_MACHINE, Principal
from recognizance.governing.access import principal_of
from recognizance.identifiers import PrincipalId
from recognizance.permits import Action

from .wire import MODEL, dispatcher_of

SUPPORTED = [
    *["CreateCollection", "DeleteCollection", "DescribeCollection", "ListCollections"],
    *["IndexFaces", "ListFaces", "DeleteFaces", "SearchFaces", "SearchFacesByImage"],
    *["CreateUser", "DeleteUser", "ListUsers", "AssociateFaces", "DisassociateFaces"],
    *["SearchUsers", "SearchUsersByImage", "DetectFaces", "CompareFaces"],
    *["TagResource", "UntagResource", "ListTagsForResource"],
]
EVERYBODY = principal_of(PrincipalId("tester"))


def ask(
    error: Exception | None = None,
    *,
    operation: str = "ListCollections",
    target: str | None = None,
    content_type: str | None = "application/x-amz-json-1.1",
    body: bytes = b"{}",
    principal: Principal = EVERYBODY,
) -> Response:
    """Dispatch one request to a handler that raises `error`, or answers."""

    def handler(_: Members, call: Call) -> dict[str, Answer]:
        if error is not None:
            raise error
        return {}

    return dispatcher_of({operation: handler}).dispatch(
        target=f"RekognitionService.{operation}" if target is None else target or None,
        content_type=content_type,
        body=body,
        principal=principal,
        asking=AT_THE_MACHINE,
        request_id="request",
    )


def code_of(response: Response) -> str:
    said = json.loads(response.body)
    assert said["__type"] == said["Code"] == response.code
    return str(said["__type"])


def test_the_operations_of_the_service_are_those_that_are_answered_later_or_never() -> None:
    """All 75 of the model, each in one of the three, and nothing else."""
    assert sorted([*SUPPORTED, *LATER, *NEVER]) == sorted(MODEL.operations)


@pytest.mark.parametrize("operation", SUPPORTED)
@pytest.mark.parametrize("raised", [kind for kind, _ in ERROR_CODES], ids=lambda kind: kind.__name__)
def test_every_error_becomes_one_that_the_operation_declares(operation: str, raised: type[Error]) -> None:
    """Clients have a class for each declared error, and none for others."""
    shape = MODEL.operations[operation]
    assert error_code(raised("what"), shape) in shape.errors


@pytest.mark.parametrize(
    ("operation", "error", "code", "status"),
    [
        ("DescribeCollection", NotFoundError("n"), "ResourceNotFoundException", 400),
        ("CreateCollection", ConflictError("c"), "ResourceAlreadyExistsException", 400),
        ("CreateUser", ConflictError("c"), "ConflictException", 400),
        ("CreateUser", TokenReusedError("t"), "IdempotentParameterMismatchException", 400),
        ("IndexFaces", ConflictError("c"), "InvalidParameterException", 400),
        ("IndexFaces", LimitError("l"), "ServiceQuotaExceededException", 400),
        ("AssociateFaces", LimitError("l"), "ServiceQuotaExceededException", 400),
        ("ListFaces", PageTokenError("p"), "InvalidPaginationTokenException", 400),
        ("DetectFaces", S3ObjectError("s"), "InvalidS3ObjectException", 400),
        ("DetectFaces", ImageTooLargeError("i"), "ImageTooLargeException", 400),
        ("DetectFaces", ImageError("i"), "InvalidImageFormatException", 400),
        ("DetectFaces", InputError("i"), "InvalidParameterException", 400),
        ("DetectFaces", NotFoundError("n"), "InvalidParameterException", 400),
        ("DetectFaces", DeniedError("d", decision_id="7"), "AccessDeniedException", 400),
        ("DetectFaces", ThrottledError("t"), "ThrottlingException", 500),
        ("DetectFaces", UnavailableError("u"), "InternalServerError", 500),
        ("DetectFaces", CorruptionError("c"), "InternalServerError", 500),
        ("DetectFaces", SerializationError("s"), "SerializationException", 400),
        ("DetectFaces", ValueError("v"), "InternalServerError", 500),
        ("DetectFaces", MemoryError(), "InternalServerError", 500),
    ],
)
def test_each_class_has_its_code_and_status(operation: str, error: Exception, code: str, status: int) -> None:
    """The table says what it should, the narrowest class first."""
    image = b'{"Image":{},"CollectionId":"c","UserId":"u","FaceIds":["11111111-2222-3333-4444-555555555555"]}'
    members = MODEL.operations[operation].takes.members
    body = json.dumps({name: value for name, value in json.loads(image).items() if name in members}).encode()
    response = ask(error, operation=operation, body=body)
    assert (code_of(response), response.status) == (code, status)


def test_a_mistake_of_ours_is_a_bare_500_and_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """The caller learns nothing of it but the number under which we find it."""
    with caplog.at_level(logging.ERROR):
        response = ask(KeyError("secret detail"))
    assert b"secret detail" not in response.body
    assert json.loads(response.body)["Logref"] == "request"
    assert "request request failed" in caplog.text


def test_a_refusal_says_which_decision_it_was() -> None:
    """So that an overseer can be asked about it."""
    said = json.loads(ask(DeniedError("not you", decision_id="d-42")).body)
    assert said["Message"] == "not you (decision d-42)"


def test_somebody_without_a_role_is_denied() -> None:
    """A handler's permit comes from the policy, which asks who is calling."""

    def handler(_: Members, call: Call) -> dict[str, Answer]:
        call.permit(Action.READ_GALLERY)
        return {}

    response = dispatcher_of({"ListCollections": handler}).dispatch(
        target="RekognitionService.ListCollections",
        content_type="application/x-amz-json-1.1",
        body=b"{}",
        principal=Principal(PrincipalId("nobody"), frozenset()),
        asking=AT_THE_MACHINE,
        request_id="request",
    )

    assert code_of(response) == "AccessDeniedException"
    assert b"decision" in response.body


@pytest.mark.parametrize("operation", [*LATER, *NEVER])
def test_an_operation_that_is_not_supported_says_why(operation: str) -> None:
    """By its name, and whether it comes later or never."""
    response = ask(target=f"RekognitionService.{operation}")
    assert code_of(response) == "UnknownOperationException"
    assert json.loads(response.body)["Message"] == why_unsupported(operation)
    assert why_unsupported(operation) is not None


@pytest.mark.parametrize(
    "target", ["", "ListCollections", "RekognitionService.", "RekognitionService.Nothing", "DynamoDB_20120810.GetItem"]
)
def test_an_unknown_target_is_no_operation(target: str) -> None:
    """Neither another service's, nor a name that does not exist, nor none at all."""
    assert code_of(ask(target=target)) == "UnknownOperationException"


@pytest.mark.parametrize("content_type", [None, "application/json", "application/x-amz-json-1.0", "text/plain"])
def test_another_content_type_is_refused(content_type: str | None) -> None:
    """A browser's form can't make a request."""
    assert code_of(ask(content_type=content_type)) == "SerializationException"


def test_a_parameter_of_the_content_type_is_allowed() -> None:
    """Some clients add their character set."""
    assert ask(content_type="Application/X-Amz-Json-1.1; charset=utf-8").status == 200


@pytest.mark.parametrize("fault", Fault)
def test_signatures_have_codes_of_their_own(fault: Fault) -> None:
    """They come before any operation, so no operation declares them."""
    assert error_code(SignatureError(fault, "no"), None) == fault.value


def test_a_handler_for_an_operation_that_does_not_exist_is_refused() -> None:
    """A misspelt name would otherwise never be found."""
    with pytest.raises(ValueError, match="ListColections"):
        dispatcher_of({"ListColections": lambda *_: {}})
