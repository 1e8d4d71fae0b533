"""Reports: every number from the document, said plainly, complete without the network, and the same each time."""

import csv
import dataclasses
import io
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from recognizance.evaluation.gate import Check, Limit, Measure, judged
from recognizance.evaluation.measures import Estimate, Interval, IntervalMethod, Rate
from recognizance.evaluation.reports import csv_files, evaluation_report, report_files
from recognizance.evaluation.reports.report import how_to_check
from recognizance.evaluation.reports.summary import summary, verdict_callout
from recognizance.evaluation.reports.views import RATE_COLUMNS
from recognizance.evaluation.results import Evaluation, Kind, commitment
from recognizance.evaluation.words import interval_words, percent, rate_phrase, what_it_proves
from recognizance.register.reports import write_html, write_pdf
from recognizance.register.reports.blocks import Block, Callout, Paragraph, Report, Table, Tone
from tests.evaluation.result_world import (
    HOSTILE,
    evaluation,
    findings,
    gate,
    hostile,
    rate,
    searches,
    with_exclusions,
)
from tests.web.world import launched, require_chromium, violations

RECEIPT = "c2sp.org/tlog-proof@v1\nindex 41\n"
VOID = {"meta", "br", "img", "link", "hr", "input"}
RATE = re.compile(r"(?P<errors>[0-9][0-9,]*) of (?P<trials>[0-9][0-9,]*)(?=[;)])")


class Page(HTMLParser):
    """What a browser would make of a page, with a check that each element is closed where it should be."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words = ""
        self._open: list[str] = []
        self.feed(html.decode())
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs)
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data.replace("\u00a0", " ")

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def report() -> Report:
    return evaluation_report(with_exclusions(), RECEIPT)


@pytest.fixture(scope="module")
def html(report: Report) -> bytes:
    return write_html(report)


@pytest.fixture(scope="module")
def pdf(report: Report) -> bytes:
    return write_pdf(report)


def first_page(document: Evaluation) -> str:
    """Return what a report says before its drawings, which take a while."""
    return words_of(summary(document))


def words_of(blocks: Iterable[Block]) -> str:
    return " ".join(f"{block.title} {block.text}" if isinstance(block, Callout) else block.text
                    for block in blocks if isinstance(block, Callout | Paragraph))  # fmt: skip


def estimates(value: Any) -> Iterator[Estimate]:
    """Yield every rate of a document, however deep."""
    if isinstance(value, Estimate):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from estimates(each)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from estimates(getattr(value, field.name))


def test_every_rate_in_a_table_is_one_of_the_document(report: Report) -> None:
    """Errors, trials, percent and interval together: a table can't mix one rate's count with another's interval."""
    known = {
        (f"{each.rate.errors:,}", f"{each.rate.trials:,}", percent(each.rate.value or 0.0), interval_words(each))
        for each in estimates(with_exclusions())
        if each.rate.trials
    }
    tables = [block for block in report.blocks if isinstance(block, Table) and "Errors" in block.columns]
    shown = [
        row[table.columns.index("Errors") : table.columns.index("Errors") + 4]
        for table in tables
        if set(RATE_COLUMNS[:-1]) <= set(table.columns)
        for row in table.rows
    ]

    assert len(shown) > 60
    assert {row for row in shown if row[1] != "0"} <= known


def test_every_count_in_a_sentence_is_one_of_the_document(html: bytes) -> None:
    """`28 of 535` is the ACLU's; every other one was measured, and stands beside its own percentage."""
    known = {(each.rate.errors, each.rate.trials) for each in estimates(with_exclusions())}
    found = {
        (int(match["errors"].replace(",", "")), int(match["trials"].replace(",", "")))
        for match in RATE.finditer(Page(html).words)
    }

    assert len(found) > 10
    assert found <= known | {(28, 535)}


def test_the_page_is_whole_and_loads_nothing(html: bytes) -> None:
    """Each element closed, each id once, one main heading, no level skipped, nothing fetched and nothing run."""
    page = Page(html)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    levels = [int(tag[1]) for tag, _ in page.elements if tag in {"h1", "h2", "h3"}]
    links = [value for _, attributes in page.elements for name, value in attributes.items()
             if name in {"src", "href", "xlink:href", "action", "data"}]  # fmt: skip

    assert page.all("html") == [{"lang": "en"}]
    assert len(ids) == len(set(ids))
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert {"script", "iframe", "link", "object", "base", "form"}.isdisjoint(tag for tag, _ in page.elements)
    assert all(link.startswith("#") for link in links)
    assert not re.search(rb"@import|url\((?!#)", html)
    assert "default-src 'none'" in page.all("meta")[1]["content"]


def test_every_drawing_has_a_name_a_text_and_its_numbers_as_a_table(html: bytes, report: Report) -> None:
    """`role=img`, named by a title and a description that are there; and as many tables as drawings at least."""
    page = Page(html)
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    drawings = page.all("svg")

    assert len(drawings) >= 8
    assert all(drawing["role"] == "img" for drawing in drawings)
    assert all(set(drawing["aria-labelledby"].split()) <= ids for drawing in drawings)
    assert len(page.all("table")) > len(drawings)
    assert len(page.all("caption")) == len(page.all("table"))
    assert all("scope" in head for head in page.all("th"))


def test_the_first_words_are_plain(report: Report) -> None:
    """The verdict, then what it means for a person; no abbreviation before the numbers are explained."""
    first = report.blocks[:6]
    said = words_of(first)

    assert isinstance(first[1], Callout)
    assert "searches were made for people who were certainly not in the gallery" in said
    assert "that was a wrong person every time" in said


def test_insufficient_evidence_is_said_and_names_the_group() -> None:
    """4 of 135 women is 3 %, within the limit of 5 %, and may be 7.4 %: not a pass."""
    callout = verdict_callout(evaluation().gate)

    assert callout.tone is Tone.UNSURE
    assert "Insufficient evidence" in callout.title
    assert callout.text.startswith("sex: female, among 2,000 faces: a wrong person is returned (FPIR) in 3.0 % (4 of")
    assert callout.text.endswith("7.4 %), which does not show that the limit of 5.0 % is kept.")


def test_a_verdict_names_each_group_once_at_the_largest_gallery_where_it_stands() -> None:
    """Three sizes come to the same for women: one line, of the largest. 2 of 193 is no 1.0 % beside a limit of 1 %."""
    limit = Limit(measure=Measure.FPIR, at_most=0.01)

    def check(faces: int, estimate: Estimate, group: str | None = None) -> Check:
        column = None if group is None else "sex"
        return Check(limit=limit, column=column, group=group, gallery_faces=faces, estimate=estimate)

    checks = [check(50, rate(1, 66), "female"), check(100, rate(2, 60), "female"), check(50, rate(0, 193))]
    said = verdict_callout(judged([*checks, check(100, rate(2, 193))])).text.split("\n")

    assert [line.split(" is returned (FPIR) in ") for line in said] == [
        ["sex: female, among 100 faces: a wrong person", f"{rate_phrase(rate(2, 60))}, above the limit of 1.0 %."],
        ["Everybody, among 100 faces: a wrong person", "1.04 % (2 of 193; 0.28 to 3.7 %), above the limit of 1.0 %."],
    ]


@pytest.mark.parametrize(
    ("limit", "tone", "word"),
    [(0.1, Tone.GOOD, "Passed"), (0.005, Tone.BAD, "Failed"), (None, Tone.PLAIN, "No verdict")],
)
def test_a_verdict_is_said_in_words(limit: float | None, tone: Tone, word: str) -> None:
    """And never by colour alone. Without limits there is none."""
    callout = verdict_callout(None if limit is None else gate(limit))

    assert (callout.tone, callout.title.split(":")[0]) == (tone, word)


def test_a_gate_without_a_check_has_shown_nothing() -> None:
    """An empty gate isn't an open one, and no limit is called met where none was set."""
    callout = verdict_callout(judged([]))

    assert callout.tone is Tone.UNSURE
    assert "no limits were set" in callout.title
    assert "within its limit" not in callout.text


def test_what_zero_of_535_proves_is_said() -> None:
    """3/535 is 0.56 %; Wilson's upper end is 0.71 %. Neither is zero."""
    quiet = evaluation(Kind.ACLU, findings=findings(searches=searches(errors=0)), gate=None)
    said = first_page(quiet)

    assert "No error in 535 independent trials proves a rate of at most 0.56 %" in said
    assert "0.71 % by Wilson's interval" in said
    assert "It does not prove zero." in said


def test_the_test_of_2018_stands_beside_the_aclus_own() -> None:
    """28 of 535, with its interval, only where the same was asked."""
    said = first_page(evaluation(Kind.ACLU))

    assert f"somebody else was returned for 28: {rate_phrase(rate(28, 535))}" in said
    assert "Congress" not in first_page(evaluation())


def test_results_stand_with_and_without_the_excluded_labels(report: Report) -> None:
    """7 of 535 with every label, 2 without those that somebody decided are wrong; conclusions are without."""
    table = next(
        block
        for block in report.blocks
        if isinstance(block, Table) and block.title == "With and without the excluded labels"
    )
    fpir = [row for row in table.rows if row[0].startswith("FPIR")]

    assert [(row[1], row[2], row[3]) for row in fpir] == [
        ("every label", "7", "535"),
        ("without the excluded", "2", "535"),
    ]
    assert "In 2 of them somebody was returned" in words_of(report.blocks)


def test_a_difference_is_called_one_only_where_the_intervals_lie_apart() -> None:
    """4 of 135 against 3 of 400 may be chance; 60 of 135 against 3 of 400 isn't."""
    [largest] = [at for at in searches().at if at.name == "default" and at.found.gallery_faces == 2_000]
    column = largest.found.fpir_by_group[0]
    apart = replace(column, rates=(replace(column.rates[0], estimate=rate(60, 135)), column.rates[1]))
    found = replace(largest.found, fpir=rate(63, 535), fpir_by_group=(apart,))
    unequal = findings(verification=None, searches=replace(searches(), at=(replace(largest, found=found),)))

    assert "The intervals overlap: these data are too few" in first_page(evaluation())
    assert "The intervals do not overlap" in first_page(evaluation(findings=unequal, gate=None))


def test_a_gallery_larger_than_measured_is_warned_of() -> None:
    """The figures would flatter."""
    said = first_page(evaluation(operator_gallery_faces=25_000))

    assert "has 25,000 faces, and the largest that was measured has 2,000" in said


def test_what_can_be_checked_is_there(html: bytes, report: Report) -> None:
    """The result's own hash, the data's, the model's, the decision's; the receipt, or that there is none."""
    words = Page(html).words

    for digest in (commitment(with_exclusions()), "ab" * 32, "0f" * 32, "cd" * 32):
        assert digest in words
    assert "c2sp.org/tlog-proof@v1" in words
    assert "No receipt" in words_of(how_to_check(evaluation(), None))
    assert "No receipt" not in words_of(report.blocks)


def test_the_print_has_the_figures(pdf: bytes, report: Report) -> None:
    """Text that can be selected and searched, with every cell of every table and every sentence."""
    reader = PdfReader(io.BytesIO(pdf))
    printed = "".join(page.extract_text() for page in reader.pages)
    letters = re.sub(r"\s", "", printed)
    cells = {cell for block in report.blocks if isinstance(block, Table) for row in block.rows for cell in row}

    assert {cell for cell in cells if re.sub(r"\s", "", cell) not in letters} == set()
    assert reader.metadata is not None
    assert str(reader.metadata.title).startswith("How wrong is it")
    assert all(re.sub(r"\s", "", block.text) in letters for block in report.blocks
               if isinstance(block, Callout))  # fmt: skip


def test_a_report_is_the_same_bytes_each_time(html: bytes, pdf: bytes) -> None:
    """From the same document, whenever it is written."""
    again = evaluation_report(with_exclusions(), RECEIPT)

    assert write_html(again) == html
    assert write_pdf(again) == pdf


def test_hostile_names_are_only_words() -> None:
    """No markup comes of a manifest's names, in any file, and nothing is hidden in them."""
    document = hostile()
    written = write_html(evaluation_report(document))
    page = Page(written)

    assert page.all("script") == []
    assert "<script>alert(1)</script>" in page.words
    assert "\u202e" not in written.decode()
    assert write_pdf(evaluation_report(document)).startswith(b"%PDF-")


def test_csv_has_every_rate_in_full(report: Report) -> None:
    """Counts and seventeen digits, for every label and without the excluded, in one row each."""
    rows = list(csv.DictReader(io.StringIO(csv_files(with_exclusions())["rates.csv"].decode())))
    [chosen] = [
        row
        for row in rows
        if (row["labels"], row["measure"], row["threshold"], row["faces"], row["group"])
        == ("all", "fpir", "default", "2000", "everybody")
    ]

    assert (int(chosen["errors"]), int(chosen["trials"])) == (7, 535)
    assert float(chosen["rate"]) == 7 / 535
    assert {row["labels"] for row in rows} == {"all", "without_excluded"}
    assert len(rows) == len({tuple(row.values()) for row in rows})


def test_a_spreadsheet_computes_nothing_that_a_manifest_says() -> None:
    """A name that begins like a formula gets an apostrophe."""
    columns = evaluation().findings.acquisition_by_group
    formula = replace(columns[0], rates=(replace(columns[0].rates[0], group="=HYPERLINK(1)"),))
    files = csv_files(evaluation(findings=findings(acquisition_by_group=(formula,))))

    assert b"'=HYPERLINK(1)" in files["rates.csv"]
    assert b",=HYPERLINK" not in files["rates.csv"]


def test_all_files_of_a_result_have_names_that_are_safe() -> None:
    """Letters, digits and hyphens in one folder, whatever a threshold is called."""
    document = _only_comparisons()
    at = document.findings.verification
    assert at is not None
    renamed = replace(at, at=(replace(at.at[0], name="../../" + HOSTILE), at.at[1]))
    files = report_files(replace(document, findings=replace(document.findings, verification=renamed), operating="80"))

    assert {"result.json", "result.schema.json", "report.html", "report.pdf", "model-card.pdf"} <= files.keys()
    assert all(re.fullmatch(r"(csv/)?[a-z0-9-]+(\.schema)?\.(html|pdf|json|csv)", name) for name in files)


def test_an_interval_beyond_one_is_shown_as_all() -> None:
    """No percentage above 100."""
    wide = Estimate(Rate(1, 1), Interval(0.2, 1.0, 0.95, IntervalMethod.WILSON), Rate(1, 1))

    assert interval_words(wide) == "20.0 to 100 %"
    assert "fewer than 30" in what_it_proves(wide)


def test_a_browser_finds_the_page_accessible_and_asks_for_nothing(html: bytes, tmp_path: Path) -> None:
    """axe-core on the whole report; Chromium requests the file itself and nothing else."""
    require_chromium()
    file = tmp_path / "report.html"
    file.write_bytes(html)

    # A thread of its own: another test of the run may hold Playwright's loop in this one.
    with ThreadPoolExecutor(1) as pool:
        found, requests = pool.submit(_audited, file).result()

    assert found == []
    assert requests == [file.as_uri()]


def _audited(file: Path) -> tuple[list[str], list[str]]:
    requests: list[str] = []
    with launched() as browser:
        page = browser.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.goto(file.as_uri())
        return violations(page), requests


def _only_comparisons() -> Evaluation:
    return evaluation(Kind.VERIFICATION, findings=findings(searches=None), gate=None)
