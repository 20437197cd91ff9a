"""The Merkle tree: published vectors, and that no wrong proof passes. RFC 9162 §2.1."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.audit.merkle import (
    EMPTY_ROOT,
    ProofError,
    check_consistency,
    check_inclusion,
    leaf_hash,
    node_hash,
    root_of,
)
from idp.audit.tiles import (
    WIDTH,
    Range,
    TileError,
    TileId,
    check_edge,
    consistency_path,
    edge_of,
    grow,
    hash_of,
    inclusion_path,
    root_from,
    split_hashes,
    tiles_for,
    width_in,
)

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "rfc6962_tree.json").read_text())
KNOWN = [leaf_hash(bytes.fromhex(leaf)) for leaf in VECTORS["leaves"]]
ROOTS = [bytes.fromhex(root) for root in VECTORS["roots"]]

LEAVES = [leaf_hash(str(number).encode()) for number in range(WIDTH * 5)]
LARGE = [leaf_hash(b"large" + str(number).encode()) for number in range(WIDTH * WIDTH + 300)]


def grown(leaves: Sequence[bytes]) -> dict[TileId, bytes]:
    return grow({}, 0, leaves)


LARGE_TILES = grown(LARGE)


def hashes(tiles: dict[TileId, bytes], ranges: list[Range]) -> list[bytes]:
    """Make the hashes of a path from the tiles it needs, and no others."""
    needed = {tile: tiles[tile] for tile in tiles_for(ranges)}
    return [hash_of(needed, each) for each in ranges]


def reference_root(leaves: Sequence[bytes]) -> bytes:
    """The definition of RFC 9162 §2.1.1, word for word."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return node_hash(reference_root(leaves[:middle]), reference_root(leaves[middle:]))


@pytest.mark.parametrize("size", range(9))
def test_the_roots_of_the_published_tree(size: int) -> None:
    assert root_of(KNOWN[:size]) == ROOTS[size] == reference_root(KNOWN[:size])
    assert root_from(grown(KNOWN[:size]), size) == ROOTS[size]


@pytest.mark.parametrize("vector", VECTORS["inclusion"], ids=str)
def test_the_published_inclusion_proofs(vector: dict[str, object]) -> None:
    index, size = int(str(vector["index"])), int(str(vector["size"]))
    path = hashes(grown(KNOWN[:size]), inclusion_path(index, size))
    assert [each.hex() for each in path] == vector["path"]
    check_inclusion(KNOWN[index], index, size, path, ROOTS[size])


@pytest.mark.parametrize("vector", VECTORS["consistency"], ids=str)
def test_the_published_consistency_proofs(vector: dict[str, object]) -> None:
    first, size = int(str(vector["first_size"])), int(str(vector["size"]))
    path = hashes(grown(KNOWN), consistency_path(first, size))
    assert [each.hex() for each in path] == vector["path"]
    check_consistency(first, ROOTS[first], size, ROOTS[size], path)


@given(st.data())
def test_every_leaf_of_every_tree_is_proven_to_be_in_it(data: st.DataObject) -> None:
    size = data.draw(st.one_of(st.integers(1, 70), st.integers(1, len(LEAVES))))
    index = data.draw(st.integers(0, size - 1))
    tiles, root = grown(LEAVES[:size]), root_of(LEAVES[:size])
    path = hashes(tiles, inclusion_path(index, size))
    check_inclusion(LEAVES[index], index, size, path, root)
    assert root_from(tiles, size) == root
    assert len(path) <= (size - 1).bit_length()


@given(st.data())
def test_every_tree_is_proven_to_begin_with_every_earlier_one(data: st.DataObject) -> None:
    size = data.draw(st.one_of(st.integers(1, 70), st.integers(1, len(LEAVES))))
    first = data.draw(st.integers(0, size))
    path = hashes(grown(LEAVES), consistency_path(first, size))
    roots = root_of(LEAVES[:first]), root_of(LEAVES[:size])
    check_consistency(first, roots[0], size, roots[1], path)


@given(st.integers(1, len(LARGE)), st.integers(0, len(LARGE)))
def test_proofs_of_a_tree_of_three_levels_come_from_few_tiles(size: int, number: int) -> None:
    index, first = number % size, number % (size + 1)
    for ranges in (inclusion_path(index, size), consistency_path(first, size)):
        assert len(tiles_for(ranges)) <= 6
    root = root_from(LARGE_TILES, size)
    check_inclusion(LARGE[index], index, size, hashes(LARGE_TILES, inclusion_path(index, size)), root)
    earlier = root_from(LARGE_TILES, first)
    check_consistency(first, earlier, size, root, hashes(LARGE_TILES, consistency_path(first, size)))


@given(st.data())
def test_no_changed_inclusion_proof_passes(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 70))
    index = data.draw(st.integers(0, size - 1))
    root = root_of(LEAVES[:size])
    path = hashes(grown(LEAVES[:size]), inclusion_path(index, size))
    for claimed_leaf, claimed_index, claimed_size, claimed_path, claimed_root in (
        (LEAVES[size], index, size, path, root),
        (LEAVES[index], index ^ 1, size, path, root),
        (LEAVES[index], size, size, path, root),
        (LEAVES[index], -1, size, path, root),
        (LEAVES[index], index, size * 2, path, root),
        (LEAVES[index], index, size, path[:-1], root),
        (LEAVES[index], index, size, [*path, root], root),
        (LEAVES[index], index, size, [root, *path], root),
        (LEAVES[index], index, size, [*path[:-1], path[-1][::-1]], root),
        (LEAVES[index], index, size, path, EMPTY_ROOT),
        (LEAVES[index], index, size, [path[0][:31], *path[1:]], root),
    ):
        with pytest.raises(ProofError):
            check_inclusion(claimed_leaf, claimed_index, claimed_size, claimed_path, claimed_root)


@given(st.data())
def test_no_changed_consistency_proof_passes(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 70))
    first = data.draw(st.integers(1, size - 1))
    earlier, root = root_of(LEAVES[:first]), root_of(LEAVES[:size])
    path = hashes(grown(LEAVES), consistency_path(first, size))
    other = root_of([LEAVES[-1], *LEAVES[1:first]])
    for claim in (
        (first, other, size, root, path),
        (first, earlier, size, other, path),
        (size, root, first, earlier, path),
        (first, earlier, size, root, path[:-1]),
        (first, earlier, size, root, [*path, root]),
        (first, earlier, size, root, []),
        (first, earlier, size, root, [path[0][::-1], *path[1:]]),
        (first, earlier, first, other, []),
        (0, earlier, size, root, []),
        (0, EMPTY_ROOT, size, root, path),
    ):
        with pytest.raises(ProofError):
            check_consistency(*claim)


@given(st.lists(st.integers(0, 700), max_size=5))
def test_growing_in_pieces_makes_the_same_tiles(pieces: list[int]) -> None:
    kept: dict[TileId, bytes] = {}
    size = 0
    for piece in pieces:
        known = {tile: kept[tile] for tile in edge_of(size)}
        check_edge(known, size)
        kept |= grow(known, size, LARGE[size : size + piece])
        size += piece
    assert kept == grown(LARGE[:size])
    assert all(len(split_hashes(tile)) == width_in(place, size) for place, tile in kept.items())


def test_a_tree_whose_tiles_do_not_end_where_it_does_is_not_grown() -> None:
    tiles = grown(LEAVES[:300])
    last = TileId(0, 1)
    for broken in ({}, tiles | {last: tiles[last][:-32]}, tiles | {last: tiles[last] + bytes(32)}):
        with pytest.raises(TileError) as told:
            check_edge(broken, 300)
        assert told.value.tile == last
    with pytest.raises(TileError, match="is missing"):
        grow({}, 300, LEAVES[300:301])
    with pytest.raises(TileError, match="is too short"):
        root_from({last: tiles[last][:-32], TileId(1, 0): tiles[TileId(1, 0)]}, 300)
