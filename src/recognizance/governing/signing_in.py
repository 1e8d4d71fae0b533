"""Signing in: a password, a second factor, and the session that a browser then has.

A session is an opaque token of 256 random bits, of which the records keep the hash. Every step of signing in gives a
new one and ends the old, so a token that somebody planted before is worth nothing afterwards. It ends after half an
hour without a request, after twelve hours in any case, when its owner signs out here or everywhere, and at the next
request once the account is disabled or its person no longer takes part.

Whether a login exists can't be told from text or time: the same refusal, after the same work. Implements
docs/sign-in.md, after OWASP ASVS 4.0.3, chapters 2 and 3.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from recognizance.docket import Kind, PersonRecord, found
from recognizance.errors import AuthenticationError, ConflictError, InputError
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
    SessionRecord,
    Stage,
    StoredAccount,
    StoredSession,
    end_sessions,
    insert_session,
    replace_session,
    session_of,
    sessions_of,
    spelled_login,
)
from recognizance.governing.attempts import Attempts
from recognizance.governing.passwords import PasswordHasher
from recognizance.governing.registration import Actor
from recognizance.records import Reader, Records, Transaction

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
"""ASVS 3.3.2, level 2: 30 minutes without activity, 12 hours in all."""

HALF_WAY = timedelta(minutes=10)
"""How long the second step of signing in may take."""

RECENT = timedelta(minutes=10)
"""How long ago somebody may have proved who they are, for changing how they do it."""

_SEEN_EVERY = timedelta(minutes=1)
_TOKEN_BYTES = 32
_LONGEST_DEVICE = 200
_CLEARED_AT_ONCE = 100


class WrongCredentialsError(AuthenticationError):
    """Login, password or code is wrong. Which of them, nobody is told."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whose request it is.

    Attributes:
        session: Names the session in the records; not the token.
        name: As registered; empty for the owner of a private installation.
        roles: As they are at this moment, for showing what there is to do; services look them up again.
        proved_recently: Whether they proved who they are only minutes ago.
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

    def actor(self) -> Actor:
        """Who acts, for services that govern."""
        return Actor(Principal(self.person, frozenset()), Asking(Credential.SIGN_IN))


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session's token at the only moment when it is known here."""

    token: str = field(repr=False)
    stage: Stage


@dataclass(frozen=True, slots=True)
class KnownSession:
    """One of somebody's own sessions, for them to look at."""

    id: str
    device: str
    created: datetime
    seen: datetime
    is_this: bool


class SignIn:
    """Opens sessions, finds whose they are, and ends them. Safe to share between threads.

    Args:
        needs_second_factor: Whether nobody gets in without one.
    """

    def __init__(
        self,
        records: Records,
        docket: Docket,
        index: AccountIndex,
        *,
        needs_second_factor: bool,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        hasher: PasswordHasher,
    ) -> None:
        self._records = records
        self._docket = docket
        self._index = index
        self._needs_second_factor = needs_second_factor
        self._clock = clock
        self._random_bytes = random_bytes
        self._hasher = hasher
        self._attempts = Attempts(clock=clock)

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
        self._attempts.begin(spelled, address)
        with self._records.reading() as reader:
            known = self._index.of_login(reader, spelled) if spelled else None
        kept = None if known is None else known.value.password
        usable = known is not None and known.state is AccountState.ACTIVE and self._takes_part(known.value)
        # The hash is worked out in every case, and only then does it matter whether there is an account.
        if not self._hasher.verify(kept, password) or not usable or known is None:
            raise WrongCredentialsError("login or password is wrong")
        self._attempts.succeeded(spelled, address)
        if self._hasher.is_outdated(known.value.password):
            self._rehash(known.value, password)
        return self._open(known.value, device)

    def trusted(self, person: PersonId, *, device: str) -> OpenedSession:
        """Begin a session of somebody whose password was set this moment, in this browser.

        Raises:
            WrongCredentialsError: If they have no active account.
        """
        with self._records.reading() as reader:
            known = self._index.of_person(reader, person)
        if known is None or known.state is not AccountState.ACTIVE or not self._takes_part(known.value):
            raise WrongCredentialsError("there is no such account")
        return self._open(known.value, device)

    def with_identity(self, identity: str, *, device: str, is_strong: bool) -> OpenedSession:
        """Begin a session of whoever an OpenID provider vouches for.

        Args:
            identity: As `accounts.identity_of` spells it.
            is_strong: Whether the provider says that it asked for a second factor itself.

        Raises:
            WrongCredentialsError: If no account is linked to it.
        """
        with self._records.reading() as reader:
            known = self._index.of_identity(reader, identity)
        if known is None or known.state is not AccountState.ACTIVE or not self._takes_part(known.value):
            raise WrongCredentialsError("no account is linked to this identity")
        return self._open(known.value, device, is_strong=is_strong)

    def with_code(self, token: str, code: str, *, address: str) -> OpenedSession:
        """Complete a session with a code of the authenticator app, or with a recovery code, which is used up.

        Raises:
            TooManyAttemptsError: If there were too many failures.
            WrongCredentialsError: If the code is wrong, or this session doesn't wait for one.
        """
        person = self._waiting(token).value.person
        self._attempts.begin(f"second factor of {person}", address)
        with self._records.transaction() as transaction:
            session, known = self._waiting_in(transaction, token)
            account = self._with_code_spent(known.value, code)
            if account is None:
                raise WrongCredentialsError("the code is wrong")
            self._index.replace(transaction, known, account)
            opened = self._rotate(transaction, session, Stage.COMPLETE)
        self._attempts.succeeded(f"second factor of {person}", address)
        return opened

    def begin_authenticator(self, token: str) -> bytes:
        """Draw a secret for an authenticator app, which counts once `confirm_authenticator` has seen a code of it."""
        secret = self._random_bytes(one_time.SECRET_BYTES)
        with self._records.transaction() as transaction:
            session = self._session(transaction, token)
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
            session = self._session(transaction, token)
            secret = session.value.pending_totp
            step = (
                None if not secret else one_time.accepted_step(bytes.fromhex(secret), code, now=self._clock(), after=-1)
            )
            if step is None:
                raise WrongCredentialsError("the code is wrong")
            known = self._account(transaction, session.value.person)
            digests = tuple(one_time.recovery_digest(each) for each in codes)
            account = replace(known.value, totp_secret=secret, totp_step=step, recovery=digests)
            self._index.replace(transaction, known, account)
            end_sessions(transaction, session.value.person, but=session.document.id)
            opened = self._rotate(transaction, session, Stage.COMPLETE)
        return opened, codes

    def draw_recovery_codes(self, token: str) -> tuple[str, ...]:
        """Ten new recovery codes, which replace those that are left."""
        codes = one_time.draw_recovery_codes(self._random_bytes)
        with self._records.transaction() as transaction:
            session = self._session(transaction, token)
            known = self._account(transaction, session.value.person)
            account = replace(known.value, recovery=tuple(one_time.recovery_digest(each) for each in codes))
            self._index.replace(transaction, known, account)
        return codes

    def confirm_password(self, token: str, password: str, *, address: str) -> bool:
        """Whether this is the password of whoever is signed in; if so, they count as having proved who they are.

        Raises:
            TooManyAttemptsError: If there were too many failures.
        """
        with self._records.reading() as reader:
            session = self._session(reader, token)
            known = self._account(reader, session.value.person)
        self._attempts.begin(known.value.login, address)
        if not self._hasher.verify(known.value.password or None, password):
            return False
        self._attempts.succeeded(known.value.login, address)
        with self._records.transaction() as transaction:
            session = self._session(transaction, token)
            replace_session(transaction, session, replace(session.value, proved=self._clock()))
        return True

    def whose(self, token: str) -> SignedIn | None:
        """Whose session this is; `None` if it has ended, or there never was one."""
        now = self._clock()
        with self._records.reading() as reader:
            session = session_of(reader, token)
            if session is None or not _lasts(session, now):
                return None
            known = self._index.of_person(reader, session.value.person)
            person = found(reader, Kind.PERSON, session.value.person, PersonRecord)
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
            has_second_factor=known.value.has_second_factor,
        )

    def sessions(self, signed_in: SignedIn) -> list[KnownSession]:
        """All sessions of whoever is signed in, the latest first."""
        now = self._clock()
        with self._records.reading() as reader:
            known = [each for each in sessions_of(reader, signed_in.person) if _lasts(each, now)]
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

    def _takes_part(self, account: Account) -> bool:
        return self._docket.party(account.person) is not None

    def _open(self, account: Account, device: str, *, is_strong: bool = False) -> OpenedSession:
        if account.has_second_factor and not is_strong:
            stage = Stage.SECOND_FACTOR
        elif self._needs_second_factor and not is_strong:
            stage = Stage.ENROLMENT
        else:
            stage = Stage.COMPLETE
        now, token = self._clock(), self._token()
        record = SessionRecord(account.person, now, now, now, _shown(device))
        ends = now + (HALF_WAY if stage is Stage.SECOND_FACTOR else ABSOLUTE)
        with self._records.transaction() as transaction:
            # Whoever comes clears away what has ended since the last one came.
            for document in transaction.documents_due(SESSION_KIND, now, limit=_CLEARED_AT_ONCE):
                transaction.delete_document(SESSION_KIND, document.id)
            insert_session(transaction, token, record, stage=stage, ends=ends)
        return OpenedSession(token, stage)

    def _rotate(self, transaction: Transaction, session: StoredSession, stage: Stage) -> OpenedSession:
        """The same browser under a new token: what was known of it before a step isn't known after it."""
        now, token = self._clock(), self._token()
        record = replace(session.value, created=now, seen=now, proved=now, pending_totp="")
        transaction.delete_document(SESSION_KIND, session.document.id)
        insert_session(transaction, token, record, stage=stage, ends=now + ABSOLUTE)
        return OpenedSession(token, stage)

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
                known = self._account(transaction, account.person)
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

    def _waiting(self, token: str) -> StoredSession:
        with self._records.reading() as reader:
            return self._waiting_in(reader, token)[0]

    def _waiting_in(self, reader: Reader, token: str) -> tuple[StoredSession, StoredAccount]:
        session = self._session(reader, token)
        if session.document.state != Stage.SECOND_FACTOR:
            raise WrongCredentialsError("this session doesn't wait for a code")
        return session, self._account(reader, session.value.person)

    def _session(self, reader: Reader, token: str) -> StoredSession:
        session = session_of(reader, token)
        if session is None or not _lasts(session, self._clock()):
            raise WrongCredentialsError("this session has ended")
        return session

    def _account(self, reader: Reader, person: PersonId) -> StoredAccount:
        known = self._index.of_person(reader, person)
        if known is None or known.state is not AccountState.ACTIVE:
            raise WrongCredentialsError("there is no such account")
        return known

    def _token(self) -> str:
        return base64.urlsafe_b64encode(self._random_bytes(_TOKEN_BYTES)).decode().rstrip("=")


def _lasts(session: StoredSession, now: datetime) -> bool:
    ends = session.document.due
    return ends is not None and now < ends and now - session.value.seen < IDLE


def _shown(device: str) -> str:
    return "".join(character for character in device if character.isprintable())[:_LONGEST_DEVICE]
