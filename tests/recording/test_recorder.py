"""The recorder: a change has its entry or hasn't happened, and nobody is answered before the promise."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from recognizance.errors import ConflictError, CorruptionError, InputError, NotFoundError, UnavailableError
from recognizance.identifiers import GalleryId, PrincipalId
from recognizance.ledger import EntryId, FileStore, Opening, facts
from recognizance.permits import Action, Mandate
from recognizance.recording import KEY_FILE, LEDGER_FOLDER, Recorder, acts, schema_statement, software_statement, state
from recognizance.records import Records, check_records
from tests.records.world import erase_gallery

from .world import GALLERY, MODEL, NOW, World, create_gallery, key_entry, permit, search_entry


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "data")


def openings_of(records: Records, entry_id: EntryId) -> dict[str, Opening]:
    with records.reading() as reader:
        rows = reader.openings(entry_id)
    return {row.field: Opening.restore(entry_id, row.field, value_data=row.value, salt=row.salt) for row in rows}


def test_a_change_and_its_entry_happen_together(world: World) -> None:
    """The receipt proves the entry, and the records hold what opens it."""
    with world.opened() as (records, recorder):
        with recorder.changing() as change:
            row = change.transaction.create_gallery(GALLERY, model=MODEL, created=NOW)
            change.enter(acts.gallery(permit(Action.MANAGE_GALLERY), row, facts.Standing.ADDED))
            entry_id = change.enter(key_entry())
        entries = world.entries(recorder)
        openings = openings_of(records, entry_id)
        for receipt, entry in zip(change.receipts, entries, strict=True):
            receipt.verify(entry.data, (recorder.verifier,))

    assert [entry.facts.kind for entry in entries] == ["gallery", "access_key"]
    assert openings["access_key_id"].value == "KEY"
    assert entries[1].opens(openings["access_key_id"])


def test_a_change_that_fails_has_no_entry(world: World) -> None:
    """Whatever was entered before goes with it."""
    with world.opened() as (records, recorder):
        create_gallery(recorder)

        def fail() -> None:
            with recorder.changing() as change:
                change.enter(key_entry())
                change.transaction.create_gallery(GALLERY, model=MODEL, created=NOW)

        with pytest.raises(ConflictError):
            fail()
        recorder.record(key_entry("LATER"))
        kinds = [entry.facts.kind for entry in world.entries(recorder)]
        problems = check_records(records)

    assert (kinds, problems) == (["gallery", "access_key"], ())


def test_what_belongs_to_a_gallery_can_not_be_shown_after_it(world: World) -> None:
    """The entry stays, the case can be opened, the probe and the result are gone."""
    with world.opened() as (records, recorder):
        create_gallery(recorder)
        asking = replace(
            permit(),
            mandate=Mandate("theft-2026", "pd", "investigate_offence", "targeted", 5, True, "24-1701", "why", "theft"),
        )
        searched = acts.Searched(GALLERY, 1, MODEL, 0.5, facts.SearchOutcome.NO_CANDIDATE, ("face", "f"))
        with recorder.following() as promised:
            recorder.record(acts.search(asking, searched), gallery=GALLERY)
        before = openings_of(records, promised[0].id)
        with recorder.changing() as change:
            erase_gallery(change.transaction, GALLERY)
        after = openings_of(records, promised[0].id)
        entry = world.entries(recorder)[1]

    assert isinstance(entry.facts, facts.Search)
    assert (entry.facts.use, entry.facts.agency, entry.facts.search_class) == ("theft-2026", "pd", "targeted")
    assert {name: opening.value for name, opening in before.items()} == {
        "case": "24-1701",
        "justification": "why",
        "probe": ("face", "f"),
        "result": (),
    }
    assert all(entry.opens(opening) for opening in before.values())
    assert set(after) == {"case", "justification"}


def test_a_search_in_a_gallery_that_is_gone_is_no_answer(world: World) -> None:
    """And takes no other search with it that was committed at the same time."""
    with world.opened() as (_, recorder):
        create_gallery(recorder)
        barrier = threading.Barrier(8)

        def search(number: int) -> str:
            barrier.wait()
            try:
                recorder.record(
                    search_entry(GALLERY if number % 2 else GalleryId("gone")),
                    gallery=(GALLERY if number % 2 else GalleryId("gone")),
                )
            except NotFoundError:
                return "refused"
            return "recorded"

        with ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(search, range(8)))
        entries = world.entries(recorder)

    assert outcomes == ["refused", "recorded"] * 4
    assert [entry.facts.kind for entry in entries] == ["gallery"] + ["search"] * 4


def test_values_of_a_gallery_need_a_gallery(world: World) -> None:
    """A maker and its caller that disagree are a programmer's mistake, found at once."""
    with world.opened() as (_, recorder), pytest.raises(ValueError, match="no gallery"):
        recorder.record(search_entry())


def test_a_follower_sees_what_its_own_thread_promised(world: World) -> None:
    """Also within another's block, and nothing of other threads."""
    with world.opened() as (_, recorder):
        with recorder.following() as outer:
            recorder.record(key_entry("1"))
            other = threading.Thread(target=lambda: recorder.record(key_entry("2")))
            other.start()
            other.join()
            with recorder.following() as inner:
                recorder.record(key_entry("3"))
        recorder.record(key_entry("4"))

    assert [each.receipt.index for each in outer] == [0, 2]
    assert [each.receipt.index for each in inner] == [2]


def test_a_failure_after_faces_were_seen_is_on_the_record(world: World) -> None:
    """With the kind of error and without its words; the error itself goes on to the caller."""

    def fail(recorder: Recorder) -> None:
        with recorder.attempting(permit(), Action.SEARCH, GALLERY):
            raise LookupError("the face of Marta Nowak")

    with world.opened() as (_, recorder):
        with pytest.raises(LookupError):
            fail(recorder)
        [entry] = world.entries(recorder)

    assert isinstance(entry.facts, facts.Failure)
    assert (entry.facts.cause, entry.facts.action, entry.facts.gallery) == ("LookupError", "search", GALLERY)
    assert b"Marta" not in entry.data


def test_a_pseudonym_is_stable_and_says_nothing(world: World) -> None:
    """The same at each start; a UUID is its own; another installation calls the same name something else."""
    known = PrincipalId("0d0b5a0e-4a0e-4c57-9f43-2d6f3e1f5a77")
    with world.opened() as (_, recorder):
        first = recorder.pseudonym(PrincipalId("clerk"))
        assert recorder.pseudonym(known) == known
    with world.opened() as (_, recorder):
        assert recorder.pseudonym(PrincipalId("clerk")) == first
    with World(world.data.parent / "other").opened() as (_, recorder):
        assert recorder.pseudonym(PrincipalId("clerk")) != first
    assert "clerk" not in first


def test_statements_are_entered_when_they_change(world: World) -> None:
    """Once, however often the service starts."""
    sayings = [schema_statement(), software_statement()]
    with world.opened() as (_, recorder):
        assert state(recorder, sayings) == 2
    with world.opened() as (_, recorder):
        assert state(recorder, [schema_statement(), software_statement()]) == 0
        newer = facts.Software(name="recognizance", version="9", digest="0" * 64, dependencies_digest="0" * 64)
        assert state(recorder, [schema_statement(), ("software", newer)]) == 1
        assert state(recorder, [("software", newer)]) == 0
        kinds = [entry.facts.kind for entry in world.entries(recorder)]

    assert kinds == ["schema", "software", "software"]


def test_the_key_is_private_and_names_the_ledger(world: World) -> None:
    """Drawn once, mode 0600; a ledger keeps the name that it began with."""
    records = world.records()
    made: list[str] = []
    for origin in ("example.org/faces", "example.org/faces", ""):
        recorder = Recorder.open(
            world.data, records, origin=origin, clock=lambda: NOW, new_id=str, new_salt=lambda: bytes(32)
        )
        made.append(recorder.verifier.name)
        recorder.close()
    key = world.data / KEY_FILE
    mode = key.stat().st_mode & 0o777
    with pytest.raises(InputError, match="began as"):
        Recorder.open(world.data, records, origin="x", clock=lambda: NOW, new_id=str, new_salt=lambda: bytes(32))
    key.chmod(0o640)
    with pytest.raises(InputError, match="0640"):
        world.recorder(records)
    key.unlink()
    with pytest.raises(InputError, match="can't read"):
        world.recorder(records)
    records.close()

    assert (set(made), mode) == ({"example.org/faces"}, 0o600)


def test_a_ledger_that_is_gone_is_not_begun_again(world: World) -> None:
    """The records remember that there was one."""
    with world.opened() as (_, recorder):
        recorder.record(key_entry())
    (world.data / LEDGER_FOLDER).rename(world.data / "elsewhere")
    records = world.records()

    with pytest.raises(CorruptionError, match="there is none"):
        world.recorder(records)
    records.close()


def test_no_answer_without_a_writer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails is no excuse; the entry is appended when it works again, and only once."""
    failing = threading.Event()
    append = FileStore.append_journal

    def fail(store: FileStore, data: bytes) -> None:
        if failing.is_set():
            raise UnavailableError("no space left")
        append(store, data)

    monkeypatch.setattr(FileStore, "append_journal", fail)
    with world.opened() as (records, recorder):
        recorder.record(key_entry("1"))
        failing.set()
        with pytest.raises(UnavailableError):
            recorder.record(key_entry("2"))
        with pytest.raises(UnavailableError):
            create_gallery(recorder)
        failing.clear()
        for _ in range(100):
            try:
                recorder.record(key_entry("3"))
                break
            except UnavailableError:
                threading.Event().wait(0.1)
        entries = world.entries(recorder)
        with records.reading() as reader:
            pending = reader.pending_entries(5)

    ids = [entry.id for entry in entries]
    assert len(ids) == len(set(ids)) >= 3
    assert pending == []


def test_an_entry_says_who_by_pseudonym_only(world: World) -> None:
    """The principal's name is nowhere in the entry."""
    with world.opened() as (_, recorder):
        recorder.record(key_entry())
        [entry] = world.entries(recorder)
        assert isinstance(entry.facts, facts.AccessKey)
        assert entry.facts.owner == recorder.pseudonym(PrincipalId("clerk"))
    assert b"clerk" not in entry.data
