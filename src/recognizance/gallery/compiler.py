"""How loops become kernels: compiled by Numba, kept on the disk, each for one signature.

Beside `instructions`, the only module that imports Numba. Kernels release the interpreter's lock and start no thread of
their own. Additions of floats keep the order in which they are written, but for what `reassociated` compiles.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Keys = NDArray[np.uint64]


def compiled(function: Callable[..., Any], **options: Any) -> Any:
    """Compile a loop at its first call, or load it from where an earlier process kept it."""
    try:
        return njit(function, nogil=True, error_model="numpy", cache=True, **options)
    except RuntimeError:
        # Neither this folder, nor the user's cache folder, nor NUMBA_CACHE_DIR can be written: compile in each process.
        return njit(function, nogil=True, error_model="numpy", **options)


def reassociated(function: Callable[..., Any]) -> Any:
    """Compile for a result that is only ever used with a bound on its error: sums may be taken in any order."""
    return compiled(function, fastmath={"reassoc", "contract"})


def ready(signatures: Mapping[Any, str]) -> None:
    """Compile kernels for one signature each, or load them, and forbid every other one."""
    for kernel, signature in signatures.items():
        if not kernel.signatures:
            kernel.compile(signature)
            kernel.disable_compile()
