"""A face as a row of the table `faces`, and back."""

import struct

from recognizance.identifiers import FaceId, ImageId, ModelId, SubjectId
from recognizance.records.galleries import OpenGallery
from recognizance.records.packs import PackKey
from recognizance.records.rows import LANDMARK_COUNT, Box, FaceRow, Landmarks, NewFace, Pose, Quality
from recognizance.records.session import Row

_POINTS = struct.Struct(f"<{2 * LANDMARK_COUNT}f")


def face_values(face: NewFace, change: OpenGallery, place: PackKey) -> dict[str, object]:
    pose, quality = face.pose, face.quality
    return {
        "gallery_key": change.key,
        "face_id": face.face_id,
        "image_id": face.image_id,
        "subject_id": None,
        "pack_key": place,
        "added_version": change.version,
        "created": face.created,
        "box_left": face.box.left,
        "box_top": face.box.top,
        "box_width": face.box.width,
        "box_height": face.box.height,
        "confidence": face.confidence,
        "landmarks": None if face.landmarks is None else _POINTS.pack(*(v for point in face.landmarks for v in point)),
        "yaw_deg": None if pose is None else pose.yaw_deg,
        "pitch_deg": None if pose is None else pose.pitch_deg,
        "roll_deg": None if pose is None else pose.roll_deg,
        "brightness": None if quality is None else quality.brightness,
        "sharpness": None if quality is None else quality.sharpness,
    }


def face_row(row: Row, model: str) -> FaceRow:
    return FaceRow(
        face_id=FaceId(row.face_id),
        image_id=ImageId(row.image_id),
        external_image_id=row.external_image_id,
        image_sha256=row.sha256,
        subject=None if row.subject_id is None else SubjectId(row.subject_id),
        model=ModelId(model),
        box=Box(row.box_left, row.box_top, row.box_width, row.box_height),
        confidence=row.confidence,
        created=row.created,
        landmarks=None if row.landmarks is None else _points(row.landmarks),
        pose=None if row.yaw_deg is None else Pose(row.yaw_deg, row.pitch_deg, row.roll_deg),
        quality=None if row.brightness is None else Quality(row.brightness, row.sharpness),
    )


def _points(packed: bytes) -> Landmarks:
    values = _POINTS.unpack(packed)
    return tuple(zip(values[::2], values[1::2], strict=True))
