"""The result document: one spelling, read strictly, described by its own schema, and mapped onto the ledger's fact."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognizance.errors import InputError
from recognizance.evaluation.entry import EVERYBODY, facts_of
from recognizance.evaluation.results import (
    MAX_DOCUMENT_BYTES,
    Evaluation,
    Kind,
    Scale,
    commitment,
    read_evaluation,
    schema_document,
    write_evaluation,
)
from recognizance.ledger import facts, write_canonical
from tests.evaluation.result_world import evaluation, findings, hostile, searches, verification, with_exclusions

ROOT = Path(__file__).parents[2]
DOCUMENTS = {
    "identification": evaluation(),
    "verification": evaluation(Kind.VERIFICATION, findings=findings(searches=None), gate=None),
    "aclu": evaluation(Kind.ACLU, findings=findings(verification=None)),
    "exclusions": with_exclusions(),
    "hostile": hostile(),
}
IDENTIFICATION = write_evaluation(DOCUMENTS["identification"])


def fields(data: bytes = IDENTIFICATION) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(data)
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_comes_back_as_it_was_written(name: str) -> None:
    """Every kind, with and without exclusions, with names that mean harm."""
    written = write_evaluation(DOCUMENTS[name])

    assert read_evaluation(written) == DOCUMENTS[name]
    assert write_evaluation(read_evaluation(written)) == written


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_has_the_form_that_its_schema_describes(name: str) -> None:
    """Checked by jsonschema, which knows nothing of our types."""
    schema = json.loads(schema_document())
    jsonschema.Draft202012Validator.check_schema(schema)

    jsonschema.validate(fields(write_evaluation(DOCUMENTS[name])), schema, jsonschema.Draft202012Validator)


def test_the_schema_refuses_what_the_reader_refuses() -> None:
    """A field more, a field less, a word for a number."""
    validator = jsonschema.Draft202012Validator(json.loads(schema_document()))
    more, less, word = fields() | {"remark": "fine"}, fields(), fields() | {"seed": "7"}
    del less["seed"]

    assert not [each for each in (more, less, word) if validator.is_valid(each)]


def test_the_published_schema_is_the_one_that_is_generated() -> None:
    """docs/evaluation-result.schema.json is written by `python -m recognizance.evaluation.results`."""
    assert (ROOT / "docs" / "evaluation-result.schema.json").read_bytes() == schema_document()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda said: said | {"remark": "fine"}, "'remark' is no field of Evaluation"),
        (lambda said: {name: value for name, value in said.items() if name != "seed"}, "lacks the field 'seed'"),
        (lambda said: said | {"seed": True}, "seed: is not of the type int"),
        (lambda said: said | {"seed": -1}, "a seed from 0"),
        (lambda said: said | {"format": 2}, "of the form 2; this software reads 1"),
        (lambda said: said | {"operating": "70"}, "the operating threshold is one of those that were measured"),
        (lambda said: said | {"completed": "2026-11-22T08:30:00Z"}, "completed: is no moment"),
        (lambda said: said | {"evaluation": "../x"}, "have names of letters"),
        (lambda said: said | {"kind": "guess"}, "kind: is not of the type Kind"),
        (lambda said: said | {"exclusions": said["data"]}, "exclusions: "),
        (lambda said: said | {"without_excluded": said["findings"]}, "come with the decision to exclude"),
        (lambda said: said | {"data": said["data"] | {"commitment": "AB" * 32}}, "commitment is a SHA-256"),
        (lambda said: said | {"gate": said["gate"] | {"verdict": "passed"}}, "a gate's verdict is that of its checks"),
    ],
)
def test_a_document_that_was_edited_is_refused(change: Any, message: str) -> None:
    """The message names the field."""
    with pytest.raises(InputError, match=message):
        read_evaluation(write_canonical(change(fields())))


def test_more_errors_than_trials_are_refused() -> None:
    """Deep inside the document, where nobody would look."""
    edited = fields()
    edited["findings"]["searches"]["at"][0]["found"]["fpir"]["rate"]["errors"] = 536

    with pytest.raises(InputError, match="findings: searches: at: 0: found: fpir: rate: 536 errors in 535 trials"):
        read_evaluation(write_canonical(edited))


@pytest.mark.parametrize(
    "spelling",
    [
        IDENTIFICATION + b"\n",
        IDENTIFICATION.replace(b",", b", ", 1),
        json.dumps(fields()).encode(),
        b"",
        b"[]",
        b"\xff",
    ],
)
def test_another_spelling_is_refused(spelling: bytes) -> None:
    """The commitment is over bytes, so there is one way to write a result."""
    with pytest.raises(InputError):
        read_evaluation(spelling)


def test_what_is_too_large_is_refused_unread() -> None:
    """Before anything is parsed."""
    with pytest.raises(InputError, match="the limit is"):
        read_evaluation(b" " * (MAX_DOCUMENT_BYTES + 1))


@settings(max_examples=60)
@given(place=st.integers(0, len(IDENTIFICATION) - 1), byte=st.integers(0, 255))
def test_any_changed_byte_is_another_document_or_none(place: int, byte: int) -> None:
    """Nothing but `InputError`, and never the same commitment."""
    changed = IDENTIFICATION[:place] + bytes([byte]) + IDENTIFICATION[place + 1 :]
    if changed == IDENTIFICATION:
        return
    try:
        found = read_evaluation(changed)
    except InputError:
        return

    assert commitment(found) != commitment(DOCUMENTS["identification"])


def test_a_result_has_what_its_kind_measures() -> None:
    """A verification without comparisons, and an identification without searches, are mistakes of a program."""
    with pytest.raises(ValueError, match="of the kind verification has such findings"):
        evaluation(Kind.VERIFICATION, findings=findings(verification=None))
    with pytest.raises(ValueError, match="of the kind aclu has such findings"):
        evaluation(Kind.ACLU, findings=findings(searches=None))


def test_conclusions_leave_out_what_was_excluded() -> None:
    """And only by a recorded decision."""
    document = with_exclusions()

    assert document.concluded is document.without_excluded
    assert evaluation().concluded == evaluation().findings


def test_the_fact_has_the_counts_of_each_group() -> None:
    """By hand from the world: 7 of 535 wrong people, 4 of them of 135 women; 40 of 400 missed, 20 of 100 women."""
    document = evaluation()
    fact = facts_of(document, expires=datetime(2027, 11, 22, tzinfo=UTC))

    [women, men] = fact.groups
    assert (women.group, men.group) == ("sex:female", "sex:male")
    assert (women.false_positive_identifications, women.non_mated_searches) == (4, 135)
    assert (men.false_positive_identifications, men.non_mated_searches) == (3, 400)
    assert (women.false_negative_identifications, women.mated_searches) == (20, 100)
    assert (women.impostor_comparisons, women.mated_comparisons) == (60_000, 2_000)
    assert fact.report_digest == commitment(document)
    assert (fact.threshold, fact.gallery_faces) == (0.47, 2_000)
    assert fact.verdict is facts.Verdict.INSUFFICIENT_EVIDENCE


def test_the_fact_without_groups_is_about_everybody() -> None:
    """A manifest without a group column still gives counts."""
    found = replace(searches().at[2].found, fpir_by_group=(), fnir_by_group=())
    at = (replace(searches().at[2], found=found),)
    document = evaluation(findings=findings(verification=None, searches=replace(searches(), at=at)))

    [everybody] = facts_of(document).groups

    assert everybody.group == EVERYBODY
    assert (everybody.false_positive_identifications, everybody.non_mated_searches) == (7, 535)


def test_what_cannot_stand_in_the_ledger_is_refused() -> None:
    """No verdict, no cosine, or a name that an entry can't hold."""
    percentages: Evaluation = replace(
        evaluation(), engine=replace(evaluation().engine, scale=Scale.SIMILARITY_PCT, model="amazon")
    )

    with pytest.raises(InputError, match="state the limits"):
        facts_of(evaluation(gate=None))
    with pytest.raises(InputError, match="thresholds as cosines"):
        facts_of(percentages)
    with pytest.raises(InputError, match="group"):
        facts_of(replace(hostile(), engine=evaluation().engine, tester="A"))
    assert facts_of(percentages, score=0.5).threshold == 0.5


def test_a_comparison_has_its_own_threshold_in_the_ledger() -> None:
    """A verification has no gallery."""
    document = evaluation(Kind.VERIFICATION, findings=findings(searches=None, verification=verification()))

    fact = facts_of(document)

    assert (fact.threshold, fact.gallery_faces) == (0.33, None)
    assert fact.groups[0].non_mated_searches == 0
