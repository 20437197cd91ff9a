"""What somebody does who can write every table, and even sign: the attacks on the log that must be told."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Table, bindparam

from idp.audit.chain import START, Head, SealedEvent, encode, seal
from idp.audit.checkpoints import CHECKPOINT_TYPE, Checkpoint, checkpoint_claims
from idp.audit.merkle import leaf_hash, root_of
from idp.audit.tiles import TileId, grow
from idp.store.encoding import micros
from idp.store.oversight_tables import checkpoints, merkle_tiles
from idp.store.tables import audit_events, audit_head
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import Change, Remove
from keys import Custody


async def change(uow: UnitOfWork, table: Table, where: dict[str, Any], **values: Any) -> None:
    """Change the rows that have these values."""
    write = Change(
        "tampering",
        table,
        where=lambda _: _matching(table, where),
        values=lambda _: {
            name: bindparam(f"new_{name}", value, required=False) for name, value in values.items()
        },
    )
    uow.record(write)
    await uow.commit()


async def remove(uow: UnitOfWork, table: Table, **where: Any) -> None:
    """Remove the rows that have these values."""
    uow.record(Remove("tampering", table, where=lambda _: _matching(table, where)))
    await uow.commit()


def _matching(table: Table, where: dict[str, Any]) -> Any:
    condition: Any = None
    for name, value in where.items():
        equal = table.c[name] == bindparam(f"old_{name}", value, required=False)
        condition = equal if condition is None else condition & equal
    return condition


async def rewrite_chain(uow: UnitOfWork, sequence: int, **values: Any) -> list[SealedEvent]:
    """Change one event and seal it and all after it anew: the chain alone cannot tell."""
    events = await uow.ledger.sealed(None, 100_000)
    forged = [replace(event, **values) if event.sequence == sequence else event for event in events]
    resealed = seal(forged, START)
    for before, after in zip(events, resealed, strict=True):
        if before != after:
            row = {"chain_hash": after.chain_hash, "actor_id": after.actor_id, "details": after.details}
            await change(uow, audit_events, {"event_id": after.event_id}, **row)
    await set_head(uow, Head(resealed[-1].sequence, resealed[-1].chain_hash))
    return resealed


async def set_head(uow: UnitOfWork, head: Head) -> None:
    await change(uow, audit_head, {"head_id": 1}, sequence=head.sequence, chain_hash=head.chain_hash)


async def rewrite_tiles(uow: UnitOfWork, events: Sequence[SealedEvent]) -> None:
    """Make the tiles of other events."""
    for tile, hashes in grow({}, 0, [leaf_hash(encode(event)) for event in events]).items():
        await set_tile(uow, tile, hashes)


async def set_tile(uow: UnitOfWork, tile: TileId, hashes: bytes) -> None:
    await change(uow, merkle_tiles, {"level": tile.level, "tile": tile.index}, hashes=hashes)


async def rewrite_checkpoint(
    uow: UnitOfWork, events: Sequence[SealedEvent], signed_by: Custody, issuer: str, at: datetime
) -> Checkpoint:
    """Sign other events, in the place of the checkpoint of as many."""
    size, root = len(events), root_of([leaf_hash(encode(event)) for event in events])
    claims = checkpoint_claims(issuer, size, root, at)
    signed = signed_by.signing.signer("ES256").sign(claims, typ=CHECKPOINT_TYPE)
    row = {"root_hash": root, "signed": signed, "created_at": micros(at)}
    await change(uow, checkpoints, {"tree_size": size}, **row)
    return Checkpoint(size, root, at, signed)
