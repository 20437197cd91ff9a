"""The outbox, with several workers that fail, die and come back: told in order, never by two at once."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from idp.store.outbox import Delivery
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

    async def _found(self) -> dict[str, Delivery]:
        due = await self.memory.unit_of_work().outbox.due(self.prefix, self.now, limit=1000)
        return {each.delivery_id: each for each in due}

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

    @rule(which=PLACES)
    def claim(self, which: int) -> None:
        """Two workers saw the same list and want the same delivery: one has it."""
        due = sorted(self.run(self._found()).items())
        if not due:
            return
        _, wanted = due[which % len(due)]
        until = self.now + LEASE

        async def both() -> list[Delivery | None]:
            outboxes = (self.memory.unit_of_work().outbox for _ in range(2))
            return list(await asyncio.gather(*(outbox.claim(wanted, until) for outbox in outboxes)))

        got = [each for each in self.run(both()) if each is not None]
        assert [each.attempts for each in got] == [wanted.attempts + 1]
        self.told[wanted.delivery_id].due_at = until
        self.claims.append(Claim(got[0], until))

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
                uow.outbox.delivered(claim.claimed, self.now)
            elif outcome == "postponed":
                uow.outbox.postpone(claim.claimed, later, "away")
            elif outcome == "parked":
                uow.outbox.park(claim.claimed, self.now, "given up")
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
                uow.outbox.drop(told.delivery_id)
            else:
                uow.outbox.replay(told.delivery_id, self.now)
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
    def what_is_due_is_the_first_of_each_key(self) -> None:
        found = self.run(self._found())
        assert found.keys() == self._due()
        keys = [each.ordering_key for each in found.values()]
        assert len(keys) == len(set(keys)), "two of one key are never under way together"

    @invariant()
    def what_was_told_is_told_once_and_nothing_is_lost(self) -> None:
        async def states() -> dict[str, str]:
            kept = await self.memory.unit_of_work().outbox.page(client_id=self.prefix, limit=1000)
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
