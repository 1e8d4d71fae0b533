"""What scores mean: rates, similarities, and thresholds that follow a gallery's size."""

import csv
import hashlib
import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizance.errors import CorruptionError, NotFoundError
from recognizance.faces import ModelStore
from recognizance.faces.calibration import (
    DEFAULT_MAX_FPIR,
    Calibration,
    Knot,
    load_calibration,
    parse_calibration,
)
from recognizance.faces.image import open_photograph
from recognizance.faces.reader import open_reader
from recognizance.governance.policy import Policy, Principal, Role
from recognizance.identifiers import DecisionId, ModelId, PrincipalId
from recognizance.permits import Action

SHIPPED = ModelId("sface-2021dec@fb143eea07838aa5")
ROOT = Path(__file__).parents[2]
LFW = ROOT.parent / "shared" / "faces"

TABLE = load_calibration(SHIPPED)
SCORES = st.floats(-1, 1)


def by_hand() -> Calibration:
    """A decade for each tenth: 1 at 0.0, 1e-1 at 0.1, 1e-2 at 0.2, and so on beyond."""
    knots = (Knot(0.0, 1000, 1.0), Knot(0.1, 90, 0.1), Knot(0.2, 9, 0.01))
    return Calibration(ModelId("hand"), knots, pairs=1000, decades_per_score=10.0)


def test_a_table_made_by_hand_reads_as_written() -> None:
    """Straight lines between the knots on a logarithmic scale, and the tail beyond, marked as such."""
    calibration = by_hand()

    assert calibration.false_match_rate(0.15).bound == pytest.approx(10**-1.5)
    assert not calibration.false_match_rate(0.2).extrapolated
    assert calibration.false_match_rate(0.4).bound == pytest.approx(1e-4)
    assert calibration.false_match_rate(0.4).extrapolated
    assert calibration.similarity_pct(0.1) == pytest.approx(20)
    assert calibration.similarity_pct(0.4) == pytest.approx(80)
    assert calibration.similarity_pct(0.6) == pytest.approx(99)
    assert calibration.similarity_pct(0.95) == pytest.approx(99.95)
    assert calibration.score_at_fmr(1e-3) == pytest.approx(0.3)


def test_a_gallery_of_a_thousand_raises_the_threshold_by_three_decades() -> None:
    """1 - (1 - 1e-5)^1000 is just below 0.01, so the threshold lies just below 1e-5's."""
    calibration = by_hand()

    threshold = calibration.operating_score(0.0, gallery_size=1000, max_fpir=0.01)

    # ln(1 - 0.01) / 1000 = -1.00503e-5; a decade is a tenth, and log10(1.00503) is 0.00218.
    assert threshold == pytest.approx(0.5 - 0.000218, abs=1e-5)


def test_the_ends_of_the_scale() -> None:
    """0 for opposite and ordinary strangers, 100 for the same face and nothing else."""
    assert TABLE.similarity_pct(-1.0) == 0
    assert TABLE.similarity_pct(1.0) == 100
    assert TABLE.similarity_pct(1.0000001) == 100
    assert 99.9 < TABLE.similarity_pct(0.99) < 100
    assert TABLE.score_at_pct(0) == -1
    assert TABLE.score_at_pct(100) == pytest.approx(1)


def test_eighty_and_ninety_nine_keep_their_promises() -> None:
    """80 is one false match in ten thousand, 99 one in a million, by the bound."""
    assert TABLE.false_match_rate(TABLE.score_at_pct(80)).bound == pytest.approx(1e-4)
    assert TABLE.false_match_rate(TABLE.score_at_pct(99)).bound == pytest.approx(1e-6)


@given(SCORES, SCORES)
def test_a_higher_score_is_never_less_similar(first: float, second: float) -> None:
    """Similarity rises and the rate falls with the score, everywhere."""
    low, high = sorted((first, second))

    assert 0 <= TABLE.similarity_pct(low) <= TABLE.similarity_pct(high) <= 100
    assert 1 >= TABLE.false_match_rate(low).bound >= TABLE.false_match_rate(high).bound > 0


@given(SCORES)
def test_similarity_has_no_steps(score: float) -> None:
    """A score that is a hair higher is a hair more similar: no jump at a knot or an anchor."""
    step = 1e-7

    assert TABLE.similarity_pct(min(score + step, 1.0)) - TABLE.similarity_pct(score) < 1e-3


@given(st.floats(0.01, 100))
def test_a_similarity_has_one_score(similarity_pct: float) -> None:
    """`score_at_pct` is the inverse of `similarity_pct`."""
    assert TABLE.similarity_pct(TABLE.score_at_pct(similarity_pct)) == pytest.approx(similarity_pct, abs=1e-6)


@given(st.floats(-12, -0.001))
def test_a_rate_has_one_score(exponent: float) -> None:
    """`score_at_fmr` is the inverse of `false_match_rate`, as far as scores go."""
    fmr = 10.0**exponent
    score = TABLE.score_at_fmr(fmr)

    assert score <= 1
    assert score == 1 or TABLE.false_match_rate(score).bound == pytest.approx(fmr, rel=1e-6)


@given(
    requested=st.floats(0, 100),
    size=st.integers(0, 20_000_000),
    more=st.integers(0, 20_000_000),
    max_fpir=st.floats(1e-6, 1),
)
def test_a_threshold_is_what_was_asked_for_or_more(requested: float, size: int, more: int, max_fpir: float) -> None:
    """A bigger gallery never lowers it, nothing lowers it below the caller's, and the bound holds up to the score 1."""
    threshold = TABLE.operating_score(requested, gallery_size=size, max_fpir=max_fpir)
    bigger = TABLE.operating_score(requested, gallery_size=size + more, max_fpir=max_fpir)

    assert TABLE.score_at_pct(requested) <= threshold <= bigger
    expected_fpir = -math.expm1(size * math.log1p(-min(TABLE.false_match_rate(threshold).bound, 1 - 1e-12)))
    assert threshold == 1 or expected_fpir <= max_fpir * (1 + 1e-6)


def test_an_unbounded_search_is_the_callers_own() -> None:
    """At `max_fpir` 1, or with nobody to be confused with, the size of the gallery changes nothing."""
    asked = TABLE.score_at_pct(80)

    assert TABLE.operating_score(80, gallery_size=20_000_000, max_fpir=1) == asked
    assert TABLE.operating_score(80, gallery_size=0) == asked


def test_the_default_bound_costs_what_the_documentation_says() -> None:
    """Among a thousand faces the default threshold lies within what was measured."""
    threshold = TABLE.operating_score(80, gallery_size=1000, max_fpir=DEFAULT_MAX_FPIR)

    assert TABLE.score_at_pct(80) < threshold < 0.55


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_no_number_is_no_score(score: float) -> None:
    """A surprise is an error, never a similarity."""
    with pytest.raises(ValueError, match="finite"):
        TABLE.false_match_rate(score)


@pytest.mark.parametrize(
    "call",
    [
        lambda: TABLE.score_at_pct(-0.1),
        lambda: TABLE.score_at_pct(100.1),
        lambda: TABLE.score_at_pct(math.nan),
        lambda: TABLE.score_at_fmr(0.0),
        lambda: TABLE.score_at_fmr(1.1),
        lambda: TABLE.operating_score(80, gallery_size=-1),
        lambda: TABLE.operating_score(80, gallery_size=1, max_fpir=0.0),
        lambda: TABLE.operating_score(80, gallery_size=1, max_fpir=math.nan),
    ],
)
def test_arguments_out_of_range_are_refused(call: object) -> None:
    """Each names its range."""
    with pytest.raises(ValueError, match=r"lies|bounded"):
        call()  # type: ignore[operator]


@pytest.mark.parametrize(
    "knots",
    [
        (Knot(0.0, 10, 1.0),),
        (Knot(0.0, 10, 0.9), Knot(0.1, 1, 0.1)),
        (Knot(0.1, 10, 1.0), Knot(0.0, 1, 0.1)),
        (Knot(0.0, 10, 1.0), Knot(0.1, 1, 1.0)),
        (Knot(0.0, 10, 1.0), Knot(0.1, 5, 0.1)),
        (Knot(0.0, 10, 1.0), Knot(0.9, 1, 0.1)),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(knots: tuple[Knot, ...]) -> None:
    """Too short, not beginning at 1, not sorted, flat, bounded below its count, or with a tail beyond the scale."""
    with pytest.raises(ValueError, match="calibration"):
        Calibration(ModelId("m"), knots, pairs=10, decades_per_score=10)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"model": "m", "knots": [[1]], "pairs": 1, "tail": {}}', "null"])
def test_a_malformed_file_is_corruption(text: str) -> None:
    """A person has to look; nothing goes on with half a table."""
    with pytest.raises(CorruptionError):
        parse_calibration(text)


@pytest.mark.parametrize(
    "model", ["sface-2021dec@0000000000000000", "nobody@fb143eea07838aa5", "../x@fb143eea07838aa5"]
)
def test_other_weights_have_no_calibration(model: str) -> None:
    """A table is for one file of weights; another's scores mean something else."""
    with pytest.raises(NotFoundError, match="calibration"):
        load_calibration(ModelId(model))


def test_the_shipped_bounds_are_above_their_counts() -> None:
    """Bounds hold a margin at every knot, and are within reason."""
    for low, high in itertools.pairwise(TABLE.knots):
        assert low.errors > high.errors
    for knot in TABLE.knots[1:]:
        rate = knot.errors / TABLE.pairs
        assert rate < knot.fmr_bound < 5 * rate
    assert TABLE.pairs > 13_000_000


def shipped() -> dict[str, Any]:
    """The shipped file, as a reader without this program has it."""
    file = ROOT / "src" / "recognizance" / "faces" / "tables" / "sface-2021dec.json"
    said: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return said


def test_the_shipped_file_says_what_it_was_measured_on() -> None:
    """It is about the model that ships, and about the pictures and the decision of the published evaluation."""
    said = shipped()
    published = json.loads((ROOT / "benchmarks" / "results" / "lfw-one-to-one.json").read_text(encoding="utf-8"))
    decision = (ROOT / "benchmarks" / "lfw-decision.csv").read_bytes()

    assert said["model_sha256"] == ModelStore(None).model("sface-2021dec").sha256
    assert said["model"] == f"sface-2021dec@{said['model_sha256'][:16]}" == SHIPPED
    assert said["data"] == published["data"]["commitment"]
    assert (said["people"], said["pictures"]) == (published["data"]["subjects"], published["data"]["images"])
    assert said["left_out"]["decision"] == hashlib.sha256(f"{said['data']}\n".encode() + decision).hexdigest()
    assert (said["seed"], said["settings"]["resamples"]) == (2018, "1000")


def test_the_shipped_counts_are_those_of_the_published_evaluation() -> None:
    """Two runs with other seeds: the same comparisons reach the same scores, and only the bounds hang on the seed."""
    said = shipped()
    published = json.loads((ROOT / "benchmarks" / "results" / "lfw-one-to-one.json").read_text(encoding="utf-8"))
    rows = published["without_excluded"]["verification"]["calibration"]
    counted = {round(row["score"], 6): (row["rate"]["errors"], row["rate"]["trials"]) for row in rows}
    bounds = {round(row["score"], 6): row["fmr_bound"] for row in rows}

    both = [knot for knot in said["knots"] if knot[0] in counted]
    assert len(both) > 50
    for score, errors, bound in both:
        assert counted[score] == (errors, said["pairs"])
        assert bound == pytest.approx(bounds[score], rel=0.2)


def test_the_shipped_tail_follows_from_the_rows_beside_it() -> None:
    """The slowest fall to the last row from any row of the last tenfold, two hundredths of the score or more."""
    said = shipped()
    end, _, last = said["knots"][-1]
    falls = [
        math.log10(bound / last) / (end - score)
        for score, _, bound in said["knots"]
        if bound <= 10 * last and score < end - 0.0199
    ]

    assert said["measured"] == {"from": said["knots"][0][0], "to": end}
    assert said["tail"]["extrapolated"] is True
    assert said["tail"]["decades_per_score"] == pytest.approx(min(falls), abs=0.005)


@pytest.mark.slow
@pytest.mark.skipif(not LFW.is_dir(), reason="needs ../shared/faces")
def test_the_shipped_table_is_what_the_default_pipeline_gives() -> None:
    """Every eighth person's first image, 60,000 pairs: the counts agree with the table's within chance.

    `make calibration` writes it again from all 13 million.
    """
    permit = Policy().decide(
        Principal(PrincipalId("test"), frozenset({Role.ADMINISTRATOR})),
        Action.MEASURE,
        gallery=None,
        decision_id=DecisionId("d"),
    )
    with (LFW / "lfw.csv").open(encoding="utf-8") as file:
        first_images = {row["subject"]: row["path"] for row in reversed(list(csv.DictReader(file)))}
    reader = open_reader()
    rows = []
    for subject in sorted(first_images)[::8]:
        photograph = open_photograph((LFW / first_images[subject]).read_bytes(), permit)
        if faces := reader.detect(photograph, permit)[:1]:
            rows.append(reader.templates(faces, permit)[0])
    templates = np.stack(rows)
    scores = (templates @ templates.T)[np.triu_indices(len(templates), 1)]

    assert reader.model == TABLE.model
    for rate in (0.3, 0.1, 0.03, 0.01):
        knot = min(TABLE.knots, key=lambda knot: abs(math.log(knot.errors / TABLE.pairs / rate)))
        # 350 people stand for 2,795: a fifth more or less is within what the choice of people makes.
        assert (scores >= knot.score).mean() == pytest.approx(knot.errors / TABLE.pairs, rel=0.25)
    assert (scores >= TABLE.score_at_pct(80)).mean() <= 2e-4
