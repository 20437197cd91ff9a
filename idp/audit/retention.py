"""How long the history of use is kept: five years, and then it is purged (rule R18; D69, D356 Art. 4). Pure.

It is a law and no setting. What is purged are whole pieces from the beginning, up to a checkpoint that is old
enough itself: its signed time proves to every later verification that nothing went too soon.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from idp.audit.checkpoints import Checkpoint

KEPT_FOR = timedelta(days=5 * 365 + 2)
"""Five years with as many leap days as there can be: never shorter."""


def is_over(then: datetime, now: datetime) -> bool:
    """Tell whether what happened at a time has been kept long enough."""
    return then + KEPT_FOR <= now


def purgeable(purged: int, checkpoints: Iterable[Checkpoint], now: datetime) -> int:
    """Return up to which event the log may be purged, given the oldest checkpoints behind what is purged."""
    for checkpoint in checkpoints:
        if not is_over(checkpoint.created_at, now):
            break
        purged = max(purged, checkpoint.tree_size)
    return purged
