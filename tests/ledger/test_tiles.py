"""Where hashes and entries lie, and that every path and content has one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizance.errors import InputError
from recognizance.ledger.edge import Edge
from recognizance.ledger.merkle import Node, leaf_hash, node_hash, tree_root
from recognizance.ledger.tiles import (
    MAX_ENTRY_BYTES,
    Bundle,
    Pyramid,
    Tile,
    TileReader,
    bundle_at,
    bundles_of,
    join_entries,
    join_hashes,
    scan_entries,
    split_entries,
    split_hashes,
    tile_at,
    tiles_of,
)

tiles = st.builds(Tile, level=st.integers(0, 63), index=st.integers(0, 2**54), width=st.integers(1, 256))
bundles = st.builds(Bundle, index=st.integers(0, 2**54), width=st.integers(1, 256))
near_paths = st.from_regex(r"tile/(entries|[0-9+ ]{1,3})/(x?[0-9_ ]{1,4}/?){1,3}(\.p/[0-9 ]{0,3})?", fullmatch=True)


@given(tiles)
def test_a_tile_path_reads_back(tile: Tile) -> None:
    """What is written is read as the same tile."""
    assert Tile.parse(tile.path) == tile


@given(bundles)
def test_a_bundle_path_reads_back(bundle: Bundle) -> None:
    """What is written is read as the same bundle."""
    assert Bundle.parse(bundle.path) == bundle


@given(st.one_of(st.text(), near_paths))
def test_any_text_is_one_tile_or_bundle_or_refused(text: str) -> None:
    """No text fails in another way, and none is a second spelling."""
    for kind in (Tile, Bundle):
        try:
            place = kind.parse(text)
        except InputError:
            continue
        assert place.path == text


@pytest.mark.parametrize(
    ("index", "path"),
    [(0, "000"), (999, "999"), (1000, "x001/000"), (1234067, "x001/x234/067"), (10**9, "x001/x000/x000/000")],
)
def test_indexes_are_spelled_in_groups_of_three(index: int, path: str) -> None:
    """The specification's own example is 1234067."""
    assert Tile(0, index).path == f"tile/0/{path}"


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0",
        "tile/0/0000",
        "tile/00/000",
        "tile/+1/000",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/0/x001/x000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/64/000",
        "tile/8/0/000",
        "tile/0/٠٠٠",
        "tiles/0/000",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/../000",
        "tile/0/" + "x000/" * 8 + "000",
    ],
)
def test_other_spellings_are_refused(path: str) -> None:
    """Each one is close to a path, and none is one."""
    with pytest.raises(InputError):
        Tile.parse(path)


def test_a_tree_of_70000_has_the_tiles_of_the_specification() -> None:
    """273 full tiles on level 0 and one of 112; one full and one of 17 on level 1; one of 1 on level 2."""
    found = list(tiles_of(70_000))

    full = [tile for tile in found if tile.width == 256]
    assert [sum(tile.level == level for tile in full) for level in range(3)] == [273, 1, 0]
    assert [tile.path for tile in found if tile.width < 256] == [
        "tile/0/273.p/112",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    ]
    assert list(bundles_of(70_000))[-1].path == "tile/entries/273.p/112"


def test_a_full_tile_stands_in_the_one_above() -> None:
    """A tree of 256 is one full tile and one of width 1; an empty tile is never served."""
    assert [tile.path for tile in tiles_of(256)] == ["tile/0/000", "tile/1/000.p/1"]
    assert list(tiles_of(0)) == []
    assert list(bundles_of(0)) == []


@given(tiles.filter(lambda tile: tile.width < 9), st.data())
def test_tile_contents_read_back(tile: Tile, data: st.DataObject) -> None:
    """Exactly as many hashes as the tile is wide, or the content is refused."""
    hashes = tuple(data.draw(st.binary(min_size=32, max_size=32)) for _ in range(tile.width))

    assert split_hashes(tile, join_hashes(hashes)) == hashes
    with pytest.raises(InputError):
        split_hashes(tile, join_hashes(hashes) + b"x")


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=20))
def test_bundle_contents_read_back(entries: list[bytes]) -> None:
    """Exactly as many entries as the bundle is wide, or the content is refused and the entry named."""
    bundle, data = Bundle(3, len(entries)), join_entries(entries)

    assert split_entries(bundle, data) == tuple(entries)
    assert scan_entries(data) == (tuple(entries), 0)
    with pytest.raises(InputError, match=f"after entry {768 + len(entries) - 1}"):
        split_entries(bundle, data + b"x")
    with pytest.raises(InputError, match=f"within entry {768 + len(entries) - 1}"):
        split_entries(bundle, data[:-1])


@given(st.integers(1, 256), st.binary(max_size=2000))
def test_any_bytes_are_a_bundle_or_refused(width: int, data: bytes) -> None:
    """No bytes fail in another way, and those that are read are written back the same."""
    try:
        entries = split_entries(Bundle(0, width), data)
    except InputError:
        scanned, rest_bytes = scan_entries(data)
        assert join_entries(scanned) == data[: len(data) - rest_bytes]
        return
    assert join_entries(entries) == data


def test_an_entry_of_the_limit_fits_and_one_byte_more_does_not() -> None:
    """65,535 bytes is what the prefix can say."""
    assert split_entries(Bundle(0, 1), join_entries([bytes(MAX_ENTRY_BYTES)])) == (bytes(MAX_ENTRY_BYTES),)
    with pytest.raises(InputError, match="65536 bytes; the limit is 65535"):
        join_entries([bytes(MAX_ENTRY_BYTES + 1)])


def test_a_pyramid_holds_every_subtree_of_its_tile() -> None:
    """Each hash of each height is the node over the two below it, and a full tile takes no more."""
    pyramid = Pyramid([leaf_hash(bytes([number])) for number in range(256)])

    for height in range(1, 9):
        for offset in range(256 >> height):
            below = pyramid.node(height - 1, 2 * offset), pyramid.node(height - 1, 2 * offset + 1)
            assert pyramid.node(height, offset) == node_hash(*below)
    assert pyramid.is_full
    with pytest.raises(ValueError, match="full"):
        pyramid.append(bytes(32))


@pytest.mark.parametrize("size", [1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 66_000])
def test_the_edge_and_the_tiles_give_the_same_tree(size: int) -> None:
    """A root read through tiles is the one that the growing edge has, and a reloaded edge is the same edge."""
    files: dict[str, bytes] = {}
    entries = [number.to_bytes(3, "big") for number in range(size)]
    edge = Edge()
    edge.extend(entries)
    files.update({place.path: data for place, data in edge.take_completed()})
    files.update({place.path: data for place, data in edge.partial_files(0)})

    expected = {tile.path for tile in tiles_of(size)} | {bundle.path for bundle in bundles_of(size)}
    assert files.keys() == expected
    assert tree_root(size, TileReader(size, lambda tile: files[tile.path])) == edge.root()
    again = Edge.load(size, lambda tile: files[tile.path], lambda b: split_entries(b, files[b.path]))
    for grown in (edge, again):
        grown.extend([b"more"] * 300)
    assert again.root() == edge.root()
    assert again.take_completed() == edge.take_completed()


def test_an_edge_whose_entries_are_not_those_of_its_tile_is_refused() -> None:
    """Going on from there would sign entries that nobody appended."""
    edge = Edge()
    edge.extend([b"a", b"b"])
    files = {place.path: data for place, data in edge.partial_files(0)}

    with pytest.raises(InputError, match="aren't those of the tile"):
        Edge.load(2, lambda tile: files[tile.path], lambda _: (b"a", b"c"))


def test_places_beyond_the_tree_are_a_mistake() -> None:
    """It is the program that errs."""
    with pytest.raises(ValueError, match="no tile"):
        tile_at(0, 1, 256)
    with pytest.raises(ValueError, match="no tile"):
        bundle_at(-1, 256)
    with pytest.raises(ValueError, match="no complete subtree"):
        TileReader(3, lambda _: b"")(Node(1, 1))
