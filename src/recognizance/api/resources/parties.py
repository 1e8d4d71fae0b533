"""Agencies, people, programs and their training."""

from dataclasses import dataclass
from datetime import date

from recognizance.api.forms import Day, Name, form
from recognizance.api.routes import Call, Method, Nothing, Repeat, Route, Who
from recognizance.api.services import PageQuery, Services
from recognizance.documents import Standing
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
from recognizance.identifiers import PrincipalId


@form
class AgencyForm:
    """An agency to register; all of it is public.

    Attributes:
        accountable_person: Who answers for it: name and office.
        contact: Where the public reaches it about this.
    """

    agency: Name
    kind: AgencyKind
    name: Name
    accountable_person: Name
    contact: Name


@dataclass(frozen=True, slots=True)
class AgencyView:
    """An agency."""

    agency: str
    kind: AgencyKind
    name: str
    accountable_person: str
    contact: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class AgencyPage:
    """Agencies by id.

    Attributes:
        next_page: The page_token of the next page; null on the last one.
    """

    agencies: tuple[AgencyView, ...]
    next_page: str | None


@form
class AgencyStandingForm:
    """Whether an agency takes part.

    Attributes:
        reason: Public.
    """

    standing: Standing
    reason: Name


@form
class PersonForm:
    """Somebody to register.

    Attributes:
        name: Kept sealed, never published.
        agency: Null for overseers, and for administrators and auditors from outside.
        interests: Agencies that an overseer is too close to.
    """

    name: Name
    roles: frozenset[Role]
    agency: Name | None = None
    interests: frozenset[Name] = frozenset()


@dataclass(frozen=True, slots=True)
class TrainingView:
    """A course that somebody passed; `expires` is the last day on which it counts."""

    course: str
    completed: date
    expires: date


@dataclass(frozen=True, slots=True)
class PersonView:
    """Somebody, with their name: for those who register people.

    Attributes:
        person: The pseudonym that the record knows them by.
    """

    person: str
    name: str
    agency: str | None
    roles: tuple[Role, ...]
    interests: tuple[str, ...]
    trainings: tuple[TrainingView, ...]
    standing: Standing


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """People by pseudonym."""

    people: tuple[PersonView, ...]
    next_page: str | None


@dataclass(frozen=True, slots=True)
class Registered:
    """A pseudonym that was drawn for somebody, or a program's id."""

    id: str


@form
class StandingForm:
    """Whether somebody takes part, from the next request on."""

    standing: Standing


@form
class TrainingForm:
    """A course that somebody passed.

    Attributes:
        expires: The last day on which it counts.
        certificate: What proves it; committed to, not published.
    """

    course: Name
    completed: Day
    expires: Day
    certificate: Name


@form
class ProgramForm:
    """A program of an agency, which searches and enrols and judges nothing."""

    name: Name
    agency: Name


@dataclass(frozen=True, slots=True)
class ProgramView:
    """A program."""

    program: str
    name: str
    agency: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class ProgramPage:
    """Programs by id."""

    programs: tuple[ProgramView, ...]
    next_page: str | None


def list_agencies(services: Services, call: Call[Nothing, PageQuery]) -> AgencyPage:
    known = services.governing.registration.agencies()
    page, token = services.page("list_agencies", known, lambda each: each[0].id, call.query)
    return AgencyPage(
        tuple(
            AgencyView(each.id, each.kind, each.name, each.accountable_person, each.contact, standing)
            for each, standing in page
        ),
        token,
    )


def add_agency(services: Services, call: Call[AgencyForm, Nothing]) -> AgencyView:
    form = call.body
    agency = Agency(AgencyId(form.agency), form.kind, form.name, form.accountable_person, form.contact)
    services.governing.registration.add_agency(agency, by=call.actor)
    return AgencyView(form.agency, form.kind, form.name, form.accountable_person, form.contact, Standing.ACTIVE)


def set_agency_standing(services: Services, call: Call[AgencyStandingForm, Nothing]) -> Nothing:
    services.governing.registration.set_agency_standing(
        AgencyId(call.path["agency"]), call.body.standing, reason=call.body.reason, by=call.actor
    )
    return Nothing()


def list_people(services: Services, call: Call[Nothing, PageQuery]) -> PeoplePage:
    services.require(call.actor, Act.MANAGE_PEOPLE)
    known = services.governing.registration.people()
    page, token = services.page("list_people", known, lambda each: each[0].person.id, call.query)
    return PeoplePage(
        tuple(
            PersonView(
                record.person.id,
                record.name,
                record.person.agency,
                tuple(sorted(record.person.roles)),
                tuple(sorted(record.person.interests)),
                tuple(TrainingView(each.course, each.completed, each.expires) for each in record.person.trainings),
                standing,
            )
            for record, standing in page
        ),
        token,
    )


def add_person(services: Services, call: Call[PersonForm, Nothing]) -> Registered:
    form = call.body
    person = services.governing.registration.add_person(
        form.name,
        agency=None if form.agency is None else AgencyId(form.agency),
        roles=form.roles,
        interests=frozenset(AgencyId(each) for each in form.interests),
        by=call.actor,
    )
    return Registered(person.id)


def set_person_standing(services: Services, call: Call[StandingForm, Nothing]) -> Nothing:
    person = PersonId(PrincipalId(call.path["person"]))
    services.governing.registration.set_person_standing(person, call.body.standing, by=call.actor)
    return Nothing()


def add_training(services: Services, call: Call[TrainingForm, Nothing]) -> Nothing:
    form = call.body
    services.governing.registration.add_training(
        PersonId(PrincipalId(call.path["person"])),
        Training(CourseId(form.course), form.completed, form.expires),
        certificate=form.certificate,
        by=call.actor,
    )
    return Nothing()


def list_programs(services: Services, call: Call[Nothing, PageQuery]) -> ProgramPage:
    services.require(call.actor, Act.MANAGE_PEOPLE)
    known = services.governing.registration.programs()
    page, token = services.page("list_programs", known, lambda each: each[0].id, call.query)
    return ProgramPage(tuple(ProgramView(each.id, each.name, each.agency, standing) for each, standing in page), token)


def add_program(services: Services, call: Call[ProgramForm, Nothing]) -> Registered:
    program = services.governing.registration.add_program(
        call.body.name, agency=AgencyId(call.body.agency), by=call.actor
    )
    return Registered(program.id)


ROUTES = (
    Route(
        "list_agencies",
        Method.GET,
        "/agencies",
        "List the agencies.",
        list_agencies,
        AgencyPage,
        Who.ANYBODY,
        query=PageQuery,
    ),
    Route(
        "add_agency",
        Method.POST,
        "/agencies",
        "Register an agency.",
        add_agency,
        AgencyView,
        act=Act.REGISTER_AGENCY,
        body=AgencyForm,
        status=201,
    ),
    Route(
        "set_agency_standing",
        Method.PUT,
        "/agencies/{agency}/standing",
        "Suspend an agency, or let it resume.",
        set_agency_standing,
        Nothing,
        act=Act.REGISTER_AGENCY,
        body=AgencyStandingForm,
    ),
    Route(
        "list_people",
        Method.GET,
        "/people",
        "List people with their names.",
        list_people,
        PeoplePage,
        act=Act.MANAGE_PEOPLE,
        query=PageQuery,
    ),
    Route(
        "add_person",
        Method.POST,
        "/people",
        "Register somebody.",
        add_person,
        Registered,
        act=Act.MANAGE_PEOPLE,
        body=PersonForm,
        status=201,
        repeat=Repeat.KEYED,
        kept=True,
    ),
    Route(
        "set_person_standing",
        Method.PUT,
        "/people/{person}/standing",
        "Suspend or dismiss somebody, or let them resume.",
        set_person_standing,
        Nothing,
        act=Act.MANAGE_PEOPLE,
        body=StandingForm,
    ),
    Route(
        "add_training",
        Method.POST,
        "/people/{person}/trainings",
        "Record that somebody passed a course.",
        add_training,
        Nothing,
        act=Act.MANAGE_PEOPLE,
        body=TrainingForm,
        repeat=Repeat.KEYED,
        kept=True,
    ),
    Route(
        "list_programs",
        Method.GET,
        "/programs",
        "List programs.",
        list_programs,
        ProgramPage,
        act=Act.MANAGE_PEOPLE,
        query=PageQuery,
    ),
    Route(
        "add_program",
        Method.POST,
        "/programs",
        "Register a program of an agency.",
        add_program,
        Registered,
        act=Act.MANAGE_PEOPLE,
        body=ProgramForm,
        status=201,
        repeat=Repeat.KEYED,
        kept=True,
    ),
)
