"""The pool in which passwords are hashed: other work goes first, and nobody waits in vain."""

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from idp.authenticators.hashing_pool import (
    ASSUMED_COST,
    LOWEST_PRIORITY,
    HashingOverloadedError,
    HashingPool,
)
from idp.authenticators.password import WrongPasswordError


@pytest.fixture
def pool() -> Iterator[HashingPool]:
    pool = HashingPool(threads=1, queue_limit=3 * ASSUMED_COST)
    yield pool
    pool.close()


class Gate:
    """Work that lasts until the test opens it."""

    def __init__(self) -> None:
        self._open = threading.Event()

    def wait(self) -> bool:
        return self._open.wait(timeout=10)

    def open(self) -> None:
        self._open.set()


def test_what_the_function_returns_comes_back(pool: HashingPool) -> None:
    assert asyncio.run(pool.run(divmod, 7, 2)) == (3, 1)


def test_what_the_function_raises_comes_back_and_the_pool_goes_on(pool: HashingPool) -> None:
    def refuse() -> None:
        raise WrongPasswordError

    with pytest.raises(WrongPasswordError):
        asyncio.run(pool.run(refuse))
    assert asyncio.run(pool.run(divmod, 7, 2)) == (3, 1)
    assert pool.pending == 0


def test_hashing_yields_to_everything_else(pool: HashingPool) -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    niceness = asyncio.run(pool.run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id())))
    # Only Linux has priorities per thread.
    assert niceness == (LOWEST_PRIORITY if sys.platform == "linux" else before)
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


def test_a_full_queue_refuses_at_once_and_says_how_long(pool: HashingPool) -> None:
    async def flood() -> None:
        gate = Gate()
        waiting = [asyncio.ensure_future(pool.run(gate.wait)) for _ in range(3)]
        await asyncio.sleep(0)  # each of the three starts and takes its place
        assert pool.pending == 3
        with pytest.raises(HashingOverloadedError) as refused:
            await pool.run(gate.wait)
        assert refused.value.retry_after == 3 * ASSUMED_COST
        assert "try again" in str(refused.value)
        gate.open()
        assert await asyncio.gather(*waiting) == [True, True, True]
        assert await pool.run(gate.wait)

    asyncio.run(flood())


def test_a_slow_machine_still_hashes_one_at_a_time() -> None:
    pool = HashingPool(threads=1, queue_limit=timedelta(0))
    assert asyncio.run(pool.run(divmod, 7, 2)) == (3, 1)
    pool.close()


def test_who_stops_waiting_frees_no_place_before_the_work_is_over(pool: HashingPool) -> None:
    async def abandon() -> None:
        gate = Gate()
        began = threading.Event()

        def work() -> bool:
            began.set()
            return gate.wait()

        waiting = asyncio.ensure_future(pool.run(work))
        assert await asyncio.to_thread(began.wait, 10)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert pool.pending == 1
        gate.open()
        assert await pool.run(divmod, 7, 2) == (3, 1)
        assert pool.pending == 0

    asyncio.run(abandon())


def test_the_cost_is_measured_and_moves_with_the_machine(pool: HashingPool) -> None:
    assert pool.measured_cost == ASSUMED_COST
    asyncio.run(pool.run(threading.Event().wait, 0.01))
    first = pool.measured_cost
    assert first >= timedelta(milliseconds=9)
    asyncio.run(pool.run(threading.Event().wait, 0))
    assert pool.measured_cost < first


def test_a_closed_pool_takes_nothing() -> None:
    pool = HashingPool(threads=1)
    pool.close()
    with pytest.raises(RuntimeError):
        asyncio.run(pool.run(divmod, 7, 2))
    assert pool.pending == 0
