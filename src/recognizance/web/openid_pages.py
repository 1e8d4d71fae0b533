"""Pages for signing in at an OpenID provider: the way there, and the way back.

What has to come back is kept in a signed cookie of ten minutes, so that an answer counts in the browser that asked for
it and in no other. Whether anybody gets in is for `governing.openid` and `governing.signing_in`.
"""

import base64
import json
from collections.abc import Callable

from starlette.responses import RedirectResponse, Response

from recognizance.errors import UnavailableError
from recognizance.governing.entrance import Entrance
from recognizance.governing.openid import Errand, OpenId, OpenIdError
from recognizance.governing.signing_in import WrongCredentialsError
from recognizance.web.frame import Page
from recognizance.web.language import N_
from recognizance.web.security import is_local_path
from recognizance.web.signing_in_pages import OPENID_PATH, entered
from recognizance.web.visits import Visit

ERRAND_COOKIE = "errand"
_ERRAND_S = 600
_NOT_VOUCHED = N_("The other sign-in service didn't say who you are. Begin again from here.")
_NOT_LINKED = N_("The other sign-in service knows you, but you have no account here. Ask the administrator.")
_NOT_THERE = N_("The other sign-in service doesn't answer. Try again later, or sign in with your password.")


class OpenIdPages:
    """Args: sign_in_page: Shows the page on which one signs in, with what is wrong with the visit's form.

    There are no such pages where no provider is set.
    """

    def __init__(self, entrance: Entrance, sign_in_page: Callable[[Visit, int], Response]) -> None:
        self._openid = entrance.openid
        self._sign_in = entrance.sign_in
        self._sign_in_page = sign_in_page

    def table(self) -> list[Page]:
        if self._openid is None:
            return []
        return [Page(OPENID_PATH, self.there), Page(f"{OPENID_PATH}/back", self.back)]

    def there(self, visit: Visit) -> Response:
        openid = self._required()
        if not visit.is_private:
            return visit.redirect("/sign-in")
        wanted = visit.query.get("next", "")
        try:
            errand, address = openid.begin(redirect_uri=_back(visit))
        except (OpenIdError, UnavailableError):
            return self._refused(visit, _NOT_THERE)
        response = RedirectResponse(address, status_code=303)
        kept = [errand.state, errand.nonce, errand.verifier, wanted if is_local_path(wanted) else "/"]
        value = base64.urlsafe_b64encode(json.dumps(kept).encode()).decode()
        signed = f"{value}.{visit.cookies.signature(ERRAND_COOKIE, value)}"
        visit.cookies.set(response, ERRAND_COOKIE, signed, max_age_s=_ERRAND_S)
        return response

    def back(self, visit: Visit) -> Response:
        openid = self._required()
        value, _, signature = visit.cookies.read(visit.request, ERRAND_COOKIE).partition(".")
        if not value or not visit.is_private or not visit.cookies.is_signed(ERRAND_COOKIE, value, signature):
            return self._refused(visit, _NOT_VOUCHED)
        state, nonce, verifier, wanted = json.loads(base64.urlsafe_b64decode(value))
        try:
            vouched = openid.finish(Errand(state, nonce, verifier), dict(visit.query), redirect_uri=_back(visit))
            opened = self._sign_in.with_identity(
                vouched.identity,
                device=visit.request.headers.get("user-agent", ""),
                is_strong=vouched.is_strong,
                address=visit.address,
            )
        except OpenIdError:
            response = self._refused(visit, _NOT_VOUCHED)
        except UnavailableError:
            response = self._refused(visit, _NOT_THERE)
        except WrongCredentialsError:
            response = self._refused(visit, _NOT_LINKED)
        else:
            response = entered(visit, opened, wanted)
        # It has served, whatever came of it.
        visit.cookies.drop(response, ERRAND_COOKIE)
        return response

    def _refused(self, visit: Visit, why: str) -> Response:
        visit.form.fail("", why)
        return self._sign_in_page(visit, 403)

    def _required(self) -> OpenId:
        if self._openid is None:
            raise ValueError("there are no pages for a provider that isn't set")
        return self._openid


def _back(visit: Visit) -> str:
    """Where the provider sends the browser; one of the addresses that the provider was told, or it refuses."""
    return f"{visit.origin}{OPENID_PATH}/back"
