"""When a delivery that failed is tried again, and when it is given up. RFC 8935 §4, Back-Channel Logout §2.5.

The pauses double up to some hours and add up to three days; the deliveries of one failure are spread, so that
a receiver that comes back is not met by all of them at once. Given up means parked: an operator sees it and
can send it again, and nothing behind it waits any longer.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=6)
GIVEN_UP_AFTER = timedelta(hours=72)
SPREAD = 0.25
"""The part of a pause by which it may be shorter or longer."""


def _pauses() -> Iterator[timedelta]:
    pause, left = FIRST_PAUSE, GIVEN_UP_AFTER
    while left > timedelta(0):
        pause = min(pause, left)
        yield pause
        left -= pause
        pause = min(2 * pause, LONGEST_PAUSE)


PAUSES = tuple(_pauses())
"""The pause after the first failure, the second, and so on, of a delivery that is tried on time."""


def next_attempt_at(attempts: int, give_up_at: datetime, now: datetime, chance: float) -> datetime | None:
    """Return when to try again after so many failed attempts; None when it is given up.

    Its age decides, not the count: behind a long backlog there may be few attempts, or none, in three days.
    The last attempt is made when the time is over. `chance` is a random number from 0 to 1. Raises
    ValueError for one that is not, or when nothing was tried.
    """
    if attempts < 1 or not 0 <= chance <= 1:
        raise ValueError("there is no pause before the first attempt, and chance lies between 0 and 1")
    if now >= give_up_at:
        return None
    pause = PAUSES[attempts - 1] if attempts <= len(PAUSES) else LONGEST_PAUSE
    return min(now + pause * (1 - SPREAD + 2 * SPREAD * chance), give_up_at)
