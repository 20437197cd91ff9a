"""What follows from changes of links, in one table. To add to it: write what follows, and name it here.

Each function is called by the fan-out with some changes, in their order, each with its link as it stands now
(later changes of the link may be part of that already). It records what follows from them in the very commit
that places them: it may read, and must not commit.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from idp.deliveries.link_notices import record_notices
from idp.deliveries.told_changes import record_events
from idp.deliveries.world import World
from idp.identity.account_links import AccountLink
from idp.identity.link_changes import LinkChange
from idp.store.unit_of_work import UnitOfWork

FollowUp = Callable[[World, UnitOfWork, Sequence[tuple[LinkChange, AccountLink]], datetime], Awaitable[None]]

FOLLOW_UPS: tuple[FollowUp, ...] = (record_events, record_notices)
