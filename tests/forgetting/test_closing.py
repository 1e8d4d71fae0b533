"""A whole gallery: closed at once, erased in turns, proven when all is gone, whatever happens in between."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from recognizance.agreement import check_agreement
from recognizance.errors import ConflictError, CorruptionError, NotFoundError, UnavailableError
from recognizance.forgetting.closing import UNDER_WAY_KIND, Turns
from recognizance.forgetting.erasure import Cause, Order
from recognizance.identifiers import SubjectId
from recognizance.ledger import FolderSource, facts
from recognizance.permits import Action
from recognizance.records import MasterKey, Needles, Records, Secret, check_records
from tests.records.test_crashes import Fault, Plan, failing_calls, sabotage
from tests.records.world import World

from .conftest import ADA, GALLERY, OTHER_GALLERY, Installation, open_installation, permit_for
from .erasing import SMALL

PEOPLE = 4
SHARED = bytes(range(100, 132))
ALL_AT_ONCE = Turns(first=1_000_000)
PERMIT = permit_for(Action.MANAGE_GALLERY)


def populate(installation: Installation) -> Needles:
    """People with photographs and names, some of them subjects, who were searched for; everything that names them."""
    faces = [
        face
        for number in range(PEOPLE)
        for face in installation.enrol(
            name=f"portrait-of-person-{number}.jpg",
            subject=SubjectId(f"{ADA}-{number}") if number % 2 else None,
        )
    ]
    installation.search(*(face.face_id for face in faces))
    return Needles(
        ids=[each for face in faces for each in (face.face_id, face.image_id)],
        names=[f"portrait-of-person-{number}.jpg" for number in range(PEOPLE)]
        + [f"{ADA}-{number}" for number in (1, 3)],
        blobs=[face.template.astype("<f4").tobytes() for face in faces] + [face.image_sha256 or b"?" for face in faces],
    )


def gone_from(installation: Installation) -> None:
    """Whatever asks for the gallery is told that there is none."""
    with installation.records.reading() as reader:
        assert GALLERY not in [row.id for row in reader.galleries(limit=10)]
        with pytest.raises(NotFoundError):
            reader.gallery(GALLERY)
    with pytest.raises(NotFoundError):
        installation.load_index()


def test_a_gallery_is_closed_at_once_and_proven_when_all_is_gone(installation: Installation) -> None:
    """Nothing of it is found, opened or listed any more; what is left is still a trace, and isn't said to be gone."""
    needles = populate(installation)
    search = installation.search()
    installation.load_index()
    with installation.records.reading() as reader:
        salts = reader.opening_count(GALLERY)
    erasure = installation.erasure(turns=SMALL)

    closed = erasure.gallery(GALLERY, order=Order(Cause.REQUEST, "request-1"), permit=PERMIT, within_s=0)

    gone_from(installation)
    assert (closed.proof, closed.entry) == (None, None)
    [under_way] = erasure.under_way()
    assert (under_way.erasure, under_way.gallery, under_way.faces) == (closed.under_way, GALLERY, PEOPLE)
    assert installation.openable(search) == {"case", "justification"}
    assert erasure.traces(needles) != ()
    assert check_records(installation.records) == ()
    assert isinstance(installation.entry(closed.receipts[-1]), facts.Gallery)

    assert erasure.finish() == 1

    proof = erasure.proof(under_way.erasure)
    said = installation.last_entry()
    assert isinstance(said, facts.Erasure)
    assert (proof.faces, proof.images, proof.salts) == (PEOPLE, PEOPLE, salts)
    assert (said.scope, said.request, said.proof_digest) == (facts.ErasureScope.GALLERY, "request-1", proof.sha256)
    assert erasure.traces(needles, folder=installation.data) == ()
    assert (erasure.under_way(), erasure.finish()) == ([], 0)
    assert check_records(installation.records) == ()


def test_records_and_ledger_agree_while_it_is_under_way_and_only_then(installation: Installation) -> None:
    """A removal without an erasure is right while one is going on. Without one, somebody has dropped it."""
    populate(installation)
    erasure = installation.erasure(turns=SMALL)
    keys = (installation.recorder.verifier,)

    def disagreements() -> tuple[str, ...]:
        installation.settle()
        source = FolderSource(installation.recorder.public)
        return tuple(map(str, check_agreement(installation.records, source, keys)))

    closed = erasure.gallery(GALLERY, permit=PERMIT, within_s=0)
    during = disagreements()
    with installation.records.transaction() as transaction:
        document = transaction.document(UNDER_WAY_KIND, str(closed.under_way))
        transaction.delete_document(UNDER_WAY_KIND, document.id)
    dropped = disagreements()
    with pytest.raises(CorruptionError, match="on whose word"):
        erasure.finish()
    with installation.records.transaction() as transaction:
        transaction.insert_document(replace(document, revision=0))
    erasure.finish()

    assert during == disagreements() == ()
    assert len(dropped) == 1
    assert "nothing says that all of it is gone" in dropped[0]


def test_another_gallery_takes_the_name_and_is_left_alone(installation: Installation) -> None:
    """It holds none of the old faces, and the end of the erasure takes none of its own."""
    needles = populate(installation)
    erasure = installation.erasure(turns=SMALL)
    erasure.gallery(GALLERY, permit=PERMIT, within_s=0)

    installation.create(GALLERY)
    assert installation.rows() == []
    [fresh] = installation.enrol(name="somebody-else.jpg")
    search = installation.search(fresh.face_id)
    erasure.finish()

    assert [row.face_id for row in installation.rows()] == [fresh.face_id]
    assert "result" in installation.openable(search)
    assert erasure.traces(needles, folder=installation.data) == ()
    source = FolderSource(installation.recorder.public)
    installation.settle()
    assert check_agreement(installation.records, source, (installation.recorder.verifier,)) == ()


def test_a_gallery_goes_the_same_in_one_turn_as_in_many(installation: Installation) -> None:
    """What the two proofs count is the same, and whoever waits is told how far it is."""
    told: list[tuple[int, int]] = []
    populate(installation)
    whole = installation.erasure(turns=ALL_AT_ONCE).gallery(GALLERY, permit=PERMIT).proof
    installation.create(GALLERY)
    populate(installation)
    pieces = installation.erasure(turns=SMALL).gallery(
        GALLERY, permit=PERMIT, progress=lambda gone, total: told.append((gone, total))
    )

    assert whole is not None
    assert pieces.proof is not None
    assert (whole.faces, whole.images, whole.salts) == (pieces.proof.faces, pieces.proof.images, pieces.proof.salts)
    assert len(pieces.receipts) == 2
    assert len(told) > PEOPLE
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]


def test_two_that_erase_at_once_write_one_proof(installation: Installation) -> None:
    """Whoever comes second to the end finds it done."""
    needles = populate(installation)
    installation.erasure(turns=SMALL).gallery(GALLERY, permit=PERMIT, within_s=0)
    over: list[int] = []
    threads = [
        threading.Thread(target=lambda: over.append(installation.erasure(turns=SMALL).finish())) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(over) == [0, 0, 1]
    with installation.records.reading() as reader:
        assert len(reader.documents("erasure", limit=10)) == 1
    assert installation.erasure().traces(needles, folder=installation.data) == ()


def test_what_also_stands_in_a_closed_gallery_stands_for_nobody(installation: Installation) -> None:
    """A photograph's name that only a gallery under erasure bears besides is forgotten with the face."""
    installation.enrol(name="shared-name.jpg", sha256=SHARED, gallery=OTHER_GALLERY)
    [face] = installation.enrol(name="shared-name.jpg", sha256=SHARED)
    permit = permit_for(Action.MANAGE_GALLERY, OTHER_GALLERY)
    erasure = installation.erasure(turns=Turns(first=1, least=1, most=1))
    erasure.gallery(OTHER_GALLERY, permit=permit, within_s=0)

    erased = erasure.faces(GALLERY, [face.face_id], permit=permit_for(Action.FORGET))

    assert erased.needles is not None
    assert erased.needles.names == {"shared-name.jpg"}
    erasure.finish()
    assert erasure.traces(erased.needles, folder=installation.data) == ()


def test_a_gallery_is_not_dropped_while_anything_of_it_is_left(installation: Installation) -> None:
    """Its row holds what belongs to it, whatever somebody believes to be gone."""
    populate(installation)
    closed = installation.erasure(turns=SMALL).gallery(GALLERY, permit=PERMIT, within_s=0)

    with pytest.raises(ConflictError), installation.records.transaction() as transaction:
        transaction.drop_closed(str(closed.under_way))
    assert len(installation.erasure().under_way()) == 1


def test_a_copy_that_was_made_in_between_goes_on_with_it(installation: Installation, tmp_path: Path) -> None:
    """It has what was left, without its key, and the key of everything else can be changed meanwhile."""
    needles = populate(installation)
    erasure = installation.erasure(turns=SMALL)
    erasure.gallery(GALLERY, permit=PERMIT, within_s=0)
    shutil.copytree(installation.data / "ledger", tmp_path / "copy" / "ledger")
    shutil.copy(installation.data / "ledger.key", tmp_path / "copy" / "ledger.key")
    installation.records.rewrap(MasterKey(Secret(bytes(32)), older=[Secret(bytes(range(32)))]))
    installation.records.rewrap(MasterKey(Secret(bytes(range(32))), older=[Secret(bytes(32))]))
    installation.records.backup(tmp_path / "copy" / "records.sqlite3")

    copy = open_installation(tmp_path / "copy", World(np.random.default_rng(99)))
    gone_from(copy)
    finished = copy.erasure(turns=SMALL).finish()
    assert finished == 1
    assert copy.erasure().traces(needles, folder=tmp_path / "copy") == ()
    assert check_records(copy.records) == ()
    copy.close()


@dataclass
class Scene:
    """An installation on disk with a gallery to be erased, to be copied and broken again and again."""

    data: Path
    needles: Needles


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    data = tmp_path_factory.mktemp("scene") / "data"
    installation = open_installation(data, World(np.random.default_rng(7)))
    installation.create(GALLERY)
    needles = populate(installation)
    installation.close()
    return Scene(data, needles)


def all_gone(data: Path, needles: Needles, seed: int) -> None:
    """Go on with what is under way, in a new process's place, and look that it was done once and completely."""
    again = open_installation(data, World(np.random.default_rng(seed)))
    erasure = again.erasure(turns=SMALL)
    with contextlib.suppress(NotFoundError):
        erasure.gallery(GALLERY, permit=PERMIT)
    erasure.finish()
    gone_from(again)
    assert erasure.traces(needles, folder=data) == ()
    assert check_records(again.records) == ()
    assert again.verified().is_sound
    with again.records.reading() as reader:
        assert reader.pending_entries(10) == []
        assert len(reader.documents("erasure", limit=10)) == 1
        assert reader.documents(UNDER_WAY_KIND, limit=10) == []
    keys = (again.recorder.verifier,)
    assert check_agreement(again.records, FolderSource(again.recorder.public), keys) == ()
    again.close()


def break_off(scene: Scene, folder: Path, plan: Plan) -> None:
    """Erase the gallery in a copy while one call to the database fails; what was closed is never found again."""
    shutil.copytree(scene.data, folder)
    installation = open_installation(folder, World(np.random.default_rng(plan.failing + 1000)))
    installation.load_index()
    sabotage(installation.records, plan)
    with contextlib.suppress(UnavailableError):
        installation.erasure(turns=SMALL).gallery(GALLERY, permit=PERMIT)
    plan.failing = 0
    with installation.records.reading() as reader:
        is_closed = bool(reader.closed_galleries())
    if is_closed:
        gone_from(installation)
        assert installation.galleries.holding(scene.needles.ids) == []
    installation.close()
    all_gone(folder, scene.needles, plan.calls + 5000)
    shutil.rmtree(folder)


@pytest.mark.parametrize("fault", Fault)
def test_whichever_call_fails_the_rest_is_erased_later_and_once(scene: Scene, tmp_path: Path, fault: Fault) -> None:
    """Of every transaction of an erasure in turns, the commit fails before and after it took effect."""
    counting = Plan()
    break_off(scene, tmp_path / "counting", counting)
    assert len(counting.commits) > 4

    for failing in failing_calls(counting, fault):
        break_off(scene, tmp_path / str(failing), Plan(failing, fault))


def test_an_erasure_survives_kill_9(scene: Scene, tmp_path: Path) -> None:
    """A process that erases is killed again and again, and another one goes on: in the end all is gone, once."""
    data = tmp_path / "data"
    shutil.copytree(scene.data, data)
    program = [sys.executable, "-m", "tests.forgetting.erasing", str(data)]
    dice, killed = random.Random(5), 0
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for seed in range(100, 150):
            process.stdin.write(f"{seed}\n")
            process.stdin.flush()
            _, child = process.stdout.readline().split()
            for _ in range(dice.randrange(1, 3)):
                if process.stdout.readline().startswith("over"):
                    break
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
            said = ["piece"]
            while said[0] != "ended":
                said = process.stdout.readline().split()
            if said[1] == "0":
                break
            killed += 1
            records = Records.open(data, master_key=MasterKey(Secret(bytes(range(32)))))
            assert check_records(records) == ()
            with records.reading() as reader:
                is_closed = bool(reader.closed_galleries())
                with pytest.raises(NotFoundError):
                    reader.gallery(GALLERY)
            records.close()
            if not is_closed:
                break
        process.stdin.close()

    assert killed > 2
    all_gone(data, scene.needles, 9000)
