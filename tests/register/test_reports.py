"""Reports: true to the register, harmless, complete without the network, and the same each time."""

import io
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from recognizance.errors import InputError, NotFoundError
from recognizance.register.reports import Period, agency_report, write_html, write_pdf
from recognizance.register.reports.blocks import Bars, Intervals, Report, Table
from recognizance.register.reports.charts import draw_png, draw_svg
from tests.register.test_document import HOSTILE, hostile_reading
from tests.register.world import entry, one_year, proposal, reading_of, search

READING = reading_of(one_year())
FEBRUARY = agency_report(READING, "springfield-pd", Period.parse("2026-02"))
YEAR = agency_report(READING, "springfield-pd", Period.parse("2026"))
CHARTS = [block for block in YEAR.blocks if isinstance(block, Bars | Intervals)]


class Page(HTMLParser):
    """What a browser would make of a page: its elements, attributes and words."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words = ""
        self.feed(html.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words += data


def table(report: Report, title: str) -> dict[str, str]:
    [found] = [block for block in report.blocks if isinstance(block, Table) and block.title == title]
    return {row[0]: row[1] for row in found.rows}


def test_a_month_says_in_words_what_happened() -> None:
    """The same figures as in the register, computed by hand there."""
    words = Page(write_html(FEBRUARY)).words

    assert (
        "Springfield Police Department made 52 searches for faces in February 2026. Of these, 13 returned nobody."
        in words
    )
    assert "Reviewers confirmed 21 leads; 8 were acted on. Fewer than 5 leads were found to be false." in words
    assert table(FEBRUARY, "Searches by offence") == {"homicide": "13", "robbery": "39", "all together": "52"}
    assert table(FEBRUARY, "Cost, as reports of the agency state it") == {"accountability-2026": "12,500.00"}


def test_a_year_does_not_tell_its_small_month() -> None:
    """40 + 52 + 3: a total of 95 would tell the 3 of March."""
    words = Page(write_html(YEAR)).words

    assert "made between 93 and 96 searches" in words
    assert "95 searches" not in words
    assert "The period isn't over in the ledger yet" in words
    assert table(YEAR, "Searches by offence")["all together"] == "93 to 96"


def test_a_month_without_anything_says_so() -> None:
    """No search, no refusal, no decision: zeros and sentences, no empty table."""
    quiet = agency_report(READING, "springfield-pd", Period.parse("2025-07"))

    assert "made no searches" in Page(write_html(quiet)).words
    assert table(quiet, "Searches by offence") == {}
    assert table(quiet, "Reviews")["reviews opened"] == "0"


def test_what_is_listed_is_of_this_agency_and_period() -> None:
    """January's vote isn't in February's report, nor is another agency's decision."""
    january = agency_report(READING, "springfield-pd", Period.parse("2026-01"))

    assert list(table(january, "Votes of overseers")) == ["2026-01-02"]
    assert table(FEBRUARY, "Votes of overseers") == {}
    assert list(table(FEBRUARY, "Incidents of this agency or of the whole service")) == ["2026-02-20"]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_makes_no_element_and_asks_for_nothing(text: str) -> None:
    """No script, no image but ours, no address, no character that turns the line round."""
    report = agency_report(hostile_reading(text), "springfield-pd", Period.parse("2026-01"))
    page = Page(write_html(report))

    assert "script" not in page.tags
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert {value for _, name, value in page.attributes if name == "class"} <= {"n"}  # the writer's own, for numbers
    assert {name for _, name, _ in page.attributes} <= {
        "class",
        "lang",
        "charset",
        "http-equiv",
        "content",
        "name",
        "scope",
        "src",
        "alt",
    }
    assert all(value.startswith("data:") for _, name, value in page.attributes if name == "src")
    assert not set(page.words) & set("\u202e\u2066\u2069\u200b")
    assert text.partition("\n")[0][:3] in page.words or not text.isprintable()


def test_hostile_texts_can_be_printed() -> None:
    """None of them breaks the file, or makes the library warn."""
    report = agency_report(hostile_reading(" ".join(HOSTILE)), "springfield-pd", Period.parse("2026-01"))

    assert write_pdf(report).startswith(b"%PDF-")


def test_the_page_loads_nothing() -> None:
    """Nothing names an address; scripts and requests are forbidden besides."""
    html = write_html(YEAR)
    page = Page(html)

    assert not re.search(rb"url\(|@import|<link|<script|<iframe|<base", html)
    assert [
        value for _, name, value in page.attributes if name in {"src", "href"} and not value.startswith("data:")
    ] == []
    assert [value for _, name, value in page.attributes if value.startswith("default-src 'none'")] != []


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: type(chart).__name__)
def test_a_chart_is_a_closed_picture_with_words_beside_it(chart: Bars | Intervals) -> None:
    """Its SVG refers to nothing outside, and all that it shows is in its text too."""
    root = ET.fromstring(draw_svg(chart))
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    links = [value for element in root.iter() for name, value in element.attrib.items() if name.endswith("href")]

    assert names.isdisjoint({"script", "image", "foreignObject", "metadata", "a"})
    assert all(link.startswith("#") for link in links)
    for label, *_ in chart.bars if isinstance(chart, Bars) else chart.points:
        assert label in chart.text
    assert Image.open(io.BytesIO(draw_png(chart))).width > 1000


def test_every_picture_has_a_text() -> None:
    """And every table a caption, and headings in its first row and column."""
    page = Page(write_html(YEAR))

    texts = [value for tag, name, value in page.attributes if (tag, name) == ("img", "alt")]
    assert len(texts) == page.tags.count("img") == len(CHARTS) >= 3
    assert all(texts)
    assert page.tags.count("caption") == page.tags.count("table")


def test_a_report_is_the_same_bytes_each_time() -> None:
    """Nothing of the clock or the machine gets in."""
    again = agency_report(READING, "springfield-pd", Period.parse("2026-02"))

    assert write_html(again) == write_html(FEBRUARY)
    assert write_pdf(again) == write_pdf(FEBRUARY)


def test_a_letter_that_the_font_lacks_is_spelled_out_in_print() -> None:
    """It isn't an empty box, and no warning is lost in a log."""
    report = Report("漢字", None, ())

    assert write_pdf(report).startswith(b"%PDF-")
    assert "漢字" in Page(write_html(report)).words


def test_a_use_without_an_agency_entry_still_has_a_report() -> None:
    """Under the name that the ledger has; one that it doesn't have is refused."""
    reading = reading_of([entry(proposal(agency="elsewhere")), entry(search(agency="elsewhere"))])

    assert "elsewhere" in agency_report(reading, "elsewhere", Period.parse("2026-01")).title
    with pytest.raises(NotFoundError):
        agency_report(reading, "nowhere", Period.parse("2026-01"))


def test_no_law_is_said_to_be_kept() -> None:
    """The page helps to comply, and says so."""
    words = Page(write_html(YEAR)).words

    assert "It doesn't say that the law is kept" in words
    assert not re.search(r"\bcompl(ies|iant|iance with)\b|\bmeets the requirements\b", words)


@pytest.mark.parametrize(
    "text", ["", "26", "2026-1", "2026-13", "2026-00", "2026-", "x", "２０２６", "+2026", "2026-01-01", "0999"]
)
def test_what_is_no_period_is_refused(text: str) -> None:
    """One spelling for each month and year."""
    with pytest.raises(InputError):
        Period.parse(text)


@pytest.mark.parametrize("text", ["2026", "2026-01", "2026-12", "9998-12"])
def test_a_period_has_its_months_and_its_end(text: str) -> None:
    """The end is the first moment after it."""
    period = Period.parse(text)

    assert str(period) == text
    assert period.end not in period
    assert f"{period.end:%Y-%m}" > max(period.months)


def test_a_year_shows_the_leads_by_group_that_were_published_for_it() -> None:
    """Counts as the ledger has them: small ones as ranges, hidden ones as such; a month has none."""
    of_2025 = agency_report(READING, "springfield-pd", Period.parse("2025"))
    month = agency_report(READING, "springfield-pd", Period.parse("2025-12"))
    by_age = table(of_2025, "Leads acted on, by age as people recorded it")
    by_sex = table(of_2025, "Leads acted on, by sex as people recorded it")
    none = "The agency has published no leads by age, race or sex for this year."

    assert by_age == {"all together": "30", "adults": "26 to 29", "under 18": "<5"}
    assert list(by_sex) == ["all together", "withheld"]
    assert none in Page(write_html(YEAR)).words
    assert none not in Page(write_html(of_2025)).words
    assert "as people recorded it" not in Page(write_html(month)).words
    assert write_pdf(of_2025).startswith(b"%PDF")
