"""The Merkle tree as it is kept and published: tiles of up to 256 hashes, which only ever grow. Pure.

Tile (0, i) holds the leaf hashes from 256·i on; tile (l, i) holds the roots of the full tiles of level l-1
from 256·i on (the layout of C2SP tlog-tiles). A tile that is full never changes, so that caches may keep it
for ever. Proofs of any tree there ever was are made from a handful of them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from idp.audit.merkle import EMPTY_ROOT, HASH_SIZE, node_hash

HEIGHT = 8
WIDTH = 1 << HEIGHT
"""Hashes of a full tile."""

Range = tuple[int, int]
"""Leaves from the first number up to, and without, the second."""


@dataclass(frozen=True, slots=True, order=True)
class TileId:
    """Where a tile stands."""

    level: int
    index: int


Tiles = Mapping[TileId, bytes]
"""Tiles by their place, each the hashes one after another."""


class TileError(ValueError):
    """A tile that the tree needs is not there, is too short, or is longer than the tree."""

    def __init__(self, tile: TileId, what: str) -> None:
        super().__init__(f"tile {tile.level}/{tile.index} {what}")
        self.tile = tile


def width_in(tile: TileId, size: int) -> int:
    """Return how many hashes a tile has in a tree of that many leaves; 0 where it does not exist."""
    entries = size >> (HEIGHT * tile.level)
    return max(0, min(WIDTH, entries - tile.index * WIDTH))


def edge_of(size: int) -> tuple[TileId, ...]:
    """Return the last tile of every level of a tree: what has to be known to let it grow."""
    tiles: list[TileId] = []
    entries = size
    while entries:
        tiles.append(TileId(len(tiles), (entries - 1) // WIDTH))
        entries //= WIDTH
    return tuple(tiles)


def check_edge(tiles: Tiles, size: int) -> None:
    """Check that the tree ends exactly where it should. Raises TileError."""
    for tile in edge_of(size):
        width = len(tiles.get(tile, b"")) // HASH_SIZE
        if width != width_in(tile, size):
            raise TileError(tile, f"has {width} hashes where the tree has {width_in(tile, size)}")


def grow(tiles: Tiles, size: int, leaf_hashes: Sequence[bytes]) -> dict[TileId, bytes]:
    """Append leaf hashes to a tree whose edge is given; return what is new or longer. Raises TileError."""
    changed: dict[TileId, bytes] = {}
    level, entries, arrived = 0, size, list(leaf_hashes)
    while arrived:
        tile = TileId(level, entries // WIDTH)
        held = bytearray(_hashes(tiles, tile, 0, entries % WIDTH))
        above: list[bytes] = []
        for each in arrived:
            held += each
            if len(held) == WIDTH * HASH_SIZE:
                changed[tile] = bytes(held)
                above.append(_root_of_complete(changed[tile]))
                tile, held = TileId(level, tile.index + 1), bytearray()
        if held:
            changed[tile] = bytes(held)
        level, entries, arrived = level + 1, entries // WIDTH, above
    return changed


def root_from(tiles: Tiles, size: int) -> bytes:
    """Return the root of the tree (RFC 9162 §2.1.1). Raises TileError."""
    return hash_of(tiles, (0, size)) if size else EMPTY_ROOT


def hash_of(tiles: Tiles, leaves: Range) -> bytes:
    """Return MTH(D[first:end]) of RFC 9162 §2.1.1; the range is a node of a tree. Raises TileError."""
    nodes = [_complete_subtree(tiles, *each) for each in reversed(list(_complete_parts(leaves)))]
    whole = nodes[0]
    for left in nodes[1:]:
        whole = node_hash(left, whole)
    return whole


def inclusion_path(index: int, size: int) -> list[Range]:
    """Return the ranges whose hashes prove that a leaf is in the tree, lowest first (RFC 9162 §2.1.3.1)."""
    first, end = 0, size
    path: list[Range] = []
    while end - first > 1:
        middle = first + _left_part(end - first)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((first, middle))
            first = middle
    return path[::-1]


def consistency_path(first_size: int, size: int) -> list[Range]:
    """Return the ranges whose hashes prove that one tree begins with another (RFC 9162 §2.1.4.1)."""
    if first_size in {0, size}:
        return []
    first, end = 0, size
    path: list[Range] = []
    while first_size != end:
        middle = first + _left_part(end - first)
        if first_size <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((first, middle))
            first = middle
    if first:
        # What the earlier tree itself ends with; at 0 it is the whole of it, which the verifier has.
        path.append((first, end))
    return path[::-1]


def tiles_for(ranges: Iterable[Range]) -> tuple[TileId, ...]:
    """Return the tiles from which the hashes of ranges are made."""
    parts = (part for leaves in ranges for part in _complete_parts(leaves))
    return tuple(sorted({_place_of(*part)[0] for part in parts}))


def _left_part(width: int) -> int:
    """Return the largest power of two that is smaller (RFC 9162 §2.1.1: k < n <= 2k)."""
    return 1 << ((width - 1).bit_length() - 1)


def _complete_parts(leaves: Range) -> Iterator[tuple[int, int]]:
    """Split a range into complete subtrees, from the left: (first leaf, height)."""
    first, end = leaves
    while first < end:
        height = (end - first).bit_length() - 1
        yield first, height
        first += 1 << height


def _place_of(first: int, height: int) -> tuple[TileId, int, int]:
    """Return the tile that holds a complete subtree, and from which to which hash."""
    level, inside = divmod(height, HEIGHT)
    index, offset = divmod(first >> (HEIGHT * level), WIDTH)
    return TileId(level, index), offset, offset + (1 << inside)


def _complete_subtree(tiles: Tiles, first: int, height: int) -> bytes:
    return _root_of_complete(_hashes(tiles, *_place_of(first, height)))


def _hashes(tiles: Tiles, tile: TileId, first: int, end: int) -> bytes:
    if first == end:
        return b""
    found = tiles.get(tile, b"")
    if len(found) < end * HASH_SIZE:
        raise TileError(tile, "is missing" if not found else "is too short")
    return found[first * HASH_SIZE : end * HASH_SIZE]


def _root_of_complete(hashes: bytes) -> bytes:
    """Return the root over a power of two of hashes."""
    nodes = split_hashes(hashes)
    while len(nodes) > 1:
        nodes = [node_hash(left, right) for left, right in zip(nodes[::2], nodes[1::2], strict=True)]
    return nodes[0]


def split_hashes(hashes: bytes) -> list[bytes]:
    """Return the hashes of a tile, each by itself."""
    return [hashes[place : place + HASH_SIZE] for place in range(0, len(hashes), HASH_SIZE)]
