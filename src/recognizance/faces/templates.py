"""Aligned faces to templates: the vectors that are compared.

Two templates of one model are alike as far as their cosine is high; templates of different models are never compared,
which is why a `Recogniser` carries its `ModelId` and everything that stores a template stores that beside it.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recognizance.errors import InputError, UnavailableError
from recognizance.faces.alignment import ALIGNED_PX, AlignedFace, mirrored
from recognizance.faces.manifest import Model, RecogniserOutput
from recognizance.faces.networks import Network
from recognizance.identifiers import ModelId
from recognizance.permits import Action, Permit

Template = NDArray[np.float32]
"""(d,) float32 of unit length."""

Templates = NDArray[np.float32]
"""(n, d) float32, C-contiguous, each row of unit length."""

_MIN_NORM = 1e-6


class Recogniser(Protocol):
    """Makes templates. Safe to share between threads.

    A face's template depends on its pixels alone: not on the faces beside it, nor on load or thread count.
    """

    @property
    def model(self) -> ModelId: ...

    @property
    def dimension(self) -> int: ...

    def templates(self, aligned: Sequence[AlignedFace], permit: Permit) -> Templates:
        """Return one row for each face, in order; (0, d) for none.

        Raises:
            DeniedError: If the permit covers nothing that needs a template.
            UnavailableError: If the network fails or answers nonsense: a zero or a number that isn't finite.
        """
        ...


class NetworkRecogniser:
    """A recogniser that a manifest describes, on whatever runtime it was loaded on.

    Raises:
        InputError: If the model isn't a recogniser or doesn't answer with the dimension that its manifest states.
    """

    def __init__(self, model: Model, network: Network) -> None:
        if not isinstance(model.output, RecogniserOutput):
            raise InputError(f"the model {model.name!r} is a {model.kind}, not a recogniser")
        self._id = model.id
        self._output = model.output
        self._network = network
        # One run at the start costs less than an installation that fails at its first enrolment.
        (answer,) = network.run([np.zeros((ALIGNED_PX, ALIGNED_PX, 3), dtype=np.uint8)])
        if len(answer) != 1 or answer[0].shape != (1, self.dimension):
            raise InputError(
                f"the model {model.name!r} answers {answer[0].shape}; its manifest states (1, {self.dimension})"
            )

    @property
    def model(self) -> ModelId:
        return self._id

    @property
    def dimension(self) -> int:
        return self._output.dimension

    def templates(self, aligned: Sequence[AlignedFace], permit: Permit) -> Templates:
        permit.require_any(Action.COMPARE, Action.SEARCH, Action.ENROL, Action.MEASURE)
        for face in aligned:
            if face.shape != (ALIGNED_PX, ALIGNED_PX, 3) or face.dtype != np.uint8:
                raise ValueError(f"an aligned face is ({ALIGNED_PX}, {ALIGNED_PX}, 3) uint8, not {face.shape}")
        if not aligned:
            return np.empty((0, self.dimension), dtype=np.float32)
        rows = self._unit_rows([np.ascontiguousarray(face) for face in aligned])
        if self._output.mirrored:
            rows = _unit(rows + self._unit_rows([mirrored(face) for face in aligned]))
        return np.ascontiguousarray(rows, dtype=np.float32)

    def _unit_rows(self, faces: Sequence[AlignedFace]) -> NDArray[np.float64]:
        answers = self._network.run(faces)
        return _unit(np.concatenate([answer[0] for answer in answers]).astype(np.float64))


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    # Written so that NaN fails too.
    if not (np.isfinite(norms).all() and (norms > _MIN_NORM).all()):
        raise UnavailableError("the recogniser gave a template without direction")
    unit: NDArray[np.float64] = rows / norms
    return unit
