"""Pages about who is enrolled: subjects with their faces, one made of two, two made of one, "not this person".

Each page asks the policy for the gallery first, as whoever is signed in; another agency's galleries stay closed. What
changes whose a face is takes the right to enrol, which is had under a use. Looking for the same person under another
name is a search like any other: on the record, within its use's limits. Implements docs/administration.md, "Subjects".
"""

import re
from contextlib import suppress
from dataclasses import replace

from starlette.responses import Response

from recognizance.duplicates import Duplicates, asking_for_duplicates
from recognizance.enrolling.enrolment import Enrolment
from recognizance.enrolling.subjects import LEAST_ALIKE_PCT, Subjects
from recognizance.errors import ConflictError, NotFoundError
from recognizance.faces import open_photograph
from recognizance.forgetting.marks import Marks
from recognizance.governance.parties import Role, UseId
from recognizance.governance.uses import SEARCHABLE, Use
from recognizance.governing.installation import Governing
from recognizance.governing.registration import Actor
from recognizance.identifiers import FaceId, GalleryId, ImageId, SubjectId
from recognizance.permits import Action, Permit
from recognizance.records import FaceRow, Records
from recognizance.reviewing.pictures import face_picture
from recognizance.web.administrator_galleries import KEEPERS
from recognizance.web.forms import Form
from recognizance.web.frame import Page
from recognizance.web.language import N_
from recognizance.web.visits import Tone, Visit

PAGE = 50
MOST_FACES = 100
"""A subject has no more (Rekognition's quota)."""

MOST_BESIDE = 12
"""Of each of two subjects, side by side; the subject's own page has all."""

_SUBJECT = re.compile(r"[a-zA-Z0-9_.\-:]{1,128}")


class AdministratorSubjectsPages:
    def __init__(
        self,
        records: Records,
        governing: Governing,
        enrolment: Enrolment,
        subjects: Subjects,
        duplicates: Duplicates,
        marks: Marks,
    ) -> None:
        self._records = records
        self._governing = governing
        self._enrolment = enrolment
        self._subjects = subjects
        self._duplicates = duplicates
        self._marks = marks

    def table(self) -> list[Page]:
        one = "/galleries/{gallery}/subjects/{subject}"
        return [
            Page("/galleries/{gallery}/subjects", self.all, KEEPERS),
            Page(one, self.one, KEEPERS),
            Page(f"{one}/merge", self.merge, KEEPERS, has_form=True),
            Page(f"{one}/split", self.split, KEEPERS, has_form=True),
            Page(f"{one}/duplicates", self.duplicates, KEEPERS, has_form=True),
            Page("/galleries/{gallery}/faces/{face}/picture", self.picture, KEEPERS),
            Page("/galleries/{gallery}/marks", self.marks, KEEPERS, has_form=True),
            Page("/galleries/{gallery}/marks/{mark}", self.lift, KEEPERS, has_form=True),
        ]

    def all(self, visit: Visit) -> Response:
        """A page of them by name; whoever is named leads to their own page, or else to where they would stand."""
        gallery = GalleryId(visit.path["gallery"])
        named = SubjectId(visit.query.get("name", "").strip()[:128])
        after = SubjectId(visit.query.get("after", "")) or named
        permit = self._reading(visit, gallery)
        if named:
            with suppress(NotFoundError):
                known = self._subjects.subject(gallery, named, permit=permit)
                return visit.redirect(f"/galleries/{gallery}/subjects/{known.subject_id}")
        subjects = self._subjects.subjects(gallery, after=after or None, limit=PAGE + 1, permit=permit)
        return visit.page(
            "administrator/subjects.html",
            gallery=gallery,
            subjects=subjects[:PAGE],
            has_more=len(subjects) > PAGE,
            named=named,
        )

    def one(self, visit: Visit) -> Response:
        return self._shown(visit)

    def picture(self, visit: Visit) -> Response:
        """One face, cut out of its photograph, where that was kept."""
        gallery, face = GalleryId(visit.path["gallery"]), FaceId(visit.path["face"])
        self._reading(visit, gallery)
        # Opening a photograph is an act of its own.
        permit = self._governing.gate.permit(visit.actor(), Action.DETECT, gallery)
        with self._records.reading() as reader:
            row = reader.faces_by_id(gallery, [face]).get(face)
            if row is None or not reader.kept_among(gallery, [row.image_id]):
                raise NotFoundError("there is no picture of this face")
            kept = reader.kept_image(gallery, row.image_id)
        png = face_picture(open_photograph(kept, permit), row.box)
        return Response(png, media_type="image/png", headers={"Cache-Control": "no-store"})

    def merge(self, visit: Visit) -> Response:
        """Give all faces of one subject to another, after looking at both; those too unlike stay, and are said."""
        if not visit.is_post:
            return self._beside(visit)
        gallery, subject = self._named(visit)
        into = SubjectId(visit.form.text("into", most=128))
        if into == subject:
            visit.form.fail("into", N_("Name another subject."))
        if not visit.form.is_sound:
            return self._shown(visit)
        permit = self._enrolling(visit, gallery)
        forgetting = self._governing.gate.permit(visit.actor(), Action.FORGET, gallery)
        left = self._subjects.merge(
            gallery, subject, into, threshold_pct=LEAST_ALIKE_PCT, permit=permit, forgetting=forgetting
        )
        if left:
            visit.say(
                visit.ngettext(
                    "%(num)d face is too unlike, and stayed.", "%(num)d faces are too unlike, and stayed.", len(left)
                )
                % {"num": len(left)},
                Tone.WARNING,
            )
            return visit.redirect(f"/galleries/{gallery}/subjects/{subject}")
        visit.say(visit.gettext("They are one subject now."))
        return visit.redirect(f"/galleries/{gallery}/subjects/{into}")

    def _beside(self, visit: Visit) -> Response:
        """Both subjects side by side, before they are made one."""
        if "into" not in visit.query and "into" not in visit.form.values:
            return self._back(visit)
        gallery, subject = self._named(visit)
        permit = self._reading(visit, gallery)
        visit.form = Form({"into": (visit.query.get("into") or visit.form.raw("into"),)})
        into = SubjectId(visit.form.text("into", most=128))
        if into == subject:
            visit.form.fail("into", N_("Name another subject."))
        if not visit.form.is_sound:
            return self._shown(visit)
        try:
            both = [self._subjects.subject(gallery, each, permit=permit) for each in (subject, into)]
        except NotFoundError:
            visit.form.fail("into", N_("There is no subject of this name."))
            return self._shown(visit)
        faces = {
            row.subject_id: self._enrolment.faces(
                gallery, subject=row.subject_id, face_ids=None, after=None, limit=MOST_BESIDE, permit=permit
            )
            for row in both
        }
        return visit.page(
            "administrator/merging.html",
            gallery=gallery,
            both=both,
            faces=faces,
            kept=self._kept(visit, gallery, [row for rows in faces.values() for row in rows]),
            use_choices=[(each.id, each.id) for each in self._uses(gallery)],
        )

    def split(self, visit: Visit) -> Response:
        """Take some faces of a subject, and make another subject of them."""
        if not visit.is_post:
            return self._back(visit)
        gallery, subject = self._named(visit)
        # Asked first, so that whoever may not read the gallery can't learn whom it holds either.
        self._reading(visit, gallery)
        form, faces = visit.form, self._faces_of(gallery, subject)
        name = form.text("name", most=128)
        if name and _SUBJECT.fullmatch(name) is None:
            form.fail("name", N_("A subject's name has letters, digits and _ . - : only."))
        chosen = [face for face in faces if face in form.every("faces")]
        if not chosen or len(chosen) == len(faces):
            form.fail("faces", N_("Choose some of the faces, and not all of them."))
        if not form.is_sound:
            return self._shown(visit)
        permit = self._enrolling(visit, gallery)
        try:
            self._subjects.split(gallery, subject, chosen, SubjectId(name), permit=permit)
        except ConflictError:
            form.fail("name", N_("There is a subject of this name already."))
            return self._shown(visit)
        visit.say(visit.gettext("They are two subjects now."))
        return visit.redirect(f"/galleries/{gallery}/subjects/{name}")

    def duplicates(self, visit: Visit) -> Response:
        """Search for the same person under other names."""
        if not visit.is_post:
            return self._back(visit)
        gallery, subject = self._named(visit)
        permit = self._governing.gate.permit(asking_for_duplicates(self._under(visit)), Action.SEARCH, gallery)
        matches = self._duplicates.look(gallery, subject, permit=permit)
        return visit.page("administrator/duplicates.html", gallery=gallery, subject=subject, matches=matches)

    def marks(self, visit: Visit) -> Response:
        """All marks of a gallery; the form sets one for a case."""
        gallery = GalleryId(visit.path["gallery"])
        permit = self._reading(visit, gallery)
        if visit.is_post:
            face, case = visit.form.text("face", most=64), visit.form.text("case", most=256)
            reasons = visit.form.text("reasons", most=4000)
            if visit.form.is_sound:
                self._marks.add(gallery, FaceId(face), reasons=reasons, case=case, permit=permit)
                visit.say(visit.gettext("Remembered: in this case it isn't this person, whatever is enrolled of them."))
                return visit.redirect(f"/galleries/{gallery}/marks")
        return visit.page(
            "administrator/marks.html",
            status=422 if visit.form.errors else 200,
            gallery=gallery,
            marks=self._marks.of_gallery(gallery, permit=permit),
            face=visit.form.raw("face") or visit.query.get("face", ""),
        )

    def lift(self, visit: Visit) -> Response:
        gallery = GalleryId(visit.path["gallery"])
        permit = self._reading(visit, gallery)
        known = next(
            (each for each in self._marks.of_gallery(gallery, permit=permit) if each.id == visit.path["mark"]), None
        )
        if known is None:
            raise NotFoundError("there is no such mark in this gallery")
        if visit.is_post:
            reasons = visit.form.text("reasons", most=4000)
            if visit.form.is_sound:
                self._marks.lift(known.id, reasons=reasons, permit=permit)
                visit.say(visit.gettext("The mark was taken back. It stays on the record."))
                return visit.redirect(f"/galleries/{gallery}/marks")
            return visit.again("administrator/mark.html", gallery=gallery, marked=known)
        return visit.page("administrator/mark.html", gallery=gallery, marked=known)

    def _shown(self, visit: Visit) -> Response:
        gallery, subject = self._named(visit)
        permit = self._reading(visit, gallery)
        row = self._subjects.subject(gallery, subject, permit=permit)
        faces = self._enrolment.faces(
            gallery, subject=subject, face_ids=None, after=None, limit=MOST_FACES, permit=permit
        )
        uses = self._uses(gallery)
        with self._records.reading() as reader:
            marks = {face.face_id: self._marks.count_of(reader, gallery, face) for face in faces}
        return visit.page(
            "administrator/subject.html",
            status=422 if visit.form.errors else 200,
            gallery=gallery,
            subject=row,
            faces=faces,
            kept=self._kept(visit, gallery, faces),
            marks=marks,
            use_choices=[(each.id, each.id) for each in uses],
            looking_choices=[(each.id, each.id) for each in uses if not each.terms.review_required],
        )

    def _kept(self, visit: Visit, gallery: GalleryId, faces: list[FaceRow]) -> set[ImageId]:
        """Of which faces there is a picture to show, to whoever may see pictures."""
        if not visit.has_role(Role.OPERATOR, Role.EXAMINER):
            return set()
        with self._records.reading() as reader:
            return reader.kept_among(gallery, [face.image_id for face in faces])

    def _named(self, visit: Visit) -> tuple[GalleryId, SubjectId]:
        return GalleryId(visit.path["gallery"]), SubjectId(visit.path["subject"])

    def _back(self, visit: Visit) -> Response:
        gallery, subject = self._named(visit)
        return visit.redirect(f"/galleries/{gallery}/subjects/{subject}")

    def _reading(self, visit: Visit, gallery: GalleryId) -> Permit:
        return self._governing.gate.permit(visit.actor(), Action.READ_GALLERY, gallery)

    def _enrolling(self, visit: Visit, gallery: GalleryId) -> Permit:
        return self._governing.gate.permit(self._under(visit), Action.ENROL, gallery)

    def _under(self, visit: Visit) -> Actor:
        """Whoever is signed in, on behalf of the use that the form names."""
        actor, use = visit.actor(), visit.form.optional("use", most=255)
        return replace(actor, asking=replace(actor.asking, use=UseId(use) if use else None))

    def _uses(self, gallery: GalleryId) -> list[Use]:
        uses = [each.use for each in self._governing.uses.list()]
        return [use for use in uses if use.state in SEARCHABLE and use.terms.gallery == gallery]

    def _faces_of(self, gallery: GalleryId, subject: SubjectId) -> list[FaceId]:
        with self._records.reading() as reader:
            reader.subject(gallery, subject)
            rows: list[FaceRow] = reader.faces(gallery, subject=subject, limit=MOST_FACES)
        return [row.face_id for row in rows]
