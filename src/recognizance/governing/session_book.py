"""Sessions in the records: how one begins, goes on under another token, and whose it is.

What every way of signing in shares. A session is an opaque token of 256 random bits, of which the records keep the
hash. Every step of signing in gives a new one and ends the old, so a token that somebody planted before is worth
nothing afterwards. It ends after half an hour without a request, and after twelve hours in any case.

Decides nothing about who is let in: that is for `signing_in` and `passkey_sign_in`. Implements docs/sign-in.md,
"Sessions".
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from recognizance.errors import AuthenticationError
from recognizance.galleries import Clock
from recognizance.governance.authority import Docket
from recognizance.governance.parties import PersonId
from recognizance.governing.account_documents import (
    SESSION_KIND,
    Account,
    AccountIndex,
    AccountState,
    SessionRecord,
    Stage,
    StoredAccount,
    StoredSession,
    digest_of,
    has_second_factor,
    insert_session,
    session_of,
)
from recognizance.governing.account_news import AccountNews
from recognizance.records import Reader, Records, Transaction

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
"""ASVS 3.3.2, level 2: 30 minutes without activity, 12 hours in all."""

HALF_WAY = timedelta(minutes=10)
"""How long the second step of signing in may take."""

_TOKEN_BYTES = 32
_LONGEST_DEVICE = 200
_CLEARED_AT_ONCE = 100


class WrongCredentialsError(AuthenticationError):
    """Login, password, code or passkey is wrong. Which of them, nobody is told."""


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session's token at the only moment when it is known here."""

    token: str = field(repr=False)
    stage: Stage


class SessionBook:
    """Opens and finds sessions. Safe to share between threads.

    Args:
        needs_second_factor: Whether nobody gets in without one.
    """

    def __init__(
        self,
        records: Records,
        docket: Docket,
        index: AccountIndex,
        news: AccountNews,
        *,
        needs_second_factor: bool,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._records = records
        self._docket = docket
        self._index = index
        self._news = news
        self._needs_second_factor = needs_second_factor
        self._clock = clock
        self._random_bytes = random_bytes

    def admits(self, known: StoredAccount | None) -> bool:
        """Whether this is an account that is in use, of somebody who takes part."""
        return (
            known is not None
            and known.state is AccountState.ACTIVE
            and self._docket.party(known.value.person) is not None
        )

    def open(self, account: Account, device: str, *, address: str, is_strong: bool = False) -> OpenedSession:
        """Begin a session.

        Args:
            address: Of the browser; empty where it doesn't matter from where.
            is_strong: Whether two factors were shown already.
        """
        now, token = self._clock(), self._token()
        record = SessionRecord(account.person, now, now, now, _shown(device))
        with self._records.transaction() as transaction:
            stage = self._first_stage(transaction, account, is_strong=is_strong)
            ends = now + (HALF_WAY if stage is Stage.SECOND_FACTOR else ABSOLUTE)
            # Whoever comes clears away what has ended since the last one came.
            for document in transaction.documents_due(SESSION_KIND, now, limit=_CLEARED_AT_ONCE):
                transaction.delete_document(SESSION_KIND, document.id)
            insert_session(transaction, token, record, stage=stage, ends=ends)
            self._note_place(transaction, record, token, stage, address)
        return OpenedSession(token, stage)

    def rotate(self, transaction: Transaction, session: StoredSession, stage: Stage, *, address: str) -> OpenedSession:
        """The same browser under a new token: what was known of it before a step isn't known after it.

        Args:
            address: Of the browser; empty where the step isn't the end of signing in.
        """
        now, token = self._clock(), self._token()
        record = replace(session.value, created=now, seen=now, proved=now, pending_totp="")
        transaction.delete_document(SESSION_KIND, session.document.id)
        insert_session(transaction, token, record, stage=stage, ends=now + ABSOLUTE)
        self._note_place(transaction, record, token, stage, address)
        return OpenedSession(token, stage)

    def session(self, reader: Reader, token: str) -> StoredSession:
        """A session that lasts.

        Raises:
            WrongCredentialsError: If there is none of this token.
        """
        session = session_of(reader, token)
        if session is None or not lasts(session, self._clock()):
            raise WrongCredentialsError("this session has ended")
        return session

    def waiting(self, reader: Reader, token: str) -> tuple[StoredSession, StoredAccount]:
        """A session that waits for its second factor, and whose it is.

        Raises:
            WrongCredentialsError: If it doesn't.
        """
        session = self.session(reader, token)
        if session.document.state != Stage.SECOND_FACTOR:
            raise WrongCredentialsError("this session doesn't wait for a second factor")
        return session, self.account(reader, session.value.person)

    def account(self, reader: Reader, person: PersonId) -> StoredAccount:
        """An account in use.

        Raises:
            WrongCredentialsError: If there is none.
        """
        known = self._index.of_person(reader, person)
        if known is None or known.state is not AccountState.ACTIVE:
            raise WrongCredentialsError("there is no such account")
        return known

    def _note_place(
        self, transaction: Transaction, record: SessionRecord, token: str, stage: Stage, address: str
    ) -> None:
        if stage is Stage.COMPLETE and address:
            session = digest_of(token)
            self._news.note_place(transaction, record.person, device=record.device, address=address, session=session)

    def _first_stage(self, reader: Reader, account: Account, *, is_strong: bool) -> Stage:
        if is_strong:
            return Stage.COMPLETE
        if has_second_factor(reader, account):
            return Stage.SECOND_FACTOR
        return Stage.ENROLMENT if self._needs_second_factor else Stage.COMPLETE

    def _token(self) -> str:
        return base64.urlsafe_b64encode(self._random_bytes(_TOKEN_BYTES)).decode().rstrip("=")


def lasts(session: StoredSession, now: datetime) -> bool:
    ends = session.document.due
    return ends is not None and now < ends and now - session.value.seen < IDLE


def _shown(device: str) -> str:
    return "".join(character for character in device if character.isprintable())[:_LONGEST_DEVICE]
