"""Retention, carried out: what a gallery's schedule says is due is destroyed by the service itself, with a receipt.

A run reads what a gallery keeps (faces, photographs, results of searches), asks `governance.retention` what is due, has
`erasure` destroy it, and accounts for it: how much went by which rule, how late it was, what is held by an order to
preserve, and what failed. An emergency that nobody authorised in time loses its results in the same run. Every run is
on the record. A gallery without a schedule is reported as such and nothing in it is touched but the results of such an
emergency: no rule says how long the rest may be kept, which is for a person to mend and not for a guess.

A run that was interrupted is simply run again: what it destroyed is gone, and the rest is still due. Implements
`docs/forgetting.md`, "Retention".
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from hashlib import sha256

from recognizance.errors import ConflictError, Error, InputError, NotFoundError
from recognizance.forgetting.erasure import HOLD_KIND, Cause, Erasure, Order
from recognizance.forgetting.left_behind import left_behind
from recognizance.galleries import Clock
from recognizance.governance import Act
from recognizance.governance.codec import read_document, write_document
from recognizance.governance.oversight import Sha256Hex
from recognizance.governance.retention import (
    DestructionReceipt,
    Due,
    Hold,
    HoldingId,
    HoldingKind,
    RetentionRunId,
    Schedule,
    receipt,
)
from recognizance.governing.registration import Actor, Gate
from recognizance.identifiers import FaceId, GalleryId, ImageId
from recognizance.ledger import EntryId, Facts, facts
from recognizance.permits import Action, Permit
from recognizance.recording import EntryDraft, Recorder
from recognizance.records import Document, GalleryRow, Records
from recognizance.retention_holdings import SCHEDULE_KIND, DueCount, Holdings, every_hold, schedule_body, schedule_of
from recognizance.reviewing.upkeep import destroy_due

RUN_KIND = "retention_run"
BATCH = 256
"""Things destroyed in one transaction: a run never keeps others from writing for long."""

_PAGE = 1000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run did in one gallery.

    Attributes:
        receipt: `None` for a gallery without a schedule, in which no emergency's results were due either.
        kept: What the gallery holds after the run, of everything that its schedule covers.
        held: Things that would have gone but for an order to preserve.
    """

    gallery: GalleryId
    receipt: DestructionReceipt | None
    kept: int = 0
    held: int = 0


class RetentionRuns:
    """Keeps schedules and holds, and runs. Safe to share between threads; two runs at once do no harm.

    Whoever acts is named with each call and asked for by the policy: schedules, holds and what is due are for those who
    manage the gallery, runs for those who run retention as well. A refusal is a `DeniedError`, on the record.

    Args:
        upkeep: What else is forgotten in time, and has no schedule because it holds no face; with each run of all.
    """

    def __init__(
        self,
        records: Records,
        recorder: Recorder,
        gate: Gate,
        erasure: Erasure,
        *,
        clock: Clock,
        new_id: Callable[[], str],
        upkeep: Sequence[Callable[[], object]] = (),
    ) -> None:
        self._records = records
        self._recorder = recorder
        self._gate = gate
        self._erasure = erasure
        self._clock = clock
        self._new_id = new_id
        self._upkeep = tuple(upkeep)
        self._holdings = Holdings(recorder, clock=clock)

    def set_schedule(self, schedule: Schedule, *, by: Actor) -> None:
        """Say how long a gallery keeps what; public from now on.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        permit = self._gate.permit(by, Action.MANAGE_GALLERY, schedule.gallery)
        body = schedule_body(schedule)
        with self._recorder.changing() as change:
            row = change.transaction.gallery(schedule.gallery)
            fresh = Document(SCHEDULE_KIND, schedule.gallery, "in_force", body)
            try:
                known = change.transaction.document(SCHEDULE_KIND, schedule.gallery)
            except NotFoundError:
                change.transaction.insert_document(fresh)
            else:
                change.transaction.replace_document(replace(fresh, revision=known.revision))

            def said(entry: EntryDraft) -> Facts:
                listed = ", ".join(f"{kind.value} {count} days" for kind, count in sorted(schedule.days.items()))
                return facts.Retention(
                    gallery=row.id,
                    years_after_last_interaction=schedule.years_after_last_interaction,
                    limits=listed or "none beside the last interaction",
                    changed_by=entry.pseudonym(permit.principal),
                )

            change.enter(said)

    def schedule(self, gallery: GalleryId) -> Schedule | None:
        """A gallery's schedule; `None` if it has none."""
        with self._records.reading() as reader:
            return schedule_of(reader, gallery)

    def hold(self, holding: str, *, document_sha256: str, until: date, gallery: GalleryId, by: Actor) -> None:
        """Keep a thing from being destroyed, by an order to preserve, until a date. Again replaces the date.

        Args:
            holding: A face's id, an image's id, or the ledger's entry of a search.
            document_sha256: Of the order.

        Raises:
            InputError: If the date has passed or the hash isn't one.
        """
        permit = self._gate.permit(by, Action.MANAGE_GALLERY, gallery)
        hold = Hold(HoldingId(holding), Sha256Hex(document_sha256), until)
        if until <= self._clock().date():
            raise InputError(f"the order ends on {until}, which isn't after today")
        with self._recorder.changing() as change:
            fresh = Document(HOLD_KIND, holding, "held", write_document(hold), {"gallery": gallery})
            try:
                known = change.transaction.document(HOLD_KIND, holding)
            except NotFoundError:
                change.transaction.insert_document(fresh)
            else:
                change.transaction.replace_document(replace(fresh, revision=known.revision))

            def said(entry: EntryDraft) -> Facts:
                return facts.Hold(
                    gallery=gallery,
                    until=datetime.combine(until, time(), UTC),
                    order_digest=hold.document_sha256,
                    held_by=entry.pseudonym(permit.principal),
                    holding=entry.commit("holding", holding),
                )

            change.enter(said)

    def holds(self) -> list[Hold]:
        """All holds, those that have ended included, ordered by what they hold."""
        with self._records.reading() as reader:
            return list(every_hold(reader))

    def receipts(self, *, most: int = 50) -> list[DestructionReceipt]:
        """Receipts of runs, the latest first. They count what went and name nobody; their digests are public."""
        found: list[DestructionReceipt] = []
        after = ""
        with self._records.reading() as reader:
            while page := reader.documents(RUN_KIND, after=after, limit=_PAGE):
                after = page[-1].id
                found += [read_document(DestructionReceipt, document.body) for document in page]
        return sorted(found, key=lambda each: (each.destroyed_at, each.run), reverse=True)[:most]

    def due(self, gallery: GalleryId, *, by: Actor) -> tuple[Due, ...]:
        """What a run would destroy today.

        Raises:
            NotFoundError: If there is no such gallery.
            InputError: If it has no schedule, or its schedule doesn't say how long something is kept that it holds.
        """
        self._gate.permit(by, Action.MANAGE_GALLERY, gallery)
        with self._records.reading() as reader:
            found = self._holdings.found(reader, gallery)
            if found.schedule is None:
                raise InputError(f"gallery {gallery!r} has no retention schedule")
            return self._holdings.due(reader, found)

    def due_counts(self, gallery: GalleryId, *, by: Actor) -> tuple[DueCount, ...]:
        """What `due` would list, counted: at once, however much the gallery keeps. Raises as `due` does."""
        self._gate.permit(by, Action.MANAGE_GALLERY, gallery)
        with self._records.reading() as reader:
            return self._holdings.due_counts(reader, gallery)

    def run_all(self, *, by: Actor) -> list[RunReport]:
        """Run for every gallery, ordered by name. What fails in one doesn't keep the others from their run.

        What reviews that have ended still hold, pictures and names, goes with it when its time has come; so do
        whole test galleries that testers left behind.

        Raises:
            DeniedError: If whoever runs it may not.
        """
        self._gate.require(by, Act.RUN_RETENTION)
        self._end_reviews()
        self._end_tests(by)
        self._forget_the_rest()
        reports: list[RunReport] = []
        after: GalleryId | None = None
        while True:
            with self._records.reading() as reader:
                page = reader.galleries(after=after, limit=100)
            if not page:
                return reports
            for row in page:
                after = row.id
                try:
                    reports.append(self._run(row.id, by))
                except Error as error:
                    # A gallery that was deleted meanwhile has nothing left; anything else is tried again next time.
                    _log.error("retention of gallery %s failed", row.id, exc_info=error)

    def _end_reviews(self) -> None:
        try:
            destroy_due(self._recorder, self._clock())
        except Error as error:
            # What is due stays due; the next run takes it up.
            _log.error("destroying what ended reviews hold failed", exc_info=error)

    def _forget_the_rest(self) -> None:
        for forget in self._upkeep:
            try:
                forget()
            except Error as error:
                # As above: it is as due at the next run.
                _log.error("forgetting what has no schedule failed", exc_info=error)

    def _end_tests(self, by: Actor) -> None:
        """Erase test galleries that nobody will delete any more. No schedule is asked: nobody may keep one."""
        with self._records.reading() as reader:
            forgotten = left_behind(reader, self._clock())
        for gallery in forgotten:
            try:
                permit = self._gate.permit(by, Action.MANAGE_GALLERY, gallery)
                self._erasure.gallery(gallery, order=Order(Cause.RETENTION), permit=permit)
            except Error as error:
                # Its tester may have deleted it meanwhile; what is still there is due at the next run.
                _log.error("the test gallery %s could not be erased", gallery, exc_info=error)

    def run(self, gallery: GalleryId, *, by: Actor) -> RunReport:
        """Destroy what is due in a gallery.

        Raises:
            NotFoundError: If there is no such gallery.
            DeniedError: If whoever runs it may not.
            InputError: If the schedule doesn't say how long something is kept that the gallery holds.
            UnavailableError: If it couldn't be put on the record; what was destroyed is, and the rest is still due.
        """
        self._gate.require(by, Act.RUN_RETENTION)
        return self._run(gallery, by)

    def _run(self, gallery: GalleryId, by: Actor) -> RunReport:
        permit = self._gate.permit(by, Action.MANAGE_GALLERY, gallery)
        with self._records.reading() as reader:
            found = self._holdings.found(reader, gallery)
            ordered = self._holdings.due(reader, found)
            if found.schedule is None and not ordered:
                return RunReport(gallery, None)
            held = self._holdings.held(found, ordered)
            row = found.row
        destroyed: set[HoldingId] = set()
        entries: list[EntryId] = []
        for batch in _batches(ordered):
            done, entry = self._destroy(gallery, batch, permit)
            destroyed |= done
            entries += entry
        with self._records.reading() as reader:
            after = reader.gallery(gallery)
        accounted = receipt(
            RetentionRunId(self._new_id()),
            gallery,
            ordered=ordered,
            destroyed=frozenset(destroyed),
            content_before_sha256=_content_sha256(row),
            content_after_sha256=_content_sha256(after),
            now=self._clock(),
        )
        report = RunReport(gallery, accounted, len(found.holdings) - len(destroyed), held)
        self._account(report, entries)
        return report

    def _destroy(
        self, gallery: GalleryId, batch: Sequence[Due], permit: Permit
    ) -> tuple[set[HoldingId], list[EntryId]]:
        """Destroy things of one kind and cause; if one of them can't be, the others go one by one."""
        try:
            return self._destroyed(gallery, batch, permit)
        except ConflictError:
            if len(batch) == 1:
                return set(), []
        done: set[HoldingId] = set()
        entries: list[EntryId] = []
        for each in batch:
            ids, entry = self._destroy(gallery, [each], permit)
            done |= ids
            entries += entry
        return done, entries

    def _destroyed(
        self, gallery: GalleryId, batch: Sequence[Due], permit: Permit
    ) -> tuple[set[HoldingId], list[EntryId]]:
        ids = [each.holding.id for each in batch]
        kind, lapsed = batch[0].holding.kind, batch[0].by.limit.value == Cause.EMERGENCY_LAPSED.value
        order = Order(Cause.EMERGENCY_LAPSED if lapsed else Cause.RETENTION)
        if kind is HoldingKind.KEPT_IMAGE:
            with self._recorder.changing() as change:
                for each in ids:
                    change.transaction.forget_image(gallery, ImageId(each))
            return set(ids), []
        if kind is HoldingKind.FACE:
            erased = self._erasure.faces(gallery, [FaceId(each) for each in ids], order=order, permit=permit)
        else:
            erased = self._erasure.results(gallery, [EntryId(each) for each in ids], order=order, permit=permit)
        return set(ids), [] if erased.entry is None else [erased.entry]

    def _account(self, report: RunReport, entries: Sequence[EntryId]) -> None:
        """Put a run on the record, whether or not anything was due."""
        accounted = report.receipt
        if accounted is None:
            raise ValueError("a run without a receipt has nothing to account for")
        with self._recorder.changing() as change:
            change.transaction.insert_document(
                Document(RUN_KIND, accounted.run, "done", write_document(accounted), {"gallery": report.gallery})
            )
            rules = sorted({line.limit.value for line in accounted.lines})

            def said(_entry: EntryDraft) -> Facts:
                return facts.RetentionRun(
                    gallery=report.gallery,
                    rule="/".join(rules) or "nothing_due",
                    due_before=datetime.combine(accounted.destroyed_at.date(), time(), UTC),
                    faces_destroyed=sum(line.count for line in accounted.lines if line.kind is HoldingKind.FACE),
                    things_destroyed=accounted.count,
                    things_kept=report.kept,
                    things_held=report.held,
                    failed=accounted.failed,
                    receipt_digest=sha256(write_document(accounted)).hexdigest(),
                    erasures=tuple(entries[:256]),
                )

            change.enter(said)


def _batches(ordered: Sequence[Due]) -> Iterator[Sequence[Due]]:
    """Things that can be destroyed together: of one kind, by one rule."""
    groups: dict[tuple[HoldingKind, str], list[Due]] = {}
    for each in ordered:
        groups.setdefault((each.holding.kind, each.by.limit.value), []).append(each)
    for group in groups.values():
        for start in range(0, len(group), BATCH):
            yield group[start : start + BATCH]


def _content_sha256(row: GalleryRow) -> Sha256Hex:
    """Names a state of a gallery by the version that the ledger's own entries about it carry."""
    return Sha256Hex(sha256(f"{row.id}\n{row.version}\n{row.face_count}".encode()).hexdigest())
