"""Mail, handed to the one relay that the settings name: the only file that speaks SMTP (RFC 5321, RFC 3207).

The relay's certificate is verified, and a relay that can't encrypt gets nothing, unless it is on this very machine.
What can't be handed over now is tried again; what the relay refuses for good isn't. A letter is plain text, says by
RFC 3834 that a machine wrote it, and holds nothing that lets anybody in.
"""

import ipaddress
import logging
import re
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from enum import StrEnum
from typing import Protocol

from recognizance.errors import InputError
from recognizance.governing.account_news import Delivery
from recognizance.governing.certificates import client_context

TIMEOUT_S = 20.0
_FIRST_PERMANENT = 500
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
"""As HTML's `type=email` takes it: what every relay takes, and what no header can be forged with."""

_log = logging.getLogger(__name__)


class Line(StrEnum):
    """How the line to the relay is encrypted."""

    STARTTLS = "starttls"
    TLS = "tls"
    PLAIN = "plain"
    """Not at all: only to this machine."""


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Where the relay is.

    Attributes:
        authorities, revoked: As `client_context` takes them.
    """

    host: str
    port: int
    line: Line
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    authorities: str = ""
    revoked: str = ""

    def __post_init__(self) -> None:
        if not is_address(self.sender):
            raise InputError(f"mails come from an address like service@example.org, not from {self.sender!r}")
        if self.line is Line.PLAIN and not _is_this_machine(self.host):
            raise InputError(f"mails to {self.host} need an encrypted line: starttls or tls")
        if self.line is Line.PLAIN and self.user:
            raise InputError("a password for the mail relay needs an encrypted line: starttls or tls")


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail. `id` is of the news that it tells, so that a relay can see that two are one."""

    id: str
    to: str
    subject: str
    text: str
    written: datetime


class Relay(Protocol):
    """Takes letters. Never raises: what became of each is its answer, in their order."""

    def send(self, letters: Sequence[Letter]) -> list[Delivery]:
        """Hand letters over."""
        ...


class SmtpRelay:
    """The relay of the settings, over a line of its own for each batch."""

    def __init__(self, settings: RelaySettings) -> None:
        self._settings = settings

    def send(self, letters: Sequence[Letter]) -> list[Delivery]:
        """Hand letters over; whatever the line does, each has an outcome."""
        outcomes: list[Delivery] = []
        try:
            with self._opened() as line:
                # One by one, so that what went out before the line broke is known to have.
                outcomes.extend(self._sent(line, letter) for letter in letters)
        except (smtplib.SMTPException, OSError, ValueError, InputError) as error:
            # ValueError is what smtplib raises for a host name that can't be one.
            _log.warning("the mail relay %s didn't take everything: %s", self._settings.host, _kind_of(error))
        return outcomes + [Delivery.LATER] * (len(letters) - len(outcomes))

    def _opened(self) -> smtplib.SMTP:
        settings = self._settings
        name = settings.sender.rpartition("@")[2]
        if settings.line is Line.TLS:
            line: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.host, settings.port, local_hostname=name, timeout=TIMEOUT_S, context=self._context()
            )
        else:
            line = smtplib.SMTP(settings.host, settings.port, local_hostname=name, timeout=TIMEOUT_S)
        try:
            if settings.line is Line.STARTTLS:
                line.starttls(context=self._context())
            if settings.user:
                line.login(settings.user, settings.password)
        except BaseException:
            line.close()
            raise
        return line

    def _context(self) -> ssl.SSLContext:
        return client_context(authorities=self._settings.authorities, revoked=self._settings.revoked)

    def _sent(self, line: smtplib.SMTP, letter: Letter) -> Delivery:
        if not is_address(letter.to):
            return Delivery.NEVER
        try:
            line.send_message(message_of(letter, sender=self._settings.sender))
        except smtplib.SMTPRecipientsRefused as error:
            [(code, _)] = error.recipients.values()
            return _refused(code)
        except smtplib.SMTPDataError as error:
            return _refused(error.smtp_code)
        return Delivery.SENT


def message_of(letter: Letter, *, sender: str) -> EmailMessage:
    """The letter as it goes over the line."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(letter.written)
    message["Message-ID"] = f"<{letter.id}@{sender.rpartition('@')[2]}>"
    # RFC 3834, 5: so that nobody's absence is answered to us.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message


def is_address(text: str) -> bool:
    r"""Whether a mail can go there; a login may be a short name instead.

    >>> is_address("ada@harbour.example"), is_address("ada"), is_address("a@b.example\nBcc: c@d.example")
    (True, False, False)
    """
    return len(text) <= 254 and _ADDRESS.fullmatch(text) is not None


def _refused(code: int) -> Delivery:
    # The code alone: relays repeat in their sentences whom a letter was for.
    _log.warning("the mail relay refused a letter: %d", code)
    return Delivery.NEVER if code >= _FIRST_PERMANENT else Delivery.LATER


def _kind_of(error: Exception) -> str:
    """What to log of it: nothing that the other side wrote."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{type(error).__name__} {error.smtp_code}"
    return type(error).__name__ if isinstance(error, smtplib.SMTPException) else str(error)


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
