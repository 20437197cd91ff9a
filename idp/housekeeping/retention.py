"""Purges the history of use when its five years are over. Rule R18; `idp.audit.retention` says what may go.

Events go in whole pieces from the beginning of the chain. The place where it begins now is remembered, and
the leaf hashes stay in the tree, so that every signed root can still be derived.
"""

from datetime import datetime

from idp.audit.chain import Head
from idp.audit.retention import purgeable
from idp.housekeeping.sequencer import GapError
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError

BATCH = 1000
_CHECKPOINTS = 100


async def purge_history(uow: UnitOfWork, now: datetime, batch: int = BATCH) -> int:
    """Purge a piece; return how many events went. 0 when nothing is old enough, or another was faster.

    Raises GapError when the chain does not reach as far as its checkpoint says.
    """
    purged = await uow.merkle_log.purged()
    oldest = await uow.merkle_log.checkpoints_after(purged.sequence, _CHECKPOINTS)
    through = min(purgeable(purged.sequence, oldest, now), purged.sequence + batch)
    if through <= purged.sequence:
        return 0
    last = await uow.ledger.sealed_after(through - 1, 1)
    if not last or last[0].sequence != through:
        raise GapError(f"event {through} is not in the log")
    uow.merkle_log.purge(Head(through, last[0].chain_hash), now)
    uow.ledger.purge(purged.sequence, through)
    try:
        await uow.commit()
    except GateClosedError:
        return 0
    return through - purged.sequence
