"""Ask whether you are enrolled: how that goes, a form to ask with, and a way to see how far it is.

Nothing here says whether anybody is in a gallery. A request gets a reference, a deadline and a secret code, shown once;
with both whoever asked sees how far it is, takes it back, or appeals. Works over a private line only, because what
people send says who they are.
"""

from collections.abc import Callable
from datetime import datetime

from starlette.responses import Response

from recognizance.errors import ConflictError, InputError, NotFoundError
from recognizance.governance.parties import AgencyId
from recognizance.governance.subjects import REQUEST_TABLE, RequestEvent, RequestKind, SubjectRequest
from recognizance.governing.pace import Writers
from recognizance.intake import MAX_ASKER_CHARACTERS, MAX_PHOTOGRAPH_BYTES, MOST_ASKED, Intake, check_photograph
from recognizance.web.forms import NO_CHOICE
from recognizance.web.frame import Page
from recognizance.web.language import N_
from recognizance.web.public_words import REFUSALS, REQUEST_KINDS, REQUEST_STATES
from recognizance.web.visits import Visit

LONGEST_TEXT = 4_000
_FORM_BYTES = MAX_PHOTOGRAPH_BYTES + (1 << 20)
BAD_PHOTOGRAPH = N_("This is no photograph that can be read here. Send a JPEG, PNG, WebP or HEIC file of at most 5 MB.")
EVERYBODY = N_("Whoever holds me: all agencies here")
CHOOSE = N_("Choose one")
UNKNOWN = N_("There is no request with this reference and this code.")


class AskingPages:
    def __init__(self, intake: Intake, writers: Writers, *, clock: Callable[[], datetime]) -> None:
        self._intake = intake
        self._clock = clock
        self._pace = writers.requests
        self._attempts = writers.attempts

    def table(self) -> list[Page]:
        return [
            Page("/ask", self.how, navigation=N_("Ask about yourself")),
            Page("/ask/request", self.request, has_form=True, most_files=1, most_bytes=_FORM_BYTES),
            Page("/ask/status", self.status, has_form=True),
        ]

    def how(self, visit: Visit) -> Response:
        return visit.page("public/ask.html", kinds=REQUEST_KINDS)

    def request(self, visit: Visit) -> Response:
        if visit.is_post and visit.is_private:
            return self._asked(visit)
        return visit.page("public/ask_request.html", kinds=REQUEST_KINDS, agencies=self._choices(visit))

    def _choices(self, visit: Visit) -> list[tuple[str, str]]:
        """Whom one may ask; nothing to choose where one agency takes part, or none yet."""
        known = self._intake.agencies()
        if len(known) < 2:
            return []
        everybody = ("", visit.gettext(EVERYBODY if len(known) <= MOST_ASKED else CHOOSE))
        return [everybody, *known.items()]

    def _asked(self, visit: Visit) -> Response:
        form = visit.form
        kind = form.choice("kind", RequestKind)
        asker = f"{form.text('name', most=200)}\n{form.text('contact', most=MAX_ASKER_CHARACTERS - 201)}"
        statement = form.optional("statement", most=LONGEST_TEXT)
        if names := form.optional("names", most=1_000):
            statement += f"\n\nNames and numbers to look for: {names}"
        photograph = next((each.data for each in form.files.get("photograph", ())), None)
        if photograph is not None:
            try:
                check_photograph(photograph)
            except InputError:
                form.fail("photograph", BAD_PHOTOGRAPH)
        known = self._intake.agencies()
        agency = form.one_of("agency", ["", *known])
        if not agency and len(known) > MOST_ASKED:
            form.fail("agency", NO_CHOICE)
        if kind is None or not form.is_sound:
            return visit.again("public/ask_request.html", kinds=REQUEST_KINDS, agencies=self._choices(visit))
        self._pace.take(visit.address)
        asked = self._intake.ask(
            kind,
            asker=asker,
            statement=statement.strip(),
            photograph=photograph,
            agency=AgencyId(agency) if agency else None,
        )
        response = visit.page("public/asked.html", asked=asked)
        # The code is shown this once; no cache may keep it.
        response.headers["Cache-Control"] = "no-store"
        return response

    def status(self, visit: Visit) -> Response:
        if not (visit.is_post and visit.is_private):
            return visit.page("public/ask_status.html")
        reference, code = visit.form.text("reference", most=100), visit.form.text("code", most=100)
        if not visit.form.is_sound:
            return visit.again("public/ask_status.html")
        # Codes can't be guessed; this keeps machines from trying all the same.
        self._attempts.begin(reference, visit.address)
        try:
            request = self._intake.status(reference, code)
        except NotFoundError:
            visit.form.fail("", UNKNOWN)
            return visit.again("public/ask_status.html")
        self._attempts.succeeded(reference, visit.address)
        return self._stepped(visit, request, reference, code)

    def _stepped(self, visit: Visit, request: SubjectRequest, reference: str, code: str) -> Response:
        """Do what was asked for with a button, if it still can be done, and show the request."""
        steps = {"withdraw": self._intake.withdraw, "appeal": self._intake.appeal}
        step = steps.get(visit.form.raw("step"))
        said = ""
        if step is not None:
            try:
                request = step(reference, code)
            except ConflictError:
                said = N_("This can't be done any more; here is how things stand.")
        response = visit.page(
            "public/request.html",
            request=request,
            said=said,
            is_overdue=request.is_overdue_on(self._clock().date()),
            state=REQUEST_STATES[request.state],
            kind=REQUEST_KINDS[request.kind][0],
            refusal=None if request.refusal is None else REFUSALS[request.refusal],
            may_withdraw=(request.state, RequestEvent.WITHDRAW) in REQUEST_TABLE,
            may_appeal=(request.state, RequestEvent.APPEAL) in REQUEST_TABLE,
            reference=reference,
            code=code,
        )
        response.headers["Cache-Control"] = "no-store"
        return response
