"""Reading a log: only what the checkpoint vouches for counts, and a continued reading is a whole one."""

import pytest

from recognizance.errors import CorruptionError, InputError
from recognizance.ledger import MemoryStore, NoteKey, facts
from recognizance.register import keys_stated_by, read_log, reading
from tests.register.world import KEY, KEYS, a_store, entry, one_year, search, state_of

YEAR = one_year()


def test_a_log_is_read_as_the_fold_of_its_entries() -> None:
    """From files to the same state as from the entries themselves."""
    found = read_log(a_store(YEAR), KEYS)

    assert found.state == state_of(YEAR)
    assert found.origin == KEY.name


@pytest.mark.parametrize("stop", [0, 1, 255, 256, 257])
def test_a_reading_is_continued_where_it_stopped(stop: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the place, in chunks that don't fit the bundles, the end is the same."""
    monkeypatch.setattr(reading, "CHUNK_ENTRIES", 100)
    earlier = read_log(a_store(YEAR[:stop]), KEYS)

    assert read_log(a_store(YEAR), KEYS, earlier=earlier) == read_log(a_store(YEAR), KEYS)


def test_a_log_that_did_not_grow_is_read_as_it_was() -> None:
    """Nothing new is a reading too."""
    once = read_log(a_store(YEAR), KEYS)

    assert read_log(a_store(YEAR), KEYS, earlier=once) == once


def test_another_past_is_refused() -> None:
    """A log that was rewritten behind a reader's back isn't continued, nor is a shorter one."""
    earlier = read_log(a_store(YEAR[:200]), KEYS)
    rewritten = [*YEAR[:50], entry(search()), *YEAR[51:]]

    with pytest.raises(CorruptionError, match="forked"):
        read_log(a_store(rewritten), KEYS, earlier=earlier)
    with pytest.raises(CorruptionError, match="200 were read"):
        read_log(a_store(YEAR[:100]), KEYS, earlier=earlier)


def test_an_edited_entry_is_found_and_named() -> None:
    """A register is never built of entries that the checkpoint doesn't vouch for."""
    store = a_store(YEAR)
    path = next(path for path in store.files if path.startswith("tile/entries/000"))
    store.files[path] = store.files[path].replace(b'"offence":"robbery"', b'"offence":"burglar"', 1)

    with pytest.raises(CorruptionError, match="edited"):
        read_log(store, KEYS)


class TwoFacedStore(MemoryStore):
    """Shows the true entries at first, and others from the second time on."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__()
        self.files = dict(store.files)
        self._shown: set[str] = set()

    def read(self, path: str) -> bytes | None:
        data = super().read(path)
        if data is None or path not in self._shown:
            self._shown.add(path)
            return data
        return data.replace(b'"offence":"robbery"', b'"offence":"burglar"')


def test_what_is_verified_is_what_is_counted() -> None:
    """A server that changes its mind between two requests changes nothing."""
    found = read_log(TwoFacedStore(a_store(YEAR)), KEYS)

    assert found.state == state_of(YEAR)


def test_another_key_is_refused() -> None:
    """The log has to be signed by the key that its reader brought."""
    other = NoteKey(KEY.name, bytes(32))

    with pytest.raises(InputError):
        read_log(a_store(YEAR), (other.verifier,))


def test_a_log_can_name_its_own_key() -> None:
    """Good for looking: it is the log's own word, and where it has none, that is said."""
    assert keys_stated_by(a_store(YEAR)) == KEYS
    with pytest.raises(InputError, match="names no key"):
        keys_stated_by(a_store(YEAR[1:]))


@pytest.mark.parametrize("is_finished", [True, False], ids=["finished", "begun"])
def test_a_log_can_name_the_keys_that_followed(is_finished: bool) -> None:
    """Also far behind its first entries; whichever of them signs it now comes first."""
    following = NoteKey(KEY.name, bytes([7]) * 32)
    stranger = NoteKey(KEY.name, bytes(reversed(range(32))))
    announced = facts.LedgerKey(former_key=str(KEY.verifier), new_key=str(following.verifier), reason="once a year")
    forged = facts.LedgerKey(former_key=None, new_key=str(stranger.verifier), reason="a second first key")
    padding = [entry(search()) for _ in range(300)]
    entries = [*YEAR, *padding, entry(forged), entry(announced)]
    store = a_store(entries, following if is_finished else KEY)
    expected = (following.verifier, KEY.verifier) if is_finished else (KEY.verifier,)

    assert keys_stated_by(store) == expected
    assert read_log(store, keys_stated_by(store)).state.size == len(entries)


def test_progress_is_told() -> None:
    """How many of how many entries are done."""
    steps: list[tuple[int, int]] = []
    read_log(a_store(YEAR), KEYS, progress=lambda done, total: steps.append((done, total)))

    assert steps[-1] == (len(YEAR), len(YEAR))
