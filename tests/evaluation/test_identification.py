"""Searches in galleries of several sizes, against searching one by one, by hand and by what must hold."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from recognizance.evaluation.identification import (
    Searches,
    SearchTally,
    draw_probes,
    identification,
    threshold_at_fpir,
)
from recognizance.evaluation.measures import Evidence, IntervalMethod, Rate
from recognizance.evaluation.samples import Samples, ScoreBlock
from tests.evaluation.comparison_world import World, make_world

SIZES = (5, 12, 25)


@dataclass(frozen=True)
class Found:
    """One search, done plainly."""

    mated: bool
    mate: float
    others: list[float]


def searched(world: World, gallery: NDArray[np.int32], probes: NDArray[np.int32], size: int) -> list[Found]:
    """Rank the people of a gallery by their best image, for every probe."""
    subjects = world.samples.subjects
    found = []
    for probe in probes.tolist():
        best: dict[int, float] = {}
        enrolled = [image for image in gallery[:size].tolist() if image != probe]
        for image in enrolled:
            score = float(world.scores[probe, image])
            if not np.isnan(score):
                best[int(subjects[image])] = max(score, best.get(int(subjects[image]), -np.inf))
        own = int(subjects[probe])
        others = sorted((score for subject, score in best.items() if subject != own), reverse=True)
        found.append(Found(own in subjects[enrolled], best.get(own, -np.inf), others))
    return found


def tally(
    world: World, gallery: NDArray[np.int32], probes: NDArray[np.int32], *, seed: int = 0
) -> tuple[Searches, ...]:
    """In tiles of any order."""
    rng = np.random.default_rng(seed)
    counting = SearchTally(world.samples, probes, gallery, SIZES, ranks=8)
    tiles = [
        (rows, columns)
        for rows in np.array_split(rng.permutation(probes), 3)
        for columns in np.array_split(rng.permutation(gallery), 4)
    ]
    for place in rng.permutation(len(tiles)):
        counting.add(world.block(*tiles[place]))
    return counting.result()


def parts(world: World, seed: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """A gallery and probes that have a few images in common, more enrolled than the largest size."""
    shuffled = np.random.default_rng(seed).permutation(world.all)
    return shuffled[:28], shuffled[24:]


@pytest.mark.parametrize("decimals", [None, 1])
def test_searches_are_those_of_searching_one_by_one(decimals: int | None) -> None:
    """Best stranger, mate and the mate's rank, for each size, with failures and equal scores."""
    for seed in range(4):
        world = make_world(seed, people=14, images=60, failures=0.05, decimals=decimals)
        gallery, probes = parts(world, seed)

        for counted, size in zip(tally(world, gallery, probes, seed=seed), SIZES, strict=True):
            plain = searched(world, gallery, probes, size)
            assert counted.gallery_faces == size
            assert counted.gallery_subjects == len(set(world.samples.subjects[gallery[:size]].tolist()))
            assert counted.mated.tolist() == [each.mated for each in plain]
            assert counted.mate_scores.tolist() == [each.mate for each in plain]
            assert counted.best_other.tolist() == [max(each.others, default=-np.inf) for each in plain]
            for mated, ahead, each in zip(counted.mated, counted.ahead.tolist(), plain, strict=True):
                if mated:
                    before = sum(score >= each.mate for score in each.others)
                    assert ahead == (8 if each.mate == -np.inf else min(8, before))


def test_rates_are_those_of_searching_one_by_one() -> None:
    """FPIR, FNIR at rank 1 and 3 and the ranks, at a threshold, overall and by group."""
    world = make_world(40, people=14, images=80)
    gallery, probes = parts(world, 1)
    sex = world.samples.groups["sex"][0][probes]

    for counted, size in zip(tally(world, gallery, probes), SIZES, strict=True):
        plain = searched(world, gallery, probes, size)
        strangers, mated = [each for each in plain if not each.mated], [each for each in plain if each.mated]
        for rank in (1, 3):
            found = identification(world.samples, counted, 0.5, rank=rank, ranks=(1, 2, 8, 50))

            accepted = [any(score >= 0.5 for score in each.others) for each in strangers]
            assert found.fpir.rate == Rate(sum(accepted), len(strangers))
            missed = [each.mate < 0.5 or sum(score >= each.mate for score in each.others) >= rank for each in mated]
            assert found.fnir.rate == Rate(sum(missed), len(mated))
            for each_rank in found.ranks:
                behind = [sum(score >= each.mate for score in each.others) >= each_rank.rank for each in mated]
                assert each_rank.missed.rate == Rate(sum(behind), len(mated))
            assert [each_rank.rank for each_rank in found.ranks] == [1, 2, 8]
        (by_sex,) = [each for each in found.fpir_by_group if each.column == "sex"]
        for group, each_group in enumerate(by_sex.rates):
            chosen = [s for s, code in zip(plain, sex.tolist(), strict=True) if code == group and not s.mated]
            assert each_group.estimate.rate == Rate(sum(max(s.others) >= 0.5 for s in chosen), len(chosen))


def five_people() -> tuple[Samples, tuple[Searches, ...]]:
    """Three enrolled, one a size; two of them and two strangers searched for.

    Enrolled 0, 1, 2 in this order; probes 3 (of 0), 4 (of 2), and 5 and 6 of people who aren't there.
    """
    samples = Samples(np.array([0, 1, 2, 0, 2, 3, 4], dtype=np.int32), {})
    scores = np.array(
        [[0.9, 0.3, 0.1], [0.2, 0.6, 0.5], [0.1, 0.7, 0.2], [0.1, 0.2, 0.3]],
        dtype=np.float32,
    )
    gallery, probes = np.arange(3, dtype=np.int32), np.arange(3, 7, dtype=np.int32)
    counting = SearchTally(samples, probes, gallery, (1, 2, 3), ranks=2)
    counting.add(ScoreBlock(scores, probes, gallery))
    return samples, counting.result()


def test_identification_is_found_by_hand() -> None:
    """At 0.5, by size.

    1 enrolled: probe 4's person isn't there yet, so three strangers, none with a candidate; probe 3 is found.
    2 enrolled: strangers 4 (0.6 with person 1) and 5 (0.7) meet somebody. 3 enrolled: of strangers 5 and 6 one does;
    probe 4 reaches its mate at 0.5 but person 1 is ahead at 0.6, so it is missed at rank 1 and found at rank 2.
    """
    samples, counted = five_people()

    first, second, third = (identification(samples, each, 0.5) for each in counted)
    at_two = identification(samples, counted[2], 0.5, rank=2)

    assert (first.fpir.rate, first.fnir.rate) == (Rate(0, 3), Rate(0, 1))
    assert (second.fpir.rate, second.fnir.rate) == (Rate(2, 3), Rate(0, 1))
    assert (third.fpir.rate, third.fnir.rate) == (Rate(1, 2), Rate(1, 2))
    assert at_two.fnir.rate == Rate(0, 2)
    assert identification(samples, counted[2], 0.51, rank=2).fnir.rate == Rate(1, 2)
    assert third.fpir.interval is not None
    assert third.fpir.interval.method is IntervalMethod.WILSON
    assert third.fpir.evidence is Evidence.FEW_ERRORS


def test_more_enrolled_people_and_a_lower_threshold_accuse_more_strangers() -> None:
    """Among probes who are nowhere enrolled FPIR never falls with the gallery, nor rises with the threshold."""
    world = make_world(41, people=30, images=120)
    subjects = world.samples.subjects
    gallery, probes = world.all[subjects < 15], world.all[subjects >= 15]

    counting = SearchTally(world.samples, probes, gallery, (5, 20, len(gallery)), ranks=5)
    counting.add(world.block(probes, gallery))

    errors = [
        [identification(world.samples, each, threshold).fpir.rate.errors for threshold in (0.2, 0.4, 0.6, 0.8)]
        for each in counting.result()
    ]
    assert (np.diff(errors, axis=0) >= 0).all()
    assert (np.diff(errors, axis=1) <= 0).all()
    assert errors[0][0] > 0
    assert errors[0] < errors[2]


def test_the_curve_of_ranks_falls_and_ends_beyond_the_gallery() -> None:
    """Looking at more candidates never misses more, and at all of them nobody."""
    world = make_world(42, people=14, images=60)
    gallery, probes = parts(world, 3)

    found = identification(world.samples, tally(world, gallery, probes)[0], 0.9, ranks=tuple(range(1, 9)))

    missed = [each.missed.rate.errors for each in found.ranks]
    assert missed == sorted(missed, reverse=True)
    assert missed[-1] == 0
    assert missed[0] > 0


def test_a_threshold_for_a_bound_on_strangers_keeps_to_it() -> None:
    """And the next lower one doesn't."""
    world = make_world(43, people=30, images=120)
    gallery, probes = parts(world, 2)
    counted = tally(world, gallery, probes)[1]

    threshold = threshold_at_fpir(counted, 0.1)

    kept = identification(world.samples, counted, threshold).fpir.rate
    below = float(np.nextafter(np.float32(threshold), np.float32(-1)))
    broken = identification(world.samples, counted, below).fpir.rate
    assert 0 < kept.errors <= 0.1 * kept.trials < broken.errors


def test_several_probes_of_a_person_are_resampled_together() -> None:
    """The interval is a bootstrap over people, no narrower than Wilson's over as many searches as people."""
    world = make_world(44, people=20, images=160)
    gallery, probes = world.all[:25], world.all[25:]
    counted = tally(world, gallery, probes)[2]

    with_weights = identification(world.samples, counted, 0.5, weights=draw_probes(world.samples, counted, seed=1))
    without = identification(world.samples, counted, 0.5)

    interval = with_weights.fpir.interval
    assert interval is not None
    assert interval.method is IntervalMethod.SUBJECT_BOOTSTRAP
    assert with_weights.fpir.rate == without.fpir.rate
    assert without.fpir.interval is None
    people = with_weights.fpir.independent.trials
    assert people < with_weights.fpir.rate.trials
    assert interval.high - interval.low > 1 / np.sqrt(people) * 0.5


def test_what_was_not_asked_for_is_refused() -> None:
    """Sizes that don't fit, images twice, strangers to the tally, and ranks beyond those followed."""
    samples, counted = five_people()
    probes, gallery = np.arange(3, 7, dtype=np.int32), np.arange(3, dtype=np.int32)

    for sizes in ((), (0, 2), (2, 2), (4,)):
        with pytest.raises(ValueError, match="sizes"):
            SearchTally(samples, probes, gallery, sizes)
    with pytest.raises(ValueError, match="once"):
        SearchTally(samples, probes, np.zeros(2, dtype=np.int32), (1,))
    with pytest.raises(ValueError, match="isn't enrolled"):
        SearchTally(samples, probes, gallery, (3,)).add(ScoreBlock(np.zeros((4, 4), dtype=np.float32), probes, probes))
    with pytest.raises(ValueError, match="followed to 2"):
        identification(samples, counted[0], 0.5, rank=3)
