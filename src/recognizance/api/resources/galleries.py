"""Galleries: whose they are and where their images come from, how long they keep what, marks, and erasure."""

from dataclasses import dataclass
from datetime import datetime

from recognizance.api.forms import Name, Sha256, Text, form
from recognizance.api.routes import Call, Method, Nothing, Repeat, Route, Who
from recognizance.api.services import PageQuery, Services
from recognizance.documents import GalleryDeclaration, Kind, found
from recognizance.errors import InputError, NotFoundError
from recognizance.forgetting.erasure import Cause, Erased, Proof
from recognizance.forgetting.marks import Marked, MarkState
from recognizance.governance import Act
from recognizance.governance.parties import AgencyId
from recognizance.governance.purposes import LawfulBasis, Source
from recognizance.governance.subjects import MarkScope
from recognizance.identifiers import FaceId, GalleryId, SubjectId
from recognizance.permits import Action


@form
class DeclarationForm:
    """Whose a gallery is, where all its images come from, and what allows keeping them."""

    agency: Name
    source: Source
    basis: LawfulBasis


@dataclass(frozen=True, slots=True)
class GalleryView:
    """A gallery.

    Attributes:
        agency, source, basis: Null before they are declared.
        faces: Null before the gallery is created, as `CreateCollection` does.
    """

    gallery: str
    agency: str | None
    source: Source | None
    basis: LawfulBasis | None
    faces: int | None
    subjects: int | None
    model: str | None
    created: datetime | None


@form
class MarkForm:
    """A finding "not this person": whoever a face stands for is not the one looked for.

    Attributes:
        probe_sha256: Of the picture that was searched with, before any edit. Exactly one of this and `case`.
    """

    face: Name
    reasons: Text
    probe_sha256: Sha256 | None = None
    case: Name | None = None


@dataclass(frozen=True, slots=True)
class MarkView:
    """A mark. Whom it is about can't be told from it."""

    mark: str
    gallery: str
    scope: MarkScope
    state: MarkState
    marked_by: str
    marked_at: datetime


@dataclass(frozen=True, slots=True)
class MarkPage:
    """Marks by id, those that were lifted included."""

    marks: tuple[MarkView, ...]
    next_page: str | None


@form
class LiftForm:
    """Why a mark was a mistake."""

    reasons: Text


@form
class ErasureForm:
    """What to erase of a gallery: either faces, or a subject with all of theirs."""

    faces: tuple[Name, ...] = ()
    subject: Name | None = None


@dataclass(frozen=True, slots=True)
class ErasedOpening:
    """A commitment of a ledger entry that nobody can open any more."""

    entry: str
    field: str


@dataclass(frozen=True, slots=True)
class ErasureProof:
    """What was destroyed, in numbers and in the names of ledger entries. Names nobody.

    Attributes:
        proof_sha256: Stands in the erasure's own entry, and is that of `document`.
        document: All of it as it is handed over: canonical JSON.
        openings: Of a whole gallery they went with its key, and are only counted.
    """

    erasure: str
    scope: str
    gallery: str
    cause: Cause
    at: datetime
    version_before: int
    version_after: int
    faces: int
    images: int
    documents: int
    salts: int
    openings: tuple[ErasedOpening, ...]
    proof_sha256: str
    document: str


@dataclass(frozen=True, slots=True)
class ErasureView:
    """An erasure that happened.

    Attributes:
        unknown: Faces that the gallery did not hold.
        proof: Null if there was nothing to erase.
    """

    faces: tuple[str, ...]
    unknown: tuple[str, ...]
    proof: ErasureProof | None


def declare_gallery(services: Services, call: Call[DeclarationForm, Nothing]) -> Nothing:
    form = call.body
    declared = GalleryDeclaration(_gallery(call), AgencyId(form.agency), form.source, form.basis)
    services.governing.registration.declare_gallery(declared, by=call.actor)
    return Nothing()


def show_gallery(services: Services, call: Call[Nothing, Nothing]) -> GalleryView:
    gallery = _gallery(call)
    permit = services.permit(call.actor, Action.READ_GALLERY, gallery)
    with services.records.reading() as reader:
        known = found(reader, Kind.GALLERY, gallery, GalleryDeclaration)
    declared = None if known is None else known.value
    try:
        row = services.galleries.describe(gallery, permit=permit)
    except NotFoundError:
        if declared is None:
            raise
        row = None
    return GalleryView(
        gallery=gallery,
        agency=None if declared is None else declared.agency,
        source=None if declared is None else declared.source,
        basis=None if declared is None else declared.basis,
        faces=None if row is None else row.face_count,
        subjects=None if row is None else row.subject_count,
        model=None if row is None else row.model,
        created=None if row is None else row.created,
    )


def list_marks(services: Services, call: Call[Nothing, PageQuery]) -> MarkPage:
    gallery = _gallery(call)
    marks = services.marks.of_gallery(gallery, permit=services.permit(call.actor, Action.READ_GALLERY, gallery))
    page, token = services.page("list_marks", marks, lambda each: each.id, call.query, within=gallery)
    return MarkPage(tuple(_mark(each) for each in page), token)


def add_mark(services: Services, call: Call[MarkForm, Nothing]) -> MarkView:
    form, gallery = call.body, _gallery(call)
    marked = services.marks.add(
        gallery,
        FaceId(form.face),
        reasons=form.reasons,
        probe_sha256=form.probe_sha256,
        case=form.case,
        permit=services.permit(call.actor, Action.READ_GALLERY, gallery),
    )
    return _mark(marked)


def lift_mark(services: Services, call: Call[LiftForm, Nothing]) -> MarkView:
    permit = services.permit(call.actor, Action.READ_GALLERY, _gallery(call))
    return _mark(services.marks.lift(call.path["mark"], reasons=call.body.reasons, permit=permit))


def erase(services: Services, call: Call[ErasureForm, Nothing]) -> ErasureView:
    form, gallery = call.body, _gallery(call)
    permit = services.permit(call.actor, Action.FORGET, gallery)
    if bool(form.faces) == (form.subject is not None):
        raise InputError("say either which faces, or which subject")
    if form.subject is not None:
        return erasure_view(services.erasure.subject(gallery, SubjectId(form.subject), permit=permit))
    return erasure_view(services.erasure.faces(gallery, [FaceId(each) for each in form.faces], permit=permit))


def show_proof(services: Services, call: Call[Nothing, Nothing]) -> ErasureProof:
    return _proof(services.erasure.proof(call.path["erasure"]))


def erasure_view(erased: Erased) -> ErasureView:
    return ErasureView(erased.faces, erased.unknown, None if erased.proof is None else _proof(erased.proof))


def _proof(proof: Proof) -> ErasureProof:
    return ErasureProof(
        erasure=proof.id,
        scope=proof.scope.value,
        gallery=proof.gallery,
        cause=proof.cause,
        at=proof.at,
        version_before=proof.version_before,
        version_after=proof.version_after,
        faces=proof.faces,
        images=proof.images,
        documents=proof.documents,
        salts=proof.salts,
        openings=tuple(ErasedOpening(each.entry, each.field) for each in proof.openings),
        proof_sha256=proof.sha256,
        document=proof.data.decode(),
    )


def _mark(marked: Marked) -> MarkView:
    mark = marked.mark
    return MarkView(marked.id, mark.gallery, mark.scope, marked.state, mark.marked_by, mark.marked_at)


def _gallery(call: Call[object, object]) -> GalleryId:
    return GalleryId(call.path["gallery"])


ROUTES = (
    Route(
        "declare_gallery",
        Method.PUT,
        "/galleries/{gallery}/declaration",
        "Say whose a gallery is and where its images come from.",
        declare_gallery,
        Nothing,
        act=Act.REGISTER_AGENCY,
        body=DeclarationForm,
    ),
    Route(
        "show_gallery",
        Method.GET,
        "/galleries/{gallery}",
        "Show a gallery and its declaration.",
        show_gallery,
        GalleryView,
        act=Act.READ_GALLERY,
    ),
    Route(
        "list_marks",
        Method.GET,
        "/galleries/{gallery}/marks",
        "List a gallery's marks.",
        list_marks,
        MarkPage,
        act=Act.READ_GALLERY,
        query=PageQuery,
    ),
    Route(
        "add_mark",
        Method.POST,
        "/galleries/{gallery}/marks",
        "Remember that somebody is not the person looked for.",
        add_mark,
        MarkView,
        act=Act.READ_GALLERY,
        body=MarkForm,
        status=201,
        repeat=Repeat.KEYED,
        kept=True,
    ),
    Route(
        "lift_mark",
        Method.POST,
        "/galleries/{gallery}/marks/{mark}/lifting",
        "Take a mark back, as a mistake.",
        lift_mark,
        MarkView,
        act=Act.READ_GALLERY,
        body=LiftForm,
    ),
    Route(
        "erase",
        Method.POST,
        "/galleries/{gallery}/erasures",
        "Erase faces, or a subject, from everywhere.",
        erase,
        ErasureView,
        act=Act.FORGET,
        body=ErasureForm,
        status=201,
        repeat=Repeat.KEYED,
    ),
    Route(
        "show_proof",
        Method.GET,
        "/erasures/{erasure}",
        "Show what an erasure destroyed; names nobody.",
        show_proof,
        ErasureProof,
        Who.ANYBODY,
    ),
)
