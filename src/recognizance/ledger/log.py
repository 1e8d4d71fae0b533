"""The writer of a log: appends entries, signs the tree, publishes it as static files.

To `commit` is: hash the entries into the tree's right edge; sign the new checkpoint; add entries and checkpoint to the
journal, which is the moment from which they are promised. To `publish` is: put entry bundles in place, then tiles, then
the checkpoint, so that no reader ever sees a checkpoint without its tiles. Only the journal waits for the disk. From
time to time, and at the end, `settle` makes the public files durable in bulk and starts the journal afresh.

What holds at every moment, whatever write fails or is torn: the journal's last complete checkpoint covers every
promised entry, and its base checkpoint's files are durable. So `open` can always finish what a crash interrupted, and
never signs a tree that doesn't continue all that it signed before. A failed write stops the writer: since its effect
is unknown, only reading everything back says what is true.

It must never reorder, drop or edit an entry; it doesn't know what entries mean.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Self

from recognizance.errors import ConflictError, CorruptionError, InputError, UnavailableError
from recognizance.ledger.checkpoints import Checkpoint, open_checkpoint
from recognizance.ledger.edge import Edge, PublicFile
from recognizance.ledger.journal import encode_record, parse_journal
from recognizance.ledger.merkle import Hash, Node, consistency_proof, inclusion_proof
from recognizance.ledger.notes import SignedNote, Signer, VerifierKey
from recognizance.ledger.receipts import Receipt
from recognizance.ledger.sources import fetch_entries, fetch_tile
from recognizance.ledger.stores import Store
from recognizance.ledger.tiles import (
    CHECKPOINT_PATH,
    TILE_WIDTH,
    WITNESSED_PATH,
    Bundle,
    Tile,
    TileReader,
    bundle_at,
    check_entry_size,
)

MAX_JOURNAL_BYTES = 4 * 1024 * 1024
"""Beyond it the files are settled. More makes settling rarer and recovery longer, by 0.2 ms for each batch."""

MAX_BATCH_ENTRIES = 4096
"""Entries that one checkpoint adds at most, so that a journal record stays far from its 32-bit length."""


class Log:
    """The only writer of one log. Not for two threads at once: `Sequencer` stands in front of it."""

    def __init__(self, store: Store, signer: Signer, note: SignedNote, edge: Edge) -> None:
        """Take over a recovered log; use `create` or `open`."""
        self._store = store
        self._signer = signer
        self._note = note
        self._edge = edge
        self._settled_size = edge.size
        self._journal_bytes = 0
        # By the path of the full tile or bundle that will replace them.
        self._partials = {place.full.path: _partials_before(place) for place in edge.held_places()}
        self._base_paths = {place.path for place in edge.held_places()}
        self._superseded: list[str] = []
        self._unpublished: dict[str, PublicFile] = {}
        self._is_stopped = False
        self._old_tiles = TileReader(edge.size, self._read_tile)

    @classmethod
    def create(cls, store: Store, signer: Signer) -> Self:
        """Start a log with no entries. Its origin is the signer's name.

        Raises:
            ConflictError: If there is a log already, or another writer.
        """
        store.lock()
        if store.read_journal() is not None or store.read(CHECKPOINT_PATH) is not None:
            store.close()
            raise ConflictError("there is a log here already")
        edge = Edge()
        note = Checkpoint(signer.verifier.name, 0, edge.root()).signed(signer)
        store.start_journal(encode_record(note))
        log = cls(store, signer, note, edge)
        log._publish_note(note)
        return log

    @classmethod
    def open(cls, store: Store, signer: Signer, *, former_keys: Sequence[VerifierKey] = ()) -> Self:
        """Continue a log from the last checkpoint that it promised, finishing what a crash interrupted.

        Args:
            former_keys: Public keys that the log signed with before its key was changed.

        Raises:
            ConflictError: If another writer has it open.
            CorruptionError: If the files contradict each other in a way that no crash explains. Nothing is written.
        """
        store.lock()
        try:
            keys = (signer.verifier, *former_keys)
            data = store.read_journal()
            if data is None:
                raise CorruptionError("the log has no journal: what it promised last is unknown")
            journal = parse_journal(data)
            promised = [_open(note.data, keys, "journal's") for note in journal.notes]
            _check_published(store, keys, promised)
            log = cls(store, signer, journal.base, _load_edge(store, promised[0]))
            for batch, checkpoint in zip(journal.batches, promised[1:], strict=True):
                log._extend(batch.entries)
                log._check_root(checkpoint)
                log._note = batch.note
            log._finish_recovery(has_batches=bool(journal.batches))
        except BaseException:
            store.close()
            raise
        return log

    @property
    def size(self) -> int:
        """How many entries are promised."""
        return self._edge.size

    @property
    def origin(self) -> str:
        """The name of the log."""
        return self._signer.verifier.name

    @property
    def note(self) -> SignedNote:
        """The last promised checkpoint, signed."""
        return self._note

    @property
    def needs_settling(self) -> bool:
        """Whether the journal has grown to where `settle` is due."""
        return self._journal_bytes >= MAX_JOURNAL_BYTES

    def append(self, entries: Sequence[bytes]) -> SignedNote:
        """Add entries in this order, durably. On return they are promised and published."""
        note = self.commit(entries)
        self.publish()
        return note

    def commit(self, entries: Sequence[bytes]) -> SignedNote:
        """Add entries in this order, durably. On return they are promised; `publish` is due.

        Costs one wait for the disk, however many entries there are.

        Returns:
            The signed checkpoint that covers them.

        Raises:
            InputError: If an entry is too long, or there are none or too many. Nothing has happened.
            UnavailableError: If a write failed. Whether the entries are promised is unknown until `open`.
        """
        self._check_running()
        if not 1 <= len(entries) <= MAX_BATCH_ENTRIES:
            raise InputError(f"a batch has 1 to {MAX_BATCH_ENTRIES} entries; this one has {len(entries)}")
        for entry in entries:
            check_entry_size(entry)
        # Set back only when every write has succeeded.
        self._is_stopped = True
        old_size = self.size
        self._extend(entries)
        note = Checkpoint(self.origin, self.size, self._edge.root()).signed(self._signer)
        record = encode_record(note, entries)
        self._store.append_journal(record)
        self._journal_bytes += len(record)
        self._stage_from(old_size)
        self._note = note
        self._is_stopped = False
        return note

    def publish(self) -> None:
        """Show the world everything that is promised.

        Raises:
            UnavailableError: If a write failed. What is promised stays so, and is published by the next `open`.
        """
        self._check_running()
        if not self._unpublished:
            return
        self._is_stopped = True
        self._publish_staged()
        self._publish_note(self._note)
        self._drop_superseded()
        self._is_stopped = False

    def receipt(self, index: int) -> Receipt:
        """Return the proof that entry `index` is in the log as it stands now.

        Raises:
            ValueError: If there is no such entry.
        """
        return Receipt(index, inclusion_proof(index, self.size, self._read_node), self._note)

    def consistency(self, old_size: int) -> tuple[Hash, ...]:
        """Return the proof that the log as it stands now continues itself at `old_size`."""
        return consistency_proof(old_size, self.size, self._read_node)

    def entries(self, start: int, end: int) -> list[bytes]:
        """Read entries `start` to `end`, exclusive, back from the published files."""
        found: list[bytes] = []
        for index in range(start // TILE_WIDTH, -(-end // TILE_WIDTH)):
            bundle = bundle_at(index, self.size)
            found += fetch_entries(self._store, bundle)
        offset = start - start // TILE_WIDTH * TILE_WIDTH
        return found[offset : offset + end - start]

    def publish_witnessed(self, note: SignedNote) -> None:
        """Publish a checkpoint of this log that witnesses have cosigned, as the main one if it's still the newest."""
        self.publish()
        self._is_stopped = True
        if note.text == self._note.text:
            self._note = self._note.signed_by(*note.signatures)
            self._publish_note(self._note)
        self._store.publish(WITNESSED_PATH, note.data)
        self._is_stopped = False

    def settle(self) -> None:
        """Make every public file durable, and start the journal afresh.

        Raises:
            UnavailableError: If a write failed. Nothing promised is lost.
        """
        self.publish()
        self._is_stopped = True
        self._store.sync()
        self._store.start_journal(encode_record(self._note))
        self._journal_bytes = 0
        self._settled_size = self.size
        self._base_paths = {place.path for place in self._edge.held_places()}
        self._drop_superseded()
        self._is_stopped = False

    def close(self) -> None:
        """Settle, unless a failed write has stopped the writer, and let another writer in."""
        try:
            if not self._is_stopped and self._settled_size != self.size:
                self.settle()
        finally:
            self._is_stopped = True
            self._store.close()

    def _extend(self, entries: Sequence[bytes]) -> None:
        self._edge.extend(entries)
        self._old_tiles.size = self._edge.size

    def _stage_from(self, old_size: int) -> None:
        """Note down the bundles and tiles that the tree has and hadn't at `old_size`, bundles first."""
        for place, data in (*self._edge.take_completed(), *self._edge.partial_files(old_size)):
            self._unpublished[place.path] = place, data

    def _publish_staged(self) -> None:
        for path, (place, data) in self._unpublished.items():
            self._store.publish(path, data)
            if place == place.full:
                self._superseded += self._partials.pop(path, ())
            else:
                self._partials.setdefault(place.full.path, []).append(path)
        self._unpublished.clear()

    def _drop_superseded(self) -> None:
        """Remove partial files whose full ones are published, but for those that recovery would start from."""
        self._store.remove([path for path in self._superseded if path not in self._base_paths])
        self._superseded = [path for path in self._superseded if path in self._base_paths]

    def _publish_note(self, note: SignedNote) -> None:
        self._store.publish(CHECKPOINT_PATH, note.data)

    def _finish_recovery(self, *, has_batches: bool) -> None:
        """Write everything that the journal says, and make it durable before anybody is told of it."""
        self._is_stopped = True
        if has_batches:
            self._stage_from(self._settled_size)
            self._publish_staged()
            # After a failed fsync the old journal may be readable and yet not on the disk. Its content is made
            # durable under new names before the checkpoint is shown.
            self._store.sync()
        text = Checkpoint(self.origin, self.size, self._edge.root()).text
        if not self._is_ours(self._note):
            # The key was changed since: what the former one signed, and witnesses cosigned, this one signs too.
            self._note = self._note.signed_by(self._signer.sign(text))
        published = _note_of(self._store.read(CHECKPOINT_PATH))
        if published is None or published.text != text or not self._is_ours(published):
            self._publish_note(self._note)
        self._is_stopped = False
        self.settle()

    def _is_ours(self, note: SignedNote) -> bool:
        """Whether the key that is in use now signed a note; not whether the signature is true."""
        return any(self._signer.verifier.made(signature) for signature in note.signatures)

    def _check_root(self, checkpoint: Checkpoint) -> None:
        if self._edge.root() != checkpoint.root:
            raise CorruptionError(f"the entries up to size {checkpoint.size} don't give the root that was signed")

    def _check_running(self) -> None:
        if self._is_stopped:
            raise UnavailableError("the log's writer has stopped after a failed write; it has to be opened again")

    def _read_node(self, node: Node) -> Hash:
        held = self._edge.node(node)
        return self._old_tiles(node) if held is None else held

    def _read_tile(self, tile: Tile) -> bytes:
        staged = self._unpublished.get(tile.path)
        return fetch_tile(self._store, tile) if staged is None else staged[1]


def _load_edge(store: Store, checkpoint: Checkpoint) -> Edge:
    """Read the right edge of a published tree back, and hold it against the signed root."""
    try:
        edge = Edge.load(checkpoint.size, lambda tile: fetch_tile(store, tile), lambda b: fetch_entries(store, b))
    except InputError as error:
        raise CorruptionError(f"the log's right edge is damaged: {error}") from error
    if edge.root() != checkpoint.root:
        raise CorruptionError(f"the tiles of the tree of size {checkpoint.size} don't give the root that was signed")
    return edge


def _check_published(store: Store, keys: tuple[VerifierKey, ...], promised: Sequence[Checkpoint]) -> None:
    """Refuse a journal that has lost, or contradicts, what the world has already been shown."""
    data = store.read(CHECKPOINT_PATH)
    # A power failure may leave the file missing, empty or zeroed; the journal has what it said.
    if data is None or not any(data):
        return
    published = _open(data, keys, "published")
    if published.size > promised[-1].size:
        raise CorruptionError(
            f"the journal ends at size {promised[-1].size}, but size {published.size} was published: it was rolled back"
        )
    if (published.size, published.root) not in {(checkpoint.size, checkpoint.root) for checkpoint in promised}:
        raise CorruptionError(f"the published checkpoint of size {published.size} is not one that the journal promised")


def _partials_before(place: Tile | Bundle) -> list[str]:
    """Return the paths of a partial tile or bundle and of all narrower forms of it, each of which may exist."""
    return [replace(place, width=width).path for width in range(1, place.width + 1)]


def _open(data: bytes, keys: tuple[VerifierKey, ...], which: str) -> Checkpoint:
    try:
        return open_checkpoint(data, keys).checkpoint
    except InputError as error:
        raise CorruptionError(f"the {which} checkpoint is not one that this log signed: {error}") from error


def _note_of(data: bytes | None) -> SignedNote | None:
    try:
        return None if data is None else SignedNote.parse(data)
    except InputError:
        return None
