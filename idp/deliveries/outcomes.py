"""What became of attempts, recorded by the handful: one commit for all that finished within a moment."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from idp.deliveries.world import DeliveryFailedError, DeliveryHeldError, DeliveryRefusedError, World
from idp.protocol.delivery_schedule import next_attempt_at
from idp.store.outbox import Delivery, Failure
from idp.store.writes import StoreUnavailableError

CLAIM = timedelta(seconds=10)
"""How long a delivery is left to the worker that claimed it; the call itself takes a quarter at most."""
RECORD_EVERY = 0.02
"""Seconds in which outcomes are gathered."""
REFUSED_ATTEMPTS = 5
"""After so many a delivery is parked whose receiver says that it is wrong, not that it cannot take it now."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt."""

    claimed: Delivery
    failure: Exception | None
    seconds: float
    is_receiver_back: bool = False
    """It took this one after several that it did not."""


def judge(claimed: Delivery, failure: Exception, now: datetime, chance: float) -> Failure:
    """Decide what follows a failure: held until a time, tried again after a pause, or given up."""
    if isinstance(failure, DeliveryHeldError):
        return Failure(claimed, str(failure), failure.until if now < claimed.give_up_at else None)
    is_foreseen = isinstance(failure, DeliveryFailedError | StoreUnavailableError)
    reason = str(failure) if is_foreseen else f"a fault of ours: {type(failure).__name__}"
    if isinstance(failure, DeliveryRefusedError) and claimed.attempts >= REFUSED_ATTEMPTS:
        return Failure(claimed, reason, None)
    return Failure(claimed, reason, next_attempt_at(claimed.attempts, claimed.give_up_at, now, chance))


class Outcomes:
    """Gathers outcomes and records them; what could not be recorded is tried once more after its claim."""

    def __init__(self, world: World, chance: Callable[[], float], recorded: Callable[[], None]) -> None:
        """`recorded` is called after each commit: what stood behind these deliveries may be due now."""
        self._world = world
        self._chance = chance
        self._recorded = recorded
        self._gathered: list[Outcome] = []
        self._recording: asyncio.Task[None] | None = None
        self._at_once = asyncio.Event()

    def add(self, outcome: Outcome) -> None:
        """Take an outcome; it is recorded within RECORD_EVERY."""
        self._gathered.append(outcome)
        if self._recording is None:
            self._recording = asyncio.create_task(self._record_together())

    async def settle(self) -> None:
        """Record at once what was gathered."""
        self._at_once.set()
        if self._recording is not None:
            await self._recording
        self._at_once.clear()

    async def _record_together(self) -> None:
        while self._gathered:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._at_once.wait(), RECORD_EVERY)
            outcomes, self._gathered = self._gathered, []
            try:
                await self._record(outcomes)
            except StoreUnavailableError as trouble:
                for outcome in outcomes:
                    self._say("delivery_not_noted", outcome.claimed, reason=str(trouble))
            self._recorded()
        self._recording = None

    async def _record(self, outcomes: Sequence[Outcome]) -> None:
        uow, now = self._world.unit_of_work(), self._world.clock()
        made = [outcome for outcome in outcomes if outcome.failure is None]
        failures = [
            judge(outcome.claimed, outcome.failure, now, self._chance())
            for outcome in outcomes
            if outcome.failure is not None
        ]
        for outcome in made:
            if outcome.is_receiver_back:
                claimed = outcome.claimed
                uow.outbox.hurry(claimed.kind, claimed.client_id, now, behind=now + 2 * CLAIM)
        uow.outbox.failed(failures, now)
        uow.outbox.delivered([outcome.claimed for outcome in made], now)
        await uow.commit()
        for outcome in made:
            self._say("delivery_made", outcome.claimed, ms=round(outcome.seconds * 1000, 1))
        for failure in failures:
            event = "delivery_parked" if failure.next_attempt_at is None else "delivery_failed"
            self._say(event, failure.claimed, reason=failure.reason)

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
