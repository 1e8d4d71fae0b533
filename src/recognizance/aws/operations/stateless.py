"""DetectFaces and CompareFaces: answered and forgotten."""

from collections.abc import Mapping

from recognizance.aws.dispatch import Call, Handler
from recognizance.aws.images import ImageSource
from recognizance.aws.operations.details import detected_box, face_detail, face_details
from recognizance.aws.operations.faces import DEFAULT_THRESHOLD_PCT, quality_filter_of
from recognizance.aws.shapes import Answer, Members
from recognizance.errors import InputError
from recognizance.faces import QualityFilter
from recognizance.governance import SearchFacts
from recognizance.governance.purposes import Capture
from recognizance.oneshot import OneShot
from recognizance.permits import Action


class StatelessOperations:
    """What is asked about pictures alone."""

    def __init__(self, oneshot: OneShot, images: ImageSource) -> None:
        self._oneshot = oneshot
        self._images = images

    def handlers(self) -> dict[str, Handler]:
        return {"DetectFaces": self._detect, "CompareFaces": self._compare}

    def _detect(self, request: Members, call: Call) -> Mapping[str, Answer]:
        permit = call.permit(Action.DETECT)
        photograph = self._images.open(request, "Image", permit)
        faces = self._oneshot.detect(photograph, permit=permit)
        return {"FaceDetails": face_details(faces, photograph.size_hw)}

    def _compare(self, request: Members, call: Call) -> Mapping[str, Answer]:
        threshold_pct = request.number("SimilarityThreshold", default=DEFAULT_THRESHOLD_PCT)
        # Whoever is compared is in the second picture; no gallery gives candidates.
        asked = SearchFacts(None, Capture.STILL, threshold_pct, candidates=1)
        permit = call.permit(Action.COMPARE, search=asked)
        source = self._images.open(request, "SourceImage", permit)
        target = self._images.open(request, "TargetImage", permit)
        comparison = self._oneshot.compare(
            source,
            target,
            threshold_pct=threshold_pct,
            quality_filter=quality_filter_of(request, default=QualityFilter.NONE),
            permit=permit,
        )
        if comparison.source is None:
            raise InputError("there are no faces in the source image that pass the quality filter")
        if not comparison.matched and not comparison.unmatched:
            raise InputError("there are no faces in the target image that pass the quality filter")
        return {
            "SourceImageFace": detected_box(comparison.source, source.size_hw),
            "FaceMatches": [
                {"Similarity": match.similarity_pct, "Face": face_detail(match.face, target.size_hw)}
                for match in comparison.matched
            ],
            "UnmatchedFaces": face_details(comparison.unmatched, target.size_hw),
        }
