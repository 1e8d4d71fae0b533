"""The period of a report: one month or one calendar year, in UTC. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Self

from recognizance.errors import InputError

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_YEARS = (1000, 9999)


@dataclass(frozen=True, slots=True)
class Period:
    """A month, or a whole year where `month` is `None`."""

    year: int
    month: int | None = None

    def __post_init__(self) -> None:
        if not _YEARS[0] <= self.year <= _YEARS[1] or (self.month is not None and not 1 <= self.month <= len(_MONTHS)):
            raise InputError("a period is a year like 2026 or a month like 2026-01")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `2026` or `2026-01`.

        Raises:
            InputError: If it is neither, spelled exactly so.
        """
        year, dash, month = text.partition("-")
        try:
            period = cls(int(year), int(month) if dash else None)
        except ValueError as error:
            raise InputError(f"{text!r} is neither a year like 2026 nor a month like 2026-01") from error
        if str(period) != text:
            raise InputError(f"{text!r} is neither a year like 2026 nor a month like 2026-01")
        return period

    def __str__(self) -> str:
        return f"{self.year}" if self.month is None else f"{self.year}-{self.month:02d}"

    @property
    def title(self) -> str:
        """Its name for people.

        >>> Period.parse("2026-02").title
        'February 2026'
        """
        return f"{self.year}" if self.month is None else f"{_MONTHS[self.month - 1]} {self.year}"

    @property
    def months(self) -> tuple[str, ...]:
        """Its months, spelled as in the register."""
        numbers = range(1, len(_MONTHS) + 1) if self.month is None else (self.month,)
        return tuple(f"{self.year}-{number:02d}" for number in numbers)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        last = len(_MONTHS) if self.month is None else self.month
        year, month = (self.year + 1, 1) if last == len(_MONTHS) else (self.year, last + 1)
        return datetime(year, month, 1, tzinfo=UTC)

    def __contains__(self, moment: datetime) -> bool:
        day: date = moment.astimezone(UTC).date()
        return day.year == self.year and self.month in {None, day.month}
