"""What happened to somebody's account, told to them: on their pages until they have seen it, and by mail if it is set.

Each piece of news is one document, written in the transaction of the change that it tells of, so that neither is there
without the other. While a mail is still to go out, the document is also the mail's place in the queue: what sends it
(`telling.py`) takes it up later, and no request waits for a mail server or fails because of one.

It says what happened and when, and never anything that lets somebody in, who was searched for, or what was found.
Strangers can cause some of it (a wrong password too often); such news comes once a day at most, and is noted in the
background, after the same work in the request whether or not anybody has that login. Implements docs/sign-in.md, "What
happened to your account", after OWASP ASVS 4.0.3, 2.2.3, 2.5.5 and 2.8.5.
"""

import ipaddress
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from recognizance.errors import NotFoundError
from recognizance.galleries import Clock
from recognizance.governance.authority import Docket
from recognizance.governance.codec import read_document, write_document
from recognizance.governance.parties import PersonId, Role
from recognizance.governing.account_documents import PERSON_LABEL, AccountIndex, AccountState
from recognizance.records import Document, Reader, Records, Transaction

NEWS_KIND = "account_news"
PLACES_KIND = "account_places"
UNSEEN_LABEL = "unseen"

KEPT_FOR = timedelta(days=180)
MOST_NEWS = 200
"""For one person; beyond it the oldest goes, once no mail is owed for it."""
MOST_MAILS_A_DAY = 20
"""To one person. What is more is on their page alone: whoever has a session can't make us a nuisance."""
MAIL_UNTIL = timedelta(days=3)
"""How long a mail is tried; then its news is on the page alone."""

_TRY_AGAIN_AFTER = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
_DAY = timedelta(days=1)
_MOST_PLACES = 30
_MOST_TRIED = 1_000
_PAGE = 500
_ID_BYTES = 16


class Happening(StrEnum):
    """What happened."""

    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - what happened, and no password
    PASSWORD_SET = "password_set"  # noqa: S105 - what happened, and no password
    """With a link that an administrator handed out."""
    APP_SET_UP = "app_set_up"
    RECOVERY_CODES_DRAWN = "recovery_codes_drawn"
    RECOVERY_CODE_USED = "recovery_code_used"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    RESET = "reset"
    DISABLED = "disabled"
    ENABLED = "enabled"
    IDENTITY_LINKED = "identity_linked"
    KEY_DRAWN = "key_drawn"
    """An administrator drew an access key: whoever holds it votes, reviews and searches in this person's name."""
    NEW_PLACE = "new_place"
    """Signed in with a kind of browser, or from a part of the network, that they never signed in from."""
    CODE_REPEATED = "code_repeated"
    """The password was right, and the code had been used before: somebody may have read it."""
    PASSKEY_COPIED = "passkey_copied"
    TRIED_TOO_OFTEN = "tried_too_often"
    CODE_TRIED_TOO_OFTEN = "code_tried_too_often"
    """By somebody who gave the right password."""
    UNUSUAL_USE = "unusual_use"
    """For overseers: there is something on the page about unusual use that wasn't there before."""


_ONCE_A_DAY = frozenset(
    {
        Happening.CODE_REPEATED,
        Happening.PASSKEY_COPIED,
        Happening.TRIED_TOO_OFTEN,
        Happening.CODE_TRIED_TOO_OFTEN,
        Happening.UNUSUAL_USE,
    }
)
"""What others than the account's owner can cause as often as they like."""


class Mail(StrEnum):
    """Whether a mail is still to go out: the state of a piece of news."""

    TO_SEND = "to_send"
    NONE_LEFT = "none_left"


class Delivery(StrEnum):
    """What became of one try to send a mail."""

    SENT = "sent"
    LATER = "later"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class NewsRecord:
    """One thing that happened.

    Attributes:
        detail: For its owner's page alone, such as what a browser called itself: strangers write it.
        session: In which it was done, which need not be told; empty if it wasn't done in one.
        tries: How often a mail was tried.
    """

    person: PersonId
    what: Happening
    at: datetime
    detail: str
    session: str
    is_seen: bool
    tries: int


@dataclass(frozen=True, slots=True)
class PlacesRecord:
    """Digests of where somebody signed in from before: kind of browser and part of the network, the latest last."""

    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class News:
    """One thing that happened, for its owner to look at.

    Attributes:
        is_new: Whether they haven't said yet that they have seen it.
    """

    id: str
    what: Happening
    at: datetime
    detail: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class DueMail:
    """News that a mail has to tell. `login` is whom it is for; not every login is an address."""

    id: str
    login: str
    what: Happening
    at: datetime


class AccountNews:
    """Notes what happens to accounts, and shows it to their owners. Safe to share between threads.

    Args:
        sends: Whether there is a mail server, so that mails are queued.
    """

    def __init__(
        self,
        records: Records,
        docket: Docket,
        index: AccountIndex,
        *,
        sends: bool,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._records = records
        self._docket = docket
        self._index = index
        self._sends = sends
        self._clock = clock
        self._random_bytes = random_bytes
        self._lock = threading.Lock()
        self._tried: set[str] = set()

    def note(
        self,
        transaction: Transaction,
        person: PersonId,
        what: Happening,
        *,
        session: str = "",
        detail: str = "",
        is_seen: bool = False,
    ) -> None:
        """Tell somebody that this happened, together with the change that it was.

        Args:
            session: In which it was done: there it isn't shown as news.
            is_seen: Whether its page need not ask for attention.
        """
        now, known = self._clock(), news_of(transaction, person)
        if what in _ONCE_A_DAY and any(each.what is what and now - each.at < _DAY for each, _ in known):
            return
        for _, document in known[MOST_NEWS - 1 :]:
            # What a mail is owed for stays until it went out: else a flood of news would hide what came before it.
            if document.state != Mail.TO_SEND:
                transaction.delete_document(NEWS_KIND, document.id)
        recent = sum(now - each.at < _DAY for each, _ in known)
        is_queued = self._sends and recent < MOST_MAILS_A_DAY
        record = NewsRecord(person, what, now, detail, session, is_seen, 0)
        labels = {PERSON_LABEL: person} if is_seen else {PERSON_LABEL: person, UNSEEN_LABEL: person}
        transaction.insert_document(
            Document(
                NEWS_KIND,
                self._random_bytes(_ID_BYTES).hex(),
                Mail.TO_SEND if is_queued else Mail.NONE_LEFT,
                write_document(record),
                labels,
                due=now if is_queued else now + KEPT_FOR,
            )
        )

    def note_alone(self, person: PersonId, what: Happening) -> None:
        """Tell of something that changed nothing in the records: an attempt."""
        with self._records.transaction() as transaction:
            self.note(transaction, person, what)

    def note_to_role(self, role: Role, what: Happening, *, detail: str = "") -> int:
        """Tell everybody with a role who has an account; says how many."""
        with self._records.reading() as reader:
            people = [each.value.person for each in self._index.every(reader) if each.state is AccountState.ACTIVE]
        parties = [(person, self._docket.party(person)) for person in people]
        told = [person for person, party in parties if party is not None and role in party.roles]
        with self._records.transaction() as transaction:
            for person in told:
                self.note(transaction, person, what, detail=detail)
        return len(told)

    def note_tried(self, login: str) -> None:
        """Remember that somebody tried this login too often; `take_in` looks later whether anybody has it."""
        with self._lock:
            if len(self._tried) < _MOST_TRIED:
                self._tried.add(login)

    def note_place(
        self, transaction: Transaction, person: PersonId, *, device: str, address: str, session: str
    ) -> None:
        """Tell somebody who signs in with another kind of browser or from elsewhere than ever before."""
        place = place_of(device, address)
        try:
            before = transaction.document(PLACES_KIND, person)
        except NotFoundError:
            transaction.insert_document(Document(PLACES_KIND, person, "", write_document(PlacesRecord((place,)))))
            return
        known = read_document(PlacesRecord, before.body).places
        if known and known[-1] == place:
            return
        latest = (*(each for each in known if each != place), place)[-_MOST_PLACES:]
        transaction.replace_document(replace(before, body=write_document(PlacesRecord(latest))))
        if place not in known:
            self.note(transaction, person, Happening.NEW_PLACE, session=session, detail=f"{device} ({address})")

    def of(self, person: PersonId, *, limit: int) -> list[News]:
        """The latest news of somebody, the newest first."""
        with self._records.reading() as reader:
            known = news_of(reader, person)[:limit]
        return [News(document.id, each.what, each.at, each.detail, not each.is_seen) for each, document in known]

    def see(self, person: PersonId, ids: frozenset[str]) -> None:
        """Note that somebody has seen these; others' and unknown ones are passed over."""
        with self._records.transaction() as transaction:
            for each, document in news_of(transaction, person):
                if document.id in ids and not each.is_seen:
                    seen = write_document(replace(each, is_seen=True))
                    transaction.replace_document(replace(document, body=seen, labels={PERSON_LABEL: person}))

    def take_in(self) -> None:
        """Note the attempts that came since the last time, for those who have such an account."""
        with self._lock:
            tried, self._tried = self._tried, set()
        for login in sorted(tried):
            with self._records.transaction() as transaction:
                known = self._index.of_login(transaction, login)
                if known is not None and known.state is AccountState.ACTIVE:
                    self.note(transaction, known.value.person, Happening.TRIED_TOO_OFTEN)

    def due_mails(self, *, limit: int) -> list[DueMail]:
        """Mails to send now, the longest overdue first. Old news that nothing is owed for is removed on the way."""
        now = self._clock()
        with self._records.reading() as reader:
            # Most of the time there is nothing, and nobody should wait for a writer that writes nothing.
            if not reader.documents_due(NEWS_KIND, now, limit=1):
                return []
        with self._records.transaction() as transaction:
            due = transaction.documents_due(NEWS_KIND, now, limit=limit)
            for document in due:
                if document.state == Mail.NONE_LEFT:
                    transaction.delete_document(NEWS_KIND, document.id)
            waiting = [document for document in due if document.state == Mail.TO_SEND]
            mails: list[DueMail] = []
            for document in waiting:
                record = read_document(NewsRecord, document.body)
                known = self._index.of_person(transaction, record.person)
                mails.append(DueMail(document.id, "" if known is None else known.value.login, record.what, record.at))
        return mails

    def settle(self, mail: str, delivery: Delivery) -> None:
        """Note what became of a try: a mail that may still be sent comes due again, later each time."""
        now = self._clock()
        with self._records.transaction() as transaction:
            try:
                document = transaction.document(NEWS_KIND, mail)
            except NotFoundError:
                # Its owner has had so much news since that it is gone.
                return
            record = read_document(NewsRecord, document.body)
            again = delivery is Delivery.LATER and now - record.at < MAIL_UNTIL
            wait = _TRY_AGAIN_AFTER[min(record.tries, len(_TRY_AGAIN_AFTER) - 1)]
            transaction.replace_document(
                replace(
                    document,
                    state=Mail.TO_SEND if again else Mail.NONE_LEFT,
                    due=now + wait if again else record.at + KEPT_FOR,
                    body=write_document(replace(record, tries=record.tries + 1)),
                )
            )


def news_of(reader: Reader, person: PersonId) -> list[tuple[NewsRecord, Document]]:
    """All news of somebody, the newest first."""
    return _read(reader.documents(NEWS_KIND, label=(PERSON_LABEL, person), limit=_PAGE))


def has_unseen(reader: Reader, person: PersonId, *, session: str) -> bool:
    """Whether there is news that somebody hasn't seen, and that this very session didn't bring about."""
    unseen = _read(reader.documents(NEWS_KIND, label=(UNSEEN_LABEL, person), limit=_PAGE))
    return any(each.session != session for each, _ in unseen)


def place_of(device: str, address: str) -> str:
    """A digest of the kind of browser and the part of the network, as coarse as a provider and a browser's maker.

    Versions of browsers change every month and addresses of telephones every hour: telling somebody of each would teach
    them not to read it.

    >>> place_of("Firefox/128.0", "192.0.2.1") == place_of("Firefox/129.0", "192.0.99.1")
    True
    >>> place_of("Firefox/128.0", "192.0.2.1") == place_of("Firefox/128.0", "203.0.113.9")
    False
    """
    return sha256(f"{re.sub(r'[0-9._]+', '', device)}\n{_part_of_network(address)}".encode()).hexdigest()[:32]


def _part_of_network(address: str) -> str:
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    prefix = 16 if known.version == 4 else 32
    return str(ipaddress.ip_network((known, prefix), strict=False))


def _read(documents: list[Document]) -> list[tuple[NewsRecord, Document]]:
    found = [(read_document(NewsRecord, document.body), document) for document in documents]
    return sorted(found, key=lambda each: (each[0].at, each[1].id), reverse=True)
