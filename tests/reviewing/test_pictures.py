"""Two faces before an examiner are equally large to the pixel, and show nothing that isn't in their photographs."""

import io
import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from recognizance.faces import Calibration, FaceReader, Photograph, open_photograph
from recognizance.permits import Action, Permit
from recognizance.records import Box
from recognizance.reviewing.pictures import (
    EYES_AT,
    EYES_OF_BOX,
    FRAME_EYES_WH,
    GREY,
    LEAST_EYES_OF_MOUTH,
    MOST_EYES_PX,
    PlacedFace,
    common_eyes_px,
    scaled_picture,
)

from ..conftest import jpeg

Opened = Callable[[Image.Image], Photograph]
Point = tuple[float, float]
SKIN, EYE = (200, 170, 150), (20, 40, 220)


@pytest.fixture
def opened(permit_for: Callable[..., Permit]) -> Opened:
    """Opens a picture as a photograph, from a file without loss."""

    def build(picture: Image.Image) -> Photograph:
        file = io.BytesIO()
        picture.save(file, "PNG")
        return open_photograph(file.getvalue(), permit_for(Action.DETECT))

    return build


def drawn(size_wh: tuple[int, int], left: Point, right: Point) -> Image.Image:
    """A plain picture with a dot for each eye, a twelfth of their distance in radius."""
    # Drawn four times as large, so that a centre may lie between two pixels.
    large = Image.new("RGB", (size_wh[0] * 4, size_wh[1] * 4), SKIN)
    radius = 4 * math.dist(left, right) / 12
    for x, y in (left, right):
        ImageDraw.Draw(large).ellipse(
            (4 * x - radius, 4 * y - radius, 4 * x + radius - 1, 4 * y + radius - 1), fill=EYE
        )
    return large.resize(size_wh, Image.Resampling.BOX)


def placed(
    opened: Opened, size_wh: tuple[int, int], left: tuple[float, float], right: tuple[float, float]
) -> PlacedFace:
    """A face whose eyes are two dots; nose and mouth lie where a face seen from the front has them."""
    across, down = right[0] - left[0], right[1] - left[1]
    below = [(0.5, 0.6), (0.1, 1.0), (0.9, 1.0)]
    others = [(left[0] + x * across - y * down, left[1] + x * down + y * across) for x, y in below]
    points = tuple((x / size_wh[0], y / size_wh[1]) for x, y in (left, right, *others))
    return PlacedFace(opened(drawn(size_wh, left, right)), Box(0.3, 0.3, 0.4, 0.4), points)


def shown(face: PlacedFace, eyes_px: float) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(scaled_picture(face, eyes_px))))


def eyes_in(picture: NDArray[np.uint8]) -> tuple[Point, Point]:
    """The centres of mass of what is blue in the left and in the right half."""
    blue = np.clip(picture[:, :, 2].astype(float) - picture[:, :, 0] - 40, 0, None)
    half = picture.shape[1] // 2
    centres: list[Point] = []
    for start, part in ((0, blue[:, :half]), (half, blue[:, half:])):
        down, across = np.mgrid[0 : part.shape[0], 0 : part.shape[1]]
        centres.append((start + float((across * part).sum() / part.sum()), float((down * part).sum() / part.sum())))
    return centres[0], centres[1]


@pytest.mark.parametrize(
    ("probe_eyes", "candidate_eyes"),
    [
        (((300.0, 300.0), (540.0, 300.0)), ((110.0, 90.0), (150.0, 90.0))),
        (((90.0, 110.0), (130.5, 104.0)), ((400.0, 420.0), (560.0, 470.0))),
        (((150.0, 160.0), (183.0, 171.0)), ((200.0, 150.0), (233.0, 145.0))),
    ],
)
def test_both_faces_have_their_eyes_equally_far_apart_and_in_the_same_place(
    opened: Opened,
    probe_eyes: tuple[Point, Point],
    candidate_eyes: tuple[Point, Point],
) -> None:
    """Measured in the pictures themselves: to half a pixel, whatever the photographs' sizes."""
    faces = [placed(opened, (800, 640), *probe_eyes), placed(opened, (640, 720), *candidate_eyes)]
    eyes_px = common_eyes_px(faces)

    pictures = [shown(face, eyes_px) for face in faces]

    assert pictures[0].shape == pictures[1].shape
    for picture in pictures:
        left, right = eyes_in(picture)
        assert math.dist(left, right) == pytest.approx(eyes_px, abs=0.5)
        height, width = picture.shape[:2]
        middle = ((left[0] + right[0] + 1) / 2, (left[1] + right[1] + 1) / 2)
        assert middle == pytest.approx((EYES_AT[0] * width, EYES_AT[1] * height), abs=0.5)


def test_real_faces_are_equally_large_as_well(
    opened: Opened, faces: tuple[FaceReader, Calibration], permit_for: Callable[..., Permit], collins: Image.Image,
    hopper: Image.Image,
) -> None:  # fmt: skip
    """The detector finds the eyes of two portraits equally far apart, within 3 per cent.

    It places landmarks a few per cent elsewhere in a picture of another size, so the distance itself is held to 10.
    """
    permit, reader = permit_for(Action.DETECT), faces[0]

    def place(picture: Image.Image) -> PlacedFace:
        photograph = open_photograph(jpeg(picture), permit)
        [face, *_] = reader.detect(photograph, permit)
        height, width = photograph.size_hw
        points = tuple((float(x) / width, float(y) / height) for x, y in face.detection.landmarks_px)
        return PlacedFace(photograph, Box(0, 0, 1, 1), points)

    two = [place(collins), place(hopper.resize((hopper.width // 2, hopper.height // 2)))]
    eyes_px = common_eyes_px(two)
    found: list[float] = []
    for face in two:
        picture = open_photograph(scaled_picture(face, eyes_px), permit)
        points = reader.detect(picture, permit)[0].detection.landmarks_px
        found.append(math.dist(points[0], points[1]))

    assert found[0] == pytest.approx(found[1], rel=0.03)
    assert found == pytest.approx([eyes_px, eyes_px], rel=0.1)


def test_a_photograph_that_ends_is_continued_in_grey(opened: Opened) -> None:
    """Nothing is made up where there is nothing: neither stretched nor mirrored."""
    face = placed(opened, (120, 120), (5.0, 20.0), (65.0, 20.0))

    picture = shown(face, 60.0)

    width, height = (round(side * 60) for side in FRAME_EYES_WH)
    assert picture.shape == (height, width, 3)
    # The middle between the eyes is at (120, 126). Of the photograph 35 px lie left of it and 20 px above it.
    outside = np.zeros((height, width), dtype=bool)
    outside[: 126 - 20, :] = True
    outside[:, : 120 - 35] = True
    outside[126 - 20 + 120 :, :] = True
    outside[:, 120 - 35 + 120 :] = True
    assert (picture[outside] == GREY).all()
    assert not (picture[~outside] == GREY).all(axis=-1).any()


def test_the_finest_face_sets_the_scale_up_to_what_a_screen_shows(opened: Opened) -> None:
    """The others are enlarged to it: reducing the best picture to the worst would take away what tells people apart."""
    small = placed(opened, (200, 200), (80.0, 80.0), (110.0, 80.0))
    large = placed(opened, (200, 200), (50.0, 80.0), (120.0, 80.0))
    huge = placed(opened, (1200, 1200), (300.0, 500.0), (900.0, 500.0))

    assert common_eyes_px([small, large]) == pytest.approx(70)
    assert common_eyes_px([small, huge]) == MOST_EYES_PX


def test_a_head_in_profile_is_not_enlarged_because_its_eyes_are_close(opened: Opened) -> None:
    """From the eyes to the mouth it is as long as from the front, and that bounds the scale."""
    points = ((0.50, 0.4), (0.51, 0.4), (0.6, 0.5), (0.52, 0.6), (0.53, 0.6))
    face = PlacedFace(opened(Image.new("RGB", (400, 400), SKIN)), Box(0.3, 0.3, 0.4, 0.4), points)

    assert face.eyes_px() == pytest.approx(LEAST_EYES_OF_MOUTH * math.dist((202, 160), (210, 240)))


def test_a_face_without_landmarks_is_scaled_by_its_box(opened: Opened) -> None:
    """A record may have none; then the detector's box has to do."""
    face = PlacedFace(opened(Image.new("RGB", (500, 400), SKIN)), Box(0.2, 0.2, 0.4, 0.5), None)

    assert face.eyes_px() == pytest.approx(EYES_OF_BOX * 200)
    assert shown(face, 50.0).shape == (250, 200, 3)


def test_a_face_beside_its_photograph_is_grey_and_no_error(opened: Opened) -> None:
    """A detector's points may lie outside; a picture of nothing can be called unsuitable."""
    points = ((9.0, 9.0), (9.2, 9.0), (9.1, 9.1), (9.0, 9.2), (9.2, 9.2))
    face = PlacedFace(opened(Image.new("RGB", (100, 100), SKIN)), Box(0.2, 0.2, 0.4, 0.5), points)

    assert (shown(face, 20.0) == GREY).all()
