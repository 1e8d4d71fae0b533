"""Tables of similarities made from comparisons: bounds that keep, a range that is stated, a tail that is no wish."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from recognizance.errors import InputError
from recognizance.evaluation import results as r
from recognizance.evaluation.calibrate import checked, table_of
from recognizance.evaluation.measures import CalibrationRow, Rate

from . import result_world

PAIRS = 50_000_000
MODEL = "sface-2021dec@fb143eea07838aa5"


def bound_at(score: float) -> float:
    """An FMR that falls tenfold for each tenth of the score, and is 1 up to 0."""
    return min(1.0, math.pow(10.0, -10.0 * score))


def rows(last: float = 0.45) -> tuple[CalibrationRow, ...]:
    """A row for each hundredth of the score from 0 to `last`, the bounds a fifth above what was counted."""
    scores = [round(0.01 * step, 2) for step in range(round(last * 100) + 1)]
    return tuple(
        CalibrationRow(score, Rate(int(bound_at(score) * PAIRS / 1.2), PAIRS), bound_at(score)) for score in scores
    )


def measured(**changes: Any) -> r.Evaluation:
    found = replace(result_world.verification(), calibration=changes.pop("calibration", rows()))
    return result_world.evaluation(
        kind=r.Kind.VERIFICATION,
        findings=result_world.findings(verification=found, searches=None),
        gate=None,
        **changes,
    )


def test_a_table_says_what_was_measured_and_from_where_on_it_is_extrapolated() -> None:
    """Scores read back to the rates that were given, up to the last one that was measured."""
    text = table_of(measured())
    table, said = checked(text), json.loads(text)

    assert (table.model, table.pairs) == (MODEL, PAIRS)
    assert said["measured"] == {"from": 0.0, "to": 0.45}
    assert said["data"] == measured().data.commitment
    for row in rows():
        bound = table.false_match_rate(row.score)
        assert row.fmr_bound <= bound.bound <= row.fmr_bound * 1.0001
        assert not bound.extrapolated
    assert table.false_match_rate(0.46).extrapolated


def test_the_tail_falls_no_faster_than_the_last_measured_tenfold() -> None:
    """Ten tenfolds for each whole score, as the rows did: 1e-6 is at 0.6, and not before."""
    table = checked(table_of(measured()))

    assert math.isclose(table.decades_per_score, 10.0, rel_tol=1e-3)
    assert table.score_at_fmr(1e-6) >= 0.6 - 1e-9


def test_a_tail_that_flattens_is_believed() -> None:
    """Where the bounds of the last tenfold fall more slowly, so does everything beyond."""
    flat = [
        replace(row, fmr_bound=row.fmr_bound * 10 ** (1.0 * (row.score - 0.35))) if row.score > 0.35 else row
        for row in rows(0.55)
    ]
    table = checked(table_of(measured(calibration=tuple(flat))))

    assert math.isclose(table.decades_per_score, 9.0, rel_tol=1e-3)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"calibration": rows(0.3)}, r"down to 10\^-3.0 only"),
        ({"calibration": ()}, r"down to 10\^-0.0 only"),
        (
            {"engine": replace(result_world.evaluation().engine, scale=r.Scale.SIMILARITY_PCT)},
            "by a recogniser of this",
        ),
    ],
)
def test_too_little_gives_no_table(changes: dict[str, Any], why: str) -> None:
    """What was counted ends above one in ten thousand, nothing was, or it was on another scale."""
    with pytest.raises(InputError, match=why):
        table_of(measured(**changes))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"model": "x", "pairs": 1, "tail": {}, "knots": []}'])
def test_what_is_no_table_is_refused(text: str) -> None:
    """A person's mistake, and no corruption of ours."""
    with pytest.raises(InputError, match="malformed"):
        checked(text)
