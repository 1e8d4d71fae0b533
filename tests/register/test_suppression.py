"""Suppression: whoever knows all that is published, and how it is decided, can't tell a small count."""

import itertools
from collections import defaultdict
from collections.abc import Hashable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizance.register.suppression import (
    SMALL,
    WITHHELD,
    Cell,
    added,
    published,
    published_parts,
    published_sum,
)

MOST = 22
NAMES = ("arson", "fraud", "theft")


def shown(total: int, parts: Mapping[str, Cell] | None) -> Hashable:
    return published(total), None if parts is None else tuple(sorted(parts.items(), key=lambda item: item[0]))


def test_no_small_part_can_be_told_from_its_total_and_the_other_parts() -> None:
    """Every table of three parts up to 21: each "<5" is 1, 2, 3 and 4 in some table that is published the same."""
    tables: dict[Hashable, list[dict[str, int]]] = defaultdict(list)
    for counts in itertools.product(range(MOST), repeat=3):
        table = dict(zip(NAMES, counts, strict=True))
        tables[shown(sum(counts), published_parts(table))].append(table)

    told = []
    for alike in tables.values():
        cells = published_parts(alike[0])
        # A range that reaches beyond what was tried has tables in it that weren't.
        if cells is None or any(cell.most is None or cell.most >= MOST for cell in cells.values()):
            continue
        for name, cell in cells.items():
            if cell == SMALL and {table[name] for table in alike} != {1, 2, 3, 4}:
                told.append((alike, name))

    assert told == []
    assert len(tables) > 1000


def test_no_small_table_can_be_told_when_it_is_withheld() -> None:
    """A breakdown that is withheld whole says of no part what it is, nor how many there are."""
    alike = defaultdict(set)
    for counts in itertools.product(range(9), repeat=3):
        table = dict(zip(NAMES, counts, strict=True))
        if published_parts(table) is None:
            alike[published(sum(counts))].add(counts)

    for tables in alike.values():
        for place in range(3):
            assert len({table[place] for table in tables}) > 1


def test_no_small_month_can_be_told_from_the_year() -> None:
    """Every year of three months up to 7: each "<5" stays 1 to 4 when its total is known."""
    years = defaultdict(list)
    for months in itertools.product(range(8), repeat=3):
        cells = tuple(map(published, months))
        years[cells, published_sum(months, cells)].append(months)

    for (cells, _), alike in years.items():
        for place, cell in enumerate(cells):
            if cell == SMALL:
                assert {months[place] for months in alike} == {1, 2, 3, 4}


counts = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=3), st.integers(0, 60), max_size=9)


@given(counts)
def test_what_is_published_is_true(parts: dict[str, int]) -> None:
    """No cell says anything that the count contradicts, and nothing is exact from 1 to 4."""
    cells = published_parts(parts)

    for name, cell in (cells or {}).items():
        assert cell.least <= parts[name] <= (cell.most if cell.most is not None else parts[name])
        assert not (cell.is_exact and 1 <= cell.least <= 4)
    total = published_sum(parts.values(), map(published, parts.values()))
    assert total.least <= sum(parts.values()) <= (total.most if total.most is not None else 10**9)


@given(counts)
def test_a_table_without_small_counts_is_published_whole(parts: dict[str, int]) -> None:
    """Nothing is withheld that needn't be."""
    large = {name: count + 5 for name, count in parts.items()}

    assert published_parts(large) == {name: Cell.exactly(count) for name, count in large.items()}
    assert published_sum(large.values(), map(published, large.values())) == Cell.exactly(sum(large.values()))


def test_three_findings_computed_by_hand() -> None:
    """90 + 20 + 2: the 2 is 112 less 110, so the 90 becomes 92 less 1 to 4. 2 + 3 hide each other. 6 + 6 + 4 can't."""
    assert published_parts({"a": 90, "b": 20, "c": 2}) == {"a": Cell(88, 91), "b": Cell.exactly(20), "c": SMALL}
    assert published_parts({"a": 9, "b": 2, "c": 3}) == {"a": Cell.exactly(9), "b": SMALL, "c": SMALL}
    assert published_parts({"a": 6, "b": 6, "c": 4}) is None
    assert published_parts({"a": 3}) is None


def test_sums_of_ranges_are_ranges() -> None:
    """What is added up from what is published says no more than that."""
    assert added([Cell.exactly(7), SMALL, Cell(5, 8)]) == Cell(13, 19)
    assert added([Cell.exactly(7), WITHHELD]) == Cell(7, None)
    assert added([]) == Cell.exactly(0)


def test_a_range_runs_forwards() -> None:
    """A mistake in our own arithmetic doesn't reach the public."""
    with pytest.raises(ValueError, match="no range"):
        Cell(3, 2)
