"""Pixels to templates."""

from recognizance.faces.alignment import AlignedFace, Landmarks
from recognizance.faces.calibration import Calibration, load_calibration, parse_calibration, table_name
from recognizance.faces.detection import MAX_FACES, Detection, Detector
from recognizance.faces.headers import ImageFormat, image_format
from recognizance.faces.image import (
    DEFAULT_LIMITS,
    ImageLimits,
    Photograph,
    RgbPixels,
    open_photograph,
)
from recognizance.faces.manifest import Model, ModelKind
from recognizance.faces.models import FileState, ModelStore
from recognizance.faces.quality import (
    Pose,
    Quality,
    QualityFilter,
    UnindexedReason,
    is_good_enough,
    pose_of,
    quality_of,
    unindexed_reasons,
)
from recognizance.faces.reader import DEFAULT_DETECTOR, DEFAULT_RECOGNISER, DetectedFace, FaceReader, open_reader
from recognizance.faces.templates import Recogniser, Template, Templates

__all__ = [
    "DEFAULT_DETECTOR",
    "DEFAULT_LIMITS",
    "DEFAULT_RECOGNISER",
    "MAX_FACES",
    "AlignedFace",
    "Calibration",
    "DetectedFace",
    "Detection",
    "Detector",
    "FaceReader",
    "FileState",
    "ImageFormat",
    "ImageLimits",
    "Landmarks",
    "Model",
    "ModelKind",
    "ModelStore",
    "Photograph",
    "Pose",
    "Quality",
    "QualityFilter",
    "Recogniser",
    "RgbPixels",
    "Template",
    "Templates",
    "UnindexedReason",
    "image_format",
    "is_good_enough",
    "load_calibration",
    "open_photograph",
    "open_reader",
    "parse_calibration",
    "pose_of",
    "quality_of",
    "table_name",
    "unindexed_reasons",
]
