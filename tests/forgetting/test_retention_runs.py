"""Retention runs: what is due goes, with a receipt; what is held, recent or unscheduled stays, and is counted."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from recognizance.documents import Kind, UseRecord, inserted
from recognizance.errors import DeniedError, InputError, NotFoundError, UnavailableError
from recognizance.governance import Principal
from recognizance.governance.authority import OwnerDocket, Party
from recognizance.governance.retention import Due, HoldingKind, Limit, Schedule
from recognizance.governance.uses import Use, UseState
from recognizance.governing.registration import Actor, at_the_machine
from recognizance.identifiers import FaceId, GalleryId, PrincipalId
from recognizance.ledger import Entry, FolderSource, facts, prove
from recognizance.permits import Action, Mandate
from recognizance.retention_holdings import RESULTS_AT_ONCE
from recognizance.retention_runs import RetentionRuns
from recognizance.rounds import Rounds

from .conftest import ADA, GALLERY, OTHER_GALLERY, Installation, permit_for

ROOT = at_the_machine()
SCHEDULE = Schedule(GALLERY, {HoldingKind.KEPT_IMAGE: 10, HoldingKind.RESULT: 5, HoldingKind.FACE: 30})


@pytest.fixture
def runs(installation: Installation) -> RetentionRuns:
    runs = RetentionRuns(
        installation.records,
        installation.recorder,
        installation.gate,
        installation.erasure(),
        clock=lambda: installation.now,
        new_id=installation.new_id,
    )
    runs.set_schedule(SCHEDULE, by=ROOT)
    return runs


class NobodysDocket(OwnerDocket):
    """A docket that knows nobody."""

    def party(self, principal: PrincipalId) -> Party | None:
        return None


def kept(installation: Installation) -> int:
    with installation.records.reading() as reader:
        return len(reader.kept_among(GALLERY, [row.image_id for row in installation.rows()]))


def said_last(installation: Installation) -> facts.RetentionRun:
    with installation.records.reading() as reader:
        last = reader.marked_size() - 1
    installation.settle()
    proven = prove(FolderSource(installation.recorder.public), (installation.recorder.verifier,), last)
    found = Entry.parse(proven.entry).facts
    assert isinstance(found, facts.RetentionRun)
    return found


def test_each_thing_goes_on_the_day_after_its_last(installation: Installation, runs: RetentionRuns) -> None:
    """Results after 5 days, photographs after 10, faces after 30: never earlier, and never by a day later."""
    [ada] = installation.enrol(subject=ADA)
    search = installation.search(ada.face_id)
    left = []
    for days in (5, 1, 4, 1, 19, 1):
        installation.after(days=days)
        runs.run(GALLERY, by=ROOT)
        left.append((len(installation.openable(search)), kept(installation), len(installation.rows())))

    assert left == [(4, 1, 1), (2, 1, 1), (2, 1, 1), (2, 0, 1), (2, 0, 1), (2, 0, 0)]
    assert installation.verified().is_sound


def test_a_run_accounts_for_everything_it_did(installation: Installation, runs: RetentionRuns) -> None:
    """By kind and rule, with how late it was; the ledger has the sums, and points to the erasures."""
    [ada], _ = installation.enrol(), installation.enrol()
    installation.after(days=20)
    [recent] = installation.enrol()
    installation.after(days=13)

    report = runs.run(GALLERY, by=ROOT)

    assert report.receipt is not None
    lines = [(line.kind, line.limit, line.count, line.most_overdue_days) for line in report.receipt.lines]
    assert lines == [(HoldingKind.FACE, Limit.AGE, 2, 3), (HoldingKind.KEPT_IMAGE, Limit.AGE, 3, 23)]
    assert report.receipt.failed == 0
    assert (report.kept, report.held) == (1, 0)
    assert [row.face_id for row in installation.rows()] == [recent.face_id]
    said = said_last(installation)
    assert (said.gallery, said.rule, said.faces_destroyed, said.things_destroyed) == (GALLERY, "age", 2, 5)
    assert (said.things_kept, said.failed) == (1, 0)
    assert len(said.erasures) == 1
    assert ada.face_id not in {row.face_id for row in installation.rows()}


def test_an_order_to_preserve_is_kept_until_it_ends_and_counted(
    installation: Installation, runs: RetentionRuns
) -> None:
    """What it holds stays; that something was held is public, what isn't."""
    [ada], [bob] = installation.enrol(), installation.enrol()
    until = installation.now.date() + timedelta(days=40)
    runs.hold(ada.face_id, document_sha256="0" * 64, until=until, gallery=GALLERY, by=ROOT)
    installation.after(days=31)

    first = runs.run(GALLERY, by=ROOT)
    during = [row.face_id for row in installation.rows()]
    installation.after(days=9)
    second = runs.run(GALLERY, by=ROOT)

    assert during == [ada.face_id]
    assert bob.face_id not in during
    assert (first.held, second.held) == (1, 0)
    assert installation.rows() == []
    assert [str(hold.holding) for hold in runs.holds()] == [ada.face_id]


def test_what_an_order_protects_indirectly_fails_is_counted_and_the_rest_goes(
    installation: Installation, runs: RetentionRuns
) -> None:
    """A search's candidates are held, so the face that they name can't go; its neighbours in the batch do."""
    [ada], [bob] = installation.enrol(), installation.enrol()
    search = installation.search(ada.face_id)
    until = installation.now.date() + timedelta(days=90)
    runs.hold(search, document_sha256="0" * 64, until=until, gallery=GALLERY, by=ROOT)
    installation.after(days=31)

    report = runs.run(GALLERY, by=ROOT)

    assert report.receipt is not None
    assert report.receipt.failed == 1
    assert [row.face_id for row in installation.rows()] == [ada.face_id]
    assert "result" in installation.openable(search)
    assert bob.face_id != ada.face_id


def test_without_a_schedule_nothing_is_touched_and_that_is_said(
    installation: Installation, runs: RetentionRuns
) -> None:
    """No rule says how long it may be kept: a person has to make one."""
    installation.enrol(gallery=OTHER_GALLERY)
    installation.after(days=5000)

    reports = {report.gallery: report for report in runs.run_all(by=ROOT)}

    assert reports[OTHER_GALLERY].receipt is None
    assert reports[GALLERY].receipt is not None
    assert len(installation.rows(OTHER_GALLERY)) == 1
    with pytest.raises(InputError, match="no retention schedule"):
        runs.due(OTHER_GALLERY, by=ROOT)


def test_a_kind_that_the_schedule_is_silent_about_stops_the_run(
    installation: Installation, runs: RetentionRuns
) -> None:
    """It may not be kept at all, and isn't guessed about."""
    installation.enrol()
    runs.set_schedule(Schedule(GALLERY, {HoldingKind.FACE: 30}), by=ROOT)

    with pytest.raises(InputError, match="kept_image"):
        runs.run(GALLERY, by=ROOT)
    assert runs.schedule(GALLERY) == Schedule(GALLERY, {HoldingKind.FACE: 30})


def test_running_again_destroys_nothing_more(installation: Installation, runs: RetentionRuns) -> None:
    """A run that was interrupted is simply run again."""
    installation.enrol()
    installation.after(days=31)

    assert len(runs.due(GALLERY, by=ROOT)) == 2
    first, second = runs.run(GALLERY, by=ROOT), runs.run(GALLERY, by=ROOT)

    assert first.receipt is not None
    assert second.receipt is not None
    assert (first.receipt.count, second.receipt.count) == (2, 0)
    assert said_last(installation).rule == "nothing_due"
    with pytest.raises(NotFoundError):
        runs.run(GalleryId("nowhere"), by=ROOT)


def test_an_order_that_has_ended_is_no_order(installation: Installation, runs: RetentionRuns) -> None:
    """It has to end after today, and name a document by its hash."""
    with pytest.raises(InputError, match="after today"):
        runs.hold("x", document_sha256="0" * 64, until=installation.now.date(), gallery=GALLERY, by=ROOT)
    tomorrow = installation.now.date() + timedelta(days=1)
    with pytest.raises(InputError):
        runs.hold("x", document_sha256="no hash", until=tomorrow, gallery=GALLERY, by=ROOT)


def test_an_emergency_that_lapsed_loses_its_results_and_no_order_keeps_them(
    installation: Installation, runs: RetentionRuns, use_in: Callable[..., Use]
) -> None:
    """Those of its own use, at once; the gallery and the results of other uses stay."""
    [ada] = installation.enrol()
    use: Use = use_in(UseState.LAPSED)
    with installation.records.transaction() as transaction:
        inserted(transaction, Kind.USE, use.id, UseRecord(use, "entry"))
    mandate = Mandate(use.id, "police", "find", "targeted", 5, True, "24-1701", None, None)
    lapsed = installation.search(ada.face_id, permit=replace(permit_for(Action.SEARCH), mandate=mandate))
    other = installation.search(ada.face_id)
    until = installation.now.date() + timedelta(days=9)
    runs.hold(lapsed, document_sha256="0" * 64, until=until, gallery=GALLERY, by=ROOT)
    installation.settle()

    runs.run(GALLERY, by=ROOT)

    assert installation.openable(lapsed) == {"case", "justification"}
    assert len(installation.rows()) == 1
    assert said_last(installation).rule == "emergency_lapsed"
    assert "result" in installation.openable(other)


def test_a_lapsed_emergency_loses_its_results_without_a_schedule_too(
    installation: Installation, runs: RetentionRuns, use_in: Callable[..., Use]
) -> None:
    """That nobody made a schedule for the gallery keeps nothing that 48 hours have ended; faces are left alone."""
    [ada] = installation.enrol(gallery=OTHER_GALLERY)
    use: Use = use_in(UseState.LAPSED)
    with installation.records.transaction() as transaction:
        inserted(transaction, Kind.USE, use.id, UseRecord(use, "entry"))
    mandate = Mandate(use.id, "police", "find", "targeted", 5, True, "24-1701", None, None)
    permit = replace(permit_for(Action.SEARCH, OTHER_GALLERY), mandate=mandate)
    lapsed = installation.search(ada.face_id, gallery=OTHER_GALLERY, permit=permit)
    installation.settle()

    report = runs.run(OTHER_GALLERY, by=ROOT)

    assert report.receipt is not None
    assert installation.openable(lapsed) == {"case", "justification"}
    assert said_last(installation).rule == "emergency_lapsed"
    assert len(installation.rows(OTHER_GALLERY)) == 1


def test_a_server_runs_retention_by_itself(installation: Installation, runs: RetentionRuns) -> None:
    """Soon after it starts, and it stops when it is told to."""
    installation.enrol()
    installation.after(days=31)
    rounds = Rounds(lambda: runs.run_all(by=ROOT), name="retention", every_s=3600)
    deadline = time.monotonic() + 20
    while installation.rows() and time.monotonic() < deadline:
        time.sleep(0.02)
    rounds.close()

    assert installation.rows() == []


def test_whoever_may_not_run_retention_is_refused_before_anything_goes(
    installation: Installation, runs: RetentionRuns
) -> None:
    """Somebody without a role neither makes schedules nor holds nor runs, and what is due stays."""
    installation.enrol()
    installation.after(days=31)
    outsider = Actor(Principal(PrincipalId("somebody"), frozenset()))
    nobody = RetentionRuns(
        installation.records,
        installation.recorder,
        installation.gate_of(NobodysDocket),
        installation.erasure(),
        clock=lambda: installation.now,
        new_id=installation.new_id,
    )

    for act in (
        lambda: nobody.run_all(by=outsider),
        lambda: nobody.run(GALLERY, by=outsider),
        lambda: nobody.due(GALLERY, by=outsider),
        lambda: nobody.set_schedule(SCHEDULE, by=outsider),
        lambda: nobody.hold(
            "x", document_sha256="0" * 64, until=installation.now.date() + timedelta(1), gallery=GALLERY, by=outsider
        ),
    ):
        with pytest.raises(DeniedError, match="the role administrator"):
            act()

    assert len(installation.rows()) == 1


def _let_entries_age(installation: Installation) -> None:
    """Have entries the time of the installation's clock; else all are of its beginning."""
    installation.recorder._clock = lambda: installation.now


def counted(listed: Sequence[Due]) -> dict[tuple[HoldingKind, Limit], tuple[int, int]]:
    """How many of each kind by each rule, and how late the latest."""
    groups: dict[tuple[HoldingKind, Limit], list[int]] = {}
    for each in listed:
        groups.setdefault((each.holding.kind, each.by.limit), []).append(each.overdue_days)
    return {which: (len(days), max(days)) for which, days in groups.items()}


def counts(runs: RetentionRuns) -> dict[tuple[HoldingKind, Limit], tuple[int, int]]:
    return {(each.kind, each.limit): (each.count, each.most_overdue_days) for each in runs.due_counts(GALLERY, by=ROOT)}


@pytest.mark.parametrize(
    "schedule",
    [
        SCHEDULE,
        Schedule(GALLERY, {HoldingKind.KEPT_IMAGE: 1500, HoldingKind.RESULT: 0}, years_after_last_interaction=1),
        Schedule(GALLERY, {HoldingKind.KEPT_IMAGE: 366, HoldingKind.RESULT: 9, HoldingKind.FACE: 365}, 1),
    ],
    ids=["by age", "by years", "by whichever is first"],
)
def test_what_is_due_is_counted_as_it_is_listed(
    installation: Installation, runs: RetentionRuns, schedule: Schedule
) -> None:
    """On every day, with photographs of one face and of several, with orders that hold and orders that have ended."""
    runs.set_schedule(schedule, by=ROOT)
    _let_entries_age(installation)
    several = bytes(31) + b"\1"
    for days in (0, 3, 200, 165, 1, 1, 30):
        installation.after(days=days)
        faces = [*installation.enrol(), *installation.enrol(sha256=several, faces=2)]
        searches = [installation.search(face.face_id) for face in faces] + [installation.search()]
        held = [faces[0].face_id, faces[1].image_id, searches[1]]
        for thing, until in zip(held, (1, 400, 20), strict=True):
            end = installation.now.date() + timedelta(days=until)
            runs.hold(thing, document_sha256="0" * 64, until=end, gallery=GALLERY, by=ROOT)
        several = several[1:] + several[:1]
    installation.settle()
    for days in (0, 1, 4, 5, 20, 300, 36, 1, 1, 700, 500):
        installation.after(days=days)
        listed = counted(runs.due(GALLERY, by=ROOT))
        assert counts(runs) == listed
    assert {kind for kind, _ in listed} == {HoldingKind.FACE, HoldingKind.KEPT_IMAGE, HoldingKind.RESULT}


def test_a_photograph_is_as_old_as_the_first_of_its_faces(installation: Installation, runs: RetentionRuns) -> None:
    """Whichever of them has the first id; counted and listed alike."""
    [early] = installation.enrol()
    later = replace(early, face_id=FaceId("00000000-" + early.face_id[9:]), created=early.created + timedelta(days=9))
    with installation.recorder.changing() as change:
        change.transaction.add_faces(GALLERY, [later])
    installation.after(days=11)
    assert counts(runs) == counted(runs.due(GALLERY, by=ROOT)) == {(HoldingKind.KEPT_IMAGE, Limit.AGE): (1, 1)}


@pytest.mark.parametrize("silent", [HoldingKind.KEPT_IMAGE, HoldingKind.RESULT])
def test_a_silent_schedule_is_said_by_counting_too(
    installation: Installation, runs: RetentionRuns, silent: HoldingKind
) -> None:
    """However young what it is silent about."""
    days = {kind: days for kind, days in SCHEDULE.days.items() if kind is not silent}
    runs.set_schedule(Schedule(GALLERY, days), by=ROOT)
    assert counts(runs) == {}
    [face] = installation.enrol()
    installation.search(face.face_id)
    installation.settle()
    with pytest.raises(InputError, match=silent.value):
        runs.due(GALLERY, by=ROOT)
    with pytest.raises(InputError, match=silent.value):
        counts(runs)


def test_counting_reads_no_more_of_the_ledger_than_what_is_due(installation: Installation, runs: RetentionRuns) -> None:
    """However many searches were made since; that no row of a face is read is for `tests/records/test_plans.py`."""
    _let_entries_age(installation)
    [face] = installation.enrol()
    installation.search(face.face_id)
    installation.after(days=40)
    for _ in range(3 * RESULTS_AT_ONCE):
        installation.search(face.face_id)
    installation.settle()

    assert counts(runs)[HoldingKind.RESULT, Limit.AGE] == (1, 35)
    assert len(runs._holdings._searches) <= RESULTS_AT_ONCE
    assert counts(runs) == counted(runs.due(GALLERY, by=ROOT))
    assert len(runs._holdings._searches) == 1 + 3 * RESULTS_AT_ONCE


def test_each_run_forgets_what_has_no_schedule_and_goes_on_if_that_fails(installation: Installation) -> None:
    """Ended imports and pairs of nobody go with it; a failure of one keeps neither the others nor the galleries."""
    done: list[str] = []

    def fails() -> None:
        raise UnavailableError("the disk is full")

    runs = RetentionRuns(
        installation.records,
        installation.recorder,
        installation.gate,
        installation.erasure(),
        clock=lambda: installation.now,
        new_id=installation.new_id,
        upkeep=(fails, lambda: done.append("imports")),
    )
    assert [report.gallery for report in runs.run_all(by=ROOT)] == [GALLERY, OTHER_GALLERY]
    assert done == ["imports"]
