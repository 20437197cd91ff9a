"""The fan-out: gives changes of links their order, and records what follows from them.

One of the delivering processes does it, under a lease; were two to do it, the gate on the head lets one
through. Places and what follows stand in one commit, so that nothing is lost and nothing doubled, wherever
the process dies.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from idp.deliveries.follow_ups import FOLLOW_UPS
from idp.deliveries.world import World
from idp.identity.account_links import AccountLink
from idp.identity.link_changes import LinkChange
from idp.store.link_changes import HEAD
from idp.store.writes import GateClosedError, StoreUnavailableError

BATCH = 500
"""Changes that are placed in one commit."""
FOLLOW_EVERY = 0.2
LEASE = timedelta(seconds=5)
RENEW_BEFORE = timedelta(seconds=3)
"""How much of a lease must be left for it not to be renewed: it need not be written each time."""
APART = timedelta(milliseconds=50)
"""By which what follows from one batch is later than what followed from the one before it."""
_CHANCE = random.SystemRandom()


class FanOut:
    """Follows the changes of links for all clients."""

    def __init__(self, world: World, name: str) -> None:
        """`name`: unique among all processes."""
        self._world = world
        self._name = name
        self._leased_until: datetime | None = None
        self._last = datetime.min.replace(tzinfo=UTC)

    async def run(self) -> None:
        """Follow changes until cancelled, whenever this process holds the lease."""
        while True:
            try:
                while await self._is_leased() and await self.follow() == BATCH:
                    pass
            except (GateClosedError, StoreUnavailableError) as trouble:
                self._leased_until = None
                self._world.log.write("changes_wait", self._world.clock(), reason=str(trouble))
            await asyncio.sleep(FOLLOW_EVERY)

    async def _is_leased(self) -> bool:
        now = self._world.clock()
        if self._leased_until is not None and now < self._leased_until - RENEW_BEFORE:
            return True
        taken = await self._world.unit_of_work().leases.take(HEAD, self._name, now, LEASE)
        self._leased_until = now + LEASE if taken else None
        return taken

    async def follow(self) -> int:
        """Place the oldest changes without a place and record what follows; return how many they were.

        Raises GateClosedError (`consumer_advanced`) when another process did so in the same moment.
        """
        uow = self._world.unit_of_work()
        changes = await uow.link_changes.unsequenced(BATCH)
        if not changes:
            return 0
        head = await uow.link_changes.head()
        links = await uow.followed_links.find({change.link_id for change in changes})
        followed = [(change, links[change.link_id]) for change in changes if change.link_id in links]
        now = self._last = max(self._world.clock(), self._last + APART)
        uow.link_changes.sequence(_mixed(changes, links), head)
        for record in FOLLOW_UPS:
            await record(self._world, uow, followed, now)
        await uow.commit()
        return len(changes)


def _mixed(changes: Sequence[LinkChange], links: Mapping[str, AccountLink]) -> list[LinkChange]:
    """Return the changes with those of one subject in their order, and the subjects in none.

    What befalls people one after the other at two platforms would else stand in one order in both their
    change feeds, and tell who is who (abuse case P7).
    """
    by_subject: dict[tuple[str, str], list[LinkChange]] = {}
    for change in changes:
        link = links.get(change.link_id)
        whose = change.link_id if link is None else link.subject
        by_subject.setdefault((change.client_id, whose), []).append(change)
    groups = list(by_subject.values())
    _CHANCE.shuffle(groups)
    return [change for group in groups for change in group]
