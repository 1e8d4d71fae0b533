"""Whatever compares faces and can be measured: ours, any Rekognition endpoint, a recogniser's file, a list of scores.

An engine is opened on one set of pictures and is asked by the numbers of samples. It answers scores; who is a mate and
what counts as an error is none of its business, so no engine can know which answer would look good. tests/contract runs
one suite over all of them.

A score is higher the more alike two faces are; `results.Scale` says what it means.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recognizance.evaluation.protocols import Mask, Numbers
from recognizance.evaluation.results import Scale
from recognizance.evaluation.testset import Progress

Scores = NDArray[np.float32]
"""(r, c) float32. NaN: no face was found in one of the two. -inf: the engine didn't answer this candidate."""


COSINE_ENDS = (-1.0, 1.0)
PCT_ENDS = (0.0, 100.0)


@dataclass(frozen=True, slots=True)
class EngineIdentity:
    """What was measured, in a report's words.

    Attributes:
        name: `in process`, `rekognition` or `score file`.
        version: Of its software, as it says itself.
        model: The recogniser, as far as it's known: ours by name and hash, Amazon's by its version.
        model_sha256: Of the recogniser's file, where anybody here can know it.
        endpoint: Host of a service; `None` for what runs here.
        ends: Of the scale: no score lies outside.
        settings: Whatever else the scores depend on, by name.
    """

    name: str
    version: str
    model: str
    model_sha256: str | None
    endpoint: str | None
    scale: Scale
    ends: tuple[float, float]
    settings: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Acquisition:
    """In which pictures a face was found.

    Attributes:
        found: (n,), for each sample of the set; false as well for those that weren't asked for.
        reasons: Why not, by sample number, for those that were asked for.
    """

    found: Mask
    reasons: tuple[tuple[int, str], ...]


class Searching(Protocol):
    """A gallery that is enrolled, for as long as its `with` block lasts."""

    @property
    def enrolled(self) -> Mask:
        """(g,), which of the gallery's samples could be enrolled."""
        ...

    def search(self, probes: Numbers, threshold: float | None, progress: Progress) -> Scores:
        """Search for each probe's largest face.

        Args:
            threshold: On the engine's scale; a score equal to it is a candidate. `None` leaves it to the engine: its
                default settings, whatever they are.

        Returns:
            (p, g): the scores of the candidates that came back, -inf for those that didn't, NaN all along a row whose
            probe shows no face, and in the columns that couldn't be enrolled.

        Raises:
            UnavailableError: If the engine fails.
        """
        ...


class Engine(Protocol):
    """Compares the faces of one set. Each picture stands for its largest face."""

    @property
    def identity(self) -> EngineIdentity: ...

    def acquire(self, samples: Numbers, progress: Progress) -> Acquisition:
        """Look for a face in each of these pictures; what follows costs less for it.

        Raises:
            CorruptionError: If a picture has changed since it was committed to.
            UnavailableError: If the engine fails. What was done is kept, and the next run goes on from there.
        """
        ...

    def scores(self, rows: Numbers, columns: Numbers, compared: Mask | None, progress: Progress) -> Scores:
        """Compare samples one to one.

        Args:
            compared: (r, c), which of the scores are wanted; others may be NaN. `None` wants all.
            progress: Told of the comparisons made.

        Raises:
            InputError: If the engine has no such comparison.
            UnavailableError: If the engine fails. What was done is kept.
        """
        ...

    def gallery(self, samples: Numbers, progress: Progress) -> AbstractContextManager[Searching]:
        """Enrol samples until the block is left; then nothing of them stays in the engine.

        Raises:
            InputError: If the engine can't search.
            UnavailableError: If the engine fails.
        """
        ...

    def score_at_pct(self, similarity_pct: float) -> float | None:
        """The score that stands for a similarity of Rekognition's; `None` where nobody can say."""
        ...

    def cosine(self, score: float) -> float | None:
        """The cosine that a score stands for; `None` where nobody can say."""
        ...

    def default_threshold(self, gallery_faces: int) -> float | None:
        """The score that a candidate has to reach in a gallery of this size where nobody chooses a threshold.

        For a foreign endpoint, what its documentation says; it may do otherwise, which `Searching.search` shows. `None`
        where there is no default.
        """
        ...

    def accepted_from(self, similarity_pct: float, gallery_faces: int) -> float | None:
        """The score that a candidate has to reach in a gallery of this size where this similarity is asked for.

        Above `score_at_pct` where the engine raises thresholds with the gallery. `None` where nobody can say what a
        similarity means.
        """
        ...


def wanted_pairs(rows: Numbers, columns: Numbers, compared: Mask | None) -> Sequence[tuple[int, int]]:
    """The places (row, column) of the wanted scores, row by row."""
    mask = np.ones((len(rows), len(columns)), dtype=np.bool_) if compared is None else compared
    return [(int(row), int(column)) for row, column in np.argwhere(mask)]
