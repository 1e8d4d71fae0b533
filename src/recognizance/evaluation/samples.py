"""What an evaluation takes, as values: who is on each picture, and scores of some pictures with some others.

Arrays are checked here, where they enter, and trusted afterwards. Computes nothing but the order of pairs, and reads no
file, clock or source of randomness. Implements docs/evaluation-formulas.md, "Counts first".
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]
"""An engine's scores on its own scale; a higher one means more alike."""

SampleNumbers = NDArray[np.int32]
"""Numbers of samples: their places in a `Samples`."""

UNKNOWN = -1
"""The code of a sample whose group isn't stated. It counts overall and in no group."""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Who is on each image of an evaluation, and in which groups. Sample i is place i of every array.

    Attributes:
        subjects: (n,) int32 codes from 0; equal codes are one person.
        groups: By column name: (n,) int32 codes, and the names that the codes stand for; `UNKNOWN` for none.

    Raises:
        ValueError: If an array isn't as stated.
    """

    subjects: NDArray[np.int32]
    groups: Mapping[str, tuple[NDArray[np.int32], tuple[str, ...]]]

    def __post_init__(self) -> None:
        if self.subjects.ndim != 1 or self.subjects.dtype != np.int32 or (self.subjects < 0).any():
            raise ValueError("subjects are a row of int32 codes from 0")
        for column, (codes, names) in self.groups.items():
            if codes.shape != self.subjects.shape or codes.dtype != np.int32:
                raise ValueError(f"the groups of {column!r} are no int32 codes, one a sample")
            if ((codes < UNKNOWN) | (codes >= len(names))).any() or len(set(names)) != len(names):
                raise ValueError(f"the groups of {column!r} have a code without a name, or one name twice")

    def __len__(self) -> int:
        return len(self.subjects)


@dataclass(frozen=True, slots=True, eq=False)
class ScoreBlock:
    """The scores of some samples with some others: a rectangle of an evaluation's comparisons.

    A comparison has no direction, and belongs to exactly one block of an evaluation: whoever compares all with all
    passes `compared=each_pair_once(rows, columns)`. A sample is never compared with itself, whatever `compared` says.

    Attributes:
        scores: (r, c) float32. NaN where the engine failed; failures are counted apart and are no comparisons.
        rows: (r,) int32 sample numbers, each once.
        columns: (c,) int32 sample numbers, each once.
        compared: (r, c) bool, which scores count; `None` for all of them.

    Raises:
        ValueError: If the shapes or types don't fit each other.
    """

    scores: Scores
    rows: SampleNumbers
    columns: SampleNumbers
    compared: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        if self.rows.ndim != 1 or self.columns.ndim != 1 or self.rows.dtype != np.int32:
            raise ValueError("rows and columns are int32 sample numbers")
        if self.columns.dtype != np.int32 or self.scores.dtype != np.float32:
            raise ValueError("columns are int32 sample numbers, and scores are float32")
        shape = (len(self.rows), len(self.columns))
        if self.scores.shape != shape or (self.compared is not None and self.compared.shape != shape):
            raise ValueError(f"scores of {self.scores.shape} are not {shape[0]} rows by {shape[1]} columns")
        if self.compared is not None and self.compared.dtype != np.bool_:
            raise ValueError("compared is bool")


def each_pair_once(rows: SampleNumbers, columns: SampleNumbers) -> NDArray[np.bool_]:
    """Mark the comparisons of a sample with one of a higher number, so that all-with-all meets every pair once.

    >>> each_pair_once(np.array([0, 1], dtype=np.int32), np.array([0, 1], dtype=np.int32)).tolist()
    [[False, True], [False, False]]
    """
    return rows[:, np.newaxis] < columns[np.newaxis, :]
