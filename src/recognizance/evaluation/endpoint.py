"""One Rekognition endpoint: the calls that an evaluation makes, tried again while it is busy, with errors of our own.

A failure is one of four things: the picture's (no face, unreadable), the moment's (throttled, failing: wait and try
again), the caller's (refused, malformed: stop), the collection's (there already, not there). This file alone of the
folder imports boto3. It must never send a name: a picture is known to the endpoint by its hash.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from recognizance.errors import DeniedError, InputError, UnavailableError

MAX_REQUEST_BYTES = 5 << 20
"""Rekognition's limit for a picture in a request."""
MAX_CANDIDATES = 4_096
PATIENCE_S = 300.0
"""How long one call is tried again before the run stops; what was answered until then is kept."""
_REGION = "us-east-1"
"""What this server's clients sign for unless it is set otherwise."""
_CONNECT_S, _READ_S = 10.0, 120.0
_FIRST_WAIT_S = 0.2
_LONGEST_WAIT_S = 20.0

_BUSY = frozenset(
    {
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestTimeout",
        "ServiceUnavailable",
        "ThrottlingException",
    }
)
_UNREADABLE = frozenset({"ImageTooLargeException", "InvalidImageFormatException"})
_DENIED = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "UnrecognizedClientException",
    }
)


class NoFaceError(InputError):
    """The endpoint found no face in a picture, or none that passes its quality filter."""


class UnreadableError(InputError):
    """The endpoint can't read a picture."""


class ExistsError(InputError):
    """There is such a collection already."""


class AbsentError(InputError):
    """There is no such collection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long failures are waited for.

    Attributes:
        total_s: In all, for one call.
        first_s: Before the second try; each wait is twice the one before.
        sleep: Waits for so many seconds.
    """

    total_s: float = PATIENCE_S
    first_s: float = _FIRST_WAIT_S
    sleep: Callable[[float], None] = time.sleep


class Endpoint:
    """A boto3 client for Rekognition. Safe to share between threads.

    Args:
        client: Its own retries may be switched off; this class has its own.
    """

    def __init__(self, client: Any, patience: Patience | None = None) -> None:  # boto3 ships no types
        self._client, self._patience = client, patience or Patience()
        self._has_answered = False
        self.host = str(urlsplit(client.meta.endpoint_url).netloc)
        self.region = str(client.meta.region_name)
        self.api_version = str(client.meta.service_model.api_version)

    def ask(self, operation: str, **arguments: object) -> dict[str, Any]:
        """Call an operation, by its name in boto3, until it answers or patience ends.

        Raises:
            NoFaceError, UnreadableError, ExistsError, AbsentError: As they say.
            DeniedError: If the endpoint refuses.
            InputError: If it finds the request wrong.
            UnavailableError: If it stays busy, or can't be reached at all. One that has answered before may be starting
                again and is waited for; one that never did is more likely a wrong address.
        """
        wait_s, waited_s = self._patience.first_s, 0.0
        while (answer := self._tried(operation, arguments)) is None:
            if waited_s + wait_s > self._patience.total_s:
                raise UnavailableError(
                    f"{self.host} did not answer for {waited_s:.0f} s; what it answered before is kept, so the same"
                    " command goes on from there"
                )
            # Between half and all of it, so that those who were refused together don't come back together.
            self._patience.sleep(wait_s * (0.5 + random.SystemRandom().random() / 2))
            waited_s += wait_s
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
        return answer

    def _tried(self, operation: str, arguments: dict[str, object]) -> dict[str, Any] | None:
        """One try: the answer, or `None` where it is worth another."""
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(**arguments)
        except ClientError as error:
            self._has_answered = True
            meant = _meaning(error, self.host)
            if meant is None:
                return None
            raise meant from error
        except EndpointConnectionError as error:
            if self._has_answered:
                return None
            raise UnavailableError(
                f"{self.host} takes no connection: is the address right, and does the service run?"
            ) from error
        except BotoCoreError:
            return None
        self._has_answered = True
        return answer


def open_endpoint(*, url: str | None, connections: int) -> Endpoint:
    """Connect with what boto3 finds: credentials, profile and region of the environment. No request is sent yet.

    Args:
        url: `None` is Amazon's own endpoint of the region.

    Raises:
        InputError: If the address, the profile or the region is none.
    """
    config = Config(
        # The class above tries again by itself, so that it can say what is kept.
        retries={"total_max_attempts": 1},
        max_pool_connections=connections,
        connect_timeout=_CONNECT_S,
        read_timeout=_READ_S,
    )
    try:
        session = boto3.Session()
        region = session.region_name or (None if url is None else _REGION)
        return Endpoint(session.client("rekognition", region_name=region, endpoint_url=url, config=config))
    except (BotoCoreError, ValueError) as error:
        raise InputError(f"the endpoint can't be opened: {error}") from error


def picture(data: bytes) -> dict[str, bytes]:
    """A picture as a request carries it.

    Raises:
        UnreadableError: If it's larger than any endpoint takes.
    """
    if len(data) > MAX_REQUEST_BYTES:
        raise UnreadableError(f"the picture has {len(data)} bytes; a request takes {MAX_REQUEST_BYTES}")
    return {"Bytes": data}


def _meaning(error: ClientError, host: str) -> Exception | None:
    """What an endpoint's error means; `None` means to wait."""
    code, message = str(error.response["Error"]["Code"]), str(error.response["Error"].get("Message", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    said = f"{host} answers {code}: {message}"
    if code in _BUSY or status >= 500:
        return None
    if code in _UNREADABLE:
        return UnreadableError(said)
    if code == "InvalidParameterException" and "no faces" in message.lower():
        return NoFaceError(said)
    if code == "ResourceAlreadyExistsException":
        return ExistsError(said)
    if code == "ResourceNotFoundException":
        return AbsentError(said)
    return DeniedError(said) if code in _DENIED else InputError(said)
