"""Portraits that installed packages ship, and a service to show them to."""

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from matplotlib import cbook
from PIL import Image
from skimage import data

from recognizance.access import ADMINISTRATOR, principal_of
from recognizance.app import Service, open_service
from recognizance.config import Settings
from recognizance.governance import Policy
from recognizance.identifiers import DecisionId, GalleryId
from recognizance.permits import Action, Permit

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def jpeg(picture: Image.Image, quality: int = 92) -> bytes:
    file = io.BytesIO()
    picture.save(file, format="JPEG", quality=quality)
    return file.getvalue()


@pytest.fixture(scope="session")
def collins() -> Image.Image:
    """Eileen Collins, astronaut: NASA's portrait, in the public domain, shipped by scikit-image."""
    return Image.fromarray(data.astronaut())


@pytest.fixture(scope="session")
def hopper() -> Image.Image:
    """Grace Hopper: the US Navy's portrait, in the public domain, shipped by matplotlib."""
    path = cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    with Image.open(str(path)) as picture:
        return picture.convert("RGB")


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


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A whole service on an empty data folder."""
    opened = open_service(tmp_path / "data", Settings(), clock=lambda: NOW)
    yield opened
    opened.close()
