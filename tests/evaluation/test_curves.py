"""DET curves, TMR at fixed FMR, equal errors and calibration tables, against counting and by hand."""

import itertools

import numpy as np
import pytest

from recognizance.evaluation.bootstrap import SubjectBootstrap
from recognizance.evaluation.curves import calibration_table, det_curve, equal_errors, match_rates_at, points_at
from recognizance.evaluation.measures import Rate
from recognizance.evaluation.rates import equal_error_rate, false_match_rate, false_non_match_rate
from recognizance.evaluation.samples import Samples, ScoreBlock
from recognizance.evaluation.tallies import BINS, Comparisons, Tally
from recognizance.faces.calibration import Calibration, Knot
from recognizance.identifiers import ModelId
from tests.evaluation.comparison_world import comparisons_of, impostors, make_world, mates


@pytest.mark.parametrize("decimals", [None, 1])
def test_a_det_curve_is_that_of_counting(decimals: int | None) -> None:
    """At each of its thresholds; it begins where everything matches and ends where nobody does."""
    world = make_world(20, people=15, images=80, decimals=decimals)
    found = comparisons_of(world.strips(7))
    impostor = np.array([each.score for each in impostors(world.samples, found)], dtype=np.float32)
    mated = np.array([each.score for each in mates(world.samples, found)], dtype=np.float32)

    curve = det_curve(world.tally())

    for point in curve.points:
        assert point.fmr.rate == false_match_rate(impostor, point.threshold)
        assert point.fnmr.rate == false_non_match_rate(mated, point.threshold)
    assert curve.points[0].fmr.rate == Rate(len(impostor), len(impostor))
    assert curve.points[-1].fmr.rate.errors == 0
    steps = [one.fmr.rate.errors for one in curve.points]
    assert decimals is not None or {1, 2, 3} <= set(steps)


def test_rates_fall_and_rise_along_a_curve_also_where_the_tail_begins() -> None:
    """The histogram below the floor never lets a curve turn back."""
    for seed in range(5):
        curve = det_curve(make_world(seed, people=15, images=80).tally(tail_pairs=100))

        for low, high in itertools.pairwise(curve.points):
            assert low.fmr.rate.errors >= high.fmr.rate.errors
            assert low.fnmr.rate.errors <= high.fnmr.rate.errors


def four_people() -> Comparisons:
    """Eight images, two a person, and scores whose errors can be counted on fingers.

    Mated: 0.9, 0.8, 0.7, 0.2. Impostors, 24 of them: 0.75, 0.6, 0.3, and 21 times 0.1.
    """
    samples = Samples(np.array([0, 0, 1, 1, 2, 2, 3, 3], dtype=np.int32), {})
    scores = np.full((8, 8), 0.1, dtype=np.float32)
    for person, score in enumerate((0.9, 0.8, 0.7, 0.2)):
        scores[2 * person, 2 * person + 1] = score
    scores[0, 2], scores[0, 4], scores[1, 4] = 0.75, 0.6, 0.3
    everybody = np.arange(8, dtype=np.int32)
    tally = Tally(samples)
    tally.add(ScoreBlock(scores, everybody, everybody, everybody[:, np.newaxis] < everybody))
    return tally.result()


def test_match_rates_at_fixed_fmr_are_found_by_hand() -> None:
    """At FMR 1/12 two of 24 may match, so the threshold lies just above 0.3; of the mates only 0.2 is missed.

    At 1/24 it lies just above 0.6, and misses the same one. At 1/25 not even one error is allowed: the data can't say.
    """
    twelfth, single, beyond = match_rates_at(four_people(), (1 / 12, 1 / 24, 1 / 25))

    assert twelfth.point is not None
    assert twelfth.point.threshold == float(np.nextafter(np.float32(0.3), np.float32(1)))
    assert (twelfth.point.fmr.rate, twelfth.point.fnmr.rate) == (Rate(2, 24), Rate(1, 4))
    assert single.point is not None
    assert single.point.fmr.rate == Rate(1, 24)
    assert single.point.fnmr.rate.complement == Rate(3, 4)
    assert beyond.point is None
    with pytest.raises(ValueError, match="between 0 and 1"):
        match_rates_at(four_people(), (0.0,))


def test_evidence_is_counted_in_people() -> None:
    """At 0.2 three impostor pairs match: 0 with 1, and twice 0 with 2, so two pairs of people of six."""
    (point,) = points_at(four_people(), np.array([0.2]))

    assert point.fmr.rate == Rate(3, 24)
    assert point.fmr.independent == Rate(2, 6)
    assert point.fnmr.independent == Rate(0, 4)
    assert point.fmr.interval is None


def test_equal_errors_are_those_of_all_scores() -> None:
    """The same as of the plain arrays while all impostors are kept; else within a bin of it."""
    world = make_world(21, people=15, images=80)
    found = comparisons_of(world.strips(7))
    impostor = np.array([each.score for each in impostors(world.samples, found)], dtype=np.float32)
    mated = np.array([each.score for each in mates(world.samples, found)], dtype=np.float32)

    plain = equal_error_rate(mated, impostor)

    assert equal_errors(world.tally()) == plain
    rough = equal_errors(world.tally(tail_pairs=20))
    assert rough is not None
    assert rough.threshold == pytest.approx(plain.threshold, abs=4 / BINS)
    assert rough.value == pytest.approx(plain.value, abs=0.01)


def test_without_mates_there_is_no_equal_error() -> None:
    """And no DET curve of FNMR, but one of FMR."""
    samples = Samples(np.array([0, 1, 2], dtype=np.int32), {})
    everybody = np.arange(3, dtype=np.int32)
    tally = Tally(samples)
    tally.add(ScoreBlock(np.full((3, 3), 0.2, np.float32), everybody, everybody, everybody[:, np.newaxis] < everybody))

    counted = tally.result()

    assert equal_errors(counted) is None
    assert all(point.fnmr.rate == Rate(0, 0) for point in det_curve(counted).points)
    assert [point.fmr.rate.errors for point in det_curve(counted).points] == [3, 0]


def test_thresholds_that_dont_rise_are_refused() -> None:
    """Each once, and finite."""
    for thresholds in ([0.5, 0.5], [0.5, 0.4], [0.1, np.inf]):
        with pytest.raises(ValueError, match="rise"):
            points_at(four_people(), np.array(thresholds))


def test_a_calibration_table_is_one_that_the_service_reads() -> None:
    """It begins with the rate 1, falls strictly, and bounds what was counted; a hundred errors are the fewest."""
    counted = make_world(22, people=60, images=150).tally()

    rows = calibration_table(counted, np.arange(-0.98, 0.98, 0.02), SubjectBootstrap(counted, seed=1, resamples=200))

    assert len(rows) > 20
    assert rows[0].fmr_bound == 1.0
    assert rows[-1].rate.errors >= 100
    for low, high in itertools.pairwise(rows):
        assert low.score < high.score
        assert low.fmr_bound > high.fmr_bound
    assert all(row.fmr_bound >= row.rate.errors / row.rate.trials for row in rows)
    assert rows[-1].fmr_bound > 1.05 * rows[-1].rate.errors / rows[-1].rate.trials
    knots = tuple(Knot(row.score, row.rate.errors, row.fmr_bound) for row in rows)
    read = Calibration(ModelId("made-up@1"), knots, pairs=counted.impostor_trials(), decades_per_score=100.0)
    assert read.false_match_rate(rows[5].score).bound == pytest.approx(rows[5].fmr_bound)


def test_a_calibration_of_too_few_is_empty_beyond_what_was_counted() -> None:
    """Four people have no hundred errors at any score above their lowest."""
    counted = four_people()

    assert calibration_table(counted, np.array([0.0, 0.5]), SubjectBootstrap(counted, seed=1, resamples=50)) == ()
