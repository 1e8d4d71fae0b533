"""The tamper table of the database: whatever is changed in a row, dropped, swapped or put back is found and named."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from recognizance.agreement import Disagreement, check_agreement, check_tail
from recognizance.docket import PHOTOGRAPHS_FOR, add_searches
from recognizance.forgetting.proofs import Cause, Order
from recognizance.gallery import BruteForceIndex
from recognizance.governance.parties import AgencyId, Role, UseId
from recognizance.governance.retention import HoldingKind, Schedule
from recognizance.governance.subjects import RequestEvent, RequestKind
from recognizance.governing.incidents import Incident
from recognizance.governing.registration import at_the_machine
from recognizance.ledger import FolderSource, facts, verify
from recognizance.office import Office, furnish
from recognizance.permits import Action
from recognizance.recording import KEY_FILE, read_key
from recognizance.records import check_records
from recognizance.storage import open_records

from ..contract.police_world import ARRESTS, SETTINGS, Clock, approve, governed, take_up
from ..evidence import in_use
from ..forgetting.conftest import GALLERY, OTHER_GALLERY, Installation, permit_for
from ..records.world import World

ROOT = at_the_machine()
EARLIER, LATER = "earlier.sqlite3", "records.sqlite3"
Tampering = Callable[[sqlite3.Connection], object]
"""Something that somebody does to the database file, past every check of ours."""


@dataclass(frozen=True)
class Built:
    """A data folder with something of everything, and the records as they were before the last changes."""

    folder: Path
    kept: dict[str, str]


def open_office(data: Path, clock: Clock, world: World) -> Office:
    return furnish(
        data,
        SETTINGS,
        open_records(data, SETTINGS),
        model=world.model,
        open_index=lambda _: BruteForceIndex(world.dimension),
        clock=clock,
        running=in_use,
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """An installation that has lived: people, a use, keys, faces, searches, requests, marks, holds, erasures."""
    folder = tmp_path_factory.mktemp("agreement")
    data, clock, world = folder / "data", Clock(), World(np.random.default_rng(7))
    with governed(data, clock) as governing:
        police = take_up(governing)
        approve(governing, police, clock)
    kept: dict[str, str] = {}
    with closing(open_office(data, clock, world)) as office:
        installation = Installation(data, office.records, office.recorder, office.galleries, world, clock.now)
        officer = office.governing.registration.add_person(
            "An Officer", agency=AgencyId("harbour-police"), roles=frozenset({Role.DESK_OFFICER}), by=ROOT
        )
        by = at_the_machine(officer.id)
        for gallery in (GALLERY, OTHER_GALLERY, ARRESTS):
            installation.create(gallery)
        [ada], [bob], [eve] = installation.enrol(), installation.enrol(), installation.enrol(gallery=OTHER_GALLERY)
        kept["search"] = installation.search(ada.face_id, bob.face_id)
        installation.search(eve.face_id, gallery=OTHER_GALLERY)
        office.retention.set_schedule(
            Schedule(GALLERY, {HoldingKind.KEPT_IMAGE: 90, HoldingKind.RESULT: 90, HoldingKind.FACE: 90}), by=ROOT
        )
        until = clock.now.date() + timedelta(days=9)
        office.retention.hold(bob.face_id, document_sha256="0" * 64, until=until, gallery=GALLERY, by=ROOT)
        mark = office.marks.add(
            GALLERY, bob.face_id, reasons="older", case="24-1", permit=permit_for(Action.READ_GALLERY)
        )
        request = office.desk.open(RequestKind.ACCESS, asker="a", statement="", by=by)
        office.desk.step(request.id, RequestEvent.VERIFY, by=by)
        with office.records.transaction() as transaction:
            add_searches(transaction, UseId(f"{PHOTOGRAPHS_FOR}{request.id}"), clock.now.date(), 2)
        incident, _ = office.governing.incidents.report(Incident(facts.Occurrence.VIOLATION, clock.now, "one"), by=ROOT)
        office.records.backup(folder / EARLIER)
        # From here on, older rows can be put back.
        office.erasure.faces(GALLERY, [ada.face_id], order=Order(Cause.DELETION), permit=permit_for(Action.FORGET))
        office.erasure.gallery(OTHER_GALLERY, permit=permit_for(Action.MANAGE_GALLERY, OTHER_GALLERY))
        office.desk.step(request.id, RequestEvent.ANSWER, answer="yes", by=by)
        office.marks.lift(mark.id, reasons="a mistake", permit=permit_for(Action.READ_GALLERY))
        office.governing.incidents.receive(incident.id, "noted", by=at_the_machine(police.overseers[0].id))
        office.governing.uses.suspend(
            office.governing.uses.list()[0].use.id, "an incident", by=at_the_machine(police.overseers[0].id)
        )
        office.keys.switch(police.keys["untrained"].id, active=False)
        installation.enrol()
        # One of three who came in together is forgotten, and with them what says who the other two are.
        office.erasure.faces(
            GALLERY,
            [installation.enrol(faces=3)[1].face_id],
            order=Order(Cause.DELETION),
            permit=permit_for(Action.FORGET),
        )
        office.retention.run(GALLERY, by=ROOT)
        kept |= {"request": request.id, "mark": mark.id, "incident": incident.id, "key": police.keys["untrained"].id}
        kept |= {"person": officer.id, "face": bob.face_id}
    return Built(folder, kept)


@pytest.fixture
def data(built: Built, tmp_path: Path) -> Path:
    """A copy of that installation, for one test to spoil."""
    shutil.copytree(built.folder / "data", tmp_path / "data")
    return tmp_path / "data"


def disagreements(data: Path) -> list[Disagreement]:
    key = read_key(data / KEY_FILE, origin="").verifier
    source = FolderSource(data / "ledger" / "public")
    assert verify(source, (key,)).is_sound
    with closing(open_records(data, SETTINGS)) as records:
        return list(check_agreement(records, source, (key,)))


def spoil(data: Path, tampering: Tampering) -> None:
    with closing(sqlite3.connect(data / LATER)) as connection, connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        tampering(connection)


def execute(statement: str, **given: object) -> Tampering:
    return lambda connection: connection.execute(statement, given)


def put_back(table: str, where: str, earlier: Path) -> Tampering:
    """Put rows back as they were before."""

    def tamper(connection: sqlite3.Connection) -> None:
        connection.execute("ATTACH ? AS earlier", (str(earlier),))
        connection.execute(f"DELETE FROM {table} WHERE {where}")
        connection.execute(f"INSERT INTO {table} SELECT * FROM earlier.{table} WHERE {where}")

    return tamper


def swapped(table: str, column: str, one: str, other: str) -> Tampering:
    """Put each of two rows' values in the other's place."""

    def tamper(connection: sqlite3.Connection) -> None:
        first, second = (
            connection.execute(f"SELECT {column} FROM {table} WHERE {where}").fetchone()[0] for where in (one, other)
        )
        placeholder = None if column == "log_index" else first
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE {one}", (placeholder,))
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE {other}", (first,))
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE {one}", (second,))

    return tamper


def test_an_installation_that_has_lived_agrees_with_its_ledger(data: Path) -> None:
    """Erasures, a deleted gallery, a retention run and suspensions included: what was forgotten isn't missed."""
    assert disagreements(data) == []
    with closing(open_records(data, SETTINGS)) as records:
        assert check_records(records) == ()


TAMPERINGS: dict[str, tuple[Callable[[Built], Tampering], str, Callable[[Built], str]]] = {
    # What is done, in which table it is named, and which row.
    "an entry's row is dropped": (
        lambda _: execute("DELETE FROM outbox WHERE log_index = 7"), "outbox", lambda _: "entry_id="),
    "an entry's row is renamed": (
        lambda _: execute("UPDATE outbox SET entry_id = '00000000-0000-4000-8000-000000000000' WHERE log_index = 7"),
        "outbox", lambda _: "entry_id=00000000-0000-4000-8000-000000000000"),
    "entries' rows are swapped": (
        lambda _: swapped("outbox", "log_index", "log_index = 7", "log_index = 8"), "outbox", lambda _: "entry_id="),
    "an entry is unmarked": (
        lambda _: execute("UPDATE outbox SET log_index = NULL WHERE log_index = 7"), "outbox", lambda _: "entry_id="),
    "an opening is edited": (
        lambda b: execute("UPDATE openings SET sealed = zeroblob(90) WHERE entry_id = :e AND field = 'case'",
                          e=b.kept["search"]), "openings", lambda b: f"entry_id={b.kept['search']}"),
    "an opening is dropped": (
        lambda b: execute("DELETE FROM openings WHERE entry_id = :e AND field = 'case'", e=b.kept["search"]),
        "openings", lambda b: f"entry_id={b.kept['search']} field=case"),
    "openings are swapped": (
        lambda b: swapped("openings", "sealed", f"entry_id = '{b.kept['search']}' AND field = 'case'",
                          f"entry_id = '{b.kept['search']}' AND field = 'justification'"),
        "openings", lambda b: f"entry_id={b.kept['search']}"),
    "an opening of another field is added": (
        lambda b: execute("UPDATE openings SET field = 'other' WHERE entry_id = :e AND field = 'case'",
                          e=b.kept["search"]), "openings", lambda b: f"entry_id={b.kept['search']}"),
    "a document is edited": (
        lambda b: execute("UPDATE documents SET state = 'verified' WHERE document_id = :i", i=b.kept["request"]),
        "documents", lambda b: f"kind=subject_request document_id={b.kept['request']}"),
    "a document is dropped": (
        lambda b: execute("DELETE FROM documents WHERE document_id = :i", i=b.kept["person"]),
        "documents", lambda b: f"document_id={b.kept['person']}"),
    "documents are swapped": (
        lambda b: swapped("documents", "sealed", "kind = 'person' AND rowid = (SELECT min(rowid) FROM documents WHERE"
                          " kind = 'person')", f"kind = 'person' AND document_id = '{b.kept['person']}'"),
        "documents", lambda b: f"kind=person document_id={b.kept['person']}"),
    "a use is put back to before its suspension": (
        lambda b: put_back("documents", "kind = 'use'", b.folder / EARLIER), "documents", lambda _: "kind=use"),
    "a request is put back to before its answer": (
        lambda b: put_back("documents", f"document_id = '{b.kept['request']}'", b.folder / EARLIER),
        "documents", lambda b: f"kind=subject_request document_id={b.kept['request']}"),
    "a mark is put back to before it was lifted": (
        lambda b: put_back("documents", f"document_id = '{b.kept['mark']}'", b.folder / EARLIER),
        "documents", lambda b: f"kind=mark document_id={b.kept['mark']}"),
    "an incident is put back to before it was received": (
        lambda b: put_back("documents", f"document_id = '{b.kept['incident']}'", b.folder / EARLIER),
        "documents", lambda b: f"kind=incident document_id={b.kept['incident']}"),
    "a retention run is dropped": (
        lambda _: execute("DELETE FROM documents WHERE kind = 'retention_run'"), "documents",
        lambda _: "kind=retention_run"),
    "a schedule is dropped": (
        lambda _: execute("DELETE FROM documents WHERE kind = 'retention_schedule'"), "documents",
        lambda _: "kind=retention_schedule document_id=mugshots"),
    "an order to preserve is dropped": (
        lambda _: execute("DELETE FROM documents WHERE kind = 'hold'"), "documents", lambda b: "kind=hold"),
    "the proof of an erasure is dropped": (
        lambda _: execute("DELETE FROM documents WHERE kind = 'erasure'"), "documents", lambda _: "kind=erasure"),
    "a key is put back to before it was switched off": (
        lambda b: put_back("access_keys", f"access_key_id = '{b.kept['key']}'", b.folder / EARLIER),
        "access_keys", lambda b: f"access_key_id={b.kept['key']}"),
    "a key is dropped": (
        lambda b: execute("DELETE FROM access_keys WHERE access_key_id = :i", i=b.kept["key"]),
        "access_keys", lambda b: f"access_key_id={b.kept['key']}"),
    "a gallery's version is edited": (
        lambda _: execute("UPDATE galleries SET version = version + 1 WHERE gallery_id = 'mugshots'"),
        "galleries", lambda _: "gallery_id=mugshots"),
    "a face is renamed": (
        lambda b: lambda c: (
            c.execute("UPDATE faces SET face_id = 'f' WHERE face_id = ?", (b.kept["face"],))),
        "faces", lambda _: "gallery_id=mugshots face_id=f"),
    "a photograph's hash is edited": (
        lambda b: execute("UPDATE images SET sha256 = zeroblob(32) WHERE image_id IN (SELECT image_id FROM faces WHERE"
                          " face_id = :f)", f=b.kept["face"]),
        "faces", lambda b: f"gallery_id=mugshots face_id={b.kept['face']}"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(TAMPERINGS))
def test_every_tampering_with_the_records_is_found_and_named(name: str, built: Built, data: Path) -> None:
    """By the table and the row that was tampered with, while the ledger itself is sound."""
    tamper, table, row = TAMPERINGS[name]
    spoil(data, tamper(built))

    found = disagreements(data)

    assert [each for each in found if each.table == table and row(built) in each.row], found


def test_records_that_were_put_back_whole_are_found_by_the_quick_look_too(built: Built, data: Path) -> None:
    """All at once as they were before: each row fits the others, and the ledger goes on behind them."""
    for suffix in ("", "-wal", "-shm"):
        (data / f"{LATER}{suffix}").unlink(missing_ok=True)
    shutil.copy(built.folder / EARLIER, data / LATER)
    key = read_key(data / KEY_FILE, origin="").verifier
    with closing(open_records(data, SETTINGS)) as records:
        found = check_tail(records, FolderSource(data / "ledger" / "public"), (key,))

    assert found
    assert all(each.table == "outbox" for each in found)


def test_a_ledger_that_was_rolled_back_is_found_by_the_quick_look(built: Built, data: Path) -> None:
    """The records know of an entry that the ledger hasn't."""
    spoil(
        data,
        execute("UPDATE outbox SET log_index = log_index + 1 WHERE log_index = (SELECT max(log_index) FROM outbox)"),
    )
    key = read_key(data / KEY_FILE, origin="").verifier
    with closing(open_records(data, SETTINGS)) as records:
        found = check_tail(records, FolderSource(data / "ledger" / "public"), (key,))

    assert [each.text for each in found if "the ledger has" in each.text]
