"""Scores that somebody else computed, as an engine: for any recogniser that can write a list.

A list is a CSV file with the columns `enrol`, `probe`, `score` and, if there is one, `label`, as test laboratories
write them. `enrol` and `probe` are paths of the manifest; a higher score means more alike; an empty one says that the
recogniser failed on one of the two. A `label` (`mated` or `non-mated`) has to agree with the manifest, which alone says
who is who.

Nothing is computed here, so nothing is said about what the scores mean: thresholds are on the list's own scale.
"""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from recognizance.errors import InputError
from recognizance.evaluation.engines import Acquisition, EngineIdentity, Scores, Searching
from recognizance.evaluation.manifest import Manifest
from recognizance.evaluation.protocols import Mask, Numbers
from recognizance.evaluation.results import Scale
from recognizance.evaluation.testset import Progress, silent

MATED, NON_MATED = "mated", "non-mated"
_COLUMNS = ("enrol", "probe", "score")


@dataclass(frozen=True, slots=True, eq=False)
class ScoreList:
    """Scores of pairs of samples, by rising place.

    Attributes:
        places: (n,) int64, the lower sample's number times the number of samples, plus the higher one's.
        scores: (n,) float32; NaN where the recogniser failed.
        sha256: Of the file.
    """

    places: NDArray[np.int64]
    scores: NDArray[np.float32]
    samples: int
    sha256: str

    @property
    def ends(self) -> tuple[float, float]:
        """The lowest and the highest score, apart where they are one."""
        known = self.scores[~np.isnan(self.scores)].astype(np.float64)
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        return (low, high) if low < high else (low - 1.0, high + 1.0)


def parse_scores(data: bytes, manifest: Manifest, *, name: str = "scores") -> ScoreList:
    """Read a list of scores.

    Raises:
        InputError: Names the line: an unknown path, a score that is no number, a label that contradicts the manifest,
        or
            a pair that is there twice with two scores.
    """
    numbers = {sample.path: number for number, sample in enumerate(manifest.samples)}
    subjects = [sample.subject for sample in manifest.samples]
    places: list[int] = []
    scores: list[float] = []
    for where, row in _rows(data, name):
        pair = []
        for column, path in zip(_COLUMNS, row[:2], strict=False):
            if path not in numbers:
                raise InputError(f"{where}, column {column}: the manifest has no picture {path!r}")
            pair.append(numbers[path])
        low, high = sorted(pair)
        if low == high:
            raise InputError(f"{where}: {row[0]!r} is compared with itself")
        if len(row) == 4 and row[3] != (MATED if subjects[low] == subjects[high] else NON_MATED):
            raise InputError(f"{where}, column label: {row[3]!r}; by the manifest the pair is the other one")
        places.append(low * len(numbers) + high)
        scores.append(_score(row[2], where))
    return _ordered(places, scores, len(numbers), sha256(data).hexdigest(), name)


class ScoreListEngine:
    """A list of scores, as an `Engine`.

    Args:
        model: What the recogniser is called by whoever computed them.
        default_threshold: What its vendor sets where nobody chooses; `None` where there is no such thing.
    """

    def __init__(self, scores: ScoreList, *, model: str, default_threshold: float | None = None) -> None:
        self._list, self._model, self._default = scores, model, default_threshold

    @property
    def identity(self) -> EngineIdentity:
        default = "none" if self._default is None else f"{self._default:g}"
        return EngineIdentity(
            name="score file",
            version="1",
            model=self._model,
            model_sha256=None,
            endpoint=None,
            scale=Scale.OTHER,
            ends=self._list.ends,
            settings=(("scores", self._list.sha256), ("default threshold", default)),
        )

    def acquire(self, samples: Numbers, progress: Progress = silent) -> Acquisition:
        """A picture counts as acquired if it has a score with any other."""
        scored = self._list.places[~np.isnan(self._list.scores)]
        known = np.zeros(self._list.samples, dtype=np.bool_)
        known[scored // self._list.samples] = True
        known[scored % self._list.samples] = True
        found = np.zeros(self._list.samples, dtype=np.bool_)
        found[samples] = known[samples]
        progress(len(samples))
        reasons = tuple((int(number), "no score in the list") for number in samples if not found[number])
        return Acquisition(found, reasons)

    def scores(
        self, rows: Numbers, columns: Numbers, compared: Mask | None = None, progress: Progress = silent
    ) -> Scores:
        low = np.minimum(rows[:, None], columns[None, :]).astype(np.int64)
        high = np.maximum(rows[:, None], columns[None, :]).astype(np.int64)
        wanted = low * self._list.samples + high
        at = np.minimum(np.searchsorted(self._list.places, wanted), max(len(self._list.places) - 1, 0))
        block: Scores = np.where(self._list.places[at] == wanted, self._list.scores[at], np.float32(np.nan))
        progress(int(block.size if compared is None else compared.sum()))
        return block

    @contextmanager
    def gallery(self, samples: Numbers, progress: Progress = silent) -> Iterator[Searching]:
        yield _ListedGallery(self, samples, self.acquire(samples, progress).found[samples], self._default)

    def score_at_pct(self, similarity_pct: float) -> float | None:  # noqa: ARG002
        return None

    def cosine(self, score: float) -> float | None:  # noqa: ARG002
        return None

    def default_threshold(self, gallery_faces: int) -> float | None:  # noqa: ARG002
        return self._default

    def accepted_from(self, similarity_pct: float, gallery_faces: int) -> float | None:  # noqa: ARG002
        return None


@dataclass(frozen=True, slots=True, eq=False)
class _ListedGallery:
    engine: ScoreListEngine
    samples: Numbers
    enrolled: Mask
    default: float | None

    def search(self, probes: Numbers, threshold: float | None, progress: Progress = silent) -> Scores:
        floor = self.default if threshold is None else threshold
        if floor is None:
            raise InputError("a list of scores has no default threshold; say which one its vendor sets")
        scores = self.engine.scores(probes, self.samples)
        scores[scores < floor] = -np.inf
        progress(len(probes))
        return scores


def _rows(data: bytes, name: str) -> Iterator[tuple[str, Sequence[str]]]:
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        header = next(reader, [])
        if tuple(header) not in {_COLUMNS, (*_COLUMNS, "label")}:
            raise InputError(f"{name}, line 1: the columns have to be enrol,probe,score or enrol,probe,score,label")
        for row in reader:
            if row:
                where = f"{name}, line {reader.line_num}"
                if len(row) != len(header):
                    raise InputError(f"{where}: {len(row)} fields; there are {len(header)} columns")
                yield where, row
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{name}: {error}") from error


def _score(text: str, where: str) -> float:
    if not text:
        return math.nan
    try:
        score = float(text)
    except ValueError as error:
        raise InputError(f"{where}, column score: {text!r} is no number") from error
    if not math.isfinite(score) or abs(score) > float(np.finfo(np.float32).max):
        raise InputError(f"{where}, column score: {text!r} isn't finite")
    return score


def _ordered(places: list[int], scores: list[float], samples: int, digest: str, name: str) -> ScoreList:
    if not places:
        raise InputError(f"{name}: there is no score in it")
    order = np.argsort(np.array(places, dtype=np.int64), kind="stable")
    sorted_places = np.array(places, dtype=np.int64)[order]
    sorted_scores = np.array(scores, dtype=np.float32)[order]
    same = sorted_places[1:] == sorted_places[:-1]
    if (same & ~((sorted_scores[1:] == sorted_scores[:-1]) | np.isnan(sorted_scores[1:] + sorted_scores[:-1]))).any():
        raise InputError(f"{name}: a pair is listed twice, with two scores")
    first = np.concatenate([[True], ~same])
    return ScoreList(sorted_places[first], sorted_scores[first], samples, digest)
