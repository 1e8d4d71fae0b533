"""The memory of signatures: a repeat is the client, a replay is not."""

from datetime import UTC, datetime, timedelta

import pytest

from recognizance.aws.replay import GRACE_S, ReplayMemory
from recognizance.errors import ThrottledError

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
EXPIRY = NOON + timedelta(minutes=5)


def signature(n: int) -> str:
    return format(n, "032x") + "0" * 32


def test_a_repeat_within_the_grace_is_the_same_client() -> None:
    """botocore signs equal requests of one second alike, so the second of them is let in."""
    memory = ReplayMemory()
    assert memory.admit(signature(1), expires_at=EXPIRY, now=NOON)
    assert memory.admit(signature(1), expires_at=EXPIRY, now=NOON + timedelta(seconds=GRACE_S))


def test_a_repeat_after_the_grace_is_a_replay() -> None:
    """However often it was let in before, and until the very end of its validity."""
    memory = ReplayMemory()
    memory.admit(signature(1), expires_at=EXPIRY, now=NOON)
    memory.admit(signature(1), expires_at=EXPIRY, now=NOON + timedelta(seconds=4))
    assert not memory.admit(signature(1), expires_at=EXPIRY, now=NOON + timedelta(seconds=GRACE_S + 0.1))
    assert not memory.admit(signature(1), expires_at=EXPIRY, now=EXPIRY)


def test_other_signatures_are_no_replay() -> None:
    """Each signature is remembered by itself."""
    memory = ReplayMemory()
    late = NOON + timedelta(minutes=1)
    assert memory.admit(signature(1), expires_at=EXPIRY, now=NOON)
    assert memory.admit(signature(2), expires_at=EXPIRY, now=late)


def test_what_has_expired_is_forgotten() -> None:
    """The memory holds what could still be replayed, and nothing else."""
    memory = ReplayMemory()
    for n in range(100):
        memory.admit(signature(n), expires_at=NOON + timedelta(seconds=n), now=NOON)
    memory.admit(signature(1000), expires_at=EXPIRY, now=NOON + timedelta(seconds=50))
    assert len(memory) == 51


def test_a_full_memory_refuses_and_forgets_nothing() -> None:
    """Making room early would let somebody replay what was dropped."""
    memory = ReplayMemory(capacity=2)
    memory.admit(signature(1), expires_at=EXPIRY, now=NOON)
    memory.admit(signature(2), expires_at=EXPIRY, now=NOON)
    with pytest.raises(ThrottledError, match="2"):
        memory.admit(signature(3), expires_at=EXPIRY, now=NOON)
    assert not memory.admit(signature(1), expires_at=EXPIRY, now=NOON + timedelta(minutes=1))
