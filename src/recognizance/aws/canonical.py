"""The text that AWS Signature Version 4 signs: canonical request, string to sign, signing key.

Implements "Create a signed AWS API request" of AWS's general reference for services other than S3, which means that
paths are normalised and encoded once more than they were sent. Everything here is a pure function.

Text of a request (method, path, query, header names and values) is held in `str` decoded as Latin-1, one character for
each byte of the wire, so that nothing is lost or repaired between what was sent and what is hashed.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from urllib.parse import quote_from_bytes, unquote_to_bytes

from recognizance.errors import InputError

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
WIRE = "latin-1"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()

_UNRESERVED = "-._~"
_SPACES = re.compile(r"[ \t]+")


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """One HTTP request as it arrived.

    Attributes:
        path: As sent, still percent-encoded, without the query.
        query: As sent, without the question mark.
        headers: Lower-case names and their values, in the order and number in which they came.
    """

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def all_values(self, name: str) -> tuple[str, ...]:
        return tuple(value for given, value in self.headers if given == name)

    def only_value(self, name: str) -> str | None:
        """The value of a header that may come once at most.

        Raises:
            InputError: If it comes twice: two readers of one request would disagree about which counts.
        """
        values = self.all_values(name)
        if len(values) > 1:
            raise InputError(f"the header {name!r} may come only once")
        return values[0].strip(" \t") if values else None


@dataclass(frozen=True, slots=True)
class Scope:
    """What a signature is good for: one day, one region, one service."""

    date: str
    region: str
    service: str

    def __str__(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/{TERMINATOR}"


def canonical_path(path: str) -> str:
    """Normalise a path and encode it, as every service but S3 does.

    >>> canonical_path("/a/./b//../c%20d/")
    '/a/c%2520d/'
    """
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in {"", "."}:
            kept.append(segment)
    normal = "/" + "/".join(kept)
    if kept and path.endswith("/"):
        normal += "/"
    return quote_from_bytes(normal.encode(WIRE), safe="/" + _UNRESERVED)


def query_pairs(query: str) -> list[tuple[str, str]]:
    """Split a query into pairs that are decoded and encoded again in AWS's one way, in the order sent."""
    pairs: list[tuple[str, str]] = []
    for part in query.split("&") if query else ():
        name, _, value = part.partition("=")
        pairs.append((_encoded(name), _encoded(value)))
    return pairs


def canonical_query(pairs: list[tuple[str, str]]) -> str:
    """Sort encoded pairs by name, then value, and join them."""
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _encoded(part: str) -> str:
    return quote_from_bytes(unquote_to_bytes(part.encode(WIRE)), safe=_UNRESERVED)


def header_value(value: str) -> str:
    """Trim a value and make each run of blanks one space.

    >>> header_value('  "a   b"  ')
    '"a b"'
    """
    return _SPACES.sub(" ", value.strip(" \t"))


def canonical_request(request: SignedRequest, *, query: str, signed_headers: tuple[str, ...], payload_hash: str) -> str:
    """Write the canonical request.

    Args:
        query: Already canonical, without the signature itself.
        signed_headers: Lower-case and sorted. One that the request lacks counts as empty, and so fails to match.
        payload_hash: Hexadecimal SHA-256, or one of AWS's words for a body that is signed otherwise.
    """
    lines = [
        f"{name}:{','.join(header_value(value) for value in request.all_values(name))}\n" for name in signed_headers
    ]
    names = ";".join(signed_headers)
    return "\n".join(
        [request.method, canonical_path(request.path), query, "".join(lines), names, payload_hash],
    )


def string_to_sign(timestamp: str, scope: Scope, canonical: str) -> str:
    digest = hashlib.sha256(canonical.encode(WIRE)).hexdigest()
    return f"{ALGORITHM}\n{timestamp}\n{scope}\n{digest}"


def signing_key(secret: str, scope: Scope) -> bytes:
    """Derive the key of one scope from a secret access key."""
    key = ("AWS4" + secret).encode()
    for part in (scope.date, scope.region, scope.service, TERMINATOR):
        key = hmac.digest(key, part.encode(WIRE), "sha256")
    return key


def signature_of(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(WIRE), "sha256").hex()
