"""The frame that every page stands in: its table of pages, who may see which, its templates, and what goes wrong.

A page is a row of a table: a path, a function from a visit to a response, and for whom it is. The frame reads the
session and the form, refuses what comes from elsewhere, calls the function in a thread, and puts the outcome into the
reader's language. Nothing that is wrong inside is told outside: an unexpected failure is a plain page with a number
that the log has too.

The audience of a page keeps people from getting lost. It is not what protects anything: services ask the policy
themselves, with whoever is signed in. Implements docs/pages.md.
"""

import logging
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from recognizance.errors import ChangedError, DeniedError
from recognizance.governance.parties import Role
from recognizance.governing.account_documents import Stage
from recognizance.governing.attempts import TooManyAttemptsError
from recognizance.governing.signing_in import SignedIn, SignIn
from recognizance.web.denials import Reason, reasons
from recognizance.web.forms import MAX_FORM_BYTES, read_form
from recognizance.web.headers import OurHeaders
from recognizance.web.kept_forms import QUERY, KeptForms, with_kept
from recognizance.web.language import N_, chosen_language, wording
from recognizance.web.problems import CHANGED, STATUSES, TITLES
from recognizance.web.rendering import Templates
from recognizance.web.security import is_from_elsewhere, is_private_line
from recognizance.web.static_files import StaticFiles
from recognizance.web.visits import (
    LANGUAGE_COOKIE,
    MESSAGE_COOKIE,
    SESSION_COOKIE,
    THEME_COOKIE,
    VISITOR_COOKIE,
    CookieJar,
    Message,
    Theme,
    Tone,
    Visit,
    read_messages,
)

View = Callable[[Visit], Response]

SERVICE_NAME = "Recognizance"
"""What the pages call this installation."""

SIGN_IN_PATH = "/sign-in"
SECOND_FACTOR_PATH = "/sign-in/second-factor"
ENROLMENT_PATH = "/account/authenticator"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Audience:
    """For whom a page is.

    Attributes:
        roles: Any of these; `None` where the role doesn't matter.
        stages: How far signing in has to be; empty for everybody, signed in or not.
    """

    stages: frozenset[Stage] = frozenset()
    roles: frozenset[Role] | None = None

    def has(self, who: SignedIn | None) -> bool:
        if not self.stages:
            return True
        return (
            who is not None
            and who.stage in self.stages
            and (self.roles is None or not self.roles.isdisjoint(who.roles))
        )


EVERYBODY = Audience()
SIGNED_IN = Audience(frozenset({Stage.COMPLETE}))
HALF_WAY = Audience(frozenset({Stage.SECOND_FACTOR}))
"""The page that asks for the second factor."""
SETTING_UP = Audience(frozenset({Stage.COMPLETE, Stage.ENROLMENT}))
"""Pages on which a second factor is set up."""


def only(*roles: Role) -> Audience:
    """Whoever is signed in with one of these roles."""
    return Audience(frozenset({Stage.COMPLETE}), frozenset(roles))


@dataclass(frozen=True, slots=True)
class Page:
    """One row of the table.

    Attributes:
        path: As Starlette's routes spell it: `/uses/{use}`.
        has_form: Whether it takes `POST`; `visit.is_post` says which it is.
        navigation: What the navigation calls it, marked with `N_`; pages without it are reached from other pages.
        most_bytes, most_files: Bounds of its form.
    """

    path: str
    view: View
    who: Audience = EVERYBODY
    has_form: bool = False
    navigation: str = ""
    most_bytes: int = MAX_FORM_BYTES
    most_files: int = 0


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of the navigation for one reader."""

    path: str
    title: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class Navigation:
    """The pages that a reader may go to from anywhere.

    Attributes:
        own: Those that the reader's roles bring; empty for everybody else.
        public: Those of everybody. Whoever works here has them behind one word, so that their own stand in one row.
    """

    own: Sequence[Link]
    public: Sequence[Link]


@dataclass(frozen=True, slots=True)
class Frame:
    """What all pages share.

    Attributes:
        key: Signs form tokens and messages; of this installation, for nothing else.
        service_name: What the pages call this installation.
        public_url: Where people reach the pages; empty takes any host.
    """

    sign_in: SignIn
    key: bytes = field(repr=False)
    pages: Sequence[Page]
    templates: Templates
    static: StaticFiles
    service_name: str
    public_url: str = ""
    kept: KeptForms = field(default_factory=KeptForms)

    async def answer(self, page: Page, request: Request) -> Response:
        """One request for a page."""
        began = time.monotonic()
        visit = await run_in_threadpool(self.visit, request)
        response = await self._checked(page, visit)
        return self.finished(visit, response, page.path, began)

    def finished(self, visit: Visit, response: Response, name: str, began: float) -> Response:
        """Set what every answer says, and log who asked for which page and how it ended, and never what was in it.

        Args:
            name: The page's path as its route spells it, because a real one may hold a secret.
            began: By the monotonic clock.
        """
        visit.finish(response)
        who = visit.signed_in or visit.half_way
        if who is not None:
            # Pictures and downloads too: what somebody is sent while signed in is theirs alone.
            response.headers["Cache-Control"] = "no-store"
        asker, took_ms = "-" if who is None else who.person, (time.monotonic() - began) * 1000
        _log.info("%s %s %s %d %.0f ms", visit.request.method, name, asker, response.status_code, took_ms)
        return response

    def visit(self, request: Request) -> Visit:
        """Everything about a request but its form."""
        client_host = request.client.host if request.client else None
        scheme: str = request.scope["scheme"]
        host = quote(request.headers.get("host", ""), safe=":[]")
        origin = self.public_url or f"{scheme}://{host}"
        cookies = CookieJar(self.key, is_tls=origin.startswith("https://"))
        chosen = cookies.read(request, THEME_COOKIE)
        visit = Visit(
            request=request,
            wording=wording(
                chosen_language(cookies.read(request, LANGUAGE_COOKIE), request.headers.get("accept-language", ""))
            ),
            theme=Theme(chosen) if chosen in set(Theme) else Theme.AUTO,
            cookies=cookies,
            address=client_host or "",
            origin=origin,
            is_private=is_private_line(scheme, client_host),
            visitor_token=cookies.read(request, VISITOR_COOKIE) or secrets.token_urlsafe(16),
            messages=read_messages(cookies.read(request, MESSAGE_COOKIE), cookies),
            render=self._render,
        )
        token = cookies.read(request, SESSION_COOKIE)
        # A session that anybody on the way can read is nobody's.
        who = self.sign_in.whose(token) if token and visit.is_private else None
        if who is not None:
            visit.session_token = token
            visit.signed_in, visit.half_way = (who, None) if who.stage is Stage.COMPLETE else (None, who)
        elif visit.is_private:
            visit.lapsed_token = token
        return visit

    async def _checked(self, page: Page, visit: Visit) -> Response:
        request = visit.request
        try:
            if is_from_elsewhere(request.method, request.headers):
                return self.problem(visit, 403, detail=N_("This form was sent from another site, so nothing was done."))
            if not page.who.has(visit.signed_in or visit.half_way):
                if request.method == "POST" and visit.lapsed_token and page.who.roles:
                    visit.form = await read_form(request, most_bytes=page.most_bytes, most_files=page.most_files)
                return await run_in_threadpool(self._turned_away, page, visit)
            if request.method == "POST":
                visit.form = await read_form(request, most_bytes=page.most_bytes, most_files=page.most_files)
                if not visit.has_own_token():
                    detail = N_("This page was open for too long, or in two windows. Go back, load it again and retry.")
                    return self.problem(visit, 403, detail=detail)
            return await run_in_threadpool(self._viewed, page, visit)
        except Exception as error:  # noqa: BLE001  # the pages' edge: whatever it is, the reader gets a page
            return await run_in_threadpool(self.problem_of, visit, error)

    def _turned_away(self, page: Page, visit: Visit) -> Response:
        if visit.half_way is not None:
            is_waiting = visit.half_way.stage is Stage.SECOND_FACTOR
            return RedirectResponse(SECOND_FACTOR_PATH if is_waiting else ENROLMENT_PATH, status_code=303)
        if visit.signed_in is not None and page.who is HALF_WAY:
            return RedirectResponse("/", status_code=303)
        if visit.signed_in is None:
            return RedirectResponse(self._kept(visit) or sign_in_path(visit.request), status_code=303)
        return self.problem(visit, 403, detail=N_("This page is for people with another role than yours."))

    def _kept(self, visit: Visit) -> str:
        """Keep a form whose session had ended; answers where to sign in and have it again, or `""`."""
        person = self.sign_in.was_of(visit.lapsed_token) if visit.has_lapsed_token() else None
        name = "" if person is None else self.kept.keep(visit.form, person)
        if not name:
            return ""
        said = N_("You had been away for too long, so nothing was sent. Sign in again: what you typed is kept for you.")
        visit.say(visit.gettext(said), Tone.WARNING)
        return sign_in_to(with_kept(_address(visit.request), name))

    def _viewed(self, page: Page, visit: Visit) -> Response:
        """The page, filled in with the reader's form if one was kept."""
        name = "" if visit.is_post or visit.signed_in is None else visit.query.get(QUERY, "")
        form = self.kept.take(name, visit.who.person) if name else None
        if form is None:
            return page.view(visit)
        visit.form = form
        said = N_("This is what you had typed. Nothing of it was sent: look at it, choose files again, and send it.")
        visit.messages.append(Message(Tone.WARNING, visit.gettext(said)))
        response = page.view(visit)
        if response.status_code == 303:
            # What is only sent to shows its form on another page.
            response.headers["Location"] = with_kept(
                response.headers["Location"], self.kept.keep(form, visit.who.person)
            )
        return response

    def problem_of(self, visit: Visit, error: Exception) -> Response:
        """The page for something that went wrong. What an `Error` says was written for its caller."""
        if isinstance(error, HTTPException):
            return self.problem(visit, error.status_code)
        if isinstance(error, TooManyAttemptsError):
            minutes = max(1, round(error.wait.total_seconds() / 60))
            said = visit.ngettext("Try again in %(minutes)d minute.", "Try again in %(minutes)d minutes.", minutes) % {
                "minutes": minutes
            }
            return self.problem(visit, 429, detail=said)
        status = next((status for kind, status in STATUSES if isinstance(error, kind)), 500)
        if status == 500:
            number = secrets.token_hex(4)
            _log.error("page failed, number %s", number, exc_info=error)
            return self.problem(visit, 500, number=number)
        if isinstance(error, DeniedError):
            refused = reasons(error, visit.wording)
            return self.problem(visit, status, said=str(error), number=error.decision_id, refused=refused)
        title = CHANGED if isinstance(error, ChangedError) else ""
        return self.problem(visit, status, said=str(error), title=title)

    def problem(
        self,
        visit: Visit,
        status: int,
        *,
        detail: str = "",
        said: str = "",
        number: str = "",
        refused: Sequence[Reason] = (),
        title: str = "",
    ) -> Response:
        """A page that says what is wrong and what to do.

        Args:
            detail: In the catalogue, or translated already.
            said: What a service said about it, in English.
            number: What to quote when asking about it.
            refused: Why, one reason after the other, where a policy refused.
            title: What it is called, in the catalogue, where its status says too little.
        """
        known = status if status in TITLES else 500
        usual, advice = TITLES[known]
        given = {"advice": advice, "detail": detail, "said": said, "number": number, "refused": refused}
        return visit.page("problem.html", status=known, title=title or usual, **given)

    def navigation(self, visit: Visit) -> Navigation:
        """The pages that this reader may go to from anywhere."""
        here: str = visit.request.scope["path"]

        def link(page: Page) -> Link:
            is_here = here == page.path or here.startswith(page.path + "/")
            return Link(page.path, visit.gettext(page.navigation), is_here)

        named = [page for page in self.pages if page.navigation and page.who.has(visit.signed_in)]
        return Navigation(
            own=[link(page) for page in named if page.who.stages],
            public=[link(page) for page in named if not page.who.stages],
        )

    def _render(self, visit: Visit, template: str, given: Mapping[str, object]) -> str:
        return self.templates.render(
            template,
            visit.wording.language,
            {
                "visit": visit,
                "form": visit.form,
                "service_name": self.service_name,
                "navigation": self.navigation(visit),
                "static": self.static.path,
                "themes": Theme,
                **given,
            },
        )


def sign_in_path(request: Request) -> str:
    """Where to sign in, and come back to this page from; only a page that can be loaded again is come back to."""
    if request.method not in {"GET", "HEAD"}:
        return SIGN_IN_PATH
    return sign_in_to(_address(request))


def sign_in_to(address: str) -> str:
    """Where to sign in on the way to a page of ours."""
    return f"{SIGN_IN_PATH}?{urlencode({'next': address})}"


def _address(request: Request) -> str:
    path: str = request.scope["path"]
    query = request.scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path


def frame_app(frame: Frame) -> Starlette:
    """The pages as an application, to be mounted behind everything else."""

    async def nothing_here(request: Request, error: Exception) -> Response:
        began = time.monotonic()
        visit = await run_in_threadpool(frame.visit, request)
        response = await run_in_threadpool(frame.problem_of, visit, error)
        return frame.finished(visit, response, "-", began)

    return Starlette(
        routes=[*(_route(frame, page) for page in frame.pages), frame.static.route()],
        exception_handlers={HTTPException: nothing_here},
        middleware=[Middleware(OurHeaders, public_url=frame.public_url)],
    )


def _route(frame: Frame, page: Page) -> Route:
    async def endpoint(request: Request) -> Response:
        return await frame.answer(page, request)

    return Route(page.path, endpoint, methods=["GET", "POST"] if page.has_form else ["GET"])


def in_order(*tables: Iterable[Page]) -> list[Page]:
    """Put tables of pages together; a path that two of them name is a mistake.

    Raises:
        ValueError: If two pages have the same path.
    """
    pages = [page for table in tables for page in table]
    paths = [page.path for page in pages]
    if twice := sorted({path for path in paths if paths.count(path) > 1}):
        raise ValueError(f"two pages have the path {twice[0]}")
    return pages
