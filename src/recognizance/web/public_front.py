"""The front page: what this installation is, who runs it, who may use it for what, how to ask, how to check.

What it says of the operator is what the operator stated on the record; where they stated nothing, it says that.
"""

from collections.abc import Callable

from starlette.responses import Response

from recognizance.governance.profiles import ProfileName
from recognizance.governance.uses import SEARCHABLE, UseState
from recognizance.governing.registration import Registration
from recognizance.governing.uses import Uses
from recognizance.register import LiveRegister
from recognizance.register.figures import ALL_AGENCIES
from recognizance.web.frame import Page
from recognizance.web.overseer_words import PURPOSES
from recognizance.web.public_register import by_month, month_bars
from recognizance.web.visits import Visit
from recognizance.web.wordings import PROFILE_NAMES

_MONTHS = 6


class FrontPages:
    def __init__(
        self,
        uses: Uses,
        registration: Registration,
        register: LiveRegister,
        profile: ProfileName,
        *,
        set_up_is_due: Callable[[], bool],
    ) -> None:
        self._uses = uses
        self._registration = registration
        self._register = register
        self._profile = profile
        self._set_up_is_due = set_up_is_due

    def table(self) -> list[Page]:
        return [Page("/", self.front)]

    def front(self, visit: Visit) -> Response:
        register = self._register.register()
        uses = [each.use for each in self._uses.list()]
        names = {agency.id: agency.name for agency, _ in self._registration.agencies()}
        statements = register.deployment.statements
        return visit.page(
            "public/front.html",
            set_up_is_due=self._set_up_is_due(),
            statement=statements[-1] if statements else None,
            is_private_profile=self._profile is ProfileName.PRIVATE,
            profile=PROFILE_NAMES[self._profile],
            uses=[use for use in uses if use.state in SEARCHABLE],
            consultations=[use for use in uses if use.state is UseState.PROPOSED],
            names=names,
            purposes=PURPOSES,
            searches=month_bars(by_month(register.use.figures, "searches", ALL_AGENCIES)[-_MONTHS:], visit.wording),
            entries=register.entries,
        )
