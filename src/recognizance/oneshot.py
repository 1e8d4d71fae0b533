"""Questions about pictures alone: which faces are in one, and whether a face of one is in another. Nothing is kept."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from recognizance.docket import counting
from recognizance.faces import Calibration, DetectedFace, FaceReader, Photograph, QualityFilter, is_good_enough
from recognizance.gallery import scores
from recognizance.permits import Action, Permit
from recognizance.recording import Before, Maker, Recorder, acts


@dataclass(frozen=True, slots=True)
class ComparedFace:
    """A face of the target, and how similar it is to the source's.

    Attributes:
        similarity_pct: 0 to 100; docs/similarity.md says what it means.
    """

    face: DetectedFace
    similarity_pct: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """One photograph's largest face against every face of another.

    Attributes:
        source: `None` if the source shows no face that passes the quality filter; then the rest is empty.
        matched: At or above the threshold, most similar first.
        unmatched: The target's other faces, largest first.
    """

    source: DetectedFace | None
    matched: tuple[ComparedFace, ...]
    unmatched: tuple[DetectedFace, ...]


class OneShot:
    """Detection and comparison of pictures that are given with the question and forgotten with the answer.

    Args:
        recorder: `None` where there is no installation, and so no record; a service always has one.
    """

    def __init__(self, reader: FaceReader, calibration: Calibration, *, recorder: Recorder | None) -> None:
        self._recorder = recorder
        self._reader = reader
        self._calibration = calibration

    def detect(self, photograph: Photograph, *, permit: Permit) -> tuple[DetectedFace, ...]:
        """Every face, largest first, at most 100."""
        permit.require(Action.DETECT)
        with self._attempting(permit, Action.DETECT):
            faces = self._reader.detect(photograph, permit)
            self._record(acts.detection(permit, faces=len(faces), image_sha256=photograph.sha256))
        return faces

    def compare(
        self,
        source: Photograph,
        target: Photograph,
        *,
        threshold_pct: float,
        quality_filter: QualityFilter,
        permit: Permit,
    ) -> Comparison:
        """Compare the source's largest face with every face of the target.

        There is no gallery here, so the threshold is the caller's own: its false match rate holds for one comparison.
        Each face of the target takes one of the use's searches of the day: a page of a hundred portraits is a gallery.

        Args:
            threshold_pct: 0 to 100; a similarity equal to it matches.
            quality_filter: Faces of either photograph that don't pass it are left out.

        Raises:
            DeniedError: If the use has fewer searches left today than there are faces.
        """
        permit.require(Action.COMPARE)
        with self._attempting(permit, Action.COMPARE):
            comparison = self._compared(source, target, threshold_pct, quality_filter, permit)
            compared = acts.comparison(
                permit,
                model=self._reader.model,
                threshold=self._calibration.score_at_pct(threshold_pct),
                probe=(source.sha256, target.sha256),
                similarities_pct=[face.similarity_pct for face in comparison.matched],
                matches=len(comparison.matched),
            )
            faces = len(comparison.matched) + len(comparison.unmatched)
            self._record(compared, before=counting(permit, pictures=max(faces, 1)))
        return comparison

    def _attempting(self, permit: Permit, action: Action) -> AbstractContextManager[None]:
        return nullcontext() if self._recorder is None else self._recorder.attempting(permit, action)

    def _record(self, make: Maker, *, before: Before | None = None) -> None:
        if self._recorder is not None:
            self._recorder.record(make, before=before)

    def _compared(
        self,
        source: Photograph,
        target: Photograph,
        threshold_pct: float,
        quality_filter: QualityFilter,
        permit: Permit,
    ) -> Comparison:
        found = self._reader.detect(source, permit)
        probe = next((face for face in found if is_good_enough(face, quality_filter)), None)
        if probe is None:
            return Comparison(source=None, matched=(), unmatched=())
        targets = [face for face in self._reader.detect(target, permit) if is_good_enough(face, quality_filter)]
        if not targets:
            return Comparison(source=probe, matched=(), unmatched=())
        templates = self._reader.templates([probe, *targets], permit)
        similarities = [self._calibration.similarity_pct(float(score)) for score in scores(templates[0], templates[1:])]
        compared = [ComparedFace(face, similarity) for face, similarity in zip(targets, similarities, strict=True)]
        # `sorted` is stable, so equals stay in order of size.
        matched = sorted((c for c in compared if c.similarity_pct >= threshold_pct), key=lambda c: -c.similarity_pct)
        unmatched = tuple(c.face for c in compared if c.similarity_pct < threshold_pct)
        return Comparison(source=probe, matched=tuple(matched), unmatched=unmatched)
