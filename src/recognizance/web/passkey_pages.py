"""Pages for passkeys: signing in with one alone, adding one to an account, and removing it.

The ceremony itself is the browser's (`static/passkey.js`): a page holds what the browser is asked for, and its form
sends what it answers. Without JavaScript these forms stay hidden, and a password and codes do. Whether an answer proves
anything is for `governing.passkey_sign_in`.
"""

from collections.abc import Callable

from starlette.responses import Response

from recognizance.errors import ConflictError, InputError, NotFoundError
from recognizance.governing.entrance import Entrance
from recognizance.governing.passkey_sign_in import LONGEST_NAME
from recognizance.governing.passkeys import PasskeyError
from recognizance.governing.signing_in import WrongCredentialsError
from recognizance.web.frame import SETTING_UP, SIGNED_IN, Page
from recognizance.web.language import N_
from recognizance.web.signing_in_pages import (
    CONFIRM_PATH,
    PASSKEY_PATH,
    WRONG_PASSKEY,
    drawn_codes,
    entered,
    place_of,
    wanted_page,
)
from recognizance.web.visits import Visit

PASSKEYS_PATH = "/account/passkeys"
ADD_PATH = f"{PASSKEYS_PATH}/new"

_NOT_MADE = N_("The passkey wasn't taken. Try again.")
_KNOWN_ALREADY = N_("This passkey is in use already, or you have ten of them.")
_LAST_ONE = N_("This is your only second factor, and you have to have one. Set another one up first.")


class PasskeyPages:
    """Args: sign_in_page: Shows the page on which one signs in, with what is wrong with the visit's form."""

    def __init__(self, entrance: Entrance, sign_in_page: Callable[[Visit, int], Response]) -> None:
        self._passkeys = entrance.passkeys
        self._sign_in_page = sign_in_page

    def table(self) -> list[Page]:
        return [
            Page(PASSKEY_PATH, self.sign_in, has_form=True),
            Page(ADD_PATH, self.add, SETTING_UP, has_form=True),
            Page(f"{PASSKEYS_PATH}/{{passkey}}/remove", self.remove, SIGNED_IN, has_form=True),
        ]

    def sign_in(self, visit: Visit) -> Response:
        if not visit.is_post or visit.signed_in is not None or not visit.is_private:
            return visit.redirect("/sign-in")
        try:
            opened = self._passkeys.sign_in(
                visit.browser_token,
                visit.form.raw("answer"),
                place_of(visit),
                address=visit.address,
                device=visit.request.headers.get("user-agent", ""),
            )
        except WrongCredentialsError:
            visit.form.fail("", WRONG_PASSKEY)
            return self._sign_in_page(visit, 422)
        return entered(visit, opened, wanted_page(visit))

    def add(self, visit: Visit) -> Response:
        who = visit.signed_in or visit.half_way
        if who is None or not who.proved_recently:
            return visit.redirect(f"{CONFIRM_PATH}?next={ADD_PATH}")
        if visit.is_post:
            name = visit.form.text("name", most=LONGEST_NAME)
            if visit.form.is_sound:
                try:
                    opened, codes = self._passkeys.add(
                        visit.session_token, name, visit.form.raw("answer"), place_of(visit)
                    )
                except PasskeyError:
                    visit.form.fail("", _NOT_MADE)
                except ConflictError:
                    visit.form.fail("", _KNOWN_ALREADY)
                except InputError:
                    visit.form.fail("name", N_("This name can't be used."))
                else:
                    visit.sign_in_as(opened.token)
                    if codes:
                        return drawn_codes(visit, codes)
                    visit.say(visit.gettext("The passkey is added."))
                    return visit.redirect("/account")
        return visit.page(
            "passkey_new.html",
            status=422 if visit.form.errors else 200,
            options=self._passkeys.options_to_add(visit.session_token, place_of(visit)),
            is_required=visit.signed_in is None,
        )

    def remove(self, visit: Visit) -> Response:
        passkey: str = visit.path["passkey"]
        known = {each.id: each for each in self._passkeys.of(visit.who.person)}
        if passkey not in known:
            raise NotFoundError("there is no such passkey")
        if not visit.who.proved_recently:
            return visit.redirect(f"{CONFIRM_PATH}?next={PASSKEYS_PATH}/{passkey}/remove")
        if visit.is_post:
            try:
                self._passkeys.remove(visit.who.person, passkey, keep_session=visit.who.session)
            except ConflictError:
                visit.form.fail("", _LAST_ONE)
            else:
                visit.say(visit.gettext("The passkey is removed, and you are signed out everywhere else."))
                return visit.redirect("/account")
            return visit.again("passkey_remove.html", passkey=known[passkey])
        return visit.page("passkey_remove.html", passkey=known[passkey])
