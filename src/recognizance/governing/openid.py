"""Signing in at an OpenID provider: the authorization code flow with PKCE, and no word of the provider taken unread.

The only file that speaks to a provider and that imports joserfc. A provider says who somebody is; which person of the
register that is, an administrator has said before (`account link`), and what they may do is for the policy. A provider
that doesn't say that it asked for a second factor (`amr`, RFC 8176) leaves that to us, where the installation wants
one.

Implements OpenID Connect Core 1.0, 3.1 (with a nonce), RFC 7636 (PKCE, S256) and RFC 9207 (the issuer in the answer).
All addresses are the provider's own, over TLS unless it is on this machine; answers are bounded, redirects aren't
followed.
"""

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, cast
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, Request, build_opener

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from recognizance.errors import AuthenticationError, InputError, UnavailableError
from recognizance.galleries import Clock
from recognizance.governing.accounts import identity_of
from recognizance.governing.certificates import client_context

_ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "EdDSA"]
"""Signatures that the provider alone can make: never `none`, and no shared secret (RFC 8725, 3.1)."""

_TIMEOUT_S = 10.0
_MOST_BYTES = 1 << 20
_LEEWAY_S = 60
_STRONG = frozenset({"mfa", "otp", "hwk", "swk"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class OpenIdError(AuthenticationError):
    """What the provider sent doesn't prove who this is. Says no more than that."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider as the settings name it. Its issuer is an address of which everything else is found.

    Attributes:
        revoked: As `client_context` takes it.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    revoked: str = ""

    def __post_init__(self) -> None:
        _require_private_line(self.issuer)
        if not self.client_id:
            raise InputError("an OpenID provider needs a client id")


@dataclass(frozen=True, slots=True)
class Errand:
    """One browser's way to the provider and back: what it takes along, and what has to come back with it.

    Attributes:
        state: Ties the answer to this browser.
        nonce: Ties the token to this errand.
        verifier: Proves to the provider that whoever redeems the code asked for it.
    """

    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom the provider vouches for.

    Attributes:
        identity: As accounts keep it.
        is_strong: Whether it says that it asked for more than a password.
    """

    identity: str
    is_strong: bool


class OpenId:
    """Sends browsers to one provider, and reads what they come back with. Safe to share between threads."""

    def __init__(self, provider: Provider, *, clock: Clock, random_bytes: Callable[[int], bytes]) -> None:
        self._provider = provider
        self._clock = clock
        self._random_bytes = random_bytes

    def begin(self, *, redirect_uri: str) -> tuple[Errand, str]:
        """Draw an errand, and say where the browser has to go for it.

        Raises:
            UnavailableError: If the provider doesn't answer.
        """
        errand = Errand(*(self._drawn() for _ in range(3)))
        challenge = _base64url(sha256(errand.verifier.encode()).digest())
        asked = {
            "response_type": "code",
            "client_id": self._provider.client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid",
            "state": errand.state,
            "nonce": errand.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = self._endpoint("authorization_endpoint")
        return errand, f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    def finish(self, errand: Errand, answer: Mapping[str, str], *, redirect_uri: str) -> Vouched:
        """Redeem what a browser came back with.

        Args:
            answer: The query of the request that brought it back.

        Raises:
            OpenIdError: If anything doesn't fit.
            UnavailableError: If the provider doesn't answer.
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), errand.state.encode()):
            raise OpenIdError("the answer is not for this browser")
        if answer.get("iss", self._provider.issuer) != self._provider.issuer:
            raise OpenIdError("the answer is another provider's")
        code = answer.get("code", "")
        if not code:
            raise OpenIdError("the provider didn't let them in")
        token = self._redeemed(code, errand.verifier, redirect_uri)
        claims = self._claims(token)
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), errand.nonce.encode()):
            raise OpenIdError("the token is not for this errand")
        methods = claims.get("amr", [])
        is_strong = isinstance(methods, list) and not _STRONG.isdisjoint(map(str, cast("list[object]", methods)))
        try:
            return Vouched(identity_of(self._provider.issuer, str(claims["sub"])), is_strong)
        except InputError as error:
            raise OpenIdError("the provider's name for this person can't be kept") from error

    def _redeemed(self, code: str, verifier: str, redirect_uri: str) -> str:
        body = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self._provider.client_id,
            "code_verifier": verifier,
        }
        headers: dict[str, str] = {}
        if self._provider.client_secret:
            pair = f"{self._provider.client_id}:{self._provider.client_secret}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        answered = self._fetched(self._endpoint("token_endpoint"), urlencode(body).encode(), headers)
        token = answered.get("id_token")
        if not isinstance(token, str):
            raise OpenIdError("the provider gave no token")
        return token

    def _claims(self, token: str) -> Mapping[str, Any]:
        """The claims of a token that the provider signed for us and that is valid now (Core, 3.1.3.7)."""
        keys = self._fetched(self._endpoint("jwks_uri"))
        now = int(self._clock().timestamp())
        registry = jwt.JWTClaimsRegistry(
            now=now,
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": self._provider.issuer},
            aud={"essential": True, "value": self._provider.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        try:
            claims = jwt.decode(token, KeySet.import_key_set(cast("Any", keys)), algorithms=_ALGORITHMS).claims
            registry.validate(claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise OpenIdError("the token doesn't hold") from error
        audience = claims["aud"]
        if isinstance(audience, list) and claims.get("azp", self._provider.client_id) != self._provider.client_id:
            raise OpenIdError("the token was given to somebody else")
        return claims

    def _endpoint(self, name: str) -> str:
        document = self._fetched(f"{self._provider.issuer.rstrip('/')}/.well-known/openid-configuration")
        # Discovery 1.0, 4.3: it has to be the very issuer, or anybody could answer for it.
        if document.get("issuer") != self._provider.issuer:
            raise OpenIdError("the provider answers under another name")
        address = document.get(name)
        if not isinstance(address, str):
            raise OpenIdError(f"the provider names no {name}")
        _require_private_line(address)
        return address

    def _fetched(
        self, address: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Mapping[str, object]:
        request = Request(address, body, {"Accept": "application/json", **(headers or {})})  # noqa: S310  # https, or loopback
        try:
            with self._opener().open(request, timeout=_TIMEOUT_S) as answer:
                data: bytes = answer.read(_MOST_BYTES + 1)
        except HTTPError as error:
            error.close()
            if error.code < 500 and body is not None:
                raise OpenIdError("the provider refused the code") from error
            raise UnavailableError(f"the OpenID provider answered {error.code}") from error
        except (OSError, InputError) as error:
            # Whoever signs in isn't told which file of ours is amiss; the start is refused for it.
            raise UnavailableError("the OpenID provider can't be reached") from error
        if len(data) > _MOST_BYTES:
            raise OpenIdError(f"the provider's answer is larger than {_MOST_BYTES} bytes")
        try:
            document = json.loads(data)
        except ValueError as error:
            raise OpenIdError("the provider's answer is no JSON") from error
        if not isinstance(document, dict):
            raise OpenIdError("the provider's answer is no object")
        return cast("dict[str, object]", document)

    def _opener(self) -> OpenerDirector:
        # A fresh one each time, so that revocation lists that were renewed count.
        return build_opener(_NoRedirect(), HTTPSHandler(context=client_context(revoked=self._provider.revoked)))

    def _drawn(self) -> str:
        return _base64url(self._random_bytes(32))


class _NoRedirect(HTTPRedirectHandler):
    """A provider that sends the server elsewhere is not followed there."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _require_private_line(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise InputError(f"{address!r} is no address of an OpenID provider: it has to begin with https://")


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
