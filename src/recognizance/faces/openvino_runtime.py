"""OpenVINO, on the processor. The only module that imports it.

Every inference runs on one thread and in float32, said outright: left to itself OpenVINO calculates in bfloat16 on
processors that have it, and templates made on two machines would differ by a hundredth. Several images run side by
side instead, which keeps the numbers independent of the load and costs nothing in throughput (docs/decisions/0001).

A graph is compiled for each image size that it meets, because fixed shapes run fastest; compiling takes about 0.1 s, so
callers keep to few sizes, and the least recently used one is dropped beyond `MAX_COMPILED`.
"""

import contextlib
import queue
import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import openvino
from numpy.typing import NDArray

from recognizance.errors import InputError, UnavailableError
from recognizance.faces.networks import Pixels

MAX_COMPILED = 28
"""Compiled sizes kept for one graph. YuNet's hold 20 MB at 320×320 and 70 MB at 1024×768, for two threads."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A graph for one size, and its free inference requests. Requests keep the compiled graph alive."""

    free: "queue.SimpleQueue[openvino.InferRequest]"


class OpenVinoNetwork:
    """A folded graph on OpenVINO's CPU plug-in; see `networks.Network` for the contract."""

    def __init__(self, graph: bytes, *, threads: int) -> None:
        self._core = openvino.Core()
        self._threads = threads
        self._compiled: OrderedDict[tuple[int, ...], _Compiled] = OrderedDict()
        self._lock = threading.Lock()
        self._graph = graph
        try:
            self._core.read_model(graph)
        except RuntimeError as error:
            raise InputError(f"OpenVINO can't read the model: {_first_line(error)}") from error

    def run(self, images: Sequence[Pixels]) -> list[tuple[NDArray[np.float32], ...]]:
        results: list[tuple[NDArray[np.float32], ...]] = []
        flying: deque[tuple[_Compiled, openvino.InferRequest]] = deque()
        try:
            for image in images:
                compiled = self._for_size(image.shape)
                request = self._take(compiled, flying, results)
                flying.append((compiled, request))
                request.start_async({0: image[np.newaxis]}, share_inputs=True)
            while flying:
                results.append(_land(flying))
        except RuntimeError as error:
            raise UnavailableError(f"OpenVINO failed: {_first_line(error)}") from error
        finally:
            for compiled, request in flying:
                with contextlib.suppress(RuntimeError):
                    request.wait()
                compiled.free.put(request)
        return results

    def _take(
        self,
        compiled: _Compiled,
        flying: "deque[tuple[_Compiled, openvino.InferRequest]]",
        results: list[tuple[NDArray[np.float32], ...]],
    ) -> "openvino.InferRequest":
        """Take a free request. Nobody waits for others while holding one, so no two callers can wait for each other."""
        while flying:
            try:
                return compiled.free.get_nowait()
            except queue.Empty:
                results.append(_land(flying))
        return compiled.free.get()

    def _for_size(self, shape_hwc: tuple[int, ...]) -> _Compiled:
        with self._lock:
            compiled = self._compiled.get(shape_hwc)
            if compiled is None:
                compiled = self._compile(shape_hwc)
                self._compiled[shape_hwc] = compiled
                if len(self._compiled) > MAX_COMPILED:
                    self._compiled.popitem(last=False)
            else:
                self._compiled.move_to_end(shape_hwc)
            return compiled

    def _compile(self, shape_hwc: tuple[int, ...]) -> _Compiled:
        try:
            model = self._core.read_model(self._graph)
            model.reshape([1, *shape_hwc])
            compiled = self._core.compile_model(
                model,
                "CPU",
                {
                    "INFERENCE_PRECISION_HINT": "f32",
                    "NUM_STREAMS": self._threads,
                    "INFERENCE_NUM_THREADS": self._threads,
                    # Two services on one machine would pin their threads to the same cores.
                    "ENABLE_CPU_PINNING": False,
                },
            )
        except RuntimeError as error:
            raise UnavailableError(f"OpenVINO can't prepare the model: {_first_line(error)}") from error
        free: queue.SimpleQueue[openvino.InferRequest] = queue.SimpleQueue()
        for _ in range(self._threads):
            free.put(compiled.create_infer_request())
        return _Compiled(free)


def _land(flying: "deque[tuple[_Compiled, openvino.InferRequest]]") -> tuple[NDArray[np.float32], ...]:
    """Wait for the oldest request, copy what it found, and set it free."""
    compiled, request = flying[0]
    request.wait()
    found = tuple(np.array(output.data, dtype=np.float32) for output in request.output_tensors)
    flying.popleft()
    compiled.free.put(request)
    return found


def _first_line(error: RuntimeError) -> str:
    return str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
