"""The `Image` of a request, turned into a photograph: bytes in the request, or an object in a bucket.

Buckets are read from one endpoint, with one set of credentials, both of the installation's configuration: a caller says
a bucket and a key, never an address. Of the server's files, this one alone imports boto3. It must never hand on more
bytes than the limit, follow a caller to another host, or tell a caller what S3 said beyond "can't be read".
"""

import time
from collections.abc import Collection
from typing import Any, Protocol, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from recognizance.aws.shapes import Members
from recognizance.config import Settings
from recognizance.errors import ImageTooLargeError, InputError, UnavailableError
from recognizance.faces import Photograph, open_photograph
from recognizance.permits import Permit

# Rekognition's quotas: 5 MB in a request (the service model holds that one), 15 MB in a bucket, 80 pixels a side.
MAX_OBJECT_BYTES = 15 * 1024 * 1024
MIN_SIDE_PX = 80

_PIECE_BYTES = 65_536
# A whole object may take this many times as long as one answer of S3.
_PATIENCE = 6


class S3ObjectError(InputError):
    """The object can't be read: there is none, it's not ours to read, or S3 is not set up."""


class ObjectStore(Protocol):
    """Where `S3Object` is read from."""

    def read(self, bucket: str, key: str, version: str | None, *, limit_bytes: int) -> bytes:
        """Read a whole object.

        Raises:
            S3ObjectError: If it can't be read, whatever the reason that the caller could mend.
            ImageTooLargeError: If it has more than `limit_bytes`. No more than one byte beyond was read.
            UnavailableError: If the store does not answer.
        """
        ...


class NoStore:
    """What stands in while S3 is not configured: says which settings are missing."""

    def read(self, bucket: str, key: str, version: str | None, *, limit_bytes: int) -> bytes:  # noqa: ARG002
        raise S3ObjectError(
            "S3Object can't be read: this installation has no S3. Set s3_access_key_id and s3_secret_access_key"
            " (and s3_endpoint_url), or s3_ambient_credentials."
        )


class S3Store:
    """Objects of one S3-compatible endpoint.

    Args:
        client: A boto3 client for S3.
        buckets: The only buckets that may be read; empty allows every bucket that the credentials can read.
    """

    def __init__(self, client: Any, *, buckets: Collection[str] = (), patience_s: float = 60.0) -> None:
        self._client = client
        self._buckets = frozenset(buckets)
        self._patience_s = patience_s

    def read(self, bucket: str, key: str, version: str | None, *, limit_bytes: int) -> bytes:
        """Read a whole object; see `ObjectStore`."""
        if self._buckets and bucket not in self._buckets:
            raise S3ObjectError(f"the bucket {bucket!r} is not among those that may be read (setting s3_buckets)")
        # Some servers, and proxies before them, resolve these, and so would leave an allowed bucket.
        if {".", ".."} & set(key.split("/")):
            raise S3ObjectError("the name of an S3 object can't have '.' or '..' between slashes")
        place = {"Bucket": bucket, "Key": key} | ({"VersionId": version} if version is not None else {})
        try:
            answer = self._client.get_object(**place)
            if int(answer["ContentLength"]) > limit_bytes:
                answer["Body"].close()
                raise _too_large(limit_bytes)
            return self._drain(answer["Body"], limit_bytes)
        except (ClientError, ParamValidationError) as error:
            raise _refused(error) from error
        except BotoCoreError as error:
            raise UnavailableError("the S3 endpoint doesn't answer") from error

    def _drain(self, body: Any, limit_bytes: int) -> bytes:  # boto3 ships no types
        """Read a body that may be longer than it said, and slower than anybody waits."""
        deadline, pieces, size = time.monotonic() + self._patience_s, [], 0
        with body:
            while piece := cast("bytes", body.read(_PIECE_BYTES)):
                size += len(piece)
                if size > limit_bytes:
                    raise _too_large(limit_bytes)
                if time.monotonic() > deadline:
                    raise UnavailableError(f"the S3 object took longer than {self._patience_s:g} s")
                pieces.append(piece)
        return b"".join(pieces)


def open_store(settings: Settings) -> ObjectStore:
    """Connect to the S3 that the settings describe; no request is sent yet."""
    given = bool(settings.s3_access_key_id)
    if not given and not settings.s3_ambient_credentials:
        return NoStore()
    config = Config(
        connect_timeout=settings.s3_timeout_s,
        read_timeout=settings.s3_timeout_s,
        retries={"mode": "standard", "total_max_attempts": 2},
        max_pool_connections=32,
        # A server that isn't Amazon's has no host name for each bucket.
        s3={"addressing_style": "path" if settings.s3_endpoint_url else "auto"},
    )
    session = boto3.Session(
        aws_access_key_id=settings.s3_access_key_id if given else None,
        aws_secret_access_key=settings.s3_secret_access_key if given else None,
        region_name=settings.s3_region,
    )
    client = session.client("s3", endpoint_url=settings.s3_endpoint_url or None, config=config)
    return S3Store(client, buckets=settings.s3_buckets, patience_s=_PATIENCE * settings.s3_timeout_s)


class ImageSource:
    """Opens the images of requests."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def open(self, request: Members, name: str, permit: Permit) -> Photograph:
        """Open the image in the member `name` of a request.

        JPEG and PNG as at Rekognition, and beyond it WebP and, with the extra `heic`, HEIC.

        Raises:
            InputError: If the member holds no image or two, or one with less than 80 pixels a side.
            S3ObjectError: If it's in a bucket and can't be read.
            ImageError: If it's no picture.
            ImageTooLargeError: If it has too many bytes or pixels.
        """
        photograph = open_photograph(self._bytes(request.structure(name), name), permit)
        if min(photograph.size_hw) < MIN_SIDE_PX:
            height, width = photograph.size_hw
            raise InputError(f"{name} is {width}×{height} px; the least is {MIN_SIDE_PX} px a side")
        return photograph

    def _bytes(self, image: Members, name: str) -> bytes:
        data, place = image.optional_blob("Bytes"), image.optional_structure("S3Object")
        if data is not None and place is None:
            return data
        if data is not None or place is None:
            raise InputError(f"{name} needs Bytes or S3Object, and not both")
        bucket, key = place.optional_text("Bucket"), place.optional_text("Name")
        if bucket is None or key is None:
            raise InputError(f"the S3Object of {name} needs a Bucket and a Name")
        return self._store.read(bucket, key, place.optional_text("Version"), limit_bytes=MAX_OBJECT_BYTES)


def _too_large(limit_bytes: int) -> ImageTooLargeError:
    return ImageTooLargeError(f"the S3 object has more than {limit_bytes} bytes, which is the limit")


def _refused(error: ClientError | ParamValidationError) -> Exception:
    """Tell what the caller could mend from what S3 should."""
    status = 400
    if isinstance(error, ClientError):
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
    if status >= 500:  # HTTP's own line between the two
        return UnavailableError("the S3 endpoint has an error of its own")
    return S3ObjectError("the S3 object can't be read: check its bucket, name, version and region, and who may read it")
