"""Whichever storage call of a vote fails: it is counted once or not at all, and so is what it decides."""

import contextlib
import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from recognizance.errors import ConflictError, UnavailableError
from recognizance.governance.oversight import Choice
from recognizance.governance.parties import PersonId
from recognizance.governance.uses import UseState
from recognizance.governing.installation import Governing
from recognizance.governing.registration import at_the_machine
from recognizance.governing.uses import Question
from recognizance.ledger import Entry, FolderSource, facts, read_checkpoint, read_entries, verify
from recognizance.recording import KEY_FILE, read_key
from tests.records.test_crashes import Fault, Plan, failing_calls, sabotage

from ..contract.police_world import USE, Clock, governed, take_up, terms

MOST_CALLS = 200


@dataclass
class Scene:
    """A use that lacks one vote: to become active, or to be revoked."""

    data: Path
    clock: Clock
    voter: PersonId
    question: Question
    decided: UseState


def lacking_one(folder: Path, question: Question) -> Scene:
    clock = Clock()
    with governed(folder, clock) as governing:
        police = take_up(governing)
        overseers = [at_the_machine(overseer.id) for overseer in police.overseers]
        governing.uses.propose(USE, terms(), by=at_the_machine(police.supervisor.id))
        clock.now += timedelta(days=31)
        if question is Question.REVOKE:
            for overseer in overseers[:3]:
                governing.uses.vote(USE, Choice.APPROVE, "weighed", by=overseer)
            governing.uses.suspend(USE, "wrong people were asked", by=overseers[0])
        for overseer in overseers[:2]:
            governing.uses.vote(USE, Choice.APPROVE, "weighed", question=question, by=overseer)
    decided = UseState.ACTIVE if question is Question.TERMS else UseState.REVOKED
    return Scene(folder, clock, police.overseers[2].id, question, decided)


@pytest.fixture(scope="module", params=[Question.TERMS, Question.REVOKE])
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return lacking_one(tmp_path_factory.mktemp("votes") / "data", request.param)


def cast(scene: Scene, governing: Governing) -> None:
    voter = at_the_machine(scene.voter)
    governing.uses.vote(USE, Choice.APPROVE, "weighed", question=scene.question, by=voter)


def vote_with(scene: Scene, folder: Path, plan: Plan) -> None:
    """Cast the deciding vote in a copy while one call to the database fails; then again, as whoever got no answer."""
    shutil.copytree(scene.data, folder)
    with governed(folder, scene.clock) as governing:
        sabotage(governing.uses._records, plan)
        with contextlib.suppress(UnavailableError):
            cast(scene, governing)
        plan.failing = 0

    with governed(folder, scene.clock) as governing:
        with contextlib.suppress(ConflictError):
            cast(scene, governing)
        record = governing.uses.get(USE)
    said = entries_of(folder)
    votes = [each for each in said if isinstance(each, facts.Vote) and each.voter == scene.voter]
    decided = [each for each in said if isinstance(each, facts.UseTransition) and each.to_state == scene.decided.value]
    assert record.use.state is scene.decided
    assert [vote.question.value for vote in votes].count(scene.question.value) == 1
    assert len(decided) == 1
    shutil.rmtree(folder)


def entries_of(data: Path) -> list[facts.Facts]:
    source, keys = FolderSource(data / "ledger" / "public"), (read_key(data / KEY_FILE, origin="").verifier,)
    assert verify(source, keys).is_sound
    size = read_checkpoint(source, keys).checkpoint.size
    return [Entry.parse(entry).facts for entry in read_entries(source, range(size), size)]


@pytest.mark.parametrize("fault", Fault)
def test_whichever_call_fails_a_vote_counts_once(scene: Scene, tmp_path: Path, fault: Fault) -> None:
    """Each call to the database, before and after it took effect; vote, decision and their entries go together."""
    counting = Plan()
    vote_with(scene, tmp_path / "counting", counting)
    assert 10 < counting.calls < MOST_CALLS

    for failing in failing_calls(counting, fault):
        vote_with(scene, tmp_path / str(failing), Plan(failing, fault))
