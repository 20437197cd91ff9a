"""The housekeeping process: `python -m idp.housekeeping`. Stops at SIGTERM or when its parent is gone."""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from idp.housekeeping.expiry import let_time_pass
from idp.housekeeping.sequencer import BATCH, seal_waiting
from idp.settings import Settings
from idp.store.opening import open_database
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import StoreUnavailableError
from idp.web.log import Log
from keys import Custody

SEAL_EVERY = 0.5
EXPIRE_EVERY = 20.0
REMOVE_EVERY = 60.0
LEASE = timedelta(seconds=10)


def _now() -> datetime:
    return datetime.now(UTC)


class Housekeeping:
    """The jobs of one process, each at its own pace, all under one lease."""

    def __init__(self, open_unit_of_work: Callable[[], UnitOfWork], log: Log) -> None:
        self._open = open_unit_of_work
        self._log = log
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"

    async def seal(self) -> None:
        """Seal everything that waits."""
        while await seal_waiting(self._open(), _now()) == BATCH:
            pass

    async def expire(self) -> None:
        """Let pending links vanish and overdue ones lapse."""
        moved = await let_time_pass(self._open(), _now())
        if moved:
            self._log.write("links_expired", _now(), links=moved)

    async def remove(self) -> None:
        """Remove a batch of remains."""
        uow = self._open()
        uow.remains.remove(_now())
        await uow.commit()

    async def repeat(self, job: Callable[[], Awaitable[None]], seconds: float) -> None:
        """Do a job again and again, whenever this process holds the lease."""
        while True:
            try:
                if await self._open().leases.take("housekeeping", self._holder, _now(), LEASE):
                    await job()
            except StoreUnavailableError as trouble:
                self._log.write("housekeeping_waits", _now(), job=job.__name__, reason=str(trouble))
            await asyncio.sleep(seconds)


async def _parent_gone() -> None:
    """Return when standard input ends: the parent holds its other end and never writes."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


async def keep_house(settings: Settings, *, watch_parent: bool) -> None:
    """Run every job until told to stop."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    database = open_database(settings.database_url, connections=2)
    custody = Custody.open(settings.keys_dir, settings.seal_file, _now())
    log = Log(settings.log_file)
    house = Housekeeping(lambda: UnitOfWork(database, custody.data), log)
    jobs = [
        asyncio.create_task(house.repeat(house.seal, SEAL_EVERY)),
        asyncio.create_task(house.repeat(house.expire, EXPIRE_EVERY)),
        asyncio.create_task(house.repeat(house.remove, REMOVE_EVERY)),
    ]
    waiting = {asyncio.create_task(stop.wait()), *jobs}
    if watch_parent:
        waiting.add(asyncio.create_task(_parent_gone()))
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for job in jobs:
            if job.done():
                job.result()  # a job ends only by an exception: say which, and end with it
    finally:
        for task in waiting:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*waiting, return_exceptions=True)
        await database.close()
        log.close()


def main() -> None:
    """Run until stopped; `--watch-parent` ends with whoever holds standard input."""
    asyncio.run(keep_house(Settings.load(), watch_parent="--watch-parent" in sys.argv[1:]))


if __name__ == "__main__":
    main()
