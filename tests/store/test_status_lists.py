"""Status lists on both engines: indexes are reserved once whoever asks, and both halves of a row go alone."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from idp.identity.account_links import Status
from idp.protocol.status_list import changed_array, value_at
from idp.store.status_lists import COMPLETE
from idp.store.writes import GateClosedError
from idp.web.status_indexes import reserve_indexes
from tests.support.protocol_builders import NOW, make_link
from tests.support.stores import Memory, make_person

pytestmark = pytest.mark.anyio


async def reserved(memory: Memory, count: int = 4, client_id: str = "network") -> tuple[str, list[int]]:
    return await reserve_indexes(memory.unit_of_work(), client_id, count, NOW)


async def test_many_processes_at_once_never_reserve_the_same_index(memory: Memory) -> None:
    await reserved(memory)
    blocks = await asyncio.gather(*(reserved(memory, 16) for _ in range(6)))
    assert len({list_id for list_id, _ in blocks}) == 1
    indexes = [index for _, block in blocks for index in block]
    assert len(set(indexes)) == len(indexes) == 96


async def test_a_list_belongs_to_one_client(memory: Memory) -> None:
    """Abuse case P7: no list, and so no address, is common to two platforms."""
    [mine, _], [others, _] = await reserved(memory), await reserved(memory, client_id="another")
    lists = memory.unit_of_work().status_lists
    assert mine != others
    assert await lists.of_client("network") == [mine]
    assert await lists.of_client("another") == [others]
    assert await lists.of_client("nobody") == []


async def test_when_a_list_is_full_the_next_one_takes_over(memory: Memory) -> None:
    first, _ = await reserved(memory)
    uow = memory.unit_of_work()
    nearly = await uow.status_lists.with_room("network", 1)
    assert nearly is not None
    uow.status_lists.take(nearly, nearly.taken, nearly.free - 3)
    await uow.commit()
    assert await memory.unit_of_work().status_lists.with_room("network", 4) is None
    second, _ = await reserve_indexes(memory.unit_of_work(), "network", 4, NOW + timedelta(seconds=1))
    assert second != first
    assert (await reserved(memory, 3))[0] == first, "what is left is given to whoever needs no more"


async def test_reserving_and_rewriting_do_not_stand_in_each_others_way(memory: Memory) -> None:
    list_id, [index, *_] = await reserved(memory)
    uow, other = memory.unit_of_work(), memory.unit_of_work()
    occupancy, statuses = await uow.status_lists.with_room("network", 4), await uow.status_lists.find(list_id)
    assert occupancy is not None
    assert statuses is not None
    other.status_lists.take(occupancy, occupancy.taken, 4)
    await other.commit()
    uow.status_lists.rewrite(statuses, changed_array(statuses.compressed, {index: 2}), NOW)
    await uow.commit()
    written = await memory.unit_of_work().status_lists.find(list_id)
    assert written is not None
    assert (value_at(written.compressed, index), written.version) == (2, statuses.version + 1)


async def test_a_list_is_rewritten_by_one_of_many(memory: Memory) -> None:
    list_id, _ = await reserved(memory)
    statuses = await memory.unit_of_work().status_lists.find(list_id)
    assert statuses is not None
    for outcome in ("first", "second"):
        uow = memory.unit_of_work()
        uow.status_lists.rewrite(statuses, statuses.compressed, NOW)
        if outcome == "first":
            await uow.commit()
            continue
        with pytest.raises(GateClosedError, match="status_list_rewritten"):
            await uow.commit()


async def test_an_edition_tells_up_to_which_moment_it_is_complete(memory: Memory) -> None:
    list_id, _ = await reserved(memory)
    uow = memory.unit_of_work()
    begun = await uow.status_lists.edition(list_id)
    assert begun is not None
    assert (begun.client_id, begun.version, begun.complete_at) == ("network", 1, NOW)
    later = NOW.replace(hour=9)
    assert await uow.leases.take(COMPLETE, "builder", later, later - later)
    edition = await uow.status_lists.edition(list_id)
    assert edition is not None
    assert edition.complete_at == later
    assert await uow.status_lists.edition("unknown") is None


async def test_links_of_earlier_days_are_found_and_listed_unless_they_move_meanwhile(memory: Memory) -> None:
    await memory.add_people(make_person("citizen-1"))
    uow = memory.unit_of_work()
    for number, status in enumerate(Status):
        link = make_link(
            link_id=f"link-{status}", account_id=f"account-{number}", place=number, status=status
        )
        uow.account_links.add(link, NOW)
    await uow.commit()
    unlisted = await uow.status_lists.unlisted_links(10)
    assert {link.status for link in unlisted} == {Status.ACTIVE, Status.SUSPENDED, Status.LAPSED}
    by_status = {link.status: link for link in unlisted}
    moved = replace(by_status[Status.SUSPENDED], status=Status.LAPSED)
    uow.status_lists.enlist("list-1", {7: by_status[Status.ACTIVE], 8: moved})
    await uow.commit()
    uow.status_lists.enlist("list-2", {9: by_status[Status.ACTIVE]})
    await uow.commit()
    listed = await uow.account_links.find("link-active")
    assert listed is not None
    assert (listed.status_list_id, listed.status_index) == ("list-1", 7), "an index is given once"
    left = await uow.status_lists.unlisted_links(10)
    assert {link.status for link in left} == {Status.SUSPENDED, Status.LAPSED}
