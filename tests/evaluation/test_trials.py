"""Trials counted from sums over samples are those of counting pairs, whatever was compared."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from recognizance.evaluation.samples import ScoreBlock
from recognizance.evaluation.trials import cell_of
from tests.evaluation.comparison_world import (
    World,
    between,
    comparisons_of,
    impostors,
    make_world,
    tally,
)

Blocks = Callable[[World, np.random.Generator], list[ScoreBlock]]


def strips(world: World, rng: np.random.Generator) -> list[ScoreBlock]:
    return world.strips(7)


def one_triangle(world: World, rng: np.random.Generator) -> list[ScoreBlock]:
    return world.strips(len(world.samples))


def tiles(world: World, rng: np.random.Generator) -> list[ScoreBlock]:
    """All with all in squares, those below the diagonal with rows and columns exchanged, in any order."""
    parts = np.array_split(world.all, 4)
    found = []
    for place, rows in enumerate(parts):
        for columns in parts[place:]:
            if rows is columns:
                found.append(world.block(rows, rows, rows[:, np.newaxis] < rows))
            else:
                found.append(world.block(columns, rows) if rng.random() < 0.5 else world.block(rows, columns))
    return [found[place] for place in rng.permutation(len(found))]


def probes_and_gallery(world: World, rng: np.random.Generator) -> list[ScoreBlock]:
    """A full rectangle of some with others, and a second in which rows and columns have samples in common."""
    shuffled = rng.permutation(world.all)
    return [world.block(shuffled[:15], shuffled[15:25]), world.block(shuffled[25:35], np.sort(shuffled[30:]))]


def listed_pairs(world: World, rng: np.random.Generator) -> list[ScoreBlock]:
    """A few pairs, each once, as of a file."""
    once = world.all[:, np.newaxis] < world.all
    return [world.block(world.all, world.all, once & (rng.random(once.shape) < 0.03))]


def most_pairs(world: World, rng: np.random.Generator) -> list[ScoreBlock]:
    """Nearly all pairs."""
    once = world.all[:, np.newaxis] < world.all
    return [world.block(world.all, world.all, once & (rng.random(once.shape) < 0.9))]


def half_of_a_rectangle(world: World, rng: np.random.Generator) -> list[ScoreBlock]:
    rows, columns = world.all[:20], world.all[20:]
    return [world.block(rows, columns, rng.random((len(rows), len(columns))) < 0.5)]


DESIGNS = [strips, one_triangle, tiles, probes_and_gallery, listed_pairs, most_pairs, half_of_a_rectangle]


def weighted_by_hand(
    world: World, blocks: list[ScoreBlock], weights: NDArray[np.int16], column: str
) -> list[list[int]]:
    """Every comparison as often as the product of its subjects' weights, by cell and resample."""
    found, subjects = impostors(world.samples, comparisons_of(blocks)), world.samples.subjects
    size = len(world.samples.groups[column][1])
    cells = {
        cell_of(low, high): between(world.samples, found, column, low, high)
        for high in range(size)
        for low in range(high + 1)
    }
    return [
        [
            sum(int(row[subjects[each.first]]) * int(row[subjects[each.second]]) for each in cells[cell])
            for row in weights.T
        ]
        for cell in sorted(cells)
    ]


@pytest.mark.parametrize("failures", [0.0, 0.1])
@pytest.mark.parametrize("blocks_of", DESIGNS)
def test_weighted_trials_are_those_of_counting_pairs(blocks_of: Blocks, failures: float) -> None:
    """For random weights and weights of one, within a person's groups and between ages that change in a person."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        world = make_world(seed, failures=failures)
        blocks = blocks_of(world, rng)
        weights = rng.integers(0, 4, (12, 5)).astype(np.int16)
        weights[:, 0] = 1

        counted = tally(world.samples, blocks)

        for column in ("sex", "age"):
            found = counted.design.weighted_impostors(
                weights, world.samples.subjects, counted.grouping(column), counted.mated_pairs
            )
            assert found.tolist() == weighted_by_hand(world, blocks, weights, column)


def test_a_design_stays_as_it_was_when_the_tally_goes_on() -> None:
    """A copy isn't changed by what is added to its original."""
    world = make_world(0)
    first, *others = world.strips(7)
    design = tally(world.samples, [first]).design
    copy = design.copy()

    for block in others:
        design.add(block.rows, block.columns, np.asarray(block.compared))

    assert len(copy.samples()) == len(world.samples)
    one = np.ones((12, 1), dtype=np.int16)
    everybody = tally(world.samples, [first]).grouping()
    nobody = np.zeros((0, 2), dtype=np.int32)
    assert copy.weighted_impostors(one, world.samples.subjects, everybody, nobody).item() == 7 * 33 + 21
    assert design.weighted_impostors(one, world.samples.subjects, everybody, nobody).item() == 40 * 39 / 2
