"""The worker on both engines: what fails is tried again, and nobody waits for somebody else's receiver."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from idp.deliveries import worker as worker_module
from idp.deliveries.lanes import FIRST_PLACES
from idp.deliveries.outcomes import CLAIM
from idp.deliveries.worker import AT_ONCE, Worker
from idp.deliveries.world import DeliveryFailedError, World
from idp.protocol.delivery_schedule import PAUSES
from idp.store.outbox import Delivery
from idp.store.writes import StoreUnavailableError
from tests.support.deliveries import work_off, world_of
from tests.support.provider import Provider, running_provider

pytestmark = pytest.mark.anyio
KIND = "test"


@pytest.fixture
async def provider(anyio_backend: str, database_url: str, tmp_path: Path) -> AsyncIterator[Provider]:
    async with running_provider(database_url, tmp_path) as running:
        yield running


@pytest.fixture
async def world(provider: Provider) -> AsyncIterator[World]:
    async with world_of(provider) as opened:
        yield opened


class Receivers:
    """Stands in for the kind of delivery: who was called, how many at once, and what each answers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(worker_module, "KINDS", {KIND: self.make})
        self.calls: list[str] = []
        self.made: asyncio.Queue[str] = asyncio.Queue()
        self.at_once: Counter[str] = Counter()
        self.most_at_once: Counter[str] = Counter()
        self.failures: dict[str, Exception] = {}
        self.silent: dict[str, asyncio.Event] = {}

    async def make(self, _: World, delivery: Delivery) -> None:
        name = delivery.client_id
        self.calls.append(delivery.delivery_id)
        for key in (name, ""):
            self.at_once[key] += 1
            self.most_at_once[key] = max(self.most_at_once[key], self.at_once[key])
        try:
            if name in self.silent:
                await self.silent[name].wait()
            if name in self.failures:
                raise self.failures[name]
            self.made.put_nowait(name)
        finally:
            for key in (name, ""):
                self.at_once[key] -= 1


@pytest.fixture
def receivers(monkeypatch: pytest.MonkeyPatch) -> Receivers:
    return Receivers(monkeypatch)


async def added(provider: Provider, client_id: str = "network", count: int = 1, **changes: Any) -> list[str]:
    uow, now = provider.unit_of_work(), provider.clock.now
    names = [f"{client_id}-{number:03}-{secrets.token_hex(4)}" for number in range(count)]
    for name in names:
        facts = {"kind": KIND, "client_id": client_id, "ordering_key": name, "content": {}}
        moments = {"created_at": now, "next_attempt_at": now}
        uow.outbox.add(Delivery(delivery_id=name, **(facts | moments | changes)))
    await uow.commit()
    return names


async def state_of(provider: Provider, name: str) -> Delivery:
    found = await provider.unit_of_work().outbox.find(name)
    assert found is not None
    return found


async def test_everything_due_is_made_once(provider: Provider, world: World, receivers: Receivers) -> None:
    names = [name for client in ("a", "b", "c") for name in await added(provider, client, 30)]
    await work_off(world)
    assert sorted(receivers.calls) == sorted(names)
    queue = await provider.unit_of_work().outbox_overview.figures(provider.clock.now)
    assert (queue.waiting, queue.delivered) == (0, 90)


async def test_two_workers_at_once_make_nothing_twice(
    provider: Provider, world: World, receivers: Receivers
) -> None:
    names = [name for client in "abcdefgh" for name in await added(provider, client, 10)]
    await asyncio.gather(*(work_off(world) for _ in range(4)))
    assert sorted(receivers.calls) == sorted(names)


async def test_a_failure_is_tried_again_after_growing_pauses_and_parked_in_the_end(
    provider: Provider, world: World, receivers: Receivers
) -> None:
    receivers.failures["network"] = DeliveryFailedError("the answer was 503")
    (name,) = await added(provider)
    for attempts, pause in enumerate(PAUSES, start=1):
        await work_off(world)
        assert len(receivers.calls) == attempts
        waiting = await state_of(provider, name)
        assert (waiting.attempts, waiting.last_failure) == (attempts, "the answer was 503")
        assert waiting.next_attempt_at == provider.clock.now + pause, "in the middle of its spread"
        provider.clock.now += pause - timedelta(microseconds=1)
        await work_off(world)
        assert len(receivers.calls) == attempts
        provider.clock.now += timedelta(microseconds=1)
    await work_off(world)
    parked = await state_of(provider, name)
    assert parked.parked_at == provider.clock.now
    provider.clock.advance(days=30)
    await work_off(world)
    assert len(receivers.calls) == len(PAUSES) + 1


async def test_a_receiver_that_comes_back_gets_what_waited(
    provider: Provider, world: World, receivers: Receivers
) -> None:
    receivers.failures["network"] = DeliveryFailedError("no answer within 2.5 s")
    (name,) = await added(provider)
    await work_off(world)
    receivers.failures.clear()
    provider.clock.now += PAUSES[0]
    await work_off(world)
    made = await state_of(provider, name)
    assert (made.delivered_at, made.last_failure, made.attempts) == (provider.clock.now, None, 2)


async def test_a_slow_receiver_has_few_places_and_holds_up_nobody(
    provider: Provider, world: World, receivers: Receivers
) -> None:
    receivers.silent["slow"] = asyncio.Event()
    await added(provider, "slow", 200)
    provider.clock.advance(seconds=1)
    quick = await added(provider, "quick", 50)
    worker = Worker(world, lambda: 0.5)
    running = asyncio.create_task(worker.run())
    async with asyncio.timeout(20):
        for _ in quick:
            assert await receivers.made.get() == "quick"
    assert receivers.most_at_once["slow"] == FIRST_PLACES
    receivers.silent["slow"].set()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_not_more_than_so_many_are_under_way_at_once(
    provider: Provider, world: World, receivers: Receivers
) -> None:
    clients = [f"c{number}" for number in range(AT_ONCE // FIRST_PLACES + 1)]
    for client in clients:
        receivers.silent[client] = asyncio.Event()
        await added(provider, client, FIRST_PLACES)
    worker = Worker(world, lambda: 0.5)
    assert await worker.start_due() == AT_ONCE
    assert await worker.start_due() == 0
    await asyncio.sleep(0.05)
    assert receivers.most_at_once[""] == AT_ONCE
    for event in receivers.silent.values():
        event.set()
    await worker.finish(10)
    assert await worker.start_due() == FIRST_PLACES
    await worker.finish(10)


async def test_a_fault_of_ours_fails_one_delivery_and_no_other(
    provider: Provider, world: World, receivers: Receivers
) -> None:
    receivers.failures["odd"] = KeyError("a value that must not be kept")
    (odd,), (good,) = await added(provider, "odd"), await added(provider, "good")
    await work_off(world)
    assert (await state_of(provider, odd)).last_failure == "a fault of ours: KeyError"
    assert (await state_of(provider, good)).delivered_at is not None


async def test_a_kind_of_a_newer_version_is_left_to_it(
    provider: Provider, world: World, receivers: Receivers
) -> None:
    (name,) = await added(provider, kind="of_tomorrow")
    await work_off(world)
    waiting = await state_of(provider, name)
    assert (waiting.parked_at, waiting.attempts) == (None, 0)


async def test_a_worker_that_dies_leaves_its_deliveries_to_the_next(
    provider: Provider, world: World, receivers: Receivers
) -> None:
    receivers.silent["network"] = asyncio.Event()
    (name,) = await added(provider)
    dying = Worker(world, lambda: 0.5)
    assert await dying.start_due() == 1
    await dying.finish(0)
    receivers.silent.clear()
    await work_off(world)
    assert (await state_of(provider, name)).delivered_at is None, "it may still be under way"
    provider.clock.now += CLAIM
    await work_off(world)
    made = await state_of(provider, name)
    assert (made.delivered_at, made.attempts) == (provider.clock.now, 2)


async def test_the_order_of_a_key_holds_across_failures(
    provider: Provider, world: World, receivers: Receivers
) -> None:
    receivers.failures["network"] = DeliveryFailedError("the answer was 500")
    (first,) = await added(provider, ordering_key="stream")
    provider.clock.advance(seconds=1)
    (second,) = await added(provider, ordering_key="stream")
    await work_off(world)
    assert receivers.calls == [first]
    receivers.failures.clear()
    provider.clock.now += PAUSES[0]
    await work_off(world)
    assert receivers.calls == [first, first, second]


async def test_a_database_that_is_away_for_a_while_stops_no_worker(
    provider: Provider, world: World, receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "LOOK_EVERY", 0.01)
    (name,) = await added(provider)
    worker, away = Worker(world, lambda: 0.5), [True, True, True]
    start = worker.start_due

    async def sometimes() -> int:
        if away:
            away.pop()
            raise StoreUnavailableError("the database cannot be reached")
        return await start()

    monkeypatch.setattr(worker, "start_due", sometimes)
    running = asyncio.create_task(worker.run())
    async with asyncio.timeout(20):
        await receivers.made.get()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert receivers.calls == [name]
