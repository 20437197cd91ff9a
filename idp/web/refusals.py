"""A refusal by policy, written down once however often its page is looked at. Rule R9: refusals included."""

from datetime import datetime

from idp.audit.events import PROVIDER, Event
from idp.identity.account_links import Refusal
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError

_NAMESPACE = "told_refusal"


async def record_refusal(
    uow: UnitOfWork,
    request_key: str,
    citizen_id: str,
    client_id: str,
    refusal: Refusal,
    *,
    until: datetime,
    now: datetime,
) -> None:
    """Record for the person that this network's request was refused, and why; `until` the request is over."""
    uow.grants.spend(_NAMESPACE, f"{request_key}\x00{citizen_id}\x00{refusal.value}", until)
    uow.ledger.append(
        Event(
            type="authorization:refused",
            actor=PROVIDER,
            occurred_at=now,
            client_id=client_id,
            citizen_id=citizen_id,
            details={"because": refusal.value},
        )
    )
    try:
        await uow.commit()
    except GateClosedError:
        # The page was loaded again: it is written down already.
        return
