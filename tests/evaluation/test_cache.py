"""The cache loses nothing that was kept, keeps nothing that was torn, and is for its owner alone."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recognizance.errors import CorruptionError, InputError
from recognizance.evaluation.cache import MARKER, Cache, Store, content_key, remove_cache

KEYS = [content_key(str(number)) for number in range(8)]


def test_what_was_put_is_there_after_a_restart(tmp_path: Path) -> None:
    """And is found under its own identity only."""
    first = Cache(tmp_path / "cache").store("templates", "model a", value_bytes=3)
    first.put({KEYS[0]: b"abc", KEYS[1]: b"def"})
    first.put({KEYS[0]: b"xyz"})
    again = Cache(tmp_path / "cache").store("templates", "model a", value_bytes=3)
    other = Cache(tmp_path / "cache").store("templates", "model b", value_bytes=3)

    assert (again.get(KEYS[0]), again.get(KEYS[1]), again.get(KEYS[2])) == (b"abc", b"def", None)
    assert len(other) == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(cut=st.integers(0, 300), puts=st.integers(1, 5))
def test_a_torn_file_gives_back_its_whole_records(tmp_path: Path, cut: int, puts: int) -> None:
    """Wherever a crash ends the file, what stands before is kept, and what follows can be put again."""
    path = tmp_path / f"store-{cut}-{puts}"
    path.unlink(missing_ok=True)
    store = Store(path, value_bytes=5)
    kept = {key: bytes([place] * 5) for place, key in enumerate(KEYS[:puts])}
    store.put(kept)
    store.close()
    os.truncate(path, min(cut, path.stat().st_size))

    again = Store(path, value_bytes=5)
    survived = {key: again.get(key) for key in KEYS if key in again}
    again.put(kept)
    again.close()
    last = Store(path, value_bytes=5)

    assert survived == dict(list(kept.items())[: len(survived)])
    assert {key: last.get(key) for key in kept} == kept
    last.close()


def test_a_damaged_record_and_those_behind_it_are_made_again(tmp_path: Path) -> None:
    """A flipped bit is never a template."""
    path = tmp_path / "store"
    store = Store(path, value_bytes=5)
    store.put(dict.fromkeys(KEYS, b"12345"))
    store.close()
    data = bytearray(path.read_bytes())
    data[-30] ^= 1
    path.write_bytes(data)

    assert len(Store(path, value_bytes=5)) == len(KEYS) - 1


def test_two_writers_tear_nothing(tmp_path: Path) -> None:
    """Each sees its own, and a third one everything."""
    one, two = Store(tmp_path / "store", value_bytes=1), Store(tmp_path / "store", value_bytes=1)
    one.put({KEYS[0]: b"a"})
    two.put({KEYS[1]: b"b"})
    one.put({KEYS[2]: b"c"})

    assert len(Store(tmp_path / "store", value_bytes=1)) == 3


def test_another_file_is_no_store(tmp_path: Path) -> None:
    """Nothing that wasn't written here is ever cut or added to."""
    (tmp_path / "text").write_bytes(b"something else entirely, and longer than a header is")
    Store(tmp_path / "store", value_bytes=4).close()

    with pytest.raises(CorruptionError):
        Store(tmp_path / "text", value_bytes=4)
    with pytest.raises(CorruptionError):
        Store(tmp_path / "store", value_bytes=5)
    assert (tmp_path / "text").read_bytes().startswith(b"something else")


def test_values_of_another_length_are_refused(tmp_path: Path) -> None:
    """A template of another model can't slip in."""
    store = Store(tmp_path / "store", value_bytes=4)

    with pytest.raises(ValueError, match="32 bytes"):
        store.put({KEYS[0]: b"12345"})
    with pytest.raises(ValueError, match="32 bytes"):
        store.put({b"short": b"1234"})


def test_nobody_else_may_read_the_cache(tmp_path: Path) -> None:
    """Its folder is 0700 whatever the umask, and one that others may read is refused."""
    before = os.umask(0o277)
    try:
        cache = Cache(tmp_path / "cache")
    finally:
        os.umask(before)
    assert stat.S_IMODE(cache.folder.stat().st_mode) == 0o700
    cache.folder.chmod(0o750)

    with pytest.raises(InputError, match="others may read"):
        Cache(cache.folder)


def test_cleaning_removes_a_cache_and_nothing_else(tmp_path: Path) -> None:
    """A folder without the mark is left alone, whatever is in it."""
    cache = Cache(tmp_path / "cache")
    cache.store("templates", "model", value_bytes=1).put({KEYS[0]: b"a"})
    other = tmp_path / "pictures"
    other.mkdir()
    (other / "mine.jpg").write_bytes(b"picture")

    assert remove_cache(cache.folder) > 32
    assert not cache.folder.exists()
    assert remove_cache(cache.folder) == 0
    with pytest.raises(InputError, match="is no cache"):
        remove_cache(other)
    with pytest.raises(InputError, match="is no cache"):
        Cache(other)
    assert (other / "mine.jpg").exists()
    assert not (other / MARKER).exists()
