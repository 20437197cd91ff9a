"""A process beside the server, from the inside: opened once, at work until it is told to stop.

Housekeeping and deliveries are such processes. `idp serve` starts them with a pipe that only it holds, so
that they end with it however it ended.
"""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from idp.settings import Settings
from idp.store.database import Database
from idp.store.opening import open_database
from idp.store.unit_of_work import UnitOfWork
from idp.web.log import Log
from keys import Custody

WATCH_PARENT = "--watch-parent"
"""The argument that makes a companion end with whoever holds its standard input."""

Job = Coroutine[object, object, None]
"""Work without an end, except by an exception."""


def utc_now() -> datetime:
    """Return the present; the only clock of a companion."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Opened:
    """What a companion works with."""

    settings: Settings
    database: Database
    custody: Custody
    log: Log
    name: str
    """Unique among all processes on all machines."""

    def unit_of_work(self) -> UnitOfWork:
        """Return a fresh unit of work."""
        return UnitOfWork(self.database, self.custody.data)


@contextlib.asynccontextmanager
async def opened(settings: Settings, *, connections: int = 2) -> AsyncIterator[Opened]:
    """Open database, keys and log; close them at the end."""
    database = open_database(settings.database_url, connections=connections, is_replanning=True)
    try:
        custody = Custody.open(settings.keys_dir, settings.seal_file, utc_now())
        log = Log(settings.log_file)
        try:
            name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
            yield Opened(settings, database, custody, log, name)
        finally:
            log.close()
    finally:
        await database.close()


async def run_jobs(jobs: Sequence[Job], *, watch_parent: bool) -> None:
    """Run jobs side by side until SIGTERM, SIGINT or the end of the parent. Raises what ended a job."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    working = [asyncio.create_task(job) for job in jobs]
    waiting = {asyncio.create_task(stop.wait()), *working}
    if watch_parent:
        waiting.add(asyncio.create_task(_parent_gone()))
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for job in working:
            if job.done():
                job.result()  # a job ends only by an exception: say which, and end with it
    finally:
        for task in waiting:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*waiting, return_exceptions=True)


async def _parent_gone() -> None:
    """Return when standard input ends: the parent holds its other end and never writes."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
