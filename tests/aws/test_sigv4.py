"""Signatures: AWS's published vectors, botocore as the other party, and every way to be refused."""

import contextlib
import hashlib
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from recognizance.aws import sigv4
from recognizance.aws.canonical import SignedRequest
from recognizance.aws.sigv4 import Fault, SignatureError, UnsignedPayload, Verified, verify
from recognizance.identifiers import AccessKeyId

from .sigv4_suite import DATE, HOST, SUITE, SUITE_KEY, SUITE_SECRET, SUITE_TIME, TOKEN


def suite_secret(key: AccessKeyId, token: str | None) -> str | None:
    return SUITE_SECRET if key == SUITE_KEY and token in {None, TOKEN} else None


def authorization(signed: str, signature: str, scope: str = "20150830/us-east-1/service/aws4_request") -> str:
    return f"AWS4-HMAC-SHA256 Credential={SUITE_KEY}/{scope}, SignedHeaders={signed}, Signature={signature}"


def check(request: SignedRequest, *, now: datetime = SUITE_TIME) -> Verified:
    return verify(request, region="us-east-1", service="service", secret_of=suite_secret, now=now)


def refusal(request: SignedRequest, *, now: datetime = SUITE_TIME) -> SignatureError:
    with pytest.raises(SignatureError) as caught:
        check(request, now=now)
    return caught.value


VANILLA = SUITE[14][6]


def vanilla(
    *,
    headers: tuple[tuple[str, str], ...] = (HOST, DATE),
    auth: str | None = authorization("host;x-amz-date", VANILLA),
    query: str = "",
    body: bytes = b"",
) -> SignedRequest:
    extra = (("authorization", auth),) if auth is not None else ()
    return SignedRequest("POST", "/", query, headers + extra, body)


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "body", "signature"), [case[1:] for case in SUITE], ids=[c[0] for c in SUITE]
)
def test_awss_published_vectors_verify(
    method: str, path: str, query: str, headers: list[tuple[str, str]], body: bytes, signature: str
) -> None:
    """Each request of AWS's test suite has the signature that AWS says, and with one bit flipped it has not."""
    everything = (*headers, HOST, DATE)
    names = ";".join(sorted({name for name, _ in everything}))

    def signed(text: str) -> SignedRequest:
        return SignedRequest(method, path, query, (*everything, ("authorization", authorization(names, text))), body)

    assert check(signed(signature)).payload == body
    flipped = format(int(signature, 16) ^ 1, "064x")
    assert refusal(signed(flipped)).fault is Fault.INVALID


def botocore_request(request: AWSRequest) -> SignedRequest:
    """What a server would see of a request that botocore signed."""
    prepared = request.prepare()
    parts = urlsplit(prepared.url)
    headers = [(name.lower(), value) for name, value in request.headers.items()]
    if "host" not in dict(headers):
        headers.append(("host", parts.netloc))
    body = prepared.body or b""
    return SignedRequest(
        str(prepared.method),
        parts.path or "/",
        parts.query,
        tuple((name, value if isinstance(value, str) else value.decode("latin-1")) for name, value in headers),
        body if isinstance(body, bytes) else body.encode(),
    )


WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=("Cs", "Z", "Cc")), max_size=8)
ASCII = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)
NAMES = st.from_regex(r"x-[a-z]{1,5}(-[a-z0-9]{1,5})?", fullmatch=True).filter(lambda name: name[:6] != "x-amz-")
PATHS = st.lists(WORDS | st.sampled_from(["", ".", ".."]), max_size=4).map(
    lambda parts: "/" + "/".join(map(quote, parts))
)
KEYS = st.from_regex(r"[A-Z2-7]{20}", fullmatch=True)
SECRETS = st.from_regex(r"[A-Za-z0-9/+]{40}", fullmatch=True)


def as_signed_now(signed: SignedRequest, *, key: str, secret: str, token: str | None) -> Verified:
    return verify(
        signed,
        region="eu-west-1",
        service="rekognition",
        secret_of=lambda given, session: secret if given == key and session == token else None,
        now=datetime.now(UTC),
        unsigned_payload=UnsignedPayload.REFUSE,
    )


@given(
    method=st.sampled_from(["GET", "POST", "PUT"]),
    path=PATHS,
    query=st.dictionaries(WORDS, WORDS, max_size=4),
    headers=st.dictionaries(NAMES, st.lists(ASCII, min_size=1, max_size=3).map("  ".join), max_size=3),
    body=st.binary(max_size=50),
    key=KEYS,
    secret=SECRETS,
    token=st.none() | ASCII,
)
def test_what_botocore_signs_in_a_header_verifies(
    method: str,
    path: str,
    query: dict[str, str],
    headers: dict[str, str],
    body: bytes,
    key: str,
    secret: str,
    token: str | None,
) -> None:
    """Any method, path, query, header and body that botocore signs is accepted, with its key and token read."""
    text = "&".join(f"{quote(name, safe='-._~')}={quote(value, safe='-._~')}" for name, value in query.items())
    url = f"http://localhost:8080{path}" + ("?" + text if text else "")
    request = AWSRequest(method=method, url=url, headers=headers, data=body)
    SigV4Auth(Credentials(key, secret, token), "rekognition", "eu-west-1").add_auth(request)

    verified = as_signed_now(botocore_request(request), key=key, secret=secret, token=token)

    assert (verified.access_key_id, verified.session_token, verified.payload) == (key, token, body)


@given(query=st.dictionaries(WORDS.filter(bool), WORDS, max_size=3), key=KEYS, secret=SECRETS, token=st.none() | ASCII)
def test_what_botocore_presigns_verifies(query: dict[str, str], key: str, secret: str, token: str | None) -> None:
    """A query that botocore presigns is accepted, until it expires."""
    request = AWSRequest(method="GET", url="https://rekognition.example/", params=query)
    SigV4QueryAuth(Credentials(key, secret, token), "rekognition", "eu-west-1", expires=60).add_auth(request)
    signed = botocore_request(request)

    verified = as_signed_now(signed, key=key, secret=secret, token=token)

    assert verified.expires_at - verified.signed_at == timedelta(seconds=60)
    with pytest.raises(SignatureError, match="expired"):
        verify(
            signed,
            region="eu-west-1",
            service="rekognition",
            secret_of=lambda *_: secret,
            now=verified.expires_at + timedelta(seconds=1),
        )


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_five_minutes_of_clock_difference_are_allowed(seconds: int) -> None:
    """A clock that is off by up to five minutes, either way, is no reason to refuse."""
    assert check(vanilla(), now=SUITE_TIME + timedelta(seconds=seconds)).access_key_id == SUITE_KEY


@pytest.mark.parametrize(("seconds", "says"), [(-301, "not yet current"), (301, "expired")])
def test_more_than_five_minutes_are_refused(seconds: int, says: str) -> None:
    """One second more is refused, and the answer names both clocks."""
    error = refusal(vanilla(), now=SUITE_TIME + timedelta(seconds=seconds))
    assert error.fault is Fault.INVALID
    assert says in str(error)
    assert "20150830T123600Z" in str(error)


@pytest.mark.parametrize(
    "scope",
    [
        "20150829/us-east-1/service/aws4_request",
        "20150830/us-west-2/service/aws4_request",
        "20150830/us-east-1/sts/aws4_request",
    ],
)
def test_a_signature_for_another_day_region_or_service_is_refused(scope: str) -> None:
    """The scope is compared with what this service is, not only used as signed."""
    error = refusal(vanilla(auth=authorization("host;x-amz-date", VANILLA, scope)))
    assert error.fault is Fault.INVALID
    assert "scoped" in str(error)


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        ("", (HOST, DATE)),
        ("Basic dXNlcjpwYXNz", (HOST, DATE)),
        ("AWS4-ECDSA-P256-SHA256 Credential=a", (HOST, DATE)),
        (authorization("host;x-amz-date", VANILLA.upper()), (HOST, DATE)),
        (authorization("host;x-amz-date", VANILLA[:-1]), (HOST, DATE)),
        (authorization("x-amz-date;host", VANILLA), (HOST, DATE)),
        (authorization("host;host;x-amz-date", VANILLA), (HOST, DATE)),
        (authorization("Host;x-amz-date", VANILLA), (HOST, DATE)),
        (authorization("", VANILLA), (HOST, DATE)),
        (authorization("host;x-amz-date", VANILLA) + ", Signature=" + VANILLA, (HOST, DATE)),
        (authorization("host;x-amz-date", VANILLA) + ", Extra=1", (HOST, DATE)),
        (authorization("host;x-amz-date", VANILLA, "20150830/us-east-1/service"), (HOST, DATE)),
        (authorization("host;x-amz-date", VANILLA, "20150830//service/aws4_request"), (HOST, DATE)),
        (authorization("host;x-amz-date", VANILLA, "20150830/us-east-1/service/aws5_request"), (HOST, DATE)),
        (authorization("host;x-amz-date", VANILLA), (HOST,)),
        (authorization("host;x-amz-date", VANILLA), (HOST, ("x-amz-date", "2015-08-30T12:36:00Z"))),
        (authorization("host;x-amz-date", VANILLA), (HOST, ("x-amz-date", "20151330T123600Z"))),
        (authorization("host;x-amz-date", VANILLA), (HOST, ("date", "Sun, 99 Aug 2015 12:36:00 GMT"))),
        (authorization("host;x-amz-date", VANILLA), (HOST, DATE, DATE)),
        (authorization("host;x-amz-date", VANILLA), (HOST, HOST, DATE)),
    ],
)
def test_a_malformed_claim_is_incomplete(auth: str, headers: tuple[tuple[str, str], ...]) -> None:
    """What can't be read as a signature is told apart from one that is wrong."""
    assert refusal(vanilla(auth=auth, headers=headers)).fault is Fault.INCOMPLETE


def test_an_unsigned_request_misses_its_token() -> None:
    """No Authorization header and no signature in the query is a case of its own."""
    assert refusal(vanilla(auth=None)).fault is Fault.MISSING


def test_two_authorization_headers_are_refused() -> None:
    """Two signatures would leave it to chance which one counts."""
    twice = vanilla(headers=(HOST, DATE, ("authorization", authorization("host;x-amz-date", VANILLA))))
    assert refusal(twice).fault is Fault.INCOMPLETE


def test_a_signature_in_header_and_query_is_refused() -> None:
    """So would one of each kind."""
    assert refusal(vanilla(query="X-Amz-Signature=" + VANILLA)).fault is Fault.INCOMPLETE


@pytest.mark.parametrize("name", ["x-amz-target", "x-amz-security-token", "x-amz-anything"])
def test_every_amz_header_has_to_be_signed(name: str) -> None:
    """Nobody on the way can add a header that changes what the request means."""
    error = refusal(vanilla(headers=(HOST, DATE, (name, "RekognitionService.DeleteCollection"))))
    assert error.fault is Fault.INVALID
    assert name in str(error)


def test_a_header_that_decides_nothing_need_not_be_signed() -> None:
    """Some clients name themselves in a header that they leave out of what they sign."""
    assert check(vanilla(headers=(HOST, DATE, ("x-amz-user-agent", "any")))).access_key_id == SUITE_KEY


def test_the_host_has_to_be_signed() -> None:
    """A signature for one service can't be sent to another."""
    assert "host" in str(refusal(vanilla(auth=authorization("x-amz-date", VANILLA))))


def test_a_signed_header_has_to_be_there() -> None:
    """A header that is signed as absent can't be added later."""
    assert refusal(vanilla(auth=authorization("host;my-header;x-amz-date", VANILLA))).fault is Fault.INVALID


def test_a_changed_body_is_refused() -> None:
    """The body is part of what is signed."""
    assert refusal(vanilla(body=b"x")).fault is Fault.INVALID


def test_an_unknown_key_differs_from_a_wrong_signature_in_its_code_alone() -> None:
    """Neither answer contains the key, the expected signature or the text that was signed."""
    unknown = refusal(vanilla(auth=authorization("host;x-amz-date", VANILLA).replace(SUITE_KEY, "AKIDNOBODY")))
    wrong = refusal(vanilla(auth=authorization("host;x-amz-date", "0" * 64)))
    assert (unknown.fault, wrong.fault) == (Fault.UNKNOWN, Fault.INVALID)
    for error in (unknown, wrong):
        assert not {"AKID", VANILLA, "aws4_request"} & set(str(error).split())


def test_a_session_token_that_the_key_does_not_have_is_refused() -> None:
    """A key is looked up together with its session token."""
    names = "host;x-amz-date;x-amz-security-token"
    request = vanilla(headers=(HOST, DATE, ("x-amz-security-token", "other")), auth=authorization(names, VANILLA))
    assert refusal(request).fault is Fault.UNKNOWN


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Amz-Expires", "0"),
        ("X-Amz-Expires", "604801"),
        ("X-Amz-Expires", "+60"),
        ("X-Amz-Expires", "1e3"),
        ("X-Amz-Algorithm", "AWS4-ECDSA-P256-SHA256"),
        ("X-Amz-Date", "now"),
        ("X-Amz-Signature", "f" * 63),
    ],
)
def test_a_malformed_presigned_query_is_incomplete(name: str, value: str) -> None:
    """Each parameter is read as strictly as its header would be."""
    query = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{SUITE_KEY}/20150830/us-east-1/service/aws4_request",
        "X-Amz-Date": DATE[1],
        "X-Amz-Expires": "60",
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Signature": "f" * 64,
    }

    def presigned(pairs: dict[str, str], extra: str = "") -> SignedRequest:
        text = "&".join(f"{key}={quote(each, safe='')}" for key, each in pairs.items())
        return vanilla(auth=None, headers=(HOST,), query=text + extra)

    assert refusal(presigned(query)).fault is Fault.INVALID
    assert refusal(presigned(query | {name: value})).fault is Fault.INCOMPLETE
    assert refusal(presigned({key: each for key, each in query.items() if key != name})).fault is Fault.INCOMPLETE
    assert refusal(presigned(query, f"&{name}={quote(query[name], safe='')}")).fault is Fault.INCOMPLETE


def test_a_date_header_can_stand_in_for_x_amz_date() -> None:
    """botocore signs `Date` instead where a caller has set one; it's accepted if it is signed."""
    request = AWSRequest(method="POST", url="http://localhost/", headers={"Date": "now"}, data=b"{}")
    SigV4Auth(Credentials("A" * 20, SUITE_SECRET), "rekognition", "eu-west-1").add_auth(request)

    verified = as_signed_now(botocore_request(request), key="A" * 20, secret=SUITE_SECRET, token=None)

    assert verified.payload == b"{}"


def unsigned(payload_hash: str, policy: UnsignedPayload) -> Verified:
    request = AWSRequest(
        method="POST", url="http://localhost/", headers={"X-Amz-Content-SHA256": payload_hash}, data=b"{}"
    )
    SigV4Auth(Credentials("A" * 20, SUITE_SECRET), "rekognition", "eu-west-1").add_auth(request)
    return verify(
        botocore_request(request),
        region="eu-west-1",
        service="rekognition",
        secret_of=lambda *_: SUITE_SECRET,
        now=datetime.now(UTC),
        unsigned_payload=policy,
    )


def test_an_unsigned_payload_is_accepted_only_where_it_is_allowed() -> None:
    """`UNSIGNED-PAYLOAD` leaves the body to TLS, so it is refused where there is none."""
    assert unsigned("UNSIGNED-PAYLOAD", UnsignedPayload.ACCEPT).payload == b"{}"
    with pytest.raises(SignatureError, match="TLS"):
        unsigned("UNSIGNED-PAYLOAD", UnsignedPayload.REFUSE)


def test_a_payload_hash_header_is_held_against_the_body() -> None:
    """A hash that is signed but isn't the body's is no protection, and refused."""
    right = hashlib.sha256(b"{}").hexdigest()
    assert unsigned(right, UnsignedPayload.REFUSE).payload == b"{}"
    with pytest.raises(SignatureError, match="hash"):
        unsigned(hashlib.sha256(b"[]").hexdigest(), UnsignedPayload.REFUSE)


@pytest.mark.parametrize("form", ["STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "sha256", "STREAMING"])
def test_an_unknown_form_of_body_is_refused_by_name(form: str) -> None:
    """What isn't understood is not passed over."""
    with pytest.raises(SignatureError, match="x-amz-content-sha256"):
        unsigned(form, UnsignedPayload.ACCEPT)


@given(
    method=st.text(max_size=5),
    path=st.text(st.characters(max_codepoint=255), max_size=20),
    query=st.text(st.characters(max_codepoint=255), max_size=40),
    headers=st.lists(
        st.tuples(
            st.sampled_from([*sigv4._SINGLE_HEADERS, "other"]),
            st.text(st.characters(max_codepoint=255), max_size=60)
            | st.sampled_from([DATE[1], authorization("host;x-amz-date", VANILLA)]),
        ),
        max_size=6,
    ),
    body=st.binary(max_size=20),
)
def test_any_request_is_verified_or_refused(
    method: str, path: str, query: str, headers: list[tuple[str, str]], body: bytes
) -> None:
    """No request whatsoever makes the verifier fail in another way."""
    request = SignedRequest(method.encode("latin-1", "ignore").decode("latin-1"), path, query, tuple(headers), body)
    with contextlib.suppress(SignatureError):
        check(request)
