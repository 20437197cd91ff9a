"""The worker: finds what is due, claims it, tries it, and records what became of it.

Many deliveries are under way at once, but few to one client, so that one that is slow or gone holds up
nobody else. A worker that is killed loses nothing: its claims run out and the deliveries are tried again.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta

from idp.deliveries.kinds import KINDS
from idp.deliveries.world import DeliveryFailedError, World
from idp.protocol.delivery_schedule import pause_after
from idp.store.outbox import Delivery
from idp.store.writes import StoreUnavailableError

AT_ONCE = 256
"""Deliveries under way in one process."""
EACH = 4
"""Of these, to one client."""
CLAIM = timedelta(seconds=10)
"""How long a delivery is left to the worker that claimed it; the call itself takes a quarter at most."""
LOOK_EVERY = 0.5
FINISHED_WITHIN = 4.0
"""Seconds that deliveries under way are given when the worker is told to stop."""


class Worker:
    """Empties the outbox of one process's share."""

    def __init__(self, world: World, chance: Callable[[], float]) -> None:
        self._world = world
        self._chance = chance
        self._under_way: dict[asyncio.Task[None], str] = {}
        self._finished = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled; what is under way then may finish within FINISHED_WITHIN."""
        try:
            while True:
                try:
                    started = await self.start_due()
                except StoreUnavailableError as trouble:
                    started = 0
                    self._world.log.write("deliveries_wait", self._world.clock(), reason=str(trouble))
                if not started:
                    await self._pause()
        finally:
            await self.finish(FINISHED_WITHIN)

    async def start_due(self) -> int:
        """Claim and start what is due and has a place; return how many were started."""
        world = self._world
        free, busy = AT_ONCE - len(self._under_way), Counter(self._under_way.values())
        if free <= 0:
            return 0
        started = 0
        for due in await self._due(busy):
            if started >= free:
                break
            claimed = await world.unit_of_work().outbox.claim(due, world.clock() + CLAIM)
            if claimed is not None:
                started += 1
                self._start(claimed)
        return started

    async def _due(self, busy: Mapping[str, int]) -> list[Delivery]:
        """Return what is due: one delivery of every client, then a second of each, up to EACH under way."""
        outbox, now = self._world.unit_of_work().outbox, self._world.clock()
        found: list[tuple[int, float, Delivery]] = []
        for client_id in await outbox.clients_due(now):
            place, turn = busy.get(client_id, 0), self._chance()
            if place < EACH:
                due = await outbox.due(client_id, now, limit=EACH - place)
                found += [(place + number, turn, delivery) for number, delivery in enumerate(due)]
        found.sort(key=lambda each: each[:2])
        return [delivery for _, _, delivery in found]

    def _start(self, claimed: Delivery) -> None:
        task = asyncio.create_task(self._make(claimed))
        self._under_way[task] = claimed.client_id
        task.add_done_callback(self._forget)

    def _forget(self, task: "asyncio.Task[None]") -> None:
        del self._under_way[task]
        self._finished.set()

    async def _pause(self) -> None:
        """Wait until a place is free, or for the time after which something new may be due."""
        self._finished.clear()
        try:
            await asyncio.wait_for(self._finished.wait(), LOOK_EVERY)
        except TimeoutError:
            return

    async def finish(self, seconds: float) -> None:
        """Let what is under way finish, and give up the rest: its claims run out by themselves."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds)
        for task in tuple(self._under_way):
            task.cancel()

    async def _make(self, claimed: Delivery) -> None:
        """Try one delivery and record what became of it. Whatever goes wrong goes wrong for it alone."""
        began = self._world.clock()
        # Gathered, not awaited: a fault in one kind of delivery must end neither the worker nor the others.
        (outcome,) = await asyncio.gather(self._attempt(claimed), return_exceptions=True)
        if outcome is not None and not isinstance(outcome, Exception):
            raise outcome
        try:
            await self._record(claimed, outcome)
        except StoreUnavailableError as trouble:
            # Not noted, so it is tried once more when the claim has run out.
            self._say("delivery_not_noted", claimed, reason=str(trouble))
            return
        if outcome is None:
            took = (self._world.clock() - began) / timedelta(milliseconds=1)
            self._say("delivery_made", claimed, ms=round(took, 1))

    async def _attempt(self, claimed: Delivery) -> None:
        make = KINDS.get(claimed.kind)
        if make is None:
            # A newer version recorded it and will deliver it, when this one is replaced.
            raise DeliveryFailedError("this version knows no such kind")
        await make(self._world, claimed)

    async def _record(self, claimed: Delivery, failure: Exception | None) -> None:
        uow, now = self._world.unit_of_work(), self._world.clock()
        if failure is None:
            uow.outbox.delivered(claimed, now)
            await uow.commit()
            return
        is_foreseen = isinstance(failure, DeliveryFailedError | StoreUnavailableError)
        reason = str(failure) if is_foreseen else f"a fault of ours: {type(failure).__name__}"
        pause = pause_after(claimed.attempts, self._chance())
        if pause is None:
            uow.outbox.park(claimed, now, reason)
        else:
            uow.outbox.postpone(claimed, now + pause, reason)
        await uow.commit()
        self._say("delivery_parked" if pause is None else "delivery_failed", claimed, reason=reason)

    def _say(
        self, event: str, delivery: Delivery, *, reason: str | None = None, ms: float | None = None
    ) -> None:
        self._world.log.write(
            event,
            self._world.clock(),
            delivery_id=delivery.delivery_id,
            kind=delivery.kind,
            client_id=delivery.client_id or None,
            attempt=delivery.attempts,
            reason=reason,
            ms=ms,
        )
