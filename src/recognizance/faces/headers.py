"""What a picture's first bytes say: its format, its size, its orientation. Nothing is decoded here.

Size is read before any decoder is built, because some decoders allocate the whole canvas as soon as they open a file
(libwebp's does), and a few hundred bytes may claim four gigapixels. Must never raise anything but `ImageError`, and
must never allocate by a number that a file states.

Implements the parts needed of: JPEG (ITU-T T.81, annex B), PNG (W3C Recommendation, third edition, clauses 5 and 11),
the WebP container (RFC 9649), ISO/IEC 23008-12 file type brands, and TIFF 6.0 as Exif 3.0 uses it, for the one tag
`Orientation`.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from recognizance.errors import ImageError


class ImageFormat(StrEnum):
    """Every format that is read. What is absent is refused, whatever the decoding libraries could do with it."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    HEIC = "heic"


class Orientation(IntEnum):
    """Where the first row and column of the stored picture belong (TIFF 6.0, tag 274): `TOP_LEFT` is upright."""

    TOP_LEFT = 1
    TOP_RIGHT = 2
    BOTTOM_RIGHT = 3
    BOTTOM_LEFT = 4
    LEFT_TOP = 5
    RIGHT_TOP = 6
    RIGHT_BOTTOM = 7
    LEFT_BOTTOM = 8

    @property
    def swaps_sides(self) -> bool:
        """Whether the upright picture is as wide as the stored one is high."""
        return self >= Orientation.LEFT_TOP

    @property
    def mirrors_x(self) -> bool:
        """Whether the stored first row or column is the upright picture's right side."""
        return "RIGHT" in self.name

    @property
    def mirrors_y(self) -> bool:
        """Whether the stored first row or column is the upright picture's bottom."""
        return "BOTTOM" in self.name


@dataclass(frozen=True, slots=True)
class Canvas:
    """What a file states about its picture as stored.

    Attributes:
        orientation: Always upright for PNG and WebP, whose decoder finds the Exif block.
    """

    size_hw: tuple[int, int]
    orientation: Orientation = Orientation.TOP_LEFT
    animated: bool = False


_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis"})
_HEIF_CONTAINER_BRANDS = frozenset({b"mif1", b"msf1"})
_ORIENTATION_TAG = 0x0112
_TIFF_SHORT = 3
_WEBP_ANIMATION_FLAG = 0x02
_JPEG_MARKER = re.compile(rb"\xff[\x02-\xcf\xd8-\xfe]")
"""Every marker that a segment follows, or that begins or ends the picture: not 00, TEM, RSTn or fill bytes."""
_JPEG_END_OF_IMAGE = 0xD9
_JPEG_START_OF_SCAN = 0xDA
_JPEG_APPLICATION_1 = 0xE1
_JPEG_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def image_format(data: bytes) -> ImageFormat:
    """Tell the format by its signature; file names and content types lie.

    Raises:
        ImageError: If it is none that is read.
    """
    if data.startswith(b"\xff\xd8\xff"):
        return ImageFormat.JPEG
    if data.startswith(_PNG_SIGNATURE):
        return ImageFormat.PNG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ImageFormat.WEBP
    if data[4:8] == b"ftyp" and _is_heic(data):
        return ImageFormat.HEIC
    known = ", ".join(known.value for known in ImageFormat)
    raise ImageError(f"the bytes are not an image in a format that is read ({known})")


def png_canvas(data: bytes) -> Canvas:
    """Read IHDR, and look for `acTL`, which makes a PNG move, among the chunks before the first pixel.

    Raises:
        ImageError: If the chunks before the first pixel are malformed.
    """
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise ImageError("the PNG file does not begin with its header")
    width, height = struct.unpack(">II", data[16:24])
    position = len(_PNG_SIGNATURE)
    while (kind := data[position + 4 : position + 8]) != b"IDAT":
        if len(kind) < 4:
            raise ImageError("the PNG file ends before its first pixel")
        if kind == b"acTL":
            return Canvas((height, width), animated=True)
        position += 12 + int.from_bytes(data[position : position + 4], "big")
    return Canvas((height, width))


def webp_canvas(data: bytes) -> Canvas:
    """Read the first chunk, which states the canvas in each of WebP's three spellings.

    Raises:
        ImageError: If it is malformed.
    """
    if len(data) < 30:
        raise ImageError("the WebP file ends before its header does")
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
        return Canvas((height, width), animated=bool(data[20] & _WEBP_ANIMATION_FLAG))
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = (side & 0x3FFF for side in struct.unpack("<HH", data[26:30]))
        return Canvas((height, width))
    if kind == b"VP8L" and data[20] == 0x2F:
        bits = int.from_bytes(data[21:25], "little")
        return Canvas((1 + (bits >> 14 & 0x3FFF), 1 + (bits & 0x3FFF)))
    raise ImageError("the WebP file does not begin with a picture")


def jpeg_canvas(data: bytes) -> Canvas:
    """Read the frame header, and the orientation from the first Exif segment before the first scan.

    Raises:
        ImageError: If there is no frame header before the first scan.
    """
    size_hw, orientation = None, None
    for code, body_at in _jpeg_segments(data):
        length = int.from_bytes(data[body_at : body_at + 2], "big")
        body = data[body_at + 2 : body_at + length]
        if code in _JPEG_START_OF_FRAME and size_hw is None and len(body) >= 5:
            size_hw = struct.unpack(">HH", body[1:5])
        elif code == _JPEG_APPLICATION_1 and orientation is None and body.startswith(b"Exif\x00\x00"):
            orientation = exif_orientation(body)
        elif code == _JPEG_START_OF_SCAN:
            break
    if size_hw is None:
        raise ImageError("the jpeg file has no frame header before its pixels")
    return Canvas(size_hw, orientation or Orientation.TOP_LEFT)


def jpeg_scans(data: bytes, *, at_most: int) -> int:
    """Count the scans of a JPEG file up to its end of image, giving up one past `at_most`.

    Each scan makes the decoder walk over every block again, however few bytes the scan has, so the count bounds the
    work and the file's size does not. Costs one fast pass over the bytes unless they look suspicious.
    """
    start_of_scan = bytes((0xFF, _JPEG_START_OF_SCAN))
    if (upper_bound := data.count(start_of_scan)) <= at_most:
        return upper_bound
    # Thumbnails in application segments and a video appended after the picture may spell the marker too.
    scans = 0
    for code, _ in _jpeg_segments(data):
        scans += code == _JPEG_START_OF_SCAN
        if code == _JPEG_END_OF_IMAGE or scans > at_most:
            break
    return scans


def exif_orientation(exif: bytes) -> Orientation:
    """Find the orientation in an Exif block, upright where the block does not say or makes no sense.

    Only the first directory is read, and there at most as many entries as it has bytes for. A broken block is no
    reason to refuse a picture: cameras and editors write them often, and every viewer shows such a picture upright.
    """
    tiff = exif.removeprefix(b"Exif\x00\x00")
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return Orientation.TOP_LEFT
    (directory,) = struct.unpack(order + "I", tiff[4:8])
    if directory + 2 > len(tiff):
        return Orientation.TOP_LEFT
    (entries,) = struct.unpack(order + "H", tiff[directory : directory + 2])
    first = directory + 2
    for at in range(first, min(first + 12 * entries, len(tiff) - 11), 12):
        tag, kind, count, value = struct.unpack(order + "HHIH", tiff[at : at + 10])
        if tag == _ORIENTATION_TAG:
            sound = kind == _TIFF_SHORT and count == 1 and 1 <= value <= 8
            return Orientation(value) if sound else Orientation.TOP_LEFT
    return Orientation.TOP_LEFT


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield each marker's code and where its segment's length stands, stepping over segments but into scans."""
    position = 2
    while marker := _JPEG_MARKER.search(data, position):
        yield data[marker.start() + 1], marker.end()
        position = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2], "big")


def _is_heic(data: bytes) -> bool:
    """Whether the file type box names HEVC still pictures; `mif1` alone may also hold AV1."""
    box = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
    brands = [box[at : at + 4] for at in (0, *range(8, len(box), 4))]
    return brands[0] in _HEIC_BRANDS or (
        brands[0] in _HEIF_CONTAINER_BRANDS and not _HEIC_BRANDS.isdisjoint(brands[1:])
    )
