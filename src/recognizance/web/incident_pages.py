"""Incidents: whoever works with the service reports what went wrong, and sees the clock that runs from then on.

A report is public before its reporter is answered, which the page says first. The clock is the one of
`governing.incidents`: a violation or a breach has to reach an overseer within 24 hours of its discovery, which an
overseer says on a page of their own. Implements docs/publishing.md, "Incidents".
"""

import re
from datetime import UTC, datetime, time, timedelta

from starlette.responses import Response

from recognizance.errors import InputError
from recognizance.galleries import Clock
from recognizance.governance.parties import AgencyId, Role
from recognizance.governing.incidents import Incident, Incidents, ReportedIncident
from recognizance.governing.registration import Registration
from recognizance.ledger import EntryId
from recognizance.ledger.facts import Occurrence
from recognizance.web.forms import Form
from recognizance.web.frame import Page, only
from recognizance.web.language import N_
from recognizance.web.overseer_words import OCCURRENCES
from recognizance.web.visits import Message, Tone, Visit

_REPORTERS = only(*(role for role in Role if role is not Role.TESTER))
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
MOST_PEOPLE = 10**9

HINTS = {
    Occurrence.VIOLATION: N_("Somebody did what the rules don't allow. It has to reach an overseer within 24 hours."),
    Occurrence.BREACH: N_("Data was lost or read by others. It has to reach an overseer within 24 hours."),
    Occurrence.OUTAGE: N_("The service didn't answer."),
    Occurrence.ERROR: N_("The service did something wrong."),
}


class IncidentPages:
    """Args: clock: For the hours that are left; services have their own."""

    def __init__(self, incidents: Incidents, registration: Registration, *, clock: Clock) -> None:
        self._incidents = incidents
        self._registration = registration
        self._clock = clock

    def table(self) -> list[Page]:
        return [
            Page("/incidents", self.all, _REPORTERS, navigation=N_("Incidents")),
            Page("/incidents/report", self.report, _REPORTERS, has_form=True),
        ]

    def all(self, visit: Visit) -> Response:
        now = self._clock()
        known = self._incidents.list(by=visit.actor())
        return visit.page(
            "publishing/incidents.html",
            incidents=[(each, _hours_left(each, now)) for each in known],
            now=now,
            occurrences=OCCURRENCES,
        )

    def report(self, visit: Visit) -> Response:
        if visit.is_post:
            incident = self._read(visit)
            if incident is not None:
                try:
                    reported, _ = self._incidents.report(incident, by=visit.actor())
                except InputError as error:
                    visit.messages.append(Message(Tone.WARNING, visit.in_words(error)))
                    visit.form.fail("", N_("Nothing was published. What is wrong stands above."))
                else:
                    visit.say(_said(visit, reported))
                    return visit.redirect("/incidents")
        elif not visit.form.values:
            now = self._clock()
            visit.form = Form({"day": (now.date().isoformat(),), "time": (f"{now:%H:%M}",)})
        return visit.page(
            "publishing/incident.html",
            status=422 if visit.form.errors else 200,
            occurrence_choices=[
                (each.value, visit.gettext(text), visit.gettext(HINTS[each])) for each, text in OCCURRENCES.items()
            ],
            agency_choices=[("", visit.gettext(N_("the whole service, or nobody"))), *self._agencies(visit)],
        )

    def _read(self, visit: Visit) -> Incident | None:
        form = visit.form
        occurrence, statement = form.choice("occurrence", Occurrence), form.text("statement", most=4000)
        discovered = _discovered(form)
        agency = form.one_of("agency", ["", *(value for value, _ in self._agencies(visit))])
        about, affected = form.optional("about", most=64), None
        if form.raw("people_affected").strip():
            affected = form.whole_number("people_affected", low=0, high=MOST_PEOPLE)
        if occurrence is None or discovered is None or not form.is_sound:
            return None
        return Incident(
            occurrence,
            discovered,
            statement.replace("\r\n", "\n"),
            AgencyId(agency) if agency else None,
            EntryId(about) if about else None,
            affected,
        )

    def _agencies(self, visit: Visit) -> list[tuple[str, str]]:
        """One's own agency; all of them for those who belong to none."""
        own = visit.who.agency
        known = [(agency.id, agency.name) for agency, _ in self._registration.agencies()]
        return [(value, name) for value, name in known if own is None or value == own]


def _discovered(form: Form) -> datetime | None:
    day, text = form.day("day"), form.raw("time").strip()
    found = _TIME.fullmatch(text)
    if found is None:
        form.fail("time", N_("This is no time of the day. Write it as hours and minutes, such as 14:05."))
        return None
    return None if day is None else datetime.combine(day, time(int(found[1]), int(found[2])), UTC)


def _hours_left(reported: ReportedIncident, now: datetime) -> int | None:
    """Whole hours until the deadline; `None` where none runs, or where it has passed."""
    left = reported.time_left_at(now)
    return None if left is None or left < timedelta(0) else left // timedelta(hours=1)


def _said(visit: Visit, reported: ReportedIncident) -> str:
    due = reported.incident.due
    if due is None:
        return visit.gettext("Reported, and public.")
    text = visit.gettext("Reported, and public. It has to reach an overseer by %(moment)s.")
    return text % {"moment": visit.wording.moment(due)}
