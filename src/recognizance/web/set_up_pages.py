"""Pages of the first start: which rules, who answers for the service, the first account, and what comes next.

Each step takes the code that the server printed, so a stranger who finds the pages first does nothing here. The profile
can be chosen only where nobody has chosen it and nothing has begun; the server then starts again with it and prints
another code. In the two stricter profiles nobody gets an account before it is public who operates the service. Decides
nothing itself: `governing.entrance.SetUp` does. Implements docs/sign-in.md, "The first account".
"""

from typing import Any

from starlette.responses import Response

from recognizance.errors import ConflictError, InputError
from recognizance.governance.parties import Role
from recognizance.governance.profiles import ProfileName
from recognizance.governance.purposes import Purpose
from recognizance.governing.accounts import WeakPasswordError
from recognizance.governing.entrance import Entrance, WrongCodeError
from recognizance.governing.installation import Governing
from recognizance.governing.passwords import SHORTEST
from recognizance.governing.publishing import DeploymentStatement
from recognizance.governing.registration import at_the_machine
from recognizance.register import LiveRegister
from recognizance.web.frame import SIGNED_IN, Page
from recognizance.web.language import N_
from recognizance.web.overseer_words import PURPOSES
from recognizance.web.passwords import new_password, why
from recognizance.web.signing_in_pages import SET_UP_PATH, entered
from recognizance.web.visits import Visit
from recognizance.web.wordings import PROFILE_NAMES

NEXT_STEPS_PATH = "/next-steps"
WRONG_SET_UP_CODE = N_("This is not the code that the server printed when it started.")
_NO_LOGIN = N_("A login has no spaces: an e-mail address, or a short name.")
_TOO_LATE = N_("The rules were chosen, or something has begun under them. They stay as they are.")
_LONGEST = 2_000

PROFILE_HINTS = {
    ProfileName.PRIVATE: N_("You search among your own photographs. Every search is on the record all the same."),
    ProfileName.ORGANISATION: N_(
        "Uses are proposed, voted on by overseers and expire. Everybody signs in as themselves."
    ),
    ProfileName.LAW_ENFORCEMENT: N_(
        "As for an organisation, and more: a second factor, two independent reviews before anything is a lead, cases"
        " and offences, training that expires."
    ),
}


class SetUpPages:
    def __init__(self, entrance: Entrance, governing: Governing, register: LiveRegister) -> None:
        self._set_up = entrance.set_up
        self._sign_in = entrance.sign_in
        self._profile = governing.profile.name
        self._publishing = governing.publishing
        self._register = register

    def table(self) -> list[Page]:
        return [
            Page(SET_UP_PATH, self.set_up, has_form=True),
            Page(NEXT_STEPS_PATH, self.next_steps, SIGNED_IN),
        ]

    def set_up(self, visit: Visit) -> Response:
        if not self._set_up.is_due:
            return visit.redirect("/sign-in")
        if not visit.is_private:
            return visit.page("set_up_elsewhere.html", status=403)
        # What was chosen on the page counts at the next start, which is under way.
        if self._set_up.wanted is not None:
            return visit.page("set_up_chosen.html", profile=PROFILE_NAMES[self._set_up.wanted])
        return self._choice(visit) if self._set_up.takes_profile else self._account(visit)

    def _choice(self, visit: Visit) -> Response:
        if visit.is_post:
            code, profile = visit.form.text("code"), visit.form.choice("profile", ProfileName)
            if visit.form.is_sound and profile is not None:
                try:
                    self._set_up.choose(code, profile, address=visit.address)
                except WrongCodeError:
                    visit.form.fail("code", WRONG_SET_UP_CODE)
                except ConflictError:
                    visit.form.fail("profile", _TOO_LATE)
                else:
                    return visit.page("set_up_chosen.html", profile=PROFILE_NAMES[profile])
        return visit.page(
            "set_up_profile.html",
            status=422 if visit.form.errors else 200,
            profiles=[
                (each.value, visit.gettext(PROFILE_NAMES[each]), visit.gettext(PROFILE_HINTS[each]))
                for each in ProfileName
            ],
        )

    def _account(self, visit: Visit) -> Response:
        needs_deployment = self._needs_deployment()
        if visit.is_post:
            code, login, password = visit.form.text("code"), visit.form.text("login"), new_password(visit.form)
            statement = _statement(visit) if needs_deployment else None
            if visit.form.is_sound:
                response = self._made(visit, code, login, password, statement)
                if response is not None:
                    return response
        given: dict[str, Any] = {
            "profile": PROFILE_NAMES[self._profile],
            "shortest": SHORTEST,
            "needs_deployment": needs_deployment,
            "purposes": [(each.value, visit.gettext(PURPOSES[each]), "") for each in Purpose],
        }
        return visit.page("set_up.html", status=422 if visit.form.errors else 200, **given)

    def _made(
        self, visit: Visit, code: str, login: str, password: str, statement: DeploymentStatement | None
    ) -> Response | None:
        try:
            self._set_up.check(code, login, password, address=visit.address)
            if statement is not None:
                # Whoever has the code reads the console, as whoever types commands on the machine does.
                self._publishing.deployment(statement, by=at_the_machine())
            account = self._set_up.first_account(code, login, password, address=visit.address)
        except WrongCodeError:
            visit.form.fail("code", WRONG_SET_UP_CODE)
        except WeakPasswordError as error:
            visit.form.fail("password", why(error.flaw, error.weakness))
        except ConflictError:
            return visit.redirect("/sign-in")
        except InputError:
            visit.form.fail("login", _NO_LOGIN)
        else:
            visit.say(visit.gettext("The first account is made. You are signed in with it."))
            device = visit.request.headers.get("user-agent", "")
            opened = self._sign_in.trusted(account.person, device=device, address=visit.address)
            return entered(visit, opened, NEXT_STEPS_PATH)
        return None

    def next_steps(self, visit: Visit) -> Response:
        return visit.page(
            "next_steps.html",
            is_private=self._profile is ProfileName.PRIVATE,
            is_administrator=visit.has_role(Role.ADMINISTRATOR),
            is_supervisor=visit.has_role(Role.SUPERVISOR),
            is_overseer=visit.has_role(Role.OVERSEER),
            has_second_factor=visit.who.has_second_factor,
        )

    def _needs_deployment(self) -> bool:
        """Whether it has to be public who operates the service, and isn't."""
        return self._profile is not ProfileName.PRIVATE and not self._register.register().deployment.statements


def _statement(visit: Visit) -> DeploymentStatement | None:
    form = visit.form
    purposes = form.choices("purposes", Purpose)
    if not purposes:
        form.fail("purposes", N_("Choose one of the answers."))
    statement = DeploymentStatement(
        operator=form.text("operator", most=_LONGEST),
        accountable_person=form.text("accountable_person", most=_LONGEST),
        contact=form.text("contact", most=_LONGEST),
        legal_basis=form.text("legal_basis", most=_LONGEST),
        purposes=purposes,
    )
    return statement if form.is_sound else None
