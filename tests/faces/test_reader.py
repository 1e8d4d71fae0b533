"""Photographs to templates, as other folders use it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from recognizance.errors import DeniedError, InputError, NotFoundError
from recognizance.faces import FaceReader, Photograph, open_photograph, open_reader
from recognizance.permits import Action, Permit

PermitFor = Callable[[Action], Permit]
PhotographOf = Callable[[NDArray[np.uint8]], Photograph]


def test_two_pictures_of_one_person_are_alike_and_two_people_are_not(
    reader: FaceReader,
    permit: Permit,
    photograph_of: PhotographOf,
    hopper: NDArray[np.uint8],
    astronaut: NDArray[np.uint8],
) -> None:
    """A darker, smaller picture of the same face stays near; another face stays far."""
    other = np.ascontiguousarray((hopper[::2, ::2] * 0.7).astype(np.uint8))

    faces = [reader.detect(photograph_of(pixels), permit)[0] for pixels in (hopper, other, astronaut)]
    same, changed, stranger = reader.templates(faces, permit)

    assert float(same @ changed) > 0.8
    assert float(same @ stranger) < 0.3


def test_templates_are_unit_rows(reader: FaceReader, permit: Permit, hopper_jpeg: bytes) -> None:
    """What leaves the reader is what galleries expect."""
    faces = reader.detect(open_photograph(hopper_jpeg, permit), permit)

    templates = reader.templates(faces, permit)

    assert templates.shape == (1, reader.dimension)
    assert templates.dtype == np.float32
    assert templates.flags.c_contiguous
    assert np.linalg.norm(templates, axis=1) == pytest.approx(1.0, abs=1e-6)


def test_no_faces_make_no_templates(reader: FaceReader, permit: Permit) -> None:
    """An empty list is an ordinary case, not an error."""
    assert reader.templates([], permit).shape == (0, reader.dimension)


def test_a_template_does_not_depend_on_its_company(
    reader: FaceReader,
    permit: Permit,
    photograph_of: PhotographOf,
    hopper: NDArray[np.uint8],
    astronaut: NDArray[np.uint8],
) -> None:
    """Alone, among others and beside other threads a face gives the same bits: an audit repeats a search exactly."""
    ours = reader.detect(photograph_of(hopper), permit)
    others = reader.detect(photograph_of(astronaut), permit)
    alone = reader.templates(ours, permit)

    with ThreadPoolExecutor(4) as pool:
        among = list(pool.map(lambda _: reader.templates([*others, *ours, *others], permit)[1], range(8)))

    for row in among:
        np.testing.assert_array_equal(row, alone[0])


def test_one_thread_and_two_give_the_same_bits(
    reader: FaceReader, permit: Permit, photograph_of: PhotographOf, hopper: NDArray[np.uint8]
) -> None:
    """A service with another thread count answers the same."""
    single = open_reader(threads=1)
    photograph = photograph_of(hopper)

    ours, theirs = reader.detect(photograph, permit), single.detect(photograph, permit)

    np.testing.assert_array_equal(ours[0].aligned, theirs[0].aligned)
    np.testing.assert_array_equal(reader.templates(ours, permit), single.templates(theirs, permit))


def test_detection_and_templates_ask_for_a_permit(
    reader: FaceReader, permit_for: PermitFor, hopper_jpeg: bytes
) -> None:
    """A permit to forget is none to look, and a permit to look is none to make templates."""
    look, forget = permit_for(Action.DETECT), permit_for(Action.FORGET)
    photograph = open_photograph(hopper_jpeg, look)
    faces = reader.detect(photograph, look)

    with pytest.raises(DeniedError):
        reader.detect(photograph, forget)
    with pytest.raises(DeniedError):
        reader.templates(faces, look)


def test_the_reader_names_its_model(reader: FaceReader) -> None:
    """Templates are stored beside the model that made them, to the byte of its file."""
    assert reader.model == "sface-2021dec@fb143eea07838aa5"
    assert reader.dimension == 128


def test_unknown_and_unfit_models_are_refused() -> None:
    """A name that isn't listed, one whose file is absent, and a detector in a recogniser's place."""
    with pytest.raises(NotFoundError, match="there is no model"):
        open_reader(recogniser="facenet")
    with pytest.raises(NotFoundError, match="models pull sface-2021dec-float32"):
        open_reader(recogniser="sface-2021dec-float32")
    with pytest.raises(InputError, match="not a recogniser"):
        open_reader(recogniser="yunet-2023mar")
