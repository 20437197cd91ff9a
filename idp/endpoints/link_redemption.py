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
    occupied_places,
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


async def redeem_link(
    uow: UnitOfWork, client: Client, link: AccountLink | None, now: datetime, *, is_first_try: bool
) -> Redemption:
    """Decide what becomes of the link. Raises InvalidGrantError when it cannot be made any more.

    The first try takes the place that was free when the person agreed, without looking: the indexes
    know. When they refuse, the next try looks. The platform is told no more than that it cannot be made;
    why concerns the person, who was shown it or will be.
    """
    if link is None or link.status not in {Status.PENDING, Status.LAPSED}:
        return Redemption(link, link)
    place = link.place
    if place is None or place > client.policy.max_links_per_citizen or not is_first_try:
        place = await _free_place(uow, client, link)
    after, event = activate(link, place, client.policy, Actor(ActorKind.CLIENT, client.client_id), now)
    return Redemption(link, after, event)


async def _free_place(uow: UnitOfWork, client: Client, link: AccountLink) -> int:
    neighbours = await uow.account_links.neighbours(link.client_id, link.account_id, link.citizen_id)
    others = [other for other in neighbours if other.link_id != link.link_id]
    try:
        for other in others:
            if other.account_id == link.account_id:
                check_holder(other, link.citizen_id)
        return free_place(occupied_places(others, link.citizen_id), client.policy)
    except LinkRefusedError as refused:
        raise InvalidGrantError("the account link cannot be made", detail=refused.refusal.value) from refused
