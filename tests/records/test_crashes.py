"""Whatever is interrupted, and wherever: what was promised is there, and nothing is there by half."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import chain
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from sqlalchemy import event

from recognizance.errors import UnavailableError
from recognizance.identifiers import AccessKeyId, FaceId, ImageId, PrincipalId, SubjectId
from recognizance.records import (
    RELOAD,
    ImportItem,
    ImportState,
    MasterKey,
    Records,
    Secret,
    SubjectKey,
    Transaction,
    check_records,
)

from .world import World, erase_gallery, stored

ALICE = SubjectId("alice")
BOB = SubjectId("bob")
FACES_AT_ONCE = 5
"""In each transaction of `adding.py`."""
PHOTOGRAPH = ImageId("00000000-0000-0000-0000-00000000cafe")


class Fault(Enum):
    BEFORE = "before it took effect"
    AFTER = "after it took effect"


class Plan:
    """Which call to the database fails, counted from one, and how; 0 only counts."""

    def __init__(self, failing: int = 0, fault: Fault = Fault.BEFORE) -> None:
        self.calls = 0
        self.commit = 0
        self.commits: list[int] = []
        self.failing = failing
        self.fault = fault

    def around(self, call: Callable[[], Any]) -> Any:
        self.calls += 1
        if self.calls == self.failing and self.fault is Fault.BEFORE:
            raise disk_error()
        result = call()
        if self.calls == self.failing:
            raise disk_error()
        return result


FAULT_STEP = int(os.environ.get("RECOGNIZANCE_TEST_FAULT_STEP", "20"))
"""Every commit fails in both ways, and of the other calls every so many; with one, each of them."""


def failing_calls(counting: Plan, fault: Fault) -> list[int]:
    """Which of the calls that were counted are to fail, one at a time.

    What fails within a transaction takes the whole of it back, so that most calls tell no more than their neighbours.
    """
    every = range(1 + list(Fault).index(fault) % FAULT_STEP, counting.calls + 1, FAULT_STEP)
    return sorted({*every, *counting.commits})


def disk_error() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR
    error.sqlite_errorname = "SQLITE_IOERR"
    return error


def sabotage(records: Records, plan: Plan) -> None:
    """From now on, have every statement and every commit pass through `plan`."""

    class Cursor(sqlite3.Cursor):
        def execute(self, *given: Any) -> Any:
            return plan.around(lambda: super(Cursor, self).execute(*given))

        def executemany(self, *given: Any) -> Any:
            return plan.around(lambda: super(Cursor, self).executemany(*given))

    class Connection(sqlite3.Connection):
        def cursor(self, *_given: Any) -> Any:
            return super().cursor(Cursor)

        def commit(self) -> None:
            plan.commit = plan.calls + 1
            plan.commits.append(plan.commit)
            plan.around(super().commit)

    def connect(_dialect: object, _record: object, given: Iterable[Any], named: dict[str, Any]) -> sqlite3.Connection:
        return sqlite3.connect(*given, **named, factory=Connection)

    records._database.engine.dispose()
    event.listen(records._database.engine, "do_connect", connect)


def everything(records: Records, world: World) -> object:
    """All that can be read, as one value to compare."""
    with records.reading() as reader:
        galleries = reader.galleries(limit=10)
        keys = [(key, pair.secret.reveal()) for key in reader.access_keys() if (pair := reader.access_key(key.id))]
        if not galleries:
            return (), keys
        changes = reader.changes_since(world.gallery, 1)
        assert changes is not RELOAD
        return (
            galleries,
            reader.faces(world.gallery, limit=10_000),
            [(block.face_ids, block.templates.tobytes()) for block in reader.templates(world.gallery)],
            reader.subjects(world.gallery, limit=100),
            [(block.subject_keys, block.templates.tobytes()) for block in reader.subject_templates(world.gallery)],
            reader.import_items(world.gallery, "job", limit=100),
            sorted(changes.removed),
            keys,
        )


def populate(records: Records, world: World) -> list[FaceId]:
    faces = [*world.faces(100), *world.faces(2, image_id=PHOTOGRAPH)]
    ids = [face.face_id for face in faces]
    with records.transaction() as transaction:
        transaction.create_gallery(world.gallery, model=world.model, created=world.now, tags={"county": "washington"})
        transaction.add_faces(world.gallery, faces)
        transaction.keep_image(world.gallery, PHOTOGRAPH, b"a photograph")
        transaction.create_subject(world.gallery, ALICE, key=SubjectKey("key-a"), created=world.now)
        transaction.create_subject(world.gallery, BOB, key=SubjectKey("key-b"), created=world.now)
        transaction.associate(world.gallery, ALICE, ids[:3])
        transaction.remove_faces(world.gallery, ids[50:52])
        transaction.add_access_key(
            AccessKeyId("AKIAFIRST"), secret=Secret(b"first"), principal=PrincipalId("p"), created=world.now
        )
    return [*ids[:50], *ids[52:]]


Change = Callable[[Transaction, World, list[FaceId]], object]


def import_one(transaction: Transaction, world: World, ids: list[FaceId]) -> None:
    transaction.add_faces(world.gallery, world.faces(30))
    item = ImportItem("a.jpg", bytes(32), ImportState.ENROLLED, face_count=30)
    transaction.record_import_items(world.gallery, "job", [item])


CHANGES: dict[str, Change] = {
    "add": lambda t, w, ids: t.add_faces(w.gallery, w.faces(70)),
    "remove": lambda t, w, ids: t.remove_faces(w.gallery, [*ids[1:40], *ids[-2:]]),
    "import": import_one,
    "associate": lambda t, w, ids: t.associate(w.gallery, BOB, ids[10:20]),
    "disassociate": lambda t, w, ids: t.disassociate(w.gallery, ALICE, ids[:2]),
    "delete subject": lambda t, w, ids: t.delete_subject(w.gallery, ALICE),
    "delete gallery": lambda t, w, ids: erase_gallery(t, w.gallery),
    "access key": lambda t, w, ids: t.add_access_key(
        AccessKeyId("AKIASECOND"), secret=Secret(b"second"), principal=PrincipalId("p"), created=w.now
    ),
}


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_that_fails_anywhere_happened_whole_or_not_at_all(
    tmp_path: Path, master_key: MasterKey, name: str, fault: Fault
) -> None:
    """Each call to the database fails once; reopened, everything is as before or, past the commit, as it should be."""
    origin = tmp_path / "origin"
    world = World(np.random.default_rng(7))
    records = Records.open(origin, master_key=master_key)
    ids = populate(records, world)
    before = everything(records, world)
    records.close()

    def attempt(plan: Plan) -> tuple[object, bool]:
        folder = tmp_path / "attempt"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(origin, folder)
        broken = Records.open(folder, master_key=master_key)
        sabotage(broken, plan)
        failed = False
        try:
            with broken.transaction() as transaction:
                CHANGES[name](transaction, World(np.random.default_rng(8)), ids)
        except UnavailableError:
            failed = True
        plan.failing = 0
        broken._database.close()
        healed = Records.open(folder, master_key=master_key)
        assert check_records(healed) == ()
        after = everything(healed, world)
        healed.close()
        return after, failed

    counting = Plan()
    after, _ = attempt(counting)
    assert after != before
    for number in range(1, counting.calls + 1):
        found, failed = attempt(Plan(number, fault))
        took_effect = number > counting.commit or (number == counting.commit and fault is Fault.AFTER)
        assert found == (after if took_effect else before), f"call {number} of {counting.calls}"
        # What is left to do behind the commit may fail: the caller was promised the change, and has it.
        assert failed == (number <= counting.commit), f"call {number} of {counting.calls}"


class Adding:
    """The program `adding.py`, one child at a time."""

    def __init__(self, folder: Path, key_file: Path) -> None:
        program = Path(__file__).with_name("adding.py")
        self.process = subprocess.Popen(
            [sys.executable, program, folder, key_file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.process.communicate()

    def start(self, seed: int, transactions: int) -> int:
        """Fork a child; its process id."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{seed} {transactions}\n")
        self.process.stdin.flush()
        return int(self.line()[1])

    def line(self) -> list[str]:
        assert self.process.stdout is not None
        return self.process.stdout.readline().split()

    def rest(self, heard: Sequence[list[str]] = ()) -> tuple["Promises", int]:
        """What the child said until its end, after what was heard of it already, and how it ended."""
        said: dict[str, set[str]] = {"added": set(), "removing": set(), "removed": set()}
        for verb, *words in chain(heard, iter(self.line, None)):
            if verb == "ended":
                in_doubt = said["removing"] - said["removed"]
                return Promises(said["added"] - said["removing"], said["removed"], in_doubt), int(words[0])
            said[verb].update(words)
        raise AssertionError("unreachable: the loop ends with its child")


@dataclass(frozen=True)
class Promises:
    """What a process said before it was killed."""

    added: set[str]
    removed: set[str]
    in_doubt: set[str]
    """Their removal was begun; whether it was committed was never said."""


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "master.key"
    MasterKey.create_file(file)
    return file


def kill_and_check(folder: Path, key_file: Path, world: World, adding: Adding, times: int) -> None:
    key = MasterKey.from_file(key_file)
    records = Records.open(folder, master_key=key)
    with records.transaction() as transaction:
        transaction.create_gallery(world.gallery, model=world.model, created=world.now)
    records.close()
    present: set[str] = set()
    gone: set[str] = set()
    dice = random.Random(3)
    for seed in range(times):
        child = adding.start(seed, 1_000_000)
        # Counted in what it has done, so that a busy machine doesn't kill every child before it does anything.
        heard = [adding.line() for _ in range(dice.randrange(8))]
        time.sleep(dice.uniform(0, 0.02))
        os.kill(child, signal.SIGKILL)
        said, ended = adding.rest(heard)
        assert ended == -signal.SIGKILL
        present |= said.added
        gone |= said.removed

        records = Records.open(folder, master_key=key)
        found: set[str] = set(stored(records, world.gallery))
        problems = check_records(records)
        records.close()
        assert problems == ()
        assert present <= found
        assert not gone & found
        assert len(said.in_doubt & found) in {0, FACES_AT_ONCE}
        # The last faces may have been committed when the kill came before they could be announced: whole, then.
        assert len(found - present - said.in_doubt) in {0, FACES_AT_ONCE}
        present = found
    assert len(present) > times


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path, key_file: Path, world: World) -> None:
    """A process that adds and removes faces is killed 15 times, at random moments."""
    folder = tmp_path / "data"
    with Adding(folder, key_file) as adding:
        kill_and_check(folder, key_file, world, adding, times=15)


@pytest.mark.slow
@pytest.mark.skipif(
    "RECOGNIZANCE_TEST_KILLS" not in os.environ, reason="set RECOGNIZANCE_TEST_KILLS=50 to kill more often"
)
def test_what_was_acknowledged_survives_many_kills(tmp_path: Path, key_file: Path, world: World) -> None:
    """The same, as often as the environment says."""
    folder = tmp_path / "data"
    with Adding(folder, key_file) as adding:
        kill_and_check(folder, key_file, world, adding, times=int(os.environ["RECOGNIZANCE_TEST_KILLS"]))


def test_two_processes_write_at_once(tmp_path: Path, key_file: Path, world: World) -> None:
    """Each waits for its turn; nothing of either is lost."""
    folder = tmp_path / "data"
    records = Records.open(folder, master_key=MasterKey.from_file(key_file))
    with records.transaction() as transaction:
        transaction.create_gallery(world.gallery, model=world.model, created=world.now)
    with Adding(folder, key_file) as first, Adding(folder, key_file) as second:
        for seed, adding in enumerate((first, second)):
            adding.start(seed, 20)
        endings = [adding.rest() for adding in (first, second)]
    promised = set().union(*(said.added for said, _ in endings))
    found = set(stored(records, world.gallery))
    problems = check_records(records)
    records.close()

    assert [ended for _, ended in endings] == [0, 0]
    assert problems == ()
    assert found == promised
    assert len(found) > 40
