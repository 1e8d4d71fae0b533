"""Faces found: by size, by place, in order, and as OpenCV finds them."""

import csv
import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from recognizance.config import Runtime
from recognizance.errors import DeniedError, InputError
from recognizance.faces import Photograph, detection, open_photograph
from recognizance.faces.detection import MAX_FACES, Detection, YuNetDetector, views_for
from recognizance.faces.models import ModelStore
from recognizance.faces.networks import Network, load_network
from recognizance.faces.openvino_runtime import MAX_COMPILED
from recognizance.faces.weights import fold
from recognizance.faces.yunet import decode, without_duplicates
from recognizance.permits import Action, Permit

Pixels = NDArray[np.uint8]
PhotographOf = Callable[[Pixels], Photograph]
FACES = Path(__file__).resolve().parents[3] / "shared" / "faces"
needs_faces = pytest.mark.skipif(not FACES.exists(), reason="the shared test faces are absent")


STORE = ModelStore(None)
YUNET = STORE.model("yunet-2023mar")


@pytest.fixture(scope="module")
def network() -> Network:
    graph = fold(STORE.read(YUNET), YUNET.geometry, YUNET.output_names)
    return load_network(graph, runtime=Runtime.OPENVINO, threads=1)


@pytest.fixture(scope="module")
def detector(network: Network) -> YuNetDetector:
    return YuNetDetector(YUNET, network)


def portrait(hopper: Pixels) -> Pixels:
    """The head and shoulders, 280×280; the face is about 130 px tall."""
    return np.ascontiguousarray(hopper[110:390, 120:400])


def scene(size_hw: tuple[int, int], faces: list[tuple[Pixels, int, int]]) -> Pixels:
    """A plain wall with pictures on it, each at (left, top)."""
    wall = np.full((*size_hw, 3), 150, dtype=np.uint8)
    for picture, left, top in faces:
        wall[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return wall


def resized(picture: Pixels, side_px: int) -> Pixels:
    kind = cv2.INTER_AREA if side_px < picture.shape[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (side_px, side_px), interpolation=kind), dtype=np.uint8)


def test_the_network_is_read_as_opencv_reads_it(network: Network, hopper: Pixels, astronaut: Pixels) -> None:
    """On one canvas both decodings give the same boxes, points and scores, to a hundredth of a pixel."""
    for pixels in (hopper, astronaut):
        canvas, _ = detection._draw(pixels, detection.View(480, 16, 64, math.inf))
        theirs = cv2.FaceDetectorYN.create(str(STORE.path(YUNET)), "", canvas.shape[1::-1], 0.6, 0.3, 5000)

        _, rows = theirs.detect(np.ascontiguousarray(canvas[..., ::-1]))
        (answer,) = network.run([canvas])
        faces = without_duplicates(decode(answer, canvas.shape[:2], min_confidence=0.6))

        assert len(rows) == len(faces.scores) >= 1
        boxes = np.hstack([rows[:, :2], rows[:, :2] + rows[:, 2:4]])
        np.testing.assert_allclose(faces.boxes, boxes, atol=0.01)
        np.testing.assert_allclose(faces.points.reshape(-1, 10), rows[:, 4:14], atol=0.01)
        np.testing.assert_allclose(faces.scores, rows[:, 14], atol=1e-4)


def test_landmarks_are_in_the_images_order(detector: YuNetDetector, permit: Permit, hopper_jpeg: bytes) -> None:
    """Left is the image's left, and the mouth is below the nose, which is below the eyes."""
    (face,) = detector.detect(open_photograph(hopper_jpeg, permit), permit)
    left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks_px

    assert left_eye[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


@pytest.mark.parametrize("face_px", [24, 40, 100, 250, 400])
@pytest.mark.parametrize("size_hw", [(480, 640), (640, 480)])
def test_faces_of_every_size_are_found(
    detector: YuNetDetector,
    permit: Permit,
    photograph_of: PhotographOf,
    hopper: Pixels,
    size_hw: tuple[int, int],
    face_px: int,
) -> None:
    """From 24 px to nearly the whole of a picture that isn't square, and in the right place."""
    # Her face is 0.61 of the portrait's height, its middle at (0.49, 0.49).
    side = round(face_px / 0.61)
    picture = resized(portrait(hopper), side)[: size_hw[0], : size_hw[1]]
    left, top = max((size_hw[1] - side) * 3 // 4, 0), max((size_hw[0] - side) // 4, 0)

    (face,) = detector.detect(photograph_of(scene(size_hw, [(picture, left, top)])), permit)

    middle = face.landmarks_px.mean(axis=0)
    assert middle == pytest.approx([left + 0.49 * side, top + 0.52 * side], abs=0.12 * side)


@pytest.mark.parametrize("side_px", [80, 160, 320, 900, 2000])
def test_a_tight_crop_is_found(
    detector: YuNetDetector, permit: Permit, photograph_of: PhotographOf, hopper: Pixels, side_px: int
) -> None:
    """A face that fills the picture from chin to brow, at any resolution."""
    tight = hopper[160:340, 172:352]

    faces = detector.detect(photograph_of(resized(tight, side_px)), permit)

    assert len(faces) == 1
    assert faces[0].area_px2 > 0.5 * side_px**2


def test_every_face_of_a_group_is_found_the_largest_first(
    detector: YuNetDetector, permit: Permit, photograph_of: PhotographOf, hopper: Pixels, astronaut: Pixels
) -> None:
    """Sizes fall, whatever the places."""
    other = np.ascontiguousarray(astronaut[20:230, 120:330])
    pictures = [
        (resized(portrait(hopper), 120), 20, 300),
        (resized(other, 300), 500, 40),
        (resized(other, 200), 60, 30),
    ]

    faces = detector.detect(photograph_of(scene((600, 900), pictures)), permit)

    areas = [face.area_px2 for face in faces]
    assert len(faces) == 3
    assert areas == sorted(areas, reverse=True)
    assert faces[0].landmarks_px[2, 0] > 500


def test_at_most_a_hundred_faces_are_returned(
    detector: YuNetDetector, permit: Permit, photograph_of: PhotographOf, hopper: Pixels
) -> None:
    """Of a crowd of 120 the hundred largest come back, each once."""
    small, large = resized(portrait(hopper), 76), resized(portrait(hopper), 80)
    crowd = [(small if row < 2 else large, 80 * column, 84 * row) for row in range(10) for column in range(12)]

    faces = detector.detect(photograph_of(scene((840, 960), crowd)), permit)

    centres = {tuple((face.landmarks_px[2] // 80).astype(int)) for face in faces}
    assert len(faces) == len(centres) == MAX_FACES


def test_equal_faces_keep_one_order(
    detector: YuNetDetector, permit: Permit, photograph_of: PhotographOf, hopper: Pixels
) -> None:
    """The same bytes give the same list, bit for bit."""
    picture = resized(portrait(hopper), 128)
    photograph = photograph_of(scene((512, 1024), [(picture, 64, 64), (picture, 576, 64), (picture, 320, 320)]))

    first, second = detector.detect(photograph, permit), detector.detect(photograph, permit)

    assert len(first) == 3
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.landmarks_px, other.landmarks_px)
        np.testing.assert_array_equal(one.box_xyxy_px, other.box_xyxy_px)


def test_a_small_face_in_twelve_megapixels_is_found(detector: YuNetDetector, permit: Permit, hopper: Pixels) -> None:
    """A face of 3 % of a telephone's picture, found in a reduced decoding and reported at full resolution."""
    side = 200
    wall = scene((3000, 4000), [(resized(portrait(hopper), side), 3300, 2400)])
    done, data = cv2.imencode(".jpg", wall[..., ::-1])
    assert done

    (face,) = detector.detect(open_photograph(data.tobytes(), permit), permit)

    assert face.landmarks_px.mean(axis=0) == pytest.approx([3300 + 0.49 * side, 2400 + 0.52 * side], abs=0.1 * side)


def test_a_picture_without_a_face_gives_none(
    detector: YuNetDetector, permit: Permit, photograph_of: PhotographOf
) -> None:
    """Nor do one pixel, a line and noise."""
    noise = np.random.default_rng(1).integers(0, 256, (300, 500, 3), dtype=np.uint8)
    for pixels in (noise, noise[:1, :1], noise[:1], noise[:, :1], np.zeros((700, 900, 3), dtype=np.uint8)):
        assert detector.detect(photograph_of(np.ascontiguousarray(pixels)), permit) == ()


def test_a_permit_to_look_is_needed(
    detector: YuNetDetector, hopper_jpeg: bytes, permit: Permit, permit_for: Callable[[Action], Permit]
) -> None:
    """Managing a gallery is no reason to look at faces."""
    with pytest.raises(DeniedError):
        detector.detect(open_photograph(hopper_jpeg, permit), permit_for(Action.MANAGE_GALLERY))


def test_few_canvas_sizes_are_ever_used() -> None:
    """Each costs a tenth of a second once, and memory: pictures of all sizes and shapes share what a runtime keeps."""
    sizes = set()
    for long_side in range(50, 6000, 37):
        for ratio in np.linspace(0.05, 1.0, 40):
            for view in views_for((long_side, round(long_side * ratio))):
                drawn = (view.long_side_px, round(view.long_side_px * ratio))
                sizes |= {view.canvas_hw(drawn), view.canvas_hw(drawn[::-1])}
    assert len(sizes) <= MAX_COMPILED


def test_a_widest_view_out_of_range_is_refused(network: Network) -> None:
    """It would take gigabytes, or miss what the small view finds."""
    store = ModelStore(None)
    model = store.model("yunet-2023mar")
    network = load_network(
        fold(store.read(model), model.geometry, model.output_names), runtime=Runtime.OPENVINO, threads=1
    )
    with pytest.raises(InputError, match="widest view"):
        YuNetDetector(YUNET, network, widest_view_px=100_000)
    with pytest.raises(InputError, match="no YuNet detector"):
        YuNetDetector(STORE.model("sface-2021dec"), network)


def test_a_detection_out_of_range_cannot_be_built() -> None:
    """Complete and checked when built."""
    with pytest.raises(ValueError, match="confidence"):
        Detection(np.zeros(4, dtype=np.float32), np.zeros((5, 2), dtype=np.float32), 1.5)
    with pytest.raises(ValueError, match="box"):
        Detection(np.zeros(3, dtype=np.float32), np.zeros((5, 2), dtype=np.float32), 0.5)


@needs_faces
def test_grey_crops_of_news_photographs_are_found(detector: YuNetDetector, permit: Permit) -> None:
    """160 px and tighter than a passport: of 200, all."""
    with (FACES / "lfw.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[::26][:200]

    found = [detector.detect(open_photograph((FACES / row["path"]).read_bytes(), permit), permit) for row in rows]

    assert sum(not faces for faces in found) == 0
