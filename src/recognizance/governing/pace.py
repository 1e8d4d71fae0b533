"""How often somebody without an account may write: a few times at once, then no faster than the pace.

Counted for each network that they write from, and for all networks together, so that many networks can't fill the
record either. In memory and bounded: a restart forgets it, and whoever is counted is nobody in particular. What is
written is moderated afterwards by people; this only keeps machines from flooding them.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from recognizance.governing.attempts import Attempts, TooManyAttemptsError, network_of

_MOST_NETWORKS = 10_000
_EVERYBODY = ""


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many at once, and one more each time that `every` has passed."""

    at_once: int
    every: timedelta


COMMENTS = Allowance(3, timedelta(minutes=10))
COMMENTS_TOGETHER = Allowance(60, timedelta(seconds=30))
REQUESTS = Allowance(3, timedelta(minutes=20))
REQUESTS_TOGETHER = Allowance(30, timedelta(minutes=1))


class Pace:
    """Lets writers through at a pace. Safe to share between threads."""

    def __init__(self, each: Allowance, together: Allowance, *, clock: Callable[[], datetime]) -> None:
        self._each = each
        self._together = together
        self._clock = clock
        self._lock = threading.Lock()
        # By network: when its allowance would be whole again. The one touched longest ago goes first.
        self._whole_at: OrderedDict[str, datetime] = OrderedDict()

    def take(self, address: str) -> None:
        """Count one more text from this address.

        Raises:
            TooManyAttemptsError: If it comes too early; it isn't counted then.
        """
        now = self._clock()
        counts = ((network_of(address), self._each), (_EVERYBODY, self._together))
        with self._lock:
            wait = max(self._wait(key, allowance, now) for key, allowance in counts)
            if wait > timedelta(0):
                raise TooManyAttemptsError(wait)
            for key, allowance in counts:
                whole_at = max(self._whole_at.pop(key, now), now)
                self._whole_at[key] = whole_at + allowance.every
            while len(self._whole_at) > _MOST_NETWORKS:
                self._whole_at.popitem(last=False)

    def _wait(self, key: str, allowance: Allowance, now: datetime) -> timedelta:
        used = self._whole_at.get(key, now) - now
        return used - allowance.every * (allowance.at_once - 1)


class Writers:
    """How often somebody without an account may write, and try a code; one count for all ways to do so."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self.comments = Pace(COMMENTS, COMMENTS_TOGETHER, clock=clock)
        self.requests = Pace(REQUESTS, REQUESTS_TOGETHER, clock=clock)
        self.attempts = Attempts(clock=clock)
