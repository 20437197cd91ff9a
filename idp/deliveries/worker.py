"""The worker: finds what is due, claims it and tries it.

Deliveries are claimed and recorded by the handful, so that a thousand a second cost the database some dozen
statements. How many are under way to one receiver depends on how it answers (see `lanes`). A worker that is
killed loses nothing: its claims run out and the deliveries are tried again.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from idp.deliveries.kinds import KINDS, MAY_CLAIM, MOST_AT_ONCE
from idp.deliveries.lanes import MOST_PLACES, Lane
from idp.deliveries.outcomes import CLAIM, Outcome, Outcomes
from idp.deliveries.world import DeliveryHeldError, DeliveryRefusedError, World
from idp.protocol.delivery_schedule import GIVEN_UP_AFTER
from idp.store.outbox import Delivery
from idp.store.writes import StoreUnavailableError

AT_ONCE = 256
"""Deliveries under way in one process."""
AT_ONCE_SICK = 128
"""Of these, to receivers that are slow or failing."""
LOOK_EVERY = 0.5
GATHER = 0.02
"""Seconds between looks while there is much to do, so that a look claims a handful."""
FINISHED_WITHIN = 4.0
"""Seconds that deliveries under way are given when the worker is told to stop."""
OVERDUE = GIVEN_UP_AFTER + timedelta(minutes=10)
"""The age at which what could not even be tried is given up."""
PARK_EVERY = 60.0


class Worker:
    """Empties the outbox of one process's share."""

    def __init__(self, world: World, chance: Callable[[], float]) -> None:
        self._world = world
        self._chance = chance
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._under_way: dict[asyncio.Task[None], Lane] = {}
        self._news = asyncio.Event()
        self._outcomes = Outcomes(world, chance, self._news.set)

    async def run(self) -> None:
        """Work until cancelled; what is under way then may finish within FINISHED_WITHIN."""
        try:
            while True:
                try:
                    started = await self.start_due()
                except StoreUnavailableError as trouble:
                    started = 0
                    self._world.log.write("deliveries_wait", self._world.clock(), reason=str(trouble))
                await (asyncio.sleep(GATHER) if started else self._pause())
        finally:
            await self.finish(FINISHED_WITHIN)

    async def start_due(self) -> int:
        """Claim and start what is due and has a place; return how many were started.

        Receivers in good health come first, and of those the ones with the fewest under way.
        """
        if len(self._under_way) >= AT_ONCE:
            return 0
        due = await self._world.unit_of_work().outbox.lanes_due(KINDS, self._world.clock())
        lanes = [
            self._lane(kind, client)
            for kind, client in due
            if kind not in MAY_CLAIM or await MAY_CLAIM[kind](self._world, client)
        ]
        lanes.sort(key=lambda lane: (lane.is_sick, lane.under_way, self._chance()))
        started = 0
        for lane in lanes:
            limit = min(lane.free, self._free_places(is_sick=lane.is_sick))
            if limit > 0:
                started += await self._claim(lane, limit)
        return started

    def _lane(self, kind: str, client_id: str) -> Lane:
        lane = self._lanes.get((kind, client_id))
        if lane is None:
            most = MOST_AT_ONCE.get(kind, MOST_PLACES)
            lane = self._lanes[kind, client_id] = Lane(kind, client_id, most)
        return lane

    def _free_places(self, *, is_sick: bool) -> int:
        free = AT_ONCE - len(self._under_way)
        if not is_sick:
            return free
        return min(free, AT_ONCE_SICK - sum(lane.under_way for lane in self._lanes.values() if lane.is_sick))

    async def _claim(self, lane: Lane, limit: int) -> int:
        now, outbox = self._world.clock(), self._world.unit_of_work().outbox
        claimed = await outbox.claim(lane.kind, lane.client_id, now, now + CLAIM, limit=limit)
        for delivery in claimed:
            lane.under_way += 1
            task = asyncio.create_task(self._make(delivery, lane))
            self._under_way[task] = lane
            task.add_done_callback(self._forget)
        return len(claimed)

    def _forget(self, task: "asyncio.Task[None]") -> None:
        self._under_way.pop(task).under_way -= 1
        self._news.set()

    async def _make(self, claimed: Delivery, lane: Lane) -> None:
        """Try one delivery. Whatever goes wrong goes wrong for it alone."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        # Gathered, not awaited: a fault in one kind of delivery must end neither the worker nor the others.
        making = KINDS[claimed.kind](self._world, claimed)
        (failure,) = await asyncio.gather(making, return_exceptions=True)
        if failure is not None and not isinstance(failure, Exception):
            raise failure
        seconds, is_back = loop.time() - began, False
        if failure is None or isinstance(failure, DeliveryRefusedError):
            is_back = lane.succeeded(seconds)
        elif not isinstance(failure, DeliveryHeldError):
            lane.failed()
        self._outcomes.add(Outcome(claimed, failure, seconds, is_receiver_back=is_back))

    async def _pause(self) -> None:
        """Wait until a place is free, or for the time after which something new may be due."""
        self._news.clear()
        try:
            await asyncio.wait_for(self._news.wait(), LOOK_EVERY)
        except TimeoutError:
            return
        await asyncio.sleep(GATHER)

    async def finish(self, seconds: float) -> None:
        """Let what is under way finish, and give up the rest: its claims run out by themselves."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds)
        for task in tuple(self._under_way):
            task.cancel()
        await self._outcomes.settle()

    async def park_overdue(self) -> None:
        """Park what is older than three days and could not be tried, while the process lives."""
        while True:
            uow, now = self._world.unit_of_work(), self._world.clock()
            uow.outbox.park_overdue(now, now - OVERDUE, "it waited for three days")
            try:
                await uow.commit()
            except StoreUnavailableError as trouble:
                self._world.log.write("deliveries_wait", now, reason=str(trouble))
            await asyncio.sleep(PARK_EVERY)
