"""The Merkle tree over the audit log: RFC 9162 §2.1, the hashing of RFC 6962 with SHA-256. Pure.

A leaf is the canonical JSON of a sealed event (`chain.encode`). Only hashes are published, and nobody can
guess an event from its hash: the event's own random id, 128 bits that are shown to no one but the person
concerned, is inside. Who holds an event shows with an inclusion proof that it is in the log; who remembers a
root checks with a consistency proof that nothing before it was changed since.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256

HASH_SIZE = 32
"""Bytes of a hash."""

EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves (§2.1.1)."""

LARGEST_TREE = 2**48
"""More leaves than there will ever be: numbers of callers are refused above it."""

_LEAF, _NODE = b"\x00", b"\x01"
"""Keep a leaf from being passed off as a node (§2.1.1)."""


class ProofError(ValueError):
    """A proof does not prove what it is said to."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of an entry as a leaf (§2.1.1)."""
    return sha256(_LEAF + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node above two others (§2.1.1)."""
    return sha256(_NODE + left + right).digest()


class Frontier:
    """A tree that only grows: it remembers the roots of its complete subtrees, at most one a height."""

    def __init__(self) -> None:
        self.size = 0
        self._roots: list[bytes] = []
        """Of the subtrees that the bits of `size` stand for, the largest first."""

    def add(self, leaf: bytes) -> None:
        """Append the hash of a leaf."""
        self._roots.append(leaf)
        self.size += 1
        size = self.size
        while size % 2 == 0:
            right = self._roots.pop()
            self._roots[-1] = node_hash(self._roots[-1], right)
            size //= 2

    def root(self) -> bytes:
        """Return the root (§2.1.1)."""
        if not self._roots:
            return EMPTY_ROOT
        root = self._roots[-1]
        for left in reversed(self._roots[:-1]):
            root = node_hash(left, root)
        return root


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """Return the root over the hashes of leaves (§2.1.1)."""
    tree = Frontier()
    for leaf in leaf_hashes:
        tree.add(leaf)
    return tree.root()


def check_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf hash stands at `index`, counted from 0, in the tree (§2.1.3.2). Raises ProofError."""
    if not 0 <= index < size:
        raise ProofError("the leaf is outside of the tree")
    _check_sizes(leaf, root, *path)
    reached = leaf
    for sibling, is_left in _climb(index, size - 1, path):
        reached = node_hash(sibling, reached) if is_left else node_hash(reached, sibling)
    if reached != root:
        raise ProofError("the inclusion proof does not lead to the root")


def check_consistency(
    first_size: int, first_root: bytes, size: int, root: bytes, path: Sequence[bytes]
) -> None:
    """Check that a tree begins with all of an earlier one, unchanged (§2.1.4.2). Raises ProofError.

    With an earlier tree that is empty or the same there is nothing to prove, and the path is empty.
    """
    if not 0 <= first_size <= size:
        raise ProofError("the log has become shorter")
    _check_sizes(first_root, root, *path)
    if first_size in {0, size}:
        if path or first_root != (root if first_size else EMPTY_ROOT):
            raise ProofError("two roots of the same tree differ")
        return
    # A whole subtree is a node of the later tree, and its root need not be sent.
    nodes = [first_root, *path] if first_size & (first_size - 1) == 0 else list(path)
    if not nodes:
        raise ProofError("the consistency proof is empty")
    first, last = first_size - 1, size - 1
    while first % 2:
        first, last = first >> 1, last >> 1
    earlier = later = nodes[0]
    for node, is_left in _climb(first, last, nodes[1:]):
        if is_left:
            earlier, later = node_hash(node, earlier), node_hash(node, later)
        else:
            later = node_hash(later, node)
    if (earlier, later) != (first_root, root):
        raise ProofError("the later tree does not begin with the earlier one")


def _climb(place: int, last: int, path: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield each node of a path, and whether it stands to the left. Raises ProofError for a wrong length."""
    for node in path:
        if last == 0:
            raise ProofError("the proof is too long")
        is_left = place % 2 == 1 or place == last
        yield node, is_left
        if is_left:
            while place and place % 2 == 0:
                place, last = place >> 1, last >> 1
        place, last = place >> 1, last >> 1
    if last:
        raise ProofError("the proof is too short")


def _check_sizes(*hashes: bytes) -> None:
    if any(len(each) != HASH_SIZE for each in hashes):
        raise ProofError("a hash has 32 bytes")
