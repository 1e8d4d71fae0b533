"""From comparisons to a table of similarities: what a model's scores mean, as far as they were measured, and beyond.

The table has the counted rates and their bounds, up to the last score that enough impostors reached; the range is
written with it. Beyond, a tail continues it, marked as extrapolated: it falls no faster than the bounds did over the
last tenfold that was measured, because nothing shows that it falls faster where nothing was counted.

Pure. Implements docs/evaluation-gate.md, "Calibration"; decision 0006 has the method of the bounds.
"""

import json
import math
from collections.abc import Sequence

from recognizance.errors import CorruptionError, InputError
from recognizance.evaluation.measures import CalibrationRow
from recognizance.evaluation.results import Evaluation, Scale
from recognizance.faces import Calibration, parse_calibration

LEAST_ROWS = 20
"""Fewer don't make a table: a model's scores fall from the rate 1 to one in ten thousand over some fifty of them."""

LEAST_DECADES = 4.0
"""Down to one in ten thousand, which is the similarity 80, a rate has to be counted, not extrapolated."""

_TAIL_DECADES = 1.0
_SHORTEST_STEP = 0.02
"""Slopes over shorter steps of the score are noise."""


def table_of(evaluation: Evaluation) -> str:
    """Return the table that an evaluation's comparisons give, as the text of its file.

    Raises:
        InputError: If it compared no pictures with our own scores, or too few to count one error in ten thousand.
    """
    found = evaluation.concluded.verification
    if found is None or evaluation.engine.scale is not Scale.COSINE:
        raise InputError("a table is made from comparisons of pictures by a recogniser of this installation")
    rows = _rounded(found.calibration)
    measured = -math.log10(rows[-1][2]) if rows else 0.0
    if len(rows) < LEAST_ROWS or measured < LEAST_DECADES or rows[0][2] < 1.0:
        raise InputError(
            f"the pictures show rates down to 10^-{measured:.1f} only; a table needs 10^-{LEAST_DECADES:g}: compare"
            " more people"
        )
    table = {
        "model": evaluation.engine.model,
        "set": evaluation.data.description or evaluation.evaluation,
        "data": evaluation.data.commitment,
        "seed": evaluation.seed,
        "pairs": found.calibration[0].rate.trials,
        "measured": {"from": rows[0][0], "to": rows[-1][0]},
        "tail": {"form": "exponential", "decades_per_score": _decades_per_score(rows), "extrapolated": True},
        "columns": ["score", "errors", "fmr_bound"],
        "knots": rows,
    }
    text = json.dumps(table, indent=1).replace("\n   ", " ").replace("\n  ]", " ]") + "\n"
    checked(text)
    return text


def checked(text: str) -> Calibration:
    """Return the table in a file.

    Raises:
        InputError: If it isn't one.
    """
    try:
        return parse_calibration(text)
    except CorruptionError as error:
        raise InputError(str(error)) from error


def _rounded(found: Sequence[CalibrationRow]) -> list[tuple[float, int, float]]:
    """Six digits of each bound, upwards, and still falling."""
    rows: list[tuple[float, int, float]] = []
    for row in found:
        digits = 5 - math.floor(math.log10(row.fmr_bound))
        bound = min(1.0, math.ceil(row.fmr_bound * 10**digits) / 10**digits)
        if not rows or bound < rows[-1][2]:
            rows.append((round(row.score, 6), row.rate.errors, bound))
        elif bound == 1.0:
            rows[-1] = (round(row.score, 6), row.rate.errors, bound)
    return rows


def _decades_per_score(rows: Sequence[tuple[float, int, float]]) -> float:
    """How fast the tail falls: the slowest fall from any score of the last measured tenfold to its end."""
    end, _, last = rows[-1]
    slopes = [
        (math.log10(bound) - math.log10(last)) / (end - score)
        for score, _, bound in rows
        if end - score >= _SHORTEST_STEP and bound <= last * 10**_TAIL_DECADES
    ]
    if not slopes:
        raise InputError("the last measured scores are too few to say how the rate goes on: compare more people")
    return float(f"{min(slopes):.4g}")
