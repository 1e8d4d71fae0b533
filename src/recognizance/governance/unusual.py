"""What overseers should look at: use that is out of the ordinary, by rules that anybody can read and repeat.

A person who is searched for again and again, searches in the night, a case with many pictures, somebody who is often
refused: each can be rightful, and none says that somebody did wrong. A flag is a reason to ask, with the entries of the
ledger to ask about. It never accuses, ranks people or learns what is usual from what happened before: the thresholds
are `Thresholds`, stated, and the same for everybody.

Who is searched for and in which case come in as opaque keys and never go out: a flag names entries, the use, the agency
and the pseudonym of whoever searched. Pure. Implements `docs/oversight.md`, "Unusual use".
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import TypeVar

from recognizance.errors import InputError

_Act = TypeVar("_Act", "SearchAct", "RefusedAct")
_Key = TypeVar("_Key", bound=Hashable)

CLOCKS_MAY_DIFFER = timedelta(minutes=5)
"""How far time may run backwards from one entry to the next before it is somebody's doing."""

MOST_ENTRIES = 50
"""Entries that one flag names, the latest; its count says how many there are."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From when on something is flagged. All counts are within one window; `docs/oversight.md` says why each is so.

    Attributes:
        window: How far back is looked.
        searches_for_one: Searches that were for the same picture, or in which the same enrolled person came first.
        night_searches: Searches of one person that began in the night.
        night_begins_hour, night_ends_hour: By the clocks of `zone`; from the first to, not including, the second.
        searches_in_case: Searches of one case.
        refusals: Of one person; together with `refusal_fraction` of all that they tried.
    """

    window: timedelta = timedelta(days=30)
    searches_for_one: int = 5
    night_searches: int = 3
    night_begins_hour: int = 22
    night_ends_hour: int = 5
    searches_in_case: int = 10
    refusals: int = 5
    refusal_fraction: float = 0.25
    zone: tzinfo = UTC

    def __post_init__(self) -> None:
        if min(self.searches_for_one, self.night_searches, self.searches_in_case, self.refusals) < 1:
            raise InputError("a threshold of unusual use is 1 or more")
        if not (0 <= self.night_begins_hour <= 23 and 0 <= self.night_ends_hour <= 23):
            raise InputError("an hour is 0 to 23")
        if not 0 < self.refusal_fraction <= 1:
            raise InputError("the fraction of refusals lies above 0 and up to 1")

    def is_night(self, moment: datetime) -> bool:
        """Whether a moment lies in the night, which may begin before midnight.

        >>> night = Thresholds(night_begins_hour=22, night_ends_hour=5)
        >>> [night.is_night(datetime(2026, 1, 1, hour, tzinfo=UTC)) for hour in (21, 22, 4, 5)]
        [False, True, True, False]
        """
        hour = moment.astimezone(self.zone).hour
        if self.night_begins_hour <= self.night_ends_hour:
            return self.night_begins_hour <= hour < self.night_ends_hour
        return hour >= self.night_begins_hour or hour < self.night_ends_hour


@dataclass(frozen=True, slots=True)
class SearchAct:
    """A search that was answered.

    Attributes:
        entry: Its entry in the ledger.
        by: The pseudonym of whoever searched.
        case: A key of the case; `None` if there is none, or it can't be shown any more.
        about: Keys of whom it may be about: the picture, and the enrolled person who came first.
    """

    entry: str
    at: datetime
    by: str
    use: str
    agency: str
    case: str | None = None
    about: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RefusedAct:
    """Something that policy refused. `by` is empty for whoever wasn't known."""

    entry: str
    at: datetime
    by: str
    use: str | None = None
    agency: str | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """When an entry was made, by the service's own clock."""

    entry: str
    at: datetime


class Signal(StrEnum):
    SAME_PERSON = "same_person"
    NIGHT = "night"
    MANY_PROBES = "many_probes"
    REFUSED_OFTEN = "refused_often"
    CLOCK = "clock"
    """Entries follow each other whose times run backwards."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One thing to ask about.

    Attributes:
        count: How many acts it is about; `out_of` of all that the same person tried, where that matters.
        by: Whose acts they are; `None` if several people's.
        uses, agencies: All that they were done under.
        entries: The latest of them, the newest first.
    """

    signal: Signal
    count: int
    out_of: int | None
    by: str | None
    uses: tuple[str, ...]
    agencies: tuple[str, ...]
    first: datetime
    last: datetime
    entries: tuple[str, ...]


def flags(
    searches: Iterable[SearchAct],
    refusals: Iterable[RefusedAct],
    thresholds: Thresholds,
    now: datetime,
    moments: Iterable[Moment] = (),
) -> tuple[Flag, ...]:
    """Everything that is out of the ordinary in the window that ends at `now`; the largest counts first.

    The order of acts doesn't matter. An act exactly as old as the window is in it.

    Args:
        moments: When entries of any kind were made, in the order of the ledger.
    """
    since = now - thresholds.window
    searched = [each for each in searches if since <= each.at <= now]
    refused = [each for each in refusals if since <= each.at <= now]
    found = [
        *_same_person(searched, thresholds),
        *_night(searched, thresholds),
        *_many_probes(searched, thresholds),
        *_refused_often(searched, refused, thresholds),
        *_clock_set_back(moments),
    ]
    return tuple(sorted(found, key=lambda flag: (-flag.count, flag.signal, flag.entries)))


def _same_person(searches: Sequence[SearchAct], thresholds: Thresholds) -> Iterator[Flag]:
    by_person: dict[str, list[SearchAct]] = {}
    for search in searches:
        for key in search.about:
            by_person.setdefault(key, []).append(search)
    told: set[frozenset[str]] = set()
    for acts in by_person.values():
        which = frozenset(act.entry for act in acts)
        # The same searches by picture and by who came first are one thing to ask about.
        if len(acts) >= thresholds.searches_for_one and which not in told:
            told.add(which)
            yield _flag(Signal.SAME_PERSON, acts)


def _night(searches: Sequence[SearchAct], thresholds: Thresholds) -> Iterator[Flag]:
    everything = _grouped(searches, lambda each: each.by)
    for by, acts in everything.items():
        nightly = [each for each in acts if thresholds.is_night(each.at)]
        if len(nightly) >= thresholds.night_searches:
            yield _flag(Signal.NIGHT, nightly, out_of=len(everything[by]))


def _many_probes(searches: Sequence[SearchAct], thresholds: Thresholds) -> Iterator[Flag]:
    cases = _grouped([each for each in searches if each.case is not None], lambda each: (each.agency, each.case))
    for acts in cases.values():
        if len(acts) >= thresholds.searches_in_case:
            yield _flag(Signal.MANY_PROBES, acts)


def _refused_often(
    searches: Sequence[SearchAct], refusals: Sequence[RefusedAct], thresholds: Thresholds
) -> Iterator[Flag]:
    answered = _grouped(searches, lambda each: each.by)
    for by, acts in _grouped(refusals, lambda each: each.by).items():
        tried = len(acts) + len(answered.get(by, ()))
        if len(acts) >= thresholds.refusals and len(acts) >= thresholds.refusal_fraction * tried:
            yield _flag(Signal.REFUSED_OFTEN, acts, out_of=tried)


def _clock_set_back(moments: Iterable[Moment]) -> Iterator[Flag]:
    """Uses end and searches are counted by the machine's clock, so whoever sets it back is seen."""
    back: list[Moment] = []
    latest: datetime | None = None
    for moment in moments:
        if latest is not None and moment.at < latest - CLOCKS_MAY_DIFFER:
            back.append(moment)
            latest = moment.at
        latest = moment.at if latest is None else max(latest, moment.at)
    if back:
        first, last = min(each.at for each in back), max(each.at for each in back)
        entries = tuple(each.entry for each in reversed(back))[:MOST_ENTRIES]
        yield Flag(Signal.CLOCK, len(back), None, None, (), (), first, last, entries)


def _grouped(acts: Iterable[_Act], key: Callable[[_Act], _Key]) -> dict[_Key, list[_Act]]:
    groups: dict[_Key, list[_Act]] = {}
    for act in acts:
        groups.setdefault(key(act), []).append(act)
    return groups


def _flag(signal: Signal, acts: Sequence[SearchAct] | Sequence[RefusedAct], *, out_of: int | None = None) -> Flag:
    ordered: list[SearchAct | RefusedAct] = sorted(acts, key=lambda act: (act.at, act.entry), reverse=True)
    people = {act.by for act in ordered}
    return Flag(
        signal=signal,
        count=len(ordered),
        out_of=out_of,
        by=people.pop() if len(people) == 1 else None,
        uses=tuple(sorted({act.use for act in ordered if act.use})),
        agencies=tuple(sorted({act.agency for act in ordered if act.agency})),
        first=ordered[-1].at,
        last=ordered[0].at,
        entries=tuple(act.entry for act in ordered[:MOST_ENTRIES]),
    )
