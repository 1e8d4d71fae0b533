"""A case from a search to a bundle that an outsider checks, at the command line."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from recognizance.cli import app
from recognizance.faces import Calibration, FaceReader
from recognizance.governance.review import LEAD_STAMP

from ..conftest import jpeg
from ..review_world import CASE, FIRST, GALLERY, SEARCHER, SECOND, SUPERVISOR, USE, review_world


def run(*arguments: object, status: int = 0) -> str:
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    assert done.exit_code == status, done.output
    return done.stdout


def refused(*arguments: object, status: int) -> str:
    """What is said on standard error, in one line."""
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    assert done.exit_code == status, done.output
    return " ".join(done.stderr.split())


def run_json(*arguments: object) -> Any:
    return json.loads(run(*arguments, "--json"))


def test_a_case_from_a_search_to_a_bundle(
    tmp_path: Path, faces: tuple[FaceReader, Calibration], collins: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two examiners, a supervisor, and somebody with nothing but a ZIP file and the ledger's public key."""
    data, bundle = tmp_path / "data", tmp_path / "bundle.zip"
    monkeypatch.setenv("RECOGNIZANCE_DATA", str(data))
    with review_world(data, faces, now=datetime.now(UTC)) as world:
        world.enrol("collins", collins)
        review = world.opened(collins)
        key = str(world.service.recorder.verifier)

    for reviewer in (FIRST, SECOND):
        assert run_json("review", "list", "--as", reviewer) == {"reviews": [review], "taken_on": []}
        run("review", "claim", review, "--as", reviewer)
        assert run_json("review", "list", "--as", reviewer)["taken_on"] == [review]
        shown = run_json("review", "show", review, "--as", reviewer, "--out", tmp_path / reviewer)
        [candidate] = shown["candidates"]
        assert (tmp_path / reviewer / candidate["picture"]).read_bytes().startswith(b"\x89PNG")
        given = f"{candidate['face']}=same_person:nose,ears:as far as it can be seen"
        wrong = refused(
            "review", "answer", review, "--as", reviewer, "--finding", given.replace("nose", "aura"), status=2
        )
        assert "'aura'; choose from face_shape" in wrong
        run("review", "answer", review, "--as", reviewer, "--finding", given)
    assert run("review", "progress", review, "--as", SEARCHER).strip() == "lead"

    [lead] = run_json("lead", "list", "--as", SUPERVISOR)["leads"]
    assert (lead["external_image_id"], lead["stamp"]) == ("collins", LEAD_STAMP)
    run("lead", "export", lead["lead"], "--as", SUPERVISOR, "--out", tmp_path / "exported", status=2)
    evidence = tmp_path / "ticket.txt"
    evidence.write_text("a ticket", encoding="utf-8")
    attested = ("--kind", "document", "--description", "a ticket in her name", "--document", evidence)
    run("lead", "attest", lead["lead"], "--as", SUPERVISOR, *attested)
    run("lead", "export", lead["lead"], "--as", SUPERVISOR, "--out", tmp_path / "exported")
    assert json.loads((tmp_path / "exported" / "lead.json").read_bytes())["stamp"] == LEAD_STAMP

    probe = tmp_path / "probe.jpg"
    probe.write_bytes(jpeg(collins))
    stated = (
        "--use",
        USE,
        "--case",
        "another",
        "--justification",
        "a film",
        "--offence",
        "robbery",
        "--threshold",
        "99",
    )
    search = ("search", probe, "--gallery", GALLERY, *stated)
    assert "- the role operator (ask an administrator" in refused(*search, status=2)
    assert run_json(*search, "--as", SEARCHER)["review"] != review

    recipient = ("--recipient-kind", "defence", "--recipient", "the public defender")
    run("disclose", "--case", CASE, "--as", SUPERVISOR, *recipient, "--out", bundle)
    checked = run_json("verify-disclosure", bundle, "--key", key)
    assert (checked["case"], checked["key_was_given"]) == (CASE, True)
    changed = bytearray(bundle.read_bytes())
    changed[len(changed) // 2] ^= 1
    bundle.write_bytes(changed)
    told = refused("verify-disclosure", bundle, status=1)
    assert "bundle.zip doesn't hold" in told
    assert "doctor" not in told


def test_a_probe_is_edited_on_the_record(
    tmp_path: Path, faces: tuple[FaceReader, Calibration], collins: Image.Image
) -> None:
    """The file that comes out is new, and an edit that isn't one is refused."""
    data, picture, out = tmp_path / "data", tmp_path / "probe.jpg", tmp_path / "edited.png"
    picture.write_bytes(jpeg(collins))
    with review_world(data, faces, now=datetime.now(UTC)):
        pass
    command = ("review", "edit", picture, "--as", SEARCHER, "--use", USE, "--case", CASE, "--data", data, "--out", out)

    run(*command, "--kind", "rotate", "--parameters", "45", status=2)
    run(*command, "--kind", "crop", "--parameters", "10,10,300,400")

    with Image.open(out) as edited:
        assert edited.size == (300, 400)
    run(*command, "--kind", "crop", "--parameters", "10,10,300,400", status=2)
