"""Pages for getting in and out: sign-in, the second factor, invitations, the first set-up, and signing out.

Each says the same to whoever has no account as to whoever typed a wrong password. Nothing here decides who gets in:
`governing.signing_in` does. Implements docs/sign-in.md.
"""

from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from recognizance.errors import ConflictError, InputError
from recognizance.governance.parties import PersonId
from recognizance.governance.profiles import ProfileName
from recognizance.governing.account_documents import Stage
from recognizance.governing.accounts import WeakPasswordError
from recognizance.governing.entrance import Entrance, WrongCodeError
from recognizance.governing.passwords import SHORTEST
from recognizance.governing.signing_in import OpenedSession, WrongCredentialsError
from recognizance.web.frame import ENROLMENT_PATH, HALF_WAY, SECOND_FACTOR_PATH, Page
from recognizance.web.language import N_
from recognizance.web.passwords import FLAWS, WRONG_CODE, new_password
from recognizance.web.security import is_local_path
from recognizance.web.visits import Visit
from recognizance.web.wordings import PROFILE_NAMES

WRONG_CREDENTIALS = N_("This login and this password don't go together.")
WRONG_SET_UP_CODE = N_("This is not the code that the server printed when it started.")

SET_UP_PATH = "/set-up"
OPENID_PATH = "/sign-in/openid"


class SigningInPages:
    """Args: profile: How strict the installation is; it's named where it is set up."""

    def __init__(self, entrance: Entrance, profile: ProfileName) -> None:
        self._has_openid = entrance.openid is not None
        self._accounts = entrance.accounts
        self._sign_in = entrance.sign_in
        self._set_up = entrance.set_up
        self._profile = profile

    def table(self) -> list[Page]:
        return [
            Page("/sign-in", self.sign_in, has_form=True),
            Page(SECOND_FACTOR_PATH, self.second_factor, HALF_WAY, has_form=True),
            Page("/sign-out", self.sign_out, has_form=True),
            Page("/invitation/{token}", self.invitation, has_form=True),
            Page(SET_UP_PATH, self.set_up, has_form=True),
        ]

    def sign_in(self, visit: Visit) -> Response:
        if visit.signed_in is not None:
            return visit.redirect(_next(visit))
        given: dict[str, Any] = {"next": _next(visit), "set_up_is_due": self._set_up.is_due}
        given["has_openid"] = self._has_openid
        if not visit.is_private:
            return visit.page("sign_in.html", status=403, **given)
        if not visit.is_post:
            return visit.page("sign_in.html", **given)
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
                return entered(visit, opened, _next(visit))
        return visit.again("sign_in.html", **given)

    def second_factor(self, visit: Visit) -> Response:
        if visit.is_post:
            code = visit.form.text("code")
            if code:
                try:
                    opened = self._sign_in.with_code(visit.session_token, code, address=visit.address)
                except WrongCredentialsError:
                    visit.form.fail("code", WRONG_CODE)
                else:
                    return entered(visit, opened, _next(visit))
            return visit.again("second_factor.html", next=_next(visit))
        return visit.page("second_factor.html", next=_next(visit))

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
                    visit.form.fail("password", FLAWS[error.flaw])
                else:
                    return self._begun(visit, account.person)
            return visit.again("invitation.html", invited=invited, shortest=SHORTEST)
        return visit.page("invitation.html", invited=invited, shortest=SHORTEST)

    def set_up(self, visit: Visit) -> Response:
        if not self._set_up.is_due:
            return visit.redirect("/sign-in")
        given: dict[str, Any] = {"profile": PROFILE_NAMES[self._profile], "shortest": SHORTEST}
        if not visit.is_private:
            return visit.page("set_up.html", status=403, **given)
        if not visit.is_post:
            return visit.page("set_up.html", **given)
        code, login, password = visit.form.text("code"), visit.form.text("login"), new_password(visit.form)
        if visit.form.is_sound:
            try:
                account = self._set_up.first_account(code, login, password, address=visit.address)
            except WrongCodeError:
                visit.form.fail("code", WRONG_SET_UP_CODE)
            except WeakPasswordError as error:
                visit.form.fail("password", FLAWS[error.flaw])
            except ConflictError:
                return visit.redirect("/sign-in")
            except InputError:
                visit.form.fail("login", N_("A login has no spaces: an e-mail address, or a short name."))
            else:
                visit.say(visit.gettext("The first account is made. You are signed in with it."))
                return self._begun(visit, account.person)
        return visit.again("set_up.html", **given)

    def _begun(self, visit: Visit, person: PersonId) -> Response:
        opened = self._sign_in.trusted(person, device=visit.request.headers.get("user-agent", ""))
        return entered(visit, opened, _next(visit))


def entered(visit: Visit, opened: OpenedSession, wanted: str) -> Response:
    """Give the browser its new session, and lead on to what still has to be done, or to where it wanted to go."""
    visit.sign_in_as(opened.token)
    if opened.stage is Stage.SECOND_FACTOR:
        return visit.redirect(f"{SECOND_FACTOR_PATH}?{urlencode({'next': wanted})}")
    if opened.stage is Stage.ENROLMENT:
        return visit.redirect(ENROLMENT_PATH)
    return visit.redirect(wanted)


def _next(visit: Visit) -> str:
    """Where the reader was going; a page of ours, or else the start page."""
    wanted = visit.form.raw("next") or visit.query.get("next", "")
    return wanted if is_local_path(wanted) else "/"
