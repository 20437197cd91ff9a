"""Time passing over account links: pending ones vanish, active ones lapse. Domain rule R1."""

from datetime import datetime, timedelta

from idp.audit.events import PROVIDER
from idp.identity.account_links import AccountLink, Status, move
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError

BATCH = 200

UNREDEEMED_AFTER = timedelta(minutes=3)
"""A code lives at most one minute; after three its pending link cannot be redeemed any more."""


async def let_time_pass(uow: UnitOfWork, now: datetime) -> int:
    """Let unredeemed links vanish and overdue ones lapse; return how many links moved."""
    moved = 0
    for link in await uow.account_links.pending_since(now - UNREDEEMED_AFTER, BATCH):
        _, event = move(link, Status.ENDED, PROVIDER, "not_redeemed", now)
        uow.account_links.vanish(link.link_id)
        uow.ledger.append(event)
        moved += await _committed(uow)
    for link in await uow.account_links.due_to_lapse(now, BATCH):
        moved += await _lapse(uow, link, now)
    return moved


async def _lapse(uow: UnitOfWork, link: AccountLink, now: datetime) -> int:
    lapsed, event = move(link, Status.LAPSED, PROVIDER, "validity_over", now)
    uow.account_links.move(link, lapsed, now)
    uow.ledger.append(event)
    return await _committed(uow)


async def _committed(uow: UnitOfWork) -> int:
    """Commit one link's move; 0 when somebody moved it meanwhile, which is then the newer truth."""
    try:
        await uow.commit()
    except GateClosedError:
        return 0
    return 1
