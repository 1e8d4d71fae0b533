"""From comparisons to a table of similarities: what a model's scores mean, as far as they were measured, and beyond.

The table has the counted rates and their bounds, up to the last score that enough impostors reached; the range is
written with it, and what a reader needs to make it again. Beyond, a tail continues it, marked as extrapolated: it falls
no faster than the bounds did over the last tenfold that was measured, because nothing shows that it falls faster where
nothing was counted. Everything about the tail follows from the table's own rows.

Pure. Implements docs/evaluation-gate.md, "Calibration"; decision 0006 has the method of the bounds, 0046 that of the
tail.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence

from recognizance.errors import CorruptionError, InputError
from recognizance.evaluation.curves import LEAST_ERRORS
from recognizance.evaluation.measures import CalibrationRow
from recognizance.evaluation.results import Evaluation, Exclusions, Scale
from recognizance.faces import Calibration, parse_calibration

LEAST_ROWS = 20
"""Fewer don't make a table: a model's scores fall from the rate 1 to one in ten thousand over some fifty of them."""

LEAST_DECADES = 4.0
"""Down to one in ten thousand, which is the similarity 80, a rate has to be counted, not extrapolated."""

LEAST_COMPARISONS = round(LEAST_ERRORS * 10**LEAST_DECADES)
"""Comparisons of different people without which no score can have that rate and be counted."""

_SETTINGS = ("quality filter", "reading", "resamples")
"""What of an evaluation's settings the scores and the bounds depend on; the threshold of searches is none."""

_TAIL_DECADES = 1.0
_SHORTEST_STEP = 0.02
"""Slopes over shorter steps of the score are noise."""


def require_enough(subjects: Iterable[str]) -> None:
    """Refuse a set that can't give a table, before a face is looked for.

    Args:
        subjects: Of each picture, who is on it.

    Raises:
        InputError: Names how many comparisons of different people the pictures make, and how many a table takes.
    """
    pictures = Counter(subjects)
    total = pictures.total()
    impostors = (total * total - sum(count * count for count in pictures.values())) // 2
    if impostors < LEAST_COMPARISONS:
        raise InputError(
            f"{total:,} pictures of {len(pictures):,} people make {impostors:,} comparisons of different people; a"
            f" table takes {LEAST_COMPARISONS:,} or more, as of one picture of each of {_people_enough():,} people:"
            f" {LEAST_ERRORS} errors have to count a rate of 1 in {10**LEAST_DECADES:,.0f}"
        )


def table_of(evaluation: Evaluation) -> str:
    """Return the table that an evaluation's comparisons give, as the text of its file.

    The same pictures, model, decision, seed and code give the same text: no date, name or version is in it.

    Raises:
        InputError: If it compared no pictures with our own scores, or too few to count one error in ten thousand.
    """
    found = evaluation.concluded.verification
    if found is None or evaluation.engine.scale is not Scale.COSINE:
        raise InputError("a table is made from comparisons of pictures by a recogniser of this installation")
    rows = _rounded(found.calibration)
    _require_measured(evaluation, rows)
    settings = {setting.name: setting.value for setting in evaluation.settings}
    left_out = evaluation.exclusions
    table = {
        "model": evaluation.engine.model,
        "model_sha256": evaluation.engine.model_digest,
        "set": evaluation.data.description or None,
        "data": evaluation.data.commitment,
        "pictures": evaluation.data.images,
        "people": evaluation.data.subjects,
        "left_out": None if left_out is None else _left_out(left_out),
        "settings": {name: settings[name] for name in _SETTINGS if name in settings},
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


def _require_measured(evaluation: Evaluation, rows: Sequence[tuple[float, int, float]]) -> None:
    """Refuse comparisons that don't reach from every pair down to one in ten thousand."""
    reached = rows[-1][2] if rows else 1.0
    if len(rows) >= LEAST_ROWS and -math.log10(reached) >= LEAST_DECADES and rows[0][2] == 1.0:
        return
    found = evaluation.concluded.verification
    compared = found.calibration[0].rate.trials if found is not None and found.calibration else 0
    raise InputError(
        f"{compared:,} comparisons among {evaluation.data.subjects:,} people bound no error rate below {reached:.2g},"
        f" counted at {len(rows)} scores with {LEAST_ERRORS} errors or more; a table takes {LEAST_ROWS} scores and a"
        f" bound of {10**-LEAST_DECADES:g}: compare more people"
    )


def _left_out(decided: Exclusions) -> dict[str, object]:
    return {"decision": decided.decision_digest, "pictures": decided.images, "pairs": decided.pairs}


def _people_enough() -> int:
    """The fewest people who, with one picture each, make `LEAST_COMPARISONS`: n (n - 1) / 2."""
    return math.ceil((1.0 + math.sqrt(1.0 + 8.0 * LEAST_COMPARISONS)) / 2.0)


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
