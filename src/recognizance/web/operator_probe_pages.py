"""A photograph between upload and search: which of its faces is meant, what its quality is, and edits, each on record.

Nothing of it is written to a disk before it is edited or searched for. Edits are made by the service (`Probes`), so
that what is searched for can be led back to what came in, step by step, by its hashes.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from starlette.responses import Response

from recognizance.errors import ConflictError, ImageError, InputError, NotFoundError
from recognizance.faces import open_photograph
from recognizance.governance.leads import EditKind
from recognizance.governance.parties import Role
from recognizance.ledger import Entry, facts
from recognizance.permits import Action
from recognizance.recording import Recorder
from recognizance.reviewing.probe_edits import LARGEST_SCALE_PCT, MOST_BRIGHTER, SMALLEST_SCALE_PCT, Edit
from recognizance.reviewing.probes import Probes
from recognizance.search import Search
from recognizance.web.forms import NO_NUMBER, Form
from recognizance.web.frame import Page, only
from recognizance.web.language import N_
from recognizance.web.operator_pages import SEARCH_QUALITY, Draft, Photographs
from recognizance.web.operator_pictures import picture_response
from recognizance.web.operator_words import EDIT_WORDS, GOOD_ENOUGH, QUALITY_WORDS
from recognizance.web.visits import Visit

EDIT_CHANGES_NOTHING = N_("This changes nothing.")
EDIT_DOES_NOT_FIT = N_("This doesn't fit the photograph, or would make it too large.")
EDITED_BEFORE = N_("The same picture came of other edits before, or there have been too many. Go back to the original.")

_CONTRAST_PCT = (25, 400)
_CROP_FIELDS = ("left", "top", "width", "height")
_TURNS = ("90", "180", "270")
_SIGNED = re.compile("([+\N{MINUS SIGN}-]?)([0-9]{1,3})")


class ProbePages:
    def __init__(self, photographs: Photographs, probes: Probes, search: Search, recorder: Recorder) -> None:
        self._photographs = photographs
        self._shelf = photographs.shelf
        self._probes = probes
        self._search = search
        self._recorder = recorder

    def table(self) -> list[Page]:
        operators = only(Role.OPERATOR)
        return [
            Page("/search/probe/{draft}", self.faces, operators),
            Page("/search/probe/{draft}/picture", self.picture, operators),
            Page("/search/probe/{draft}/edit", self.edit, operators, has_form=True),
            Page("/search/probe/{draft}/original", self.original, operators, has_form=True),
            Page("/search/probe/{draft}/discard", self.discard, operators, has_form=True),
            Page("/search/probe/{draft}/search", self.search, operators, has_form=True),
        ]

    def faces(self, visit: Visit) -> Response:
        # Whoever goes back after a search is led to what came of it, and doesn't search once more.
        if result := self._result(visit):
            return visit.redirect(result)
        return self._faces_page(visit, self._draft(visit))

    def picture(self, visit: Visit) -> Response:
        """What is to be searched with, in our own encoding."""
        return picture_response(self._draft(visit).preview, "image/jpeg")

    def edit(self, visit: Visit) -> Response:
        draft = self._draft(visit)
        if visit.is_post and (edit := _edit_of(visit.form)) is not None and self._edited(visit, draft, edit):
            visit.say(visit.gettext("The photograph is edited. Both versions are kept, and the edit is on record."))
            return visit.redirect(_path(visit))
        return visit.page(
            "operator/edit.html",
            status=422 if visit.form.errors else 200,
            token=visit.path["draft"],
            draft=draft,
            edits=EDIT_WORDS,
            most_brighter=MOST_BRIGHTER,
            scale_pct=(SMALLEST_SCALE_PCT, LARGEST_SCALE_PCT),
            contrast_pct=_CONTRAST_PCT,
        )

    def original(self, visit: Visit) -> Response:
        """Leave edits aside. They stay on record; a search with the original has none."""
        draft = self._draft(visit)
        if visit.is_post and draft.edits:
            self._replace(visit, self._photographs.looked_at(visit, draft.stated, draft.original))
            visit.say(visit.gettext("You are back at the photograph as it came. The edits stay on record."))
        return visit.redirect(_path(visit))

    def discard(self, visit: Visit) -> Response:
        draft = self._draft(visit)
        if visit.is_post:
            self._shelf.drop(visit.who.person, visit.path["draft"])
            visit.say(visit.gettext("The photograph is gone. Nothing was searched."))
        return visit.redirect(_begin_path(draft))

    def search(self, visit: Visit) -> Response:
        """Search for the chosen face, once: the same form sent again is led to the same result."""
        try:
            with self._shelf.alone(visit.who.person, visit.path["draft"]):
                return self._search_once(visit, self._draft(visit))
        except NotFoundError:
            if result := self._result(visit):
                return visit.redirect(result)
            raise

    def _search_once(self, visit: Visit, draft: Draft) -> Response:
        if not visit.is_post:
            return visit.redirect(_path(visit))
        usable = [str(number) for number, face in enumerate(draft.faces) if not face.flaws]
        chosen = visit.form.one_of("face", usable)
        if not visit.form.is_sound:
            return self._faces_page(visit, draft)
        result = f"/searches/{self._searched(visit, draft, int(chosen))}"
        self._shelf.drop(visit.who.person, visit.path["draft"], to=result)
        return visit.redirect(result)

    def _result(self, visit: Visit) -> str:
        return self._shelf.gone_to(visit.who.person, visit.path["draft"])

    def _searched(self, visit: Visit, draft: Draft, chosen: int) -> int:
        """Search; answers where in the ledger that is."""
        stated = draft.stated
        permit = self._photographs.desk.permit(visit.who.person, Action.SEARCH, stated)
        photograph = open_photograph(draft.picture, permit)
        with self._recorder.following() as promised:
            self._search.faces_by_photograph(
                stated.gallery,
                photograph,
                threshold_pct=stated.threshold_pct,
                limit=stated.candidates,
                quality_filter=SEARCH_QUALITY,
                permit=permit,
                chosen=chosen,
            )
        # The answer itself is read from the record, like every other one of the history.
        return next(each.receipt.index for each in promised if isinstance(Entry.parse(each.data).facts, facts.Search))

    def _edited(self, visit: Visit, draft: Draft, edit: Edit) -> bool:
        """Make an edit and look at what came of it; False if it can't be made, which the form then says."""
        permit = self._photographs.desk.permit(visit.who.person, Action.DETECT, draft.stated)
        name = "left" if edit.kind is EditKind.CROP else edit.kind.value
        try:
            edited = self._probes.edit(open_photograph(draft.picture, permit), edit, permit=permit)
        except ConflictError:
            visit.form.fail("", EDITED_BEFORE)
            return False
        except (ImageError, InputError):
            visit.form.fail(name, EDIT_DOES_NOT_FIT)
            return False
        after = self._photographs.looked_at(visit, draft.stated, edited.png)
        self._replace(visit, replace(after, original=draft.original, edits=(*draft.edits, edited.edit)))
        return True

    def _faces_page(self, visit: Visit, draft: Draft) -> Response:
        if not draft.faces:
            status, chosen = 200, None
        else:
            status = 422 if visit.form.errors else 200
            chosen = next((number for number, face in enumerate(draft.faces) if not face.flaws), None)
        return visit.page(
            "operator/faces.html",
            status=status,
            token=visit.path["draft"],
            draft=draft,
            usable=chosen is not None,
            chosen=chosen,
            quality=QUALITY_WORDS,
            good=GOOD_ENOUGH,
            edits=EDIT_WORDS,
            begin_path=_begin_path(draft),
        )

    def _draft(self, visit: Visit) -> Draft:
        return self._shelf.get(visit.who.person, visit.path["draft"])

    def _replace(self, visit: Visit, draft: Draft) -> None:
        self._shelf.replace(visit.who.person, visit.path["draft"], draft, size_bytes=draft.size_bytes)


def _path(visit: Visit) -> str:
    return f"/search/probe/{visit.path['draft']}"


def _begin_path(draft: Draft) -> str:
    """Where a photograph of the same use or gallery is asked for."""
    stated = draft.stated
    return f"/search/begin?gallery={stated.gallery}" if stated.use is None else f"/search/begin?use={stated.use}"


def _edit_of(form: Form) -> Edit | None:
    """The edit that a form asks for; `None` if it says it wrongly."""
    kind = form.choice("kind", EditKind)
    if kind is None:
        return None
    parameters = _PARAMETERS[kind](form)
    if not form.is_sound:
        return None
    return Edit(kind, parameters)


def _crop(form: Form) -> str:
    sides = [form.whole_number(name, low=0, high=99_999) for name in _CROP_FIELDS]
    if form.is_sound and not (sides[2] and sides[3]):
        form.fail("width", EDIT_CHANGES_NOTHING)
    return ",".join(str(side) for side in sides)


def _rotate(form: Form) -> str:
    return form.one_of("rotate", _TURNS)


def _brightness(form: Form) -> str:
    match = _SIGNED.fullmatch(form.raw("brightness").strip())
    if match is None or int(match[2]) > MOST_BRIGHTER:
        form.fail("brightness", NO_NUMBER)
        return ""
    if int(match[2]) == 0:
        form.fail("brightness", EDIT_CHANGES_NOTHING)
    return f"{'+' if match[1] in {'', '+'} else '-'}{int(match[2])}"


def _percentage(name: str, low: int, high: int) -> Callable[[Form], str]:
    def read(form: Form) -> str:
        number = form.whole_number(name, low=low, high=high)
        if number == 100:
            form.fail(name, EDIT_CHANGES_NOTHING)
        return str(number)

    return read


_PARAMETERS = {
    EditKind.CROP: _crop,
    EditKind.ROTATE: _rotate,
    EditKind.BRIGHTNESS: _brightness,
    EditKind.CONTRAST: _percentage("contrast", *_CONTRAST_PCT),
    EditKind.SCALE: _percentage("scale", SMALLEST_SCALE_PCT, LARGEST_SCALE_PCT),
}
