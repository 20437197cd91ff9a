"""Deriving the Merkle tree anew from the events, beside what is kept and what was signed of it. Pure.

Takes one tile of leaves at a time and remembers one tile a level: for any length. What was purged is
represented by its kept leaf hashes, which the signed roots still cover.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from idp.audit.checkpoints import Checkpoint
from idp.audit.merkle import HASH_SIZE, Frontier
from idp.audit.tiles import WIDTH, TileId, edge_of, grow, split_hashes


class TreeFindingKind(StrEnum):
    """What is wrong with a tree."""

    LEAF_DIFFERS = "leaf_differs"
    """The event is not the one that the tree was grown with."""
    TILE_DIFFERS = "tile_differs"
    """A tile does not follow from those below it, or is missing."""
    ROOT_DIFFERS = "root_differs"
    """The tree that was signed was another one: an event of the range was changed, and its tile too."""
    SIGNATURE_INVALID = "signature_invalid"
    """The provider never signed this checkpoint."""
    CHECKPOINT_BEYOND = "checkpoint_beyond"
    """A checkpoint stands for more events than the tree has."""
    PURGED_TOO_SOON = "purged_too_soon"
    """The log says that events were purged whose time had not come."""


@dataclass(frozen=True, slots=True)
class TreeFinding:
    """The first place at which a tree is wrong: events from `first` to `last`."""

    kind: TreeFindingKind
    first: int
    last: int
    tile: TileId | None = None


class TreeVerifier:
    """A verification from the first leaf on. After a finding there is nothing more to learn."""

    def __init__(self) -> None:
        self.finding: TreeFinding | None = None
        self._tree = Frontier()
        self._edge: Mapping[TileId, bytes] = {}
        self._confirmed = 0
        """The size of the largest tree whose root was what had been signed."""

    @property
    def size(self) -> int:
        """How many leaves were taken."""
        return self._tree.size

    def root(self) -> bytes:
        """Return the root as derived."""
        return self._tree.root()

    def take(
        self, leaves: Sequence[bytes], kept: bytes, checkpoints: Sequence[Checkpoint]
    ) -> Mapping[TileId, bytes]:
        """Take the leaf hashes of the next tile, the tile as it is kept, and what was signed of these sizes.

        Only the last tile may be short. Returns the tiles above that became full, to be compared.
        """
        self._compare_leaves(leaves, kept)
        signed = {each.tree_size: each.root_hash for each in checkpoints}
        size = self._tree.size
        for leaf in leaves:
            self._tree.add(leaf)
            root = signed.get(self._tree.size)
            if root is not None and self.finding is None:
                self._compare_root(root)
        changed = grow(self._edge, size, leaves)
        held = {**self._edge, **changed}
        self._edge = {tile: held[tile] for tile in edge_of(self._tree.size)}
        return {
            tile: hashes
            for tile, hashes in changed.items()
            if tile.level and len(hashes) == WIDTH * HASH_SIZE
        }

    def upper_edge(self) -> Mapping[TileId, bytes]:
        """Return the tiles above the leaves at which the tree ends, to be compared once it is whole."""
        return {tile: hashes for tile, hashes in self._edge.items() if tile.level}

    def compare(self, tile: TileId, derived: bytes, kept: bytes) -> None:
        """Compare a tile above the leaves; one that is kept may have grown meanwhile."""
        if self.finding is None and not kept.startswith(derived):
            first, last = _covered(tile)
            self.finding = TreeFinding(TreeFindingKind.TILE_DIFFERS, first, min(last, self._tree.size), tile)

    def _compare_leaves(self, leaves: Sequence[bytes], kept: bytes) -> None:
        first = self._tree.size + 1
        tile = TileId(0, self._tree.size // WIDTH)
        if self.finding is not None or kept.startswith(b"".join(leaves)):
            return
        held = split_hashes(kept)
        for place, leaf in enumerate(leaves):
            if place >= len(held):
                last = self._tree.size + len(leaves)
                self.finding = TreeFinding(TreeFindingKind.TILE_DIFFERS, first + place, last, tile)
                return
            if held[place] != leaf:
                kind = TreeFindingKind.LEAF_DIFFERS
                self.finding = TreeFinding(kind, first + place, first + place, tile)
                return

    def _compare_root(self, signed: bytes) -> None:
        if self._tree.root() == signed:
            self._confirmed = self._tree.size
        else:
            kind = TreeFindingKind.ROOT_DIFFERS
            self.finding = TreeFinding(kind, self._confirmed + 1, self._tree.size)


def _covered(tile: TileId) -> tuple[int, int]:
    """Return the events below a tile, counted from 1."""
    leaves = WIDTH ** (tile.level + 1)
    return tile.index * leaves + 1, (tile.index + 1) * leaves
