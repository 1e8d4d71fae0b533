"""Whatever is interrupted, and wherever: an acknowledged act is in the ledger, once, and no change lacks its entry."""

import base64
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from recognizance.errors import ConflictError, Error, UnavailableError
from recognizance.ledger import Entry, FileStore, Receipt, VerifierKey, facts
from recognizance.recording import Recorder
from recognizance.records import Records, check_records

from .world import GALLERY, MODEL, NOW, World, create_gallery, key_entry, search_entry

KILLS = int(os.environ.get("RECOGNIZANCE_TEST_KILLS", "3"))
STORE_CALLS = ("publish", "remove", "sync", "start_journal", "append_journal", "read", "close")


class Fault(Enum):
    BEFORE = "before it took effect"
    AFTER = "after it took effect"


class Plan:
    """Which call to the disk fails, counted from one, and how; 0 only counts. Once a call failed, no more do."""

    def __init__(self, failing: int = 0, fault: Fault = Fault.BEFORE) -> None:
        self.calls = 0
        self.failing = failing
        self.fault = fault
        self.is_armed = False
        self._lock = threading.Lock()

    def around(self, call: Callable[[], Any], error: Exception) -> Any:
        with self._lock:
            if self.is_armed:
                self.calls += 1
            hit = self.is_armed and self.calls == self.failing
        if hit and self.fault is Fault.BEFORE:
            raise error
        result = call()
        if hit:
            raise error
        return result


def disk_error() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR
    error.sqlite_errorname = "SQLITE_IOERR"
    return error


def sabotage_records(records: Records, plan: Plan) -> None:
    """From now on, have every statement and every commit pass through `plan`."""

    class Cursor(sqlite3.Cursor):
        def execute(self, *given: Any) -> Any:
            return plan.around(lambda: super(Cursor, self).execute(*given), disk_error())

        def executemany(self, *given: Any) -> Any:
            return plan.around(lambda: super(Cursor, self).executemany(*given), disk_error())

    class Connection(sqlite3.Connection):
        def cursor(self, *_given: Any) -> Any:
            return super().cursor(Cursor)

        def commit(self) -> None:
            plan.around(super().commit, disk_error())

    def connect(_dialect: object, _record: object, given: Iterable[Any], named: dict[str, Any]) -> sqlite3.Connection:
        return sqlite3.connect(*given, **named, factory=Connection)

    records._database.engine.dispose()
    event.listen(records._database.engine, "do_connect", connect)


def sabotage_files(monkeypatch: pytest.MonkeyPatch, plan: Plan) -> None:
    """From now on, have every call to a log's files pass through `plan`."""
    for name in STORE_CALLS:
        real = getattr(FileStore, name)

        def call(*given: Any, real: Callable[..., Any] = real) -> Any:
            return plan.around(lambda: real(*given), UnavailableError("the disk failed"))

        monkeypatch.setattr(FileStore, name, call)


def act(world: World, records: Records, recorder: Recorder) -> list[tuple[bytes, Receipt]]:
    """A search, an enrolment's kind of change, another search: whatever is answered, with its receipt."""
    answered: list[tuple[bytes, Receipt]] = []

    def tag(name: str) -> None:
        with recorder.changing() as change:
            change.transaction.tag_gallery(GALLERY, {name: "x"})
            change.enter(key_entry(f"tagged-{name}"))

    steps: tuple[Callable[[], object], ...] = (
        lambda: recorder.record(search_entry(), gallery=GALLERY),
        lambda: tag("one"),
        lambda: recorder.record(search_entry(), gallery=GALLERY),
        lambda: tag("two"),
    )
    for step in steps:
        with recorder.following() as promised:
            try:
                step()
            except Error:
                continue
        answered += [(each.data, each.receipt) for each in promised]
    return answered


def check(world: World, answered: list[tuple[bytes, Receipt]], *, least: int = 0) -> None:
    """After the next start: everything acknowledged is there once, and every change has its entry."""
    with world.opened() as (records, recorder):
        entries = world.entries(recorder)
        with records.reading() as reader:
            tags = reader.gallery(GALLERY).tags
            waiting = reader.pending_entries(5)
            values = [reader.openings(entry.id) for entry in entries if isinstance(entry.facts, facts.AccessKey)]
        problems = check_records(records)
        keys: tuple[VerifierKey, ...] = (recorder.verifier,)
    data = [entry.data for entry in entries]
    for entry, receipt in answered:
        receipt.verify(entry, keys)
        assert data[receipt.index] == entry
    tagged = sorted(row.value.decode().strip('"') for rows in values for row in rows)
    assert len({entry.id for entry in entries}) == len(entries) >= least
    assert tagged == sorted(f"tagged-{name}" for name in tags)
    assert (waiting, problems) == ([], ())


def interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plan: Plan, *, files: bool) -> None:
    """Act while `plan` lets one call fail, then start again."""
    world = World(tmp_path / "data")
    with world.opened() as (_, recorder):
        create_gallery(recorder)
    with monkeypatch.context() as patch:
        if files:
            sabotage_files(patch, plan)
        records = world.records()
        if not files:
            sabotage_records(records, plan)
        recorder = world.recorder(records)
        plan.is_armed = True
        answered = act(world, records, recorder)
        with contextlib.suppress(Error):
            recorder.close()
        plan.is_armed = False
        records.close()
    check(world, answered, least=len(answered) + 1)


def count_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, files: bool) -> int:
    plan = Plan()
    interrupted(tmp_path / "counted", monkeypatch, plan, files=files)
    return plan.calls


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("files", [True, False], ids=["the log's files", "the records"])
def test_whichever_call_fails_nothing_acknowledged_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault, *, files: bool
) -> None:
    """Each call once, before and after it took effect; a fault that hits only the next start counts as well."""
    calls = count_calls(tmp_path, monkeypatch, files=files)

    assert calls > 15
    for failing in range(1, calls + 1):
        interrupted(tmp_path / str(failing), monkeypatch, Plan(failing, fault), files=files)


def acting(data: Path, name: str, *more: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.recording.acting", str(data), name, *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


def acknowledged(output: str) -> list[tuple[bytes, Receipt]]:
    """What a process said that it was promised; a last line that it didn't end was never said."""
    found: list[tuple[bytes, Receipt]] = []
    for line in output.splitlines(keepends=True):
        if line.endswith("\n") and line != "ready\n":
            entry, receipt = (base64.b64decode(part) for part in line.split())
            found.append((entry, Receipt.parse(receipt)))
    return found


def check_acknowledged(world: World, said: list[tuple[bytes, Receipt]]) -> None:
    with world.opened() as (records, recorder):
        data = [entry.data for entry in world.entries(recorder)]
        for entry, receipt in said:
            receipt.verify(entry, (recorder.verifier,))
            assert data[receipt.index] == entry
        assert len({Entry.parse(entry).id for entry in data}) == len(data)
        with records.reading() as reader:
            assert reader.pending_entries(5) == []
        assert check_records(records) == ()


def test_killed_at_any_moment_every_receipt_that_was_given_verifies(tmp_path: Path) -> None:
    """From the static files, with nothing but the public key."""
    world, rng = World(tmp_path / "data"), random.Random(20261122)
    with world.opened() as (_, recorder):
        create_gallery(recorder)
    said: list[tuple[bytes, Receipt]] = []
    for _ in range(KILLS):
        process = acting(world.data, "a")
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0.05, 0.6))
        process.send_signal(signal.SIGKILL)
        output, _ = process.communicate()
        said += acknowledged(output)
        check_acknowledged(world, said)

    assert len(said) > KILLS


def test_two_processes_share_one_ledger(tmp_path: Path) -> None:
    """One holds it and appends for both; when it's killed, the other takes over. Nobody loses anything, or waits."""
    world = World(tmp_path / "data")
    with world.opened() as (_, recorder):
        create_gallery(recorder)
    first = acting(world.data, "a")
    assert first.stdout is not None
    assert first.stdout.readline() == "ready\n"
    second, third = acting(world.data, "b", "30"), acting(world.data, "c", "30")
    assert second.stdout is not None
    early = [second.stdout.readline() for _ in range(5)]
    first.send_signal(signal.SIGKILL)
    outputs = [process.communicate(timeout=60)[0] for process in (first, second, third)]
    said = [acknowledged(outputs[0]), acknowledged("".join(early) + outputs[1]), acknowledged(outputs[2])]
    check_acknowledged(world, [each for some in said for each in some])

    assert [second.returncode, third.returncode] == [0, 0]
    assert [len(some) for some in said[1:]] == [30, 30]


def test_a_process_beside_the_holder_waits_and_then_takes_over(tmp_path: Path) -> None:
    """In one process the same: two recorders on one folder, the second without the lock until the first is closed."""
    world = World(tmp_path / "data")
    records, more = world.records(), world.records()
    holder, waiting = world.recorder(records), world.recorder(more)
    try:
        before = (holder._keeper.holds_the_log, waiting._keeper.holds_the_log)
        beside = waiting.record(key_entry("beside"))
        with pytest.raises(ConflictError):
            FileStore(world.data / "ledger").lock()
        holder.close()
        deadline = time.monotonic() + 10
        while not waiting._keeper.holds_the_log and time.monotonic() < deadline:
            time.sleep(0.01)
        after = waiting.record(key_entry("after"))
        entries = world.entries(waiting)
    finally:
        waiting.close()
        records.close()
        more.close()

    assert before == (True, False)
    assert [beside.index, after.index] == [0, 1]
    beside.verify(entries[0].data, (waiting.verifier,))


def test_rows_that_no_thread_waits_for_are_appended_all_the_same(tmp_path: Path) -> None:
    """What a process committed before it died is appended by whoever holds the log, without a new start."""
    world = World(tmp_path / "data")
    with world.opened() as (records, recorder):
        with records.transaction() as transaction:
            transaction.create_gallery(GALLERY, model=MODEL, created=NOW)
            sealed = recorder._sealed(search_entry(), GALLERY)
            sealed.commit(transaction)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with records.reading() as reader:
                if not reader.pending_entries(1):
                    break
            time.sleep(0.02)
        entries = world.entries(recorder)

    assert [entry.id for entry in entries] == [sealed.entry.id]


def test_a_row_that_appears_after_the_file_last_changed_is_appended(tmp_path: Path) -> None:
    """A commit is in the file before it can be read; whoever looked in between looks again."""
    world = World(tmp_path / "data")
    with world.opened() as (records, recorder):
        recorder._keeper._outbox_state = lambda: "as it was"
        time.sleep(0.3)  # The holder has looked, several times.
        with records.transaction() as transaction:
            transaction.create_gallery(GALLERY, model=MODEL, created=NOW)
            sealed = recorder._sealed(search_entry(), GALLERY)
            sealed.commit(transaction)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with records.reading() as reader:
                if not reader.pending_entries(1):
                    break
            time.sleep(0.02)
        entries = world.entries(recorder)

    assert [entry.id for entry in entries] == [sealed.entry.id]
