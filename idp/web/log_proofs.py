"""Proofs from the Merkle log, as endpoints and pages give them out. RFC 9162 §2.1.3, §2.1.4."""

from collections.abc import Sequence
from dataclasses import dataclass

from idp.audit.chain import SealedEvent, encode
from idp.audit.checkpoints import Checkpoint
from idp.audit.merkle import check_inclusion, leaf_hash
from idp.audit.tiles import Range, consistency_path, hash_of, inclusion_path, tiles_for
from idp.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Where a leaf is in a tree, and what proves it."""

    leaf_index: int
    """Counted from 0."""
    tree_size: int
    leaf_hash: bytes
    path: Sequence[bytes]


async def inclusion(uow: UnitOfWork, leaf_index: int, tree_size: int) -> Inclusion:
    """Return the proof for the leaf at a place below `tree_size`. Raises TileError for a damaged tree."""
    leaf, *path = await _hashes(uow, [(leaf_index, leaf_index + 1), *inclusion_path(leaf_index, tree_size)])
    return Inclusion(leaf_index, tree_size, leaf, path)


async def consistency(uow: UnitOfWork, first_size: int, size: int) -> list[bytes]:
    """Return the proof that the tree of `size` begins with that of `first_size`, which is not larger.

    Raises TileError for a damaged tree.
    """
    return await _hashes(uow, consistency_path(first_size, size))


async def prove_event(uow: UnitOfWork, event: SealedEvent, checkpoint: Checkpoint) -> Inclusion | None:
    """Return a checked proof that the event, as the table has it now, is in the signed log.

    None while the checkpoint is older than the event. Raises TileError for a damaged tree and ProofError when
    the event is not what was sealed.
    """
    if not 0 < event.sequence <= checkpoint.tree_size:
        return None
    proof = await inclusion(uow, event.sequence - 1, checkpoint.tree_size)
    leaf = leaf_hash(encode(event))
    check_inclusion(leaf, proof.leaf_index, proof.tree_size, proof.path, checkpoint.root_hash)
    return Inclusion(proof.leaf_index, proof.tree_size, leaf, proof.path)


async def _hashes(uow: UnitOfWork, ranges: list[Range]) -> list[bytes]:
    tiles = await uow.merkle_log.tiles(tiles_for(ranges))
    return [hash_of(tiles, leaves) for leaves in ranges]
