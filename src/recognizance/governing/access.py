"""Access keys: drawing them, and saying who signs with one.

A key's secret is shown once, when it is drawn. It's kept sealed, because a signature can only be checked with it.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from recognizance.docket import MACHINE
from recognizance.documents import Kind, found, inserted
from recognizance.errors import NotFoundError
from recognizance.galleries import Clock
from recognizance.governance import Asking, Credential, Principal, Role, parties
from recognizance.identifiers import AccessKeyId, PrincipalId
from recognizance.ledger.facts import Standing
from recognizance.recording import Recorder, acts
from recognizance.records import AccessKey, Records, Secret, Transaction

ADMINISTRATOR = MACHINE
"""Whom a key belongs to unless it's said otherwise."""

_PREFIX = "RCGZ"
_ID_RANDOM_BYTES = 10
_SECRET_RANDOM_BYTES = 30


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key pair at the only moment when both halves are known outside."""

    id: AccessKeyId
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Signer:
    """Whom a request counts as when it's signed with `secret`.

    Attributes:
        asking: How they prove who they are, the use that it binds them to, and what was stated with it.
        session_name: Of a session, as its caller chose it; `None` for a long-lived key.
    """

    principal: Principal
    secret: str = field(repr=False)
    asking: Asking = field(default_factory=lambda: Asking(Credential.PERSON_KEY))
    session_name: str | None = None


def draw_key_pair(random_bytes: Callable[[int], bytes]) -> IssuedKey:
    """Draw a key pair: 20 characters `[A-Z2-7]` and 40 characters of base64, 80 and 240 random bits."""
    key_id = AccessKeyId(_PREFIX + base64.b32encode(random_bytes(_ID_RANDOM_BYTES)).decode())
    return IssuedKey(key_id, base64.b64encode(random_bytes(_SECRET_RANDOM_BYTES)).decode())


class AccessKeys:
    """Draws, lists, switches off and deletes access keys.

    Args:
        random_bytes: `os.urandom`, or a test's own.
    """

    def __init__(
        self, records: Records, recorder: Recorder, *, clock: Clock, random_bytes: Callable[[int], bytes]
    ) -> None:
        self._records = records
        self._recorder = recorder
        self._clock = clock
        self._random_bytes = random_bytes

    def create(self, principal: PrincipalId = ADMINISTRATOR, *, expires: datetime | None = None) -> IssuedKey:
        """Draw a key pair for `principal`, who has to be known only where the profile knows people.

        Args:
            expires: The first moment at which it works no more; `None` for a key that is good until it's switched off.

        Raises:
            InputError: If it expires before it is drawn.
        """
        issued, now = draw_key_pair(self._random_bytes), self._clock()
        kind = parties.OwnerKind.PERSON
        limited = None if expires is None else parties.AccessKey(issued.id, kind, principal, now, expires)
        with self._recorder.changing() as change:
            change.transaction.add_access_key(
                issued.id, secret=Secret(issued.secret.encode()), principal=principal, created=now
            )
            if limited is not None:
                inserted(change.transaction, Kind.KEY, issued.id, limited)
            change.enter(acts.access_key(issued.id, principal, Standing.ADDED, expires=expires))
        return issued

    def first(self) -> IssuedKey | None:
        """The oldest active key with its secret: what a program that starts the server for itself signs with."""
        with self._records.reading() as reader:
            key = next((key for key in reader.access_keys() if key.active), None)
            pair = None if key is None else reader.access_key(key.id)
        return None if pair is None else IssuedKey(pair.key.id, pair.secret.reveal().decode())

    def signer(self, key_id: AccessKeyId) -> Signer | None:
        """Who signs with this key; `None` if there is none of this id, or it's switched off."""
        with self._records.reading() as reader:
            pair = reader.access_key(key_id)
            # Keys that were drawn for nobody in particular are the machine's, and say no more than that.
            known = None if pair is None else found(reader, Kind.KEY, key_id, parties.AccessKey)
        if pair is None or not pair.key.active:
            return None
        key = None if known is None else known.value
        if key is not None and not key.is_valid_at(self._clock()):
            return None
        return Signer(principal_of(pair.key.principal), pair.secret.reveal().decode(), _asking(key))

    def list(self) -> list[AccessKey]:
        """All keys, oldest first, without their secrets."""
        with self._records.reading() as reader:
            return reader.access_keys()

    def limits(self) -> dict[AccessKeyId, parties.AccessKey]:
        """What ends a key by itself or binds it to a use, for those keys that have such a limit."""
        with self._records.reading() as reader:
            known = {key.id: found(reader, Kind.KEY, key.id, parties.AccessKey) for key in reader.access_keys()}
        return {key: limit.value for key, limit in known.items() if limit is not None}

    def switch(self, key_id: AccessKeyId, *, active: bool) -> None:
        """Switch a key on or off, from the next request on.

        Raises:
            NotFoundError: If there is none of this id.
        """
        with self._recorder.changing() as change:
            change.transaction.set_access_key_active(key_id, active=active)
            owner = _owner(change.transaction, key_id)
            change.enter(acts.access_key(key_id, owner, Standing.RESUMED if active else Standing.SUSPENDED))

    def delete(self, key_id: AccessKeyId) -> None:
        """Remove a key and its secret.

        Raises:
            NotFoundError: If there is none of this id.
        """
        with self._recorder.changing() as change:
            owner = _owner(change.transaction, key_id)
            change.transaction.delete_access_key(key_id)
            change.enter(acts.access_key(key_id, owner, Standing.REMOVED))


def _owner(transaction: Transaction, key_id: AccessKeyId) -> PrincipalId:
    pair = transaction.access_key(key_id)
    if pair is None:
        raise NotFoundError(f"there is no access key {key_id!r}")
    return pair.key.principal


def _asking(key: parties.AccessKey | None) -> Asking:
    if key is None:
        return Asking(Credential.PERSON_KEY)
    credential = Credential.PERSON_KEY if key.owner_kind is parties.OwnerKind.PERSON else Credential.PROGRAM_KEY
    return Asking(credential, use=key.bound_use, bound_use=key.bound_use)


def principal_of(owner: PrincipalId) -> Principal:
    """Who signs with a key of `owner`. Every key is an administrator's, until agencies and their people are known."""
    return Principal(owner, frozenset({Role.ADMINISTRATOR}))
