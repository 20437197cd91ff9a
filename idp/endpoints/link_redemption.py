"""What redeeming a code does to the account link behind it. Domain rule R1, abuse case P3.

A pending link becomes active; a lapsed one of the same person is renewed, and so is an active one that was to
be verified again and that the person signed in for since then; any other active one was used.
The store's unique indexes decide races: what is read here may be overtaken, what is written cannot.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from idp.audit.events import PROVIDER, Actor, ActorKind, Event
from idp.identity.account_links import (
    AccountLink,
    LinkRefusedError,
    Status,
    activate,
    check_holder,
    free_place,
    move,
    occupied_places,
)
from idp.identity.citizens import Citizen
from idp.identity.freezes import check_not_frozen
from idp.identity.link_upkeep import is_verified_again, renew
from idp.protocol.errors import InvalidGrantError
from idp.protocol.model import Client
from idp.store.unit_of_work import UnitOfWork
from idp.web.status_indexes import StatusIndexes


@dataclass(frozen=True, slots=True)
class Redemption:
    """A link before and after; both None where no account is linked."""

    before: AccountLink | None
    after: AccountLink | None
    events: tuple[Event, ...] = ()
    approval_id: str | None = None
    """The guardian's approval that is used up by it."""

    async def listed(self, indexes: StatusIndexes) -> "Redemption":
        """Return it with an index in a status list, for a link that is made or moved and has none yet."""
        link = self.after
        if link is None or not self.events or link.status_list_id is not None:
            return self
        list_id, index = await indexes.take(link.client_id)
        return replace(self, after=replace(link, status_list_id=list_id, status_index=index))

    def record(self, uow: UnitOfWork, now: datetime) -> None:
        """Record the move with its event, or the mere use."""
        if self.before is None or self.after is None:
            return
        if not self.events:
            uow.account_links.touch(self.after.link_id, now)
            return
        if self.approval_id is not None:
            uow.guardian_requests.use(self.approval_id, now)
        uow.account_links.move(self.before, self.after, now)
        for event in self.events:
            uow.ledger.append(event)


async def redeem_link(
    uow: UnitOfWork,
    client: Client,
    link: AccountLink | None,
    now: datetime,
    *,
    citizen: Citizen,
    authenticated_at: datetime,
    policy_version: int,
    is_first_try: bool,
) -> Redemption:
    """Decide what becomes of the link. Raises InvalidGrantError when it cannot be made any more.

    The first try takes the place that was free when the person agreed, without looking: the indexes
    know. When they refuse, the next try looks. The platform is told no more than that it cannot be made;
    why concerns the person, who was shown it or will be.
    """
    actor = Actor(ActorKind.CLIENT, client.client_id)
    if link is not None and not link.is_expired(now) and is_verified_again(link, authenticated_at):
        renewed, event = renew(link, client.policy, actor, now)
        return Redemption(link, replace(renewed, policy_version=policy_version), (event,))
    if link is None or not _is_due(link, now):
        return Redemption(link, link)
    _check_not_frozen(citizen, link, now)
    events: tuple[Event, ...] = ()
    before = link
    if link.status is Status.ACTIVE:
        # Its validity is over and housekeeping was not here yet; the history tells both moves.
        link, lapsed = move(link, Status.LAPSED, PROVIDER, "validity_over", now)
        events = (lapsed,)
    place = link.place
    if place is None or place > client.policy.max_links_per_citizen or not is_first_try:
        place = await _free_place(uow, client, link)
    after, event = activate(link, place, client.policy, actor, now)
    return Redemption(before, replace(after, policy_version=policy_version), (*events, event))


def _check_not_frozen(citizen: Citizen, link: AccountLink, now: datetime) -> None:
    """Check that the person did not freeze new links since they agreed. Raises InvalidGrantError."""
    try:
        check_not_frozen(citizen, link, now)
    except LinkRefusedError as refused:
        raise InvalidGrantError("the account link cannot be made", detail=refused.refusal.value) from refused


def _is_due(link: AccountLink, now: datetime) -> bool:
    """Tell whether redeeming makes this link active: a new one, or one whose validity is over."""
    if link.status is Status.ACTIVE:
        return link.is_expired(now)
    return link.status in {Status.PENDING, Status.LAPSED}


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
