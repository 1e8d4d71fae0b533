"""What is sealed opens only with the right key, in the right place, unchanged."""

import pickle
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizance.errors import CorruptionError, InputError, UnavailableError
from recognizance.records import MasterKey, Records, Secret, check_records, replace_key_file
from recognizance.records.keys import NONCE_BYTES, TAG_BYTES, DataKey, WrappedKey, context, new_data_key

from .world import World, stored


@given(plain=st.binary(max_size=300), bound_to=st.binary(max_size=50))
def test_what_was_sealed_opens(plain: bytes, bound_to: bytes) -> None:
    """Sealing adds a nonce and a tag, and nothing of the plain bytes."""
    key = DataKey(new_data_key())
    sealed = key.seal(plain, bound_to)

    assert key.unseal(sealed, bound_to) == plain
    assert len(sealed) == NONCE_BYTES + len(plain) + TAG_BYTES
    assert key.seal(plain, bound_to) != sealed


@given(position=st.integers(min_value=0, max_value=NONCE_BYTES + TAG_BYTES + 7), bit=st.integers(0, 7))
def test_one_changed_bit_is_found(position: int, bit: int) -> None:
    """Wherever it is: nonce, content or tag."""
    key = DataKey(new_data_key())
    sealed = bytearray(key.seal(b"template", b"a"))
    sealed[position] ^= 1 << bit

    with pytest.raises(CorruptionError):
        key.unseal(bytes(sealed), b"a")


@given(sealed=st.binary(max_size=40))
def test_bytes_that_were_never_sealed_are_refused(sealed: bytes) -> None:
    """However short."""
    with pytest.raises(CorruptionError):
        DataKey(new_data_key()).unseal(sealed, b"")


def test_a_sealed_value_opens_only_where_it_belongs() -> None:
    """Another context, or another key, doesn't open it."""
    key = DataKey(new_data_key())
    sealed = key.seal(b"template", context("pack", "one"))

    with pytest.raises(CorruptionError):
        key.unseal(sealed, context("pack", "two"))
    with pytest.raises(CorruptionError):
        DataKey(new_data_key()).unseal(sealed, context("pack", "one"))


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_contexts_differ_when_their_parts_do(one: list[str], other: list[str]) -> None:
    """No two lists of parts run together into the same bytes."""
    assert (context(*one) == context(*other)) == (one == other)


def test_a_secret_does_not_show_itself() -> None:
    """Neither printed nor pickled."""
    secret = Secret(b"wJalrXUtnFEMI")

    assert "wJal" not in f"{secret} {secret!r}"
    with pytest.raises(TypeError, match="can't be pickled"):
        pickle.dumps(secret)


@pytest.mark.parametrize("text", ["", "  \n", "ab" * 31, "AB" * 32, "zz" * 32, "ab" * 33, "ab" * 32 + " x"])
def test_a_malformed_master_key_is_refused_and_not_repeated(text: str) -> None:
    """The message says what a key looks like, and not what was there."""
    with pytest.raises(InputError) as caught:
        MasterKey.parse(text)

    assert "ab" * 8 not in str(caught.value)


def test_a_key_file_is_private_and_never_overwritten(tmp_path: Path) -> None:
    """Created with mode 0600, and only where nothing was."""
    file = tmp_path / "master.key"
    created = MasterKey.create_file(file)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert MasterKey.from_file(file).id == created.id
    with pytest.raises(InputError, match="never overwritten"):
        MasterKey.create_file(file)


def test_a_key_is_not_written_through_a_link(tmp_path: Path) -> None:
    """Somebody who can put a link there must not get the key written where the link points."""
    (tmp_path / "master.key").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(InputError):
        MasterKey.create_file(tmp_path / "master.key")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """The message names the mode and the ones that are allowed."""
    file = tmp_path / "master.key"
    MasterKey.create_file(file)
    file.chmod(mode)

    with pytest.raises(InputError, match=f"0{mode:o}.*0600"):
        MasterKey.from_file(file)


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    """It isn't created in silence: the records may need another one."""
    with pytest.raises(InputError, match=r"master\.key"):
        MasterKey.from_file(tmp_path / "master.key")


def test_a_command_can_give_the_key() -> None:
    """What it prints is read as a file would be; a failing one is our fault, not the caller's."""
    good = [sys.executable, "-c", "print('ab' * 32)"]

    assert MasterKey.from_command(good).id == MasterKey.parse("ab" * 32).id
    for bad in ([sys.executable, "-c", "raise SystemExit(3)"], ["/nonexistent/program"]):
        with pytest.raises(UnavailableError):
            MasterKey.from_command(bad)


def test_a_wrapped_key_says_which_master_key_it_needs() -> None:
    """The wrong one is told apart from damage."""
    wrapped = MasterKey.parse("ab" * 32).wrap(Secret(bytes(32)), b"gallery 1")

    with pytest.raises(InputError, match=MasterKey.parse("cd" * 32).id.hex()):
        MasterKey.parse("cd" * 32).unwrap(wrapped, b"gallery 1")
    with pytest.raises(CorruptionError):
        MasterKey.parse("ab" * 32).unwrap(wrapped, b"gallery 2")
    with pytest.raises(CorruptionError):
        MasterKey.parse("ab" * 32).unwrap(WrappedKey(wrapped.value[:-1]), b"gallery 1")


def test_records_do_not_open_with_another_master_key(tmp_path: Path) -> None:
    """Told at once, before anything is read or written."""
    Records.open(tmp_path, master_key=MasterKey.parse("ab" * 32)).close()

    with pytest.raises(InputError, match="master key"):
        Records.open(tmp_path, master_key=MasterKey.parse("cd" * 32))


def test_the_master_key_can_be_replaced_and_no_step_locks_anybody_out(tmp_path: Path, world: World) -> None:
    """After each step of a rotation the records open with what the key file holds; in the end, not with the old key."""
    file = tmp_path / "master.key"
    old = MasterKey.create_file(file)
    records = Records.open(tmp_path / "data", master_key=old)
    faces = world.faces(70)
    with records.transaction() as transaction:
        transaction.create_gallery(world.gallery, model=world.model, created=world.now)
        transaction.add_faces(world.gallery, faces)
    before = stored(records, world.gallery)
    seen = []

    def look() -> None:
        other = Records.open(tmp_path / "data", master_key=MasterKey.from_file(file))
        seen.append((check_records(other), stored(other, world.gallery)))
        other.close()

    both = replace_key_file(file, keep_older=True)
    look()
    records.rewrap(both)
    look()
    replace_key_file(file, keep_older=False)
    look()
    records.close()

    assert seen == [((), before)] * 3
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(InputError):
        Records.open(tmp_path / "data", master_key=old)


def test_rewrapping_with_a_key_that_opens_nothing_changes_nothing(tmp_path: Path, records: Records) -> None:
    """A rotation with the wrong file is refused as a whole."""
    with pytest.raises(InputError):
        records.rewrap(MasterKey.parse("ab" * 32))

    assert check_records(records) == ()
