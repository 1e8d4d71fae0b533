"""The rule for thresholds: nothing else starts, until overseers have voted on it; each rule in force is an entry."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from recognizance.app import wire
from recognizance.config import Settings
from recognizance.errors import ConflictError, DeniedError, InputError
from recognizance.faces import Calibration, FaceReader, parse_calibration
from recognizance.governance.oversight import ChangeState, Choice, Sha256Hex
from recognizance.governance.profiles import ProfileName
from recognizance.governing.installation import Governing
from recognizance.governing.registration import at_the_machine
from recognizance.governing.running import Starting, StatedRule, ThresholdRule, rule_of, starting_with, table_sha256
from recognizance.identifiers import ModelId
from recognizance.storage import open_records

from ..contract.police_world import Clock, Police, governed, take_up

FIRST = ThresholdRule(ModelId("sface@1"), Sha256Hex("ab" * 32), 0.01)
STRICTER = replace(FIRST, max_fpir=0.001)
TABLE = (
    '{"model": "sface@1", "pairs": 100000, "tail": {"decades_per_score": 12.0}, "knots": [[0, 9, 1.0], [0.4, 9, 1e-3]]}'
)


def starting(rule: ThresholdRule, score: float = 0.4) -> Starting:
    return Starting(stated(rule), score, 1e-4, "as measured")


def stated(rule: ThresholdRule) -> StatedRule:
    return StatedRule(rule, f"the table {rule.table_sha256}")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def governing(tmp_path: Path, clock: Clock) -> Iterator[Governing]:
    with governed(tmp_path / "data", clock) as opened:
        yield opened


@pytest.fixture
def police(governing: Governing) -> Police:
    governing.thresholds.start(starting(FIRST))
    return take_up(governing)


def propose(governing: Governing, police: Police, rule: ThresholdRule = STRICTER) -> str:
    supervisor = at_the_machine(police.supervisor.id)
    return governing.thresholds.propose(stated(rule), "women are found too often", by=supervisor).change.id


def vote(governing: Governing, police: Police, change: str, choice: Choice, count: int) -> ChangeState:
    for overseer in police.overseers[:count]:
        after = governing.thresholds.vote(change, choice, "weighed", by=at_the_machine(overseer.id))
    return after.change.state


def test_the_first_start_sets_the_rule_and_the_same_again_changes_nothing(governing: Governing) -> None:
    """An entry says what is in force from the beginning, once."""
    assert governing.thresholds.in_force() is None
    assert governing.thresholds.start(starting(FIRST))
    assert not governing.thresholds.start(starting(FIRST))

    known = governing.thresholds.in_force()
    assert known is not None
    assert known.rule == FIRST


@pytest.mark.parametrize(
    "rule",
    [STRICTER, replace(FIRST, table_sha256=Sha256Hex("cd" * 32)), replace(FIRST, model=ModelId("sface@2"))],
    ids=["bound", "table", "model"],
)
def test_a_rule_that_nobody_approved_does_not_start(governing: Governing, police: Police, rule: ThresholdRule) -> None:
    """Neither the setting nor the table nor the model can be changed in a file, and the rule in force stays."""
    with pytest.raises(InputError, match="isn't the approved one"):
        governing.thresholds.start(starting(rule))

    known = governing.thresholds.in_force()
    assert known is not None
    assert known.rule == FIRST


@pytest.mark.parametrize(("count", "choice"), [(2, Choice.APPROVE), (3, Choice.REJECT), (3, Choice.ABSTAIN)])
def test_fewer_than_three_approvals_change_nothing(
    governing: Governing, police: Police, count: int, choice: Choice
) -> None:
    """Two of the three that are needed, three against, or three who don't say: it doesn't start."""
    vote(governing, police, propose(governing, police), choice, count)

    with pytest.raises(InputError, match="isn't the approved one"):
        governing.thresholds.start(starting(STRICTER))


def test_what_overseers_approved_takes_effect_at_the_next_start(governing: Governing, police: Police) -> None:
    """Three of five agree; the rule that was in force starts until then, and not afterwards."""
    change = propose(governing, police)
    assert vote(governing, police, change, Choice.APPROVE, 3) is ChangeState.APPROVED
    assert not governing.thresholds.start(starting(FIRST))
    assert governing.thresholds.start(starting(STRICTER, 0.5))

    known = governing.thresholds.in_force()
    assert known is not None
    assert (known.rule, known.change) == (STRICTER, change)
    assert governing.thresholds.get(change).change.state is ChangeState.IN_EFFECT
    with pytest.raises(InputError, match="isn't the approved one"):
        governing.thresholds.start(starting(FIRST))


def test_an_approval_for_an_older_rule_is_void(governing: Governing, police: Police) -> None:
    """Two changes were approved; when one is in effect, the other was made for a rule that isn't in force."""
    other = replace(FIRST, max_fpir=0.5)
    first, second = propose(governing, police), propose(governing, police, other)
    for change in (first, second):
        vote(governing, police, change, Choice.APPROVE, 3)
    governing.thresholds.start(starting(STRICTER))

    with pytest.raises(InputError, match="isn't the approved one"):
        governing.thresholds.start(starting(other))


def test_only_those_who_may_propose_and_vote(governing: Governing, police: Police) -> None:
    """An operator does neither, a supervisor doesn't vote, nobody votes twice, and no change changes nothing."""
    change, thresholds = propose(governing, police), governing.thresholds
    with pytest.raises(DeniedError):
        thresholds.propose(stated(STRICTER), "so", by=at_the_machine(police.operator.id))
    with pytest.raises(DeniedError):
        thresholds.vote(change, Choice.APPROVE, "so", by=at_the_machine(police.supervisor.id))
    with pytest.raises(InputError, match="changes nothing"):
        propose(governing, police, FIRST)
    overseer = at_the_machine(police.overseers[0].id)
    thresholds.vote(change, Choice.APPROVE, "so", by=overseer)
    with pytest.raises(ConflictError, match="voted already"):
        thresholds.vote(change, Choice.APPROVE, "so", by=overseer)


def test_in_a_private_installation_the_owner_decides_and_it_is_recorded(tmp_path: Path, clock: Clock) -> None:
    """Another bound starts at once, is in force, and needs no proposal."""
    with governed(tmp_path / "data", clock, profile=ProfileName.PRIVATE) as private:
        private.thresholds.start(starting(FIRST))
        assert private.thresholds.start(starting(STRICTER))
        with pytest.raises(InputError, match="needs no votes"):
            private.thresholds.propose(stated(FIRST), "back", by=at_the_machine())

        known = private.thresholds.in_force()
    assert known is not None
    assert known.rule == STRICTER


def calibration(text: str = TABLE) -> Calibration:
    return parse_calibration(text)


def test_a_tables_hash_is_of_what_it_says() -> None:
    """Layout is no part of it; a bound, a count, the tail and the model are."""
    same = calibration(TABLE.replace(", ", ",\n"))
    others = [TABLE.replace("1e-3", "2e-3"), TABLE.replace("12.0", "11.0"), TABLE.replace("@1", "@2")]

    assert table_sha256(same) == table_sha256(calibration())
    assert len({table_sha256(calibration(each)) for each in [TABLE, *others]}) == 4
    assert rule_of(calibration(), max_fpir=0.01).sha256 != rule_of(calibration(), max_fpir=0.02).sha256
    assert starting_with(calibration(), max_fpir=0.01).rule == rule_of(calibration(), max_fpir=0.01)


def test_a_service_does_not_start_with_a_bound_that_nobody_approved(
    tmp_path: Path, clock: Clock, faces: tuple[FaceReader, Calibration]
) -> None:
    """Whoever edits the setting in a strict installation finds that nothing is served, and is told why."""
    data, settings = tmp_path / "data", Settings(inference_threads=2)
    with governed(data, clock):
        pass
    wire(data, settings, open_records(data, settings), *faces, clock=clock).close()

    looser = replace(settings, max_fpir=0.5)
    records = open_records(data, looser)
    with closing(records), pytest.raises(InputError, match=r"max_fpir 0\.01.*max_fpir 0\.5"):
        wire(data, looser, records, *faces, clock=clock)
    wire(data, settings, open_records(data, settings), *faces, clock=clock).close()


def test_a_proposed_rule_can_be_read_whole_from_then_on(governing: Governing, police: Police) -> None:
    """What is in force since a start and what is proposed are kept under their hashes; others aren't known."""
    assert governing.thresholds.stated(STRICTER.sha256) is None
    propose(governing, police)

    assert governing.thresholds.stated(FIRST.sha256) == stated(FIRST)
    assert governing.thresholds.stated(STRICTER.sha256) == stated(STRICTER)
