"""Problems: every refusal and failure as RFC 9457 problem details, with a `type` that leads to its explanation.

The one table from our errors to HTTP statuses is here. A refusal by policy says which policies refused, what is missing
and who can grant it. What was not meant to be raised becomes a bare 500 that says nothing.
"""

from dataclasses import dataclass
from typing import Final

from recognizance.api.forms import FormError
from recognizance.api.identification import REALM
from recognizance.api.routes import PREFIX, MethodError
from recognizance.errors import (
    AuthenticationError,
    ConflictError,
    CorruptionError,
    DeniedError,
    Error,
    ImageError,
    ImageTooLargeError,
    InputError,
    LimitError,
    NotFoundError,
    ThrottledError,
    UnavailableError,
)

MEDIA_TYPE = "application/problem+json"
TYPES = f"{PREFIX}/problems"
MAX_DETAIL = 2_000
ASK = "; ask "
"""Between what is missing and who can grant it, in the policies' own sentences."""


class TooLargeError(InputError):
    """The body is larger than the route takes."""


class TooSlowError(InputError):
    """The body did not come in time."""


class MediaTypeError(InputError):
    """The body is not of the type that the route takes."""


class CrossSiteError(DeniedError):
    """A page of somebody else's site made a browser send this."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its name in `type`, its HTTP status, and its title."""

    name: str
    status: int
    title: str


KINDS: Final[tuple[tuple[type[Error], Kind], ...]] = (
    (FormError, Kind("form", 422, "The request doesn't have the form that it should")),
    (MethodError, Kind("method", 405, "This isn't asked with that method")),
    (TooLargeError, Kind("too-large", 413, "The body is too large")),
    (TooSlowError, Kind("too-slow", 408, "The body did not come in time")),
    (MediaTypeError, Kind("media-type", 415, "The body is not of the type that is taken")),
    (ImageTooLargeError, Kind("image-too-large", 422, "The picture is beyond a limit")),
    (ImageError, Kind("image", 422, "This is no picture that can be read")),
    (NotFoundError, Kind("not-found", 404, "There is no such thing, or not for this caller")),
    (ConflictError, Kind("conflict", 409, "The state doesn't allow it (any more)")),
    (LimitError, Kind("limit", 409, "A limit would be passed")),
    (InputError, Kind("input", 422, "The request has to be changed")),
    (AuthenticationError, Kind("authentication", 401, "Nobody known has signed in")),
    (DeniedError, Kind("denied", 403, "Policy refuses")),
    (ThrottledError, Kind("throttled", 429, "Come back later")),
    (UnavailableError, Kind("unavailable", 503, "The service can't do it now; trying again is safe")),
    (CorruptionError, Kind("corruption", 500, "What is stored contradicts itself; a person has to look")),
)
"""Our classes, the narrowest first."""

INTERNAL: Final = Kind("internal", 500, "Something went wrong here")


@dataclass(frozen=True, slots=True)
class Missing:
    """What a refused caller lacks."""

    what: str
    ask: str


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field."""

    field: str
    detail: str


@dataclass(frozen=True, slots=True)
class Problem:
    """RFC 9457 problem details.

    Attributes:
        type: Leads to an explanation of this kind of problem; docs/api.md has the same, under the same name.
        request_id: Names this request in the server's log.
        decision_id: Of a refusal by policy; null for anything else.
        policies: The policies that refused, by name.
        missing: What is missing; who_can_grant names those to ask, in the same order.
        fields: Of a request of the wrong form, what is wrong where.
    """

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    decision_id: str | None
    policies: tuple[str, ...]
    missing: tuple[Missing, ...]
    who_can_grant: tuple[str, ...]
    fields: tuple[FieldProblem, ...]


def kind_of(error: Exception) -> Kind:
    """The kind of problem that an error is."""
    return next((kind for errors, kind in KINDS if isinstance(error, errors)), INTERNAL)


def problem_of(error: Exception, request_id: str) -> Problem:
    """Describe an error to the caller. Of what was not meant to be raised nothing is told."""
    kind = kind_of(error)
    denied = error if isinstance(error, DeniedError) else DeniedError("")
    missing = tuple(_missing(each) for each in denied.missing)
    fields = error.problems if isinstance(error, FormError) else ()
    return Problem(
        type=type_of(kind),
        title=kind.title,
        status=kind.status,
        detail=str(error)[:MAX_DETAIL] if isinstance(error, Error) else kind.title,
        request_id=request_id,
        decision_id=denied.decision_id or None,
        policies=denied.policies,
        missing=missing,
        who_can_grant=tuple(dict.fromkeys(each.ask for each in missing if each.ask)),
        fields=tuple(FieldProblem(place, said) for place, said in fields),
    )


def type_of(kind: Kind) -> str:
    """The URI of a kind of problem, which this service answers itself, because it has no other address for good."""
    return f"{TYPES}/{kind.name}"


def headers_of(error: Exception) -> dict[str, str]:
    """What a problem says in headers."""
    if isinstance(error, AuthenticationError):
        return {"www-authenticate": REALM}
    if isinstance(error, MethodError):
        return {"allow": ", ".join(error.allowed)}
    if isinstance(error, ThrottledError):
        return {"retry-after": "1"}
    return {}


def _missing(sentence: str) -> Missing:
    what, found, ask = sentence.rpartition(ASK)
    return Missing(what, ask) if found else Missing(sentence, "")
