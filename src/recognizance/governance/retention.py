"""Retention: until when a gallery's faces, kept images, probes and results may be kept, and what is due now.

Each gallery has a public schedule; what has none is refused, never kept by default. The earliest of a schedule's limits
counts. A court's order to preserve holds destruction back, visibly and until a stated date. Nothing is destroyed here:
this says what is due and what a receipt of destruction states. Pure: days come in.

Implements `docs/governance.md`, "Retention". Illinois BIPA 15(a) is the model for one of the limits: destroy when the
purpose has been met or three years after the person's last interaction, whichever is first.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NewType

from recognizance.errors import ConflictError, InputError
from recognizance.governance.oversight import Sha256Hex, sha256_hex
from recognizance.governance.parties import UseId
from recognizance.governance.uses import Use, results_must_go
from recognizance.identifiers import GalleryId

HoldingId = NewType("HoldingId", str)
"""The id of a kept thing: a face id, an image id, a search id."""

RetentionRunId = NewType("RetentionRunId", str)

YEARS_AFTER_LAST_INTERACTION = 3
"""Illinois BIPA, 740 ILCS 14/15(a)."""


class HoldingKind(StrEnum):
    FACE = "face"
    KEPT_IMAGE = "kept_image"
    PROBE = "probe"
    RESULT = "result"
    """A candidate list with its review: what a search left behind."""
    WATCHLIST = "watchlist"


class Limit(StrEnum):
    """Which rule set the day; published with each receipt."""

    PURPOSE_ENDED = "purpose_ended"
    LAST_INTERACTION = "last_interaction"
    AGE = "age"
    DEPLOYMENT_ENDED = "deployment_ended"
    EMERGENCY_LAPSED = "emergency_lapsed"


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long a gallery keeps things. Public.

    Attributes:
        years_after_last_interaction: For faces and kept images; calendar years.
        days: The most days that a thing of each kind is kept after it was made. A kind that isn't here may not be kept
            at all, but for faces, which the other limits cover.
    """

    gallery: GalleryId
    days: Mapping[HoldingKind, int]
    years_after_last_interaction: int = YEARS_AFTER_LAST_INTERACTION

    def __post_init__(self) -> None:
        if not 1 <= self.years_after_last_interaction <= YEARS_AFTER_LAST_INTERACTION:
            raise InputError(
                f"gallery {self.gallery!r} keeps faces {self.years_after_last_interaction} years after the last "
                f"interaction; the limit is {YEARS_AFTER_LAST_INTERACTION}"
            )
        for kind, days in self.days.items():
            if days < 0:
                raise InputError(f"gallery {self.gallery!r} keeps a {kind.value} {days} days")


@dataclass(frozen=True, slots=True)
class Holding:
    """One thing that is kept.

    Attributes:
        last_interaction: Of the person it shows with the operator; the day of making if there was none since.
        purpose_ended: The day on which what it was kept for was met; `None` as long as it isn't.
        use: The use that a result came from; `None` for what no search made.
    """

    id: HoldingId
    kind: HoldingKind
    gallery: GalleryId
    made: date
    last_interaction: date
    purpose_ended: date | None = None
    use: UseId | None = None

    def __post_init__(self) -> None:
        if self.last_interaction < self.made:
            raise InputError(f"{self.kind.value} {self.id!r} had its last interaction before it was made")


@dataclass(frozen=True, slots=True)
class Hold:
    """An order to preserve: a court's, or a defendant's right to what was found.

    Attributes:
        until: First day on which it no longer holds; there is none without an end.
    """

    holding: HoldingId
    document_sha256: Sha256Hex
    until: date

    def __post_init__(self) -> None:
        sha256_hex(self.document_sha256)


@dataclass(frozen=True, slots=True, order=True)
class DestroyBy:
    """The last day on which something may still be kept, and the rule that set it."""

    day: date
    limit: Limit


def years_after(day: date, years: int) -> date:
    """The same day, some years on; 29 February becomes the 28th where there is none, so never later.

    >>> years_after(date(2024, 2, 29), 3)
    datetime.date(2027, 2, 28)
    """
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def destroy_by(holding: Holding, schedule: Schedule) -> DestroyBy:
    """The earliest of the limits that apply to a thing.

    Raises:
        InputError: If the schedule is another gallery's, or says nothing about this kind: then it may not be kept.
    """
    if schedule.gallery != holding.gallery:
        raise InputError(f"the schedule of {schedule.gallery!r} says nothing about gallery {holding.gallery!r}")
    limits: list[DestroyBy] = []
    if holding.purpose_ended is not None:
        ended = Limit.DEPLOYMENT_ENDED if holding.kind is HoldingKind.WATCHLIST else Limit.PURPOSE_ENDED
        limits.append(DestroyBy(holding.purpose_ended, ended))
    if holding.kind in {HoldingKind.FACE, HoldingKind.KEPT_IMAGE}:
        day = years_after(holding.last_interaction, schedule.years_after_last_interaction)
        limits.append(DestroyBy(day, Limit.LAST_INTERACTION))
    if holding.kind in schedule.days:
        limits.append(DestroyBy(holding.made + timedelta(days=schedule.days[holding.kind]), Limit.AGE))
    elif holding.kind is not HoldingKind.FACE:
        raise InputError(f"the schedule of {schedule.gallery!r} doesn't say how long a {holding.kind.value} is kept")
    return min(limits)


@dataclass(frozen=True, slots=True)
class Due:
    """Something that has to be destroyed now."""

    holding: Holding
    by: DestroyBy
    overdue_days: int


def due(
    holdings: Iterable[Holding], schedules: Mapping[GalleryId, Schedule], holds: Iterable[Hold], today: date
) -> tuple[Due, ...]:
    """What has to be destroyed today, the most overdue first, then by id.

    On its last day a thing may still be kept; it is due on the day after. A hold keeps it for as long as it holds.

    Raises:
        InputError: If a thing has no schedule: that is refused, never overlooked.
    """
    held = {hold.holding for hold in holds if today < hold.until}
    found: list[Due] = []
    for holding in holdings:
        schedule = schedules.get(holding.gallery)
        if schedule is None:
            raise InputError(f"gallery {holding.gallery!r} has no retention schedule")
        by = destroy_by(holding, schedule)
        if today > by.day and holding.id not in held:
            found.append(Due(holding, by, (today - by.day).days))
    return tuple(sorted(found, key=lambda item: (item.by.day, item.holding.id)))


def lapsed_results(results: Iterable[Holding], uses: Mapping[UseId, Use], now: datetime) -> tuple[Due, ...]:
    """What an emergency that nobody authorised in time left behind: every probe and result of it, the gallery never.

    A hold doesn't keep these: whoever has an order to preserve them has 48 hours to have the emergency authorised.

    Raises:
        InputError: If something other than a probe or a result is given, or its use is unknown.
    """
    found: list[Due] = []
    for holding in results:
        if holding.kind not in {HoldingKind.PROBE, HoldingKind.RESULT} or holding.use is None:
            raise InputError(f"{holding.kind.value} {holding.id!r} isn't the result of a search")
        use = uses.get(holding.use)
        if use is None:
            raise InputError(f"{holding.kind.value} {holding.id!r} belongs to the unknown use {holding.use!r}")
        if results_must_go(use, now):
            day = now.date()
            found.append(Due(holding, DestroyBy(day, Limit.EMERGENCY_LAPSED), 0))
    return tuple(sorted(found, key=lambda item: item.holding.id))


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """How many things of one kind went by one rule, and how late the latest of them was."""

    kind: HoldingKind
    limit: Limit
    count: int
    most_overdue_days: int


@dataclass(frozen=True, slots=True)
class DestructionReceipt:
    """What the ledger says of one run: how much of what went, by which rule. Counts and hashes only, nobody's id.

    Attributes:
        content_before_sha256, content_after_sha256: Commitments to the gallery's content, so that a run can be checked
            against the gallery's own history.
        failed: Things that were due and could not be destroyed; a run never hides them.
    """

    run: RetentionRunId
    gallery: GalleryId
    destroyed_at: datetime
    lines: tuple[ReceiptLine, ...]
    content_before_sha256: Sha256Hex
    content_after_sha256: Sha256Hex
    failed: int

    @property
    def count(self) -> int:
        return sum(line.count for line in self.lines)


def receipt(
    run: RetentionRunId,
    gallery: GalleryId,
    *,
    ordered: Sequence[Due],
    destroyed: frozenset[HoldingId],
    content_before_sha256: Sha256Hex,
    content_after_sha256: Sha256Hex,
    now: datetime,
) -> DestructionReceipt:
    """Account for a run: everything ordered was destroyed or is counted as failed.

    Raises:
        ConflictError: If something was destroyed that nobody ordered, or belongs to another gallery.
    """
    ours = {item.holding.id: item for item in ordered if item.holding.gallery == gallery}
    strangers = destroyed - ours.keys()
    if strangers:
        raise ConflictError(f"run {run!r} destroyed {len(strangers)} things that were not due in gallery {gallery!r}")
    groups: dict[tuple[HoldingKind, Limit], list[int]] = {}
    for holding in sorted(destroyed):
        item = ours[holding]
        groups.setdefault((item.holding.kind, item.by.limit), []).append(item.overdue_days)
    lines = tuple(ReceiptLine(kind, limit, len(days), max(days)) for (kind, limit), days in sorted(groups.items()))
    return DestructionReceipt(
        run=run,
        gallery=gallery,
        destroyed_at=now,
        lines=lines,
        content_before_sha256=content_before_sha256,
        content_after_sha256=content_after_sha256,
        failed=len(ours) - len(destroyed),
    )
