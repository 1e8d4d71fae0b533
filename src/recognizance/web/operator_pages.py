"""Beginning a search: first the use and the case, then a photograph.

Whoever searches reads what the use allows, what goes on record and who will look at the result before any photograph is
asked for. The policy is asked as soon as the case is stated, so that a refusal comes before a face is looked at.
"""

from dataclasses import dataclass

from starlette.responses import Response

from recognizance.docket import searches_on
from recognizance.errors import ImageError, ImageTooLargeError, NotFoundError
from recognizance.faces import DEFAULT_LIMITS, Photograph, QualityFilter, open_photograph, unindexed_reasons
from recognizance.galleries import Galleries
from recognizance.governance import Grounds
from recognizance.governance.leads import ProbeEdit
from recognizance.governance.parties import Role, UseId
from recognizance.governance.profiles import default_use_terms
from recognizance.governance.purposes import Declaration, OffenceCode, SearchClass
from recognizance.governance.requests import MOST_STATED_CHARACTERS
from recognizance.governance.terms import UseTerms
from recognizance.governance.uses import Use
from recognizance.governing.installation import Governing
from recognizance.identifiers import GalleryId
from recognizance.oneshot import OneShot
from recognizance.permits import Action
from recognizance.records import Records
from recognizance.storage import now
from recognizance.web.forms import MAX_FORM_BYTES, NO_CHOICE, REQUIRED, Form
from recognizance.web.frame import Page, only
from recognizance.web.language import N_
from recognizance.web.operator_asking import PermitDesk, Stated, within
from recognizance.web.operator_pictures import preview_of
from recognizance.web.operator_shelf import Shelf
from recognizance.web.operator_words import AIM_WORDS, CLASS_WORDS, USE_STATE_WORDS
from recognizance.web.overseer_words import PURPOSES
from recognizance.web.visits import Visit

MOST_PHOTOGRAPH_BYTES = DEFAULT_LIMITS.size_bytes + MAX_FORM_BYTES
SEARCH_QUALITY = QualityFilter.AUTO
"""Below it two photographs of one person are missed too often, and a face that shows little resembles many."""

NOT_PRINTABLE = N_("This has characters that can't be printed, such as a line break.")
TOO_LARGE = N_("This photograph is too large. Up to 15 MiB and 67 megapixels are read.")
NOT_A_PHOTOGRAPH = N_("This is no photograph that can be read. JPEG, PNG and WebP files are.")
_MOST_GALLERIES = 200


@dataclass(frozen=True, slots=True)
class FaceInPicture:
    """A face that was found.

    Attributes:
        box_xywh_px: In the photograph, within its sides.
        flaws: Why it can't be searched for; empty if it can.
    """

    box_xywh_px: tuple[int, int, int, int]
    flaws: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A photograph on its way to a search.

    Attributes:
        original: As it was sent; never shown or given back.
        picture: As it is to be searched with: the original, or what its edits made of it.
        preview: Of `picture`, encoded by us.
        faces: Of `picture`, the largest first.
        edits: Those that lead from `original` to `picture`, in order.
    """

    stated: Stated
    original: bytes
    picture: bytes
    preview: bytes
    sha256: str
    size_hw: tuple[int, int]
    faces: tuple[FaceInPicture, ...]
    edits: tuple[ProbeEdit, ...] = ()

    @property
    def size_bytes(self) -> int:
        return len(self.original) + len(self.picture) + len(self.preview)


@dataclass(frozen=True, slots=True)
class Offer:
    """A use, or a private gallery, under which somebody could search."""

    use: UseId | None
    gallery: GalleryId
    terms: UseTerms
    state: str
    is_open: bool


class Photographs:
    """Looks at photographs, and keeps them while their faces are chosen."""

    def __init__(self, oneshot: OneShot, desk: PermitDesk, shelf: Shelf[Draft]) -> None:
        self._oneshot = oneshot
        self.desk = desk
        self.shelf = shelf

    def looked_at(self, visit: Visit, stated: Stated, data: bytes) -> Draft:
        """Find the faces of a photograph; on record, like every look.

        Raises:
            ImageError: If it is no picture that is read, or beyond a limit.
            DeniedError: If the policy refuses.
        """
        permit = self.desk.permit(visit.who.person, Action.DETECT, stated)
        photograph = open_photograph(data, permit)
        preview = preview_of(photograph)
        faces = self._oneshot.detect(photograph, permit=permit)
        found = tuple(
            FaceInPicture(
                _box_within(photograph, [float(side) for side in face.detection.box_xyxy_px]),
                tuple(reason.value for reason in unindexed_reasons(face, SEARCH_QUALITY)),
            )
            for face in faces
        )
        return Draft(stated, data, data, preview, photograph.sha256, photograph.size_hw, found)


class OperatorPages:
    def __init__(
        self, governing: Governing, records: Records, galleries: "GalleryLists", photographs: Photographs
    ) -> None:
        self._uses = governing.uses
        self._profile = governing.profile
        self._installation = governing.installation
        self._records = records
        self._galleries = galleries
        self._photographs = photographs

    def table(self) -> list[Page]:
        return [
            Page("/search", self.choose, only(Role.OPERATOR), navigation=N_("Search")),
            Page(
                "/search/begin",
                self.begin,
                only(Role.OPERATOR),
                has_form=True,
                most_bytes=MOST_PHOTOGRAPH_BYTES,
                most_files=1,
            ),
        ]

    def choose(self, visit: Visit) -> Response:
        """The uses of one's agency, those that allow searching first."""
        offers = self._offers(visit)
        return visit.page(
            "operator/choose.html",
            open=[offer for offer in offers if offer.is_open],
            closed=[offer for offer in offers if not offer.is_open],
            is_private=self._profile.has_default_use,
            purposes=PURPOSES,
            states=USE_STATE_WORDS,
        )

    def begin(self, visit: Visit) -> Response:
        offer = self._offer(visit)
        if visit.is_post and (answer := self._begun(visit, offer)) is not None:
            return answer
        today = now().date()
        with self._records.reading() as reader:
            used = 0 if offer.use is None else searches_on(reader, offer.use, today)
        return visit.page(
            "operator/begin.html",
            status=422 if visit.form.errors else 200,
            offer=offer,
            threshold_pct=within(offer.terms.limits)[0],
            most_candidates=within(offer.terms.limits)[1],
            left_today=max(offer.terms.limits.searches_per_day - used, 0),
            case_is_required=not self._profile.has_default_use,
            purposes=PURPOSES,
            classes=CLASS_WORDS,
            aims=AIM_WORDS,
        )

    def _begun(self, visit: Visit, offer: Offer) -> Response | None:
        """Look at the photograph that came with the form; `None` if something is wrong with either."""
        stated = self._stated(visit.form, offer)
        photographs = visit.form.files.get("photo", ())
        if not photographs:
            visit.form.fail("photo", REQUIRED)
        if stated is None or not visit.form.is_sound:
            return None
        # Before anybody's face is looked at. The search asks again: the use may be suspended in the meantime.
        self._photographs.desk.permit(visit.who.person, Action.SEARCH, stated)
        try:
            draft = self._photographs.looked_at(visit, stated, photographs[0].data)
        except ImageTooLargeError:
            visit.form.fail("photo", TOO_LARGE)
            return None
        except ImageError:
            visit.form.fail("photo", NOT_A_PHOTOGRAPH)
            return None
        token = self._photographs.shelf.put(visit.who.person, draft, size_bytes=draft.size_bytes)
        return visit.redirect(f"/search/probe/{token}")

    def _stated(self, form: Form, offer: Offer) -> Stated | None:
        needs_grounds = not self._profile.has_default_use
        case = _line(form, "case", is_required=needs_grounds)
        justification = _line(form, "justification", is_required=needs_grounds)
        offences, classes = offer.terms.limits.offences, offer.terms.search_classes
        offence = form.one_of("offence", offences) if offences else ""
        search_class = _class_of(form, classes)
        if not form.is_sound:
            return None
        threshold_pct, candidates = within(offer.terms.limits)
        grounds = Grounds(
            case or None,
            justification or None,
            OffenceCode(offence) if offence else None,
            form.choices("aim", Declaration),
        )
        return Stated(offer.use, offer.gallery, grounds, search_class, threshold_pct, candidates)

    def _offers(self, visit: Visit) -> list[Offer]:
        if self._profile.has_default_use:
            return [self._private_offer(gallery) for gallery in self._galleries.names(visit)]
        return [
            _offer_of(record.use)
            for record in self._uses.list()
            if record.use.terms.agency == visit.who.agency and record.use.terms.gallery is not None
        ]

    def _offer(self, visit: Visit) -> Offer:
        """The use or gallery that the address names.

        Raises:
            NotFoundError: If there is none, or it is another agency's.
        """
        named = visit.query.get("gallery" if self._profile.has_default_use else "use", "")
        for offer in self._offers(visit):
            if named in {offer.use, offer.gallery if offer.use is None else None} and offer.is_open:
                return offer
        raise NotFoundError(f"there is no use {named!r} of your agency that allows searching now")

    def _private_offer(self, gallery: GalleryId) -> Offer:
        agency = self._installation.agency
        if agency is None:
            raise ValueError("an installation with a standing use has an agency")
        terms = default_use_terms(agency, gallery, self._installation.started)
        return Offer(None, gallery, terms, "", is_open=True)


class GalleryLists:
    """Which galleries there are, for whoever may know."""

    def __init__(self, galleries: Galleries, desk: PermitDesk) -> None:
        self._galleries = galleries
        self._desk = desk

    def names(self, visit: Visit) -> list[GalleryId]:
        permit = self._desk.reading(visit.who.person, None)
        return [row.id for row in self._galleries.page(after=None, limit=_MOST_GALLERIES, permit=permit)]


def _offer_of(use: Use) -> Offer:
    gallery = use.terms.gallery
    if gallery is None:
        raise ValueError("a use that searches has a gallery")
    return Offer(use.id, gallery, use.terms, use.state.value, is_open=use.is_searchable_at(now()))


def _class_of(form: Form, classes: frozenset[SearchClass]) -> SearchClass | None:
    """What was chosen of several classes; a single one needs no choice."""
    if len(classes) == 1:
        return next(iter(classes))
    chosen = form.choice("class", SearchClass)
    if chosen is not None and chosen not in classes:
        form.fail("class", NO_CHOICE)
    return chosen


def _line(form: Form, name: str, *, is_required: bool) -> str:
    """A line of text as `Grounds` takes it."""
    read = form.text if is_required else form.optional
    text = read(name, most=MOST_STATED_CHARACTERS)
    if text and not text.isprintable():
        form.fail(name, NOT_PRINTABLE)
    return text


def _box_within(photograph: Photograph, box_xyxy_px: list[float]) -> tuple[int, int, int, int]:
    """A box in whole pixels, cut at the photograph's sides."""
    height, width = photograph.size_hw
    left, top = (
        min(max(round(side), 0), most - 1) for side, most in zip(box_xyxy_px[:2], (width, height), strict=True)
    )
    right, bottom = (min(round(side), most) for side, most in zip(box_xyxy_px[2:], (width, height), strict=True))
    return left, top, max(right - left, 1), max(bottom - top, 1)
