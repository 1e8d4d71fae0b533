"""Pages that enrol many photographs at once, with progress, and with what was rejected to download.

Photographs are sent by the browser and held in memory until they are enrolled or rejected; none is written anywhere on
the way. The work runs beside the pages, one import of an installation at a time, and is told of by polling, or by
loading the page again. What is done is done for good, whatever happens to the browser or the server.

An import is its starter's: nobody else sees how it goes. Implements docs/administration.md, "Importing".
"""

import csv
import io
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from starlette.responses import JSONResponse, Response

from recognizance.enrolling.bulk import IMAGE_SUFFIXES, BulkEnrolment, Item, items_of
from recognizance.errors import ConflictError, Error, InputError, NotFoundError
from recognizance.faces import QualityFilter
from recognizance.governance.parties import PersonId, Role, UseId
from recognizance.governance.uses import SEARCHABLE
from recognizance.governing.installation import Governing
from recognizance.identifiers import GalleryId
from recognizance.permits import Action, Permit
from recognizance.records import ImportItem, ImportState, Records
from recognizance.web.administrator_galleries import KEEPERS
from recognizance.web.forms import Upload
from recognizance.web.frame import Page
from recognizance.web.language import N_
from recognizance.web.visits import Visit

MAX_FILES = 300
MAX_BYTES = 256 << 20
"""Of one import by a browser; larger ones are for `recognizance import`."""

MOST_REMEMBERED = 100
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """A photograph that a browser sent, which stands nowhere but here."""

    data: bytes = field(repr=False)

    def read_bytes(self) -> bytes:
        return self.data


@dataclass(slots=True)
class Job:
    """One import. Its counts are read while it runs; they only rise."""

    id: str
    gallery: GalleryId
    owner: PersonId
    total: int
    done: int = 0
    enrolled: int = 0
    rejected: int = 0
    faces: int = 0
    is_over: bool = False
    failed: str = ""
    rejects: list[ImportItem] = field(default_factory=list[ImportItem])


class Jobs:
    """Runs imports, one at a time, and remembers how they went until the server ends."""

    def __init__(self, bulk: BulkEnrolment, *, new_id: Callable[[], str]) -> None:
        self._bulk = bulk
        self._new_id = new_id
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def start(
        self, gallery: GalleryId, items: Sequence[Item], *, quality: QualityFilter, owner: PersonId, permit: Permit
    ) -> Job:
        """Begin an import; it goes on whoever leaves.

        Raises:
            ConflictError: If another one is under way.
        """
        with self._lock:
            if any(not each.is_over for each in self._jobs.values()):
                raise ConflictError("another import is under way; wait until it is over")
            while len(self._jobs) >= MOST_REMEMBERED:
                self._jobs.pop(next(iter(self._jobs)))
            job = Job(self._new_id(), gallery, owner, len(items))
            self._jobs[job.id] = job
        # A daemon: each batch commits with its notes, so that an end in the middle leaves nothing half done.
        threading.Thread(
            target=self._run, args=(job, items, quality, permit), name="import by browser", daemon=True
        ).start()
        return job

    def of(self, job: str, gallery: GalleryId, owner: PersonId) -> Job:
        """Raises: NotFoundError: If there is none, or it's somebody else's."""
        with self._lock:
            known = self._jobs.get(job)
        if known is None or known.owner != owner or known.gallery != gallery:
            raise NotFoundError("there is no such import")
        return known

    def _run(self, job: Job, items: Sequence[Item], quality: QualityFilter, permit: Permit) -> None:
        try:
            outcomes = self._bulk.run(
                job.gallery, items, job=job.id, max_faces=1, quality_filter=quality, permit=permit
            )
            for outcome in outcomes:
                job.done += 1
                job.faces += len(outcome.face_ids)
                if outcome.state is ImportState.REJECTED:
                    job.rejected += 1
                else:
                    job.enrolled += 1
            job.rejects = self._bulk.rejected(job.gallery, job.id)
        except Error as error:
            job.failed = str(error)
        except Exception as error:  # noqa: BLE001  # the worker's edge: the page must not wait for ever
            _log.error("an import by browser failed", exc_info=error)
            job.failed = "something went wrong on our side"
        finally:
            job.is_over = True


class AdministratorImportsPages:
    def __init__(self, records: Records, governing: Governing, jobs: Jobs) -> None:
        self._records = records
        self._governing = governing
        self._jobs = jobs

    def table(self) -> list[Page]:
        path = "/galleries/{gallery}/import"
        return [
            Page(path, self.start, KEEPERS, has_form=True, most_files=MAX_FILES, most_bytes=MAX_BYTES),
            Page(f"{path}/{{job}}", self.show, KEEPERS),
            Page(f"{path}/{{job}}/progress", self.progress, KEEPERS),
            Page(f"{path}/{{job}}/rejects.csv", self.rejects, KEEPERS),
        ]

    def start(self, visit: Visit) -> Response:
        gallery = GalleryId(visit.path["gallery"])
        action = Action.READ_GALLERY if visit.has_role(Role.SUPERVISOR, Role.OPERATOR) else Action.MANAGE_GALLERY
        self._governing.gate.permit(visit.actor(), action, gallery)
        with self._records.reading() as reader:
            reader.gallery(gallery)
        uses = [
            each.use.id
            for each in self._governing.uses.list()
            if each.use.state in SEARCHABLE and each.use.terms.gallery == gallery
        ]
        if visit.is_post:
            quality = visit.form.choice("quality", QualityFilter)
            use = visit.form.one_of("use", uses or [""])
            items = self._items(visit)
            if quality is not None and items and visit.form.is_sound:
                actor = visit.actor()
                actor = replace(actor, asking=replace(actor.asking, use=UseId(use) if use else None))
                permit = self._governing.gate.permit(actor, Action.ENROL, gallery)
                job = self._jobs.start(gallery, items, quality=quality, owner=visit.who.person, permit=permit)
                return visit.redirect(f"/galleries/{gallery}/import/{job.id}")
        return visit.page(
            "administrator/import.html",
            status=422 if visit.form.errors else 200,
            gallery=gallery,
            use_choices=[(each, each) for each in uses],
            most_files=MAX_FILES,
            most_mib=MAX_BYTES >> 20,
        )

    def show(self, visit: Visit) -> Response:
        return visit.page("administrator/import_job.html", job=self._job(visit))

    def progress(self, visit: Visit) -> Response:
        """What the page's script asks for, again and again."""
        job = self._job(visit)
        told = {"done": job.done, "total": job.total, "is_over": job.is_over}
        return JSONResponse(told, headers={"Cache-Control": "no-store"})

    def rejects(self, visit: Visit) -> Response:
        job = self._job(visit)
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(["path", "reason"])
        writer.writerows([_plain(item.path), _plain(item.reason)] for item in job.rejects)
        headers = {"Content-Disposition": f'attachment; filename="rejects-{job.id}.csv"', "Cache-Control": "no-store"}
        return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)

    def _job(self, visit: Visit) -> Job:
        return self._jobs.of(visit.path["job"], GalleryId(visit.path["gallery"]), visit.who.person)

    @staticmethod
    def _items(visit: Visit) -> list[Item]:
        """The photographs that were sent, each of the person that its file is named after."""
        sent = visit.form.files.get("photographs", ())
        pictures = [each for each in sent if _suffix(each) in IMAGE_SUFFIXES]
        if not pictures:
            visit.form.fail("photographs", N_("Choose one photograph at least: JPEG, PNG, WebP or HEIC."))
            return []
        try:
            return items_of([(_name(each), Sent(each.data), _subject(each)) for each in pictures])
        except InputError:
            visit.form.fail("photographs", N_("A file is named after nobody, or two people would have the same name."))
            return []


def _name(upload: Upload) -> str:
    """The last part of what the browser calls the file: a name in reports, never a path."""
    return upload.name.replace("\\", "/").rpartition("/")[2][:255]


def _suffix(upload: Upload) -> str:
    return "." + _name(upload).rpartition(".")[2].lower()


def _subject(upload: Upload) -> str:
    """Photographs of one person are told apart by what follows a hash: `ada#1.jpg`, `ada#2.jpg`."""
    return _name(upload).rpartition(".")[0].partition("#")[0]


def _plain(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
