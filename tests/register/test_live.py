"""The register of a growing log: read once, then continued, in this process and the next."""

import threading
from pathlib import Path

import pytest

from recognizance.errors import CorruptionError, UnavailableError
from recognizance.ledger import Entry, Source, read_entries
from recognizance.register import KeptReading, LiveRegister, Register, build_register, register_file
from tests.register.world import KEYS, a_store, entry, one_year, reading_of, search

YEAR = one_year()
REGISTER = build_register(reading_of(YEAR))


def test_a_live_register_follows_its_log() -> None:
    """It answers with the newest checkpoint's register, for several threads, and starts where another stopped."""
    store = a_store(YEAR[:200])
    live = LiveRegister(store, KEYS)
    assert live.file("register.json") == register_file(build_register(reading_of(YEAR[:200])), "register.json")

    store.files = dict(a_store(YEAR).files)
    answers: list[Register] = []
    threads = [threading.Thread(target=lambda: answers.append(live.register())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [REGISTER] * 4
    assert LiveRegister(store, KEYS, earlier=live.reading()).register() == REGISTER


class NoBundles:
    """A log's files, of which the entries before one can't be read."""

    def __init__(self, source: Source, first: int) -> None:
        self._source, self._first = source, first

    def read(self, path: str) -> bytes | None:
        if path.startswith("tile/entries/") and int(path.removeprefix("tile/entries/")[:3]) < self._first:
            raise UnavailableError(f"{path} was asked for again")
        return self._source.read(path)


def test_a_live_register_goes_on_from_what_was_kept(tmp_path: Path) -> None:
    """The next start reads what came since; other software, another log or a damaged file reads everything."""
    kept = KeptReading(tmp_path / "state", "d1")
    store = a_store([entry(search()) for _ in range(1100)])
    LiveRegister(store, KEYS, kept=kept).register()
    told = (tmp_path / "state").read_bytes()
    grown = a_store([*(Entry.parse(data) for data in read_entries(store, range(1100), 1100)), *YEAR])
    whole = LiveRegister(grown, KEYS).register()

    assert LiveRegister(NoBundles(grown, 4), KEYS, kept=kept).register() == whole
    with pytest.raises(UnavailableError):
        LiveRegister(NoBundles(grown, 4), KEYS, kept=KeptReading(kept.path, "d2")).register()
    for damaged in (told[:-2], b"", told.replace(b"recognizance.example", b"recognizance.another")):
        kept.path.write_bytes(damaged)
        assert LiveRegister(grown, KEYS, kept=kept).register() == whole


def test_a_log_that_was_rolled_back_behind_what_was_kept_is_refused(tmp_path: Path) -> None:
    """What was read before can't be unread."""
    kept = KeptReading(tmp_path / "state", "d1")
    LiveRegister(a_store([entry(search()) for _ in range(1100)]), KEYS, kept=kept).register()

    with pytest.raises(CorruptionError):
        LiveRegister(a_store(YEAR), KEYS, kept=kept).register()
