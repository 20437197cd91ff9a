"""The outbox on both engines: told in order, claimed once, postponed, parked, and sealed where it lies."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from idp.store.outbox import Delivery, Queue, State
from idp.store.sessions import LOOK_AFTER, SESSION_ENDED
from idp.store.tables import sessions
from idp.store.writes import Change, GateClosedError
from tests.support.stores import NOW, Memory, make_person, make_session

pytestmark = pytest.mark.anyio
SECOND = timedelta(seconds=1)
LEASE = timedelta(seconds=30)


def make_delivery(delivery_id: str = "delivery-1", **changes: Any) -> Delivery:
    facts: dict[str, Any] = {
        "delivery_id": delivery_id,
        "kind": "backchannel_logout",
        "client_id": "network",
        "ordering_key": delivery_id,
        "content": {"subject": "the-subject"},
        "created_at": NOW,
        "next_attempt_at": NOW,
    }
    return Delivery(**(facts | changes))


async def added(memory: Memory, *deliveries: Delivery) -> None:
    uow = memory.unit_of_work()
    for delivery in deliveries:
        uow.outbox.add(delivery)
    await uow.commit()


async def due(memory: Memory, later: timedelta = timedelta(0), limit: int = 10) -> Sequence[Delivery]:
    outbox, now = memory.unit_of_work().outbox, NOW + later
    return [
        delivery
        for client_id in sorted(await outbox.clients_due(now))
        for delivery in await outbox.due(client_id, now, limit=limit)
    ]


async def claimed(memory: Memory, delivery: Delivery, later: timedelta = LEASE) -> Delivery:
    taken = await memory.unit_of_work().outbox.claim(delivery, NOW + later)
    assert taken is not None
    return taken


async def test_a_delivery_comes_back_as_it_was_given_and_lies_sealed(memory: Memory) -> None:
    await added(memory, make_delivery())
    assert await memory.unit_of_work().outbox.find("delivery-1") == make_delivery()
    assert await memory.contains("the-subject") == []
    assert await memory.unit_of_work().outbox.find("another") is None


async def test_what_is_recorded_with_a_change_that_fails_is_not_told(memory: Memory) -> None:
    never = Change(
        "never",
        sessions,
        where=lambda bind: sessions.c.session_id == bind("id"),
        values=lambda bind: {"acr": bind("id")},
        gate=True,
    )
    uow = memory.unit_of_work()
    uow.record(never, id="nobody")
    uow.outbox.add(make_delivery())
    with pytest.raises(GateClosedError):
        await uow.commit()
    assert await due(memory) == []


async def test_one_with_the_same_id_is_told_once(memory: Memory) -> None:
    await added(memory, make_delivery(), make_delivery(content={"subject": "another"}))
    await added(memory, make_delivery(content={"subject": "another"}))
    assert await due(memory) == [make_delivery()]


async def test_nothing_is_due_before_its_time(memory: Memory) -> None:
    await added(memory, make_delivery(next_attempt_at=NOW + SECOND))
    assert await due(memory) == []
    assert len(await due(memory, SECOND)) == 1


async def test_of_many_workers_one_claims_and_the_attempt_is_counted(memory: Memory) -> None:
    await added(memory, make_delivery())
    (found,) = await due(memory)
    claims = await asyncio.gather(
        *(memory.unit_of_work().outbox.claim(found, NOW + LEASE + number * SECOND) for number in range(20))
    )
    (won,) = [claim for claim in claims if claim is not None]
    assert won.attempts == 1
    assert await due(memory) == [], "it is under way"
    (again,) = await due(memory, 2 * LEASE)
    assert again == won, "and is anybody's again when its worker died"


async def test_what_was_told_is_never_due_again_even_when_the_claim_has_passed_on(memory: Memory) -> None:
    await added(memory, make_delivery())
    first = await claimed(memory, (await due(memory))[0])
    second = await claimed(memory, (await due(memory, 2 * LEASE))[0], 3 * LEASE)
    uow = memory.unit_of_work()
    uow.outbox.delivered(first, NOW + SECOND)
    uow.outbox.postpone(second, NOW, "the slower one failed")
    await uow.commit()
    assert await due(memory, timedelta(days=30)) == []
    found = await uow.outbox.find("delivery-1")
    assert found is not None
    assert (found.delivered_at, found.last_failure) == (NOW + SECOND, None)


async def test_a_failure_postpones_only_under_the_claim_that_stands(memory: Memory) -> None:
    await added(memory, make_delivery())
    first = await claimed(memory, (await due(memory))[0])
    second = await claimed(memory, (await due(memory, 2 * LEASE))[0], 3 * LEASE)
    uow = memory.unit_of_work()
    uow.outbox.postpone(first, NOW + 9 * LEASE, "too late to say so")
    uow.outbox.park(first, NOW, "too late to say so")
    await uow.commit()
    assert await uow.outbox.find("delivery-1") == second
    uow.outbox.postpone(second, NOW + 5 * LEASE, "the answer was 500")
    await uow.commit()
    assert await due(memory, 4 * LEASE) == []
    (found,) = await due(memory, 5 * LEASE)
    assert (found.attempts, found.last_failure) == (2, "the answer was 500")


async def test_one_key_is_told_in_order_and_a_parked_one_holds_nobody_up(memory: Memory) -> None:
    first, second, third = (
        make_delivery(f"d{3 - number}", ordering_key="one stream", created_at=NOW + number * SECOND)
        for number in range(3)
    )
    other = make_delivery("other", ordering_key="another stream")
    await added(memory, third, second, first, other)
    assert {found.delivery_id for found in await due(memory)} == {first.delivery_id, "other"}
    under_way = await claimed(memory, first)
    assert [found.delivery_id for found in await due(memory)] == ["other"], "the first is not told yet"
    uow = memory.unit_of_work()
    uow.outbox.delivered(under_way, NOW)
    await uow.commit()
    assert {found.delivery_id for found in await due(memory)} == {second.delivery_id, "other"}
    uow.outbox.park(await claimed(memory, second), NOW, "given up")
    await uow.commit()
    assert {found.delivery_id for found in await due(memory)} == {third.delivery_id, "other"}


async def test_two_of_one_moment_are_told_one_after_another(memory: Memory) -> None:
    await added(memory, make_delivery("a", ordering_key="k"), make_delivery("b", ordering_key="k"))
    assert [found.delivery_id for found in await due(memory)] == ["a"]


async def test_a_backlog_of_one_client_hides_nobody_elses(memory: Memory) -> None:
    old = NOW - timedelta(days=1)
    backlog = [
        make_delivery(f"dead-{number:03}", client_id="dead", next_attempt_at=old) for number in range(50)
    ]
    await added(memory, *backlog, make_delivery("fresh", client_id="alive"))
    found = await due(memory, limit=2)
    assert [delivery.client_id for delivery in found] == ["alive", "dead", "dead"]
    assert [delivery.delivery_id for delivery in found[1:]] == ["dead-000", "dead-001"]


async def test_an_operator_sends_a_parked_one_again_from_the_start(memory: Memory) -> None:
    await added(memory, make_delivery())
    uow = memory.unit_of_work()
    uow.outbox.park(await claimed(memory, make_delivery()), NOW, "given up")
    await uow.commit()
    assert await uow.outbox.queue() == Queue(0, 0, 1, 0, None)
    uow.outbox.replay("delivery-1", NOW + SECOND)
    await uow.commit()
    (found,) = await due(memory, SECOND)
    assert (found.attempts, found.parked_at, found.last_failure) == (0, None, "given up")


async def test_an_operator_drops_what_shall_not_be_told(memory: Memory) -> None:
    await added(memory, make_delivery())
    uow = memory.unit_of_work()
    uow.outbox.drop("delivery-1")
    await uow.commit()
    assert await uow.outbox.find("delivery-1") is None


async def test_what_was_told_is_neither_sent_again_nor_dropped(memory: Memory) -> None:
    await added(memory, make_delivery())
    uow = memory.unit_of_work()
    uow.outbox.delivered(make_delivery(), NOW)
    await uow.commit()
    uow.outbox.replay("delivery-1", NOW)
    with pytest.raises(GateClosedError, match="delivery_replayed"):
        await uow.commit()
    uow.outbox.drop("delivery-1")
    with pytest.raises(GateClosedError, match="delivery_dropped"):
        await uow.commit()


async def test_the_queue_is_counted_and_paged_by_state(memory: Memory) -> None:
    old = NOW - timedelta(hours=1)
    for name in ("fresh", "retried", "parked", "told"):
        await added(memory, make_delivery(name, created_at=old if name == "retried" else NOW))
    uow = memory.unit_of_work()
    uow.outbox.postpone(await claimed(memory, make_delivery("retried")), NOW, "no answer")
    uow.outbox.park(await claimed(memory, make_delivery("parked")), NOW, "given up")
    uow.outbox.delivered(make_delivery("told"), NOW)
    await uow.commit()
    await added(memory, make_delivery("elsewhere", client_id="another"))
    outbox = uow.outbox
    assert await outbox.queue() == Queue(3, 1, 1, 1, old)
    pages = {
        None: ["elsewhere", "fresh", "parked", "retried", "told"],
        State.WAITING: ["elsewhere", "fresh", "retried"],
        State.RETRIED: ["retried"],
        State.PARKED: ["parked"],
        State.DELIVERED: ["told"],
    }
    for state, expected in pages.items():
        assert [found.delivery_id for found in await outbox.page(state)] == expected
    assert [found.delivery_id for found in await outbox.page(client_id="another")] == ["elsewhere"]
    assert [found.delivery_id for found in await outbox.page(after="parked", limit=1)] == ["retried"]


async def test_an_empty_queue_waits_since_never(memory: Memory) -> None:
    assert await memory.unit_of_work().outbox.queue() == Queue(0, 0, 0, 0, None)


async def test_what_was_told_is_removed_after_a_day_and_what_was_given_up_after_a_month(
    memory: Memory,
) -> None:
    await added(memory, make_delivery("told"), make_delivery("parked"), make_delivery("waiting"))
    uow = memory.unit_of_work()
    uow.outbox.delivered(make_delivery("told"), NOW)
    uow.outbox.park(await claimed(memory, make_delivery("parked")), NOW, "given up")
    await uow.commit()
    for days, left in ((0.9, 3), (1.1, 2), (29.9, 2), (30.1, 1)):
        uow.remains.remove(NOW + timedelta(days=days))
        await uow.commit()
        assert len(await uow.outbox.page()) == left
    assert await uow.outbox.find("waiting") is not None


async def test_the_end_of_a_session_is_told_once_however_often_it_ends(memory: Memory) -> None:
    await memory.add_people(make_person())
    for name in "ab":
        uow = memory.unit_of_work()
        uow.sessions.add(make_session(name), name, NOW + timedelta(hours=12))
        await uow.commit()
    uow = memory.unit_of_work()
    for later in range(3):
        uow.sessions.end("a", NOW + later * SECOND)
        await uow.commit()
    looks = await uow.outbox.page()
    assert [look.kind for look in looks] == [SESSION_ENDED] * len(LOOK_AFTER)
    assert sorted(look.next_attempt_at - NOW for look in looks) == list(LOOK_AFTER)
    assert {look.content["session_id"] for look in looks} == {"a"}


async def test_the_end_of_all_sessions_but_one_names_the_moment_they_ended(memory: Memory) -> None:
    await memory.add_people(make_person())
    uow = memory.unit_of_work()
    for name in "abc":
        uow.sessions.add(make_session(name), name, NOW + timedelta(hours=12))
    await uow.commit()
    uow.sessions.end("c", NOW - SECOND)
    uow.sessions.end_of_citizen("citizen-1", NOW, but="b")
    await uow.commit()
    assert await uow.sessions.ended_together("citizen-1", NOW) == ["a"]
    kept = await uow.sessions.find("b")
    assert kept is not None
    assert kept.session.ended_at is None
