"""Chunked bodies: the examples that S3's reference works through, and every way to spoil them."""

import base64
import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizance.aws import chunked
from recognizance.aws.canonical import (
    Scope,
    SignedRequest,
    canonical_request,
    signature_of,
    signing_key,
    string_to_sign,
)
from recognizance.aws.chunked import (
    Chain,
    ChunkSignatureError,
    Framing,
    chunk_signature,
    decode_chunked,
    trailer_signature,
)
from recognizance.aws.sigv4 import Fault, SignatureError, UnsignedPayload, verify
from recognizance.errors import InputError

# "Example calculations" of the S3 reference: 65 KiB of the letter a, in pieces of 64 KiB and 1 KiB.
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SCOPE = Scope("20130524", "us-east-1", "s3")
KEY = signing_key(SECRET, SCOPE)
FIRST, SECOND = b"a" * 65_536, b"a" * 1_024
SIGNED = Chain(KEY, "20130524T000000Z", SCOPE, "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9")
TRAILED = Chain(KEY, "20130524T000000Z", SCOPE, "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e")
SIGNED_CHUNKS = (
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
)
TRAILED_CHUNKS = (
    "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
    "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
    "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
)
TRAILER_SIGNATURE = "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"
CRC32C = "x-amz-checksum-crc32c"


def framed(signatures: tuple[str, ...], trailer: bytes = b"") -> bytes:
    """The body of the example, with these signatures on its three chunks."""
    parts = zip((FIRST, SECOND, b""), signatures, strict=True)
    body = b"".join(b"%x;chunk-signature=%s\r\n%s\r\n" % (len(data), sig.encode(), data) for data, sig in parts)
    return body.removesuffix(b"\r\n") + trailer + b"\r\n"


def decoded(body: bytes, framing: Framing, chain: Chain, trailers: tuple[str, ...] = ()) -> bytes:
    return decode_chunked(body, framing=framing, chain=chain, decoded_bytes=66_560, trailers=trailers)


def test_the_signed_example_verifies() -> None:
    """The chunks of S3's first example have the signatures that it prints."""
    assert decoded(framed(SIGNED_CHUNKS), Framing.SIGNED, SIGNED) == FIRST + SECOND


@pytest.mark.parametrize("ending", [b"\r\n", b"\n\r\n"], ids=["as clients send it", "as the reference prints it"])
def test_the_example_with_a_trailer_verifies(ending: bytes) -> None:
    """Its second example has a trailing CRC-32C, which is signed and is also held against the body."""
    trailer = b"x-amz-checksum-crc32c:sOO8/Q==" + ending + b"x-amz-trailer-signature:" + TRAILER_SIGNATURE.encode()
    body = framed(TRAILED_CHUNKS, trailer + b"\r\n")
    assert decoded(body, Framing.SIGNED_WITH_TRAILER, TRAILED, (CRC32C,)) == FIRST + SECOND


@pytest.mark.parametrize("place", [0, 1, 2])
def test_each_signature_of_the_chain_counts(place: int) -> None:
    """One wrong signature anywhere gives nothing of the body away."""
    wrong = tuple("0" * 64 if n == place else signature for n, signature in enumerate(SIGNED_CHUNKS))
    with pytest.raises(ChunkSignatureError):
        decoded(framed(wrong), Framing.SIGNED, SIGNED)


def test_chunks_cannot_change_places() -> None:
    """Each signature covers the one before it."""
    swapped = (SIGNED_CHUNKS[0], SIGNED_CHUNKS[2], SIGNED_CHUNKS[1])
    with pytest.raises(ChunkSignatureError):
        decoded(framed(swapped), Framing.SIGNED, SIGNED)


def test_a_trailer_signature_counts() -> None:
    """A trailer that was changed on the way is refused."""
    body = framed(TRAILED_CHUNKS, b"x-amz-checksum-crc32c:AAAAAA==\r\nx-amz-trailer-signature:%s\r\n" % (b"0" * 64))
    with pytest.raises(ChunkSignatureError):
        decoded(body, Framing.SIGNED_WITH_TRAILER, TRAILED, (CRC32C,))


@pytest.mark.parametrize(
    "spoilt",
    [
        framed(SIGNED_CHUNKS)[:-2],
        framed(SIGNED_CHUNKS) + b"more",
        framed(SIGNED_CHUNKS) + b"\r\n",
        framed(SIGNED_CHUNKS)[:1000],
        framed(SIGNED_CHUNKS).replace(b"10000;", b"10001;", 1),
        framed(SIGNED_CHUNKS).replace(b"10000;", b" 10000;", 1),
        framed(SIGNED_CHUNKS).replace(b"\r\n", b"\n", 1),
        framed(SIGNED_CHUNKS).replace(b";chunk-signature", b";extension", 1),
        framed(SIGNED_CHUNKS, b"x-extra:1\r\n"),
        b"",
        b"\r\n",
    ],
)
def test_a_body_that_is_framed_wrongly_is_refused(spoilt: bytes) -> None:
    """Nothing is skipped, repaired or read past the end."""
    with pytest.raises(InputError):
        decoded(spoilt, Framing.SIGNED, SIGNED)


def test_a_promised_length_is_held() -> None:
    """What the header promised and what came have to agree."""
    with pytest.raises(InputError, match="66560"):
        decode_chunked(framed(SIGNED_CHUNKS), framing=Framing.SIGNED, chain=SIGNED, decoded_bytes=1)


# Checksums of the nine characters 123456789: the check values of the CRC catalogue, and the well-known hashes.
CHECKS = {
    name: base64.b64encode(bytes.fromhex(value)).decode()
    for name, value in {
        "crc32": "cbf43926",
        "crc32c": "e3069283",
        "crc64nvme": "ae8b14860a799888",
        "sha1": "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
        "sha256": "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
    }.items()
}


def unsigned_body(name: str, value: str) -> bytes:
    return f"9\r\n123456789\r\n0\r\n{name}:{value}\r\n\r\n".encode()


@pytest.mark.parametrize("name", CHECKS)
def test_an_unsigned_body_is_held_to_its_checksum(name: str) -> None:
    """Every checksum that AWS's clients send is computed; a wrong one is refused."""
    header = f"x-amz-checksum-{name}"

    def decode(value: str) -> bytes:
        return decode_chunked(
            unsigned_body(header, value),
            framing=Framing.UNSIGNED_WITH_TRAILER,
            chain=SIGNED,
            decoded_bytes=9,
            trailers=(header,),
        )

    assert decode(CHECKS[name]) == b"123456789"
    with pytest.raises(InputError, match=header):
        decode(CHECKS[name].replace(CHECKS[name][0], "A", 1))


@pytest.mark.parametrize(
    ("name", "announced"), [("x-amz-checksum-md5", True), ("x-other", True), ("x-amz-checksum-sha1", False)]
)
def test_an_unknown_or_unannounced_trailer_is_refused(name: str, announced: bool) -> None:
    """A trailer that would not be checked is not accepted."""
    with pytest.raises(InputError):
        decode_chunked(
            unsigned_body(name, "AAAA"),
            framing=Framing.UNSIGNED_WITH_TRAILER,
            chain=SIGNED,
            decoded_bytes=9,
            trailers=(name,) if announced else (),
        )


SIGNED_TRAILER = b"x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:" + TRAILER_SIGNATURE.encode()


@pytest.mark.parametrize(
    ("trailer", "trailers", "says"),
    [
        (b"x-amz-checksum-crc32c:sOO8/Q==\r\n", (CRC32C,), "missing"),
        (SIGNED_TRAILER + b"\r\n" + SIGNED_TRAILER + b"\r\n", (CRC32C,), "twice"),
        (SIGNED_TRAILER + b"\r\n", (), "announces"),
        (b"X-Amz-Checksum: a\r\n", (), "malformed"),
    ],
)
def test_a_trailer_that_is_not_in_form_is_refused(trailer: bytes, trailers: tuple[str, ...], says: str) -> None:
    """Unsigned, doubled, unannounced or misspelt."""
    with pytest.raises(InputError, match=says):
        decoded(framed(TRAILED_CHUNKS, trailer), Framing.SIGNED_WITH_TRAILER, TRAILED, trailers)


def test_each_form_of_body_has_its_own_trailers() -> None:
    """A body that says it has none, has none; one that isn't signed needs a checksum and no signature."""
    with pytest.raises(InputError, match="no trailing headers"):
        decoded(framed(SIGNED_CHUNKS, b"x-amz-checksum-crc32c:sOO8/Q==\r\n"), Framing.SIGNED, SIGNED, (CRC32C,))
    for trailer, says in [
        (b"x-amz-trailer-signature:" + b"0" * 64 + b"\r\n", "no trailer signature"),
        (b"", "needs a trailing checksum"),
    ]:
        body = b"0\r\n" + trailer + b"\r\n"
        with pytest.raises(InputError, match=says):
            decode_chunked(body, framing=Framing.UNSIGNED_WITH_TRAILER, chain=SIGNED, decoded_bytes=0)


def test_a_body_has_only_so_many_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each costs a signature, and nobody sends a megabyte byte by byte."""
    monkeypatch.setattr(chunked, "MAX_CHUNKS", 2)
    with pytest.raises(InputError, match="more than 2 chunks"):
        decoded(framed(SIGNED_CHUNKS), Framing.SIGNED, SIGNED)


@given(pieces=st.lists(st.binary(min_size=1, max_size=40), max_size=5), trailer=st.booleans())
def test_what_is_signed_in_chunks_comes_back(pieces: list[bytes], trailer: bool) -> None:
    """Any division of any body into chunks verifies and decodes to that body."""
    body, previous = b"", SIGNED.seed
    for piece in [*pieces, b""]:
        previous = chunk_signature(SIGNED, previous, piece)
        body += b"%x;chunk-signature=%s\r\n%s" % (len(piece), previous.encode(), piece + b"\r\n" if piece else b"")
    payload = b"".join(pieces)
    names: tuple[str, ...] = ()
    if trailer:
        value = base64.b64encode(hashlib.sha256(payload).digest()).decode()
        names = ("x-amz-checksum-sha256",)
        signature = trailer_signature(SIGNED, previous, {names[0]: value})
        body += f"{names[0]}:{value}\r\nx-amz-trailer-signature:{signature}\r\n".encode()
    framing = Framing.SIGNED_WITH_TRAILER if trailer else Framing.SIGNED
    assert (
        decode_chunked(body + b"\r\n", framing=framing, chain=SIGNED, decoded_bytes=len(payload), trailers=names)
        == payload
    )


@given(body=st.binary(max_size=80), framing=st.sampled_from(Framing))
def test_any_bytes_are_decoded_or_refused(body: bytes, framing: Framing) -> None:
    """Nothing but an `InputError` comes out of a body that is not in form."""
    with pytest.raises(InputError):
        decode_chunked(body, framing=framing, chain=SIGNED, decoded_bytes=81)


def streamed_request(
    body: bytes, content: str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", length: str = "66560"
) -> SignedRequest:
    """A request of ours in the form of the example, signed for its chunks."""
    headers = (
        ("host", "localhost"),
        ("x-amz-content-sha256", content),
        ("x-amz-date", "20130524T000000Z"),
        ("x-amz-decoded-content-length", length),
    )
    names = tuple(name for name, _ in headers)
    bare = SignedRequest("POST", "/", "", headers, body)
    canonical = canonical_request(bare, query="", signed_headers=names, payload_hash=content)
    seed = signature_of(KEY, string_to_sign("20130524T000000Z", SCOPE, canonical))
    value = f"AWS4-HMAC-SHA256 Credential=AKIA/{SCOPE}, SignedHeaders={';'.join(names)}, Signature={seed}"
    return SignedRequest("POST", "/", "", (*headers, ("authorization", value)), body)


def verified_payload(request: SignedRequest) -> bytes:
    return verify(
        request,
        region="us-east-1",
        service="s3",
        secret_of=lambda *_: SECRET,
        now=datetime(2013, 5, 24, tzinfo=UTC),
        unsigned_payload=UnsignedPayload.REFUSE,
    ).payload


def test_a_request_hands_out_its_payload_and_not_its_chunks() -> None:
    """The verifier starts the chain at the request's own signature."""
    seed = streamed_request(b"").only_value("authorization")
    assert seed is not None
    chain = Chain(KEY, "20130524T000000Z", SCOPE, seed[-64:])
    first = chunk_signature(chain, chain.seed, FIRST)
    second = chunk_signature(chain, first, SECOND)
    last = chunk_signature(chain, second, b"")
    assert verified_payload(streamed_request(framed((first, second, last)))) == FIRST + SECOND


@pytest.mark.parametrize(
    ("content", "length"),
    [
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "66560"),
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "many"),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", "66560"),
    ],
)
def test_a_request_with_a_wrong_chain_is_refused(content: str, length: str) -> None:
    """Another request's chunks, a length that is none, and unsigned chunks without TLS are refused."""
    with pytest.raises(SignatureError) as caught:
        verified_payload(streamed_request(framed(SIGNED_CHUNKS), content, length))
    assert caught.value.fault is Fault.INVALID
