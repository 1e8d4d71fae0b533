"""Verification of AWS Signature Version 4: who sent this request, and that it is what they signed.

Implements "Signing AWS API requests" of AWS's general reference: signatures in the `Authorization` header and in the
query (presigned), whole bodies, `UNSIGNED-PAYLOAD` and `aws-chunked` bodies, session tokens. Signature Version 4A
(ECDSA) is refused by name. Pure: no clock, no input or output; the time and the keys come in as arguments.

It must never say more about a key than AWS does: an unknown key and a wrong signature differ in their AWS error code
(`UnrecognizedClientException`, `InvalidSignatureException`), as they do at AWS, and in nothing else; both cost the same
work. Access key ids are no secret, so the code gives nothing away that signing with them would not.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from urllib.parse import unquote

from recognizance.aws.canonical import (
    ALGORITHM,
    TERMINATOR,
    Scope,
    SignedRequest,
    canonical_query,
    canonical_request,
    query_pairs,
    signature_of,
    signing_key,
    string_to_sign,
)
from recognizance.aws.chunked import Chain, ChunkSignatureError, Framing, decode_chunked
from recognizance.errors import AuthenticationError, InputError
from recognizance.identifiers import AccessKeyId

HEADER_SKEW = timedelta(minutes=5)
PRESIGNED_SKEW = timedelta(minutes=15)
MAX_EXPIRES_S = 604_800
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"

_TIMESTAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_HEX_SHA256 = re.compile(r"[0-9a-f]{64}")
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,8}")
_HEADER_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
_QUERY_PARAMETERS = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
)
_TOKEN_PARAMETER = "X-Amz-Security-Token"  # noqa: S105  # the name of a parameter, no secret
# Each may come once at most: two readers of one request must not disagree about which counts.
_SINGLE_HEADERS = (
    "authorization",
    "content-length",
    "content-type",
    "date",
    "host",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-decoded-content-length",
    "x-amz-security-token",
    "x-amz-target",
    "x-amz-trailer",
    "x-recognizance-case",
    "x-recognizance-justification",
    "x-recognizance-offence",
)
# What a request means lies in these, so none may be added to it on the way.
_MEANINGFUL = ("x-amz-", "x-recognizance-")
# Some clients send it and leave it out of the signature; nothing here reads it.
_DECIDES_NOTHING = frozenset({"x-amz-user-agent"})
# What an unknown key's request is checked against, so that it takes as long as a known key's.
_NOBODYS_SECRET = "0" * 40


class Fault(StrEnum):
    """The AWS error codes of a request whose sender is not established."""

    MISSING = "MissingAuthenticationTokenException"
    INCOMPLETE = "IncompleteSignatureException"
    UNKNOWN = "UnrecognizedClientException"
    INVALID = "InvalidSignatureException"
    EXPIRED = "ExpiredTokenException"
    """The token of a session whose time has passed."""


class SignatureError(AuthenticationError):
    """A request whose sender is not established, with the code that AWS gives it."""

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message)
        self.fault = fault


class UnsignedPayload(StrEnum):
    """Whether a request may leave its body out of its signature, which only TLS or loopback can make up for."""

    ACCEPT = "accept"
    REFUSE = "refuse"


SecretLookup = Callable[[AccessKeyId, str | None], str | None]
"""Gives the secret of an access key with this session token (`None` without one), or `None` if there is none such."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a valid signature establishes.

    Attributes:
        payload: The body that was signed, out of its chunks; parse this and not the request's own.
        expires_at: When this signature stops to verify.
    """

    access_key_id: AccessKeyId
    session_token: str | None
    signature: str
    signed_at: datetime
    expires_at: datetime
    payload: bytes


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a request says about its own signature."""

    access_key_id: AccessKeyId
    scope: Scope
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str
    signed_at: datetime
    expires: timedelta | None
    session_token: str | None
    query: str


def verify(
    request: SignedRequest,
    *,
    region: str,
    service: str,
    secret_of: SecretLookup,
    now: datetime,
    unsigned_payload: UnsignedPayload = UnsignedPayload.REFUSE,
) -> Verified:
    """Establish who signed `request`, that it was meant for `region` and `service`, and that it is fresh.

    Does not remember signatures: `ReplayMemory` does.

    Raises:
        SignatureError: If any of that fails. Its `fault` is the AWS error code.
    """
    try:
        for name in _SINGLE_HEADERS:
            request.only_value(name)
        claim = _read_claim(request)
    except InputError as error:
        raise SignatureError(Fault.INCOMPLETE, str(error)) from error
    _check_scope(claim, region=region, service=service)
    expires_at = _check_time(claim, now)
    _check_coverage(request, claim)
    secret = secret_of(claim.access_key_id, claim.session_token)
    payload_hash = request.only_value("x-amz-content-sha256") or hashlib.sha256(request.body).hexdigest()
    key = signing_key(_NOBODYS_SECRET if secret is None else secret, claim.scope)
    canonical = canonical_request(
        request, query=claim.query, signed_headers=claim.signed_headers, payload_hash=payload_hash
    )
    expected = signature_of(key, string_to_sign(claim.timestamp, claim.scope, canonical))
    matches = hmac.compare_digest(expected, claim.signature)
    if secret is None:
        raise SignatureError(Fault.UNKNOWN, "The security token included in the request is invalid.")
    if not matches:
        raise SignatureError(
            Fault.INVALID,
            "The request signature we calculated does not match the signature you provided. Check your secret access"
            " key, the region, and that nothing between client and service changes the request.",
        )
    chain = Chain(key=key, timestamp=claim.timestamp, scope=claim.scope, seed=expected)
    return Verified(
        access_key_id=claim.access_key_id,
        session_token=claim.session_token,
        signature=expected,
        signed_at=claim.signed_at,
        expires_at=expires_at,
        payload=_read_payload(request, payload_hash, chain, unsigned_payload),
    )


def claimed_service(request: SignedRequest) -> str | None:
    """The service that a request says it is signed for; `None` if it doesn't say. Nothing of it is verified."""
    try:
        return _read_claim(request).scope.service
    except (InputError, SignatureError):
        return None


def _read_claim(request: SignedRequest) -> _Claim:
    """Find the one signature of a request, in its header or in its query."""
    authorization = request.only_value("authorization")
    names = [unquote(name) for name, _ in query_pairs(request.query)]
    presigned = [name for name in names if name in _QUERY_PARAMETERS or name == _TOKEN_PARAMETER]
    if authorization is not None and presigned:
        raise InputError("a request is signed in its Authorization header or in its query, not in both")
    if authorization is not None:
        return _read_header_claim(request, authorization)
    if presigned:
        return _read_query_claim(request, presigned)
    raise SignatureError(Fault.MISSING, "The request is not signed: it has no Authorization header.")


def _read_header_claim(request: SignedRequest, authorization: str) -> _Claim:
    algorithm, _, rest = authorization.partition(" ")
    _check_algorithm(algorithm)
    parts: dict[str, str] = {}
    for part in rest.split(","):
        name, equals, value = part.strip(" ").partition("=")
        if not equals or name not in {"Credential", "SignedHeaders", "Signature"} or name in parts:
            raise InputError("the Authorization header needs Credential, SignedHeaders and Signature, once each")
        parts[name] = value
    if len(parts) != 3:
        raise InputError("the Authorization header needs Credential, SignedHeaders and Signature, once each")
    access_key_id, scope = _read_credential(parts["Credential"])
    timestamp, signed_at = _read_header_date(request)
    return _Claim(
        access_key_id=access_key_id,
        scope=scope,
        signed_headers=_read_signed_headers(parts["SignedHeaders"]),
        signature=_read_signature(parts["Signature"]),
        timestamp=timestamp,
        signed_at=signed_at,
        expires=None,
        session_token=request.only_value("x-amz-security-token"),
        query=canonical_query(query_pairs(request.query)),
    )


def _read_query_claim(request: SignedRequest, presigned: Sequence[str]) -> _Claim:
    if len(set(presigned)) != len(presigned):
        raise InputError("each parameter of a presigned query may come only once")
    missing = [name for name in _QUERY_PARAMETERS if name not in presigned]
    if missing:
        raise InputError(f"the presigned query lacks {', '.join(missing)}")
    pairs = query_pairs(request.query)
    # Parameters are ASCII; anything else fails the pattern that reads it.
    given = {unquote(name): unquote(value, encoding="latin-1") for name, value in pairs}
    _check_algorithm(given["X-Amz-Algorithm"])
    if _DECIMAL.fullmatch(given["X-Amz-Expires"]) is None or not 1 <= int(given["X-Amz-Expires"]) <= MAX_EXPIRES_S:
        raise InputError(f"X-Amz-Expires has to be a whole number from 1 to {MAX_EXPIRES_S} seconds")
    for header in ("x-amz-date", "x-amz-security-token"):
        if request.only_value(header) is not None:
            raise InputError(f"a presigned request carries {header} in its query, not as a header")
    access_key_id, scope = _read_credential(given["X-Amz-Credential"])
    return _Claim(
        access_key_id=access_key_id,
        scope=scope,
        signed_headers=_read_signed_headers(given["X-Amz-SignedHeaders"]),
        signature=_read_signature(given["X-Amz-Signature"]),
        timestamp=given["X-Amz-Date"],
        signed_at=_read_timestamp(given["X-Amz-Date"]),
        expires=timedelta(seconds=int(given["X-Amz-Expires"])),
        session_token=given.get(_TOKEN_PARAMETER),
        query=canonical_query([pair for pair in pairs if unquote(pair[0]) != "X-Amz-Signature"]),
    )


def _check_algorithm(algorithm: str) -> None:
    if algorithm != ALGORITHM:
        raise InputError(f"the signing algorithm has to be {ALGORITHM}")


def _read_credential(credential: str) -> tuple[AccessKeyId, Scope]:
    parts = credential.split("/")
    if len(parts) != 5 or not all(parts) or parts[4] != TERMINATOR:
        raise InputError(f"Credential has to be KEY/DATE/REGION/SERVICE/{TERMINATOR}")
    return AccessKeyId(parts[0]), Scope(date=parts[1], region=parts[2], service=parts[3])


def _read_signed_headers(text: str) -> tuple[str, ...]:
    names = tuple(text.split(";"))
    if list(names) != sorted(set(names)) or not all(_HEADER_NAME.fullmatch(name) for name in names):
        raise InputError("SignedHeaders has to be lower-case names, sorted, each once, joined by semicolons")
    return names


def _read_signature(text: str) -> str:
    if _HEX_SHA256.fullmatch(text) is None:
        raise InputError("Signature has to be 64 lower-case hexadecimal digits")
    return text


def _read_timestamp(text: str) -> datetime:
    # strptime alone would let one-digit months and other scripts' digits through.
    if _TIMESTAMP.fullmatch(text) is None:
        raise InputError("the date has to be written as YYYYMMDD'T'HHMMSS'Z'")
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise InputError("the date does not exist") from error


def _read_header_date(request: SignedRequest) -> tuple[str, datetime]:
    """Take `x-amz-date`, or else `date`, in either form that AWS allows."""
    given = request.only_value("x-amz-date") or request.only_value("date")
    if given is None:
        raise InputError("a signed request needs an X-Amz-Date header or a Date header")
    if _TIMESTAMP.fullmatch(given):
        return given, _read_timestamp(given)
    try:
        moment = parsedate_to_datetime(given)
        # "-0000" is how RFC 5322 writes UTC without saying where the clock is; Python leaves it without a zone.
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InputError("the date can't be read") from error
    return moment.strftime("%Y%m%dT%H%M%SZ"), moment


def _check_scope(claim: _Claim, *, region: str, service: str) -> None:
    for name, given, wanted in (
        ("region", claim.scope.region, region),
        ("service", claim.scope.service, service),
        ("date", claim.scope.date, claim.timestamp[:8]),
    ):
        if given != wanted:
            raise SignatureError(
                Fault.INVALID, f"Credential should be scoped to the {name} {wanted!r}, and not to another."
            )


def _check_time(claim: _Claim, now: datetime) -> datetime:
    """Refuse what is signed too early or too late; otherwise say until when it's good."""
    skew = HEADER_SKEW if claim.expires is None else PRESIGNED_SKEW
    times = f"signed at {claim.timestamp}, our clock says {now:%Y%m%dT%H%M%SZ}"
    if claim.signed_at - now > skew:
        raise SignatureError(Fault.INVALID, f"Signature not yet current: {times}.")
    # Only after that check: the last minutes of the year 9999 have nothing to be added to.
    expires_at = claim.signed_at + (HEADER_SKEW if claim.expires is None else claim.expires)
    if now > expires_at:
        raise SignatureError(Fault.INVALID, f"Signature expired: {times}.")
    return expires_at


def _check_coverage(request: SignedRequest, claim: _Claim) -> None:
    """Refuse a signature that leaves out what decides the meaning of the request."""
    present = {name for name, _ in request.headers}
    meaningful = {name for name in present if name.startswith(_MEANINGFUL) and name not in _DECIDES_NOTHING}
    needed = {"host"} | meaningful
    if claim.expires is None and "x-amz-date" not in present:
        needed.add("date")
    uncovered = sorted(needed - set(claim.signed_headers))
    if uncovered:
        raise SignatureError(Fault.INVALID, f"These headers have to be signed: {', '.join(uncovered)}.")
    absent = sorted(set(claim.signed_headers) - present)
    if absent:
        raise SignatureError(Fault.INVALID, "SignedHeaders names a header that the request does not have.")


def _read_payload(request: SignedRequest, payload_hash: str, chain: Chain, unsigned_payload: UnsignedPayload) -> bytes:
    """Hold the body against what was signed about it, and take it out of its chunks."""
    try:
        if _HEX_SHA256.fullmatch(payload_hash):
            if not hmac.compare_digest(hashlib.sha256(request.body).hexdigest(), payload_hash):
                raise InputError("The body does not have the hash that x-amz-content-sha256 says.")
            return request.body
        unsigned = payload_hash in {UNSIGNED_PAYLOAD, Framing.UNSIGNED_WITH_TRAILER}
        if unsigned and unsigned_payload is UnsignedPayload.REFUSE:
            raise InputError("A body that isn't signed is accepted only over TLS or from this machine itself.")
        if payload_hash == UNSIGNED_PAYLOAD:
            return request.body
        if payload_hash not in set(Framing):
            raise InputError("x-amz-content-sha256 is neither a SHA-256 nor a form of body that is known here.")
        length = request.only_value("x-amz-decoded-content-length") or ""
        if _DECIMAL.fullmatch(length) is None:
            raise InputError("A chunked body needs x-amz-decoded-content-length.")
        announced = request.only_value("x-amz-trailer")
        return decode_chunked(
            request.body,
            framing=Framing(payload_hash),
            chain=chain,
            decoded_bytes=int(length),
            trailers=tuple(name.strip().lower() for name in announced.split(",")) if announced else (),
        )
    except ChunkSignatureError as error:
        raise SignatureError(Fault.INVALID, str(error)) from error
    except InputError as error:
        raise SignatureError(Fault.INVALID, str(error)) from error
