"""What a face's picture is worth: its pose, brightness and sharpness, and whether it is good enough to enrol.

Numbers have Rekognition's names, ranges and signs. Its signs are not documented; they follow from the example answers
that AWS publishes with its service model, which hold landmarks beside angles (tests/faces/test_quality.py has them).
Pure: no I/O, no state. Must never look at who a face could be, or guess anything about the person.

The gates' thresholds and the measurements behind them are in docs/decisions/0005-quality-gates.md.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizance.faces.alignment import ALIGNED_PX, AlignedFace, Landmarks
from recognizance.faces.detection import Detection

FACE_MODEL: NDArray[np.float64] = np.array(
    [
        (-0.5, 0.0, 0.0),
        (0.5, 0.0, 0.0),
        (0.0, 0.567, -0.455),
        (-0.414, 1.025, 0.084),
        (0.414, 1.025, 0.084),
    ]
)
"""The five landmarks of a generic face that looks into the camera, in distances between the eyes.

x to the image's right, y down, z away from the camera, so that the nose tip, which is nearest, has the least z. The
shape is the one that fits YuNet's landmarks of 5,150 faces best (median residual 0.043 of the distance between the
eyes); "into the camera" is their median pitch. It gives AWS's published examples within 1.3 degrees of yaw and 4.2 of
pitch.
"""
FACE_MODEL.setflags(write=False)


class UnindexedReason(StrEnum):
    """Why a face that was found was not enrolled, in Rekognition's words."""

    EXCEEDS_MAX_FACES = "EXCEEDS_MAX_FACES"
    EXTREME_POSE = "EXTREME_POSE"
    LOW_BRIGHTNESS = "LOW_BRIGHTNESS"
    LOW_SHARPNESS = "LOW_SHARPNESS"
    LOW_CONFIDENCE = "LOW_CONFIDENCE"
    SMALL_BOUNDING_BOX = "SMALL_BOUNDING_BOX"
    LOW_FACE_QUALITY = "LOW_FACE_QUALITY"


class QualityFilter(StrEnum):
    """How good a face has to be, in Rekognition's words. `AUTO` lies between `LOW` and `MEDIUM`."""

    NONE = "NONE"
    AUTO = "AUTO"
    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


@dataclass(frozen=True, slots=True)
class Pose:
    """How a head is turned, in degrees; all three are 0 for a face that looks straight into the camera.

    Attributes:
        yaw_deg: -90 to 90; positive when the face looks to the image's right.
        pitch_deg: -180 to 180; positive when it looks up.
        roll_deg: -180 to 180; positive when the head is tilted clockwise in the image. The line between the eyes is
            at this angle whatever the other two are.
    """

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


@dataclass(frozen=True, slots=True)
class Quality:
    """Both 0 to 100.

    Attributes:
        brightness: The mean luma of the face.
        sharpness: How much fine detail the face has beside its coarse detail; see `quality_of`.
    """

    brightness: float
    sharpness: float


def pose_of(landmarks_px: Landmarks) -> Pose:
    """Estimate the pose from five points, under a camera that is far away (scaled orthography).

    The affine camera that fits `FACE_MODEL` to the points best is brought to the nearest scaled rotation; this is the
    first step of POS (DeMenthon and Davis, Model-based object pose in 25 lines of code, IJCV 15, 1995). The rotation is
    read as roll after yaw after pitch: R = Rz(roll)·Ry(yaw)·Rx(pitch).

    Faces differ from the model, and expressions move the mouth, so expect errors of about ten degrees in pitch and
    five in yaw. A face in full profile is not told from one at about 70 degrees.

    Raises:
        ValueError: If the points are not (5, 2) and finite.
    """
    if landmarks_px.shape != (5, 2) or not np.isfinite(landmarks_px).all():
        raise ValueError("landmarks have to be (5, 2) and finite")
    points = landmarks_px.astype(np.float64)
    affine = (_MODEL_INVERSE @ (points - points.mean(axis=0))).T
    left, _, right = np.linalg.svd(affine, full_matrices=False)
    across, down = left @ right
    ahead = np.cross(across, down)
    # Row 2 of R is (sin yaw, -cos yaw·sin pitch, cos yaw·cos pitch); its column 0 begins cos yaw·(cos roll, sin roll).
    return Pose(
        yaw_deg=float(np.degrees(np.arcsin(np.clip(ahead[0], -1.0, 1.0)))),
        pitch_deg=float(np.degrees(np.arctan2(-ahead[1], ahead[2]))),
        roll_deg=float(np.degrees(np.arctan2(down[0], across[0]))),
    )


def quality_of(aligned: AlignedFace) -> Quality:
    """Judge the pixels that a recogniser will see.

    Sharpness compares the energy of the finest detail with that of detail four times as coarse, so neither contrast nor
    light changes it: `detail_ratio` on a logarithmic scale. It is what the recogniser sees: a tiny face that was
    enlarged is as blurred as a large one out of focus, and a large blurred face that was reduced is sharp. Grain counts
    as detail. Half of the 5,150 test faces have more than 94, and one in a thousand has less than 45; at 25 a fifth of
    the mated comparisons fail.

    A face so blurred that its coarse detail is gone too has nothing left but grain, which would count as detail; so the
    result is reduced as coarse detail falls behind what is coarser still. None of the test faces is affected.

    Raises:
        ValueError: If the face is not (112, 112, 3) uint8.
    """
    if aligned.shape != (ALIGNED_PX, ALIGNED_PX, 3) or aligned.dtype != np.uint8:
        raise ValueError(f"an aligned face is ({ALIGNED_PX}, {ALIGNED_PX}, 3) uint8")
    luma = cv2.cvtColor(aligned, cv2.COLOR_RGB2GRAY).astype(np.float32)
    brightness = float(luma[_FACE_ROWS, _FACE_COLUMNS].mean()) / 2.55
    return Quality(brightness=brightness, sharpness=_sharpness_of(detail_ratio(luma)) * _structure(luma))


def detail_ratio(luma: NDArray[np.float32]) -> float:
    """The energy of fine detail over that of coarse detail, within the face; above 0.

    Fine is what a Gaussian of one pixel takes away; coarse is what lies between Gaussians of two and of four.
    """
    scales = [luma, *(cv2.GaussianBlur(luma, (0, 0), sigma) for sigma in (1.0, 2.0, 4.0))]
    face = [scale[_FACE_ROWS, _FACE_COLUMNS] for scale in scales]
    fine = float(np.square(face[0] - face[1]).mean())
    coarse = float(np.square(face[2] - face[3]).mean())
    # One grey level, squared, keeps an empty picture from dividing by zero and from counting as sharp.
    return (fine + 1e-6) / (coarse + 1.0)


class JudgedFace(Protocol):
    """What the gates look at; `reader.DetectedFace` is one."""

    @property
    def detection(self) -> Detection: ...
    @property
    def pose(self) -> Pose: ...
    @property
    def quality(self) -> Quality: ...


def is_good_enough(face: JudgedFace, quality_filter: QualityFilter) -> bool:
    """Whether `unindexed_reasons` has nothing to say."""
    return not unindexed_reasons(face, quality_filter)


def unindexed_reasons(face: JudgedFace, quality_filter: QualityFilter) -> tuple[UnindexedReason, ...]:
    """Say why a face is not good enough to enrol; nothing if it is, and for `NONE`.

    `LOW_FACE_QUALITY` stands alone, for a face that passes each limit but comes within a quarter of two or more: blur
    and darkness together do what neither does alone. `EXCEEDS_MAX_FACES` is never among them, because it is no property
    of the face. A tilted head is no fault, because alignment undoes it.
    """
    if quality_filter is QualityFilter.NONE:
        return ()
    limits = _LIMITS[quality_filter]
    left, top, right, bottom = (float(side) for side in face.detection.box_xyxy_px)
    # Each is at least 1 where the limit is kept.
    margins = {
        UnindexedReason.EXTREME_POSE: min(
            limits.yaw_deg / max(abs(face.pose.yaw_deg), _LEAST_DEG),
            limits.pitch_deg / max(abs(face.pose.pitch_deg), _LEAST_DEG),
        ),
        UnindexedReason.LOW_BRIGHTNESS: face.quality.brightness / limits.brightness,
        UnindexedReason.LOW_SHARPNESS: face.quality.sharpness / limits.sharpness,
        UnindexedReason.LOW_CONFIDENCE: face.detection.confidence / limits.confidence,
        UnindexedReason.SMALL_BOUNDING_BOX: min(right - left, bottom - top) / limits.side_px,
    }
    failed = tuple(reason for reason, margin in margins.items() if margin < 1.0)
    if failed:
        return failed
    # Confidence has no such margin: most good faces lie within a quarter of every useful limit.
    close = [reason for reason, margin in margins.items() if margin < _CLOSE and reason not in _UNGRADED]
    return (UnindexedReason.LOW_FACE_QUALITY,) if len(close) > 1 else ()


def _structure(luma: NDArray[np.float32]) -> float:
    """1 for a face with features, 0 for a smear: detail from two to four pixels beside that from four to eight."""
    scales = [cv2.GaussianBlur(luma, (0, 0), sigma)[_FACE_ROWS, _FACE_COLUMNS] for sigma in (2.0, 4.0, 8.0)]
    detail = float(np.square(scales[0] - scales[1]).mean())
    shape = float(np.square(scales[1] - scales[2]).mean())
    low, high = _STRUCTURE_RANGE
    return float(np.clip((np.log10((detail + 1e-6) / (shape + 1.0)) - low) / (high - low), 0.0, 1.0))


@dataclass(frozen=True, slots=True)
class _Limits:
    """What a face has to have; the largest angles, and the least of everything else."""

    yaw_deg: float
    pitch_deg: float
    brightness: float
    sharpness: float
    confidence: float
    side_px: float


# Decision 0005 has the failures that each limit was read from.
_LIMITS = {
    QualityFilter.LOW: _Limits(60.0, 40.0, 5.0, 20.0, 0.65, 16.0),
    QualityFilter.AUTO: _Limits(50.0, 30.0, 8.0, 28.0, 0.70, 20.0),
    QualityFilter.MEDIUM: _Limits(40.0, 25.0, 15.0, 45.0, 0.80, 32.0),
    QualityFilter.HIGH: _Limits(25.0, 15.0, 22.0, 65.0, 0.87, 48.0),
}

_CLOSE = 1.25
_LEAST_DEG = 0.1
"""Keeps a straight look from dividing by zero."""

_UNGRADED = frozenset({UnindexedReason.LOW_CONFIDENCE})


def _sharpness_of(ratio: float) -> float:
    """Spread the useful range over 0 to 100: at 0 nothing is left of a face, at 100 it is a good portrait."""
    low, high = _DETAIL_RANGE
    return float(np.clip(100.0 * (np.log10(ratio) - low) / (high - low), 0.0, 100.0))


_DETAIL_RANGE = (-1.9, -0.5)
"""log10 of the detail ratio: blurred with a Gaussian of 5 px of 112, and one in four of the test faces."""

_STRUCTURE_RANGE = (-1.0, -0.47)
"""log10: a portrait blurred with a Gaussian of 7 px of its 90, and the least of 500 test faces."""

_FACE_ROWS, _FACE_COLUMNS = slice(34, 104), slice(24, 88)
"""From the brows to below the mouth, without hair and background."""

_MODEL_INVERSE = np.linalg.pinv(FACE_MODEL - FACE_MODEL.mean(axis=0))
