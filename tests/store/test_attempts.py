"""Counters of attempts: the upsert says what the rule says, and holds when all come at once."""

import asyncio
from datetime import datetime, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.authenticators.throttling import AttemptLimits, Attempts, ThrottledError, register
from idp.store.attempts import ATTEMPT_GATE
from idp.store.writes import GateClosedError
from tests.support.stores import NOW, Memory, memory_and_loop

DAY = timedelta(days=1)
LIMITS = AttemptLimits(free=2, window=timedelta(minutes=10), longest_pause=timedelta(minutes=3))
WAITS = st.one_of(
    st.sampled_from([0, 30, 60, 120, 180, 600]).map(lambda seconds: timedelta(seconds=seconds)),
    st.sampled_from([30, 60, 600]).map(lambda seconds: timedelta(seconds=seconds, microseconds=-1)),
    st.timedeltas(timedelta(0), timedelta(minutes=11)),
)


async def find(memory: Memory, key: bytes, now: datetime) -> Attempts | None:
    counters = await memory.unit_of_work().attempts.find((key, key, key, key), now)
    return counters.get(key)


async def count_one(memory: Memory, key: bytes, limits: AttemptLimits, now: datetime) -> bool:
    uow = memory.unit_of_work()
    uow.attempts.count(key, limits, now)
    try:
        await uow.commit()
    except GateClosedError as closed:
        return closed.gate != ATTEMPT_GATE
    return True


def test_the_upsert_is_the_rule(database_url: str) -> None:
    keys = count()

    async def compare(memory: Memory, waits: list[timedelta]) -> None:
        key, now = f"key-{next(keys)}".encode(), NOW
        ruled: Attempts | None = None
        for wait in waits:
            now += wait
            try:
                ruled, is_let_through = register(ruled, LIMITS, now), True
            except ThrottledError:
                is_let_through = False
            assert await count_one(memory, key, LIMITS, now) is is_let_through
            assert await find(memory, key, now) == ruled

    @settings(max_examples=30)
    @given(st.lists(WAITS, max_size=12))
    def check(waits: list[timedelta]) -> None:
        runner.run(compare(memory, waits))

    with memory_and_loop(database_url) as (memory, runner):
        check()


@pytest.mark.anyio
@pytest.mark.parametrize("free", [1, 5])
async def test_of_fifty_attempts_at_once_only_the_free_ones_are_let_through(
    memory: Memory, free: int
) -> None:
    limits = AttemptLimits(free=free, window=DAY)
    outcomes = await asyncio.gather(*(count_one(memory, b"key", limits, NOW) for _ in range(50)))
    assert outcomes.count(True) == free
    found = await find(memory, b"key", NOW)
    assert found is not None
    assert found.failures == free, "a refused attempt is not counted"


@pytest.mark.anyio
async def test_a_counter_that_never_refuses_begins_anew_after_its_window(memory: Memory) -> None:
    uow = memory.unit_of_work()
    for hours in (0, 1, 23):
        uow.attempts.note(b"key", NOW + timedelta(hours=hours), DAY)
        await uow.commit()
    assert await find(memory, b"key", NOW) == Attempts(3, NOW, NOW + timedelta(hours=23))
    assert await find(memory, b"key", NOW + DAY) is None
    uow.attempts.note(b"key", NOW + DAY, DAY)
    await uow.commit()
    assert await find(memory, b"key", NOW + DAY) == Attempts(1, NOW + DAY, NOW + DAY)


@pytest.mark.anyio
async def test_a_known_source_is_remembered_without_failures_until_its_time_is_over(memory: Memory) -> None:
    uow = memory.unit_of_work()
    uow.attempts.mark(b"key", NOW, DAY)
    await uow.commit()
    uow.attempts.mark(b"key", NOW + DAY / 2, DAY)
    await uow.commit()
    found = await find(memory, b"key", NOW + DAY * 1.4)
    assert found is not None
    assert found.failures == 0
    assert await find(memory, b"key", NOW + DAY * 1.5) is None


@pytest.mark.anyio
async def test_attempts_are_taken_back_one_by_one_and_never_below_none(memory: Memory) -> None:
    assert await count_one(memory, b"key", LIMITS, NOW)
    assert await count_one(memory, b"key", LIMITS, NOW)
    assert await count_one(memory, b"other", LIMITS, NOW)
    uow = memory.unit_of_work()
    left = []
    for _ in range(3):
        uow.attempts.take_back(b"key")
        await uow.commit()
        found = await find(memory, b"key", NOW)
        assert found is not None
        left.append(found.failures)
    assert left == [1, 0, 0]
    uow.attempts.forget(b"key")
    await uow.commit()
    assert await find(memory, b"key", NOW) is None
    other = await find(memory, b"other", NOW)
    assert other is not None
    assert other.failures == 1


@pytest.mark.anyio
async def test_four_counters_are_found_at_once(memory: Memory) -> None:
    uow = memory.unit_of_work()
    for key in (b"1", b"2", b"3"):
        uow.attempts.note(key, NOW, DAY)
    await uow.commit()
    found = await uow.attempts.find((b"1", b"3", b"4", b"1"), NOW)
    assert sorted(found) == [b"1", b"3"]
