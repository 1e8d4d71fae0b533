"""Failed sign-ins are counted over a restart: sealed, by hashes, bounded, and written now and then."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from recognizance.governing.attempts import (
    FREE_FROM_NETWORK,
    KEPT_KIND,
    MOST_KEPT,
    Attempts,
    AttemptStore,
    TooManyAttemptsError,
)
from recognizance.records import Records
from recognizance.storage import open_records

from ..contract.police_world import SETTINGS, Clock

HERE = "192.0.2.1"


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    with closing(open_records(tmp_path, SETTINGS)) as opened:
        yield opened


def started(records: Records, clock: Clock) -> Attempts:
    """As a server that has just started counts."""
    with records.reading() as reader:
        key = reader.derived_key("counts of failed sign-ins")
    return Attempts(clock=clock, store=AttemptStore(records, key))


def test_a_restart_is_no_way_to_guess_faster(records: Records) -> None:
    clock = Clock()
    attempts = started(records, clock)
    for _ in range(FREE_FROM_NETWORK):
        attempts.begin("ada", HERE)
    attempts.keep()
    with pytest.raises(TooManyAttemptsError):
        started(records, clock).begin("ada", HERE)
    started(records, clock).begin("bo", "198.51.100.1")


def test_a_crash_loses_a_few_seconds(records: Records) -> None:
    """A try that comes five seconds after the last writing writes them all."""
    clock = Clock()
    attempts = started(records, clock)
    for _ in range(FREE_FROM_NETWORK - 1):
        attempts.begin("ada", HERE)
    clock.now += timedelta(seconds=6)
    attempts.begin("ada", HERE)
    with pytest.raises(TooManyAttemptsError):
        started(records, clock).begin("ada", HERE)


def test_who_tried_is_not_kept(records: Records) -> None:
    """Neither login nor address, even for who has the master key; and no more than so many counts."""
    attempts = started(records, Clock())
    for number in range(MOST_KEPT):
        attempts.begin(f"invented-{number}", f"2001:db8:{number:x}::1")
    attempts.keep()
    with records.reading() as reader:
        [kept] = reader.documents(KEPT_KIND, limit=10)
    assert b"invented" not in kept.body
    assert kept.body.count(b'"who"') == MOST_KEPT


def test_success_is_kept_too(records: Records) -> None:
    clock = Clock()
    attempts = started(records, clock)
    for _ in range(FREE_FROM_NETWORK):
        attempts.begin("ada", HERE)
    attempts.succeeded("ada", HERE)
    attempts.keep()
    again = started(records, clock)
    for _ in range(FREE_FROM_NETWORK):
        again.begin("ada", HERE)
