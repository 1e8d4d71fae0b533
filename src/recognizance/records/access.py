"""Access keys, with secrets that are sealed because a signature can only be checked with the secret itself.

Also the tokens by which a client says that a request is the same one again.
"""

import hmac
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, insert, select, update

from recognizance.errors import ConflictError, NotFoundError
from recognizance.identifiers import AccessKeyId, PrincipalId
from recognizance.records import schema
from recognizance.records.keys import DataKey, Secret, WrappedKey, context
from recognizance.records.rows import AccessKey, AccessKeyPair, TokenUse
from recognizance.records.session import Row, Session, opened

TOKEN_LIFETIME = timedelta(hours=24)
"""How long a request's token is remembered."""

INSTALLATION_CONTEXT = context("installation")
"""What the key that seals access keys is bound to."""

_keys = schema.access_keys.c
_tokens = schema.request_tokens.c
_THIS_KEY = _keys.access_key_id == bindparam("id")

_WRAPPED = select(schema.installation.c.wrapped_key)
_KEY = select(schema.access_keys).where(_THIS_KEY)
_ALL_KEYS = select(schema.access_keys).order_by(_keys.created, _keys.access_key_id)
_INSERT_KEY = insert(schema.access_keys)
_SET_ACTIVE = update(schema.access_keys).where(_THIS_KEY).values(active=bindparam("now_active"))
_DELETE_KEY = delete(schema.access_keys).where(_THIS_KEY)

_DROP_EXPIRED = delete(schema.request_tokens).where(_tokens.expires <= bindparam("now"))
_TOKEN = select(_tokens.request_hash).where(
    _tokens.operation == bindparam("operation"), _tokens.token == bindparam("token")
)
_INSERT_TOKEN = insert(schema.request_tokens)


class AccessReader(Session):
    def access_key(self, key_id: AccessKeyId) -> AccessKeyPair | None:
        """An access key and its secret, active or not; `None` if there is none of this id.

        Raises:
            CorruptionError: If the secret does not open.
        """
        row = self._run(_KEY, {"id": key_id}).one_or_none()
        if row is None:
            return None
        key = _key(row)
        return AccessKeyPair(key, Secret(self._access_cipher().unseal(row.sealed, _key_context(key.id, key.principal))))

    def access_keys(self) -> list[AccessKey]:
        """All access keys, oldest first, without their secrets."""
        return [_key(row) for row in self._run(_ALL_KEYS)]

    def derived_key(self, purpose: str) -> Secret:
        """A key of 32 bytes for one purpose, the same after every restart and after `Records.rewrap`."""
        wrapped = WrappedKey(self._run(_WRAPPED).scalar_one())
        key = self._master_key.unwrap(wrapped, INSTALLATION_CONTEXT)
        return Secret(hmac.digest(key.reveal(), context("derived key", purpose), "sha256"))

    def seal_outside(self, plain: bytes, purpose: str) -> bytes:
        """Seal something that is kept beside the database, such as a key in a backup, under the master key."""
        return DataKey(self.derived_key(purpose)).seal(plain, context("outside", purpose))

    def unseal_outside(self, sealed: bytes, purpose: str) -> bytes:
        """Undo `seal_outside`.

        Raises:
            CorruptionError: If the bytes were changed, or sealed for something else.
        """
        return DataKey(self.derived_key(purpose)).unseal(sealed, context("outside", purpose))

    def _access_cipher(self) -> DataKey:
        # Once for each transaction: what opens a page of documents is the same key.
        if self._installation_key is None:
            wrapped = self._run(_WRAPPED).scalar_one() if self._installed is None else self._installed
            self._installation_key = opened(self._master_key, wrapped, INSTALLATION_CONTEXT)
        return self._installation_key


class AccessWriter(AccessReader):
    def add_access_key(
        self, key_id: AccessKeyId, *, secret: Secret, principal: PrincipalId, created: datetime
    ) -> AccessKey:
        """Store an access key, active from now on.

        Raises:
            ConflictError: If the id is taken.
        """
        if self._run(_KEY, {"id": key_id}).one_or_none() is not None:
            raise ConflictError(f"the access key {key_id!r} exists")
        key = AccessKey(key_id, principal, created, active=True)
        sealed = self._access_cipher().seal(secret.reveal(), _key_context(key_id, principal))
        self._run(
            _INSERT_KEY,
            {
                "access_key_id": key_id,
                "principal": principal,
                "created": created,
                "active": True,
                "sealed": sealed,
            },
        )
        return key

    def set_access_key_active(self, key_id: AccessKeyId, *, active: bool) -> None:
        """Switch an access key on or off, from the next request on.

        Raises:
            NotFoundError: If there is none of this id.
        """
        if not self._run(_SET_ACTIVE, {"id": key_id, "now_active": active}).rowcount:
            raise NotFoundError(f"there is no access key {key_id!r}")

    def delete_access_key(self, key_id: AccessKeyId) -> None:
        """Remove an access key and its secret.

        Raises:
            NotFoundError: If there is none of this id.
        """
        if not self._run(_DELETE_KEY, {"id": key_id}).rowcount:
            raise NotFoundError(f"there is no access key {key_id!r}")
        self._erased = True

    def remember_token(self, operation: str, token: str, *, request_hash: bytes, now: datetime) -> TokenUse:
        """Say whether a request came before, and remember it if not; tokens are forgotten after `TOKEN_LIFETIME`.

        Belongs into the transaction that does what was asked: if that fails, the token was never used.

        Args:
            operation: Tokens of different operations don't meet.
            request_hash: SHA-256 over all of the request but the token.
        """
        self._run(_DROP_EXPIRED, {"now": now})
        known = self._run(_TOKEN, {"operation": operation, "token": token}).scalar_one_or_none()
        if known is not None:
            return TokenUse.REPLAY if hmac.compare_digest(known, request_hash) else TokenUse.MISMATCH
        self._run(
            _INSERT_TOKEN,
            {"operation": operation, "token": token, "request_hash": request_hash, "expires": now + TOKEN_LIFETIME},
        )
        return TokenUse.FIRST


def _key(row: Row) -> AccessKey:
    return AccessKey(AccessKeyId(row.access_key_id), PrincipalId(row.principal), row.created, row.active)


def _key_context(key_id: AccessKeyId, principal: PrincipalId) -> bytes:
    return context("access key", key_id, principal)
