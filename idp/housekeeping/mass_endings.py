"""Mass actions whose time to be undone is over become final: what was to end ends. Abuse case P9."""

from collections.abc import Callable
from datetime import datetime

from idp.audit.events import PROVIDER
from idp.identity.mass_actions import UNDO_WITHIN, MassActionError, is_due_to_be_final
from idp.mass_run import MassRunner
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError

AT_ONCE = 10


async def make_final(open_unit_of_work: Callable[[], UnitOfWork], clock: Callable[[], datetime]) -> int:
    """Make finished actions final that cannot be undone any more; return how many were."""
    now = clock()
    due = await open_unit_of_work().mass_actions.finished_before(now - UNDO_WITHIN, AT_ONCE)
    made = 0
    for action in due:
        if not is_due_to_be_final(action, now):
            continue
        runner = MassRunner(open_unit_of_work, clock, PROVIDER, lambda _: None)
        try:
            await runner.finalize(action)
        except (GateClosedError, MassActionError):
            # Another process is at it, or was faster: what is left is found at the next look.
            continue
        made += 1
    return made
