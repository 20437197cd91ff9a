"""Building status lists: what became of links is written into their lists, in the order of the changes.

Whatever happens, a change is built in: lists are written first, then, in the same commit, how far the builder
has come. Building the same change twice writes the same value, for it is the link's state that is written.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from idp.identity.account_links import AccountLink
from idp.identity.link_status import LinkStatus, link_status
from idp.protocol.status_list import changed_array
from idp.store.encoding import moment
from idp.store.status_lists import COMPLETE, ListedChange, Statuses
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.status_indexes import reserve_indexes

CONSUMER = "status_lists"
BATCH = 5000
ENLISTED_AT_ONCE = 200

OpenUnitOfWork = Callable[[], UnitOfWork]


async def build_status_lists(open_unit_of_work: OpenUnitOfWork, holder: str, now: datetime) -> int:
    """Build every change in that has its position; return how many there were.

    Then note up to which moment lists are complete: now, or when the oldest change occurred that has no
    position yet. Lists expire some time after that moment, so that one nobody builds says so by itself.
    """
    _, oldest = await open_unit_of_work().link_changes.waiting()
    built = 0
    while batch := await build_in(open_unit_of_work(), now):
        built += batch
    complete_at = now if oldest is None else min(now, moment(oldest))
    await open_unit_of_work().leases.take(COMPLETE, holder, complete_at, timedelta(0))
    return built


async def build_in(uow: UnitOfWork, now: datetime, limit: int = BATCH) -> int:
    """Build one batch of changes in; return how many. 0 when there were none, or another was faster."""
    before = await uow.link_changes.consumed(CONSUMER)
    changes = await uow.status_lists.changes_since(before, limit)
    if not changes:
        return 0
    for list_id, values in _by_list(changes).items():
        found = await uow.status_lists.find(list_id)
        if found is not None:
            await _rewrite(uow, found, values, now)
    # Last of all: a list that was written and is written again is none the worse for it.
    uow.link_changes.advance(CONSUMER, before, changes[-1].position)
    try:
        await uow.commit()
    except GateClosedError:
        return 0
    return len(changes)


async def _rewrite(uow: UnitOfWork, found: Statuses, values: dict[int, LinkStatus], now: datetime) -> None:
    """Write values into a list, if they change it: a new link is valid, as its index was before."""
    changed = await asyncio.to_thread(changed_array, found.compressed, values)
    if changed is not found.compressed:
        uow.status_lists.rewrite(found, changed, now)


def _by_list(changes: Sequence[ListedChange]) -> dict[str, dict[int, LinkStatus]]:
    lists: dict[str, dict[int, LinkStatus]] = defaultdict(dict)
    for change in changes:
        if change.list_id is not None and change.index is not None:
            lists[change.list_id][change.index] = link_status(change.status)
    return lists


async def enlist_old_links(open_unit_of_work: OpenUnitOfWork, now: datetime) -> int:
    """Give indexes to links that were made before there were lists; return how many were looked at.

    What a list is to say of a link is written before the link refers to it. Whoever suspends, ends or renews
    the link meanwhile wins: it is left alone, and the next round finds it as it is then.
    """
    links = await open_unit_of_work().status_lists.unlisted_links(ENLISTED_AT_ONCE)
    of_clients: dict[str, list[AccountLink]] = defaultdict(list)
    for link in links:
        of_clients[link.client_id].append(link)
    for client_id, own in of_clients.items():
        await _enlist(open_unit_of_work, client_id, own, now)
    return len(links)


async def _enlist(
    open_unit_of_work: OpenUnitOfWork, client_id: str, links: Sequence[AccountLink], now: datetime
) -> None:
    list_id, drawn = await reserve_indexes(open_unit_of_work(), client_id, len(links), now)
    indexes = dict(zip(drawn, links, strict=True))
    uow = open_unit_of_work()
    found = await uow.status_lists.find(list_id)
    if found is None:
        return
    await _rewrite(uow, found, {index: link_status(link.status) for index, link in indexes.items()}, now)
    uow.status_lists.enlist(list_id, indexes)
    try:
        await uow.commit()
    except GateClosedError:
        # Another builder wrote the list meanwhile; the links wait for the next round.
        return
