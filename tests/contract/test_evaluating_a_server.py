"""`recognizance evaluate` against a running server, through the protocol alone, as a critic would measure it."""

from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from recognizance.cli import app
from recognizance.evaluation.results import Evaluation, read_evaluation

from ..evaluation.worlds import portraits
from .rekognition_world import REGION, Server


def measured(out: Path, *words: object) -> Evaluation:
    done = CliRunner().invoke(app, ["evaluate", *map(str, words), "--out", str(out), "--resamples", "100"])
    assert done.exit_code == 0, done.output
    return read_evaluation((out / "result.json").read_bytes())


def test_a_server_is_measured_from_outside(
    server: Server,
    tmp_path: Path,
    collins: Image.Image,
    hopper: Image.Image,
    nobody: Image.Image,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One to one and one to many, with boto3's own credentials; the collections that it made are gone afterwards."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.secret)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    portraits(tmp_path, collins, hopper, nobody)
    words = (tmp_path / "set.csv", "--engine", f"rekognition:{server.endpoint}", "--cache", tmp_path / "cache",
             "--data", tmp_path / "none")  # fmt: skip
    before = server.client().list_collections()["CollectionIds"]

    compared = measured(tmp_path / "compared", "verification", *words)
    searched = measured(tmp_path / "searched", "identification", *words, "--seed", 3)

    assert compared.findings.acquisition.rate.errors == 1
    assert compared.findings.verification is not None
    assert compared.findings.verification.at[0].fnmr.rate.errors == 0
    assert searched.findings.searches is not None
    assert searched.findings.searches.at[0].found.fnir.rate.trials > 0
    assert server.client().list_collections()["CollectionIds"] == before
