"""Telling people in the background: mails that are due go out, and overseers hear of use that is out of the ordinary.

A thread of the service's own does it, so that no request waits for a mail server. What can't be sent stays due, and a
crash between sending and noting it sends it twice rather than never. Implements docs/sign-in.md, "What happened to your
account", and docs/oversight.md, "Unusual use", after OWASP ASVS 4.0.3, 11.1.8.

Never says in a mail whom it was about or what was found: a mail is read by every relay on its way.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from recognizance.errors import NotFoundError
from recognizance.galleries import Clock
from recognizance.governance.codec import read_document, write_document
from recognizance.governance.parties import Role
from recognizance.governing.account_news import AccountNews, Delivery, DueMail, Happening
from recognizance.governing.mail_relay import Letter, Relay
from recognizance.governing.watching import Watching
from recognizance.records import Document, Records

ROUND_EVERY_S = 20.0
LOOK_EVERY = timedelta(hours=1)
"""How often the last weeks are read over for unusual use: a few seconds of one core where there is much."""
ALERT_EVERY = timedelta(days=1)
AT_ONCE = 50

_ALERTS_KIND = "unusual_use_told"
_ALERTS_ID = "last"

_log = logging.getLogger(__name__)

Compose = Callable[[DueMail], Letter]


@dataclass(frozen=True, slots=True)
class _Alerted:
    """What overseers were told last.

    Attributes:
        until: The latest act of all that was flagged then: only what goes beyond it is worth telling.
    """

    until: datetime
    at: datetime


class Alerts:
    """Tells overseers when something is out of the ordinary that wasn't when they were told last."""

    def __init__(self, records: Records, news: AccountNews, watching: Watching, *, clock: Clock) -> None:
        self._records = records
        self._news = news
        self._watching = watching
        self._clock = clock

    def look(self) -> int:
        """Look once; says how many overseers were told: nobody, if there is nothing new or they heard today."""
        last, now = self._last(), self._clock()
        if last is not None and now - last.at < ALERT_EVERY:
            return 0
        alarm = self._watching.alarm()
        if alarm is None or (last is not None and alarm.last <= last.until):
            return 0
        told = self._news.note_to_role(Role.OVERSEER, Happening.UNUSUAL_USE, detail=str(alarm.flags))
        self._keep(_Alerted(alarm.last, now))
        return told

    def _last(self) -> _Alerted | None:
        with self._records.reading() as reader:
            try:
                return read_document(_Alerted, reader.document(_ALERTS_KIND, _ALERTS_ID).body)
            except NotFoundError:
                return None

    def _keep(self, alerted: _Alerted) -> None:
        body = write_document(alerted)
        with self._records.transaction() as transaction:
            try:
                before = transaction.document(_ALERTS_KIND, _ALERTS_ID)
            except NotFoundError:
                transaction.insert_document(Document(_ALERTS_KIND, _ALERTS_ID, "", body))
            else:
                transaction.replace_document(replace(before, body=body))


class Telling:
    """One round of everything that people have to be told.

    Args:
        relay: Takes mails; `None` where none is set, and then news is on people's own pages alone.
        compose: Puts news into words.
    """

    def __init__(
        self, news: AccountNews, alerts: Alerts, relay: Relay | None, *, compose: Compose, clock: Clock
    ) -> None:
        self._news = news
        self._alerts = alerts
        self._relay = relay
        self._compose = compose
        self._clock = clock
        self._looked: datetime | None = None

    def round(self) -> int:
        """Take in what was tried, look for what is unusual if it is time, send what is due; says how many went out."""
        self._news.take_in()
        now = self._clock()
        if self._looked is None or now - self._looked >= LOOK_EVERY:
            self._looked = now
            self._alerts.look()
        # Asked for without a relay too: it is also what removes old news.
        due = self._news.due_mails(limit=AT_ONCE)
        if not due:
            return 0
        # What waited for a relay that is no longer set is on its owner's page alone.
        no_relay = [Delivery.NEVER] * len(due)
        outcomes = self._relay.send([self._compose(mail) for mail in due]) if self._relay is not None else no_relay
        for mail, outcome in zip(due, outcomes, strict=True):
            self._news.settle(mail.id, outcome)
        sent = outcomes.count(Delivery.SENT)
        if sent:
            _log.info("%d mails went out", sent)
        return sent
