"""Portraits that installed packages ship, and a service to show them to."""

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

from recognizance.app import Service, open_faces, wire
from recognizance.cli.portraits import collins_portrait, hopper_portrait
from recognizance.config import Settings
from recognizance.faces import Calibration, FaceReader
from recognizance.governance import Policy
from recognizance.governing.access import ADMINISTRATOR, principal_of
from recognizance.identifiers import DecisionId, GalleryId
from recognizance.permits import Action, Permit
from recognizance.storage import open_records

# A busy machine is no failure, and whether a commit passes isn't a matter of luck: the same tests try the same inputs.
# `pytest --hypothesis-profile exploring` looks for new ones, and more of them; what it finds becomes an `@example`.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("exploring", deadline=None, max_examples=2000, print_blob=True)
settings.load_profile("repeatable")

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def jpeg(picture: Image.Image, quality: int = 92) -> bytes:
    file = io.BytesIO()
    picture.save(file, format="JPEG", quality=quality)
    return file.getvalue()


@pytest.fixture(scope="session")
def collins() -> Image.Image:
    """Eileen Collins, astronaut: NASA's portrait, in the public domain, shipped by scikit-image."""
    return collins_portrait()


@pytest.fixture(scope="session")
def hopper() -> Image.Image:
    """Grace Hopper: the US Navy's portrait, in the public domain, shipped by matplotlib."""
    return hopper_portrait()


@pytest.fixture(scope="session")
def both(collins: Image.Image, hopper: Image.Image) -> Image.Image:
    """Both portraits side by side: the astronaut's face is on the left."""
    height = 512
    resized = hopper.resize((round(hopper.width * height / hopper.height), height))
    picture = Image.new("RGB", (collins.width + resized.width, height))
    picture.paste(collins, (0, 0))
    picture.paste(resized, (collins.width, 0))
    return picture


@pytest.fixture(scope="session")
def nobody() -> Image.Image:
    """A picture without a face: grey noise."""
    return Image.fromarray(np.random.default_rng(7).integers(90, 160, (240, 320, 3), dtype=np.uint8))


@pytest.fixture(scope="session")
def permit_for() -> Callable[..., Permit]:
    """Gives an administrator's permit for an act on a gallery."""

    def permit(action: Action, gallery: GalleryId | None = None) -> Permit:
        return Policy().decide(principal_of(ADMINISTRATOR), action, gallery=gallery, decision_id=DecisionId("decision"))

    return permit


@pytest.fixture(scope="session")
def faces() -> tuple[FaceReader, Calibration]:
    """The default networks, loaded once for all tests."""
    return open_faces(Path("no installation"), Settings())


OpenService = Callable[..., Service]


@pytest.fixture
def service_in(faces: tuple[FaceReader, Calibration]) -> Iterator[OpenService]:
    """Opens services on data folders, with settings by name, and closes them at the end."""
    with ExitStack() as stack:

        def build(data: Path, **changed: Any) -> Service:
            settings = Settings(**changed)
            opened = wire(data, settings, open_records(data, settings), *faces, clock=lambda: NOW)
            stack.callback(opened.close)
            return opened

        yield build


@pytest.fixture
def service(tmp_path: Path, service_in: OpenService) -> Service:
    """A whole service on an empty data folder."""
    return service_in(tmp_path / "data")
