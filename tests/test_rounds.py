"""Work in rounds: it goes on after whatever failed, and ends when it is told to."""

import threading

import pytest

from recognizance.rounds import Rounds

WAIT_S = 20


def test_a_round_that_failed_is_followed_by_the_next(caplog: pytest.LogCaptureFixture) -> None:
    """Also after an error that nobody foresaw, which the log names."""
    rounds_begun = 0
    went_on = threading.Event()

    def work() -> None:
        nonlocal rounds_begun
        rounds_begun += 1
        if rounds_begun == 1:
            raise ZeroDivisionError("nobody foresaw this")
        went_on.set()

    rounds = Rounds(work, name="counting", every_s=0.001)
    try:
        assert went_on.wait(WAIT_S)
    finally:
        rounds.close()

    [failure] = caplog.records
    assert failure.getMessage() == "counting failed; trying again in 0.001 s"
    assert failure.exc_info is not None
    assert isinstance(failure.exc_info[1], ZeroDivisionError)


def test_closing_waits_for_the_round_under_way_and_begins_no_other() -> None:
    """What is half-done is finished, and the pause until the next round isn't waited for."""
    begun, finished = threading.Event(), threading.Event()
    may_finish = threading.Event()
    ended: list[bool] = []

    def work() -> None:
        assert not begun.is_set()
        begun.set()
        may_finish.wait(WAIT_S)
        finished.set()

    rounds = Rounds(work, name="counting", every_s=3600)
    assert begun.wait(WAIT_S)

    def close() -> None:
        rounds.close()
        ended.append(finished.is_set())

    closing = threading.Thread(target=close)
    closing.start()
    assert not ended
    may_finish.set()
    closing.join(WAIT_S)

    assert ended == [True]
