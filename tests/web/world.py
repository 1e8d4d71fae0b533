"""A police installation with its pages served on loopback, and everybody in it with an account and a browser.

    def test_something(web: Web, browsers: Browsers) -> None:
        page = browsers.open("/reviews", as_=FIRST)

The installation is that of `tests/review_world.py`, on a clock that stands still at the moment when the tests began,
with overseers, an administrator, a desk officer and an auditor besides. One world serves all tests of a run, in any
order: make what a test needs in it, and rely on nothing that another test made.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
import uvicorn
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright
from starlette.types import ASGIApp

from recognizance.app import Service, http_app
from recognizance.governance.parties import Person, PersonId, Role
from recognizance.governing import one_time
from recognizance.governing.registration import at_the_machine

from ..review_world import AGENCY, FIRST, OVERSEERS, SEARCHER, SECOND, SUPERVISOR, THIRD, World, person_id

CHROMIUMS = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
"""Debian's, of which the first that is installed is driven. Without a screen both are one engine, but the whole browser
opens a window with all its own pages for each profile, which costs more than most tests."""
PASSWORD = "seven herons counted slowly"

ADMINISTRATOR, DESK_OFFICER, AUDITOR = person_id("administrator"), person_id("desk officer"), person_id("auditor")
EVERYBODY = (SEARCHER, SUPERVISOR, FIRST, SECOND, THIRD, *OVERSEERS, ADMINISTRATOR, DESK_OFFICER, AUDITOR)

DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}

Scheme = Literal["light", "dark"]

SCREENSHOTS = os.environ.get("RECOGNIZANCE_TEST_SCREENSHOTS", "")
"""A folder that `Browsers.look` writes pictures of pages to, for people to look at; empty writes none."""


@dataclass(frozen=True)
class Known:
    """How somebody signs in."""

    person: PersonId
    login: str
    totp_secret: bytes


@dataclass
class Web:
    """The installation, and where its pages are."""

    url: str
    world: World
    people: dict[PersonId, Known] = field(default_factory=dict)
    _recovery: dict[PersonId, list[str]] = field(default_factory=dict)

    @property
    def service(self) -> Service:
        return self.world.service

    def session(self, person: PersonId) -> str:
        """A fresh, complete session of somebody, as a browser would have it in its cookie `session`."""
        self.known(person)
        sign_in = self.service.entrance.sign_in
        opened = sign_in.trusted(person, device="a test")
        token = sign_in.with_code(opened.token, self._recovery[person].pop(), address="127.0.0.1").token
        # The clock stands still, so no code of an app comes twice; recovery codes don't mind.
        if not self._recovery[person]:
            self._recovery[person] = list(sign_in.draw_recovery_codes(token))
        # They have looked at what happened so far, so that their pages say nothing of it.
        news = self.service.entrance.news
        news.see(person, frozenset(each.id for each in news.of(person, limit=1_000)))
        return token

    def known(self, person: PersonId) -> Known:
        """How somebody signs in. Gives them an account the usual way: an invitation, a password, an app."""
        if person in self.people:
            return self.people[person]
        entrance = self.service.entrance
        login = f"person-{len(self.people) + 1}@example.org"
        invitation = entrance.accounts.invite(person, login, by=at_the_machine())
        entrance.accounts.accept(invitation.token, PASSWORD)
        opened = entrance.sign_in.trusted(person, device="a test")
        secret = entrance.sign_in.begin_authenticator(opened.token)
        code = one_time.hotp(secret, one_time.step_at(self.world.clock.now))
        opened, codes = entrance.sign_in.confirm_authenticator(opened.token, code)
        self._recovery[person] = list(codes)
        self.people[person] = Known(person, login, secret)
        return self.people[person]


def served(service: Service) -> AbstractContextManager[str]:
    """Serve a service on a free port of this machine until the block ends; yields its address."""
    return served_app(http_app(service))


@contextmanager
def served_app(app: ASGIApp) -> Iterator[str]:
    """Serve a whole application, with what its pages keep in memory, until the block ends; yields its address."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started:
            if time.monotonic() > deadline or not thread.is_alive():
                raise RuntimeError("the server didn't start")
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)


def take_up(world: World) -> None:
    """Register those whom reviews don't need and pages do."""
    for person in OVERSEERS:
        world.add_person(Person(person, None, frozenset({Role.OVERSEER})))
    world.add_person(Person(ADMINISTRATOR, None, frozenset({Role.ADMINISTRATOR})))
    world.add_person(Person(DESK_OFFICER, AGENCY, frozenset({Role.DESK_OFFICER})))
    world.add_person(Person(AUDITOR, None, frozenset({Role.AUDITOR})))


@dataclass
class Browsers:
    """Opens pages in Chromium, each in a profile of its own, and closes them when the test ends."""

    web: Web
    chromium: Browser
    _contexts: list[BrowserContext] = field(default_factory=list)

    def open(
        self,
        path: str = "/",
        *,
        as_: PersonId | None = None,
        viewport: ViewportSize = DESKTOP,
        scheme: Scheme = "light",
        javascript: bool = True,
        language: str = "en",
    ) -> Page:
        """Open a page of the pages, as somebody or as nobody in particular."""
        context = self.chromium.new_context(
            base_url=self.web.url,
            viewport=viewport,
            color_scheme=scheme,
            java_script_enabled=javascript,
            locale=language,
            reduced_motion="reduce",
        )
        self._contexts.append(context)
        context.set_default_timeout(10_000)
        if as_ is not None:
            context.add_cookies([{"name": "session", "value": self.web.session(as_), "url": self.web.url}])
        page = context.new_page()
        page.goto(path)
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()


def look(page: Page, name: str) -> None:
    """Take a picture of the whole page, for people, if a folder is set for it."""
    if SCREENSHOTS:
        page.screenshot(path=str(Path(SCREENSHOTS) / f"{name}.png"), full_page=True)


def assert_accessible(page: Page) -> None:
    """Fail if axe-core finds anything on this page that breaks WCAG 2.2 A or AA, or its own best practices."""
    found = violations(page)
    assert found == [], "\n".join(found)


def violations(page: Page, *rules: str) -> list[str]:
    """What axe-core finds on a page; by all its rules, or only by those named."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE_SCRIPT)
    options: dict[str, object] = {"resultTypes": ["violations"]}
    run = "async (options) => (await axe.run(options)).violations"
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in page.evaluate(run, options | ({"runOnly": list(rules)} if rules else {}))
        for node in each["nodes"]
    ]


@contextmanager
def launched() -> Iterator[Browser]:
    """Chromium without a screen, with a camera that shows a test picture, until the block ends."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=next(str(each) for each in CHROMIUMS if each.exists()),
            # The headless shell has nothing that could ask whether a page may see the camera.
            args=["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
        )
        yield browser
        browser.close()


def chromium_is_missing() -> str:
    """Why there is no Chromium to drive; empty if there is one."""
    if any(each.exists() for each in CHROMIUMS):
        return ""
    return "Chromium is not installed (Debian's package `chromium-headless-shell`, or `chromium`)"


def require_chromium() -> None:
    """Skip where there is no Chromium, unless the environment says that there has to be one."""
    if missing := chromium_is_missing():
        if os.environ.get("RECOGNIZANCE_TEST_REQUIRE_CHROMIUM") == "1":
            pytest.fail(missing)
        pytest.skip(missing)


def now() -> datetime:
    return datetime.now(UTC)
