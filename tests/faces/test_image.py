"""Bytes to bounded, upright pixels."""

import io
import struct
import threading
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image, PngImagePlugin

from recognizance.errors import DeniedError, ImageError, ImageTooLargeError
from recognizance.faces.headers import ImageFormat, Orientation, exif_orientation, jpeg_scans
from recognizance.faces.image import ImageLimits, RgbPixels, open_photograph
from recognizance.governance.policy import Policy, Principal, Role
from recognizance.identifiers import DecisionId, PrincipalId
from recognizance.permits import Action, Permit

PHOTOS = Path(__file__).parents[3] / "shared" / "faces" / "photos"


def permit_for(action: Action) -> Permit:
    principal = Principal(PrincipalId("test"), frozenset({Role.ADMINISTRATOR}))
    return Policy().decide(principal, action, gallery=None, decision_id=DecisionId("d"))


PERMIT = permit_for(Action.DETECT)


def picture(height: int = 90, width: int = 130) -> RgbPixels:
    """A smooth picture that no flip or turn leaves as it was, and that is not square."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x * 255 // width, y * 255 // height, (x + 2 * y) * 255 // (width + 2 * height)], -1).astype(
        np.uint8
    )


def encoded(pixels: RgbPixels, kind: str = "JPEG", **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def exif(orientation: int, order: str = ">") -> bytes:
    """A minimal Exif block with one entry."""
    start = b"MM\x00*" if order == ">" else b"II*\x00"
    entry = struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    return b"Exif\x00\x00" + start + struct.pack(order + "IH", 8, 1) + entry + bytes(4)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_claiming(width: int, height: int) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(bytes(100))) + png_chunk(b"IEND", b"")


def mean_difference(a: RgbPixels, b: RgbPixels) -> float:
    assert a.shape == b.shape
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


@pytest.mark.parametrize(("kind", "tolerance"), [("JPEG", 2.0), ("PNG", 0.0), ("WEBP", 3.0)])
def test_each_format_gives_the_picture_that_was_written(kind: str, tolerance: float) -> None:
    """Size, format, channel order and values survive; the lossy formats within their loss."""
    photograph = open_photograph(encoded(picture(), kind), PERMIT)

    pixels = photograph.pixels()

    assert photograph.size_hw == (90, 130)
    assert photograph.format.value == kind.lower()
    assert pixels.flags.c_contiguous
    assert mean_difference(pixels, picture()) <= tolerance


def test_heic_is_read_where_its_library_is_installed() -> None:
    """The optional decoder gives the same picture as the others."""
    file = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(picture())).save(file, quality=90)

    photograph = open_photograph(file.getvalue(), PERMIT)

    assert photograph.format is ImageFormat.HEIC
    assert mean_difference(photograph.pixels(), picture()) < 3


def test_heic_without_its_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install."""
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)

    with pytest.raises(ImageError, match=r"recognizance\[heic\]"):
        open_photograph(b"\x00\x00\x00\x18ftypheic" + bytes(40), PERMIT)


@pytest.mark.parametrize("orientation", Orientation)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_every_orientation_is_undone(orientation: Orientation, order: str, kind: str) -> None:
    """However the camera was held, the result is upright: a picture stored turned comes out as it was."""
    upright = picture()
    # How each orientation stores an upright picture: the inverse of what a viewer must do (TIFF 6.0, tag 274).
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: upright.transpose(1, 0, 2)[::-1],
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: upright.transpose(1, 0, 2)[:, ::-1],
    }[orientation.value]

    photograph = open_photograph(encoded(stored, kind, exif=exif(orientation.value, order)), PERMIT)

    assert photograph.size_hw == (90, 130)
    assert mean_difference(photograph.pixels(), upright) < 3


@pytest.mark.parametrize("orientation", Orientation)
@pytest.mark.parametrize("factor", [2, 4, 8])
def test_points_of_a_reduced_picture_map_exactly_to_full_resolution(orientation: Orientation, factor: int) -> None:
    """A ramp's value at a reduced pixel is its value at the mapped place, though no side divides by the factor."""
    height, width = 77, 101
    y, x = np.mgrid[0:height, 0:width]
    ramps = np.stack([2 * x, 2 * y, np.full_like(x, 100)], -1).astype(np.uint8)
    photograph = open_photograph(encoded(ramps, quality=100, subsampling=0, exif=exif(orientation.value)), PERMIT)

    reduced = photograph.scaled(long_side_px=-(-width // factor))
    rows, columns = (np.arange(1, side - 1) for side in reduced.rgb.shape[:2])
    points = np.stack(np.meshgrid(columns, rows), -1).astype(np.float32)
    full_px = reduced.to_full_px(points)
    at_full = photograph.pixels().astype(float)
    x, y = full_px[..., 0], full_px[..., 1]
    before, after = (at_full[round_(y).astype(int), round_(x).astype(int)] for round_ in (np.floor, np.ceil))
    difference = (reduced.rgb[1:-1, 1:-1] - (before + after) / 2).mean(axis=(0, 1))

    assert reduced.factor == factor
    # A mistake of one pixel is two grey levels, of half a pixel one. Rounding may cost half a level.
    assert np.abs(difference).max() < 0.8


@pytest.mark.parametrize(
    ("asked", "side"),
    [(None, 1000), (1001, 1000), (1000, 1000), (500, 500), (251, 500), (250, 250), (125, 125), (1, 125)],
)
def test_the_smallest_sufficient_scale_is_chosen(asked: int | None, side: int) -> None:
    """The longer side is never less than was asked for, unless the picture itself is."""
    photograph = open_photograph(encoded(picture(700, 1000)), PERMIT)

    assert photograph.pixels(long_side_px=asked).shape[1] == side


def test_a_scale_is_decoded_once_and_cannot_be_written_to() -> None:
    """Asking again hands out the same array, so nobody may change it."""
    photograph = open_photograph(encoded(picture()), PERMIT)

    assert photograph.pixels() is photograph.pixels()
    with pytest.raises(ValueError, match="read-only"):
        photograph.pixels()[0, 0] = 0


def test_threads_may_share_a_photograph() -> None:
    """Eight threads at four scales get the same pixels as one thread does."""
    data = encoded(picture(400, 600))
    alone = open_photograph(data, PERMIT)
    shared = open_photograph(data, PERMIT)
    sides = [600, 300, 150, 75] * 2
    results: list[RgbPixels | None] = [None] * len(sides)

    def decode(index: int) -> None:
        results[index] = shared.pixels(long_side_px=sides[index])

    threads = [threading.Thread(target=decode, args=(index,)) for index in range(len(sides))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for side, result in zip(sides, results, strict=True):
        assert result is not None
        assert np.array_equal(result, alone.pixels(long_side_px=side))


def test_what_is_transparent_becomes_white() -> None:
    """The colour stored under full transparency doesn't show, and half transparency is half way to white."""
    rgba = np.zeros((10, 20, 4), dtype=np.uint8)
    rgba[:, 10:, 3] = 128
    file = io.BytesIO()
    Image.fromarray(rgba).save(file, "PNG")

    pixels = open_photograph(file.getvalue(), PERMIT).pixels()

    assert (pixels[:, :10] == 255).all()
    assert (np.abs(pixels[:, 10:].astype(int) - 127) <= 1).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_png_mode_becomes_rgb(mode: str) -> None:
    """One bit, grey, palette, alpha and sixteen bits show the same bright and dark halves."""
    halves = np.zeros((40, 60), dtype=np.uint8)
    halves[:, 30:] = 255
    image = Image.fromarray(halves.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(halves).convert(mode)
    file = io.BytesIO()
    image.save(file, "PNG")

    pixels = open_photograph(file.getvalue(), PERMIT).pixels()

    assert pixels.shape == (40, 60, 3)
    assert (pixels[:, :30] == 0).all()
    assert (pixels[:, 30:] == 255).all()


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    """A middle grey stays a middle grey."""
    file = io.BytesIO()
    Image.fromarray(np.full((8, 8), 0x8000, dtype=np.uint16)).save(file, "PNG")

    assert (open_photograph(file.getvalue(), PERMIT).pixels() == 0x80).all()


def test_palette_transparency_becomes_white() -> None:
    """A palette's transparent entry is page, whatever colour it has."""
    image = Image.fromarray(np.zeros((8, 8), dtype=np.uint8), "L").convert("P")
    file = io.BytesIO()
    image.save(file, "PNG", transparency=0)

    assert (open_photograph(file.getvalue(), PERMIT).pixels() == 255).all()


@pytest.mark.parametrize("asked", [None, 80])
def test_cmyk_jpegs_as_adobe_writes_them_keep_their_colours(asked: int | None) -> None:
    """Adobe stores the four inks inverted; red must not come out as cyan, at any scale."""
    red = np.zeros((100, 160, 3), dtype=np.uint8)
    red[..., 0] = 255
    file = io.BytesIO()
    Image.fromarray(red).convert("CMYK").save(file, "JPEG", quality=95)

    pixels = open_photograph(file.getvalue(), PERMIT).pixels(long_side_px=asked)

    assert pixels.shape == ((100, 160, 3) if asked is None else (50, 80, 3))
    assert pixels.mean(axis=(0, 1)) == pytest.approx([255, 0, 0], abs=4)


def test_grey_and_progressive_jpegs_are_read() -> None:
    """One channel becomes three equal ones, and a progressive file gives what a sequential one gives."""
    grey = open_photograph(encoded(picture()[..., 0], "JPEG"), PERMIT).pixels()
    sequential = open_photograph(encoded(picture()), PERMIT).pixels()
    progressive = open_photograph(encoded(picture(), progressive=True), PERMIT).pixels()

    assert (grey[..., 0] == grey[..., 2]).all()
    assert np.array_equal(sequential, progressive)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.97])
def test_a_truncated_file_is_refused(kind: str, share: float) -> None:
    """Half a picture may miss half the faces, so it is an error and never a grey lower half."""
    noise = np.random.default_rng(1).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    data = encoded(noise, kind)

    with pytest.raises(ImageError):
        open_photograph(data[: int(len(data) * share)], PERMIT).pixels()


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a" + bytes(50), b"%PDF-1.7", b"BM" + bytes(60), b"II*\x00" + bytes(60), b"<svg/>", bytes(100)]
)
def test_other_formats_are_refused(data: bytes) -> None:
    """Pillow reads dozens of formats; here only those in `ImageFormat` are."""
    with pytest.raises(ImageError):
        open_photograph(data, PERMIT)


def test_a_bomb_is_refused_from_its_header() -> None:
    """A header that claims 30,000 × 30,000 pixels is answered without decoding, and without a warning."""
    data = png_claiming(30_000, 30_000)

    with pytest.raises(ImageTooLargeError, match=r"image is 900\.0 Mpx; the limit is 67 Mpx"):
        open_photograph(data, PERMIT)


def test_a_webp_bomb_is_refused_from_its_header() -> None:
    """libwebp would allocate two canvases of a gigabyte each as soon as it opens this file."""
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + (16382).to_bytes(3, "little") * 2 + bytes(20)

    with pytest.raises(ImageTooLargeError, match=r"268\.4 Mpx"):
        open_photograph(b"RIFF" + struct.pack("<I", len(body)) + body, PERMIT)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (ImageLimits(size_bytes=100), r"MiB; the limit is"),
        (ImageLimits(pixels=11_000), r"image is 0\.0 Mpx; the limit is 0\.011 Mpx"),
        (ImageLimits(side_px=100), r"image is 130×90 px; the limit is 100 px a side"),
    ],
)
def test_each_limit_is_named_when_it_is_passed(limits: ImageLimits, message: str) -> None:
    """The message names the thing and the limit."""
    with pytest.raises(ImageTooLargeError, match=message):
        open_photograph(encoded(picture()), PERMIT, limits=limits)


def test_a_picture_at_its_limits_is_read() -> None:
    """Limits are inclusive."""
    data = encoded(picture())
    limits = ImageLimits(size_bytes=len(data), pixels=130 * 90, side_px=130)

    assert open_photograph(data, PERMIT, limits=limits).pixels().shape == (90, 130, 3)


def test_no_size_is_no_picture() -> None:
    """A PNG of no width is refused before any decoder sees it."""
    with pytest.raises(ImageError, match="no pixels"):
        open_photograph(png_claiming(0, 10), PERMIT)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_moving_picture_is_refused(kind: str) -> None:
    """A face in the second frame would go unseen."""
    file = io.BytesIO()
    frames = [Image.fromarray(picture()), Image.fromarray(255 - picture())]
    frames[0].save(file, kind, save_all=True, append_images=frames[1:])

    with pytest.raises(ImageError, match="animated"):
        open_photograph(file.getvalue(), PERMIT)


def test_a_huge_text_chunk_is_refused() -> None:
    """A few kilobytes that inflate to a hundred megabytes of text never do."""
    text = PngImagePlugin.PngInfo()
    text.add_text("comment", "x" * 100_000_000, zip=True)
    file = io.BytesIO()
    Image.fromarray(picture()).save(file, "PNG", pnginfo=text)

    with pytest.raises(ImageError):
        open_photograph(file.getvalue(), PERMIT).pixels()


def test_a_jpeg_of_a_thousand_scans_is_refused() -> None:
    """Each scan of a few bytes makes the decoder walk the whole picture again."""
    data = encoded(picture(), progressive=True)
    last = data.rindex(b"\xff\xda")
    bomb = data[:last] + data[last:-2] * 1000 + b"\xff\xd9"

    with pytest.raises(ImageTooLargeError, match="100 scans"):
        open_photograph(bomb, PERMIT)


def test_scan_markers_outside_the_picture_are_not_scans() -> None:
    """A video appended to a photograph, or a thumbnail in its metadata, may hold the marker's two bytes often."""
    noise = b"\xff\xda" * 200
    data = encoded(picture(), comment=noise) + noise

    assert jpeg_scans(data, at_most=100) == 1
    assert open_photograph(data, PERMIT).pixels().shape == (90, 130, 3)


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"Exif\x00\x00",
        b"Exif\x00\x00MM\x00*\xff\xff\xff\xff",
        exif(6)[:-12],
        exif(9),
        exif(0),
        b"Exif\x00\x00MM\x00*" + struct.pack(">IH", 8, 65535),
        exif(6).replace(b"\x01\x12\x00\x03", b"\x01\x12\x00\x04"),
    ],
)
def test_a_broken_exif_block_means_upright(block: bytes) -> None:
    """Viewers show such a picture as it is stored; so do we."""
    assert exif_orientation(block) is Orientation.TOP_LEFT


def test_the_digest_is_of_the_bytes_that_came() -> None:
    """Two files of the same pixels are two pictures on the record."""
    first, second = encoded(picture(), "PNG", compress_level=1), encoded(picture(), "PNG", compress_level=9)

    digests = {open_photograph(data, PERMIT).sha256 for data in (first, second, first)}

    assert len(digests) == 2
    assert all(len(digest) == 64 for digest in digests)


@pytest.mark.parametrize("action", [Action.DETECT, Action.COMPARE, Action.SEARCH, Action.ENROL, Action.MEASURE])
def test_a_permit_to_look_at_faces_opens_photographs(action: Action) -> None:
    """Each act that needs pixels gets them."""
    assert open_photograph(encoded(picture()), permit_for(action)).size_hw == (90, 130)


@pytest.mark.parametrize("action", [Action.FORGET, Action.READ_GALLERY, Action.MANAGE_GALLERY])
def test_a_permit_for_something_else_opens_none(action: Action) -> None:
    """Even a picture that would be refused anyway."""
    with pytest.raises(DeniedError):
        open_photograph(b"", permit_for(action))


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="needs ../shared/faces/photos")
def test_real_photographs_decode_as_pillow_decodes_them() -> None:
    """Sixty files from many cameras and editors: the same pixels from another reader."""
    compared = 0
    for path in sorted(PHOTOS.glob("*.jpg"))[:12]:
        data = path.read_bytes()
        with Image.open(io.BytesIO(data)) as image:
            if image.format == "JPEG" and image.getexif().get(0x0112, 1) == 1:
                assert np.array_equal(open_photograph(data, PERMIT).pixels(), np.asarray(image.convert("RGB")))
                compared += 1
    assert compared > 5
