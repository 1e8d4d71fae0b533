"""One server for all tests of the wire; each test has a collection of its own."""

import itertools
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from recognizance.config import Settings

from .rekognition_world import REGION, Server, astronaut, hopper, jpeg, running

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The endpoint of an S3 with the bucket `photos`."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.client("s3", endpoint_url=url, region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b")
    client.create_bucket(Bucket="photos")
    client.put_object(Bucket="photos", Key="hopper.jpg", Body=jpeg(hopper()))
    client.put_object(Bucket="photos", Key="astronaut.jpg", Body=jpeg(astronaut()))
    client.put_object(Bucket="photos", Key="large", Body=bytes(15 * 1024 * 1024 + 1))
    client.put_object(Bucket="photos", Key="text", Body=b"no picture")
    yield url
    server.stop()


@pytest.fixture(scope="session")
def server(s3: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = Settings(s3_endpoint_url=s3, s3_access_key_id="a", s3_secret_access_key="b", inference_threads=2)
    with running(tmp_path_factory.mktemp("served") / "data", settings) as started:
        yield started


@pytest.fixture(scope="session")
def rekognition(server: Server) -> Any:  # boto3 ships no types
    """A boto3 client as any program has it."""
    return server.client()


@pytest.fixture(scope="session")
def unvalidated(server: Server) -> Any:  # boto3 ships no types
    """A boto3 client that sends whatever it is given."""
    return server.client(validated=False)


@pytest.fixture
def collection(rekognition: Any) -> str:
    """A new, empty collection."""
    name = f"collection-{next(_numbers)}"
    rekognition.create_collection(CollectionId=name)
    return name
