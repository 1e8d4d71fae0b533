"""What is kept of accounts and of who is signed in: sealed documents, found by labels that say nothing to a thief.

A login is somebody's name or address, so it's found by a keyed hash of it; an invitation and a session by the hash of
what their holder has. Whoever reads the database without the master key learns how many accounts there are.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from recognizance.errors import InputError, NotFoundError
from recognizance.governance.codec import read_document, write_document
from recognizance.governance.parties import PersonId
from recognizance.identifiers import PrincipalId
from recognizance.records import Document, Reader, Secret, Transaction

ACCOUNT_KIND = "account"
SESSION_KIND = "web_session"
PASSKEY_KIND = "passkey"

LOGIN_LABEL = "login"
INVITATION_LABEL = "invitation"
IDENTITY_LABEL = "identity"
PERSON_LABEL = "person"

LONGEST_LOGIN = 200
_PAGE = 500


class AccountState(StrEnum):
    INVITED = "invited"
    """A link was given out, and nobody has set a password with it yet."""
    ACTIVE = "active"
    DISABLED = "disabled"


class Stage(StrEnum):
    """How far somebody is with signing in: the state of their session."""

    SECOND_FACTOR = "second_factor"
    """The password was right, and the second factor is still to come."""
    ENROLMENT = "enrolment"
    """Signed in as far as setting up the second factor that the installation asks for."""
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class Account:
    """How one person signs in.

    Attributes:
        login: As it is typed, in its one spelling (`spelled_login`).
        password: An Argon2id hash; empty before a password was set, and for who signs in elsewhere only.
        totp_secret: Hexadecimal; empty without an authenticator app.
        totp_step: Of the code that was accepted last, so that it isn't accepted again.
        recovery: Digests of recovery codes that are left.
        identity: Issuer and subject at an OpenID provider, with a space between; empty without one.
        invitation_expires: Of the link that was given out last, if it still counts.
    """

    person: PersonId
    login: str
    password: str
    password_set: datetime | None
    totp_secret: str
    totp_step: int
    recovery: tuple[str, ...]
    identity: str
    invitation_expires: datetime | None

    @property
    def has_app(self) -> bool:
        return bool(self.totp_secret)


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A browser that somebody signed in with.

    Attributes:
        seen: To the minute or so; the time of the last request.
        proved: When they last proved who they are, by password or second factor.
        device: What the browser called itself, for its owner to know it by.
        pending_totp: A secret that is being set up and isn't confirmed yet; hexadecimal.
    """

    person: PersonId
    created: datetime
    seen: datetime
    proved: datetime
    device: str
    pending_totp: str = ""


@dataclass(frozen=True, slots=True)
class PasskeyRecord:
    """A passkey: the public half of a key pair on somebody's device.

    Attributes:
        name: What its owner calls it.
        site: The host name that it is bound to.
        credential: Identifier and public key as its maker wrote them (WebAuthn 6.5.1); hexadecimal.
        counter: Of its last use, as the device counts; many count nothing and always say 0.
    """

    person: PersonId
    name: str
    site: str
    credential: str
    counter: int
    created: datetime
    used: datetime | None


@dataclass(frozen=True, slots=True)
class StoredPasskey:
    value: PasskeyRecord
    document: Document


@dataclass(frozen=True, slots=True)
class StoredAccount:
    value: Account
    document: Document

    @property
    def state(self) -> AccountState:
        return AccountState(self.document.state)


@dataclass(frozen=True, slots=True)
class StoredSession:
    value: SessionRecord
    document: Document

    @property
    def stage(self) -> Stage:
        return Stage(self.document.state)


def spelled_login(text: str) -> str:
    """A login in its one spelling: without surrounding space, upper and lower case alike.

    Raises:
        InputError: If it is empty, too long, or has space or control characters in it.
    """
    login = text.strip().casefold()
    if not login or len(login) > LONGEST_LOGIN or not login.isprintable() or " " in login:
        raise InputError(f"a login has 1 to {LONGEST_LOGIN} characters without spaces, such as an e-mail address")
    return login


class AccountIndex:
    """Finds and writes accounts and sessions within a transaction.

    Args:
        label_key: Of this installation, for nothing else; makes labels of logins and identities.
    """

    def __init__(self, label_key: Secret) -> None:
        self._label_key = label_key

    def of_person(self, reader: Reader, person: PrincipalId) -> StoredAccount | None:
        try:
            document = reader.document(ACCOUNT_KIND, person)
        except NotFoundError:
            return None
        return _account(document)

    def of_login(self, reader: Reader, login: str) -> StoredAccount | None:
        return self._by(reader, LOGIN_LABEL, self._hashed(LOGIN_LABEL, login))

    def of_invitation(self, reader: Reader, token: str) -> StoredAccount | None:
        return self._by(reader, INVITATION_LABEL, digest_of(token))

    def of_identity(self, reader: Reader, identity: str) -> StoredAccount | None:
        return self._by(reader, IDENTITY_LABEL, self._hashed(IDENTITY_LABEL, identity))

    def every(self, reader: Reader) -> list[StoredAccount]:
        accounts: list[StoredAccount] = []
        after = ""
        while page := reader.documents(ACCOUNT_KIND, after=after, limit=_PAGE):
            after = page[-1].id
            accounts += [_account(document) for document in page]
        return accounts

    def is_empty(self, reader: Reader) -> bool:
        return not reader.documents(ACCOUNT_KIND, limit=1)

    def insert(self, transaction: Transaction, account: Account, *, invitation: str) -> None:
        labels = self._labels(account, digest_of(invitation))
        body = write_document(account)
        transaction.insert_document(Document(ACCOUNT_KIND, account.person, AccountState.INVITED, body, labels))

    def replace(
        self,
        transaction: Transaction,
        before: StoredAccount,
        account: Account,
        *,
        state: AccountState | None = None,
        invitation: str | None = None,
    ) -> None:
        """Write an account's next revision.

        Args:
            invitation: A fresh link; without one, an older link stays as long as the account says that it counts.
        """
        kept = before.document.labels.get(INVITATION_LABEL) if account.invitation_expires else None
        labels = self._labels(account, kept if invitation is None else digest_of(invitation))
        transaction.replace_document(
            replace(before.document, body=write_document(account), labels=labels, state=state or before.document.state)
        )

    def handle_of(self, person: PrincipalId) -> bytes:
        """What devices know a person by (WebAuthn 14.6.1): the same for all their passkeys, and nobody's name."""
        return bytes.fromhex(self._hashed(PASSKEY_KIND, person))

    def _labels(self, account: Account, invitation: str | None) -> Mapping[str, str]:
        labels = {LOGIN_LABEL: self._hashed(LOGIN_LABEL, account.login)}
        if invitation is not None:
            labels[INVITATION_LABEL] = invitation
        if account.identity:
            labels[IDENTITY_LABEL] = self._hashed(IDENTITY_LABEL, account.identity)
        return labels

    def _hashed(self, label: str, text: str) -> str:
        return hmac.digest(self._label_key.reveal(), f"{label}\n{text}".encode(), "sha256").hex()

    def _by(self, reader: Reader, label: str, value: str) -> StoredAccount | None:
        found = reader.documents(ACCOUNT_KIND, label=(label, value), limit=1)
        return _account(found[0]) if found else None


def session_of(reader: Reader, token: str) -> StoredSession | None:
    try:
        document = reader.document(SESSION_KIND, digest_of(token))
    except NotFoundError:
        return None
    return StoredSession(read_document(SessionRecord, document.body), document)


def sessions_of(reader: Reader, person: PersonId) -> list[StoredSession]:
    found = reader.documents(SESSION_KIND, label=(PERSON_LABEL, person), limit=_PAGE)
    return [StoredSession(read_document(SessionRecord, document.body), document) for document in found]


def insert_session(
    transaction: Transaction, token: str, record: SessionRecord, *, stage: Stage, ends: datetime
) -> None:
    labels = {PERSON_LABEL: record.person}
    body = write_document(record)
    transaction.insert_document(Document(SESSION_KIND, digest_of(token), stage, body, labels, due=ends))


def replace_session(transaction: Transaction, before: StoredSession, record: SessionRecord) -> None:
    transaction.replace_document(replace(before.document, body=write_document(record)))


def end_sessions(transaction: Transaction, person: PersonId, *, but: str | None = None) -> int:
    """End all sessions of a person but the one of a document's id; says how many."""
    ended = [each.document.id for each in sessions_of(transaction, person) if each.document.id != but]
    for document_id in ended:
        transaction.delete_document(SESSION_KIND, document_id)
    return len(ended)


def passkey_of(reader: Reader, credential_id: bytes) -> StoredPasskey | None:
    try:
        document = reader.document(PASSKEY_KIND, sha256(credential_id).hexdigest())
    except NotFoundError:
        return None
    return StoredPasskey(read_document(PasskeyRecord, document.body), document)


def passkeys_of(reader: Reader, person: PrincipalId) -> list[StoredPasskey]:
    """All passkeys of a person, the oldest first."""
    found = reader.documents(PASSKEY_KIND, label=(PERSON_LABEL, person), limit=_PAGE)
    kept = [StoredPasskey(read_document(PasskeyRecord, document.body), document) for document in found]
    return sorted(kept, key=lambda each: each.value.created)


def insert_passkey(transaction: Transaction, credential_id: bytes, record: PasskeyRecord) -> None:
    name, body = sha256(credential_id).hexdigest(), write_document(record)
    transaction.insert_document(Document(PASSKEY_KIND, name, "", body, {PERSON_LABEL: record.person}))


def replace_passkey(transaction: Transaction, before: StoredPasskey, record: PasskeyRecord) -> None:
    transaction.replace_document(replace(before.document, body=write_document(record)))


def end_passkeys(transaction: Transaction, person: PersonId) -> None:
    """Forget all passkeys of a person."""
    for each in passkeys_of(transaction, person):
        transaction.delete_document(PASSKEY_KIND, each.document.id)


def has_second_factor(reader: Reader, account: Account) -> bool:
    return account.has_app or bool(passkeys_of(reader, account.person))


def digest_of(token: str) -> str:
    """What is kept of a token: whoever reads it can't be taken for its holder."""
    return sha256(token.encode()).hexdigest()


def _account(document: Document) -> StoredAccount:
    return StoredAccount(read_document(Account, document.body), document)
