"""Tables of similarities made from comparisons: bounds that keep, a range that is stated, a tail that is no wish."""

import json
import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from recognizance.cli import app
from recognizance.errors import InputError
from recognizance.evaluation import results as r
from recognizance.evaluation.bootstrap import SubjectBootstrap
from recognizance.evaluation.calibrate import checked, require_enough, table_of
from recognizance.evaluation.curves import calibration_table
from recognizance.evaluation.measures import CalibrationRow, Rate
from recognizance.evaluation.samples import Samples, ScoreBlock, each_pair_once
from recognizance.evaluation.tallies import Tally
from recognizance.faces import load_calibration
from recognizance.identifiers import ModelId

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


def test_whoever_has_the_pictures_can_make_the_table_again() -> None:
    """It names model, pictures, what was left out, seed and resamples; neither when nor as what it was measured."""
    excluded = r.Exclusions(
        decided_by="R. Reader",
        decided=datetime(2026, 11, 22, tzinfo=UTC),
        reason="one person under two names",
        decision_digest="cd" * 32,
        images=6,
        pairs=12,
    )
    evaluation = measured()
    evaluation = replace(evaluation, exclusions=excluded, without_excluded=evaluation.findings)
    later = replace(evaluation, evaluation="another", completed=datetime(2027, 1, 1, tzinfo=UTC), tester="others")
    said = json.loads(table_of(evaluation))

    assert said["model_sha256"] == evaluation.engine.model_digest
    assert (said["pictures"], said["people"], said["pairs"], said["seed"]) == (5_151, 2_795, PAIRS, 7)
    assert said["left_out"] == {"decision": "cd" * 32, "pictures": 6, "pairs": 12}
    assert said["settings"] == {"resamples": "1000"}
    assert table_of(later) == table_of(evaluation)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"calibration": rows(0.3)}, r"50,000,000 comparisons among 2,795 people bound no error rate below 0\.001,"),
        ({"calibration": rows()[-10:]}, r"counted at 10 scores .* takes 20 scores and a bound of 0\.0001"),
        ({"calibration": ()}, r"0 comparisons among 2,795 people bound no error rate below 1,"),
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


def test_a_set_of_too_few_people_is_refused_with_its_numbers() -> None:
    """1,415 pictures of as many people are the fewest: 1,415 times 1,414 halves is 1,000,405."""
    require_enough(str(person) for person in range(1_415))
    with pytest.raises(InputError, match=r"1,414 pictures of 1,414 people make 998,991 comparisons .* takes 1,000,000"):
        require_enough(str(person) for person in range(1_414))
    with pytest.raises(InputError, match=r"5,000 pictures of 1 people make 0 comparisons .* of each of 1,415 people"):
        require_enough(["Ada"] * 5_000)


def test_the_command_refuses_a_small_set_before_it_looks_for_a_face(tmp_path: Path) -> None:
    """That these files are no pictures doesn't come to light; nothing is written."""
    (tmp_path / "ada.jpg").write_bytes(b"no picture")
    (tmp_path / "bo.jpg").write_bytes(b"none either")
    (tmp_path / "set.csv").write_text("path,subject\nada.jpg,Ada\nbo.jpg,Bo\n", encoding="utf-8")
    folders = ["--data", str(tmp_path / "data"), "--cache", str(tmp_path / "cache")]

    done = CliRunner().invoke(
        app, ["evaluate", "calibrate", str(tmp_path / "set.csv"), "--out", str(tmp_path / "table.json"), *folders]
    )

    said = " ".join(done.output.split())
    assert done.exit_code == 2
    assert "2 pictures of 2 people make 1 comparisons of different people; a table takes 1,000,000" in said
    assert not (tmp_path / "table.json").exists()


def test_what_is_written_is_what_the_service_reads(tmp_path: Path) -> None:
    """2,300 drawn people, all pairs: the loader answers the counts, and bounds above them."""
    people, twice = 2_300, 40
    rng = np.random.default_rng(4)
    templates = rng.standard_normal((people + twice, 96), dtype=np.float32)
    templates[people:] = templates[:twice] + 0.4 * templates[people:]
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    subjects = np.concatenate([np.arange(people), np.arange(twice)]).astype(np.int32)
    everybody = np.arange(len(subjects), dtype=np.int32)
    scores = templates @ templates.T
    tally = Tally(Samples(subjects, {}))
    tally.add(ScoreBlock(scores, everybody, everybody, each_pair_once(everybody, everybody)))
    comparisons = tally.result()

    found = calibration_table(
        comparisons, np.linspace(-1.0, 1.0, 201)[1:-1], SubjectBootstrap(comparisons, seed=5, resamples=100)
    )
    (tmp_path / "sface-2021dec.json").write_text(table_of(measured(calibration=found)), encoding="utf-8")
    table = load_calibration(ModelId(MODEL), own=tmp_path)

    impostors = scores[np.triu(subjects[:, None] != subjects[None, :], 1)]
    assert table.pairs == len(impostors) == (people + twice) * (people + twice - 1) // 2 - twice
    assert table.knots[-1].errors >= 100
    for knot in table.knots:
        rate = float((impostors >= knot.score).mean())
        # Low down a bin of the scale counts as a whole: nothing is understated, and little overstated.
        assert rate <= knot.errors / table.pairs <= rate * 1.02
        assert rate < knot.fmr_bound <= min(1.0, 3.0 * rate)
