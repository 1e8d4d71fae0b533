"""Which content of each tile to believe, given a signed root and files that may have been changed.

From the root downwards: it vouches for the partial tiles at the tree's right edge together; each full tile stands in
the tile above it by its root. A tile that its parent doesn't vouch for is rebuilt from what lies below it, and
believed if the parent vouches for that. Either way the damaged file is known by name.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

from recognizance.errors import CorruptionError, InputError
from recognizance.ledger.checkpoints import Checkpoint
from recognizance.ledger.findings import Finding, Trouble
from recognizance.ledger.merkle import EMPTY_ROOT, Hash, node_hash
from recognizance.ledger.sources import Source, fetch_tile
from recognizance.ledger.tiles import CHECKPOINT_PATH, TILE_HEIGHT, TILE_WIDTH, Pyramid, Tile, split_hashes, tile_at

Hashes: TypeAlias = tuple[Hash, ...]


class TrustedTiles:
    """The tiles of one signed tree.

    Args:
        leaves: Gives the leaf hashes of the entries in a bundle, however many there are; `None` if it can't be read.
        find: Told of each damaged file, once.
    """

    def __init__(
        self,
        source: Source,
        checkpoint: Checkpoint,
        leaves: Callable[[int], Hashes | None],
        find: Callable[[Finding], None],
    ) -> None:
        self._source = source
        self._size = checkpoint.size
        self._leaves = leaves
        self._find = find
        self._why: dict[Tile, Finding] = {}
        self.checked = 0
        # Below each tile of a level lie 256 of the next, asked for one after the other.
        self.hashes = lru_cache(maxsize=64)(self._trust)
        self._edge = self._trust_edge(checkpoint.root)

    def _trust(self, level: int, index: int) -> Hashes | None:
        """Return the hashes of a tile that the root vouches for, or `None` if no content can be found that it does."""
        tile = tile_at(level, index, self._size)
        if tile.width < TILE_WIDTH:
            return self._edge[level]
        self.checked += 1
        stored = self._stored(tile)
        parent = self.hashes(level + 1, index // TILE_WIDTH)
        if parent is None:
            # Found already, further up. The entries can at least be held against the tile beside them.
            return stored
        expected = parent[index % TILE_WIDTH]
        if stored is not None and Pyramid(stored).root == expected:
            return stored
        rebuilt = self._rebuild(tile)
        if rebuilt is not None and Pyramid(rebuilt).root == expected:
            self._blame(tile, stored, rebuilt)
            return rebuilt
        text = "neither it nor what lies below it is what the tile above it says"
        self._find(self._why.get(tile) or Finding(Trouble.DAMAGED, tile.path, text))
        return None

    def _trust_edge(self, root: Hash) -> list[Hashes | None]:
        """Find contents for the partial tiles, one for each level, that give the signed root."""
        tiles = list(self._edge_tiles())
        self.checked += sum(tile is not None for tile in tiles)
        stored: list[Hashes | None] = [() if tile is None else self._stored(tile) for tile in tiles]
        missing = {level for level, hashes in enumerate(stored) if hashes is None}
        for repaired in _repairs(missing, len(tiles)):
            edge = [
                self._rebuild(tile) if level in repaired and tile is not None else stored[level]
                for level, tile in enumerate(tiles)
            ]
            if _edge_root(edge) == root:
                for tile, was, now in zip(tiles, stored, edge, strict=True):
                    if tile is not None and now is not None and was != now:
                        self._blame(tile, was, now)
                return edge
        for tile in tiles:
            if tile in self._why:
                self._find(self._why[tile])
        text = f"the tiles and entries don't give the root that it has for {self._size} entries"
        self._find(Finding(Trouble.CHECKPOINT, CHECKPOINT_PATH, text))
        return stored

    def _edge_tiles(self) -> Iterator[Tile | None]:
        level = 0
        while hashes := self._size >> (TILE_HEIGHT * level):
            yield tile_at(level, hashes // TILE_WIDTH, self._size) if hashes % TILE_WIDTH else None
            level += 1

    def _stored(self, tile: Tile) -> Hashes | None:
        try:
            return split_hashes(tile, fetch_tile(self._source, tile))
        except CorruptionError:
            self._why[tile] = Finding(Trouble.MISSING, tile.path, "the tile is not there")
        except InputError as error:
            self._why[tile] = Finding(Trouble.DAMAGED, tile.path, str(error))
        return None

    def _rebuild(self, tile: Tile) -> Hashes | None:
        """Return what a tile should hold, going by what lies below it."""
        if tile.level == 0:
            leaves = self._leaves(tile.index)
            return leaves if leaves is not None and len(leaves) == tile.width else None
        roots: list[Hash] = []
        for index in range(tile.index * TILE_WIDTH, tile.index * TILE_WIDTH + tile.width):
            child = Tile(tile.level - 1, index)
            hashes = self._stored(child) or self._rebuild(child)
            if hashes is None:
                return None
            roots.append(Pyramid(hashes).root)
        return tuple(roots)

    def _blame(self, tile: Tile, stored: Hashes | None, true: Hashes) -> None:
        if stored is None:
            self._find(self._why[tile])
            return
        place = next(k for k, (a, b) in enumerate(zip(stored, true, strict=True)) if a != b)
        first = (tile.index * TILE_WIDTH + place) << (TILE_HEIGHT * tile.level)
        text = f"hash {place} is not that of the entries below it, which start at entry {first}"
        self._find(Finding(Trouble.DAMAGED, tile.path, text, first))


def _repairs(missing: set[int], levels: int) -> Iterator[set[int]]:
    """Yield which levels to rebuild, the fewest first: one file is damaged more often than two."""
    yield missing
    for level in range(levels):
        if level not in missing:
            yield missing | {level}
    yield set(range(levels))


def _edge_root(edge: Sequence[Hashes | None]) -> Hash | None:
    """Return the root that the partial tiles of all levels give together."""
    root: Hash | None = None
    for hashes in edge:
        if hashes is None:
            return None
        for subtree in Pyramid(hashes).ragged_roots():
            root = subtree if root is None else node_hash(subtree, root)
    return EMPTY_ROOT if root is None else root
