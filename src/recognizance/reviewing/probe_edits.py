"""Edits of a probe picture: cropping, turning, scaling, brightness and contrast, and nothing that adds to a face.

Every kind of edit moves, drops or scales pixels that are there. None of them draws, fills in, sharpens by a learned
model or joins pictures, because a face that was partly invented finds somebody. Each is a function of the pixels and of
its own short spelling, so that whoever has the picture before and the spelling gets the picture after, bit for bit.

Pure. Implements `docs/review.md`, "Edits of a probe"; NYC Local Law 55 of 2025.
"""

import hashlib
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from recognizance.errors import InputError
from recognizance.faces import RgbPixels
from recognizance.governance.leads import EditKind
from recognizance.governance.oversight import Sha256Hex, sha256_hex

MAX_SIDE_PX = 8_192
"""Of a picture that is edited; a limit of ours, which bounds the work of one edit."""

LARGEST_SCALE_PCT = 400
SMALLEST_SCALE_PCT = 10
MOST_BRIGHTER = 100
"""Grey levels of 255 that brightness adds or takes: beyond it most of a picture is cut off."""

_FORMS: Mapping[EditKind, re.Pattern[str]] = {
    EditKind.CROP: re.compile(r"(0|[1-9]\d{0,4}),(0|[1-9]\d{0,4}),([1-9]\d{0,4}),([1-9]\d{0,4})"),
    EditKind.ROTATE: re.compile(r"(90|180|270)"),
    EditKind.BRIGHTNESS: re.compile(r"([+-][1-9]\d{0,2})"),
    EditKind.CONTRAST: re.compile(r"([1-9]\d{1,2})"),
    EditKind.SCALE: re.compile(r"([1-9]\d{1,2})"),
}
_SPELLINGS: Mapping[EditKind, str] = {
    EditKind.CROP: "left,top,width,height in pixels",
    EditKind.ROTATE: "90, 180 or 270 degrees, clockwise",
    EditKind.BRIGHTNESS: f"-{MOST_BRIGHTER} to +{MOST_BRIGHTER} grey levels, with its sign",
    EditKind.CONTRAST: "25 to 400 per cent, about middle grey",
    EditKind.SCALE: f"{SMALLEST_SCALE_PCT} to {LARGEST_SCALE_PCT} per cent",
}
_RANGES: Mapping[EditKind, range] = {
    EditKind.BRIGHTNESS: range(-MOST_BRIGHTER, MOST_BRIGHTER + 1),
    EditKind.CONTRAST: range(25, 401),
    EditKind.SCALE: range(SMALLEST_SCALE_PCT, LARGEST_SCALE_PCT + 1),
}


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit, spelled as the record keeps it.

    Raises:
        InputError: On construction, if the parameters aren't the kind's own, in their only spelling.

    >>> Edit(EditKind.CROP, "10,20,300,400").numbers
    (10, 20, 300, 400)
    """

    kind: EditKind
    parameters: str

    def __post_init__(self) -> None:
        match = _FORMS[self.kind].fullmatch(self.parameters)
        allowed = _RANGES.get(self.kind)
        if match is None or not self.parameters.isascii() or (allowed and int(match[1]) not in allowed):
            raise InputError(f"the edit {self.kind.value!r} takes {_SPELLINGS[self.kind]}")

    @property
    def numbers(self) -> tuple[int, ...]:
        """The parameters as numbers, in the order in which they are spelled."""
        return tuple(int(number) for number in self.parameters.split(","))


@dataclass(frozen=True, slots=True)
class EditedPicture:
    """What an edit gave.

    Attributes:
        png: The picture after, without loss.
    """

    png: bytes
    sha256: Sha256Hex


def apply_edit(pixels: RgbPixels, edit: Edit) -> RgbPixels:
    """Return the picture after one edit.

    Args:
        pixels: (h, w, 3) uint8, upright, each side at most 8192 px; it is left as it is.

    Raises:
        InputError: If the picture or what would come of it is too large, or a crop leaves the picture.
    """
    height, width = pixels.shape[:2]
    if max(height, width) > MAX_SIDE_PX:
        raise InputError(f"the picture is {width}×{height} px; edits take up to {MAX_SIDE_PX} px a side")
    edited = _EDITS[edit.kind](pixels, edit.numbers)
    if max(edited.shape[:2]) > MAX_SIDE_PX:
        raise InputError(f"the edit would make the picture larger than {MAX_SIDE_PX} px a side")
    return np.ascontiguousarray(edited)


def edit_picture(pixels: RgbPixels, edit: Edit) -> EditedPicture:
    """As `apply_edit`, with the file that is kept and searched."""
    png = png_of(apply_edit(pixels, edit))
    return EditedPicture(png, sha256_hex(hashlib.sha256(png).hexdigest()))


def png_of(pixels: RgbPixels) -> bytes:
    """Write a picture without loss and without anything about where it comes from."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=6)
    return file.getvalue()


def _crop(pixels: RgbPixels, numbers: tuple[int, ...]) -> RgbPixels:
    left, top, width, height = numbers
    if left + width > pixels.shape[1] or top + height > pixels.shape[0]:
        raise InputError(f"the crop leaves the picture, which is {pixels.shape[1]}×{pixels.shape[0]} px")
    return pixels[top : top + height, left : left + width]


def _rotate(pixels: RgbPixels, numbers: tuple[int, ...]) -> RgbPixels:
    # Quarter turns only: other angles need pixels that aren't there, and faces are levelled for the networks anyway.
    turned: RgbPixels = np.rot90(pixels, k=-numbers[0] // 90)
    return turned


def _brighten(pixels: RgbPixels, numbers: tuple[int, ...]) -> RgbPixels:
    return _looked_up(pixels, lambda level: level + numbers[0])


def _contrast(pixels: RgbPixels, numbers: tuple[int, ...]) -> RgbPixels:
    # In whole numbers, rounded half up, so that every machine gives the same picture.
    return _looked_up(pixels, lambda level: 128 + ((level - 128) * numbers[0] + 50) // 100)


def _scale(pixels: RgbPixels, numbers: tuple[int, ...]) -> RgbPixels:
    """Repeat or drop pixels (nearest neighbour): enlarging invents no detail."""
    height, width = (max(1, side * numbers[0] // 100) for side in pixels.shape[:2])
    rows = np.arange(height) * pixels.shape[0] // height
    columns = np.arange(width) * pixels.shape[1] // width
    scaled: RgbPixels = pixels[rows][:, columns]
    return scaled


def _looked_up(pixels: RgbPixels, changed: Callable[[int], int]) -> RgbPixels:
    table = np.array([min(255, max(0, changed(level))) for level in range(256)], dtype=np.uint8)
    changed_pixels: RgbPixels = table[pixels]
    return changed_pixels


_EDITS: Mapping[EditKind, Callable[[RgbPixels, tuple[int, ...]], RgbPixels]] = {
    EditKind.CROP: _crop,
    EditKind.ROTATE: _rotate,
    EditKind.BRIGHTNESS: _brighten,
    EditKind.CONTRAST: _contrast,
    EditKind.SCALE: _scale,
}
