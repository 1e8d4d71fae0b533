"""What the public pages make of the register: a word for everything, bars that are true, tests with their reports."""

import json
import re
from datetime import UTC, datetime
from hashlib import sha256

import httpx
import pytest

from recognizance.evaluation.entry import facts_of
from recognizance.evaluation.results import write_evaluation
from recognizance.governance.subjects import Refusal, RequestKind, RequestState
from recognizance.governing.published_results import FOLDER
from recognizance.ledger import FolderSource
from recognizance.register import SECTIONS, LiveRegister, Register, json_schema
from recognizance.register.document import tables_of
from recognizance.register.figures import ALL_AGENCIES
from recognizance.register.rows import FigureRow, GroupRow
from recognizance.register.suppression import SMALL, WITHHELD, Cell
from recognizance.web.language import Language, wording
from recognizance.web.public_charts import bar, interval, most_of
from recognizance.web.public_register import bars, by_month, group_charts, month_table
from recognizance.web.public_tables import shown_value
from recognizance.web.public_words import (
    COLUMNS,
    REFUSALS,
    REQUEST_KINDS,
    REQUEST_STATES,
    SECTION_TITLES,
    TABLE_TITLES,
)

from ..evaluation.result_world import evaluation, gate
from .world import Web

ENGLISH = wording(Language.ENGLISH)


def widths(drawing: str, kind: str) -> list[float]:
    return [float(each) for each in re.findall(rf'class="{kind}" x="[^"]*" y="\d+" width="([^"]*)"', drawing)]


def figure(
    month: str, measure: str, count: Cell, *, dimension: str | None = None, open_month: bool = False
) -> FigureRow:
    category = None if dimension is None else "part"
    return FigureRow(month, not open_month, ALL_AGENCIES, measure, dimension, category, count)


def test_everything_in_the_register_has_a_word(web: Web) -> None:
    """A section, table or column without one would be a page that fails."""
    recorder = web.service.recorder
    register = LiveRegister(FolderSource(recorder.public), (recorder.verifier,)).register()
    assert SECTION_TITLES.keys() == set(SECTIONS)
    shapes = {(name, table): rows for name in SECTIONS for table, rows in tables_of(getattr(register, name))}
    assert TABLE_TITLES.keys() == shapes.keys()


def test_every_column_of_every_table_has_a_word() -> None:
    """Read off the rows' own shapes, whether or not a register has such a row."""
    schema = json.loads(json_schema(Register, "the register"))
    columns = {
        column
        for name in SECTIONS
        for table in schema["properties"][name]["properties"].values()
        for column in table["items"]["properties"]
    }
    assert columns == COLUMNS.keys()


def test_everything_about_a_request_has_a_word() -> None:
    assert set(REQUEST_KINDS) == set(RequestKind)
    assert set(REQUEST_STATES) == set(RequestState)
    assert set(REFUSALS) == set(Refusal)


def test_bars_are_as_long_as_their_counts() -> None:
    """In proportion to the largest; one that isn't known exactly is hollow between its ends."""
    assert widths(bar(Cell.exactly(5), 20), "exact") == [25]
    assert widths(bar(SMALL, 20), "exact") + widths(bar(SMALL, 20), "range") == [5, 15]
    assert widths(bar(WITHHELD, 20), "exact") == [0]
    assert widths(bar(Cell.exactly(0), 0), "exact") == [0]
    assert most_of([Cell.exactly(3), SMALL, WITHHELD]) == 4


def test_an_interval_has_its_mark_within_the_drawing() -> None:
    """Even for a rate at either end."""
    for rate, low, high in [(0.0, 0.0, 0.1), (0.1, 0.05, 0.1), (0.02, 0.01, 0.05)]:
        drawing = interval(rate, low, high, 0.1)
        [place] = [float(each) for each in re.findall(r'class="mark" x="([^"]*)"', drawing)]
        assert 0 <= place <= 100 - 1.2
        assert widths(drawing, "span") == [pytest.approx(max((high - low) * 1000, 0.4), rel=0.01)]


def test_months_are_in_order_and_parts_are_not_counted_twice() -> None:
    figures = [
        figure("2026-02", "searches", Cell.exactly(7)),
        figure("2026-01", "searches", SMALL),
        figure("2026-01", "searches", Cell.exactly(99), dimension="outcome"),
        figure("2026-02", "refusals", Cell.exactly(1000)),
    ]
    assert by_month(figures, "searches", ALL_AGENCIES) == [("2026-01", SMALL), ("2026-02", Cell.exactly(7))]
    assert [row.label for row in bars(by_month(figures, "searches", ALL_AGENCIES), ENGLISH)] == ["2026-01", "2026-02"]


def test_the_month_that_goes_on_is_marked_and_a_new_measure_is_shown_by_its_code() -> None:
    """Newest first; what this software has no word for is still there."""
    figures = [
        figure("2026-01", "searches", Cell.exactly(5)),
        figure("2026-02", "searches", Cell.exactly(6), open_month=True),
        figure("2026-02", "telepathy", Cell.exactly(8), open_month=True),
    ]
    table = month_table(figures, lambda _: True, ENGLISH)
    assert (list(table.months), list(table.measures)) == (["2026-02", "2026-01"], ["searches", "telepathy"])
    assert table.open_month == "2026-02"
    assert table.counts["2026-01", "searches"] == "5"


def test_groups_without_a_trial_are_no_row_of_a_chart() -> None:
    """A rate of nothing is no rate of zero."""
    tried = GroupRow("lab", "a", "FMR", 2, 1000, 0.002, 0.0005, 0.007, few_errors=True)
    untried = GroupRow("lab", "b", "FMR", 0, 0, None, None, None, few_errors=True)
    [chart] = group_charts([tried, untried])
    assert [row.group for row, _ in chart.rows] == ["a"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, "yes"),
        (1234567, "1,234,567"),
        (datetime(2026, 11, 22, 9, 5, tzinfo=UTC), "22 November 2026, 09:05 UTC"),
        (None, ""),
        (("a", "b"), "a; b"),
        ("\u202egpj", "[U+202E]gpj"),
        (SMALL, "<5"),
        (WITHHELD, "withheld"),
        (Cell(12, 1500), "12 to 1,500"),
        (Cell(7, None), "at least 7"),
    ],
)
def test_values_are_shown_as_people_write_them(value: object, shown: str) -> None:
    assert shown_value(value, ENGLISH) == shown


def published(web: Web, name: str) -> tuple[str, bytes]:
    """Put a test on the record; gives where its page is, and its result document."""
    made = evaluation(evaluation=name, gate=gate())
    fact = facts_of(made)
    web.service.recorder.record(lambda _: fact)
    web.world.entries()
    return f"{web.url}/evaluations/{name}", write_evaluation(made)


def put(web: Web, name: str, document: bytes) -> None:
    folder = web.service.data / FOLDER
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_bytes(document)


def test_a_published_test_is_shown_with_its_groups_and_its_reports(web: Web) -> None:
    """Report and cards once the result is there; before, its digest to ask for it with."""
    url, document = published(web, "lab-shown")
    page = httpx.get(url, timeout=30).text
    assert sha256(document).hexdigest() in page
    assert "report.html" not in page
    assert 'class="interval"' in page

    put(web, "lab-shown", document)
    assert "/evaluations/lab-shown/files/report.html" in httpx.get(url, timeout=30).text
    report = httpx.get(f"{url}/files/report.html", timeout=60)
    assert report.headers["Content-Type"].startswith("text/html")
    assert "sandbox" in report.headers["Content-Security-Policy"]
    assert httpx.get(f"{url}/files/model-card.html", timeout=60).status_code == 200
    assert httpx.get(f"{url}/files/result.json", timeout=60).content == document
    assert httpx.get(f"{url}/files/other.html", timeout=60).status_code == 404


def test_a_result_that_is_not_the_one_on_record_is_not_shown(web: Web) -> None:
    """One number changed after it was published is enough."""
    url, document = published(web, "lab-edited")
    put(web, "lab-edited", document.replace(b'"seed":', b'"seed": ', 1))
    assert "report.html" not in httpx.get(url, timeout=30).text
    assert httpx.get(f"{url}/files/result.json", timeout=30).status_code == 404


@pytest.mark.parametrize("name", ["nothing", "..%2f..%2fsettings", "%2e%2e/secrets"])
def test_a_test_that_is_not_on_record_has_no_page(web: Web, name: str) -> None:
    """Whatever lies in the folder, and wherever a name would lead."""
    put(web, "nothing", b"{}")
    assert httpx.get(f"{web.url}/evaluations/{name}", timeout=30).status_code == 404
    assert httpx.get(f"{web.url}/evaluations/{name}/files/result.json", timeout=30).status_code == 404
