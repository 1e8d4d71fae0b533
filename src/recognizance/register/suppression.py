"""Small counts: what is published instead of 1, 2, 3 or 4, and instead of what would give them away.

A count of 1 to 4 is published as "<5". Totals, and other parts of the same total, would often give it away by
subtraction, so they are published with care:

- `published_parts` withholds as little as it can of a breakdown whose total is published.
- `published_sum` publishes the total of counts that are published themselves, exactly where that is safe.
- `added` adds what is published already, and so can say nothing that isn't.

What is promised: whoever knows everything that these functions returned for a total, its parts and its sum, and this
file, still finds each of 1, 2, 3 and 4 possible for every count shown as "<5". The tests hold that by trying every
small table. What is not promised: nothing is hidden from somebody who knows the missing counts from elsewhere, and the
entries of the ledger, one for each search, can be counted by everybody (docs/register.md).

Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

LEAST_SHOWN = 5
"""The least count, other than 0, that is shown as it is."""

_SMALL = LEAST_SHOWN - 1


@dataclass(frozen=True, slots=True)
class Cell:
    """A count as it is published: from `least` to `most`, both included; `most` is `None` where nothing bounds it."""

    least: int
    most: int | None

    def __post_init__(self) -> None:
        if self.least < 0 or (self.most is not None and self.most < self.least):
            raise ValueError(f"{self.least} to {self.most} is no range of counts")

    @classmethod
    def exactly(cls, count: int) -> Self:
        """A count that is shown as it is."""
        return cls(count, count)

    @property
    def is_exact(self) -> bool:
        return self.least == self.most

    @property
    def is_small(self) -> bool:
        """Whether it is shown as "<5"."""
        return self == SMALL

    @property
    def value(self) -> int | str:
        """Its form in JSON and CSV: a number where it is exact, words where it isn't.

        >>> [Cell(7, 7).value, Cell(1, 4).value, Cell(12, 15).value, Cell(3, None).value, Cell(0, None).value]
        [7, '<5', '12 to 15', 'at least 3', 'withheld']
        """
        if self.is_exact:
            return self.least
        if self.is_small:
            return f"<{LEAST_SHOWN}"
        if self.most is None:
            return f"at least {self.least}" if self.least else "withheld"
        return f"{self.least} to {self.most}"


SMALL = Cell(1, _SMALL)
WITHHELD = Cell(0, None)


def published(count: int) -> Cell:
    """Return a count that stands for itself."""
    return SMALL if 1 <= count <= _SMALL else Cell.exactly(count)


def published_parts(parts: Mapping[str, int]) -> dict[str, Cell] | None:
    """Return the parts of a total that is published beside them by `published`; parts of 0 are left out.

    Where small parts could be computed from the total, the largest part is shown as a range. Whether that is enough is
    decided by what is shown, never by what is hidden: otherwise the decision itself would tell.

    Returns:
        `None` where the parts have to be withheld whole, their names too: how many they are would tell. The parts of a
        small total always are: nothing large is there to hide them.

    >>> {name: cell.value for name, cell in published_parts({"theft": 90, "fraud": 20, "arson": 2}).items()}
    {'theft': '88 to 91', 'fraud': 20, 'arson': '<5'}
    """
    counts = {name: count for name, count in parts.items() if count}
    cells = {name: published(count) for name, count in counts.items()}
    small = [count for count in counts.values() if count <= _SMALL]
    if not small or _is_hidden_in_sum(len(small), sum(small)):
        return cells
    large = sorted((count, name) for name, count in counts.items() if count > _SMALL)
    if not large:
        return None
    (count, name), runner_up = large[-1], large[-2][0] if len(large) > 1 else 0
    rest = count + sum(small)
    spread = Cell(max(rest - _SMALL * len(small), 0), rest - len(small))
    # Every value of the range has to be one that this line could have hidden: large, and the largest.
    if spread.least <= max(runner_up, _SMALL):
        return None
    return cells | {name: spread}


def published_sum(counts: Iterable[int], cells: Iterable[Cell]) -> Cell:
    """Return the total of counts that were published as `cells`, each on its own.

    It is exact if every small one of them can still be anything from 1 to 4, and otherwise the range that the cells
    themselves give.
    """
    both = list(zip(counts, cells, strict=True))
    small = [count for count, cell in both if cell.is_small]
    if all(cell.is_exact or cell.is_small for _, cell in both) and _is_hidden_in_sum(len(small), sum(small)):
        return Cell.exactly(sum(count for count, _ in both))
    return added(cell for _, cell in both)


def added(cells: Iterable[Cell]) -> Cell:
    """Return the sum of published counts, as far as they say it."""
    least, most = 0, 0
    is_bounded = True
    for cell in cells:
        least += cell.least
        most += cell.most or 0
        is_bounded = is_bounded and cell.most is not None
    return Cell(least, most if is_bounded else None)


def _is_hidden_in_sum(small: int, total: int) -> bool:
    """Tell whether each of so many small counts can be anything from 1 to 4, given their total.

    One of them is 4 and the others at least 1 each; one is 1 and the others at most 4 each.
    """
    return small + _SMALL - 1 <= total <= _SMALL * small - _SMALL + 1
