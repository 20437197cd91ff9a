"""Disputes whose holder did not answer in time: decided by that. See `identity.disputes`."""

from datetime import datetime

from idp.audit.events import PROVIDER
from idp.identity.cases import CaseKind
from idp.identity.disputes import Outcome
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.disputes import decide_dispute

BATCH = 100


async def decide_overdue(uow: UnitOfWork, now: datetime) -> int:
    """Decide disputes whose time is over; return how many. One that was answered waits for our staff."""
    decided = 0
    for case in await uow.cases.overdue(CaseKind.DISPUTE, now, BATCH):
        try:
            await decide_dispute(uow, case, Outcome.UNANSWERED, PROVIDER, now)
        except GateClosedError:
            continue  # answered or moved in this moment, which is the newer truth
        decided += 1
    return decided
