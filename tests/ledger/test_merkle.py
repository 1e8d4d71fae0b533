"""Roots and proofs, against RFC 6962's vectors and against its definition written out naively."""

from collections.abc import Callable, Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizance.ledger.merkle import (
    EMPTY_ROOT,
    Hash,
    Node,
    ProofError,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of_inclusion,
    tree_root,
    verify_consistency,
    verify_inclusion,
)

# The inputs of the reference implementation of Certificate Transparency, whose roots are published with it.
VECTOR_LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
VECTOR_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive_root(leaves: Sequence[bytes]) -> Hash:
    """MTH of RFC 6962, section 2.1, word for word."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(m: int, leaves: Sequence[bytes]) -> list[Hash]:
    """PATH of RFC 6962, section 2.1.1, word for word."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_subproof(m: int, leaves: Sequence[bytes], *, is_whole: bool) -> list[Hash]:
    """SUBPROOF of RFC 6962, section 2.1.2, word for word."""
    if m == len(leaves):
        return [] if is_whole else [naive_root(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*naive_subproof(m, leaves[:k], is_whole=is_whole), naive_root(leaves[k:])]
    return [*naive_subproof(m - k, leaves[k:], is_whole=False), naive_root(leaves[:k])]


def reader(leaves: Sequence[bytes]) -> Callable[[Node], Hash]:
    return lambda node: naive_root(leaves[node.position << node.level : (node.position + 1) << node.level])


def some_leaves(size: int) -> list[bytes]:
    return [b"leaf %d" % number for number in range(size)]


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_reference_implementation(size: int) -> None:
    """The published roots over the first 1 to 8 vectors."""
    assert tree_root(size, reader(VECTOR_LEAVES)).hex() == VECTOR_ROOTS[size - 1]


def test_the_empty_tree_has_the_hash_of_nothing_as_root() -> None:
    """`MTH({}) = HASH()`."""
    assert tree_root(0, reader([])) == EMPTY_ROOT == sha256(b"").digest()


@pytest.mark.parametrize("size", range(1, 35))
def test_proofs_are_those_of_the_definition_and_verify(size: int) -> None:
    """Every leaf of every tree up to 34, and every older size, against the definition written out."""
    leaves = some_leaves(size)
    read, root = reader(leaves), naive_root(leaves)
    for index in range(size):
        path = inclusion_proof(index, size, read)
        assert list(path) == naive_path(index, leaves)
        verify_inclusion(leaf_hash(leaves[index]), index, size, root, path)
    for old_size in range(1, size + 1):
        proof = consistency_proof(old_size, size, read)
        assert list(proof) == naive_subproof(old_size, leaves, is_whole=True)
        verify_consistency(old_size, naive_root(leaves[:old_size]), size, root, proof)


@given(st.data())
def test_an_inclusion_proof_proves_one_leaf_at_one_place(data: st.DataObject) -> None:
    """Another leaf, place, size or hash than the true one is refused, and so is a longer or shorter proof."""
    size = data.draw(st.integers(2, 40))
    index = data.draw(st.integers(0, size - 1))
    leaves = some_leaves(size)
    root, path = naive_root(leaves), inclusion_proof(index, size, reader(leaves))
    other_index = data.draw(st.integers(0, 45).filter(lambda i: i != index))
    flipped = data.draw(st.integers(0, len(path) - 1))
    forged = [*path[:flipped], bytes(byte ^ 1 for byte in path[flipped]), *path[flipped + 1 :]]
    leaf = leaf_hash(leaves[index])

    for bad_leaf, bad_index, bad_path in [
        (leaf_hash(b"another"), index, path),
        (leaf, other_index, path),
        (leaf, index, forged),
        (leaf, index, path[:-1]),
        (leaf, index, [*path, root]),
    ]:
        with pytest.raises(ProofError):
            verify_inclusion(bad_leaf, bad_index, size, root, bad_path)


@given(st.data())
def test_a_consistency_proof_proves_one_history(data: st.DataObject) -> None:
    """Another old tree, new tree or hash is refused."""
    size = data.draw(st.integers(2, 40))
    old_size = data.draw(st.integers(1, size - 1))
    leaves = some_leaves(size)
    proof = consistency_proof(old_size, size, reader(leaves))
    old_root, root = naive_root(leaves[:old_size]), naive_root(leaves)
    edited = naive_root([b"edited", *leaves[1:old_size]])

    for bad_old_root, bad_root, bad_proof in [
        (edited, root, proof),
        (old_root, edited, proof),
        (old_root, root, proof[:-1]),
        (old_root, root, (*proof, root)),
        (old_root, root, (node_hash(root, root), *proof[1:])),
    ]:
        with pytest.raises(ProofError):
            verify_consistency(old_size, bad_old_root, size, bad_root, bad_proof)


def test_every_tree_continues_the_empty_one_and_itself() -> None:
    """Both take an empty proof and nothing else, and the roots have to be right."""
    leaves = some_leaves(5)
    root = naive_root(leaves)

    verify_consistency(0, EMPTY_ROOT, 5, root, ())
    verify_consistency(5, root, 5, root, ())
    for old_size, old_root, size, new_root, proof in [
        (0, root, 5, root, ()),
        (0, EMPTY_ROOT, 5, root, (root,)),
        (0, EMPTY_ROOT, 0, root, ()),
        (5, EMPTY_ROOT, 5, root, ()),
        (5, root, 5, root, (root,)),
        (6, root, 5, root, ()),
    ]:
        with pytest.raises(ProofError):
            verify_consistency(old_size, old_root, size, new_root, proof)


def test_a_hash_of_another_length_is_no_hash() -> None:
    """A node over 31 and 33 bytes would hash like a node over 32 and 32."""
    with pytest.raises(ProofError, match="33 bytes"):
        root_of_inclusion(leaf_hash(b"a"), 0, 2, [bytes(33)])


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1), st.lists(st.binary(min_size=32, max_size=32), max_size=64))
def test_any_numbers_and_hashes_verify_or_are_refused(first: int, second: int, proof: list[bytes]) -> None:
    """No input makes the checkers fail in another way, or run for long."""
    with pytest.raises(ProofError):
        verify_inclusion(bytes(32), first, second, bytes(32), proof)
    with pytest.raises(ProofError):
        verify_consistency(first, bytes(32), second, bytes([1]) * 32, proof)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_asking_for_a_leaf_that_is_not_there_is_a_mistake(index: int, size: int) -> None:
    """It is the program that errs, so it is no `Error`."""
    with pytest.raises(ValueError, match="has no leaf"):
        inclusion_proof(index, size, reader([b""] * 3))
