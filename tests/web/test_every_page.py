"""Every page of the table, as those for whom it is: axe-core, widths, the keyboard alone, and no JavaScript.

Generated from the table of pages, so that one which is added tomorrow is held to it too. What needs a browser is done
in parts, so that no single test keeps everybody waiting for its end. The installation is the one of the security tests:
whatever could be typed in it is long and hostile, which is what a layout has to bear.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from html.parser import HTMLParser
from importlib import resources
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize
from starlette.routing import Match, Route

from recognizance.governance.parties import Role
from recognizance.governing.account_documents import Stage
from recognizance.web.frame import HALF_WAY
from recognizance.web.frame import Page as Row

from .security_world import COUNTY_USE, Guarded, listed
from .world import DESKTOP, PHONE, Scheme, look, served_app, violations

SIZES: dict[str, ViewportSize] = {"desktop": DESKTOP, "phone": PHONE}

SCHEMES: dict[str, Scheme] = {"desktop": "light", "phone": "dark"}
"""In which every page is looked at. A page's colours are those of its scheme at any width, which a test here holds;
what only phones have is the menu, so that the first page of each part is looked at in the other scheme too."""

PARTS = 4

_LISTEN = """() => {
  const fields = "button, input:not([type=hidden]), select, textarea";
  const wanted = `a[href], ${fields}, summary, [tabindex]:not([tabindex^='-'])`;
  const stops = [...document.querySelectorAll(wanted)].filter((each) => {
    if (each.disabled || !each.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return false;
    if (each.type !== "radio") return true;
    // Of radio buttons that belong together the arrows choose, and Tab stops at one.
    const group = [...document.getElementsByName(each.name)].filter((other) => other.form === each.form);
    return each === (group.find((other) => other.checked) ?? group[0]);
  });
  window.reached = [];
  document.addEventListener("focusin", ({ target }) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(target);
    const { width, height, bottom, right } = target.getBoundingClientRect();
    const isMarked = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
    window.reached.push([stops.indexOf(target), isMarked && Math.min(width, height, bottom, right) > 0]);
  });
  document.activeElement.blur();
  getSelection().setBaseAndExtent(document.body, 0, document.body, 0);
  return stops.map((each) => each.outerHTML.slice(0, 160));
}"""


@dataclass(frozen=True)
class Shown:
    """One page of the table, as one of those for whom it is sees it.

    Attributes:
        name: The row's path, as a file may be called.
        reader: Who that is; `anybody` has no session.
    """

    name: str
    path: str
    reader: str
    session: str = field(repr=False)
    text: str = field(repr=False)


QUERIES = {"/search/begin": f"?use={COUNTY_USE}"}

UNSEEN = {
    "/evaluations/{evaluation:path}": "no evaluation is published there: tests/web/test_public.py",
    "/evaluations/{evaluation:path}/files/{file:path}": "no page",
    "/invitation/{token}": "nobody is invited there: tests/web/test_sign_in_story.py",
    "/account/passkeys/{passkey}/remove": "nobody has a passkey there: tests/web/test_passkeys.py",
    "/searches/{index}/candidates/{number}": "no page",
    "/galleries/{gallery}/duplicates/{pair}": "nobody is alike there: tests/web/test_administrator_duplicates.py",
}
"""Pages that the installation has nothing to show on, and why."""


@pytest.fixture(scope="module")
def shown(guarded: Guarded) -> list[Shown]:
    """Every page; what the table has besides are pictures, downloads, redirects, and what is only sent to."""
    return [page for row in guarded.pages() if (page := _shown(row, guarded)) is not None]


def _shown(row: Row, guarded: Guarded) -> Shown | None:
    """The page as the first of those for whom it is who gets to see it."""
    path = guarded.address(row) + QUERIES.get(row.path, "")
    statuses: set[int] = set()
    for reader, session in _readers_of(row, guarded):
        browser = guarded.browser()
        if session:
            browser.cookies.set("session", session)
        answer = browser.get(path)
        statuses.add(answer.status_code)
        if answer.status_code == 200:
            if not answer.headers["content-type"].startswith("text/html"):
                return None
            name = re.sub(r"\W+", "-", row.path).strip("-") or "start"
            return Shown(name, path, reader, session, answer.text)
    assert statuses == {303} or row.path in UNSEEN, f"nobody sees {path}: {statuses}"
    return None


def _readers_of(row: Row, guarded: Guarded) -> Iterator[tuple[str, str]]:
    """Those for whom a page is, one of each role, and their sessions."""
    if not row.who.stages:
        yield "anybody", ""
        return
    if row.who == HALF_WAY:
        person = guarded.county["third"]
        guarded.web.known(person)
        opened = guarded.web.service.entrance.sign_in.trusted(person, device="a test")
        assert opened.stage is Stage.SECOND_FACTOR
        yield "half way", opened.token
        return
    for role in sorted(row.who.roles or (Role.OPERATOR,)):
        person = guarded.owner(row, role.value)
        yield person, guarded.session(person)


@dataclass
class Tabs:
    """Tabs of Chromium, one for each reader, all at one size and in one language."""

    chromium: Browser
    url: str
    size: str
    language: str
    stack: ExitStack
    _of: dict[str, Page] = field(default_factory=dict)

    def load(self, page: Shown) -> Page:
        if page.reader not in self._of:
            self._of[page.reader] = self._context(page).new_page()
        tab = self._of[page.reader]
        answer = tab.goto(page.path)
        assert answer is not None
        assert answer.status == 200, page.path
        return tab

    def _context(self, page: Shown) -> BrowserContext:
        context = self.chromium.new_context(
            base_url=self.url,
            viewport=SIZES[self.size],
            color_scheme=SCHEMES[self.size],
            locale=self.language,
            reduced_motion="reduce",
        )
        self.stack.callback(context.close)
        context.set_default_timeout(20_000)
        if page.session:
            context.add_cookies([{"name": "session", "value": page.session, "url": self.url}])
        return context


@pytest.fixture
def tabs(guarded: Guarded, chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Tabs]:
    size, language = request.param
    with served_app(guarded.app) as url, ExitStack() as stack:
        yield Tabs(chromium, url, size, language, stack)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("tabs", [("desktop", "en"), ("phone", "es")], indirect=True, ids="-".join)
def test_no_page_keeps_anybody_out(tabs: Tabs, shown: list[Shown], part: int) -> None:
    """axe-core finds nothing on a desktop in light, nor on a phone in dark; and nothing is wider than its screen."""
    wrong: list[str] = []
    for page in shown[part::PARTS]:
        tab = tabs.load(page)
        scheme = SCHEMES[tabs.size]
        look(tab, f"every-{page.name}-{tabs.size}-{tabs.language}-{scheme}")
        wrong += [f"{page.path} {scheme}: {found}" for found in violations(tab)]
        if not tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth"):
            wrong.append(f"{page.path}: wider than its screen")
        if page is shown[part]:
            tab.emulate_media(color_scheme="dark" if scheme == "light" else "light")
            wrong += [f"{page.path}, the other scheme: {found}" for found in violations(tab, "color-contrast")]
            tab.emulate_media(color_scheme=scheme)
    assert wrong == [], listed(wrong)
    assert len(shown) > 50


def test_a_width_has_no_colours_of_its_own() -> None:
    """So that what is read on a desktop in light is read on a phone in light, and in dark the same.

    The names of a table's columns, which are beside its values on a phone, are as quiet as other quiet text.
    """
    static = resources.files("recognizance.web").joinpath("static")
    sheets = [each.read_text("utf-8") for each in static.iterdir() if each.name.endswith(".css")]
    blocks = [block for sheet in sheets for block in re.findall(_AT_A_WIDTH, sheet)]
    coloured = {
        (selector.strip(), declared.strip())
        for block in blocks
        for selector, declared in re.findall(r"([^{}]+)\{([^{}]*)\}", block)
        if re.search(_COLOURS, declared)
    }
    assert len(blocks) >= 3
    assert coloured == {(".stacks td[data-label]::before", "content: attr(data-label); color: var(--quiet);")}


_AT_A_WIDTH = r"@media[^{]*width[^{]*\{((?:[^{}]*\{[^{}]*\})*)"
_COLOURS = r"(?<![\w-])(?:color|background[\w-]*|fill|stroke|opacity|filter|--[\w-]+)\s*:"


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("tabs", [("desktop", "en")], indirect=True, ids="-".join)
def test_the_keyboard_alone_reaches_everything_on_every_page(tabs: Tabs, shown: list[Shown], part: int) -> None:
    """Tab stops at all that can be used, once and in the order of the page, shows where it is, and is never caught."""
    wrong: list[str] = []
    for page in shown[part::PARTS]:
        tab = tabs.load(page)
        stops: list[str] = tab.evaluate(_LISTEN)
        # A field for a day has a stop for each of its parts, and what scrolls is one too.
        for _ in range(len(stops) + 6 * page.text.count('type="date"') + 6):
            tab.keyboard.press("Tab")
        reached: list[tuple[int, bool]] = [each for each in tab.evaluate("window.reached") if each[0] >= 0]
        # Behind the last stop it begins again.
        order = [at for at, _ in reached][: len(stops)]
        if order != list(range(len(stops))):
            wrong.append(f"{page.path}: {[stops[at] for at in range(len(stops)) if at not in order] or order}")
        wrong += [
            f"{page.path}: nothing shows that {stops[at]} has the focus" for at, is_seen in reached if not is_seen
        ]
        if 'href="#content"' not in stops[0]:
            wrong.append(f"{page.path}: the first stop skips nothing")
    assert wrong == [], listed(wrong)


class Markup(HTMLParser):
    """What a page's HTML says without a script.

    Attributes:
        forms: For each form its method, where it is sent, and whether a button of its own sends it.
        stray: Buttons that send no form, and links that lead nowhere, but for what is hidden until a script shows it.
        hidden: The hidden fields of all forms.
    """

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, str, bool]] = []
        self.stray: list[str] = []
        self.ids: list[str] = []
        self.hidden: dict[str, str] = {}
        self._form: tuple[str, str, bool] | None = None
        self._open: list[tuple[str, bool]] = []

    @property
    def _waits(self) -> bool:
        return any(is_hidden for _, is_hidden in self._open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        self.ids += [has["id"]] if "id" in has else []
        if tag not in _VOID:
            self._open.append((tag, "hidden" in has))
        if tag == "form":
            self._form = (has.get("method", "get").lower(), has.get("action", ""), False)
        elif tag == "input" and has.get("type") == "hidden":
            self.hidden[has["name"]] = has.get("value", "")
        elif tag == "button" and self._form is not None and has.get("type", "submit") == "submit":
            self._form = (self._form[0], has.get("formaction", self._form[1]), True)
        elif (tag == "button" or (tag == "a" and has.get("href", "#") == "#")) and not self._waits:
            self.stray.append(str(has))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._form is not None:
            self.forms += [] if self._waits else [self._form]
            self._form = None
        while tag not in _VOID and self._open and self._open.pop()[0] != tag:
            pass


_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr", "path"})


def markup(text: str) -> Markup:
    read = Markup()
    read.feed(text)
    return read


def test_every_form_is_sent_without_javascript(guarded: Guarded, shown: list[Shown]) -> None:
    """Each has a button of its own and leads to a page that takes it; no button or link waits for a script."""
    wrong: list[str] = []
    sent = 0
    for page in shown:
        read = markup(page.text)
        wrong += [f"{page.path}: {each}" for each in read.stray]
        for method, action, has_button in read.forms:
            sent += 1
            target = urlsplit(action).path or urlsplit(page.path).path
            if not has_button or not _takes(guarded, method, target):
                wrong.append(f"{page.path}: {method} {target}, {has_button}")
    assert wrong == [], listed(wrong)
    assert sent > len(shown)


def _takes(guarded: Guarded, method: str, path: str) -> bool:
    scope = {"type": "http", "method": method.upper(), "path": path}
    return any(
        Route(row.path, lambda request: None, methods=["GET", "POST"] if row.has_form else ["GET"]).matches(scope)[0]
        is Match.FULL
        for row in guarded.pages()
    )


def test_every_page_reads_without_javascript(shown: list[Shown]) -> None:
    """Its title, its one heading of the first level and its text are in what the server sends."""
    for page in shown:
        assert page.text.count("<h1") == 1, page.path
        main = page.text.partition("<main")[2].partition("</main>")[0]
        assert len(re.sub(r"<[^>]*>|\s+", " ", main).split()) > 3, page.path
        assert len(set(ids := markup(page.text).ids)) == len(ids), page.path


def test_the_summary_of_what_is_wrong_names_each_field_and_leads_to_it(guarded: Guarded, shown: list[Shown]) -> None:
    """Forms that are sent empty: a summary above the page, whose links have the field's name and a place to lead to."""
    wrong: list[str] = []
    seen = 0
    for page in shown:
        if not page.session or '<form method="post"' not in page.text.partition("<main")[2].partition("</main>")[0]:
            continue
        browser = guarded.browser()
        browser.cookies.set("session", page.session)
        answer = browser.post(page.path, data=markup(page.text).hidden)
        if answer.status_code != 422:
            continue
        seen += 1
        ids = markup(answer.text).ids
        summary = re.findall(r'<li><a href="#(field-[^"]+)">([^<]*)</a>', answer.text)
        for at, said in summary:
            if at not in ids or not re.match(r".+[:?.] .+", said):
                wrong.append(f"{page.path}: {at} {said}")
    assert wrong == [], listed(wrong)
    assert seen > 10
