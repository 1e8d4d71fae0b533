"""Routes: what the API answers, declared once, and how a path finds its route.

A route says everything about itself: method, path, what comes in and goes out, who may ask, and what answers it. The
server, the OpenAPI document and the tests read the same declaration. Pure.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import unquote_to_bytes

from recognizance.api.forms import form
from recognizance.errors import DeniedError, InputError, NotFoundError
from recognizance.governance import Act
from recognizance.governing.registration import Actor

if TYPE_CHECKING:
    from recognizance.api.services import Services

PREFIX = "/api/v1"
MAX_JSON_BYTES = 256 * 1024
"""Of a body without a picture; the longest statement and a use's terms have room many times over."""

_Body_co = TypeVar("_Body_co", covariant=True)
_Query_co = TypeVar("_Query_co", covariant=True)


class Method(StrEnum):
    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    DELETE = "DELETE"


class Who(StrEnum):
    """Who may ask, before anything is looked at."""

    ANYBODY = "anybody"
    """Nobody has to sign in."""
    SIGNED_IN = "signed_in"
    """Whoever is known. The service says what of it is theirs."""
    PERMITTED = "permitted"
    """Whom the policy permits the route's act."""


class Repeat(StrEnum):
    """What happens if the same request comes again."""

    SAFE = "safe"
    """Nothing more than the first time, or it is refused as done already."""
    KEYED = "keyed"
    """It is done again, unless both carry the same `Idempotency-Key`."""


@dataclass(frozen=True, slots=True)
class Media:
    """An answer that isn't JSON."""

    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class File:
    """A file as an answer.

    Attributes:
        name: What a browser calls it when it saves it; `None` for what is shown.
    """

    media_type: str
    data: bytes = field(repr=False)
    name: str | None = None


@form
class Nothing:
    """The form of a request without a body or a query, and of an answer without content."""


@dataclass(frozen=True, slots=True)
class Call(Generic[_Body_co, _Query_co]):
    """One request, read.

    Attributes:
        asked_by: `None` only where anybody may ask and nobody has signed in.
        session_name: As whoever began the session called it; `None` for a long-lived key.
        path: The values of the path's variables.
        address: Where it comes from, as the connection or the proxy says.
        is_private: Whether nobody can have read or changed it on its way.
    """

    asked_by: Actor | None
    session_name: str | None
    path: Mapping[str, str]
    body: _Body_co
    query: _Query_co
    address: str
    is_private: bool

    @property
    def actor(self) -> Actor:
        """Whoever asks; for routes that not everybody may ask."""
        if self.asked_by is None:
            raise DeniedError("this needs somebody who has signed in")
        return self.asked_by


@dataclass(frozen=True, slots=True)
class Route:
    """One thing that can be asked.

    Attributes:
        name: Unique; the OpenAPI document's `operationId`.
        path: Below `PREFIX`; `{name}` stands for one segment.
        act: What the policy is asked, where `who` is `PERMITTED`.
        hides: Whether what isn't the caller's looks as if it weren't there (404 instead of 403).
        body, query: Types of `forms.py`.
        answer: A dataclass, or a `Media`.
        max_body_bytes: A larger body is refused before it is parsed.
        kept: Whether the answer to a request with an `Idempotency-Key` is kept and given again. One that holds a
            secret, or names faces or people, is given once.
    """

    name: str
    method: Method
    path: str
    summary: str
    answer_with: "Callable[[Services, Call[Any, Any]], object]" = field(repr=False)
    answer: type[Any] | Media
    who: Who = Who.PERMITTED
    act: Act | None = None
    hides: bool = False
    body: type[Any] = Nothing
    query: type[Any] = Nothing
    status: int = 200
    repeat: Repeat = Repeat.SAFE
    kept: bool = False
    max_body_bytes: int = MAX_JSON_BYTES

    def __post_init__(self) -> None:
        if (self.act is None) == (self.who is Who.PERMITTED):
            raise ValueError(f"route {self.name!r}: an act goes with asking the policy, and with nothing else")
        if self.repeat is Repeat.KEYED and self.method is not Method.POST:
            raise ValueError(f"route {self.name!r}: only a POST can do something twice")

    @property
    def segments(self) -> tuple[str, ...]:
        return tuple(self.path.split("/")[1:])

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(each[1:-1] for each in self.segments if each.startswith("{"))


class MethodError(InputError):
    """The path exists, and can't be asked with this method.

    Attributes:
        allowed: The methods that it can be asked with.
    """

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__(f"this is asked with {', '.join(allowed)}")
        self.allowed = tuple(allowed)


class RouteTable:
    """Finds the route of a request."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.routes = tuple(routes)
        names = [route.name for route in routes]
        places = [(route.method, _shape(route)) for route in routes]
        for what in (names, places):
            if len(set(what)) != len(what):
                raise ValueError("two routes share a name or a place")

    def find(self, method: str, raw_path: str) -> tuple[Route, Mapping[str, str]]:
        """The route of a path, and the values of its variables.

        Args:
            raw_path: Below `PREFIX`, still percent-encoded, so that a value may hold a slash.

        Raises:
            NotFoundError: If nothing is there.
            MethodError: If it is asked with other methods.
        """
        segments = [_segment(each) for each in raw_path.split("/")[1:]]
        there = [(route, values) for route, values in self._matching(segments)]
        if not there:
            raise NotFoundError(f"there is nothing here; {PREFIX}/openapi.json says what there is")
        # RFC 9110, section 9.3.2: HEAD is GET whose content isn't sent.
        wanted = Method.GET.value if method == "HEAD" else method
        for route, values in there:
            if route.method.value == wanted:
                return route, values
        raise MethodError(sorted(route.method.value for route, _ in there))

    def _matching(self, segments: Sequence[str]) -> Iterator[tuple[Route, Mapping[str, str]]]:
        """Routes that fit; a word that is spelled out wins over a variable."""
        fitting = [
            (route, values) for route in self.routes if (values := _values(route.segments, segments)) is not None
        ]
        fewest = min((len(values) for _, values in fitting), default=0)
        yield from ((route, values) for route, values in fitting if len(values) == fewest)


def _values(template: Sequence[str], segments: Sequence[str]) -> dict[str, str] | None:
    if len(template) != len(segments):
        return None
    values: dict[str, str] = {}
    for wanted, there in zip(template, segments, strict=True):
        if wanted.startswith("{"):
            if not there:
                return None
            values[wanted[1:-1]] = there
        elif wanted != there:
            return None
    return values


def _shape(route: Route) -> tuple[str, ...]:
    return tuple("{}" if each.startswith("{") else each for each in route.segments)


def _segment(raw: str) -> str:
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise NotFoundError("the path is no UTF-8") from None
