"""The Merkle tree of RFC 6962: what a root, an inclusion proof and a consistency proof are, and how to check them.

RFC 9162, section 2.1.1 (the same hashes as RFC 6962, section 2.1):

    MTH({}) = HASH().
    MTH({d[0]}) = HASH(0x00 || d[0]).
    MTH(D_n) = HASH(0x01 || MTH(D[0:k]) || MTH(D[k:n])), k the largest power of two smaller than n

Leaves and inner nodes hash differently, so that no inner node can be passed off as an entry.

Proofs are built by walking the definition downwards and checked by the iterative algorithms of RFC 9162, sections
2.1.3.2 and 2.1.4.2, so that builder and checker share nothing but the two hash functions. Pure: hashes come through
a `HashReader`, which hides whether they lie in memory, in tiles on disk or behind a URL.
"""

import hmac
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import NamedTuple, TypeAlias

from recognizance.errors import InputError

Hash: TypeAlias = bytes
"""A SHA-256 digest, 32 bytes."""

HASH_SIZE_BYTES = 32
EMPTY_ROOT: Hash = sha256(b"").digest()
MAX_TREE_SIZE = 2**63 - 1
"""Go's `int64`, so that every size that we sign can be read by the other implementations."""

MAX_PROOF_HASHES = 63
"""tlog-witness: "The client MUST NOT send more than 63 consistency proof lines." No tree up to 2**63 needs more."""


class ProofError(InputError):
    """The proof does not show what it is said to show."""


class Node(NamedTuple):
    """A complete subtree: the 2**level leaves that start at leaf position * 2**level."""

    level: int
    position: int


HashReader: TypeAlias = Callable[[Node], Hash]
"""Gives the hash of a complete subtree that the tree holds. Asking for another one is a programmer's mistake."""


def leaf_hash(entry: bytes) -> Hash:
    """Return the hash of one entry as a leaf.

    >>> leaf_hash(b"").hex()[:16]
    '6e340b9cffb37a98'
    """
    return sha256(b"\x00" + entry).digest()


def node_hash(left: Hash, right: Hash) -> Hash:
    """Return the hash of the node over two subtrees."""
    return sha256(b"\x01" + left + right).digest()


def tree_root(size: int, read: HashReader) -> Hash:
    """Return the root of the tree over the first `size` leaves."""
    if size == 0:
        return EMPTY_ROOT
    return _range_root(0, size, read)


def inclusion_proof(index: int, size: int, read: HashReader) -> tuple[Hash, ...]:
    """Return the siblings from leaf `index` up to the root of the first `size` leaves (RFC 6962, section 2.1.1).

    Raises:
        ValueError: If the tree of that size has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    path: list[Hash] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_range_root(middle, high, read))
            high = middle
        else:
            path.append(_range_root(low, middle, read))
            low = middle
    return tuple(reversed(path))


def consistency_proof(old_size: int, size: int, read: HashReader) -> tuple[Hash, ...]:
    """Return the hashes that show the first `old_size` leaves to be a prefix of `size` (RFC 6962, section 2.1.2).

    Empty when `old_size` is 0, of which every tree is a continuation, and when both sizes are equal.

    Raises:
        ValueError: If the old tree is the larger one.
    """
    if not 0 <= old_size <= size:
        raise ValueError(f"a tree of {size} leaves has no prefix of {old_size}")
    if old_size == 0:
        return ()
    proof: list[Hash] = []
    low, high = 0, size
    # The checker knows the old root, so the subtree that is the whole old tree isn't sent.
    is_known = True
    while old_size != high:
        middle = low + _split(high - low)
        if old_size <= middle:
            proof.append(_range_root(middle, high, read))
            high = middle
        else:
            proof.append(_range_root(low, middle, read))
            low = middle
            is_known = False
    if not is_known:
        proof.append(_range_root(low, high, read))
    return tuple(reversed(proof))


def root_of_inclusion(leaf: Hash, index: int, size: int, proof: Sequence[Hash]) -> Hash:
    """Return the root that `proof` leads to from `leaf` at `index` (RFC 9162, section 2.1.3.2).

    Raises:
        ProofError: If no tree of this size has such a leaf or a proof of this length for it.
    """
    if not 0 <= index < size <= MAX_TREE_SIZE:
        raise ProofError(f"a tree of {size} leaves has no leaf {index}")
    _check_hashes([leaf, *proof])
    place, last, root = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofError(f"the inclusion proof of leaf {index} in {size} is too long: {len(proof)} hashes")
        if place & 1 or place == last:
            root = node_hash(sibling, root)
            while not place & 1 and place != 0:
                place >>= 1
                last >>= 1
        else:
            root = node_hash(root, sibling)
        place >>= 1
        last >>= 1
    if last != 0:
        raise ProofError(f"the inclusion proof of leaf {index} in {size} is too short: {len(proof)} hashes")
    return root


def verify_inclusion(leaf: Hash, index: int, size: int, root: Hash, proof: Sequence[Hash]) -> None:
    """Refuse a proof unless it shows `leaf` at `index` of the tree with this size and root.

    Raises:
        ProofError: If it doesn't.
    """
    if not hmac.compare_digest(root_of_inclusion(leaf, index, size, proof), root):
        raise ProofError(f"the inclusion proof of leaf {index} leads to another root than that of size {size}")


def verify_consistency(old_size: int, old_root: Hash, size: int, root: Hash, proof: Sequence[Hash]) -> None:
    """Refuse a proof unless it shows the old tree to be a prefix of the new one (RFC 9162, section 2.1.4.2).

    An old size of 0 takes an empty proof, and then says nothing about `root`.

    Raises:
        ProofError: If it doesn't.
    """
    if not 0 <= old_size <= size <= MAX_TREE_SIZE:
        raise ProofError(f"a tree of {size} leaves has no prefix of {old_size}")
    _check_hashes([old_root, root, *proof])
    if old_size in {0, size}:
        if proof:
            raise ProofError(f"the consistency proof from {old_size} to {size} must be empty")
        if (old_size == 0 and old_root != EMPTY_ROOT) or (old_size == size and old_root != root):
            raise ProofError(f"two roots are given for one tree of size {old_size}")
        return
    seen_old, seen_new = _roots_of_consistency(old_size, old_root, size, proof)
    if not (hmac.compare_digest(seen_old, old_root) and hmac.compare_digest(seen_new, root)):
        raise ProofError(f"the tree of size {size} does not continue the tree of size {old_size}")


def _roots_of_consistency(old_size: int, old_root: Hash, size: int, proof: Sequence[Hash]) -> tuple[Hash, Hash]:
    """Return the old and the new root that a proof leads to, for 0 < old_size < size."""
    # A tree of a power of two is one complete subtree, whose hash the proof leaves out.
    hashes = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    if not hashes:
        raise ProofError(f"the consistency proof from {old_size} to {size} is too short: no hashes")
    place, last = old_size - 1, size - 1
    while place & 1:
        place >>= 1
        last >>= 1
    seen_old = seen_new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise ProofError(f"the consistency proof from {old_size} to {size} is too long: {len(proof)} hashes")
        if place & 1 or place == last:
            seen_old = node_hash(sibling, seen_old)
            seen_new = node_hash(sibling, seen_new)
            while not place & 1 and place != 0:
                place >>= 1
                last >>= 1
        else:
            seen_new = node_hash(seen_new, sibling)
        place >>= 1
        last >>= 1
    if last != 0:
        raise ProofError(f"the consistency proof from {old_size} to {size} is too short: {len(proof)} hashes")
    return seen_old, seen_new


def _split(width: int) -> int:
    """Return the largest power of two smaller than `width`, which is at least 2."""
    return 1 << ((width - 1).bit_length() - 1)


def _range_root(low: int, high: int, read: HashReader) -> Hash:
    """Return the hash of leaves `low` to `high`, exclusive, where `low` is a multiple of the power of two above."""
    # Such a range is complete subtrees of falling size; the definition joins them from the right.
    nodes: list[Node] = []
    while low < high:
        level = (high - low).bit_length() - 1
        nodes.append(Node(level, low >> level))
        low += 1 << level
    root = read(nodes[-1])
    for node in reversed(nodes[:-1]):
        root = node_hash(read(node), root)
    return root


def _check_hashes(hashes: Sequence[Hash]) -> None:
    """Refuse what isn't a hash: a node over a short one could be read as another node."""
    for place, digest in enumerate(hashes):
        if len(digest) != HASH_SIZE_BYTES:
            raise ProofError(f"hash {place} of the proof has {len(digest)} bytes; a hash has {HASH_SIZE_BYTES}")
