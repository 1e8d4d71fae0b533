"""A server on this machine with a fresh data folder, portraits that two libraries ship, and boto3 clients for it."""

import io
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import uvicorn
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from matplotlib import cbook
from PIL import Image
from skimage import data as samples

from recognizance.app import Service, http_app, open_service
from recognizance.aws.service_model import load_model
from recognizance.aws.shapes import answer_problems
from recognizance.config import Settings

REGION = "us-east-1"
MODEL = load_model()
# What the protocol answers before an operation is known; no operation declares these.
PROTOCOL_ERRORS = frozenset({"SerializationException", "UnknownOperationException", "InvalidSignatureException"})


@cache
def hopper() -> Image.Image:
    """Grace Hopper's portrait, public domain, as matplotlib ships it."""
    with Image.open(str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))) as picture:
        return picture.convert("RGB")


@cache
def astronaut() -> Image.Image:
    """Eileen Collins's portrait by NASA, as scikit-image ships it."""
    return Image.fromarray(samples.astronaut())  # type: ignore[no-untyped-call]  # scikit-image has no types


@cache
def both() -> Image.Image:
    """The two side by side: the second face is a little smaller."""
    left, right = hopper(), astronaut().resize((400, 400))
    page = Image.new("RGB", (left.width + right.width, left.height), "gray")
    page.paste(left, (0, 0))
    page.paste(right, (left.width, 0))
    return page


def jpeg(image: Image.Image, quality: int = 92) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@cache
def nobody() -> bytes:
    """A picture without a face: a gradient."""
    ramp = np.linspace(0, 255, 200, dtype=np.uint8)
    return png(Image.fromarray(np.repeat(np.repeat(ramp[None, :, None], 200, axis=0), 3, axis=2)))


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, and the service inside it."""

    endpoint: str
    key_id: str
    secret: str
    service: Service

    def client(self, *, validated: bool = True, **more: Any) -> Any:  # boto3 ships no types
        """A boto3 client whose answers are held against the service model as they come.

        Args:
            validated: Whether botocore checks what it sends; without, anything goes out.
        """
        given: dict[str, Any] = {
            "aws_access_key_id": self.key_id,
            "aws_secret_access_key": self.secret,
            "region_name": REGION,
            "endpoint_url": self.endpoint,
            "config": Config(parameter_validation=validated, retries={"total_max_attempts": 1}),
        }
        client = boto3.client("rekognition", **(given | more))
        client.meta.events.register("after-call.rekognition", _hold_to_model)
        return client


@contextmanager
def running(folder: Path, settings: Settings) -> Iterator[Server]:
    """Serve `folder` on a free port until the block ends."""
    service = open_service(folder, settings)
    issued = service.keys.create()
    server = uvicorn.Server(uvicorn.Config(http_app(service), host="127.0.0.1", port=0, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started:
            if time.monotonic() > deadline or not thread.is_alive():
                raise RuntimeError("the server didn't start")
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Server(f"http://127.0.0.1:{port}", str(issued.id), issued.secret, service)
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        service.close()


def call(client: Any, operation: str, **arguments: Any) -> dict[str, Any]:
    """Call an operation by its name in the service model."""
    answer: dict[str, Any] = getattr(client, xform_name(operation))(**arguments)
    return answer


def error_of(client: Any, operation: str, **arguments: Any) -> tuple[str, str]:
    """The code and message of the error that a call ends with."""
    try:
        call(client, operation, **arguments)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    raise AssertionError(f"{operation} succeeded")


def _hold_to_model(http_response: Any, parsed: Any, model: Any, **_: Any) -> None:
    """Fail the test in which an answer isn't what the model says, or an error isn't declared."""
    operation = MODEL.operations[model.name]
    if http_response.status_code == 200:
        assert answer_problems(operation, json.loads(http_response.content)) == []
    else:
        assert parsed["Error"]["Code"] in operation.errors | PROTOCOL_ERRORS
