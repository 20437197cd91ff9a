"""Changes of links: recorded with the move, placed later by one writer, read in that order."""

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.audit.events import PROVIDER
from idp.identity.account_links import AccountLink, Status, move
from idp.identity.link_changes import ChangeKind
from idp.store.link_changes import HEAD
from idp.store.writes import GateClosedError
from tests.support.protocol_builders import NOW, make_link
from tests.support.stores import Memory, make_person

pytestmark = pytest.mark.anyio
LATER = NOW + timedelta(seconds=1)


async def added(memory: Memory, **changes: object) -> AccountLink:
    await memory.add_people(make_person("citizen-1"))
    uow = memory.unit_of_work()
    uow.account_links.add(make_link(**changes), NOW)
    await uow.commit()
    link = await memory.unit_of_work().account_links.find("link-1")
    assert link is not None
    return link


async def moved(memory: Memory, link: AccountLink, to: Status) -> AccountLink:
    uow = memory.unit_of_work()
    now = LATER if to is Status.SUSPENDED else LATER + timedelta(seconds=1)
    after, _ = move(link, to, PROVIDER, "tested", now)
    uow.account_links.move(link, after, now)
    await uow.commit()
    found = await uow.account_links.find(link.link_id)
    assert found is not None
    return found


async def placed(memory: Memory) -> int:
    uow = memory.unit_of_work()
    waiting = await uow.link_changes.unsequenced(10)
    uow.link_changes.sequence(waiting, await uow.link_changes.head())
    await uow.commit()
    return len(waiting)


async def test_a_move_is_told_and_read_only_once_it_has_its_place(memory: Memory) -> None:
    suspended = await moved(memory, await added(memory), Status.SUSPENDED)
    await moved(memory, suspended, Status.ENDED)
    changes = memory.unit_of_work().link_changes
    assert await changes.since(0, 10) == []
    assert await placed(memory) == 2
    read = await changes.of_client_since("network", 0, 10)
    assert [(change.kind, change.status, change.position) for change in read] == [
        (ChangeKind.SUSPENDED, Status.SUSPENDED, 1),
        (ChangeKind.ENDED, Status.ENDED, 2),
    ]
    assert [change.position for change in await changes.since(1, 10)] == [2]
    assert await changes.of_client_since("another", 0, 10) == []
    assert await changes.head() == 2
    assert await changes.waiting() == (0, None)


async def test_a_link_that_was_never_redeemed_is_nobodys_news(memory: Memory) -> None:
    nothing = {"place": None, "linked_at": None, "expires_at": None}
    await moved(memory, await added(memory, status=Status.PENDING, **nothing), Status.ENDED)
    assert await memory.unit_of_work().link_changes.unsequenced(10) == []


async def test_of_two_who_give_places_one_does(memory: Memory) -> None:
    await moved(memory, await added(memory), Status.SUSPENDED)
    first, second = memory.unit_of_work(), memory.unit_of_work()
    waiting = await first.link_changes.unsequenced(10)
    first.link_changes.sequence(waiting, 0)
    second.link_changes.sequence(waiting, 0)
    await first.commit()
    with pytest.raises(GateClosedError, match="consumer_advanced"):
        await second.commit()


async def test_a_change_within_a_state_needs_the_link_as_it_was_read(memory: Memory) -> None:
    link = await added(memory)
    renamed = replace(link, handle="@new")
    first, second = memory.unit_of_work(), memory.unit_of_work()
    for uow in (first, second):
        uow.account_links.change(link, renamed, ChangeKind.UPDATED, LATER, {"changed": "handle"})
    await first.commit()
    with pytest.raises(GateClosedError, match="account_link_changed"):
        await second.commit()
    found = await memory.unit_of_work().account_links.find("link-1")
    assert found is not None
    assert found.handle == "@new"
    (told,) = await memory.unit_of_work().link_changes.unsequenced(10)
    assert (told.kind, told.details) == (ChangeKind.UPDATED, {"changed": "handle"})


async def test_a_consumer_begins_once_and_advances_from_where_it_stands(memory: Memory) -> None:
    uow = memory.unit_of_work()
    assert await uow.link_changes.consumed("test") == 0
    uow.link_changes.begin("test")
    await uow.commit()
    uow.link_changes.advance("test", 0, 7)
    await uow.commit()
    uow.link_changes.begin("test")
    await uow.commit()
    assert await uow.link_changes.consumed("test") == 7
    assert await uow.link_changes.consumed(HEAD) == 0
