"""What a manifest may say, and that it has to say it."""

from pathlib import Path

import pytest

from recognizance.errors import InputError
from recognizance.faces.manifest import (
    ChannelOrder,
    DetectorOutput,
    LocalSource,
    ModelKind,
    RecogniserOutput,
    read_manifest,
)
from recognizance.faces.models import BUILT_IN

OWN = """
[[model]]
name = "own-1"
kind = "recogniser"
licence = "proprietary"
origin = "trained here"
sha256 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
size_bytes = 1000
source = { file = "own.onnx" }
input = { size_hw = [112, 112], channel_order = "BGR", mean = [127.5, 127.5, 127.5], scale = [0.5, 0.25, 0.125] }
output = { names = ["out"], dimension = 512, alignment = "five-point-112", normalisation = "l2", mirrored = false }
"""


def manifest(folder: Path, text: str) -> Path:
    file = folder / "manifest.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_manifest_is_read_as_written(tmp_path: Path) -> None:
    """Every field arrives; a file is looked for beside the manifest."""
    (model,) = read_manifest(manifest(tmp_path, OWN))

    assert model.id == "own-1@0011223344556677"
    assert model.source == LocalSource(tmp_path / "own.onnx")
    assert model.geometry.channel_order is ChannelOrder.BGR
    assert model.geometry.mean == (127.5, 127.5, 127.5)
    assert model.geometry.scale == (0.5, 0.25, 0.125)
    assert isinstance(model.output, RecogniserOutput)
    assert (model.output.name, model.output.dimension, model.output.mirrored) == ("out", 512, False)


def test_the_built_in_manifest_is_sound() -> None:
    """A detector and a recogniser come with the installation; all state a licence that lets anybody use them."""
    models = read_manifest(BUILT_IN)

    assert {model.kind for model in models} == set(ModelKind)
    assert {model.licence for model in models} <= {"MIT", "Apache-2.0"}
    assert len({model.sha256 for model in models}) == len(models)
    assert all(isinstance(model.output, DetectorOutput) == (model.kind is ModelKind.DETECTOR) for model in models)


LINES = [line for line in OWN.splitlines() if " = " in line]


@pytest.mark.parametrize("line", LINES, ids=[line.split(" = ")[0] for line in LINES])
def test_no_field_may_be_left_out(tmp_path: Path, line: str) -> None:
    """Nothing has a default that could be wrong."""
    with pytest.raises(InputError, match=f"the field '{line.split(' = ', maxsplit=1)[0]}' is missing"):
        read_manifest(manifest(tmp_path, OWN.replace(line, "")))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"own-1"', '"Own 1"', "lower-case"),
        ('"own-1"', '"../own"', "lower-case"),
        ('"recogniser"', '"classifier"', "choose from detector, recogniser"),
        ('"recogniser"', '"detector"', "'decoder' is missing"),
        ("00112233445566778899aabb", "0011", "64 lower-case hexadecimal"),
        ("aabbccddeeff00", "AABBCCDDEEFF00", "64 lower-case hexadecimal"),
        ("= 1000", "= 0", "from 1 to"),
        ("= 1000", "= true", "has to be a whole number"),
        ("= 1000", "= 1e3", "has to be a whole number"),
        ("[112, 112]", "[112]", "2 whole numbers"),
        ("[112, 112]", "[224, 224]", "as its alignment"),
        ("[112, 112]", "[112.0, 112.0]", "2 whole numbers"),
        ('"BGR"', '"GBR"', "choose from RGB, BGR"),
        ("[127.5, 127.5, 127.5]", "127.5", "has to be a list"),
        ("[127.5, 127.5, 127.5]", "[127.5, nan, 127.5]", "3 finite numbers with a point"),
        ("[0.5, 0.25, 0.125]", "[0.5, 0.0, 0.125]", "scale of 0"),
        ('["out"]', '["out", "other"]', "has 1 output"),
        ('["out"]', "[]", "list of names"),
        ("= 512", "= 5000000", "from 1 to 4096"),
        ('"five-point-112"', '"none"', "choose from five-point-112"),
        ('"l2"', '"none"', "choose from l2"),
        ("= false", "= 0", "has to be true or false"),
        ("licence =", "license =", "'licence' is missing"),
        ('{ file = "own.onnx" }', '{ file = "own.onnx", url = "https://example.com" }', "there is no field 'file'"),
        ('{ file = "own.onnx" }', "{ }", "'file' is missing"),
        ("dimension = 512", "dimension = 512, sizes = 3", "there is no field 'sizes'"),
        ("[[model]]", "[model]", "has to be a list"),
        ("[[model]]", "version = 2\n[[model]]", "there is no field 'version'"),
        ("[[model]]", "[[model", "manifest.toml"),
    ],
)
def test_a_wrong_word_is_refused_by_name(tmp_path: Path, old: str, new: str, message: str) -> None:
    """Each message says which model and field."""
    assert old in OWN
    with pytest.raises(InputError, match=message):
        read_manifest(manifest(tmp_path, OWN.replace(old, new, 1)))


def test_an_absent_manifest_is_an_error(tmp_path: Path) -> None:
    """Only who asked for it knows whether it may be absent."""
    with pytest.raises(InputError, match=r"manifest\.toml"):
        read_manifest(tmp_path / "manifest.toml")
