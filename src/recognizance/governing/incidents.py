"""Incidents: what went wrong, in public at once, and the clock that runs until an overseer knows.

Anybody who takes part may report one; the report is an entry of the ledger before they are answered. From the moment in
which a violation or a breach was discovered, it has to reach an overseer within 24 hours: one of them says that it has,
and what they think of it, which is an entry as well. The register shows the deadline, whether it was kept, and what is
still waiting. Nothing here can be edited or taken back.

Implements `docs/publishing.md`, "Incidents"; the 24 hours are Detroit Police Department Manual 307.5's.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from recognizance.errors import ConflictError, DeniedError, InputError
from recognizance.galleries import Clock
from recognizance.governance import Act
from recognizance.governance.codec import read_document, write_document
from recognizance.governance.incidents import reaches_oversight_by
from recognizance.governance.parties import AgencyId
from recognizance.governing.registration import Actor, Gate
from recognizance.ledger import EntryId, Receipt, facts
from recognizance.recording import Recorder, acts
from recognizance.records import Document, Reader, Records

INCIDENT_KIND = "incident"
_PAGE = 500


class IncidentState(StrEnum):
    REPORTED = "reported"
    RECEIVED = "received"
    """An overseer has said that it reached them."""


@dataclass(frozen=True, slots=True)
class Incident:
    """What went wrong; all of it is public.

    Attributes:
        discovered: When somebody first knew; the deadline runs from here.
        agency: Whose doing it was; `None` if the whole service's, or nobody's.
        about: The ledger entry that it concerns, such as a search.
    """

    occurrence: facts.Occurrence
    discovered: datetime
    statement: str
    agency: AgencyId | None = None
    about: EntryId | None = None
    people_affected: int | None = None

    @property
    def due(self) -> datetime | None:
        """When it has to have reached an overseer; `None` for what isn't a violation or a breach."""
        return reaches_oversight_by(self.occurrence, self.discovered)


@dataclass(frozen=True, slots=True)
class ReportedIncident:
    """An incident on the record; `id` is its entry's."""

    id: EntryId
    incident: Incident
    reported: datetime
    received: datetime | None = None

    def is_late_at(self, now: datetime) -> bool:
        """Whether it reached nobody in time, or has not yet and the time is over."""
        due = self.incident.due
        return due is not None and (self.received or now) > due

    def time_left_at(self, now: datetime) -> timedelta | None:
        """Until the deadline, negative behind it; `None` without one, or once it was received."""
        return None if self.incident.due is None or self.received else self.incident.due - now


class Incidents:
    """Takes reports of what went wrong, and brings them before overseers. Safe to share between threads."""

    def __init__(self, records: Records, recorder: Recorder, gate: Gate, *, clock: Clock) -> None:
        self._records = records
        self._recorder = recorder
        self._gate = gate
        self._clock = clock

    def report(self, incident: Incident, *, by: Actor) -> tuple[ReportedIncident, Receipt]:
        """Put on the record that something went wrong.

        Raises:
            DeniedError: If whoever reports holds no role, or it is another agency's doing.
            InputError: If it was discovered later than now, or says nothing.
        """
        _, agency = self._gate.require(by, Act.REPORT_INCIDENT)
        if incident.agency is not None and agency is not None and agency != incident.agency:
            raise DeniedError(f"what went wrong at {incident.agency!r} is reported by its own people or by an overseer")
        now = self._clock()
        if incident.discovered > now:
            raise InputError("the incident was discovered later than now")
        with self._recorder.changing() as change:
            entry = change.enter(lambda _: _facts(incident))
            reported = ReportedIncident(entry, incident, now)
            change.transaction.insert_document(_document(reported))
        [receipt] = change.receipts
        return reported, receipt

    def receive(self, incident: str, statement: str, *, by: Actor) -> ReportedIncident:
        """Say as an overseer that an incident has reached one, and what follows from it.

        Raises:
            DeniedError: If whoever says so is no overseer.
            NotFoundError: If there is no such incident.
            ConflictError: If an overseer has said so before.
        """
        overseer, _ = self._gate.require(by, Act.PUBLISH_OVERSIGHT)
        with self._recorder.changing() as change:
            document = change.transaction.document(INCIDENT_KIND, incident)
            known = read_document(ReportedIncident, document.body)
            if known.received is not None:
                raise ConflictError(f"an overseer received the incident {incident!r} on {known.received:%Y-%m-%d}")
            received = replace(known, received=self._clock())
            change.transaction.replace_document(replace(_document(received), revision=document.revision))
            change.enter(
                lambda entry: facts.IncidentNotice(
                    incident=known.id, received_by=entry.pseudonym(overseer), statement=statement
                )
            )
        return received

    def list(self, *, waiting: bool = False, by: Actor) -> list[ReportedIncident]:
        """All incidents, or those that wait for an overseer; the most urgent first.

        Raises:
            DeniedError: If whoever asks holds no role.
        """
        self._gate.require(by, Act.REPORT_INCIDENT)
        with self._records.reading() as reader:
            known = list(_incidents(reader, IncidentState.REPORTED if waiting else None))
        return sorted(known, key=_urgency)


def waiting_incidents(records: Records) -> list[ReportedIncident]:
    """Those that no overseer has received, the most urgent first; for whoever runs the machine."""
    with records.reading() as reader:
        return sorted(_incidents(reader, IncidentState.REPORTED), key=_urgency)


def _urgency(reported: ReportedIncident) -> tuple[bool, datetime, str]:
    due = reported.incident.due
    return due is None, due or reported.reported, reported.id


def _incidents(reader: Reader, state: IncidentState | None) -> Iterator[ReportedIncident]:
    after = ""
    while page := reader.documents(INCIDENT_KIND, state=state, after=after, limit=_PAGE):
        after = page[-1].id
        yield from (read_document(ReportedIncident, document.body) for document in page)


def _document(reported: ReportedIncident) -> Document:
    state = IncidentState.REPORTED if reported.received is None else IncidentState.RECEIVED
    due = reported.incident.due if reported.received is None else None
    return Document(INCIDENT_KIND, reported.id, state.value, write_document(reported), due=due)


def _facts(incident: Incident) -> facts.Facts:
    return facts.Incident(
        occurrence=incident.occurrence,
        discovered=incident.discovered,
        agency=None if incident.agency is None else acts.token(incident.agency),
        about=incident.about,
        statement=incident.statement,
        people_affected=incident.people_affected,
    )
