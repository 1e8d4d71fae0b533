"""Pixels to templates."""

from recognizance.faces.alignment import AlignedFace, Landmarks
from recognizance.faces.detection import MAX_FACES, Detection, Detector
from recognizance.faces.headers import ImageFormat
from recognizance.faces.image import (
    DEFAULT_LIMITS,
    ImageLimits,
    Photograph,
    RgbPixels,
    open_photograph,
)
from recognizance.faces.manifest import Model, ModelKind
from recognizance.faces.models import FileState, ModelStore
from recognizance.faces.quality import Pose, Quality, pose_of, quality_of
from recognizance.faces.reader import DetectedFace, FaceReader, open_reader
from recognizance.faces.templates import Recogniser, Template, Templates

__all__ = [
    "DEFAULT_LIMITS",
    "MAX_FACES",
    "AlignedFace",
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
    "Recogniser",
    "RgbPixels",
    "Template",
    "Templates",
    "open_photograph",
    "open_reader",
    "pose_of",
    "quality_of",
]
