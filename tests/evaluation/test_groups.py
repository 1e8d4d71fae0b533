"""Rates between groups, against counting, by hand and against fairlearn."""

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, false_negative_rate, false_positive_rate

from recognizance.evaluation.bootstrap import SubjectBootstrap
from recognizance.evaluation.differentials import gini
from recognizance.evaluation.groups import differentials, fmr_by_group, fnmr_by_group, group_matrix
from recognizance.evaluation.measures import Evidence, Rate, Standing, Verdict
from recognizance.evaluation.rates import false_match_rate, false_non_match_rate
from recognizance.evaluation.samples import Samples, ScoreBlock
from recognizance.evaluation.tallies import Comparisons, Tally
from tests.evaluation.comparison_world import between, comparisons_of, impostors, make_world, mates


def test_every_cell_of_a_matrix_is_that_of_counting() -> None:
    """Three ages, which change within a person, at one threshold."""
    world = make_world(30, people=15, images=80, failures=0.03)
    found = impostors(world.samples, comparisons_of(world.strips(7)))

    matrix = group_matrix(world.tally(), "age", 0.25)

    assert matrix.groups == ("20", "40", "60")
    for row in range(3):
        for column in range(3):
            chosen = [each.score for each in between(world.samples, found, "age", row, column)]
            assert matrix.cells[row][column].rate == false_match_rate(np.array(chosen, dtype=np.float32), 0.25)
    assert matrix.own_group("40") is matrix.cells[1][1]


def test_cells_add_up_to_everybody() -> None:
    """Where each has a group, unordered pairs of groups part the comparisons."""
    counted = make_world(31, people=15, images=80).tally()

    matrix = group_matrix(counted, "age", 0.1)

    cells = [matrix.cells[row][column].rate for row in range(3) for column in range(row + 1)]
    assert sum(cell.trials for cell in cells) == counted.impostor_trials()
    assert sum(cell.errors for cell in cells) == counted.false_matches(np.array([0.1])).item()


def test_somebody_in_no_group_counts_overall_only() -> None:
    """People whose sex isn't stated are in no cell."""
    world = make_world(32)
    counted = world.tally()
    unknown = world.samples.groups["sex"][0] < 0

    assert unknown.any()
    trials = sum(counted.impostor_trials("sex", *cell) for cell in ((0, 0), (0, 1), (1, 1)))
    found = impostors(world.samples, comparisons_of(world.strips(7)))
    assert trials == sum(not unknown[each.first] and not unknown[each.second] for each in found)
    assert trials < counted.impostor_trials()


def test_rates_by_group_are_fairlearns() -> None:
    """Its false positive rate of impostors within groups is our FMR, its false negative rate of mates our FNMR.

    So are the largest difference between groups and the ratio of the extremes.
    """
    world = make_world(33, people=25, images=120)
    counted, threshold = world.tally(), 0.4
    found, ages = comparisons_of(world.strips(7)), world.samples.groups["age"][0]
    within = [each for each in found if ages[each.first] == ages[each.second]]
    subjects = world.samples.subjects
    frame = MetricFrame(
        metrics={"fmr": false_positive_rate, "fnmr": false_negative_rate},
        y_true=[int(subjects[each.first] == subjects[each.second]) for each in within],
        y_pred=[int(each.score >= threshold) for each in within],
        sensitive_features=[str(ages[each.first]) for each in within],
    )

    fmr, fnmr = fmr_by_group(counted, "age", threshold), fnmr_by_group(counted, "age", threshold)
    unequal = differentials(counted, "age", threshold)

    assert [each.estimate.rate.value for each in fmr.rates] == pytest.approx(frame.by_group["fmr"].tolist())
    assert [each.estimate.rate.value for each in fnmr.rates] == pytest.approx(frame.by_group["fnmr"].tolist())
    assert unequal.fmr.gap.value == pytest.approx(frame.difference()["fmr"])
    assert unequal.fnmr.gap.value == pytest.approx(frame.difference()["fnmr"])
    assert unequal.fmr.max_to_min.value == pytest.approx(1 / frame.ratio()["fmr"])
    assert unequal.fdr.value == pytest.approx(1 - frame.difference().mean())


def test_fnmr_of_a_group_needs_both_images_in_it() -> None:
    """A mated pair across ages counts for neither."""
    world = make_world(34, people=15, images=80)
    found = mates(world.samples, comparisons_of(world.strips(7)))

    rates = fnmr_by_group(world.tally(), "age", 0.6)

    for group, each in enumerate(rates.rates):
        scores = [pair.score for pair in between(world.samples, found, "age", group, group)]
        assert each.estimate.rate == false_non_match_rate(np.array(scores, dtype=np.float32), 0.6)
    assert sum(each.estimate.rate.trials for each in rates.rates) < len(found)


def small() -> Comparisons:
    """Six people with one image each, of groups a a a b b c; every impostor pair scores 0.1 but two.

    0.8 between the first two of a, 0.7 between one of a and one of b. One of a group "none" took no part.
    """
    groups = np.array([0, 0, 0, 1, 1, 2, 3], dtype=np.int32)
    samples = Samples(np.arange(7, dtype=np.int32), {"group": (groups, ("a", "b", "c", "none"))})
    scores = np.full((6, 6), 0.1, dtype=np.float32)
    scores[0, 1], scores[2, 3] = 0.8, 0.7
    six = np.arange(6, dtype=np.int32)
    tally = Tally(samples)
    tally.add(ScoreBlock(scores, six, six, six[:, np.newaxis] < six))
    return tally.result()


def test_a_small_matrix_is_found_by_hand() -> None:
    """a with a: one of 3. a with b: one of 6. b with b: none of 1. a with c: none of 3. c with c: nothing compared."""
    matrix = group_matrix(small(), "group", 0.5)

    assert [matrix.cells[0][column].rate for column in range(4)] == [Rate(1, 3), Rate(1, 6), Rate(0, 3), Rate(0, 0)]
    assert [matrix.cells[1][column].rate for column in range(4)] == [Rate(1, 6), Rate(0, 1), Rate(0, 2), Rate(0, 0)]
    assert matrix.cells[2][2].rate == Rate(0, 0)
    assert [each.subjects for each in fmr_by_group(small(), "group", 0.5).rates] == [3, 2, 1, 0]


def test_too_little_data_is_a_result() -> None:
    """A cell without trials says so, one without errors is bounded, and neither passes a limit."""
    counted = small()

    matrix = group_matrix(counted, "group", 0.5, bootstrap=SubjectBootstrap(counted, seed=1, resamples=100))

    evidence = {names: matrix.cells[names[0]][names[1]].evidence for names in ((0, 0), (1, 1), (2, 2))}
    assert evidence == {(0, 0): Evidence.FEW_ERRORS, (1, 1): Evidence.NO_ERRORS, (2, 2): Evidence.NO_TRIALS}
    assert matrix.cells[1][1].rule_of_three == 1.0
    assert matrix.cells[1][1].judge(0.01) is Verdict.INSUFFICIENT_EVIDENCE
    assert matrix.cells[2][2].judge(1.0) is Verdict.INSUFFICIENT_EVIDENCE
    assert matrix.cells[0][0].judge(0.01) is Verdict.FAILED


def test_unequal_groups_with_few_errors_say_how_little_is_known() -> None:
    """a has an error of 3 and b none of 1: the ratio is unbounded, FNMR was never tried, so nothing is combined."""
    found = differentials(small(), "group", 0.5)

    assert found.fmr.max_to_min.standing is Standing.UNBOUNDED
    assert (found.fmr.highest, found.fmr.lowest) == ("a", "b")
    assert found.fmr.gini.value == float(gini(np.array([1 / 3, 0.0])))
    assert found.fnmr.gap.standing is Standing.UNDEFINED
    assert {found.fdr.standing, found.garbe.standing, found.inequity_rate.standing} == {Standing.UNDEFINED}


def test_differentials_are_resampled_with_their_rates() -> None:
    """Each figure lies within its interval, and that of a thousand resamples is the same for the same seed."""
    counted = make_world(35, people=60, images=300).tally()

    found = differentials(counted, "age", 0.6, bootstrap=SubjectBootstrap(counted, seed=4))

    for each in (found.fmr.gap, found.fmr.max_to_min, found.fnmr.gini, found.fdr, found.garbe, found.inequity_rate):
        assert each.value is not None
        assert each.low is not None
        assert each.high is not None
        assert each.low <= each.value <= each.high
    assert found == differentials(counted, "age", 0.6, bootstrap=SubjectBootstrap(counted, seed=4))
    assert found != differentials(counted, "age", 0.6, bootstrap=SubjectBootstrap(counted, seed=5))
