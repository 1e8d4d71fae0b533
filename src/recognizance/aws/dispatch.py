"""One request of AWS's JSON 1.1 protocol: from `X-Amz-Target` to an operation, and from an answer or error to bytes.

Knows nothing of HTTP's transport and nothing of what operations do. The one table of errors is here: which of our
classes becomes which AWS code. tests/aws/test_dispatch.py holds it to the service model, operation by operation.
"""

import base64
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

from recognizance.aws.images import S3ObjectError
from recognizance.aws.pagination import PageTokenError
from recognizance.aws.service_model import OperationShape, ServiceModel
from recognizance.aws.shapes import Answer, Members, SerializationError, check_request, encode_answer
from recognizance.aws.sigv4 import SignatureError
from recognizance.aws.unsupported import why_unsupported
from recognizance.aws.wording import in_rekognitions_words
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
from recognizance.governance import Asking, Policy, Principal, SearchFacts
from recognizance.governance.requests import EnrolmentFacts
from recognizance.identifiers import DecisionId, GalleryId
from recognizance.permits import Action, Permit
from recognizance.recording import Promised

CONTENT_TYPE = "application/x-amz-json-1.1"
TARGET_PREFIX = "RekognitionService."
MAX_MESSAGE = 2_000

ENTRY_HEADER = "x-recognizance-entry"
RECEIPT_HEADER = "x-recognizance-receipt"
# Common servers and proxies take headers of 8 KiB in all. A receipt of a million entries has under 2 KiB.
MAX_RECEIPT_CHARACTERS = 6_000

_log = logging.getLogger(__name__)


class UnknownOperationError(InputError):
    """The request names no operation that this service has."""


ERROR_CODES: tuple[tuple[type[Error], tuple[str, ...]], ...] = (
    (PageTokenError, ("InvalidPaginationTokenException",)),
    (S3ObjectError, ("InvalidS3ObjectException",)),
    (TokenReusedError, ("IdempotentParameterMismatchException",)),
    (ImageTooLargeError, ("ImageTooLargeException",)),
    (ImageError, ("InvalidImageFormatException",)),
    (NotFoundError, ("ResourceNotFoundException",)),
    (ConflictError, ("ResourceAlreadyExistsException", "ConflictException")),
    (LimitError, ("ServiceQuotaExceededException",)),
    (InputError, ("InvalidParameterException",)),
    (DeniedError, ("AccessDeniedException",)),
    (ThrottledError, ("ThrottlingException",)),
    (UnavailableError, ("InternalServerError",)),
    (CorruptionError, ("InternalServerError",)),
)
"""Our classes, the narrowest first, and their AWS codes; of several, the first that the operation declares.

An error whose codes the operation does not declare becomes InvalidParameterException if the caller has to act.
"""

# Codes of the protocol and not of an operation: no service model declares them.
_SERIALIZATION = "SerializationException"
_UNKNOWN_OPERATION = "UnknownOperationException"
_INTERNAL = "InternalServerError"


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back. The body is JSON, errors included."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    code: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks, what they brought, and their door to permits.

    Attributes:
        headers: What the operation says beside its answer, for which the protocol has no place.
    """

    principal: Principal
    policy: Policy
    new_id: Callable[[], str]
    asking: Asking
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def permit(
        self,
        action: Action,
        gallery: GalleryId | None = None,
        *,
        search: SearchFacts | None = None,
        enrolment: EnrolmentFacts | None = None,
    ) -> Permit:
        """Ask the policy.

        Args:
            search: What a search or comparison asks for; without it, both are refused.
            enrolment: Where images are said to come from, as a declaration of their gallery states it.

        Raises:
            DeniedError: If it refuses.
        """
        decision = DecisionId(self.new_id())
        asking = replace(self.asking, search=search, enrolment=enrolment or self.asking.enrolment)
        return self.policy.decide(self.principal, action, gallery=gallery, decision_id=decision, asking=asking)


Handler = Callable[[Members, Call], Mapping[str, Answer]]
"""One operation: a checked request to an answer."""


Following = Callable[[], AbstractContextManager[Sequence[Promised]]]
"""Collects what is promised while a block runs, by this thread."""


def _nobody_follows() -> AbstractContextManager[Sequence[Promised]]:
    return nullcontext(())


class Dispatcher:
    """Answers requests whose sender is known.

    Args:
        handlers: One for each operation that is supported, by its name.
        new_id: Draws ids for decisions.
        following: Collects the ledger entries that an operation promises, whose receipts go with the answer.
    """

    def __init__(
        self,
        model: ServiceModel,
        handlers: Mapping[str, Handler],
        *,
        policy: Policy,
        new_id: Callable[[], str],
        following: Following = _nobody_follows,
    ) -> None:
        unknown = set(handlers) - set(model.operations)
        if unknown:
            raise ValueError(f"the service model has no operation {', '.join(sorted(unknown))}")
        self.model = model
        self._handlers = handlers
        self._policy = policy
        self._new_id = new_id
        self._following = following

    def dispatch(
        self,
        *,
        target: str | None,
        content_type: str | None,
        body: bytes,
        principal: Principal,
        asking: Asking,
        request_id: str,
    ) -> Response:
        """Answer one request. Raises nothing: whatever goes wrong is an error in AWS's form.

        An answer, and a refusal as well, carries the receipt of its entry in the ledger in headers.
        """
        with self._following() as promised:
            response = self._answer(target, content_type, body, principal, asking, request_id)
        return replace(response, headers={**response.headers, **receipt_headers(promised)})

    def _answer(
        self,
        target: str | None,
        content_type: str | None,
        body: bytes,
        principal: Principal,
        asking: Asking,
        request_id: str,
    ) -> Response:
        operation: OperationShape | None = None
        try:
            name = self._operation_name(target, content_type)
            operation = self.model.operations[name]
            call = Call(principal, self._policy, self._new_id, asking)
            answer = self._handlers[name](check_request(operation, body), call)
            return Response(200, encode_answer(answer), {**_headers(request_id), **call.headers})
        except Exception as error:  # noqa: BLE001  # the API's edge
            return self.error_response(error, operation, request_id)

    def error_response(self, error: Exception, operation: OperationShape | None, request_id: str) -> Response:
        """Put an error into AWS's form. What was not meant to be raised becomes a bare 500."""
        code = error_code(error, operation)
        status = 500 if code in self.model.faults else 400
        message = in_rekognitions_words(str(error))[:MAX_MESSAGE]
        if not isinstance(error, Error):
            message = "Internal server error."
        if status == 500 and not isinstance(error, ThrottledError):  # HTTP's own number
            _log.error("request %s failed", request_id, exc_info=error)
        if isinstance(error, DeniedError) and error.decision_id:
            message += f" (decision {error.decision_id})"
        return error_in_form(code, message, status=status, request_id=request_id)

    def _operation_name(self, target: str | None, content_type: str | None) -> str:
        if target is None or not target.startswith(TARGET_PREFIX):
            raise UnknownOperationError(f"the header X-Amz-Target has to be {TARGET_PREFIX}OPERATION")
        name = target.removeprefix(TARGET_PREFIX)
        if name not in self._handlers:
            raise UnknownOperationError(why_unsupported(name) or "Rekognition has no operation of this name.")
        if (content_type or "").partition(";")[0].strip().lower() != CONTENT_TYPE:
            raise SerializationError(f"the header Content-Type has to be {CONTENT_TYPE}")
        return name


def error_code(error: Exception, operation: OperationShape | None) -> str:
    """Choose the AWS code of an error, among those that the operation declares."""
    if isinstance(error, SignatureError):
        return error.fault.value
    if isinstance(error, SerializationError):
        return _SERIALIZATION
    if isinstance(error, UnknownOperationError):
        return _UNKNOWN_OPERATION
    for kind, codes in ERROR_CODES:
        if isinstance(error, kind):
            if operation is None:
                return codes[0]
            declared = [code for code in codes if code in operation.errors]
            if declared:
                return declared[0]
            return "InvalidParameterException" if isinstance(error, InputError) else _INTERNAL
    return _INTERNAL


def error_in_form(code: str, message: str, *, status: int, request_id: str) -> Response:
    """Write an error as Rekognition does, which spells its code twice."""
    body = json.dumps({"__type": code, "Code": code, "Logref": request_id, "Message": message})
    return Response(status, body.encode(), _headers(request_id), code=code)


def receipt_headers(promised: Sequence[Promised]) -> dict[str, str]:
    """What an answer says of its entries: their indexes in the ledger, and the receipt of the last one.

    A receipt is the tlog-proof in base64. One that would not fit is left out: the index says which to ask for, of
    `/ledger/`.
    """
    if not promised:
        return {}
    headers = {ENTRY_HEADER: ",".join(str(each.receipt.index) for each in promised)}
    encoded = base64.b64encode(promised[-1].receipt.data).decode()
    if len(encoded) <= MAX_RECEIPT_CHARACTERS:
        headers[RECEIPT_HEADER] = encoded
    return headers


def _headers(request_id: str) -> dict[str, str]:
    return {"content-type": CONTENT_TYPE, "x-amzn-requestid": request_id}
