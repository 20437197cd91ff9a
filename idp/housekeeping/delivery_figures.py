"""Counts how long deliveries took, hour by hour, before the outbox forgets them: for the public figures."""

from datetime import datetime, timedelta

from idp.store.encoding import micros
from idp.store.unit_of_work import UnitOfWork

_HOUR = timedelta(hours=1)
_SETTLED = timedelta(minutes=5)
"""After so long nobody records a delivery into a past hour any more."""
_LOOK_BACK = 20
"""Hours; the outbox keeps what was delivered for a day (`store.remains`)."""


async def count_deliveries(uow: UnitOfWork, now: datetime) -> int:
    """Count the hours that are over and were not counted; return how many were looked at."""
    newest = (now - _SETTLED).replace(minute=0, second=0, microsecond=0) - _HOUR
    oldest = newest - (_LOOK_BACK - 1) * _HOUR
    counted = await uow.figures.hours_counted(oldest)
    hours = [oldest + number * _HOUR for number in range(_LOOK_BACK)]
    missing = [hour for hour in hours if micros(hour) not in counted]
    for hour in missing:
        await uow.figures.count_deliveries(hour, hour + _HOUR)
    await uow.commit()
    return len(missing)
