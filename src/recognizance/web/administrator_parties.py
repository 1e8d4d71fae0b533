"""Pages about who takes part: agencies, people with their training, programs.

Lists of people have their names in them, so the page asks for the right to manage people before it reads any; changes
ask the policy in the service. Implements docs/administration.md.
"""

from typing import Any

from starlette.responses import Response

from recognizance.documents import PersonRecord, Standing
from recognizance.errors import InputError, NotFoundError
from recognizance.governance import Act
from recognizance.governance.parties import (
    Agency,
    AgencyId,
    AgencyKind,
    CourseId,
    PersonId,
    Role,
    Training,
)
from recognizance.governing.installation import Governing
from recognizance.governing.registration import AGENCY_ID
from recognizance.identifiers import PrincipalId
from recognizance.web.administrator_words import AGENCY_KINDS, STANDINGS
from recognizance.web.frame import Page, only
from recognizance.web.language import N_
from recognizance.web.visits import Message, Tone, Visit
from recognizance.web.wordings import ROLE_NAMES

_ADMINISTRATORS = only(Role.ADMINISTRATOR)
_WORDS: dict[str, Any] = {"agency_kinds": AGENCY_KINDS, "standings": STANDINGS, "role_names": ROLE_NAMES}
_NO_AGENCY = ""


class AdministratorPartiesPages:
    def __init__(self, governing: Governing) -> None:
        self._registration = governing.registration
        self._gate = governing.gate

    def table(self) -> list[Page]:
        return [
            Page("/administration", self.overview, _ADMINISTRATORS, navigation=N_("Administration")),
            Page("/administration/agencies", self.agencies, _ADMINISTRATORS, has_form=True),
            Page("/administration/agencies/{agency}", self.agency, _ADMINISTRATORS, has_form=True),
            Page("/administration/people", self.people, _ADMINISTRATORS, has_form=True),
            Page("/administration/people/{person}", self.person, _ADMINISTRATORS, has_form=True),
            Page("/administration/people/{person}/training", self.train, _ADMINISTRATORS, has_form=True),
            Page("/administration/programs", self.programs, _ADMINISTRATORS, has_form=True),
        ]

    def overview(self, visit: Visit) -> Response:
        return visit.page("administrator/overview.html")

    def agencies(self, visit: Visit) -> Response:
        form = visit.form
        if visit.is_post:
            kind, agency = form.choice("kind", AgencyKind), form.text("agency", most=255)
            name, contact = form.text("name", most=400), form.text("contact", most=400)
            accountable = form.text("accountable_person", most=400)
            if agency and AGENCY_ID.fullmatch(agency) is None:
                form.fail(
                    "agency", N_("It has 1 to 64 letters, digits and . _ -, and begins with a letter or a digit.")
                )
            if kind is not None and form.is_sound:
                self._registration.add_agency(
                    Agency(AgencyId(agency), kind, name, accountable, contact), by=visit.actor()
                )
                visit.say(visit.gettext("Registered, and public."))
                return visit.redirect("/administration/agencies")
        return visit.page(
            "administrator/agencies.html",
            status=_status(visit),
            agencies=self._registration.agencies(),
            **_chosen(visit, []),
        )

    def agency(self, visit: Visit) -> Response:
        """One agency; the form suspends it with all its people, or lets it resume."""
        wanted = visit.path["agency"]
        known = next((each for each in self._registration.agencies() if each[0].id == wanted), None)
        if known is None:
            raise NotFoundError("there is no such agency")
        agency, standing = known
        if visit.is_post:
            chosen, reason = visit.form.choice("standing", Standing), visit.form.text("reason", most=400)
            if chosen is not None and visit.form.is_sound:
                self._registration.set_agency_standing(agency.id, chosen, reason=reason, by=visit.actor())
                visit.say(visit.gettext("Done, from the next request on."))
                return visit.redirect(f"/administration/agencies/{agency.id}")
        return visit.page(
            "administrator/agency.html", status=_status(visit), agency=agency, standing=standing, **_chosen(visit, [])
        )

    def people(self, visit: Visit) -> Response:
        self._gate.require(visit.actor(), Act.MANAGE_PEOPLE)
        agencies = [agency for agency, _ in self._registration.agencies()]
        form = visit.form
        if visit.is_post:
            name, roles = form.text("name", most=400), form.choices("roles", Role)
            agency = form.one_of("agency", [_NO_AGENCY, *(each.id for each in agencies)])
            interests = frozenset(map(AgencyId, form.every("interests"))) & {each.id for each in agencies}
            if not roles:
                form.fail("roles", N_("Choose one role at least."))
            if form.is_sound:
                try:
                    person = self._registration.add_person(
                        name,
                        agency=AgencyId(agency) if agency else None,
                        roles=roles,
                        interests=interests,
                        by=visit.actor(),
                    )
                except InputError as error:
                    form.fail("roles", N_("These roles, or this agency, don't go together."))
                    visit.messages.append(Message(Tone.WARNING, visit.in_words(error)))
                else:
                    visit.say(visit.gettext("Registered under a pseudonym. Give them an account or a key next."))
                    return visit.redirect(f"/administration/people/{person.id}")
        wanted = visit.query.get("name", "").strip()[:400]
        people = sorted(self._registration.people(), key=lambda each: each[0].name.casefold())
        return visit.page(
            "administrator/people.html",
            status=_status(visit),
            people=[each for each in people if wanted.casefold() in each[0].name.casefold()],
            wanted=wanted,
            **_chosen(visit, agencies),
        )

    def person(self, visit: Visit) -> Response:
        """One person; the form suspends or dismisses them, or lets them resume."""
        record, standing = self._person(visit)
        if visit.is_post:
            chosen = visit.form.choice("standing", Standing)
            if chosen is not None:
                self._registration.set_person_standing(record.person.id, chosen, by=visit.actor())
                visit.say(visit.gettext("Done, from the next request on."))
                return visit.redirect(f"/administration/people/{record.person.id}")
        return visit.page(
            "administrator/person.html", status=_status(visit), record=record, standing=standing, **_chosen(visit, [])
        )

    def train(self, visit: Visit) -> Response:
        record, _ = self._person(visit)
        form = visit.form
        if visit.is_post:
            course, certificate = form.text("course", most=255), form.text("certificate", most=400)
            completed, expires = form.day("completed"), form.day("expires")
            if completed and expires and expires < completed:
                form.fail("expires", N_("It can't end before it was completed."))
            if completed is not None and expires is not None and form.is_sound:
                self._registration.add_training(
                    record.person.id,
                    Training(CourseId(course), completed, expires),
                    certificate=certificate,
                    by=visit.actor(),
                )
                visit.say(visit.gettext("The training is on the record."))
                return visit.redirect(f"/administration/people/{record.person.id}")
        return visit.page("administrator/training.html", status=_status(visit), record=record)

    def programs(self, visit: Visit) -> Response:
        self._gate.require(visit.actor(), Act.MANAGE_PEOPLE)
        agencies = [agency for agency, _ in self._registration.agencies()]
        if visit.is_post:
            name = visit.form.text("name", most=400)
            agency = visit.form.one_of("agency", [each.id for each in agencies])
            if visit.form.is_sound:
                self._registration.add_program(name, agency=AgencyId(agency), by=visit.actor())
                visit.say(visit.gettext("Registered. Draw a key for it next."))
                return visit.redirect("/administration/programs")
        return visit.page(
            "administrator/programs.html",
            status=_status(visit),
            programs=self._registration.programs(),
            **_chosen(visit, agencies),
        )

    def _person(self, visit: Visit) -> tuple[PersonRecord, Standing]:
        self._gate.require(visit.actor(), Act.MANAGE_PEOPLE)
        wanted = PersonId(PrincipalId(visit.path["person"]))
        known = next((each for each in self._registration.people() if each[0].person.id == wanted), None)
        if known is None:
            raise NotFoundError("there is nobody of this pseudonym")
        return known


def _chosen(visit: Visit, agencies: list[Agency]) -> dict[str, Any]:
    """What forms offer, in the reader's language."""
    return {
        "agency_kind_choices": [(each.value, visit.gettext(text)) for each, text in AGENCY_KINDS.items()],
        "standing_choices": [(each.value, visit.gettext(text), "") for each, text in STANDINGS.items()],
        "role_choices": [(each.value, visit.gettext(text), "") for each, text in ROLE_NAMES.items()],
        "agency_choices": [(each.id, each.name) for each in agencies],
        "interest_choices": [(each.id, each.name, "") for each in agencies],
        **_WORDS,
    }


def _status(visit: Visit) -> int:
    return 422 if visit.form.errors else 200
