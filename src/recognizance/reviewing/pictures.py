"""What people are shown of a face: cut out of its photograph, with nothing that says whose it is.

The cut leaves out most of what surrounds a face, which could tell an examiner what to expect: other people, a place, a
cell's height chart, a caption. All faces of a review are brought to one scale: the eyes are as many pixels apart in
each, and stand in the same place, because an examiner compares faces and not sizes. Pixels are cut and resampled, never
turned, sharpened or changed in any other way.

Pure. Implements `docs/review.md`, "What a reviewer sees".
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from recognizance.faces import Photograph, RgbPixels
from recognizance.records import Box, Landmarks
from recognizance.reviewing.probe_edits import png_of

MARGIN = 0.4
"""Of the box, on each side: hairline, ears and chin lie outside the box that a detector draws."""

LONGEST_SIDE_PX = 800
"""More shows no more of a face on a screen; a limit of ours."""

FRAME_EYES_WH = (4.0, 5.0)
"""Width and height of what is shown, in distances between the eyes: a head with its hair, ears and chin."""

EYES_AT = (0.5, 0.42)
"""Where the middle between the eyes stands in it, as ratios from the left and from the top."""

MOST_EYES_PX = LONGEST_SIDE_PX / FRAME_EYES_WH[1]
"""How far apart the eyes are shown at the most."""

LEAST_EYES_OF_MOUTH = 0.6
"""Least distance between the eyes that a scale is taken from, in distances from the eyes to the mouth. Seen from the
front both are about as long; a head in profile has its eyes closer together, and is no smaller for that."""

EYES_OF_BOX = 0.46
"""Distance between the eyes, in widths of the detector's box, for a face whose landmarks aren't on record: the median
of 80 detected faces, of which nine in ten lie from 0.34 to 0.49."""

GREY = (128, 128, 128)
"""Where the photograph ends."""


@dataclass(frozen=True, slots=True)
class PlacedFace:
    """A face in its photograph.

    Attributes:
        landmarks: `None` if they aren't on record; the scale is then estimated from the box.
    """

    photograph: Photograph
    box: Box
    landmarks: Landmarks | None

    def eyes_px(self) -> float:
        """How far apart the eyes are in the photograph, as its scale is measured."""
        return _measured(self)[1]


def face_picture(photograph: Photograph, box: Box) -> bytes:
    """Cut a face out, as a PNG file without a word about its origin.

    Raises:
        ImageError: If the photograph is broken.
    """
    return png_of(_reduced(_cut(photograph.pixels(), box)))


def common_eyes_px(faces: Sequence[PlacedFace]) -> float:
    """How far apart the eyes are to be shown in all of these pictures, so that the finest of them loses least.

    Args:
        faces: At least one.
    """
    return min(MOST_EYES_PX, max(face.eyes_px() for face in faces))


def scaled_picture(face: PlacedFace, eyes_px: float) -> bytes:
    """Cut a face out so that its eyes are `eyes_px` apart, as a PNG file without a word about its origin.

    Pictures of the same `eyes_px` are equally large and have the middle between the eyes in the same place. What lies
    outside the photograph is grey. A smaller face is enlarged by interpolation, which adds nothing to it.

    Raises:
        ImageError: If the photograph is broken.
    """
    pixels = face.photograph.pixels()
    height_px, width_px = pixels.shape[:2]
    (middle_x, middle_y), apart_px = _measured(face)
    scale = eyes_px / apart_px
    width_eyes, height_eyes = FRAME_EYES_WH
    shown_wh = max(1, round(width_eyes * eyes_px)), max(1, round(height_eyes * eyes_px))
    across = _span(middle_x - EYES_AT[0] * shown_wh[0] / scale, scale, shown_wh[0], width_px)
    down = _span(middle_y - EYES_AT[1] * shown_wh[1] / scale, scale, shown_wh[1], height_px)
    picture = Image.new("RGB", shown_wh, GREY)
    if across is not None and down is not None:
        # A kernel that overshoots would draw edges that aren't there around what is enlarged.
        resampling = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BILINEAR
        part = Image.fromarray(np.ascontiguousarray(pixels)).resize(
            (across.length_px, down.length_px),
            resampling,
            box=(across.source_from, down.source_from, across.source_to, down.source_to),
        )
        picture.paste(part, (across.start_px, down.start_px))
    return png_of(np.asarray(picture))


@dataclass(frozen=True, slots=True)
class _Span:
    """The whole pixels of a picture along one axis that lie in the photograph, and where they come from."""

    start_px: int
    length_px: int
    source_from: float
    source_to: float


def _span(origin: float, scale: float, shown_px: int, source_px: int) -> _Span | None:
    """Return what of `shown_px` pixels that begin at `origin` lies in the photograph; `None` if nothing does."""
    start = max(0, math.ceil(-origin * scale))
    stop = min(shown_px, math.floor((source_px - origin) * scale))
    if stop <= start:
        return None
    # Rounding may put an end a hair outside, which is refused further down.
    source_from = max(0.0, origin + start / scale)
    return _Span(start, stop - start, source_from, min(float(source_px), origin + stop / scale))


def _measured(face: PlacedFace) -> tuple[tuple[float, float], float]:
    """The middle between the eyes, and how far they are apart, in pixels of the upright photograph."""
    height_px, width_px = face.photograph.size_hw
    if face.landmarks is not None:
        points = [(x * width_px, y * height_px) for x, y in face.landmarks]
        left, right, _, *mouth = points
        middle, mouth_middle = _middle(left, right), _middle(*mouth)
        apart = max(math.dist(left, right), LEAST_EYES_OF_MOUTH * math.dist(middle, mouth_middle))
        if apart >= 1:
            return middle, apart
    box = face.box
    middle = ((box.left + box.width / 2) * width_px, (box.top + EYES_AT[1] * box.height) * height_px)
    return middle, max(EYES_OF_BOX * box.width * width_px, 1.0)


def _middle(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return (one[0] + other[0]) / 2, (one[1] + other[1]) / 2


def _cut(pixels: RgbPixels, box: Box) -> RgbPixels:
    height, width = pixels.shape[:2]
    left = _within(box.left - MARGIN * box.width, width - 1, width)
    top = _within(box.top - MARGIN * box.height, height - 1, height)
    right = max(_within(box.left + (1 + MARGIN) * box.width, width, width), left + 1)
    bottom = max(_within(box.top + (1 + MARGIN) * box.height, height, height), top + 1)
    return pixels[top:bottom, left:right]


def _within(ratio: float, most: int, side_px: int) -> int:
    return min(max(round(ratio * side_px), 0), most)


def _reduced(pixels: RgbPixels) -> RgbPixels:
    longest = max(pixels.shape[:2])
    if longest <= LONGEST_SIDE_PX:
        return np.ascontiguousarray(pixels)
    height, width = (max(1, round(side * LONGEST_SIDE_PX / longest)) for side in pixels.shape[:2])
    picture = Image.fromarray(np.ascontiguousarray(pixels)).resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(picture)
