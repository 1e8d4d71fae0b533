"""Finds faces in a photograph with YuNet.

Such a network sees faces of one range of sizes, from about 20 to about 300 pixels, so a photograph is looked at in one
or two *views*: scaled, and the near one set in a black border, without which a face that fills the picture is missed.
Which views, and what each finds and costs, is measured in docs/decisions/0002. Each face found is then looked at once
more, closely, for its landmarks.

Must never make anything of a face but its place: that takes a recogniser, and another permit.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizance.errors import InputError
from recognizance.faces.alignment import Landmarks, similarity_transform
from recognizance.faces.image import Photograph, RgbPixels
from recognizance.faces.manifest import Decoder, DetectorOutput, Model
from recognizance.faces.networks import Network
from recognizance.faces.yunet import decode, joined, without_duplicates
from recognizance.permits import Action, Permit

MAX_FACES = 100
"""As in Rekognition's `DetectFaces`."""

MIN_CONFIDENCE = 0.6
"""Less finds hardly more faces, and the first things that are none (docs/decisions/0002)."""

WIDEST_VIEW_PX = 1000
"""The longer side of the view that small faces are found in.

YuNet finds 99 % of faces that are 22 px tall in its view, so in this one a face has to be 2.2 % of the photograph's
longer side: about what Rekognition documents as its own limit (40 px in 1920×1080).
"""

_CLOSE_PX = 256
_CLOSE_SCALE = 1.75
_CLOSE_CENTRE_PX = np.array([56.0, 66.0])
"""The close view: the frame of aligned faces, enlarged about this point, so that a face is about 180 px tall."""
_MIN_CLOSE_CONFIDENCE = 0.3
_SHARP_PX = 150
"""A face at least this tall in the near view, where no other view reports it, has landmarks that are exact enough."""

_MIDDLE_VIEW_PX = 640
_MAX_VIEW_PX = 4096
_TALLEST_FAR_PX = 320
_SMALL_PX = 320


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
    """One look at a photograph: scaled, and set in the middle of a black canvas.

    The canvas is the smallest of few sizes that holds the picture and its border, because each size costs a tenth of a
    second once, and memory.

    Attributes:
        long_side_px: What the photograph's longer side is scaled to.
        border_px: Black on every side of it, at least.
        grid_px: The canvas's sides are multiples of this, itself a multiple of 32.
        tallest_px: Taller faces are left to the view from near by: of a face beyond 400 px the network sees parts, and
            takes a cheek for a small face.
    """

    long_side_px: int
    border_px: int
    grid_px: int
    tallest_px: float

    def canvas_hw(self, drawn_hw: tuple[int, int]) -> tuple[int, int]:
        """The canvas for a picture that was scaled to `drawn_hw`."""
        height, width = (-(-(side + 2 * self.border_px) // self.grid_px) * self.grid_px for side in drawn_hw)
        return height, width


_NEAR = View(long_side_px=224, border_px=48, grid_px=320, tallest_px=math.inf)
"""For faces from an eighth of the picture to all of it."""


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
        answers = self._network.run(canvases)
        found = []
        for view, answer, canvas, (source_per_canvas, offset_xy) in zip(views, answers, canvases, frames, strict=True):
            seen = decode(answer, canvas.shape[:2], min_confidence=MIN_CONFIDENCE, tallest_px=view.tallest_px)
            found.append(seen.moved(source_per_canvas, offset_xy))
        faces = without_duplicates(joined(found)).largest(MAX_FACES)
        heights_px = (faces.boxes[:, 3] - faces.boxes[:, 1]) * (_NEAR.long_side_px / max(scaled.rgb.shape[:2]))
        points = self._looked_at_closely(scaled.rgb, faces.points, heights_px >= _SHARP_PX)
        boxes_px = scaled.to_full_px(faces.boxes.reshape(-1, 2, 2)).reshape(-1, 4)
        points_px = scaled.to_full_px(points)
        detections = [
            Detection(box, landmarks, min(float(score), 1.0))
            for box, landmarks, score in zip(boxes_px, points_px, faces.scores, strict=True)
        ]
        return tuple(sorted(detections, key=_largest_first))

    def _looked_at_closely(
        self, pixels: RgbPixels, points: NDArray[np.float32], is_sharp: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """Find the landmarks of each face again, upright, at the size that is best for it, and in the mirror image too.

        Points that were found on a small face are less exact, and the mean of a face's and its mirror image's points is
        better than either (docs/decisions/0003). A face that isn't found again keeps the points it has.

        Args:
            points: (n, 5, 2), in the frame of `pixels`.
            is_sharp: (n,), whether a face was large enough in its view for its points to count as the first opinion;
                only its mirror image is looked at then.
        """
        transforms = [_close_transform(first) for first in points]
        canvases: list[RgbPixels] = []
        for transform, sharp in zip(transforms, is_sharp, strict=True):
            close = cv2.warpAffine(pixels, transform, (_CLOSE_PX, _CLOSE_PX), flags=cv2.INTER_LINEAR).astype(
                np.uint8, copy=False
            )
            canvases += ([] if sharp else [close]) + [cv2.flip(close, 1).astype(np.uint8, copy=False)]
        answers = iter(self._network.run(canvases))
        better = points.copy()
        for index, transform in enumerate(transforms):
            first = (points[index] @ transform[:, :2].T + transform[:, 2]).astype(np.float32)
            upright = first if is_sharp[index] else _close_points(next(answers))
            both = (upright, _mirrored_points(_close_points(next(answers))))
            # Farther off it's another face, beside this one.
            agreeing = [each for each in both if each.size and np.abs(each - first).max() <= _CLOSE_PX / 8]
            if agreeing:
                back = cv2.invertAffineTransform(transform)
                better[index] = np.mean(agreeing, axis=0) @ back[:, :2].T + back[:, 2]
        return better


def _close_transform(landmarks: Landmarks) -> NDArray[np.float64]:
    """Map a picture onto the close view of the face with these landmarks."""
    transform = _CLOSE_SCALE * similarity_transform(landmarks)
    transform[:, 2] += _CLOSE_PX / 2 - _CLOSE_SCALE * _CLOSE_CENTRE_PX
    return transform


def _close_points(answer: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The landmarks of the most confident face of a close view; empty if there is none."""
    seen = decode(answer, (_CLOSE_PX, _CLOSE_PX), min_confidence=_MIN_CLOSE_CONFIDENCE)
    return seen.points[int(np.argmax(seen.scores))] if seen.scores.size else np.empty(0, dtype=np.float32)


def _mirrored_points(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Map landmarks of a mirrored close view onto the view that isn't, where left is right."""
    if not points.size:
        return points
    return np.stack([_CLOSE_PX - 1 - points[:, 0], points[:, 1]], axis=1)[[1, 0, 2, 4, 3]]


def views_for(size_hw: tuple[int, int], *, widest_px: int = WIDEST_VIEW_PX) -> tuple[View, ...]:
    """Choose how to look at a photograph of `size_hw`: a small one once, others from afar and from near by."""
    long_side_px = max(size_hw)
    if long_side_px <= _SMALL_PX:
        return (_NEAR,)
    if long_side_px <= _MIDDLE_VIEW_PX:
        return _NEAR, View(_MIDDLE_VIEW_PX, border_px=0, grid_px=128, tallest_px=_TALLEST_FAR_PX)
    return _NEAR, View(widest_px, border_px=0, grid_px=128, tallest_px=_TALLEST_FAR_PX)


def _draw(pixels: RgbPixels, view: View) -> tuple[RgbPixels, tuple[float, NDArray[np.float32]]]:
    """Scale `pixels` onto a black canvas.

    Returns:
        The canvas, and its frame: pixels of the source in one of the canvas, and where the picture starts on it.
    """
    height, width = pixels.shape[:2]
    scale = view.long_side_px / max(height, width)
    drawn_h, drawn_w = max(round(height * scale), 1), max(round(width * scale), 1)
    # Down to half size no pixel is skipped by bilinear sampling, which is five times faster.
    kind = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
    drawn = cv2.resize(pixels, (drawn_w, drawn_h), interpolation=kind)
    canvas_h, canvas_w = view.canvas_hw((drawn_h, drawn_w))
    top, left = (canvas_h - drawn_h) // 2, (canvas_w - drawn_w) // 2
    canvas = np.zeros((canvas_h, canvas_w, 3), dtype=np.uint8)
    canvas[top : top + drawn_h, left : left + drawn_w] = drawn
    return canvas, (1.0 / scale, np.array([left, top], dtype=np.float32))


def _largest_first(detection: Detection) -> tuple[float, ...]:
    left, top = (float(side) for side in detection.box_xyxy_px[:2])
    return -detection.area_px2, -detection.confidence, left, top
