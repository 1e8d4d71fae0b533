"""Sets whose pictures are in buckets, at moto's S3: read whole, named where they fail, kept by content."""

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer
from PIL import Image
from typer.testing import CliRunner

from recognizance.aws import open_store
from recognizance.cli import app
from recognizance.config import Settings
from recognizance.errors import CorruptionError, InputError
from recognizance.evaluation.results import Evaluation, read_evaluation
from recognizance.evaluation.testset import BucketReader, open_test_set

from ..conftest import jpeg

BUCKET = "portraits"


@pytest.fixture(scope="module")
def endpoint(collins: Image.Image, hopper: Image.Image) -> Iterator[str]:
    """An S3 with two pictures of each of two people, and the same pictures under other keys."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = s3(url)
    client.create_bucket(Bucket=BUCKET)
    for name, picture in {"collins": collins, "hopper": hopper}.items():
        for number, turned in enumerate((picture, picture.rotate(7)), 1):
            for folder in ("first", "moved to"):
                client.put_object(Bucket=BUCKET, Key=f"{folder}/{name} {number}.jpg", Body=jpeg(turned))
    yield url
    server.stop()


def s3(url: str):  # type: ignore[no-untyped-def]  # boto3 ships no types
    return boto3.client(
        "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )


def store_of(endpoint: str) -> BucketReader:
    return open_store(Settings(s3_endpoint_url=endpoint, s3_access_key_id="a", s3_secret_access_key="b"))


def manifest_of(folder: Path, keys: str, *more: str) -> Path:
    rows = [
        f"s3://{BUCKET}/{keys}/{name} {number}.jpg,{name.title()}"
        for name in ("hopper", "collins")
        for number in (1, 2)
    ]
    path = folder / f"{keys}.csv"
    path.write_text("\n".join(["path,subject", *rows, *more]) + "\n", encoding="utf-8")
    return path


def test_a_picture_that_a_bucket_lacks_is_named_by_its_row_and_its_key(tmp_path: Path, endpoint: str) -> None:
    """The row is the file's, whatever order the set is in; and so is one in a bucket that isn't there."""
    absent = manifest_of(tmp_path, "first", f"s3://{BUCKET}/first/absent.jpg,Ada")
    elsewhere = tmp_path / "elsewhere.csv"
    elsewhere.write_text("path,subject\ns3://nowhere/one.jpg,Ada\n", encoding="utf-8")
    store = store_of(endpoint)

    with pytest.raises(InputError, match=r"first\.csv, line 6, column path: s3://portraits/first/absent\.jpg: .*read"):
        open_test_set(absent, buckets=store)
    with pytest.raises(InputError, match=r"elsewhere\.csv, line 2, column path: s3://nowhere/one\.jpg: .*read"):
        open_test_set(elsewhere, buckets=store)


def test_an_object_that_changes_after_the_commitment_is_not_measured(tmp_path: Path, endpoint: str) -> None:
    """A bucket isn't a promise: what is measured are the bytes that were committed to."""
    client = s3(endpoint)
    client.put_object(Bucket=BUCKET, Key="changing.jpg", Body=b"as it was")
    path = tmp_path / "set.csv"
    path.write_text(f"path,subject\ns3://{BUCKET}/changing.jpg,Ada\n", encoding="utf-8")
    test_set = open_test_set(path, buckets=store_of(endpoint))
    before = test_set.picture(0)
    client.put_object(Bucket=BUCKET, Key="changing.jpg", Body=b"as it is")

    assert before == b"as it was"
    with pytest.raises(CorruptionError, match=r"s3://portraits/changing\.jpg has changed"):
        test_set.picture(0)


def test_pictures_in_a_bucket_are_measured_and_kept_by_what_they_are(
    tmp_path: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command reads them with the installation's settings; under other keys nothing has to be looked at again."""
    for name, value in {"ENDPOINT_URL": endpoint, "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b"}.items():
        monkeypatch.setenv(f"RECOGNIZANCE_S3_{name}", value)

    first, kept = measured(tmp_path, "first")
    moved, still_kept = measured(tmp_path, "moved to")

    assert first.findings.acquisition.rate.trials == 4
    assert first.findings.acquisition.rate.errors == 0
    assert first.data.commitment != moved.data.commitment
    assert first.findings == moved.findings
    assert kept > 0
    assert still_kept == kept


def measured(folder: Path, keys: str) -> tuple[Evaluation, int]:
    """The result of a set, and how many bytes of templates are kept after it."""
    cache, out = folder / "cache", folder / f"out {keys}"
    words = ["verification", manifest_of(folder, keys), "--out", out, "--cache", cache, "--data", folder / "none"]
    more = ["--resamples", "100", "--json"]
    done = CliRunner().invoke(app, ["evaluate", *map(str, words), *more], catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["verdict"] is None
    templates = [each.stat().st_size for each in cache.iterdir() if each.name.startswith("templates")]
    return read_evaluation((out / "result.json").read_bytes()), sum(templates)
