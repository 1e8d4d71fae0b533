"""Our own pipeline as an engine: the reader and the scores of the service, in this process, without a server.

The same code that answers a search reads the pictures and scores the templates, so what is measured is what is
answered. Any recogniser of the installation's model manifest can be measured, and one that has no calibration yet only
on the cosine's own scale, because nobody could say what its similarity means.

Templates are kept in the cache (evaluation/cache.py), never pictures. Every function works under a permit to measure.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib import metadata, resources
from itertools import islice

import numpy as np

from recognizance.errors import ImageError, ImageTooLargeError, InputError
from recognizance.evaluation.cache import Cache, content_key
from recognizance.evaluation.engines import COSINE_ENDS, PCT_ENDS, Acquisition, EngineIdentity, Scores, Searching
from recognizance.evaluation.protocols import Mask, Numbers
from recognizance.evaluation.results import Scale
from recognizance.evaluation.testset import Progress, TestSet, silent
from recognizance.faces import (
    Calibration,
    FaceReader,
    QualityFilter,
    Template,
    Templates,
    is_good_enough,
    open_photograph,
)
from recognizance.gallery.matrix import ScoreMatrix
from recognizance.permits import Action, Permit

DEFAULT_PCT = 80.0
"""What a search takes when it isn't told, here as at Rekognition."""

FOUND, NO_FACE, UNREADABLE, LOW_QUALITY = range(4)
_REASONS = {NO_FACE: "no face", UNREADABLE: "unreadable picture", LOW_QUALITY: "no face of that quality"}
_MEANING = "calibration.py"
_BATCH = 32
"""Pictures between two writes to the cache: what a kill can cost."""
_AHEAD = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSettings:
    """How our pipeline is measured.

    Attributes:
        scale: The cosine, or Rekognition's similarity.
        quality: What a face has to pass, enrolled or searched for; `NONE` leaves nothing out.
        max_fpir: How a search's threshold follows the gallery's size, as the setting of that name; 1 switches it off.
        reading: What else templates depend on: runtime, detector's view.
        model_sha256: Of the recogniser's file.
    """

    scale: Scale = Scale.COSINE
    quality: QualityFilter = QualityFilter.NONE
    max_fpir: float = 1.0
    reading: str = ""
    model_sha256: str | None = None


class LocalEngine:
    """Our reader and scores, as an `Engine`.

    Args:
        calibration: `None` for a recogniser that has no table.
        workers: Share the reading and the scoring.

    Raises:
        DeniedError: If the permit doesn't cover measuring.
        InputError: If similarities are asked for and the recogniser has no table.
    """

    def __init__(
        self,
        test_set: TestSet,
        reader: FaceReader,
        calibration: Calibration | None,
        permit: Permit,
        cache: Cache,
        *,
        settings: LocalSettings | None = None,
        workers: Executor,
    ) -> None:
        permit.require(Action.MEASURE)
        self._settings = settings or LocalSettings()
        if calibration is None and self._settings.scale is Scale.SIMILARITY_PCT:
            raise InputError(f"the recogniser {reader.model!r} has no calibration: measure it on the cosine's scale")
        self._set, self._reader, self._calibration = test_set, reader, calibration
        self._permit, self._workers = permit, workers
        self._templates: Templates = np.zeros((len(test_set), reader.dimension), dtype=np.float32)
        self._states = np.full(len(test_set), -1, dtype=np.int8)
        identity = f"{reader.model}\n{pipeline_sha256()}\n{self._settings.quality}\n{self._settings.reading}"
        self._store = cache.store("templates", identity, value_bytes=1 + 4 * reader.dimension)

    @property
    def identity(self) -> EngineIdentity:
        settings = self._settings
        return EngineIdentity(
            name="in process",
            version=metadata.version("recognizance"),
            model=str(self._reader.model),
            model_sha256=settings.model_sha256,
            endpoint=None,
            scale=settings.scale,
            ends=COSINE_ENDS if settings.scale is Scale.COSINE else PCT_ENDS,
            settings=(
                ("quality filter", settings.quality.value),
                ("max_fpir", f"{settings.max_fpir:g}"),
                ("reading", settings.reading or "default"),
                ("pipeline", pipeline_sha256()[:16]),
            ),
        )

    def acquire(self, samples: Numbers, progress: Progress = silent) -> Acquisition:
        """Read pictures that weren't read before, some at a time; see `Engine.acquire`."""
        missing = [int(number) for number in samples if self._states[number] < 0 and not self._take_kept(int(number))]
        progress(len(samples) - len(missing))
        batch: dict[bytes, bytes] = {}
        for number, state, template in self._read_all(missing):
            self._states[number], self._templates[number] = state, template
            batch[self._key(number)] = bytes([state]) + template.tobytes()
            if len(batch) >= _BATCH:
                self._store.put(batch)
                batch = {}
            progress(1)
        self._store.put(batch)
        asked = [int(number) for number in samples]
        found = np.zeros(len(self._set), dtype=np.bool_)
        found[asked] = self._states[asked] == FOUND
        reasons = tuple((number, _REASONS[int(self._states[number])]) for number in asked if not found[number])
        return Acquisition(found, reasons)

    def scores(
        self, rows: Numbers, columns: Numbers, compared: Mask | None = None, progress: Progress = silent
    ) -> Scores:
        """Score all of the block: here a score that isn't wanted costs less than leaving it out."""
        cosines = self._cosines(rows, columns)
        progress(int(rows.size * columns.size if compared is None else compared.sum()))
        return self._on_scale(cosines)

    @contextmanager
    def gallery(self, samples: Numbers, progress: Progress = silent) -> Iterator[Searching]:
        self.acquire(samples, progress)
        yield _LocalGallery(samples, self._states[samples] == FOUND, self._search)

    def score_at_pct(self, similarity_pct: float) -> float | None:
        if self._settings.scale is Scale.SIMILARITY_PCT:
            return similarity_pct
        return None if self._calibration is None else self._calibration.score_at_pct(similarity_pct)

    def cosine(self, score: float) -> float | None:
        if self._settings.scale is Scale.COSINE or self._calibration is None:
            return score
        return self._calibration.score_at_pct(min(max(score, 0.0), 100.0))

    def default_threshold(self, gallery_faces: int) -> float | None:
        return self.accepted_from(DEFAULT_PCT, gallery_faces)

    def accepted_from(self, similarity_pct: float, gallery_faces: int) -> float | None:
        if self._calibration is None:
            return None
        floor = self._calibration.operating_score(
            similarity_pct, gallery_size=max(gallery_faces, 1), max_fpir=self._settings.max_fpir
        )
        return floor if self._settings.scale is Scale.COSINE else self._calibration.similarity_pct(floor)

    def _search(self, probes: Numbers, gallery: Numbers, threshold: float | None, progress: Progress) -> Scores:
        cosines = self._cosines(probes, gallery)
        floor = self._operating_score(gallery, threshold)
        scored = self._on_scale(cosines)
        # NaN stays: nothing is below it.
        scored[cosines < floor] = -np.inf
        progress(len(probes))
        return scored

    def _operating_score(self, gallery: Numbers, threshold: float | None) -> float:
        """The cosine that a candidate has to reach, as `Search` has it for a gallery of these faces."""
        if self._calibration is None:
            if threshold is None:
                raise InputError(
                    f"the recogniser {self._reader.model!r} has no calibration, and so no default threshold"
                )
            return threshold
        if threshold is None:
            requested_pct = DEFAULT_PCT
        elif self._settings.scale is Scale.SIMILARITY_PCT:
            requested_pct = threshold
        else:
            requested_pct = self._calibration.similarity_pct(threshold)
        # The same picture under the same name is enrolled once.
        faces = {self._set.image_sha256[number] for number in gallery if self._states[number] == FOUND}
        floor = self._calibration.operating_score(
            requested_pct, gallery_size=max(len(faces), 1), max_fpir=self._settings.max_fpir
        )
        if threshold is not None and self._settings.scale is Scale.COSINE and self._settings.max_fpir == 1.0:
            return threshold  # without the way over similarities, which flattens the lowest scores
        return floor

    def _cosines(self, rows: Numbers, columns: Numbers) -> Scores:
        self.acquire(np.union1d(rows, columns).astype(np.int32))
        matrix = ScoreMatrix(self._templates[columns], workers=self._workers)
        cosines = matrix.scores(self._templates[rows], self._permit)
        cosines[self._states[rows] != FOUND] = np.nan
        cosines[:, self._states[columns] != FOUND] = np.nan
        return cosines

    def _on_scale(self, cosines: Scores) -> Scores:
        if self._settings.scale is Scale.COSINE or self._calibration is None:
            return cosines.copy()
        return self._calibration.similarities_pct(cosines).astype(np.float32)

    def _key(self, number: int) -> bytes:
        return content_key(self._set.image_sha256[number])

    def _take_kept(self, number: int) -> bool:
        kept = self._store.get(self._key(number))
        if kept is not None:
            self._states[number] = kept[0]
            self._templates[number] = np.frombuffer(kept, dtype="<f4", offset=1)
        return kept is not None

    def _read_all(self, numbers: Sequence[int]) -> Iterable[tuple[int, int, Template]]:
        """Read in order, with only some results waiting, so that memory stays bounded."""
        waiting, rest = [], iter(numbers)
        waiting = [self._workers.submit(self._read, number) for number in islice(rest, _AHEAD)]
        try:
            while waiting:
                result = waiting.pop(0).result()
                waiting += [self._workers.submit(self._read, number) for number in islice(rest, 1)]
                yield result
        finally:
            for each in waiting:
                each.cancel()

    def _read(self, number: int) -> tuple[int, int, Template]:
        nothing: Template = np.zeros(self._reader.dimension, dtype=np.float32)
        data = self._set.picture(number)
        try:
            faces = self._reader.detect(open_photograph(data, self._permit), self._permit)
        except (ImageError, ImageTooLargeError):
            return number, UNREADABLE, nothing
        if not faces:
            return number, NO_FACE, nothing
        face = next((face for face in faces if is_good_enough(face, self._settings.quality)), None)
        if face is None:
            return number, LOW_QUALITY, nothing
        return number, FOUND, self._reader.templates([face], self._permit)[0]


@dataclass(frozen=True, slots=True, eq=False)
class _LocalGallery:
    """Nothing has to be enrolled where templates are at hand."""

    samples: Numbers
    enrolled: Mask
    _search: Callable[[Numbers, Numbers, float | None, Progress], Scores]

    def search(self, probes: Numbers, threshold: float | None, progress: Progress = silent) -> Scores:
        return self._search(probes, self.samples, threshold, progress)


def pipeline_sha256() -> str:
    """A hash over the source that turns pictures into templates: other code's templates aren't taken from the cache.

    What scores mean is no part of it: templates outlive another table of similarities.
    """
    digest = sha256()
    folder = resources.files("recognizance.faces")
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if file.name.endswith((".py", ".toml")) and file.name != _MEANING:
            data = file.read_bytes()
            digest.update(f"{file.name}\n{len(data)}\n".encode() + data)
    return digest.hexdigest()
