"""Changes of links become notices to their holders: whoever did it, also the holder. Abuse cases P1, P4."""

from collections.abc import Sequence
from datetime import datetime

from idp.audit.events import PROVIDER, Event
from idp.deliveries.world import World
from idp.identity.account_links import AccountLink
from idp.identity.link_changes import ChangeKind, LinkChange
from idp.identity.notices import QUICK_WITHIN, Notice, NoticeKind, link_notice, links_quickly
from idp.store.unit_of_work import UnitOfWork

QUICKLY_EVENT = "citizen:links_quickly"


async def record_notices(
    world: World, uow: UnitOfWork, followed: Sequence[tuple[LinkChange, AccountLink]], now: datetime
) -> None:
    """Record what holders are told, and who links accounts more quickly than people do."""
    notices: list[Notice] = []
    for change, link in followed:
        kind = link_notice(change.kind, _because(change, link))
        if kind is not None:
            notices.append(Notice(kind, link.citizen_id, link.client_id, link.link_id))
    notices += await _quick_ones(world, uow, followed, now)
    uow.notices.tell_many(notices, now)


def _because(change: LinkChange, link: AccountLink) -> str | None:
    """Return why a link was suspended or ended, as far as it still stands so."""
    return link.ended_because if change.kind is ChangeKind.ENDED else link.suspended_because


async def _quick_ones(
    world: World, uow: UnitOfWork, followed: Sequence[tuple[LinkChange, AccountLink]], now: datetime
) -> list[Notice]:
    """Record the signal once a day for each person, and return what they are told."""
    linking = {link.citizen_id for change, link in followed if change.kind is ChangeKind.ESTABLISHED}
    if not linking:
        return []
    notices = []
    since, most = now - QUICK_WITHIN, world.people.quick_networks
    for citizen_id, networks in (await uow.followed_links.networks_since(linking, since)).items():
        is_signal = links_quickly(networks, most) and not await uow.notices.was_told_since(
            citizen_id, NoticeKind.LINKS_QUICKLY, since
        )
        if is_signal:
            uow.ledger.append(Event(QUICKLY_EVENT, PROVIDER, now, citizen_id=citizen_id))
            count = {"count": str(networks)}
            notices.append(Notice(NoticeKind.LINKS_QUICKLY, citizen_id, details=count))
    return notices
