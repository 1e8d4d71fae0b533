"""Pages about one's own account: password, authenticator app, recovery codes, where one is signed in.

What changes how somebody signs in takes a password typed minutes ago: a browser left open isn't enough. Secrets are
shown once, on the page that made them, which no cache keeps.
"""

import io

import segno
from markupsafe import Markup
from starlette.responses import Response

from recognizance.governance.parties import PersonId
from recognizance.governing import one_time
from recognizance.governing.accounts import WeakPasswordError
from recognizance.governing.entrance import Entrance
from recognizance.governing.passwords import SHORTEST
from recognizance.governing.signing_in import WrongCredentialsError
from recognizance.web.account_words import HAPPENINGS
from recognizance.web.frame import ENROLMENT_PATH, SERVICE_NAME, SETTING_UP, SIGNED_IN, Page
from recognizance.web.language import N_
from recognizance.web.passwords import WRONG_CODE, new_password, why
from recognizance.web.security import is_local_path
from recognizance.web.signing_in_pages import CONFIRM_PATH, WRONG_PASSKEY, drawn_codes, place_of
from recognizance.web.visits import Visit
from recognizance.web.wordings import ROLE_NAMES

NEWS_PATH = "/account/news"
WRONG_PASSWORD = N_("This is not your password.")
_SHOWN = 100


class AccountPages:
    def __init__(self, entrance: Entrance) -> None:
        self._passkeys = entrance.passkeys
        self._accounts = entrance.accounts
        self._sign_in = entrance.sign_in
        self._news = entrance.news

    def table(self) -> list[Page]:
        return [
            Page("/account", self.overview, SIGNED_IN),
            Page("/account/password", self.password, SIGNED_IN, has_form=True),
            Page(CONFIRM_PATH, self.confirm, SETTING_UP, has_form=True),
            Page(ENROLMENT_PATH, self.authenticator, SETTING_UP, has_form=True),
            Page("/account/recovery-codes", self.recovery_codes, SIGNED_IN, has_form=True),
            Page("/account/sign-out-others", self.sign_out_others, SIGNED_IN, has_form=True),
            Page(NEWS_PATH, self.news, SIGNED_IN, has_form=True),
        ]

    def overview(self, visit: Visit) -> Response:
        known = self._accounts.of(visit.who.person)
        return visit.page(
            "account.html",
            account=None if known is None else known[0],
            passkeys=self._passkeys.of(visit.who.person),
            sessions=self._sign_in.sessions(visit.who),
            roles=[ROLE_NAMES[role] for role in sorted(visit.who.roles)],
        )

    def password(self, visit: Visit) -> Response:
        if visit.is_post:
            current, password = visit.form.raw("current"), new_password(visit.form)
            if not current:
                visit.form.text("current")
            if visit.form.is_sound and not self._sign_in.confirm_password(
                visit.session_token, current, address=visit.address
            ):
                visit.form.fail("current", WRONG_PASSWORD)
            if visit.form.is_sound:
                try:
                    self._accounts.change_password(visit.who.person, password, keep_session=visit.who.session)
                except WeakPasswordError as error:
                    visit.form.fail("password", why(error.flaw, error.weakness))
                else:
                    visit.say(visit.gettext("Your password is changed, and you are signed out everywhere else."))
                    return visit.redirect("/account")
            return visit.again("password.html", shortest=SHORTEST)
        return visit.page("password.html", shortest=SHORTEST)

    def confirm(self, visit: Visit) -> Response:
        wanted = visit.form.raw("next") or visit.query.get("next", "")
        wanted = wanted if is_local_path(wanted) else "/account"
        if visit.is_post:
            answer = visit.form.raw("answer")
            if self._is_confirmed(visit, answer):
                return visit.redirect(wanted)
            visit.form.fail(*(("", WRONG_PASSKEY) if answer else ("current", WRONG_PASSWORD)))
        return visit.page(
            "confirm.html",
            status=422 if visit.form.errors else 200,
            next=wanted,
            passkey_options=self._passkeys.options_to_confirm(visit.session_token, place_of(visit)),
        )

    def _is_confirmed(self, visit: Visit, answer: str) -> bool:
        if answer:
            return self._passkeys.confirm(visit.session_token, answer, place_of(visit), address=visit.address)
        return self._sign_in.confirm_password(visit.session_token, visit.form.raw("current"), address=visit.address)

    def authenticator(self, visit: Visit) -> Response:
        who = visit.signed_in or visit.half_way
        if who is None or not who.proved_recently:
            return visit.redirect(f"{CONFIRM_PATH}?next={ENROLMENT_PATH}")
        if visit.is_post:
            code = visit.form.text("code")
            if code:
                try:
                    opened, codes = self._sign_in.confirm_authenticator(visit.session_token, code)
                except WrongCredentialsError:
                    visit.form.fail("code", WRONG_CODE)
                else:
                    visit.sign_in_as(opened.token)
                    return drawn_codes(visit, codes)
        secret = self._sign_in.pending_authenticator(visit.session_token) if visit.is_post else None
        secret = secret or self._sign_in.begin_authenticator(visit.session_token)
        link = one_time.app_link(secret, issuer=SERVICE_NAME, login=who.login)
        return visit.page(
            "authenticator.html",
            status=422 if visit.form.errors else 200,
            written=one_time.written_secret(secret),
            link=link,
            picture=_qr(link),
            is_replacement=self._has_app(who.person),
            is_required=visit.signed_in is None,
        )

    def _has_app(self, person: PersonId) -> bool:
        known = self._accounts.of(person)
        return known is not None and known[0].has_app

    def recovery_codes(self, visit: Visit) -> Response:
        if not visit.who.has_second_factor:
            return visit.redirect(ENROLMENT_PATH)
        if not visit.who.proved_recently:
            return visit.redirect(f"{CONFIRM_PATH}?next=/account/recovery-codes")
        if visit.is_post:
            return drawn_codes(visit, self._sign_in.draw_recovery_codes(visit.session_token))
        return visit.page("recovery_codes.html")

    def news(self, visit: Visit) -> Response:
        """What happened to the account; the form says that its owner has seen what the page showed."""
        if visit.is_post:
            self._news.see(visit.who.person, frozenset(visit.form.every("seen")))
            visit.say(visit.gettext("Noted. It stays on this list for half a year."))
            return visit.redirect(NEWS_PATH)
        return visit.page("account_news.html", news=self._news.of(visit.who.person, limit=_SHOWN), said=HAPPENINGS)

    def sign_out_others(self, visit: Visit) -> Response:
        if visit.is_post:
            count = self._sign_in.sign_out_others(visit.who)
            visit.say(
                visit.ngettext("Signed out in %(count)d other place.", "Signed out in %(count)d other places.", count)
                % {"count": count}
            )
        return visit.redirect("/account")


def _qr(link: str) -> Markup:
    """A QR code as inline SVG: dark on light whatever the theme, because that is what cameras read."""
    file = io.BytesIO()
    segno.make(link, error="m").save(
        file, kind="svg", xmldecl=False, svgns=True, nl=False, border=2, omitsize=True, dark="#000", light="#fff"
    )
    # Ours from end to end: the link stands in it only as black and white squares.
    return Markup(file.getvalue().decode())  # noqa: S704
