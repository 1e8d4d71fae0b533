"""One installation, one server and one Chromium for the tests of a file; a browser profile of its own for each test."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from recognizance.faces import Calibration, FaceReader

from ..review_world import review_world
from .county import guarded_world
from .security_world import Guarded
from .world import ADMINISTRATOR, Browsers, Web, launched, now, require_chromium, served, take_up


@pytest.fixture(scope="module")
def web(faces: tuple[FaceReader, Calibration], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """The installation with everybody in it, and its pages. One for each file: what one enrols, another would find."""
    with review_world(tmp_path_factory.mktemp("web") / "data", faces, now=now()) as world:
        take_up(world)
        with served(world.service) as url:
            made = Web(url, world)
            # Before anybody has an account, the pages only lead to where the first is made.
            made.known(ADMINISTRATOR)
            yield made


@pytest.fixture(scope="session")
def guarded(faces: tuple[FaceReader, Calibration], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """Two agencies, one of which typed an attack wherever it could."""
    with guarded_world(tmp_path_factory.mktemp("guarded") / "data", faces) as world:
        yield world


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for the tests of one file.

    Playwright keeps an event loop running in this thread for as long as it is there, and under it nobody else's test
    can run one: it must not outlive the file.
    """
    require_chromium()
    with launched() as browser:
        yield browser


@pytest.fixture
def browsers(web: Web, chromium: Browser) -> Iterator[Browsers]:
    opened = Browsers(web, chromium)
    yield opened
    opened.close()
