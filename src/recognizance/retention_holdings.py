"""What a gallery keeps, how long it may, and what is due: read from the records and the ledger, and never changed here.

`found` reads everything, for a run that destroys. `due_counts` says beforehand how much that would be, and costs what
is due and not what is kept: things are counted by the day of their making with an index, each day is judged as one
thing by the same rules, and results, which stand in the order of their making, are read until none is due any more.

Implements `docs/forgetting.md`, "Retention", over the rules of `governance.retention`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from recognizance.documents import Kind, UseRecord, every
from recognizance.errors import InputError, NotFoundError
from recognizance.forgetting.erasure import HOLD_KIND, RESULT_FIELDS
from recognizance.galleries import Clock
from recognizance.governance.codec import read_document, write_document
from recognizance.governance.parties import UseId
from recognizance.governance.retention import (
    Due,
    Hold,
    Holding,
    HoldingId,
    HoldingKind,
    Limit,
    Schedule,
    destroy_by,
    due,
    lapsed_results,
)
from recognizance.governance.uses import results_must_go
from recognizance.identifiers import FaceId, GalleryId, ImageId
from recognizance.ledger import Entry, FolderSource, facts, prove, read_checkpoint
from recognizance.recording import Recorder
from recognizance.records import GalleryRow, Reader

SCHEDULE_KIND = "retention_schedule"
RESULTS_AT_ONCE = 64
"""Openings looked at before it's asked whether any of their results is due."""

_PAGE = 1000
_LEAP_DAYS = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class _Days:
    kind: HoldingKind
    days: int


@dataclass(frozen=True, slots=True)
class _StoredSchedule:
    gallery: GalleryId
    days: tuple[_Days, ...]
    years_after_last_interaction: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a gallery keeps, and which use each result came from.

    Attributes:
        schedule: `None` if nobody has said how long; then `holdings` are results alone.
    """

    row: GalleryRow
    schedule: Schedule | None
    holdings: tuple[Holding, ...]


@dataclass(frozen=True, slots=True)
class DueCount:
    """How many things of one kind are due by one rule, and how late the latest of them is."""

    kind: HoldingKind
    limit: Limit
    count: int
    most_overdue_days: int


class Holdings:
    """Reads what galleries keep. Safe to share between threads."""

    def __init__(self, recorder: Recorder, *, clock: Clock) -> None:
        self._recorder = recorder
        self._clock = clock
        # An entry never changes, so each search's is read from the log once.
        self._searches: dict[str, facts.Search] = {}
        self._times: dict[str, datetime] = {}

    def found(self, reader: Reader, gallery: GalleryId) -> Found:
        """Everything that a gallery keeps; reads all of it.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        row = reader.gallery(gallery)
        schedule, results = schedule_of(reader, gallery), tuple(self._results(reader, gallery))
        if schedule is None:
            return Found(row, None, results)
        return Found(row, schedule, (*_faces_and_images(reader, gallery), *results))

    def held(self, found: Found, ordered: Sequence[Due]) -> int:
        """How much would go but for an order to preserve."""
        if found.schedule is None:
            return 0
        unheld = due(found.holdings, {found.row.id: found.schedule}, (), self._clock().date())
        return len({each.holding.id for each in unheld} - {each.holding.id for each in ordered})

    def due(self, reader: Reader, found: Found) -> tuple[Due, ...]:
        """What a run would destroy today.

        Raises:
            InputError: If the schedule doesn't say how long something is kept that was found.
        """
        now = self._clock()
        schedules = {} if found.schedule is None else {found.row.id: found.schedule}
        by_age = due(found.holdings if schedules else (), schedules, every_hold(reader), now.date())
        uses = {each.value.use.id: each.value.use for each in every(reader, Kind.USE, UseRecord)}
        results = [each for each in found.holdings if each.kind is HoldingKind.RESULT and each.use in uses]
        lapsed = {each.holding.id: each for each in lapsed_results(results, uses, now)}
        return (*lapsed.values(), *(each for each in by_age if each.holding.id not in lapsed))

    def due_counts(self, reader: Reader, gallery: GalleryId) -> tuple[DueCount, ...]:
        """How much `due` would list, by kind and rule. Costs what is due, but for a gallery with a lapsed emergency.

        Raises:
            NotFoundError: If there is no such gallery.
            InputError: If it has no schedule, or its schedule doesn't say how long something is kept that it holds.
        """
        reader.gallery(gallery)
        schedule = schedule_of(reader, gallery)
        if schedule is None:
            raise InputError(f"gallery {gallery!r} has no retention schedule")
        now = self._clock()
        # What an emergency left behind is due whenever it was made, so that its results can't be found by their age.
        if any(_leaves_results(each.value, gallery, now) for each in every(reader, Kind.USE, UseRecord)):
            return _counted(self.due(reader, self.found(reader, gallery)))
        holds = [hold.holding for hold in every_hold(reader, gallery=gallery) if now.date() < hold.until]
        listed: Counter[tuple[HoldingKind, date]] = Counter()
        before = _midnight(_latest_due(schedule, HoldingKind.FACE, now.date()))
        listed.update(_of(HoldingKind.FACE, reader.faces_by_day(gallery, before=before)))
        listed.subtract(_days_of_faces(reader, gallery, holds))
        if reader.keeps_images(gallery):
            # Raises if the schedule is silent about photographs, as `due` does whatever their age.
            destroy_by(_one(HoldingKind.KEPT_IMAGE, gallery, now.date()), schedule)
            before = _midnight(_latest_due(schedule, HoldingKind.KEPT_IMAGE, now.date()))
            listed.update(_of(HoldingKind.KEPT_IMAGE, reader.kept_images_by_day(gallery, before=before)))
            listed.subtract(_days_of_images(reader, gallery, holds))
        listed.update(self._days_of_results(reader, gallery, schedule, set(holds)))
        return _judged(schedule, listed, now.date())

    def _days_of_results(
        self, reader: Reader, gallery: GalleryId, schedule: Schedule, held: set[HoldingId]
    ) -> Counter[tuple[HoldingKind, date]]:
        """The days of results that are due, and of some that aren't; a schedule that is silent about them is said."""
        days: Counter[tuple[HoldingKind, date]] = Counter()
        seen: set[str] = set()
        today = self._clock().date()
        for page in reader.oldest_openings(gallery, RESULT_FIELDS, page=RESULTS_AT_ONCE):
            fresh = [entry for entry in page if entry not in seen]
            seen.update(fresh)
            made = [(each.id, each.made) for each in self._shown(reader, gallery, fresh)]
            for holding, day in made:
                # Also raises if the schedule doesn't say how long results are kept.
                is_due = today > destroy_by(_one(HoldingKind.RESULT, gallery, day), schedule).day
                days[HoldingKind.RESULT, day] += is_due and holding not in held
            if made and today <= destroy_by(_one(HoldingKind.RESULT, gallery, made[-1][1]), schedule).day:
                break
        return days

    def _results(self, reader: Reader, gallery: GalleryId) -> Iterator[Holding]:
        """What searches of the gallery left behind and can still be shown."""
        ids = {entry: None for field in RESULT_FIELDS for entry in reader.opening_places(gallery, field)}
        return self._shown(reader, gallery, list(ids))

    def _shown(self, reader: Reader, gallery: GalleryId, ids: Sequence[str]) -> Iterator[Holding]:
        """Those of these entries that are searches and stand in the ledger's public files, as what they left behind."""
        indexes = reader.entry_indexes(ids)
        shown = read_checkpoint(FolderSource(self._recorder.public), (self._recorder.verifier,)).checkpoint.size
        for entry_id in ids:
            # An entry that has no place in the log yet, or that the public files don't show yet, is seconds old.
            index = indexes.get(entry_id, shown)
            if index < shown and (search := self._search(entry_id, index)) is not None:
                made = self._times[entry_id].date()
                yield Holding(HoldingId(entry_id), HoldingKind.RESULT, gallery, made, made, use=UseId(search.use))

    def _search(self, entry_id: str, index: int) -> facts.Search | None:
        if entry_id not in self._searches:
            proven = prove(FolderSource(self._recorder.public), (self._recorder.verifier,), index)
            entry = Entry.parse(proven.entry)
            if not isinstance(entry.facts, facts.Search):
                return None
            self._searches[entry_id], self._times[entry_id] = entry.facts, entry.time
        return self._searches[entry_id]


def schedule_body(schedule: Schedule) -> bytes:
    """What `schedule_of` reads."""
    days = tuple(_Days(kind, count) for kind, count in sorted(schedule.days.items()))
    return write_document(_StoredSchedule(schedule.gallery, days, schedule.years_after_last_interaction))


def schedule_of(reader: Reader, gallery: GalleryId) -> Schedule | None:
    """A gallery's schedule; `None` if it has none."""
    try:
        stored = read_document(_StoredSchedule, reader.document(SCHEDULE_KIND, gallery).body)
    except NotFoundError:
        return None
    return Schedule(gallery, {each.kind: each.days for each in stored.days}, stored.years_after_last_interaction)


def every_hold(reader: Reader, *, gallery: GalleryId | None = None) -> Iterator[Hold]:
    """All orders to preserve, those that have ended included, or those of one gallery."""
    label = None if gallery is None else ("gallery", gallery)
    after = ""
    while page := reader.documents(HOLD_KIND, label=label, after=after, limit=_PAGE):
        after = page[-1].id
        yield from (read_document(Hold, document.body) for document in page)


def _faces_and_images(reader: Reader, gallery: GalleryId) -> Iterator[Holding]:
    """Every face from the day of its enrolment; a photograph, as long as it's kept, from that of its first face."""
    after: FaceId | None = None
    seen: set[ImageId] = set()
    while page := reader.faces(gallery, after=after, limit=_PAGE):
        after = page[-1].face_id
        kept = reader.images_made(gallery, reader.kept_among(gallery, {row.image_id for row in page} - seen))
        seen |= kept.keys()
        for row in page:
            made = row.created.astimezone(UTC).date()
            yield Holding(HoldingId(row.face_id), HoldingKind.FACE, gallery, made, made)
        for image, first in kept.items():
            made = first.astimezone(UTC).date()
            yield Holding(HoldingId(image), HoldingKind.KEPT_IMAGE, gallery, made, made)


def _leaves_results(record: UseRecord, gallery: GalleryId, now: datetime) -> bool:
    return record.use.terms.gallery == gallery and results_must_go(record.use, now)


def _latest_due(schedule: Schedule, kind: HoldingKind, today: date) -> date:
    """A day from which on nothing of a kind is due; a little later than need be. What it lets through is judged."""
    years = schedule.years_after_last_interaction
    latest = date(today.year - years, today.month, 1) + timedelta(days=today.day - 1) + _LEAP_DAYS
    return max(latest, today - timedelta(days=schedule.days[kind])) if kind in schedule.days else latest


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _of(kind: HoldingKind, days: Mapping[date, int]) -> Counter[tuple[HoldingKind, date]]:
    return Counter({(kind, day): things for day, things in days.items()})


def _days_of_faces(reader: Reader, gallery: GalleryId, holds: Sequence[HoldingId]) -> Counter[tuple[HoldingKind, date]]:
    rows = reader.faces_by_id(gallery, [FaceId(hold) for hold in holds])
    return Counter((HoldingKind.FACE, row.created.astimezone(UTC).date()) for row in rows.values())


def _days_of_images(
    reader: Reader, gallery: GalleryId, holds: Sequence[HoldingId]
) -> Counter[tuple[HoldingKind, date]]:
    kept = reader.kept_among(gallery, [ImageId(hold) for hold in holds])
    made = reader.images_made(gallery, kept).values()
    return Counter((HoldingKind.KEPT_IMAGE, each.astimezone(UTC).date()) for each in made)


def _one(kind: HoldingKind, gallery: GalleryId, day: date) -> Holding:
    """Any thing of a kind that was made on a day: rules know no more of a thing."""
    return Holding(HoldingId("any"), kind, gallery, day, day)


def _judged(schedule: Schedule, listed: Mapping[tuple[HoldingKind, date], int], today: date) -> tuple[DueCount, ...]:
    groups: dict[tuple[HoldingKind, Limit], DueCount] = {}
    for (kind, day), things in listed.items():
        by = destroy_by(_one(kind, schedule.gallery, day), schedule)
        if today > by.day and things > 0:
            fresh = DueCount(kind, by.limit, things, (today - by.day).days)
            groups[kind, by.limit] = _together(groups.get((kind, by.limit)), fresh)
    return tuple(groups[each] for each in sorted(groups))


def _counted(listed: Sequence[Due]) -> tuple[DueCount, ...]:
    groups: dict[tuple[HoldingKind, Limit], DueCount] = {}
    for each in listed:
        kind, limit = each.holding.kind, each.by.limit
        groups[kind, limit] = _together(groups.get((kind, limit)), DueCount(kind, limit, 1, each.overdue_days))
    return tuple(groups[each] for each in sorted(groups))


def _together(one: DueCount | None, other: DueCount) -> DueCount:
    if one is None:
        return other
    most = max(one.most_overdue_days, other.most_overdue_days)
    return replace(other, count=one.count + other.count, most_overdue_days=most)
