"""Made-up people and scores, and the plainest way to count them: one comparison after the other, in Python."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizance.evaluation.samples import UNKNOWN, Samples, ScoreBlock, each_pair_once
from recognizance.evaluation.tallies import TAIL_PAIRS, Comparisons, Tally


@dataclass(frozen=True)
class World:
    """Everybody's scores with everybody: symmetric, NaN where the engine failed."""

    samples: Samples
    scores: NDArray[np.float32]

    @property
    def all(self) -> NDArray[np.int32]:
        return np.arange(len(self.samples), dtype=np.int32)

    def block(
        self, rows: NDArray[np.int32], columns: NDArray[np.int32], compared: NDArray[np.bool_] | None = None
    ) -> ScoreBlock:
        return ScoreBlock(np.ascontiguousarray(self.scores[np.ix_(rows, columns)]), rows, columns, compared)

    def strips(self, height: int) -> list[ScoreBlock]:
        """All with all, in strips from the diagonal to the right."""
        found = []
        for start in range(0, len(self.samples), height):
            rows, columns = self.all[start : start + height], self.all[start:]
            found.append(self.block(rows, columns, each_pair_once(rows, columns)))
        return found

    def tally(self, *, tail_pairs: int = TAIL_PAIRS, height: int = 7) -> Comparisons:
        return tally(self.samples, self.strips(height), tail_pairs=tail_pairs)


@dataclass(frozen=True)
class Comparison:
    """One comparison that was made."""

    first: int
    second: int
    score: float


def tally(samples: Samples, blocks: list[ScoreBlock], *, tail_pairs: int = TAIL_PAIRS) -> Comparisons:
    counting = Tally(samples, tail_pairs=tail_pairs)
    for block in blocks:
        counting.add(block)
    return counting.result()


def make_world(
    seed: int, *, people: int = 12, images: int = 40, failures: float = 0.0, decimals: int | None = None
) -> World:
    """Templates around a centre a person, and cosines between them.

    Args:
        failures: The part of the comparisons that failed; and as often a whole image did.
        decimals: Rounds scores, so that many are equal.
    """
    rng = np.random.default_rng(seed)
    subjects = np.sort(rng.integers(people, size=images)).astype(np.int32)
    centres = rng.standard_normal((people, 8))
    templates = centres[subjects] + 0.8 * rng.standard_normal((images, 8))
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    scores = (templates @ templates.T).astype(np.float32)
    if decimals is not None:
        scores = scores.round(decimals)
    failed = rng.random((images, images)) < failures
    failed |= (rng.random(images) < failures)[:, np.newaxis]
    scores[failed | failed.T] = np.nan
    sex = rng.integers(UNKNOWN, 2, size=people).astype(np.int32)[subjects]
    age = rng.integers(3, size=images).astype(np.int32)
    return World(Samples(subjects, {"sex": (sex, ("female", "male")), "age": (age, ("20", "40", "60"))}), scores)


def comparisons_of(blocks: list[ScoreBlock]) -> list[Comparison]:
    """Every comparison that counts, one by one."""
    found = []
    for block in blocks:
        for row, first in enumerate(block.rows.tolist()):
            for column, second in enumerate(block.columns.tolist()):
                score = float(block.scores[row, column])
                wanted = block.compared is None or bool(block.compared[row, column])
                if wanted and first != second and not np.isnan(score):
                    found.append(Comparison(first, second, score))
    return found


def impostors(samples: Samples, found: list[Comparison]) -> list[Comparison]:
    subjects = samples.subjects
    return [each for each in found if subjects[each.first] != subjects[each.second]]


def mates(samples: Samples, found: list[Comparison]) -> list[Comparison]:
    subjects = samples.subjects
    return [each for each in found if subjects[each.first] == subjects[each.second]]


def between(samples: Samples, found: list[Comparison], column: str, group: int, other: int) -> list[Comparison]:
    """Those between two groups of a column."""
    codes = samples.groups[column][0]
    return [each for each in found if sorted((codes[each.first], codes[each.second])) == sorted((group, other))]
