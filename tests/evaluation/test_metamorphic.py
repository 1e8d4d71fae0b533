"""What must hold of every figure, whatever the scores: order, thresholds, complements and doubled pictures.

Each test goes through all figures of one-to-one comparison and of search, overall and by group. Single figures against
other people's software and hand calculations are in the files named after theirs.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognizance.evaluation.bootstrap import SubjectBootstrap
from recognizance.evaluation.curves import calibration_table, equal_errors, match_rates_at, points_at
from recognizance.evaluation.groups import differentials, fnmr_by_group, group_matrix
from recognizance.evaluation.identification import SearchTally, draw_probes, identification
from recognizance.evaluation.measures import Differentials, Estimate, GroupRates, Identification, Rate
from recognizance.evaluation.rates import failure_to_acquire
from recognizance.evaluation.samples import Samples
from recognizance.evaluation.tallies import Comparisons

from .comparison_world import World, make_world, tally

THRESHOLDS = np.array([0.1, 0.3, 0.5, 0.7])
COLUMNS = ("sex", "age")
SEEDS = st.integers(0, 2**32 - 1)


@dataclass(frozen=True)
class Search:
    """Who is enrolled, in order, and who is searched for."""

    world: World
    gallery: NDArray[np.int32]
    probes: NDArray[np.int32]

    def at(self, threshold: float, *, rank: int = 1, resampled: bool = False) -> Identification:
        samples = self.world.samples
        counting = SearchTally(samples, self.probes, self.gallery, (len(self.gallery),), ranks=6)
        counting.add(self.world.block(self.probes, self.gallery))
        [found] = counting.result()
        weights = draw_probes(samples, found, seed=1, resamples=200) if resampled else None
        return identification(samples, found, threshold, rank=rank, ranks=(1, 2, 3, 4, 5, 6), weights=weights)


def search_of(world: World) -> Search:
    """People 0 to 7 are enrolled with every second picture; everything else is searched for."""
    enrolled = (world.samples.subjects < 8) & (world.all % 2 == 0)
    return Search(world, world.all[enrolled], world.all[~enrolled])


def rates_of(counted: Comparisons) -> dict[str, Rate]:
    """Every rate of one-to-one comparison, by a name that says whose and where."""
    found: dict[str, Rate] = {}
    for point in points_at(counted, THRESHOLDS):
        found |= {f"fmr {point.threshold}": point.fmr.rate, f"fnmr {point.threshold}": point.fnmr.rate}
    for column in COLUMNS:
        for threshold in THRESHOLDS.tolist():
            matrix = group_matrix(counted, column, threshold)
            for row, cells in zip(matrix.groups, matrix.cells, strict=True):
                found |= {
                    f"fmr {row} {other} {threshold}": cell.rate
                    for other, cell in zip(matrix.groups, cells, strict=True)
                }
            found |= {
                f"fnmr {name} {threshold}": rate for name, rate in by_name(fnmr_by_group(counted, column, threshold))
            }
    return found


def by_name(rates: GroupRates) -> list[tuple[str, Rate]]:
    return [(f"{rates.column} {each.group}", each.estimate.rate) for each in rates.rates]


def searches_of(found: Identification) -> dict[str, Rate]:
    """Every rate of search at one threshold."""
    return {
        "fpir": found.fpir.rate,
        "fnir": found.fnir.rate,
        **{f"rank {each.rank}": each.missed.rate for each in found.ranks},
        **{f"fpir {name}": rate for column in found.fpir_by_group for name, rate in by_name(column)},
        **{f"fnir {name}": rate for column in found.fnir_by_group for name, rate in by_name(column)},
    }


def figures_of(found: Differentials) -> dict[str, float | None]:
    """Every differential."""
    spreads = {"fmr": found.fmr, "fnmr": found.fnmr}
    return {
        "fdr": found.fdr.value,
        "garbe": found.garbe.value,
        "inequity": found.inequity_rate.value,
        **{f"{name} gap": each.gap.value for name, each in spreads.items()},
        **{f"{name} max/min": each.max_to_min.value for name, each in spreads.items()},
        **{f"{name} max/mean": each.max_to_geometric_mean.value for name, each in spreads.items()},
        **{f"{name} gini": each.gini.value for name, each in spreads.items()},
    }


def shuffled(world: World, order: NDArray[np.int32], names: NDArray[np.int32]) -> World:
    """The same pictures in another order, and the same people under other numbers."""
    groups = {column: (codes[order], known) for column, (codes, known) in world.samples.groups.items()}
    subjects = names[world.samples.subjects[order]].astype(np.int32)
    return World(Samples(subjects, groups), np.ascontiguousarray(world.scores[np.ix_(order, order)]))


@settings(max_examples=8)
@given(SEEDS)
def test_the_order_of_pictures_and_people_changes_no_figure(seed: int) -> None:
    """Of comparisons and searches, single and combined: none hangs on how a manifest is sorted or whom it numbers."""
    rng = np.random.default_rng(seed)
    world = make_world(seed, people=16, images=70, failures=0.02, decimals=2)
    order, names = rng.permutation(70).astype(np.int32), rng.permutation(16).astype(np.int32)
    other = shuffled(world, order, names)
    one, two = world.tally(), other.tally()
    place = np.argsort(order).astype(np.int32)
    search = search_of(world)
    again = Search(other, place[rng.permutation(search.gallery)], place[rng.permutation(search.probes)])

    assert rates_of(one) == rates_of(two)
    assert equal_errors(one) == equal_errors(two)
    targets = (0.2, 0.05, 0.01)
    assert match_rates_at(one, targets) == match_rates_at(two, targets)
    assert [(row.score, row.rate) for row in calibration_table(one, THRESHOLDS, SubjectBootstrap(one, seed=1))] == [
        (row.score, row.rate) for row in calibration_table(two, THRESHOLDS, SubjectBootstrap(two, seed=1))
    ]
    for column in COLUMNS:
        assert figures_of(differentials(one, column, 0.3)) == pytest.approx(figures_of(differentials(two, column, 0.3)))
    for threshold in THRESHOLDS.tolist():
        assert searches_of(search.at(threshold)) == searches_of(again.at(threshold))


@settings(max_examples=15)
@given(SEEDS)
def test_every_rate_is_monotone_in_the_threshold_for_everybody_and_every_group(seed: int) -> None:
    """A stricter threshold accepts fewer strangers and misses more mates; and whoever looks further misses fewer."""
    world = make_world(seed, people=14, images=60, failures=0.02)
    counted, search = world.tally(), search_of(world)
    rates = rates_of(counted)
    searches = {threshold: searches_of(search.at(threshold)) for threshold in THRESHOLDS.tolist()}

    for low, high in pairwise(THRESHOLDS.tolist()):
        for name in [each.removesuffix(f" {low}") for each in rates if each.endswith(f" {low}")]:
            before, after = rates[f"{name} {low}"], rates[f"{name} {high}"]
            assert before.trials == after.trials, name
            assert before.errors >= after.errors if name.startswith("fmr") else before.errors <= after.errors, name
        for name, before in searches[low].items():
            after = searches[high][name]
            assert before.trials == after.trials, name
            if not name.startswith("rank"):
                assert before.errors >= after.errors if name.startswith("fpir") else before.errors <= after.errors, name
    for near, far in pairwise(range(1, 7)):
        assert search.at(0.3, rank=far).fnir.rate.errors <= search.at(0.3, rank=near).fnir.rate.errors


@settings(max_examples=15)
@given(SEEDS, st.floats(-0.5, 0.9))
def test_errors_and_their_complements_are_everything_that_was_tried(seed: int, threshold: float) -> None:
    """TMR, true rejections, hits and correct rejections of searches are counted apart, and add up with the errors."""
    world = make_world(seed, people=14, images=50)
    subjects, scores = world.samples.subjects, world.scores
    high, low = np.tril_indices(len(world.samples), -1)
    mated = subjects[high] == subjects[low]
    accepted = scores[high, low] >= np.float64(threshold)
    [point] = points_at(world.tally(), np.array([threshold]))
    search = search_of(world)
    found = search.at(threshold)

    assert point.fnmr.rate.complement == Rate(int((mated & accepted).sum()), int(mated.sum()))
    assert point.fmr.rate.complement == Rate(int((~mated & ~accepted).sum()), int((~mated).sum()))
    assert found.fpir.rate.trials + found.fnir.rate.trials == len(search.probes)
    quiet = [
        probe
        for probe in search.probes.tolist()
        if subjects[probe] not in subjects[search.gallery] and (scores[probe, search.gallery] < threshold).all()
    ]
    assert found.fpir.rate.complement.errors == len(quiet)
    for each in found.ranks:
        assert each.missed.rate.errors + each.missed.rate.complement.errors == found.fnir.rate.trials
    missed = failure_to_acquire(50, 7)
    assert (missed.errors + missed.complement.errors, missed.trials) == (50, 50)


def doubled(world: World) -> World:
    """Every picture twice, a copy behind its original: as many people, and nothing known that wasn't."""
    twice = np.repeat(world.all, 2)
    groups = {column: (codes[twice], names) for column, (codes, names) in world.samples.groups.items()}
    return World(
        Samples(world.samples.subjects[twice], groups), np.ascontiguousarray(world.scores[np.ix_(twice, twice)])
    )


def as_wide(one: Estimate, other: Estimate) -> bool:
    """The same rate, as much evidence, and an interval with the same ends."""
    assert one.interval is not None
    assert other.interval is not None
    assert (other.interval.low, other.interval.high) == pytest.approx((one.interval.low, one.interval.high))
    return other.rate.value == pytest.approx(one.rate.value) and other.independent == one.independent


def test_every_subjects_pictures_twice_narrow_no_groups_interval() -> None:
    """Rates within and between groups and their differentials: the same figures with the same ends."""
    world = make_world(21, people=40, images=110)
    twice = doubled(world)
    originals = twice.all // 2
    once = (twice.all[:, np.newaxis] < twice.all) & (originals[:, np.newaxis] != originals)
    counted = (world.tally(), tally(twice.samples, [twice.block(twice.all, twice.all, once)]))
    draws = [SubjectBootstrap(each, seed=5, resamples=300) for each in counted]

    for column in COLUMNS:
        before, after = (
            fnmr_by_group(each, column, 0.5, bootstrap=draw) for each, draw in zip(counted, draws, strict=True)
        )
        assert all(as_wide(a.estimate, b.estimate) for a, b in zip(before.rates, after.rates, strict=True))
        cells = [
            group_matrix(each, column, 0.3, bootstrap=draw).cells for each, draw in zip(counted, draws, strict=True)
        ]
        assert all(as_wide(a, b) for one, two in zip(*cells, strict=True) for a, b in zip(one, two, strict=True))
        few, many = (
            differentials(each, column, 0.3, bootstrap=draw) for each, draw in zip(counted, draws, strict=True)
        )
        assert figures_of(few) == pytest.approx(figures_of(many))
        assert (many.garbe.low, many.garbe.high) == pytest.approx((few.garbe.low, few.garbe.high))


def test_every_probe_twice_leaves_the_rates_of_searches_and_narrows_nothing() -> None:
    """Ten searches for one person are not ten people, overall and in every group."""
    world = make_world(22, people=24, images=120)
    search = search_of(world)
    twice = doubled(world)
    # The copies of the enrolled pictures stay out: the gallery is the same one.
    both = Search(twice, search.gallery * 2, np.concatenate([search.probes * 2, search.probes * 2 + 1]))

    before, after = search.at(0.4, resampled=True), both.at(0.4, resampled=True)

    assert after.fpir.rate == Rate(2 * before.fpir.rate.errors, 2 * before.fpir.rate.trials)
    assert before.fpir.rate.errors > 0
    assert before.fnir.rate.errors > 0
    assert as_wide(before.fpir, after.fpir)
    assert as_wide(before.fnir, after.fnir)
    assert all(as_wide(a.missed, b.missed) for a, b in zip(before.ranks, after.ranks, strict=True))
    for one, two in zip(before.fpir_by_group, after.fpir_by_group, strict=True):
        assert all(
            as_wide(a.estimate, b.estimate)
            for a, b in zip(one.rates, two.rates, strict=True)
            if a.estimate.interval is not None
        )


@settings(max_examples=10)
@given(SEEDS)
def test_enrolling_everybody_twice_changes_no_search(seed: int) -> None:
    """Candidates are people: a second copy of a picture accuses nobody more and finds nobody better."""
    world = make_world(seed, people=16, images=70)
    search = search_of(world)
    twice = doubled(world)
    copies = np.concatenate([search.gallery * 2, search.gallery * 2 + 1]).astype(np.int32)

    for threshold in THRESHOLDS.tolist():
        once, again = search.at(threshold), Search(twice, copies, search.probes * 2).at(threshold)
        assert searches_of(once) == searches_of(again)
        assert again.gallery_subjects == once.gallery_subjects
