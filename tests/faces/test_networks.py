"""The contract of `Network`, over every runtime."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from recognizance.config import Runtime
from recognizance.errors import InputError, UnavailableError
from recognizance.faces.models import ModelStore
from recognizance.faces.networks import Network, load_network
from recognizance.faces.openvino_runtime import MAX_COMPILED
from recognizance.faces.weights import fold

STORE = ModelStore(None)
YUNET = STORE.model("yunet-2023mar")
GRAPH = fold(STORE.read(YUNET), YUNET.geometry, YUNET.output_names)


@pytest.fixture(scope="module", params=list(Runtime))
def network(request: pytest.FixtureRequest) -> Network:
    return load_network(GRAPH, runtime=request.param, threads=2)


def pictures(count: int, size_hw: tuple[int, int] = (64, 96)) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(1)
    return [rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8) for _ in range(count)]


def test_each_image_is_run_by_itself_and_in_order(network: Network) -> None:
    """Company changes no bit, and sizes may be mixed."""
    images = [*pictures(5), *pictures(3, (128, 64)), *pictures(2)]

    together = network.run(images)

    for image, answer in zip(images, together, strict=True):
        (alone,) = network.run([image])
        for one, other in zip(alone, answer, strict=True):
            np.testing.assert_array_equal(one, other)


def test_answers_belong_to_the_caller(network: Network) -> None:
    """A later run doesn't overwrite them."""
    first, second = pictures(2)
    (answer,) = network.run([first])
    before = [array.copy() for array in answer]

    network.run([second])

    for array, copy in zip(answer, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_many_threads_get_what_one_gets(network: Network) -> None:
    """More callers than slots, each with several images: nobody waits for ever, nobody gets another's answer."""
    images = pictures(12)
    expected = network.run(images)

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(network.run, [images] * 12))

    for answers in found:
        for one, other in zip(answers, expected, strict=True):
            for left, right in zip(one, other, strict=True):
                np.testing.assert_array_equal(left, right)


def test_nothing_in_gives_nothing_out(network: Network) -> None:
    """An empty list is an ordinary case."""
    assert network.run([]) == []


def test_pixels_that_may_not_be_written_are_read(network: Network) -> None:
    """A photograph's pixels are shared, and so read-only."""
    (image,) = pictures(1)
    (before,) = network.run([image])
    image.setflags(write=False)

    (after,) = network.run([image])

    np.testing.assert_array_equal(before[0], after[0])


def test_an_image_that_does_not_fit_is_an_error_and_nothing_is_lost(network: Network) -> None:
    """YuNet's grids need sides that are multiples of 32. The runtime refuses, and goes on with the next image."""
    (good,) = pictures(1)
    for _ in range(5):
        with pytest.raises(UnavailableError):
            network.run([good, np.zeros((33, 47, 3), dtype=np.uint8)])

    assert len(network.run([good] * 5)) == 5


def test_runtimes_agree() -> None:
    """Both calculate in float32, whatever the processor offers: bfloat16 would differ in the third digit."""
    images = pictures(3, (160, 160))
    ours, theirs = (load_network(GRAPH, runtime=runtime, threads=1).run(images) for runtime in Runtime)

    for one, other in zip(ours, theirs, strict=True):
        for left, right in zip(one, other, strict=True):
            np.testing.assert_allclose(left, right, atol=1e-4)


def test_more_sizes_than_are_kept_still_work() -> None:
    """The least recently used one is compiled again when it's needed."""
    network = load_network(GRAPH, runtime=Runtime.OPENVINO, threads=1)
    image = pictures(1, (32, 32))[0]
    (before,) = network.run([image])
    for width in range(2, MAX_COMPILED + 3):
        network.run([np.zeros((32, 32 * width, 3), dtype=np.uint8)])

    (after,) = network.run([image])

    np.testing.assert_array_equal(before[0], after[0])


@pytest.mark.parametrize("runtime", Runtime)
def test_a_graph_that_cannot_be_read_is_refused(runtime: Runtime) -> None:
    """By both in the same way."""
    with pytest.raises(InputError, match="can't read the model"):
        load_network(b"nonsense", runtime=runtime, threads=1)


def test_a_provider_that_is_absent_is_refused() -> None:
    """A service that was told to use a graphics card never falls back to the processor in silence."""
    with pytest.raises(InputError, match="no provider 'NoSuchProvider'"):
        load_network(GRAPH, runtime=Runtime.ONNXRUNTIME, threads=1, providers=["NoSuchProvider"])


def test_at_least_one_thread_is_needed() -> None:
    """Zero is resolved by the caller, who knows the machine."""
    with pytest.raises(ValueError, match="threads is 0"):
        load_network(GRAPH, runtime=Runtime.OPENVINO, threads=0)
