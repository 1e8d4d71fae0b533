"""The register as JSON and CSV: what the schema says, the same each time, and harmless whatever an entry holds."""

import csv
import datetime as dt
import io
import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizance.errors import NotFoundError
from recognizance.ledger import facts
from recognizance.register import (
    SECTIONS,
    Reading,
    build_register,
    register_file,
    register_files,
    to_csv,
    to_json,
)
from recognizance.register.document import csv_text, plain_text
from recognizance.register.rates import largest_to_smallest, median, wilson_interval
from tests.register.world import (
    DIGEST,
    KEYS,
    NIGHT,
    agency,
    deployment,
    entry,
    gallery,
    lead,
    one_year,
    proposal,
    reading_of,
    search,
    transition,
)

YEAR = one_year()
READING = reading_of(YEAR)
REGISTER = build_register(READING)
SCHEMA = json.loads(register_file(REGISTER, "register.schema.json")[1])
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=https://evil.example/x.png onerror=alert(1)>',
    '=HYPERLINK("https://evil.example")',
    "+1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(A1:A9)",
    "ａｂｃ＝１",
    "＝1+1",
    "  =1+1",
    "gpj.\u202egnp.exe",
    "\u2066hidden\u2069",
    "zero\u200bwidth",
    "مرحبا بالعالم",
    "$\\frac{1}{0}$",
    'a,b\n"c"',
]


def hostile_reading(text: str) -> Reading:
    """Return a log each of whose public statements is this text."""
    moved = entry(proposal())
    return reading_of(
        [
            entry(deployment(operator=text, accountable_person=text, contact=text, legal_basis=text)),
            entry(agency(name=text, accountable_person=text, contact=text, reason=text)),
            entry(gallery(source=text, lawful_basis=text)),
            moved,
            entry(facts.Vote(about=moved.id, voter=moved.id, choice=facts.Choice.REJECT, statement=text)),
            entry(facts.Comment(about=moved.id, statement=text)),
            entry(transition("proposed", "active", conditions=text)),
            entry(
                facts.Incident(
                    occurrence=facts.Occurrence.BREACH,
                    discovered=NIGHT,
                    agency=None,
                    about=None,
                    statement=text,
                    people_affected=None,
                )
            ),
            entry(facts.Sharing(agency="springfield-pd", recipient=text, data=text, standard=text, use=None)),
        ]
    )


def test_the_register_fits_its_schema() -> None:
    """The published schema is valid, describes the document, and refuses one with anything added or left out."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    document = json.loads(to_json(REGISTER))
    VALIDATOR.validate(document)

    for section in SECTIONS:
        assert not VALIDATOR.is_valid({name: value for name, value in document.items() if name != section})
        assert not VALIDATOR.is_valid(document | {section: document[section] | {"more": []}})
    document["use"]["figures"][0]["count"] = "about 5"
    assert not VALIDATOR.is_valid(document)


def test_an_empty_log_has_a_register() -> None:
    """Nothing has happened, and that is said in the same form."""
    VALIDATOR.validate(json.loads(to_json(build_register(reading_of([])))))


def test_every_section_has_rows_of_the_year() -> None:
    """Each entry that was made shows in its section."""
    document = json.loads(to_json(REGISTER))

    assert document["deployment"]["statements"][0]["operator"] == "State of Example"
    assert document["deployment"]["uses"][0]["state"] == "active"
    assert document["oversight"]["votes"][0]["use"] == "robberies"
    assert document["oversight"]["decisions"][0]["conditions"] == "A report each month."
    assert document["galleries"]["galleries"][0]["retention_days"] == 365
    assert document["evaluations"]["evaluations"][0]["fmr_ratio"] == 2.0
    assert document["incidents"]["incidents"][0]["people_affected"] == "<5"
    assert document["incidents"]["costs"][0]["cost_cents"] == 1_250_000
    assert document["proof"]["log"][0]["entries"] == len(YEAR)
    assert document["proof"]["keys"] == [{"in_use": True, "key": str(KEYS[0]), "since": "2026-01-01T12:00:00Z"}]
    assert document["as_of"] == "2026-03-13T12:00:00Z"


def test_an_error_rate_comes_with_its_interval() -> None:
    """28 of 535: 5.2 %, from 3.7 to 7.5 by Wilson; a rate without trials is none."""
    rows = {(row.group, row.measure): row for row in REGISTER.evaluations.groups}

    fpir = rows["women", "FPIR"]
    assert fpir.rate is not None
    assert fpir.low is not None
    assert fpir.high is not None
    assert [round(100 * value, 1) for value in (fpir.rate, fpir.low, fpir.high)] == [5.2, 3.6, 7.5]
    assert fpir.few_errors
    assert (rows["men", "FNIR"].rate, rows["men", "FNIR"].low) == (None, None)


def test_ratios_and_medians_know_when_they_mean_nothing() -> None:
    """No ratio to a rate of zero, no interval of no trial, no median of nothing."""
    assert largest_to_smallest([(4, 100), (1, 100)]) == 4.0
    assert largest_to_smallest([(4, 100), (0, 100)]) is None
    assert largest_to_smallest([(4, 100), (0, 0)]) is None
    assert wilson_interval(0, 10)[0] == 0.0
    assert wilson_interval(10, 10)[1] == 1.0
    for errors, trials in ((0, 0), (2, 1), (-1, 5)):
        with pytest.raises(ValueError, match="trials"):
            wilson_interval(errors, trials)
    with pytest.raises(ValueError, match="nothing"):
        median([])


def test_the_same_log_gives_the_same_bytes() -> None:
    """Built at once or in two readings, by anybody."""
    again = build_register(reading_of(YEAR))

    assert list(register_files(again)) == list(register_files(REGISTER))
    assert to_json(REGISTER).isascii()


def test_a_suspension_ends_with_the_next_state() -> None:
    """When it began, why, and what came of it."""
    entries = [
        entry(transition("active", "suspended", cause="order"), day="2026-01-05"),
        entry(transition("active", "suspended", use="others"), day="2026-01-06"),
        entry(transition("suspended", "active"), day="2026-01-09"),
    ]
    first, second = build_register(reading_of(entries)).oversight.suspensions

    assert (first.cause, first.ended, first.ended_as) == ("order", dt.datetime(2026, 1, 9, 12, tzinfo=dt.UTC), "active")
    assert (second.use, second.ended) == ("others", None)


@pytest.mark.parametrize("section", SECTIONS)
def test_each_section_is_a_csv_file(section: str) -> None:
    """Every row of every table is there, in columns of the same width."""
    media_type, data = register_file(REGISTER, f"register/{section}.csv")
    header, *rows = csv.reader(io.StringIO(data.decode(), newline=""))
    tables = json.loads(to_json(getattr(REGISTER, section)))

    assert media_type.startswith("text/csv")
    assert len(rows) == sum(map(len, tables.values()))
    assert all(len(row) == len(header) for row in rows)
    assert ("table" in header) == (len(tables) > 1)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_stays_a_text(text: str) -> None:
    """JSON holds it as it is; no cell of a CSV file starts a formula or hides a character."""
    register = build_register(hostile_reading(text))

    document = json.loads(to_json(register))
    assert document["deployment"]["statements"][0]["operator"] == text
    VALIDATOR.validate(document)
    seen = 0
    for section in SECTIONS:
        for row in csv.reader(io.StringIO(to_csv(getattr(register, section)), newline="")):
            for cell in row:
                assert not cell.lstrip(" ").startswith(("=", "+", "@", "＝", "\t", "\r"))
                assert not cell.startswith("-") or float(cell) <= 0
                assert not set(cell) & set("\u202e\u2066\u2069\u200b")
                seen += cell.removeprefix("'") == plain_text(text)
    assert seen >= 10


@given(st.text(max_size=20))
def test_no_text_starts_a_formula(text: str) -> None:
    """Whatever it is: after the apostrophe at the latest, a spreadsheet takes it as text."""
    assert csv_text(text).lstrip(" ")[:1] not in set("=+-@\t\r\n＝＋－＠")


@given(st.text(st.characters(categories=["L", "N", "P"]), max_size=20))
def test_a_readable_text_is_left_as_it_is(text: str) -> None:
    """Letters, digits and punctuation of every script."""
    assert plain_text(text) == text


def test_a_file_that_is_not_there_is_refused() -> None:
    """No path leads to anything else."""
    for path in ("register/people", "register/../register.json", "", "register/__init__.csv"):
        with pytest.raises(NotFoundError):
            register_file(REGISTER, path)


def test_no_commitment_is_published() -> None:
    """What an entry only commits to isn't shown, not even as a hash."""
    register = build_register(reading_of([entry(search()), entry(lead("false")), entry(agency())]))

    assert b"cccccccc" not in to_json(register)
    assert DIGEST.encode() in to_json(REGISTER)
