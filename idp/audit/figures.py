"""What is told to the public about a month: counts, and how long deliveries took. Nobody stands out. Pure.

A count from one to nine is told as "<10", and no sum is told beside its parts, so that none can be worked
out from the others. Delivery times are told by the bounds of a few wide steps. The same month always gives
the same figures.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

SMALL = 10
"""Below it a count is not told."""
FEW = "<10"

STEPS = (1, 2, 5, 10, 30, 60, 300, 900, 3600, 21600, 86400, 259200)
"""Upper bounds of delivery times in seconds; what took longer counts as the last."""

LINKS: Mapping[str, str] = {
    "established": "account_link:activated",
    "renewed": "account_link:renewed",
    "suspended": "account_link:suspended",
    "reinstated": "account_link:reinstated",
    "lapsed": "account_link:lapsed",
    "ended": "account_link:ended",
}
LOOK_UPS: Mapping[str, str] = {"people": "citizen:looked_up", "links": "account_link:looked_up"}
REFUSED_BY_POLICY = "authorization:refused"
REFUSED_BY_PERSON = "consent:refused"

_VIET_NAM = timezone(timedelta(hours=7))


def shown(count: int) -> int | str:
    """Return a count as it may be told."""
    return FEW if 0 < count < SMALL else count


def month_of(text: str) -> tuple[datetime, datetime]:
    """Return when a month such as 2026-11 begins and ends in Viet Nam. Raises ValueError."""
    year, _, month = text.partition("-")
    if not (len(year) == 4 and len(month) == 2 and (year + month).isdecimal()):
        raise ValueError("a month is written 2026-11")
    begins = datetime(int(year), int(month), 1, tzinfo=_VIET_NAM)
    return begins, (begins + timedelta(days=31)).replace(day=1)


def step_of(seconds: Mapping[int, int], share: float) -> int | None:
    """Return within which step that share of deliveries was made; None where they are too few to tell.

    `seconds` counts deliveries by the upper bound of their step.
    """
    total = sum(seconds.values())
    if total < SMALL:
        return None
    reached = 0
    for step in sorted(seconds):
        reached += seconds[step]
        if reached >= share * total:
            return step
    return max(seconds)
