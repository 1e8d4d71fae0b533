"""Imports that outlive the server: shown as they are after a restart, gone on with, and forgotten in time."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from PIL import Image

from recognizance.app import Service, bulk_enrolment
from recognizance.enrolling import bulk as bulk_module
from recognizance.enrolling import jobs as jobs_module
from recognizance.enrolling.bulk import Item, items_of
from recognizance.enrolling.jobs import Asked, ImportJobs, Job, JobState, Look, forget_ended
from recognizance.errors import ConflictError, DeniedError, NotFoundError
from recognizance.faces import QualityFilter
from recognizance.governance.parties import PersonId
from recognizance.identifiers import GalleryId, PrincipalId, SubjectId
from recognizance.permits import Action, Permit
from recognizance.records import check_records
from recognizance.storage import new_id

from ..conftest import NOW, jpeg

GALLERY = GalleryId("people")
OWNER, ANOTHER = PersonId(PrincipalId("owner")), PersonId(PrincipalId("another"))
ASKED = Asked(GALLERY, OWNER, None, QualityFilter.NONE)
Permits = Callable[..., Permit]


@dataclass(frozen=True)
class Sent:
    data: bytes

    def read_bytes(self) -> bytes:
        return self.data


class EndOfServer:
    """A photograph at which the thread that works on it is gone, with all that it hadn't committed."""

    def read_bytes(self) -> bytes:
        raise SystemExit


@dataclass
class Waiting:
    """A photograph that isn't read before the test says so."""

    go: threading.Event

    def read_bytes(self) -> bytes:
        self.go.wait(30)
        return b""


@dataclass
class Desk:
    """A service, and imports into one gallery of it."""

    service: Service
    permit: Permit

    def jobs(self) -> ImportJobs:
        """What a server has right after its start."""
        return ImportJobs(self.service.records, bulk_enrolment(self.service), clock=lambda: NOW, new_id=new_id)

    def ended(self, jobs: ImportJobs, job: str) -> Job:
        deadline = time.monotonic() + 60
        while not (found := jobs.of(job, GALLERY, OWNER)).is_over:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return found

    def run(self, items: list[Item], asked: Asked = ASKED, look: Look | None = None) -> tuple[ImportJobs, Job]:
        jobs = self.jobs()
        return jobs, self.ended(jobs, jobs.start(asked, items, permit=self.permit, look=look))

    @property
    def face_count(self) -> int:
        with self.service.records.reading() as reader:
            return reader.gallery(GALLERY).face_count


@pytest.fixture
def desk(service: Service, permit_for: Permits, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Every photograph is a batch of its own, so that each is committed before the next."""
    monkeypatch.setattr(bulk_module, "BATCH_FILES", 1)
    service.galleries.create(GALLERY, tags={}, permit=permit_for(Action.MANAGE_GALLERY, GALLERY))
    return Desk(service, permit_for(Action.ENROL, GALLERY))


@pytest.fixture
def photographs(collins: Image.Image, hopper: Image.Image, nobody: Image.Image) -> list[Item]:
    """Two of one person, one of another, and one without a face."""
    named = {"ada#1": collins, "ada#2": collins.resize((400, 400)), "wall": nobody, "grace": hopper}
    return items_of([(f"{name}.jpg", Sent(jpeg(each)), name.partition("#")[0]) for name, each in named.items()])


def test_an_import_and_its_rejects_are_there_after_a_restart(desk: Desk, photographs: list[Item]) -> None:
    """Counts, state and what was rejected with its reason; to anybody but its owner there is none."""
    _, ended = desk.run(photographs)

    jobs = desk.jobs()
    job = jobs.of(ended.id, GALLERY, OWNER)
    assert job == ended
    assert (job.state, job.total, job.enrolled, job.rejected, job.faces) == (JobState.OVER, 4, 3, 1, 3)
    assert [item.path for item in jobs.rejected(job)] == ["wall.jpg"]
    assert jobs.of_owner(GALLERY, OWNER) == [job]
    assert jobs.of_owner(GALLERY, ANOTHER) == []
    for gallery, owner in ((GALLERY, ANOTHER), (GalleryId("other"), OWNER)):
        with pytest.raises(NotFoundError):
            jobs.of(job.id, gallery, owner)
    with pytest.raises(ConflictError):
        jobs.go_on(job, photographs, permit=desk.permit)


# The thread ends as it does with its process: by nothing that anybody catches.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_import_that_the_servers_end_interrupted_is_gone_on_with(desk: Desk, photographs: list[Item]) -> None:
    """What was enrolled and rejected is said; the same photographs sent again are enrolled once, the others too."""
    broken = [*photographs[:3], replace(photographs[3], path=EndOfServer())]
    before = desk.jobs()
    job = before.start(ASKED, broken, permit=desk.permit)
    for thread in threading.enumerate():
        if thread.name == "import by browser":
            thread.join(60)

    after = desk.jobs()
    found = after.of(job, GALLERY, OWNER)
    assert (found.state, found.total, found.enrolled, found.rejected) == (JobState.INTERRUPTED, 4, 2, 1)
    assert [item.path for item in after.rejected(found)] == ["wall.jpg"]
    after.go_on(found, photographs, permit=desk.permit)
    ended = desk.ended(after, job)
    assert (ended.state, ended.total, ended.enrolled, ended.rejected, ended.faces) == (JobState.OVER, 4, 3, 1, 3)
    assert desk.face_count == 3
    assert check_records(desk.service.records) == ()


def test_a_refused_look_ends_the_import_and_is_gone_on_with(desk: Desk, photographs: list[Item]) -> None:
    """Nobody is looked for twice, as each look is a search that counts."""
    asked, seen = replace(ASKED, looks=True), list[SubjectId]()

    def look(subject: SubjectId) -> None:
        if seen and len(seen) < 2 and subject not in seen:
            seen.append(SubjectId("refused"))
            raise DeniedError("no search left for today", decision_id="d")
        seen.append(subject)

    jobs, job = desk.run(photographs, asked, look)
    assert (job.state, job.failed, job.looked, job.enrolled) == (JobState.FAILED, "no search left for today", 1, 3)

    jobs.go_on(job, photographs, permit=desk.permit, look=look)
    ended = desk.ended(jobs, job.id)
    assert (ended.state, ended.failed, ended.looked) == (JobState.OVER, "", 2)
    assert seen == ["ada", "refused", "grace"]


def test_one_import_runs_at_a_time(desk: Desk, photographs: list[Item]) -> None:
    """A second is told to wait, and takes its turn when the first is over."""
    jobs, go = desk.jobs(), threading.Event()
    first = jobs.start(ASKED, [replace(photographs[0], path=Waiting(go))], permit=desk.permit)
    assert jobs.of(first, GALLERY, OWNER).state is JobState.RUNNING
    with pytest.raises(ConflictError):
        jobs.start(ASKED, photographs, permit=desk.permit)
    go.set()
    assert desk.ended(jobs, first).rejected == 1
    # The turn is given back right after the end is kept.
    deadline = time.monotonic() + 10
    while jobs._running is not None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    second = jobs.start(ASKED, photographs[:1], permit=desk.permit)
    assert desk.ended(jobs, second).enrolled == 1


def test_imports_are_forgotten_in_time_and_their_faces_stay(desk: Desk, photographs: list[Item]) -> None:
    """After 30 days nothing says any more what the photographs were called."""
    jobs, job = desk.run(photographs[2:])
    assert forget_ended(desk.service.records, NOW + timedelta(days=29)) == 0
    assert forget_ended(desk.service.records, NOW + timedelta(days=30)) == 1
    with pytest.raises(NotFoundError):
        jobs.of(job.id, GALLERY, OWNER)
    with desk.service.records.reading() as reader:
        assert reader.import_items(GALLERY, job.id, limit=9) == []
    assert desk.face_count == 1


def test_only_so_many_imports_are_kept(
    desk: Desk, photographs: list[Item], monkeypatch: pytest.MonkeyPatch, permit_for: Permits
) -> None:
    """The oldest makes room for a new one; an import into a gallery that is gone is forgotten like any other."""
    monkeypatch.setattr(jobs_module, "MOST_KEPT", 2)
    ids = [desk.run(photographs[2:3])[1].id for _ in range(3)]
    kept = {job.id for job in desk.jobs().of_owner(GALLERY, OWNER)}
    assert len(kept) == 2
    assert ids[-1] in kept

    desk.service.erasure.gallery(GALLERY, permit=permit_for(Action.MANAGE_GALLERY, GALLERY))
    with pytest.raises(NotFoundError):
        desk.jobs().of(ids[-1], GALLERY, OWNER)
    assert forget_ended(desk.service.records, NOW + timedelta(days=30)) == 2
