"""Bodies in `aws-chunked` form: pieces that are signed one after another, each signature chained to the last.

Implements "Transferring payload in multiple chunks" and "Including trailing headers" of the S3 API reference, whose
framing AWS uses everywhere. Pure: takes the whole body, which the caller has already bounded, and gives the decoded
payload or an error. A body is read strictly: CRLF, lower-case signatures, nothing after the end.

    SIZE;chunk-signature=SIGNATURE CRLF data CRLF ... 0;chunk-signature=SIGNATURE CRLF [trailers] CRLF

It must never hand out a byte of payload before every signature and checksum of the body has been verified.
"""

import base64
import hashlib
import hmac
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from recognizance.aws.canonical import EMPTY_SHA256, Scope, signature_of
from recognizance.errors import InputError


class Framing(StrEnum):
    """What `x-amz-content-sha256` says of a chunked body."""

    SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    SIGNED_WITH_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
    UNSIGNED_WITH_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


class ChunkSignatureError(InputError):
    """A piece of the body or its trailer does not carry the signature that it should."""


@dataclass(frozen=True, slots=True)
class Chain:
    """What the signatures of a body hang on: the request's own signature, its key, time and scope."""

    key: bytes
    timestamp: str
    scope: Scope
    seed: str


# 65,536 pieces of the smallest size that AWS's clients send would be 512 MiB: no honest body has more.
MAX_CHUNKS = 65_536
_HEAD = re.compile(rb"([0-9a-fA-F]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?")
_TRAILER = re.compile(rb"([a-z0-9-]{1,64}):[ \t]*([!-~]{1,512})")
_TRAILER_SIGNATURE = "x-amz-trailer-signature"
_CHECKSUM_PREFIX = "x-amz-checksum-"


def decode_chunked(
    body: bytes, *, framing: Framing, chain: Chain, decoded_bytes: int, trailers: tuple[str, ...] = ()
) -> bytes:
    """Verify and unwrap a chunked body.

    Args:
        decoded_bytes: What `x-amz-decoded-content-length` promised.
        trailers: The names that `x-amz-trailer` announced, lower-case. Exactly these must come.

    Raises:
        ChunkSignatureError: If a signature in the chain does not match.
        InputError: If the framing, a length or a checksum is wrong.
    """
    signed = framing is not Framing.UNSIGNED_WITH_TRAILER
    pieces, rest, last = _read_chunks(body, signed=signed, chain=chain)
    payload = b"".join(pieces)
    if len(payload) != decoded_bytes:
        raise InputError(f"the chunks hold {len(payload)} bytes; x-amz-decoded-content-length says {decoded_bytes}")
    given = _read_trailers(rest)
    claimed = given.pop(_TRAILER_SIGNATURE, None)
    if sorted(given) != sorted(trailers):
        raise InputError("the trailing headers aren't those that x-amz-trailer announces")
    if framing is Framing.SIGNED and (given or claimed is not None):
        raise InputError(f"a body of the form {framing.value} has no trailing headers")
    if framing is Framing.SIGNED_WITH_TRAILER:
        _verify_trailer(given, claimed, last=last, chain=chain)
    if framing is Framing.UNSIGNED_WITH_TRAILER:
        if claimed is not None:
            raise InputError(f"a body of the form {framing.value} has no trailer signature")
        if not any(name.startswith(_CHECKSUM_PREFIX) for name in given):
            raise InputError("an unsigned chunked body needs a trailing checksum")
    for name, value in given.items():
        _verify_checksum(name, value, payload)
    return payload


def chunk_signature(chain: Chain, previous: str, data: bytes) -> str:
    """Sign one chunk, given the signature before it."""
    return signature_of(
        chain.key,
        f"AWS4-HMAC-SHA256-PAYLOAD\n{chain.timestamp}\n{chain.scope}\n{previous}\n{EMPTY_SHA256}\n"
        f"{hashlib.sha256(data).hexdigest()}",
    )


def trailer_signature(chain: Chain, previous: str, trailers: Mapping[str, str]) -> str:
    """Sign the trailing headers, given the signature of the last, empty chunk."""
    text = "".join(f"{name}:{value}\n" for name, value in sorted(trailers.items()))
    return signature_of(
        chain.key,
        f"AWS4-HMAC-SHA256-TRAILER\n{chain.timestamp}\n{chain.scope}\n{previous}\n"
        f"{hashlib.sha256(text.encode()).hexdigest()}",
    )


def _read_chunks(body: bytes, *, signed: bool, chain: Chain) -> tuple[list[bytes], bytes, str]:
    """Read up to and including the empty chunk: the pieces, what follows, and the last signature."""
    pieces: list[bytes] = []
    previous, position = chain.seed, 0
    for _ in range(MAX_CHUNKS):
        end = body.find(b"\r\n", position, position + 128)
        head = _HEAD.fullmatch(body, position, end) if end >= 0 else None
        if head is None or (head[2] is not None) is not signed:
            raise InputError(f"malformed chunk at byte {position}")
        size, start = int(head[1], 16), end + 2
        data = body[start : start + size]
        if len(data) != size:
            raise InputError(f"the chunk at byte {position} is cut short")
        if signed:
            expected = chunk_signature(chain, previous, data)
            if not hmac.compare_digest(expected, head[2].decode()):
                raise ChunkSignatureError(f"the signature of the chunk at byte {position} doesn't match")
            previous = expected
        if size == 0:
            return pieces, body[start:], previous
        pieces.append(data)
        position = start + size + 2
        if body[position - 2 : position] != b"\r\n":
            raise InputError(f"the chunk that ends at byte {position - 2} lacks its end of line")
    raise InputError(f"the body has more than {MAX_CHUNKS} chunks")


def _read_trailers(rest: bytes) -> dict[str, str]:
    """Read `name:value` lines up to the empty line that has to end the body."""
    *lines, blank, tail = rest.split(b"\r\n") if rest.count(b"\r\n") else (rest, b"", b"")
    if blank or tail or (lines and not rest.endswith(b"\r\n\r\n")):
        raise InputError("the chunked body doesn't end with an empty line")
    given: dict[str, str] = {}
    for line in lines:
        # S3's reference prints trailers with a line feed of their own before the CRLF; some clients send it.
        match = _TRAILER.fullmatch(line.removesuffix(b"\n"))
        if match is None:
            raise InputError("malformed trailing header")
        name = match[1].decode()
        if name in given:
            raise InputError(f"the trailing header {name!r} comes twice")
        given[name] = match[2].decode()
    return given


def _verify_trailer(given: Mapping[str, str], claimed: str | None, *, last: str, chain: Chain) -> None:
    if claimed is None:
        raise InputError(f"the trailing header {_TRAILER_SIGNATURE!r} is missing")
    if not hmac.compare_digest(trailer_signature(chain, last, given).encode(), claimed.encode()):
        raise ChunkSignatureError("the signature of the trailing headers doesn't match")


def _verify_checksum(name: str, value: str, payload: bytes) -> None:
    if not name.startswith(_CHECKSUM_PREFIX):
        raise InputError(f"trailing header {name!r} isn't a checksum")
    algorithm = _CHECKSUMS.get(name.removeprefix(_CHECKSUM_PREFIX))
    if algorithm is None:
        known = ", ".join(sorted(_CHECKSUMS))
        raise InputError(f"trailing checksum {name!r} isn't one of {known}")
    if base64.b64encode(algorithm(payload)).decode() != value:
        raise InputError(f"the body doesn't have the checksum that {name} says")


def _reflected_crc(polynomial: int, width_bytes: int) -> Callable[[bytes], bytes]:
    """Make a bit-reflected CRC with all ones before and after, from its reflected polynomial."""
    ones = (1 << (8 * width_bytes)) - 1
    table: list[int] = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (polynomial if value & 1 else 0)
        table.append(value)

    def checksum(data: bytes) -> bytes:
        value = ones
        for byte in data:
            value = (value >> 8) ^ table[(value ^ byte) & 0xFF]
        return (value ^ ones).to_bytes(width_bytes, "big")

    return checksum


_CHECKSUMS: Mapping[str, Callable[[bytes], bytes]] = {
    "crc32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "crc32c": _reflected_crc(0x82F63B78, 4),
    "crc64nvme": _reflected_crc(0x9A6C9329AC4BC9B5, 8),
    "sha1": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    "sha256": lambda data: hashlib.sha256(data).digest(),
}
