"""The audit log in memory: appended, sealed once, read in pages."""

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.audit.chain import GENESIS, START, Head, SealedEvent, seal
from idp.audit.events import PROVIDER, Actor, ActorKind, Event
from idp.store.encoding import micros
from idp.store.places import NEWEST
from idp.store.writes import GateClosedError, UniquenessError
from tests.support.stores import NOW, Memory

pytestmark = pytest.mark.anyio


def event(second: int, link_id: str | None = "link-1") -> Event:
    return Event(
        "account_link:suspended",
        Actor(ActorKind.OPERATOR, "minh"),
        NOW + timedelta(seconds=second),
        client_id="network",
        citizen_id="citizen-1",
        link_id=link_id,
        details={"because": "báo cáo"},
    )


async def append(memory: Memory, *events: Event) -> None:
    uow = memory.unit_of_work()
    uow.ledger.append_many(events)
    await uow.commit()


async def sealed_by_one(memory: Memory, limit: int = 100) -> list[SealedEvent]:
    uow = memory.unit_of_work()
    head = await uow.ledger.head()
    sealed = seal(await uow.ledger.unsealed(limit), head)
    uow.ledger.seal(sealed, head, NOW)
    await uow.commit()
    return sealed


def seconds(events: list[SealedEvent]) -> list[int]:
    return [(one.occurred_at - micros(NOW)) // 1_000_000 for one in events]


async def test_an_event_comes_back_as_it_was_told(memory: Memory) -> None:
    uow = memory.unit_of_work()
    uow.ledger.append(event(0))
    uow.ledger.append(Event("keys:rotated", PROVIDER, NOW + timedelta(1)))
    await uow.commit()
    full, bare = await uow.ledger.unsealed(10)
    assert replace(full, event_id="") == SealedEvent(
        0,
        "",
        micros(NOW),
        "account_link:suspended",
        "operator",
        "minh",
        "network",
        "citizen-1",
        "link-1",
        '{"because":"báo cáo"}',
        b"",
    )
    assert (bare.client_id, bare.citizen_id, bare.link_id, bare.details) == (None, None, None, "{}")
    assert full.event_id != bare.event_id


async def test_the_log_begins_with_a_head_and_nothing_to_seal(memory: Memory) -> None:
    ledger = memory.unit_of_work().ledger
    assert await ledger.head() == START == Head(0, GENESIS)
    assert await ledger.waiting() == (0, None)
    assert await ledger.sealed(None, 10) == []


async def test_events_are_sealed_oldest_first_and_read_in_the_order_of_the_chain(memory: Memory) -> None:
    await append(memory, event(3), event(1), event(2))
    ledger = memory.unit_of_work().ledger
    assert await ledger.waiting() == (3, micros(NOW + timedelta(seconds=1)))
    assert seconds(await ledger.unsealed(2)) == [1, 2]
    first = await sealed_by_one(memory, limit=2)
    await append(memory, event(0))
    second = await sealed_by_one(memory)
    assert await ledger.sealed(None, 10) == [*first, *second]
    assert await ledger.sealed(first[0], 2) == [first[1], second[0]]
    assert seconds([*first, *second]) == [1, 2, 0, 3]
    assert await ledger.head() == Head(4, second[-1].chain_hash)
    assert await ledger.waiting() == (0, None)
    assert seconds(await ledger.latest(2)) == [3, 2]


async def test_of_two_sequencers_one_seals(memory: Memory) -> None:
    await append(memory, event(1), event(2))
    slow = memory.unit_of_work()
    head = await slow.ledger.head()
    events = seal(await slow.ledger.unsealed(10), head)
    quick = await sealed_by_one(memory, limit=1)
    before = await memory.everything()
    slow.ledger.seal(events, head, NOW)
    with pytest.raises(GateClosedError, match="audit_head"):
        await slow.commit()
    assert await memory.everything() == before
    assert await slow.ledger.sealed(None, 10) == quick


async def test_a_place_in_the_chain_is_taken_once(memory: Memory) -> None:
    await append(memory, event(1), event(2))
    uow = memory.unit_of_work()
    first, second = seal(await uow.ledger.unsealed(10), START)
    uow.ledger.seal([first, replace(second, sequence=1)], START, NOW)
    with pytest.raises(UniquenessError) as refused:
        await uow.commit()
    assert refused.value.index == "uq_audit_events_sequence"
    assert await uow.ledger.head() == START
    assert await uow.ledger.waiting() == (2, micros(NOW + timedelta(seconds=1)))


async def test_the_history_of_a_link_comes_newest_first_in_pages_by_time(memory: Memory) -> None:
    await append(memory, event(1), event(2), event(3), event(4, "link-2"), event(5, None))
    ledger = memory.unit_of_work().ledger
    assert seconds(await ledger.of_link("link-1")) == [3, 2, 1]
    assert seconds(await ledger.of_link("link-1", limit=2)) == [3, 2]
    before = micros(NOW + timedelta(seconds=2))
    assert seconds(await ledger.of_link("link-1", before=(before, ""))) == [1]
    assert await ledger.of_link("link-3") == []


async def test_the_history_of_a_link_leaves_out_nothing_that_happened_in_one_microsecond(
    memory: Memory,
) -> None:
    await append(memory, *(event(2) for _ in range(7)), event(1), event(3))
    ledger = memory.unit_of_work().ledger
    whole = await ledger.of_link("link-1")
    assert seconds(whole) == [3, *[2] * 7, 1]
    paged, before = await ledger.of_link("link-1", limit=2), NEWEST
    while len(paged) < len(whole):
        before = (paged[-1].occurred_at, paged[-1].event_id)
        paged += await ledger.of_link("link-1", before=before, limit=2)
    assert paged == whole
    assert await ledger.of_link("link-1", before=(whole[-1].occurred_at, whole[-1].event_id)) == []
