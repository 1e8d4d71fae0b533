"""How often somebody may try to sign in: a few times at once, then less and less often.

Failures are counted for a login from one network, for a login from anywhere, and for a network with any login. Each
count allows a number of failures and then doubles the wait with every further one, up to a quarter of an hour: a
password can't be guessed online, and a stranger who types wrong ones from elsewhere keeps the owner waiting for much
longer only if they own many networks. A login that nobody has counts like any other, so that nothing can be told from
the wait.

In memory and bounded: people who aren't signed in never make the service write. A restart forgets the counts; whoever
can restart it can also do without a password.
"""

import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from recognizance.errors import ThrottledError

LONGEST_WAIT = timedelta(minutes=15)
_FORGOTTEN_AFTER = timedelta(hours=24)
_MOST_COUNTS = 50_000

FREE_FROM_NETWORK = 5
"""Failures of one login from one network before there is a wait: ASVS 2.2.1 allows 100 an hour."""
FREE_FOR_LOGIN = 30
FREE_FOR_NETWORK = 60


@dataclass(slots=True)
class _Count:
    failures: int
    last: datetime


class TooManyAttemptsError(ThrottledError):
    """Wait before the next try. `wait` says how long."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(f"too many attempts; the next in {wait.total_seconds():.0f} s")
        self.wait = wait


class Attempts:
    """Counts failures, and says when the next try is allowed. Safe to share between threads."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: OrderedDict[tuple[str, str], _Count] = OrderedDict()

    def begin(self, login: str, address: str) -> None:
        """Count a try as a failure until `succeeded` says otherwise, so that tries side by side are all counted.

        Raises:
            TooManyAttemptsError: If it comes too early; it isn't counted then.
        """
        now = self._clock()
        with self._lock:
            wait = max(self._wait(key, free, now) for key, free in _keys(login, address))
            if wait > timedelta(0):
                raise TooManyAttemptsError(wait)
            for key, _ in _keys(login, address):
                self._add(key, now)

    def succeeded(self, login: str, address: str) -> None:
        """Forget the failures of this login from this network, and take the try back that succeeded."""
        with self._lock:
            (own, _), *shared = _keys(login, address)
            self._counts.pop(own, None)
            for key, _ in shared:
                if (count := self._counts.get(key)) is not None:
                    count.failures = max(0, count.failures - 1)

    def _wait(self, key: tuple[str, str], free: int, now: datetime) -> timedelta:
        count = self._counts.get(key)
        if count is None or now - count.last > _FORGOTTEN_AFTER or count.failures < free:
            return timedelta(0)
        wait = min(timedelta(seconds=2.0 ** min(count.failures - free + 1, 20)), LONGEST_WAIT)
        return count.last + wait - now

    def _add(self, key: tuple[str, str], now: datetime) -> None:
        count = self._counts.pop(key, None)
        if count is None or now - count.last > _FORGOTTEN_AFTER:
            count = _Count(0, now)
        self._counts[key] = _Count(count.failures + 1, now)
        # The one that was touched longest ago goes first.
        while len(self._counts) > _MOST_COUNTS:
            self._counts.popitem(last=False)


def _keys(login: str, address: str) -> tuple[tuple[tuple[str, str], int], ...]:
    network = network_of(address)
    return (
        ((login, network), FREE_FROM_NETWORK),
        ((login, ""), FREE_FOR_LOGIN),
        (("", network), FREE_FOR_NETWORK),
    )


def network_of(address: str) -> str:
    """What one subscriber can choose addresses from: a whole IPv6 /64, a single IPv4 address.

    >>> network_of("192.0.2.7"), network_of("2001:db8:1:2:3:4:5:6"), network_of("a socket")
    ('192.0.2.7', '2001:db8:1:2::/64', 'unknown')
    """
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped is not None:
            return str(known.ipv4_mapped)
        return str(ipaddress.ip_network((known, 64), strict=False))
    return str(known)
