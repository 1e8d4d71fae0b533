"""Imports: every photograph is settled once, with its reason, and a stopped import goes on where it was."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from recognizance.app import Service, bulk_enrolment
from recognizance.enrolling.bulk import NO_FACES, Item, Outcome, items_of_csv, items_of_folder, subject_of
from recognizance.errors import InputError
from recognizance.faces import QualityFilter
from recognizance.identifiers import GalleryId, SubjectId
from recognizance.permits import Action, Permit
from recognizance.records import ImportState, MasterKey, Needles, Records, check_records

from ..conftest import jpeg

GALLERY = GalleryId("people")
Permits = Callable[..., Permit]
Run = Callable[..., list[Outcome]]


@pytest.fixture
def folder(tmp_path: Path, collins: Image.Image, hopper: Image.Image, nobody: Image.Image) -> Path:
    """Two people in folders of their own, one photograph beside them, and three files that can't be enrolled."""
    root = tmp_path / "mugshots"
    for name, content in {
        "Eileen Collins/1.jpg": jpeg(collins),
        "Eileen Collins/2.JPG": jpeg(collins.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
        "hopper.png": jpeg(hopper),
        "empty/room.jpg": jpeg(nobody),
        "broken/half.jpg": jpeg(hopper)[:400],
        "broken/text.jpg": b"no picture at all",
        "notes.txt": b"not a photograph",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


@pytest.fixture
def run(service: Service, permit_for: Permits) -> Run:
    """Runs an import into a gallery that this creates."""
    service.galleries.create(GALLERY, tags={}, permit=permit_for(Action.MANAGE_GALLERY, GALLERY))

    def go(items: Sequence[Item], job: str = "job") -> list[Outcome]:
        bulk = bulk_enrolment(service)
        return list(
            bulk.run(
                GALLERY,
                items,
                job=job,
                max_faces=1,
                quality_filter=QualityFilter.AUTO,
                permit=permit_for(Action.ENROL, GALLERY),
            )
        )

    return go


def test_each_photograph_of_a_folder_is_enrolled_or_rejected_with_its_reason(
    run: Run, folder: Path, service: Service
) -> None:
    """The folder's name is the subject, and no photograph is lost without a word."""
    outcomes = {outcome.item.name: outcome for outcome in run(items_of_folder(folder))}

    enrolled = {name for name, outcome in outcomes.items() if outcome.state is ImportState.ENROLLED}
    assert enrolled == {"Eileen Collins/1.jpg", "Eileen Collins/2.JPG", "hopper.png"}
    assert outcomes["empty/room.jpg"].reason == NO_FACES
    assert "broken/half.jpg" in outcomes
    assert outcomes["broken/text.jpg"].reason != NO_FACES
    with service.records.reading() as reader:
        subjects = {row.subject_id: row.face_count for row in reader.subjects(GALLERY, limit=9)}
        faces = reader.faces(GALLERY, limit=9)
    assert subjects == {"Eileen_Collins": 2, "hopper": 1}
    assert {face.external_image_id for face in faces} == {"Eileen_Collins", "hopper"}


def test_nothing_is_kept_of_what_was_rejected_once_it_is_forgotten(run: Run, folder: Path, service: Service) -> None:
    """Neither its name nor its hash; what was enrolled stays settled, and the rest is looked at again."""
    items = items_of_folder(folder)
    run(items)
    bulk = bulk_enrolment(service)
    rejected = bulk.rejected(GALLERY, "job")
    bulk.forget_rejected(GALLERY, "job")
    needles = Needles(names=[item.path for item in rejected], blobs=[item.digest for item in rejected])
    traces = service.erasure.traces(needles, folder=service.data)
    again = {outcome.item.name for outcome in run(items) if not outcome.earlier}

    assert len(rejected) == 3
    assert traces == ()
    assert again == {item.path for item in rejected}


def test_a_second_run_does_nothing_twice(run: Run, folder: Path, service: Service) -> None:
    """What is settled is passed over; a photograph that changed is looked at again."""
    items = items_of_folder(folder)
    run(items)
    again = run(items)
    (folder / "empty/room.jpg").write_bytes((folder / "hopper.png").read_bytes() + b"\0")
    changed = run(items)

    assert all(outcome.earlier for outcome in again)
    assert [outcome.item.name for outcome in changed if not outcome.earlier] == ["empty/room.jpg"]
    with service.records.reading() as reader:
        assert reader.gallery(GALLERY).face_count == 4


def test_an_erasure_takes_the_notes_of_an_import_along(
    run: Run, folder: Path, service: Service, permit_for: Permits
) -> None:
    """What the photographs were called and their hashes are traces too; notes of other people's stay."""
    run(items_of_folder(folder))
    erased = service.erasure.subject(GALLERY, SubjectId("Eileen_Collins"), permit=permit_for(Action.FORGET, GALLERY))

    assert erased.needles is not None
    assert service.erasure.traces(erased.needles) == ()
    with service.records.reading() as reader:
        noted = [item.path for item in reader.import_items(GALLERY, "job", limit=9)]
    assert noted == ["broken/half.jpg", "broken/text.jpg", "empty/room.jpg", "hopper.png"]


def test_a_csv_gives_paths_and_subjects(run: Run, folder: Path, service: Service) -> None:
    """Paths are relative to the file, and a byte-order mark from a spreadsheet does no harm."""
    manifest = folder / "people.csv"
    manifest.write_text("person,file,age\nGrace,hopper.png,85\nAda,missing.jpg,36\n", encoding="utf-8-sig")

    found, missing = run(items_of_csv(manifest, path_column="file", subject_column="person"))

    assert (found.state, found.item.subject) == (ImportState.ENROLLED, "Grace")
    assert missing.state is ImportState.REJECTED
    assert "can't be read" in missing.reason


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("path,name\na.jpg,b\n", "subject"),
        ("path,subject\na.jpg,\n", "line 2"),
        ("path,subject\na.jpg,x\na.jpg,x\n", "twice"),
        ("path,subject\na.jpg,José\nb.jpg,Jose\n", "José"),
        ("path,subject\na.jpg,你\n", "你"),
        ("\udcff", "can't read"),
    ],
)
def test_a_list_that_is_wrong_is_refused_before_anything_is_enrolled(tmp_path: Path, text: str, named: str) -> None:
    """The message names what is wrong."""
    manifest = tmp_path / "people.csv"
    manifest.write_bytes(text.encode("utf-8", "surrogateescape"))

    with pytest.raises(InputError, match=named):
        items_of_csv(manifest, path_column="path", subject_column="subject")


@given(st.text(max_size=140))
def test_a_subject_is_spelled_within_rekognitions_alphabet_or_refused(name: str) -> None:
    """Spelling is stable: spelling it again changes nothing."""
    try:
        subject = subject_of(name)
    except InputError:
        return
    assert subject_of(subject) == subject
    assert 1 <= len(subject) <= 128
    assert subject.isascii()


def test_a_subject_with_a_hundred_faces_takes_no_more_but_the_photograph_is_enrolled(
    run: Run, tmp_path: Path, collins: Image.Image, service: Service
) -> None:
    """Rekognition's limit for a user bounds the subject, not the gallery."""
    content = jpeg(collins.resize((200, 200)))
    items = []
    for number in range(101):
        path = tmp_path / f"{number:03}.jpg"
        path.write_bytes(content + bytes([number]))
        items.append(Item(path.name, path, SubjectId("collins")))

    run(items)

    with service.records.reading() as reader:
        assert reader.gallery(GALLERY).face_count == 101
        assert reader.subject(GALLERY, SubjectId("collins")).face_count == 100


KILLS = int(os.environ.get("RECOGNIZANCE_TEST_KILLS", "3"))


@pytest.mark.slow
def test_killed_imports_keep_what_they_told_of_and_nothing_else(tmp_path: Path, collins: Image.Image) -> None:
    """`kill -9` at random moments: every face that was told of is there afterwards, and each photograph once."""
    rng = random.Random(20261122)
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    small = collins.resize((160, 160))
    for number in range(60 * KILLS + 60):
        (photographs / f"person-{number:05}.jpg").write_bytes(jpeg(small) + number.to_bytes(2, "big"))
    data = tmp_path / "data"
    command = [sys.executable, "-m", "recognizance.cli", "import", str(photographs)]
    command += ["--gallery", GALLERY, "--data", str(data), "--json"]
    told: dict[str, list[str]] = {}

    def read(lines: Sequence[bytes]) -> None:
        for line in lines:
            if line.endswith(b"}\n") and "path" in (outcome := json.loads(line)):
                told[outcome["path"]] = outcome["face_ids"]

    for _ in range(KILLS):
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            assert process.stdout is not None
            lines: list[bytes] = []
            # What an earlier run settled is told of again, at once: a kill comes amid photographs that are new.
            fresh, wanted = set[str](), rng.randint(1, 40)
            while len(fresh) < wanted:
                lines.append(process.stdout.readline())
                fresh |= {json.loads(lines[-1])["path"]} - told.keys()
            time.sleep(rng.uniform(0, 0.2))
            assert process.poll() is None
            process.send_signal(signal.SIGKILL)
            read([*lines, *process.stdout.readlines()])
    finished = subprocess.run(command, capture_output=True, check=False)
    assert (finished.returncode, finished.stderr) == (0, b"")
    read(finished.stdout.splitlines(keepends=True))

    records = Records.open(data, master_key=MasterKey.from_file(data / "master.key"))
    problems = check_records(records)
    with records.reading() as reader:
        faces = reader.faces(GALLERY, limit=100_000)
    records.close()
    held = {face.face_id: face.external_image_id for face in faces}
    assert not problems
    assert {face: path.removesuffix(".jpg") for path, ids in told.items() for face in ids}.items() <= held.items()
    assert sorted(filter(None, held.values())) == sorted(path.stem for path in photographs.iterdir())
