"""Cards: one page for one threshold, the model's card, and every figure from the document."""

import io
import re
from dataclasses import replace

import pytest
from pypdf import PdfReader

from recognizance.evaluation.measures import GroupRate, GroupRates
from recognizance.evaluation.reports.cards import error_cards, model_card
from recognizance.evaluation.reports.report import evaluation_report
from recognizance.evaluation.results import Evaluation, IdentificationAt, Kind, commitment
from recognizance.evaluation.words import in_so_many, possibly
from recognizance.register.reports import write_html, write_pdf
from recognizance.register.reports.blocks import Figures, Paragraph, Report, Table
from tests.evaluation.result_world import evaluation, findings, hostile, rate, searches

CARDS = error_cards(evaluation())


def texts(report: Report) -> str:
    return " ".join(block.text for block in report.blocks if isinstance(block, Paragraph))


def many_groups(count: int) -> Evaluation:
    """Return a document with so many groups in one column, the last of them worst off."""
    [largest] = [at for at in searches().at if at.name == "default" and at.found.gallery_faces == 2_000]
    rates = tuple(GroupRate(f"group {place:03}", 200, rate(place, 200)) for place in range(count))
    found = replace(largest.found, fpir_by_group=(GroupRates("region", rates),), fnir_by_group=())
    at: IdentificationAt = replace(largest, found=found)
    return evaluation(findings=findings(verification=None, searches=replace(searches(), at=(at,))), gate=None)


def test_each_threshold_has_a_card() -> None:
    """Named by the threshold, and numbered so that no two names collide."""
    assert list(CARDS) == ["error-card-1-default", "error-card-2-80"]


@pytest.mark.parametrize("name", CARDS)
def test_a_card_is_one_page(name: str) -> None:
    """It hangs beside a screen."""
    reader = PdfReader(io.BytesIO(write_pdf(CARDS[name])))

    assert len(reader.pages) == 1
    assert "A candidate is not an identification" in reader.pages[0].extract_text()


def test_a_card_says_what_a_thousand_searches_cost() -> None:
    """7 of 535 is 13 in 1,000, 40 of 400 missed is 100; of women 30, of men 7.5."""
    [figures] = [block for block in CARDS["error-card-1-default"].blocks if isinstance(block, Figures)]
    [table] = [block for block in CARDS["error-card-1-default"].blocks if isinstance(block, Table)]
    by_group = {row[0]: row[1] for row in table.rows}

    assert [value for value, _ in figures.figures] == ["13 in 1,000", "100 in 1,000"]
    assert "a gallery of 2,000 faces return a wrong person; possibly 6.4 to 27" in figures.figures[0][1]
    assert by_group["sex: female"].startswith("30 in 1,000, possibly 12 to 74 (135 searches")
    assert by_group["sex: male"].startswith("7.5 in 1,000, possibly 2.6 to 22 (400 searches")


def test_a_set_that_nobody_described_leaves_no_gap() -> None:
    """No empty brackets, and no sentence that begins with a colon."""
    document = evaluation()
    undescribed = replace(document, data=replace(document.data, description=""))

    said = [
        texts(each)
        for each in (evaluation_report(undescribed), model_card(undescribed), *error_cards(undescribed).values())
    ]

    assert all("()" not in each and not each.startswith(":") and "\n:" not in each for each in said)
    assert "people, made by" in said[0]


def test_the_worst_off_group_stands_first() -> None:
    """And a card with more groups than fit a page says how many are left out."""
    [card] = error_cards(many_groups(40)).values()
    [table] = [block for block in card.blocks if isinstance(block, Table)]

    assert table.rows[0][0] == "region: group 039"
    assert len(table.rows) == 10
    assert "30 more groups are in the report" in table.title
    assert len(PdfReader(io.BytesIO(write_pdf(card))).pages) == 1


def test_a_gallery_larger_than_measured_is_warned_of() -> None:
    """A card beside a screen must not flatter."""
    [card, _] = error_cards(evaluation(operator_gallery_faces=25_000)).values()

    assert "Your gallery has 25,000 faces, more than were measured" in texts(card)
    assert "Your gallery" not in texts(CARDS["error-card-1-default"])


def test_comparisons_have_cards_of_their_own() -> None:
    """Where nothing was searched."""
    document = evaluation(Kind.VERIFICATION, findings=findings(searches=None), gate=None)
    cards = error_cards(document)
    [figures] = [block for block in cards["error-card-1-default"].blocks if isinstance(block, Figures)]
    compared = document.findings.verification

    assert compared is not None
    assert figures.figures[0][0] == in_so_many(compared.at[0].fmr)
    assert "comparisons of two people take them for one" in figures.figures[0][1]


def test_nothing_tried_is_not_zero() -> None:
    """`unknown`, and `none seen` with what remains possible: two different findings."""
    assert (in_so_many(rate(0, 0)), possibly(rate(0, 0))) == ("unknown", "nothing was tried")
    assert (in_so_many(rate(0, 535)), possibly(rate(0, 535))) == ("none seen", "up to 7.1 in 1,000 are possible")


def test_a_rare_error_is_told_of_a_number_that_has_one() -> None:
    """1 in 100,000 comparisons is 10 in a million: `0.01 in 1,000` says nothing to anybody."""
    assert in_so_many(rate(1, 100_000)) == "10 in 1,000,000"
    assert in_so_many(rate(1, 400_000_000)) == "2.5 in 1,000,000,000"


def test_the_model_card_says_what_it_is_not_for() -> None:
    """And on what it was measured, by whom, and how to check it."""
    card = model_card(evaluation())
    said = texts(card)
    cells = {cell for block in card.blocks if isinstance(block, Table) for row in block.rows for cell in row}

    assert "To infer race, sex, age, emotion" in said
    assert "5,151 pictures of 2,795 people" in said
    assert {"sface-2021dec@fb143eea07838aa5", "0f" * 32, "ab" * 32, commitment(evaluation())} <= cells
    assert any(re.search(r"by University of Springfield$", cell) for cell in cells)


def test_an_engine_that_does_not_name_its_model_has_a_card_too() -> None:
    """Of a service nobody outside knows the model's file."""
    engine = replace(evaluation().engine, name="Rekognition", model="", model_digest=None, endpoint="example.com")
    card = model_card(evaluation(engine=engine))

    assert card.title == "Model card: Rekognition"
    assert "not known to us" in {cell for block in card.blocks if isinstance(block, Table) for row in block.rows
                                 for cell in row}  # fmt: skip


def test_hostile_names_are_only_words_on_cards() -> None:
    """In both forms of both cards."""
    for card in (model_card(hostile()), *error_cards(hostile()).values()):
        written = write_html(card)

        assert b"<script" not in written
        assert "\u202e" not in written.decode()
        assert write_pdf(card).startswith(b"%PDF-")
