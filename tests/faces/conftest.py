"""Photographs and permits for the tests of this folder. The portraits are shipped by matplotlib and scikit-image."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from matplotlib import cbook
from numpy.typing import NDArray

from recognizance.faces import FaceReader, Photograph, open_photograph, open_reader
from recognizance.governance.policy import Policy, Principal, Role
from recognizance.identifiers import DecisionId, PrincipalId
from recognizance.permits import Action, Permit

PermitFor = Callable[[Action], Permit]
PhotographOf = Callable[[NDArray[np.uint8]], Photograph]


def _permit_for(action: Action) -> Permit:
    administrator = Principal(PrincipalId("test"), frozenset({Role.ADMINISTRATOR}))
    return Policy().decide(administrator, action, gallery=None, decision_id=DecisionId("d"))


def _png(pixels: NDArray[np.uint8]) -> bytes:
    """PNG of RGB pixels."""
    done, data = cv2.imencode(".png", np.ascontiguousarray(pixels[..., ::-1]))
    assert done
    return data.tobytes()


@pytest.fixture(scope="session")
def permit_for() -> PermitFor:
    return _permit_for


@pytest.fixture(scope="session")
def permit() -> Permit:
    return _permit_for(Action.MEASURE)


@pytest.fixture(scope="session")
def photograph_of(permit: Permit) -> PhotographOf:
    """Turns RGB pixels into a photograph, losing nothing."""
    return lambda pixels: open_photograph(_png(pixels), permit)


@pytest.fixture(scope="session")
def reader() -> FaceReader:
    return open_reader(threads=2)


@pytest.fixture(scope="session")
def hopper_jpeg() -> bytes:
    """Rear Admiral Grace Hopper, 600 high and 512 wide, one face."""
    return Path(str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))).read_bytes()


@pytest.fixture(scope="session")
def hopper(hopper_jpeg: bytes, permit: Permit) -> NDArray[np.uint8]:
    return open_photograph(hopper_jpeg, permit).pixels()


@pytest.fixture(scope="session")
def astronaut() -> NDArray[np.uint8]:
    """Colonel Eileen Collins, 512×512, one face."""
    from skimage import data

    pixels: NDArray[np.uint8] = data.astronaut()  # type: ignore[no-untyped-call]  # it has no types
    return pixels
