"""Rules with their tables: what is read from a file, what is refused, and what a difference says."""

from dataclasses import replace

import pytest

from recognizance.errors import CorruptionError, InputError
from recognizance.faces import parse_calibration
from recognizance.governing.running import StatedRule, rule_of, stated_rule, table_sha256, table_text
from recognizance.governing.stated_rules import MAX_TABLE_CHARACTERS, asked_rule, rule_difference

TABLE = (
    '{"model": "sface@1", "pairs": 100000, "tail": {"decades_per_score": 10.0}, "knots": [[0, 9, 1.0], [0.4, 9, 1e-4]]}'
)
LOWER = TABLE.replace("[0.4,", "[0.2,")
PRESENT = stated_rule(parse_calibration(TABLE), max_fpir=0.01)


def test_a_table_written_out_is_the_same_table() -> None:
    """Its hash and its rule are those of what was read."""
    table = parse_calibration(TABLE)
    again = parse_calibration(table_text(table))

    assert table_sha256(again) == table_sha256(table)
    assert rule_of(again, max_fpir=0.01) == PRESENT.rule


def test_what_isnt_named_stays_as_it_is() -> None:
    """A bound alone keeps the table, a table alone keeps the bound; what is kept has the hash that is voted on."""
    stricter, other = (
        asked_rule(PRESENT, table=None, max_fpir=0.001),
        asked_rule(PRESENT, table=LOWER, max_fpir=None),
    )

    assert stricter.rule == replace(PRESENT.rule, max_fpir=0.001)
    assert other.rule.max_fpir == PRESENT.rule.max_fpir
    assert other.rule.table_sha256 == table_sha256(parse_calibration(other.table))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[" * 100_000,
        TABLE.replace("0.4", "NaN"),
        TABLE.replace("1e-4", "NaN"),
        TABLE.replace("10.0", "Infinity"),
        TABLE.replace("0.4", "9" * 400),
        TABLE.replace("[0, 9,", "[0, -9,"),
        TABLE.replace("100000", "-1"),
        TABLE.replace("1e-4", "0"),
        TABLE.replace("[0.4,", "[-0.4,"),
        TABLE + " " * MAX_TABLE_CHARACTERS,
    ],
)
def test_what_is_no_table_is_refused(text: str) -> None:
    """Neither a number that isn't one nor a file that is too deep or too long gets further."""
    with pytest.raises(InputError, match="table"):
        asked_rule(PRESENT, table=text, max_fpir=None)


def test_another_models_table_is_proposed_where_its_files_are() -> None:
    """Nobody uploads a model, so its table is none that searches could follow."""
    with pytest.raises(InputError, match="another model"):
        asked_rule(PRESENT, table=TABLE.replace("sface@1", "sface@2"), max_fpir=None)


def test_a_difference_has_scores_and_rates_by_both_tables() -> None:
    """By hand: 80 is one in ten thousand, so 0.4 becomes 0.2, which two decades of the old table reach."""
    step = rule_difference(PRESENT, asked_rule(PRESENT, table=LOWER, max_fpir=None)).steps[0]

    assert (step.similarity_pct, step.gallery_faces) == (80.0, 0)
    assert step.before.score == pytest.approx(0.4)
    assert step.after.score == pytest.approx(0.2)
    assert step.after.false_match_rate == pytest.approx(1e-4)
    assert step.rate_by_former_table == pytest.approx(1e-2)
    assert (step.is_looser, step.is_stricter) == (True, False)


def test_a_stricter_bound_raises_searches_and_leaves_comparisons() -> None:
    """Two given pictures have no gallery; a search of more faces needs more resemblance."""
    steps = rule_difference(PRESENT, asked_rule(PRESENT, table=None, max_fpir=0.001)).steps
    comparisons = [step for step in steps if not step.gallery_faces]
    searches = [step for step in steps if step.gallery_faces]

    assert not any(step.is_stricter or step.is_looser for step in comparisons)
    assert all(step.is_stricter for step in searches)
    assert [step.after.score for step in searches] == sorted(step.after.score for step in searches)


def test_scores_of_two_models_are_not_compared() -> None:
    """Neither lower nor higher is said, and no table speaks of the other's scores."""
    other = stated_rule(parse_calibration(LOWER.replace("sface@1", "sface@2")), max_fpir=0.01)
    steps = rule_difference(PRESENT, other).steps

    assert {step.rate_by_former_table for step in steps} == {None}
    assert not any(step.is_looser or step.is_stricter for step in steps)


def test_a_table_that_was_exchanged_is_shown_to_nobody() -> None:
    """What is kept is held to the hash of its rule before anybody votes on what it says."""
    with pytest.raises(CorruptionError, match="another one"):
        rule_difference(PRESENT, StatedRule(PRESENT.rule, LOWER))
