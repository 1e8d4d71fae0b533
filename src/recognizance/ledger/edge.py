"""The right edge of a growing tree: all that a writer needs in memory to go on.

For each level it holds the one tile that isn't full yet, and for level 0 the entries of the bundle beside it: some
kilobytes, whatever the size of the log. Pure; `load` reads through the functions that it is given.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Self, TypeAlias

from recognizance.errors import InputError
from recognizance.ledger.merkle import EMPTY_ROOT, Hash, Node, leaf_hash, node_hash
from recognizance.ledger.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    Bundle,
    Pyramid,
    Tile,
    bundle_at,
    join_entries,
    join_hashes,
    split_hashes,
    tile_at,
)

PublicFile: TypeAlias = tuple[Tile | Bundle, bytes]
"""A tile's or bundle's place and its content."""


class Edge:
    """A tree of `size` leaves, of which only the tiles that can still grow are held."""

    def __init__(self) -> None:
        self.size = 0
        self._tiles = [Pyramid()]
        self._entries: list[bytes] = []
        self._completed: list[PublicFile] = []

    @classmethod
    def load(
        cls, size: int, read_tile: Callable[[Tile], bytes], read_bundle: Callable[[Bundle], Sequence[bytes]]
    ) -> Self:
        """Read the edge of a tree of `size` back.

        Raises:
            InputError: If the contents aren't as wide as asked, or the last bundle's entries aren't those of its tile.
        """
        edge = cls()
        edge.size = size
        edge._tiles = []
        hashes = size
        while hashes or not edge._tiles:
            level, width = len(edge._tiles), hashes % TILE_WIDTH
            tile = tile_at(level, hashes // TILE_WIDTH, size) if width else None
            edge._tiles.append(Pyramid(split_hashes(tile, read_tile(tile)) if tile else ()))
            hashes >>= TILE_HEIGHT
        if size % TILE_WIDTH:
            bundle = bundle_at(size // TILE_WIDTH, size)
            edge._entries = list(read_bundle(bundle))
            if [leaf_hash(entry) for entry in edge._entries] != list(edge._tiles[0].hashes):
                raise InputError(f"the entries in {bundle.path} aren't those of the tile beside it")
        return edge

    def extend(self, entries: Iterable[bytes]) -> None:
        """Add entries on the right."""
        for entry in entries:
            self._entries.append(entry)
            if len(self._entries) == TILE_WIDTH:
                self._completed.append((Bundle(self.size // TILE_WIDTH), join_entries(self._entries)))
                self._entries.clear()
            self.size += 1
            self._push(leaf_hash(entry))

    def root(self) -> Hash:
        """Return the root of the tree."""
        root: Hash | None = None
        for tile in self._tiles:
            for subtree in tile.ragged_roots():
                root = subtree if root is None else node_hash(subtree, root)
        return EMPTY_ROOT if root is None else root

    def node(self, node: Node) -> Hash | None:
        """Return a complete subtree that lies in one of the held tiles, or `None` if it lies in a full one."""
        level, height = divmod(node.level, TILE_HEIGHT)
        first_held = (self.size >> (TILE_HEIGHT * (level + 1))) << (TILE_HEIGHT - height)
        if node.position < first_held:
            return None
        return self._tiles[level].node(height, node.position - first_held)

    def take_completed(self) -> list[PublicFile]:
        """Return the bundles and tiles that became full since the last call, each bundle before its tile."""
        completed, self._completed = self._completed, []
        return completed

    def partial_files(self, old_size: int) -> Iterator[PublicFile]:
        """Yield the bundle and tiles at the edge that a tree of `old_size` didn't have in this width."""
        if self._entries and self.size != old_size:
            yield bundle_at(self.size // TILE_WIDTH, self.size), join_entries(self._entries)
        for level, held in enumerate(self._tiles):
            if held.hashes and self.size >> (TILE_HEIGHT * level) != old_size >> (TILE_HEIGHT * level):
                index = self.size >> (TILE_HEIGHT * (level + 1))
                yield Tile(level, index, len(held.hashes)), join_hashes(held.hashes)

    def held_places(self) -> Iterator[Tile | Bundle]:
        """Yield the partial bundle and tiles that the tree has now."""
        for place, _ in self.partial_files(0):
            yield place

    def _push(self, digest: Hash) -> None:
        """Add a leaf's hash, and the root of every tile that it completes to the tile above."""
        for level in range(len(self._tiles) + 1):
            if level == len(self._tiles):
                self._tiles.append(Pyramid())
            tile = self._tiles[level]
            tile.append(digest)
            if not tile.is_full:
                return
            index = (self.size >> (TILE_HEIGHT * (level + 1))) - 1
            self._completed.append((Tile(level, index), join_hashes(tile.hashes)))
            digest = tile.root
            self._tiles[level] = Pyramid()
