"""Five points to the recogniser's frame."""

import cmath
import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognizance.faces.alignment import (
    ALIGNED_PX,
    TEMPLATE_PX,
    align,
    mirrored,
    similarity_transform,
    source_px_per_aligned_px,
)
from recognizance.faces.models import ModelStore

COORDINATES = st.floats(-500, 500, width=32)


@given(scale=st.floats(0.05, 20), angle=st.floats(-math.pi, math.pi), x=COORDINATES, y=COORDINATES)
def test_a_similarity_is_undone_exactly(scale: float, angle: float, x: float, y: float) -> None:
    """Points that are the template, turned, scaled and moved, come back to the template."""
    turn = scale * cmath.exp(1j * angle)
    plane = (TEMPLATE_PX[:, 0] + 1j * TEMPLATE_PX[:, 1]) * turn + complex(x, y)
    landmarks = np.stack([plane.real, plane.imag], axis=1).astype(np.float32)

    transform = similarity_transform(landmarks)

    back = landmarks @ transform[:, :2].T + transform[:, 2]
    assert np.abs(back - TEMPLATE_PX).max() < 0.05
    assert source_px_per_aligned_px(landmarks) == pytest.approx(scale, rel=1e-3)


@given(points=st.lists(st.tuples(COORDINATES, COORDINATES), min_size=5, max_size=5))
def test_any_points_give_a_turn_and_a_scale_or_are_refused(points: list[tuple[float, float]]) -> None:
    """Never a reflection or a shear: a mirrored face must not come out as its mirror image."""
    landmarks = np.array(points, dtype=np.float32)
    try:
        transform = similarity_transform(landmarks)
    except ValueError:
        return

    (a, b, _), (c, d, _) = transform
    assert a == pytest.approx(d)
    assert b == pytest.approx(-c)


def test_no_other_similarity_is_nearer() -> None:
    """Least squares: moving any parameter a little makes the distance grow."""
    landmarks = np.array([(30, 40), (90, 45), (63, 80), (38, 110), (80, 108)], dtype=np.float32)
    transform = similarity_transform(landmarks)

    def distance(nudge: NDArray[np.float64]) -> float:
        real, imaginary, dx, dy = nudge
        moved = transform + np.array([[real, -imaginary, dx], [imaginary, real, dy]])
        return float(np.square(landmarks @ moved[:, :2].T + moved[:, 2] - TEMPLATE_PX).sum())

    best = distance(np.zeros(4))
    nudges = [sign * size * np.eye(4)[axis] for axis, size in enumerate((1e-3, 1e-3, 0.1, 0.1)) for sign in (-1, 1)]
    assert all(distance(nudge) > best for nudge in nudges)


@pytest.mark.parametrize(
    "landmarks",
    [np.zeros((5, 2)), np.full((5, 2), np.nan), np.zeros((4, 2)), np.full((5, 2), np.inf)],
    ids=["one place", "not a number", "four points", "infinite"],
)
def test_points_without_a_similarity_are_refused(landmarks: NDArray[np.float64]) -> None:
    """They would make an aligned face of nothing."""
    with pytest.raises(ValueError, match="landmarks"):
        similarity_transform(landmarks.astype(np.float32))


def test_ordinary_faces_are_cut_as_opencv_cuts_them(hopper: NDArray[np.uint8]) -> None:
    """Somebody else's implementation of the same alignment agrees to a grey level or so."""
    store = ModelStore(None)
    theirs = cv2.FaceRecognizerSF.create(str(store.path(store.model("sface-2021dec"))), "")
    landmarks = np.array([(222, 208), (302, 206), (260, 258), (226, 288), (298, 286)], dtype=np.float32)
    assert 1 < source_px_per_aligned_px(landmarks) < 3
    small = cv2.resize(hopper, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    row = np.concatenate([[100, 80, 120, 130], (landmarks * 0.6).ravel(), [0.9]]).astype(np.float32)

    expected = theirs.alignCrop(np.ascontiguousarray(small[..., ::-1]), row)[..., ::-1]
    ours = align(small.astype(np.uint8), landmarks * np.float32(0.6))

    assert np.abs(expected.astype(int) - ours).max() <= 3


def test_a_large_face_is_averaged_not_sampled() -> None:
    """Fine texture eight times beyond the result's resolution becomes its mean, not a pattern of its own."""
    scale = 8.2
    landmarks = (TEMPLATE_PX * scale).astype(np.float32)
    rows, columns = np.indices((920, 920))
    board = (((rows + columns) % 2) * 255).astype(np.uint8)

    face = align(np.repeat(board[..., np.newaxis], 3, axis=2), landmarks)

    assert np.abs(face[4:-4, 4:-4].astype(int) - 127).max() <= 1


@pytest.mark.parametrize("scale", [1.0, 1.9, 2.0, 3.3, 7.0])
def test_averaging_does_not_shift_the_face(scale: float) -> None:
    """A bright square in a known place of the template lands there at every size of the source."""
    side = int(ALIGNED_PX * scale)
    rows, columns = np.indices((side, side)) / scale
    inside = (rows >= 40) & (rows < 72) & (columns >= 40) & (columns < 72)
    source = np.repeat((inside * 200).astype(np.uint8)[..., np.newaxis], 3, axis=2)
    # Pixel centres: template point p of a picture scaled by s lies at s·(p + 1/2) - 1/2.
    landmarks = ((TEMPLATE_PX + 0.5) * scale - 0.5).astype(np.float32)

    face = align(source, landmarks)[..., 0].astype(float)

    middle = (np.indices(face.shape) * face).sum(axis=(1, 2)) / face.sum()
    assert middle == pytest.approx([55.5, 55.5], abs=0.1)


def test_a_face_at_the_edge_is_filled_with_black(hopper: NDArray[np.uint8]) -> None:
    """Half a face outside the picture is no error, and nothing is invented there."""
    landmarks = (TEMPLATE_PX * 3 - np.array([170, 0])).astype(np.float32)

    face = align(hopper, landmarks)

    assert face.shape == (ALIGNED_PX, ALIGNED_PX, 3)
    assert (face[:, :50] == 0).all()
    assert face[:, 70:].any()


def test_a_mirror_image_is_mirrored() -> None:
    """Columns are reversed, rows and colours stay."""
    face = np.arange(ALIGNED_PX * ALIGNED_PX * 3, dtype=np.uint64).reshape(ALIGNED_PX, ALIGNED_PX, 3).astype(np.uint8)

    np.testing.assert_array_equal(mirrored(face)[5, 0], face[5, -1])
    np.testing.assert_array_equal(mirrored(mirrored(face)), face)
