"""Photographs to templates: the parts of this folder put together, once.

`FaceReader` finds faces, judges and aligns them, and turns those that are asked for into templates. Finding and making
templates are two calls, because a face that is not wanted must not cost a template: principle 6, faces that were not
asked for are never stored, begins with not making one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recognizance.config import Runtime
from recognizance.errors import InputError
from recognizance.faces.alignment import AlignedFace, align, source_px_per_aligned_px
from recognizance.faces.detection import WIDEST_VIEW_PX, Detection, Detector, YuNetDetector
from recognizance.faces.image import Photograph
from recognizance.faces.manifest import Model, ModelKind
from recognizance.faces.models import ModelStore
from recognizance.faces.networks import Network, load_network
from recognizance.faces.quality import Pose, Quality, pose_of, quality_of
from recognizance.faces.templates import NetworkRecogniser, Recogniser, Templates
from recognizance.identifiers import ModelId
from recognizance.permits import Permit

DEFAULT_DETECTOR = "yunet-2023mar"
DEFAULT_RECOGNISER = "sface-2021dec"


@dataclass(frozen=True, slots=True, eq=False)
class DetectedFace:
    """A face found, judged, and cut out for a recogniser."""

    detection: Detection
    pose: Pose
    quality: Quality
    aligned: AlignedFace


class FaceReader:
    """Photographs in, templates out. Safe to share between threads."""

    def __init__(self, detector: Detector, recogniser: Recogniser) -> None:
        self._detector = detector
        self._recogniser = recogniser

    @property
    def model(self) -> ModelId:
        """The recogniser's; every template of this reader belongs to it."""
        return self._recogniser.model

    @property
    def dimension(self) -> int:
        return self._recogniser.dimension

    def detect(self, photograph: Photograph, permit: Permit) -> tuple[DetectedFace, ...]:
        """Find, judge and align every face, the largest first, at most `detection.MAX_FACES`.

        Raises:
            DeniedError: If the permit covers no act that looks at faces.
            ImageError: If the photograph's pixels can't be decoded.
        """
        return tuple(_cut_out(photograph, detection) for detection in self._detector.detect(photograph, permit))

    def templates(self, faces: Sequence[DetectedFace], permit: Permit) -> Templates:
        """Make one template for each face, in order. Raises as `Recogniser.templates` does."""
        return self._recogniser.templates([face.aligned for face in faces], permit)


def open_reader(
    store: ModelStore | None = None,
    *,
    recogniser: str = DEFAULT_RECOGNISER,
    runtime: Runtime = Runtime.OPENVINO,
    threads: int = 1,
    providers: Sequence[str] = (),
    widest_view_px: int = WIDEST_VIEW_PX,
) -> FaceReader:
    """Load the models and build a reader. Takes about a second.

    Args:
        store: The installation's models; the built-in ones when `None`.
        recogniser: Its name in the manifest.
        threads: How many images or faces each network works on at once, each on one thread.
        providers: For ONNX Runtime; see `networks.load_network`.
        widest_view_px: How closely a large photograph is looked at; see `detection.YuNetDetector`.

    Raises:
        NotFoundError: If there is no such model, or its file is absent.
        CorruptionError: If a file isn't the one that the manifest states.
        InputError: If the model isn't a recogniser, or the runtime can't run it.
    """
    # Reading ONNX takes longer to load than all the rest of this folder, which also those use who load no network.
    from recognizance.faces.weights import fold

    models = store or ModelStore(None)
    wanted = models.model(recogniser)
    if wanted.kind is not ModelKind.RECOGNISER:
        raise InputError(f"the model {recogniser!r} is a {wanted.kind}, not a recogniser")
    finder = models.model(DEFAULT_DETECTOR)

    def load(model: Model) -> Network:
        graph = fold(models.read(model), model.geometry, model.output_names)
        return load_network(graph, runtime=runtime, threads=threads, providers=providers)

    detector = YuNetDetector(finder, load(finder), widest_view_px=widest_view_px)
    return FaceReader(detector, NetworkRecogniser(wanted, load(wanted)))


def _cut_out(photograph: Photograph, detection: Detection) -> DetectedFace:
    """Align a face from the scale it was found in, or a finer one if that has no pixel for each of the result's."""
    landmarks_px = detection.landmarks_px
    needed_px = max(photograph.size_hw) / source_px_per_aligned_px(landmarks_px)
    scaled = photograph.scaled(long_side_px=max(int(needed_px), WIDEST_VIEW_PX))
    first_px = scaled.to_full_px(np.zeros(2, dtype=np.float32))
    aligned = align(scaled.rgb, (landmarks_px - first_px) / np.float32(scaled.factor))
    return DetectedFace(detection, pose_of(landmarks_px), quality_of(aligned), aligned)
