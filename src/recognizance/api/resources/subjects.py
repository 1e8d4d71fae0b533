"""Who is enrolled: one subject made of two, two made of one, and people who may be enrolled twice.

What changes whose a face is takes the right to enrol, which is had under a use: the request names it where the key or
the session doesn't. Looking for somebody under another name is a search like any other. Implements
docs/administration.md, "Possible duplicates" and "Subjects".
"""

from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from recognizance.api.forms import Name, Text, form
from recognizance.api.routes import Call, Method, Nothing, Repeat, Route
from recognizance.api.services import PageQuery, Services
from recognizance.duplicates import Pair, asking_for_duplicates
from recognizance.enrolling.subjects import LEAST_ALIKE_PCT
from recognizance.governance import Act
from recognizance.governance.parties import UseId
from recognizance.governing.registration import Actor
from recognizance.identifiers import FaceId, GalleryId, SubjectId
from recognizance.permits import Action

SubjectName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_.\-:]{1,128}$")]


@form
class MergeForm:
    """Who gets the faces of a subject. At 75 % likeness and above they move; others stay.

    Attributes:
        use: On behalf of which use; null where the key or the session names one.
    """

    into: SubjectName
    use: Name | None = None


@dataclass(frozen=True, slots=True)
class MergeView:
    """What a merge came to.

    Attributes:
        stayed: Faces too unlike to move, which the first subject keeps; empty if the two are one subject now.
    """

    subject: str
    into: str
    stayed: tuple[str, ...]


@form
class SplitForm:
    """Which faces of a subject are somebody else's, and what they are called.

    Attributes:
        faces: Some of the subject's, and not all of them.
        into: Of nobody who is enrolled already.
        use: On behalf of which use; null where the key or the session names one.
    """

    faces: tuple[Name, ...]
    into: SubjectName
    use: Name | None = None


@form
class LookForm:
    """Look for a subject among the others of their gallery.

    Attributes:
        use: On behalf of which use; null where the key or the session names one.
    """

    use: Name | None = None


@dataclass(frozen=True, slots=True)
class SubjectView:
    subject: str
    faces: int


@dataclass(frozen=True, slots=True)
class LookView:
    """Whom a search found who may be the same person. Alike isn't the same: each pair waits for a decision."""

    found: tuple[SubjectView, ...]


@dataclass(frozen=True, slots=True)
class PairView:
    """Two subjects who resemble each other, and whom nobody has decided about."""

    pair: str
    one: SubjectView
    other: SubjectView


@dataclass(frozen=True, slots=True)
class PairPage:
    """Pairs by id."""

    pairs: tuple[PairView, ...]
    next_page: str | None


@form
class DifferenceForm:
    """Why two subjects are two people."""

    reasons: Text


def merge_subjects(services: Services, call: Call[MergeForm, Nothing]) -> MergeView:
    gallery, subject, into = _gallery(call), _subject(call), SubjectId(call.body.into)
    permit = services.permit(call.actor, Action.ENROL, gallery, asking=_under(call.actor, call.body.use).asking)
    forgetting = services.permit(call.actor, Action.FORGET, gallery)
    stayed = services.subjects.merge(
        gallery, subject, into, threshold_pct=LEAST_ALIKE_PCT, permit=permit, forgetting=forgetting
    )
    return MergeView(subject, into, stayed)


def split_subject(services: Services, call: Call[SplitForm, Nothing]) -> SubjectView:
    form, gallery, into = call.body, _gallery(call), SubjectId(call.body.into)
    permit = services.permit(call.actor, Action.ENROL, gallery, asking=_under(call.actor, form.use).asking)
    services.subjects.split(gallery, _subject(call), [FaceId(each) for each in form.faces], into, permit=permit)
    made = services.subjects.subject(gallery, into, permit=permit)
    return SubjectView(made.subject_id, made.face_count)


def look_for_duplicates(services: Services, call: Call[LookForm, Nothing]) -> LookView:
    gallery, asking = _gallery(call), asking_for_duplicates(_under(call.actor, call.body.use)).asking
    permit = services.permit(call.actor, Action.SEARCH, gallery, asking=asking)
    matches = services.duplicates.look(gallery, _subject(call), permit=permit)
    return LookView(tuple(SubjectView(each.enrolled.subject_id, each.enrolled.face_count) for each in matches))


def list_duplicates(services: Services, call: Call[Nothing, PageQuery]) -> PairPage:
    gallery = _gallery(call)
    pairs = services.duplicates.waiting(gallery, permit=services.permit(call.actor, Action.READ_GALLERY, gallery))
    page, token = services.page("list_duplicates", pairs, lambda each: each.id, call.query, within=gallery)
    return PairPage(tuple(_pair(each) for each in page), token)


def show_duplicate(services: Services, call: Call[Nothing, Nothing]) -> PairView:
    gallery = _gallery(call)
    permit = services.permit(call.actor, Action.READ_GALLERY, gallery)
    return _pair(services.duplicates.pair(gallery, call.path["pair"], permit=permit))


def tell_apart(services: Services, call: Call[DifferenceForm, Nothing]) -> Nothing:
    gallery = _gallery(call)
    permit = services.permit(call.actor, Action.READ_GALLERY, gallery)
    services.duplicates.are_different(gallery, call.path["pair"], reasons=call.body.reasons, permit=permit)
    return Nothing()


def _under(actor: Actor, use: str | None) -> Actor:
    """Whoever asks, on behalf of the use that the request names, or else of the one that they brought."""
    return actor if use is None else replace(actor, asking=replace(actor.asking, use=UseId(use)))


def _pair(pair: Pair) -> PairView:
    one, other = (SubjectView(row.subject_id, row.face_count) for row in (pair.one, pair.other))
    return PairView(pair.id, one, other)


def _gallery(call: Call[object, object]) -> GalleryId:
    return GalleryId(call.path["gallery"])


def _subject(call: Call[object, object]) -> SubjectId:
    return SubjectId(call.path["subject"])


ROUTES = (
    Route(
        "merge_subjects",
        Method.POST,
        "/galleries/{gallery}/subjects/{subject}/merging",
        "Make one subject of two. The emptied one is deleted, which takes the right to forget as well.",
        merge_subjects,
        MergeView,
        act=Act.ENROL,
        body=MergeForm,
    ),
    Route(
        "split_subject",
        Method.POST,
        "/galleries/{gallery}/subjects/{subject}/splitting",
        "Make a new subject of some faces of another.",
        split_subject,
        SubjectView,
        act=Act.ENROL,
        body=SplitForm,
        status=201,
    ),
    Route(
        "look_for_duplicates",
        Method.POST,
        "/galleries/{gallery}/subjects/{subject}/duplicates",
        "Search for the same person under other names: on the record, within the use's limits.",
        look_for_duplicates,
        LookView,
        act=Act.SEARCH,
        body=LookForm,
        repeat=Repeat.KEYED,
    ),
    Route(
        "list_duplicates",
        Method.GET,
        "/galleries/{gallery}/duplicates",
        "List pairs of subjects who may be one person.",
        list_duplicates,
        PairPage,
        act=Act.READ_GALLERY,
        query=PageQuery,
    ),
    Route(
        "show_duplicate",
        Method.GET,
        "/galleries/{gallery}/duplicates/{pair}",
        "Show a pair that waits for a decision.",
        show_duplicate,
        PairView,
        act=Act.READ_GALLERY,
    ),
    Route(
        "tell_apart",
        Method.POST,
        "/galleries/{gallery}/duplicates/{pair}/difference",
        "Say that they are two people: marked for the photographs of each, with reasons.",
        tell_apart,
        Nothing,
        act=Act.READ_GALLERY,
        body=DifferenceForm,
    ),
)
