"""The desk: what people ask about themselves, looked up, answered, corrected and erased by its officers."""

from dataclasses import dataclass
from datetime import date, datetime

from recognizance.api.forms import Day, Name, PageSize, Percent, PictureBase64, Text, form, picture_of
from recognizance.api.resources.galleries import ErasureView, erasure_view
from recognizance.api.resources.probes import MAX_BODY_BYTES
from recognizance.api.routes import Call, File, Media, Method, Nothing, Repeat, Route
from recognizance.api.services import PageQuery, Services
from recognizance.correspondence import RequestFile
from recognizance.desk import Findings
from recognizance.errors import NotFoundError
from recognizance.governance import Act
from recognizance.governance.subjects import Refusal, RequestEvent, RequestKind, RequestState
from recognizance.governing.registration import Actor
from recognizance.identifiers import FaceId, GalleryId, SubjectId
from recognizance.searching_desk import LEAST_SIMILARITY_PCT

ZIP = "application/zip"
BYTES = "application/octet-stream"


@form
class RequestForm:
    """What somebody asks about themselves; who asks and what they say is sealed.

    Attributes:
        asker: Who asks, and how to reach them.
        received: The day it came in, from which its deadline runs; null for today.
    """

    kind: RequestKind
    asker: Name
    statement: Text = ""
    received: Day | None = None


@dataclass(frozen=True, slots=True)
class RequestView:
    """A request with what was said, for officers of the desk."""

    request: str
    kind: RequestKind
    state: RequestState
    received: date
    deadline: date
    overdue: bool
    officer: str | None
    refusal: Refusal | None
    extension_reason: str
    asker: str
    statement: str
    answer: str


@dataclass(frozen=True, slots=True)
class RequestPage:
    """Requests by id. `overdue` names those that are late, whatever page they are on."""

    requests: tuple[RequestView, ...]
    overdue: tuple[str, ...]
    next_page: str | None


@form
class RequestQuery:
    """Which requests; all states without one."""

    state: RequestState | None = None
    page_size: PageSize = 50
    page_token: str | None = None


@form
class StepForm:
    """One step of a request's life.

    Attributes:
        refusal: Why it is refused; goes with the event `refuse` and nothing else.
        answer: What the asker is told.
    """

    event: RequestEvent
    refusal: Refusal | None = None
    answer: Text = ""


@form
class ExtensionForm:
    """Why more time is needed; the asker is told."""

    reason: Text


@form
class NamesForm:
    """Names that galleries know: of subjects, of photographs, or ids of faces, such as a photograph brought up."""

    names: tuple[Name, ...]


@form
class PhotographForm:
    """A photograph of whoever asks; it isn't kept.

    Attributes:
        threshold_pct: Least similarity, 80 or more.
    """

    photograph: PictureBase64
    threshold_pct: Percent = LEAST_SIMILARITY_PCT


@dataclass(frozen=True, slots=True)
class HeldFaceView:
    """A face that is held.

    Attributes:
        candidate_in: Ledger entries of searches that it was a candidate of, as far as they can still be shown.
        marks: How many findings "not this person" protect whoever it stands for.
    """

    gallery: str
    face: str
    subject: str | None
    photograph_name: str | None
    enrolled: datetime
    candidate_in: tuple[str, ...]
    marks: int


@dataclass(frozen=True, slots=True)
class FindingsView:
    """What is held about whoever made a request.

    Attributes:
        elsewhere: Galleries of other agencies, whose own desks answer for them.
    """

    is_enrolled: bool
    was_a_candidate: bool
    faces: tuple[HeldFaceView, ...]
    elsewhere: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LikenessView:
    """A face that resembles the photograph. Similar is not the same person, so nothing else is said of it."""

    gallery: str
    face: str
    similarity_pct: float


@dataclass(frozen=True, slots=True)
class LikenessesView:
    """What a photograph brought up, most similar first.

    Attributes:
        elsewhere: Galleries of other agencies, whose own desks answer for them.
    """

    faces: tuple[LikenessView, ...]
    elsewhere: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ErasuresView:
    """What was erased, gallery by gallery, each with its proof.

    Attributes:
        traces: Where something of it was still found; 0 is what it has to be.
    """

    erasures: tuple[ErasureView, ...]
    traces: int


@form
class CorrectionForm:
    """Whose a face is: somebody else's, or (null) nobody's that is known."""

    gallery: Name
    face: Name
    subject: Name | None = None


def open_request(services: Services, call: Call[RequestForm, Nothing]) -> RequestView:
    form = call.body
    request = services.desk.open(
        form.kind, asker=form.asker, statement=form.statement, received=form.received, by=call.actor
    )
    return _shown(services, call.actor, request.id)


def list_requests(services: Services, call: Call[Nothing, RequestQuery]) -> RequestPage:
    query = call.query
    page, token = services.page(
        "list_requests",
        services.desk.files(state=query.state, by=call.actor),
        lambda each: each.request.id,
        PageQuery(query.page_size, query.page_token),
        within=query.state or "",
    )
    late = tuple(each.id for each in services.desk.overdue(by=call.actor))
    return RequestPage(tuple(_view(services, each) for each in page), late, token)


def show_request(services: Services, call: Call[Nothing, Nothing]) -> RequestView:
    return _shown(services, call.actor, call.path["request"])


def show_request_photograph(services: Services, call: Call[Nothing, Nothing]) -> File:
    photograph = services.desk.photograph(call.path["request"], by=call.actor)
    if photograph is None:
        raise NotFoundError(f"no photograph came with request {call.path['request']!r}, or it needs none any more")
    return File(BYTES, photograph, "photograph")


def step_request(services: Services, call: Call[StepForm, Nothing]) -> RequestView:
    form, request = call.body, call.path["request"]
    services.desk.step(request, form.event, refusal=form.refusal, answer=form.answer, by=call.actor)
    return _shown(services, call.actor, request)


def extend_request(services: Services, call: Call[ExtensionForm, Nothing]) -> RequestView:
    services.desk.extend(call.path["request"], call.body.reason, by=call.actor)
    return _shown(services, call.actor, call.path["request"])


def look_up_names(services: Services, call: Call[NamesForm, Nothing]) -> FindingsView:
    found = _findings(services, call)
    faces = (
        HeldFaceView(
            gallery=each.gallery,
            face=each.face.face_id,
            subject=each.face.subject,
            photograph_name=each.face.external_image_id,
            enrolled=each.face.created,
            candidate_in=each.candidate_in,
            marks=each.marks,
        )
        for each in found.faces
    )
    return FindingsView(found.is_enrolled, found.was_a_candidate, tuple(faces), found.elsewhere)


def look_up_photograph(services: Services, call: Call[PhotographForm, Nothing]) -> LikenessesView:
    form = call.body
    found = services.desk.faces_like(
        call.path["request"], picture_of(form.photograph), threshold_pct=form.threshold_pct, by=call.actor
    )
    faces = tuple(LikenessView(each.gallery, each.face, each.similarity_pct) for each in found.faces)
    return LikenessesView(faces, found.elsewhere)


def export_held(services: Services, call: Call[NamesForm, Nothing]) -> File:
    archive = services.desk.export(call.path["request"], _findings(services, call), by=call.actor)
    return File(ZIP, archive, "held.zip")


def erase_held(services: Services, call: Call[NamesForm, Nothing]) -> ErasuresView:
    erased = services.desk.erase(call.path["request"], _findings(services, call), by=call.actor)
    traces = sum(len(services.erasure.traces(each.needles)) for each in erased if each.needles is not None)
    return ErasuresView(tuple(erasure_view(each) for each in erased), traces)


def correct_held(services: Services, call: Call[CorrectionForm, Nothing]) -> Nothing:
    form = call.body
    services.desk.correct(
        call.path["request"],
        GalleryId(form.gallery),
        FaceId(form.face),
        subject=None if form.subject is None else SubjectId(form.subject),
        by=call.actor,
    )
    return Nothing()


def _findings(services: Services, call: Call[NamesForm, Nothing]) -> Findings:
    return services.desk.held_under(call.path["request"], call.body.names, by=call.actor)


def _shown(services: Services, actor: Actor, request: str) -> RequestView:
    return _view(services, services.desk.file(request, by=actor))


def _view(services: Services, file: RequestFile) -> RequestView:
    request = file.request
    return RequestView(
        request=request.id,
        kind=request.kind,
        state=request.state,
        received=request.received,
        deadline=request.deadline,
        overdue=request.is_overdue_on(services.clock().date()),
        officer=request.officer,
        refusal=request.refusal,
        extension_reason=request.extension_reason,
        asker=file.asker,
        statement=file.statement,
        answer=file.answer,
    )


_REQUEST = "/desk-requests/{request}"

ROUTES = (
    Route(
        "open_request",
        Method.POST,
        "/desk-requests",
        "Take a request of somebody about themselves.",
        open_request,
        RequestView,
        act=Act.HANDLE_REQUEST,
        body=RequestForm,
        status=201,
        repeat=Repeat.KEYED,
    ),
    Route(
        "list_requests",
        Method.GET,
        "/desk-requests",
        "List requests.",
        list_requests,
        RequestPage,
        act=Act.HANDLE_REQUEST,
        query=RequestQuery,
    ),
    Route(
        "show_request",
        Method.GET,
        _REQUEST,
        "Show a request with what was said.",
        show_request,
        RequestView,
        act=Act.HANDLE_REQUEST,
    ),
    Route(
        "show_request_photograph",
        Method.GET,
        f"{_REQUEST}/photograph",
        "The photograph that came with a request, as it was sent.",
        show_request_photograph,
        Media((BYTES,)),
        act=Act.HANDLE_REQUEST,
    ),
    Route(
        "step_request",
        Method.POST,
        f"{_REQUEST}/steps",
        "Verify who asks, answer, refuse, decide an appeal.",
        step_request,
        RequestView,
        act=Act.HANDLE_REQUEST,
        body=StepForm,
    ),
    Route(
        "extend_request",
        Method.POST,
        f"{_REQUEST}/extension",
        "Take more time, once and before the deadline.",
        extend_request,
        RequestView,
        act=Act.HANDLE_REQUEST,
        body=ExtensionForm,
    ),
    Route(
        "look_up_names",
        Method.POST,
        f"{_REQUEST}/names",
        "Look for what is held under names, for whoever has proven who they are.",
        look_up_names,
        FindingsView,
        act=Act.HANDLE_REQUEST,
        body=NamesForm,
    ),
    Route(
        "look_up_photograph",
        Method.POST,
        f"{_REQUEST}/likenesses",
        "Look for faces like the asker's photograph; each gallery is a search on record.",
        look_up_photograph,
        LikenessesView,
        act=Act.HANDLE_REQUEST,
        body=PhotographForm,
        max_body_bytes=MAX_BODY_BYTES,
    ),
    Route(
        "export_held",
        Method.POST,
        f"{_REQUEST}/export",
        "Everything that is held, for whoever has proven who they are.",
        export_held,
        Media((ZIP,)),
        act=Act.HANDLE_REQUEST,
        body=NamesForm,
    ),
    Route(
        "erase_held",
        Method.POST,
        f"{_REQUEST}/erasure",
        "Erase everything that is found under names, and check that it is gone.",
        erase_held,
        ErasuresView,
        act=Act.HANDLE_REQUEST,
        body=NamesForm,
    ),
    Route(
        "correct_held",
        Method.POST,
        f"{_REQUEST}/correction",
        "Say whose a face is.",
        correct_held,
        Nothing,
        act=Act.HANDLE_REQUEST,
        body=CorrectionForm,
    ),
)
