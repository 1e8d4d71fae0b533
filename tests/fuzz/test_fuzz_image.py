"""Any bytes give a photograph or a documented error, and nothing stays behind.

Runs a few thousand seeded rounds. `RECOGNIZANCE_TEST_FUZZ_ROUNDS=1000000` makes it a night's work; a failure prints the
seed of its round, and `mutated(SEED)` makes the same bytes again.
"""

import io
import os
import random
import resource
import struct
import sys
from functools import cache

import numpy as np
import pillow_heif
import pytest
from PIL import Image, PngImagePlugin

from recognizance.errors import ImageError, ImageTooLargeError
from recognizance.faces.headers import exif_orientation
from recognizance.faces.image import ImageLimits, open_photograph
from recognizance.governance.policy import Policy, Principal, Role
from recognizance.identifiers import DecisionId, PrincipalId
from recognizance.permits import Action

ROUNDS = int(os.environ.get("RECOGNIZANCE_TEST_FUZZ_ROUNDS", "4000"))

LIMITS = ImageLimits(pixels=1_000_000, side_px=10_000)
"""Small, so that a mutated size is more often refused than decoded, and rounds are quick."""

PERMIT = Policy().decide(
    Principal(PrincipalId("fuzz"), frozenset({Role.ADMINISTRATOR})),
    Action.DETECT,
    gallery=None,
    decision_id=DecisionId("d"),
)

TOKENS = (
    b"\xff\xd8", b"\xff\xd9", b"\xff\xda", b"\xff\xc0", b"\xff\xc2", b"\xff\xc4", b"\xff\xdb", b"\xff\xe1", b"\xff\xee",
    b"\xff\xdd\x00\x04\x00\x01", b"Exif\x00\x00MM\x00*", b"Adobe", b"IHDR", b"IDAT", b"IEND", b"acTL", b"iCCP", b"zTXt",
    b"tRNS", b"PLTE", b"eXIf", b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"EXIF", b"ispe", b"irot", b"iloc",
    b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"\x01\x12\x00\x03",
)  # fmt: skip


@cache
def seeds() -> tuple[bytes, ...]:
    """One small file for each way of writing a picture that the decoders know."""
    y, x = np.mgrid[0:37, 0:53]
    smooth = np.stack([x * 4, y * 6, (x + y) * 2], -1).astype(np.uint8)
    image = Image.fromarray(smooth)
    alpha = image.convert("RGBA")
    alpha.putalpha(Image.fromarray((x * 4).astype(np.uint8)))
    exif = b"Exif\x00\x00MM\x00*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    text = PngImagePlugin.PngInfo()
    text.add_text("comment", "words " * 50, zip=True)
    deep = Image.fromarray((x * 1000).astype(np.uint16))

    files = []
    for picture, kind, options in (
        (image, "JPEG", {"exif": exif}),
        (image, "JPEG", {"progressive": True, "quality": 95, "subsampling": 0}),
        (image, "JPEG", {"restart_marker_blocks": 2, "icc_profile": bytes(200)}),
        (image.convert("L"), "JPEG", {}),
        (image.convert("CMYK"), "JPEG", {}),
        (image, "PNG", {"exif": exif, "pnginfo": text}),
        (alpha, "PNG", {"icc_profile": bytes(200)}),
        (image.convert("P"), "PNG", {"transparency": 3}),
        (image.convert("1"), "PNG", {}),
        (deep, "PNG", {"transparency": 1000}),
        (image, "WEBP", {"exif": exif}),
        (alpha, "WEBP", {"lossless": True}),
        (alpha, "WEBP", {"quality": 50}),
    ):
        file = io.BytesIO()
        picture.save(file, kind, **options)
        files.append(file.getvalue())
    file = io.BytesIO()
    pillow_heif.from_pillow(image).save(file, quality=50)
    return (*files, file.getvalue())


def mutated(seed: int) -> bytes:
    """The bytes of one round."""
    rng = random.Random(seed)
    data = bytearray(rng.choice(seeds()))
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        if not data:
            break
        # Structures sit at the front, so half of the changes go there.
        at = rng.randrange(len(data) if rng.random() < 0.5 else min(len(data), 120))
        match rng.randrange(7):
            case 0:
                data[at] = rng.randrange(256)
            case 1:
                data[at] ^= 1 << rng.randrange(8)
            case 2:
                del data[at : at + rng.choice((1, 2, 4, 40, 4000))]
            case 3:
                data[at:at] = rng.randbytes(rng.choice((1, 2, 4, 40)))
            case 4:
                data[at : at + 4] = rng.choice(TOKENS)
            case 5:
                other = rng.choice(seeds())
                start = rng.randrange(len(other))
                data[at:at] = other[start : start + rng.randrange(400)]
            case _:
                data[at:at] = data[at : at + rng.randrange(200)]
    return bytes(data)


def look(data: bytes, seed: int) -> bool:
    """Open and decode as a caller would, and say whether a picture came out."""
    try:
        photograph = open_photograph(data, PERMIT, limits=LIMITS)
        scaled = photograph.scaled(long_side_px=1 + seed % 60)
    except (ImageError, ImageTooLargeError):
        return False
    height, width = photograph.size_hw
    assert scaled.rgb.shape == (-(-height // scaled.factor), -(-width // scaled.factor), 3)
    assert scaled.rgb.dtype == np.uint8
    assert height * width <= LIMITS.pixels
    return True


def resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - no path of ours
        return int(file.read().split()[1]) * resource.getpagesize()


def test_every_seed_is_a_picture() -> None:
    """What is mutated was sound, or the harness would test nothing."""
    for data in seeds():
        assert look(data, 59)


@pytest.mark.skipif(sys.platform != "linux", reason="reads resident memory from /proc")
def test_mutated_files_give_pictures_or_image_errors_and_leave_nothing_behind() -> None:
    """Thousands of broken files: no other exception, no warning, no growth of memory."""
    pictures = 0
    for seed in range(ROUNDS // 2):
        pictures += look(mutated(seed), seed)
    before = resident_bytes()
    for seed in range(ROUNDS // 2, ROUNDS):
        pictures += look(mutated(seed), seed)
    grown = resident_bytes() - before

    # Both outcomes are frequent, or the mutations were too weak or too strong to find anything.
    assert ROUNDS * 0.1 < pictures < ROUNDS * 0.9
    assert grown < 32 << 20


def test_any_bytes_are_an_exif_block_or_none() -> None:
    """The orientation's parser never raises, whatever the block says about its own lengths."""
    sound = b"Exif\x00\x00II*\x00" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    found = set()
    for seed in range(ROUNDS):
        rng = random.Random(seed)
        block = bytearray(sound)
        for _ in range(rng.randrange(1, 6)):
            block[rng.randrange(len(block))] = rng.choice((0, 1, 2, 3, 8, 255, rng.randrange(256)))
        found.add(exif_orientation(bytes(block[: rng.randrange(len(block) + 1)])))

    assert len(found) > 3
