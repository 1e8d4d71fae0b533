"""What examiners are shown: one face cut out of its photograph, and nothing that says whose it is.

The cut leaves out most of what surrounds a face, which could tell an examiner what to expect: other people, a place, a
cell's height chart, a caption. Pixels are cut and reduced, never enlarged, sharpened or changed in any other way.

Pure. Implements `docs/review.md`, "What a reviewer sees".
"""

import numpy as np
from PIL import Image

from recognizance.faces import Photograph, RgbPixels
from recognizance.records import Box
from recognizance.reviewing.probe_edits import png_of

MARGIN = 0.4
"""Of the box, on each side: hairline, ears and chin lie outside the box that a detector draws."""

LONGEST_SIDE_PX = 800
"""More shows no more of a face on a screen; a limit of ours."""


def face_picture(photograph: Photograph, box: Box) -> bytes:
    """Cut a face out, as a PNG file without a word about its origin.

    Raises:
        ImageError: If the photograph is broken.
    """
    return png_of(_reduced(_cut(photograph.pixels(), box)))


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
