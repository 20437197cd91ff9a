"""What redeeming a code does to the account link behind it. Domain rule R1, abuse case P3.

A pending link becomes active; a lapsed one of the same person is renewed; an active one was used.
The store's unique indexes decide races: what is read here may be overtaken, what is written cannot.
"""

from dataclasses import dataclass
from datetime import datetime

from idp.audit.events import Actor, ActorKind, Event
from idp.identity.account_links import (
    AccountLink,
    LinkRefusedError,
    Status,
    activate,
    check_holder,
    free_place,
)
from idp.protocol.errors import InvalidGrantError
from idp.protocol.model import Client
from idp.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Redemption:
    """A link before and after; both None where no account is linked."""

    before: AccountLink | None
    after: AccountLink | None
    event: Event | None = None

    def record(self, uow: UnitOfWork, now: datetime) -> None:
        """Record the move with its event, or the mere use."""
        if self.before is None or self.after is None:
            return
        if self.event is None:
            uow.account_links.touch(self.after.link_id, now)
            return
        uow.account_links.move(self.before, self.after, now)
        uow.ledger.append(self.event)


async def redeem_link(uow: UnitOfWork, client: Client, link: AccountLink | None, now: datetime) -> Redemption:
    """Decide what becomes of the link. Raises InvalidGrantError when it cannot be made any more.

    The platform is told no more than that; why concerns the person, who was shown it or will be.
    """
    if link is None or link.status not in {Status.PENDING, Status.LAPSED}:
        return Redemption(link, link)
    actor = Actor(ActorKind.CLIENT, client.client_id)
    if link.status is Status.LAPSED and link.place is not None:
        after, event = activate(link, link.place, client.policy, actor, now)
        return Redemption(link, after, event)
    neighbours = await uow.account_links.neighbours(link.client_id, link.account_id, link.citizen_id)
    occupied = {other.place for other in neighbours if other.citizen_id == link.citizen_id and other.place}
    try:
        for other in neighbours:
            if other.account_id == link.account_id:
                check_holder(other, link.citizen_id)
        place = free_place(occupied, client.policy)
    except LinkRefusedError as refused:
        raise InvalidGrantError("the account link cannot be made", detail=refused.refusal.value) from refused
    after, event = activate(link, place, client.policy, actor, now)
    return Redemption(link, after, event)
