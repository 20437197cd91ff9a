"""The housekeeping process: `python -m idp.housekeeping`. Stops at SIGTERM or when its parent is gone."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta

from idp.audit.tiles import TileError
from idp.companion import WATCH_PARENT, Opened, opened, run_jobs, utc_now
from idp.housekeeping.checkpoints import publish_checkpoint
from idp.housekeeping.delivery_figures import count_deliveries
from idp.housekeeping.disputes import decide_overdue
from idp.housekeeping.expiry import let_time_pass
from idp.housekeeping.hand_over import ask_who_turned_16, end_of_grace
from idp.housekeeping.mass_endings import make_final
from idp.housekeeping.retention import purge_history
from idp.housekeeping.sequencer import BATCH, GapError, catch_up, seal_waiting
from idp.housekeeping.status_lists import build_status_lists, enlist_old_links
from idp.settings import Settings
from idp.store.writes import StoreUnavailableError
from keys import CustodyError

SEAL_EVERY = 0.5
CHECKPOINT_EVERY = 5.0
"""Seconds between two looks; one is signed a minute after the last at the earliest."""
EXPIRE_EVERY = 20.0
REMOVE_EVERY = 60.0
COUNT_EVERY = 600.0
PURGE_AT_ONCE = 60
"""Pieces of history; more than the busiest minute brings, and soon done."""
BUILD_EVERY = 5.0
"""A change is shown within a minute: by then it is built in, and every copy made before has run out."""
LEASE = timedelta(seconds=10)


class Housekeeping:
    """The jobs of one process, each at its own pace, all under one lease."""

    def __init__(self, opened: Opened) -> None:
        self._open = opened.unit_of_work
        self._custody = opened.custody
        self._grace = timedelta(days=opened.settings.own_consent_days)
        self._issuer = opened.settings.issuer
        self._log = opened.log
        self._holder = opened.name

    async def seal(self) -> None:
        """Bring everything into the tree that was sealed without it, then seal everything that waits."""
        caught_up = 0
        while grown := await catch_up(self._open()):
            caught_up += grown
        if caught_up:
            self._log.write("log_tree_caught_up", utc_now(), events=caught_up)
        while await seal_waiting(self._open(), utc_now()) == BATCH:
            pass

    async def checkpoint(self) -> None:
        """Sign the state of the log."""
        self._custody.reload_if_changed(utc_now())
        await publish_checkpoint(self._open(), self._custody, self._issuer, utc_now())

    async def expire(self) -> None:
        """Let pending links vanish and overdue ones lapse."""
        moved = await let_time_pass(self._open(), utc_now())
        if moved:
            self._log.write("links_expired", utc_now(), links=moved)
        decided = await decide_overdue(self._open(), utc_now())
        if decided:
            self._log.write("disputes_decided", utc_now(), disputes=decided)
        made_final = await make_final(self._open, utc_now)
        if made_final:
            self._log.write("mass_actions_final", utc_now(), actions=made_final)

    async def hand_over(self) -> None:
        """Ask whoever turned 16 about their links, and let those lapse that nobody answered for."""
        asked = await ask_who_turned_16(self._open(), self._grace, utc_now())
        lapsed = await end_of_grace(self._open(), utc_now())
        if asked or lapsed:
            self._log.write("links_handed_over", utc_now(), asked=asked, lapsed=lapsed)

    async def build(self) -> None:
        """Write what became of links into their status lists."""
        await build_status_lists(self._open, self._holder, utc_now())
        if listed := await enlist_old_links(self._open, utc_now()):
            self._log.write("old_links_listed", utc_now(), links=listed)

    async def remove(self) -> None:
        """Remove a batch of remains."""
        uow = self._open()
        uow.remains.remove(utc_now())
        await uow.commit()

    async def count(self) -> None:
        """Count how long deliveries took."""
        await count_deliveries(self._open(), utc_now())

    async def purge(self) -> None:
        """Purge history whose five years are over, as many pieces at a time as a minute allows."""
        gone = 0
        for _ in range(PURGE_AT_ONCE):
            piece = await purge_history(self._open(), utc_now())
            gone += piece
            if not piece:
                break
        if gone:
            self._log.write("history_purged", utc_now(), events=gone)

    async def repeat(self, job: Callable[[], Awaitable[None]], seconds: float) -> None:
        """Do a job again and again, whenever this process holds the lease."""
        while True:
            try:
                if await self._open().leases.take("housekeeping", self._holder, utc_now(), LEASE):
                    await job()
            except (StoreUnavailableError, CustodyError) as trouble:
                self._log.write("housekeeping_waits", utc_now(), job=job.__name__, reason=str(trouble))
            except (TileError, GapError) as damage:
                # Nothing is built on a log that was damaged or changed: `idp audit verify` says where.
                self._log.write("log_damaged", utc_now(), job=job.__name__, reason=str(damage))
            await asyncio.sleep(seconds)


async def keep_house(settings: Settings, *, watch_parent: bool) -> None:
    """Run every job until told to stop."""
    async with opened(settings) as world:
        house = Housekeeping(world)
        jobs = (
            house.repeat(house.seal, SEAL_EVERY),
            house.repeat(house.checkpoint, CHECKPOINT_EVERY),
            house.repeat(house.expire, EXPIRE_EVERY),
            house.repeat(house.hand_over, REMOVE_EVERY),
            house.repeat(house.remove, REMOVE_EVERY),
            house.repeat(house.purge, REMOVE_EVERY),
            house.repeat(house.count, COUNT_EVERY),
            house.repeat(house.build, BUILD_EVERY),
        )
        await run_jobs(jobs, watch_parent=watch_parent)


def main() -> None:
    """Run until stopped."""
    asyncio.run(keep_house(Settings.load(), watch_parent=WATCH_PARENT in sys.argv[1:]))


if __name__ == "__main__":
    main()
