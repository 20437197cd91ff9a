"""`kill -9` in the middle of a rush: of the provider, of its companions, and of the database."""

import asyncio
import math
import os
import random
import signal
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet

import httpx

from idp.store.writes import StoreUnavailableError
from tests.rush.course import link_over_http
from tests.rush.field import Field
from tests.rush.making import Made, Rush
from tests.support.postgresql import PostgreSQLServer

LONGEST_PAUSE = 1.5
"""Seconds before each kill; how many they are is chance."""
COMPANION_IS_BACK_WITHIN = 60.0
LOOK_EVERY = 0.05


TROUBLE = (httpx.TransportError, StoreUnavailableError, AssertionError)
"""What a journey through the pages meets while something is dead: no answer, or another page than usual."""
REST = 1.0
"""Seconds between two batches of one of the writers: what is killed is to live in between."""
ENOUGH = 10_000_000


async def rush_under_kills(
    field: Field, database: PostgreSQLServer, made: Made, chance: random.Random, rounds: int
) -> None:
    """Make links, by the masses and over HTTP, until everything was killed so many times."""
    rush = Rush(field, ENOUGH, math.inf, made, rest=REST)
    rushing = asyncio.create_task(rush.run())
    over_http = asyncio.create_task(link_over_http(field, made, ENOUGH, trouble=TROUBLE))
    await Killer(field, database, chance).kill_everything(rounds)
    rush.end()
    await rushing
    over_http.cancel()
    await asyncio.gather(over_http, return_exceptions=True)


class Killer:
    """Kills one after the other, and starts again what nobody else starts again."""

    def __init__(self, field: Field, database: PostgreSQLServer, chance: random.Random) -> None:
        self._field = field
        self._database = database
        self._chance = chance

    @property
    def _ways(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        return {
            "provider": self._kill_provider,
            "deliveries": lambda: self._kill_companion("idp.deliveries"),
            "housekeeping": lambda: self._kill_companion("idp.housekeeping"),
            "database": self._kill_database,
        }

    async def kill_everything(self, rounds: int) -> None:
        """Kill each of them in every round, in a random order, at random moments."""
        for _ in range(rounds):
            for way in self._chance.sample(sorted(self._ways), len(self._ways)):
                await asyncio.sleep(self._chance.random() * LONGEST_PAUSE)
                await self._ways[way]()

    async def _kill_provider(self) -> None:
        await asyncio.to_thread(self._field.served.kill)
        await asyncio.to_thread(self._field.served.start)

    async def _kill_database(self) -> None:
        await asyncio.to_thread(self._database.kill)
        await asyncio.to_thread(self._database.start)

    async def _kill_companion(self, kind: str) -> None:
        """The server starts it again by itself."""
        killed = await self._running(kind, set())
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        await self._running(kind, killed)

    async def _running(self, kind: str, killed: AbstractSet[int]) -> AbstractSet[int]:
        """Return the processes of a kind as soon as there is one that was not killed."""
        for _ in range(int(COMPANION_IS_BACK_WITHIN / LOOK_EVERY)):
            if found := set(self._field.process_ids()[kind]) - killed:
                return found
            await asyncio.sleep(LOOK_EVERY)
        raise TimeoutError(kind)
