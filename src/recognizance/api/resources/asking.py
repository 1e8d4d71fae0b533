"""Requests that people make themselves, without an account: asked, followed, taken back, appealed.

Never says whether anything is held: answers go to the address that was given, after an officer has checked who asks.
The code goes in bodies, never in addresses, and over a private line only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from recognizance.api.forms import Name, PictureBase64, Text, form, picture_of
from recognizance.api.routes import Call, Method, Nothing, Route, Who
from recognizance.api.services import Services
from recognizance.errors import AuthenticationError
from recognizance.governance.parties import AgencyId
from recognizance.governance.subjects import Refusal, RequestKind, RequestState, SubjectRequest
from recognizance.intake import MAX_PHOTOGRAPH_BYTES

MAX_BODY_BYTES = 2 * MAX_PHOTOGRAPH_BYTES
"""A photograph in base64, and what is said with it."""


@form
class AskingForm:
    """What somebody asks about themselves.

    Attributes:
        asker: Who asks and how to reach them, in their own words. Sealed.
        statement: Sealed.
        photograph: For the desk to look with, once it knows who asks; destroyed when the request needs it no more;
            empty without one.
        agency: Whose desk is asked; null asks all that take part.
    """

    kind: RequestKind
    asker: Text
    statement: Text = ""
    photograph: PictureBase64 = ""
    agency: Name | None = None


@dataclass(frozen=True, slots=True)
class AskedPartView:
    """What one agency was asked."""

    agency: str | None
    reference: str
    deadline: date


@dataclass(frozen=True, slots=True)
class AskedView:
    """A request for each agency that was asked, and one code for all of them, which nobody can be told again."""

    code: str
    parts: tuple[AskedPartView, ...]


@form
class OwnForm:
    """What shows that a request is one's own."""

    reference: Name
    code: Name


@dataclass(frozen=True, slots=True)
class OwnRequestView:
    """How far one's own request is; nothing of what it brought up."""

    reference: str
    kind: RequestKind
    state: RequestState
    received: date
    deadline: date
    overdue: bool
    refusal: Refusal | None
    extension_reason: str


def ask(services: Services, call: Call[AskingForm, Nothing]) -> AskedView:
    _require_private(call)
    form = call.body
    services.writers.requests.take(call.address)
    asked = services.intake.ask(
        form.kind,
        asker=form.asker,
        statement=form.statement,
        photograph=picture_of(form.photograph) if form.photograph else None,
        agency=None if form.agency is None else AgencyId(form.agency),
    )
    parts = tuple(AskedPartView(each.agency, each.request.id, each.request.deadline) for each in asked.parts)
    return AskedView(asked.code, parts)


def show_own_request(services: Services, call: Call[OwnForm, Nothing]) -> OwnRequestView:
    return _own(services, call, services.intake.status)


def withdraw_own_request(services: Services, call: Call[OwnForm, Nothing]) -> OwnRequestView:
    return _own(services, call, services.intake.withdraw)


def appeal_own_request(services: Services, call: Call[OwnForm, Nothing]) -> OwnRequestView:
    return _own(services, call, services.intake.appeal)


def _own(services: Services, call: Call[OwnForm, Nothing], act: Callable[[str, str], SubjectRequest]) -> OwnRequestView:
    """Do something with a request whose code is given. Codes can't be guessed; machines are kept from trying anyway."""
    _require_private(call)
    reference, code = call.body.reference, call.body.code
    services.writers.attempts.begin(reference, call.address)
    # Apart from the act, so that one that is refused by the request's state doesn't count as a wrong code.
    services.intake.status(reference, code)
    services.writers.attempts.succeeded(reference, call.address)
    request = act(reference, code)
    return OwnRequestView(
        reference=request.id,
        kind=request.kind,
        state=request.state,
        received=request.received,
        deadline=request.deadline,
        overdue=request.is_overdue_on(services.clock().date()),
        refusal=request.refusal,
        extension_reason=request.extension_reason,
    )


def _require_private(call: Call[object, object]) -> None:
    if not call.is_private:
        raise AuthenticationError("what people say about themselves is sent over https or on this machine only")


ROUTES = (
    Route(
        "ask",
        Method.POST,
        "/asking",
        "Ask what is held about oneself, without an account, at a pace.",
        ask,
        AskedView,
        Who.ANYBODY,
        body=AskingForm,
        status=201,
        max_body_bytes=MAX_BODY_BYTES,
    ),
    Route(
        "show_own_request",
        Method.POST,
        "/asking/status",
        "Show how far one's own request is, by its reference and code.",
        show_own_request,
        OwnRequestView,
        Who.ANYBODY,
        body=OwnForm,
    ),
    Route(
        "withdraw_own_request",
        Method.POST,
        "/asking/withdrawal",
        "Take one's own request back.",
        withdraw_own_request,
        OwnRequestView,
        Who.ANYBODY,
        body=OwnForm,
    ),
    Route(
        "appeal_own_request",
        Method.POST,
        "/asking/appeal",
        "Have an answer or a refusal looked at by another officer.",
        appeal_own_request,
        OwnRequestView,
        Who.ANYBODY,
        body=OwnForm,
    ),
)
