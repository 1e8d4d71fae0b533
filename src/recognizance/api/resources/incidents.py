"""Incidents: what went wrong, in public at once, and that it reached an overseer."""

from dataclasses import dataclass
from datetime import datetime

from recognizance.api.forms import Count, Moment, Name, PageSize, Text, form
from recognizance.api.routes import Call, Method, Nothing, Repeat, Route
from recognizance.api.services import PageQuery, Services
from recognizance.governance import Act
from recognizance.governance.parties import AgencyId
from recognizance.governing.incidents import Incident, ReportedIncident
from recognizance.ledger import EntryId
from recognizance.ledger.facts import Occurrence


@form
class IncidentForm:
    """Something that went wrong; all of it is public at once, so it names nobody.

    Attributes:
        discovered: When somebody first knew.
        agency: Whose doing it was; null for the whole service's, or nobody's.
        about: The ledger entry that it concerns, such as a search.
    """

    occurrence: Occurrence
    discovered: Moment
    statement: Text
    agency: Name | None = None
    about: Name | None = None
    people_affected: Count | None = None


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An incident on the record.

    Attributes:
        incident: Its ledger entry's id.
        due: When it has to have reached an overseer; null for what isn't a violation or a breach.
        received: When an overseer said that it had.
        late: Whether it reached nobody in time.
    """

    incident: str
    occurrence: Occurrence
    discovered: datetime
    statement: str
    agency: str | None
    about: str | None
    people_affected: int | None
    reported: datetime
    due: datetime | None
    received: datetime | None
    late: bool


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """Incidents by id. `late` names those that reached nobody in time, whatever page they are on."""

    incidents: tuple[IncidentView, ...]
    late: tuple[str, ...]
    next_page: str | None


@form
class IncidentQuery:
    """Which incidents: all, or those that wait for an overseer."""

    waiting: bool = False
    page_size: PageSize = 50
    page_token: str | None = None


@form
class NoticeForm:
    """What an overseer thinks of an incident that has reached them, and what follows from it; public."""

    statement: Text


def report_incident(services: Services, call: Call[IncidentForm, Nothing]) -> IncidentView:
    form = call.body
    incident = Incident(
        form.occurrence,
        form.discovered,
        form.statement,
        agency=None if form.agency is None else AgencyId(form.agency),
        about=None if form.about is None else EntryId(form.about),
        people_affected=form.people_affected,
    )
    reported, _ = services.governing.incidents.report(incident, by=call.actor)
    return _incident(reported, services.clock())


def list_incidents(services: Services, call: Call[Nothing, IncidentQuery]) -> IncidentPage:
    query, now = call.query, services.clock()
    known = services.governing.incidents.list(waiting=query.waiting, by=call.actor)
    page, token = services.page(
        "list_incidents",
        known,
        lambda each: each.id,
        PageQuery(query.page_size, query.page_token),
        within=str(query.waiting),
    )
    late = tuple(each.id for each in known if each.is_late_at(now))
    return IncidentPage(tuple(_incident(each, now) for each in page), late, token)


def receive_incident(services: Services, call: Call[NoticeForm, Nothing]) -> IncidentView:
    received = services.governing.incidents.receive(call.path["incident"], call.body.statement, by=call.actor)
    return _incident(received, services.clock())


def _incident(reported: ReportedIncident, now: datetime) -> IncidentView:
    incident = reported.incident
    return IncidentView(
        incident=reported.id,
        occurrence=incident.occurrence,
        discovered=incident.discovered,
        statement=incident.statement,
        agency=incident.agency,
        about=incident.about,
        people_affected=incident.people_affected,
        reported=reported.reported,
        due=incident.due,
        received=reported.received,
        late=reported.is_late_at(now),
    )


ROUTES = (
    Route(
        "report_incident",
        Method.POST,
        "/incidents",
        "Report that something went wrong; public at once.",
        report_incident,
        IncidentView,
        act=Act.REPORT_INCIDENT,
        body=IncidentForm,
        status=201,
        repeat=Repeat.KEYED,
        kept=True,
    ),
    Route(
        "list_incidents",
        Method.GET,
        "/incidents",
        "List what went wrong.",
        list_incidents,
        IncidentPage,
        act=Act.REPORT_INCIDENT,
        query=IncidentQuery,
    ),
    Route(
        "receive_incident",
        Method.POST,
        "/incidents/{incident}/notice",
        "Say as an overseer that an incident has reached one.",
        receive_incident,
        IncidentView,
        act=Act.PUBLISH_OVERSIGHT,
        body=NoticeForm,
    ),
)
