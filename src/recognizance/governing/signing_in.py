"""Signing in: a password, a second factor, and the session that a browser then has.

A session ends by time (`session_book`), when its owner signs out here or everywhere, and at the next request once the
account is disabled or its person no longer takes part.

Whether a login exists can't be told from text or time: the same refusal, after the same work. Implements
docs/sign-in.md, after OWASP ASVS 4.0.3, chapters 2 and 3.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from recognizance.documents import Kind, PersonRecord, found
from recognizance.errors import ConflictError, InputError
from recognizance.galleries import Clock
from recognizance.governance import Asking, Credential, Principal, Role
from recognizance.governance.authority import Docket
from recognizance.governance.parties import AgencyId, PersonId
from recognizance.governing import one_time
from recognizance.governing.account_documents import (
    SESSION_KIND,
    Account,
    AccountIndex,
    AccountState,
    Stage,
    digest_of,
    end_sessions,
    has_second_factor,
    replace_session,
    session_of,
    sessions_of,
    spelled_login,
)
from recognizance.governing.account_news import AccountNews, Happening, has_unseen
from recognizance.governing.attempts import Attempts, TooManyAttemptsError
from recognizance.governing.passwords import PasswordHasher
from recognizance.governing.registration import Actor
from recognizance.governing.session_book import (
    ABSOLUTE,
    HALF_WAY,
    IDLE,
    OpenedSession,
    SessionBook,
    WrongCredentialsError,
    lasts,
)
from recognizance.records import Records

RECENT = timedelta(minutes=10)
"""How long ago somebody may have proved who they are, for changing how they do it."""

_log = logging.getLogger(__name__)
_SEEN_EVERY = timedelta(minutes=1)

__all__ = [
    "ABSOLUTE",
    "HALF_WAY",
    "IDLE",
    "RECENT",
    "KnownSession",
    "OpenedSession",
    "SignIn",
    "SignedIn",
    "WrongCredentialsError",
]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whose request it is.

    Attributes:
        session: Names the session in the records; not the token.
        name: As registered; empty for the owner of a private installation.
        roles: As they are at this moment, for showing what there is to do; services look them up again.
        proved_recently: Whether they proved who they are only minutes ago.
        has_news: Whether something happened to their account that they haven't said they saw.
    """

    session: str
    stage: Stage
    person: PersonId
    login: str
    name: str
    roles: frozenset[Role]
    agency: AgencyId | None
    proved_recently: bool
    has_second_factor: bool
    has_news: bool

    def actor(self) -> Actor:
        """Who acts, for services that govern."""
        return Actor(Principal(self.person, frozenset()), Asking(Credential.SIGN_IN))


@dataclass(frozen=True, slots=True)
class KnownSession:
    """One of somebody's own sessions, for them to look at."""

    id: str
    device: str
    created: datetime
    seen: datetime
    is_this: bool


class SignIn:
    """Opens sessions, finds whose they are, and ends them. Safe to share between threads."""

    def __init__(
        self,
        records: Records,
        docket: Docket,
        index: AccountIndex,
        book: SessionBook,
        attempts: Attempts,
        news: AccountNews,
        *,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        hasher: PasswordHasher,
    ) -> None:
        self._records = records
        self._docket = docket
        self._index = index
        self._book = book
        self._attempts = attempts
        self._news = news
        self._clock = clock
        self._random_bytes = random_bytes
        self._hasher = hasher

    def with_password(self, login: str, password: str, *, address: str, device: str) -> OpenedSession:
        """Begin a session with a password; it's complete at once only where there is no second factor.

        Raises:
            TooManyAttemptsError: If there were too many failures; nothing is tried then.
            WrongCredentialsError: If anything is wrong, whatever it is.
        """
        try:
            spelled = spelled_login(login)
        except InputError:
            spelled = ""
        try:
            self._attempts.begin(spelled, address)
        except TooManyAttemptsError:
            # Whether anybody has this login is looked up later, so that the wait doesn't say it.
            self._news.note_tried(spelled)
            raise
        with self._records.reading() as reader:
            known = self._index.of_login(reader, spelled) if spelled else None
        kept = None if known is None else known.value.password
        usable = self._book.admits(known)
        # The hash is worked out in every case, and only then does it matter whether there is an account.
        if not self._hasher.verify(kept, password) or not usable or known is None:
            # Not the login: people type passwords there.
            _log.warning("a password was refused, from %r", address)
            raise WrongCredentialsError("login or password is wrong")
        _log.info("%s gave the right password, from %r", known.value.person, address)
        self._attempts.succeeded(spelled, address)
        if self._hasher.is_outdated(known.value.password):
            self._rehash(known.value, password)
        return self._book.open(known.value, device, address=address)

    def trusted(self, person: PersonId, *, device: str, address: str = "") -> OpenedSession:
        """Begin a session of somebody whose password was set this moment, in this browser.

        Raises:
            WrongCredentialsError: If they have no active account.
        """
        with self._records.reading() as reader:
            known = self._index.of_person(reader, person)
        if known is None or not self._book.admits(known):
            raise WrongCredentialsError("there is no such account")
        return self._book.open(known.value, device, address=address)

    def with_identity(self, identity: str, *, device: str, is_strong: bool, address: str = "") -> OpenedSession:
        """Begin a session of whoever an OpenID provider vouches for.

        Args:
            identity: As `accounts.identity_of` spells it.
            is_strong: Whether the provider says that it asked for a second factor itself.

        Raises:
            WrongCredentialsError: If no account is linked to it.
        """
        with self._records.reading() as reader:
            known = self._index.of_identity(reader, identity)
        if known is None or not self._book.admits(known):
            raise WrongCredentialsError("no account is linked to this identity")
        return self._book.open(known.value, device, address=address, is_strong=is_strong)

    def with_code(self, token: str, code: str, *, address: str) -> OpenedSession:
        """Complete a session with a code of the authenticator app, or with a recovery code, which is used up.

        Raises:
            TooManyAttemptsError: If there were too many failures.
            WrongCredentialsError: If the code is wrong, or this session doesn't wait for one.
        """
        with self._records.reading() as reader:
            person = self._book.waiting(reader, token)[0].value.person
        self._begin_second_factor(person, address)
        with self._records.transaction() as transaction:
            session, known = self._book.waiting(transaction, token)
            account = self._with_code_spent(known.value, code)
            opened = None
            if account is not None:
                self._index.replace(transaction, known, account)
                opened = self._book.rotate(transaction, session, Stage.COMPLETE, address=address)
                if account.recovery != known.value.recovery:
                    told = digest_of(opened.token)
                    self._news.note(transaction, person, Happening.RECOVERY_CODE_USED, session=told)
            elif self._is_repeated(known.value, code):
                self._news.note(transaction, person, Happening.CODE_REPEATED)
        if opened is None:
            _log.warning("a code of %s was refused, from %r", person, address)
            raise WrongCredentialsError("the code is wrong")
        _log.info("%s gave the right code, from %r", person, address)
        self._attempts.succeeded(f"second factor of {person}", address)
        return opened

    def begin_authenticator(self, token: str) -> bytes:
        """Draw a secret for an authenticator app, which counts once `confirm_authenticator` has seen a code of it."""
        secret = self._random_bytes(one_time.SECRET_BYTES)
        with self._records.transaction() as transaction:
            session = self._book.session(transaction, token)
            replace_session(transaction, session, replace(session.value, pending_totp=secret.hex()))
        return secret

    def pending_authenticator(self, token: str) -> bytes | None:
        """The secret that is being set up in this session."""
        with self._records.reading() as reader:
            session = session_of(reader, token)
        return bytes.fromhex(session.value.pending_totp) if session and session.value.pending_totp else None

    def confirm_authenticator(self, token: str, code: str) -> tuple[OpenedSession, tuple[str, ...]]:
        """Take the app that was set up into use; answers ten recovery codes, now and never again.

        Other sessions end: whoever has one knew less than is asked for from now on.

        Raises:
            WrongCredentialsError: If the code isn't of this app at this time.
        """
        codes = one_time.draw_recovery_codes(self._random_bytes)
        with self._records.transaction() as transaction:
            session = self._book.session(transaction, token)
            secret = session.value.pending_totp
            step = (
                None if not secret else one_time.accepted_step(bytes.fromhex(secret), code, now=self._clock(), after=-1)
            )
            if step is None:
                raise WrongCredentialsError("the code is wrong")
            known = self._book.account(transaction, session.value.person)
            digests = tuple(one_time.recovery_digest(each) for each in codes)
            account = replace(known.value, totp_secret=secret, totp_step=step, recovery=digests)
            self._index.replace(transaction, known, account)
            end_sessions(transaction, session.value.person, but=session.document.id)
            opened = self._book.rotate(transaction, session, Stage.COMPLETE, address="")
            self._news.note(transaction, known.value.person, Happening.APP_SET_UP, session=digest_of(opened.token))
        return opened, codes

    def draw_recovery_codes(self, token: str) -> tuple[str, ...]:
        """Ten new recovery codes, which replace those that are left."""
        codes = one_time.draw_recovery_codes(self._random_bytes)
        with self._records.transaction() as transaction:
            session = self._book.session(transaction, token)
            known = self._book.account(transaction, session.value.person)
            account = replace(known.value, recovery=tuple(one_time.recovery_digest(each) for each in codes))
            self._index.replace(transaction, known, account)
            told = session.document.id
            self._news.note(transaction, account.person, Happening.RECOVERY_CODES_DRAWN, session=told)
        return codes

    def confirm_password(self, token: str, password: str, *, address: str) -> bool:
        """Whether this is the password of whoever is signed in; if so, they count as having proved who they are.

        Raises:
            TooManyAttemptsError: If there were too many failures.
        """
        with self._records.reading() as reader:
            session = self._book.session(reader, token)
            known = self._book.account(reader, session.value.person)
        self._attempts.begin(known.value.login, address)
        if not self._hasher.verify(known.value.password or None, password):
            return False
        self._attempts.succeeded(known.value.login, address)
        with self._records.transaction() as transaction:
            session = self._book.session(transaction, token)
            replace_session(transaction, session, replace(session.value, proved=self._clock()))
        return True

    def whose(self, token: str) -> SignedIn | None:
        """Whose session this is; `None` if it has ended, or there never was one."""
        now = self._clock()
        with self._records.reading() as reader:
            session = session_of(reader, token)
            if session is None or not lasts(session, now):
                return None
            known = self._index.of_person(reader, session.value.person)
            person = found(reader, Kind.PERSON, session.value.person, PersonRecord)
            is_doubly_guarded = known is not None and has_second_factor(reader, known.value)
            has_news = has_unseen(reader, session.value.person, session=session.document.id)
        if known is None or known.state is not AccountState.ACTIVE:
            return None
        party = self._docket.party(session.value.person)
        if party is None:
            return None
        if now - session.value.seen >= _SEEN_EVERY:
            self._note_seen(token, now)
        return SignedIn(
            session=session.document.id,
            stage=Stage(session.document.state),
            person=session.value.person,
            login=known.value.login,
            name="" if person is None else person.value.name,
            roles=party.roles,
            agency=party.agency,
            proved_recently=now - session.value.proved <= RECENT,
            has_second_factor=is_doubly_guarded,
            has_news=has_news,
        )

    def was_of(self, token: str) -> PersonId | None:
        """Whose session ended by time alone; `None` for one that lasts, was signed out of, or never was.

        Lets nobody in: for keeping what was typed until they have signed in again.
        """
        with self._records.reading() as reader:
            session = session_of(reader, token)
        if session is None or session.document.state != Stage.COMPLETE or lasts(session, self._clock()):
            return None
        return session.value.person

    def sessions(self, signed_in: SignedIn) -> list[KnownSession]:
        """All sessions of whoever is signed in, the latest first."""
        now = self._clock()
        with self._records.reading() as reader:
            known = [each for each in sessions_of(reader, signed_in.person) if lasts(each, now)]
        known.sort(key=lambda each: each.value.seen, reverse=True)
        return [
            KnownSession(
                each.document.id,
                each.value.device,
                each.value.created,
                each.value.seen,
                each.document.id == signed_in.session,
            )
            for each in known
        ]

    def sign_out(self, token: str) -> None:
        """End this session; one that has ended already stays so."""
        with self._records.transaction() as transaction:
            session = session_of(transaction, token)
            if session is not None:
                transaction.delete_document(SESSION_KIND, session.document.id)

    def sign_out_others(self, signed_in: SignedIn) -> int:
        """End all other sessions of whoever is signed in; says how many."""
        with self._records.transaction() as transaction:
            return end_sessions(transaction, signed_in.person, but=signed_in.session)

    def _begin_second_factor(self, person: PersonId, address: str) -> None:
        try:
            self._attempts.begin(f"second factor of {person}", address)
        except TooManyAttemptsError:
            # Whoever it is gave the right password.
            self._news.note_alone(person, Happening.CODE_TRIED_TOO_OFTEN)
            raise

    def _is_repeated(self, account: Account, code: str) -> bool:
        """Whether this was a right code, which was used before."""
        secret = bytes.fromhex(account.totp_secret)
        return bool(secret) and one_time.accepted_step(secret, code, now=self._clock(), after=-1) is not None

    def _with_code_spent(self, account: Account, code: str) -> Account | None:
        if account.totp_secret:
            secret = bytes.fromhex(account.totp_secret)
            step = one_time.accepted_step(secret, code, now=self._clock(), after=account.totp_step)
            if step is not None:
                return replace(account, totp_step=step)
        left = one_time.spend_recovery_code(code, account.recovery)
        return None if left is None else replace(account, recovery=left)

    def _rehash(self, account: Account, password: str) -> None:
        hashed = self._hasher.hash(password)
        try:
            with self._records.transaction() as transaction:
                known = self._book.account(transaction, account.person)
                # Only if nobody has set another password meanwhile.
                if known.value.password == account.password:
                    self._index.replace(transaction, known, replace(known.value, password=hashed))
        except ConflictError:
            # Another request has changed the account; the next sign-in takes it up.
            return

    def _note_seen(self, token: str, now: datetime) -> None:
        with self._records.transaction(durable=False) as transaction:
            session = session_of(transaction, token)
            if session is not None and session.value.seen < now:
                replace_session(transaction, session, replace(session.value, seen=now))
