"""The sequencer: seals audit events into the hash chain and the Merkle tree, seconds after they happened.

Requests only append; nobody waits for anybody. The head of the chain moves by compare-and-swap, so
that two sequencers can never both extend it; the tree grows in the same commit.
"""

from datetime import datetime

from idp.audit.chain import SealedEvent, encode, seal
from idp.audit.merkle import leaf_hash
from idp.audit.tiles import TileError, check_edge, grow
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError

BATCH = 1000


class GapError(ValueError):
    """Events that the tree should hold are not in the log."""


async def seal_waiting(uow: UnitOfWork, now: datetime, batch: int = BATCH) -> int:
    """Seal what waits, one batch; return how many events were sealed. 0 when another was faster.

    Raises TileError when the tree does not end where the chain does: `catch_up` comes first.
    """
    head = await uow.ledger.head()
    waiting = await uow.ledger.unsealed(batch)
    if not waiting:
        return 0
    tiles = await uow.merkle_log.edge(head.sequence)
    try:
        check_edge(tiles, head.sequence)
    except TileError:
        if await uow.ledger.head() != head:
            return 0
        raise
    sealed = seal(waiting, head)
    uow.ledger.seal(sealed, head, now)
    uow.merkle_log.keep(grow(tiles, head.sequence, _leaves(sealed)))
    try:
        await uow.commit()
    except GateClosedError:
        return 0
    return len(sealed)


async def catch_up(uow: UnitOfWork, batch: int = BATCH) -> int:
    """Bring events into the tree that were sealed before there was one; return how many.

    Raises GapError when events are missing, TileError when tiles are.
    """
    size = await uow.merkle_log.size()
    if size >= (await uow.ledger.head()).sequence:
        return 0
    sealed = await uow.ledger.sealed_after(size, batch)
    if [event.sequence for event in sealed] != list(range(size + 1, size + 1 + len(sealed))) or not sealed:
        raise GapError(f"event {size + 1} or one soon after it is not in the log once")
    uow.merkle_log.keep(grow(await uow.merkle_log.edge(size), size, _leaves(sealed)))
    await uow.commit()
    return len(sealed)


def _leaves(events: list[SealedEvent]) -> list[bytes]:
    return [leaf_hash(encode(event)) for event in events]
