"""Older records and a newer ledger: neither's past is rewritten, and what was taken away stays away."""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from recognizance.agreement import check_agreement
from recognizance.docket import searches_on
from recognizance.documents import Kind, Standing, inserted
from recognizance.errors import ConflictError, CorruptionError, InputError, NotFoundError, UnavailableError
from recognizance.governance.parties import Agency, AgencyId, AgencyKind, UseId
from recognizance.identifiers import AccessKeyId, PrincipalId
from recognizance.keeping.reconcile import Gap, Reconciled, adopt, finish
from recognizance.ledger import Entry, FolderSource, facts, read_checkpoint
from recognizance.ledger.sources import read_entries
from recognizance.permits import Action, Mandate
from recognizance.recording import KEY_FILE, acts, read_key
from recognizance.records import MasterKey, Records, Secret, check_records
from recognizance.reviewing.upkeep import withdraw_use
from recognizance.storage import OPEN, RESTORATION_KIND
from tests.forgetting.conftest import GALLERY, OTHER_GALLERY, Installation, open_installation, permit_for
from tests.records.test_crashes import Fault, Plan, failing_calls, sabotage
from tests.records.world import World

AGENCY = AgencyId("harbour-police")
CLERK = PrincipalId("11111111-1111-4111-8111-111111111111")
KEY = AccessKeyId("AKIAEXAMPLE")


@dataclass
class Scene:
    """A data folder whose records were put back from an older copy than its ledger.

    Attributes:
        before: The ledger's entries, in order, as they stood when the copy was put back.
        known: How many of them the copy knew.
    """

    data: Path
    before: list[bytes]
    known: int


def entries_of(data: Path) -> list[bytes]:
    source, keys = FolderSource(data / "ledger" / "public"), (read_key(data / KEY_FILE, origin="").verifier,)
    size = read_checkpoint(source, keys).checkpoint.size
    return list(read_entries(source, range(size), size))


def opened(data: Path, seed: int) -> Installation:
    return open_installation(data, World(np.random.default_rng(seed)))


def populate(installation: Installation) -> None:
    """Two galleries, an agency, a key: what the older copy knows."""
    installation.create(GALLERY)
    installation.create(OTHER_GALLERY)
    installation.enrol(name="ada-lovelace.jpg")
    installation.enrol(gallery=OTHER_GALLERY)
    agency = Agency(AGENCY, AgencyKind.LAW_ENFORCEMENT, "Harbour Police", "the chief", "chief@example.org")
    with installation.recorder.changing() as change:
        inserted(change.transaction, Kind.AGENCY, AGENCY, agency)
        change.transaction.add_access_key(KEY, secret=Secret(b"s" * 40), principal=CLERK, created=installation.now)
        change.enter(acts.access_key(KEY, CLERK, facts.Standing.ADDED))


def go_on(installation: Installation) -> None:
    """What the copy doesn't know: an enrolment, two erasures, a gallery gone, an agency and a key stopped, a hold."""
    installation.enrol(name="grace-hopper.jpg")
    face = installation.rows()[0].face_id
    mandate = Mandate("robberies", "pd", "find", "targeted", 5, True, "24-1701", None, None)
    for _ in range(2):
        installation.search(face, permit=replace(permit_for(Action.SEARCH), mandate=mandate))
    installation.erasure().faces(GALLERY, [face], permit=permit_for(Action.FORGET))
    installation.erasure().gallery(OTHER_GALLERY, permit=permit_for(Action.MANAGE_GALLERY, OTHER_GALLERY))
    with installation.recorder.changing() as change:
        change.enter(
            lambda _: facts.Agency(
                agency=AGENCY,
                standing=facts.Standing.SUSPENDED,
                agency_kind=facts.AgencyKind.LAW_ENFORCEMENT,
                name="Harbour Police",
                accountable_person="the chief",
                contact="chief@example.org",
                reason="searched without a case",
            )
        )
        change.enter(acts.access_key(KEY, CLERK, facts.Standing.REMOVED))
        change.enter(
            lambda entry: facts.Hold(
                gallery=GALLERY,
                until=installation.now,
                order_digest="0" * 64,
                held_by=entry.pseudonym(CLERK),
                holding=entry.commit("holding", "something"),
            )
        )


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    data = tmp_path_factory.mktemp("restored") / "data"
    installation = opened(data, 1)
    populate(installation)
    installation.close()
    older = data.with_name("older.sqlite3")
    shutil.copyfile(data / "records.sqlite3", older)
    known = len(entries_of(data))
    installation = opened(data, 2)
    go_on(installation)
    installation.close()
    put_back(data, older)
    return Scene(data, entries_of(data), known)


def put_back(data: Path, records: Path) -> None:
    for left in data.glob("records.sqlite3*"):
        left.unlink()
    shutil.copyfile(records, data / "records.sqlite3")


@pytest.fixture
def data(scene: Scene, tmp_path: Path) -> Path:
    return Path(shutil.copytree(scene.data, tmp_path / "data"))


def records_in(data: Path) -> Records:
    return Records.open(data, master_key=MasterKey(Secret(bytes(range(32)))))


def adopted(data: Path) -> Gap | None:
    with contextlib.closing(records_in(data)) as records:
        return adopt(data, records, read_key(data / KEY_FILE, origin=""))


def finished(installation: Installation) -> Reconciled:
    return finish(
        FolderSource(installation.recorder.public),
        installation.records,
        installation.recorder,
        installation.erasure(),
        permit_for=lambda gallery: permit_for(Action.MANAGE_GALLERY, gallery),
        ends_use=withdraw_use,
        now=installation.now,
        reason="the disk failed",
        by=CLERK,
    )


@pytest.fixture
def reconciled(data: Path) -> Iterator[tuple[Installation, Reconciled]]:
    assert adopted(data) is not None
    installation = opened(data, 3)
    yield installation, finished(installation)
    installation.close()


def of_kind(entries: Sequence[bytes], kind: type[facts.Facts]) -> list[facts.Facts]:
    return [said for data in entries if isinstance(said := Entry.parse(data).facts, kind)]


def test_older_records_are_refused_until_they_are_reconciled(data: Path) -> None:
    """The error says how; nothing is written."""
    before = entries_of(data)
    with pytest.raises(CorruptionError, match="recognizance reconcile"):
        opened(data, 3)

    assert entries_of(data) == before


def test_the_ledger_is_never_rewritten_and_says_what_the_records_have_lost(
    scene: Scene, reconciled: tuple[Installation, Reconciled]
) -> None:
    """All that was promised stands, in its place; a further entry has the two sizes and what is left to do."""
    installation, done = reconciled
    assert installation.verified().is_sound
    entries = entries_of(installation.data)

    assert entries[: len(scene.before)] == scene.before
    assert (done.gap.known, done.gap.ledger) == (scene.known, len(scene.before))
    [said] = of_kind(entries, facts.Restoration)
    assert isinstance(said, facts.Restoration)
    assert (said.known_entries, said.ledger_entries) == (scene.known, len(scene.before))
    assert said.unknown_entries == len(scene.before) - scene.known
    assert (said.galleries_erased, said.erasures_to_repeat, said.holds_lost) == (1, 1, 1)
    assert said.reason == "the disk failed"
    assert check_records(installation.records) == ()


def test_what_was_taken_away_is_taken_away_again(reconciled: tuple[Installation, Reconciled]) -> None:
    """A gallery, an agency's standing, somebody's keys; and nobody regains what the records had forgotten was gone."""
    installation, done = reconciled
    with installation.records.reading() as reader:
        standing = reader.document(Kind.AGENCY, AGENCY).state
        active = [key.id for key in reader.access_keys() if key.active]
        with pytest.raises(NotFoundError):
            reader.gallery(OTHER_GALLERY)

    assert (standing, active) == (Standing.SUSPENDED, [])
    assert done.galleries_erased == (OTHER_GALLERY,)
    assert done.rights_ended == (f"agency {AGENCY}", f"keys of {CLERK}")


def test_searches_that_the_records_forgot_are_counted_all_the_same(
    reconciled: tuple[Installation, Reconciled],
) -> None:
    """Putting older records back gives nobody the day's searches a second time."""
    installation, _ = reconciled
    with installation.records.reading() as reader:
        counted = [searches_on(reader, UseId(use), installation.now.date()) for use in ("robberies", "thefts")]

    assert counted == [2, 0]


def test_what_nobody_can_tell_is_named_for_people(reconciled: tuple[Installation, Reconciled]) -> None:
    """Which face had been erased is only committed to: it is back, and whoever restores is told to erase it again."""
    installation, done = reconciled
    [erasure] = done.to_repeat

    assert (erasure.gallery, erasure.scope, erasure.faces) == (GALLERY, "face", 1)
    assert [row.external_image_id for row in installation.rows()] == ["ada-lovelace.jpg"]


def disagreements(installation: Installation) -> list[str]:
    installation.settle()
    source = FolderSource(installation.recorder.public)
    return list(map(str, check_agreement(installation.records, source, (installation.recorder.verifier,))))


def test_what_the_records_have_lost_is_not_missed_afterwards(reconciled: tuple[Installation, Reconciled]) -> None:
    """The ledger itself says which entries they were; whatever comes later is held against it as ever."""
    installation, _ = reconciled
    before = disagreements(installation)
    installation.enrol()
    installation.search()

    assert before == []
    assert disagreements(installation) == []


@pytest.mark.parametrize("dropped", ["before", "after"])
def test_a_restoration_excuses_no_entry_but_those_it_names(
    reconciled: tuple[Installation, Reconciled], dropped: str
) -> None:
    """What an entry before or after them commits to is missed as ever."""
    installation, _ = reconciled
    installation.enrol()
    installation.settle()
    entries = [Entry.parse(data) for data in entries_of(installation.data)]
    enrolled = [each.id for each in entries if isinstance(each.facts, facts.GalleryContent)]
    victim = enrolled[-1 if dropped == "after" else 0]
    drop_openings(installation.data, victim)

    assert any(f"entry_id={victim}" in each for each in disagreements(installation))


def test_a_restoration_excuses_no_more_entries_than_it_says_were_lost(tmp_path: Path) -> None:
    """Older records may have committed to an entry that they hadn't marked; dropped later, it is one too many."""
    data = tmp_path / "data"
    installation = opened(data, 1)
    installation.create(GALLERY)
    installation.enrol()
    installation.close()
    older = tmp_path / "older.sqlite3"
    shutil.copyfile(data / "records.sqlite3", older)
    remembered = Entry.parse(entries_of(data)[-1])
    with contextlib.closing(sqlite3.connect(older)) as connection, connection:
        unmarked = "UPDATE outbox SET log_index = NULL, data = ? WHERE entry_id = ?"
        connection.execute(unmarked, (remembered.data, remembered.id))
    installation = opened(data, 2)
    installation.enrol()
    installation.close()
    put_back(data, older)
    gap = adopted(data)
    installation = opened(data, 3)
    finished(installation)
    before = disagreements(installation)
    drop_openings(data, remembered.id)
    after = disagreements(installation)
    installation.close()

    assert gap is not None
    assert (gap.unknown, len(gap.remembered)) == (1, 1)
    assert before == []
    assert any("2 entries commit to is gone; the restoration lost 1" in each for each in after)


def drop_openings(data: Path, entry: str) -> None:
    with contextlib.closing(sqlite3.connect(data / "records.sqlite3")) as connection, connection:
        connection.execute("DELETE FROM openings WHERE entry_id = ?", (entry,))


def test_no_version_of_a_gallery_comes_twice(scene: Scene, reconciled: tuple[Installation, Reconciled]) -> None:
    """The next change is numbered after all that the ledger has of the gallery."""
    installation, _ = reconciled
    installation.enrol()
    installation.settle()
    said = of_kind(entries_of(installation.data), facts.GalleryContent)
    versions = [each.version for each in said if isinstance(each, facts.GalleryContent) and each.gallery == GALLERY]

    assert len(set(versions)) == len(versions)
    assert versions == sorted(versions)


def test_records_that_agree_need_nothing(reconciled: tuple[Installation, Reconciled]) -> None:
    """Afterwards, and where nothing was put back."""
    installation, _ = reconciled
    installation.close()

    assert adopted(installation.data) is None


def test_nothing_is_reconciled_beside_a_running_service(data: Path) -> None:
    """The ledger has one writer."""
    assert adopted(data) is not None
    installation = opened(data, 3)
    try:
        with pytest.raises(ConflictError):
            adopted(data)
    finally:
        installation.close()


def test_a_ledger_older_than_the_records_is_refused(tmp_path: Path) -> None:
    """What was promised can't be left out; and another installation's ledger is none of theirs."""
    installation = opened(tmp_path / "data", 1)
    installation.create(GALLERY)
    installation.close()
    shutil.copytree(tmp_path / "data" / "ledger", tmp_path / "older")
    installation = opened(tmp_path / "data", 2)
    installation.enrol()
    installation.close()
    other = opened(tmp_path / "other", 4)
    populate(other)
    other.close()
    shutil.rmtree(tmp_path / "data" / "ledger")
    shutil.copytree(tmp_path / "older", tmp_path / "data" / "ledger")

    with pytest.raises(CorruptionError, match="newest copy of the ledger"):
        adopted(tmp_path / "data")
    shutil.rmtree(tmp_path / "data" / "ledger")
    shutil.copytree(tmp_path / "other" / "ledger", tmp_path / "data" / "ledger")
    with pytest.raises((CorruptionError, InputError)):
        adopted(tmp_path / "data")


def reconcile_with(scene: Scene, folder: Path, plan: Plan) -> None:
    """Reconcile a copy while one call to the database fails; then again, as after a new start."""
    shutil.copytree(scene.data, folder)
    records = records_in(folder)
    sabotage(records, plan)
    with contextlib.suppress(UnavailableError):
        adopt(folder, records, read_key(folder / KEY_FILE, origin=""))
    calls, plan.failing = plan.failing, 0 if plan.calls >= plan.failing else plan.failing
    records.close()
    assert calls == 0 or plan.calls > 0
    adopted(folder)
    installation = opened(folder, 1000 + calls)
    sabotage(installation.records, plan)
    with contextlib.suppress(UnavailableError):
        finished(installation)
    plan.failing = 0
    installation.close()

    installation = opened(folder, 5000 + calls)
    with contextlib.suppress(NotFoundError):
        finished(installation)
    assert installation.verified().is_sound
    entries = entries_of(folder)
    assert entries[: len(scene.before)] == scene.before
    assert len(of_kind(entries, facts.Restoration)) == 1
    assert check_records(installation.records) == ()
    with installation.records.reading() as reader:
        assert reader.documents(RESTORATION_KIND, state=OPEN, limit=1) == []
        assert reader.document(Kind.AGENCY, AGENCY).state == Standing.SUSPENDED
        with pytest.raises(NotFoundError):
            reader.gallery(OTHER_GALLERY)
    installation.close()
    shutil.rmtree(folder)


@pytest.mark.parametrize("fault", Fault)
def test_whichever_call_fails_doing_it_again_reconciles_once(scene: Scene, tmp_path: Path, fault: Fault) -> None:
    """Each call to the database fails once, in either step; then rights are gone, and one entry says so."""
    counting = Plan()
    reconcile_with(scene, tmp_path / "counting", counting)
    assert counting.calls > 40

    for failing in failing_calls(counting, fault):
        reconcile_with(scene, tmp_path / str(failing), Plan(failing, fault))
