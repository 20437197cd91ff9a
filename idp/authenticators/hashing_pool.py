"""Where passwords are hashed: beside the event loop, at the lowest priority, in a short queue.

A hash takes a core for some 25 ms. Made on the event loop, a flood of sign-ins stops every other
answer for half a second; made here, it uses only what the token endpoint leaves over. When more
than two seconds of work are waiting, the next one is refused at once (503 with Retry-After) rather
than answered after the person has gone. Memory is bounded by threads x 19 MiB.

This is the one module among the rules that has threads and a clock. It stands beside `password`
because it is the condition under which that may be called, and it knows no framework.
"""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

LOWEST_PRIORITY = 19
ASSUMED_COST = timedelta(milliseconds=25)
"""What a hash is taken to cost until the first one was measured."""
_WEIGHT_OF_NEWEST = 0.2


class HashingOverloadedError(Exception):
    """More hashing is waiting than anybody waits for. The answer is 503 with Retry-After."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__(f"password hashing is overloaded, try again in {retry_after.total_seconds():.0f} s")
        self.retry_after = retry_after


class HashingPool:
    """Threads for password hashing with a queue that is bounded in time.

    `queue_limit` is how much work may wait, by the measured cost of one hash.
    """

    def __init__(self, threads: int, queue_limit: timedelta = timedelta(seconds=2)) -> None:
        self._threads = threads
        self._queue_limit = queue_limit
        self._executor = ThreadPoolExecutor(threads, "hashing", initializer=_yield_to_others)
        self._lock = threading.Lock()
        self._pending = 0
        self._cost: timedelta | None = None

    @property
    def measured_cost(self) -> timedelta:
        """How long one hash takes here and now: a moving average, waiting for a core included."""
        return self._cost or ASSUMED_COST

    @property
    def pending(self) -> int:
        """How many hashes are waiting or being made."""
        return self._pending

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in the pool and wait for what it returns or raises.

        Raises HashingOverloadedError, at once and with nothing queued, when too much is waiting.
        """
        self._take_place()
        try:
            future = self._executor.submit(self._measured, partial(function, *args, **kwargs))
        except BaseException:
            self._leave_place()
            raise
        # The place is left when the work is over, not when somebody stopped waiting for it: a browser
        # that closes its connection frees no core.
        future.add_done_callback(self._leave_place)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Finish what is being hashed, drop what is waiting, end the threads."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _take_place(self) -> None:
        with self._lock:
            waiting = self.measured_cost * self._pending / self._threads
            # A free thread is always used, however slow the machine.
            if self._pending >= self._threads and waiting >= self._queue_limit:
                raise HashingOverloadedError(waiting)
            self._pending += 1

    def _leave_place(self, _future: Future[T] | None = None) -> None:
        with self._lock:
            self._pending -= 1

    def _measured(self, work: Callable[[], T]) -> T:
        began = time.perf_counter()
        try:
            return work()
        finally:
            self._remember(timedelta(seconds=time.perf_counter() - began))

    def _remember(self, cost: timedelta) -> None:
        with self._lock:
            before = cost if self._cost is None else self._cost
            self._cost = before + (cost - before) * _WEIGHT_OF_NEWEST


def _yield_to_others() -> None:
    """Give this thread the lowest priority. Only Linux has priorities per thread."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST_PRIORITY)
