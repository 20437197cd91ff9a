"""A log with something in it, sealed and signed: what tests of transparency begin with."""

from datetime import datetime

from idp.audit.events import Actor, ActorKind, Event
from idp.housekeeping.checkpoints import publish_checkpoint
from idp.housekeeping.sequencer import catch_up, seal_waiting
from idp.store.unit_of_work import UnitOfWork
from keys import Custody

ISSUER = "http://localhost:8000"


def an_event(now: datetime, **changes: str) -> Event:
    facts = {"client_id": "quan-coc", "citizen_id": "citizen-1", "link_id": "link-1"} | changes
    return Event(
        "account_link:looked_up",
        Actor(ActorKind.OPERATOR, "minh"),
        now,
        client_id=facts["client_id"],
        citizen_id=facts["citizen_id"],
        link_id=facts["link_id"],
        details={"because": "operator_lookup"},
    )


async def append(uow: UnitOfWork, count: int, now: datetime, **changes: str) -> None:
    uow.ledger.append_many([an_event(now, **changes) for _ in range(count)])
    await uow.commit()


async def seal_all(uow: UnitOfWork, now: datetime) -> None:
    while await catch_up(uow):
        pass
    while await seal_waiting(uow, now):
        pass


async def sign_all(uow: UnitOfWork, custody: Custody, now: datetime, issuer: str = ISSUER) -> None:
    """Seal and sign everything there is; the last checkpoint is older than a minute."""
    await seal_all(uow, now)
    await publish_checkpoint(uow, custody, issuer, now)
