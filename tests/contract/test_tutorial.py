"""docs/tutorial.md, followed to the letter: its programs run one after the other, as a reader runs them."""

import re
from pathlib import Path

import pytest

from .rekognition_world import REGION, Server, astronaut, hopper, jpeg

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"
PROGRAM = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_tutorials_programs_do_what_it_says(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who was enrolled is found, a stranger is unknown, and what was deleted is gone, with the environment alone."""
    portrait = tmp_path / "mugshots" / "jane_doe" / "1.jpg"
    portrait.parent.mkdir(parents=True)
    portrait.write_bytes(jpeg(hopper()))
    for name, value in {
        "AWS_ENDPOINT_URL_REKOGNITION": server.endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": server.key_id,
        "AWS_SECRET_ACCESS_KEY": server.secret,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    server.client().create_collection(CollectionId="mugshots")
    client, enrol, search, forget = PROGRAM.findall(TUTORIAL.read_text(encoding="utf-8"))
    known: dict[str, object] = {}

    def run(program: str) -> str:
        exec(program, known)
        return capsys.readouterr().out

    run(client)
    enrolled = run(enrol)
    Path("from_the_field.jpg").write_bytes(jpeg(hopper(), quality=60))
    found = run(search)
    Path("from_the_field.jpg").write_bytes(jpeg(astronaut()))
    stranger = run(search)
    run(forget)

    assert enrolled == ""
    assert "'ExternalImageId': 'jane_doe'" in found
    assert stranger == "unknown\n"
    assert "mugshots" not in server.client().list_collections()["CollectionIds"]
