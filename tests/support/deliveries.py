"""The delivering worker inside a test: on the provider's database and clock, one step at a time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from idp.deliveries.ways import WaysToPeople
from idp.deliveries.worker import Worker
from idp.deliveries.world import World
from idp.outbound.guarded_http import GuardedHTTP
from idp.store.sessions import LOOK_AFTER
from tests.support.provider import Provider


@asynccontextmanager
async def world_of(provider: Provider, people: WaysToPeople | None = None) -> AsyncIterator[World]:
    """Give what deliveries may use, with the way out to the loopback, and `people` may be told by."""
    context, http = provider.context, GuardedHTTP(allow_loopback=True, connections=64)
    try:
        yield World(
            policy=context.policy,
            database=context.database,
            custody=context.custody,
            clients=context.clients,
            http=http,
            log=context.log,
            clock=provider.clock,
            people=people or WaysToPeople(),
        )
    finally:
        await http.close()


async def work_off(world: World, *, attempts: int = 100) -> None:
    """Try everything that is due, until nothing is."""
    worker = Worker(world, lambda: 0.5)
    for _ in range(attempts):
        started = await worker.start_due()
        await worker.finish(10)
        if not started:
            return
    raise AssertionError("there is always something due")


async def delivered(provider: Provider) -> None:
    """Deliver what follows from an end of sessions, the second look included."""
    async with world_of(provider) as world:
        await work_off(world)
        provider.clock.now += max(LOOK_AFTER) + timedelta(microseconds=1)
        await work_off(world)
