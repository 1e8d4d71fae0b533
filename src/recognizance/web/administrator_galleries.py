"""Pages about galleries: whose they are, where their images come from, what they hold, in which version.

What the list says of every gallery is public in the register as well: its name, its declaration, counts and version.
A gallery's own page, with its tags, is for whoever the policy lets read or manage it. Whom it holds is behind
`administrator_subjects`, and asked of the policy too. Implements docs/administration.md.
"""

import re
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from recognizance.declarations import AGENCY_TAG, BASIS_TAG, SOURCE_TAG, declared
from recognizance.documents import GalleryDeclaration
from recognizance.errors import ConflictError
from recognizance.galleries import Galleries
from recognizance.governance.parties import AgencyId, Role
from recognizance.governance.purposes import LawfulBasis, Source
from recognizance.governance.requests import EnrolmentFacts
from recognizance.governing.installation import Governing
from recognizance.governing.registration import Actor
from recognizance.identifiers import GalleryId
from recognizance.permits import Action
from recognizance.records import GalleryRow, Records
from recognizance.retention_runs import RetentionRuns
from recognizance.web.administrator_words import BASES, SOURCES
from recognizance.web.frame import Page, only
from recognizance.web.language import N_
from recognizance.web.visits import Visit

KEEPERS = only(Role.ADMINISTRATOR, Role.SUPERVISOR, Role.OPERATOR)
_MANAGERS = only(Role.ADMINISTRATOR, Role.SUPERVISOR)
_NAME = re.compile(r"[a-zA-Z0-9_.\-]{1,255}")
_MOST = 1000


class AdministratorGalleriesPages:
    def __init__(self, records: Records, governing: Governing, galleries: Galleries, retention: RetentionRuns) -> None:
        self._records = records
        self._gate = governing.gate
        self._registration = governing.registration
        self._installation = governing.installation
        self._galleries = galleries
        self._retention = retention

    def table(self) -> list[Page]:
        return [
            Page("/galleries", self.all, KEEPERS, navigation=N_("Galleries")),
            Page("/galleries/new", self.create, _MANAGERS, has_form=True),
            Page("/galleries/{gallery}", self.one, KEEPERS),
            Page("/galleries/{gallery}/declaration", self.declare, _MANAGERS, has_form=True),
        ]

    def all(self, visit: Visit) -> Response:
        with self._records.reading() as reader:
            rows: list[GalleryRow] = reader.galleries(limit=_MOST)
            known = [(row, declared(reader, row.id)) for row in rows]
        return visit.page(
            "administrator/galleries.html",
            galleries=known,
            sources=SOURCES,
            may_create=visit.has_role(Role.ADMINISTRATOR, Role.SUPERVISOR),
        )

    def one(self, visit: Visit) -> Response:
        gallery = GalleryId(visit.path["gallery"])
        # Its tags are its agency's own. Everything else here the register says too.
        action = Action.READ_GALLERY if visit.has_role(Role.SUPERVISOR, Role.OPERATOR) else Action.MANAGE_GALLERY
        self._gate.permit(visit.actor(), action, gallery)
        with self._records.reading() as reader:
            row = reader.gallery(gallery)
            known = declared(reader, gallery)
        return visit.page(
            "administrator/gallery.html",
            row=row,
            declaration=known,
            schedule=self._retention.schedule(gallery),
            sources=SOURCES,
            bases=BASES,
            may_manage=visit.has_role(Role.ADMINISTRATOR, Role.SUPERVISOR),
        )

    def create(self, visit: Visit) -> Response:
        """A new gallery, declared before its first face: nobody can say afterwards where faces came from."""
        if visit.is_post:
            name = visit.form.text("name", most=255)
            if name and _NAME.fullmatch(name) is None:
                visit.form.fail("name", N_("A gallery's name has letters, digits, points, hyphens and _ only."))
            said = self._declaration(visit, GalleryId(name))
            if said is not None:
                tags = {SOURCE_TAG: said.source.value, BASIS_TAG: said.basis.value, AGENCY_TAG: said.agency}
                permit = self._gate.permit(stating(visit.actor(), said), Action.MANAGE_GALLERY, said.gallery)
                try:
                    self._galleries.create(said.gallery, tags=tags, permit=permit)
                except ConflictError:
                    visit.form.fail("name", N_("There is a gallery of this name already."))
                else:
                    visit.say(visit.gettext("The gallery is there, and public."))
                    return visit.redirect(f"/galleries/{name}")
        return visit.page(
            "administrator/gallery_new.html", status=422 if visit.form.errors else 200, **self._choices(visit)
        )

    def declare(self, visit: Visit) -> Response:
        gallery = GalleryId(visit.path["gallery"])
        self._gate.permit(visit.actor(), Action.MANAGE_GALLERY, gallery)
        with self._records.reading() as reader:
            row, known = reader.gallery(gallery), declared(reader, gallery)
        if visit.is_post:
            said = self._declaration(visit, gallery)
            if said is not None:
                tags = {SOURCE_TAG: said.source.value, BASIS_TAG: said.basis.value, AGENCY_TAG: said.agency}
                permit = self._gate.permit(stating(visit.actor(), said), Action.MANAGE_GALLERY, gallery)
                self._galleries.tag(gallery, tags, permit=permit)
                visit.say(visit.gettext("Declared, and public."))
                return visit.redirect(f"/galleries/{gallery}")
        return visit.page(
            "administrator/declaration.html",
            status=422 if visit.form.errors else 200,
            row=row,
            known=known,
            **self._choices(visit),
        )

    def _declaration(self, visit: Visit, gallery: GalleryId) -> GalleryDeclaration | None:
        form = visit.form
        source, basis = form.choice("source", Source), form.choice("basis", LawfulBasis)
        agency = form.one_of("agency", [value for value, _ in self._agencies()])
        if source is None or basis is None or not form.is_sound:
            return None
        return GalleryDeclaration(gallery, AgencyId(agency), source, basis)

    def _agencies(self) -> list[tuple[str, str]]:
        own = self._installation.agency
        if own is not None:
            return [(own, own)]
        return [(agency.id, agency.name) for agency, _ in self._registration.agencies()]

    def _choices(self, visit: Visit) -> dict[str, Any]:
        first = ("", visit.gettext(N_("Choose one")))
        return {
            "source_choices": [first, *((each.value, visit.gettext(text)) for each, text in SOURCES.items())],
            "basis_choices": [first, *((each.value, visit.gettext(text)) for each, text in BASES.items())],
            "agency_choices": [first, *self._agencies()],
        }


def stating(actor: Actor, said: GalleryDeclaration) -> Actor:
    """The same actor, stating where a gallery's images come from: policy judges that too."""
    return replace(actor, asking=replace(actor.asking, enrolment=EnrolmentFacts(said.source, said.basis)))
