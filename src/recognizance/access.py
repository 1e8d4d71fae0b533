"""Access keys: drawing them, and saying who signs with one.

A key's secret is shown once, when it is drawn. It's kept sealed, because a signature can only be checked with it.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field

from recognizance.galleries import Clock
from recognizance.governance import Asking, Credential, Principal, Role
from recognizance.identifiers import AccessKeyId, PrincipalId
from recognizance.records import AccessKey, Records, Secret

ADMINISTRATOR = PrincipalId("administrator")
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


class AccessKeys:
    """Draws, lists, switches off and deletes access keys.

    Args:
        random_bytes: `os.urandom`, or a test's own.
    """

    def __init__(self, records: Records, *, clock: Clock, random_bytes: Callable[[int], bytes]) -> None:
        self._records = records
        self._clock = clock
        self._random_bytes = random_bytes

    def create(self, principal: PrincipalId = ADMINISTRATOR) -> IssuedKey:
        """Draw a key pair: 20 characters `[A-Z2-7]` and 40 characters of base64, 80 and 240 random bits."""
        key_id = AccessKeyId(_PREFIX + base64.b32encode(self._random_bytes(_ID_RANDOM_BYTES)).decode())
        secret = base64.b64encode(self._random_bytes(_SECRET_RANDOM_BYTES)).decode()
        with self._records.transaction() as transaction:
            transaction.add_access_key(
                key_id, secret=Secret(secret.encode()), principal=principal, created=self._clock()
            )
        return IssuedKey(key_id, secret)

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
        if pair is None or not pair.key.active:
            return None
        return Signer(principal_of(pair.key.principal), pair.secret.reveal().decode())

    def list(self) -> list[AccessKey]:
        """All keys, oldest first, without their secrets."""
        with self._records.reading() as reader:
            return reader.access_keys()

    def switch(self, key_id: AccessKeyId, *, active: bool) -> None:
        """Switch a key on or off, from the next request on.

        Raises:
            NotFoundError: If there is none of this id.
        """
        with self._records.transaction() as transaction:
            transaction.set_access_key_active(key_id, active=active)

    def delete(self, key_id: AccessKeyId) -> None:
        """Remove a key and its secret.

        Raises:
            NotFoundError: If there is none of this id.
        """
        with self._records.transaction() as transaction:
            transaction.delete_access_key(key_id)


def principal_of(owner: PrincipalId) -> Principal:
    """Who signs with a key of `owner`. Every key is an administrator's, until agencies and their people are known."""
    return Principal(owner, frozenset({Role.ADMINISTRATOR}))
