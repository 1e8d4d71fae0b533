"""A visit: one request for a page, with everything that the page needs to know of whoever sent it.

A page is a function from a visit to a response. It runs in a thread, so that it may call services that wait for the
disk; what has to be awaited (the form, the session) was read before. The visit says who is signed in, in which language
to speak, what was typed, and makes the response: a template, a redirect, or a message for the next page.

It never trusts what the browser keeps: language and theme are checked against what there is, a message for the next
page is signed, and a session is a random token that means nothing outside the records.
"""

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from recognizance.errors import Error
from recognizance.governance import Credential
from recognizance.governance.parties import Role
from recognizance.governing.account_documents import Stage
from recognizance.governing.registration import Actor
from recognizance.governing.signing_in import SignedIn
from recognizance.reviewing.askers import Asker
from recognizance.web.forms import Form
from recognizance.web.language import Wording
from recognizance.web.refusals import said
from recognizance.web.security import is_local_path

LANGUAGE_COOKIE = "language"
THEME_COOKIE = "theme"
YEAR_S = 365 * 24 * 3600
_MESSAGE_S = 60
_MOST_MESSAGE_CHARACTERS = 600
_MOST_MESSAGES = 2


class Theme(StrEnum):
    """`AUTO` is what the reader's machine prefers."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


class Tone(StrEnum):
    """What kind of message a page begins with."""

    DONE = "done"
    NOTE = "note"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Message:
    tone: Tone
    text: str


class CookieJar:
    """Names, signs and sets the cookies of one connection.

    Over TLS each name begins with `__Host-`, which a browser takes only from this very host, and only with `Secure`. On
    the same machine without TLS both are left away, because some browsers would then keep no cookie at all.
    """

    def __init__(self, key: bytes, *, is_tls: bool) -> None:
        self._key = key
        self._is_tls = is_tls

    def name(self, plain: str) -> str:
        return f"__Host-{plain}" if self._is_tls else plain

    def read(self, request: Request, plain: str) -> str:
        return request.cookies.get(self.name(plain), "")

    def set(self, response: Response, plain: str, value: str, *, max_age_s: int | None = None) -> None:
        response.set_cookie(
            self.name(plain), value, max_age=max_age_s, path="/", secure=self._is_tls, httponly=True, samesite="lax"
        )

    def drop(self, response: Response, plain: str) -> None:
        response.delete_cookie(self.name(plain), path="/", secure=self._is_tls, httponly=True, samesite="lax")

    def signature(self, purpose: str, value: str) -> str:
        digest = hmac.digest(self._key, f"{purpose}\n{value}".encode(), "sha256")
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def is_signed(self, purpose: str, value: str, signature: str) -> bool:
        return hmac.compare_digest(self.signature(purpose, value).encode(), signature.encode())


SESSION_COOKIE = "session"
VISITOR_COOKIE = "visitor"
"""For who isn't signed in: what the token of a form is bound to, until there is a session."""
MESSAGE_COOKIE = "message"

Render = Callable[["Visit", str, Mapping[str, object]], str]


@dataclass(slots=True)
class Visit:
    """One request for a page.

    Attributes:
        signed_in: Whoever is signed in completely; `None` for everybody else.
        address: Of the browser, as the connection or the proxy says.
        origin: Scheme, host and port of the pages, as the browser has it in its address line.
        is_private: Whether nobody can read along: over TLS, or on the same machine.
        half_way: Whoever still lacks a second factor, for the pages that ask for it; `None` for everybody else.
        form: What was sent; empty unless something was.
        session_token: Of the session, complete or half way; for the services of signing in.
        lapsed_token: Of a session that the browser names and that isn't there any more; it lets nobody in.
    """

    request: Request
    wording: Wording
    theme: Theme
    cookies: CookieJar
    address: str
    is_private: bool
    origin: str
    render: Render = field(repr=False)
    form: Form = field(default_factory=Form)
    signed_in: SignedIn | None = None
    half_way: SignedIn | None = None
    session_token: str = field(default="", repr=False)
    lapsed_token: str = field(default="", repr=False)
    visitor_token: str = field(default="", repr=False)
    messages: list[Message] = field(default_factory=list[Message])
    _next_messages: list[Message] = field(default_factory=list[Message])
    _new_session: str | None = field(default=None, repr=False)
    _has_form: bool = False

    # What a page asks.

    @property
    def is_post(self) -> bool:
        return self.request.method == "POST"

    @property
    def query(self) -> QueryParams:
        return self.request.query_params

    @property
    def path(self) -> Mapping[str, Any]:
        """The parts of the path that the page's route names."""
        return self.request.path_params

    @property
    def who(self) -> SignedIn:
        """Whoever is signed in, on a page that nobody else gets to."""
        if self.signed_in is None:
            raise ValueError("this page is for everybody; ask `signed_in` instead")
        return self.signed_in

    def actor(self) -> Actor:
        """Who acts, for the services: whoever is signed in. Which roles they have is for the policy to look up."""
        return self.who.actor()

    def asker(self) -> Asker:
        """Who asks, for the services of reviewing."""
        return Asker(self.who.person, Credential.SIGN_IN)

    def has_role(self, *roles: Role) -> bool:
        """For showing what there is to do. It protects nothing: services ask the policy."""
        return self.signed_in is not None and not self.signed_in.roles.isdisjoint(roles)

    @property
    def browser_token(self) -> str:
        """What only this browser has: of its session, or of its visit until there is one."""
        return self.session_token or self.visitor_token

    # In the reader's language.

    def gettext(self, text: str) -> str:
        return self.wording.gettext(text)

    def ngettext(self, one: str, many: str, count: int) -> str:
        return self.wording.ngettext(one, many, count)

    def in_words(self, error: Error) -> str:
        """What a service said, in the reader's language where the catalogue has it."""
        return said(str(error), self.wording).text

    # What a page answers.

    def page(self, template: str, /, *, status: int = 200, **given: Any) -> Response:
        """A whole page, from a file of `templates/`."""
        text = self.render(self, template, given)
        response = Response(text, status_code=status, media_type="text/html; charset=utf-8")
        # It says who is signed in, so no cache but the reader's own going back may keep it.
        response.headers["Cache-Control"] = "no-store" if self.signed_in or self.half_way else "no-cache"
        return response

    def again(self, template: str, /, **given: Any) -> Response:
        """The page with its form once more, with what was typed and what is wrong with it."""
        return self.page(template, status=422, **given)

    def redirect(self, path: str) -> Response:
        """Send the reader on with a fresh GET, so that nothing is sent twice by going back."""
        if not is_local_path(path):
            raise ValueError("pages lead to pages of ours only")
        return RedirectResponse(path, status_code=303)

    def say(self, text: str, tone: Tone = Tone.DONE) -> None:
        """Begin the next page with a message, translated already."""
        self._next_messages.append(Message(tone, text))

    def sign_in_as(self, token: str) -> None:
        """Give this browser another session; `""` takes its session away."""
        self._new_session = token

    def csrf_token(self) -> str:
        """What each form holds: proof that it's a page of ours, made for this browser."""
        self._has_form = True
        return self.cookies.signature("form", self.browser_token)

    def has_own_token(self) -> bool:
        """Whether the form that was sent is one that we made for this browser and this session."""
        return self._is_token_of(self.browser_token)

    def has_lapsed_token(self) -> bool:
        """Whether the form that was sent is one that we made for the session that this browser had before."""
        return bool(self.lapsed_token) and self._is_token_of(self.lapsed_token)

    def _is_token_of(self, browser_token: str) -> bool:
        return self.cookies.is_signed("form", browser_token, self.form.raw("csrf"))

    def finish(self, response: Response) -> None:
        """Set the cookies that this visit decided on."""
        if self._new_session is not None:
            if self._new_session:
                self.cookies.set(response, SESSION_COOKIE, self._new_session)
            else:
                self.cookies.drop(response, SESSION_COOKIE)
            self.cookies.drop(response, VISITOR_COOKIE)
        elif self._has_form and not self.session_token and not self.cookies.read(self.request, VISITOR_COOKIE):
            self.cookies.set(response, VISITOR_COOKIE, self.visitor_token)
        if self._next_messages:
            self.cookies.set(
                response, MESSAGE_COOKIE, written_messages(self._next_messages, self.cookies), max_age_s=_MESSAGE_S
            )
        elif self.messages:
            self.cookies.drop(response, MESSAGE_COOKIE)


def written_messages(messages: list[Message], cookies: CookieJar) -> str:
    """Messages for the next page, signed: nobody else puts words on our pages."""
    texts = [[message.tone.value, message.text[:_MOST_MESSAGE_CHARACTERS]] for message in messages[:_MOST_MESSAGES]]
    value = base64.urlsafe_b64encode(json.dumps(texts, ensure_ascii=False).encode()).decode().rstrip("=")
    return f"{value}.{cookies.signature('message', value)}"


def read_messages(cookie: str, cookies: CookieJar) -> list[Message]:
    """Messages that we signed; nothing of anything else."""
    value, _, signature = cookie.partition(".")
    if not value or not cookies.is_signed("message", value, signature):
        return []
    texts = json.loads(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
    return [Message(Tone(tone), text) for tone, text in texts]


def is_complete(who: SignedIn | None) -> bool:
    return who is not None and who.stage is Stage.COMPLETE
