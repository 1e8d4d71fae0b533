"""Rewriting a model so that every runtime reads it, and reads the same."""

import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from recognizance.config import Runtime
from recognizance.errors import InputError
from recognizance.faces.manifest import ChannelOrder, InputGeometry
from recognizance.faces.models import ModelStore
from recognizance.faces.networks import load_network
from recognizance.faces.weights import PIXELS, fold

PLAIN = InputGeometry((4, 6), ChannelOrder.RGB, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def model(nodes: list[onnx.NodeProto], constants: dict[str, NDArray[np.generic]], inputs: list[str]) -> bytes:
    """A graph that gives `y`, of opset 21."""
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in inputs],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    return bytes(made.SerializeToString())


def answer(content: bytes, name: str, value: NDArray[np.generic]) -> NDArray[np.float32]:
    """What ONNX's own reference implementation makes of it."""
    (result,) = ReferenceEvaluator(onnx.load_from_string(content)).run(None, {name: value})
    return np.asarray(result, dtype=np.float32)


@pytest.mark.parametrize(
    ("scale_shape", "attributes"),
    [((), {}), ((3,), {"axis": 1}), ((4, 2), {"axis": 1, "block_size": 2}), ((2, 3), {"axis": 0, "block_size": 2})],
    ids=["tensor", "axis", "block with a rest", "blocks of rows"],
)
def test_every_kind_of_quantisation_is_undone(scale_shape: tuple[int, ...], attributes: dict[str, int]) -> None:
    """Folded weights are those that ONNX's reference implementation calculates."""
    rng = np.random.default_rng(1)
    constants: dict[str, NDArray[np.generic]] = {
        "q": rng.integers(-128, 127, (4, 3), dtype=np.int8),
        "s": np.asarray(rng.uniform(0.1, 2, scale_shape), dtype=np.float32),
        "z": np.asarray(rng.integers(-5, 5, scale_shape), dtype=np.int8),
    }
    node = helper.make_node("DequantizeLinear", ["q", "s", "z"], ["w"], None, None, None, None, **attributes)
    scale_x = helper.make_node("ReduceMean", ["x"], ["m"], keepdims=0)
    content = model([node, scale_x, helper.make_node("Mul", ["w", "m"], ["y"])], constants, ["x"])
    pixels = np.full((1, 4, 6, 3), 7, dtype=np.uint8)

    folded = fold(content, PLAIN, ["y"])

    if attributes.get("block_size") != 2 or scale_shape == (2, 3):
        expected = answer(content, "x", pixels.transpose(0, 3, 1, 2).astype(np.float32))
    else:
        # The reference implementation refuses a last block that is shorter; the operator's text allows it.
        scale, zero = (np.repeat(constants[name], 2, axis=1)[:, :3].astype(np.float32) for name in ("s", "z"))
        expected = (constants["q"].astype(np.float32) - zero) * scale * 7
    np.testing.assert_allclose(answer(folded, PIXELS, pixels), expected, rtol=1e-6)
    assert not any(node.op_type == "DequantizeLinear" for node in onnx.load_from_string(folded).graph.node)


def test_the_input_geometry_becomes_part_of_the_graph() -> None:
    """Channels are turned round, then the mean of the model's own first channel is taken from it, then the scale."""
    content = model([helper.make_node("Identity", ["x"], ["y0"]), helper.make_node("Neg", ["y0"], ["y"])], {}, ["x"])
    geometry = InputGeometry((1, 2), ChannelOrder.BGR, (10.0, 20.0, 30.0), (1.0, 0.5, 2.0))
    pixels = np.array([[[[1, 2, 3], [40, 50, 60]]]], dtype=np.uint8)

    result = answer(fold(content, geometry, ["y"]), PIXELS, pixels)

    # Blue first: (3 - 10)·1 and (60 - 10)·1; green (2 - 20)/2, (50 - 20)/2; red (1 - 30)·2, (40 - 30)·2.
    np.testing.assert_allclose(-result[0, :, 0], [[-7, 50], [-9, 15], [-58, 20]])


def test_weights_among_the_inputs_are_not_taken_for_images() -> None:
    """Old exporters list them; quantisation leaves some behind that nothing reads."""
    constants: dict[str, NDArray[np.generic]] = {"w": np.array(3.0, dtype=np.float32)}
    content = model([helper.make_node("Mul", ["x", "w"], ["y"])], constants, ["x", "w", "left_behind"])

    folded = onnx.load_from_string(fold(content, PLAIN, ["y"]))

    assert [value.name for value in folded.graph.input] == [PIXELS]


def test_a_file_that_is_no_model_is_refused() -> None:
    """As are two images, and an output that isn't there."""
    one = model([helper.make_node("Neg", ["x"], ["y"])], {}, ["x"])
    two = model([helper.make_node("Add", ["x", "other"], ["y"])], {}, ["x", "other"])
    with pytest.raises(InputError, match="no ONNX model"):
        fold(b"GIF89a not a model", PLAIN, ["y"])
    with pytest.raises(InputError, match="2 inputs"):
        fold(two, PLAIN, ["y"])
    with pytest.raises(InputError, match="no output 'z'"):
        fold(one, PLAIN, ["z"])


@pytest.mark.parametrize("runtime", Runtime)
def test_folded_sface_gives_opencvs_vectors(runtime: Runtime, hopper: NDArray[np.uint8]) -> None:
    """OpenCV runs the quantised file as it is. Float32 sums in another order may differ by a few units in 1e-6."""
    store = ModelStore(None)
    sface = store.model("sface-2021dec")
    theirs = cv2.FaceRecognizerSF.create(str(store.path(sface)), "")
    network = load_network(fold(store.read(sface), sface.geometry, ["fc1"]), runtime=runtime, threads=1)
    crops = [np.ascontiguousarray(hopper[y : y + 112, x : x + 112]) for y, x in ((150, 200), (200, 210), (0, 0))]

    for crop, (ours,) in zip(crops, network.run(crops), strict=True):
        expected = theirs.feature(np.ascontiguousarray(crop[..., ::-1]))
        difference = ours / np.linalg.norm(ours) - expected / np.linalg.norm(expected)
        assert np.abs(difference).max() < 1e-5
