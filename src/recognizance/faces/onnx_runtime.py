"""ONNX Runtime, an optional extra for machines with its CUDA or other providers. The only module that imports it.

The default is OpenVINO (docs/decisions/0001). The providers are the installation's choice and are named by it; one that
this build lacks is an error, because falling back to the processor in silence would make a service ten times slower
without saying why.
"""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizance.errors import InputError, UnavailableError
from recognizance.faces.networks import Pixels
from recognizance.faces.weights import PIXELS

CPU_PROVIDER = "CPUExecutionProvider"


class OnnxNetwork:
    """A folded graph on ONNX Runtime; see `networks.Network` for the contract."""

    def __init__(self, graph: bytes, *, threads: int, providers: Sequence[str] = ()) -> None:
        try:
            import onnxruntime
            from onnxruntime.capi import onnxruntime_pybind11_state  # pyright: ignore[reportAttributeAccessIssue]
        except ImportError as error:
            raise InputError("ONNX Runtime isn't installed; install the extra recognizance[onnxruntime]") from error
        wanted = list(providers) or [CPU_PROVIDER]
        for provider in wanted:
            if provider not in onnxruntime.get_available_providers():
                known = ", ".join(onnxruntime.get_available_providers())
                raise InputError(f"ONNX Runtime has no provider {provider!r} here; it has {known}")
        # Its exceptions share no class of their own but `Exception`, so they are collected by where they are defined.
        self._errors: tuple[type[Exception], ...] = tuple(
            each
            for each in vars(onnxruntime_pybind11_state).values()
            if isinstance(each, type) and issubclass(each, Exception)
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session: Any = onnxruntime.InferenceSession(graph, options, providers=wanted)
        except self._errors as error:
            raise InputError(f"ONNX Runtime can't read the model: {type(error).__name__}") from error
        self._slots = threading.BoundedSemaphore(threads)

    def run(self, images: Sequence[Pixels]) -> list[tuple[NDArray[np.float32], ...]]:
        results = []
        for image in images:
            with self._slots:
                try:
                    found = self._session.run(None, {PIXELS: image[np.newaxis]})
                except self._errors as error:
                    raise UnavailableError(f"ONNX Runtime failed: {type(error).__name__}") from error
            results.append(tuple(np.asarray(array, dtype=np.float32) for array in found))
        return results
