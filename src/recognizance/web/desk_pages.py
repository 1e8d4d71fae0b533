"""Pages of the desk: what people ask about themselves, with its deadline; looking up, answering, correcting, erasing.

An officer's page and nobody else's. The rules are the desk's (`desk.py`): nothing is looked up before its asker has
proven who they are, a photograph brings up ids and no names, and the same officer doesn't decide an appeal. What was
looked up is shown once and kept nowhere; erasing and exporting look it up again. Implements docs/desk-pages.md.
"""

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from recognizance.correspondence import RequestFile
from recognizance.desk import Findings
from recognizance.errors import ConflictError, ImageError, InputError
from recognizance.forgetting.erasure import Erased, Erasure
from recognizance.galleries import Clock
from recognizance.governance.parties import Role
from recognizance.governance.subjects import (
    OPEN_STATES,
    REQUEST_TABLE,
    Refusal,
    RequestEvent,
    RequestKind,
    RequestState,
)
from recognizance.identifiers import FaceId, GalleryId, SubjectId
from recognizance.searching_desk import LEAST_SIMILARITY_PCT, SearchingDesk
from recognizance.web.desk_words import EVENTS, KINDS, REFUSALS, STATES
from recognizance.web.frame import Page, only
from recognizance.web.language import N_
from recognizance.web.visits import Visit

MAX_PHOTOGRAPH_BYTES = 20 << 20
MAX_NAMES = 200
_OFFICERS = only(Role.DESK_OFFICER)
_WORDS: dict[str, Any] = {"kinds": KINDS, "states": STATES, "events": EVENTS, "refusals": REFUSALS}
_LOOKS_UP = frozenset({RequestState.VERIFIED, RequestState.ANSWERED})


class DeskPages:
    """Args: clock: Only for what pages show."""

    def __init__(self, desk: SearchingDesk, erasure: Erasure, *, clock: Clock) -> None:
        self._desk = desk
        self._erasure = erasure
        self._clock = clock

    def table(self) -> list[Page]:
        one = "/desk/requests/{request}"
        return [
            Page("/desk", self.overview, _OFFICERS, navigation=N_("Desk")),
            Page("/desk/new", self.take, _OFFICERS, has_form=True),
            Page("/desk/erasures/{erasure}", self.proof, _OFFICERS),
            Page(one, self.request, _OFFICERS, has_form=True),
            Page(f"{one}/extension", self.extend, _OFFICERS, has_form=True),
            Page(f"{one}/names", self.names, _OFFICERS, has_form=True),
            Page(
                f"{one}/photograph",
                self.photograph,
                _OFFICERS,
                has_form=True,
                most_files=1,
                most_bytes=MAX_PHOTOGRAPH_BYTES,
            ),
            Page(f"{one}/export", self.export, _OFFICERS, has_form=True),
            Page(f"{one}/erasure", self.erase, _OFFICERS, has_form=True),
            Page(f"{one}/correction", self.correct, _OFFICERS, has_form=True),
        ]

    def overview(self, visit: Visit) -> Response:
        """Requests that are owed an answer, the overdue ones first, then by their deadlines."""
        today, files = self._clock().date(), self._desk.files(by=visit.actor())
        owed = [file for file in files if file.request.state in OPEN_STATES]
        late = [file for file in owed if file.request.is_overdue_on(today)]
        return visit.page(
            "desk/overview.html",
            late=late,
            owed=[file for file in owed if file not in late],
            done=[file for file in files if file.request.state not in OPEN_STATES][::-1],
            today=today,
            **_WORDS,
        )

    def take(self, visit: Visit) -> Response:
        if visit.is_post:
            kind, asker = visit.form.choice("kind", RequestKind), visit.form.text("asker", most=500)
            statement = visit.form.optional("statement")
            received = visit.form.day("received") if visit.form.raw("received").strip() else None
            if kind is not None and visit.form.is_sound:
                try:
                    made = self._desk.open(kind, asker=asker, statement=statement, received=received, by=visit.actor())
                except InputError:
                    visit.form.fail("received", N_("It can't have come in after today."))
                else:
                    visit.say(visit.gettext("The request is taken, and its deadline runs."))
                    return visit.redirect(f"/desk/requests/{made.id}")
            return visit.again("desk/new.html", **_WORDS)
        return visit.page("desk/new.html", **_WORDS)

    def request(self, visit: Visit) -> Response:
        """One request; a form takes its next step."""
        if not visit.is_post:
            return self._shown(visit, self._file(visit))
        file, form = self._file(visit), visit.form
        event = form.choice("event", RequestEvent)
        refusal = form.choice("refusal", Refusal) if event is RequestEvent.REFUSE else None
        answer = form.optional("answer")
        if event is RequestEvent.ANSWER and not answer:
            form.fail("answer", N_("Say what they are told."))
        if event is None or not form.is_sound:
            return self._shown(visit, file)
        self._desk.step(file.request.id, event, refusal=refusal, answer=answer, by=visit.actor())
        visit.say(visit.gettext("Done: %(what)s") % {"what": visit.gettext(EVENTS[event])})
        return visit.redirect(f"/desk/requests/{file.request.id}")

    def extend(self, visit: Visit) -> Response:
        file = self._file(visit)
        if visit.is_post:
            reason = visit.form.text("reason", most=4000)
            if visit.form.is_sound:
                self._desk.extend(file.request.id, reason, by=visit.actor())
                visit.say(visit.gettext("The deadline is later now. Tell them, and tell them why."))
                return visit.redirect(f"/desk/requests/{file.request.id}")
            return visit.again("desk/extension.html", file=file)
        return visit.page("desk/extension.html", file=file)

    def names(self, visit: Visit) -> Response:
        """Look up by names; what is found is shown on this answer and nowhere else."""
        file = self._file(visit)
        if not visit.is_post:
            return visit.redirect(f"/desk/requests/{file.request.id}")
        names = _names(visit)
        if not names:
            visit.form.fail("names", N_("Write one name at least."))
            return self._shown(visit, file)
        return self._found(visit, file, self._desk.held_under(file.request.id, names, by=visit.actor()), names)

    def photograph(self, visit: Visit) -> Response:
        file = self._file(visit)
        if not visit.is_post:
            return visit.redirect(f"/desk/requests/{file.request.id}")
        sent = visit.form.files.get("photograph", ())
        data = sent[0].data if sent else self._desk.photograph(file.request.id, by=visit.actor())
        if data is None:
            visit.form.fail("photograph", N_("Choose a photograph."))
            return self._shown(visit, file)
        try:
            found = self._desk.faces_like(file.request.id, data, threshold_pct=LEAST_SIMILARITY_PCT, by=visit.actor())
        except ImageError:
            visit.form.fail("photograph", N_("This can't be read as a photograph."))
            return self._shown(visit, file)
        return visit.page("desk/likenesses.html", file=file, found=found, **_WORDS)

    def export(self, visit: Visit) -> Response:
        file, names = self._file(visit), _names(visit)
        if not visit.is_post or not names:
            return visit.redirect(f"/desk/requests/{file.request.id}")
        found = self._desk.held_under(file.request.id, names, by=visit.actor())
        archive = self._desk.export(file.request.id, found, by=visit.actor())
        return _download(archive, "application/zip", f"held-{file.request.id}.zip")

    def erase(self, visit: Visit) -> Response:
        """Erase what is found under the names, once that is confirmed, and prove it."""
        file, names = self._file(visit), _names(visit)
        if not visit.is_post or not names:
            return visit.redirect(f"/desk/requests/{file.request.id}")
        found = self._desk.held_under(file.request.id, names, by=visit.actor())
        if not visit.form.ticked("confirmed"):
            visit.form.fail("confirmed", N_("Tick the box to say that these are theirs, and are to be erased."))
            return self._found(visit, file, found, names)
        try:
            erased = self._desk.erase(file.request.id, found, by=visit.actor())
        except ConflictError as error:
            visit.form.fail("", N_("Nothing was erased."))
            return self._found(visit, file, found, names, refused=visit.in_words(error))
        return visit.page("desk/erased.html", file=file, erased=erased, traces=self._traces(erased))

    def correct(self, visit: Visit) -> Response:
        file = self._file(visit)
        if not visit.is_post:
            return visit.redirect(f"/desk/requests/{file.request.id}")
        gallery, face = visit.form.text("gallery", most=255), visit.form.text("face", most=255)
        subject = visit.form.optional("subject", most=128)
        if not visit.form.is_sound:
            return self._shown(visit, file)
        self._desk.correct(
            file.request.id,
            GalleryId(gallery),
            FaceId(face),
            subject=SubjectId(subject) if subject else None,
            by=visit.actor(),
        )
        visit.say(visit.gettext("Corrected, and on the record."))
        return visit.redirect(f"/desk/requests/{file.request.id}")

    def proof(self, visit: Visit) -> Response:
        proof = self._erasure.proof(visit.path["erasure"])
        return _download(proof.data, "application/json", f"erasure-{proof.id}.json")

    def _file(self, visit: Visit) -> RequestFile:
        return self._desk.file(visit.path["request"], by=visit.actor())

    def _shown(self, visit: Visit, file: RequestFile) -> Response:
        request = file.request
        return visit.page(
            "desk/request.html",
            status=422 if visit.form.errors else 200,
            file=file,
            request=request,
            steps=[event for state, event in REQUEST_TABLE if state is request.state],
            is_late=request.is_overdue_on(self._clock().date()),
            may_extend=request.state in OPEN_STATES
            and not request.extension_reason
            and self._clock().date() <= request.deadline,
            may_look_up=request.state in _LOOKS_UP,
            has_photograph=self._desk.photograph(request.id, by=visit.actor()) is not None,
            **_WORDS,
        )

    @staticmethod
    def _found(
        visit: Visit, file: RequestFile, found: Findings, names: Sequence[str], *, refused: str = ""
    ) -> Response:
        return visit.page(
            "desk/held.html",
            status=422 if visit.form.errors else 200,
            file=file,
            request=file.request,
            found=found,
            names=names,
            refused=refused,
            may_erase=file.request.kind is RequestKind.ERASURE and file.request.state is RequestState.VERIFIED,
            may_correct=file.request.kind is RequestKind.CORRECTION and file.request.state is RequestState.VERIFIED,
            **_WORDS,
        )

    def _traces(self, erased: Sequence[Erased]) -> int:
        return sum(len(self._erasure.traces(each.needles)) for each in erased if each.needles is not None)


def _names(visit: Visit) -> list[str]:
    """Names one on each line, and those that a page of findings sends along."""
    lines = [line.strip() for text in visit.form.every("names") for line in text.splitlines()]
    return list(dict.fromkeys(line for line in lines if line))[:MAX_NAMES]


def _download(data: bytes, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(data, media_type=media_type, headers=headers)
