"""The outbox on both engines: told in order, claimed once, postponed, parked, and sealed where it lies."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from idp.store.outbox import Delivery, Failure
from idp.store.outbox_overview import Figures, State
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


async def claimed(
    memory: Memory, later: timedelta = timedelta(0), *, limit: int = 10, lease: timedelta = LEASE
) -> list[Delivery]:
    """Claim what is due at NOW + later in every lane that has anything due."""
    outbox, now = memory.unit_of_work().outbox, NOW + later
    return [
        delivery
        for kind, client_id in sorted(await outbox.lanes_due(["backchannel_logout"], now))
        for delivery in await outbox.claim(kind, client_id, now, now + lease, limit=limit)
    ]


async def named(memory: Memory, later: timedelta = timedelta(0), **how: Any) -> list[str]:
    return [delivery.delivery_id for delivery in await claimed(memory, later, **how)]


async def standing(memory: Memory) -> Figures:
    return await memory.unit_of_work().outbox_overview.figures(NOW)


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
    assert await named(memory) == []


async def test_one_with_the_same_id_is_told_once(memory: Memory) -> None:
    await added(memory, make_delivery(), make_delivery(content={"subject": "another"}))
    await added(memory, make_delivery(content={"subject": "another"}))
    uow = memory.unit_of_work()
    uow.outbox.add_many([make_delivery(content={"subject": "another"}), make_delivery("delivery-2")])
    await uow.commit()
    assert [found.content for found in await claimed(memory)] == [{"subject": "the-subject"}] * 2


async def test_nothing_is_due_before_its_time(memory: Memory) -> None:
    await added(memory, make_delivery(next_attempt_at=NOW + SECOND))
    assert await memory.unit_of_work().outbox.lanes_due(["backchannel_logout"], NOW) == []
    assert await named(memory) == []
    assert await named(memory, SECOND) == ["delivery-1"]


async def test_lanes_are_found_whatever_lies_between_them(memory: Memory) -> None:
    lanes = [(kind, client) for kind in ("a", "b", "c") for client in ("", "one", "two")]
    await added(
        memory,
        *(make_delivery(f"{kind}{client}", kind=kind, client_id=client) for kind, client in lanes),
        make_delivery("later", kind="a", client_id="later", next_attempt_at=NOW + SECOND),
    )
    outbox = memory.unit_of_work().outbox
    assert sorted(await outbox.lanes_due(["a", "b", "c"], NOW)) == sorted(lanes)
    assert await outbox.lanes_due(["b", "none"], NOW) == [("b", client) for client in ("", "one", "two")]
    assert await outbox.lanes_due([], NOW) == []


async def test_of_many_workers_one_claims_and_the_attempt_is_counted(memory: Memory) -> None:
    names = [f"d{number}" for number in range(6)]
    await added(memory, *(make_delivery(name) for name in names))
    hands = await asyncio.gather(*(claimed(memory, limit=3) for _ in range(10)))
    taken = [delivery for hand in hands for delivery in hand]
    assert sorted(delivery.delivery_id for delivery in taken) == names
    assert {(delivery.attempts, delivery.next_attempt_at) for delivery in taken} == {(1, NOW + LEASE)}
    assert await named(memory) == [], "they are under way"
    assert await named(memory, LEASE) == names, "and are anybody's again when their worker died"


async def test_what_was_told_is_never_due_again_even_when_the_claim_has_passed_on(memory: Memory) -> None:
    await added(memory, make_delivery())
    (first,), (second,) = await claimed(memory), await claimed(memory, 2 * LEASE)
    uow = memory.unit_of_work()
    uow.outbox.delivered([first], NOW + SECOND)
    uow.outbox.failed([Failure(second, "the slower one failed", NOW)], NOW)
    await uow.commit()
    assert await named(memory, timedelta(days=30)) == []
    found = await uow.outbox.find("delivery-1")
    assert found is not None
    assert (found.delivered_at, found.last_failure) == (NOW + SECOND, None)


async def test_a_failure_counts_only_under_the_claim_that_stands(memory: Memory) -> None:
    await added(memory, make_delivery())
    (first,), (second,) = await claimed(memory), await claimed(memory, 2 * LEASE)
    uow = memory.unit_of_work()
    late = "too late to say so"
    uow.outbox.failed([Failure(first, late, NOW + 9 * LEASE), Failure(first, late, None)], NOW)
    await uow.commit()
    assert await uow.outbox.find("delivery-1") == second
    uow.outbox.failed([Failure(second, "the answer was 500", NOW + 5 * LEASE)], NOW)
    await uow.commit()
    assert await named(memory, 4 * LEASE) == []
    (found,) = await claimed(memory, 5 * LEASE)
    assert (found.attempts, found.last_failure) == (3, "the answer was 500")


async def test_one_key_is_told_in_order_and_a_parked_one_holds_nobody_up(memory: Memory) -> None:
    first, second, third = (
        make_delivery(f"d{3 - number}", ordering_key="one stream", created_at=NOW + number * SECOND)
        for number in range(3)
    )
    await added(memory, third, second, first, make_delivery("other", ordering_key="another stream"))
    under_way = await claimed(memory)
    assert {found.delivery_id for found in under_way} == {first.delivery_id, "other"}
    assert await named(memory) == [], "the first is not told yet"
    uow = memory.unit_of_work()
    uow.outbox.delivered([delivery for delivery in under_way if delivery.delivery_id != "other"], NOW)
    await uow.commit()
    (next_one,) = await claimed(memory)
    assert next_one.delivery_id == second.delivery_id
    uow.outbox.failed([Failure(next_one, "given up", None)], NOW)
    await uow.commit()
    assert await named(memory) == [third.delivery_id]


async def test_two_of_one_moment_are_told_one_after_another(memory: Memory) -> None:
    await added(memory, make_delivery("a", ordering_key="k"), make_delivery("b", ordering_key="k"))
    assert await named(memory) == ["a"]


async def test_a_backlog_of_one_client_hides_nobody_elses(memory: Memory) -> None:
    old = NOW - timedelta(days=1)
    backlog = [
        make_delivery(f"dead-{number:03}", client_id="dead", next_attempt_at=old) for number in range(50)
    ]
    await added(memory, *backlog, make_delivery("fresh", client_id="alive"))
    assert await named(memory, limit=2) == ["fresh", "dead-000", "dead-001"]


async def test_what_waited_three_days_is_parked_though_nobody_could_try_it(memory: Memory) -> None:
    old = NOW - timedelta(hours=73)
    await added(
        memory,
        make_delivery("old", created_at=old),
        make_delivery("old, but waits for its time", created_at=old, next_attempt_at=NOW + SECOND),
        make_delivery("young"),
    )
    uow = memory.unit_of_work()
    uow.outbox.park_overdue(NOW, NOW - timedelta(hours=72), "it waited")
    await uow.commit()
    (parked,) = await uow.outbox_overview.page(State.PARKED)
    assert (parked.delivery_id, parked.parked_at, parked.last_failure) == ("old", NOW, "it waited")
    uow.outbox_overview.replay("old", NOW)
    await uow.commit()
    uow.outbox.park_overdue(NOW, NOW - timedelta(hours=72), "it waited")
    await uow.commit()
    assert await uow.outbox_overview.page(State.PARKED) == [], "what was replayed has three days again"
    found = await uow.outbox.find("old")
    assert found is not None
    assert found.give_up_at == NOW + timedelta(hours=72)


async def test_when_a_receiver_is_back_what_failed_before_is_due_at_once(memory: Memory) -> None:
    hour = timedelta(hours=1)
    for name in ("failed", "under way", "held"):
        await added(memory, make_delivery(name))
    uow, taken = memory.unit_of_work(), {each.delivery_id: each for each in await claimed(memory)}
    uow.outbox.failed([Failure(taken["failed"], "the answer was 500", NOW + hour)], NOW)
    await uow.commit()
    await added(memory, make_delivery("waits for its time", next_attempt_at=NOW + hour))
    uow.outbox.hurry("backchannel_logout", "network", NOW, behind=NOW + LEASE)
    await uow.commit()
    assert await named(memory) == ["failed"]


async def test_an_operator_sends_a_parked_one_again_from_the_start(memory: Memory) -> None:
    await added(memory, make_delivery(), make_delivery("delivery-2"))
    uow = memory.unit_of_work()
    uow.outbox.failed([Failure(each, "given up", None) for each in await claimed(memory)], NOW)
    await uow.commit()
    assert await standing(memory) == Figures(parked=2)
    uow.outbox_overview.replay("delivery-1", NOW + SECOND)
    await uow.commit()
    (found,) = await claimed(memory, SECOND)
    assert (found.attempts, found.parked_at, found.last_failure) == (1, None, "given up")
    uow.outbox_overview.replay_many(["delivery-1", "delivery-2", "unknown"], NOW + SECOND)
    await uow.commit()
    assert await named(memory, SECOND) == ["delivery-1", "delivery-2"]


async def test_an_operator_drops_what_shall_not_be_told(memory: Memory) -> None:
    await added(memory, make_delivery())
    uow = memory.unit_of_work()
    uow.outbox_overview.drop("delivery-1")
    await uow.commit()
    assert await uow.outbox.find("delivery-1") is None


async def test_what_was_told_is_neither_sent_again_nor_dropped(memory: Memory) -> None:
    await added(memory, make_delivery())
    uow = memory.unit_of_work()
    uow.outbox.delivered([make_delivery()], NOW)
    await uow.commit()
    uow.outbox_overview.replay_many(["delivery-1"], NOW)
    await uow.commit()
    assert await named(memory) == []
    uow.outbox_overview.replay("delivery-1", NOW)
    with pytest.raises(GateClosedError, match="delivery_replayed"):
        await uow.commit()
    uow.outbox_overview.drop("delivery-1")
    with pytest.raises(GateClosedError, match="delivery_dropped"):
        await uow.commit()


async def test_the_queue_is_counted_and_paged_by_state(memory: Memory) -> None:
    old = NOW - timedelta(hours=1)
    for name in ("fresh", "retried", "parked", "told"):
        await added(memory, make_delivery(name, created_at=old if name == "retried" else NOW))
    uow, taken = memory.unit_of_work(), {each.delivery_id: each for each in await claimed(memory)}
    uow.outbox.failed(
        [Failure(taken["retried"], "no answer", NOW), Failure(taken["parked"], "given up", None)], NOW
    )
    uow.outbox.delivered([taken["told"]], NOW)
    await uow.commit()
    await added(memory, make_delivery("elsewhere", client_id="another", kind="notice"))
    overview = uow.outbox_overview
    first, second = await overview.lanes(NOW)
    assert (first.kind, first.client_id, first.figures) == (
        "backchannel_logout",
        "network",
        Figures(2, 2, 1, 1, 1, old),
    )
    assert (second.kind, second.client_id, second.figures) == (
        "notice",
        "another",
        Figures(waiting=1, oldest_waiting_since=NOW),
    )
    assert await overview.figures(NOW) == first.figures + second.figures
    pages = {
        None: ["elsewhere", "fresh", "parked", "retried", "told"],
        State.WAITING: ["elsewhere", "fresh", "retried"],
        State.RETRIED: ["fresh", "retried"],
        State.PARKED: ["parked"],
        State.DELIVERED: ["told"],
    }
    for state, expected in pages.items():
        assert [found.delivery_id for found in await overview.page(state)] == expected
    assert [found.delivery_id for found in await overview.page(client_id="another")] == ["elsewhere"]
    assert [found.delivery_id for found in await overview.page(kind="notice")] == ["elsewhere"]
    assert [found.delivery_id for found in await overview.page(after="parked", limit=1)] == ["retried"]


async def test_an_empty_queue_waits_since_never(memory: Memory) -> None:
    assert await standing(memory) == Figures()


async def test_what_was_told_is_removed_after_a_day_and_what_was_given_up_after_a_month(
    memory: Memory,
) -> None:
    await added(memory, make_delivery("told"), make_delivery("parked"))
    uow, taken = memory.unit_of_work(), {each.delivery_id: each for each in await claimed(memory)}
    uow.outbox.delivered([taken["told"]], NOW)
    uow.outbox.failed([Failure(taken["parked"], "given up", None)], NOW)
    await uow.commit()
    await added(memory, make_delivery("waiting"))
    for days, left in ((0.9, 3), (1.1, 2), (29.9, 2), (30.1, 1)):
        uow.remains.remove(NOW + timedelta(days=days))
        await uow.commit()
        assert len(await uow.outbox_overview.page()) == left
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
    looks = await uow.outbox_overview.page()
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
