"""What runs a network: the seam between our own code and the inference runtimes.

A folded graph (see `weights`) takes pixels and gives arrays. Each runtime has a file of its own that is alone in
importing it, and none is imported before it's asked for.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recognizance.config import Runtime

Pixels = NDArray[np.uint8]
"""(h, w, 3) uint8 RGB, C-contiguous."""


class Network(Protocol):
    """A folded graph, loaded.

    Safe to call from several threads. The same pixels give the same numbers, bit for bit, whatever else runs and
    whichever other pixels are given along: an auditor who repeats a search has to find what was found.
    """

    def run(self, images: Sequence[Pixels]) -> list[tuple[NDArray[np.float32], ...]]:
        """Run each image by itself, several at once where threads are free.

        Returns:
            For each image the graph's outputs, in its order, each with a leading axis of 1. The caller owns them.

        Raises:
            UnavailableError: If the runtime fails.
        """
        ...


def load_network(graph: bytes, *, runtime: Runtime, threads: int, providers: Sequence[str] = ()) -> Network:
    """Load a folded graph.

    Args:
        threads: How many images are worked on at once, each on one thread; at least 1.
        providers: ONNX Runtime's execution providers in order of preference; its CPU provider when empty.

    Raises:
        InputError: If the runtime can't read the graph, isn't installed, or lacks a provider.
    """
    if threads < 1:
        raise ValueError(f"threads is {threads}; it has to be at least 1")
    if runtime is Runtime.OPENVINO:
        from recognizance.faces.openvino_runtime import OpenVinoNetwork

        return OpenVinoNetwork(graph, threads=threads)
    from recognizance.faces.onnx_runtime import OnnxNetwork

    return OnnxNetwork(graph, threads=threads, providers=providers)
