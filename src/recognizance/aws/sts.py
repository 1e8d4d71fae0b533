"""STS at the same address: `AssumeRole`, whose role is a use, and `GetCallerIdentity`.

A role's ARN is `arn:aws:iam::ACCOUNT:role/USE`. Session tags state `Case`, `Justification` and `Offence`, and
`Declared` states aims that no use allows, with spaces between them: nobody gets a session for one. A profile of the AWS
configuration file can't send tags, so without them the session's name is the case, and the external id is the
justification, after `OFFENCE:` if there is one. What a client draws as a name by itself is no case. Members of
`AssumeRole` that would narrow a session, which only a use can do here, are refused and not passed over.

Implements `docs/on-whose-behalf.md`; shapes and limits are those of botocore's STS service model.
"""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from recognizance.aws.authentication import Sender
from recognizance.aws.dispatch import MAX_MESSAGE, Response
from recognizance.aws.query import check_form, read_form, write_answer, write_error
from recognizance.aws.service_model import ServiceModel
from recognizance.aws.shapes import Answer, Members, SerializationError
from recognizance.aws.sigv4 import Fault, SignatureError
from recognizance.errors import DeniedError, Error, InputError, ThrottledError, UnavailableError
from recognizance.governance import Act, Credential, Grounds, RuledPolicy
from recognizance.governance.parties import UseId
from recognizance.governance.purposes import Declaration, OffenceCode
from recognizance.governing.sessions import SHORTEST, SessionTokens
from recognizance.identifiers import DecisionId

VERSION = "2011-06-15"
NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
DEFAULT_DURATION = timedelta(hours=1)
"""AWS's own default."""

TAGS = ("Case", "Justification", "Offence", "Declared")

_REFUSED_MEMBERS = (
    "PolicyArns",
    "Policy",
    "TransitiveTagKeys",
    "SerialNumber",
    "TokenCode",
    "SourceIdentity",
    "ProvidedContexts",
    "MinimumSessionTokenSize",
)
# botocore-session-1700000000, aws-sdk-java-..., aws-go-sdk-...: drawn by the client, so nobody stated them.
_DRAWN_NAME = re.compile(r"(botocore|aws)-[a-z0-9-]*(session|sdk)[a-z0-9-]*", re.IGNORECASE)
_CODES: Mapping[Fault, tuple[str, int]] = {
    Fault.MISSING: ("MissingAuthenticationToken", 403),
    Fault.INCOMPLETE: ("IncompleteSignature", 403),
    Fault.UNKNOWN: ("InvalidClientTokenId", 403),
    Fault.INVALID: ("SignatureDoesNotMatch", 403),
    Fault.EXPIRED: ("ExpiredToken", 403),
}
_log = logging.getLogger(__name__)


class UnknownActionError(InputError):
    """The form names no action that this service has."""


class StsEndpoint:
    """Answers STS requests whose sender is known, and errors of those whose sender isn't.

    Args:
        account: The account number that ARNs carry.
        longest: The most that a session may last in this installation's profile.
        new_id: Draws ids for decisions.
    """

    def __init__(
        self,
        model: ServiceModel,
        policy: RuledPolicy,
        tokens: SessionTokens,
        *,
        account: str,
        longest: timedelta,
        new_id: Callable[[], str],
    ) -> None:
        self._model = model
        self._policy = policy
        self._tokens = tokens
        self._account = account
        self._longest = longest
        self._new_id = new_id
        self._actions = {"AssumeRole": self._assume_role, "GetCallerIdentity": self._caller_identity}

    def answer(self, sender: Sender, request_id: str) -> Response:
        """Answer one request. Raises nothing: whatever goes wrong is an error in STS's form."""
        try:
            fields = read_form(sender.payload)
            action, version = fields.pop("Action", ""), fields.pop("Version", "")
            if action not in self._actions or version != VERSION:
                raise UnknownActionError(
                    f"Could not find operation {action[:64]!r} for version {version[:64]!r};"
                    f" this service has {' and '.join(self._actions)} of {VERSION}."
                )
            operation = self._model.operations[action]
            answer = self._actions[action](check_form(operation, fields), sender)
            body = write_answer(operation, answer, namespace=NAMESPACE, request_id=request_id)
        except Exception as error:  # noqa: BLE001  # the API's edge
            return self.error_response(error, request_id)
        return Response(200, body, _headers(request_id))

    def error_response(self, error: Exception, request_id: str) -> Response:
        """Put an error into STS's form. What was not meant to be raised becomes a bare 500."""
        code, status = _code(error)
        message = str(error)[:MAX_MESSAGE] if isinstance(error, Error) else "Internal server error."
        if status == 500:  # HTTP's own number
            _log.error("request %s failed", request_id, exc_info=error)
        if isinstance(error, DeniedError) and error.decision_id:
            message += f" (decision {error.decision_id})"
        body = write_error(code, message, namespace=NAMESPACE, request_id=request_id, is_sender=status < 500)
        return Response(status, body, _headers(request_id), code=code)

    def _assume_role(self, request: Members, sender: Sender) -> Mapping[str, Answer]:
        for name in _REFUSED_MEMBERS:
            if name in request:
                raise InputError(f"{name} is not supported: what a session may do is said by its use alone")
        use, name = self._use_of(request.text("RoleArn")), _session_name(request)
        if sender.signer.asking.credential is Credential.SESSION:
            raise InputError("a session can't begin another one; sign with a long-lived access key")
        grounds = _grounds(request, name)
        asking = replace(sender.signer.asking, use=use, grounds=grounds)
        lasts = self._duration(request)
        decision = DecisionId(self._new_id())
        self._policy.require(sender.signer.principal, Act.ASSUME_USE, gallery=None, decision_id=decision, asking=asking)
        issued = self._tokens.issue(issued_by=sender.key_id, use=use, name=name, grounds=grounds, lasts=lasts)
        return {
            "Credentials": {
                "AccessKeyId": issued.session.key_id,
                "SecretAccessKey": issued.secret,
                "SessionToken": issued.token,
                "Expiration": issued.session.expires,
            },
            "AssumedRoleUser": {
                "AssumedRoleId": f"{issued.session.key_id}:{name}",
                "Arn": self._session_arn(use, name),
            },
        }

    def _caller_identity(self, _request: Members, sender: Sender) -> Mapping[str, Answer]:
        """Like at AWS, everybody may ask who they are."""
        signer = sender.signer
        if signer.asking.use is not None and signer.session_name is not None:
            arn = self._session_arn(signer.asking.use, signer.session_name)
            return {"UserId": f"{sender.key_id}:{signer.session_name}", "Account": self._account, "Arn": arn}
        principal = signer.principal.id
        return {"UserId": principal, "Account": self._account, "Arn": f"arn:aws:iam::{self._account}:user/{principal}"}

    def _use_of(self, arn: str) -> UseId:
        prefix = f"arn:aws:iam::{self._account}:role/"
        if not arn.startswith(prefix) or arn == prefix:
            raise InputError(f"RoleArn has to be {prefix}USE, where USE is the use's id")
        return UseId(arn.removeprefix(prefix))

    def _session_arn(self, use: UseId, name: str) -> str:
        return f"arn:aws:sts::{self._account}:assumed-role/{use}/{name}"

    def _duration(self, request: Members) -> timedelta:
        default = min(DEFAULT_DURATION, self._longest)
        asked = timedelta(seconds=request.integer("DurationSeconds", default=int(default.total_seconds())))
        if asked > self._longest:
            raise InputError(
                f"DurationSeconds is {asked.total_seconds():.0f}; sessions here last"
                f" {SHORTEST.total_seconds():.0f} to {self._longest.total_seconds():.0f} seconds"
            )
        return asked


def _session_name(request: Members) -> str:
    name = request.text("RoleSessionName")
    # Java's \w, which the model means, is ASCII; Python's isn't.
    if not name.isascii():
        raise InputError(r"RoleSessionName has to match [\w+=,.@-]{2,64}, of ASCII")
    return name


def _grounds(request: Members, name: str) -> Grounds:
    """What the session's tags state, or in their absence its name and external id."""
    tags: dict[str, str] = {}
    for tag in request.structures("Tags"):
        key = tag.text("Key")
        if key not in TAGS:
            raise InputError(f"there is no session tag {key!r}; the session tags are {', '.join(TAGS)}")
        if key in tags:
            raise InputError(f"the session tag {key!r} is there twice")
        tags[key] = tag.text("Value")
    offence, colon, code = (request.optional_text("ExternalId") or "").rpartition(":")
    if offence and not code:
        raise InputError("ExternalId has to be JUSTIFICATION or OFFENCE:JUSTIFICATION")
    case = tags.get("Case", "" if _DRAWN_NAME.fullmatch(name) else name)
    offence = tags.get("Offence", offence if colon else "")
    return Grounds(
        case=case.strip() or None,
        justification=tags.get("Justification", code).strip() or None,
        offence=OffenceCode(offence.strip()) if offence.strip() else None,
        declared=_declared(tags.get("Declared", "")),
    )


def _declared(text: str) -> frozenset[Declaration]:
    """Aims that a caller states truthfully. A tag's value has no commas (STS, `tagValueType`)."""
    try:
        return frozenset(map(Declaration, text.split()))
    except ValueError as error:
        raise InputError(f"the session tag Declared names none of {', '.join(Declaration)}") from error


def _code(error: Exception) -> tuple[str, int]:
    match error:
        case SignatureError():
            return _CODES[error.fault]
        case DeniedError():
            return "AccessDenied", 403
        case UnknownActionError():
            return "InvalidAction", 400
        case SerializationError():
            return "MalformedQueryString", 400
        case InputError():
            return "ValidationError", 400
        case ThrottledError():
            return "Throttling", 400
        case UnavailableError():
            return "ServiceUnavailable", 503
        case _:
            return "InternalFailure", 500


def _headers(request_id: str) -> dict[str, str]:
    return {"content-type": "text/xml", "x-amzn-requestid": request_id}
