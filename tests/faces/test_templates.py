"""Aligned faces to unit vectors, and what is refused on the way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from recognizance.errors import DeniedError, InputError, UnavailableError
from recognizance.faces.alignment import mirrored
from recognizance.faces.manifest import RecogniserOutput
from recognizance.faces.models import ModelStore
from recognizance.faces.templates import NetworkRecogniser
from recognizance.permits import Action, Permit

SFACE = ModelStore(None).model("sface-2021dec")


@dataclass
class Corners:
    """A network of 128 numbers: the mean of the left half, of the right half, and zeros; or whatever it's told."""

    answer: NDArray[np.float32] | None = None

    def run(self, images: Sequence[NDArray[np.uint8]]) -> list[tuple[NDArray[np.float32], ...]]:
        rows: list[tuple[NDArray[np.float32], ...]] = []
        for image in images:
            row = np.zeros((1, 128), dtype=np.float32)
            row[0, :2] = image[:, :56].mean() + 1, image[:, 56:].mean() + 1
            rows.append((row if self.answer is None else self.answer,))
        return rows


def face(left: int, right: int) -> NDArray[np.uint8]:
    pixels = np.full((112, 112, 3), left, dtype=np.uint8)
    pixels[:, 56:] = right
    return pixels


def recogniser(network: Corners, *, mirror: bool) -> NetworkRecogniser:
    assert isinstance(SFACE.output, RecogniserOutput)
    return NetworkRecogniser(replace(SFACE, output=replace(SFACE.output, mirrored=mirror)), network)


def test_a_template_is_the_direction_of_the_answer(permit: Permit) -> None:
    """(100, 50) + 1, to unit length."""
    (template,) = recogniser(Corners(), mirror=False).templates([face(100, 50)], permit)

    assert template[:2] == pytest.approx(np.array([101, 51]) / np.hypot(101, 51))
    assert template.dtype == np.float32


def test_mirroring_makes_a_face_and_its_mirror_image_the_same(permit: Permit) -> None:
    """Both directions count alike, so the sum of (a, b) and (b, a) is the diagonal."""
    both = recogniser(Corners(), mirror=True).templates([face(200, 0), mirrored(face(200, 0))], permit)

    assert both[:, :2] == pytest.approx(np.full((2, 2), 0.5**0.5))


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_a_template_without_direction_is_an_error(permit: Permit, value: float) -> None:
    """It would be like everybody, or nobody."""
    network = Corners()
    broken = recogniser(network, mirror=False)
    network.answer = np.full((1, 128), value, dtype=np.float32)

    with pytest.raises(UnavailableError, match="without direction"):
        broken.templates([face(1, 2)], permit)


def test_faces_of_another_shape_are_a_programmers_mistake(permit: Permit) -> None:
    """They were not aligned."""
    ours = recogniser(Corners(), mirror=False)
    for wrong in (np.zeros((112, 112), np.uint8), np.zeros((160, 112, 3), np.uint8)):
        with pytest.raises(ValueError, match="an aligned face is"):
            ours.templates([wrong], permit)
    with pytest.raises(ValueError, match="an aligned face is"):
        ours.templates([np.zeros((112, 112, 3), dtype=np.float32)], permit)


def test_a_model_that_does_not_answer_as_stated_is_refused() -> None:
    """When it's loaded."""
    with pytest.raises(InputError, match="its manifest states"):
        recogniser(Corners(np.zeros((1, 64), dtype=np.float32)), mirror=False)
    with pytest.raises(InputError, match="not a recogniser"):
        NetworkRecogniser(ModelStore(None).model("yunet-2023mar"), Corners())


@pytest.mark.parametrize("action", Action)
def test_only_acts_that_compare_may_make_templates(permit_for: Callable[[Action], Permit], action: Action) -> None:
    """Detecting a face or reading a gallery is not enough."""
    ours = recogniser(Corners(), mirror=False)
    if action in {Action.COMPARE, Action.SEARCH, Action.ENROL, Action.MEASURE}:
        assert len(ours.templates([face(1, 2)], permit_for(action))) == 1
    else:
        with pytest.raises(DeniedError):
            ours.templates([face(1, 2)], permit_for(action))
