"""How often somebody may try to sign in: a few times at once, then less and less often.

Failures are counted for a login from one network, for a login from anywhere, and for a network with any login. Each
count allows a number of failures and then doubles the wait with every further one, up to a quarter of an hour: a
password can't be guessed online, and a stranger who types wrong ones from elsewhere keeps the owner waiting for much
longer only if they own many networks. A login that nobody has counts like any other, so that nothing can be told from
the wait.

Counted in memory, bounded, by keyed hashes of who tried and whence. Counts are kept over a restart in one sealed
document of bounded size, written every few seconds at most: strangers don't make the service write as fast as they
type, and a restart is no way to guess faster.
"""

import hmac
import ipaddress
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from recognizance.errors import Error, NotFoundError, ThrottledError
from recognizance.governance.codec import read_document, write_document
from recognizance.records import Document, Records, Secret

LONGEST_WAIT = timedelta(minutes=15)
_FORGOTTEN_AFTER = timedelta(hours=24)
_MOST_COUNTS = 50_000

FREE_FROM_NETWORK = 5
"""Failures of one login from one network before there is a wait: ASVS 2.2.1 allows 100 an hour."""
FREE_FOR_LOGIN = 30
FREE_FOR_NETWORK = 60

KEPT_KIND = "sign_in_failures"
MOST_KEPT = 2_000
"""Counts in the document, the latest ones: some 200 KB."""
_KEEP_EVERY = timedelta(seconds=5)
_KEPT_ID = "counts"
_DIGEST_BYTES = 16

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Count:
    failures: int
    last: datetime


@dataclass(frozen=True, slots=True)
class KeptCount:
    """One count in the document."""

    who: str
    failures: int
    last: datetime


@dataclass(frozen=True, slots=True)
class KeptCounts:
    """The document: counts in the order in which they were touched last."""

    counts: tuple[KeptCount, ...]


class TooManyAttemptsError(ThrottledError):
    """Wait before the next try. `wait` says how long."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(f"too many attempts; the next in {wait.total_seconds():.0f} s")
        self.wait = wait


class Attempts:
    """Counts failures, and says when the next try is allowed. Safe to share between threads.

    Args:
        store: Where counts outlive a restart; without one they are in memory alone.
    """

    def __init__(self, *, clock: Callable[[], datetime], store: "AttemptStore | None" = None) -> None:
        self._store = store
        self._key = b"" if store is None else store.key
        self._clock = clock
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._counts: OrderedDict[str, _Count] = OrderedDict(
            (each.who, _Count(each.failures, each.last)) for each in (() if store is None else store.read().counts)
        )
        self._kept_at = clock()
        self._is_kept = True

    def begin(self, login: str, address: str) -> None:
        """Count a try as a failure until `succeeded` says otherwise, so that tries side by side are all counted.

        Raises:
            TooManyAttemptsError: If it comes too early; it isn't counted then.
        """
        now, keys = self._clock(), self._keys(login, address)
        with self._lock:
            wait = max(self._wait(key, free, now) for key, free in keys)
            if wait > timedelta(0):
                raise TooManyAttemptsError(wait)
            for key, _ in keys:
                self._add(key, now)
            self._is_kept = False
            is_due = now - self._kept_at >= _KEEP_EVERY
        if is_due:
            self.keep()

    def succeeded(self, login: str, address: str) -> None:
        """Forget the failures of this login from this network, and take the try back that succeeded."""
        with self._lock:
            (own, _), *shared = self._keys(login, address)
            self._counts.pop(own, None)
            for key, _ in shared:
                if (count := self._counts.get(key)) is not None:
                    self._counts[key] = replace(count, failures=max(0, count.failures - 1))
            self._is_kept = False

    def keep(self) -> None:
        """Write the latest counts down, if they have changed: now and then, and when the service ends."""
        store = self._store
        if store is None:
            return
        with self._writing:
            with self._lock:
                if self._is_kept:
                    return
                latest = list(self._counts.items())[-MOST_KEPT:]
                self._is_kept, self._kept_at = True, self._clock()
            counts = KeptCounts(tuple(KeptCount(who, count.failures, count.last) for who, count in latest))
            try:
                store.write(counts)
            except Error as error:
                # Counting goes on in memory, and the next try writes again.
                _log.error("the counts of failed sign-ins can't be kept", exc_info=error)
                with self._lock:
                    self._is_kept = False

    def _wait(self, key: str, free: int, now: datetime) -> timedelta:
        count = self._counts.get(key)
        if count is None or now - count.last > _FORGOTTEN_AFTER or count.failures < free:
            return timedelta(0)
        wait = min(timedelta(seconds=2.0 ** min(count.failures - free + 1, 20)), LONGEST_WAIT)
        return count.last + wait - now

    def _add(self, key: str, now: datetime) -> None:
        count = self._counts.pop(key, None)
        if count is None or now - count.last > _FORGOTTEN_AFTER:
            count = _Count(0, now)
        self._counts[key] = _Count(count.failures + 1, now)
        # The one that was touched longest ago goes first.
        while len(self._counts) > _MOST_COUNTS:
            self._counts.popitem(last=False)

    def _keys(self, login: str, address: str) -> tuple[tuple[str, int], ...]:
        network = network_of(address)
        return (
            (self._digest("both", login, network), FREE_FROM_NETWORK),
            (self._digest("login", login), FREE_FOR_LOGIN),
            (self._digest("network", network), FREE_FOR_NETWORK),
        )

    def _digest(self, *parts: str) -> str:
        return hmac.digest(self._key, "\n".join(parts).encode(), "sha256")[:_DIGEST_BYTES].hex()


class AttemptStore:
    """The document of counts in the records.

    Args:
        key: Of this installation, for nothing else: makes the hashes that counts are found by.
    """

    def __init__(self, records: Records, key: Secret) -> None:
        self._records = records
        self.key = key.reveal()

    def read(self) -> KeptCounts:
        """What was written last."""
        with self._records.reading() as reader:
            try:
                document = reader.document(KEPT_KIND, _KEPT_ID)
            except NotFoundError:
                return KeptCounts(())
        return read_document(KeptCounts, document.body)

    def write(self, counts: KeptCounts) -> None:
        body = write_document(counts)
        # A crash of the whole machine may lose the last ones; a wait for the disk would let strangers slow others down.
        with self._records.transaction(durable=False) as transaction:
            try:
                before = transaction.document(KEPT_KIND, _KEPT_ID)
            except NotFoundError:
                transaction.insert_document(Document(KEPT_KIND, _KEPT_ID, "", body, {}))
            else:
                transaction.replace_document(replace(before, body=body))


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
