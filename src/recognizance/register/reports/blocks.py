"""What a report is made of, whatever it is written as: headings, sentences, tables and charts.

Every chart has its numbers as a table too, and says in words what it shows. Pure.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from recognizance.register.suppression import Cell


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading, of level 2 for a section and 3 for a part of one."""

    text: str
    level: int = 2

    def __post_init__(self) -> None:
        if self.level not in {2, 3}:
            raise ValueError(f"a heading is of level 2 or 3, not {self.level}")


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


class Tone(StrEnum):
    """How a finding is meant. It is said in words too, never by colour alone."""

    GOOD = "good"
    BAD = "bad"
    UNSURE = "unsure"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Callout:
    """What a reader has to see first: a few words, and a sentence or two."""

    title: str
    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Figures:
    """Single numbers that stand out, each with what it counts."""

    figures: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing that is finished: as SVG for pages, as PNG for print. `text` says in words what it shows."""

    title: str
    svg: bytes
    png: bytes
    text: str


Block: TypeAlias = Heading | Paragraph | Table | Bars | Intervals | Callout | Figures | Picture


@dataclass(frozen=True, slots=True)
class Report:
    """A report, ready to be written. `as_of` is the time of the newest entry that it is built from."""

    title: str
    as_of: datetime | None
    blocks: tuple[Block, ...]
