"""Images in requests and in buckets; the buckets are those of moto's server on this machine."""

import io
import os
import socket
from collections.abc import Iterator
from typing import Self

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer
from PIL import Image

from recognizance.aws.images import (
    MAX_OBJECT_BYTES,
    ImageSource,
    NoStore,
    ObjectStore,
    S3ObjectError,
    S3Store,
    open_store,
)
from recognizance.aws.shapes import Members
from recognizance.config import Settings
from recognizance.errors import ImageError, ImageTooLargeError, InputError, UnavailableError
from recognizance.governance import Policy
from recognizance.governance.policy import Principal, Role
from recognizance.identifiers import DecisionId, PrincipalId
from recognizance.permits import Action, Permit

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def picture(width: int, height: int, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (90, 120, 150)).save(file, kind)
    return file.getvalue()


@pytest.fixture
def permit() -> Permit:
    principal = Principal(PrincipalId("test"), frozenset({Role.ADMINISTRATOR}))
    return Policy().decide(principal, Action.DETECT, gallery=None, decision_id=DecisionId("d"))


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """An S3 with two buckets and a few objects."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.client(
        "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    client.create_bucket(Bucket="photos")
    client.create_bucket(Bucket="secrets")
    client.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
    client.put_object(Bucket="photos", Key="a b/ü.png", Body=picture(100, 90))
    client.put_object(Bucket="photos", Key="full", Body=bytes(MAX_OBJECT_BYTES))
    client.put_object(Bucket="photos", Key="over", Body=bytes(MAX_OBJECT_BYTES + 1))
    client.put_object(Bucket="photos", Key="twice", Body=b"first")
    client.put_object(Bucket="photos", Key="twice", Body=b"second")
    client.put_object(Bucket="secrets", Key="s", Body=b"secret")
    yield url
    server.stop()


def store_of(endpoint: str, **settings: object) -> ObjectStore:
    return open_store(
        Settings(
            s3_endpoint_url=endpoint,
            s3_access_key_id="a",
            s3_secret_access_key="b",
            s3_timeout_s=2.0,
            **settings,  # type: ignore[arg-type]  # each test names a field of its type
        )
    )


def s3_object(**members: str) -> Members:
    return Members({"Image": Members({"S3Object": Members(members)})})


def test_an_object_in_a_bucket_is_opened(endpoint: str, permit: Permit) -> None:
    """By bucket and name, with blanks, slashes and accents in it."""
    request = s3_object(Bucket="photos", Name="a b/ü.png")
    assert ImageSource(store_of(endpoint)).open(request, "Image", permit).size_hw == (90, 100)


def test_a_version_is_read(endpoint: str) -> None:
    """The one that is asked for, and the newest otherwise."""
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    versions = client.list_object_versions(Bucket="photos", Prefix="twice")["Versions"]
    oldest = next(each["VersionId"] for each in versions if not each["IsLatest"])
    store = store_of(endpoint)
    assert store.read("photos", "twice", oldest, limit_bytes=10) == b"first"
    assert store.read("photos", "twice", None, limit_bytes=10) == b"second"


def test_fifteen_megabytes_are_read_and_no_more(endpoint: str) -> None:
    """The quota itself is allowed; a byte beyond is too large."""
    store = store_of(endpoint)
    assert len(store.read("photos", "full", None, limit_bytes=MAX_OBJECT_BYTES)) == MAX_OBJECT_BYTES
    with pytest.raises(ImageTooLargeError, match=str(MAX_OBJECT_BYTES)):
        store.read("photos", "over", None, limit_bytes=MAX_OBJECT_BYTES)


@pytest.mark.parametrize(
    ("bucket", "key", "version"),
    [
        ("photos", "absent", None),
        ("absent", "key", None),
        ("photos", "twice", "00000000-0000-0000-0000-000000000000"),
        ("a..b!", "key", None),
    ],
)
def test_what_cannot_be_read_is_an_invalid_object(endpoint: str, bucket: str, key: str, version: str | None) -> None:
    """The caller learns that, and not what S3 said about it."""
    with pytest.raises(S3ObjectError, match="can't be read"):
        store_of(endpoint).read(bucket, key, version, limit_bytes=10)


def test_only_the_buckets_of_the_settings_are_read(endpoint: str) -> None:
    """The credentials may reach further than callers should."""
    store = store_of(endpoint, s3_buckets=("photos",))
    assert store.read("photos", "twice", None, limit_bytes=10) == b"second"
    with pytest.raises(S3ObjectError, match="s3_buckets"):
        store.read("secrets", "s", None, limit_bytes=10)


@pytest.mark.parametrize("key", ["../secrets/s", "a/../../secrets/s", "./s", ".."])
def test_a_name_cannot_climb_out_of_its_bucket(endpoint: str, key: str) -> None:
    """Whatever a server or proxy on the way makes of dots."""
    with pytest.raises(S3ObjectError, match=r"\.\."):
        store_of(endpoint, s3_buckets=("photos",)).read("photos", key, None, limit_bytes=10)


def test_an_endpoint_that_does_not_answer_is_our_fault() -> None:
    """The same request may succeed later."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(UnavailableError):
            store_of(url).read("photos", "key", None, limit_bytes=10)


class Drip:
    """A body that says one length and has another."""

    def __init__(self, size: int) -> None:
        self.left = size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def read(self, amount: int) -> bytes:
        taken = min(amount, self.left)
        self.left -= taken
        return bytes(taken)


class LyingClient:
    """An S3 that understates what it sends."""

    def get_object(self, **_: str) -> dict[str, object]:
        return {"ContentLength": 5, "Body": Drip(10_000_000)}


class BrokenClient:
    """An S3 with a fault of its own."""

    def get_object(self, **_: str) -> dict[str, object]:
        answer = {"Error": {"Code": "InternalError"}, "ResponseMetadata": {"HTTPStatusCode": 503}}
        raise ClientError(answer, "GetObject")


def test_a_fault_of_s3_is_not_the_callers() -> None:
    """The same request may succeed later."""
    with pytest.raises(UnavailableError, match="of its own"):
        S3Store(BrokenClient()).read("b", "k", None, limit_bytes=1)


def test_a_body_longer_than_it_said_is_cut_off() -> None:
    """The limit holds for what comes, not for what was promised."""
    with pytest.raises(ImageTooLargeError):
        S3Store(LyingClient()).read("b", "k", None, limit_bytes=1_000_000)


def test_a_body_that_takes_too_long_is_given_up() -> None:
    """A thread is not held for as long as somebody likes."""
    with pytest.raises(UnavailableError, match="longer"):
        S3Store(LyingClient(), patience_s=-1).read("b", "k", None, limit_bytes=1_000_000)


def test_without_settings_there_is_no_s3(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that lie about on the machine aren't used unasked; the error names the settings."""
    monkeypatch.setitem(os.environ, "AWS_ACCESS_KEY_ID", "lying-about")
    store = open_store(Settings())
    assert isinstance(store, NoStore)
    with pytest.raises(S3ObjectError, match="s3_access_key_id"):
        store.read("photos", "key", None, limit_bytes=1)


@pytest.mark.parametrize(
    "image",
    [
        Members({}),
        Members({"Bytes": b"x", "S3Object": Members({"Bucket": "b", "Name": "n"})}),
        Members({"S3Object": Members({"Bucket": "bbb"})}),
        Members({"S3Object": Members({"Name": "n"})}),
        Members({"S3Object": Members({})}),
    ],
)
def test_an_image_is_bytes_or_an_object(image: Members, permit: Permit) -> None:
    """Neither, both, and half an object are refused."""
    with pytest.raises(InputError, match="Image"):
        ImageSource(NoStore()).open(Members({"Image": image}), "Image", permit)


@pytest.mark.parametrize(("width", "height", "fits"), [(80, 80, True), (79, 200, False), (200, 79, False)])
def test_a_side_has_eighty_pixels(width: int, height: int, fits: bool, permit: Permit) -> None:
    """Rekognition's least size; the message names both."""
    request = Members({"Image": Members({"Bytes": picture(width, height)})})
    if fits:
        assert ImageSource(NoStore()).open(request, "Image", permit).size_hw == (height, width)
    else:
        with pytest.raises(InputError, match="80 px") as caught:
            ImageSource(NoStore()).open(request, "Image", permit)
        assert not isinstance(caught.value, ImageError)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF"])
def test_other_formats_are_refused(kind: str, permit: Permit) -> None:
    """JPEG and PNG as at Rekognition, and WebP; nothing that a decoder would rather not meet."""
    with pytest.raises(ImageError):
        ImageSource(NoStore()).open(Members({"Image": Members({"Bytes": picture(90, 90, kind)})}), "Image", permit)


def test_webp_is_read_beyond_rekognition(permit: Permit) -> None:
    """A documented extra."""
    request = Members({"Image": Members({"Bytes": picture(90, 90, "WEBP")})})
    assert ImageSource(NoStore()).open(request, "Image", permit).size_hw == (90, 90)
