"""Freezing new links of a person, and letting them be made again: recorded, written down and told."""

from datetime import datetime

from idp.audit.events import Actor, Event
from idp.identity.notices import Notice, NoticeKind
from idp.store.unit_of_work import UnitOfWork


def record_freeze(uow: UnitOfWork, citizen_id: str, actor: Actor, now: datetime) -> None:
    """Record that no new link is made; the gate `links_frozen` closes where that is so already."""
    uow.citizens.freeze_links(citizen_id, now)
    uow.ledger.append(Event("citizen:links_frozen", actor, now, citizen_id=citizen_id))
    uow.notices.tell(Notice(NoticeKind.FREEZE_ON, citizen_id), now)


def record_lifted_freeze(uow: UnitOfWork, citizen_id: str, actor: Actor, because: str, now: datetime) -> None:
    """Record that new links can be made; the gate `links_thawed` closes where that is so already."""
    uow.citizens.lift_freeze(citizen_id)
    event = Event("citizen:links_thawed", actor, now, citizen_id=citizen_id, details={"because": because})
    uow.ledger.append(event)
    uow.notices.tell(Notice(NoticeKind.FREEZE_OFF, citizen_id), now)
