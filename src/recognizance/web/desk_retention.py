"""Pages of retention: how long each gallery keeps what, what is due, runs with their receipts, orders to preserve.

Schedules and orders are for those who manage a gallery, runs for administrators; the services ask. A receipt counts and
names nobody. Implements docs/desk-pages.md, "Retention".
"""

import hashlib

from starlette.responses import Response

from recognizance.errors import InputError
from recognizance.galleries import Clock
from recognizance.governance.parties import Role
from recognizance.governance.retention import (
    YEARS_AFTER_LAST_INTERACTION,
    HoldingKind,
    Schedule,
)
from recognizance.identifiers import GalleryId
from recognizance.records import GalleryRow, Records
from recognizance.retention_runs import RetentionRuns
from recognizance.web.desk_words import HOLDINGS, LIMITS
from recognizance.web.frame import Page, only
from recognizance.web.language import N_
from recognizance.web.visits import Message, Tone, Visit

MAX_ORDER_BYTES = 20 << 20
MOST_DAYS = 36_500
MOST_GALLERIES = 1000
_KEEPERS = only(Role.ADMINISTRATOR, Role.SUPERVISOR)
SCHEDULED = (HoldingKind.FACE, HoldingKind.KEPT_IMAGE, HoldingKind.RESULT)
"""What the service itself destroys by age."""


class RetentionPages:
    """Args: clock: Only for what pages show."""

    def __init__(self, records: Records, retention: RetentionRuns, *, clock: Clock) -> None:
        self._records = records
        self._retention = retention
        self._clock = clock

    def table(self) -> list[Page]:
        return [
            Page("/retention", self.overview, _KEEPERS, has_form=True, navigation=N_("Retention")),
            Page("/retention/{gallery}", self.gallery, _KEEPERS, has_form=True),
            Page(
                "/retention/{gallery}/hold",
                self.hold,
                _KEEPERS,
                has_form=True,
                most_files=1,
                most_bytes=MAX_ORDER_BYTES,
            ),
        ]

    def overview(self, visit: Visit) -> Response:
        """All galleries with their schedules, and the latest receipts; the form runs retention now."""
        if visit.is_post:
            reports = self._retention.run_all(by=visit.actor())
            gone = sum(each.receipt.count for each in reports if each.receipt is not None)
            visit.say(
                visit.ngettext("%(num)d thing was destroyed.", "%(num)d things were destroyed.", gone) % {"num": gone}
            )
            return visit.redirect("/retention")
        with self._records.reading() as reader:
            rows: list[GalleryRow] = reader.galleries(limit=MOST_GALLERIES)
        today = self._clock().date()
        return visit.page(
            "desk/retention.html",
            galleries=[(row, self._retention.schedule(row.id)) for row in rows],
            receipts=self._retention.receipts(),
            holds=[each for each in self._retention.holds() if today < each.until],
            may_run=visit.has_role(Role.ADMINISTRATOR),
            holdings=HOLDINGS,
            limits=LIMITS,
        )

    def gallery(self, visit: Visit) -> Response:
        gallery = GalleryId(visit.path["gallery"])
        with self._records.reading() as reader:
            reader.gallery(gallery)
        if visit.is_post:
            schedule = _schedule(visit, gallery)
            if schedule is not None:
                self._retention.set_schedule(schedule, by=visit.actor())
                visit.say(visit.gettext("The schedule is in force, and public."))
                return visit.redirect(f"/retention/{gallery}")
        schedule = self._retention.schedule(gallery)
        return visit.page(
            "desk/schedule.html",
            status=422 if visit.form.errors else 200,
            gallery=gallery,
            schedule=schedule,
            scheduled=SCHEDULED,
            due=self._due(visit, gallery, schedule),
            holdings=HOLDINGS,
            limits=LIMITS,
            most_years=YEARS_AFTER_LAST_INTERACTION,
        )

    def hold(self, visit: Visit) -> Response:
        """Keep something by an order; of the order itself only its hash is taken, here."""
        gallery = GalleryId(visit.path["gallery"])
        if visit.is_post:
            holding, until = visit.form.text("holding", most=255), visit.form.day("until")
            order = visit.form.files.get("order", ())
            if not order:
                visit.form.fail("order", N_("Choose the file of the order."))
            if until is not None and order and visit.form.is_sound:
                digest = hashlib.sha256(order[0].data).hexdigest()
                try:
                    self._retention.hold(
                        holding, document_sha256=digest, until=until, gallery=gallery, by=visit.actor()
                    )
                except InputError:
                    visit.form.fail("until", N_("This day isn't after today."))
                else:
                    visit.say(visit.gettext("It is held, and on the record."))
                    return visit.redirect(f"/retention/{gallery}")
            return visit.again("desk/hold.html", gallery=gallery)
        return visit.page("desk/hold.html", gallery=gallery)

    def _due(
        self, visit: Visit, gallery: GalleryId, schedule: Schedule | None
    ) -> list[tuple[HoldingKind, str, int]] | None:
        """What a run would destroy today, counted; `None` where the schedule doesn't say."""
        if schedule is None:
            return None
        try:
            due = self._retention.due_counts(gallery, by=visit.actor())
        except InputError as error:
            # The gallery holds something of which its schedule doesn't say how long: said, and mended here.
            visit.messages.append(_warning(visit.in_words(error)))
            return None
        return [(each.kind, LIMITS[each.limit], each.count) for each in due]


def _warning(text: str) -> Message:
    return Message(Tone.WARNING, text)


def _schedule(visit: Visit, gallery: GalleryId) -> Schedule | None:
    form = visit.form
    years = form.whole_number("years", low=1, high=YEARS_AFTER_LAST_INTERACTION)
    days: dict[HoldingKind, int] = {}
    for kind in SCHEDULED:
        name = f"days-{kind.value}"
        if form.raw(name).strip():
            count = form.whole_number(name, low=0, high=MOST_DAYS)
            if count is not None:
                days[kind] = count
    if years is None or not form.is_sound:
        return None
    return Schedule(gallery, days, years)
