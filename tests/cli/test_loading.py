"""A command loads what it needs: nobody waits for networks in order to vote."""

import json
import subprocess
import sys

import pytest

HEAVY = {
    "openvino",
    "onnx",
    "numba",
    "botocore",
    "boto3",
    "matplotlib",
    "fpdf",
    "alembic",
    "starlette",
    "uvicorn",
    "skimage",
}
"""Each takes a tenth of a second or more to load."""

PICTURES = {"cv2", "PIL"}


def loaded(program: str) -> set[str]:
    """The outermost modules that a process has in the end."""
    told = subprocess.run(
        [sys.executable, "-c", f"{program}; import json, sys; print(json.dumps(sorted(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in json.loads(told.stdout)}


@pytest.mark.parametrize(
    ("program", "unwanted"),
    [
        ("import recognizance.cli, recognizance.cli.opening", HEAVY | PICTURES),
        ("import recognizance.register", HEAVY | PICTURES | {"sqlalchemy"}),
        ("import recognizance.office", HEAVY),
    ],
    ids=["governing", "the register", "reviewing and the desk"],
)
def test_what_takes_long_to_load_is_loaded_where_it_is_needed(program: str, unwanted: set[str]) -> None:
    """Governing takes records, ledger and policies; reviewing and the desk pictures as well, and no network."""
    assert loaded(program) & unwanted == set()
