"""Watching for unusual use: which entries of the ledger count as searches for somebody."""

import os
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from recognizance.governance.unusual import Signal
from recognizance.governing.registration import at_the_machine
from recognizance.governing.watching import Watching
from recognizance.permits import Action, Mandate
from recognizance.recording import acts
from tests.forgetting.conftest import GALLERY, open_installation, permit_for
from tests.records.world import World


def test_comparing_a_picture_that_was_searched_with_counts_as_searching_for_the_same_person(tmp_path: Path) -> None:
    """Four searches are under the threshold; the fifth time is a comparison, which asks the same question."""
    mandate = Mandate("robberies", "pd", "find", "targeted", 50, True, "24-1701", None, None)
    searching, comparing = (replace(permit_for(each), mandate=mandate) for each in (Action.SEARCH, Action.COMPARE))
    with closing(open_installation(tmp_path / "data", World(np.random.default_rng(1)))) as installation:
        watching = Watching(
            installation.records,
            installation.recorder,
            installation.gate,
            clock=lambda: installation.now,
            random_bytes=os.urandom,
        )

        def signals() -> list[Signal]:
            installation.settle()
            return [flag.signal for flag in watching.look(by=at_the_machine()).flags]

        installation.create(GALLERY)
        for _ in range(4):
            installation.search(permit=searching)
        before = signals()
        compared = acts.comparison(
            comparing, model="sface", threshold=0.5, probe=("a probe's hash", "x"), similarities_pct=[], matches=0
        )
        installation.recorder.record(compared)

        assert Signal.SAME_PERSON not in before
        assert Signal.SAME_PERSON in signals()
