"""Pages that enrol many photographs at once, with progress, and with what was rejected to download.

Photographs are sent by the browser and held in memory until they are enrolled or rejected; none is written anywhere on
the way. The work runs beside the pages, one import of an installation at a time, and is told of by polling, or by
loading the page again. What is done is done for good, whatever happens to the browser or the server; an import that the
server's end interrupted is gone on with by sending its photographs again.

An import is its starter's: nobody else sees how it goes. Implements docs/administration.md, "Importing".
"""

import csv
import io
from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

from recognizance.enrolling.bulk import IMAGE_SUFFIXES, Item, items_of
from recognizance.enrolling.jobs import Asked, Job, JobState
from recognizance.errors import InputError
from recognizance.faces import QualityFilter
from recognizance.governance.parties import Role, UseId
from recognizance.governance.uses import SEARCHABLE
from recognizance.governing.installation import Governing
from recognizance.identifiers import GalleryId
from recognizance.imports import MAX_FILES, Imports, LooksForNobodyError, Sent
from recognizance.permits import Action
from recognizance.records import Records
from recognizance.web.administrator_galleries import KEEPERS
from recognizance.web.administrator_words import JOB_STATES
from recognizance.web.forms import Upload
from recognizance.web.frame import Page
from recognizance.web.language import N_
from recognizance.web.visits import Visit

MAX_BYTES = 256 << 20
"""Of one import by a browser; larger ones are for `recognizance import`."""

_LOOKS_FOR_NOBODY = N_("The candidates of this use wait for reviewers, so nobody is looked for by name.")
_BOUNDS: Mapping[str, int] = {"most_files": MAX_FILES, "most_mib": MAX_BYTES >> 20}


class AdministratorImportsPages:
    def __init__(self, records: Records, governing: Governing, imports: Imports) -> None:
        self._records = records
        self._governing = governing
        self._imports = imports
        self._jobs = imports.jobs

    def table(self) -> list[Page]:
        path = "/galleries/{gallery}/import"
        return [
            Page(path, self.start, KEEPERS, has_form=True, most_files=MAX_FILES, most_bytes=MAX_BYTES),
            Page(f"{path}/{{job}}", self.show, KEEPERS, has_form=True, most_files=MAX_FILES, most_bytes=MAX_BYTES),
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
            items = _items(visit)
            if quality is not None and items and visit.form.is_sound:
                looks = visit.form.ticked("looks")
                asked = Asked(gallery, visit.who.person, UseId(use) if use else None, quality, looks)
                try:
                    job = self._imports.start(asked, items, by=visit.actor())
                except LooksForNobodyError:
                    visit.form.fail("looks", _LOOKS_FOR_NOBODY)
                else:
                    return visit.redirect(f"/galleries/{gallery}/import/{job}")
        return visit.page(
            "administrator/import.html",
            status=422 if visit.form.errors else 200,
            gallery=gallery,
            use_choices=[(each, each) for each in uses],
            jobs=self._jobs.of_owner(gallery, visit.who.person),
            states=JOB_STATES,
            **_BOUNDS,
        )

    def show(self, visit: Visit) -> Response:
        """How an import goes or went; the form goes on with one that ended early."""
        job = self._job(visit)
        if visit.is_post:
            items = _items(visit) if job.may_go_on else []
            if visit.form.is_sound:
                self._imports.go_on(job, items, by=visit.actor())
                return visit.redirect(f"/galleries/{job.gallery}/import/{job.id}")
        return visit.page(
            "administrator/import_job.html",
            status=422 if visit.form.errors else 200,
            job=job,
            rejects=self._jobs.rejected(job) if job.is_over and job.rejected else [],
            is_interrupted=job.state is JobState.INTERRUPTED,
            **_BOUNDS,
        )

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
        writer.writerows([_plain(item.path), _plain(item.reason)] for item in self._jobs.rejected(job))
        headers = {"Content-Disposition": f'attachment; filename="rejects-{job.id}.csv"', "Cache-Control": "no-store"}
        return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)

    def _job(self, visit: Visit) -> Job:
        return self._jobs.of(visit.path["job"], GalleryId(visit.path["gallery"]), visit.who.person)


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
