"""Four-bit codes of templates, and the proof that a face which they rule out can't be an answer.

Every template x is turned by one orthogonal matrix R, which spreads its energy evenly over the components whatever the
model's own axes are, and each component of y = Rx is rounded to one of sixteen levels, giving ŷ. The distance
‖y - ŷ‖ is kept beside the code. A probe q is turned as well and rounded to eight bits, giving q̂. Then

    q·x = Rq·Rx + q·(I - RᵀR)x
    Rq·y = q̂·ŷ + q̂·(y - ŷ) + (Rq - q̂)·y  <=  q̂·ŷ + ‖q̂‖ ‖y - ŷ‖ + ‖Rq - q̂‖ ‖y‖        (Cauchy-Schwarz)

The first term is an integer dot product times a constant. What floating point adds is bounded too (`_slack`), so the
right-hand side is never below the canonical score. docs/search.md has the derivation and the measurements.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizance.gallery import kernels
from recognizance.gallery.index import UNIT_TOLERANCE, Templates
from recognizance.gallery.instructions import CHUNK_BYTES

_STEP_DEVIATIONS = 0.3352
"""The width of a cell of the best uniform sixteen-level quantiser of a normal variable, in standard deviations.

J. Max, "Quantizing for minimum distortion", IRE Transactions on Information Theory 6(1), 1960, table II.
"""

_SEED = 0x5EED
_CHUNK = 16_384
"""Templates turned at a time: eight megabytes of working memory at 128 dimensions."""

_EPSILON = 2.0**-24
"""Half the distance from 1 to the next float32: the relative error of one rounding."""


@dataclass(frozen=True, slots=True)
class ProbeCodes:
    """What `kernels.scan` needs of p probes; its docstring has the shapes."""

    low: NDArray[np.int8]
    high: NDArray[np.int8]
    scales: NDArray[np.float32]
    lengths: NDArray[np.float32]
    margins: NDArray[np.float32]


class Coder:
    """Encodes templates and probes of one length. Immutable."""

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self.width_bytes = -(-dimensions // (2 * CHUNK_BYTES)) * CHUNK_BYTES
        """Bytes of codes a face: half a byte a component, in whole chunks of 64 bytes."""
        self._step = np.float32(_STEP_DEVIATIONS / np.sqrt(dimensions))
        gaussian = np.random.default_rng(_SEED).standard_normal((dimensions, dimensions))
        orthogonal, _ = np.linalg.qr(gaussian)
        self._turn = np.ascontiguousarray(orthogonal.T, dtype=np.float32)
        self._slack = self._rounding_slack()

    def _rounding_slack(self) -> float:
        """Bound everything that floating point adds to the inequality above, generously."""
        longest = 1.0 + UNIT_TOLERANCE
        exact = self._turn.astype(np.float64)
        skew = float(np.linalg.norm(exact @ exact.T - np.eye(self.dimensions)))
        # A float32 dot product of n terms, added in whatever order, errs by at most n * epsilon * sum |a||b| to first
        # order (Higham, Accuracy and Stability of Numerical Algorithms, 3.1); a row of R and x have unit length.
        turning = 1.1 * self.dimensions * _EPSILON * np.sqrt(self.dimensions)
        # The bound itself is evaluated in float32 from terms below 8, and compared with a bar that is rounded too.
        return float((skew + turning) * longest**2 + 64 * _EPSILON)

    def encode(self, templates: Templates, codes: NDArray[np.uint8], residuals: NDArray[np.float32]) -> None:
        """Write the codes, (n, width_bytes), and residuals, (n,), of n templates."""
        for start in range(0, len(templates), _CHUNK):
            chunk = slice(start, start + _CHUNK)
            kernels.encode(templates[chunk] @ self._turn, self._step, codes[chunk], residuals[chunk])

    def probe_codes(self, probes: Templates) -> ProbeCodes:
        turned = probes.astype(np.float64) @ self._turn.astype(np.float64)
        units = np.maximum(np.abs(turned).max(axis=1, initial=0.0), 1e-30) / 127.0
        rounded = np.rint(turned / units[:, np.newaxis])
        approximate = rounded * units[:, np.newaxis]
        lost = np.linalg.norm(turned - approximate, axis=1)
        # The code c stands for (c - 7.5) * step, so 7.5 times the sum of the probe's codes comes off every product.
        offsets = -7.5 * float(self._step) * approximate.sum(axis=1)
        padded = np.zeros((len(probes), 2 * self.width_bytes), dtype=np.int8)
        padded[:, : self.dimensions] = rounded
        return ProbeCodes(
            low=np.ascontiguousarray(padded[:, : self.width_bytes]),
            high=np.ascontiguousarray(padded[:, self.width_bytes :]),
            scales=(units * float(self._step)).astype(np.float32),
            lengths=np.linalg.norm(approximate, axis=1).astype(np.float32),
            margins=(lost * (1.0 + UNIT_TOLERANCE) + offsets + self._slack).astype(np.float32),
        )
