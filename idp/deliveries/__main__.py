"""The delivering process: `python -m idp.deliveries`. Stops at SIGTERM or when its parent is gone."""

import asyncio
import contextlib
import random
import sys
from collections.abc import AsyncIterator

import uvloop

from idp.companion import WATCH_PARENT, Opened, opened, run_jobs, utc_now
from idp.deliveries.fan_out import FanOut
from idp.deliveries.ways import open_ways
from idp.deliveries.worker import AT_ONCE, Worker
from idp.deliveries.world import World
from idp.outbound.client_keys import ClientKeys
from idp.outbound.guarded_http import GuardedHTTP
from idp.protocol.model import Policy
from idp.settings import Settings
from idp.store.writes import StoreUnavailableError
from idp.web.clients import ClientDirectory
from keys import CustodyError

REFRESH_SECONDS = 1.0
"""How often changed clients and keys are looked for."""


@contextlib.asynccontextmanager
async def connected(parts: Opened) -> AsyncIterator[World]:
    """Open the way out; close it at the end."""
    settings = parts.settings
    http = GuardedHTTP(
        allow_loopback=settings.may_fetch_loopback,
        ca_file=settings.outbound_ca_file,
        connections=AT_ONCE,
    )
    try:
        yield World(
            policy=Policy(issuer=settings.issuer),
            database=parts.database,
            custody=parts.custody,
            clients=ClientDirectory(parts.unit_of_work, ClientKeys(http).fetch),
            http=http,
            log=parts.log,
            clock=utc_now,
            people=open_ways(settings, http),
        )
    finally:
        await http.close()


async def keep_fresh(world: World) -> None:
    """Take over changed clients and keys, once a second, while the process lives."""
    while True:
        try:
            await world.clients.refresh()
            world.custody.reload_if_changed(world.clock())
        except (StoreUnavailableError, CustodyError) as trouble:
            # What was known before stays in use; the log says since when it is old.
            world.log.write("refresh_failed", world.clock(), reason=str(trouble))
        await asyncio.sleep(REFRESH_SECONDS)


async def deliver(settings: Settings, *, watch_parent: bool) -> None:
    """Empty the outbox until told to stop."""
    async with opened(settings, connections=8) as parts, connected(parts) as world:
        worker = Worker(world, random.SystemRandom().random)
        fan_out = FanOut(world, parts.name)
        jobs = (fan_out.run(), worker.run(), worker.park_overdue(), keep_fresh(world))
        await run_jobs(jobs, watch_parent=watch_parent)


def main() -> None:
    """Run until stopped."""
    uvloop.run(deliver(Settings.load(), watch_parent=WATCH_PARENT in sys.argv[1:]))


if __name__ == "__main__":
    main()
