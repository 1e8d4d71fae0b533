"""Imports: many photographs enrolled beside everything else, and how far they are.

An import is its starter's: to anybody else there is none. Photographs are held in memory until they are enrolled or
rejected; what a server's end interrupted goes on with the same photographs, sent again. Implements
docs/administration.md, "Importing".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from recognizance.api.forms import Name, PictureBase64, form, picture_of
from recognizance.api.routes import Call, Method, Nothing, Repeat, Route, Who
from recognizance.api.services import PageQuery, Services, asker_of
from recognizance.enrolling.bulk import Item, items_of
from recognizance.enrolling.jobs import Asked, Job, JobState
from recognizance.errors import InputError
from recognizance.faces import QualityFilter
from recognizance.governance import Act
from recognizance.governance.parties import PersonId, UseId
from recognizance.identifiers import GalleryId
from recognizance.imports import MAX_FILES, Sent

MAX_BODY_BYTES = 64 << 20
"""Of all photographs of a request, in base64. More go in several imports, or by `recognizance import`."""


@form
class PhotographForm:
    """A photograph of one person, whose largest face is enrolled.

    Attributes:
        name: What it is called in reports; unique in its import. With its content it says what is settled already.
        subject: Whom it shows. Spelled as an id: accents are dropped, white space becomes underscores.
    """

    name: Name
    subject: Name
    picture: PictureBase64


Photographs = Annotated[tuple[PhotographForm, ...], Field(min_length=1, max_length=MAX_FILES)]


@form
class ImportForm:
    """Photographs to enrol.

    Attributes:
        use: On behalf of which use; null where the key or the session names one.
        looks: Whether everybody enrolled is looked for among the gallery's other subjects, each by a search.
    """

    photographs: Photographs
    quality: QualityFilter = QualityFilter.AUTO
    use: Name | None = None
    looks: bool = False


@form
class ContinuationForm:
    """The photographs of an import that ended early. Those that are settled already are passed over."""

    photographs: Photographs


@dataclass(frozen=True, slots=True)
class ImportView:
    """An import as it stands; forgotten 30 days after it began. What it enrolled stays.

    Attributes:
        state: `interrupted` if the server ended in the middle.
        total: Photographs that were sent.
        enrolled, rejected: Photographs that are settled, for good.
        looked: For how many people it has looked.
        failed: Why it ended early; else empty.
        may_go_on: Whether sending its photographs again goes on with it.
    """

    job: str
    gallery: str
    use: str | None
    state: JobState
    begun: datetime
    total: int
    enrolled: int
    rejected: int
    faces: int
    looked: int
    failed: str
    may_go_on: bool


@dataclass(frozen=True, slots=True)
class ImportPage:
    """One's own imports into a gallery, by id."""

    imports: tuple[ImportView, ...]
    next_page: str | None


@dataclass(frozen=True, slots=True)
class RejectView:
    """A photograph that wasn't enrolled, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class RejectPage:
    """Rejected photographs, by name."""

    rejects: tuple[RejectView, ...]
    next_page: str | None


def begin_import(services: Services, call: Call[ImportForm, Nothing]) -> ImportView:
    form, gallery, brought = call.body, _gallery(call), call.actor.asking.use
    asked = Asked(gallery, _owner(services, call), UseId(form.use) if form.use else brought, form.quality, form.looks)
    job = services.imports.start(asked, _items(form.photographs), by=call.actor)
    return _view(services.imports.jobs.of(job, gallery, asked.owner))


def go_on_with_import(services: Services, call: Call[ContinuationForm, Nothing]) -> ImportView:
    job = _job(services, call)
    services.imports.go_on(job, _items(call.body.photographs), by=call.actor)
    return _view(_job(services, call))


def list_imports(services: Services, call: Call[Nothing, PageQuery]) -> ImportPage:
    gallery = _gallery(call)
    jobs = services.imports.jobs.of_owner(gallery, _owner(services, call))
    page, token = services.page("list_imports", jobs, lambda each: each.id, call.query, within=gallery)
    return ImportPage(tuple(_view(each) for each in page), token)


def show_import(services: Services, call: Call[Nothing, Nothing]) -> ImportView:
    return _view(_job(services, call))


def list_rejects(services: Services, call: Call[Nothing, PageQuery]) -> RejectPage:
    job = _job(services, call)
    rejected = services.imports.jobs.rejected(job)
    page, token = services.page("list_rejects", rejected, lambda each: each.path, call.query, within=job.id)
    return RejectPage(tuple(RejectView(each.path, each.reason) for each in page), token)


def _items(photographs: Sequence[PhotographForm]) -> list[Item]:
    names = [each.name for each in photographs]
    if len(set(names)) < len(names):
        raise InputError("two photographs of an import have the same name")
    return items_of([(each.name, Sent(picture_of(each.picture)), each.subject) for each in photographs])


def _job(services: Services, call: Call[object, object]) -> Job:
    return services.imports.jobs.of(call.path["job"], _gallery(call), _owner(services, call))


def _owner(services: Services, call: Call[object, object]) -> PersonId:
    return asker_of(services, call.actor).person


def _gallery(call: Call[object, object]) -> GalleryId:
    return GalleryId(call.path["gallery"])


def _view(job: Job) -> ImportView:
    return ImportView(
        job=job.id,
        gallery=job.gallery,
        use=job.asked.use,
        state=job.state,
        begun=job.begun,
        total=job.total,
        enrolled=job.enrolled,
        rejected=job.rejected,
        faces=job.faces,
        looked=job.looked,
        failed=job.failed,
        may_go_on=job.may_go_on,
    )


ROUTES = (
    Route(
        "begin_import",
        Method.POST,
        "/galleries/{gallery}/imports",
        "Enrol up to 300 photographs, beside everything else. One import runs at a time.",
        begin_import,
        ImportView,
        act=Act.ENROL,
        body=ImportForm,
        status=202,
        repeat=Repeat.KEYED,
        kept=True,
        max_body_bytes=MAX_BODY_BYTES,
    ),
    Route(
        "go_on_with_import",
        Method.POST,
        "/galleries/{gallery}/imports/{job}/continuation",
        "Go on with one's own import that ended early.",
        go_on_with_import,
        ImportView,
        act=Act.ENROL,
        hides=True,
        body=ContinuationForm,
        status=202,
        max_body_bytes=MAX_BODY_BYTES,
    ),
    Route(
        "list_imports",
        Method.GET,
        "/galleries/{gallery}/imports",
        "List one's own imports into a gallery.",
        list_imports,
        ImportPage,
        Who.SIGNED_IN,
        query=PageQuery,
    ),
    Route(
        "show_import",
        Method.GET,
        "/galleries/{gallery}/imports/{job}",
        "Show how far one's own import is.",
        show_import,
        ImportView,
        Who.SIGNED_IN,
    ),
    Route(
        "list_rejects",
        Method.GET,
        "/galleries/{gallery}/imports/{job}/rejects",
        "List what one's own import rejected, and why.",
        list_rejects,
        RejectPage,
        Who.SIGNED_IN,
        query=PageQuery,
    ),
)
