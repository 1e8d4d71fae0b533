"""Pages for getting in and out: sign-in, the second factor, invitations, and signing out.

Each says the same to whoever has no account as to whoever typed a wrong password. Nothing here decides who gets in:
`governing.signing_in` does. Implements docs/sign-in.md.
"""

from urllib.parse import urlencode, urlsplit

from starlette.responses import Response

from recognizance.governance.parties import PersonId
from recognizance.governing.account_documents import Stage
from recognizance.governing.accounts import WeakPasswordError
from recognizance.governing.entrance import Entrance
from recognizance.governing.passkeys import Place
from recognizance.governing.passwords import SHORTEST
from recognizance.governing.signing_in import OpenedSession, WrongCredentialsError
from recognizance.web.frame import ENROLMENT_PATH, HALF_WAY, SECOND_FACTOR_PATH, SERVICE_NAME, Page
from recognizance.web.language import N_
from recognizance.web.passwords import WRONG_CODE, new_password, why
from recognizance.web.security import is_local_path
from recognizance.web.visits import Visit

WRONG_CREDENTIALS = N_("This login and this password don't go together.")
WRONG_PASSKEY = N_("This passkey wasn't taken. Try again, or sign in in another way.")

SET_UP_PATH = "/set-up"
OPENID_PATH = "/sign-in/openid"
PASSKEY_PATH = "/sign-in/passkey"
CONFIRM_PATH = "/account/confirm"


class SigningInPages:
    def __init__(self, entrance: Entrance) -> None:
        self._has_openid = entrance.openid is not None
        self._accounts = entrance.accounts
        self._sign_in = entrance.sign_in
        self._passkeys = entrance.passkeys
        self._set_up = entrance.set_up

    def table(self) -> list[Page]:
        return [
            Page("/sign-in", self.sign_in, has_form=True),
            Page(SECOND_FACTOR_PATH, self.second_factor, HALF_WAY, has_form=True),
            Page("/sign-out", self.sign_out, has_form=True),
            Page("/invitation/{token}", self.invitation, has_form=True),
        ]

    def sign_in(self, visit: Visit) -> Response:
        if visit.signed_in is not None:
            return visit.redirect(wanted_page(visit))
        if not visit.is_private:
            return self.shown(visit, 403)
        if not visit.is_post:
            return self.shown(visit)
        login, password = visit.form.text("login"), visit.form.raw("password")
        if not password:
            visit.form.text("password")
        if visit.form.is_sound:
            try:
                opened = self._sign_in.with_password(
                    login, password, address=visit.address, device=visit.request.headers.get("user-agent", "")
                )
            except WrongCredentialsError:
                visit.form.fail("login", WRONG_CREDENTIALS)
            else:
                return entered(visit, opened, wanted_page(visit))
        return self.shown(visit, 422)

    def shown(self, visit: Visit, status: int = 200) -> Response:
        """The page on which one signs in, with what is wrong with the visit's form."""
        return visit.page(
            "sign_in.html",
            status=status,
            next=wanted_page(visit),
            set_up_is_due=self._set_up.is_due,
            has_openid=self._has_openid,
            passkey_options=self._passkeys.options_to_sign_in(visit.browser_token, place_of(visit)),
        )

    def second_factor(self, visit: Visit) -> Response:
        answer = visit.form.raw("answer")
        if visit.is_post and (answer or visit.form.text("code")):
            try:
                opened = self._completed(visit, answer)
            except WrongCredentialsError:
                visit.form.fail(*(("", WRONG_PASSKEY) if answer else ("code", WRONG_CODE)))
            else:
                return entered(visit, opened, wanted_page(visit))
        return visit.page(
            "second_factor.html",
            status=422 if visit.form.errors else 200,
            next=wanted_page(visit),
            passkey_options=self._passkeys.options_to_complete(visit.session_token, place_of(visit)),
        )

    def _completed(self, visit: Visit, answer: str) -> OpenedSession:
        if answer:
            return self._passkeys.complete(visit.session_token, answer, place_of(visit), address=visit.address)
        return self._sign_in.with_code(visit.session_token, visit.form.text("code"), address=visit.address)

    def sign_out(self, visit: Visit) -> Response:
        if not visit.is_post:
            return visit.redirect("/")
        if visit.session_token:
            self._sign_in.sign_out(visit.session_token)
            visit.sign_in_as("")
            visit.say(visit.gettext("You are signed out."))
        return visit.redirect("/")

    def invitation(self, visit: Visit) -> Response:
        token: str = visit.path["token"]
        invited = self._accounts.invited(token) if visit.is_private else None
        if invited is None:
            return visit.page("invitation_over.html", status=404)
        if visit.is_post:
            password = new_password(visit.form)
            if visit.form.is_sound:
                try:
                    account = self._accounts.accept(token, password)
                except WeakPasswordError as error:
                    visit.form.fail("password", why(error.flaw, error.weakness))
                else:
                    return self._begun(visit, account.person)
            return visit.again("invitation.html", invited=invited, shortest=SHORTEST)
        return visit.page("invitation.html", invited=invited, shortest=SHORTEST)

    def _begun(self, visit: Visit, person: PersonId) -> Response:
        opened = self._sign_in.trusted(
            person, device=visit.request.headers.get("user-agent", ""), address=visit.address
        )
        return entered(visit, opened, wanted_page(visit))


def entered(visit: Visit, opened: OpenedSession, wanted: str) -> Response:
    """Give the browser its new session, and lead on to what still has to be done, or to where it wanted to go."""
    visit.sign_in_as(opened.token)
    if opened.stage is Stage.SECOND_FACTOR:
        return visit.redirect(f"{SECOND_FACTOR_PATH}?{urlencode({'next': wanted})}")
    if opened.stage is Stage.ENROLMENT:
        return visit.redirect(ENROLMENT_PATH)
    return visit.redirect(wanted)


def place_of(visit: Visit) -> Place:
    """Where this browser finds the pages; a passkey is bound to it."""
    return Place(urlsplit(visit.origin).hostname or "", visit.origin, SERVICE_NAME)


def wanted_page(visit: Visit) -> str:
    """Where the reader was going; a page of ours, or else the start page."""
    wanted = visit.form.raw("next") or visit.query.get("next", "")
    return wanted if is_local_path(wanted) else "/"


def drawn_codes(visit: Visit, codes: tuple[str, ...]) -> Response:
    """Recovery codes, at the only moment when they are shown; no cache keeps them."""
    response = visit.page("recovery_codes_drawn.html", codes=codes)
    response.headers["Cache-Control"] = "no-store"
    return response
