"""How often somebody may try: a few times at once, then less and less often, whoever they are."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from recognizance.governing.attempts import (
    FREE_FOR_LOGIN,
    FREE_FOR_NETWORK,
    FREE_FROM_NETWORK,
    LONGEST_WAIT,
    Attempts,
    TooManyAttemptsError,
)


@dataclass
class Clock:
    now: datetime = datetime(2026, 11, 22, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def failures(attempts: Attempts, login: str, address: str, count: int) -> None:
    for _ in range(count):
        attempts.begin(login, address)


def wait_of(attempts: Attempts, login: str, address: str) -> timedelta:
    with pytest.raises(TooManyAttemptsError) as refused:
        attempts.begin(login, address)
    return refused.value.wait


def test_waits_double_up_to_a_quarter_of_an_hour() -> None:
    clock = Clock()
    attempts = Attempts(clock=clock)
    failures(attempts, "a", "192.0.2.1", FREE_FROM_NETWORK)
    waits: list[timedelta] = []
    for _ in range(12):
        waits.append(wait_of(attempts, "a", "192.0.2.1"))
        clock.now += waits[-1]
        attempts.begin("a", "192.0.2.1")
    assert waits[:3] == [timedelta(seconds=2), timedelta(seconds=4), timedelta(seconds=8)]
    assert waits[-1] == LONGEST_WAIT


def test_a_stranger_elsewhere_does_not_lock_the_owner_out() -> None:
    """Their failures count for their own network first."""
    attempts = Attempts(clock=Clock())
    failures(attempts, "a", "192.0.2.1", FREE_FROM_NETWORK)
    attempts.begin("a", "198.51.100.1")
    wait_of(attempts, "a", "192.0.2.1")


def test_a_login_is_guarded_against_many_networks() -> None:
    attempts = Attempts(clock=Clock())
    for number in range(FREE_FOR_LOGIN):
        attempts.begin("a", f"192.0.2.{number}")
    wait_of(attempts, "a", "198.51.100.1")


def test_many_logins_from_one_network_are_one_attack() -> None:
    """A network is what one subscriber has: all of an IPv6 /64."""
    attempts = Attempts(clock=Clock())
    for number in range(FREE_FOR_NETWORK):
        attempts.begin(f"login-{number}", f"2001:db8::{number:x}")
    wait_of(attempts, "another", "2001:db8::ffff")
    attempts.begin("another", "2001:db8:0:1::1")


def test_success_clears_what_led_to_it() -> None:
    attempts = Attempts(clock=Clock())
    for _ in range(10 * FREE_FOR_LOGIN):
        attempts.begin("a", "192.0.2.1")
        attempts.succeeded("a", "192.0.2.1")


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of invented logins drops the oldest counts and nothing else."""
    monkeypatch.setattr("recognizance.governing.attempts._MOST_COUNTS", 30)
    attempts = Attempts(clock=Clock())
    for number in range(40):
        attempts.begin(f"invented-{number}", f"192.0.2.{number}")
    assert len(attempts._counts) == 30
