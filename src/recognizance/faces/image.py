"""Bytes to bounded, upright pixels.

Every limit is checked before the work that it bounds. Must never decode a format that `ImageFormat` doesn't name, let
a foreign exception or warning out, or change a setting of Pillow or OpenCV, which other threads share.

JPEG pixels come from OpenCV, everything else from Pillow. Both hold libjpeg-turbo and give the same pixels, but
OpenCV writes them straight into an array: over 60 photographs 12 ms against 18 ms at full resolution. It refuses
truncated files, as Pillow does, and undoes the inversion with which Adobe's programs write CMYK. A corrupt file that is
still readable makes libjpeg print one line on standard error. Pillow's JPEG plug-in isn't used even for headers,
because it warns about broken Exif blocks.

Colour profiles are ignored: the recognisers were trained on pixels read in this way.
"""

import hashlib
import io
import struct
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, PngImagePlugin, WebPImagePlugin

from recognizance.errors import ImageError, ImageTooLargeError
from recognizance.faces.headers import (
    ImageFormat,
    Orientation,
    exif_orientation,
    image_format,
    jpeg_canvas,
    jpeg_scans,
    png_canvas,
    webp_canvas,
)
from recognizance.permits import Action, Permit

RgbPixels = NDArray[np.uint8]
"""(h, w, 3) uint8, C-contiguous, red first, upright."""

_MEBIBYTE = 1 << 20

_JPEG_FLAGS = {
    1: cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION,
    # OpenCV refuses its BGR bit, which the reduced-colour constants hold, beside its RGB bit.
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2 | cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4 | cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8 | cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION,
}
"""How to ask OpenCV for a JPEG reduced in the DCT by each factor that libjpeg has."""

_PILLOW_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    struct.error,
    zlib.error,
)
"""What Pillow's and pillow-heif's parsers raise on bytes that are not what they expect; found by fuzzing."""

_PLUG_INS: dict[ImageFormat, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    ImageFormat.PNG: PngImagePlugin.PngImageFile,
    ImageFormat.WEBP: WebPImagePlugin.WebPImageFile,
}

_PAGE = 255
"""The grey level behind what is transparent: white."""


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What a picture may cost.

    Attributes:
        size_bytes: Rekognition's own limit for a picture in a bucket.
        pixels: Admits every common telephone sensor (48, 50 and 64 megapixels) and bounds a decoded picture at 201 MB.
        side_px: OpenCV's warping counts positions in signed 16-bit integers and refuses more than 32,767.
        scans: A progressive JPEG has about ten. libjpeg-turbo's authors advise against trusting more than 500.
    """

    size_bytes: int = 15 * _MEBIBYTE
    pixels: int = 67_000_000
    side_px: int = 32_000
    scans: int = 100

    def __post_init__(self) -> None:
        if min(self.size_bytes, self.pixels, self.side_px, self.scans) < 1:
            raise ValueError("every image limit is at least 1")
        if self.side_px > 32_767:
            raise ValueError("image sides beyond 32,767 px can't be warped")


DEFAULT_LIMITS = ImageLimits()


@dataclass(frozen=True, slots=True)
class ScaledPixels:
    """Upright pixels, reduced by a whole number, and where they lie in the picture at full resolution.

    Attributes:
        rgb: Read-only, because a photograph hands the same array to all who ask.
        factor: 1, 2, 4 or 8: how many pixels of full resolution stand in one, along each side.
        origin_xy_px: The top left corner of `rgb` in the frame of full resolution; 0 or a little less, because sides
            are rounded up to whole blocks, and orientation may turn the blocks' overhang to the left or top.
    """

    rgb: RgbPixels
    factor: int
    origin_xy_px: tuple[int, int]

    def to_full_px(self, points_px: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map points (..., 2), x before y, from `rgb` to full resolution.

        In both frames the centre of the first pixel is (0, 0), as in OpenCV's warping, so a point at the middle of a
        reduced pixel goes to the middle of the block that it stands for.
        """
        origin = np.asarray(self.origin_xy_px, dtype=np.float32) + np.float32((self.factor - 1) / 2)
        return (points_px * np.float32(self.factor) + origin).astype(np.float32, copy=False)


class Photograph:
    """A picture that was opened and is within limits; decoded when asked, at the scale asked for.

    Safe to share between threads. Each scale is decoded once and kept as long as the photograph is, so asking again
    costs nothing and the whole costs at most 1.34 times the pixels of the largest scale asked for.

    Attributes:
        format: By signature.
        size_hw: Height and width after orientation was applied.
    """

    def __init__(self, data: bytes, kind: ImageFormat, source: "_Source") -> None:
        height, width = source.stored_hw
        self.format = kind
        self.size_hw = (width, height) if source.orientation.swaps_sides else (height, width)
        self._data = data
        self._source = source
        self._scales: dict[int, ScaledPixels] = {}
        self._lock = threading.Lock()

    @property
    def data(self) -> bytes:
        """The bytes as they came."""
        return self._data

    @cached_property
    def sha256(self) -> str:
        """64 hexadecimal digits: the digest of the bytes as they came, not of the pixels."""
        return hashlib.sha256(self._data).hexdigest()

    def pixels(self, *, long_side_px: int | None = None) -> RgbPixels:
        """The pixels alone; see `scaled`."""
        return self.scaled(long_side_px=long_side_px).rgb

    def scaled(self, *, long_side_px: int | None = None) -> ScaledPixels:
        """Decode at the smallest scale on offer whose longer side is at least `long_side_px`.

        JPEG offers 1/1, 1/2, 1/4 and 1/8, at a fraction of the cost; other formats only 1/1. Full resolution where
        `long_side_px` is `None`. The result depends on the bytes and the scale alone, not on what was asked before.

        Raises:
            ImageError: If the file is broken or ends early.
        """
        factor = self._factor(long_side_px)
        with self._lock:
            if factor not in self._scales:
                self._scales[factor] = self._decode(factor)
            return self._scales[factor]

    def _factor(self, long_side_px: int | None) -> int:
        if long_side_px is None or self.format is not ImageFormat.JPEG:
            return 1
        return next((factor for factor in (8, 4, 2) if -(-max(self.size_hw) // factor) >= long_side_px), 1)

    def _decode(self, factor: int) -> ScaledPixels:
        rgb = self._source.decode(factor)
        stored_h, stored_w = (-(-side // factor) for side in self._source.stored_hw)
        if rgb.shape != (stored_h, stored_w, 3):
            raise ImageError(f"the {self.format.value} file's header and pixels disagree about its size")
        upright = _turn_upright(rgb, self._source.orientation)
        upright.setflags(write=False)
        height, width = self.size_hw
        overhang_x = upright.shape[1] * factor - width if self._source.orientation.mirrors_x else 0
        overhang_y = upright.shape[0] * factor - height if self._source.orientation.mirrors_y else 0
        return ScaledPixels(upright, factor, (-overhang_x, -overhang_y))


def open_photograph(data: bytes, permit: Permit, *, limits: ImageLimits = DEFAULT_LIMITS) -> Photograph:
    """Check the format and the limits of an image file, and decode nothing yet.

    Formats are told by signature. A moving picture is refused, because a face in a later frame would go unseen.

    Raises:
        DeniedError: If the permit covers no act that looks at faces.
        ImageTooLargeError: If a limit is passed. Nothing was decoded.
        ImageError: If the bytes are no picture that is read. Broken pixels show only in `Photograph.pixels`.
    """
    permit.require_any(Action.DETECT, Action.COMPARE, Action.SEARCH, Action.ENROL, Action.MEASURE)
    if not data:
        raise ImageError("the image is empty")
    if len(data) > limits.size_bytes:
        size, limit = len(data) / _MEBIBYTE, limits.size_bytes / _MEBIBYTE
        raise ImageTooLargeError(f"image is {size:.2f} MiB; the limit is {limit:g} MiB")
    kind = image_format(data)
    match kind:
        case ImageFormat.JPEG:
            source = _open_jpeg(data, limits)
        case ImageFormat.PNG | ImageFormat.WEBP:
            source = _open_png_or_webp(data, kind, limits)
        case ImageFormat.HEIC:
            source = _open_heic(data, limits)
    return Photograph(data, kind, source)


@dataclass(frozen=True, slots=True)
class _Source:
    """What a format's opener found: the stored size, how to turn it, and how to decode it by 1, 2, 4 or 8."""

    stored_hw: tuple[int, int]
    orientation: Orientation
    decode: Callable[[int], RgbPixels]


def _require_size(size_hw: tuple[int, int], limits: ImageLimits) -> None:
    height, width = size_hw
    if height < 1 or width < 1:
        raise ImageError(f"the image has no pixels: {width}×{height}")
    if max(size_hw) > limits.side_px:
        raise ImageTooLargeError(f"image is {width}×{height} px; the limit is {limits.side_px} px a side")
    if height * width > limits.pixels:
        size, limit = height * width / 1e6, limits.pixels / 1e6
        raise ImageTooLargeError(f"image is {size:.1f} Mpx; the limit is {limit:g} Mpx")


def _open_jpeg(data: bytes, limits: ImageLimits) -> _Source:
    canvas = jpeg_canvas(data)
    _require_size(canvas.size_hw, limits)
    if jpeg_scans(data, at_most=limits.scans) > limits.scans:
        raise ImageTooLargeError(f"the JPEG file has more than {limits.scans} scans, which is the limit")
    return _Source(canvas.size_hw, canvas.orientation, partial(_decode_jpeg, data))


def _open_png_or_webp(data: bytes, kind: ImageFormat, limits: ImageLimits) -> _Source:
    canvas = png_canvas(data) if kind is ImageFormat.PNG else webp_canvas(data)
    _require_size(canvas.size_hw, limits)
    if canvas.animated:
        raise ImageError("the image is animated; send the frame that is meant")
    # WEAKNESS: the standard lets a PNG file's orientation follow its pixels, where it is not looked for.
    orientation = exif_orientation(_pillow_image(data, kind).info.get("exif", b""))
    return _Source(canvas.size_hw, orientation, lambda _: _decode_with_pillow(data, kind))


def _open_heic(data: bytes, limits: ImageLimits) -> _Source:
    try:
        import pillow_heif  # pyright: ignore[reportMissingTypeStubs]
    except ImportError as error:
        raise ImageError("HEIC images need the optional extra: pip install 'recognizance[heic]'") from error
    try:
        file = pillow_heif.open_heif(data)
        image = file[file.primary_index]
        width, height = image.size
    except _PILLOW_ERRORS as error:
        raise ImageError("the heic file is broken") from error
    _require_size((height, width), limits)

    def decode(_factor: int) -> RgbPixels:
        try:
            return _rgb_of(image.to_pillow())
        except _PILLOW_ERRORS as error:
            raise ImageError("the heic file is broken or ends early") from error

    # libheif has turned the picture already; an Exif orientation beside it must not turn it again.
    return _Source((height, width), Orientation.TOP_LEFT, decode)


def _pillow_image(data: bytes, kind: ImageFormat) -> ImageFile.ImageFile:
    """Open with one named plug-in, past `Image.open`, which keeps a global list of forty and a global size limit."""
    plug_in = _PLUG_INS[kind]
    try:
        return plug_in(io.BytesIO(data))
    except _PILLOW_ERRORS as error:
        raise ImageError(f"the {kind.value} file is broken") from error


def _decode_jpeg(data: bytes, factor: int) -> RgbPixels:
    try:
        decoded = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), _JPEG_FLAGS[factor])
    except cv2.error as error:
        raise ImageError("the jpeg file is broken") from error
    if decoded is None:
        raise ImageError("the jpeg file is broken or ends early")
    return decoded.astype(np.uint8, copy=False)


def _decode_with_pillow(data: bytes, kind: ImageFormat) -> RgbPixels:
    try:
        return _rgb_of(_pillow_image(data, kind))
    except _PILLOW_ERRORS as error:
        raise ImageError(f"the {kind.value} file is broken or ends early") from error


def _rgb_of(image: Image.Image) -> RgbPixels:
    """Reduce any of Pillow's modes to 8-bit RGB.

    What is transparent becomes white, the page that a viewer shows a cut-out portrait on; the colour that a file
    stores under full transparency is arbitrary and may hold a picture that nobody was meant to see.
    """
    image.load()
    if image.mode.startswith("I"):
        # 16-bit grey. Pillow's own conversion to 8 bits clips instead of scaling.
        wide = np.asarray(image)
        grey = (wide >> 8).astype(np.uint8)
        if isinstance(transparent := image.info.get("transparency"), int):
            grey[wide == transparent] = _PAGE
        return np.ascontiguousarray(np.broadcast_to(grey[:, :, None], (*grey.shape, 3)))
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        page = Image.new("RGBA", rgba.size, (_PAGE, _PAGE, _PAGE, 255))
        image = Image.alpha_composite(page, rgba)
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))


def _turn_upright(rgb: RgbPixels, orientation: Orientation) -> RgbPixels:
    match orientation:
        case Orientation.TOP_LEFT:
            return rgb
        case Orientation.TOP_RIGHT:
            turned = cv2.flip(rgb, 1)
        case Orientation.BOTTOM_RIGHT:
            turned = cv2.rotate(rgb, cv2.ROTATE_180)
        case Orientation.BOTTOM_LEFT:
            turned = cv2.flip(rgb, 0)
        case Orientation.LEFT_TOP:
            turned = cv2.transpose(rgb)
        case Orientation.RIGHT_TOP:
            turned = cv2.rotate(rgb, cv2.ROTATE_90_CLOCKWISE)
        case Orientation.RIGHT_BOTTOM:
            turned = cv2.flip(cv2.transpose(rgb), -1)
        case Orientation.LEFT_BOTTOM:
            turned = cv2.rotate(rgb, cv2.ROTATE_90_COUNTERCLOCKWISE)
    return turned.astype(np.uint8, copy=False)
