"""The builder: every change reaches its list once or twice, and never not at all."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from idp.audit.events import PROVIDER
from idp.housekeeping.__main__ import BUILD_EVERY, EXPIRE_EVERY
from idp.housekeeping.status_lists import CONSUMER, build_in, build_status_lists, enlist_old_links
from idp.identity.account_links import AccountLink, Status, move
from idp.identity.link_status import LinkStatus
from idp.protocol.status_list import MAX_AGE, TTL, value_at
from idp.store.status_lists import COMPLETE
from idp.web.status_indexes import reserve_indexes
from idp.web.status_lists import LOOK_EVERY
from tests.support.protocol_builders import NOW, make_link
from tests.support.stores import Memory, make_person, opened_memory

pytestmark = pytest.mark.anyio
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
async def memory(anyio_backend: str, database_url: str) -> AsyncIterator[Memory]:
    async with opened_memory(database_url) as opened:
        await opened.add_people(make_person("citizen-1"))
        yield opened


async def linked(memory: Memory, count: int, **changes: Any) -> list[AccountLink]:
    """Make active links, with indexes unless told otherwise."""
    list_id, indexes = await reserve_indexes(memory.unit_of_work(), "network", count, NOW)
    uow = memory.unit_of_work()
    for number, index in enumerate(indexes):
        facts = {"status_list_id": list_id, "status_index": index} | changes
        link = make_link(link_id=f"link-{number}", account_id=f"account-{number}", place=number, **facts)
        uow.account_links.add(link, NOW)
    await uow.commit()
    return [await found(memory, f"link-{number}") for number in range(count)]


async def found(memory: Memory, link_id: str) -> AccountLink:
    link = await memory.unit_of_work().account_links.find(link_id)
    assert link is not None
    return link


async def moved(memory: Memory, link: AccountLink, to: Status, now: datetime = LATER) -> AccountLink:
    uow = memory.unit_of_work()
    after, _ = move(link, to, PROVIDER, "tested", now)
    uow.account_links.move(link, after, now)
    await uow.commit()
    return await found(memory, link.link_id)


async def placed(memory: Memory) -> None:
    """Do what the fan-out does: give waiting changes their positions."""
    uow = memory.unit_of_work()
    uow.link_changes.sequence(await uow.link_changes.unsequenced(100), await uow.link_changes.head())
    await uow.commit()


async def build(memory: Memory, now: datetime = LATER) -> int:
    return await build_status_lists(memory.unit_of_work, "builder", now)


async def told(memory: Memory, links: list[AccountLink]) -> Mapping[str, LinkStatus]:
    statuses: dict[str, LinkStatus] = {}
    for link in links:
        now = await found(memory, link.link_id)
        assert now.status_list_id is not None
        assert now.status_index is not None
        written = await memory.unit_of_work().status_lists.find(now.status_list_id)
        assert written is not None
        statuses[link.link_id] = LinkStatus(value_at(written.compressed, now.status_index))
    return statuses


async def test_every_state_reaches_the_list(memory: Memory) -> None:
    links = await linked(memory, 4)
    await moved(memory, links[1], Status.SUSPENDED)
    await moved(memory, links[2], Status.LAPSED)
    await moved(memory, links[3], Status.ENDED)
    assert set((await told(memory, links)).values()) == {LinkStatus.VALID}
    assert await build(memory) == 0, "nothing is built before it has its place among all changes"
    await placed(memory)
    assert await build(memory) == 3
    assert list((await told(memory, links)).values()) == [
        LinkStatus.VALID,
        LinkStatus.SUSPENDED,
        LinkStatus.LAPSED,
        LinkStatus.INVALID,
    ]
    suspended = await found(memory, "link-1")
    await moved(memory, suspended, Status.ACTIVE)
    await placed(memory)
    assert await build(memory) == 1
    assert (await told(memory, links))["link-1"] is LinkStatus.VALID


async def test_new_links_are_valid_already_and_write_no_list(memory: Memory) -> None:
    """The rush makes links by the million: none of them costs the builder a list."""
    [link] = await linked(memory, 1, status=Status.PENDING)
    assert link.status_list_id is not None
    before = await memory.unit_of_work().status_lists.edition(link.status_list_id)
    await moved(memory, link, Status.ACTIVE)
    await placed(memory)
    assert await build(memory) == 1
    assert before is not None
    after = await memory.unit_of_work().status_lists.edition(link.status_list_id)
    assert after is not None
    assert after.version == before.version


async def test_many_builders_at_once_build_everything_once(memory: Memory) -> None:
    links = await linked(memory, 6)
    for link in links:
        await moved(memory, link, Status.SUSPENDED)
    await placed(memory)
    await asyncio.gather(*(build_in(memory.unit_of_work(), LATER, 2) for _ in range(4)))
    while await build_in(memory.unit_of_work(), LATER, 2):
        pass
    assert set((await told(memory, links)).values()) == {LinkStatus.SUSPENDED}
    assert await memory.unit_of_work().link_changes.consumed(CONSUMER) == len(links)


async def test_a_builder_that_dies_before_its_commit_loses_nothing(memory: Memory) -> None:
    links = await linked(memory, 2)
    await moved(memory, links[0], Status.ENDED)
    await placed(memory)
    dying = memory.unit_of_work()
    changes = await dying.status_lists.changes_since(0, 10)
    assert [change.status for change in changes] == [Status.ENDED]
    assert await build(memory) == 1
    assert (await told(memory, links))["link-0"] is LinkStatus.INVALID


async def test_lists_are_complete_up_to_now_or_to_the_oldest_change_that_waits(memory: Memory) -> None:
    """Whoever reads a list is never told that it is newer than it is."""
    links = await linked(memory, 2)
    list_id = links[0].status_list_id or ""
    await build(memory, LATER)
    edition = await memory.unit_of_work().status_lists.edition(list_id)
    assert edition is not None
    assert edition.complete_at == LATER
    changed_at, much_later = LATER + timedelta(seconds=5), LATER + timedelta(hours=1)
    await moved(memory, links[0], Status.SUSPENDED, changed_at)
    await build(memory, much_later)
    edition = await memory.unit_of_work().status_lists.edition(list_id)
    assert edition is not None
    assert edition.complete_at == changed_at
    await placed(memory)
    await build(memory, much_later)
    edition = await memory.unit_of_work().status_lists.edition(list_id)
    assert edition is not None
    assert edition.complete_at == much_later


async def test_links_older_than_lists_get_an_index_and_their_state(memory: Memory) -> None:
    links = await linked(memory, 3, status_list_id=None, status_index=None)
    await moved(memory, links[1], Status.SUSPENDED)
    await moved(memory, links[2], Status.ENDED)
    await placed(memory)
    await build(memory)
    assert await enlist_old_links(memory.unit_of_work, LATER) == 2
    assert await enlist_old_links(memory.unit_of_work, LATER) == 0
    assert list((await told(memory, links[:2])).values()) == [LinkStatus.VALID, LinkStatus.SUSPENDED]
    assert (await found(memory, "link-2")).status_list_id is None, "what ended needs no place"
    await moved(memory, await found(memory, "link-0"), Status.ENDED)
    await placed(memory)
    await build(memory)
    assert (await told(memory, links[:1]))["link-0"] is LinkStatus.INVALID


async def test_an_index_is_never_given_again_after_its_link_ended(memory: Memory) -> None:
    [link] = await linked(memory, 1)
    await moved(memory, link, Status.ENDED)
    _, drawn = await reserve_indexes(memory.unit_of_work(), "network", 5000, LATER)
    assert link.status_index not in drawn


async def test_the_builder_holds_its_own_lease_at_the_end_of_a_round(memory: Memory) -> None:
    await build(memory)
    uow = memory.unit_of_work()
    assert not await uow.leases.take(COMPLETE, "another", NOW, timedelta(0)), "time does not go backwards"
    assert await uow.leases.take(COMPLETE, "another", LATER, timedelta(0))


def test_a_change_is_seen_within_a_minute() -> None:
    """Issue: 60 seconds in all. A link that runs out is noticed last; the fan-out needs a second."""
    kept = (LOOK_EVERY + MAX_AGE + TTL).total_seconds()
    assert EXPIRE_EVERY + 1 + BUILD_EVERY + kept < 60
