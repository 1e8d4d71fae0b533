"""What a report is made of, whatever it is written as: headings, sentences, tables and charts.

Every chart has its numbers as a table too, and says in words what it shows. Pure.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from recognizance.register.suppression import Cell


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of words. A table without rows is written as one sentence, `if_empty`."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    if_empty: str = "None."

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"a row of {self.title!r} doesn't have {len(self.columns)} columns")


@dataclass(frozen=True, slots=True)
class Bars:
    """Counts as bars, from top to bottom. A count that isn't exact is drawn to its upper end, hatched."""

    title: str
    bars: tuple[tuple[str, Cell], ...]
    text: str


@dataclass(frozen=True, slots=True)
class Intervals:
    """Rates in percent as points with intervals, from top to bottom, and a line that they are held against.

    Attributes:
        points: Label, rate, and the interval's ends.
    """

    title: str
    points: tuple[tuple[str, float, float, float], ...]
    line_pct: float
    line_text: str
    text: str


Block: TypeAlias = Heading | Paragraph | Table | Bars | Intervals


@dataclass(frozen=True, slots=True)
class Report:
    """A report, ready to be written. `as_of` is the time of the newest entry that it is built from."""

    title: str
    as_of: datetime | None
    blocks: tuple[Block, ...]
