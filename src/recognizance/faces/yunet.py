"""What YuNet's outputs mean, as arrays: faces of one canvas.

Wu, Peng, Yu: YuNet: a tiny millisecond-level face detector, Machine Intelligence Research 20 (2023). Its heads stand on
grids of 8, 16 and 32 pixels; each cell answers with a class and an objectness in [0, 1], a box and five points. Pure;
agrees with OpenCV's `FaceDetectorYN` (tests/faces/test_detection.py).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_OVERLAP = 0.3
"""Of two boxes that share more than this of their union, the less confident one is the same face."""

_STRIDES_PX = (8, 16, 32)
_MAX_BOXES = 2_000
"""Cells kept for the search for duplicates, the most confident; a face is seen by about ten."""


@dataclass(frozen=True, slots=True)
class Faces:
    """Faces as arrays, in whatever frame: (n,) scores, (n, 4) boxes, (n, 5, 2) points."""

    scores: NDArray[np.float32]
    boxes: NDArray[np.float32]
    points: NDArray[np.float32]

    def take(self, which: NDArray[np.intp]) -> "Faces":
        return Faces(self.scores[which], self.boxes[which], self.points[which])

    def largest(self, count: int) -> "Faces":
        """The `count` faces with the largest boxes, in the order they have."""
        areas = (self.boxes[:, 2:] - self.boxes[:, :2]).prod(axis=1)
        return self.take(np.sort(np.argsort(-areas, kind="stable")[:count]))

    def moved(self, source_per_canvas: float, offset_xy: NDArray[np.float32]) -> "Faces":
        """Map from a canvas to the pixels that were drawn on it. Scaling keeps edges, not centres, in place."""
        half, ratio = np.float32(0.5), np.float32(source_per_canvas)
        boxes = (self.boxes.reshape(-1, 2, 2) - offset_xy + half) * ratio - half
        return Faces(self.scores, boxes.reshape(-1, 4), (self.points - offset_xy + half) * ratio - half)


def decode(
    outputs: Sequence[NDArray[np.float32]],
    canvas_hw: tuple[int, int],
    *,
    min_confidence: float,
    tallest_px: float = math.inf,
) -> Faces:
    """Read the twelve outputs into faces in canvas pixels, none taller than `tallest_px`.

    Cell (c, r) of stride s with the box (x, y, w, h) has the score √(class · objectness), the centre s·(c + x, r + y),
    the size s·(eʷ, eʰ), and its points at s·(c + xₖ, r + yₖ).
    """
    parts: list[Faces] = []
    for index, stride in enumerate(_STRIDES_PX):
        columns = canvas_hw[1] // stride
        products = outputs[index].ravel() * outputs[index + 3].ravel()
        cells = np.flatnonzero(products >= min_confidence * min_confidence)
        corners = np.stack([cells % columns, cells // columns], axis=1).astype(np.float32)
        boxes = outputs[index + 6].reshape(-1, 4)[cells]
        centres = (corners + boxes[:, :2]) * stride
        halves = np.exp(np.minimum(boxes[:, 2:], 10.0)) * np.float32(stride / 2)
        points = (outputs[index + 9].reshape(-1, 5, 2)[cells] + corners[:, np.newaxis]) * stride
        parts.append(Faces(np.sqrt(products[cells]), np.hstack([centres - halves, centres + halves]), points))
    faces = joined(parts)
    # Five points within one pixel have no direction to align by, and belong to no face.
    spread_px = np.ptp(faces.points, axis=1).max(axis=1)
    heights_px = faces.boxes[:, 3] - faces.boxes[:, 1]
    return faces.take(np.flatnonzero((heights_px <= tallest_px) & (spread_px > 1.0)))


def joined(parts: Sequence[Faces]) -> Faces:
    return Faces(
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.points for part in parts]),
    )


def without_duplicates(faces: Faces) -> Faces:
    """Keep the most confident of boxes that overlap (greedy non-maximum suppression)."""
    order = np.argsort(-faces.scores, kind="stable")[:_MAX_BOXES]
    faces = faces.take(order)
    areas = (faces.boxes[:, 2:] - faces.boxes[:, :2]).prod(axis=1)
    rest = np.arange(len(order))
    kept: list[int] = []
    while rest.size:
        best, rest = int(rest[0]), rest[1:]
        kept.append(best)
        low = np.maximum(faces.boxes[best, :2], faces.boxes[rest, :2])
        high = np.minimum(faces.boxes[best, 2:], faces.boxes[rest, 2:])
        shared = np.clip(high - low, 0.0, None).prod(axis=1)
        rest = rest[shared <= MAX_OVERLAP * (areas[best] + areas[rest] - shared)]
    return faces.take(np.array(kept, dtype=np.intp))
