"""A memory of signatures, so that a request that was overheard can't be sent again.

A signature covers the second in which it was made, and clients such as botocore make the same signature twice when they
ask the same thing twice within that second. Retries are signed anew. So a repeat counts as the same client speaking if
it arrives within `GRACE_S` of the first, and as a replay afterwards, for as long as the signature would still verify.

WEAKNESS: within the grace, a replay is not told from a repeat. Whoever can read the connection has five seconds; TLS in
front of the service takes them away.
"""

import heapq
import threading
from datetime import datetime

from recognizance.errors import ThrottledError

# Long enough for two equal requests of one second to arrive over a slow link; five minutes is what it shortens.
GRACE_S = 5.0
# About 150 bytes each. At five minutes a signature this is 1,600 requests a second, more than one process answers.
CAPACITY = 500_000


class ReplayMemory:
    """Remembers verified signatures until they expire. Safe to use from several threads.

    Only verified signatures may be given to it: otherwise anybody could fill it.
    """

    def __init__(self, *, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._first_seen: dict[bytes, float] = {}
        self._expiries: list[tuple[float, bytes]] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._first_seen)

    def admit(self, signature: str, *, expires_at: datetime, now: datetime) -> bool:
        """Say whether this is a first arrival or a repeat within the grace.

        Args:
            signature: 64 hexadecimal digits, verified.
            expires_at: When it stops to verify; it's remembered until then.

        Raises:
            ThrottledError: If the memory is full of signatures that have not expired. Forgetting one early would let it
                be replayed, so the request is refused instead.
        """
        moment = now.timestamp()
        # Half of the digest tells 500,000 signatures apart, and nobody can choose it without the key.
        key = bytes.fromhex(signature)[:16]
        with self._lock:
            while self._expiries and self._expiries[0][0] < moment:
                del self._first_seen[heapq.heappop(self._expiries)[1]]
            first = self._first_seen.get(key)
            if first is not None:
                return moment - first <= GRACE_S
            if len(self._first_seen) >= self._capacity:
                raise ThrottledError(f"more than {self._capacity} signed requests are within their time limits")
            self._first_seen[key] = moment
            heapq.heappush(self._expiries, (expires_at.timestamp(), key))
            return True
