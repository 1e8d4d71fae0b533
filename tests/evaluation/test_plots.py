"""Drawings: for every kind of colour vision, true to their numbers, harmless, and the same each time."""

import io
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab

from recognizance.evaluation.axes import label_rows, straight_to
from recognizance.evaluation.measures import Curve, GroupMatrix, Histogram, Rate
from recognizance.evaluation.plots import (
    PALETTE,
    Reference,
    bars_picture,
    det_picture,
    histogram_picture,
    looks,
    matrix_picture,
    sizes_picture,
)
from recognizance.evaluation.reports.views import searches_by_threshold
from recognizance.register.reports.blocks import Picture
from tests.evaluation.result_world import HOSTILE, findings, rate, searches, verification

SVG = "{http://www.w3.org/2000/svg}"
NOTICEABLE = 10.0
"""CIEDE2000. About 2 is just noticeable side by side; lines stand apart from each other and want more."""

# Machado, Oliveira and Fernandes 2009, "A physiologically-based model for simulation of color vision deficiency",
# severity 1.0; the matrices are for linear RGB.
DEFICIENCIES = {
    "none": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
Colours = NDArray[np.float64]


def seen(colours: Sequence[str], deficiency: str) -> Colours:
    """Return CIELAB values of sRGB colours as somebody with a colour vision deficiency sees them."""
    srgb = np.array([[int(each[place : place + 2], 16) / 255 for place in (1, 3, 5)] for each in colours])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    changed = np.clip(linear @ np.array(DEFICIENCIES[deficiency]).T, 0, 1)
    back = np.where(changed <= 0.0031308, 12.92 * changed, 1.055 * changed ** (1 / 2.4) - 0.055)
    found: Colours = rgb2lab(back)
    return found


def difference(one: Colours, other: Colours) -> float:
    return float(deltaE_ciede2000(one, other))  # type: ignore[no-untyped-call]  # scikit-image has no type for it


def every_picture(group: str = "female") -> dict[str, Picture]:
    """Return a drawing of each kind."""
    found, names = findings(), (group, "male")
    compared = verification(names)
    rows = [(f"sex: {group}", rate(4, 135)), ("sex: male", rate(3, 400)), ("nobody", rate(0, 0))]
    parts = [("one person", compared.mated), (group, compared.impostors)]
    assert found.searches is not None
    return {
        "det": det_picture(compared, "Both errors"),
        "sizes": sizes_picture(searches_by_threshold(found), found.searches.beyond, 1_500, "By size"),
        "bars": bars_picture(rows, "By group", "FPIR", Reference(28 / 535, "28 of 535")),
        "histogram": histogram_picture(parts, [("default", 0.33)], "Scores", "score"),
        "matrix": matrix_picture(compared.at[0].matrices[0], "Between groups"),
    }


@pytest.fixture(scope="module")
def pictures() -> dict[str, Picture]:
    return every_picture()


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_the_first_five_colours_are_told_apart_with_every_colour_vision(deficiency: str) -> None:
    """Okabe and Ito chose them for that; here it is computed, with other people's model of what is seen."""
    shades = seen(PALETTE[:5], deficiency)

    assert min(difference(one, other) for one, other in combinations(shades, 2)) > NOTICEABLE


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_every_colour_stands_out_from_the_paper(deficiency: str) -> None:
    """And so does each line of a print."""
    *shades, paper = seen((*PALETTE, "#ffffff"), deficiency)

    assert min(difference(shade, paper) for shade in shades) > 2 * NOTICEABLE


def test_no_two_series_look_the_same_without_colour() -> None:
    """Up to seven lines differ by their dashes and by their marks alone; up to 49 by these and colour."""
    few, many = looks(7), looks(49)

    assert len({str(look.line) for look in few}) == len({look.mark for look in few}) == 7
    assert len({(look.color, str(look.line)) for look in many}) == 49


@pytest.mark.parametrize("kind", ["det", "sizes", "bars", "histogram", "matrix"])
def test_a_drawing_is_the_same_bytes_each_time(kind: str, pictures: dict[str, Picture]) -> None:
    """No date, no random number, in both forms."""
    again = every_picture()[kind]

    assert (again.svg, again.png) == (pictures[kind].svg, pictures[kind].png)


@pytest.mark.parametrize("kind", ["det", "sizes", "bars", "histogram", "matrix"])
def test_a_drawing_loads_nothing(kind: str, pictures: dict[str, Picture]) -> None:
    """SVG without a script, an image, a link to elsewhere or a date; letters are shapes, so no font is needed."""
    root = ET.fromstring(pictures[kind].svg)
    links = [value for part in root.iter() for name, value in part.attrib.items() if name.endswith("href")]

    assert {"script", "image", "foreignObject", "text", "metadata"}.isdisjoint(
        {str(part.tag).removeprefix(SVG) for part in root.iter()}
    )
    assert all(link.startswith("#") for link in links)


@pytest.mark.parametrize(
    ("sizes", "labels"),
    [
        ((150,), ["150"]),
        ((140, 141, 190), ["140", "190"]),
        ((50, 100, 110, 100_000), ["50", "100", "100,000"]),
        ((100, 500, 2_000), ["100", "500", "2,000"]),
    ],
)
def test_sizes_of_galleries_are_labelled_in_plain_figures(sizes: tuple[int, ...], labels: list[str]) -> None:
    """Also within one power of ten, where a logarithmic axis labels each of its steps; close ones share one."""
    found = findings().searches
    assert found is not None
    tried = [
        replace(found.at[0], found=replace(found.at[0].found, gallery_faces=size, gallery_subjects=size))
        for size in sizes
    ]

    drawn = sizes_picture({"default": tried}, [], None, "By size").svg

    # The letters are shapes; beside each, the drawing says in a comment what it spells.
    written = re.findall(r"<!-- (.*?) -->", drawn.decode())
    numbers = [each for each in written if re.fullmatch(r"[\d,]+", each)]
    assert numbers == labels
    assert not any("$" in each for each in written)


def test_no_label_of_a_threshold_lies_over_another() -> None:
    """Thresholds side by side stand on rows of their own, and far ones on the first."""
    names = [("80", 0.406), ("95", 0.546), ("99", 0.584), ("fmr 0.001", 0.332), ("fmr 0.0001", 0.402)]

    rows = label_rows(names, (-0.4, 0.9))

    ends = [(rows[place], score, score + 1.3 * 0.0105 * len(name)) for place, (name, score) in enumerate(names)]
    assert all(a[0] != b[0] or a[2] < b[1] for a, b in pairwise(sorted(ends)))
    assert label_rows([("80", 0.1), ("99", 0.8)], (0.0, 1.0)) == [0, 0]


def test_rare_errors_and_frequent_ones_are_both_seen() -> None:
    """Rates within a few tenfolds stand on a linear axis; it turns logarithmic where one would look like none."""
    assert straight_to([rate(2, 500), rate(30, 500)]) is None
    assert straight_to([rate(0, 500)]) is None
    assert straight_to([rate(1, 2_248), rate(169, 2_248), rate(0, 500)]) == 0.001


def test_a_drawing_has_something_in_it(pictures: dict[str, Picture]) -> None:
    """Ink on white, at the width of a page in 200 dots an inch."""
    for picture in pictures.values():
        with Image.open(io.BytesIO(picture.png)) as image:
            grey = np.asarray(image.convert("L"))

        assert grey.shape[1] == 1_400
        assert 0.005 < (grey < 200).mean() < 0.7


def test_a_drawing_says_its_numbers_in_words(pictures: dict[str, Picture]) -> None:
    """For whoever can't see it: the same counts as the document's."""
    assert "2,000 faces 1.3 % (7 of 535; 0.64 to 2.7 %)" in pictures["sizes"].text
    assert "extreme-value estimates beyond the data, not measurements" in pictures["sizes"].text
    assert "sex: female: 3.0 % (4 of 135; 1.2 to 7.4 %)" in pictures["bars"].text
    assert "nobody: nothing was tried" in pictures["bars"].text
    assert "one person: 4,000 scores" in pictures["histogram"].text
    assert "male with female" in pictures["matrix"].text


def test_a_hostile_name_is_drawn_as_letters() -> None:
    """Markup is no markup in a drawing, and dollar signs are no formulas; a turned direction is spelled out."""
    for picture in every_picture(HOSTILE + "$\\frac{1}{0}$").values():
        ET.fromstring(picture.svg)

        assert b"<script" not in picture.svg
        assert "\u202e" not in picture.text


def test_nothing_tried_and_nothing_wrong_are_drawn() -> None:
    """Zeros, empty histograms and single cells are results, not failures of a drawing."""
    nothing, none_wrong = rate(0, 0), rate(0, 535)
    single = GroupMatrix("sex", 0.3, ("a",), ((nothing,),))
    empty = Histogram((0.0, 1.0), (0,))
    quiet = searches(errors=0)

    drawn = [
        bars_picture([("a", nothing), ("b", none_wrong)], "t", "w"),
        bars_picture([], "t", "w"),
        matrix_picture(single, "t"),
        histogram_picture([("a", empty)], [], "t", "s"),
        sizes_picture(searches_by_threshold(findings(searches=quiet)), (), None, "t"),
        det_picture(replace(verification(), curve=Curve(()), group_curves=()), "t"),
    ]

    assert all(picture.svg for picture in drawn)
    assert "0 % (0 of 535; 0 to 0.71 %)" in drawn[0].text
    assert none_wrong.rate == Rate(0, 535)
