"""Merkle trees by their definition: RFC 9162 §2.1. Plain rather than quick; a log is verified seldom."""

from collections.abc import Sequence
from hashlib import sha256

HASH_SIZE = 32


class TamperedError(Exception):
    """What was shown cannot be one log that only grows."""


def leaf_hash(entry: bytes) -> bytes:
    """§2.1.1: the hash of an entry."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """§2.1.1: the hash of a node."""
    return sha256(b"\x01" + left + right).digest()


def left_size(size: int) -> int:
    """§2.1.1: the largest power of two smaller than `size`, which is two at least."""
    power = 1
    while power * 2 < size:
        power *= 2
    return power


class GrowingTree:
    """A tree of which only the roots of its complete subtrees are remembered, the largest first."""

    def __init__(self, size: int = 0, subtrees: Sequence[bytes] = ()) -> None:
        if len(subtrees) != size.bit_count():
            raise ValueError("as many subtrees are needed as the size has bits")
        self.size = size
        self.subtrees = list(subtrees)

    def append(self, leaf: bytes) -> None:
        """Append the hash of a leaf."""
        self.subtrees.append(leaf)
        size = self.size
        while size % 2:
            right, left = self.subtrees.pop(), self.subtrees.pop()
            self.subtrees.append(node_hash(left, right))
            size //= 2
        self.size += 1

    def root(self) -> bytes:
        """Return the root."""
        if not self.subtrees:
            return sha256(b"").digest()
        *lefts, root = self.subtrees
        while lefts:
            root = node_hash(lefts.pop(), root)
        return root


def root_by_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """§2.1.3: the root of the only tree in which this path belongs to this leaf. Raises TamperedError."""
    if not 0 <= index < size:
        raise TamperedError("a proof is of a leaf outside of its tree")
    if size == 1:
        if path:
            raise TamperedError("an inclusion proof is too long")
        return leaf
    if not path:
        raise TamperedError("an inclusion proof is too short")
    left, sibling = left_size(size), path[-1]
    if index < left:
        return node_hash(root_by_inclusion(leaf, index, left, path[:-1]), sibling)
    return node_hash(sibling, root_by_inclusion(leaf, index - left, size - left, path[:-1]))


def check_consistency(
    known_size: int, known_root: bytes, size: int, root: bytes, path: Sequence[bytes]
) -> None:
    """§2.1.4: check that the tree begins with all of the known one. Raises TamperedError."""
    if known_size > size:
        raise TamperedError(f"the log has become shorter: {size} entries, after {known_size} were signed")
    if known_size == size and known_root != root:
        raise TamperedError(f"two different logs of {size} entries were signed")
    if known_size in {0, size}:
        return
    if (known_root, root) != _roots(known_size, size, path, known_root):
        raise TamperedError(f"the first {known_size} entries are not those that were signed before")


def _roots(
    known_size: int, size: int, path: Sequence[bytes], known_root: bytes | None
) -> tuple[bytes, bytes]:
    """SUBPROOF: return both roots that a path leads to; `known_root` while this subtree begins both trees."""
    if known_size == size:
        if len(path) != (0 if known_root else 1):
            raise TamperedError("a consistency proof has the wrong length")
        here = known_root or path[0]
        return here, here
    if not path:
        raise TamperedError("a consistency proof is too short")
    left, sibling = left_size(size), path[-1]
    if known_size <= left:
        before, after = _roots(known_size, left, path[:-1], known_root)
        return before, node_hash(after, sibling)
    before, after = _roots(known_size - left, size - left, path[:-1], None)
    return node_hash(sibling, before), node_hash(sibling, after)
