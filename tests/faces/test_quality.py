"""Pose, brightness, sharpness, and the gates in front of a gallery."""

import io
import itertools
import math
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
import pytest
import skimage
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from recognizance.faces.alignment import AlignedFace
from recognizance.faces.detection import Detection
from recognizance.faces.image import open_photograph
from recognizance.faces.quality import (
    FACE_MODEL,
    Pose,
    Quality,
    QualityFilter,
    UnindexedReason,
    is_good_enough,
    pose_of,
    quality_of,
    unindexed_reasons,
)
from recognizance.faces.reader import DetectedFace, FaceReader, open_reader
from recognizance.governance.policy import Policy, Principal, Role
from recognizance.identifiers import DecisionId, PrincipalId
from recognizance.permits import Action

PORTRAITS = {
    "grace_hopper": Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg",
    "astronaut": Path(skimage.__file__).parent / "data" / "astronaut.png",
}
PERMIT = Policy().decide(
    Principal(PrincipalId("test"), frozenset({Role.ADMINISTRATOR})),
    Action.MEASURE,
    gallery=None,
    decision_id=DecisionId("d"),
)

FRONTAL = Pose(0, 0, 0)
WELL_LIT = Quality(50, 90)


def found(*, confidence: float = 0.93, side_px: float = 150.0) -> Detection:
    box = np.array([10, 10, 10 + side_px, 210], dtype=np.float32)
    return Detection(box, np.zeros((5, 2), dtype=np.float32), confidence)


@dataclass(frozen=True)
class Face:
    """A frontal, sharp, well-lit face of 150×200 px, but for what a test changes."""

    pose: Pose = FRONTAL
    quality: Quality = WELL_LIT
    detection: Detection = field(default_factory=found)


@pytest.fixture(scope="module")
def reader() -> FaceReader:
    return open_reader()


@pytest.fixture(scope="module", params=sorted(PORTRAITS))
def portrait(request: pytest.FixtureRequest, reader: FaceReader) -> DetectedFace:
    (face, *_) = reader.detect(open_photograph(PORTRAITS[request.param].read_bytes(), PERMIT), PERMIT)
    return face


def turned(pose: Pose, *, scale: float = 60.0) -> NDArray[np.float32]:
    """The five points of the model's face under a distant camera, turned by hand: pitch, then yaw, then roll."""
    yaw, pitch, roll = (math.radians(angle) for angle in (pose.yaw_deg, pose.pitch_deg, pose.roll_deg))
    points = []
    for x, y, z in FACE_MODEL:
        # Looking up lifts what is in front, the nose, whose z is negative; y points down.
        lifted_y = y * math.cos(pitch) + z * math.sin(pitch)
        lifted_z = z * math.cos(pitch) - y * math.sin(pitch)
        # Looking to the image's right moves the nose to larger x.
        turned_x = x * math.cos(yaw) - lifted_z * math.sin(yaw)
        # Clockwise, with y down, turns x towards y.
        tilted_x = turned_x * math.cos(roll) - lifted_y * math.sin(roll)
        tilted_y = turned_x * math.sin(roll) + lifted_y * math.cos(roll)
        points.append((300 + scale * tilted_x, 200 + scale * tilted_y))
    return np.array(points, dtype=np.float32)


@given(
    yaw=st.floats(-60, 60),
    pitch=st.floats(-40, 40),
    roll=st.floats(-179, 179),
    scale=st.floats(4, 400),
)
def test_a_turned_model_gives_its_angles_back(yaw: float, pitch: float, roll: float, scale: float) -> None:
    """On points that fit the model exactly, only float32 rounding is left: 0.05 degrees at eyes 4 px apart."""
    found = pose_of(turned(Pose(yaw, pitch, roll), scale=scale))

    assert found.yaw_deg == pytest.approx(yaw, abs=0.1)
    assert found.pitch_deg == pytest.approx(pitch, abs=0.1)
    assert found.roll_deg == pytest.approx(roll, abs=0.1)


def test_a_pixel_of_noise_costs_degrees_not_tens_of_them() -> None:
    """With eyes 60 px apart and landmarks off by one pixel, angles are off by a few degrees."""
    rng = np.random.default_rng(3)
    wanted = Pose(20, -10, 15)
    found = [pose_of((turned(wanted) + rng.normal(0, 1, (5, 2))).astype(np.float32)) for _ in range(200)]

    assert np.std([pose.yaw_deg for pose in found]) < 3
    assert np.std([pose.pitch_deg for pose in found]) < 3
    assert np.std([pose.roll_deg for pose in found]) < 2


@pytest.mark.parametrize(
    ("points", "width_over_height", "yaw_deg", "pitch_deg", "roll_deg"),
    [
        ([(0.639, 0.408), (0.727, 0.410), (0.691, 0.442), (0.631, 0.467), (0.722, 0.471)], 3 / 4, 13.69, 4.05, 1.0),
        ([(0.398, 0.625), (0.481, 0.632), (0.420, 0.711), (0.405, 0.750), (0.475, 0.756)], 4 / 3, -24.44, -9.71, 4.71),
        ([(0.601, 0.291), (0.681, 0.296), (0.640, 0.352), (0.589, 0.387), (0.675, 0.394)], 4 / 3, 6.72, -4.68, 2.10),
    ],
)
def test_poses_agree_with_amazons_own_examples(
    points: list[tuple[float, float]], width_over_height: float, yaw_deg: float, pitch_deg: float, roll_deg: float
) -> None:
    """The example answers beside botocore's service model hold landmarks and pose: signs and sizes are theirs.

    The pictures' proportions follow from the boxes, which Rekognition then drew square.
    """
    landmarks_px = (np.array(points) * [1000 * width_over_height, 1000]).astype(np.float32)

    found = pose_of(landmarks_px)

    assert found.yaw_deg == pytest.approx(yaw_deg, abs=2)
    assert found.pitch_deg == pytest.approx(pitch_deg, abs=5)
    assert found.roll_deg == pytest.approx(roll_deg, abs=3)


def test_portraits_look_about_into_the_camera(portrait: DetectedFace) -> None:
    """Two well-known portraits are frontal within what five points can tell."""
    assert abs(portrait.pose.yaw_deg) < 15
    assert abs(portrait.pose.pitch_deg) < 12
    assert abs(portrait.pose.roll_deg) < 15


def test_a_mirrored_face_looks_the_other_way(portrait: DetectedFace) -> None:
    """Yaw and roll change their sign and nothing else; left and right are the image's."""
    landmarks_px = portrait.detection.landmarks_px
    mirrored = (landmarks_px[[1, 0, 2, 4, 3]] * [-1, 1] + [1000, 0]).astype(np.float32)

    there, back = pose_of(landmarks_px), pose_of(mirrored)

    assert (back.yaw_deg, back.pitch_deg, back.roll_deg) == pytest.approx(
        (-there.yaw_deg, there.pitch_deg, -there.roll_deg), abs=0.01
    )


@pytest.mark.parametrize(
    "points", [np.zeros((4, 2), np.float32), np.full((5, 2), np.nan, np.float32), np.zeros((5, 3), np.float32)]
)
def test_points_that_are_none_are_refused(points: NDArray[np.float32]) -> None:
    """A pose is never made up."""
    with pytest.raises(ValueError, match="landmarks"):
        pose_of(points)


def test_sharpness_falls_with_every_step_of_blur(portrait: DetectedFace) -> None:
    """From a portrait to a smear, without a step upwards."""
    steps = [portrait.aligned]
    steps += [cv2.GaussianBlur(portrait.aligned, (0, 0), sigma).astype(np.uint8) for sigma in (0.7, 1, 1.5, 2, 3, 4)]

    sharpness = [quality_of(face).sharpness for face in steps]

    # A good portrait is beyond the scale's end, and so is its first step of blur.
    assert all(sharper > softer or softer == 100 for sharper, softer in itertools.pairwise(sharpness))
    assert sharpness[0] == 100
    assert sharpness[-1] < 15


def test_grain_on_a_smear_is_not_sharpness() -> None:
    """However far a portrait is blurred before it's compressed, what the compression adds is not taken for detail."""
    portrait = Image.open(PORTRAITS["astronaut"]).convert("RGB")
    reader = open_reader()

    def sharpness(blur_px: int) -> float:
        file = io.BytesIO()
        portrait.filter(ImageFilter.GaussianBlur(blur_px)).save(file, format="JPEG", quality=92)
        [face, *_] = reader.detect(open_photograph(file.getvalue(), PERMIT), PERMIT)
        return face.quality.sharpness

    assert max(sharpness(blur_px) for blur_px in (4, 5, 6, 7)) < 15


def test_sharpness_ignores_light_and_contrast(portrait: DetectedFace) -> None:
    """Half the contrast, and darker, is as sharp."""
    dim = (portrait.aligned * 0.5 + 20).round().astype(np.uint8)

    assert quality_of(dim).sharpness == pytest.approx(quality_of(portrait.aligned).sharpness, abs=4)


def test_brightness_is_the_faces_share_of_white() -> None:
    """Black is 0, white 100, and half way is half."""
    faces: list[AlignedFace] = [np.full((112, 112, 3), level, dtype=np.uint8) for level in (0, 127, 255)]

    assert [quality_of(face).brightness for face in faces] == pytest.approx([0, 49.8, 100], abs=0.1)


def test_an_empty_face_is_not_sharp() -> None:
    """No detail is no sharp detail."""
    assert quality_of(np.full((112, 112, 3), 128, dtype=np.uint8)).sharpness == 0


def test_only_aligned_faces_are_judged() -> None:
    """Another size would give numbers on another scale."""
    with pytest.raises(ValueError, match="aligned"):
        quality_of(np.zeros((100, 112, 3), dtype=np.uint8))


@pytest.mark.parametrize("quality_filter", QualityFilter)
def test_a_good_portrait_passes_every_filter(quality_filter: QualityFilter, portrait: DetectedFace) -> None:
    """Even the highest."""
    assert unindexed_reasons(portrait, quality_filter) == ()
    assert is_good_enough(portrait, quality_filter)


@pytest.mark.parametrize(
    ("face", "reason"),
    [
        (Face(pose=Pose(70, 0, 0)), UnindexedReason.EXTREME_POSE),
        (Face(pose=Pose(-70, 0, 0)), UnindexedReason.EXTREME_POSE),
        (Face(pose=Pose(0, 45, 0)), UnindexedReason.EXTREME_POSE),
        (Face(pose=Pose(0, 170, 0)), UnindexedReason.EXTREME_POSE),
        (Face(quality=Quality(2, 90)), UnindexedReason.LOW_BRIGHTNESS),
        (Face(quality=Quality(50, 10)), UnindexedReason.LOW_SHARPNESS),
        (Face(detection=found(confidence=0.61)), UnindexedReason.LOW_CONFIDENCE),
        (Face(detection=found(side_px=12)), UnindexedReason.SMALL_BOUNDING_BOX),
        (Face(pose=Pose(44, 0, 0), quality=Quality(50, 33)), UnindexedReason.LOW_FACE_QUALITY),
    ],
)
def test_each_fault_has_its_reason(face: Face, reason: UnindexedReason) -> None:
    """One fault gives one reason, and no filter gives none."""
    assert unindexed_reasons(face, QualityFilter.AUTO) == (reason,)
    assert unindexed_reasons(face, QualityFilter.NONE) == ()
    assert not is_good_enough(face, QualityFilter.AUTO)


def test_every_fault_is_named() -> None:
    """A dark, blurred, small profile has four reasons."""
    face = Face(Pose(80, 0, 0), Quality(1, 1), found(side_px=5))

    assert set(unindexed_reasons(face, QualityFilter.LOW)) == {
        UnindexedReason.EXTREME_POSE,
        UnindexedReason.LOW_BRIGHTNESS,
        UnindexedReason.LOW_SHARPNESS,
        UnindexedReason.SMALL_BOUNDING_BOX,
    }


def test_a_tilted_head_is_no_fault() -> None:
    """Alignment undoes roll, so it is not counted against a face, not even upside down."""
    assert unindexed_reasons(Face(pose=Pose(0, 0, 175)), QualityFilter.HIGH) == ()


@given(
    yaw=st.floats(-90, 90),
    pitch=st.floats(-180, 180),
    brightness=st.floats(0, 100),
    sharpness=st.floats(0, 100),
    confidence=st.floats(0, 1),
    side=st.floats(1, 300),
)
def test_filters_rise_from_low_over_auto_and_medium_to_high(
    yaw: float, pitch: float, brightness: float, sharpness: float, confidence: float, side: float
) -> None:
    """What a lower filter refuses, no higher one lets through."""
    face = Face(Pose(yaw, pitch, 0), Quality(brightness, sharpness), found(confidence=confidence, side_px=side))
    filters = (QualityFilter.NONE, QualityFilter.LOW, QualityFilter.AUTO, QualityFilter.MEDIUM, QualityFilter.HIGH)

    refused = [not is_good_enough(face, quality_filter) for quality_filter in filters]

    assert refused == sorted(refused)
