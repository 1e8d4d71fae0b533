"""An evaluation's scores are those of a search, to the last bit."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from recognizance.errors import DeniedError
from recognizance.gallery import scores
from recognizance.gallery.matrix import ScoreMatrix
from recognizance.permits import Action, Permit


@pytest.mark.parametrize(("probes", "templates", "dimensions"), [(1, 1, 3), (70, 1030, 128), (129, 511, 97)])
def test_every_score_is_the_canonical_one(
    permit_for: Callable[..., Permit], probes: int, templates: int, dimensions: int
) -> None:
    """Tiles and threads change no bit, at sizes that fill none of them evenly."""
    rng = np.random.default_rng(4)

    def unit(count: int) -> np.ndarray:
        rows = rng.normal(size=(count, dimensions))
        return np.ascontiguousarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)

    left, right = unit(probes), unit(templates)
    with ThreadPoolExecutor(2) as pool:
        block = ScoreMatrix(right, workers=pool).scores(left, permit_for(Action.MEASURE))

    assert np.array_equal(block, np.stack([scores(probe, right) for probe in left]))


def test_without_a_permit_to_measure_nothing_is_scored(permit_for: Callable[..., Permit]) -> None:
    """A permit to search isn't one to measure."""
    rows = np.eye(3, dtype=np.float32)
    with ThreadPoolExecutor(1) as pool, pytest.raises(DeniedError):
        ScoreMatrix(rows, workers=pool).scores(rows, permit_for(Action.SEARCH))
