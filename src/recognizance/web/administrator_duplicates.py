"""Pages about people who may be enrolled twice: what was found as they were enrolled, and the decision of each pair.

For whoever the policy lets read the gallery, who sees its subjects anyway; the policy is asked on each page before
anything is looked up. Nothing here searches: what is listed was found by searches that are on the record.
Implements docs/administration.md, "Possible duplicates".
"""

from starlette.responses import Response

from recognizance.duplicates import Duplicates, Pair
from recognizance.enrolling.enrolment import Enrolment
from recognizance.governance.parties import Role
from recognizance.governance.uses import SEARCHABLE
from recognizance.governing.installation import Governing
from recognizance.identifiers import GalleryId, ImageId, SubjectId
from recognizance.permits import Action, Permit
from recognizance.records import FaceRow, Records
from recognizance.web.administrator_galleries import KEEPERS
from recognizance.web.frame import Page
from recognizance.web.visits import Visit

MOST_FACES = 12
"""Of each subject, side by side; the subject's own page has all."""


class AdministratorDuplicatesPages:
    def __init__(self, records: Records, governing: Governing, enrolment: Enrolment, duplicates: Duplicates) -> None:
        self._records = records
        self._governing = governing
        self._enrolment = enrolment
        self._duplicates = duplicates

    def table(self) -> list[Page]:
        path = "/galleries/{gallery}/duplicates"
        return [
            Page(path, self.all, KEEPERS),
            Page(f"{path}/{{pair}}", self.one, KEEPERS, has_form=True),
        ]

    def all(self, visit: Visit) -> Response:
        gallery, permit = self._reading(visit)
        pairs = self._duplicates.waiting(gallery, permit=permit)
        return visit.page("administrator/duplicates_waiting.html", gallery=gallery, pairs=pairs)

    def one(self, visit: Visit) -> Response:
        """Both, side by side; the form says that they are two people. Making them one is the subject's own form."""
        gallery, permit = self._reading(visit)
        pair = self._duplicates.pair(gallery, visit.path["pair"], permit=permit)
        if visit.is_post:
            reasons = visit.form.text("reasons", most=4000)
            if visit.form.is_sound:
                self._duplicates.are_different(gallery, pair.id, reasons=reasons, permit=permit)
                visit.say(visit.gettext("They are two people, and that is on the record."))
                return visit.redirect(f"/galleries/{gallery}/duplicates")
        return self._shown(visit, gallery, pair, permit)

    def _shown(self, visit: Visit, gallery: GalleryId, pair: Pair, permit: Permit) -> Response:
        faces = {row.subject_id: self._faces(gallery, row.subject_id, permit) for row in (pair.one, pair.other)}
        uses = [each.use for each in self._governing.uses.list()]
        return visit.page(
            "administrator/duplicate.html",
            status=422 if visit.form.errors else 200,
            gallery=gallery,
            pair=pair,
            faces=faces,
            kept=self._kept(gallery, [row for rows in faces.values() for row in rows])
            if visit.has_role(Role.OPERATOR, Role.EXAMINER)
            else set(),
            use_choices=[(use.id, use.id) for use in uses if use.state in SEARCHABLE and use.terms.gallery == gallery],
        )

    def _faces(self, gallery: GalleryId, subject: SubjectId, permit: Permit) -> list[FaceRow]:
        return self._enrolment.faces(
            gallery, subject=subject, face_ids=None, after=None, limit=MOST_FACES, permit=permit
        )

    def _kept(self, gallery: GalleryId, faces: list[FaceRow]) -> set[ImageId]:
        with self._records.reading() as reader:
            return reader.kept_among(gallery, [face.image_id for face in faces])

    def _reading(self, visit: Visit) -> tuple[GalleryId, Permit]:
        gallery = GalleryId(visit.path["gallery"])
        return gallery, self._governing.gate.permit(visit.actor(), Action.READ_GALLERY, gallery)
