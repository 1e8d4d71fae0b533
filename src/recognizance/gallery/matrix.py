"""Every score of some templates with others, for evaluations: to the last bit those that a search would give.

Imported by its own name, as `gallery.exact` is, because it loads the compiler of its kernel. It must never take a
shortcut that changes a bit: an evaluation that measures other scores than the service answers measures another service.
"""

from concurrent.futures import Executor

import numpy as np
from numpy.typing import NDArray

from recognizance.gallery import kernels
from recognizance.gallery.index import Templates
from recognizance.permits import Action, Permit

_ROWS = 64
"""Rows that a thread is given at once."""


class ScoreMatrix:
    """Templates that others are scored against. Building it turns them on their side once.

    Args:
        templates: (m, d), each of unit length or all zero; a zero row scores 0 with everything.
        workers: Share the work of `scores`.
    """

    def __init__(self, templates: Templates, *, workers: Executor) -> None:
        kernels.warm_up()
        self._columns = np.ascontiguousarray(templates.T, dtype=np.float32)
        self._workers = workers

    def scores(self, probes: Templates, permit: Permit) -> NDArray[np.float32]:
        """Score every probe against every template: row by row what `gallery.scores` defines.

        Raises:
            DeniedError: If the permit doesn't cover measuring.
            ValueError: If the two have different dimensions.
        """
        permit.require(Action.MEASURE)
        if probes.ndim != 2 or probes.shape[1] != self._columns.shape[0]:
            raise ValueError(f"probes are (n, {self._columns.shape[0]}), not {probes.shape}")
        rows = np.ascontiguousarray(probes, dtype=np.float32)
        block = np.empty((len(rows), self._columns.shape[1]), dtype=np.float32)
        parts = [slice(start, start + _ROWS) for start in range(0, len(rows), _ROWS)]
        work = [self._workers.submit(kernels.score_block, rows[part], self._columns, block[part]) for part in parts]
        for each in work:
            each.result()
        return block
