"""Edits of a probe do what they say, bit for bit, and nothing else is an edit."""

import hashlib
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from recognizance.errors import InputError
from recognizance.governance.leads import EditKind
from recognizance.reviewing.probe_edits import MAX_SIDE_PX, Edit, apply_edit, edit_picture

RAMP = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)


def test_a_crop_is_the_pixels_that_were_there() -> None:
    """Left and top are counted from the upper left corner; the picture is not square, so that a mix-up shows."""
    assert np.array_equal(apply_edit(RAMP, Edit(EditKind.CROP, "1,2,4,1")), RAMP[2:3, 1:5])


def test_a_turn_is_clockwise() -> None:
    """After 90 degrees the lower left pixel is the upper left one."""
    turned = apply_edit(RAMP, Edit(EditKind.ROTATE, "90"))

    assert turned.shape == (6, 4, 3)
    assert np.array_equal(turned[0, 0], RAMP[3, 0])


@pytest.mark.parametrize(
    ("kind", "parameters", "before", "after"),
    [
        (EditKind.BRIGHTNESS, "+30", [0, 100, 240], [30, 130, 255]),
        (EditKind.BRIGHTNESS, "-30", [0, 100, 240], [0, 70, 210]),
        # 128 + 2 (100 - 128) = 72; 128 + 2 (128 - 128) = 128; 128 + 2 (200 - 128) = 272, cut off.
        (EditKind.CONTRAST, "200", [100, 128, 200], [72, 128, 255]),
        # 128 + (100 - 128) / 2 = 114; 128 + (201 - 128) / 2 = 164.5, rounded up.
        (EditKind.CONTRAST, "50", [100, 128, 201], [114, 128, 165]),
    ],
)
def test_levels_change_as_calculated_by_hand(
    kind: EditKind, parameters: str, before: list[int], after: list[int]
) -> None:
    """Brightness shifts, contrast spreads about middle grey, and both stop at black and white."""
    pixels = np.array([[before]], dtype=np.uint8)

    assert apply_edit(pixels, Edit(kind, parameters)).tolist() == [[after]]


def test_enlarging_repeats_pixels() -> None:
    """No level appears that was not there."""
    larger = apply_edit(RAMP, Edit(EditKind.SCALE, "200"))

    assert larger.shape == (8, 12, 3)
    assert np.array_equal(larger[::2, ::2], RAMP)
    assert np.array_equal(larger[1::2, 1::2], RAMP)


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        (EditKind.CROP, "0,0,7,4"),
        (EditKind.CROP, "0,3,1,2"),
        (EditKind.CROP, "1,2,4"),
        (EditKind.CROP, "01,2,4,1"),
        (EditKind.CROP, "1,2,0,1"),
        (EditKind.ROTATE, "45"),
        (EditKind.ROTATE, "0"),
        (EditKind.BRIGHTNESS, "30"),
        (EditKind.BRIGHTNESS, "+101"),
        (EditKind.CONTRAST, "24"),
        (EditKind.CONTRAST, "401"),
        (EditKind.SCALE, "9"),
        (EditKind.SCALE, "١٠"),
    ],
)
def test_what_is_out_of_range_or_spelled_otherwise_is_refused(kind: EditKind, parameters: str) -> None:
    """Each edit has one spelling, so that its record can be compared."""
    with pytest.raises(InputError):
        apply_edit(RAMP, Edit(kind, parameters))


def test_a_picture_beyond_the_limit_is_refused() -> None:
    """Before and after the edit alike."""
    wide = np.zeros((1, MAX_SIDE_PX + 1, 3), dtype=np.uint8)
    with pytest.raises(InputError, match="8192"):
        apply_edit(wide, Edit(EditKind.ROTATE, "90"))
    with pytest.raises(InputError, match="8192"):
        apply_edit(wide[:, :MAX_SIDE_PX], Edit(EditKind.SCALE, "101"))


@given(st.sampled_from(EditKind), st.text(max_size=24))
def test_any_spelling_is_an_edit_or_an_input_error(kind: EditKind, parameters: str) -> None:
    """And one that is an edit is written in digits, commas and a sign."""
    try:
        edit = Edit(kind, parameters)
    except InputError:
        return
    assert set(edit.parameters) <= set("0123456789,+-")


def test_the_file_of_an_edit_holds_exactly_its_pixels() -> None:
    """Whoever has the picture before and the spelling can check the digest of the picture after."""
    edited = edit_picture(RAMP, Edit(EditKind.CROP, "1,1,3,2"))

    with Image.open(io.BytesIO(edited.png)) as picture:
        assert np.array_equal(np.asarray(picture), RAMP[1:3, 1:4])
        assert picture.info == {}
    assert edited.sha256 == hashlib.sha256(edited.png).hexdigest()
