"""Where the hashes and entries of a log lie as static files: paths and contents of tiles and bundles.

Implements c2sp.org/tlog-tiles. A tile holds 256 consecutive hashes of one level, and stands for a subtree of height 8:

    <prefix>/tile/<L>/<N>[.p/<W>]            hashes: 32 bytes each, 256 of them, or W in a partial tile
    <prefix>/tile/entries/<N>[.p/<W>]        entries: big-endian uint16 length and bytes, one per hash of tile/0/<N>

    "<N> [...] MUST be a non-negative integer encoded into zero-padded 3-digit path elements. All but the last path
    element MUST begin with an x. For example, index 1234067 will be encoded as x001/x234/067."

    "The partial tile at level l for a tree of size s has floor(s / 256**l) mod 256 entries. Empty tiles MUST NOT be
    served."

Pure: paths and bytes in, values out. Full tiles never change, and a partial tile's path names its width, so every path
has one content for the life of the log.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from recognizance.errors import InputError
from recognizance.ledger.merkle import HASH_SIZE_BYTES, MAX_TREE_SIZE, Hash, Node, node_hash

TILE_HEIGHT = 8
TILE_WIDTH = 256
MAX_LEVEL = 63
"""tlog-tiles: <L> "MUST be a decimal ASCII integer between 0 and 63"."""

MAX_ENTRY_BYTES = 0xFFFF
"""The length prefix is a uint16."""

MAX_BUNDLE_BYTES = TILE_WIDTH * (2 + MAX_ENTRY_BYTES)
CHECKPOINT_PATH = "checkpoint"
WITNESSED_PATH = "checkpoint.witnessed"
"""Our own addition to the C2SP paths: the newest checkpoint that witnesses have cosigned."""


@dataclass(frozen=True, slots=True)
class Tile:
    """The place of up to 256 consecutive hashes of one level.

    Attributes:
        level: 0 holds leaf hashes; each hash of level L + 1 is the root of a full tile of level L.
        width: 256, or 1 to 255 in a partial tile.
    """

    level: int
    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        if not 0 <= self.level <= MAX_LEVEL:
            raise InputError(f"tile level {self.level} is not between 0 and {MAX_LEVEL}")
        _check_place(self.index, self.width)

    @property
    def path(self) -> str:
        """Where the tile lies below the log's prefix.

        >>> Tile(level=2, index=1234067, width=17).path
        'tile/2/x001/x234/067.p/17'
        """
        return f"tile/{self.level}/{_spell(self.index, self.width)}"

    @property
    def full(self) -> "Tile":
        """The full tile that holds, or will hold, this one's hashes."""
        return Tile(self.level, self.index)

    @classmethod
    def parse(cls, path: str) -> Self:
        """Read a tile path that is spelled exactly as `path` spells it.

        Raises:
            InputError: If it isn't one.
        """
        try:
            tree, level, place = path.split("/", 2)
            index, width = _unspell(place)
            tile = cls(level=int(level), index=index, width=width)
        except ValueError as error:
            raise InputError(f"malformed tile path {path!r}") from error
        # A tile has one spelling. Writing it out again catches every other one that int() and split() let through:
        # signs, spaces, leading zeros, other scripts' digits, another first folder.
        if tree != "tile" or tile.path != path:
            raise InputError(f"tile path {path!r} isn't canonical")
        return tile


@dataclass(frozen=True, slots=True)
class Bundle:
    """The place of the entries whose hashes are in the tile of level 0 with the same index and width."""

    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        _check_place(self.index, self.width)

    @property
    def path(self) -> str:
        """Where the bundle lies below the log's prefix.

        >>> Bundle(index=273, width=112).path
        'tile/entries/273.p/112'
        """
        return f"tile/entries/{_spell(self.index, self.width)}"

    @property
    def full(self) -> "Bundle":
        """The full bundle that holds, or will hold, this one's entries."""
        return Bundle(self.index)

    @property
    def start(self) -> int:
        """The index of the bundle's first entry."""
        return self.index * TILE_WIDTH

    @classmethod
    def parse(cls, path: str) -> Self:
        """Read a bundle's path that is spelled exactly as `path` spells it.

        Raises:
            InputError: If it isn't one.
        """
        try:
            tree, kind, place = path.split("/", 2)
            index, width = _unspell(place)
            bundle = cls(index=index, width=width)
        except ValueError as error:
            raise InputError(f"malformed entry bundle path {path!r}") from error
        if (tree, kind) != ("tile", "entries") or bundle.path != path:
            raise InputError(f"entry bundle path {path!r} isn't canonical")
        return bundle


def tile_at(level: int, index: int, size: int) -> Tile:
    """Return the tile with this level and index as it stands in a tree of `size` leaves.

    Raises:
        ValueError: If that tree has no hash there.
    """
    hashes = size >> (TILE_HEIGHT * level)
    width = min(TILE_WIDTH, hashes - index * TILE_WIDTH)
    if index < 0 or width < 1:
        raise ValueError(f"a tree of {size} leaves has no tile {index} on level {level}")
    return Tile(level, index, width)


def bundle_at(index: int, size: int) -> Bundle:
    """Return the bundle with this index as it stands in a tree of `size` leaves."""
    tile = tile_at(0, index, size)
    return Bundle(tile.index, tile.width)


def tiles_of(size: int) -> Iterator[Tile]:
    """Yield every tile of a tree of `size` leaves, level by level from the leaves, left to right.

    >>> [tile.path for tile in tiles_of(257)]
    ['tile/0/000', 'tile/0/001.p/1', 'tile/1/000.p/1']
    """
    level, hashes = 0, size
    while hashes:
        for index in range(-(-hashes // TILE_WIDTH)):
            yield tile_at(level, index, size)
        level += 1
        hashes >>= TILE_HEIGHT


def bundles_of(size: int) -> Iterator[Bundle]:
    """Yield every entry bundle of a tree of `size` leaves, left to right."""
    for index in range(-(-size // TILE_WIDTH)):
        yield bundle_at(index, size)


def join_hashes(hashes: Sequence[Hash]) -> bytes:
    """Return the content of a tile."""
    return b"".join(hashes)


def split_hashes(tile: Tile, data: bytes) -> tuple[Hash, ...]:
    """Return the hashes in the content of `tile`.

    Raises:
        InputError: If the content isn't exactly as wide as the tile.
    """
    if len(data) != tile.width * HASH_SIZE_BYTES:
        raise InputError(f"{tile.path} has {len(data)} bytes; {tile.width} hashes have {tile.width * HASH_SIZE_BYTES}")
    return tuple(data[start : start + HASH_SIZE_BYTES] for start in range(0, len(data), HASH_SIZE_BYTES))


def join_entries(entries: Sequence[bytes]) -> bytes:
    """Return the content of an entry bundle.

    Raises:
        InputError: If an entry is longer than its length prefix can say.
    """
    parts: list[bytes] = []
    for entry in entries:
        check_entry_size(entry)
        parts += (len(entry).to_bytes(2, "big"), entry)
    return b"".join(parts)


def split_entries(bundle: Bundle, data: bytes) -> tuple[bytes, ...]:
    """Return the entries in the content of `bundle`.

    Raises:
        InputError: If there are fewer or more of them than the bundle is wide. Names the first entry that is affected.
    """
    entries: list[bytes] = []
    start = 0
    for place in range(bundle.width):
        end = start + 2 + int.from_bytes(data[start : start + 2], "big")
        if start + 2 > len(data) or end > len(data):
            raise InputError(f"{bundle.path} ends within entry {bundle.start + place}")
        entries.append(data[start + 2 : end])
        start = end
    if start != len(data):
        raise InputError(f"{bundle.path} has {len(data) - start} bytes after entry {bundle.start + bundle.width - 1}")
    return tuple(entries)


def scan_entries(data: bytes) -> tuple[tuple[bytes, ...], int]:
    """Return the entries at the start of what should be a bundle, one more than it may have at most, and what is left.

    For describing a damaged bundle: it never fails. The second value counts the bytes that belong to none of them.
    """
    entries: list[bytes] = []
    start = 0
    while len(entries) <= TILE_WIDTH and start + 2 <= len(data):
        end = start + 2 + int.from_bytes(data[start : start + 2], "big")
        if end > len(data):
            break
        entries.append(data[start + 2 : end])
        start = end
    return tuple(entries), len(data) - start


def check_entry_size(entry: bytes) -> None:
    """Refuse an entry that no bundle can hold.

    Raises:
        InputError: If it is too long.
    """
    if len(entry) > MAX_ENTRY_BYTES:
        raise InputError(f"the entry has {len(entry)} bytes; the limit is {MAX_ENTRY_BYTES}")


class Pyramid:
    """All complete subtrees within one tile, filled from the left.

    The tile's hashes are height 0; a full tile has one hash of height 8, which stands in the tile above it. Keeping the
    inner heights makes each hash of a proof one look-up, and each appended leaf two hash computations on average.
    """

    __slots__ = ("_heights",)

    def __init__(self, hashes: Sequence[Hash] = ()) -> None:
        self._heights = [list(hashes)]
        for _ in range(TILE_HEIGHT):
            below = self._heights[-1]
            self._heights.append([node_hash(left, right) for left, right in zip(below[::2], below[1::2], strict=False)])

    @property
    def hashes(self) -> Sequence[Hash]:
        """The tile's own hashes."""
        return self._heights[0]

    @property
    def is_full(self) -> bool:
        """Whether the tile has its 256 hashes."""
        return bool(self._heights[TILE_HEIGHT])

    @property
    def root(self) -> Hash:
        """The hash over the whole of a full tile."""
        return self._heights[TILE_HEIGHT][0]

    def append(self, digest: Hash) -> None:
        """Add the next hash on the right of a tile that isn't full."""
        if self.is_full:
            raise ValueError("the tile is full")
        for height in self._heights:
            height.append(digest)
            if len(height) % 2:
                return
            digest = node_hash(height[-2], height[-1])

    def node(self, height: int, offset: int) -> Hash:
        """Return the complete subtree of this height that stands at `offset` among those of its height."""
        return self._heights[height][offset]

    def ragged_roots(self) -> Iterator[Hash]:
        """Yield the subtrees that no larger one within the tile covers, from right to left."""
        for height in self._heights[:TILE_HEIGHT]:
            if len(height) % 2:
                yield height[-1]


class TileReader:
    """Reads the hashes of a tree of one size out of its tiles: a `HashReader`.

    Args:
        fetch: Gives the content of a tile, as wide as asked. It may raise what it likes.
    """

    def __init__(self, size: int, fetch: Callable[[Tile], bytes], *, cached_tiles: int = 64) -> None:
        self.size = size
        self._fetch = fetch
        self._pyramid = lru_cache(maxsize=cached_tiles)(self._load)

    def __call__(self, node: Node) -> Hash:
        tile, height, offset = place_of(node, self.size)
        return self._pyramid(tile).node(height, offset)

    def _load(self, tile: Tile) -> Pyramid:
        return Pyramid(split_hashes(tile, self._fetch(tile)))


def place_of(node: Node, size: int) -> tuple[Tile, int, int]:
    """Return the tile that holds `node` in a tree of `size`, and the node's height and offset within it.

    Raises:
        ValueError: If the node isn't a complete subtree of that tree.
    """
    if (node.position + 1) << node.level > size:
        raise ValueError(f"a tree of {size} leaves has no complete subtree {node}")
    level, height = divmod(node.level, TILE_HEIGHT)
    nodes_per_tile = 1 << (TILE_HEIGHT - height)
    index, offset = divmod(node.position, nodes_per_tile)
    return tile_at(level, index, size), height, offset


def _check_place(index: int, width: int) -> None:
    if not 0 <= index <= MAX_TREE_SIZE // TILE_WIDTH:
        raise InputError(f"tile index {index} is not between 0 and {MAX_TREE_SIZE // TILE_WIDTH}")
    if not 1 <= width <= TILE_WIDTH:
        raise InputError(f"tile width {width} is not between 1 and {TILE_WIDTH}")


def _spell(index: int, width: int) -> str:
    """Write `<N>[.p/<W>]`."""
    place = f"{index % 1000:03}"
    while index := index // 1000:
        place = f"x{index % 1000:03}/{place}"
    return place if width == TILE_WIDTH else f"{place}.p/{width}"


def _unspell(place: str) -> tuple[int, int]:
    """Read `<N>[.p/<W>]`, and more than that: the caller proves the spelling canonical."""
    groups, _, width = place.partition(".p/")
    # Bounded before int() sees it: the largest index has seven groups.
    if len(groups) > 7 * len("x000/") or len(width) > 3:
        raise ValueError("too long")
    return int("".join(group.removeprefix("x") for group in groups.split("/"))), int(width or TILE_WIDTH)
