"""Faces as Rekognition's shapes describe them.

Only what is measured is said: where a face is, how it is turned, how sharp and bright it is. Age, gender, emotions,
beards, glasses and the like are never guessed, so these members are absent whatever `Attributes` asks for.

Boxes and points are ratios of the upright image. Left and right are the image's, as in Rekognition's own answers: in a
portrait `eyeLeft` has the smaller X, and is the subject's right eye.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from recognizance.aws.shapes import Answer
from recognizance.enrolling.enrolment import box_of
from recognizance.faces import DetectedFace
from recognizance.identifiers import ModelId
from recognizance.records import Box, FaceRow

# In the order of `recognizance.faces.Landmarks`.
LANDMARK_TYPES = ("eyeLeft", "eyeRight", "nose", "mouthLeft", "mouthRight")


def bounding_box(box: Box) -> dict[str, Answer]:
    return {"Width": box.width, "Height": box.height, "Left": box.left, "Top": box.top}


def detected_box(face: DetectedFace, size_hw: tuple[int, int]) -> dict[str, Answer]:
    """Where a face is, and how sure the detector is of that."""
    return {
        "BoundingBox": bounding_box(box_of(face, size_hw)),
        "Confidence": confidence_pct(face.detection.confidence),
    }


def face_detail(face: DetectedFace, size_hw: tuple[int, int]) -> dict[str, Answer]:
    """A `FaceDetail`; also all that a `ComparedFace` holds."""
    height, width = size_hw
    points = face.detection.landmarks_px / np.array([width, height], dtype=np.float32)
    return {
        **detected_box(face, size_hw),
        "Landmarks": [
            {"Type": kind, "X": float(x), "Y": float(y)} for kind, (x, y) in zip(LANDMARK_TYPES, points, strict=True)
        ],
        "Pose": {"Roll": face.pose.roll_deg, "Yaw": face.pose.yaw_deg, "Pitch": face.pose.pitch_deg},
        "Quality": {"Brightness": face.quality.brightness, "Sharpness": face.quality.sharpness},
    }


def face_details(faces: Iterable[DetectedFace], size_hw: tuple[int, int]) -> Sequence[Answer]:
    return [face_detail(face, size_hw) for face in faces]


def stored_face(row: FaceRow) -> dict[str, Answer]:
    """A `Face`: what is known of an enrolled face."""
    face: dict[str, Answer] = {
        "FaceId": row.face_id,
        "BoundingBox": bounding_box(row.box),
        "ImageId": row.image_id,
        "Confidence": confidence_pct(row.confidence),
        "IndexFacesModelVersion": numeric_version(row.model),
    }
    if row.external_image_id is not None:
        face["ExternalImageId"] = row.external_image_id
    if row.subject is not None:
        face["UserId"] = row.subject
    return face


def confidence_pct(confidence: float) -> float:
    return 100.0 * confidence


def numeric_version(model: ModelId) -> str:
    """Say a model's identity in digits, which is all that `IndexFacesModelVersion` allows.

    The 16 hexadecimal digits of its file's hash, as a decimal number: two versions are equal if the files are.

    >>> numeric_version(ModelId("sface-2021dec@fb143eea07838aa5"))
    '18092154777923455653'
    """
    return str(int(model.rpartition("@")[2], 16))
