"""How hard a password is to guess, told while it is typed: for whoever is about to set one, and for nobody else.

`static/password.js` asks with what stands in the field; the answer is a number and a sentence. The same judgement
refuses a weak password when the form is sent, so that a browser without JavaScript misses nothing but the warning. What
is asked about is neither logged nor kept, and rated only while nobody else's is: typing costs the service little.
"""

from starlette.responses import JSONResponse, Response

from recognizance.errors import NotFoundError
from recognizance.governing.account_documents import Stage
from recognizance.governing.entrance import Entrance
from recognizance.governing.passwords import LONGEST, strength_if_free
from recognizance.web.frame import Page
from recognizance.web.passwords import verdict
from recognizance.web.visits import Visit

STRENGTH_PATH = "/password-strength"


class StrengthPages:
    def __init__(self, entrance: Entrance) -> None:
        self._accounts = entrance.accounts
        self._set_up = entrance.set_up

    def table(self) -> list[Page]:
        return [Page(STRENGTH_PATH, self.strength, has_form=True)]

    def strength(self, visit: Visit) -> Response:
        """A number from 0 to 4 and a sentence; no answer (204) while another is being rated."""
        if not visit.is_post:
            return visit.redirect("/account/password")
        personal = self._personal(visit)
        password = visit.form.raw("password")[: LONGEST + 1]
        strength = strength_if_free(password, personal=personal)
        if strength is None:
            return Response(status_code=204)
        said = {"score": strength.score, "is_taken": strength.flaw is None, "said": visit.gettext(verdict(strength))}
        return JSONResponse(said, headers={"Cache-Control": "no-store"})

    def _personal(self, visit: Visit) -> tuple[str, ...]:
        """What an attacker would try first of whoever is about to set a password.

        Raises:
            NotFoundError: If nobody is.
        """
        who = visit.signed_in or visit.half_way
        if who is not None and who.stage is not Stage.SECOND_FACTOR:
            return who.name, who.login
        invited = self._accounts.invited(visit.form.raw("invitation")) if visit.is_private else None
        if invited is not None:
            return invited.name, invited.login
        if self._set_up.is_due and visit.is_private:
            return (visit.form.raw("login"),)
        raise NotFoundError("nobody sets a password here")
