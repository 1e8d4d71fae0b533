"""Accounts: how registered people come to sign in to the pages, and how that ends.

An administrator invites a person of the register; whoever has the link sets a password and, where the installation asks
for it, a second factor. An account gives nobody any right: which roles its person has is looked up with every request.
Each invitation, reset, suspension and return is an entry of the ledger, as keys are; what people do to their own
account (a new password, another telephone) is not the public's business.

Never shows, logs or keeps a link, a password or a code in a form that would let somebody in. Implements
docs/sign-in.md.
"""

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from recognizance.documents import Installation, Kind, PersonRecord, found
from recognizance.errors import ConflictError, InputError, NotFoundError
from recognizance.galleries import Clock
from recognizance.governance import Act
from recognizance.governance.parties import AgencyId, PersonId
from recognizance.governance.profiles import ProfileName
from recognizance.governing.account_documents import (
    Account,
    AccountIndex,
    AccountState,
    StoredAccount,
    end_passkeys,
    end_sessions,
    has_second_factor,
    spelled_login,
)
from recognizance.governing.account_news import AccountNews, Happening
from recognizance.governing.passwords import Flaw, PasswordHasher, Weakness, strength_of
from recognizance.governing.registration import NO_AGENCY, Actor, Gate
from recognizance.ledger import facts
from recognizance.recording import EntryDraft, Maker, Recorder, acts
from recognizance.records import Reader, Records, Transaction

INVITATION_LASTS = timedelta(hours=72)
_TOKEN_BYTES = 24


class WeakPasswordError(InputError):
    """A new password was refused. `flaw` says why, and `weakness` what made it guessable, if that is it."""

    def __init__(self, flaw: Flaw, weakness: Weakness | None) -> None:
        super().__init__(f"the password is refused: {flaw.value.replace('_', ' ')}")
        self.flaw = flaw
        self.weakness = weakness


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link's token at the only moment when it is known outside."""

    person: PersonId
    login: str
    token: str = field(repr=False)
    expires: datetime


@dataclass(frozen=True, slots=True)
class Invited:
    """Whom a link is for."""

    person: PersonId
    login: str
    name: str


class Accounts:
    """Invites, resets, disables, and lets people set their own password.

    Args:
        random_bytes: `os.urandom`, or a test's own.
    """

    def __init__(
        self,
        records: Records,
        recorder: Recorder,
        gate: Gate,
        installation: Installation,
        index: AccountIndex,
        news: AccountNews,
        *,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        hasher: PasswordHasher,
    ) -> None:
        self._records = records
        self._recorder = recorder
        self._gate = gate
        self._installation = installation
        self._index = index
        self._news = news
        self._clock = clock
        self._random_bytes = random_bytes
        self._hasher = hasher

    @property
    def needs_second_factor(self) -> bool:
        """Whether nobody signs in without one: so in the profile `law-enforcement`."""
        return self._installation.profile is ProfileName.LAW_ENFORCEMENT

    def invite(self, person: PersonId, login: str, *, by: Actor) -> Invitation:
        """Give a registered person an account, and a link to set it up with.

        Raises:
            DeniedError: If `by` doesn't issue keys.
            NotFoundError: If nobody of this pseudonym is registered.
            ConflictError: If they have an account already, or the login is somebody else's.
        """
        self._gate.require(by, Act.ISSUE_KEY)
        login, token, expires = spelled_login(login), self._token(), self._clock() + INVITATION_LASTS
        account = Account(person, login, "", None, "", -1, (), "", expires)
        with self._recorder.changing() as change:
            _name, agency = self._person(change.transaction, person)
            if self._index.of_person(change.transaction, person) is not None:
                raise ConflictError(f"{person!r} has an account; reset it instead")
            self._require_free(change.transaction, login)
            self._index.insert(change.transaction, account, invitation=token)
            change.enter(_account_entry(account, agency, facts.Standing.ADDED))
        return Invitation(person, login, token, expires)

    def reset(self, person: PersonId, *, by: Actor) -> Invitation:
        """Take password and second factors away, end all sessions, and give a link to set both up again.

        Raises:
            DeniedError: If `by` doesn't issue keys.
            NotFoundError: If they have no account.
            ConflictError: If it is disabled.
        """
        self._gate.require(by, Act.ISSUE_KEY)
        token, expires = self._token(), self._clock() + INVITATION_LASTS
        with self._recorder.changing() as change:
            _name, agency = self._person(change.transaction, person)
            known = self._known(change.transaction, person)
            if known.state is AccountState.DISABLED:
                raise ConflictError(f"the account of {person!r} is disabled; enable it first")
            emptied = Account(person, known.value.login, "", None, "", -1, (), known.value.identity, expires)
            self._index.replace(change.transaction, known, emptied, state=AccountState.INVITED, invitation=token)
            end_sessions(change.transaction, person)
            end_passkeys(change.transaction, person)
            self._news.note(change.transaction, person, Happening.RESET)
            change.enter(_account_entry(emptied, agency, facts.Standing.CHANGED))
        return Invitation(person, emptied.login, token, expires)

    def disable(self, person: PersonId, *, by: Actor) -> None:
        """Let nobody sign in as this person any more, and end all their sessions now."""
        self._set_state(person, AccountState.DISABLED, facts.Standing.SUSPENDED, by=by)

    def enable(self, person: PersonId, *, by: Actor) -> None:
        """Let a person whose account was disabled sign in again, as they did before.

        Raises:
            ConflictError: If it isn't disabled.
        """
        with self._records.reading() as reader:
            known = self._known(reader, person)
        if known.state is not AccountState.DISABLED:
            raise ConflictError(f"the account of {person!r} is not disabled")
        state = AccountState.ACTIVE if known.value.password or known.value.identity else AccountState.INVITED
        self._set_state(person, state, facts.Standing.RESUMED, by=by)

    def link_identity(self, person: PersonId, issuer: str, subject: str, *, by: Actor) -> None:
        """Let a person sign in at an OpenID provider, as whoever it knows by `subject`.

        Raises:
            ConflictError: If that is somebody else's account already.
        """
        self._gate.require(by, Act.ISSUE_KEY)
        identity = identity_of(issuer, subject)
        with self._recorder.changing() as change:
            _name, agency = self._person(change.transaction, person)
            known = self._known(change.transaction, person)
            other = self._index.of_identity(change.transaction, identity)
            if other is not None and other.value.person != person:
                raise ConflictError("another account is linked to this identity")
            linked = replace(known.value, identity=identity)
            self._index.replace(change.transaction, known, linked, state=AccountState.ACTIVE)
            self._news.note(change.transaction, person, Happening.IDENTITY_LINKED)
            change.enter(_account_entry(linked, agency, facts.Standing.CHANGED))

    def invited(self, token: str) -> Invited | None:
        """Whom this link is for; `None` if it was used, has expired, or was never given out."""
        with self._records.reading() as reader:
            known = self._open_invitation(reader, token)
            if known is None:
                return None
            name, _agency = self._person(reader, known.value.person)
        return Invited(known.value.person, known.value.login, name)

    def accept(self, token: str, password: str) -> Account:
        """Set the first password with a link, which is used up by it.

        Raises:
            NotFoundError: If the link doesn't count any more.
            WeakPasswordError: If the password would be guessed.
        """
        invited = self.invited(token)
        if invited is None:
            raise NotFoundError("this link was used, has expired, or was never given out")
        hashed = self._hashed(password, invited.login, invited.name)
        with self._records.transaction() as transaction:
            known = self._open_invitation(transaction, token)
            if known is None:
                raise NotFoundError("this link was used, has expired, or was never given out")
            account = replace(known.value, password=hashed, password_set=self._clock(), invitation_expires=None)
            self._index.replace(transaction, known, account, state=AccountState.ACTIVE)
            # Whoever has the link is about to be signed in and could say that they have seen it: the mail matters here.
            self._news.note(transaction, account.person, Happening.PASSWORD_SET, is_seen=True)
        return account

    def set_up_first(self, login: str, password: str) -> Account:
        """Make the first account, of whoever runs the machine. That they do is for the caller to have proved.

        Raises:
            ConflictError: If there is an account already.
            WeakPasswordError: If the password would be guessed.
        """
        login = spelled_login(login)
        hashed, person = self._hashed(password, login), self._installation.owner
        account = Account(person, login, hashed, self._clock(), "", -1, (), "", None)
        with self._recorder.changing() as change:
            if not self._index.is_empty(change.transaction):
                raise ConflictError("this installation has accounts already; an administrator invites others")
            _name, agency = self._person(change.transaction, person)
            self._index.insert(change.transaction, replace(account, password=""), invitation=self._token())
            known = self._known(change.transaction, person)
            self._index.replace(change.transaction, known, account, state=AccountState.ACTIVE)
            change.enter(_account_entry(account, agency, facts.Standing.ADDED))
        return account

    def change_password(self, person: PersonId, password: str, *, keep_session: str | None) -> None:
        """Set a new password, and end all other sessions. That it's them is for the caller to have proved.

        Args:
            keep_session: The document of the session that stays.

        Raises:
            WeakPasswordError: If the password would be guessed.
        """
        with self._records.reading() as reader:
            login = self._known(reader, person).value.login
            name, _agency = self._person(reader, person)
        hashed = self._hashed(password, login, name)
        with self._records.transaction() as transaction:
            known = self._known(transaction, person)
            account = replace(known.value, password=hashed, password_set=self._clock())
            self._index.replace(transaction, known, account)
            end_sessions(transaction, person, but=keep_session)
            self._news.note(transaction, person, Happening.PASSWORD_CHANGED, session=keep_session or "")

    def list(self) -> list[tuple[Account, AccountState]]:
        """All accounts, by pseudonym: for whoever runs the machine."""
        with self._records.reading() as reader:
            return [(each.value, each.state) for each in self._index.every(reader)]

    def of(self, person: PersonId) -> tuple[Account, AccountState] | None:
        with self._records.reading() as reader:
            known = self._index.of_person(reader, person)
        return None if known is None else (known.value, known.state)

    def is_doubly_guarded(self, account: Account) -> bool:
        """Whether they need more than a password to sign in: an authenticator app, or a passkey."""
        with self._records.reading() as reader:
            return has_second_factor(reader, account)

    @property
    def is_empty(self) -> bool:
        """Whether nobody has an account, so that the pages have to be set up first."""
        with self._records.reading() as reader:
            return self._index.is_empty(reader)

    def _set_state(self, person: PersonId, state: AccountState, standing: facts.Standing, *, by: Actor) -> None:
        self._gate.require(by, Act.ISSUE_KEY)
        with self._recorder.changing() as change:
            _name, agency = self._person(change.transaction, person)
            known = self._known(change.transaction, person)
            self._index.replace(change.transaction, known, known.value, state=state)
            is_over = state is AccountState.DISABLED
            if is_over:
                end_sessions(change.transaction, person)
            self._news.note(change.transaction, person, Happening.DISABLED if is_over else Happening.ENABLED)
            change.enter(_account_entry(known.value, agency, standing))

    def _hashed(self, password: str, *personal: str) -> str:
        require_strong(password, personal=personal)
        return self._hasher.hash(password)

    def _person(self, reader: Reader, person: PersonId) -> tuple[str, AgencyId | None]:
        """The name and agency of a registered person, or of the owner of a private installation."""
        record = found(reader, Kind.PERSON, person, PersonRecord)
        if record is not None:
            return record.value.name, record.value.person.agency
        if person == self._installation.owner:
            return "", self._installation.agency
        raise NotFoundError(f"nobody with the pseudonym {person!r} is registered")

    def _known(self, reader: Reader, person: PersonId) -> StoredAccount:
        known = self._index.of_person(reader, person)
        if known is None:
            raise NotFoundError(f"{person!r} has no account")
        return known

    def _open_invitation(self, reader: Reader, token: str) -> StoredAccount | None:
        known = self._index.of_invitation(reader, token)
        if known is None or known.state is not AccountState.INVITED:
            return None
        expires = known.value.invitation_expires
        return known if expires is not None and self._clock() < expires else None

    def _require_free(self, transaction: Transaction, login: str) -> None:
        if self._index.of_login(transaction, login) is not None:
            raise ConflictError("somebody else signs in with this login")

    def _token(self) -> str:
        return base64.urlsafe_b64encode(self._random_bytes(_TOKEN_BYTES)).decode()


def require_strong(password: str, *, personal: Iterable[str]) -> None:
    """Refuse a password that would be guessed.

    Raises:
        WeakPasswordError: Says why.
    """
    found = strength_of(password, personal=personal)
    if found.flaw is not None:
        raise WeakPasswordError(found.flaw, found.weakness)


def identity_of(issuer: str, subject: str) -> str:
    """How an account keeps who somebody is at an OpenID provider: neither part has a space in it.

    Raises:
        InputError: If one does, or is empty.
    """
    if not issuer or not subject or any(character.isspace() for character in issuer + subject):
        raise InputError("an identity is an issuer and a subject, without spaces")
    return f"{issuer} {subject}"


def _account_entry(account: Account, agency: AgencyId | None, standing: facts.Standing) -> Maker:
    def make(entry: EntryDraft) -> facts.Facts:
        return facts.Account(
            standing=standing,
            owner=entry.pseudonym(account.person),
            agency=NO_AGENCY if agency is None else acts.token(agency),
            login=entry.commit("login", account.login),
        )

    return make
