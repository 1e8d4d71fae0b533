"""What a score means: cosines to false match rates, to Rekognition's similarities, to thresholds for a gallery's size.

A table for each recogniser, measured on impostor pairs by `recognizance evaluate calibrate` and shipped as numbers;
where no pairs were left to count, a tail continues it, and says so. Every rate here is the table's *bound*: what
another set of as many people is expected to stay under 99 times in 100, not the rate that one set happened to show.

Pure but for `load_calibration`, which reads a file. docs/similarity.md explains it to users; decisions 0006 and 0046
have the method. FMR and FPIR are as in ISO/IEC 19795-1:2021.
"""

import json
import math
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognizance.errors import CorruptionError, NotFoundError
from recognizance.identifiers import ModelId

DEFAULT_MAX_FPIR = 0.01
"""One stranger in a hundred may meet a candidate, whatever the gallery's size (decision 0006)."""

_ANCHORS = ((0.0, 0.0), (4.0, 80.0), (6.0, 99.0), (9.0, 99.9))
"""(-log10 FMR, similarity): 80 is one in ten thousand, 99 one in a million, 99.9 one in a thousand million."""

_TABLES = "tables"


@dataclass(frozen=True, slots=True)
class Knot:
    """One row of a table.

    Attributes:
        score: A cosine. A score equal to it is accepted.
        errors: Impostor pairs that were accepted.
        fmr_bound: What is used: at least `errors` over all pairs.
    """

    score: float
    errors: int
    fmr_bound: float


@dataclass(frozen=True, slots=True)
class FalseMatchRate:
    """How often two different people reach a score.

    Attributes:
        bound: 0 to 1.
        extrapolated: Whether it lies beyond what was measured.
    """

    bound: float
    extrapolated: bool


class Calibration:
    """What the scores of one model mean. Immutable.

    Args:
        knots: By rising score and strictly falling rate; the first has the rate 1.
        pairs: The impostor pairs that were compared.
        decades_per_score: How fast the tail falls beyond the last knot: tenfold for each 1/`decades_per_score`.

    Raises:
        ValueError: If the table isn't as stated.
    """

    def __init__(self, model: ModelId, knots: tuple[Knot, ...], *, pairs: int, decades_per_score: float) -> None:
        numbers = [decades_per_score, *(number for knot in knots for number in (knot.score, knot.fmr_bound))]
        if not all(math.isfinite(number) for number in numbers) or pairs < 1 or any(knot.errors < 0 for knot in knots):
            raise ValueError("a calibration's numbers are finite, and its counts are counts")
        if len(knots) < 2 or knots[0].fmr_bound != 1.0 or knots[0].score <= -1.0 or knots[-1].score >= 1.0:
            raise ValueError("a calibration begins with the rate 1, within scores of -1 to 1")
        if any(low.score >= high.score or low.fmr_bound <= high.fmr_bound for low, high in pairwise(knots)):
            raise ValueError("a calibration's scores rise and its rates fall")
        if any(knot.errors > pairs * knot.fmr_bound * (1 + 1e-9) for knot in knots) or decades_per_score <= 0:
            raise ValueError("a calibration's bounds are not below its counts, and its tail falls")
        self.model = model
        self.knots = knots
        self.pairs = pairs
        self.decades_per_score = decades_per_score
        self._scores: NDArray[np.float64] = np.array([knot.score for knot in knots])
        self._decades: NDArray[np.float64] = np.array([-math.log10(knot.fmr_bound) for knot in knots])
        last_decades, last_similarity = _ANCHORS[-1]
        self._last_score = self._score_at_decades(last_decades)
        if self._last_score >= 1.0:
            raise ValueError("a calibration's tail reaches 1e-9 below the score 1")
        self._last_similarity = last_similarity

    @property
    def measured_up_to(self) -> float:
        """The highest score with a counted rate; beyond it rates are extrapolated."""
        return self.knots[-1].score

    def false_match_rate(self, score: float) -> FalseMatchRate:
        """The bound on the share of impostor pairs that reach `score`.

        Raises:
            ValueError: If the score isn't finite.
        """
        bound = 10.0 ** -self._decades_at(score)
        return FalseMatchRate(bound=min(bound, 1.0), extrapolated=score > self.measured_up_to)

    def score_at_fmr(self, fmr: float) -> float:
        """The least score that impostor pairs reach at no more than the rate `fmr`; never above 1.

        Raises:
            ValueError: If `fmr` isn't above 0 and at most 1.
        """
        if not 0.0 < fmr <= 1.0:
            raise ValueError("a false match rate lies above 0 and at most at 1")
        return min(self._score_at_decades(-math.log10(fmr)), 1.0)

    def similarity_pct(self, score: float) -> float:
        """Rekognition's 0 to 100: 20 for each tenth part that the false match rate falls to, up to 80 at 1e-4.

        Then 9.5 a tenth up to 99 at 1e-6, 0.3 a tenth up to 99.9 at 1e-9, and in a straight line to 100 at the
        score 1, which only an identical face reaches. Continuous, and never falls as the score rises.

        Raises:
            ValueError: If the score isn't finite.
        """
        if score >= self._last_score:
            beyond = (min(score, 1.0) - self._last_score) / (1.0 - self._last_score)
            return self._last_similarity + (100.0 - self._last_similarity) * beyond
        decades, similarities = zip(*_ANCHORS, strict=True)
        return float(np.interp(self._decades_at(score), decades, similarities))

    def similarities_pct(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """As `similarity_pct`, for many scores at once, to the last bit; NaN stays NaN.

        Raises:
            ValueError: If a score is infinite.
        """
        if np.isinf(scores).any():
            raise ValueError("a score is finite")
        given = scores.astype(np.float64)
        measured = np.interp(given, self._scores, self._decades)
        tail = float(self._decades[-1]) + (given - self.measured_up_to) * self.decades_per_score
        decades, similarities = zip(*_ANCHORS, strict=True)
        known = np.interp(np.where(given > self.measured_up_to, tail, measured), decades, similarities)
        beyond = (np.minimum(given, 1.0) - self._last_score) / (1.0 - self._last_score)
        last: NDArray[np.float64] = self._last_similarity + (100.0 - self._last_similarity) * beyond
        return np.where(given >= self._last_score, last, known)

    def score_at_pct(self, similarity_pct: float) -> float:
        """The least score whose similarity is `similarity_pct`: the inverse of `similarity_pct`. -1 at 0.

        Raises:
            ValueError: If it isn't 0 to 100.
        """
        if not 0.0 <= similarity_pct <= 100.0:
            raise ValueError("a similarity lies from 0 to 100")
        if similarity_pct == 0.0:
            return -1.0
        if similarity_pct >= self._last_similarity:
            beyond = (similarity_pct - self._last_similarity) / (100.0 - self._last_similarity)
            return self._last_score + beyond * (1.0 - self._last_score)
        decades, similarities = zip(*_ANCHORS, strict=True)
        return self._score_at_decades(float(np.interp(similarity_pct, similarities, decades)))

    def operating_score(self, requested_pct: float, *, gallery_size: int, max_fpir: float = DEFAULT_MAX_FPIR) -> float:
        """The threshold of a search: what the caller asks for, raised where the gallery's size demands it.

        A stranger is compared with every face of the gallery, so among N faces the expected false positive
        identification rate is 1 - (1 - FMR)^N, taking comparisons as independent. They are not quite: the true rate is
        lower. `max_fpir` bounds it, as far as the scale reaches: at the threshold 1 the same picture still matches.

        Args:
            requested_pct: The caller's own threshold, 0 to 100.
            gallery_size: Faces in the gallery, not subjects.
            max_fpir: Above 0; at 1 the gallery's size changes nothing.

        Raises:
            ValueError: If an argument is out of its range.
        """
        if gallery_size < 0 or not 0.0 < max_fpir <= 1.0:
            raise ValueError("a gallery has no fewer than 0 faces, and its FPIR is bounded above 0 and at most at 1")
        requested = self.score_at_pct(requested_pct)
        if gallery_size == 0 or max_fpir == 1.0:
            return requested
        # 1 - (1 - max_fpir)^(1/N), in a form that keeps its digits for N of twenty million.
        fmr = -math.expm1(math.log1p(-max_fpir) / gallery_size)
        return max(requested, self.score_at_fmr(fmr))

    def _decades_at(self, score: float) -> float:
        if not math.isfinite(score):
            raise ValueError("a score is finite")
        if score > self.measured_up_to:
            return float(self._decades[-1]) + (score - self.measured_up_to) * self.decades_per_score
        return float(np.interp(score, self._scores, self._decades))

    def _score_at_decades(self, decades: float) -> float:
        if decades > self._decades[-1]:
            return self.measured_up_to + (decades - float(self._decades[-1])) / self.decades_per_score
        return float(np.interp(decades, self._decades, self._scores))


def table_name(model: ModelId) -> str:
    """What the file of a model's table is called, whatever its weights.

    >>> table_name(ModelId("sface-2021dec@fb143eea07838aa5"))
    'sface-2021dec.json'
    """
    return f"{model.partition('@')[0]}.json"


def load_calibration(model: ModelId, *, own: Path | None = None) -> Calibration:
    """Read the table for exactly this model, weights included.

    Args:
        own: A folder with tables that an installation adopted, which come before the shipped ones.

    Raises:
        NotFoundError: If there is none. A recogniser without a table can't be searched with, because nobody could say
            what its scores mean; `recognizance evaluate calibrate` makes one.
        CorruptionError: If the file isn't a table.
    """
    file: Traversable = resources.files("recognizance.faces") / _TABLES / table_name(model)
    if own is not None and (own / table_name(model)).is_file():
        file = own / table_name(model)
    if not file.is_file():
        raise NotFoundError(f"there is no calibration for the model {model!r}")
    calibration = parse_calibration(file.read_text(encoding="utf-8"))
    if calibration.model != model:
        raise NotFoundError(f"there is no calibration for the model {model!r}, but for {calibration.model!r}")
    return calibration


def parse_calibration(text: str) -> Calibration:
    """Read a table from the JSON that `recognizance evaluate calibrate` writes.

    Raises:
        CorruptionError: If it isn't one.
    """
    try:
        table = json.loads(text)
        knots = tuple(Knot(float(score), int(errors), float(bound)) for score, errors, bound in table["knots"])
        return Calibration(
            ModelId(str(table["model"])),
            knots,
            pairs=int(table["pairs"]),
            decades_per_score=float(table["tail"]["decades_per_score"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptionError(f"the calibration is malformed: {error}") from error
