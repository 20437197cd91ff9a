"""What clients in their sandbox simulate, in memory: taken over once a second, counted down in the store.

An answer costs one look into a dictionary while its client simulates nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from idp.protocol.errors import OAuthError
from idp.protocol.simulation import SimulatedEndpoint
from idp.store.simulations import SimulationInForce
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.demo_people import DemoPerson

_InForce = Mapping[str, SimulationInForce]


class Sandbox:
    """The people of the demonstration, and what is simulated, as this process knows it."""

    def __init__(
        self,
        open_unit_of_work: Callable[[], UnitOfWork],
        people: Sequence[DemoPerson],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.people = people
        self._open = open_unit_of_work
        self._pause = pause
        self._in_force: _InForce = {}

    async def refresh(self, now: datetime) -> None:
        """Take over what is simulated now: one small statement."""
        found = await self._open().simulations.in_force(now)
        self._in_force = {each.client_id: each for each in found}

    async def answer_of(
        self, client_id: str, endpoint: SimulatedEndpoint, now: datetime
    ) -> OAuthError | None:
        """Count a simulated answer and wait as long as it says; return the error that it is.

        None where nothing is simulated, or the answer is only late.
        """
        met = self._in_force.get(client_id)
        if met is None or met.simulation.endpoint is not endpoint:
            return None
        uow = self._open()
        uow.simulations.take(met, now)
        try:
            await uow.commit()
        except GateClosedError:
            # Met as often as was asked, here or in another process, or replaced since the last look.
            return None
        await self._pause(met.simulation.delay_seconds)
        return met.simulation.to_raise()
