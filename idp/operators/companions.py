"""The processes beside the servers: started, started again when they die, stopped at the end.

Each reads from a pipe that only this process holds. The pipe ends with this process, even by `kill -9`,
and that is the companion's sign to stop.
"""

import asyncio
import sys
import threading
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

# -P: a folder named `keys` where the operator happens to stand must not be taken for our package.
_PROGRAM = (sys.executable, "-P", "-m")
COMPANIONS: Mapping[str, Sequence[str]] = {
    "Housekeeping": (*_PROGRAM, "idp.housekeeping", "--watch-parent"),
    "Delivering": (*_PROGRAM, "idp.deliveries", "--watch-parent"),
}
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
STEADY_AFTER = 60.0
"""A companion that lived this long is not blamed for earlier deaths."""
STOPPED_WITHIN = 10.0


@contextmanager
def companions(say: Callable[[str], None]) -> Iterator[None]:
    """Keep one process of each kind running, watched from a thread of its own."""
    loop = asyncio.new_event_loop()
    stopping = asyncio.Event()
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(_keep_all_running(stopping, say)), name="companions"
    )
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join()
        loop.close()


async def _keep_all_running(stopping: asyncio.Event, say: Callable[[str], None]) -> None:
    await asyncio.gather(
        *(_keep_running(name, command, stopping, say) for name, command in COMPANIONS.items())
    )


async def _keep_running(
    name: str, command: Sequence[str], stopping: asyncio.Event, say: Callable[[str], None]
) -> None:
    loop = asyncio.get_running_loop()
    pause = FIRST_PAUSE
    while not stopping.is_set():
        started_at = loop.time()
        # In a session of its own, for Ctrl-C is meant for the servers, which stop it in their turn.
        process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, start_new_session=True)
        if await _is_stopped_before_it_dies(process, stopping):
            await _stop(process)
            return
        if loop.time() - started_at >= STEADY_AFTER:
            pause = FIRST_PAUSE
        say(f"{name} ended with status {process.returncode}; it starts again in {pause:.0f} s.")
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), pause)
        pause = min(2 * pause, LONGEST_PAUSE)


async def _is_stopped_before_it_dies(process: Process, stopping: asyncio.Event) -> bool:
    death = asyncio.create_task(process.wait())
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait({death, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if death.done():
        return False
    death.cancel()
    return True


async def _stop(process: Process) -> None:
    """Close the pipe, and become more insistent where that is not enough."""
    if process.stdin is not None:
        process.stdin.close()
    for insist in (process.terminate, process.kill):
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOPPED_WITHIN)
            return
        insist()
    await process.wait()
