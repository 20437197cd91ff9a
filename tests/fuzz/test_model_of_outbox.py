"""The outbox, with several workers that fail, die and come back: told in order, never by two at once."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from idp.store.outbox import Delivery, Failure
from idp.store.writes import GateClosedError
from tests.support.models import Model, hold
from tests.support.stores import NOW, Memory, memory_and_loop

LEASE = timedelta(seconds=10)
KEYS = st.sampled_from(("one", "two"))
PLACES = st.integers(0, 7)


@dataclass
class Told:
    """What the model knows of one delivery."""

    delivery_id: str
    key: str
    created_at: datetime
    state: str = "waiting"
    due_at: datetime = NOW


@dataclass
class Claim:
    """A delivery in a worker's hands: what the worker holds, whether or not its claim still stands."""

    claimed: Delivery
    until: datetime = field(default=NOW)


class Outbox(Model):
    """Deliveries of two keys, and the claims that workers hold."""

    def __init__(self, memory: Memory, runner: asyncio.Runner) -> None:
        super().__init__(runner)
        self.memory = memory
        self.now = NOW
        self.told: dict[str, Told] = {}
        self.claims: list[Claim] = []

    def _ahead(self, told: Told) -> list[Told]:
        """What has to be told before it."""
        place = (told.created_at, told.delivery_id)
        return [
            other
            for other in self.told.values()
            if other.key == told.key
            and other.state == "waiting"
            and (other.created_at, other.delivery_id) < place
        ]

    def _due(self) -> set[str]:
        return {
            told.delivery_id
            for told in self.told.values()
            if told.state == "waiting" and told.due_at <= self.now and not self._ahead(told)
        }

    @rule(key=KEYS, is_again=st.booleans())
    def add(self, key: str, *, is_again: bool) -> None:
        """Record something to tell; a second one with the same id changes nothing."""
        delivery_id = f"{self.prefix}-{len(self.told):03}"
        kept = [told.delivery_id for told in self.told.values() if told.state != "dropped"]
        if is_again and kept:
            delivery_id = kept[0]
        delivery = Delivery(
            delivery_id=delivery_id,
            kind="test",
            client_id=self.prefix,
            ordering_key=f"{self.prefix}-{key}",
            content={},
            created_at=self.now,
            next_attempt_at=self.now,
        )

        async def record() -> None:
            uow = self.memory.unit_of_work()
            uow.outbox.add(delivery)
            await uow.commit()

        self.run(record())
        self.told.setdefault(delivery_id, Told(delivery_id, key, self.now, due_at=self.now))

    @rule(limit=st.integers(1, 3))
    def claim(self, limit: int) -> None:
        """Two workers look at the same moment: each delivery that is due goes to one of them."""
        due, until = self._due(), self.now + LEASE

        async def both() -> list[Delivery]:
            outboxes = (self.memory.unit_of_work().outbox for _ in range(2))
            claims = (outbox.claim("test", self.prefix, self.now, until, limit=limit) for outbox in outboxes)
            return [delivery for claimed in await asyncio.gather(*claims) for delivery in claimed]

        got = self.run(both())
        names = {each.delivery_id for each in got}
        assert len(names) == len(got) == min(2 * limit, len(due))
        assert names <= due
        keys = [each.ordering_key for each in got]
        assert len(keys) == len(set(keys)), "two of one key are never under way together"
        for each in got:
            self.told[each.delivery_id].due_at = until
            self.claims.append(Claim(each, until))

    @precondition(lambda self: self.claims)
    @rule(which=PLACES, outcome=st.sampled_from(("delivered", "postponed", "parked", "died")))
    def finish(self, which: int, outcome: str) -> None:
        """A worker says what became of it, in time or long after another took over."""
        claim = self.claims.pop(which % len(self.claims))
        told = self.told[claim.claimed.delivery_id]
        stands = told.state == "waiting" and told.due_at == claim.until
        later = self.now + timedelta(seconds=5)

        async def record() -> None:
            uow = self.memory.unit_of_work()
            if outcome == "delivered":
                uow.outbox.delivered([claim.claimed], self.now)
            elif outcome == "postponed":
                uow.outbox.failed([Failure(claim.claimed, "away", later)], self.now)
            elif outcome == "parked":
                uow.outbox.failed([Failure(claim.claimed, "given up", None)], self.now)
            await uow.commit()

        self.run(record())
        if outcome == "delivered" and told.state != "dropped":
            told.state = "delivered"
        elif stands and outcome == "parked":
            told.state = "parked"
        elif stands and outcome == "postponed":
            told.due_at = later

    @precondition(lambda self: self.told)
    @rule(which=PLACES, is_dropped=st.booleans())
    def intervene(self, which: int, *, is_dropped: bool) -> None:
        """An operator has it told again, or never."""
        told = list(self.told.values())[which % len(self.told)]

        async def record() -> bool:
            uow = self.memory.unit_of_work()
            if is_dropped:
                uow.outbox_overview.drop(told.delivery_id)
            else:
                uow.outbox_overview.replay(told.delivery_id, self.now)
            try:
                await uow.commit()
            except GateClosedError:
                return False
            return True

        assert self.run(record()) is (told.state in {"waiting", "parked"})
        if told.state in {"waiting", "parked"}:
            told.state, told.due_at = ("dropped" if is_dropped else "waiting"), self.now

    @rule(seconds=st.sampled_from((1, 5, 10, 11)))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @invariant()
    def a_lane_is_due_when_anything_waits_for_its_time(self) -> None:
        waiting = {told.state == "waiting" and told.due_at <= self.now for told in self.told.values()}
        lanes = self.run(self.memory.unit_of_work().outbox.lanes_due(["other", "test"], self.now))
        assert (("test", self.prefix) in lanes) is (True in waiting)

    @invariant()
    def what_was_told_is_told_once_and_nothing_is_lost(self) -> None:
        async def states() -> dict[str, str]:
            kept = await self.memory.unit_of_work().outbox_overview.page(client_id=self.prefix, limit=1000)
            return {
                each.delivery_id: "delivered"
                if each.delivered_at is not None
                else "parked"
                if each.parked_at is not None
                else "waiting"
                for each in kept
            }

        expected = {name: told.state for name, told in self.told.items() if told.state != "dropped"}
        assert self.run(states()) == expected


@pytest.fixture
def opened(sqlite_url: str) -> Iterator[tuple[Memory, asyncio.Runner]]:
    with memory_and_loop(sqlite_url) as opened:
        yield opened


def test_deliveries_keep_their_order_in_any_order_of_steps(opened: tuple[Memory, asyncio.Runner]) -> None:
    hold(lambda: Outbox(*opened), examples=30, steps=25)
