"""One installation for all tests of the API, with somebody in every role and a key for each."""

from collections.abc import Iterator

import pytest

from recognizance.faces import Calibration, FaceReader

from .world import ApiWorld, api_world


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory, faces: tuple[FaceReader, Calibration]) -> Iterator[ApiWorld]:
    """A law-enforcement installation behind its API."""
    with api_world(tmp_path_factory.mktemp("api") / "data", faces) as world:
        yield world
