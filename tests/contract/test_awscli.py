"""AWS's own command line against the server: another client than boto3, in a process of its own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .rekognition_world import REGION, Server, hopper, jpeg

AWS = shutil.which("aws", path=str(Path(sys.executable).parent)) or shutil.which("aws")

pytestmark = pytest.mark.skipif(
    AWS is None, reason="AWS's command line (development dependency awscli) isn't installed"
)


def aws(server: Server, *words: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run `aws rekognition WORDS` with the server's key and nothing else of this machine's configuration."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_ACCESS_KEY_ID": server.key_id,
        "AWS_SECRET_ACCESS_KEY": server.secret,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL_REKOGNITION": server.endpoint,
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
    }
    assert AWS is not None
    return subprocess.run(
        [AWS, "rekognition", *words], capture_output=True, text=True, timeout=120, env=environment, check=False
    )


def answer(server: Server, *words: str, home: Path) -> Any:  # whatever JSON the operation answers
    done = aws(server, *words, home=home)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else {}


def test_the_command_line_enrols_and_finds_somebody(server: Server, tmp_path: Path) -> None:
    """The story of a collection, from its creation over a search by picture to its deletion."""
    picture = tmp_path / "hopper.jpg"
    picture.write_bytes(jpeg(hopper()))
    named = ["--collection-id", "from-the-shell"]

    created = answer(server, "create-collection", *named, "--tags", "owner=shell", home=tmp_path)
    indexed = answer(
        server,
        *["index-faces", *named, "--image", "S3Object={Bucket=photos,Name=hopper.jpg}"],
        *["--external-image-id", "hopper", "--max-faces", "1", "--detection-attributes", "ALL"],
        home=tmp_path,
    )
    found = answer(server, "search-faces-by-image", *named, "--image-bytes", f"fileb://{picture}", home=tmp_path)
    listed = answer(server, "list-faces", *named, "--page-size", "1", home=tmp_path)
    described = answer(server, "describe-collection", *named, home=tmp_path)
    answer(server, "delete-collection", *named, home=tmp_path)

    face_id = indexed["FaceRecords"][0]["Face"]["FaceId"]
    assert created["StatusCode"] == 200
    assert found["FaceMatches"][0]["Face"]["FaceId"] == face_id
    assert found["FaceMatches"][0]["Similarity"] > 99
    assert [face["FaceId"] for face in listed["Faces"]] == [face_id]
    assert described["FaceCount"] == 1


def test_the_command_line_shows_errors_by_their_name(server: Server, tmp_path: Path) -> None:
    """As it does with Amazon's own answers."""
    done = aws(server, "describe-collection", "--collection-id", "never-created", home=tmp_path)
    assert done.returncode != 0
    assert "ResourceNotFoundException" in done.stderr
