"""Resampling people: the fast sums against the plain loop, and what an interval must not do."""

import numpy as np
import pytest
from numpy.typing import NDArray

from recognizance.evaluation.bootstrap import SubjectBootstrap, draw_subjects, resampled_rates
from recognizance.evaluation.curves import points_at
from recognizance.evaluation.intervals import wilson_interval
from recognizance.evaluation.samples import Samples
from recognizance.evaluation.tallies import Comparisons
from tests.evaluation.comparison_world import (
    Comparison,
    World,
    between,
    comparisons_of,
    impostors,
    make_world,
    mates,
    tally,
)

THRESHOLDS = np.array([-0.2, 0.1, 0.3, 0.5, 0.9])


def rate(found: list[Comparison], weights: NDArray[np.float64], threshold: float, *, mated: bool) -> float:
    """The plain loop: every comparison with its weight."""
    errors = sum(w for each, w in zip(found, weights, strict=True) if (each.score < threshold) == mated)
    trials = weights.sum()
    return errors / trials if trials else np.nan


def test_resampled_fmr_is_that_of_counting_again() -> None:
    """Each resample, threshold and pair of groups, also where engines failed."""
    world = make_world(8, failures=0.05)
    found = impostors(world.samples, comparisons_of(world.strips(7)))
    subjects = world.samples.subjects

    bootstrap = SubjectBootstrap(world.tally(), seed=3, resamples=6)

    for column, group, other, cell in (("sex", 0, 1, 1), ("age", 2, 2, 5), (None, 0, 0, 0)):
        chosen = found if column is None else between(world.samples, found, column, group, other)
        ours = bootstrap.false_match_rates(THRESHOLDS, column)[:, cell]
        for resample in range(6):
            drawn = bootstrap.weights[:, resample].astype(np.float64)
            weights = np.array([drawn[subjects[each.first]] * drawn[subjects[each.second]] for each in chosen])
            theirs = [rate(chosen, weights, threshold, mated=False) for threshold in THRESHOLDS]
            assert ours[:, resample] == pytest.approx(theirs, nan_ok=True)


def test_resampled_fnmr_is_that_of_counting_again() -> None:
    """A mated pair counts as often as its one subject was drawn, and not the square of it."""
    world = make_world(9)
    found = mates(world.samples, comparisons_of(world.strips(7)))

    bootstrap = SubjectBootstrap(world.tally(), seed=3, resamples=6)

    for column, group in ((None, 0), ("sex", 1), ("age", 0)):
        chosen = found if column is None else between(world.samples, found, column, group, group)
        ours = bootstrap.false_non_match_rates(THRESHOLDS, column, group)
        for resample in range(6):
            drawn = bootstrap.weights[:, resample].astype(np.float64)
            weights = np.array([drawn[world.samples.subjects[each.first]] for each in chosen])
            theirs = [rate(chosen, weights, threshold, mated=True) for threshold in THRESHOLDS]
            assert ours[:, resample] == pytest.approx(theirs, nan_ok=True)


def test_a_resample_draws_as_many_people_as_took_part() -> None:
    """Nobody else is drawn; the same seed draws the same, another seed others."""
    taking_part = np.array([1, 4, 5], dtype=np.int32)

    weights = draw_subjects(taking_part, 7, resamples=200, seed=1)

    assert weights.shape == (7, 200)
    assert (weights.sum(axis=0) == 3).all()
    assert not weights[[0, 2, 3, 6]].any()
    assert weights[4].mean() == pytest.approx(1.0, abs=0.2)
    assert (draw_subjects(taking_part, 7, resamples=200, seed=1) == weights).all()
    assert (draw_subjects(taking_part, 7, resamples=200, seed=2) != weights).any()
    with pytest.raises(ValueError, match="somebody"):
        draw_subjects(taking_part[:0], 7, resamples=200, seed=1)


def doubled(world: World) -> World:
    """Every image twice: as many people, and nothing known that wasn't."""
    twice = np.repeat(np.arange(len(world.samples)), 2)
    groups = {column: (codes[twice], names) for column, (codes, names) in world.samples.groups.items()}
    return World(Samples(world.samples.subjects[twice], groups), world.scores[np.ix_(twice, twice)])


def without_copies(world: World) -> Comparisons:
    """All with all of doubled images, but no image with its own copy."""
    originals = world.all // 2
    once = (world.all[:, np.newaxis] < world.all) & (originals[:, np.newaxis] != originals)
    return tally(world.samples, [world.block(world.all, world.all, once)])


def test_doubled_images_leave_rates_and_narrow_nothing() -> None:
    """Four times the comparisons of the same people have the same rates, and intervals as wide to the last digit.

    Wilson's interval over comparisons, which takes each for another piece of evidence, halves instead.
    """
    world = make_world(10, people=30, images=90)
    once, twice = world.tally(), without_copies(doubled(world))

    points = [
        points_at(counted, THRESHOLDS, column, bootstrap=SubjectBootstrap(counted, seed=5, resamples=400))
        for counted in (once, twice)
        for column in ("sex",)
    ]

    for before, after in zip(*points, strict=True):
        for one, other in ((before.fmr, after.fmr), (before.fnmr, after.fnmr)):
            assert (other.rate.errors, other.rate.trials) == (4 * one.rate.errors, 4 * one.rate.trials)
            assert other.independent == one.independent
            assert other.evidence is one.evidence
            assert one.interval is not None
            assert other.interval is not None
            assert other.interval.low == pytest.approx(one.interval.low)
            assert other.interval.high == pytest.approx(one.interval.high)
    middle = points[0][2].fmr.rate
    naive = [wilson_interval(times * middle.errors, times * middle.trials) for times in (1, 4)]
    assert naive[1].high - naive[1].low < 0.6 * (naive[0].high - naive[0].low)


def test_doubled_people_leave_rates_unchanged() -> None:
    """Everybody a second time as somebody else, not compared with themselves: the same rates, and more evidence."""
    world = make_world(11, people=25, images=60)
    number = len(world.samples)
    twice = np.tile(np.arange(number), 2)
    subjects = np.concatenate([world.samples.subjects, world.samples.subjects + 25]).astype(np.int32)
    people = World(Samples(subjects, {}), world.scores[np.ix_(twice, twice)])
    same = world.samples.subjects[twice]
    others = subjects[:, np.newaxis] != subjects
    once = people.all[:, np.newaxis] < people.all
    counted = tally(
        people.samples, [people.block(people.all, people.all, once & ~(others & (same[:, np.newaxis] == same)))]
    )

    before = points_at(world.tally(), THRESHOLDS, bootstrap=SubjectBootstrap(world.tally(), seed=1))
    after = points_at(counted, THRESHOLDS, bootstrap=SubjectBootstrap(counted, seed=1))

    for one, other in zip(before, after, strict=True):
        assert other.fmr.rate.value == pytest.approx(one.fmr.rate.value)
        assert other.fnmr.rate.value == pytest.approx(one.fnmr.rate.value)
    assert after[2].fmr.interval is not None
    assert before[2].fmr.interval is not None
    widths = [point[2].fmr.interval for point in (before, after)]
    assert widths[1].high - widths[1].low < widths[0].high - widths[0].low  # type: ignore[union-attr]


def test_below_the_tail_nothing_is_made_up() -> None:
    """Where no pairs are kept there is a rate and no interval."""
    world = make_world(12)
    counted = world.tally(tail_pairs=40)
    floor = counted.tail.floor

    low, high = points_at(
        counted, np.array([floor - 0.1, floor + 0.1]), bootstrap=SubjectBootstrap(counted, seed=1, resamples=50)
    )

    assert low.fmr.interval is None
    assert low.fmr.rate.errors > 0
    assert high.fmr.interval is not None


def test_people_are_covered_where_images_are_not() -> None:
    """Four hundred sets of sixty people with ten images, some of whom err far more than others, around a rate of 10 %.

    The interval over people holds the true rate about as often as it says; Wilson's over images hardly half the time.
    """
    rng = np.random.default_rng(13)
    covered = {"people": 0, "images": 0}
    weights = draw_subjects(np.arange(60, dtype=np.int32), 60, resamples=400, seed=1)
    for _ in range(400):
        errors = rng.binomial(10, rng.beta(0.1, 0.9, size=60)).astype(np.float64)
        draws = resampled_rates(errors[np.newaxis], np.full(60, 10.0), weights)[0]
        low, high = np.quantile(draws, [0.025, 0.975])
        covered["people"] += low <= 0.1 <= high
        wilson = wilson_interval(int(errors.sum()), 600)
        covered["images"] += wilson.low <= 0.1 <= wilson.high

    assert covered["people"] > 0.9 * 400
    assert covered["images"] < 0.65 * 400


def test_errors_without_trials_are_no_rate() -> None:
    """A resample that drew nobody of a group says nothing of it."""
    weights = np.array([[2, 0], [0, 2]], dtype=np.int16)

    rates = resampled_rates(np.array([[1.0, 0.0]]), np.array([4.0, 0.0]), weights)

    assert rates[0, 0] == 0.25
    assert np.isnan(rates[0, 1])
