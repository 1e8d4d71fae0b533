"""Work that a server does by itself, again and again: retention, steps that time brings about, mail.

Must never let a round that failed end the thread: what is due would then stay undone, and nobody would be told.
"""

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Rounds:
    """A thread that does a piece of work at once, and then every so often until it is closed. Nothing waits for it.

    Args:
        work: One round. What it leaves undone by raising has to stay due for the next one.
        name: The thread's name, and the log's word for the work.
        every_s: Pause between the end of a round and the next one, in seconds.
    """

    def __init__(self, work: Callable[[], object], *, name: str, every_s: float) -> None:
        self._work = work
        self._name = name
        self._every_s = every_s
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread, after the round that is under way."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._work()
            except Exception as error:  # noqa: BLE001 - also what nobody foresaw must not end the rounds
                _log.error("%s failed; trying again in %g s", self._name, self._every_s, exc_info=error)
            self._ending.wait(self._every_s)
