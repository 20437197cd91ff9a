"""The sequencer: seals audit events into the hash chain, seconds after they happened.

Requests only append; nobody waits for anybody. The head of the chain moves by compare-and-swap, so
that two sequencers can never both extend it.
"""

from datetime import datetime

from idp.audit.chain import seal
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError

BATCH = 1000


async def seal_waiting(uow: UnitOfWork, now: datetime, batch: int = BATCH) -> int:
    """Seal what waits, one batch; return how many events were sealed. 0 when another was faster."""
    head = await uow.ledger.head()
    waiting = await uow.ledger.unsealed(batch)
    if not waiting:
        return 0
    sealed = seal(waiting, head)
    uow.ledger.seal(sealed, head, now)
    try:
        await uow.commit()
    except GateClosedError:
        return 0
    return len(sealed)
