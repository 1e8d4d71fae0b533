"""Finds faces in a photograph with YuNet.

Wu, Peng, Yu: YuNet: a tiny millisecond-level face detector, Machine Intelligence Research 20 (2023). Its heads stand on
grids of 8, 16 and 32 pixels; each cell answers with a class and an objectness in [0, 1], a box and five points (see
`_decode`, which agrees with OpenCV's `FaceDetectorYN`).

Such a network sees faces of one range of sizes, from about 10 to about 300 pixels, so a photograph is looked at in one
or several *views*: scaled, and set in a black border, without which a face that fills the picture is missed. Which
views, and what each finds and costs, is measured in docs/decisions/0002.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizance.errors import InputError
from recognizance.faces.alignment import Landmarks
from recognizance.faces.image import Photograph, RgbPixels
from recognizance.faces.manifest import Decoder, DetectorOutput, Model
from recognizance.faces.networks import Network
from recognizance.permits import Action, Permit

MAX_FACES = 100
"""As in Rekognition's `DetectFaces`."""

MIN_CONFIDENCE = 0.6
"""Below it YuNet finds more things that aren't faces than faces (docs/decisions/0002)."""

MAX_OVERLAP = 0.3
"""Of two boxes that share more than this of their union, the less confident one is the same face."""

WIDEST_VIEW_PX = 1088
"""The longer side of the view that small faces are found in.

YuNet finds 99 % of faces that are 22 px tall in its view, so in this one a face has to be 2.1 % of the photograph's
longer side: what Rekognition documents as its own limit (40 px in 1920×1080).
"""

_SMALL_PX = 320
_SMALL_BORDER_PX = 32
_MIDDLE_VIEW_PX = 640
_MAX_VIEW_PX = 4096

_STRIDES_PX = (8, 16, 32)
_MAX_BOXES = 2_000
"""Cells kept for the search for duplicates, the most confident; a face is seen by about ten."""


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A face found, in upright pixels of full resolution; the centre of the first pixel is (0, 0).

    Attributes:
        box_xyxy_px: (4,) float32: left, top, right, bottom. May reach beyond the picture.
        landmarks_px: See `alignment.Landmarks`.
        confidence: 0 to 1, how sure the detector is that this is a face; no probability.
    """

    box_xyxy_px: NDArray[np.float32]
    landmarks_px: Landmarks
    confidence: float

    def __post_init__(self) -> None:
        if self.box_xyxy_px.shape != (4,) or self.landmarks_px.shape != (5, 2):
            raise ValueError("a detection has a (4,) box and (5, 2) landmarks")
        if not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"confidence is {self.confidence}; it has to lie from 0 to 1")

    @property
    def area_px2(self) -> float:
        left, top, right, bottom = (float(side) for side in self.box_xyxy_px)
        return max(right - left, 0.0) * max(bottom - top, 0.0)


class Detector(Protocol):
    """Finds faces. Safe to share between threads."""

    def detect(self, photograph: Photograph, permit: Permit) -> tuple[Detection, ...]:
        """Return every face that is found, the largest box first and at most `MAX_FACES`.

        Equal boxes are ordered by confidence, then from left to right and from top to bottom.

        Raises:
            DeniedError: If the permit covers no act that looks at faces.
            ImageError: If the photograph's pixels can't be decoded.
        """
        ...


@dataclass(frozen=True, slots=True)
class View:
    """One look at a photograph.

    Attributes:
        long_side_px: What the photograph's longer side is scaled to.
        border_px: Black on every side of it, at least.
        grid_px: The canvas's sides are multiples of it, so that few sizes are ever compiled; a multiple of 32.
    """

    long_side_px: int
    border_px: int
    grid_px: int


_NEAR = View(long_side_px=224, border_px=48, grid_px=64)
"""For faces from an eighth of the picture to all of it."""


@dataclass(frozen=True, slots=True)
class _Faces:
    """Faces as arrays, in whatever frame: (n,) scores, (n, 4) boxes, (n, 5, 2) points."""

    scores: NDArray[np.float32]
    boxes: NDArray[np.float32]
    points: NDArray[np.float32]

    def take(self, which: NDArray[np.intp]) -> "_Faces":
        return _Faces(self.scores[which], self.boxes[which], self.points[which])


class YuNetDetector:
    """YuNet, on whatever runtime it was loaded on.

    Args:
        widest_view_px: How closely a large photograph is looked at; see `WIDEST_VIEW_PX`. Time grows with its square.

    Raises:
        InputError: If the model isn't a detector of this kind.
    """

    def __init__(self, model: Model, network: Network, *, widest_view_px: int = WIDEST_VIEW_PX) -> None:
        if not _MIDDLE_VIEW_PX <= widest_view_px <= _MAX_VIEW_PX:
            raise InputError(
                f"the widest view is {widest_view_px} px; it has to lie from {_MIDDLE_VIEW_PX} to {_MAX_VIEW_PX}"
            )
        if not isinstance(model.output, DetectorOutput) or model.output.decoder is not Decoder.YUNET:
            raise InputError(f"the model {model.name!r} is no YuNet detector")
        self._network = network
        self._widest_view_px = widest_view_px

    def detect(self, photograph: Photograph, permit: Permit) -> tuple[Detection, ...]:
        permit.require_any(Action.DETECT, Action.COMPARE, Action.SEARCH, Action.ENROL, Action.MEASURE)
        views = views_for(photograph.size_hw, widest_px=self._widest_view_px)
        scaled = photograph.scaled(long_side_px=max(view.long_side_px for view in views))
        canvases, frames = zip(*(_draw(scaled.rgb, view) for view in views), strict=True)
        found = [
            _to_source(_decode(outputs, canvas.shape[:2]), *frame)
            for outputs, canvas, frame in zip(self._network.run(canvases), canvases, frames, strict=True)
        ]
        faces = _without_duplicates(_joined(found))
        boxes = scaled.to_full_px(faces.boxes.reshape(-1, 2, 2)).reshape(-1, 4)
        points = scaled.to_full_px(faces.points)
        detections = [
            Detection(box, landmarks, min(float(score), 1.0))
            for box, landmarks, score in zip(boxes, points, faces.scores, strict=True)
        ]
        detections.sort(key=_largest_first)
        return tuple(detections[:MAX_FACES])


def views_for(size_hw: tuple[int, int], *, widest_px: int = WIDEST_VIEW_PX) -> tuple[View, ...]:
    """Choose how to look at a photograph of `size_hw`: a small one once, others from afar and from near by."""
    long_side_px = max(size_hw)
    if long_side_px <= _SMALL_PX:
        return (View(long_side_px=max(long_side_px, _NEAR.long_side_px), border_px=_SMALL_BORDER_PX, grid_px=32),)
    far_px = _MIDDLE_VIEW_PX if long_side_px <= _MIDDLE_VIEW_PX else widest_px
    return _NEAR, View(long_side_px=far_px, border_px=0, grid_px=128)


def _draw(pixels: RgbPixels, view: View) -> tuple[RgbPixels, tuple[float, NDArray[np.float32]]]:
    """Scale `pixels` onto a black canvas.

    Returns:
        The canvas, and its frame: pixels of the source in one of the canvas, and where the picture starts on it.
    """
    height, width = pixels.shape[:2]
    scale = view.long_side_px / max(height, width)
    drawn_h, drawn_w = max(round(height * scale), 1), max(round(width * scale), 1)
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    drawn = cv2.resize(pixels, (drawn_w, drawn_h), interpolation=kind)
    canvas_h, canvas_w = (-(-(side + 2 * view.border_px) // view.grid_px) * view.grid_px for side in (drawn_h, drawn_w))
    top, left = (canvas_h - drawn_h) // 2, (canvas_w - drawn_w) // 2
    canvas = np.zeros((canvas_h, canvas_w, 3), dtype=np.uint8)
    canvas[top : top + drawn_h, left : left + drawn_w] = drawn
    return canvas, (1.0 / scale, np.array([left, top], dtype=np.float32))


def _decode(outputs: Sequence[NDArray[np.float32]], canvas_hw: tuple[int, int]) -> _Faces:
    """Read the twelve outputs into faces in canvas pixels.

    Cell (c, r) of stride s with the box (x, y, w, h) has the score √(class · objectness), the centre s·(c + x, r + y),
    the size s·(eʷ, eʰ), and its points at s·(c + xₖ, r + yₖ).
    """
    parts: list[_Faces] = []
    for index, stride in enumerate(_STRIDES_PX):
        columns = canvas_hw[1] // stride
        products = outputs[index].ravel() * outputs[index + 3].ravel()
        cells = np.flatnonzero(products >= MIN_CONFIDENCE * MIN_CONFIDENCE)
        corners = np.stack([cells % columns, cells // columns], axis=1).astype(np.float32)
        boxes = outputs[index + 6].reshape(-1, 4)[cells]
        centres = (corners + boxes[:, :2]) * stride
        halves = np.exp(np.minimum(boxes[:, 2:], 10.0)) * np.float32(stride / 2)
        points = (outputs[index + 9].reshape(-1, 5, 2)[cells] + corners[:, np.newaxis]) * stride
        parts.append(_Faces(np.sqrt(products[cells]), np.hstack([centres - halves, centres + halves]), points))
    return _joined(parts)


def _to_source(faces: _Faces, source_per_canvas: float, offset_xy: NDArray[np.float32]) -> _Faces:
    """Map faces from a canvas to the pixels that were drawn on it. Scaling keeps edges, not centres, in place."""
    half = np.float32(0.5)
    ratio = np.float32(source_per_canvas)
    boxes = (faces.boxes.reshape(-1, 2, 2) - offset_xy + half) * ratio - half
    return _Faces(faces.scores, boxes.reshape(-1, 4), (faces.points - offset_xy + half) * ratio - half)


def _joined(parts: Sequence[_Faces]) -> _Faces:
    return _Faces(
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.points for part in parts]),
    )


def _without_duplicates(faces: _Faces) -> _Faces:
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


def _largest_first(detection: Detection) -> tuple[float, ...]:
    left, top = (float(side) for side in detection.box_xyxy_px[:2])
    return -detection.area_px2, -detection.confidence, left, top
