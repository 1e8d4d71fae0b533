"""A stream of blocks is counted as its comparisons are one by one, whatever their order."""

import math

import numpy as np
import pytest

from recognizance.evaluation.measures import Rate
from recognizance.evaluation.rates import false_match_rate
from recognizance.evaluation.samples import Samples, ScoreBlock
from recognizance.evaluation.tallies import BINS, Tally
from tests.evaluation.comparison_world import between, comparisons_of, impostors, make_world, mates, tally

THRESHOLDS = np.linspace(-1.0, 1.0, 41)
COLUMNS = [(None, 1), ("sex", 2), ("age", 3)]


@pytest.mark.parametrize("decimals", [None, 1])
@pytest.mark.parametrize("tail_pairs", [40, 1 << 20])
def test_false_matches_are_those_of_counting(tail_pairs: int, decimals: int | None) -> None:
    """Exact in the tail, in every pair of groups, also where scores are equal; below it never too few."""
    world = make_world(3, failures=0.05, decimals=decimals)
    found = impostors(world.samples, comparisons_of(world.strips(7)))

    counted = world.tally(tail_pairs=tail_pairs)

    kept = counted.tail.floor
    assert (kept == -math.inf) == (tail_pairs > 1000)
    for column, size in COLUMNS:
        for group, other in ((low, high) for high in range(size) for low in range(high + 1)):
            chosen = found if column is None else between(world.samples, found, column, group, other)
            scores = np.array([each.score for each in chosen], dtype=np.float32)
            assert counted.impostor_trials(column, group, other) == len(scores)
            reached = counted.false_matches(THRESHOLDS, column, group, other)
            for threshold, errors in zip(THRESHOLDS.tolist(), reached.tolist(), strict=True):
                exact = false_match_rate(scores, threshold).errors
                lower = false_match_rate(scores, threshold - 2 / BINS - 1e-9).errors
                assert exact <= errors <= (exact if threshold > kept else lower)


def test_the_tail_keeps_as_many_as_it_may_and_no_half_of_equals() -> None:
    """The forty highest of all impostor scores, or fewer where the last of them has equals beyond the fortieth."""
    for decimals in (None, 1):
        world = make_world(5, decimals=decimals)
        scores = sorted(
            (each.score for each in impostors(world.samples, comparisons_of(world.strips(7)))), reverse=True
        )

        tail = world.tally(tail_pairs=40).tail

        expected = [score for score in scores if score > scores[40]]
        assert tail.scores.tolist() == expected
        assert tail.floor == scores[40]
        assert decimals is not None or len(expected) == 40


def test_mated_scores_are_kept_whole_with_their_samples() -> None:
    """Each with the two images that it is of, rising."""
    world = make_world(1, failures=0.05)
    expected = sorted(
        (each.score, each.first, each.second) for each in mates(world.samples, comparisons_of(world.strips(7)))
    )

    counted = world.tally()

    pairs = np.sort(counted.mated_pairs, axis=1).tolist()
    assert sorted((score, *pair) for score, pair in zip(counted.mated_scores.tolist(), pairs, strict=True)) == expected
    assert (np.diff(counted.mated_scores) >= 0).all()


@pytest.mark.parametrize("tail_pairs", [40, 1 << 20])
def test_blocks_may_come_in_any_order_and_either_way_round(tail_pairs: int) -> None:
    """Strips, one block, and strips backwards with rows and columns exchanged count the same."""
    world = make_world(2, failures=0.05)
    strips = world.strips(9)
    turned = [
        ScoreBlock(np.ascontiguousarray(block.scores.T), block.columns, block.rows, np.asarray(block.compared).T)
        for block in reversed(strips)
    ]

    one, other, third = (
        tally(world.samples, blocks, tail_pairs=tail_pairs) for blocks in (strips, turned, world.strips(len(world.all)))
    )

    for again in (other, third):
        assert again.tail.scores.tolist() == one.tail.scores.tolist()
        assert again.tail.floor == one.tail.floor
        assert again.mated_scores.tolist() == one.mated_scores.tolist()
        assert (again.mated_failures, again.impostor_failures) == (one.mated_failures, one.impostor_failures)
        assert again.failure_to_acquire == one.failure_to_acquire
        for column, size in COLUMNS:
            for group, other_group in ((low, high) for high in range(size) for low in range(high + 1)):
                cell = (column, group, other_group)
                assert again.impostor_people(*cell) == one.impostor_people(*cell)
                assert again.false_matches(THRESHOLDS, *cell).tolist() == one.false_matches(THRESHOLDS, *cell).tolist()


def test_pairs_of_people_are_counted_once() -> None:
    """However many images of them were compared; somebody in two age groups is one person in each."""
    world = make_world(4)
    found = impostors(world.samples, comparisons_of(world.strips(7)))
    subjects, ages = world.samples.subjects, world.samples.groups["age"][0]

    counted = world.tally()

    people = {frozenset((int(subjects[each.first]), int(subjects[each.second]))) for each in found}
    assert counted.impostor_people() == len(people)
    units = {
        frozenset(
            ((int(subjects[each.first]), int(ages[each.first])), (int(subjects[each.second]), int(ages[each.second])))
        )
        for each in between(world.samples, found, "age", 0, 2)
    }
    assert counted.impostor_people("age", 0, 2) == len(units)


def test_failures_are_no_trials() -> None:
    """An image of which everything fails was not acquired; single failures are counted by kind."""
    subjects = np.array([0, 0, 1, 2], dtype=np.int32)
    scores = np.full((4, 4), 0.5, dtype=np.float32)
    scores[3, :] = scores[:, 3] = np.nan
    scores[0, 1] = np.nan
    everybody = np.arange(4, dtype=np.int32)
    block = ScoreBlock(scores, everybody, everybody, everybody[:, np.newaxis] < everybody)

    counted = tally(Samples(subjects, {}), [block])

    # Of the pairs 01 02 03 12 13 23: 01 is mated and failed; 03, 13 and 23 are impostors and failed.
    assert (counted.mated_failures, counted.impostor_failures) == (1, 3)
    assert counted.impostor_trials() == 2
    assert len(counted.mated_scores) == 0
    assert counted.failure_to_acquire == Rate(1, 4)


def test_a_wide_block_is_counted_in_parts() -> None:
    """A row longer than the tail has room for is no harm."""
    world = make_world(6)

    narrow = world.tally(tail_pairs=11, height=len(world.samples))

    assert narrow.impostor_trials() == world.tally().impostor_trials()
    assert len(narrow.tail.scores) <= 11
    assert narrow.tail.scores.tolist() == world.tally().tail.scores[: len(narrow.tail.scores)].tolist()


def test_histograms_hold_every_score() -> None:
    """Impostor scores by pair of groups, mated ones by group, as many as there are trials."""
    world = make_world(7)
    counted = world.tally()

    histogram = counted.histogram(64, "sex", 0, 1)

    assert sum(histogram.counts) == counted.impostor_trials("sex", 0, 1)
    assert (histogram.edges[0], histogram.edges[-1], len(histogram.counts)) == (-1.0, 1.0, 64)
    assert sum(counted.mated_histogram(64).counts) == len(counted.mated_scores)
    scores = [each.score for each in impostors(world.samples, comparisons_of(world.strips(7)))]
    assert list(counted.histogram(64).counts) == np.histogram(scores, bins=64, range=(-1, 1))[0].tolist()
    with pytest.raises(ValueError, match="divide"):
        counted.histogram(100)


def test_scores_beyond_the_scale_count() -> None:
    """A scale that was stated too narrow loses nothing."""
    samples = Samples(np.array([0, 1, 2], dtype=np.int32), {})
    everybody = np.arange(3, dtype=np.int32)
    scores = np.array([[0, 150, -20], [0, 0, 99], [0, 0, 0]], dtype=np.float32)
    tallying = Tally(samples, scale=(0.0, 100.0))

    tallying.add(ScoreBlock(scores, everybody, everybody, everybody[:, np.newaxis] < everybody))

    counted = tallying.result()
    assert counted.false_matches(np.array([-30.0, 0.0, 100.0, 151.0])).tolist() == [3, 2, 1, 0]
    assert sum(counted.histogram(8).counts) == 3


def test_what_is_no_comparison_is_refused() -> None:
    """Unknown samples, samples twice, and infinite scores."""
    samples = Samples(np.array([0, 1], dtype=np.int32), {})
    one, two = np.array([0], dtype=np.int32), np.array([1, 1], dtype=np.int32)
    score = np.zeros((1, 2), dtype=np.float32)

    with pytest.raises(ValueError, match="beyond the 2"):
        Tally(samples).add(ScoreBlock(score, one, np.array([1, 2], dtype=np.int32)))
    with pytest.raises(ValueError, match="once"):
        Tally(samples).add(ScoreBlock(score, one, two))
    with pytest.raises(ValueError, match="infinite"):
        Tally(samples).add(ScoreBlock(np.full((1, 1), np.inf, dtype=np.float32), one, two[:1]))
    with pytest.raises(ValueError, match="scale"):
        Tally(samples, scale=(1.0, 1.0))
