"""Retention: schedules, what is due, runs, and orders to preserve."""

from dataclasses import dataclass
from datetime import date, datetime

from recognizance.api.forms import Day, Days, Sha256, Years, form
from recognizance.api.routes import Call, Method, Nothing, Route, Who
from recognizance.api.services import PageQuery, Services
from recognizance.errors import NotFoundError
from recognizance.governance import Act
from recognizance.governance.retention import YEARS_AFTER_LAST_INTERACTION, HoldingKind, Limit, Schedule
from recognizance.identifiers import GalleryId
from recognizance.retention_runs import RunReport


@dataclass(frozen=True, slots=True)
class KindDays:
    """How long one kind of thing is kept, from the day on which it was made."""

    kind: HoldingKind
    days: Days


@form
class ScheduleForm:
    """How long a gallery keeps what; public."""

    days: tuple[KindDays, ...] = ()
    years_after_last_interaction: Years = YEARS_AFTER_LAST_INTERACTION


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """How long a gallery keeps what."""

    gallery: str
    days: tuple[KindDays, ...]
    years_after_last_interaction: int


@dataclass(frozen=True, slots=True)
class DueView:
    """How much of a kind a run would destroy today, by which rule."""

    kind: HoldingKind
    limit: Limit
    count: int
    most_overdue_days: int


@dataclass(frozen=True, slots=True)
class DueList:
    """What a run would destroy today."""

    gallery: str
    due: tuple[DueView, ...]


@dataclass(frozen=True, slots=True)
class RunView:
    """What a run did in one gallery.

    Attributes:
        run: Null for a gallery without a schedule, in which nothing was touched.
        held: Things that would have gone but for an order to preserve.
    """

    gallery: str
    run: str | None
    destroyed_at: datetime | None
    destroyed: tuple[DueView, ...]
    failed: int
    kept: int
    held: int


@dataclass(frozen=True, slots=True)
class RunList:
    """What a run did, gallery by gallery; one that it failed in is absent and tried again."""

    runs: tuple[RunView, ...]


@form
class HoldForm:
    """An order to preserve.

    Attributes:
        order_sha256: Of the order itself, which stays with the operator.
        until: First day on which it no longer holds.
    """

    order_sha256: Sha256
    until: Day


@dataclass(frozen=True, slots=True)
class HoldView:
    """A thing that is held: a face, an image, or the results of a search by its ledger entry."""

    holding: str
    order_sha256: str
    until: date


@dataclass(frozen=True, slots=True)
class HoldPage:
    """Holds by what they hold, those that have ended included."""

    holds: tuple[HoldView, ...]
    next_page: str | None


def set_schedule(services: Services, call: Call[ScheduleForm, Nothing]) -> Nothing:
    gallery = _gallery(call)
    days = {each.kind: each.days for each in call.body.days}
    schedule = Schedule(gallery, days, call.body.years_after_last_interaction)
    services.retention.set_schedule(schedule, by=call.actor)
    return Nothing()


def show_schedule(services: Services, call: Call[Nothing, Nothing]) -> ScheduleView:
    gallery = _gallery(call)
    schedule = services.retention.schedule(gallery)
    if schedule is None:
        raise NotFoundError(f"gallery {gallery!r} has no retention schedule")
    days = tuple(KindDays(kind, count) for kind, count in sorted(schedule.days.items()))
    return ScheduleView(gallery, days, schedule.years_after_last_interaction)


def list_due(services: Services, call: Call[Nothing, Nothing]) -> DueList:
    gallery = _gallery(call)
    found = services.retention.due_counts(gallery, by=call.actor)
    due = (DueView(each.kind, each.limit, each.count, each.most_overdue_days) for each in found)
    return DueList(gallery, tuple(due))


def run_retention(services: Services, call: Call[Nothing, Nothing]) -> RunList:
    return RunList(tuple(_run(each) for each in services.retention.run_all(by=call.actor)))


def hold(services: Services, call: Call[HoldForm, Nothing]) -> Nothing:
    gallery = _gallery(call)
    services.retention.hold(
        call.path["holding"],
        document_sha256=call.body.order_sha256,
        until=call.body.until,
        gallery=gallery,
        by=call.actor,
    )
    return Nothing()


def list_holds(services: Services, call: Call[Nothing, PageQuery]) -> HoldPage:
    services.require(call.actor, Act.RUN_RETENTION)
    page, token = services.page("list_holds", services.retention.holds(), lambda each: each.holding, call.query)
    return HoldPage(tuple(HoldView(each.holding, each.document_sha256, each.until) for each in page), token)


def _run(report: RunReport) -> RunView:
    receipt = report.receipt
    lines = () if receipt is None else receipt.lines
    return RunView(
        gallery=report.gallery,
        run=None if receipt is None else receipt.run,
        destroyed_at=None if receipt is None else receipt.destroyed_at,
        destroyed=tuple(DueView(each.kind, each.limit, each.count, each.most_overdue_days) for each in lines),
        failed=0 if receipt is None else receipt.failed,
        kept=report.kept,
        held=report.held,
    )


def _gallery(call: Call[object, object]) -> GalleryId:
    return GalleryId(call.path["gallery"])


ROUTES = (
    Route(
        "set_schedule",
        Method.PUT,
        "/galleries/{gallery}/retention",
        "Say how long a gallery keeps what.",
        set_schedule,
        Nothing,
        act=Act.MANAGE_GALLERY,
        body=ScheduleForm,
    ),
    Route(
        "show_schedule",
        Method.GET,
        "/galleries/{gallery}/retention",
        "Show how long a gallery keeps what.",
        show_schedule,
        ScheduleView,
        Who.ANYBODY,
    ),
    Route(
        "list_due",
        Method.GET,
        "/galleries/{gallery}/retention/due",
        "Say what a run would destroy today.",
        list_due,
        DueList,
        act=Act.MANAGE_GALLERY,
    ),
    Route(
        "hold",
        Method.PUT,
        "/galleries/{gallery}/holds/{holding}",
        "Keep something by an order to preserve.",
        hold,
        Nothing,
        act=Act.MANAGE_GALLERY,
        body=HoldForm,
    ),
    Route(
        "list_holds",
        Method.GET,
        "/holds",
        "List what is held by orders to preserve.",
        list_holds,
        HoldPage,
        act=Act.RUN_RETENTION,
        query=PageQuery,
    ),
    Route(
        "run_retention",
        Method.POST,
        "/retention-runs",
        "Destroy what is due in every gallery.",
        run_retention,
        RunList,
        act=Act.RUN_RETENTION,
    ),
)
