"""True ledgers as the files that the public gets, and every way to doctor them that a browser has to notice."""

import base64
import functools
from collections.abc import Callable

from recognizance.ledger.checkpoints import Checkpoint
from recognizance.ledger.export import copy_files
from recognizance.ledger.merkle import leaf_hash
from recognizance.ledger.notes import NoteKey, SignedNote
from recognizance.ledger.stores import MemoryStore
from recognizance.ledger.tiles import CHECKPOINT_PATH, bundle_at, join_entries, split_entries

from ..ledger.world import KEY, ORIGIN, a_log

Files = dict[str, bytes]

OTHER_KEY = NoteKey(ORIGIN, bytes(range(1, 33)))
SIZE = 300
INDEX = 270
"""In the partial bundle, and so behind a partial tile."""
BUNDLE = bundle_at(1, SIZE)


@functools.cache
def log_of(size: int) -> MemoryStore:
    return a_log(size)


def files_of(store: MemoryStore) -> Files:
    """The public files of a log, and nothing else."""
    note = store.read(CHECKPOINT_PATH)
    assert note is not None
    files: Files = {CHECKPOINT_PATH: note}
    copy_files(store, files.__setitem__, Checkpoint.parse(SignedNote.parse(note).text).size, lambda *_: None)
    return files


def good_files(size: int) -> Files:
    return files_of(log_of(size))


def remembered(size: int) -> dict[str, str]:
    """What a browser remembers that saw the true log at some size."""
    return {"note": good_files(size)[CHECKPOINT_PATH].decode(), "key": str(KEY.verifier)}


def signed(text: str, key: NoteKey = KEY) -> bytes:
    return SignedNote(text, (key.sign(text),)).data


def root_line(files: Files) -> str:
    return files[CHECKPOINT_PATH].decode().split("\n")[2]


def edit_entry(files: Files) -> None:
    """Change one letter of the entry where it is published."""
    files["tile/entries/001.p/44"] = files["tile/entries/001.p/44"].replace(b"comment 270", b"comment 27O")


def edit_entry_and_its_leaf(files: Files) -> None:
    """As a forger would: the entry, and the hash in the tile beside it."""
    edit_entry(files)
    entry = split_entries(BUNDLE, files["tile/entries/001.p/44"])[INDEX - 256]
    at = (INDEX - 256) * 32
    files["tile/0/001.p/44"] = files["tile/0/001.p/44"][:at] + leaf_hash(entry) + files["tile/0/001.p/44"][at + 32 :]


def swap_entries(files: Files) -> None:
    """Put two entries in each other's places."""
    entries = list(split_entries(BUNDLE, files["tile/entries/001.p/44"]))
    entries[14], entries[15] = entries[15], entries[14]
    files["tile/entries/001.p/44"] = join_entries(entries)


def drop_entry(files: Files) -> None:
    entries = split_entries(BUNDLE, files["tile/entries/001.p/44"])
    files["tile/entries/001.p/44"] = join_entries(entries[:-1])


def add_entry(files: Files) -> None:
    files["tile/entries/001.p/44"] += join_entries([b"{}"])


def cut_bundle(files: Files) -> None:
    files["tile/entries/001.p/44"] = files["tile/entries/001.p/44"][:-1]


def change_sibling(files: Files) -> None:
    """One bit of a hash that the proof needs."""
    tile = bytearray(files["tile/0/001.p/44"])
    tile[15 * 32] ^= 1
    files["tile/0/001.p/44"] = bytes(tile)


def cut_tile(files: Files) -> None:
    files["tile/0/001.p/44"] = files["tile/0/001.p/44"][:-32]


def lengthen_tile(files: Files) -> None:
    files["tile/0/001.p/44"] += bytes(32)


def drop_tile(files: Files) -> None:
    del files["tile/0/001.p/44"]


def drop_bundle(files: Files) -> None:
    del files["tile/entries/001.p/44"]


def drop_checkpoint(files: Files) -> None:
    del files[CHECKPOINT_PATH]


def other_root(files: Files) -> None:
    """Signed by the true key: what a dishonest log would show to one reader."""
    files[CHECKPOINT_PATH] = Checkpoint(ORIGIN, SIZE, bytes(32)).signed(KEY).data


def edited_root(files: Files) -> None:
    """The root changed below the signature of the true one."""
    files[CHECKPOINT_PATH] = files[CHECKPOINT_PATH].replace(root_line(files).encode(), base64.b64encode(bytes(32)), 1)


def edited_size(files: Files) -> None:
    files[CHECKPOINT_PATH] = files[CHECKPOINT_PATH].replace(b"\n300\n", b"\n301\n", 1)


def edited_signature(files: Files) -> None:
    note = SignedNote.parse(files[CHECKPOINT_PATH])
    [true] = note.signatures
    false = KEY.sign("another text\n")
    assert (true.name, true.key_id) == (false.name, false.key_id)
    files[CHECKPOINT_PATH] = SignedNote(note.text, (false,)).data


def short_signature(files: Files) -> None:
    note = SignedNote.parse(files[CHECKPOINT_PATH])
    [true] = note.signatures
    files[CHECKPOINT_PATH] = SignedNote(note.text, (type(true)(true.name, true.key_id, true.blob[:-1]),)).data


def signed_by_another_key(files: Files) -> None:
    files[CHECKPOINT_PATH] = signed(SignedNote.parse(files[CHECKPOINT_PATH]).text, OTHER_KEY)


def of_another_log(files: Files) -> None:
    """The key signed another log's checkpoint; a key is of one log."""
    files[CHECKPOINT_PATH] = signed(SignedNote.parse(files[CHECKPOINT_PATH]).text.replace(ORIGIN, "other.example/log"))


def size_with_zeros(files: Files) -> None:
    files[CHECKPOINT_PATH] = signed(f"{ORIGIN}\n0300\n{root_line(files)}\n")


def size_beyond_numbers(files: Files) -> None:
    files[CHECKPOINT_PATH] = signed(f"{ORIGIN}\n9007199254740993\n{root_line(files)}\n")


def root_with_stray_bits(files: Files) -> None:
    """The last letter of the base64 has bits that no byte uses: another spelling of the same root."""
    line = root_line(files)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = line[:-2] + letters[letters.index(line[-2]) + 1] + "="
    assert base64.b64decode(other) == base64.b64decode(line)
    files[CHECKPOINT_PATH] = signed(f"{ORIGIN}\n300\n{other}\n")


def signature_with_padding(files: Files) -> None:
    files[CHECKPOINT_PATH] = files[CHECKPOINT_PATH][:-1] + b"=\n"


def carriage_returns(files: Files) -> None:
    files[CHECKPOINT_PATH] = files[CHECKPOINT_PATH].replace(b"\n", b"\r\n")


def no_blank_line(files: Files) -> None:
    files[CHECKPOINT_PATH] = files[CHECKPOINT_PATH].replace(b"\n\n", b"\n")


def more_behind(files: Files) -> None:
    files[CHECKPOINT_PATH] += b"more"


def empty_extension(files: Files) -> None:
    files[CHECKPOINT_PATH] = signed(f"{ORIGIN}\n300\n{root_line(files)}\n\nmore\n")


def not_text(files: Files) -> None:
    files[CHECKPOINT_PATH] = b"\xff\xfe" + files[CHECKPOINT_PATH]


TAMPERED: list[tuple[Callable[[Files], None], str]] = [
    (edit_entry, "inclusion"),
    (edit_entry_and_its_leaf, "inclusion"),
    (swap_entries, "inclusion"),
    (drop_entry, "bundle"),
    (add_entry, "bundle"),
    (cut_bundle, "bundle"),
    (change_sibling, "inclusion"),
    (cut_tile, "tile"),
    (lengthen_tile, "tile"),
    (drop_tile, "missing"),
    (drop_bundle, "missing"),
    (drop_checkpoint, "missing"),
    (other_root, "inclusion"),
    (edited_root, "signature"),
    (edited_size, "signature"),
    (edited_signature, "signature"),
    (short_signature, "signature"),
    (signed_by_another_key, "unsigned"),
    (of_another_log, "origin"),
    (size_with_zeros, "checkpoint"),
    (size_beyond_numbers, "checkpoint"),
    (root_with_stray_bits, "checkpoint"),
    (signature_with_padding, "checkpoint"),
    (carriage_returns, "checkpoint"),
    (no_blank_line, "checkpoint"),
    (more_behind, "checkpoint"),
    (empty_extension, "checkpoint"),
    (not_text, "checkpoint"),
]
