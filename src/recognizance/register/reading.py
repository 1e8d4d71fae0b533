"""From a log's public files to a state: every entry is held against the signed checkpoint before it counts.

No database and no secret: whoever has the log's public key can build the same register, and compare.
"""

from collections.abc import Callable, Iterator, Sequence

from recognizance.errors import CorruptionError, InputError
from recognizance.ledger import (
    Entry,
    NewerSchemaError,
    SignatureError,
    Source,
    VerifierKey,
    facts,
    key_history,
    open_checkpoint,
    read_entries,
    verify,
)
from recognizance.register.saved import Reading
from recognizance.register.state import State, fold

CHUNK_ENTRIES = 8192
"""Verified and folded at a time: about as many megabytes in memory."""

_CHECKPOINT_PATH = "checkpoint"
_FIRST_ENTRIES = 256


class _HeldSource:
    """Gives the same bytes to whoever verifies and whoever reads, and one checkpoint all along.

    Without it, a server could show an entry to the verifier and another one to the fold.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._held: dict[str, bytes | None] = {}

    def read(self, path: str) -> bytes | None:
        if path not in self._held:
            self._held[path] = self._source.read(path)
        return self._held[path]

    def let_go(self) -> None:
        """Forget everything but the checkpoint."""
        self._held = {path: data for path, data in self._held.items() if path == _CHECKPOINT_PATH}

    def checkpoint(self) -> bytes:
        data = self.read(_CHECKPOINT_PATH)
        if data is None:
            raise CorruptionError("the log has no checkpoint")
        return data


def read_log(
    source: Source,
    log_keys: tuple[VerifierKey, ...],
    *,
    witnesses: Sequence[VerifierKey] = (),
    earlier: Reading | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Reading:
    """Verify a log and fold its entries, from where an earlier reading stopped.

    Args:
        witnesses: Keys whose cosignatures are looked for, beside those that the log names. None is required here; who
            cosigned is published.
        progress: Told how many of how many new entries are done.

    Raises:
        CorruptionError: If anything is wrong with the log, or it doesn't continue what was read earlier.
        InputError: If an entry isn't one of ours, or none of the keys signed the checkpoint.
        UnavailableError: If the source can't be read now.
    """
    held = _HeldSource(source)
    opened = open_checkpoint(held.checkpoint(), log_keys)
    state = earlier.state if earlier else State()
    start, size = state.size, opened.checkpoint.size
    if start > size:
        raise CorruptionError(f"the log has {size} entries; {start} were read earlier")
    before = (earlier.checkpoint,) if earlier else ()
    for first in range(start, size, CHUNK_ENTRIES) or [size]:
        chunk = range(first, min(first + CHUNK_ENTRIES, size))
        # An earlier checkpoint is the log's own once, at the first chunk: the checkpoint stays the same one.
        verify(held, log_keys, earlier=before, entries=chunk, are_forms_checked=False).require_sound()
        state = fold(state, _parsed(held, chunk, size))
        before = ()
        held.let_go()
        progress(chunk.stop - start, size - start)
    return _reading(state, held.checkpoint(), log_keys, witnesses)


def keys_stated_by(source: Source) -> tuple[VerifierKey, ...]:
    """Return the keys that a log itself names, the one that signs it now first: its own word, no proof.

    Where its first entries name the key that signs it, no more of it is read.

    Raises:
        InputError: If it names none, or was signed with none that it names: then the key has to come from elsewhere.
    """
    held = _HeldSource(source)
    checkpoint = held.checkpoint()
    lines = checkpoint.decode(errors="replace").split("\n")
    if len(lines) < 2 or not lines[1].isdecimal():
        raise InputError("the log's checkpoint is malformed")
    size = int(lines[1])
    for entries in (min(size, _FIRST_ENTRIES), size):
        keys = key_history(source, entries)
        for key in keys:
            # A change of keys that was begun and isn't finished has been announced, and the former key still signs.
            if _is_signed(checkpoint, key):
                return (key, *(each for each in keys if each != key))
    raise InputError("the log names no key that signed it: state it, as its operator published it")


def _is_signed(checkpoint: bytes, key: VerifierKey) -> bool:
    try:
        open_checkpoint(checkpoint, (key,))
    except SignatureError:
        return False
    return True


def _parsed(source: Source, entries: range, size: int) -> Iterator[Entry | None]:
    for index, data in enumerate(read_entries(source, entries, size), start=entries.start):
        try:
            yield Entry.parse(data)
        except NewerSchemaError:
            yield None
        except InputError as error:
            raise InputError(f"entry {index}: {error}") from error


def _witnesses_of(state: State) -> Iterator[VerifierKey]:
    """Yield the witnesses that the log itself says are asked to cosign it."""
    found = {entry.facts.key: entry.facts for entry in state.kept if isinstance(entry.facts, facts.Witness)}
    for key, witness in found.items():
        if witness.standing is not facts.Standing.REMOVED:
            yield VerifierKey.parse(key)


def _reading(
    state: State, checkpoint: bytes, log_keys: tuple[VerifierKey, ...], witnesses: Sequence[VerifierKey]
) -> Reading:
    opened = open_checkpoint(checkpoint, log_keys, tuple(dict.fromkeys([*witnesses, *_witnesses_of(state)])))
    return Reading(
        state,
        checkpoint,
        opened.checkpoint.origin,
        opened.checkpoint.root,
        tuple(str(key) for key in log_keys),
        tuple(str(key) for key in opened.witnesses),
    )
